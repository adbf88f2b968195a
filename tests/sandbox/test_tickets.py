"""Lifetimes, binding and single use of tickets, on a clock that the test moves."""

from __future__ import annotations

import secrets
import threading
from typing import Any

import pytest

from drmkit.sandbox.faults import Faults
from drmkit.sandbox.tickets import TicketStore

SERVICE = "http://127.0.0.1:1/frontend/cpix/v1/o/ingest/c"


class Clock:
    """Seconds that pass when told to."""

    now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock at rest."""
    return Clock()


def store(clock: Clock, **changes: Any) -> TicketStore:
    """A ticket store with a ticket lifetime of 60 and a login lifetime of 600 seconds."""
    settings: dict[str, Any] = {
        "clock": clock,
        "token_bytes": secrets.token_bytes,
        "login_lifetime": 600.0,
        "ticket_lifetime": 60.0,
        "single_use": False,
        "faults": Faults(),
    }
    return TicketStore(**(settings | changes))


def grant(tickets: TicketStore, service: str = SERVICE) -> str:
    """Log in and get a ticket."""
    ticket = tickets.grant(tickets.log_in(), service)
    assert ticket is not None
    return ticket


def test_ticket_opens_its_own_service_only(clock: Clock) -> None:
    """A ticket opens exactly the service it was issued for: no other slash, host, query or case."""
    tickets = store(clock)
    ticket = grant(tickets)
    for other in (SERVICE + "/", SERVICE + "?x=1", SERVICE.replace("127.0.0.1", "localhost"), SERVICE.upper(), ""):
        assert not tickets.redeem(ticket, other)
    assert tickets.redeem(ticket, SERVICE)
    assert not tickets.redeem("ST-unknown", SERVICE)


@pytest.mark.parametrize(("age", "opens"), [(0, True), (59.9, True), (60, False), (1e6, False)])
def test_ticket_lifetime_ends_at_its_second(clock: Clock, age: float, opens: bool) -> None:
    """A ticket opens its service before its lifetime is over, and not from that instant on."""
    tickets = store(clock)
    ticket = grant(tickets)
    clock.now += age
    assert tickets.redeem(ticket, SERVICE) is opens


def test_without_lifetime_tickets_stay(clock: Clock) -> None:
    """A lifetime of None never ends."""
    tickets = store(clock, ticket_lifetime=None, login_lifetime=None)
    login = tickets.log_in()
    ticket = tickets.grant(login, SERVICE)
    clock.now += 1e9
    assert tickets.redeem(ticket or "", SERVICE)
    assert tickets.knows(login)


def test_many_uses_or_one(clock: Clock) -> None:
    """A ticket works again and again by default, and once where single use is set."""
    often, once = store(clock), store(clock, single_use=True)
    first, second = grant(often), grant(once)
    assert [often.redeem(first, SERVICE) for _ in range(3)] == [True] * 3
    assert [once.redeem(second, SERVICE) for _ in range(3)] == [True, False, False]


def test_single_use_is_spent_by_a_wrong_service(clock: Clock) -> None:
    """Showing a single-use ticket at the wrong service spends it, as CAS does."""
    tickets = store(clock, single_use=True)
    ticket = grant(tickets)
    assert not tickets.redeem(ticket, SERVICE + "/asset")
    assert not tickets.redeem(ticket, SERVICE)


def test_login_gives_many_tickets_until_it_ends(clock: Clock) -> None:
    """One login gives any number of different tickets, and none from the end of its lifetime on."""
    tickets = store(clock)
    login = tickets.log_in()
    assert len({tickets.grant(login, SERVICE) for _ in range(5)}) == 5
    clock.now += 600
    assert tickets.grant(login, SERVICE) is None


def test_ticket_outlives_an_expired_login(clock: Clock) -> None:
    """A login that expires leaves its tickets alone; only logging out ends them."""
    tickets = store(clock, ticket_lifetime=6000.0)
    login = tickets.log_in()
    ticket = tickets.grant(login, SERVICE)
    clock.now += 700
    assert not tickets.knows(login)
    assert tickets.redeem(ticket or "", SERVICE)


def test_expired_tickets_are_swept(clock: Clock) -> None:
    """A sandbox that runs for days does not keep dead tickets."""
    tickets = store(clock)
    for _ in range(600):
        grant(tickets)
        clock.now += 10
    logins, services = tickets.counts
    assert (logins, services) == (59, 5)
    assert len(tickets._tickets) < 300


def test_threads_get_different_tickets_and_spend_each_once(clock: Clock) -> None:
    """Twenty threads never share a ticket, and a single-use ticket opens for exactly one of them."""
    tickets = store(clock, single_use=True)
    login = tickets.log_in()
    got: list[str | None] = []
    opened: list[bool] = []
    contested = tickets.grant(login, SERVICE) or ""
    start = threading.Barrier(20)

    def work() -> None:
        start.wait()
        got.append(tickets.grant(login, SERVICE))
        opened.append(tickets.redeem(contested, SERVICE))

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(got)) == 20
    assert sum(opened) == 1
