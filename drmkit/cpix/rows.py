"""Reads the rows of a document, or takes them from what was noted while it was made."""

from __future__ import annotations

import binascii
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from lxml import etree

from drmkit.cpix.document import Document
from drmkit.cpix.records import Hls, KeyRow, NotedSystem, SystemRow
from drmkit.cpix.schema import CPIX, ENC, PSKC
from drmkit.cpix.sieve import Sieve
from drmkit.cpix.values import decode_base64, text_of
from drmkit.cpix.view import cpix

__all__ = ["CPD", "HLS", "PLAIN", "PSSH", "SMOOTH", "Noted", "Rows", "read_rows"]

PLAIN: Final = f"{{{PSKC}}}PlainValue"
PSSH: Final = cpix("PSSH")
HLS: Final = cpix("HLSSignalingData")
CPD: Final = cpix("ContentProtectionData")
SMOOTH: Final = cpix("SmoothStreamingProtectionHeaderData")
_DATA: Final = cpix("Data")
_HDCP: Final = cpix("HDCPData")
_PLAIN_LISTS: Final = {
    cpix(name) for name in ("ContentKeyList", "DRMSystemList", "ContentKeyPeriodList", "ContentKeyUsageRuleList")
}
_SECRET: Final = f"{{{PSKC}}}Secret"
_ENCRYPTED: Final = f"{{{PSKC}}}EncryptedValue"
_MAC: Final = f"{{{PSKC}}}ValueMAC"
_CIPHER: Final = f"{{{ENC}}}CipherData/{{{ENC}}}CipherValue"
_FOREIGN_IN_RULES: Final = etree.XPath(
    "boolean(c:ContentKeyUsageRuleList/*/*[namespace-uri() != $uri])", namespaces={"c": CPIX}
)
_ENDINGS: Final = frozenset([*(f"{c}==" for c in "AQgw"), *(f"{c}=" for c in "AEIMQUYcgkosw048")])
"""How base64 ends with padding: no bit of the last character is left over (XML Schema Part 2, 3.2.16)."""


@dataclass(slots=True)
class Rows:
    """The content keys of a document, and of its DRM systems the IDs of all and the rows of the notable.

    Most DRM systems of a large document differ in the key ID only. A system that `Sieve` knows to be like one in which
    no rule found anything has no row, so that ten thousand keys cost neither the memory nor the time.

    Args:
        keys: the content keys, in document order.
        kids: the key ID of each DRM system, in document order.
        systems: the system ID of each DRM system, in document order.
        notable: the rows of those DRM systems that the rules have to look at.
        bad: the elements whose content (of a content key: whose explicit IV) is not base64.
        unusual: whether base64 may stand in places that the rows do not tell of.
        strict: whether the content of each DRM system is known to be as XML Schema wants it.
    """

    keys: list[KeyRow] = field(default_factory=list)
    kids: list[str] = field(default_factory=list)
    systems: list[str] = field(default_factory=list)
    notable: list[SystemRow] = field(default_factory=list)
    bad: dict[etree._Element, None] = field(default_factory=dict)
    unusual: bool = False
    strict: bool = True

    def sift(
        self, found: Iterable[tuple[etree._Element | None, NotedSystem]], document: Document, sieve: Sieve | None = None
    ) -> None:
        """Enter DRM systems, and keep the notable ones; an element that is not at hand is looked up where needed."""
        sieve = sieve or Sieve(self.keys)
        passes, enter_kid, enter_system = sieve.passes, self.kids.append, self.systems.append
        elements: list[etree._Element] = []
        for position, (element, noted) in enumerate(found):
            kid, system, box, protection, hls, smooth = noted
            enter_kid(kid)
            enter_system(system)
            if protection is not None or smooth or not passes(kid, system, box, hls):
                if element is None:
                    elements = elements or list(document.drm_systems.elements())
                    element = elements[position]  # noqa: PLW2901 (the one that was not at hand)
                self.notable.append(SystemRow(element, *noted))

    def survey_rest(self, document: Document) -> None:
        """Note whether there are parts of the document of which no row tells."""
        root = document.root
        if (
            any(child.tag not in _PLAIN_LISTS for child in root)
            or len(root) > len(_PLAIN_LISTS)
            or _FOREIGN_IN_RULES(root, uri=CPIX)
        ):
            self.unusual = True

    def content(self, element: etree._Element) -> bytes:
        """Decode the base64 content of an element; empty where it is empty or not base64."""
        text = element.text
        if text and not len(element):
            try:
                value = binascii.a2b_base64(text, strict_mode=True)
            except (binascii.Error, ValueError):
                return self.decode(element, text)
            if text[-1] == "=" and text[-2:] not in _ENDINGS and text[-3:] not in _ENDINGS:
                self.strict = False
            return value
        return self.decode(element, text_of(element))

    def decode(self, element: etree._Element, text: str) -> bytes:
        """Decode a base64 text that belongs to an element; empty, and the element noted, where it is not base64."""
        if text:
            self.strict = False
        try:
            return decode_base64(text)
        except (binascii.Error, ValueError):
            self.bad[element] = None
            return b""


