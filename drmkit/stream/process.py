"""Runs a child program: no shell, a deadline, no secret in its arguments, nothing left running."""

from __future__ import annotations

import base64
import contextlib
import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from drmkit.errors import MissingExtraError, PackagingError
from drmkit.secret import MASK, Secret

__all__ = ["Completed", "mask", "run"]

_TAIL = 800
_SHORTEST = 4
# Nothing is inherited: FFREPORT, for one, makes ffmpeg write its options and messages to a log file.
_ENVIRONMENT = {"LC_ALL": "C", "PATH": os.defpath}


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

    Raises:
        MissingExtraError: the program cannot be started.
        PackagingError: it failed, was killed, or took too long; the message ends with the last of what it said.
    """
    name = Path(str(argv[0])).name
    with contextlib.ExitStack() as stack:
        feeds = [stack.enter_context(_Feed(item)) if isinstance(item, Secret) else None for item in argv]
        arguments = [feed.path if feed else str(item) for feed, item in zip(feeds, argv, strict=True)]
        opened = [feed for feed in feeds if feed]
        child = stack.enter_context(_child(name, arguments, cwd, [feed.reader for feed in opened]))
        for feed in opened:
            feed.begin()
        try:
            stdout, stderr = child.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            raise PackagingError(
                f"{name} did not end within {timeout:g} seconds and was stopped", hint="allow it more time"
            ) from None
    said = mask(stderr.decode("utf-8", "replace"), hide)
    if child.returncode:
        raise PackagingError(f"{name} {_ending(child.returncode)}{_tail(said)}")
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


class _Feed:
    """A pipe that holds a secret text for one child; written by a thread, since a pipe takes only so much at once."""

    def __init__(self, text: Secret[str]) -> None:
        self._text = text
        self._thread: threading.Thread | None = None
        self.reader, self._writer = os.pipe()

    @property
    def path(self) -> str:
        return f"/dev/fd/{self.reader}"

    def __enter__(self) -> Self:
        return self

    def begin(self) -> None:
        """Write, now that the child has its own copy of the reading end."""
        # With this copy open, the writer would not notice a child that ends without reading.
        os.close(self.reader)
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def _write(self) -> None:
        with contextlib.suppress(BrokenPipeError), os.fdopen(self._writer, "wb") as pipe:
            pipe.write(self._text.reveal().encode("utf-8"))

    def __exit__(self, *_: object) -> None:
        if self._thread:
            self._thread.join()
        else:
            os.close(self.reader)
            os.close(self._writer)


@contextlib.contextmanager
def _child(name: str, argv: list[str], cwd: Path | None, keep: list[int]) -> Iterator[subprocess.Popen[bytes]]:
    try:
        child = subprocess.Popen(  # noqa: S603 - an argument list without a shell; the program is chosen by the caller
            argv,
            cwd=cwd,
            env=_ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=keep,
            start_new_session=True,
        )
    except OSError as error:
        raise MissingExtraError(
            f"{name} cannot be started ({error.strerror})", hint=f"check that {argv[0]} is a program for this system"
        ) from None
    with child:
        try:
            yield child
        except BaseException:
            # The leader is not reaped yet, so the group's number still belongs to it.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGKILL)
            raise


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
