"""The HTTP client against servers that misbehave in every way: the error, its reason, and what it must not hold."""

from __future__ import annotations

import contextlib
import gzip
import logging
import socket
import threading
import traceback
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpcore
import httpx
import pytest
from certificates import Authority
from scripted import Answer, Request, ScriptedServer

from drmkit.errors import (
    ConfigurationError,
    DrmkitError,
    ProtocolError,
    RemoteUnavailableError,
    TlsError,
)
from drmkit.http import HttpClient, Response

CANARY = "cAnArY"
SECRET_PATH = f"/cas/{CANARY}?ticket={CANARY}"
SECRET_HEADERS = {"X-Api-Key": CANARY}


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A server that answers 200 with a short body until a test says otherwise."""
    with ScriptedServer(lambda _: Answer(body=b"hello")) as running:
        yield running


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A certificate authority that no machine trusts."""
    return Authority(tmp_path_factory.mktemp("certificates"))


class RawServer:
    """Accept connections on loopback and hand each socket to a function; its `with` block gives the URL."""

    def __init__(self, serve: Callable[[socket.socket], object]) -> None:
        self._serve = serve
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> str:
        self._thread.start()
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(20)

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                connection.settimeout(20)
                with connection, contextlib.suppress(OSError):
                    self._serve(connection)


def ask(url: str, *, timeout: float = 5.0, ca_file: Path | None = None, **options: object) -> Response:
    """One GET whose URL and headers hold a secret."""
    with HttpClient(timeout=timeout, ca_file=None if ca_file is None else str(ca_file)) as http:
        return http.request("GET", url, purpose="the test", headers=SECRET_HEADERS, **options)  # type: ignore[arg-type] # options vary by test


def check_clean(error: BaseException) -> None:
    """Assert that no text, traceback, cause or context of an error holds a secret or a foreign exception."""
    assert CANARY not in "".join(traceback.format_exception(error))
    assert CANARY not in repr(error)
    assert error.__cause__ is None
    assert error.__context__ is None


def mocked(error: Exception | None = None, *, answer: httpx.Response | None = None) -> HttpClient:
    """A client whose transport raises or answers this."""

    def respond(_: httpx.Request) -> httpx.Response:
        if error is not None:
            raise error
        return answer or httpx.Response(200)

    return HttpClient(transport=httpx.MockTransport(respond))


def test_a_good_answer_comes_whole(server: ScriptedServer) -> None:
    """Status, headers and body arrive, and the request is what was asked for, with drmkit's name on it."""
    server.respond = lambda _: Answer(207, b"\xc3\xbc\xff", {"X-Thing": "a"})
    answer = ask(server.url + SECRET_PATH)
    assert (answer.status, answer.headers["x-thing"], answer.body, answer.text) == (
        207,
        "a",
        b"\xc3\xbc\xff",
        "ü\ufffd",
    )
    (request,) = server.requests
    assert (request.method, request.target) == ("GET", SECRET_PATH)
    assert request.headers["user-agent"].startswith("drmkit/")
    assert request.headers["accept-encoding"] == "identity"
    assert request.headers["x-api-key"] == CANARY


def test_forms_and_bodies_are_sent_byte_for_byte(server: ScriptedServer) -> None:
    """A form is encoded by the library; a body goes as it is; own headers replace the usual ones in any case."""
    with HttpClient() as http:
        http.request("POST", server.url, purpose="x", form={"password": "p&+%= ü", "empty": ""})
        http.request("PUT", server.url, purpose="x", content=b"\x00\xff", headers={"user-agent": "mine"})
    form, body = server.requests
    assert form.form == {"password": "p&+%= ü", "empty": ""}
    assert form.headers["content-type"] == "application/x-www-form-urlencoded"
    assert (body.method, body.body, body.headers["user-agent"]) == ("PUT", b"\x00\xff", "mine")


def test_a_response_shows_neither_headers_nor_body() -> None:
    """The repr of a response holds its status alone."""
    answer = mocked(answer=httpx.Response(200, text=CANARY, headers={"Location": CANARY})).request(
        "GET", "https://h", purpose="x"
    )
    assert repr(answer) == "Response(status=200)"


