"""Bodies that anybody may send to a receiver: each is read, or refused in words that say what is wrong with it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drmkit.errors import InputError
from drmkit.mps import cosmoderation, notification
from drmkit.mps.notificationstore import NotificationStore
from drmkit.mps.receiver import Receiver
from drmkit.secret import Secret

MPS: dict[str, Any] = {"EventType": "WorkflowTask", "WorkflowTaskEvent": {"TaskId": "t-1", "Status": "FINISH"}}
COS = {"data": {"event": "ReviewVideo", "trace_id": "j-1", "url": "https://live.example.com/a", "result": 0}}
READERS = pytest.mark.parametrize(
    ("read", "good"), [(notification.parse, MPS), (cosmoderation.parse, COS)], ids=["MPS", "COS"]
)


def nested(good: dict[str, Any], opening: bytes, closing: bytes, levels: int) -> bytes:
    """A message with a further field that is nested so deep."""
    return json.dumps(good).encode()[:-1] + b',"Extra":' + opening * levels + b"1" + closing * levels + b"}"


@READERS
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda body: body[:-1], "not JSON (Input data was truncated"),
        (lambda body: body.decode().encode("utf-16"), "is UTF-16 or UTF-32 text, and JSON is UTF-8"),
        (lambda body: body.decode().encode("utf-16-le"), "is UTF-16 or UTF-32 text, and JSON is UTF-8"),
        (gzip.compress, "is compressed (gzip)"),
        (lambda body: body[:-1] + b',"x":"\xe9"}', "not JSON"),
        (lambda body: body[:-1] + b',"x":NaN}', "not JSON ("),
        (lambda body: body[:-1] + b',"x":1e999}', "not JSON (Number"),
        (lambda body: body[:-1] + b',"x":' + b"1" * 5000 + b"}", "not JSON (Integer"),
        (lambda body: body[:-1] + b',"x":"\\ud800"}', "not JSON ("),
        (lambda body: body[:-1] + b',"x":"' + b"\x00" + b'"}', "not JSON"),
    ],
    ids=["cut", "UTF-16", "UTF-16 without a mark", "gzip", "Latin-1", "NaN", "1e999", "digits", "surrogate", "NUL"],
)
def test_what_is_wrong_is_said(read: Any, good: Any, change: Callable[[bytes], bytes], reason: str) -> None:
    """A body that cannot be read is refused by what is wrong with it, and the message itself is not repeated."""
    read(json.dumps(good).encode())
    with pytest.raises(InputError) as caught:
        read(change(json.dumps(good).encode()))
    assert reason in caught.value.message
    assert "t-1" not in caught.value.message
    assert "live.example.com" not in caught.value.message


@READERS
def test_a_byte_order_mark_is_allowed(read: Any, good: Any) -> None:
    """RFC 8259, 8.1: a reader may ignore a byte order mark of UTF-8, which some editors write before a saved body."""
    assert read(b"\xef\xbb\xbf" + json.dumps(good).encode()) == read(json.dumps(good).encode())


@READERS
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")], ids=["lists", "objects"])
@pytest.mark.parametrize("levels", [150, 500, 900, 100_000])
def test_nesting_without_end_is_refused(read: Any, good: Any, opening: bytes, closing: bytes, levels: int) -> None:
    """A message is refused that is nested deeper than what masks, shows and stores it can walk; 50 levels are not."""
    with pytest.raises(InputError, match="nested more than 100 levels deep"):
        read(nested(good, opening, closing, levels))
    assert read(nested(good, opening, closing, 50))


def test_a_nested_message_is_not_taken(tmp_path: Path) -> None:
    """The receiver answers a message that is nested too deep with 400: stored, it would break what hands it on."""
    with NotificationStore(tmp_path / "queue.sqlite") as store:
        receiver = Receiver(store, notify_key=None)
        assert receiver.take(nested(MPS, b"[", b"]", 400))[0] == 400
        assert receiver.take(nested(MPS, b"[", b"]", 40)) == (200, "stored\n")
        assert len(store.all()) == 1


def test_a_field_of_another_type_is_flagged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A documented field of a type that it cannot have is kept and named by its path; its value is in no log."""
    body = json.dumps(MPS | {"SessionContext": ["canary"]}).encode()
    found = notification.parse(body)
    assert found.misread == {"SessionContext": ["canary"]}
    assert (found.task_id, found.session_context) == ("t-1", "")
    assert "canary" not in repr(found)
    with NotificationStore(tmp_path / "n.sqlite") as store:
        receiver = Receiver(store, notify_key=None, clock=lambda: 1.0)
        assert receiver.take(body) == (200, "stored\n")
        assert receiver.take(json.dumps(MPS).encode()) == (200, "stored\n")
    assert "of another type than is documented, kept as they came: SessionContext" in caplog.text
    assert "canary" not in caplog.text


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"Status": ["FINISH"]}, "WorkflowTaskEvent.Status"),
        ({"ErrCode": "none"}, "WorkflowTaskEvent.ErrCode"),
        ({"MediaProcessResultSet": {}}, "WorkflowTaskEvent.MediaProcessResultSet"),
        ({"MediaProcessResultSet": ["Transcode"]}, "WorkflowTaskEvent.MediaProcessResultSet[0]"),
        (
            {"MediaProcessResultSet": [{"Type": "Transcode", "TranscodeTask": "{}"}]},
            "WorkflowTaskEvent.MediaProcessResultSet[0].TranscodeTask",
        ),
    ],
)
def test_what_was_misread_claims_nothing(change: dict[str, Any], path: str) -> None:
    """What is left of a message could say success where the part that was not understood says failure."""
    event = MPS["WorkflowTaskEvent"] | {"ErrCode": 0} | change
    found = notification.parse(json.dumps(MPS | {"WorkflowTaskEvent": event}).encode())
    assert list(found.misread) == [path]
    assert found.claim is None
    assert found.to_builtins(reveal=True)["WorkflowTaskEvent"] == event
    assert notification.parse(json.dumps(MPS).encode()).claim is not None


