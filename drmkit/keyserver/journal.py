"""What renewal remembers of its runs: failures in a row, the last error, when not to call before, what was rejected."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from drmkit.errors import ConfigurationError, DrmkitError, InputError, StoreError
from drmkit.keyserver.files import write_atomically
from drmkit.secret import Secret

__all__ = ["LONGEST_WAIT", "Journal", "JournalFile", "fingerprint"]

LONGEST_WAIT = timedelta(hours=6)
"""The longest wait that a server's Retry-After can impose on later runs."""

_SCHEMA_VERSION = 1
_LARGEST = 64 * 1024
_SCRYPT = {"n": 2**14, "r": 8, "p": 1}


@dataclass(frozen=True, slots=True)
class Journal:
    """What is known of the runs of one profile; no secret is among it.

    Attributes:
        last_attempt: when the last run that called a server began.
        last_success: when the last URL was stored.
        failures: runs that failed since then.
        last_error: the message of the last failure; None since a success.
        last_exit_code: its exit code; 0 since a success.
        not_before: when the server may be called again, where it asked to wait.
        rejected: a salted, slow hash of the credentials that were rejected; None where none were.
        hook_pending: whether a stored URL has not been told to the hook.
        renewals: URLs that were stored in all.
    """

    last_attempt: datetime | None = None
    last_success: datetime | None = None
    failures: int = 0
    last_error: str | None = None
    last_exit_code: int = 0
    not_before: datetime | None = None
    rejected: str | None = None
    hook_pending: bool = False
    renewals: int = 0

    def attempted(self, now: datetime) -> Journal:
        """Return the journal of a run that is about to call."""
        return replace(self, last_attempt=now)

    def stored(self, now: datetime, *, hook: bool) -> Journal:
        """Return the journal of a run that has stored a URL, or is about to."""
        return Journal(last_attempt=self.last_attempt, last_success=now, hook_pending=hook, renewals=self.renewals + 1)

    def failed(self, error: DrmkitError, *, not_before: datetime | None, rejected: str | None) -> Journal:
        """Return the journal of a run that has failed."""
        return replace(
            self,
            failures=self.failures + 1,
            last_error=error.message,
            last_exit_code=error.exit_code,
            not_before=not_before,
            rejected=rejected,
        )

    def waits_until(self, now: datetime) -> datetime | None:
        """Return when the server may be called again, or None where it may be called now.

        A moment further ahead than any that is ever recorded comes from a clock that has been put right since.
        """
        if self.not_before is None or not now < self.not_before <= now + LONGEST_WAIT:
            return None
        return self.not_before


@dataclass(frozen=True, slots=True)
class JournalFile:
    """The file beside a stored URL that holds its journal: `NAME.state`.

    Attributes:
        path: the file.
    """

    path: Path

    @classmethod
    def beside(cls, stored: Path) -> JournalFile:
        """Return the journal of a stored URL, whose links are followed."""
        with suppress(OSError, RuntimeError, ValueError):
            stored = stored.resolve()
        return cls(stored.with_name(f"{stored.name}.state"))

    def load(self) -> Journal:
        """Return what is remembered: nothing where there is no file, or where it cannot be understood."""
        return self.read()[0]

    def read(self) -> tuple[Journal, bool]:
        """Return what is remembered, and whether the file could be understood; a missing one is understood."""
        try:
            raw = self.path.read_bytes()
        except FileNotFoundError:
            return Journal(), True
        except (OSError, ValueError):
            return Journal(), False
        with suppress(ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            content = json.loads(raw[:_LARGEST])
            if content.pop("schema_version") == _SCHEMA_VERSION:
                return _parse(content), True
        return Journal(), False

    def save(self, journal: Journal) -> None:
        """Write the journal, private and whole.

        Raises:
            StoreError: the disk is full, or writing failed in another way.
            ConfigurationError: the folder may not be written.
        """
        content = {name: _plain(value) for name, value in asdict(journal).items()}
        write_atomically(
            self.path, json.dumps({"schema_version": _SCHEMA_VERSION, **content}, indent=2).encode() + b"\n"
        )

    def try_to_save(self, journal: Journal) -> None:
        """Write the journal where that is possible: a failure must not hide the one that it tells of."""
        with suppress(StoreError, ConfigurationError, InputError):
            self.save(journal)

    def set_aside(self) -> None:
        """Keep a journal that cannot be understood as `NAME.bad`."""
        with suppress(OSError):
            self.path.replace(self.path.with_name(f"{self.path.name}.bad"))


def fingerprint(credentials: Secret[str], known: str | None = None) -> str:
    """Return a salted, slow hash of credentials: equal to `known` if they are the ones that it was made of."""
    salt = bytes.fromhex(known.partition(":")[0]) if known else os.urandom(16)
    digest = hashlib.scrypt(credentials.reveal().encode("utf-8", "surrogatepass"), salt=salt, dklen=32, **_SCRYPT)
    made = f"{salt.hex()}:{digest.hex()}"
    return known if known is not None and hmac.compare_digest(made, known) else made


def _plain(value: Any) -> Any:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value


_MOMENTS = frozenset({"last_attempt", "last_success", "not_before"})


def _parse(content: Mapping[str, Any]) -> Journal:
    known = {field.name: type(field.default) for field in fields(Journal)}
    values: dict[str, Any] = {}
    for name, value in content.items():
        if name in _MOMENTS:
            values[name] = None if value is None else _moment(value)
        elif name in known:
            wanted = known[name] if known[name] is not type(None) else (str, type(None))
            if not isinstance(value, wanted):
                raise TypeError(name)
            values[name] = value
    journal = Journal(**values)
    if journal.rejected is not None:
        bytes.fromhex(journal.rejected.replace(":", ""))
    return journal


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("no time zone")
    return moment.astimezone(UTC)
