"""The page on CPIX shows what really happens."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from drmkit import cpix
from drmkit.cli.cpix import cpix as group
from drmkit.cli.output import App
from drmkit.cpix.export import FORMATS
from drmkit.cpix.spec import from_toml

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "cpix.md"
TEXT = PAGE.read_text("utf-8")
SESSIONS = re.findall(r"```console\n\$ drmkit cpix ([^\n]*)\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize(("command", "expected"), SESSIONS, ids=lambda part: part.split("\n")[0][:30])
def test_console_sessions_are_real(command: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each command of the page prints exactly what the page shows."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", "100")
    done = CliRunner().invoke(group, shlex.split(command), obj=App(environ={}), catch_exceptions=False)
    assert done.stdout == expected


def test_every_session_was_found() -> None:
    """The page has five sessions, and none escapes the test."""
    assert len(SESSIONS) == 5 == TEXT.count("```console")


def test_python_sessions_are_real() -> None:
    """Each Python line of the page gives what the page shows."""
    result = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert result.attempted > 10
    assert result.failed == 0


def test_the_specification_builds() -> None:
    """The TOML of the page makes a valid document."""
    (text,) = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    document = from_toml(text.encode(), folder=Path())
    assert cpix.check(document).valid
    assert len(document.drm_systems) == 6


def test_every_export_is_explained() -> None:
    """The table of exports has a row for each format."""
    assert set(re.findall(r"^\| `([a-z0-9]+)` \|", TEXT, re.MULTILINE)) == set(FORMATS)


PROSE = re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL)
OF_OTHERS = {"--flagfile", "--clear"}


@pytest.mark.parametrize("option", sorted(set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", PROSE)) - OF_OTHERS))
def test_every_option_exists(option: str) -> None:
    """Each option that the page names is one of the group's commands', but for those of Shaka Packager."""
    context = click.Context(group)
    known = {name for command in group.list_commands(context) for name in _options(context, command)}
    assert option in known


def _options(context: click.Context, name: str) -> set[str]:
    command = group.get_command(context, name)
    assert command is not None
    return {opt for parameter in command.params for opt in (*parameter.opts, *parameter.secondary_opts)}
