"""Open encrypted documents: the MACs of all content keys first, then all keys, or nothing at all."""

from __future__ import annotations

import copy
import hmac
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lxml import etree

from drmkit.cpix.certificates import describe, load_certificate, same_key
from drmkit.cpix.ciphers import (
    AES_CBC,
    DOCUMENT_KEY_SIZE,
    HMAC_SHA512,
    KEY_WRAP,
    macs_of,
    open_keys_cbc,
    open_rsa,
    unwrap_key,
)
from drmkit.cpix.delivery import DocumentKey, MACMethod, Recipient
from drmkit.cpix.document import Document
from drmkit.cpix.privatekey import PrivateKey, load_private_key
from drmkit.cpix.sealed import (
    DATA,
    ENCRYPTED,
    PLAIN,
    SECRET,
    SealedKeys,
    broken,
    only,
    rsa_cipher,
    sealed_keys,
)
from drmkit.cpix.signed import remove_signatures_over
from drmkit.cpix.values import line_of, text_of
from drmkit.cpix.view import cpix, remove_element
from drmkit.errors import CpixError, IdentifierError, NotRecipientError, PlainKeyError, WrongKeyError, WrongMacError
from drmkit.identifiers import KeyId
from drmkit.secret import Secret

__all__ = ["decrypt", "open_keys"]

_MAC_METHOD: Final = cpix("MACMethod")


def decrypt(
    document: Document,
    private_key: PrivateKey | rsa.RSAPrivateKey | bytes,
    *,
    passphrase: Secret[str] | Secret[bytes] | None = None,
    allow_missing_mac: bool = False,
) -> Document:
    """Return a copy of a document with its content keys in the clear; the document itself stays as it is.

    The delivery data is gone from the copy, and with it the signatures that covered it or the content keys, since they
    would not hold any longer: verify them first, on the document that came in. Everything else stays.

    Args:
        document: the encrypted document.
        private_key: the recipient's key: the bytes of a PEM, DER or PKCS#12 file, or a key that is read already.
        passphrase: the passphrase of the file, or None.
        allow_missing_mac: accept a document without any MAC: whoever changes it could change its keys.

    Raises:
        NotRecipientError: the document has no delivery data for this private key.
        WrongKeyError: the private key does not open the document key, or that does not open a content key.
        WrongMacError: the MAC of a content key does not fit.
        MissingMacError: a content key has no MAC.
        PlainKeyError: a content key is in the clear.
        EncryptionStructureError: parts are missing, double or of an unknown kind.
        CertificateError: the private key cannot be read.
    """
    sealed, values = _open(document, load_private_key(private_key, passphrase), allow_missing_mac=allow_missing_mac)
    clear = Document(copy.deepcopy(document.tree))
    sealed.put(clear.content_keys.list_element, values)
    parts = [part for part in (clear.recipients.list_element, clear.content_keys.list_element) if part is not None]
    remove_signatures_over(clear, parts)
    remove_element(parts[0])
    clear.touch()
    return clear


def open_keys(
    document: Document,
    private_key: PrivateKey | rsa.RSAPrivateKey | bytes,
    *,
    passphrase: Secret[str] | Secret[bytes] | None = None,
    allow_missing_mac: bool = False,
) -> dict[KeyId, Secret[bytes]]:
    """Return the content keys of an encrypted document by key ID, in document order; the document stays as it is.

    Arguments and errors are those of `decrypt`; two content keys of one key ID are an `EncryptionStructureError`.
    """
    sealed, values = _open(document, load_private_key(private_key, passphrase), allow_missing_mac=allow_missing_mac)
    keys: dict[KeyId, Secret[bytes]] = {}
    for place, (text, value) in enumerate(zip(sealed.kids, values, strict=True)):
        kid = _key_id(text, sealed, place)
        if kid in keys:
            raise broken(sealed.secrets[place], f"there are two content keys with the key ID {kid}")
        keys[kid] = Secret(value)
    return keys


def _open(document: Document, private: PrivateKey, *, allow_missing_mac: bool) -> tuple[SealedKeys, list[bytes]]:
    only(document.root, cpix("DeliveryDataList"))
    recipient = _recipient(document, private.rsa)
    method = only(recipient.element, _MAC_METHOD)
    sealed = sealed_keys(document, authenticated=method is not None or not allow_missing_mac)
    document_keys = _document_keys(recipient, private.rsa)
    mac_key = None if method is None else _mac_key(recipient.mac_method, private.rsa)
    if mac_key is None and any(sealed.macs):
        raise broken(recipient.element, "the content keys have MACs, but the recipient has no MACMethod")
    # Every MAC is checked before the first key is opened: nothing that an attacker changed gets near the cipher.
    if mac_key is not None:
        _check_macs(sealed, mac_key)
    return sealed, _opened(sealed, document_keys)


def _check_macs(sealed: SealedKeys, mac_key: bytes) -> None:
    equal = hmac.compare_digest
    for place, (right, mac) in enumerate(zip(macs_of(mac_key, sealed.ciphers), sealed.macs, strict=True)):
        if not equal(right, mac):
            raise WrongMacError(
                f"the ValueMAC of content key {sealed.name(place)} does not fit",
                hint="the document was changed after it was encrypted, or damaged: ask the sender for another",
            )


