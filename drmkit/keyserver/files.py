"""Files that are replaced whole or not at all, locks that die with their process, and what a killed run leaves."""

from __future__ import annotations

import errno
import fcntl
import os
import random
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from drmkit.errors import ConfigurationError, InputError, LockHeldError, StoreError

__all__ = ["clean_up", "exclusive", "resolved", "write_atomically", "write_errors"]

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL})
_PRIVATE = 0o600
_LONGEST_HOLDER = 200


def write_atomically(path: Path, content: bytes, *, mode: int = _PRIVATE, modified: float | None = None) -> None:
    """Replace a file as a whole: a private temporary file beside it, fsync, rename, fsync of the folder.

    The temporary file is locked while it is written, so that `clean_up` can tell one in use from one left behind.

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
    target = resolved(path)
    with write_errors(target):
        temporary = target.with_name(f".{target.name}.{os.urandom(6).hex()}.tmp")
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _PRIVATE)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                with suppress(OSError):  # where there are no locks, what was left behind stays
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                stream.write(content)
                stream.flush()
                os.fchmod(descriptor, mode)
                if modified is not None:
                    os.utime(descriptor, (modified, modified))
                os.fsync(descriptor)
                temporary.replace(target)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
        _sync_folder(target.parent)


def clean_up(path: Path) -> list[Path]:
    """Remove the temporary files that killed runs have left beside a file, and return them.

    One that is being written is left alone: its writer holds its lock.
    """
    target = resolved(path)
    left: list[Path] = []
    with suppress(OSError):
        left = sorted(target.parent.glob(f".{_escaped(target.name)}.*.tmp"))
    return [file for file in left if _remove_unused(file)]


def _remove_unused(file: Path) -> bool:
    with suppress(OSError):
        descriptor = os.open(file, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            file.unlink()
        finally:
            os.close(descriptor)
        return True
    return False


def _escaped(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


@contextmanager
def exclusive(
    path: Path,
    *,
    wait: float = 0.0,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    flock: Callable[[int, int], None] = fcntl.flock,
) -> Iterator[None]:
    """Hold the lock of a file (`NAME.lock` beside it), which dies with its process; the lock file stays.

    Args:
        path: the file whose lock it is; links to one file share its lock.
        wait: seconds to wait for another holder; by default not at all.
        clock: monotonic seconds.
        sleep: waits for a number of seconds.
        flock: takes the kernel's lock of a descriptor.

    Raises:
        LockHeldError: another run holds it still.
        ConfigurationError: the lock file may not be written, or the file system has no locks.
        InputError: the folder does not exist, or the path is no regular file.
    """
    target = resolved(path)
    place = target.with_name(f"{target.name}.lock")
    end = clock() + wait
    while True:
        with write_errors(place):
            descriptor = _try_lock(place, flock)
        if descriptor is not None:
            break
        if clock() >= end:
            raise LockHeldError(
                f"another run holds the lock {place}{_holder(place)}",
                hint="wait for it to end; deleting the lock file does not help",
            )
        sleep(random.uniform(0.02, 0.08))  # noqa: S311 (keeps waiters apart; no secret)
    try:
        yield
    finally:
        os.close(descriptor)


def _try_lock(place: Path, flock: Callable[[int, int], None]) -> int | None:
    """Return a descriptor that holds the lock, or None where another one does."""
    descriptor = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, _PRIVATE)
    try:
        flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Somebody may have deleted the file between opening and locking: then this lock binds nobody.
        held = os.path.samestat(os.fstat(descriptor), place.stat())
    except BlockingIOError:
        held = False
    except FileNotFoundError:
        held = False
    except OSError as error:
        os.close(descriptor)
        if error.errno in _NO_LOCKS:
            raise ConfigurationError(
                f"the file system of {place.parent} has no locks ({error.strerror})",
                hint="keep the file on another file system: without a lock two runs would log in at once",
            ) from None
        raise
    if not held:
        os.close(descriptor)
        return None
    with suppress(OSError):  # a full disk keeps nobody from locking
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()} {os.uname().nodename}\n".encode(), 0)
    return descriptor


def _holder(place: Path) -> str:
    """Tell who holds a lock, as far as its file says."""
    with suppress(OSError, ValueError):
        pid, host = place.read_text(encoding="utf-8")[:_LONGEST_HOLDER].split()
        return f" (process {int(pid)} on {host})"
    return ""


def resolved(path: Path) -> Path:
    """Follow links, so that a replacement changes the file and not the link; refuse what is no regular file.

    Raises:
        InputError: the folder does not exist, or the path is no regular file.
    """
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
def write_errors(target: Path) -> Iterator[None]:
    """Turn what the system says about a write into drmkit's errors, which name the file."""
    try:
        yield
    except OSError as error:
        if error.errno in _FORBIDDEN:
            raise ConfigurationError(
                f"{target} may not be written ({error.strerror})",
                hint="give this user write access to it and its folder, or name another file with --output",
            ) from None
        hint = "free some space" if error.errno in _FULL else "what was stored before is untouched"
        raise StoreError(f"{target} could not be written ({error.strerror})", hint=hint) from None


def _sync_folder(folder: Path) -> None:
    # The new file is in place by now: a folder that cannot be synced makes it less durable, and nothing undone.
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
