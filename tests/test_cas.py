"""The CAS client against scripted servers: what it accepts, what it refuses and why."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from scripted import TICKETS, Answer, Cas, Request, ScriptedServer, created

from drmkit.cas import CasClient, Credentials, check_ticket
from drmkit.errors import (
    ConfigurationError,
    CredentialsRejectedError,
    ProtocolError,
    RateLimitedError,
    RemoteUnavailableError,
    ServiceRejectedError,
)
from drmkit.http import HttpClient
from drmkit.retry import Retrier, RetryPolicy
from drmkit.secret import Secret

SERVICE = "https://fe.drmtoday.com/frontend/cpix/v1/6f1c1bb8-3a0e-4a53-bd3c-2c5a4d8f7a10/ingest/510466cc"
PASSWORD = "p&+%= ü::@"
BASE = "https://auth.example.com/cas/v1/tickets"


def client(
    respond: Callable[[httpx.Request], httpx.Response], *, waits: list[float] | None = None, attempts: int = 3
) -> CasClient:
    """A client whose requests go to a function; waits are recorded, not slept."""
    sleep: Callable[[float], None] = waits.append if waits is not None else lambda _: None
    retrier = Retrier(RetryPolicy(attempts=attempts), sleep=sleep, uniform=lambda _, high: high)
    http = HttpClient(transport=httpx.MockTransport(respond))
    return CasClient(BASE, Credentials("merchant::api", Secret(PASSWORD)), http=http, retrier=retrier)


def answering(login: Any, ticket: Any = None) -> Callable[[httpx.Request], httpx.Response]:
    """Answer logins and ticket requests with a response, or with what a function makes of the request."""
    good_login = httpx.Response(201, headers={"Location": f"{BASE}/TGT-1"})
    good_ticket = httpx.Response(200, text="ST-1")

    def respond(request: httpx.Request) -> httpx.Response:
        is_login = request.url.path == TICKETS
        chosen = (login or good_login) if is_login else (ticket or good_ticket)
        return chosen(request) if callable(chosen) else chosen

    return respond


def located(url: str) -> httpx.Response:
    """A 201 whose Location is this."""
    return httpx.Response(201, headers={"Location": url})


def test_the_two_posts_are_form_encoded_as_the_protocol_says(cas_server: ScriptedServer) -> None:
    """Both POSTs are form-encoded by the HTTP library, so any password and any user name arrive as they are."""
    cas = CasClient(cas_server.url + TICKETS, Credentials("merchant::api", Secret(PASSWORD)), http=HttpClient())
    with cas:
        ticket = cas.service_ticket(SERVICE)
    login, ask = cas_server.requests
    assert (login.method, login.target) == ("POST", TICKETS)
    assert login.headers["content-type"] == "application/x-www-form-urlencoded"
    assert login.form == {"username": "merchant::api", "password": PASSWORD}
    assert ask.form == {"service": SERVICE}
    assert ask.target.startswith(f"{TICKETS}/TGT-1-")
    assert ticket.reveal() == "ST-1-cAnArY+/="


def test_one_login_serves_many_service_tickets(cas_server: ScriptedServer) -> None:
    """A ticket-granting ticket is reused for every further service ticket."""
    cas = Cas()
    cas_server.respond = cas.respond
    with CasClient(cas_server.url + TICKETS, Credentials("u", Secret("p")), http=HttpClient()) as client_:
        tickets = [client_.service_ticket(SERVICE).reveal() for _ in range(3)]
    assert cas.logins == 1
    assert len(set(tickets)) == 3


def test_twenty_threads_share_one_login(cas_server: ScriptedServer) -> None:
    """The client is thread-safe: threads that start together log in once."""
    cas = Cas()
    cas_server.respond = cas.respond
    got: list[str] = []
    with CasClient(cas_server.url + TICKETS, Credentials("u", Secret("p")), http=HttpClient()) as client_:
        threads = [
            threading.Thread(target=lambda: got.append(client_.service_ticket(SERVICE).reveal())) for _ in range(20)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert cas.logins == 1
    assert len(got) == 20


@pytest.mark.parametrize("status", [400, 401, 404])
def test_a_tgt_that_is_gone_leads_to_one_new_login(status: int) -> None:
    """400, 401 or 404 from the TGT URL means that the TGT is gone: one new login, then the ticket."""
    seen: list[str] = []

    def respond(request: httpx.Request) -> httpx.Response:
        if request.url.path == TICKETS:
            seen.append("login")
            return located(f"{BASE}/TGT-{len(seen)}")
        seen.append(request.url.path.rpartition("/")[2])
        return (
            httpx.Response(status, text="TGT-1 could not be found")
            if "TGT-1" in seen[-1]
            else httpx.Response(200, text="ST-9")
        )

    assert client(respond).service_ticket(SERVICE).reveal() == "ST-9"
    assert seen == ["login", "TGT-1", "login", "TGT-3"]


@pytest.mark.parametrize("status", [400, 401, 404])
def test_a_service_that_a_fresh_login_is_refused_is_not_asked_for_again(status: int) -> None:
    """Where a new TGT is refused too, the service is at fault: stop after one new login and say what to check."""
    seen: list[str] = []

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.path)
        return located(f"{BASE}/TGT-{len(seen)}") if request.url.path == TICKETS else httpx.Response(status, text="no")

    with pytest.raises(ServiceRejectedError, match="gives no ticket for https://fe.drmtoday.com") as caught:
        client(respond).service_ticket(SERVICE)
    assert seen.count(TICKETS) == 2
    assert len(seen) == 4
    assert "organization UUID" in str(caught.value.hint)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("status", [400, 404, 500])
def test_a_service_that_the_cas_names_as_unknown_needs_no_second_login(status: int) -> None:
    """CAS's own sentence for an unknown service is understood under any status, a 500 included."""
    logins: list[int] = []
    text = "Target service/application is unspecified or unrecognized in the request"

    def login(_: httpx.Request) -> httpx.Response:
        logins.append(1)
        return located(f"{BASE}/TGT-1")

    with pytest.raises(ServiceRejectedError, match="gives no ticket"):
        client(answering(login, httpx.Response(status, text=text))).service_ticket(SERVICE)
    assert logins == [1]


