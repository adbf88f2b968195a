"""Renewal: one run over a stored URL, in an order in which nothing that goes wrong can lose the last good one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from drmkit.errors import (
    ConfigurationError,
    CredentialsRejectedError,
    DrmkitError,
    InputError,
    RemoteError,
    RemoteUnavailableError,
    StoreError,
    TemporaryError,
)
from drmkit.keyserver.hook import Hook
from drmkit.keyserver.journal import LONGEST_WAIT, Journal, JournalFile, fingerprint
from drmkit.keyserver.policy import RenewalPolicy
from drmkit.keyserver.store import UrlStore
from drmkit.keyserver.url import KeyServerUrl
from drmkit.secret import Secret

__all__ = ["Outcome", "RenewalPolicy", "nothing_to_do", "refresh"]

_LOG = logging.getLogger(__name__)
_LAST_STRETCH = timedelta(minutes=1)
_WITH_NOTHING_VALID = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a refresh ended.

    Attributes:
        url: the URL that is stored now.
        renewed: whether it is new.
        summary: one sentence without secrets.
    """

    url: KeyServerUrl
    renewed: bool
    summary: str


def refresh(
    store: UrlStore,
    mint: Callable[[], KeyServerUrl],
    *,
    policy: RenewalPolicy | None = None,
    force: bool = False,
    service: str | None = None,
    max_age: timedelta | None = None,
    wait: float = 0.0,
    probe: Callable[[KeyServerUrl], None] | None = None,
    hook: Hook | None = None,
    credentials: Callable[[], Secret[str]] | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Outcome:
    """Renew the stored URL if it is due; whatever goes wrong, what was stored before stays as it was.

    Args:
        store: the file; what is remembered of the runs lies beside it (`NAME.state`), and so does the lock.
        mint: takes a fresh URL; called at most once, and not at all where nothing is due.
        policy: when a URL is due.
        force: renew even if it is not due, and even with credentials that were rejected before.
        service: the service that the profile names now; a stored URL for another one is due.
        max_age: a URL older than this is due whatever the policy says, and a younger one is not.
        wait: seconds to wait for another run; what it has stored, or why it failed, is then this run's result too.
        probe: looks whether the new URL works; raises where it does not.
        hook: is told of a stored URL, if necessary by a later run.
        credentials: returns what the login is made with, to know credentials that were rejected before.
        now: the clock (aware).

    Raises:
        TemporaryError: renewal failed, and the stored URL is still valid as far as is known; or the hook failed.
        RemoteError: renewal failed, and nothing valid is stored.
        ConfigurationError: the credentials or the settings were rejected.
        LockHeldError: another run is at work on this file.
        StoreError: the new URL could not be written, and nothing valid is stored.
    """
    began = now()
    if hook is not None:
        hook.check()
    with store.lock(wait=wait):
        run = _Run(store, JournalFile.beside(store.path), policy or RenewalPolicy(), service, hook, now)
        run.begin()
        stored = run.stored
        if stored is not None and not force and _is_good(run, stored, max_age):
            run.finish_hook(stored)
            return Outcome(stored, renewed=False, summary=f"not due: {stored.redacted}")
        run.check_waits(began if wait else None)
        return run.renew(mint, probe, credentials, force=force)


def nothing_to_do(
    store: UrlStore, *, policy: RenewalPolicy, service: str | None, now: datetime, hook: bool = False
) -> KeyServerUrl | None:
    """Return the stored URL if a run would leave it alone, without locking, writing or calling; else None.

    A run that would only say that the server asked to wait has nothing to do either, while the URL is valid.

    Args:
        store: the file.
        policy: when a URL is due.
        service: the service that the profile names now.
        now: the moment (aware).
        hook: whether the profile has a hook.

    Raises:
        ConfigurationError: the file may not be read.
    """
    stored, _ = _load(store, policy)
    if stored is None or (service is not None and stored.service != service):
        return None
    journal = JournalFile.beside(store.path).load()
    if policy.is_due(stored, now):
        waits = journal.waits_until(now) is not None and stored.issued_at <= now
        return stored if waits and stored.is_valid(now) else None
    return None if hook and journal.hook_pending else stored


def _is_good(run: _Run, stored: KeyServerUrl, max_age: timedelta | None) -> bool:
    now = run.now()
    if run.is_for_another(stored):
        return False
    if max_age is not None:
        return stored.is_valid(now) and timedelta(0) <= now - stored.issued_at <= max_age
    return not run.policy.is_due(stored, now)


@dataclass(slots=True)
class _Run:
    """One run, while it holds the lock."""

    store: UrlStore
    file: JournalFile
    policy: RenewalPolicy
    service: str | None
    hook: Hook | None
    now: Callable[[], datetime]
    stored: KeyServerUrl | None = None
    readable: bool = True
    known_rejected: bool = False
    journal: Journal = field(default_factory=Journal)

    def begin(self) -> None:
        for left in self.store.clean_up():
            _LOG.info("removed %s, which a killed run had left", left)
        self.journal, understood = self.file.read()
        if not understood:
            _LOG.warning("%s cannot be understood: it is set aside as .bad", self.file.path)
            self.file.set_aside()
        self.stored, self.readable = _load(self.store, self.policy)

    def is_for_another(self, stored: KeyServerUrl) -> bool:
        return self.service is not None and stored.service != self.service

    def check_waits(self, since: datetime | None) -> None:
        """Refuse to call a server that asked to wait, or one that has failed for another run in the meantime."""
        until = self.journal.waits_until(self.now())
        reason = self.journal.last_error or "no reason is known"
        if until is not None and not (self.stored is not None and self.is_for_another(self.stored)):
            seconds = (until - self.now()).total_seconds()
            raise self._judged(
                RemoteUnavailableError(
                    f"nothing was called: the server asked to wait until {until:%FT%TZ} ({reason})",
                    hint="wait; a new request before that moment would be refused",
                    retry_after=seconds,
                )
            )
        attempt, code = self.journal.last_attempt, self.journal.last_exit_code
        if since is None or attempt is None or not self.journal.failures or code == ConfigurationError.exit_code:
            return
        if since <= attempt <= self.now():
            raise self._judged(RemoteUnavailableError(f"another run has just failed: {reason}", hint="try again later"))

    def renew(
        self,
        mint: Callable[[], KeyServerUrl],
        probe: Callable[[KeyServerUrl], None] | None,
        credentials: Callable[[], Secret[str]] | None,
        *,
        force: bool,
    ) -> Outcome:
        rejected = None
        try:
            self.store.check_folder()
            if not force:
                self._check_credentials(credentials)
            self.journal = self.journal.attempted(self.now())
            self.file.save(self.journal)
            fresh = _verified(mint(), self.stored, self.now(), self.service)
            if probe is not None:
                probe(fresh)
            note = self._swap(fresh)
        except (RemoteError, StoreError, ConfigurationError) as error:
            if isinstance(error, CredentialsRejectedError) and credentials is not None:
                rejected = self.journal.rejected if self.known_rejected else fingerprint(credentials())
            judged = self._judged(error)
            wait = self._not_before(error)
            self.file.try_to_save(self.journal.failed(judged, not_before=wait, rejected=rejected))
            if judged is error:
                raise
            raise judged from error
        self.finish_hook(fresh)
        return Outcome(fresh, renewed=True, summary=f"renewed: {fresh.redacted}{note}")

    def _swap(self, fresh: KeyServerUrl) -> str:
        note = ""
        if not self.readable:
            note = f" (what was there before could not be read and is kept as {self.store.set_aside()})"
        after = self.journal.stored(self.now(), hook=self.hook is not None)
        if self.hook is not None:
            # Before the swap: a run that is killed right after it must not leave the hook untold for ever.
            self.file.save(replace(self.journal, hook_pending=True))
        self.store.save(fresh)
        self.journal = after
        self.file.try_to_save(after)
        return note

    def finish_hook(self, url: KeyServerUrl) -> None:
        """Run the hook if it has not been told of the stored URL."""
        if self.hook is None or not self.journal.hook_pending:
            return
        try:
            self.hook.run(url, self.store.path)
        except DrmkitError as error:
            self.file.try_to_save(self.journal.failed(error, not_before=None, rejected=None))
            raise
        self.journal = replace(self.journal, hook_pending=False, failures=0, last_error=None, last_exit_code=0)
        self.file.try_to_save(self.journal)

    def _check_credentials(self, credentials: Callable[[], Secret[str]] | None) -> None:
        rejected = self.journal.rejected
        if rejected is None or credentials is None:
            return
        self.known_rejected = fingerprint(credentials(), rejected) == rejected
        if self.known_rejected:
            raise CredentialsRejectedError(
                "nothing was called: these credentials were rejected before, and they have not changed",
                hint="correct the user name or password; after the account was mended on the server, use --force once",
            )

    def _judged(self, error: DrmkitError) -> DrmkitError:
        """Return a failure as what it means: temporary where the stored URL is still valid."""
        stored = self.stored
        if isinstance(error, ConfigurationError) or stored is None or self.is_for_another(stored):
            return error
        return _temporary(error, stored) if stored.is_valid(self.now()) else error

    def _not_before(self, error: DrmkitError) -> datetime | None:
        """Return when the server may be called again: what it asked for, within bounds that shrink with the URL."""
        seconds = getattr(error, "retry_after", None)
        if not seconds:
            return None
        now = self.now()
        cap = _WITH_NOTHING_VALID
        if self.stored is not None and self.stored.is_valid(now):
            end = self.stored.expires_at
            cap = LONGEST_WAIT if end is None else min(LONGEST_WAIT, max(_LAST_STRETCH, (end - now) / 2))
        return now + min(cap, timedelta(seconds=seconds))


def _load(store: UrlStore, policy: RenewalPolicy) -> tuple[KeyServerUrl | None, bool]:
    """Return what is stored, and whether it could be understood: what could not counts as missing."""
    try:
        stored = store.load()
    except InputError:
        return None, False
    return (None if stored is None else policy.known(stored)), True


def _verified(fresh: KeyServerUrl, stored: KeyServerUrl | None, now: datetime, service: str | None) -> KeyServerUrl:
    """Return the URL with its real age: a ticket that the server gives a second time is as old as it is."""
    if service is not None and fresh.service != service:
        raise RemoteError("the new URL is for another service than was asked for", hint="this should not happen")
    if stored is not None and stored.service == fresh.service:
        if stored.ticket == fresh.ticket:
            older = max(fresh.issued_at - stored.issued_at, timedelta(0))
            expires_at = None if fresh.expires_at is None else fresh.expires_at - older
            fresh = replace(fresh, issued_at=fresh.issued_at - older, expires_at=expires_at)
        elif fresh.issued_at < stored.issued_at <= now:
            raise RemoteError("the new URL is older than the stored one", hint="check this machine's clock")
    if not fresh.is_valid(now):
        raise RemoteError(
            "the new URL has already expired",
            hint="check `ticket_lifetime`, this machine's clock, and whether the server repeats one ticket",
        )
    return fresh


def _temporary(error: DrmkitError, stored: KeyServerUrl) -> TemporaryError:
    until = (
        "its lifetime is not known" if stored.expires_at is None else f"it is valid until {stored.expires_at:%FT%TZ}"
    )
    kept = TemporaryError(
        f"{error.message}; the URL of {stored.issued_at:%FT%TZ} is kept ({until})",
        hint=error.hint,
        retry_after=getattr(error, "retry_after", None),
    )
    for note in getattr(error, "__notes__", []):
        kept.add_note(note)
    return kept
