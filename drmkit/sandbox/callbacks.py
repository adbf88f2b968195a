"""The callbacks of the sandbox's media processing service: signed, for loopback alone, tried again when refused.

Source: https://www.tencentcloud.com/document/product/1041/33678 (TaskNotifyConfig: NotifyType, NotifyMode, NotifyKey).
"""

from __future__ import annotations

import hashlib
import json
import queue
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from drmkit.errors import DrmkitError
from drmkit.http import HttpClient
from drmkit.loopback import leads_here
from drmkit.sandbox.sqs import Queue, QueueWriter
from drmkit.sandbox.state import SandboxState
from drmkit.secret import Secret

__all__ = ["CallbackSender", "Target", "offline_target"]

_VALID_SECONDS: Final = 600
_ATTEMPTS: Final = 3
_TIMEOUT: Final = 5.0
_QUEUE_TYPES: Final = ("CMQ", "TDMQ-CMQ", "SCF")


@dataclass(frozen=True, slots=True)
class Target:
    """Where callbacks of one task go.

    Attributes:
        place: the NotifyUrl, or the queue at Amazon.
        key: the NotifyKey, or None for callbacks without a Sign.
        every_change: whether each change of the task is told, not only its end (NotifyMode `Change`).
    """

    place: Secret[str] | Queue
    key: Secret[str] | None
    every_change: bool = False


def offline_target(config: Mapping[str, Any] | None) -> Target | str:
    """Return where the callbacks of an offline task go, or in words why none goes out.

    Args:
        config: the TaskNotifyConfig of a ProcessMedia request. Without a NotifyType it means a queue, not its URL.
    """
    if not config:
        return "no callback was asked for"
    kind = config.get("NotifyType") or "TDMQ-CMQ"
    if kind in _QUEUE_TYPES:
        return f"the callback goes to {kind}, which the sandbox does not have"
    key = config.get("NotifyKey")
    place = _queue(config.get("AwsSQS")) if kind == "AWS-SQS" else _url(config) if kind == "URL" else None
    if place is None:
        return f"the callback has no {'AwsSQS' if kind == 'AWS-SQS' else 'NotifyUrl'}"
    return Target(place, Secret(key) if key else None, config.get("NotifyMode") == "Change")


def _url(config: Mapping[str, Any]) -> Secret[str] | None:
    return Secret(config["NotifyUrl"]) if config.get("NotifyUrl") else None


def _queue(given: Mapping[str, Any] | None) -> Queue | None:
    if not given:
        return None
    access = [Secret(given[name]) if given.get(name) else None for name in ("S3SecretId", "S3SecretKey")]
    return Queue(given["SQSRegion"], given["SQSQueueName"], *access)


class CallbackSender:
    """A thread that sends callbacks in the order of their events.

    A callback that is not answered by 2xx is sent again, twice at most. The service does not say how often it tries.

    Args:
        state: the sandbox's state.
        pause: seconds between two attempts.

    Raises:
        MissingExtraError: there is an address of SQS, and boto3 is not installed.
    """

    def __init__(self, state: SandboxState, *, pause: float = 0.5) -> None:
        self._state = state
        self._pause = pause
        endpoint = state.options.sqs_endpoint
        self._queues = None if endpoint is None else QueueWriter(endpoint)
        self._http = HttpClient(timeout=_TIMEOUT, trust_env=False)
        self._waiting: queue.SimpleQueue[tuple[Target, dict[str, Any]] | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="drmkit-sandbox-callbacks")

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread; what was not sent is lost, as is everything in a sandbox."""
        self._stopping.set()
        self._waiting.put(None)
        self._thread.join()
        self._http.close()

    def send(self, target: Target, message: Mapping[str, Any]) -> None:
        """Send a message soon; it is signed as it goes out.

        Args:
            target: where to.
            message: the body without Timestamp and Sign.
        """
        self._waiting.put((target, dict(message)))

    def _run(self) -> None:
        while (waiting := self._waiting.get()) is not None and not self._stopping.is_set():
            try:
                self._deliver(*waiting)
            except Exception as error:  # noqa: BLE001 (one callback that breaks holds up no other)
                self._note(f"the sandbox failed with {type(error).__name__}")

    def _deliver(self, target: Target, message: dict[str, Any]) -> None:
        if self._state.faults.hit("mps-callback-lost"):
            self._note("lost")
            return
        for _ in range(2 if self._state.faults.hit("mps-callback-repeated") else 1):
            for _attempt in range(_ATTEMPTS):
                if self._try(target, message) or self._stopping.wait(self._pause):
                    break

    def _try(self, target: Target, message: dict[str, Any]) -> bool:
        """Send a message once; return whether that was all."""
        body = json.dumps(message | self._signature(target))
        if isinstance(target.place, Queue):
            return self._enqueue(target.place, body)
        return self._post(target.place.reveal(), body)

    def _enqueue(self, queue: Queue, body: str) -> bool:
        if self._queues is None:
            self._note("the callback goes to AWS-SQS, and the sandbox was not told where that is (sqs_endpoint)")
            return True
        failure = self._queues.write(queue, body)
        self._note(f"AWS-SQS: {failure or 'sent'}")
        return failure is None

    def _post(self, url: str, body: str) -> bool:
        if not leads_here(url):
            self._note("refused: the sandbox calls loopback only")
            return True
        try:
            answer = self._http.request(
                "POST",
                url,
                purpose="the callback",
                headers={"Content-Type": "application/json"},
                content=body.encode(),
            )
        except DrmkitError as error:
            self._note(error.message.removeprefix("the callback: "))
            return False
        self._note(str(answer.status))
        return answer.status // 100 == 2  # noqa: PLR2004 (any success)

    def _signature(self, target: Target) -> dict[str, Any]:
        if target.key is None or self._state.faults.hit("mps-callback-unsigned"):
            return {}
        # The receiver judges the moment by its own clock, which the sandbox's may be ahead of.
        moment = int(self._state.clock.wall()) + _VALID_SECONDS
        text = f"{moment}{target.key.reveal()}".encode()
        # MD5 is the service's formula.
        return {"Timestamp": moment, "Sign": hashlib.md5(text, usedforsecurity=False).hexdigest()}

    def _note(self, outcome: str) -> None:
        self._state.journal.note("mps", "callback", outcome)
