"""`drmkit package`: from files and a document to a stream, with real programs and the real command."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from signers import pair
from speke_requests import sandbox_options

from drmkit import cpix
from drmkit.cli.main import main
from drmkit.cpix import AudioFilter, VideoFilter
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.sandbox import Sandbox
from drmkit.secret import MASK
from drmkit.signaling import playready, widevine
from drmkit.stream.clip import VideoRendition, make_clip
from drmkit.stream.inspect import inspect_file
from drmkit.stream.model import TrackInput
from drmkit.stream.tools import find_tools

ROOT = Path(__file__).resolve().parents[2]
SD, HD, AUDIO = (KeyId(bytes([number]) * 15 + b"\x7f") for number in (1, 2, 3))
KEYS = {kid: bytes([0xC0 + kid.raw[0]]) + bytes(range(1, 16)) for kid in (SD, HD, AUDIO)}
Run = Callable[..., int]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> tuple[TrackInput, ...]:
    """Make a small clip: 36p, 720p and stereo sound."""
    folder = tmp_path_factory.mktemp("clip") / "tracks"
    video = (VideoRendition(64, 36), VideoRendition(1280, 720))
    return make_clip(folder, tools=find_tools(), seconds=2, video=video)


def document(scheme: str | None = "cbcs", *, period: bool = False) -> cpix.Document:
    """Return a document with a key for SD, HD and sound, and boxes for each key."""
    builder = cpix.Builder(content_id="clip")
    if period:
        builder.period(id="p1", index=1)
    for kid, key in KEYS.items():
        builder.content_key(kid=kid, key=key, scheme=scheme)
        for system, box in (
            (DrmSystem.WIDEVINE, widevine.pssh_box([kid], "cbcs")),
            (DrmSystem.PLAYREADY, playready.pssh_box([kid], "cbcs")),
        ):
            builder.drm_system(kid=kid, system_id=system, pssh=box.to_bytes())
    builder.usage_rule(kid=SD, intended_track_type="SD", video=[VideoFilter(max_pixels=589_824)])
    builder.usage_rule(kid=HD, intended_track_type="HD", video=[VideoFilter(min_pixels=589_825)])
    return builder.usage_rule(kid=AUDIO, intended_track_type="AUDIO", audio=[AudioFilter()]).build()


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """Write the document to a private file."""
    path = tmp_path / "keys.xml"
    path.write_bytes(document().to_xml())
    path.chmod(0o600)
    return path


@pytest.fixture
def package(tmp_path: Path, clip: tuple[TrackInput, ...]) -> Run:
    """Run the command on the clip, or on other inputs, into the folder `out`; return its exit code."""

    def runner(*options: str, inputs: Any = None, output: Path | None = None, **environ: str) -> int:
        paths = [str(track.path) for track in clip] if inputs is None else [str(path) for path in inputs]
        arguments = ("package", *paths, "--output", str(output or tmp_path / "out"), *options)
        return main(arguments, environ={"HOME": str(tmp_path), **environ})

    return runner


def forms() -> Iterator[str]:
    """Yield the written forms of the keys."""
    for key in KEYS.values():
        yield from (key.hex(), key.hex().upper())


def test_rules_give_each_track_its_key(package: Run, keys: Path, tmp_path: Path, capsys: Any) -> None:
    """The stream has both manifests, each track the key of its rule, and text says why and how it was verified."""
    assert package("--cpix", str(keys)) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert [line.split(":")[0] for line in out.splitlines() if not line.startswith(" ")] == [
        "video-36p",
        "video-720p",
        "audio-2ch",
        "DASH",
        "HLS",
    ]
    assert f"key {SD}, cbcs, Widevine, PlayReady; the usage rule in line 2 (SD) is for video up to 1024x576" in out
    assert out.count("decrypts to the source's packets with ffmpeg and with Shaka Packager, and not with a wrong") == 3
    assert f"DASH: {tmp_path / 'out' / 'manifest.mpd'}" in out
    kids = {name: inspect_file(tmp_path / "out" / f"{name}.mp4").entries[0].kid for name in ("video-36p", "audio-2ch")}
    assert kids == {"video-36p": SD, "audio-2ch": AUDIO}
    assert (tmp_path / "out" / "master.m3u8").is_file()
    assert not any(form in out for form in forms())


def test_json_tells_everything_but_the_keys(package: Run, keys: Path, tmp_path: Path, capsys: Any) -> None:
    """JSON lists tracks, keys, reasons, runs, files and proofs under stable names."""
    assert package("--cpix", str(keys), "--format", "hls,json", "--layout", "segments", "--segment-duration", "1") == 0
    text = capsys.readouterr().out
    data = json.loads(text)
    assert (data["schema_version"], data["mpd"], data["verified"], data["notes"]) == (1, None, "packets", [])
    assert data["master"] == str(tmp_path / "out" / "master.m3u8")
    first, second, third = data["tracks"]
    assert (first["track"], first["kid"], first["run"]) == ("video-36p", str(SD), 1)
    assert (first["width"], first["height"], first["fps"]) == (64, 36, 25)
    assert (second["kid"], second["run"]) == (str(HD), 2)
    assert (third["channels"], third["playlist"]) == (2, "audio-2ch.m3u8")
    assert first["files"][:2] == ["video-36p/init.mp4", "video-36p/1.m4s"]
    assert first["proof"]["same_packets"] is first["proof"]["wrong_key_differs"] is True
    assert not any(form in text for form in forms())


def test_dry_run_shows_the_plan_and_makes_nothing(package: Run, keys: Path, tmp_path: Path, capsys: Any) -> None:
    """--dry-run says track, key, rule and run, and the packager's arguments with masked keys."""
    assert package("--cpix", str(keys), "--dry-run") == 0
    out = capsys.readouterr().out
    assert out.count("packager run ") == 3
    assert out.count(f":key={MASK}") == 3
    assert f"key_id={HD.hex}" in out
    assert "--clear_lead=0" in out
    assert not any(form in out for form in forms())
    assert not (tmp_path / "out").exists()
    assert package("--cpix", str(keys), "--dry-run", "--format", "json") == 0
    data = json.loads(capsys.readouterr().out)
    assert data["dry_run"] is True
    assert [track["run"] for track in data["tracks"]] == [1, 2, 3]
    assert len(data["commands"]) == 3


