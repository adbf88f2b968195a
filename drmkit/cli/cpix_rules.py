"""`drmkit cpix rules`: the catalog of rules, as a list or one by one."""

from __future__ import annotations

from dataclasses import asdict
from difflib import get_close_matches
from typing import TYPE_CHECKING

import click

from drmkit.cli.output import App, emit, format_option, pass_app

if TYPE_CHECKING:
    from drmkit.cpix.catalog import RuleEntry

__all__ = ["rules"]

KINDS = ("xml", "structure", "semantics", "security", "advice")


@click.command()
@click.argument("names", nargs=-1, metavar="[RULE]...")
@click.option("--kind", type=click.Choice(KINDS), help="Only rules of this kind.")
@format_option
@pass_app
def rules(app: App, /, *, names: tuple[str, ...], kind: str | None, form: str) -> None:
    """List the rules that documents are checked against; with names, say all about these."""
    from drmkit.cpix.catalog import catalog  # noqa: PLC0415 (help needs no parser)

    del app
    known = {entry.id: entry for entry in catalog()}
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            raise click.UsageError(f"there is no rule {name!r}." + (f" Did you mean {near[0]!r}?" if near else ""))
    chosen = [known[name] for name in names] or list(known.values())
    chosen = [entry for entry in chosen if kind in {None, entry.kind}]
    text = "\n\n".join(_whole(entry) for entry in chosen) if names else _table(chosen)
    emit(form, {"rules": [asdict(entry) for entry in chosen]}, text)


def _table(entries: list[RuleEntry]) -> str:
    widths = [max((len(getattr(entry, name)) for entry in entries), default=0) for name in ("id", "kind", "severity")]
    return "\n".join(
        f"{entry.id:{widths[0]}}  {entry.kind:{widths[1]}}  {entry.severity:{widths[2]}}  {entry.summary}"
        for entry in entries
    )


def _whole(entry: RuleEntry) -> str:
    head = f"{entry.id} ({entry.kind}, {entry.severity})"
    return f"{head}\n  {entry.summary}\n  hint:   {entry.hint}\n  source: {entry.source}"
