"""`drmkit play`: what it serves, opens and prints, how it ends, and what it says where something is missing."""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import Browser, Page
from streams import Stream, Streams

from drmkit import cpix
from drmkit.cli.main import main
from drmkit.identifiers import KeyId
from drmkit.sandbox import Sandbox
from drmkit.secret import Secret

ORGANIZATION = "6f1c1bb8-3a0e-4a53-bd3c-2c5a4d8f7a10"
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start `drmkit play` in an empty folder; it is stopped with the test."""
    running: list[subprocess.Popen[str]] = []

    def starter(*arguments: str | Path, **environ: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "drmkit", "play", *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), **environ},
        )
        running.append(process)
        return process

    yield starter
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def stream(streams: Streams) -> Stream:
    """An encrypted stream whose document lies in its folder, as people leave it there."""
    made = streams.get("cenc", each=False)
    (made.folder / "cpix.xml").write_bytes(made.document.to_xml())
    return made


def first_line(process: subprocess.Popen[str]) -> str:
    """The first line on standard output."""
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    assert line, process.communicate()[1]
    return line


def test_a_local_stream_plays_with_its_document(
    start: Start, browser: Browser, stream: Stream, player_js: Path
) -> None:
    """The printed URL plays; the document in the folder is not served; Ctrl-C ends it cleanly and frees the port."""
    process = start(
        stream.folder / "manifest.mpd", "--cpix", stream.folder / "cpix.xml", "--no-open", "--player-js", player_js
    )
    url = first_line(process)
    base = url.partition("/player/")[0]

    def look(page: Page) -> tuple[dict[str, Any], int]:
        state = page.until_moving()
        return state, page.raw.request.get(f"{base}/media/cpix.xml").status

    state, status = browser.visit(url, look)
    assert state["keys"] == {kid.hex: "usable" for kid in stream.keys}
    assert status == 404
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert (process.returncode, "the player has stopped" in told, "Traceback" in told) == (0, True, False)
    with socket.create_server(("127.0.0.1", int(base.rpartition(":")[2]))):
        pass


def test_the_browser_that_is_set_is_started_with_a_link_that_works_once(
    start: Start, browser: Browser, stream: Stream, player_js: Path, tmp_path: Path
) -> None:
    """BROWSER names what is started; its link plays, and holds no session that others could read from its arguments."""
    seen = tmp_path / "seen"
    os.mkfifo(seen)
    script = tmp_path / "browser"
    script.write_text(f'#!/bin/sh\necho "$1" > {seen}\n', encoding="utf-8")
    script.chmod(0o755)
    key_file = tmp_path / "keys.txt"
    key_file.write_text("".join(f"{kid}:{key.reveal().hex()}\n" for kid, key in stream.keys.items()), encoding="utf-8")
    key_file.chmod(0o600)
    process = start(
        stream.folder / "master.m3u8", "--key-file", key_file, BROWSER=str(script), DRMKIT_PLAYER_JS=str(player_js)
    )
    printed = first_line(process)
    opened = seen.read_text(encoding="utf-8").strip()
    session = printed.partition("#session=")[2]
    assert session
    assert session not in opened
    assert "#code=" in opened
    assert browser.visit(opened, Page.until_moving)["type"] == "HLS"
    assert browser.visit(opened, Page.until_failed)["title"] == "This page has no session"
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0


def test_without_shaka_player_the_command_says_how_to_get_it(start: Start, stream: Stream) -> None:
    """It serves on, since the page can be reloaded once npm has done its work."""
    process = start(stream.folder / "manifest.mpd", "--no-open", "--format", "json")
    assert process.stderr is not None
    assert "npm install shaka-player" in process.stderr.readline()
    assert process.stdout is not None
    lines = []
    while not lines or lines[-1] != "}\n":
        lines.append(process.stdout.readline())
    data = json.loads("".join(lines))
    assert (data["schema_version"], data["manifest"]) == (1, "/media/manifest.mpd")
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0


def test_a_sandboxs_stream_opens_on_its_own_page(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    """A URL below a running sandbox's /media/ needs no second server: the command prints its page and ends."""
    with Sandbox() as sandbox:
        assert run("play", f"{sandbox.url}/media/bucket/a.mpd", "--no-open") == 0
        assert capsys.readouterr().out == f"{sandbox.url}/player/?manifest=%2Fmedia%2Fbucket%2Fa.mpd\n"


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """A manifest that could be played."""
    file = tmp_path / "a.mpd"
    file.write_bytes(b"<MPD/>")
    return file


