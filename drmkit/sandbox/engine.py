"""What turns while a sandbox runs: the server's thread and the media workers."""

from __future__ import annotations

import socket
from typing import Any

from drmkit.errors import MissingExtraError, RemoteUnavailableError
from drmkit.http import HttpClient
from drmkit.sandbox.app import make_app
from drmkit.sandbox.callbacks import CallbackSender
from drmkit.sandbox.media import MediaPipeline
from drmkit.sandbox.mediafolder import MediaFolder
from drmkit.sandbox.mps_tasks import TaskStore
from drmkit.sandbox.mps_worker import MediaWorkers
from drmkit.sandbox.options import SandboxOptions
from drmkit.sandbox.state import SandboxState
from drmkit.sandbox.wire import LineProtocol
from drmkit.stream.tools import Tools, find_tools
from drmkit.webserver import ServerThread

__all__ = ["Engine"]


class Engine:
    """The running parts of one sandbox.

    Args:
        options: how it behaves.
        listener: the bound socket; the engine owns it from here on.

    Raises:
        MissingExtraError: media tasks shall encrypt, and the programs for it are not installed.
        StoreError: the folder for media cannot be made.
    """

    def __init__(self, options: SandboxOptions, listener: socket.socket) -> None:
        self.state = SandboxState(options)
        self._tools, self.missing = _tools(options)
        self.media = MediaFolder(options.storage)
        self.media.open()
        self.state.media_root = self.media.root
        self._http = HttpClient(timeout=10.0, trust_env=False)
        self._tasks = TaskStore(
            clock=self.state.clock.now,
            token_bytes=options.token_bytes,
            queue_delay=options.queue_delay,
            templates=options.templates,
        )
        self._callbacks = CallbackSender(self.state)
        pipeline = MediaPipeline(self.media, self._tools, options, self._http) if self._tools else None
        self._workers = MediaWorkers(self.state, self._tasks, self._callbacks, pipeline, self._http)
        app = make_app(self.state, self._tasks)
        self._server = ServerThread(app, listener, name="the sandbox", http=LineProtocol)

    def start(self) -> None:
        """Start the threads and return once the server answers."""
        self._callbacks.start()
        self._workers.start()
        try:
            self._server.start()
        except RemoteUnavailableError:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the threads; the listening socket closes with the server."""
        self._workers.stop()
        self._callbacks.stop()
        self._server.stop()
        self._http.close()
        self.media.close()

    @property
    def encrypts(self) -> bool:
        """Whether media tasks encrypt."""
        return self._tools is not None

    def outputs(self, task_id: str) -> tuple[Any, ...]:
        """Return what each subtask of a media task left in its bucket."""
        return self._tasks.outputs(task_id)

    def advance(self, seconds: float) -> None:
        """Set the clock forward and let the workers see it."""
        self.state.clock.advance(seconds)
        self._tasks.wake()

    def reset(self) -> None:
        """Forget everything that happened since the start."""
        self._tasks.clear()
        self.state.reset()


def _tools(options: SandboxOptions) -> tuple[Tools | None, str]:
    """Return the programs that encrypt, or None with the reason why nothing will be encrypted."""
    if options.encrypt is False:
        return None, "it was told not to"
    try:
        return options.tools or find_tools(), ""
    except MissingExtraError as error:
        if options.encrypt:
            raise
        return None, error.message
