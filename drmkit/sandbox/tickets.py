"""The tickets of the sandbox's Central Authentication Service, as its login and the key server both see them."""

from __future__ import annotations

import base64
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from drmkit.sandbox.faults import Faults
from drmkit.secret import Secret

__all__ = ["Ticket", "TicketStore"]

_SWEEP_EVERY = 256
_REMEMBERED = 400


@dataclass(slots=True)
class Ticket:
    """One ticket, of either kind.

    Attributes:
        number: counts all tickets of a sandbox from 1.
        value: what the client holds.
        issued: seconds on the sandbox's clock.
        ends: when it expires on the same clock, None for never.
        service: the URL that it opens; "" for a ticket-granting ticket.
        login: the number of the ticket-granting ticket that it came from; 0 for such a one itself.
        single_use: whether any try spends it.
        uses: how often it opened its service, or how many tickets were granted for it.
        refusals: how often it was shown where it does not open anything.
        over: why it ended before its time: "", `spent`, `logged out` or `forgotten`.
    """

    number: int
    value: Secret[str]
    issued: float
    ends: float | None
    service: str = ""
    login: int = 0
    single_use: bool = False
    uses: int = 0
    refusals: int = 0
    over: str = ""

    @property
    def kind(self) -> str:
        """`TGT` for a ticket-granting ticket, `ST` for a service ticket."""
        return "ST" if self.service else "TGT"

    def alive(self, now: float) -> bool:
        """Tell whether it is good at this time."""
        return not self.over and (self.ends is None or now < self.ends)

    def status(self, now: float) -> str:
        """`alive`, `expired`, or why it ended."""
        return "alive" if self.alive(now) else self.over or "expired"


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
        self._logins: dict[str, Ticket] = {}
        self._tickets: dict[str, Ticket] = {}
        self._latest: deque[Ticket] = deque(maxlen=_REMEMBERED)
        self._issued = 0

    def log_in(self) -> str:
        """Issue a ticket-granting ticket and return its ID."""
        with self._lock:
            number = self._next_number()
            login = f"TGT-{number}-{self._token_bytes(24).hex()}-sandbox"
            self._logins[login] = self._remember(Ticket(number, *self._life(login, self._login_lifetime)))
            return login

    def knows(self, login: str) -> bool:
        """Tell whether a ticket-granting ticket is known and alive."""
        with self._lock:
            return self._alive(self._logins, login) is not None

    def log_out(self, login: str) -> bool:
        """End a login and its service tickets; return whether it was alive."""
        with self._lock:
            found = self._alive(self._logins, login)
            if found is None:
                self._logins.pop(login, None)
                return False
            found.over = "logged out"
            del self._logins[login]
            for key, ticket in list(self._tickets.items()):
                if ticket.login == found.number:
                    ticket.over = ticket.over or "logged out"
                    del self._tickets[key]
            return True

    def grant(self, login: str, service: str) -> str | None:
        """Issue a service ticket, or return None where the login is unknown or over.

        The ticket always holds `+`, `/` and `=`: a client that does not percent-encode it finds out here.
        """
        forgotten = self._faults.hit("cas-login-forgotten")
        with self._lock:
            if forgotten and login in self._logins:
                self._logins.pop(login).over = "forgotten"
            granting = self._alive(self._logins, login)
            if granting is None:
                return None
            granting.uses += 1
            number = self._next_number()
            halves = (base64.b64encode(self._token_bytes(15)).decode("ascii") for _ in range(2))
            value = f"ST-{number}-{'+/'.join(halves)}=="
            lifetime = 0.0 if self._faults.hit("cas-early-expiry") else self._ticket_lifetime
            once = self._faults.hit("cas-single-use") or self._single_use
            ticket = Ticket(number, *self._life(value, lifetime), service, granting.number, single_use=once)
            self._tickets[value] = self._remember(ticket)
            return value

    def redeem(self, value: str, service: str, *, ahead: float = 0.0) -> bool:
        """Tell whether a service ticket opens this service now; a single-use ticket is spent by any try.

        Args:
            value: the ticket.
            service: the URL that it was shown at.
            ahead: seconds by which the clock of whoever asks is ahead.
        """
        with self._lock:
            found = self._tickets.get(value)
            if found is None:
                return False
            opens = found.alive(self._clock() + ahead) and found.service == service
            found.uses += opens
            found.refusals += not opens
            if found.single_use and found.alive(self._clock()):
                found.over = "spent"
            if not found.alive(self._clock()):
                del self._tickets[value]
            return opens

    def latest(self, limit: int) -> list[Ticket]:
        """Return copies of the tickets that were issued last, of both kinds, newest first; dead ones are among them."""
        with self._lock:
            return [replace(ticket) for ticket in list(self._latest)[: -limit - 1 : -1]]

    def find(self, number: int) -> Ticket | None:
        """Return a copy of one of the latest tickets by its number, or None."""
        with self._lock:
            return next((replace(ticket) for ticket in self._latest if ticket.number == number), None)

    def clear(self) -> None:
        """Forget every ticket; the numbers go on."""
        with self._lock:
            self._logins.clear()
            self._tickets.clear()
            self._latest.clear()

    @property
    def counts(self) -> tuple[int, int]:
        """How many logins and service tickets are alive."""
        now = self._clock()
        with self._lock:
            return (
                sum(ticket.alive(now) for ticket in self._logins.values()),
                sum(ticket.alive(now) for ticket in self._tickets.values()),
            )

    def _alive(self, tickets: dict[str, Ticket], name: str) -> Ticket | None:
        found = tickets.get(name)
        if found is not None and not found.alive(self._clock()):
            del tickets[name]
            return None
        return found

    def _life(self, value: str, lifetime: float | None) -> tuple[Secret[str], float, float | None]:
        now = self._clock()
        return Secret(value), now, None if lifetime is None else now + lifetime

    def _remember(self, ticket: Ticket) -> Ticket:
        self._latest.append(ticket)
        return ticket

    def _next_number(self) -> int:
        self._issued += 1
        if self._issued % _SWEEP_EVERY == 0:
            now = self._clock()
            self._logins = {key: ticket for key, ticket in self._logins.items() if ticket.alive(now)}
            self._tickets = {key: ticket for key, ticket in self._tickets.items() if ticket.alive(now)}
        return self._issued
