"""Video on Demand in the sandbox: ProcessMediaByMPS, its task, and the event that tells of its end.

Source: https://www.tencentcloud.com/document/product/266 (ProcessMediaByMPS, DescribeTaskDetail, ParseNotification).
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from drmkit.sandbox.mps_contract import ApiRefusalError, check_object
from drmkit.sandbox.mps_neighbours import check_neighbours, neighbours, transcode_result, workflow_results
from drmkit.sandbox.mps_pictures import pictures
from drmkit.sandbox.mps_task import Subtask, Task, moment_text

__all__ = ["SERVICE", "VERSION", "check_vod", "vod_detail", "vod_event", "vod_subtasks"]

VERSION: Final = "2018-07-17"
SERVICE: Final = "vod"

_STRUCTURED: Final = ("AiAnalysisTask", "SmartSubtitlesTask", "SmartEraseTask")
_FILES: Final = {
    "AiAnalysis.DeLogo": "AiAnalysis.DeLogo.Video",
    "AiAnalysis.HorizontalToVerticalTask": "AiAnalysis.HorizontalToVerticalTask.Video",
    "AiAnalysis.SegmentTask": "AiAnalysis.SegmentTask.Video",
    "MediaProcess.Transcode": "MediaProcess.Transcode.Video",
    "SmartErase": "SmartErase.Video",
}


def check_vod(request: Mapping[str, Any]) -> dict[str, Any]:
    """Check a ProcessMediaByMPS request whose fields and types are right already, and return its tasks.

    Returns:
        A request of MPS, as far as MPS would be given it: structured tasks count only without MPSProcessMediaParams.

    Raises:
        ApiRefusalError: no task, an MPSProcessMediaParams that is no request of MPS, or DRM, which VOD does not
            document.
    """
    text = request.get("MPSProcessMediaParams")
    job = _params(text) if text else {name: request[name] for name in _STRUCTURED if name in request}
    check_neighbours(job)
    if job.get("MediaProcessTask", {}).get("AdaptiveDynamicStreamingTaskSet"):
        raise ApiRefusalError("UnsupportedOperation", "VOD documents no adaptive-bitrate task for ProcessMediaByMPS.")
    if job.get("AIDubbingTask") or any(pictures(job)):
        raise ApiRefusalError("UnsupportedOperation", "VOD documents no pictures or dubbing for ProcessMediaByMPS.")
    if not neighbours(job):
        raise ApiRefusalError("InvalidParameter", "The request names no task.")
    return job


def _params(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise ApiRefusalError("InvalidParameter", "The parameter `MPSProcessMediaParams` is not the text of an object.")
    value.setdefault("InputInfo", {"Type": "VOD"})
    checked = check_object("ProcessMedia", value, "MPSProcessMediaParams.")
    del checked["InputInfo"]
    return checked


def vod_subtasks(job: Mapping[str, Any]) -> list[Subtask]:
    """Return the subtasks of a checked request."""
    return neighbours(job)


def vod_detail(task: Task) -> dict[str, Any]:
    """Return the answer of VOD's DescribeTaskDetail for a task, without RequestId."""
    return {
        "TaskType": "ProcessMediaByMPS",
        "Status": task.status,
        "CreateTime": moment_text(task.created),
        "BeginProcessTime": moment_text(task.begun),
        "FinishTime": moment_text(task.finished),
        "ProcessMediaByMPSTask": _task(task) if task.status != "WAITING" else None,
    }


def vod_event(task: Task) -> dict[str, Any]:
    """Return the event that tells of a task's end; VOD's events are not signed with a NotifyKey."""
    return {"EventType": "ProcessMediaByMPSComplete", "ProcessMediaByMPSCompleteEvent": _task(task)}


def _task(task: Task) -> dict[str, Any]:
    return {
        "TaskId": task.task_id,
        "Status": "FINISH" if task.status == "FINISH" else "PROCESSING",
        "ErrCode": 0,
        "Message": "",
        "SubTaskSet": [_subtask(task, kind, result) for kind, result in _results(task)],
    }


def _results(task: Task) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what MPS would answer of each task, with VOD's name for its kind."""
    for subtask in task.subtasks:
        if subtask.kind == "Transcode":
            yield "MediaProcess.Transcode", transcode_result(task, subtask)["TranscodeTask"]
    found = workflow_results(task)
    for item in found["AiAnalysisResultSet"]:
        field = next(name for name in item if name.endswith("Task"))
        yield f"AiAnalysis.{'DeLogo' if field == 'DeLogoTask' else field}", item[field]
    for item in found["SmartSubtitlesTaskResult"]:
        field = next(name for name in item if name.endswith("Task"))
        yield f"SmartSubtitle.{field}", item[field]
    if found["SmartEraseTaskResult"]:
        yield "SmartErase", found["SmartEraseTaskResult"]


def _subtask(task: Task, kind: str, result: Mapping[str, Any]) -> dict[str, Any]:
    output = result["Output"]
    files = []
    if output is not None and kind in _FILES:
        files = [
            {"FileType": _FILES[kind], "StorageMode": "Permanent", "FileId": str(zlib.crc32(task.task_id.encode()))}
        ]
    return {
        "TaskType": kind,
        "Status": result["Status"],
        "ErrCode": "0" if result["Status"] != "FAIL" else "1",
        "Message": result["Message"],
        "Input": json.dumps(result["Input"]),
        "Output": None if output is None else {"OutputFiles": files, "OutputText": json.dumps(output)},
    }
