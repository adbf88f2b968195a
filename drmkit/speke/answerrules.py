"""The rules for what a provider fills in, as far as an answer alone shows them.

Whether all signaling of a key says the same is for `drmkit.signaling.agreement`.

Where only AWS Elemental MediaPackage asks for something, a breach is a warning:
https://docs.aws.amazon.com/mediapackage/latest/userguide/implementing-speke-v2.html
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from typing import Final

from lxml import etree

from drmkit.cpix.report import Severity
from drmkit.cpix.values import decode_base64, text_of
from drmkit.errors import SignalingError
from drmkit.identifiers import DrmSystem, system_name
from drmkit.signaling.dashreader import ContentProtection, parse_fragment
from drmkit.signaling.fairplay import SCHEME
from drmkit.signaling.hlsreader import HlsKey, parse
from drmkit.speke.contract import Breach, rule
from drmkit.speke.reading import Reading, SystemRow, is_empty, is_place, local_name, tag
from drmkit.speke.versions import AES128_OF_FIRST_VERSION, SPEKE_NAMESPACE, VERSIONS

__all__: list[str] = []

_ALL: Final = tuple(VERSIONS)
_CONSTRAINTS: Final = "speke-constraints-v2.html"
_COMPONENTS: Final = "standard-payload-components-v2.html"
_FAIRPLAY: Final = DrmSystem.FAIRPLAY.value
_PLAYREADY: Final = DrmSystem.PLAYREADY.value
_BOXED: Final = frozenset({DrmSystem.WIDEVINE.value, _PLAYREADY, DrmSystem.COMMON.value})
_FIRST_FAIRPLAY: Final = {
    tag("URIExtXKey"): re.compile(rb"skd://", re.IGNORECASE),
    f"{{{SPEKE_NAMESPACE}}}KeyFormat": re.compile(rb"com\.apple\.streamingkeydelivery\s*\Z", re.IGNORECASE),
}
_FIRST_HLS: Final = frozenset({tag("URIExtXKey"), f"{{{SPEKE_NAMESPACE}}}KeyFormatVersions"})
_FIRST_NEEDED: Final = {
    # An empty key format is that of HLS itself.
    AES128_OF_FIRST_VERSION: _FIRST_HLS,
    DrmSystem.CLEARKEY_AES128.value: _FIRST_HLS,
    _FAIRPLAY: _FIRST_HLS | {f"{{{SPEKE_NAMESPACE}}}KeyFormat"},
    DrmSystem.WIDEVINE.value: frozenset({tag("PSSH")}),
    DrmSystem.COMMON.value: frozenset({tag("PSSH")}),
    _PLAYREADY: frozenset({tag("PSSH"), f"{{{SPEKE_NAMESPACE}}}ProtectionHeader"}),
}
"""What each system has in version 1.0."""
_CPD: Final = tag("ContentProtectionData")
_SAME: Final = ("METHOD", "KEYFORMAT", "KEYFORMATVERSIONS")
_PLAYREADY_ORDER: Final = ("METHOD", "KEYFORMAT", "KEYFORMATVERSIONS", "URI")


@rule(
    "speke-key-missing",
    "",
    page=_COMPONENTS,
    hint="fill Data/Secret with a PlainValue, or with an EncryptedValue for the recipients",
    versions=_ALL,
    answers_only=True,
)
def key_missing(reading: Reading) -> Iterator[Breach]:
    """Each content key has its value, in the clear or encrypted."""
    for key in reading.document.content_keys:
        plain = None if key.secret_element is None else key.secret_element.find("{*}PlainValue")
        if not key.is_encrypted and (plain is None or is_empty(plain)):
            yield Breach(key.element, f"the content key {key.element.get('kid')} has no value")


@rule(
    "speke-empty",
    "",
    page=_CONSTRAINTS,
    hint="each element and attribute of a request comes back with a value",
    versions=_ALL,
    answers_only=True,
)
def empty(reading: Reading) -> Iterator[Breach]:
    """No place that the request left empty is empty still.

    FairPlay has no PSSH box of its own, and encryptors ask for one all the same: that place may stay empty. So may, in
    version 1.0, all that a system does not have, since its encryptors write every place for every system.
    """
    for row in reading.systems:
        for child in row.children:
            if is_place(child) and is_empty(child):
                excused: Severity | None = "info" if _may_stay_empty(reading, row, child) else None
                yield Breach(child, f"{local_name(child)} of {system_name(row.system_id)} is empty", severity=excused)
    for element in (*(key.element for key in reading.keys), *(row.element for row in reading.systems)):
        for place in filter(is_place, element.iter(etree.Element)):
            for name, value in place.attrib.items():
                if not str(value).strip():
                    yield Breach(place, f"{local_name(place)}@{name!s} is empty", attribute=str(name))


def _may_stay_empty(reading: Reading, row: SystemRow, child: etree._Element) -> bool:
    if row.system_id == _FAIRPLAY and child.tag == tag("PSSH"):
        return True
    needed = _FIRST_NEEDED.get(row.system_id)
    return reading.version.is_first and needed is not None and child.tag not in needed


@rule(
    "speke-hls-same",
    "",
    page=_CONSTRAINTS,
    hint="write one tag, and give it the name EXT-X-KEY for media and EXT-X-SESSION-KEY for master",
    answers_only=True,
)
def hls_same(reading: Reading) -> Iterator[Breach]:
    """The tags for the media and the master playlist differ in nothing but their names."""
    for row in reading.systems:
        tags = _tags(row)
        if set(tags) >= {"media", "master"} and len(tags["media"]) == len(tags["master"]):
            for media, master in zip(tags["media"], tags["master"], strict=True):
                differing = [name for name in _names(media, master) if media.get(name) != master.get(name)]
                if differing:
                    severity: Severity = "error" if set(differing) & set(_SAME) else "warning"
                    message = f"{', '.join(differing)} of the media and the master tag differ"
                    yield Breach(row.element, message, severity=severity)


@rule(
    "speke-hls-tag",
    "",
    page=_CONSTRAINTS,
    hint="MediaPackage wants one tag for one key, without SCHEME, and the box in a data: URI",
    severity="warning",
    answers_only=True,
)
def hls_tag(reading: Reading) -> Iterator[Breach]:
    """HLS signaling is one tag with its box, without SCHEME, PlayReady's attributes in the order of MediaPackage."""
    for row in reading.systems:
        for playlist, tags in _tags(row).items():
            if len(tags) != 1:
                # Several are too many for MediaPackage alone; without any, no player finds the key.
                severity: Severity | None = None if tags else "error"
                message = f"there are {len(tags)} key tags for the {playlist} playlist"
                yield Breach(row.element, message, severity=severity)
            for key in tags:
                if key.get("SCHEME") is not None:
                    yield Breach(row.element, f"the tag for the {playlist} playlist has a SCHEME")
                if row.system_id in _BOXED and (key.uri or "")[:5].lower() != "data:":
                    yield Breach(row.element, f"the URI of the {playlist} tag is no data: URI with the box")
                names = [name for name, _ in key.attributes if name in _PLAYREADY_ORDER]
                if row.system_id == _PLAYREADY and tuple(names) != _PLAYREADY_ORDER:
                    yield Breach(row.element, f"PlayReady's attributes stand in the order {', '.join(names)}")