def test_a_person_has_the_last_word(package: Run, keys: Path, capsys: Any) -> None:
    """--kid, --language and --track-type speak of one track by its name, or of all."""
    options = ("--kid", f"video-36p={AUDIO.hex}", "--language", "de", "--track-type", "video-720p=HD")
    assert package("--cpix", str(keys), *options, "--dry-run", "--format", "json") == 0
    small, large, sound = json.loads(capsys.readouterr().out)["tracks"]
    assert (small["kid"], small["reason"]) == (str(AUDIO), "named by --kid")
    assert large["kid"] == str(HD)
    assert (sound["language"], small["language"]) == ("de", None)
    options = ("--language", "de", "--language", "video-36p=fr")
    assert package("--cpix", str(keys), *options, "--dry-run", "--format", "json") == 0
    assert [row["language"] for row in json.loads(capsys.readouterr().out)["tracks"]] == ["fr", None, "de"]
    assert package("--cpix", str(keys), "--track-type", "AUDIO", "--dry-run") == 1
    assert "no usage rule of the document gives track video-36p a key" in capsys.readouterr().err
    assert package("--cpix", str(keys), "--track-type", "AUDIO", "--allow-clear", "--dry-run") == 0
    assert "in the clear: no usage rule gives it a key" in capsys.readouterr().out


def test_labels_reach_the_rules(package: Run, tmp_path: Path, capsys: Any) -> None:
    """A rule with a label filter applies to the tracks that bear its label."""
    builder = cpix.Builder(content_id="x").content_key(kid=SD, key=KEYS[SD], scheme="cbcs")
    (tmp_path / "labels.xml").write_bytes(builder.usage_rule(kid=SD, labels=["main"]).build().to_xml())
    options = ("--cpix", str(tmp_path / "labels.xml"), "--dry-run", "--format", "json")
    assert package(*options, "--label", "main") == 0
    assert {track["kid"] for track in json.loads(capsys.readouterr().out)["tracks"]} == {str(SD)}
    assert package(*options, "--label", "video-36p=main") == 1
    assert "gives track video-720p a key" in capsys.readouterr().err


def test_hls_without_a_key_tag_is_told_before(package: Run, keys: Path, tmp_path: Path, capsys: Any) -> None:
    """A document without DRM systems gives HLS no key tag: that is said before anything is packaged, with a way out."""
    bare = tmp_path / "bare.xml"
    bare.write_bytes(cpix.Builder(content_id="x").content_key(kid=SD, key=KEYS[SD], scheme="cbcs").build().to_xml())

    def notes(document: Path, *options: str) -> list[str]:
        assert package("--cpix", str(document), "--dry-run", "--format", "json", *options) == 0
        return [note for note in json.loads(capsys.readouterr().out)["notes"] if "has no key tag" in note]

    assert len(notes(bare)) == 3
    assert "`--format dash`" in notes(bare)[0]
    assert notes(bare, "--format", "dash") == []
    assert notes(keys) == []


