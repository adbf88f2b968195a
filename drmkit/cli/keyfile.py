"""Reads content keys from a private file of KID:KEY lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from drmkit.errors import InputError
from drmkit.identifiers import KeyId
from drmkit.secret import Secret

__all__ = ["read_keys", "read_keys_and_ivs"]

_KID = rb"([0-9A-Fa-f]{8}(?:-?[0-9A-Fa-f]{4}){3}-?[0-9A-Fa-f]{12})"
_KEY_LINE = re.compile(_KID + rb":([0-9A-Fa-f]{32})")
_IV_LINE = re.compile(_KEY_LINE.pattern + rb"(?::([0-9A-Fa-f]{32}|[0-9A-Fa-f]{16}))?")


def read_keys(path: Path | None) -> dict[KeyId, Secret[bytes]]:
    """Return the keys of a file by key ID; none without a file.

    Args:
        path: a file that only its owner can read: lines of KID:KEY in hexadecimal, the key ID with or without dashes.

    Raises:
        ConfigurationError: the file is missing, unreadable, or open to others.
        InputError: a line is something else; the message says nothing of it.
    """
    return {kid: key for kid, key, _ in _lines(path, _KEY_LINE, "KID:KEY")}


def read_keys_and_ivs(path: Path | None) -> tuple[dict[KeyId, Secret[bytes]], dict[KeyId, bytes]]:
    """Return the keys of a file, and the IVs of those lines that have one; see `read_keys`.

    Args:
        path: a file that only its owner can read: lines of KID:KEY or KID:KEY:IV in hexadecimal.
    """
    lines = list(_lines(path, _IV_LINE, "KID:KEY or KID:KEY:IV"))
    return {kid: key for kid, key, _ in lines}, {kid: iv for kid, _, iv in lines if iv}


def _lines(path: Path | None, form: re.Pattern[bytes], words: str) -> Iterator[tuple[KeyId, Secret[bytes], bytes]]:
    if path is None:
        return
    from drmkit.keys.seedfile import read_private  # noqa: PLC0415 (help needs no files)

    for number, line in enumerate(read_private(path, "the key file").reveal().split(), start=1):
        match = form.fullmatch(line)
        if match is None:
            raise InputError(
                f"the key file {path}, entry {number} is not {words} in hexadecimal",
                hint="32 digits, a colon, 32 digits; one pair a line",
            )
        kid, key, *iv = (bytes.fromhex((part or b"").decode("ascii").replace("-", "")) for part in match.groups())
        yield KeyId(kid), Secret(key), iv[0] if iv else b""
