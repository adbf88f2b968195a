"""Real streams in a real browser: the picture advances, equals that of the clear stream, and sound is decoded."""

from __future__ import annotations

from typing import Any

import pytest
from browser import Browser, Page
from streams import Streams

from drmkit.identifiers import DrmSystem

MOMENT = 1.5


def play(page: Page, moment: float = MOMENT) -> tuple[dict[str, Any], bytes]:
    """Play a while; return the state and the picture at a fixed time."""
    state = page.until_moving()
    picture = page.picture(moment)
    assert page.complaints == []
    assert page.foreign == []
    return state, picture


@pytest.fixture(scope="session")
def clear_picture(streams: Streams) -> dict[str, bytes]:
    """The picture of the clear stream; filled by whoever needs it first."""
    return {}


@pytest.fixture
def clear(site: Any, browser: Browser, streams: Streams, clear_picture: dict[str, bytes]) -> bytes:
    """The picture that the clear stream shows."""
    if not clear_picture:
        _, clear_picture["dash"] = browser.visit(site.page(streams.get(None).dash, height=720), play)
    return clear_picture["dash"]


@pytest.mark.parametrize("manifest", ["dash", "hls"])
@pytest.mark.parametrize("scheme", ["cenc", "cbcs"])
@pytest.mark.parametrize("each", [False, True], ids=["one key", "a key per track"])
def test_encrypted_streams_play(
    site: Any, browser: Browser, streams: Streams, clear: bytes, manifest: str, scheme: Any, each: bool
) -> None:
    """DASH and HLS, cenc and cbcs, one key and a key per track: all keys are asked for, and the picture is the same."""
    stream = streams.get(scheme, each=each)
    site.keys = stream.keys
    state, picture = browser.visit(site.page(getattr(stream, manifest), height=720), play)
    assert picture == clear
    assert state["type"] == manifest.upper()
    assert state["schemes"] == [scheme]
    assert state["system"] == "org.w3.clearkey"
    assert set(state["asked"]) == {kid.hex for kid in stream.keys}
    assert state["keys"] == {kid.hex: "usable" for kid in stream.keys}
    assert state["variant"]["height"] == 720


@pytest.mark.parametrize("manifest", ["dash", "hls"])
def test_the_browsers_own_license_request_is_answered(
    site: Any, browser: Browser, streams: Streams, clear: bytes, manifest: str
) -> None:
    """With a common PSSH box, DASH asks by EME itself; HLS, whose tags lack it, plays all the same."""
    stream = streams.get("cbcs", each=False, system=DrmSystem.COMMON, layout="file")
    site.keys = stream.keys
    state, picture = browser.visit(site.page(getattr(stream, manifest), height=720), play)
    assert picture == clear
    assert state["asked"] == [kid.hex for kid in stream.keys]
    assert site.notes
    assert set(site.notes) == {"1 of 1 key"}


@pytest.mark.parametrize(("container", "late"), [("mp4", 0), ("ts", 2)])
def test_aes128_plays_without_a_cdm(
    site: Any, browser: Browser, streams: Streams, clear: bytes, container: Any, late: int
) -> None:
    """HLS with AES-128 over whole segments, in both containers: the player decrypts, and no license is asked for."""
    # MPEG-TS has no edit list, so its pictures come two frames later than those of MP4, as many as are reordered.
    moment = MOMENT + late / 25
    state, picture = browser.visit(site.page(streams.aes128(container), height=720), lambda page: play(page, moment))
    assert picture == clear
    assert (state["type"], state["schemes"], state["system"]) == ("HLS", ["aes-128"], None)
    assert site.notes == []


def test_clear_streams_play(site: Any, browser: Browser, streams: Streams, clear: bytes) -> None:
    """The benign twin: a clear HLS stream plays the same picture, and is said to have no encryption."""
    state, picture = browser.visit(site.page(streams.get(None).hls, height=720), play)
    assert picture == clear
    assert (state["schemes"], state["kids"], state["system"]) == ([], [], None)


def test_a_variant_can_be_chosen(site: Any, browser: Browser, streams: Streams, clear: bytes) -> None:
    """The picture of the small rendition, under its own key, is another, so an equal picture means something."""
    stream = streams.get("cenc", each=True)
    site.keys = stream.keys
    state, picture = browser.visit(site.page(stream.dash, height=180), play)
    assert state["variant"]["height"] == 180
    assert picture != clear
