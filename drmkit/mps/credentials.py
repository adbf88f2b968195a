"""The API key that signs requests."""

from __future__ import annotations

from dataclasses import dataclass, field

from drmkit.errors import ConfigurationError
from drmkit.secret import Secret

__all__ = ["Credentials"]


@dataclass(frozen=True, slots=True)
class Credentials:
    """An API key of Tencent Cloud.

    Attributes:
        secret_id: its ID, which is no secret by itself.
        secret_key: the key.
        token: the session token of temporary credentials.
        expires_at: when temporary credentials end, in seconds since the epoch.
        source: where they came from, for reports.
    """

    secret_id: str
    secret_key: Secret[str]
    token: Secret[str] | None = None
    expires_at: float | None = None
    source: str = field(default="given", compare=False)

    def __post_init__(self) -> None:
        """Refuse what can never sign: a value that is empty, or that holds blanks or quotes."""
        token = self.token.reveal() if self.token is not None else "none"
        for name, value in (("ID", self.secret_id), ("key", self.secret_key.reveal()), ("token", token)):
            if not value or not value.isascii() or not value.isprintable() or set(value) & set(" \"'"):
                raise ConfigurationError(
                    f"the secret {name} from {self.source} is empty, or holds blanks or quotes",
                    hint="copy it again from the console (CAM > API keys), without quotes and blanks around it",
                )
