"""The sandbox's page for people: plain HTML, CSS and JavaScript, under a strict content security policy.

The files hold no secret and no state: the page asks the admin API, with the token that the sandbox printed.
"""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from drmkit.webpage import page_headers

__all__ = ["dashboard_file", "dashboard_routes"]

_FOLDER = Path(__file__).parent
_FILES = {
    "index.html": "text/html",
    "dashboard.css": "text/css",
    "api.js": "text/javascript",
    "dom.js": "text/javascript",
    "main.js": "text/javascript",
    "panels.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
_POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
)
_HEADERS = page_headers("; ".join(_POLICY))


def dashboard_file(name: str) -> Response:
    """Answer with one of the dashboard's files, under its content security policy."""
    return Response((_FOLDER / name).read_bytes(), media_type=_FILES[name], headers=_HEADERS)


def dashboard_routes() -> list[BaseRoute]:
    """The URLs of the files that the page loads."""

    async def file(request: Request) -> Response:
        return dashboard_file(request.url.path.rpartition("/")[2])

    return [Route(f"/dashboard/{name}", file, methods=["GET"]) for name in _FILES if name != "index.html"]
