"""The routes of the player, which the sandbox and `drmkit play` both mount."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

from starlette.routing import Route

from drmkit.player.license import ClearKeyServer, FindKey, Note
from drmkit.player.media import MediaFiles
from drmkit.player.page import PlayerPage
from drmkit.player.sessions import Sessions
from drmkit.player.shaka import find_player_js

__all__ = ["routes"]


def routes(
    *,
    find_key: FindKey,
    media_root: Path | None = None,
    public_media: bool = True,
    player_js: Callable[[], Path | None] | None = None,
    sessions: Sessions | None = None,
    origins: Collection[str] = (),
    note: Note | None = None,
) -> list[Route]:
    """Return routes for `/player/`, `/license/clearkey` and, where there is a folder, `/media/`.

    They guard keys against pages of other origins; the server that mounts them must refuse foreign Host headers.

    Args:
        find_key: returns the content key of a key ID, or None.
        media_root: the folder whose media files are served below `/media/`.
        public_media: pages of other origins may read them (CORS).
        player_js: returns Shaka Player's file, or None; by default the nearest `node_modules` above the working folder.
        sessions: who may ask for licenses; None for everybody on this machine.
        origins: origins of other pages that may read licenses, such as `http://localhost:3000`.
        note: is told of every license request and how it ended, without secrets.
    """
    page = PlayerPage(player_js or (lambda: find_player_js(Path.cwd())), sessions)
    server = ClearKeyServer(find_key, sessions=sessions, origins=origins, note=note)
    made = [
        Route("/player", page.without_slash, methods=["GET"]),
        Route("/player/", page.index, methods=["GET"]),
        Route("/player/shaka-player.js", page.shaka, methods=["GET"]),
        Route("/player/{name}", page.asset, methods=["GET"]),
        Route("/license/clearkey", server.license, methods=["POST"]),
        Route("/license/clearkey", server.preflight, methods=["OPTIONS"]),
        Route("/license/session", server.session, methods=["POST"]),
    ]
    if media_root is not None:
        files = MediaFiles(media_root, public=public_media)
        made.append(Route("/media/{path:path}", files.answer, methods=["GET", "HEAD", "OPTIONS"]))
    return made
