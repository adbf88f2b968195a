"""Renewal: due on the right side of every boundary, and the last good URL survives whatever goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from drmkit.errors import (
    ApiError,
    ConfigurationError,
    CredentialsRejectedError,
    DrmkitError,
    InputError,
    LockHeldError,
    ProtocolError,
    RateLimitedError,
    RemoteError,
    RemoteUnavailableError,
    ServiceRejectedError,
    StoreError,
    TemporaryError,
    TlsError,
)
from drmkit.keyserver.renewal import RenewalPolicy, refresh
from drmkit.keyserver.store import UrlStore
from drmkit.keyserver.url import KeyServerUrl
from drmkit.secret import Secret

SERVICE = "https://fe.drmtoday.com/frontend/cpix/v1/org/ingest/config"
T0 = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
TICK = timedelta(microseconds=1)


def url(
    ticket: str = "old", *, issued_at: datetime = T0, lifetime: timedelta | None = 6 * HOUR, service: str = SERVICE
) -> KeyServerUrl:
    """A URL of this age."""
    return KeyServerUrl(service, Secret(ticket), issued_at, None if lifetime is None else issued_at + lifetime)


class Minting:
    """Gives a URL or fails, and counts how often it was asked."""

    def __init__(self, outcome: KeyServerUrl | DrmkitError | Callable[[], KeyServerUrl]) -> None:
        self.outcome = outcome
        self.calls = 0

    def __call__(self) -> KeyServerUrl:
        """Mint."""
        self.calls += 1
        if isinstance(self.outcome, DrmkitError):
            raise self.outcome
        return self.outcome() if callable(self.outcome) else self.outcome


@pytest.fixture
def store(tmp_path: Path) -> UrlStore:
    """A store in a folder of its own."""
    return UrlStore(tmp_path / "url.json")


DUE = {
    "no URL": (None, RenewalPolicy(), T0, True),
    "before two thirds of its life": (url(), RenewalPolicy(), T0 + 4 * HOUR - TICK, False),
    "at two thirds of its life": (url(), RenewalPolicy(), T0 + 4 * HOUR, True),
    "after its end": (url(), RenewalPolicy(), T0 + 7 * HOUR, True),
    "just issued": (url(), RenewalPolicy(), T0, False),
    "issued a moment from now": (url(), RenewalPolicy(), T0 - TICK, True),
    "the clock a day behind": (url(), RenewalPolicy(), T0 - 24 * HOUR, True),
    "before its age": (url(lifetime=None), RenewalPolicy(renew_after=HOUR), T0 + HOUR - TICK, False),
    "at its age": (url(lifetime=None), RenewalPolicy(renew_after=HOUR), T0 + HOUR, True),
    "the age before the share": (url(), RenewalPolicy(renew_after=HOUR), T0 + HOUR, True),
    "the share before the age": (url(), RenewalPolicy(renew_after=5 * HOUR), T0 + 4 * HOUR, True),
    "neither yet": (url(), RenewalPolicy(renew_after=5 * HOUR), T0 + 4 * HOUR - TICK, False),
    "nothing known": (url(lifetime=None), RenewalPolicy(), T0, True),
    "a share of its own": (url(), RenewalPolicy(share=0.5), T0 + 3 * HOUR, True),
    "before a share of its own": (url(), RenewalPolicy(share=0.5), T0 + 3 * HOUR - TICK, False),
    "the policy's lifetime": (url(lifetime=None), RenewalPolicy(lifetime=3 * HOUR), T0 + 2 * HOUR, True),
    "before the policy's lifetime": (url(lifetime=None), RenewalPolicy(lifetime=3 * HOUR), T0 + 2 * HOUR - TICK, False),
    "its own lifetime first": (url(), RenewalPolicy(lifetime=HOUR), T0 + 2 * HOUR, False),
    "an end before its start": (url(lifetime=-HOUR), RenewalPolicy(), T0, True),
    "the end of time": (url(issued_at=datetime.max.replace(tzinfo=UTC), lifetime=None), RenewalPolicy(HOUR), T0, True),
}


@pytest.mark.parametrize(("one", "policy", "now", "due"), DUE.values(), ids=list(DUE))
def test_what_is_due(one: KeyServerUrl | None, policy: RenewalPolicy, now: datetime, due: bool) -> None:
    """Each rule on both sides of its boundary; a URL that claims to be from the future is not trusted."""
    assert policy.is_due(one, now) is due


def test_the_moment_is_known() -> None:
    """`due_at` tells the earliest of the moments, or None where none is known."""
    assert RenewalPolicy().due_at(url()) == T0 + 4 * HOUR
    assert RenewalPolicy(renew_after=HOUR).due_at(url()) == T0 + HOUR
    assert RenewalPolicy(lifetime=3 * HOUR).due_at(url(lifetime=None)) == T0 + 2 * HOUR
    assert RenewalPolicy().due_at(url(lifetime=None)) is None


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"share": 0}, "share = 0 is not above 0 and below 1"),
        ({"share": 1}, "share = 1 is not"),
        ({"share": -0.5}, "share = -0.5 is not"),
        ({"renew_after": timedelta(0)}, "renew_after is not above zero"),
        ({"lifetime": -HOUR}, "lifetime is not above zero"),
    ],
)
def test_a_policy_that_would_never_or_always_renew_is_refused(wrong: dict[str, float], reason: str) -> None:
    """A share of the whole life or more would renew after the end; an age of nothing would hammer the server."""
    with pytest.raises(ConfigurationError, match=reason):
        RenewalPolicy(**wrong)  # type: ignore[arg-type] # the keys vary
    assert RenewalPolicy(renew_after=TICK, share=0.999, lifetime=TICK)


def test_nothing_due_means_nothing_called(store: UrlStore) -> None:
    """A URL that is not due stays, byte for byte, and the account is not used."""
    store.save(url())
    before = store.path.stat()
    minting = Minting(url("new"))
    outcome = refresh(store, minting, now=lambda: T0 + HOUR)
    assert (outcome.url, outcome.renewed, minting.calls) == (url(), False, 0)
    assert outcome.summary == f"not due: {url().redacted}"
    assert store.path.stat().st_ino == before.st_ino


@pytest.mark.parametrize("stored", [None, url()])
def test_what_is_due_is_renewed_once(store: UrlStore, stored: KeyServerUrl | None) -> None:
    """One call, one new URL in the file, one sentence without its ticket."""
    if stored is not None:
        store.save(stored)
    now = T0 + 4 * HOUR
    minting = Minting(url("cAnArY", issued_at=now))
    outcome = refresh(store, minting, now=lambda: now)
    assert (outcome.renewed, minting.calls) == (True, 1)
    assert store.load() == outcome.url == url("cAnArY", issued_at=now)
    assert outcome.summary == f"renewed: {outcome.url.redacted}"
    assert "cAnArY" not in repr(outcome)


def test_force_renews_what_is_not_due(store: UrlStore) -> None:
    """`force` does not ask whether it is due."""
    store.save(url())
    assert refresh(store, Minting(url("new")), force=True, now=lambda: T0).renewed
    assert store.load() == url("new")


def test_another_service_is_due(store: UrlStore) -> None:
    """When the profile names another service, the stored URL is of no use; the same service changes nothing."""
    store.save(url())
    assert not refresh(store, Minting(url("new")), service=SERVICE, now=lambda: T0).renewed
    other = url("new", service=SERVICE + "2")
    assert refresh(store, Minting(other), service=SERVICE + "2", now=lambda: T0).renewed
    assert store.load() == other


TEMPORARY = [
    RemoteUnavailableError("no answer", hint="do this"),
    RateLimitedError("slow down", hint="do this", retry_after=9),
    TlsError("bad certificate", hint="do this"),
    ProtocolError("odd answer", hint="do this"),
    ApiError("odd", code="Code", hint="do this"),
    StoreError("disk full", hint="do this"),
]


@pytest.mark.parametrize("error", TEMPORARY, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize(
    ("lifetime", "until"), [(6 * HOUR, "it is valid until 2026-11-21T18:00:00Z"), (None, "its lifetime is not known")]
)
def test_a_failure_while_the_old_url_is_valid_is_temporary(
    store: UrlStore, error: DrmkitError, lifetime: timedelta | None, until: str
) -> None:
    """Exit code 75: the reason and its hint survive, the old URL stays, and its remaining life is told."""
    store.save(url(lifetime=lifetime))
    before = store.path.read_bytes()
    minting = Minting(error)
    with pytest.raises(TemporaryError) as caught:
        refresh(store, minting, now=lambda: T0 + 5 * HOUR)
    assert str(caught.value) == f"{error.message}; the URL of 2026-11-21T12:00:00Z is kept ({until})"
    assert (caught.value.hint, caught.value.exit_code, caught.value.__cause__) == ("do this", 75, error)
    assert (store.path.read_bytes(), minting.calls) == (before, 1)


@pytest.mark.parametrize("error", TEMPORARY, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("stored", [None, url(lifetime=5 * HOUR), url(service=SERVICE + "2")])
def test_a_failure_without_a_valid_url_is_itself(
    store: UrlStore, error: DrmkitError, stored: KeyServerUrl | None
) -> None:
    """Nothing stored, an ended URL or one for another service: the failure itself is raised, and the file stays."""
    if stored is not None:
        store.save(stored)
    with pytest.raises(type(error)) as caught:
        refresh(store, Minting(error), service=SERVICE, now=lambda: T0 + 5 * HOUR)
    assert caught.value is error
    assert store.load() == stored


@pytest.mark.parametrize(
    "error",
    [CredentialsRejectedError("wrong"), ServiceRejectedError("no"), ConfigurationError("bad"), InputError("odd")],
    ids=lambda error: type(error).__name__,
)
def test_what_a_person_must_mend_is_never_called_temporary(store: UrlStore, error: DrmkitError) -> None:
    """Rejected credentials are exit code 3 even while the old URL is valid: waiting does not cure them."""
    store.save(url())
    with pytest.raises(type(error)) as caught:
        refresh(store, Minting(error), now=lambda: T0 + 5 * HOUR)
    assert caught.value is error
    assert store.load() == url()


@dataclass(frozen=True)
class FullDisk(UrlStore):
    """A store whose disk is full."""

    def save(self, url: KeyServerUrl) -> None:
        """Fail."""
        raise StoreError("no space left", hint="free some space")


def test_a_full_disk_is_temporary_while_the_old_url_is_valid(store: UrlStore) -> None:
    """A new URL that cannot be written is a failure like any other."""
    with pytest.raises(StoreError, match="no space left"):
        refresh(FullDisk(store.path), Minting(url("new")), now=lambda: T0)
    store.save(url())
    with pytest.raises(TemporaryError, match="no space left; the URL of .* is kept"):
        refresh(FullDisk(store.path), Minting(url("new")), now=lambda: T0 + 4 * HOUR)
    assert store.load() == url()


def test_the_same_ticket_keeps_its_age(store: UrlStore) -> None:
    """A server that gives the same ticket again has not made it younger: its age and its end stay."""
    store.save(url())
    now = T0 + 4 * HOUR
    outcome = refresh(store, Minting(url("old", issued_at=now)), now=lambda: now)
    assert (outcome.renewed, outcome.url) == (True, url())
    assert store.load() == url()
    with pytest.raises(RemoteError, match="the new URL has already expired") as caught:
        refresh(store, Minting(url("old", issued_at=T0 + 6 * HOUR)), now=lambda: T0 + 6 * HOUR)
    assert "repeats one ticket" in str(caught.value.hint)
    assert store.load() == url()


def test_the_same_ticket_gets_the_lifetime_that_is_stated_now(store: UrlStore) -> None:
    """A lifetime that the profile has stated or changed since counts from the ticket's own age."""
    now = T0 + HOUR
    for before, after in ((None, 2 * HOUR), (6 * HOUR, 2 * HOUR), (6 * HOUR, None)):
        store.save(url(lifetime=before))
        outcome = refresh(store, Minting(url("old", issued_at=now, lifetime=after)), force=True, now=lambda: now)
        assert outcome.url == url(lifetime=after)


