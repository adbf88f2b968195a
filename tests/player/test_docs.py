"""The page about playback tells what really happens."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from drmkit import player
from drmkit.cli.main import main
from drmkit.cli.play import play
from drmkit.cli.sandbox import sandbox

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "playback.md").read_text(encoding="utf-8")
FOLDER = Path(player.__file__).parent / "page"
ORGANIZATION = "6f1c1bb8-3a0e-4a53-bd3c-2c5a4d8f7a10"


def test_the_fields_of_the_test_player_are_printed_as_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """The session of the page is what the command prints."""
    command, output = re.findall(r"^\$ drmkit (play --print-drmtoday .*)\n((?:(?!```).*\n)+)", PAGE, re.MULTILINE)[0]
    assert main(shlex.split(command), environ={"DRMTODAY_ORGANIZATION": ORGANIZATION}) == 0
    assert capsys.readouterr().out == output


def test_every_title_of_an_error_that_is_listed_exists() -> None:
    """What the page of the documentation says that the player says, it can say."""
    table = PAGE.partition("## What the page says")[2].partition("\nA missing key")[0]
    listed = re.findall(r"^\| ([A-Z][^|]+?) \|", table, re.MULTILINE)
    said = (FOLDER / "errors.js").read_text(encoding="utf-8") + (FOLDER / "main.js").read_text(encoding="utf-8")
    assert len(listed) > 9
    exact = [title for title in listed if not title.startswith("This browser has no")]
    assert [title for title in exact if title not in said] == []


def test_every_option_that_is_named_exists() -> None:
    """Of the command and of the sandbox."""
    known = {option for command in (play, sandbox) for param in command.params for option in param.opts}
    named = set(re.findall(r"`(--[a-z-]+)", PAGE)) - {"--format", "--reveal"}
    assert named
    assert named <= known
