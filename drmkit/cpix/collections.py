"""The lists of a document as collections: in document order, with look-up in constant time."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Final, Generic, TypeVar, overload

from lxml import etree

from drmkit.cpix.delivery import Recipient, Signature
from drmkit.cpix.entities import ContentKey, ContentKeyPeriod, DRMSystem, UpdateHistoryItem
from drmkit.cpix.schema import DS
from drmkit.cpix.shape import find_child
from drmkit.cpix.usage import UsageRule
from drmkit.cpix.view import INTEGER, TEXT, Attribute, View, cpix, remove_element
from drmkit.errors import CpixError
from drmkit.identifiers import DrmSystem, KeyId

if TYPE_CHECKING:
    from drmkit.cpix.document import Document

__all__ = [
    "Collection",
    "ContentKeys",
    "DRMSystems",
    "Periods",
    "Recipients",
    "Signatures",
    "UpdateHistory",
    "UsageRules",
]

V = TypeVar("V", bound=View)
_SIGNATURE: Final = f"{{{DS}}}Signature"
_NEAR: Final = 16


class Collection(Generic[V]):
    """One list of a document: iterates, has a length, takes positions, finds by key in constant time.

    The list is read from the living tree, so it is always what the document holds; who adds or moves elements past the
    typed properties calls `Document.touch`, so that they are found.
    """

    list_tag: str
    item_tag: str
    view: Callable[[Document, etree._Element], V]

    def __init__(self, document: Document) -> None:
        self._document = document
        self._index: dict[Hashable, list[etree._Element]] = {}
        self._placed: list[etree._Element] | None = None
        self._arrangement = -1

    @property
    def list_element(self) -> etree._Element | None:
        """The element of the list itself, or None where the document has none."""
        return find_child(self._document.root, self.list_tag)

    def __iter__(self) -> Iterator[V]:
        for element in self.elements():
            yield self.view(self._document, element)

    def __len__(self) -> int:
        return sum(1 for _ in self.elements())

    @overload
    def __getitem__(self, position: int) -> V: ...
    @overload
    def __getitem__(self, position: slice) -> list[V]: ...
    def __getitem__(self, position: int | slice) -> V | list[V]:
        if self._placed is None or self._arrangement != self._document.arrangement:
            self._read()
            self._placed = list(self.elements())
        elements = self._placed
        if isinstance(position, slice):
            return [self.view(self._document, element) for element in elements[position]]
        try:
            return self.view(self._document, elements[position])
        except IndexError:
            name = etree.QName(self.item_tag).localname
            raise IndexError(f"there are {len(elements)} {name} elements, none at position {position}") from None

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self)}>"

    def elements(self) -> Iterator[etree._Element]:
        """Iterate over the bare elements, without views."""
        parent = self.list_element
        return iter(()) if parent is None else parent.iterchildren(self.item_tag)

    def remove(self, item: V) -> None:
        """Take an item out of the document, and the list with it when it was the last one.

        Raises:
            CpixError: the item is not in this list, or a signature covers it.
        """
        parent = item.element.getparent()
        if parent is None or parent is not self.list_element:
            raise CpixError(f"{item!r} is not in this document")
        for element in item.element.iter(etree.Element):
            self._document.changing(element)
        self._forget(item.element, self._key(item.element))
        self._placed = None
        remove_element(item.element)
        if next(parent.iterchildren(etree.Element), None) is None:
            remove_element(parent)

    @staticmethod
    def _key(element: etree._Element) -> Hashable:
        return element.get("id", "").strip(" \t\r\n") or None  # an xs:ID has no space around it

    def key_of(self, element: etree._Element) -> Hashable:
        """Return what an item is found by."""
        return self._key(element)

    def extended(self) -> None:
        """Note that the list has got items past the typed properties, and nothing else has changed."""
        self._arrangement = -1

    def renamed(self, element: etree._Element, before: Hashable) -> None:
        """Note that an item is no longer found by what it was found by before."""
        after = self._key(element)
        if after == before or self._arrangement != self._document.arrangement:
            return
        self._forget(element, before)
        others = self._index.setdefault(after, [])
        # Items of one key are in document order: one that is not seen to follow the others may stand anywhere.
        if not others or element in islice(others[-1].itersiblings(), _NEAR):
            others.append(element)
        else:
            self._arrangement = -1

    def _forget(self, element: etree._Element, key: Hashable) -> None:
        found = self._index.get(key, []) if self._arrangement == self._document.arrangement else []
        if element in found:
            found.remove(element)

    def _read(self) -> None:
        """Make the index, unless it is up to date: a change of a value leaves it so."""
        if self._arrangement != self._document.arrangement:
            self._index, self._placed = {}, None
            for element in self.elements():
                self._index.setdefault(self._key(element), []).append(element)
            self._arrangement = self._document.arrangement

    def _found(self, key: Hashable) -> list[etree._Element]:
        self._read()
        return self._index.get(key, [])

    def _first(self, key: Hashable) -> V | None:
        found = self._found(key)
        return self.view(self._document, found[0]) if found else None


class ListWithId(Collection[V]):
    """A list whose element carries an ID and an update version."""

    @property
    def id(self) -> str | None:
        """The ID of the list, which signatures refer to; setting it makes no list where there is none."""
        element = self.list_element
        return None if element is None else element.get("id")

    @id.setter  # noqa: A003 (the attribute's own name)
    def id(self, value: str | None) -> None:
        _LIST_ID.__set__(View(self._document, self._existing()), value)

    @property
    def update_version(self) -> int | None:
        """The update version of the list (matches an item of the update history), or None."""
        element = self.list_element
        return None if element is None else _LIST_UPDATE.__get__(View(self._document, element), View)

    @update_version.setter
    def update_version(self, value: int | None) -> None:
        _LIST_UPDATE.__set__(View(self._document, self._existing()), value)

    def _existing(self) -> etree._Element:
        element = self.list_element
        if element is None:
            name = etree.QName(self.list_tag).localname
            raise CpixError(f"the document has no {name}", hint="add an item first")
        return element


_LIST_ID: Final = Attribute("id", TEXT)
_LIST_UPDATE: Final = Attribute("updateVersion", INTEGER)


def _kid(element: etree._Element) -> str:
    return (element.get("kid") or "").lower()


class ContentKeys(ListWithId[ContentKey]):
    """The content keys; `get` finds one by its key ID, a `KeyId` or a UUID in text, as do the other lists."""

    list_tag = cpix("ContentKeyList")
    item_tag = cpix("ContentKey")
    view = ContentKey
    _key = staticmethod(_kid)

    def get(self, kid: KeyId | str) -> ContentKey | None:
        """Return the content key with this ID, or None; the first one where the document repeats it."""
        return self._first(str(kid).lower())

    def __contains__(self, kid: object) -> bool:
        return isinstance(kid, KeyId | str) and bool(self._found(str(kid).lower()))


class DRMSystems(ListWithId[DRMSystem]):
    """The DRM systems; `get` finds one by key ID and system ID, `for_key` all of a key."""

    list_tag = cpix("DRMSystemList")
    item_tag = cpix("DRMSystem")
    view = DRMSystem
    _key = staticmethod(_kid)

    def get(self, kid: KeyId | str, system_id: str | DrmSystem) -> DRMSystem | None:
        """Return the entry of a DRM system (UUID text in either case) for a key, or None."""
        wanted = (system_id.system_id if isinstance(system_id, DrmSystem) else system_id).lower()
        for element in self._found(str(kid).lower()):
            if (element.get("systemId") or "").lower() == wanted:
                return DRMSystem(self._document, element)
        return None

    def for_key(self, kid: KeyId | str) -> list[DRMSystem]:
        """Return all DRM systems of a content key, in document order."""
        return [DRMSystem(self._document, element) for element in self._found(str(kid).lower())]


class UsageRules(ListWithId[UsageRule]):
    """The usage rules; `for_key` finds all of a key."""

    list_tag = cpix("ContentKeyUsageRuleList")
    item_tag = cpix("ContentKeyUsageRule")
    view = UsageRule
    _key = staticmethod(_kid)

    def for_key(self, kid: KeyId | str) -> list[UsageRule]:
        """Return all usage rules of a content key, in document order."""
        return [UsageRule(self._document, element) for element in self._found(str(kid).lower())]


class Periods(ListWithId[ContentKeyPeriod]):
    """The content key periods; `get` finds one by the ID that key period filters refer to."""

    list_tag = cpix("ContentKeyPeriodList")
    item_tag = cpix("ContentKeyPeriod")
    view = ContentKeyPeriod

    def get(self, period_id: str) -> ContentKeyPeriod | None:
        """Return the period with this ID, or None."""
        return self._first(period_id)


class Recipients(ListWithId[Recipient]):
    """The recipients (delivery data); `get` finds one by ID, `by_certificate` by its certificate."""

    list_tag = cpix("DeliveryDataList")
    item_tag = cpix("DeliveryData")
    view = Recipient

    def get(self, recipient_id: str) -> Recipient | None:
        """Return the recipient with this ID, or None."""
        return self._first(recipient_id)

    def by_certificate(self, der: bytes) -> Recipient | None:
        """Return the recipient with exactly this X.509 certificate (DER), or None."""
        return next((recipient for recipient in self if recipient.certificate == der), None)


class UpdateHistory(Collection[UpdateHistoryItem]):
    """The update history; `get` finds an item by its update version."""

    list_tag = cpix("UpdateHistoryItemList")
    item_tag = cpix("UpdateHistoryItem")
    view = UpdateHistoryItem

    @staticmethod
    def _key(element: etree._Element) -> Hashable:
        try:
            return INTEGER.read(element.get("updateVersion", ""))
        except ValueError:
            return None

    def get(self, update_version: int) -> UpdateHistoryItem | None:
        """Return the item with this update version, or None."""
        return self._first(update_version)


class Signatures(Collection[Signature]):
    """The signatures of the document, unverified; `get` finds the first one over an ID."""

    item_tag = _SIGNATURE
    view = Signature

    @property
    def list_element(self) -> etree._Element:
        """The root: signatures stand directly in it."""
        return self._document.root

    @staticmethod
    def _key(element: etree._Element) -> Hashable:
        reference = element.find(f"{{{DS}}}SignedInfo/{{{DS}}}Reference")
        return None if reference is None else reference.get("URI", "")

    def get(self, uri: str) -> Signature | None:
        """Return the first signature whose first reference is this URI (`#id`, or empty for the document), or None."""
        return self._first(uri)

    def remove(self, item: Signature) -> None:
        """Take a signature out of the document, which frees what it covered for changes."""
        if item.element.getparent() is not self._document.root:
            raise CpixError(f"{item!r} is not in this document")
        self._forget(item.element, self._key(item.element))
        self._placed = None
        remove_element(item.element)
        self._document.revision += 1