def encrypted() -> bytes:
    """A document whose key nobody here can read."""
    root = Path(__file__).resolve().parents[2] / "cpix_samples"
    return next(path for path in sorted(root.rglob("*.xml")) if b"EncryptedValue" in path.read_bytes()).read_bytes()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 2, "name a MANIFEST"),
        (("missing.mpd",), 2, "cannot be read (No such file or directory)"),
        (("folder",), 2, "is a folder"),
        (("notes.mpd",), 2, "is no DASH or HLS manifest"),
        (("a.mpd", "--cpix", "missing.xml"), 2, "missing.xml cannot be read"),
        (("a.mpd", "--cpix", "notes.mpd"), 2, "notes.mpd"),
        (("a.mpd", "--cpix", "encrypted.xml"), 2, "is encrypted"),
        (("a.mpd", "--cpix", "a.xml", "--license", "https://lic.example/"), 2, "one place"),
        (("a.mpd", "--key-file", "open.txt"), 3, "open to other users"),
        (("a.mpd", "--key-file", "missing.txt"), 3, "missing.txt"),
        (("a.mpd", "--license", "lic.example"), 2, "no http or https URL"),
        (("ftp://host/a.mpd",), 2, "no http or https URL"),
        (("a.mpd", "--root", "folder"), 2, "does not lie in"),
        ((".hidden.mpd",), 2, "is hidden"),
        (("a.mpd", "--player-js", "missing.js"), 3, "where Shaka Player is not"),
        (("a.mpd", "--user-id", "u"), 2, "goes with --print-drmtoday"),
        (("a.mpd", "--port", "70000"), 2, "70000 is not in the range"),
        (("http://127.0.0.1:1/media/a.mpd",), 69, "the sandbox"),
    ],
    ids=lambda value: value[-1] if isinstance(value, tuple) and value else None,
)
def test_what_cannot_be_played_is_said_before_anything_starts(
    run: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    manifest: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    code: int,
    words: str,
) -> None:
    """Each mistake has its sentence and its exit code, and nothing is printed as if it worked."""
    folder = manifest.parent
    monkeypatch.chdir(folder)
    (folder / "folder").mkdir()
    (folder / "notes.mpd").write_text("notes", encoding="utf-8")
    (folder / ".hidden.mpd").write_bytes(b"<MPD/>")
    (folder / "open.txt").write_text("x", encoding="utf-8")
    (folder / "open.txt").chmod(0o644)
    (folder / "encrypted.xml").write_bytes(encrypted())
    assert run("play", *arguments, "--no-open") == code
    told = capsys.readouterr()
    assert words in told.err
    assert told.out == ""


def test_a_port_that_is_taken(run: Callable[..., int], capsys: pytest.CaptureFixture[str], manifest: Path) -> None:
    """The port and the reason are named."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert run("play", str(manifest), "--no-open", "--port", port) == 3
    told = capsys.readouterr().err
    assert f"the player cannot listen on 127.0.0.1 port {port}" in told
    assert "choose another port" in told


def test_a_document_with_a_broken_key_is_refused(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str], manifest: Path
) -> None:
    """A key of the wrong length is named by its key ID, and not shown."""
    builder = cpix.Builder(version="2.3")
    kid = KeyId(bytes(range(16)))
    builder.content_key(kid=kid, key=Secret(b"\xca" * 16), scheme="cenc")
    text = builder.build().to_xml().replace(base64.b64encode(b"\xca" * 16), base64.b64encode(b"\xca" * 15))
    document = manifest.parent / "a.xml"
    document.write_bytes(text)
    assert run("play", str(manifest), "--cpix", str(document), "--no-open") == 2
    told = capsys.readouterr().err
    assert f"the key of key ID {kid} is not 16 bytes" in told
    assert "yso" not in told


def test_the_fields_of_drmtodays_test_player(run: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    """Environment, merchant, user, session and asset as the vendor's page names them, and the license servers."""
    drmtoday = {"environ": {"DRMTODAY_ORGANIZATION": ORGANIZATION, "DRMTODAY_ENVIRONMENT": "staging"}}
    ids = ("--user-id", "u-1", "--session-id", "s-1", "--asset-id", "movie-1")
    assert main(("play", "--print-drmtoday", *ids, "--format", "json"), **drmtoday) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["test_player"] == {
        "drm_environment": "DRMtoday STAGING",
        "merchant": ORGANIZATION,
        "user_id": "u-1",
        "session_id": "s-1",
        "asset_id": "movie-1",
    }
    assert data["license_servers"]["fairplay"] == "https://lic.staging.drmtoday.com/license-server-fairplay/"
    header = json.loads(base64.b64decode(data["headers"]["x-dt-custom-data"]))
    assert header == {"merchant": ORGANIZATION, "userId": "u-1", "sessionId": "s-1"}
    assert main(("play", "--print-drmtoday"), **drmtoday) == 0
    shown = capsys.readouterr().out
    assert "Merchant          6f1c1bb8" in shown
    assert "ResourceId" in shown
    assert main(("play", "--print-drmtoday"), environ={}) == 3
    assert "organization" in capsys.readouterr().err
    assert run("play", "--print-drmtoday") == 3
    assert "which is not DRMtoday" in capsys.readouterr().err
