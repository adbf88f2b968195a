"""The player page: its own files and nothing from elsewhere, under a strict content security policy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response

from drmkit.player.sessions import Sessions
from drmkit.player.shaka import INSTALL
from drmkit.webpage import page_headers

__all__ = ["PlayerPage"]

_FOLDER = Path(__file__).parent / "page"
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_ASSETS = frozenset(path.name for path in _FOLDER.iterdir() if path.suffix in _TYPES)
_SESSION = 'data-session=""'
# A person may play any stream with any license server, so the page connects to where they say; all else is its own.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob: http: https:"
    "; connect-src 'self' http: https:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = page_headers(_POLICY)


class PlayerPage:
    """The endpoints of the page.

    Args:
        locate: returns Shaka Player's file, or None; asked each time, so that it can be installed meanwhile.
        sessions: gives the page a session, unless they are private.
    """

    def __init__(self, locate: Callable[[], Path | None], sessions: Sessions | None) -> None:
        self._locate = locate
        self._sessions = sessions

    async def index(self, request: Request) -> Response:  # noqa: ARG002 (the signature is Starlette's)
        """Answer with the page; the session stands in it, where pages of other origins cannot read it."""
        text = (_FOLDER / "index.html").read_text(encoding="utf-8")
        if self._sessions is not None and not self._sessions.private:
            text = text.replace(_SESSION, f'data-session="{self._sessions.issue().reveal()}"')
        return Response(text, media_type="text/html", headers=_HEADERS)

    async def without_slash(self, request: Request) -> Response:
        """Send a browser from `/player` to `/player/`."""
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"/player/{query}", 307)

    async def asset(self, request: Request) -> Response:
        """Answer with a file of the page's own."""
        name = request.path_params["name"]
        if name not in _ASSETS:
            return PlainTextResponse("the player has no such file\n", 404, headers=_HEADERS)
        return FileResponse(_FOLDER / name, headers=_HEADERS, media_type=_TYPES[Path(name).suffix])

    async def shaka(self, request: Request) -> Response:  # noqa: ARG002 (the signature is Starlette's)
        """Answer with Shaka Player, or say how to install it."""
        path = self._locate()
        if path is None or not path.is_file():
            return PlainTextResponse(f"Shaka Player is missing: {INSTALL}\n", 404, headers=_HEADERS)
        return FileResponse(path, headers=_HEADERS, media_type=_TYPES[".js"])
