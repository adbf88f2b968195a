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
        """The role that shows the fault: `cas`, `keyserver`, `speke` or `mps`."""
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
        ("speke-unavailable", "503 with an HTML page"),
        ("speke-html", "200 with an HTML page instead of a document"),
        ("speke-json-error", "200 with a JSON error instead of a document"),
        ("speke-truncated", "the document breaks off in the middle"),
        ("speke-content-type", "documents come as text/html"),
        ("speke-version-header-missing", "X-Speke-Version is not echoed"),
        ("speke-version-header-changed", "X-Speke-Version comes back as 9.9"),
        ("speke-no-user-agent", "X-Speke-User-Agent is missing"),
        ("speke-unchecked", "requests that break the contract are answered all the same"),
        ("speke-any-version", "an unknown X-Speke-Version is answered like 2.0"),
        ("speke-errors-as-200", "refusals come with status 200"),
        ("speke-error-text", "refusals do not say the prescribed text"),
        ("speke-strict-parts", "as many filters as parts are demanded of AWS's own presets too"),
        ("speke-random-keys", "the same request gets other keys each time"),
        ("speke-case-sensitive-kid", "upper and lower case of a key ID get different keys"),
        ("speke-order-dependent-keys", "keys depend on the place of a key in the list"),
        ("speke-same-key", "all key IDs get one key"),
        ("speke-kid-as-key", "every content key is its own key ID"),
        ("speke-zero-key", "every content key is 16 zero bytes"),
        ("speke-short-key", "every content key has 8 bytes"),
        ("speke-key-as-iv", "the IV is the content key"),
        ("speke-key-missing", "the last content key has no value"),
        ("speke-content-id-changed", "contentId comes back in capital letters"),
        ("speke-cpix-version-changed", "CPIX@version comes back as 2.0"),
        ("speke-scheme-changed", "commonEncryptionScheme comes back as another one"),
        ("speke-id-added", "a CPIX@id is added"),
        ("speke-rule-changed", "a filter of the first usage rule loses its bounds, or gets one"),
        ("speke-rule-dropped", "the last usage rule is missing"),
        ("speke-periods-dropped", "the key periods are missing"),
        ("speke-period-times-changed", "the times of key periods are an hour off"),
        ("speke-system-dropped", "the last DRM system is missing"),
        ("speke-element-dropped", "the key tags for master playlists are missing"),
        ("speke-name-dropped", "attributes that the provider does not know are missing"),
        ("speke-left-empty", "the first empty place stays empty"),
        ("speke-extra-key", "a key is there that nobody asked for"),
        ("speke-kid-half-renamed", "a key has a new ID in the key list alone"),
        ("speke-kid-in-pssh", "PSSH boxes name other key IDs"),
        ("speke-guid-order", "PlayReady's key ID is in network byte order"),
        ("speke-checksum", "PlayReady's CHECKSUM is that of another key"),
        ("speke-pssh-differs", "PSSH and ContentProtectionData hold different boxes"),
        ("speke-hls-differs", "the key tags for media and master playlists differ"),
        ("speke-hls-keyformat", "HLS key tags have the KEYFORMAT identity"),
        ("speke-not-base64", "HLS key tags are plain text instead of base64"),
        ("speke-not-encrypted", "recipients in the request are ignored"),
        ("speke-wrong-mac", "the MACs of encrypted keys do not fit"),
        ("speke-other-recipient", "keys are encrypted under a document key that the recipient does not get"),
        ("speke-mac-missing", "encrypted keys have no MAC"),
        ("mps-signature-ignored", "a wrong signature is taken for a right one"),
        ("mps-signature-refused", "a right signature is taken for a wrong one"),
        ("mps-clock-ahead", "the API's clock is an hour ahead, also in its Date header"),
        ("mps-rate-limited", "RequestLimitExceeded"),
        ("mps-internal-error", "InternalError before anything happened"),
        ("mps-answer-lost", "the task is created, and the answer is InternalError"),
        ("mps-html", "502 with an HTML page"),
        ("mps-task-fails", "every subtask fails with InternalError"),
        ("mps-task-stuck", "a task is never taken from the queue"),
        ("mps-callback-lost", "a callback is not sent"),
        ("mps-callback-repeated", "a callback is sent twice"),
        ("mps-callback-unsigned", "a callback has neither Timestamp nor Sign"),
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
