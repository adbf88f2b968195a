"""Runs a child program: no shell, a deadline, no secret in its arguments, nothing left running."""

from __future__ import annotations

import base64
import contextlib
import errno
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from drmkit.errors import MissingExtraError, PackagingError
from drmkit.secret import MASK, Secret
from drmkit.stream.child import Child, Feed

__all__ = ["Completed", "mask", "run"]

_TAIL = 800
_SHORTEST = 4
_FULL = os.strerror(errno.ENOSPC)


@dataclass(frozen=True, slots=True)
class Completed:
    """What a child that ended with exit code 0 wrote; keys in `stderr` are masked."""

    stdout: str
    stderr: str


def run(
    argv: Sequence[str | Path | Secret[str]],
    *,
    timeout: float,
    cwd: Path | None = None,
    hide: Iterable[Secret[bytes]] = (),
    tick: Callable[[], None] | None = None,
) -> Completed:
    """Run a program to its end and return what it wrote.

    A `Secret` among the arguments never becomes an argument: the child gets the path of a pipe (`/dev/fd/N`) that
    holds the text and can be read once, from start to end. So it is neither in the process list nor on the disk.

    The child gets a process group of its own, no standard input and a fixed environment. When the deadline passes, or
    an exception such as Ctrl-C arrives, the whole group is killed.

    Args:
        argv: the program and its arguments.
        timeout: seconds that the program may take.
        cwd: the folder in which it runs.
        hide: keys that must not show in what it wrote; see `mask`.
        tick: called about twice a second while the program runs.

    Raises:
        MissingExtraError: the program cannot be started.
        PackagingError: it failed, was killed, or took too long; the message ends with the last of what it said.
    """
    name = Path(str(argv[0])).name
    with contextlib.ExitStack() as stack:
        feeds = [stack.enter_context(Feed(item)) if isinstance(item, Secret) else None for item in argv]
        arguments = [feed.path if feed else str(item) for feed, item in zip(feeds, argv, strict=True)]
        child = Child(arguments, cwd, [feed for feed in feeds if feed], timeout)
        try:
            code, stdout, stderr = child.finish(tick)
        except OSError as error:
            raise MissingExtraError(
                f"{name} cannot be started ({error.strerror})",
                hint=f"check that {argv[0]} is a program for this system",
            ) from None
        except subprocess.TimeoutExpired:
            raise PackagingError(
                f"{name} did not end within {timeout:g} seconds and was stopped", hint="allow it more time"
            ) from None
    said = mask(stderr.decode("utf-8", "replace"), hide)
    if code:
        if _FULL in said:
            raise PackagingError(
                f"{name} found no space left to write to",
                hint="make room for the output and in the temporary folder, or name another such folder in TMPDIR",
            )
        raise PackagingError(f"{name} {_ending(code)}{_tail(said)}")
    return Completed(stdout.decode("utf-8", "replace"), said)


def mask(text: str, secrets: Iterable[Secret[bytes]]) -> str:
    """Return `text` with every secret replaced by a mask of fixed length.

    Args:
        text: what a program wrote.
        secrets: bytes whose hexadecimal form (in either case) and base64 form are replaced.
    """
    forms: set[str] = set()
    for secret in secrets:
        raw = secret.reveal()
        forms |= {raw.hex(), base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()}
    forms = {form.rstrip("=") for form in forms if len(form) >= _SHORTEST}
    if not forms:
        return text
    pattern = "|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))
    return re.sub(f"(?:{pattern})=*", MASK, text, flags=re.IGNORECASE)


def _ending(code: int) -> str:
    if code > 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


def _tail(text: str) -> str:
    """Return the last of what a program said, in printable characters, to stand behind a sentence."""
    clean = "".join(c if c.isprintable() or c == "\n" else "?" for c in text).strip()
    if not clean:
        return " and said nothing"
    return ": " + ("..." + clean[-_TAIL:] if len(clean) > _TAIL else clean)
