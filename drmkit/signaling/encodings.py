"""Strict base64 and hexadecimal: what is not exactly the named encoding is an error, never repaired or guessed."""

from __future__ import annotations

import base64
import binascii
import re

from drmkit.errors import SignalingError

__all__ = ["from_base64", "from_base64url", "from_hex", "to_base64", "to_base64url"]

_SPACE = re.compile(r"[ \t\r\n]+")
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")
_URL_ALPHABET = re.compile(r"[A-Za-z0-9_-]*")


def from_base64(text: str, what: str) -> bytes:
    """Decode standard base64 with padding; white space between characters is allowed, as in `xs:base64Binary`.

    Args:
        text: the base64 text.
        what: what the text is, for the message.

    Raises:
        SignalingError: a character, the padding or the unused bits are wrong.
    """
    packed = _SPACE.sub("", text)
    try:
        raw = base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError) as error:
        raise SignalingError(
            f"{what} is not base64: {error}", hint="standard alphabet (A-Z a-z 0-9 + /) with = padding is expected"
        ) from None
    if base64.b64encode(raw) != packed.encode("ascii"):
        raise SignalingError(f"{what} is not base64: bits after the last byte are set", hint="encode the bytes again")
    return raw


def from_hex(text: str, what: str) -> bytes:
    """Decode an even number of hexadecimal digits, without prefix or separators.

    Args:
        text: the digits, in either case.
        what: what the text is, for the message.

    Raises:
        SignalingError: the text is empty, odd in length, or holds anything else.
    """
    if not _HEX.fullmatch(text):
        raise SignalingError(
            f"{what} is not hexadecimal", hint="an even number of digits 0-9 a-f, without 0x, spaces or dashes"
        )
    return bytes.fromhex(text)


def to_base64(data: bytes) -> str:
    """Encode as standard base64 with padding."""
    return base64.b64encode(data).decode("ascii")


def to_base64url(data: bytes) -> str:
    """Encode as base64url without padding (RFC 7515, appendix C)."""
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


def from_base64url(text: str, what: str) -> bytes:
    """Decode base64url without padding (RFC 7515, appendix C).

    Args:
        text: the base64url text.
        what: what the text is, for the message.

    Raises:
        SignalingError: the text holds padding or another alphabet, or has an impossible length.
    """
    problem = SignalingError(
        f"{what} is not base64url", hint="alphabet A-Z a-z 0-9 - _ without = padding is expected here"
    )
    if not _URL_ALPHABET.fullmatch(text):
        raise problem
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise problem from None
    if to_base64url(raw) != text:
        raise problem
    return raw
