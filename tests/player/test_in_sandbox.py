"""The sandbox plays what its own MPS has encrypted: page, license server, buckets and key store are one."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import Browser, Page

from drmkit import provisioning
from drmkit.cli.main import main
from drmkit.config import load_profile
from drmkit.http import HttpClient
from drmkit.keyserver import account
from drmkit.mps import drm
from drmkit.mps.client import MpsClient
from drmkit.mps.credentials import Credentials
from drmkit.mps.job import Job, StreamingTask
from drmkit.sandbox import Rendition, Sandbox, SandboxOptions, Template

LADDER = (Rendition(640, 360, 400_000), Rendition(320, 180, 150_000))
TEMPLATES = {10: Template(renditions=LADDER), 30: Template("MPEG-DASH", "mp4-byterange", LADDER)}
KEYS: dict[str, Any] = {"resource_id": "movie-1", "key_source": "drmtoday:sandbox", "preset": "preset1"}


@pytest.fixture(scope="module")
def sandbox(player_js: Path) -> Iterator[Sandbox]:
    """A sandbox that encrypts, whose playback sessions last a minute of its clock."""
    with Sandbox(
        SandboxOptions(encrypt=True, templates=TEMPLATES, player_js=player_js, session_lifetime=60)
    ) as running:
        yield running


@pytest.fixture(scope="module")
def manifests(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The URLs of what one job left in its bucket: HLS for all systems in cbcs, DASH for two of them in cenc."""
    job = Job.build(
        input="https://media.example.com/movie.mp4",
        output="cos://target-1250000000/ap-singapore/out/",
        tasks=[
            StreamingTask(10, drm.WidevinePlayReadyFairPlay(iv=secrets.token_bytes(16), **KEYS)),
            StreamingTask(30, drm.WidevinePlayReady(method="cenc", iv=secrets.token_bytes(16), **KEYS)),
        ],
    )
    environ = {"HOME": str(tmp_path_factory.mktemp("home")), **sandbox.environment()}
    profile = load_profile(environ=environ)
    with HttpClient() as http:
        known = Credentials(profile.require("mps.secret_id"), profile.secret("mps.secret_key"))
        client = MpsClient(sandbox.url, known, http=http)
        outcome = provisioning.run(job, client=client, mint=lambda _: account.mint(profile))
    found = sandbox.outputs(outcome.submissions[0].task_id)
    return [sandbox.media_url(output) for output in found if output is not None]


@pytest.mark.parametrize(("index", "kind", "scheme"), [(0, "HLS", "cbcs"), (1, "DASH", "cenc")])
def test_what_mps_encrypted_plays_with_the_stored_keys(
    sandbox: Sandbox,
    browser: Browser,
    manifests: list[str],
    capsys: pytest.CaptureFixture[str],
    index: int,
    kind: str,
    scheme: str,
) -> None:
    """`drmkit play URL` opens the sandbox's own page, which plays a key per track from the key store."""
    assert main(("play", manifests[index], "--no-open"), environ={}) == 0
    state = browser.visit(capsys.readouterr().out.strip(), Page.until_moving)
    assert (state["type"], state["schemes"]) == (kind, [scheme])
    assert {"PlayReady", "Widevine"} <= set(state["systems"])
    assert len(state["keys"]) == 3
    assert set(state["keys"].values()) == {"usable"}
    assert sandbox.events("license")[-1].outcome == "3 of 3 keys"


def test_a_session_ends_with_the_sandboxs_clock(sandbox: Sandbox, browser: Browser, manifests: list[str]) -> None:
    """The clock that lets tickets expire lets playback sessions expire too; nobody has to wait for it."""

    def outlive(page: Page) -> dict[str, Any]:
        page.until_moving()
        sandbox.advance(61)
        page.raw.click("#play")
        return page.until_failed()

    told = browser.visit(f"{sandbox.url}/player/?manifest={manifests[0]}", outlive)
    assert told["title"] == "The session has expired"
    assert sandbox.events("license")[-1].outcome == "refused: session expired"
