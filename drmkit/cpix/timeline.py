"""The content key periods of a document on their clocks, live or VOD, and which of them overlap."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Final

from drmkit.cpix.document import Document
from drmkit.cpix.entities import ContentKeyPeriod
from drmkit.errors import CpixError

__all__ = ["Interval", "Timed", "intervals", "overlapping"]

Interval = tuple[str, float, float]
"""The clock (`live` or `vod`), the start and the end in seconds on it."""
Timed = dict[str, tuple[ContentKeyPeriod, Interval]]
"""The periods that have times, by their IDs."""
_LIMIT: Final = 100_000


def intervals(document: Document) -> Timed:
    """Return, by period ID, each period that has times."""
    found: Timed = {}
    for number, period in enumerate(document.periods):
        try:
            interval = period.interval
        except CpixError:
            continue
        if interval is not None:
            clock = "live" if period.start is not None else "vod"
            first, last = (_seconds(value) for value in interval)
            found[(period.id or f"#{number}").strip()] = period, (clock, first, last)
    return found


def overlapping(periods: Timed) -> dict[str, set[str]]:
    """Return, by period ID, the IDs of the other periods that have some time in common with it.

    The pairs are bounded in number, against documents that are made to be slow.
    """
    found: dict[str, set[str]] = defaultdict(set)
    running: list[tuple[str, str, float]] = []
    left = _LIMIT
    timed = [(interval, name) for name, (_, interval) in periods.items() if interval[1] < interval[2]]
    for (clock, start, end), name in sorted(timed):
        running = [entry for entry in running if entry[1] == clock and entry[2] > start]
        for other, _, _ in running:
            found[name].add(other)
            found[other].add(name)
        left -= len(running) + 1
        if left <= 0:
            break
        running.append((name, clock, end))
    return found


def _seconds(value: datetime | timedelta) -> float:
    return value.timestamp() if isinstance(value, datetime) else value.total_seconds()
