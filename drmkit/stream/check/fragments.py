"""Reads media segments: samples, and how each of them is encrypted (ISO/IEC 23001-7, clauses 6 and 7)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from drmkit.errors import SignalingError
from drmkit.identifiers import KeyId
from drmkit.signaling.mp4boxes import Box, children, find, full_box, only
from drmkit.stream.check.initsegment import (
    BrokenBox,
    FoundPssh,
    InitSegment,
    KeyGroup,
    MediaTrack,
    key_groups,
    pssh_boxes,
)

__all__ = ["Fragment", "Sample", "SegmentContent", "read_segment"]

_MOST_SAMPLES = 100_000
_PIFF = bytes.fromhex("a2394f525a9b4f14a2446c427c648df4")
_LOCAL = 0x10000
_DATA_OFFSET, _FIRST_FLAGS = 0x1, 0x4
_FIELDS = (0x100, 0x200, 0x400, 0x800)
_SIZE = 0x200
_SUBSAMPLES = 0x2


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample and its encryption.

    Attributes:
        size: in bytes, or -1 where it is not known.
        kid: the key ID, or None where the sample is in the clear.
        iv: the IV, as it stands with the sample or for all; None where there is none.
        subsamples: clear and encrypted bytes by turns; empty where the whole sample is encrypted.
        group: whether a key group decided, not the track's defaults.
    """

    size: int
    kid: KeyId | None
    iv: bytes | None = None
    subsamples: tuple[tuple[int, int], ...] = ()
    group: bool = False


@dataclass(slots=True)
class Fragment:
    """A track's part of a movie fragment.

    Attributes:
        track_id: the track.
        at: offset of its `traf` box.
        samples: its samples.
        senc: offset of the box `senc`, or None.
        has_saio: whether `saiz` and `saio` are there.
        faults: what does not fit, as (rule, box, offset, words).
        entry_index: the sample entry of its samples, from 1.
    """

    track_id: int
    at: int
    samples: list[Sample] = field(default_factory=list)
    senc: int | None = None
    has_saio: bool = False
    faults: list[tuple[str, str, int, str]] = field(default_factory=list)
    entry_index: int = 1


@dataclass(slots=True)
class SegmentContent:
    """What a media segment holds.

    Attributes:
        fragments: one for each track and fragment.
        pssh: the PSSH boxes in its fragments.
        broken: boxes that cannot be read.
    """

    fragments: list[Fragment] = field(default_factory=list)
    pssh: list[FoundPssh] = field(default_factory=list)
    broken: list[BrokenBox] = field(default_factory=list)


def read_segment(data: bytes, init: InitSegment, start: int = 0) -> SegmentContent:
    """Read a media segment.

    Args:
        data: its bytes.
        init: its initialization segment.
        start: its offset in the file, for places.

    Raises:
        SignalingError: a box breaks its format.
    """
    found = SegmentContent()
    tracks = {track.track_id: track for track in init.tracks}
    for moof in children(data, start):
        if moof.kind != b"moof":
            continue
        boxes, broken = pssh_boxes(moof)
        found.pssh += boxes
        found.broken += broken
        for traf in find(moof, b"traf"):
            found.fragments.append(_fragment(traf, moof, tracks))
    return found


def _fragment(traf: Box, moof: Box, tracks: dict[int, MediaTrack]) -> Fragment:
    header = only(find(traf, b"tfhd"), "a track fragment")
    if header is None:
        raise SignalingError(f"the fragment at byte {traf.start} lacks a box tfhd")
    _, _, body = full_box(header, 4)
    (track_id,) = struct.unpack_from(">I", body)
    track = tracks.get(track_id)
    if track is None:
        raise SignalingError(f"the fragment at byte {traf.start} is of track {track_id}, which the movie does not have")
    made = Fragment(track_id, traf.start, entry_index=track.entry_index)
    default_size, base = _defaults(header, made, track, moof.start)
    sizes = [size for run in find(traf, b"trun") for size in _run(run, default_size)]
    if len(sizes) > _MOST_SAMPLES:
        raise SignalingError(f"the fragment at byte {traf.start} has more than {_MOST_SAMPLES} samples")
    groups = _groups(traf, track, len(sizes))
    _encryption(made, traf, track, sizes, groups)
    _saio(made, traf, moof, base)
    return made


def _defaults(header: Box, made: Fragment, track: MediaTrack, moof: int) -> tuple[int, int]:
    """Return the default sample size and the base of data offsets of a fragment."""
    _, flags, body = full_box(header, 4)
    at, size, base = 4, track.sample_size, moof
    for flag, length in ((0x1, 8), (0x2, 4), (0x8, 4), (0x10, 4), (0x20, 4)):
        if not flags & flag:
            continue
        if len(body) < at + length:
            raise SignalingError(f"box tfhd at byte {header.start} is too short for its flags")
        value = int.from_bytes(body[at : at + length], "big")
        if flag == 0x1:  # base-data-offset-present
            base = value
        elif flag == 0x2:  # noqa: PLR2004 - sample-description-index-present
            made.entry_index = value
        elif flag == 0x10:  # noqa: PLR2004 - default-sample-size-present
            size = value
        at += length
    return size, base


def _run(box: Box, default_size: int) -> list[int]:
    _, flags, body = full_box(box, 4)
    (count,) = struct.unpack_from(">I", body)
    if count > _MOST_SAMPLES:
        raise SignalingError(f"box trun at byte {box.start} claims {count} samples")
    at = 4 + (4 if flags & _DATA_OFFSET else 0) + (4 if flags & _FIRST_FLAGS else 0)
    fields = [flag for flag in _FIELDS if flags & flag]
    if len(body) < at + count * 4 * len(fields):
        raise SignalingError(f"box trun at byte {box.start} is too short for its {count} samples")
    if _SIZE not in fields:
        return [default_size] * count
    step, first = 4 * len(fields), at + 4 * fields.index(_SIZE)
    return [int.from_bytes(body[first + step * n : first + step * n + 4], "big") for n in range(count)]


