"""Where API keys come from: the environment, credential files of the SDK and of tccli, the role of a CVM instance."""

from __future__ import annotations

import configparser
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from drmkit.errors import ConfigurationError, DrmkitError, ProtocolError
from drmkit.http import HttpClient
from drmkit.mps.credentials import Credentials
from drmkit.secret import Secret

__all__ = ["CvmRole", "Found", "Look", "find_credentials"]

_METADATA = "http://metadata.tencentyun.com/latest/meta-data/cam/security-credentials/"
_METADATA_TIMEOUT = 2.0
_RENEW_BEFORE = 300.0
_OK = 200


@dataclass(frozen=True, slots=True)
class Look:
    """What became of one place.

    Attributes:
        place: the place, such as `environment` or a path.
        result: `used`, or why not.
    """

    place: str
    result: str


@dataclass(frozen=True, slots=True)
class Found:
    """The API key that won.

    Attributes:
        current: returns the key; a temporary one is renewed before it ends.
        source: the place that it came from.
        region: the region that the place names, or None.
        endpoint: the endpoint of MPS that the place names, or None.
        looks: every place that was looked at, in order, for reports.
    """

    current: Callable[[], Credentials]
    source: str
    region: str | None = None
    endpoint: str | None = None
    looks: tuple[Look, ...] = ()


class _Nothing(Exception):  # noqa: N818 (no error: the reason why a place has nothing)
    """Says why a place has no key."""


@dataclass(frozen=True, slots=True)
class _Places:
    """Where to look."""

    environ: Mapping[str, str]
    home: Path
    etc: Path
    http: HttpClient | None
    clock: Callable[[], float]
    profile: str


def find_credentials(
    *,
    environ: Mapping[str, str],
    home: Path,
    etc: Path = Path("/etc"),
    http: HttpClient | None = None,
    clock: Callable[[], float] = time.time,
    profile: str | None = None,
) -> Found:
    """Return the first API key found, in the order of Tencent Cloud's own tools.

    The order: `TENCENTCLOUD_SECRET_ID`, `_SECRET_KEY`, `_TOKEN`, `_REGION`; `~/.tencentcloud/credentials`, then
    `/etc/tencentcloud/credentials`; tccli's `~/.tccli/PROFILE.credential`; the role of a CVM instance.

    Args:
        environ: the environment's variables.
        home: the user's home folder.
        etc: the system's folder of settings.
        http: asks the metadata service of a CVM instance; None leaves it out.
        clock: seconds since the epoch.
        profile: tccli's profile; `TCCLI_PROFILE` or `default` unless given.

    Raises:
        ConfigurationError: no key anywhere (every place and its reason is named), or a place that is half filled in.
    """
    places = _Places(environ, home, etc, http, clock, profile or environ.get("TCCLI_PROFILE") or "default")
    looks: list[Look] = []
    for name, source in _sources(places):
        try:
            found = source()
        except _Nothing as reason:
            looks.append(Look(name, str(reason)))
        else:
            looks.append(Look(name, "used"))
            region = found.region or environ.get("TENCENTCLOUD_REGION") or None
            return Found(found.current, found.source, region, found.endpoint, tuple(looks))
    told = "; ".join(f"{look.place}: {look.result}" for look in looks)
    raise ConfigurationError(
        f"no API key of Tencent Cloud was found ({told})",
        hint="set TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY, or fill in ~/.tencentcloud/credentials",
    )


def _sources(places: _Places) -> list[tuple[str, Callable[[], Found]]]:
    files = [root / "credentials" for root in (places.home / ".tencentcloud", places.etc / "tencentcloud")]
    tccli = places.home / ".tccli" / f"{places.profile}.credential"
    return [
        ("environment", lambda: _from_environment(places.environ)),
        *((str(path), lambda path=path: _from_ini(path)) for path in files),
        (str(tccli), lambda: _from_tccli(tccli, places)),
        ("CVM role", lambda: _from_role(places, None)),
    ]


def _from_environment(environ: Mapping[str, str]) -> Found:
    names = ("TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY")
    token = environ.get("TENCENTCLOUD_TOKEN") or environ.get("TENCENTCLOUD_SECURITY_TOKEN")
    return _pair({name: environ.get(name) for name in names}, token, "environment")


def _from_ini(path: Path) -> Found:
    text = _text(path)
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        try:
            parser.read_string(text)
        except configparser.MissingSectionHeaderError:
            parser.read_string(f"[default]\n{text}")
    except configparser.Error:
        raise ConfigurationError(
            f"{path} is no INI file", hint="write [default], secret_id = ... and secret_key = ..."
        ) from None
    if not parser.has_section("default"):
        raise _Nothing("has no [default] section")
    section = {key: _unquoted(value) for key, value in parser.items("default")}
    return _pair({key: section.get(key) for key in ("secret_id", "secret_key")}, section.get("token"), str(path))


