"""Profiles: a TOML file, overridden by the environment, overridden by options; every value knows where it came from.

[profile.acme]
environment = "production"          # or staging, or auth_url and frontend_url of one's own
username = "api-account"
password_file = "/run/secrets/drmtoday"
organization = "6f1c1bb8-3a0e-4a53-bd3c-2c5a4d8f7a10"
cpix_config = "510466cc"
ticket_lifetime = "6h"              # only if you measured it

[profile.acme.mps]
region = "ap-singapore"
secret_id = "AKID..."
secret_key_file = "/run/secrets/tencent"
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from drmkit import passwords, profilefile
from drmkit.errors import ConfigurationError
from drmkit.secret import MASK, Secret
from drmkit.settings import FIELDS, Field, convert, parse_duration

__all__ = [
    "FIELDS",
    "Field",
    "Profile",
    "Setting",
    "config_path",
    "default_config_path",
    "load_profile",
    "parse_duration",
    "profile_names",
    "state_folder",
]

_NO_FILE = "environment"
"""The name of a profile that no file names."""
_PASSWORD_NAMES = ("password", "password_file", "password_command", "password_credential", "password_keyring")
_HOST_NAMES = ("environment", "auth_url", "frontend_url")
_SECRET_KEY_NAMES = ("mps.secret_key", "mps.secret_key_file")
_TOKEN_SECRET_NAMES = ("token.secret", "token.secret_file", "token.secret_command", "token.secret_credential")
_GROUPS = (_PASSWORD_NAMES, _HOST_NAMES, _SECRET_KEY_NAMES, _TOKEN_SECRET_NAMES)
"""Settings that state one thing together: the strongest place that states any of a group states all of it."""


_TABLES = tuple(dict.fromkeys(name.partition(".")[0] for name in FIELDS if "." in name))
"""The tables within a profile's."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A value and where it came from; a secret value is wrapped."""

    value: Any
    origin: str

    @property
    def shown(self) -> str:
        """The value as text fit for a screen."""
        if isinstance(self.value, Secret):
            return MASK
        if isinstance(self.value, timedelta):
            return f"{self.value.total_seconds():g} s"
        return str(self.value)


@dataclass(frozen=True, slots=True)
class Profile:
    """The settings of one run.

    Attributes:
        name: the profile's name, `environment` where no file names one.
        settings: by dotted name, only those that are set.
        credentials_folder: where systemd has put the credentials of this service, or None.
    """

    name: str
    settings: Mapping[str, Setting] = field(default_factory=dict)
    credentials_folder: str | None = None

    def get(self, name: str) -> Any:
        """Return a setting's value, or None."""
        setting = self.settings.get(name)
        return None if setting is None else setting.value

    def require(self, name: str) -> Any:
        """Return a setting's value.

        Raises:
            ConfigurationError: it is not set; the message names the ways to set it.
        """
        self.require_all(name)
        return self.get(name)

    def require_all(self, *names: str) -> None:
        """Check that settings are set, and name at once all that are not.

        Raises:
            ConfigurationError: at least one is not set; the message names the ways to set each.
        """
        missing = [name for name in names if self.get(name) is None]
        if missing:
            verb = "is" if len(missing) == 1 else "are"
            variables = [str(FIELDS[name].variable) for name in missing if FIELDS[name].variable]
            ways = f"[profile.{self._table(missing[0])}] of the configuration file (see `drmkit config init`)"
            raise ConfigurationError(
                f"{', '.join(missing)} {verb} not set",
                hint=f"set {'it' if verb == 'is' else 'them'} in {ways}"
                + (f", or in the environment: {', '.join(variables)}" if variables else ""),
            )

    def _table(self, name: str) -> str:
        own = "default" if self.name == _NO_FILE else self.name
        return _section(own, name)

    def secret(self, name: str, *, prompt: Callable[[str], str] | None = None) -> Secret[str]:
        """Return a secret setting from its value, its file, its command or, failing those, a prompt.

        Args:
            name: `password`, `mps.secret_key` or `token.secret`.
            prompt: asks a person for it, hidden; None where nobody is there.

        Raises:
            ConfigurationError: it is not set, or its source does not give it.
        """
        value: Secret[str] | None = self.get(name)
        if value is not None:
            return value
        if self.get(f"{name}_file") is not None:
            return passwords.from_file(self.get(f"{name}_file"), what=f"{name}_file")
        if self.settings.get(f"{name}_command") is not None:
            return passwords.from_command(self.get(f"{name}_command"), what=f"{name}_command")
        if self.get(f"{name}_credential") is not None:
            return passwords.from_credential(
                self.get(f"{name}_credential"), self.credentials_folder, what=f"{name}_credential"
            )
        if self.get(f"{name}_keyring") is not None:
            return passwords.from_keyring(self.get(f"{name}_keyring"), self.require("username"))
        answer = prompt(f"{name} for {self.get('username') or self.name}") if prompt is not None else ""
        return Secret(answer) if answer else cast("Secret[str]", self.require(name))


def default_config_path(environ: Mapping[str, str]) -> Path:
    """Return where the configuration file lies unless named: `$XDG_CONFIG_HOME/drmkit/config.toml`."""
    return _base_folder(environ, "XDG_CONFIG_HOME", ".config") / "drmkit" / "config.toml"


