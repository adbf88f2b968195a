"""A document as one self-contained HTML page: nothing is loaded, nothing runs, every value is escaped."""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Callable, Sequence
from html import escape
from typing import Final

from drmkit.cpix.overview import KeyEntry, Overview, SystemEntry, TrackEntry
from drmkit.cpix.report import Finding, Report
from drmkit.secret import MASK

__all__ = ["page"]

_STYLE: Final = """
:root{color-scheme:light dark;--ink:#1b1f24;--dim:#5b6570;--line:#d9dee4;--back:#f6f7f9;--card:#fff;--good:#116d3b;
--bad:#b3261e;--warn:#8a5a00;--bar:#3b6fd4}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ed;--dim:#9aa4af;--line:#343b43;--back:#15181c;--card:#1d2126;
--good:#5fd394;--bad:#ff8a80;--warn:#f0b955;--bar:#7aa5f5}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:70rem;margin:0 auto;padding:1.5rem 1rem 4rem}
h1{font-size:1.5rem;line-height:1.25;margin:0 0 .5rem;overflow-wrap:anywhere}
h2{font-size:1.1rem;margin:2rem 0 .5rem}
section{background:var(--card);border:1px solid var(--line);border-radius:.6rem;overflow:hidden}
.chips{display:flex;flex-wrap:wrap;gap:.5rem;margin:.5rem 0 1rem;padding:0;list-style:none}
.chips li{border:1px solid var(--line);border-radius:1rem;padding:.1rem .75rem;background:var(--card);font-size:.9rem}
.good{color:var(--good);font-weight:600}.bad{color:var(--bad);font-weight:600}.warn{color:var(--warn);font-weight:600}
.dim{color:var(--dim)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem;margin:0}
dt{color:var(--dim)}dd{margin:0;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.5rem .75rem;border-top:1px solid var(--line);overflow-wrap:anywhere}
td:first-child{min-width:8rem}
thead th{border-top:0;color:var(--dim);font-weight:600;font-size:.85rem;white-space:nowrap}
code{font:.9em/1.4 ui-monospace,monospace}
code.kid{white-space:nowrap}
ul.plain{margin:0;padding:.5rem .75rem;list-style:none}
ul.plain li{padding:.25rem 0;overflow-wrap:anywhere}
.scale{padding:.75rem}
.row{display:grid;grid-template-columns:8rem 1fr;gap:.75rem;align-items:center;padding:.15rem 0}
.row span{overflow-wrap:anywhere}
svg{display:block;width:100%;height:1rem;overflow:visible}
svg .rail{fill:var(--back)}
svg .bar{fill:var(--bar)}
svg text{fill:var(--dim);font-size:.75rem;text-anchor:middle}
@media(max-width:44rem){
thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
tr{display:block;padding:.5rem .75rem;border-top:1px solid var(--line)}
tbody tr:first-child{border-top:0}
td{display:grid;grid-template-columns:6.5rem 1fr;gap:.5rem;border:0;padding:.15rem 0}
td::before{content:attr(data-name);color:var(--dim);font-size:.85rem}
td:empty{display:none}
code.kid{white-space:normal}
.row{grid-template-columns:5rem 1fr}
svg text:nth-child(even){display:none}
}
""".strip()
_TICKS: Final = (
    (25_344, "144p"),
    (230_400, "360p"),
    (589_824, "576p"),
    (921_600, "720p"),
    (2_073_600, "1080p"),
    (8_294_400, "2160p"),
)
_LEAST: Final = math.log2(15_000)
_MOST: Final = math.log2(40_000_000)
_STATES: Final = {"encrypted": "encrypted", "requested": "asked for", "unreadable": "unreadable"}


