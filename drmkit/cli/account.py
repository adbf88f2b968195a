"""The options that name a DRMtoday account; a password is never one of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

__all__ = ["account_options"]

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--username", metavar="NAME", help="API account. [env: DRMTODAY_USERNAME]"),
    click.option("--password-file", metavar="FILE", help="Read the password from a private file; - is standard input."),
    click.option("--organization", metavar="UUID", help="Organization UUID. [env: DRMTODAY_ORGANIZATION]"),
    click.option("--cpix-config", metavar="ID", help="ID of the CPIX configuration. [env: DRMTODAY_CPIX_CONFIG]"),
    click.option("--asset-id", metavar="ID", help="Fix the asset in the URL (untested with MPS)."),
    click.option("--environment", metavar="NAME", help="production or staging. [env: DRMTODAY_ENVIRONMENT]"),
    click.option("--timeout", metavar="TIME", help="Limit for one exchange, such as 10s."),
)


def account_options(function: F) -> F:
    """Add the account options to a command; it receives them as keyword arguments by the names of settings."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function
