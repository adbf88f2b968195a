"""Typed views over recipients (delivery data), document keys, MAC methods and signatures, without any cryptography."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from drmkit.cpix import values
from drmkit.cpix.entities import SecretHolder
from drmkit.cpix.schema import CPIX, DS, PSKC
from drmkit.cpix.shape import find_child
from drmkit.cpix.view import BYTES, INTEGER, KEY_ID, TEXT, Attribute, Content, View, cpix
from drmkit.identifiers import KeyId

__all__ = ["DocumentKey", "MACMethod", "Recipient", "Signature"]

_CERTIFICATE = f"{{{DS}}}X509Data/{{{DS}}}X509Certificate"
_MAC_KEYS = (f"{{{PSKC}}}MACKey", f"{{{CPIX}}}Key", f"{{{PSKC}}}Key")


class DocumentKey(SecretHolder):
    """A key that encrypts content keys, itself encrypted for one recipient (CPIX 2.4, `DocumentKey`)."""

    __slots__ = ()
    id = Attribute("id", TEXT)
    algorithm = Attribute("Algorithm", TEXT)
    encrypts_key = Attribute("encryptsKey", TEXT)

    @property
    def encrypts_kids(self) -> tuple[KeyId, ...]:
        """The content keys that this key encrypts; empty means all.

        The schema takes one UUID, the text of the specification a list with spaces; both are read.
        """
        text = self.encrypts_key or ""
        return tuple(self.read_value(KEY_ID, part, "encryptsKey") for part in text.split())


class MACMethod(View):
    """How the encrypted content keys are authenticated (RFC 6030, `MACMethod`)."""

    __slots__ = ()
    algorithm = Attribute("Algorithm", TEXT)

    @property
    def key_element(self) -> etree._Element | None:
        """The element that holds the encrypted MAC key, in any of the three shapes that documents use.

        `pskc:MACKey` is the one of the schema; `cpix:Key` with the encrypted data inside it, or inside a
        `pskc:EncryptedValue` of it, are what existing documents write. The element that is returned is the one whose
        children are `enc:EncryptionMethod` and `enc:CipherData`.
        """
        for tag in _MAC_KEYS:
            key = find_child(self.element, tag)
            if key is not None:
                inner = find_child(key, f"{{{PSKC}}}EncryptedValue")
                return key if inner is None else inner
        return None

    @property
    def key_reference(self) -> str | None:
        """The `MACKeyReference`, or None."""
        child = find_child(self.element, f"{{{PSKC}}}MACKeyReference")
        return None if child is None else values.text_of(child)


class Recipient(View):
    """One recipient who can decrypt the content keys (CPIX 2.4, `DeliveryData`)."""

    __slots__ = ()
    id = Attribute("id", TEXT)
    update_version = Attribute("updateVersion", INTEGER)
    name = Attribute("name", TEXT)
    description = Content("Description", TEXT)
    sending_entity = Content("SendingEntity", TEXT)
    sender_point_of_contact = Content("SenderPointOfContact", TEXT)
    receiving_entity = Content("ReceivingEntity", TEXT)

    @property
    def delivery_key(self) -> etree._Element | None:
        """The `DeliveryKey` element (a `ds:KeyInfoType`), or None."""
        return find_child(self.element, cpix("DeliveryKey"))

    @property
    def certificate(self) -> bytes | None:
        """The recipient's X.509 certificate in DER, or None; the first one where there is a chain."""
        return next(self._certificates(), None)

    @property
    def certificates(self) -> tuple[bytes, ...]:
        """The X.509 certificates in DER: the recipient's own, and any of a chain, in whatever order they stand."""
        return tuple(self._certificates())

    def _certificates(self) -> Iterator[bytes]:
        key = self.delivery_key
        for found in () if key is None else key.iterfind(_CERTIFICATE):
            yield self.read_value(BYTES, values.text_of(found), "X509Certificate")

    @property
    def document_keys(self) -> tuple[DocumentKey, ...]:
        """The document keys: one up to 2.3.1, one or more in 2.4."""
        return tuple(DocumentKey(self.document, e) for e in self.element.iterchildren(cpix("DocumentKey")))

    @property
    def mac_method(self) -> MACMethod | None:
        """The MAC method, or None where the content keys are not authenticated."""
        child = find_child(self.element, cpix("MACMethod"))
        return None if child is None else MACMethod(self.document, child)


class Signature(View):
    """A signature in the document (XML Signature), not verified by looking at it."""

    __slots__ = ()
    id = Attribute("Id", TEXT)

    @property
    def references(self) -> tuple[str, ...]:
        """The URIs of what is signed: `#id` for an element, empty for the whole document."""
        path = f"{{{DS}}}SignedInfo/{{{DS}}}Reference"
        return tuple(reference.get("URI", "") for reference in self.element.iterfind(path))

    @property
    def certificates(self) -> tuple[bytes, ...]:
        """The X.509 certificates inside the signature, in DER."""
        path = f"{{{DS}}}KeyInfo/{_CERTIFICATE}"
        return tuple(
            self.read_value(BYTES, values.text_of(found), "X509Certificate") for found in self.element.iterfind(path)
        )
