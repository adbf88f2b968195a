"""When a URL is due: jitter that is bounded and stable, a margin before the end, and both sides of each boundary."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drmkit.errors import ConfigurationError
from drmkit.keyserver.policy import RenewalPolicy
from drmkit.keyserver.url import KeyServerUrl
from drmkit.secret import Secret

T0 = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
TICK = timedelta(microseconds=1)

seeds = st.text(max_size=30)
lengths = st.timedeltas(timedelta(seconds=1), timedelta(days=400))


def url(lifetime: timedelta | None = 6 * HOUR) -> KeyServerUrl:
    """A URL issued at T0."""
    return KeyServerUrl("https://h/x", Secret("t"), T0, None if lifetime is None else T0 + lifetime)


@given(seeds, lengths, st.floats(0, 0.5))
def test_jitter_is_bounded(seed: str, lifetime: timedelta, jitter: float) -> None:
    """Jitter makes a URL due earlier by at most its share, and never later."""
    due = RenewalPolicy(jitter=jitter, seed=seed).due_at(url(lifetime))
    assert due is not None
    share = (due - T0) / lifetime
    rounding = TICK / lifetime
    assert 2 / 3 - jitter - rounding <= share <= 2 / 3 + rounding


@given(seeds, lengths)
def test_jitter_is_stable(seed: str, lifetime: timedelta) -> None:
    """The same job is due at the same moment in every run: a run that looks often cannot find its luckiest moment."""
    first = RenewalPolicy(jitter=0.1, seed=seed).due_at(url(lifetime))
    assert {RenewalPolicy(jitter=0.1, seed=seed).due_at(url(lifetime)) for _ in range(5)} == {first}


def test_jobs_are_spread() -> None:
    """A hundred jobs are due at a hundred moments, spread over the whole jitter."""
    moments = {RenewalPolicy(jitter=0.1, seed=f"job {n}").due_at(url(100 * HOUR)) for n in range(100)}
    assert len(moments) == 100
    known = sorted(moment for moment in moments if moment is not None)
    assert known[-1] - known[0] > 8 * HOUR


@given(seeds)
def test_jitter_applies_to_an_age_too(seed: str) -> None:
    """Where no lifetime is known, the age is what is shortened."""
    due = RenewalPolicy(renew_after=10 * HOUR, jitter=0.1, seed=seed).due_at(url(None))
    assert due is not None
    assert T0 + 9 * HOUR <= due <= T0 + 10 * HOUR


@pytest.mark.parametrize(
    ("lifetime", "margin", "due"),
    [
        (6 * HOUR, 3 * HOUR, T0 + 3 * HOUR),
        (6 * HOUR, HOUR, T0 + 4 * HOUR),
        (HOUR, 3 * HOUR, T0),
        (6 * HOUR, timedelta(0), T0 + 4 * HOUR),
    ],
)
def test_a_margin_before_the_end(lifetime: timedelta, margin: timedelta, due: datetime) -> None:
    """With a margin a URL is due this long before its end at the latest, and never before it was issued."""
    policy = RenewalPolicy(margin=margin)
    assert policy.due_at(url(lifetime)) == due
    assert policy.is_due(url(lifetime), due)
    assert not policy.is_due(url(lifetime), due - TICK) or due == T0


SKEWED = [
    # issued, now, due: a machine whose clock is ahead or behind the one that issued
    (timedelta(0), timedelta(hours=4) - TICK, False),
    (timedelta(0), timedelta(hours=4), True),
    (timedelta(minutes=5), timedelta(0), True),
    (-timedelta(minutes=5), timedelta(0), False),
    (-timedelta(hours=4), -TICK, False),
    (-timedelta(hours=4), timedelta(0), True),
    (timedelta(days=400), timedelta(0), True),
    (-timedelta(days=400), timedelta(0), True),
]


@pytest.mark.parametrize(("issued", "now", "due"), SKEWED)
def test_clocks_that_differ(issued: timedelta, now: timedelta, due: bool) -> None:
    """Each boundary from both sides, with clocks that are ahead and behind."""
    one = KeyServerUrl("https://h/x", Secret("t"), T0 + issued, T0 + issued + 6 * HOUR)
    assert RenewalPolicy().is_due(one, T0 + now) is due


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"jitter": -0.1}, "jitter = -0.1 is not from 0"),
        ({"jitter": 0.7}, "jitter = 0.7 is not from 0 to below 0.667"),
        ({"margin": 6 * HOUR, "lifetime": 6 * HOUR}, "margin is not shorter than ticket_lifetime"),
        ({"margin": -TICK}, "margin is not shorter"),
    ],
)
def test_a_window_as_long_as_the_life_is_refused(wrong: dict[str, float], reason: str) -> None:
    """A new URL that is due at once would be renewed by every run for ever."""
    with pytest.raises(ConfigurationError, match=reason):
        RenewalPolicy(**wrong)  # type: ignore[arg-type] # the keys vary
    assert RenewalPolicy(jitter=0.66, margin=6 * HOUR - TICK, lifetime=6 * HOUR)
