"""The workers of the sandbox's media processing account: they really fetch each task's keys, and look at them."""

from __future__ import annotations

import threading
from typing import Any
from urllib.parse import urlsplit

from drmkit import cpix
from drmkit.errors import DrmkitError
from drmkit.http import HttpClient
from drmkit.loopback import is_loopback
from drmkit.sandbox.mps_answers import Subtask, Task
from drmkit.sandbox.mps_drm import DRM_TYPES, method_of
from drmkit.sandbox.mps_keys import KeyFaultError, check_keys
from drmkit.sandbox.mps_tasks import TaskStore
from drmkit.sandbox.state import SandboxState

__all__ = ["MediaWorkers"]

_WORKERS = 3
_OK = 200
_CRASHED = ("InternalError", "internal error")
_REFUSALS = {
    401: "it refused the ticket: wrong, expired, already used, or issued for another URL",
    403: "it refused the ticket",
    404: "it does not know the organization or the CPIX config",
}


class MediaWorkers:
    """Threads that take tasks from the queue until they are stopped.

    Args:
        state: the sandbox's state.
        tasks: the queue.
        timeout: seconds for one key request.
    """

    def __init__(self, state: SandboxState, tasks: TaskStore, *, timeout: float = 10.0) -> None:
        self._state = state
        self._tasks = tasks
        self._http = HttpClient(timeout=timeout, trust_env=False)
        self._threads = [
            threading.Thread(target=self._run, name=f"drmkit-sandbox-media-{number}") for number in range(_WORKERS)
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop the threads; a key request in flight is waited for."""
        self._tasks.close()
        for thread in self._threads:
            thread.join()
        self._http.close()

    def _run(self) -> None:
        while (task := self._tasks.take()) is not None:
            self._process(task)

    def _process(self, task: Task) -> None:
        begun = self._state.clock.now()
        failures: list[tuple[str, str] | None] = [_CRASHED] * len(task.subtasks)
        try:
            failures = [self._failure(subtask) for subtask in task.subtasks]
            self._tasks.wait_until(begun + self._state.options.processing_time)
        finally:
            # Should a worker crash, its client still learns the task's end.
            for subtask, failure in zip(task.subtasks, failures, strict=True):
                self._tasks.settle(subtask, failure)
            self._tasks.finish(task)
        failed = sum(failure is not None for failure in failures)
        self._state.journal.note("mps", "task", f"{failed} of {len(failures)} failed" if failed else "SUCCESS")

    def _failure(self, subtask: Subtask) -> tuple[str, str] | None:
        if self._state.faults.hit("mps-task-fails"):
            return _CRASHED
        drm = subtask.spec.get("DrmInfo")
        if drm is None or drm["Type"] == "simpleaes":
            return None
        try:
            check_keys(self._fetch(drm), DRM_TYPES[drm["Type"]].systems, method_of(drm))
        except KeyFaultError as error:
            return "InvalidInput", f"KeyServerUrl: {error}"
        return None

    def _fetch(self, drm: dict[str, Any]) -> cpix.Document:
        url = drm["SpekeDrm"]["KeyServerUrl"]
        if not _stays_here(url):
            raise KeyFaultError("the sandbox calls key servers on loopback only")
        try:
            answer = self._http.request("GET", url, purpose="the key request")
        except DrmkitError as error:
            raise KeyFaultError(error.message) from None
        if answer.status != _OK:
            reason = _REFUSALS.get(answer.status, "no keys came")
            raise KeyFaultError(f"the key server answered HTTP {answer.status}; {reason}")
        if answer.looks_like_html:
            raise KeyFaultError("the key server answered an HTML page instead of a CPIX document")
        try:
            return cpix.parse(answer.body)
        except DrmkitError:
            # The parser's text may quote the document, and the document holds keys.
            raise KeyFaultError("the key server's answer is no CPIX document that can be read") from None


def _stays_here(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and is_loopback(parts.hostname or "")
    except ValueError:
        return False
