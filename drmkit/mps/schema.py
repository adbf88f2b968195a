"""Check plain values against the models: unknown fields, missing fields and wrong types, all at once."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from typing import Any

import msgspec

from drmkit.mps.findings import Finding, nearest
from drmkit.mps.wire import Model
from drmkit.secret import Secret

__all__ = ["Member", "examine", "members", "walk"]

_LONGEST_INT64 = 2**63
_LONGEST_SHOWN = 300
_TEXTS_OF_JSON = frozenset(
    {"ChannelExtPara", "ExtInfo", "ExtendedParameter", "MPSProcessMediaParams", "StdExtInfo", "UserExtPara"}
)
_NUMBER = re.compile(r"-?[0-9]{1,20}")
_PLAIN: dict[str, type[Any]] = {"str": str, "int": int, "float": float, "bool": bool}


class Member(msgspec.Struct, frozen=True):
    """One field of a model.

    Attributes:
        name: its name in the API.
        attribute: its name in Python.
        kind: the type of its value, or of each value of a list.
        is_list: whether it is a list.
        required: whether the API requires it in a request.
        unsigned: whether it must not be negative.
    """

    name: str
    attribute: str
    kind: type[Any]
    is_list: bool
    required: bool
    unsigned: bool


@cache
def members(model: type[Model]) -> dict[str, Member]:
    """Return the fields of a model by their names in the API.

    The models' annotations are read as the text that they are, such as `Needed[list[WatermarkInput]]` or `str | None`:
    evaluating them all takes longer than building, checking and signing a job. A field that a model has from a base is
    none of the API's.
    """
    names = zip(model.__struct_encode_fields__, model.__struct_fields__, strict=True)
    own = model.__annotations__
    found = (_member(model, name, attribute) for name, attribute in names if attribute in own)
    return {member.name: member for member in found}


def _member(model: type[Model], name: str, attribute: str) -> Member:
    hint: str = model.__annotations__[attribute]
    inner = hint.removeprefix("Needed[")
    item = inner.removeprefix("list[")
    word = re.split(r"\W", item, maxsplit=1)[0]
    unsigned = word == "Unsigned"
    kind = int if unsigned else _PLAIN.get(word) or vars(sys.modules[model.__module__])[word]
    return Member(name, attribute, kind, item != inner, inner != hint, unsigned)


def examine(
    model: type[Model], value: Any, path: str = "", *, texts: bool = False
) -> tuple[dict[str, Any], list[Finding]]:
    """Check a value that stands for a model, under the API's names.

    Args:
        model: the model.
        value: the value.
        path: where it stands.
        texts: whether a whole number that stands in a text, as in samples of the vendor, is taken for one, with a
            warning; that is for values that are written anew with the number.

    Returns:
        The value without what cannot be used, so that further rules can still look at the rest; and the findings.
    """
    findings: list[Finding] = []
    return _Examiner(findings, texts=texts).model(model, value, path) or {}, findings


class _Examiner:
    def __init__(self, findings: list[Finding], *, texts: bool) -> None:
        self._findings = findings
        self._texts = texts

    def model(self, model: type[Model], value: Any, path: str) -> dict[str, Any] | None:
        if not isinstance(value, dict):
            self._add(
                path or "the job", f"is {_describe(value)}, not an object", f"write the fields of {model.__name__}"
            )
            return None
        known = members(model)
        clean: dict[str, Any] = {}
        for name, item in value.items():
            where = f"{path}.{name}" if path else str(name)
            member = known.get(name)
            if member is None:
                self._unknown(model, where, str(name))
            elif item is not None:
                usable = self._field(member, item, where)
                if usable is not None:
                    clean[name] = usable
        self._missing(model, value, path)
        return clean

    def _field(self, member: Member, value: Any, where: str) -> Any:
        if not member.is_list:
            return self._item(member, value, where)
        if not isinstance(value, list):
            self._add(where, f"is {_describe(value)}, not a list", "put brackets around it")
            return None
        items = (self._item(member, item, f"{where}[{index}]") for index, item in enumerate(value))
        return [item for item in items if item is not None]

    def _item(self, member: Member, value: Any, where: str) -> Any:
        if issubclass(member.kind, Model):
            return self.model(member.kind, value, where)
        wrong = _wrong_type(member, value)
        if not wrong:
            return value
        number = _number_in(member, value) if self._texts else None
        if number is None:
            self._add(where, *wrong)
        else:
            message = f"is a text, and the API wants a number: {number} is sent"
            self._findings.append(Finding(where, message, "leave out the quotation marks", "warning"))
        return number

    def _missing(self, model: type[Model], value: dict[str, Any], path: str) -> None:
        for member in members(model).values():
            if member.required and value.get(member.name) is None:
                where = f"{path}.{member.name}" if path else member.name
                self._add(where, f"is missing; {model.__name__} requires it", f"add {member.name}")

    def _unknown(self, model: type[Model], where: str, name: str) -> None:
        close = nearest(name, members(model))
        fix = f"write {close} instead" if close else f"remove it, or see the fields of {model.__name__}"
        self._add(where, f"{model.__name__} has no field {name}", fix)

    def _add(self, path: str, message: str, fix: str) -> None:
        self._findings.append(Finding(path, message, fix))


def _wrong_type(member: Member, value: Any) -> tuple[str, str] | None:
    if member.kind is bool:
        return None if isinstance(value, bool) else (f"is {_describe(value)}, not true or false", "write true or false")
    if member.kind is float:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return None if number else (f"is {_describe(value)}, not a number", "write a number without quotes")
    if member.kind is int:
        return _wrong_integer(member, value)
    if isinstance(value, str):
        return None
    if isinstance(value, dict | list) and member.name in _TEXTS_OF_JSON:
        return f"is {_describe(value)}; the API wants the text of it", _as_text(member, value)
    return f"is {_describe(value)}, not a text", "put quotation marks around it"


def _number_in(member: Member, value: Any) -> int | None:
    """Return the whole number that stands in a text where one is wanted, or None."""
    if member.kind not in {int, float} or not isinstance(value, str) or not _NUMBER.fullmatch(value):
        return None
    return None if _wrong_type(member, int(value)) else int(value)


def _as_text(member: Member, value: Any) -> str:
    """Return how to write an object where the API wants its text; other fields than this one may hold secrets."""
    if member.name == "ExtendedParameter":
        with suppress(msgspec.MsgspecError, TypeError):
            text = msgspec.json.encode(value).decode()
            if len(text) <= _LONGEST_SHOWN:
                return f"write {msgspec.json.encode(text).decode()}"
    return "write it as text of JSON, its quotation marks escaped"


def _wrong_integer(member: Member, value: Any) -> tuple[str, str] | None:
    if not isinstance(value, int) or isinstance(value, bool):
        return f"is {_describe(value)}, not an integer", "write an integer without quotes"
    if member.unsigned and value < 0:
        return "is negative", "write 0 or a positive integer"
    if not -_LONGEST_INT64 <= value < _LONGEST_INT64 * (2 if member.unsigned else 1):
        return "does not fit into 64 bits", "write a smaller integer"
    return None


def _describe(value: Any) -> str:
    names = {
        bool: "true or false",
        int: "an integer",
        float: "a number",
        str: "a text",
        list: "a list",
        dict: "an object",
    }
    return names.get(type(value), "a text" if isinstance(value, Secret) else type(value).__name__)


def walk(model: Model, path: str = "") -> Iterator[tuple[str, Model]]:
    """Yield every object inside a model with its path, the model itself first."""
    yield path, model
    for member in members(type(model)).values():
        value = getattr(model, member.attribute)
        where = f"{path}.{member.name}" if path else member.name
        if isinstance(value, Model):
            yield from walk(value, where)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, Model):
                    yield from walk(item, f"{where}[{index}]")
