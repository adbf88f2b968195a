"""`drmkit drmtoday keys remove | query | download`: what DRMtoday knows about keys, and how they go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from drmkit.cli.drmtoday_common import api_options, dry_run_option, open_keys, profile_of, show_call
from drmkit.cli.keyid import KEY_ID
from drmkit.cli.output import App, emit, format_option, pass_app
from drmkit.identifiers import KeyId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drmkit.keyserver.keyanswer import KeyRecord

__all__ = ["download", "query", "remove"]


@click.command()
@click.option("--kid", type=KEY_ID, help="The key ID.")
@click.option("--asset-id", metavar="ID", help="The asset, with --stream-type and --variant-id.")
@click.option("--stream-type", metavar="TYPE", help="Such as VIDEO, AUDIO, HD.")
@click.option("--variant-id", metavar="ID", help="The path of this call always names one.")
@api_options
@dry_run_option
@format_option
@pass_app
def remove(app: App, /, *, kid: KeyId | None, form: str, dry_run: bool, **given: Any) -> None:
    """Remove one key, by its ID or by asset, stream type and variant.

    Streams that were encrypted with it get no license any more. The two calls are those of key API v1, whose form is
    known from public clients; the one of v3 is on the dashboard's list, but its body is not public.
    """
    asset = tuple(given[name] for name in ("asset_id", "stream_type", "variant_id"))
    if (kid is None) == (asset == (None,) * 3) or (kid is None and None in asset):
        raise click.UsageError("name either --kid, or --asset-id with --stream-type and --variant-id")
    from drmkit.keyserver import account  # noqa: PLC0415 (help needs none of it)

    profile = profile_of(app, given)
    if kid is not None:
        service = account.organization(profile).service("remove", kid=kid.hex)
    else:
        service = account.organization(profile).service(
            "remove-asset", asset=asset[0], stream=asset[1], variant=asset[2]
        )
    if dry_run:
        show_call(profile, form, "DELETE", service, details={})
        return
    with open_keys(app, profile) as keys:
        if kid is not None:
            keys.remove(kid)
        else:
            keys.remove_asset(*asset)
    named = str(kid) if kid is not None else " ".join(asset)
    emit(form, {"removed": True, "kid": None if kid is None else kid.uuid, "asset_id": asset[0]}, f"removed  {named}")


@click.command()
@click.option("--kid", "kids", type=KEY_ID, multiple=True, required=True, help="A key ID; may be repeated.")
@api_options
@dry_run_option
@format_option
@pass_app
def query(app: App, /, *, kids: tuple[KeyId, ...], form: str, dry_run: bool, **given: Any) -> int:
    """Show what is known about key IDs: asset, stream type, the way they came. If one is not known, exit code 1."""
    from drmkit.keyserver import account  # noqa: PLC0415 (help needs none of it)

    profile = profile_of(app, given)
    service = account.organization(profile).service("query")
    if dry_run:
        show_call(profile, form, "POST", service, details={"key_ids": ", ".join(kid.hex for kid in kids)})
        return 0
    with open_keys(app, profile) as keys:
        records = keys.query(kids)
    _show(records, form)
    found = {record.kid.replace("-", "").lower() for record in records}
    missing = [kid for kid in kids if kid.hex not in found]
    if missing:
        app.talk(f"not known: {', '.join(map(str, missing))}")
    return 1 if missing else 0


@click.command()
@click.option("--asset-id", metavar="ID", help="Show this asset's keys alone; the call answers all.")
@api_options
@dry_run_option
@format_option
@pass_app
def download(app: App, /, *, asset_id: str | None, form: str, dry_run: bool, **given: Any) -> None:
    """Show what is known about all keys of the organization: asset, stream type, the way they came."""
    from drmkit.keyserver import account  # noqa: PLC0415 (help needs none of it)

    profile = profile_of(app, given)
    service = account.organization(profile).service("download")
    if dry_run:
        show_call(profile, form, "GET", service, details={})
        return
    with open_keys(app, profile) as keys:
        records = keys.download()
    _show([record for record in records if asset_id is None or record.asset_id == asset_id], form)


def _show(records: Sequence[KeyRecord], form: str) -> None:
    from drmkit.cli.cpix_files import printable  # noqa: PLC0415

    rows = [
        {
            "kid": record.kid,
            "asset_id": record.asset_id,
            "stream_type": record.stream_type,
            "variant_id": record.variant_id or None,
            "channel": record.channel,
            "more": record.more,
        }
        for record in records
    ]
    lines = [
        printable("  ".join(part or "-" for part in (r.kid, r.stream_type, r.channel, r.asset_id, r.variant_id)))
        for r in records
    ]
    emit(form, {"keys": rows}, "\n".join(lines) if lines else "no keys")
