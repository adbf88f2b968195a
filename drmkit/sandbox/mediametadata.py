"""What the media processing service says about a task's input: its MediaMetaData, read with ffprobe.

Source: https://www.tencentcloud.com/document/product/1041/33690 (MediaMetaData).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from drmkit.sandbox.mediasource import Source
from drmkit.stream.process import run
from drmkit.stream.staging import staged_inputs
from drmkit.stream.tools import Tools

__all__ = ["media_metadata"]

_TIMEOUT: Final = 60.0
_STREAM: Final = "codec_type,codec_name,width,height,avg_frame_rate,bit_rate,sample_rate,channels,duration"


def media_metadata(source: Source, tools: Tools) -> dict[str, Any]:
    """Return the MediaMetaData of an input.

    Args:
        source: the input.
        tools: the programs to use.

    Raises:
        DrmkitError: it cannot be read.
    """
    form, streams = _probe(source.video, tools)
    if source.audio != source.video:
        streams += _probe(source.audio, tools)[1]
    video = [stream for stream in streams if stream.get("codec_type") == "video"]
    audio = [stream for stream in streams if stream.get("codec_type") == "audio"]
    first = video[0] if video else {}
    return {
        "Size": _whole(form.get("size")),
        "Container": str(form.get("format_name", "")).partition(",")[0],
        "Bitrate": _whole(form.get("bit_rate")),
        "Height": _whole(first.get("height")),
        "Width": _whole(first.get("width")),
        "Duration": _number(form.get("duration")),
        "Rotate": 0,
        "VideoStreamSet": [
            {
                "Bitrate": _whole(stream.get("bit_rate")),
                "Height": _whole(stream.get("height")),
                "Width": _whole(stream.get("width")),
                "Codec": stream.get("codec_name", ""),
                "Fps": _fps(stream),
            }
            for stream in video
        ],
        "AudioStreamSet": [
            {
                "Bitrate": _whole(stream.get("bit_rate")),
                "SamplingRate": _whole(stream.get("sample_rate")),
                "Codec": stream.get("codec_name", ""),
                "Channel": _whole(stream.get("channels")),
            }
            for stream in audio
        ],
        "VideoDuration": _number(first.get("duration")),
        "AudioDuration": _number(audio[0].get("duration")) if audio else 0.0,
    }


def _probe(path: Path, tools: Tools) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    with staged_inputs([path]) as (folder, (name,)):
        argv: list[Any] = [tools.ffprobe, "-v", "error", "-protocol_whitelist", "file", "-of", "json"]
        argv += ["-show_entries", f"format=size,format_name,bit_rate,duration:stream={_STREAM}", name]
        answer = json.loads(run(argv, timeout=_TIMEOUT, cwd=folder).stdout)
    return answer.get("format", {}), answer.get("streams", [])


def _whole(value: object) -> int:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() else 0


def _number(value: object) -> float:
    try:
        return float(str(value))
    except ValueError:
        return 0.0


def _fps(stream: Mapping[str, Any]) -> int:
    frames, _, seconds = str(stream.get("avg_frame_rate", "")).partition("/")
    return round(_whole(frames) / (_whole(seconds) or 1))
