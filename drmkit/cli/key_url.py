"""`drmkit key-url`: get, refresh and show expiring key-server URLs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import click

from drmkit.cli.account import account_options
from drmkit.cli.output import App, emit, format_option, pass_app
from drmkit.config import Profile, state_folder
from drmkit.errors import NoValidUrlError
from drmkit.keyserver.store import Form, UrlStore, as_fields
from drmkit.keyserver.url import KeyServerUrl

__all__ = ["key_url"]

_output_option = click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="The file that holds the URL; default: a state file of the profile's own.",
)


@click.group("key-url")
def key_url() -> None:
    """Get, refresh and show expiring key-server URLs."""


@key_url.command(short_help="Print a fresh URL, ticket and all.")
@account_options
@click.option("--dry-run", is_flag=True, help="Say what would be called, and call nothing.")
@format_option
@pass_app
def get(app: App, /, *, form: str, dry_run: bool, **options: Any) -> None:
    """Print a fresh key-server URL, ticket and all: that is its purpose."""
    from drmkit.keyserver import account  # noqa: PLC0415 (help needs none of it)

    profile = app.profile(**options)
    if dry_run:
        _show_plan(profile, form, output=None)
        return
    fresh = account.mint(profile, prompt=app.prompt)
    emit(form, as_fields(fresh), fresh.reveal)


@key_url.command(short_help="Renew the stored URL if it is due.")
@account_options
@_output_option
@click.option("--write", "written_form", type=click.Choice(["json", "url", "env"]), help="How; default: json.")
@click.option("--force", is_flag=True, help="Renew even if the stored URL is not due.")
@click.option("--dry-run", is_flag=True, help="Say what would be called, and call nothing.")
@format_option
@pass_app
def refresh(
    app: App,
    /,
    *,
    form: str,
    output: Path | None,
    written_form: str | None,
    force: bool,
    dry_run: bool,
    **options: Any,
) -> None:
    """Renew the stored key-server URL if it is due; on failure the stored one stays as it is.

    It is due at two thirds of `ticket_lifetime`, or after `renew_after`; where the profile states neither, always.
    """
    from drmkit.keyserver import account  # noqa: PLC0415
    from drmkit.keyserver.renewal import RenewalPolicy  # noqa: PLC0415
    from drmkit.keyserver.renewal import refresh as run  # noqa: PLC0415

    profile = app.profile(**options, output=str(output) if output else None, write=written_form)
    store = _store(app, profile, create_folder=not dry_run)
    if dry_run:
        _show_plan(profile, form, output=store.path)
        return
    outcome = run(
        store,
        lambda: account.mint(profile, prompt=app.prompt),
        policy=RenewalPolicy(renew_after=profile.get("renew_after"), lifetime=profile.get("ticket_lifetime")),
        force=force,
        service=account.key_server(profile).service,
    )
    if form == "json":
        data = {"renewed": outcome.renewed, "output": str(store.path), **as_fields(outcome.url, reveal=False)}
        emit(form, data, "")
    else:
        app.talk(f"{outcome.summary} -> {store.path}")


@key_url.command(short_help="Show the stored URL and its age.")
@_output_option
@click.option("--reveal", is_flag=True, help="Show the ticket too.")
@format_option
@pass_app
def show(app: App, /, *, form: str, output: Path | None, reveal: bool) -> None:
    """Show the stored key-server URL and its age, the ticket masked."""
    profile = app.profile(output=str(output) if output else None)
    store = _store(app, profile)
    stored = store.load()
    if stored is None:
        raise NoValidUrlError(
            f"no key-server URL is stored in {store.path}", hint="run `drmkit key-url refresh` with the same options"
        )
    now = datetime.now(UTC)
    age = max(0, int((now - stored.issued_at).total_seconds()))
    data = {
        **as_fields(stored, reveal=reveal),
        "path": str(store.path),
        "age_seconds": age,
        "valid": stored.is_valid(now),
    }
    emit(form, data, lambda: _describe(stored, store.path, age, reveal=reveal))
    if not stored.is_valid(now):
        raise NoValidUrlError(
            f"the stored URL expired at {stored.expires_at:%FT%TZ}", hint="run `drmkit key-url refresh`"
        )


def _describe(stored: KeyServerUrl, path: Path, age: int, *, reveal: bool) -> str:
    fields = as_fields(stored, reveal=reveal)
    rows = {
        "url": fields["url"],
        "service": fields["service"],
        "issued": f"{fields['issued_at']} ({age} s ago)",
        "expires": fields["expires_at"] or "not known: the profile states no ticket_lifetime",
        "file": str(path),
    }
    return "\n".join(f"{name + ':':9}{value}" for name, value in rows.items())


def _show_plan(profile: Profile, form: str, *, output: Path | None) -> None:
    from drmkit.keyserver import account  # noqa: PLC0415

    server = account.key_server(profile)
    username = profile.require("username")
    data = {
        "dry_run": True,
        "login": server.hosts.tickets_url,
        "username": username,
        "service": server.service,
        "output": None if output is None else str(output),
    }
    lines = [f"would log in at {server.hosts.tickets_url} as {username}", f"would take a ticket for {server.service}"]
    if output is not None:
        lines.append(f"would write {output}")
    emit(form, data, "\n".join(lines))


def _store(app: App, profile: Profile, *, create_folder: bool = False) -> UrlStore:
    named = profile.get("output")
    form = cast("Form", profile.get("write") or "json")
    if named:
        return UrlStore(Path(named).expanduser(), form)
    path = state_folder(app.environ) / "key-url" / f"{quote(profile.name, safe='')}.json"
    store = UrlStore(path, form)
    if create_folder:
        store.create_folder()
    return store
