"""Rules about recipients and encryption: parts that are missing, that contradict each other, or have wrong lengths."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lxml import etree

from drmkit.cpix.delivery import DocumentKey, Recipient
from drmkit.cpix.rows import PLAIN
from drmkit.cpix.rules import Hit, rule
from drmkit.cpix.schema import DS, ENC, PSKC
from drmkit.cpix.survey import Survey
from drmkit.cpix.values import text_of

__all__: list[str] = []

_KEYS: Final = "DASH-IF CPIX 2.4, Key Encryption and Authentication"
_ALGORITHMS: Final = "DASH-IF CPIX 2.4, Mandatory Algorithms"
_DELIVERY: Final = "DASH-IF CPIX 2.4, DeliveryData element"
_METHOD: Final = f"{{{ENC}}}EncryptionMethod"
_MAC: Final = f"{{{PSKC}}}ValueMAC"
_CERTIFICATE: Final = f"{{{DS}}}X509Data/{{{DS}}}X509Certificate"
_AES: Final = f"{ENC}aes256-cbc"
_KEY_WRAP: Final = f"{ENC}kw-aes256"
_OAEP: Final = f"{ENC}rsa-oaep-mgf1p"
_HMAC: Final = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha512"
_HMAC_SIZE: Final = 64
_BLOCK: Final = 16
_SHORTEST: Final = 48


@rule(
    "recipient-certificate",
    source=f"{_DELIVERY}, DeliveryKey",
    hint="put the recipient's X.509 certificate into DeliveryKey/X509Data",
)
def recipient_certificate(survey: Survey) -> Iterator[Hit]:
    """Each recipient is named by an X.509 certificate."""
    for recipient in survey.document.recipients:
        key = recipient.delivery_key
        found = None if key is None else key.find(_CERTIFICATE)
        if found is None or not text_of(found).strip():
            yield Hit(recipient.element if key is None else key, "the DeliveryKey has no X.509 certificate")


@rule(
    "key-clear-among-encrypted",
    source="DASH-IF CPIX 2.4, DeliveryDataList element",
    hint="encrypt every key of a document that has recipients, or remove the recipients",
)
def key_clear_among_encrypted(survey: Survey) -> Iterator[Hit]:
    """A document with recipients has no content key in the clear."""
    encrypted = any(row.encrypted is not None for row in survey.keys) or len(survey.document.recipients)
    for row in survey.keys if encrypted else ():
        if row.plain is not None:
            yield Hit(
                row.part(PLAIN),
                f"content key {row.kid} is in the clear in a document with encrypted keys or recipients",
            )


@rule(
    "encrypted-without-recipient",
    source="DASH-IF CPIX 2.4, DeliveryDataList element",
    hint="nobody can decrypt it: add the recipients' DeliveryData",
)
def encrypted_without_recipient(survey: Survey) -> Iterator[Hit]:
    """Encrypted content keys need a recipient."""
    if not len(survey.document.recipients):
        for row in survey.keys:
            if row.encrypted is not None:
                yield Hit(row.encrypted, f"content key {row.kid} is encrypted, but the document has no recipient")


@rule(
    "document-key-missing",
    source=f"{_DELIVERY}, DocumentKey",
    hint="encrypt the document key with the recipient's public key into DocumentKey/Data/Secret/EncryptedValue",
)
def document_key_missing(survey: Survey) -> Iterator[Hit]:
    """Where content keys are encrypted, each recipient has an encrypted document key."""
    if any(row.encrypted is not None for row in survey.keys):
        for recipient in survey.document.recipients:
            if all(key.encrypted_value is None for key in recipient.document_keys):
                yield Hit(
                    recipient.element, "the recipient has no encrypted document key, but content keys are encrypted"
                )


@rule(
    "document-key-clear",
    source=_KEYS,
    hint="whoever reads the document can decrypt all its keys: encrypt the document key, and make a new one",
)
def document_key_clear(survey: Survey) -> Iterator[Hit]:
    """A document key is not in the clear."""
    for _, key in _document_keys(survey):
        secret = key.secret_element
        if secret is not None and next(secret.iterchildren("{*}PlainValue"), None) is not None:
            yield Hit(key.element, "the document key is in the clear")


@rule(
    "encrypts-key-missing",
    source="DASH-IF CPIX 2.4, DocumentKey element, @encryptsKey",
    hint="say which content key each document key is for",
)
def encrypts_key_missing(survey: Survey) -> Iterator[Hit]:
    """With several document keys, each says which content keys it encrypts."""
    for recipient in survey.document.recipients:
        keys = recipient.document_keys
        for key in keys if len(keys) > 1 else ():
            if not (key.encrypts_key or "").strip():
                yield Hit(key.element, f"one of {len(keys)} document keys does not say which content keys it encrypts")


@rule("encrypts-key-unknown", source="DASH-IF CPIX 2.4, DocumentKey element, @encryptsKey", hint="correct the key ID")
def encrypts_key_unknown(survey: Survey) -> Iterator[Hit]:
    """A document key encrypts content keys of the document."""
    for _, key in _document_keys(survey):
        for kid in (key.encrypts_key or "").lower().split():
            if kid not in survey.keys_by_kid:
                yield Hit(
                    key.element, f"encryptsKey refers to content key {kid[:60]}, which is not there", "encryptsKey"
                )


@rule(
    "encrypts-key-twice",
    source="DASH-IF CPIX 2.4, DocumentKey element, @encryptsKey",
    hint="one document key of a recipient for each content key",
)
def encrypts_key_twice(survey: Survey) -> Iterator[Hit]:
    """No content key is encrypted by two document keys of one recipient."""
    for recipient in survey.document.recipients:
        seen: set[str] = set()
        for key in recipient.document_keys:
            for kid in (key.encrypts_key or "").lower().split():
                if kid in seen:
                    yield Hit(
                        key.element, f"two document keys of one recipient are for content key {kid[:60]}", "encryptsKey"
                    )
                seen.add(kid)


@rule(
    "encryption-algorithm",
    source=_ALGORITHMS,
    hint="content keys AES-256-CBC, document and MAC keys RSA-OAEP-MGF1-SHA1, MAC HMAC-SHA512",
)
def encryption_algorithm(survey: Survey) -> Iterator[Hit]:
    """Encryption and authentication use the mandatory algorithms."""
    for row in survey.keys:
        if row.encrypted is not None:
            yield from _algorithm(row.encrypted, f"content key {row.kid}", _AES)
    for _, key in _document_keys(survey):
        if key.encrypted_value is not None:
            yield from _algorithm(key.encrypted_value, "the document key", _OAEP)
    for recipient in survey.document.recipients:
        method = recipient.mac_method
        if method is not None:
            if (method.algorithm or "").strip() != _HMAC:
                yield Hit(method.element, f"the MAC algorithm is {method.algorithm!r}, not HMAC-SHA512", "Algorithm")
            if method.key_element is not None:
                yield from _algorithm(method.key_element, "the MAC key", _OAEP)


@rule(
    "mac-missing", source=f"{_KEYS}, Authenticated Encryption", hint="write a ValueMAC for each encrypted content key"
)
def mac_missing(survey: Survey) -> Iterator[Hit]:
    """With a MAC method, each encrypted content key has a MAC."""
    if any(recipient.mac_method is not None for recipient in survey.document.recipients):
        for row in survey.keys:
            if row.encrypted is not None and not row.mac:
                yield Hit(row.encrypted, f"content key {row.kid} has no ValueMAC, but the document has a MAC method")


@rule(
    "mac-method-missing",
    source=f"{_KEYS}, Authenticated Encryption",
    hint="each recipient needs the MAC key, in DeliveryData/MACMethod",
)
def mac_method_missing(survey: Survey) -> Iterator[Hit]:
    """Where content keys have MACs, each recipient has the MAC method and key."""
    if any(row.encrypted is not None and row.mac is not None for row in survey.keys):
        for recipient in survey.document.recipients:
            method = recipient.mac_method
            if method is None:
                yield Hit(recipient.element, "the recipient has no MACMethod, but content keys have MACs")
            elif method.key_element is None and method.key_reference is None:
                yield Hit(method.element, "the MACMethod has no MAC key")


@rule("mac-length", source=_ALGORITHMS, hint="HMAC-SHA512 gives 64 bytes")
def mac_length(survey: Survey) -> Iterator[Hit]:
    """A MAC has the length that HMAC-SHA512 gives."""
    methods = {(r.mac_method.algorithm or "").strip() for r in survey.document.recipients if r.mac_method is not None}
    for row in survey.keys if methods <= {_HMAC} else ():
        if row.mac and len(row.mac) != _HMAC_SIZE:
            message = f"the ValueMAC of content key {row.kid} has {len(row.mac)} bytes, not {_HMAC_SIZE}"
            yield Hit(row.part(_MAC), message)


@rule(
    "cipher-length",
    source=f"{_ALGORITHMS}; XML Encryption, 5.2.4",
    hint="16 bytes of IV, then the padded key: 48 bytes for a key of 128 bits",
)
def cipher_length(survey: Survey) -> Iterator[Hit]:
    """An encrypted content key is an IV and whole cipher blocks."""
    for row in survey.keys:
        if row.encrypted is None or not row.cipher or _name(row.encrypted) != _AES:
            continue
        size = len(row.cipher)
        if size < _SHORTEST or size % _BLOCK:
            yield Hit(
                row.encrypted, f"the encrypted content key {row.kid} has {size} bytes, which no IV and padded key have"
            )


def _document_keys(survey: Survey) -> Iterator[tuple[Recipient, DocumentKey]]:
    for recipient in survey.document.recipients:
        for key in recipient.document_keys:
            yield recipient, key


def _name(encrypted: etree._Element) -> str:
    method = encrypted.find(_METHOD)
    return "" if method is None else (method.get("Algorithm") or "").strip()


def _algorithm(encrypted: etree._Element, what: str, wanted: str) -> Iterator[Hit]:
    name = _name(encrypted)
    if name != wanted:
        weaker = wanted == _AES and name == _KEY_WRAP
        yield Hit(
            encrypted,
            f"{what} is encrypted with {name or 'an algorithm that is not named'}, not with {wanted}",
            severity="warning" if weaker else None,
        )
