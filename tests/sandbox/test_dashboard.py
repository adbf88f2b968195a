"""The dashboard in a browser: what it shows and hides, what it sets, by mouse and by keyboard, in light and dark."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from browser import Browser, Page, find_chromium
from mps_calls import job, run, speke

from drmkit.sandbox import Rendition, Template
from drmkit.secret import MASK

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
DESKTOP = {"viewport": {"width": 1440, "height": 1000}}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, started once."""
    executable = find_chromium()
    if executable is None:
        pytest.skip("Chromium is missing: apt-get install chromium")
    pytest.importorskip("playwright")
    with Browser(executable) as running:
        yield running


@pytest.fixture
def visit(browser: Browser, account: Any) -> Callable[..., Any]:
    """Open the dashboard with its token, act on it, and find no complaint of the browser and no foreign request."""

    def visitor(act: Callable[[Any], Any], **context: Any) -> Any:
        def acted(page: Page) -> Any:
            page.raw.wait_for_selector("#connection[data-state=live]")
            result = act(page.raw)
            assert page.complaints == []
            assert page.foreign == []
            return result

        return browser.visit(account.sandbox.dashboard.reveal(), acted, **context)

    return visitor


def test_without_the_token_it_shows_nothing(browser: Browser, account: Any) -> None:
    """Without a token the page asks for it; a wrong one is refused in words, the right one opens the dashboard."""
    account.key_url("movie")

    def act(page: Page) -> None:
        raw = page.raw
        raw.wait_for_selector("#gate:not([hidden])")
        assert not raw.is_visible("#content")
        assert raw.evaluate("document.activeElement.id") == "token"
        raw.keyboard.type("wrong")
        raw.keyboard.press("Enter")
        raw.wait_for_function("() => document.querySelector('#gate-error').textContent !== ''")
        assert "this is not the token of this sandbox" in raw.inner_text("#gate-error")
        raw.keyboard.type(account.sandbox.admin_token.reveal())
        raw.keyboard.press("Enter")
        raw.wait_for_selector("#tickets-rows .row")
        assert raw.is_hidden("#gate")
        raw.reload()
        raw.wait_for_selector("#tickets-rows .row")
        assert page.complaints == []

    browser.visit(account.sandbox.url, act)


def test_the_token_leaves_the_address(visit: Callable[..., Any], account: Any) -> None:
    """The link's token goes from the address into the tab alone, and no request of the page carries it in a URL."""
    assert visit(lambda page: page.url) == f"{account.sandbox.url}/"
    token = account.sandbox.admin_token.reveal()
    assert not visit(lambda page: token in page.content())


def test_a_sandbox_that_started_anew_asks_again(browser: Browser, make: Callable[..., Any]) -> None:
    """A token of another start is refused, and the page says why instead of failing in silence."""
    account = make()

    def act(page: Page) -> str:
        page.raw.wait_for_selector("#gate:not([hidden])")
        return str(page.raw.inner_text("#gate-error"))

    assert "each start makes a new one" in browser.visit(f"{account.sandbox.url}/#token={'0' * 48}", act)


def test_tickets_and_keys_are_masked_until_asked_for(visit: Callable[..., Any], account: Any) -> None:
    """Ticket, key and exchange are masked; a click shows one of them, another hides it again."""
    url = account.key_url("movie")
    account.client.get(url)
    (key, *_) = account.sandbox._running().state.keys.latest(4)
    ticket = account.sandbox._running().state.tickets.latest(1)[0].value.reveal()
    value = key[0].key.reveal().hex()

    def act(page: Any) -> None:
        row = page.locator("#tickets-rows .row").first
        assert "used 1 time" in row.inner_text()
        group = page.locator("#keys-rows .row")
        assert group.locator("h3").inner_text() == "movie"
        assert "for video above 1920x1080" in group.inner_text()
        request = page.locator("#requests-rows .row").first
        assert f"ticket={MASK}" in request.inner_text()
        request.locator("> button").press("Enter")
        for secret, where, opens in (
            (ticket, row, f"Reveal ticket {account.sandbox._running().state.tickets.latest(1)[0].number}"),
            (value, group, f"Reveal key {key[0].kid}"),
            ("ContentKeyList", request, "Reveal the whole exchange"),
        ):
            assert secret not in page.content()
            where.get_by_role("button", name=opens).click()
            page.wait_for_function("([text]) => document.body.textContent.includes(text)", arg=[secret])
            page.wait_for_timeout(1200)
            assert secret in where.inner_text(), "the next look at the sandbox keeps what is open"
            where.get_by_role("button", name="Hide").first.click()
            page.wait_for_function("([text]) => !document.body.textContent.includes(text)", arg=[secret])

    visit(act)


