"""Read messages that differ from their documentation: what fits is typed, and what does not is kept and named."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic, NamedTuple, TypeVar

from drmkit.errors import ProtocolError
from drmkit.mps.schema import Member, members
from drmkit.mps.wire import Model, convert

__all__ = ["Reading", "completed", "judgeable", "read"]

_ASIDE = frozenset({"Input", "InputInfo", "MetaData", "Output"})
"""The fields of a task and its subtasks that say nothing about how they ended."""
M = TypeVar("M", bound=Model)
_MOST = 1000
"""How many fields are named: a message may have as many as anybody who can send one likes."""


class Reading(NamedTuple, Generic[M]):
    """A message that was read.

    Attributes:
        message: what fits its documentation.
        unknown: the fields that are not documented, as they came, by their paths; no more than the first thousand.
        misread: documented fields whose values are of another type, likewise; they are not in `message`.
    """

    message: M
    unknown: dict[str, Any]
    misread: dict[str, Any]


def read(kind: type[M], value: dict[str, Any]) -> Reading[M]:
    """Read a message from dictionaries and lists under the API's names.

    Numbers may stand in texts, and whole numbers where texts are documented.
    """
    unknown: dict[str, Any] = {}
    misread: dict[str, Any] = {}
    clean = _Reader(unknown, misread).model(kind, value, "")
    return Reading(convert(kind, clean), unknown, misread)


def judgeable(misread: Iterable[str]) -> bool:
    """Return whether a task can be judged without these fields, all of them being of what went in or came out."""
    return all(_ASIDE.intersection(path.replace("[", ".").split(".")) for path in misread)


def completed(typed: Any, came: Any) -> Any:
    """Return a message that was written from its model, with everything that came and is not in the model.

    Args:
        typed: the message as its model has it, in dictionaries and lists.
        came: the message as it came.
    """
    if isinstance(typed, dict) and isinstance(came, dict):
        both = {name: completed(item, came.get(name)) for name, item in typed.items()}
        return both | {name: item for name, item in came.items() if name not in typed and item is not None}
    if isinstance(typed, list) and isinstance(came, list):
        if len(typed) != len(came):
            return came
        return [completed(item, other) for item, other in zip(typed, came, strict=True)]
    return typed


class _Reader:
    def __init__(self, unknown: dict[str, Any], misread: dict[str, Any]) -> None:
        self._unknown = unknown
        self._misread = misread

    def model(self, model: type[Model], value: dict[str, Any], path: str) -> dict[str, Any]:
        known = members(model)
        clean: dict[str, Any] = {}
        for name, item in value.items():
            where = f"{path}.{name}" if path else name
            member = known.get(name)
            if member is None:
                _note(self._unknown, where, item)
            elif item is not None:
                usable = self._field(member, item, where)
                if usable is not None:
                    clean[name] = usable
        return clean

    def _field(self, member: Member, value: Any, where: str) -> Any:
        if not member.is_list:
            return self._item(member, value, where)
        if not isinstance(value, list):
            _note(self._misread, where, value)
            return None
        items = (self._item(member, item, f"{where}[{index}]") for index, item in enumerate(value))
        return [item for item in items if item is not None]

    def _item(self, member: Member, value: Any, where: str) -> Any:
        if issubclass(member.kind, Model):
            if isinstance(value, dict):
                return self.model(member.kind, value, where)
        elif type(value) is member.kind:
            return value
        elif type(value) is int and member.kind is str:
            return str(value)
        else:
            try:
                convert(member.kind, value)
            except ProtocolError:
                pass
            else:
                return value
        _note(self._misread, where, value)
        return None


def _note(found: dict[str, Any], path: str, value: Any) -> None:
    if len(found) < _MOST:
        found[path] = value
