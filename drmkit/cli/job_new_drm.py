"""The DRM tasks of `drmkit job new`: options that stand once for all tasks, or once for each."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from drmkit.secret import Secret

if TYPE_CHECKING:
    from drmkit.mps.drm import Protection
    from drmkit.mps.job import StreamingTask

__all__ = ["DRM_OPTIONS", "option_name", "secret_file", "streaming_tasks"]

_CLEAR, _AES = "none", "simpleaes"
_SPEKE_OPTIONS = ("method", "preset", "resource_id", "key_source", "iv")
_AES_OPTIONS = ("aes_uri", "aes_key_file", "iv")
_NAME_OPTIONS = ("manifest", "substreams", "segments")

DRM_OPTIONS = (
    click.option(
        "--drm",
        multiple=True,
        metavar="TYPE",
        help="widevine, playready, fairplay, several joined by +, simpleaes, or none; once for each task.",
    ),
    click.option("--definition", multiple=True, type=int, help="ID of an adaptive-bitrate template."),
    click.option("--method", multiple=True, metavar="NAME", help="cenc or cbcs; default: that of the DRM type."),
    click.option("--preset", multiple=True, metavar="NAME", help="preset0: one key; preset1: a key for each stream."),
    click.option("--resource-id", multiple=True, metavar="ID", help="The content ID at the key server."),
    click.option("--key-source", multiple=True, metavar="drmtoday:PROFILE|URL", help="Where the keys come from."),
    click.option("--iv", multiple=True, metavar="HEX", help="Initialization vector, 32 digits; default: a random one."),
    click.option("--aes-uri", multiple=True, metavar="URI", help="simpleaes: where players fetch the key."),
    click.option("--aes-key-file", multiple=True, metavar="FILE", help="simpleaes: a file with the key, 32 digits."),
    click.option("--manifest", multiple=True, metavar="PATH", help="OutputObjectPath; it ends with .{format}."),
    click.option("--substreams", multiple=True, metavar="PATH", help="SubStreamObjectName."),
    click.option("--segments", multiple=True, metavar="PATH", help="SegmentObjectName, for HLS."),
)


def streaming_tasks(given: dict[str, Any]) -> list[StreamingTask]:
    """Return the adaptive-bitrate tasks that the options name; none without --drm."""
    if not given["drm"]:
        _refuse_unused(given, [])
        return []
    if not given["definition"]:
        raise click.UsageError("--drm needs --definition, the ID of an adaptive-bitrate template")
    from drmkit.mps.drm import normalize  # noqa: PLC0415
    from drmkit.mps.job import StreamingTask  # noqa: PLC0415

    count = max(len(given["drm"]), len(given["definition"]))
    kinds = [kind if kind == _CLEAR else normalize(kind) for kind in _spread(given, "drm", count)]
    common = {name: _spread(given, name, count) for name in ("definition", *_NAME_OPTIONS)}
    speke = _columns(given, _SPEKE_OPTIONS, sum(kind not in {_CLEAR, _AES} for kind in kinds), "key servers")
    aes = _columns(given, _AES_OPTIONS, kinds.count(_AES), "simpleaes")
    _refuse_unused(given, kinds)
    rows = {True: iter(aes), False: iter(speke)}
    return [
        StreamingTask(
            protection=None if kind == _CLEAR else _protection(kind, next(rows[kind == _AES])),
            **{name: column[number] for name, column in common.items()},
        )
        for number, kind in enumerate(kinds)
    ]


def _columns(given: dict[str, Any], names: Sequence[str], count: int, what: str) -> list[dict[str, Any]]:
    """Return the options of the tasks of one sort, one dictionary for each task."""
    columns = {name: _spread(given, name, count, what) for name in names} if count else {}
    return [{name: column[number] for name, column in columns.items()} for number in range(count)]


def _spread(given: dict[str, Any], name: str, count: int, what: str = "") -> list[Any]:
    values = given[name]
    if len(values) > 1 and len(values) != count:
        tasks = f"{count} task{'s' if count != 1 else ''}{f' with {what}' if what else ''}"
        raise click.UsageError(
            f"{option_name(name)} is given {len(values)} times for {tasks}: give it once for all, or once for each"
        )
    return list(values) * count if len(values) == 1 else list(values) or [None] * count


def _refuse_unused(given: dict[str, Any], kinds: list[str]) -> None:
    """Refuse options that no task uses: whoever gives them expects something of them."""
    used = set(_AES_OPTIONS) if _AES in kinds else set()
    if any(kind not in {_CLEAR, _AES} for kind in kinds):
        used |= set(_SPEKE_OPTIONS)
    names = (*_SPEKE_OPTIONS, *_AES_OPTIONS)
    for name in names if kinds else ("definition", *names, *_NAME_OPTIONS):
        if given[name] and name not in used:
            with_what = f"does not go with --drm {' --drm '.join(kinds)}" if kinds else "needs --drm"
            raise click.UsageError(f"{option_name(name)} {with_what}")


def _protection(kind: str, given: dict[str, Any]) -> Protection:
    from drmkit.mps import drm  # noqa: PLC0415

    wanted = ("aes_uri", "aes_key_file") if kind == _AES else ("resource_id", "key_source")
    missing = [option_name(name) for name in wanted if given[name] is None]
    if missing:
        raise click.UsageError(f"--drm {kind} needs {' and '.join(missing)}")
    if kind == _AES:
        key = secret_file(given["aes_key_file"]) or Secret("")
        return drm.SimpleAes(uri=given["aes_uri"], key=key, iv=given["iv"])
    return drm.protection(kind)(
        resource_id=given["resource_id"],
        key_source=given["key_source"],
        iv=given["iv"] or secrets.token_bytes(16),
        method=given["method"],
        preset=given["preset"],
    )


def secret_file(path: str | None) -> Secret[str] | None:
    """Return what stands in the job for a secret in a file: its absolute path, which any job file's folder leads to."""
    from drmkit.mps.job import SECRET_FILE  # noqa: PLC0415

    return None if path is None else Secret(f"{SECRET_FILE}{Path(path).expanduser().absolute()}")


def option_name(name: str) -> str:
    """Return an option as it is written."""
    return f"--{name.replace('_', '-')}"
