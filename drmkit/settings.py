"""The settings that a profile may hold: the kind of each, the variable that overrides it, and how its text is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from drmkit import profilefile
from drmkit.errors import ConfigurationError
from drmkit.secret import Secret

__all__ = ["FIELDS", "Field", "convert", "parse_duration"]

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d)?")
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True)
class Field:
    """One setting: what it may be, and the environment variable that overrides it."""

    kind: str
    variable: str | None = None
    secret: bool = False


FIELDS: Mapping[str, Field] = {
    "environment": Field("text", "DRMTODAY_ENVIRONMENT"),
    "auth_url": Field("text", "DRMTODAY_AUTH_URL"),
    "frontend_url": Field("text", "DRMTODAY_FRONTEND_URL"),
    "username": Field("text", "DRMTODAY_USERNAME"),
    "password": Field("text", "DRMTODAY_PASSWORD", secret=True),
    "password_file": Field("text", "DRMTODAY_PASSWORD_FILE"),
    "password_command": Field("command"),
    "password_credential": Field("text"),
    "password_keyring": Field("text"),
    "organization": Field("text", "DRMTODAY_ORGANIZATION"),
    "organization_name": Field("text", "DRMTODAY_ORGANIZATION_NAME"),
    "cpix_config": Field("text", "DRMTODAY_CPIX_CONFIG"),
    "asset_id": Field("text", "DRMTODAY_ASSET_ID"),
    "query": Field("table"),
    "ticket_lifetime": Field("duration"),
    "renew_after": Field("duration"),
    "jitter": Field("share"),
    "margin": Field("duration"),
    "verify": Field("text"),
    "output": Field("text"),
    "write": Field("text"),
    "mode": Field("mode"),
    "hook": Field("command"),
    "hook_timeout": Field("duration"),
    "metrics": Field("text"),
    "timeout": Field("duration"),
    "attempts": Field("count"),
    "ca_file": Field("text"),
    "mps.endpoint": Field("text", "DRMKIT_MPS_ENDPOINT"),
    "mps.region": Field("text", "TENCENTCLOUD_REGION"),
    "mps.secret_id": Field("text", "TENCENTCLOUD_SECRET_ID"),
    "mps.secret_key": Field("text", "TENCENTCLOUD_SECRET_KEY", secret=True),
    "mps.secret_key_file": Field("text"),
    "mps.token": Field("text", "TENCENTCLOUD_TOKEN", secret=True),
    "token.kid": Field("text", "DRMTODAY_TOKEN_KID"),
    "token.secret": Field("text", "DRMTODAY_TOKEN_SECRET", secret=True),
    "token.secret_file": Field("text"),
    "token.secret_command": Field("command"),
    "token.secret_credential": Field("text"),
    "token.algorithm": Field("text"),
    "token.lifetime": Field("duration"),
}
"""Every setting of a profile by its dotted name."""


def convert(key: str, value: Any, where: str) -> Any:
    """Return a setting's value in the type of its kind, secret ones wrapped.

    Args:
        key: the setting's dotted name.
        value: what a file, a variable or an option states.
        where: where that stands, for the message.

    Raises:
        ConfigurationError: there is no such setting, or the value is none of its kind.
    """
    known = FIELDS.get(key)
    if known is None:
        raise ConfigurationError(f"{where}: there is no setting {key!r}", hint=profilefile.nearest(key, FIELDS))
    converted = _CONVERTERS[known.kind](value)
    if converted is None:
        raise ConfigurationError(f"{where}: {key} must be {_KINDS[known.kind]}")
    return Secret(converted) if known.secret else converted


def _text(value: Any) -> str | None:
    if not isinstance(value, str) or not value:
        return None
    # Bytes of the environment that are not UTF-8 come as surrogates, which no request can carry.
    return None if _SURROGATES.search(value) else value


def _command(value: Any) -> list[str] | str | None:
    if isinstance(value, list):
        return value if value and all(isinstance(item, str) for item in value) else None
    return _text(value)


def _table(value: Any) -> dict[str, str] | None:
    good = isinstance(value, dict) and all(isinstance(item, str) for item in value.values())
    return value if good else None


def parse_duration(value: Any) -> timedelta | None:
    """Read a length of time above zero: seconds as a number, or text such as `90s`, `10m`, `6h`; None if it is none."""
    if isinstance(value, str):
        match = _DURATION.fullmatch(value.strip())
        value = float(match[1]) * _UNITS[match[2] or ""] if match else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 10**9:
        return None
    return timedelta(seconds=value)


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 100 else None  # noqa: PLR2004


def _share(value: Any) -> float | None:
    good = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 0.5  # noqa: PLR2004
    return float(value) if good else None


def _mode(value: Any) -> str | None:
    match = re.fullmatch(r"0?[46][0246][04]", value) if isinstance(value, str) else None
    return f"0{match.group()[-3:]}" if match else None


_CONVERTERS: Mapping[str, Callable[[Any], Any]] = {
    "text": _text,
    "command": _command,
    "table": _table,
    "duration": parse_duration,
    "count": _count,
    "share": _share,
    "mode": _mode,
}
_KINDS = {
    "text": "a text in UTF-8 that is not empty",
    "command": "a list of strings: the program and its arguments",
    "table": "a table of texts",
    "duration": 'a length of time above zero, such as 30, "90s" or "6h"',
    "count": "a whole number from 1 to 100",
    "share": "a share from 0 to 0.5",
    "mode": 'permissions in octal that give others no right to write, such as "0640"',
}
