"""What happens to stored callbacks: confirmed, backed up, handed on, and tried again when that fails."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from drmkit.errors import PackagingError, RemoteUnavailableError, StoreError
from drmkit.mps.faults import api_error
from drmkit.mps.follower import CosBackup, FolderBackup, Follower
from drmkit.mps.models.detail import DescribeTaskDetailResponse
from drmkit.mps.notification import Notification, parse
from drmkit.mps.notificationstore import NotificationStore
from drmkit.mps.task import TaskDetail, Verdict

NOW = 1700000000.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[NotificationStore]:
    """A queue with a workflow event, whose DrmInfo holds a ticket, and a live event."""
    drm_info = {"Type": "widevine", "SpekeDrm": {"KeyServerUrl": "https://a.example.com/?ticket=canary"}}
    result = {"Type": "AdaptiveDynamicStreaming", "AdaptiveDynamicStreamingTask": {"Input": {"DrmInfo": drm_info}}}
    event = {"TaskId": "t-1", "Status": "FINISH", "MediaProcessResultSet": [result]}
    with NotificationStore(tmp_path / "queue.sqlite") as opened:
        add(opened, {"EventType": "WorkflowTask", "WorkflowTaskEvent": event})
        add(opened, {"NotificationType": "ProcessEof", "TaskId": "live-1"})
        yield opened


def add(store: NotificationStore, message: dict[str, Any]) -> None:
    """Store a message."""
    data = json.dumps(message).encode()
    store.add(parse(data), data, now=NOW)


class Client:
    """Confirms that tasks still work, or fails a number of times."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.asked: list[str] = []

    def describe_task_detail(self, task_id: str) -> TaskDetail:
        """Answer, or fail."""
        self.asked.append(task_id)
        if self.failures:
            self.failures -= 1
            raise RemoteUnavailableError("DescribeTaskDetail: HTTP 502")
        return TaskDetail(task_id, DescribeTaskDetailResponse(status="PROCESSING"))


def test_confirmed_and_handed_on(store: NotificationStore) -> None:
    """The hook is told what MPS confirms, not what the message claims; live events have nothing to confirm."""
    told: list[tuple[str, str | None]] = []

    def hook(notification: Notification, verdict: Verdict | None) -> None:
        told.append((notification.event, verdict.state if verdict else None))

    client = Client()
    assert Follower(store, client=client, hook=hook, clock=lambda: NOW + 5).drain() == 2
    assert told == [("WorkflowTask", "processing"), ("ProcessEof", None)]
    assert client.asked == ["t-1"]
    assert [(stored.done, stored.note) for stored in store.all()] == [(NOW + 5, "processing"), (NOW + 5, "")]
    assert Follower(store, hook=hook).drain() == 0


def test_a_failure_is_tried_again_and_holds_up_nothing(store: NotificationStore) -> None:
    """A message that cannot be confirmed stays, the next one is dealt with, and the next round succeeds."""
    follower = Follower(store, client=Client(failures=1))
    assert follower.drain() == 1
    (stored,) = store.pending()
    assert (stored.tries, stored.note) == (1, "DescribeTaskDetail: HTTP 502")
    assert follower.drain() == 1
    assert store.pending() == []


def test_a_hook_may_ask_for_a_repetition(store: NotificationStore) -> None:
    """A hook that raises an error of drmkit is told the message again."""
    calls: list[str] = []

    def hook(notification: Notification, verdict: Verdict | None) -> None:
        calls.append(notification.event)
        if len(calls) == 1:
            raise PackagingError("not yet")

    follower = Follower(store, hook=hook)
    follower.drain()
    follower.drain()
    assert calls == ["WorkflowTask", "ProcessEof", "WorkflowTask"]


