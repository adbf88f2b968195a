"""Retries with full jitter, a cap, a deadline and a last error that survives."""

from __future__ import annotations

import email.utils
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from drmkit.errors import ConfigurationError, RemoteUnavailableError

__all__ = ["Retrier", "RetryPolicy", "parse_http_date", "parse_retry_after"]

T = TypeVar("T")
_LONGEST_SECONDS = 10**9
_LARGEST_EXPONENT = 60


# Both are plain classes: generating two frozen dataclasses takes longer than all else that this module does at import.
class RetryPolicy:
    """How often and how long to try.

    Args:
        attempts: calls in all, the first included.
        base: seconds; attempt n waits a random time up to `base * 2**n`.
        cap: seconds; the longest single wait, also for a wait that the server asks for.
        deadline: seconds; no wait may end later than this after the first call began.

    Raises:
        ConfigurationError: fewer than one attempt, or a negative time.
    """

    __slots__ = ("attempts", "base", "cap", "deadline")

    def __init__(self, attempts: int = 3, base: float = 0.5, cap: float = 20.0, deadline: float = 60.0) -> None:
        self.attempts = attempts
        self.base = base
        self.cap = cap
        self.deadline = deadline
        if attempts < 1 or min(base, cap, deadline) < 0:
            raise ConfigurationError("a retry policy needs at least one attempt, and times that are not negative")


class Retrier:
    """Call a function again while it fails in a way that another try may cure.

    Args:
        policy: how often and how long; None takes the defaults of RetryPolicy.
        clock: monotonic seconds.
        sleep: waits for a number of seconds.
        uniform: a random number between its two arguments.
    """

    __slots__ = ("clock", "policy", "sleep", "uniform")

    def __init__(
        self,
        policy: RetryPolicy | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.policy = policy or RetryPolicy()
        self.clock = clock
        self.sleep = sleep
        self.uniform = uniform

    def call(self, function: Callable[[], T]) -> T:
        """Return what `function` returns; raise its last error once another try is pointless.

        Only RemoteUnavailableError is retried. Where the server asks to wait longer than the policy allows, the
        error is raised at once: its `retry_after` tells the caller when to come back.
        """
        start = self.clock()
        for attempt in range(self.policy.attempts):
            try:
                return function()
            except RemoteUnavailableError as error:
                wait = self._wait(attempt, error, self.clock() - start)
                if wait is None:
                    if attempt:
                        error.add_note(f"gave up after {attempt + 1} attempts")
                    raise
            self.sleep(wait)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _wait(self, attempt: int, error: RemoteUnavailableError, elapsed: float) -> float | None:
        if attempt + 1 >= self.policy.attempts:
            return None
        wait = self.uniform(0, min(self.policy.cap, self.policy.base * 2 ** min(attempt, _LARGEST_EXPONENT)))
        if error.retry_after is not None:
            if error.retry_after > self.policy.cap:
                return None
            wait = max(wait, error.retry_after)
        return wait if elapsed + wait < self.policy.deadline else None


def parse_retry_after(value: str | None, *, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header asks for (RFC 9110, section 10.2.3).

    Args:
        value: the header: a number of seconds or an HTTP date.
        now: the moment to which a date is compared (aware).

    Returns:
        Seconds, from 0 to 10**9; None where the header is absent or says nothing that can be understood.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(min(int(text[:12]), _LONGEST_SECONDS))
    moment = parse_http_date(text)
    return None if moment is None else min(max(0.0, (moment - now).total_seconds()), _LONGEST_SECONDS)


def parse_http_date(value: str | None) -> datetime | None:
    """Return the moment that an HTTP date names (RFC 9110, section 5.6.7; aware), or None where it names none."""
    try:
        moment = email.utils.parsedate_to_datetime(value or "")
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
