"""The atomic file that holds a key-server URL: read it, replace it whole, never tear it."""

from __future__ import annotations

import errno
import json
import os
import shlex
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, cast, get_args
from urllib.parse import unquote

from drmkit.errors import ConfigurationError, InputError
from drmkit.keyserver.files import clean_up, exclusive, resolved, write_atomically, write_errors
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
        with write_errors(self.path.parent):
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)

    def check_folder(self) -> None:
        """Check that the file can be replaced, so that no account is used for a URL that cannot be kept.

        Raises:
            ConfigurationError: the folder may not be written.
            InputError: the folder does not exist, or the path is no regular file.
        """
        target = resolved(self.path)
        with write_errors(target):
            if not os.access(target.parent, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

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
        target = resolved(self.path)
        bad = target.with_name(target.name + ".bad")
        with write_errors(bad):
            content = target.read_bytes()
        write_atomically(bad, content)
        return bad

    def clean_up(self) -> list[Path]:
        """Remove the temporary files that killed runs have left, and return them."""
        return clean_up(self.path)

    @contextmanager
    def lock(self, *, wait: float = 0.0) -> Iterator[None]:
        """Hold this file's lock, or fail at once; it dies with its process, and its file stays.

        Args:
            wait: seconds to wait for another holder.

        Raises:
            LockHeldError: another run holds it.
            ConfigurationError: the lock file may not be written, or the file system has no locks.
            InputError: the folder does not exist, or the path is no regular file.
        """
        with exclusive(self.path, wait=wait):
            yield


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
    newer = False
    # The error is raised outside the handler: the exceptions of the decoders hold the content.
    with suppress(ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        text = raw.decode("utf-8").strip()
        fields = _fields(text)
        newer = fields.get("schema_version", _SCHEMA_VERSION) > _SCHEMA_VERSION
        if newer:
            raise ValueError("a form that this version does not know")
        service, ticket, query = _split(fields["url"])
        issued, expires = fields.get("issued_at"), fields.get("expires_at")
        return KeyServerUrl(
            service,
            ticket,
            _parse_moment(issued) if issued else changed,
            _parse_moment(expires) if expires else None,
            query,
        )
    if newer:
        raise InputError(
            f"{where} was written by a newer drmkit",
            hint="update drmkit; or run `drmkit key-url refresh` to write a new one",
        )
    raise InputError(
        f"{where} holds no key-server URL that can be read", hint="run `drmkit key-url refresh` to write a new one"
    )


def _open_without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


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
