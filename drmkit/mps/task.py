"""How a task is doing: the verdict over the task and every subtask, and waiting for it with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

from drmkit.errors import RemoteUnavailableError, TaskFailedError, TemporaryError
from drmkit.mps.faults import clean
from drmkit.mps.models.detail import DescribeTaskDetailResponse
from drmkit.mps.models.media import MediaProcessTaskAdaptiveDynamicStreamingResult
from drmkit.mps.schema import walk
from drmkit.mps.wire import Model, moment

if TYPE_CHECKING:
    from drmkit.mps.results import Result

__all__ = ["Described", "Poll", "State", "Subtask", "TaskDetail", "Verdict", "judge", "wait"]

State = Literal["waiting", "processing", "succeeded", "failed"]
_STATES: dict[str, State] = {
    "WAITING": "waiting",
    "PROCESSING": "processing",
    "SUCCESS": "succeeded",
    "FINISH": "succeeded",
    "FAIL": "failed",
    "ABORTED": "failed",
}
_NO_ERROR = frozenset({None, "", "SUCCESS", "0"})
_ROOTS = ("workflow_task", "schedule_task", "edit_media_task", "live_stream_process_task", "live_schedule_task")


@dataclass(frozen=True, slots=True)
class Subtask:
    """One subtask of a task.

    Attributes:
        kind: the field that holds it, such as `AdaptiveDynamicStreamingTask`.
        state: how it is doing.
        code: the error code (`ErrCodeExt`); empty without an error.
        message: what MPS says, without what it may quote from the request.
        definition: the template.
        drm: the DRM type.
        output: the path of what was written, such as the manifest.
    """

    kind: str
    state: State
    code: str = ""
    message: str = ""
    definition: int | None = None
    drm: str | None = None
    output: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What can be said of a task now.

    Attributes:
        task_id: the task.
        state: `succeeded` only if the source could be read and every subtask succeeded.
        message: why it failed, or empty.
        source_error: whether the source itself could not be processed.
        subtasks: every subtask, in the order of the answer.
        created: when the task was created.
        finished: when it ended; None before.
    """

    task_id: str
    state: State
    message: str = ""
    source_error: bool = False
    subtasks: tuple[Subtask, ...] = ()
    created: datetime | None = None
    finished: datetime | None = None

    @property
    def ended(self) -> bool:
        """Whether the task has come to its end."""
        return self.state in {"succeeded", "failed"}

    @property
    def failed_subtasks(self) -> tuple[Subtask, ...]:
        """The subtasks that failed."""
        return tuple(subtask for subtask in self.subtasks if subtask.state == "failed")

    def require_success(self) -> None:
        """Raise TaskFailedError if the task has ended without success."""
        if self.state == "failed":
            raise TaskFailedError(f"task {self.task_id} failed: {self.message}", hint=_hint(self))


@dataclass(frozen=True, slots=True)
class TaskDetail:
    """The answer of DescribeTaskDetail, with its verdict.

    Attributes:
        task_id: the task that was asked for.
        response: the whole answer; its Input.DrmInfo holds secrets.
    """

    task_id: str
    response: DescribeTaskDetailResponse

    @property
    def verdict(self) -> Verdict:
        """What the answer says about the task and its subtasks."""
        response = self.response
        subtasks = tuple(_subtasks(response))
        state, message, source_error = _judge(response, subtasks)
        created, finished = moment(response.create_time), moment(response.finish_time)
        return Verdict(self.task_id, state, message, source_error, subtasks, created, finished)

    @property
    def results(self) -> tuple[Result, ...]:
        """What the task found and made."""
        from drmkit.mps.results import results  # noqa: PLC0415 (who waits needs none)

        return results(self.response)


def _judge(response: DescribeTaskDetailResponse, subtasks: tuple[Subtask, ...]) -> tuple[State, str, bool]:
    roots: list[Any] = [root for name in _ROOTS if (root := getattr(response, name)) is not None]
    source = next(((root.err_code, root.message) for root in roots if root.err_code), None)
    # The task of a live stream reports as it goes, and has no results of its own when it ends.
    return judge(response.status, source, subtasks, alone=response.live_stream_process_task is not None)


def judge(
    status: str | None, source: tuple[int, str | None] | None, subtasks: tuple[Subtask, ...], *, alone: bool = False
) -> tuple[State, str, bool]:
    """Return the state of a task, why it failed, and whether its source is to blame.

    Args:
        status: `WAITING`, `PROCESSING`, `FINISH`, or VOD's `ABORTED`.
        source: the error of the task itself, as a number and words; None for none.
        subtasks: its subtasks.
        alone: whether it may end well without any subtask.
    """
    if status == "ABORTED":
        return "failed", "it was aborted", False
    if status != "FINISH":
        return ("waiting" if status == "WAITING" else "processing"), "", False
    if source is not None:
        return "failed", f"error {source[0]}: {clean(source[1] or 'no message')}", True
    return *_ended(subtasks, alone=alone), False


