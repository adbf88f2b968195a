"""`drmkit cpix fetch`: get a document from a key server, which is an ingest and no harmless look."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from drmkit.cli.cpix_files import STDIN, deliver, output_option, read_bytes
from drmkit.cli.output import App, pass_app
from drmkit.errors import InputError, ProtocolError
from drmkit.secret import MASK, Secret

if TYPE_CHECKING:
    from drmkit.config import Profile
    from drmkit.keyserver.url import KeyServerUrl

__all__ = ["fetch"]

_ACCOUNT = "drmtoday:"
_TIMEOUT = 10.0


@click.command()
@click.argument("source", metavar="drmtoday:PROFILE|URL|-", required=False)
@click.option(
    "--url-file",
    type=click.Path(path_type=Path),
    help="Take the URL from this file, as `drmkit key-url refresh` writes it.",
)
@click.option("--reveal", is_flag=True, help="Print the document to standard output, content keys and all.")
@click.option("--dry-run", is_flag=True, help="Say what would be called, and call nothing.")
@output_option
@pass_app
def fetch(
    app: App, /, *, source: str | None, url_file: Path | None, reveal: bool, dry_run: bool, output: Path | None
) -> None:
    """Get a CPIX document from a key server.

    This is an ingest: the key server makes key IDs and registers content keys for the asset, and may charge for it.
    SOURCE is an account (drmtoday:PROFILE logs in and takes a fresh ticket), a key server's URL, or - to read the URL
    from standard input, where other users of this machine cannot see its ticket.
    """
    if (source is None) == (url_file is None):
        raise click.UsageError("name either a source or --url-file")
    if output is None and not reveal and not dry_run:
        raise click.UsageError("the document holds content keys: name a private file with --output, or say --reveal")
    account = source if source is not None and source.startswith(_ACCOUNT) else None
    profile = None if account is None else _profile(app, account.removeprefix(_ACCOUNT))
    if dry_run:
        click.echo(_plan(source, url_file, profile))
        return
    url = _mint(app, profile) if profile is not None else _url(app, source, url_file)
    app.talk("this is an ingest: the key server makes key IDs and registers content keys")
    content = _get(url, profile)
    verdict = _look(content)
    deliver(content.reveal(), output, secret=True, reveal=reveal, what="the document")
    app.talk(f"{verdict}{f' -> {output}' if output is not None else ''}")


def _profile(app: App, name: str) -> Profile:
    if not name:
        raise click.UsageError("name the account's profile: drmtoday:PROFILE")
    return replace(app, profile_name=name).profile()


def _mint(app: App, profile: Profile) -> KeyServerUrl:
    from drmkit.keyserver import account  # noqa: PLC0415 (help needs no network)

    return account.mint(profile, prompt=app.prompt)


def _url(app: App, source: str | None, url_file: Path | None) -> KeyServerUrl | Secret[str]:
    if url_file is not None:
        from drmkit.keyserver.store import parse_stored  # noqa: PLC0415

        stored = parse_stored(read_bytes(str(url_file)), where=str(url_file), changed=datetime.now(UTC))
        if not stored.is_valid(datetime.now(UTC)):
            raise InputError(f"the URL in {url_file} has expired", hint="run `drmkit key-url refresh`")
        return stored
    text = sys.stdin.read(65536).strip() if source == STDIN else str(source)
    if not text.startswith(("https://", "http://")) or len(text.split()) != 1 or not _host(text):
        raise InputError(
            "the source is neither drmtoday:PROFILE nor the URL of a key server",
            hint="`drmkit config show` lists the settings of a profile",
        )
    if source != STDIN and "?" in text:
        app.talk(
            "warning: the URL, ticket and all, shows in the process list and the shell's history: use - or --url-file"
        )
    return Secret(text)


def _host(text: str) -> str:
    try:
        return urlsplit(text).hostname or ""
    except ValueError:
        return ""


def _plan(source: str | None, url_file: Path | None, profile: Profile | None) -> str:
    if profile is not None:
        from drmkit.keyserver import account  # noqa: PLC0415

        server = account.key_server(profile)
        return f"would log in, take a ticket and ingest: GET {server.service}?ticket={MASK}"
    where = f"the URL in {url_file}" if url_file is not None else "the URL from standard input"
    if source not in {None, STDIN}:
        where = f"{urlsplit(str(source)).scheme}://{_host(str(source))}/{MASK}"
    return f"would ingest: GET {where}"


def _get(url: KeyServerUrl | Secret[str], profile: Profile | None) -> Secret[bytes]:
    from drmkit.http import HttpClient  # noqa: PLC0415 (help needs no network)
    from drmkit.keyserver.fetch import fetch_document  # noqa: PLC0415

    timeout = None if profile is None else profile.get("timeout")
    ca_file = None if profile is None else profile.get("ca_file")
    seconds = timeout.total_seconds() if timeout else _TIMEOUT
    with HttpClient(timeout=seconds, ca_file=None if ca_file is None else str(Path(ca_file).expanduser())) as http:
        return fetch_document(url, http=http)


def _look(content: Secret[bytes]) -> str:
    """Say what came; what is no CPIX document at all is refused, and what is faulty is kept."""
    from drmkit import cpix  # noqa: PLC0415

    try:
        document = cpix.parse(content.reveal())
    except InputError as error:
        raise ProtocolError(f"the key server's answer is no CPIX document: {error.message}", hint=error.hint) from None
    report = cpix.validate(document)
    errors = len(report.errors)
    state = (
        "valid" if report.valid else f"NOT VALID, {errors} error{'' if errors == 1 else 's'}: see drmkit cpix validate"
    )
    count = len(document.content_keys)
    return f"CPIX {report.version} with {count} content key{'' if count == 1 else 's'}, {state}"
