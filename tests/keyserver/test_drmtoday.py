"""DRMtoday: hosts that are never mixed, a service to the letter, and tickets whose age is never flattered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from drmkit.errors import ConfigurationError
from drmkit.keyserver.drmtoday import ENVIRONMENTS, DrmtodayHosts, DrmtodayKeyServer
from drmkit.secret import Secret

ORGANIZATION = "6f1c1bb8-3a0e-4a53-bd3c-2c5a4d8f7a10"
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def server(**changes: Any) -> DrmtodayKeyServer:
    """A key server in production with some settings changed."""
    settings = {"hosts": ENVIRONMENTS["production"], "organization": ORGANIZATION, "cpix_config": "510466cc"}
    return DrmtodayKeyServer(**{**settings, **changes})


class Tickets:
    """Gives a ticket for whatever it is asked, and keeps what that was."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def service_ticket(self, service: str) -> Secret[str]:
        """Give a ticket."""
        self.asked.append(service)
        return Secret("ST-1+/=")


@pytest.mark.parametrize(
    ("environment", "tickets", "service"),
    [
        ("production", "https://auth.drmtoday.com/cas/v1/tickets", "https://fe.drmtoday.com/"),
        ("staging", "https://auth.staging.drmtoday.com/cas/v1/tickets", "https://fe.staging.drmtoday.com/"),
    ],
)
def test_each_environment_has_its_two_hosts(environment: str, tickets: str, service: str) -> None:
    """Tickets of one environment are for services of the same."""
    hosts = DrmtodayHosts.named(environment)
    assert hosts.tickets_url == tickets
    assert server(hosts=hosts).service.startswith(service)


@pytest.mark.parametrize("name", ["", "prod", "Production", "custom"])
def test_an_unknown_environment_is_told(name: str) -> None:
    """The refusal names the environments that there are."""
    with pytest.raises(ConfigurationError, match="there is no DRMtoday environment") as caught:
        DrmtodayHosts.named(name)
    assert "production or staging" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("auth", "frontend", "tickets"),
    [
        ("https://auth.example.com", "https://fe.example.com", "https://auth.example.com/cas/v1/tickets"),
        ("https://auth.example.com/", "https://fe.example.com//", "https://auth.example.com/cas/v1/tickets"),
        ("https://a.example.com/cas/v1/tickets", "https://fe.example.com", "https://a.example.com/cas/v1/tickets"),
        ("https://a.example.com/cas/v1/tickets/", "https://fe.example.com", "https://a.example.com/cas/v1/tickets"),
        ("https://a.example.com/base", "https://fe.example.com", "https://a.example.com/base/cas/v1/tickets"),
        ("HTTPS://a.example.com:8443", "https://fe.example.com", "HTTPS://a.example.com:8443/cas/v1/tickets"),
        ("http://127.0.0.1:8000", "http://localhost:8000", "http://127.0.0.1:8000/cas/v1/tickets"),
        ("http://[::1]:8000", "http://[::1]:8000", "http://[::1]:8000/cas/v1/tickets"),
        ("https://AUTH.drmtoday.com", "https://fe.drmtoday.com", "https://AUTH.drmtoday.com/cas/v1/tickets"),
        ("https://auth.staging.drmtoday.com", "https://fe.staging.drmtoday.com", None),
    ],
)
def test_hosts_of_ones_own_are_taken(auth: str, frontend: str, tickets: str | None) -> None:
    """Base URLs or the whole ticket resource, with or without a slash; plain http on loopback."""
    hosts = DrmtodayHosts.custom(auth, frontend)
    assert hosts.tickets_url == (tickets or f"{auth}/cas/v1/tickets")
    assert hosts.frontend_url == frontend.rstrip("/")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://auth.example.com", "must be an https URL"),
        ("http://127.0.0.1.example.com", "must be an https URL"),
        ("http://localhost.", "must be an https URL"),
        ("ftp://auth.example.com", "must be an https URL"),
        ("auth.example.com", "must be an https URL"),
        ("", "must be an https URL"),
        ("https://", "must be an https URL"),
        ("https://:443", "must be an https URL"),
        ("https://auth.example.com:0", "must be an https URL"),
        ("https://auth.example.com\n", "must be an https URL"),
        (" https://auth.example.com", "must be an https URL"),
        ("https://auth.exa mple.com", "must be an https URL"),
        ("https://auth.example.com\\@evil.example", "must be an https URL"),
        ("https://auth.exämple.com", "must be an https URL"),
        ("https://auth.example.com:port", "is not a URL"),
        ("https://auth.example.com:65536", "is not a URL"),
        ("https://[::1", "is not a URL"),
        ("https://user:cAnArY@auth.example.com", "must not hold a user"),
        ("https://auth.example.com?x=cAnArY", "must not hold a user, a query"),
        ("https://auth.example.com?", "must not hold a user, a query"),
        ("https://auth.example.com/#cAnArY", "must not hold a user, a query or a fragment"),
        ("https://auth.example.com/#", "must not hold a user, a query or a fragment"),
    ],
)
def test_what_is_no_base_url_is_refused(url: str, reason: str) -> None:
    """A password never travels in the clear, nor does a base URL hold what would end up in the middle of another."""
    for role, pair in (("auth_url", (url, "https://fe.x")), ("frontend_url", ("https://auth.x", url))):
        with pytest.raises(ConfigurationError, match=f"^{role} {reason}") as caught:
            DrmtodayHosts.custom(*pair)
        assert "cAnArY" not in str(caught.value)
        assert caught.value.hint


