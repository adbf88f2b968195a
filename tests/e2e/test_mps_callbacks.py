"""`drmkit notification serve` as a process: under load, killed, started again, and nothing acknowledged is lost."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from drmkit.http import HttpClient
from drmkit.mps.client import MpsClient
from drmkit.mps.credentials import Credentials
from drmkit.mps.job import Job, StreamingTask
from drmkit.mps.notification import sign
from drmkit.mps.notificationstore import NotificationStore
from drmkit.mps.task import Poll, wait
from drmkit.sandbox import Sandbox, SandboxOptions
from drmkit.secret import Secret

ROOT = Path(__file__).resolve().parents[2]
KEY = Secret("notify-key")
UNTIL = 4102444800
LIVE = {"NotificationType": "ProcessEof", "Timestamp": UNTIL, "Sign": sign(UNTIL, KEY)}


def live(task_id: str) -> bytes:
    """A signed event of a live stream, which nothing needs to confirm."""
    return json.dumps(LIVE | {"TaskId": task_id}).encode()


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """The NotifyKey in a private file."""
    path = tmp_path / "notify.key"
    path.write_text(KEY.reveal(), encoding="utf-8")
    path.chmod(0o600)
    return path


@contextmanager
def serving(folder: Path, *arguments: str, **environ: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A receiver in a process of its own, ready, and its URL; killed at the end if it still runs."""
    command = ["notification", "serve", "--port", "0", "--format", "json", "--store", str(folder / "queue.sqlite")]
    with subprocess.Popen(
        [sys.executable, "-m", "drmkit", *command, *arguments],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(folder), **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout
            line = process.stdout.readline()
            assert line, process.communicate()[1]
            yield process, json.loads(line)["url"]
        finally:
            if process.poll() is None:
                process.kill()


def post(url: str, body: bytes) -> tuple[int, str]:
    """Send one callback."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    try:
        connection.request("POST", "/mps", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def send_until_it_dies(url: str, lane: int, acknowledged: list[str]) -> None:
    """Send callbacks one after the other, and keep the task IDs of those that were acknowledged."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    try:
        for number in range(100_000):
            task_id = f"{lane}-{number}"
            connection.request("POST", "/", live(task_id))
            response = connection.getresponse()
            response.read()
            if response.status == 200:
                acknowledged.append(task_id)
    except (OSError, http.client.HTTPException):
        return
    finally:
        connection.close()


def backed_up(folder: Path) -> list[str]:
    """The task IDs in the backup, whole lines alone."""
    lines = [line for path in folder.glob("*.jsonl") for line in path.read_text(encoding="utf-8").splitlines()]
    return [json.loads(line)["task_id"] for line in lines]


def wait_for(what: Any) -> None:
    """Wait until a condition holds."""
    give_up = time.monotonic() + 60
    while not what():
        assert time.monotonic() < give_up
        time.sleep(0.02)


def test_kill_nine_under_load_twice(tmp_path: Path, key_file: Path) -> None:
    """Killed twice in the middle of a load, the third start hands every acknowledged message on."""
    backup = tmp_path / "backup"
    arguments = ("--notify-key-file", str(key_file), "--no-confirm", "--backup", str(backup))
    acknowledged: list[str] = []
    for round_number in (1, 2):
        enough = len(acknowledged) + 150
        with serving(tmp_path, *arguments) as (process, url):
            threads = [
                threading.Thread(target=send_until_it_dies, args=(url, round_number * 10 + lane, acknowledged))
                for lane in range(4)
            ]
            for thread in threads:
                thread.start()
            wait_for(lambda enough=enough: len(acknowledged) >= enough)
            process.send_signal(signal.SIGKILL)
            for thread in threads:
                thread.join(20)
    assert len(acknowledged) >= 300
    with serving(tmp_path, *arguments) as (process, url):
        wait_for(lambda: set(acknowledged) <= set(backed_up(backup)))
        assert post(url, live(acknowledged[0])) == (200, "known\n")
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, "")
    assert "the receiver has stopped" in err
    with NotificationStore(tmp_path / "queue.sqlite") as store:
        kept = store.all()
    assert set(acknowledged) <= {stored.task_id for stored in kept}
    assert len({stored.body for stored in kept}) == len(kept)


