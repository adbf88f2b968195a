"""Reads the segment index of a file that holds a whole track (ISO/IEC 14496-12, clause 8.16.3)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from drmkit.errors import SignalingError
from drmkit.signaling.mp4boxes import Box, children, full_box
from drmkit.stream.check.access import Access, Reference, UnreadableError

__all__ = ["Index", "index_of", "scan"]

_FIRST = 64 * 1024
_REFERENCE = struct.Struct(">III")
_MOST = 200_000
_DEPTH = 3
_HEADER = 16
_MOST_BOXES = 4096


@dataclass(frozen=True, slots=True)
class Index:
    """Where in a file the initialization segment and the media segments stand.

    Attributes:
        init: offset and length of what stands before the first segment; None where it was not looked for.
        segments: offset and length of each segment.
    """

    init: tuple[int, int] | None
    segments: tuple[tuple[int, int], ...]


def index_of(access: Access, file: Reference) -> tuple[tuple[int, int], ...]:
    """Return offset and length of each segment that an index lists.

    Args:
        access: reads the file.
        file: the range of the file that holds the index.

    Raises:
        SignalingError: there is no index in the range, or it is broken.
        UnreadableError: the range cannot be read.
    """
    return tuple(_index(access, file, 0))


def _index(access: Access, file: Reference, depth: int) -> list[tuple[int, int]]:
    start = file.start or 0
    data = access.read(file, what="the segment index")
    box = next((box for box in children(data, start) if box.kind == b"sidx"), None)
    if box is None:
        raise SignalingError(f"there is no box sidx at byte {start}")
    found: list[tuple[int, int]] = []
    for kind, offset, size in _references(box):
        if not kind:
            found.append((offset, size))
        elif depth == _DEPTH:
            raise SignalingError(f"the segment index at byte {start} is nested too deeply")
        else:
            found += _index(access, Reference(file.location, offset, size), depth + 1)
        if len(found) > _MOST:
            raise SignalingError(f"the segment index at byte {start} lists more than {_MOST} segments")
    return found


def _references(box: Box) -> list[tuple[int, int, int]]:
    """Return for each entry whether it leads to another index, its offset in the file, and its size."""
    version, _, body = full_box(box, 20 + (8 if box.body[:1] == b"\1" else 0))
    (first,) = struct.unpack_from(">Q" if version else ">I", body, 16 if version else 12)
    at = 24 if version else 16
    (count,) = struct.unpack_from(">H", body, at + 2)
    at += 4
    if len(body) < at + count * _REFERENCE.size:
        raise SignalingError(f"box sidx at byte {box.start} is too short for its {count} entries")
    offset, found = box.start + len(box.raw) + first, []
    for number in range(count):
        word, _, _ = _REFERENCE.unpack_from(body, at + number * _REFERENCE.size)
        found.append((word >> 31, offset, word & 0x7FFFFFFF))
        offset += word & 0x7FFFFFFF
    return found


def scan(access: Access, file: Reference) -> Index:
    """Find the initialization segment and the segments of a file that no manifest divides.

    An index in the file divides it; without one, every fragment (`moof` and what follows up to the next) is a segment.

    Raises:
        SignalingError: it is no MP4 file, or breaks its format.
        UnreadableError: it cannot be read.
    """
    boxes = _top_level(access, file)
    starts = [at for kind, at, _ in boxes if kind in {b"sidx", b"moof", b"styp", b"mdat", b"emsg", b"prft"}]
    moov = next((at + size for kind, at, size in boxes if kind == b"moov"), None)
    if moov is None:
        raise SignalingError(
            "there is no box moov: this is no MP4 file",
            hint="a WebM file is divided by its index: SegmentBase@indexRange",
        )
    if not starts:
        return Index((0, boxes[-1][1] + boxes[-1][2]), ())
    segments: list[tuple[int, int]] = []
    while boxes:
        # An index may list the next fragment alone, and another stand before the one after it.
        found = _divided(access, file, boxes)
        segments += found
        if len(segments) > _MOST:
            raise SignalingError(f"the file has more than {_MOST} segments")
        kind, at, size = boxes[-1]
        boxes = _top_level(access, file, max([at + size, *map(sum, found[-1:])])) if kind == b"sidx" else []
    return Index((0, moov), tuple(segments))


def _divided(access: Access, file: Reference, boxes: list[tuple[bytes, int, int]]) -> list[tuple[int, int]]:
    """Return the fragments among boxes, and what an index at their end lists."""
    kind, last, size = boxes[-1]
    end = last if kind == b"sidx" else last + size
    fragments = [at for kind, at, _ in boxes if kind == b"moof"]
    found = [(at, stop - at) for at, stop in zip(fragments, [*fragments[1:], end][: len(fragments)], strict=True)]
    return [*found, *index_of(access, Reference(file.location, last, size))] if kind == b"sidx" else found


def _top_level(access: Access, file: Reference, start: int = 0) -> list[tuple[bytes, int, int]]:
    """Return type, offset and size of the boxes at the top of a file, up to its end or to its next index."""
    found: list[tuple[bytes, int, int]] = []
    at, size = start, access.size(file.location)
    base, window = start, b""
    while (size is None or at < size) and len(found) < _MOST_BOXES:
        if at + _HEADER > base + len(window):
            try:
                window = access.read(Reference(file.location, at), most=_FIRST, what="the file", cut=True)
            except UnreadableError:
                if not (found or start) or size is not None:
                    raise
                break  # a server that knows ranges refuses one behind the end
            base = at
        head = window[at - base : at - base + _HEADER]
        if len(head) < 8:  # noqa: PLR2004 - the length of a box header
            break
        length, kind = struct.unpack_from(">I4s", head)
        if length == 1 and len(head) == _HEADER:
            (length,) = struct.unpack_from(">Q", head, 8)
        length = length or (size - at if size is not None else len(window))
        if length < 8 or (size is not None and at + length > size):  # noqa: PLR2004 - the length of a box header
            raise SignalingError(f"a box at byte {at} claims {length} bytes, and the file ends before")
        found.append((kind, at, length))
        at += length
        if kind == b"sidx":
            break
    if not found and not start:
        raise SignalingError("the file is empty")
    return found
