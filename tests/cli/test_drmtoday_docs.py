"""The page about DRMtoday shows what really happens."""

from __future__ import annotations

import base64
import json
import re
import shlex
from pathlib import Path

import pytest

from drmkit.cli.main import main
from drmkit.keyserver.ingest import check_assets, parse_assets
from drmkit.sandbox import Sandbox, SandboxOptions

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "drmtoday.md").read_text(encoding="utf-8")
SESSIONS = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
BODIES = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)


def test_the_session_about_keys_is_real(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each command prints what the page shows, but for the names of the host and the organization."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "keys.json").write_text(BODIES[0], encoding="utf-8")
    with Sandbox(SandboxOptions(username="merchant::api")) as sandbox:
        environ = sandbox.environment() | {"HOME": str(tmp_path)}
        for command, expected in re.findall(r"^\$ drmkit (.*)\n((?:(?!\$ ).*\n)+)", SESSIONS[0], re.MULTILINE):
            assert main(shlex.split(command), environ=environ) == 0
            shown = capsys.readouterr().out.replace(sandbox.url, "https://fe.example.com")
            assert shown.replace(sandbox.credentials.organization_name, "acme") == expected


def test_the_body_of_an_ingest_is_a_good_one() -> None:
    """The JSON of the page is read, and nothing is wrong with it."""
    assets = parse_assets(json.dumps(json.loads(BODIES[0])).encode())
    assert check_assets(assets) == []


BAD = {
    "iat": 1767323045,
    "exp": 1767323105,
    "optData": '{"merchant": "acme", "userId": "u-17"}',
    "crt": {"assetId": "movie-1", "profile": {"purchase": {}}},
}


def part(value: object) -> str:
    """One part of a JWT."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_the_sessions_about_tokens_are_real(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The plan of a token and the explanation of a bad one are what the page shows, but that time has gone on."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.jwt").write_text(
        f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(BAD)}.{'A' * 43}", encoding="ascii"
    )
    environ = {"HOME": str(tmp_path), "DRMTODAY_ORGANIZATION": "6f1c1bb8-3a0e-4a53-bd3c-2c5a4d8f7a10"}
    found = re.findall(r"^\$ drmkit (token .*)\n((?:(?!\$ ).*\n)+)", "".join(SESSIONS[1:]), re.MULTILINE)
    assert len(found) == 2
    for command, expected in found:
        code = main(shlex.split(command), environ=environ)
        shown = [line for line in capsys.readouterr().out.splitlines() if "the token has expired" not in line]
        assert shown == expected.splitlines()
        assert code == (1 if "explain" in command else 0)
