"""The admin API: who may call it, what it shows and hides, what it sets, and what it refuses in words."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest
from mps_calls import SIMPLE, call, job, wait

from drmkit import cpix
from drmkit.sandbox.faultlist import FAULTS
from drmkit.sandbox.faultprofiles import PROFILES
from drmkit.secret import MASK


class Admin:
    """Calls of the admin API with the token."""

    def __init__(self, account: Any) -> None:
        self.account = account
        self.sandbox = account.sandbox
        self.token = account.sandbox.admin_token.reveal()

    def answer(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """One call, and all of its answer."""
        own = {"Authorization": f"Bearer {self.token}"} | ({} if body is None else {"Content-Type": "application/json"})
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        url = f"{self.sandbox.url}/admin/{path}"
        return self.account.client.call(method, url, headers=own | given, body=content)

    def call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """One call that succeeds: its JSON."""
        answer = self.answer(method, path, body)
        assert answer.status == 200, answer.text
        return dict(json.loads(answer.body))


@pytest.fixture
def admin(account: Any) -> Admin:
    """The admin API of a sandbox of the test's own."""
    return Admin(account)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("", "needs the token that the sandbox printed"),
        ("Bearer", "needs the token that the sandbox printed"),
        ("Bearer  ", "needs the token that the sandbox printed"),
        ("Basic {token}", "needs the token that the sandbox printed"),
        ("{token}", "needs the token that the sandbox printed"),
        ("Bearer {token}x", "not the token of this sandbox"),
        ("Bearer x", "not the token of this sandbox"),
        ("Bearer t\xf6ken", "not the token of this sandbox"),
    ],
)
@pytest.mark.parametrize("path", ["state", "faults", "reset", "tickets/1/reveal", "nothing", ""])
def test_every_call_needs_the_token(shared: Any, path: str, header: str, reason: str) -> None:
    """Without the token of this very sandbox every path is 401, in words, even one that does not exist."""
    authorization = header.format(token=shared.sandbox.admin_token.reveal())
    answer = Admin(shared).answer("GET", path, Authorization=authorization)
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="drmkit sandbox"'
    assert reason in json.loads(answer.body)["error"]


def test_the_token_opens_it_in_any_case_of_the_scheme(shared: Any) -> None:
    """The benign twin: with the token, `bearer` in lower case too, the state comes as JSON that nobody stores."""
    answer = Admin(shared).answer("GET", "state", Authorization=f"bearer {shared.sandbox.admin_token.reveal()}")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.headers["cache-control"] == "no-store"
    assert json.loads(answer.body)["schema_version"] == 1


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "{url}"}, 200),
        ({"Origin": "{url}", "Sec_Fetch_Site": "same-origin"}, 200),
        ({"Sec_Fetch_Site": "none"}, 200),
        ({"Origin": "http://example.com"}, 403),
        ({"Origin": "https://127.0.0.1"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "same-site"}, 403),
        ({"Origin": "{url}", "Sec_Fetch_Site": "cross-site"}, 403),
    ],
)
def test_pages_of_other_origins_are_refused(shared: Any, headers: dict[str, str], status: int) -> None:
    """A page of any other origin, another port of this machine included, gets 403 even with the token."""
    given = {name: value.format(url=shared.sandbox.url) for name, value in headers.items()}
    answer = Admin(shared).answer("GET", "state", **given)
    assert answer.status == status
    assert "access-control-allow-origin" not in answer.headers
    if status == 403:
        assert json.loads(answer.body)["error"] == "the admin API answers to no page of another origin"


def test_rebound_names_are_refused(shared: Any) -> None:
    """A Host that is not loopback is refused before the token is looked at, for the page and for the API."""
    for path in ("", "admin/state", "dashboard/main.js"):
        answer = shared.client.get(f"{shared.sandbox.url}/{path}", Host="rebound.example.com")
        assert answer.status == 421


@pytest.mark.parametrize(
    ("method", "path", "status", "reason"),
    [
        ("POST", "state", 405, "/admin/state takes GET, not POST"),
        ("PUT", "faults", 405, "/admin/faults takes DELETE, GET, POST, not PUT"),
        ("GET", "reset", 405, "/admin/reset takes POST, not GET"),
        ("OPTIONS", "state", 405, "/admin/state takes GET, not OPTIONS"),
        ("GET", "nothing", 404, "the admin API has no /admin/nothing"),
        ("POST", "tickets/x/reveal", 404, "the admin API has no /admin/tickets/x/reveal"),
        ("POST", "tickets/999/reveal", 404, "no such ticket"),
        ("POST", "requests/999/reveal", 404, "no such request"),
        ("POST", "keys/6f1c1bb8-3a0e-4a53-bd3c-2c5a4d8f7a10/reveal", 404, "no key was handed out"),
        ("POST", "keys/movie/reveal", 400, "UUID"),
    ],
)
def test_what_is_not_there_is_said_in_words(shared: Any, method: str, path: str, status: int, reason: str) -> None:
    """Wrong methods, unknown paths and unknown things are answered with JSON that says so."""
    answer = Admin(shared).answer(method, path)
    assert answer.status == status
    assert reason in json.loads(answer.body)["error"]


