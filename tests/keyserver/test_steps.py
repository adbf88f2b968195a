"""The steps of one run that outlive it: waits, rejected credentials, failures in a row, hooks, and what is verified."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from drmkit.errors import (
    ConfigurationError,
    CredentialsRejectedError,
    DrmkitError,
    ProtocolError,
    RateLimitedError,
    RemoteError,
    RemoteUnavailableError,
    StoreError,
    TemporaryError,
)
from drmkit.keyserver.hook import Hook
from drmkit.keyserver.journal import LONGEST_WAIT, Journal, JournalFile
from drmkit.keyserver.policy import RenewalPolicy
from drmkit.keyserver.renewal import nothing_to_do, refresh
from drmkit.keyserver.store import UrlStore
from drmkit.keyserver.url import KeyServerUrl
from drmkit.retry import parse_retry_after
from drmkit.secret import Secret

SERVICE = "https://fe.drmtoday.com/frontend/cpix/v1/org/ingest/config"
T0 = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
TICK = timedelta(microseconds=1)


def url(ticket: str = "old", *, issued_at: datetime = T0, lifetime: timedelta | None = 6 * HOUR) -> KeyServerUrl:
    """A URL of this age."""
    return KeyServerUrl(SERVICE, Secret(ticket), issued_at, None if lifetime is None else issued_at + lifetime)


class World:
    """A file, a clock and a server whose answer can be changed; counts its calls."""

    def __init__(self, folder: Path) -> None:
        self.store = UrlStore(folder / "url.json")
        self.time = T0
        self.answer: DrmkitError | Callable[[], KeyServerUrl] = lambda: url("new", issued_at=self.time)
        self.calls = 0
        self.password = "first"
        self.asked_for_password = 0

    @property
    def journal(self) -> Journal:
        """What is remembered."""
        return JournalFile.beside(self.store.path).load()

    def mint(self) -> KeyServerUrl:
        """Call the server."""
        self.calls += 1
        if isinstance(self.answer, DrmkitError):
            raise self.answer
        return self.answer()

    def credentials(self) -> Secret[str]:
        """What the login is made with."""
        self.asked_for_password += 1
        return Secret(f"user\n{self.password}")

    def run(self, **options: Any) -> bool:
        """Run once, and tell whether it renewed."""
        options = {"credentials": self.credentials, "now": lambda: self.time, **options}
        return refresh(self.store, self.mint, **options).renewed


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A world of its own."""
    return World(tmp_path)


RETRY_AFTER = {
    # header, seconds that later runs wait, with 6 hours of lifetime left / with nothing valid
    "a number": ("600", 600, 600),
    "a date": ("Sat, 21 Nov 2026 12:10:00 GMT", 600, 600),
    "a year ahead": ("Sun, 21 Nov 2027 12:00:00 GMT", 3 * 3600, 900),
    "a huge number": ("99999999999999999999", 3 * 3600, 900),
    "zero": ("0", None, None),
    "a date that has passed": ("Sat, 21 Nov 2026 11:00:00 GMT", None, None),
    "garbage": ("soon", None, None),
    "negative": ("-5", None, None),
    "nothing": (None, None, None),
}


@pytest.mark.parametrize(("header", "with_url", "without"), RETRY_AFTER.values(), ids=list(RETRY_AFTER))
@pytest.mark.parametrize("valid", [True, False])
def test_retry_after_outlives_the_run(
    world: World, header: str | None, with_url: int | None, without: int | None, valid: bool
) -> None:
    """Later runs obey what the server asks for, within bounds: half of what is left, or a quarter of an hour."""
    if valid:
        world.store.save(url())
    world.answer = RateLimitedError("slow down", retry_after=parse_retry_after(header, now=T0))
    with pytest.raises(TemporaryError if valid else RateLimitedError):
        world.run(force=True)
    seconds = with_url if valid else without
    assert world.journal.not_before == (None if seconds is None else T0 + timedelta(seconds=seconds))
    if seconds is None:
        with pytest.raises((TemporaryError, RateLimitedError), match="slow down"):
            world.run(force=True)
        assert world.calls == 2
        return
    world.time = T0 + timedelta(seconds=seconds) - TICK
    with pytest.raises((TemporaryError, RemoteUnavailableError), match="nothing was called: the server asked to wait"):
        world.run(force=True)
    assert world.calls == 1
    world.time += TICK
    world.answer = lambda: url("new", issued_at=world.time)
    assert world.run(force=True)
    assert world.journal.not_before is None


