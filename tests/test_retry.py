"""Retries: how often, how long, how random, and what is left at the end."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drmkit.errors import (
    ConfigurationError,
    CredentialsRejectedError,
    DrmkitError,
    ProtocolError,
    RateLimitedError,
    RemoteUnavailableError,
    TlsError,
)
from drmkit.retry import Retrier, RetryPolicy, parse_http_date, parse_retry_after

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


class Time:
    """A clock that only sleeping moves, and that keeps what was slept."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waits: list[float] = []

    def sleep(self, seconds: float) -> None:
        """Wait without waiting."""
        self.waits.append(seconds)
        self.now += seconds

    def retrier(self, policy: RetryPolicy, uniform: Callable[[float, float], float] = lambda _, high: high) -> Retrier:
        """A retrier on this clock."""
        return Retrier(policy, clock=lambda: self.now, sleep=self.sleep, uniform=uniform)


class Failing:
    """A function that fails a number of times, each time with an error of its own, and then works."""

    def __init__(self, times: int, retry_after: float | None = None) -> None:
        self.times = times
        self.retry_after = retry_after
        self.calls = 0

    def __call__(self) -> str:
        """Fail or work."""
        self.calls += 1
        if self.calls <= self.times:
            raise RemoteUnavailableError(f"failure {self.calls}", retry_after=self.retry_after)
        return "done"


def test_what_works_is_called_once() -> None:
    """A first call that works is the only one, and nothing is waited for."""
    time, function = Time(), Failing(0)
    assert time.retrier(RetryPolicy()).call(function) == "done"
    assert (function.calls, time.waits) == (1, [])


def test_a_passing_failure_is_tried_again() -> None:
    """Two failures and a success are three calls and two waits, each up to twice as long as the one before."""
    time, function = Time(), Failing(2)
    assert time.retrier(RetryPolicy()).call(function) == "done"
    assert (function.calls, time.waits) == (3, [0.5, 1.0])


def test_the_last_error_survives_with_a_note() -> None:
    """When the attempts are used up, the error of the last one is raised, and a note tells how many there were."""
    time, function = Time(), Failing(99)
    with pytest.raises(RemoteUnavailableError, match="failure 3") as caught:
        time.retrier(RetryPolicy(attempts=3)).call(function)
    assert caught.value.__notes__ == ["gave up after 3 attempts"]
    assert (function.calls, len(time.waits)) == (3, 2)


def test_a_single_attempt_has_no_note() -> None:
    """One attempt is one call, no wait, and nothing to note."""
    time, function = Time(), Failing(99)
    with pytest.raises(RemoteUnavailableError, match="failure 1") as caught:
        time.retrier(RetryPolicy(attempts=1)).call(function)
    assert not hasattr(caught.value, "__notes__")
    assert (function.calls, time.waits) == (1, [])


def test_a_dead_server_is_not_hammered() -> None:
    """Two thousand attempts are two thousand calls with a wait between each two, the longest at the cap."""
    time, function = Time(), Failing(10**9)
    with pytest.raises(RemoteUnavailableError, match="failure 2000"):
        time.retrier(RetryPolicy(attempts=2000, deadline=10**9)).call(function)
    assert function.calls == 2000
    assert time.waits[:7] == [0.5, 1, 2, 4, 8, 16, 20]
    assert set(time.waits[6:]) == {20}
    assert len(time.waits) == 1999


@given(seed=st.integers(), attempts=st.integers(1, 12))
def test_jitter_stays_in_its_bounds(seed: int, attempts: int) -> None:
    """Full jitter: every wait is between nothing and the doubled bound, and never above the cap."""
    time, policy = Time(), RetryPolicy(attempts=attempts, base=0.5, cap=20, deadline=10**6)
    with pytest.raises(RemoteUnavailableError):
        time.retrier(policy, random.Random(seed).uniform).call(Failing(99))
    assert len(time.waits) == attempts - 1
    assert all(0 <= wait <= min(20, 0.5 * 2**n) for n, wait in enumerate(time.waits))


def test_waits_really_vary() -> None:
    """The usual source of randomness spreads clients over the interval."""
    waits = {round(Retrier().uniform(0, 20), 6) for _ in range(20)}
    assert len(waits) > 1


def test_no_wait_ends_after_the_deadline() -> None:
    """A wait that would end at or after the deadline is not begun: the last error is raised instead."""
    time, function = Time(), Failing(99)
    with pytest.raises(RemoteUnavailableError, match="failure 4") as caught:
        time.retrier(RetryPolicy(attempts=99, base=1, deadline=15)).call(function)
    assert time.waits == [1, 2, 4]
    assert caught.value.__notes__ == ["gave up after 4 attempts"]
    assert time.retrier(RetryPolicy(attempts=99, base=1, deadline=15.1)).call(Failing(4)) == "done"


def test_slow_calls_use_up_the_deadline() -> None:
    """The time that the calls themselves take counts."""
    time, calls = Time(), []

    def slow() -> None:
        calls.append(1)
        time.now += 40
        raise RemoteUnavailableError("slow")

    with pytest.raises(RemoteUnavailableError):
        time.retrier(RetryPolicy(attempts=9, deadline=60)).call(slow)
    assert len(calls) == 2


