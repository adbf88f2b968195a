"""The schema of each CPIX version, generated from the one table and compiled by libxml2."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from lxml import etree

from drmkit.cpix.notation import Complex, Group, Inline, Line, Particle, Simple, in_version
from drmkit.cpix.schema import ITEMS, NAMESPACES, TABLE

__all__ = ["compile_schema", "generate"]

_XS = "http://www.w3.org/2001/XMLSchema"
_LOCATION = "drmkit:schema:"
_OCCURS = {"": (1, "1"), "?": (0, "1"), "+": (1, "unbounded"), "*": (0, "unbounded")}

_OF_SYSTEMS = ("DRMSystemType", "ContentProtectionDataType", "HLSSignalingDataType")


@cache
def compile_schema(version: str, *, items: bool = False, lean: bool = False) -> etree.XMLSchema:
    """Return the compiled schema of a CPIX version, one of `VERSIONS`; made once and kept.

    With `items`, the entries of lists are roots too, so that each can be validated by itself. With `lean`, it leaves
    out what `Survey.spares_schema` tells of DRM systems, which takes libxml2 more than half of its time: it accepts a
    document of which the survey says so just where the whole schema accepts it.
    """
    parser = etree.XMLParser(no_network=True, resolve_entities=False)
    parser.resolvers.add(_Table(version))
    return etree.XMLSchema(etree.fromstring(generate("cpix", version, items=items, lean=lean), parser))


def generate(prefix: str, version: str, *, items: bool = False, lean: bool = False) -> bytes:
    """Write the schema document of one namespace (a key of `NAMESPACES`) for a CPIX version."""
    return etree.tostring(_Writer(prefix, version, lean=lean).schema(ITEMS if items else ()))


class _Table(etree.Resolver):
    """Answers the imports between the four schema documents out of the table."""

    def __init__(self, version: str) -> None:
        self._version = version

    def resolve(self, system_url: str, public_id: str, context: Any) -> Any:  # type: ignore[override]  # noqa: ARG002 (lxml calls it with a context)
        if not (system_url or "").startswith(_LOCATION):
            return None
        return self.resolve_string(
            generate(system_url.removeprefix(_LOCATION), self._version), context, base_url=system_url
        )


class _Writer:
    """Writes the schema document of one namespace."""

    def __init__(self, prefix: str, version: str, *, lean: bool = False) -> None:
        self._prefix = prefix
        self._version = version
        self._lean = lean

    def schema(self, more: tuple[str, ...] = ()) -> etree._Element:
        nsmap = {"xs": _XS, **NAMESPACES}
        root = etree.Element(f"{{{_XS}}}schema", nsmap=nsmap)
        root.set("targetNamespace", NAMESPACES[self._prefix])
        root.set("elementFormDefault", "qualified")
        for prefix, namespace in NAMESPACES.items():
            if prefix != self._prefix:
                self._add(root, "import", namespace=namespace, schemaLocation=_LOCATION + prefix)
        types, elements = TABLE[self._prefix]
        for entry in types:
            if in_version(entry.versions, self._version):
                self._type(root, entry)
        for element in (*elements, *more):
            self._particle(root, element, top=True)
        return root

    def _type(self, parent: etree._Element, entry: Complex | Simple) -> None:
        if self._lean and isinstance(entry, Complex) and entry.name in _OF_SYSTEMS:
            entry = _without_values(entry)
        if isinstance(entry, Complex):
            self._complex(parent, entry)
        else:
            self._simple(parent, entry)

    def _simple(self, parent: etree._Element, entry: Simple) -> None:
        restriction = self._add(self._add(parent, "simpleType", name=entry.name), "restriction", base=entry.base)
        if entry.pattern:
            self._add(restriction, "pattern", value=entry.pattern)
        if entry.length is not None:
            self._add(restriction, "length", value=str(entry.length))
        for value in entry.values:
            self._add(restriction, "enumeration", value=value)

    def _complex(self, parent: etree._Element, entry: Complex) -> None:
        node = self._add(parent, "complexType", **({"name": entry.name} if entry.name else {}))
        if entry.mixed:
            node.set("mixed", "true")
        if entry.abstract:
            node.set("abstract", "true")
        if entry.simple or entry.base:
            content = self._add(node, "simpleContent" if entry.simple else "complexContent")
            node = self._add(content, "extension", base=self._name(entry.simple or entry.base))
        if entry.content:
            kind = "sequence" if entry.choice is None else "choice"
            self._group(self._occurring(node, kind, entry.choice or ""), entry.content)
        for text in entry.attributes:
            self._attribute(node, Line.parse(text))
        if entry.any_attribute:
            self._add(node, "anyAttribute", namespace=entry.any_attribute)

    def _attribute(self, parent: etree._Element, line: Line) -> None:
        if in_version(line.versions, self._version):
            use = "required" if line.occurs == "!" else "optional"
            self._add(parent, "attribute", name=line.name, type=self._name(line.type), use=use)

    def _group(self, parent: etree._Element, particles: tuple[Particle, ...]) -> None:
        for particle in particles:
            self._particle(parent, particle)

    def _particle(self, parent: etree._Element, particle: Particle, *, top: bool = False) -> None:
        if isinstance(particle, Group):
            kind = "choice" if particle.choice else "sequence"
            self._group(self._occurring(parent, kind, particle.occurs), particle.particles)
            return
        line = Line.parse(particle.spec if isinstance(particle, Inline) else particle)
        if not in_version(line.versions, self._version):
            return
        if line.name.startswith("any:"):
            namespace, processing = line.name.removeprefix("any:").rsplit(":", 1)
            self._occurring(parent, "any", line.occurs, namespace=namespace, processContents=processing)
        elif isinstance(particle, Inline):
            self._complex(self._element(parent, line, top=top, name=line.name), particle.type)
        elif not line.type:
            self._element(parent, line, top=top, ref=line.name)
        else:
            node = self._element(parent, line, top=top, name=line.name, type=self._name(line.type))
            if line.name == "DRMSystem" and not self._lean and self._version != "2.1":
                self._one_playlist_each(node, "OnePlaylistEach" if top else "OnePlaylistInList")

    def _element(self, parent: etree._Element, line: Line, *, top: bool, **attributes: str) -> etree._Element:
        return (
            self._add(parent, "element", **attributes)
            if top
            else self._occurring(parent, "element", line.occurs, **attributes)
        )

    def _one_playlist_each(self, node: etree._Element, name: str) -> None:
        unique = self._add(node, "unique", name=name)
        self._add(unique, "selector", xpath="cpix:HLSSignalingData")
        self._add(unique, "field", xpath="@playlist")

    def _occurring(self, parent: etree._Element, tag: str, occurs: str, **attributes: str) -> etree._Element:
        node = self._add(parent, tag, **attributes)
        least, most = occurs[1:-1].split(",") if occurs.startswith("{") else _OCCURS[occurs]
        node.set("minOccurs", str(least))
        node.set("maxOccurs", most)
        return node

    def _name(self, name: str) -> str:
        return name if ":" in name else f"{self._prefix}:{name}"

    @staticmethod
    def _add(parent: etree._Element, tag: str, **attributes: str) -> etree._Element:
        return etree.SubElement(parent, f"{{{_XS}}}{tag}", attributes)


def _without_values(entry: Complex) -> Complex:
    """Return a type that takes any text for binary values and UUIDs."""

    def text(line: str) -> str:
        return line.replace("xs:base64Binary", "xs:string").replace("UUIDType", "xs:string")

    content = tuple(text(particle) if isinstance(particle, str) else particle for particle in entry.content)
    return replace(entry, content=content, attributes=tuple(map(text, entry.attributes)), simple=text(entry.simple))
