"""Starting, stopping, pointing clients at it, and what it never does: answer strangers, leak, or stay behind."""

from __future__ import annotations

import json
import logging
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
import tomllib
from pathlib import Path
from typing import Any

import pytest

from drmkit.errors import ConfigurationError
from drmkit.sandbox import FaultSetting, Sandbox, SandboxOptions, serve
from drmkit.sandbox.server import bind_loopback
from drmkit.secret import Secret

ROOT = Path(__file__).parents[2]
VENDOR_SCRIPT = """
answer=$(curl "$DRMTODAY_AUTH_URL/cas/v1/tickets" -d "username=$DRMTODAY_USERNAME&password=$DRMTODAY_PASSWORD" -s -D -)
if echo "$answer" | grep -q "HTTP.*201"; then
  tgt=$(echo "$answer" | grep -i "^Location:" | cut -d' ' -f2 | tr -d '\\r')
  service="$DRMTODAY_FRONTEND_URL/frontend/cpix/v1/$DRMTODAY_ORGANIZATION/ingest/$DRMTODAY_CPIX_CONFIG"
  ticket=$(curl "$tgt" -d "service=$service" -s)
else
  exit 1
fi
curl -s -G "$service" --data-urlencode "ticket=$ticket"
"""


def sandbox_threads() -> list[str]:
    """The names of the sandbox's threads that are alive, those of session-wide fixtures aside."""
    return sorted(thread.name for thread in threading.enumerate() if thread.name.startswith("drmkit-sandbox"))


def test_start_and_stop_leave_nothing() -> None:
    """A sandbox answers once `start` returns; after `stop`, even twice, its threads and its port are gone."""
    before = sandbox_threads()
    sandbox = Sandbox().start()
    port = int(sandbox.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)):
        assert len(sandbox_threads()) > len(before)
    sandbox.stop()
    sandbox.stop()
    assert sandbox_threads() == before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_stop_does_not_wait_for_idle_clients(client: Any) -> None:
    """Connections that clients keep open do not keep the sandbox from stopping."""
    before = sandbox_threads()
    with Sandbox() as sandbox:
        host, port = sandbox.url.removeprefix("http://").split(":")
        idle = socket.create_connection((host, int(port)))
        half = socket.create_connection((host, int(port)))
        half.sendall(b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10\r\n\r\n12")
        assert client.get(f"{sandbox.url}/health").status == 200
    idle.close()
    half.close()
    assert sandbox_threads() == before


def test_sandbox_starts_once() -> None:
    """What was stopped does not start again, and what has not started has no URL and no credentials."""
    sandbox = Sandbox()
    for use in (lambda: sandbox.url, lambda: sandbox.credentials, sandbox.profile_toml):
        with pytest.raises(ConfigurationError, match="has not been started"):
            use()
    with sandbox, pytest.raises(ConfigurationError, match="starts only once"):
        sandbox.start()
    with pytest.raises(ConfigurationError, match="starts only once"):
        sandbox.start()


def test_health_says_what_it_is(shared: Any) -> None:
    """The health URL answers 200 with JSON."""
    answer = shared.client.get(f"{shared.sandbox.url}/health")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert json.loads(answer.body)["status"] == "ok"


def test_ipv6_loopback() -> None:
    """The sandbox can live on ::1, and its URL has brackets."""
    with Sandbox(SandboxOptions(host="::1")) as sandbox:
        assert sandbox.url.startswith("http://[::1]:")
        assert sandbox.service.startswith(f"{sandbox.url}/frontend/cpix/v1/")


def test_two_sandboxes_are_strangers(client: Any) -> None:
    """Two sandboxes at once have different ports and credentials, and one's ticket means nothing to the other."""
    with Sandbox() as one, Sandbox() as other:
        assert one.url != other.url
        known = one.credentials
        fields = {"username": known.username, "password": known.password.reveal()}
        assert client.form(f"{one.url}/cas/v1/tickets", fields).status == 201
        assert client.form(f"{other.url}/cas/v1/tickets", fields).status == 401


def test_taken_port_is_a_clear_error(shared: Any) -> None:
    """A port that is taken is refused with the port and a way out."""
    port = int(shared.sandbox.url.rpartition(":")[2])
    with pytest.raises(ConfigurationError, match=f"cannot listen on 127.0.0.1 port {port}") as refused:
        Sandbox(SandboxOptions(port=port)).start()
    assert "0 for one that is free" in (refused.value.hint or "")


def test_only_loopback_is_ever_bound() -> None:
    """The last step before the socket checks the address once more."""
    with pytest.raises(ConfigurationError, match="binds loopback addresses only"):
        bind_loopback("0.0.0.0", 0)
    listener = bind_loopback("localhost", 0)
    assert listener.getsockname()[0] == "127.0.0.1"
    assert listener.proto == socket.IPPROTO_TCP, "or every answer waits 40 ms for Nagle's algorithm"
    listener.close()


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:{port}", 200),
        ("127.0.0.1", 200),
        ("localhost:{port}", 200),
        ("LOCALHOST", 200),
        ("[::1]:{port}", 200),
        ("http://127.0.0.1:{port}", 200),
        ("rebound.example.com", 421),
        ("rebound.example.com:{port}", 421),
        ("127.0.0.1.example.com", 421),
        ("127.0.0.1@example.com", 421),
        ("http://example.com", 421),
        ("https://127.0.0.1", 421),
        ("http://http://127.0.0.1", 421),
        ("192.168.0.1", 421),
        ("0.0.0.0", 421),
        ("127.0.0.1:port", 421),
        ("", 421),
    ],
)
def test_foreign_host_headers_are_refused(shared: Any, host: str, status: int) -> None:
    """A request that a browser was tricked into sending names another host, and is refused with 421."""
    port = shared.sandbox.url.rpartition(":")[2]
    answer = shared.client.get(f"{shared.sandbox.url}/health", Host=host.format(port=port))
    assert answer.status == status
    if status == 421:
        assert json.loads(answer.body) == {"error": "the sandbox answers to loopback host names only"}


