"""Finds the PSSH boxes of playlists, manifests and documents, place by place: one that is broken hides no other."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from lxml import etree

from drmkit.errors import SignalingError
from drmkit.identifiers import DrmSystem
from drmkit.signaling import encodings, marlin, xml
from drmkit.signaling.dashreader import CENC, MSPR, parse_fragment, read_element
from drmkit.signaling.hlsreader import parse, parse_tag, tag_lines
from drmkit.signaling.mp4 import Found, FoundBox
from drmkit.signaling.playready import PlayReadyObject
from drmkit.signaling.pssh import PsshBox
from drmkit.signaling.pssh import parse as parse_boxes

__all__ = ["HINT", "each", "in_playlist", "in_xml", "parse_document", "wrap"]

HINT = "boxes, PlayReady Objects, MP4 files, HLS playlists, DASH manifests and CPIX documents are read"
_COPIED = "copied"
_NAMES = {
    "cenc": CENC,
    "mspr": MSPR,
    "mas": marlin.NAMESPACE,
    "dashif": "https://dashif.org/CPS",
    "clearkey": "http://dashif.org/guidelines/clearKey",
    "ms": "urn:microsoft",
}
_WRAPPER = f"<{_COPIED}{''.join(xml.attribute(f'xmlns:{prefix}', uri) for prefix, uri in _NAMES.items())}>"
_SNIPPET = re.compile(rb"\s*<(?:[\w.-]+:)?(?:ContentProtection|pssh|pro)[\s>]")
_DASH = frozenset({"MPD", "ContentProtection", "Period", "AdaptationSet", "Representation"})
_OF_DASH = frozenset({f"{{{CENC}}}pssh", f"{{{MSPR}}}pro", _COPIED})


def each(where: str, read: Callable[[], Iterable[PsshBox]], place: str = "") -> Iterator[Found]:
    """Yield the boxes of one place, or why they cannot be read.

    Args:
        where: names the place.
        read: reads it.
        place: what an error is to begin with, where it does not name the place itself.
    """
    try:
        yield from [FoundBox(where, box) for box in read()]
    except SignalingError as error:
        yield SignalingError(f"{place}{error.message}", hint=error.hint)


def wrap(raw: bytes) -> PsshBox:
    """Return a PlayReady Object as the data of a box of version 0.

    Raises:
        SignalingError: it is none.
    """
    PlayReadyObject.parse(raw)
    return PsshBox(DrmSystem.PLAYREADY.system_id, data=raw)


def parse_document(data: bytes) -> etree._Element:
    """Parse a document, or elements that were copied out of a DASH manifest without its namespaces.

    Raises:
        SignalingError: it is not well-formed.
    """
    try:
        return xml.parse(data, "the document")
    except SignalingError:
        if not _SNIPPET.match(data):
            raise
        try:
            return xml.parse(b"%s%s</%s>" % (_WRAPPER.encode(), data, _COPIED.encode()), "the elements")
        except SignalingError:
            pass
        raise


def in_playlist(text: str) -> Iterator[Found]:
    """Yield the boxes in the key tags of a playlist."""
    for number, (line, tag) in enumerate(tag_lines(text), start=1):
        name = tag[1:].partition(":")[0]
        yield from each(f"{name} {number}", partial(_tag, tag), f"line {line}: ")


def in_xml(root: etree._Element) -> Iterator[Found]:
    """Yield the boxes in a CPIX document, a DASH or Smooth Streaming manifest, or elements of one.

    Raises:
        SignalingError: the document is of another kind.
    """
    name = xml.local_name(root)
    if name == "CPIX":
        for number, system in enumerate(root.iter("{*}DRMSystem"), start=1):
            yield from _in_drm_system(system, f"DRMSystem {number}")
    elif name == "SmoothStreamingMedia":
        for number, item in enumerate(root.iter("{*}ProtectionHeader"), start=1):
            yield from each(f"ProtectionHeader {number}", partial(_smooth, item), f"line {xml.line_of(item)}: ")
    elif name in _DASH or root.tag in _OF_DASH:
        for item in list(root.iter("{*}ContentProtection")) or [root]:
            where = f"{xml.local_name(item)} in line {xml.line_of(item)}"
            yield from each(where, partial(_element, item))
    else:
        raise SignalingError(f"the XML document {name!r} is of no kind that holds PSSH boxes", hint=HINT)


def _in_drm_system(system: etree._Element, where: str) -> Iterator[Found]:
    """Walk through what CPIX can carry for one system (CPIX 2.4, clause DRMSystem)."""
    for item in system.iterchildren(etree.Element):
        name, text = xml.local_name(item), xml.text_of(item).strip()
        read = _READERS.get(name)
        if not text or read is None:
            continue
        place = f"{where}, {name} in line {xml.line_of(item)}"
        try:
            raw = encodings.from_base64(text, place)
        except SignalingError as error:
            yield error
            continue
        yield from each(place, partial(read, raw), f"{place}: ")


def _tag(line: str) -> list[PsshBox]:
    return parse_tag(line).boxes()


def _element(item: etree._Element) -> tuple[PsshBox, ...]:
    return read_element(item).all_boxes


def _smooth(item: etree._Element) -> list[PsshBox]:
    return [wrap(encodings.from_base64(xml.text_of(item), "ProtectionHeader"))]


def _tags(raw: bytes) -> Iterator[PsshBox]:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise SignalingError("the HLS lines are not UTF-8", hint="write them as UTF-8, then as base64") from None
    for key in parse(text):
        yield from key.boxes()


_READERS: dict[str, Callable[[bytes], Iterable[PsshBox]]] = {
    "PSSH": parse_boxes,
    "ContentProtectionData": lambda raw: parse_fragment(raw).all_boxes,
    "HLSSignalingData": _tags,
    "SmoothStreamingProtectionHeaderData": lambda raw: [wrap(raw)],
    "ProtectionHeader": lambda raw: [wrap(raw)],
}
