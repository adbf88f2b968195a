"""Bodies of key ingests at DRMtoday: typed assets and keys, checked, read from files, written for API v3 and v2.

Forms: https://www.tencentcloud.com/document/product/267/46134 (v2, StreamLive's guide), public clients (v3, v2).
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from drmkit.errors import IdentifierError, InputError
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.secret import Secret

__all__ = ["STREAM_TYPES", "IngestAsset", "IngestKey", "check_assets", "parse_assets", "v2_body", "v3_body"]

STREAM_TYPES = ("VIDEO", "AUDIO", "VIDEO_AUDIO", "UHD", "HD", "SD")
"""The stream types that public clients use; DRMtoday's whole list is not public."""

Kind = Literal["CENC", "FAIRPLAY", "WIDEVINE"]
_LENGTH = 16
_TYPE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_ASSET_FIELDS = {"assetId", "variantId", "type", "overwriteExistingKeys", "ingestKeys"}
_KEY_FIELDS = {"streamType", "keyId", "key", "iv", "clearKey", "keyRotationId", "algorithm"}
_SYSTEMS = (DrmSystem.PLAYREADY, DrmSystem.WIDEVINE)


@dataclass(frozen=True, slots=True)
class IngestKey:
    """One content key to bring in.

    Attributes:
        stream_type: such as `VIDEO`, `AUDIO`, `HD`; see `STREAM_TYPES`.
        kid: the key ID.
        key: the 16 bytes of the content key.
        iv: the 16 bytes of the initialization vector; FairPlay needs it.
        clear_key: API v3: whether licenses for ClearKey may be given too; not for production keys.
        key_rotation_id: which period of a key rotation it is for.
    """

    stream_type: str
    kid: KeyId
    key: Secret[bytes]
    iv: bytes | None = None
    clear_key: bool = False
    key_rotation_id: str | None = None


@dataclass(frozen=True, slots=True)
class IngestAsset:
    """One asset and its keys.

    Attributes:
        asset_id: the asset; MPS's ResourceId.
        keys: its content keys.
        overwrite: API v3: replace keys that are there already.
        variant_id: API v2: the variant; DRMtoday has deprecated it for `assetId|variantId`.
    """

    asset_id: str
    keys: tuple[IngestKey, ...]
    overwrite: bool = False
    variant_id: str | None = None


def check_assets(assets: Sequence[IngestAsset], *, kind: Kind = "CENC") -> list[str]:
    """Return everything that DRMtoday would refuse or that is unsafe, in sentences without keys.

    Args:
        assets: what is to be brought in.
        kind: API v2's type; FairPlay needs IVs.
    """
    found = [] if assets else ["there is no asset"]
    seen: dict[KeyId, str] = {}
    keys: list[Secret[bytes]] = []
    for index, asset in enumerate(assets):
        where = f"assets[{index}]"
        if not asset.asset_id.strip():
            found.append(f"{where}: the asset has no assetId")
        if not asset.keys:
            found.append(f"{where}: the asset has no keys")
        kinds: set[tuple[str, str | None]] = set()
        for number, key in enumerate(asset.keys):
            place = f"{where}.ingestKeys[{number}]"
            found += [f"{place}: {problem}" for problem in _problems(key, kind)]
            if key.kid in seen:
                found.append(f"{place}: the key ID {key.kid} is that of {seen[key.kid]} too")
            if any(key.key == other for other in keys):
                found.append(f"{place}: another key ID has the same content key")
            if (key.stream_type, key.key_rotation_id) in kinds:
                found.append(f"{place}: the asset has a key for {key.stream_type} already")
            seen.setdefault(key.kid, place)
            keys.append(key.key)
            kinds.add((key.stream_type, key.key_rotation_id))
    return found


def _problems(key: IngestKey, kind: Kind) -> Iterator[str]:
    raw = key.key.reveal()
    if not _TYPE.fullmatch(key.stream_type):
        yield f"a stream type is written in capitals, such as {', '.join(STREAM_TYPES)}"
    if len(raw) != _LENGTH:
        yield f"the content key has {len(raw)} bytes instead of {_LENGTH}"
    if key.iv is not None and len(key.iv) != _LENGTH:
        yield f"the IV has {len(key.iv)} bytes instead of {_LENGTH}"
    if raw == key.kid.raw:
        yield "the content key is the key ID, which everybody can read"
    if raw and not any(raw):
        yield "the content key is all zero"
    if kind == "FAIRPLAY" and key.iv is None:
        yield "FairPlay needs an IV"


def v3_body(
    assets: Iterable[IngestAsset],
    *,
    schemes: Sequence[str] = ("cenc",),
    systems: Sequence[DrmSystem] = _SYSTEMS,
) -> Secret[bytes]:
    """Return the body of API v3's ingest.

    Args:
        assets: what to bring in.
        schemes: the protection schemes to answer signaling for: `cenc`, `cbcs`.
        systems: the DRM systems to answer signaling for; empty asks for all.
    """
    entries = [
        {
            "assetId": asset.asset_id,
            "overwriteExistingKeys": asset.overwrite,
            "ingestKeys": [_written(key) | {"clearKey": key.clear_key} for key in asset.keys],
        }
        for asset in assets
    ]
    wanted: Any = [system.system_id for system in systems] or "all"
    signaling = {"level": "all", "enc": list(schemes), "system": wanted}
    return Secret(json.dumps({"assets": entries, "signaling": signaling}).encode())


