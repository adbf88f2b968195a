"""What happens to stored callbacks: confirmed by MPS, backed up as JSON lines, handed to a hook; at least once each."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import msgspec

from drmkit.errors import DrmkitError, MissingExtraError, RemoteUnavailableError, StoreError
from drmkit.mps.cosmoderation import ModerationCallback
from drmkit.mps.credentials import Credentials
from drmkit.mps.faults import ApiInputError, clean_messages
from drmkit.mps.notification import Describer, Notification, confirm
from drmkit.mps.notificationstore import NotificationStore, StoredNotification
from drmkit.mps.task import Verdict

__all__ = ["Backup", "CosBackup", "FolderBackup", "Follower", "backup_line"]

_LOG = logging.getLogger(__name__)


class Backup(Protocol):
    """Where messages are backed up to."""

    def write(self, stored: StoredNotification, line: bytes) -> None:
        """Keep one line of JSON for a message."""
        ...


class FolderBackup:
    """Append each message to a file of its day (UTC), `2026-01-31.jsonl`, private to its user.

    Args:
        folder: the folder; it is made where it does not exist.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, stored: StoredNotification, line: bytes) -> None:
        """Append the line, and return when it is on the disk.

        Raises:
            StoreError: it could not be written.
        """
        day = datetime.fromtimestamp(stored.received, UTC).strftime("%Y-%m-%d")
        path = self._folder / f"{day}.jsonl"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            number = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with open(number, "ab") as file:  # noqa: PTH123 (the descriptor was opened with its mode)
                file.write(line + b"\n")
                file.flush()
                os.fsync(number)
        except OSError as error:
            raise StoreError(f"the backup {path} could not be written: {error.strerror}") from None


class CosBackup:
    """Put each message into a bucket of Tencent Cloud Object Storage, as an object of its own.

    Args:
        client: a `qcloud_cos.CosS3Client`, or what behaves like one; see `connect`.
        bucket: the bucket, with its APPID.
        prefix: what object names begin with.
        errors: what the client raises when COS does not take an object.
    """

    def __init__(
        self,
        client: Any,
        bucket: str,
        prefix: str = "mps-notifications/",
        *,
        errors: tuple[type[Exception], ...] = (OSError,),
    ) -> None:
        self._client = client
        self._errors = errors
        self._bucket = bucket
        self._prefix = prefix

    @classmethod
    def connect(
        cls,
        credentials: Credentials | Callable[[], Credentials],
        *,
        region: str,
        bucket: str,
        prefix: str = "mps-notifications/",
        endpoint: str | None = None,
    ) -> CosBackup:
        """Connect with `cos-python-sdk-v5`.

        Args:
            credentials: the API key, or a function that returns the current one (temporary credentials).
            region: the bucket's region.
            bucket: the bucket, with its APPID.
            prefix: what object names begin with.
            endpoint: a domain of the bucket's own; plain http if it begins with `http://`.

        Raises:
            MissingExtraError: it is not installed.
        """
        try:
            import qcloud_cos  # type: ignore[import-not-found,import-untyped,unused-ignore]  # noqa: PLC0415 (optional)
            from qcloud_cos.cos_exception import (  # type: ignore[import-not-found,import-untyped,unused-ignore]  # noqa: PLC0415 (likewise)
                CosException,
            )
        except ImportError:
            raise MissingExtraError(
                "backing up to COS needs cos-python-sdk-v5", hint="install it: pip install 'drmkit[cos]'"
            ) from None
        scheme, _, domain = (endpoint or "").rpartition("://")

        def connected(key: Credentials) -> Any:
            config = qcloud_cos.CosConfig(
                Region=region,
                SecretId=key.secret_id,
                SecretKey=key.secret_key.reveal(),
                Token=key.token.reveal() if key.token is not None else None,
                Domain=domain or None,
                Scheme=scheme or "https",
            )
            return qcloud_cos.CosS3Client(config)

        current = credentials if callable(credentials) else lambda: credentials
        return cls(_Renewed(current, connected), bucket, prefix, errors=(CosException, OSError))

    def write(self, stored: StoredNotification, line: bytes) -> None:
        """Put the line; a repetition replaces the same object.

        Raises:
            RemoteUnavailableError: COS did not take it.
        """
        moment = datetime.fromtimestamp(stored.received, UTC)
        name = f"{self._prefix}{moment:%Y/%m/%d}/{int(stored.received * 1000)}-{stored.number}.jsonl"
        try:
            self._client.put_object(Bucket=self._bucket, Key=name, Body=line + b"\n")
        except self._errors as error:
            raise RemoteUnavailableError(f"COS did not take {name} ({type(error).__name__})") from None


