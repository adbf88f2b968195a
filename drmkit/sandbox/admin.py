"""The admin API under `/admin/`: look into a sandbox, reveal one secret at a time, set faults and clock, start over.

Every call shows the token that was printed at the start: `Authorization: Bearer TOKEN`. Pages of other origins are
refused even with it. Answers are JSON; a refusal says why in `error`, and what to do in `hint`.
"""

from __future__ import annotations

import hmac
import json
import math
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from drmkit.errors import DrmkitError
from drmkit.identifiers import KeyId
from drmkit.sandbox.admin_view import catalog, exchange_whole, faults_view, state_view
from drmkit.sandbox.faultprofiles import find_profile
from drmkit.sandbox.faults import FaultSetting
from drmkit.sandbox.mps_tasks import TaskStore
from drmkit.sandbox.state import SandboxState
from drmkit.sandbox.web import BodyTooLargeError, media_type, read_body

__all__ = ["admin_routes"]

_LIMIT = 64 * 1024
_FARTHEST = 10 * 366 * 86400.0
_OWN_SITES = {"same-origin", "none"}


class _Refusal(Exception):  # noqa: N818 (it is an answer, not a failure)
    def __init__(self, status: int, error: str, hint: str | None = None) -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.hint = hint


def admin_routes(state: SandboxState, tasks: TaskStore, *, player: bool = False) -> list[Mount]:
    """Return the URLs of the admin API.

    Args:
        state: the sandbox's state.
        tasks: its media tasks.
        player: whether results can be played on this server.
    """
    admin = _Admin(state, tasks, player=player)
    routes = [
        Route("/state", admin.state, methods=["GET"]),
        Route("/faults", admin.catalog, methods=["GET"]),
        Route("/faults", admin.switch_on, methods=["POST"]),
        Route("/faults", admin.switch_all_off, methods=["DELETE"]),
        Route("/faults/{name}", admin.switch_off, methods=["DELETE"]),
        Route("/clock", admin.advance, methods=["POST"]),
        Route("/reset", admin.reset, methods=["POST"]),
        Route("/credentials/reveal", admin.reveal_credentials, methods=["POST"]),
        Route("/tickets/{number:int}/reveal", admin.reveal_ticket, methods=["POST"]),
        Route("/keys/{kid}/reveal", admin.reveal_key, methods=["POST"]),
        Route("/requests/{number:int}/reveal", admin.reveal_request, methods=["POST"]),
    ]
    handlers: dict[Any, Any] = {_Refusal: _refused, DrmkitError: _failed, HTTPException: _unroutable}
    app = Starlette(routes=_merged(routes), exception_handlers=handlers)
    return [Mount("/admin", app=_Guard(app, state))]


class _Guard:
    """Let calls through that show the token and come from no foreign page."""

    def __init__(self, app: ASGIApp, state: SandboxState) -> None:
        self._app = app
        self._token = state.admin_token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(Request(scope))
        await (_answer(refusal) if refusal else self._app)(scope, receive, send)

    def _refusal(self, request: Request) -> _Refusal | None:
        origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site", "none")
        if site not in _OWN_SITES or origin not in {None, f"http://{request.headers.get('host', '')}"}:
            return _Refusal(403, "the admin API answers to no page of another origin")
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return _Refusal(
                401,
                "the admin API needs the token that the sandbox printed at its start",
                "send it as a header: `Authorization: Bearer TOKEN`",
            )
        if not hmac.compare_digest(token.strip().encode(), self._token.reveal().encode()):
            return _Refusal(401, "this is not the token of this sandbox", "each start makes a new one, and prints it")
        return None


