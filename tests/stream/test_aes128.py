"""HLS with whole segments encrypted by AES-128, read back by ffmpeg as a player would."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drmkit.errors import InputError, PackagingError, SignalingError
from drmkit.secret import Secret
from drmkit.stream.aes128 import decrypt_segment, encrypt_segment, package_aes128, segment_iv
from drmkit.stream.model import OutputFormat, TrackInput
from drmkit.stream.naming import Naming
from drmkit.stream.packager import PackagedStream
from drmkit.stream.process import run
from drmkit.stream.tools import Tools

KEY = Secret(bytes(range(100, 116)))
IV = bytes(range(16))


class Files(BaseHTTPRequestHandler):
    """Serves a folder with byte ranges, and the key beside it."""

    root: Path
    key: bytes

    def do_GET(self) -> None:
        """Answer with the file, or with a part of it."""
        data = self.key if self.path == "/key" else (self.root / self.path.lstrip("/")).read_bytes()
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if match:
            size = len(data)
            data = data[int(match[1]) : int(match[2]) + 1 if match[2] else None]
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {match[1]}-{int(match[1]) + len(data) - 1}/{size}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def served(root: Path, key: bytes) -> Iterator[str]:
    """Yield the URL under which a folder is served on loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Served", (Files,), {"root": root, "key": key}))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def frames(source: str, kind: str, tools: Tools, *, edits: bool = True) -> str:
    """Return the hash of all decoded frames of a source's first video or sound."""
    argv: list[Any] = [tools.ffmpeg, "-nostdin", "-v", "error", "-xerror"]
    argv += [] if edits else ["-ignore_editlist", "1"]
    argv += ["-i", source, "-map", f"0:{kind[0]}:0", "-f", "streamhash", "-hash", "sha256", "-"]
    return run(argv, timeout=60).stdout


def package(tools: Tools, tracks: tuple[TrackInput, ...], folder: Path, **options: Any) -> PackagedStream:
    """Package with the key and IV of this module, unless others are given."""
    defaults: dict[str, Any] = {"key": KEY, "iv": IV, "key_uri": "/key", "container": "ts"}
    return package_aes128(tracks, folder / "out", tools=tools, **{**defaults, **options})


@pytest.mark.parametrize("iv", [IV, None])
@pytest.mark.parametrize("layout", ["segments", "file"])
@pytest.mark.parametrize("container", ["ts", "mp4"])
def test_players_get_the_sources_frames(
    tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path, container: str, layout: str, iv: bytes | None
) -> None:
    """Fetched from a server with the key, every track decodes to the source's frames; with another key it does not."""
    form = OutputFormat(layout, 2)  # type: ignore[arg-type] - one of two words
    made = package(tools, clip[1:], tmp_path, container=container, form=form, iv=iv)
    assert made.mpd is None
    assert made.master is not None
    with served(made.folder, KEY.reveal()) as url:
        for item in made.tracks:
            assert item.playlist is not None
            track = item.planned.track
            # MPEG-TS has no edit list to hide the encoder's first samples with.
            edits = container == "mp4" or track.kind == "video"
            expected = frames(str(track.path), track.kind, tools, edits=edits)
            assert frames(f"{url}/{item.playlist.name}", track.kind, tools) == expected
            assert item.playlist.name in made.master.read_text()
    video = made.tracks[0]
    assert video.playlist is not None
    with served(made.folder, bytes(16)) as url:
        try:
            assert frames(f"{url}/{video.playlist.name}", "video", tools) != frames(str(clip[1].path), "video", tools)
        except Exception as error:  # noqa: BLE001 - most wrong keys fail in ffmpeg
            assert "exit code" in str(error)  # noqa: PT017
    raw = [path.read_bytes() for path in made.folder.rglob("*") if path.is_file()]
    assert not any(KEY.reveal() in data or KEY.reveal().hex().encode() in data for data in raw)


def test_playlists_say_where_the_key_is(tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path) -> None:
    """One key tag stands behind the initialization section, which is clear, and before all segments."""
    uri = "https://keys.example/7?a=1&b=2"
    made = package(tools, clip[:1], tmp_path, container="mp4", key_uri=uri, form=OutputFormat("segments", 2))
    assert made.tracks[0].playlist is not None
    lines = made.tracks[0].playlist.read_text().splitlines()
    assert lines[5:8] == [
        '#EXT-X-MAP:URI="video-180p/init.mp4"',
        f'#EXT-X-KEY:METHOD=AES-128,URI="{uri}",IV=0x{IV.hex().upper()}',
        "#EXTINF:2.000,",
    ]
    init, *segments = (path.read_bytes() for path in made.tracks[0].files)
    assert init[4:8] == b"ftyp"
    assert len(segments) == 2
    for data in segments:
        clear = decrypt_segment(data, KEY, IV)
        assert clear is not None
        assert clear[4:8] == b"styp"
        assert len(data) % 16 == 0 < len(data) - len(clear) <= 16


