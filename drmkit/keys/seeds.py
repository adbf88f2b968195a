"""Content keys and IVs derived from seeds: PlayReady's published algorithm, HKDF-SHA256, and SPEKE's PBKDF2.

Every derivation takes the same seed and key ID to the same result, so that keys need not be stored.

HKDF (RFC 5869) runs with SHA-256, no salt, and these info strings, each followed by the 16 bytes of the key ID in
network order:

- key: `drmkit content key v1` and one zero byte
- IV: `drmkit content iv v1` and one zero byte
"""

from __future__ import annotations

import hashlib
from itertools import count

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from drmkit.identifiers import KeyId
from drmkit.keys.quality import check_seed
from drmkit.secret import Secret

__all__ = ["hkdf_iv", "hkdf_key", "playready_key", "speke_pbkdf2_key"]

KEY_SIZE = 16
HKDF_KEY_INFO = b"drmkit content key v1\0"
HKDF_IV_INFO = b"drmkit content iv v1\0"
SPEKE_ITERATIONS = 5000
_PLAYREADY_SEED = 30


def playready_key(seed: bytes | Secret[bytes], kid: KeyId) -> Secret[bytes]:
    """Derive a content key with PlayReady's key seed algorithm.

    Args:
        seed: the key seed, at least 30 bytes; only the first 30 count.
        kid: the key ID; it enters in GUID byte order.

    Returns:
        The content key, 16 bytes.

    Raises:
        ConfigurationError: the seed is too short or predictable.

    https://learn.microsoft.com/en-us/playready/specifications/playready-key-seed
    """
    raw = check_seed(seed, "playready").reveal()[:_PLAYREADY_SEED]
    guid = kid.guid_le
    digests = [hashlib.sha256(parts).digest() for parts in (raw + guid, raw + guid + raw, raw + guid + raw + guid)]
    folded = bytearray(KEY_SIZE)
    for digest in digests:
        for index, byte in enumerate(digest):
            folded[index % KEY_SIZE] ^= byte
    return Secret(bytes(folded))


def hkdf_key(seed: bytes | Secret[bytes], kid: KeyId) -> Secret[bytes]:
    """Derive a content key with HKDF-SHA256 (RFC 5869).

    Args:
        seed: the key seed, at least 16 bytes, better 32.
        kid: the key ID.

    Returns:
        The content key, 16 bytes.

    Raises:
        ConfigurationError: the seed is too short or predictable.
    """
    return Secret(_hkdf(check_seed(seed, "hkdf-sha256").reveal(), HKDF_KEY_INFO + kid.raw))


def hkdf_iv(seed: bytes | Secret[bytes], kid: KeyId) -> bytes:
    """Derive an initialization vector with HKDF-SHA256 (RFC 5869); it never equals the key of the same seed.

    Args:
        seed: the IV seed, or the key seed, at least 16 bytes.
        kid: the key ID.

    Returns:
        The initialization vector, 16 bytes. It is public, so it is no Secret.

    Raises:
        ConfigurationError: the seed is too short or predictable.
    """
    raw = check_seed(seed, "hkdf-sha256").reveal()
    key = _hkdf(raw, HKDF_KEY_INFO + kid.raw)
    tries = (_hkdf(raw, HKDF_IV_INFO + kid.raw + bytes(number)) for number in count())
    return next(iv for iv in tries if iv != key)


def speke_pbkdf2_key(secret: str | bytes | Secret[str] | Secret[bytes], kid: KeyId | str) -> Secret[bytes]:
    """Derive a content key as AWS's SPEKE reference server does: PBKDF2-HMAC-SHA256, 5000 iterations.

    The key ID's text is the password and the content's secret is the salt (awslabs/speke-reference-server,
    src/key_generator.py). That server takes the key ID's text as it was sent, so that upper and lower case give
    different keys; pass a string to repeat that, and a KeyId for the lower-case UUID whatever was sent.

    Args:
        secret: the content's secret, as text or bytes, at least 16 bytes.
        kid: the key ID, or its exact text.

    Returns:
        The content key, 16 bytes.

    Raises:
        ConfigurationError: the secret is too short or predictable.
    """
    value = secret.reveal() if isinstance(secret, Secret) else secret
    salt = check_seed(value.encode("utf-8") if isinstance(value, str) else value, "speke-pbkdf2").reveal()
    password = str(kid).encode("utf-8")
    return Secret(hashlib.pbkdf2_hmac("sha256", password, salt, SPEKE_ITERATIONS, KEY_SIZE))


def _hkdf(seed: bytes, info: bytes) -> bytes:
    return HKDF(SHA256(), KEY_SIZE, None, info).derive(seed)
