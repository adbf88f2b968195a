"""Is the document built as the schema of its version says? libxml2 decides; its verdicts become findings here."""

from __future__ import annotations

import copy
import re
import threading
from collections.abc import Iterator
from typing import Any, Final

from lxml import etree

from drmkit.cpix.assessment import assess, child_names
from drmkit.cpix.document import Document
from drmkit.cpix.notation import VERSIONS
from drmkit.cpix.paths import Paths
from drmkit.cpix.report import Finding
from drmkit.cpix.schema import CPIX, DS, ENC, NAMESPACES, PSKC
from drmkit.cpix.values import line_of, text_of
from drmkit.cpix.xsd import compile_schema

__all__ = ["accepts", "check_structure"]

_LOCK: Final = threading.Lock()
_LOCATIONS: Final = tuple(
    f"{{http://www.w3.org/2001/XMLSchema-instance}}{name}" for name in ("schemaLocation", "noNamespaceSchemaLocation")
)
_PREFIXES: Final = {uri: "" if prefix == "cpix" else f"{prefix}:" for prefix, uri in NAMESPACES.items()}
_NAME: Final = re.compile(r"\{([^}]*)\}")
_PLACE: Final = re.compile(
    r"^Element '(?P<element>[^']*)'(?:, attribute '(?P<attribute>[^']*)')?: (?P<text>.*)$", re.DOTALL
)
_EXPECTED: Final = re.compile(r"Expected is (?:one of )?\( (?P<names>.*) \)")
_TYPE: Final = re.compile(r"type '(?P<type>[^']*)'\.?$")
_BASE64: Final = bytes(range(65, 91)) + bytes(range(97, 123)) + b"0123456789+/= \t\r\n"
_BASE64_TAGS: Final = (
    *(f"{{{CPIX}}}{name}" for name in ("PSSH", "ContentProtectionData", "HLSSignalingData", "URIExtXKey")),
    *(f"{{{CPIX}}}{name}" for name in ("HDSSignalingData", "HDCPOutputProtectionData")),
    *(f"{{{PSKC}}}{name}" for name in ("PlainValue", "ValueMAC")),
    f"{{{ENC}}}*",
    f"{{{DS}}}*",
)


def accepts(document: Document, version: str) -> bool:
    """Say whether the schema of a version accepts the document."""
    return not check_structure(document, version)


def check_structure(document: Document, version: str) -> list[Finding]:
    """Return what the schema of a CPIX version has against a document; empty means that it accepts it."""
    paths = Paths(document.root)
    findings = [*_schema_findings(document, version, paths), *_departures(document, version, paths)]
    return findings


def _schema_findings(document: Document, version: str, paths: Paths) -> list[Finding]:
    schema = compile_schema(version)
    tree = _to_validate(document, version)
    with _LOCK:
        if schema.validate(tree):
            return []
        entries: Any = schema.error_log
        log = [(entry.line, entry.path, entry.message) for entry in entries]
    seen: set[tuple[str, str]] = set()
    findings = []
    for line, place, message in log:
        finding = _translate(paths, version, line, place or "", message or "")
        if (finding.path, finding.rule) not in seen and (finding.path, "structure-value") not in seen:
            seen.add((finding.path, finding.rule))
            findings.append(finding)
    return findings


def _to_validate(document: Document, version: str) -> etree._ElementTree:
    """Return the tree, or a copy where validating the tree itself would mislead or reach outside.

    libxml2 notes IDs in the tree while it validates: a tree that changed since, or one that is checked against CPIX 2.1
    or 2.2 (where a reference is an ID), would carry false IDs on. And it would follow `xsi:schemaLocation`.
    """
    located = document.source is None or any(mark in document.source for mark in (b"chemaLocation", b"\0L\0o\0c"))
    if document.is_unchanged and not located and version not in ("2.1", "2.2"):
        return document.tree
    tree = copy.deepcopy(document.tree)
    for element in tree.iter(etree.Element):
        for name in _LOCATIONS:
            if name in element.attrib:
                del element.attrib[name]
    return tree


