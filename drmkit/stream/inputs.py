"""Turns media files into the tracks to package: each video and audio track of each file, under a name of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from drmkit.errors import InputError
from drmkit.stream.model import TrackInput
from drmkit.stream.probe import TrackProperties, probe
from drmkit.stream.tools import Tools
from drmkit.stream.tracks import FoundTrack, list_tracks, packager_streams

__all__ = ["find_tracks"]

_UNKNOWN = "unknown"
# ffmpeg's names of the codecs that Shaka Packager 3.8 packages into MP4.
_PACKAGED = frozenset({"h264", "hevc", "vp8", "vp9", "av1", "aac", "ac3", "eac3", "opus", "flac", "alac"})


def find_tracks(paths: Sequence[Path], *, tools: Tools, timeout: float = 60.0) -> tuple[TrackInput, ...]:
    """Return every video and audio track of media files, named by what it is: "video-720p", "audio-en-2ch".

    Args:
        paths: MP4, WebM or MPEG-TS files, in the order in which the stream is to have their tracks.
        tools: the programs to use.
        timeout: seconds that each look at a file may take.

    Raises:
        InputError: a file cannot be read, has no video and no audio, or is not for Shaka Packager; or a file is named
            twice.
    """
    seen: set[Path] = set()
    taken: set[str] = set()
    tracks = []
    for path in paths:
        if path.resolve() in seen:
            raise InputError(f"{path} is named twice", hint="all tracks of a file are taken at once")
        seen.add(path.resolve())
        found = list_tracks(path, tools=tools, timeout=timeout)
        try:
            streams = packager_streams(path, tools=tools, timeout=timeout)
        except InputError:
            # Of some codecs (MPEG-4 Part 2, ProRes) the packager says no more than that it cannot read the file.
            _refuse(path, [track for track in found if track.codec not in _PACKAGED])
            raise
        _check(path, found, streams)
        for track in found:
            properties = probe(path, track.kind, track.number, tools=tools, timeout=timeout)
            name = _free(_name(track, properties), taken)
            tracks.append(TrackInput(path, track.kind, name, track.language, number=track.number))
    return tuple(tracks)


def _check(path: Path, found: Iterable[FoundTrack], streams: Iterable[tuple[str, str]]) -> None:
    """Refuse what the packager would fail on in the middle of its work, in words of its own."""
    codecs: dict[str, list[str]] = {"video": [], "audio": []}
    for kind, codec in streams:
        codecs.setdefault(kind, []).append(codec)
    known = {kind: [codec not in {"", _UNKNOWN} for codec in its] for kind, its in codecs.items()}
    _refuse(path, [track for track in found if not any(known[track.kind][track.number : track.number + 1])])


def _refuse(path: Path, tracks: Sequence[FoundTrack]) -> None:
    for track in tracks[:1]:
        raise InputError(
            f"Shaka Packager cannot package the {track.kind} of {path}: its codec is {track.codec}",
            hint="it takes H.264, H.265, VP9, AV1, AAC, AC-3, E-AC-3, Opus and FLAC: encode the track anew",
        )


def _name(track: FoundTrack, properties: TrackProperties) -> str:
    if track.kind == "video":
        return f"video-{properties.height}p"
    language = f"{track.language}-" if track.language else ""
    return f"audio-{language}{properties.channels}ch"


def _free(name: str, taken: set[str]) -> str:
    """Return the name, or the first of name-2, name-3 ... that no track has."""
    free, number = name, 1
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    taken.add(free)
    return free
