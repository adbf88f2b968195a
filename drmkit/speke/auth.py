"""How a client proves who it is: HTTP Basic, AWS Signature Version 4; anything else is a header or part of the URL."""

from __future__ import annotations

import base64
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from drmkit.errors import ConfigurationError, MissingExtraError
from drmkit.secret import Secret

__all__ = ["Auth", "BasicAuth", "SigV4Auth"]


class Auth(Protocol):
    """Adds what authenticates one request."""

    @property
    def secrets(self) -> tuple[Secret[str], ...]:
        """What must never be shown."""

    def headers(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> dict[str, str]:
        """Return the headers to send in addition."""


@dataclass(frozen=True, slots=True)
class BasicAuth:
    """HTTP Basic authentication (RFC 7617), in UTF-8.

    Attributes:
        username: without a colon.
        password: the password.
    """

    username: str
    password: Secret[str]

    def __post_init__(self) -> None:
        if ":" in self.username:
            raise ConfigurationError(
                "a user name of HTTP Basic authentication has no colon", hint="check the user name"
            )

    @property
    def secrets(self) -> tuple[Secret[str], ...]:
        """The password, and what is sent of it."""
        return self.password, Secret(self._encoded())

    def headers(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> dict[str, str]:  # noqa: ARG002
        """Return the Authorization header."""
        return {"Authorization": f"Basic {self._encoded()}"}

    def _encoded(self) -> str:
        return base64.b64encode(f"{self.username}:{self.password.reveal()}".encode()).decode("ascii")


@dataclass(frozen=True, slots=True, kw_only=True)
class SigV4Auth:
    """AWS Signature Version 4, by botocore's signer (extra `aws`).

    Attributes:
        access_key: the access key ID.
        secret_key: the secret access key.
        session_token: of temporary credentials.
        region: such as `eu-central-1`.
        service: what the provider's endpoint belongs to; API Gateway is `execute-api`.
        load: imports a module of botocore by its name.
    """

    access_key: str
    secret_key: Secret[str]
    session_token: Secret[str] | None = None
    region: str
    service: str = "execute-api"
    load: Callable[[str], Any] = field(default=importlib.import_module, repr=False)

    @property
    def secrets(self) -> tuple[Secret[str], ...]:
        """The secret key and the session token."""
        return (self.secret_key,) if self.session_token is None else (self.secret_key, self.session_token)

    def headers(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> dict[str, str]:
        """Return the headers of the signature.

        Raises:
            MissingExtraError: botocore is not installed.
        """
        try:
            auth, request, credentials = (
                self.load(f"botocore.{name}") for name in ("auth", "awsrequest", "credentials")
            )
        except ModuleNotFoundError:
            raise MissingExtraError(
                "AWS Signature Version 4 needs the package botocore", hint="install it: pip install 'drmkit[aws]'"
            ) from None
        token = self.session_token.reveal() if self.session_token else None
        signed = request.AWSRequest(method=method, url=url, headers=dict(headers), data=body)
        known = credentials.Credentials(self.access_key, self.secret_key.reveal(), token)
        auth.SigV4Auth(known, self.service, self.region).add_auth(signed)
        return {str(name): str(value) for name, value in signed.headers.items() if name.lower() not in _lower(headers)}


def _lower(headers: Mapping[str, str]) -> frozenset[str]:
    return frozenset(name.lower() for name in headers)
