"""Reading callbacks from SQS, against moto's server: kept first, deleted then, and every failure a sentence."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from awsworld import NOTIFY_KEY, REGION, callback, fresh_queue, sqs_world, waiting

from drmkit.errors import (
    ConfigurationError,
    CredentialsRejectedError,
    DrmkitError,
    InputError,
    MissingExtraError,
    RateLimitedError,
    RemoteUnavailableError,
    ServiceRejectedError,
)
from drmkit.mps.notificationstore import NotificationStore
from drmkit.mps.receiver import Receiver
from drmkit.mps.sqs import SqsReader, connect
from drmkit.secret import Secret

KEY = Secret(NOTIFY_KEY)


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[str, Any]]:
    """The address of SQS on loopback, and a client."""
    with sqs_world() as running:
        yield running


@pytest.fixture
def client(world: tuple[str, Any]) -> Any:
    """The client."""
    return world[1]


@pytest.fixture
def queue(client: Any) -> str:
    """The URL of a fresh queue, which shows a message again at once."""
    return fresh_queue(client, "callbacks")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[NotificationStore]:
    """A queue on the disk."""
    with NotificationStore(tmp_path / "store.sqlite") as opened:
        yield opened


def reader(client: Any, queue: str, store: NotificationStore, **options: Any) -> SqsReader:
    """A reader that verifies and does not wait for messages."""
    receiver = Receiver(store, notify_key=KEY, clock=lambda: 0.0)
    return SqsReader(client, queue, receiver, **({"wait": 0, "visibility": 0} | options))


def test_what_is_kept_is_deleted(client: Any, queue: str, store: NotificationStore) -> None:
    """Callbacks are stored and gone from the queue; a repetition is known, and gone too."""
    for number in range(23):
        client.send_message(QueueUrl=queue, MessageBody=callback(f"t-{number}"))
    client.send_message(QueueUrl=queue, MessageBody=callback("t-0"))
    batch = reader(client, queue, store).drain()
    assert (batch.received, batch.kept, batch.left) == (24, 24, ())
    assert {stored.task_id for stored in store.all()} == {f"t-{number}" for number in range(23)}
    assert waiting(client, queue) == 0


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("{}", "not a notification"),
        ("<html>", "not a notification"),
        (callback()[:40], "not a notification"),
        (callback(key="other"), "not verified"),
        (json.dumps({"Event": "s3:TestEvent", "Bucket": "b"}), "it is a bucket's notification"),
        (json.dumps({"Records": [{"eventSource": "aws:s3", "s3": {}}]}), "it is a bucket's notification"),
    ],
)
def test_what_is_not_kept_stays(
    client: Any, queue: str, store: NotificationStore, body: str, reason: str, caplog: Any
) -> None:
    """What is no callback, is cut short or does not verify is left in the queue, and told."""
    client.send_message(QueueUrl=queue, MessageBody=body)
    batch = reader(client, queue, store).receive()
    assert (batch.received, batch.kept) == (1, 0)
    assert reason in batch.left[0]
    assert "stays in the queue" in caplog.text
    assert "cAnArY" not in caplog.text
    assert waiting(client, queue) == 1
    assert store.all() == []


def test_unknown_kinds_are_kept(client: Any, queue: str, store: NotificationStore) -> None:
    """An event type that nobody has documented is a callback all the same."""
    client.send_message(QueueUrl=queue, MessageBody=callback(EventType="Dance"))
    assert reader(client, queue, store).drain().kept == 1
    assert store.all()[0].event == "Dance"


def test_a_full_disk_loses_nothing(client: Any, queue: str, store: NotificationStore) -> None:
    """What could not be stored stays in the queue, and is kept when that works again."""
    client.send_message(QueueUrl=queue, MessageBody=callback())
    receiver = SimpleNamespace(take=lambda body: (503, "not stored, try again\n"))
    batch = SqsReader(client, queue, receiver, wait=0, visibility=0).receive()
    assert batch.left == ("it was not stored, try again",)
    assert reader(client, queue, store).drain().kept == 1


def test_the_order_is_kept_then_deleted(store: NotificationStore) -> None:
    """Were the program killed between the two, the message would come again, and be known."""
    steps: list[str] = []

    class Client:
        def receive_message(self, **given: Any) -> Any:
            steps.append("receive")
            return {"Messages": [{"Body": callback(), "ReceiptHandle": "r", "MessageId": "m"}]}

        def delete_message(self, **given: Any) -> None:
            steps.append(f"delete with {len(store.all())} stored")

    reader(Client(), "https://sqs.example.com/1/q", store).receive()
    assert steps == ["receive", "delete with 1 stored"]


def test_most_and_stop(client: Any, queue: str, store: NotificationStore) -> None:
    """A reader ends after so many messages, and when it is told to."""
    for number in range(12):
        client.send_message(QueueUrl=queue, MessageBody=callback(f"t-{number}"))
    assert reader(client, queue, store).drain(most=1).received == 10
    stopped = reader(client, queue, store)
    stopped.stop()
    assert stopped.run().received == 0
    assert reader(client, queue, store).run(most=2).kept == 2


def test_run_waits_out_what_may_pass(store: NotificationStore) -> None:
    """A failing service does not end the reader; a refused key does."""
    answers: list[Any] = [error("ServiceUnavailable", 503), error("InvalidClientTokenId", 403)]

    class Client:
        def receive_message(self, **given: Any) -> Any:
            raise answers.pop(0)

    with pytest.raises(CredentialsRejectedError):
        reader(Client(), "https://sqs.example.com/1/q", store).run(pause=0)
    assert answers == []


def test_names_arns_and_urls(client: Any, queue: str, store: NotificationStore) -> None:
    """A queue is named in three ways."""
    name = queue.rpartition("/")[2]
    for text in (name, f"arn:aws:sqs:{REGION}:123456789012:{name}", queue):
        assert reader(client, text, store).url == queue


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("nobody-made-it", ServiceRejectedError, "there is no queue nobody-made-it"),
        ("a b", InputError, "no name of an SQS queue"),
        ("q.fifo", InputError, "FIFO"),
        ("arn:aws:s3:::b", InputError, "not of an SQS queue"),
        ("http://sqs.example.com/1/q", InputError, "no https URL"),
        ("https://u:p@sqs.example.com/1/q", InputError, "no https URL"),
    ],
)
def test_what_is_no_queue(client: Any, store: NotificationStore, text: str, kind: type[DrmkitError], said: str) -> None:
    """A queue that is not there, or is none, is told before anything is read."""
    with pytest.raises(kind, match=said):
        reader(client, text, store).receive()


def error(code: str, status: int = 400) -> Exception:
    """An error of SQS, whose text holds what nobody should see."""
    from botocore.exceptions import ClientError  # noqa: PLC0415

    answer = {"Error": {"Code": code, "Message": "cAnArY"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "ReceiveMessage")


def failures() -> list[tuple[Any, type[DrmkitError], str]]:
    """What Amazon's library raises, and what becomes of it."""
    from botocore import exceptions  # noqa: PLC0415

    return [
        (error("AWS.SimpleQueueService.NonExistentQueue"), ServiceRejectedError, "there is no queue"),
        (error("AccessDenied", 403), ServiceRejectedError, "may not read the queue"),
        (error("InvalidClientTokenId", 403), CredentialsRejectedError, "rejects the access key"),
        (error("SignatureDoesNotMatch", 403), CredentialsRejectedError, "rejects the access key"),
        (error("RequestThrottled", 403), RateLimitedError, "come back later"),
        (error("InternalFailure", 500), RemoteUnavailableError, "failed"),
        (error("<b>", 400), ServiceRejectedError, "an unknown code"),
        (exceptions.NoCredentialsError(), CredentialsRejectedError, "there are no AWS credentials"),
        (exceptions.EndpointConnectionError(endpoint_url="cAnArY"), RemoteUnavailableError, "cannot be reached"),
        (exceptions.ReadTimeoutError(endpoint_url="cAnArY"), RemoteUnavailableError, "cannot be reached"),
    ]


