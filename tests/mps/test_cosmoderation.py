"""Callbacks of COS live stream moderation: two bodies by their header, typed, and other products told apart."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drmkit.errors import InputError
from drmkit.mps import notification
from drmkit.mps.cosmoderation import LibraryHit, Location, OcrText, SeenObject, parse
from drmkit.mps.notification import WrongProductError

SIMPLE: dict[str, Any] = {
    "code": 0,
    "message": "success",
    "data": {
        "event": "ReviewVideo",
        "forbidden_status": 0,
        "porn_info": {"hit_flag": 1, "label": "", "count": 3},
        "result": 1,
        "trace_id": "job-1",
        "url": "https://live.example.com/a.flv",
        "data_id": "d-1",
    },
}
DETAIL: dict[str, Any] = {
    "EventName": "ReviewVideo",
    "JobsDetail": {
        "JobId": "job-2",
        "State": "Auditing",
        "CreationTime": "2026-01-01T00:00:00+08:00",
        "Url": "https://live.example.com/a.flv",
        "Label": "Porn",
        "Result": 2,
        "SnapshotCount": 1,
        "PornInfo": {"HitFlag": 2, "Count": 1},
        "PoliticsInfo": {"HitFlag": 0, "Count": 0},
        "Snapshot": [
            {
                "Url": "https://b.example.com/0.jpg",
                "Text": "words",
                "SnapshotTime": 1649387157000,
                "Label": "Porn",
                "Result": 2,
                "PornInfo": {
                    "HitFlag": 2,
                    "Score": 77,
                    "Label": "SexBehavior",
                    "SubLabel": "SexBehavior",
                    "Category": "c",
                    "OcrResults": [
                        {"Text": "words", "Keywords": ["w"], "Location": {"X": 1.5, "Y": 2, "Width": 3, "Height": 4}}
                    ],
                    "ObjectResults": [{"Name": "someone", "Location": {"Rotate": 90}}, {"Name": "thing"}],
                    "LibResults": [{"ImageId": "i-1", "Score": 90}],
                },
            }
        ],
        "AudioSection": [
            {
                "Url": "https://b.example.com/0.mp3",
                "Text": "heard",
                "OffsetTime": 0,
                "Duration": 30000,
                "Label": "Normal",
                "Result": 0,
                "AdsInfo": {
                    "HitFlag": 0,
                    "Score": 0,
                    "Keywords": ["k"],
                    "LibResults": [{"LibType": 1, "LibName": "n"}],
                },
            }
        ],
        "BucketId": "examplebucket-1250000000",
        "Region": "ap-chongqing",
        "ForbidState": 0,
        "CosHeaders": {"x-cos-meta-id": "x"},
        "UserInfo": {"TokenId": "t"},
        "Type": "live_video",
        "ListInfo": {"ListResults": [{"ListType": 1, "ListName": "l", "Entity": "e"}]},
    },
}


def read(body: Any, version: str | None = None) -> Any:
    """Parse a body that is given as an object."""
    return parse(json.dumps(body).encode(), version=version)


@pytest.mark.parametrize("version", [None, "Simple", "simple", " Simple "])
def test_the_simple_body(version: Any) -> None:
    """The simple body has a verdict, the scenes that it names, and the job in trace_id."""
    found = read(SIMPLE, version)
    assert (found.version, found.verdict, found.job_id, found.data_id) == ("Simple", "sensitive", "job-1", "d-1")
    assert (found.scenes["porn"].hit, found.scenes["porn"].count) == (1, 3)
    assert (found.known, found.failed, found.frozen_state) == (True, False, 0)


@pytest.mark.parametrize("version", [None, "Detail"])
def test_the_detailed_body(version: Any) -> None:
    """The detailed body has snapshots and pieces of sound, each with its verdict, label and scenes."""
    found = read(DETAIL, version)
    assert (found.verdict, found.label, found.state, found.type) == ("suspected", "Porn", "Auditing", "live_video")
    assert set(found.scenes) == {"porn", "politics"}
    (snapshot,) = found.snapshots
    assert (snapshot.verdict, snapshot.label, snapshot.time, snapshot.text) == (
        "suspected",
        "Porn",
        1649387157000,
        "words",
    )
    scene = snapshot.scenes["porn"]
    assert (scene.score, scene.sub_label, scene.category, scene.texts) == (77, "SexBehavior", "c", ("words",))
    assert scene.ocr == (OcrText("words", ("w",), Location(1.5, 2, 3, 4)),)
    assert scene.objects == (SeenObject("someone", Location(rotate=90)), SeenObject("thing"))
    assert scene.libraries == (LibraryHit(image_id="i-1", score=90),)
    (audio,) = found.audio
    assert (audio.verdict, audio.offset, audio.duration, audio.text) == ("normal", 0, 30000, "heard")
    assert audio.scenes["ads"].keywords == ("k",)
    assert audio.scenes["ads"].libraries[0].lib_name == "n"
    assert (found.bucket, found.user_info["TokenId"], found.lists[0]["Entity"]) == (
        "examplebucket-1250000000",
        "t",
        "e",
    )
    assert found.raw == DETAIL
    assert "raw" not in found.to_builtins()


@pytest.mark.parametrize("name", ["X-Ci-Content-Version", "x-ci-content-version"])
def test_all_headers_at_once(name: str) -> None:
    """The version is found among the headers, whatever their case; without it the body tells."""
    body = json.dumps(DETAIL).encode()
    assert parse(body, headers={"Content-Type": "application/json", name: "Detail"}).version == "Detail"
    assert parse(body, headers={}).version == "Detail"
    with pytest.raises(InputError, match="says Simple, and the body is that of Detail"):
        parse(body, headers={name: "Simple"})


def test_headers_in_other_forms() -> None:
    """Headers may be pairs, texts or bytes, as servers have them; an empty one tells nothing."""
    body = json.dumps(SIMPLE).encode()
    pairs = [("Content-Type", "application/json"), ("X-CI-CONTENT-VERSION", "Simple")]
    assert parse(body, headers=pairs).version == "Simple"
    asgi = [(name.lower().encode(), value.encode()) for name, value in pairs]
    for headers in (asgi, dict(asgi)):
        assert parse(body, headers=headers).version == "Simple"
        with pytest.raises(InputError, match="says Simple, and the body is that of Detail"):
            parse(json.dumps(DETAIL).encode(), headers=headers)
    assert parse(body, headers={"x-ci-content-version": " "}).version == "Simple"
    assert parse(body, version="").version == "Simple"


def test_a_body_that_has_both_is_what_its_header_says() -> None:
    """The header chooses where a body has the fields of both; without it the body with more in it counts."""
    both = SIMPLE | DETAIL
    assert [read(both, version).job_id for version in ("Simple", "Detail", None)] == ["job-1", "job-2", "job-2"]


def test_a_failure_without_details() -> None:
    """A simple body whose moderation failed may have no details; its code, a number or a text, is kept."""
    for code in (4001, "4001", "DownloadFail"):
        found = read({"code": code, "message": "bad stream", "data": None})
        assert (found.failed, found.verdict, found.code, found.message) == (True, "unknown", str(code), "bad stream")
    with pytest.raises(InputError, match="has no details"):
        read({"code": 0, "message": "ok", "data": None})


def test_a_code_of_success_is_no_failure() -> None:
    """A code beside a state that is a success does not take the verdict away."""
    found = read(DETAIL | {"JobsDetail": DETAIL["JobsDetail"] | {"State": "Success", "Code": "Success"}})
    assert (found.failed, found.verdict, found.known) == (False, "suspected", True)


def test_a_moderation_that_failed() -> None:
    """A failed moderation has a code and no verdict, in either body."""
    simple = read({"code": 4001, "message": "bad stream", "data": {"event": "ReviewVideo", "result": 0}})
    detail = read({"EventName": "ReviewVideo", "JobsDetail": {"State": "Failed", "Code": "X", "Message": "bad stream"}})
    for found, code in ((simple, "4001"), (detail, "X")):
        assert (found.failed, found.verdict, found.code, found.message) == (True, "unknown", code, "bad stream")


@pytest.mark.parametrize(
    "body",
    [
        SIMPLE | {"data": SIMPLE["data"] | {"event": "ReviewImage"}},
        SIMPLE | {"data": SIMPLE["data"] | {"result": 7}},
        DETAIL | {"EventName": "Dance"},
    ],
)
def test_what_is_not_documented_is_flagged(body: Any) -> None:
    """Another event or result is kept, and known is false."""
    found = read(body)
    assert found.known is False
    assert found.raw == body


@pytest.mark.parametrize(
    ("body", "version", "message"),
    [
        (b'{"code": 0, "data": {', None, "the message is not JSON"),
        (b"[1]", None, "is no JSON object"),
        (b"\xff", None, "the message is not JSON"),
        (b'{"a": 1}', None, "has neither JobsDetail nor data"),
        (b'{"EventType": "WorkflowTask"}', None, "is no moderation callback of COS"),
        (b'{"JobsDetail": 5}', None, "has no details"),
        (json.dumps(SIMPLE).encode(), "Detail", "says Detail, and the body is that of Simple"),
        (json.dumps(DETAIL).encode(), "Simple", "says Simple, and the body is that of Detail"),
        (json.dumps(DETAIL).encode(), "Full", "there is no callback version 'Full'"),
    ],
)
def test_bodies_that_are_none(body: bytes, version: Any, message: str) -> None:
    """A body that is cut short, of another product, or not what its header says, is refused with the reason."""
    with pytest.raises(InputError, match=message):
        parse(body, version=version)


@pytest.mark.parametrize("body", [SIMPLE, DETAIL])
def test_mps_refuses_them_by_name(body: Any) -> None:
    """The reader of MPS's callbacks says whose they are."""
    with pytest.raises(WrongProductError, match="moderation callback of Cloud Object Storage"):
        notification.parse(json.dumps(body).encode())


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=5,
)
NAMES = st.sampled_from(sorted({*DETAIL["JobsDetail"], *SIMPLE["data"], "Score", "HitFlag"}))


@settings(max_examples=80)
@given(st.sampled_from(["JobsDetail", "data"]), st.dictionaries(NAMES, VALUES, max_size=6))
def test_any_values_are_read(name: str, inner: Any) -> None:
    """Whatever stands in the fields, the callback is read, and what it says can be written as JSON."""
    found = parse(json.dumps({name: inner, "code": 0}).encode())
    assert json.loads(json.dumps(found.to_builtins()))
