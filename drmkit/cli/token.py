"""`drmkit token`: who gets a license: DRMtoday's upfront tokens and custom data, made, explained, verified."""

from __future__ import annotations

import click

from drmkit.cli.lazy import LazyGroup
from drmkit.cli.output import App, pass_app

__all__ = ["token"]

_COMMANDS = {
    "new": ("drmkit.cli.token_new:new", "Make an upfront token (JWT), for the header x-dt-auth-token."),
    "custom-data": ("drmkit.cli.token_new:custom_data", "Make custom data, for the header x-dt-custom-data."),
    "explain": ("drmkit.cli.token_explain:explain", "Read a token back without its secret, and say what is wrong."),
    "verify": ("drmkit.cli.token_explain:verify", "Check a token against the shared secrets."),
    "secret": ("drmkit.cli.token_explain:secret", "Make a shared secret, in a new private file."),
}


@click.group(cls=LazyGroup, commands_by_name=_COMMANDS, invoke_without_command=True)
@click.option("--explain", "explained", metavar="FILE|-", help="The same as the command `explain`.")
@pass_app
@click.pass_context
def token(context: click.Context, app: App, /, *, explained: str | None) -> int | None:
    """Authorize license requests at DRMtoday: upfront tokens and custom data.

    A license request has one of two headers, never both: x-dt-auth-token holds a token that your backend has signed
    with a secret that it shares with DRMtoday, and x-dt-custom-data says whose license it is where DRMtoday asks your
    backend (callback authorization) or nobody (test modes).
    """
    if context.invoked_subcommand is not None:
        if explained is not None:
            raise click.UsageError("--explain stands alone: it reads a token and does nothing else")
        return None
    if explained is None:
        raise click.UsageError(f"name a command: {', '.join(_COMMANDS)}")
    from drmkit.cli.token_explain import explain_source  # noqa: PLC0415 (help needs none of it)

    return explain_source(app, explained, "text")
