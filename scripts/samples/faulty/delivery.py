"""Faults in recipients, encryption, certificates and signatures, in their shapes only: no key is encrypted for real."""

from __future__ import annotations

import copy

from lxml import etree

from drmkit.cpix import Builder, Document
from drmkit.cpix.schema import DS, ENC, PSKC
from drmkit.cpix.view import cpix
from samples.certificates import certificate
from samples.faulty.entries import (
    FROM_23,
    KEY,
    bare,
    breaks,
    put,
)
from samples.model import NEW, found, key, kid, one

__all__: list[str] = []

_HMAC = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha512"


def _encrypted(element: etree._Element, algorithm: str, size: int) -> None:
    method = etree.SubElement(element, f"{{{ENC}}}EncryptionMethod", nsmap={"enc": ENC})
    method.set("Algorithm", algorithm)
    data = etree.SubElement(etree.SubElement(element, f"{{{ENC}}}CipherData"), f"{{{ENC}}}CipherValue")
    put(data, key(f"cipher {size}", 32) * (size // 32) + key("rest", size % 32))


def _sealed() -> Document:
    """A document that looks encrypted: right in every shape, with cipher texts that open for nobody."""
    builder = Builder(version="2.4", content_id="sample")
    for name in ("SD", "HD"):
        builder.content_key(kid=kid(name), scheme="cenc")
    document = builder.recipient(certificate=certificate("recipient-1"), name="recipient 1").build()
    for element in found(document, KEY):
        secret = etree.SubElement(etree.SubElement(element, cpix("Data")), f"{{{PSKC}}}Secret")
        _encrypted(etree.SubElement(secret, f"{{{PSKC}}}EncryptedValue"), f"{ENC}aes256-cbc", 48)
        put(etree.SubElement(secret, f"{{{PSKC}}}ValueMAC"), key("MAC 1", 32) + key("MAC 2", 32))
    recipient = one(document, "cpix:DeliveryDataList/cpix:DeliveryData")
    secret = etree.SubElement(one(document, "cpix:DeliveryDataList//cpix:Data"), f"{{{PSKC}}}Secret")
    _encrypted(etree.SubElement(secret, f"{{{PSKC}}}EncryptedValue"), f"{ENC}rsa-oaep-mgf1p", 384)
    method = etree.SubElement(recipient, cpix("MACMethod"), Algorithm=_HMAC)
    _encrypted(etree.SubElement(method, f"{{{PSKC}}}MACKey"), f"{ENC}rsa-oaep-mgf1p", 384)
    document.touch()
    return document


_DELIVERY = "cpix:DeliveryDataList/cpix:DeliveryData"
_SECRET = f"{KEY}/cpix:Data/pskc:Secret"


def _open(document: Document, number: int = 0) -> None:
    secret = one(document, _SECRET, number)
    for child in list(secret):
        secret.remove(child)
    put(etree.SubElement(secret, f"{{{PSKC}}}PlainValue"), key("SD"))


@breaks("recipient-certificate", shows="a recipient without a certificate", accepts=FROM_23, start=_sealed)
def _(document: Document) -> None:
    delivery = one(document, f"{_DELIVERY}/cpix:DeliveryKey")
    for child in list(delivery):
        delivery.remove(child)
    etree.SubElement(delivery, f"{{{DS}}}KeyName", nsmap={"ds": DS}).text = "recipient 1"


@breaks(
    "key-clear-among-encrypted", shows="one key in the clear beside an encrypted one", accepts=FROM_23, start=_sealed
)
def _(document: Document) -> None:
    _open(document)


@breaks("encrypted-without-recipient", shows="encrypted keys that nobody can decrypt", accepts=FROM_23, start=_sealed)
def _(document: Document) -> None:
    document.root.remove(one(document, "cpix:DeliveryDataList"))


@breaks(
    "document-key-missing",
    shows="encrypted keys, and a recipient without a document key",
    accepts=FROM_23,
    start=_sealed,
)
def _(document: Document) -> None:
    data = one(document, f"{_DELIVERY}/cpix:DocumentKey/cpix:Data")
    data.remove(data[0])


@breaks(
    "document-key-clear", "document-key-missing", shows="a document key in the clear", accepts=FROM_23, start=_sealed
)
def _(document: Document) -> None:
    secret = one(document, f"{_DELIVERY}/cpix:DocumentKey/cpix:Data/pskc:Secret")
    secret.remove(secret[0])
    put(etree.SubElement(secret, f"{{{PSKC}}}PlainValue"), key("document key", 32))


def _two_document_keys() -> Document:
    document = _sealed()
    first = one(document, f"{_DELIVERY}/cpix:DocumentKey")
    second = copy.deepcopy(first)
    first.addnext(second)
    first.set("encryptsKey", str(kid("SD")))
    second.set("encryptsKey", str(kid("HD")))
    return document


@breaks(
    "encrypts-key-missing",
    shows="two document keys, one of which does not say what for",
    accepts=NEW,
    start=_two_document_keys,
)
def _(document: Document) -> None:
    del one(document, f"{_DELIVERY}/cpix:DocumentKey", 1).attrib["encryptsKey"]


@breaks(
    "encrypts-key-unknown",
    shows="a document key for a content key that is not there",
    accepts=NEW,
    start=_two_document_keys,
)
def _(document: Document) -> None:
    one(document, f"{_DELIVERY}/cpix:DocumentKey", 1).set("encryptsKey", str(kid("UHD")))


@breaks("encrypts-key-twice", shows="two document keys for one content key", accepts=NEW, start=_two_document_keys)
def _(document: Document) -> None:
    one(document, f"{_DELIVERY}/cpix:DocumentKey", 1).set("encryptsKey", str(kid("SD")))


@breaks("encryption-algorithm", shows="content keys encrypted with AES-128-CBC", accepts=FROM_23, start=_sealed)
def _(document: Document) -> None:
    for element in found(document, f"{_SECRET}/pskc:EncryptedValue/enc:EncryptionMethod"):
        element.set("Algorithm", f"{ENC}aes128-cbc")


@breaks("mac-missing", shows="a MAC method, and an encrypted key without a MAC", accepts=FROM_23, start=_sealed)
def _(document: Document) -> None:
    secret = one(document, _SECRET)
    secret.remove(secret[1])


@breaks("mac-method-missing", shows="MACs that the recipient has no key for", accepts=FROM_23, start=_sealed)
def _(document: Document) -> None:
    recipient = one(document, _DELIVERY)
    recipient.remove(one(document, f"{_DELIVERY}/cpix:MACMethod"))


@breaks("mac-length", shows="a MAC of 32 bytes, which HMAC-SHA512 does not give", accepts=FROM_23, start=_sealed)
def _(document: Document) -> None:
    put(one(document, f"{_SECRET}/pskc:ValueMAC"), key("MAC 1", 32))


@breaks("cipher-length", shows="an encrypted key too short to hold an IV and a key", accepts=FROM_23, start=_sealed)
def _(document: Document) -> None:
    put(one(document, f"{_SECRET}/pskc:EncryptedValue/enc:CipherData/enc:CipherValue"), key("cipher 32", 32))


@breaks(
    "mac-absent",
    shows="encrypted keys without any MAC: valid, and tampering goes unnoticed",
    accepts=FROM_23,
    valid=True,
    start=_sealed,
)
def _(document: Document) -> None:
    recipient = one(document, _DELIVERY)
    recipient.remove(one(document, f"{_DELIVERY}/cpix:MACMethod"))
    for secret in found(document, _SECRET):
        secret.remove(secret[1])


def _request(name: str) -> Document:
    builder = Builder(version="2.4", content_id="sample").content_key(kid=kid("SD"), scheme="cenc")
    return builder.recipient(certificate=certificate(name)).build()


@breaks(
    "certificate-malformed",
    shows="a certificate that is none",
    accepts=FROM_23,
    valid=True,
    start=lambda: _request("recipient-1"),
)
def _(document: Document) -> None:
    put(one(document, f"{_DELIVERY}/cpix:DeliveryKey/ds:X509Data/ds:X509Certificate"), b"no certificate")


for _name, _rule, _shows in (
    ("weak", "certificate-key", "a certificate with an RSA key of 2048 bits, as SPEKE asks for"),
    ("sha1", "certificate-sha1", "a certificate that is signed with SHA-1"),
    ("expired", "certificate-expired", "a certificate that expired"),
):
    breaks(_rule, shows=_shows, accepts=FROM_23, valid=True, start=lambda name=_name: _request(name))(lambda _: None)


def _signed() -> Document:
    document = bare()
    document.content_keys.id = "keys"
    signature = etree.SubElement(document.root, f"{{{DS}}}Signature", nsmap={"ds": DS})
    info = etree.SubElement(signature, f"{{{DS}}}SignedInfo")
    for tag, algorithm in (
        ("CanonicalizationMethod", "http://www.w3.org/2006/12/xml-c14n11"),
        ("SignatureMethod", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512"),
    ):
        etree.SubElement(info, f"{{{DS}}}{tag}", Algorithm=algorithm)
    reference = etree.SubElement(info, f"{{{DS}}}Reference", URI="#keys")
    etree.SubElement(reference, f"{{{DS}}}DigestMethod", Algorithm=f"{ENC}sha512")
    put(etree.SubElement(reference, f"{{{DS}}}DigestValue"), key("digest 1", 32) + key("digest 2", 32))
    put(etree.SubElement(signature, f"{{{DS}}}SignatureValue"), key("signature", 32) * 12)
    data = etree.SubElement(etree.SubElement(signature, f"{{{DS}}}KeyInfo"), f"{{{DS}}}X509Data")
    put(etree.SubElement(data, f"{{{DS}}}X509Certificate"), certificate("signer"))
    document.touch()
    return document


@breaks("signature-certificate", shows="a signature without the signer's certificate", accepts=FROM_23, start=_signed)
def _(document: Document) -> None:
    signature = one(document, "ds:Signature")
    signature.remove(one(document, "ds:Signature/ds:KeyInfo"))


@breaks("signature-reference", shows="a signature over an ID that is not there", accepts=FROM_23, start=_signed)
def _(document: Document) -> None:
    one(document, "ds:Signature/ds:SignedInfo/ds:Reference").set("URI", "#systems")


@breaks("signature-algorithm", shows="a signature with RSA and SHA-1", accepts=FROM_23, start=_signed)
def _(document: Document) -> None:
    one(document, "ds:Signature/ds:SignedInfo/ds:SignatureMethod").set(
        "Algorithm", "http://www.w3.org/2000/09/xmldsig#rsa-sha1"
    )


@breaks(
    "signature-canonicalization",
    shows="Canonical XML 1.0, which nearly all documents use, where 1.1 is asked for",
    accepts=FROM_23,
    valid=True,
    start=_signed,
)
def _(document: Document) -> None:
    one(document, "ds:Signature/ds:SignedInfo/ds:CanonicalizationMethod").set(
        "Algorithm", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
    )
