"""The client: what it sends, what it refuses to take, and that nothing it says holds a secret."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from speke_requests import PASSWORD, certificate, request, sandbox_options

from drmkit import cpix
from drmkit.errors import (
    ApiError,
    ConfigurationError,
    CredentialsRejectedError,
    DrmkitError,
    ProtocolError,
    RateLimitedError,
    RemoteUnavailableError,
    ServiceRejectedError,
)
from drmkit.http import HttpClient
from drmkit.keyserver.url import KeyServerUrl
from drmkit.retry import Retrier, RetryPolicy
from drmkit.sandbox import Sandbox
from drmkit.secret import MASK, Secret
from drmkit.speke.auth import BasicAuth
from drmkit.speke.client import SpekeClient

ONCE = Retrier(RetryPolicy(attempts=1))
URL = "https://keys.example.com/speke"
CANARY = "cAnArY/tOkEn+1"


def mocked(answer: Callable[[httpx.Request], httpx.Response], url: Any = URL, **arguments: Any) -> SpekeClient:
    """A client whose requests go to a function."""
    http = HttpClient(transport=httpx.MockTransport(answer))
    return SpekeClient(url, http=http, retrier=arguments.pop("retrier", ONCE), **arguments)


@pytest.mark.parametrize("version", ["1.0", "2.0", "2.1"])
def test_requests_are_answered_with_a_document(connect: Callable[..., SpekeClient], version: str) -> None:
    """In every version, a good provider's answer comes back as a document, and the request stays as it was."""
    sent = request(version)
    before = sent.to_xml()
    got = connect(version).request(sent)
    assert all(key.key is not None for key in got.content_keys)
    assert sent.to_xml() == before


def test_the_keys_are_those_of_the_sandbox(connect: Callable[..., SpekeClient], sandbox: Sandbox) -> None:
    """What the sandbox's provider hands out is what its key store holds."""
    got = connect().request(request())
    assert all(sandbox.stored_key(key.kid) == key.key for key in got.content_keys)


def test_encrypted_answers_are_taken(connect: Callable[..., SpekeClient]) -> None:
    """A request with a certificate gets a document whose keys are encrypted."""
    got = connect().request(request(certificates=[certificate(2048)]))
    assert all(key.is_encrypted for key in got.content_keys)


def test_headers_are_sent() -> None:
    """A request is XML with its version, the caller's headers and the authentication; version 1.0 states no version."""
    seen: list[httpx.Request] = []

    def answer(got: httpx.Request) -> httpx.Response:
        seen.append(got)
        return httpx.Response(422, text="no")

    auth = BasicAuth("user", Secret("päss"))
    for client in (
        mocked(answer, auth=auth, headers={"API-KEY": Secret("k"), "X-Plain": "p"}),
        mocked(answer, version="1.0", content_type="text/xml"),
    ):
        with pytest.raises(ApiError):
            client.request(request(client.version.name))
    first, second = seen
    assert first.headers["content-type"] == "application/xml"
    assert first.headers["x-speke-version"] == "2.0"
    assert (first.headers["api-key"], first.headers["x-plain"]) == ("k", "p")
    assert base64.b64decode(first.headers["authorization"].removeprefix("Basic ")).decode() == "user:päss"
    assert second.headers["content-type"] == "text/xml"
    assert "x-speke-version" not in second.headers
    assert cpix.parse(second.content).id == "my-content"


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (400, ApiError, "refused the request (HTTP 400): Bad things"),
        (422, ApiError, "refused the request (HTTP 422): Bad things"),
        (401, CredentialsRejectedError, "refused the request (HTTP 401)"),
        (403, ServiceRejectedError, "refused the request (HTTP 403)"),
        (404, ServiceRejectedError, "refused the request (HTTP 404)"),
        (302, ProtocolError, "answered HTTP 302 instead of 200"),
        (201, ProtocolError, "answered HTTP 201 instead of 200"),
        (429, RateLimitedError, "failed (HTTP 429): Bad things"),
        (500, RemoteUnavailableError, "failed (HTTP 500): Bad things"),
    ],
)
def test_refusals_become_errors(status: int, kind: type[DrmkitError], words: str) -> None:
    """Each HTTP status becomes the error that says what to do, with the provider's words."""
    client = mocked(lambda _: httpx.Response(status, text="Bad things"))
    with pytest.raises(kind) as caught:
        client.request(request())
    assert words in caught.value.message
    assert "keys.example.com" in caught.value.message
    assert ("redirects" in (caught.value.hint or "")) == (status == 302)
    if isinstance(caught.value, ApiError):
        assert caught.value.code == str(status)


