"""Multivariant playlists of several codecs and kinds."""

from __future__ import annotations

from itertools import pairwise

from drmkit.stream.master import Rendition, parse_master, render_master
from drmkit.stream.playlists import MediaPlaylist, Segment, parse_attributes, parse_media

VIDEO = Rendition("video", "v.m3u8", "avc1.64001f", 900, 800, {"RESOLUTION": "1280x720", "FRAME-RATE": "25.000"})
AAC = Rendition("audio", "a.m3u8", "mp4a.40.2", 100, 90, media={"NAME": '"a"', "CHANNELS": '"2"'})
AC3 = Rendition("audio", "b.m3u8", "ac-3", 300, 290, media={"NAME": '"b"', "CHANNELS": '"6"'})


def variants(text: str) -> list[tuple[str, str | None, str, str]]:
    """Return codecs, audio group, bandwidth and playlist of each variant."""
    lines = text.splitlines()
    found = []
    for line, uri in pairwise(lines):
        if line.startswith("#EXT-X-STREAM-INF:"):
            said = parse_attributes(line.partition(":")[2])
            found.append((said["CODECS"], said.get("AUDIO"), said["BANDWIDTH"], uri))
    return found


def test_each_codec_of_sound_is_a_group() -> None:
    """A variant states the codecs of its group, so sound of two codecs makes two groups, each with every video."""
    text = render_master("m.m3u8", [VIDEO, AAC, AC3])
    assert variants(text) == [
        ('"avc1.64001f,mp4a.40.2"', '"audio-mp4a"', "1000", "v.m3u8"),
        ('"avc1.64001f,ac-3"', '"audio-ac-3"', "1200", "v.m3u8"),
    ]
    assert text.count("DEFAULT=YES") == 2


def test_one_codec_is_one_group() -> None:
    """Renditions of one codec share a group; the fullest counts, and the first is the default."""
    text = render_master("m.m3u8", [VIDEO, AAC, Rendition("audio", "c.m3u8", "mp4a.40.2", 150, 140)])
    assert variants(text) == [('"avc1.64001f,mp4a.40.2"', '"audio"', "1050", "v.m3u8")]
    assert "AVERAGE-BANDWIDTH=940," in text
    assert (text.count("DEFAULT=YES"), text.count("DEFAULT=NO")) == (1, 1)


def test_video_alone_and_sound_alone() -> None:
    """Without sound, a variant has no group; without video, each sound is a variant."""
    assert variants(render_master("m.m3u8", [VIDEO])) == [('"avc1.64001f"', None, "900", "v.m3u8")]
    assert variants(render_master("m.m3u8", [AAC, AC3])) == [
        ('"mp4a.40.2"', '"audio-mp4a"', "100", "a.m3u8"),
        ('"ac-3"', '"audio-ac-3"', "300", "b.m3u8"),
    ]


def test_session_keys_stand_once() -> None:
    """A session key that several tracks state is written once (RFC 8216, clause 4.3.4.5)."""
    line = '#EXT-X-SESSION-KEY:METHOD=SAMPLE-AES,URI="skd://a"'
    assert render_master("m.m3u8", [VIDEO], [line, line]).count(line) == 1


def test_what_is_written_can_be_read() -> None:
    """The reader of the packager's playlists reads drmkit's own as well."""
    streams, media = parse_master(render_master("x/m.m3u8", [VIDEO, AAC]))
    assert streams["../v.m3u8"]["RESOLUTION"] == "1280x720"
    assert media["../a.m3u8"]["CHANNELS"] == '"2"'
    playlist = MediaPlaylist(
        2, (Segment("f.mp4", 2, 500, 100), Segment("f.mp4", 1.5, 300, 600)), Segment("f.mp4", 0, 100, 0)
    )
    assert parse_media(playlist.render("p.m3u8", ["#EXT-X-KEY:METHOD=NONE"])) == playlist


def test_bandwidth_is_that_of_segments_that_count() -> None:
    """The peak is that of a segment of at least half the target duration, if there is one."""
    short = MediaPlaylist(4, (Segment("a", 4, 4000), Segment("b", 0.1, 1000)))
    assert (short.peak, short.average) == (8000, round(5000 * 8 / 4.1))
    assert MediaPlaylist(4, (Segment("b", 0.1, 1000),)).peak == 80_000
