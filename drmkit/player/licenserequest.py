"""What ClearKey license servers have in common: how a request is read, and how key IDs are named in words."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request

from drmkit.errors import SignalingError
from drmkit.identifiers import KeyId
from drmkit.requestbody import BodyTooLargeError, read_body
from drmkit.signaling import clearkey

__all__ = ["LARGEST", "LicenseRequestError", "name_keys", "read_license_request"]

LARGEST = 64 * 1024
"""The largest body in bytes; license requests of players have some hundreds."""
_MOST_KEYS = 256
_MOST_NAMED = 3


class LicenseRequestError(Exception):
    """A body that is no license request.

    Args:
        status: the HTTP status: 400 malformed, 413 too large.
        message: a sentence for people.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


async def read_license_request(request: Request) -> tuple[KeyId, ...]:
    """Return the key IDs that a request asks for, each once, in its order.

    Raises:
        LicenseRequestError: the body is no license request, or a larger one than any player sends.
    """
    try:
        body = await read_body(request, LARGEST)
        kids = tuple(dict.fromkeys(clearkey.parse_license_request(body)))
    except BodyTooLargeError:
        raise LicenseRequestError(413, f"a license request has at most {LARGEST} bytes") from None
    except SignalingError as error:
        raise LicenseRequestError(400, error.message) from None
    if len(kids) > _MOST_KEYS:
        raise LicenseRequestError(400, f"a license request names at most {_MOST_KEYS} key IDs")
    return kids


def name_keys(kids: Sequence[KeyId]) -> str:
    """Return key IDs in words: the first few, and how many more there are."""
    rest = len(kids) - _MOST_NAMED
    return ", ".join(str(kid) for kid in kids[:_MOST_NAMED]) + (f" and {rest} more" if rest > 0 else "")
