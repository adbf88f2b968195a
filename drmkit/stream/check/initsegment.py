"""Reads an initialization segment: every track's sample entries, defaults, key groups, and the PSSH boxes."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from drmkit.errors import SignalingError
from drmkit.identifiers import KeyId
from drmkit.signaling.mp4boxes import Box, children, find, full_box, only
from drmkit.signaling.pssh import PsshBox, parse_one
from drmkit.stream.entries import SampleEntry, sample_entries

__all__ = ["BrokenBox", "FoundPssh", "InitSegment", "KeyGroup", "MediaTrack", "key_groups", "pssh_boxes", "read_init"]

_SEIG = b"seig"
_MOST_GROUPS, _LONGEST_GROUP = 10_000, 512
_HDR = frozenset({16, 18})
_BT2020 = 9


@dataclass(frozen=True, slots=True)
class FoundPssh:
    """A PSSH box and its offset in bytes."""

    box: PsshBox
    at: int


@dataclass(frozen=True, slots=True)
class BrokenBox:
    """A box that cannot be read, its offset in bytes, and why."""

    name: str
    at: int
    reason: str


@dataclass(frozen=True, slots=True)
class KeyGroup:
    """A sample group of ISO/IEC 23001-7, clause 6: what holds for its samples instead of the track's defaults."""

    protected: bool
    kid: KeyId
    iv_size: int
    constant_iv: bytes | None
    pattern: tuple[int, int]


@dataclass(slots=True)
class MediaTrack:
    """A track of an initialization segment.

    Attributes:
        track_id: its ID in the file.
        kind: "video", "audio", "text" or "unknown".
        entries: its sample entries.
        at: offset of its `trak` box.
        timescale: units of time a second.
        width: in pixels, 0 for what is no video.
        height: in pixels, 0 for what is no video.
        channels: audio channels, 0 for what is no audio.
        hdr: whether the transfer function is PQ or HLG; None where the file does not say.
        wcg: whether the primaries are those of BT.2020; None where the file does not say.
        groups: its key groups, in their order.
        entry_index: the sample entry that samples have by default, from 1.
        sample_size: the size that samples have by default.
    """

    track_id: int
    kind: str
    entries: tuple[SampleEntry, ...]
    at: int
    timescale: int = 0
    width: int = 0
    height: int = 0
    channels: int = 0
    hdr: bool | None = None
    wcg: bool | None = None
    groups: tuple[KeyGroup, ...] = ()
    entry_index: int = 1
    sample_size: int = 0

    @property
    def encrypted(self) -> SampleEntry | None:
        """The first sample entry that is encrypted, or None."""
        return next((entry for entry in self.entries if entry.scheme is not None), None)


@dataclass(slots=True)
class InitSegment:
    """What an initialization segment says.

    Attributes:
        tracks: its tracks.
        pssh: the PSSH boxes of `moov`.
        broken: boxes that cannot be read.
        fragmented: whether fragments follow.
        sampled: whether `moov` itself lists samples.
    """

    tracks: list[MediaTrack] = field(default_factory=list)
    pssh: list[FoundPssh] = field(default_factory=list)
    broken: list[BrokenBox] = field(default_factory=list)
    fragmented: bool = False


def read_init(data: bytes, start: int = 0) -> InitSegment:
    """Read an initialization segment.

    Args:
        data: its bytes; what stands behind `moov` is not looked at.
        start: its offset in the file, for places.

    Raises:
        SignalingError: there is no `moov` box, or a track cannot be read.
    """
    moov = None
    for box in children(data, start):
        if box.kind == b"moov":
            moov = box
            break
    if moov is None:
        raise SignalingError(
            "there is no box moov: this is no initialization segment", hint="is it a media segment, or another file?"
        )
    found = InitSegment()
    found.pssh, found.broken = pssh_boxes(moov)
    found.fragmented = bool(find(moov, b"mvex"))
    for track in find(moov, b"trak"):
        found.tracks.append(_track(track))
    for box in find(moov, b"mvex", b"trex"):
        _, _, body = full_box(box, 20)
        track_id, entry, _, size = struct.unpack_from(">IIII", body)
        for item in found.tracks:
            if item.track_id == track_id:
                item.entry_index, item.sample_size = entry, size
    if not found.tracks:
        raise SignalingError("there is no track in it")
    return found


def pssh_boxes(container: Box) -> tuple[list[FoundPssh], list[BrokenBox]]:
    """Return the PSSH boxes of a `moov` or `moof` box, and those that cannot be read."""
    found, broken = [], []
    for box in find(container, b"pssh"):
        try:
            found.append(FoundPssh(parse_one(box.raw), box.start))
        except SignalingError as error:
            broken.append(BrokenBox("pssh", box.start, error.message))
    return found, broken


