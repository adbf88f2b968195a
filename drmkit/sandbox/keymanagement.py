"""The sandbox as DRMtoday's key management: ingest, removal, query and download of keys, each behind its own ticket.

Written after public clients and apart from `drmkit.keyserver.keymanagement`, whose mistakes it would share otherwise.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any
from urllib.parse import unquote
from uuid import NAMESPACE_URL, uuid5

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from drmkit.identifiers import DrmSystem, KeyId
from drmkit.sandbox.keystore import TrackKey
from drmkit.sandbox.state import SandboxState
from drmkit.sandbox.web import BodyTooLargeError, base_url, error_page, media_type, read_body, request_path, text
from drmkit.secret import Secret
from drmkit.signaling import playready, widevine

__all__ = ["KeyManagementRole", "names_known_call"]

_LIMIT = 4 * 2**20
_LENGTH = 16
_V3 = "/frontend/api/keys/v3/ingest/{name}"
_V2 = "/frontend/api/keys/v2/ingest/{name}"
_CENC = "/frontend/rest/keys/v1/cenc/merchant/{name}/key"
_METADATA = "/frontend/download-api/ingestion/query/v1/keys/{uuid}"
_BY_NAME = re.compile(
    r"/frontend/(?:api/keys/v[23]/ingest/(?P<ingest>[^/]+)"
    r"|rest/keys/v1/cenc/merchant/(?P<remove>[^/]+)/key/(?:keyId/[^/]+|assetId/[^/]+/streamType/[^/]+/variantId/[^/]+))"
)
_BY_UUID = re.compile(r"/frontend/download-api/ingestion/query/v1/keys/(?P<uuid>[^/]+)/(?:query|download)")
_KINDS = frozenset({"CENC", "FAIRPLAY", "WIDEVINE"})


def names_known_call(path: str, state: SandboxState) -> bool:
    """Tell whether a path is one of this role's, with the name or the UUID of the organization as each wants it."""
    known = state.credentials
    by_name, by_uuid = _BY_NAME.fullmatch(path), _BY_UUID.fullmatch(path)
    if by_name is not None:
        return unquote(by_name["ingest"] or by_name["remove"]) == known.organization_name
    return by_uuid is not None and unquote(by_uuid["uuid"]) == known.organization


