"""`drmkit cpix new`, `export` and `fetch`: content keys go to private files, or to the screen only when asked for."""

from __future__ import annotations

import json
import stat
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from scripted import Answer, ScriptedServer

from drmkit import cpix
from drmkit.cli.cpix import cpix as group
from drmkit.cli.cpix_new import SKELETON
from drmkit.cli.main import main
from drmkit.cli.output import App
from drmkit.errors import ConfigurationError, CpixError, InputError, ProtocolError, ServiceRejectedError
from drmkit.sandbox import Sandbox

SAMPLES = Path(__file__).resolve().parents[2] / "cpix_samples"
TRACKS = str(SAMPLES / "valid" / "tracks-cenc-2.3.xml")
TICKET = "cAnArY-123"
KEY = "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"


def run(*arguments: str, data: bytes | None = None) -> Result:
    """Run `drmkit cpix` with arguments."""
    return CliRunner().invoke(group, list(arguments), obj=App(environ={}), input=data, catch_exceptions=False)


def keys_of(data: bytes) -> list[str]:
    """The content keys of a document in hexadecimal."""
    return [key.key.reveal().hex() for key in cpix.parse(data).content_keys if key.key is not None]


def mode(path: Path) -> int:
    """The permissions of a file."""
    return stat.S_IMODE(path.stat().st_mode)


# new --------------------------------------------------------------------------------------------------------------


def test_new_prints_a_skeleton_that_builds(tmp_path: Path) -> None:
    """What --skeleton prints, --from takes; the document goes to a private file and is valid."""
    spec, output = tmp_path / "spec.toml", tmp_path / "movie.xml"
    spec.write_text(run("new", "--skeleton").stdout, encoding="utf-8")
    assert spec.read_text(encoding="utf-8") == SKELETON
    done = run("new", "--from", str(spec), "--output", str(output))
    assert done.stdout == ""
    assert "3 content keys" in done.stderr
    assert mode(output) == 0o600
    cpix.check(output.read_bytes())


def test_new_prints_keys_only_when_told() -> None:
    """Standard output gets a document with keys only with --reveal; one without keys it gets at once."""
    text = f'[[key]]\nkid = "b4c3188b-eddd-453d-9bc2-1cbca7566239"\nkey = "{KEY}"'.encode()
    done = run("new", "--from", "-", data=text)
    assert done.exit_code == 2
    assert "--output" in done.stderr
    assert done.stdout == ""
    assert keys_of(run("new", "--from", "-", "--reveal", data=text).stdout.encode()) == [KEY]
    request = run("new", "--from", "-", data=b"request = true\n[[key]]")
    assert request.exit_code == 0
    assert keys_of(request.stdout.encode()) == []


def test_new_needs_one_of_two() -> None:
    """Neither, or both, of --from and --skeleton is a usage error."""
    assert run("new").exit_code == 2
    assert run("new", "--skeleton", "--from", "x").exit_code == 2


def test_new_passes_on_what_is_wrong(tmp_path: Path) -> None:
    """An error of the specification comes out with its place, and nothing is written."""
    spec = tmp_path / "spec.toml"
    spec.write_text('[[key]]\ntrak = "SD"', encoding="utf-8")
    with pytest.raises(CpixError, match="no setting 'trak'"):
        run("new", "--from", str(spec), "--output", str(tmp_path / "out.xml"))
    assert not (tmp_path / "out.xml").exists()


# export -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("to", ["shaka", "ffmpeg", "bento4", "clearkey", "json"])
def test_export_needs_a_place_for_the_keys(to: str, tmp_path: Path) -> None:
    """Without --output or --reveal nothing happens; the file is private; notes go to standard error."""
    done = run("export", TRACKS, "--to", to)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "--reveal" in done.stderr
    shown = run("export", TRACKS, "--to", to, "--reveal", "--own-pssh")
    assert shown.exit_code == 0
    assert "note:" not in shown.stdout
    output = tmp_path / "keys"
    done = run("export", TRACKS, "--to", to, "--own-pssh", "--output", str(output))
    assert done.stdout == ""
    assert mode(output) == 0o600
    assert output.read_text(encoding="utf-8") == shown.stdout
    assert not any(key in done.stderr for key in keys_of(Path(TRACKS).read_bytes()))


