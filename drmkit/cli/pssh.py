"""`drmkit pssh`: show the DRM boxes in anything that holds them, or build boxes."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from drmkit.cli.keyfile import read_keys
from drmkit.cli.keyid import KEY_ID
from drmkit.cli.output import App, emit, format_option, pass_app, report
from drmkit.errors import InputError, SignalingError
from drmkit.identifiers import KeyId
from drmkit.secret import Secret

if TYPE_CHECKING:
    from drmkit.signaling.describe import BoxDescription
    from drmkit.signaling.mp4 import Found, FoundBox
    from drmkit.signaling.pssh import PsshBox

__all__ = ["pssh"]

_LONGEST_NAME = 100
_COPIED = ("data:", "#ext", "<")
_OF_SYSTEM = {
    "widevine": ("provider", "content_id", "policy", "crypto_period_index"),
    "playready": ("la_url", "lui_url", "ds_id", "custom_attributes", "on_demand", "header_version", "key_file"),
}
_NO_ENCODING = re.compile(r"[^A-Za-z0-9+/=\s]")


@click.group()
def pssh() -> None:
    """Show or build PSSH boxes and PlayReady Objects."""


@pssh.command()
@click.argument("source", metavar="BASE64|HEX|FILE|-")
@format_option
@pass_app
def show(app: App, /, *, source: str, form: str) -> None:
    """Print every box in words.

    Reads boxes, bare PlayReady Objects, CPIX documents, init segments and MP4 files, HLS playlists, DASH and Smooth
    Streaming manifests. An argument that names a file is read; any other is hexadecimal or base64, whichever of the
    two is a box from its first byte to its last, or a data: URI, a key tag or an XML element copied from somewhere.
    """
    from drmkit.signaling.describe import describe  # noqa: PLC0415 (help needs no parser)

    found: list[tuple[FoundBox, BoxDescription]] = []
    problems: list[SignalingError] = []
    for item in _read(source):
        if isinstance(item, SignalingError):
            problems.append(item)
            continue
        try:
            found.append((item, describe(item.box)))
        except SignalingError as error:
            problems.append(SignalingError(f"{item.where}: {error.message}", hint=error.hint))
    boxes = [_fields(item, words) for item, words in found]
    if found or form == "json":
        emit(form, {"boxes": boxes}, lambda: "\n\n".join(_words(number, *pair) for number, pair in enumerate(found, 1)))
    if problems:
        # What can be read is shown all the same: the others may be what is looked for.
        for problem in problems[:-1]:
            report(problem, verbosity=app.verbosity)
        raise problems[-1]
    if not found:
        app.talk("no PSSH boxes are in there")


@pssh.command()
@click.option(
    "--system",
    "systems",
    type=click.Choice(["widevine", "playready", "common"]),
    multiple=True,
    required=True,
    help="Whose box; may be repeated for several boxes in a row.",
)
@click.option("--kid", "kids", type=KEY_ID, multiple=True, required=True, help="A key ID; may be repeated.")
@click.option(
    "--scheme", type=click.Choice(["cenc", "cens", "cbc1", "cbcs"]), default="cenc", show_default=True, help="Scheme."
)
@click.option("--box-version", type=click.Choice(["0", "1"]), default="0", help="1 lists the key IDs in the box too.")
@click.option("--provider", metavar="NAME", help="Widevine: the content provider.")
@click.option("--content-id", metavar="TEXT", help="Widevine: the provider's name of the content.")
@click.option("--policy", metavar="NAME", help="Widevine: a registered policy.")
@click.option("--crypto-period-index", type=click.IntRange(0, 0xFFFFFFFF), help="Widevine: which key period.")
@click.option("--la-url", metavar="URL", help="PlayReady: license acquisition URL.")
@click.option("--lui-url", metavar="URL", help="PlayReady: page for license acquisition with a person.")
@click.option("--ds-id", type=click.UUID, help="PlayReady: domain service ID.")
@click.option("--custom-attributes", metavar="XML", help="PlayReady: what stands in CUSTOMATTRIBUTES.")
@click.option("--on-demand", is_flag=True, help="PlayReady: licenses come later (DECRYPTORSETUP).")
@click.option("--header-version", metavar="X.Y.0.0", help="PlayReady: default: the lowest that will do.")
@click.option(
    "--key-file",
    type=click.Path(path_type=Path),
    help="PlayReady: lines of KID:KEY in hexadecimal, in a file only you can read, for the CHECKSUM.",
)
@click.option("--as", "encoding", type=click.Choice(["base64", "hex"]), default="base64", help="Default: base64.")
@format_option
@pass_app
def build(app: App, /, *, form: str, systems: tuple[str, ...], encoding: str, **options: Any) -> None:
    """Build boxes and print them, in a row, as base64 or hexadecimal."""
    from drmkit.signaling.describe import describe  # noqa: PLC0415
    from drmkit.signaling.pssh import build as row  # noqa: PLC0415

    del app
    for owner, names in _OF_SYSTEM.items():
        named = [name for name in names if options[name] is not None and options[name] is not False]
        if named and owner not in systems:
            raise click.UsageError(f"--{named[0].replace('_', '-')} belongs to --system {owner}")
    options["header_version"] = options["header_version"] or ""
    options["keys"] = read_keys(options.pop("key_file"))
    boxes = [_build(system, **options) for system in systems]
    raw = row(boxes)
    data = {
        "pssh": _encode(raw, encoding),
        "boxes": [{**_summary(describe(box)), "pssh": _encode(box.to_bytes(), encoding)} for box in boxes],
    }
    emit(form, data, lambda: _encode(raw, encoding))


def _build(
    system: str,
    *,
    kids: tuple[KeyId, ...],
    scheme: str,
    box_version: str,
    provider: str | None,
    content_id: str | None,
    policy: str | None,
    crypto_period_index: int | None,
    la_url: str | None,
    lui_url: str | None,
    ds_id: UUID | None,
    custom_attributes: str | None,
    on_demand: bool,
    header_version: str,
    keys: dict[KeyId, Secret[bytes]],
) -> PsshBox:
    from drmkit.signaling import common, playready, widevine  # noqa: PLC0415 (help needs none of them)

    if system == "common":
        return common.pssh_box(kids)
    if system == "widevine":
        return widevine.pssh_box(
            kids,
            scheme,
            provider=provider,
            content_id=None if content_id is None else content_id.encode("utf-8"),
            policy=policy,
            crypto_period_index=crypto_period_index,
            version=int(box_version),
        )
    return playready.pssh_box(
        kids,
        scheme,
        keys=keys,
        version=header_version,
        la_url=la_url,
        lui_url=lui_url,
        ds_id=ds_id,
        custom_attributes=custom_attributes,
        on_demand=on_demand,
        box_version=int(box_version),
    )


def _read(source: str) -> list[Found]:
    from drmkit.signaling import find  # noqa: PLC0415 (help needs no parser)

    if source == "-":
        return find.survey(sys.stdin.buffer.read())
    path = Path(source).expanduser() if source.startswith("~") else Path(source)
    try:
        if path.is_file():
            with path.open("rb") as stream:
                return find.survey_stream(stream)
    except (OSError, ValueError) as error:
        # Base64 of any length is no file name for some systems; anything else that names a file must be readable.
        if isinstance(error, PermissionError):
            raise InputError(f"{source} cannot be read ({error.strerror})", hint="check its permissions") from None
    if source.lstrip().lower().startswith(_COPIED):
        return find.survey(source.encode("utf-8", "replace"))
    if _NO_ENCODING.search(source):
        raise InputError(f"there is no file {source}", hint="name a file, or pass the box as base64 or hexadecimal")
    try:
        raw = find.decode_text(source)
    except SignalingError as error:
        if len(source) > _LONGEST_NAME or not source.strip():
            raise
        raise InputError(f"there is no file {source}, and {error.message}", hint=error.hint) from None
    return find.survey(raw)


def _fields(item: FoundBox, words: BoxDescription) -> dict[str, Any]:
    return {**_summary(words), "where": item.where, "details": [list(pair) for pair in words.details]}


def _summary(words: BoxDescription) -> dict[str, Any]:
    return {
        "system": words.system,
        "system_id": words.system_id,
        "version": words.version,
        "key_ids": [kid.uuid for kid in words.key_ids],
        "scheme": words.scheme,
        "data": _encode(words.data, "base64"),
    }


def _words(number: int, item: FoundBox, words: BoxDescription) -> str:
    rows = [("system ID", words.system_id)]
    rows += [("key ID", kid.uuid) for kid in words.key_ids]
    rows += [("scheme", words.scheme)] if words.scheme else []
    rows += words.details
    rows.append(("data", f"{len(words.data)} bytes"))
    width = max(len(name) for name, _ in rows) + 2
    head = f"{number}. {words.system}, version {words.version} ({item.where})"
    return "\n".join([head, *(f"   {name:{width}}{value}" for name, value in rows)])


def _encode(raw: bytes, encoding: str) -> str:
    from drmkit.signaling.encodings import to_base64  # noqa: PLC0415

    return raw.hex() if encoding == "hex" else to_base64(raw)
