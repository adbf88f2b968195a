"""Faults on demand: each is named, documented, counted, and comes back the same way for the same seed."""

from __future__ import annotations

import difflib
import random
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from drmkit.errors import ConfigurationError
from drmkit.sandbox.faultlist import FAULTS, Fault

__all__ = ["FAULTS", "Fault", "FaultSetting", "Faults"]


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
        self.name = setting.name
        self.left = setting.times
        self.probability = setting.probability
        self.random = random.Random(f"{seed}/{setting.name}")  # noqa: S311 (chance, not secrecy: it must repeat)


class Faults:
    """The faults of one sandbox: which are on, and how often each has shown. Thread-safe.

    Each fault draws from a stream of its own, so that the order of requests to other roles changes nothing.

    Args:
        settings: the faults that are on from the start.
        seed: decides when a fault with a probability shows.
        on_hit: told the name of each fault that shows.
    """

    def __init__(
        self,
        settings: Iterable[FaultSetting] = (),
        *,
        seed: int = 0,
        on_hit: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._lock = threading.Lock()
        self._seed = seed
        self._on_hit = on_hit
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

    def reset(self, settings: Iterable[FaultSetting] = ()) -> None:
        """Begin anew: these faults alone are on, every chance is drawn from its start, and nothing was counted."""
        with self._lock:
            self._active = {setting.name: _Active(setting, self._seed) for setting in settings}
            self._counts.clear()

    @contextmanager
    def showing(self, *settings: FaultSetting | str) -> Iterator[None]:
        """Let faults show inside the block; whatever happens there, those that were on before are on again after it."""
        read = [FaultSetting.parse(item) if isinstance(item, str) else item for item in settings]
        with self._lock:
            before = dict(self._active)
            self._active |= {setting.name: _Active(setting, self._seed) for setting in read}
        try:
            yield
        finally:
            with self._lock:
                self._active = {name: active for name, active in before.items() if active.left != 0}

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
        self._on_hit(name)
        return True

    @property
    def active(self) -> tuple[str, ...]:
        """The names of the faults that are on, in alphabetical order."""
        with self._lock:
            return tuple(sorted(self._active))

    @property
    def settings(self) -> tuple[FaultSetting, ...]:
        """What is on, with the number of times that is left, in alphabetical order."""
        with self._lock:
            found = [FaultSetting(item.name, item.left, item.probability) for item in self._active.values()]
        return tuple(sorted(found, key=lambda setting: setting.name))

    @property
    def seed(self) -> int:
        """What decides when a fault with a probability shows."""
        return self._seed

    @property
    def counts(self) -> dict[str, int]:
        """How often each fault has shown so far."""
        with self._lock:
            return dict(self._counts)
