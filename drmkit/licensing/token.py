"""Upfront tokens: a JWT, signed with a secret shared with DRMtoday, that grants rights before a license is asked for.

    secret = SharedSecret.parse("00112233-...", Secret("64 hex digits of the dashboard"))
    token = make_token(rights, CustomData("organization", "user"), secret, now=datetime.now(UTC))

The secret is written as hexadecimal digits and signs as the bytes that they mean: 64 digits are 32 bytes. PyJWT signs
(extra `token`).
"""

from __future__ import annotations

import importlib
import json
import re
import secrets as randomness
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from drmkit.errors import ConfigurationError, InputError, MissingExtraError
from drmkit.licensing.customdata import CustomData
from drmkit.licensing.rights import CustomerRights
from drmkit.secret import Secret

__all__ = ["ALGORITHMS", "SharedSecret", "make_token", "new_secret", "signs"]

ALGORITHMS = ("HS256", "HS384", "HS512")
"""The algorithms that DRMtoday supports; HS256 is the one that it recommends."""

_RECOMMENDED, _SHORTEST = 32, 16
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")

Load = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class SharedSecret:
    """A secret that DRMtoday has too.

    Attributes:
        kid: the ID that the dashboard gives it; a token names it, so that old and new secrets can both be in use.
        value: its bytes.
    """

    kid: str
    value: Secret[bytes]

    @classmethod
    def parse(cls, kid: str, text: Secret[str]) -> SharedSecret:
        """Read a secret as the dashboard shows it: hexadecimal digits.

        Raises:
            ConfigurationError: the ID is empty, or the text is no hexadecimal or means fewer than 16 bytes; the
                message says nothing of it.
        """
        if not kid.strip() or not kid.isprintable():
            raise ConfigurationError(
                "the shared secret's ID (kid) is empty", hint="copy it from the dashboard, beside the secret"
            )
        digits = text.reveal().strip()
        if not _HEX.fullmatch(digits):
            raise ConfigurationError(
                "the shared secret is not hexadecimal",
                hint="give it as the dashboard shows it, 64 digits: the bytes that they mean sign, not the digits",
            )
        raw = bytes.fromhex(digits)
        if len(raw) < _SHORTEST:
            raise ConfigurationError(
                f"the shared secret has {len(raw)} bytes", hint=f"DRMtoday recommends {_RECOMMENDED}, 64 digits"
            )
        return cls(kid.strip(), Secret(raw))

    @property
    def warning(self) -> str | None:
        """What is doubtful about it, in a sentence."""
        size = len(self.value.reveal())
        return f"the shared secret has {size} bytes; {_RECOMMENDED} are recommended" if size < _RECOMMENDED else None


def new_secret(token_bytes: Callable[[int], bytes] = randomness.token_bytes) -> Secret[str]:
    """Return a fresh shared secret of 32 random bytes, as the 64 digits that the dashboard takes."""
    return Secret(token_bytes(_RECOMMENDED).hex())


def make_token(
    rights: CustomerRights,
    subject: CustomData,
    secret: SharedSecret,
    *,
    now: datetime,
    lifetime: timedelta | None = timedelta(minutes=5),
    algorithm: str = "HS256",
    token_bytes: Callable[[int], bytes] = randomness.token_bytes,
    load: Load = importlib.import_module,
) -> Secret[str]:
    """Return an upfront token, the value of the header `x-dt-auth-token`.

    Args:
        rights: what the license allows, the claim `crt`.
        subject: whose license it is, the claim `optData`.
        secret: signs it.
        now: `iat` (aware).
        lifetime: until `exp`; None leaves `exp` out, so that the token is good for as long as the secret.
        algorithm: one of `ALGORITHMS`.
        token_bytes: makes `jti`.
        load: imports PyJWT by its name.

    Raises:
        InputError: rights or subject say too little or the wrong thing, the algorithm is another, or the lifetime is
            not above zero.
        MissingExtraError: PyJWT is not installed.
    """
    if algorithm not in ALGORITHMS:
        raise InputError(f"{algorithm!r} is no algorithm of DRMtoday's", hint=f"use {', '.join(ALGORITHMS)}")
    if lifetime is not None and lifetime < timedelta(seconds=1):
        raise InputError("a token's lifetime is at least one second")
    issued = int(now.timestamp())
    claims: dict[str, Any] = {
        "jti": str(UUID(bytes=token_bytes(16), version=4)),
        "iat": issued,
        **({} if lifetime is None else {"exp": issued + int(lifetime.total_seconds())}),
        "optData": subject.to_json(),
        "crt": rights.to_json(),
    }
    payload = json.dumps(claims, separators=(",", ":")).encode()
    return Secret(_encoded(payload, secret, algorithm, load))


def _encoded(payload: bytes, secret: SharedSecret, algorithm: str, load: Load) -> str:
    signer = _signer(load)
    text: str | None = None
    with suppress(Exception):  # told outside its handler: PyJWT's error has the secret among its locals
        text = signer.encode(payload, secret.value.reveal(), algorithm=algorithm, headers={"kid": secret.kid})
    if text is None:
        raise ConfigurationError(
            "the shared secret cannot sign", hint="it looks like another kind of key: use 32 random bytes"
        )
    return text


def signs(text: str, key: bytes, *, load: Load = importlib.import_module) -> bool:
    """Tell whether a token was signed with these bytes, by one of DRMtoday's algorithms; nothing else is looked at.

    Raises:
        MissingExtraError: PyJWT is not installed.
    """
    signer = _signer(load)
    try:
        signer.decode_complete(text, key, algorithms=list(ALGORITHMS))
    except Exception:  # noqa: BLE001 (whatever PyJWT objects to, the answer is no; its text may hold the token)
        return False
    return True


def _signer(load: Load) -> Any:
    """Return PyJWT's signer, for HMAC alone, without its word on short keys: DRMtoday says 32 bytes for HS512 too."""
    try:
        module = load("jwt")
        hmac: Any = load("jwt.algorithms").HMACAlgorithm
    except ModuleNotFoundError:
        raise MissingExtraError(
            "tokens need the package PyJWT", hint="install it: pip install 'drmkit[token]'"
        ) from None

    class Hmac(hmac):  # type: ignore[misc] # PyJWT's class comes from a module that is loaded late
        def check_key_length(self, key: bytes) -> None:
            """Have no objection."""

    signer = module.PyJWS(algorithms=[])
    for name, digest in zip(ALGORITHMS, (hmac.SHA256, hmac.SHA384, hmac.SHA512), strict=True):
        signer.register_algorithm(name, Hmac(digest))
    return signer
