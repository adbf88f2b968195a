"""Serves an application on a socket in a thread of its own, until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from types import TracebackType
from typing import Self

import uvicorn
from starlette.types import ASGIApp

from drmkit.errors import RemoteUnavailableError

__all__ = ["PlayerServer"]

_START_SECONDS = 15.0
_GRACE_SECONDS = 1


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.ready.set()


class PlayerServer:
    """A running server; a context manager.

    Args:
        app: what answers.
        listener: a bound and listening socket; the server owns it from here on.
    """

    def __init__(self, app: ASGIApp, listener: socket.socket) -> None:
        self._listener = listener
        # Its log can hold what a request held, and requests hold sessions.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL + 1)
        self._server = _Server(
            uvicorn.Config(
                app,
                access_log=False,
                date_header=False,
                http="h11",
                lifespan="off",
                log_config=None,
                loop="asyncio",
                server_header=False,
                timeout_graceful_shutdown=_GRACE_SECONDS,
                ws="none",
            )
        )
        self._thread = threading.Thread(target=self._serve, name="drmkit-player", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._server.ready.wait(_START_SECONDS):
            self._stop()
            raise RemoteUnavailableError("the player's server did not start in time")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._listener]))
