"""The page on jobs shows what really happens."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from drmkit.cli.main import main

PAGE = Path(__file__).resolve().parents[2] / "docs" / "jobs.md"
SESSIONS = [
    (command, output)
    for block in re.findall(r"```console\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    for command, output in re.findall(r"^\$ drmkit (.*)\n((?:(?!\$ ).*\n)+)", block, re.MULTILINE)
]
WRONG = {
    "InputInfo": {"Type": "URL", "UrlInputInfo": {"Url": "https://media.example.com/movie.mp4"}},
    "MediaProcessTask": {
        "AdaptiveDynamicStreamingTaskSet": [
            {
                "Definition": 12,
                "DrmInfo": {
                    "Type": "fairplay",
                    "SpekeDrm": {
                        "ResourceId": "movie-1",
                        "KeyServerUrl": "drmtoday:prod",
                        "Vector": "00112233445566778899aabbccddeeff",
                        "EncryptionMethod": "cenc",
                    },
                },
            }
        ]
    },
}


@pytest.mark.parametrize(("command", "expected"), SESSIONS)
def test_console_sessions_are_real(
    command: str,
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each command of the page prints exactly what the page shows."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wrong.json").write_text(json.dumps(WRONG), encoding="utf-8")
    code = main(shlex.split(command), environ={"HOME": str(tmp_path)})
    assert capsys.readouterr().out == expected
    assert code == (1 if "check" in command else 0)


def test_every_session_was_found() -> None:
    """The page has two sessions, and none escapes the test."""
    assert len(SESSIONS) == 2
