"""README tells the truth: its code runs, its output is the program's, its exit codes are the errors'."""

from __future__ import annotations

import pkgutil
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from drmkit import errors
from drmkit.cli.demo_steps import STEPS
from drmkit.cli.main import cli, main
from drmkit.config import FIELDS
from drmkit.sandbox import Sandbox

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCS = {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md"))}


def blocks(language: str, text: str = README) -> list[str]:
    """The fenced code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """The vendors."""
    with Sandbox() as running:
        yield running


def test_the_python_code_runs_as_it_stands(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Any
) -> None:
    """The library examples, run one behind the other against the sandbox, end with a task that succeeded.

    The one that is a test file of its own is run by pytest: see test_pytest_plugin.py.
    """
    for name, value in {**sandbox.environment(), "HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    scope: dict[str, Any] = {}
    for number, block in enumerate(item for item in blocks("python") if "def test_" not in item):
        exec(compile(block, f"README block {number}", "exec"), scope)
    lines = capsys.readouterr().out.splitlines()
    assert "?ticket=**********" in lines[0]
    assert lines[1].endswith("**********")
    assert lines[-1] == "succeeded"


@pytest.mark.parametrize("name", [name for name, text in DOCS.items() if "```python\n" in text])
def test_the_python_code_of_the_pages_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each page's examples run one behind the other; its sessions (`>>>`) have tests of their own."""
    monkeypatch.chdir(tmp_path)
    scope: dict[str, Any] = {"__name__": name}
    for number, block in enumerate(blocks("python", DOCS[name])):
        if not block.startswith(">>>"):
            exec(compile(block, f"{name} block {number}", "exec"), scope)
    assert scope["__name__"] == name


def normalized(table: str) -> list[str]:
    """The demo's rows without what changes from run to run: identifiers, hashes, ports, times."""
    rows = [line.strip("│┃ ") for line in table.splitlines() if line.startswith("│")]
    text = [re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID", row) for row in rows]
    text = [re.sub(r"127\.0\.0\.1:\d+", "HOST", row) for row in text]
    text = [re.sub(r"\b[0-9a-f]{8}\b", "HEX", row) for row in text]
    text = [re.sub(r"│ *[0-9.]+ s", "", row) for row in text]
    return [
        " ".join(row.replace("│", " ").split()) for row in text if "HOST/frontend" not in row and "?ticket" not in row
    ]


def test_the_output_of_the_demo_is_the_demos(capsys: Any) -> None:
    """The table in README is what `drmkit demo` prints, but for what is random."""
    assert main(["-q", "demo"], environ={"HOME": "/nowhere"}) == 0
    assert normalized(blocks("text")[0]) == normalized(capsys.readouterr().out)
    assert [row.split()[0] for row in normalized(blocks("text")[0]) if row.split()[0] in dict(STEPS)] == list(
        dict(STEPS)
    )


@pytest.mark.parametrize("name", ["README.md", *DOCS])
def test_every_command_that_is_shown_exists(name: str) -> None:
    """Every `drmkit ...` in a console block names commands and options that the program has."""
    text = README if name == "README.md" else DOCS[name]
    lines = "\n".join(blocks("console", text)).splitlines()
    shown = "\n".join([line for line in lines if line.startswith("$ ")] + blocks("crontab", text))
    found = re.findall(r"drmkit ((?:-q |--config \S+ )*)([a-z][a-z0-9-]*)(?: ([a-z][a-z0-9-]*))?(.*)", shown)
    assert found or name != "README.md"
    for _, group, sub, rest in found:
        command = cli.get_command(cli.make_context("drmkit", [group, "-h"], resilient_parsing=True), group)
        assert command is not None, group
        if sub and isinstance(command, click.Group):
            command = command.get_command(click.Context(command), sub)
            assert command is not None, f"{group} {sub}"
        if isinstance(command, click.Group) and (word := re.match(r" ([a-z0-9-]+)", rest)):
            command = command.get_command(click.Context(command), word[1])
            assert command is not None, f"{group} {sub} {word[1]}"
        known = {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
        for option in re.findall(r"(?<= )--[a-z0-9-]+", rest):
            assert option in known, f"{group} {sub} {option}"


def test_the_library_calls_of_the_documents_exist() -> None:
    """Every name in the table's last column is found below `drmkit.mps`, or below the room that it begins with."""
    table = README.partition("## The vendor's documents")[2]
    cells = [line.split("|")[-2] for line in table.splitlines() if line.startswith("| ")][1:]
    names = [name.partition("(")[0] for cell in cells for name in re.findall(r"`([^`]+)`", cell)]
    assert len(names) > 15
    for name in names:
        assert pkgutil.resolve_name(name if name.startswith("drmkit.") else f"drmkit.mps.{name}") is not None


def test_the_exit_codes_are_those_of_the_errors() -> None:
    """The table of exit codes, and `-h`, name every code that an error or a signal ends with, and no other but 0."""
    table = README.split("| exit code | meaning |")[1].split("\n\n")[0]
    listed = {int(code) for row in re.findall(r"^\| ([\d, ]+) \|", table, re.MULTILINE) for code in row.split(", ")}
    raised = {getattr(errors, name).exit_code for name in errors.__all__}
    signals = {128 + number for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)}
    assert listed == raised | signals | {0}
    assert {int(code) for code in re.findall(r"\b\d+\b", (cli.help or "").split("Exit codes:")[1])} == listed


def test_the_environment_variables_are_those_that_are_read() -> None:
    """Each DRMTODAY_ variable that README names is one that the configuration reads."""
    named = set(re.findall(r"DRMTODAY_[A-Z_]+", README))
    assert named
    assert named <= {field.variable for field in FIELDS.values()}
