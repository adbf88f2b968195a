"""The JSON that describes the tasks of the sandbox's media processing account.

Source: https://www.tencentcloud.com/document/product/1041/33644 (DescribeTaskDetail).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from drmkit.sandbox.mps_neighbours import schedule_task, transcode_result, workflow_results
from drmkit.sandbox.mps_pictures import PICTURES, picture_result
from drmkit.sandbox.mps_places import output_path, output_storage
from drmkit.sandbox.mps_task import ADAPTIVE, Subtask, Task, is_schedule, moment_text
from drmkit.sandbox.options import Template

__all__ = ["task_detail", "task_event", "task_summary", "template_detail"]

_KINDS = ("Transcode", "AnimatedGraphic", "SnapshotByTimeOffset", "SampleSnapshot", "ImageSprite")


def task_detail(task: Task, templates: Mapping[int, Template]) -> dict[str, Any]:
    """Return the DescribeTaskDetail answer for a task, without RequestId; WorkflowTask is null while it waits."""
    scheduled, waits = is_schedule(task), task.status == "WAITING"
    return {
        "TaskType": "ScheduleTask" if scheduled else "WorkflowTask",
        "Status": task.status,
        "CreateTime": moment_text(task.created),
        "BeginProcessTime": moment_text(task.begun),
        "FinishTime": moment_text(task.finished),
        "EditMediaTask": None,
        "WorkflowTask": None if waits or scheduled else _workflow(task, templates),
        "LiveStreamProcessTask": None,
        "ExtractBlindWatermarkTask": None,
        "TaskNotifyConfig": task.job.get("TaskNotifyConfig"),
        "TasksPriority": task.job.get("TasksPriority", 0),
        "SessionId": task.job.get("SessionId", ""),
        "SessionContext": task.job.get("SessionContext", ""),
        "ExtInfo": "",
        "ScheduleTask": schedule_task(task) if scheduled and not waits else None,
        "LiveScheduleTask": None,
    }


def task_event(task: Task, templates: Mapping[int, Template]) -> dict[str, Any]:
    """Return the message that tells of a task's state to its NotifyUrl, without Timestamp and Sign."""
    scheduled = is_schedule(task)
    return {
        "EventType": "ScheduleTask" if scheduled else "WorkflowTask",
        "WorkflowTaskEvent": None if scheduled else _workflow(task, templates),
        "EditMediaTaskEvent": None,
        "ScheduleTaskEvent": schedule_task(task) if scheduled else None,
        "SessionId": task.job.get("SessionId", ""),
        "SessionContext": task.job.get("SessionContext", ""),
    }


def task_summary(task: Task) -> dict[str, Any]:
    """Return a task's line in the DescribeTasks answer."""
    kind = "LiveStreamProcessTask" if task.family == "live" else "ScheduleTask" if is_schedule(task) else "WorkflowTask"
    return {
        "TaskId": task.task_id,
        "TaskType": kind,
        "CreateTime": moment_text(task.created),
        "BeginProcessTime": moment_text(task.begun),
        "FinishTime": moment_text(task.finished),
        "SubTaskTypes": sorted({subtask.kind for subtask in task.subtasks}),
    }


def template_detail(definition: int, template: Template) -> dict[str, Any]:
    """Return a template as DescribeAdaptiveDynamicStreamingTemplates lists it, with a usual ladder of renditions."""
    audio = {"Codec": "aac", "Bitrate": 128, "SampleRate": 48000, "AudioChannel": 2}
    renditions = [
        {
            "Video": {
                "Codec": "h264",
                "Fps": 0,
                "Bitrate": rung.bitrate // 1000,
                "Width": rung.width,
                "Height": rung.height,
            },
            "Audio": audio,
            "RemoveAudio": 0,
            "RemoveVideo": 0,
        }
        for rung in template.renditions
    ]
    return {
        "Definition": definition,
        "Type": "Custom",
        "Name": f"sandbox-{definition}",
        "Comment": "",
        "Format": template.format,
        "StreamInfos": renditions,
        "DisableHigherVideoBitrate": 0,
        "DisableHigherVideoResolution": 0,
        "CreateTime": "2024-01-01T00:00:00Z",
        "UpdateTime": "2024-01-01T00:00:00Z",
        "PureAudio": 0,
        "SegmentType": template.segment_type,
    }


def _workflow(task: Task, templates: Mapping[int, Template]) -> dict[str, Any]:
    return {
        "TaskId": task.task_id,
        "Status": task.status,
        "ErrCode": 1 if task.aborted else 0,
        "Message": "The task was aborted." if task.aborted else "",
        "InputInfo": task.job["InputInfo"],
        "MetaData": task.metadata,
        "MediaProcessResultSet": [] if task.aborted else list(_results(task, templates)),
        **workflow_results(task),
    }


def _results(task: Task, templates: Mapping[int, Template]) -> Iterator[dict[str, Any]]:
    for subtask in task.subtasks:
        if subtask.kind == ADAPTIVE:
            yield _result(task, subtask, templates)
        elif subtask.kind == "Transcode":
            yield transcode_result(task, subtask)
        elif subtask.kind in PICTURES.values():
            yield picture_result(task, subtask)


def _result(task: Task, subtask: Subtask, templates: Mapping[int, Template]) -> dict[str, Any]:
    template = templates.get(subtask.spec["Definition"], Template())
    return {
        "Type": "AdaptiveDynamicStreaming",
        **{f"{kind}Task": None for kind in _KINDS},
        "AdaptiveDynamicStreamingTask": {
            "Status": subtask.status,
            "ErrCodeExt": subtask.error,
            "ErrCode": 1 if subtask.status == "FAIL" else 0,
            "Message": subtask.message,
            "Input": subtask.spec,
            "Output": _output(task, subtask, template) if subtask.status == "SUCCESS" else None,
            "BeginProcessTime": moment_text(task.begun),
            "FinishTime": moment_text(subtask.finished),
        },
    }


def _output(task: Task, subtask: Subtask, template: Template) -> dict[str, Any]:
    return {
        "Definition": subtask.spec["Definition"],
        "Package": template.format,
        "Path": output_path(task.job, subtask.spec, template),
        "Storage": output_storage(task.job, subtask.spec),
    }
