"""Rules about content key periods: which attributes go together, order, and overlap."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from drmkit.cpix.entities import ContentKeyPeriod
from drmkit.cpix.rules import Hit, rule
from drmkit.cpix.survey import Survey
from drmkit.cpix.usage import MAX_UINT32
from drmkit.cpix.values import parse_integer
from drmkit.cpix.view import cpix

__all__: list[str] = []

_PERIOD: Final = "DASH-IF CPIX 2.4, ContentKeyPeriod element"
_TIMES: Final = ("start", "end", "startOffset", "endOffset", "duration")
_LEGAL: Final[tuple[set[str], ...]] = (
    set(),
    {"start", "end"},
    {"start", "duration"},
    {"startOffset", "endOffset"},
    {"startOffset", "duration"},
)
_FILTER: Final = cpix("KeyPeriodFilter")


@rule(
    "period-attributes",
    source=_PERIOD,
    hint="start or startOffset, with its end or a duration; or only an index or label",
)
def period_attributes(survey: Survey) -> Iterator[Hit]:
    """A period has one of the legal combinations of times, or an index or label only."""
    for element in survey.document.periods.elements():
        given = {name for name in _TIMES if element.get(name) is not None}
        named = [name for name in ("index", "label") if element.get(name) is not None]
        if given not in _LEGAL:
            yield Hit(
                element,
                f"a period cannot have {_and(given)} together"
                if len(given) > 1
                else f"a period with {_and(given)} alone has no end or start",
            )
        elif survey.version != "2.4" and given and "index" in named:
            yield Hit(
                element,
                "up to CPIX 2.3.1, a period has an index, or start and end, not both",
                "index",
                hint="leave out the index, or use CPIX 2.4",
            )
        elif not given and not named:
            yield Hit(
                element,
                "a period has neither times nor an index or label",
                hint="then nothing tells when its key is used",
            )


@rule("period-empty", source=_PERIOD, hint="a period runs from its start to before its end; the end is later")
def period_empty(survey: Survey) -> Iterator[Hit]:
    """A period ends after it starts."""
    for period, interval in survey.timed.values():
        if interval[2] <= interval[1]:
            yield Hit(period.element, f"period {period.id or 'without an ID'} ends before, or when, it starts")


@rule(
    "period-index",
    source=f"{_PERIOD}, @index",
    hint=f"0 to {MAX_UINT32}, growing from period to period; after {MAX_UINT32} comes 0",
)
def period_index(survey: Survey) -> Iterator[Hit]:
    """The index of periods grows, within 32 bits, and starts over after the largest."""
    last: int | None = None
    for element in survey.document.periods.elements():
        text = element.get("index")
        index = None if text is None else _integer(text)
        if index is None:
            continue
        if not 0 <= index <= MAX_UINT32:
            yield Hit(element, f"period index {_shown(text)} is not within 32 bits", "index")
            continue
        if last is not None and index <= last and last - index <= MAX_UINT32 // 2:
            yield Hit(element, f"period index {index} does not grow: {last} stands before it", "index")
        last = index


@rule(
    "period-overlap",
    source="DASH-IF CPIX 2.4, ContentKeyPeriodList element",
    hint="periods of one key may leave gaps, but not overlap",
)
def period_overlap(survey: Survey) -> Iterator[Hit]:
    """The periods of one content key do not overlap."""
    timed = survey.timed
    for kid, rules in survey.rules_by_kid.items() if timed else ():
        ids = dict.fromkeys(f.get("periodId", "").strip() for rule_ in rules for f in rule_.iterchildren(_FILTER))
        found = sorted((timed[i] for i in ids if i in timed), key=lambda entry: entry[1])
        longest: dict[str, tuple[ContentKeyPeriod, float]] = {}
        for period, (clock, start, end) in found:
            if end <= start:
                continue
            other, latest = longest.get(clock, (period, start))
            if start < latest:
                yield Hit(
                    period.element, f"period {period.id!r} of content key {kid} starts before {other.id!r} has ended"
                )
            if end > latest:
                longest[clock] = period, end


@rule(
    "period-per-key",
    kind="advice",
    severity="warning",
    source="DASH-IF CPIX 2.4, Key Rotation Support",
    hint="with key rotation, each crypto period has a content key of its own",
)
def period_per_key(survey: Survey) -> Iterator[Hit]:
    """With key rotation, a content key is for one period."""
    for kid, rules in survey.rules_by_kid.items():
        ids = {f.get("periodId", "").strip() for rule_ in rules for f in rule_.iterchildren(_FILTER)}
        if len(ids) > 1:
            yield Hit(rules[0], f"content key {kid} is used in {len(ids)} periods")


def _integer(text: str) -> int | None:
    try:
        return parse_integer(text)
    except ValueError:
        return None


def _shown(text: str | None) -> str:
    return (text or "").strip()[:24]


def _and(names: set[str]) -> str:
    return " and ".join(name for name in _TIMES if name in names)