def test_the_cap_on_a_wait_shrinks_with_the_url(world: World) -> None:
    """In the last stretch the server's wish is heard for half of what is left, and never for less than a minute."""
    world.store.save(url())
    world.answer = RateLimitedError("slow down", retry_after=1e9)
    for left, wait in ((2 * HOUR, HOUR), (10 * MINUTE, 5 * MINUTE), (MINUTE, MINUTE)):
        JournalFile.beside(world.store.path).path.unlink(missing_ok=True)
        world.time = T0 + 6 * HOUR - left
        with pytest.raises(TemporaryError):
            world.run()
        assert world.journal.not_before == world.time + wait


def test_a_url_without_a_known_end_waits_for_hours_at_most(world: World) -> None:
    """Where nobody knows the lifetime, a server can hold renewal up for six hours."""
    world.store.save(url(lifetime=None))
    world.answer = RateLimitedError("slow down", retry_after=1e9)
    with pytest.raises(TemporaryError) as caught:
        world.run()
    assert caught.value.retry_after == 1e9
    assert world.journal.not_before == T0 + LONGEST_WAIT


def test_a_wait_of_a_wrong_clock_is_forgotten(world: World) -> None:
    """After the clock was set back by a day, a wait recorded before is further ahead than any can be."""
    world.answer = RateLimitedError("slow down", retry_after=600)
    with pytest.raises(RateLimitedError):
        world.run()
    world.time -= timedelta(days=1)
    world.answer = lambda: url("new", issued_at=world.time)
    assert world.run()


def test_a_wait_does_not_hold_up_another_service(world: World) -> None:
    """When the profile names another service, its server has asked for nothing."""
    world.store.save(url())
    world.answer = RateLimitedError("slow down", retry_after=600)
    with pytest.raises(TemporaryError):
        world.run(force=True)
    world.answer = lambda: replace(url("new", issued_at=world.time), service="https://other/x")
    assert world.run(service="https://other/x")


def test_a_rejected_password_is_tried_once(world: World) -> None:
    """A thousand runs with a wrong password are one login: the account is not locked out."""
    world.answer = CredentialsRejectedError("wrong password", hint="check it")
    world.store.save(url(lifetime=HOUR))
    world.time = T0 + HOUR
    with pytest.raises(CredentialsRejectedError, match="^wrong password$"):
        world.run()
    for _ in range(20):
        with pytest.raises(
            CredentialsRejectedError, match="nothing was called: these credentials were rejected before"
        ):
            world.run()
    assert world.calls == 1
    assert world.journal.failures == 21
    assert "first" not in JournalFile.beside(world.store.path).path.read_text(encoding="utf-8")
    world.password = "second"
    world.answer = lambda: url("new", issued_at=world.time)
    assert world.run()
    assert world.calls == 2
    assert world.journal.rejected is None


def test_force_tries_a_rejected_password_again(world: World) -> None:
    """An account that was mended on the server needs one try that a person asks for."""
    world.answer = CredentialsRejectedError("wrong password")
    with pytest.raises(CredentialsRejectedError):
        world.run()
    with pytest.raises(CredentialsRejectedError, match="wrong password"):
        world.run(force=True)
    assert world.calls == 2
    world.answer = lambda: url("new", issued_at=world.time)
    assert world.run(force=True)


def test_another_password_that_is_wrong_too_is_tried_once(world: World) -> None:
    """Each change of the credentials is worth one try."""
    world.answer = CredentialsRejectedError("wrong password")
    for password in ("first", "first", "second", "second", "third"):
        world.password = password
        with pytest.raises(CredentialsRejectedError):
            world.run()
    assert world.calls == 3


def test_a_password_is_not_read_where_nothing_is_due(world: World) -> None:
    """No command runs for a password that nobody needs."""
    world.store.save(url())
    assert not world.run()
    assert world.asked_for_password == 0


