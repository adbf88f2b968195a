"""Looks into segments that AES-128 encrypts as a whole (RFC 8216, clause 4.3.2.4): their padding and contents tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from drmkit.errors import RemoteError, SignalingError
from drmkit.identifiers import KeyId
from drmkit.secret import Secret
from drmkit.stream.check.access import Access, UnreadableError
from drmkit.stream.check.collector import Collector
from drmkit.stream.check.hlskeys import KeyFiles
from drmkit.stream.check.look import chosen
from drmkit.stream.check.model import Place, TrackReport, Verdict
from drmkit.stream.check.presentation import KeyLine, Segment, StreamTrack
from drmkit.stream.check.transport import kind_of, read_transport
from drmkit.stream.check.wholesource import WholeSource

__all__ = ["check_aes128", "decrypted", "uses_aes128"]

_BLOCK = 16


def uses_aes128(track: StreamTrack) -> bool:
    """Say whether a playlist encrypts whole segments."""
    return any(line.key.method == "AES-128" for line in track.keys)


def decrypted(data: bytes, key: Secret[bytes], iv: bytes) -> bytes | None:
    """Decrypt a segment with AES-128 in CBC mode; None where padding or contents show that the key is wrong.

    Args:
        data: the segment.
        key: 16 bytes.
        iv: 16 bytes.
    """
    if not data or len(data) % _BLOCK or len(key.reveal()) != _BLOCK:
        return None
    decryptor = Cipher(AES(key.reveal()), CBC(iv)).decryptor()
    plain = decryptor.update(data) + decryptor.finalize()
    padding = plain[-1]
    if not 1 <= padding <= _BLOCK or plain[-padding:] != bytes([padding]) * padding:
        return None
    # The padding fits one wrong key in 256; the contents make sure.
    return plain[:-padding] if kind_of(plain[:-padding]) else None


_GET = "with --fetch-keys a key is asked of its server, as players do; a document or a key file can have it too"


@dataclass(frozen=True, slots=True)
class _Tried:
    """How one segment came out: a verdict and why."""

    verdict: Verdict
    reason: str


@dataclass(frozen=True, slots=True)
class _Whole:
    """One playlist of whole encrypted segments, under check."""

    track: StreamTrack
    access: Access
    keys: Mapping[KeyId, Secret[bytes]]
    collector: Collector
    files: KeyFiles
    source: WholeSource | None

    def add(self, rule: str, words: str, place: Place, hint: str | None = None) -> None:
        self.collector.add(rule, words, track=self.track.name, place=place, hint=hint)

    def read(self, segment: Segment) -> bytes | None:
        try:
            return self.access.read(segment.media, what=f"segment {segment.index}")
        except UnreadableError as error:
            self.add(error.rule, error.message, segment.place, error.hint)
        except RemoteError as error:
            self.add("segment-unreadable", error.message, segment.place, error.hint)
        return None

    def without_key(self, segment: Segment, data: bytes) -> None:
        if segment.keys and kind_of(data):
            words = f"segment {segment.index} has a key tag of another kind than AES-128, and was not looked into"
            self.add("content-unchecked", words, segment.place)
            return
        if not kind_of(data):
            words = f"no key tag is in force at segment {segment.index}, and it is no media in the clear"
            self.add("hls-key-missing", words, segment.place)
            return
        rule = "clear-lead" if segment.index == 0 else "clear-part"
        self.add(rule, f"segment {segment.index} is in the clear", Place(self.access.name(segment.media.location)))

    def in_samples(self, segment: Segment, line: KeyLine) -> _Tried:
        """Say that METHOD is not what a segment says of itself."""
        words = f"METHOD=AES-128, and segment {segment.index} is MPEG-TS that says that its samples are encrypted"
        self.add("hls-method", words, line.place, "METHOD=SAMPLE-AES")
        return _Tried("does not decrypt", "not whole segments are encrypted, but samples")

    def try_keys(self, segment: Segment, line: KeyLine, data: bytes) -> _Tried:
        """Decrypt a segment with the key behind its URI, or with each that was given: the format has no key IDs."""
        number, place = segment.index, Place(self.access.name(segment.media.location))
        if kind_of(data):
            self.add("not-encrypted", f"segment {number} is in the clear, and METHOD=AES-128 is in force", place)
            return _Tried("does not decrypt", "segments are in the clear")
        if len(data) % _BLOCK:
            words = f"segment {number} has {len(data)} bytes, which is no multiple of 16 as AES-128 makes it"
            self.add("segment-broken", words, place)
            return _Tried("does not decrypt", "a segment is cut short")
        candidates, which = self.candidates(line)
        if not candidates:
            self.add(
                "decryption-not-tried", "no key was given, and none could be read beside the playlist", line.place, _GET
            )
            return _Tried("not tried", "no key was given")
        try:
            iv = line.key.iv or segment.sequence.to_bytes(_BLOCK, "big")
        except SignalingError as error:
            self.add("hls-tag-broken", error.message, line.place, error.hint)
            return _Tried("cannot tell", "the IV cannot be read")
        plain = _first(data, candidates, iv)
        if plain is None:
            which = f"any of the {len(candidates)} keys that were given" if len(candidates) > 1 else which
            self.add("key-wrong", f"segment {number} does not decrypt with {which}, and the IV that is in force", place)
            return _Tried("does not decrypt", f"not with {which}")
        return self.compare(segment, plain, which)

    def candidates(self, line: KeyLine) -> tuple[list[Secret[bytes]], str]:
        """Return the keys that a tag's segments may have, and which they are in words."""
        own = self.files.of(self.track, line)
        if own is not None:
            return [own], "the key behind its URI"
        return list(self.keys.values()), "the key that was given" if len(self.keys) == 1 else "a key that was given"

    def compare(self, segment: Segment, plain: bytes, which: str) -> _Tried:
        """Hold a decrypted segment against the clear media, where that is at hand."""
        if self.source is None:
            return _Tried("decrypts", f"with {which}")
        different = self.source.differing(plain, self.init(segment))
        if different is None:
            return _Tried("decrypts", "its packets are those of the source")
        place = Place(self.access.name(segment.media.location))
        self.add("source-differs", f"segment {segment.index}: {different}", place)
        return _Tried("does not decrypt", "the decrypted packets are not those of a source")

    def init(self, segment: Segment) -> bytes:
        """Return the initialization segment in the clear, or nothing; with a key tag before it, it is encrypted."""
        if segment.init is None:
            return b""
        try:
            data = self.access.read(segment.init, what="the initialization segment")
            for line in segment.init_keys if not kind_of(data) else ():
                # Without a media sequence number of its own, its IV is stated (RFC 8216, clause 4.3.2.5).
                plain = _first(data, self.candidates(line)[0], line.key.iv or bytes(_BLOCK))
                data = data if plain is None else plain
        except UnreadableError as error:
            self.add(error.rule, error.message, segment.place, error.hint)
        except (RemoteError, SignalingError) as error:
            self.add("segment-unreadable", error.message, segment.place, error.hint)
        else:
            return data
        return b""