@pytest.mark.parametrize(
    ("path", "body", "status", "reason"),
    [
        ("faults", b"{", 400, "not a JSON object"),
        ("faults", b"[]", 400, "not a JSON object"),
        ("faults", b"[" * 60_000, 400, "not a JSON object"),
        ("faults", b"\xff", 400, "not a JSON object"),
        ("faults", b" " * 70_000, 413, "larger than 64 KiB"),
        ("faults", {}, 400, "name one thing"),
        ("faults", {"name": "mps-html", "profile": "flaky"}, 400, "name one thing"),
        ("faults", {"name": "mps-html", "time": 1}, 400, "nothing here is called 'time'"),
        ("faults", {"name": "mps-htlm"}, 400, "there is no fault 'mps-htlm'"),
        ("faults", {"name": 3}, 400, "`name` is a text"),
        ("faults", {"name": "mps-html", "times": 0}, 400, "cannot show 0 times"),
        ("faults", {"name": "mps-html", "times": 1.5}, 400, "`times` is a whole number"),
        ("faults", {"name": "mps-html", "times": True}, 400, "`times` is a whole number"),
        ("faults", {"name": "mps-html", "probability": 2}, 400, "cannot have the probability 2"),
        ("faults", {"name": "mps-html", "probability": "1"}, 400, "`probability` is a number"),
        ("faults", {"setting": "mps-html:often"}, 400, "does not say how often"),
        ("faults", {"profile": "flakey"}, 400, "no profile of faults 'flakey'"),
        ("clock", {}, 400, "`advance` is a number"),
        ("clock", {"advance": -1}, 400, "from 0 to ten years"),
        ("clock", {"advance": 1e12}, 400, "from 0 to ten years"),
        ("clock", b'{"advance": NaN}', 400, "`advance` is a number"),
        ("clock", b'{"advance": 1e999}', 400, "`advance` is a number"),
    ],
)
def test_senseless_bodies_are_refused(shared: Any, path: str, body: Any, status: int, reason: str) -> None:
    """Each body that means nothing is refused with its reason, and changes nothing."""
    answer = Admin(shared).answer("POST", path, body)
    assert answer.status == status
    assert reason in json.loads(answer.body)["error"]
    assert shared.sandbox.faults.active == ()


def test_a_form_is_no_json(shared: Any) -> None:
    """What a foreign page could send without asking first, a form, is refused by its type."""
    answer = Admin(shared).answer("POST", "clock", {"advance": 1}, Content_Type="text/plain")
    assert answer.status == 415


def test_the_state_shows_everything_and_no_secret(admin: Admin) -> None:
    """Tickets, keys and requests are there in full but for their secrets; each secret is revealed one by one."""
    key_url = admin.account.key_url("movie")
    document = cpix.parse(admin.account.client.get(key_url).body)
    ticket = unquote(key_url.partition("ticket=")[2])
    answer = admin.answer("GET", "state")
    state = json.loads(answer.body)
    known = admin.sandbox.credentials
    keys = {key.kid.uuid: key.key.reveal() for key in document.content_keys}
    for secret in (ticket, "TGT-1-", known.password.reveal(), known.secret_key.reveal(), admin.token):
        assert secret not in answer.text
    assert not any(value.hex() in answer.text for value in keys.values())

    shown = [(t["kind"], t["status"], t["uses"], t["service"]) for t in state["tickets"]]
    assert shown == [("ST", "alive", 1, f"{admin.sandbox.service}/movie"), ("TGT", "alive", 1, None)]
    assert [key["kid"] for key in state["keys"]] == list(keys)[::-1]
    assert {(key["content"], key["stream_type"], key["protects"]) for key in state["keys"]} == {
        ("movie", "AUDIO", "for audio"),
        ("movie", "SD", "for video up to 1024x576"),
        ("movie", "HD", "for video above 1024x576, up to 1920x1080"),
        ("movie", "UHD", "for video above 1920x1080"),
    }
    assert [request["role"] for request in state["requests"]] == ["keyserver", "cas", "cas"]
    assert state["counts"] == {"logins": 1, "tickets": 1, "keys": 4, "tasks": 0, "requests": 3}

    number = state["tickets"][0]["number"]
    assert admin.call("POST", f"tickets/{number}/reveal")["ticket"] == ticket
    for kid, value in keys.items():
        assert admin.call("POST", f"keys/{kid}/reveal")["key"] == value.hex()
    whole = admin.call("POST", f"requests/{state['requests'][0]['number']}/reveal")
    assert whole["target"] == key_url.removeprefix(admin.sandbox.url)
    assert whole["response"]["text"].encode() == document.to_xml()
    login = admin.call("POST", f"requests/{state['requests'][2]['number']}/reveal")
    assert "password=p%26ss%2Bw%25rd%3D" in login["request"]["text"]
    assert admin.call("POST", "credentials/reveal")["password"] == known.password.reveal()


