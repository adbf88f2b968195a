"""The encrypted parts of a document, taken out of the tree in one pass and judged before anything is decrypted."""

from __future__ import annotations

import binascii
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, cast

from lxml import etree

from drmkit.cpix.ciphers import AES_CBC, CIPHER_DATA, CIPHER_VALUE, DIGESTS, KEY_WRAP, METHOD, RSA_OAEP, is_whole
from drmkit.cpix.document import Document
from drmkit.cpix.schema import CPIX, DS, ENC, PSKC
from drmkit.cpix.values import decode_base64, line_of, text_of
from drmkit.cpix.view import cpix
from drmkit.errors import EncryptionStructureError, MissingMacError, PlainKeyError

__all__ = [
    "DATA",
    "ENCRYPTED",
    "MAC",
    "PLAIN",
    "SECRET",
    "SealedKey",
    "SealedKeys",
    "broken",
    "only",
    "rsa_cipher",
    "sealed_keys",
    "shown",
]

DATA: Final = cpix("Data")
SECRET: Final = f"{{{PSKC}}}Secret"
PLAIN: Final = f"{{{PSKC}}}PlainValue"
ENCRYPTED: Final = f"{{{PSKC}}}EncryptedValue"
MAC: Final = f"{{{PSKC}}}ValueMAC"
_PARTS: Final = frozenset({PLAIN, ENCRYPTED, MAC})
_DIGEST: Final = f"{{{DS}}}DigestMethod"
_PARAMETERS: Final = f"{{{ENC}}}OAEPparams"


def _query(path: str) -> etree.XPath:
    return etree.XPath(path, namespaces={"c": CPIX, "p": PSKC, "e": ENC}, smart_strings=False)


_DATA_OF_KEYS: Final = "c:ContentKey/c:Data"
_SECRETS: Final = f"{_DATA_OF_KEYS}/p:Secret"
_VALUES: Final = f"{_SECRETS}/p:EncryptedValue"
_CIPHERS: Final = f"{_VALUES}/e:CipherData"
_IS_REGULAR: Final = _query(
    " and ".join(
        f"count({path})={times}*count(c:ContentKey)"
        for path, times in {
            _DATA_OF_KEYS: 1,
            "c:ContentKey[@kid][c:Data]": 1,
            f"{_DATA_OF_KEYS}/*": 1,
            f"{_DATA_OF_KEYS}[p:Secret]": 1,
            f"{_SECRETS}/*": 2,
            f"{_SECRETS}[p:EncryptedValue and p:ValueMAC]": 1,
            f"{_VALUES}/*": 2,
            f"{_VALUES}[e:EncryptionMethod/@Algorithm='{AES_CBC}' and e:CipherData]": 1,
            f"{_CIPHERS}/*": 1,
            f"{_CIPHERS}[e:CipherValue/text()]": 1,
            f"{_SECRETS}/p:ValueMAC[text()]": 1,
        }.items()
    )
)
"""Each key has one of each part and nothing beside: as many in all as keys, and none without."""

_KIDS: Final = _query("c:ContentKey/@kid")
_CIPHER_TEXTS: Final = _query(f"{_CIPHERS}/e:CipherValue/text()")
_MAC_TEXTS: Final = _query(f"{_SECRETS}/p:ValueMAC/text()")
_ENCRYPTED_ELEMENTS: Final = _query(_VALUES)
_HINT: Final = "drmkit.cpix.validate lists every fault of the document at once"


class SealedKey(NamedTuple):
    """A content key as it stands encrypted in the document.

    Args:
        kid: its key ID, in lower case as it stands there.
        algorithm: the name of the cipher.
        cipher: the bytes of the cipher value.
        mac: the bytes of the MAC; empty where there is none.
    """

    kid: str
    algorithm: str
    cipher: bytes
    mac: bytes


class SealedKeys:
    """The encrypted content keys of a document.

    Args:
        keys: the keys, in document order.
        elements: their `EncryptedValue` elements, or how to find them: they are wanted late, or never.
    """

    def __init__(
        self, keys: Sequence[SealedKey], elements: list[etree._Element] | Callable[[], list[etree._Element]]
    ) -> None:
        self.keys = keys
        self._elements = elements

    @property
    def elements(self) -> list[etree._Element]:
        """The `EncryptedValue` elements, in the order of the keys."""
        return self._elements() if callable(self._elements) else self._elements

    def line(self, place: int) -> int:
        """Return the line of a key."""
        return line_of(self.elements[place])


def sealed_keys(document: Document, *, authenticated: bool) -> SealedKeys:
    """Return the encrypted content keys of a document; keys that have no value at all, as in a request, are left out.

    Args:
        document: the document.
        authenticated: whether each of them must have a MAC.

    Raises:
        PlainKeyError: a content key is in the clear.
        MissingMacError: a content key has no MAC.
        EncryptionStructureError: parts are missing, double, of an unknown kind or of an impossible length.
    """
    keys = only(document.root, cpix("ContentKeyList"))
    if keys is None:
        return SealedKeys([], [])
    regular = _regular(keys)
    if regular is not None:
        return regular
    found, elements = [], []
    for element in document.content_keys.elements():
        data = only(element, DATA)
        secret = None if data is None else only(data, SECRET)
        key = None if secret is None else _sealed_key(element, secret, authenticated=authenticated)
        if key is not None:
            found.append(key[0])
            elements.append(key[1])
    return SealedKeys(found, elements)


