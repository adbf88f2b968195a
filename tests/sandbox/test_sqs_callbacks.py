"""Callbacks of the sandbox to Amazon SQS: jobs name a queue, and moto's server plays SQS."""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from awsworld import NOTIFY_KEY, REGION, fresh_queue, sqs_world, waiting
from mps_calls import call

from drmkit.errors import ConfigurationError, MissingExtraError
from drmkit.mps.job import Job
from drmkit.mps.locations import parse_input
from drmkit.mps.models.request import MediaProcessTaskInput, TranscodeTaskInput
from drmkit.mps.models.storage import AwsSQS, TaskNotifyConfig
from drmkit.mps.notificationstore import NotificationStore
from drmkit.mps.receiver import Receiver
from drmkit.mps.sqs import SqsReader
from drmkit.sandbox import Sandbox, SandboxOptions
from drmkit.sandbox.sqs import Queue, QueueWriter
from drmkit.secret import Secret

QUEUE = "sandbox-callbacks"


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[str, Any]]:
    """The address of SQS on loopback, and a client."""
    with sqs_world() as running:
        yield running


def job(queue: str, **notify: Any) -> dict[str, Any]:
    """A transcoding job over files of S3 that notifies a queue."""
    config = TaskNotifyConfig(
        notify_type="AWS-SQS",
        notify_key=Secret(NOTIFY_KEY),
        aws_sqs=AwsSQS(
            sqs_region=REGION, sqs_queue_name=queue, s3_secret_id=Secret("AKIAEXAMPLE"), s3_secret_key=Secret("s")
        ),
        **notify,
    )
    made = Job.build(
        input=parse_input(f"s3://bucket-a/{REGION}/in/movie.mp4"),
        output=f"s3://bucket-a/{REGION}/out/",
        notification=config,
        media_process_task=MediaProcessTaskInput(transcode_task_set=[TranscodeTaskInput(definition=100010)]),
    )
    return made.to_builtins(reveal=True)


def outcomes(sandbox: Sandbox, count: int) -> list[str]:
    """Wait until so many callbacks have an outcome, and return them all."""
    for _ in range(2000):
        found = [event.outcome for event in sandbox.events("mps") if event.what == "callback"]
        if len(found) >= count:
            return found
        time.sleep(0.01)
    raise AssertionError(f"{len(found)} callbacks, not {count}")


def submit(sandbox: Sandbox, body: dict[str, Any]) -> str:
    """Submit a job by the official SDK."""
    known = sandbox.credentials
    keys = (known.secret_id, known.secret_key.reveal())
    task: str = call(SimpleNamespace(sandbox=sandbox), "ProcessMedia", body, keys=keys)["TaskId"]
    return task


def test_to_the_queue_and_back(world: tuple[str, Any], tmp_path: Path) -> None:
    """A job's end is in its queue, signed, where drmkit's reader verifies, keeps and deletes it."""
    endpoint, client = world
    url = fresh_queue(client, QUEUE)
    with Sandbox(SandboxOptions(sqs_endpoint=endpoint, encrypt=False)) as sandbox:
        task = submit(sandbox, job(QUEUE))
        assert outcomes(sandbox, 1) == ["AWS-SQS: sent"]
    assert waiting(client, url) == 1
    with NotificationStore(tmp_path / "store.sqlite") as store:
        reader = SqsReader(client, QUEUE, Receiver(store, notify_key=Secret(NOTIFY_KEY)), wait=0)
        assert reader.drain().kept == 1
        assert [(kept.event, kept.task_id) for kept in store.all()] == [("WorkflowTask", task)]
    assert waiting(client, url) == 0


def test_every_change_is_told(world: tuple[str, Any]) -> None:
    """NotifyMode `Change` holds for queues too."""
    endpoint, client = world
    url = fresh_queue(client, QUEUE)
    with Sandbox(SandboxOptions(sqs_endpoint=endpoint, encrypt=False)) as sandbox:
        submit(sandbox, job(QUEUE, notify_mode="Change"))
        assert outcomes(sandbox, 2) == ["AWS-SQS: sent"] * 2
    assert waiting(client, url) == 2


def test_a_queue_that_is_not_there(world: tuple[str, Any]) -> None:
    """A queue that SQS does not know is tried three times, and the events say why nothing came."""
    with Sandbox(SandboxOptions(sqs_endpoint=world[0], encrypt=False)) as sandbox:
        submit(sandbox, job("nowhere"))
        found = outcomes(sandbox, 3)
    assert len(found) == 3
    assert all("NonExistentQueue" in outcome or "QueueDoesNotExist" in outcome for outcome in found)


def test_nobody_plays_sqs() -> None:
    """Without an address of SQS the events say that the callback went nowhere, and what would help."""
    with Sandbox(SandboxOptions(encrypt=False)) as sandbox:
        submit(sandbox, job(QUEUE))
        (outcome,) = outcomes(sandbox, 1)
    assert outcome.startswith("the callback goes to AWS-SQS, and the sandbox was not told where that is")


@pytest.mark.parametrize(
    "endpoint", ["https://sqs.ap-southeast-1.amazonaws.com", "http://192.0.2.1:5000", "127.0.0.1:5000", "http://["]
)
def test_loopback_alone(endpoint: str) -> None:
    """The real SQS is never written to: an address off this machine is refused at the start."""
    with pytest.raises(ConfigurationError, match="`sqs_endpoint` is no http URL of this machine"):
        SandboxOptions(sqs_endpoint=endpoint)


def test_without_boto3() -> None:
    """Without boto3 the extra is named; with it, a server that is not there is said in a word."""

    def load(name: str) -> Any:
        raise ModuleNotFoundError(name)

    with pytest.raises(MissingExtraError, match="boto3"):
        QueueWriter("http://127.0.0.1:1", load=load)
    writer = QueueWriter("http://127.0.0.1:1", load=importlib.import_module)
    assert writer.write(Queue(REGION, QUEUE), "{}") == "EndpointConnectionError"
