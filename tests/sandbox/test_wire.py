"""Faults on the wire are real: late, byte by byte, cut or reset, for every role; and drmkit's clients end in time."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from speke_requests import request

from drmkit import cas
from drmkit.errors import DrmkitError, RateLimitedError, RemoteUnavailableError
from drmkit.http import HttpClient
from drmkit.keyserver.fetch import fetch_document
from drmkit.mps.client import MpsClient
from drmkit.mps.credentials import Credentials
from drmkit.retry import Retrier, RetryPolicy
from drmkit.sandbox import Sandbox
from drmkit.secret import Secret
from drmkit.speke.client import SpekeClient

ROLES = ("cas", "keyserver", "speke", "mps")
ONCE = Retrier(RetryPolicy(attempts=1))


@pytest.fixture
def http() -> Iterator[HttpClient]:
    """A client with time enough for whatever is not late on purpose."""
    with HttpClient(timeout=20.0) as client:
        yield client


@pytest.fixture
def hasty() -> Iterator[HttpClient]:
    """A client that gives up after 300 milliseconds."""
    with HttpClient(timeout=0.3) as client:
        yield client


def call(role: str, account: Any, http: HttpClient, *, retrier: Retrier = ONCE) -> object:
    """Let drmkit's own client of a role do its work."""
    sandbox: Sandbox = account.sandbox
    known = sandbox.credentials
    if role == "cas":
        person = cas.Credentials(known.username, known.password)
        client = cas.CasClient(f"{sandbox.url}/cas/v1/tickets", person, http=http, retrier=retrier)
        return client.service_ticket(sandbox.service)
    if role == "keyserver":
        return fetch_document(Secret(account.key_url("movie")), http=http, retrier=retrier)
    if role == "speke":
        return SpekeClient(f"{sandbox.url}/speke/v1.0/copyProtection", http=http, version="1.0").heartbeat()
    endpoint = MpsClient(sandbox.url, Credentials(known.secret_id, known.secret_key), http=http, retrier=retrier)
    return list(endpoint.describe_tasks("FINISH"))


@pytest.mark.parametrize("role", ROLES)
def test_without_faults_every_client_works(make: Callable[..., Any], http: HttpClient, role: str) -> None:
    """The benign twin of all that follows."""
    call(role, make(), http)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("kind", "delay"), [("slow", 3600.0), ("dripping", 25.0)])
def test_clients_end_with_their_deadline(
    make: Callable[..., Any], http: HttpClient, hasty: HttpClient, role: str, kind: str, delay: float
) -> None:
    """However late an answer is, in one piece or byte by byte, drmkit's client ends in time and says so."""
    account = make(fault_delay=delay)
    reason = "no complete answer within 0.3 seconds"
    with account.sandbox.faults.showing(f"{role}-{kind}"), pytest.raises(RemoteUnavailableError, match=reason):
        call(role, account, hasty)
    assert account.sandbox.faults.counts == {f"{role}-{kind}": 1}
    call(role, account, http)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("kind", ["dropped", "cut"])
def test_clients_say_that_the_connection_broke(
    make: Callable[..., Any], http: HttpClient, role: str, kind: str
) -> None:
    """A connection that is reset instead of answered, or ends in the middle of the body, is a clear error at once."""
    account = make()
    reason = "the connection broke"
    with account.sandbox.faults.showing(f"{role}-{kind}"), pytest.raises(RemoteUnavailableError, match=reason):
        call(role, account, http)
    assert account.sandbox.faults.counts == {f"{role}-{kind}": 1}
    call(role, account, http)


@pytest.mark.parametrize("kind", ["dropped", "cut"])
def test_another_try_works(make: Callable[..., Any], kind: str) -> None:
    """A fault that shows once is cured by one more try."""
    account = make()
    account.sandbox.faults.switch_on(f"keyserver-{kind}:1")
    again = Retrier(RetryPolicy(attempts=2, base=0.0))
    with HttpClient() as http:
        assert call("keyserver", account, http, retrier=again)
    assert account.sandbox.faults.counts == {f"keyserver-{kind}": 1}