@pytest.mark.parametrize("status", [400, 401])
def test_rejected_credentials_are_never_sent_twice(status: int) -> None:
    """A rejected password is final: not retried, and remembered, since repeating it can lock the account."""
    calls: list[int] = []

    def login(_: httpx.Request) -> httpx.Response:
        calls.append(1)
        return httpx.Response(status, json={"authentication_exceptions": ["FailedLoginException"]})

    cas = client(answering(login))
    for _ in range(2):
        with pytest.raises(CredentialsRejectedError, match="rejected the user name or password") as caught:
            cas.service_ticket(SERVICE)
        assert caught.value.exit_code == 3
    assert calls == [1]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (415, RemoteUnavailableError),
        (423, RateLimitedError),
        (429, RateLimitedError),
        (500, RemoteUnavailableError),
        (503, RemoteUnavailableError),
    ],
)
def test_what_may_pass_is_tried_again_and_the_last_error_survives(status: int, kind: type[Exception]) -> None:
    """415, 423, 429 and 5xx are temporary: as many attempts as the policy says, with growing waits, then the error."""
    calls: list[int] = []
    waits: list[float] = []

    def login(_: httpx.Request) -> httpx.Response:
        calls.append(1)
        return httpx.Response(status)

    with pytest.raises(kind, match=f"HTTP {status}") as caught:
        client(answering(login), waits=waits).service_ticket(SERVICE)
    assert len(calls) == 3
    assert waits == [0.5, 1.0]
    assert caught.value.__notes__ == ["gave up after 3 attempts"]


def test_a_server_that_recovers_is_forgiven() -> None:
    """A temporary failure of either call is retried until it works."""
    failures = [httpx.Response(503), httpx.Response(429, headers={"Retry-After": "7"})]
    waits: list[float] = []

    def ticket(_: httpx.Request) -> httpx.Response:
        return failures.pop() if failures else httpx.Response(200, text="ST-1")

    assert client(answering(None, ticket), waits=waits).service_ticket(SERVICE).reveal() == "ST-1"
    assert waits == [7.0, 1.0]


