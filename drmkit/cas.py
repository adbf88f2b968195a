"""The CAS ticket client: one login, then one service ticket for each service (CAS REST protocol).

    client = CasClient("https://auth.drmtoday.com/cas/v1/tickets", credentials)
    ticket = client.service_ticket("https://fe.drmtoday.com/frontend/cpix/v1/<organization>/ingest/<config>")

Protocol: https://apereo.github.io/cas/development/protocol/REST-Protocol.html. Ticket-granting tickets (TGT) and
service tickets are opaque: any shape is accepted, and both are secrets.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import NoReturn, Self
from urllib.parse import urljoin, urlsplit

from drmkit.errors import (
    ConfigurationError,
    CredentialsRejectedError,
    ProtocolError,
    RateLimitedError,
    RemoteUnavailableError,
    ServiceRejectedError,
)
from drmkit.http import HttpClient, Response
from drmkit.loopback import is_loopback
from drmkit.retry import Retrier
from drmkit.secret import Secret

__all__ = ["CasClient", "Credentials", "check_ticket"]

_CREATED, _OK = 201, 200
_REJECTED = frozenset({400, 401})
_TGT_GONE = frozenset({400, 401, 404})
_NO_CAS_HERE = frozenset({404, 405, 410})
_FORBIDDEN = 403
_LATER = frozenset({423, 429})
_UNSUPPORTED_MEDIA_TYPE = 415
_UNKNOWN_SERVICE = "unspecified or unrecognized in the request"
_NOT_A_TICKET = re.compile(r"[\s<{\x00-\x20\x7f-\uffff]")
_LONGEST_TICKET = 4096
_MAX_BODY = 256 * 1024


@dataclass(frozen=True, slots=True)
class Credentials:
    """An account at a CAS.

    Attributes:
        username: the account's name; older DRMtoday accounts have the form `merchant::user`.
        password: the account's password.
    """

    username: str
    password: Secret[str]


class CasClient:
    """Get service tickets, logging in once and again only when the ticket-granting ticket is gone.

    Thread-safe: many threads share one login. Rejected credentials are remembered and never sent again, since
    repeated attempts can lock an account.

    Args:
        tickets_url: the CAS's ticket resource, such as `https://auth.drmtoday.com/cas/v1/tickets`; plain http is
            accepted on loopback alone.
        credentials: the account.
        http: makes the calls.
        retrier: repeats what may pass by itself: 415, 423, 429, 5xx, timeouts, broken connections.
    """

    def __init__(
        self, tickets_url: str, credentials: Credentials, *, http: HttpClient, retrier: Retrier | None = None
    ) -> None:
        self._url = _checked_tickets_url(tickets_url)
        self._host = urlsplit(self._url).netloc
        self._credentials = credentials
        self._http = http
        self._retrier = retrier or Retrier()
        self._lock = threading.Lock()
        self._tgt_url: Secret[str] | None = None
        self._rejection: CredentialsRejectedError | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; the session on the server goes on."""
        self._http.close()

    def login(self) -> None:
        """Log in and keep the ticket-granting ticket, replacing an earlier one.

        Raises:
            CredentialsRejectedError: 400 or 401: wrong user name or password. Never retried.
            ConfigurationError: there is no CAS at this address, or it forbids the account.
            RateLimitedError: 423 or 429 to the last attempt.
            RemoteUnavailableError: 415, 5xx or a timeout to the last attempt.
            ProtocolError: an answer that is no ticket, or a ticket on another host.
            TlsError: the certificate cannot be trusted.
        """
        with self._lock:
            self._login()

    def service_ticket(self, service: str) -> Secret[str]:
        """Return a fresh service ticket, logging in first where that has not been done.

        Args:
            service: the exact URL that the ticket is for, without a query.

        Raises:
            ServiceRejectedError: a fresh login is refused a ticket for this service.
            RemoteError: as for `login()`.
        """
        tgt_url = self._current_tgt()
        response = self._ask(tgt_url, service)
        if response.status in _TGT_GONE and _UNKNOWN_SERVICE not in response.text:
            response = self._ask(self._renewed_tgt(gone=tgt_url), service)
        return self._read_ticket(response, service)

    def logout(self) -> None:
        """End the session on the server, which may end tickets that were taken from it. Never called by itself."""
        with self._lock:
            tgt_url, self._tgt_url = self._tgt_url, None
        if tgt_url is not None:
            self._retrier.call(lambda: self._send("DELETE", tgt_url, "the logout", None))

    def _current_tgt(self) -> Secret[str]:
        with self._lock:
            return self._tgt_url or self._login()

    def _renewed_tgt(self, *, gone: Secret[str]) -> Secret[str]:
        """Log in again, unless another thread has done so since `gone` was seen to be gone."""
        with self._lock:
            if self._tgt_url is not None and self._tgt_url != gone:
                return self._tgt_url
            return self._login()

    def _login(self) -> Secret[str]:
        if self._rejection is not None:
            raise self._rejection
        form = {"username": self._credentials.username, "password": self._credentials.password.reveal()}
        url = Secret(self._url)
        response = self._retrier.call(lambda: self._send("POST", url, "the login", form))
        if response.status != _CREATED:
            self._refuse_login(response)
        self._tgt_url = self._read_location(response)
        return self._tgt_url

    def _refuse_login(self, response: Response) -> NoReturn:
        if response.status in _REJECTED:
            self._rejection = CredentialsRejectedError(
                f"the CAS at {self._host} rejected the user name or password (HTTP {response.status})",
                hint="check both, and that the API account is activated; it is not tried again, since that can lock it",
            )
            raise self._rejection
        if response.status == _FORBIDDEN:
            raise ServiceRejectedError(
                f"the CAS at {self._host} forbids this login (HTTP 403)",
                hint="check that the account is activated, and whether a firewall stands in between",
            )
        if response.status in _NO_CAS_HERE:
            raise ConfigurationError(
                f"there is no CAS ticket resource at {self._url} (HTTP {response.status})",
                hint="check the environment or `auth_url`",
            )
        raise self._unexpected(response, "the login", f"HTTP {_CREATED} with a Location header")

    def _read_location(self, response: Response) -> Secret[str]:
        raw = response.headers.get_list("location")
        if len(raw) != 1 or not raw[0].strip():
            raise ProtocolError(
                f"the login at {self._host}: the answer has {'several' if len(raw) > 1 else 'no'} Location headers",
                hint="this is not how a CAS answers: check the environment or `auth_url`",
            )
        usable = False
        with suppress(ValueError):  # told outside its handler: its text quotes the URL
            url = urljoin(self._url, raw[0].strip())
            parts, own = urlsplit(url), urlsplit(self._url)
            same = (parts.hostname, _port(parts.scheme, parts.port)) == (own.hostname, _port(own.scheme, own.port))
            usable = not _NOT_A_TICKET.search(url) and len(url) <= _LONGEST_TICKET
        if not usable:
            raise ProtocolError(f"the login at {self._host}: the Location header is not a usable URL")
        if not same or parts.scheme != own.scheme or "@" in parts.netloc:
            raise ProtocolError(
                f"the login at {self._host}: the ticket's Location is {parts.scheme}://{parts.netloc.split('@')[-1]}, "
                f"not {own.scheme}://{own.netloc}",
                hint="nothing was sent there: a ticket is only used on the host that was logged in to",
            )
        if parts.path.rstrip("/") in {"", own.path.rstrip("/")}:
            raise ProtocolError(f"the login at {self._host}: the Location header holds no ticket")
        return Secret(url)

    def _ask(self, tgt_url: Secret[str], service: str) -> Response:
        return self._retrier.call(lambda: self._send("POST", tgt_url, "the ticket request", {"service": service}))

    def _read_ticket(self, response: Response, service: str) -> Secret[str]:
        if response.status in _TGT_GONE | {_FORBIDDEN} or _UNKNOWN_SERVICE in response.text:
            raise ServiceRejectedError(
                f"the CAS at {self._host} gives no ticket for {service} (HTTP {response.status})",
                hint="the login worked: check the organization UUID (not its API name), the CPIX config ID, and that "
                "the account has the ingest permission",
            )
        if response.status != _OK:
            raise self._unexpected(response, "the ticket request", f"HTTP {_OK} with a ticket")
        return check_ticket(response.text, where=f"the ticket request at {self._host}")

    def _send(self, method: str, url: Secret[str], what: str, form: dict[str, str] | None) -> Response:
        """Make one call; raise for what another try may cure, return everything else."""
        purpose = f"{what} at {self._host}"
        response = self._http.request(method, url.reveal(), purpose=purpose, form=form, max_body=_MAX_BODY)
        if _UNKNOWN_SERVICE in response.text:
            return response
        if response.status in _LATER:
            raise RateLimitedError(
                f"{purpose}: the server asks to come back later (HTTP {response.status})",
                hint=_when(response.retry_after()),
                retry_after=response.retry_after(),
            )
        if response.status == _UNSUPPORTED_MEDIA_TYPE or response.status >= 500:  # noqa: PLR2004 (server errors)
            raise RemoteUnavailableError(
                f"{purpose}: the server failed (HTTP {response.status})",
                hint="try again later",
                retry_after=response.retry_after(),
            )
        return response

    def _unexpected(self, response: Response, what: str, wanted: str) -> ProtocolError:
        got = f"HTTP {response.status}"
        if 300 <= response.status < 400:  # noqa: PLR2004 (redirects)
            got += f", a redirect to {_redirect_target(response)}, which is not followed"
        elif response.looks_like_html:
            got += " with an HTML page"
        return ProtocolError(
            f"{what} at {self._host}: expected {wanted}, got {got}",
            hint="something other than the CAS may be answering: check `auth_url`, the proxy and sign-in pages",
        )