def test_a_failing_provider_is_asked_again() -> None:
    """503 is tried again, since the same request gets the same keys."""
    answers = iter([httpx.Response(503), httpx.Response(422, text="Missing CPIX@contentId")])
    retrier = Retrier(RetryPolicy(attempts=2, base=0), sleep=lambda _: None)
    client = mocked(lambda _: next(answers), retrier=retrier)
    with pytest.raises(ApiError, match="Missing CPIX@contentId"):
        client.request(request())


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "200 with an empty body"),
        (b"<!DOCTYPE html><html></html>", "200 with an HTML page"),
        (b'{"error_code": "A1005", "error_message": "no such content"}', "JSON instead of XML: A1005 no such content"),
        (b"[1]", "JSON instead of XML$"),
        (b"{", "JSON instead of XML$"),
        (b"<MPD/>", "no CPIX document: the root element is 'MPD'"),
        (b"<cpix", "no CPIX document: not well-formed"),
    ],
)
def test_what_is_no_document_is_no_success(body: bytes, reason: str) -> None:
    """A 200 is not enough: pages, JSON errors and other XML are refused with what they are."""
    client = mocked(lambda _: httpx.Response(200, content=body))
    with pytest.raises(ProtocolError, match=reason):
        client.request(request())


def test_an_answer_that_breaks_the_contract_is_refused(connect: Callable[..., SpekeClient], sandbox: Sandbox) -> None:
    """A changed content ID, a missing header: keys of such an answer are not taken, and the message says why."""
    sandbox.faults.switch_on("speke-content-id-changed:1")
    with pytest.raises(ProtocolError, match=r"breaks the contract: CPIX: contentId was .* \[speke-echo-content-id\]"):
        connect().request(request())
    for name in ("speke-no-user-agent", "speke-scheme-changed", "speke-rule-dropped", "speke-content-id-changed"):
        sandbox.faults.switch_on(name)
    with pytest.raises(ProtocolError, match="; and [0-9]+ more"):
        connect().request(request())
    sandbox.faults.clear()
    assert len(connect().request(request()).content_keys) == 2


def test_the_exchange_tells_without_judging(connect: Callable[..., SpekeClient], sandbox: Sandbox) -> None:
    """`exchange` gives document and findings, for callers who decide themselves."""
    sandbox.faults.switch_on("speke-no-user-agent")
    document, found = connect().exchange(request())
    assert len(document.content_keys) == 2
    assert [item.rule for item in found if item.severity == "error"] == ["speke-user-agent"]


def test_the_heartbeat_is_version_1s(connect: Callable[..., SpekeClient], sandbox: Sandbox) -> None:
    """A provider of version 1.0 says that it is alive; where there is no heartbeat, that is said."""
    assert connect("1.0").heartbeat() == "the drmkit sandbox is alive"
    with pytest.raises(ServiceRejectedError, match="HTTP 404"):
        connect("2.0").heartbeat()
    assert sandbox.events("speke")[-1].what == "heartbeat"