def test_profile_is_toml_that_names_everything(shared: Any) -> None:
    """The profile text parses as TOML and holds URL, account and API credentials."""
    known = shared.sandbox.credentials
    assert tomllib.loads(shared.sandbox.profile_toml()) == {
        "profile": {
            "sandbox": {
                "environment": "custom",
                "auth_url": shared.sandbox.url,
                "frontend_url": shared.sandbox.url,
                "username": known.username,
                "password": known.password.reveal(),
                "organization": known.organization,
                "organization_name": known.organization_name,
                "cpix_config": known.cpix_config,
                "mps": {
                    "endpoint": shared.sandbox.url,
                    "secret_id": known.secret_id,
                    "secret_key": known.secret_key.reveal(),
                },
                "token": {"kid": known.token_kid, "secret": known.token_secret.reveal()},
            }
        }
    }


def test_odd_credentials_survive_every_text() -> None:
    """Credentials with quotes, backslashes, blanks and non-ASCII come through TOML and a shell unchanged."""
    password = "a\"b'c\\d e$(f)`g`ü\U0001f600"
    with Sandbox(SandboxOptions(password=Secret(password), username='m"x::y z')) as sandbox:
        profile = tomllib.loads(sandbox.profile_toml())["profile"]["sandbox"]
        lines = sandbox.environment_lines()
    assert (profile["password"], profile["username"]) == (password, 'm"x::y z')
    script = f'set -a\n{lines}printf "%s|%s" "$DRMTODAY_USERNAME" "$DRMTODAY_PASSWORD"'
    shown = subprocess.run(["bash", "-c", script], capture_output=True, check=True, encoding="utf-8")
    assert shown.stdout == f'm"x::y z|{password}'


def test_environment_lines_are_plain() -> None:
    """Random credentials make lines without any quoting, one for each variable."""
    with Sandbox() as sandbox:
        lines = sandbox.environment_lines().splitlines()
        assert dict(line.split("=", 1) for line in lines) == sandbox.environment()
    assert all(shlex.split(line) == [line] for line in lines)
    assert [line.split("=")[0] for line in lines] == [
        "DRMTODAY_USERNAME",
        "DRMTODAY_PASSWORD",
        "DRMTODAY_ORGANIZATION",
        "DRMTODAY_ORGANIZATION_NAME",
        "DRMTODAY_CPIX_CONFIG",
        "DRMTODAY_AUTH_URL",
        "DRMTODAY_FRONTEND_URL",
        "DRMTODAY_TOKEN_KID",
        "DRMTODAY_TOKEN_SECRET",
        "TENCENTCLOUD_SECRET_ID",
        "TENCENTCLOUD_SECRET_KEY",
        "DRMKIT_MPS_ENDPOINT",
    ]


