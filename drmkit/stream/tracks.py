"""Lists the video and audio tracks of a media file, as ffprobe and Shaka Packager see them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drmkit.errors import InputError, PackagingError
from drmkit.stream.probe import Kind, ask
from drmkit.stream.process import run
from drmkit.stream.staging import staged_inputs
from drmkit.stream.tools import Tools

__all__ = ["REMUX", "FoundTrack", "list_tracks", "packager_streams", "selector"]

_KINDS: dict[str, Kind] = {"video": "video", "audio": "audio"}
_ENTRIES = "stream=codec_type,codec_name:stream_tags=language:stream_disposition=attached_pic"
_STREAM = re.compile(r"Stream \[(\d+)\] type: (\w+)\n((?: .*\n)*)")
_CODEC = re.compile(r" codec_string: (.*)\n")
_ERROR = re.compile(r"Packaging Error: \d+ \((\w+)\)")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}")
REMUX = (
    "Shaka Packager reads most MP4 and MPEG-TS files and some WebM files; `ffmpeg -i INPUT -map 0:V? -map 0:a? -c"
    " copy OUTPUT.mp4` changes the container alone"
)


@dataclass(frozen=True, slots=True)
class FoundTrack:
    """A video or audio track in a file.

    Attributes:
        kind: "video" or "audio".
        number: which track of the kind, from 0.
        codec: ffmpeg's name of the codec.
        language: the language that the file states, or None.
    """

    kind: Kind
    number: int
    codec: str
    language: str | None


def list_tracks(path: Path, *, tools: Tools, timeout: float = 60.0) -> tuple[FoundTrack, ...]:
    """Return the video and audio tracks of a media file, in its order; cover pictures are no tracks.

    Raises:
        InputError: the file cannot be read, is no media file, or has neither video nor audio.
    """
    answer = ask(path, _ENTRIES, tools=tools, timeout=timeout)
    found: list[FoundTrack] = []
    for stream in json.loads(answer).get("streams", []):
        kind = _KINDS.get(str(stream.get("codec_type")))
        if kind and not stream.get("disposition", {}).get("attached_pic"):
            number = sum(track.kind == kind for track in found)
            found.append(FoundTrack(kind, number, str(stream.get("codec_name", "unknown")), _language(stream)))
    if not found:
        raise InputError(f"{path} has neither video nor audio")
    return tuple(found)


def _language(stream: dict[str, Any]) -> str | None:
    said = str(stream.get("tags", {}).get("language", ""))
    return said.lower() if _LANGUAGE.fullmatch(said) and said.lower() != "und" else None


def packager_streams(path: Path, *, tools: Tools, timeout: float = 60.0) -> tuple[tuple[str, str], ...]:
    """Return kind and codec (RFC 6381) of each stream that Shaka Packager finds in a file, in its order.

    Raises:
        InputError: the packager cannot read the file, or finds nothing in it.
    """
    with staged_inputs([path]) as (folder, (name,)):
        try:
            answer = run([tools.packager, f"in={name}", "--dump_stream_info", "--quiet"], timeout=timeout, cwd=folder)
        except PackagingError as error:
            # What stands behind the error's name speaks of the name under which the file was linked.
            why = _ERROR.search(error.message)
            said = why[1] if why else error.message
            raise InputError(f"Shaka Packager cannot read {path} ({said})", hint=REMUX) from None
    streams = _STREAM.findall(answer.stdout)
    if not streams:
        raise InputError(
            f"Shaka Packager finds no stream in {path}", hint=f"look whether {tools.packager} is the packager"
        )
    return tuple((kind.lower(), (_CODEC.findall(body) or ["unknown"])[0]) for _, kind, body in streams)


def selector(path: Path, kind: Kind, number: int, *, tools: Tools, timeout: float = 60.0) -> str:
    """Return how the packager is told to take a track: its streams have numbers of their own.

    Raises:
        InputError: the packager cannot read the file, or does not find the track.
    """
    if number == 0:
        return kind
    found = packager_streams(path, tools=tools, timeout=timeout)
    numbers = [place for place, (its, _) in enumerate(found) if its == kind]
    if number >= len(numbers):
        raise InputError(
            f"Shaka Packager finds {len(numbers)} {kind} tracks in {path}, not {number + 1}",
            hint="put each track into a file of its own: `ffmpeg -i INPUT -map 0:a:1 -c copy OUTPUT.mp4`",
        )
    return str(numbers[number])