def test_boxes_tell_the_scheme(package: Run, tmp_path: Path, capsys: Any) -> None:
    """Where keys state no scheme, that of their PSSH boxes is taken; another one on request, with a word."""
    path = tmp_path / "keys.xml"
    path.write_bytes(document(None).to_xml())
    assert package("--cpix", str(path), "--dry-run", "--format", "json") == 0
    assert {track["scheme"] for track in json.loads(capsys.readouterr().out)["tracks"]} == {"cbcs"}
    assert package("--cpix", str(path), "--dry-run", "--scheme", "cenc") == 0
    assert "is encrypted in cenc, but PSSH boxes of its key say cbcs" in capsys.readouterr().err


def test_encrypted_documents(package: Run, clip: tuple[TrackInput, ...], tmp_path: Path, capsys: Any) -> None:
    """Keys that are encrypted for a recipient need the recipient's private key, from a private file."""
    sealed = tmp_path / "sealed.xml"
    sealed.write_bytes(cpix.encrypt(document(), [pair().der]).to_xml())
    assert package("--cpix", str(sealed), "--dry-run") == 2
    assert "is encrypted" in capsys.readouterr().err
    pem = tmp_path / "key.pem"
    pem.write_bytes(pair().key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    pem.chmod(0o644)
    options = ("--cpix", str(sealed), "--decrypt-key", str(pem), "--verify", "none")
    assert package(*options, inputs=[clip[0].path]) == 3
    assert "chmod 600" in capsys.readouterr().err
    pem.chmod(0o600)
    assert package(*options, inputs=[clip[0].path]) == 0
    assert "decrypts to" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "code", "reason"),
    [
        ((), 2, "either --cpix FILE or --key-source"),
        (("--cpix", "{keys}", "--key-source", "drmtoday:x"), 2, "either --cpix FILE or --key-source"),
        (("--key-source", "file:x"), 2, "the key source is not known"),
        (("--key-source", "drmtoday:"), 2, "names nothing behind its colon"),
        (("--key-source", "speke:https://keys.example/"), 2, "say --asset ID"),
        (("--cpix", "{keys}", "--video-preset", "VIDEO-1"), 2, "--video-preset belong to --key-source speke:URL"),
        (("--cpix", "-", "--password-file", "-"), 2, "cannot both come from standard input"),
        (("--cpix", "{keys}", "--format", "mp4"), 2, "'mp4' is none of hls, dash, text and json"),
        (("--cpix", "{keys}", "--kid", "video-37p=1"), 2, "there is no track 'video-37p'; did you mean video-36p?"),
        (("--cpix", "{keys}", "--kid", "video-36p=1"), 2, "32 digits without dashes"),
        (("--cpix", "{keys}", "--label", "=x"), 2, "write [TRACK=]LABEL"),
        (("--cpix", "{keys}", "--language", "x,y"), 2, "'x,y' is no language tag"),
        (("--cpix", "{keys}", "--scheme", "cenc"), 1, "is for scheme cbcs, not cenc"),
        (("--cpix", "gone.xml"), 2, "gone.xml cannot be read"),
        (("--cpix", "{keys}", "--packager", "/gone"), 3, "packager is not at /gone"),
        (("--cpix", "{keys}", "--ffmpeg", "/gone"), 3, "ffmpeg is not at /gone"),
    ],
)
def test_wrong_options_are_refused(
    package: Run, keys: Path, tmp_path: Path, capsys: Any, options: tuple[str, ...], code: int, reason: str
) -> None:
    """What cannot be done is said in words, with its exit code, and nothing is made."""
    assert package(*(option.format(keys=keys) for option in options)) == code
    assert reason in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_wrong_inputs_are_refused(package: Run, keys: Path, tmp_path: Path, capsys: Any) -> None:
    """An input that is missing, a folder, no media or there twice, and an output that is there, are refused."""
    options = ("--cpix", str(keys))
    assert package(*options, inputs=[tmp_path / "gone.mp4"]) == 2
    assert "gone.mp4 does not exist" in capsys.readouterr().err
    assert package(*options, inputs=[tmp_path]) == 2
    assert "is not a file" in capsys.readouterr().err
    assert package(*options, inputs=[keys]) == 2
    assert "keys.xml cannot be read as a media file" in capsys.readouterr().err
    assert package(*options, output=tmp_path) == 2
    assert "exists and is not an empty folder" in capsys.readouterr().err
    assert package(*options, output=keys / "below") == 1
    assert f"cannot be written ({keys} is no folder)" in capsys.readouterr().err


