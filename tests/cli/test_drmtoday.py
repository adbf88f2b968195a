"""`drmkit drmtoday`: the endpoints of an account, against the sandbox."""

from __future__ import annotations

import base64
import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from drmkit import cpix
from drmkit.cli.main import main
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.sandbox import Sandbox
from drmkit.secret import Secret
from drmkit.speke.request import build_request

Run = Callable[..., int]
KID = KeyId(bytes(range(16)))
CANARY = b"cAnArY-key-bytes"
CANARIES = (CANARY.decode(), CANARY.hex(), base64.b64encode(CANARY).decode())


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """The vendors."""
    with Sandbox() as running:
        yield running


@pytest.fixture
def run(sandbox: Sandbox, tmp_path: Path) -> Run:
    """Run `drmkit drmtoday ...` with the sandbox's account."""
    environ = sandbox.environment() | {"HOME": str(tmp_path)}
    return lambda *arguments: main(["drmtoday", *arguments], environ=environ)


@pytest.fixture
def keys_file(tmp_path: Path) -> str:
    """One key in the API's own JSON."""
    key = {
        "streamType": "VIDEO",
        "keyId": KID.base64,
        "key": base64.b64encode(CANARY).decode(),
        "iv": base64.b64encode(bytes(range(16))).decode(),
    }
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"assets": [{"assetId": "movie-1", "ingestKeys": [key]}]}), encoding="utf-8")
    return str(path)


def test_the_life_of_a_key(run: Run, sandbox: Sandbox, keys_file: str, capsys: Any) -> None:
    """Ingest, query, download, removal; no command shows the key."""
    assert run("keys", "ingest", keys_file) == 0
    assert capsys.readouterr().out == f"{KID}  VIDEO  movie-1  Widevine, PlayReady\n"
    assert sandbox.stored_key(KID) == Secret(CANARY)
    assert run("keys", "query", "--kid", str(KID)) == 0
    assert capsys.readouterr().out == f"{KID.hex}  VIDEO  API  movie-1  -\n"
    assert run("keys", "download", "--format", "json") == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["schema_version"], data["keys"][0]["kid"]) == (1, KID.hex)
    assert run("keys", "remove", "--kid", KID.hex) == 0
    assert capsys.readouterr().out == f"removed  {KID}\n"
    assert run("keys", "remove", "--kid", KID.hex) == 1
    assert "there is no such key" in capsys.readouterr().err
    assert run("keys", "query", "--kid", KID.hex) == 1
    out, err = capsys.readouterr()
    assert (out, f"not known: {KID}" in err) == ("no keys\n", True)


def test_removal_by_asset(run: Run, keys_file: str, sandbox: Sandbox, capsys: Any) -> None:
    """Asset, stream type and variant name a key too; a dry run removes nothing."""
    assert run("keys", "ingest", keys_file) == 0
    named = ("--asset-id", "movie-1", "--stream-type", "VIDEO", "--variant-id", "default")
    assert run("keys", "remove", *named, "--dry-run") == 0
    assert "would call DELETE" in capsys.readouterr().out
    assert sandbox.stored_key(KID) is not None
    assert run("keys", "remove", *named) == 0
    assert capsys.readouterr().out == "removed  movie-1 VIDEO default\n"
    assert sandbox.stored_key(KID) is None


def test_plans(run: Run, sandbox: Sandbox, capsys: Any) -> None:
    """Every call has a dry run that says method and address, and calls nothing."""
    for arguments, said in (
        (("keys", "query", "--kid", KID.hex), "would call POST"),
        (("keys", "download"), "would call GET"),
        (("cpix", "generate", "--asset-id", "m", "--signaling", "cbcs"), "x-signaling-alg: cbcs"),
        (("call", "GET", "/x"), "would call GET"),
    ):
        assert run(*arguments, "--dry-run") == 0
        assert said in capsys.readouterr().out
    assert sandbox.events() == ()


def test_a_refusal_inside_a_200(run: Run, keys_file: str, capsys: Any) -> None:
    """A key that is there already is exit code 1, and overwritten on purpose; v2 refuses it too."""
    assert run("keys", "ingest", keys_file, "--api", "v2", "--kind", "FAIRPLAY") == 0
    for arguments in ((), ("--api", "v2")):
        assert run("keys", "ingest", keys_file, *arguments) == 1
        assert f"inside HTTP 200: asset movie-1, key {KID} (VIDEO): DUPLICATE_KEY_ID" in capsys.readouterr().err
    assert run("keys", "ingest", keys_file, "--overwrite", "--clear-key", "--scheme", "cbcs") == 0
    out, err = capsys.readouterr()
    assert "ClearKey licenses hand the key out" in err
    assert not any(canary in out + err for canary in CANARIES)