def test_the_same_ticket_from_the_future_is_as_old_as_now(store: UrlStore) -> None:
    """A ticket stored by a clock that was ahead loses its false age at the first refresh."""
    store.save(url(issued_at=T0 + 24 * HOUR))
    assert refresh(store, Minting(url("old")), now=lambda: T0).url == url()
    assert not refresh(store, Minting(url("new")), now=lambda: T0).renewed


@pytest.mark.parametrize("change", [{"ticket": Secret("new")}, {"service": SERVICE + "2"}])
def test_another_ticket_has_an_age_of_its_own(store: UrlStore, change: dict[str, str]) -> None:
    """The benign twin: a new ticket, or the same text for another service, is new."""
    store.save(url())
    now = T0 + 4 * HOUR
    fresh = replace(url("old", issued_at=now), **change)
    assert refresh(store, Minting(fresh), now=lambda: now).url == fresh


def test_a_new_url_that_has_ended_is_refused(store: UrlStore) -> None:
    """Refreshed but expired is a failure: temporary while the old URL is valid, and never stored."""
    store.save(url(lifetime=24 * HOUR))
    ended = url("new", issued_at=T0, lifetime=HOUR)
    with pytest.raises(TemporaryError, match="the new URL has already expired; the URL of .* is kept"):
        refresh(store, Minting(ended), force=True, now=lambda: T0 + HOUR)
    assert store.load() == url(lifetime=24 * HOUR)
    assert refresh(store, Minting(ended), force=True, now=lambda: T0 + HOUR - TICK).renewed


