"""Callbacks of MPS: read them, check their Sign, and confirm what they claim.

    notification = parse(body)
    verify_sign(notification, notify_key, now=time.time())
    detail = confirm(notification, client)

Sign is MD5 over a moment and the NotifyKey. It does not cover the message: whoever sees one callback can send any
other message with its Sign until that moment. So a verified callback is a hint that something ended; what ended, and
how, is what `confirm` is told by DescribeTaskDetail.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from drmkit.errors import InputError, ProtocolError, VerdictError
from drmkit.mps.models.detail import DescribeTaskDetailResponse, ParseNotificationResponse
from drmkit.mps.models.live_notification import ParseLiveStreamProcessNotificationResponse
from drmkit.mps.task import TaskDetail, Verdict
from drmkit.mps.wire import decode, to_builtins
from drmkit.secret import Secret

__all__ = [
    "EVENTS",
    "LIVE_EVENTS",
    "Describer",
    "Notification",
    "UnverifiedNotificationError",
    "confirm",
    "parse",
    "sign",
    "verify_sign",
]

EVENTS = {
    "WorkflowTask": "workflow_task_event",
    "EditMediaTask": "edit_media_task_event",
    "ScheduleTask": "schedule_task_event",
    "BatchTask": "batch_task_event",
    "ExtractBlindWatermark": "extract_blind_watermark_task",
}
"""The event types of offline tasks, and the field of the message that holds each."""

LIVE_EVENTS = {
    "AiReviewResult": "ai_review_result_info",
    "AiRecognitionResult": "ai_recognition_result_info",
    "AiAnalysisResult": "ai_analysis_result_info",
    "AiQualityControlResult": "ai_quality_control_result_info",
    "LiveRecordResult": "live_record_result_info",
    "AiSmartSubtitleResult": "ai_smart_subtitle_result_info",
    "ProcessEof": "process_eof_info",
}
"""The notification types of live streams, and the field of the message that holds each."""

_WRAPPERS = ("Response", "msgBody")
_MOST_WRAPPERS = 3


class UnverifiedNotificationError(VerdictError):
    """A callback whose Sign is missing, wrong or past its moment."""


class Describer(Protocol):
    """What is needed of a client to confirm a callback."""

    def describe_task_detail(self, task_id: str) -> TaskDetail:
        """Ask for a task."""
        ...


@dataclass(frozen=True, slots=True)
class Notification:
    """One callback.

    Attributes:
        event: the event type (`WorkflowTask`, ...) or, for a live stream, the notification type (`ProcessEof`, ...).
        task_id: the task; empty where the message names none.
        session_id: the SessionId of the request.
        session_context: the SessionContext of the request.
        timestamp: the last moment of the Sign, in seconds since the epoch; None without one.
        sign: the Sign; empty without one.
        live: whether it is about a live stream.
        message: the whole message; its Input.DrmInfo holds secrets.
    """

    event: str
    task_id: str
    session_id: str
    session_context: str
    timestamp: int | None
    sign: str
    live: bool
    message: ParseNotificationResponse | ParseLiveStreamProcessNotificationResponse

    @property
    def known(self) -> bool:
        """Whether the event type is one that is documented."""
        return self.event in (LIVE_EVENTS if self.live else EVENTS)

    @property
    def claim(self) -> Verdict | None:
        """What the message says about its task, unconfirmed; None for live streams and tasks of other kinds."""
        event: Any = getattr(self.message, EVENTS.get(self.event, ""), None) if not self.live else None
        if self.event not in {"WorkflowTask", "ScheduleTask", "EditMediaTask"} or event is None:
            return None
        field = EVENTS[self.event].removesuffix("_event")
        return TaskDetail(self.task_id, DescribeTaskDetailResponse(status=event.status, **{field: event})).verdict

    def to_builtins(self, *, reveal: bool = False) -> Any:
        """Return the message as dictionaries and lists under the API's names; secrets are masked unless revealed."""
        return to_builtins(self.message, reveal=reveal)


