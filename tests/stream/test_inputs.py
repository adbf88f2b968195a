"""Which tracks media files have, and what the packager can make of them."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from drmkit.errors import DrmkitError, InputError
from drmkit.stream.decrypt import packet_hashes
from drmkit.stream.inputs import find_tracks
from drmkit.stream.model import TrackInput
from drmkit.stream.probe import probe
from drmkit.stream.process import run
from drmkit.stream.tools import Tools
from drmkit.stream.tracks import list_tracks, packager_streams, selector


def test_tracks_are_named_by_what_they_are(tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path) -> None:
    """Height and channels make a name; a second one of the name gets a number."""
    copy = tmp_path / "copy.mp4"
    shutil.copy(clip[0].path, copy)
    tracks = find_tracks([*(track.path for track in clip), copy], tools=tools)
    assert [(track.name, track.kind) for track in tracks] == [
        ("video-180p", "video"),
        ("video-720p", "video"),
        ("audio-2ch", "audio"),
        ("video-180p-2", "video"),
    ]
    with pytest.raises(InputError, match=r"copy\.mp4 is named twice"):
        find_tracks([copy, tmp_path / "." / "copy.mp4"], tools=tools)


def test_cover_pictures_are_no_tracks(tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path) -> None:
    """A cover picture in a sound file is not taken for video."""
    made = tmp_path / "song.m4a"
    argv = [
        tools.ffmpeg,
        "-nostdin",
        "-v",
        "error",
        "-i",
        clip[2].path,
        "-i",
        clip[0].path,
        "-map",
        "0:a",
        "-map",
        "1:v",
    ]
    run([*argv, "-c:a", "copy", "-c:v", "mjpeg", "-frames:v", "1", "-disposition:v", "attached_pic", made], timeout=60)
    assert [(track.kind, track.codec) for track in list_tracks(made, tools=tools)] == [("audio", "aac")]
    (track,) = find_tracks([made], tools=tools)
    assert (track.kind, track.name) == ("audio", "audio-2ch")


def test_what_is_no_media_is_refused(tools: Tools, tmp_path: Path) -> None:
    """A file without media, or that is not there, is named with the reason."""
    text = tmp_path / "text.mp4"
    text.write_text("no media")
    with pytest.raises(InputError, match=r"text\.mp4 cannot be read as a media file"):
        find_tracks([text], tools=tools)
    with pytest.raises(InputError, match=r"gone\.mp4 does not exist"):
        find_tracks([tmp_path / "gone.mp4"], tools=tools)
    subtitles = tmp_path / "words.srt"
    subtitles.write_text("1\n00:00:00,000 --> 00:00:01,000\nwords\n")
    with pytest.raises(InputError, match=r"words\.srt has neither video nor audio"):
        find_tracks([subtitles], tools=tools)


def test_what_the_packager_cannot_take_is_told_before(
    tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path
) -> None:
    """A container or codec that the packager does not know is refused in words, with the way out."""
    matroska, sound = tmp_path / "a.mkv", tmp_path / "b.mp4"
    run([tools.ffmpeg, "-nostdin", "-v", "error", "-i", clip[0].path, "-c", "copy", matroska], timeout=60)
    with pytest.raises(InputError, match=r"cannot read .*a\.mkv \(PARSER_FAILURE\)") as caught:
        find_tracks([matroska], tools=tools)
    # Without the selections, ffmpeg takes one sound track of several.
    assert "`ffmpeg -i INPUT -map 0:V? -map 0:a? -c copy OUTPUT.mp4`" in str(caught.value.hint)
    run([tools.ffmpeg, "-nostdin", "-v", "error", "-i", clip[2].path, "-c", "libmp3lame", sound], timeout=60)
    with pytest.raises(InputError, match=r"cannot package the audio of .*b\.mp4: its codec is mp3") as caught:
        find_tracks([sound], tools=tools)
    assert "encode the track anew" in str(caught.value.hint)


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "mpeg4"), ("a.mov", "prores"), ("a.avi", "mpeg4")])
def test_a_codec_is_named_where_the_packager_says_nothing(
    tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path, name: str, codec: str
) -> None:
    """Of some codecs the packager says only that it cannot read the file, and another container would not help."""
    made = tmp_path / name
    run([tools.ffmpeg, "-nostdin", "-v", "error", "-i", clip[0].path, "-c:v", codec, made], timeout=60)
    with pytest.raises(InputError, match=rf"cannot package the video of .*{name}: its codec is {codec}") as caught:
        find_tracks([made], tools=tools)
    assert "encode the track anew" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("ffprobe", "ffprobe gave no JSON for "),
        ("packager", "Shaka Packager finds no stream in "),
        ("ffmpeg", "ffmpeg gave no hash for "),
    ],
)
@pytest.mark.parametrize("says", ["", "7"])
def test_programs_that_are_others_are_told(
    tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path, name: str, told: str, says: str
) -> None:
    """A path that leads to another program, which ends well and says nothing of use, is no bug of drmkit's."""
    other = tmp_path / "other"
    other.write_text(f"#!/bin/sh\nprintf '{says}'\n")
    other.chmod(0o755)
    if says and name != "packager":
        told = {"ffprobe": "ffprobe gave no JSON for ", "ffmpeg": "ffmpeg gave '7' for "}[name]
    wrong = replace(tools, **{name: other})
    with pytest.raises(DrmkitError, match=told):
        packet_hashes(find_tracks([clip[0].path], tools=wrong)[0].path, tools=wrong)


def test_what_ffprobe_says_is_said_of_the_file(tools: Tools, tmp_path: Path) -> None:
    """Neither the name under which the file was linked nor ffprobe's addresses in memory reach a person."""
    cut = tmp_path / "movie.mp4"
    cut.write_bytes(bytes.fromhex("00000018") + b"ftypisom" + bytes(12))
    with pytest.raises(InputError) as caught:
        find_tracks([cut], tools=tools)
    assert caught.value.message.endswith("moov atom not found; Invalid data found when processing input")
    assert caught.value.message.startswith(f"{cut} cannot be read as a media file: ")
    assert "0x" not in caught.value.message.removeprefix(str(cut))


def test_the_packager_has_numbers_of_its_own(tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path) -> None:
    """The first track of a kind goes by its kind, another by the number that the packager gives it."""
    made = tmp_path / "two.mp4"
    argv = [tools.ffmpeg, "-nostdin", "-v", "error", "-i", clip[2].path, "-i", clip[0].path]
    run([*argv, "-map", "0:a", "-map", "1:v", "-map", "0:a", "-c", "copy", made], timeout=60)
    assert [kind for kind, _ in packager_streams(made, tools=tools)] == ["audio", "video", "audio"]
    assert selector(made, "audio", 0, tools=tools) == "audio"
    assert selector(made, "audio", 1, tools=tools) == "2"
    with pytest.raises(InputError, match="finds 2 audio tracks in .*, not 3"):
        selector(made, "audio", 2, tools=tools)
    broken = replace(tools, packager=tools.ffmpeg)
    with pytest.raises(InputError, match="cannot read"):
        packager_streams(made, tools=broken)


def test_the_turn_of_a_picture_is_read(tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path) -> None:
    """Video that was filmed upright is stored lying, with a note for players: it is read as ffprobe states it."""
    turned = tmp_path / "turned.mp4"
    argv = [tools.ffmpeg, "-nostdin", "-v", "error", "-display_rotation", "90", "-i", clip[0].path, "-c", "copy"]
    run([*argv, turned], timeout=60)
    assert probe(turned, "video", tools=tools).rotation == 90
    assert probe(clip[0].path, "video", tools=tools).rotation == 0