def test_connections_are_kept_for_the_next_call() -> None:
    """A server that keeps the connection open is called twice over one connection."""
    body = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    connections: list[int] = []

    def serve(stream: socket.socket) -> None:
        connections.append(1)
        for _ in range(2):
            stream.recv(65536)
            stream.sendall(body)

    with RawServer(serve) as url, HttpClient() as http:
        assert [http.request("GET", url, purpose="x").text for _ in range(2)] == ["ok", "ok"]
    assert connections == [1]


def test_redirects_are_answers_and_are_not_followed(server: ScriptedServer) -> None:
    """A redirect comes back as it is: a ticket must not travel to another host."""
    server.respond = lambda _: Answer(302, headers={"Location": server.url + "/elsewhere"})
    assert ask(server.url).status == 302
    assert len(server.requests) == 1


SLOW = {
    "never answers": Answer(silent=True),
    "drips its headers": Answer(body=b"x", drip_seconds=0.1),
    "drips its body": Answer(raw=b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100, drip_seconds=0.1),
}


@pytest.mark.parametrize("answer", SLOW.values(), ids=list(SLOW))
def test_a_server_that_takes_too_long_is_given_up(server: ScriptedServer, answer: Answer) -> None:
    """The limit bounds the whole exchange: silence and a byte now and then both end with the same error."""
    server.respond = lambda _: answer
    with pytest.raises(RemoteUnavailableError, match=r"the test: no complete answer within 0\.5 seconds") as caught:
        ask(server.url + SECRET_PATH, timeout=0.5)
    assert "`timeout`" in str(caught.value.hint)
    check_clean(caught.value)


def test_a_body_that_drips_after_whole_headers_is_given_up() -> None:
    """Headers that come at once do not lend the body more time."""

    def serve(stream: socket.socket) -> None:
        stream.recv(65536)
        stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(100):
            stream.sendall(b"x")
            if server_stopped.wait(0.1):
                return

    server_stopped = threading.Event()
    with RawServer(serve) as url, contextlib.ExitStack() as at_the_end:
        at_the_end.callback(server_stopped.set)
        with pytest.raises(RemoteUnavailableError, match=r"within 0\.5 seconds"):
            ask(url, timeout=0.5)


def test_a_slow_server_within_the_limit_is_waited_for(server: ScriptedServer) -> None:
    """The benign twin: drips that end in time are an answer."""
    server.respond = lambda _: Answer(body=b"ok", drip_seconds=0.001)
    assert ask(server.url, timeout=20).text == "ok"


def test_one_call_can_have_its_own_limit(server: ScriptedServer) -> None:
    """`timeout` of a call replaces the client's, in the error's text too."""
    server.respond = lambda _: Answer(silent=True)
    with HttpClient(timeout=60) as http, pytest.raises(RemoteUnavailableError, match=r"within 0\.3 seconds"):
        http.request("GET", server.url, purpose="x", timeout=0.3)


