"""Profiles: named sets of faults that stand for a kind of bad day."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from drmkit.errors import ConfigurationError
from drmkit.sandbox.faults import FaultSetting

__all__ = ["PROFILES", "FaultProfile", "find_profile", "read_faults"]


@dataclass(frozen=True, slots=True)
class FaultProfile:
    """A named set of faults.

    Attributes:
        name: what it is called.
        summary: what it stands for, for people.
        settings: the faults, each as `FaultSetting.parse` reads it.
    """

    name: str
    summary: str
    settings: tuple[str, ...]

    @property
    def faults(self) -> tuple[FaultSetting, ...]:
        """The faults, ready to be switched on."""
        return tuple(FaultSetting.parse(text) for text in self.settings)


def _each(kinds: str, amount: str, roles: str = "cas keyserver speke mps") -> tuple[str, ...]:
    return tuple(f"{role}-{kind}{amount}" for role in roles.split() for kind in kinds.split())


_SERVERS = "cas keyserver speke"

PROFILES: dict[str, FaultProfile] = {
    name: FaultProfile(name, summary, settings)
    for name, summary, settings in (
        (
            "flaky",
            "now and then a call fails or a callback goes astray; another try works",
            (
                *_each("unavailable", ":10%", _SERVERS),
                *_each("dropped cut", ":5%"),
                *("mps-html:5%", "mps-internal-error:10%", "mps-rate-limited:10%"),
                *("mps-callback-lost:10%", "mps-callback-repeated:10%"),
            ),
        ),
        (
            "slow",
            "answers come late, and a third of them byte by byte",
            (*_each("slow", ""), *_each("dripping", ":33%")),
        ),
        (
            "overloaded",
            "half of all calls are turned away: 429, 503, RequestLimitExceeded",
            (
                *_each("rate-limited", ":40%"),
                *_each("unavailable", ":15%", _SERVERS),
                *_each("slow", ":20%"),
            ),
        ),
        (
            "skewed",
            "clocks disagree by an hour, and tickets end early or work once",
            (
                *("cas-clock-ahead", "keyserver-clock-ahead:50%", "mps-clock-ahead:50%"),
                *("cas-early-expiry:25%", "cas-single-use:50%"),
            ),
        ),
        (
            "garbled",
            "answers that cannot be used: HTML, JSON, cut XML, wrong content types",
            (
                *("cas-html-ticket:15%", "cas-empty-ticket:10%", "cas-crlf:25%", "cas-no-location:10%"),
                *_each("html json-error truncated content-type", ":12%", "keyserver speke"),
                *("mps-html:10%", "mps-content-type:25%"),
            ),
        ),
        (
            "hostile",
            "answers that look right and are wrong: keys, key IDs, boxes, schemes, another host to log in at",
            (
                *("cas-location-elsewhere:10%", "mps-signature-ignored"),
                *_each("wrong-key swapped-keys kid-as-key duplicate-kid", ":10%", "keyserver"),
                *_each("wrong-kid swapped-pssh no-systems wrong-scheme", ":10%", "keyserver"),
                *_each("random-keys same-key kid-as-key zero-key extra-key kid-in-pssh", ":10%", "speke"),
                *("mps-callback-unsigned:50%",),
            ),
        ),
    )
}


def find_profile(name: str) -> FaultProfile:
    """Return a profile by its name.

    Raises:
        ConfigurationError: there is none of that name; the hint names the nearest, or all.
    """
    found = PROFILES.get(name)
    if found is None:
        close = difflib.get_close_matches(name, PROFILES, n=1)
        raise ConfigurationError(
            f"there is no profile of faults {name!r}",
            hint=f"did you mean {close[0]!r}?" if close else f"known: {', '.join(PROFILES)}",
        )
    return found


def read_faults(faults: Iterable[FaultSetting | str]) -> list[FaultSetting]:
    """Return faults; a text is a profile's name or what `FaultSetting.parse` reads, and a later fault overrides.

    Raises:
        ConfigurationError: a text is neither.
    """
    found: dict[str, FaultSetting] = {}
    for fault in faults:
        if isinstance(fault, FaultSetting):
            settings: tuple[FaultSetting, ...] = (fault,)
        else:
            settings = PROFILES[fault].faults if fault in PROFILES else (FaultSetting.parse(fault),)
        found |= {setting.name: setting for setting in settings}
    return list(found.values())
