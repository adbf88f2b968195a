"""Typed reading of TOML tables: every value has its kind, and for an unknown name the error has the nearest one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Any, TypeVar

from drmkit.cpix.values import decode_base64, parse_duration
from drmkit.errors import CpixError, IdentifierError
from drmkit.identifiers import KeyId

__all__ = ["Table"]

T = TypeVar("T")
_KINDS = {str: "a text", int: "a number", bool: "true or false", list: "a list", dict: "a table"}


class Table:
    """One table of a specification.

    Args:
        data: the table.
        where: what it is called in messages, such as `key 2`; empty for the whole file.
    """

    def __init__(self, data: Mapping[str, Any], where: str = "") -> None:
        self._data = dict(data)
        self._asked: set[str] = set()
        self.where = where

    def fault(self, name: str, problem: str, hint: str | None = None) -> CpixError:
        """Return an error about one value of this table; the value itself, which may be a key, is not in it."""
        place = f"{self.where}: {name}" if self.where else name
        return CpixError(f"{place} {problem}", hint=hint)

    def text(self, name: str) -> str | None:
        """Return a text, or None where there is none."""
        return self._get(name, str)

    def flag(self, name: str) -> bool | None:
        """Return true or false, or None."""
        return self._get(name, bool)

    def number(self, name: str) -> int | None:
        """Return a whole number, or None."""
        value = self._get(name, int)
        if isinstance(value, bool):
            raise self.fault(name, "is not a number")
        return value

    def texts(self, name: str) -> list[str] | None:
        """Return a list of texts, or None."""
        value: list[Any] | None = self._get(name, list)
        if value is not None and not all(isinstance(item, str) for item in value):
            raise self.fault(name, "is not a list of texts", f'{name} = ["one", "two"]')
        return value

    def tables(self, name: str, called: str | None = None) -> list[Table]:
        """Return a list of tables, in order; empty where there is none."""
        value: list[Any] = self._get(name, list) or []
        if not all(isinstance(item, dict) for item in value):
            raise self.fault(name, "is not a list of tables", f"write [[{name}]] before each")
        prefix = f"{self.where}, " if self.where else ""
        return [Table(item, f"{prefix}{called or name} {number}") for number, item in enumerate(value, 1)]

    def table(self, name: str) -> Table | None:
        """Return a table, or None."""
        value: dict[str, Any] | None = self._get(name, dict)
        return None if value is None else Table(value, name)

    def base64(self, name: str) -> bytes | None:
        """Return the bytes of a text in base64, or None."""
        text = self.text(name)
        try:
            return None if text is None else decode_base64(text)
        except ValueError:
            raise self.fault(name, "is not base64") from None

    def key_id(self, name: str) -> KeyId | None:
        """Return a key ID in UUID form, or None."""
        text = self.text(name)
        try:
            return None if text is None else KeyId.from_uuid(text)
        except IdentifierError as error:
            raise self.fault(name, f"is no key ID: {error.message}") from None

    def moment(self, name: str) -> datetime | None:
        """Return a time with a zone, or None."""
        value = self._get(name, datetime)
        if value is not None and value.tzinfo is None:
            raise self.fault(name, "has no time zone", "write it as 2026-01-31T20:00:00Z, without quotes")
        return value

    def duration(self, name: str) -> timedelta | None:
        """Return a duration, written as xs:duration or as a number of seconds, or None."""
        self._asked.add(name)
        value = self._data.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return timedelta(seconds=value)
        text = self.text(name)
        try:
            return None if text is None else parse_duration(text)
        except ValueError:
            raise self.fault(name, "is no duration of fixed length", "write PT90S, or 90 for seconds") from None

    def choice(self, name: str, choices: Collection[str]) -> str | None:
        """Return one of several texts, or None."""
        text = self.text(name)
        if text is not None and text not in choices:
            raise self.fault(name, f"{text[:40]!r} is not known", _nearest(text, choices))
        return text

    def done(self) -> None:
        """Refuse names that nobody asked for.

        Raises:
            CpixError: there is such a name.
        """
        for name in self._data:
            if name not in self._asked:
                place = f"{self.where} has" if self.where else "there is"
                raise CpixError(f"{place} no setting {name!r}", hint=_nearest(name, self._asked))

    def _get(self, name: str, kind: type[T]) -> T | None:
        self._asked.add(name)
        value = self._data.get(name)
        if value is None:
            return None
        if not isinstance(value, kind):
            raise self.fault(name, f"is not {_KINDS.get(kind, 'a time')}")
        return value


def _nearest(text: str, choices: Collection[str]) -> str:
    near = get_close_matches(text, choices, n=1)
    return f"did you mean {near[0]!r}?" if near else f"one of {', '.join(sorted(choices))}"
