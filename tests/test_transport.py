"""The transport: one deadline for everything, and proxies of the environment for remote hosts alone."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import urllib.request
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import httpcore
import httpx
import pytest
from certificates import Authority
from scripted import Answer, Request, ScriptedServer

from drmkit.errors import ConfigurationError, DrmkitError, RemoteUnavailableError, TlsError
from drmkit.http import HttpClient
from drmkit.loopback import is_loopback
from drmkit.transport import DeadlineTransport, _addresses, _DeadlineBackend, deadline

REMOTE = "key-server.invalid"


class Time:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


class SlowStream(httpcore.NetworkStream):
    """A stream whose every operation takes a second, and that keeps the limits that it was given."""

    def __init__(self, clock: Time) -> None:
        self.clock = clock
        self.limits: list[float | None] = []
        self.written = b""

    def _take(self, limit: float | None) -> None:
        self.limits.append(limit)
        self.clock.now += 1

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Give one byte, as a dripping server does."""
        self._take(timeout)
        return b"x"

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Take a piece, as a slow reader does."""
        self._take(timeout)
        self.written += buffer

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Shake hands slowly."""
        self._take(timeout)
        return self

    def close(self) -> None:
        """Nothing to close."""

    def get_extra_info(self, info: str) -> Any:
        """Tell its name."""
        return info


class Network(httpcore.NetworkBackend):
    """A network with dead, refusing and living addresses, which keeps whom it was asked for, and with what limit."""

    def __init__(self, clock: Time, **addresses: str) -> None:
        self.clock = clock
        self.addresses = addresses
        self.asked: list[tuple[str, float | None]] = []
        self.stream = SlowStream(clock)
        self.slept: list[float] = []

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect, refuse, or use up the whole limit."""
        self.asked.append((host, timeout))
        if self.addresses[host] == "alive":
            return self.stream
        if self.addresses[host] == "dead":
            self.clock.now += timeout or 0
            raise httpcore.ConnectTimeout(host)
        raise httpcore.ConnectError(host)

    def sleep(self, seconds: float) -> None:
        """Keep it."""
        self.slept.append(seconds)


def backend(clock: Time, network: Network) -> _DeadlineBackend:
    """The backend on a fake clock and a fake network."""
    return _DeadlineBackend(clock, inner=network, resolve=lambda _host, _port: list(network.addresses))


def test_every_operation_gets_what_is_left() -> None:
    """Connecting, the handshake, writes and reads share one deadline, whatever limit each asks for."""
    clock = Time()
    network = Network(clock, a="alive")
    with deadline(10, clock):
        stream = backend(clock, network).connect_tcp("h", 1, timeout=10)
        stream = stream.start_tls(ssl.create_default_context(), "h", timeout=10)
        stream.write(b"request", timeout=10)
        assert stream.read(1, timeout=10) == b"x"
        assert stream.read(1, timeout=2) == b"x"
    assert network.asked == [("a", 10)]
    assert network.stream.limits == [10, 9, 8, 2]


@pytest.mark.parametrize("operation", ["read", "write"])
def test_nothing_begins_after_the_deadline(operation: str) -> None:
    """A server that gives or takes a byte now and then is given up when the deadline has passed."""
    clock = Time()
    network = Network(clock, a="alive")
    kind = {"read": httpcore.ReadTimeout, "write": httpcore.WriteTimeout}[operation]
    with deadline(5, clock):
        stream = backend(clock, network).connect_tcp("h", 1)
        for _ in range(5):
            stream.read(1)
        with pytest.raises(kind):
            getattr(stream, operation)(*((1,) if operation == "read" else (b"x",)))
        with pytest.raises(httpcore.ConnectTimeout):
            backend(clock, network).connect_tcp("h", 1)
        stream.close()
    assert len(network.stream.limits) == 5


def test_a_long_body_is_written_in_pieces_that_each_look_at_the_clock() -> None:
    """A peer that takes a long body slowly cannot stretch a single write; what was written is what was given."""
    clock = Time()
    network = Network(clock, a="alive")
    body = bytes(range(256)) * 1024
    with deadline(100, clock):
        backend(clock, network).connect_tcp("h", 1).write(body)
    assert network.stream.written == body
    assert network.stream.limits == [100 - n for n in range(16)]
    with deadline(3.5, clock), pytest.raises(httpcore.WriteTimeout):
        backend(clock, network).connect_tcp("h", 1).write(body)


def test_without_a_deadline_limits_are_as_they_were_asked() -> None:
    """Outside `deadline()` every operation has its own limit, or none."""
    clock = Time()
    network = Network(clock, a="alive")
    stream = backend(clock, network).connect_tcp("h", 1, timeout=7)
    stream.read(1, timeout=3)
    stream.read(1)
    assert network.asked == [("a", 7)]
    assert network.stream.limits == [3, None]
    assert stream.get_extra_info("socket") == "socket"
    backend(clock, network).sleep(2)
    assert network.slept == [2]
    assert backend(clock, Network(clock, a="refusing", b="alive")).connect_tcp("h", 1)


def test_the_deadline_is_shared_among_the_addresses_of_a_host() -> None:
    """A dead first address leaves time for the second: a host is not lost to its broken IPv6."""
    clock = Time()
    network = Network(clock, dead="dead", refusing="refusing", alive="alive")
    with deadline(9, clock):
        backend(clock, network).connect_tcp("h", 1, timeout=9)
    assert network.asked == [("dead", 3), ("refusing", 3), ("alive", 6)]


@pytest.mark.parametrize(
    ("addresses", "kind", "reason"),
    [
        ({"a": "refusing", "b": "dead"}, httpcore.ConnectTimeout, "b"),
        ({"a": "dead", "b": "refusing"}, httpcore.ConnectError, "b"),
        ({}, httpcore.ConnectError, "has no address"),
    ],
)
def test_the_failure_of_the_last_address_is_told(addresses: dict[str, str], kind: type[Exception], reason: str) -> None:
    """Where no address works, the last one's failure is raised."""
    clock = Time()
    with deadline(9, clock), pytest.raises(kind, match=reason):
        backend(clock, Network(clock, **addresses)).connect_tcp("h", 1)


