"""Finds the PSSH boxes of MP4 files and init segments, in `moov` and in every `moof` (ISO/IEC 14496-12, clause 4.2)."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from drmkit.errors import SignalingError
from drmkit.signaling.pssh import PsshBox, parse_one

__all__ = ["TOP_LEVEL", "FoundBox", "find_boxes", "looks_like_mp4"]

TOP_LEVEL = frozenset(
    {
        b"ftyp",
        b"styp",
        b"moov",
        b"moof",
        b"mdat",
        b"sidx",
        b"ssix",
        b"free",
        b"skip",
        b"wide",
        b"emsg",
        b"prft",
        b"uuid",
        b"meta",
        b"pdin",
    }
)
_CONTAINERS = frozenset({b"moov", b"moof"})
_PSSH = b"pssh"
_HEADER = struct.Struct(">I4s")
_LARGE = struct.Struct(">Q")
_MAX_PSSH = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class FoundBox:
    """A PSSH box and where it stands, such as `moov/pssh at byte 1234`."""

    where: str
    box: PsshBox


@dataclass(frozen=True, slots=True)
class _Span:
    kind: bytes
    start: int
    body: int
    end: int


def looks_like_mp4(data: bytes) -> bool:
    """Say whether bytes begin as an MP4 file or segment does."""
    return data[4:8] in TOP_LEVEL


def find_boxes(source: bytes | BinaryIO) -> list[FoundBox]:
    """Return every PSSH box of an MP4 file in the order of the file.

    Args:
        source: the bytes, or a seekable binary stream; media data is skipped, not read.

    Raises:
        SignalingError: a box goes past the end of what it stands in, or a PSSH box does not parse.
    """
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    end = stream.seek(0, io.SEEK_END)
    found = []
    for span in _walk(stream, 0, end, ""):
        if span.kind == _PSSH:
            found.append(_read(stream, span, ""))
        elif span.kind in _CONTAINERS:
            name = span.kind.decode("ascii")
            inner = _walk(stream, span.body, span.end, f"{name}/")
            found += [_read(stream, child, f"{name}/") for child in inner if child.kind == _PSSH]
    return found


def _read(stream: BinaryIO, span: _Span, path: str) -> FoundBox:
    where = f"{path}pssh at byte {span.start}"
    if span.end - span.start > _MAX_PSSH:
        raise SignalingError(f"{where}: {span.end - span.start} bytes are too many for a PSSH box")
    stream.seek(span.start)
    try:
        return FoundBox(where, parse_one(stream.read(span.end - span.start)))
    except SignalingError as error:
        raise SignalingError(f"{where}: {error.message}", hint=error.hint) from None


def _walk(stream: BinaryIO, start: int, end: int, path: str) -> Iterator[_Span]:
    at = start
    while at < end:
        span = _span(stream, at, end, path)
        yield span
        at = span.end


def _span(stream: BinaryIO, at: int, end: int, path: str) -> _Span:
    stream.seek(at)
    head = stream.read(min(_HEADER.size + _LARGE.size, end - at))
    where = f"{path or 'MP4 '}box at byte {at}"
    if len(head) < _HEADER.size:
        raise SignalingError(
            f"{where}: {end - at} bytes are left, and a box header has {_HEADER.size}",
            hint="the file is truncated, or something was appended to it",
        )
    size, kind = _HEADER.unpack_from(head)
    body = at + _HEADER.size
    if size == 1:
        if len(head) < _HEADER.size + _LARGE.size:
            raise SignalingError(f"{where}: the 64-bit box size is truncated")
        size, body = _LARGE.unpack_from(head, _HEADER.size)[0], body + _LARGE.size
    elif size == 0:
        size = end - at
    if at + size < body or at + size > end:
        raise SignalingError(
            f"{where}: the size {size} of {kind!r} does not fit, {end - at} bytes are left",
            hint="the file is truncated, or is no MP4 file",
        )
    return _Span(kind, at, body, at + size)
