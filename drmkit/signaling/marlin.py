"""Reads Marlin's key IDs from DASH manifests (Marlin, "Adaptive Streaming Specification", simple profile)."""

from __future__ import annotations

from lxml import etree

from drmkit.errors import IdentifierError, SignalingError
from drmkit.identifiers import KeyId
from drmkit.signaling import xml

__all__ = ["NAMESPACE", "PREFIX", "key_ids"]

NAMESPACE = "urn:marlin:mas:1-0:services:schemas:mpd"
PREFIX = "urn:marlin:kid:"


def key_ids(element: etree._Element) -> tuple[KeyId, ...]:
    """Return the key IDs of the `MarlinContentId` elements inside an element.

    Args:
        element: a `ContentProtection` element, or any other that holds them.

    Raises:
        SignalingError: an identifier that starts as a key ID does not end as one.
    """
    found = []
    for item in element.iter(f"{{{NAMESPACE}}}MarlinContentId"):
        text = xml.text_of(item).strip()
        if text.lower().startswith(PREFIX):
            found.append(_key_id(text))
    return tuple(found)


def _key_id(text: str) -> KeyId:
    digits = text[len(PREFIX) :].replace("-", "")
    try:
        return KeyId.from_hex(digits)
    except IdentifierError:
        raise SignalingError(f"the Marlin content ID {text!r} does not end with a key ID of 32 digits") from None
