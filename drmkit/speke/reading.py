"""One pass over a document that gathers what the rules of SPEKE look at, placeholders included."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from lxml import etree

from drmkit.cpix.document import Document
from drmkit.cpix.schema import CPIX, DS
from drmkit.cpix.values import is_empty
from drmkit.speke.versions import SPEKE_NAMESPACE, SpekeVersion

__all__ = ["Reading", "RuleRow", "SystemRow", "is_empty", "is_place", "local_name", "tag"]


def tag(local: str) -> str:
    """Return the full name of a CPIX element."""
    return f"{{{CPIX}}}{local}"


KEY_LIST: Final = tag("ContentKeyList")
SYSTEM_LIST: Final = tag("DRMSystemList")
RULE_LIST: Final = tag("ContentKeyUsageRuleList")
PERIOD_LIST: Final = tag("ContentKeyPeriodList")
_DATA: Final = tag("Data")
_SIGNATURE: Final = f"{{{DS}}}Signature"
_CPIX: Final = f"{{{CPIX}}}"
_SPEKE: Final = f"{{{SPEKE_NAMESPACE}}}"


@dataclass(slots=True)
class KeyRow:
    """A content key: its ID in lower case as it stands there, and its scheme."""

    element: etree._Element
    kid: str
    scheme: str
    has_data: bool


@dataclass(slots=True)
class SystemRow:
    """What one DRM system says, or is asked to say, about one key; IDs in lower case as they stand there."""

    element: etree._Element
    kid: str
    system_id: str
    children: list[etree._Element]
    hls: list[tuple[str | None, etree._Element]] = field(default_factory=list)


@dataclass(slots=True)
class RuleRow:
    """A usage rule: its filters by kind, and the periods that it names."""

    element: etree._Element
    kid: str
    track_type: str
    video: list[etree._Element] = field(default_factory=list)
    audio: list[etree._Element] = field(default_factory=list)
    labels: list[etree._Element] = field(default_factory=list)
    ignored: list[etree._Element] = field(default_factory=list)
    periods: list[etree._Element] = field(default_factory=list)

    @property
    def period_ids(self) -> tuple[str, ...]:
        """The periods that the rule holds in; none for all of them."""
        return tuple(sorted((element.get("periodId") or "").strip() for element in self.periods))


class Reading:
    """What the rules look at.

    Args:
        document: a request or an answer.
        version: the version of SPEKE that it is read as.
    """

    def __init__(self, document: Document, version: SpekeVersion) -> None:
        self.document = document
        self.version = version
        self.root = document.root
        self.lists: dict[str, list[etree._Element]] = {}
        for child in self.root.iterchildren(etree.Element):
            self.lists.setdefault(str(child.tag), []).append(child)
        self.keys = [self._key(element) for element in self._items(KEY_LIST, "ContentKey")]
        self.systems = [self._system(element) for element in self._items(SYSTEM_LIST, "DRMSystem")]
        self.rules = [self._rule(element) for element in self._items(RULE_LIST, "ContentKeyUsageRule")]
        self.periods = list(self._items(PERIOD_LIST, "ContentKeyPeriod"))

    @cached_property
    def kids(self) -> frozenset[str]:
        """The IDs of all content keys."""
        return frozenset(row.kid for row in self.keys)

    @cached_property
    def schemes(self) -> dict[str, str]:
        """The scheme of each key that names one."""
        return {row.kid: row.scheme for row in self.keys if row.scheme}

    @property
    def is_answer(self) -> bool:
        """Whether there are keys in it, so that it is no request any more."""
        return any(row.has_data for row in self.keys)

    @property
    def signatures(self) -> list[etree._Element]:
        """The XML signatures."""
        return self.lists.get(_SIGNATURE, [])

    @property
    def first_version_elements(self) -> Iterator[etree._Element]:
        """The elements with which only version 1.0 asks for HLS signaling and protection headers."""
        for row in self.systems:
            for child in row.children:
                if str(child.tag).startswith(_SPEKE) or child.tag == tag("URIExtXKey"):
                    yield child

    def _items(self, list_tag: str, name: str) -> Iterator[etree._Element]:
        for parent in self.lists.get(list_tag, ()):
            yield from parent.iterchildren(tag(name))

    @staticmethod
    def _key(element: etree._Element) -> KeyRow:
        data = next(element.iterchildren(_DATA), None)
        return KeyRow(
            element,
            (element.get("kid") or "").strip().lower(),
            (element.get("commonEncryptionScheme") or "").strip(),
            data is not None and len(data) > 0,
        )

    @staticmethod
    def _system(element: etree._Element) -> SystemRow:
        get = element.get
        children = list(element.iterchildren(etree.Element))
        row = SystemRow(element, (get("kid") or "").strip().lower(), (get("systemId") or "").strip().lower(), children)
        row.hls = [(child.get("playlist"), child) for child in children if child.tag == _HLS]
        return row

    @staticmethod
    def _rule(element: etree._Element) -> RuleRow:
        row = RuleRow(
            element, (element.get("kid") or "").strip().lower(), (element.get("intendedTrackType") or "").strip()
        )
        slots = {
            _VIDEO: row.video,
            _AUDIO: row.audio,
            _LABEL: row.labels,
            _BITRATE: row.ignored,
            _PERIOD: row.periods,
        }
        for child in element.iterchildren(etree.Element):
            slot = slots.get(str(child.tag))
            if slot is not None:
                slot.append(child)
        return row


_HLS: Final = tag("HLSSignalingData")
_VIDEO: Final = tag("VideoFilter")
_AUDIO: Final = tag("AudioFilter")
_LABEL: Final = tag("LabelFilter")
_BITRATE: Final = tag("BitrateFilter")
_PERIOD: Final = tag("KeyPeriodFilter")


def is_place(element: etree._Element) -> bool:
    """Whether an element is of CPIX or of SPEKE 1.0, so that a provider fills it; what is of others it hands back."""
    return str(element.tag).startswith((_CPIX, _SPEKE))


def local_name(element: etree._Element) -> str:
    """Return the name of an element without its namespace, with the prefix of version 1.0 where it is from there."""
    namespace, _, name = str(element.tag).rpartition("}")
    return f"speke:{name}" if namespace[1:] == SPEKE_NAMESPACE else name
