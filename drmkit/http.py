"""The one place that makes HTTP calls: deadlines, no redirects, capped bodies, redaction, error mapping."""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import httpcore
import httpx

from drmkit import __version__
from drmkit.errors import ProtocolError, RemoteError, RemoteUnavailableError, TlsError
from drmkit.retry import parse_http_date, parse_retry_after
from drmkit.transport import DeadlineTransport, deadline

__all__ = ["HttpClient", "Response"]

_LOG = logging.getLogger(__name__)
_BUSY: ContextVar[bool] = ContextVar("drmkit_http_busy", default=False)
_LIBRARY_LOGGERS = ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy")
_DEFAULT_MAX_BODY = 8 * 1024 * 1024


class _SilenceOwnTraffic(logging.Filter):
    """Drop what the HTTP libraries log while drmkit's own calls run: their records hold whole URLs and headers."""

    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002 (the signature is logging's)
        return not _BUSY.get()


_SILENCE = _SilenceOwnTraffic()


@dataclass(frozen=True, slots=True)
class Response:
    """What a server answered.

    Attributes:
        status: the HTTP status code.
        headers: the headers, looked up without regard to case.
        body: the decoded body; kept out of the repr since it may hold tickets or keys.
    """

    status: int
    headers: httpx.Headers = field(repr=False)
    body: bytes = field(repr=False)

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

    Every failure is a RemoteError whose text names the purpose of the call and never holds a URL, a header or a
    body. Thread-safe.

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
            ProtocolError: the URL is not one, or the answer is too large.
        """
        limit = self.timeout if timeout is None else timeout
        started = self._clock()
        with _mapped(purpose, limit):
            request = httpx.Request(
                method,
                url,
                headers={"User-Agent": f"drmkit/{__version__}", "Accept-Encoding": "identity", **(headers or {})},
                data=form,
                content=content,
                extensions={"timeout": {"connect": limit, "read": limit, "write": limit, "pool": limit}},
            )
            with deadline(limit, self._clock):
                response = self._exchange(request, purpose, max_body)
        _LOG.debug("%s: %s, HTTP %d, %d ms", purpose, method, response.status, 1000 * (self._clock() - started))
        return response

    def _exchange(self, request: httpx.Request, purpose: str, max_body: int) -> Response:
        answer = self._transport.handle_request(request)
        try:
            body = bytearray()
            for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > max_body:
                    raise ProtocolError(f"{purpose}: the answer is larger than {max_body} bytes")
            return Response(answer.status_code, answer.headers, bytes(body))
        finally:
            answer.close()


@contextmanager
def _mapped(purpose: str, limit: float) -> Iterator[None]:
    """Turn every exception of the HTTP libraries into one of drmkit, without their texts: those can hold secrets."""
    token = _BUSY.set(True)
    try:
        yield
    except (httpx.TimeoutException, httpcore.TimeoutException):
        raise RemoteUnavailableError(
            f"{purpose}: no complete answer within {limit:g} seconds",
            hint="check the network and the host; a longer limit can be set with `timeout`",
        ) from None
    except (httpx.ConnectError, httpcore.ConnectError, httpx.ProxyError, httpcore.ProxyError) as error:
        raise _connect_error(purpose, error) from None
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpcore.UnsupportedProtocol, UnicodeError):
        raise ProtocolError(f"{purpose}: the URL is not a usable http or https URL") from None
    except (httpx.HTTPError, httpcore.NetworkError, httpcore.ProtocolError, ssl.SSLError, OSError):
        raise RemoteUnavailableError(f"{purpose}: the connection broke before a complete answer came") from None
    finally:
        _BUSY.reset(token)


def _connect_error(purpose: str, error: BaseException) -> RemoteError:
    for cause in _chain(error):
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