class _Renewed:
    """A COS client that is made anew when temporary credentials have been renewed."""

    def __init__(self, current: Callable[[], Credentials], connected: Callable[[Credentials], Any]) -> None:
        self._current = current
        self._connected = connected
        self._known: tuple[Credentials, Any] | None = None

    def put_object(self, **values: Any) -> None:
        """Put an object with the current credentials."""
        credentials = self._current()
        if self._known is None or self._known[0] is not credentials:
            self._known = (credentials, self._connected(credentials))
        self._known[1].put_object(**values)


def backup_line(
    stored: StoredNotification, message: Notification | ModerationCallback, verdict: Verdict | None
) -> bytes:
    """Return one line of JSON for a message, its secrets masked, with the confirmed state of its task."""
    return msgspec.json.encode(
        {
            "schema_version": 1,
            "number": stored.number,
            "received": datetime.fromtimestamp(stored.received, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "event": stored.event,
            "task_id": stored.task_id,
            "state": verdict.state if verdict is not None else None,
            "message": clean_messages(
                message.raw if isinstance(message, ModerationCallback) else message.to_builtins()
            ),
        }
    )


Hook = Callable[[Any, Verdict | None], None]
"""Is told each message with the confirmed verdict over its task (None where there is none to confirm).

The message is a `Notification`, or a `ModerationCallback` where the receiver takes those of COS.

One that raises a DrmkitError is told the message again later.
"""


class Follower:
    """Deal with stored callbacks in order; one that fails is tried again later and does not hold up the others.

    A crash between a step and its note repeats the step: hooks are called at least once.

    Args:
        store: the durable queue.
        client: confirms what callbacks claim; None leaves that out.
        backup: where to back up to.
        hook: is told each message.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        store: NotificationStore,
        *,
        client: Describer | None = None,
        backup: Backup | None = None,
        hook: Hook | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._client = client
        self._backup = backup
        self._hook = hook
        self._clock = clock
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._last = 0

    def notice(self) -> None:
        """Tell that there is something new."""
        self._wake.set()

    def stop(self) -> None:
        """End `run` after the message at hand."""
        self._stopped.set()
        self._wake.set()

    def run(self, *, pause: float = 30.0) -> None:
        """Deal with messages until `stop`: with new ones at once, with those that failed after a pause.

        Args:
            pause: seconds after which failed messages are tried again.
        """
        again = 0.0
        while not self._stopped.is_set():
            self._wake.clear()
            now = time.monotonic()
            start = self._last
            if now >= again:
                start, again = 0, now + pause
            try:
                self.drain(after=start)
            except StoreError as error:
                _LOG.warning("the queue cannot be used now: %s", error.message)
            self._wake.wait(pause)

    def drain(self, *, after: int = 0) -> int:
        """Deal with pending messages once, and return how many were dealt with.

        Args:
            after: only with those that have a greater number.
        """
        done, last = 0, after
        while batch := self._store.pending(after=last):
            for stored in batch:
                if self._stopped.is_set():
                    return done
                last = stored.number
                done += self._deal(stored)
                self._last = max(self._last, last)
        return done

    def _deal(self, stored: StoredNotification) -> bool:
        try:
            note = self._hand_on(stored, stored.message())
        except DrmkitError as error:
            _LOG.warning("notification %d will be tried again: %s", stored.number, error.message)
            self._store.fail(stored.number, error.message)
            return False
        self._store.finish(stored.number, note, now=self._clock())
        return True

    def _hand_on(self, stored: StoredNotification, message: Notification | ModerationCallback) -> str:
        """Confirm, back up and tell the hook; return how it ended.

        What MPS refuses to confirm (there is no such task) is backed up, but no hook acts on it: it may be forged.
        """
        verdict, refusal = None, ""
        try:
            verdict = self._confirmed(message)
        except ApiInputError as error:
            refusal = f"not confirmed: {error.message}"
            _LOG.warning("notification %d is %s", stored.number, refusal)
        if self._backup is not None:
            self._backup.write(stored, backup_line(stored, message, verdict))
        if self._hook is not None and not refusal:
            self._hook(message, verdict)
        return refusal or (verdict.state if verdict is not None else "")

    def _confirmed(self, message: Notification | ModerationCallback) -> Verdict | None:
        """Return what MPS says; it knows nothing of COS's jobs, and does not tell of live streams."""
        if isinstance(message, ModerationCallback) or self._client is None or message.live or not message.task_id:
            return None
        return confirm(message, self._client).verdict
