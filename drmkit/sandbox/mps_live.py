"""Live streams in the sandbox's media processing account: accepted, reported on as asked, ended after a while.

No stream is pulled: each task of the request reports one result, and then the stream is over.
Source: https://www.tencentcloud.com/document/product/1041/39227 (ProcessLiveStream), 39228 (notifications).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from drmkit.sandbox.callbacks import Target
from drmkit.sandbox.mps_contract import ApiRefusalError
from drmkit.sandbox.mps_neighbours import analysis_items, check_neighbours, review_item
from drmkit.sandbox.mps_task import Task, moment_text
from drmkit.secret import Secret

__all__ = ["LIVE_SESSION_SECONDS", "check_live", "live_detail", "live_end", "live_messages", "live_target"]

LIVE_SESSION_SECONDS: Final = 7 * 86400.0
"""How long a SessionId of ProcessLiveStream is remembered."""

_SCHEMES: Final = frozenset({"rtmp", "rtmps", "http", "https", "trtc", "webrtc", "srt"})
_TASKS: Final = (
    *("AiContentReviewTask", "AiRecognitionTask", "AiAnalysisTask", "AiQualityControlTask", "SmartSubtitlesTask"),
)
_QUEUES: Final = frozenset({"CMQ", "TDMQ-CMQ"})
_MAX_SESSION_ID: Final = 50
_MAX_SESSION_CONTEXT: Final = 1000
_STARTED: Final = "2024-01-01T00:00:00Z"
_ENDED: Final = "2024-01-01T00:00:04Z"


def check_live(job: Mapping[str, Any]) -> None:
    """Check a ProcessLiveStream request whose fields and types are right already.

    Raises:
        ApiRefusalError: a value is wrong, or there is no task.
    """
    try:
        parts = urlsplit(job["Url"])
        usable = parts.scheme.lower() in _SCHEMES and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable:
        raise ApiRefusalError("InvalidParameterValue", "The value of parameter `Url` is not a live stream's URL.")
    if len(job.get("SessionId", "")) > _MAX_SESSION_ID:
        raise ApiRefusalError("InvalidParameterValue.SessionIdTooLong", "SessionId has more than 50 characters.")
    if len(job.get("SessionContext", "")) > _MAX_SESSION_CONTEXT:
        raise ApiRefusalError(
            "InvalidParameterValue.SessionContextTooLong", "SessionContext has more than 1000 characters."
        )
    if not any(job.get(name) for name in (*_TASKS, "ScheduleId")):
        raise ApiRefusalError("InvalidParameter", "The request names no task.")
    check_neighbours(job)
    if analysis_items(job.get("AiAnalysisTask") or {"Definition": 0})[0] == "delogo":
        raise ApiRefusalError("InvalidParameterValue.Definition", "Smart erase takes no live streams.")


def live_target(config: Mapping[str, Any]) -> Target | str:
    """Return where the callbacks of a live task go, or in words why none goes out.

    Args:
        config: the TaskNotifyConfig; without a NotifyType it means no callback at all.
    """
    kind = config.get("NotifyType")
    if not kind:
        return "live streams without a NotifyType have no callback"
    if kind in _QUEUES:
        return f"the callback goes to {kind}, which the sandbox does not have"
    if kind != "URL" or not config.get("NotifyUrl"):
        return "the callback has no NotifyUrl"
    key = config.get("NotifyKey")
    return Target(Secret(config["NotifyUrl"]), Secret(key) if key else None, every_change=True)


def live_messages(task: Task) -> Iterator[dict[str, Any]]:
    """Yield the notifications of a live task in their order, its end aside."""
    for name, result in _RESULTS.items():
        if task.job.get(name) is not None:
            kind, field = _TYPES[name]
            yield _message(task, kind, field, result(task.job[name], task.job))


def live_end(task: Task, *, message: str = "") -> dict[str, Any]:
    """Return the notification that a live task has ended."""
    return _message(task, "ProcessEof", "ProcessEofInfo", {"ErrCode": 1 if message else 0, "Message": message})


def live_detail(task: Task) -> dict[str, Any]:
    """Return the DescribeTaskDetail answer for a live task, without RequestId."""
    own = {
        "TaskId": task.task_id,
        "Status": "FINISH" if task.status == "FINISH" else "PROCESSING",
        "ErrCode": 0,
        "Message": "",
        "Url": task.job["Url"],
    }
    return {
        "TaskType": "LiveStreamProcessTask",
        "Status": task.status,
        "CreateTime": moment_text(task.created),
        "BeginProcessTime": moment_text(task.begun),
        "FinishTime": moment_text(task.finished),
        "WorkflowTask": None,
        "LiveStreamProcessTask": own if task.status != "WAITING" else None,
        "TaskNotifyConfig": task.job.get("TaskNotifyConfig"),
        "TasksPriority": 0,
        "SessionId": task.job.get("SessionId", ""),
        "SessionContext": task.job.get("SessionContext", ""),
        "ExtInfo": "",
    }


def _message(task: Task, kind: str, field: str, result: dict[str, Any]) -> dict[str, Any]:
    return {
        "NotificationType": kind,
        "TaskId": task.task_id,
        field: result,
        "SessionId": task.job.get("SessionId", ""),
        "SessionContext": task.job.get("SessionContext", ""),
    }


def _review(spec: Any, job: Any) -> dict[str, Any]:  # noqa: ARG001 (all have these)
    spell = review_item() | {"StartPtsTime": 0.266, "EndPtsTime": 4.146}
    empty: dict[str, Any] = {
        "ImagePornResultSet": [],
        "ImageTerrorismResultSet": [],
        "ImagePoliticalResultSet": [],
    }
    return {"ResultSet": [{"Type": "VoicePorn", **empty, "VoicePornResultSet": [spell]}]}


def _recognition(spec: Any, job: Any) -> dict[str, Any]:  # noqa: ARG001 (all have these)
    spell = {"Text": "What is said.", "StartPtsTime": 0.5, "EndPtsTime": 2.0, "Confidence": 90.0}
    return {"ResultSet": [{"Type": "AsrFullTextRecognition", "AsrFullTextRecognitionResultSet": [spell]}]}


def _analysis(spec: Any, job: Any) -> dict[str, Any]:
    key, _ = analysis_items(spec)
    folder = job.get("OutputDir") or "/"
    times = {"StartTimeOffset": 0.0, "EndTimeOffset": 4.0, "BeginTime": _STARTED, "EndTime": _ENDED}
    if key == "hht":
        urls = {"HighlightPath": f"{folder}hht-0.mp4", "CovImgPath": f"{folder}hht-0.mp4.jpg"}
        item = urls | {"Confidence": 95.0, "Duration": 4.0, "SegmentSet": [times | {"Confidence": 95.0}]}
        return {"ResultSet": [{"Type": "Highlight", "HighlightResultSet": [item]}]}
    if key == "des":
        paragraph = times | {"Title": "A part", "Summary": "What is said in it.", "Keywords": ["sandbox"]}
        return {"ResultSet": [{"Type": "Description", "DescriptionResult": {"Paragraphs": [paragraph]}}]}
    item = times | {"Confidence": 92.0, "SegmentUrl": f"{folder}strip-0.mp4", "CovImgUrl": f"{folder}strip-0.mp4.jpg"}
    return {"ResultSet": [{"Type": "SegmentRecognition", "SegmentResultSet": [item]}]}


def _quality(spec: Any, job: Any) -> dict[str, Any]:  # noqa: ARG001 (all have these)
    spell = {"Confidence": 100, "StartTimeOffset": 12.0, "EndTimeOffset": 12.0}
    problem = {"Category": "StreamStatusException", "Type": "StreamEnd", "Timestamp": 4.0, "Description": "The end."}
    return {
        "QualityControlResultSet": [{"Type": "BlackWhiteEdge", "QualityControlItems": [spell]}],
        "DiagnoseResultSet": [problem | {"DateTime": _ENDED, "SeverityLevel": "Notice"}],
    }


def _subtitles(spec: Any, job: Any) -> dict[str, Any]:  # noqa: ARG001 (all have these)
    spell = {"Text": "What is said.", "Trans": "What it means.", "StartPTSTime": 0.5, "EndPTSTime": 2.0}
    return {"SmartSubtitleResult": [spell | {"SteadyState": True}]}


def _recording(schedule: Any, job: Any) -> dict[str, Any]:
    storage = job.get("OutputStorage", {}).get("CosOutputStorage", {})
    host = f"{storage.get('Bucket', 'sandbox-1300000000')}.cos.{storage.get('Region', 'ap-guangzhou')}.myqcloud.com"
    url = f"https://{host}{job.get('OutputDir') or '/'}{schedule}/stream_record.m3u8"
    file = {"Url": url, "Size": 1_000_000, "Duration": 4, "StartTime": _STARTED, "EndTime": _ENDED}
    return {"RecordOver": 1, "FileResults": [file]}


_RESULTS: Final[dict[str, Callable[[Any, Any], dict[str, Any]]]] = {
    "AiContentReviewTask": _review,
    "AiRecognitionTask": _recognition,
    "AiAnalysisTask": _analysis,
    "AiQualityControlTask": _quality,
    "SmartSubtitlesTask": _subtitles,
    "ScheduleId": _recording,
}
_TYPES: Final = {
    "AiContentReviewTask": ("AiReviewResult", "AiReviewResultInfo"),
    "AiRecognitionTask": ("AiRecognitionResult", "AiRecognitionResultInfo"),
    "AiAnalysisTask": ("AiAnalysisResult", "AiAnalysisResultInfo"),
    "AiQualityControlTask": ("AiQualityControlResult", "AiQualityControlResultInfo"),
    "SmartSubtitlesTask": ("AiSmartSubtitleResult", "AiSmartSubtitleResultInfo"),
    "ScheduleId": ("LiveRecordResult", "LiveRecordResultInfo"),
}
