"""No secret leaves by accident: every command, good and failing, as talkative as it gets, is searched for canaries."""

from __future__ import annotations

import base64
import logging
import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from scripted import Answer, Cas, Request, ScriptedServer, created

from drmkit.cas import CasClient, Credentials
from drmkit.cli.demo_steps import STEPS, Demo, run_steps
from drmkit.errors import DrmkitError
from drmkit.http import HttpClient
from drmkit.retry import Retrier, RetryPolicy
from drmkit.sandbox import SandboxOptions
from drmkit.secret import Secret

PASSWORD = "cAnArYpAsSwOrD&+%="
CANARIES = (PASSWORD, quote(PASSWORD), "cAnArY")

Run = Callable[..., int]


def assert_clean(text: str, where: str) -> None:
    """No canary in a text, however it is encoded."""
    for canary in CANARIES:
        assert canary not in text, f"{canary} leaked into {where}"


def leaking_page(status: int) -> Callable[[Request], Answer]:
    """An error page that repeats everything it was sent, as real ones do."""
    return lambda request: Answer(status, f"<p>{request.target} {request.body!r} TGT-cAnArY</p>".encode())


SERVERS: dict[str, Cas] = {
    "good": Cas(),
    "login 401": Cas(login=leaking_page(401)),
    "login 500": Cas(login=leaking_page(500)),
    "login 200": Cas(login=leaking_page(200)),
    "login 302": Cas(login=lambda _: Answer(302, headers={"Location": "http://127.0.0.1:1/cAnArY?ticket=cAnArY"})),
    "login elsewhere": Cas(login=lambda _: Answer(201, headers={"Location": "http://127.0.0.2/TGT-cAnArY"})),
    "login broken": Cas(login=lambda _: Answer(raw=b"HTTP/1.1 201 x\r\nLocation: \x00TGT-cAnArY\r\n\r\n")),
    "login cut": Cas(login=lambda _: Answer(raw=b"HTTP/1.1 201 x\r\nLocation: http://127.0.0.1/TGT-cAnA")),
    "ticket 404": Cas(ticket=leaking_page(404)),
    "ticket 500": Cas(ticket=leaking_page(500)),
    "ticket 429": Cas(ticket=leaking_page(429)),
    "ticket page": Cas(ticket=leaking_page(200)),
    "ticket words": Cas(ticket=lambda _: Answer(body=b"ST-cAnArY and more")),
    "ticket silent": Cas(ticket=lambda _: Answer(silent=True)),
    "ticket dropped": Cas(ticket=lambda _: Answer(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nST-cAnArY")),
}


@pytest.mark.parametrize("name", SERVERS)
@pytest.mark.parametrize("command", ["get", "refresh"])
def test_no_command_leaks_however_the_server_behaves(
    run: Run,
    environ: dict[str, str],
    cas_server: ScriptedServer,
    command: str,
    name: str,
    capsys: Any,
    caplog: Any,
    tmp_path: Path,
) -> None:
    """With -vv and every logger at DEBUG, streams, log records and files hold no secret, whatever the server does."""
    caplog.set_level(logging.DEBUG)
    cas_server.respond = SERVERS[name].respond
    environ["DRMTODAY_PASSWORD"] = PASSWORD
    config = tmp_path / "c.toml"
    config.write_text("[profile.p]\nattempts = 2\n", encoding="utf-8")
    code = run("-vv", "--config", str(config), "key-url", command, "--timeout", "0.3")
    assert (code == 0) == (name == "good")
    out, err = capsys.readouterr()
    if not (command == "get" and name == "good"):
        assert_clean(out, "standard output")
    assert_clean(err, "standard error")
    for record in caplog.records:
        assert_clean(f"{record.getMessage()} {record.args!r}", f"the log of {record.name}")
    assert any(record.name == "drmkit.http" for record in caplog.records) or "broke" in err or "within" in err
    for file in tmp_path.rglob("*"):
        if file.is_file() and file.name != "p.json":
            assert_clean(file.read_text(encoding="utf-8"), str(file))


@pytest.mark.parametrize(
    "arguments",
    [
        ("config", "show"),
        ("config", "show", "--format", "json"),
        ("key-url", "show"),
        ("key-url", "show", "--format", "json"),
        ("key-url", "get", "--dry-run"),
        ("key-url", "refresh", "--dry-run", "--format", "json"),
        ("key-url", "refresh", "--force", "--format", "json"),
        ("key-url", "get", "-h"),
        ("key-url", "get", "--organization", "a/b"),
    ],
)
def test_no_other_command_shows_a_secret(
    run: Run, environ: dict[str, str], arguments: tuple[str, ...], capsys: Any, caplog: Any
) -> None:
    """Settings, help, plans and stored URLs are shown with their secrets masked."""
    caplog.set_level(logging.DEBUG)
    environ |= {
        "DRMTODAY_PASSWORD": PASSWORD,
        "TENCENTCLOUD_SECRET_KEY": "cAnArYkEy",
        "TENCENTCLOUD_TOKEN": "cAnArYtOkEn",
    }
    assert run("key-url", "refresh") == 0
    run("-vv", *arguments)
    out, err = capsys.readouterr()
    assert_clean(out, "standard output")
    assert_clean(err, "standard error")
    assert_clean(caplog.text, "the log")


@pytest.mark.parametrize("name", [name for name in SERVERS if name != "good"])
def test_no_traceback_of_the_library_holds_a_secret(cas_server: ScriptedServer, name: str) -> None:
    """A program that logs drmkit's exceptions with their whole chain, as most do, logs no secret."""
    cas_server.respond = SERVERS[name].respond
    http = HttpClient(timeout=0.3)
    retrier = Retrier(RetryPolicy(attempts=1))
    with (
        CasClient(
            f"{cas_server.url}/cas/v1/tickets", Credentials("user", Secret(PASSWORD)), http=http, retrier=retrier
        ) as cas,
        pytest.raises(DrmkitError) as caught,
    ):
        cas.service_ticket("https://fe.example.com/x")
    text = "".join(traceback.format_exception(caught.value))
    assert "drmkit.errors." in text
    assert_clean(text, "the traceback")
    assert_clean(repr(caught.value) + repr(vars(caught.value)), "the exception's attributes")


def test_the_process_list_shows_no_secret(environ: dict[str, str], cas_server: ScriptedServer, tmp_path: Path) -> None:
    """While a refresh waits for the server, neither its command line nor that of a child holds a secret."""
    reached = threading.Event()
    go_on = threading.Event()

    def login(request: Request) -> Answer:
        reached.set()
        go_on.wait(30)
        return created(request)

    cas_server.respond = Cas(login=login).respond
    secret = tmp_path / "password"
    secret.write_text(PASSWORD, encoding="utf-8")
    config = tmp_path / "c.toml"
    config.write_text(f'[profile.p]\npassword_command = ["cat", "{secret}"]\n', encoding="utf-8")
    del environ["DRMTODAY_PASSWORD"]
    root = Path(__file__).resolve().parents[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "drmkit", "-vv", "--config", str(config), "key-url", "refresh"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(root), **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert reached.wait(30)
        command_line = Path(f"/proc/{process.pid}/cmdline").read_text(encoding="utf-8")
        assert "key-url" in command_line
        assert_clean(command_line, "the process list")
        assert_clean(Path(f"/proc/{process.pid}/environ").read_text(encoding="utf-8"), "the process's environment")
    finally:
        go_on.set()
        out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert_clean(out + err, "the streams")


def test_the_whole_demo_leaks_nothing(caplog: Any, capfd: Any) -> None:
    """Sandbox, clients, packager and ffmpeg together, every logger at DEBUG: no password, ticket, key or seed."""
    caplog.set_level(logging.DEBUG)
    secrets: dict[str, str] = {"a canary": "cAnArY"}

    def collect(demo: Demo) -> str:
        secrets["the URL"] = demo.url.reveal()
        secrets["the ticket"] = demo.url.ticket.reveal()
        secrets["the encoded ticket"] = quote(demo.url.ticket.reveal(), safe="")
        for key in demo.document.content_keys:
            assert key.key is not None
            secrets[f"{key.kid} in hex"] = key.key.reveal().hex()
            secrets[f"{key.kid} in base64"] = base64.b64encode(key.key.reveal()).decode()
        return "collected"

    steps = run_steps(
        steps=[*STEPS, ("collect", collect)],
        options=SandboxOptions(
            password=Secret("cAnArYpAsSwOrD"),
            secret_key=Secret("cAnArYsEcReTkEy"),
            key_seed=Secret(b"cAnArYkEySeEd-0123456789"),
            iv_seed=Secret(b"cAnArYiVsEeD-0123456789"),
        ),
    )
    assert steps[-1].detail == "collected"
    shown = "".join(f"{step.name} {step.detail} {step.hint}" for step in steps) + "".join(capfd.readouterr())
    logged = "\n".join(f"{record.name} {record.getMessage()} {record.exc_text or ''}" for record in caplog.records)
    assert len(secrets) == 4 + 2 * 4
    for name, secret in secrets.items():
        assert secret not in shown, f"{name} was shown"
        assert secret not in logged, f"{name} was logged"
    assert "drmkit.http" in logged
