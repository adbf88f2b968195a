"""castLabs DRMtoday: its hosts, and how an account becomes a key-server URL.

Source: Tencent Cloud, "DRM integration", https://www.tencentcloud.com/document/product/1041/68547.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol
from urllib.parse import quote, urlsplit

from drmkit.errors import ConfigurationError
from drmkit.keyserver.url import KeyServerUrl
from drmkit.loopback import is_loopback
from drmkit.secret import Secret

__all__ = ["ENVIRONMENTS", "DrmtodayHosts", "DrmtodayKeyServer"]

_TICKETS_PATH = "/cas/v1/tickets"
_SEGMENT = re.compile(r"[A-Za-z0-9._~-]+")
_URL = re.compile(r"[!-\[\]-~]+")
"""What a URL is made of: visible ASCII but for the backslash, which programs read in different ways."""
_DOTS = frozenset({".", ".."})


@dataclass(frozen=True, slots=True)
class DrmtodayHosts:
    """The two hosts that belong together: one that gives tickets, one that takes them.

    Attributes:
        auth_url: the CAS's base URL, or its whole ticket resource.
        frontend_url: the base URL of the APIs, without the `/frontend` that every path of theirs begins with.
    """

    auth_url: str
    frontend_url: str

    @classmethod
    def named(cls, environment: str) -> DrmtodayHosts:
        """Return the hosts of `production` or `staging`."""
        try:
            return ENVIRONMENTS[environment]
        except KeyError:
            raise ConfigurationError(
                f"there is no DRMtoday environment {environment!r}",
                hint="use production or staging, or give both auth_url and frontend_url",
            ) from None

    @classmethod
    def custom(cls, auth_url: str, frontend_url: str) -> DrmtodayHosts:
        """Return hosts of one's own; a known host is accepted only beside its own partner.

        Raises:
            ConfigurationError: a URL is not https (http on loopback), holds a query or user, or the environments mix.
        """
        for name, url in (("auth_url", auth_url), ("frontend_url", frontend_url)):
            _check_base(name, url)
        homes = {_home(auth_url, "auth_url"), _home(frontend_url, "frontend_url")}
        if len(homes) > 1:
            raise ConfigurationError(
                "auth_url and frontend_url belong to different environments: a ticket of one is void in the other",
                hint='use environment = "production" or "staging", or give two URLs of the same installation',
            )
        return cls(auth_url.rstrip("/"), frontend_url.rstrip("/").removesuffix("/frontend"))

    @property
    def tickets_url(self) -> str:
        """The CAS's ticket resource."""
        return self.auth_url if self.auth_url.endswith(_TICKETS_PATH) else self.auth_url + _TICKETS_PATH


ENVIRONMENTS: Mapping[str, DrmtodayHosts] = {
    "production": DrmtodayHosts("https://auth.drmtoday.com", "https://fe.drmtoday.com"),
    "staging": DrmtodayHosts("https://auth.staging.drmtoday.com", "https://fe.staging.drmtoday.com"),
}


class TicketSource(Protocol):
    """What a key server needs of a CAS client."""

    def service_ticket(self, service: str) -> Secret[str]:
        """Return a fresh ticket for exactly this URL."""


@dataclass(frozen=True, slots=True)
class DrmtodayKeyServer:
    """One CPIX configuration of one organization at DRMtoday.

    Attributes:
        hosts: production, staging or custom.
        organization: the organization's UUID (dashboard, API endpoints), not its API name.
        cpix_config: the ID of the CPIX configuration (dashboard, Ingest settings), not a seed's.
        asset_id: a further path part that fixes the asset, or None. Untested with MPS, which sends its own
            `ResourceId`.
        query: further query parameters, such as `{"x-signaling-alg": "cenc"}`.
        lifetime: how long a ticket lives, where its owner has measured that; DRMtoday publishes no figure.
    """

    hosts: DrmtodayHosts
    organization: str
    cpix_config: str
    asset_id: str | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    lifetime: timedelta | None = None

    def __post_init__(self) -> None:
        for name in ("organization", "cpix_config"):
            value = getattr(self, name)
            if not _SEGMENT.fullmatch(value) or value in _DOTS:
                raise ConfigurationError(
                    f"{name} is not one path segment of a URL: {value!r}",
                    hint="copy the ID from the dashboard: letters, digits, dots, dashes, underscores",
                )
        if self.asset_id is not None and (not self.asset_id.strip() or self.asset_id in _DOTS):
            raise ConfigurationError(
                "asset_id is empty or a dot", hint="leave it out to let the packager name the asset"
            )
        if "ticket" in self.query:
            raise ConfigurationError("query must not name a ticket", hint="the ticket is added when the URL is built")

    @property
    def service(self) -> str:
        """The URL without query: what the ticket is asked for, to the letter."""
        base = f"{self.hosts.frontend_url}/frontend/cpix/v1/{self.organization}/ingest/{self.cpix_config}"
        return base if self.asset_id is None else f"{base}/{quote(self.asset_id, safe='')}"

    def mint(self, cas: TicketSource, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> KeyServerUrl:
        """Take a fresh service ticket and return the URL that carries it.

        `issued_at` is read before the ticket is asked for, so that a stated lifetime never ends late.
        """
        issued_at = now()
        ticket = cas.service_ticket(self.service)
        expires_at = None if self.lifetime is None else issued_at + self.lifetime
        return KeyServerUrl(self.service, ticket, issued_at, expires_at, tuple(self.query.items()))


def _check_base(name: str, url: str) -> None:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        usable = parts.port != 0
    except ValueError:
        raise ConfigurationError(f"{name} is not a URL", hint="give something like https://auth.example.com") from None
    if not (usable and host and _URL.fullmatch(url)) or (
        parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host))
    ):
        raise ConfigurationError(
            f"{name} must be an https URL (plain http on loopback alone)",
            hint="give something like https://auth.example.com",
        )
    if "?" in url or "#" in url or "@" in parts.netloc:
        raise ConfigurationError(
            f"{name} must not hold a user, a query or a fragment",
            hint="give the host alone, such as https://auth.example.com",
        )


def _home(url: str, role: str) -> str | None:
    host = urlsplit(url).hostname
    for environment, hosts in ENVIRONMENTS.items():
        if host in {urlsplit(hosts.auth_url).hostname, urlsplit(hosts.frontend_url).hostname}:
            if host != urlsplit(getattr(hosts, role)).hostname:
                raise ConfigurationError(f"{role} names the other host of {environment}", hint="swap the two URLs")
            return environment
    return None
