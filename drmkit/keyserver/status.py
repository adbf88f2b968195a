"""What can be seen of a renewal: the stored URL's age and end, the next run, the failures; for people and metrics."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from drmkit.errors import InputError
from drmkit.keyserver.files import write_atomically
from drmkit.keyserver.journal import Journal, JournalFile
from drmkit.keyserver.policy import RenewalPolicy
from drmkit.keyserver.store import UrlStore, as_fields
from drmkit.keyserver.url import KeyServerUrl

__all__ = ["Status", "exposition", "look", "write_metrics"]

_PREFIX = "drmkit_key_url"
_METRICS = (
    ("stored", "Whether a URL is stored that can be read.", lambda s: s.url is not None),
    ("valid", "Whether the stored URL is valid as far as is known.", lambda s: s.valid),
    ("issued_timestamp_seconds", "When the stored URL was issued.", lambda s: _seconds(s.url and s.url.issued_at)),
    ("expires_timestamp_seconds", "When it ends, if known.", lambda s: _seconds(s.url and s.url.expires_at)),
    ("next_run_timestamp_seconds", "From when on a run renews, if known.", lambda s: _seconds(s.next_run)),
    ("last_attempt_timestamp_seconds", "When a server was last called.", lambda s: _seconds(s.journal.last_attempt)),
    ("last_success_timestamp_seconds", "When a URL was last stored.", lambda s: _seconds(s.journal.last_success)),
    ("consecutive_failures", "Failed runs since the last success.", lambda s: s.journal.failures),
    ("last_exit_code", "The exit code of the last failure, 0 since a success.", lambda s: s.journal.last_exit_code),
    ("hook_pending", "Whether the hook has not been told of the stored URL.", lambda s: s.journal.hook_pending),
    ("renewals_total", "URLs that were stored.", lambda s: s.journal.renewals),
)
_COUNTERS = frozenset({"renewals_total"})


@dataclass(frozen=True, slots=True)
class Status:
    """The state of one profile's URL at one moment.

    Attributes:
        profile: the profile's name.
        path: the file.
        now: the moment (aware).
        url: what is stored, or None.
        journal: what is remembered of the runs.
        due: whether a run would renew it.
        next_run: from when on a run renews it; None where every run does.
    """

    profile: str
    path: Path
    now: datetime
    url: KeyServerUrl | None
    journal: Journal
    due: bool
    next_run: datetime | None

    @property
    def valid(self) -> bool:
        """Whether there is a URL that has not ended, as far as is known."""
        return self.url is not None and self.url.is_valid(self.now)

    @property
    def age_seconds(self) -> int | None:
        """How old the URL is, in seconds; 0 where it claims to be from the future."""
        return None if self.url is None else max(0, int((self.now - self.url.issued_at).total_seconds()))

    def as_fields(self, *, reveal: bool = False) -> dict[str, Any]:
        """Return everything for JSON; the ticket is masked unless `reveal`."""
        nothing = dict.fromkeys(("url", "service", "issued_at", "expires_at"))
        return {
            **(nothing if self.url is None else as_fields(self.url, reveal=reveal)),
            "profile": self.profile,
            "path": str(self.path),
            "age_seconds": self.age_seconds,
            "valid": self.valid,
            "due": self.due,
            "next_run": _text(self.next_run),
            "last_attempt": _text(self.journal.last_attempt),
            "last_success": _text(self.journal.last_success),
            "last_error": self.journal.last_error,
            "last_exit_code": self.journal.last_exit_code,
            "consecutive_failures": self.journal.failures,
            "not_before": _text(self.journal.waits_until(self.now)),
            "hook_pending": self.journal.hook_pending,
            "renewals": self.journal.renewals,
        }


def look(store: UrlStore, *, profile: str, policy: RenewalPolicy, now: datetime, service: str | None = None) -> Status:
    """Return the state of a profile's URL, without locking, writing or calling.

    Raises:
        ConfigurationError: the file may not be read.
    """
    url = None
    with suppress(InputError):  # a run would set it aside and renew: nothing is stored
        url = store.load()
    if url is not None:
        url = policy.known(url)
    journal = JournalFile.beside(store.path).load()
    other = url is not None and service is not None and url.service != service
    next_run = policy.due_at(url) if url is not None and not other else None
    waits = journal.waits_until(now)
    if waits is not None:
        next_run = max(waits, next_run) if next_run is not None else waits
    return Status(profile, store.path, now, url, journal, other or policy.is_due(url, now), next_run)


def exposition(statuses: Iterable[Status]) -> str:
    """Return metrics in the text format of Prometheus, one sample for each profile; what is not known has none."""
    known = list(statuses)
    lines = []
    for name, text, value in _METRICS:
        samples = [(status.profile, value(status)) for status in known]
        lines += [
            f"# HELP {_PREFIX}_{name} {text}",
            f"# TYPE {_PREFIX}_{name} {'counter' if name in _COUNTERS else 'gauge'}",
        ]
        lines += [
            f'{_PREFIX}_{name}{{profile="{_label(profile)}"}} {number:.15g}'
            for profile, number in samples
            if number is not None
        ]
    return "\n".join(lines) + "\n"


def write_metrics(path: Path, statuses: Iterable[Status]) -> None:
    """Replace a file with metrics, readable by everybody: node_exporter runs as another user, and nothing is secret.

    Raises:
        StoreError: writing failed.
        ConfigurationError: the folder may not be written.
        InputError: the folder does not exist, or the path is no regular file.
    """
    write_atomically(path, exposition(statuses).encode(), mode=0o644)


def _label(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
