"""Mends what Shaka Packager writes about Opus that came in WebM: the numbers in its `dOps` box."""

from __future__ import annotations

import struct
from pathlib import Path

from drmkit.stream.model import PlannedTrack

__all__ = ["mend_opus"]

_LONGEST = 1 << 20
_HIGHEST = 192_000
# Encapsulation of Opus in ISO Base Media File Format, 4.3.2: Version, OutputChannelCount, PreSkip, InputSampleRate,
# OutputGain. WebM holds them in the order of Ogg (RFC 7845, 5.1), little-endian.
_NUMBERS = {">": struct.Struct(">BBHIh"), "<": struct.Struct("<BBHIh")}


def mend_opus(item: PlannedTrack, file: Path) -> None:
    """Turn the numbers of a track's `dOps` box around where the packager has copied them out of a WebM file.

    Up to version 3.8 it copies them as they are, and browsers refuse the segments. Numbers that are right stay.

    Args:
        item: the track; one of another codec is left alone.
        file: its file, or its initialization segment.
    """
    if item.properties.codec != "opus" or not file.is_file():
        return
    with file.open("r+b") as media:
        head = media.read(_LONGEST)
        at = head.find(b"dOps", 0, max(head.find(b"moof"), 0) or len(head)) + len(b"dOps")
        if at < len(b"dOps") or len(head) < at + _NUMBERS[">"].size:
            return
        if _NUMBERS[">"].unpack_from(head, at)[3] <= _HIGHEST:
            return
        numbers = _NUMBERS["<"].unpack_from(head, at)
        if numbers[3] <= _HIGHEST:
            media.seek(at)
            media.write(_NUMBERS[">"].pack(*numbers))