def _translate(paths: Paths, version: str, line: int, place: str, message: str) -> Finding:
    element = paths.find(place)
    match = _PLACE.match(message)
    attribute = match["attribute"] if match else None
    text = match["text"].strip() if match else message
    rule, said, hint = _explain(version, element, attribute, text)
    path = paths.of(element) + (f"/@{_short(attribute)}" if attribute else "")
    return _finding(rule, line or line_of(element), path, said, hint, version)


def _finding(rule: str, line: int, path: str, message: str, hint: str, version: str) -> Finding:
    return Finding(
        rule=rule,
        kind="structure",
        severity="error",
        line=line,
        path=path,
        message=message,
        hint=hint,
        source=f"DASH-IF CPIX {version} schema",
    )


def _explain(version: str, element: etree._Element, attribute: str | None, text: str) -> tuple[str, str, str]:
    """Return rule, message and hint for one verdict of libxml2."""
    name = _short(str(element.tag))
    expected = _EXPECTED.search(text)
    wanted = _short(expected["names"]).replace("##other", "another namespace").replace("*", "") if expected else ""
    if text.startswith("This element is not expected"):
        hint = f"expected here: {wanted}" if wanted else "nothing more may stand here; the order of elements is fixed"
        return "structure-element-unexpected", f"{name} may not stand here", _drift(version, element, None) or hint
    if text.startswith("Missing child element"):
        return "structure-element-missing", f"{name} lacks a child element", f"expected: {wanted}"
    if "is not allowed" in text and attribute:
        hint = _drift(version, element, attribute) or f"known are {_known(version, element)}"
        return "structure-attribute-unknown", f"{name} has no attribute {_short(attribute)}", hint
    if "is required but missing" in text:
        missing = text.split("'")[1]
        return "structure-attribute-missing", f"{name} has no {missing}", f"{missing} is required"
    if text.startswith("Duplicate key-sequence"):
        return (
            "structure-playlist-duplicate",
            "two HLSSignalingData of one DRMSystem are for the same playlist",
            "one for the media playlist, one for the master playlist",
        )
    if "ontent" in text and "not allowed" in text:
        return "structure-content", f"{name} may not have this content", _simple(text)
    return _explain_value(version, element, attribute, text)


def _explain_value(version: str, element: etree._Element, attribute: str | None, text: str) -> tuple[str, str, str]:
    name = _short(str(element.tag))
    where = f"{attribute} of {name}" if attribute else name
    value = element.get(attribute, "") if attribute else ""
    shown = f" {value[:60]!r}" if attribute and attribute != "explicitIV" else ""
    kind = _TYPE.search(text)
    type_name = kind["type"] if kind else ""
    if "[facet 'enumeration']" in text:
        allowed = text[text.find("{") + 1 : text.rfind("}")]
        hint = f"one of {allowed}"
        if attribute == "playlist":
            return (
                "structure-playlist-name",
                f"playlist{shown} is not a name of CPIX {version}",
                _live_with(value, hint),
            )
        return "structure-value", f"{where} may not be{shown}", hint
    if "[facet 'pattern']" in text:
        return "structure-value", f"{where}{shown} is not a UUID", "8-4-4-4-12 hexadecimal digits with dashes"
    if "[facet 'length']" in text:
        return "structure-value", f"{where}{shown} is not four characters long", "cenc, cens, cbc1 or cbcs"
    if type_name == "xs:ID":
        return _explain_id(where, value)
    if "ase64Binary" in type_name or "CryptoBinary" in type_name or "DigestValue" in type_name:
        return "structure-base64", f"{where} is not base64", "standard alphabet, padded, nothing else inside"
    if type_name:
        return "structure-value", f"{where}{shown} is not of type {type_name}", "see XML Schema Part 2 for the form"
    return "structure-other", f"{where}: {_hide(_simple(text), element)}", "see the schema of this version"


