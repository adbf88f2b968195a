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
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from drmkit.errors import InputError, VerdictError
from drmkit.mps.messages import load
from drmkit.mps.models.detail import DescribeTaskDetailResponse, ParseNotificationResponse
from drmkit.mps.models.live_notification import ParseLiveStreamProcessNotificationResponse
from drmkit.mps.models.vod import VodEvent
from drmkit.mps.reading import completed, judgeable, read
from drmkit.mps.task import Described, TaskDetail, Verdict
from drmkit.mps.wire import to_builtins
from drmkit.secret import MASK, Secret

if TYPE_CHECKING:
    from drmkit.mps.results import Result

__all__ = [
    "EVENTS",
    "LIVE_EVENTS",
    "VOD_EVENTS",
    "Describer",
    "Notification",
    "UnverifiedNotificationError",
    "WrongProductError",
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

VOD_EVENTS = {"ProcessMediaByMPSComplete": "process_media_by_mps_complete_event"}
"""The event types of VOD that are about MPS, and the field of the message that holds each."""

_WRAPPERS = ("Response", "msgBody")
_SECRETS = frozenset({"Key", "KeyServerUrl", "NotifyKey", "S3SecretId", "S3SecretKey"})
_MOST_WRAPPERS = 3
_AS_SENT = "send it as MPS sent it"


Message = ParseNotificationResponse | ParseLiveStreamProcessNotificationResponse | VodEvent


class WrongProductError(InputError):
    """A callback of another product than MPS."""


class UnverifiedNotificationError(VerdictError):
    """A callback whose Sign is missing, wrong or past its moment."""


class Describer(Protocol):
    """What is needed of a client to confirm a callback: MpsClient, or VodClient for those of VOD."""

    def describe_task_detail(self, task_id: str) -> Described:
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
        message: what fits the documentation; its Input.DrmInfo holds secrets.
        unknown: the fields that are not documented, as they came, by their paths; they may hold secrets.
        product: whose callback it is: `mps`, or `vod` for ProcessMediaByMPS.
        misread: documented fields whose values are of another type, likewise; `message` lacks them.
        came: the message as it came; it may hold secrets.
    """

    event: str
    task_id: str
    session_id: str
    session_context: str
    timestamp: int | None
    sign: str
    live: bool
    message: Message
    unknown: dict[str, Any] = field(default_factory=dict, repr=False)
    product: str = "mps"
    misread: dict[str, Any] = field(default_factory=dict, repr=False)
    came: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def known(self) -> bool:
        """Whether the event type is one that is documented."""
        return self.event in (VOD_EVENTS if self.product == "vod" else LIVE_EVENTS if self.live else EVENTS)

    @property
    def strange(self) -> dict[str, Any]:
        """What is unknown or misread, by its path; secrets are masked."""
        found = self.unknown | self.misread
        return {path: _masked(item, path.rpartition(".")[2].partition("[")[0]) for path, item in found.items()}

    @property
    def claim(self) -> Verdict | None:
        """What the message says about its task, unconfirmed.

        None for live streams and tasks of other kinds, and where what was misread could say that something failed.
        """
        if not judgeable(self.misread):
            return None
        if isinstance(self.message, VodEvent):
            return _claim_of_vod(self.message)
        event: Any = getattr(self.message, EVENTS.get(self.event, ""), None) if not self.live else None
        if self.event not in {"WorkflowTask", "ScheduleTask", "EditMediaTask"} or event is None:
            return None
        field = EVENTS[self.event].removesuffix("_event")
        return TaskDetail(self.task_id, DescribeTaskDetailResponse(status=event.status, **{field: event})).verdict

    def to_builtins(self, *, reveal: bool = False) -> Any:
        """Return all that came as dictionaries and lists under the API's names; secrets are masked unless revealed."""
        return completed(to_builtins(self.message, reveal=reveal), self.came if reveal else _masked(self.came))

    @property
    def results(self) -> tuple[Result, ...]:
        """What the message says was found or made, unconfirmed."""
        from drmkit.mps.results import results  # noqa: PLC0415 (a receiver needs none)

        return results(self.message)


def parse(body: bytes) -> Notification:
    """Read a callback's body, or the message of a queue; bare, or wrapped in `Response` or `msgBody`.

    Raises:
        InputError: not JSON, or no notification of MPS.
    """
    value = _unwrap(body)
    _refuse_others(value)
    if isinstance(value.get("NotificationType"), str):
        return _live(value)
    if isinstance(value.get("EventType"), str):
        return _offline(value)
    for name in ("EventType", "NotificationType"):
        if value.get(name) is not None:
            raise InputError(f"the message is no notification of MPS: its {name} is no text", hint=_AS_SENT)
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
    if notification.sign and "Timestamp" in notification.misread:
        raise UnverifiedNotificationError(
            "the notification's Timestamp is no whole number, so its Sign cannot be checked", hint="confirm it with MPS"
        )
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


def confirm(notification: Notification, client: Describer) -> Described:
    """Ask MPS (or VOD) how the task of a callback is doing; its answer, not the callback, is what counts.

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
            value = load(value)
        inner = next((value[name] for name in _WRAPPERS if name in value), None) if isinstance(value, dict) else None
        if inner is None:
            break
        value = inner
    if not isinstance(value, dict):
        raise InputError("the message is no JSON object", hint="send it the body of the callback, whole")
    return value


def _refuse_others(value: dict[str, Any]) -> None:
    """Refuse the callbacks of a product that has others, and tell which it is."""
    data = value.get("data")
    if "JobsDetail" in value or (isinstance(data, dict) and data.get("event") == "ReviewVideo"):
        raise WrongProductError(
            "the message is a moderation callback of Cloud Object Storage, not one of MPS",
            hint="read it with `drmkit notification show --product cos`, or drmkit.mps.cosmoderation.parse",
        )


def _offline(value: dict[str, Any]) -> Notification:
    event: str = value["EventType"]
    if event in VOD_EVENTS:
        return _of_vod(event, value)
    message, unknown, misread = read(ParseNotificationResponse, value)
    task: Any = getattr(message, EVENTS.get(event, ""), None)
    task_id = getattr(task, "task_id", None) or ""
    return _signed(message, event=event, task_id=task_id, live=False, unknown=unknown, misread=misread, came=value)


def _live(value: dict[str, Any]) -> Notification:
    message, unknown, misread = read(ParseLiveStreamProcessNotificationResponse, value)
    event, task_id = message.notification_type or "", message.task_id or ""
    return _signed(message, event=event, task_id=task_id, live=True, unknown=unknown, misread=misread, came=value)


def _of_vod(event: str, value: dict[str, Any]) -> Notification:
    message, unknown, misread = read(VodEvent, value)
    task = message.process_media_by_mps_complete_event
    return Notification(
        event=event,
        task_id=(task.task_id if task is not None else None) or "",
        session_id="",
        session_context="",
        timestamp=None,
        sign="",
        live=False,
        message=message,
        unknown=unknown,
        product="vod",
        misread=misread,
        came=value,
    )


def _claim_of_vod(message: VodEvent) -> Verdict | None:
    from drmkit.mps.vodtask import verdict_of_event  # noqa: PLC0415 (callbacks of MPS need none)

    task = message.process_media_by_mps_complete_event
    return None if task is None else verdict_of_event(task)


def _masked(value: Any, name: str = "") -> Any:
    if name in _SECRETS and value:
        return MASK
    if isinstance(value, dict):
        return {key: _masked(item, key) for key, item in value.items()}
    return [_masked(item) for item in value] if isinstance(value, list) else value


def _signed(
    message: ParseNotificationResponse | ParseLiveStreamProcessNotificationResponse, **what: Any
) -> Notification:
    return Notification(
        session_id=message.session_id or "",
        session_context=message.session_context or "",
        timestamp=message.timestamp,
        sign=message.sign or "",
        message=message,
        **what,
    )
