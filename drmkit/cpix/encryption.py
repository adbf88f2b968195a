"""Encrypt the content keys of a document for its recipients, in the shape of the document's version."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Final, NamedTuple

from cryptography import x509
from lxml import etree

from drmkit.cpix import structure
from drmkit.cpix.certificates import check_strength, describe, load_certificate, read_certificate, rsa_key, to_der
from drmkit.cpix.ciphers import (
    AES_CBC,
    CIPHER_DATA,
    CIPHER_VALUE,
    DOCUMENT_KEY_SIZE,
    HMAC_SHA512,
    MAC_KEY_SIZE,
    METHOD,
    RSA_OAEP,
    macs_of,
    seal_key,
    seal_rsa,
)
from drmkit.cpix.delivery import Recipient
from drmkit.cpix.document import Document
from drmkit.cpix.schema import DS, ENC, NAMESPACES, PSKC, VERSIONS
from drmkit.cpix.sealed import DATA, ENCRYPTED, MAC, PLAIN, SECRET
from drmkit.cpix.shape import add_child, ensure_child
from drmkit.cpix.signed import signatures_over
from drmkit.cpix.values import encode_base64, line_of
from drmkit.cpix.view import cpix, remove_element
from drmkit.errors import CertificateError, CpixError

__all__ = ["encrypt"]

_IV_SIZE: Final = 16
_LIST: Final = cpix("DeliveryDataList")
_DELIVERY: Final = cpix("DeliveryData")
_DOCUMENT_KEY: Final = cpix("DocumentKey")
_MAC_METHOD: Final = cpix("MACMethod")
_X509: Final = f"{{{DS}}}X509Data"
_CERTIFICATE: Final = f"{{{DS}}}X509Certificate"
_NAMES: Final = {"pskc": PSKC, "enc": ENC}

Random = Callable[[int], bytes]


class _Plain(NamedTuple):
    """A content key in the clear: its ID, its `PlainValue` element and its value."""

    kid: str
    element: etree._Element
    value: bytes


def encrypt(
    document: Document,
    recipients: Iterable[x509.Certificate | bytes] | None = None,
    *,
    version: str | None = None,
    separate_keys: bool = False,
    allow_weak: bool = False,
    now: datetime | None = None,
    random: Random = os.urandom,
) -> Document:
    """Return a copy of a document with its content keys encrypted; the document itself keeps them in the clear.

    Content keys are encrypted with AES-256-CBC under a fresh document key of 32 bytes and authenticated with
    HMAC-SHA512 under a fresh MAC key of 64 bytes; both keys are encrypted with RSA-OAEP-MGF1-SHA1 for each recipient
    (CPIX 2.4, Mandatory Algorithms). Content keys that have no value yet, as in a request, stay so.

    Args:
        document: the document, with its content keys in the clear.
        recipients: the recipients' X.509 certificates, in DER or PEM; None takes those that the document itself names
            in its delivery data, as a request for encrypted keys does.
        version: the CPIX version whose shape is written; None takes what the document says, else what its structure
            allows. Up to 2.3.1 a document key names its algorithm, in 2.4 the schema forbids that: a document that says
            a version of the other shape says this one from then on.
        separate_keys: give each content key a document key of its own (2.4), named by `encryptsKey`.
        allow_weak: accept certificates with RSA keys under 3072 bits, signed with SHA-1, or not valid at present.
        now: the time at which certificates must be valid (aware); None means the present.
        random: the source of keys and IVs.

    Raises:
        WeakCertificateError: a certificate is weak, and `allow_weak` was not given.
        CertificateError: a certificate cannot be read, or has no RSA key.
        CpixError: a content key is encrypted already, the document names a recipient who is not among `recipients`,
            there is no recipient, or a signature covers what would change.
    """
    sealed = Document(copy.deepcopy(document.tree))
    certificates = _certificates(sealed, recipients)
    for certificate in certificates:
        if not allow_weak:
            check_strength(certificate, now)
        rsa_key(certificate)
    shape = _version(document, version, separate_keys=separate_keys)
    keys = list(_plain_keys(sealed))
    _check_signatures(sealed)
    if sealed.version and (sealed.version.strip() == "2.4") != (shape == "2.4"):
        sealed.version = None if shape in ("2.1", "2.2") else shape  # they have no attribute for it
    mac_key = random(MAC_KEY_SIZE)
    document_keys = _seal_all(keys, mac_key, random, separate=separate_keys)
    for certificate in certificates:
        element = _delivery_data(sealed, certificate)
        _fill(element, certificate, document_keys, mac_key, algorithm=shape != "2.4")
    sealed.touch()
    return sealed


def _certificates(document: Document, recipients: Iterable[x509.Certificate | bytes] | None) -> list[x509.Certificate]:
    named = {to_der(certificate): certificate for certificate in map(_certificate, document.recipients)}
    if recipients is None:
        if not named:
            raise CpixError(
                "the document names no recipient to encrypt for", hint="give the certificates of the recipients"
            )
        return list(named.values())
    if isinstance(recipients, bytes | x509.Certificate):
        recipients = (recipients,)
    given = [read_certificate(source, what="the recipient's certificate") for source in recipients]
    found = {to_der(certificate): certificate for certificate in given}
    if not found:
        raise CpixError("there is no recipient to encrypt for", hint="give the certificates of the recipients")
    for der, certificate in named.items():
        if der not in found:
            raise CpixError(
                f"the document names a recipient who was not asked for: {describe(certificate)}",
                hint="remove that delivery data, or give no certificates to encrypt for those in the document",
            )
    return list(found.values())


def _certificate(recipient: Recipient) -> x509.Certificate:
    der = recipient.certificate
    certificate = None if der is None else load_certificate(der)
    if certificate is None:
        raise CertificateError(
            f"the recipient in line {recipient.line} has no X.509 certificate that can be read",
            hint="DeliveryKey/X509Data/X509Certificate must hold it; remove delivery data that nobody can be meant by",
        )
    return certificate


def _version(document: Document, version: str | None, *, separate_keys: bool) -> str:
    if version is not None and version not in VERSIONS:
        raise CpixError(f"there is no CPIX version {version!r}", hint=f"one of {', '.join(VERSIONS)}")
    stated = (document.version or "").strip()
    if version is None and stated in VERSIONS:
        version = stated
    if version is None:
        # What is not said is read as 2.3.1, which most documents without a version are, unless only 2.4 has its parts.
        newest = not structure.accepts(document, "2.3.1") and structure.accepts(document, "2.4")
        version = "2.4" if newest or separate_keys else "2.3.1"
    if separate_keys and version != "2.4":
        raise CpixError(
            f"CPIX {version} has one document key for all content keys", hint="document keys of their own came with 2.4"
        )
    return version


def _plain_keys(document: Document) -> Iterator[_Plain]:
    for key in document.content_keys:
        if key.is_encrypted:
            raise CpixError(
                f"content key {key.kid} in line {key.line} is encrypted already",
                hint="decrypt the document first, with drmkit.cpix.decrypt",
            )
        value = key.key
        element = None if key.secret_element is None else next(key.secret_element.iterchildren(PLAIN), None)
        if value is not None and element is not None:
            yield _Plain(str(key.kid), element, value.reveal())


def _check_signatures(document: Document) -> None:
    document.changing(document.root)
    parts = (document.content_keys.list_element, document.recipients.list_element)
    signed = signatures_over(document, [part for part in parts if part is not None])
    if signed:
        raise CpixError(
            f"the signature in line {line_of(signed[0].element)} covers what encryption changes, and would not hold",
            hint="remove it first: document.signatures.remove(signature); sign again after encrypting",
        )


def _seal_all(keys: list[_Plain], mac_key: bytes, random: Random, *, separate: bool) -> list[tuple[str | None, bytes]]:
    """Encrypt the content keys in place and return the document keys, each with the key ID that it is for, or None."""
    common = random(DOCUMENT_KEY_SIZE)
    document_keys: list[tuple[str | None, bytes]] = []
    for key in keys:
        document_key = random(DOCUMENT_KEY_SIZE) if separate else common
        if separate:
            document_keys.append((key.kid, document_key))
        cipher = seal_key(document_key, random(_IV_SIZE), key.value)
        secret = key.element.getparent()
        assert secret is not None  # noqa: S101 (a PlainValue stands in a Secret)
        encrypted = secret.makeelement(ENCRYPTED, nsmap=_NAMES)
        encrypted.tail = key.element.tail
        secret.replace(key.element, encrypted)
        _add_cipher(encrypted, AES_CBC, cipher)
        _remove_all(secret, MAC)
        mac = secret.makeelement(MAC)
        mac.text = encode_base64(next(macs_of(mac_key, [cipher])))
        add_child(secret, mac)
    return document_keys or [(None, common)]


def _delivery_data(document: Document, certificate: x509.Certificate) -> etree._Element:
    found = document.recipients.by_certificate(to_der(certificate))
    if found is not None:
        return found.element
    element = etree.SubElement(ensure_child(document.root, _LIST), _DELIVERY, nsmap=NAMESPACES)
    data = etree.SubElement(etree.SubElement(element, cpix("DeliveryKey")), _X509, nsmap=NAMESPACES)
    etree.SubElement(data, _CERTIFICATE).text = encode_base64(to_der(certificate))
    return element


def _fill(
    element: etree._Element,
    certificate: x509.Certificate,
    document_keys: list[tuple[str | None, bytes]],
    mac_key: bytes,
    *,
    algorithm: bool,
) -> None:
    """Give one recipient the document keys and the MAC key, in place of whatever stood there."""
    public = rsa_key(certificate)
    _remove_all(element, _DOCUMENT_KEY)
    _remove_all(element, _MAC_METHOD)
    for kid, value in document_keys:
        child = element.makeelement(_DOCUMENT_KEY)
        if algorithm:
            child.set("Algorithm", AES_CBC)
        if kid is not None:
            child.set("encryptsKey", kid)
        add_child(element, child)
        secret = etree.SubElement(etree.SubElement(child, DATA), SECRET, nsmap=_NAMES)
        _add_cipher(etree.SubElement(secret, ENCRYPTED), RSA_OAEP, seal_rsa(public, value))
    method = element.makeelement(_MAC_METHOD, Algorithm=HMAC_SHA512)
    add_child(element, method)
    # The schema calls it pskc:MACKey, yet all that exists writes and reads cpix:Key, which the schema lets pass.
    _add_cipher(etree.SubElement(method, cpix("Key"), nsmap=_NAMES), RSA_OAEP, seal_rsa(public, mac_key))


def _add_cipher(parent: etree._Element, algorithm: str, cipher: bytes) -> None:
    etree.SubElement(parent, METHOD, Algorithm=algorithm)
    data = etree.SubElement(parent, CIPHER_DATA)
    etree.SubElement(data, CIPHER_VALUE).text = encode_base64(cipher)


def _remove_all(parent: etree._Element, tag: str) -> None:
    for child in list(parent.iterchildren(tag)):
        remove_element(child)
