"""`drmkit cpix validate`: all findings over any number of documents, for people, programs, editors and CI systems."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from drmkit.cli.cpix_files import printable, read_bytes
from drmkit.cli.cpix_source import Source
from drmkit.cli.output import App, pass_app
from drmkit.errors import InputError

if TYPE_CHECKING:
    from drmkit.cpix import Document, Finding, Report

__all__ = ["PROFILES", "VERSIONS", "validate"]

VERSIONS = ("auto", "2.1", "2.2", "2.3", "2.3.1", "2.4")
PROFILES = ("cpix", "speke-1.0", "speke-2.0", "speke-2.1")
_INVALID = 1
_UNREADABLE = 2
_COLORS = {"error": "red", "warning": "yellow", "info": "cyan"}
_WIDEST = 140
_SAME = 3
_LISTED = 8


@dataclass(frozen=True, slots=True)
class Checked:
    """A document that was checked: where it came from, what it is, and what was found."""

    path: str
    data: bytes
    document: Document | None
    report: Report


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--cpix-version",
    "version",
    type=click.Choice(VERSIONS),
    default="auto",
    show_default=True,
    help="The version to check against; auto takes the document's own, else the newest that accepts it.",
)
@click.option("--profile", type=click.Choice(PROFILES), default="cpix", show_default=True, help="What to check for.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "sarif", "junit"]),
    default="text",
    show_default=True,
    help="Text for people, JSON with stable keys, SARIF 2.1.0, or JUnit XML.",
)
@click.option(
    "--max-bytes", type=click.IntRange(1), default=64 * 2**20, show_default=True, help="Refuse larger documents."
)
@pass_app
def validate(app: App, /, *, files: tuple[str, ...], version: str, profile: str, form: str, max_bytes: int) -> None:
    """Find everything that is wrong with CPIX documents; - is standard input.

    Exit code 0: all are valid; 1: some have errors; 2: some cannot be read (no such file, not XML, refused as unsafe).
    Every file is checked in each case. Warnings and advice make no document invalid.
    """
    checked = [_check(path, version, profile, max_bytes) for path in files]
    if form == "text":
        for one in checked:
            _print(one, quiet=app.quiet)
    else:
        click.echo(_render(checked, form))
    if not all(one.report.readable for one in checked):
        raise click.exceptions.Exit(_UNREADABLE)
    if not all(one.report.valid for one in checked):
        raise click.exceptions.Exit(_INVALID)


def _check(path: str, version: str, profile: str, max_bytes: int) -> Checked:
    from drmkit import cpix  # noqa: PLC0415 (help needs no parser)

    try:
        data = read_bytes(path, limit=max_bytes)
    except InputError as error:
        return Checked(path, b"", None, _missing(error, profile))
    try:
        document = cpix.parse(data, max_bytes=max_bytes)
    except InputError:
        return Checked(path, data, None, cpix.validate(data, version, profile, max_bytes=max_bytes))
    return Checked(path, data, document, cpix.validate(document, version, profile))


def _missing(error: InputError, profile: str) -> Report:
    from drmkit.cpix.report import Finding, Report  # noqa: PLC0415

    finding = Finding(
        rule="file-unreadable",
        kind="xml",
        severity="error",
        line=0,
        path="/",
        message=error.message,
        hint=error.hint or "",
        source="-",
    )
    return Report(
        findings=(finding,), version=None, version_reason="it cannot be read", profile=profile, readable=False
    )


def _render(checked: Sequence[Checked], form: str) -> str:
    from drmkit import __version__  # noqa: PLC0415 (only these forms need it)
    from drmkit.cpix.junit import to_junit  # noqa: PLC0415
    from drmkit.cpix.sarif import to_sarif  # noqa: PLC0415

    reports = [(one.path, one.report) for one in checked]
    if form == "junit":
        return to_junit(reports).decode("utf-8")
    if form == "sarif":
        return json.dumps(to_sarif(reports, tool_version=__version__), indent=2, ensure_ascii=False)
    documents = [{"path": path, **report.to_dict()} for path, report in reports]
    return json.dumps({"schema_version": 1, "documents": documents}, indent=2, ensure_ascii=False)


def _print(one: Checked, *, quiet: bool) -> None:
    report = one.report
    name = "<stdin>" if one.path == "-" else printable(one.path)
    if report.findings:
        source = Source(one.data, one.document)
        width = max(40, min(shutil.get_terminal_size((100, 24)).columns, _WIDEST) - 10)
        for group in _grouped(report.findings):
            click.echo(_block(name, group, source, width))
            click.echo()
    if not quiet or report.findings:
        click.echo(f"{name}: {_summary(report)}")


def _summary(report: Report) -> str:
    if not report.readable:
        return click.style("cannot be read", fg="red", bold=True)
    verdict = click.style("valid", fg="green") if report.valid else click.style("not valid", fg="red", bold=True)
    version = f"CPIX {report.version} ({report.version_reason})"
    counts = report.counts
    words = [
        f"{counts[name]} {label if counts[name] == 1 or name == 'info' else label + 's'}"
        for name, label in (("error", "error"), ("warning", "warning"), ("info", "advice"))
        if name in counts
    ]
    profile = "" if report.profile == "cpix" else f", profile {report.profile}"
    return f"{verdict} {version}{profile}{': ' + ', '.join(words) if words else ''}"


def _grouped(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Put findings that say the same of many places together; where they are few, each stands for itself."""
    same: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        same.setdefault((finding.rule, finding.message), []).append(finding)
    groups: list[list[Finding]] = []
    for group in same.values():
        groups.extend([group] if len(group) > _SAME else [[finding] for finding in group])
    return sorted(groups, key=lambda group: group[0].line)


def _block(name: str, group: Sequence[Finding], source: Source, width: int) -> str:
    finding = group[0]
    color = _COLORS[finding.severity]
    kind = "advice" if finding.severity == "info" else finding.severity
    head = click.style(f"{kind}[{finding.rule}]", fg=color, bold=True)
    lines = [f"{head}: {click.style(printable(finding.message), bold=True)}"]
    excerpt = source.excerpt(finding, width)
    line = finding.line if excerpt is None else excerpt.line
    number = str(line) if line else ""
    gutter = " " * len(number)
    column = f":{excerpt.column}" if excerpt is not None and excerpt.column else ""
    lines.append(f"{gutter}--> {name}{':' + number if number else ''}{column}")
    if excerpt is not None:
        lines += [f"{gutter} |", f"{number} | {excerpt.text}"]
        if excerpt.marker:
            lines.append(f"{gutter} | {click.style(excerpt.marker, fg=color, bold=True)}")
    if len(group) > 1:
        lines.append(f"{gutter} = {_elsewhere(group)}")
    for label, text in (("hint", finding.hint), ("at", finding.path), ("source", finding.source)):
        if text and text not in {"-", "/"}:
            lines.append(f"{gutter} = {label}: {printable(text)}")
    return "\n".join(lines)


def _elsewhere(group: Sequence[Finding]) -> str:
    """Say where else the same was found: the first lines by number, the rest by count."""
    numbers = list(dict.fromkeys(finding.line for finding in group[1:] if finding.line != group[0].line))
    if not numbers:
        return f"also in {len(group) - 1:,} other places of this line"
    more = f" and {len(numbers) - _LISTED:,} more" if len(numbers) > _LISTED else ""
    return f"also in line {', '.join(map(str, numbers[:_LISTED]))}{more}"