def test_basic_authentication_opens_a_locked_sandbox(http: HttpClient) -> None:
    """With `speke_auth` the sandbox asks for the API account; the right one is let in, a wrong one is not."""
    with Sandbox(sandbox_options(speke_auth=True)) as locked:
        url = f"{locked.url}/speke/v1.0/copyProtection"

        def client(auth: BasicAuth | None) -> SpekeClient:
            return SpekeClient(url, http=http, version="1.0", auth=auth, retrier=ONCE)

        right = client(BasicAuth("api-user", Secret(PASSWORD)))
        assert len(right.request(request("1.0")).content_keys) == 1
        assert "alive" in right.heartbeat()
        for auth in (None, BasicAuth("api-user", Secret("wrong")), BasicAuth("other", Secret(PASSWORD))):
            with pytest.raises(CredentialsRejectedError):
                client(auth).request(request("1.0"))
        for header in ("Basic @@@", "Bearer abc", "Basic /w=="):
            sent = SpekeClient(url, http=http, version="1.0", headers={"Authorization": header})
            assert sent.send(b"").status == 401


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://keys.example.com/x", "plain http"),
        ("ftp://keys.example.com/x", "absolute, https"),
        ("/speke", "absolute, https"),
        ("https:///x", "absolute, https"),
    ],
)
def test_unsafe_urls_are_refused(url: str, reason: str) -> None:
    """Keys travel over https, or on loopback; a URL of another kind is refused without being shown."""
    with pytest.raises(ConfigurationError, match=reason):
        mocked(lambda _: httpx.Response(200), url)
    mocked(lambda _: httpx.Response(200), "http://127.0.0.1/x")


@pytest.mark.parametrize("where", ["query", "path", "header", "basic", "ticket"])
@pytest.mark.parametrize("status", [200, 422, 500, 302])
def test_no_secret_is_shown(where: str, status: int, caplog: pytest.LogCaptureFixture) -> None:
    """A provider that echoes a token, in any form, does not make drmkit print it; nor do logs or reprs hold it."""
    caplog.set_level(logging.DEBUG)
    quoted = httpx.QueryParams({"t": CANARY})
    arguments: dict[str, Any] = {}
    url: Any = URL
    if where == "query":
        url = f"{URL}?{quoted}"
    elif where == "path":
        url = Secret(f"{URL}/{str(quoted).removeprefix('t=')}")
        arguments["hidden"] = [Secret(CANARY)]
    elif where == "header":
        arguments["headers"] = {"API-KEY": Secret(CANARY)}
    elif where == "basic":
        arguments["auth"] = BasicAuth("user", Secret(CANARY))
    else:
        url = KeyServerUrl(URL, Secret(CANARY), datetime.now(UTC))

    def answer(got: httpx.Request) -> httpx.Response:
        said = f"no: {got.url} {got.headers.get('api-key')} {got.headers.get('authorization')} {CANARY}"
        text = f'{{"message": "{said}"}}' if status == 200 else said
        return httpx.Response(status, text=text)

    client = mocked(answer, url, **arguments)
    with pytest.raises(DrmkitError) as caught:
        client.request(request())
    shown = f"{caught.value} {caught.value.hint} {vars(caught.value)} {client!r} {caplog.text} {client.send(b'')!r}"
    encoded = base64.b64encode(f"user:{CANARY}".encode()).decode()
    for form in (CANARY, str(quoted).removeprefix("t="), encoded):
        assert form not in shown
    if status != 302:
        assert MASK in shown


def test_words_of_a_provider_are_cut_and_cleaned() -> None:
    """Control characters and endless texts of a provider do not reach a terminal; XML is not shown at all."""
    client = mocked(lambda _: httpx.Response(422, text="a\x1b[31m\r\nb" + "x" * 5000))
    assert client.send(b"").text.startswith("a [31m b")
    assert len(client.send(b"").text) == 200
    xml = mocked(lambda _: httpx.Response(422, text="<PlainValue>secret</PlainValue>"))
    assert xml.send(b"").text == ""