def test_tasks_of_every_kind_are_shown(admin: Admin) -> None:
    """Live streams, jobs through VOD, orchestrations and AI tasks stand beside DRM tasks, each with its kind."""
    place = {"InputInfo": job()["InputInfo"]}
    quality = {"AiQualityControlTask": {"Definition": 10}}
    live = {"Url": "rtmp://live.example.com/a", "TaskNotifyConfig": {}} | quality
    transcode = {"MediaProcessTask": job(SIMPLE)["MediaProcessTask"] | {"TranscodeTaskSet": [{"Definition": 1}]}}
    of_vod = {"FileId": "1", "SubAppId": 2, "AiAnalysisTask": {"Definition": 22}}
    ids = [
        call(admin.account, "ProcessMedia", place | quality | transcode)["TaskId"],
        call(admin.account, "ProcessMedia", place | {"ScheduleId": 5})["TaskId"],
        call(admin.account, "ProcessLiveStream", live)["TaskId"],
        call(admin.account, "ProcessMediaByMPS", of_vod, service="vod", version="2018-07-17")["TaskId"],
    ]
    for task_id in ids[:3]:
        wait(admin.account, task_id)
    shown = {task["id"]: task for task in admin.call("GET", "state")["tasks"]}
    kinds = [[part["kind"] for part in shown[task_id]["subtasks"]] for task_id in ids]
    assert kinds == [
        ["AdaptiveDynamicStreaming", "Transcode", "AiQualityControl"],
        ["Schedule"],
        ["AiQualityControl"],
        ["AiAnalysis"],
    ]
    assert [bool(part["path"]) for part in shown[ids[0]]["subtasks"]] == [True, False, False]


def test_tickets_in_odd_places_are_masked_too(admin: Admin) -> None:
    """A service URL with a ticket in its query, and an asset that is a ticket, show without it."""
    odd = "ST-1-cAnArY"
    admin.account.ticket(f"{admin.sandbox.service}?ticket={odd}")
    assert admin.account.client.get(admin.account.key_url(odd)).status == 200
    answer = admin.answer("GET", "state")
    assert "cAnArY" not in answer.text
    state = json.loads(answer.body)
    assert f"{admin.sandbox.service}?ticket={MASK}" in {ticket["service"] for ticket in state["tickets"]}
    assert {key["content"] for key in state["keys"]} == {f"ST-{MASK}"}


def test_binary_bodies_are_revealed_in_hexadecimal(admin: Admin) -> None:
    """The answer that is 16 bytes of key is shown as their hexadecimal digits."""
    document = cpix.parse(admin.account.client.get(admin.account.key_url("movie")).body)
    key = next(iter(document.content_keys))
    assert admin.account.client.get(f"{admin.sandbox.url}/speke/client/{key.kid}").body == key.key.reveal()
    number = admin.call("GET", "state")["requests"][0]["number"]
    response = admin.call("POST", f"requests/{number}/reveal")["response"]
    assert (response["text"], response["hex"], response["complete"]) == (None, key.key.reveal().hex(), True)


@pytest.mark.parametrize(
    ("end", "status"),
    [
        (lambda account, url: account.client.get(url), "spent"),
        (lambda account, url: account.sandbox.advance(4000), "expired"),
        (lambda account, url: account.client.call("DELETE", account.location), "logged out"),
    ],
)
def test_tickets_that_ended_say_how(make: Callable[..., Any], end: Any, status: str) -> None:
    """A ticket that was used up, that expired or whose login was ended stays in sight, with the reason."""
    account = make(single_use=True)
    account.location = account.log_in()
    service = f"{account.sandbox.service}/movie"
    ticket = account.client.form(account.location, {"service": service}).text
    end(account, f"{service}?ticket={ticket.replace('+', '%2B').replace('/', '%2F').replace('=', '%3D')}")
    (shown, *_) = Admin(account).call("GET", "state")["tickets"]
    assert (shown["kind"], shown["status"], shown["single_use"]) == ("ST", status, True)


