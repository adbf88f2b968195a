"""Reads what an MP4 file says about its encryption: scheme, default key ID, IVs and PSSH boxes."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from drmkit.errors import InputError, SignalingError
from drmkit.stream.boxes import Box, children, find, full_box, top_level
from drmkit.stream.entries import SampleEntry, sample_entries, with_first_iv

__all__ = ["Inspection", "Pssh", "SampleEntry", "inspect_bytes", "inspect_file", "read_pssh_boxes"]

_TOP = frozenset({b"moov", b"moof"})


@dataclass(frozen=True, slots=True)
class Pssh:
    """A Protection System Specific Header box (ISO/IEC 23001-7, clause 8.1).

    Attributes:
        system_id: the system ID as a lower-case UUID.
        raw: the whole box.
    """

    system_id: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a file says: its sample entries, and the PSSH boxes of its `moov` box and of its first fragment."""

    entries: tuple[SampleEntry, ...]
    pssh: tuple[Pssh, ...]
    fragment_pssh: tuple[Pssh, ...]


def inspect_file(path: Path) -> Inspection:
    """Read an MP4 file or initialization segment; see `inspect_bytes`.

    Raises:
        InputError: the file cannot be read.
        SignalingError: it is not an MP4 file, or breaks its format.
    """
    try:
        with path.open("rb") as file:
            return _inspect(file)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror})") from None
    except SignalingError as error:
        raise SignalingError(f"{path}: {error.message}", hint=error.hint) from None


def inspect_bytes(data: bytes) -> Inspection:
    """Read an MP4 file, an initialization segment, or one with media segments behind it.

    Raises:
        SignalingError: the bytes are no MP4 file, or break its format.
    """
    return _inspect(io.BytesIO(data))


def read_pssh_boxes(data: bytes) -> tuple[Pssh, ...]:
    """Read one or more PSSH boxes that stand one behind the other and nothing else.

    Raises:
        SignalingError: there is anything but PSSH boxes, or one of them breaks its format.
    """
    boxes = list(children(data))
    for box in boxes:
        if box.kind != b"pssh":
            raise SignalingError(f"a box {box.name} stands where only PSSH boxes may be")
    return tuple(_pssh(box) for box in boxes)


def _inspect(file: BinaryIO) -> Inspection:
    moov: Box | None = None
    moof: Box | None = None
    for box in top_level(file, _TOP):
        if box.kind == b"moov":
            if moov:
                raise SignalingError(f"a second box moov stands at byte {box.start}")
            moov = box
        else:
            moof = moof or box
            if moov:
                break
    if not moov:
        raise SignalingError(
            "there is no box moov: this is no MP4 file and no initialization segment",
            hint="a media segment alone says nothing; give its initialization segment",
        )
    entries = [entry for track in find(moov, b"trak") for entry in sample_entries(track)]
    if moof:
        entries = [with_first_iv(entry, moof) for entry in entries]
    fragment = find(moof, b"pssh") if moof else []
    return Inspection(tuple(entries), tuple(map(_pssh, find(moov, b"pssh"))), tuple(map(_pssh, fragment)))


def _pssh(box: Box) -> Pssh:
    version, _, body = full_box(box, 20)
    at = 16
    if version > 1:
        raise SignalingError(f"the PSSH box at byte {box.start} has version {version}; 0 and 1 are known")
    if version == 1:
        (count,) = struct.unpack_from(">I", body, at)
        at += 4 + 16 * count
    if len(body) < at + 4:
        raise SignalingError(f"the PSSH box at byte {box.start} is too short for its key IDs")
    (size,) = struct.unpack_from(">I", body, at)
    if len(body) != at + 4 + size:
        raise SignalingError(
            f"the PSSH box at byte {box.start} states {size} bytes of data, and {len(body) - at - 4} follow"
        )
    return Pssh(str(UUID(bytes=body[:16])), box.raw)
