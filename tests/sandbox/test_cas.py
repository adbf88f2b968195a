"""The sandbox's ticket server, asked by a client that is not drmkit's."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Any

import pytest

TICKETS = "/cas/v1/tickets"
UNRECOGNIZED = "Target service/application is unspecified or unrecognized in the request"


def test_login_answers_201_with_absolute_location(account: Any) -> None:
    """Right credentials get 201, the absolute ticket URL in Location and the same URL in an HTML form."""
    known = account.sandbox.credentials
    answer = account.client.form(
        account.sandbox.url + TICKETS, {"username": known.username, "password": known.password.reveal()}
    )
    assert answer.status == 201
    assert answer.headers["location"].startswith(f"{account.sandbox.url}{TICKETS}/TGT-")
    assert answer.headers["content-type"].startswith("text/html")
    assert f'action="{answer.headers["location"]}"' in answer.text
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(("username", "password"), [("merchant::api", "wrong"), ("other", "p&ss+w%rd="), ("ü", "ü")])
def test_wrong_credentials_get_401_json(shared: Any, username: str, password: str) -> None:
    """A wrong user name or password gets 401 with CAS's JSON."""
    answer = shared.client.form(shared.sandbox.url + TICKETS, {"username": username, "password": password})
    assert answer.status == 401
    assert answer.text == '{"authentication_exceptions":["FailedLoginException"]}'


def test_password_that_is_not_form_encoded_is_wrong(account: Any) -> None:
    """A password with `&`, `+` and `%` that is pasted into the body as it is does not log in, as with the vendor."""
    body = b"username=merchant::api&password=p&ss+w%rd="
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert account.client.call("POST", account.sandbox.url + TICKETS, headers=headers, body=body).status == 401
    assert account.log_in()


@pytest.mark.parametrize(
    "fields", [{}, {"username": "merchant::api"}, {"password": "x"}, {"username": "", "password": ""}]
)
def test_missing_fields_get_400(shared: Any, fields: dict[str, str]) -> None:
    """A login without user name or password gets 400 and says which fields there are."""
    answer = shared.client.form(shared.sandbox.url + TICKETS, fields)
    assert (answer.status, answer.text) == (400, "Required fields are missing: username and password")


@pytest.mark.parametrize("media_type", ["application/json", "application/x-www-formurlencoded", ""])
def test_other_media_types_get_415(shared: Any, media_type: str) -> None:
    """Anything but a form gets 415, on both steps; a charset beside the form's type is fine."""
    login = shared.log_in()
    for url in (shared.sandbox.url + TICKETS, login):
        assert shared.client.form(url, {"service": shared.sandbox.service}, media_type).status == 415
    fine = "Application/X-WWW-Form-URLencoded; charset=UTF-8"
    assert shared.client.form(login, {"service": shared.sandbox.service}, fine).status == 200


def test_service_ticket_is_the_whole_body(account: Any) -> None:
    """The second step answers 200 with a plain-text ticket that holds characters which a URL must encode."""
    answer = account.client.form(account.log_in(), {"service": account.sandbox.service})
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert {"+", "/", "="} <= set(answer.text)
    assert answer.text == answer.text.strip()


def test_unknown_and_ended_logins_get_404_with_their_id(account: Any) -> None:
    """A ticket-granting ticket that is unknown or logged out gets 404, and the text repeats it."""
    login = account.log_in()
    assert account.client.call("DELETE", login).status == 200
    for url in (login, f"{account.sandbox.url}{TICKETS}/TGT-0-unknown"):
        name = url.rpartition("/")[2]
        answer = account.client.form(url, {"service": account.sandbox.service})
        assert (answer.status, answer.text) == (404, f"{name} could not be found or is considered invalid")
        assert account.client.call("DELETE", url).status == 404


def test_login_state_can_be_asked(account: Any) -> None:
    """GET on a ticket-granting ticket answers 200 with its ID while it lives, and 404 after."""
    login = account.log_in()
    assert (account.client.get(login).status, account.client.get(login).text) == (200, login.rpartition("/")[2])
    account.sandbox.advance(28800)
    assert account.client.get(login).status == 404


def test_logout_ends_service_tickets(account: Any) -> None:
    """Logging out ends the service tickets of that login, and of no other."""
    login = account.log_in()
    ticket = account.client.form(login, {"service": account.sandbox.service}).text
    other = account.key_url()
    account.client.call("DELETE", login)
    mine = f"{account.sandbox.service}?ticket={ticket.replace('+', '%2B')}"
    assert account.client.get(mine).status == 401
    assert account.client.get(other).status == 200


@pytest.mark.parametrize("fields", [{}, {"service": ""}])
def test_missing_service_gets_400(shared: Any, fields: dict[str, str]) -> None:
    """A service ticket for no service gets 400."""
    answer = shared.client.form(shared.log_in(), fields)
    assert (answer.status, answer.text) == (400, UNRECOGNIZED)


