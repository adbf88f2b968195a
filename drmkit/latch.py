"""A latch that signal handlers may set: `threading.Event` hangs where one handler interrupts another, or the wait."""

from __future__ import annotations

import queue

__all__ = ["Latch"]

_LOOK = 0.5


class Latch:
    """Something that is set once, from any thread or signal handler, and waited for.

    `threading.Event.set` takes a lock that a handler which was interrupted, or the wait itself, may hold in the same
    thread: then both wait forever. `queue.SimpleQueue.put` is made to be interrupted and called again.
    """

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[None] = queue.SimpleQueue()

    def set(self) -> None:
        """Let the waits end, those under way and all that come."""
        self._queue.put(None)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set; return whether it is.

        Args:
            timeout: the most seconds to wait, or None.
        """
        # A signal that comes in the moment before the wait does not end it: its handler runs once Python does.
        while timeout is None:
            if self._taken(_LOOK):
                return True
        return self._taken(timeout)

    def _taken(self, timeout: float) -> bool:
        try:
            self._queue.get(timeout=timeout)
        except queue.Empty:
            return False
        self._queue.put(None)
        return True
