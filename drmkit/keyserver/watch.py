"""A small foreground daemon: renew when it is due, on the wall clock, so that neither drift nor suspend matters."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from drmkit.errors import ConfigurationError, DrmkitError, InputError, StoreError
from drmkit.keyserver.files import write_atomically
from drmkit.keyserver.job import RenewalJob
from drmkit.keyserver.journal import JournalFile
from drmkit.keyserver.status import look

__all__ = ["Readiness", "Watcher"]

_LONGEST_NAP = timedelta(seconds=30)
_FIRST_RETRY = timedelta(seconds=10)
_LONGEST_RETRY = timedelta(minutes=15)
_LARGEST_EXPONENT = 16

Waking = Literal["time", "reload"]


@dataclass(frozen=True, slots=True)
class Readiness:
    """A file that exists while every profile has a valid URL, touched at each look: for probes of containers.

    Attributes:
        path: the file, or None for none.
    """

    path: Path | None

    def tell(self, ready: bool, now: datetime) -> None:
        """Write or remove the file.

        Raises:
            StoreError: it cannot be written.
            ConfigurationError: its folder may not be written.
        """
        if self.path is None:
            return
        if not ready:
            with suppress(OSError):
                self.path.unlink()
            return
        try:
            os.utime(self.path, (now.timestamp(), now.timestamp()))
        except OSError:
            write_atomically(self.path, f"{now:%FT%TZ}\n".encode(), mode=0o644)


@dataclass(slots=True)
class Watcher:
    """Keeps URLs fresh until it is stopped.

    Attributes:
        load: returns the jobs; called at the start and at each reload.
        nap: waits for at most a number of seconds and returns early on a reload, telling which; raises to stop.
        report: is told of each result: a job, and its summary or error.
        readiness: the file that tells whether all is well.
        interval: how often a URL is renewed of which neither lifetime nor age is known.
        now: the clock (aware).
        uniform: a random number between its two arguments.
        after_look: is called after each look, with the jobs; for metrics.
    """

    load: Callable[[], Sequence[RenewalJob]]
    nap: Callable[[float], Waking]
    report: Callable[[RenewalJob, str | DrmkitError], None]
    readiness: Readiness = field(default_factory=lambda: Readiness(None))
    interval: timedelta = timedelta(minutes=15)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    uniform: Callable[[float, float], float] = random.uniform
    after_look: Callable[[Sequence[RenewalJob]], None] = lambda _: None
    _jobs: Sequence[RenewalJob] = ()
    _next: dict[int, datetime] = field(default_factory=dict)
    _failures: dict[int, int] = field(default_factory=dict)

    def run(self) -> None:
        """Watch until `nap` raises.

        Raises:
            ConfigurationError: at the start, the settings cannot be used; later, a reload that fails is reported, and
                the old settings stay.
        """
        self._jobs = self.load()
        self.readiness.tell(False, self.now())
        try:
            while True:
                self._look()
                if self.nap(self._seconds_to_next()) == "reload":
                    self._reload()
        finally:
            self.readiness.tell(False, self.now())

    def _look(self) -> None:
        """Run every job whose moment has come, or whose moment lies further ahead than it can: the clock was set."""
        for number, job in enumerate(self._jobs):
            moment = self._next.get(number)
            if moment is None or not self.now() < moment <= self.now() + self._longest(job):
                self._next[number] = self._run(number, job)
        self._tell_readiness()
        self.after_look(self._jobs)

    def _run(self, number: int, job: RenewalJob) -> datetime:
        """Run a job and return when to run it again."""
        try:
            outcome = job.run()
        except DrmkitError as error:
            self._failures[number] = self._failures.get(number, 0) + 1
            self.report(job, error)
            return self._after_failure(number, job, error)
        self._failures[number] = 0
        if outcome.renewed:
            self.report(job, outcome.summary)
        due = job.policy.due_at(outcome.url)
        # A server that repeats one ticket gives a URL that is due at once: that must not become a loop without a pause.
        return self.now() + self.interval if due is None else max(due, self.now() + _FIRST_RETRY)

    def _after_failure(self, number: int, job: RenewalJob, error: DrmkitError) -> datetime:
        now = self.now()
        if error.exit_code == ConfigurationError.exit_code:
            return now + _LONGEST_RETRY
        exponent = min(self._failures[number] - 1, _LARGEST_EXPONENT)
        cap = min(_LONGEST_RETRY, _FIRST_RETRY * 2**exponent)
        moment = now + timedelta(seconds=self.uniform(cap.total_seconds() / 2, cap.total_seconds()))
        waits = JournalFile.beside(job.store.path).load().waits_until(now)
        return moment if waits is None else max(moment, waits)

    def _longest(self, job: RenewalJob) -> timedelta:
        """Return how far ahead a job's next moment can lie at most."""
        policy = job.policy
        known = [length for length in (policy.renew_after, policy.lifetime) if length is not None]
        return max([*known, self.interval, timedelta(hours=6)])

    def _seconds_to_next(self) -> float:
        """Return how long to nap: never long, so that a clock that was set, or a suspend, is seen soon."""
        soonest = min(self._next.values(), default=self.now() + _LONGEST_NAP)
        nap = min(max(soonest - self.now(), timedelta(0)), _LONGEST_NAP)
        return nap.total_seconds()

    def _tell_readiness(self) -> None:
        now = self.now()
        try:
            ready = all(
                look(job.store, profile=job.profile.name, policy=job.policy, now=now).valid for job in self._jobs
            )
            self.readiness.tell(ready, now)
        except (StoreError, ConfigurationError, InputError) as error:
            for job in self._jobs[:1]:
                self.report(job, error)

    def _reload(self) -> None:
        try:
            jobs = self.load()
        except DrmkitError as error:
            for job in self._jobs[:1]:
                self.report(job, error)
            return
        self._jobs, self._next, self._failures = jobs, {}, {}
