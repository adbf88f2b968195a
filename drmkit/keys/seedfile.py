"""Reads seeds from private files: base64 text, or what the caller says it is."""

from __future__ import annotations

import base64
import binascii
import os
from pathlib import Path
from typing import Literal

from drmkit.errors import ConfigurationError, InputError, StoreError
from drmkit.passwords import check_private
from drmkit.secret import Secret

__all__ = ["ENCODINGS", "Encoding", "decode_seed", "read_private", "read_seed", "write_seed"]

Encoding = Literal["base64", "hex", "raw", "text"]
ENCODINGS = ("base64", "hex", "raw", "text")
_LARGEST = 64 * 1024
_SPACE = b" \t\r\n"


def read_seed(path: Path, encoding: Encoding = "base64") -> Secret[bytes]:
    """Read a seed from a file that only its owner can read or write.

    Args:
        path: the file, `~` expanded.
        encoding: how the file holds the seed; see `decode_seed`.

    Returns:
        The seed's bytes. Whether they suit an algorithm is for `quality.check_seed` to say.

    Raises:
        ConfigurationError: the file is missing, unreadable, open to others, or in another encoding.
    """
    content = read_private(path, "the seed file")
    return decode_seed(content.reveal(), encoding, f"the seed file {path}")


def read_private(path: Path, what: str) -> Secret[bytes]:
    """Read a file that only its owner can read or write.

    Args:
        path: the file, `~` expanded.
        what: what it is, for the message.

    Raises:
        ConfigurationError: the file is missing, unreadable, larger than 64 KiB, or open to others.
    """
    file = path.expanduser()
    try:
        with file.open("rb") as stream:
            check_private(stream.fileno(), f"{what} {file}")
            content = stream.read(_LARGEST + 1)
    except OSError as error:
        raise ConfigurationError(
            f"{what} {file} cannot be read ({error.strerror})", hint="check the path and its permissions"
        ) from None
    if len(content) > _LARGEST:
        raise ConfigurationError(f"{what} {file} is larger than {_LARGEST} bytes", hint="is it another file?")
    return Secret(content)


def decode_seed(content: bytes, encoding: Encoding, what: str = "the seed") -> Secret[bytes]:
    """Decode a seed.

    Args:
        content: what the file holds.
        encoding: `base64` (standard alphabet) and `hex`, both with white space around and between ignored; `text`,
            whose bytes are the seed but for one line break at the end; `raw`, every byte as it is.
        what: what is decoded, for the message.

    Raises:
        ConfigurationError: the content is in another encoding; the message says nothing of it.
    """
    if encoding == "raw":
        return Secret(content)
    if encoding == "text":
        return Secret(content.removesuffix(b"\n").removesuffix(b"\r"))
    packed = content.translate(None, _SPACE)
    try:
        raw = base64.b64decode(packed, validate=True) if encoding == "base64" else binascii.unhexlify(packed)
    except (binascii.Error, ValueError):
        raise ConfigurationError(
            f"{what} is not {encoding}", hint=f"--seed-encoding says how it is written: {', '.join(ENCODINGS)}"
        ) from None
    return Secret(raw)


def write_seed(path: Path, seed: Secret[bytes]) -> None:
    """Write a seed as base64 to a new file that only its owner can read.

    Args:
        path: the file, `~` expanded; it must not exist, since a lost seed is lost for every key derived from it.
        seed: the seed's bytes.

    Raises:
        InputError: the file exists, or its folder does not.
        StoreError: it cannot be written.
    """
    file = path.expanduser()
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(base64.b64encode(seed.reveal()) + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
    except FileExistsError:
        raise InputError(
            f"{file} exists already", hint="name a new file: a seed that is in use must not be lost"
        ) from None
    except FileNotFoundError:
        raise InputError(f"there is no folder {file.parent}", hint="create it first") from None
    except OSError as error:
        raise StoreError(
            f"the seed file {file} cannot be written ({error.strerror})", hint="name another file"
        ) from None
