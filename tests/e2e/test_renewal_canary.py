"""No secret leaves by accident, in any command, hook, metric, unit, journal, note or report of renewal."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from scripted import Answer, Cas, Request, ScriptedServer

PASSWORD = "cAnArYpAsSwOrD&+%="
CANARIES = (PASSWORD, quote(PASSWORD), "cAnArY")
ROOT = Path(__file__).resolve().parents[2]

Run = Callable[..., int]


def assert_clean(text: str, where: str) -> None:
    """No canary in a text, however it is encoded."""
    for canary in CANARIES:
        assert canary not in text, f"{canary} leaked into {where}"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A profile with everything that renewal can do: hook, metrics, lifetime, MPS."""
    hook = tmp_path / "hook"
    hook.write_text(
        f'#!/bin/sh\n(env; tr "\\0" " " < /proc/$$/cmdline; echo "$@") > {tmp_path}/hook.seen\n', encoding="utf-8"
    )
    hook.chmod(0o700)
    file = tmp_path / "c.toml"
    file.write_text(
        f"""[profile.p]
attempts = 1
ticket_lifetime = "6h"
output = "{tmp_path}/url.json"
metrics = "{tmp_path}/m.prom"
hook = ["{hook}", "argument"]

[profile.p.mps]
secret_id = "AKIDexample"
""",
        encoding="utf-8",
    )
    return file


def page(status: int) -> Callable[[Request], Answer]:
    """An error page that repeats everything that it was sent."""
    return lambda request: Answer(
        status, f"<p>{request.target} {request.body!r} cAnArY</p>".encode(), {"Retry-After": "cAnArY"}
    )


SERVERS: dict[str, Callable[[], Cas]] = {
    "good": Cas,
    "login 401": lambda: Cas(login=page(401)),
    "login 429": lambda: Cas(login=page(429)),
    "login 500": lambda: Cas(login=page(500)),
    "ticket 404": lambda: Cas(ticket=page(404)),
    "ticket page": lambda: Cas(ticket=page(200)),
}
COMMANDS = {
    "refresh": ("key-url", "refresh"),
    "refresh, forced, as JSON": ("key-url", "refresh", "--force", "--format", "json"),
    "refresh, verified": ("key-url", "refresh", "--force", "--verify", "cpix"),
    "refresh, all": ("key-url", "refresh", "--all"),
    "refresh, all, as JSON": ("key-url", "refresh", "--all", "--force", "--format", "json"),
    "refresh, in no cluster": ("key-url", "refresh", "--kubernetes-secret", "x"),
    "due": ("key-url", "due"),
    "due, as JSON": ("key-url", "due", "--format", "json"),
    "show": ("key-url", "show"),
    "show, as JSON": ("key-url", "show", "--format", "json"),
    "get, planned": ("key-url", "get", "--max-age", "1s", "--dry-run"),
    "install, systemd": ("key-url", "install", "--systemd"),
    "install, cron": ("key-url", "install", "--cron"),
    "doctor": ("doctor",),
    "doctor, as JSON": ("doctor", "--format", "json"),
    "doctor, with an ingest": ("doctor", "--ingest"),
}
MEANT_TO_HOLD_IT = {"url.json"}


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_leaks(
    run: Run,
    environ: dict[str, str],
    cas_server: ScriptedServer,
    config: Path,
    tmp_path: Path,
    command: str,
    server: str,
    capsys: Any,
    caplog: Any,
) -> None:
    """Streams, log records and every file but the URL's own: with -vv, all loggers at DEBUG, good and bad servers."""
    caplog.set_level(logging.DEBUG)
    environ |= {"TENCENTCLOUD_SECRET_KEY": "cAnArYkEy", "TENCENTCLOUD_TOKEN": "cAnArYtOkEn"}
    environ["DRMKIT_MPS_ENDPOINT"] = cas_server.url
    assert run("-q", "--config", str(config), "key-url", "refresh") == 0
    capsys.readouterr()
    cas_server.respond = SERVERS[server]().respond
    run("-vv", "--config", str(config), *COMMANDS[command])
    out, err = capsys.readouterr()
    assert_clean(out, "standard output")
    assert_clean(err, "standard error")
    for record in caplog.records:
        assert_clean(f"{record.getMessage()} {record.args!r}", f"the log of {record.name}")
    files = [file for file in tmp_path.rglob("*") if file.is_file() and file.name not in MEANT_TO_HOLD_IT]
    assert {"url.json.state", "m.prom", "hook.seen"} <= {file.name for file in files}
    for file in files:
        assert_clean(file.read_text(encoding="utf-8", errors="replace"), str(file))


def test_notes_and_installed_files_hold_none(
    environ: dict[str, str], cas_server: ScriptedServer, config: Path, tmp_path: Path
) -> None:
    """What a refresh with nothing due leaves, what `install` writes, and what `watch` says and writes."""
    text = config.read_text(encoding="utf-8").replace("metrics", "# metrics")
    config.write_text(text, encoding="utf-8")
    (tmp_path / "units").mkdir()
    commands = [
        ("key-url", "refresh"),
        ("key-url", "refresh"),
        ("key-url", "refresh"),
        ("key-url", "install", "--systemd", "--write", str(tmp_path / "units")),
        ("key-url", "install", "--cron", "--write", str(tmp_path / "cron")),
    ]
    for command in commands:
        done = subprocess.run(
            [sys.executable, "-m", "drmkit", "--config", str(config), *command],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environ},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        assert_clean(done.stdout + done.stderr, "the streams")
    files = {file for file in tmp_path.rglob("*") if file.is_file() and file.name not in MEANT_TO_HOLD_IT}
    assert any("quick" in file.parts for file in files)
    assert {"drmkit-key-url-p.service", "drmkit-key-url-p.timer", "cron"} <= {file.name for file in files}
    for file in files:
        assert_clean(file.read_text(encoding="utf-8", errors="replace"), str(file))
    assert len(cas_server.requests) == 2