BROKEN = {
    "closes at once": (b"", "the connection broke before a complete answer came"),
    "speaks SSH": (f"SSH-2.0-{CANARY}\r\n\r\n".encode(), "or the answer is not HTTP"),
    "half a header": (b"HTTP/1.1 200 OK\r\nContent-", "the connection broke"),
    "half a body": (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", "the connection broke"),
    "a header without a colon": (f"HTTP/1.1 200 OK\r\n{CANARY}\r\n\r\n".encode(), "or the answer is not HTTP"),
    "two lengths": (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", "or the answer is not HTTP"),
    "a chunk of no size": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "or the answer is not HTTP"),
    "endless headers": (b"HTTP/1.1 200 OK\r\n" + b"X: " + b"a" * 200_000, "the connection broke"),
    "random bytes": (bytes(range(256)) * 8, "the connection broke"),
}


@pytest.mark.parametrize(("raw", "reason"), BROKEN.values(), ids=list(BROKEN))
def test_garbage_is_unavailability(server: ScriptedServer, raw: bytes, reason: str) -> None:
    """A dropped connection or bytes that are no HTTP are worth another try, and nothing of them is repeated."""
    server.respond = lambda _: Answer(raw=raw)
    with pytest.raises(RemoteUnavailableError, match=f"the test: .*{reason}") as caught:
        ask(server.url + SECRET_PATH)
    check_clean(caught.value)


@pytest.mark.parametrize("framing", ["length", "chunked", "until the end"])
def test_a_body_over_its_limit_is_refused(server: ScriptedServer, framing: str) -> None:
    """A body of just the limit is read; one byte more is refused, however the body is framed."""
    heads = {
        "length": lambda body: b"Content-Length: %d\r\n\r\n%b" % (len(body), body),
        "chunked": lambda body: b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body),
        "until the end": lambda body: b"\r\n" + body,
    }
    for size in (1000, 1001):
        raw = b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + heads[framing](b"x" * size)
        server.respond = lambda _, raw=raw: Answer(raw=raw)  # type: ignore[misc] # the default binds the loop's value
        if size == 1000:
            assert len(ask(server.url, max_body=1000).body) == 1000
        else:
            with pytest.raises(ProtocolError, match="the test: the answer is larger than 1000 bytes") as caught:
                ask(server.url, max_body=1000)
            check_clean(caught.value)


@pytest.mark.parametrize(
    ("name", "compress"),
    [("gzip", gzip.compress), ("X-GZIP", gzip.compress), ("deflate", zlib.compress)],
)
def test_a_body_that_is_compressed_unasked_is_read(
    server: ScriptedServer, name: str, compress: Callable[[bytes], bytes]
) -> None:
    """A server that ignores Accept-Encoding is understood, up to its limit: a bomb is refused before it is unpacked."""
    server.respond = lambda _: Answer(body=compress(b"hello" * 100), headers={"Content-Encoding": name})
    assert ask(server.url, max_body=500).body == b"hello" * 100
    bomb = Answer(body=compress(bytes(50_000_000)), headers={"Content-Encoding": name})
    server.respond = lambda _: bomb
    tracemalloc.start()
    with pytest.raises(ProtocolError, match="larger than 500 bytes"):
        ask(server.url, max_body=500)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


@pytest.mark.parametrize(
    ("encoding", "body", "kind", "reason"),
    [
        ("gzip", b"no gzip at all", RemoteUnavailableError, "the connection broke .* or the answer is not HTTP"),
        ("gzip", gzip.compress(b"hello" * 99, mtime=0)[:-9], RemoteUnavailableError, "the connection broke"),
        ("br", b"x", ProtocolError, "a Content-Encoding that was not asked for"),
        ("gzip, gzip", b"x", ProtocolError, "a Content-Encoding that was not asked for"),
    ],
)
def test_a_body_that_cannot_be_decompressed_is_refused(
    server: ScriptedServer, encoding: str, body: bytes, kind: type[DrmkitError], reason: str
) -> None:
    """Broken or unknown compression is an error with its reason; an empty body needs no decompression."""
    server.respond = lambda _: Answer(body=body, headers={"Content-Encoding": encoding})
    with pytest.raises(kind, match=reason) as caught:
        ask(server.url)
    check_clean(caught.value)
    server.respond = lambda _: Answer(headers={"Content-Encoding": "gzip"})
    assert ask(server.url).body == b""


@pytest.mark.parametrize(
    "url",
    [
        f"ftp://example.com/{CANARY}",
        f"//example.com/{CANARY}",
        f"/{CANARY}",
        CANARY,
        "",
        f"http:///{CANARY}",
        f"http://:80/{CANARY}",
        f"http://127.0.0.1:0/{CANARY}",
        f"http://127.0.0.1:65536/{CANARY}",
        f"http://127.0.0.1:99999999999/{CANARY}",
        f"http://127.0.0.1:port/{CANARY}",
        f"http://[::1/{CANARY}",
        f"http://127.0.0.1/{CANARY}\n",
        f"http://127.0.0.1/{CANARY}\x00",
    ],
)
def test_what_is_no_http_url_is_refused(url: str) -> None:
    """A URL of another scheme, without a host, with an impossible port or control characters is told, not shown."""
    with pytest.raises(ProtocolError, match="the test: the URL is not a usable http or https URL") as caught:
        ask(url)
    check_clean(caught.value)


