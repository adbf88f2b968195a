"""What key tags say of a key where the media says nothing: its ID, its IV, and the key itself behind a URI."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from drmkit.errors import RemoteError, SignalingError
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.secret import Secret
from drmkit.signaling import fairplay
from drmkit.signaling.describe import describe
from drmkit.stream.check.access import Access, Reference, UnreadableError
from drmkit.stream.check.collector import Collector
from drmkit.stream.check.presentation import KeyLine, Segment, StreamTrack

__all__ = ["KeyFiles", "named_kid", "stated_iv"]

_BLOCK = 16


@dataclass(slots=True)
class KeyFiles:
    """Reads the keys that stand behind URIs of the key format identity, as players do.

    Attributes:
        access: reads.
        collector: takes the findings.
        fetch: whether keys are fetched over the network.
    """

    access: Access
    collector: Collector
    fetch: bool
    _read: dict[tuple[str, str | None], Secret[bytes] | None] = field(default_factory=dict, repr=False)

    def of(self, track: StreamTrack, line: KeyLine) -> Secret[bytes] | None:
        """Return the key behind a URI: of a file or the tag itself, and where that is wished for of a server."""
        which = (track.name, line.key.uri)
        if which not in self._read:
            try:
                self._read[which] = self._of(track, line)
            except UnreadableError as error:
                self._read[which] = None
                if error.rule != "reference-refused":
                    self._unreadable(error.message, track, line)
            except (SignalingError, RemoteError) as error:
                self._read[which] = None
                self._unreadable(error.message, track, line)
        return self._read[which]

    def _of(self, track: StreamTrack, line: KeyLine) -> Secret[bytes] | None:
        payload = line.key.payload()
        if payload is not None:
            return Secret(payload) if len(payload) == _BLOCK else None
        location = self.access.resolve(track.location or self.access.manifest, line.key.uri or "")
        if location.remote and not self.fetch:
            return None
        data = self.access.read(Reference(location), most=_BLOCK * 4, what="the key")
        if len(data) == _BLOCK:
            return Secret(data)
        words = f"what is behind the key's URI has {len(data)} bytes, not 16"
        self.collector.add("key-wrong", words, track=track.name, place=line.place)
        return None

    def _unreadable(self, words: str, track: StreamTrack, line: KeyLine) -> None:
        self.collector.add("segment-unreadable", f"the key: {words}", track=track.name, place=line.place)


def named_kid(lines: Sequence[KeyLine], known: Collection[KeyId]) -> KeyId | None:
    """Return the key ID that the key tags of a segment name, or None.

    Args:
        lines: the tags.
        known: key IDs from elsewhere: a FairPlay URI that names one of them in any form names it.
    """
    return next(_named(lines, known), None)


def _named(lines: Sequence[KeyLine], known: Collection[KeyId]) -> Iterator[KeyId]:
    """Yield the key IDs of the tags, those that are said most plainly first."""
    for line in lines:
        try:
            if line.key.key_id is not None:
                yield line.key.key_id
        except SignalingError:
            continue  # a finding of its own
    for line in lines:
        for box in line.boxes:
            try:
                kids = describe(box).key_ids
            except SignalingError:
                continue
            # A box may name the keys of all tracks.
            if len(set(kids)) == 1:
                yield kids[0]
    for line in lines:
        yield from (kid for kid in known if _names(line, kid))


def _names(line: KeyLine, kid: KeyId) -> bool:
    """Say whether a tag's URI names a key ID: that of FairPlay, or by mistake data that players take for the key."""
    uri = line.key.uri or ""
    if line.system is DrmSystem.FAIRPLAY:
        skd = uri[: len(fairplay.SCHEME)].lower() == fairplay.SCHEME and len(uri) > len(fairplay.SCHEME)
        return skd and fairplay.names(uri, kid)
    try:
        return line.is_identity and line.key.payload() == kid.raw
    except SignalingError:
        return False


def stated_iv(segment: Segment) -> bytes | None:
    """Return the IV of a segment: that of a tag, or for a key behind a URI the media sequence number; None for none.

    That of other key formats comes with the key (RFC 8216, clause 4.3.2.4).
    """
    for line in segment.keys:
        try:
            iv = line.key.iv
        except SignalingError:
            continue  # a finding of its own
        if iv is not None:
            return iv
    return segment.sequence.to_bytes(_BLOCK, "big") if any(line.is_identity for line in segment.keys) else None
