"""The sandbox as a Central Authentication Service: logins, ticket-granting tickets, service tickets.

The answers follow Apereo CAS's REST protocol, whose shape DRMtoday's `/cas/v1/tickets` has:
https://apereo.github.io/cas/development/protocol/REST-Protocol.html
"""

from __future__ import annotations

import email.utils
import html
import re
from urllib.parse import SplitResult, unquote, urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from drmkit.loopback import is_loopback
from drmkit.sandbox.keymanagement import names_known_call
from drmkit.sandbox.state import SandboxState
from drmkit.sandbox.web import FORM, SKEW, BodyTooLargeError, base_url, error_page, media_type, read_form, text

__all__ = ["CasRole", "names_known_service"]

PATH = "/cas/v1/tickets"
_SERVICE_PATH = re.compile(r"/frontend/cpix/v1/(?P<organization>[^/]+)/ingest/(?P<config>[^/]+)(?:/[^/]*)?")
_UNRECOGNIZED = "Target service/application is unspecified or unrecognized in the request"
_LATER = 60.0


class CasRole:
    """Answer what a ticket client asks.

    Args:
        state: the sandbox's state.
    """

    def __init__(self, state: SandboxState) -> None:
        self._state = state

    def routes(self) -> list[Route]:
        """The URLs of this role."""
        return [
            Route(PATH, self.log_in, methods=["POST"]),
            Route(PATH + "/{login}", self.ticket, methods=["POST", "GET", "DELETE"]),
        ]

    async def log_in(self, request: Request) -> Response:
        """Issue a ticket-granting ticket for a user name and password."""
        response = self._outage() or await self._log_in(request)
        self._state.journal.note("cas", "login", str(response.status_code))
        return self._dated(response)

    async def ticket(self, request: Request) -> Response:
        """Issue a service ticket (POST), or show (GET) or end (DELETE) a login."""
        login = request.path_params["login"]
        if request.method == "POST":
            response = self._outage() or await self._grant(request, login)
            self._state.journal.note("cas", "service ticket", str(response.status_code))
        elif request.method == "DELETE":
            response = text(200, login) if self._state.tickets.log_out(login) else _gone(login)
            self._state.journal.note("cas", "logout", str(response.status_code))
        else:
            response = text(200, login) if self._state.tickets.knows(login) else text(404, "Ticket could not be found")
        return self._dated(response)

    def _dated(self, response: Response) -> Response:
        if self._state.faults.hit("cas-clock-ahead"):
            response.headers["Date"] = email.utils.formatdate(self._state.clock.wall() + SKEW, usegmt=True)
            if "Retry-After" in response.headers:
                later = email.utils.formatdate(self._state.clock.wall() + SKEW + _LATER, usegmt=True)
                response.headers["Retry-After"] = later
        return response

    def _outage(self) -> Response | None:
        if self._state.faults.hit("cas-unavailable"):
            return error_page(503, "Service Unavailable")
        if self._state.faults.hit("cas-rate-limited"):
            later = email.utils.formatdate(self._state.clock.wall() + _LATER, usegmt=True)
            return text(429, "Too many requests", {"Retry-After": later})
        return None

    async def _log_in(self, request: Request) -> Response:
        form = await _form(request)
        if isinstance(form, Response):
            return form
        if not form.get("username") or not form.get("password"):
            return text(400, "Required fields are missing: username and password")
        right = self._state.credentials.accept_login(form["username"], form["password"])
        if not right or self._state.faults.hit("cas-login-refused"):
            return JSONResponse({"authentication_exceptions": ["FailedLoginException"]}, 401)
        return self._created(request, self._state.tickets.log_in())

    def _created(self, request: Request, login: str) -> Response:
        host = "http://cas.example.invalid" if self._state.faults.hit("cas-location-elsewhere") else base_url(request)
        location = f"{host}{PATH}/{login}"
        page = (
            "<!DOCTYPE html>\n<html><head><title>201 Created</title></head><body><h1>TGT Created</h1>"
            f'<form action="{html.escape(location)}" method="POST">'
            '<input type="text" name="service" value=""><input type="submit"></form></body></html>\n'
        )
        headers = {} if self._state.faults.hit("cas-no-location") else {"Location": location}
        return Response(page, 201, headers=headers, media_type="text/html")

    async def _grant(self, request: Request, login: str) -> Response:
        form = await _form(request)
        if isinstance(form, Response):
            return form
        if not self._state.tickets.knows(login):
            return _gone(login)
        service = form.get("service")
        if not service:
            return text(400, _UNRECOGNIZED)
        if not names_known_service(service, self._state, base_url(request)):
            return text(404, _UNRECOGNIZED)
        ticket = self._state.tickets.grant(login, service)
        if ticket is None:
            return _gone(login)
        return self._ticket_answer(ticket)

    def _ticket_answer(self, ticket: str) -> Response:
        if self._state.faults.hit("cas-html-ticket"):
            return error_page(200, "Please sign in")
        if self._state.faults.hit("cas-empty-ticket"):
            return text(200, "")
        return text(200, f"{ticket}\r\n" if self._state.faults.hit("cas-crlf") else ticket)


def names_known_service(service: str, state: SandboxState, base: str) -> bool:
    """Tell whether a service URL names the key server of this sandbox, its organization and its CPIX config.

    The host may be written in any way that means loopback, since auth and key server may be addressed differently;
    the port must be that of `base`, the URL under which the sandbox was just reached. Only what decides whether the
    service is registered is looked at: a query or a last slash makes a ticket that is bound to that very text, and so
    opens nothing, as with the real thing.
    """
    try:
        url = urlsplit(service)
        here = url.scheme == "http" and is_loopback(url.hostname or "") and _port(url) == _port(urlsplit(base))
    except ValueError:
        return False
    match = _SERVICE_PATH.fullmatch(url.path)
    if match is None:
        return here and names_known_call(url.path, state)
    return (
        here
        and unquote(match["organization"]) == state.credentials.organization
        and unquote(match["config"]) == state.credentials.cpix_config
    )


def _port(url: SplitResult) -> int:
    return 80 if url.port is None else url.port


async def _form(request: Request) -> dict[str, str] | Response:
    if media_type(request) != FORM:
        return text(415, f"Unsupported media type: send {FORM}")
    try:
        return await read_form(request)
    except BodyTooLargeError:
        return text(413, "The form is too large")


def _gone(login: str) -> Response:
    return text(404, f"{login} could not be found or is considered invalid")