def test_time_that_minting_takes_counts(store: UrlStore) -> None:
    """The end of a new URL is looked at when it has come, not when it was asked for."""
    clock = [T0]

    def slow() -> KeyServerUrl:
        clock[0] += HOUR
        return url("new", lifetime=HOUR)

    with pytest.raises(RemoteError, match="already expired"):
        refresh(store, Minting(slow), now=lambda: clock[0])
    assert store.load() is None


def test_the_bare_url_is_renewed_by_the_profiles_lifetime(tmp_path: Path) -> None:
    """A file that cannot tell its end is due, and ends, by the lifetime of the policy; its age is the file's."""
    store, policy = UrlStore(tmp_path / "url.txt", "url"), RenewalPolicy(lifetime=6 * HOUR)
    store.save(url())
    assert refresh(store, Minting(url("new")), policy=policy, now=lambda: T0 + 4 * HOUR - TICK).url == url()
    down = Minting(RemoteUnavailableError("no answer"))
    with pytest.raises(TemporaryError, match="it is valid until 2026-11-21T18:00:00Z"):
        refresh(store, down, policy=policy, now=lambda: T0 + 6 * HOUR - TICK)
    with pytest.raises(RemoteUnavailableError, match="no answer"):
        refresh(store, down, policy=policy, now=lambda: T0 + 6 * HOUR)


