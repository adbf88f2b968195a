"""Rules about the update history and the update versions that refer to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from lxml import etree

from drmkit.cpix.rules import Hit, rule
from drmkit.cpix.schema import CPIX
from drmkit.cpix.survey import Survey
from drmkit.cpix.values import parse_integer

__all__: list[str] = []

_VERSIONED: Final = etree.XPath("count(c:DRMSystem/@updateVersion)", namespaces={"c": CPIX})
_SYSTEMS: Final = etree.XPath("c:DRMSystem[@updateVersion]", namespaces={"c": CPIX})
_HISTORY: Final = "DASH-IF CPIX 2.4, UpdateHistoryItem element"


@rule(
    "update-version-unknown",
    source=f"{_HISTORY}, @updateVersion",
    hint="add the item to the update history, or leave updateVersion out",
)
def update_version_unknown(survey: Survey) -> Iterator[Hit]:
    """An update version refers to an item of the update history."""
    known = {_integer(element.get("updateVersion")) for element in survey.document.update_history.elements()}
    for element in _versioned(survey):
        text = element.get("updateVersion")
        number = _integer(text)
        if text is not None and number is not None and number not in known:
            yield Hit(element, f"updateVersion {number} is not in the update history", "updateVersion")


@rule("update-index", source=f"{_HISTORY}, @index", hint="1 for the first update, then 2, 3 and so on, each once")
def update_index(survey: Survey) -> Iterator[Hit]:
    """The index of updates starts at 1, grows, and is there once."""
    last = 0
    for position, element in enumerate(survey.document.update_history.elements()):
        text = element.get("index")
        index = _integer(text)
        if text is None:
            continue
        if index is None:
            yield Hit(element, f"update index {text[:40]!r} is not a number", "index")
        elif position == 0 and index != 1:
            yield Hit(element, f"the first update has index {index}, not 1", "index")
        elif index <= last:
            yield Hit(element, f"update index {index} does not grow: {last} stands before it", "index")
        last = last if index is None else index


def _versioned(survey: Survey) -> Iterator[etree._Element]:
    document = survey.document
    for collection in (
        document.recipients,
        document.content_keys,
        document.drm_systems,
        document.periods,
        document.usage_rules,
    ):
        if collection.list_element is not None:
            yield collection.list_element
    yield from document.recipients.elements()
    listed = document.drm_systems.list_element
    found: Any = [] if listed is None or not _VERSIONED(listed) else _SYSTEMS(listed)
    yield from found


def _integer(text: str | None) -> int | None:
    try:
        return None if text is None else parse_integer(text)
    except ValueError:
        return None
