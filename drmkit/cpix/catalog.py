"""The whole catalog: every rule that a report can name, those of XML and of the schemas among them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from drmkit.cpix.report import Kind, Severity
from drmkit.cpix.rules import all_rules

__all__ = ["RuleEntry", "catalog"]

_XML: Final = "XML 1.0 (Fifth Edition)"
_SCHEMA: Final = "DASH-IF CPIX schema of the version that is checked against"
_READING: Final[tuple[tuple[str, Kind, str, str, str], ...]] = (
    ("file-unreadable", "xml", "The file is there and can be read.", "check the path and its permissions", "-"),
    ("xml-not-well-formed", "xml", "The document is well-formed XML.", "look at the named place", _XML),
    ("xml-doctype", "xml", "The document has no document type declaration.", "remove it; CPIX needs none", _XML),
    ("xml-too-large", "xml", "The document is not larger than the cap.", "raise the cap if this is expected", "-"),
    ("xml-too-deep", "xml", "Elements are nested at most 256 levels deep.", "CPIX needs a dozen levels", "-"),
    ("xml-root", "xml", "The root element is CPIX in its namespace.", "is this a CPIX document?", "CPIX element"),
)
_STRUCTURE: Final = (
    ("structure-element-unexpected", "Elements stand where the schema has them.", "their order is fixed"),
    ("structure-element-missing", "Elements have the children that they must have.", "add what is expected"),
    (
        "structure-attribute-unknown",
        "Elements have only attributes of their version.",
        "check the spelling, the version",
    ),
    ("structure-attribute-missing", "Elements have the attributes that they must have.", "add the attribute"),
    ("structure-content", "Elements hold text or elements as the schema says.", "see the schema of the version"),
    ("structure-value", "Values have the type that the schema gives them.", "see XML Schema Part 2 for the form"),
    ("structure-uuid", "Key IDs and system IDs are UUIDs.", "8-4-4-4-12 hexadecimal digits with dashes"),
    ("structure-base64", "Binary values are base64.", "standard alphabet, padded"),
    ("structure-id", "IDs are XML names, and unique.", "start with a letter or an underscore"),
    ("structure-id-unresolved", "References to IDs resolve.", "give an element that ID, or correct the reference"),
    ("structure-playlist-name", "Playlists have the names of their version.", "media, and master or multiVariant"),
    ("structure-playlist-duplicate", "No two HLS data of a system are for one playlist.", "one for each playlist"),
    ("structure-type", "xsi:type names a type that may stand there.", "remove xsi:type"),
    ("structure-other", "The schema has nothing else against the document.", "see the schema of the version"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleEntry:
    """One rule as a list shows it: ID, kind, severity, what holds where it is kept, what to do, the clause."""

    id: str
    kind: Kind
    severity: Severity
    summary: str
    hint: str
    source: str


@cache
def catalog() -> tuple[RuleEntry, ...]:
    """Return every rule, in the order in which a document meets them."""
    reading = [
        RuleEntry(id=name, kind=kind, severity="error", summary=summary, hint=hint, source=source)
        for name, kind, summary, hint, source in _READING
    ]
    structure = [
        RuleEntry(id=name, kind="structure", severity="error", summary=summary, hint=hint, source=_SCHEMA)
        for name, summary, hint in _STRUCTURE
    ]
    beyond = [
        RuleEntry(id=r.id, kind=r.kind, severity=r.severity, summary=r.summary, hint=r.hint, source=r.source)
        for r in all_rules()
    ]
    return (*reading, *structure, *beyond)
