"""Amazon SQS on loopback, by moto, and callbacks as MPS puts them into a queue."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from drmkit.mps.notification import sign
from drmkit.mps.sqs import connect
from drmkit.secret import Secret

REGION = "ap-southeast-1"
NOTIFY_KEY = "cAnArY-notify-key"
UNTIL = 4102444800
ACCESS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}


@contextmanager
def sqs_world() -> Iterator[tuple[str, Any]]:
    """The address of a server, and a client with credentials of no account, which stay in the environment meanwhile."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 (it takes a second to load)

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        with pytest.MonkeyPatch.context() as patch:
            for name, value in ACCESS.items():
                patch.setenv(name, value)
            yield f"http://{host}:{port}", connect(region=REGION, endpoint=f"http://{host}:{port}")
    finally:
        server.stop()


def fresh_queue(client: Any, name: str) -> str:
    """Make a queue anew, which shows a message again at once, and return its URL."""
    url = str(client.create_queue(QueueName=name)["QueueUrl"])
    client.delete_queue(QueueUrl=url)
    return str(client.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "0"})["QueueUrl"])


def callback(task: str = "t-1", *, key: str = NOTIFY_KEY, **more: Any) -> str:
    """A signed callback."""
    event = {"TaskId": task, "Status": "FINISH", "ErrCode": 0, "MediaProcessResultSet": []}
    signed = {"Timestamp": UNTIL, "Sign": sign(UNTIL, Secret(key))}
    return json.dumps({"EventType": "WorkflowTask", "WorkflowTaskEvent": event} | signed | more)


def waiting(client: Any, queue: str) -> int:
    """How many messages a queue holds, seen or not."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = client.get_queue_attributes(QueueUrl=queue, AttributeNames=names)
    return sum(int(answer["Attributes"][name]) for name in names)
