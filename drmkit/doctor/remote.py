"""What only the network can tell: names, TLS, proxies, clocks; a login, a ticket and, only if asked for, an ingest."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from drmkit.config import Profile
from drmkit.doctor.report import Check, State
from drmkit.errors import CredentialsRejectedError
from drmkit.http import HttpClient
from drmkit.keyserver import account
from drmkit.keyserver.journal import JournalFile, fingerprint
from drmkit.keyserver.store import UrlStore
from drmkit.keyserver.url import KeyServerUrl
from drmkit.loopback import is_loopback
from drmkit.retry import parse_http_date
from drmkit.secret import Secret

__all__ = ["check_account", "check_hosts", "check_key_server", "check_proxy"]

_NETWORK = "network"
_ACCOUNT = "account"
_SKEW_NOTED = timedelta(minutes=1)
_SKEW_HARMFUL = timedelta(minutes=5)
_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")

Resolve = Callable[[str, int], object]


def check_proxy(environ: Mapping[str, str]) -> Iterator[Check]:
    """Tell which proxy and certificate variables apply."""
    found = [name for upper in _PROXIES for name in (upper, upper.lower()) if environ.get(name)]
    for name in found:
        yield Check(_NETWORK, name, "pass", environ[name])
    if not found:
        yield Check(_NETWORK, "proxy", "pass", "none is set")
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        if environ.get(name):
            yield Check(_NETWORK, name, "pass", f"{environ[name]} replaces the usual certificate authorities")


def check_hosts(
    profile: Profile,
    *,
    http: HttpClient,
    now: Callable[[], datetime],
    proxied: bool,
    resolve: Resolve = socket.getaddrinfo,
) -> Iterator[Check]:
    """Look up, reach and ask each host of the profile for its time. No login, no ticket.

    Raises:
        ConfigurationError: the profile names no hosts.
        RemoteError: a host cannot be reached, or its certificate is not trusted.
    """
    hosts = account.key_server(profile).hosts
    for role, url in (("CAS", hosts.auth_url), ("key server", hosts.frontend_url)):
        parts = urlsplit(url)
        host = parts.hostname or ""
        yield _resolved(role, host, parts.port or 443, resolve, proxied=proxied)
        began = now()
        response = http.request("GET", f"{parts.scheme}://{parts.netloc}/", purpose=f"the {role} at {parts.netloc}")
        secured = "with a certificate that is trusted" if parts.scheme == "https" else "without TLS, on loopback"
        yield Check(_NETWORK, f"{role} reached", "pass", f"{parts.netloc} answers {secured} (HTTP {response.status})")
        yield _clock(role, response.headers.get("date"), began, now())


def _resolved(role: str, host: str, port: int, resolve: Resolve, *, proxied: bool) -> Check:
    name = f"{role} name"
    if is_loopback(host):
        return Check(_NETWORK, name, "pass", f"{host} is this machine")
    try:
        resolve(host, port)
    except OSError:
        fix = "the proxy may resolve it" if proxied else "check the DNS servers and the network"
        return Check(_NETWORK, name, "warn" if proxied else "fail", f"{host} is not resolved here", fix)
    return Check(_NETWORK, name, "pass", f"{host} is resolved")


def _clock(role: str, date: str | None, began: datetime, ended: datetime) -> Check:
    """Compare this machine's clock with a server's, whose Date header counts whole seconds."""
    name = f"clock against {role}"
    server = parse_http_date(date)
    if server is None:
        return Check(_NETWORK, name, "skip", "the server does not tell its time")
    ahead = max(began - server - timedelta(seconds=1), timedelta(0))
    behind = max(server - ended, timedelta(0))
    skew = max(ahead, behind)
    detail = f"{skew.total_seconds():.0f} s {'behind' if behind > ahead else 'ahead'}" if skew else "the same time"
    state: State = "fail" if skew >= _SKEW_HARMFUL else "warn" if skew >= _SKEW_NOTED else "pass"
    return Check(_NETWORK, name, state, detail, "set the clock, and run NTP")


def check_account(
    profile: Profile, store: UrlStore, *, keep: list[KeyServerUrl], now: Callable[[], datetime]
) -> Iterator[Check]:
    """Log in once and take one ticket; credentials that were rejected before are not sent again.

    Args:
        profile: the settings.
        store: the stored URL, whose journal remembers rejected credentials.
        keep: is given the URL that was made.
        now: the clock (aware).

    Raises:
        ConfigurationError: the credentials or the service are rejected.
        RemoteError: the CAS does not do what it should.
    """
    server = account.key_server(profile)
    password = profile.secret("password")
    tried = Secret("\n".join((server.hosts.tickets_url, profile.require("username"), password.reveal())))
    file = JournalFile.beside(store.path)
    journal = file.load()
    if journal.rejected is not None and fingerprint(tried, journal.rejected) == journal.rejected:
        yield Check(
            _ACCOUNT,
            "login",
            "fail",
            "not tried: these credentials were rejected before, and trying again can lock the account",
            "correct the user name or password; after the account was mended, run `drmkit key-url refresh --force`",
        )
        return
    with account.cas_client(profile, password=password) as cas:
        try:
            cas.login()
        except CredentialsRejectedError as error:
            if store.path.parent.is_dir():
                file.try_to_save(journal.failed(error, not_before=journal.not_before, rejected=fingerprint(tried)))
            raise
        yield Check(_ACCOUNT, "login", "pass", f"{server.hosts.tickets_url} accepts the account")
        url = server.mint(cas, now)
        keep.append(url)
        yield Check(_ACCOUNT, "ticket", "pass", "a ticket was given for the service")


def check_key_server(fetch: Callable[[KeyServerUrl], Secret[bytes]], url: KeyServerUrl) -> Iterator[Check]:
    """Fetch the document and validate it: at DRMtoday an ingest, which makes key IDs and registers keys.

    Raises:
        DrmkitError: it cannot be fetched, or is not valid.
    """
    from drmkit.cpix import validation  # noqa: PLC0415 (XML is loaded only when it is asked for)

    validation.check(fetch(url).reveal())
    yield Check(_ACCOUNT, "key server", "pass", "it answers with a valid CPIX document (this was an ingest)")