def test_rate_limits_carry_their_time(make: Callable[..., Any], http: HttpClient) -> None:
    """429 comes with Retry-After, which reaches the caller of the key server and of the SPEKE provider."""
    account = make()
    provider = SpekeClient(f"{account.sandbox.url}/speke/v2.0/copyProtection", http=http, retrier=ONCE)
    with account.sandbox.faults.showing("keyserver-rate-limited", "speke-rate-limited"):
        with pytest.raises(RateLimitedError) as by_url:
            call("keyserver", account, http)
        with pytest.raises(RateLimitedError) as by_speke:
            provider.request(request("2.0"))
    assert (by_url.value.retry_after, by_speke.value.retry_after) == (30.0, 30.0)
    assert len(provider.request(request("2.0")).content_keys) > 0


def raw(sandbox: Sandbox, message: bytes) -> socket.socket:
    """Send bytes to a sandbox."""
    parts = urlsplit(sandbox.url)
    connection = socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=20)
    connection.sendall(message)
    return connection


GET = b"GET /speke/v1.0/heartbeat HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
BODY = b"the drmkit sandbox is alive"


def pieces(connection: socket.socket) -> list[bytes]:
    """What arrives, read by read, until the other side closes."""
    found = []
    with connection:
        while piece := connection.recv(4096):
            found.append(piece)
    return found


def test_dripping_comes_byte_by_byte(make: Callable[..., Any]) -> None:
    """The body arrives in pieces of a byte with pauses between, and is whole in the end."""
    account = make(fault_delay=0.5)
    assert len(pieces(raw(account.sandbox, GET))) <= 2
    with account.sandbox.faults.showing("speke-dripping"):
        found = pieces(raw(account.sandbox, GET))
    assert b"".join(found).endswith(b"\r\n\r\n" + BODY)
    assert sum(len(piece) == 1 for piece in found) > 2  # a reader that is late finds several in one piece


def test_dropped_is_a_reset_before_any_byte(make: Callable[..., Any]) -> None:
    """The connection is accepted, and reset instead of answered."""
    account = make()
    with account.sandbox.faults.showing("speke-dropped"):
        connection = raw(account.sandbox, GET)
        with connection, pytest.raises(ConnectionResetError):
            connection.recv(1)
    (exchange,) = account.sandbox.exchanges("speke")
    assert (exchange.status, exchange.dropped, exchange.faults) == (None, True, ["speke-dropped"])


