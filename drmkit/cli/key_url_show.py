"""`drmkit key-url show` and `due`: what is stored, and whether there is anything to do."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from drmkit.cli.account import account_options
from drmkit.cli.key_url_common import make_job, output_option
from drmkit.cli.output import App, emit, format_option, pass_app
from drmkit.errors import ConfigurationError, NoValidUrlError

if TYPE_CHECKING:
    from drmkit.keyserver.job import RenewalJob
    from drmkit.keyserver.status import Status

__all__ = ["due", "show"]

_DUE, _NOT_DUE = 0, 1


@click.command(short_help="Show the stored URL, its age, the next run and the last error.")
@output_option
@click.option("--reveal", is_flag=True, help="Show the ticket too.")
@format_option
@pass_app
def show(app: App, /, *, form: str, output: Path | None, reveal: bool) -> None:
    """Show the stored key-server URL with its age, end and next run, and what became of the last runs."""
    from drmkit.keyserver.job import Accounts  # noqa: PLC0415 (help needs none of it)
    from drmkit.keyserver.status import look  # noqa: PLC0415

    job = make_job(app, Accounts(), output=output)
    job.store.load()  # tells what is wrong with a file that cannot be read
    status = look(job.store, profile=job.profile.name, policy=job.policy, now=datetime.now(UTC), service=_service(job))
    if status.url is not None or form == "json":
        emit(form, status.as_fields(reveal=reveal), lambda: _describe(status, reveal=reveal))
    if status.url is None:
        more = f"; the last error: {status.journal.last_error}" if status.journal.last_error else ""
        raise NoValidUrlError(
            f"no key-server URL is stored in {job.store.path}{more}",
            hint="run `drmkit key-url refresh` with the same options",
        )
    if not status.valid:
        raise NoValidUrlError(
            f"the stored URL expired at {status.url.expires_at:%FT%TZ}", hint="run `drmkit key-url refresh`"
        )


@click.command(short_help="Tell whether a refresh would renew: 0 yes, 1 no, 255 anything else.")
@account_options
@output_option
@format_option
@pass_app
def due(app: App, /, *, form: str, output: Path | None, **options: Any) -> int:
    """Tell whether `refresh` would renew the stored URL, by exit codes made for systemd's ExecCondition.

    0: there is something to do; 1: there is not; 255: anything else, such as wrong usage or settings that cannot be
    used. systemd skips a service quietly on 1 to 254, so that an error must be none of these.
    """
    from drmkit.keyserver.job import Accounts  # noqa: PLC0415

    job = make_job(app, Accounts(), output=output, **options)
    stored = job.idle()
    moment = None if stored is None else job.policy.due_at(stored)
    text = "due" if stored is None else f"not due before {moment:%FT%TZ}" if moment else "not due"
    if form == "json":
        emit(form, {"due": stored is None, "output": str(job.store.path)}, "")
    else:
        app.talk(f"{text}: {job.store.path}")
    return _DUE if stored is None else _NOT_DUE


def _service(job: RenewalJob) -> str | None:
    """Return the service that the profile names; showing what is stored needs no whole account."""
    try:
        return job.service
    except ConfigurationError:
        return None


def _describe(status: Status, *, reveal: bool) -> str:
    fields = status.as_fields(reveal=reveal)
    rows = {
        "url": fields["url"],
        "service": fields["service"],
        "issued": f"{fields['issued_at']} ({fields['age_seconds']} s ago)",
        "expires": fields["expires_at"] or "not known: the profile states no ticket_lifetime",
        "next run": ("due now" if fields["due"] else None) or fields["next_run"] or "at every run",
        "file": fields["path"],
    }
    if fields["consecutive_failures"]:
        last = f"the last with exit code {fields['last_exit_code']}"
        rows["failures"] = f"{fields['consecutive_failures']} in a row, {last}"
        rows["error"] = fields["last_error"]
    if fields["not_before"]:
        rows["waits"] = f"until {fields['not_before']}, since the server asked for it"
    return "\n".join(f"{name + ':':10}{value}" for name, value in rows.items())
