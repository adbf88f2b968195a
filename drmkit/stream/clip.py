"""Makes a small clip with ffmpeg, in several renditions, to try packaging on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from drmkit.errors import InputError
from drmkit.stream.model import TrackInput
from drmkit.stream.process import run
from drmkit.stream.staging import staged_output
from drmkit.stream.tools import Tools

__all__ = ["DEFAULT_VIDEO", "AudioRendition", "VideoRendition", "make_clip"]

_GOP_SECONDS = 2
_TONES = (440, 554, 659, 880, 330, 220, 110, 1760)


@dataclass(frozen=True, slots=True)
class VideoRendition:
    """A size of the picture in even numbers of pixels, frames per second, and bits per second."""

    width: int
    height: int
    fps: int = 25
    bitrate: int = 400_000

    @property
    def name(self) -> str:
        """The track's name, such as "video-180p"."""
        return f"video-{self.height}p"


@dataclass(frozen=True, slots=True)
class AudioRendition:
    """A number of channels (1, 2, 6 or 8), and bits per second."""

    channels: int = 2
    bitrate: int = 96_000

    @property
    def name(self) -> str:
        """The track's name, such as "audio-2ch"."""
        return f"audio-{self.channels}ch"


DEFAULT_VIDEO = (VideoRendition(320, 180, bitrate=150_000), VideoRendition(1280, 720, bitrate=900_000))
_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}


def make_clip(
    folder: Path,
    *,
    tools: Tools,
    seconds: int = 4,
    video: Sequence[VideoRendition] = DEFAULT_VIDEO,
    audio: Sequence[AudioRendition] = (AudioRendition(),),
    timeout: float = 300.0,
) -> tuple[TrackInput, ...]:
    """Make a clip of a moving test picture and a tone: one MP4 file (H.264, AAC) for each rendition.

    The same arguments and the same ffmpeg give the same bytes. A key frame stands every two seconds.

    Args:
        folder: a folder that does not exist yet, or is empty.
        tools: the programs to use.
        seconds: the length of the clip.
        video: the sizes of the picture.
        audio: the numbers of channels.
        timeout: seconds that ffmpeg may take.

    Raises:
        InputError: there is nothing to make, or `folder` holds something.
        PackagingError: ffmpeg failed.
        StoreError: the clip cannot be written.
    """
    renditions: list[VideoRendition | AudioRendition] = [*video, *audio]
    if not renditions or seconds < 1:
        raise InputError("a clip needs a rendition, and a second at least")
    if len({item.name for item in renditions}) != len(renditions):
        raise InputError("two renditions have the same height or number of channels")
    with staged_output(folder) as made:
        argv: list[str | Path] = [tools.ffmpeg, "-nostdin", "-hide_banner", "-v", "error"]
        for item in renditions:
            argv += ["-f", "lavfi", "-i", _source(item, seconds)]
        for number, item in enumerate(renditions):
            argv += ["-map", str(number), *_encoder(item), "-fflags", "+bitexact", "-flags", "+bitexact"]
            argv.append(f"{item.name}.mp4")
        run(argv, timeout=timeout, cwd=made)
    return tuple(
        TrackInput(folder / f"{item.name}.mp4", "video" if isinstance(item, VideoRendition) else "audio", item.name)
        for item in renditions
    )


def _source(item: VideoRendition | AudioRendition, seconds: int) -> str:
    if isinstance(item, VideoRendition):
        return f"testsrc2=size={item.width}x{item.height}:rate={item.fps}:duration={seconds}"
    if item.channels not in _LAYOUTS:
        raise InputError(f"a clip has 1, 2, 6 or 8 audio channels, not {item.channels}")
    # A tone of its own on each channel, so that swapped or lost channels can be heard.
    waves = "|".join(f"0.1*sin(2*PI*{tone}*t)" for tone in _TONES[: item.channels])
    return f"aevalsrc={waves}:sample_rate=48000:channel_layout={_LAYOUTS[item.channels]}:duration={seconds}"


def _encoder(item: VideoRendition | AudioRendition) -> list[str]:
    if isinstance(item, AudioRendition):
        return ["-c:a", "aac", "-b:a", str(item.bitrate)]
    every = str(_GOP_SECONDS * item.fps)
    rate = ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-b:v", str(item.bitrate)]
    # One thread: with several, the encoder's output depends on the machine.
    return [*rate, "-g", every, "-keyint_min", every, "-sc_threshold", "0", "-threads", "1"]
