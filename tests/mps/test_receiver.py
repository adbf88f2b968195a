"""Taking callbacks: verified, stored before they are acknowledged, known when they come again, and never lost."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drmkit.errors import StoreError
from drmkit.mps.notification import parse, sign
from drmkit.mps.notificationstore import NotificationStore
from drmkit.mps.receiver import Receiver
from drmkit.secret import Secret

KEY = Secret("canary-notify-key")
NOW = 1700000000.0


def body(task_id: str = "t-1", *, until: int = 1700000600, key: Secret[str] = KEY, **more: Any) -> bytes:
    """A signed callback."""
    event = {"EventType": "WorkflowTask", "WorkflowTaskEvent": {"TaskId": task_id, "Status": "FINISH"}}
    return json.dumps(event | {"Timestamp": until, "Sign": sign(until, key)} | more).encode()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[NotificationStore]:
    """An empty queue."""
    with NotificationStore(tmp_path / "queue.sqlite") as opened:
        yield opened


def call(
    receiver: Receiver, data: bytes, method: str = "POST", chunks: int = 1
) -> tuple[int, dict[bytes, bytes], bytes]:
    """Send one request to an ASGI application."""
    size = max(1, -(-len(data) // chunks))
    parts = [data[index : index + size] for index in range(0, len(data), size)] or [b""]
    queue = [
        {"type": "http.request", "body": part, "more_body": number < len(parts)} for number, part in enumerate(parts, 1)
    ]
    sent: list[Any] = []

    async def receive() -> Any:
        return queue.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(receiver({"type": "http", "method": method, "path": "/"}, receive, send))
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]


def receiver_of(store: NotificationStore, **more: Any) -> Receiver:
    """A receiver that checks signatures at a fixed moment."""
    return Receiver(store, **({"notify_key": KEY, "clock": lambda: NOW} | more))


def test_stored_then_acknowledged(store: NotificationStore) -> None:
    """A callback in several parts is stored whole, told, and only then answered with 200."""
    arrived: list[int] = []
    answer = call(receiver_of(store, arrived=lambda: arrived.append(len(store.all()))), body(), chunks=3)
    assert (answer[0], answer[2]) == (200, b"stored\n")
    (stored,) = store.pending()
    assert (stored.number, stored.event, stored.task_id, stored.body) == (1, "WorkflowTask", "t-1", body())
    assert (stored.received, stored.done, stored.tries) == (NOW, None, 0)
    assert arrived == [1]


def test_a_repetition_is_known(store: NotificationStore) -> None:
    """The same message with a new moment and Sign is acknowledged and not stored again; another one is stored."""
    receiver = receiver_of(store, arrived=lambda: None)
    assert call(receiver, body())[2] == b"stored\n"
    assert call(receiver, body(until=1700000900))[2] == b"known\n"
    assert call(receiver, body("t-2"))[2] == b"stored\n"
    assert call(receiver, body(SessionContext="x"))[2] == b"stored\n"
    assert [stored.task_id for stored in store.all()] == ["t-1", "t-2", "t-1"]


@pytest.mark.parametrize(
    ("data", "method", "status"),
    [
        (b"{}", "POST", 400),
        (b"<html>", "POST", 400),
        (body(key=Secret("other")), "POST", 403),
        (body(until=1699999999), "POST", 403),
        (body(Sign=""), "POST", 403),
        (body(), "GET", 405),
        (b" " * (10 * 1024 * 1024 + 1), "POST", 413),
    ],
    ids=["empty", "HTML", "wrong key", "ended", "unsigned", "GET", "large"],
)
def test_refusals(
    store: NotificationStore, caplog: pytest.LogCaptureFixture, data: bytes, method: str, status: int
) -> None:
    """What is no verified callback is refused with its own status, stored nowhere, and logged without the key."""
    answer = call(receiver_of(store), data, method)
    assert answer[0] == status
    assert (answer[1].get(b"allow") == b"POST") is (status == 405)
    assert store.all() == []
    assert "canary" not in caplog.text


def test_unsigned_callbacks_if_wanted(store: NotificationStore) -> None:
    """Without a NotifyKey unsigned callbacks are taken: they are hints, to be confirmed."""
    assert call(receiver_of(store, notify_key=None), body(Sign=""))[0] == 200


def test_what_cannot_be_stored_is_not_acknowledged(tmp_path: Path) -> None:
    """When the queue cannot be written the sender is told to try again."""
    store = NotificationStore(tmp_path / "queue.sqlite")
    store.close()
    assert call(receiver_of(store), body())[0] == 503


def test_only_http(store: NotificationStore) -> None:
    """Another protocol of ASGI is a mistake of the server's settings."""
    with pytest.raises(RuntimeError, match="lifespan off"):
        asyncio.run(receiver_of(store)({"type": "lifespan"}, None, None))  # type: ignore[arg-type]  # never called


