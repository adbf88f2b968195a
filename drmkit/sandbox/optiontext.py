"""Options of a sandbox as text, for configuration files that know nothing else."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from drmkit.errors import ConfigurationError
from drmkit.sandbox.faultprofiles import read_faults
from drmkit.sandbox.options import SEGMENT_TYPES, Template
from drmkit.settings import parse_duration

__all__ = ["read_options", "read_templates"]

_FORMATS = ("HLS", "MPEG-DASH")
_TEMPLATE = re.compile(r"([0-9]{1,9})=([^/]+)/([^/]+)")
_ANSWERS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def read_options(lines: Iterable[str]) -> dict[str, Any]:
    """Return options for `SandboxOptions`, by name.

    Args:
        lines: `name = value` each: a length of time such as `10s` (or `none`, where nothing shall end), `true` or
            `false`, a list with blanks or commas. `faults` takes faults and profiles of faults.

    Raises:
        ConfigurationError: a line has no `=`, its name is unknown here, or its value means nothing.
    """
    found: dict[str, Any] = {}
    for line in lines:
        name, equals, value = (part.strip() for part in line.partition("="))
        if not equals:
            raise ConfigurationError(f"{line.strip()!r} is no option", hint="write `name = value`, one a line")
        if name not in _READERS:
            close = difflib.get_close_matches(name, _READERS, n=1)
            raise ConfigurationError(
                f"there is no option {name!r}",
                hint=f"did you mean {close[0]!r}?" if close else f"known: {', '.join(_READERS)}",
            )
        found[name] = _READERS[name](name, value)
    return found


def read_templates(texts: Iterable[str]) -> dict[int, Template]:
    """Return adaptive-bitrate templates by definition.

    Args:
        texts: `NUMBER=FORMAT/SEGMENTS` each, such as `20=MPEG-DASH/mp4-byterange`.

    Raises:
        ConfigurationError: a text has another form, or names what the service does not have.
    """
    found = {}
    for text in texts:
        match = _TEMPLATE.fullmatch(text)
        if not match:
            raise ConfigurationError(
                f"{text!r} is no template", hint="write NUMBER=FORMAT/SEGMENTS, such as 20=MPEG-DASH/mp4-byterange"
            )
        number, form, segments = match.groups()
        for value, known in ((form, _FORMATS), (segments, SEGMENT_TYPES)):
            if value not in known:
                raise ConfigurationError(f"the template {text!r} has no {value!r}", hint=f"one of {', '.join(known)}")
        found[int(number)] = Template(form, segments)
    return found


def _answer(name: str, value: str) -> bool:
    if value.lower() not in _ANSWERS:
        raise ConfigurationError(f"`{name}` is true or false, not {value!r}")
    return _ANSWERS[value.lower()]


def _seconds(name: str, value: str) -> float:
    length = parse_duration(value)
    if length is None and value.rstrip("smh") != "0":
        raise ConfigurationError(f"`{name}` is no length of time: {value!r}", hint="write 30, 90s, 10m or 6h")
    return length.total_seconds() if length else 0.0


def _lifetime(name: str, value: str) -> float | None:
    return None if value.lower() == "none" else _seconds(name, value)


def _whole(name: str, value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise ConfigurationError(f"`{name}` is a whole number, not {value!r}") from None


def _words(name: str, value: str) -> tuple[str, ...]:  # noqa: ARG001 (readers share their signature)
    return tuple(value.replace(",", " ").split())


_READERS: Mapping[str, Callable[[str, str], Any]] = {
    "host": lambda _, value: value,
    "port": _whole,
    "username": lambda _, value: value,
    "organization": lambda _, value: value,
    "cpix_config": lambda _, value: value,
    "secret_id": lambda _, value: value,
    "ticket_lifetime": _lifetime,
    "login_lifetime": _lifetime,
    "single_use": _answer,
    "stream_types": _words,
    "queue_delay": _seconds,
    "processing_time": _seconds,
    "key_acquire_mode": lambda _, value: value,
    "encrypt": _answer,
    "storage": lambda _, value: Path(value),
    "strict_inputs": _answer,
    "vod_notify_url": lambda _, value: value,
    "sqs_endpoint": lambda _, value: value,
    "templates": lambda _, value: read_templates(_words("templates", value)),
    "session_lifetime": _seconds,
    "player_js": lambda _, value: Path(value),
    "license_origins": _words,
    "speke_auth": _answer,
    "faults": lambda name, value: tuple(read_faults(_words(name, value))),
    "fault_seed": _whole,
    "fault_delay": _seconds,
}
