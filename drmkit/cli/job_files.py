"""Reads job files for `drmkit job`, with the secrets that they name."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from drmkit.mps.jobfile import AnyJob

__all__ = ["STDIN", "file_argument", "read"]

STDIN = "-"
_LARGEST = 10 * 1024 * 1024

file_argument = click.argument("file", metavar="FILE|-")


def read(name: str) -> tuple[AnyJob, Path]:
    """Return a job, its secrets still in their files, and the folder that their paths start from.

    Args:
        name: the job file, or `-` for standard input.

    Raises:
        JobError: it cannot be read, or is neither JSON nor TOML.
    """
    from drmkit.mps.jobfile import parse_job, read_job  # noqa: PLC0415 (help needs no models)

    if name == STDIN:
        return parse_job(sys.stdin.buffer.read(_LARGEST + 1), name="standard input"), Path()
    path = Path(name).expanduser()
    return read_job(path), path.parent
