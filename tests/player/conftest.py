"""What the tests of the player share: a browser, streams, and a server that a test can make misbehave."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from browser import Browser, find_chromium
from starlette.applications import Starlette
from streams import Streams

from drmkit.identifiers import KeyId
from drmkit.player import routes
from drmkit.player.sessions import Sessions
from drmkit.player.shaka import find_player_js
from drmkit.sandbox.server import bind_loopback
from drmkit.sandbox.web import LoopbackOnly
from drmkit.secret import Secret
from drmkit.stream.tools import Tools, find_tools
from drmkit.webserver import ServerThread

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def tools() -> Tools:
    """Shaka Packager and ffmpeg."""
    return find_tools()


@pytest.fixture(scope="session")
def streams(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Streams:
    """Packaged streams, each made when it is first asked for."""
    return Streams(tmp_path_factory.mktemp("streams"), tools)


@pytest.fixture(scope="session")
def player_js() -> Path:
    """Shaka Player."""
    found = find_player_js(ROOT)
    if found is None:
        pytest.skip("Shaka Player is missing: npm install shaka-player")
    return found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, started once."""
    executable = find_chromium()
    if executable is None:
        pytest.skip("Chromium is missing: apt-get install chromium")
    pytest.importorskip("playwright")
    with Browser(executable) as running:
        yield running


@dataclass
class Clock:
    """A clock that a test sets."""

    now: float = 1_700_000_000.0

    def __call__(self) -> float:
        """Seconds since the epoch."""
        return self.now


@dataclass
class Site:
    """A player on loopback, and what a test can change about it while it runs."""

    url: str = ""
    keys: dict[KeyId, Secret[bytes]] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)
    notes: list[str] = field(default_factory=list)
    sessions: Sessions | None = None
    player_js: Path | None = None

    def page(self, manifest: str, **query: Any) -> str:
        """The URL of the page for a manifest below the root."""
        more = "".join(f"&{name}={value}" for name, value in query.items())
        return f"{self.url}/player/?manifest=/media/{manifest}{more}"


@pytest.fixture
def serve() -> Iterator[Callable[..., Site]]:
    """Start a player with any options of `routes`; it stops with the test."""
    running: list[ServerThread] = []

    def start(media_root: Path | None = None, player_js: Path | None = None, **options: Any) -> Site:
        site = Site(player_js=player_js)
        site.sessions = Sessions(
            clock=site.clock, token_bytes=secrets.token_bytes, lifetime=600, private=options.pop("private", False)
        )
        mounted = routes(
            find_key=lambda kid: site.keys.get(kid),  # noqa: PLW0108 (a test replaces the keys)
            media_root=media_root,
            player_js=lambda: site.player_js,
            sessions=site.sessions,
            note=lambda _, outcome: site.notes.append(outcome),
            **options,
        )
        listener = bind_loopback("127.0.0.1", 0)
        site.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        app = LoopbackOnly(Starlette(routes=mounted), time.time)
        running.append(ServerThread(app, listener, name="the player").start())
        return site

    yield start
    for server in running:
        server.stop()


@pytest.fixture
def site(serve: Callable[..., Site], streams: Streams, player_js: Path) -> Site:
    """A player for the packaged streams."""
    return serve(streams.root, player_js)
