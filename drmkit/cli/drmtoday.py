"""`drmkit drmtoday`: the endpoints of a DRMtoday account: keys in and out, CPIX documents, and any other call."""

from __future__ import annotations

import click

from drmkit.cli.lazy import LazyGroup

__all__ = ["cpix", "drmtoday", "keys"]

_COMMANDS = {
    "keys": ("drmkit.cli.drmtoday:keys", "Bring content keys in, remove, query and list them."),
    "cpix": ("drmkit.cli.drmtoday:cpix", "Have CPIX documents generated or filled."),
    "endpoints": ("drmkit.cli.drmtoday_call:endpoints", "List the endpoints, with the account's own names in them."),
    "call": ("drmkit.cli.drmtoday_call:call", "Call any other endpoint with a ticket of its own."),
}
_KEYS = {
    "ingest": ("drmkit.cli.drmtoday_ingest:ingest", "Bring content keys in, from a file or standard input."),
    "remove": ("drmkit.cli.drmtoday_keys:remove", "Remove a key, by its ID or by asset, stream type and variant."),
    "query": ("drmkit.cli.drmtoday_keys:query", "Show what is known about key IDs, without the keys."),
    "download": ("drmkit.cli.drmtoday_keys:download", "Show what is known about all keys, without the keys."),
}
_CPIX = {
    "generate": ("drmkit.cli.drmtoday_cpix:generate", "GET: have a document made for an asset, which is an ingest."),
    "process": ("drmkit.cli.drmtoday_cpix:process", "POST: have a request document filled with keys."),
}


@click.group(cls=LazyGroup, commands_by_name=_COMMANDS)
def drmtoday() -> None:
    """Use the API endpoints of a DRMtoday account.

    Each call takes a service ticket of its own. Ingest and removal name the organization by its API name, everything
    else by its UUID: the profile holds both, as `organization_name` and `organization`.
    """


@click.group(cls=LazyGroup, commands_by_name=_KEYS)
def keys() -> None:
    """Bring content keys in, remove, query and list them."""


@click.group(cls=LazyGroup, commands_by_name=_CPIX)
def cpix() -> None:
    """Have CPIX documents generated (GET) or filled (POST) by a CPIX configuration."""