def v2_body(assets: Iterable[IngestAsset], *, kind: Kind = "CENC") -> Secret[bytes]:
    """Return the body of API v2's ingest.

    Args:
        assets: what to bring in.
        kind: `CENC`, `FAIRPLAY` or `WIDEVINE`, of all assets.
    """
    entries = [
        {
            "type": kind,
            "assetId": asset.asset_id,
            **({} if asset.variant_id is None else {"variantId": asset.variant_id}),
            "ingestKeys": [_written(key) | {"algorithm": "AES"} for key in asset.keys],
        }
        for asset in assets
    ]
    return Secret(json.dumps({"assets": entries}).encode())


def _written(key: IngestKey) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "streamType": key.stream_type,
        "keyId": key.kid.base64,
        "key": base64.b64encode(key.key.reveal()).decode("ascii"),
    }
    if key.iv is not None:
        fields["iv"] = base64.b64encode(key.iv).decode("ascii")
    if key.key_rotation_id is not None:
        fields["keyRotationId"] = key.key_rotation_id
    return fields


def parse_assets(data: bytes) -> tuple[IngestAsset, ...]:
    """Read the assets of an ingest body, in the API's own JSON (`{"assets": [{"assetId", "ingestKeys": [...]}]}`).

    Raises:
        InputError: it is no such JSON; the message names the place, and never a value, which may be a key.
    """
    document = None
    with suppress(ValueError, RecursionError):  # told outside its handler: the exception holds the text
        document = json.loads(data.decode("utf-8-sig"))
    entries = document.get("assets") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise InputError(
            'the keys are no JSON of the form {"assets": [...]}',
            hint='write {"assets": [{"assetId": "...", "ingestKeys": [{"streamType", "keyId", "key"}]}]}, in base64',
        )
    return tuple(_asset(entry, f"assets[{index}]") for index, entry in enumerate(entries))


def _asset(entry: Any, where: str) -> IngestAsset:
    fields = _object(entry, where, _ASSET_FIELDS)
    keys = fields.get("ingestKeys", [])
    if not isinstance(keys, list):
        raise InputError(f"{where}.ingestKeys is no list")
    return IngestAsset(
        asset_id=_text(fields, "assetId", where) or "",
        keys=tuple(_key(key, f"{where}.ingestKeys[{number}]") for number, key in enumerate(keys)),
        overwrite=_flag(fields, "overwriteExistingKeys", where),
        variant_id=_text(fields, "variantId", where),
    )


def _key(entry: Any, where: str) -> IngestKey:
    fields = _object(entry, where, _KEY_FIELDS)
    if fields.get("algorithm", "AES") != "AES":
        raise InputError(f"{where}.algorithm is not AES", hint="other algorithms are not documented in public")
    kid, key, iv = (_base64(fields, name, where) for name in ("keyId", "key", "iv"))
    if kid is None or key is None:
        raise InputError(f"{where}.{'keyId' if kid is None else 'key'} is missing", hint="write it in base64")
    try:
        key_id = KeyId(kid)
    except IdentifierError as error:
        raise InputError(f"{where}.keyId: {error.message}", hint="16 bytes in base64, without dashes") from None
    return IngestKey(
        stream_type=_text(fields, "streamType", where) or "",
        kid=key_id,
        key=Secret(key),
        iv=iv,
        clear_key=_flag(fields, "clearKey", where),
        key_rotation_id=_text(fields, "keyRotationId", where),
    )


def _object(entry: Any, where: str, known: set[str]) -> Mapping[str, Any]:
    if not isinstance(entry, dict):
        raise InputError(f"{where} is no JSON object")
    for name in entry:
        if name not in known:
            shown = name if name.isascii() and name.isalnum() and len(name) <= _LENGTH else "a field"
            raise InputError(f"{where}: {shown} is not known", hint=f"known are {', '.join(sorted(known))}")
    return entry


def _text(fields: Mapping[str, Any], name: str, where: str) -> str | None:
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise InputError(f"{where}.{name} is no text")
    return value


def _flag(fields: Mapping[str, Any], name: str, where: str) -> bool:
    value = fields.get(name, False)
    if not isinstance(value, bool):
        raise InputError(f"{where}.{name} is neither true nor false")
    return value


def _base64(fields: Mapping[str, Any], name: str, where: str) -> bytes | None:
    text = _text(fields, name, where)
    raw = None
    with suppress(binascii.Error, ValueError):
        raw = None if text is None else base64.b64decode(text, validate=True)
    if text is not None and raw is None:
        raise InputError(f"{where}.{name} is not base64", hint="16 bytes as 24 characters, the last two =")
    return raw