def test_a_thousand_failing_runs(memory_folder: Path) -> None:
    """Each calls once; the failures are counted; the last error surfaces; the URL stays; one success ends it."""
    world = World(memory_folder)
    world.store.save(url(lifetime=None))
    policy = RenewalPolicy(renew_after=HOUR)
    world.time = T0 + HOUR
    for number in range(1000):
        world.answer = RemoteUnavailableError(f"down for the {number}th time")
        with pytest.raises(TemporaryError, match=f"^down for the {number}th time; the URL of"):
            world.run(policy=policy)
        world.time += MINUTE
    assert world.calls == 1000
    assert world.journal.failures == 1000
    assert str(world.journal.last_error).startswith("down for the 999th time")
    assert world.journal.last_exit_code == 75
    assert world.journal.last_attempt == world.time - MINUTE
    assert world.store.load() == url(lifetime=None)
    world.answer = lambda: url("new", issued_at=world.time)
    assert world.run(policy=policy)
    assert (world.journal.failures, world.journal.last_error, world.journal.renewals) == (0, None, 1)


def hook_of(folder: Path, code: int = 0) -> Hook:
    """A hook that appends a line to a file."""
    script = f'echo told >> "{folder}/told"; exit {code}'
    return Hook(["sh", "-c", script], environ={"PATH": "/usr/bin:/bin"})


def told(folder: Path) -> int:
    """How often the hook was told."""
    file = folder / "told"
    return file.read_text(encoding="utf-8").count("told") if file.exists() else 0


def test_a_hook_is_told_once_of_each_url(world: World, tmp_path: Path) -> None:
    """After the swap, never before, and not where nothing was renewed."""
    hook = hook_of(tmp_path)
    assert world.run(hook=hook)
    assert not world.run(hook=hook)
    assert told(tmp_path) == 1
    world.answer = RemoteUnavailableError("down")
    world.time += 5 * HOUR
    with pytest.raises(TemporaryError):
        world.run(hook=hook)
    assert told(tmp_path) == 1


def test_a_hook_that_failed_is_told_again(world: World, tmp_path: Path) -> None:
    """The URL is new, the next run finds nothing due, and still tells the hook, without a call."""
    with pytest.raises(TemporaryError, match="the new URL is stored, but the hook sh failed"):
        world.run(hook=hook_of(tmp_path, code=3))
    assert world.store.load() == url("new")
    assert world.journal.hook_pending
    assert world.journal.failures == 1
    assert nothing_to_do(world.store, policy=RenewalPolicy(), service=None, now=T0, hook=True) is None
    assert not world.run(hook=hook_of(tmp_path))
    assert (told(tmp_path), world.calls) == (2, 1)
    assert (world.journal.hook_pending, world.journal.failures) == (False, 0)
    assert nothing_to_do(world.store, policy=RenewalPolicy(), service=None, now=T0, hook=True) == url("new")


def test_a_hook_that_is_gone_is_told_before_the_account_is_used(world: World) -> None:
    """A hook whose program does not exist is a wrong setting."""
    with pytest.raises(ConfigurationError, match="there is no program"):
        world.run(hook=Hook(["no-such-program-here"]))
    assert world.calls == 0


def test_what_does_not_work_is_not_stored(world: World) -> None:
    """A probe that fails is a failed renewal: the old URL stays."""
    world.store.save(url())
    seen = []

    def probe(one: KeyServerUrl) -> None:
        seen.append(one)
        raise ProtocolError("no valid CPIX")

    world.time = T0 + 5 * HOUR
    with pytest.raises(TemporaryError, match="no valid CPIX; the URL of .* is kept"):
        world.run(probe=probe)
    assert seen == [url("new", issued_at=world.time)]
    assert world.store.load() == url()
    assert world.run(probe=lambda _: None)


def test_a_url_that_is_older_than_the_stored_one_is_refused(world: World) -> None:
    """A renewal that would go back in time is none; of a stored URL from the future it is the cure."""
    world.store.save(url(issued_at=T0 - MINUTE))
    world.answer = lambda: url("new", issued_at=T0 - 2 * MINUTE)
    with pytest.raises(TemporaryError, match="the new URL is older than the stored one"):
        world.run(force=True)
    world.store.save(url(issued_at=T0 + HOUR))
    assert world.run()


def test_a_url_for_another_service_is_refused(world: World) -> None:
    """What is stored is what the profile names, whatever comes back."""
    with pytest.raises(RemoteError, match="is for another service"):
        world.run(service="https://other/x")
    assert world.store.load() is None


def test_a_journal_that_cannot_be_understood_is_set_aside(world: World) -> None:
    """Like a URL that cannot be read: kept as .bad, and the run goes on."""
    file = JournalFile.beside(world.store.path).path
    file.write_text("{torn", encoding="utf-8")
    world.store.path.write_text("{torn too", encoding="utf-8")
    assert world.run()
    assert file.with_name("url.json.state.bad").read_text(encoding="utf-8") == "{torn"
    assert world.store.path.with_name("url.json.bad").read_text(encoding="utf-8") == "{torn too"
    assert world.journal.renewals == 1


