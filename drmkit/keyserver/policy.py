"""When a stored URL is due: a share of its lifetime or an age, a little earlier by a jitter that is always the same."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from drmkit.errors import ConfigurationError
from drmkit.keyserver.url import KeyServerUrl

__all__ = ["RenewalPolicy"]


@dataclass(frozen=True, slots=True)
class RenewalPolicy:
    """When a URL is due for renewal.

    Attributes:
        renew_after: the age at which it is due whatever its lifetime, or None.
        share: the share of a stated lifetime after which it is due, above 0 and below 1.
        lifetime: how long a ticket lives, for stored URLs that do not tell: the bare URL form never does.
        jitter: how much earlier it may be due, as a share of the lifetime or age; below `share`.
        seed: names the job: what part of the jitter applies follows from it, the same in every run.
        margin: it is due this long before a known end at the latest.

    Raises:
        ConfigurationError: an age or lifetime that is not above zero, a share out of its range, or a margin as long
            as the lifetime.
    """

    renew_after: timedelta | None = None
    share: float = 2 / 3
    lifetime: timedelta | None = None
    jitter: float = 0.0
    seed: str = ""
    margin: timedelta = timedelta(0)

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise ConfigurationError(f"share = {self.share:g} is not above 0 and below 1")
        if not 0 <= self.jitter < self.share:
            raise ConfigurationError(
                f"jitter = {self.jitter:g} is not from 0 to below {self.share:.3g}, the share of the lifetime",
                hint="a tenth spreads the load well",
            )
        for name in ("renew_after", "lifetime"):
            age = getattr(self, name)
            if age is not None and age <= timedelta(0):
                raise ConfigurationError(f"{name} is not above zero", hint="state a length of time such as 6h")
        if self.margin < timedelta(0) or (self.lifetime is not None and self.margin >= self.lifetime):
            raise ConfigurationError(
                "margin is not shorter than ticket_lifetime: a new URL would be due at once",
                hint="state a margin of a few runs, such as 30m",
            )

    def known(self, url: KeyServerUrl) -> KeyServerUrl:
        """Return a URL with the end that the lifetime gives it, where it tells none itself."""
        if url.expires_at is not None or self.lifetime is None:
            return url
        return replace(url, expires_at=url.issued_at + self.lifetime)

    def due_at(self, url: KeyServerUrl) -> datetime | None:
        """Return when a URL is due; None where neither an age nor a lifetime is known: then it always is."""
        url = self.known(url)
        early = self.jitter * _fraction(self.seed) if self.jitter else 0.0
        moments = []
        if self.renew_after is not None:
            moments.append(url.issued_at + self.renew_after * (1 - early))
        if url.expires_at is not None:
            moments.append(url.issued_at + (url.expires_at - url.issued_at) * (self.share - early))
            if self.margin:
                moments.append(max(url.issued_at, url.expires_at - self.margin))
        return min(moments, default=None)

    def is_due(self, url: KeyServerUrl | None, now: datetime) -> bool:
        """Tell whether there is anything to do: no URL, one that is due, or one that claims to be from the future."""
        if url is None or url.issued_at > now:
            return True
        moment = self.due_at(url)
        return moment is None or now >= moment


def _fraction(seed: str) -> float:
    """Return a number from 0 to below 1 that only this seed has."""
    return int.from_bytes(hashlib.blake2b(seed.encode("utf-8", "surrogatepass"), digest_size=8).digest()) / 2**64
