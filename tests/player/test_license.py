"""The ClearKey license server over HTTP: keys by key ID, refusals in words, sessions that end, and origins."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from drmkit.identifiers import KeyId
from drmkit.secret import Secret
from drmkit.signaling import clearkey

KIDS = tuple(KeyId(bytes([number]) * 16) for number in range(1, 7))
KEYS = {kid: Secret(bytes(range(number, number + 16))) for number, kid in enumerate(KIDS)}


@pytest.fixture
def server(serve: Callable[..., Any]) -> Any:
    """A license server that knows the first two keys."""
    site = serve()
    site.keys = {kid: KEYS[kid] for kid in KIDS[:2]}
    return site


def ask(
    site: Any, body: bytes, query: str = "", method: str = "POST", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Send one request to the license server."""
    parts = urlsplit(site.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, f"/license/clearkey{query}", body=body, headers=named)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def refused(answer: tuple[int, dict[str, str], bytes]) -> tuple[int, str, str]:
    """The status, the code and the words of a refusal."""
    told = json.loads(answer[2])
    return answer[0], told["error"], told["message"]


def test_keys_are_given_by_key_id(server: Any) -> None:
    """A request for known keys is answered with exactly these, as a JSON Web Key Set, once for each."""
    status, headers, body = ask(server, clearkey.license_request([*KIDS[:2], KIDS[0]]))
    assert (status, headers["content-type"], headers["cache-control"]) == (200, "application/json", "no-store")
    assert clearkey.parse_license(body) == {kid: KEYS[kid] for kid in KIDS[:2]}
    assert server.notes == ["2 of 2 keys"]


def test_known_keys_are_given_beside_unknown_ones(server: Any) -> None:
    """A license holds what the server knows, as a browser that asks for many expects."""
    status, _, body = ask(server, clearkey.license_request([KIDS[0], KIDS[5]]))
    assert status == 200
    assert set(clearkey.parse_license(body)) == {KIDS[0]}
    assert server.notes == [f"1 of 2 keys; unknown: {KIDS[5]}"]


def test_unknown_keys_are_named(server: Any) -> None:
    """Where no key is known, the answer is 404 with the key IDs; of many, the sentence names three."""
    answer = ask(server, clearkey.license_request([KIDS[5]]))
    assert refused(answer) == (404, "unknown-key", f"there is no key for {KIDS[5]}")
    answer = ask(server, clearkey.license_request(KIDS[2:]))
    assert refused(answer)[2] == f"there is no key for {KIDS[2]}, {KIDS[3]}, {KIDS[4]} and 1 more"
    assert json.loads(answer[2])["kids"] == [str(kid) for kid in KIDS[2:]]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "no JSON object"),
        (b"\xff\xfe{}", "no JSON object"),
        (b"[1]", "no JSON object"),
        (b"{}", 'no list "kids"'),
        (b'{"kids": []}', "an empty one"),
        (b'{"kids": ["@@@"]}', "kids[0]"),
        (b'{"kids": ["AAAA"]}', "16 bytes"),
        (b'{"kids": [7]}', "no text"),
        (b"[" * 60000, "no JSON object"),
    ],
)
def test_malformed_requests_are_400(server: Any, body: bytes, words: str) -> None:
    """What is no license request is said to be none, and why."""
    status, error, message = refused(ask(server, body))
    assert (status, error) == (400, "malformed")
    assert words in message


def test_a_huge_request_is_refused_unread(server: Any) -> None:
    """Nobody can fill the memory; nor ask for more keys than any stream has."""
    assert refused(ask(server, b" " * 70000))[:2] == (413, "too-large")
    many = clearkey.license_request(KeyId(number.to_bytes(16, "big")) for number in range(300))
    assert refused(ask(server, many))[:2] == (400, "malformed")


def test_only_post(server: Any) -> None:
    """A license is no page."""
    assert ask(server, b"", method="GET")[0] == 405


def test_a_session_ends(server: Any) -> None:
    """A token works until its end and not a second longer; a token of another server, or a mended one, never."""
    request = clearkey.license_request(KIDS[:1])
    token = server.sessions.issue().reveal()
    assert ask(server, request, f"?session={token}")[0] == 200
    server.clock.now += 599
    assert ask(server, request, f"?session={token}")[0] == 200
    server.clock.now += 1
    expired = refused(ask(server, request, f"?session={token}"))
    assert expired == (403, "session-expired", "the session has expired: reload the page to get a new one")
    later = str(int(server.clock.now) + 9999)
    mended = later + token[token.index(".") :]
    for wrong in (mended, "never" + token[token.index(".") :], "x", "%C3%A9.%C3%A9"):
        assert refused(ask(server, request, f"?session={wrong}"))[:2] == (403, "session-unknown")
    assert server.notes[2:] == ["refused: session expired", *["refused: session unknown"] * 4]


def test_a_private_server_wants_a_session(serve: Callable[..., Any]) -> None:
    """Where keys are real, who has no link gets none, not even by loading the page."""
    site = serve(private=True)
    site.keys = KEYS
    request = clearkey.license_request(KIDS[:1])
    assert refused(ask(site, request))[:2] == (403, "session-missing")
    assert ask(site, request, f"?session={site.sessions.issue().reveal()}")[0] == 200


def test_a_code_is_redeemed_once(serve: Callable[..., Any]) -> None:
    """A browser's command line is public, so what stands in it is worth nothing once the page has used it."""
    site = serve(private=True)
    code = site.sessions.code().reveal()
    assert site.sessions.redeem("another") is None
    token = site.sessions.redeem(code)
    assert token is not None
    assert site.sessions.check(token.reveal()) == "valid"
    assert site.sessions.redeem(code) is None


def test_pages_of_other_origins_get_no_keys(serve: Callable[..., Any]) -> None:
    """Only the server's own pages, and origins that were named, may read licenses; programs send no origin."""
    site = serve(origins=("http://localhost:3000",))
    site.keys = KEYS
    request = clearkey.license_request(KIDS[:1])
    for origin in ("https://evil.example", "null", "http://localhost:3001", "http://127.0.0.1"):
        status, headers, body = ask(site, request, Origin=origin)
        assert (status, json.loads(body)["error"]) == (403, "origin")
        assert "access-control-allow-origin" not in headers
        status, headers, _ = ask(site, b"", method="OPTIONS", Origin=origin, Access_Control_Request_Method="POST")
        assert status == 403
    status, headers, _ = ask(site, request, Origin=site.url)
    assert (status, headers.get("access-control-allow-origin")) == (200, None)
    status, headers, _ = ask(site, request, Origin="http://localhost:3000")
    assert (status, headers["access-control-allow-origin"], headers["vary"]) == (200, "http://localhost:3000", "Origin")
    status, headers, _ = ask(site, b"", method="OPTIONS", Origin="http://localhost:3000")
    assert (status, headers["access-control-allow-methods"]) == (204, "POST")


def test_what_an_origin_header_holds_is_not_repeated(server: Any) -> None:
    """A refusal is no way to write markup into a page."""
    _, _, body = ask(server, b"", Origin="https://<script>alert(1)</script>")
    assert b"<" not in body


def test_a_foreign_host_is_refused(server: Any) -> None:
    """DNS rebinding: a page that reached the server under another host name gets nothing."""
    status, _, _ = ask(server, clearkey.license_request(KIDS[:1]), Host="evil.example")
    assert status == 421
