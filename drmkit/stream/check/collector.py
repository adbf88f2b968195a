"""Collects findings: each rule's severity, hint and clause come from the catalog, repetitions are folded."""

from __future__ import annotations

from collections import Counter

from drmkit.identifiers import KeyId
from drmkit.stream.check.catalog import RULES
from drmkit.stream.check.model import SEVERITIES, Finding, Place

__all__ = ["Collector"]

_MOST = 12
_LONGEST = 2000


class Collector:
    """Takes findings as they are met.

    A stream of thousands of segments can break one rule thousands of times: of one rule and track the first dozen are
    kept, and one last finding counts the rest.

    Args:
        expected: the key IDs of the document that the stream should follow.
    """

    def __init__(self, expected: frozenset[KeyId] = frozenset()) -> None:
        self.expected = expected
        self._found: dict[Finding, None] = {}
        self._counts: Counter[tuple[str, str]] = Counter()
        self._last: dict[tuple[str, str], Place] = {}

    def add(
        self, rule: str, message: str, *, track: str = "", place: Place | None = None, hint: str | None = None
    ) -> None:
        """Take one finding.

        Args:
            rule: a rule of the catalog.
            message: what is wrong, without secrets.
            track: the track's name, or "" for the stream.
            place: where it stands.
            hint: what to do; by default what the catalog says.
        """
        entry = RULES[rule]
        finding = Finding(
            rule=rule,
            severity=entry.severity,
            track=track,
            place=place or Place(),
            message=message[:_LONGEST],
            hint=hint or entry.hint,
            source=entry.source,
        )
        key = (rule, track)
        if finding in self._found:
            return
        self._counts[key] += 1
        self._last[key] = finding.place
        if self._counts[key] <= _MOST:
            self._found[finding] = None

    def has(self, rule: str, track: str) -> bool:
        """Say whether a rule has a finding for a track."""
        return (rule, track) in self._counts

    def findings(self) -> tuple[Finding, ...]:
        """Return what was taken, the worst first."""
        found = list(self._found)
        for (rule, track), count in self._counts.items():
            if count > _MOST:
                entry = RULES[rule]
                found.append(
                    Finding(
                        rule=rule,
                        severity=entry.severity,
                        track=track,
                        place=self._last[rule, track],
                        message=f"and {count - _MOST} more findings of this rule, the last of them here",
                        hint=entry.hint,
                        source=entry.source,
                    )
                )
        return tuple(sorted(found, key=lambda finding: SEVERITIES.index(finding.severity)))
