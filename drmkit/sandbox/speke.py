"""The sandbox as a SPEKE key provider of versions 1.0, 2.0 and 2.1; its keys are those of the sandbox's key store.

The paths are those of the specification's examples, such as
https://docs.aws.amazon.com/speke/latest/documentation/vod-workflow-method-v2.html.
"""

from __future__ import annotations

import base64
import binascii
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from drmkit.errors import IdentifierError
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.keys.derivation import DerivedKey
from drmkit.sandbox.spekefaults import Tampering
from drmkit.sandbox.state import SandboxState
from drmkit.sandbox.web import BodyTooLargeError, base_url, error_page, read_body, text, too_many
from drmkit.signaling.material import Options
from drmkit.speke.placeholders import Demands
from drmkit.speke.provider import Provider
from drmkit.speke.versions import VERSION_HEADER, VERSIONS

__all__ = ["SpekeRole", "answer_request"]

_LIMIT: Final = 4 * 2**20
_KEY_PATH: Final = "/speke/client"
_FIRST: Final = VERSIONS["1.0"]
_DEMANDS: Final = Demands(
    robustness={
        DrmSystem.WIDEVINE: "SW_SECURE_CRYPTO",
        DrmSystem.PLAYREADY: "2000",
        DrmSystem.FAIRPLAY: "AppleBaseline",
    },
    allowed_cpc={
        DrmSystem.WIDEVINE: "urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed:SW_SECURE_CRYPTO",
        DrmSystem.PLAYREADY: "com.microsoft.playready:SL2000",
        DrmSystem.FAIRPLAY: "com.apple.streamingkeydelivery:AppleBaseline",
    },
    hdcp_level="NONE",
    hdcp_output=b"<drmkit:output xmlns:drmkit='urn:drmkit:sandbox'>any</drmkit:output>",
)


class SpekeRole:
    """Answer what an encryptor asks.

    Args:
        state: the sandbox's state.
    """

    def __init__(self, state: SandboxState) -> None:
        self._state = state

    def routes(self) -> list[Route]:
        """The URLs of this role."""
        routes = [Route(version.path, self.copy_protection, methods=["POST"]) for version in VERSIONS.values()]
        heartbeat = _FIRST.path.rpartition("/")[0] + "/heartbeat"
        return [
            *routes,
            Route(heartbeat, self.heartbeat, methods=["GET"]),
            Route(f"{_KEY_PATH}/{{kid}}", self.clear_key, methods=["GET"]),
        ]

    async def copy_protection(self, request: Request) -> Response:
        """Fill a request for content keys."""
        version = request.url.path.split("/")[2].removeprefix("v")
        response = self._unauthorized(request)
        if response is None:
            stated = request.headers.get(VERSION_HEADER)
            # Each path speaks one version: what it does not speak is refused, not tried.
            try:
                body = await read_body(request, _LIMIT)
            except BodyTooLargeError:
                return text(413, "The request is too large")
            response = answer_request(self._state, base_url(request), body, stated=stated, speaks=version)
        self._state.journal.note("speke", f"copyProtection {version}", str(response.status_code))
        return response

    async def heartbeat(self, request: Request) -> Response:
        """Say that the provider is alive, as version 1.0 asks it."""
        response = self._unauthorized(request) or text(200, "the drmkit sandbox is alive")
        self._state.journal.note("speke", "heartbeat", str(response.status_code))
        return response

    async def clear_key(self, request: Request) -> Response:
        """Give a player the 16 bytes of a key that was handed out, as AES-128 in HLS wants it; from any origin."""
        origin = {"Access-Control-Allow-Origin": "*"}
        try:
            found = self._state.keys.find(KeyId.from_uuid(request.path_params["kid"]))
        except IdentifierError:
            found = None
        self._state.journal.note("speke", "clear key", "404" if found is None else "200")
        if found is None:
            return text(404, "No such key was handed out", origin)
        return Response(found.key.reveal(), media_type="application/octet-stream", headers=origin)

    def _unauthorized(self, request: Request) -> Response | None:
        if not self._state.options.speke_auth or self._has_password(request.headers.get("authorization", "")):
            return None
        return text(401, "Unauthorized", {"WWW-Authenticate": 'Basic realm="drmkit sandbox", charset="UTF-8"'})

    def _has_password(self, header: str) -> bool:
        scheme, _, encoded = header.partition(" ")
        try:
            username, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            return False
        return scheme.lower() == "basic" and self._state.credentials.accept_login(username, password)


def answer_request(state: SandboxState, base: str, body: bytes, *, stated: str | None, speaks: str) -> Response:
    """Answer a request for content keys.

    Args:
        state: the sandbox's state.
        base: the URL of the sandbox, as the client addressed it.
        body: the HTTP body of a request that is authorized already.
        stated: its `X-Speke-Version`, or None.
        speaks: the version that the URL speaks.
    """
    faults = state.faults
    if faults.hit("speke-unavailable"):
        return error_page(503, "Service Unavailable")
    if faults.hit("speke-rate-limited"):
        return too_many()
    if faults.hit("speke-html"):
        return error_page(200, "Please sign in")
    if faults.hit("speke-json-error"):
        return JSONResponse({"error_code": "A1005", "error_message": "invalid content ID"})
    tampering = Tampering(state)
    answer = _provider(state, base, speaks, tampering).respond(
        tampering.before(body), speke_version=tampering.version(stated, speaks)
    )
    answer = tampering.after(answer, body, stated)
    return Response(answer.body, answer.status, headers=answer.headers)


def _provider(state: SandboxState, base: str, speaks: str, tampering: Tampering) -> Provider:
    def source(kid: KeyId, content_id: str) -> DerivedKey | None:
        found = state.keys.hand_out("", kid, content_id)
        return tampering.key(DerivedKey(found.kid, found.key, found.iv))

    return Provider(
        source,
        options=Options(key_uri=lambda kid: f"{base}{_KEY_PATH}/{kid}", clearkey_laurl=f"{base}{_KEY_PATH}"),
        demands=_DEMANDS,
        versions=(speaks,),
        checked=tampering.checked,
        user_agent="drmkit-sandbox",
    )
