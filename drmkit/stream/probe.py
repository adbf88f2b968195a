"""Reads with ffprobe what decides a track's key: its size, frame rate, channels and bitrate."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from drmkit.errors import InputError, PackagingError
from drmkit.stream.process import run
from drmkit.stream.staging import staged_inputs
from drmkit.stream.tools import Tools

if TYPE_CHECKING:
    from drmkit.cpix import AudioTrack, VideoTrack

__all__ = ["SELECTORS", "Kind", "TrackProperties", "ask", "probe", "read_properties"]

Kind = Literal["video", "audio"]
# ffmpeg's names for tracks of a kind; "V" is every video but cover pictures.
SELECTORS: dict[Kind, str] = {"video": "V", "audio": "a"}

_HDR_TRANSFERS = frozenset({"smpte2084", "arib-std-b67"})
_PLACE = re.compile(r"\[\S+ @ 0x[0-9a-f]+\] ")
_TOLERANCE = Fraction(1, 100)
_FIELDS = "codec_name,width,height,avg_frame_rate,r_frame_rate,channels,bit_rate,color_transfer,color_primaries"


@dataclass(frozen=True, slots=True)
class TrackProperties:
    """What a media file says about one of its tracks.

    Attributes:
        kind: "video" or "audio".
        codec: ffmpeg's name of the codec, such as "h264".
        width: encoded width in pixels (0 for audio).
        height: encoded height in pixels (0 for audio).
        fps: nominal frames per second (half the fields of interlaced video), or None where the file does not say.
        channels: number of audio channels (0 for video).
        bitrate: average bits per second, or None where the file does not say.
        hdr: the transfer function is PQ or HLG (Rec. ITU-R BT.2100).
        wcg: the color primaries are those of Rec. ITU-R BT.2020.
        rotation: degrees by which the file asks players to turn the picture, counterclockwise; 0 for upright.
    """

    kind: Kind
    codec: str
    width: int = 0
    height: int = 0
    fps: Fraction | None = None
    channels: int = 0
    bitrate: int | None = None
    hdr: bool = False
    wcg: bool = False
    rotation: int = 0

    def as_cpix_track(
        self, labels: Iterable[str] = (), intended_track_type: str | None = None
    ) -> VideoTrack | AudioTrack:
        """Return the track as `drmkit.cpix` sees it when it chooses a content key.

        Args:
            labels: the track's labels, for label filters (CPIX 2.4, ContentKeyUsageRule).
            intended_track_type: look only at rules with this intended track type; None looks at all.
        """
        # lxml stands behind this import; whoever only decrypts does not pay for it.
        from drmkit import cpix  # noqa: PLC0415

        names, intended = tuple(labels), intended_track_type
        if self.kind == "audio":
            return cpix.AudioTrack(self.channels, self.bitrate, labels=names, intended_track_type=intended)
        return cpix.VideoTrack(
            width=self.width,
            height=self.height,
            fps=self.fps,
            bitrate=self.bitrate,
            hdr=self.hdr,
            wcg=self.wcg,
            labels=names,
            intended_track_type=intended,
        )


def probe(path: Path, kind: Kind, number: int = 0, *, tools: Tools, timeout: float = 60.0) -> TrackProperties:
    """Return the properties of one track of a kind in a media file.

    Args:
        path: the media file.
        kind: "video" or "audio".
        number: which track of the kind, from 0.
        tools: the programs to use.
        timeout: seconds that ffprobe may take.

    Raises:
        InputError: the file cannot be read, is no media file, or has no such track.
    """
    entries = f"stream={_FIELDS}:stream_tags=BPS:stream_side_data=rotation"
    answer = ask(path, entries, tools=tools, select=f"{SELECTORS[kind]}:{number}", timeout=timeout)
    return read_properties(answer, kind, str(path))


def ask(path: Path, entries: str, *, tools: Tools, select: str | None = None, timeout: float = 60.0) -> str:
    """Return what ffprobe says about a media file, as JSON.

    Args:
        path: the media file.
        entries: what is asked for, as `-show_entries` takes it.
        tools: the programs to use.
        select: the streams that are asked about, as `-select_streams` takes them; None for all.
        timeout: seconds that ffprobe may take.

    Raises:
        InputError: the file cannot be read, or is no media file.
        PackagingError: the program answers as ffprobe does not.
    """
    with staged_inputs([path]) as (folder, (name,)):
        argv: list[str | Path] = [tools.ffprobe, "-v", "error", "-protocol_whitelist", "file", "-of", "json"]
        argv += ["-select_streams", select] if select else []
        try:
            answer = run([*argv, "-show_entries", entries, name], timeout=timeout, cwd=folder).stdout
        except PackagingError as error:
            # ffprobe names the link to the file, and says where in memory it was when it found the fault.
            why = "; ".join(_PLACE.sub("", error.message).replace(f"{name}: ", "").splitlines())
            raise InputError(f"{path} cannot be read as a media file: {why}") from None
    try:
        said = json.loads(answer)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise PackagingError(f"ffprobe gave no JSON for {path}", hint=f"look whether {tools.ffprobe} is ffprobe")
    return answer


def read_properties(answer: str, kind: Kind, where: str) -> TrackProperties:
    """Return the properties that ffprobe's JSON answer states.

    Args:
        answer: what `ffprobe -of json` wrote, with at most one stream.
        kind: the kind of track that was asked for.
        where: the media file's name, for messages.

    Raises:
        InputError: there is no such track, or a property that a key depends on is missing.
    """
    streams = json.loads(answer).get("streams", [])
    if not streams:
        raise InputError(f"{where} has no {kind} track")
    stream = streams[0]
    codec, bitrate = str(stream.get("codec_name", "unknown")), _bitrate(stream)
    if kind == "audio":
        channels = _whole(stream.get("channels"))
        if not channels:
            raise InputError(f"{where} does not say how many audio channels it has")
        return TrackProperties(kind, codec, channels=channels, bitrate=bitrate)
    width, height = _whole(stream.get("width")), _whole(stream.get("height"))
    if not (width and height):
        raise InputError(f"{where} does not say how large its picture is")
    return TrackProperties(
        kind,
        codec,
        width=width,
        height=height,
        fps=_fps(stream),
        bitrate=bitrate,
        hdr=stream.get("color_transfer") in _HDR_TRANSFERS,
        wcg=stream.get("color_primaries") == "bt2020",
        rotation=_rotation(stream),
    )


def _rotation(stream: dict[str, Any]) -> int:
    said = (side.get("rotation") for side in stream.get("side_data_list", []))
    return next((round(angle) % 360 for angle in said if isinstance(angle, int | float) and math.isfinite(angle)), 0)


def _bitrate(stream: dict[str, Any]) -> int | None:
    # Matroska keeps the bitrate in a tag.
    return _whole(stream.get("bit_rate")) or _whole(stream.get("tags", {}).get("BPS")) or None


def _whole(value: object) -> int:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() else 0


def _fps(stream: dict[str, Any]) -> Fraction | None:
    average, base = _rate(stream.get("avg_frame_rate")), _rate(stream.get("r_frame_rate"))
    # The average of a short file is off by the length of its last frame, and 25.04 would miss a filter's bound of 25;
    # the base rate is exact, but twice the nominal one for interlaced video.
    if average and base and abs(average - base) <= base * _TOLERANCE:
        return base
    return average or base


def _rate(value: object) -> Fraction | None:
    above, _, below = str(value).partition("/")
    frames, seconds = _whole(above), _whole(below or "1")
    return Fraction(frames, seconds) if frames and seconds else None
