"""What the `key-url` commands share: options, the job of a profile, the plan of a dry run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from drmkit.cli.output import App, emit

if TYPE_CHECKING:
    from drmkit.config import Profile
    from drmkit.keyserver.job import Accounts, RenewalJob

__all__ = ["make_job", "make_jobs", "metrics_option", "output_option", "show_plan"]

output_option = click.option(
    "--output",
    type=click.Path(readable=False, path_type=Path),
    help="The file that holds the URL; default: a state file of the profile's own.",
)
metrics_option = click.option(
    "--metrics",
    type=click.Path(readable=False, path_type=Path),
    help="Write metrics to this file after the run, for the textfile collector of Prometheus's node_exporter.",
)


def make_job(app: App, accounts: Accounts, *, create_folder: bool = False, **options: Any) -> RenewalJob:
    """Return the job of the chosen profile; keyword options override its settings."""
    from drmkit.keyserver.job import RenewalJob, store_of  # noqa: PLC0415 (help needs none of it)

    given = {name: str(value) if isinstance(value, Path) else value for name, value in options.items()}
    profile = app.profile(**given)
    store = store_of(profile, app.environ)
    if create_folder and profile.get("output") is None:
        store.create_folder()
    return RenewalJob(profile, store, accounts, app.environ)


def make_jobs(app: App, accounts: Accounts, *, every: bool, **options: Any) -> list[RenewalJob]:
    """Return the job of the chosen profile, or those of every profile that names a CPIX configuration."""
    from drmkit.config import profile_names  # noqa: PLC0415
    from drmkit.keyserver.job import check_distinct  # noqa: PLC0415

    if not every:
        return [make_job(app, accounts, create_folder=True, **options)]
    if app.profile_name is not None or options.get("output") is not None:
        raise click.UsageError("--all excludes --profile and --output: each profile has its own file")
    jobs = [
        make_job(replace(app, profile_name=name), accounts, create_folder=True, **options)
        for name in profile_names(path=app.config_path, environ=app.environ)
    ]
    check_distinct(jobs)
    return jobs


def show_plan(profile: Profile, form: str, *, output: Path | None) -> None:
    """Say what a run would call, and call nothing."""
    from drmkit.keyserver import account  # noqa: PLC0415

    server = account.key_server(profile)
    username = profile.require("username")
    data = {
        "dry_run": True,
        "login": server.hosts.tickets_url,
        "username": username,
        "service": server.service,
        "output": None if output is None else str(output),
        "ingests": output is not None and profile.get("verify") == "cpix",
    }
    lines = [f"would log in at {server.hosts.tickets_url} as {username}", f"would take a ticket for {server.service}"]
    if data["ingests"]:
        lines.append("would fetch and validate the CPIX document, which at DRMtoday is an ingest")
    if output is not None:
        lines.append(f"would write {output}")
    if output is not None and profile.get("hook") is not None:
        lines.append("would run the hook")
    emit(form, data, "\n".join(lines))
