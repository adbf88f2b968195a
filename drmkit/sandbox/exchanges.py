"""The latest HTTP exchanges of a sandbox: shown with every secret masked, kept whole in memory alone."""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from urllib.parse import unquote

from drmkit.secret import MASK

__all__ = ["CURRENT", "Exchange", "ExchangeLog", "masked", "note_dropped", "note_fault", "note_outcome", "role_of"]

_REMEMBERED = 100
_CAPTURED = 32 * 1024
_SHOWN = {"x-signaling-alg", "manifest", "action", "version", "limit", "offset", "status"}
_TICKET = re.compile(r"(TGT|ST|PGT)-")
_PLACES = (
    ("/cas/", "cas"),
    ("/frontend/", "keyserver"),
    ("/speke/", "speke"),
    ("/license/", "license"),
    ("/media/", "media"),
)
_PAGES = ("/admin/", "/dashboard/", "/player/", "/player", "/health", "/favicon.ico")


def role_of(method: str, path: str, *, has_action: bool) -> str:
    """Return which role a request is for, `other` for none that is known, "" for the pages that people look at.

    Args:
        method: the HTTP method.
        path: the decoded path.
        has_action: whether the request has an `X-TC-Action` header, as every call of the MPS API.
    """
    if path == "/":
        return "" if method in {"GET", "HEAD"} and not has_action else "mps"
    if path.startswith(_PAGES):
        return ""
    return next((role for start, role in _PLACES if path.startswith(start)), "other")


def masked(target: str) -> str:
    """Return a URL or a request target without its secrets.

    A query value is shown only where its name is known to hold none, and tickets in the path are masked too.
    """
    path, mark, query = target.partition("?")
    shown = "/".join(_without_ticket(segment) for segment in path.split("/"))
    pairs = (pair.partition("=") for pair in query.split("&") if mark)
    return shown + mark + "&".join(name + equals + _value(name, value) for name, equals, value in pairs)


def _without_ticket(segment: str) -> str:
    found = _TICKET.match(unquote(segment))
    return found.group() + MASK if found else segment


def _value(name: str, value: str) -> str:
    return value if not value or unquote(name).lower() in _SHOWN else MASK


@dataclass(slots=True)
class Exchange:
    """One request and its answer; what may hold secrets is kept out of the repr.

    Attributes:
        number: counts all exchanges of a sandbox from 1.
        at: seconds on the sandbox's clock.
        role: see `role_of`.
        method: the HTTP method.
        target: path and query as they were sent; `shown` is the masked form.
        what: what the role understood it as.
        outcome: how the role says that it ended.
        status: the HTTP status, None for none yet, or none at all.
        seconds: how long it took, None while it goes on.
        faults: the names of the faults that showed in it.
        dropped: whether the connection ended without a whole answer.
        request_headers: names and values as they were sent.
        request_body: its first 32 KiB.
        response_headers: likewise.
        response_body: likewise; nothing of media files.
        request_size: bytes of the whole body; likewise `response_size`.
    """

    number: int
    at: float
    role: str
    method: str
    target: str = field(repr=False)
    what: str = ""
    outcome: str = ""
    status: int | None = None
    seconds: float | None = None
    faults: list[str] = field(default_factory=list)
    dropped: bool = False
    request_headers: list[tuple[str, str]] = field(default_factory=list, repr=False)
    request_body: bytearray = field(default_factory=bytearray, repr=False)
    response_headers: list[tuple[str, str]] = field(default_factory=list, repr=False)
    response_body: bytearray = field(default_factory=bytearray, repr=False)
    request_size: int = 0
    response_size: int = 0

    @property
    def shown(self) -> str:
        """Path and query without secrets."""
        return masked(self.target)

    def sent(self, chunk: bytes) -> None:
        """Keep a part of the request's body."""
        self.request_size += len(chunk)
        self.request_body += chunk[: max(0, _CAPTURED - len(self.request_body))]

    def started(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Keep the answer's status and headers."""
        self.status = status
        self.response_headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]

    def answered(self, chunk: bytes) -> None:
        """Keep a part of the answer's body."""
        self.response_size += len(chunk)
        if self.role != "media":
            self.response_body += chunk[: max(0, _CAPTURED - len(self.response_body))]


CURRENT: ContextVar[Exchange | None] = ContextVar("drmkit_sandbox_exchange", default=None)


def note_fault(name: str) -> None:
    """Write a fault down in the exchange that it shows in, if it shows in one."""
    exchange = CURRENT.get()
    if exchange is not None:
        exchange.faults.append(name)


def note_outcome(what: str, outcome: str) -> None:
    """Write down what the exchange that goes on is about, and how it ended."""
    exchange = CURRENT.get()
    if exchange is not None:
        exchange.what, exchange.outcome = what, outcome


def note_dropped() -> None:
    """Write down that the connection of the exchange that goes on is about to end."""
    exchange = CURRENT.get()
    if exchange is not None:
        exchange.dropped = True


class ExchangeLog:
    """The latest exchanges: so many of each role, so that a busy one does not push out the others. Thread-safe.

    Args:
        clock: seconds since the epoch.
        timer: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float], timer: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._timer = timer
        self._lock = threading.Lock()
        self._by_role: dict[str, deque[Exchange]] = {}
        self._begun: dict[int, float] = {}
        self._count = 0

    def begin(self, role: str, method: str, target: str, headers: Iterable[tuple[str, str]]) -> Exchange:
        """Write down a request that has just come in."""
        with self._lock:
            self._count += 1
            exchange = Exchange(self._count, self._clock(), role, method, target, request_headers=list(headers))
            self._by_role.setdefault(role, deque(maxlen=_REMEMBERED)).append(exchange)
            self._begun[exchange.number] = self._timer()
            return exchange

    def finish(self, exchange: Exchange, *, complete: bool) -> None:
        """Write down that it is over; the first word counts.

        Args:
            exchange: which one.
            complete: whether the client was sent a whole answer.
        """
        with self._lock:
            begun = self._begun.pop(exchange.number, None)
            if begun is not None:
                exchange.seconds = self._timer() - begun
                exchange.dropped = exchange.dropped or not complete

    def latest(self, limit: int, role: str | None = None) -> list[Exchange]:
        """Return the latest exchanges, newest first: so many of each role, or of one if one is named."""
        with self._lock:
            found = [list(items)[-limit:] for name, items in self._by_role.items() if role in {None, name}]
        return sorted((item for items in found for item in items), key=lambda item: -item.number)

    def find(self, number: int) -> Exchange | None:
        """Return one by its number, or None where it is unknown or forgotten."""
        with self._lock:
            return next((item for items in self._by_role.values() for item in items if item.number == number), None)

    def clear(self) -> None:
        """Forget every exchange; the numbers go on."""
        with self._lock:
            self._by_role.clear()

    @property
    def count(self) -> int:
        """How many exchanges there were so far."""
        with self._lock:
            return self._count
