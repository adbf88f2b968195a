"""A process that has loaded the whole command line and forks a child for each run, so that a run costs what it does.

Commands come as JSON lines on standard input: `fork` (with `arguments`, `environ` and the file for the child's
standard output) answers with the process ID of a child that waits; `go` lets children run, all at once, and answers
with how each ended: its exit code, or minus the signal that killed it.
"""
# ruff: noqa: PLC0415 (the parent's side imports nothing of drmkit)

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parents[2]


class Zygote:
    """The parent's side of it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        )

    def close(self) -> None:
        """End it."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()

    def fork(self, arguments: Sequence[str], environ: Mapping[str, str], *, stdout: str = os.devnull) -> int:
        """Make a child that waits, and return its process ID."""
        return int(self._ask(do="fork", arguments=list(arguments), environ=dict(environ), stdout=stdout))

    def go(self, *pids: int) -> list[int]:
        """Let children run, and return how they ended."""
        return list(self._ask(do="go", pids=pids))

    def run(self, arguments: Sequence[str], environ: Mapping[str, str], *strace: str) -> int:
        """Run a command line; with arguments of strace, under it."""
        pid = self.fork(arguments, environ)
        if not strace:
            return self.go(pid)[0]
        tracer = subprocess.Popen(["strace", "-p", str(pid), *strace], stderr=subprocess.PIPE, text=True)
        try:
            assert tracer.stderr
            assert "attached" in tracer.stderr.readline()
            code = self.go(pid)[0]
            tracer.stderr.read()
            tracer.wait(20)
        finally:
            tracer.kill()
            tracer.wait()
            assert tracer.stderr
            tracer.stderr.close()
        return code

    def _ask(self, **command: Any) -> Any:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def preload() -> None:
    """Import what a refresh imports on its way."""
    import drmkit.cas
    import drmkit.cli.key_url_get
    import drmkit.cli.key_url_refresh
    import drmkit.cli.key_url_show
    import drmkit.cli.main
    import drmkit.http
    import drmkit.keyserver.account
    import drmkit.keyserver.job
    import drmkit.keyserver.status
    import drmkit.retry  # noqa: F401


def child(gate: int, arguments: Sequence[str], environ: Mapping[str, str], stdout: str) -> NoReturn:
    """Wait for the gate to open, then run the command line."""
    from drmkit.cli.main import main

    os.dup2(os.open(stdout, os.O_WRONLY | os.O_CREAT, 0o600), 1)
    os.read(gate, 1)
    code = main(arguments, environ=environ)
    sys.stdout.flush()
    os._exit(code)


def serve() -> None:
    """Answer commands until standard input ends."""
    preload()
    gates: dict[int, int] = {}
    for line in sys.stdin:
        command = json.loads(line)
        answer: Any
        if command["do"] == "fork":
            reader, writer = os.pipe()
            answer = os.fork()
            if answer == 0:
                child(reader, command["arguments"], command["environ"], command["stdout"])
            os.close(reader)
            gates[answer] = writer
        else:
            for pid in command["pids"]:
                with suppress(BrokenPipeError):  # it was killed at the gate
                    os.write(gates[pid], b"x")
                os.close(gates.pop(pid))
            answer = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in command["pids"]]
        sys.stdout.write(f"{json.dumps(answer)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
