"""Which parts of a document have which simple type: the walk that XML Schema calls assessment, over the one table.

libxml2 decides what is valid; this walk serves only where libxml2 departs from XML Schema: it accepts base64 with
characters outside the alphabet, and references to IDs that do not exist. Both are decided here, by the specification
(XML Schema Part 2, base64Binary; Part 1, 3.3.4 and the ID/IDREF table of the validation root).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from lxml import etree

from drmkit.cpix.notation import Complex, Group, Inline, Line, Particle, Simple, in_version
from drmkit.cpix.schema import NAMESPACES, TABLE

__all__ = ["assess", "child_names"]

_XSI_TYPE: Final = "{http://www.w3.org/2001/XMLSchema-instance}type"
_XS: Final = "http://www.w3.org/2001/XMLSchema"


@dataclass(slots=True)
class _Type:
    """What assessment needs of a type: types of children and attributes, its simple content, and its wildcards."""

    children: dict[str, _Type | str] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    simple: str = ""
    lax: bool = False


class _Index:
    """The types and global elements of one CPIX version."""

    def __init__(self, version: str) -> None:
        self._version = version
        self.simples: dict[str, str] = {}
        self.types: dict[str, _Type] = {}
        self.elements: dict[str, _Type | str] = {}
        entries = [(p, t) for p, (types, _) in TABLE.items() for t in types if in_version(t.versions, version)]
        for prefix, entry in entries:
            if isinstance(entry, Simple):
                self.simples[f"{prefix}:{entry.name}"] = entry.base
            else:
                self.types[f"{prefix}:{entry.name}"] = _Type()
        for prefix, entry in entries:
            if isinstance(entry, Complex):
                self._fill(self.types[f"{prefix}:{entry.name}"], entry, prefix)
        for prefix, (_, elements) in TABLE.items():
            for particle in elements:
                self._particle(self.elements, particle, prefix)
        for prefix, entry in entries:
            if isinstance(entry, Complex):
                self._refer(self.types[f"{prefix}:{entry.name}"], entry, prefix)

    def _fill(self, target: _Type, entry: Complex, prefix: str) -> None:
        if entry.base:
            base = next(t for t in TABLE[prefix][0] if isinstance(t, Complex) and t.name == entry.base)
            self._fill(target, base, prefix)
        target.simple = entry.simple
        for particle in entry.content:
            self._particle(target.children, particle, prefix, target)
        for text in entry.attributes:
            line = Line.parse(text)
            if in_version(line.versions, self._version):
                target.attributes[line.name] = self.primitive(_qualified(line.type, prefix))

    def _particle(
        self, found: dict[str, _Type | str], particle: Particle, prefix: str, owner: _Type | None = None
    ) -> None:
        if isinstance(particle, Group):
            for inner in particle.particles:
                self._particle(found, inner, prefix, owner)
            return
        line = Line.parse(particle.spec if isinstance(particle, Inline) else particle)
        if line.name.startswith("any:") and owner is not None:
            owner.lax = True
        elif in_version(line.versions, self._version) and (line.type or isinstance(particle, Inline)):
            tag = f"{{{NAMESPACES[prefix]}}}{line.name}"
            if isinstance(particle, Inline):
                found[tag] = inner_type = _Type()
                self._fill(inner_type, particle.type, prefix)
            else:
                name = _qualified(line.type, prefix)
                found[tag] = self.types.get(name) or self.primitive(name)

    def _refer(self, target: _Type, entry: Complex, prefix: str) -> None:
        for particle in entry.content:
            for line in _lines(particle):
                if not line.type and ":" in line.name and not line.name.startswith("any:"):
                    owner, local = line.name.split(":")
                    tag = f"{{{NAMESPACES[owner]}}}{local}"
                    target.children[tag] = self.elements[tag]
        if entry.base:
            base = next(t for t in TABLE[prefix][0] if isinstance(t, Complex) and t.name == entry.base)
            self._refer(target, base, prefix)

    def primitive(self, name: str) -> str:
        """Return the built-in type below a simple type."""
        while name in self.simples:
            name = self.simples[name]
        return name

    def of(self, element: etree._Element, declared: _Type | str | None) -> _Type | str | None:
        """Return the type of an element: the declared one, or the one that `xsi:type` puts in its place."""
        name = element.get(_XSI_TYPE)
        if name is None:
            return declared
        prefix, _, local = name.strip().rpartition(":")
        namespace = element.nsmap.get(prefix or None)
        if namespace == _XS:
            return f"xs:{local}"
        known = next((p for p, uri in NAMESPACES.items() if uri == namespace), None)
        return self.types.get(f"{known}:{local}") or (
            self.primitive(f"{known}:{local}") if f"{known}:{local}" in self.simples else declared
        )


@cache
def _index(version: str) -> _Index:
    return _Index(version)


def assess(root: etree._Element, version: str) -> Iterator[tuple[etree._Element, str | None, str]]:
    """Walk a structurally valid document and yield each simple-typed place.

    Yields:
        The element, the attribute (None for the content of the element), and the built-in type such as
        `xs:base64Binary` or `xs:IDREF`.
    """
    index = _index(version)
    stack: list[tuple[etree._Element, _Type | str | None]] = [(root, index.elements[str(root.tag)])]
    while stack:
        element, declared = stack.pop()
        kind = index.of(element, declared)
        if isinstance(kind, str):
            yield element, None, kind
            continue
        if kind is not None:
            if kind.simple:
                yield element, None, index.primitive(kind.simple)
            for name, type_name in kind.attributes.items():
                if name in element.attrib:
                    yield element, name, type_name
        for child in reversed(list(element.iterchildren(etree.Element))):
            known = kind.children.get(str(child.tag)) if kind is not None else None
            stack.append((child, known if known is not None else index.elements.get(str(child.tag))))


@cache
def child_names(version: str) -> dict[str, tuple[frozenset[str], frozenset[str]]]:
    """Return, for each element name of CPIX itself, the names of its attributes and children in a version."""
    index = _index(version)
    found: dict[str, tuple[frozenset[str], frozenset[str]]] = {}

    def visit(tag: str, kind: _Type | str) -> None:
        if tag not in found and isinstance(kind, _Type):
            found[tag] = frozenset(kind.attributes), frozenset(kind.children)
            for child, inner in kind.children.items():
                visit(child, inner)

    for tag, kind in index.elements.items():
        if tag.endswith("}CPIX"):
            visit(tag, kind)
    return found


def _qualified(name: str, prefix: str) -> str:
    return name if ":" in name else f"{prefix}:{name}"


def _lines(particle: Particle) -> Iterator[Line]:
    if isinstance(particle, Group):
        for inner in particle.particles:
            yield from _lines(inner)
    else:
        yield Line.parse(particle.spec if isinstance(particle, Inline) else particle)
