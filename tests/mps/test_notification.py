"""Callbacks: every documented event, wrapped or bare; Sign with its vectors, its moment and what it does not cover."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drmkit.errors import InputError
from drmkit.mps.models.detail import DescribeTaskDetailResponse
from drmkit.mps.notification import (
    EVENTS,
    LIVE_EVENTS,
    UnverifiedNotificationError,
    confirm,
    parse,
    sign,
    verify_sign,
)
from drmkit.mps.task import TaskDetail
from drmkit.secret import Secret

SHARED = Path(__file__).parents[3] / "shared"
KEY = Secret("NotifyKeyExample")
UNTIL = 1633046400
RESULT = {
    "Type": "AdaptiveDynamicStreaming",
    "AdaptiveDynamicStreamingTask": {
        "Status": "SUCCESS",
        "ErrCodeExt": "SUCCESS",
        "Input": {
            "Definition": 12,
            "DrmInfo": {"Type": "widevine", "SpekeDrm": {"KeyServerUrl": "https://a.example.com/?ticket=canary"}},
        },
        "Output": {"Path": "/out/a.m3u8"},
    },
}
EVENT = {
    "EventType": "WorkflowTask",
    "WorkflowTaskEvent": {"TaskId": "t-1", "Status": "FINISH", "ErrCode": 0, "MediaProcessResultSet": [RESULT]},
    "SessionId": "s-1",
    "SessionContext": "mine",
    "Timestamp": UNTIL,
    "Sign": "444875c715c6a5af972f65c4d1cbde0f",
    "Unknown": {"kept": False},
}


def body(**changes: Any) -> Any:
    """A callback's body, with changes."""
    return json.dumps(EVENT | changes).encode()


@pytest.mark.parametrize(
    "wrap",
    [
        lambda event: event,
        lambda event: {"Response": event | {"RequestId": "r"}},
        lambda event: {"msgBody": json.dumps(event)},
        lambda event: {"msgBody": json.dumps({"Response": event})},
    ],
    ids=["bare", "Response", "queue", "queue and Response"],
)
def test_wrappings(wrap: Any) -> None:
    """A message reads the same bare, inside Response as samples show it, and from a queue."""
    found = parse(json.dumps(wrap(EVENT)).encode())
    assert (found.event, found.task_id, found.session_id, found.session_context) == (
        "WorkflowTask",
        "t-1",
        "s-1",
        "mine",
    )
    assert (found.timestamp, found.live, found.known) == (UNTIL, False, True)
    assert found.claim.state == "succeeded"
    verify_sign(found, KEY, now=UNTIL)


def test_what_is_shown_holds_no_ticket() -> None:
    """The DrmInfo that a message echoes is masked wherever the message is shown."""
    found = parse(body())
    assert "canary" not in f"{found!r} {found.to_builtins()}"
    assert "canary" in str(found.to_builtins(reveal=True))


@pytest.mark.parametrize("event", EVENTS)
def test_every_event_of_offline_tasks(event: Any) -> None:
    """Each documented event is known by its object, which names the task."""
    field = {"WorkflowTask": "WorkflowTaskEvent", "ExtractBlindWatermark": "ExtractBlindWatermarkTask"}
    name = field.get(event, f"{event}Event")
    found = parse(json.dumps({"EventType": event, name: {"TaskId": "t-9", "Status": "FINISH"}}).encode())
    assert found.known
    assert found.task_id == ("" if event == "BatchTask" else "t-9")  # a batch's event names no task
    assert (found.claim is not None) is (event in {"WorkflowTask", "ScheduleTask", "EditMediaTask"})


@pytest.mark.parametrize("event", LIVE_EVENTS)
def test_every_event_of_live_streams(event: Any) -> None:
    """Each documented live notification names its task and has its own object."""
    field = f"{event}Info"
    found = parse(json.dumps({"NotificationType": event, "TaskId": "live-1", field: {}}).encode())
    assert (found.task_id, found.live, found.known, found.claim) == ("live-1", True, True, None)
    assert getattr(found.message, LIVE_EVENTS[event]) is not None


def test_unknown_events_are_kept() -> None:
    """An event that is not documented is read as far as it goes, and known as unknown."""
    found = parse(b'{"EventType": "ProcedureStateChanged", "ProcedureStateChangedEvent": {}}')
    assert (found.event, found.known, found.task_id, found.claim) == ("ProcedureStateChanged", False, "", None)
    assert found.timestamp is None
    assert not parse(b'{"NotificationType": "New"}').known


def test_an_event_without_its_object() -> None:
    """An event whose object is missing claims nothing."""
    assert parse(b'{"EventType": "WorkflowTask"}').claim is None


