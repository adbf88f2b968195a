"""Answer a refresh that has nothing to do from a note of the run before, with next to nothing imported.

A run from cron finds nothing due a hundred times for each time that it renews, and most of its cost is starting up. So
a run that found nothing due leaves a note: what it was asked (its words, its folder, the variables that it obeys), what
it looked at (the signatures of the configuration, of the stored URL and of its journal), and until when its answer
holds. A later run with the same question, the same signatures and a clock within these bounds has the same answer;
anything else takes the whole way. The note holds no secret.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

__all__ = ["answer", "fits", "note_path", "note_text", "signature"]

_MAGIC = "drmkit-quick-1"
_SEPARATOR = "\0"
_LARGEST = 64 * 1024
_ASKED = ("key-url", "refresh")
_WHOLE_WAY = frozenset(
    {"--force", "--dry-run", "--format", "--metrics", "--all", "--kubernetes-secret", "-h", "--help", "-v", "-vv"}
)
_OBEYED = ("DRMKIT_", "DRMTODAY_", "XDG_")
_SECRETS = frozenset({"DRMTODAY_PASSWORD"})


def fits(arguments: Sequence[str]) -> bool:
    """Tell whether a command line is a plain refresh, which a note can answer."""
    words = list(arguments)
    plain = not any(word.partition("=")[0] in _WHOLE_WAY or word.startswith("--verb") for word in words)
    return plain and any(tuple(words[at : at + 2]) == _ASKED for at in range(len(words)))


def answer(arguments: Sequence[str], environ: Mapping[str, str], now: float, *, version: str) -> str | None:
    """Return what the run before said, where it still holds: nothing is due; else None.

    Args:
        arguments: the command line without the program's name.
        environ: the environment.
        now: seconds since the epoch.
        version: drmkit's version; a note of another one does not count.

    Returns:
        The line to show, empty for none; None where the whole way has to be taken.
    """
    if not fits(arguments):
        return None
    try:
        question = _question(arguments, environ, version)
        with open(note_path(question, environ), encoding="utf-8", errors="surrogateescape") as stream:  # noqa: PTH123 (costs less)
            magic, asked, issued, due, text, *looked_at = stream.read(_LARGEST).split(_SEPARATOR)
        if (magic, asked) != (_MAGIC, question) or not float(issued) <= now < float(due) or len(looked_at) % 2:
            return None
    except (OSError, ValueError):
        return None
    pairs = zip(looked_at[::2], looked_at[1::2], strict=True)
    return text if looked_at and all(signature(path) == known for path, known in pairs) else None


def note_text(
    arguments: Sequence[str],
    environ: Mapping[str, str],
    *,
    version: str,
    issued: float,
    due: float,
    text: str,
    looked_at: Mapping[str, str],
) -> tuple[str, str]:
    """Return the path and the content of a note.

    Args:
        arguments: the command line without the program's name.
        environ: the environment.
        version: drmkit's version.
        issued: from when on the answer holds, in seconds since the epoch.
        due: until when.
        text: the line to show, empty for none.
        looked_at: the signature of each file that the answer rests on, by its path.
    """
    question = _question(arguments, environ, version)
    fields = [_MAGIC, question, repr(issued), repr(due), text, *(part for pair in looked_at.items() for part in pair)]
    return note_path(question, environ), _SEPARATOR.join(fields)


def signature(path: str) -> str:
    """Return what changes whenever a file is written, replaced or given other rights; `-` where there is none."""
    try:
        status = os.stat(path)  # noqa: PTH116 (pathlib costs what is to be saved)
    except OSError:
        return "-"
    return (
        f"{status.st_dev} {status.st_ino} {status.st_mode} {status.st_uid} {status.st_size} "
        f"{status.st_mtime_ns} {status.st_ctime_ns}"
    )


def note_path(question: str, environ: Mapping[str, str]) -> str:
    """Return where the note of a question lies: in the state folder, named by a checksum."""
    from binascii import crc32  # noqa: PLC0415 (only a refresh needs it)

    stated, home = environ.get("XDG_STATE_HOME", ""), environ.get("HOME", "")
    folder = stated if stated.startswith("/") else f"{home or '/nowhere'}/.local/state"
    return f"{folder}/drmkit/quick/{crc32(question.encode('utf-8', 'surrogatepass')):08x}"


def _question(arguments: Sequence[str], environ: Mapping[str, str], version: str) -> str:
    obeyed = sorted(
        (name, value)
        for name, value in environ.items()
        if (name.startswith(_OBEYED) or name == "HOME") and name not in _SECRETS
    )
    return repr((version, os.getuid(), os.getcwd(), list(arguments), obeyed))  # noqa: PTH109 (likewise)