@pytest.mark.parametrize(
    ("auth", "frontend", "reason"),
    [
        ("https://auth.drmtoday.com", "https://fe.staging.drmtoday.com", "different environments"),
        ("https://auth.staging.drmtoday.com", "https://fe.drmtoday.com", "different environments"),
        ("https://auth.drmtoday.com", "https://fe.example.com", "different environments"),
        ("https://auth.example.com", "https://fe.drmtoday.com", "different environments"),
        ("http://127.0.0.1:1", "https://fe.drmtoday.com", "different environments"),
        ("https://fe.drmtoday.com", "https://auth.drmtoday.com", "auth_url names the other host of production"),
        ("https://auth.drmtoday.com", "https://auth.drmtoday.com", "frontend_url names the other host of production"),
    ],
)
def test_environments_are_never_mixed(auth: str, frontend: str, reason: str) -> None:
    """A known host is accepted beside its own partner alone, and in its own role."""
    with pytest.raises(ConfigurationError, match=reason):
        DrmtodayHosts.custom(auth, frontend)


def test_the_service_is_the_url_without_query() -> None:
    """Scheme, host and path as the vendor's script writes them, with neither slash nor query at the end."""
    base = f"https://fe.drmtoday.com/frontend/cpix/v1/{ORGANIZATION}/ingest/510466cc"
    assert server().service == base
    assert server(query={"x-signaling-alg": "cenc"}).service == base
    assert server(asset_id="my asset/1").service == f"{base}/my%20asset%2F1"
    assert server(asset_id="ü?#").service == f"{base}/%C3%BC%3F%23"
    assert server(asset_id="...").service == f"{base}/..."


@pytest.mark.parametrize("name", ["organization", "cpix_config"])
@pytest.mark.parametrize(
    "value", ["", ".", "..", "a/b", "a b", "a?b", "a#b", "a%2Fb", "ü", "a\n", "a\\b", "a;b", "a@b"]
)
def test_ids_are_single_path_segments(name: str, value: str) -> None:
    """An ID that would change the path, or mean something else to a server, is refused; a plain one is not."""
    with pytest.raises(ConfigurationError, match=f"^{name} is not one path segment of a URL") as caught:
        server(**{name: value})
    assert "dashboard" in str(caught.value.hint)
    assert server(**{name: "My-Org_1.x~y"}).service


@pytest.mark.parametrize("value", ["", " ", "\t", ".", ".."])
def test_an_asset_id_is_something(value: str) -> None:
    """An empty asset ID would end the service in a slash; a dot would be resolved away."""
    with pytest.raises(ConfigurationError, match="asset_id is empty or a dot"):
        server(asset_id=value)


def test_the_query_names_no_ticket() -> None:
    """Two tickets in one URL would leave the server to choose."""
    with pytest.raises(ConfigurationError, match="query must not name a ticket"):
        server(query={"ticket": "x"})


def test_minting_asks_for_exactly_the_service() -> None:
    """One ticket, for the URL without its query; the URL carries ticket and query."""
    tickets = Tickets()
    url = server(query={"x-signaling-alg": "cenc"}).mint(tickets, lambda: NOW)
    assert tickets.asked == [server().service]
    assert url.reveal() == f"{server().service}?ticket=ST-1%2B%2F%3D&x-signaling-alg=cenc"
    assert (url.issued_at, url.expires_at) == (NOW, None)


def test_a_stated_lifetime_never_ends_late() -> None:
    """The age counts from before the ticket was asked for, however long the server took to give it."""
    moments = [NOW, NOW + timedelta(minutes=5)]
    url = server(lifetime=timedelta(hours=6)).mint(Tickets(), lambda: moments.pop(0))
    assert (url.issued_at, url.expires_at) == (NOW, NOW + timedelta(hours=6))


def test_the_usual_clock_is_aware() -> None:
    """Without an injected clock, the time is that of this machine, in UTC."""
    before = datetime.now(UTC)
    assert before <= server().mint(Tickets()).issued_at <= datetime.now(UTC)
