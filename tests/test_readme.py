"""README tells the truth: its code runs, its output is the program's, its exit codes are the errors'."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drmkit import errors
from drmkit.cli.demo_steps import STEPS
from drmkit.cli.main import cli, main
from drmkit.config import FIELDS
from drmkit.sandbox import Sandbox

README = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The fenced code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """The vendors."""
    with Sandbox() as running:
        yield running


def test_the_python_code_runs_as_it_stands(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Any
) -> None:
    """The library examples, run one behind the other against the sandbox, end with a task that succeeded."""
    for name, value in {**sandbox.environment(), "HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    scope: dict[str, Any] = {}
    for number, block in enumerate(blocks("python")):
        exec(compile(block, f"README block {number}", "exec"), scope)
    lines = capsys.readouterr().out.splitlines()
    assert "?ticket=**********" in lines[0]
    assert lines[1].endswith("**********")
    assert lines[-1] == "succeeded"


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


def test_every_command_in_readme_exists() -> None:
    """Every `drmkit ...` in a console block names commands and options that the program has."""
    found = re.findall(
        r"drmkit ((?:-q |--config \S+ )*)([a-z-]+)(?: ([a-z-]+))?(.*)", "\n".join(blocks("console") + blocks("crontab"))
    )
    assert len(found) >= 4
    for _, name, sub, rest in found:
        command = cli.get_command(cli.make_context("drmkit", [name, "-h"], resilient_parsing=True), name)
        assert command is not None, name
        if sub and hasattr(command, "commands"):
            command = command.commands[sub]
        known = {option for parameter in command.params for option in parameter.opts}
        for option in re.findall(r"(?<= )--[a-z-]+", rest):
            assert option in known, f"{name} {sub} {option}"


def test_the_exit_codes_are_those_of_the_errors() -> None:
    """The table of exit codes names every code that an error has, and no other but 0."""
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)}
    raised = {getattr(errors, name).exit_code for name in errors.__all__}
    assert listed == raised | {0}


def test_the_environment_variables_are_those_that_are_read() -> None:
    """Each DRMTODAY_ variable that README names is one that the configuration reads."""
    named = set(re.findall(r"DRMTODAY_[A-Z_]+", README))
    assert named
    assert named <= {field.variable for field in FIELDS.values()}