def _groups(traf: Box, track: MediaTrack, count: int) -> list[KeyGroup | None]:
    """Return the key group of each sample, None where the track's defaults hold."""
    described = key_groups(traf)
    found: list[KeyGroup | None] = []
    for box in find(traf, b"sbgp"):
        version, _, body = full_box(box, 8)
        if body[:4] != b"seig":
            continue
        at = 8 if version else 4
        if len(body) < at + 4:
            raise SignalingError(f"box sbgp at byte {box.start} is too short")
        (entries,) = struct.unpack_from(">I", body, at)
        if len(body) < at + 4 + 8 * entries:
            raise SignalingError(f"box sbgp at byte {box.start} is too short for its {entries} entries")
        for number in range(entries):
            length, index = struct.unpack_from(">II", body, at + 4 + 8 * number)
            group = _pick(index, described, track, box.start)
            found += [group] * min(length, count - len(found))
    return found + [None] * (count - len(found))


def _pick(index: int, local: tuple[KeyGroup, ...], track: MediaTrack, at: int) -> KeyGroup | None:
    if not index:
        return None
    table, place = (local, index - _LOCAL - 1) if index > _LOCAL else (track.groups, index - 1)
    if place >= len(table):
        raise SignalingError(f"box sbgp at byte {at} refers to a key group that is not described")
    return table[place]


def _encryption(made: Fragment, traf: Box, track: MediaTrack, sizes: list[int], groups: list[KeyGroup | None]) -> None:
    place = made.entry_index - 1
    entry = track.entries[place] if 0 <= place < len(track.entries) else track.entries[0]
    table = _senc(traf)
    information: Iterator[tuple[bytes, tuple[tuple[int, int], ...]]] | None = None
    if table is not None:
        made.senc = table.start
        information = _auxiliary(made, table, len(sizes), groups, entry.iv_size)
    for size, group in zip(sizes, groups, strict=True):
        protected = group.protected if group is not None else entry.scheme is not None
        listed = next(information, None) if information is not None else None
        if not protected:
            made.samples.append(Sample(size, None, group=group is not None))
            continue
        kid = group.kid if group is not None else entry.kid
        constant = group.constant_iv if group is not None else entry.constant_iv
        iv, parts = listed if listed is not None else (b"", ())
        made.samples.append(Sample(size, kid, iv or constant, parts, group is not None))
        if parts and sum(clear + hidden for clear, hidden in parts) != size:
            words = f"the subsamples of sample {len(made.samples)} have {sum(map(sum, parts))} bytes, the sample {size}"
            made.faults.append(("senc-broken", "moof/traf/senc", made.senc or made.at, words))


def _senc(traf: Box) -> Box | None:
    table = only(find(traf, b"senc"), "a track fragment")
    if table is not None:
        return table
    return next((Box(b"senc", b.start, b.body[16:], b.raw) for b in find(traf, b"uuid") if b.body[:16] == _PIFF), None)


def _auxiliary(
    made: Fragment, table: Box, count: int, groups: list[KeyGroup | None], iv_size: int
) -> Iterator[tuple[bytes, tuple[tuple[int, int], ...]]]:
    """Yield IV and subsamples of each sample that a `senc` box lists."""
    _, flags, body = full_box(table, 4)
    (listed,) = struct.unpack_from(">I", body)
    if listed != count:
        words = f"senc lists {listed} samples, the fragment has {count}"
        made.faults.append(("senc-broken", "moof/traf/senc", table.start, words))
    at = 4
    for number in range(min(listed, count)):
        group = groups[number]
        size = group.iv_size if group is not None else iv_size
        iv = body[at : at + size]
        at += size
        parts: list[tuple[int, int]] = []
        if flags & _SUBSAMPLES and at + 2 <= len(body):
            (entries,) = struct.unpack_from(">H", body, at)
            at += 2
            if at + 6 * entries <= len(body):
                parts = [struct.unpack_from(">HI", body, at + 6 * n) for n in range(entries)]
            at += 6 * entries
        if at > len(body) or len(iv) != size:
            words = f"senc ends within the information of sample {number + 1}"
            made.faults.append(("senc-broken", "moof/traf/senc", table.start, words))
            return
        yield iv, tuple(parts)
    if at != len(body) and listed == count:
        words = f"{len(body) - at} bytes are left over behind the last sample of senc"
        made.faults.append(("senc-broken", "moof/traf/senc", table.start, words))


def _saio(made: Fragment, traf: Box, moof: Box, base: int) -> None:
    """Compare `saio` with where the sample encryption information stands (ISO/IEC 14496-12, clause 8.7.9)."""
    sizes, offsets = find(traf, b"saiz"), find(traf, b"saio")
    made.has_saio = bool(sizes and offsets)
    if not made.has_saio or made.senc is None:
        return
    box = offsets[0]
    version, flags, body = full_box(box, 4)
    at = 8 if flags & 1 else 0
    width = 8 if version else 4
    if len(body) < at + 4 + width:
        made.faults.append(("saio-wrong", "moof/traf/saio", box.start, "saio has no offset"))
        return
    target = base + int.from_bytes(body[at + 4 : at + 4 + width], "big")
    # The information itself begins behind version, flags and count of senc.
    within = find(traf, b"senc")
    begin = within[0].body_start + 8 if within else None
    if begin is not None and target != begin and base == moof.start:
        words = f"saio leads to byte {target}, the information of senc begins at byte {begin}"
        made.faults.append(("saio-wrong", "moof/traf/saio", box.start, words))