def _regular(keys: etree._Element) -> SealedKeys | None:
    """Return the content keys of a list in which each is one AES-256-CBC value with a MAC and nothing else, else None.

    Nearly all documents are like that, and libxml2 finds it out and picks the values in a tenth of the time that asking
    each element for its children takes. The first thing unusual leaves the whole list to that.
    """
    if not _IS_REGULAR(keys):
        return None
    columns: list[Any] = [query(keys) for query in (_KIDS, _CIPHER_TEXTS, _MAC_TEXTS)]
    if len({len(column) for column in columns}) > 1:
        return None
    try:
        found = [
            SealedKey(kid.lower(), AES_CBC, decode_base64(cipher), decode_base64(mac))
            for kid, cipher, mac in zip(*columns, strict=True)
        ]
    except (binascii.Error, ValueError):
        return None
    if not all(key.mac and is_whole(AES_CBC, key.cipher) for key in found):
        return None
    return SealedKeys(found, lambda: cast("list[etree._Element]", _ENCRYPTED_ELEMENTS(keys)))  # noqa: SLF001 (lxml)


def _sealed_key(
    element: etree._Element, secret: etree._Element, *, authenticated: bool
) -> tuple[SealedKey, etree._Element] | None:
    kid = (element.get("kid") or "").lower()
    parts: dict[str, etree._Element] = {}
    for child in secret.iterchildren(etree.Element):
        tag = child.tag
        if tag not in _PARTS or tag in parts:
            raise broken(child, f"the Secret of content key {shown(kid)} has an unknown or a second part in it")
        parts[tag] = child
    plain, encrypted, mac = parts.get(PLAIN), parts.get(ENCRYPTED), parts.get(MAC)
    if plain is not None and text_of(plain).strip():
        raise PlainKeyError(
            f"content key {shown(kid)} in line {line_of(element)} is in the clear in a document with recipients",
            hint="whoever handled the document may have put it there: ask the sender for one with encrypted keys only",
        )
    if encrypted is None:
        return None
    algorithm, cipher = _checked_cipher(kid, encrypted)
    value = b"" if mac is None else _base64(mac)
    if authenticated and not value:
        raise MissingMacError(
            f"content key {shown(kid)} in line {line_of(element)} is encrypted, but has no ValueMAC",
            hint="without a MAC nobody can tell whether the key was changed: ask the sender for a document with MACs",
        )
    return SealedKey(kid, algorithm, cipher, value), encrypted


def _checked_cipher(kid: str, encrypted: etree._Element) -> tuple[str, bytes]:
    algorithm, cipher = _cipher(encrypted)
    if algorithm not in {AES_CBC, KEY_WRAP}:
        raise broken(encrypted, f"content key {shown(kid)} is encrypted with {shown(algorithm)}, not with AES-256-CBC")
    if not is_whole(algorithm, cipher):
        raise broken(
            encrypted, f"the cipher value of content key {shown(kid)} has {len(cipher)} bytes, which no key gives"
        )
    return algorithm, cipher


def rsa_cipher(encrypted: etree._Element, what: str) -> tuple[type, bytes]:
    """Return the digest of the padding and the cipher value of something that is encrypted with RSA.

    Raises:
        EncryptionStructureError: it is encrypted in another way, or parts are missing or double.
    """
    algorithm, cipher = _cipher(encrypted)
    if algorithm != RSA_OAEP:
        raise broken(encrypted, f"{what} is encrypted with {shown(algorithm)}, not with RSA-OAEP-MGF1P")
    method = only(encrypted, METHOD)
    if method is None or only(method, _PARAMETERS) is not None:
        raise broken(encrypted, f"{what} is encrypted with OAEP parameters, which CPIX does not have")
    digest = only(method, _DIGEST)
    name = f"{DS}sha1" if digest is None else (digest.get("Algorithm") or "").strip()
    if name not in DIGESTS:
        raise broken(encrypted, f"{what} is encrypted with the unknown digest {shown(name)}")
    return DIGESTS[name], cipher


def _cipher(encrypted: etree._Element) -> tuple[str, bytes]:
    method = only(encrypted, METHOD)
    data = only(encrypted, CIPHER_DATA)
    value = None if data is None else only(data, CIPHER_VALUE)
    if method is None or value is None:
        raise broken(
            encrypted, f"{etree.QName(encrypted).localname} has no EncryptionMethod or no CipherData/CipherValue"
        )
    return (method.get("Algorithm") or "").strip(), _base64(value)


def _base64(element: etree._Element) -> bytes:
    text = text_of(element)
    try:
        return decode_base64(text)
    except (binascii.Error, ValueError):
        raise broken(element, f"{etree.QName(element).localname} is not base64: {len(text)} characters") from None


def only(parent: etree._Element, tag: str) -> etree._Element | None:
    """Return the child of this name, None where there is none; two of them would leave open which one counts.

    Raises:
        EncryptionStructureError: there are two.
    """
    children = parent.iterchildren(tag)
    first = next(children, None)
    if first is not None and next(children, None) is not None:
        raise broken(parent, f"{etree.QName(parent).localname} has more than one {etree.QName(tag).localname}")
    return first


def broken(element: etree._Element, message: str) -> EncryptionStructureError:
    """Return the error for an element of the wrong structure; the message must not quote a value."""
    return EncryptionStructureError(f"{message} (line {line_of(element)})", hint=_HINT)


def shown(text: str) -> str:
    """Return a text of the document so that it can stand in a message: clipped, and on one line."""
    return text[:80] if text.isprintable() and text else "(nothing readable)"