def test_backup_in_a_folder(store: NotificationStore, tmp_path: Path) -> None:
    """Each message is a line of JSON in the file of its day, private and without secrets."""
    folder = tmp_path / "backup" / "mps"
    Follower(store, client=Client(), backup=FolderBackup(folder)).drain()
    path = folder / "2023-11-14.jsonl"
    first, second = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    assert (first["schema_version"], first["number"], first["task_id"], first["state"]) == (1, 1, "t-1", "processing")
    assert first["received"] == "2023-11-14T22:13:20.000000Z"
    assert first["message"]["EventType"] == "WorkflowTask"
    assert (second["event"], second["state"]) == ("ProcessEof", None)
    assert "canary" not in path.read_text(encoding="utf-8")
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_backup_that_cannot_be_written(store: NotificationStore, tmp_path: Path) -> None:
    """A full or forbidden folder keeps the message in the queue."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    backup = FolderBackup(tmp_path / "file")
    assert Follower(store, backup=backup).drain() == 0
    assert "could not be written" in store.pending()[0].note
    with pytest.raises(StoreError):
        backup.write(store.all()[0], b"{}")


def test_backup_to_cos(store: NotificationStore) -> None:
    """Each message is an object of its own, named by its day, its moment and its number."""
    put: list[dict[str, Any]] = []
    client = SimpleNamespace(put_object=lambda **arguments: put.append(arguments))
    Follower(store, backup=CosBackup(client, "backup-1250000000")).drain()
    assert [item["Key"] for item in put] == [
        f"mps-notifications/2023/11/14/1700000000000-{number}.jsonl" for number in (1, 2)
    ]
    assert put[0]["Bucket"] == "backup-1250000000"
    assert json.loads(put[0]["Body"])["task_id"] == "t-1"


def test_cos_that_does_not_take_it(store: NotificationStore) -> None:
    """An error of COS keeps the message in the queue, and shows nothing of the request."""

    def put_object(**arguments: Any) -> None:
        raise OSError("canary")

    backup = CosBackup(SimpleNamespace(put_object=put_object), "b")
    with pytest.raises(RemoteUnavailableError, match=r"COS did not take .* \(OSError\)"):
        backup.write(store.all()[0], b"{}")
    assert Follower(store, backup=backup).drain() == 0


CONNECT = """
import sys, types
from drmkit.errors import MissingExtraError
from drmkit.mps.credentials import Credentials
from drmkit.mps.faults import api_error
from drmkit.mps.follower import CosBackup
from drmkit.secret import Secret
def connect():
    return CosBackup.connect(Credentials("AKID", Secret("k"), Secret("t")), region="ap-singapore", bucket="b")
sys.modules["qcloud_cos"] = None
try:
    connect()
except MissingExtraError as error:
    assert "cos-python-sdk-v5" in error.message
else:
    raise SystemExit("no error without the SDK")
seen = {}
module, errors = types.ModuleType("qcloud_cos"), types.ModuleType("qcloud_cos.cos_exception")
module.CosConfig, module.CosS3Client = (lambda **given: seen.update(given)), (lambda config: "client")
errors.CosException = ValueError
sys.modules |= {"qcloud_cos": module, "qcloud_cos.cos_exception": errors}
class Stored:
    received, number = 1700000000.0, 1