@pytest.mark.parametrize(("retry_after", "wait"), [(0.0, 0.5), (0.2, 0.5), (7.0, 7.0), (20.0, 20.0)])
def test_a_wait_that_the_server_asks_for_is_kept(retry_after: float, wait: float) -> None:
    """Retry-After up to the cap is waited for in full, and the jitter still holds where it is longer."""
    time = Time()
    assert time.retrier(RetryPolicy()).call(Failing(1, retry_after)) == "done"
    assert time.waits == [wait]


@pytest.mark.parametrize("retry_after", [20.1, 3600.0, 365 * 86400.0])
def test_a_longer_wait_is_left_to_the_caller(retry_after: float) -> None:
    """Retry-After beyond the cap ends the attempts at once; the error tells when to come back."""
    time, function = Time(), Failing(99, retry_after)
    with pytest.raises(RemoteUnavailableError) as caught:
        time.retrier(RetryPolicy()).call(function)
    assert caught.value.retry_after == retry_after
    assert (function.calls, time.waits) == (1, [])


def test_a_wait_beyond_the_deadline_is_not_begun() -> None:
    """Retry-After below the cap, but beyond the deadline, is not waited for either."""
    time, function = Time(), Failing(99, 10)
    with pytest.raises(RemoteUnavailableError):
        time.retrier(RetryPolicy(deadline=10)).call(function)
    assert (function.calls, time.waits) == (1, [])


@pytest.mark.parametrize("error", [CredentialsRejectedError("no"), ProtocolError("odd"), TlsError("bad")])
def test_what_another_try_cannot_cure_is_raised_at_once(error: DrmkitError) -> None:
    """Rejected credentials, above all, are sent once; the benign twin is a server that asks to slow down."""
    calls: list[int] = []

    def function() -> None:
        calls.append(1)
        raise error if len(calls) == 1 else AssertionError

    with pytest.raises(type(error)) as caught:
        Time().retrier(RetryPolicy(attempts=9)).call(function)
    assert caught.value is error
    assert len(calls) == 1


def test_being_slowed_down_is_tried_again() -> None:
    """RateLimitedError is a kind of unavailability."""
    calls: list[int] = []

    def function() -> str:
        calls.append(1)
        if len(calls) == 1:
            raise RateLimitedError("slow down", retry_after=1)
        return "done"

    assert Time().retrier(RetryPolicy()).call(function) == "done"


@pytest.mark.parametrize(
    "wrong", [{"attempts": 0}, {"attempts": -1}, {"base": -1}, {"cap": -0.1}, {"deadline": -1}], ids=str
)
def test_a_policy_that_makes_no_sense_is_refused(wrong: dict[str, int]) -> None:
    """Fewer than one attempt or a negative time is a configuration error; none at all of waiting is fine."""
    with pytest.raises(ConfigurationError, match="at least one attempt"):
        RetryPolicy(**wrong)
    assert RetryPolicy(attempts=1, base=0, cap=0, deadline=0)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 0),
        ("120", 120),
        (" 120 ", 120),
        ("31536000", 31536000),
        ("9" * 40, 10**9),
        ("-5", None),
        ("+5", None),
        ("1.5", None),
        ("soon", None),
        ("\u0663", None),
        ("1e3", None),
        ("Sat, 21 Nov 2026 12:00:30 GMT", 30),
        ("Saturday, 21-Nov-26 12:00:30 GMT", 30),
        ("Sat Nov 21 12:00:30 2026", 30),
        ("Sat, 21 Nov 2026 12:00:30 +0100", 0),
        ("Sat, 21 Nov 2026 11:59:59 GMT", 0),
        ("Sun, 21 Nov 2027 12:00:00 GMT", 365 * 86400),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 10**9),
        ("Sat, 21 Nov 99999 12:00:00 GMT", None),
        ("Sat, 21 Foo 2026 12:00:00 GMT", None),
        ("Sat, 31 Feb 2026 12:00:00 GMT", None),
        ("Sat, 21 Nov 2026 12:00:30 +9999", None),
    ],
)
def test_retry_after_in_all_its_forms(header: str | None, seconds: float | None) -> None:
    """A number or any HTTP date gives seconds from 0 to 10**9; everything else says nothing (RFC 9110, 10.2.3)."""
    assert parse_retry_after(header, now=NOW) == seconds


@given(st.datetimes(datetime(1990, 1, 1), datetime(2068, 1, 1)).map(lambda moment: moment.replace(microsecond=0)))  # noqa: DTZ001 (Hypothesis takes naive bounds)
def test_every_http_date_is_understood(moment: datetime) -> None:
    """What the standard library writes as an HTTP date reads back as the same moment."""
    aware = moment.replace(tzinfo=UTC)
    assert parse_http_date(format_datetime(aware, usegmt=True)) == aware
    assert parse_retry_after(format_datetime(aware, usegmt=True), now=aware - timedelta(seconds=9)) == 9


@given(st.one_of(st.none(), st.text()))
def test_no_header_breaks_the_parsers(header: str | None) -> None:
    """Any text at all gives an aware moment and bounded seconds, or None."""
    moment, seconds = parse_http_date(header), parse_retry_after(header, now=NOW)
    assert moment is None or moment.tzinfo is not None
    assert seconds is None or 0 <= seconds <= 10**9
