"""Where in a document an element stands, as a path that people read; and the element of a path that libxml2 gives."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from lxml import etree

from drmkit.cpix import values
from drmkit.cpix.schema import NAMESPACES

__all__ = ["Paths"]

_STEP: Final = re.compile(r"/(?:(?P<prefix>[^:/\[]+):)?(?P<name>[^/\[]+)(?:\[(?P<position>\d+)\])?")
_FEW: Final = 8
_LIKE: Final = "sibling::*[local-name() = $name and namespace-uri() = $uri]"
_BEFORE: Final = etree.XPath(f"count(preceding-{_LIKE})")
_AFTER: Final = etree.XPath(f"boolean(following-{_LIKE}[1])")
_PREFIXES: Final = {uri: "" if prefix == "cpix" else f"{prefix}:" for prefix, uri in NAMESPACES.items()}


class Paths:
    """Paths within one tree that does not change meanwhile; each list of children is numbered once."""

    def __init__(self, root: etree._Element, line_of: Callable[[etree._Element], int] = values.line_of) -> None:
        self._root = root
        self.line_of = line_of
        self._steps: dict[etree._Element, dict[etree._Element, str]] = {}
        self._asked: dict[etree._Element, int] = {}
        self._children: dict[tuple[etree._Element, str | None, str], list[etree._Element]] = {}

    def of(self, element: etree._Element) -> str:
        """Return a path such as `/CPIX/ContentKeyList/ContentKey[2]`; positions count elements of that name."""
        steps = []
        parent = element.getparent()
        while parent is not None:
            steps.append(self._step(parent, element))
            element, parent = parent, parent.getparent()
        return "/" + "/".join([_label(element), *reversed(steps)])

    def find(self, path: str) -> etree._Element:
        """Return the element of a path that libxml2 made (`/*/cpix:DRMSystemList/*[3]`), or the root."""
        element = self._root
        for step in list(_STEP.finditer(path))[1:]:
            children = self._called(element, step["prefix"], step["name"])
            position = int(step["position"] or 1) - 1
            if position >= len(children):
                return element
            element = children[position]
        return element

    def _called(self, parent: etree._Element, prefix: str | None, name: str) -> list[etree._Element]:
        key = (parent, prefix, name)
        found = self._children.get(key)
        if found is None:
            children = parent.iterchildren(etree.Element)
            found = [child for child in children if name == "*" or _is_called(child, prefix, name)]
            self._children[key] = found
        return found

    def _step(self, parent: etree._Element, element: etree._Element) -> str:
        """Number an element among its like; the first few of a list are counted by libxml2, then all are numbered."""
        asked = self._asked[parent] = self._asked.get(parent, 0) + 1
        if asked > _FEW:
            return self._numbered(parent)[element]
        name = etree.QName(element)
        before: Any = _BEFORE(element, name=name.localname, uri=name.namespace or "")
        alone = not before and not _AFTER(element, name=name.localname, uri=name.namespace or "")
        return _label(element) if alone else f"{_label(element)}[{int(before) + 1}]"

    def _numbered(self, parent: etree._Element) -> dict[etree._Element, str]:
        steps = self._steps.get(parent)
        if steps is None:
            counts: dict[str, int] = {}
            labels = [(child, _label(child)) for child in parent.iterchildren(etree.Element)]
            numbered = []
            for child, label in labels:
                counts[label] = counts.get(label, 0) + 1
                numbered.append((child, label, counts[label]))
            steps = {c: f"{label}[{n}]" if counts[label] > 1 else label for c, label, n in numbered}
            self._steps[parent] = steps
        return steps


def _label(element: etree._Element) -> str:
    name = etree.QName(element)
    if not name.namespace:
        return name.localname
    return _PREFIXES.get(name.namespace, f"{element.prefix}:" if element.prefix else "*:") + name.localname


def _is_called(element: etree._Element, prefix: str | None, name: str) -> bool:
    return element.prefix == prefix and etree.QName(element).localname == name