def test_export_numbers_the_files_of_several_runs(tmp_path: Path) -> None:
    """Where it takes several packager runs, each gets a file of its own, all private."""
    done = run("export", TRACKS, "--to", "shaka", "--output", str(tmp_path / "keys.flags"))
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["keys.1.flags", "keys.2.flags", "keys.3.flags"]
    assert {mode(file) for file in files} == {0o600}
    assert "3 runs of the packager" in done.stderr
    labels = [file.read_text(encoding="utf-8").split("--keys=label=")[1].split(":")[0] for file in files]
    assert labels == ["AUDIO", "SD", "HD"]


def test_export_takes_options() -> None:
    """--for, --period, --arguments and --track-id reach the export."""
    rotation = str(SAMPLES / "best-practice" / "KeyRotationIndex.xml")
    assert (
        "--enable_raw_key_decryption" in run("export", TRACKS, "--to", "shaka", "--for", "decrypt", "--reveal").stdout
    )
    line = run("export", rotation, "--to", "shaka", "--period", "p2", "--arguments", "--reveal").stdout
    assert line.startswith("--enable_raw_key_encryption ")
    assert (
        "--key 7:" in run("export", rotation, "--to", "bento4", "--period", "p1", "--track-id", "7", "--reveal").stdout
    )


def test_export_replaces_a_file_as_a_whole(tmp_path: Path) -> None:
    """A failing export leaves what was there before."""
    output = tmp_path / "keys"
    output.write_text("old", encoding="utf-8")
    with pytest.raises(CpixError, match="is encrypted"):
        run("export", str(SAMPLES / "valid" / "encrypted-2.4.xml"), "--to", "json", "--output", str(output))
    assert output.read_text(encoding="utf-8") == "old"


# fetch ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[tuple[Sandbox, list[str]]]:
    """The vendors, and the options that name a configuration for them."""
    with Sandbox() as running:
        config = tmp_path / "config.toml"
        config.write_text(running.profile_toml(), encoding="utf-8")
        config.chmod(0o600)
        yield running, ["--config", str(config)]


def _profile_name(config: str) -> str:
    line = next(line for line in Path(config).read_text(encoding="utf-8").splitlines() if line.startswith("[profile."))
    return line.strip("[]").split(".")[1]


def test_fetch_logs_in_and_stores_the_document(sandbox: tuple[Sandbox, list[str]], tmp_path: Path, capsys: Any) -> None:
    """From an account: a ticket is taken, the ingest is announced, the document is private, its keys are not shown."""
    _, options = sandbox
    output = tmp_path / "movie.xml"
    source = f"drmtoday:{_profile_name(options[1])}"
    assert main([*options, "cpix", "fetch", source, "--output", str(output)], environ={"HOME": str(tmp_path)}) == 0
    shown = capsys.readouterr()
    assert "this is an ingest" in shown.err
    assert "valid" in shown.err
    assert shown.out == ""
    assert mode(output) == 0o600
    assert keys_of(output.read_bytes())
    assert not any(key in shown.err for key in keys_of(output.read_bytes()))


def test_fetch_says_what_it_would_do(sandbox: tuple[Sandbox, list[str]], tmp_path: Path, capsys: Any) -> None:
    """--dry-run calls nobody, and needs no place for the keys."""
    running, options = sandbox
    source = f"drmtoday:{_profile_name(options[1])}"
    assert main([*options, "cpix", "fetch", source, "--dry-run"], environ={"HOME": str(tmp_path)}) == 0
    text = capsys.readouterr().out
    assert "would log in" in text
    assert "ticket=**********" in text
    assert not [event for event in running.events() if event.role != "health"]


