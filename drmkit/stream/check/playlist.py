"""Reads HLS playlists line by line (RFC 8216, clause 4), tolerant of what it does not know.

The lines keep their numbers, which a finding needs and which general playlist libraries do not keep.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from drmkit.errors import SignalingError

__all__ = ["Line", "Variables", "attributes", "byte_range", "define", "is_multivariant", "lines", "whole_number"]

_VARIABLE = re.compile(r"\{\$([A-Za-z0-9_-]+)\}")
_ATTRIBUTE = re.compile(r'\s*([A-Z0-9-]+)\s*=\s*("[^"]*"|[^,]*)\s*(?:,|$)')
_RANGE = re.compile(r"(\d{1,18})(?:@(\d{1,18}))?")
_MULTIVARIANT = ("EXT-X-STREAM-INF", "EXT-X-MEDIA", "EXT-X-I-FRAME-STREAM-INF", "EXT-X-SESSION-KEY")
_LARGEST = 16 * 2**20
_MOST_LINES = 500_000


@dataclass(frozen=True, slots=True)
class Line:
    """A line that says something.

    Attributes:
        number: counted from 1.
        tag: the tag's name without `#`, or "" for a URI.
        value: what stands behind the colon, or the URI.
    """

    number: int
    tag: str
    value: str


@dataclass(slots=True)
class Variables:
    """The variables of a playlist, by name, and those that were used without being defined, with their lines."""

    known: dict[str, str] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)


def lines(data: bytes, variables: Variables | None = None) -> Iterator[Line]:
    """Yield the tags and URIs of a playlist, with its variables put in.

    Args:
        data: the playlist.
        variables: those that are known from elsewhere; EXT-X-DEFINE adds to them.

    Raises:
        SignalingError: the data is no playlist, or too large once its variables are put in.
    """
    try:
        text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except UnicodeDecodeError:
        raise SignalingError("it is not UTF-8 text", hint="is it an HLS playlist?") from None
    if not text.startswith("#EXTM3U"):
        raise SignalingError("it does not start with #EXTM3U", hint="is it an HLS playlist?")
    known = variables or Variables()
    size = 0
    for number, raw in enumerate(re.split(r"\r?\n", text), start=1):
        if number > _MOST_LINES:
            raise SignalingError(f"it has more than {_MOST_LINES} lines")
        line = _expand(raw.strip(), known, number) if "{$" in raw else raw.strip()
        size += len(line)
        if size > _LARGEST:
            raise SignalingError("its variables make it larger than 16 MiB")
        if line.startswith("#EXT"):
            tag, _, value = line[1:].partition(":")
            yield Line(number, tag, value)
        elif line and not line.startswith("#"):
            yield Line(number, "", line)


def is_multivariant(data: bytes) -> bool:
    """Say whether a playlist names other playlists."""
    return any(line.tag in _MULTIVARIANT for line in lines(data))


def attributes(text: str) -> dict[str, str]:
    """Return an attribute list by name, values without quotes; where a name stands twice, the first counts."""
    found: dict[str, str] = {}
    for name, value in _ATTRIBUTE.findall(text):
        found.setdefault(name, value.strip().strip('"'))
    return found


def byte_range(text: str) -> tuple[int, int | None]:
    """Return the length and the offset of `length[@offset]`.

    Raises:
        SignalingError: the text is no byte range.
    """
    match = _RANGE.fullmatch(text.strip())
    if match is None:
        raise SignalingError(f"{text[:40]!r} is no byte range", hint="write LENGTH or LENGTH@OFFSET")
    return int(match[1]), None if match[2] is None else int(match[2])


def whole_number(text: str | None) -> int | None:
    """Return a decimal integer of at most 18 digits, or None for anything else."""
    return int(text) if text is not None and re.fullmatch(r"[0-9]{1,18}", text.strip()) else None


def define(variables: Variables, value: str, outer: Mapping[str, str], query: Mapping[str, str]) -> None:
    """Take an EXT-X-DEFINE tag (draft-pantos-hls-rfc8216bis, clause 4.4.2.3).

    Args:
        variables: those of the playlist; the defined one is added.
        value: the tag's attribute list.
        outer: the variables of the multivariant playlist, for IMPORT.
        query: the parameters of the playlist's URL, for QUERYPARAM.
    """
    said = attributes(value)
    if "NAME" in said:
        variables.known[said["NAME"]] = said.get("VALUE", "")
    elif "IMPORT" in said and said["IMPORT"] in outer:
        variables.known[said["IMPORT"]] = outer[said["IMPORT"]]
    elif "QUERYPARAM" in said and said["QUERYPARAM"] in query:
        variables.known[said["QUERYPARAM"]] = query[said["QUERYPARAM"]]


def _expand(line: str, variables: Variables, number: int) -> str:
    def value(match: re.Match[str]) -> str:
        if match[1] not in variables.known:
            variables.unknown.setdefault(match[1], number)
            return match[0]
        return variables.known[match[1]]

    uses = len(_VARIABLE.findall(line))
    longest = max((len(text) for text in variables.known.values()), default=0)
    if uses * longest > _LARGEST:
        raise SignalingError("its variables make it larger than 16 MiB")
    return _VARIABLE.sub(value, line)
