"""The catalog of rules beyond the schema: each one a function with a stable ID, its clause and a hint.

A rule looks at a `Survey` and yields a `Hit` for each place where the document breaks it. The modules group the rules
by what they are about; `all_rules` knows them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Final

from lxml import etree

from drmkit.cpix.paths import Paths
from drmkit.cpix.report import Finding, Kind, Severity
from drmkit.cpix.survey import Survey

__all__ = ["Hit", "Rule", "all_rules", "apply", "rule"]

_MODULES: Final = ("keys", "systems", "pssh", "periods", "usage", "delivery", "signatures", "history", "security")


@dataclass(frozen=True, slots=True)
class Hit:
    """One place where a document breaks a rule.

    Args:
        element: where.
        message: what is wrong there, without any secret value.
        attribute: the attribute that it is about, or None.
        severity: where this place weighs less or more than the rule does in general.
        hint: where this place needs another hint than the rule has in general.
    """

    element: etree._Element
    message: str
    attribute: str | None = None
    severity: Severity | None = None
    hint: str | None = None


Check = Callable[[Survey], Iterator[Hit]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the catalog."""

    id: str
    kind: Kind
    severity: Severity
    source: str
    hint: str
    summary: str
    check: Check

    def findings(self, survey: Survey, paths: Paths) -> Iterator[Finding]:
        """Apply the rule and give its hits their place."""
        for hit in self.check(survey):
            path = paths.of(hit.element)
            yield Finding(
                rule=self.id,
                kind=self.kind,
                severity=hit.severity or self.severity,
                line=paths.line_of(hit.element),
                path=f"{path}/@{hit.attribute}" if hit.attribute else path,
                message=hit.message,
                hint=hit.hint or self.hint,
                source=self.source,
            )


_CATALOG: Final[dict[str, Rule]] = {}


def rule(
    rule_id: str, *, source: str, hint: str, kind: Kind = "semantics", severity: Severity = "error"
) -> Callable[[Check], Check]:
    """Enter a function into the catalog; the first line of its docstring is the rule in one sentence."""

    def enter(check: Check) -> Check:
        summary = (check.__doc__ or "").strip().splitlines()[0]
        _CATALOG[rule_id] = Rule(rule_id, kind, severity, source, hint, summary, check)
        return check

    return enter


@cache
def all_rules() -> tuple[Rule, ...]:
    """Return the whole catalog in the order in which documents are checked."""
    for module in _MODULES:
        import_module(f"{__name__}.{module}")
    return tuple(_CATALOG.values())


def apply(survey: Survey, paths: Paths, kinds: frozenset[Kind] | None = None) -> list[Finding]:
    """Return the findings of all rules, or of those of some kinds, over a document."""
    return [f for rule in all_rules() if kinds is None or rule.kind in kinds for f in rule.findings(survey, paths)]
