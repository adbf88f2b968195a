"""Looks whether every segment of a local track is there, also those that are not read: that costs next to nothing."""

from __future__ import annotations

from collections.abc import Iterator

from drmkit.errors import InputError
from drmkit.stream.check.access import Access, Location, UnreadableError
from drmkit.stream.check.collector import Collector
from drmkit.stream.check.presentation import Segment, StreamTrack

__all__ = ["check_presence"]

_MOST = 20_000
_SHOWN = 6


def check_presence(track: StreamTrack, access: Access, collector: Collector) -> None:
    """Find segments whose file is missing or ends too early; one finding tells of all.

    Nothing is asked of a server, and of a manifest that names more than 20,000 segments the first are looked at.

    Args:
        track: the track.
        access: says how large files are.
        collector: takes the finding.
    """
    if access.manifest.remote or collector.has("segment-unreadable", track.name):
        return
    sizes: dict[Location, int | None] = {}
    lost = [(segment, words) for segment in _segments(track) if (words := _fault(segment, access, sizes))]
    if lost:
        numbers = ", ".join(str(segment.index) for segment, _ in lost[:_SHOWN]) + (
            ", ..." if len(lost) > _SHOWN else ""
        )
        words = f"segment{'s' if len(lost) > 1 else ''} {numbers}: {lost[0][1]}"
        collector.add("segment-unreadable", words, track=track.name, place=lost[0][0].place)


def _segments(track: StreamTrack) -> Iterator[Segment]:
    for index in range(min(len(track.segments), _MOST)):
        try:
            yield track.segments[index]
        except InputError:
            return  # a name that cannot be followed is found where it is read


def _fault(segment: Segment, access: Access, sizes: dict[Location, int | None]) -> str:
    location, media = segment.media.location, segment.media
    if location not in sizes:
        try:
            sizes[location] = access.size(location)
        except UnreadableError:
            sizes[location] = -1
    size = sizes[location]
    if size == -1:
        return f"{access.name(location)} does not exist"
    if size is not None and media.length is not None and (media.start or 0) + media.length > size:
        return f"{access.name(location)} ends at byte {size}, before the end of the range"
    return ""
