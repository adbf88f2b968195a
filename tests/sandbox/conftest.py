"""A running sandbox with known credentials, and a plain HTTP client that is not drmkit's."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from drmkit.sandbox import Sandbox, SandboxOptions
from drmkit.secret import Secret

ORGANIZATION = "6f1c1bb8-3a0e-4a53-bd3c-2c5a4d8f7a10"
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Answer:
    """What came over the wire."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as UTF-8."""
        return self.body.decode()


class Client:
    """Python's own http.client, one connection a call."""

    def call(self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Answer:
        """Send one request to an http URL."""
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
        try:
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request(method, target, body=body, headers=dict(headers or {}))
            response = connection.getresponse()
            return Answer(
                response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
            )
        finally:
            connection.close()

    def get(self, url: str, **headers: str) -> Answer:
        """GET a URL."""
        return self.call("GET", url, headers=headers)

    def form(self, url: str, fields: Mapping[str, str], content_type: str = FORM) -> Answer:
        """POST a form."""
        return self.call("POST", url, headers={"Content-Type": content_type}, body=urlencode(fields).encode())


class Account:
    """A sandbox and the two steps to a ticket, written after the vendor's documentation."""

    def __init__(self, sandbox: Sandbox, client: Client) -> None:
        self.sandbox = sandbox
        self.client = client

    def log_in(self) -> str:
        """Return the URL of a ticket-granting ticket."""
        known = self.sandbox.credentials
        fields = {"username": known.username, "password": known.password.reveal()}
        answer = self.client.form(f"{self.sandbox.url}/cas/v1/tickets", fields)
        assert answer.status == 201
        return answer.headers["location"]

    def ticket(self, service: str | None = None) -> str:
        """Return a service ticket."""
        answer = self.client.form(self.log_in(), {"service": service or self.sandbox.service})
        assert answer.status == 200
        return answer.text

    def key_url(self, asset: str | None = None, **query: str) -> str:
        """Return a key-server URL with a fresh ticket."""
        service = self.sandbox.service + (f"/{asset}" if asset else "")
        return f"{service}?{urlencode({'ticket': self.ticket(service), **query})}"


@pytest.fixture
def client() -> Client:
    """A plain HTTP client."""
    return Client()


def known_options(**options: Any) -> SandboxOptions:
    """Options with known credentials and seeds, and any others."""
    known: dict[str, Any] = {
        "username": "merchant::api",
        "password": Secret("p&ss+w%rd="),
        "organization": ORGANIZATION,
        "cpix_config": "510466cc",
        "secret_id": "AKIDsandboxEXAMPLE",
        "secret_key": Secret("sandboxsecretEXAMPLE"),
        "key_seed": Secret(bytes(range(32))),
        "iv_seed": Secret(bytes(range(32, 64))),
        "encrypt": False,
    }
    return SandboxOptions(**(known | options))


@pytest.fixture
def make(client: Client) -> Iterator[Callable[..., Account]]:
    """Start a sandbox with known credentials and any further options; it stops with the test."""
    running: list[Sandbox] = []

    def maker(**options: Any) -> Account:
        sandbox = Sandbox(known_options(**options))
        running.append(sandbox)
        sandbox.start()
        return Account(sandbox, client)

    yield maker
    for sandbox in running:
        sandbox.stop()


@pytest.fixture
def account(make: Callable[..., Account]) -> Account:
    """A sandbox of the test's own, with the default behavior."""
    return make()


@pytest.fixture(scope="session")
def shared() -> Iterator[Account]:
    """One sandbox for the tests that leave no trace in it."""
    with Sandbox(known_options()) as sandbox:
        yield Account(sandbox, Client())