def test_names_resolve_to_each_address_once() -> None:
    """Literals are their own address, names have all of theirs, and a name without any says so."""
    assert _addresses("127.0.0.1", 80) == ["127.0.0.1"]
    assert _addresses("::1", 80) == ["::1"]
    assert set(_addresses("localhost", 80)) <= {"127.0.0.1", "::1"}
    with pytest.raises(httpcore.ConnectError, match="not resolved"):
        _addresses(REMOTE, 80)


def test_a_host_that_listens_on_one_family_alone_is_reached() -> None:
    """`localhost` may be ::1 first: a server on 127.0.0.1 alone is still found."""
    with ScriptedServer(lambda _: Answer(body=b"hi")) as server, HttpClient() as http:
        assert http.request("GET", f"http://localhost:{server.port}/", purpose="x").text == "hi"


def test_an_ipv6_host_is_reached() -> None:
    """A literal in brackets is connected to, and named in the Host header with its brackets."""
    listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    heads: list[bytes] = []

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            heads.append(connection.recv(65536))
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nv6")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    port = listener.getsockname()[1]
    with listener, HttpClient() as http:
        assert http.request("GET", f"http://[::1]:{port}/", purpose="x").text == "v6"
        thread.join(10)
    assert f"Host: [::1]:{port}".encode() in heads[0]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment without any proxy or certificate variable, to which a test adds its own."""
    for name in ("http", "https", "all", "no"):
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name}_proxy".upper(), raising=False)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUEST_METHOD"):
        monkeypatch.delenv(name, raising=False)
    assert urllib.request.getproxies() == {}
    return monkeypatch


@pytest.fixture
def proxy() -> Iterator[ScriptedServer]:
    """A proxy that answers plain requests itself and refuses tunnels."""

    def respond(request: Request) -> Answer:
        return Answer(502) if request.method == "CONNECT" else Answer(body=b"by proxy")

    with ScriptedServer(respond) as server:
        yield server


def fetch(url: str, **options: Any) -> str:
    """Make one call with a client of its own."""
    with HttpClient(timeout=5, **options) as http:
        return http.request("GET", url, purpose="the test").text


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
def test_a_proxy_of_the_environment_serves_remote_hosts(
    environment: pytest.MonkeyPatch, proxy: ScriptedServer, variable: str
) -> None:
    """The proxy is asked for the whole URL of a remote host, with its user and password where its URL has them."""
    environment.setenv(variable, f"http://user:p%40ss@127.0.0.1:{proxy.port}")
    assert fetch(f"http://{REMOTE}:8080/path?q=1") == "by proxy"
    (request,) = proxy.requests
    assert request.target == f"http://{REMOTE}:8080/path?q=1"
    assert request.headers["proxy-authorization"] == httpx.BasicAuth("user", "p@ss")._auth_header


def test_a_proxy_without_scheme_or_user_is_an_http_proxy(
    environment: pytest.MonkeyPatch, proxy: ScriptedServer
) -> None:
    """`host:port`, as curl takes it, is an HTTP proxy; without a user nothing is authorized."""
    environment.setenv("http_proxy", f"127.0.0.1:{proxy.port}")
    assert fetch(f"http://{REMOTE}/") == "by proxy"
    assert "proxy-authorization" not in proxy.requests[0].headers


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST", "127.8.9.10"])
def test_loopback_never_goes_through_a_proxy(environment: pytest.MonkeyPatch, proxy: ScriptedServer, host: str) -> None:
    """The sandbox's tickets and passwords do not travel to a proxy that the environment names."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        environment.setenv(name, proxy.url)
    listener = socket.create_server(("127.8.9.10" if host == "127.8.9.10" else "127.0.0.1", 0))
    port = listener.getsockname()[1]

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\ndirect")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with listener:
        assert fetch(f"http://{host}:{port}/") == "direct"
        thread.join(10)
    assert proxy.requests == []