def test_what_was_misread_beside_the_state() -> None:
    """What went into a task or came out of it does not decide how it ended, so that the claim stays."""
    output = {"Definition": 1, "Container": 5, "Path": ["a"]}
    task = {"Status": "FAIL", "ErrCodeExt": "InternalError", "Input": [], "Output": output}
    items = [{"Type": "Transcode", "TranscodeTask": task}]
    event = MPS["WorkflowTaskEvent"] | {"MediaProcessResultSet": items, "MetaData": "none"}
    found = notification.parse(json.dumps(MPS | {"WorkflowTaskEvent": event}).encode())
    assert [path.rpartition(".")[2] for path in found.misread] == ["Input", "Path", "MetaData"]
    assert found.claim is not None
    assert found.claim.state == "failed"


def test_numbers_for_texts_and_texts_for_numbers() -> None:
    """A number in a text and a whole number where a text is documented are taken for what they say."""
    body = MPS | {"Timestamp": "1700000000", "WorkflowTaskEvent": {"TaskId": 7, "ErrCode": "0", "Status": "FINISH"}}
    found = notification.parse(json.dumps(body).encode())
    assert (found.task_id, found.timestamp, found.misread) == ("7", 1700000000, {})
    assert found.claim is not None


def test_a_sign_without_a_moment() -> None:
    """Where the Timestamp of a signed message cannot be read, that is the reason, and not that it is not signed."""
    found = notification.parse(json.dumps(MPS | {"Timestamp": "soon", "Sign": "0" * 32}).encode())
    with pytest.raises(notification.UnverifiedNotificationError, match="Timestamp is no whole number"):
        notification.verify_sign(found, Secret("key"), now=0.0)


def test_a_secret_of_another_type_stays_masked() -> None:
    """The value of a secret's field is masked also where it is of another type than is documented."""
    drm = {"Type": "widevine", "SpekeDrm": {"KeyServerUrl": ["canary"], "ResourceId": "r"}}
    task = {"Status": "SUCCESS", "Input": {"Definition": 1, "DrmInfo": drm}}
    items = [{"Type": "AdaptiveDynamicStreaming", "AdaptiveDynamicStreamingTask": task}]
    event = MPS["WorkflowTaskEvent"] | {"MediaProcessResultSet": items}
    found = notification.parse(json.dumps(MPS | {"WorkflowTaskEvent": event}).encode())
    assert [path.rpartition(".")[2] for path in found.misread] == ["KeyServerUrl"]
    assert "canary" not in json.dumps([found.to_builtins(), found.strange])
    assert "canary" in json.dumps(found.to_builtins(reveal=True))


def test_endless_oddities_are_not_all_named() -> None:
    """A message with more odd fields than anybody reads names the first thousand, and keeps the rest unnamed."""
    event = MPS["WorkflowTaskEvent"] | {"MediaProcessResultSet": [1] * 1500}
    body = MPS | {"WorkflowTaskEvent": event} | {f"N{number}": number for number in range(1500)}
    found = notification.parse(json.dumps(body).encode())
    assert (len(found.misread), len(found.unknown)) == (1000, 1000)
    assert found.to_builtins(reveal=True) == body
