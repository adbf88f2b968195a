"""Callbacks from an Amazon SQS queue: received, verified, kept, and only then deleted (extra `aws`).

    reader = SqsReader(connect(region="ap-southeast-1"), "tencent_callback_sqs", receiver)
    reader.drain()

A message that is not kept, because it is no callback, its Sign does not fit, or the disk is full, stays in the queue:
SQS shows it again, and moves it aside if the queue has a dead-letter queue.
"""

from __future__ import annotations

import importlib
import json
import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

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
from drmkit.loopback import is_loopback
from drmkit.mps.arns import QueueArn, check_queue_name
from drmkit.mps.receiver import Receiver

__all__ = ["Batch", "SqsReader", "connect"]

_LOG = logging.getLogger(__name__)
_BATCH, _LONGEST_POLL = 10, 20
_OK = 200
_GONE = frozenset({"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"})
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "KMS.AccessDeniedException"})
_REJECTED = frozenset(
    {"InvalidClientTokenId", "SignatureDoesNotMatch", "UnrecognizedClientException", "ExpiredToken", "InvalidSecurity"}
)
_LATER = frozenset({"Throttling", "ThrottlingException", "RequestThrottled", "OverLimit", "KmsThrottled"})

Load = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Batch:
    """What became of the messages of one call.

    Attributes:
        received: how many came.
        kept: how many were kept, new or known, and deleted from the queue.
        left: why the others stay in the queue, each in a sentence.
    """

    received: int
    kept: int
    left: tuple[str, ...]


def connect(
    *,
    region: str,
    profile: str | None = None,
    endpoint: str | None = None,
    timeout: float = 10.0,
    load: Load = importlib.import_module,
) -> Any:
    """Return boto3's SQS client, with the credentials that Amazon's own tools would find.

    Args:
        region: the queue's region.
        profile: a profile of Amazon's configuration.
        endpoint: another address, such as that of a test server; http on loopback alone.
        timeout: seconds for a connection, and for an answer beyond the time that a poll waits.
        load: imports boto3 by its name.

    Raises:
        MissingExtraError: boto3 is not installed.
        ConfigurationError: the address is none, or there is no such profile.
    """
    try:
        boto3, config, exceptions = (load(name) for name in ("boto3", "botocore.config", "botocore.exceptions"))
    except ModuleNotFoundError:
        raise MissingExtraError(
            "reading an SQS queue needs the package boto3", hint="install it: pip install 'drmkit[aws]'"
        ) from None
    if endpoint is not None:
        _check_endpoint(endpoint)
    settings = config.Config(
        connect_timeout=timeout,
        read_timeout=timeout + _LONGEST_POLL,
        retries={"mode": "standard", "total_max_attempts": 3},
    )
    try:
        session = boto3.Session(profile_name=profile, region_name=region)
        return session.client("sqs", endpoint_url=endpoint, config=settings)
    except (exceptions.BotoCoreError, ValueError) as error:
        kind = type(error).__name__
    raise ConfigurationError(
        f"boto3 makes no client for SQS ({kind})",
        hint="check the profile and the region; `aws sts get-caller-identity`",
    )


class SqsReader:
    """Read a queue of callbacks.

    Args:
        client: boto3's SQS client, or what behaves like one.
        queue: the queue's name, URL or ARN.
        receiver: verifies and keeps each message.
        wait: seconds that SQS may wait for messages, up to 20.
        visibility: seconds that others do not see a message after it was received; it must be kept within them.
        load: imports botocore by its name.
    """

    def __init__(
        self,
        client: Any,
        queue: str,
        receiver: Receiver,
        *,
        wait: int = _LONGEST_POLL,
        visibility: int = 60,
        load: Load = importlib.import_module,
    ) -> None:
        self._client = client
        self._queue = queue
        self._receiver = receiver
        self._wait = max(0, min(wait, _LONGEST_POLL))
        self._visibility = visibility
        self._errors = _Errors(load("botocore.exceptions"), queue)
        self._url: str | None = None
        self._stopped = threading.Event()

    @property
    def url(self) -> str:
        """The queue's URL, asked for once.

        Raises:
            DrmkitError: as for `receive`.
        """
        if self._url is None:
            self._url = self._find()
        return self._url

    def receive(self) -> Batch:
        """Receive up to ten messages, keep them, and delete those that were kept.

        Raises:
            ServiceRejectedError: there is no such queue, or the user may not read it.
            CredentialsRejectedError: the access key is wrong, or there is none.
            RemoteUnavailableError: SQS cannot be reached, or fails.
        """
        url = self.url
        answer = self._errors.mapped(
            lambda: self._client.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=_BATCH,
                WaitTimeSeconds=self._wait,
                VisibilityTimeout=self._visibility,
            )
        )
        messages = answer.get("Messages") or []
        left = []
        for message in messages:
            reason = self._keep(message)
            if reason is None:
                receipt = message["ReceiptHandle"]
                self._errors.mapped(lambda: self._client.delete_message(QueueUrl=url, ReceiptHandle=receipt))  # noqa: B023 (called at once)
            else:
                left.append(reason)
                _LOG.warning("message %s stays in the queue: %s", message.get("MessageId", "?"), reason)
        return Batch(len(messages), len(messages) - len(left), tuple(left))

    def drain(self, *, most: int | None = None) -> Batch:
        """Receive until the queue shows no more messages, or so many came, or `stop` was called."""
        received, kept = 0, 0
        left: list[str] = []
        while not self._stopped.is_set() and (most is None or received < most):
            batch = self.receive()
            received, kept = received + batch.received, kept + batch.kept
            left += batch.left
            if not batch.received:
                break
        return Batch(received, kept, tuple(left))

    def run(self, *, pause: float = 5.0, most: int | None = None) -> Batch:
        """Receive until `stop`, or until so many messages came; failures that may pass are waited out.

        Args:
            pause: seconds to wait after a failure.
            most: how many messages to receive; None is no limit.

        Raises:
            ConfigurationError: what another try does not cure.
        """
        received, kept = 0, 0
        left: list[str] = []
        while not self._stopped.is_set() and (most is None or received < most):
            try:
                batch = self.receive()
            except RemoteUnavailableError as error:
                _LOG.warning("%s", error.message)
                self._stopped.wait(pause)
                continue
            received, kept = received + batch.received, kept + batch.kept
            left = (left + list(batch.left))[-_BATCH:]
        return Batch(received, kept, tuple(left))

    def stop(self) -> None:
        """End `run` and `drain` after the call at hand, which waits up to `wait` seconds."""
        self._stopped.set()

    def _keep(self, message: Mapping[str, Any]) -> str | None:
        """Keep a message; return why it was not, or None."""
        body = str(message.get("Body", "")).encode()
        status, text = self._receiver.take(body)
        if status == _OK:
            return None
        return _bucket_event(body) or f"it was {text.strip()}"

    def _find(self) -> str:
        text = self._queue.strip()
        if text.startswith(("https://", "http://")):
            _check_endpoint(text)
            return text
        given = {"QueueName": text}
        if text.startswith("arn:"):
            arn = QueueArn.parse(text)
            given = {"QueueName": arn.name, "QueueOwnerAWSAccountId": arn.account}
        else:
            check_queue_name(text)
        answer = self._errors.mapped(lambda: self._client.get_queue_url(**given))
        return str(answer["QueueUrl"])


