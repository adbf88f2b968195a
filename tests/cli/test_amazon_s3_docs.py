"""The page about Amazon S3 shows what really happens."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from drmkit.cli.main import main
from drmkit.mps.jobfile import parse_job

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "amazon-s3.md").read_text(encoding="utf-8")
SESSIONS = [
    (command, output)
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    for command, output in re.findall(r"^\$ drmkit (.*)\n((?:(?!\$ ).*\n)+)", block, re.MULTILINE)
]


@pytest.mark.parametrize(("command", "expected"), SESSIONS)
def test_console_sessions_are_real(
    command: str, expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each command prints exactly what the page shows, but for where the secret's file lies."""
    secret = tmp_path / "s3.key"
    secret.write_text("cAnArY", encoding="utf-8")
    words = shlex.split(command.replace("/run/secrets/s3.key", str(secret)))
    assert main(words, environ={"HOME": str(tmp_path)}) == 0
    assert capsys.readouterr().out.replace(str(secret), "/run/secrets/s3.key") == expected


def test_the_job_of_the_page_is_a_good_one() -> None:
    """The page has two sessions with an output; the job in the second has no findings."""
    assert len(SESSIONS) == 2
    assert parse_job(SESSIONS[1][1].encode()).check() == []
