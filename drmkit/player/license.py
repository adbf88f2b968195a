"""A ClearKey license server (W3C, Encrypted Media Extensions, clause 9.1) that answers from a key store."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from drmkit.identifiers import KeyId
from drmkit.player.licenserequest import LARGEST, LicenseRequestError, name_keys, read_license_request
from drmkit.player.sessions import Sessions
from drmkit.requestbody import BodyTooLargeError, read_body
from drmkit.secret import Secret
from drmkit.signaling import clearkey

__all__ = ["ClearKeyServer", "FindKey", "Note"]

FindKey = Callable[[KeyId], Secret[bytes] | None]
Note = Callable[[str, str], None]

_REFUSED = {400: "malformed", 413: "too-large"}
_SESSIONS = {
    "missing": "a session is needed: open the link that drmkit printed",
    "unknown": "this session is not of this server: open the link that drmkit printed last",
    "expired": "the session has expired: reload the page to get a new one",
}


class ClearKeyServer:
    """The endpoints of the license server.

    Args:
        find_key: returns the content key of a key ID, or None.
        sessions: who may ask, or None for everybody.
        origins: the origins of other pages, such as `http://localhost:3000`, that may read licenses too.
        note: is told of every request and how it ended, without secrets.
    """

    def __init__(
        self,
        find_key: FindKey,
        *,
        sessions: Sessions | None = None,
        origins: Collection[str] = (),
        note: Note | None = None,
    ) -> None:
        self._find_key = find_key
        self._sessions = sessions
        self._origins = frozenset(origins)
        self._note = note or (lambda _what, _outcome: None)

    async def preflight(self, request: Request) -> Response:
        """Answer what a browser asks before a page of another origin may send a request."""
        if not self._trusted(request):
            return self._foreign(request)
        allowed = {
            "Access-Control-Allow-Methods": "POST",
            "Access-Control-Allow-Headers": request.headers.get("access-control-request-headers", "Content-Type"),
            "Access-Control-Max-Age": "600",
        }
        return Response(status_code=204, headers=self._cors(request) | allowed)

    async def license(self, request: Request) -> Response:
        """Answer a license request: 200, 400 malformed, 403 session or origin, 404 unknown keys, 413 too large."""
        if not self._trusted(request):
            return self._foreign(request)
        response = await self._license(request)
        response.headers.update(self._cors(request))
        return response

    async def session(self, request: Request) -> Response:
        """Answer a POST of a code from a link with a session token."""
        if not self._trusted(request):
            return self._foreign(request)
        try:
            code = (await read_body(request, LARGEST)).decode("utf-8", "replace")
        except BodyTooLargeError:
            code = ""
        token = self._sessions.redeem(code) if self._sessions and code else None
        if token is None:
            return _refusal(403, "code-used", "this link has been used before: open the one that drmkit printed")
        return JSONResponse({"session": token.reveal()})

    async def _license(self, request: Request) -> Response:
        verdict = self._sessions.check(request.query_params.get("session")) if self._sessions else "valid"
        if verdict != "valid":
            self._note("license", f"refused: session {verdict}")
            return _refusal(403, f"session-{verdict}", _SESSIONS[verdict])
        try:
            kids = await read_license_request(request)
        except LicenseRequestError as error:
            self._note("license", f"refused: {_REFUSED[error.status]}")
            return _refusal(error.status, _REFUSED[error.status], error.message)
        return self._grant(kids)

    def _grant(self, kids: Sequence[KeyId]) -> Response:
        found = {kid: key for kid in kids if (key := self._find_key(kid)) is not None}
        unknown = [kid for kid in kids if kid not in found]
        self._note(
            "license", f"{len(found)} of {_keys(kids)}" + (f"; unknown: {name_keys(unknown)}" if unknown else "")
        )
        if not found:
            return _refusal(
                404, "unknown-key", f"there is no key for {name_keys(unknown)}", kids=[str(kid) for kid in kids]
            )
        document = clearkey.license_document(found)
        return Response(document.reveal(), media_type="application/json")

    def _trusted(self, request: Request) -> bool:
        """Whether the request comes from this server's own page, from an origin that was named, or from no page."""
        origin = request.headers.get("origin")
        return origin is None or origin in self._origins or origin == f"http://{request.headers.get('host', '')}"

    def _foreign(self, request: Request) -> Response:
        self._note("license", "refused: another origin")
        # What a header holds is anybody's: no more of it than an origin is made of is repeated.
        shown = re.sub(r"[^\w:/.\[\]-]", "?", request.headers.get("origin", ""))[:100]
        return _refusal(403, "origin", f"licenses hold keys, so pages of {shown} get none")

    def _cors(self, request: Request) -> dict[str, str]:
        origin = request.headers.get("origin")
        if origin not in self._origins:
            return {}
        return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}


def _refusal(status: int, error: str, message: str, **more: object) -> Response:
    return JSONResponse({"error": error, "message": message, **more}, status)


def _keys(kids: Collection[KeyId]) -> str:
    return f"{len(kids)} key{'' if len(kids) == 1 else 's'}"
