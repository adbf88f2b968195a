"""What counts as this machine: the one test that plain http, proxies and the sandbox all use."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

__all__ = ["is_loopback", "leads_here"]


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address literal (an IPv6 one with or without brackets) stays on this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def leads_here(url: str) -> bool:
    """Tell whether a text is an http or https URL of this machine."""
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and is_loopback(parts.hostname or "")
    except ValueError:
        return False
