"""Whether a track really decrypts: with the keys that are known, with none, or with ones that anyone would guess."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from drmkit.identifiers import KeyId
from drmkit.secret import Secret
from drmkit.stream.check.collector import Collector
from drmkit.stream.check.decoding import Decoder, Media
from drmkit.stream.check.judgement import Judge
from drmkit.stream.check.look import Look, Looked
from drmkit.stream.check.model import Verdict

__all__ = ["Decryption", "Outcome", "Sources", "worst"]

_MOST_KEYS = 8
_MOST_TRACKS = 8
_ORDER: tuple[Verdict, ...] = ("does not decrypt", "cannot tell", "not tried", "decrypts", "clear")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a track came out, and why, in words."""

    verdict: Verdict
    reason: str


def worst(outcomes: Sequence[Outcome]) -> Outcome:
    """Return the outcome that stands for all: the one that says the least good."""
    return min(outcomes, key=lambda one: _ORDER.index(one.verdict))


@dataclass(slots=True)
class Sources:
    """The clear media that a stream was made of: the hashes of its packets, track by track.

    Attributes:
        files: the media files.
    """

    files: Sequence[Path]
    _hashes: dict[str, list[str]] = field(default_factory=dict)

    def holds(self, packets: Sequence[str], kind: str, decoder: Decoder) -> bool:
        """Say whether packets stand in a row in one of the tracks of a kind ("v" or "a")."""
        wanted = "\n".join(packets)
        return any(wanted in track for track in self._tracks(kind, decoder))

    def _tracks(self, kind: str, decoder: Decoder) -> list[str]:
        if kind not in self._hashes:
            self._hashes[kind] = found = []
            for file in self.files:
                for number in range(_MOST_TRACKS):
                    packets = decoder.packets(Media((file,), f"{kind}:{number}"), {})
                    if not packets:
                        break
                    found.append("\n".join(packets))
        return self._hashes[kind]


