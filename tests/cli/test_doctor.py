"""`drmkit doctor` against the sandbox and against what is broken: pass, warn or fail with the fix, fit for pasting."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from scripted import Answer, Cas, ScriptedServer

from drmkit.cli.main import main
from drmkit.sandbox import Sandbox, SandboxOptions
from drmkit.secret import Secret

Run = Callable[..., int]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """The vendors."""
    options = SandboxOptions(password=Secret("cAnArYpAsSwOrD"), secret_key=Secret("cAnArYkEy"))
    with Sandbox(options) as running:
        yield running


@pytest.fixture
def config(sandbox: Sandbox, tmp_path: Path) -> Path:
    """The sandbox's profile."""
    file = tmp_path / "c.toml"
    file.write_text(sandbox.profile_toml(), encoding="utf-8")
    file.chmod(0o600)
    return file


def test_all_is_well_at_the_sandbox(config: Path, tmp_path: Path, capsys: Any) -> None:
    """Login, ticket and MPS pass; the key server is left alone, since a call would be an ingest."""
    environ = {"HOME": str(tmp_path)}
    assert main(["--config", str(config), "doctor", "--format", "json"], environ=environ) == 0
    data = json.loads(capsys.readouterr().out)
    found = {(check["area"], check["name"]): check["state"] for check in data["checks"]}
    assert data["healthy"]
    assert data["schema_version"] == 1
    assert found["account", "login"] == found["account", "ticket"] == found["MPS", "credentials"] == "pass"
    assert found["account", "key server"] == "skip"
    assert found["network", "clock against CAS"] == "pass"
    assert found["configuration", "when due"] == "warn"


def test_the_key_server_is_called_if_asked(config: Path, tmp_path: Path, capsys: Any) -> None:
    """With --ingest its document is fetched and validated."""
    assert main(["--config", str(config), "doctor", "--ingest"], environ={"HOME": str(tmp_path)}) == 0
    assert "it answers with a valid CPIX document (this was an ingest)" in capsys.readouterr().out


def test_the_report_is_fit_for_pasting(config: Path, sandbox: Sandbox, tmp_path: Path, capsys: Any) -> None:
    """No password, key, ticket, whole organization, account name or home folder, in text and JSON."""
    environ = {"HOME": str(tmp_path), "HTTPS_PROXY": "http://jane:cAnArY@proxy.example:1"}
    for form in ("text", "json"):
        main(["-vv", "--config", str(config), "doctor", "--ingest", "--format", form], environ=environ)
        out, err = capsys.readouterr()
        for secret in ("cAnArY", "jane", "ST-", "TGT-", str(tmp_path), sandbox.service.split("/")[6]):
            assert secret not in out, secret
        assert "cAnArY" not in err


def test_offline_calls_nothing(run: Run, cas_server: ScriptedServer, capsys: Any) -> None:
    """Settings and files alone."""
    assert run("doctor", "--offline") == 0
    assert cas_server.requests == []
    out = capsys.readouterr().out
    assert "the environment is inherited by every child" in out
    assert "login" not in out


def test_what_is_broken_is_told_with_its_fix(
    run: Run, environ: dict[str, str], cas_server: ScriptedServer, capsys: Any
) -> None:
    """Every check is made, whatever became of the one before; exit code 1."""
    del environ["DRMTODAY_CPIX_CONFIG"]
    assert run("doctor") == 1
    out = capsys.readouterr().out
    assert "cpix_config is not set" in out
    assert "-> set it in [profile.default]" in out
    assert "organization" in out
    environ["DRMTODAY_CPIX_CONFIG"] = "x"
    cas_server.respond = Cas(login=lambda _: Answer(401)).respond
    assert run("doctor") == 1
    assert "rejected the user name or password" in capsys.readouterr().out
    assert run("--config", "/nowhere.toml", "doctor") == 1
    assert "there is no configuration file" in capsys.readouterr().out


def test_mps_with_a_wrong_key(config: Path, tmp_path: Path, capsys: Any) -> None:
    """Its refusal is a failed check."""
    text = config.read_text(encoding="utf-8").replace("cAnArYkEy", "wrong")
    config.write_text(text, encoding="utf-8")
    assert main(["--config", str(config), "doctor"], environ={"HOME": str(tmp_path)}) == 1
    assert "fail  credentials" in capsys.readouterr().out


def test_the_key_that_won_is_named(sandbox: Sandbox, tmp_path: Path, capsys: Any) -> None:
    """Where several places could hold the API key, the report says which one it came from."""
    known = sandbox.credentials
    folder = tmp_path / ".tencentcloud"
    folder.mkdir()
    file = folder / "credentials"
    file.write_text(
        f"[default]\nsecret_id = {known.secret_id}\nsecret_key = {known.secret_key.reveal()}\n", encoding="utf-8"
    )
    file.chmod(0o600)
    account = {name: value for name, value in sandbox.environment().items() if not name.startswith("TENCENT")}
    environ = {"HOME": str(tmp_path), **account}
    assert main(["doctor"], environ=environ) == 0
    assert "accepts the API key from ~/.tencentcloud/credentials" in capsys.readouterr().out
    assert main(["doctor"], environ=environ | sandbox.environment()) == 0
    assert "accepts the API key from environment (TENCENTCLOUD_SECRET_ID)" in capsys.readouterr().out


def test_wrong_usage(run: Run, capsys: Any) -> None:
    """Offline and an ingest contradict each other."""
    assert run("doctor", "--offline", "--ingest") == 2
    assert "exclude each other" in capsys.readouterr().err