def page(seen: Overview, report: Report, *, title: str, reveal: bool = False) -> str:
    """Return a page with keys, tracks, DRM systems, periods and findings.

    Args:
        seen: the document in words.
        report: what validation found.
        title: the name of the document.
        reveal: show the content keys; else a mask stands in their places.
    """
    policy = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    body = "".join(
        [
            _head(seen, report, title),
            _keys(seen.keys, reveal=reveal),
            _tracks(seen.tracks),
            _systems(seen.systems),
            _periods(seen),
            *(_list(name, lines) for name, lines in _lists(seen)),
            _findings(report.findings),
        ]
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{policy}'; "
        "base-uri 'none'; form-action 'none'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{_text(title)}: CPIX</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )


def _head(seen: Overview, report: Report, title: str) -> str:
    counts = report.counts
    verdict = '<span class="good">valid</span>' if report.valid else '<span class="bad">not valid</span>'
    chips = [f"CPIX {_text(report.version or '')}", verdict]
    for name, style in (("error", "bad"), ("warning", "warn")):
        if name in counts:
            chips.append(f'<span class="{style}">{counts[name]} {name}{"" if counts[name] == 1 else "s"}</span>')
    for items, name in ((seen.keys, "content key"), (seen.systems, "DRM system")):
        chips.append(f"{len(items)} {name}{'' if len(items) == 1 else 's'}")
    rows = "".join(f"<dt>{_text(name)}</dt><dd>{_text(value)}</dd>" for name, value in seen.head)
    listed = "".join(f"<li>{chip}</li>" for chip in chips)
    return f'<h1>{_text(title)}</h1>\n<ul class="chips">{listed}</ul>\n<dl>{rows}</dl>\n'


def _keys(keys: Sequence[KeyEntry], *, reveal: bool) -> str:
    columns = ["track", "key ID", "scheme", "key", "IV", "DRM systems", *_EXTRA]
    rows = []
    for entry in keys:
        value = entry.key.reveal().hex() if reveal and entry.key is not None else MASK
        shown = f"<code>{value}</code>" if entry.key is not None else f'<span class="dim">{_STATES[entry.state]}</span>'
        cells = ["<br>".join(_text(name) for name in entry.tracks), _kid(entry.kid), _text(entry.scheme or ""), shown]
        cells += [f"<code>{_text(entry.iv)}</code>" if entry.iv else "", _text(", ".join(entry.systems))]
        rows.append([*cells, *(_text(get(entry)) for get in _EXTRA.values())])
    return _table("Content keys", columns, rows)


_EXTRA: Final[dict[str, Callable[[KeyEntry], str]]] = {
    "root key": lambda entry: entry.depends_on or "",
    "content ID": lambda entry: entry.content_id or "",
    "HDCP": lambda entry: entry.hdcp or "",
}


def _tracks(tracks: Sequence[TrackEntry]) -> str:
    rows = [
        [_text(track.name or ""), _text(track.words), _text(", ".join(track.periods)), _kid(track.kid)]
        for track in tracks
    ]
    return _table("Tracks", ["track", "which tracks", "periods", "key ID"], rows) + _scale(tracks)


def _scale(tracks: Sequence[TrackEntry]) -> str:
    """Draw the ranges of pixels of the video rules on one logarithmic scale, where they tell keys apart."""
    bounded = [track for track in tracks if any(bounds != (0, 2**32 - 1) for bounds in track.pixels)]
    if not bounded:
        return ""
    rows = []
    for track in bounded:
        bars = "".join(
            f'<rect class="bar" x="{_place(low):.1f}%" width="{_place(high) - _place(low):.1f}%" height="100%" rx="4"/>'
            for low, high in track.pixels
            if low <= high
        )
        rail = f'<svg aria-hidden="true"><rect class="rail" width="100%" height="100%" rx="4"/>{bars}</svg>'
        rows.append(f'<div class="row"><span>{_text(track.short)}</span>{rail}</div>')
    ticks = "".join(f'<text x="{_place(pixels):.1f}%" y="80%">{name}</text>' for pixels, name in _TICKS)
    axis = f'<div class="row"><span></span><svg aria-hidden="true">{ticks}</svg></div>'
    return f'<h2>Video tracks by size</h2>\n<section class="scale">{"".join(rows)}{axis}</section>\n'


def _place(pixels: int) -> float:
    return min(100.0, max(0.0, (math.log2(max(pixels, 1)) - _LEAST) / (_MOST - _LEAST) * 100))


def _systems(systems: Sequence[SystemEntry]) -> str:
    rows = []
    for system in systems:
        parts = [f"{name}{_share(count, system.keys)}" for name, count in system.parts]
        parts += [f"{name} asked for{_share(count, system.keys)}" for name, count in system.placeholders]
        name = f'{_text(system.name)}<br><code class="dim">{_text(system.system_id)}</code>'
        rows.append([name, _text(", ".join(parts)), str(system.keys), "<br>".join(map(_text, system.details))])
    return _table("DRM systems", ["system", "carries", "keys", "details"], rows)


def _share(count: int, total: int) -> str:
    return "" if count == total else f" ({count} of {total})"


def _periods(seen: Overview) -> str:
    rows = [[_text(period.id), _text(period.words), str(len(period.kids))] for period in seen.periods]
    return _table("Key periods", ["period", "when", "keys"], rows)


def _lists(seen: Overview) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return (
        ("Recipients", seen.recipients),
        ("Signatures", seen.signatures),
        ("Update history", seen.updates),
    )


def _list(name: str, lines: Sequence[str]) -> str:
    items = "".join(f"<li>{_text(line)}</li>" for line in lines)
    return f'<h2>{name}</h2>\n<section><ul class="plain">{items}</ul></section>\n' if lines else ""


def _findings(findings: Sequence[Finding]) -> str:
    styles = {"error": "bad", "warning": "warn", "info": "dim"}
    rows = [
        [
            f'<span class="{styles[f.severity]}">{f.severity}</span>',
            str(f.line),
            f'{_text(f.message)}<br><span class="dim">{_text(f.hint)}</span>',
            f"<code>{_text(f.rule)}</code>",
        ]
        for f in findings
    ]
    return _table("Findings", ["severity", "line", "what is wrong", "rule"], rows)


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    used = [position for position in range(len(columns)) if any(row[position] for row in rows)]
    columns, rows = [columns[position] for position in used], [[row[position] for position in used] for row in rows]
    head = "".join(f"<th>{name}</th>" for name in columns)
    body = "".join(
        "<tr>" + "".join(_cell(name, cell) for name, cell in zip(columns, row, strict=True)) + "</tr>\n" for row in rows
    )
    return (
        f"<h2>{title}</h2>\n<section><table><thead><tr>{head}</tr></thead><tbody>\n{body}</tbody></table></section>\n"
    )


def _cell(name: str, content: str) -> str:
    return f'<td data-name="{name}">{f"<div>{content}</div>" if content else ""}</td>'


def _kid(kid: str) -> str:
    return f'<code class="kid">{_text(kid)}</code>'


def _text(value: str) -> str:
    """Escape a value; direction marks and control characters, which could disguise it, become visible."""
    return escape("".join(character if character.isprintable() else "�" for character in value))
