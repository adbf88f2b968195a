"""The workers of the sandbox's media processing account: they take tasks from the queue and really do them."""

from __future__ import annotations

import contextlib
import logging
import threading
from typing import Final

from drmkit.errors import DrmkitError
from drmkit.http import HttpClient
from drmkit.sandbox.callbacks import CallbackSender, Target, offline_target
from drmkit.sandbox.media import MediaPipeline
from drmkit.sandbox.mediasource import Source, SourceFaultError
from drmkit.sandbox.mps_answers import task_event
from drmkit.sandbox.mps_keyfetch import fetch_keys, tracks_of
from drmkit.sandbox.mps_keys import KeyFaultError
from drmkit.sandbox.mps_live import live_end, live_messages, live_target
from drmkit.sandbox.mps_task import ADAPTIVE, Subtask, Task
from drmkit.sandbox.mps_tasks import TaskStore
from drmkit.sandbox.options import Template
from drmkit.sandbox.state import SandboxState
from drmkit.sandbox.vod import vod_event
from drmkit.secret import Secret
from drmkit.stream.child import CancelScope

__all__ = ["MediaWorkers"]

_WORKERS: Final = 3
_CRASHED: Final = ("InternalError", "internal error")


class MediaWorkers:
    """Threads that take tasks from the queue until they are stopped.

    Args:
        state: the sandbox's state.
        tasks: the queue.
        callbacks: tells of the tasks' ends.
        pipeline: encrypts; None to check the tasks' keys only.
        http: makes the key requests.
    """

    def __init__(
        self,
        state: SandboxState,
        tasks: TaskStore,
        callbacks: CallbackSender,
        pipeline: MediaPipeline | None,
        http: HttpClient,
    ) -> None:
        self._state = state
        self._tasks = tasks
        self._callbacks = callbacks
        self._pipeline = pipeline
        self._http = http
        self._scope = CancelScope()
        self._threads = [
            threading.Thread(target=self._run, name=f"drmkit-sandbox-media-{number}") for number in range(_WORKERS)
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop the threads: programs that they run are killed, a key request in flight is waited for."""
        self._tasks.close()
        self._scope.cancel()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        with self._scope.entered():
            while (task := self._tasks.take()) is not None:
                try:
                    self._process(task)
                except Exception as error:  # noqa: BLE001 (a bug in one task is told, and ends that task alone)
                    self._crashed(task, error)

    def _crashed(self, task: Task, error: Exception) -> None:
        """Say what broke, and go on: a worker that ends would leave the tasks behind it in the queue for good."""
        # The server's log keeps the texts of exceptions, which can hold what a request held, to itself.
        logging.getLogger("uvicorn.error").error("a media worker failed", exc_info=error)
        self._state.journal.note("mps", "task", f"the sandbox failed with {type(error).__name__}")
        for subtask in task.subtasks:
            if subtask.status == "PROCESSING":
                self._tasks.settle(subtask, _CRASHED)
        if task.finished is None:
            self._tasks.finish(task)

    def _process(self, task: Task) -> None:
        if task.family == "live":
            self._process_live(task)
            return
        begun = self._state.clock.now()
        target = offline_target(task.job.get("TaskNotifyConfig"))
        if isinstance(target, str) and task.job.get("TaskNotifyConfig"):
            self._state.journal.note("mps", "callback", target)
        self._tell(task, target, ended=False)
        try:
            self._work(task, target, begun)
        finally:
            # Should a worker crash, its client still learns the task's end.
            for subtask in task.subtasks:
                if subtask.status == "PROCESSING":
                    self._tasks.settle(subtask, _CRASHED)
            self._tasks.finish(task)
            self._tell(task, target, ended=True)
        failed = sum(subtask.status == "FAIL" for subtask in task.subtasks)
        self._state.journal.note("mps", "task", f"{failed} of {len(task.subtasks)} failed" if failed else "SUCCESS")

    def _process_live(self, task: Task) -> None:
        """Report each result of a live task, and its end once its time is over or it is aborted."""
        begun = self._state.clock.now()
        target = live_target(task.job["TaskNotifyConfig"])
        if isinstance(target, str):
            self._state.journal.note("mps", "callback", target)
        failed = self._state.faults.hit("mps-task-fails")
        for message in () if failed else live_messages(task):
            if isinstance(target, Target):
                self._callbacks.send(target, message)
        self._tasks.wait_until(begun + self._state.options.processing_time, task)
        for subtask in task.subtasks:
            self._tasks.settle(subtask, _CRASHED if failed else None)
        self._tasks.finish(task)
        if isinstance(target, Target):
            self._callbacks.send(target, live_end(task, message="the stream could not be pulled" if failed else ""))
        self._state.journal.note("mps", "task", "1 of 1 failed" if failed else "SUCCESS")

    def _work(self, task: Task, target: Target | str, begun: float) -> None:
        source, failure = self._source(task)
        share = self._state.options.processing_time / len(task.subtasks)
        for number, subtask in enumerate(task.subtasks, start=1):
            outcome = failure or self._failure(task, subtask, source)
            self._tasks.wait_until(begun + number * share)
            self._tasks.settle(subtask, outcome)
            if number < len(task.subtasks):
                self._tell(task, target, ended=False)

    def _tell(self, task: Task, target: Target | str, *, ended: bool) -> None:
        if task.family == "vod":
            url = self._state.options.vod_notify_url
            if ended and url is not None:
                self._callbacks.send(Target(Secret(url), None), vod_event(task))
            return
        if isinstance(target, Target) and (ended or target.every_change):
            self._callbacks.send(target, task_event(task, self._state.options.templates))

    def _source(self, task: Task) -> tuple[Source | None, tuple[str, str] | None]:
        """Return a task's input, or why it cannot be used."""
        if self._pipeline is None or all(subtask.kind != ADAPTIVE for subtask in task.subtasks):
            return None, None
        try:
            source = self._pipeline.source(task.job)
            self._state.journal.note("mps", "input", source.note)
            with contextlib.suppress(DrmkitError):
                task.metadata = self._pipeline.metadata(source)
        except SourceFaultError as error:
            return None, (error.code, error.message)
        except DrmkitError as error:
            return None, ("InternalError", error.message)
        return source, None

    def _failure(self, task: Task, subtask: Subtask, source: Source | None) -> tuple[str, str] | None:
        """Do a subtask; return why it failed, or None."""
        if self._state.faults.hit("mps-task-fails"):
            return _CRASHED
        if subtask.kind != ADAPTIVE:
            return None
        template = self._state.options.templates.get(subtask.spec["Definition"], Template())
        try:
            if self._pipeline is None or source is None:
                self._check_keys(subtask, template)
            else:
                subtask.result = self._pipeline.produce(
                    task.job, subtask.spec, template, source, lambda stage, done: _progress(subtask, stage, done)
                )
        except KeyFaultError as error:
            return "InvalidInput", f"KeyServerUrl: {error}"
        except SourceFaultError as error:
            return error.code, error.message
        except DrmkitError as error:
            return "InternalError", error.message
        return None

    def _check_keys(self, subtask: Subtask, template: Template) -> None:
        drm = subtask.spec.get("DrmInfo")
        if drm is not None and drm["Type"] != "simpleaes":
            fetch_keys(drm, tracks_of(template), http=self._http, mode=self._state.options.key_acquire_mode)


def _progress(subtask: Subtask, stage: str, percent: int) -> None:
    subtask.stage, subtask.percent = stage, percent
