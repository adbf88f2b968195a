"""Finds PSSH boxes in whatever holds them: boxes, PlayReady Objects, MP4 files, playlists, manifests, documents.

What an input is follows from marks that only one format has; text is read as hexadecimal or base64 only where exactly
one of the two readings is a box or a PlayReady Object from its first byte to its last.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from typing import BinaryIO

from lxml import etree

from drmkit.errors import SignalingError
from drmkit.identifiers import DrmSystem
from drmkit.signaling import encodings, xml
from drmkit.signaling.dashreader import parse_fragment, parse_root
from drmkit.signaling.hlsreader import parse as parse_tags
from drmkit.signaling.mp4 import FoundBox, find_boxes, looks_like_mp4
from drmkit.signaling.playready import PlayReadyObject
from drmkit.signaling.pssh import PsshBox, parse

__all__ = ["FoundBox", "find", "find_in_stream", "find_in_text"]

_PSSH = b"pssh"
_HLS = (b"#EXTM3U", b"#EXT-X-KEY:", b"#EXT-X-SESSION-KEY:")
_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
_PLAYREADY_START = struct.Struct("<IHH")
_RECORD_TYPES = range(1, 4)
_PREFIXED = re.compile(r"0[xX][0-9A-Fa-f]+")
_URL_SAFE = re.compile(r"[A-Za-z0-9_+/-]+=*")
_DATA_URI = re.compile(r"data:([^,]*),(.*)", re.DOTALL | re.IGNORECASE)
_MAX_FILE = 64 * 1024 * 1024
_PEEK = 1024
_HINT = "boxes, PlayReady Objects, MP4 files, HLS playlists, DASH manifests and CPIX documents are read"


def find_in_stream(stream: BinaryIO) -> list[FoundBox]:
    """Return every PSSH box in a file; the media data of an MP4 file of any size is skipped, not read.

    Args:
        stream: a seekable binary stream.

    Raises:
        SignalingError: as for `find`, or the file is too large to be anything but an MP4 file.
    """
    if looks_like_mp4(stream.read(8)):
        return find_boxes(stream)
    stream.seek(0)
    data = stream.read(_MAX_FILE + 1)
    if len(data) > _MAX_FILE:
        raise SignalingError("the file is too large for a document, and is no MP4 file", hint=_HINT)
    return find(data)


def find(data: bytes) -> list[FoundBox]:
    """Return every PSSH box in a file's content, each with its place.

    Args:
        data: the content.

    Raises:
        SignalingError: the content is of no kind that can be read, or something in it does not parse.
    """
    if not data.strip():
        raise SignalingError("there is nothing to read: the input is empty", hint=_HINT)
    start = data[:_PEEK].lstrip()
    if data[4:8] == _PSSH:
        return _boxes(data, "box")
    if _is_playready(data):
        return [FoundBox("PlayReady Object", _wrap(data))]
    if looks_like_mp4(data):
        return find_boxes(data)
    if start.removeprefix(_BOM).startswith(_HLS):
        return list(_in_playlist(_decode(data)))
    if start.removeprefix(_BOM).startswith(b"<") or start.startswith(_UTF16_BOMS):
        return list(_in_xml(xml.parse(data, "the document")))
    return find_in_text(_decode(data))


def find_in_text(text: str) -> list[FoundBox]:
    """Return the PSSH boxes of hexadecimal or base64 text, whichever of the two it proves to be, or of a `data:` URI.

    Raises:
        SignalingError: the text is none of them, or its bytes are no box and no PlayReady Object.
    """
    uri = _DATA_URI.fullmatch(text.strip())
    if uri is not None:
        return _in_uri(uri[1], uri[2])
    packed = "".join(text.split())
    readings = [raw for raw in (_try(encodings.from_hex, packed), _try(encodings.from_base64, packed)) if raw]
    fitting = [raw for raw in readings if raw[4:8] == _PSSH or _is_playready(raw)]
    if len(fitting) == 1:
        return find(fitting[0])
    if not readings:
        raise SignalingError("the text is neither hexadecimal nor base64", hint=_hint(packed))
    raise SignalingError(
        "the text decodes, but not to a PSSH box or a PlayReady Object",
        hint="a box has `pssh` after its first four bytes; a PlayReady Object starts with its own length",
    )


def _in_uri(head: str, content: str) -> list[FoundBox]:
    if not head.lower().endswith(";base64"):
        raise SignalingError("the data: URI is not marked as base64", hint="data:text/plain;base64,...")
    return find(encodings.from_base64(content, "the data: URI"))


def _hint(packed: str) -> str:
    if _PREFIXED.fullmatch(packed):
        return "leave 0x away: hexadecimal is digits alone"
    if _URL_SAFE.fullmatch(packed):
        return "base64 is expected in the standard alphabet, with + and / instead of - and _, and padded with ="
    return _HINT


def _try(decode: Callable[[str, str], bytes], text: str) -> bytes | None:
    try:
        return decode(text, "the text")
    except SignalingError:
        return None


def _is_playready(data: bytes) -> bool:
    if len(data) < _PLAYREADY_START.size:
        return False
    size, count, kind = _PLAYREADY_START.unpack_from(data)
    return bool(size == len(data) and count and kind in _RECORD_TYPES)


def _wrap(raw: bytes) -> PsshBox:
    PlayReadyObject.parse(raw)
    return PsshBox(DrmSystem.PLAYREADY.system_id, data=raw)


def _boxes(data: bytes, where: str) -> list[FoundBox]:
    return [FoundBox(f"{where} {number}", box) for number, box in enumerate(parse(data), start=1)]


def _decode(data: bytes) -> str:
    try:
        return data.removeprefix(_BOM).decode("utf-8")
    except UnicodeDecodeError:
        raise SignalingError("nothing here is known to hold PSSH boxes", hint=_HINT) from None


def _in_playlist(text: str) -> Iterator[FoundBox]:
    for number, key in enumerate(parse_tags(text), start=1):
        yield from (FoundBox(f"{key.tag} {number}", box) for box in key.boxes())


def _in_xml(root: etree._Element) -> Iterator[FoundBox]:
    name = xml.local_name(root)
    if name == "CPIX":
        for number, system in enumerate(root.iter("{*}DRMSystem"), start=1):
            yield from _in_drm_system(system, f"DRMSystem {number}")
    elif name == "SmoothStreamingMedia":
        for number, item in enumerate(root.iter("{*}ProtectionHeader"), start=1):
            yield FoundBox(f"ProtectionHeader {number}", _wrap(encodings.from_base64(xml.text_of(item), "it")))
    elif name in {"MPD", "ContentProtection", "Period", "AdaptationSet"}:
        for found in parse_root(root):
            yield from (FoundBox(f"ContentProtection in line {found.line}", box) for box in found.all_boxes)
    else:
        raise SignalingError(f"the XML document {name!r} is of no kind that holds PSSH boxes", hint=_HINT)


def _in_drm_system(system: etree._Element, where: str) -> Iterator[FoundBox]:
    """Walk through what CPIX can carry for one system (CPIX 2.4, clause DRMSystem)."""
    for item in system:
        name, text = xml.local_name(item), xml.text_of(item).strip()
        place = f"{where}, {name} in line {xml.line_of(item)}"
        if not text:
            continue
        if name == "PSSH":
            yield from (FoundBox(place, box) for box in parse(encodings.from_base64(text, place)))
        elif name == "ContentProtectionData":
            fragment = parse_fragment(encodings.from_base64(text, place))
            yield from (FoundBox(place, box) for box in fragment.all_boxes)
        elif name == "HLSSignalingData":
            tags = parse_tags(_decode(encodings.from_base64(text, place)))
            yield from (FoundBox(place, box) for key in tags for box in key.boxes())
        elif name in {"SmoothStreamingProtectionHeaderData", "ProtectionHeader"}:
            yield FoundBox(place, _wrap(encodings.from_base64(text, place)))
