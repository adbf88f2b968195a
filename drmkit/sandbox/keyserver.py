"""The sandbox as DRMtoday's key server: an ingest URL that answers CPIX documents to whoever has a ticket for it.

The URL form is the one of https://www.tencentcloud.com/document/product/1041/68547; the asset ID and
`x-signaling-alg` are those of Shaka Packager's example (https://github.com/shaka-project/shaka-packager/pull/1590).
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from drmkit.sandbox.keydocument import SCHEMES, ingest_document
from drmkit.sandbox.state import SandboxState
from drmkit.sandbox.web import base_url, error_page, request_path, text

__all__ = ["KeyServerRole"]

_PATH = "/frontend/cpix/v1/{organization}/ingest/{config}"


class KeyServerRole:
    """Answer what a key client asks.

    Args:
        state: the sandbox's state.
    """

    def __init__(self, state: SandboxState) -> None:
        self._state = state

    def routes(self) -> list[Route]:
        """The URLs of this role."""
        return [
            Route(_PATH, self.ingest, methods=["GET"]),
            Route(_PATH + "/{asset}", self.ingest, methods=["GET"]),
        ]

    async def ingest(self, request: Request) -> Response:
        """Derive the keys of an asset (random ones without an asset ID) and answer them as a CPIX document."""
        response = self._ingest(request)
        self._state.journal.note("keyserver", "ingest", str(response.status_code))
        return response

    def _ingest(self, request: Request) -> Response:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        faults = self._state.faults
        if faults.hit("keyserver-html"):
            return error_page(200, "Please sign in")
        if faults.hit("keyserver-json-error"):
            return JSONResponse({"errorCode": "9999", "errorMessage": "internal error"})
        names = request.path_params
        asset = names.get("asset")
        keys = self._state.keys.ingest(f"{names['organization']}/{names['config']}", asset)
        document = ingest_document(self._state, keys, asset, request.query_params.get("x-signaling-alg"))
        if faults.hit("keyserver-truncated"):
            document = document[: len(document) // 2]
        return Response(document, media_type="application/xml")

    def _refusal(self, request: Request) -> Response | None:
        if self._state.faults.hit("keyserver-unavailable"):
            return error_page(503, "Service Unavailable")
        names, known = request.path_params, self._state.credentials
        if names["organization"] != known.organization or names["config"] != known.cpix_config:
            return text(404, "Unknown organization or CPIX config")
        tickets = request.query_params.getlist("ticket")
        service = base_url(request) + request_path(request)
        if len(tickets) != 1 or not self._state.tickets.redeem(tickets[0], service):
            return text(401, "Invalid CAS Ticket")
        schemes = request.query_params.getlist("x-signaling-alg")
        if len(schemes) > 1 or not set(schemes) <= SCHEMES.keys():
            return text(400, f"x-signaling-alg is one of {', '.join(SCHEMES)}")
        return None
