"""What happens on the wire around every role: exchanges are recorded, and answers come late, byte by byte or never."""

from __future__ import annotations

import asyncio
import functools
import socket
import struct
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from drmkit.sandbox.exchanges import CURRENT, note_dropped, role_of
from drmkit.sandbox.state import SandboxState

__all__ = ["Line", "LineProtocol", "Recorder", "WireFaults"]

_LINE = "drmkit.line"
_ROLE = "drmkit.role"
_FAULTY = ("cas", "keyserver", "speke", "mps")
_DRIPS = 50


class Line:
    """The connection that a request came over.

    Args:
        transport: asyncio's side of it.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.waiting = False
        self.gone = asyncio.Event()

    async def pause(self, seconds: float) -> bool:
        """Wait, and tell whether the client is still there; it wakes at once when the connection ends."""
        self.waiting = True
        try:
            await asyncio.wait_for(self.gone.wait(), seconds)
        except TimeoutError:
            return True
        finally:
            self.waiting = False
        return False

    async def reset(self) -> None:
        """End the connection with a TCP reset: whatever was not sent yet never is."""
        self.abort()
        await self.gone.wait()

    def abort(self) -> None:
        """Begin to end the connection with a TCP reset."""
        connection = self._transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    async def hang_up(self) -> None:
        """End the connection in order, after what was sent so far."""
        self._transport.close()
        await self.gone.wait()


class LineProtocol(H11Protocol):
    """Uvicorn's HTTP protocol, whose requests know the connection that they came over."""

    line: Line

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection."""
        self.line = Line(transport)
        self.app = functools.partial(_on_line, self.app, self.line)
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Learn that it has ended."""
        super().connection_lost(exc)
        self.line.gone.set()

    def shutdown(self) -> None:
        """End with the server: an answer that is late on purpose is not waited for."""
        if self.line.waiting:
            self.line.abort()
        else:
            super().shutdown()


async def _on_line(app: Any, line: Line, scope: Any, receive: Any, send: Any) -> None:
    scope[_LINE] = line
    await app(scope, receive, send)


class Recorder:
    """Write down each exchange with a role; what people do on the sandbox's own pages is not.

    Args:
        app: what answers.
        state: the sandbox's state.
    """

    def __init__(self, app: ASGIApp, state: SandboxState) -> None:
        self._app = app
        self._log = state.exchanges

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = Headers(scope=scope)
        role = role_of(scope["method"], scope["path"], has_action="x-tc-action" in headers)
        scope[_ROLE] = role
        if not role:
            await self._app(scope, receive, send)
            return
        target = _target(scope)
        exchange = self._log.begin(role, scope["method"], target, headers.items())
        token = CURRENT.set(exchange)
        line: Line = scope[_LINE]

        async def watched_receive() -> Message:
            message = await receive()
            if message["type"] == "http.request":
                exchange.sent(message.get("body", b""))
            return message

        async def watched_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.started(message["status"], message.get("headers", []))
            else:
                exchange.answered(message.get("body", b""))
                if not message.get("more_body", False) and not line.gone.is_set():
                    # Before the last byte leaves, so that whoever has the answer finds its exchange complete.
                    self._log.finish(exchange, complete=True)
            await send(message)

        try:
            await self._app(scope, watched_receive, watched_send)
        finally:
            CURRENT.reset(token)
            self._log.finish(exchange, complete=False)


class WireFaults:
    """Show the faults that every role can have on the wire: `-slow`, `-dripping`, `-dropped` and `-cut`.

    Args:
        app: what answers.
        state: the sandbox's state.
    """

    def __init__(self, app: ASGIApp, state: SandboxState) -> None:
        self._app = app
        self._hit = state.faults.hit
        self._delay = state.options.fault_delay

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        role, line = scope[_ROLE], scope[_LINE]
        if role not in _FAULTY:
            await self._app(scope, receive, send)
            return
        if self._hit(f"{role}-dropped"):
            note_dropped()
            await line.reset()
            return
        if self._hit(f"{role}-slow") and not await line.pause(self._delay):
            return
        if self._hit(f"{role}-dripping"):
            send = functools.partial(_drip, send, line, self._delay / _DRIPS)
        if self._hit(f"{role}-cut"):
            send = functools.partial(_cut, send, line)
        await self._app(scope, receive, send)


async def _drip(send: Send, line: Line, pause: float, message: Message) -> None:
    body = message.get("body", b"") if message["type"] == "http.response.body" else b""
    if len(body) <= 1:
        await send(message)
        return
    for place in range(len(body)):
        if line.gone.is_set() or (place and not await line.pause(pause)):
            return
        last = place + 1 == len(body)
        more = not last or message.get("more_body", False)
        await send({"type": "http.response.body", "body": body[place : place + 1], "more_body": more})


async def _cut(send: Send, line: Line, message: Message) -> None:
    if message["type"] != "http.response.body":
        await send(message)
    elif not line.gone.is_set():
        body = message.get("body", b"")
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        note_dropped()
        await line.hang_up()


def _target(scope: Scope) -> str:
    path = (scope.get("raw_path") or scope["path"].encode()).decode("ascii", "replace")
    query = scope.get("query_string", b"").decode("ascii", "replace")
    return f"{path}?{query}" if query else path