def parse(body: bytes) -> Notification:
    """Read a callback's body, or the message of a queue; bare, or wrapped in `Response` or `msgBody`.

    Raises:
        InputError: not JSON, or no notification of MPS.
    """
    value = _unwrap(body)
    if isinstance(value.get("NotificationType"), str):
        return _live(value)
    if isinstance(value.get("EventType"), str):
        return _offline(value)
    raise InputError(
        "the message is no notification of MPS: it has neither EventType nor NotificationType",
        hint="send it the body of the callback, whole",
    )


def sign(timestamp: int, notify_key: Secret[str]) -> str:
    """Return Sign: the MD5 of the timestamp and the NotifyKey, one after the other, in lower-case hexadecimal."""
    text = f"{timestamp}{notify_key.reveal()}".encode()
    return hashlib.md5(text, usedforsecurity=False).hexdigest()  # the formula is the service's


def verify_sign(notification: Notification, notify_key: Secret[str], *, now: float) -> None:
    """Check that a callback's Sign was made with the NotifyKey, and that its moment has not passed.

    Args:
        notification: the callback.
        notify_key: the NotifyKey of the request.
        now: seconds since the epoch.

    Raises:
        UnverifiedNotificationError: it was not, or it has.
    """
    if notification.timestamp is None or not notification.sign:
        raise UnverifiedNotificationError(
            "the notification is not signed", hint="set NotifyKey in TaskNotifyConfig, or ignore such messages"
        )
    expected = sign(notification.timestamp, notify_key)
    if not hmac.compare_digest(expected.encode(), notification.sign.lower().encode("utf-8", "replace")):
        raise UnverifiedNotificationError(
            "the notification's Sign does not match the NotifyKey", hint="check that both sides use the same NotifyKey"
        )
    if now > notification.timestamp:
        late = now - notification.timestamp
        raise UnverifiedNotificationError(
            f"the notification's Sign ended {late:.0f} seconds ago", hint="check this machine's clock, or a replay"
        )


def confirm(notification: Notification, client: Describer) -> TaskDetail:
    """Ask MPS how the task of a callback is doing; its answer, not the callback, is what counts.

    Raises:
        InputError: the message names no task.
    """
    if not notification.task_id:
        raise InputError("the notification names no task, so nothing can be confirmed")
    return client.describe_task_detail(notification.task_id)


def _unwrap(body: bytes) -> dict[str, Any]:
    value: Any = body
    for _ in range(_MOST_WRAPPERS):
        if isinstance(value, bytes | str):
            value = _load(value)
        inner = next((value[name] for name in _WRAPPERS if name in value), None) if isinstance(value, dict) else None
        if inner is None:
            break
        value = inner
    if not isinstance(value, dict):
        raise InputError("the message is no JSON object", hint="send it the body of the callback, whole")
    return value


def _load(text: bytes | str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeError):
        raise InputError("the message is not JSON", hint="send it the body of the callback, whole") from None


def _offline(value: dict[str, Any]) -> Notification:
    message = _model(ParseNotificationResponse, value)
    event = message.event_type or ""
    task: Any = getattr(message, EVENTS.get(event, ""), None)
    task_id = getattr(task, "task_id", None) or ""
    return _notification(event, task_id, message, live=False)


def _live(value: dict[str, Any]) -> Notification:
    message = _model(ParseLiveStreamProcessNotificationResponse, value)
    return _notification(message.notification_type or "", message.task_id or "", message, live=True)


def _model(kind: Any, value: dict[str, Any]) -> Any:
    try:
        return decode(kind, msgspec.json.encode(value))
    except ProtocolError as error:
        raise InputError(f"the message is no notification of MPS: {error.message}") from None


def _notification(
    event: str,
    task_id: str,
    message: ParseNotificationResponse | ParseLiveStreamProcessNotificationResponse,
    *,
    live: bool,
) -> Notification:
    return Notification(
        event=event,
        task_id=task_id,
        session_id=message.session_id or "",
        session_context=message.session_context or "",
        timestamp=message.timestamp,
        sign=message.sign or "",
        live=live,
        message=message,
    )
