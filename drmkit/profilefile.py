"""The configuration file: read, parsed and searched for one profile, without ever repeating a line of it."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from drmkit.errors import ConfigurationError

__all__ = ["nearest", "read_profile", "read_profiles"]

_HEADER = re.compile(r"\s*\[\[?([^\[\]]+)\]")
_ASSIGNMENT = re.compile(r"([^=#\[\]]+)=")


def read_profile(
    file: Path, wanted: str | None, *, settings: Collection[str], must_exist: bool
) -> tuple[str, dict[str, Any]]:
    """Return the name and the table of one profile of a file.

    Args:
        file: the TOML file.
        wanted: the profile's name; None takes `default`, else the only one there is.
        settings: every setting by its dotted name; a dot stands for a table in the profile's.
        must_exist: whether a missing file is an error; if not, the profile is empty and named `environment`.

    Raises:
        ConfigurationError: the file is missing, unreadable or no TOML, holds an unknown key, or lacks the profile.
    """
    content = _read(file, required=must_exist or wanted is not None)
    if content is None:
        return "environment", {}
    profiles, text = content
    name = _choose(profiles, wanted, file)
    table = profiles.get(name, {})
    _check_profile(table, ("profile", name), settings, file, text)
    return name, table


def read_profiles(file: Path) -> dict[str, dict[str, Any]]:
    """Return the tables of all profiles of a file, unchecked.

    Raises:
        ConfigurationError: the file is missing, unreadable or no TOML.
    """
    content = _read(file, required=True)
    return {} if content is None else content[0]


def _read(file: Path, *, required: bool) -> tuple[dict[str, dict[str, Any]], str] | None:
    """Return the profiles of a file and its text; None where there is no file and none is required."""
    try:
        raw = file.read_bytes()
    except FileNotFoundError:
        if required:
            raise ConfigurationError(
                f"there is no configuration file {file}", hint="name another with --config, or create it"
            ) from None
        return None
    except OSError as error:
        raise ConfigurationError(
            f"the configuration file {file} cannot be read ({error.strerror})", hint="check its permissions"
        ) from None
    text, content = _parse(raw, file)
    _check_names(content, {"profile"}, file, (), text)
    profiles = content.get("profile", {})
    if not isinstance(profiles, dict) or not all(isinstance(entry, dict) for entry in profiles.values()):
        raise ConfigurationError(f"{file}: profiles are tables", hint="write [profile.NAME] above the settings")
    return profiles, text


def _parse(raw: bytes, file: Path) -> tuple[str, dict[str, Any]]:
    """Parse a file; what is wrong is told outside the handlers, since the exceptions hold its content."""
    text, place = None, ""
    with suppress(UnicodeDecodeError):
        text = raw.decode("utf-8-sig")
    if text is None:
        raise ConfigurationError(f"the configuration file {file} cannot be read (it is not UTF-8 text)")
    try:
        return text, tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        found = re.search(r" \(at [^)]*\)$", str(error))
        place = found.group() if found else ""
    raise ConfigurationError(
        f"the configuration file {file} is not valid TOML{place}",
        hint="strings need quotes; the line itself is not shown, since it may hold a secret",
    )


def _choose(profiles: Mapping[str, Any], wanted: str | None, file: Path) -> str:
    if wanted is None:
        if "default" in profiles or not profiles:
            return "default"
        if len(profiles) > 1:
            raise ConfigurationError(
                f"{file} holds several profiles: {', '.join(sorted(profiles))}", hint="choose one with --profile"
            )
        return next(iter(profiles))
    if wanted not in profiles:
        raise ConfigurationError(
            f"{file} holds no profile {wanted!r}", hint=nearest(wanted, profiles) or "check the name after --profile"
        )
    return wanted


def _check_profile(
    table: Mapping[str, Any], section: tuple[str, ...], settings: Collection[str], file: Path, text: str
) -> None:
    groups = {group for group, dot, _ in (name.partition(".") for name in settings) if dot}
    _check_names(table, {name for name in settings if "." not in name} | groups, file, section, text)
    for group in sorted(groups & table.keys()):
        inner = (*section, group)
        if not isinstance(table[group], dict):
            raise ConfigurationError(
                f"{file}: {group} is a table", hint=f"write [{'.'.join(inner)}] above its settings"
            )
        known = {name.removeprefix(f"{group}.") for name in settings if name.startswith(f"{group}.")}
        _check_names(table[group], known, file, inner, text)


def _check_names(
    table: Mapping[str, Any], known: Iterable[str], file: Path, section: tuple[str, ...], text: str
) -> None:
    for key in table:
        if key not in known:
            path = (*section, key)
            line = next((n for n, stated in _stated(text) if stated[: len(path)] == path), None)
            where = f"in [{'.'.join(section)}]" if section else "at the top"
            raise ConfigurationError(
                f"{file}{f', line {line}' if line else ''}: unknown key {key!r} {where}",
                hint=nearest(key, known) or "known keys are " + ", ".join(sorted(known)),
            )


def _stated(text: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Tell which line states which key, as far as the look of a line tells it."""
    section: tuple[str, ...] = ()
    for number, row in enumerate(text.splitlines(), 1):
        match = _HEADER.match(row) or _ASSIGNMENT.match(row)
        if match:
            name = tuple(part.strip(" \t\"'") for part in match[1].split("."))
            if match.re is _HEADER:
                section = name
                yield number, name
            else:
                yield number, section + name


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the question whether a known name was meant, or None where none is near."""
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"did you mean {found[0]!r}?" if found else None