def test_the_official_live_sample() -> None:
    """The notification that the documentation of ParseLiveStreamProcessNotification shows is read."""
    path = SHARED / "documents" / "000_488b6aed149ee58f.txt"
    if not path.exists():
        pytest.skip("../shared is absent")
    sample = [
        '{"NotificationType": "AiReviewResult", "TaskId": "2459149217-procedure-live-xxx51da009t0",',
        '"ProcessEofInfo": null, "AiReviewResultInfo": {"ResultSet": [{"Type": "VoicePorn", "ImagePornResultSet": [],',
        '"ImageTerrorismResultSet": [], "ImagePoliticalResultSet": [], "VoicePornResultSet": [{"StartPtsTime": 0.266,',
        '"EndPtsTime": 4.146, "Confidence": 98, "Suggestion": "block", "Label": "sexual_moan"}]}]},',
        '"SessionId": "", "SessionContext": "", "RequestId": "335bdaa3-db0e-46ce-9946-51941d9cb0f5"}',
    ]
    words = path.read_text(encoding="utf-8")
    assert '"VoicePornResultSet"' in words
    assert "0.266" in words
    found = parse(b'{"Response": ' + "".join(sample).encode() + b"}")
    (item,) = found.message.ai_review_result_info.result_set
    assert item.voice_porn_result_set[0].start_pts_time == 0.266
    assert item.voice_porn_result_set[0].suggestion == "block"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is not JSON"),
        (b"<html>", "is not JSON"),
        (b"\xff", "is not JSON"),
        (b"[]", "is no JSON object"),
        (b'{"Response": 5}', "is no JSON object"),
        (b'{"msgBody": "no json"}', "is not JSON"),
        (b"{}", "neither EventType nor NotificationType"),
        (b'{"EventType": 5}', "its EventType is no text"),
        (b'{"NotificationType": ["ProcessEof"]}', "its NotificationType is no text"),
        (b'{"EventType": null}', "neither EventType nor NotificationType"),
    ],
)
def test_no_notifications(data: Any, message: Any) -> None:
    """Anything else is refused, saying what it is not."""
    with pytest.raises(InputError, match=message):
        parse(data)


@settings(max_examples=80)
@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes_are_judged(data: Any) -> None:
    """Whatever arrives is a notification or an InputError."""
    with contextlib.suppress(InputError):
        assert parse(data).event


@pytest.mark.parametrize(
    ("timestamp", "key", "expected"),
    [
        (1633046400, "NotifyKeyExample", "444875c715c6a5af972f65c4d1cbde0f"),
        (1700000000, "s3cret", "b1c1e07beb60deb6e2b20eae6b376856"),
    ],
)
def test_sign_vectors(timestamp: Any, key: Any, expected: Any) -> None:
    """Sign is the MD5 of the timestamp and the key (vectors made with md5sum)."""
    assert sign(timestamp, Secret(key)) == expected


@pytest.mark.parametrize(
    ("changes", "key", "now", "message"),
    [
        ({}, "other", UNTIL, "does not match the NotifyKey"),
        ({"Sign": "0" * 32}, "NotifyKeyExample", UNTIL, "does not match the NotifyKey"),
        ({"Sign": "é"}, "NotifyKeyExample", UNTIL, "does not match the NotifyKey"),
        ({"Timestamp": UNTIL + 1}, "NotifyKeyExample", UNTIL, "does not match the NotifyKey"),
        ({}, "NotifyKeyExample", UNTIL + 1, "ended 1 seconds ago"),
        ({"Sign": ""}, "NotifyKeyExample", UNTIL, "is not signed"),
        ({"Timestamp": None}, "NotifyKeyExample", UNTIL, "is not signed"),
    ],
)
def test_unverified(changes: Any, key: Any, now: Any, message: Any) -> None:
    """A wrong, missing or ended Sign is refused for that reason."""
    with pytest.raises(UnverifiedNotificationError, match=message) as caught:
        verify_sign(parse(body(**changes)), Secret(key), now=now)
    assert caught.value.exit_code == 1


def test_sign_in_either_case() -> None:
    """Sign may come in upper case; a number of seconds in a text counts as one."""
    verify_sign(parse(body(Sign=EVENT["Sign"].upper(), Timestamp=str(UNTIL))), KEY, now=0)


def test_sign_does_not_cover_the_message() -> None:
    """An altered message with a seen Sign passes: only `confirm` tells what really happened."""
    forged = parse(body(WorkflowTaskEvent={"TaskId": "t-2", "Status": "FINISH"}))
    verify_sign(forged, KEY, now=UNTIL)

    class Client:
        def describe_task_detail(self, task_id: Any) -> Any:
            return TaskDetail(task_id, DescribeTaskDetailResponse(status="PROCESSING"))

    detail = confirm(forged, Client())
    assert (detail.task_id, detail.verdict.state) == ("t-2", "processing")
    with pytest.raises(InputError, match="names no task"):
        confirm(parse(b'{"EventType": "New"}'), Client())
