"""Protection System Specific Header boxes: parsed strictly, rebuilt byte for byte (ISO/IEC 23001-7, clause 8.1)."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from drmkit.errors import SignalingError
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.signaling import encodings

__all__ = ["PsshBox", "build", "from_base64", "from_hex", "iterate", "parse", "parse_one"]

_TYPE = b"pssh"
_HEADER = struct.Struct(">I4s")
_U32 = struct.Struct(">I")
_U64 = struct.Struct(">Q")
_LARGE = 1
_TO_END = 0
_MAX_32 = 0xFFFFFFFF
_MAX_FLAGS = 0xFFFFFF
_ID_SIZE = 16
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_FULL_BOX = 4
_NEWEST_VERSION = 1


@dataclass(frozen=True, slots=True)
class PsshBox:
    """One `pssh` box.

    Args:
        system_id: the DRM system's ID, a UUID; kept in lower case.
        version: 0, or 1 for a box that lists key IDs itself.
        key_ids: the key IDs that a version 1 box lists, in their order; empty for version 0.
        data: the system's own bytes, opaque here.
        flags: the 24 flag bits, 0 in every box that is known in practice.
        large_size: write the 64-bit form of the box size even where 32 bits would do.

    Raises:
        SignalingError: the parts contradict each other or the box format.
    """

    system_id: str
    version: int = 0
    key_ids: tuple[KeyId, ...] = ()
    data: bytes = b""
    flags: int = 0
    large_size: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "system_id", _system_id(self.system_id))
        object.__setattr__(self, "key_ids", tuple(self.key_ids))
        if self.version not in range(_NEWEST_VERSION + 1):
            raise SignalingError(f"PSSH box version {self.version} is unknown", hint="versions 0 and 1 exist")
        if self.version == 0 and self.key_ids:
            raise SignalingError(
                "a version 0 PSSH box lists no key IDs of its own",
                hint="use version 1, or put the key IDs into the system's data",
            )
        if self.flags not in range(_MAX_FLAGS + 1):
            raise SignalingError(f"PSSH box flags are 24 bits, not {self.flags}")

    @property
    def system(self) -> DrmSystem | None:
        """The DRM system, or None for an ID that drmkit does not know by name."""
        return DrmSystem.find(self.system_id)

    def to_bytes(self) -> bytes:
        """Return the whole box."""
        body = b"".join(self._body())
        size = _HEADER.size + len(body)
        if self.large_size or size > _MAX_32:
            return _HEADER.pack(_LARGE, _TYPE) + _U64.pack(size + _U64.size) + body
        return _HEADER.pack(size, _TYPE) + body

    def to_base64(self) -> str:
        """Return the whole box as standard base64."""
        return encodings.to_base64(self.to_bytes())

    def _body(self) -> Iterable[bytes]:
        yield _U32.pack(self.version << 24 | self.flags)
        yield bytes.fromhex(self.system_id.replace("-", ""))
        if self.version:
            yield _U32.pack(len(self.key_ids))
            yield from (kid.raw for kid in self.key_ids)
        yield _U32.pack(len(self.data))
        yield self.data


class _Reader:
    """Read a box front to back; whatever is missing or left over is an error that says where."""

    def __init__(self, data: bytes, start: int, end: int, where: str) -> None:
        self.data = data
        self.at = start
        self.end = end
        self.where = where

    def take(self, size: int, what: str) -> bytes:
        if size > self.end - self.at:
            raise SignalingError(
                f"{self.where}: {what} needs {size} bytes at byte {self.at}, {self.end - self.at} are left",
                hint="the box is truncated, or one of its lengths is wrong",
            )
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, what: str) -> int:
        value: int = _U32.unpack(self.take(_U32.size, what))[0]
        return value


def parse(data: bytes | bytearray | memoryview) -> list[PsshBox]:
    """Parse one or more PSSH boxes that stand in a row and fill `data` exactly.

    Args:
        data: whole boxes, with 32-bit or 64-bit sizes; text is for `from_base64` and `from_hex`.

    Returns:
        The boxes in their order; `build` makes the same bytes of them again.

    Raises:
        SignalingError: a byte is missing, left over or impossible; the message says which.
    """
    if not data:
        raise SignalingError("there is no PSSH box: the input is empty", hint="write the box, or leave its place out")
    return list(iterate(data))


def iterate(data: bytes | bytearray | memoryview) -> Iterator[PsshBox]:
    """Yield the boxes of a row as `parse` reads them; those before one that cannot be read come before its error."""
    try:
        data = bytes(data)
    except TypeError:
        raise SignalingError("PSSH boxes are bytes, not text", hint="from_base64 and from_hex read text") from None
    at = number = 0
    while at < len(data):
        number += 1
        box, at = _parse_at(data, at, number)
        yield box


def parse_one(data: bytes | bytearray | memoryview) -> PsshBox:
    """Parse exactly one PSSH box.

    Raises:
        SignalingError: the bytes are no box, or more than one.
    """
    boxes = parse(data)
    if len(boxes) > 1:
        raise SignalingError(f"one PSSH box is expected here, not {len(boxes)}")
    return boxes[0]


def from_base64(text: str) -> list[PsshBox]:
    """Parse PSSH boxes written as standard base64."""
    return parse(encodings.from_base64(text, "the PSSH box"))


def from_hex(text: str) -> list[PsshBox]:
    """Parse PSSH boxes written as hexadecimal digits."""
    return parse(encodings.from_hex(text, "the PSSH box"))


def build(boxes: Iterable[PsshBox]) -> bytes:
    """Return the boxes one after the other."""
    return b"".join(box.to_bytes() for box in boxes)


def _parse_at(data: bytes, start: int, index: int) -> tuple[PsshBox, int]:
    where = f"PSSH box {index} at byte {start}"
    head = _Reader(data, start, len(data), where)
    size, kind = _HEADER.unpack(head.take(_HEADER.size, "the box header"))
    if kind != _TYPE:
        raise SignalingError(
            f"{where}: the box type is {kind!r}, not {_TYPE!r}",
            hint="pass whole PSSH boxes; bytes of a system's own header are no box",
        )
    large = size == _LARGE
    if large:
        size = _U64.unpack(head.take(_U64.size, "the 64-bit box size"))[0]
    end = _end(data, start, head.at, size, where)
    return _parse_body(_Reader(data, head.at, end, where), large=large), end


def _end(data: bytes, start: int, body: int, size: int, where: str) -> int:
    if size == _TO_END:
        raise SignalingError(
            f"{where}: box size 0 (up to the end of the file) does not occur in a PSSH box",
            hint="write the real size",
        )
    end: int = start + size
    if end < body:
        raise SignalingError(f"{where}: box size {size} is smaller than the box header")
    if end > len(data):
        raise SignalingError(
            f"{where}: box size {size} goes {end - len(data)} bytes past the end of the input",
            hint="the box is truncated, or its size is wrong",
        )
    return end


def _parse_body(body: _Reader, *, large: bool) -> PsshBox:
    word = body.number("version and flags")
    version = word >> 24
    if version > _NEWEST_VERSION:
        raise SignalingError(f"{body.where}: version {version} is unknown", hint="versions 0 and 1 exist")
    digits = body.take(_ID_SIZE, "the system ID").hex()
    system_id = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
    key_ids = _parse_key_ids(body) if version else ()
    payload = body.take(body.number("the data size"), "the data")
    if body.at != body.end:
        raise SignalingError(
            f"{body.where}: {body.end - body.at} bytes are left over after the data, at byte {body.at}",
            hint="the box size and the data size contradict each other",
        )
    return PsshBox(system_id, version, key_ids, payload, word & _MAX_FLAGS, large)


def _parse_key_ids(body: _Reader) -> tuple[KeyId, ...]:
    count = body.number("the key ID count")
    raw = body.take(count * _ID_SIZE, f"a list of {count} key IDs")
    return tuple(KeyId(raw[at : at + _ID_SIZE]) for at in range(0, len(raw), _ID_SIZE))


def _system_id(text: str) -> str:
    if not isinstance(text, str) or not _UUID.fullmatch(text):
        raise SignalingError(f"a DRM system ID is a UUID of 8-4-4-4-12 hexadecimal digits, not {text!r}")
    return text.lower()
