"""Where a new element goes: the order of children that the table prescribes, applied to a living tree."""

from __future__ import annotations

from functools import cache
from typing import Final

from lxml import etree

from drmkit.cpix.notation import Complex, Group, Inline, Line, Particle
from drmkit.cpix.schema import NAMESPACES, TABLE

__all__ = ["add_child", "ensure_child", "find_child"]

_LAST: Final = 1_000


def add_child(parent: etree._Element, child: etree._Element) -> None:
    """Insert a child at the place that the schema gives it; foreign elements stay behind it.

    The white space of an indented document is carried on: the child takes over the tail of its neighbor.
    """
    order = child_order().get(str(parent.tag), {})
    rank = order.get(str(child.tag), _LAST)
    position = len(parent)
    while position and _rank(order, parent[position - 1]) > rank:
        position -= 1
    before = parent[position - 1] if position else None
    # Text that does not belong there is not white space: it stays where it is.
    if before is not None and not (before.tail or "").strip():
        child.tail = before.tail
        indent = parent[position - 2].tail if position > 1 else None
        if position == len(parent) and position > 1 and not (indent or "").strip():
            before.tail = indent
    parent.insert(position, child)


def find_child(parent: etree._Element, tag: str) -> etree._Element | None:
    """Return the first child element with this name (`{namespace}local`), or None."""
    return next(parent.iterchildren(tag), None)


def ensure_child(parent: etree._Element, tag: str) -> etree._Element:
    """Return the first child with this name; make it, at its place, where there is none."""
    child = find_child(parent, tag)
    if child is None:
        child = parent.makeelement(tag, nsmap=None if _known(parent, tag) else NAMESPACES)
        add_child(parent, child)
    return child


def _known(parent: etree._Element, tag: str) -> bool:
    return etree.QName(tag).namespace in parent.nsmap.values()


def _rank(order: dict[str, int], node: etree._Element) -> int:
    return order.get(node.tag, _LAST) if isinstance(node.tag, str) else -1


@cache
def child_order() -> dict[str, dict[str, int]]:
    """Return, for each element name, the rank of each child name, over all versions."""
    children: dict[str, list[str]] = {}
    merged: dict[str, list[tuple[str, Complex]]] = {}
    for prefix, (all_types, _) in TABLE.items():
        for entry in all_types:
            if isinstance(entry, Complex):
                merged.setdefault(f"{prefix}:{entry.name}", []).append((prefix, entry))
    for prefix, (all_types, elements) in TABLE.items():
        lines: list[tuple[str, Particle]] = [(prefix, e) for e in elements]
        lines += [(prefix, p) for t in all_types if isinstance(t, Complex) for p in t.content]
        for owner, particle in lines:
            for line in _lines(particle):
                if line.type and not line.type.startswith("xs:"):
                    name = line.type if ":" in line.type else f"{owner}:{line.type}"
                    names = children.setdefault(f"{{{NAMESPACES[owner]}}}{line.name}", [])
                    for _, entry in merged.get(name, []):
                        _merge(names, _names(entry, name.split(":")[0], merged))
    return {tag: {name: rank for rank, name in enumerate(names)} for tag, names in children.items()}


def _names(entry: Complex, prefix: str, merged: dict[str, list[tuple[str, Complex]]]) -> list[str]:
    names: list[str] = []
    for _, base in merged.get(f"{prefix}:{entry.base}", []) if entry.base else []:
        _merge(names, _names(base, prefix, merged))
    for particle in entry.content:
        for line in _lines(particle):
            owner, _, local = line.name.rpartition(":")
            if not line.name.startswith("any:"):
                names.append(f"{{{NAMESPACES[owner or prefix]}}}{local}")
    return names


def _lines(particle: Particle) -> list[Line]:
    if isinstance(particle, Group):
        return [line for inner in particle.particles for line in _lines(inner)]
    return [Line.parse(particle.spec if isinstance(particle, Inline) else particle)]


def _merge(names: list[str], others: list[str]) -> None:
    position = 0
    for name in others:
        if name in names:
            position = names.index(name) + 1
        else:
            names.insert(position, name)
            position += 1
