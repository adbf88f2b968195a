"""What does not play fails with what a person should see: wrong key, missing key, expired session, and the rest."""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from browser import Browser, Page
from streams import Streams

from drmkit.secret import Secret

OTHER = Secret(bytes(range(16)))


def fail(page: Page) -> dict[str, Any]:
    """Wait for the failure; nothing but it is wrong with the page."""
    told = page.until_failed()
    assert page.complaints == []
    assert page.foreign == []
    return told


@pytest.mark.parametrize("manifest", ["dash", "hls"])
@pytest.mark.parametrize("track", ["video-720p", "audio-2ch"])
def test_a_wrong_key_is_said_to_be_wrong(
    site: Any, browser: Browser, streams: Streams, manifest: str, track: str
) -> None:
    """A key that the license server gives and that decrypts to noise: the key is wrong, for picture and sound alike."""
    stream = streams.get("cenc" if manifest == "dash" else "cbcs", each=True)
    site.keys = stream.keys | {stream.by_track[track]: OTHER}
    told = browser.visit(site.page(getattr(stream, manifest), height=720), fail)
    assert told["title"] == "The key is wrong"
    assert "3016" in told["code"]
    assert "not the one that the stream was encrypted with" in told["shown"]
    assert set(told["given"]) == {kid.hex for kid in stream.keys}
    assert "no key" not in told["table"]


@pytest.mark.parametrize("manifest", ["dash", "hls"])
def test_missing_keys_are_said_to_be_missing(site: Any, browser: Browser, streams: Streams, manifest: str) -> None:
    """A license server that knows none of the keys says so, with the key ID, and the page repeats it."""
    stream = streams.get("cenc", each=False)
    told = browser.visit(site.page(getattr(stream, manifest)), fail)
    assert told["title"] == "The key is missing"
    assert f"there is no key for {next(iter(stream.keys))}" in told["text"]
    assert "HTTP 404 unknown-key" in told["code"]
    assert "no key" in told["table"]


def test_a_license_without_the_sounds_key_plays_nothing(site: Any, browser: Browser, streams: Streams) -> None:
    """Every variant needs the sound: without its key the license opens nothing, and the key in the table is named."""
    stream = streams.get("cbcs", each=True)
    sound = stream.by_track["audio-2ch"]
    site.keys = {kid: key for kid, key in stream.keys.items() if kid != sound}
    told = browser.visit(site.page(stream.dash), fail)
    assert told["title"] == "The key is missing"
    assert "4012" in told["code"]


def test_a_missing_key_of_one_rendition_leaves_the_others(site: Any, browser: Browser, streams: Streams) -> None:
    """Without the key of 720p, 180p plays, and the table tells which key is not there."""
    stream = streams.get("cenc", each=True)
    missing = stream.by_track["video-720p"]
    site.keys = {kid: key for kid, key in stream.keys.items() if kid != missing}

    def look(page: Page) -> tuple[dict[str, Any], str]:
        return page.until_moving(), page.raw.inner_text("#keys")

    state, table = browser.visit(site.page(stream.dash), look)
    assert state["variant"]["height"] == 180
    assert state["variants"] == [180]
    row = next(line for line in table.splitlines() if missing.uuid in line)
    assert "no key" in row


def test_an_expired_session_asks_for_a_reload(site: Any, browser: Browser, streams: Streams) -> None:
    """When the page's session has ended, it says so; a reload gets a new one, and the stream plays."""
    stream = streams.get("cenc", each=False)
    site.keys = stream.keys

    def expire_and_reload(page: Page) -> dict[str, Any]:
        site.clock.now += 601
        page.raw.fill("#manifest", f"/media/{stream.dash}")
        page.raw.click("#play")
        told = fail(page)
        assert told["title"] == "The session has expired"
        assert "Reload the page" in told["advice"]
        page.raw.goto(site.page(stream.dash))
        return page.until_moving()

    state = browser.visit(f"{site.url}/player/", expire_and_reload)
    assert state["keys"] == {kid.hex: "usable" for kid in stream.keys}


def test_a_license_server_that_is_not_there(site: Any, browser: Browser, streams: Streams) -> None:
    """A license URL where nobody answers is told apart from a refusal."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}/license"
        stream = streams.get("cenc", each=False)
        told = browser.visit(site.page(stream.dash, license=nobody, system="clearkey"), fail)
    assert told["title"] == "The license server does not answer"
    assert "CORS" in told["text"]


def test_a_license_server_of_another_origin_refuses(
    site: Any, serve: Callable[..., Any], browser: Browser, streams: Streams
) -> None:
    """Licenses hold keys, so a page of another origin gets none, unless the server was told to trust it."""
    stream = streams.get("cenc", each=False)
    closed, opened = serve(), serve(origins=(site.url,))
    closed.keys = opened.keys = stream.keys
    address = f"{closed.url}/license/clearkey"
    told = browser.visit(site.page(stream.dash, license=address, system="clearkey"), fail)
    assert told["title"] == "The license server does not answer"
    assert closed.notes == ["refused: another origin"]
    address = f"{opened.url}/license/clearkey"
    browser.visit(site.page(stream.dash, license=address, system="clearkey"), Page.until_moving)
    assert opened.notes == ["1 of 1 key"]


@pytest.mark.parametrize(
    ("system", "words"), [("widevine", "Widevine is in Google Chrome"), ("playready", "Edge"), ("fairplay", "Safari")]
)
def test_a_browser_without_a_cdm_says_where_there_is_one(
    site: Any, browser: Browser, streams: Streams, system: str, words: str
) -> None:
    """Chromium has no vendor's module: the page says so before it asks anybody for a license."""
    told = browser.visit(site.page(streams.get("cenc").dash, license="https://lic.example/", system=system), fail)
    assert told["title"].startswith("This browser has no")
    assert words in told["advice"]


