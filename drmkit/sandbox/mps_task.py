"""Tasks of the sandbox's media processing account, as its workers and its answers know them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

__all__ = ["ADAPTIVE", "SCHEDULE", "Subtask", "Task", "is_schedule", "moment_text"]

ADAPTIVE: Final = "AdaptiveDynamicStreaming"
"""The kind of the tasks that DRM hangs on."""

SCHEDULE: Final = "Schedule"
"""The kind of the one subtask of an orchestration, whose nodes the sandbox does not know: it transcodes."""

_NEVER: Final = "0000-00-00T00:00:00Z"


@dataclass(slots=True)
class Subtask:
    """One task of a job, usually an AdaptiveDynamicStreaming one.

    Attributes:
        spec: its part of the request.
        status: `PROCESSING`, `SUCCESS` or `FAIL`.
        error: the code of a failure, or "".
        message: why it failed, in words.
        finished: seconds since the epoch, or None.
        stage: what is done now, in a word or two; the service does not tell it.
        percent: how much is done; likewise.
        result: what it left in its bucket, or None.
        kind: what task it is.
    """

    spec: dict[str, Any]
    status: str = "PROCESSING"
    error: str = ""
    message: str = ""
    finished: float | None = None
    stage: str = "waiting"
    percent: int = 0
    result: Any = None
    kind: str = ADAPTIVE


@dataclass(slots=True)
class Task:
    """One accepted ProcessMedia request.

    Attributes:
        task_id: the ID that the client knows.
        job: the request.
        created: seconds since the epoch; likewise `begun` and `finished`, None for not yet.
        subtasks: one for each AdaptiveDynamicStreaming task.
        aborted: whether the client ended it in the queue.
        metadata: the MediaMetaData of its input, or None.
        family: `media` for a file, `live` for a live stream, `vod` for a file of VOD.
    """

    task_id: str
    job: dict[str, Any]
    created: float
    begun: float | None = None
    finished: float | None = None
    subtasks: list[Subtask] = field(default_factory=list)
    aborted: bool = False
    metadata: dict[str, Any] | None = None
    family: str = "media"

    @property
    def status(self) -> str:
        """`WAITING`, `PROCESSING` or `FINISH`."""
        if self.finished is not None:
            return "FINISH"
        return "WAITING" if self.begun is None else "PROCESSING"


def is_schedule(task: Task) -> bool:
    """Return whether a task is an orchestration's."""
    return any(subtask.kind == SCHEDULE for subtask in task.subtasks)


def moment_text(instant: float | None) -> str:
    """Return a moment as the service writes it; None is one that has not come."""
    if instant is None:
        return _NEVER
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