def _from_tccli(path: Path, places: _Places) -> Found:
    values = _json(path)
    settings = _settings(path.with_suffix(".configure"))
    region, endpoint = settings
    if values.get("type") == "cvm-role":
        found = _from_role(places, path)
    else:
        pair = {key: values.get(key) for key in ("secretId", "secretKey")}
        found = _pair(pair, values.get("token"), str(path))
    return Found(found.current, found.source, region, endpoint)


def _settings(path: Path) -> tuple[str | None, str | None]:
    try:
        values = _json(path)
    except _Nothing:
        return None, None
    system, service = values.get("_sys_param"), values.get("mps")
    region = system.get("region") if isinstance(system, dict) else None
    endpoint = service.get("endpoint") if isinstance(service, dict) else None
    return region or None, endpoint or None


def _from_role(places: _Places, path: Path | None) -> Found:
    if places.http is None:
        raise _Nothing("not asked")
    role = CvmRole(places.http, clock=places.clock)
    try:
        role()
    except DrmkitError as error:
        raise _Nothing(f"{error.message}") from None
    return Found(role, str(path or "CVM role"))


def _pair(values: Mapping[str, Any], token: Any, source: str) -> Found:
    """Return the key whose ID and key are the two values, in this order."""
    given = {name: value for name, value in values.items() if isinstance(value, str) and value}
    if not given:
        raise _Nothing("has no key")
    missing = [name for name in values if name not in given]
    if missing:
        raise ConfigurationError(f"{source} has {next(iter(given))}, but no {missing[0]}", hint="set both, or neither")
    secret_id, secret_key = given.values()
    session = Secret(token) if isinstance(token, str) and token else None
    credentials = Credentials(secret_id, Secret(secret_key), session, source=source)
    return Found(lambda: credentials, source)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        raise _Nothing("does not exist") from None
    except OSError as error:
        raise _Nothing(f"cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path} is not UTF-8 text", hint="save it as UTF-8") from None


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(_text(path))
    except json.JSONDecodeError as error:
        raise ConfigurationError(
            f"{path} is no JSON (line {error.lineno})", hint="run `tccli configure` again"
        ) from None
    if not isinstance(value, dict):
        raise ConfigurationError(f"{path} is no JSON object", hint="run `tccli configure` again")
    return value


def _unquoted(value: str) -> str:
    text = value.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


class _RoleKey(msgspec.Struct):
    code: str = msgspec.field(name="Code", default="")
    secret_id: str = msgspec.field(name="TmpSecretId", default="")
    secret_key: str = msgspec.field(name="TmpSecretKey", default="")
    token: str = msgspec.field(name="Token", default="")
    expires: float = msgspec.field(name="ExpiredTime", default=0.0)


_ROLE_KEYS = msgspec.json.Decoder(_RoleKey)


@dataclass(slots=True)
class CvmRole:
    """The temporary key of a CVM instance's role, renewed when five minutes are left. Thread-safe.

    Attributes:
        http: asks the metadata service.
        clock: seconds since the epoch.
        metadata: the service's address.
    """

    http: HttpClient
    clock: Callable[[], float] = time.time
    metadata: str = _METADATA
    _known: Credentials | None = field(default=None, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __call__(self) -> Credentials:
        """Return the current key.

        Raises:
            RemoteUnavailableError: there is no metadata service here, or it does not answer.
            ProtocolError: its answer is no key.
        """
        with self._lock:
            known = self._known
            if known is None or known.expires_at is None or known.expires_at - self.clock() <= _RENEW_BEFORE:
                known = self._known = self._ask()
            return known

    def _ask(self) -> Credentials:
        role = self._get("").decode("utf-8", "replace").strip()
        if not role or not role.isprintable() or "<" in role:
            raise ProtocolError("this instance has no role", hint="bind a CAM role to the instance")
        try:
            key = _ROLE_KEYS.decode(self._get(quote(role, safe="")))
        except msgspec.MsgspecError:
            raise ProtocolError("the metadata service answered no key") from None
        if key.code != "Success":
            raise ProtocolError(f"the metadata service answered {key.code[:40]!r} instead of a key")
        source = f"CVM role {role}"
        return Credentials(key.secret_id, Secret(key.secret_key), Secret(key.token), key.expires, source)

    def _get(self, name: str) -> bytes:
        answer = self.http.request(
            "GET", f"{self.metadata}{name}", purpose="the metadata service", timeout=_METADATA_TIMEOUT
        )
        if answer.status != _OK:
            raise ProtocolError(f"the metadata service answered HTTP {answer.status}")
        return answer.body
