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
from drmkit.mps import cosmoderation
from drmkit.mps.cosmoderation import ModerationCallback
from drmkit.mps.notification import Notification, UnverifiedNotificationError, parse, verify_sign
from drmkit.mps.notificationstore import NotificationStore
from drmkit.secret import Secret

__all__ = ["Receiver"]

_LOG = logging.getLogger(__name__)
_LARGEST = 10 * 1024 * 1024
_MOST_NAMED = 10
_TEXT = b"text/plain; charset=utf-8"
_VERSION = cosmoderation.HEADER.lower().encode()

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class _TooLargeError(Exception):
    """The body is larger than any callback."""


class Receiver:
    """Take callbacks by POST, on any path: those of MPS and VOD, and, told by their header, moderations by COS.

    200: stored, or stored before; 400: no notification; 403: the Sign does not fit; 405: no POST; 413: too large;
    503: could not be stored, so the sender should try again.

    Args:
        store: the durable queue.
        notify_key: the NotifyKey of the requests; None takes unsigned callbacks, which anybody can send.
        clock: seconds since the epoch.
        arrived: is called after a new callback was stored; it must return at once.
        moderation: whether callbacks of COS are taken, which are never signed; None: where unsigned ones are.
    """

    def __init__(
        self,
        store: NotificationStore,
        *,
        notify_key: Secret[str] | None,
        clock: Callable[[], float] = time.time,
        arrived: Callable[[], None] | None = None,
        moderation: bool | None = None,
    ) -> None:
        self._store = store
        self._notify_key = notify_key
        self._clock = clock
        self._arrived = arrived
        self._moderation = notify_key is None if moderation is None else moderation

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
        version = next((value for name, value in scope.get("headers", ()) if name.lower() == _VERSION), None)
        return await asyncio.to_thread(self.take, body, version=None if version is None else version.decode("latin-1"))

    def take(self, body: bytes, *, version: str | None = None) -> tuple[int, str]:
        """Verify and store one callback, and return the HTTP status and a line of text to answer.

        Args:
            body: the callback.
            version: the header `X-Ci-Content-Version`, with which COS tells its callbacks.
        """
        now = self._clock()
        try:
            message = self._verified(body, now) if version is None else self._moderated(body, version)
            number = self._store.add(message, body, now=now)
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

    def _verified(self, body: bytes, now: float) -> Notification:
        notification = parse(body)
        if self._notify_key is not None:
            verify_sign(notification, self._notify_key, now=now)
        if notification.misread:
            fields = ", ".join(list(notification.misread)[:_MOST_NAMED])
            _LOG.warning("a callback has fields of another type than is documented, kept as they came: %s", fields)
        return notification

    def _moderated(self, body: bytes, version: str) -> ModerationCallback:
        callback = cosmoderation.parse(body, version=version)
        if not self._moderation:
            raise UnverifiedNotificationError("callbacks of COS are not signed, and they were not said to be taken")
        return callback


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
