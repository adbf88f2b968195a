"""Whether a track really decrypts: with the keys that are known, with none, or with ones that anyone would guess."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path

from drmkit.identifiers import KeyId
from drmkit.secret import Secret
from drmkit.stream.check.collector import Collector
from drmkit.stream.check.decoding import Decoder, Media
from drmkit.stream.check.hlskeys import KeyFiles
from drmkit.stream.check.judgement import Judge
from drmkit.stream.check.look import Look, Looked
from drmkit.stream.check.model import Verdict
from drmkit.stream.check.sampledecoding import SampleDecoder
from drmkit.stream.check.sources import Sources
from drmkit.stream.check.webmdecoding import WebmDecoder

__all__ = ["Decryption", "Outcome", "worst"]

_MOST_KEYS = 8
_BLOCK = 16
_HELD = 48 * 2**20
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
class Decryption:
    """Decrypts the tracks of a stream.

    Attributes:
        decoder: decodes.
        keys: the keys that are known, by key ID.
        asked: whether keys were given at all.
        sources: the clear media, or None.
        collector: takes the findings.
        random: returns so many random bytes.
        files: reads the keys behind URIs (HLS).
        ivs: the IVs that a document has or that were given, by key ID.
    """

    decoder: Decoder
    keys: Mapping[KeyId, Secret[bytes]]
    asked: bool
    sources: Sources | None
    collector: Collector
    random: Callable[[int], bytes]
    files: KeyFiles
    ivs: Mapping[KeyId, bytes] = field(default_factory=dict)

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
        key, which = self.keys.get(kid), f"the key given for {kid}"
        if key is None:
            key, which = self.behind_uri(look, segments), "the key behind its URI"
        judge = self.judge(look, kid, segments)
        if key is None:
            return self.guess(look, judge) or self._without(look, kid)
        if not self.has_ivs(look, kid, segments):
            return self.guess(look, judge) or self.without_iv(look, segments)
        return self.settle(look, judge, key, which, segments)

    def settle(self, look: Look, judge: Judge, key: Secret[bytes], which: str, segments: Sequence[Looked]) -> Outcome:
        """Say whether a key decrypts segments; `which` says in words what key it is."""
        verdict = judge.judge(key)
        if verdict == "wrong" and look.scheme == "cens" and look.media.kind == "audio":
            verdict = "undecided"  # ffmpeg does not decrypt whole samples in a pattern
        if self.sources is not None and verdict != "wrong":
            return self.compare(look, judge, key, segments)
        if verdict == "right":
            return Outcome("decrypts", f"with {which}")
        return self.guess(look, judge) or self.doubtful(look, which, segments, wrong=verdict == "wrong")

    def behind_uri(self, look: Look, segments: Sequence[Looked]) -> Secret[bytes] | None:
        """Return the key that stands behind the URI of a tag of the key format identity, or None."""
        for line in segments[0].segment.keys:
            if line.is_identity and line.key.method.startswith("SAMPLE-AES"):
                key = self.files.of(look.track, line)
                # Data that is the key ID is a mistake of its own.
                if key is not None and key.reveal() not in {kid.raw for kid in segments[0].kids}:
                    return key
        return None

    def without_iv(self, look: Look, segments: Sequence[Looked]) -> Outcome:
        """Say that an IV is missing."""
        words = "the IV comes with the key from its server: neither the key tags nor a document state it"
        hint = "give a document whose content key has explicitIV, or KID:KEY:IV in the key file"
        self.collector.add("decryption-undecided", words, track=look.track.name, place=segments[0].place, hint=hint)
        return Outcome("cannot tell", "nothing states the IV")

    def doubtful(self, look: Look, which: str, segments: Sequence[Looked], *, wrong: bool) -> Outcome:
        """Say that a key is wrong, or that it cannot be told."""
        name, place = look.track.name, segments[0].place
        if wrong:
            words = f"the track does not decrypt with {which}: what comes out is noise"
            self.collector.add("key-wrong", words, track=name, place=place)
            return Outcome("does not decrypt", f"{which} is wrong")
        form = look.media.encrypted.format if look.media.encrypted else "the media"
        words = f"whether {form} decrypts cannot be told from the {len(segments)} segments that were decoded"
        self.collector.add("decryption-undecided", words, track=name, place=place)
        return Outcome("cannot tell", "the decoder finds nothing that tells")

    def has_ivs(self, look: Look, kid: KeyId, segments: Sequence[Looked]) -> bool:
        """Say whether the IVs of segments are known: their media, key tags or the document state them."""
        return not look.by_tags or kid in self.ivs or all(one.first_iv is not None for one in segments)

    def judge(self, look: Look, kid: KeyId, segments: Sequence[Looked]) -> Judge:
        """Return what judges keys of some segments of a track."""
        assert look.init_path is not None  # noqa: S101 - the caller has looked
        files = (look.init_path, *(one.path for one in segments if one.path is not None))
        same = [media for media in look.init.tracks if media.kind == look.media.kind]
        stream = f"{look.media.kind[0]}:{same.index(look.media)}"
        listed = {other for one in segments for other in one.kids}
        listed |= {e.kid for media in look.init.tracks for e in media.entries if e.kid is not None}
        others = {other: self.keys.get(other) or Secret(bytes(15) + b"\1") for other in listed}
        entry = look.media.encrypted
        decoder = self.decoder
        if look.by_tags:
            decoder, files = self._sample_decoder(look, kid, segments), _within(files)
        elif look.container == "webm":
            decoder, files = WebmDecoder(self.decoder), _within(files)
        return Judge(
            decoder=decoder,
            media=Media(files, stream),
            kid=kid,
            others=others,
            format=entry.format if entry is not None else "",
            constant_iv=look.by_tags or (entry is not None and entry.constant_iv is not None),
            random=self.random,
        )

    def _sample_decoder(self, look: Look, kid: KeyId, segments: Sequence[Looked]) -> SampleDecoder:
        # Where the IV is not known, media in the clear still differs from what any key makes of it.
        marks = {
            one.path: (kid, self.ivs.get(kid, bytes(_BLOCK)) if one.first_iv is None else one.first_iv)
            for one in segments
            if one.path is not None
        }
        return SampleDecoder(self.decoder, marks, look.media.entries[0].format)

    def guess(self, look: Look, judge: Judge) -> Outcome | None:
        """Try what anyone would: no key, the key ID where one is named, zeros."""
        name, place = look.track.name, look.segments[0].place
        kid = judge.kid
        guesses: tuple[tuple[str, Secret[bytes] | None, str], ...] = (
            ("not-encrypted", None, "the track is marked as encrypted, and its samples decode as they are"),
            ("key-is-key-id", Secret(kid.raw), f"the track decrypts with its key ID {kid} as the key"),
            ("key-is-key-id", Secret(kid.guid_le), f"the track decrypts with its key ID {kid}, as a GUID, as the key"),
            ("key-is-known", Secret(bytes(16)), "the track decrypts with a key of zeros"),
        )
        for rule, key, words in guesses:
            if rule == "key-is-key-id" and not any(kid.raw):
                continue  # it stands for none, and zeros are a guess of their own
            if judge.quickly(key) and judge.judge(key) == "right":
                self.collector.add(rule, words, track=name, place=place)
                return Outcome("does not decrypt" if key is None else "decrypts", words)
        return None

    def _without(self, look: Look, kid: KeyId) -> Outcome:
        if self.asked and not self.collector.has("document-key-missing", look.track.name):
            self.collector.add("key-unknown", f"no key was given for {kid}", track=look.track.name, place=look.place)
        return Outcome("not tried", f"no key was given for {kid}" if self.asked else "no keys were given")

    def compare(self, look: Look, judge: Judge, key: Secret[bytes], segments: Sequence[Looked]) -> Outcome:
        """Compare the decrypted packets with those of the source, segment by segment."""
        differing = self._differing(judge, key, segments)
        if differing is None:
            return Outcome("decrypts", "its packets are those of the source")
        one, count = differing
        words = f"the {count} packets of segment {one.segment.index}, decrypted, do not stand in a source"
        self.collector.add("source-differs", words, track=look.track.name, place=one.place)
        return Outcome("does not decrypt", "the decrypted packets are not those of a source")

    def is_source(self, judge: Judge, key: Secret[bytes], segments: Sequence[Looked]) -> bool:
        """Say whether there is a source, and segments decrypt to it."""
        return self.sources is not None and self._differing(judge, key, segments) is None

    def _differing(self, judge: Judge, key: Secret[bytes], segments: Sequence[Looked]) -> tuple[Looked, int] | None:
        """Return the first segment whose packets do not stand in a source, and how many they are."""
        assert self.sources is not None  # noqa: S101 - the callers have looked
        keys = {**judge.others, judge.kid: key}
        for one in segments:
            media = Media((judge.media.files[0], one.path or Path()), judge.media.stream)
            count = self.sources.differing(media, keys, judge.decoder, judge.format)
            if count is not None:
                return one, count
        return None


def _within(files: Sequence[Path]) -> tuple[Path, ...]:
    """Return as many of the files as are decrypted in memory at once, and at least one segment."""
    sizes = accumulate(path.stat().st_size for path in files[1:])
    return tuple(files[: 1 + max(1, sum(size <= _HELD for size in sizes))])
