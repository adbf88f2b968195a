"""Faults in periods, usage rules and the update history."""

from __future__ import annotations

from lxml import etree

from drmkit.cpix import Builder, Document
from drmkit.cpix.view import cpix
from samples.faulty.entries import (
    FROM_23,
    RULE,
    START,
    bare,
    breaks,
    hierarchy,
)
from samples.model import NEW, found, key, kid, one

__all__: list[str] = []


def _periods() -> Document:
    builder = Builder(version="2.4", content_id="sample")
    for number, name in enumerate(("first", "second")):
        builder.content_key(kid=kid(name), key=key(name), scheme="cenc")
        builder.period(id=f"p{number + 1}", start=START.replace(hour=20 + number), end=START.replace(hour=21 + number))
        builder.usage_rule(kid=kid(name), periods=[f"p{number + 1}"])
    return builder.build()


_PERIOD = "cpix:ContentKeyPeriodList/cpix:ContentKeyPeriod"


@breaks("period-attributes", shows="a period with start, end and duration together", accepts=NEW, start=_periods)
def _(document: Document) -> None:
    one(document, _PERIOD).set("duration", "PT1H")


@breaks("period-empty", shows="a period that ends before it starts", accepts=FROM_23, start=_periods)
def _(document: Document) -> None:
    one(document, _PERIOD).set("end", "2026-01-31T19:00:00Z")


@breaks("period-index", shows="an index that does not grow", accepts=FROM_23, start=_periods)
def _(document: Document) -> None:
    for element in found(document, _PERIOD):
        for name in ("start", "end"):
            del element.attrib[name]
        element.set("index", "7")


@breaks(
    "period-overlap", "period-per-key", shows="two periods of one key that overlap", accepts=FROM_23, start=_periods
)
def _(document: Document) -> None:
    one(document, _PERIOD, 1).set("start", "2026-01-31T20:30:00Z")
    document.usage_rules.remove(document.usage_rules[1])
    document.usage_rules[0].add_periods(["p2"])
    document.content_keys.remove(document.content_keys[1])


@breaks(
    "period-per-key",
    shows="one key for two periods, so that it does not rotate",
    accepts=FROM_23,
    valid=True,
    start=_periods,
)
def _(document: Document) -> None:
    document.usage_rules.remove(document.usage_rules[1])
    document.usage_rules[0].add_periods(["p2"])
    document.content_keys.remove(document.content_keys[1])


@breaks("rule-key", shows="a usage rule for a content key that is not there", accepts=FROM_23, start=bare)
def _(document: Document) -> None:
    document.content_keys.remove(document.content_keys[1])


@breaks("rule-root-key", shows="a usage rule for the root key of a hierarchy", accepts=FROM_23, start=hierarchy)
def _(document: Document) -> None:
    rules = etree.SubElement(document.root, cpix("ContentKeyUsageRuleList"))
    etree.SubElement(rules, cpix("ContentKeyUsageRule"), kid=str(kid("root")), intendedTrackType="VIDEO")


@breaks(
    "period-unresolved",
    shows="a period filter with the ID of something that is no period",
    accepts=FROM_23,
    start=bare,
)
def _(document: Document) -> None:
    document.content_keys.id = "keys"
    document.usage_rules[0].add_periods(["keys"])


@breaks("filter-unknown", shows="a filter that CPIX does not define", accepts=FROM_23, valid=True, start=bare)
def _(document: Document) -> None:
    etree.SubElement(one(document, RULE), "{urn:example:filters}LanguageFilter", nsmap={"ex": "urn:example:filters"})


@breaks("filter-bounds", shows="a lower bound above the upper one", accepts=FROM_23, start=bare)
def _(document: Document) -> None:
    one(document, f"{RULE}/cpix:VideoFilter").set("minPixels", "600000")


@breaks("bitrate-bounds", shows="a bitrate filter without a bound", accepts=FROM_23, start=bare)
def _(document: Document) -> None:
    etree.SubElement(one(document, RULE), cpix("BitrateFilter"))


@breaks(
    "rule-never-matches", shows="a rule that demands video and audio at once", accepts=FROM_23, valid=True, start=bare
)
def _(document: Document) -> None:
    etree.SubElement(one(document, RULE), cpix("AudioFilter"))


@breaks("rule-overlap", shows="two rules that match one track: 589,825 pixels", accepts=FROM_23, start=bare)
def _(document: Document) -> None:
    one(document, f"{RULE}/cpix:VideoFilter").set("maxPixels", "589825")


def _updated() -> Document:
    builder = Builder(version="2.4", content_id="sample").content_key(kid=kid("SD"), key=key("SD"))
    builder.update(update_version=1, index=1, source="key server", date=START)
    builder.update(update_version=2, index=2, source="packager", date=START.replace(hour=21))
    document = builder.build()
    document.content_keys.update_version = 2
    return document


@breaks(
    "update-version-unknown", shows="an update version without an item in the history", accepts=FROM_23, start=_updated
)
def _(document: Document) -> None:
    document.content_keys.update_version = 3


@breaks("update-index", shows="a history whose index does not start at 1", accepts=FROM_23, start=_updated)
def _(document: Document) -> None:
    for number, element in enumerate(found(document, "cpix:UpdateHistoryItemList/cpix:UpdateHistoryItem")):
        element.set("index", str(number + 5))