@pytest.mark.parametrize(
    ("headers", "form"),
    [
        ({"X-Key": f"a\r\nX-Other: {CANARY}"}, None),
        ({"X Key": CANARY}, None),
        ({"X-Key": f"{CANARY}ü"}, None),
        ({}, {"password": f"{CANARY}\ud800"}),
        ({}, {"password": CANARY * 3 + "\udcff"}),
    ],
)
def test_what_cannot_be_sent_is_told_without_being_shown(
    server: ScriptedServer, headers: dict[str, str], form: dict[str, str] | None
) -> None:
    """A header with a line break, or a password that is no text, is no reason to try again, and never shown."""
    with (
        HttpClient() as http,
        pytest.raises(ProtocolError, match="the test: .* holds characters that cannot be sent") as caught,
    ):
        http.request("POST", server.url, purpose="the test", headers=headers, form=form)
    check_clean(caught.value)
    assert server.requests == []


def test_a_refused_connection_says_why() -> None:
    """Nobody listens: the error holds the system's reason and what to check."""
    with ScriptedServer() as gone:
        url = gone.url
    with pytest.raises(RemoteUnavailableError, match=r"the test: no connection \(Connection refused\)") as caught:
        ask(url + SECRET_PATH)
    assert "host name" in str(caught.value.hint)
    check_clean(caught.value)


def test_an_unknown_host_says_why() -> None:
    """A name without an address is unavailability: name servers fail, too."""
    with pytest.raises(RemoteUnavailableError, match=r"the test: no connection \(.*[Nn]ame") as caught:
        ask(f"https://nowhere.invalid{SECRET_PATH}", timeout=20)
    check_clean(caught.value)


def test_a_host_name_that_no_resolver_takes_is_no_url() -> None:
    """A label of more than 63 characters is refused like any unusable URL, and does not escape as a UnicodeError."""
    with pytest.raises(ProtocolError, match="the test: "):
        ask(f"http://{'a' * 64}.example/")


def test_a_self_signed_certificate_is_refused_with_the_reason(authority: Authority) -> None:
    """An untrusted certificate is a TlsError with OpenSSL's reason; with `ca_file` the same server is trusted."""
    with ScriptedServer(lambda _: Answer(body=b"hi"), context=authority.context("127.0.0.1")) as server:
        with pytest.raises(TlsError, match=r"the test: the server's certificate is not trusted \(.*certificate") as bad:
            ask(server.url + SECRET_PATH)
        assert "`ca_file`" in str(bad.value.hint)
        check_clean(bad.value)
        assert server.requests == []
        assert ask(server.url + SECRET_PATH, ca_file=authority.ca_file).text == "hi"


@pytest.mark.parametrize(
    ("host", "days", "reason"),
    [("other.example", 1, "mismatch"), ("127.0.0.1", -1, "expired")],
)
def test_a_wrong_certificate_of_a_trusted_authority_is_refused(
    authority: Authority, host: str, days: int, reason: str
) -> None:
    """A trusted authority does not excuse the wrong host or an ended certificate."""
    with (
        ScriptedServer(context=authority.context(host, days=days)) as server,
        pytest.raises(TlsError, match=reason) as caught,
    ):
        ask(server.url + SECRET_PATH, ca_file=authority.ca_file)
    check_clean(caught.value)


def test_http_on_the_https_port_is_a_tls_error() -> None:
    """A plain HTTP server behind an https URL: no TLS, and the hint names the port."""

    def serve(stream: socket.socket) -> None:
        stream.recv(65536)
        stream.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    with RawServer(serve) as url, pytest.raises(TlsError, match="no TLS connection could be made") as caught:
        ask(url.replace("http:", "https:") + SECRET_PATH)
    assert "https port" in str(caught.value.hint)
    check_clean(caught.value)