def test_leftovers_of_killed_runs_are_removed(world: World, caplog: Any) -> None:
    """The first thing that a run does with its lock is to clean up."""
    caplog.set_level("INFO")
    world.store.path.with_name(".url.json.0123.tmp").write_text("{", encoding="utf-8")
    assert world.run()
    assert sorted(entry.name for entry in world.store.path.parent.iterdir()) == [
        "url.json",
        "url.json.lock",
        "url.json.state",
    ]
    assert "which a killed run had left" in caplog.text


def test_a_disk_that_is_full_is_known_before_the_account_is_used(world: World) -> None:
    """The journal is written first: where it cannot be, no URL could."""

    class Full(UrlStore):
        def check_folder(self) -> None:
            raise StoreError("no space left", hint="free some space")

    full = Full(world.store.path)
    with pytest.raises(StoreError, match="no space left"):
        refresh(full, world.mint, now=lambda: T0)
    assert world.calls == 0


def test_young_enough_is_good_enough(world: World) -> None:
    """With a highest age the policy does not count: a younger URL is taken, an older one is renewed."""
    world.store.save(url(lifetime=None))
    world.time = T0 + 10 * MINUTE
    assert not world.run(max_age=10 * MINUTE)
    assert world.run(max_age=10 * MINUTE - TICK)
    world.store.save(url(lifetime=5 * MINUTE))
    assert world.run(max_age=HOUR), "one that has ended is never good enough"
    world.store.save(url(issued_at=world.time + MINUTE))
    assert world.run(max_age=HOUR), "one from the future has no known age"


def test_a_failure_of_another_run_is_this_ones_too(world: World) -> None:
    """Who has waited for a run that failed does not try in its turn; who comes later does."""
    world.answer = RemoteUnavailableError("down")
    clock = iter([T0, *[T0 + MINUTE] * 20])
    JournalFile.beside(world.store.path).save(
        Journal(last_attempt=T0 + timedelta(seconds=1), failures=1, last_error="down", last_exit_code=69)
    )
    with pytest.raises(RemoteUnavailableError, match="another run has just failed: down"):
        world.run(max_age=HOUR, wait=1.0, now=lambda: next(clock))
    assert world.calls == 0
    world.time = T0 + HOUR
    with pytest.raises(RemoteUnavailableError, match="^down$"):
        world.run(max_age=HOUR, wait=1.0)
    assert world.calls == 1


IDLE = {
    "nothing stored": (None, None, T0, False),
    "a young URL": (url(), None, T0, True),
    "a due URL": (url(), None, T0 + 4 * HOUR, False),
    "a due URL, the server waits": (url(), T0 + 5 * HOUR, T0 + 4 * HOUR, True),
    "an ended URL, the server waits": (url(lifetime=HOUR), T0 + 5 * HOUR, T0 + 4 * HOUR, False),
    "a wait that is over": (url(), T0 + 4 * HOUR, T0 + 4 * HOUR, False),
    "from the future, the server waits": (url(issued_at=T0 + HOUR), T0 + HOUR, T0, False),
}


@pytest.mark.parametrize(("stored", "not_before", "now", "idle"), IDLE.values(), ids=list(IDLE))
def test_what_due_tells_is_what_a_run_would_do(
    world: World, stored: KeyServerUrl | None, not_before: datetime | None, now: datetime, idle: bool
) -> None:
    """There is nothing to do if a run would leave the URL alone, or only say that it waits while the URL is valid."""
    if stored is not None:
        world.store.save(stored)
    JournalFile.beside(world.store.path).save(Journal(not_before=not_before))
    found = nothing_to_do(world.store, policy=RenewalPolicy(), service=SERVICE, now=now)
    assert (found is not None) is idle
    assert nothing_to_do(world.store, policy=RenewalPolicy(), service="https://other/x", now=now) is None


def test_what_is_stored_is_json_that_others_read(world: World) -> None:
    """The journal is no part of the stored file."""
    assert world.run()
    assert list(json.loads(world.store.path.read_text(encoding="utf-8"))) == [
        "schema_version",
        "url",
        "service",
        "issued_at",
        "expires_at",
    ]
