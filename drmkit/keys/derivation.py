"""Derives keys, and IVs where an IV seed is given, for many key IDs at once; key and IV never come out equal."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from drmkit.errors import ConfigurationError
from drmkit.identifiers import KeyId
from drmkit.keys import seeds
from drmkit.keys.quality import ALGORITHMS
from drmkit.secret import Secret

__all__ = ["ALGORITHMS", "DerivedKey", "derive"]

_KEYS: dict[str, Callable[[Secret[bytes], KeyId], Secret[bytes]]] = {
    "playready": seeds.playready_key,
    "hkdf-sha256": seeds.hkdf_key,
    "speke-pbkdf2": seeds.speke_pbkdf2_key,
}
_IVS: dict[str, Callable[[Secret[bytes], KeyId], Secret[bytes]]] = {
    **_KEYS,
    "hkdf-sha256": lambda seed, kid: Secret(seeds.hkdf_iv(seed, kid)),
}


@dataclass(frozen=True, slots=True)
class DerivedKey:
    """A content key, and its initialization vector where an IV seed was given."""

    kid: KeyId
    key: Secret[bytes]
    iv: bytes | None = None


def derive(
    algorithm: str,
    seed: bytes | Secret[bytes],
    key_ids: Iterable[KeyId],
    *,
    iv_seed: bytes | Secret[bytes] | None = None,
) -> list[DerivedKey]:
    """Derive the keys of several key IDs.

    Args:
        algorithm: playready, hkdf-sha256 or speke-pbkdf2; see `drmkit.keys.seeds`.
        seed: the key seed.
        key_ids: the key IDs.
        iv_seed: the IV seed; the same algorithm makes the IVs of it.

    Raises:
        ConfigurationError: the algorithm is unknown, a seed is unfit, or a key would equal its IV, as it does when
            one seed serves both purposes of an algorithm that does not tell them apart.
    """
    if algorithm not in _KEYS:
        raise ConfigurationError(f"unknown algorithm {algorithm!r}", hint=f"use one of {', '.join(ALGORITHMS)}")
    key_seed = _secret(seed)
    iv_secret = None if iv_seed is None else _secret(iv_seed)
    return [_derive(algorithm, key_seed, iv_secret, kid) for kid in key_ids]


def _derive(algorithm: str, seed: Secret[bytes], iv_seed: Secret[bytes] | None, kid: KeyId) -> DerivedKey:
    key = _KEYS[algorithm](seed, kid)
    if iv_seed is None:
        return DerivedKey(kid, key)
    iv = _IVS[algorithm](iv_seed, kid)
    if iv == key:
        raise ConfigurationError(
            f"the key and the IV of {kid} would be equal", hint="use different seeds for keys and for IVs"
        )
    return DerivedKey(kid, key, iv.reveal())


def _secret(seed: bytes | Secret[bytes]) -> Secret[bytes]:
    return seed if isinstance(seed, Secret) else Secret(seed)
