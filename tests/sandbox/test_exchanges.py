"""What is kept of requests: masked to look at, whole in memory, and never too much."""

from __future__ import annotations

from typing import Any

import pytest

from drmkit.sandbox.exchanges import CURRENT, ExchangeLog, masked, note_dropped, note_fault, note_outcome, role_of
from drmkit.secret import MASK


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("/", "/"),
        ("/frontend/cpix/v1/o/ingest/c/movie?ticket=ST-1-x", f"/frontend/cpix/v1/o/ingest/c/movie?ticket={MASK}"),
        ("/a?x-signaling-alg=cenc&ticket=ST-1", f"/a?x-signaling-alg=cenc&ticket={MASK}"),
        ("/a?X-Signaling-Alg=cbcs", "/a?X-Signaling-Alg=cbcs"),
        ("/a?ticket", "/a?ticket"),
        ("/a?ticket=", "/a?ticket="),
        ("/a?&=x&b=c=d", f"/a?&={MASK}&b={MASK}"),
        ("/cas/v1/tickets/TGT-12-0123-sandbox", f"/cas/v1/tickets/TGT-{MASK}"),
        ("/cas/v1/tickets/%54GT-12-0123-sandbox", f"/cas/v1/tickets/TGT-{MASK}"),
        ("/frontend/cpix/v1/o/ingest/c/ST-1-x", f"/frontend/cpix/v1/o/ingest/c/ST-{MASK}"),
        ("/frontend/cpix/v1/o/ingest/c/STREAM-1", "/frontend/cpix/v1/o/ingest/c/STREAM-1"),
    ],
)
def test_targets_are_masked(target: str, shown: str) -> None:
    """Tickets in paths and all query values but harmless ones are masked; names, assets and paths are shown."""
    assert masked(target) == shown


@pytest.mark.parametrize(
    ("method", "path", "action", "role"),
    [
        ("GET", "/", False, ""),
        ("HEAD", "/", False, ""),
        ("GET", "/", True, "mps"),
        ("POST", "/", False, "mps"),
        ("POST", "/cas/v1/tickets", False, "cas"),
        ("GET", "/frontend/cpix/v1/o/ingest/c", False, "keyserver"),
        ("POST", "/frontend/api/keys/v3/ingest/o", False, "keyserver"),
        ("POST", "/license/drmtoday", False, "license"),
        ("POST", "/speke/v2.0/copyProtection", False, "speke"),
        ("POST", "/license/clearkey", False, "license"),
        ("GET", "/media/bucket/a.mpd", False, "media"),
        ("GET", "/admin/state", False, ""),
        ("GET", "/player/", False, ""),
        ("GET", "/casino", False, "other"),
    ],
)
def test_requests_belong_to_roles(method: str, path: str, action: bool, role: str) -> None:
    """The URL tells the role; the pages for people have none and are not recorded."""
    assert role_of(method, path, has_action=action) == role


def log() -> ExchangeLog:
    """A log whose clock stands still and whose timer ticks by a second."""
    ticks = iter(range(10_000))
    return ExchangeLog(lambda: 1000.0, lambda: float(next(ticks)))


def test_a_busy_role_pushes_out_no_other() -> None:
    """A hundred exchanges are kept of each role; the newest come first, and numbers go on."""
    exchanges = log()
    exchanges.begin("cas", "POST", "/cas/v1/tickets", [])
    for _ in range(150):
        exchanges.begin("media", "GET", "/media/a/b", [])
    assert [item.number for item in exchanges.latest(3)] == [151, 150, 149, 1]
    assert [item.number for item in exchanges.latest(2, "media")] == [151, 150]
    assert len(exchanges.latest(1000)) == 101
    assert [item.role for item in exchanges.latest(10, "cas")] == ["cas"]
    assert exchanges.find(2) is None
    assert exchanges.find(151) is not None
    assert exchanges.count == 151
    exchanges.clear()
    assert (exchanges.latest(10), exchanges.count) == ([], 151)
    assert exchanges.begin("cas", "POST", "/", []).number == 152


