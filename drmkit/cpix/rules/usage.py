"""Rules about usage rules: what they refer to, filters that cannot match, and rules that match one track twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lxml import etree

from drmkit.cpix.overlap import Terms, collisions
from drmkit.cpix.rules import Hit, rule
from drmkit.cpix.survey import Survey
from drmkit.cpix.usage import MAX_UINT32, AudioFilter, BitrateFilter, VideoFilter
from drmkit.cpix.values import parse_integer
from drmkit.cpix.view import cpix

__all__: list[str] = []

_RULE: Final = "DASH-IF CPIX 2.4, ContentKeyUsageRule element"
_FILTERS: Final = "DASH-IF CPIX 2.4, Usage Rules Filters"
_PERIOD: Final = cpix("KeyPeriodFilter")
_KNOWN: Final = {VideoFilter.tag, AudioFilter.tag, BitrateFilter.tag, cpix("LabelFilter"), _PERIOD}
_BOUNDS: Final = {
    VideoFilter.tag: (("minPixels", "maxPixels"), ("minFps", "maxFps")),
    AudioFilter.tag: (("minChannels", "maxChannels"),),
    BitrateFilter.tag: (("minBitrate", "maxBitrate"),),
}


@rule("rule-key", source=f"{_RULE}, @kid", hint="add the content key, or correct the kid")
def rule_key(survey: Survey) -> Iterator[Hit]:
    """A usage rule belongs to a content key of the document."""
    for kid, elements in survey.rules_by_kid.items():
        if kid not in survey.keys_by_kid:
            for element in elements:
                yield Hit(element, f"the usage rule is for content key {kid[:60]}, which is not there", "kid")


@rule(
    "rule-root-key",
    source=f"{_RULE}, @kid; Key Rotation Support",
    hint="media is encrypted with leaf keys: refer to one of these",
)
def rule_root_key(survey: Survey) -> Iterator[Hit]:
    """A usage rule is for a leaf key, not for the root key of a hierarchy."""
    for kid in survey.roots & survey.rules_by_kid.keys():
        for element in survey.rules_by_kid[kid]:
            yield Hit(element, f"the usage rule is for {kid}, on which other keys depend", "kid")


@rule(
    "period-unresolved",
    source="DASH-IF CPIX 2.4, KeyPeriodFilter element, @periodId",
    hint="give a ContentKeyPeriod that ID, or correct the reference",
)
def period_unresolved(survey: Survey) -> Iterator[Hit]:
    """A key period filter refers to a period of the document."""
    known = {(element.get("id") or "").strip() for element in survey.document.periods.elements()}
    for elements in survey.rules_by_kid.values():
        for element in elements:
            for item in element.iterchildren(_PERIOD):
                wanted = (item.get("periodId") or "").strip()
                if wanted not in known:
                    yield Hit(item, f"there is no ContentKeyPeriod with the ID {wanted[:60]!r}", "periodId")


@rule(
    "filter-unknown",
    severity="warning",
    source=_FILTERS,
    hint="a reader who does not know this filter must map no key at all; agree on it, or remove it",
)
def filter_unknown(survey: Survey) -> Iterator[Hit]:
    """A usage rule has only the filters that CPIX defines."""
    for elements in survey.rules_by_kid.values():
        for element in elements:
            for child in element.iterchildren(etree.Element):
                if child.tag not in _KNOWN:
                    name = etree.QName(child)
                    yield Hit(child, f"the filter {name.localname!r} of {name.namespace!r} is not one of CPIX")


@rule(
    "filter-bounds",
    source=_FILTERS,
    hint="the lower bound is not above the upper one; of frames per second it is exclusive",
)
def filter_bounds(survey: Survey) -> Iterator[Hit]:
    """A filter can match something: no lower bound is above its upper bound."""
    for item in _filters(survey):
        for low, high in _BOUNDS[str(item.tag)]:
            least, most = _bound(item, low, 0), _bound(item, high, MAX_UINT32)
            name = etree.QName(item).localname
            for attribute, value in ((low, least), (high, most)):
                if value < 0:
                    yield Hit(item, f"{attribute} {value} of {name} is negative", attribute)
            given = item.get(low) is not None
            if least > most or (low == "minFps" and given and least == most):
                yield Hit(item, f"{name} can match nothing: {low} is {least}, {high} is {most}", low)


@rule(
    "bitrate-bounds",
    source="DASH-IF CPIX 2.4, BitrateFilter element",
    hint="give minBitrate, maxBitrate or both, in bits per second",
)
def bitrate_bounds(survey: Survey) -> Iterator[Hit]:
    """A bitrate filter has at least one bound."""
    for item in _filters(survey):
        if item.tag == BitrateFilter.tag and item.get("minBitrate") is None and item.get("maxBitrate") is None:
            yield Hit(item, "the BitrateFilter has no bound")


@rule(
    "rule-never-matches",
    kind="advice",
    severity="warning",
    source=_FILTERS,
    hint="filters of different kinds must all match: write two rules for one key. SPEKE means both by this form (ALL)",
)
def rule_never_matches(survey: Survey) -> Iterator[Hit]:
    """A usage rule with both video and audio filters matches no track."""
    for elements in survey.rules_by_kid.values():
        for element in elements:
            tags = {child.tag for child in element.iterchildren(VideoFilter.tag, AudioFilter.tag)}
            if len(tags) > 1:
                yield Hit(element, "the usage rule demands video and audio at once")


@rule(
    "rule-overlap",
    source=_FILTERS,
    hint="give the rules filters that exclude each other; no track may match two content keys",
)
def rule_overlap(survey: Survey) -> Iterator[Hit]:
    """No track can match the usage rules of two content keys."""
    terms = [t for t in (Terms.of(survey, e) for e in survey.document.usage_rules.elements()) if t is not None]
    for first, second, certain in collisions(terms):
        other = f"that in line {survey.document.line_of(first.element)} (key {first.kid})"
        message = f"a track can match this rule (content key {second.kid}) and {other}"
        yield Hit(second.element, message, severity="error" if certain else "warning")


def _filters(survey: Survey) -> Iterator[etree._Element]:
    for elements in survey.rules_by_kid.values():
        for element in elements:
            yield from element.iterchildren(*_BOUNDS)


def _bound(item: etree._Element, attribute: str, default: int) -> int:
    try:
        return parse_integer(item.get(attribute, str(default)))
    except ValueError:
        return default
