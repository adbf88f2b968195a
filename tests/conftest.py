"""Fixtures that several test modules share."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from scripted import ScriptedServer

from drmkit.cli.main import main

# How long an example takes says nothing on a machine that others use too; a failure prints what repeats it.
settings.register_profile("drmkit", deadline=None, print_blob=True)
settings.load_profile("drmkit")


def pytest_configure() -> None:
    """Let Ctrl-C reach what the tests start: a shell's job in the background, and nohup, have it ignored by all."""
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


PASSWORD = "cAnArYpAsSwOrD&+%="


@pytest.fixture
def cas_server() -> Iterator[ScriptedServer]:
    """A CAS on loopback that behaves well until a test says otherwise."""
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def environ(cas_server: ScriptedServer, tmp_path: Path) -> dict[str, str]:
    """An environment that points at the fake CAS, with folders of its own."""
    return {
        "HOME": str(tmp_path),
        "DRMTODAY_USERNAME": "merchant::api",
        "DRMTODAY_PASSWORD": PASSWORD,
        "DRMTODAY_ORGANIZATION": "6f1c1bb8-3a0e-4a53-bd3c-2c5a4d8f7a10",
        "DRMTODAY_CPIX_CONFIG": "510466cc",
        "DRMTODAY_AUTH_URL": cas_server.url,
        "DRMTODAY_FRONTEND_URL": cas_server.url,
    }


@pytest.fixture
def memory_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: thousands of runs, each with its fsyncs, take seconds there."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else tmp_path) as folder:
        yield Path(folder)


@pytest.fixture
def run(environ: dict[str, str]) -> Callable[..., int]:
    """Run a command line in this process with the fixture's environment and return its exit code."""

    def runner(*arguments: str) -> int:
        return main(arguments, environ=environ)

    return runner


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where nothing may be missing (CI is set), a skipped test is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if os.environ.get("CI") and skipped and session.exitstatus == pytest.ExitCode.OK:
        reporter.write_line(f"{len(skipped)} tests were skipped, and under CI none may be", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
