"""Is the document built as the schema of its version says? libxml2 decides; its verdicts become findings here."""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator
from typing import Any, Final

from lxml import etree

from drmkit.cpix.assessment import assess
from drmkit.cpix.document import Document
from drmkit.cpix.paths import Paths
from drmkit.cpix.report import Finding
from drmkit.cpix.schema import CPIX, DS, ENC, PSKC
from drmkit.cpix.survey import Survey
from drmkit.cpix.values import text_of
from drmkit.cpix.verdicts import NO_VERDICT, short_name, structure_finding, translate
from drmkit.cpix.xsd import compile_schema

__all__ = ["accepts", "check_structure"]

_LOCK: Final = threading.Lock()
_LOCATIONS: Final = tuple(
    f"{{http://www.w3.org/2001/XMLSchema-instance}}{name}" for name in ("schemaLocation", "noNamespaceSchemaLocation")
)
_LENIENT: Final = "libxml2 lets this pass, XML Schema does not"
_BASE64: Final = bytes(range(65, 91)) + bytes(range(97, 123)) + b"0123456789+/= \t\r\n"
_BASE64_TAGS: Final = (
    *(f"{{{CPIX}}}{name}" for name in ("PSSH", "ContentProtectionData", "HLSSignalingData", "URIExtXKey")),
    *(f"{{{CPIX}}}{name}" for name in ("HDSSignalingData", "HDCPOutputProtectionData")),
    *(f"{{{PSKC}}}{name}" for name in ("PlainValue", "ValueMAC")),
    f"{{{ENC}}}*",
    f"{{{DS}}}*",
)


def check_structure(document: Document, version: str, survey: Survey | None = None) -> list[Finding]:
    """Return what the schema of a CPIX version has against a document; empty means that it accepts it.

    Args:
        document: the document.
        version: the CPIX version.
        survey: a survey of the document, where one is at hand.
    """
    paths = Paths(document.root)
    findings = _schema_findings(document, version, paths)
    return [*findings, *_departures(document, version, paths, survey or Survey(document, version))]


def accepts(document: Document, version: str) -> bool:
    """Say whether the schema of a version accepts the document."""
    return not check_structure(document, version)


def _schema_findings(document: Document, version: str, paths: Paths) -> list[Finding]:
    schema = compile_schema(version)
    tree = _to_validate(document, version)
    with _LOCK:
        if schema.validate(tree):
            return []
        entries: Any = schema.error_log
        log = [(e.path, e.message) for e in entries if NO_VERDICT not in e.message]
    seen: set[tuple[str, str]] = set()
    findings = []
    for place, message in log:
        finding = translate(paths, version, place or "", message or "")
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


def _departures(document: Document, version: str, paths: Paths, survey: Survey) -> Iterator[Finding]:
    """Yield what XML Schema refuses and libxml2 lets pass."""
    suspicious = bool(survey.bad) or (survey.unusual and not _is_base64("".join(_base64_texts(document))))
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
            said = (
                f"{attribute} {value[:60]!r} refers to an ID that no element has",
                "give the key period that ID, or correct the reference",
            )
            place = f"{paths.of(element)}/@{attribute}"
            yield structure_finding("structure-id-unresolved", element, place, said, version)


def _dangling(document: Document) -> bool:
    ids = {element.get("id", "").strip() for element in document.periods.elements()}
    rules = document.usage_rules.elements()
    tag = f"{{{CPIX}}}KeyPeriodFilter"
    return any(f.get("periodId", "").strip() not in ids for rule in rules for f in rule.iterchildren(tag))


def _base64_texts(document: Document) -> Iterator[str]:
    for element in document.root.iter(*_BASE64_TAGS):
        yield text_of(element) if len(element) else (element.text or "")


def _is_base64(text: str) -> bool:
    return not text.encode("utf-8", "replace").translate(None, _BASE64)


def _not_base64(paths: Paths, element: etree._Element, attribute: str | None, version: str) -> Finding:
    name = short_name(str(element.tag))
    where = f"{attribute} of {name}" if attribute else name
    path = paths.of(element) + (f"/@{attribute}" if attribute else "")
    said = (f"{where} is not base64: it has characters outside the alphabet", _LENIENT)
    return structure_finding("structure-base64", element, path, said, version)
