"""The demo clip, and what ffprobe says about media."""

from __future__ import annotations

import hashlib
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from drmkit.errors import InputError
from drmkit.stream.clip import AudioRendition, VideoRendition, make_clip
from drmkit.stream.model import TrackInput
from drmkit.stream.probe import probe, read_properties
from drmkit.stream.tools import Tools


def test_the_clip_is_what_it_says(tools: Tools, clip: tuple[TrackInput, ...]) -> None:
    """The clip has two sizes of picture and stereo sound, is small, and ffprobe reads it all."""
    assert [track.name for track in clip] == ["video-180p", "video-720p", "audio-2ch"]
    small, large, sound = (probe(track.path, track.kind, tools=tools) for track in clip)
    assert (small.width, small.height, small.fps, small.codec) == (320, 180, 25, "h264")
    assert (large.width, large.height, large.hdr, large.wcg) == (1280, 720, False, False)
    assert (sound.channels, sound.codec, sound.fps) == (2, "aac", None)
    assert small.bitrate is not None
    assert large.bitrate is not None
    assert 50_000 < small.bitrate < large.bitrate < 2_000_000
    assert sum(track.path.stat().st_size for track in clip) < 1_000_000


def test_the_clip_is_the_same_each_time(tools: Tools, tmp_path: Path) -> None:
    """The same arguments give the same bytes."""
    options: dict[str, Any] = {
        "tools": tools,
        "seconds": 1,
        "video": [VideoRendition(64, 36)],
        "audio": [AudioRendition(6)],
    }
    runs = [make_clip(tmp_path / name, **options) for name in ("one", "two")]
    first, second = ([hashlib.sha256(track.path.read_bytes()).digest() for track in run] for run in runs)
    assert first == second
    assert probe(runs[0][1].path, "audio", tools=tools).channels == 6


def test_impossible_clips_are_refused(tools: Tools, tmp_path: Path) -> None:
    """A clip needs a rendition, a second, names of its own and a usual number of channels."""
    with pytest.raises(InputError, match="needs a rendition"):
        make_clip(tmp_path / "a", tools=tools, video=(), audio=())
    with pytest.raises(InputError, match="needs a rendition, and a second"):
        make_clip(tmp_path / "a", tools=tools, seconds=0)
    with pytest.raises(InputError, match="the same height"):
        make_clip(tmp_path / "a", tools=tools, audio=(AudioRendition(), AudioRendition(bitrate=1)))
    with pytest.raises(InputError, match="not 3"):
        make_clip(tmp_path / "a", tools=tools, audio=(AudioRendition(3),))
    assert list(tmp_path.iterdir()) == []


def answer(**stream: Any) -> str:
    """Return what ffprobe would write."""
    return json.dumps({"streams": [stream]})


@pytest.mark.parametrize(
    ("average", "base", "fps"),
    [
        ("25/1", "25/1", Fraction(25)),
        ("15000/599", "25/1", Fraction(25)),
        ("30000/1001", "30000/1001", Fraction(30000, 1001)),
        ("25/1", "50/1", Fraction(25)),
        ("0/0", "25/1", Fraction(25)),
        ("24/1", "0/0", Fraction(24)),
        ("0/0", "0/0", None),
        (None, None, None),
    ],
)
def test_frame_rates_are_nominal(average: str | None, base: str | None, fps: Fraction | None) -> None:
    """The rate is the nominal one: exact where the average is off by a last frame, halved where fields are counted."""
    text = answer(codec_name="h264", width=2, height=2, avg_frame_rate=average, r_frame_rate=base)
    assert read_properties(text, "video", "x").fps == fps


@pytest.mark.parametrize(
    ("stream", "bitrate"),
    [
        ({"bit_rate": "1000"}, 1000),
        ({"bit_rate": "N/A", "tags": {"BPS": "2000"}}, 2000),
        ({"tags": {"BPS": "2000"}}, 2000),
        ({}, None),
    ],
)
def test_bitrates_may_stand_in_a_tag(stream: dict[str, Any], bitrate: int | None) -> None:
    """The bitrate comes from the stream, or from the tag in which Matroska keeps it, or is not known."""
    assert read_properties(answer(channels=2, **stream), "audio", "x").bitrate == bitrate


@pytest.mark.parametrize(
    ("transfer", "primaries", "hdr", "wcg"),
    [
        ("smpte2084", "bt2020", True, True),
        ("arib-std-b67", "bt2020", True, True),
        ("bt709", "bt2020", False, True),
        ("bt709", "bt709", False, False),
        (None, None, False, False),
    ],
)
def test_dynamic_range_and_gamut(transfer: str | None, primaries: str | None, hdr: bool, wcg: bool) -> None:
    """PQ and HLG are high dynamic range, BT.2020 is a wide gamut, and what is untagged is neither."""
    found = read_properties(answer(width=2, height=2, color_transfer=transfer, color_primaries=primaries), "video", "x")
    assert (found.hdr, found.wcg) == (hdr, wcg)


@pytest.mark.parametrize(
    ("sides", "rotation"),
    [
        ([{}, {"rotation": 90}], 90),
        ([{"rotation": -90}], 270),
        ([{"rotation": 0}], 0),
        ([{"rotation": "N/A"}], 0),
        ([], 0),
    ],
)
def test_rotation(sides: list[dict[str, Any]], rotation: int) -> None:
    """A picture that players are to turn says so beside the stream; most say nothing."""
    found = read_properties(answer(width=2, height=2, side_data_list=sides), "video", "x")
    assert found.rotation == rotation


def test_missing_properties_are_named() -> None:
    """A file without the track, or without what a key depends on, is refused with the reason."""
    with pytest.raises(InputError, match="x has no audio track"):
        read_properties('{"streams": []}', "audio", "x")
    with pytest.raises(InputError, match="how many audio channels"):
        read_properties(answer(codec_name="aac"), "audio", "x")
    with pytest.raises(InputError, match="how large its picture"):
        read_properties(answer(codec_name="h264", width=2), "video", "x")
