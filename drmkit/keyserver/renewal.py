"""Renewal: decide whether a stored URL is due, and run one refresh of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from drmkit.errors import ConfigurationError, DrmkitError, InputError, RemoteError, StoreError, TemporaryError
from drmkit.keyserver.store import UrlStore
from drmkit.keyserver.url import KeyServerUrl

__all__ = ["Outcome", "RenewalPolicy", "refresh"]


@dataclass(frozen=True, slots=True)
class RenewalPolicy:
    """When a URL is due for renewal.

    Attributes:
        renew_after: the age at which it is due whatever its lifetime, or None.
        share: the share of a stated lifetime after which it is due, above 0 and below 1.
        lifetime: how long a ticket lives, for stored URLs that do not tell: the bare URL form never does.

    Raises:
        ConfigurationError: an age or lifetime that is not above zero, or a share out of its range.
    """

    renew_after: timedelta | None = None
    share: float = 2 / 3
    lifetime: timedelta | None = None

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise ConfigurationError(f"share = {self.share:g} is not above 0 and below 1")
        for name in ("renew_after", "lifetime"):
            age = getattr(self, name)
            if age is not None and age <= timedelta(0):
                raise ConfigurationError(f"{name} is not above zero", hint="state a length of time such as 6h")

    def known(self, url: KeyServerUrl) -> KeyServerUrl:
        """Return a URL with the end that the lifetime gives it, where it tells none itself."""
        if url.expires_at is not None or self.lifetime is None:
            return url
        return replace(url, expires_at=url.issued_at + self.lifetime)

    def due_at(self, url: KeyServerUrl) -> datetime | None:
        """Return when a URL is due; None where neither an age nor a lifetime is known: then it always is."""
        url = self.known(url)
        moments = []
        if self.renew_after is not None:
            moments.append(url.issued_at + self.renew_after)
        if url.expires_at is not None:
            moments.append(url.issued_at + (url.expires_at - url.issued_at) * self.share)
        return min(moments, default=None)

    def is_due(self, url: KeyServerUrl | None, now: datetime) -> bool:
        """Tell whether there is anything to do: no URL, one that is due, or one that claims to be from the future."""
        if url is None or url.issued_at > now:
            return True
        moment = self.due_at(url)
        return moment is None or now >= moment


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
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Outcome:
    """Renew the stored URL if it is due; whatever goes wrong, what was stored before stays as it was.

    Args:
        store: the file.
        mint: takes a fresh URL; called at most once, and not at all where nothing is due.
        policy: when a URL is due.
        force: renew even if it is not due.
        service: the service that the profile names now; a stored URL for another one is due.
        now: the clock (aware).

    Raises:
        TemporaryError: renewal failed, and the stored URL is still valid as far as is known.
        RemoteError: renewal failed, and nothing valid is stored.
        ConfigurationError: the credentials or the settings were rejected.
        LockHeldError: another run is at work on this file.
        StoreError: the new URL could not be written, and nothing valid is stored.
    """
    policy = policy or RenewalPolicy()
    with store.lock():
        stored, readable = _load(store, policy)
        other = stored is not None and service is not None and stored.service != service
        if stored is not None and not force and not other and not policy.is_due(stored, now()):
            return Outcome(stored, renewed=False, summary=f"not due: {stored.redacted}")
        try:
            fresh = _verified(mint(), stored, now())
            note = "" if readable else f" (what was there before could not be read and is kept as {store.set_aside()})"
            store.save(fresh)
        except (RemoteError, StoreError) as error:
            if stored is None or other or not stored.is_valid(now()):
                raise
            raise _temporary(error, stored) from error
        return Outcome(fresh, renewed=True, summary=f"renewed: {fresh.redacted}{note}")


def _load(store: UrlStore, policy: RenewalPolicy) -> tuple[KeyServerUrl | None, bool]:
    """Return what is stored, and whether it could be understood: what could not counts as missing."""
    try:
        stored = store.load()
    except InputError:
        return None, False
    return (None if stored is None else policy.known(stored)), True


def _verified(fresh: KeyServerUrl, stored: KeyServerUrl | None, now: datetime) -> KeyServerUrl:
    """Return the URL with its real age: a ticket that the server gives a second time is as old as it is."""
    if stored is not None and (stored.service, stored.ticket) == (fresh.service, fresh.ticket):
        older = max(fresh.issued_at - stored.issued_at, timedelta(0))
        expires_at = None if fresh.expires_at is None else fresh.expires_at - older
        fresh = replace(fresh, issued_at=fresh.issued_at - older, expires_at=expires_at)
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
    return TemporaryError(f"{error.message}; the URL of {stored.issued_at:%FT%TZ} is kept ({until})", hint=error.hint)
