"""Names the files of a packaged stream: patterns, and what they give for each track."""

from __future__ import annotations

import posixpath
import re
import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from drmkit.errors import InputError

__all__ = ["Naming", "TrackNames", "name_tracks", "relative"]

# Plain characters alone: a name becomes a path, a URL, and a part of the packager's stream descriptor.
_PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(?:/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
_NUMBER = re.compile(r"\$Number(?:%0\d{1,2}d)?\$")
_PLACES = frozenset({"track", "index"})
_PER_TRACK = ("playlist", "file", "init", "segment")


@dataclass(frozen=True, slots=True)
class Naming:
    """Patterns for the files of a stream, as paths below its folder.

    In the patterns of a track's files, `{track}` is the track's name and `{index}` its number, from 0 (`{index:02d}`
    works as well). A segment's pattern holds `$Number$`, or `$Number%05d$`, once.

    Attributes:
        mpd: the DASH manifest.
        master: the HLS multivariant playlist.
        playlist: the HLS media playlist of a track.
        file: the file of a track, in the layout "file".
        init: the initialization segment of a track, in the layout "segments".
        segment: a media segment of a track, in the layout "segments".
    """

    mpd: str = "manifest.mpd"
    master: str = "master.m3u8"
    playlist: str = "{track}.m3u8"
    file: str = "{track}.mp4"
    init: str = "{track}/init.mp4"
    segment: str = "{track}/$Number$.m4s"

    def __post_init__(self) -> None:
        for name in ("mpd", "master"):
            _check(name, getattr(self, name), getattr(self, name))
        for name in _PER_TRACK:
            pattern = getattr(self, name)
            filled = _fill(pattern, "x", 0)
            if name == "segment":
                if len(_NUMBER.findall(filled)) != 1:
                    raise InputError(f"the name pattern {pattern!r} of segments must hold $Number$ once")
                filled = _NUMBER.sub("1", filled)
            _check(name, pattern, filled)


@dataclass(frozen=True, slots=True)
class TrackNames:
    """The files of one track, as paths below the stream's folder; see `Naming`."""

    playlist: str
    file: str
    init: str
    segment: str

    def find_segments(self, folder: Path) -> list[Path]:
        """Return the media segments that a folder holds, in the order of their numbers."""
        head, tail = _NUMBER.split(self.segment)
        directory, prefix = posixpath.split(head)
        matches = re.compile(re.escape(prefix) + r"(\d+)" + re.escape(tail))
        found = (folder / directory).glob("**/*" if "/" in tail else "*")
        named = [(matches.fullmatch(path.relative_to(folder / directory).as_posix()), path) for path in found]
        return [path for _, path in sorted((int(match[1]), path) for match, path in named if match)]


def name_tracks(names: Naming, tracks: Sequence[str], *, layout: str, manifests: Sequence[str]) -> list[TrackNames]:
    """Return the names of every track's files.

    Args:
        names: the patterns.
        tracks: the tracks' names, in their order.
        layout: "file" or "segments".
        manifests: what is written: "hls", "dash".

    Raises:
        InputError: two files would have one name.
    """
    made = [
        TrackNames(*(_fill(getattr(names, part), track, index) for part in _PER_TRACK))
        for index, track in enumerate(tracks)
    ]
    seen: set[str] = set()
    for path in _paths(names, made, layout, manifests):
        # Some file systems do not tell upper from lower case.
        if path.lower() in seen:
            raise InputError(
                f"two files of the stream would be called {path!r}",
                hint="put {track} or {index} into the name patterns, and keep tracks and manifests apart",
            )
        seen.add(path.lower())
    return made


def relative(target: str, source: str) -> str:
    """Return the path of one file of a stream as another one refers to it."""
    return posixpath.relpath(target, posixpath.dirname(source) or ".")


def _paths(names: Naming, made: Sequence[TrackNames], layout: str, manifests: Sequence[str]) -> Iterator[str]:
    if "dash" in manifests:
        yield names.mpd
    if "hls" in manifests:
        yield names.master
        yield from (item.playlist for item in made)
    for item in made:
        yield from (item.file,) if layout == "file" else (item.init, item.segment)


def _fill(pattern: str, track: str, index: int) -> str:
    try:
        places = {place for _, place, _, _ in string.Formatter().parse(pattern) if place is not None}
        if not places <= _PLACES:
            raise InputError(
                f"the name pattern {pattern!r} holds {{{min(places - _PLACES)}}}", hint="use {track} and {index}"
            )
        return pattern.format(track=track, index=index)
    except ValueError as error:
        raise InputError(f"the name pattern {pattern!r} cannot be read ({error})") from None


def _check(name: str, pattern: str, filled: str) -> None:
    if not _PATH.fullmatch(filled):
        raise InputError(
            f"the name pattern {pattern!r} of {name} is no path of plain names",
            hint="use letters, digits, '.', '_' and '-', with '/' between folders; no name starts with '.' or '-'",
        )
