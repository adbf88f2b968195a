"""Renditions of a media task's input: one clear MP4 file for each rung of its template's ladder."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from drmkit.errors import InputError, PackagingError
from drmkit.sandbox.mediafolder import MediaFolder
from drmkit.sandbox.mediasource import Source, SourceFaultError
from drmkit.sandbox.options import Rendition, Template
from drmkit.secret import Secret
from drmkit.stream.model import TrackInput
from drmkit.stream.probe import probe
from drmkit.stream.process import run
from drmkit.stream.staging import staged_inputs
from drmkit.stream.tools import Tools

__all__ = ["SEGMENT_SECONDS", "Ladder"]

SEGMENT_SECONDS: Final = 2
_TIMEOUT: Final = 600.0
_SAMPLE_RATE: Final = 48000


class Ladder:
    """Transcode inputs, each once for each ladder. Thread-safe.

    Args:
        folder: keeps the renditions in its work folder.
        tools: the programs to use.
    """

    def __init__(self, folder: MediaFolder, tools: Tools) -> None:
        self._folder = folder
        self._tools = tools
        self._lock = threading.Lock()
        self._made: dict[tuple[str, tuple[Rendition, ...]], tuple[TrackInput, ...]] = {}

    def renditions(self, source: Source, template: Template) -> tuple[TrackInput, ...]:
        """Return a track for each substream: video in the template's order, then the sound where the input has one.

        Args:
            source: the input.
            template: whose ladder to climb.

        Raises:
            SourceFaultError: the input is no video.
            PackagingError: ffmpeg failed otherwise.
        """
        with self._lock:
            wanted = source.name, template.renditions
            if wanted not in self._made:
                self._made[wanted] = self._transcode(source, template.renditions)
            return self._made[wanted]

    def _transcode(self, source: Source, rungs: Sequence[Rendition]) -> tuple[TrackInput, ...]:
        try:
            probe(source.video, "video", tools=self._tools)
        except InputError as error:
            raise SourceFaultError("SourceFileError.NoVideoMedia", error.message) from None
        sound = self._has_sound(source)
        folder = self._folder.work / f"ladder-{len(self._made)}"
        folder.mkdir()
        tracks = [_track(folder, number, "video") for number in range(len(rungs))]
        if sound:
            tracks.append(_track(folder, len(tracks), "audio"))
        with staged_inputs([source.video, source.audio]) as (work, names):
            (work / "out").symlink_to(folder)
            try:
                run(self._command(names, rungs, tracks, sound=sound), timeout=_TIMEOUT, cwd=work)
            except PackagingError as error:
                raise SourceFaultError("SourceFileError", f"the input cannot be transcoded: {error.message}") from None
        return tuple(tracks)

    def _has_sound(self, source: Source) -> bool:
        try:
            probe(source.audio, "audio", tools=self._tools)
        except InputError:
            return False
        return True

    def _command(
        self, names: Sequence[str], ladder: Sequence[Rendition], tracks: Sequence[TrackInput], *, sound: bool
    ) -> list[str | Path | Secret[str]]:
        argv: list[str | Path | Secret[str]] = [self._tools.ffmpeg, "-nostdin", "-hide_banner", "-v", "error"]
        argv += ["-protocol_whitelist", "file", "-i", names[0], "-protocol_whitelist", "file", "-i", names[1]]
        for rung, track in zip(ladder, tracks, strict=False):
            argv += ["-map", "0:v:0", "-vf", f"scale={rung.width}:{rung.height},setsar=1,format=yuv420p"]
            argv += ["-c:v", "libx264", "-preset", "ultrafast", "-profile:v", "baseline", "-threads", "2"]
            argv += ["-b:v", str(rung.bitrate), "-maxrate", str(rung.bitrate), "-bufsize", str(2 * rung.bitrate)]
            argv += ["-force_key_frames", f"expr:gte(t,n_forced*{SEGMENT_SECONDS})", "-sc_threshold", "0"]
            argv.append(f"out/{track.path.name}")
        if sound:
            argv += ["-map", "1:a:0", "-c:a", "aac", "-b:a", "128k", "-ac", "2", "-ar", str(_SAMPLE_RATE)]
            argv.append(f"out/{tracks[-1].path.name}")
        return argv


def _track(folder: Path, number: int, kind: str) -> TrackInput:
    name = f"{kind}-{number}"
    return TrackInput(folder / f"{name}.mp4", "video" if kind == "video" else "audio", name)
