"""`drmkit notification sqs`: from a queue of moto's to the store, the backup and the hook."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from awsworld import ACCESS, NOTIFY_KEY, REGION, callback, fresh_queue, sqs_world, waiting

from drmkit.cli.main import main
from drmkit.mps.notificationstore import NotificationStore

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[str, Any]]:
    """The address of SQS on loopback, and a client."""
    with sqs_world() as running:
        yield running


@pytest.fixture
def client(world: tuple[str, Any]) -> Any:
    """The client, and a fresh queue `callbacks`."""
    fresh_queue(world[1], "callbacks")
    return world[1]


@pytest.fixture
def arguments(tmp_path: Path, world: tuple[str, Any]) -> list[str]:
    """The command with everything that it needs."""
    key = tmp_path / "notify.key"
    key.write_text(NOTIFY_KEY, encoding="utf-8")
    key.chmod(0o600)
    where = ["--queue", "callbacks", "--aws-region", REGION, "--aws-endpoint", world[0], "--wait", "0"]
    return ["notification", "sqs", *where, "--store", str(tmp_path / "store"), "--notify-key-file", str(key)]


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., int]:
    """Run a command line."""
    return lambda *words: main(words, environ={"HOME": str(tmp_path)})


def url_of(client: Any) -> str:
    """The queue's URL."""
    return str(client.get_queue_url(QueueName="callbacks")["QueueUrl"])


def send(client: Any, *given: Any, **more: Any) -> None:
    """Put a signed callback into the queue."""
    client.send_message(QueueUrl=url_of(client), MessageBody=callback(*given, **more))


def test_once(client: Any, arguments: list[str], run: Any, tmp_path: Path, capsys: Any) -> None:
    """The queue is read empty, each message backed up and told to the hook; a forged one stays, exit code 1."""
    told = tmp_path / "told"
    script = tmp_path / "hook"
    script.write_text(f"#!/bin/sh\ncat >> {told}\n", encoding="utf-8")
    script.chmod(0o700)
    for number in range(3):
        send(client, f"t-{number}")
    ways = ("--once", "--no-confirm", "--backup", str(tmp_path / "backup"), "--hook", str(script))
    assert run(*arguments, *ways) == 0
    out, err = capsys.readouterr()
    assert out == f"reading callbacks in {REGION}, storing in {tmp_path / 'store'}\n"
    assert "3 of 3 messages were kept and deleted" in err
    assert [json.loads(line)["task_id"] for line in told.read_text("utf-8").splitlines()] == ["t-0", "t-1", "t-2"]
    assert len(next((tmp_path / "backup").iterdir()).read_text("utf-8").splitlines()) == 3
    assert waiting(client, url_of(client)) == 0
    send(client, "forged", key="other")
    assert run(*arguments, *ways, "--format", "json") == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["queue"] == "callbacks"
    assert "stays in the queue: it was not verified" in err
    assert waiting(client, url_of(client)) == 1
    assert NOTIFY_KEY not in out + err


def test_until_a_signal(client: Any, arguments: list[str], tmp_path: Path) -> None:
    """Without --once it goes on until SIGTERM, and ends well; what came meanwhile is in the store."""
    command = [sys.executable, "-m", "drmkit", *arguments, "--no-confirm"]
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT), **ACCESS}
    process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("reading callbacks")
        send(client, "t-9")
        for _ in range(600):
            with NotificationStore(tmp_path / "store") as store:
                if any(stored.done for stored in store.all()):
                    break
            time.sleep(0.05)
    finally:
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert "the reader has stopped" in err
    with NotificationStore(tmp_path / "store") as store:
        assert [stored.task_id for stored in store.all()] == ["t-9"]
    assert waiting(client, url_of(client)) == 0


def test_dry_run_calls_nothing(arguments: list[str], run: Any, capsys: Any) -> None:
    """It says what would be read, whatever the address."""
    assert run(*arguments, "--dry-run", "--format", "json", "--aws-endpoint", "http://127.0.0.1:1") == 0
    assert json.loads(capsys.readouterr().out)["dry_run"] is True


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        ({"--queue": "nobody-made-it"}, 3, "there is no queue nobody-made-it"),
        ({"--queue": "a b"}, 2, "no name of an SQS queue"),
        ({"--aws-region": "Singapore"}, 2, "is no AWS region"),
        ({"--aws-region": None}, 2, "name the queue's region with --aws-region"),
        ({"--queue": "arn:aws:sqs:eu-west-3:123456789012:q"}, 2, "the ARN is of eu-west-3"),
        ({"--aws-endpoint": "http://example.com"}, 2, "no https URL"),
        ({"--aws-endpoint": "http://127.0.0.1:1"}, 69, "cannot be reached"),
        ({"--notify-key-file": None}, 2, "name --notify-key-file, or say --unsigned"),
        ({"--store": "/nowhere/store"}, 1, "could not be opened"),
        ({"--aws-profile": "nobody-has-it"}, 3, "ProfileNotFound"),
    ],
)
def test_what_is_wrong(
    client: Any, arguments: list[str], run: Any, changes: dict[str, Any], code: int, said: str, capsys: Any
) -> None:
    """Each mistake has its exit code and its sentence."""
    given = dict(zip(arguments[2::2], arguments[3::2], strict=True)) | changes
    words = [word for name, value in given.items() if value is not None for word in (name, value)]
    assert run("notification", "sqs", *words, "--once", "--no-confirm") == code
    assert said in " ".join(capsys.readouterr().err.split())


def test_help_needs_no_extra() -> None:
    """The help loads neither boto3 nor models."""
    code = "import sys; from drmkit.cli.main import main; main(['notification', 'sqs', '-h'])\n"
    code += "assert not {'boto3', 'botocore', 'msgspec'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=60)
