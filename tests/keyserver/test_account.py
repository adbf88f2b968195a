"""From a profile to a key server and a logged-in client."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from certificates import Authority
from scripted import ScriptedServer

from drmkit.config import Profile, Setting
from drmkit.errors import ConfigurationError, RemoteUnavailableError
from drmkit.keyserver.account import cas_client, key_server, mint
from drmkit.secret import Secret

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ACCOUNT: dict[str, Any] = {
    "username": "merchant::api",
    "password": Secret("cAnArY"),
    "organization": "6f1c1bb8-3a0e-4a53-bd3c-2c5a4d8f7a10",
    "cpix_config": "510466cc",
}


def profile(**changes: Any) -> Profile:
    """A profile of a whole account, with changes; None removes a setting."""
    values = {**ACCOUNT, **changes}
    return Profile("acme", {name: Setting(value, "test") for name, value in values.items() if value is not None})


def cas(seen: list[httpx.Request], *, failures: int = 0) -> httpx.MockTransport:
    """A CAS that fails so many times, and then works."""
    left = [failures]

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if left[0]:
            left[0] -= 1
            return httpx.Response(429, headers={"Retry-After": "0"})
        if request.url.path.endswith("/tickets"):
            return httpx.Response(201, headers={"Location": f"{request.url}/TGT-1"})
        return httpx.Response(200, text="ST-1")

    return httpx.MockTransport(respond)


def test_a_profile_is_minted_into_a_url() -> None:
    """Login with the profile's account at production, a ticket for its service, the URL with its query and end."""
    seen: list[httpx.Request] = []
    settings = profile(query={"x-signaling-alg": "cenc"}, ticket_lifetime=timedelta(hours=6), asset_id="a 1")
    url = mint(settings, transport=cas(seen), now=lambda: NOW)
    assert [str(request.url) for request in seen] == [
        "https://auth.drmtoday.com/cas/v1/tickets",
        "https://auth.drmtoday.com/cas/v1/tickets/TGT-1",
    ]
    assert seen[0].content == b"username=merchant%3A%3Aapi&password=cAnArY"
    assert url.service == key_server(settings).service
    assert url.reveal().endswith("/ingest/510466cc/a%201?ticket=ST-1&x-signaling-alg=cenc")
    assert (url.issued_at, url.expires_at) == (NOW, NOW + timedelta(hours=6))


def test_the_usual_clock_is_this_machines() -> None:
    """Without an injected clock, the URL is issued now."""
    before = datetime.now(UTC)
    assert before <= mint(profile(), transport=cas([])).issued_at <= datetime.now(UTC)


@pytest.mark.parametrize(
    ("changes", "host"),
    [
        ({}, "fe.drmtoday.com"),
        ({"environment": "production"}, "fe.drmtoday.com"),
        ({"environment": "staging"}, "fe.staging.drmtoday.com"),
        ({"auth_url": "https://a.example", "frontend_url": "https://f.example"}, "f.example"),
        ({"environment": "custom", "auth_url": "https://a.example", "frontend_url": "https://f.example"}, "f.example"),
    ],
)
def test_the_hosts_follow_the_profile(changes: dict[str, str], host: str) -> None:
    """An environment by name, or two URLs of one's own; production where nothing is said."""
    assert key_server(profile(**changes)).service.startswith(f"https://{host}/frontend/cpix/v1/")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"auth_url": "https://a.example"}, "frontend_url is not set"),
        ({"frontend_url": "https://f.example"}, "auth_url is not set"),
        (
            {"environment": "staging", "auth_url": "https://a.example", "frontend_url": "https://f"},
            "'staging' is set beside",
        ),
        ({"environment": "custom"}, "there is no DRMtoday environment 'custom'"),
        ({"organization": None}, "organization is not set"),
        ({"cpix_config": None}, "cpix_config is not set"),
        ({"organization": "My Company"}, "organization is not one path segment"),
    ],
)
def test_a_profile_that_names_no_key_server_is_refused(changes: dict[str, Any], reason: str) -> None:
    """Half a pair of hosts, a contradiction or a missing ID is told before anything is called."""
    with pytest.raises(ConfigurationError, match=reason):
        key_server(profile(**changes))
    seen: list[httpx.Request] = []
    with pytest.raises(ConfigurationError, match=reason):
        mint(profile(**changes), transport=cas(seen))
    assert seen == []


@pytest.mark.parametrize(
    ("changes", "prompt", "reason"),
    [
        ({"username": None}, None, "username is not set"),
        ({"password": None}, None, "password is not set"),
        ({"password": None, "password_file": "/no/such/file"}, None, "password_file /no/such/file cannot be read"),
        ({"password": None}, lambda _: "", "password is not set"),
    ],
)
def test_an_account_without_credentials_is_not_tried(
    changes: dict[str, Any], prompt: Callable[[str], str] | None, reason: str
) -> None:
    """A missing user name or password is told, and no empty one is sent."""
    seen: list[httpx.Request] = []
    with pytest.raises(ConfigurationError, match=reason):
        mint(profile(**changes), prompt=prompt, transport=cas(seen))
    assert seen == []


def test_a_person_is_asked_where_nothing_gives_the_password() -> None:
    """The prompt's answer is sent as the password."""
    seen: list[httpx.Request] = []
    mint(profile(password=None), prompt=lambda _: "typed", transport=cas(seen))
    assert seen[0].content.endswith(b"&password=typed")


def test_attempts_are_the_profiles() -> None:
    """`attempts = 1` fails at the first failure; the usual three get over two."""
    with pytest.raises(RemoteUnavailableError, match="HTTP 429"):
        mint(profile(attempts=1), transport=cas([], failures=1))
    seen: list[httpx.Request] = []
    mint(profile(attempts=2), transport=cas(seen, failures=1))
    assert len(seen) == 3


def test_the_time_out_is_the_profiles() -> None:
    """`timeout` bounds each call; without it ten seconds do."""
    limits: list[float] = []

    def respond(request: httpx.Request) -> httpx.Response:
        limits.append(request.extensions["timeout"]["read"])
        return httpx.Response(403)

    for changes in ({}, {"timeout": timedelta(seconds=2.5)}):
        with (
            cas_client(profile(**changes), transport=httpx.MockTransport(respond)) as client,
            pytest.raises(ConfigurationError, match="HTTP 403"),
        ):
            client.login()
    assert limits == [10, 2.5]


def test_the_authorities_are_the_profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`ca_file`, with `~` for the home folder, names whom to trust over a real connection."""
    authority = Authority(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    with ScriptedServer(context=authority.context("127.0.0.1")) as server:
        hosts = {"auth_url": server.url, "frontend_url": server.url}

        def https(request: Any) -> Any:
            answer = plain(request)
            if "Location" in answer.headers:
                answer.headers["Location"] = answer.headers["Location"].replace("http:", "https:")
            return answer

        plain, server.respond = server.respond, https
        assert mint(profile(**hosts, ca_file="~/ca.pem")).ticket.reveal() == "ST-1-cAnArY+/="
        with pytest.raises(ConfigurationError, match="the certificate bundle cannot be read"):
            mint(profile(**hosts, ca_file="~/missing.pem"))
