"""The atomic file that holds a key-server URL: read it, replace it whole, never tear it."""

from __future__ import annotations

import errno
import json
import os
import shlex
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, cast, get_args
from urllib.parse import unquote

import filelock

from drmkit.errors import ConfigurationError, InputError, LockHeldError, StoreError
from drmkit.keyserver.url import KeyServerUrl
from drmkit.secret import Secret

__all__ = ["Form", "UrlStore", "parse_stored", "render", "write_atomically"]

Form = Literal["json", "url", "env"]
"""How the URL is written: a JSON object, the bare URL, or `NAME=value` lines."""

_SCHEMA_VERSION = 1
_ENV_NAMES = {
    "url": "KEY_SERVER_URL",
    "service": "KEY_SERVER_URL_SERVICE",
    "issued_at": "KEY_SERVER_URL_ISSUED_AT",
    "expires_at": "KEY_SERVER_URL_EXPIRES_AT",
}
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_LARGEST = 1024 * 1024


@dataclass(frozen=True, slots=True)
class UrlStore:
    """One file with one key-server URL.

    Attributes:
        path: the file; a symbolic link is followed, and stays.
        form: how it is written; reading recognizes all forms.
        mode: the permissions of a written file.
    """

    path: Path
    form: Form = "json"
    mode: int = 0o600

    def __post_init__(self) -> None:
        if self.form not in get_args(Form):
            raise ConfigurationError(f"write = {self.form!r} is no form", hint="use json, url or env")

    def create_folder(self) -> None:
        """Create the file's folder, private, where it does not exist.

        Raises:
            ConfigurationError: the folder above may not be written.
        """
        with _write_errors(self.path.parent):
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)

    def load(self) -> KeyServerUrl | None:
        """Return what is stored, or None where there is nothing.

        Raises:
            InputError: the file holds something else, or is no regular file.
            ConfigurationError: the file may not be read.
        """
        try:
            # Without waiting: opening a FIFO would block until somebody writes to it.
            with open(self.path, "rb", opener=_open_without_waiting) as stream:
                status = os.fstat(stream.fileno())
                raw = stream.read(_LARGEST) if stat.S_ISREG(status.st_mode) else b""
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"{self.path} cannot be read ({getattr(error, 'strerror', None) or 'it is no usable path'})",
                hint="give this user read access, or name another file with --output",
            ) from None
        return parse_stored(raw, where=str(self.path), changed=datetime.fromtimestamp(status.st_mtime, UTC))

    def save(self, url: KeyServerUrl) -> None:
        """Replace the file with this URL, as a whole or not at all.

        Raises:
            StoreError: the disk is full, or writing failed in another way; the old file is untouched.
            ConfigurationError: the folder may not be written.
        """
        # The bare URL has no other place for its age; parse_stored() reads it there.
        modified = url.issued_at.timestamp() if self.form == "url" else None
        write_atomically(self.path, render(url, self.form).encode(), mode=self.mode, modified=modified)

    def set_aside(self) -> Path:
        """Copy a file that cannot be used to `NAME.bad`, so that it outlives its replacement, and return that path."""
        target = _target(self.path)
        bad = target.with_name(target.name + ".bad")
        with _write_errors(bad):
            content = target.read_bytes()
        write_atomically(bad, content)
        return bad

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold this file's lock, or fail at once; it dies with its process, and its file stays.

        Raises:
            LockHeldError: another run holds it.
            ConfigurationError: the lock file may not be written.
            InputError: the folder does not exist, or the path is no regular file.
        """
        target = _target(self.path)
        place = target.with_name(target.name + ".lock")
        lock = filelock.FileLock(place, timeout=0, mode=0o600)
        with _write_errors(place):
            try:
                lock.acquire()
            except filelock.Timeout:
                raise LockHeldError(
                    f"another run holds the lock {lock.lock_file}",
                    hint="wait for it to end; deleting the lock file does not help",
                ) from None
        try:
            yield
        finally:
            lock.release()


def render(url: KeyServerUrl, form: Form) -> str:
    """Return the text of a stored URL. It holds the ticket: write it to a private place only."""
    fields = as_fields(url)
    if form == "url":
        return f"{fields['url']}\n"
    if form == "env":
        stated = {_ENV_NAMES[name]: value for name, value in fields.items() if name in _ENV_NAMES and value}
        return "".join(f"{name}={shlex.quote(value)}\n" for name, value in stated.items())
    return json.dumps({"schema_version": _SCHEMA_VERSION, **fields}, indent=2) + "\n"


def as_fields(url: KeyServerUrl, *, reveal: bool = True) -> dict[str, Any]:
    """Return the fields of the JSON form: `url`, `service`, `issued_at`, `expires_at` (null where unknown)."""
    return {
        "url": url.reveal() if reveal else url.redacted,
        "service": url.service,
        "issued_at": _moment(url.issued_at),
        "expires_at": None if url.expires_at is None else _moment(url.expires_at),
    }


def parse_stored(raw: bytes, *, where: str, changed: datetime) -> KeyServerUrl:
    """Read any of the forms.

    Args:
        raw: the file's bytes.
        where: the file's name, for errors.
        changed: when the file was last written: the time of issue of the bare URL form, which states none.

    Raises:
        InputError: it is none of the forms. The message holds nothing of the content.
    """
    # The error is raised outside the handler: the exceptions of the decoders hold the content.
    with suppress(ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        text = raw.decode("utf-8").strip()
        fields = _fields(text)
        service, ticket, query = _split(fields["url"])
        issued, expires = fields.get("issued_at"), fields.get("expires_at")
        return KeyServerUrl(
            service,
            ticket,
            _parse_moment(issued) if issued else changed,
            _parse_moment(expires) if expires else None,
            query,
        )
    raise InputError(
        f"{where} holds no key-server URL that can be read", hint="run `drmkit key-url refresh` to write a new one"
    )


def write_atomically(path: Path, content: bytes, *, mode: int = 0o600, modified: float | None = None) -> None:
    """Replace a file as a whole: a private temporary file beside it, fsync, rename, fsync of the folder.

    Args:
        path: the file; a symbolic link is followed, and stays.
        content: all of its new content.
        mode: its new permissions.
        modified: the time of modification to record, in seconds since 1970; None for the real one.

    Raises:
        StoreError: the disk is full, or writing failed in another way; the old file is untouched.
        ConfigurationError: the folder may not be written.
        InputError: the folder does not exist, or the path is no regular file.
    """
    target = _target(path)
    with _write_errors(target):
        descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
                stream.flush()
                if mode != 0o600:  # noqa: PLR2004 (what mkstemp gives)
                    os.fchmod(stream.fileno(), mode)
                if modified is not None:
                    os.utime(stream.fileno(), (modified, modified))
                os.fsync(stream.fileno())
            Path(temporary).replace(target)
        except BaseException:
            with suppress(OSError):
                Path(temporary).unlink()
            raise
        _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    # The new file is in place by now: a folder that cannot be synced makes it less durable, and nothing undone.
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _open_without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


def _target(path: Path) -> Path:
    """Follow links, so that a replacement changes the file and not the link; refuse what is no regular file."""
    try:
        target = path.resolve()
        kind = target.stat().st_mode
    except FileNotFoundError:
        if not target.parent.is_dir():
            raise InputError(f"there is no folder {target.parent}", hint="create it first") from None
        return target
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no usable path"
        raise InputError(f"{path} cannot be used ({reason})", hint="name a file in a folder of your own") from None
    if not stat.S_ISREG(kind):
        raise InputError(
            f"{path} is not a regular file", hint="name a file; `drmkit key-url get` prints to standard output"
        )
    return target


@contextmanager
def _write_errors(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
            raise ConfigurationError(
                f"{target} may not be written ({error.strerror})",
                hint="give this user write access to it and its folder, or name another file with --output",
            ) from None
        hint = "free some space" if error.errno in _FULL else "what was stored before is untouched"
        raise StoreError(f"{target} could not be written ({error.strerror})", hint=hint) from None


def _fields(text: str) -> dict[str, Any]:
    if text.startswith("{"):
        return cast("dict[str, Any]", json.loads(text))
    if text.startswith(f"{_ENV_NAMES['url']}="):
        pairs = dict(item.split("=", 1) for item in shlex.split(text))
        return {field: pairs.get(name) for field, name in _ENV_NAMES.items()}
    if len(text.split()) != 1:
        raise ValueError("not one URL")
    return {"url": text}


def _split(url: str) -> tuple[str, Secret[str], tuple[tuple[str, str], ...]]:
    service, _, query = url.partition("?")
    pairs = [(unquote(name), unquote(value)) for name, _, value in (part.partition("=") for part in query.split("&"))]
    ticket = dict(pairs)["ticket"]
    if not service.startswith(("https://", "http://")) or not ticket:
        raise ValueError("not a key-server URL")
    return service, Secret(ticket), tuple(pair for pair in pairs if pair[0] != "ticket")


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _parse_moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