def test_faults_are_switched_from_the_page(visit: Callable[..., Any], account: Any) -> None:
    """A fault goes on by its switch and off by its button; a profile switches several; all go off at once."""
    faults = account.sandbox.faults

    def act(page: Any) -> None:
        page.click("#catalog > summary")
        page.fill("#faults-filter", "its own key id")
        assert page.locator("#faults-rows .row:visible").count() == 2
        row = page.locator("[data-fault=keyserver-kid-as-key]")
        row.get_by_role("combobox").select_option("3 times")
        row.get_by_role("switch").press("Space")
        page.wait_for_selector("[data-fault=keyserver-kid-as-key] [aria-checked=true]")
        assert [(item.name, item.times) for item in faults.settings] == [("keyserver-kid-as-key", 3)]
        assert faults.hit("keyserver-kid-as-key")
        page.get_by_text("2 more · shown 1 time").wait_for()
        page.get_by_role("button", name="Switch off keyserver-kid-as-key").click()
        page.wait_for_selector("#faults-active .empty")
        assert faults.active == ()
        page.get_by_role("button", name="flaky").click()
        page.wait_for_selector("#faults-active .row")
        assert "mps-internal-error" in faults.active
        page.click("#faults-off")
        page.wait_for_selector("#faults-active .empty")
        assert faults.active == ()

    visit(act)


def test_a_request_shows_as_it_comes_in(visit: Callable[..., Any], account: Any) -> None:
    """A request that comes in while one looks is there with its status and its fault; a filter finds it."""

    def act(page: Any) -> None:
        assert "No request yet" in page.inner_text("#requests-rows")
        with account.sandbox.faults.showing("cas-unavailable"):
            account.client.form(f"{account.sandbox.url}/cas/v1/tickets", {"username": "x"})
        page.wait_for_selector("#requests-rows .row")
        account.client.get(f"{account.sandbox.url}/nothing")
        page.wait_for_selector("#requests-rows .row:nth-child(2)")
        account.client.get(f"{account.sandbox.url}/media/bucket/folder/segment.m4s")
        page.select_option("#requests-role", "media")
        page.get_by_text("/media/…/segment.m4s").wait_for()
        page.select_option("#requests-role", "all but media")
        page.fill("#requests-filter", "503")
        shown = page.inner_text("#requests-rows")
        assert ("cas-unavailable" in shown, "/nothing" in shown, "segment" in shown) == (True, False, False)

    visit(act)


def test_clock_pause_and_reset(visit: Callable[..., Any], account: Any) -> None:
    """The clock goes forward by a button; starting over asks first, and can be left alone."""
    account.key_url("movie")

    def act(page: Any) -> None:
        page.get_by_role("button", name="+1 h").click()
        page.wait_for_selector("#tickets-rows [data-over]")
        assert "expired" in page.inner_text("#tickets-rows")
        assert "(+1 h 0 min)" in page.inner_text("#clock")
        page.get_by_role("button", name="Reset…").click()
        assert page.evaluate("document.activeElement.id") == "confirm-no"
        page.keyboard.press("Escape")
        assert account.sandbox.exchanges() != ()
        page.get_by_role("button", name="Reset…").click()
        page.get_by_role("button", name="Start over").click()
        page.wait_for_selector("#tickets-rows .empty")
        assert account.sandbox.exchanges() == ()
        page.get_by_role("button", name="Pause").click()
        assert page.inner_text("#connection") == "paused"

    visit(act)


def test_a_stopped_sandbox_is_told(visit: Callable[..., Any], account: Any) -> None:
    """Where the sandbox stops, the page says so and keeps what it showed."""
    account.key_url("movie")

    def act(page: Any) -> None:
        page.wait_for_selector("#tickets-rows .row")
        account.sandbox.stop()
        page.wait_for_selector("#connection[data-state=bad]")
        assert page.inner_text("#connection") == "no answer; trying again"
        assert page.locator("#tickets-rows .row").count() == 2

    visit(act)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP])
