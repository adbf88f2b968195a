"""Which parts of a document signatures claim to cover, and taking signatures away; nothing here verifies any."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lxml import etree

from drmkit.cpix.delivery import Signature
from drmkit.cpix.document import Document

__all__ = ["find_by_id", "remove_signatures_over", "signatures_over"]


def find_by_id(root: etree._Element, element_id: str) -> list[etree._Element]:
    """Return every element whose `id` is this, in document order; more than one is a fault of the document."""
    found: Any = root.xpath("descendant-or-self::*[@id=$wanted]", wanted=element_id)
    return list(found)


def signatures_over(document: Document, parts: Iterable[etree._Element]) -> list[Signature]:
    """Return the signatures that a change of any of these elements, or of what is in them, would break."""
    changed = list(parts)
    return [
        signature
        for signature in document.signatures
        if any(_touches(document, uri, element) for uri in signature.references for element in changed)
    ]


def remove_signatures_over(document: Document, parts: Iterable[etree._Element]) -> list[Signature]:
    """Take away the signatures that a change of these elements would break, and return them."""
    removed = signatures_over(document, parts)
    for signature in removed:
        document.signatures.remove(signature)
    return removed


def _touches(document: Document, uri: str, changed: etree._Element) -> bool:
    if not uri.startswith("#") or uri.startswith("#xpointer"):
        return True
    return any(_within(changed, target) or _within(target, changed) for target in find_by_id(document.root, uri[1:]))


def _within(element: etree._Element, other: etree._Element) -> bool:
    return element is other or any(ancestor is other for ancestor in element.iterancestors())
