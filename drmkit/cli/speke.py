"""`drmkit speke`: ask a key provider for content keys, and check what a provider does."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import click

from drmkit.cli.output import App, emit, format_option, pass_app
from drmkit.cli.speke_connection import (
    client_for,
    connection_options,
    endpoint_of,
    find_vendor,
    http_client,
    style_of,
    tell_unknown,
)
from drmkit.cli.usage import as_usage
from drmkit.errors import DrmkitError, InputError, VerdictError
from drmkit.secret import MASK

if TYPE_CHECKING:
    from drmkit.cpix import Document
    from drmkit.identifiers import DrmSystem
    from drmkit.speke.kit import CaseResult, KitReport

__all__ = ["Progress", "speke"]

_SYSTEMS = ("widevine", "playready", "fairplay", "common", "clearkey_dash", "clearkey_aes128", "clearkey_sample_aes")


@click.group()
def speke() -> None:
    """Exchange content keys by SPEKE (1.0, 2.0, 2.1), and check key providers."""


@speke.command(short_help="Ask a provider for content keys.")
@click.argument("content_id")
@click.option("--url", help="The provider's URL; use --url-file where it holds a token.")
@connection_options
@click.option("--video", metavar="PRESET", help="VIDEO-1 to VIDEO-8, SHARED or UNENCRYPTED; default: VIDEO-1.")
@click.option("--audio", metavar="PRESET", help="AUDIO-1 to AUDIO-3, SHARED or UNENCRYPTED; default: AUDIO-1.")
@click.option(
    "--system",
    "systems",
    type=click.Choice(_SYSTEMS),
    multiple=True,
    help="Default: those of widevine, playready and fairplay that play the scheme.",
)
@click.option("--scheme", help="The protection scheme; default: what all systems play.")
@click.option("--period", "periods", type=int, multiple=True, metavar="INDEX", help="A key period; may be repeated.")
@click.option(
    "--certificate",
    "certificates",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Ask for keys encrypted for this certificate (PEM or DER).",
)
@click.option("--output", type=click.Path(path_type=Path), help="Write the document there (0600).")
@click.option("--reveal", is_flag=True, help="Print the document, keys and all.")
@click.option("--dry-run", is_flag=True, help="Print the request, and send nothing.")
@format_option
@pass_app
def request(
    app: App,
    /,
    *,
    content_id: str,
    video: str | None,
    audio: str | None,
    systems: tuple[str, ...],
    scheme: str | None,
    periods: tuple[int, ...],
    certificates: tuple[Path, ...],
    output: Path | None,
    reveal: bool,
    dry_run: bool,
    form: str,
    **connection: Any,
) -> None:
    """Ask a key provider for the content keys of CONTENT_ID, and check that its answer keeps the contract.

    Key IDs follow from the content ID, the track type and the key period, so that asking again asks for the same keys.
    """
    from drmkit.speke.request import KeyPeriod, build_request  # noqa: PLC0415 (help needs no XML)

    endpoint = None if dry_run else endpoint_of(app, connection, content_id)
    version, bare = style_of(connection) if endpoint is None else (endpoint.version, endpoint.bare)
    with as_usage():
        asked = build_request(
            content_id,
            version=version,
            video=video,
            audio=audio,
            systems=_systems(systems) if systems else None,
            scheme=scheme,
            periods=[KeyPeriod(index=index) for index in periods],
            certificates=[_certificate(path) for path in certificates],
            bare=bare,
        )
    if endpoint is None:
        click.echo(asked.to_xml().decode(), nl=False)
        return
    with http_client(connection) as http:
        try:
            document = client_for(endpoint, http).request(asked)
        except DrmkitError:
            tell_unknown(app, connection)
            raise
    _show(app, document, form, output, reveal=reveal)


@speke.command(short_help="Check what a provider does, case by case.")
@click.argument("url", required=False)
@connection_options
@click.option("--system", "systems", type=click.Choice(_SYSTEMS), multiple=True, help="What the provider serves.")
@click.option("--group", "groups", metavar="NAME", multiple=True, help="Run only this group of cases.")
@click.option("--quick", is_flag=True, help="Only the presets of AWS's own verification suite.")
@click.option("--verbose", is_flag=True, help="List the cases that passed, too.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "junit"]),
    default="text",
    show_default=True,
    help="A table for people, JSON with stable keys, or JUnit XML.",
)
@click.option("--output", type=click.Path(path_type=Path), help="Write the report there.")
@pass_app
def check(
    app: App,
    /,
    *,
    systems: tuple[str, ...],
    groups: tuple[str, ...],
    quick: bool,
    verbose: bool,
    form: str,
    output: Path | None,
    **connection: Any,
) -> None:
    """Check a key provider: headers, echo, determinism, signaling, encryption, presets, periods, refusals.

    Each case asks for keys of content IDs of its own, beginning with `drmkit`; a provider may remember them. The exit
    code is 1 if any case fails.
    """
    from drmkit.speke.kit import KitOptions, cases_for, run_kit  # noqa: PLC0415 (help needs no XML)

    endpoint = endpoint_of(app, connection)
    options = KitOptions(systems=_systems(systems), groups=frozenset(groups), quick=quick)
    with http_client(connection) as http:
        client = client_for(endpoint, http)
        with as_usage():
            total = len(cases_for(client, options))
        with Progress(total, shown=sys.stderr.isatty() and not app.quiet) as progress:
            report = run_kit(client, options, on_result=progress.step)
    _tell(report, form, output, verbose=verbose)
    if not report.ok:
        raise VerdictError(
            f"{report.count('failed')} of {len(report.results)} cases failed",
            hint="the report says what each expects, and why",
        )


@speke.command(short_help="List the providers that are known.")
@click.argument("name", required=False)
@format_option
def vendors(*, name: str | None, form: str) -> None:
    """List the providers whose interface is publicly known, or tell what is known of one."""
    from drmkit.speke.vendors import VENDORS  # noqa: PLC0415

    chosen = [find_vendor(name)] if name else list(VENDORS.values())
    rows = [
        {
            "name": vendor.name,
            "title": vendor.title,
            "url": vendor.url or None,
            "speke_version": vendor.version,
            "auth": vendor.auth,
            "fields": list(vendor.required),
            "secrets": [field for field in vendor.required if vendor.is_secret(field)],
            "content_ids": vendor.content_ids[1] or None,
            "unknown": list(vendor.unknown),
            "source": vendor.source,
        }
        for vendor in chosen
    ]
    emit(form, {"vendors": rows}, lambda: "\n\n".join(_vendor_text(row) for row in rows))


def _vendor_text(row: Mapping[str, Any]) -> str:
    version = f"SPEKE {row['speke_version']}" if row["speke_version"] else "no SPEKE requests known"
    lines = [f"{row['name']}: {row['title']}, {version}", f"  url      {row['url'] or 'not public'}"]
    lines += [f"  {'secret' if field in row['secrets'] else 'field':8} {field}" for field in row["fields"]]
    lines += [f"  ids      {row['content_ids']}"] if row["content_ids"] else []
    lines += [f"  unknown  {text}" for text in row["unknown"]]
    return "\n".join([*lines, f"  source   {row['source']}"])


def _systems(names: tuple[str, ...]) -> tuple[DrmSystem, ...]:
    from drmkit.identifiers import DrmSystem  # noqa: PLC0415

    return tuple(DrmSystem[name.upper()] for name in names or _SYSTEMS[:3])


def _certificate(path: Path) -> bytes:
    from drmkit.cpix.certificates import read_certificate, to_der  # noqa: PLC0415

    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"--certificate {path} cannot be read ({error.strerror})", hint="name a certificate in PEM or DER"
        ) from None
    return to_der(read_certificate(raw, what=f"the certificate {path}"))


def _show(app: App, document: Document, form: str, output: Path | None, *, reveal: bool) -> None:
    if output is not None:
        from drmkit.keyserver.store import write_atomically  # noqa: PLC0415

        write_atomically(output, document.to_xml())
        app.talk(f"the document is in {output}, for your eyes only: it may hold keys in the clear")
    if reveal and form == "text":
        click.echo(document.to_xml().decode(), nl=False)
        return
    rows = [_row(document, key, reveal=reveal) for key in document.content_keys]
    data = {"content_id": document.content_id or document.id, "cpix_version": document.version, "keys": rows}
    emit(form, {**data, "output": str(output) if output else None}, lambda: "\n".join(_key_text(row) for row in rows))
    if output is None and not reveal:
        app.talk("the keys are not shown and not stored: add --output or --reveal")


def _row(document: Document, key: Any, *, reveal: bool) -> dict[str, Any]:
    from drmkit.identifiers import system_name  # noqa: PLC0415

    value = key.key
    shown = "encrypted" if value is None else value.reveal().hex() if reveal else MASK
    return {
        "kid": key.kid.uuid,
        "key": shown,
        "iv": None if key.iv is None else key.iv.hex(),
        "scheme": key.scheme,
        "tracks": [rule.intended_track_type for rule in document.usage_rules.for_key(key.kid)],
        "systems": [system_name(entry.system_id) for entry in document.drm_systems.for_key(key.kid)],
    }


def _key_text(row: Mapping[str, Any]) -> str:
    tracks = ",".join(name for name in row["tracks"] if name) or "all"
    return f"{row['kid']} {row['key']} {row['scheme'] or '-'} {tracks} {','.join(row['systems'])}"


def _tell(report: KitReport, form: str, output: Path | None, *, verbose: bool) -> None:
    from drmkit.speke.kit import to_junit, to_table  # noqa: PLC0415

    if form == "json":
        text = json.dumps({"schema_version": 1, **report.to_dict()}, indent=2, ensure_ascii=False)
    else:
        text = to_junit(report).decode() if form == "junit" else to_table(report, verbose=verbose)
    if output is None:
        click.echo(text)
    else:
        from drmkit.keyserver.store import write_atomically  # noqa: PLC0415

        write_atomically(output, f"{text.rstrip()}\n".encode())


class Progress:
    """Count cases on standard error, where a person looks on."""

    def __init__(self, total: int, *, shown: bool) -> None:
        self._bar: Any = None
        if shown:
            self._bar = click.progressbar(length=total, label="checking", file=sys.stderr)

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.__exit__(*error)

    def step(self, result: CaseResult) -> None:
        """Note that a case has ended."""
        if self._bar is not None:
            self._bar.update(1, result)
