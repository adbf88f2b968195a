"""What the pages that drmkit serves to people have in common: the headers that shut other pages out."""

from __future__ import annotations

__all__ = ["page_headers"]


def page_headers(policy: str) -> dict[str, str]:
    """Return the headers of a page that loads what its policy names, stands in no frame and tells no page of itself.

    Args:
        policy: the content security policy (W3C CSP 3), directives separated by semicolons.
    """
    return {
        "Content-Security-Policy": policy,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
