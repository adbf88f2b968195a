"""A durable queue of callbacks in SQLite: a message that was acknowledged survives kill -9 and power loss."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import msgspec

from drmkit.errors import StoreError
from drmkit.mps import cosmoderation
from drmkit.mps.cosmoderation import ModerationCallback
from drmkit.mps.notification import Notification, parse

__all__ = ["NotificationStore", "StoredNotification"]

_NOT_CONTENT = ("Timestamp", "Sign", "RequestId")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS notification (
    id INTEGER PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,
    received REAL NOT NULL,
    event TEXT NOT NULL,
    task_id TEXT NOT NULL,
    body BLOB NOT NULL,
    done REAL,
    tries INTEGER NOT NULL DEFAULT 0,
    note TEXT NOT NULL DEFAULT '',
    product TEXT NOT NULL DEFAULT 'mps'
);
CREATE INDEX IF NOT EXISTS notification_pending ON notification (id) WHERE done IS NULL;
"""


@dataclass(frozen=True, slots=True)
class StoredNotification:
    """A callback in the queue.

    Attributes:
        number: its number in the queue, from 1.
        received: when it was stored, in seconds since the epoch.
        event: its event type.
        task_id: its task, or the moderation job of COS; empty where it names none.
        body: the body as it came; it may hold secrets, so it is kept out of the repr.
        done: when it was dealt with; None before.
        tries: how often that was tried in vain.
        note: how it ended, or the last failure.
        product: whose callback it is: `cos`, or `mps` for those of MPS and VOD.
    """

    number: int
    received: float
    event: str
    task_id: str
    body: bytes
    done: float | None
    tries: int
    note: str
    product: str = "mps"

    def message(self) -> Notification | ModerationCallback:
        """Read the body.

        Raises:
            InputError: this version of drmkit cannot read it.
        """
        return cosmoderation.parse(self.body) if self.product == "cos" else parse(self.body)

    def __repr__(self) -> str:
        return f"StoredNotification({self.number}, {self.event!r}, {self.task_id!r}, done={self.done})"


class NotificationStore:
    """The queue. Thread-safe; the file is private to its user, since messages echo DrmInfo.

    Args:
        path: the SQLite file; it is made where it does not exist.

    Raises:
        StoreError: the file cannot be opened, or is none.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        with self._mapped("opened"):
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10)
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
                self._connection.execute("PRAGMA synchronous = FULL")
                self._connection.executescript(_SCHEMA)
                if "product" not in {row[1] for row in self._connection.execute("PRAGMA table_info(notification)")}:
                    # A queue of a drmkit that took no callbacks of COS.
                    self._connection.execute("ALTER TABLE notification ADD product TEXT NOT NULL DEFAULT 'mps'")
            except sqlite3.Error:
                self._connection.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def add(self, message: Notification | ModerationCallback, body: bytes, *, now: float) -> int | None:
        """Store a callback; when this returns, the message is on the disk.

        Args:
            message: the callback.
            body: its body as it came.
            now: seconds since the epoch.

        Returns:
            Its number, or None for a message that is already there (its moment and Sign aside).

        Raises:
            StoreError: it could not be stored, so it must not be acknowledged.
        """
        product, task = ("cos", message.job_id) if isinstance(message, ModerationCallback) else ("mps", message.task_id)
        values = (_digest(message), now, message.event, task, body, product)
        with self._lock, self._mapped("written"):
            cursor = self._connection.execute(
                "INSERT OR IGNORE INTO notification (digest, received, event, task_id, body, product)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                values,
            )
            return cursor.lastrowid if cursor.rowcount else None

    def pending(self, *, after: int = 0, limit: int = 100) -> list[StoredNotification]:
        """Return callbacks that have not been dealt with, the oldest first.

        Args:
            after: only those with a greater number.
            limit: no more than this many.
        """
        return self._select("WHERE done IS NULL AND id > ? ORDER BY id LIMIT ?", (after, limit))

    def all(self) -> list[StoredNotification]:
        """Return every callback, the oldest first."""
        return self._select("ORDER BY id", ())

    def finish(self, number: int, note: str, *, now: float) -> None:
        """Note that a callback has been dealt with, and how it ended."""
        self._update("done = ?, note = ? WHERE id = ?", (now, note, number))

    def fail(self, number: int, note: str) -> None:
        """Note that dealing with a callback failed, and why; it stays in the queue."""
        self._update("tries = tries + 1, note = ? WHERE id = ?", (note, number))

    def _select(self, rest: str, values: tuple[int, ...]) -> list[StoredNotification]:
        with self._lock, self._mapped("read"):
            rows = self._connection.execute(
                f"SELECT id, received, event, task_id, body, done, tries, note, product FROM notification {rest}",  # noqa: S608 (constants of this module)
                values,
            ).fetchall()
        return [StoredNotification(*row) for row in rows]

    def _update(self, rest: str, values: tuple[Any, ...]) -> None:
        with self._lock, self._mapped("written"):
            self._connection.execute(f"UPDATE notification SET {rest}", values)  # noqa: S608 (constants of this module)

    @contextmanager
    def _mapped(self, what: str) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise StoreError(
                f"the notification store {self._path} could not be {what}: {reason}",
                hint="check the folder's permissions and its free space",
            ) from None


def _digest(message: Notification | ModerationCallback) -> str:
    """Return what two deliveries of one message share."""
    whole = message.raw if isinstance(message, ModerationCallback) else message.to_builtins(reveal=True)
    content = {name: value for name, value in whole.items() if name not in _NOT_CONTENT}
    return hashlib.sha256(msgspec.json.encode(content, order="deterministic")).hexdigest()
