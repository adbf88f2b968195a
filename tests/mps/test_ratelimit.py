"""The rate limiter: even spacing, each action by itself, right under many threads."""

from __future__ import annotations

import threading
from typing import Any

from drmkit.mps.ratelimit import RateLimiter


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept = []

    def __call__(self) -> Any:
        """Tell the time."""
        return self.now

    def sleep(self, seconds: Any) -> None:
        """Wait without waiting."""
        self.slept.append(seconds)
        self.now += seconds


def test_calls_are_spaced() -> None:
    """The first call goes at once, each further one an interval after the one before."""
    clock = Clock()
    limiter = RateLimiter({"a": 10}, clock=clock, sleep=clock.sleep)
    times = []
    for _ in range(4):
        limiter.wait("a")
        times.append(round(clock.now, 6))
    assert times == [0.0, 0.1, 0.2, 0.3]


def test_pauses_are_not_saved_up() -> None:
    """After a pause the next call goes at once, and the one after it waits again."""
    clock = Clock()
    limiter = RateLimiter({"a": 10}, clock=clock, sleep=clock.sleep)
    limiter.wait("a")
    clock.now = 60.0
    limiter.wait("a")
    limiter.wait("a")
    assert [round(seconds, 6) for seconds in clock.slept] == [0.1]


def test_actions_have_limits_of_their_own() -> None:
    """One action does not slow another one down, and an action without a limit never waits."""
    clock = Clock()
    limiter = RateLimiter({"a": 1, "b": 1}, clock=clock, sleep=clock.sleep)
    for action in ("a", "b", "c", "c"):
        limiter.wait(action)
    assert clock.slept == []


def test_threads_share_one_limit() -> None:
    """Whatever the number of threads, no two calls have the same turn."""
    waits = []
    limiter = RateLimiter({"a": 100}, clock=lambda: 0.0, sleep=waits.append)
    threads = [threading.Thread(target=lambda: [limiter.wait("a") for _ in range(25)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(round(seconds * 100) for seconds in waits) == list(range(1, 200))
