"""An ASGI application that takes callbacks: verified and stored before they are acknowledged.

app = Receiver(store, notify_key=Secret("..."))
# uvicorn.run(app, ...)
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from drmkit.errors import InputError, StoreError
from drmkit.mps.notification import UnverifiedNotificationError, parse, verify_sign
from drmkit.mps.notificationstore import NotificationStore
from drmkit.secret import Secret

__all__ = ["Receiver"]

_LOG = logging.getLogger(__name__)
_LARGEST = 10 * 1024 * 1024
_TEXT = b"text/plain; charset=utf-8"

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class _TooLargeError(Exception):
    """The body is larger than any callback."""


class Receiver:
    """Take callbacks by POST, on any path.

    200: stored, or stored before; 400: no notification; 403: the Sign does not fit; 405: no POST; 413: too large;
    503: could not be stored, so the sender should try again.

    Args:
        store: the durable queue.
        notify_key: the NotifyKey of the requests; None takes unsigned callbacks, which anybody can send.
        clock: seconds since the epoch.
        arrived: is called after a new callback was stored; it must return at once.
    """

    def __init__(
        self,
        store: NotificationStore,
        *,
        notify_key: Secret[str] | None,
        clock: Callable[[], float] = time.time,
        arrived: Callable[[], None] | None = None,
    ) -> None:
        self._store = store
        self._notify_key = notify_key
        self._clock = clock
        self._arrived = arrived

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI 3)."""
        if scope["type"] != "http":
            raise RuntimeError("the receiver speaks HTTP alone: run the server with lifespan off")
        status, text = await self._answer(scope, receive)
        headers = [(b"content-type", _TEXT), (b"content-length", str(len(text)).encode())]
        if status == 405:  # noqa: PLR2004 (the status that needs Allow)
            headers.append((b"allow", b"POST"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": text.encode()})

    async def _answer(self, scope: Message, receive: Receive) -> tuple[int, str]:
        if scope["method"] != "POST":
            return 405, "send callbacks by POST\n"
        try:
            body = await _read(receive)
        except _TooLargeError:
            return 413, "too large\n"
        return await asyncio.to_thread(self.take, body)

    def take(self, body: bytes) -> tuple[int, str]:
        """Verify and store one callback, and return the HTTP status and a line of text to answer."""
        now = self._clock()
        try:
            notification = parse(body)
            if self._notify_key is not None:
                verify_sign(notification, self._notify_key, now=now)
            number = self._store.add(notification, body, now=now)
        except InputError as error:
            _LOG.warning("refused a callback: %s", error.message)
            return 400, "not a notification\n"
        except UnverifiedNotificationError as error:
            _LOG.warning("refused a callback: %s", error.message)
            return 403, "not verified\n"
        except StoreError as error:
            _LOG.error("could not store a callback: %s", error.message)
            return 503, "not stored, try again\n"
        if number is not None and self._arrived is not None:
            self._arrived()
        return 200, "stored\n" if number is not None else "known\n"


async def _read(receive: Receive) -> bytes:
    body = bytearray()
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False) and message["type"] == "http.request"
        if len(body) > _LARGEST:
            raise _TooLargeError
    return bytes(body)