def test_keys_of_a_document(run: Run, sandbox: Sandbox, tmp_path: Path, capsys: Any) -> None:
    """A CPIX document with usage rules is ingested as it is: its content ID, its track types, its IVs."""
    builder = cpix.Builder(version="2.3", content_id="movie-9")
    builder.content_key(kid=KID, key=Secret(CANARY), iv=bytes(range(16)))
    builder.usage_rule(kid=KID, intended_track_type="HD", video=[cpix.VideoFilter()])
    path = tmp_path / "doc.cpix"
    path.write_bytes(builder.build().to_xml())
    assert run("keys", "ingest", str(path), "--dry-run", "--format", "json") == 0
    plan = json.loads(capsys.readouterr().out)
    assert (plan["method"], plan["assets"], plan["keys"]) == ("POST", "movie-9", f"HD {KID}")
    assert sandbox.events() == ()
    assert run("keys", "ingest", str(path), "--asset-id", "other") == 0
    assert "HD  other" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content_id", "track", "encrypted", "arguments", "said"),
    [
        (None, "HD", False, (), "has no contentId"),
        ("m", "UHD1", False, (), "is for UHD1, which is none of DRMtoday's stream types"),
        ("m", None, False, (), "has no track type"),
        ("m", "HD", True, (), "not in the document"),
    ],
)
def test_documents_that_cannot_be_ingested(
    run: Run, tmp_path: Path, content_id: Any, track: Any, encrypted: bool, arguments: Any, said: str, capsys: Any
) -> None:
    """What a document does not tell is asked for; nothing is guessed."""
    builder = cpix.Builder(version="2.3", content_id=content_id)
    builder.content_key(kid=KID, key=None if encrypted else Secret(CANARY))
    if track is not None:
        builder.usage_rule(kid=KID, intended_track_type=track, video=[cpix.VideoFilter()])
    path = tmp_path / "doc.cpix"
    path.write_bytes(builder.build().to_xml())
    assert run("keys", "ingest", str(path), *arguments) == 2
    assert said in capsys.readouterr().err


def test_a_stream_type_for_keys_without_one(run: Run, tmp_path: Path, capsys: Any) -> None:
    """The benign twin: the option names it."""
    builder = cpix.Builder(version="2.3", content_id="m")
    builder.content_key(kid=KID, key=Secret(CANARY))
    path = tmp_path / "doc.cpix"
    path.write_bytes(builder.build().to_xml())
    assert run("keys", "ingest", str(path), "--stream-type", "VIDEO_AUDIO") == 0
    assert "VIDEO_AUDIO  m" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("keys", "ingest", "/nowhere"), 2, "/nowhere cannot be read (No such file"),
        (("keys", "ingest", "KEYS", "--asset-id", "x"), 2, "go with a CPIX document"),
        (("keys", "ingest", "KEYS", "--api", "v2", "--overwrite"), 2, "go with --api v3"),
        (("keys", "ingest", "KEYS", "--kind", "FAIRPLAY"), 2, "--kind goes with --api v2"),
        (("keys", "ingest", "KEYS", "--organization-name", "a/b"), 3, "is not one path segment"),
        (("keys", "ingest", "KEYS", "--organization-name", "other"), 3, "API name (`organization_name`), not its UUID"),
        (("keys", "query", "--organization", "other", "--kid", KID.hex), 3, "UUID (`organization`), not its API name"),
        (("keys", "query"), 2, "Missing option '--kid'"),
        (("keys", "remove"), 2, "name either --kid, or --asset-id with"),
        (("keys", "remove", "--asset-id", "m"), 2, "name either --kid, or --asset-id with"),
        (("keys", "remove", "--kid", "xyz"), 2, "32 digits"),
        (("keys", "remove", "--asset-id", "..", "--stream-type", "a", "--variant-id", "b"), 2, "empty or a dot"),
        (("cpix", "generate", "--asset-id", "m"), 2, "name a private file with --output"),
        (("call", "GET", "frontend"), 2, "begins with one slash"),
        (("call", "GET", "/x", "--body", "KEYS-NOT"), 2, "cannot be read"),
        (("call", "GET", "/health"), 3, "gives no ticket for"),
        (("call", "STEAL", "/x"), 2, "Invalid value for"),
    ],
)
def test_what_is_wrong(run: Run, keys_file: str, arguments: Any, code: int, said: str, capsys: Any) -> None:
    """Each mistake has its exit code and its sentence."""
    assert run(*(keys_file if item == "KEYS" else item for item in arguments)) == code
    assert said in " ".join(capsys.readouterr().err.split())


