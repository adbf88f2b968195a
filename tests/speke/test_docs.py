"""The page on SPEKE shows what really happens."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from drmkit.cli.output import App
from drmkit.cli.speke import speke
from drmkit.sandbox import FAULTS, Sandbox

PAGE = Path(__file__).resolve().parents[2] / "docs" / "speke.md"
SHOWN = "http://127.0.0.1:8080"


def _sessions() -> list[tuple[str, str]]:
    blocks = re.findall(r"```console\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    found = re.findall(r"^\$ drmkit speke (.*)\n((?:(?!\$ ).*\n)+)", "".join(blocks), re.MULTILINE)
    return [(command, output) for command, output in found]


@pytest.mark.parametrize(("command", "expected"), _sessions())
def test_console_sessions_are_real(sandbox: Sandbox, command: str, expected: str) -> None:
    """Each command of the page prints exactly what the page shows."""
    arguments = shlex.split(command.replace(SHOWN, sandbox.url))
    done = CliRunner().invoke(speke, arguments, obj=App(environ={}), catch_exceptions=False)
    assert done.stdout == expected


def test_every_session_was_found() -> None:
    """The page has three commands, and none escapes the test."""
    assert len(_sessions()) == 3


def test_python_sessions_are_real() -> None:
    """Each Python line of the page gives what the page shows."""
    result = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert result.attempted > 8
    assert result.failed == 0


def test_the_number_of_faults_is_right() -> None:
    """The page says how many faults the sandbox has."""
    count = sum(fault.role == "speke" for fault in FAULTS.values())
    assert f"lists {count} SPEKE faults" in PAGE.read_text("utf-8")