@dataclass(slots=True)
class Decryption:
    """Decrypts the tracks of a stream.

    Attributes:
        decoder: decodes.
        keys: the keys that are known, by key ID.
        asked: whether keys were given at all.
        sources: the clear media, or None.
        collector: takes the findings.
        random: returns so many random bytes.
    """

    decoder: Decoder
    keys: Mapping[KeyId, Secret[bytes]]
    asked: bool
    sources: Sources | None
    collector: Collector
    random: Callable[[int], bytes]

    def check(self, look: Look) -> Outcome:
        """Find out whether a media track decrypts with the keys that are known."""
        entry = look.media.encrypted
        if entry is None:
            return Outcome("clear", "")
        kids = [kid for kid in look.used_kids if any(kid in one.kids for one in look.segments)]
        if look.media.kind not in {"video", "audio"} or not kids or look.init_path is None:
            return Outcome("not tried", "no encrypted segment was read")
        outcomes = [self._key(look, kid) for kid in kids[:_MOST_KEYS]]
        return worst(outcomes)

    def _key(self, look: Look, kid: KeyId) -> Outcome:
        segments = [one for one in look.segments if one.path is not None and kid in one.kids]
        # Segments under this key alone tell most; others have to do where there are none.
        segments = [one for one in segments if one.kids == (kid,) and not one.clear] or segments
        if not segments:
            return Outcome("not tried", "no encrypted segment was kept")
        key = self.keys.get(kid)
        judge = self._judge(look, kid, segments)
        if key is None:
            return self._guess(look, judge) or self._without(look, kid)
        verdict = judge.judge(key)
        if verdict == "wrong" and look.scheme == "cens" and look.media.kind == "audio":
            verdict = "undecided"  # ffmpeg does not decrypt whole samples in a pattern
        if self.sources is not None and verdict != "wrong":
            return self._compare(look, judge, key, segments)
        if verdict == "right":
            return Outcome("decrypts", f"with key {kid}")
        return self._guess(look, judge) or self._doubtful(look, kid, segments, wrong=verdict == "wrong")

    def _doubtful(self, look: Look, kid: KeyId, segments: Sequence[Looked], *, wrong: bool) -> Outcome:
        name, place = look.track.name, segments[0].place
        if wrong:
            words = f"the track does not decrypt with the key that was given for {kid}: what comes out is noise"
            self.collector.add("key-wrong", words, track=name, place=place)
            return Outcome("does not decrypt", f"the key given for {kid} is wrong")
        form = look.media.encrypted.format if look.media.encrypted else "the media"
        words = f"whether {form} decrypts cannot be told from the {len(segments)} segments that were decoded"
        self.collector.add("decryption-undecided", words, track=name, place=place)
        return Outcome("cannot tell", "the decoder finds nothing that tells")

    def _judge(self, look: Look, kid: KeyId, segments: Sequence[Looked]) -> Judge:
        assert look.init_path is not None  # noqa: S101 - the caller has looked
        files = (look.init_path, *(one.path for one in segments if one.path is not None))
        same = [media for media in look.init.tracks if media.kind == look.media.kind]
        stream = f"{look.media.kind[0]}:{same.index(look.media)}"
        listed = {other for one in segments for other in one.kids}
        listed |= {e.kid for media in look.init.tracks for e in media.entries if e.kid is not None}
        others = {other: self.keys.get(other) or Secret(bytes(15) + b"\1") for other in listed}
        entry = look.media.encrypted
        return Judge(
            decoder=self.decoder,
            media=Media(files, stream),
            kid=kid,
            others=others,
            format=entry.format if entry is not None else "",
            constant_iv=entry is not None and entry.constant_iv is not None,
            random=self.random,
        )

    def _guess(self, look: Look, judge: Judge) -> Outcome | None:
        """Try what anyone would: no key, the key ID, zeros."""
        name, place = look.track.name, look.segments[0].place
        kid = judge.kid
        guesses: tuple[tuple[str, Secret[bytes] | None, str], ...] = (
            ("not-encrypted", None, "the track is marked as encrypted, and its samples decode as they are"),
            ("key-is-key-id", Secret(kid.raw), f"the track decrypts with its key ID {kid} as the key"),
            ("key-is-key-id", Secret(kid.guid_le), f"the track decrypts with its key ID {kid}, as a GUID, as the key"),
            ("key-is-known", Secret(bytes(16)), "the track decrypts with a key of zeros"),
        )
        for rule, key, words in guesses:
            if judge.quickly(key) and judge.judge(key) == "right":
                self.collector.add(rule, words, track=name, place=place)
                return Outcome("does not decrypt" if key is None else "decrypts", words)
        return None

    def _without(self, look: Look, kid: KeyId) -> Outcome:
        if self.asked and not self.collector.has("document-key-missing", look.track.name):
            self.collector.add("key-unknown", f"no key was given for {kid}", track=look.track.name, place=look.place)
        return Outcome("not tried", f"no key was given for {kid}" if self.asked else "no keys were given")

    def _compare(self, look: Look, judge: Judge, key: Secret[bytes], segments: Sequence[Looked]) -> Outcome:
        """Compare the decrypted packets with those of the source, segment by segment."""
        assert self.sources is not None  # noqa: S101 - the caller has looked
        keys = {**judge.others, judge.kid: key}
        for one in segments:
            packets = self.decoder.packets(Media((judge.media.files[0], one.path or Path()), judge.media.stream), keys)
            if not packets or not self.sources.holds(packets, judge.media.stream[0], self.decoder):
                words = (
                    f"the {len(packets)} packets of segment {one.segment.index}, decrypted, do not stand in a source"
                )
                self.collector.add("source-differs", words, track=look.track.name, place=one.place)
                return Outcome("does not decrypt", "the decrypted packets are not those of a source")
        return Outcome("decrypts", "its packets are those of the source")
