"""Walks the boxes of an ISO base media file strictly (ISO/IEC 14496-12, clause 4.2)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from drmkit.errors import SignalingError

__all__ = ["Box", "children", "find", "full_box", "only", "top_level"]

_SHORT, _LONG = 8, 16
_LARGEST = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Box:
    """A box: its four-character type, and where it stands.

    Attributes:
        kind: the type, four bytes.
        start: offset of the box, in bytes from the start of the file.
        body: what follows the box's header.
        raw: the whole box.
    """

    kind: bytes
    start: int
    body: bytes
    raw: bytes

    @property
    def name(self) -> str:
        """The type as text, for messages."""
        return _text(self.kind)

    @property
    def body_start(self) -> int:
        """Offset of the body, in bytes from the start of the file."""
        return self.start + len(self.raw) - len(self.body)


def children(data: bytes, start: int = 0) -> Iterator[Box]:
    """Yield the boxes that fill `data` from its first byte to its last.

    Args:
        data: the body of a container box.
        start: offset of `data` in the file, for messages and for `Box.start`.

    Raises:
        SignalingError: a box is cut short, or claims more bytes than there are.
    """
    at = 0
    while at < len(data):
        kind, header, size = _header(data[at : at + _LONG], start + at)
        # Size 0, "to the end of the file", is for the top level alone.
        if size < header or size > len(data) - at:
            raise _misfit(kind, start + at, size, len(data) - at)
        raw = data[at : at + size]
        yield Box(kind, start + at, raw[header:], raw)
        at += size


def top_level(file: BinaryIO, wanted: frozenset[bytes]) -> Iterator[Box]:
    """Yield the top-level boxes of the wanted types; the others are skipped unread.

    Args:
        file: a seekable file, from its start.
        wanted: the types to yield.

    Raises:
        SignalingError: a box is cut short, or one that is wanted is larger than 64 MiB.
    """
    end, at = file.seek(0, 2), 0
    while at < end:
        file.seek(at)
        kind, header, size = _header(file.read(_LONG), at)
        size = size or end - at
        if size < header or size > end - at:
            raise _misfit(kind, at, size, end - at)
        if kind in wanted:
            if size > _LARGEST:
                raise SignalingError(f"box {_text(kind)} at byte {at} is larger than {_LARGEST} bytes")
            file.seek(at)
            raw = file.read(size)
            yield Box(kind, at, raw[header:], raw)
        at += size


def find(box: Box, *path: bytes) -> list[Box]:
    """Return the descendants of a container box at the end of a path of types, in order.

    Args:
        box: a box whose body is nothing but boxes, as are those on the path.
        path: the types from child to grandchild.
    """
    found = [box]
    for kind in path:
        found = [inner for outer in found for inner in children(outer.body, outer.body_start) if inner.kind == kind]
    return found


def only(boxes: list[Box], what: str) -> Box | None:
    """Return the single box of a list, or None if it is empty.

    Raises:
        SignalingError: there are several, where the format allows one.
    """
    if len(boxes) > 1:
        raise SignalingError(f"{what} holds {len(boxes)} boxes {boxes[0].name}, where one is allowed")
    return boxes[0] if boxes else None


def full_box(box: Box, least: int) -> tuple[int, int, bytes]:
    """Return version, flags and payload of a full box.

    Args:
        box: the box.
        least: the bytes that the payload must have at least.

    Raises:
        SignalingError: the box is too short.
    """
    if len(box.body) < 4 + least:
        raise SignalingError(f"box {box.name} at byte {box.start} is too short: {len(box.body)} bytes")
    (word,) = struct.unpack_from(">I", box.body)
    return word >> 24, word & 0xFFFFFF, box.body[4:]


def _header(head: bytes, at: int) -> tuple[bytes, int, int]:
    """Return the type, the length of the header and the stated size of a box."""
    if len(head) < _SHORT:
        raise SignalingError(
            f"{len(head)} bytes at byte {at} are too few for a box",
            hint="the file is truncated, or something was appended to it",
        )
    size, kind = struct.unpack_from(">I4s", head)
    if size != 1:
        return kind, _SHORT, size
    if len(head) < _LONG:
        raise SignalingError(f"box {_text(kind)} at byte {at} is cut short within its size")
    (size,) = struct.unpack_from(">Q", head, _SHORT)
    # 0 means "to the end" only in the short size, and may not pass for it.
    return kind, _LONG, size or 1


def _misfit(kind: bytes, at: int, size: int, left: int) -> SignalingError:
    return SignalingError(
        f"box {_text(kind)} at byte {at} claims {size} bytes, {left} are left",
        hint="the file is truncated, or is no MP4 file",
    )


def _text(kind: bytes) -> str:
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in kind.decode("latin-1"))
