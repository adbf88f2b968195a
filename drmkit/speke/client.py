"""A client for key providers: sends a request, and gives back a document that keeps the contract, or an error.

with HttpClient() as http:
    client = SpekeClient("https://keys.example.com/speke/v2.0/copyProtection", http=http, auth=BasicAuth(...))
    document = client.request(build_request("my-content"))
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import parse_qsl, quote, urlsplit

from drmkit import cpix
from drmkit.cpix.document import Document
from drmkit.cpix.report import Finding
from drmkit.errors import (
    ApiError,
    ConfigurationError,
    CpixError,
    CredentialsRejectedError,
    ProtocolError,
    RateLimitedError,
    RemoteUnavailableError,
    ServiceRejectedError,
    XmlError,
)
from drmkit.http import HttpClient, Response
from drmkit.keyserver.url import KeyServerUrl
from drmkit.loopback import is_loopback
from drmkit.retry import Retrier
from drmkit.secret import MASK, Secret
from drmkit.speke.answer import check_answer, check_headers
from drmkit.speke.auth import Auth
from drmkit.speke.contract import UNSUPPORTED_VERSION
from drmkit.speke.versions import MEDIA_TYPE, VERSION_HEADER, SpekeVersion, named

__all__ = ["Exchange", "SpekeClient"]

_OK: Final = 200
_LATER: Final = frozenset({423, 429})
_SERVER_ERROR: Final = 500
_MAX_ANSWER: Final = 16 * 2**20
_LONGEST_TEXT: Final = 200
_SHORTEST_SECRET: Final = 4
_SHOWN: Final = 3
_UNPRINTABLE: Final = re.compile(r"[^\x20-\x7e\u00a0-\ud7ff]+")


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what came back, unjudged.

    Attributes:
        response: the HTTP answer; its body may hold content keys.
        text: the beginning of the body, fit for a screen; "" where the body is XML.
    """

    response: Response = field(repr=False)
    text: str

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.response.status


