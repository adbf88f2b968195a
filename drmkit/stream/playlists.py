"""Reads the HLS media playlists that Shaka Packager writes, and writes them as they should be (RFC 8216)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from drmkit.errors import PackagingError
from drmkit.stream.naming import relative

__all__ = ["MediaPlaylist", "Segment", "parse_attributes", "parse_media"]

_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"]*"|[^",]*)(?:,|$)')
_RANGE = re.compile(r"(\d+)(?:@(\d+))?")
_VERSION = 6


@dataclass(frozen=True, slots=True)
class Segment:
    """A media segment.

    Attributes:
        uri: its file, as a path below the stream's folder.
        seconds: its length.
        size: its bytes.
        offset: where it starts in a file that holds several, or None where it is the whole file.
    """

    uri: str
    seconds: float
    size: int | None = None
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class MediaPlaylist:
    """A media playlist of a finished stream.

    Attributes:
        target: the target duration in seconds.
        segments: the media segments, in their order.
        map: the initialization section; None for MPEG-TS.
    """

    target: int
    segments: tuple[Segment, ...]
    map: Segment | None = None

    @property
    def average(self) -> int:
        """Bits per second over the whole stream."""
        seconds = sum(segment.seconds for segment in self.segments)
        return round(sum(segment.size or 0 for segment in self.segments) * 8 / seconds) if seconds else 0

    @property
    def peak(self) -> int:
        """Bits per second of the segment that has most; segments too short to count are left out (clause 4.3.4.2)."""
        counted = [segment for segment in self.segments if segment.seconds >= self.target / 2] or self.segments
        return max((round((item.size or 0) * 8 / item.seconds) for item in counted if item.seconds), default=0)

    def render(self, path: str, keys: Sequence[str] = ()) -> str:
        """Return the playlist's text.

        Args:
            path: where the playlist stands below the stream's folder.
            keys: key tags for all segments; an initialization section stands before them, in the clear.
        """
        lines = [
            "#EXTM3U",
            f"#EXT-X-VERSION:{_VERSION}",
            f"#EXT-X-TARGETDURATION:{self.target}",
            "#EXT-X-MEDIA-SEQUENCE:0",
            "#EXT-X-PLAYLIST-TYPE:VOD",
        ]
        if self.map:
            span = f',BYTERANGE="{_span(self.map)}"' if self.map.offset is not None else ""
            lines.append(f'#EXT-X-MAP:URI="{relative(self.map.uri, path)}"{span}')
        lines += keys
        for segment in self.segments:
            lines.append(f"#EXTINF:{segment.seconds:.3f},")
            if segment.offset is not None:
                lines.append(f"#EXT-X-BYTERANGE:{_span(segment)}")
            lines.append(relative(segment.uri, path))
        return "\n".join([*lines, "#EXT-X-ENDLIST", ""])


def parse_media(text: str) -> MediaPlaylist:
    """Read a media playlist that the packager wrote; its key tags are passed over.

    Raises:
        PackagingError: the playlist is not as the packager writes it.
    """
    target, seconds, span, begin = 0, 0.0, "", 0
    initial: Segment | None = None
    segments: list[Segment] = []
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name == "#EXT-X-TARGETDURATION":
            target = int(value)
        elif name == "#EXT-X-MAP":
            said = parse_attributes(value)
            initial = _ranged(Segment(said.get("URI", "").strip('"'), 0), said.get("BYTERANGE", "").strip('"'), 0)
        elif name == "#EXTINF":
            seconds = float(value.rstrip(","))
        elif name == "#EXT-X-BYTERANGE":
            span = value
        elif line and not line.startswith("#"):
            segment = _ranged(Segment(line, seconds), span, begin)
            segments.append(segment)
            begin, span = (segment.offset or 0) + (segment.size or 0), ""
    if not segments or not target:
        raise PackagingError("the packager wrote an HLS playlist without segments")
    return MediaPlaylist(target, tuple(segments), initial)


def parse_attributes(text: str) -> dict[str, str]:
    """Return the attributes of a tag, their values as they stand, in quotes or without."""
    return dict(_ATTRIBUTE.findall(text))


def _ranged(segment: Segment, span: str, begin: int) -> Segment:
    match = _RANGE.fullmatch(span)
    if not match:
        return segment
    # Without an offset, a range follows the one before it (clause 4.3.2.2).
    return replace(segment, size=int(match[1]), offset=int(match[2]) if match[2] else begin)


def _span(segment: Segment) -> str:
    return f"{segment.size}@{segment.offset}"
