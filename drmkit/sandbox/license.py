"""The sandbox as a license server with DRMtoday's authorization: ClearKey licenses for upfront tokens or custom data.

Tokens are verified with PyJWT alone, apart from `drmkit.licensing`, whose mistakes a shared reader would share.
DRMtoday gives ClearKey licenses for test keys; the path here is the sandbox's own.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import jwt
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from drmkit.player.licenserequest import LicenseRequestError, name_keys, read_license_request
from drmkit.sandbox.keystore import TrackKey
from drmkit.sandbox.state import SandboxState
from drmkit.signaling import clearkey

__all__ = ["LICENSE_PATH", "LicenseRole"]

LICENSE_PATH = "/license/drmtoday"
_ALGORITHMS = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}
_TOKEN, _CUSTOM = "x-dt-auth-token", "x-dt-custom-data"
_SKEW = 60
_DURATION = re.compile(r"P(?=.)(\d+W)?(\d+D)?(?:T(?=.)(\d+H)?(\d+M)?(\d+S)?)?")
_DUMMY = "crtjson:"


class _RefusalError(Exception):
    """A license is refused.

    Args:
        code: a word for programs.
        message: a sentence for people, without tokens.
        status: the HTTP status.
    """

    def __init__(self, code: str, message: str, status: int = 403) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.status = status


class LicenseRole:
    """Answer ClearKey license requests.

    Args:
        state: the sandbox's state.
    """

    def __init__(self, state: SandboxState) -> None:
        self._state = state
        known = state.credentials
        written = {**state.options.token_secrets_before, known.token_kid: known.token_secret}
        self._secrets = {kid: bytes.fromhex(secret.reveal()) for kid, secret in written.items()}

    def routes(self) -> list[Route]:
        """The URLs of this role."""
        return [Route(LICENSE_PATH, self.license, methods=["POST"])]

    async def license(self, request: Request) -> Response:
        """Give the license that a request's rights allow, or say in words why there is none."""
        try:
            keys = await self._granted(request)
        except _RefusalError as refusal:
            self._state.journal.note("license", "ClearKey", f"{refusal.status} {refusal.code}")
            return JSONResponse({"error": refusal.code, "message": refusal.message}, refusal.status)
        self._state.journal.note("license", "ClearKey", f"200 {len(keys)} keys")
        document = clearkey.license_document({key.kid: key.key for key in keys})
        return Response(document.reveal(), media_type="application/json")

    async def _granted(self, request: Request) -> list[TrackKey]:
        rights = self._rights(request)
        try:
            kids = await read_license_request(request)
        except LicenseRequestError as error:
            code = "REQUEST_TOO_LARGE" if error.status == 413 else "REQUEST_MALFORMED"  # noqa: PLR2004 (HTTP's)
            raise _RefusalError(code, error.message, error.status) from None
        found = [key for kid in kids if (key := self._state.keys.find(kid)) is not None]
        if not found:
            raise _RefusalError("KEY_NOT_FOUND", f"there is no key for {name_keys(kids)}", 404)
        assets = [item.get("assetId") for item in rights]
        granted = [key for key in found if None in assets or key.asset in assets]
        if not granted:
            named = ", ".join(repr(asset) for asset in assets)
            raise _RefusalError("UNAUTHORIZED_ASSETS", f"the keys are of other assets than {named}")
        return granted

    def _rights(self, request: Request) -> list[Mapping[str, Any]]:
        tokens, customs = request.headers.getlist(_TOKEN), request.headers.getlist(_CUSTOM)
        if len(tokens) > 1 or len(customs) > 1:
            raise _RefusalError("HEADER_MULTIPLE_VALUES", "a header was sent more than once", 400)
        if tokens and customs:
            raise _RefusalError("CUSTDATA_MULTIPLE_VALUES", f"send {_TOKEN} or {_CUSTOM}, not both", 400)
        if tokens:
            return self._by_token(tokens[0])
        if customs:
            return self._by_custom_data(customs[0])
        raise _RefusalError("AUTHORIZATION_MISSING", f"send {_TOKEN} or {_CUSTOM}", 401)

    def _by_token(self, token: str) -> list[Mapping[str, Any]]:
        claims = self._claims(token)
        now = self._state.clock.now()
        if not isinstance(claims.get("jti"), str) or not claims["jti"]:
            raise _RefusalError("AUTHTOKEN_JTI_MISSING", "the token has no jti")
        if not _is_number(claims.get("iat")) or claims["iat"] > now + _SKEW:
            raise _RefusalError("AUTHTOKEN_IAT", "the token's iat is missing or in the future")
        if "exp" in claims and not (_is_number(claims["exp"]) and claims["exp"] > now):
            raise _RefusalError("AUTHTOKEN_EXPIRED", "the token has expired")
        self._check_subject(_object(claims.get("optData"), "optData"))
        return [self._checked(crt) for crt in _objects(claims.get("crt"), "crt")]

    def _claims(self, token: str) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
        except jwt.InvalidTokenError:
            raise _RefusalError("AUTHTOKEN_MALFORMED", "the token is no JWT", 400) from None
        if not isinstance(header.get("alg"), str) or header["alg"] not in _ALGORITHMS:
            raise _RefusalError("AUTHTOKEN_ALGORITHM", f"the token's alg is none of {', '.join(_ALGORITHMS)}")
        kid = header.get("kid")
        if not isinstance(kid, str):
            raise _RefusalError("AUTHTOKEN_KID_MISSING", "the token names no shared secret (kid)")
        secret = self._secrets.get(kid)
        if secret is None:
            raise _RefusalError("AUTHTOKEN_KID_UNKNOWN", "there is no shared secret of this kid")
        try:
            payload = _verified(token, secret)
            claims = json.loads(payload)
        except (jwt.InvalidTokenError, ValueError, RecursionError):
            raise _RefusalError("AUTHTOKEN_SIGNATURE", "the token's signature does not fit") from None
        if not isinstance(claims, dict):
            raise _RefusalError("AUTHTOKEN_MALFORMED", "the token's payload is no JSON object", 400)
        return claims

    def _by_custom_data(self, text: str) -> list[Mapping[str, Any]]:
        """Take custom data as the modes *Allow all requests* and *Test dummy* do; a CRT may be in the session ID."""
        try:
            data = json.loads(base64.b64decode(text, validate=True))
        except (binascii.Error, ValueError, RecursionError):
            data = None
        if not isinstance(data, dict):
            raise _RefusalError("CUSTDATA_MALFORMED", "the custom data is not the Base64 of a JSON object", 400)
        self._check_subject(data)
        session = data.get("sessionId")
        if not isinstance(session, str) or not session:
            raise _RefusalError("CUSTDATA_MALFORMED", "the custom data has no sessionId", 400)
        if session.startswith(_DUMMY):
            return [self._checked(_object(session.removeprefix(_DUMMY), "sessionId"))]
        return [{}]

    def _check_subject(self, data: Mapping[str, Any]) -> None:
        known = self._state.credentials
        if data.get("merchant") not in (known.organization, known.organization_name):
            raise _RefusalError("MERCHANT_UNKNOWN", "the merchant is another organization")
        if not isinstance(data.get("userId"), str) or not data["userId"]:
            raise _RefusalError("USER_MISSING", "there is no userId")

    def _checked(self, crt: Mapping[str, Any]) -> Mapping[str, Any]:
        if not crt.get("assetId") and not crt.get("ref"):
            raise _RefusalError("CRT_MALFORMED", "the rights name neither an asset nor a template")
        profile = crt.get("profile", {"type": "purchase"} if crt.get("ref") else None)
        if not isinstance(profile, dict):
            raise _RefusalError("CRT_MALFORMED", "the rights have no profile")
        kind = profile.get("type") or next(iter(profile), None)
        inner = profile if "type" in profile else profile.get(str(kind), {})
        if kind not in ("purchase", "rental") or not isinstance(inner, dict):
            raise _RefusalError("CRT_MALFORMED", "the rights' profile is neither purchase nor rental")
        for name in ("relativeExpiration", "playDuration"):
            older = name == "playDuration" and _is_number(inner.get(name)) and inner[name] > 0
            if name in inner and not older and not _is_duration(inner[name]):
                raise _RefusalError("CRT_MALFORMED", f"{name} is no ISO 8601 duration above zero")
        return crt


