"""Reads content keys from a private file of KID:KEY lines."""

from __future__ import annotations

import re
from pathlib import Path

from drmkit.errors import InputError
from drmkit.identifiers import KeyId
from drmkit.secret import Secret

__all__ = ["read_keys"]

_KEY_LINE = re.compile(rb"([0-9A-Fa-f]{8}(?:-?[0-9A-Fa-f]{4}){3}-?[0-9A-Fa-f]{12}):([0-9A-Fa-f]{32})")


def read_keys(path: Path | None) -> dict[KeyId, Secret[bytes]]:
    """Return the keys of a file by key ID; none without a file.

    Args:
        path: a file that only its owner can read: lines of KID:KEY in hexadecimal, the key ID with or without dashes.

    Raises:
        ConfigurationError: the file is missing, unreadable, or open to others.
        InputError: a line is something else; the message says nothing of it.
    """
    if path is None:
        return {}
    from drmkit.keys.seedfile import read_private  # noqa: PLC0415 (help needs no files)

    found = {}
    for number, line in enumerate(read_private(path, "the key file").reveal().split(), start=1):
        match = _KEY_LINE.fullmatch(line)
        if match is None:
            raise InputError(
                f"the key file {path}, entry {number} is not KID:KEY in hexadecimal",
                hint="32 digits, a colon, 32 digits; one pair a line",
            )
        kid, key = (bytes.fromhex(part.decode("ascii").replace("-", "")) for part in match.groups())
        found[KeyId(kid)] = Secret(key)
    return found
