"""Faults in DRM systems: references, signaling, PSSH boxes."""

from __future__ import annotations

import base64
import copy

from lxml import etree

from drmkit.cpix import Document
from drmkit.cpix.view import cpix
from drmkit.identifiers import DrmSystem
from drmkit.signaling import common, pssh, widevine
from samples.faulty.entries import (
    FROM_23,
    HLS,
    SYSTEM,
    bare,
    breaks,
    hierarchy,
    put,
)
from samples.model import NEW, base, found, kid, one

__all__: list[str] = []


@breaks("drm-system-kid", shows="DRM data for a content key that is not there", accepts=NEW)
def _(document: Document) -> None:
    document.content_keys.remove(document.content_keys[1])
    document.usage_rules.remove(document.usage_rules[1])


@breaks("drm-system-duplicate", shows="two entries of one DRM system for one key", accepts=NEW, valid=True)
def _(document: Document) -> None:
    system = one(document, SYSTEM)
    system.addnext(copy.deepcopy(system))


@breaks("hls-playlist", shows="HLS data without a playlist name beside one with", accepts=NEW)
def _(document: Document) -> None:
    del one(document, HLS).attrib["playlist"]


@breaks("hls-text", shows="HLS data that starts with a byte order mark", accepts=NEW)
def _(document: Document) -> None:
    element = one(document, HLS)
    put(element, b"\xef\xbb\xbf" + base64.b64decode(element.text or ""))


@breaks("hls-tag", shows="EXT-X-KEY in the data for the multivariant playlist", accepts=NEW, valid=True)
def _(document: Document) -> None:
    element = next(e for e in found(document, HLS) if e.get("playlist") == "multiVariant")
    element.text = one(document, HLS).text


@breaks("hls-method", shows="METHOD=SAMPLE-AES, which is cbcs, for a key in cenc", accepts=NEW)
def _(document: Document) -> None:
    element = one(document, HLS)
    put(element, base64.b64decode(element.text or "").replace(b"SAMPLE-AES-CTR", b"SAMPLE-AES"))


@breaks("protection-data-xml", shows="data for the MPD that is no well-formed XML", accepts=NEW)
def _(document: Document) -> None:
    put(one(document, f"{SYSTEM}/cpix:ContentProtectionData"), b"<note>not closed")


@breaks(
    "leaf-signaling",
    shows="a leaf key with data for the MPD, which belongs to the root key",
    accepts=NEW,
    start=hierarchy,
)
def _(document: Document) -> None:
    systems = etree.SubElement(document.root, cpix("DRMSystemList"))
    leaf = etree.SubElement(systems, cpix("DRMSystem"), systemId=DrmSystem.WIDEVINE.system_id, kid=str(kid("leaf 1")))
    put(etree.SubElement(leaf, cpix("ContentProtectionData"), robustness="HW_SECURE_ALL"), b"<x/>")


@breaks("fairplay-scheme", shows="FairPlay for a key in cenc, which it cannot play", accepts=FROM_23, start=bare)
def _(document: Document) -> None:
    systems = document.root.makeelement(cpix("DRMSystemList"))
    etree.SubElement(systems, cpix("DRMSystem"), systemId=DrmSystem.FAIRPLAY.system_id, kid=str(kid("SD")))
    one(document, "cpix:ContentKeyList").addnext(systems)


@breaks(
    "smooth-text",
    shows="Smooth Streaming data that was encoded twice",
    accepts=NEW,
    start=lambda: base(systems=(DrmSystem.PLAYREADY,)),
)
def _(document: Document) -> None:
    element = one(document, f"{SYSTEM}/cpix:SmoothStreamingProtectionHeaderData")
    put(element, (element.text or "").encode())


@breaks("allowed-cpc", shows="an allowed CPC without a key format", accepts=NEW)
def _(document: Document) -> None:
    one(document, SYSTEM).set("HLSAllowedCPC", "MAIN")


def _only_pssh() -> Document:
    document = base()
    for element in found(document, SYSTEM):
        for child in list(element)[1:]:
            element.remove(child)
    return document


@breaks("pssh-malformed", shows="the data of a box without the box around it", accepts=FROM_23, start=_only_pssh)
def _(document: Document) -> None:
    element = one(document, f"{SYSTEM}/cpix:PSSH")
    put(element, pssh.parse_one(base64.b64decode(element.text or "")).data)


@breaks("pssh-system", shows="a box of W3C Common in the entry of Widevine", accepts=FROM_23, start=_only_pssh)
def _(document: Document) -> None:
    put(one(document, f"{SYSTEM}/cpix:PSSH"), common.pssh_box([kid("SD")]).to_bytes())


@breaks("pssh-key", shows="a box for another content key", accepts=FROM_23, start=_only_pssh)
def _(document: Document) -> None:
    one(document, f"{SYSTEM}/cpix:PSSH").text = one(document, f"{SYSTEM}/cpix:PSSH", 1).text


@breaks("pssh-scheme", shows="a box that says cbcs for a key in cenc", accepts=FROM_23, start=_only_pssh)
def _(document: Document) -> None:
    put(one(document, f"{SYSTEM}/cpix:PSSH"), widevine.pssh_box([kid("SD")], "cbcs").to_bytes())


@breaks("pssh-mpd", shows="another box in the data for the MPD than in PSSH", accepts=NEW)
def _(document: Document) -> None:
    mine, other = found(document, f"{SYSTEM}/cpix:ContentProtectionData")
    mine.text = other.text
