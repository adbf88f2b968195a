"""ClearKey: the JSON of init data, license requests and licenses (W3C, Encrypted Media Extensions, clause 9.1)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from drmkit.errors import IdentifierError, SignalingError
from drmkit.identifiers import KeyId
from drmkit.secret import Secret
from drmkit.signaling import encodings

__all__ = [
    "SessionType",
    "init_data",
    "license_document",
    "license_request",
    "parse_init_data",
    "parse_license",
    "parse_license_request",
]

SessionType = Literal["temporary", "persistent-license"]


def init_data(key_ids: Iterable[KeyId]) -> bytes:
    """Return "keyids" initialization data (W3C, "keyids" Initialization Data Format).

    Args:
        key_ids: the key IDs, at least one.

    Raises:
        SignalingError: there is no key ID.
    """
    return _dump({"kids": _kids(key_ids)})


def parse_init_data(data: bytes) -> tuple[KeyId, ...]:
    """Return the key IDs of "keyids" initialization data.

    Raises:
        SignalingError: the bytes are no such JSON.
    """
    return _read_kids(_load(data, "keyids initialization data"), "keyids initialization data")


def license_request(key_ids: Iterable[KeyId], session_type: SessionType = "temporary") -> bytes:
    """Return the license request that a browser's ClearKey sends for these key IDs.

    Raises:
        SignalingError: there is no key ID.
    """
    return _dump({"kids": _kids(key_ids), "type": session_type})


def parse_license_request(data: bytes) -> tuple[KeyId, ...]:
    """Return the key IDs that a ClearKey license request asks for.

    Raises:
        SignalingError: the bytes are no such JSON.
    """
    return _read_kids(_load(data, "the ClearKey license request"), "the ClearKey license request")


def license_document(
    keys: Mapping[KeyId, bytes | Secret[bytes]], session_type: SessionType = "temporary"
) -> Secret[bytes]:
    """Return a ClearKey license, a JSON Web Key Set.

    Args:
        keys: the content keys.
        session_type: of the session that the license is for.

    Returns:
        The license's bytes; secret, since it holds the keys in the clear.
    """
    entries = [
        {
            "kty": "oct",
            "kid": encodings.to_base64url(kid.raw),
            "k": encodings.to_base64url(key.reveal() if isinstance(key, Secret) else key),
        }
        for kid, key in keys.items()
    ]
    return Secret(_dump({"keys": entries, "type": session_type}))


def parse_license(data: bytes) -> dict[KeyId, Secret[bytes]]:
    """Return the content keys of a ClearKey license; keys that are not symmetric are passed over, as clause 9.1.3 asks.

    Raises:
        SignalingError: the bytes are no JSON Web Key Set, or a key is malformed; no key is in the message.
    """
    what = "the ClearKey license"
    entries = _load(data, what).get("keys")
    if not isinstance(entries, list):
        raise SignalingError(f'{what} has no list "keys"')
    keys = {}
    for index, entry in enumerate(entries):
        if isinstance(entry, dict) and entry.get("kty") == "oct":
            where = f"{what}, keys[{index}]"
            kid = _read_kid(entry.get("kid"), f"{where}.kid")
            keys[kid] = Secret(encodings.from_base64url(_string(entry.get("k"), f"{where}.k"), f"{where}.k"))
    return keys


def _kids(key_ids: Iterable[KeyId]) -> list[str]:
    kids = [encodings.to_base64url(kid.raw) for kid in key_ids]
    if not kids:
        raise SignalingError("ClearKey asks for at least one key ID")
    return kids


def _read_kids(document: dict[str, Any], what: str) -> tuple[KeyId, ...]:
    kids = document.get("kids")
    if not isinstance(kids, list) or not kids:
        raise SignalingError(f'{what} has no list "kids", or an empty one')
    return tuple(_read_kid(kid, f"{what}, kids[{index}]") for index, kid in enumerate(kids))


def _read_kid(value: object, what: str) -> KeyId:
    raw = encodings.from_base64url(_string(value, what), what)
    try:
        return KeyId(raw)
    except IdentifierError as error:
        raise SignalingError(f"{what}: {error.message}") from None


def _string(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise SignalingError(f"{what} is missing, or no text")
    return value


def _dump(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode("ascii")


def _load(data: bytes, what: str) -> dict[str, Any]:
    place = ""
    try:
        document = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        place = f" at character {error.pos + 1}" if isinstance(error, json.JSONDecodeError) else ""
        document = None
    # Raised outside the handler: the error there holds the whole text, and a license holds keys.
    if not isinstance(document, dict):
        raise SignalingError(f"{what} is no JSON object in UTF-8{place}")
    return document
