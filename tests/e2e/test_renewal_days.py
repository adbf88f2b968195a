"""Twenty-four days in seconds: outages, expiries, restarts, set clocks; a reader always finds the newest URL."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from drmkit.errors import (
    DrmkitError,
    ProtocolError,
    RateLimitedError,
    RemoteUnavailableError,
    StoreError,
)
from drmkit.keyserver.journal import JournalFile
from drmkit.keyserver.policy import RenewalPolicy
from drmkit.keyserver.renewal import refresh
from drmkit.keyserver.store import UrlStore
from drmkit.keyserver.url import KeyServerUrl
from drmkit.secret import Secret

START = datetime(2026, 11, 1, tzinfo=UTC)
DAYS = 24
SERVICE = "https://fe.drmtoday.com/frontend/cpix/v1/org/ingest/config"
LIFETIME = timedelta(hours=6)


class Killed(BaseException):
    """The process dies here."""


class Flaky(UrlStore):
    """A disk that is full from time to time, and a machine that dies before or after a file is replaced."""

    def save(self, url: KeyServerUrl) -> None:
        """Save, or not."""
        mood = CHANCE.random()
        if mood < 0.03:
            raise StoreError("no space left")
        if mood < 0.06:
            raise Killed
        super().save(url)
        VERIFIED.append(url)
        if mood < 0.09:
            raise Killed


CHANCE = random.Random(0)
VERIFIED: list[KeyServerUrl] = []


class World:
    """A server with outages, and a clock that is set from time to time."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.time = START
        self.skew = timedelta(0)
        self.down_until = START
        self.tickets = 0
        self.calls: list[datetime] = []

    def now(self) -> datetime:
        """What this machine's clock shows."""
        return self.time + self.skew

    def pass_time(self, length: timedelta) -> None:
        """Let time pass, and things happen."""
        self.time += length
        if self.chance.random() < 0.02:
            self.down_until = self.time + timedelta(hours=self.chance.uniform(0, 20))
        if self.chance.random() < 0.005:
            self.time += timedelta(days=1)  # suspended
        if self.chance.random() < 0.01:
            self.skew = timedelta(minutes=self.chance.choice([-90, -5, 0, 0, 0, 5, 90]))

    def mint(self) -> KeyServerUrl:
        """Answer as the moment allows."""
        self.calls.append(self.time)
        if self.time < self.down_until:
            raise self.chance.choice(
                [
                    RemoteUnavailableError("down"),
                    ProtocolError("a page"),
                    RateLimitedError("slow", retry_after=self.chance.choice([30.0, 900.0, 1e9])),
                ]
            )
        self.tickets += 1
        issued = self.now()
        return KeyServerUrl(SERVICE, Secret(f"ST-{self.tickets}"), issued, issued + LIFETIME)


def newest_verified(store: UrlStore) -> None:
    """The invariant: what a reader finds is the newest URL that was ever verified and stored."""
    found = store.load()
    if not VERIFIED:
        assert found is None
        return
    assert found is not None
    assert found.ticket == VERIFIED[-1].ticket


@pytest.mark.parametrize("seed", range(4))
def test_twenty_four_days(memory_folder: Path, seed: int) -> None:
    """After every quarter of an hour of 24 days a reader finds the newest URL that was ever verified."""
    CHANCE.seed(seed)
    VERIFIED.clear()
    world, store = World(seed), Flaky(memory_folder / "url.json")
    policy = RenewalPolicy(lifetime=LIFETIME, jitter=0.1, seed="job")
    ends: Counter[str] = Counter()
    gap = longest = timedelta(0)
    while world.time < START + timedelta(days=DAYS):
        try:
            outcome = refresh(store, world.mint, policy=policy, service=SERVICE, now=world.now)
        except (DrmkitError, Killed) as error:
            ends[type(error).__name__] += 1
        else:
            ends["renewed" if outcome.renewed else "not due"] += 1
        newest_verified(store)
        found = store.load()
        up = world.time >= world.down_until + timedelta(hours=6)
        fine = found is not None and found.is_valid(world.now())
        gap = timedelta(0) if fine or not up else gap + timedelta(minutes=15)
        longest = max(longest, gap)
        world.pass_time(timedelta(minutes=15))
    assert ends["renewed"] > 40
    assert ends["not due"] > 700
    assert ends["LockHeldError"] == 0, "a lock outlived its process"
    assert ends["Killed"] > 0
    assert ends["TemporaryError"] + ends["RemoteUnavailableError"] + ends["RateLimitedError"] > 10
    assert longest <= timedelta(minutes=60), "while the server is up, no valid URL is missing for long"
    assert len(world.calls) < 24 * 96 / 2, "a server in trouble is not hammered"
    assert JournalFile.beside(store.path).read()[1]
