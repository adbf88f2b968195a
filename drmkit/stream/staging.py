"""Working folders: inputs under safe names, outputs that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from drmkit.errors import InputError, StoreError

__all__ = ["check_new", "private_folder", "spill", "staged_inputs", "staged_output"]

_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}")


@contextlib.contextmanager
def staged_inputs(paths: Sequence[Path]) -> Iterator[tuple[Path, list[str]]]:
    """Yield a folder that links to the files under names without special characters, and those names in order.

    Stream descriptors of Shaka Packager split at commas and equal signs, ffmpeg reads a colon as a protocol, and its
    scripts end a line at a line feed: with a link, a file may be called anything.

    Raises:
        InputError: a file does not exist or is not a regular file.
        StoreError: there is no temporary folder to be had.
    """
    with private_folder() as folder:
        names = [_link(folder, number, path) for number, path in enumerate(paths)]
        yield folder, names


@contextlib.contextmanager
def private_folder(parent: Path | None = None) -> Iterator[Path]:
    """Yield a temporary folder that nobody else can look into; it is gone when the block ends.

    Args:
        parent: where to make it; by default the system's place for such folders (TMPDIR).

    Raises:
        StoreError: it cannot be made.
    """
    try:
        made = tempfile.TemporaryDirectory(prefix="drmkit-", dir=parent, ignore_cleanup_errors=True)
    except OSError as error:
        raise StoreError(
            f"no temporary folder can be made ({error.strerror})", hint="name a folder that you can write to in TMPDIR"
        ) from None
    with made as name:
        yield Path(name)


def spill(path: Path, data: bytes) -> None:
    """Write bytes to a file of a `private_folder`.

    Raises:
        StoreError: there is no room for them.
    """
    try:
        path.write_bytes(data)
    except OSError as error:
        raise StoreError(
            f"{path.parent.parent} cannot hold temporary files ({error.strerror})",
            hint="make room there, or name another folder in TMPDIR",
        ) from None


def _link(folder: Path, number: int, path: Path) -> str:
    if not path.is_file():
        raise InputError(f"{path} is not a file" if path.exists() else f"{path} does not exist")
    suffix = path.suffix if _SUFFIX.fullmatch(path.suffix) else ""
    name = f"{number}{suffix}"
    (folder / name).symlink_to(path.absolute())
    return name


def check_new(folder: Path) -> None:
    """Refuse a folder that `staged_output` would refuse, without making it.

    Raises:
        InputError: it holds something already, or is no folder.
        StoreError: it cannot be made.
    """
    try:
        _check_empty(folder)
        parent = next(path for path in folder.absolute().parents if path.exists())
    except OSError as error:
        raise StoreError(f"{folder} cannot be written ({error.strerror})") from None
    if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        reason = "Permission denied" if parent.is_dir() else f"{parent} is no folder"
        raise StoreError(f"{folder} cannot be written ({reason})", hint="name another folder for the output")


def _check_empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} exists and is not an empty folder", hint="name a new folder for the output")


@contextlib.contextmanager
def staged_output(folder: Path) -> Iterator[Path]:
    """Yield a hidden folder beside `folder` that takes its place when the block ends without an exception.

    Args:
        folder: a folder that does not exist yet, or is empty; its parent folders are made.

    Raises:
        InputError: `folder` holds something already, or is no folder.
        StoreError: the folder cannot be written.
    """
    _check_empty(folder)
    made: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.absolute().parent))
        yield made
        _open_up(made)
        made.replace(folder)
    except OSError as error:
        raise StoreError(f"{folder} cannot be written ({error.strerror})") from None
    finally:
        if made:
            shutil.rmtree(made, ignore_errors=True)


def _open_up(folder: Path) -> None:
    """Give a private temporary folder the permissions that a new folder has."""
    probe = folder / ".permissions"
    probe.mkdir()
    mode = probe.stat().st_mode & 0o777
    probe.rmdir()
    folder.chmod(mode)
