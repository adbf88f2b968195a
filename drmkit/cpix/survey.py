"""One pass over a document that gathers what the rules look at, so that ten thousand keys cost milliseconds.

The rows hold plain values next to their elements. Typed views would say the same, but the rules visit every entry many
times, and a view reads the tree anew each time.
"""

from __future__ import annotations

import binascii
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeVar

from lxml import etree

from drmkit.cpix.document import Document
from drmkit.cpix.notation import VERSIONS
from drmkit.cpix.schema import DS, ENC, PSKC
from drmkit.cpix.values import decode_base64, text_of
from drmkit.cpix.view import cpix

if TYPE_CHECKING:
    from cryptography import x509

T = TypeVar("T")

__all__ = ["CPD", "HLS", "PLAIN", "PSSH", "SMOOTH", "KeyRow", "Rows", "Survey", "SystemRow"]

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
_CERTIFICATE: Final = f"{{{DS}}}X509Certificate"


@dataclass(slots=True)
class KeyRow:
    """A content key; IDs in lower case as they stand there, bytes empty where the value is empty or not base64."""

    element: etree._Element
    kid: str
    depends_on: str | None
    content_id: str | None
    scheme: str | None
    iv: bytes | None
    hdcp: etree._Element | None = None
    plain: bytes | None = None
    encrypted: etree._Element | None = None
    cipher: bytes | None = None
    mac: bytes | None = None

    def part(self, tag: str) -> etree._Element:
        """Return the first element with this name below the key, or the key."""
        return next(self.element.iter(tag), self.element)


@dataclass(slots=True)
class SystemRow:
    """A DRM system of a key; IDs in lower case, bytes empty where the value is empty or not base64."""

    element: etree._Element
    kid: str
    system: str
    pssh: bytes | None = None
    protection: bytes | None = None
    hls: tuple[tuple[str | None, bytes], ...] = ()
    has_smooth: bool = False

    def part(self, tag: str, position: int = 0) -> etree._Element:
        """Return the n-th child element with this name, or the DRM system."""
        found = list(self.element.iterchildren(tag))
        return found[position] if position < len(found) else self.element


@dataclass(slots=True)
class Rows:
    """The rows of all keys and systems, in document order.

    Who makes a document knows what is in it: rows that are collected then spare reading the tree and its base64 again.

    Args:
        keys: the content keys.
        systems: the DRM systems.
        unusual: whether base64 may stand in places that the rows do not tell of.
    """

    keys: list[KeyRow] = field(default_factory=list)
    systems: list[SystemRow] = field(default_factory=list)
    unusual: bool = False

    def cover(self, document: Document) -> bool:
        """Say whether there is a row for every key and system of a document."""
        lists = (document.content_keys.list_element, document.drm_systems.list_element)
        return [0 if found is None else len(found) for found in lists] == [len(self.keys), len(self.systems)]