def test_a_vendors_license_server_is_not_asked_with_clearkey(site: Any, browser: Browser, streams: Streams) -> None:
    """Chosen automatically, a license server elsewhere means the system that the stream is signaled for."""
    told = browser.visit(site.page(streams.get("cenc").dash, license="https://lic.example/"), fail)
    assert told["title"] == "This browser has no Widevine"
    assert "signaled for Widevine" in told["text"]


def test_no_license_url(site: Any, browser: Browser, streams: Streams) -> None:
    """An encrypted stream without a license server cannot play, and the page asks for the URL."""

    def without(page: Page) -> dict[str, Any]:
        page.raw.fill("#license", "")
        page.raw.fill("#manifest", f"/media/{streams.get('cenc', each=False).dash}")
        page.raw.click("#play")
        return fail(page)

    told = browser.visit(f"{site.url}/player/", without)
    assert (told["title"], told["advice"]) == ("No license server is set", "Enter a license URL.")


def test_a_manifest_that_is_not_there(site: Any, browser: Browser) -> None:
    """The address that does not answer is named, without its query, which can hold a token."""
    told = browser.visit(site.page("nothing.mpd%3Ftoken%3DcAnArY"), fail)
    assert told["title"] == "The manifest is not there"
    assert told["text"] == "/media/nothing.mpd answers HTTP 404."
    assert "cAnArY" not in told["shown"]


@pytest.mark.parametrize("protocol", ["dash", "hls"])
@pytest.mark.parametrize("scheme", [None, "cbcs"])
def test_a_codec_that_the_browser_lacks(
    site: Any, browser: Browser, streams: Streams, scheme: Any, protocol: str
) -> None:
    """HEVC, which Chromium does not have, is said to be the browser's lack, also where it is asked for with a DRM."""
    made = streams.get(scheme)
    site.keys = made.keys
    copy = streams.root / f"hevc-{scheme}"
    shutil.copytree(made.folder, copy, dirs_exist_ok=True)
    manifest = copy / Path(getattr(made, protocol)).name
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(re.sub(r"avc1\.\w+", "hvc1.1.6.L93.B0", text), encoding="utf-8")
    told = browser.visit(site.page(f"{copy.name}/{manifest.name}"), fail)
    assert told["title"] == "This browser cannot decode the stream"
    assert "HEVC" in told["advice"]


def test_a_misleading_identity_tag_is_named(site: Any, browser: Browser, streams: Streams) -> None:
    """A key tag of format identity whose URI is the key ID makes players decrypt to noise: the page warns of it."""
    stream = streams.get("cbcs", each=False)
    site.keys = stream.keys
    copy = streams.root / "identity"
    shutil.copytree(stream.folder, copy, dirs_exist_ok=True)
    kid = next(iter(stream.keys))
    line = f'#EXT-X-KEY:METHOD=SAMPLE-AES,URI="data:text/plain;base64,{kid.base64}",KEYFORMAT="identity"\n'
    for playlist in copy.glob("*.m3u8"):
        text = playlist.read_text(encoding="utf-8")
        playlist.write_text(text.replace("#EXT-X-KEY:", f"{line}#EXT-X-KEY:", 1), encoding="utf-8")

    def look(page: Page) -> tuple[str, str]:
        page.raw.wait_for_selector("#notes", state="visible")
        code = (
            "(context) => import('/player/errors.js').then((m) => m.explain({code: 3016, category: 3}, context).title)"
        )
        return page.raw.inner_text("#notes"), page.raw.evaluate(code, {"encrypted": True, "identity": True})

    note, title = browser.visit(site.page("identity/master.m3u8"), look)
    assert "key tag of format identity whose URI is the key ID" in note
    assert title == "The playlist misleads the player"


@pytest.mark.parametrize("container", ["ts", "mp4"])
def test_a_wrong_aes128_key(site: Any, browser: Browser, streams: Streams, container: Any) -> None:
    """A key file with another key: the key is wrong, not the network."""
    folder, _, playlist = streams.aes128(container).partition("/")
    copy = streams.root / f"{folder}-wrong"
    shutil.copytree(streams.root / folder, copy, dirs_exist_ok=True)
    (copy / "enc.key").write_bytes(OTHER.reveal())
    told = browser.visit(site.page(f"{copy.name}/{playlist}"), fail)
    assert told["title"] == "The key is wrong"
    assert "AES-128" in told["text"]


def test_shaka_player_is_missing_and_comes(site: Any, browser: Browser, streams: Streams, player_js: Path) -> None:
    """Without Shaka Player the page says how to install it; once it is there, a reload plays."""
    stream = streams.get(None)
    site.player_js = None

    def install_and_reload(page: Page) -> dict[str, Any]:
        told = fail(page)
        assert told["title"] == "Shaka Player is missing"
        assert "npm install shaka-player" in told["advice"]
        site.player_js = player_js
        page.raw.reload()
        return page.until_moving()

    browser.visit(site.page(stream.dash), install_and_reload)


def test_another_script_is_not_taken_for_shaka_player(site: Any, browser: Browser, tmp_path: Path) -> None:
    """A file that defines no player is named as what is wrong."""
    site.player_js = tmp_path / "other.js"
    site.player_js.write_text("globalThis.other = 1;", encoding="utf-8")
    told = browser.visit(site.page("x.mpd"), fail)
    assert told["title"] == "The file is not Shaka Player"
