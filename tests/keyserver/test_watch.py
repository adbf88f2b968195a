"""The watcher: on time after a suspend, patient with a server that fails, ready only while all is well."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from drmkit.config import Profile
from drmkit.errors import ConfigurationError, DrmkitError, RateLimitedError, RemoteUnavailableError
from drmkit.keyserver.job import RenewalJob
from drmkit.keyserver.policy import RenewalPolicy
from drmkit.keyserver.renewal import Outcome, refresh
from drmkit.keyserver.store import UrlStore
from drmkit.keyserver.url import KeyServerUrl
from drmkit.keyserver.watch import Readiness, Waking, Watcher
from drmkit.secret import Secret

T0 = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


class Enough(BaseException):
    """The test has seen enough."""


@dataclass
class FakeJob:
    """A job against a server whose answer can be changed."""

    store: UrlStore
    now: Callable[[], datetime]
    policy: RenewalPolicy = field(default_factory=RenewalPolicy)
    lifetime: timedelta | None = 6 * HOUR
    error: DrmkitError | None = None
    calls: list[datetime] = field(default_factory=list)
    profile: Profile = field(default_factory=lambda: Profile("p"))
    repeated: KeyServerUrl | None = None

    def run(self) -> Outcome:
        """Run once."""
        return refresh(self.store, self.mint, policy=self.policy, now=self.now)

    def mint(self) -> KeyServerUrl:
        """Call the server."""
        self.calls.append(self.now())
        if self.error is not None:
            raise self.error
        if self.repeated is not None:
            return self.repeated
        now = self.now()
        end = None if self.lifetime is None else now + self.lifetime
        return KeyServerUrl("https://h/x", Secret(f"ST-{len(self.calls)}"), now, end)


class World:
    """A clock that naps move, and things that happen at moments."""

    def __init__(self, folder: Path) -> None:
        self.time = T0
        self.job = FakeJob(UrlStore(folder / "url.json"), lambda: self.time)
        self.naps: list[float] = []
        self.events: list[tuple[datetime, Callable[[], Waking | None]]] = []
        self.told: list[str] = []
        self.loads = 0
        self.ready = folder / "ready"
        self.end = T0 + timedelta(days=2)

    def nap(self, seconds: float) -> Waking:
        """Let time pass."""
        self.naps.append(seconds)
        self.time += timedelta(seconds=max(seconds, 0.001))
        if self.time >= self.end:
            raise Enough
        for event in [event for event in self.events if event[0] <= self.time]:
            self.events.remove(event)
            woken = event[1]()
            if woken is not None:
                return woken
        return "time"

    def at(self, moment: datetime, what: Callable[[], Waking | None]) -> None:
        """Let something happen."""
        self.events.append((moment, what))

    def load(self) -> Sequence[RenewalJob]:
        """The jobs."""
        self.loads += 1
        return [cast("RenewalJob", self.job)]

    def report(self, job: RenewalJob, result: str | DrmkitError) -> None:
        """Keep what was told."""
        self.told.append(str(result))

    def watch(self, **options: Any) -> None:
        """Watch to the end."""
        options = {"now": lambda: self.time, "readiness": Readiness(self.ready), **options}
        with pytest.raises(Enough):
            Watcher(self.load, self.nap, self.report, uniform=lambda low, high: high, **options).run()


@pytest.fixture
def world(memory_folder: Path) -> World:
    """A world of its own."""
    return World(memory_folder)


def test_renewed_when_due_and_not_before(world: World) -> None:
    """Over two days a URL of six hours is renewed every four, at the moment, without drift."""
    world.watch()
    assert len(world.job.calls) == 12
    gaps = [later - earlier for earlier, later in zip(world.job.calls, world.job.calls[1:], strict=False)]
    assert all(4 * HOUR <= gap < 4 * HOUR + timedelta(seconds=1) for gap in gaps)
    assert max(world.naps) <= 30
    assert all("renewed" in line for line in world.told)
    assert not world.ready.exists()


def test_where_nothing_is_known_the_interval_counts(world: World) -> None:
    """Without lifetime and age the interval is the pace."""
    world.job.lifetime = None
    world.end = T0 + 4 * HOUR
    world.watch(interval=HOUR)
    assert [call - T0 for call in world.job.calls] == pytest.approx([n * HOUR for n in range(4)], abs=MINUTE)


def test_a_suspend_makes_nothing_late(world: World) -> None:
    """After a day's sleep the URL is renewed at once: the wall's clock counts, not the time awake."""

    def sleep() -> None:
        world.time += timedelta(days=1)

    world.at(T0 + HOUR, sleep)
    world.watch()
    first, second = world.job.calls[:2]
    assert first == T0
    assert second - (T0 + HOUR + timedelta(days=1)) <= timedelta(seconds=60)


@pytest.mark.parametrize("step", [-timedelta(days=1), timedelta(days=30), -HOUR])
def test_a_clock_that_is_set_is_seen(world: World, step: timedelta) -> None:
    """Stepped back or forth, the watcher looks again within half a minute, and does not run in a loop."""

    def set_clock() -> None:
        world.time += step
        world.end = world.time + timedelta(days=1)

    world.at(T0 + HOUR, set_clock)
    world.watch()
    assert 6 <= len(world.job.calls) <= 9


def test_a_failing_server_is_called_after_growing_pauses(world: World) -> None:
    """Ten seconds, then twice as long each time, to a quarter of an hour; the failures are told; then all is well."""
    world.job.error = RemoteUnavailableError("down")
    world.end = T0 + 5 * HOUR

    def mend() -> None:
        world.job.error = None

    world.at(T0 + 2 * HOUR, mend)
    world.watch()
    gaps = [
        round((later - earlier).total_seconds())
        for earlier, later in zip(world.job.calls, world.job.calls[1:], strict=False)
    ]
    assert gaps[:8] == [10, 20, 40, 80, 160, 320, 640, 900]
    assert len(world.job.calls) < 20
    assert [line for line in world.told if line == "down"]
    assert world.told[-1].startswith("renewed")


def test_pauses_are_random(world: World) -> None:
    """Half of a pause is left to chance, so that many watchers do not come back at once."""
    world.job.error = RemoteUnavailableError("down")
    world.end = T0 + MINUTE
    asked = []

    def lowest(low: float, high: float) -> float:
        asked.append((low, high))
        return low

    with pytest.raises(Enough):
        Watcher(world.load, world.nap, world.report, now=lambda: world.time, uniform=lowest).run()
    assert asked[:3] == [(5.0, 10.0), (10.0, 20.0), (20.0, 40.0)]


def test_a_wait_that_the_server_asks_for_is_obeyed(world: World) -> None:
    """A Retry-After longer than the pause counts."""
    world.job.error = RateLimitedError("slow down", retry_after=600)
    world.end = T0 + 9 * MINUTE
    world.watch()
    assert world.job.calls == [T0]


def test_what_a_person_must_mend_is_not_hammered(world: World) -> None:
    """Rejected settings are looked at again every quarter of an hour, and at a reload."""
    world.job.error = ConfigurationError("wrong")
    world.end = T0 + HOUR + MINUTE
    world.watch()
    assert len(world.job.calls) == 5


def test_a_server_that_repeats_one_ticket_is_no_loop(world: World) -> None:
    """A new URL that is due already is looked at again after a pause."""
    world.job.repeated = KeyServerUrl("https://h/x", Secret("same"), T0 - 5 * HOUR, T0 + HOUR)
    world.end = T0 + 10 * MINUTE
    world.watch()
    assert len(world.job.calls) <= 61


def test_reload_reads_the_settings_again(world: World) -> None:
    """SIGHUP loads the jobs anew and looks at once; settings that cannot be used leave the old ones in force."""
    world.at(T0 + HOUR, lambda: "reload")
    world.end = T0 + 2 * HOUR
    world.watch()
    assert world.loads == 2
    assert len(world.job.calls) == 1, "nothing was due"

    loads = 0

    def broken() -> Sequence[RenewalJob]:
        nonlocal loads
        loads += 1
        if loads > 1:
            raise ConfigurationError("no such profile")
        return world.load()

    world.time, world.end = T0, T0 + 2 * HOUR
    world.at(T0 + HOUR, lambda: "reload")
    with pytest.raises(Enough):
        Watcher(broken, world.nap, world.report, now=lambda: world.time).run()
    assert loads == 2
    assert "no such profile" in world.told


def test_settings_that_cannot_be_used_at_the_start_end_it(world: World) -> None:
    """A container with a wrong configuration shall fail, not wait."""

    def broken() -> Sequence[RenewalJob]:
        raise ConfigurationError("no such profile")

    with pytest.raises(ConfigurationError, match="no such profile"):
        Watcher(broken, world.nap, world.report).run()


def test_ready_only_while_every_url_is_valid(world: World) -> None:
    """The file appears with the first URL, is touched at each look, goes when the URL ends, and at the end."""
    seen: list[tuple[timedelta, bool]] = []
    world.job.error = RemoteUnavailableError("down")
    world.ready.touch()

    def work() -> None:
        world.job.error = None

    def fail() -> None:
        world.job.error = RemoteUnavailableError("down")

    world.at(T0 + HOUR, work)
    world.at(T0 + 2 * HOUR, fail)
    world.end = T0 + 12 * HOUR

    def look(_: Sequence[RenewalJob]) -> None:
        seen.append((world.time - T0, world.ready.exists()))

    world.watch(after_look=look)
    assert not any(ready for age, ready in seen if age < HOUR)
    assert all(ready for age, ready in seen if 2 * HOUR < age < 7 * HOUR)
    assert not any(ready for age, ready in seen if age > 8 * HOUR)
    assert not world.ready.exists()


def test_a_readiness_file_that_cannot_be_written_is_told(world: World, tmp_path: Path) -> None:
    """Renewal goes on all the same."""
    world.end = T0 + MINUTE
    world.watch(readiness=Readiness(tmp_path / "no" / "ready"))
    assert any("there is no folder" in line for line in world.told)
    assert world.job.calls == [T0]
