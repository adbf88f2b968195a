"""Reads a DASH stream: every representation of every period, with its segments and ContentProtection."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction
from itertools import pairwise, zip_longest
from typing import Literal

from lxml import etree

from drmkit.errors import RemoteError, SignalingError
from drmkit.signaling import xml
from drmkit.signaling.dashreader import ContentProtection, parse_root
from drmkit.stream.check.access import Access, Location, Reference, UnreadableError
from drmkit.stream.check.addressing import (
    Inherited,
    LazySegments,
    Timeline,
    byte_range,
    number_of,
    template,
    timeline,
)
from drmkit.stream.check.collector import Collector
from drmkit.stream.check.model import Place
from drmkit.stream.check.presentation import Presentation, Protection, Segment, StreamTrack
from drmkit.stream.check.sidx import index_of, scan
from drmkit.stream.check.webm import clusters_of, is_cues

__all__ = ["read_dash"]

Kind = Literal["video", "audio", "text", "unknown"]
_XLINK = "{http://www.w3.org/1999/xlink}href"
_RESOLVED = "urn:mpeg:dash:resolve-to-zero:2013"
_MOST_TRACKS = 256
_TEXT = ("text/", "application/ttml", "application/x-mpegurl", "image/")
_MOST_SEGMENTS = 10_000_000


@dataclass(frozen=True, slots=True)
class _Level:
    """What holds at one level of the manifest, from outside in.

    Attributes:
        base: where references are resolved against.
        elements: the elements from the MPD down to this level.
    """

    base: Location
    elements: tuple[etree._Element, ...]

    def get(self, name: str) -> str | None:
        """Return an attribute of the innermost of representation and adaptation set that has it."""
        return next((value for e in reversed(self.elements[-2:]) if (value := e.get(name)) is not None), None)

    def inherited(self, name: str) -> Inherited:
        """Return the elements of one name at this level and those above."""
        return Inherited(tuple(c for e in self.elements for c in e if xml.local_name(c) == name))


@dataclass(slots=True)
class _Reader:
    access: Access
    collector: Collector
    now: Callable[[], datetime]
    references: dict[str, etree._Element]
    dynamic: bool = False
    start: datetime | None = None

    def place(self, element: etree._Element) -> Place:
        return Place(self.access.name(self.access.manifest), xml.line_of(element))


def read_dash(
    access: Access, data: bytes, collector: Collector, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Presentation:
    """Read the stream behind a manifest.

    Args:
        access: reads what the manifest names.
        data: the manifest.
        collector: takes the findings.
        now: the time, which decides what a live manifest without timeline has.

    Raises:
        SignalingError: the data is no DASH manifest.
    """
    root = xml.parse(data, "the DASH manifest")
    if xml.local_name(root) != "MPD":
        raise SignalingError(f"the root element is {xml.local_name(root)!r}, not MPD", hint="is it a DASH manifest?")
    named = {e.get("refId"): e for e in root.iter("{*}ContentProtection") if e.get("refId")}
    reader = _Reader(access, collector, now, {key: e for key, e in named.items() if key is not None})
    reader.dynamic = root.get("type") == "dynamic"
    reader.start = _moment(root.get("availabilityStartTime"))
    if reader.dynamic:
        collector.add("manifest-live", "the manifest is dynamic", place=reader.place(root))
    found = Presentation("DASH")
    for track in _tracks(reader, root):
        if len(found.tracks) == _MOST_TRACKS:
            collector.add("limit-reached", f"the first {_MOST_TRACKS} representations were read")
            break
        found.tracks.append(track)
    return found


def _tracks(reader: _Reader, root: etree._Element) -> Iterator[StreamTrack]:
    top = _level(reader, _Level(reader.access.manifest, ()), root)
    periods = _children(root, "Period")
    spans = _spans(root, periods)
    for number, (period, (start, length)) in enumerate(zip(periods, spans, strict=True)):
        prefix = f"{period.get('id') or f'period{number}'}/" if len(periods) > 1 else ""
        if top is None or _linked(reader, period):
            continue
        inner = _level(reader, top, period)
        for group in _children(period, "AdaptationSet"):
            outer = None if inner is None or _linked(reader, group) else _level(reader, inner, group)
            for item in _children(group, "Representation") if outer is not None else ():
                level = _level(reader, outer, item) if outer is not None else None
                if level is not None:
                    yield _track(reader, level, prefix, start, length)


def _children(element: etree._Element, name: str) -> list[etree._Element]:
    return [child for child in element if xml.local_name(child) == name]


def _linked(reader: _Reader, element: etree._Element) -> bool:
    link = element.get(_XLINK)
    if link is None:
        return False
    if link != _RESOLVED:
        reader.collector.add(
            "xlink-not-followed",
            f"{xml.local_name(element)} stands elsewhere (xlink:href), which is not followed",
            place=reader.place(element),
        )
    return True


def _level(reader: _Reader, outer: _Level, element: etree._Element) -> _Level | None:
    """Return the level of an element; None where its BaseURL cannot be followed."""
    elements = (*outer.elements, element)
    bases = _children(element, "BaseURL")
    if not bases:
        return _Level(outer.base, elements)
    try:
        return _Level(_base(reader.access, outer.base, xml.text_of(bases[0]).strip()), elements)
    except UnreadableError as error:
        reader.collector.add(error.rule, f"BaseURL: {error.message}", place=reader.place(bases[0]), hint=error.hint)
        return None


def _base(access: Access, base: Location, text: str) -> Location:
    if not text or text in {".", "./"}:
        return base
    found = access.resolve(base, text)
    # A folder is kept as one: what is resolved against it lies in it, not beside it.
    if not found.remote and text.endswith("/"):
        return Location(found.address.rstrip("/") + "/.", remote=False)
    return found


def _moment(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text.strip()) if text else None
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def _seconds(text: str | None) -> Fraction | None:
    from drmkit.cpix.values import parse_duration  # noqa: PLC0415 - only manifests need it

    if text is None:
        return None
    try:
        length = parse_duration(text)
    except (ValueError, OverflowError):
        return None
    return Fraction(length.days * 86_400 + length.seconds) + Fraction(length.microseconds, 1_000_000)


def _spans(root: etree._Element, periods: Sequence[etree._Element]) -> list[tuple[Fraction, Fraction | None]]:
    """Return start and length of each period in seconds (clause 5.3.2.1)."""
    total = _seconds(root.get("mediaPresentationDuration"))
    starts: list[Fraction] = []
    at = Fraction(0)
    for period in periods:
        stated = _seconds(period.get("start"))
        at = at if stated is None else stated
        starts.append(at)
        at += _seconds(period.get("duration")) or 0
    spans: list[tuple[Fraction, Fraction | None]] = []
    for number, period in enumerate(periods):
        length = _seconds(period.get("duration"))
        end = starts[number + 1] if number + 1 < len(starts) else total
        spans.append((starts[number], length if length is not None else None if end is None else end - starts[number]))
    return spans


def _track(reader: _Reader, level: _Level, prefix: str, start: Fraction, length: Fraction | None) -> StreamTrack:
    item = level.elements[-1]
    place = reader.place(item)
    mime = (level.get("mimeType") or "").lower()
    name = f"{prefix}{item.get('id') or f'line{place.line}'}"
    track = StreamTrack(
        name, _kind(level, mime), place, container=_container(mime, track_kind=level.get("contentType"))
    )
    track.protections = tuple(_protections(reader, level, name))
    with_rate = level.get("bandwidth")
    track.bandwidth = int(with_rate) if with_rate and with_rate.isdigit() and len(with_rate) <= 18 else None  # noqa: PLR2004
    track.fps = _fps(level.get("frameRate"))
    try:
        track.segments = _segments(reader, level, start, length)
        if not len(track.segments):
            reader.collector.add("mpd-broken", "the representation has no segments", track=name, place=place)
    except UnreadableError as error:
        reader.collector.add(error.rule, error.message, track=name, place=place, hint=error.hint)
    except RemoteError as error:
        reader.collector.add("segment-unreadable", error.message, track=name, place=place, hint=error.hint)
    except SignalingError as error:
        if track.container in {"mp4", "unknown"}:
            reader.collector.add("mpd-broken", error.message, track=name, place=place, hint=error.hint)
        elif track.container == "webm":
            words = f"the WebM file could not be divided into segments: {error.message}"
            reader.collector.add("content-unchecked", words, track=name, place=place, hint=error.hint)
    return track


def _kind(level: _Level, mime: str) -> Kind:
    stated = (level.get("contentType") or mime.partition("/")[0]).lower()
    if stated == "video":
        return "video"
    if stated == "audio":
        return "audio"
    return "text" if stated == "text" or mime.startswith(_TEXT) else "unknown"


def _container(mime: str, track_kind: str | None) -> str:
    if mime.startswith(_TEXT):
        return "text"
    names = {"mp4": "mp4", "webm": "webm", "mp2t": "ts"}
    return names.get(mime.partition("/")[2], "text" if track_kind == "text" and not mime else "unknown")


def _fps(text: str | None) -> float | None:
    above, _, below = (text or "").partition("/")
    if not (above.isdigit() and (below.isdigit() or not below)) or len(above + below) > 18:  # noqa: PLR2004
        return None
    return int(above) / int(below or 1) if int(below or 1) else None


def _protections(reader: _Reader, level: _Level, track: str) -> Iterator[Protection]:
    """Yield the elements that hold for a representation: its own, and of the outer ones those of other schemes."""
    own = {e.get("schemeIdUri", "").lower() for e in _children(level.elements[-1], "ContentProtection")}
    for depth, element in enumerate(level.elements[1:], start=2):
        for item in _children(element, "ContentProtection"):
            inner = depth == len(level.elements)
            if inner or item.get("schemeIdUri", "").lower() not in own:
                protection = _protection(reader, item, track)
                if protection is not None:
                    yield protection


def _protection(reader: _Reader, item: etree._Element, track: str) -> Protection | None:
    place = reader.place(item)
    source = item
    wanted = item.get("ref")
    if wanted is not None:
        if wanted not in reader.references:
            reader.collector.add("mpd-ref", f"no element has refId={wanted[:60]!r}", track=track, place=place)
            return None
        source = reader.references[wanted]
    try:
        (read,) = [parse_root(source)[0]]
    except SignalingError as error:
        reader.collector.add("mpd-signaling-broken", error.message, track=track, place=place, hint=error.hint)
        # What can be read still tells that there is protection, and of which system.
        read = ContentProtection(place.line, (source.get("schemeIdUri") or "").strip(), source.get("value"))
    if not read.scheme_id_uri:
        read = replace(read, scheme_id_uri=(item.get("schemeIdUri") or "").strip())
    return Protection(read, place)


def _segments(reader: _Reader, level: _Level, start: Fraction, length: Fraction | None) -> Sequence[Segment]:
    if (given := level.inherited("SegmentTemplate")).elements:
        return _by_template(reader, level, given, start, length)
    if (given := level.inherited("SegmentList")).elements:
        return _by_list(reader, level, given)
    return _by_file(reader, level, level.inherited("SegmentBase"))


def _init(reader: _Reader, level: _Level, given: Inherited) -> Reference | None:
    child = given.child("Initialization")
    if child is None:
        return None
    source = child.get("sourceURL")
    location = level.base if source is None else reader.access.resolve(level.base, source)
    span = byte_range(child.get("range"), "Initialization@range")
    return Reference(location) if span is None else Reference(location, *span)


def _by_template(
    reader: _Reader, level: _Level, given: Inherited, start: Fraction, length: Fraction | None
) -> Sequence[Segment]:
    item = level.elements[-1]
    media = given.get("media")
    if media is None:
        raise SignalingError("SegmentTemplate has no media")
    name, bandwidth = item.get("id") or "", item.get("bandwidth") or ""
    header = given.get("initialization")
    init = _init(reader, level, given)
    if header is not None:
        init = Reference(reader.access.resolve(level.base, template(header, representation=name, bandwidth=bandwidth)))
    first = number_of(given.get("startNumber"), 1, "startNumber")
    times, skipped = _times(reader, given, start, length)
    place = reader.place(given.elements[-1])

    def make(index: int) -> Segment:
        text = template(
            media, representation=name, bandwidth=bandwidth, number=first + skipped + index, time=times.start(index)
        )
        return Segment(Reference(reader.access.resolve(level.base, text)), index, place, init)

    return LazySegments(times.count, make)


def _times(reader: _Reader, given: Inherited, start: Fraction, length: Fraction | None) -> tuple[Timeline, int]:
    """Return the times of the segments, and how many came before the first of them."""
    scale = number_of(given.get("timescale"), 1, "timescale") or 1
    offset = number_of(given.get("presentationTimeOffset"), 0, "presentationTimeOffset")
    listed = given.child("SegmentTimeline")
    if listed is not None:
        return timeline(listed, None if length is None else offset + math.ceil(length * scale)), 0
    each = number_of(given.get("duration"), 0, "duration")
    if not each:
        raise SignalingError("SegmentTemplate has neither SegmentTimeline nor duration")
    if length is not None and not reader.dynamic:
        count = math.ceil(length * scale / each)
        if count > _MOST_SEGMENTS:
            raise SignalingError(f"the period has more than {_MOST_SEGMENTS} segments")
        return Timeline(((0, offset, each, count),)), 0
    if reader.start is None:
        return Timeline(((0, offset, each, 1),)), 0
    # A live stream without timeline: the last segment that is whole (clause 5.3.9.5.3).
    passed = Fraction((reader.now() - reader.start).total_seconds()) - start
    whole = max(1, math.floor(passed * scale / each))
    if length is not None:
        whole = min(whole, max(1, math.ceil(length * scale / each)))
    return Timeline(((0, offset + (whole - 1) * each, each, 1),)), whole - 1


def _by_list(reader: _Reader, level: _Level, given: Inherited) -> Sequence[Segment]:
    init = _init(reader, level, given)
    innermost = next(
        (e for e in reversed(given.elements) if _children(e, "SegmentURL")), given.elements[-1]
    )  # fmt: skip
    found = []
    for index, item in enumerate(_children(innermost, "SegmentURL")):
        source = item.get("media")
        location = level.base if source is None else reader.access.resolve(level.base, source)
        span = byte_range(item.get("mediaRange"), "SegmentURL@mediaRange")
        media = Reference(location) if span is None else Reference(location, *span)
        found.append(Segment(media, index, reader.place(item), init))
    return found


def _by_file(reader: _Reader, level: _Level, given: Inherited) -> Sequence[Segment]:
    place = Place(reader.access.name(reader.access.manifest), given.line or xml.line_of(level.elements[-1]))
    if level.base == reader.access.manifest:
        raise SignalingError("there is neither BaseURL nor SegmentTemplate nor SegmentList")
    init = _init(reader, level, given)
    span = byte_range(given.get("indexRange"), "SegmentBase@indexRange")
    spans: Sequence[tuple[int, int | None]]
    if span is None or init is None:
        found = scan(reader.access, Reference(level.base))
        init = init or (None if found.init is None else Reference(level.base, *found.init))
        spans = found.segments if span is None else index_of(reader.access, Reference(level.base, *span))
    else:
        spans = _indexed(reader.access, init, Reference(level.base, *span))
    return [
        Segment(Reference(level.base, at, size), index, place, init) for index, (at, size) in enumerate(spans)
    ]  # fmt: skip


def _indexed(access: Access, init: Reference, index: Reference) -> Sequence[tuple[int, int | None]]:
    """Return offset and size of each segment that an index lists: a box sidx, or the Cues of WebM."""
    data = access.read(index, what="the index")
    if not is_cues(data):
        return index_of(access, index)
    starts = clusters_of(data, access.read(init, what="the initialization segment"))
    # The last goes on to the end of the file.
    return list(zip_longest(starts, (after - at for at, after in pairwise(starts))))
