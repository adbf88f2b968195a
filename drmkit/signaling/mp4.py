"""Finds the PSSH boxes of MP4 files and init segments, in `moov` and in every `moof` (ISO/IEC 14496-12, clause 4.2)."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import BinaryIO

from drmkit.errors import SignalingError
from drmkit.signaling.mp4boxes import Box, find, top_level
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
_MAX_PSSH = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class FoundBox:
    """A PSSH box and where it stands, such as `moov/pssh at byte 1234`."""

    where: str
    box: PsshBox


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
    found = []
    for box in top_level(stream, _CONTAINERS | {_PSSH}):
        if box.kind == _PSSH:
            found.append(_read(box, ""))
        else:
            found += [_read(child, f"{box.name}/") for child in find(box, _PSSH)]
    return found


def _read(box: Box, path: str) -> FoundBox:
    where = f"{path}pssh at byte {box.start}"
    if len(box.raw) > _MAX_PSSH:
        raise SignalingError(f"{where}: {len(box.raw)} bytes are too many for a PSSH box")
    try:
        return FoundBox(where, parse_one(box.raw))
    except SignalingError as error:
        raise SignalingError(f"{where}: {error.message}", hint=error.hint) from None