def test_bodies_are_kept_up_to_a_limit() -> None:
    """Of each body the first 32 KiB are kept, of media files nothing; the sizes are those of the whole."""
    exchanges = log()
    cas, media = exchanges.begin("cas", "POST", "/", []), exchanges.begin("media", "GET", "/", [])
    for exchange in (cas, media):
        for _ in range(5):
            exchange.sent(b"x" * 10_000)
            exchange.answered(b"y" * 10_000)
    assert (len(cas.request_body), len(cas.response_body), cas.request_size, cas.response_size) == (
        *(32768, 32768),
        *(50_000, 50_000),
    )
    assert (bytes(media.response_body), media.response_size) == (b"", 50_000)


def test_the_first_end_counts() -> None:
    """Once an answer is complete, what happens to the connection later changes nothing."""
    exchanges = log()
    done, broken = exchanges.begin("cas", "POST", "/", []), exchanges.begin("cas", "POST", "/", [])
    assert done.seconds is None
    exchanges.finish(done, complete=True)
    exchanges.finish(done, complete=False)
    exchanges.finish(broken, complete=False)
    assert (done.seconds, done.dropped) == (2.0, False)
    assert broken.dropped


def test_notes_go_to_the_exchange_that_goes_on() -> None:
    """What roles and faults say is written into the current exchange, and nowhere if there is none."""
    exchange = log().begin("cas", "POST", "/", [])
    token = CURRENT.set(exchange)
    note_fault("cas-crlf")
    note_outcome("login", "201")
    note_dropped()
    CURRENT.reset(token)
    note_fault("cas-slow")
    note_outcome("nothing", "500")
    note_dropped()
    assert (exchange.faults, exchange.what, exchange.outcome, exchange.dropped) == (["cas-crlf"], "login", "201", True)


def test_the_repr_holds_no_secret() -> None:
    """An exchange that is printed shows neither its query nor headers nor bodies."""
    exchange = log().begin("cas", "POST", "/a?ticket=cAnArY", [("Authorization", "cAnArY")])
    exchange.sent(b"cAnArY")
    exchange.answered(b"cAnArY")
    assert "cAnArY" not in repr(exchange)
    assert "role='cas'" in repr(exchange)


def test_a_sandbox_tells_what_it_was_asked(account: Any) -> None:
    """A login and a key request are there with method, masked target, outcome and status, oldest first."""
    assert account.client.get(account.key_url("movie")).status == 200
    sandbox = account.sandbox
    told = [(e.role, e.method, e.shown, e.what, e.status) for e in sandbox.exchanges()]
    service = sandbox.service.removeprefix(sandbox.url)
    assert told == [
        ("cas", "POST", "/cas/v1/tickets", "login", 201),
        ("cas", "POST", f"/cas/v1/tickets/TGT-{MASK}", "service ticket", 200),
        ("keyserver", "GET", f"{service}/movie?ticket={MASK}", "ingest", 200),
    ]
    assert all(exchange.seconds is not None for exchange in sandbox.exchanges())
    assert [exchange.role for exchange in sandbox.exchanges("keyserver")] == ["keyserver"]


def test_reset_forgets_everything_but_who_it_is(account: Any) -> None:
    """After `reset` nothing that happened is there, tickets are dead, and account, URL and keys are the same."""
    sandbox = account.sandbox
    url = account.key_url("movie")
    first = account.client.get(url).body
    sandbox.faults.switch_on("cas-crlf")
    sandbox.advance(1000)
    before = (sandbox.url, sandbox.credentials, sandbox.admin_token)
    sandbox.reset()
    assert (sandbox.url, sandbox.credentials, sandbox.admin_token) == before
    assert (sandbox.exchanges(), sandbox.events(), sandbox.faults.active) == ((), (), ())
    assert sandbox._running().state.clock.offset == 0
    assert account.client.get(url).status == 401
    assert account.client.get(account.key_url("movie")).body == first