@dataclass(slots=True)
class Noted:
    """What was noted about each key and system of a document while it was made.

    Who makes a document knows what is in it: this spares reading the tree and its base64 again.

    Args:
        keys: the content keys.
        systems: the DRM systems, with the texts of their HLS data as they were given.
        unusual: whether base64 stands in places that the rows do not tell of.
    """

    keys: list[KeyRow] = field(default_factory=list)
    systems: list[tuple[str, str, bytes | None, bytes | None, tuple[tuple[str | None, str], ...], bool]] = field(
        default_factory=list
    )
    unusual: bool = False

    def rows(self, document: Document) -> Rows | None:
        """Return the rows of a document, or None unless there is a note on every key and system of it."""
        lists = (document.content_keys.list_element, document.drm_systems.list_element)
        if [0 if found is None else len(found) for found in lists] != [len(self.keys), len(self.systems)]:
            return None
        rows = Rows(keys=self.keys, unusual=self.unusual)
        systems = (
            (None, (kid, system, box, protection, tuple([(name, text.encode()) for name, text in hls]), smooth))
            for kid, system, box, protection, hls, smooth in self.systems
        )
        rows.sift(systems, document)
        rows.survey_rest(document)
        return rows


def read_rows(document: Document, *, all_notable: bool = False) -> Rows:
    """Read the rows of a document; with `all_notable`, no DRM system is spared the rules."""
    rows = Rows()
    rows.keys = [_key(element, rows) for element in document.content_keys.elements()]
    rows.sift(_systems(document, rows), document, Sieve(()) if all_notable else None)
    rows.survey_rest(document)
    return rows


def _key(element: etree._Element, rows: Rows) -> KeyRow:
    attributes: dict[Any, Any] = dict(element.items())
    get = attributes.get
    depends_on, iv = get("dependsOnKey"), get("explicitIV")
    row = KeyRow(
        element,
        (get("kid") or "").lower(),
        None if depends_on is None else depends_on.lower(),
        get("contentId"),
        get("commonEncryptionScheme"),
        None if iv is None else rows.decode(element, iv),
    )
    for child in element:
        tag = child.tag
        if tag == _DATA:
            _data(row, child, rows)
        elif tag == _HDCP:
            row.hdcp = child
            rows.unusual = True
        elif isinstance(tag, str):
            rows.unusual = True
    return row


def _data(row: KeyRow, data: etree._Element, rows: Rows) -> None:
    children = list(data)
    secret = next((child for child in children if child.tag == _SECRET), None)
    if secret is None or len(children) > 1:
        rows.unusual = True
    for child in () if secret is None else secret:
        tag = child.tag
        if tag == PLAIN:
            row.plain = rows.content(child)
        elif tag == _ENCRYPTED:
            rows.unusual = True
            row.encrypted = child
            value = child.find(_CIPHER)
            row.cipher = None if value is None else rows.content(value)
        elif tag == _MAC:
            row.mac = rows.content(child)


def _systems(document: Document, rows: Rows) -> Iterator[tuple[etree._Element, NotedSystem]]:
    content, kids = rows.content, {row.kid: row.kid for row in rows.keys}
    systems: dict[str, str] = {}
    for element in document.drm_systems.elements():
        box = protection = None
        hls: Hls = ()
        smooth = False
        for child in element:
            tag = child.tag
            if tag == PSSH:
                box = content(child)
                if child.keys():
                    _doubt_typed(rows, child)
            elif tag == HLS:
                playlist = child.get("playlist")
                hls = (*hls, (playlist, content(child)))
                if len(child.keys()) > (playlist is not None) or len(hls) > 1:
                    _doubt_repeated(rows, child, hls)
            elif tag == CPD:
                protection = content(child)
                _doubt_typed(rows, child)
            elif tag == SMOOTH:
                smooth = True
            else:
                rows.unusual |= isinstance(tag, str)
        get = element.get
        kid, system = (get("kid") or "").lower(), (get("systemId") or "").lower()
        yield element, (kids.get(kid, kid), systems.setdefault(system, system), box, protection, hls, smooth)


def _doubt_typed(rows: Rows, element: etree._Element) -> None:
    """Leave an element to the schema at which a type is written (`xsi:type`)."""
    names: Any = element.keys()
    if any(name.startswith("{") for name in names):
        rows.strict = False


def _doubt_repeated(rows: Rows, element: etree._Element, hls: Hls) -> None:
    """Leave HLS data to the schema that has a type written at it, or that repeats a playlist."""
    names = [name for name, _ in hls]
    if len(set(names)) < len(names):
        rows.strict = False
    _doubt_typed(rows, element)
