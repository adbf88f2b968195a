"""Fetch the CPIX document that a key-server URL leads to, or have it made from a request document.

At DRMtoday a GET is an ingest: it makes key IDs and registers keys. It is no harmless probe.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import urlsplit

from drmkit.errors import ProtocolError, RateLimitedError, RemoteUnavailableError, ServiceRejectedError
from drmkit.http import HttpClient, Response
from drmkit.keyserver.url import KeyServerUrl
from drmkit.retry import Retrier
from drmkit.secret import Secret

__all__ = ["fetch_document", "refuse_failure"]

_OK = 200
_LATER = frozenset({423, 429})
_REFUSED = frozenset({401, 403})
_LONGEST_CODE = 16


def fetch_document(
    url: KeyServerUrl | Secret[str],
    *,
    http: HttpClient,
    retrier: Retrier | None = None,
    request: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Secret[bytes]:
    """Return the bytes of the CPIX document; they may hold content keys in the clear.

    Args:
        url: the key-server URL, ticket and all.
        http: makes the call.
        request: a request document to post; None gets the document instead.
        headers: further headers, such as `X-Speke-Version`.
        retrier: repeats what may pass by itself: 423, 429, 5xx, timeouts, broken connections.

    Raises:
        ServiceRejectedError: 401, 403 or 404: the ticket is spent, expired or for another URL, or nothing is there.
        RemoteUnavailableError: the server failed to the last attempt.
        ProtocolError: an answer that is no XML document, such as a page or an error in a 200.
    """
    whole = url.reveal()
    host = urlsplit(whole).netloc
    purpose = f"the key server at {host}"
    response = (retrier or Retrier()).call(lambda: _send(whole, purpose, http, request, headers or {}))
    if response.status in _REFUSED:
        raise ServiceRejectedError(
            f"{purpose} refused the ticket (HTTP {response.status})",
            hint="it may have expired or been used: take a fresh one; and check the account's ingest permission",
        )
    if response.status != _OK and request is not None:
        raise ServiceRejectedError(
            f"{purpose} does not fill this request (HTTP {response.status})",
            hint="check the request (`drmkit speke check` tells what a provider takes), and the CPIX config ID",
        )
    if response.status != _OK:
        raise ServiceRejectedError(
            f"{purpose} has no document there (HTTP {response.status})",
            hint="check the organization UUID, the CPIX config ID and the query parameters",
        )
    _check_body(response, purpose)
    return Secret(response.body)


def _send(url: str, purpose: str, http: HttpClient, request: bytes | None, more: Mapping[str, str]) -> Response:
    headers = {"Accept": "application/xml, text/xml", **more}
    if request is not None:
        headers["Content-Type"] = "application/xml"
    response = http.request(
        "GET" if request is None else "POST", url, purpose=purpose, headers=headers, content=request
    )
    refuse_failure(response, purpose)
    return response


def refuse_failure(response: Response, purpose: str) -> None:
    """Raise what an answer says that is no answer to the call: come back later, a failure, a redirect.

    Raises:
        RateLimitedError: 423 or 429.
        RemoteUnavailableError: 5xx.
        ProtocolError: a redirect.
    """
    if response.status in _LATER or response.status >= 500:  # noqa: PLR2004 (server errors)
        kind = RateLimitedError if response.status in _LATER else RemoteUnavailableError
        raise kind(
            f"{purpose} failed (HTTP {response.status})", hint="try again later", retry_after=response.retry_after()
        )
    if 300 <= response.status < 400:  # noqa: PLR2004 (redirects)
        raise ProtocolError(
            f"{purpose} answered with a redirect (HTTP {response.status}), which is not followed",
            hint="the ticket would travel with it: use the URL that the server means",
        )


def _check_body(response: Response, purpose: str) -> None:
    start = response.body[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start:
        raise ProtocolError(f"{purpose} answered 200 with an empty body")
    if response.looks_like_html:
        raise ProtocolError(
            f"{purpose} answered 200 with an HTML page",
            hint="something else may be answering: check the host and the proxy",
        )
    if start.startswith((b"{", b"[")):
        raise ProtocolError(
            f"{purpose} answered 200 with JSON instead of XML{_json_error(response.body)}",
            hint="some vendors report errors this way: check the token and the content ID",
        )


def _json_error(body: bytes) -> str:
    """Return the error code of a JSON answer, such as DoveRunner's, if it has a short one."""
    try:
        content = json.loads(body)
    except ValueError:
        return ""
    if not isinstance(content, dict):
        return ""
    code = str(next((content[name] for name in ("error_code", "errorCode", "code") if name in content), ""))
    return f" (code {code})" if code.isalnum() and len(code) <= _LONGEST_CODE else ""