def test_a_connection_cut_in_the_handshake_is_worth_another_try() -> None:
    """A server that hangs up in the handshake may be restarting: no verdict on its certificate."""
    with RawServer(lambda stream: bool(stream.recv(65536))) as url, pytest.raises(RemoteUnavailableError) as caught:
        ask(url.replace("http:", "https:") + SECRET_PATH)
    assert "the test: " in caught.value.message
    check_clean(caught.value)


def test_a_handshake_that_never_ends_is_given_up() -> None:
    """The limit holds in the handshake, too."""
    stopped = threading.Event()
    with RawServer(lambda _: stopped.wait(20)) as url:
        with pytest.raises(RemoteUnavailableError, match=r"within 0\.4 seconds"):
            ask(url.replace("http:", "https:"), timeout=0.4)
        stopped.set()


@pytest.mark.parametrize(("content", "reason"), [(None, "No such file"), ("no certificate", "")])
def test_a_bad_certificate_bundle_is_a_configuration_error(
    tmp_path: Path, authority: Authority, content: str | None, reason: str
) -> None:
    """A bundle that is missing or holds no certificate is named, and is no reason to trust anybody."""
    bundle = tmp_path / "ca.pem"
    if content is not None:
        bundle.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=f"the certificate bundle cannot be read: {bundle}.*{reason}"):
        ask("https://127.0.0.1:9", ca_file=bundle)


FOREIGN: dict[str, tuple[Exception, type[DrmkitError], str]] = {
    "httpx time-out": (httpx.ReadTimeout(CANARY), RemoteUnavailableError, "no complete answer within 10 seconds"),
    "pool time-out": (httpcore.PoolTimeout(CANARY), RemoteUnavailableError, "no complete answer"),
    "httpx connect error": (httpx.ConnectError(CANARY), RemoteUnavailableError, "no connection"),
    "httpx invalid URL": (httpx.InvalidURL(CANARY), ProtocolError, "not a usable"),
    "httpx protocol error": (httpx.RemoteProtocolError(CANARY), RemoteUnavailableError, "is not HTTP"),
    "httpx local error": (httpx.LocalProtocolError(CANARY), ProtocolError, "cannot be sent"),
    "network error": (httpcore.ReadError(CANARY), RemoteUnavailableError, "the connection broke"),
    "system error": (OSError(CANARY), RemoteUnavailableError, "the connection broke"),
    "no connection free": (httpcore.ConnectionNotAvailable(CANARY), RemoteUnavailableError, "the connection broke"),
    "proxy refusal": (httpcore.ProxyError(f"502 {CANARY}"), RemoteUnavailableError, r"the proxy made .*\(HTTP 502\)"),
    "proxy nonsense": (httpx.ProxyError(CANARY), RemoteUnavailableError, r"the proxy made .*\(it gave no reason\)"),
    "proxy log-in": (httpcore.ProxyError(f"407 {CANARY}"), ConfigurationError, "asks for a user name and password"),
}


@pytest.mark.parametrize(("error", "kind", "reason"), FOREIGN.values(), ids=list(FOREIGN))
def test_every_foreign_exception_becomes_drmkits_own(error: Exception, kind: type[DrmkitError], reason: str) -> None:
    """Whatever the HTTP libraries raise is translated, its text dropped and the exception itself let go."""
    with pytest.raises(kind, match=f"the test: .*{reason}") as caught:
        mocked(error).request("GET", f"https://h/{CANARY}", purpose="the test")
    check_clean(caught.value)


def test_a_broken_transport_is_a_bug_and_not_hidden() -> None:
    """What no HTTP library should raise is let through: hiding it would hide a bug."""
    with pytest.raises(ZeroDivisionError):
        mocked(ZeroDivisionError()).request("GET", "https://h", purpose="x")


