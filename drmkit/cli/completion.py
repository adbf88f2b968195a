"""`drmkit completion`: print the completion script for a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

__all__ = ["completion"]


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script for bash, zsh or fish.

    Put it where the shell looks, for instance: drmkit completion fish > ~/.config/fish/completions/drmkit.fish
    """
    from drmkit.cli.main import cli  # noqa: PLC0415 (the root command imports this module)

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"no completion for {shell}")
    click.echo(kind(cli, {}, "drmkit", "_DRMKIT_COMPLETE").source())
