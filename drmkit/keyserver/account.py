"""From a profile to a DRMtoday key server and its CAS client."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from drmkit.config import Profile
from drmkit.errors import ConfigurationError
from drmkit.keyserver.drmtoday import DrmtodayHosts, DrmtodayKeyServer
from drmkit.keyserver.url import KeyServerUrl
from drmkit.secret import Secret

if TYPE_CHECKING:
    import httpx

    from drmkit.cas import CasClient
    from drmkit.http import HttpClient
    from drmkit.keyserver.endpoints import Organization
    from drmkit.retry import Retrier

__all__ = ["cas_client", "drmtoday_hosts", "http_client", "key_server", "mint", "organization", "retrier"]

_ACCOUNT = ("username", "organization", "cpix_config")
_DEFAULT_TIMEOUT_SECONDS = 10.0


def key_server(profile: Profile) -> DrmtodayKeyServer:
    """Return the key server that a profile names.

    Raises:
        ConfigurationError: settings are missing, all of them named at once, or contradict each other.
    """
    profile.require_all(*_ACCOUNT)
    return DrmtodayKeyServer(
        hosts=drmtoday_hosts(profile),
        organization=profile.require("organization"),
        cpix_config=profile.require("cpix_config"),
        asset_id=profile.get("asset_id"),
        query=profile.get("query") or {},
        lifetime=profile.get("ticket_lifetime"),
    )


def organization(profile: Profile) -> Organization:
    """Return the organization that a profile names, for the calls of key management; what it lacks shows in a call."""
    from drmkit.keyserver.endpoints import Organization  # noqa: PLC0415 (renewal does without it)

    name, uuid, config = (profile.get(setting) for setting in ("organization_name", "organization", "cpix_config"))
    return Organization(drmtoday_hosts(profile), name, uuid, config)


def cas_client(
    profile: Profile,
    *,
    prompt: Callable[[str], str] | None = None,
    password: Secret[str] | None = None,
    transport: httpx.BaseTransport | None = None,
    sleep: Callable[[float], None] | None = None,
) -> CasClient:
    """Return a CAS client for the account of a profile.

    Args:
        profile: the settings.
        prompt: asks a person for a password that no setting gives.
        password: the password, where it is known already.
        transport: sends the requests instead of the network.
        sleep: waits between attempts; None for the usual way.

    Raises:
        ConfigurationError: a setting is missing, or the password's source does not give it.
    """
    from drmkit.cas import CasClient, Credentials  # noqa: PLC0415 (the network is loaded only when it is needed)

    username = profile.require("username")
    return CasClient(
        drmtoday_hosts(profile).tickets_url,
        Credentials(username, profile.secret("password", prompt=prompt) if password is None else password),
        http=http_client(profile, transport=transport),
        retrier=retrier(profile, sleep=sleep),
    )


def http_client(profile: Profile, *, transport: httpx.BaseTransport | None = None) -> HttpClient:
    """Return an HTTP client with a profile's time limit and certificate authorities."""
    from drmkit.http import HttpClient  # noqa: PLC0415

    timeout, ca_file = profile.get("timeout"), profile.get("ca_file")
    return HttpClient(
        transport=transport,
        timeout=timeout.total_seconds() if timeout else _DEFAULT_TIMEOUT_SECONDS,
        ca_file=None if ca_file is None else str(Path(ca_file).expanduser()),
    )


def retrier(profile: Profile, *, sleep: Callable[[float], None] | None = None) -> Retrier:
    """Return what repeats a profile's calls."""
    from drmkit.retry import Retrier, RetryPolicy  # noqa: PLC0415

    attempts = profile.get("attempts")
    policy = RetryPolicy(attempts=attempts) if attempts else RetryPolicy()
    return Retrier(policy) if sleep is None else Retrier(policy, sleep=sleep)


def mint(
    profile: Profile,
    *,
    prompt: Callable[[str], str] | None = None,
    transport: httpx.BaseTransport | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> KeyServerUrl:
    """Log in with a profile's account and return a fresh key-server URL."""
    server = key_server(profile)
    with cas_client(profile, prompt=prompt, transport=transport) as cas:
        return server.mint(cas, now)


def drmtoday_hosts(profile: Profile) -> DrmtodayHosts:
    """Return the hosts that a profile names, DRMtoday's production where it names none.

    Raises:
        ConfigurationError: its settings contradict each other.
    """
    environment, auth, frontend = (profile.get(name) for name in ("environment", "auth_url", "frontend_url"))
    if auth is None and frontend is None:
        return DrmtodayHosts.named(environment or "production")
    if environment not in {None, "custom"}:
        raise ConfigurationError(
            f"environment {environment!r} is set beside auth_url or frontend_url",
            hint="keep either the environment or the two URLs",
        )
    if auth is None or frontend is None:
        missing = "auth_url" if auth is None else "frontend_url"
        raise ConfigurationError(
            f"{missing} is not set", hint="auth_url and frontend_url belong together: set both or neither"
        )
    return DrmtodayHosts.custom(auth, frontend)
