"""A stream's report in words: a table of tracks, then the findings, the worst first."""

from __future__ import annotations

import textwrap

import click

from drmkit.cli.cpix_files import printable
from drmkit.stream.check.model import Finding, StreamReport, TrackReport

__all__ = ["words"]

_COLORS = {"error": "red", "warning": "yellow", "advice": "cyan", "note": "blue"}
_HEAD = ("track", "", "scheme", "key ID", "IV", "systems", "verdict")
_WIDTH = 100
_SHOWN_KIDS = 2


def words(report: StreamReport) -> str:
    """Return the report for people."""
    parts = [_table(report.tracks)] if report.tracks else []
    parts += [_finding(finding) for finding in report.findings]
    parts.append(_summary(report))
    return "\n\n".join(parts)


def _table(tracks: tuple[TrackReport, ...]) -> str:
    rows = [_HEAD, *(_row(track) for track in tracks)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = []
    for number, row in enumerate(rows):
        line = "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        lines.append(click.style(line, bold=True) if number == 0 else line)
    return "\n".join(lines)


def _row(track: TrackReport) -> tuple[str, ...]:
    kids = ", ".join(track.kids[:_SHOWN_KIDS]) + (", ..." if len(track.kids) > _SHOWN_KIDS else "")
    what = " ".join(part for part in (track.kind, track.codec, track.details) if part)
    scheme = f"{track.scheme or '-'}{f' {track.pattern}' if track.pattern else ''}"
    cells = (
        track.name,
        what,
        scheme,
        kids or "-",
        track.iv.partition(" 0x")[0] or "-",
        ", ".join(track.systems) or "-",
        track.verdict,
    )
    return tuple(printable(cell) for cell in cells)


def _finding(finding: Finding) -> str:
    color = _COLORS[finding.severity]
    head = click.style(f"{finding.severity}[{finding.rule}]", fg=color, bold=True)
    track = f"{printable(finding.track)}: " if finding.track else ""
    lines = [f"{head}: {click.style(track + printable(finding.message), bold=True)}"]
    rows = [("hint", finding.hint), ("source", finding.source)]
    if str(finding.place) != "the stream":
        rows.insert(0, ("at", str(finding.place)))
    for name, text in rows:
        if text and text != "-":
            lines += textwrap.wrap(
                printable(text), _WIDTH, initial_indent=f"  {name + ':':8}", subsequent_indent=" " * 10,
                break_long_words=False, break_on_hyphens=False,
            )  # fmt: skip
    return "\n".join(lines)


def _summary(report: StreamReport) -> str:
    good = click.style("fine", fg="green") if report.ok else click.style("faulty", fg="red", bold=True)
    counts = report.counts
    listed = [
        f"{counts[name]} {name if counts[name] == 1 or name == 'advice' else name + 's'}"
        for name in ("error", "warning", "advice", "note")
        if name in counts
    ]
    size = f"{len(report.tracks)} track{'' if len(report.tracks) == 1 else 's'}"
    return f"{printable(report.manifest)}: {good}, {report.protocol}, {size}" + (
        f": {', '.join(listed)}" if listed else ""
    )
