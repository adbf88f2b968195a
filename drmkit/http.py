"""The one place that makes HTTP calls: deadlines, no redirects, capped bodies, redaction, error mapping."""

from __future__ import annotations

import logging
import re
import ssl
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import Self, cast

import httpcore

from drmkit import __version__
from drmkit.errors import ConfigurationError, DrmkitError, ProtocolError, RemoteUnavailableError, TlsError
from drmkit.lean import httpx
from drmkit.retry import parse_http_date, parse_retry_after
from drmkit.transport import DeadlineTransport, deadline

__all__ = ["HttpClient", "Response"]

_LOG = logging.getLogger(__name__)
_BUSY: ContextVar[bool] = ContextVar("drmkit_http_busy", default=False)
_LIBRARY_LOGGERS = ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy")
_FOREIGN = (
    *(httpx.HTTPError, httpx.InvalidURL, UnicodeError, OSError, zlib.error),
    *(httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError),
    *(httpcore.UnsupportedProtocol, httpcore.ConnectionNotAvailable),
)
_UNUSABLE_URL = (httpx.InvalidURL, httpx.UnsupportedProtocol, httpcore.UnsupportedProtocol)
_NOT_SENT = (httpx.LocalProtocolError, httpcore.LocalProtocolError, UnicodeError)
_GARBAGE = (httpx.RemoteProtocolError, httpcore.RemoteProtocolError, httpx.DecodingError, zlib.error)
_PROXY_AUTHENTICATION_REQUIRED = "407"
_PORTS_END = 2**16
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_DEFAULT_MAX_BODY = 8 * 1024 * 1024


