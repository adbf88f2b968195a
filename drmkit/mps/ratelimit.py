"""A thread-safe rate limiter for the requests a second that an account may make."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

__all__ = ["RateLimiter"]


class RateLimiter:
    """Space the calls of each action evenly, so that no second holds more of them than allowed. Thread-safe.

    Args:
        limits: calls a second by action; an action that is not there is not limited.
        clock: monotonic seconds.
        sleep: waits for a number of seconds.
    """

    def __init__(
        self,
        limits: Mapping[str, float],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._intervals = {action: 1 / limit for action, limit in limits.items()}
        self._next: dict[str, float] = {}
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()

    def wait(self, action: str) -> None:
        """Return when the next call of an action may be made; calls are let through in the order in which they ask."""
        interval = self._intervals.get(action)
        if interval is None:
            return
        with self._lock:
            now = self._clock()
            turn = max(now, self._next.get(action, now))
            self._next[action] = turn + interval
        if turn > now:
            self._sleep(turn - now)
