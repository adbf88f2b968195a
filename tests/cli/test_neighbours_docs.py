"""The page on the neighbours shows what really happens, and its code runs."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

from drmkit.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "neighbours.md").read_text("utf-8")
SESSIONS = [
    (command, output)
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    for command, output in re.findall(r"^\$ drmkit (.*)\n((?:(?!\$ ).*\n)+)", block, re.MULTILINE)
]
WRONG = {
    "InputInfo": {"Type": "COS", "CosInputInfo": {"Bucket": "b", "Region": "ap-singapore", "Object": "/o.mp4"}},
    "AiAnalysisTask": {"Definition": 22, "ExtendedParameter": '{"hht":{"threshold":2}}'},
}


@pytest.mark.parametrize(("command", "expected"), SESSIONS)
def test_console_sessions_are_real(
    command: str,
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each command of the page prints exactly what the page shows, and warns of nothing."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "docs/samples", tmp_path / "samples")
    (tmp_path / "wrong.json").write_text(json.dumps(WRONG), encoding="utf-8")
    code = main(shlex.split(command), environ={"HOME": str(tmp_path)})
    out, err = capsys.readouterr()
    assert out == expected
    assert "warning" not in err.replace("0 warnings", "")
    assert code == (1 if "check" in command else 0)


def test_every_session_was_found() -> None:
    """The page has eight sessions, and none escapes the test."""
    assert len(SESSIONS) == 8


def test_the_python_code_runs() -> None:
    """The code of the page runs as it stands; its own assertions hold."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(code, "docs/neighbours.md", "exec"), {})


def test_every_sample_of_the_page_exists() -> None:
    """Each file that the page links to exists."""
    for target in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (ROOT / "docs" / target).exists(), target