class _Admin:
    def __init__(self, state: SandboxState, tasks: TaskStore, *, player: bool) -> None:
        self._state = state
        self._tasks = tasks
        self._player = player

    async def state(self, request: Request) -> Response:  # noqa: ARG002 (the signature is Starlette's)
        return JSONResponse(state_view(self._state, self._tasks, player=self._player))

    async def catalog(self, request: Request) -> Response:  # noqa: ARG002
        return JSONResponse(catalog() | faults_view(self._state))

    async def switch_on(self, request: Request) -> Response:
        body = await _read(request, {"setting", "profile", "name", "times", "probability"})
        if len(body.keys() & {"setting", "profile", "name"}) != 1:
            raise _Refusal(400, "name one thing to switch on: `setting`, `profile` or `name`")
        for setting in _settings(body):
            self._state.faults.switch_on(setting)
        return self._faults()

    async def switch_off(self, request: Request) -> Response:
        self._state.faults.switch_off(request.path_params["name"])
        return self._faults()

    async def switch_all_off(self, request: Request) -> Response:  # noqa: ARG002
        self._state.faults.clear()
        return self._faults()

    async def advance(self, request: Request) -> Response:
        body = await _read(request, {"advance"})
        seconds = _number(body, "advance")
        if not 0 <= seconds <= _FARTHEST:
            raise _Refusal(400, "`advance` is a number of seconds from 0 to ten years", "no clock is set back")
        self._state.clock.advance(seconds)
        self._tasks.wake()
        return JSONResponse({"schema_version": 1, "now": self._state.clock.now(), "advanced": self._state.clock.offset})

    async def reset(self, request: Request) -> Response:  # noqa: ARG002
        self._tasks.clear()
        self._state.reset()
        return JSONResponse({"schema_version": 1, "now": self._state.clock.now()})

    async def reveal_credentials(self, request: Request) -> Response:  # noqa: ARG002
        known = self._state.credentials
        return JSONResponse(
            {"schema_version": 1, "password": known.password.reveal(), "secret_key": known.secret_key.reveal()}
        )

    async def reveal_ticket(self, request: Request) -> Response:
        found = self._state.tickets.find(request.path_params["number"])
        if found is None:
            raise _Refusal(404, "no such ticket is known, or not any more")
        return JSONResponse({"schema_version": 1, "ticket": found.value.reveal(), "service": found.service or None})

    async def reveal_key(self, request: Request) -> Response:
        found = self._state.keys.find(KeyId.from_uuid(request.path_params["kid"]))
        if found is None:
            raise _Refusal(404, "no key was handed out under this key ID")
        return JSONResponse(
            {"schema_version": 1, "kid": found.kid.uuid, "key": found.key.reveal().hex(), "iv": found.iv.hex()}
        )

    async def reveal_request(self, request: Request) -> Response:
        found = self._state.exchanges.find(request.path_params["number"])
        if found is None:
            raise _Refusal(404, "no such request is known, or not any more")
        return JSONResponse(exchange_whole(found))

    def _faults(self) -> Response:
        return JSONResponse({"schema_version": 1, **faults_view(self._state)})


def _merged(routes: list[Route]) -> list[Route]:
    """Give URLs with several methods one route each, so that a wrong method is answered with 405 and all of them."""
    by_path: dict[str, dict[str, Callable[[Request], Awaitable[Response]]]] = {}
    for route in routes:
        for method in (route.methods or set()) - {"HEAD"}:
            by_path.setdefault(route.path, {})[method] = route.endpoint
    return [Route(path, _by_method(found), methods=sorted(found)) for path, found in by_path.items()]


def _by_method(found: dict[str, Callable[[Request], Awaitable[Response]]]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return await found["GET" if request.method == "HEAD" else request.method](request)

    return endpoint


def _settings(body: dict[str, Any]) -> list[FaultSetting]:
    if "profile" in body:
        return list(find_profile(_text(body, "profile")).faults)
    if "setting" in body:
        return [FaultSetting.parse(_text(body, "setting"))]
    times = body.get("times")
    if times is not None and (not isinstance(times, int) or isinstance(times, bool)):
        raise _Refusal(400, "`times` is a whole number, or null for always")
    probability = _number(body, "probability") if body.get("probability") is not None else 1.0
    return [FaultSetting(_text(body, "name"), times=times, probability=probability)]


async def _read(request: Request, names: set[str]) -> dict[str, Any]:
    if media_type(request) != "application/json":
        raise _Refusal(415, "send a JSON object, with Content-Type: application/json")
    try:
        body = json.loads(await read_body(request, _LIMIT))
    except BodyTooLargeError:
        raise _Refusal(413, "the body is larger than 64 KiB") from None
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise _Refusal(400, "the body is not a JSON object")
    unknown = sorted(body.keys() - names)
    if unknown:
        raise _Refusal(400, f"nothing here is called {unknown[0]!r}", f"known: {', '.join(sorted(names))}")
    return body


def _text(body: dict[str, Any], name: str) -> str:
    if not isinstance(body[name], str):
        raise _Refusal(400, f"`{name}` is a text")
    return str(body[name])


def _number(body: dict[str, Any], name: str) -> float:
    value = body.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise _Refusal(400, f"`{name}` is a number")
    return float(value)


def _answer(refusal: _Refusal, headers: dict[str, str] | None = None) -> JSONResponse:
    if refusal.status == 401:  # noqa: PLR2004 (Unauthorized)
        headers = {"WWW-Authenticate": 'Bearer realm="drmkit sandbox"'}
    return JSONResponse({"error": refusal.error, "hint": refusal.hint}, refusal.status, headers=headers)


async def _refused(request: Request, error: _Refusal) -> Response:  # noqa: ARG001
    return _answer(error)


async def _failed(request: Request, error: DrmkitError) -> Response:  # noqa: ARG001
    return _answer(_Refusal(400, error.message, error.hint))


async def _unroutable(request: Request, error: HTTPException) -> Response:
    allowed = (error.headers or {}).get("Allow")
    if allowed:
        takes = ", ".join(sorted(set(allowed.split(", ")) - {"HEAD"}))
        words = f"{request.url.path} takes {takes}, not {request.method}"
        return _answer(_Refusal(error.status_code, words), {"Allow": allowed})
    return _answer(_Refusal(error.status_code, f"the admin API has no {request.url.path}"))
