"""Amazon SQS as the sandbox's media processing writes to it: by boto3, at an address on loopback."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from drmkit.errors import MissingExtraError
from drmkit.secret import Secret

__all__ = ["Queue", "QueueWriter"]

_TIMEOUT: Final = 5.0
_NOBODY: Final = "sandbox"
"""The access key where a job states none: servers that play SQS take any."""


@dataclass(frozen=True, slots=True)
class Queue:
    """An `AwsSQS` of a TaskNotifyConfig.

    Attributes:
        region: its region.
        name: its name.
        access_id: the access key's ID, or None.
        access_key: the access key, or None.
    """

    region: str
    name: str
    access_id: Secret[str] | None = None
    access_key: Secret[str] | None = None


class QueueWriter:
    """Write messages to queues. For one thread.

    Args:
        endpoint: where SQS is played, such as the address of moto's server.
        load: imports a module by its name.

    Raises:
        MissingExtraError: boto3 is not installed.
    """

    def __init__(self, endpoint: str, *, load: Callable[[str], Any] = importlib.import_module) -> None:
        try:
            self._boto3, self._config, self._exceptions = (
                load(name) for name in ("boto3", "botocore.config", "botocore.exceptions")
            )
        except ModuleNotFoundError:
            raise MissingExtraError(
                "callbacks to SQS need the package boto3", hint="install it: pip install 'drmkit[aws]'"
            ) from None
        self._endpoint = endpoint
        self._clients: list[tuple[Queue, Any]] = []

    def write(self, queue: Queue, body: str) -> str | None:
        """Write one message; return why it could not be written, in a word that holds nothing of it, or None."""
        try:
            client = self._client(queue)
            url = client.get_queue_url(QueueName=queue.name)["QueueUrl"]
            client.send_message(QueueUrl=url, MessageBody=body)
        except self._exceptions.ClientError as error:
            return str(error.response.get("Error", {}).get("Code", "an unknown error"))
        except (self._exceptions.BotoCoreError, ValueError, OSError) as error:
            return type(error).__name__
        return None

    def _client(self, queue: Queue) -> Any:
        """Return a client with the access key of a queue; making one takes a tenth of a second."""
        known = next((client for owner, client in self._clients if owner == queue), None)
        return known or self._connect(queue)

    def _connect(self, queue: Queue) -> Any:
        session = self._boto3.Session(
            aws_access_key_id=queue.access_id.reveal() if queue.access_id else _NOBODY,
            aws_secret_access_key=queue.access_key.reveal() if queue.access_key else _NOBODY,
            region_name=queue.region,
        )
        settings = self._config.Config(
            connect_timeout=_TIMEOUT, read_timeout=_TIMEOUT, retries={"total_max_attempts": 1}, proxies={}
        )
        client = session.client("sqs", endpoint_url=self._endpoint, config=settings)
        self._clients.append((queue, client))
        return client
