"""The sandbox plays what was packaged with its keys: page, license server and key store are one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

from browser import Browser, Page
from streams import Streams

from drmkit import cpix
from drmkit.config import load_profile
from drmkit.keyserver import account
from drmkit.sandbox import Sandbox, SandboxOptions
from drmkit.stream.model import OutputFormat
from drmkit.stream.packager import package
from drmkit.stream.tools import Tools


def document(sandbox: Sandbox, home: Path) -> cpix.Document:
    """What the sandbox's key server answers for a fresh ticket."""
    profile = load_profile(environ={"HOME": str(home), **sandbox.environment()})
    with urlopen(f"{account.mint(profile).reveal()}&x-signaling-alg=cbcs") as answer:
        return cpix.parse(answer.read())


def test_a_stream_with_the_sandboxs_keys_plays_until_the_session_ends(
    serve: Callable[..., Any], browser: Browser, streams: Streams, tools: Tools, player_js: Path, tmp_path: Path
) -> None:
    """Keys from the key server, a stream encrypted with them, licenses from the key store; then the clock goes on."""
    with Sandbox(SandboxOptions(player_js=player_js, session_lifetime=60)) as sandbox:
        # The boxes of each key differ, so one track: the packager writes a manifest for one run alone.
        tracks = streams.clip[1:2]
        made = package(
            document(sandbox, tmp_path), tracks, tmp_path / "out", tools=tools, form=OutputFormat("segments", 2)
        )
        assert made.mpd is not None
        files = serve(tmp_path / "out")
        query = urlencode({"manifest": f"{files.url}/media/{made.mpd.name}"})

        def play_until_the_end_of_the_session(page: Page) -> tuple[dict[str, Any], dict[str, Any]]:
            state = page.until(lambda state: state["phase"] == "playing" and state["position"] > 0.5)
            sandbox.advance(61)
            page.raw.click("#play")
            return state, page.until_failed()

        state, told = browser.visit(f"{sandbox.url}/player/?{query}", play_until_the_end_of_the_session)
        outcomes = [event.outcome for event in sandbox.events("license")]
    kid = made.tracks[0].planned.use
    assert kid is not None
    assert state["keys"] == {kid.kid.hex: "usable"}
    assert state["systems"] == ["PlayReady", "Widevine"]
    assert told["title"] == "The session has expired"
    assert outcomes == ["1 of 1 key", "refused: session expired"]