class Records(logging.Handler):
    """Keeps every record."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self.records.append(record)

    @property
    def text(self) -> str:
        """All records as text."""
        return "\n".join(f"{record.name} {record.getMessage()} {record.args}" for record in self.records)


@pytest.fixture
def records() -> Iterator[Records]:
    """What reaches the root logger while it lets everything through."""
    handler, root = Records(), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler
    root.removeHandler(handler)
    root.setLevel(before)


def test_the_http_libraries_are_silent_during_drmkits_calls(
    server: ScriptedServer, records: Records, authority: Authority
) -> None:
    """With everything logged, neither good nor failing calls leave a URL, a header or a body in any record."""
    server.respond = lambda _: Answer(body=CANARY.encode(), headers={"Location": CANARY})
    ask(server.url + SECRET_PATH)
    for raw in (b"", f"SSH-{CANARY}\r\n\r\n".encode()):
        server.respond = lambda _, raw=raw: Answer(raw=raw)  # type: ignore[misc]
        with pytest.raises(RemoteUnavailableError):
            ask(server.url + SECRET_PATH)
    with ScriptedServer(context=authority.context("127.0.0.1")) as secure, pytest.raises(TlsError):
        ask(secure.url + SECRET_PATH)
    assert CANARY not in records.text
    assert server.url not in records.text
    names = {record.name.partition(".")[0] for record in records.records}
    assert names == {"drmkit"}
    assert "the test: GET, HTTP 200, " in records.text


def test_an_applications_own_calls_still_log(server: ScriptedServer, records: Records) -> None:
    """The silence is drmkit's alone: the application's httpx calls log before, after and during drmkit's."""

    def respond(request: Request) -> Answer:
        if request.target == "/drmkit":
            with httpx.Client(trust_env=False) as own:
                own.get(f"{server.url}/application")
        return Answer()

    server.respond = respond
    ask(f"{server.url}/drmkit")
    text = records.text
    assert f'HTTP Request: GET {server.url}/application "HTTP/1.1 200' in text
    assert "httpcore" in text
    assert "/drmkit" not in text


def test_silence_ends_after_a_failure(server: ScriptedServer, records: Records) -> None:
    """A failed call does not leave the libraries silent for the rest of the thread's life."""
    server.respond = lambda _: Answer(raw=b"")
    with pytest.raises(RemoteUnavailableError):
        ask(server.url)
    server.respond = lambda _: Answer()
    with httpx.Client(trust_env=False) as own:
        own.get(f"{server.url}/application")
    assert "/application" in records.text


@pytest.mark.parametrize(
    ("body", "is_page"),
    [
        (b"<!DOCTYPE html><html>", True),
        (b"\r\n\t <HTML lang=en>", True),
        (b"<?xml version='1.0'?><cpix:CPIX/>", False),
        (b"ST-1", False),
        (b"", False),
    ],
)
def test_a_page_is_known_by_its_start(body: bytes, is_page: bool) -> None:
    """HTML is told from XML and from tickets by the first bytes, whatever the Content-Type."""
    assert Response(200, httpx.Headers(), body).looks_like_html is is_page


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "Sat, 21 Nov 2026 12:00:30 GMT"}, 30),
        ({"Retry-After": "Sat, 21 Nov 2026 12:00:30 GMT", "Date": "Sat, 21 Nov 2026 12:00:20 GMT"}, 10),
        ({"Retry-After": "Sat, 21 Nov 2026 12:00:30 GMT", "Date": "yesterday"}, 30),
    ],
)
def test_a_retry_date_is_read_against_the_servers_clock(headers: dict[str, str], seconds: float | None) -> None:
    """Where the server tells its time, the wait is measured by it, so that a wrong clock here does not matter."""
    now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    assert Response(503, httpx.Headers(headers), b"").retry_after(now) == seconds


def test_a_retry_date_needs_no_clock() -> None:
    """Without a clock of the caller's or the server's, the machine's is used; a past date is no wait."""
    past = httpx.Headers({"Retry-After": "Sat, 21 Nov 1998 12:00:30 GMT"})
    assert Response(503, past, b"").retry_after() == 0


def test_twenty_threads_share_one_client(server: ScriptedServer) -> None:
    """A client is thread-safe from its first call on."""
    got: list[str] = []
    with HttpClient(timeout=30) as http:
        threads = [
            threading.Thread(target=lambda: got.append(http.request("GET", server.url, purpose="x").text))
            for _ in range(20)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert got == ["hello"] * 20
