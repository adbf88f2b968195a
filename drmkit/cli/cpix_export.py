"""`drmkit cpix export`: a packager's arguments, a ClearKey set, or JSON of a document's keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from drmkit.cli.cpix_files import deliver, file_argument, output_option, read_document
from drmkit.cli.output import App, pass_app

__all__ = ["export"]


@click.command()
@file_argument
@click.option(
    "--to",
    type=click.Choice(["shaka", "ffmpeg", "bento4", "clearkey", "json"]),
    required=True,
    help="What the keys are for.",
)
@click.option(
    "--for",
    "purpose",
    type=click.Choice(["encrypt", "decrypt"]),
    default="encrypt",
    show_default=True,
    help="What the program shall do with the keys.",
)
@click.option("--period", metavar="ID", help="Only the keys for this key period.")
@click.option("--arguments", is_flag=True, help="Shaka: a line of arguments instead of a flag file.")
@click.option("--own-pssh", is_flag=True, help="Shaka: let the packager make the PSSH boxes, in one run.")
@click.option("--track-id", type=click.IntRange(1), default=1, show_default=True, help="Bento4: the ID of the track.")
@click.option("--reveal", is_flag=True, help="Print the keys to standard output.")
@output_option
@pass_app
def export(app: App, /, *, path: str, to: str, output: Path | None, reveal: bool, **options: Any) -> None:
    """Hand the keys of a document on to a packager, a decryptor or a player.

    The result holds content keys: it goes to a private file (--output), or with --reveal to standard output. Where it
    takes several runs of the packager, the files are numbered: keys.flags becomes keys.1.flags and keys.2.flags.
    """
    from drmkit.cpix.export import export as run  # noqa: PLC0415 (help needs no parser)

    if output is None and not reveal:
        raise click.UsageError("an export holds content keys: name a private file with --output, or say --reveal")
    made = run(read_document(path), to, **options)
    if output is None:
        text = "\n".join(part.reveal() for part in made.parts)
        deliver(text.encode(), None, secret=True, reveal=reveal, what="an export")
    else:
        for place, part in zip(_places(output, len(made.parts)), made.parts, strict=True):
            deliver(part.reveal().encode(), place, secret=True, reveal=reveal, what="an export")
            app.talk(f"the keys are in {place}, which only you can read")
    for note in made.notes:
        app.talk(f"note: {note}")


def _places(output: Path, count: int) -> list[Path]:
    if count == 1:
        return [output]
    return [output.with_name(f"{output.stem}.{number}{output.suffix}") for number in range(1, count + 1)]