def _opened(sealed: SealedKeys, document_keys: Mapping[str | None, bytes]) -> list[bytes]:
    values: list[bytes | None] = [None] * len(sealed.kids)
    for document_key, places in _by_document_key(sealed, document_keys).items():
        chained = [place for place in places if sealed.algorithms[place] == AES_CBC]
        opened = open_keys_cbc(document_key, [sealed.ciphers[place] for place in chained])
        for place, value in zip(chained, opened, strict=True):
            values[place] = value
        for place in places:
            if sealed.algorithms[place] == KEY_WRAP:
                values[place] = unwrap_key(document_key, sealed.ciphers[place])
    for place, value in enumerate(values):
        if not value:
            # One answer for every cause, so that nobody learns about the padding.
            raise WrongKeyError(
                f"the document key does not open content key {sealed.name(place)}",
                hint="the document was made with contradictory keys: ask the sender for another",
            )
    return [value for value in values if value is not None]


def _by_document_key(sealed: SealedKeys, document_keys: Mapping[str | None, bytes]) -> dict[bytes, list[int]]:
    """Return, for each document key, the places of the content keys that it opens."""
    common = document_keys.get(None)
    if common is not None:
        return {common: list(range(len(sealed.kids)))}
    places: dict[bytes, list[int]] = {}
    for place, kid in enumerate(sealed.kids):
        document_key = document_keys.get(kid)
        if document_key is None:
            raise NotRecipientError(
                f"no document key of this recipient encrypts content key {sealed.name(place)}",
                hint="DocumentKey/@encryptsKey names the content keys that it opens: ask the sender for all of them",
            )
        places.setdefault(document_key, []).append(place)
    return places


def _recipient(document: Document, private: rsa.RSAPrivateKey) -> Recipient:
    public = private.public_key()
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    names = []
    for recipient in document.recipients:
        ders: tuple[bytes, ...] = ()
        with suppress(CpixError):
            ders = recipient.certificates
        readable = [found for found in map(load_certificate, ders) if found is not None]
        # A certificate that is stricter read than written still names its key: the public key stands in it in DER.
        unread = (der for der in ders if load_certificate(der) is None)
        if any(same_key(found, public) for found in readable) or any(spki in der for der in unread):
            return recipient
        names.append(describe(readable[0]) if readable else "one without a readable certificate")
    listed = "; ".join(names[:5]) + (f"; and {len(names) - 5} more" if len(names) > 5 else "")  # noqa: PLR2004 (enough)
    raise NotRecipientError(
        f"the document is not encrypted for this private key; its recipients are {listed}"
        if names
        else "the document names no recipient, so no private key opens it",
        hint="use the private key of one of them, or ask the sender to encrypt for your certificate"
        if names
        else "its keys may be in the clear: then take it only from a channel that you trust",
    )


def _document_keys(recipient: Recipient, private: rsa.RSAPrivateKey) -> dict[str | None, bytes]:
    """Return the document keys by the key IDs, in lower case, that they open; None stands for all."""
    found: dict[str | None, bytes] = {}
    views = recipient.document_keys
    for view in views:
        kids = (view.encrypts_key or "").lower().split()
        if len(views) > 1 and not kids:
            raise broken(view.element, "one of several DocumentKey elements has no encryptsKey")
        value = _document_key(view, private)
        for kid in kids or (None,):
            if kid in found:
                raise broken(view.element, f"two DocumentKey elements encrypt content key {str(kid)[:36]}")
            found[kid] = value
    if not found:
        raise broken(recipient.element, "DeliveryData has no DocumentKey")
    return found


def _document_key(view: DocumentKey, private: rsa.RSAPrivateKey) -> bytes:
    data = only(view.element, DATA)
    secret = None if data is None else only(data, SECRET)
    plain = None if secret is None else only(secret, PLAIN)
    if plain is not None and text_of(plain).strip():
        raise PlainKeyError(
            f"the document key in line {view.line} is in the clear", hint="anybody can open such a document: refuse it"
        )
    encrypted = None if secret is None else only(secret, ENCRYPTED)
    if encrypted is None:
        raise broken(
            view.element, "DocumentKey has no Data/Secret/EncryptedValue, as in a request that nobody answered"
        )
    value = _opened_by_rsa(encrypted, private, "the document key")
    if len(value) != DOCUMENT_KEY_SIZE:
        raise broken(encrypted, f"the document key has {len(value)} bytes, not {DOCUMENT_KEY_SIZE}")
    return value


def _mac_key(method: MACMethod | None, private: rsa.RSAPrivateKey) -> bytes:
    assert method is not None  # noqa: S101 (the caller has found its element)
    if (method.algorithm or "").strip() != HMAC_SHA512:
        raise broken(method.element, "the MAC algorithm is not HMAC-SHA512")
    element = method.key_element
    if element is None:
        raise broken(method.element, "MACMethod has no encrypted MAC key")
    value = _opened_by_rsa(element, private, "the MAC key")
    if not value:
        raise broken(element, "the MAC key is empty")
    return value


def _opened_by_rsa(encrypted: etree._Element, private: rsa.RSAPrivateKey, what: str) -> bytes:
    digest, cipher = rsa_cipher(encrypted, what)
    value = open_rsa(private, cipher, digest)
    if value is None:
        raise WrongKeyError(
            f"the private key does not open {what} (line {line_of(encrypted)})",
            hint="it was encrypted for another key than that of the recipient's certificate, or damaged",
        )
    return value


def _key_id(text: str, sealed: SealedKeys, place: int) -> KeyId:
    try:
        return KeyId.from_uuid(text)
    except IdentifierError:
        raise broken(sealed.secrets[place], "a content key has no key ID in UUID form") from None
