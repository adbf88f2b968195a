"""`drmkit key-url get`: print a URL, ticket and all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from drmkit.cli.account import account_options
from drmkit.cli.key_url_common import make_job, output_option, show_plan
from drmkit.cli.output import App, emit, format_option, pass_app
from drmkit.settings import parse_duration

__all__ = ["get"]

_LONGEST_WAIT_SECONDS = 120.0


@click.command(short_help="Print a URL, ticket and all: a fresh one, or one that is young enough.")
@account_options
@click.option("--max-age", metavar="TIME", help="Print the stored URL if it is at most this old, such as 10m.")
@output_option
@click.option("--dry-run", is_flag=True, help="Say what would be called, and call nothing.")
@format_option
@pass_app
def get(app: App, /, *, form: str, max_age: str | None, output: Path | None, dry_run: bool, **options: Any) -> None:
    """Print a fresh key-server URL, ticket and all: that is its purpose.

    With --max-age the stored URL is printed if it is young enough; if not, a fresh one is stored and printed. Callers
    at the same time wait for the first of them, so that there is one login.
    """
    from drmkit.keyserver import account  # noqa: PLC0415 (help needs none of it)
    from drmkit.keyserver.job import Accounts  # noqa: PLC0415
    from drmkit.keyserver.store import as_fields  # noqa: PLC0415

    age = None if max_age is None else parse_duration(max_age)
    if max_age is not None and age is None:
        raise click.BadParameter(f"{max_age!r} is no length of time above zero", param_hint="--max-age")
    if output is not None and age is None:
        raise click.UsageError("--output goes with --max-age: without it nothing is stored")
    with Accounts(prompt=app.prompt) as accounts:
        job = make_job(app, accounts, create_folder=age is not None and not dry_run, output=output, **options)
        if dry_run:
            show_plan(job.profile, form, output=None if age is None else job.store.path)
            return
        if age is None:
            fresh = account.mint(job.profile, prompt=app.prompt)
        else:
            fresh = job.run(max_age=age, wait=_LONGEST_WAIT_SECONDS).url
    emit(form, as_fields(fresh), fresh.reveal)
