"""The entry point: the root command, lazy loading of command groups, and how every error ends."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from drmkit import __version__
from drmkit.cli import output
from drmkit.cli.lazy import LazyGroup
from drmkit.cli.output import App
from drmkit.cli.signals import TerminatedError, unwind_on_signals
from drmkit.errors import DrmkitError

__all__ = ["cli", "main"]

_SIGNALLED = 128
_UNWRITABLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EPIPE})
_BUG = 70
_NOT_TOLD = 255
"""What `key-url due` ends with where it cannot tell: systemd skips a service quietly on 1 to 254."""

_COMMANDS = {
    "demo": ("drmkit.cli.demo:demo", "Run the whole flow on the sandbox, with real encryption."),
    "key-url": ("drmkit.cli.key_url:key_url", "Get, refresh and show expiring key-server URLs."),
    "cpix": ("drmkit.cli.cpix:cpix", "Make, check, show, encrypt, sign and hand on CPIX documents."),
    "speke": ("drmkit.cli.speke:speke", "Ask key providers for content keys, and check them."),
    "pssh": ("drmkit.cli.pssh:pssh", "Read and build PSSH boxes and DRM headers."),
    "keys": ("drmkit.cli.keys:keys", "Derive and generate content keys and IVs."),
    "job": ("drmkit.cli.job:job", "Make, check and submit jobs for Tencent MPS."),
    "task": ("drmkit.cli.task:task", "Show, wait for, list and abort the tasks of Tencent MPS."),
    "mps": ("drmkit.cli.mps:mps", "Set up what jobs for Tencent MPS need elsewhere: policies for Amazon S3."),
    "notification": ("drmkit.cli.notification:notification", "Read, verify and receive the callbacks of Tencent MPS."),
    "package": ("drmkit.cli.package:package", "Encrypt media files with Shaka Packager and keys from CPIX."),
    "stream": ("drmkit.cli.stream:stream", "Check HLS and DASH streams against themselves, documents and keys."),
    "play": ("drmkit.cli.play:play", "Play a stream in a browser, with its keys or a license server."),
    "drmtoday": ("drmkit.cli.drmtoday:drmtoday", "Manage the keys of a DRMtoday account, and call its endpoints."),
    "token": ("drmkit.cli.token:token", "Authorize license requests: DRMtoday's upfront tokens and custom data."),
    "doctor": ("drmkit.cli.doctor:doctor", "Check what works from here, as a report fit for pasting."),
    "config": ("drmkit.cli.config:config", "Show the settings in force, or print a configuration to start from."),
    "sandbox": ("drmkit.cli.sandbox:sandbox", "Play the vendors (CAS, key server, MPS) on loopback."),
    "completion": ("drmkit.cli.completion:completion", "Print the completion script for a shell."),
}


@click.group(cls=LazyGroup, commands_by_name=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-v", "--verbose", count=True, help="Say more on standard error; twice: every step, and tracebacks.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing on success.")
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    help="The configuration file; default: $DRMKIT_CONFIG or ~/.config/drmkit/config.toml.",
)
@click.option("--profile", "profile_name", metavar="NAME", help="The profile to use; default: $DRMKIT_PROFILE.")
@click.version_option(__version__, prog_name="drmkit")
@click.pass_context
def cli(context: click.Context, verbose: int, quiet: bool, config_path: Path | None, profile_name: str | None) -> None:
    """Take a video pipeline from a DRM account to encrypted, verified streams.

    Exit codes: 0 done or nothing was due; 1 the answer is no; 2 usage or unreadable input; 3 credentials or
    configuration rejected, do not retry; 4 another run holds the lock; 69 a remote side is unavailable; 70 a bug in
    drmkit; 75 failed for now, the last good value is still valid; 129, 130 and 143 ended by a closed terminal, by
    Ctrl-C and by SIGTERM.
    """
    if verbose and quiet:
        raise click.UsageError("-v and -q exclude each other")
    app: App = context.obj
    app.verbosity = verbose
    app.quiet = quiet
    app.config_path = config_path
    app.profile_name = profile_name
    app.set_log_verbosity(verbose)


def main(arguments: Sequence[str] | None = None, *, environ: Mapping[str, str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        arguments: what stands after the program's name; None takes it from the process.
        environ: the environment; None takes that of the process.
    """
    words = tuple(sys.argv[1:] if arguments is None else arguments)
    app = App(environ=os.environ if environ is None else environ, arguments=words)
    with output.logging_to_stderr() as app.set_log_verbosity:
        try:
            unwind_on_signals()
            result = cli.main(
                args=list(words),
                prog_name="drmkit",
                standalone_mode=False,
                obj=app,
                color=output.wants_color(app.environ),
            )
        except BaseException as error:  # noqa: BLE001 (the last resort: every way to end has its exit code)
            code = _ended(error, app)
            return _NOT_TOLD if _asks_whether_due(words) else code
    return result if isinstance(result, int) else 0


def _asks_whether_due(arguments: Sequence[str]) -> bool:
    """Tell whether the command is `key-url due`, whatever is wrong with the rest of the line."""
    return any(pair == ("key-url", "due") for pair in itertools.pairwise(arguments))


def _ended(error: BaseException, app: App) -> int:
    """Tell why a command ended before its end, and return the exit code for that."""
    if isinstance(error, click.ClickException):
        return _usage(error)
    if isinstance(error, DrmkitError):
        output.report(error, verbosity=app.verbosity)
        return error.exit_code
    if isinstance(error, click.exceptions.Abort | KeyboardInterrupt | TerminatedError):
        number = error.number if isinstance(error, TerminatedError) else signal.SIGINT
        with contextlib.suppress(OSError):  # the terminal may be gone
            output.problem("interrupted" if number == signal.SIGINT else "terminated")
        return _SIGNALLED + number
    if isinstance(error, OSError) and error.errno in _UNWRITABLE:
        # Python must not try to flush at exit what cannot be written.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.errno != errno.EPIPE:  # a reader that has gone wants to hear no more
            output.problem(f"the output could not be written ({error.strerror})")
        return 1
    if isinstance(error, SystemExit):
        raise error
    output.bug(error, verbosity=app.verbosity)
    return _BUG


def _usage(error: click.ClickException) -> int:
    context: click.Context | None = getattr(error, "ctx", None)
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        return error.exit_code
    if context is not None and isinstance(error, click.UsageError):
        click.echo(context.get_usage(), err=True)
    output.problem(error.format_message(), hint=_usage_hint(error, context))
    return error.exit_code


def _usage_hint(error: click.ClickException, context: click.Context | None) -> str | None:
    if isinstance(error, click.NoSuchOption) and error.option_name in {"--password", "--secret-key"}:
        return "a secret on the command line shows in the process list and the history: use a file or the environment"
    return None if context is None else f"`{context.command_path} -h` lists the options"
