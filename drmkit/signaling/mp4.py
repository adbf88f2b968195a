"""Finds the PSSH boxes of MP4 files and init segments, in `moov` and in every `moof` (ISO/IEC 14496-12, clause 4.2)."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, TypeAlias

from drmkit.errors import SignalingError
from drmkit.signaling.mp4boxes import Box, children, top_level
from drmkit.signaling.pssh import PsshBox, parse_one

__all__ = ["TOP_LEVEL", "Found", "FoundBox", "find_boxes", "looks_like_mp4", "survey_boxes"]

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
_MAX_PSSH = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class FoundBox:
    """A PSSH box and where it stands, such as `moov/pssh at byte 1234`."""

    where: str
    box: PsshBox


Found: TypeAlias = FoundBox | SignalingError
"""A box, or why there is none at a place where one should be."""


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
    found = []
    for item in survey_boxes(source):
        if isinstance(item, SignalingError):
            raise item
        found.append(item)
    return found


def survey_boxes(source: bytes | BinaryIO) -> Iterator[Found]:
    """Yield every PSSH box of an MP4 file in the order of the file, and an error for each that cannot be read.

    Where a box goes past the end of what it stands in, nothing behind it can be found: that error is the last.

    Args:
        source: the bytes, or a seekable binary stream; media data is skipped, not read.
    """
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    try:
        for box in top_level(stream, _CONTAINERS | {_PSSH}):
            if box.kind == _PSSH:
                yield _read(box, "")
            else:
                inner = children(box.body, box.body_start)
                yield from (_read(child, f"{box.name}/") for child in inner if child.kind == _PSSH)
    except SignalingError as error:
        yield error


def _read(box: Box, path: str) -> Found:
    where = f"{path}pssh at byte {box.start}"
    if len(box.raw) > _MAX_PSSH:
        return SignalingError(f"{where}: {len(box.raw)} bytes are too many for a PSSH box")
    try:
        return FoundBox(where, parse_one(box.raw))
    except SignalingError as error:
        return SignalingError(f"{where}: {error.message}", hint=error.hint)
