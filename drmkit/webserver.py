"""Serves an ASGI application on a bound socket in a thread of its own, with a log that holds no text of a request."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import traceback
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import uvicorn

from drmkit.errors import RemoteUnavailableError

__all__ = ["ServerThread", "hide_exception_texts"]

_START_SECONDS: Final = 15.0
_GRACE_SECONDS: Final = 1


class _NoExceptionTexts(logging.Filter):
    """Keep the texts of exceptions out of the server's log, since they can hold what a request held."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            *_, (frame, line) = traceback.walk_tb(error.__traceback__)
            place = f"{Path(frame.f_code.co_filename).name}:{line}"
            record.msg, record.args = "the server failed with %s at %s", (type(error).__name__, place)
            record.exc_info = record.exc_text = None
        return True


_FILTER: Final = _NoExceptionTexts()


def hide_exception_texts() -> None:
    """Let the log of uvicorn name the kind and place of an exception, and never its text."""
    logging.getLogger("uvicorn.error").addFilter(_FILTER)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.ready.set()


class ServerThread:
    """A server in a thread; a context manager, or `start` and `stop`.

    Args:
        app: the ASGI application that answers.
        listener: a bound and listening socket; the server owns it from here on.
        name: the thread's name, for debuggers and messages.
        http: uvicorn's HTTP protocol, a name or a class.
    """

    def __init__(self, app: Any, listener: socket.socket, *, name: str, http: Any = "h11") -> None:
        self._listener = listener
        self._server = _Server(
            uvicorn.Config(
                app,
                access_log=False,
                date_header=False,
                http=http,
                lifespan="off",
                log_config=None,
                loop="asyncio",
                server_header=False,
                timeout_graceful_shutdown=_GRACE_SECONDS,
                ws="none",
            )
        )
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> Self:
        """Start the thread and return once requests are answered.

        Raises:
            RemoteUnavailableError: it did not start in time.
        """
        hide_exception_texts()
        self._thread.start()
        if not self._server.ready.wait(_START_SECONDS):
            self.stop()
            raise RemoteUnavailableError(f"{self._thread.name} did not start in time")
        return self

    def stop(self) -> None:
        """Stop the thread and close the socket."""
        self._server.should_exit = True
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._listener]))
