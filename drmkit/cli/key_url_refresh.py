"""`drmkit key-url refresh`: one run over one profile or all of them."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from drmkit import __version__
from drmkit.cli import output as streams
from drmkit.cli.account import account_options
from drmkit.cli.key_url_common import make_jobs, metrics_option, output_option, show_plan
from drmkit.cli.output import App, emit, format_option, pass_app
from drmkit.config import config_path
from drmkit.errors import ConfigurationError, DrmkitError
from drmkit.keyserver import quick
from drmkit.keyserver.files import write_atomically
from drmkit.keyserver.journal import JournalFile

if TYPE_CHECKING:
    from drmkit.keyserver.job import RenewalJob
    from drmkit.keyserver.renewal import Outcome
    from drmkit.keyserver.url import KeyServerUrl

__all__ = ["refresh", "write_all_metrics"]

_WORST_FIRST = (70, 3, 1, 69, 2, 75, 4)


@click.command(short_help="Renew the stored URL if it is due.")
@account_options
@output_option
@click.option("--all", "every", is_flag=True, help="Every profile of the configuration that names a cpix_config.")
@click.option("--write", "written_form", type=click.Choice(["json", "url", "env"]), help="How; default: json.")
@click.option("--mode", metavar="OCTAL", help="Permissions of the file; default: 0600.")
@click.option("--verify", type=click.Choice(["none", "cpix"]), help="cpix: fetch and validate; at DRMtoday an ingest.")
@metrics_option
@click.option(
    "--kubernetes-secret", metavar="NAME", help="Keep the URL in this Secret of the pod's namespace, which must exist."
)
@click.option("--force", is_flag=True, help="Renew even if it is not due, even with credentials rejected before.")
@click.option("--dry-run", is_flag=True, help="Say what would be called, and call nothing.")
@format_option
@pass_app
def refresh(
    app: App,
    /,
    *,
    form: str,
    every: bool,
    written_form: str | None,
    kubernetes_secret: str | None,
    force: bool,
    dry_run: bool,
    **options: Any,
) -> int:
    """Renew the stored key-server URL if it is due; on failure the stored one stays as it was.

    It is due at two thirds of `ticket_lifetime` (up to a tenth earlier, always the same for one profile), or after
    `renew_after`; where the profile states neither, always.

    With --all every profile is tried, whatever becomes of the others, and each account is logged in to once. The exit
    code is that of the worst failure.
    """
    from drmkit.keyserver.job import Accounts  # noqa: PLC0415 (help needs none of it)

    if every and kubernetes_secret is not None:
        raise click.UsageError("--kubernetes-secret excludes --all: a Secret holds one URL")
    with Accounts(prompt=app.prompt) as accounts:
        jobs = make_jobs(app, accounts, every=every, write=written_form, **options)
        if dry_run:
            for job in jobs:
                show_plan(job.profile, form, output=job.store.path)
            return 0
        try:
            if every:
                return _run_all(app, jobs, form, force=force)
            with _mirrored(app, jobs[0], kubernetes_secret):
                return _run_one(app, jobs[0], form, force=force)
        finally:
            write_all_metrics(jobs)


@contextmanager
def _mirrored(app: App, job: RenewalJob, secret: str | None) -> Iterator[None]:
    """Keep the files of a run in a Secret, where one is named."""
    if secret is None:
        yield
        return
    from drmkit.http import HttpClient  # noqa: PLC0415 (the network is loaded only when it is needed)
    from drmkit.keyserver.kubernetes import Cluster, SecretMirror  # noqa: PLC0415

    cluster = Cluster.of_this_pod(app.environ)
    with HttpClient(ca_file=cluster.ca_file) as http, SecretMirror(secret, cluster, http).around(job.store):
        yield


def _run_one(app: App, job: RenewalJob, form: str, *, force: bool) -> int:
    from drmkit.keyserver.store import as_fields  # noqa: PLC0415

    before = _signatures(app, job)
    outcome = job.run(force=force)
    if form == "json":
        data = {"renewed": outcome.renewed, "output": str(job.store.path), **as_fields(outcome.url, reveal=False)}
        emit(form, data, "")
    else:
        line = f"{outcome.summary} -> {job.store.path}"
        app.talk(line)
        idle = "" if app.quiet else f"not due: {outcome.url.redacted} -> {job.store.path}"
        after = _signatures(app, job)
        same_settings = next(iter(before.items())) in after.items()
        if after == before or (outcome.renewed and same_settings and _is_stored(job, outcome.url)):
            _leave_note(app, job, outcome, idle, after)
    return 0


def _is_stored(job: RenewalJob, url: KeyServerUrl) -> bool:
    """Tell whether the file that was just signed is still the one that this run has stored."""
    stored = job.store.load()
    return stored is not None and (stored.service, stored.ticket) == (url.service, url.ticket)


def _signatures(app: App, job: RenewalJob) -> dict[str, str]:
    """Return the signatures of what decides whether a refresh has anything to do, the configuration's first."""
    stored = job.store.path.absolute()
    files = [
        str(config_path(app.config_path, app.environ).absolute()),
        str(stored),
        str(JournalFile.beside(stored).path),
    ]
    return {file: quick.signature(file) for file in files}