class Survey:
    """What the rules know of a document: rows of its keys and systems, and indexes over them.

    Args:
        document: the document.
        version: the CPIX version that it is checked against.
        now: the time against which certificates are checked; None means the present.
        rows: the rows of the document, where they are at hand; used if they cover all of it.
    """

    def __init__(
        self,
        document: Document,
        version: str = VERSIONS[-1],
        now: datetime | None = None,
        rows: Rows | None = None,
    ) -> None:
        self.document = document
        self.version = version
        self.now = now or datetime.now(UTC)
        self._given = rows
        self._bad: dict[etree._Element, None] = {}
        self._remembered: dict[str, Any] = {}
        self._certificates: dict[etree._Element, x509.Certificate | None] = {}

    @cached_property
    def _rows(self) -> Rows:
        """The rows, read from the tree where first asked for, so that what ran before has given its memory back."""
        document, rows = self.document, self._given
        if rows is None or not rows.cover(document):
            rows = Rows()
            rows.keys = [self._key(element, rows) for element in document.content_keys.elements()]
            rows.systems = list(self._systems(rows))
        if any(child.tag not in _PLAIN_LISTS for child in document.root) or len(document.root) > len(_PLAIN_LISTS):
            rows.unusual = True
        return rows

    @property
    def keys(self) -> list[KeyRow]:
        """The rows of the content keys."""
        return self._rows.keys

    @property
    def systems(self) -> list[SystemRow]:
        """The rows of the DRM systems."""
        return self._rows.systems

    @property
    def bad(self) -> dict[etree._Element, None]:
        """The elements whose content (of a content key: whose explicit IV) is not base64."""
        _ = self._rows  # reading the rows finds them
        return self._bad

    @property
    def unusual(self) -> bool:
        """Whether base64 may stand in places that the rows do not tell of."""
        return self._rows.unusual

    @cached_property
    def keys_by_kid(self) -> dict[str, KeyRow]:
        """The first content key of each key ID."""
        found: dict[str, KeyRow] = {}
        for row in self.keys:
            found.setdefault(row.kid, row)
        return found

    @cached_property
    def roots(self) -> frozenset[str]:
        """The IDs of the keys on which others depend."""
        return frozenset(row.depends_on for row in self.keys if row.depends_on is not None)

    @cached_property
    def schemes(self) -> dict[str, str]:
        """The protection scheme of each key that has one; a leaf has that of its root."""
        own = {row.kid: row.scheme for row in self.keys if row.scheme}
        leaves = {row.kid: own[row.depends_on] for row in self.keys if row.depends_on in own}
        return {**own, **leaves}

    @cached_property
    def rules_by_kid(self) -> dict[str, list[etree._Element]]:
        """The elements of the usage rules of each key."""
        found: dict[str, list[etree._Element]] = defaultdict(list)
        for element in self.document.usage_rules.elements():
            found[(element.get("kid") or "").lower()].append(element)
        return found

    @cached_property
    def certificate_elements(self) -> list[etree._Element]:
        """The elements of all X.509 certificates, of recipients and signers."""
        holders = [self.document.recipients.list_element, *self.document.signatures.elements()]
        return [e for holder in holders if holder is not None for e in holder.iter(_CERTIFICATE)]

    def certificate(self, element: etree._Element) -> x509.Certificate | None:
        """Read an X.509 certificate, once; None where it cannot be read."""
        if element not in self._certificates:
            from drmkit.cpix.certificates import load_certificate  # noqa: PLC0415 (most documents have no certificate)

            self._certificates[element] = load_certificate(self.content(element))
        return self._certificates[element]

    def remember(self, name: str, make: Callable[[Survey], T]) -> T:
        """Return what `make` gives for this survey, made once for all rules that ask for it by this name."""
        if name not in self._remembered:
            self._remembered[name] = make(self)
        found: T = self._remembered[name]
        return found

    def content(self, element: etree._Element) -> bytes:
        """Decode the base64 content of an element; empty where it is empty or not base64."""
        text = element.text
        if text and len(text) % 4 == 0 and not len(element):
            try:
                return binascii.a2b_base64(text, strict_mode=True)
            except (binascii.Error, ValueError):
                return self.decode(element, text)
        return self.decode(element, text_of(element))

    def decode(self, element: etree._Element, text: str) -> bytes:
        """Decode a base64 text that belongs to an element; empty, and the element noted, where it is not base64."""
        try:
            return decode_base64(text)
        except (binascii.Error, ValueError):
            self._bad[element] = None
            return b""

    def _key(self, element: etree._Element, rows: Rows) -> KeyRow:
        get = element.get
        depends_on, iv = get("dependsOnKey"), get("explicitIV")
        row = KeyRow(
            element,
            (get("kid") or "").lower(),
            None if depends_on is None else depends_on.lower(),
            get("contentId"),
            get("commonEncryptionScheme"),
            None if iv is None else self.decode(element, iv),
        )
        for child in element:
            tag = child.tag
            if tag == _DATA:
                self._data(row, child, rows)
            elif tag == _HDCP:
                row.hdcp = child
                rows.unusual = True
            elif isinstance(tag, str):
                rows.unusual = True
        return row

    def _data(self, row: KeyRow, data: etree._Element, rows: Rows) -> None:
        secret = next(data.iterchildren(_SECRET), None)
        if secret is None or len(data) > 1:
            rows.unusual = True
        for child in () if secret is None else secret:
            tag = child.tag
            if tag == PLAIN:
                row.plain = self.content(child)
            elif tag == _ENCRYPTED:
                rows.unusual = True
                row.encrypted = child
                value = child.find(_CIPHER)
                row.cipher = None if value is None else self.content(value)
            elif tag == _MAC:
                row.mac = self.content(child)

    def _systems(self, rows: Rows) -> Iterator[SystemRow]:
        content, kids = self.content, {row.kid: row.kid for row in rows.keys}
        systems: dict[str, str] = {}
        for element in self.document.drm_systems.elements():
            pssh = protection = None
            hls: tuple[tuple[str | None, bytes], ...] = ()
            smooth = False
            for child in element:
                tag = child.tag
                if tag == HLS:
                    hls = (*hls, (child.get("playlist"), content(child)))
                elif tag == PSSH:
                    pssh = content(child)
                elif tag == CPD:
                    protection = content(child)
                elif tag == SMOOTH:
                    smooth = True
                elif isinstance(tag, str):
                    rows.unusual = True
            kid, system = element.get("kid", "").lower(), element.get("systemId", "").lower()
            yield SystemRow(
                element, kids.get(kid, kid), systems.setdefault(system, system), pssh, protection, hls, smooth
            )
