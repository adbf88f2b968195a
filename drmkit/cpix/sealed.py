"""The encrypted parts of a document, taken out of the tree in one pass and judged before anything is decrypted."""

from __future__ import annotations

import binascii
from collections.abc import Sequence
from typing import Any, Final

from lxml import etree

from drmkit.cpix.ciphers import AES_CBC, CIPHER_DATA, CIPHER_VALUE, DIGESTS, KEY_WRAP, METHOD, RSA_OAEP, is_whole
from drmkit.cpix.document import Document
from drmkit.cpix.schema import CPIX, DS, ENC, PSKC
from drmkit.cpix.values import decode_base64, encode_base64, line_of, text_of
from drmkit.cpix.view import cpix
from drmkit.errors import EncryptionStructureError, MissingMacError, PlainKeyError

__all__ = [
    "DATA",
    "ENCRYPTED",
    "MAC",
    "PLAIN",
    "SECRET",
    "SealedKeys",
    "broken",
    "only",
    "rsa_cipher",
    "sealed_keys",
    "shown",
]

DATA: Final = cpix("Data")
_KEY: Final = cpix("ContentKey")
SECRET: Final = f"{{{PSKC}}}Secret"
PLAIN: Final = f"{{{PSKC}}}PlainValue"
ENCRYPTED: Final = f"{{{PSKC}}}EncryptedValue"
MAC: Final = f"{{{PSKC}}}ValueMAC"
_PARTS: Final = frozenset({PLAIN, ENCRYPTED, MAC})
_DIGEST: Final = f"{{{DS}}}DigestMethod"
_PARAMETERS: Final = f"{{{ENC}}}OAEPparams"


_NAMES: Final = {"c": CPIX, "p": PSKC, "e": ENC}
_NODES: Final = etree.XPath("count(descendant::node())")
_NODES_EACH: Final = 10
"""Eight elements, and the text of two of them."""
_ONE: Final = "c:ContentKey/c:Data[1]/p:Secret[1]"
_COLUMNS: Final = tuple(
    etree.XPath(path, namespaces=_NAMES, smart_strings=False)
    for path in (
        "c:ContentKey/@kid",
        f"{_ONE}/p:EncryptedValue[1][e:EncryptionMethod[1]/@Algorithm='{AES_CBC}']/e:CipherData[1]/e:CipherValue[1]/text()[1]",
        f"{_ONE}/p:ValueMAC[1]/text()[1]",
    )
)
_SECRETS: Final = etree.XPath(_ONE, namespaces=_NAMES)
_decode: Final = binascii.a2b_base64
_HINT: Final = "drmkit.cpix.validate lists every fault of the document at once"


class SealedKeys:
    """The encrypted content keys of a document, in columns: objects for each would cost more than the ciphers.

    `kids` are their key IDs, in lower case as they stand there, `algorithms` the names of their ciphers, `ciphers` the
    bytes of their cipher values, `macs` the bytes of their MACs (empty where there is none), `secrets` their `Secret`
    elements.
    """

    def __init__(self, keys: etree._Element | None = None, *, regular: bool = False) -> None:
        """Start the columns of a list of content keys; in a `regular` one, each has one secret and nothing beside."""
        self.kids: list[str] = []
        self.algorithms: list[str] = []
        self.ciphers: list[bytes] = []
        self.macs: list[bytes] = []
        self._secrets: list[etree._Element] = []
        self._keys = keys
        self._regular = regular

    @property
    def secrets(self) -> list[etree._Element]:
        """The `Secret` elements; those of a regular list are looked up where they are first asked for."""
        if self._regular and self._keys is not None and not self._secrets:
            secrets: Any = _SECRETS(self._keys)
            self._secrets = secrets
        return self._secrets

    def put(self, copied: etree._Element | None, values: Sequence[bytes]) -> None:
        """Put the keys in the clear into a copy of the list, in place of their encrypted values and their MACs.

        Args:
            copied: the copy of the list of content keys, or None where there is none.
            values: the content keys, in the order of the columns.
        """
        if self._keys is None or copied is None:
            return
        if self._regular:
            for secret, value in zip(copied.iter(SECRET), values, strict=True):
                del secret[:]
                etree.SubElement(secret, PLAIN).text = encode_base64(value)
            return
        opened = dict(zip(self._secrets, values, strict=True))
        for original, secret in list(zip(self._keys.iter(SECRET), copied.iter(SECRET), strict=True)):
            if original in opened:
                _put(secret, opened[original])

    def add(self, kid: str, algorithm: str, cipher: bytes, mac: bytes, secret: etree._Element) -> None:
        """Add a key."""
        self.kids.append(kid)
        self.algorithms.append(algorithm)
        self.ciphers.append(cipher)
        self.macs.append(mac)
        self._secrets.append(secret)

    def name(self, place: int) -> str:
        """Return a key's ID and line for a message."""
        return f"{shown(self.kids[place])} (line {line_of(self.secrets[place])})"


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
        return SealedKeys()
    regular = _regular(keys)
    if regular is not None:
        return regular
    found = SealedKeys(keys)
    for element in document.content_keys.elements():
        data = only(element, DATA)
        secret = None if data is None else only(data, SECRET)
        if secret is not None:
            _add(found, element, secret, authenticated=authenticated)
    return found


def _regular(keys: etree._Element) -> SealedKeys | None:
    """Return the content keys of a list in which each is one AES-256-CBC value with a MAC and nothing else, else None.

    Nearly all large documents are like that, and taking columns out of them costs half of asking each element for its
    children by name. Each expression takes the first child of each step, so a column of full length says that each key
    has such a part; and since no node is left over, it has nothing else. The first thing unusual, a comment or a line
    end even, leaves the whole list to `_add`.
    """
    count = len(keys)
    if _NODES(keys) != count * _NODES_EACH:
        return None
    columns: list[Any] = [column(keys) for column in _COLUMNS]
    if any(len(column) != count for column in columns):
        return None
    kids, ciphers, macs = columns
    found = SealedKeys(keys, regular=True)
    try:
        found.ciphers = [_decode(text, strict_mode=True) for text in ciphers]
        found.macs = [_decode(text, strict_mode=True) for text in macs]
    except ValueError:
        return None
    if not all(found.macs) or not all(is_whole(AES_CBC, cipher) for cipher in found.ciphers):
        return None
    found.kids, found.algorithms = [kid.lower() for kid in kids], [AES_CBC] * count
    return found


def _add(found: SealedKeys, element: etree._Element, secret: etree._Element, *, authenticated: bool) -> None:
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
        return
    algorithm, cipher = _checked_cipher(kid, encrypted)
    value = b"" if mac is None else _base64(mac)
    if authenticated and not value:
        raise MissingMacError(
            f"content key {shown(kid)} in line {line_of(element)} is encrypted, but has no ValueMAC",
            hint="without a MAC nobody can tell whether the key was changed: ask the sender for a document with MACs",
        )
    found.add(kid, algorithm, cipher, value, secret)


def _put(secret: etree._Element, value: bytes) -> None:
    """Put the value of a key in the clear where its encrypted value and its MAC stand; comments stay, behind it."""
    children = list(secret)
    comments = [child for child in children if not isinstance(child.tag, str)]
    last = children[-1].tail
    del secret[:]
    plain = etree.SubElement(secret, PLAIN)
    plain.text = encode_base64(value)
    if last:
        plain.tail = last
    if comments:
        secret.extend(comments)


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