def test_keys_from_standard_input(run: Run, keys_file: str, monkeypatch: Any, capsys: Any) -> None:
    """- is standard input, cut short or whole."""
    data = Path(keys_file).read_bytes()
    for content, code in ((data, 0), (data[:40], 2), (b"", 2)):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        assert run("keys", "ingest", "-") == code
    err = capsys.readouterr().err
    assert 'no JSON of the form {"assets": [...]}' in err


def test_the_documents_of_a_configuration(run: Run, sandbox: Sandbox, tmp_path: Path, capsys: Any) -> None:
    """GET makes a document for an asset; POST fills a request without keys; both are private files."""
    made, asked, filled = tmp_path / "made.cpix", tmp_path / "asked.cpix", tmp_path / "filled.cpix"
    assert run("cpix", "generate", "--asset-id", "m", "--signaling", "cenc", "--output", str(made)) == 0
    assert "this is an ingest" in capsys.readouterr().err
    document = cpix.parse(made.read_bytes())
    assert (document.content_id, len(document.content_keys)) == ("m", 4)
    assert made.stat().st_mode & 0o077 == 0
    request = build_request("m", version="2.0", systems=(DrmSystem.WIDEVINE,))
    asked.write_bytes(request.to_xml())
    assert run("cpix", "process", str(asked), "--dry-run") == 0
    assert f"content keys: {len(request.content_keys)}" in capsys.readouterr().out
    assert run("cpix", "process", str(asked), "--speke-version", "2.0", "--output", str(filled)) == 0
    for key in cpix.parse(filled.read_bytes()).content_keys:
        assert key.key == sandbox.stored_key(key.kid)
    assert run("cpix", "process", str(filled), "--speke-version", "2.1", "--output", str(filled)) == 3
    assert "does not fill this request" in capsys.readouterr().err
    asked.write_bytes(cpix.Builder(version="2.3", content_id="m").build().to_xml())
    assert run("cpix", "process", str(asked), "--reveal") == 2
    assert "asks for no content key" in capsys.readouterr().err


def test_the_table(run: Run, sandbox: Sandbox, capsys: Any) -> None:
    """The table shows each address as it is called, calls nothing, and leaves open what it does not know."""
    assert run("endpoints", "--format", "json") == 0
    rows = {row["operation"]: row for row in json.loads(capsys.readouterr().out)["endpoints"]}
    assert rows["cpix-process"]["url"] == sandbox.service
    assert rows["remove"]["url"].endswith(f"/merchant/{sandbox.credentials.organization_name}/key/keyId/{{kid}}")
    assert main(["drmtoday", "endpoints"], environ={"HOME": "/nowhere"}) == 0
    assert "https://fe.drmtoday.com/frontend/api/keys/v3/ingest/{name}\n" in capsys.readouterr().out
    assert sandbox.events() == ()


def test_any_other_call(run: Run, keys_file: str, tmp_path: Path, capsys: Any) -> None:
    """A path of one's own is called with its own ticket; what may be a key is masked in the answer."""
    ingest = "/frontend/api/keys/v3/ingest/{name}"
    assert run("call", "POST", ingest, "--body", keys_file, "--dry-run") == 0
    assert "would call POST" in capsys.readouterr().out
    assert run("call", "post", ingest, "--body", keys_file) == 0
    out = capsys.readouterr().out
    assert json.loads(out)["assets"][0]["keys"][0]["keyId"] == KID.base64
    assert run("call", "GET", "/frontend/download-api/ingestion/query/v1/keys/{uuid}/download", "--reveal") == 0
    assert json.loads(capsys.readouterr().out)["keyId"] == KID.hex
    broken = tmp_path / "broken.json"
    broken.write_text('{"cAnArY', encoding="utf-8")
    assert run("call", "POST", ingest, "--body", str(broken)) == 2
    err = capsys.readouterr().err
    assert "is no JSON" in err
    assert "cAnArY" not in err


def test_no_key_leaves_by_accident(sandbox: Sandbox, keys_file: str, capsys: Any, caplog: Any) -> None:
    """With -vv and every fault of the server, streams and logs hold no key and no ticket."""
    caplog.set_level("DEBUG")
    environ = sandbox.environment() | {"HOME": "/nowhere"}
    arguments = ("-vv", "drmtoday", "keys", "ingest", keys_file, "--timeout", "5s")
    for fault in ("keyserver-unavailable", "keyserver-html", "cas-html-ticket", "cas-unavailable"):
        sandbox.faults.switch_on(fault)
        assert main(arguments, environ=environ) == 69
        sandbox.faults.clear()
    out, err = capsys.readouterr()
    told = [record for record in caplog.records if not record.name.startswith("uvicorn")]  # the server's own
    shown = out + err + "".join(record.getMessage() for record in told)
    assert any(record.name == "drmkit.http" for record in told)
    assert not any(canary in shown for canary in CANARIES)
    assert "ST-" not in shown
