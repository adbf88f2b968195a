"""An HTTP transport in which a deadline bounds the whole exchange, not each read."""

from __future__ import annotations

import socket
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, Protocol, cast

import httpcore

from drmkit.errors import ConfigurationError
from drmkit.lean import httpx
from drmkit.loopback import is_loopback

__all__ = ["DeadlineTransport", "deadline"]

_DEADLINE: ContextVar[float | None] = ContextVar("drmkit_deadline", default=None)
_PIECE = 16 * 1024


@contextmanager
def deadline(seconds: float, clock: Callable[[], float] = time.monotonic) -> Iterator[None]:
    """Bound every network operation inside the block: together they may take this many seconds."""
    token = _DEADLINE.set(clock() + seconds)
    try:
        yield
    finally:
        _DEADLINE.reset(token)


class _DeadlineStream(httpcore.NetworkStream):
    """Give each operation what is left of the deadline, so that a dripping server cannot stretch an exchange."""

    def __init__(self, inner: httpcore.NetworkStream, clock: Callable[[], float]) -> None:
        self._inner = inner
        self._clock = clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(timeout, self._clock, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # In pieces: the inner stream grants its time anew to each part that the peer takes, however small.
        for start in range(0, len(buffer), _PIECE):
            self._inner.write(buffer[start : start + _PIECE], _left(timeout, self._clock, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _left(timeout, self._clock, httpcore.ConnectTimeout)
        return _DeadlineStream(self._inner.start_tls(ssl_context, server_hostname, left), self._clock)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _addresses(host: str, port: int) -> list[str]:
    """Return every address of a host, in the order in which to try them."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise httpcore.ConnectError("the host name was not resolved") from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class _DeadlineBackend(httpcore.NetworkBackend):
    """Open sockets that know the deadline, sharing what is left of it among the addresses of a host."""

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        inner: httpcore.NetworkBackend | None = None,
        resolve: Callable[[str, int], list[str]] = _addresses,
    ) -> None:
        self._inner = inner or httpcore.SyncBackend()
        self._clock = clock
        self._resolve = resolve

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        failure: Exception = httpcore.ConnectError("the host name has no address")
        addresses = self._resolve(host, port)
        for untried in range(len(addresses), 0, -1):
            left = _left(timeout, self._clock, httpcore.ConnectTimeout)
            try:
                inner = self._inner.connect_tcp(
                    addresses[-untried], port, None if left is None else left / untried, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _DeadlineStream(inner, self._clock)
        raise failure

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(seconds)


def _left(timeout: float | None, clock: Callable[[], float], error: type[Exception]) -> float | None:
    end = _DEADLINE.get()
    if end is None:
        return timeout
    left = end - clock()
    if left <= 0:
        raise error("the deadline of the exchange has passed")
    return left if timeout is None else min(timeout, left)


class _Closable(Protocol):
    """What a pool answers with: the pieces of a body, and a way to let go of its connection."""

    def __iter__(self) -> Iterator[bytes]: ...

    def close(self) -> None: ...


class _Body(httpx.SyncByteStream):
    def __init__(self, stream: _Closable) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        yield from self._stream

    def close(self) -> None:
        self._stream.close()


class DeadlineTransport(httpx.BaseTransport):
    """Send requests through pooled connections whose every operation but name resolution obeys `deadline()`.

    Thread-safe. Proxies of the environment apply to remote hosts and never to loopback; the certificate settings of the
    environment (`SSL_CERT_FILE`, `SSL_CERT_DIR`) apply too, unless `ca_file` names another bundle.

    Args:
        ca_file: a PEM file with the only certificate authorities to trust, or None for the usual ones.
        trust_env: whether proxy and certificate variables of the environment apply.
        clock: monotonic seconds.
    """

    def __init__(
        self, *, ca_file: str | None = None, trust_env: bool = True, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._ca_file = ca_file
        self._trust_env = trust_env
        self._backend = _DeadlineBackend(clock)
        self._lock = threading.Lock()
        self._ssl: ssl.SSLContext | None = None
        self._pools: dict[tuple[str | None, bool], httpcore.ConnectionPool] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; raises the exceptions of httpcore."""
        answer = self._pool(request.url).handle_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(
                    scheme=request.url.raw_scheme,
                    host=request.url.raw_host,
                    port=request.url.port,
                    target=request.url.raw_path,
                ),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(cast("_Closable", answer.stream)))

    def close(self) -> None:
        """Close every pooled connection."""
        with self._lock:
            pools, self._pools = self._pools, {}
        for pool in pools.values():
            pool.close()

    def _pool(self, url: httpx.URL) -> httpcore.ConnectionPool:
        key = self._proxy(url), url.scheme == "https"
        with self._lock:
            if key not in self._pools:
                self._pools[key] = self._new_pool(*key)
            return self._pools[key]

    def _proxy(self, url: httpx.URL) -> str | None:
        if not self._trust_env or is_loopback(url.host) or urllib.request.proxy_bypass(url.host):
            return None
        proxies = urllib.request.getproxies()
        proxy = proxies.get(url.scheme) or proxies.get("all")
        return proxy if not proxy or "://" in proxy else f"http://{proxy}"

    def _new_pool(self, proxy: str | None, secure: bool) -> httpcore.ConnectionPool:
        context = self._context() if secure else None  # reading the authorities takes longer than a call to loopback
        if proxy is None:
            return httpcore.ConnectionPool(ssl_context=context, network_backend=self._backend)
        url = _proxy_url(proxy)
        auth = (url.username.encode(), url.password.encode()) if url.username else None
        return httpcore.HTTPProxy(
            proxy_url=str(url.copy_with(username=None, password=None)),
            proxy_auth=auth,
            ssl_context=context,
            proxy_ssl_context=self._context() if url.scheme == "https" else None,
            network_backend=self._backend,
        )

    def _context(self) -> ssl.SSLContext:
        if self._ssl is None:
            try:
                self._ssl = (
                    ssl.create_default_context(cafile=self._ca_file)
                    if self._ca_file
                    else httpx.create_ssl_context(trust_env=self._trust_env)
                )
            except OSError as error:
                raise ConfigurationError(
                    f"the certificate bundle cannot be read: {self._ca_file or 'SSL_CERT_FILE'} ({error.strerror})",
                    hint="name a PEM file with the certificate authorities to trust",
                ) from error
        return self._ssl


def _proxy_url(proxy: str) -> httpx.URL:
    with suppress(httpx.InvalidURL):
        url = httpx.URL(proxy)
        if url.scheme in {"http", "https"} and url.host:
            return url
    raise ConfigurationError(
        f"the environment names a proxy that drmkit cannot use ({proxy.partition('://')[0]}://...)",
        hint="use an http:// or https:// proxy, or list the host in NO_PROXY",
    )