def test_the_queue_is_private_and_lasting(tmp_path: Path) -> None:
    """The file is private; what was noted is there when it is opened again."""
    path = tmp_path / "queue.sqlite"
    with NotificationStore(path) as store:
        for number in range(3):
            data = body(f"t-{number}")
            store.add(parse(data), data, now=NOW)
        store.finish(1, "succeeded", now=NOW + 1)
        store.fail(2, "no answer")
    assert path.stat().st_mode & 0o777 == 0o600
    with NotificationStore(path) as store:
        first, second, third = store.all()
        assert (first.done, first.note) == (NOW + 1, "succeeded")
        assert (second.done, second.tries, second.note) == (None, 1, "no answer")
        assert store.pending() == [second, third]
        assert store.pending(after=2, limit=1) == [third]
        assert "t-0" in repr(first)
        assert "EventType" not in repr(first)


def test_files_that_are_no_queue(tmp_path: Path) -> None:
    """A file that is no database, or a folder that does not exist, is named with the reason."""
    (tmp_path / "text").write_text("no database at all, " * 50, encoding="utf-8")
    for name in ("text", "none/queue.sqlite"):
        with pytest.raises(StoreError, match=r"could not be opened: (file is not a database|No such file)"):
            NotificationStore(tmp_path / name)


def test_damage_is_told(store: NotificationStore) -> None:
    """A queue that can no longer be read says so."""
    store.close()
    with pytest.raises(StoreError, match="could not be read"):
        store.all()


SERVER = """
import socket, sys, uvicorn
from pathlib import Path
from drmkit.mps.notificationstore import NotificationStore
from drmkit.mps.receiver import Receiver
from drmkit.secret import Secret
listener = socket.socket(); listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", 0)); listener.listen(128); print(listener.getsockname()[1], flush=True)
app = Receiver(NotificationStore(Path(sys.argv[1])), notify_key=Secret("canary-notify-key"), clock=lambda: 1700000000.0)
uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="critical")).run([listener])
"""


def send_until_it_dies(port: int, lane: int, acknowledged: list[str]) -> None:
    """Send callbacks one after the other, and keep the task IDs of those that were acknowledged."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        for number in range(10_000):
            task_id = f"{lane}-{number}"
            connection.request("POST", "/", body(task_id))
            response = connection.getresponse()
            if response.read() == b"stored\n":
                acknowledged.append(task_id)
    except (OSError, http.client.HTTPException):
        return
    finally:
        connection.close()


def test_kill_nine_under_load_loses_nothing(tmp_path: Path) -> None:
    """Every message that was acknowledged before a kill -9 is in the queue afterwards, whole."""
    path = tmp_path / "queue.sqlite"
    acknowledged: list[str] = []
    with subprocess.Popen([sys.executable, "-c", SERVER, str(path)], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        threads = [
            threading.Thread(target=send_until_it_dies, args=(port, lane, acknowledged), daemon=True)
            for lane in range(4)
        ]
        for thread in threads:
            thread.start()
        give_up = time.monotonic() + 60
        while len(acknowledged) < 100 and time.monotonic() < give_up:
            time.sleep(0.01)
        os.kill(server.pid, signal.SIGKILL)
        for thread in threads:
            thread.join(20)
    assert len(acknowledged) >= 100
    with NotificationStore(path) as store:
        kept = {stored.task_id: stored.body for stored in store.all()}
    assert set(acknowledged) <= set(kept)
    assert all(kept[task_id] == body(task_id) for task_id in acknowledged)
    with sqlite3.connect(path) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()
