"""The rules for the encryption contract, which says what tracks each key is for, and for key periods.

https://docs.aws.amazon.com/speke/latest/documentation/encryption-contract-v2.html
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from drmkit.speke.contract import MALFORMED, Breach, rule
from drmkit.speke.presets import PARTS
from drmkit.speke.reading import Reading, RuleRow
from drmkit.speke.versions import VERSIONS

__all__: list[str] = []

_CONTRACT: Final = "encryption-contract-v2.html"
_COMPONENTS: Final = "standard-payload-components-v2.html"
_COMPONENTS_2_1: Final = "standard-payload-components-v2-1.html"
_EVERYTHING: Final = "ALL"
_BOUNDS: Final = ("Pixels", "Fps", "Channels")
_NUMBER: Final = re.compile(r"[0-9]{1,20}")
_TIMES: Final = ("start", "end", "startOffset", "endOffset")


@rule("speke-rule-attributes", MALFORMED, page=_COMPONENTS, hint="kid and intendedTrackType are mandatory")
def rule_attributes(reading: Reading) -> Iterator[Breach]:
    """Each usage rule has its key ID and its intendedTrackType."""
    for row in reading.rules:
        for name, value in (("kid", row.kid), ("intendedTrackType", row.track_type)):
            if not value:
                yield Breach(row.element, f"the ContentKeyUsageRule has no {name}", attribute=name)


@rule(
    "speke-rule-filters", MALFORMED, page=_COMPONENTS, hint="add a VideoFilter or an AudioFilter, empty for all tracks"
)
def rule_filters(reading: Reading) -> Iterator[Breach]:
    """Each usage rule has at least one video or audio filter."""
    for row in reading.rules:
        if not row.video and not row.audio:
            yield Breach(row.element, "the ContentKeyUsageRule has neither VideoFilter nor AudioFilter")


@rule(
    "speke-filter-range",
    MALFORMED,
    page=_CONTRACT,
    hint="write whole numbers, the smaller one as the minimum, or leave the attribute out",
)
def filter_range(reading: Reading) -> Iterator[Breach]:
    """The bounds of a filter are numbers that something can lie between."""
    for row in reading.rules:
        for element in (*row.video, *row.audio):
            for what in _BOUNDS:
                low, high = (element.get(f"{end}{what}") for end in ("min", "max"))
                given = [value.strip() for value in (low, high) if value is not None]
                bad = next((value for value in given if not _NUMBER.fullmatch(value)), None)
                if bad is not None:
                    yield Breach(element, f"{bad[:20]!r} is no number of {what.lower()}")
                elif len(given) > 1 and int(given[0]) > int(given[1]):
                    yield Breach(element, f"nothing has {given[0]} {what.lower()} at least and {given[1]} at most")


@rule("speke-rule-key", MALFORMED, page=_CONTRACT, hint="each rule is for a key of the list, and each key has a rule")
def rule_key(reading: Reading) -> Iterator[Breach]:
    """Keys and usage rules belong together."""
    for row in reading.rules:
        if row.kid and row.kid not in reading.kids:
            yield Breach(row.element, f"there is no ContentKey {row.kid[:40]}", attribute="kid")
    ruled = {row.kid for row in reading.rules}
    for key in reading.keys:
        if key.kid and key.kid not in ruled:
            yield Breach(key.element, f"no ContentKeyUsageRule is for the content key {key.kid[:40]}")


@rule("speke-track-type-twice", MALFORMED, page=_CONTRACT, hint="give each rule of a key period a name of its own")
def track_type_twice(reading: Reading) -> Iterator[Breach]:
    """An intendedTrackType stands once in a contract; each key period has a contract of its own."""
    seen: set[tuple[str, tuple[str, ...]]] = set()
    for row in reading.rules:
        name = (row.track_type, row.period_ids)
        if row.track_type and name in seen:
            yield Breach(row.element, f"a second rule is for {row.track_type[:40]!r}", attribute="intendedTrackType")
        seen.add(name)


@rule(
    "speke-track-type-all",
    MALFORMED,
    page=_CONTRACT,
    hint="one rule with an empty VideoFilter and an empty AudioFilter",
)
def track_type_all(reading: Reading) -> Iterator[Breach]:
    """ALL is the only rule of its key period, with one empty video and one empty audio filter."""
    count = Counter(row.period_ids for row in reading.rules)
    for row in reading.rules:
        if row.track_type == _EVERYTHING:
            if len(row.video) != 1 or len(row.audio) != 1 or any(e.attrib for e in (*row.video, *row.audio)):
                yield Breach(row.element, "ALL wants exactly one empty VideoFilter and one empty AudioFilter")
            if count[row.period_ids] > 1:
                yield Breach(row.element, "ALL stands beside other rules", attribute="intendedTrackType")


@rule("speke-track-type-parts", MALFORMED, page=_CONTRACT, hint="as many filters as parts joined by '+'")
def track_type_parts(reading: Reading) -> Iterator[Breach]:
    """A rule has as many filters as its intendedTrackType has parts.

    AWS's own services write the SD+HD1 of their presets with one filter over both parts, which is passed.
    """
    for row in reading.rules:
        if not row.track_type or row.track_type == _EVERYTHING or not (row.video or row.audio):
            continue
        parts = [part.strip() for part in row.track_type.split("+")]
        filters = len(row.video) + len(row.audio)
        if not all(parts):
            yield Breach(row.element, f"{row.track_type[:40]!r} has an empty part", attribute="intendedTrackType")
        elif filters != len(parts):
            message = f"{row.track_type[:40]!r} names {len(parts)} kinds of tracks, and there are {filters} filters"
            passed = _is_one_filter_of_aws(row, parts)
            yield Breach(row.element, message, attribute="intendedTrackType", severity="info" if passed else None)


def _is_one_filter_of_aws(row: RuleRow, parts: list[str]) -> bool:
    if len(row.video) != 1 or row.audio or any(part not in PARTS for part in parts):
        return False
    ranges = [PARTS[part] for part in parts]
    wanted = {"minPixels": ranges[0].min_pixels, "maxPixels": ranges[-1].max_pixels}
    attributes = {str(name): str(value) for name, value in row.video[0].attrib.items()}
    return attributes == {name: str(value) for name, value in wanted.items() if value is not None}


@rule("speke-label-filter", MALFORMED, page=_CONTRACT, hint="use video and audio filters; SPEKE has no labels")
def label_filter(reading: Reading) -> Iterator[Breach]:
    """There are no label filters."""
    for row in reading.rules:
        yield from (Breach(element, "SPEKE does not support LabelFilter") for element in row.labels)


@rule("speke-period", "Missing {}", page=_COMPONENTS, hint="id and index are mandatory", versions=tuple(VERSIONS))
def period(reading: Reading) -> Iterator[Breach]:
    """Each key period has its ID and its index."""
    for element in reading.periods:
        for name in ("id", "index"):
            if not (element.get(name) or "").strip():
                message = f"the ContentKeyPeriod has no {name}"
                yield Breach(element, message, f"ContentKeyPeriod@{name}", attribute=name)


@rule(
    "speke-period-unknown",
    "Unknown KeyPeriodFilter@periodId {}",
    page=_COMPONENTS,
    hint="periodId is the id of a ContentKeyPeriod",
    versions=tuple(VERSIONS),
)
def period_unknown(reading: Reading) -> Iterator[Breach]:
    """Each key period filter refers to a key period of the document."""
    known = {(element.get("id") or "").strip() for element in reading.periods}
    for row in reading.rules:
        for element in row.periods:
            wanted = (element.get("periodId") or "").strip()
            if not wanted or wanted not in known:
                message = f"there is no ContentKeyPeriod {wanted[:60]!r}"
                yield Breach(element, message, wanted[:60], attribute="periodId")


@rule(
    "speke-period-times",
    "Malformed ContentKeyPeriod {}",
    page=_COMPONENTS_2_1,
    hint="start and end for live, startOffset and endOffset for VOD, always both and never mixed",
    versions=("2.1",),
)
def period_times(reading: Reading) -> Iterator[Breach]:
    """The times of a key period come in pairs, of one kind."""
    for element in reading.periods:
        given = {name for name in _TIMES if element.get(name) is not None}
        if given not in (set(), {"start", "end"}, {"startOffset", "endOffset"}):
            yield Breach(element, f"{', '.join(sorted(given))} do not make a pair", element.get("id") or "")


@rule(
    "speke-period-index-only",
    "",
    page=_COMPONENTS,
    hint="SPEKE 2.1 signals when a period begins and ends; before, only its index counts",
    versions=("1.0", "2.0"),
    severity="info",
)
def period_index_only(reading: Reading) -> Iterator[Breach]:
    """Before version 2.1, only the index of a key period counts."""
    for element in reading.periods:
        if any(element.get(name) is not None for name in _TIMES):
            yield Breach(element, f"SPEKE {reading.version.name} ignores the times of a ContentKeyPeriod")
