"""The hidden prompt: asked on a terminal alone, and never echoed."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

from scripted import ScriptedServer

ROOT = Path(__file__).resolve().parents[2]


def read_until(descriptor: int, text: str, seconds: float = 20) -> str:
    """What a terminal shows until a text appears or the program ends."""
    shown = ""
    end = time.monotonic() + seconds
    while text not in shown and time.monotonic() < end:
        if not select.select([descriptor], [], [], 0.2)[0]:
            continue
        try:
            shown += os.read(descriptor, 4096).decode()
        except OSError:
            break
    return shown


def test_a_person_is_asked_for_the_password_and_it_is_not_shown(
    cas_server: ScriptedServer, environ: dict[str, str]
) -> None:
    """On a terminal without a configured password, `get` asks, hides what is typed, and prints the URL."""
    del environ["DRMTODAY_PASSWORD"]
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "drmkit", "key-url", "get"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environ},
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
    )
    os.close(theirs)
    try:
        shown = read_until(ours, "merchant::api: ")
        assert "password for merchant::api: " in shown
        os.write(ours, b"cAnArYtYpEd\n")
        out, _ = process.communicate(timeout=20)
        shown += read_until(ours, "never", seconds=1)
    finally:
        os.close(ours)
    assert process.returncode == 0
    assert "?ticket=ST-1" in out
    assert "cAnArYtYpEd" not in shown
    assert cas_server.requests[0].form["password"] == "cAnArYtYpEd"


def test_without_a_terminal_nobody_is_asked(cas_server: ScriptedServer, environ: dict[str, str]) -> None:
    """Under cron a missing password is an error at once, not a prompt that waits for ever."""
    del environ["DRMTODAY_PASSWORD"]
    done = subprocess.run(
        [sys.executable, "-m", "drmkit", "key-url", "get"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 3
    assert "password is not set" in done.stderr
    assert cas_server.requests == []