@rule(
    "speke-fairplay-uri", "", page=_CONSTRAINTS, hint="skd:// and what the license service asks for", answers_only=True
)
def fairplay_uri(reading: Reading) -> Iterator[Breach]:
    """FairPlay's key URI is an skd:// URI."""
    for row in reading.systems:
        for playlist, tags in _tags(row).items() if row.system_id == _FAIRPLAY else ():
            for key in tags:
                if not (key.uri or "").lower().startswith(SCHEME):
                    yield Breach(row.element, f"the URI of the {playlist} tag is no skd:// URI")


@rule(
    "speke-dash-box",
    "",
    page=_COMPONENTS,
    hint="write the box of the PSSH element into cenc:pssh",
    answers_only=True,
)
def dash_box(reading: Reading) -> Iterator[Breach]:
    """DASH signaling of a system with PSSH boxes holds one."""
    for row in reading.systems:
        for child, read in _fragments(row) if row.system_id in _BOXED else ():
            if not read.all_boxes:
                yield Breach(child, f"ContentProtectionData of {system_name(row.system_id)} has no cenc:pssh")


@rule(
    "speke-playready-dash",
    "",
    page=_COMPONENTS,
    hint="MediaPackage wants cenc:pssh and mspr:pro",
    severity="warning",
    answers_only=True,
)
def playready_dash(reading: Reading) -> Iterator[Breach]:
    """PlayReady's DASH signaling has both a box and an object."""
    for row in reading.systems:
        for child, read in _fragments(row) if row.system_id == _PLAYREADY else ():
            if not read.boxes or read.playready is None:
                yield Breach(child, "ContentProtectionData lacks cenc:pssh or mspr:pro")


@rule(
    "speke-first-hls",
    "",
    page="standard-payload-components.html",
    hint="FairPlay's URI is skd://..., its key format com.apple.streamingkeydelivery; both in base64",
    versions=("1.0",),
    answers_only=True,
)
def first_version_hls(reading: Reading) -> Iterator[Breach]:
    """Version 1.0's key URI and key format for FairPlay are FairPlay's."""
    for row in reading.systems:
        for child in row.children if row.system_id == _FAIRPLAY else ():
            raw = _decoded(child)
            wanted = _FIRST_FAIRPLAY.get(str(child.tag))
            if raw and wanted and not wanted.match(raw):
                yield Breach(child, f"{local_name(child)} is not FairPlay's")


def _fragments(row: SystemRow) -> Iterator[tuple[etree._Element, ContentProtection]]:
    for child in row.children:
        raw = _decoded(child) if child.tag == _CPD else None
        try:
            if raw:
                yield child, parse_fragment(raw)
        except SignalingError:
            continue


def _tags(row: SystemRow) -> dict[str, list[HlsKey]]:
    found = {}
    for playlist, element in row.hls:
        raw = _decoded(element)
        try:
            tags = parse(raw.decode("utf-8")) if raw else []
        except (SignalingError, UnicodeDecodeError):
            continue
        if raw:
            found["media" if playlist in {None, "media"} else "master"] = tags
    return found


def _names(*tags: HlsKey) -> list[str]:
    return list(dict.fromkeys(name for key in tags for name, _ in key.attributes))


def _decoded(element: etree._Element) -> bytes | None:
    try:
        return decode_base64(text_of(element))
    except (binascii.Error, ValueError):
        return None
