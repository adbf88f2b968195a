"""What a running sandbox knows: credentials, clock, tickets, keys, faults and what happened; all of it in memory."""

from __future__ import annotations

import hmac
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from drmkit.sandbox.exchanges import ExchangeLog, note_fault, note_outcome
from drmkit.sandbox.faultprofiles import read_faults
from drmkit.sandbox.faults import Faults
from drmkit.sandbox.keystore import KeyStore
from drmkit.sandbox.options import SandboxOptions
from drmkit.sandbox.tickets import TicketStore
from drmkit.secret import Secret

__all__ = ["Credentials", "Event", "Journal", "SandboxClock", "SandboxState"]

_JOURNAL_LENGTH = 1000
_SEED_BYTES = 32
_TOKEN_BYTES = 24


class SandboxClock:
    """A clock that can be set forward, so that tickets expire and queues move without waiting. Thread-safe.

    Args:
        base: seconds since the epoch.
    """

    def __init__(self, base: Callable[[], float]) -> None:
        self._base = base
        self._lock = threading.Lock()
        self._offset = 0.0

    def now(self) -> float:
        """Seconds since the epoch, plus what the clock was set forward."""
        return self._base() + self._offset

    def wall(self) -> float:
        """Seconds since the epoch as the rest of the machine sees them."""
        return self._base()

    def advance(self, seconds: float) -> None:
        """Set the clock forward."""
        with self._lock:
            self._offset += seconds

    def reset(self) -> None:
        """Take back what the clock was set forward."""
        with self._lock:
            self._offset = 0.0

    @property
    def offset(self) -> float:
        """The seconds that the clock was set forward."""
        return self._offset


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client needs to use the sandbox.

    Attributes:
        username: of the ticket server's API account.
        password: of the same.
        organization: the UUID in every key-server URL.
        cpix_config: the CPIX config ID in every key-server URL.
        secret_id: of the media processing API.
        secret_key: of the same.
        token_kid: the ID of the secret that upfront tokens for licenses are signed with.
        token_secret: that secret, as hexadecimal digits.
    """

    username: str
    password: Secret[str]
    organization: str
    cpix_config: str
    secret_id: str
    secret_key: Secret[str]
    token_kid: str
    token_secret: Secret[str]

    @property
    def organization_name(self) -> str:
        """The organization's API name, which key ingest and removal want in their paths instead of the UUID."""
        return f"sandbox-{self.organization[:8]}"

    @classmethod
    def make(cls, options: SandboxOptions) -> Credentials:
        """Take what the options give, and make the rest at random, recognizable as the sandbox's."""

        def token(size: int) -> str:
            return options.token_bytes(size).hex()

        return cls(
            username=options.username or f"sandbox-api-{token(4)}",
            password=options.password or Secret(f"sandbox-{token(16)}"),
            organization=options.organization or str(UUID(bytes=options.token_bytes(16), version=4)),
            cpix_config=options.cpix_config or f"sandbox-cpix-{token(4)}",
            secret_id=options.secret_id or f"AKIDsandbox{token(12)}",
            secret_key=options.secret_key or Secret(f"sandbox{token(16)}"),
            token_kid=options.token_kid or str(UUID(bytes=options.token_bytes(16), version=4)),
            token_secret=options.token_secret or Secret(token(32)),
        )

    def accept_login(self, username: str, password: str) -> bool:
        """Tell whether these are the API account's, in constant time."""
        right_name = hmac.compare_digest(username.encode(), self.username.encode())
        right_word = hmac.compare_digest(password.encode(), self.password.reveal().encode())
        return right_name and right_word


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened; it never holds a secret.

    Attributes:
        at: seconds since the epoch.
        role: `cas`, `keyserver`, `speke`, `license` or `mps`.
        what: what was asked for.
        outcome: how it ended.
    """

    at: float
    role: str
    what: str
    outcome: str


class Journal:
    """The latest events, oldest first. Thread-safe.

    Args:
        clock: seconds since the epoch.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._events: deque[Event] = deque(maxlen=_JOURNAL_LENGTH)

    def note(self, role: str, what: str, outcome: str) -> None:
        """Write down one event, also in the exchange that it belongs to."""
        note_outcome(what, outcome)
        with self._lock:
            self._events.append(Event(self._clock(), role, what, outcome))

    def read(self, role: str | None = None) -> tuple[Event, ...]:
        """Return the events, of one role if one is named."""
        with self._lock:
            return tuple(event for event in self._events if role is None or event.role == role)

    def clear(self) -> None:
        """Forget every event."""
        with self._lock:
            self._events.clear()


class SandboxState:
    """Everything that the roles share.

    Args:
        options: how the sandbox behaves.

    Attributes:
        admin_token: what every call of the admin API must show; made anew at each start.
    """

    def __init__(self, options: SandboxOptions) -> None:
        self.options = options
        self.media_root: Path | None = None
        """The folder that stands for all buckets, once it is there."""
        self.clock = SandboxClock(options.clock)
        self.credentials = Credentials.make(options)
        self.faults = Faults(read_faults(options.faults), seed=options.fault_seed, on_hit=note_fault)
        self.journal = Journal(self.clock.now)
        self.exchanges = ExchangeLog(self.clock.now)
        self.tickets = TicketStore(
            clock=self.clock.now,
            token_bytes=options.token_bytes,
            login_lifetime=options.login_lifetime,
            ticket_lifetime=options.ticket_lifetime,
            single_use=options.single_use,
            faults=self.faults,
        )
        self.keys = KeyStore(
            key_seed=options.key_seed or Secret(options.token_bytes(_SEED_BYTES)),
            iv_seed=options.iv_seed or Secret(options.token_bytes(_SEED_BYTES)),
            stream_types=options.stream_types,
            token_bytes=options.token_bytes,
        )
        self.admin_token: Secret[str] = Secret(options.token_bytes(_TOKEN_BYTES).hex())

    def reset(self) -> None:
        """Forget tickets, keys, events and exchanges; set clock and faults back to where they were at the start."""
        self.clock.reset()
        self.faults.reset(read_faults(self.options.faults))
        self.tickets.clear()
        self.keys.clear()
        self.journal.clear()
        self.exchanges.clear()
