"""The report: what was checked, how it went, what to do; with whatever could identify or open an account masked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from drmkit.errors import DrmkitError
from drmkit.secret import MASK

__all__ = ["Check", "Redactor", "Report", "State", "guarded"]

State = Literal["pass", "warn", "fail", "skip"]

_UUID = re.compile(r"(?i)\b([0-9a-f]{4})[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{8}([0-9a-f]{4})\b")
_USER_IN_URL = re.compile(r"(?<=://)[^/@\s]+@")
_TICKET = re.compile(r"(?<=[?&]ticket=)[^&\s]+")
_SHORTEST_MASKED = 4


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        area: what it belongs to, such as `network`.
        name: what was looked at.
        state: how it went.
        detail: what was found, in one sentence without secrets.
        fix: what to do about it; empty where nothing is to be done.
    """

    area: str
    name: str
    state: State
    detail: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """All checks, in order.

    Attributes:
        checks: what was looked at.
    """

    checks: tuple[Check, ...]

    @property
    def healthy(self) -> bool:
        """Whether nothing failed."""
        return all(check.state != "fail" for check in self.checks)

    def count(self, state: State) -> int:
        """Return how many checks ended so."""
        return sum(check.state == state for check in self.checks)

    @property
    def summary(self) -> str:
        """One line."""
        counts = (f"{self.count(state)} {word}" for state, word in _WORDS.items() if self.count(state))
        return ", ".join(counts)

    def as_fields(self) -> dict[str, Any]:
        """Return everything for JSON."""
        checks = [
            {"area": one.area, "name": one.name, "state": one.state, "detail": one.detail, "fix": one.fix or None}
            for one in self.checks
        ]
        return {"healthy": self.healthy, "summary": self.summary, "checks": checks}

    def as_text(self) -> str:
        """Return lines for people: area by area, with the fix below what did not pass."""
        width = max((len(check.name) for check in self.checks), default=0)
        lines: list[str] = []
        area = ""
        for check in self.checks:
            if check.area != area:
                area = check.area
                lines.append(area)
            lines.append(f"  {check.state:4}  {check.name:{width}}  {check.detail}")
            if check.fix and check.state != "pass":
                lines.append(f"        {'':{width}}  -> {check.fix}")
        return "\n".join([*lines, self.summary])


_WORDS: dict[State, str] = {"pass": "passed", "warn": "warned", "fail": "failed", "skip": "skipped"}


@dataclass(frozen=True, slots=True)
class Redactor:
    """Masks what a report must not show when it is pasted somewhere.

    Attributes:
        home: the user's home folder, shown as `~`.
        names: account names and key IDs, of which only the first two letters are shown.
    """

    home: str = ""
    names: tuple[str, ...] = field(default=(), repr=False)

    def text(self, text: str) -> str:
        """Return a text without account names, whole UUIDs, users in URLs, tickets and the home folder's name."""
        for name in sorted(self.names, key=len, reverse=True):
            if len(name) >= _SHORTEST_MASKED:
                text = text.replace(name, f"{name[:2]}{MASK[:3]}")
        text = _USER_IN_URL.sub(f"{MASK[:3]}@", text)
        text = _TICKET.sub(MASK, text)
        text = _UUID.sub(r"\1...\2", text)
        return text.replace(self.home, "~") if len(self.home) > 1 else text

    def check(self, check: Check) -> Check:
        """Return a check with its texts masked."""
        return Check(check.area, check.name, check.state, self.text(check.detail), self.text(check.fix))


def guarded(area: str, name: str, look: Callable[[], Iterable[Check]]) -> list[Check]:
    """Return what a look finds; an error of drmkit's becomes a failed check with its hint as the fix."""
    try:
        return list(look())
    except DrmkitError as error:
        notes = "".join(f" ({note})" for note in getattr(error, "__notes__", []))
        return [Check(area, name, "fail", error.message + notes, error.hint or "")]