def test_a_bad_file_is_kept_aside_once_there_is_a_new_url(store: UrlStore) -> None:
    """What cannot be read counts as missing; it is kept, and replaced."""
    store.path.write_text("{torn", encoding="utf-8")
    outcome = refresh(store, Minting(url("new")), now=lambda: T0)
    bad = store.path.with_name("url.json.bad")
    assert outcome.summary.endswith(f"(what was there before could not be read and is kept as {bad})")
    assert bad.read_text(encoding="utf-8") == "{torn"
    assert store.load() == url("new")


@pytest.mark.parametrize("error", [RemoteUnavailableError("no answer"), ConfigurationError("wrong")])
def test_a_bad_file_stays_where_it_is_while_there_is_no_new_url(store: UrlStore, error: DrmkitError) -> None:
    """A failed run touches nothing, not even what it cannot read: it may be another program's file."""
    store.path.write_text("precious", encoding="utf-8")
    with pytest.raises(type(error)):
        refresh(store, Minting(error), now=lambda: T0)
    assert store.path.read_text(encoding="utf-8") == "precious"
    assert sorted(entry.name for entry in store.path.parent.iterdir()) == [
        "url.json",
        "url.json.lock",
        "url.json.state",
    ]


def test_a_second_run_does_not_use_the_account(store: UrlStore) -> None:
    """While one run is at work, another one ends at once, without a call."""
    minting = Minting(url("new"))
    with store.lock(), pytest.raises(LockHeldError):
        refresh(store, minting, now=lambda: T0)
    assert minting.calls == 0
    assert refresh(store, minting, now=lambda: T0).renewed


def test_the_lock_is_held_during_the_whole_run_and_free_after_it(store: UrlStore) -> None:
    """From reading to writing nobody else comes in; a failed run frees the lock, too."""

    def look() -> KeyServerUrl:
        with pytest.raises(LockHeldError), store.lock():
            pass
        return url("new")

    assert refresh(store, Minting(look), now=lambda: T0).renewed
    with pytest.raises(RemoteUnavailableError):
        refresh(UrlStore(store.path), Minting(RemoteUnavailableError("no")), service="https://x", now=lambda: T0)
    with store.lock():
        pass


def test_a_folder_that_is_missing_is_told_before_anything_is_called(tmp_path: Path) -> None:
    """The account is not used for a URL that could not be kept."""
    minting = Minting(url())
    with pytest.raises(InputError, match="there is no folder"):
        refresh(UrlStore(tmp_path / "no" / "url.json"), minting)
    assert minting.calls == 0


def test_the_usual_clock_is_this_machines(store: UrlStore) -> None:
    """Without an injected clock, what was issued just now is not due."""
    now = datetime.now(UTC)
    assert refresh(store, Minting(url(issued_at=now))).renewed
    assert not refresh(store, Minting(url("new"))).renewed


def test_a_hundred_failing_runs_call_a_hundred_times(store: UrlStore) -> None:
    """Each run mints at most once, whatever happened in the runs before, and the old URL is still there."""
    store.save(url())
    minting = Minting(RemoteUnavailableError("no answer"))
    for _ in range(100):
        with pytest.raises(TemporaryError, match="^no answer;"):
            refresh(store, minting, now=lambda: T0 + 5 * HOUR)
    assert minting.calls == 100
    assert store.load() == url()
