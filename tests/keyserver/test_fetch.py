"""Fetching a CPIX document: only an XML answer is one, and every other is told apart."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest

from drmkit.errors import DrmkitError, ProtocolError, RateLimitedError, RemoteUnavailableError, ServiceRejectedError
from drmkit.http import HttpClient
from drmkit.keyserver.fetch import fetch_document
from drmkit.keyserver.url import KeyServerUrl
from drmkit.retry import Retrier, RetryPolicy
from drmkit.secret import Secret

URL = KeyServerUrl("https://fe.example.com/cpix", Secret("ST+cAnArY"), datetime.now(UTC))


def fetch(response: httpx.Response, seen: list[str] | None = None) -> bytes:
    """What comes back when the server answers this."""

    def respond(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(str(request.url))
        return response

    http = HttpClient(transport=httpx.MockTransport(respond))
    return fetch_document(URL, http=http, retrier=Retrier(RetryPolicy(attempts=2), sleep=lambda _: None)).reveal()


@pytest.mark.parametrize(
    "body", [b"<CPIX/>", b"\xef\xbb\xbf<?xml version='1.0'?><CPIX/>", b"\n <CPIX/>", b"\xff\xfe<\x00"]
)
def test_an_xml_answer_is_returned_byte_for_byte(body: bytes) -> None:
    """Any encoding and any leading white space arrive as they are; the ticket is percent-encoded in the request."""
    seen: list[str] = []
    assert fetch(httpx.Response(200, content=body), seen) == body
    assert seen == ["https://fe.example.com/cpix?ticket=ST%2BcAnArY"]


@pytest.mark.parametrize(
    ("response", "kind", "reason"),
    [
        (httpx.Response(401, text="Invalid CAS Ticket"), ServiceRejectedError, "refused the ticket"),
        (httpx.Response(403), ServiceRejectedError, "refused the ticket"),
        (httpx.Response(404), ServiceRejectedError, "no document there"),
        (httpx.Response(400), ServiceRejectedError, "no document there"),
        (httpx.Response(302, headers={"Location": "https://e.example"}), ProtocolError, "redirect"),
        (httpx.Response(200, text=" "), ProtocolError, "empty body"),
        (httpx.Response(200, text="<html>login</html>"), ProtocolError, "an HTML page"),
        (
            httpx.Response(200, text='{"error_code": "A1001", "m": "x"}'),
            ProtocolError,
            r"JSON instead of XML \(code A1001\)",
        ),
        (httpx.Response(200, text='{"code": "cAnArY secret"}'), ProtocolError, r"JSON instead of XML$"),
        (httpx.Response(200, text="[1]"), ProtocolError, "JSON instead of XML$"),
        (httpx.Response(200, text="{broken"), ProtocolError, "JSON instead of XML$"),
        (httpx.Response(429), RateLimitedError, "HTTP 429"),
        (httpx.Response(503), RemoteUnavailableError, "HTTP 503"),
    ],
)
def test_anything_else_is_an_error_of_its_own(response: httpx.Response, kind: type[DrmkitError], reason: str) -> None:
    """Refused tickets, missing documents, pages and errors inside a 200 are told apart, without their content."""
    with pytest.raises(kind, match=reason) as caught:
        fetch(response)
    assert "cAnArY" not in str(caught.value)


def test_a_request_document_is_posted() -> None:
    """With a request the call is a POST of it; a refusal then speaks of the request."""
    seen: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200 if len(seen) == 1 else 422, content=b"<CPIX/>")

    http = HttpClient(transport=httpx.MockTransport(respond))
    asked = {"http": http, "request": b"<CPIX id='r'/>", "headers": {"X-Speke-Version": "2.0"}}
    assert fetch_document(URL, **asked).reveal() == b"<CPIX/>"
    assert (seen[0].method, seen[0].content) == ("POST", b"<CPIX id='r'/>")
    assert (seen[0].headers["content-type"], seen[0].headers["x-speke-version"]) == ("application/xml", "2.0")
    with pytest.raises(ServiceRejectedError, match="does not fill this request"):
        fetch_document(URL, **asked)
