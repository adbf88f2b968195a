"""The page on signaling shows what really happens."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from drmkit.cli.keys import keys
from drmkit.cli.output import App
from drmkit.cli.pssh import pssh

PAGE = Path(__file__).resolve().parents[2] / "docs" / "signaling.md"
GROUPS = {"pssh": pssh, "keys": keys}
TEST_SEED = "XVBovsmzhP9gRIZxWfFta3VVRPzVEWmJsazEJ46I\n"


def _sessions() -> list[tuple[str, str]]:
    blocks = re.findall(r"```console\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    found = re.findall(r"^\$ drmkit (.*)\n((?:(?!\$ ).*\n)+)", "".join(blocks), re.MULTILINE)
    return [(command, output) for command, output in found]


@pytest.mark.parametrize(("command", "expected"), _sessions())
def test_console_sessions_are_real(
    command: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each command of the page prints exactly what the page shows."""
    monkeypatch.chdir(tmp_path)
    seed = tmp_path / "seed"
    seed.write_text(TEST_SEED)
    seed.chmod(0o600)
    group, *arguments = shlex.split(command)
    done = CliRunner().invoke(GROUPS[group], arguments, obj=App(environ={}), catch_exceptions=False)
    assert done.stdout == expected


def test_python_sessions_are_real() -> None:
    """Each Python line of the page gives what the page shows."""
    result = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert result.attempted > 10
    assert result.failed == 0


def test_every_session_was_found() -> None:
    """The page has five commands, and none escapes the test."""
    assert len(_sessions()) == 5
