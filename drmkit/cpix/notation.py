"""The notation in which the table of CPIX is written: types, particles and the versions that have them.

For one line of content: `Name` and how often (nothing once, `?` at most once, `+` once or more, `*` any number,
`{0,2}`), its type, and the versions that have it (`2.4..` from, `..2.3.1` until). A name alone refers to a global
element. `any:NAMESPACE:PROCESSING` is a wildcard. For attributes, `!` means required.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

__all__ = ["VERSIONS", "Complex", "Group", "Inline", "Line", "Particle", "Simple", "choice", "in_version", "sequence"]

VERSIONS: Final = ("2.1", "2.2", "2.3", "2.3.1", "2.4")
_LINE = re.compile(
    r"(?P<name>any:[^ ]*:[a-z]+|[^ ?*+{!]+)(?P<occurs>[?*+!]|\{[^}]*\})?(?: (?P<type>[^ .]+))?(?: (?P<versions>\S+))?"
)


@dataclass(frozen=True, slots=True)
class Group:
    """Several particles as a sequence or, with `choice`, as alternatives."""

    particles: tuple[Particle, ...]
    occurs: str = ""
    choice: bool = False


@dataclass(frozen=True, slots=True)
class Complex:
    """A complex type: its content (or the simple type that it extends) and its attributes."""

    name: str
    content: tuple[Particle, ...] = ()
    attributes: tuple[str, ...] = ()
    base: str = ""
    simple: str = ""
    mixed: bool = False
    abstract: bool = False
    any_attribute: str = ""
    versions: str = ".."
    choice: str | None = None
    """The occurrence of the content as alternatives; None where the content is a sequence."""


@dataclass(frozen=True, slots=True)
class Inline:
    """An element with a type of its own that has no name."""

    spec: str
    type: Complex


@dataclass(frozen=True, slots=True)
class Simple:
    """A simple type: a base with at most one kind of facet."""

    name: str
    base: str
    pattern: str = ""
    values: tuple[str, ...] = ()
    length: int | None = None
    versions: str = ".."


Particle = str | Group | Inline


def choice(*particles: Particle, occurs: str = "") -> Group:
    """Return particles as alternatives."""
    return Group(particles, occurs, choice=True)


def sequence(*particles: Particle, occurs: str = "") -> Group:
    """Return particles in this order."""
    return Group(particles, occurs)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table, taken apart."""

    name: str
    occurs: str
    type: str
    versions: str

    @classmethod
    def parse(cls, text: str) -> Line:
        """Take a line of content or an attribute apart."""
        match = _LINE.fullmatch(text)
        if match is None:
            raise ValueError(text)
        return cls(match["name"], match["occurs"] or "", match["type"] or "", match["versions"] or "..")


def in_version(versions: str, version: str) -> bool:
    """Say whether a range such as `2.3..` or `..2.2` holds a version."""
    first, last = versions.split("..")
    index = VERSIONS.index(version)
    return (not first or VERSIONS.index(first) <= index) and (not last or index <= VERSIONS.index(last))
