"""Is the document built as the schema of its version says? libxml2 decides; its verdicts become findings here."""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final

from lxml import etree

from drmkit.cpix.assessment import assess
from drmkit.cpix.document import Document
from drmkit.cpix.lines import ASCII_COMPATIBLE
from drmkit.cpix.paths import Paths
from drmkit.cpix.records import UUID
from drmkit.cpix.report import Finding
from drmkit.cpix.schema import CPIX, DS, ENC, PSKC
from drmkit.cpix.survey import Survey
from drmkit.cpix.values import text_of
from drmkit.cpix.verdicts import NO_VERDICT, short_name, structure_finding, translate
from drmkit.cpix.xsd import compile_schema

__all__ = ["accepts", "check_structure", "faults_at_head"]

_LOCK: Final = threading.Lock()
_LOCATIONS: Final = tuple(
    f"{{http://www.w3.org/2001/XMLSchema-instance}}{name}" for name in ("schemaLocation", "noNamespaceSchemaLocation")
)
_LOCATED: Final = etree.XPath(
    "boolean(//@*[(local-name() = 'schemaLocation' or local-name() = 'noNamespaceSchemaLocation')"
    " and namespace-uri() = 'http://www.w3.org/2001/XMLSchema-instance'])"
)
_IDS_OF_REFERENCES: Final = ("2.1", "2.2")
_OF_VALUES: Final = ("structure-value", "structure-uuid", "structure-base64", "structure-playlist-name")
_LARGE: Final = 1_000
_SAMPLE: Final = 50
_LIST_DEPTH: Final = 2
_LENIENT: Final = "write the bytes in base64, with nothing else; libxml2 lets this pass, XML Schema does not"
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
    paths = Paths(document.root, document.line_of)
    survey = survey or Survey(document, version)
    findings = _schema_findings(document, version, paths, survey)
    return [*findings, *_departures(document, version, paths, survey)]


def accepts(document: Document, version: str) -> bool:
    """Say whether the schema of a version accepts the document."""
    return not check_structure(document, version)


def _schema_findings(document: Document, version: str, paths: Paths, survey: Survey) -> list[Finding]:
    if faults_at_head(document, version):
        return _item_by_item(document, version, paths)
    tree = _to_validate(document, version)
    if survey.spares_schema and not _validate(version, tree, lean=True):
        return []
    log = _validate(version, tree)
    return _distinct(translate(paths, paths, version, place, message) for place, message in log)


def _validate(
    version: str, tree: etree._ElementTree | etree._Element, *, items: bool = False, lean: bool = False
) -> list[tuple[str, str]]:
    """Return place and message of each verdict of libxml2; empty means valid."""
    schema = compile_schema(version, items=items, lean=lean)
    with _LOCK:
        if schema.validate(tree):
            return []
        entries: Any = schema.error_log
        return [(e.path or "", e.message or "") for e in entries if NO_VERDICT not in e.message]


def _distinct(findings: Iterable[Finding]) -> list[Finding]:
    """Leave out what libxml2 says twice about one place."""
    seen: dict[tuple[str, str], Finding] = {}
    valued: set[str] = set()
    for finding in findings:
        if finding.path not in valued:
            seen.setdefault((finding.path, finding.rule), finding)
        if finding.rule in _OF_VALUES:
            valued.add(finding.path)
    return list(seen.values())


def faults_at_head(document: Document, version: str) -> int:
    """Return how many faults the first entries of a large document have, where these are many; else 0.

    libxml2 finds the place of each fault by counting siblings, so that the time for a long list that is wrong in every
    entry grows with the square of its length. Such lists are validated entry by entry instead.
    """
    if all(len(child) < _LARGE for child in document.root):
        return 0
    faults = len(_validate(version, _head(document.root, _SAMPLE)))
    return faults if faults > _SAMPLE // 2 else 0


def _head(root: etree._Element, size: int) -> etree._Element:
    """Copy a document with the first entries of each list only."""
    head = _bare(root)
    for child in root:
        if _is_list(child):
            part = _bare(child)
            part.extend(copy.deepcopy(entry) for entry in islice(child, size))
            head.append(part)
        else:
            head.append(copy.deepcopy(child))
    return head


def _bare(element: etree._Element) -> etree._Element:
    nsmap: Any = element.nsmap
    bare = etree.Element(element.tag, nsmap=nsmap)
    for name, value in element.attrib.items():
        bare.set(name, value)
    return bare


def _is_list(element: etree._Element) -> bool:
    return isinstance(element.tag, str) and element.tag.endswith("List") and len(element) > 0


def _item_by_item(document: Document, version: str, paths: Paths) -> list[Finding]:
    findings = []
    for place, message in _validate(version, _head(document.root, 1)):
        if place.count("/") <= _LIST_DEPTH:
            findings.append(translate(paths, paths, version, place, message))
    for child in document.root:
        for entry in child.iterchildren(etree.Element) if _is_list(child) else ():
            for place, message in _validate(version, entry, items=True):
                findings.append(translate(Paths(entry), paths, version, place, message))
    return _distinct(findings)


def _to_validate(document: Document, version: str) -> etree._ElementTree:
    """Return the tree, or a copy where validating the tree itself would mislead or reach outside.

    libxml2 notes IDs in the tree while it validates: a tree that has changed since it was validated, or one that is
    checked against CPIX 2.1 or 2.2 (where a reference is an ID), would carry false IDs on. And libxml2 would follow
    `xsi:schemaLocation`.
    """
    located = _is_located(document)
    fresh = document.validated_revision in (None, document.revision)
    if fresh and not located and version not in _IDS_OF_REFERENCES:
        document.validated_revision = document.revision
        return document.tree
    tree = copy.deepcopy(document.tree)
    for element in tree.iter(etree.Element) if located else ():
        for name in _LOCATIONS:
            if name in element.attrib:
                del element.attrib[name]
    return tree


def _is_located(document: Document) -> bool:
    """Say whether the document points to schemas; looking through the input is quicker than through the tree."""
    if document.made_here:
        return False
    encoding = (document.tree.docinfo.encoding or "").upper()
    if document.is_unchanged and document.source is not None and encoding.startswith(ASCII_COMPATIBLE):
        return b"chemaLocation" in document.source
    return bool(_LOCATED(document.tree))


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
            yield structure_finding("structure-id-unresolved", paths.line_of(element), place, said, version)


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
    text = text_of(element) if attribute is None else element.get(attribute, "")
    what = "it is a UUID" if UUID.fullmatch(text.lower()) else "it has characters outside the alphabet"
    said = (f"{where} is not base64: {what}", _LENIENT)
    return structure_finding("structure-base64", paths.line_of(element), path, said, version)
