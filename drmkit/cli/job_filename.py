"""`drmkit job filename`: the variables of file names, and what a name with them becomes."""

from __future__ import annotations

from typing import Any

import click

from drmkit.cli.output import App, emit, format_option, pass_app

__all__ = ["filename"]


@click.command()
@click.argument("pattern", required=False)
@click.option("--for", "use", default="transcode", show_default=True, metavar="USE", help="What the name is for.")
@click.option("--input", "source", metavar="PATH", help="The input file, which decides inputName and inputFormat.")
@click.option("--value", "values", multiple=True, metavar="NAME=TEXT", help="The value of a variable.")
@format_option
@pass_app
def filename(
    app: App, /, *, pattern: str | None, use: str, source: str | None, values: tuple[str, ...], form: str
) -> int:
    """Check a file name with variables, such as '{inputName}_{definition}.{format}', and show what it becomes.

    Without PATTERN it prints the table of variables, and what names are for: manifest, substream, segment, transcode,
    transcode-segment, snapshot, recording (of a live stream).

      drmkit job filename '{inputName}_{definition}.{format}' --input AnimalWorldE01.mp4 --value definition=100010
      --value format=mp4
    """
    from drmkit.mps.filenames import check_pattern, find_use, render, values_of_input  # noqa: PLC0415 (help needs none)
    from drmkit.mps.findings import errors_of  # noqa: PLC0415

    if pattern is None:
        emit(form, {"variables": _rows(), "uses": _uses()}, _table)
        return 0
    known = _values(values) | (values_of_input(source) if source is not None else {})
    findings = list(check_pattern(pattern, find_use(use)))
    wrong = errors_of(findings)
    missing = [] if wrong else _missing(pattern, known)
    name = None if wrong or missing else render(pattern, known, use)
    data = {"pattern": pattern, "use": use, "name": name, "findings": [item.as_dict() for item in findings]}
    emit(form, data | {"missing": missing}, lambda: name or "\n".join(str(item) for item in wrong) or pattern)
    for item in findings:
        if item not in wrong:
            app.talk(f"warning: {item}")
    if missing:
        app.talk(f"no value is given for {', '.join(missing)}: --value {missing[0]}=TEXT")
    return 1 if wrong else 0


def _values(given: tuple[str, ...]) -> dict[str, str]:
    from drmkit.mps.filenames import VARIABLES  # noqa: PLC0415
    from drmkit.mps.findings import nearest  # noqa: PLC0415

    found: dict[str, str] = {}
    for item in given:
        name, equals, value = item.partition("=")
        if not equals:
            raise click.UsageError(f"--value {item!r} is not NAME=TEXT")
        if name not in VARIABLES:
            close = nearest(name, VARIABLES)
            raise click.UsageError(f"--value {name}: there is no such variable{f'; write {close}' if close else ''}")
        found[name] = value
    return found


def _missing(pattern: str, known: dict[str, str]) -> list[str]:
    from drmkit.mps.filenames import VARIABLES  # noqa: PLC0415

    return [name for name in VARIABLES if f"{{{name}}}" in pattern and name not in known]


def _rows() -> list[dict[str, Any]]:
    from drmkit.mps.filenames import VARIABLES  # noqa: PLC0415

    return [
        {"name": name, "file": item.file, "live": item.live, "uses": list(item.uses), "meaning": item.meaning}
        for name, item in VARIABLES.items()
    ]


def _uses() -> list[dict[str, str]]:
    from drmkit.mps.filenames import USES  # noqa: PLC0415

    return [
        {"use": name, "field": item.field, "meaning": item.meaning, "default": item.default}
        for name, item in USES.items()
    ]


def _table() -> str:
    lines = [
        f"{row['name']:16} {'file' if row['file'] else '    '} {'live' if row['live'] else '    '}  {row['meaning']}"
        for row in _rows()
    ]
    lines += ["", *(f"{row['use']:18} {row['field']:20} {row['meaning']}" for row in _uses())]
    return "\n".join(lines)
