"""`drmkit stream`: check any HLS or DASH stream, and list the rules."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from drmkit.cli.cpix_files import STDIN, printable, read_document
from drmkit.cli.keyfile import read_keys_and_ivs
from drmkit.cli.output import App, emit, format_option, pass_app

if TYPE_CHECKING:
    from drmkit.cpix import Document
    from drmkit.stream.check.catalog import StreamRule
    from drmkit.stream.check.model import StreamReport

__all__ = ["stream"]

_FAULTY = 1
_SEGMENTS = 3


class _Segments(click.ParamType[int]):
    """A number of segments, or `all` (which is 0)."""

    name = "N|all"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        text = str(value)
        if text == "all" or value == 0:
            return 0
        if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 1_000_000:  # noqa: PLR2004
            self.fail(f"{text!r} is neither a number of segments nor `all`", param, ctx)
        return int(text)


@click.group()
def stream() -> None:
    """Check encrypted streams: what the manifest says, what the media says, and whether it decrypts."""


@stream.command()
@click.argument("manifest")
@click.option("--cpix", "cpix_file", metavar="FILE|-", help="The CPIX document that the stream should follow.")
@click.option(
    "--decrypt-key", metavar="FILE", help="The private key for an encrypted document, in a file only you can read."
)
@click.option("--password-file", metavar="FILE", help="The passphrase of the private key, in a file only you can read.")
@click.option(
    "--key-file",
    type=click.Path(path_type=Path),
    help="Content keys: lines of KID:KEY in hexadecimal, in a file only you can read. KID:KEY:IV where nothing else "
    "states the IV, as with FairPlay in MPEG-TS.",
)
@click.option(
    "--source",
    "sources",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Clear media that the stream was made of, to compare packets with; may be repeated.",
)
@click.option(
    "--segments",
    type=_Segments(),
    default=_SEGMENTS,
    show_default=True,
    help="How many segments of each track to read: the first, the last, others between.",
)
@click.option(
    "--max-bytes", type=click.IntRange(1), default=1 << 30, show_default=True, help="How much to read in all."
)
@click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder that a local manifest may refer into; default: its own.",
)
@click.option(
    "--fetch-keys", is_flag=True, help="Fetch keys of AES-128 and SAMPLE-AES from their URLs, as a player does."
)
@click.option(
    "--decode/--no-decode",
    default=True,
    help="Decrypt and decode segments, or only compare what is said.  [default: decode]",
)
@click.option("--ffmpeg", type=click.Path(path_type=Path), help="ffmpeg 8 or later; default: that of the extra.")
@format_option
@pass_app
def check(
    app: App,
    /,
    *,
    manifest: str,
    cpix_file: str | None,
    decrypt_key: str | None,
    password_file: str | None,
    key_file: Path | None,
    ffmpeg: Path | None,
    form: str,
    **options: Any,
) -> None:
    """Check a stream: MANIFEST is an HLS playlist or a DASH manifest, a local file or an http or https URL.

    Key IDs, schemes, IVs, PSSH boxes and tags of manifest and segments are compared with each other, and with a CPIX
    document. With keys, of the document or a key file, segments are decrypted and decoded: noise gives a wrong key
    away. `drmkit stream rules` lists what is looked for.

    Exit code 0: nothing is wrong; 1: there are errors; 2: the manifest cannot be read; 69: its server is unavailable.
    Warnings, advice and notes change no exit code.
    """
    from drmkit.cli.stream_words import words  # noqa: PLC0415 (help needs no reader)
    from drmkit.stream.check import check_stream  # noqa: PLC0415

    document = _document(app, cpix_file, decrypt_key, password_file)
    keys, ivs = read_keys_and_ivs(key_file)
    options["segments"] = options["segments"] or None
    with _progress(app) as progress:
        report: StreamReport = check_stream(
            manifest, document=document, keys=keys, ivs=ivs, tools=_tools(ffmpeg), progress=progress, **options
        )
    emit(form, report.to_dict(), lambda: words(report))
    if not report.ok:
        raise click.exceptions.Exit(_FAULTY)


@stream.command()
@click.argument("names", nargs=-1, metavar="[RULE]...")
@click.option("--severity", type=click.Choice(["error", "warning", "advice", "note"]), help="Only rules of this kind.")
@format_option
@pass_app
def rules(app: App, /, *, names: tuple[str, ...], severity: str | None, form: str) -> None:
    """List the rules that streams are checked against; with names, say all about these."""
    from drmkit.stream.check.catalog import RULES  # noqa: PLC0415

    del app
    for name in names:
        if name not in RULES:
            near = get_close_matches(name, RULES, n=1)
            raise click.UsageError(f"there is no rule {name!r}." + (f" Did you mean {near[0]!r}?" if near else ""))
    chosen = [RULES[name] for name in names] or list(RULES.values())
    chosen = [rule for rule in chosen if severity in {None, rule.severity}]
    text = "\n\n".join(_whole(rule) for rule in chosen) if names else _table(chosen)
    emit(form, {"rules": [asdict(rule) for rule in chosen]}, text)


def _document(app: App, path: str | None, key: str | None, password_file: str | None) -> Document | None:
    if path is None:
        if key is not None or password_file is not None:
            raise click.UsageError("--decrypt-key and --password-file are for a document: name it with --cpix")
        return None
    document = read_document(path)
    if key is None:
        return document
    from drmkit import cpix  # noqa: PLC0415
    from drmkit.cli.cpix_crypto import read_private_key  # noqa: PLC0415

    if path == STDIN and password_file == STDIN:
        raise click.UsageError("the document and the passphrase cannot both come from standard input")
    return cpix.decrypt(document, read_private_key(app, key, password_file))


def _tools(ffmpeg: Path | None) -> Any:
    if ffmpeg is None:
        return None
    from drmkit.stream.tools import find_tools  # noqa: PLC0415

    # Only ffmpeg and ffprobe are used; ffprobe stands beside ffmpeg as a rule.
    beside = ffmpeg.parent / ffmpeg.name.replace("ffmpeg", "ffprobe")
    return find_tools(packager=ffmpeg, ffmpeg=ffmpeg, ffprobe=beside if beside.is_file() else ffmpeg)


@contextmanager
def _progress(app: App) -> Iterator[Any]:
    """Yield what shows the progress on a terminal, and takes it away again."""
    if app.quiet or not sys.stderr.isatty():
        yield None
        return

    def show(done: int, total: int, name: str) -> None:
        click.echo(f"\r\x1b[2K[{done + 1}/{total}] {printable(name)}", err=True, nl=False)

    try:
        yield show
    finally:
        click.echo("\r\x1b[2K", err=True, nl=False)


def _table(entries: list[StreamRule]) -> str:
    widths: Mapping[str, int] = {
        name: max((len(getattr(entry, name)) for entry in entries), default=0) for name in ("id", "severity")
    }
    return "\n".join(
        f"{entry.id:{widths['id']}}  {entry.severity:{widths['severity']}}  {entry.summary}" for entry in entries
    )


def _whole(rule: StreamRule) -> str:
    return f"{rule.id} ({rule.severity})\n  {rule.summary}\n  hint:   {rule.hint}\n  source: {rule.source}"