class SpekeClient:
    """Talks to one key provider. Thread-safe.

    No error, log record or repr holds the URL's query, a header's value or a key. What a provider answers in words is
    shown with every secret of the request cut out.

    Args:
        url: the provider's address: https, or http on loopback. A `KeyServerUrl`, or a `Secret` where it holds a token.
        http: makes the calls.
        version: the version of SPEKE.
        auth: authenticates each request.
        headers: further headers; a `Secret` for a value that must not be shown.
        hidden: further secrets, such as a token inside the URL's path.
        content_type: of each request; a few providers want another one than SPEKE's.
        strict: whether HTTP headers that are not SPEKE's are errors; False makes them warnings, for providers that take
            the documents without speaking SPEKE otherwise.
        retrier: repeats what may pass by itself; a request may be repeated, since it gets the same keys again.

    Raises:
        ConfigurationError: the URL or the version cannot be used.
    """

    def __init__(
        self,
        url: str | Secret[str] | KeyServerUrl,
        *,
        http: HttpClient,
        version: str = "2.0",
        auth: Auth | None = None,
        headers: Mapping[str, str | Secret[str]] | None = None,
        hidden: Iterable[Secret[str]] = (),
        content_type: str = MEDIA_TYPE,
        strict: bool = True,
        retrier: Retrier | None = None,
    ) -> None:
        self.version: SpekeVersion = named(version)
        self._url = Secret(url if isinstance(url, str) else url.reveal())
        parts = urlsplit(self._url.reveal())
        _check_url(parts.scheme, parts.hostname)
        self.purpose = f"the key provider at {parts.hostname}" + (f":{parts.port}" if parts.port else "")
        self._http = http
        self._auth = auth
        self._headers = dict(headers or {})
        values = [value for value in self._headers.values() if isinstance(value, Secret)]
        tokens = [Secret(value) for _, value in parse_qsl(parts.query)]
        self._secrets = (*hidden, *values, *tokens, *(auth.secrets if auth else ()))
        self._content_type = content_type
        self._strict = strict
        self._retrier = retrier or Retrier()

    def __repr__(self) -> str:
        return f"<SpekeClient {self.version.name} of {self.purpose}>"

    def request(self, document: Document) -> Document:
        """Send a request and return the provider's document.

        Args:
            document: the request, which stays as it is.

        Raises:
            ApiError: the provider refuses the request; `code` is the HTTP status, the message holds its text.
            CredentialsRejectedError: 401.
            ServiceRejectedError: 403, 404 or 405.
            RemoteUnavailableError: the provider fails or cannot be reached, to the last attempt.
            ProtocolError: the answer is no CPIX document, or breaks the contract.
        """
        answer, found = self.exchange(document)
        errors = list(dict.fromkeys(f"{f.message} [{f.rule}]" for f in found if f.severity == "error"))
        if errors:
            first = "; ".join(errors[:_SHOWN])
            more = f"; and {len(errors) - _SHOWN} more" if len(errors) > _SHOWN else ""
            raise ProtocolError(
                f"{self.purpose} answered a document that breaks the contract: {first}{more}",
                hint="`drmkit speke check` tells all that the provider does wrong; its keys cannot be relied on",
            )
        return answer

    def exchange(self, document: Document) -> tuple[Document, list[Finding]]:
        """Send a request and return the provider's document with everything that is wrong with it.

        The errors are those of `request`, but for broken contracts.
        """
        response = self._retrier.call(lambda: self._once(document.to_xml()))
        try:
            answer = cpix.parse(response.body, max_bytes=_MAX_ANSWER)
        except (XmlError, CpixError) as error:
            raise ProtocolError(f"{self.purpose} answered no CPIX document: {error.message}", hint=error.hint) from None
        said = check_headers(response.headers, self.version)
        headers = said if self._strict else [replace(found, severity="warning") for found in said]
        return answer, [*headers, *check_answer(document, answer, self.version)]

    def heartbeat(self) -> str:
        """Ask a provider of version 1.0 whether it is alive and return its status message.

        The address is that of the client, its last part replaced by `heartbeat`.

        Raises:
            ServiceRejectedError: it has no heartbeat.
            RemoteUnavailableError: it is not alive.
        """
        url = self._url.reveal().partition("?")[0].rpartition("/")[0] + "/heartbeat"
        exchange = self._send("GET", url, b"", {})
        self._check_status(exchange)
        return exchange.text

    def send(self, body: bytes, *, speke_version: str | None = None) -> Exchange:
        """Send any body and return whatever comes back: for tests of providers.

        Args:
            body: the HTTP body.
            speke_version: the value of `X-Speke-Version`; None for the client's version, "" for no header.
        """
        stated = speke_version
        if stated is None:
            stated = "" if self.version.is_first else self.version.name
        headers = {"Content-Type": self._content_type, **({VERSION_HEADER: stated} if stated else {})}
        return self._send("POST", self._url.reveal(), body, headers)

    def _send(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Exchange:
        all_headers = {name: v.reveal() if isinstance(v, Secret) else v for name, v in self._headers.items()} | {
            **headers
        }
        if self._auth is not None:
            all_headers |= self._auth.headers(method, url, all_headers, body)
        response = self._http.request(
            method,
            url,
            purpose=self.purpose,
            headers=all_headers,
            content=body if method == "POST" else None,
            max_body=_MAX_ANSWER,
        )
        return Exchange(response, self._shown(response))

    def _once(self, body: bytes) -> Response:
        exchange = self.send(body)
        self._check_status(exchange)
        self._check_body(exchange)
        return exchange.response

    def _check_status(self, exchange: Exchange) -> None:
        status = exchange.status
        said = f": {exchange.text}" if exchange.text else ""
        message = f"{self.purpose} refused the request (HTTP {status}){said}"
        if status == _OK:
            return
        if status in _LATER or status >= _SERVER_ERROR:
            kind = RateLimitedError if status in _LATER else RemoteUnavailableError
            after = exchange.response.retry_after()
            raise kind(f"{self.purpose} failed (HTTP {status}){said}", hint="try again later", retry_after=after)
        if status == 401:  # noqa: PLR2004 (HTTP's own numbers, here and below)
            raise CredentialsRejectedError(message, hint="check the user name, password, token or signature")
        if status in {403, 404, 405}:
            raise ServiceRejectedError(message, hint="check the URL, and what the account may do")
        if status < 400:  # noqa: PLR2004
            moved = status >= 300  # noqa: PLR2004
            raise ProtocolError(
                f"{self.purpose} answered HTTP {status} instead of 200",
                hint="redirects are not followed: use the new URL" if moved else "keys come with 200, and nothing else",
            )
        hint = "the text is the provider's; see the contract's rules"
        if UNSUPPORTED_VERSION in exchange.text:
            hint = f"this was SPEKE {self.version.name}: another URL or another version may be meant"
        raise ApiError(message, code=str(status), hint=hint)

    def _check_body(self, exchange: Exchange) -> None:
        body = exchange.response.body
        start = body[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
        if not start:
            raise ProtocolError(f"{self.purpose} answered 200 with an empty body")
        if exchange.response.looks_like_html:
            raise ProtocolError(
                f"{self.purpose} answered 200 with an HTML page",
                hint="something else may be answering: check the host and the proxy",
            )
        if start.startswith((b"{", b"[")):
            raise ProtocolError(
                f"{self.purpose} answered 200 with JSON instead of XML{self._json_text(body)}",
                hint="some providers tell errors this way: check the token and the content ID",
            )

    def _json_text(self, body: bytes) -> str:
        try:
            content = json.loads(body)
        except (ValueError, RecursionError):
            return ""
        fields = content if isinstance(content, dict) else {}
        found = [str(fields[name]) for name in _JSON_FIELDS if isinstance(fields.get(name), str | int)]
        return f": {self._clean(' '.join(found))}" if found else ""

    def _shown(self, response: Response) -> str:
        if response.body[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
            return ""
        return self._clean(response.body[: 16 * _LONGEST_TEXT].decode("utf-8", "replace"))

    def _clean(self, text: str) -> str:
        for secret in self._secrets:
            raw = secret.reveal()
            for form in {raw, quote(raw, safe="")} if len(raw) >= _SHORTEST_SECRET else ():
                text = text.replace(form, MASK)
        return _UNPRINTABLE.sub(" ", text).strip()[:_LONGEST_TEXT]


_JSON_FIELDS: Final = ("error_code", "errorCode", "code", "error_message", "errorMessage", "message")


def _check_url(scheme: str, host: str | None) -> None:
    if not host or scheme not in {"http", "https"}:
        raise ConfigurationError(
            "the URL of a key provider is absolute, https://...", hint="http is accepted on loopback alone"
        )
    if scheme == "http" and not is_loopback(host):
        raise ConfigurationError(
            f"keys do not travel over plain http to {host}", hint="use https; http is accepted on loopback alone"
        )
