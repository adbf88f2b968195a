"""Playback sessions: signed tokens that end, which the page shows to the license server."""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Callable
from typing import Literal

from drmkit.secret import Secret

__all__ = ["SessionVerdict", "Sessions"]

SessionVerdict = Literal["valid", "missing", "unknown", "expired"]

_SECRET_BYTES = 32
_NONCE_BYTES = 12


class Sessions:
    """Issue and check session tokens. Thread-safe.

    A token is its own end and a random number, signed, so nothing has to be remembered.

    Args:
        clock: seconds since the epoch.
        token_bytes: makes that many random bytes.
        lifetime: seconds that a session lives, None for as long as the server.
        private: only who was given a link gets a session, and licenses need one. Else whoever loads the page gets
            one, and licenses are given without a session too.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        token_bytes: Callable[[int], bytes],
        lifetime: float | None = 3600.0,
        private: bool = False,
    ) -> None:
        self.private = private
        self._clock = clock
        self._token_bytes = token_bytes
        self._lifetime = lifetime
        self._secret = token_bytes(_SECRET_BYTES)
        self._lock = threading.Lock()
        self._codes: set[str] = set()

    def issue(self) -> Secret[str]:
        """Return the token of a new session."""
        end = "never" if self._lifetime is None else str(int(self._clock() + self._lifetime))
        body = f"{end}.{self._token_bytes(_NONCE_BYTES).hex()}"
        return Secret(f"{body}.{self._sign(body)}")

    def check(self, token: str | None) -> SessionVerdict:
        """Tell what a token is worth; without one, "missing" where a session is needed, and else "valid"."""
        if not token:
            return "missing" if self.private else "valid"
        body, _, signature = token.rpartition(".")
        if not hmac.compare_digest(self._sign(body).encode(), signature.encode("utf-8", "replace")):
            return "unknown"
        end = body.partition(".")[0]
        return "valid" if end == "never" or self._clock() < int(end) else "expired"

    def code(self) -> Secret[str]:
        """Return a code that can be redeemed once: a browser that is started shows its URL in the process list."""
        code = self._token_bytes(_NONCE_BYTES).hex()
        with self._lock:
            self._codes.add(code)
        return Secret(code)

    def redeem(self, code: str) -> Secret[str] | None:
        """Return the token of a new session for a code, or None if it is unknown or was redeemed before."""
        with self._lock:
            if code not in self._codes:
                return None
            self._codes.remove(code)
        return self.issue()

    def _sign(self, body: str) -> str:
        return hmac.digest(self._secret, body.encode("utf-8", "replace"), hashlib.sha256).hex()
