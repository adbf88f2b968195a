"""What a live job may say: its stream, its tasks, and a notification whose default is none at all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from drmkit.mps.airules import check_ai_tasks
from drmkit.mps.findings import Finding, nearest
from drmkit.mps.models.live import ProcessLiveStreamRequest
from drmkit.mps.models.storage import LiveStreamTaskNotifyConfig
from drmkit.mps.rules import check_places
from drmkit.mps.schema import walk

__all__ = ["check_live"]

_SCHEMES = ("rtmp", "rtmps", "http", "https", "trtc", "webrtc", "srt")
_NOTIFY_TYPES = ("CMQ", "TDMQ-CMQ", "URL")
_TASKS = (
    "ai_content_review_task",
    "ai_recognition_task",
    "ai_analysis_task",
    "ai_quality_control_task",
    "smart_subtitles_task",
)
_MAX_SESSION_ID, _MAX_SESSION_CONTEXT = 50, 1000


def check_live(body: ProcessLiveStreamRequest) -> Iterator[Finding]:
    """Yield what is wrong or doubtful about a live request whose fields have the right types."""
    if body.url is not None:
        yield from _check_url(body.url)
    yield from _check_general(body)
    if all(getattr(body, name) is None for name in _TASKS) and body.schedule_id is None:
        yield Finding(
            "AiAnalysisTask",
            "the job has no task",
            "add a task, or the ScheduleId of a live orchestration (recording is done by one)",
        )
    objects = list(walk(body))
    yield from check_places(objects)
    yield from check_ai_tasks(objects, live=True)
    if body.ai_analysis_task is not None and body.output_storage is None and body.schedule_id is None:
        yield Finding(
            "OutputStorage",
            "is missing, and analysis writes files",
            "name the bucket to write to, of type COS",
            "warning",
        )
    if body.task_notify_config is not None:
        yield from _check_notification(body.task_notify_config, "TaskNotifyConfig")


def _check_url(url: str) -> Iterator[Finding]:
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname)
    except ValueError:
        usable = False
    scheme = url.partition("://")[0].lower() if "://" in url else ""
    if not usable or re.search(r"\s", url):
        yield Finding("Url", "is not a whole URL", "write it like rtmp://host/app/stream or https://host/live.m3u8")
    elif scheme not in _SCHEMES:
        yield Finding("Url", f"{scheme}:// is no live stream that MPS can pull", f"write one of {', '.join(_SCHEMES)}")


def _check_general(body: ProcessLiveStreamRequest) -> Iterator[Finding]:
    if body.session_id is not None and len(body.session_id) > _MAX_SESSION_ID:
        yield Finding("SessionId", f"has {len(body.session_id)} characters", f"{_MAX_SESSION_ID} is the most")
    if body.session_context is not None and len(body.session_context) > _MAX_SESSION_CONTEXT:
        message = f"has {len(body.session_context)} characters"
        yield Finding("SessionContext", message, f"{_MAX_SESSION_CONTEXT} is the most")
    directory = body.output_dir
    if directory is not None and not (directory.startswith("/") and directory.endswith("/")):
        yield Finding("OutputDir", f"{directory!r} does not begin and end with a slash", "write it like /movies/2026/")
    if body.schedule_id is not None and body.schedule_id <= 0:
        yield Finding("ScheduleId", f"{body.schedule_id} is no orchestration", "write the ID of a live orchestration")


def _check_notification(config: LiveStreamTaskNotifyConfig, path: str) -> Iterator[Finding]:
    kind = config.notify_type or None
    if kind is None:
        target = next((n for n in ("notify_url", "queue_name", "topic_name") if getattr(config, n)), None)
        named = {"notify_url": "NotifyUrl", "queue_name": "QueueName", "topic_name": "TopicName"}.get(target or "")
        wanted = "TDMQ-CMQ" if target in {"queue_name", "topic_name"} else "URL"
        message = (
            f"is missing, so nothing is reported{f', not to {named} either' if named else ''}: the default of live "
            "streams is no notification (that of ProcessMedia is a TDMQ-CMQ queue)"
        )
        yield Finding(f"{path}.NotifyType", message, f'write "{wanted}"', "warning")
        return
    if kind not in _NOTIFY_TYPES:
        close = nearest(kind, _NOTIFY_TYPES)
        message = f"{kind!r} is not known to live streams"
        yield Finding(f"{path}.NotifyType", message, f"write {close or 'URL or TDMQ-CMQ'}")
    if kind == "CMQ":
        yield Finding(f"{path}.NotifyType", "CMQ has been retired", "write TDMQ-CMQ or URL", "warning")
    if kind == "URL" and not re.match(r"https?://[^/\s]+", config.notify_url or "", re.IGNORECASE):
        yield Finding(f"{path}.NotifyUrl", "is missing or not a whole URL", "write it like https://host/path")
    if kind in {"CMQ", "TDMQ-CMQ"}:
        yield from _check_queue(config, path)


def _check_queue(config: LiveStreamTaskNotifyConfig, path: str) -> Iterator[Finding]:
    if config.cmq_model not in {None, "", "Queue", "Topic"}:
        yield Finding(f"{path}.CmqModel", f"{config.cmq_model!r} is not known", "write Queue or Topic")
    topic = config.cmq_model == "Topic"
    name = "TopicName" if topic else "QueueName"
    if not (config.topic_name if topic else config.queue_name):
        yield Finding(f"{path}.{name}", "is missing: the message would go to no queue", f"add {name}, or write URL")
    if not config.cmq_region:
        yield Finding(f"{path}.CmqRegion", "is missing", "write a short code such as sh, bj or gz", "warning")
