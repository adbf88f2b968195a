"""AES-128 by ffmpeg's HLS demuxer: what drmkit and others encrypt, under the right key and under a wrong one."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from drmkit.errors import InputError, PackagingError
from drmkit.secret import Secret
from drmkit.stream.aes128 import package_aes128
from drmkit.stream.decrypt import frame_hashes, packet_hashes
from drmkit.stream.hlsdecrypt import hls_hashes
from drmkit.stream.model import OutputFormat, TrackInput
from drmkit.stream.tools import Tools

KEY, WRONG = Secret(bytes(range(100, 116))), Secret(bytes(range(16)))


@pytest.mark.parametrize("iv", [None, bytes(range(16))])
def test_ffmpeg_decrypts_what_was_packaged(
    tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path, iv: bytes | None
) -> None:
    """Packets and frames are the source's with the key, by IVs and by sequence numbers; with another key none are."""
    form = OutputFormat("segments", 2)
    where = tmp_path / "it's a, folder"
    made = package_aes128(
        clip, where, key=KEY, iv=iv, key_uri="https://keys.example/1", container="mp4", tools=tools, form=form
    )
    for item in made.tracks:
        track = item.planned.track
        assert item.playlist is not None
        wanted = packet_hashes(track.path, kind=track.kind, tools=tools)
        assert hls_hashes(item.playlist, KEY, kind=track.kind, tools=tools) == wanted
        shown = frame_hashes(track.path, kind=track.kind, tools=tools)
        assert hls_hashes(item.playlist, KEY, kind=track.kind, tools=tools, frames=True) == shown
        with pytest.raises(PackagingError) as caught:
            hls_hashes(item.playlist, WRONG, kind=track.kind, tools=tools)
        assert WRONG.reveal().hex() not in str(caught.value)


def test_ffmpeg_decrypts_what_it_encrypted_itself(tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path) -> None:
    """MPEG-TS that ffmpeg encrypts with its key info file has the packets of what it writes in the clear."""
    (tmp_path / "key").write_bytes(KEY.reveal())
    (tmp_path / "info").write_text(f"key\n{tmp_path}/key\n")
    base = [str(tools.ffmpeg), "-v", "error", "-i", str(clip[0].path), "-c", "copy", "-f", "hls", "-hls_time", "2"]
    for name, more in (("clear", []), ("hidden", ["-hls_key_info_file", str(tmp_path / "info")])):
        target = [
            "-hls_playlist_type",
            "vod",
            "-hls_segment_filename",
            f"{tmp_path}/{name}%d.ts",
            f"{tmp_path}/{name}.m3u8",
        ]
        subprocess.run([*base, *more, *target], check=True, timeout=60)
    hidden = hls_hashes(tmp_path / "hidden.m3u8", KEY, tools=tools)
    assert hidden == hls_hashes(tmp_path / "clear.m3u8", KEY, tools=tools)


def test_what_cannot_be_read_is_refused(tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path) -> None:
    """A missing playlist, a missing segment and byte ranges are each refused with the reason."""
    with pytest.raises(InputError, match=r"gone\.m3u8 cannot be read"):
        hls_hashes(tmp_path / "gone.m3u8", KEY, tools=tools)
    playlist = tmp_path / "p.m3u8"
    playlist.write_text("#EXTM3U\n#EXTINF:2,\nnot%20here.ts\n")
    with pytest.raises(InputError, match=r"not here\.ts does not exist"):
        hls_hashes(playlist, KEY, tools=tools)
    made = package_aes128(
        clip[:1],
        tmp_path / "out",
        key=KEY,
        iv=None,
        key_uri="k",
        container="mp4",
        tools=tools,
        form=OutputFormat("file"),
    )
    assert made.tracks[0].playlist is not None
    with pytest.raises(InputError, match="has byte ranges, which ffmpeg does not decrypt"):
        hls_hashes(made.tracks[0].playlist, KEY, tools=tools)