def _first(data: bytes, candidates: Sequence[Secret[bytes]], iv: bytes) -> bytes | None:
    """Return what the first key gives that decrypts."""
    return next((plain for key in candidates if (plain := decrypted(data, key, iv)) is not None), None)


def _has_encrypted_samples(data: bytes) -> bool:
    if kind_of(data) != "ts":
        return False
    try:
        return any(stream.says_encrypted for stream in read_transport(data))
    except SignalingError:
        return False


def check_aes128(
    track: StreamTrack,
    access: Access,
    keys: Mapping[KeyId, Secret[bytes]],
    collector: Collector,
    *,
    wanted: int | None,
    files: KeyFiles,
    source: WholeSource | None = None,
) -> TrackReport:
    """Check a playlist of whole encrypted segments.

    Args:
        track: the track.
        access: reads.
        keys: the keys that are known; the format has no key IDs, so each is tried.
        collector: takes the findings.
        wanted: how many segments to look at; None for all.
        files: reads the keys behind URIs.
        source: the clear media, to compare with, or None.
    """
    whole = _Whole(track, access, keys, collector, files, source)
    tried: list[_Tried] = []
    examined = 0
    for at in chosen(track.segments, wanted):
        segment = track.segments[at]
        data = whole.read(segment)
        if data is None:
            continue
        examined += 1
        lines = [line for line in segment.keys if line.key.method == "AES-128"]
        line = next((line for line in lines if line.is_identity), None)
        if lines and _has_encrypted_samples(data):
            tried.append(whole.in_samples(segment, lines[0]))
        elif line is None:
            whole.without_key(segment, data)
        else:
            tried.append(whole.try_keys(segment, line, data))
    verdict, reason = _sum(tried)
    stated = any(line.key.get("IV") for line in track.keys if line.key.method == "AES-128")
    return TrackReport(
        name=track.name,
        kind=track.kind,
        scheme="aes-128",
        iv="in the playlist" if stated else "media sequence number",
        systems=("AES-128 clear key",),
        segments=len(track.segments),
        examined=examined,
        verdict=verdict,
        reason=reason,
    )


def _sum(tried: Sequence[_Tried]) -> tuple[Verdict, str]:
    for verdict in ("does not decrypt", "cannot tell", "not tried", "decrypts"):
        for item in tried:
            if item.verdict == verdict:
                return item.verdict, item.reason
    return "not tried", "no segment could be read"
