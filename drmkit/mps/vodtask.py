"""How a task of ProcessMediaByMPS is doing: the same verdict as over a task of MPS, read from VOD's answer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drmkit.mps.faults import clean
from drmkit.mps.models.vod import DescribeVodTaskResponse, MPSSubTaskResult, ProcessMediaByMPS
from drmkit.mps.task import State, Subtask, Verdict, judge
from drmkit.mps.wire import moment

if TYPE_CHECKING:
    from drmkit.mps.results import Result

__all__ = ["VodTaskDetail", "is_vod_task", "sub_app_of", "verdict_of_event"]

_TASK_ID = re.compile(r"([0-9]{1,20})-ProcessMediaByMPS-\S+", re.IGNORECASE)
_STATES: dict[str, State] = {"PROCESSING": "processing", "SUCCESS": "succeeded", "FAIL": "failed"}


def is_vod_task(task_id: str) -> bool:
    """Return whether a task ID is one of ProcessMediaByMPS, so that VOD is to be asked for it."""
    return _TASK_ID.fullmatch(task_id) is not None


def sub_app_of(task_id: str) -> int | None:
    """Return the VOD application that a task ID begins with, or None."""
    found = _TASK_ID.fullmatch(task_id)
    return int(found[1]) if found else None


@dataclass(frozen=True, slots=True)
class VodTaskDetail:
    """The answer of VOD's DescribeTaskDetail, with its verdict.

    Attributes:
        task_id: the task that was asked for.
        response: the answer.
    """

    task_id: str
    response: DescribeVodTaskResponse

    @property
    def verdict(self) -> Verdict:
        """What the answer says about the task and its subtasks."""
        response = self.response
        task = response.process_media_by_mps_task
        subtasks = tuple(_subtasks(task))
        source = (task.err_code, task.message) if task is not None and task.err_code else None
        state, message, source_error = judge(response.status, source, subtasks)
        created, finished = moment(response.create_time), moment(response.finish_time)
        return Verdict(self.task_id, state, message, source_error, subtasks, created, finished)

    @property
    def results(self) -> tuple[Result, ...]:
        """What the task found and made."""
        from drmkit.mps.results import results  # noqa: PLC0415 (who waits needs none)

        return results(self.response)


def verdict_of_event(task: ProcessMediaByMPS) -> Verdict:
    """Return what a ProcessMediaByMPSComplete callback says about its task."""
    return VodTaskDetail(
        task.task_id or "", DescribeVodTaskResponse(status=task.status, process_media_by_mps_task=task)
    ).verdict


def _subtasks(task: ProcessMediaByMPS | None) -> Iterator[Subtask]:
    for item in (task.sub_task_set if task is not None else None) or ():
        code = item.err_code or ""
        state = _STATES.get(item.status or "") or ("succeeded" if code in {"", "0"} else "failed")
        failed = state == "failed"
        yield Subtask(
            kind=item.task_type or "a task",
            state=state,
            code=code if failed else "",
            message=clean(item.message or "") if failed else "",
            definition=_definition(item),
            output=_output(item),
        )


def _definition(item: MPSSubTaskResult) -> int | None:
    try:
        value: Any = json.loads(item.input or "")
    except (ValueError, RecursionError):
        return None
    number = value.get("Definition") if isinstance(value, dict) else None
    return number if isinstance(number, int) and not isinstance(number, bool) else None


def _output(item: MPSSubTaskResult) -> str | None:
    for file in (item.output.output_files if item.output is not None else None) or ():
        if file.file_id or file.url:
            return f"vod file {file.file_id}" if file.file_id else (file.url or "").partition("?")[0]
    return None