def test_a_task_is_confirmed_by_mps(tmp_path: Path, key_file: Path) -> None:
    """The hook learns what MPS says of a task; a forged message with a good Sign reaches no hook."""
    told = tmp_path / "told.jsonl"
    hook = tmp_path / "hook.sh"
    hook.write_text(f"#!/bin/sh\ncat >> {told}\n", encoding="utf-8")
    hook.chmod(0o755)
    with Sandbox(SandboxOptions(encrypt=False)) as sandbox:
        given = ("--notify-key-file", str(key_file), "--hook", str(hook))
        with serving(tmp_path, *given, **sandbox.environment()) as (process, url):
            task_id = submitted(sandbox)
            assert post(url, workflow("1300000000-WorkflowTask-forged")) == (200, "stored\n")
            assert post(url, workflow(task_id)) == (200, "stored\n")
            assert post(url, workflow(task_id, Sign="0" * 32)) == (403, "not verified\n")
            assert post(url, b"{}") == (400, "not a notification\n")
            wait_for(lambda: told.exists() and told.read_text(encoding="utf-8").endswith("\n"))
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=30)
    assert process.returncode == 0
    (line,) = told.read_text(encoding="utf-8").splitlines()
    data = json.loads(line)
    assert (data["task_id"], data["confirmed"]["state"]) == (task_id, "succeeded")
    assert "not confirmed: MPS answered ResourceNotFound.TaskNotFound" in err
    assert KEY.reveal() not in err


def workflow(task_id: str, **changes: Any) -> bytes:
    """A signed event that claims a failure."""
    event = {"TaskId": task_id, "Status": "FINISH", "ErrCode": 1, "Message": "it failed"}
    message = {"EventType": "WorkflowTask", "WorkflowTaskEvent": event, "Timestamp": UNTIL, "Sign": LIVE["Sign"]}
    return json.dumps(message | changes).encode()


def submitted(sandbox: Sandbox) -> str:
    """A task that has succeeded."""
    job = Job.build(input="https://m.example.com/a.mp4", output="cos://b-1/ap-x/out/", tasks=[StreamingTask(12)])
    known = sandbox.credentials
    with HttpClient() as http:
        client = MpsClient(sandbox.url, Credentials(known.secret_id, known.secret_key), http=http)
        task_id = client.process_media(job.request())
        detail = wait(lambda: client.describe_task_detail(task_id), poll=Poll(first=0.05, longest=0.1, deadline=20))
        assert detail.verdict.state == "succeeded"
    return task_id


def test_a_hook_that_fails_is_run_again(tmp_path: Path) -> None:
    """A message whose hook failed stays in the queue, over a restart too, until it succeeds."""
    hook = tmp_path / "hook.sh"
    hook.write_text(f"#!/bin/sh\ncat > /dev/null\n[ -e {tmp_path}/go ] && touch {tmp_path}/done\n", encoding="utf-8")
    hook.chmod(0o755)
    arguments = ("--unsigned", "--no-confirm", "--hook", str(hook), "--retry-after", "0.1s")
    with serving(tmp_path, *arguments) as (process, url):
        assert post(url, live("live-1"))[0] == 200
        with NotificationStore(tmp_path / "queue.sqlite") as store:
            wait_for(lambda: store.all()[0].tries >= 2)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        assert process.returncode == 0
    (tmp_path / "go").touch()
    with serving(tmp_path, *arguments):
        wait_for((tmp_path / "done").exists)


def test_a_hook_that_hangs_does_not_hold_up_the_end(tmp_path: Path) -> None:
    """SIGTERM ends the receiver although the hook would run on for a minute; the message stays."""
    arguments = ("--unsigned", "--no-confirm", "--hook", "sleep 60")
    with serving(tmp_path, *arguments) as (process, url):
        assert post(url, live("live-1"))[0] == 200
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        assert process.returncode == 0
    with NotificationStore(tmp_path / "queue.sqlite") as store:
        assert len(store.pending()) == 1


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    """A second receiver on the same port is told why it cannot start."""
    with serving(tmp_path, "--unsigned", "--no-confirm") as (_, url):
        port = str(urlsplit(url).port)
        done = subprocess.run(
            [sys.executable, "-m", "drmkit", "notification", "serve", "--unsigned", "--no-confirm", "--port", port],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 3
    assert f"cannot listen on 127.0.0.1 port {port} (Address already in use)" in done.stderr
