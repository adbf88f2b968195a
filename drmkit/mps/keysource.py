"""Where the keys of a DRM task come from: a named account whose ticket is minted at submission, or a URL."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

from drmkit.secret import MASK, Secret

__all__ = ["KeySource"]

_NAME = re.compile(r"[a-z][a-z0-9+.-]*:(?!//)\S+", re.ASCII)
_URL = re.compile(r"https?://[^\s/?#]+\S*", re.ASCII | re.IGNORECASE)
_SHORT_LIVED = frozenset({"ticket"})


class KeySource(Secret[str]):
    """The value of `KeyServerUrl`: a name such as `drmtoday:PROFILE`, or the URL of a key server.

    URLs carry credentials in their query (DRMtoday, EZDRM, BuyDRM) or their path (DoveRunner), so only the host of a
    URL is ever shown; a name holds no secret and is shown whole.

    Args:
        value: the name or the URL.
    """

    __slots__ = ()

    @property
    def is_url(self) -> bool:
        """Whether this is a URL, used as it is."""
        return _URL.fullmatch(self.reveal()) is not None

    @property
    def is_name(self) -> bool:
        """Whether this names an account, for which a URL is to be minted."""
        return not self.is_url and _NAME.fullmatch(self.reveal()) is not None

    @property
    def scheme(self) -> str:
        """What stands before the first colon, in lower case: `drmtoday`, `https`."""
        return self.reveal().partition(":")[0].lower()

    @property
    def host(self) -> str:
        """The host of a URL in lower case; empty for a name."""
        if not self.is_url:
            return ""
        try:
            return urlsplit(self.reveal()).hostname or ""
        except ValueError:
            return ""

    @property
    def holds_ticket(self) -> bool:
        """Whether this is a URL with a ticket in it, which ends by itself."""
        if not self.is_url:
            return False
        query = self.reveal().partition("?")[2].partition("#")[0]
        return any(name.lower() in _SHORT_LIVED for name, _ in parse_qsl(query, keep_blank_values=True))

    @property
    def identity(self) -> str:
        """What stays the same when the ticket is renewed: the name, or the URL without its ticket."""
        text = self.reveal()
        if not self.is_url or not self.holds_ticket:
            return text
        base, _, rest = text.partition("?")
        query = rest.partition("#")[0]
        kept = [part for part in query.split("&") if part.partition("=")[0].lower() not in _SHORT_LIVED]
        return "?".join([base, "&".join(kept)]) if kept else base

    @property
    def redacted(self) -> str:
        """The name, or the scheme and host of the URL."""
        if self.is_name:
            return self.reveal()
        return f"{self.scheme}://{self.host}/{MASK}" if self.host else MASK

    def __repr__(self) -> str:
        return f"KeySource('{self.redacted}')"

    def __str__(self) -> str:
        return self.redacted

    def __format__(self, spec: str) -> str:
        return format(self.redacted, spec)