def test_key_rotation_is_refused(package: Run, tmp_path: Path, capsys: Any) -> None:
    """A document with key periods is refused with the reason."""
    path = tmp_path / "keys.xml"
    path.write_bytes(document(period=True).to_xml())
    assert package("--cpix", str(path)) == 1
    assert "rotates its keys over 1 key period, which is not supported" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_track_without_a_key_is_refused_before_anything_is_made(package: Run, tmp_path: Path, capsys: Any) -> None:
    """The plan is made whole before the packager is started."""
    builder = cpix.Builder(content_id="x").content_key(kid=SD, key=KEYS[SD], scheme="cbcs")
    path = tmp_path / "keys.xml"
    path.write_bytes(builder.usage_rule(kid=SD, video=[VideoFilter(max_pixels=589_824)]).build().to_xml())
    assert package("--cpix", str(path)) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "no usage rule of the document gives track video-720p a key (video, 1280x720, 25 fps)" in err
    assert not (tmp_path / "out").exists()


def script(folder: Path, text: str) -> Path:
    """Write a program."""
    path = folder / "program"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_a_full_disk_is_told(package: Run, keys: Path, tmp_path: Path, capsys: Any) -> None:
    """When the packager says that it may have run out of space, that is what the error says; nothing stays."""
    real = find_tools().packager
    said = "Cannot close file out/a.mp4, possibly file permission issue or running out of disk space."
    own = script(tmp_path, f'case "$*" in *dump_stream*) exec {real} "$@";; esac; echo "{said}" >&2; exit 2')
    assert package("--cpix", str(keys), "--packager", str(own)) == 1
    assert "could not write its output: there is no space left" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["keys.xml", "program"]


def test_what_is_not_proven_does_not_stay(package: Run, keys: Path, tmp_path: Path, capsys: Any) -> None:
    """A stream that does not verify is taken away again, so that nobody takes it for a good one."""
    own = script(tmp_path, "echo 0,v,SHA256=$(od -An -tx1 -N32 /dev/urandom | tr -dc 0-9a-f)")
    assert package("--cpix", str(keys), "--ffmpeg", str(own)) == 1
    assert "drmkit: error: track video-36p" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Run the vendors on loopback."""
    with Sandbox(sandbox_options()) as running:
        yield running


def test_keys_from_an_account(package: Run, sandbox: Sandbox, tmp_path: Path, capsys: Any) -> None:
    """drmtoday:PROFILE mints a URL and ingests; the stream has keys that the key server keeps."""
    config = tmp_path / "drmkit.toml"
    config.write_text(sandbox.profile_toml())
    config.chmod(0o600)
    options = ("--key-source", "drmtoday:sandbox", "--format", "json", "--verify", "none")
    assert package(*options, DRMKIT_CONFIG=str(config)) == 2
    assert "say --asset ID" in capsys.readouterr().err
    assert package(*options, "--asset", "movie", "--dry-run", DRMKIT_CONFIG=str(config)) == 0
    (note,) = json.loads(capsys.readouterr().out)["notes"]
    assert f"would log in, take a ticket and ingest: GET {sandbox.service}/movie?ticket={MASK}" in note
    before = len(sandbox.events())
    assert package(*options, "--asset", "movie", DRMKIT_CONFIG=str(config)) == 0
    out, err = capsys.readouterr()
    assert "this is an ingest" in err
    assert len(sandbox.events()) > before
    rows = json.loads(out)["tracks"]
    assert {row["scheme"] for row in rows} == {"cbcs"}
    for row in rows:
        stored = sandbox.stored_key(KeyId.from_uuid(row["kid"]))
        assert stored is not None
        assert stored.reveal().hex() not in out + err


def test_keys_from_a_provider(
    package: Run, sandbox: Sandbox, clip: tuple[TrackInput, ...], tmp_path: Path, capsys: Any
) -> None:
    """speke:URL asks for the content's keys by presets; in cenc it leaves FairPlay out. A file may hold the URL."""
    url = f"{sandbox.url}/speke/v2.0/copyProtection"
    options = ("--asset", "movie", "--format", "json", "--verify", "none")
    assert package(f"--key-source=speke:{url}", *options, "--dry-run") == 0
    (note,) = json.loads(capsys.readouterr().out)["notes"]
    assert note == f"would ask the key provider at {sandbox.url.removeprefix('http://')} for the keys of movie"
    assert package(f"--key-source=speke:{url}", *options, "--video-preset", "VIDEO-2", inputs=[clip[0].path]) == 0
    (row,) = json.loads(capsys.readouterr().out)["tracks"]
    assert (row["scheme"], row["systems"]) == ("cbcs", ["Widevine", "PlayReady", "FairPlay"])
    assert "(SD)" in row["reason"]
    file = tmp_path / "url"
    file.write_text(url)
    file.chmod(0o600)
    other = tmp_path / "cenc"
    assert package(f"--key-source=speke:{file}", *options, "--scheme", "cenc", inputs=[clip[0].path], output=other) == 0
    (row,) = json.loads(capsys.readouterr().out)["tracks"]
    assert (row["scheme"], row["systems"]) == ("cenc", ["Widevine", "PlayReady"])