@pytest.mark.parametrize(
    "service",
    [
        "{url}/frontend/cpix/v1/11111111-2222-4333-8444-555555555555/ingest/510466cc",
        "{url}/frontend/cpix/v1/6f1c1bb8-3a0e-4a53-bd3c-2c5a4d8f7a10/ingest/other",
        "{url}/frontend/api/keys/v2/ingest/6f1c1bb8-3a0e-4a53-bd3c-2c5a4d8f7a10",
        "https://fe.example.com/frontend/cpix/v1/6f1c1bb8-3a0e-4a53-bd3c-2c5a4d8f7a10/ingest/510466cc",
        "http://127.0.0.1:1/frontend/cpix/v1/6f1c1bb8-3a0e-4a53-bd3c-2c5a4d8f7a10/ingest/510466cc",
        "http://127.0.0.1:x/frontend",
        "nonsense",
    ],
)
def test_unrecognized_service_gets_404(shared: Any, service: str) -> None:
    """A service with an unknown organization, config, API, host or port gets 404 with CAS's text."""
    answer = shared.client.form(shared.log_in(), {"service": service.format(url=shared.sandbox.url)})
    assert (answer.status, answer.text) == (404, UNRECOGNIZED)


def test_login_gone_between_two_tickets(make: Any) -> None:
    """A login that the server forgets gets 404 once; the next login works."""
    account = make()
    login = account.log_in()
    account.sandbox.faults.switch_on("cas-login-forgotten:1")
    assert account.client.form(login, {"service": account.sandbox.service}).status == 404
    assert account.ticket()


def test_too_large_form_gets_413(account: Any) -> None:
    """A form beyond any sense is refused before it is parsed."""
    assert account.client.form(account.sandbox.url + TICKETS, {"username": "x" * 70000}).status == 413


def test_other_methods_get_405(account: Any) -> None:
    """The login URL takes POST only."""
    assert account.client.get(account.sandbox.url + TICKETS).status == 405


def test_rate_limit_names_a_date(account: Any) -> None:
    """The rate-limit fault answers 429 with Retry-After as an HTTP date after the answer's own Date."""
    account.sandbox.faults.switch_on("cas-rate-limited:1")
    answer = account.client.form(account.sandbox.url + TICKETS, {"username": "a", "password": "b"})
    wait = parsedate_to_datetime(answer.headers["retry-after"]) - parsedate_to_datetime(answer.headers["date"])
    assert answer.status == 429
    assert 30 < wait.total_seconds() < 90  # a minute, by two clocks that each may tick late


def test_faults_of_the_login(account: Any) -> None:
    """Each fault of the first step shows as its table says, and is over when switched off."""
    known = account.sandbox.credentials
    fields = {"username": known.username, "password": known.password.reveal()}
    shown = {}
    for name in ("cas-login-refused", "cas-unavailable", "cas-location-elsewhere", "cas-no-location"):
        account.sandbox.faults.switch_on(name)
        answer = account.client.form(account.sandbox.url + TICKETS, fields)
        shown[name] = (answer.status, answer.headers.get("location", ""))
        account.sandbox.faults.switch_off(name)
    assert shown["cas-login-refused"] == (401, "")
    assert shown["cas-unavailable"] == (503, "")
    assert shown["cas-location-elsewhere"][1].startswith("http://cas.example.invalid/")
    assert shown["cas-no-location"] == (201, "")
    assert account.log_in()


def test_faults_of_the_ticket(account: Any) -> None:
    """Each fault of the second step shows as its table says."""
    login = account.log_in()
    shown = {}
    for name in ("cas-html-ticket", "cas-empty-ticket", "cas-crlf", "cas-early-expiry"):
        account.sandbox.faults.switch_on(f"{name}:1")
        shown[name] = account.client.form(login, {"service": account.sandbox.service})
    assert "<html>" in shown["cas-html-ticket"].text
    assert shown["cas-empty-ticket"].text == ""
    assert shown["cas-crlf"].text.endswith("\r\n")
    stale = shown["cas-early-expiry"].text.replace("+", "%2B")
    assert account.client.get(f"{account.sandbox.service}?ticket={stale}").status == 401
    assert account.sandbox.faults.counts == dict.fromkeys(shown, 1)


def test_journal_holds_outcomes_and_no_secret(account: Any) -> None:
    """What happened can be read back by role, without any ticket or password in it."""
    ticket = account.ticket()
    events = account.sandbox.events("cas")
    assert [(event.what, event.outcome) for event in events] == [("login", "201"), ("service ticket", "200")]
    assert ticket not in repr(events)
    assert account.sandbox.events("mps") == ()