def test_a_wait_beyond_the_cap_is_reported_instead_of_waited_for() -> None:
    """Retry-After as a date an hour ahead ends the attempts at once; the error carries the seconds."""
    headers = {"Retry-After": "Sat, 21 Nov 2026 13:00:00 GMT", "Date": "Sat, 21 Nov 2026 12:00:00 GMT"}
    waits: list[float] = []
    with pytest.raises(RateLimitedError, match="HTTP 429") as caught:
        client(answering(httpx.Response(429, headers=headers)), waits=waits).service_ticket(SERVICE)
    assert waits == []
    assert caught.value.retry_after == 3600
    assert "3600 seconds" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (httpx.Response(200, text="<html>sign in</html>"), "expected HTTP 201.*HTTP 200 with an HTML page"),
        (httpx.Response(201), "has no Location"),
        (httpx.Response(201, headers={"Location": "  "}), "has no Location"),
        (httpx.Response(201, headers=[("Location", f"{BASE}/a"), ("Location", f"{BASE}/b")]), "several Location"),
        (httpx.Response(302, headers={"Location": "https://evil.example/x"}), "redirect to evil.example"),
        (located("https://evil.example/cas/v1/tickets/TGT-1"), "Location is https://evil.example, not"),
        (located("http://auth.example.com/cas/v1/tickets/TGT-1"), "Location is http://auth.example.com, not"),
        (located("https://auth.example.com:444/cas/v1/tickets/TGT-1"), "Location is https://auth.example.com:444, not"),
        (located("https://auth.example.com@evil.example/cas/v1/tickets/T"), "Location is https://evil.example, not"),
        (located("https://u:p@auth.example.com/cas/v1/tickets/TGT-1"), "Location is https://auth.example.com, not"),
        (located("//evil.example/cas/v1/tickets/TGT-1"), "Location is https://evil.example, not"),
        (located(BASE + "/"), "holds no ticket"),
        (located("https://auth.example.com"), "holds no ticket"),
        (located("https://auth.example.com:port/cas/v1/tickets/TGT-1"), "not a usable URL"),
        (located(f"{BASE}/TGT 1"), "not a usable URL"),
        (located("https://[TGT-1"), "not a usable URL"),
        (httpx.Response(302, headers={"Location": "https://[TGT-1"}), "redirect to an unknown host"),
        (located(f"{BASE}/" + "x" * 5000), "not a usable URL"),
    ],
)
def test_a_login_answer_that_is_not_a_ticket_is_refused(answer: httpx.Response, reason: str) -> None:
    """Only a 201 with one Location on the very host that was logged in to is a ticket; nothing is sent elsewhere."""
    asked: list[str] = []

    def respond(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return answer

    with pytest.raises(ProtocolError, match=reason) as caught:
        client(respond).service_ticket(SERVICE)
    assert asked == [BASE]
    assert "TGT-1" not in str(caught.value)


@pytest.mark.parametrize(
    "location", [f"{BASE}/TGT-1", "/cas/v1/tickets/TGT-1", f"{BASE}/FVyaO9p22zQRdhPA47lUIhJ3", f" {BASE}/TGT-1 "]
)
def test_any_shape_of_location_on_the_same_host_is_accepted(location: str) -> None:
    """TGT ids are opaque, a relative Location is resolved, and white space around it is no part of it."""
    assert client(answering(located(location))).service_ticket(SERVICE).reveal() == "ST-1"


@pytest.mark.parametrize(
    ("status", "reason"),
    [(403, "forbids this login"), (404, "no CAS ticket resource"), (405, "no CAS ticket resource")],
)
def test_a_wrong_address_is_a_configuration_error(status: int, reason: str) -> None:
    """403, 404 and 405 at the login mean that the address or the account is wrong: exit code 3, not retried."""
    with pytest.raises(ConfigurationError, match=reason) as caught:
        client(answering(httpx.Response(status))).service_ticket(SERVICE)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "empty"),
        (" \r\n", "empty"),
        ("<html><body>Bad gateway</body></html>", "HTML or XML"),
        ('{"error": "nope"}', "JSON"),
        ("ST-1 ST-2", "white space"),
        ("ST-1\nST-2", "white space"),
        ("ST-\x00", "white space or characters"),
        ("ST-ü", "white space or characters"),
        ("x" * 5000, "longer than"),
    ],
)
def test_a_body_that_is_no_ticket_is_refused(body: str, reason: str) -> None:
    """A 200 whose body is empty, a page, a message or several words is no ticket, and its text is not repeated."""
    with pytest.raises(ProtocolError, match=reason) as caught:
        client(answering(None, httpx.Response(200, text=body))).service_ticket(SERVICE)
    assert "nope" not in str(caught.value)


