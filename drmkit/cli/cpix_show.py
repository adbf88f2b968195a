"""`drmkit cpix show`: a document as tables that a person understands at a glance, or as one HTML page."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from drmkit.cli.cpix_files import STDIN, file_argument, printable, read_document
from drmkit.cli.output import App, emit, format_option, pass_app
from drmkit.keyserver.store import write_atomically

if TYPE_CHECKING:
    from rich.table import Table

    from drmkit.cpix import Report
    from drmkit.cpix.overview import KeyEntry, Overview, SystemEntry

__all__ = ["show"]

_MASK = "**********"
_SHOWN = 100
_PIPED = 1000
_ROOMY = 100
_STATES = {"encrypted": "encrypted", "requested": "asked for", "unreadable": "unreadable"}


@click.command()
@file_argument
@click.option("--reveal", is_flag=True, help="Show the content keys.")
@click.option("--html", type=click.Path(path_type=Path), help="Write one self-contained page to this file instead.")
@click.option("--all", "everything", is_flag=True, help=f"Show more than {_SHOWN} rows of a table.")
@format_option
@pass_app
def show(app: App, /, *, path: str, reveal: bool, html: Path | None, everything: bool, form: str) -> None:
    """Show keys, tracks, DRM systems and periods of a CPIX document at a glance; content keys are masked."""
    from drmkit import cpix  # noqa: PLC0415 (help needs no parser)
    from drmkit.cpix.overview import overview  # noqa: PLC0415

    document = read_document(path)
    report = cpix.validate(document)
    seen = overview(document)
    title = "standard input" if path == STDIN else Path(path).name
    if html is not None:
        from drmkit.cpix.page import page  # noqa: PLC0415

        content = page(seen, report, title=title, reveal=reveal).encode("utf-8")
        write_atomically(html.expanduser(), content, mode=0o600 if reveal else 0o644)
        app.talk(f"the page is in {html}")
        return
    emit(form, _fields(seen, report, reveal=reveal), lambda: _draw(seen, report, printable(title), reveal, everything))


def _fields(seen: Overview, report: Report, *, reveal: bool) -> dict[str, Any]:
    names = ("kid", "state", "iv", "scheme", "tracks", "systems", "depends_on", "content_id", "hdcp", "line")
    return {
        "cpix_version": report.version,
        "valid": report.valid,
        "findings": report.counts,
        **{name.replace(" ", "_").lower(): value for name, value in seen.head},
        "keys": [{**{n: getattr(entry, n) for n in names}, "key": _hex(entry, reveal=reveal)} for entry in seen.keys],
        "tracks": [
            {"name": t.name, "tracks": t.words, "periods": t.periods, "kid": t.kid, "line": t.line} for t in seen.tracks
        ],
        "systems": [
            {
                "name": s.name,
                "system_id": s.system_id,
                "keys": s.keys,
                "parts": dict(s.parts),
                "placeholders": dict(s.placeholders),
                "details": s.details,
            }
            for s in seen.systems
        ],
        "periods": [{"id": p.id, "when": p.words, "kids": p.kids} for p in seen.periods],
        "recipients": seen.recipients,
        "signatures": seen.signatures,
        "update_history": seen.updates,
    }


def _hex(entry: KeyEntry, *, reveal: bool) -> str | None:
    if entry.key is None:
        return None
    return entry.key.reveal().hex() if reveal else _MASK


def _draw(seen: Overview, report: Report, title: str, reveal: bool, everything: bool) -> str:
    from rich.console import Console  # noqa: PLC0415 (tables are for people only)

    context = click.get_current_context(silent=True)
    color = None if context is None else context.color
    terminal = sys.stdout.isatty()
    colored = terminal if color is None else color
    width = shutil.get_terminal_size().columns if terminal else _PIPED
    console = Console(
        width=max(width, 40), force_terminal=colored, no_color=not colored, highlight=False, legacy_windows=False
    )
    limit = None if everything else _SHOWN
    with console.capture() as capture:
        for line in _head(seen, report, title):
            console.print(line, markup=False)
        for table in _tables(seen, reveal, limit, _is_short(seen, console.width)):
            console.print()
            console.print(table)
        for name, lines in (
            ("recipients", seen.recipients),
            ("signatures", seen.signatures),
            ("update history", seen.updates),
        ):
            if lines:
                console.print()
                console.print(name, style="bold", markup=False)
            for line in lines:
                console.print(f"  {printable(line)}", markup=False)
    drawn = [line.rstrip() for line in capture.get().splitlines()]
    kept = [line for line, before in zip(drawn, ["", *drawn], strict=False) if line or before]
    return "\n".join(kept).rstrip("\n")


def _head(seen: Overview, report: Report, title: str) -> list[str]:
    counts = report.counts
    found = ", ".join(
        f"{counts[name]} {label}{'' if counts[name] == 1 else 's'}"
        for name, label in (("error", "error"), ("warning", "warning"))
        if name in counts
    )
    verdict = "valid" if report.valid else "NOT VALID"
    lines = [f"{title}: CPIX {report.version}, {verdict}{f' ({found}; see drmkit cpix validate)' if found else ''}"]
    lines += [f"{name}: {printable(value)}" for name, value in seen.head]
    return lines


def _tables(seen: Overview, reveal: bool, limit: int | None, short: bool) -> list[Table]:
    tables = [_keys(seen, reveal, limit, short)] if seen.keys else []
    if seen.tracks:
        rows = [
            [
                track.name or "",
                track.words,
                *([", ".join(track.periods)] if seen.periods else []),
                _short(track.kid, short),
            ]
            for track in seen.tracks[:limit]
        ]
        columns = ["track", "which tracks", *(["periods"] if seen.periods else []), "key ID"]
        tables.append(_table("tracks", columns, rows, len(seen.tracks)))
    if seen.systems:
        rows = [[system.name, _parts(system), str(system.keys), "\n".join(system.details)] for system in seen.systems]
        tables.append(_table("DRM systems", ["system", "carries", "keys", "details"], rows, len(rows)))
    if seen.periods:
        rows = [[p.id, p.words, str(len(p.kids))] for p in seen.periods[:limit]]
        tables.append(_table("key periods", ["period", "when", "keys"], rows, len(seen.periods)))
    return tables


def _keys(seen: Overview, reveal: bool, limit: int | None, short: bool) -> Table:
    columns = ["track", "key ID", "scheme", "key", "IV", "DRM systems"]
    extras: dict[str, Callable[[KeyEntry], str]] = {
        "root key": lambda entry: _short(entry.depends_on or "", short),
        "content ID": lambda entry: entry.content_id or "",
        "HDCP": lambda entry: entry.hdcp or "",
    }
    wanted = {name: get for name, get in extras.items() if any(get(entry) for entry in seen.keys)}
    rows = []
    for entry in seen.keys[:limit]:
        value = _STATES.get(entry.state) or _hex(entry, reveal=reveal) or ""
        iv = "" if entry.iv is None else entry.iv
        row = [
            "\n".join(entry.tracks),
            _short(entry.kid, short),
            entry.scheme or "",
            value,
            iv,
            ", ".join(entry.systems),
        ]
        rows.append([*row, *(get(entry) for get in wanted.values())])
    if not any(row[4] for row in rows):
        columns.pop(4)
        rows = [[*row[:4], *row[5:]] for row in rows]
    return _table("content keys", [*columns, *wanted], rows, len(seen.keys))


def _table(title: str, columns: list[str], rows: list[list[str]], total: int) -> Table:
    from rich import box  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    more = f"{len(rows)} of {total} shown; --all shows all" if len(rows) < total else None
    table = Table(
        title=title, title_justify="left", title_style="bold", caption=more, box=box.SIMPLE_HEAD, padding=(0, 1)
    )
    for name in columns:
        keep = name in {"key ID", "scheme", "root key"}
        table.add_column(name, no_wrap=keep, overflow="fold", justify="right" if name == "keys" else "left")
    for row in rows:
        table.add_row(*(Text("\n".join(printable(line) for line in cell.split("\n"))) for cell in row))
    return table


def _is_short(seen: Overview, width: int) -> bool:
    """Whether key IDs are cut to their first groups: where there is little room, and these tell the keys apart."""
    return width < _ROOMY and len({entry.kid[:8] for entry in seen.keys}) == len(seen.keys)


def _short(kid: str, short: bool) -> str:
    return f"{kid[:8]}…" if short and len(kid) > 9 else kid  # noqa: PLR2004 (longer than what would be shown)


def _parts(system: SystemEntry) -> str:
    filled = [f"{name}{_share(count, system)}" for name, count in system.parts]
    empty = [f"{name} asked for{_share(count, system)}" for name, count in system.placeholders]
    return ", ".join([*filled, *empty]) or "nothing"


def _share(count: int, system: SystemEntry) -> str:
    return "" if count == system.keys else f" ({count} of {system.keys})"
