"""What libxml2 says about a document, put into findings that a person understands and that hold no secret."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from lxml import etree

from drmkit.cpix.assessment import child_names
from drmkit.cpix.notation import VERSIONS
from drmkit.cpix.paths import Paths
from drmkit.cpix.report import Finding
from drmkit.cpix.schema import NAMESPACES
from drmkit.cpix.values import text_of

__all__ = ["NO_VERDICT", "short_name", "structure_finding", "translate"]

NO_VERDICT: Final = "No precomputed value available"
"""What libxml2 adds about a value that it has refused already."""

_XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
_XSI_TYPE: Final = f"{{{_XSI}}}type"
_PREFIXES: Final = {**{uri: "" if p == "cpix" else f"{p}:" for p, uri in NAMESPACES.items()}, _XSI: "xsi:"}
_NAME: Final = re.compile(r"\{([^}]*)\}")
_PLACE: Final = re.compile(
    r"Element '(?P<element>[^']*)'(?:, attribute '(?P<attribute>[^']*)')?: (?P<text>.*)", re.DOTALL
)
_EXPECTED: Final = re.compile(r"Expected is (?:one of )?\( (?P<names>.*) \)")
_TYPE: Final = re.compile(r"type '(?P<type>[^']*)'\.?$")
_BINARY: Final = re.compile(r"[Bb]ase64Binary|CryptoBinary|DigestValue")


@dataclass(frozen=True, slots=True)
class _Verdict:
    """One message of libxml2, taken apart."""

    version: str
    element: etree._Element
    attribute: str | None
    text: str

    @property
    def name(self) -> str:
        return short_name(str(self.element.tag))

    @property
    def where(self) -> str:
        return f"{short_name(self.attribute)} of {self.name}" if self.attribute else self.name

    @property
    def value(self) -> str:
        return self.element.get(self.attribute, "") if self.attribute else ""

    @property
    def shown(self) -> str:
        """The value, where it is an attribute that holds no key material."""
        return f" {self.value[:60]!r}" if self.attribute and self.attribute != "explicitIV" else ""


Explained = tuple[str, str, str]


def structure_finding(rule: str, line: int, path: str, said: tuple[str, str], version: str) -> Finding:
    """Make a structural finding; `said` is its message and its hint."""
    return Finding(
        rule=rule,
        kind="structure",
        severity="error",
        line=line,
        path=path,
        message=said[0],
        hint=said[1],
        source=f"DASH-IF CPIX {version} schema",
    )


def translate(tree: Paths, paths: Paths, version: str, place: str, message: str) -> Finding:
    """Turn one message of libxml2 about the element at `place` of a tree into a finding with its path in a document."""
    element = tree.find(place)
    match = _PLACE.fullmatch(message)
    attribute = match["attribute"] if match else None
    verdict = _Verdict(version, element, attribute, match["text"].strip() if match else message)
    rule, said, hint = _explain(verdict)
    path = paths.of(element) + (f"/@{short_name(attribute)}" if attribute else "")
    return structure_finding(rule, paths.line_of(element), path, (said, hint), version)


def short_name(name: str | None) -> str:
    """Put prefixes in the place of namespaces; CPIX itself needs none."""
    return _NAME.sub(lambda match: _PREFIXES.get(match[1], f"{{{match[1]}}}"), name or "")


def _explain(verdict: _Verdict) -> Explained:
    text = verdict.text
    if verdict.attribute == _XSI_TYPE:
        return "structure-type", f"xsi:type of {verdict.name} names no type that may stand here", "remove xsi:type"
    if text.startswith("Duplicate key-sequence"):
        hint = "one for the media playlist, one for the master playlist"
        return "structure-playlist-duplicate", "two HLSSignalingData of one DRMSystem are for one playlist", hint
    if text.startswith(("This element is not expected", "Missing child element", "The attribute")):
        return _explain_shape(verdict)
    if "ontent" in text and "not allowed" in text:
        return "structure-content", f"{verdict.name} may not have this content", short_name(text)
    return _explain_facet(verdict) or _explain_type(verdict)


def _explain_shape(verdict: _Verdict) -> Explained:
    text, name = verdict.text, verdict.name
    expected = _EXPECTED.search(text)
    wanted = (
        short_name(expected["names"].replace("*", "")).replace("{##other:}", "another namespace") if expected else ""
    )
    if text.startswith("This element"):
        hint = f"expected here: {wanted}" if wanted else "nothing more may stand here; the order of elements is fixed"
        return "structure-element-unexpected", f"{name} may not stand here", _drift(verdict) or hint
    if text.startswith("Missing"):
        return "structure-element-missing", f"{name} lacks a child element", f"expected: {wanted}"
    if verdict.attribute:
        hint = _drift(verdict) or f"known are {_known(verdict)}"
        return "structure-attribute-unknown", f"{name} has no attribute {short_name(verdict.attribute)}", hint
    missing = text.split("'")[1]
    return "structure-attribute-missing", f"{name} has no {missing}", f"{missing} is required"


def _explain_facet(verdict: _Verdict) -> Explained | None:
    text, where, shown = verdict.text, verdict.where, verdict.shown
    if "[facet 'enumeration']" in text:
        hint = f"one of {text[text.find('{') + 1 : text.rfind('}')]}"
        if verdict.attribute == "playlist":
            said = f"playlist{shown} is not a name of CPIX {verdict.version}"
            return "structure-playlist-name", said, _live_with(verdict.value, hint)
        return "structure-value", f"{where} may not be{shown}", hint
    if "[facet 'pattern']" in text and "kid" in where.lower() + str(verdict.attribute).lower():
        return "structure-uuid", f"{where}{shown} is not a UUID", "8-4-4-4-12 hexadecimal digits with dashes"
    if "[facet 'pattern']" in text:
        return "structure-uuid", f"{where}{shown} does not have the right form", "see the schema of this version"
    if "[facet 'length']" in text:
        return "structure-value", f"{where}{shown} is not four characters long", "cenc, cens, cbc1 or cbcs"
    return None


def _explain_type(verdict: _Verdict) -> Explained:
    kind = _TYPE.search(verdict.text)
    type_name = kind["type"] if kind else ""
    if type_name == "xs:ID":
        return _explain_id(verdict.where, verdict.value)
    if _BINARY.search(type_name):
        return "structure-base64", f"{verdict.where} is not base64", "standard alphabet, padded, nothing else inside"
    if type_name:
        said = f"{verdict.where}{verdict.shown} is not of type {short_name(type_name)}"
        return "structure-value", said, "see XML Schema Part 2 for the form"
    return "structure-other", f"{verdict.where}: {_without_value(verdict)}", "see the schema of this version"


def _explain_id(where: str, value: str) -> Explained:
    if re.match(r"\s*[A-Za-z_]", value):
        return "structure-id", f"{where} {value[:60]!r} is not a name, or another element has it too", "IDs are unique"
    return (
        "structure-id",
        f"{where} {value[:60]!r} is not an XML name: it must start with a letter or an underscore",
        "some servers put UUIDs here; prefix them with a letter or '_', or read on regardless: drmkit.cpix.parse does",
    )


def _live_with(value: str, hint: str) -> str:
    if value in ("master", "variant", "multiVariant"):
        return f"{hint}; servers mix the names of versions, and drmkit reads them all: rename it, or read on regardless"
    return hint


def _drift(verdict: _Verdict) -> str:
    """Say which other versions know an attribute or element that this one does not."""
    element, attribute = verdict.element, verdict.attribute
    parent = element if attribute else element.getparent()
    owner, position = "" if parent is None else str(parent.tag), 0 if attribute else 1
    name = attribute or str(element.tag)
    knowing = [v for v in VERSIONS if name in child_names(v).get(owner, _NOTHING)[position]]
    if not knowing or verdict.version in knowing:
        return ""
    return f"CPIX {', '.join(knowing)} has it, {verdict.version} has not: check against that version"


_NOTHING: Final[tuple[frozenset[str], frozenset[str]]] = frozenset(), frozenset()


def _known(verdict: _Verdict) -> str:
    return ", ".join(sorted(child_names(verdict.version).get(str(verdict.element.tag), _NOTHING)[0])) or "none"


def _without_value(verdict: _Verdict) -> str:
    value = text_of(verdict.element)
    message = short_name(verdict.text)
    return message.replace(value, "...") if value.strip() else message
