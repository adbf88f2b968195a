"""A command that is told each confirmed callback as one line of JSON on its standard input."""

from __future__ import annotations

import json
import shlex
import subprocess
import threading
from typing import TYPE_CHECKING

from drmkit.cli.job_report import verdict_fields
from drmkit.errors import ConfigurationError, TemporaryError
from drmkit.mps.cosmoderation import ModerationCallback
from drmkit.mps.faults import clean_messages

if TYPE_CHECKING:
    from drmkit.mps.notification import Notification
    from drmkit.mps.task import Verdict

__all__ = ["CommandHook"]

_POLL_SECONDS = 0.1


class CommandHook:
    """Run a command without a shell for each callback; a failure means that it is told again later.

    Args:
        command: the program and its arguments, split as a shell would; nothing is expanded.
        seconds: how long it may take.

    Raises:
        ConfigurationError: the command is none.
    """

    def __init__(self, command: str, *, seconds: float) -> None:
        try:
            self._arguments = shlex.split(command)
        except ValueError:
            raise ConfigurationError("--hook has an unclosed quote", hint="close it, or name a script") from None
        if not self._arguments:
            raise ConfigurationError("--hook is empty", hint="name a program")
        self._seconds = seconds
        self._stopped = threading.Event()

    def stop(self) -> None:
        """End the command that is running, if one is; its callback stays in the queue."""
        self._stopped.set()

    def __call__(self, message: Notification | ModerationCallback, verdict: Verdict | None) -> None:
        """Run the command.

        Raises:
            TemporaryError: it could not be run, failed, or took too long.
        """
        line = json.dumps(_fields(message, verdict), ensure_ascii=False) + "\n"
        try:
            process = subprocess.Popen(self._arguments, stdin=subprocess.PIPE, text=True, encoding="utf-8")  # noqa: S603 (the user's own command, without a shell)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it cannot be run"
            raise TemporaryError(f"the hook {self._arguments[0]}: {reason}") from None
        with process:
            code = self._finished(process, line)
        if code != 0:
            raise TemporaryError(f"the hook {self._arguments[0]} {_how(code)}")

    def _finished(self, process: subprocess.Popen[str], line: str) -> int | None:
        """Return the exit code, or None where the command had to be killed."""
        given: str | None = line
        waited = 0.0
        while waited < self._seconds and not self._stopped.is_set():
            try:
                process.communicate(given, timeout=_POLL_SECONDS)
            except subprocess.TimeoutExpired:
                given = None
                waited += _POLL_SECONDS
            else:
                return process.returncode
        process.kill()
        return None


def _how(code: int | None) -> str:
    return "was stopped: it took too long, or this program ends" if code is None else f"failed (exit code {code})"


def _fields(message: Notification | ModerationCallback, verdict: Verdict | None) -> dict[str, object]:
    if isinstance(message, ModerationCallback):
        return {"schema_version": 1, "product": "cos", **message.to_builtins(), "body": clean_messages(message.raw)}
    return {
        "schema_version": 1,
        "product": message.product,
        "event": message.event,
        "task_id": message.task_id,
        "session_id": message.session_id,
        "session_context": message.session_context,
        "confirmed": None if verdict is None else verdict_fields(verdict),
        "misread_fields": sorted(message.misread),
        "message": clean_messages(message.to_builtins()),
    }