@pytest.mark.parametrize("no_proxy", [REMOTE, ".invalid", "invalid", "*", f"other.example, {REMOTE.upper()}"])
def test_no_proxy_is_obeyed(environment: pytest.MonkeyPatch, proxy: ScriptedServer, no_proxy: str) -> None:
    """A host of NO_PROXY is connected to directly; others still go through the proxy."""
    environment.setenv("http_proxy", proxy.url)
    environment.setenv("no_proxy", no_proxy)
    with pytest.raises(RemoteUnavailableError, match="no connection"):
        fetch(f"http://{REMOTE}/")
    assert proxy.requests == []
    environment.setenv("no_proxy", "other.example")
    assert fetch(f"http://{REMOTE}/") == "by proxy"


def test_the_environment_can_be_left_out(environment: pytest.MonkeyPatch, proxy: ScriptedServer) -> None:
    """With `trust_env=False` no proxy is used."""
    environment.setenv("http_proxy", proxy.url)
    with pytest.raises(RemoteUnavailableError, match="no connection"):
        fetch(f"http://{REMOTE}/", trust_env=False)
    assert proxy.requests == []


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (502, RemoteUnavailableError, r"the test: the proxy made no connection \(HTTP 502\)"),
        (403, RemoteUnavailableError, r"the test: the proxy made no connection \(HTTP 403\)"),
        (407, ConfigurationError, r"the test: the proxy asks for a user name and password \(HTTP 407\)"),
    ],
)
def test_a_proxy_that_refuses_is_told_from_a_server_that_is_down(
    environment: pytest.MonkeyPatch, proxy: ScriptedServer, status: int, kind: type[DrmkitError], reason: str
) -> None:
    """What the proxy answers to CONNECT is told by its status; wrong proxy credentials are not tried again."""
    environment.setenv("https_proxy", proxy.url)
    proxy.respond = lambda _: Answer(status)
    with pytest.raises(kind, match=reason) as caught:
        fetch(f"https://{REMOTE}/cAnArY")
    assert "NO_PROXY" in str(caught.value.hint)
    assert [(request.method, request.target) for request in proxy.requests] == [("CONNECT", f"{REMOTE}:443")]
    assert "cAnArY" not in str(proxy.requests)


class TunnelServer(ScriptedServer):
    """A proxy that grants every tunnel, at whose end it answers itself, over TLS."""

    def __init__(self, end: ssl.SSLContext) -> None:
        super().__init__(lambda _: Answer(body=b"through the tunnel"))
        self._end = end

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(20)
        with contextlib.suppress(OSError), connection:
            self._read(connection)
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            with self._end.wrap_socket(connection, server_side=True) as stream:
                request = self._read(stream)
                assert request is not None
                self.requests.append(request)
                self._write(stream, self.respond(request))


