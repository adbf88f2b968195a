"""The output rules: data on standard output, talk on standard error, secrets nowhere.

- What a command was asked for goes to standard output, as text for people or as JSON with `schema_version`.
- Everything else (summaries, notes, errors, logs) goes to standard error; `-q` silences it but for errors.
- An error is one line that says what is wrong and where, then one that says what to do.
- `NO_COLOR` turns color off, `FORCE_COLOR` turns it on, else a terminal decides; progress shows on a terminal alone.
"""

from __future__ import annotations

import codecs
import io
import json
import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from drmkit.errors import DrmkitError

if TYPE_CHECKING:
    from drmkit.config import Profile

__all__ = [
    "App",
    "bug",
    "emit",
    "format_option",
    "logging_to_stderr",
    "pass_app",
    "problem",
    "ready_streams",
    "report",
    "wants_color",
]

_TRACEBACKS_FROM = 2
_ESCAPED = "drmkit.escaped"


@dataclass
class App:
    """What every command is given: the environment and the options that stand before the group."""

    environ: Mapping[str, str]
    verbosity: int = 0
    quiet: bool = False
    config_path: Path | None = None
    profile_name: str | None = None
    arguments: tuple[str, ...] = ()
    set_log_verbosity: Callable[[int], None] = lambda _: None

    def profile(self, **options: Any) -> Profile:
        """Load the profile; keyword options override it by name (`mps__region` for `mps.region`)."""
        from drmkit.config import load_profile  # noqa: PLC0415 (commands without a profile need no configuration)

        return load_profile(
            path=self.config_path,
            name=self.profile_name,
            environ=self.environ,
            options={name.replace("__", "."): value for name, value in options.items()},
        )

    def talk(self, text: str) -> None:
        """Say something to people, unless they asked for silence."""
        if not self.quiet:
            click.echo(text, err=True)

    @property
    def prompt(self) -> Callable[[str], str] | None:
        """Ask a person at the terminal for a secret, hidden; None where nobody is there to answer."""
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            return None
        return lambda text: str(click.prompt(text, hide_input=True, err=True))


pass_app = click.make_pass_decorator(App)
format_option = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Text for people, or JSON with stable keys.",
)


def emit(form: str, data: Mapping[str, Any], text: str | Callable[[], str]) -> None:
    """Print a result to standard output in the form that was asked for."""
    if form == "json":
        text = json.dumps({"schema_version": 1, **data}, indent=2, ensure_ascii=False)
        # Half a character, which only an escape can bring here, goes out as the escape that it came as.
        click.echo(text.encode("utf-8", "backslashreplace").decode())
    else:
        click.echo(text if isinstance(text, str) else text())


def problem(message: str, *, hint: str | None = None) -> None:
    """Tell of an error on standard error."""
    click.echo(f"{click.style('drmkit: error:', fg='red', bold=True)} {message}", err=True)
    if hint:
        click.echo(f"  {click.style('hint:', bold=True)} {hint}", err=True)


def report(error: DrmkitError, *, verbosity: int) -> None:
    """Tell of an error of drmkit's own, with its notes and, at the highest verbosity, where it came from."""
    if verbosity >= _TRACEBACKS_FROM:
        click.echo("".join(traceback.format_tb(error.__traceback__)), err=True, nl=False)
    notes = "".join(f" ({note})" for note in getattr(error, "__notes__", []))
    problem(error.message + notes, hint=error.hint)


def bug(error: BaseException, *, verbosity: int) -> None:
    """Tell of an error that drmkit did not foresee: its type and place, never its text, which may hold a secret."""
    frames = traceback.extract_tb(error.__traceback__)
    if verbosity >= _TRACEBACKS_FROM:
        click.echo("".join(traceback.format_list(frames)), err=True, nl=False)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "an unknown place"
    problem(
        f"this is a bug in drmkit: {type(error).__name__} at {place}",
        hint="run again with -vv before the command, and report what it prints",
    )


def ready_streams() -> None:
    """Make the process's standard streams take everything that a command may read or write.

    A stream that the caller has closed becomes the null device. What the encoding of standard output does not have (on
    a Latin-1 terminal, or of a file name that is no UTF-8) is written as JSON escapes it, so that JSON stays JSON.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # the lowest free descriptor is the closed one: no file can take its place
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123 (open to the end)
    codecs.register_error(_ESCAPED, _escape)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors=_ESCAPED)


def _escape(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


def wants_color(environ: Mapping[str, str]) -> bool | None:
    """Return whether color is wished for (NO_COLOR wins over FORCE_COLOR), or None to let the terminal decide."""
    if environ.get("NO_COLOR"):
        return False
    return True if environ.get("FORCE_COLOR") else None


@contextmanager
def logging_to_stderr() -> Iterator[Callable[[int], None]]:
    """Send drmkit's log records to standard error inside the block, and leave logging as it was found.

    Yields a function that takes the verbosity: 0 shows warnings, 1 (-v) information, 2 (-vv) everything.
    """
    logger = logging.getLogger("drmkit")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    level = logger.level
    logger.addHandler(handler)

    def set_verbosity(verbosity: int) -> None:
        logger.setLevel((logging.WARNING, logging.INFO, logging.DEBUG)[min(verbosity, 2)])

    set_verbosity(0)
    try:
        yield set_verbosity
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
