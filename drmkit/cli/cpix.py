"""`drmkit cpix`: make, check, show, encrypt, sign and hand on CPIX documents."""

from __future__ import annotations

import click

from drmkit.cli.lazy import LazyGroup

__all__ = ["cpix"]

_COMMANDS = {
    "new": ("drmkit.cli.cpix_new:new", "Build a document from a TOML file, or print such a file to start from."),
    "validate": ("drmkit.cli.cpix_validate:validate", "Find everything that is wrong with documents."),
    "rules": ("drmkit.cli.cpix_rules:rules", "List the rules that documents are checked against."),
    "show": ("drmkit.cli.cpix_show:show", "Show keys, tracks, DRM systems and periods at a glance."),
    "resolve": ("drmkit.cli.cpix_resolve:resolve", "Say which content key is for a track, and why."),
    "encrypt": ("drmkit.cli.cpix_crypto:encrypt", "Encrypt the content keys for recipients."),
    "decrypt": ("drmkit.cli.cpix_crypto:decrypt", "Decrypt the content keys with a private key."),
    "sign": ("drmkit.cli.cpix_crypto:sign", "Sign a list of the document, or all of it."),
    "verify": ("drmkit.cli.cpix_crypto:verify", "Verify signatures against certificates that you trust."),
    "export": ("drmkit.cli.cpix_export:export", "Hand keys on to a packager, a decryptor or a ClearKey player."),
    "fetch": ("drmkit.cli.cpix_fetch:fetch", "Get a document from a key server; this makes keys."),
}


@click.group(cls=LazyGroup, commands_by_name=_COMMANDS)
def cpix() -> None:
    """Make, check, show, encrypt, sign and hand on CPIX documents (DASH-IF, versions 2.1 to 2.4)."""
