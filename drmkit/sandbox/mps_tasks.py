"""The tasks of the sandbox's media processing account: a queue that workers take from."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Mapping
from typing import Any

from drmkit.sandbox.mps_answers import task_detail
from drmkit.sandbox.mps_contract import ApiRefusalError
from drmkit.sandbox.mps_live import live_detail
from drmkit.sandbox.mps_neighbours import neighbours
from drmkit.sandbox.mps_task import Subtask, Task
from drmkit.sandbox.options import Template
from drmkit.sandbox.vod import vod_detail

__all__ = ["TaskStore"]

_SESSION_DAYS = 3 * 86400.0
_POLL = 0.05
_ACCOUNT = "1300000000"


class TaskStore:
    """Tasks and their queue. Thread-safe; workers block in `take`.

    Args:
        clock: seconds since the epoch.
        token_bytes: makes that many random bytes.
        queue_delay: seconds that a task waits at least.
        templates: adaptive-bitrate templates by definition.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        token_bytes: Callable[[int], bytes],
        queue_delay: float,
        templates: Mapping[int, Template],
    ) -> None:
        self._clock = clock
        self._token_bytes = token_bytes
        self._queue_delay = queue_delay
        self._templates = templates
        self._changed = threading.Condition()
        self._tasks: dict[str, Task] = {}
        self._sessions: dict[str, float] = {}
        self._delayed: list[tuple[float, int, int, str]] = []
        self._ready: list[tuple[int, int, str]] = []
        self._closed = False

    def create(
        self,
        job: dict[str, Any],
        *,
        stuck: bool = False,
        family: str = "media",
        task_id: str = "WorkflowTask",
        remembered: float = _SESSION_DAYS,
    ) -> Task:
        """Accept a checked job and put it into the queue.

        Args:
            job: the request.
            stuck: keep it out of the queue, so that it waits for ever.
            family: `media`, `live` or `vod`.
            task_id: what stands in its ID, after the account unless it begins with a number.
            remembered: seconds that its SessionId is remembered.

        Raises:
            ApiRefusalError: its SessionId was used within that time.
        """
        with self._changed:
            now = self._clock()
            self._check_session(job.get("SessionId", ""), now, remembered)
            number = len(self._tasks)
            name = task_id if task_id[:1].isdigit() else f"{_ACCOUNT}-{task_id}"
            task = Task(f"{name}-{self._token_bytes(16).hex()}tt{number}", job, now, family=family)
            adaptive = job.get("MediaProcessTask", {}).get("AdaptiveDynamicStreamingTaskSet", [])
            task.subtasks = [Subtask(spec) for spec in adaptive] + neighbours(job)
            self._tasks[task.task_id] = task
            if not stuck:
                entry = (now + self._queue_delay, -job.get("TasksPriority", 0), number, task.task_id)
                heapq.heappush(self._delayed, entry)
            self._changed.notify_all()
            return task

    def take(self) -> Task | None:
        """Wait for the next task that is due and begin it; None once the store is closed."""
        with self._changed:
            while not self._closed:
                now = self._clock()
                while self._delayed and self._delayed[0][0] <= now:
                    heapq.heappush(self._ready, heapq.heappop(self._delayed)[1:])
                while self._ready:
                    task = self._tasks[heapq.heappop(self._ready)[2]]
                    if task.status == "WAITING":
                        task.begun = now
                        return task
                self._changed.wait(_POLL if self._delayed else None)
            return None

    def wait_until(self, instant: float, task: Task | None = None) -> None:
        """Wait until the clock shows this instant, the store is closed, or a task has been aborted."""
        with self._changed:
            while not self._closed and self._clock() < instant and not (task is not None and task.aborted):
                self._changed.wait(_POLL)

    def settle(self, subtask: Subtask, failure: tuple[str, str] | None) -> None:
        """End a subtask: in success, or with a code and a message."""
        with self._changed:
            subtask.finished = self._clock()
            subtask.status = "FAIL" if failure else "SUCCESS"
            subtask.error, subtask.message = failure or ("SUCCESS", "SUCCESS")
            subtask.stage, subtask.percent = "failed" if failure else "done", 100

    def finish(self, task: Task) -> None:
        """End a task whose subtasks have all ended."""
        with self._changed:
            task.finished = self._clock()

    def abort(self, task_id: str) -> None:
        """End a task that still waits, or a live one that has not ended.

        Raises:
            ApiRefusalError: there is no such task, or it waits no more.
        """
        with self._changed:
            task = self._find(task_id)
            if task.status == "FINISH" or (task.status == "PROCESSING" and task.family != "live"):
                raise ApiRefusalError("InvalidParameterValue.NotProcessingTask", "Only a waiting task can be aborted.")
            task.aborted = True
            task.finished = self._clock()
            self._changed.notify_all()

    def wake(self) -> None:
        """Let waiting workers look at the clock again."""
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        """Send the workers home; tasks keep the state that they have."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def describe(self, task_id: str, *, service: str = "mps") -> dict[str, Any]:
        """Return the DescribeTaskDetail answer for a task, without RequestId.

        Args:
            task_id: the task.
            service: who is asked: `mps` does not know VOD's tasks, nor `vod` those of MPS.

        Raises:
            ApiRefusalError: there is no such task.
        """
        with self._changed:
            task = self._find(task_id)
            if (task.family == "vod") != (service == "vod"):
                raise ApiRefusalError("ResourceNotFound.TaskNotFound", "The task does not exist.")
            return self._answer(task)

    def outputs(self, task_id: str) -> tuple[Any, ...]:
        """Return what each subtask of a task left in its bucket, None where it left nothing.

        Raises:
            ApiRefusalError: there is no such task.
        """
        with self._changed:
            return tuple(subtask.result for subtask in self._find(task_id).subtasks)

    def select(self, status: str, *, failed: bool | None, since: float, until: float) -> list[Task]:
        """Return the tasks with a status that were created between two instants, newest first.

        Args:
            status: the status.
            failed: only those with (True) or without (False) a failed subtask; None takes all.
            since: seconds since the epoch.
            until: seconds since the epoch.
        """
        with self._changed:
            return [
                task
                for task in reversed(self._tasks.values())
                if task.status == status
                and task.family != "vod"
                and since <= int(task.created) <= until
                and failed in {None, any(subtask.status == "FAIL" for subtask in task.subtasks)}
            ]

    def latest(self, limit: int) -> list[tuple[Task, dict[str, Any]]]:
        """Return the tasks that were created last, newest first, each with its DescribeTaskDetail answer."""
        with self._changed:
            tasks = list(self._tasks.values())[: -limit - 1 : -1]
            return [(task, self._answer(task)) for task in tasks]

    def clear(self) -> None:
        """Forget every task and session; what a worker has begun, it ends unseen."""
        with self._changed:
            self._tasks.clear()
            self._sessions.clear()
            self._delayed.clear()
            self._ready.clear()

    @property
    def count(self) -> int:
        """How many tasks there are."""
        with self._changed:
            return len(self._tasks)

    def _answer(self, task: Task) -> dict[str, Any]:
        if task.family == "live":
            return live_detail(task)
        return vod_detail(task) if task.family == "vod" else task_detail(task, self._templates)

    def _check_session(self, session: str, now: float, remembered: float) -> None:
        if not session:
            return
        if now - self._sessions.get(session, float("-inf")) < remembered:
            days = f"{remembered / 86400:g}"
            raise ApiRefusalError("InvalidParameterValue.SessionId", f"The SessionId was used within {days} days.")
        self._sessions[session] = now

    def _find(self, task_id: str) -> Task:
        task = self._tasks.get(task_id)
        if task is None:
            raise ApiRefusalError("ResourceNotFound.TaskNotFound", "The task does not exist.")
        return task
