"""The page on packaging shows what really happens."""

from __future__ import annotations

import doctest
import os
import re
import shlex
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from drmkit.cli.output import App
from drmkit.cli.package import package
from drmkit.stream.clip import make_clip
from drmkit.stream.tools import find_tools

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "packaging.md"
TEXT = PAGE.read_text("utf-8")
SESSIONS = re.findall(r"```console\n\$ drmkit package ([^\n]*)\n(.*?)```", TEXT, re.DOTALL)
BITRATE = re.compile(r"\d+ kbit/s")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a clip and a document, as the page has them."""
    made = tmp_path_factory.mktemp("page")
    make_clip(made / "clip", tools=find_tools(), seconds=2)
    shutil.copy(ROOT / "cpix_samples" / "valid" / "tracks-cbcs-2.4.xml", made / "keys.xml")
    return made


@pytest.mark.parametrize(("command", "expected"), SESSIONS, ids=lambda part: part.split("\n")[0][-30:])
def test_console_sessions_are_real(folder: Path, command: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each command of the page prints what the page shows, dots aside; bitrates are the encoder's own business."""
    monkeypatch.chdir(folder)
    shutil.rmtree(folder / "stream", ignore_errors=True)
    done = CliRunner().invoke(package, shlex.split(command), obj=App(environ={}), catch_exceptions=False)
    pattern = re.escape(BITRATE.sub("N kbit/s", expected)).replace(re.escape("..."), "[0-9a-f]+")
    assert re.fullmatch(pattern, BITRATE.sub("N kbit/s", done.stdout)), done.stdout


def test_every_session_was_found() -> None:
    """The page has two sessions, and none escapes the test."""
    assert len(SESSIONS) == 2 == TEXT.count("```console")


def test_python_sessions_are_real(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each Python line of the page gives what the page shows."""
    monkeypatch.chdir(folder)
    result = doctest.testfile(os.fspath(PAGE), module_relative=False, encoding="utf-8")
    assert result.attempted > 10
    assert result.failed == 0


PROSE = re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL)
OF_OTHERS = {"--flagfile"}


@pytest.mark.parametrize("option", sorted(set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", PROSE)) - OF_OTHERS))
def test_every_option_exists(option: str) -> None:
    """Each option that the page names is one of the command's, but for those of Shaka Packager."""
    assert option in {name for parameter in package.params for name in parameter.opts}
