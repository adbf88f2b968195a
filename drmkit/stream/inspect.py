"""Reads what an MP4 file says about its encryption: scheme, default key ID, IVs and PSSH boxes."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from drmkit.errors import InputError, SignalingError
from drmkit.signaling.mp4boxes import Box, find, top_level
from drmkit.signaling.pssh import PsshBox, parse_one
from drmkit.stream.entries import SampleEntry, sample_entries, with_first_iv

__all__ = ["Inspection", "inspect_bytes", "inspect_file"]

_TOP = frozenset({b"moov", b"moof"})


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a file says: its sample entries, and the PSSH boxes of its `moov` box and of its first fragment."""

    entries: tuple[SampleEntry, ...]
    pssh: tuple[PsshBox, ...]
    fragment_pssh: tuple[PsshBox, ...]


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
    return Inspection(tuple(entries), _pssh(moov), _pssh(moof) if moof else ())


def _pssh(container: Box) -> tuple[PsshBox, ...]:
    return tuple(parse_one(box.raw) for box in find(container, b"pssh"))
