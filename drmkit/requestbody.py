"""Reads the body of a request to a server of drmkit's own, up to a limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["BodyTooLargeError", "read_body"]


class BodyTooLargeError(Exception):
    """A request body is larger than its reader allows."""


async def read_body(request: Request, limit: int) -> bytes:
    """Read the request's body.

    Args:
        request: the request.
        limit: how many bytes it may have.

    Raises:
        BodyTooLargeError: it has more.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise BodyTooLargeError
    return bytes(body)
