"""Faults on demand: each is named, documented, counted, and comes back the same way for the same seed."""

from __future__ import annotations

import difflib
import random
import threading
from collections.abc import Iterable
from dataclasses import dataclass

from drmkit.errors import ConfigurationError

__all__ = ["FAULTS", "Fault", "FaultSetting", "Faults"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which a vendor misbehaves.

    Attributes:
        name: what it is called; it begins with the role that shows it.
        summary: what happens, for people.
    """

    name: str
    summary: str

    @property
    def role(self) -> str:
        """The role that shows the fault: `cas`, `keyserver` or `mps`."""
        return self.name.partition("-")[0]


FAULTS: dict[str, Fault] = {
    name: Fault(name, summary)
    for name, summary in (
        ("cas-login-refused", "right credentials are answered like wrong ones"),
        ("cas-unavailable", "503 with an HTML page"),
        ("cas-rate-limited", "429 with Retry-After as an HTTP date one minute ahead"),
        ("cas-location-elsewhere", "the Location of the login names another host"),
        ("cas-no-location", "the login answers 201 without a Location"),
        ("cas-login-forgotten", "the ticket-granting ticket is gone at its next use"),
        ("cas-html-ticket", "200 with an HTML page instead of a service ticket"),
        ("cas-empty-ticket", "200 with an empty body instead of a service ticket"),
        ("cas-crlf", "the service ticket ends with CR LF"),
        ("cas-early-expiry", "a service ticket is expired as soon as it is issued"),
        ("keyserver-unavailable", "503 with an HTML page"),
        ("keyserver-html", "200 with an HTML page instead of a document"),
        ("keyserver-json-error", "200 with a JSON error instead of a document"),
        ("keyserver-truncated", "the document breaks off in the middle"),
        ("keyserver-wrong-key", "every content key is another one than the key store holds"),
        ("keyserver-swapped-keys", "the content keys of two tracks change places"),
        ("keyserver-kid-as-key", "every content key is its own key ID"),
        ("keyserver-duplicate-kid", "two tracks share one key ID"),
        ("keyserver-wrong-kid", "PSSH boxes and signaling name key IDs that are not in the document"),
        ("keyserver-swapped-pssh", "the PSSH boxes of Widevine and PlayReady change places"),
        ("keyserver-no-systems", "the document holds keys and no DRM systems"),
        ("keyserver-wrong-scheme", "the document is for the other protection scheme than asked for"),
        ("mps-signature-ignored", "a wrong signature is taken for a right one"),
        ("mps-signature-refused", "a right signature is taken for a wrong one"),
        ("mps-clock-ahead", "the API's clock is an hour ahead, also in its Date header"),
        ("mps-rate-limited", "RequestLimitExceeded"),
        ("mps-internal-error", "InternalError before anything happened"),
        ("mps-answer-lost", "the task is created, and the answer is InternalError"),
        ("mps-html", "502 with an HTML page"),
        ("mps-task-fails", "every subtask fails with InternalError"),
        ("mps-task-stuck", "a task is never taken from the queue"),
    )
}


@dataclass(frozen=True, slots=True)
class FaultSetting:
    """A fault that is on.

    Attributes:
        name: one of `FAULTS`.
        times: how often it shows before it goes off by itself, None for always.
        probability: the chance that it shows where it could.
    """

    name: str
    times: int | None = None
    probability: float = 1.0

    def __post_init__(self) -> None:
        if self.name not in FAULTS:
            close = difflib.get_close_matches(self.name, FAULTS, n=1)
            raise ConfigurationError(
                f"there is no fault {self.name!r}",
                hint=f"did you mean {close[0]!r}?" if close else f"known: {', '.join(FAULTS)}",
            )
        if self.times is not None and self.times < 1:
            raise ConfigurationError(f"the fault {self.name!r} cannot show {self.times} times", hint="1 or more")
        if not 0 < self.probability <= 1:
            raise ConfigurationError(f"the fault {self.name!r} cannot have the probability {self.probability}")

    @classmethod
    def parse(cls, text: str) -> FaultSetting:
        """Read `NAME`, `NAME:TIMES` or `NAME:PERCENT%`, as a command line gives it."""
        name, colon, amount = text.partition(":")
        if not colon:
            return cls(name)
        number = amount.removesuffix("%")
        if not number.isascii() or not number.isdigit():
            raise ConfigurationError(
                f"the fault setting {text!r} does not say how often", hint="write NAME, NAME:3 or NAME:25%"
            )
        if amount.endswith("%"):
            return cls(name, probability=int(number) / 100)
        return cls(name, times=int(number))


class _Active:
    def __init__(self, setting: FaultSetting, seed: int) -> None:
        self.left = setting.times
        self.probability = setting.probability
        self.random = random.Random(f"{seed}/{setting.name}")  # noqa: S311 (chance, not secrecy: it must repeat)


class Faults:
    """The faults of one sandbox: which are on, and how often each has shown. Thread-safe.

    Each fault draws from a stream of its own, so that the order of requests to other roles changes nothing.

    Args:
        settings: the faults that are on from the start.
        seed: decides when a fault with a probability shows.
    """

    def __init__(self, settings: Iterable[FaultSetting] = (), *, seed: int = 0) -> None:
        self._lock = threading.Lock()
        self._seed = seed
        self._active: dict[str, _Active] = {}
        self._counts: dict[str, int] = {}
        for setting in settings:
            self.switch_on(setting)

    def switch_on(self, setting: FaultSetting | str) -> None:
        """Let a fault show from now on; a text is read by `FaultSetting.parse`."""
        setting = FaultSetting.parse(setting) if isinstance(setting, str) else setting
        with self._lock:
            self._active[setting.name] = _Active(setting, self._seed)

    def switch_off(self, name: str) -> None:
        """Let a fault show no more; one that is not on stays off."""
        setting = FaultSetting(name)
        with self._lock:
            self._active.pop(setting.name, None)

    def clear(self) -> None:
        """Switch every fault off; the counts stay."""
        with self._lock:
            self._active.clear()

    def hit(self, name: str) -> bool:
        """Tell a role whether the fault shows now, and count it if so."""
        with self._lock:
            active = self._active.get(name)
            if active is None or active.random.random() >= active.probability:
                return False
            if active.left is not None:
                active.left -= 1
                if not active.left:
                    del self._active[name]
            self._counts[name] = self._counts.get(name, 0) + 1
            return True

    @property
    def active(self) -> tuple[str, ...]:
        """The names of the faults that are on, in alphabetical order."""
        with self._lock:
            return tuple(sorted(self._active))

    @property
    def counts(self) -> dict[str, int]:
        """How often each fault has shown so far."""
        with self._lock:
            return dict(self._counts)