class KeyManagementRole:
    """Answer what a key management client asks.

    Args:
        state: the sandbox's state.
    """

    def __init__(self, state: SandboxState) -> None:
        self._state = state

    def routes(self) -> list[Route]:
        """The URLs of this role."""
        asset = _CENC + "/assetId/{asset}/streamType/{stream}/variantId/{variant}"
        return [
            Route(_V3, self.ingest, methods=["POST"]),
            Route(_V2, self.ingest, methods=["POST"]),
            Route(_CENC + "/keyId/{kid}", self.remove, methods=["DELETE"]),
            Route(asset, self.remove, methods=["DELETE"]),
            Route(_METADATA + "/query", self.query, methods=["POST"]),
            Route(_METADATA + "/download", self.download, methods=["GET"]),
        ]

    async def ingest(self, request: Request) -> Response:
        """Take keys; what is wrong with one stands in its `errors`, in a 200."""
        response = self._refusal(request)
        if response is None:
            body = await _json(request)
            assets = body.get("assets") if isinstance(body, dict) else None
            if isinstance(assets, list) and all(isinstance(asset, dict) for asset in assets):
                old = request.url.path.startswith("/frontend/api/keys/v2/")
                response = JSONResponse({"assets": [self._asset(asset, old=old) for asset in assets]})
            else:
                response = text(412, "Provided input is invalid")
        return self._noted("ingest", response)

    async def remove(self, request: Request) -> Response:
        """Forget one key, by its ID or by asset, stream type and variant."""
        response = self._refusal(request)
        if response is None:
            kids = self._named(request.path_params)
            removed = [self._state.keys.remove(kid) for kid in kids]
            response = Response(status_code=204) if any(removed) else text(409, "Key does not exist")
        return self._noted("remove", response)

    async def query(self, request: Request) -> Response:
        """Answer the records of key IDs; one that is not known has none."""
        response = self._refusal(request)
        if response is None:
            body = await _json(request)
            kids = body.get("keyIds") if isinstance(body, dict) else None
            if isinstance(kids, list) and kids and all(isinstance(kid, str) for kid in kids):
                wanted = {kid.replace("-", "").lower() for kid in kids}
                found = [_record(key) for key in self._state.keys.all() if key.kid.hex in wanted]
                response = JSONResponse(found)
            else:
                response = text(412, "Provided input is invalid")
        return self._noted("query", response)

    async def download(self, request: Request) -> Response:
        """Answer the records of all keys, one JSON object a line."""
        response = self._refusal(request)
        if response is None:
            lines = "".join(json.dumps(_record(key)) + "\n" for key in self._state.keys.all())
            response = Response(lines, media_type="application/json")
        return self._noted("download", response)

    def _noted(self, what: str, response: Response) -> Response:
        self._state.journal.note("keyserver", f"keys {what}", str(response.status_code))
        return response

    def _refusal(self, request: Request) -> Response | None:
        if self._state.faults.hit("keyserver-unavailable"):
            return error_page(503, "Service Unavailable")
        path = request_path(request)
        if not names_known_call(path, self._state):
            return text(404, "Unknown organization")
        tickets = request.query_params.getlist("ticket")
        if len(tickets) != 1 or not self._state.tickets.redeem(tickets[0], base_url(request) + path):
            return text(401, "Invalid CAS Ticket")
        if self._state.faults.hit("keyserver-html"):
            return error_page(200, "Please sign in")
        return None

    def _named(self, names: dict[str, str]) -> list[KeyId]:
        if "kid" in names:
            digits = names["kid"].replace("-", "").lower()
            return [key.kid for key in self._state.keys.all() if key.kid.hex == digits]
        wanted = (names["asset"], names["stream"], names["variant"])
        return [
            key.kid
            for key in self._state.keys.all()
            if (key.asset, key.stream_type, key.variant or "default") == wanted
        ]

    def _asset(self, asset: dict[str, Any], *, old: bool) -> dict[str, Any]:
        errors = []
        if old and asset.get("type") not in _KINDS:
            errors.append("MISSING_TYPE")
        if not isinstance(asset.get("assetId"), str) or not asset["assetId"]:
            errors.append("MISSING_ASSET_ID")
        keys = asset.get("ingestKeys")
        if not isinstance(keys, list) or not keys:
            errors.append("MISSING_KEYS")
        answers = [] if errors else [self._key(asset, key, old=old) for key in keys or [] if isinstance(key, dict)]
        return {"assetId": asset.get("assetId"), "keys": answers, "errors": errors}

    def _key(self, asset: dict[str, Any], key: dict[str, Any], *, old: bool) -> dict[str, Any]:
        kid, value, iv = (_decoded(key.get(name)) for name in ("keyId", "key", "iv"))
        errors = list(_key_errors(key, kid, value, iv, kind=asset.get("type") if old else None))
        answer: dict[str, Any] = {name: key[name] for name in ("streamType", "keyRotationId", "keyId") if name in key}
        if not errors and kid is not None and value is not None:
            taken = self._state.keys.find(KeyId(kid))
            if taken is not None and not (not old and asset.get("overwriteExistingKeys") is True):
                errors.append("DUPLICATE_KEY_ID")
            else:
                new = TrackKey(
                    stream_type=str(key.get("streamType", "")),
                    kid=KeyId(kid),
                    key=Secret(value),
                    iv=iv or bytes(_LENGTH),
                    asset=asset["assetId"],
                    variant=asset.get("variantId"),
                    channel="API",
                )
                self._state.keys.put(new)
                answer["cencResponse"] = {"systemId": _signaling(new)}
        return answer | {"errors": errors}


def _key_errors(
    key: dict[str, Any], kid: bytes | None, value: bytes | None, iv: bytes | None, *, kind: str | None
) -> list[str]:
    errors = []
    for name, raw, code in (("keyId", kid, "KEY_ID"), ("key", value, "KEY")):
        if not key.get(name):
            errors.append(f"MISSING_{code}")
        elif raw is None:
            errors.append(f"INVALID_{code}")
    if kind is not None and key.get("algorithm", "AES") != "AES":
        errors.append("INVALID_ALGORITHM")
    if key.get("iv") and iv is None:
        errors.append("INVALID_IV")
    if kind == "FAIRPLAY" and not key.get("iv"):
        errors.append("MISSING_IV")
    return errors


def _decoded(value: Any) -> bytes | None:
    try:
        raw = base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except (binascii.Error, ValueError):
        return None
    return raw if len(raw) == _LENGTH else None


def _signaling(key: TrackKey) -> dict[str, dict[str, str]]:
    boxes = {
        DrmSystem.WIDEVINE: widevine.pssh_box([key.kid], "cenc"),
        DrmSystem.PLAYREADY: playready.pssh_box([key.kid], "cenc", keys={key.kid: key.key}),
    }
    return {
        system.system_id: {"name": system.label, "psshBoxContent": base64.b64encode(box.data).decode("ascii")}
        for system, box in boxes.items()
    }


def _record(key: TrackKey) -> dict[str, Any]:
    return {
        "uuid": str(uuid5(NAMESPACE_URL, f"urn:drmkit:key:{key.kid.hex}")),
        "type": "CENC",
        "keyId": key.kid.hex,
        "streamType": key.stream_type,
        "assetId": key.asset,
        "variantId": key.variant,
        "ingestChannel": key.channel,
        "ingestRegion": "sandbox",
    }


async def _json(request: Request) -> Any:
    if media_type(request) != "application/json":
        return None
    try:
        return json.loads(await read_body(request, _LIMIT))
    except (BodyTooLargeError, ValueError, RecursionError):
        return None