def test_without_an_iv_the_sequence_number_is_it(tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path) -> None:
    """Where no IV is stated, segment n has the IV n, and the tag has none."""
    made = package(tools, clip[:1], tmp_path, iv=None, form=OutputFormat("segments", 2))
    assert made.tracks[0].playlist is not None
    assert '#EXT-X-KEY:METHOD=AES-128,URI="/key"\n' in made.tracks[0].playlist.read_text()
    assert "#EXT-X-MEDIA-SEQUENCE:0\n" in made.tracks[0].playlist.read_text()
    for number, path in enumerate(made.tracks[0].files):
        clear = decrypt_segment(path.read_bytes(), KEY, number.to_bytes(16, "big"))
        assert clear is not None
        assert clear[0] == clear[188] == 0x47


def test_names_become_those_of_transport_streams(tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path) -> None:
    """The names of MPEG-TS end in .ts; nothing else is in the folder, and empty folders are gone."""
    made = package(tools, clip[:1], tmp_path / "a", form=OutputFormat("segments", 2))
    assert sorted(path.relative_to(made.folder).as_posix() for path in made.folder.rglob("*.*")) == [
        "master.m3u8",
        "video-180p.m3u8",
        "video-180p/1.ts",
        "video-180p/2.ts",
    ]
    form = OutputFormat("file", 2, names=Naming(file="v/{index}.mp4"))
    made = package(tools, clip[:1], tmp_path / "b", form=form)
    assert sorted(path.relative_to(made.folder).as_posix() for path in made.folder.rglob("*")) == [
        "master.m3u8",
        "v",
        "v/0.ts",
        "video-180p.m3u8",
    ]


@pytest.mark.parametrize(
    ("options", "error", "reason"),
    [
        ({"key": Secret(bytes(15))}, InputError, "the key has 15 bytes"),
        ({"iv": bytes(8)}, InputError, "the IV has 8 bytes"),
        ({"container": "webm"}, InputError, "ts or mp4, not 'webm'"),
        ({"key_uri": 'a"b'}, SignalingError, "attribute list is malformed"),
        ({"key_uri": "a\nb"}, SignalingError, "attribute list is malformed"),
        ({"key_uri": ""}, SignalingError, "URI is missing"),
        ({"tracks": ()}, InputError, "no track to package"),
    ],
)
def test_what_cannot_be_is_refused(
    tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path, options: Any, error: Any, reason: str
) -> None:
    """A key, IV, container or key URI that cannot be used is refused before anything is written."""
    tracks = options.pop("tracks", clip)
    with pytest.raises(error, match=reason):
        package(tools, tracks, tmp_path, **options)
    assert list(tmp_path.iterdir()) == []


def test_codecs_that_transport_streams_do_not_carry(tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path) -> None:
    """A codec that the packager cannot put into MPEG-TS is told in words; fragmented MP4 takes it."""
    source = tmp_path / "in" / "a.mp4"
    source.parent.mkdir()
    argv: list[Any] = [tools.ffmpeg, "-nostdin", "-v", "error", "-i", clip[2].path, "-c:a", "flac", source]
    run(argv, timeout=60)
    tracks = (TrackInput(source, "audio", "a"),)
    with pytest.raises(PackagingError, match="a codec that the packager does not put into MPEG-TS") as caught:
        package(tools, tracks, tmp_path)
    assert "fragmented MP4" in str(caught.value.hint)
    assert package(tools, tracks, tmp_path, container="mp4").tracks[0].files


@given(data=st.binary(max_size=100), number=st.integers(0, 2**64))
def test_segments_come_back(data: bytes, number: int) -> None:
    """What was encrypted decrypts with the same key and IV, and with another IV to something else or nothing."""
    iv = segment_iv(None, number)
    sealed = encrypt_segment(data, KEY, iv)
    assert decrypt_segment(sealed, KEY, iv) == data
    assert decrypt_segment(sealed, KEY, segment_iv(bytes(15) + b"\xff", 0)) != data or not data or iv[-1] == 0xFF
    assert segment_iv(IV, number) == IV
    assert decrypt_segment(sealed[:-1], KEY, iv) is None
