"""What every role of the sandbox needs of HTTP: capped bodies, forms, and the guard against foreign Host headers."""

from __future__ import annotations

import email.utils
import re
from collections.abc import Callable
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from drmkit.loopback import is_loopback
from drmkit.requestbody import BodyTooLargeError, read_body

__all__ = [
    "FORM",
    "SKEW",
    "BodyTooLargeError",
    "LoopbackOnly",
    "base_url",
    "error_page",
    "media_type",
    "read_body",
    "read_form",
    "request_path",
    "text",
    "too_many",
]

FORM = "application/x-www-form-urlencoded"
SKEW = 3600.0
_FORM_LIMIT = 64 * 1024
_AUTHORITY = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^:\[\]/@?#\s]+)(?::(?P<port>[0-9]{1,5}))?")


def text(status: int, content: str, headers: dict[str, str] | None = None) -> Response:
    """Answer with plain text."""
    return PlainTextResponse(content, status, headers=headers)


def error_page(status: int, title: str) -> Response:
    """Answer as a proxy in front of a vendor does: with an HTML page."""
    page = f"<!DOCTYPE html>\n<html><head><title>{status} {title}</title></head><body><h1>{title}</h1></body></html>\n"
    return Response(page, status, media_type="text/html")


def too_many() -> Response:
    """Answer 429 and ask to wait for half a minute."""
    return text(429, "Too many requests", {"Retry-After": "30"})


def media_type(request: Request) -> str:
    """The request's media type in lower case, without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_form(request: Request) -> dict[str, str]:
    """Read a form-encoded body: the first value of each field.

    Raises:
        BodyTooLargeError: it has more than 64 KiB.
    """
    body = await read_body(request, _FORM_LIMIT)
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=None)
    return {name: values[0] for name, values in fields.items()}


def base_url(request: Request) -> str:
    """The URL of the server as this request addressed it, such as `http://127.0.0.1:8080`."""
    return f"http://{_authority(request.headers.get('host', ''))}"


def request_path(request: Request) -> str:
    """The path of the request as it was sent, with nothing decoded."""
    raw: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    return raw.partition(b"?")[0].decode("ascii", "replace")


def _authority(host: str) -> str:
    # Tencent's SDKs, given an endpoint with a scheme, send (and sign) the scheme in the Host header too.
    return host.strip().removeprefix("http://")


class LoopbackOnly:
    """Refuse requests that were addressed to any host name but this machine's loopback (DNS rebinding).

    Args:
        app: what answers the others.
        clock: seconds since the epoch, for the Date of every answer.
    """

    def __init__(self, app: ASGIApp, clock: Callable[[], float]) -> None:
        self._app = app
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection event."""
        if scope["type"] != "http":
            return
        match = _AUTHORITY.fullmatch(_authority(Headers(scope=scope).get("host", "")))
        send = self._with_headers(send)
        if match and is_loopback(match["host"]):
            await self._app(scope, receive, send)
            return
        refusal = JSONResponse({"error": "the sandbox answers to loopback host names only"}, 421)
        await refusal(scope, receive, send)

    def _with_headers(self, send: Send) -> Send:
        async def wrapped(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message.setdefault("headers", []))
                headers.setdefault("Cache-Control", "no-store")
                headers.setdefault("Date", email.utils.formatdate(self._clock(), usegmt=True))
            await send(message)

        return wrapped
