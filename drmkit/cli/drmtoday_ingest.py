"""`drmkit drmtoday keys ingest`: bring content keys in from a CPIX document, or from the API's own JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from drmkit.cli.cpix_files import file_argument, read_bytes
from drmkit.cli.drmtoday_common import api_options, dry_run_option, open_keys, profile_of, show_call
from drmkit.cli.output import App, emit, format_option, pass_app
from drmkit.errors import CpixError, InputError

if TYPE_CHECKING:
    from drmkit.cpix import Document
    from drmkit.keyserver.ingest import IngestAsset
    from drmkit.keyserver.keyanswer import IngestedKey

__all__ = ["assets_of_document", "ingest"]

_LARGEST = 16 * 2**20


@click.command()
@file_argument
@click.option("--asset-id", metavar="ID", help="CPIX: the asset; default: the document's contentId.")
@click.option("--stream-type", metavar="TYPE", help="CPIX: the stream type of a key whose usage rule names no track.")
@click.option("--api", type=click.Choice(["v3", "v2"]), default="v3", show_default=True, help="The API's version.")
@click.option(
    "--scheme",
    "schemes",
    type=click.Choice(["cenc", "cbcs"]),
    multiple=True,
    help="v3: answer signaling for it; default: cenc.",
)
@click.option("--kind", type=click.Choice(["CENC", "FAIRPLAY", "WIDEVINE"]), default="CENC", help="v2: what for.")
@click.option("--overwrite", is_flag=True, help="v3: replace keys that are there already.")
@click.option("--clear-key", is_flag=True, help="v3: allow ClearKey licenses too; not for production keys.")
@api_options
@dry_run_option
@format_option
@pass_app
def ingest(
    app: App, /, *, path: str, api: Any, schemes: tuple[str, ...], form: str, dry_run: bool, **given: Any
) -> None:
    """Bring content keys in.

    FILE is a CPIX document with its keys in the clear, whose usage rules name the stream types, or the API's JSON:
    {"assets": [{"assetId": "...", "ingestKeys": [{"streamType", "keyId", "key", "iv"}]}]}, all in base64. - is
    standard input. Keys are never options, and never shown.
    """
    from drmkit.keyserver import account  # noqa: PLC0415 (help needs none of it)
    from drmkit.keyserver.ingest import check_assets  # noqa: PLC0415

    _refuse_other_api(api, schemes, given)
    assets = _assets(path, given)
    problems = check_assets(assets, kind=given["kind"])
    if problems:
        raise InputError("; ".join(problems), hint="correct the keys; nothing was sent")
    _warn(app, assets)
    profile = profile_of(app, given)
    service = account.organization(profile).service("ingest" if api == "v3" else "ingest-v2")
    if dry_run:
        keys = ", ".join(f"{key.stream_type} {key.kid}" for asset in assets for key in asset.keys)
        show_call(
            profile, form, "POST", service, details={"assets": ", ".join(a.asset_id for a in assets), "keys": keys}
        )
        return
    with open_keys(app, profile) as client:
        taken = client.ingest(assets, api=api, schemes=schemes or ("cenc",), kind=given["kind"])
    _show(taken, form)
    _tell_unnamed(app, assets, taken)


def _refuse_other_api(api: str, schemes: Sequence[str], given: dict[str, Any]) -> None:
    if api == "v2" and (schemes or given["overwrite"] or given["clear_key"]):
        raise click.UsageError("--scheme, --overwrite and --clear-key go with --api v3")
    if api == "v3" and given["kind"] != "CENC":
        raise click.UsageError("--kind goes with --api v2")


def _assets(path: str, given: dict[str, Any]) -> tuple[IngestAsset, ...]:
    from dataclasses import replace  # noqa: PLC0415

    from drmkit.keyserver.ingest import parse_assets  # noqa: PLC0415

    data = read_bytes(path, limit=_LARGEST)
    if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        from drmkit import cpix  # noqa: PLC0415 (only for CPIX)

        found: tuple[IngestAsset, ...] = (
            assets_of_document(cpix.parse(data), asset_id=given["asset_id"], stream_type=given["stream_type"]),
        )
    elif given["asset_id"] or given["stream_type"]:
        raise click.UsageError("--asset-id and --stream-type go with a CPIX document: JSON says both itself")
    else:
        found = parse_assets(data)
    return tuple(
        replace(
            asset,
            overwrite=asset.overwrite or given["overwrite"],
            keys=tuple(replace(key, clear_key=key.clear_key or given["clear_key"]) for key in asset.keys),
        )
        for asset in found
    )


def assets_of_document(document: Document, *, asset_id: str | None, stream_type: str | None) -> IngestAsset:
    """Return the asset that a CPIX document's content keys make up.

    Args:
        document: with its keys in the clear.
        asset_id: the asset; None takes the document's content ID.
        stream_type: of keys whose usage rules name no track type; None takes none.

    Raises:
        CpixError: the asset or a stream type is not to be told, a rule's track type is none of DRMtoday's, or a key
            is encrypted or missing.
    """
    from drmkit.keyserver.ingest import STREAM_TYPES, IngestAsset, IngestKey  # noqa: PLC0415

    named = asset_id or document.content_id
    if not named:
        raise CpixError("the document has no contentId", hint="name the asset with --asset-id")
    keys = []
    for content_key in document.content_keys:
        labels = _labels(rule.intended_track_type for rule in document.usage_rules if rule.kid == content_key.kid)
        label = labels[0] if labels else stream_type
        if label is None or (labels and label not in STREAM_TYPES):
            said = f"is for {label}, which is none of DRMtoday's stream types" if label else "has no track type"
            raise CpixError(
                f"the key {content_key.kid} {said}",
                hint=f"give it a usage rule with intendedTrackType {', '.join(STREAM_TYPES)}, or use the API's JSON",
            )
        if content_key.key is None:
            raise CpixError(
                f"the key {content_key.kid} is {'encrypted' if content_key.is_encrypted else 'not in the document'}",
                hint="open it first: drmkit cpix decrypt",
            )
        keys.append(IngestKey(label, content_key.kid, content_key.key, content_key.iv))
    return IngestAsset(named, tuple(keys))


def _labels(values: Iterable[str | None]) -> list[str]:
    return list(dict.fromkeys(value for value in values if value))


def _warn(app: App, assets: Sequence[IngestAsset]) -> None:
    from drmkit.keyserver.ingest import STREAM_TYPES  # noqa: PLC0415

    unknown = {key.stream_type for asset in assets for key in asset.keys} - set(STREAM_TYPES)
    if unknown:
        app.talk(
            f"warning: {', '.join(sorted(unknown))}: no public client uses it; known are {', '.join(STREAM_TYPES)}"
        )
    if any(key.clear_key for asset in assets for key in asset.keys):
        app.talk("warning: ClearKey licenses hand the key out in the clear: use this for tests alone")


def _tell_unnamed(app: App, assets: Sequence[IngestAsset], taken: Sequence[IngestedKey]) -> None:
    from drmkit.keyserver.keyanswer import unnamed  # noqa: PLC0415 (help needs none of it)

    left = unnamed((key.kid for asset in assets for key in asset.keys), taken)
    if left:
        kids = ", ".join(map(str, left))
        app.talk(f"warning: the answer does not name {kids}: look with `drmkit drmtoday keys query`")


def _show(taken: Sequence[IngestedKey], form: str) -> None:
    from drmkit.cli.cpix_files import printable  # noqa: PLC0415

    rows = [
        {
            "asset_id": key.asset_id,
            "stream_type": key.stream_type,
            "kid": None if key.kid is None else key.kid.uuid,
            "systems": list(key.systems),
        }
        for key in taken
    ]
    lines = [
        printable(f"{key.kid or '-'}  {key.stream_type or '-'}  {key.asset_id}  {', '.join(key.systems) or '-'}")
        for key in taken
    ]
    emit(form, {"keys": rows}, "\n".join(lines) if lines else "DRMtoday names no key in its answer")
