"""Where a key provider takes its content keys from: seeds, a table, or any function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from drmkit.errors import ConfigurationError
from drmkit.identifiers import KeyId
from drmkit.keys.derivation import DerivedKey, derive
from drmkit.secret import Secret

__all__ = ["KeySource", "from_seeds", "from_table"]

KeySource: TypeAlias = Callable[[KeyId, str], DerivedKey | None]
"""Gives the key of a key ID; the second argument is the content ID. None: there is no such key.

It must give the same key for the same key ID, always: encryptors ask again, and so do their standbys.
"""
_KEY_SIZE = 16


def from_seeds(
    algorithm: str, seed: bytes | Secret[bytes], *, iv_seed: bytes | Secret[bytes] | None = None
) -> KeySource:
    """Return a source that derives every key from a seed.

    Args:
        algorithm: playready, hkdf-sha256 or speke-pbkdf2; see `drmkit.keys.seeds`.
        seed: the key seed.
        iv_seed: the IV seed; without one no initialization vectors are given.

    Raises:
        ConfigurationError: at the first key, if the algorithm is unknown or a seed is unfit.
    """
    return lambda kid, _: derive(algorithm, seed, [kid], iv_seed=iv_seed)[0]


def from_table(table: Mapping[KeyId, bytes | Secret[bytes]], *, ivs: Mapping[KeyId, bytes] | None = None) -> KeySource:
    """Return a source that knows some keys and no others.

    Args:
        table: the content keys, 16 bytes each.
        ivs: initialization vectors, 16 bytes each.

    Raises:
        ConfigurationError: a key or an initialization vector is not 16 bytes long.
    """
    vectors = dict(ivs or {})
    known = {}
    for kid, key in table.items():
        secret = key if isinstance(key, Secret) else Secret(key)
        iv = vectors.get(kid)
        if len(secret.reveal()) != _KEY_SIZE or (iv is not None and len(iv) != _KEY_SIZE):
            raise ConfigurationError(f"the key and the IV of {kid} are {_KEY_SIZE} bytes each")
        known[kid] = DerivedKey(kid, secret, iv)
    return lambda kid, _: known.get(kid)