def check_ticket(body: str, *, where: str) -> Secret[str]:
    """Return the service ticket that a response body is, with the white space around it stripped.

    Raises:
        ProtocolError: the body is empty, overlong, or is a page or a message rather than a ticket.
    """
    ticket = body.strip()
    reason = _refusal(ticket)
    if reason:
        raise ProtocolError(
            f"{where}: the body is not a ticket: {reason}",
            hint="something other than the CAS may be answering: check `auth_url`, the proxy and sign-in pages",
        )
    return Secret(ticket)


def _refusal(ticket: str) -> str | None:
    if not ticket:
        return "it is empty"
    if "<" in ticket:
        return "it looks like HTML or XML"
    if "{" in ticket:
        return "it looks like JSON"
    if _NOT_A_TICKET.search(ticket):
        return "it holds white space or characters that no URL can carry"
    if len(ticket) > _LONGEST_TICKET:
        return f"it is longer than {_LONGEST_TICKET} characters"
    return None


def _redirect_target(response: Response) -> str:
    target = None
    with suppress(ValueError):
        target = urlsplit(response.headers.get("location", "")).hostname
    return target or "an unknown host"


def _checked_tickets_url(url: str) -> str:
    parts = None
    with suppress(ValueError):
        parts = urlsplit(url)
    if parts is None or "@" in parts.netloc or "?" in url or "#" in url:
        raise ConfigurationError(
            "the CAS's address is not a URL, or holds a user, a query or a fragment",
            hint="give something like https://auth.example.com/cas/v1/tickets",
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        raise ConfigurationError(
            f"the CAS at {parts.hostname or 'an unnamed host'} must be an https URL",
            hint="plain http would show the password; it is accepted on loopback alone",
        )
    return url.rstrip("/")


def _port(scheme: str, port: int | None) -> int:
    return port or (443 if scheme == "https" else 80)


def _when(
    retry_after: float | None, describe: Callable[[float], str] = "it asked to wait {:.0f} seconds".format
) -> str:
    return "try again later" if retry_after is None else describe(retry_after)