def test_fetch_takes_the_stored_url(sandbox: tuple[Sandbox, list[str]], tmp_path: Path, capsys: Any) -> None:
    """--url-file takes what `key-url refresh` wrote."""
    _, options = sandbox
    stored, output = tmp_path / "url.json", tmp_path / "movie.xml"
    environ = {"HOME": str(tmp_path)}
    assert main([*options, "key-url", "refresh", "--output", str(stored)], environ=environ) == 0
    assert main(["cpix", "fetch", "--url-file", str(stored), "--output", str(output)], environ=environ) == 0
    assert keys_of(output.read_bytes())
    assert "ticket=ST" not in capsys.readouterr().err


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A key server that answers what a test says."""
    with ScriptedServer(lambda _: Answer(body=Path(TRACKS).read_bytes())) as running:
        yield running


def test_fetch_from_a_url(server: ScriptedServer) -> None:
    """A URL is called as it is; one with a query on the command line is warned about, on standard input it is not."""
    url = f"{server.url}/cpix?ticket=cAnArY"
    done = run("fetch", url, "--reveal")
    assert keys_of(done.stdout.encode()) == keys_of(Path(TRACKS).read_bytes())
    assert "shows in the process list" in done.stderr
    assert "cAnArY" not in done.stderr
    assert server.requests[0].target == "/cpix?ticket=cAnArY"
    quiet = run("fetch", "-", "--reveal", data=f"{url}\n".encode())
    assert keys_of(quiet.stdout.encode())
    assert "process list" not in quiet.stderr


def test_fetch_keeps_a_faulty_document_and_says_so(server: ScriptedServer, tmp_path: Path) -> None:
    """A document that is not valid is stored as it came, and its errors are counted."""
    faulty = (SAMPLES / "invalid" / "kid-duplicate.xml").read_bytes()
    server.respond = lambda _: Answer(body=faulty)
    done = run("fetch", server.url, "--output", str(tmp_path / "x.xml"))
    assert "NOT VALID, 1 error:" in done.stderr
    assert (tmp_path / "x.xml").read_bytes() == faulty


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (Answer(body=b"<mpd/>"), ProtocolError, "no CPIX document"),
        (Answer(body=b"<html>no</html>"), ProtocolError, "HTML"),
        (Answer(403), ServiceRejectedError, "refused the ticket"),
    ],
)
def test_fetch_stores_nothing_else(
    server: ScriptedServer, tmp_path: Path, answer: Answer, error: type[Exception], words: str
) -> None:
    """What is no CPIX document, or a refusal, is an error; nothing is written, and no ticket is in the traceback."""
    server.respond = lambda _: answer
    with pytest.raises(error, match=words) as caught:
        run("fetch", f"{server.url}/?ticket={TICKET}", "--output", str(tmp_path / "x.xml"))
    assert not (tmp_path / "x.xml").exists()
    assert TICKET not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "either a source or --url-file"),
        (("drmtoday:x", "--url-file", "y", "--reveal"), "either a source or --url-file"),
        (("https://key.example/",), "--reveal"),
        (("drmtoday:", "--reveal"), "name the account's profile"),
    ],
)
def test_fetch_needs_one_source_and_one_place(arguments: tuple[str, ...], words: str) -> None:
    """Neither a source nor a place for the keys is guessed."""
    done = run("fetch", *arguments)
    assert done.exit_code == 2
    assert words in done.stderr


@pytest.mark.parametrize(
    "source", ["file:///etc/passwd", "ftp://x/", "https://", "movie.xml", "https://[x/", "https://a b/"]
)
def test_fetch_refuses_what_is_no_key_server(source: str) -> None:
    """Only accounts and http URLs are sources; the message does not repeat what may hold a ticket."""
    with pytest.raises(InputError, match="neither drmtoday:PROFILE nor the URL") as caught:
        run("fetch", source, "--reveal")
    assert source not in caught.value.message


def test_fetch_knows_its_profiles(tmp_path: Path) -> None:
    """A profile that does not exist is a configuration error; an expired stored URL is told."""
    with pytest.raises(ConfigurationError):
        run("fetch", "drmtoday:nobody", "--reveal")
    stored = tmp_path / "url.json"
    stored.write_text(
        json.dumps(
            {
                "schema_version": 1,
                "url": "https://key.example/x?ticket=cAnArY",
                "issued_at": "2020-01-01T00:00:00Z",
                "expires_at": "2020-01-01T01:00:00Z",
            }
        ),
        encoding="utf-8",
    )
    with pytest.raises(InputError, match="has expired"):
        run("fetch", "--url-file", str(stored), "--reveal")
    assert "would ingest: GET the URL in" in run("fetch", "--url-file", str(stored), "--dry-run").stdout
    plan = run("fetch", "https://key.example/x?ticket=cAnArY", "--dry-run").stdout
    assert plan == "would ingest: GET https://key.example/**********\n"


def test_every_command_of_the_group_has_help() -> None:
    """Each command is there and tells what it does, without reading anything."""
    listed = run("--help").stdout
    for name in ("new", "validate", "rules", "show", "resolve", "export", "fetch"):
        assert name in listed
        assert run(name, "--help").exit_code == 0