def _track(track: Box) -> MediaTrack:
    entries = sample_entries(track)
    kinds = {"vide": "video", "soun": "audio", "text": "text", "subt": "text"}
    if not entries:
        raise SignalingError(f"the track at byte {track.start} has no sample entry")
    made = MediaTrack(entries[0].track_id, kinds.get(entries[0].kind, "unknown"), tuple(entries), track.start)
    where = f"the track at byte {track.start}"
    header = only(find(track, b"mdia", b"mdhd"), where)
    if header is not None:
        version, _, body = full_box(header, 20)
        (made.timescale,) = struct.unpack_from(">I", body, 16 if version and len(body) >= 20 else 8)  # noqa: PLR2004
    table = find(track, b"mdia", b"minf", b"stbl")
    if table:
        made.groups = key_groups(table[0])
    stsd = only(find(track, b"mdia", b"minf", b"stbl", b"stsd"), where)
    if stsd is not None:
        _details(made, next(children(stsd.body[8:], stsd.body_start + 8)))
    return made


def _details(track: MediaTrack, entry: Box) -> None:
    if track.kind == "video" and len(entry.body) >= 78:  # noqa: PLR2004 - ISO/IEC 14496-12, clause 12.1.3
        track.width, track.height = struct.unpack_from(">HH", entry.body, 24)
        for box in _loose(entry, 78):
            if box.kind == b"colr" and box.body[:4] in {b"nclx", b"nclc"} and len(box.body) >= 10:  # noqa: PLR2004
                primaries, transfer = struct.unpack_from(">HH", box.body, 4)
                track.hdr, track.wcg = transfer in _HDR, primaries == _BT2020
    elif track.kind == "audio" and len(entry.body) >= 28:  # noqa: PLR2004 - clause 12.2.3
        (track.channels,) = struct.unpack_from(">H", entry.body, 16)


def _loose(entry: Box, skip: int) -> list[Box]:
    """Return the boxes inside a sample entry; a zero terminator of QuickTime's ends them without an error."""
    found = []
    try:
        for box in children(entry.body[skip:], entry.body_start + skip):
            found.append(box)  # noqa: PERF402 - what came before an error is kept
    except SignalingError:
        pass
    return found


def key_groups(container: Box) -> tuple[KeyGroup, ...]:
    """Return the key groups that `sgpd` boxes of a `stbl` or `traf` box describe.

    Raises:
        SignalingError: a description is cut short.
    """
    return tuple(group for box in find(container, b"sgpd") if box.body[4:8] == _SEIG for group in _described(box))


def _described(box: Box) -> list[KeyGroup]:
    version, _, body = full_box(box, 8)
    at = 4
    length = 0
    if version == 1:
        (length,) = struct.unpack_from(">I", body, at)
        at += 4
    elif version > 1:
        at += 4
    if len(body) < at + 4:
        raise SignalingError(f"box sgpd at byte {box.start} is too short")
    (count,) = struct.unpack_from(">I", body, at)
    if count > _MOST_GROUPS:
        raise SignalingError(f"box sgpd at byte {box.start} claims {count} entries")
    at += 4
    found = []
    for _ in range(count):
        size = length
        if version == 1 and not length:
            if len(body) < at + 4:
                raise SignalingError(f"box sgpd at byte {box.start} is too short for its {count} entries")
            (size,) = struct.unpack_from(">I", body, at)
            at += 4
        group, used = _group(body[at : at + _LONGEST_GROUP], box.start)
        found.append(group)
        at += max(size, used)
    return found


def _group(data: bytes, at: int) -> tuple[KeyGroup, int]:
    if len(data) < 20:  # noqa: PLR2004 - the least that an entry has
        raise SignalingError(f"box sgpd at byte {at} is too short for its entries")
    blocks, protected, iv_size, kid = data[1], data[2], data[3], KeyId(data[4:20])
    used, constant = 20, None
    if protected and not iv_size:
        size = data[20] if len(data) > 20 else 0  # noqa: PLR2004
        constant = data[21 : 21 + size]
        used += 1 + size
        if len(constant) not in {8, 16}:
            raise SignalingError(f"box sgpd at byte {at} has a constant IV of {len(constant)} bytes, not 8 or 16")
    return KeyGroup(bool(protected), kid, iv_size, constant, (blocks >> 4, blocks & 15)), used
