"""The shared secrets of the `token` commands: from a file, the profile, the environment; never from an option."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from drmkit import passwords
from drmkit.cli.options import with_options
from drmkit.cli.output import App

if TYPE_CHECKING:
    from drmkit.config import Profile
    from drmkit.licensing.token import SharedSecret

__all__ = ["known_secrets", "own_secret", "secret_options"]

_OPTIONS = (
    click.option("--kid", metavar="ID", help="The shared secret's ID. [env: DRMTODAY_TOKEN_KID]"),
    click.option(
        "--secret-file",
        metavar="FILE",
        help="A private file with the shared secret's hexadecimal digits; - is standard input.",
    ),
)


secret_options = with_options(_OPTIONS)
"""Adds the options that name a shared secret; a command receives them as `kid` and `secret_file`."""


def own_secret(app: App, profile: Profile, *, kid: str | None, file: str | None) -> SharedSecret:
    """Return the shared secret that signs.

    Raises:
        ConfigurationError: it is not set, or is none.
    """
    from drmkit.licensing.token import SharedSecret  # noqa: PLC0415 (help needs none of it)

    named = kid or profile.require("token.kid")
    if file is not None:
        return SharedSecret.parse(named, passwords.from_file(file, what="--secret-file"))
    return SharedSecret.parse(named, profile.secret("token.secret", prompt=app.prompt))


def known_secrets(app: App, profile: Profile, given: Sequence[str]) -> list[SharedSecret]:
    """Return the shared secrets that may have signed: `KID=FILE` each, or else the profile's own.

    Raises:
        ConfigurationError: one is not set, or is none.
    """
    from drmkit.licensing.token import SharedSecret  # noqa: PLC0415

    if not given:
        return [own_secret(app, profile, kid=None, file=None)]
    found = []
    for text in given:
        kid, equals, file = text.partition("=")
        if not (kid and equals and file):
            raise click.BadParameter(f"{text!r} is not KID=FILE", param_hint="--secret-file")
        found.append(SharedSecret.parse(kid, passwords.from_file(file, what="--secret-file")))
    return found
