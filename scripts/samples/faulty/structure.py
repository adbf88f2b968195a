"""Faults in documents that no XML reader, or no schema, accepts."""

from __future__ import annotations

from lxml import etree

from drmkit.cpix import Document
from drmkit.cpix.view import cpix
from samples.faulty.entries import (
    HLS,
    KEY,
    PLAIN,
    RULE,
    TO_231,
    bare,
    breaks,
    raw,
)
from samples.model import finish, found, kid, one

__all__: list[str] = []

_XSI = "http://www.w3.org/2001/XMLSchema-instance"

raw(
    "xml-not-well-formed",
    shows="cut off in the middle of an element",
    make=lambda: finish(bare())[:-40],
)
raw(
    "xml-root",
    shows="an error page in place of a document",
    make=lambda: b"<html><body><p>502 Bad Gateway</p></body></html>\n",
)
raw(
    "xml-too-deep",
    shows="elements nested 300 levels deep",
    make=lambda: b'<CPIX xmlns="urn:dashif:org:cpix">' + b"<a>" * 300 + b"</a>" * 300 + b"</CPIX>\n",
)


@breaks("structure-element-unexpected", shows="the usage rules stand before the DRM systems")
def _(document: Document) -> None:
    rules = one(document, "cpix:ContentKeyUsageRuleList")
    one(document, "cpix:DRMSystemList").addprevious(rules)


@breaks(
    "structure-element-missing",
    shows="2.4: an empty list of content keys, which older versions allow",
    accepts=TO_231,
    start=bare,
)
def _(document: Document) -> None:
    for element in list(document.root):
        document.root.remove(element)
    document.root.append(document.root.makeelement(cpix("ContentKeyList")))
    document.version = "2.4"


@breaks("structure-attribute-unknown", shows="a misspelled attribute: mixPixels for minPixels", start=bare)
def _(document: Document) -> None:
    item = one(document, f"{RULE}/cpix:VideoFilter", 1)
    item.set("mixPixels", item.attrib.pop("minPixels"))
    one(document, f"{RULE}/cpix:VideoFilter").set("maxPixels", "1")
    document.root.remove(one(document, "cpix:ContentKeyUsageRuleList"))
    document.root.append(_rules(item))


def _rules(item: etree._Element) -> etree._Element:
    listed = item.makeelement(cpix("ContentKeyUsageRuleList"))
    rule = etree.SubElement(listed, cpix("ContentKeyUsageRule"), kid=str(kid("HD")))
    rule.append(item)
    return listed


@breaks("structure-attribute-missing", "rule-key", shows="a usage rule without kid", start=bare)
def _(document: Document) -> None:
    del one(document, RULE).attrib["kid"]


@breaks("structure-content", shows="text between elements", start=bare)
def _(document: Document) -> None:
    one(document, "cpix:ContentKeyList").text = "two keys:"


@breaks("structure-value", shows="a number with a unit: maxPixels is 921600px", start=bare)
def _(document: Document) -> None:
    one(document, f"{RULE}/cpix:VideoFilter").set("maxPixels", "921600px")


@breaks("structure-uuid", "rule-key", shows="a key ID without dashes", start=bare)
def _(document: Document) -> None:
    one(document, KEY).set("kid", kid("SD").hex)


@breaks("structure-base64", shows="a content key in hexadecimal with dashes, where base64 belongs", start=bare)
def _(document: Document) -> None:
    one(document, PLAIN).text = "a0a1-a2a3-a4a5"


@breaks("structure-id", shows="an XML ID that starts with a digit, as servers that take UUIDs write it", start=bare)
def _(document: Document) -> None:
    document.id = "4d3c2b1a-0000-4000-8000-000000000000"


@breaks("structure-id-unresolved", "period-unresolved", shows="a period filter that refers to nothing", start=bare)
def _(document: Document) -> None:
    document.usage_rules[0].add_periods(["p9"])


@breaks(
    "structure-playlist-name",
    shows='2.4: playlist="master", which is called multiVariant since; servers send it all the same',
    accepts=TO_231,
)
def _(document: Document) -> None:
    for element in found(document, HLS):
        if element.get("playlist") == "multiVariant":
            element.set("playlist", "master")


@breaks(
    "structure-playlist-duplicate",
    "hls-playlist",
    "hls-tag",
    shows="two HLS data of one DRM system for the media playlist",
    accepts=(),
)
def _(document: Document) -> None:
    one(document, HLS, 1).set("playlist", "media")


@breaks("structure-type", shows="xsi:type with a type that may not stand there", start=bare)
def _(document: Document) -> None:
    one(document, KEY).set(f"{{{_XSI}}}type", "cpix:DRMSystemType")