def test_faults_are_switched_by_call(admin: Admin) -> None:
    """A fault goes on by name, by setting and by profile, and off alone or with all; each call answers what is on."""
    on = admin.call("POST", "faults", {"name": "mps-html", "times": 2})
    assert on["active"] == [{"name": "mps-html", "times": 2, "probability": 1.0}]
    assert admin.sandbox.faults.hit("mps-html")
    admin.call("POST", "faults", {"setting": "cas-crlf:25%"})
    now = admin.call("GET", "faults")
    assert now["active"] == [
        {"name": "cas-crlf", "times": None, "probability": 0.25},
        {"name": "mps-html", "times": 1, "probability": 1.0},
    ]
    assert now["counts"] == {"mps-html": 1}
    assert [item["name"] for item in now["faults"]] == list(FAULTS)
    assert [item["name"] for item in now["profiles"]] == list(PROFILES)
    assert [item["name"] for item in admin.call("DELETE", "faults/cas-crlf")["active"]] == ["mps-html"]
    assert admin.answer("DELETE", "faults/cas-crfl").status == 400
    flaky = admin.call("POST", "faults", {"profile": "flaky"})
    assert {item["name"] for item in flaky["active"]} >= {setting.name for setting in PROFILES["flaky"].faults}
    assert admin.call("DELETE", "faults")["active"] == []


def test_the_clock_is_set_forward_and_back_by_reset(admin: Admin) -> None:
    """Advancing ends tickets without waiting; starting over takes it back and forgets what was."""
    admin.account.key_url("movie")
    before = admin.call("GET", "state")["now"]
    after = admin.call("POST", "clock", {"advance": 3600})
    assert after["advanced"] == 3600
    assert after["now"] >= before + 3600
    assert admin.call("GET", "state")["counts"]["tickets"] == 0
    admin.call("POST", "reset")
    state = admin.call("GET", "state")
    assert (state["advanced"], state["tickets"], state["requests"]) == (0, [], [])


def test_pages_and_admin_calls_are_no_requests_of_vendors(admin: Admin) -> None:
    """What people look at does not show among the requests, and no fault of a role touches it."""
    admin.sandbox.faults.switch_on("mps-dropped")
    assert admin.account.client.get(admin.sandbox.url).status == 200
    assert admin.call("GET", "state")["requests"] == []
    assert admin.sandbox.faults.counts == {}


@pytest.mark.parametrize("path", ["", "dashboard/main.js", "dashboard/dashboard.css", "dashboard/icon.svg"])
def test_the_page_has_a_strict_policy_and_no_secret(shared: Any, path: str) -> None:
    """Page and files allow no script, style, frame or connection but their own, and hold nothing of this sandbox."""
    answer = shared.client.get(f"{shared.sandbox.url}/{path}")
    assert answer.status == 200
    policy = answer.headers["content-security-policy"].split("; ")
    assert {"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "form-action 'none'"} <= set(policy)
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert shared.sandbox.admin_token.reveal() not in answer.text
    assert shared.sandbox.credentials.organization not in answer.text
    assert " style=" not in answer.text
    assert "innerHTML" not in answer.text


def test_head_of_the_page_is_the_page(shared: Any) -> None:
    """A HEAD request is a look at the page, and no call of the API."""
    answer = shared.client.call("HEAD", shared.sandbox.url)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")


def test_no_other_file_is_served(shared: Any) -> None:
    """The dashboard serves its own files by name; no path reaches another."""
    for path in ("index.html", "__init__.py", "../app.py", "%2e%2e/app.py", "../../../../etc/passwd"):
        assert shared.client.get(f"{shared.sandbox.url}/dashboard/{path}").status == 404


def test_logs_hold_neither_token_nor_what_was_revealed(admin: Admin, caplog: pytest.LogCaptureFixture) -> None:
    """At debug level no log record holds the token, right or wrong, or a secret that a call revealed."""
    caplog.set_level(logging.DEBUG)
    admin.account.client.get(admin.account.key_url("movie"))
    state = admin.call("GET", "state")
    ticket = admin.call("POST", f"tickets/{state['tickets'][0]['number']}/reveal")["ticket"]
    key = admin.call("POST", f"keys/{state['keys'][0]['kid']}/reveal")["key"]
    admin.answer("GET", "state", Authorization="Bearer wR0nG")
    admin.answer("POST", "faults", {"name": "wR0nG"})
    records = "\n".join(record.getMessage() for record in caplog.records)
    assert [secret for secret in (admin.token, "wR0nG", ticket, key) if secret in records] == []


def test_each_start_has_another_token(shared: Any, account: Any) -> None:
    """The token is random, long and hidden from every repr."""
    one, other = shared.sandbox.admin_token, account.sandbox.admin_token
    assert one != other
    assert len(one.reveal()) == 48
    assert one.reveal() not in repr((shared.sandbox.dashboard, shared.sandbox.credentials, one))
    assert shared.sandbox.dashboard.reveal() == f"{shared.sandbox.url}/#token={one.reveal()}"
