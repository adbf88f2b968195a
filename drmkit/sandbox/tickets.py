"""The tickets of the sandbox's Central Authentication Service, as its login and the key server both see them."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable
from dataclasses import dataclass

from drmkit.sandbox.faults import Faults

__all__ = ["TicketStore"]

_SWEEP_EVERY = 256


@dataclass(slots=True)
class _Ticket:
    ends: float | None
    service: str = ""
    login: str = ""

    def alive(self, now: float) -> bool:
        return self.ends is None or now < self.ends


class TicketStore:
    """Ticket-granting and service tickets, in memory only. Thread-safe.

    A service ticket is good for exactly one service URL, character for character. Logging out ends the service
    tickets of that login too, as in Apereo CAS; a login that merely expires leaves them alone, since their lifetime
    is a setting of its own here.

    Args:
        clock: seconds; only differences matter.
        token_bytes: makes that many random bytes.
        login_lifetime: seconds that a ticket-granting ticket lives, or None.
        ticket_lifetime: seconds that a service ticket lives, or None.
        single_use: whether a service ticket works only once.
        faults: the sandbox's faults.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        token_bytes: Callable[[int], bytes],
        login_lifetime: float | None,
        ticket_lifetime: float | None,
        single_use: bool,
        faults: Faults,
    ) -> None:
        self._clock = clock
        self._token_bytes = token_bytes
        self._login_lifetime = login_lifetime
        self._ticket_lifetime = ticket_lifetime
        self._single_use = single_use
        self._faults = faults
        self._lock = threading.Lock()
        self._logins: dict[str, _Ticket] = {}
        self._tickets: dict[str, _Ticket] = {}
        self._issued = 0

    def log_in(self) -> str:
        """Issue a ticket-granting ticket and return its ID."""
        with self._lock:
            number = self._next_number()
            login = f"TGT-{number}-{self._token_bytes(24).hex()}-sandbox"
            self._logins[login] = _Ticket(self._end(self._login_lifetime))
            return login

    def knows(self, login: str) -> bool:
        """Tell whether a ticket-granting ticket is known and alive."""
        with self._lock:
            return self._alive(self._logins, login) is not None

    def log_out(self, login: str) -> bool:
        """End a login and its service tickets; return whether it was alive."""
        with self._lock:
            known = self._alive(self._logins, login) is not None
            self._logins.pop(login, None)
            self._tickets = {key: ticket for key, ticket in self._tickets.items() if ticket.login != login}
            return known

    def grant(self, login: str, service: str) -> str | None:
        """Issue a service ticket, or return None where the login is unknown or over.

        The ticket always holds `+`, `/` and `=`: a client that does not percent-encode it finds out here.
        """
        forgotten = self._faults.hit("cas-login-forgotten")
        with self._lock:
            if forgotten:
                self._logins.pop(login, None)
            if self._alive(self._logins, login) is None:
                return None
            number = self._next_number()
            halves = (base64.b64encode(self._token_bytes(15)).decode("ascii") for _ in range(2))
            ticket = f"ST-{number}-{'+/'.join(halves)}=="
            lifetime = 0.0 if self._faults.hit("cas-early-expiry") else self._ticket_lifetime
            self._tickets[ticket] = _Ticket(self._end(lifetime), service, login)
            return ticket

    def redeem(self, ticket: str, service: str) -> bool:
        """Tell whether a service ticket opens this service now; a single-use ticket is spent by any try."""
        with self._lock:
            found = self._alive(self._tickets, ticket)
            if found is not None and self._single_use:
                del self._tickets[ticket]
            return found is not None and found.service == service

    @property
    def counts(self) -> tuple[int, int]:
        """How many logins and service tickets are alive."""
        now = self._clock()
        with self._lock:
            return (
                sum(ticket.alive(now) for ticket in self._logins.values()),
                sum(ticket.alive(now) for ticket in self._tickets.values()),
            )

    def _alive(self, tickets: dict[str, _Ticket], name: str) -> _Ticket | None:
        found = tickets.get(name)
        if found is not None and not found.alive(self._clock()):
            del tickets[name]
            return None
        return found

    def _end(self, lifetime: float | None) -> float | None:
        return None if lifetime is None else self._clock() + lifetime

    def _next_number(self) -> int:
        self._issued += 1
        if self._issued % _SWEEP_EVERY == 0:
            now = self._clock()
            self._logins = {key: ticket for key, ticket in self._logins.items() if ticket.alive(now)}
            self._tickets = {key: ticket for key, ticket in self._tickets.items() if ticket.alive(now)}
        return self._issued
