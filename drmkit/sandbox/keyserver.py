"""The sandbox as DRMtoday's key server: an ingest URL that answers CPIX documents to whoever has a ticket for it.

The URL form is the one of https://www.tencentcloud.com/document/product/1041/68547; the asset ID and
`x-signaling-alg` are those of Shaka Packager's example (https://github.com/shaka-project/shaka-packager/pull/1590).
"""

from __future__ import annotations

import email.utils

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from drmkit import cpix
from drmkit.errors import InputError
from drmkit.sandbox.keydocument import SCHEMES, ingest_document
from drmkit.sandbox.keyfaults import Tampering
from drmkit.sandbox.speke import answer_request
from drmkit.sandbox.state import SandboxState
from drmkit.sandbox.web import SKEW, BodyTooLargeError, base_url, error_page, read_body, request_path, text, too_many
from drmkit.speke.versions import MEDIA_TYPE, VERSION_HEADER, VERSIONS, of_cpix

__all__ = ["KeyServerRole"]

_OK = 200
_LIMIT = 4 * 2**20
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
            Route(_PATH, self.exchange, methods=["POST"]),
            Route(_PATH + "/{asset}", self.exchange, methods=["POST"]),
        ]

    async def ingest(self, request: Request) -> Response:
        """Derive the keys of an asset (random ones without an asset ID) and answer them as a CPIX document."""
        ahead = self._ahead()
        response = self._ingest(request, ahead)
        self._state.journal.note("keyserver", "ingest", str(response.status_code))
        return self._dated(response, ahead)

    async def exchange(self, request: Request) -> Response:
        """Fill a SPEKE request, which names its key IDs itself, for whoever has a ticket.

        DRMtoday documents no POST here; Tencent's MPS calls such URLs `SpekeDrm`, and SPEKE is posted. Where
        `X-Speke-Version` is missing, `CPIX@version` tells the version.
        """
        ahead = self._ahead()
        response = self._refusal(request, ahead)
        if response is None:
            try:
                body = await read_body(request, _LIMIT)
            except BodyTooLargeError:
                return text(413, "The request is too large")
            version = request.headers.get(VERSION_HEADER) or _version_of(body)
            response = self._instead() or self._spoiled(
                answer_request(
                    self._state,
                    base_url(request),
                    body,
                    stated=None if version == "1.0" else version,
                    speaks=version if version in VERSIONS else "2.0",
                )
            )
        self._state.journal.note("keyserver", "exchange", str(response.status_code))
        return self._dated(response, ahead)

    def _ahead(self) -> float:
        return SKEW if self._state.faults.hit("keyserver-clock-ahead") else 0.0

    def _dated(self, response: Response, ahead: float) -> Response:
        if ahead:
            response.headers["Date"] = email.utils.formatdate(self._state.clock.wall() + ahead, usegmt=True)
        return response

    def _ingest(self, request: Request, ahead: float) -> Response:
        refusal = self._refusal(request, ahead)
        if refusal is not None:
            return refusal
        instead = self._instead()
        if instead is not None:
            return instead
        names = request.path_params
        asset = names.get("asset")
        keys = self._state.keys.ingest(f"{names['organization']}/{names['config']}", asset)
        document = ingest_document(self._state, keys, asset, request.query_params.get("x-signaling-alg"))
        return self._served(document, {"Content-Type": "application/xml"})

    def _instead(self) -> Response | None:
        """Return what a broken key server answers instead of a document, or None."""
        if self._state.faults.hit("keyserver-html"):
            return error_page(200, "Please sign in")
        if self._state.faults.hit("keyserver-json-error"):
            return JSONResponse({"errorCode": "9999", "errorMessage": "internal error"})
        return None

    def _spoiled(self, answer: Response) -> Response:
        """Return a filled document with the faults of the key server in it, any other answer as it is."""
        is_document = answer.status_code == _OK and answer.headers["content-type"].startswith(MEDIA_TYPE)
        if not is_document or not any(name.startswith("keyserver-") for name in self._state.faults.active):
            return answer
        headers = {name: value for name, value in answer.headers.items() if name != "content-length"}
        return self._served(Tampering(self._state).exchanged(bytes(answer.body)), headers)

    def _served(self, document: bytes, headers: dict[str, str]) -> Response:
        if self._state.faults.hit("keyserver-truncated"):
            document = document[: len(document) // 2]
        response = Response(document, headers=headers)
        if self._state.faults.hit("keyserver-content-type"):
            response.headers["Content-Type"] = "text/html"
        return response

    def _refusal(self, request: Request, ahead: float) -> Response | None:
        if self._state.faults.hit("keyserver-unavailable"):
            return error_page(503, "Service Unavailable")
        if self._state.faults.hit("keyserver-rate-limited"):
            return too_many()
        names, known = request.path_params, self._state.credentials
        if names["organization"] != known.organization or names["config"] != known.cpix_config:
            return text(404, "Unknown organization or CPIX config")
        tickets = request.query_params.getlist("ticket")
        service = base_url(request) + request_path(request)
        if len(tickets) != 1 or not self._state.tickets.redeem(tickets[0], service, ahead=ahead):
            return text(401, "Invalid CAS Ticket")
        schemes = request.query_params.getlist("x-signaling-alg")
        if len(schemes) > 1 or not set(schemes) <= SCHEMES.keys():
            return text(400, f"x-signaling-alg is one of {', '.join(SCHEMES)}")
        return None


def _version_of(body: bytes) -> str:
    try:
        return of_cpix(cpix.parse(body).version).name
    except InputError:
        return "2.0"
