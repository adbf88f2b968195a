"""Read a token back, with or without its secret, and say everything that is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from drmkit.errors import InputError, SignalingError, VerdictError
from drmkit.licensing.remarks import Remark, claim_remarks, header_remarks, time_remarks
from drmkit.licensing.token import ALGORITHMS, SharedSecret, signs
from drmkit.signaling.encodings import from_base64url

__all__ = ["Explanation", "TokenRefusedError", "explain", "require"]

_PARTS = 3
_LONGEST = 64 * 1024
_DIGESTS = (32, 48, 64)
"""How many bytes each of `ALGORITHMS` makes."""

Signature = Literal["verified", "wrong", "unverified"]


class TokenRefusedError(VerdictError):
    """A token that DRMtoday would not accept."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a token says.

    Attributes:
        header: the JWT header.
        claims: the payload.
        opt_data: what `optData` holds, where it can be read.
        crt: what `crt` holds, where it can be read.
        signature: `unverified` where no secret was at hand.
        remarks: everything that is wrong or doubtful.
    """

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    opt_data: Any
    crt: Any
    signature: Signature
    remarks: tuple[Remark, ...]

    @property
    def errors(self) -> tuple[Remark, ...]:
        """The remarks for which DRMtoday would refuse the token."""
        return tuple(remark for remark in self.remarks if remark.severity == "error")


def explain(text: str, *, now: datetime, secrets: Sequence[SharedSecret] = ()) -> Explanation:
    """Read a token back.

    Args:
        text: the token; a byte order mark before it is allowed.
        now: the moment to judge `iat` and `exp` by (aware).
        secrets: the secrets that may have signed it; without one the signature stays unverified.

    Raises:
        InputError: it is no JWT.
        MissingExtraError: there are secrets, and PyJWT is not installed.
    """
    token = text.strip().removeprefix("\ufeff")
    header, claims = _parts(token)
    opt_data, crt = (_embedded(claims.get(name)) for name in ("optData", "crt"))
    signature, found = _signature(token, header, secrets)
    remarks = [*found, *header_remarks(header), *time_remarks(claims, now), *claim_remarks(claims, opt_data, crt)]
    return Explanation(header, claims, opt_data, crt, signature, tuple(remarks))


def require(explanation: Explanation) -> Explanation:
    """Return an explanation of a token that was verified and has no errors.

    Raises:
        TokenRefusedError: it was not, or has; every error is named.
    """
    problems = [f"{remark.place} {remark.message}" for remark in explanation.errors]
    if explanation.signature == "unverified":
        problems.insert(0, "its signature was not verified")
    if problems:
        raise TokenRefusedError(
            f"the token is not good: {'; '.join(problems)}", hint="make one with `drmkit token new`"
        )
    return explanation


def _parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    parts = token.split(".")
    if len(token) > _LONGEST or len(parts) != _PARTS:
        raise InputError(
            f"this is no JWT: it has {len(parts)} parts instead of {_PARTS}"
            if len(token) <= _LONGEST
            else f"this is no JWT: it is longer than {_LONGEST} characters",
            hint="give the whole token, header.payload.signature, without `Bearer` in front",
        )
    return _decoded(parts[0], "header"), _decoded(parts[1], "payload")


def _decoded(part: str, what: str) -> dict[str, Any]:
    document = None
    with suppress(SignalingError, ValueError, RecursionError):  # told outside: the exception holds the text
        document = json.loads(from_base64url(part, what).decode("utf-8"), parse_constant=_no_json)
    if not isinstance(document, dict):
        raise InputError(f"this is no JWT: its {what} is not the base64url of a JSON object", hint="was it cut short?")
    return document


def _embedded(value: Any) -> Any:
    """Return the JSON that a claim holds as text, or as an object where somebody forgot to make text of it."""
    if not isinstance(value, str):
        return value
    with suppress(ValueError, RecursionError):
        return json.loads(value, parse_constant=_no_json)
    return None


def _no_json(name: str) -> Any:
    """Refuse NaN and Infinity, which Python alone takes for JSON."""
    raise ValueError(name)


def _signature(
    token: str, header: Mapping[str, Any], secrets: Sequence[SharedSecret]
) -> tuple[Signature, Sequence[Remark]]:
    if not secrets:
        return "unverified", _lengths(token.rpartition(".")[2], header.get("alg"))
    kid = header.get("kid")
    if any(signs(token, secret.value.reveal()) for secret in secrets if secret.kid == kid):
        return "verified", ()
    for secret in secrets:
        raw = secret.value.reveal()
        if signs(token, raw):
            fix = f"write {secret.kid!r}: DRMtoday looks the secret up by it"
            return "wrong", [Remark("header.kid", "names another secret than the one that signed", fix)]
        if any(signs(token, digits.encode()) for digits in (raw.hex(), raw.hex().upper())):
            message = "was made with the secret's hexadecimal text instead of the bytes that it means"
            return "wrong", [Remark("signature", message, "decode the digits first: 64 of them are 32 bytes")]
    if all(secret.kid != kid for secret in secrets):
        known = ", ".join(secret.kid for secret in secrets)
        return "wrong", [Remark("header.kid", "is that of no secret given", f"known are {known}")]
    return "wrong", [Remark("signature", "does not fit the secret", "check which secret the kid belongs to")]


def _lengths(part: str, algorithm: Any) -> Sequence[Remark]:
    """Return what can be said of a signature without the secret: whether it is there, whole."""
    wanted = dict(zip(ALGORITHMS, _DIGESTS, strict=True)).get(algorithm) if isinstance(algorithm, str) else None
    raw = None
    with suppress(SignalingError):
        raw = from_base64url(part, "signature")
    if raw is None:
        return [Remark("signature", "is not base64url", "was it cut short? Give the whole token")]
    if wanted is None or len(raw) == wanted:
        return ()
    message = f"has {len(raw)} bytes, and {algorithm} makes {wanted}" if raw else "is missing"
    return [Remark("signature", message, "was it cut short? Give the whole token")]