@pytest.mark.parametrize("body", ["ST-1-abc", "F40D6052-236F-4942-9C51-DD01C15A14C6", "ab+/==", "t\r\n", "  t  "])
def test_any_opaque_ticket_is_accepted_without_the_white_space_around_it(body: str) -> None:
    """A service ticket can have any shape; a line break around it is not part of it."""
    assert check_ticket(body, where="here").reveal() == body.strip()


def test_a_redirect_in_place_of_a_ticket_is_not_followed() -> None:
    """A redirect from the TGT URL is an error that names the host it points to."""
    moved = httpx.Response(307, headers={"Location": "https://evil.example/t"})
    with pytest.raises(ProtocolError, match="redirect to evil.example"):
        client(answering(None, moved)).service_ticket(SERVICE)


def test_a_ticket_refused_with_403_names_the_service() -> None:
    """403 for a service ticket means that the account may not use the service."""
    with pytest.raises(ServiceRejectedError, match="HTTP 403"):
        client(answering(None, httpx.Response(403))).service_ticket(SERVICE)


@pytest.mark.parametrize(
    "url", ["http://auth.example.com/cas/v1/tickets", "ftp://auth.example.com", "auth.example.com"]
)
def test_a_password_is_never_sent_in_the_clear(url: str) -> None:
    """Plain http is accepted on loopback alone."""
    with pytest.raises(ConfigurationError, match="must be an https URL"):
        CasClient(url, Credentials("u", Secret("p")), http=HttpClient())


@pytest.mark.parametrize(
    "url", ["https://u:cAnArY@auth.example.com/cas", "https://[::1/cas", f"{BASE}?x=cAnArY", f"{BASE}#cAnArY"]
)
def test_an_address_that_holds_more_than_a_place_is_refused(url: str) -> None:
    """A user, a query or a fragment in the CAS's address would end up in messages: refused, and not shown."""
    with pytest.raises(ConfigurationError, match="is not a URL, or holds a user, a query or a fragment") as caught:
        CasClient(url, Credentials("u", Secret("p")), http=HttpClient())
    assert "cAnArY" not in str(caught.value)


def test_logout_happens_on_request_only_and_once() -> None:
    """Logging out deletes the TGT; before a login, or twice, there is nothing to delete."""
    methods: list[str] = []

    def respond(request: httpx.Request) -> httpx.Response:
        methods.append(request.method)
        return answering(None)(request) if request.method == "POST" else httpx.Response(200)

    cas = client(respond)
    cas.logout()
    cas.service_ticket(SERVICE)
    cas.logout()
    cas.logout()
    assert methods == ["POST", "POST", "DELETE"]


def test_login_replaces_the_ticket() -> None:
    """An explicit login takes a new ticket-granting ticket."""
    logins: list[int] = []

    def login(_: httpx.Request) -> httpx.Response:
        logins.append(1)
        return located(f"{BASE}/TGT-{len(logins)}")

    cas = client(answering(login))
    cas.login()
    cas.login()
    cas.service_ticket(SERVICE)
    assert len(logins) == 2


def test_scripted_cas_answers_201_with_a_page(cas_server: ScriptedServer) -> None:
    """The TGT is read from the header, never from the HTML page in the body of a 201."""

    def login(request: Request) -> Answer:
        answer = created(request)
        answer.body = b'<html><form action="http://evil.example/TGT-9"></form></html>'
        return answer

    cas_server.respond = Cas(login=login).respond
    with CasClient(cas_server.url + TICKETS, Credentials("u", Secret("p")), http=HttpClient()) as cas:
        assert cas.service_ticket(SERVICE).reveal().startswith("ST-1")