def test_the_vendors_own_script_works() -> None:
    """The two curl calls of Tencent's tutorial, run by bash with the sandbox's variables, end in a CPIX document."""
    with Sandbox() as sandbox:
        environment = {"PATH": os.environ["PATH"], **sandbox.environment()}
        done = subprocess.run(["bash", "-c", VENDOR_SCRIPT], capture_output=True, check=True, env=environment)
    assert b"<cpix:CPIX" in done.stdout
    assert done.stdout.rstrip().endswith(b"</cpix:CPIX>")


def test_options_switch_faults_on_from_the_start() -> None:
    """Faults in the options show from the first request on."""
    with Sandbox(SandboxOptions(faults=(FaultSetting("cas-unavailable"),))) as sandbox:
        assert sandbox.faults.active == ("cas-unavailable",)


def test_logs_hold_no_secret(make: Any, caplog: pytest.LogCaptureFixture) -> None:
    """At debug level no log record of anyone holds a ticket, a password or a key, also when a request fails."""
    caplog.set_level(logging.DEBUG)
    account = make()
    url = account.key_url("a")
    ticket = url.partition("ticket=")[2]
    assert account.client.get(url).status == 200
    assert account.client.get(url.replace("ticket=", "ticket=x")).status == 401
    assert account.client.get(f"{account.sandbox.url}/nothing?ticket={ticket}").status == 404
    records = "\n".join(record.getMessage() + (record.exc_text or "") for record in caplog.records)
    known = account.sandbox.credentials
    for secret in (ticket, known.password.reveal(), known.secret_key.reveal(), "TGT-"):
        assert secret not in records


def test_a_bug_leaks_nothing(make: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Should a role fail, the answer is a bare 500 and the log names the kind and place of the error, not its text."""
    account = make()
    url = account.key_url("a")

    def broken(size: int) -> bytes:
        raise ValueError("cAnArYsEcReT")

    account.sandbox._running().state.tickets._token_bytes = broken
    answer = account.client.form(
        f"{account.sandbox.url}/cas/v1/tickets", {"username": "merchant::api", "password": "p&ss+w%rd="}
    )
    assert (answer.status, answer.body) == (500, b"Internal Server Error")
    assert account.client.get(url).status == 200
    account.sandbox.stop()
    (record,) = [record for record in caplog.records if record.name == "uvicorn.error" and record.levelno >= 40]
    assert record.getMessage().startswith("the server failed with ValueError at test_server.py:")
    assert "cAnArYsEcReT" not in caplog.text


SERVE = """
import sys
from drmkit.sandbox import SandboxOptions, serve

def ready(sandbox):
    print(sandbox.url, flush=True)

print(serve(SandboxOptions(), ready), flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_ends_on_a_signal(client: Any, number: signal.Signals) -> None:
    """`serve` runs until SIGINT or SIGTERM and then ends in order, with nothing on stderr."""
    child = subprocess.Popen(
        [sys.executable, "-X", "dev", "-c", SERVE], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    url = child.stdout.readline().strip()
    assert client.get(f"{url}/health").status == 200
    child.send_signal(number)
    out, err = child.communicate(timeout=20)
    assert (child.returncode, out.strip(), err) == (0, str(int(number)), "")


def test_serve_returns_the_signal(client: Any) -> None:
    """A signal in the main thread ends `serve`, which names it and puts the old handlers back."""
    before = (sandbox_threads(), signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM))

    def ready(sandbox: Sandbox) -> None:
        assert client.get(f"{sandbox.url}/health").status == 200
        signal.raise_signal(signal.SIGTERM)

    assert serve(SandboxOptions(), ready) == signal.SIGTERM
    assert (sandbox_threads(), signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_serve_gives_up_with_its_callback() -> None:
    """An error of the callback stops the sandbox, restores the signal handlers and comes out."""
    before = (sandbox_threads(), signal.getsignal(signal.SIGTERM))

    def ready(sandbox: Sandbox) -> None:
        raise ConfigurationError("no room for the profile")

    with pytest.raises(ConfigurationError, match="no room for the profile"):
        serve(SandboxOptions(), ready)
    assert (sandbox_threads(), signal.getsignal(signal.SIGTERM)) == before


def test_missing_extra_says_how_to_install() -> None:
    """Without uvicorn the import ends in drmkit's own error, which names the extra."""
    script = (
        "import sys; sys.modules['uvicorn'] = None\n"
        "from drmkit.errors import MissingExtraError\n"
        "try:\n    import drmkit.sandbox\n"
        "except MissingExtraError as error:\n    print(error.message, '|', error.hint)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "the sandbox needs the package uvicorn | install it: pip install 'drmkit[sandbox]'"
