"""Reads documents for `drmkit cpix`, and writes what may hold content keys to private files only."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from drmkit.errors import DrmkitError, InputError
from drmkit.keyserver.store import write_atomically

if TYPE_CHECKING:
    from drmkit.cpix import Document

__all__ = ["STDIN", "deliver", "file_argument", "output_option", "printable", "read_bytes", "read_document"]

STDIN = "-"
_LARGEST = 64 * 2**20

file_argument = click.argument("path", metavar="FILE|-")
output_option = click.option(
    "--output", type=click.Path(path_type=Path), help="Write to this file, which only you can read."
)


def read_bytes(path: str, *, limit: int = _LARGEST) -> bytes:
    """Read a file, or standard input for `-`; one byte more than the limit is read, so that a parser can refuse it.

    Raises:
        InputError: there is no such file, or it cannot be read.
    """
    if path == STDIN:
        return sys.stdin.buffer.read(limit + 1)
    try:
        with Path(path).expanduser().open("rb") as stream:
            return stream.read(limit + 1)
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or "it is no usable path"
        raise InputError(
            f"{printable(path)} cannot be read ({reason})", hint="check the path and its permissions"
        ) from None


def read_document(path: str) -> Document:
    """Read a CPIX document; its name stands in the error where that does not work.

    Raises:
        InputError: the file cannot be read, or holds no CPIX document.
    """
    from drmkit import cpix  # noqa: PLC0415 (help needs no parser)

    data = read_bytes(path)
    try:
        return cpix.parse(data)
    except DrmkitError as error:
        error.add_note("standard input" if path == STDIN else printable(path))
        raise


def deliver(content: bytes, output: Path | None, *, secret: bool, reveal: bool, what: str) -> None:
    """Write a result to a private file, or to standard output if it holds no secret or the secret was asked for.

    Args:
        content: the result.
        output: the file, replaced as a whole; None for standard output.
        secret: whether the result holds content keys.
        reveal: whether a person asked to see them.
        what: what the result is, for the message.

    Raises:
        click.UsageError: the result is secret, and neither a file nor `--reveal` was named.
        StoreError: the file could not be written.
    """
    if output is not None:
        write_atomically(output.expanduser(), content)
        return
    if secret and not reveal:
        raise click.UsageError(
            f"{what} holds content keys: name a private file with --output, or say --reveal to print them"
        )
    stream: Any = sys.stdout
    raw = getattr(stream, "buffer", None)
    if raw is None:
        stream.write(content.decode("utf-8"))
    else:
        stream.flush()
        raw.write(content)
    stream.flush()


def printable(text: str | Sequence[str]) -> str:
    """Return a text fit for a terminal: what could steer it (control characters, direction marks) becomes `?`."""
    return "".join(character if character.isprintable() else "?" for character in text)