def test_cut_ends_in_the_middle_of_the_body(make: Callable[..., Any]) -> None:
    """Headers promise the whole body, half of it comes, and then the connection is closed."""
    account = make()
    with account.sandbox.faults.showing("speke-cut"):
        head, _, body = b"".join(pieces(raw(account.sandbox, GET))).partition(b"\r\n\r\n")
    assert f"content-length: {len(BODY)}".encode() in head.lower()
    assert body == BODY[: len(BODY) // 2]


def test_slow_answers_are_whole(make: Callable[..., Any], client: Any) -> None:
    """A slow answer is late, and otherwise what it would have been."""
    account = make(fault_delay=0.05)
    with account.sandbox.faults.showing("speke-slow"):
        assert client.get(f"{account.sandbox.url}/speke/v1.0/heartbeat").body == BODY
    (exchange,) = account.sandbox.exchanges("speke")
    assert exchange.seconds is not None
    assert exchange.seconds >= 0.05


@pytest.mark.parametrize("kind", ["slow", "dripping"])
def test_stop_does_not_wait_for_late_answers(
    make: Callable[..., Any], caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    """A sandbox that is stopped while answers are late on purpose ends them, quietly."""
    account = make(fault_delay=3600.0)
    account.sandbox.faults.switch_on(f"speke-{kind}")
    with raw(account.sandbox, GET) as connection:
        if kind == "dripping":
            assert connection.recv(4096).startswith(b"HTTP/1.1 200")
        while not account.sandbox.faults.counts:
            time.sleep(0.005)
        account.sandbox.stop()
        with pytest.raises(ConnectionResetError):
            pieces(connection)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_a_task_says_what_the_key_server_did(make: Callable[..., Any]) -> None:
    """Where the key server drops the connection, the media task fails with that reason."""
    account = make()
    drm = {"Type": "widevine", "SpekeDrm": {"ResourceId": "m", "KeyServerUrl": account.key_url("m", **CENC)}}
    with account.sandbox.faults.showing("keyserver-dropped"):
        task = account.sandbox._running()._tasks.create(job(drm))
        while task.status != "FINISH":
            time.sleep(0.005)
    assert task.subtasks[0].error == "InvalidInput"
    assert "the connection broke" in task.subtasks[0].message


CENC = {"x-signaling-alg": "cenc"}


def job(drm: dict[str, Any]) -> dict[str, Any]:
    """A checked ProcessMedia request with one DRM task."""
    return {
        "InputInfo": {"Type": "URL", "UrlInputInfo": {"Url": "https://media.example.com/m.mp4"}},
        "MediaProcessTask": {"AdaptiveDynamicStreamingTaskSet": [{"Definition": 12, "DrmInfo": drm}]},
    }


@pytest.mark.parametrize("fault", ["cas-clock-ahead", "keyserver-clock-ahead"])
def test_a_clock_that_is_ahead_shows_in_its_date(make: Callable[..., Any], client: Any, fault: str) -> None:
    """The Date of the role is an hour ahead of the machine; of other roles it is right."""
    account = make(clock=lambda: 1_700_000_000.0)
    urls = {"cas": f"{account.sandbox.url}/cas/v1/tickets", "keyserver": account.sandbox.service}
    method = {"cas": "POST", "keyserver": "GET"}
    with account.sandbox.faults.showing(fault):
        dates = {role: client.call(method[role], url).headers["date"] for role, url in urls.items()}
    role = fault.partition("-")[0]
    assert dates.pop(role) == "Tue, 14 Nov 2023 23:13:20 GMT"
    assert list(dates.values()) == ["Tue, 14 Nov 2023 22:13:20 GMT"]


def test_a_key_server_ahead_finds_tickets_expired(make: Callable[..., Any], client: Any) -> None:
    """Tickets that live less than an hour are refused by a clock that is ahead, and opened by one that is right."""
    account = make(ticket_lifetime=1800.0)
    url = account.key_url("movie")
    with account.sandbox.faults.showing("keyserver-clock-ahead"):
        assert client.get(url).status == 401
    assert client.get(url).status == 200


def test_a_rate_limit_fits_the_clock_that_is_ahead(make: Callable[..., Any], http: HttpClient) -> None:
    """The date in Retry-After is told by the same clock as Date, so that the wait is a minute all the same."""
    account = make()
    with account.sandbox.faults.showing("cas-clock-ahead", "cas-rate-limited"), pytest.raises(DrmkitError) as caught:
        call("cas", account, http)
    assert isinstance(caught.value, RateLimitedError)
    assert caught.value.retry_after == 60.0


def test_single_use_comes_by_fault(make: Callable[..., Any], client: Any) -> None:
    """A ticket that was issued under the fault works once; one issued before stays good."""
    account = make()
    before = account.key_url("movie")
    account.sandbox.faults.switch_on("cas-single-use:1")
    once, after = account.key_url("movie"), account.key_url("movie")
    assert [client.get(url).status for url in (once, once)] == [200, 401]
    assert [client.get(url).status for url in (before, before, after, after)] == [200] * 4


def test_content_types_can_be_wrong(make: Callable[..., Any], client: Any) -> None:
    """A document under text/html is the same document; an MPS answer gets a charset."""
    account = make()
    url = account.key_url("movie")
    right = client.get(url)
    with account.sandbox.faults.showing("keyserver-content-type", "mps-content-type"):
        wrong = client.get(url)
        api = client.call("POST", account.sandbox.url, headers={"X-TC-Action": "DescribeTasks"})
    assert right.headers["content-type"] == "application/xml"
    assert wrong.headers["content-type"].startswith("text/html")
    assert wrong.body == right.body
    assert api.headers["content-type"] == "application/json; charset=utf-8"
