"""The page itself: nothing from elsewhere, a strict policy, no secret in the address bar or a storage."""

from __future__ import annotations

import http.client
import json
import re
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from browser import Browser, Page
from scripted import Answer, Request, ScriptedServer
from streams import Streams

import drmkit.player

FOLDER = Path(drmkit.player.__file__).parent / "page"


def get(site: Any, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Get a path of the server."""
    parts = urlsplit(site.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def test_the_policy_allows_own_scripts_and_styles_alone(serve: Callable[..., Any]) -> None:
    """No inline script or style, none from elsewhere, no frame around it; connections go where a person says."""
    site = serve()
    for path in ("/player/", "/player/main.js", "/player/player.css", "/player/shaka-player.js", "/player/nothing"):
        _, headers, _ = get(site, path)
        rules = dict(rule.strip().split(" ", 1) for rule in headers["content-security-policy"].split(";"))
        assert rules["default-src"] == "'none'"
        assert rules["script-src"] == rules["style-src"] == "'self'"
        assert rules["frame-ancestors"] == rules["base-uri"] == rules["form-action"] == "'none'"
        assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")


@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()), ids=lambda path: path.name)
def test_the_files_name_nothing_elsewhere(serve: Callable[..., Any], path: Path) -> None:
    """Every file of the page is served with its type, and none of them loads anything from another host."""
    site = serve()
    status, headers, body = get(site, f"/player/{'' if path.name == 'index.html' else path.name}")
    assert status == 200
    kinds = {".js": "text/javascript", ".css": "text/css", ".html": "text/html", ".svg": "image/svg+xml"}
    assert headers["content-type"].startswith(kinds[path.suffix])
    text = body.decode()
    assert not re.search(r"(src|href)=\"(https?:)?//", text)
    assert not re.search(r"(import|url\()\s*[\"']?(https?:)?//", text)
    assert " style=" not in text
    assert not re.search(r"\son[a-z]+=", text)


def test_only_the_pages_files_are_served(serve: Callable[..., Any]) -> None:
    """The folder of the page is no way to other files."""
    site = serve()
    for path in ("/player/index.html", "/player/..%2fapp.py", "/player/%2e%2e/app.py", "/player/.", "/player/x.js"):
        assert get(site, path)[0] == 404
    status, headers, _ = get(site, "/player?manifest=/media/a.mpd")
    assert (status, headers["location"]) == (307, "/player/?manifest=/media/a.mpd")


def test_shaka_player_is_served_from_the_file(serve: Callable[..., Any], tmp_path: Path) -> None:
    """The file that was found, or how to get it; what comes later is seen without a restart."""
    site = serve()
    status, _, body = get(site, "/player/shaka-player.js")
    assert status == 404
    assert b"npm install shaka-player" in body
    site.player_js = tmp_path / "shaka.js"
    assert get(site, "/player/shaka-player.js")[0] == 404
    site.player_js.write_text("1", encoding="utf-8")
    status, headers, body = get(site, "/player/shaka-player.js")
    assert (status, headers["content-type"], body) == (200, "text/javascript; charset=utf-8", b"1")


def test_the_page_has_a_session_unless_it_is_private(serve: Callable[..., Any]) -> None:
    """Whoever loads the page of a sandbox gets a session; a private page comes without, and each load has another."""
    site = serve()
    found = [re.search(rb'data-session="([^"]+)"', get(site, "/player/")[2]) for _ in range(2)]
    first, second = (match[1].decode() for match in found if match)
    assert first != second
    assert site.sessions.check(first) == site.sessions.check(second) == "valid"
    assert b'data-session=""' in get(serve(private=True), "/player/")[2]


def test_a_link_gives_a_private_page_its_session(
    serve: Callable[..., Any], browser: Browser, streams: Streams, player_js: Path
) -> None:
    """A session or a code in the link's fragment leaves the address bar at once, outlives a reload, and plays."""
    stream = streams.get("cenc", each=False)
    site = serve(streams.root, player_js, private=True)
    site.keys = stream.keys

    def play_twice(page: Page) -> list[str]:
        page.until_moving()
        shown = [page.raw.url]
        page.raw.reload()
        page.until_moving()
        shown.append(page.raw.url)
        return shown

    for fragment in (f"#session={site.sessions.issue().reveal()}", f"#code={site.sessions.code().reveal()}"):
        assert browser.visit(site.page(stream.dash) + fragment, play_twice) == [site.page(stream.dash)] * 2
    told = browser.visit(f"{site.page(stream.dash)}#code=used", Page.until_failed)
    assert told["title"] == "This page has no session"


def test_secrets_reach_the_license_server_and_no_other_place(site: Any, browser: Browser, streams: Streams) -> None:
    """A token goes to the license server in its header alone; custom data likewise, where there is no token."""
    asked: list[Request] = []

    def respond(request: Request) -> Answer:
        allow = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*"}
        if request.method == "OPTIONS":
            return Answer(204, headers=allow)
        asked.append(request)
        return Answer(403, b"no", allow)

    def fill(page: Page) -> tuple[dict[str, Any], dict[str, Any], str]:
        page.raw.fill("#manifest", f"/media/{streams.get('cenc', each=False).dash}")
        page.raw.fill("#license", f"{vendor.url}/license")
        page.raw.select_option("#system", "clearkey")
        page.raw.click("#drmtoday summary")
        page.raw.fill("#token", "cAnArY.token")
        page.raw.fill("#merchant", "6f1c1bb8")
        page.raw.fill("#user", "Zoë")
        page.raw.fill("#drm-session", "s 1")
        page.raw.click("#play")
        first = page.until_failed()
        page.raw.fill("#token", "")
        page.raw.click("#more summary")
        page.raw.fill("#headers", "X-Tenant: acme")
        page.raw.click("#play")
        while len(asked) < 2:
            page.raw.wait_for_timeout(50)
        second = page.until_failed()
        kept = page.raw.evaluate(
            "JSON.stringify([location.href, {...localStorage}, {...sessionStorage}, document.cookie, history.state])"
        )
        return first, second, kept

    with ScriptedServer(respond) as vendor:
        first, second, kept = browser.visit(f"{site.url}/player/", fill)
    assert first["title"] == second["title"] == "The license is refused"
    assert (asked[0].headers["x-dt-auth-token"], asked[0].headers.get("x-dt-custom-data")) == ("cAnArY.token", None)
    assert "x-dt-auth-token" not in asked[1].headers
    custom = json.loads(b64decode(asked[1].headers["x-dt-custom-data"]))
    assert custom == {"merchant": "6f1c1bb8", "userId": "Zoë", "sessionId": "s 1"}
    assert asked[1].headers["x-tenant"] == "acme"
    assert "session=" not in asked[0].target
    assert "cAnArY" not in kept + first["shown"] + json.dumps(first)


WRONG = [
    ("manifest", "", "manifest", "Enter the manifest URL"),
    ("manifest", "ftp://x/y.mpd", "manifest", "Enter the manifest URL"),
    ("license", "javascript:alert(1)", "license", "Enter the license URL"),
    ("merchant", "m", "user", "all three"),
    ("token", "two words", "token", "one word"),
    ("headers", "no colon", "headers", "Name: value"),
]


def test_a_wrong_field_is_pointed_at(site: Any, browser: Browser) -> None:
    """The form says what is wrong, marks the field for the eye and the screen reader, and loads nothing."""

    def fill(page: Page, field: str, value: str) -> tuple[str, str, str | None]:
        page.raw.fill("#manifest", "/media/x.mpd")
        before = page.raw.input_value(f"#{field}")
        page.raw.fill(f"#{field}", value)
        page.raw.press("#manifest", "Enter")
        page.raw.wait_for_selector("#form-error", state="visible")
        marked = page.raw.evaluate("document.activeElement.id")
        found = page.raw.inner_text("#form-error"), marked, page.raw.get_attribute(f"#{marked}", "aria-describedby")
        page.raw.fill(f"#{field}", before)
        return found

    def try_all(page: Page) -> tuple[list[tuple[str, str, str | None]], str]:
        page.raw.evaluate("for (const folded of document.querySelectorAll('details')) folded.open = true")
        return [fill(page, field, value) for field, value, _, _ in WRONG], page.state()["phase"]

    found, phase = browser.visit(f"{site.url}/player/", try_all)
    assert [(marked, described) for _, marked, described in found] == [
        (field, "form-error") for _, _, field, _ in WRONG
    ]
    assert [words in told for (told, _, _), (_, _, _, words) in zip(found, WRONG, strict=True)] == [True] * len(WRONG)
    assert phase == "idle"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits(site: Any, browser: Browser, scheme: Any) -> None:
    """Nothing runs over the edge at any width, and every control has a name."""
    widths = [320, 375, 719, 820, 1000, 1280, 1920]

    def look(page: Page) -> tuple[list[int], list[str]]:
        page.raw.wait_for_selector("html[data-phase=failed]", state="attached")
        wide = []
        for width in widths:
            page.raw.set_viewport_size({"width": width, "height": 800})
            wide.append(page.raw.evaluate("document.documentElement.scrollWidth"))
        nameless = """[...document.querySelectorAll('input, select, textarea, button')]
          .filter((item) => !item.labels?.length && !item.textContent.trim()).map((item) => item.id)"""
        return wide, page.raw.evaluate(nameless)

    name = "nothing-with-a-very-long-name-" * 5 + ".mpd"
    assert browser.visit(site.page(name), look, color_scheme=scheme) == (widths, [])


def test_drmtodays_forms_of_licenses(site: Any, browser: Browser) -> None:
    """FairPlay requests are a form field and its answers Base64; Widevine's answer may be JSON around Base64."""
    code = """async () => {
      const {wrapFairPlay, unwrapLicense} = await import("/player/license.js");
      const {text, utf8} = await import("/player/bytes.js");
      return [
        text(wrapFairPlay(new Uint8Array([251, 255, 190]))),
        text(unwrapLicense(utf8(btoa("ckc")), "fairplay")),
        text(unwrapLicense(utf8(JSON.stringify({license: btoa("wv")})), "widevine")),
        text(unwrapLicense(utf8("{broken"), "widevine")),
        text(unwrapLicense(utf8("raw"), "playready")),
      ];
    }"""
    made = browser.visit(f"{site.url}/player/", lambda page: page.raw.evaluate(code))
    assert made == ["spc=%2B%2F%2B%2B", "ckc", "wv", "{broken", "raw"]