class _SilenceOwnTraffic(logging.Filter):
    """Drop what the HTTP libraries log while drmkit's own calls run: their records hold whole URLs and headers."""

    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002 (the signature is logging's)
        return not _BUSY.get()


_SILENCE = _SilenceOwnTraffic()


class Response:
    """What a server answered.

    Args:
        status: the HTTP status code.
        headers: the headers, looked up without regard to case.
        body: the decoded body; kept out of the repr since it may hold tickets or keys.
    """

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: httpx.Headers, body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    def __repr__(self) -> str:
        return f"Response(status={self.status})"

    @property
    def text(self) -> str:
        """The body as UTF-8, with anything else replaced."""
        return self.body.decode("utf-8", "replace")

    @property
    def looks_like_html(self) -> bool:
        """Whether the body is an HTML page, whatever its Content-Type says."""
        return self.body[:1024].lstrip().lower().startswith((b"<!doctype html", b"<html"))

    def retry_after(self, now: datetime | None = None) -> float | None:
        """Seconds that the server asks to wait; a date is read against the server's own clock where it tells it."""
        server = parse_http_date(self.headers.get("date"))
        return parse_retry_after(self.headers.get("retry-after"), now=server or now or datetime.now(UTC))


class HttpClient:
    """Make HTTP calls: one attempt each, one deadline each, no redirect ever followed.

    Every failure is an error of drmkit whose text names the purpose of the call and never holds a URL, a header or a
    body; the exception of the HTTP library, which can hold all of them, is not even its context. Thread-safe.

    Args:
        transport: sends the requests; tests pass `httpx.MockTransport`.
        timeout: seconds for a whole exchange, from connecting to the last byte of the body.
        ca_file: a PEM file with the only certificate authorities to trust.
        trust_env: whether proxy and certificate variables of the environment apply (never to loopback).
        clock: monotonic seconds.
    """

    def __init__(
        self,
        *,
        transport: httpx.BaseTransport | None = None,
        timeout: float = 10.0,
        ca_file: str | None = None,
        trust_env: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.timeout = timeout
        self._clock = clock
        self._transport = transport or DeadlineTransport(ca_file=ca_file, trust_env=trust_env, clock=clock)
        for name in _LIBRARY_LOGGERS:
            logging.getLogger(name).addFilter(_SILENCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def request(
        self,
        method: str,
        url: str,
        *,
        purpose: str,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        content: bytes | None = None,
        timeout: float | None = None,
        max_body: int = _DEFAULT_MAX_BODY,
    ) -> Response:
        """Send one request and read the whole answer.

        Args:
            method: the HTTP method.
            url: an absolute http or https URL.
            purpose: what the call is for, such as "the login at auth.example.com"; it opens every error's text.
            headers: further headers, sent byte for byte.
            form: fields to send form-encoded.
            content: a body to send byte for byte.
            timeout: seconds for this exchange instead of the client's.
            max_body: the largest body to read, in bytes.

        Raises:
            RemoteUnavailableError: refused, broken or timed out.
            TlsError: the certificate cannot be trusted.
            ProtocolError: the URL or a header cannot be sent, or the answer is too large.
            ConfigurationError: the certificate bundle cannot be read, or the proxy cannot be used.
        """
        limit = self.timeout if timeout is None else timeout
        started = self._clock()
        try:
            with _silence(), deadline(limit, self._clock):
                request = _build(method, url, headers=headers, form=form, content=content, limit=limit)
                response = self._exchange(request, purpose, max_body)
        except _FOREIGN as error:
            failure = _translated(purpose, limit, error)
        else:
            _LOG.debug("%s: %s, HTTP %d, %d ms", purpose, method, response.status, 1000 * (self._clock() - started))
            return response
        raise failure  # out here, so that the foreign exception does not become its context

    def _exchange(self, request: httpx.Request, purpose: str, max_body: int) -> Response:
        answer = self._transport.handle_request(request)
        try:
            return Response(answer.status_code, answer.headers, _read(answer, purpose, max_body))
        finally:
            answer.close()


def _build(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None,
    form: Mapping[str, str] | None,
    content: bytes | None,
    limit: float,
) -> httpx.Request:
    target = httpx.URL(url)
    if not target.host or not 0 < (1 if target.port is None else target.port) < _PORTS_END:
        raise httpx.InvalidURL("no host, or no usable port")
    merged = httpx.Headers({"User-Agent": f"drmkit/{__version__}", "Accept-Encoding": "identity"})
    merged.update(headers)
    timeouts = dict.fromkeys(("connect", "read", "write", "pool"), limit)
    return httpx.Request(method, target, headers=merged, data=form, content=content, extensions={"timeout": timeouts})


def _read(answer: httpx.Response, purpose: str, max_body: int) -> bytes:
    """Read a body up to its limit, decompressed: a server may compress though it was asked not to."""
    encoding = answer.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"identity", "gzip", "x-gzip", "deflate"}:
        raise ProtocolError(f"{purpose}: the answer has a Content-Encoding that was not asked for")
    inflater = None if encoding == "identity" else zlib.decompressobj(_GZIP_OR_ZLIB)
    body = bytearray()
    for chunk in cast("httpx.SyncByteStream", answer.stream):  # iter_bytes() would decompress without a bound
        body += inflater.decompress(chunk, max_body + 1 - len(body)) if inflater else chunk
        if len(body) > max_body:
            raise ProtocolError(f"{purpose}: the answer is larger than {max_body} bytes")
    if inflater and body and not inflater.eof:
        raise httpx.DecodingError("the compressed body is cut off")
    return bytes(body)


@contextmanager
def _silence() -> Iterator[None]:
    token = _BUSY.set(True)
    try:
        yield
    finally:
        _BUSY.reset(token)


def _translated(purpose: str, limit: float, error: BaseException) -> DrmkitError:
    """Return drmkit's own error for one of the HTTP libraries, without its text: that can hold secrets."""
    if isinstance(error, httpx.TimeoutException | httpcore.TimeoutException):
        return RemoteUnavailableError(
            f"{purpose}: no complete answer within {limit:g} seconds",
            hint="check the network and the host; a longer limit can be set with `timeout`",
        )
    if isinstance(error, httpx.ProxyError | httpcore.ProxyError):
        return _proxy_error(purpose, error)
    if isinstance(error, httpx.ConnectError | httpcore.ConnectError):
        return _connect_error(purpose, error)
    if isinstance(error, _UNUSABLE_URL):
        return ProtocolError(f"{purpose}: the URL is not a usable http or https URL")
    if isinstance(error, _NOT_SENT):
        return ProtocolError(f"{purpose}: the URL, a header or a field holds characters that cannot be sent")
    garbage = ", or the answer is not HTTP" if isinstance(error, _GARBAGE) else ""
    return RemoteUnavailableError(
        f"{purpose}: the connection broke before a complete answer came{garbage}",
        hint="check that the URL names a web server, and whether something in between cuts connections",
    )


def _proxy_error(purpose: str, error: BaseException) -> DrmkitError:
    status = re.match(r"[1-5]\d\d\b", str(error))
    if status and status.group() == _PROXY_AUTHENTICATION_REQUIRED:
        return ConfigurationError(
            f"{purpose}: the proxy asks for a user name and password (HTTP 407)",
            hint="put them into the proxy's URL in the environment, or list the host in NO_PROXY",
        )
    return RemoteUnavailableError(
        f"{purpose}: the proxy made no connection ({f'HTTP {status.group()}' if status else 'it gave no reason'})",
        hint="check the proxy variables of the environment, or list the host in NO_PROXY",
    )


def _connect_error(purpose: str, error: BaseException) -> DrmkitError:
    for cause in _chain(error):
        if isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError | ssl.SSLSyscallError):
            return RemoteUnavailableError(
                f"{purpose}: the connection broke during the TLS handshake",
                hint="check that the URL names an https port",
            )
        if isinstance(cause, ssl.SSLCertVerificationError):
            return TlsError(
                f"{purpose}: the server's certificate is not trusted ({cause.verify_message})",
                hint="fix the certificate, or name the right authority with `ca_file`; it is never ignored",
            )
        if isinstance(cause, ssl.SSLError):
            return TlsError(
                f"{purpose}: no TLS connection could be made ({cause.reason or 'handshake failed'})",
                hint="check that the URL names an https port",
            )
        if isinstance(cause, OSError) and cause.strerror:
            return RemoteUnavailableError(
                f"{purpose}: no connection ({cause.strerror})", hint="check the host name, the network and the proxy"
            )
    return RemoteUnavailableError(f"{purpose}: no connection", hint="check the host name, the network and the proxy")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
