"""Notifications about live streams: every type, both shapes, unknown ones kept and flagged, results as one list."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drmkit.errors import InputError
from drmkit.mps.models.live_notification import ParseLiveStreamProcessNotificationResponse
from drmkit.mps.notification import LIVE_EVENTS, parse, sign, verify_sign
from drmkit.mps.notificationstore import NotificationStore
from drmkit.mps.results import Result
from drmkit.secret import Secret

TASK = "24000002-procedure-live-813dc41e6fdc22dcf24aa6e9c61cp92"
MESSAGES: dict[str, tuple[dict[str, Any], list[tuple[Any, ...]]]] = {
    "AiReviewResult": (
        {
            "ResultSet": [
                {
                    "Type": "ImagePorn",
                    "ImagePornResultSet": [
                        {"StartPtsTime": 1.0, "EndPtsTime": 2.0, "Suggestion": "block", "Label": "porn", "Url": "u"}
                    ],
                }
            ]
        },
        [("moderation", "u", "block", "porn", 1.0)],
    ),
    "AiRecognitionResult": (
        {
            "ResultSet": [
                {
                    "Type": "TransTextRecognition",
                    "TransTextRecognitionResultSet": [{"Text": "a", "Trans": "b", "StartPtsTime": 0.5}],
                },
                {"Type": "FaceRecognition", "FaceRecognitionResultSet": [{"Name": "n", "StartPtsTime": 3.0}]},
            ]
        },
        [("text", None, "b", None, 0.5), ("recognition", None, None, "n", 3.0)],
    ),
    "AiAnalysisResult": (
        {
            "ResultSet": [
                {
                    "Type": "SegmentRecognition",
                    "SegmentResultSet": [{"SegmentUrl": "s", "Title": "t", "StartTimeOffset": 4}],
                },
                {"Type": "Highlight", "HighlightResultSet": [{"HighlightUrl": "h", "CovImgUrl": "c"}]},
                {"Type": "Description", "DescriptionResult": {"Paragraphs": [{"Title": "p", "StartTimeOffset": 1}]}},
            ]
        },
        [
            ("segment", "s", "t", None, 4.0),
            ("highlights", "h", None, None, None),
            ("paragraph", None, "p", None, 1.0),
        ],
    ),
    "AiQualityControlResult": (
        {
            "QualityControlResultSet": [{"Type": "Blur", "QualityControlItems": [{"StartTimeOffset": 2.0}]}],
            "DiagnoseResultSet": [{"Type": "StreamOpenFailed", "SeverityLevel": "Fatal", "Timestamp": 0}],
        },
        [("quality issue", None, None, "Blur", 2.0), ("format issue", None, "Fatal", "StreamOpenFailed", 0.0)],
    ),
    "LiveRecordResult": (
        {"RecordOver": 1, "FileResults": [{"Url": "r", "Size": 5, "StartTime": "2026-01-01T00:00:00Z"}]},
        [("recording", "r", None, None, "2026-01-01T00:00:00Z")],
    ),
    "AiSmartSubtitleResult": (
        {"SmartSubtitleResult": [{"Text": "a", "Trans": "b", "StartPTSTime": 0.25}]},
        [("text", None, "b", None, 0.25)],
    ),
    "ProcessEof": ({"ErrCode": 0, "Message": ""}, []),
}


def message(kind: str, **more: Any) -> dict[str, Any]:
    """A notification in today's shape: bare, with its session and its Sign."""
    until = 4102444800
    return {
        "NotificationType": kind,
        "TaskId": TASK,
        f"{kind}Info": MESSAGES[kind][0],
        "SessionId": "s",
        "SessionContext": "c",
        "Timestamp": until,
        "Sign": sign(until, Secret("key")),
    } | more


def test_every_documented_type_is_tested() -> None:
    """The table of this module has all of them."""
    assert set(MESSAGES) == set(LIVE_EVENTS)


@pytest.mark.parametrize("kind", MESSAGES)
def test_each_type_in_both_shapes(kind: str, oracle: Any) -> None:
    """Each type is read bare and signed (today) and wrapped in Response without a Sign (before), with its results."""
    today = message(kind)
    assert oracle.check("ParseLiveStreamProcessNotificationResponse", today) == []
    before = {"Response": {name: today[name] for name in today if name not in {"Timestamp", "Sign"}}}
    for body in (today, before, {"msgBody": json.dumps(today)}):
        found = parse(json.dumps(body).encode())
        assert (found.event, found.task_id, found.live, found.known) == (kind, TASK, True, True)
        assert (found.session_id, found.session_context, found.unknown) == ("s", "c", {})
        assert getattr(found.message, LIVE_EVENTS[kind]) is not None
        assert [(r.kind, r.path, r.title, r.label, r.start) for r in found.results] == MESSAGES[kind][1]
    verify_sign(parse(json.dumps(today).encode()), Secret("key"), now=time.time())


def test_what_two_fields_say_is_one_result() -> None:
    """Live quality inspection has older and newer fields for the same: what both say is told once."""
    item = {"Type": "BlackWhiteEdge", "QualityControlItems": [{"StartTimeOffset": 12, "EndTimeOffset": 13}]}
    issue = {"Type": "StreamOpenFailed", "Timestamp": 0, "SeverityLevel": "Fatal"}
    old = {"QualityControlResults": [item], "DiagnoseResults": [issue]}
    new = {"QualityControlResultSet": [item], "DiagnoseResultSet": [issue, issue | {"Timestamp": 5}]}
    told = []
    for info in (old, new, old | new):
        body = message("AiQualityControlResult", AiQualityControlResultInfo=info)
        told.append([(result.label, result.start) for result in parse(json.dumps(body).encode()).results])
    assert told[0] == [("BlackWhiteEdge", 12), ("StreamOpenFailed", 0)]
    assert told[1] == [*told[0], ("StreamOpenFailed", 5)]
    assert sorted(told[2]) == sorted(told[1])


