"""What the `drmtoday` commands share: the account's options, an open client, the plan of a dry run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from drmkit.cli.options import with_options
from drmkit.cli.output import App, emit

if TYPE_CHECKING:
    from drmkit.config import Profile
    from drmkit.keyserver.keymanagement import KeyManagement

__all__ = ["ACCOUNT", "api_options", "dry_run_option", "open_keys", "profile_of", "show_call"]

_OPTIONS = (
    click.option("--username", metavar="NAME", help="API account. [env: DRMTODAY_USERNAME]"),
    click.option("--password-file", metavar="FILE", help="Read the password from a private file."),
    click.option("--organization", metavar="UUID", help="Organization UUID. [env: DRMTODAY_ORGANIZATION]"),
    click.option(
        "--organization-name", metavar="NAME", help="Organization API name. [env: DRMTODAY_ORGANIZATION_NAME]"
    ),
    click.option("--environment", metavar="NAME", help="production or staging. [env: DRMTODAY_ENVIRONMENT]"),
    click.option("--timeout", metavar="TIME", help="Limit for one exchange, such as 10s."),
)
ACCOUNT = ("username", "password_file", "organization", "organization_name", "environment", "timeout")
dry_run_option = click.option("--dry-run", is_flag=True, help="Say what would be called, and call nothing.")


api_options = with_options(_OPTIONS)
"""Adds the options that name an account; a command receives them by the names of settings, see `ACCOUNT`."""


def profile_of(app: App, given: Mapping[str, Any]) -> Profile:
    """Load the profile, overridden by a command's account options."""
    return app.profile(**{name: given[name] for name in (*ACCOUNT, "cpix_config") if name in given})


@contextmanager
def open_keys(app: App, profile: Profile) -> Iterator[KeyManagement]:
    """Open a key management client for a profile's account; nothing is called yet."""
    from drmkit.keyserver import account  # noqa: PLC0415 (help needs no network)
    from drmkit.keyserver.keymanagement import KeyManagement  # noqa: PLC0415

    organization = account.organization(profile)
    with account.cas_client(profile, prompt=app.prompt) as cas, account.http_client(profile) as http:
        yield KeyManagement(organization, cas=cas, http=http, retrier=account.retrier(profile))


def show_call(profile: Profile, form: str, method: str, service: str, *, details: Mapping[str, Any]) -> None:
    """Say what a call would do.

    Args:
        profile: the account.
        form: `text` or `json`.
        method: the HTTP method.
        service: the URL without its ticket.
        details: what else there is to tell, without keys.
    """
    username = profile.require("username")
    data = {"dry_run": True, "username": username, "method": method, "service": service, **details}
    lines = [f"would take a ticket for {service} as {username}", f"would call {method} {service}"]
    lines += [f"  {name.replace('_', ' ')}: {value}" for name, value in details.items()]
    emit(form, data, "\n".join(lines))