def _verified(token: str, secret: bytes) -> bytes:
    """Return the payload of a token whose signature fits, whatever its claims say: those are judged by this clock."""
    signer = jwt.PyJWS(algorithms=[])
    for name, digest in _ALGORITHMS.items():
        signer.register_algorithm(name, _Hmac(digest))
    payload: bytes = signer.decode_complete(token, secret, algorithms=list(_ALGORITHMS))["payload"]
    return payload


class _Hmac(jwt.algorithms.HMACAlgorithm):
    """HMAC that has no word on secrets of 32 bytes, which DRMtoday recommends for every algorithm."""

    def __init__(self, digest: str) -> None:
        hashes = {"sha256": self.SHA256, "sha384": self.SHA384, "sha512": self.SHA512}
        super().__init__(hashes[digest])

    def check_key_length(self, key: Any) -> None:
        """Have no objection."""


def _object(value: Any, name: str) -> Mapping[str, Any]:
    """Return the JSON object that a text holds; an object in place of the text is refused, as DRMtoday wants text."""
    found = _json(value)
    if not isinstance(found, dict):
        raise _RefusalError("AUTHTOKEN_CLAIM", f"{name} is no text that holds a JSON object")
    return found


def _objects(value: Any, name: str) -> list[Mapping[str, Any]]:
    """Return the JSON object that a text holds, or the list of them that older public clients send."""
    found = _json(value)
    if isinstance(found, list) and found and all(isinstance(item, dict) for item in found):
        return found
    return [_object(value, name)]


def _json(value: Any) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) else None
    except (ValueError, RecursionError):
        return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_duration(value: Any) -> bool:
    match = _DURATION.fullmatch(value) if isinstance(value, str) and len(value) <= _SKEW else None
    if match is None:
        return False
    weeks, days, hours, minutes, seconds = (int(part[:-1]) if part else 0 for part in match.groups())
    try:
        length = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError:
        return False
    return timedelta() < length < timedelta(seconds=2**31)
