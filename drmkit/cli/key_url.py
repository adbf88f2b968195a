"""`drmkit key-url`: get, renew, watch and show expiring key-server URLs; each command is loaded when it is called."""

from __future__ import annotations

import click

from drmkit.cli.lazy import LazyGroup

__all__ = ["key_url"]

_COMMANDS = {
    "get": ("drmkit.cli.key_url_get:get", "Print a URL, ticket and all: a fresh one, or one that is young enough."),
    "refresh": ("drmkit.cli.key_url_refresh:refresh", "Renew the stored URL if it is due."),
    "due": ("drmkit.cli.key_url_show:due", "Tell whether a refresh would renew: 0 yes, 1 no, 255 anything else."),
    "show": ("drmkit.cli.key_url_show:show", "Show the stored URL, its age, the next run and the last error."),
    "watch": ("drmkit.cli.key_url_watch:watch", "Keep the stored URL fresh until stopped, for containers."),
    "install": ("drmkit.cli.key_url_install:install", "Print or write systemd units or a crontab line."),
}


@click.group("key-url", cls=LazyGroup, commands_by_name=_COMMANDS)
def key_url() -> None:
    """Get, renew, watch and show expiring key-server URLs."""