@pytest.mark.parametrize("number", range(10))
def test_amazons_errors(number: int, store: NotificationStore) -> None:
    """Each has its own error, without Amazon's text and without its exception as context."""
    raised, kind, said = failures()[number]

    class Client:
        def receive_message(self, **given: Any) -> Any:
            raise raised

    with pytest.raises(kind, match=said) as caught:
        reader(Client(), "https://sqs.example.com/1/q", store).receive()
    assert "cAnArY" not in f"{caught.value.message}{caught.value.hint}"
    assert caught.value.__context__ is None


def test_connecting() -> None:
    """Without the extra, with an odd address or an unknown profile nothing is called."""

    def missing(name: str) -> Any:
        raise ModuleNotFoundError(name)

    with pytest.raises(MissingExtraError, match="boto3"):
        connect(region=REGION, load=missing)
    with pytest.raises(InputError, match="no https URL"):
        connect(region=REGION, endpoint="http://example.com")
    with pytest.raises(ConfigurationError, match="ProfileNotFound"):
        connect(region=REGION, profile="nobody-has-it")


def test_two_readers_share_a_queue(world: tuple[str, Any], queue: str, store: NotificationStore) -> None:
    """At once, they keep each message once."""
    address, client = world
    for number in range(30):
        client.send_message(QueueUrl=queue, MessageBody=callback(f"t-{number}"))
    clients = [client, connect(region=REGION, endpoint=address)]
    threads = [threading.Thread(target=reader(one, queue, store, visibility=30).drain) for one in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(store.all()) == 30
