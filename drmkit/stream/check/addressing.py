"""How DASH names segments: templates, timelines, lists, single files (ISO/IEC 23009-1, clause 5.3.9)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import overload

from lxml import etree

from drmkit.errors import SignalingError
from drmkit.signaling import xml
from drmkit.stream.check.presentation import Segment

__all__ = ["Inherited", "LazySegments", "Timeline", "byte_range", "number_of", "template", "timeline"]

_IDENTIFIER = re.compile(r"\$(RepresentationID|Number|Time|Bandwidth|SubNumber)?(?:%0(\d{1,9})d)?\$")
_RANGE = re.compile(r"(\d{1,18})-(\d{1,18})?")
_WIDEST = 20
_MOST_ENTRIES = 100_000
_MOST_SEGMENTS = 10_000_000


class LazySegments(Sequence[Segment]):
    """Segments that are made as they are asked for: a manifest of one line can name millions.

    Args:
        count: how many there are.
        make: returns the segment of an index.
    """

    def __init__(self, count: int, make: Callable[[int], Segment]) -> None:
        self._count, self._make = count, make

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Segment: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Segment]: ...
    def __getitem__(self, index: int | slice) -> Segment | Sequence[Segment]:
        """Return one segment, or some."""
        if isinstance(index, slice):
            return [self._make(at) for at in range(*index.indices(self._count))]
        if not -self._count <= index < self._count:
            raise IndexError(index)
        return self._make(index % self._count)


@dataclass(frozen=True, slots=True)
class Inherited:
    """The elements of one name (such as SegmentTemplate) from Period to Representation, the outermost first."""

    elements: tuple[etree._Element, ...]

    def get(self, name: str) -> str | None:
        """Return an attribute: that of the innermost element that has it."""
        return next((value for e in reversed(self.elements) if (value := e.get(name)) is not None), None)

    def child(self, name: str) -> etree._Element | None:
        """Return a child element: that of the innermost element that has one."""
        return next(
            (child for e in reversed(self.elements) for child in e if xml.local_name(child) == name), None
        )  # fmt: skip

    @property
    def line(self) -> int:
        """The line of the innermost element."""
        return xml.line_of(self.elements[-1]) if self.elements else 0


@dataclass(frozen=True, slots=True)
class Timeline:
    """Runs of segments of one length: for each its first index, start time, length and count."""

    runs: tuple[tuple[int, int, int, int], ...]

    @property
    def count(self) -> int:
        """How many segments there are."""
        return self.runs[-1][0] + self.runs[-1][3] if self.runs else 0

    def start(self, index: int) -> int:
        """Return the start time of a segment, in units of the timescale."""
        low, high = 0, len(self.runs) - 1
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.runs[middle][0] <= index else (low, middle - 1)
        first, time, length, _ = self.runs[low]
        return time + (index - first) * length


def number_of(text: str | None, default: int, what: str) -> int:
    """Read an unsigned integer.

    Raises:
        SignalingError: it is none, or has more than 18 digits.
    """
    if text is None:
        return default
    if not re.fullmatch(r"[0-9]{1,18}", text.strip()):
        raise SignalingError(f"{what} is no unsigned integer: {text[:40]!r}")
    return int(text)


def timeline(element: etree._Element, end: int | None) -> Timeline:
    """Read a SegmentTimeline.

    Args:
        element: the element.
        end: the end of the period, in units of the timescale, for `r="-1"`; None where it is not known.

    Raises:
        SignalingError: an entry is malformed, or names more segments than can be.
    """
    entries = [child for child in element if xml.local_name(child) == "S"]
    if len(entries) > _MOST_ENTRIES:
        raise SignalingError(f"SegmentTimeline has more than {_MOST_ENTRIES} entries")
    runs: list[tuple[int, int, int, int]] = []
    index = time = 0
    for number, entry in enumerate(entries):
        time = number_of(entry.get("t"), time, "S@t")
        length = number_of(entry.get("d"), 0, "S@d")
        following = entries[number + 1].get("t") if number + 1 < len(entries) else None
        stop = number_of(following, 0, "S@t") if following is not None else end
        count = _count(entry.get("r") or "0", time, length, stop)
        runs.append((index, time, length, count))
        index, time = index + count, time + count * length
        if index > _MOST_SEGMENTS:
            raise SignalingError(f"SegmentTimeline names more than {_MOST_SEGMENTS} segments")
    return Timeline(tuple(runs))


def _count(repeat: str, time: int, length: int, stop: int | None) -> int:
    if not re.fullmatch(r"-?[0-9]{1,18}", repeat.strip()):
        raise SignalingError(f"S@r is no integer: {repeat[:40]!r}")
    if length == 0:
        raise SignalingError("S@d is missing or 0")
    if int(repeat) >= 0:
        return int(repeat) + 1
    return 1 if stop is None else max(1, math.ceil((stop - time) / length))


def template(text: str, *, representation: str, bandwidth: str, number: int | None = None, time: int = 0) -> str:
    """Put the values into a template (clause 5.3.9.4.4).

    Raises:
        SignalingError: it holds an identifier that does not exist, or asks for too many digits.
    """

    def value(match: re.Match[str]) -> str:
        name, width = match[1], int(match[2] or 1)
        if name is None:
            return "$"
        if width > _WIDEST:
            raise SignalingError(f"the template asks for {width} digits")
        if name == "RepresentationID":
            return representation
        if name == "Bandwidth":
            return bandwidth.zfill(width)
        if name == "SubNumber" or (name == "Number" and number is None):
            raise SignalingError(f"${name}$ cannot stand here")
        return str(number if name == "Number" else time).zfill(width)

    made = _IDENTIFIER.sub(value, text)
    if "$" in _IDENTIFIER.sub("", text):
        raise SignalingError(f"the template {text[:80]!r} holds an identifier that is not known")
    return made


def byte_range(text: str | None, what: str) -> tuple[int, int | None] | None:
    """Return the offset and length of `first-last`, or None for no text.

    Raises:
        SignalingError: the text is no byte range.
    """
    if text is None:
        return None
    match = _RANGE.fullmatch(text.strip())
    if match is None or (match[2] is not None and int(match[2]) < int(match[1])):
        raise SignalingError(f"{what} is no byte range: {text[:40]!r}")
    return int(match[1]), None if match[2] is None else int(match[2]) - int(match[1]) + 1