def state_folder(environ: Mapping[str, str]) -> Path:
    """Return where drmkit keeps what it must remember: `$XDG_STATE_HOME/drmkit`."""
    return _base_folder(environ, "XDG_STATE_HOME", ".local/state") / "drmkit"


def _base_folder(environ: Mapping[str, str], variable: str, below_home: str) -> Path:
    stated = environ.get(variable, "")
    if stated.startswith("/"):  # the XDG specification: a relative path is invalid, and ignored
        return Path(stated)
    home = Path("/")  # for a user without a home, as in containers that run under any user ID
    with suppress(RuntimeError):
        home = Path(environ.get("HOME") or "~").expanduser()
    return home / below_home


def load_profile(
    *,
    path: Path | None = None,
    name: str | None = None,
    environ: Mapping[str, str],
    options: Mapping[str, Any] | None = None,
) -> Profile:
    """Join file, environment and options into one profile.

    Args:
        path: the TOML file; None looks at `DRMKIT_CONFIG` and then at the usual place, where it may be missing.
        name: the profile; None takes `DRMKIT_PROFILE`, else `default`, else the only one there is.
        environ: the environment to read.
        options: values by dotted name that override everything; None values count as not given.

    Surrounding line breaks are cut from what the environment holds: files of variables with Windows line ends leave a
    carriage return at the end of each.

    Raises:
        ConfigurationError: the file is missing though named, does not parse, holds an unknown key, a value of the
            wrong type, or a secret though others can read it; or the profile does not exist.
    """
    file, named = _file(path, environ)
    wanted = name or environ.get("DRMKIT_PROFILE") or None
    profile_name, table = profilefile.read_profile(file, wanted, settings=FIELDS, must_exist=named)
    levels = [
        _from_table(table, file, profile_name),
        _from_environment(environ),
        {
            key: Setting(convert(key, value, "the command line"), "command line")
            for key, value in (options or {}).items()
            if value is not None
        },
    ]
    return Profile(profile_name, _merge(levels), environ.get("CREDENTIALS_DIRECTORY") or None)


def profile_names(*, path: Path | None = None, environ: Mapping[str, str]) -> list[str]:
    """Return the names of the file's profiles that name a CPIX configuration, in their order.

    Args:
        path: the TOML file; None looks where `load_profile` looks.
        environ: the environment to read.

    Raises:
        ConfigurationError: the file is missing or does not parse, or none of its profiles names one.
    """
    file, _ = _file(path, environ)
    profiles = profilefile.read_profiles(file)
    names = [name for name, table in profiles.items() if "cpix_config" in table]
    if not names:
        raise ConfigurationError(
            f"no profile of {file} names a cpix_config", hint="state organization and cpix_config in [profile.NAME]"
        )
    return names


def config_path(path: Path | None, environ: Mapping[str, str]) -> Path:
    """Return the configuration file that is read: the given one, else `DRMKIT_CONFIG`'s, else the usual one."""
    return _file(path, environ)[0]


def _file(path: Path | None, environ: Mapping[str, str]) -> tuple[Path, bool]:
    """Return the configuration file, and whether somebody has named it, so that it must exist."""
    stated = environ.get("DRMKIT_CONFIG")
    named = path or (Path(stated) if stated else None)
    return named or default_config_path(environ), named is not None


def _merge(levels: Iterable[Mapping[str, Setting]]) -> dict[str, Setting]:
    merged: dict[str, Setting] = {}
    for level in levels:
        for group in _GROUPS:
            if any(name in level for name in group):
                for name in group:
                    merged.pop(name, None)
        if any(name in level for name in (*_SECRET_KEY_NAMES, "mps.secret_id")):
            merged.pop("mps.token", None)  # a token is good for its own key alone
        for secrets in (_PASSWORD_NAMES, _SECRET_KEY_NAMES, _TOKEN_SECRET_NAMES):
            stated = [name for name in secrets if name in level]
            if len(stated) > 1:
                raise ConfigurationError(
                    f"{' and '.join(stated)} are both set in {level[stated[0]].origin}", hint="keep one of them"
                )
        merged |= level
    return merged


def _from_table(table: Mapping[str, Any], file: Path, profile: str) -> dict[str, Setting]:
    flat = {key: value for key, value in table.items() if key not in _TABLES}
    flat |= {f"{name}.{key}": value for name in _TABLES for key, value in table.get(name, {}).items()}
    origin = str(file)
    if any(FIELDS[key].secret for key in flat):
        passwords.check_private(file, f"{file} holds a secret and")
    return {
        key: Setting(convert(key, value, f"{file}, [profile.{_section(profile, key)}]"), origin)
        for key, value in flat.items()
    }


def _from_environment(environ: Mapping[str, str]) -> dict[str, Setting]:
    return {
        key: Setting(convert(key, value, known.variable), f"environment ({known.variable})")
        for key, known in FIELDS.items()
        if known.variable and (value := environ.get(known.variable, "").strip("\r\n"))
    }


def _section(profile: str, key: str) -> str:
    table, dot, _ = key.partition(".")
    return f"{profile}.{table}" if dot else profile