def _leave_note(app: App, job: RenewalJob, outcome: Outcome, text: str, looked_at: dict[str, str]) -> None:
    """Leave a note for the next run; where that is not possible, it takes the whole way."""
    due = job.policy.due_at(outcome.url)
    if due is None or job.profile.get("metrics") is not None or not quick.fits(app.arguments):
        return
    place, content = quick.note_text(
        app.arguments,
        app.environ,
        version=__version__,
        issued=outcome.url.issued_at.timestamp(),
        due=due.timestamp(),
        text=text,
        looked_at=looked_at,
    )
    path = Path(place)
    with suppress(DrmkitError, OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(path, content.encode("utf-8", "surrogateescape"))


def _run_all(app: App, jobs: Sequence[RenewalJob], form: str, *, force: bool) -> int:
    results: list[dict[str, Any]] = []
    for job in jobs:
        result: dict[str, Any] = {"profile": job.profile.name, "output": str(job.store.path), "renewed": False}
        try:
            outcome = job.run(force=force)
        except DrmkitError as error:
            told = copy.copy(error)  # jobs of one account share the error of its rejection
            told.message = f"profile {job.profile.name}: {error.message}"
            streams.report(told.with_traceback(error.__traceback__), verbosity=app.verbosity)
            result |= {"error": error.message, "exit_code": error.exit_code}
        else:
            app.talk(f"profile {job.profile.name}: {outcome.summary} -> {job.store.path}")
            result |= {"renewed": outcome.renewed, "error": None, "exit_code": 0}
        results.append(result)
    failed = [int(result["exit_code"]) for result in results if result["exit_code"]]
    renewed = sum(result["renewed"] for result in results)
    code = min(failed, key=_WORST_FIRST.index, default=0)
    if form == "json":
        emit(form, {"exit_code": code, "results": results}, "")
    summary = f"{len(results)} profiles: {renewed} renewed, {len(failed)} failed"
    if failed:
        streams.problem(summary)
    else:
        app.talk(summary)
    return code


def write_all_metrics(jobs: Sequence[RenewalJob]) -> None:
    """Write the metrics of all jobs to the files that they name; jobs that name one file share it."""
    if not any(job.profile.get("metrics") for job in jobs):
        return
    from drmkit.keyserver.status import look, write_metrics  # noqa: PLC0415

    now = datetime.now(UTC)
    files: dict[str, list[RenewalJob]] = {}
    for job in jobs:
        if job.profile.get("metrics"):
            files.setdefault(job.profile.get("metrics"), []).append(job)
    for file, sharing in files.items():
        statuses = []
        for job in sharing:
            with suppress(ConfigurationError):  # what cannot be looked at was told of by the run
                statuses.append(
                    look(job.store, profile=job.profile.name, policy=job.policy, now=now, service=job.service)
                )
        write_metrics(Path(file).expanduser(), statuses)
