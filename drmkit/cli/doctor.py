"""`drmkit doctor`: what works from here, as a report fit for pasting."""

from __future__ import annotations

import platform
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from drmkit import __version__
from drmkit.cli.output import App, emit, format_option, pass_app
from drmkit.config import Profile, default_config_path
from drmkit.doctor import local
from drmkit.doctor.report import Check, Redactor, Report, guarded
from drmkit.errors import ConfigurationError

if TYPE_CHECKING:
    from drmkit.keyserver.url import KeyServerUrl

__all__ = ["doctor"]

_MPS = "MPS"
_LOOK_BACK_SECONDS = 60.0


@click.command(short_help="Check what works from here, as a report fit for pasting.")
@click.option("--offline", is_flag=True, help="Check settings and files alone; call nothing.")
@click.option("--ingest", is_flag=True, help="Fetch a CPIX document too: at DRMtoday that registers keys.")
@format_option
@pass_app
def doctor(app: App, /, *, form: str, offline: bool, ingest: bool) -> int:
    """Check settings, files, network, clocks, login, ticket and MPS credentials, and tell the fix of what fails.

    It logs in once and takes one ticket; it changes nothing. The key server is called with --ingest alone. Account
    names, organization and home folder are masked: the report can be pasted. Exit code 1 if a check failed.
    """
    if offline and ingest:
        raise click.UsageError("--offline and --ingest exclude each other")
    profile: Profile | None = None
    checks = [_version()]

    def load() -> Iterator[Check]:
        nonlocal profile
        profile = app.profile()
        yield Check(
            "configuration", "profile", "pass", f"{profile.name} (usual file: {default_config_path(app.environ)})"
        )

    checks += guarded("configuration", "profile", load)
    if profile is not None:
        checks += _local(app, profile)
        if not offline:
            checks += _remote(app, profile, ingest=ingest)
    names = [] if profile is None else [profile.get(name) or "" for name in ("username", "mps.secret_id")]
    redactor = Redactor(app.environ.get("HOME", ""), tuple(name for name in names if name))
    report = Report(tuple(redactor.check(check) for check in checks))
    emit(form, report.as_fields(), report.as_text)
    return 0 if report.healthy else 1


def _version() -> Check:
    system = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    return Check("program", "drmkit", "pass", f"{__version__} ({system})")


def _local(app: App, profile: Profile) -> list[Check]:
    from drmkit.keyserver.job import store_of  # noqa: PLC0415 (help needs none of it)

    checks = guarded("configuration", "account", lambda: local.check_settings(profile))
    if not checks or checks[-1].state == "fail":
        # What is set is told even where something is missing.
        shown = [
            Check("configuration", name, "pass", f"{setting.shown}  ({setting.origin})")
            for name, setting in sorted(profile.settings.items())
        ]
        checks = [*shown, *checks]
    store = store_of(profile, app.environ)
    checks += guarded("files", "password", lambda: local.check_password(profile))
    checks += guarded("files", "folder of the URL", lambda: local.check_url_file(store))
    checks += guarded("key-server URL", "stored", lambda: local.check_stored_url(profile, store, datetime.now(UTC)))
    return checks


def _remote(app: App, profile: Profile, *, ingest: bool) -> list[Check]:
    from drmkit.doctor import remote  # noqa: PLC0415 (the network is loaded only when it is needed)
    from drmkit.keyserver import account  # noqa: PLC0415
    from drmkit.keyserver.fetch import fetch_document  # noqa: PLC0415
    from drmkit.keyserver.job import store_of  # noqa: PLC0415

    checks = list(remote.check_proxy(app.environ))
    proxied = any(name.upper().endswith("_PROXY") and name.upper() != "NO_PROXY" for name in app.environ)
    made: list[KeyServerUrl] = []
    now = lambda: datetime.now(UTC)  # noqa: E731 (as short as a clock can be)
    with account.http_client(profile) as http:
        checks += guarded("network", "hosts", lambda: remote.check_hosts(profile, http=http, now=now, proxied=proxied))
        store = store_of(profile, app.environ)
        checks += guarded("account", "login", lambda: remote.check_account(profile, store, keep=made, now=now))
        if ingest and made:
            retrier = account.retrier(profile)
            checks += guarded(
                "account",
                "key server",
                lambda: remote.check_key_server(lambda url: fetch_document(url, http=http, retrier=retrier), made[0]),
            )
        elif not ingest:
            checks.append(
                Check("account", "key server", "skip", "a call would be an ingest", "use --ingest to call it")
            )
    return checks + guarded(_MPS, "credentials", lambda: _mps(app, profile))


def _mps(app: App, profile: Profile) -> Iterator[Check]:
    """Ask MPS for the tasks of the last minute: it costs nothing and shows whether the key is accepted."""
    from drmkit.cli.job_access import Access  # noqa: PLC0415

    with Access(app) as access:
        try:
            source = access.key_source
        except ConfigurationError as error:
            if profile.get("mps.secret_id") is not None:
                raise
            yield Check(_MPS, "credentials", "skip", error.message, error.hint or "")
            return
        client = access.client
        next(iter(client.describe_tasks("FINISH", since=time.time() - _LOOK_BACK_SECONDS)), None)
    yield Check(_MPS, "credentials", "pass", f"{client.endpoint.url} accepts the API key from {source}")