def _ended(subtasks: tuple[Subtask, ...], *, alone: bool) -> tuple[State, str]:
    failed = [subtask for subtask in subtasks if subtask.state == "failed"]
    if failed:
        told = "; ".join(_sentence(subtask) for subtask in failed[:5])
        return "failed", f"{len(failed)} of {len(subtasks)} subtasks failed: {told}"
    if any(subtask.state != "succeeded" for subtask in subtasks):
        return "processing", ""
    if not subtasks and not alone:
        return "failed", "it ended without any result (was it aborted?)"
    return "succeeded", ""


def _sentence(subtask: Subtask) -> str:
    named = [subtask.kind, f"template {subtask.definition}" if subtask.definition else "", subtask.drm or ""]
    return f"{', '.join(part for part in named if part)}: {subtask.code} {subtask.message}".strip()


def _subtasks(response: DescribeTaskDetailResponse) -> Iterator[Subtask]:
    for name in _ROOTS:
        root: Any = getattr(response, name)
        if root is None:
            continue
        for path, model in walk(root):
            coded = hasattr(model, "err_code") or hasattr(model, "err_code_ext")
            if path and coded and hasattr(model, "status"):
                yield _subtask(path, model)


def _subtask(path: str, model: Any) -> Subtask:
    code: str | None = getattr(model, "err_code_ext", None)
    number: int | None = getattr(model, "err_code", None)
    state = _STATES.get(model.status or "")
    if state is None:
        state = "succeeded" if code in _NO_ERROR and not number else "failed"
    failed = state == "failed"
    task: Model | None = getattr(model, "input", None)
    adaptive = model if isinstance(model, MediaProcessTaskAdaptiveDynamicStreamingResult) else None
    drm = adaptive.input.drm_info if adaptive is not None and adaptive.input is not None else None
    return Subtask(
        kind=path.rpartition(".")[2],
        state=state,
        code=_code(code, number) if failed else "",
        message=clean(model.message or "") if failed else "",
        definition=getattr(task, "definition", None),
        drm=drm.type if drm is not None else None,
        output=getattr(getattr(model, "output", None), "path", None),
    )


def _code(extended: str | None, number: int | None) -> str:
    return str(number or "") if extended is None or extended in _NO_ERROR else extended


def _hint(verdict: Verdict) -> str:
    if verdict.source_error:
        return "check that MPS can read the input: its place, its permissions, its format"
    if any(subtask.drm not in {None, "simpleaes"} for subtask in verdict.failed_subtasks):
        return "check the key source: an ended ticket, a wrong resource ID or an unsuitable CPIX configuration"
    return "see the codes at https://www.tencentcloud.com/document/product/1041/40249"


@dataclass(frozen=True, slots=True)
class Poll:
    """How often to ask.

    Attributes:
        first: seconds before the second question.
        factor: by which each wait is longer than the one before.
        longest: seconds; the longest wait.
        deadline: seconds; how long to wait in all.
    """

    first: float = 2.0
    factor: float = 1.5
    longest: float = 30.0
    deadline: float = 6 * 3600.0


class Described(Protocol):
    """The answer about a task, of MPS or of VOD."""

    @property
    def verdict(self) -> Verdict:
        """What it says about the task."""
        ...


D = TypeVar("D", bound=Described)


def wait(
    describe: Callable[[], D],
    *,
    poll: Poll | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    progress: Callable[[Verdict], None] | None = None,
) -> D:
    """Ask again and again until the task has ended.

    Args:
        describe: asks once; its RemoteUnavailableErrors are outlived until the deadline.
        poll: how often, and how long.
        clock: monotonic seconds.
        sleep: waits for a number of seconds.
        progress: is told each verdict.

    Raises:
        TemporaryError: the deadline came first; the task goes on.
    """
    poll = poll or Poll()
    start, pause = clock(), poll.first
    trouble: RemoteUnavailableError | None = None
    state = "unknown"
    while True:
        try:
            detail = describe()
        except RemoteUnavailableError as error:
            trouble = error
        else:
            trouble, verdict = None, detail.verdict
            state = verdict.state
            if progress is not None:
                progress(verdict)
            if verdict.ended:
                return detail
        left = start + poll.deadline - clock()
        if left <= 0:
            raise _too_late(poll.deadline, state, trouble)
        sleep(min(pause, left))
        pause = min(pause * poll.factor, poll.longest)


def _too_late(deadline: float, state: str, trouble: RemoteUnavailableError | None) -> TemporaryError:
    last = f"; the last question failed: {trouble}" if trouble else ""
    return TemporaryError(
        f"the task has not ended within {deadline:g} seconds (it is {state}){last}",
        hint="it goes on: ask again later, or wait with a longer deadline",
    )