def test_a_provider_may_encrypt_its_keys(
    package: Run, sandbox: Sandbox, clip: tuple[TrackInput, ...], tmp_path: Path, capsys: Any
) -> None:
    """With a private key whose file holds its certificate, keys come encrypted for it, and are decrypted here."""
    pem = tmp_path / "key.pem"
    private = pair().key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem.write_bytes(private + pair().certificate.public_bytes(Encoding.PEM))
    pem.chmod(0o600)
    source = f"--key-source=speke:{sandbox.url}/speke/v2.0/copyProtection"
    options = (source, "--asset", "sealed", "--decrypt-key", str(pem), "--format", "json")
    assert package(*options, inputs=[clip[0].path]) == 0
    out, err = capsys.readouterr()
    (row,) = json.loads(out)["tracks"]
    stored = sandbox.stored_key(KeyId.from_uuid(row["kid"]))
    assert row["proof"]["same_packets"]
    assert stored is not None
    assert stored.reveal().hex() not in out + err


def start(*arguments: str) -> subprocess.Popen[str]:
    """Start the program in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "drmkit", *arguments],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": "/nowhere"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Wait until something is so, as long as the program runs."""
    while not condition():
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupt_leaves_nothing(clip: tuple[TrackInput, ...], keys: Path, tmp_path: Path, number: int) -> None:
    """Ctrl-C, and a terminal that closes, end the packager too: no file, no folder and no process is left."""
    real = find_tools().packager
    # The packager says its process ID, and works for ever; its flags, keys and all, stay unread in the pipe.
    look = f'case "$*" in *dump_stream*) exec {real} "$@";; esac'
    tell = f"echo $$ >{tmp_path}/pid.tmp; mv {tmp_path}/pid.tmp {tmp_path}/pid"
    own = script(tmp_path, f"{look}; touch out/half.mp4; {tell}; exec sleep 600")
    process = start(
        *("package", str(clip[0].path), "--cpix", str(keys), "--output", str(tmp_path / "out")),
        *("--packager", str(own)),
    )
    pid = tmp_path / "pid"
    wait_for(pid.exists, process)
    child = Path("/proc") / pid.read_text().strip()
    assert child.exists()
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert "interrupted" in err or "terminated" in err
    assert "Traceback" not in err
    assert not child.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["keys.xml", "pid", "program"]


def test_no_process_has_a_key_in_its_arguments(clip: tuple[TrackInput, ...], keys: Path, tmp_path: Path) -> None:
    """While the command packages and verifies, /proc shows no key among the arguments of drmkit and its children."""
    process = start(
        *("package", *(str(track.path) for track in clip), "--cpix", str(keys)),
        *("--output", str(tmp_path / "out"), "--verify", "frames"),
    )
    seen: set[str] = set()
    while process.poll() is None:
        for task in Path(f"/proc/{process.pid}/task").glob("*/children"):
            try:
                children = [process.pid, *map(int, task.read_text().split())]
                seen |= {(Path("/proc") / str(one) / "cmdline").read_text() for one in children}
            except (OSError, UnicodeDecodeError):
                continue  # it has ended by now
    out, err = process.communicate()
    assert process.returncode == 0, err
    assert any("--protection_scheme=cbcs" in text and "/dev/fd/" in text for text in seen)
    assert any("streamhash" in text for text in seen)
    assert any("raw_key_decryption" in text for text in seen)
    assert not any(form in text for form in forms() for text in (*seen, out, err))