def test_https_goes_through_a_tunnel(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Through a proxy the server's own certificate is checked, for the server's own name."""
    authority = Authority(tmp_path)
    with TunnelServer(authority.context(REMOTE)) as proxy:
        environment.setenv("https_proxy", proxy.url)
        assert fetch(f"https://{REMOTE}/x", ca_file=str(authority.ca_file)) == "through the tunnel"
        assert proxy.requests[0].target == "/x"
        with pytest.raises(TlsError, match="not trusted"):
            fetch(f"https://{REMOTE}/x")
        with pytest.raises(TlsError, match="mismatch"):
            fetch("https://other.invalid/x", ca_file=str(authority.ca_file))


def test_a_proxy_can_be_reached_by_https_itself(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An https:// proxy is held to the same authorities as a server."""
    authority = Authority(tmp_path)
    with ScriptedServer(lambda _: Answer(body=b"by proxy"), context=authority.context("127.0.0.1")) as proxy:
        environment.setenv("http_proxy", proxy.url)
        assert fetch(f"http://{REMOTE}/", ca_file=str(authority.ca_file)) == "by proxy"
        with pytest.raises(TlsError, match="not trusted"):
            fetch(f"http://{REMOTE}/")


@pytest.mark.parametrize(
    "url", ["socks5://user:cAnArY@127.0.0.1:1080", "http://user:cAnArY@[::1", "http://", "ftp://127.0.0.1"]
)
def test_a_proxy_that_cannot_be_used_is_a_configuration_error(environment: pytest.MonkeyPatch, url: str) -> None:
    """Another kind of proxy, or no URL at all, is told by its scheme alone: the rest may hold a password."""
    environment.setenv("http_proxy", url)
    with pytest.raises(ConfigurationError, match=f"a proxy that drmkit cannot use .{url.partition(':')[0]}://") as bad:
        fetch(f"http://{REMOTE}/")
    assert "cAnArY" not in str(bad.value)
    assert bad.value.__context__ is None


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", None])
def test_authorities_of_the_environment_are_trusted(
    environment: pytest.MonkeyPatch, tmp_path: Path, variable: str | None
) -> None:
    """SSL_CERT_FILE names further trust for the usual client; without it the test's authority is unknown."""
    authority = Authority(tmp_path)
    with ScriptedServer(lambda _: Answer(body=b"hi"), context=authority.context("127.0.0.1")) as server:
        if variable is None:
            with pytest.raises(TlsError, match="not trusted"):
                fetch(server.url)
            return
        environment.setenv(variable, str(authority.ca_file))
        assert fetch(server.url) == "hi"
        environment.setenv(variable, str(tmp_path / "missing.pem"))
        with pytest.raises(ConfigurationError, match="the certificate bundle cannot be read: SSL_CERT_FILE"):
            fetch(server.url)


def test_plain_http_reads_no_authorities(tmp_path: Path) -> None:
    """A call to loopback without TLS does not pay for certificates, nor fail for want of them."""
    missing = str(tmp_path / "missing.pem")
    with ScriptedServer(lambda _: Answer(body=b"hi")) as server:
        assert fetch(server.url, ca_file=missing) == "hi"
    with pytest.raises(ConfigurationError, match="cannot be read"):
        fetch("https://127.0.0.1:9", ca_file=missing)


def test_closing_twice_and_calling_again_works() -> None:
    """A closed transport opens new connections when it is used again."""
    transport = DeadlineTransport()
    with ScriptedServer(lambda _: Answer(body=b"hi")) as server:
        for _ in range(2):
            answer = transport.handle_request(httpx.Request("GET", server.url))
            assert answer.read() == b"hi"
            answer.close()
            transport.close()
    transport.close()


@pytest.mark.parametrize(
    ("host", "answer"),
    [
        ("localhost", True),
        ("LocalHost", True),
        ("127.0.0.1", True),
        ("127.255.255.254", True),
        ("::1", True),
        ("[::1]", True),
        ("", False),
        ("localhost.example.com", False),
        ("127.0.0.1.example.com", False),
        ("localhost.", False),
        ("128.0.0.1", False),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
        ("::", False),
        ("2130706433", False),
        ("127.1", False),
    ],
)
def test_loopback_is_told_by_name_or_address(host: str, answer: bool) -> None:
    """`localhost` and loopback literals stay on this machine; what merely looks like them does not count."""
    assert is_loopback(host) is answer
