"""The ASGI application: every vendor role at its own URLs, behind the guard."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from drmkit import __version__
from drmkit.sandbox.cas import CasRole
from drmkit.sandbox.keyserver import KeyServerRole
from drmkit.sandbox.mps import MpsRole
from drmkit.sandbox.mps_tasks import TaskStore
from drmkit.sandbox.speke import SpekeRole
from drmkit.sandbox.state import SandboxState
from drmkit.sandbox.web import LoopbackOnly

__all__ = ["make_app"]


def make_app(state: SandboxState, tasks: TaskStore) -> ASGIApp:
    """Assemble the application.

    Args:
        state: the sandbox's state.
        tasks: the tasks of its media processing account.
    """

    async def health(request: Request) -> Response:  # noqa: ARG001 (the signature is Starlette's)
        return JSONResponse({"status": "ok", "name": "drmkit sandbox", "version": __version__})

    routes = [Route("/health", health, methods=["GET"])]
    for role in (CasRole(state), KeyServerRole(state), SpekeRole(state), MpsRole(state, tasks)):
        routes += role.routes()
    return LoopbackOnly(Starlette(routes=routes), state.clock.wall)
