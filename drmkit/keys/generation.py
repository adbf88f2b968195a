"""Fresh content keys, key IDs, IVs and seeds from a cryptographic random generator."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from uuid import UUID

from drmkit.errors import ConfigurationError
from drmkit.identifiers import KeyId
from drmkit.secret import Secret

__all__ = ["Random", "content_iv", "content_key", "key_id", "seed"]

Random = Callable[[int], bytes]
_KEY = 16
_SEED = 30
_IV_SIZES = (8, 16)


def key_id(random: Random = secrets.token_bytes) -> KeyId:
    """Return a fresh key ID: a random UUID (RFC 9562, version 4).

    Args:
        random: gives as many random bytes as it is asked for.
    """
    return KeyId.from_uuid(UUID(bytes=random(_KEY), version=4))


def content_key(random: Random = secrets.token_bytes) -> Secret[bytes]:
    """Return a fresh content key of 16 bytes.

    Args:
        random: gives as many random bytes as it is asked for.
    """
    return Secret(random(_KEY))


def content_iv(size: int = _KEY, random: Random = secrets.token_bytes) -> bytes:
    """Return a fresh initialization vector.

    Args:
        size: 8 or 16 bytes (ISO/IEC 23001-7, clause 9.1).
        random: gives as many random bytes as it is asked for.

    Raises:
        ConfigurationError: the size is another.
    """
    if size not in _IV_SIZES:
        raise ConfigurationError(f"an initialization vector has 8 or 16 bytes, not {size}")
    return random(size)


def seed(size: int = _SEED, random: Random = secrets.token_bytes) -> Secret[bytes]:
    """Return a fresh key seed.

    Args:
        size: in bytes, at least 30, which every algorithm accepts.
        random: gives as many random bytes as it is asked for.

    Raises:
        ConfigurationError: the size is smaller.
    """
    if size < _SEED:
        raise ConfigurationError(f"a new seed has at least {_SEED} bytes, not {size}", hint="30 suits every algorithm")
    return Secret(random(size))
