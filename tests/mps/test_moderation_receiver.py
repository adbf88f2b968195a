"""Moderation callbacks of COS at the receiver: told by their header, kept and handed on like those of MPS."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drmkit.cli.notification_hook import CommandHook
from drmkit.mps.cosmoderation import ModerationCallback
from drmkit.mps.follower import FolderBackup, Follower
from drmkit.mps.notificationstore import NotificationStore
from drmkit.mps.receiver import Receiver
from drmkit.secret import Secret

SIMPLE = {"code": 0, "message": "ok", "data": {"event": "ReviewVideo", "trace_id": "j-1", "url": "u", "result": 1}}
DETAIL = {"EventName": "ReviewVideo", "JobsDetail": {"JobId": "j-2", "State": "Success", "Result": 0, "Url": "u"}}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[NotificationStore]:
    """An empty queue."""
    with NotificationStore(tmp_path / "queue.sqlite") as opened:
        yield opened


def post(receiver: Receiver, body: Any, *headers: tuple[str, str]) -> tuple[int, bytes]:
    """Post a body with headers, as an ASGI server hands them on."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": json.dumps(body).encode()}

    async def send(message: Any) -> None:
        sent.append(message)

    pairs = [(name.lower().encode(), value.encode()) for name, value in headers]
    asyncio.run(receiver({"type": "http", "method": "POST", "path": "/cos", "headers": pairs}, receive, send))
    return sent[0]["status"], sent[1]["body"]


@pytest.mark.parametrize(
    ("body", "version", "job"), [(SIMPLE, "Simple", "j-1"), (DETAIL, "Detail", "j-2")], ids=["Simple", "Detail"]
)
def test_the_header_tells(store: NotificationStore, body: Any, version: str, job: str) -> None:
    """With the header a body of COS is stored under its event and job, and known when it comes again."""
    receiver = Receiver(store, notify_key=None)
    assert post(receiver, body, ("X-Ci-Content-Version", version)) == (200, b"stored\n")
    assert post(receiver, body, ("x-ci-content-version", version.lower())) == (200, b"known\n")
    (kept,) = store.all()
    assert (kept.product, kept.event, kept.task_id) == ("cos", "ReviewVideo", job)
    message = kept.message()
    assert isinstance(message, ModerationCallback)
    assert (message.job_id, message.version) == (job, version)


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (SIMPLE, [], 400),
        (SIMPLE, [("X-Ci-Content-Version", "Detail")], 400),
        (SIMPLE, [("X-Ci-Content-Version", "Long")], 400),
        ({"EventType": "WorkflowTask"}, [("X-Ci-Content-Version", "Simple")], 400),
        ({"EventType": "WorkflowTask"}, [("X-Other", "Simple")], 200),
    ],
    ids=["no header", "the other body's", "no version", "a body of MPS", "MPS without it"],
)
def test_header_and_body_belong_together(
    store: NotificationStore, body: Any, headers: list[tuple[str, str]], status: int
) -> None:
    """A body of COS without its header, or with that of another body, is refused and not stored."""
    assert post(Receiver(store, notify_key=None), body, *headers)[0] == status
    assert len(store.all()) == (status == 200)


def test_unsigned_callbacks_are_taken_where_that_was_said(
    store: NotificationStore, caplog: pytest.LogCaptureFixture
) -> None:
    """A receiver that verifies refuses the callbacks of COS, which have no Sign, unless it was told to take them."""
    header = ("X-Ci-Content-Version", "Simple")
    assert post(Receiver(store, notify_key=Secret("k")), SIMPLE, header) == (403, b"not verified\n")
    assert "callbacks of COS are not signed" in caplog.text
    telling = Receiver(store, notify_key=Secret("k"), moderation=True)
    assert post(telling, SIMPLE, header) == (200, b"stored\n")
    assert post(telling, {"EventType": "WorkflowTask"})[0] == 403
    assert post(Receiver(store, notify_key=None, moderation=False), DETAIL, header)[0] == 400
    assert post(Receiver(store, notify_key=None, moderation=False), DETAIL, (header[0], "Detail"))[0] == 403


def test_handed_on_unconfirmed(store: NotificationStore, tmp_path: Path) -> None:
    """A moderation is backed up and told to the hook; MPS, which knows nothing of it, is not asked."""

    class Nobody:
        def describe_task_detail(self, task_id: str) -> Any:
            raise AssertionError(task_id)

    out = tmp_path / "out.json"
    hook = CommandHook(
        f"{sys.executable} -c 'import sys; open(sys.argv[1], \"w\").write(sys.stdin.read())' {out}", seconds=30
    )
    assert post(Receiver(store, notify_key=None), SIMPLE, ("X-Ci-Content-Version", "Simple"))[0] == 200
    follower = Follower(store, client=Nobody(), backup=FolderBackup(tmp_path / "backup"), hook=hook)
    assert follower.drain() == 1
    told = json.loads(out.read_text(encoding="utf-8"))
    assert (told["schema_version"], told["product"], told["job_id"], told["verdict"]) == (1, "cos", "j-1", "sensitive")
    assert told["body"] == SIMPLE
    (file,) = (tmp_path / "backup").iterdir()
    line = json.loads(file.read_text(encoding="utf-8"))
    assert (line["event"], line["task_id"], line["state"], line["message"]) == ("ReviewVideo", "j-1", None, SIMPLE)


def test_a_queue_of_before_is_read_on(tmp_path: Path) -> None:
    """A queue that was made before moderations were kept loses nothing, and takes them from now on."""
    path = tmp_path / "queue.sqlite"
    with sqlite3.connect(path) as old:
        old.execute(
            "CREATE TABLE notification (id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE, received REAL NOT NULL,"
            " event TEXT NOT NULL, task_id TEXT NOT NULL, body BLOB NOT NULL, done REAL,"
            " tries INTEGER NOT NULL DEFAULT 0, note TEXT NOT NULL DEFAULT '')"
        )
        old.execute(
            "INSERT INTO notification (digest, received, event, task_id, body) VALUES ('d', 1, 'WorkflowTask', 't', ?)",
            (b'{"EventType": "WorkflowTask"}',),
        )
    old.close()
    for _ in range(2):
        with NotificationStore(path) as store:
            post(Receiver(store, notify_key=None), DETAIL, ("X-Ci-Content-Version", "Detail"))
            assert [(kept.product, kept.event) for kept in store.pending()] == [
                ("mps", "WorkflowTask"),
                ("cos", "ReviewVideo"),
            ]