made = []
module.CosS3Client = lambda config: made.append(config) or types.SimpleNamespace(put_object=lambda **given: None)
backup = connect()
assert backup._errors == (ValueError, OSError)
assert seen == {}, "nothing is connected before it is needed"
backup.write(Stored, b"{}"); backup.write(Stored, b"{}")
assert len(made) == 1
given = {"Region": "ap-singapore", "SecretId": "AKID", "SecretKey": "k", "Token": "t"}
assert seen == given | {"Domain": None, "Scheme": "https"}
keys = iter([Credentials("AKID", Secret("1")), Credentials("AKID", Secret("2"))])
where = {"region": "ap-singapore", "bucket": "b", "endpoint": "http://127.0.0.1:1"}
backup = CosBackup.connect(lambda: next(keys), **where)
backup.write(Stored, b"{}"); backup.write(Stored, b"{}")
assert (len(made), seen["SecretKey"], seen["Token"]) == (3, "2", None)
assert (seen["Domain"], seen["Scheme"]) == ("127.0.0.1:1", "http")
"""


def test_cos_needs_its_sdk() -> None:
    """Without cos-python-sdk-v5 the error says what to install; with it the key reaches it, and each renewed one."""
    subprocess.run([sys.executable, "-c", CONNECT], check=True)


def test_what_mps_does_not_know_is_kept_from_the_hook(store: NotificationStore, tmp_path: Path) -> None:
    """A message about a task that MPS does not know may be forged: it is backed up, and no hook acts on it."""
    told: list[str] = []

    class Stranger:
        def describe_task_detail(self, task_id: str) -> TaskDetail:
            raise api_error("ResourceNotFound.TaskNotFound", f"no {task_id}")

    def hook(notification: Notification, verdict: Verdict | None) -> None:
        told.append(notification.event)

    follower = Follower(store, client=Stranger(), backup=FolderBackup(tmp_path / "backup"), hook=hook)
    assert follower.drain() == 2
    assert told == ["ProcessEof"]
    assert store.all()[0].note == "not confirmed: MPS answered ResourceNotFound.TaskNotFound: no t-1"
    assert (tmp_path / "backup" / "2023-11-14.jsonl").read_text(encoding="utf-8").count("\n") == 2


def test_failures_wait_for_their_pause(store: NotificationStore) -> None:
    """A new message is dealt with at once; one that failed is not asked about again before its pause is over."""
    client = Client(failures=1)
    seen = threading.Event()

    def hook(notification: Notification, verdict: Verdict | None) -> None:
        if notification.task_id == "t-9":
            seen.set()

    follower = Follower(store, client=client, hook=hook)
    thread = threading.Thread(target=follower.run, kwargs={"pause": 60.0})
    thread.start()
    while not client.asked:
        threading.Event().wait(0.005)
    add(store, {"EventType": "WorkflowTask", "WorkflowTaskEvent": {"TaskId": "t-9", "Status": "FINISH"}})
    follower.notice()
    assert seen.wait(10)
    follower.stop()
    thread.join(10)
    assert client.asked == ["t-1", "t-9"]
    assert [stored.task_id for stored in store.pending()] == ["t-1"]


def test_a_queue_that_fails_for_a_while_is_outlived(store: NotificationStore) -> None:
    """When the queue cannot be read the follower goes on and tries again."""
    tries: list[int] = []
    follower = Follower(Broken(store, tries))  # type: ignore[arg-type]  # stands for a store
    thread = threading.Thread(target=follower.run, kwargs={"pause": 0.01})
    thread.start()
    give_up = time.monotonic() + 60
    while store.pending() and time.monotonic() < give_up:
        time.sleep(0.005)
    follower.stop()
    thread.join(10)
    assert store.pending() == []
    assert len(tries) >= 3


class Broken:
    """A queue whose first two questions fail."""

    def __init__(self, store: NotificationStore, tries: list[int]) -> None:
        self._store = store
        self._tries = tries

    def pending(self, *, after: int) -> Any:
        """Fail twice, then answer."""
        self._tries.append(after)
        if len(self._tries) < 3:
            raise StoreError("disk I/O error")
        return self._store.pending(after=after)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def test_run_until_stopped(store: NotificationStore) -> None:
    """A running follower deals with what is there, wakes up for what is new, and stops when told."""
    events: list[str] = []
    third = threading.Event()

    def hook(notification: Notification, verdict: Verdict | None) -> None:
        events.append(notification.event)
        if len(events) == 3:
            third.set()

    follower = Follower(store, hook=hook)
    thread = threading.Thread(target=follower.run, kwargs={"pause": 60.0})
    thread.start()
    add(store, {"NotificationType": "ProcessEof", "TaskId": "live-2"})
    follower.notice()
    assert third.wait(10)
    follower.stop()
    thread.join(10)
    assert not thread.is_alive()
    assert events == ["WorkflowTask", "ProcessEof", "ProcessEof"]
    add(store, {"NotificationType": "ProcessEof", "TaskId": "live-3"})
    assert follower.drain() == 0
