"""The keys of the sandbox: derived from two seeds, the same for the same asset, found again by key ID."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from drmkit.identifiers import KeyId
from drmkit.keys.seeds import hkdf_iv, hkdf_key
from drmkit.secret import Secret

__all__ = ["KeyStore", "TrackKey"]

_LENGTH = 16


@dataclass(frozen=True, slots=True)
class TrackKey:
    """The key of one stream type of one asset.

    Attributes:
        stream_type: such as `HD`.
        kid: the key ID.
        key: the 16 bytes of the content key.
        iv: the 16 bytes of the initialization vector.
        asset: the asset that it was made or brought in for; None where nobody named one.
        variant: the variant of the asset, if one was named.
        channel: the way it came: `CPIX`, or `API` for a key that a client brought.
    """

    stream_type: str
    kid: KeyId
    key: Secret[bytes]
    iv: bytes
    asset: str | None = None
    variant: str | None = None
    channel: str = "CPIX"


class KeyStore:
    """Derive and remember content keys. Thread-safe.

    Key IDs follow from the key seed and the asset, so one asset always gets the same keys from the same seeds. Keys
    and IVs come from HKDF-SHA256 (`drmkit.keys.seeds`), the sandbox's own way: DRMtoday does not publish its.

    Args:
        key_seed: derives key IDs and keys.
        iv_seed: derives initialization vectors.
        stream_types: one key is made for each.
        token_bytes: makes that many random bytes.
    """

    def __init__(
        self,
        *,
        key_seed: Secret[bytes],
        iv_seed: Secret[bytes],
        stream_types: Iterable[str],
        token_bytes: Callable[[int], bytes],
    ) -> None:
        self._key_seed = key_seed
        self._iv_seed = iv_seed
        self._stream_types = tuple(stream_types)
        self._token_bytes = token_bytes
        self._lock = threading.Lock()
        self._by_kid: dict[KeyId, TrackKey] = {}

    def ingest(self, scope: str, asset: str | None) -> tuple[TrackKey, ...]:
        """Return a key for each stream type.

        Args:
            scope: what keeps the assets of one CPIX config apart from those of another.
            asset: the asset ID, or None for keys that no later ingest repeats.
        """
        name = ("asset", scope, asset) if asset is not None else ("random", scope, self._token_bytes(_LENGTH).hex())
        keys = tuple(
            dataclasses.replace(self.key_for(kind, self._key_id((*name, kind))), asset=asset)
            for kind in self._stream_types
        )
        with self._lock:
            self._by_kid.update((key.kid, key) for key in keys)
        return keys

    def key_for(self, stream_type: str, kid: KeyId) -> TrackKey:
        """Derive the key and the IV of a key ID."""
        return TrackKey(
            stream_type=stream_type,
            kid=kid,
            key=hkdf_key(self._key_seed.reveal(), kid),
            iv=hkdf_iv(self._iv_seed.reveal(), kid),
        )

    def hand_out(self, stream_type: str, kid: KeyId, asset: str | None = None) -> TrackKey:
        """Return the key of a key ID that a client chose, and remember that it was given away.

        It is derived, unless a client brought a key of its own under this key ID.

        Args:
            stream_type: such as `HD`; empty where nobody named one.
            kid: the key ID.
            asset: the asset that it is for.
        """
        with self._lock:
            brought = self._by_kid.get(kid)
            if brought is not None and brought.channel == "API":
                return brought
            key = dataclasses.replace(self.key_for(stream_type, kid), asset=asset or None)
            self._by_kid[kid] = key
        return key

    def latest(self, limit: int) -> list[tuple[TrackKey, str]]:
        """Return the keys that were handed out last, newest first: each with the asset or content ID it is for."""
        with self._lock:
            newest = list(self._by_kid.values())[: -limit - 1 : -1]
        return [(key, key.asset or "") for key in newest]

    def clear(self) -> None:
        """Forget which keys were handed out; the same asset gets the same ones again."""
        with self._lock:
            self._by_kid.clear()

    def find(self, kid: KeyId) -> TrackKey | None:
        """Return the key that was handed out under this key ID, or None."""
        with self._lock:
            return self._by_kid.get(kid)

    def put(self, key: TrackKey) -> None:
        """Remember a key that a client brought, in place of one with the same key ID."""
        with self._lock:
            self._by_kid[key.kid] = key

    def remove(self, kid: KeyId) -> bool:
        """Forget a key, and tell whether it was there; one that is derived comes back with the next ingest."""
        with self._lock:
            return self._by_kid.pop(kid, None) is not None

    def all(self) -> tuple[TrackKey, ...]:
        """Return every key that was handed out or brought, the oldest first."""
        with self._lock:
            return tuple(self._by_kid.values())

    def __len__(self) -> int:
        with self._lock:
            return len(self._by_kid)

    def _key_id(self, name: tuple[str, ...]) -> KeyId:
        message = b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in ("key ID", *name))
        return KeyId(hmac.digest(self._key_seed.reveal(), message, hashlib.sha256)[:_LENGTH])