def test_unknown_types_are_kept_and_flagged() -> None:
    """A type that is not documented is flagged, and what only it holds is kept, its secrets masked when shown."""
    body = {"NotificationType": "AiDanceResult", "TaskId": TASK, "AiDanceResultInfo": {"Steps": 3, "KeyServerUrl": "x"}}
    found = parse(json.dumps(body).encode())
    assert (found.known, found.live, found.task_id) == (False, True, TASK)
    assert found.unknown == {"AiDanceResultInfo": {"Steps": 3, "KeyServerUrl": "x"}}
    assert found.to_builtins()["AiDanceResultInfo"] == {"Steps": 3, "KeyServerUrl": "**********"}
    assert found.to_builtins(reveal=True) == body
    assert "Steps" not in repr(found)


def test_unknown_fields_of_a_known_type_are_kept() -> None:
    """A field that has been added since is kept beside the documented ones."""
    found = parse(json.dumps(message("ProcessEof", NewField=[1])).encode())
    assert (found.known, found.unknown) == (True, {"NewField": [1]})


def test_unknown_messages_are_no_duplicates_of_each_other(tmp_path: Path) -> None:
    """Two messages of an unknown type that differ in unknown fields alone are stored both; a repetition is not."""
    with NotificationStore(tmp_path / "n.sqlite") as store:
        numbers = []
        for steps in (1, 2, 1):
            body = json.dumps({"NotificationType": "AiDanceResult", "TaskId": TASK, "Info": steps}).encode()
            numbers.append(store.add(parse(body), body, now=0.0))
    assert numbers == [1, 2, None]


@pytest.mark.parametrize("kind", MESSAGES)
def test_a_body_that_is_cut_short(kind: str) -> None:
    """Every beginning of a message that is not the whole one is refused in words."""
    whole = json.dumps(message(kind)).encode()
    for length in range(0, len(whole), 7):
        with pytest.raises(InputError, match="the message is (not JSON|no )"):
            parse(whole[:length])


def test_nesting_without_end() -> None:
    """A body that is nested without end is refused for that."""
    with pytest.raises(InputError, match="the message is nested more than 100 levels deep"):
        parse(b'{"NotificationType":' + b"[" * 100_000)


def test_a_field_of_the_wrong_type() -> None:
    """A result that cannot be what the API documents is kept as it came, and flagged by its place."""
    body = message("AiReviewResult", AiReviewResultInfo=5)
    found = parse(json.dumps(body).encode())
    assert (found.event, found.task_id, found.known) == ("AiReviewResult", TASK, True)
    assert found.misread == {"AiReviewResultInfo": 5}
    assert found.results == ()
    assert found.to_builtins() == body
    assert parse(json.dumps(message("AiReviewResult")).encode()).misread == {}


def test_unknown_fields_inside_documented_ones_are_kept(tmp_path: Path) -> None:
    """What has been added since to a documented object is shown, backed up, and makes a message another one."""
    bodies = []
    for text in ("one", "two", "one"):
        item = {"Type": "DanceRecognition", "DanceResultSet": [{"Text": text, "Key": "canary"}]}
        info = {"ResultSet": [{"Type": "AsrFullTextRecognition"}, item]}
        bodies.append(json.dumps({"NotificationType": "AiRecognitionResult", "AiRecognitionResultInfo": info}).encode())
    found = parse(bodies[0])
    path = "AiRecognitionResultInfo.ResultSet[1].DanceResultSet"
    assert found.unknown == {path: [{"Text": "one", "Key": "canary"}]}
    assert found.strange == {path: [{"Text": "one", "Key": "**********"}]}
    shown = found.to_builtins()["AiRecognitionResultInfo"]["ResultSet"][1]
    assert shown["DanceResultSet"] == [{"Text": "one", "Key": "**********"}]
    assert found.to_builtins(reveal=True) == json.loads(bodies[0])
    with NotificationStore(tmp_path / "n.sqlite") as store:
        numbers = [store.add(parse(body), body, now=1.0) for body in bodies]
        assert numbers == [1, 2, None]


@settings(max_examples=60)
@given(
    st.dictionaries(
        st.sampled_from([*(f"{kind}Info" for kind in MESSAGES), "NotificationType", "TaskId", "EventType", "x"]),
        st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=2)),
        max_size=5,
    )
)
def test_any_object_is_read_or_refused(body: Any) -> None:
    """Whatever object comes, it is read, or refused in words."""
    try:
        found = parse(json.dumps(body).encode())
    except InputError:
        return
    assert isinstance(found.results, tuple)


def test_a_result_without_anything_is_left_out() -> None:
    """Empty items give no results."""
    body = message("AiAnalysisResult", AiAnalysisResultInfo={"ResultSet": [{"HighlightResultSet": [{}]}]})
    found = parse(json.dumps(body).encode())
    assert found.results == ()
    assert isinstance(found.message, ParseLiveStreamProcessNotificationResponse)
    assert Result("x").path is None