def test_it_fits_and_can_be_read(visit: Callable[..., Any], account: Any, scheme: str, size: dict[str, Any]) -> None:
    """At phone and desktop width, light and dark, nothing runs out of the page, and text stands out (WCAG 1.4.3)."""
    account.client.get(account.key_url("a-movie-with-quite-a-long-name-that-has-to-fit-somewhere-all-the-same"))
    account.sandbox.faults.switch_on("keyserver-swapped-pssh")

    def act(page: Any) -> tuple[int, list[str]]:
        page.wait_for_selector("#keys-rows .row")
        page.click("#catalog > summary")
        return page.evaluate("document.documentElement.scrollWidth - innerWidth"), page.evaluate(CONTRAST)

    over, faint = visit(act, color_scheme=scheme, **size)
    assert over <= 0
    assert faint == []


CONTRAST = """() => {
  const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const color = getComputedStyle(node).backgroundColor;
      if (!color.endsWith(", 0)")) return numbers(color.startsWith("color(") ? "rgb(128,128,128)" : color);
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const node of document.querySelectorAll("body *")) {
    const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
    if (!own || !node.checkVisibility() || node.closest(".skip, .hidden, option")) continue;
    const [a, b] = [light(numbers(getComputedStyle(node).color)), light(behind(node))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) faint.push(`${node.className}: ${node.textContent.slice(0, 30)}`);
  }
  return faint;
}"""


NAMELESS = """() => [...document.querySelectorAll("button, select, input, a")].filter(
  (node) => !(node.getAttribute("aria-label") || node.textContent.trim() || node.labels?.length)
).map((node) => node.outerHTML)"""


def test_every_control_has_a_name(visit: Callable[..., Any], account: Any) -> None:
    """Each button, field and switch is named for those who do not see the page (WCAG 2.2, 4.1.2)."""
    account.client.get(account.key_url("movie"))

    def act(page: Any) -> list[str]:
        page.wait_for_selector("#keys-rows .row")
        page.click("#catalog > summary")
        found: list[str] = page.evaluate(NAMELESS)
        return found

    assert visit(act) == []


def test_results_can_be_played(browser: Browser, make: Callable[..., Any], tmp_path: Any) -> None:
    """A task that encrypted shows its progress, the tracks of each key, and a link that plays its manifest."""
    account = make(encrypt=True, storage=tmp_path, templates={10: Template(renditions=(Rendition(320, 180, 150_000),))})
    run(account, job(speke(account.key_url("m", **{"x-signaling-alg": "cenc"}), EncryptionMethod="cenc")))

    def act(page: Page) -> tuple[str, str, str]:
        page.raw.wait_for_selector("#tasks-rows .chip[data-kind=good]")
        assert page.complaints == []
        link = page.raw.get_by_role("link", name="Play /out/clip_adaptiveDynamicStreaming_10.m3u8")
        play = link.get_attribute("href") if link.count() else None
        return page.raw.inner_text("#tasks-rows"), page.raw.inner_text("#keys-rows"), str(play)

    tasks, keys, play = browser.visit(account.sandbox.dashboard.reveal(), act)
    assert "widevine · 10" in tasks
    assert "b-1/out/clip_adaptiveDynamicStreaming_10.m3u8" in tasks
    assert "encrypts video 320x180" in keys
    state = json.loads(
        account.client.get(
            f"{account.sandbox.url}/admin/state", Authorization=f"Bearer {account.sandbox.admin_token.reveal()}"
        ).body
    )
    assert str(state["tasks"][0]["subtasks"][0]["play"]) == play


HOSTILE = '"><img src=x onerror="document.title=1"><script>document.title=2</script><b>{{1}}\u202e'


def test_what_others_send_stays_text(visit: Callable[..., Any], account: Any) -> None:
    """Asset, path, header and user name come from outside: the page shows them, and makes nothing of them."""
    url = account.key_url(quote(HOSTILE.replace("/", ""), safe=""))
    assert account.client.get(url).status == 200
    account.client.get(f"{account.sandbox.url}/{quote(HOSTILE)}?q={quote(HOSTILE)}", **{"User-Agent": HOSTILE[:-1]})
    account.client.form(f"{account.sandbox.url}/cas/v1/tickets", {"username": HOSTILE, "password": HOSTILE})

    def act(page: Any) -> None:
        page.wait_for_selector("#requests-rows .row:nth-child(4)")
        for button in page.query_selector_all("#requests-rows button, #keys-rows button, #tickets-rows button"):
            if button.is_visible():
                button.click()
        page.get_by_text("onerror=").first.wait_for()
        assert page.query_selector_all("main img, main script, main b") == []
        assert page.title() not in {"1", "2"}

    visit(act)
