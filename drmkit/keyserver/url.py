"""KeyServerUrl: a key server's URL whose ticket is a secret and whose age is known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, urlencode

from drmkit.secret import MASK, Secret

__all__ = ["KeyServerUrl"]


@dataclass(frozen=True, slots=True)
class KeyServerUrl:
    """A URL that a packager calls for content keys, authorized by a ticket in its query.

    `str()` and `repr()` show the redacted form; `reveal()` gives the URL itself.

    Attributes:
        service: the URL without its query, exactly as the ticket was asked for.
        ticket: the service ticket.
        issued_at: when the ticket was issued (aware, UTC).
        expires_at: when it ends (aware, UTC); None where nobody has stated a lifetime.
        query: further query parameters, in order, such as `("x-signaling-alg", "cenc")`.
    """

    service: str
    ticket: Secret[str]
    issued_at: datetime
    expires_at: datetime | None = None
    query: tuple[tuple[str, str], ...] = ()

    def reveal(self) -> str:
        """Return the whole URL, the ticket percent-encoded with nothing left as it is."""
        return self._with_ticket(quote(self.ticket.reveal(), safe=""))

    @property
    def redacted(self) -> str:
        """The URL with its ticket masked, fit for logs and screens."""
        return self._with_ticket(MASK)

    def is_valid(self, now: datetime) -> bool:
        """Tell whether the ticket's stated lifetime, if there is one, has not ended."""
        return self.expires_at is None or now < self.expires_at

    def _with_ticket(self, ticket: str) -> str:
        rest = "".join(f"&{urlencode({name: value}, quote_via=quote)}" for name, value in self.query)
        return f"{self.service}?ticket={ticket}{rest}"

    def __str__(self) -> str:
        return self.redacted

    def __repr__(self) -> str:
        return f"KeyServerUrl('{self.redacted}')"
