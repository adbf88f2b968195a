"""`drmkit key-url watch`: keep URLs fresh in the foreground, as a container's main process does."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from drmkit.cli import output as streams
from drmkit.cli.account import account_options
from drmkit.cli.key_url_common import make_jobs, metrics_option, output_option
from drmkit.cli.key_url_refresh import write_all_metrics
from drmkit.cli.output import App, pass_app
from drmkit.errors import DrmkitError
from drmkit.settings import parse_duration

if TYPE_CHECKING:
    from drmkit.keyserver.job import RenewalJob
    from drmkit.keyserver.watch import Waking

__all__ = ["watch"]


class _StopError(BaseException):
    """SIGTERM or SIGINT has come: end at once; whatever is in progress can be cut off at any point."""


@click.command(short_help="Keep the stored URL fresh until stopped, for containers.")
@account_options
@output_option
@click.option("--all", "every", is_flag=True, help="Every profile of the configuration that names a cpix_config.")
@click.option("--interval", metavar="TIME", default="15m", show_default=True, help="Pace where no lifetime is known.")
@click.option(
    "--ready-file",
    type=click.Path(readable=False, path_type=Path),
    help="Exists while every URL is valid; touched at each look.",
)
@metrics_option
@pass_app
def watch(app: App, /, *, every: bool, interval: str, ready_file: Path | None, **options: Any) -> int:
    """Keep the stored key-server URL fresh until SIGTERM or Ctrl-C, which is exit code 0.

    SIGHUP reads the configuration again and looks at once. A failed run is repeated after a growing random pause, and
    the stored URL stays. The clock of the wall counts, looked at every half minute at least: neither suspend nor a
    clock that is set makes a renewal late.
    """
    from drmkit.keyserver.job import Accounts  # noqa: PLC0415 (help needs none of it)
    from drmkit.keyserver.watch import Readiness, Watcher  # noqa: PLC0415

    pace = parse_duration(interval)
    if pace is None:
        raise click.BadParameter(f"{interval!r} is no length of time above zero", param_hint="--interval")
    accounts = Accounts()

    def load() -> Sequence[RenewalJob]:
        accounts.close()
        return make_jobs(app, accounts, every=every, **options)

    def tell(job: RenewalJob, result: str | DrmkitError) -> None:
        if isinstance(result, DrmkitError):
            streams.report(result, verbosity=app.verbosity)
        else:
            app.talk(f"{result} -> {job.store.path}")

    def after_look(jobs: Sequence[RenewalJob]) -> None:
        try:
            write_all_metrics(jobs)
        except DrmkitError as error:
            streams.report(error, verbosity=app.verbosity)

    with _signals() as nap:
        try:
            Watcher(load, nap, tell, Readiness(ready_file), pace, after_look=after_look).run()
        except _StopError:
            app.talk("stopped")
        finally:
            accounts.close()
    return 0


class _Naps:
    """Waits that a SIGHUP ends early, even one that comes in the moment before the wait."""

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.reload = False

    def __call__(self, seconds: float) -> Waking:
        select.select([self.reader], [], [], seconds)
        with open(self.reader, "rb", buffering=0, closefd=False) as stream:
            stream.read(4096)
        woken, self.reload = self.reload, False
        return "reload" if woken else "time"

    def hang_up(self, *_: object) -> None:
        self.reload = True

    def close(self) -> None:
        os.close(self.reader)
        os.close(self.writer)


@contextmanager
def _signals() -> Iterator[_Naps]:
    def stop(*_: object) -> None:
        raise _StopError

    naps = _Naps()
    handlers = {signal.SIGTERM: stop, signal.SIGINT: stop, signal.SIGHUP: naps.hang_up}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    old = signal.set_wakeup_fd(naps.writer, warn_on_full_buffer=False)
    try:
        yield naps
    finally:
        signal.set_wakeup_fd(old)
        for number, handler in before.items():
            signal.signal(number, handler)
        naps.close()
