"""The algorithms of CPIX under their names: opening and sealing one key at a time, with no document around it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hmac import HMAC
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
    "macs_of",
    "open_keys_cbc",
    "open_rsa",
    "seal_key",
    "seal_rsa",
    "unwrap_key",
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


def open_keys_cbc(document_key: bytes, ciphers: Sequence[bytes]) -> list[bytes | None]:
    """Decrypt content keys that are under one document key; None for each that does not open, for whatever reason.

    An IV in front of its ciphertext is what CBC itself chains with, so the keys are one stream to the cipher: the block
    that an IV decrypts to is dropped, and ten thousand keys need one set-up of the cipher instead of ten thousand.

    Args:
        document_key: 32 bytes.
        ciphers: for each key what `is_whole` accepts: the IV (16 bytes), then the ciphertext.
    """
    decryptor = Cipher(algorithms.AES256(document_key), modes.CBC(bytes(_BLOCK))).decryptor()
    stream = decryptor.update(b"".join(ciphers)) + decryptor.finalize()
    found: list[bytes | None] = []
    end = 0
    for cipher in ciphers:
        start, end = end + _BLOCK, end + len(cipher)
        padding_size = stream[end - 1]
        fits = 0 < padding_size <= _BLOCK and stream.endswith(_PADDING[padding_size], start, end)
        found.append(stream[start : end - padding_size] if fits and padding_size < end - start else None)
    return found


def unwrap_key(document_key: bytes, cipher: bytes) -> bytes | None:
    """Decrypt a content key that is wrapped as in RFC 3394; None where it does not open, for whatever reason."""
    try:
        return aes_key_unwrap(document_key, cipher)
    except (InvalidUnwrap, ValueError):
        return None


def is_whole(algorithm: str, cipher: bytes) -> bool:
    """Say whether a cipher value has a length that the algorithm can give."""
    size = len(cipher)
    if algorithm == KEY_WRAP:
        return size >= 3 * _WRAPPED and size % _WRAPPED == 0
    return size >= 2 * _BLOCK and size % _BLOCK == 0


def macs_of(mac_key: bytes, ciphers: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the HMAC-SHA512 over the bytes of each cipher value, IV and all (CPIX 2.4, Authenticated Encryption)."""
    # A copy of a state that has taken in the key costs a third of what a new one costs.
    keyed = HMAC(mac_key, hashes.SHA512())
    for cipher in ciphers:
        state = keyed.copy()
        state.update(cipher)
        yield state.finalize()
