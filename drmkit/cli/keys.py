"""`drmkit keys`: derive content keys from seeds, or generate fresh ones; keys print only with --reveal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from drmkit.cli.keyid import KEY_ID
from drmkit.cli.output import App, emit, format_option, pass_app
from drmkit.identifiers import KeyId
from drmkit.keys.quality import ALGORITHMS
from drmkit.keys.seedfile import ENCODINGS, Encoding
from drmkit.secret import MASK, Secret

__all__ = ["keys"]

_reveal_option = click.option("--reveal", is_flag=True, help="Print the keys themselves.")


@click.group()
def keys() -> None:
    """Derive content keys from seeds, or generate fresh ones."""


@keys.command()
@click.option("--algorithm", type=click.Choice(ALGORITHMS), required=True, help="How keys are derived.")
@click.option(
    "--seed-file", type=click.Path(path_type=Path), required=True, help="The key seed, in a file only you can read."
)
@click.option("--iv-seed-file", type=click.Path(path_type=Path), help="The IV seed; derive IVs too.")
@click.option(
    "--seed-encoding",
    type=click.Choice(ENCODINGS),
    default="base64",
    show_default=True,
    help="How the seed files are written.",
)
@click.option("--kid", "kids", type=KEY_ID, multiple=True, required=True, help="A key ID; may be repeated.")
@_reveal_option
@format_option
@pass_app
def derive(
    app: App,
    /,
    *,
    algorithm: str,
    seed_file: Path,
    iv_seed_file: Path | None,
    seed_encoding: Encoding,
    kids: tuple[KeyId, ...],
    reveal: bool,
    form: str,
) -> None:
    """Derive the content key of each key ID.

    PlayReady's key seed algorithm is Microsoft's published one. HKDF-SHA256 is RFC 5869 with the info strings that
    the documentation gives. SPEKE-PBKDF2 is that of AWS's SPEKE reference server, whose secret is text: say
    --seed-encoding text.
    """
    from drmkit.keys.derivation import derive as run  # noqa: PLC0415 (help needs no cryptography)
    from drmkit.keys.quality import seed_warnings  # noqa: PLC0415
    from drmkit.keys.seedfile import read_seed  # noqa: PLC0415

    seed = read_seed(seed_file, seed_encoding)
    iv_seed = None if iv_seed_file is None else read_seed(iv_seed_file, seed_encoding)
    for name, value in (("key seed", seed), ("IV seed", iv_seed)):
        for warning in () if value is None or seed_encoding == "text" else seed_warnings(value):
            app.talk(f"warning: {name}: {warning}")
    found = run(algorithm, seed, kids, iv_seed=iv_seed)
    rows = [_row(item.kid, item.key, item.iv, reveal=reveal) for item in found]
    emit(form, {"algorithm": algorithm, "keys": rows}, lambda: _text(rows))


@keys.command()
@click.option("--count", type=click.IntRange(1, 10_000), help="How many keys, each with a fresh key ID; default: 1.")
@click.option("--kid", "kids", type=KEY_ID, multiple=True, help="A key ID to make a key for; default: fresh ones.")
@click.option("--iv", "with_iv", is_flag=True, help="Make IVs too.")
@click.option("--seed", "seed_output", type=click.Path(path_type=Path), help="Make a key seed in a new file instead.")
@_reveal_option
@format_option
@pass_app
def generate(
    app: App,
    /,
    *,
    count: int | None,
    kids: tuple[KeyId, ...],
    with_iv: bool,
    seed_output: Path | None,
    reveal: bool,
    form: str,
) -> None:
    """Generate key IDs and content keys, or a key seed, from the system's random generator."""
    from drmkit.keys import generation  # noqa: PLC0415 (help needs none of it)
    from drmkit.keys.seedfile import write_seed  # noqa: PLC0415

    if seed_output is not None:
        write_seed(seed_output, generation.seed())
        emit(form, {"seed_file": str(seed_output)}, str(seed_output))
        app.talk(f"a key seed of 30 bytes is in {seed_output}, as base64; keep a copy in a safe place")
        return
    if kids and count is not None:
        raise click.UsageError("--count is for fresh key IDs, --kid names them: give one of the two")
    # A key ID that is named twice is one key all the same.
    chosen = tuple(dict.fromkeys(kids)) or tuple(generation.key_id() for _ in range(count or 1))
    rows = [
        _row(kid, generation.content_key(), generation.content_iv() if with_iv else None, reveal=reveal)
        for kid in chosen
    ]
    emit(form, {"keys": rows}, lambda: _text(rows))
    if not reveal:
        app.talk("the keys are not shown and not stored: add --reveal to see them")


def _row(kid: KeyId, key: Secret[bytes], iv: bytes | None, *, reveal: bool) -> dict[str, Any]:
    return {
        "kid": kid.uuid,
        "key": key.reveal().hex() if reveal else MASK,
        "iv": None if iv is None else iv.hex(),
    }


def _text(rows: list[dict[str, Any]]) -> str:
    return "\n".join(" ".join(value for value in row.values() if value is not None) for row in rows)
