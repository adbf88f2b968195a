"""The algorithms of CPIX under their names: opening and sealing one key at a time, with no document around it."""

from __future__ import annotations

import hmac
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

from drmkit.cpix.schema import DS, ENC

__all__ = [
    "AES_CBC",
    "CIPHER_DATA",
    "CIPHER_VALUE",
    "DIGESTS",
    "DOCUMENT_KEY_SIZE",
    "HMAC_SHA512",
    "KEY_WRAP",
    "MAC_KEY_SIZE",
    "METHOD",
    "RSA_OAEP",
    "is_whole",
    "mac_of",
    "open_key",
    "open_rsa",
    "seal_key",
    "seal_rsa",
]

AES_CBC: Final = f"{ENC}aes256-cbc"
KEY_WRAP: Final = f"{ENC}kw-aes256"
RSA_OAEP: Final = f"{ENC}rsa-oaep-mgf1p"
HMAC_SHA512: Final = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha512"
DIGESTS: Final[dict[str, type[hashes.HashAlgorithm]]] = {
    f"{DS}sha1": hashes.SHA1,
    f"{ENC}sha256": hashes.SHA256,
    "http://www.w3.org/2001/04/xmldsig-more#sha384": hashes.SHA384,
    f"{ENC}sha512": hashes.SHA512,
}
"""The digests of RSA-OAEP-MGF1P, SHA-1 where none is named; MGF1 is with SHA-1 always (XML Encryption 1.0, 5.4.2)."""

METHOD: Final = f"{{{ENC}}}EncryptionMethod"
CIPHER_DATA: Final = f"{{{ENC}}}CipherData"
CIPHER_VALUE: Final = f"{{{ENC}}}CipherValue"
DOCUMENT_KEY_SIZE: Final = 32
MAC_KEY_SIZE: Final = 64
_BLOCK: Final = 16
_WRAPPED: Final = 8
_PADDING: Final = tuple(bytes([size]) * size for size in range(_BLOCK + 1))


def seal_rsa(key: rsa.RSAPublicKey, secret: bytes) -> bytes:
    """Encrypt a document key or MAC key for a recipient: RSA-OAEP-MGF1 with SHA-1 (CPIX 2.4, Mandatory Algorithms)."""
    return key.encrypt(secret, _oaep(hashes.SHA1))


def open_rsa(key: rsa.RSAPrivateKey, cipher: bytes, digest: type[hashes.HashAlgorithm]) -> bytes | None:
    """Decrypt a document key or MAC key; None where it does not open, for whatever reason."""
    try:
        return key.decrypt(cipher, _oaep(digest))
    except ValueError:
        return None


def _oaep(digest: type[hashes.HashAlgorithm]) -> padding.OAEP:
    return padding.OAEP(mgf=padding.MGF1(hashes.SHA1()), algorithm=digest(), label=None)  # noqa: S303 (CPIX says SHA-1)


def seal_key(document_key: bytes, iv: bytes, secret: bytes) -> bytes:
    """Encrypt a content key with AES-256-CBC and PKCS#7 padding; the IV (16 bytes) stands in front of the result."""
    encryptor = Cipher(algorithms.AES256(document_key), modes.CBC(iv)).encryptor()
    return iv + encryptor.update(secret + _PADDING[_BLOCK - len(secret) % _BLOCK]) + encryptor.finalize()


def open_key(document_key: bytes, algorithm: str, cipher: bytes) -> bytes | None:
    """Decrypt a content key; None where it does not open, for whatever reason.

    Args:
        document_key: 32 bytes.
        algorithm: `AES_CBC` or `KEY_WRAP`.
        cipher: what `is_whole` accepts.
    """
    if algorithm == KEY_WRAP:
        try:
            return aes_key_unwrap(document_key, cipher)
        except (InvalidUnwrap, ValueError):
            return None
    decryptor = Cipher(algorithms.AES256(document_key), modes.CBC(cipher[:_BLOCK])).decryptor()
    padded = decryptor.update(cipher[_BLOCK:]) + decryptor.finalize()
    size = padded[-1]
    if not 0 < size <= _BLOCK or not padded.endswith(_PADDING[size]) or size == len(padded):
        return None
    return padded[:-size]


def is_whole(algorithm: str, cipher: bytes) -> bool:
    """Say whether a cipher value has a length that the algorithm can give."""
    size = len(cipher)
    if algorithm == KEY_WRAP:
        return size >= 3 * _WRAPPED and size % _WRAPPED == 0
    return size >= 2 * _BLOCK and size % _BLOCK == 0


def mac_of(mac_key: bytes, cipher: bytes) -> bytes:
    """Return the HMAC-SHA512 over the bytes of a cipher value, IV and all (CPIX 2.4, Authenticated Encryption)."""
    return hmac.digest(mac_key, cipher, "sha512")
