"""What the rules know of a document: rows of its keys and systems, and indexes over them, made once for all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeVar

from lxml import etree

from drmkit.cpix.document import Document
from drmkit.cpix.notation import VERSIONS
from drmkit.cpix.records import UUID, KeyRow, SystemRow, schemes_of
from drmkit.cpix.rows import Rows, read_rows
from drmkit.cpix.schema import DS
from drmkit.cpix.timeline import Timed, intervals

if TYPE_CHECKING:
    from cryptography import x509

T = TypeVar("T")

__all__ = ["Survey"]

_CERTIFICATE: Final = f"{{{DS}}}X509Certificate"


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
        self._remembered: dict[str, Any] = {}
        self._certificates: dict[etree._Element, x509.Certificate | None] = {}

    @cached_property
    def _rows(self) -> Rows:
        """The rows, read from the tree where first asked for."""
        return read_rows(self.document) if self._given is None else self._given

    @property
    def keys(self) -> list[KeyRow]:
        """The rows of the content keys."""
        return self._rows.keys

    @property
    def notable(self) -> list[SystemRow]:
        """The rows of the DRM systems that rules about their content have to look at; see `Sieve`."""
        return self._rows.notable

    @property
    def system_kids(self) -> list[str]:
        """The key ID of each DRM system, in lower case."""
        return self._rows.kids

    @property
    def system_ids(self) -> list[str]:
        """The system ID of each DRM system, in lower case."""
        return self._rows.systems

    @cached_property
    def system_elements(self) -> list[etree._Element]:
        """The element of each DRM system: those few rules ask for that have found something."""
        return list(self.document.drm_systems.elements())

    @property
    def bad(self) -> dict[etree._Element, None]:
        """The elements whose content (of a content key: whose explicit IV) is not base64."""
        return self._rows.bad

    @property
    def unusual(self) -> bool:
        """Whether base64 may stand in places that the rows do not tell of."""
        return self._rows.unusual

    @cached_property
    def spares_schema(self) -> bool:
        """Whether the DRM systems are known to be as the schema wants them, in what the lean schema leaves out.

        That is: their binary values are base64, they repeat no playlist, their key IDs are those of content keys, their
        system IDs are UUIDs, and nothing else in the document can hold a DRM system.
        """
        rows = self._rows
        return (
            rows.strict
            and not rows.unusual
            and not rows.bad
            and self.keys_by_kid.keys() >= set(rows.kids)
            and all(UUID.fullmatch(system) for system in set(rows.systems))
        )

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
        return schemes_of(self.keys)

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

    @property
    def timed(self) -> Timed:
        """The periods that have times, by their IDs."""
        return self.remember("timed", lambda _: intervals(self.document))

    def remember(self, name: str, make: Callable[[Survey], T]) -> T:
        """Return what `make` gives for this survey, made once for all rules that ask for it by this name."""
        if name not in self._remembered:
            self._remembered[name] = make(self)
        found: T = self._remembered[name]
        return found

    def content(self, element: etree._Element) -> bytes:
        """Decode the base64 content of an element; empty where it is empty or not base64."""
        return self._rows.content(element)
