"""The ASGI application: every vendor role at its own URLs, behind the guard."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from drmkit import __version__, player
from drmkit.identifiers import KeyId
from drmkit.player.sessions import Sessions
from drmkit.player.shaka import find_player_js
from drmkit.sandbox.admin import admin_routes
from drmkit.sandbox.cas import CasRole
from drmkit.sandbox.dashboard import dashboard_routes
from drmkit.sandbox.keymanagement import KeyManagementRole
from drmkit.sandbox.keyserver import KeyServerRole
from drmkit.sandbox.license import LicenseRole
from drmkit.sandbox.mps import MpsRole
from drmkit.sandbox.mps_tasks import TaskStore
from drmkit.sandbox.speke import SpekeRole
from drmkit.sandbox.state import SandboxState
from drmkit.sandbox.web import LoopbackOnly
from drmkit.sandbox.wire import Recorder, WireFaults
from drmkit.secret import Secret

__all__ = ["make_app"]


def make_app(state: SandboxState, tasks: TaskStore) -> ASGIApp:
    """Assemble the application.

    Args:
        state: the sandbox's state.
        tasks: the tasks of its media processing account.
    """

    async def health(request: Request) -> Response:  # noqa: ARG001 (the signature is Starlette's)
        return JSONResponse({"status": "ok", "name": "drmkit sandbox", "version": __version__})

    routes: list[BaseRoute] = [Route("/health", health, methods=["GET"])]
    for role in (
        CasRole(state),
        KeyServerRole(state),
        KeyManagementRole(state),
        LicenseRole(state),
        SpekeRole(state),
        MpsRole(state, tasks),
    ):
        routes += role.routes()
    routes += [*_player(state), *dashboard_routes()]
    routes += admin_routes(state, tasks, player=_has_player(routes))
    app = WireFaults(Starlette(routes=routes), state)
    return LoopbackOnly(Recorder(app, state), state.clock.wall)


def _has_player(routes: list[BaseRoute]) -> bool:
    return any(getattr(route, "path", "").startswith("/player") for route in routes)


def _player(state: SandboxState) -> list[Route]:
    options = state.options

    def find_key(kid: KeyId) -> Secret[bytes] | None:
        found = state.keys.find(kid)
        return None if found is None else found.key

    return player.routes(
        find_key=find_key,
        media_root=state.media_root,
        player_js=lambda: options.player_js or find_player_js(Path.cwd()),
        sessions=Sessions(clock=state.clock.now, token_bytes=options.token_bytes, lifetime=options.session_lifetime),
        origins=options.license_origins,
        note=lambda what, outcome: state.journal.note("license", what, outcome),
    )
