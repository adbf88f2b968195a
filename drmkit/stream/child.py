"""Starts a child in a process group of its own, waits for its end, and leaves nothing of the group behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextvars import ContextVar
from pathlib import Path
from typing import Self

from drmkit.errors import PackagingError
from drmkit.secret import Secret

__all__ = ["CancelScope", "Child", "Feed"]

# Nothing is inherited: FFREPORT, for one, makes ffmpeg write its options and messages to a log file.
_ENVIRONMENT = {"LC_ALL": "C", "PATH": os.defpath}

_TICK = 0.5


class Feed:
    """A pipe that holds something secret for one child; written by a thread, since a pipe takes only so much at once.

    Args:
        content: what the child is to read; it can do so once, from start to end.

    Attributes:
        reader: the file descriptor that the child inherits.
    """

    def __init__(self, content: Secret[str] | Secret[bytes]) -> None:
        self._content = content
        self._thread: threading.Thread | None = None
        self.reader, self._writer = os.pipe()

    @property
    def path(self) -> str:
        """The path under which the child opens the pipe."""
        return f"/dev/fd/{self.reader}"

    def __enter__(self) -> Self:
        return self

    def begin(self) -> None:
        """Write, now that the child has its own copy of the reading end."""
        # With this copy open, the writer would not notice a child that ends without reading.
        os.close(self.reader)
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def _write(self) -> None:
        with contextlib.suppress(BrokenPipeError), os.fdopen(self._writer, "wb") as pipe:
            content = self._content.reveal()
            pipe.write(content.encode("utf-8") if isinstance(content, str) else content)

    def __exit__(self, *_: object) -> None:
        if self._thread:
            self._thread.join()
        else:
            os.close(self.reader)
            os.close(self._writer)


class CancelScope:
    """Ends the children that one thread starts when another thread says so.

    scope = CancelScope()
    with scope.entered():  # in the working thread
        run([...])
    scope.cancel()  # in another thread: the child is killed, and `run` raises PackagingError
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._children: set[Child] = set()
        self._cancelled = False

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Put what this thread starts inside the block under this scope."""
        token = _SCOPE.set(self)
        try:
            yield
        finally:
            _SCOPE.reset(token)

    def cancel(self) -> None:
        """Kill the children that run, and let no other begin."""
        with self._lock:
            self._cancelled = True
            children = list(self._children)
        for child in children:
            child.kill()

    def add(self, child: Child) -> None:
        """Take in a child that is about to start.

        Raises:
            PackagingError: the scope was cancelled.
        """
        with self._lock:
            if self._cancelled:
                raise PackagingError("the work was cancelled")
            self._children.add(child)

    def remove(self, child: Child) -> None:
        """Let go of a child that has ended."""
        with self._lock:
            self._children.discard(child)


_SCOPE: ContextVar[CancelScope | None] = ContextVar("drmkit_cancel_scope", default=None)


class Child:
    """A child that a thread starts and waits for, so that Ctrl-C cannot strike between its start and the wait for it.

    Python raises KeyboardInterrupt in the main thread only; within `subprocess.Popen` it would leave a child that
    nobody knows of.

    Args:
        argv: the program and its arguments.
        cwd: the folder in which it runs, or None.
        feeds: pipes that it inherits.
        timeout: seconds that it may take.
    """

    def __init__(self, argv: list[str], cwd: Path | None, feeds: list[Feed], timeout: float) -> None:
        self._argv, self._cwd, self._feeds, self._timeout = argv, cwd, feeds, timeout
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._stopped = False
        self._outcome: Future[tuple[int, bytes, bytes]] = Future()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def finish(self, tick: Callable[[], None] | None = None) -> tuple[int, bytes, bytes]:
        """Start the child, wait for its end and return its exit code and what it wrote.

        Args:
            tick: called about twice a second while the child runs.

        Raises:
            OSError: it cannot be started.
            subprocess.TimeoutExpired: it took too long, and was killed.
            PackagingError: the scope that it belongs to was cancelled before it began.
        """
        scope = _SCOPE.get()
        if scope:
            scope.add(self)
        try:
            self._thread.start()
            while tick and not wait([self._outcome], timeout=_TICK).done:
                tick()
            return self._outcome.result()
        finally:
            self.kill()
            if self._thread.ident:
                self._thread.join()
            if scope:
                scope.remove(self)

    def kill(self) -> None:
        """End the child with its group, or keep it from starting."""
        with self._lock:
            self._stopped = True
            # Until it is reaped, the group's number belongs to the child, even if that has ended.
            if self._process and self._process.returncode is None:
                _kill_group(self._process)

    def _work(self) -> None:
        try:
            with self._begun() as process:
                self._outcome.set_result(self._communicate(process))
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits for it
            self._outcome.set_exception(error)

    def _begun(self) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._stopped:
                raise PackagingError("the work was cancelled")
            self._process = self._start()
            return self._process

    def _start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(  # noqa: S603 - an argument list without a shell; the program is the caller's choice
            self._argv,
            cwd=self._cwd,
            env=_ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=[feed.reader for feed in self._feeds],
            start_new_session=True,
        )
        for feed in self._feeds:
            feed.begin()
        return process

    def _communicate(self, process: subprocess.Popen[bytes]) -> tuple[int, bytes, bytes]:
        try:
            stdout, stderr = process.communicate(timeout=self._timeout)
        except subprocess.TimeoutExpired:
            _kill_group(process)
            raise
        return process.returncode, stdout, stderr


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    # Where only the ended leader is left of a group, some systems say that it is gone, others that it is not ours.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