class _Errors:
    """Amazon's errors as drmkit's, without their texts, which can hold what was sent."""

    def __init__(self, exceptions: Any, queue: str) -> None:
        self._exceptions = exceptions
        self._queue = queue.partition("?")[0]

    def mapped(self, call: Callable[[], Any]) -> Any:
        """Return what a call returns.

        Raises:
            DrmkitError: it failed.
        """
        try:
            return call()
        except self._exceptions.ClientError as error:
            failure = self._answered(error.response)
        except (self._exceptions.NoCredentialsError, self._exceptions.PartialCredentialsError):
            failure = CredentialsRejectedError(
                "there are no AWS credentials",
                hint="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile of Amazon's configuration",
            )
        except (self._exceptions.BotoCoreError, OSError) as error:
            failure = RemoteUnavailableError(
                f"the queue {self._queue} cannot be reached ({type(error).__name__})",
                hint="check the region, the network and the proxy",
            )
        raise failure  # out here, so that Amazon's exception does not become its context

    def _answered(self, response: Mapping[str, Any]) -> DrmkitError:
        code = str(response.get("Error", {}).get("Code", ""))
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in _GONE:
            return ServiceRejectedError(
                f"there is no queue {self._queue} ({code})", hint="check its name, its region and its account"
            )
        if code in _DENIED:
            return ServiceRejectedError(
                f"the user may not read the queue {self._queue} ({code})",
                hint="it needs sqs:GetQueueUrl, sqs:ReceiveMessage and sqs:DeleteMessage",
            )
        if code in _REJECTED:
            return CredentialsRejectedError(
                f"AWS rejects the access key ({code})", hint="check the key, its end, and this machine's clock"
            )
        if code in _LATER:
            return RateLimitedError(f"the queue {self._queue} asks to come back later ({code})", hint="try again later")
        if isinstance(status, int) and status >= 500:  # noqa: PLR2004 (server errors)
            return RemoteUnavailableError(f"the queue {self._queue} failed (HTTP {status})", hint="try again later")
        shown = code if code.replace(".", "").isalnum() else "an unknown code"
        return ServiceRejectedError(f"SQS refused the call ({shown})", hint="check the queue and the user's policy")


def _check_endpoint(url: str) -> None:
    parts = None
    with suppress(ValueError):
        parts = urlsplit(url)
    if (
        parts is None
        or not parts.hostname
        or "@" in parts.netloc
        or parts.query
        or (parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname)))
    ):
        raise InputError(
            "the queue's address is no https URL (http on loopback alone), or holds a user or a query",
            hint="write it like https://sqs.ap-southeast-1.amazonaws.com/123456789012/queue, or give the queue's name",
        )


def _bucket_event(body: bytes) -> str | None:
    """Say that a message is one of a bucket's own, where it is."""
    document: Any = None
    with suppress(ValueError, RecursionError):
        document = json.loads(body)
    if not isinstance(document, dict):
        return None
    records = document.get("Records")
    own = isinstance(records, list) and bool(records) and isinstance(records[0], dict) and "s3" in records[0]
    if own or document.get("Event") == "s3:TestEvent":
        return "it is a bucket's notification, which MPS reads: name the queue of the callbacks"
    return None
