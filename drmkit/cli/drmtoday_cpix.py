"""`drmkit drmtoday cpix generate | process`: documents from a CPIX configuration, by GET or by POST."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from drmkit.cli.cpix_files import deliver, file_argument, output_option, read_bytes
from drmkit.cli.drmtoday_common import api_options, dry_run_option, profile_of, show_call
from drmkit.cli.output import App, pass_app
from drmkit.errors import InputError, ProtocolError

if TYPE_CHECKING:
    from drmkit.config import Profile
    from drmkit.keyserver.drmtoday import DrmtodayKeyServer
    from drmkit.secret import Secret

__all__ = ["generate", "process"]

_SIGNALING = "x-signaling-alg"
_LARGEST = 4 * 2**20
config_option = click.option("--cpix-config", metavar="ID", help="The CPIX configuration. [env: DRMTODAY_CPIX_CONFIG]")
reveal_option = click.option("--reveal", is_flag=True, help="Print the document to standard output, keys and all.")


@click.command()
@click.option("--asset-id", metavar="ID", required=True, help="The asset to make keys for.")
@click.option("--signaling", type=click.Choice(["cenc", "cbcs"]), help="x-signaling-alg: the protection scheme.")
@config_option
@api_options
@reveal_option
@dry_run_option
@output_option
@pass_app
def generate(app: App, /, *, asset_id: str, signaling: str | None, output: Path | None, **given: Any) -> None:
    """Have a CPIX document made for an asset (GET).

    This is an ingest: DRMtoday makes key IDs and content keys from the configuration's seeds, and registers them.
    """
    _needs_place(given, output)
    profile = profile_of(app, given)
    server = _server(profile, asset_id)
    if signaling is not None:
        server = replace(server, query={**server.query, _SIGNALING: signaling})
    if given["dry_run"]:
        details = {"asset": asset_id, "ingests": True} | ({} if signaling is None else {_SIGNALING: signaling})
        show_call(profile, "text", "GET", server.service, details=details)
        return
    app.talk("this is an ingest: the key server makes key IDs and registers content keys")
    _finish(app, _fetched(app, profile, server, None, {}), output, reveal=given["reveal"])


@click.command()
@file_argument
@click.option("--speke-version", type=click.Choice(["1.0", "2.0", "2.1"]), help="Send X-Speke-Version (2.0, 2.1).")
@config_option
@api_options
@reveal_option
@dry_run_option
@output_option
@pass_app
def process(app: App, /, *, path: str, speke_version: str | None, output: Path | None, **given: Any) -> None:
    """Have a request document (CPIX without keys, such as a SPEKE request) filled with keys (POST).

    The dashboard's table names this call, and that it serves SPEKE 1 and 2; which requests it takes otherwise is not
    public. `drmkit speke request` makes such requests.
    """
    from drmkit import cpix  # noqa: PLC0415 (help needs no parser)

    _needs_place(given, output)
    body = read_bytes(path, limit=_LARGEST)
    if len(body) > _LARGEST:
        raise InputError(f"the request is larger than {_LARGEST} bytes")
    asked = len(cpix.parse(body).content_keys)
    if not asked:
        raise InputError("the request asks for no content key", hint="make one with `drmkit speke request --dry-run`")
    profile = profile_of(app, given)
    server = _server(profile, None)
    if given["dry_run"]:
        show_call(profile, "text", "POST", server.service, details={"content_keys": asked, "bytes": len(body)})
        return
    headers = {} if speke_version in {None, "1.0"} else {"X-Speke-Version": str(speke_version)}
    _finish(app, _fetched(app, profile, server, body, headers), output, reveal=given["reveal"])


def _needs_place(given: dict[str, Any], output: Path | None) -> None:
    if output is None and not given["reveal"] and not given["dry_run"]:
        raise click.UsageError("the document holds content keys: name a private file with --output, or say --reveal")


def _server(profile: Profile, asset_id: str | None) -> DrmtodayKeyServer:
    from drmkit.keyserver import account  # noqa: PLC0415 (help needs none of it)

    return replace(account.key_server(profile), asset_id=asset_id)


def _fetched(
    app: App, profile: Profile, server: DrmtodayKeyServer, body: bytes | None, headers: dict[str, str]
) -> Secret[bytes]:
    from drmkit.keyserver import account  # noqa: PLC0415
    from drmkit.keyserver.fetch import fetch_document  # noqa: PLC0415

    with account.cas_client(profile, prompt=app.prompt) as cas, account.http_client(profile) as http:
        url = server.mint(cas)
        return fetch_document(url, http=http, retrier=account.retrier(profile), request=body, headers=headers)


def _finish(app: App, content: Secret[bytes], output: Path | None, *, reveal: bool) -> None:
    from drmkit import cpix  # noqa: PLC0415

    try:
        document = cpix.parse(content.reveal())
    except InputError as error:
        raise ProtocolError(f"the answer is no CPIX document: {error.message}", hint=error.hint) from None
    deliver(content.reveal(), output, secret=True, reveal=reveal, what="the document")
    report = cpix.validate(document)
    state = "valid" if report.valid else f"NOT VALID, {len(report.errors)} error(s): see drmkit cpix validate"
    count = len(document.content_keys)
    app.talk(f"CPIX {report.version} with {count} content keys, {state}{f' -> {output}' if output is not None else ''}")
