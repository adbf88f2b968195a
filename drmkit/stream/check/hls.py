"""Reads an HLS stream: a multivariant playlist with all media playlists that it names, or one media playlist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

from drmkit.errors import RemoteError, SignalingError
from drmkit.signaling.hlsreader import METHODS, parse_tag
from drmkit.stream.check.access import Access, Location, Reference, UnreadableError
from drmkit.stream.check.collector import Collector
from drmkit.stream.check.model import Place
from drmkit.stream.check.playlist import (
    Line,
    Variables,
    attributes,
    byte_range,
    define,
    is_multivariant,
    lines,
    whole_number,
)
from drmkit.stream.check.presentation import KeyLine, Presentation, Segment, StreamTrack

__all__ = ["read_hls"]

Kind = Literal["video", "audio", "text", "unknown"]
_KINDS: Mapping[str, Kind] = {"AUDIO": "audio", "VIDEO": "video", "SUBTITLES": "text"}
_MOST_PLAYLISTS = 256
_MOST_SEGMENTS = 200_000
_SUFFIXES = {".ts": "ts", ".vtt": "text", ".webvtt": "text", ".ttml": "text"}
_SUFFIXES |= dict.fromkeys((".aac", ".ac3", ".ec3", ".mp3"), "packed")
_SUFFIXES |= dict.fromkeys((".mp4", ".m4s", ".m4v", ".m4a", ".cmfv", ".cmfa"), "mp4")
_KEYFORMAT_VERSION, _MAP_VERSION = 5, 6
_NUMBERS = {"EXT-X-MEDIA-SEQUENCE": "sequence", "EXT-X-VERSION": "version"}
_MARKS = {"EXT-X-ENDLIST": "ended", "EXT-X-GAP": "gap", "EXT-X-PART": "parts", "EXT-X-I-FRAMES-ONLY": "iframes"}


@dataclass(slots=True)
class _Named:
    """A media playlist that a multivariant playlist names."""

    location: Location
    kind: Kind
    place: Place
    fps: float | None = None
    iframes: bool = False


@dataclass(slots=True)
class _Media:
    """What holds while a media playlist is read from its top to its end."""

    access: Access
    collector: Collector
    location: Location
    track: StreamTrack
    iframes: bool = False
    variables: Variables = field(default_factory=Variables)
    query: Mapping[str, str] = field(default_factory=dict)
    outer: Mapping[str, str] = field(default_factory=dict)
    keys: dict[str, KeyLine] = field(default_factory=dict)
    all_keys: list[KeyLine] = field(default_factory=list)
    init: Reference | None = None
    init_keys: tuple[KeyLine, ...] = ()
    range: tuple[int, int | None] | None = None
    ends: dict[Location, int] = field(default_factory=dict)
    segments: list[Segment] = field(default_factory=list)
    sequence: int = 0
    version: int = 1
    needs: int = 1
    ended: bool = False
    gap: bool = False
    parts: bool = False

    def place(self, line: Line) -> Place:
        return Place(self.access.name(self.location), line.number)


def read_hls(access: Access, data: bytes, collector: Collector) -> Presentation:
    """Read the stream behind a playlist.

    Args:
        access: reads what the playlist names.
        data: the playlist, as the manifest's location holds it.
        collector: takes the findings.

    Raises:
        SignalingError: the data is no playlist.
    """
    found = Presentation("HLS")
    if not is_multivariant(data):
        found.tracks.append(_media(access, _Named(access.manifest, "unknown", Place()), data, {}, collector))
        return found
    variables = Variables()
    named: dict[Location, _Named] = {}
    sessions: list[KeyLine] = []
    for line in _defining(data, variables, access.manifest):
        place = Place(access.name(access.manifest), line.number)
        if line.tag == "EXT-X-SESSION-KEY":
            sessions += _key(line, place, "", collector)
        for uri, item in _names(line, place):
            try:
                location = access.resolve(access.manifest, uri)
            except UnreadableError as error:
                collector.add(error.rule, error.message, place=place, hint=error.hint)
            else:
                named.setdefault(location, replace(item, location=location))
    _undefined(variables, access.name(access.manifest), "", collector)
    found.session_keys = tuple(sessions)
    for number, item in enumerate(named.values()):
        if number == _MOST_PLAYLISTS:
            collector.add("limit-reached", f"{len(named)} playlists are named; the first {number} were read")
            break
        track = _playlist(access, item, variables.known, collector)
        if track is not None:
            found.tracks.append(track)
    return found


def _defining(data: bytes, variables: Variables, location: Location) -> Iterator[Line]:
    query = _query(location)
    for line in lines(data, variables):
        if line.tag == "EXT-X-DEFINE":
            define(variables, line.value, {}, query)
        yield line


def _query(location: Location) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(location.address).query)) if location.remote else {}


_PENDING = _Named(Location("", remote=False), "video", Place())


def _names(line: Line, place: Place) -> Iterator[tuple[str, _Named]]:
    """Yield the playlists that a line names; the URI behind EXT-X-STREAM-INF is the only line without a tag."""
    said = attributes(line.value) if line.tag.startswith(("EXT-X-MEDIA", "EXT-X-I-FRAME")) else {}
    if line.tag == "EXT-X-MEDIA" and said.get("URI"):
        yield said["URI"], replace(_PENDING, kind=_KINDS.get(said.get("TYPE", ""), "unknown"), place=place)
    elif line.tag == "EXT-X-I-FRAME-STREAM-INF" and said.get("URI"):
        yield said["URI"], replace(_PENDING, place=place, iframes=True)
    elif not line.tag:
        yield line.value, replace(_PENDING, kind="unknown", place=place)


def _playlist(access: Access, item: _Named, outer: Mapping[str, str], collector: Collector) -> StreamTrack | None:
    name = access.name(item.location)
    try:
        data = access.read_manifest(item.location)
        if is_multivariant(data):
            collector.add("playlist-nested", f"{name} is a multivariant playlist itself", place=item.place)
            return None
        return _media(access, item, data, outer, collector)
    except UnreadableError as error:
        rule = "playlist-unreadable" if error.rule == "segment-unreadable" else error.rule
        collector.add(rule, f"{name}: {error.message}", place=item.place, hint=error.hint)
    except (SignalingError, RemoteError) as error:
        collector.add("playlist-unreadable", f"{name}: {error.message}", place=item.place, hint=error.hint)
    return None


def _media(access: Access, item: _Named, data: bytes, outer: Mapping[str, str], collector: Collector) -> StreamTrack:
    name = access.name(item.location)
    track = StreamTrack(name.removesuffix(".m3u8"), item.kind, Place(name), fps=item.fps, location=item.location)
    state = _Media(access, collector, item.location, track, item.iframes, outer=outer, query=_query(item.location))
    for line in lines(data, state.variables):
        if line.tag == "EXT-X-DEFINE":
            define(state.variables, line.value, outer, state.query)
        elif line.tag:
            _tag(state, line)
        else:
            _segment(state, line)
        if len(state.segments) > _MOST_SEGMENTS:
            raise SignalingError(f"it names more than {_MOST_SEGMENTS} segments")
    track.segments, track.keys = state.segments, tuple(state.all_keys)
    track.container = _container(state)
    _finish(state, name)
    return track


def _finish(state: _Media, name: str) -> None:
    track, collector = state.track, state.collector
    _undefined(state.variables, name, track.name, collector)
    if not state.ended:
        collector.add("manifest-live", f"{name} has no EXT-X-ENDLIST: it goes on", track=track.name, place=track.place)
    if state.parts:
        collector.add("content-unchecked", "partial segments (EXT-X-PART) were not read", track=track.name)
    if state.version < state.needs:
        collector.add(
            "hls-version",
            f"EXT-X-VERSION is {state.version}, and what the playlist uses came with {state.needs}",
            track=track.name,
            place=track.place,
        )


def _tag(state: _Media, line: Line) -> None:
    if line.tag == "EXT-X-KEY":
        _take_key(state, line)
    elif line.tag == "EXT-X-MAP":
        _take_map(state, line)
    elif line.tag == "EXT-X-BYTERANGE":
        try:
            state.range = byte_range(line.value)
        except SignalingError as error:
            state.collector.add("playlist-unreadable", error.message, track=state.track.name, place=state.place(line))
    elif line.tag in _NUMBERS:
        setattr(state, _NUMBERS[line.tag], whole_number(line.value) or 0)
    elif line.tag in _MARKS:
        setattr(state, _MARKS[line.tag], True)


def _take_key(state: _Media, line: Line) -> None:
    for key in _key(line, state.place(line), state.track.name, state.collector):
        if key.key.method == "NONE":
            state.keys.clear()
            continue
        # A tag holds until the next one of its key format (RFC 8216, clause 4.3.2.4).
        state.keys[key.key.keyformat.lower()] = key
        state.all_keys.append(key)
        if key.key.method.startswith("SAMPLE-AES") or key.key.get("KEYFORMAT"):
            state.needs = max(state.needs, _KEYFORMAT_VERSION)


def _key(line: Line, place: Place, track: str, collector: Collector) -> Iterator[KeyLine]:
    try:
        key = parse_tag(f"#{line.tag}:{line.value}")
    except SignalingError as error:
        collector.add("hls-tag-broken", error.message, track=track, place=place, hint=error.hint)
        return
    if key.method not in METHODS:
        collector.add("hls-method-unknown", f"METHOD={key.method[:40]} is not known", track=track, place=place)
    yield KeyLine(key, place)


def _take_map(state: _Media, line: Line) -> None:
    said = attributes(line.value)
    try:
        location = state.access.resolve(state.location, said.get("URI", ""))
        length, start = byte_range(said["BYTERANGE"]) if "BYTERANGE" in said else (None, None)
    except UnreadableError as error:
        state.collector.add(error.rule, error.message, track=state.track.name, place=state.place(line), hint=error.hint)
        return
    except SignalingError as error:
        state.collector.add("playlist-unreadable", error.message, track=state.track.name, place=state.place(line))
        return
    state.init = Reference(location, None if length is None else start or 0, length)
    state.init_keys = tuple(state.keys.values())
    if not state.iframes:
        state.needs = max(state.needs, _MAP_VERSION)


def _segment(state: _Media, line: Line) -> None:
    wanted, state.range = state.range, None
    gap, state.gap = state.gap, False
    state.sequence += 1
    if gap:
        return
    try:
        location = state.access.resolve(state.location, line.value)
    except UnreadableError as error:
        state.collector.add(error.rule, error.message, track=state.track.name, place=state.place(line), hint=error.hint)
        return
    media = Reference(location)
    if wanted is not None:
        length, start = wanted
        start = state.ends.get(location, 0) if start is None else start
        state.ends[location] = start + length
        media = Reference(location, start, length)
    state.segments.append(
        Segment(
            media,
            len(state.segments),
            state.place(line),
            state.init,
            tuple(state.keys.values()),
            state.init_keys,
            state.sequence - 1,
            whole=not state.iframes,
        )
    )


def _container(state: _Media) -> str:
    if state.track.kind == "text":
        return "text"
    if any(segment.init for segment in state.segments):
        return "mp4"
    if not state.segments:
        return "unknown"
    address = urlsplit(state.segments[0].media.location.address)
    return _SUFFIXES.get(PurePosixPath(address.path).suffix.lower(), "unknown")


def _undefined(variables: Variables, name: str, track: str, collector: Collector) -> None:
    for variable, number in variables.unknown.items():
        collector.add(
            "variable-undefined", f"the variable {variable[:60]} is not defined", track=track, place=Place(name, number)
        )