def _explain_id(where: str, value: str) -> tuple[str, str, str]:
    if re.match(r"\s*[A-Za-z_]", value):
        return "structure-id", f"{where} {value[:60]!r} is not a name, or another element has it too", "IDs are unique"
    return (
        "structure-id",
        f"{where} {value[:60]!r} is not an XML name: it must start with a letter or an underscore",
        "some servers put UUIDs here; prefix them with a letter or '_', or read on regardless: drmkit.cpix.parse does",
    )


def _live_with(value: str, hint: str) -> str:
    if value in ("master", "variant", "multiVariant"):
        return f"{hint}; servers mix the names of versions, and drmkit reads them all as one: rename it, or read on regardless"
    return hint


def _drift(version: str, element: etree._Element, attribute: str | None) -> str:
    """Say which other versions know an attribute or element that this one does not."""
    owner = str(element.tag) if attribute else _tag(element.getparent())
    position = 0 if attribute else 1
    name = attribute or str(element.tag)
    others = [v for v in VERSIONS if v != version and name in child_names(v).get(owner, ((), ()))[position]]
    here = name in child_names(version).get(owner, ((), ()))[position]
    return (
        "" if here or not others else f"CPIX {', '.join(others)} has it, {version} has not: check against that version"
    )


def _known(version: str, element: etree._Element) -> str:
    return ", ".join(sorted(child_names(version).get(str(element.tag), ((), ()))[0])) or "none"


def _tag(element: etree._Element | None) -> str:
    return "" if element is None else str(element.tag)


def _short(name: str | None) -> str:
    return _NAME.sub(lambda match: _PREFIXES.get(match[1], f"{{{match[1]}}}"), name or "")


def _simple(text: str) -> str:
    return _short(text)


def _hide(message: str, element: etree._Element) -> str:
    value = text_of(element)
    return message.replace(value, "...") if value.strip() else message


def _departures(document: Document, version: str, paths: Paths) -> Iterator[Finding]:
    """Yield what XML Schema refuses and libxml2 lets pass."""
    texts = [text_of(e) if len(e) else (e.text or "") for e in document.root.iter(*_BASE64_TAGS)]
    texts += [element.get("explicitIV", "") for element in document.root.iter(f"{{{CPIX}}}ContentKey")]
    suspicious = not _is_base64("".join(texts))
    if not suspicious and not _dangling(document):
        return
    ids: set[str] = set()
    references: list[tuple[etree._Element, str]] = []
    for element, attribute, kind in assess(document.root, version):
        text = text_of(element) if attribute is None else element.get(attribute, "")
        if kind == "xs:ID":
            ids.add(text.strip())
        elif kind == "xs:IDREF" and attribute is not None:
            references.append((element, attribute))
        elif kind == "xs:base64Binary" and not _is_base64(text):
            yield _not_base64(paths, element, attribute, version)
    for element, attribute in references:
        value = element.get(attribute, "")
        if value.strip() not in ids:
            yield _finding(
                "structure-id-unresolved",
                line_of(element),
                f"{paths.of(element)}/@{attribute}",
                f"{attribute} {value[:60]!r} refers to an ID that no element has",
                "give the key period that ID, or correct the reference",
                version,
            )


def _dangling(document: Document) -> bool:
    ids = {element.get("id", "").strip() for element in document.periods.elements()}
    rules = document.usage_rules.elements()
    tag = f"{{{CPIX}}}KeyPeriodFilter"
    return any(f.get("periodId", "").strip() not in ids for rule in rules for f in rule.iterchildren(tag))


def _is_base64(text: str) -> bool:
    return not text.encode("utf-8", "replace").translate(None, _BASE64)


def _not_base64(paths: Paths, element: etree._Element, attribute: str | None, version: str) -> Finding:
    name = _short(str(element.tag))
    where = f"{attribute} of {name}" if attribute else name
    path = paths.of(element) + (f"/@{attribute}" if attribute else "")
    return _finding(
        "structure-base64",
        line_of(element),
        path,
        f"{where} is not base64: it has characters outside the alphabet",
        "libxml2 lets this pass, XML Schema does not",
        version,
    )
