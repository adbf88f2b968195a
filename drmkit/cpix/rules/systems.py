"""Rules about DRM systems: what they refer to, and the signaling for manifests and playlists that they carry."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Final

from lxml import etree

from drmkit.cpix.playlists import CTR_SCHEMES, HLS_METHODS, HLS_TAGS, PLAYLISTS, USUAL_PLAYLISTS
from drmkit.cpix.rows import CPD, HLS, SMOOTH
from drmkit.cpix.rules import Hit, rule
from drmkit.cpix.schema import CPIX
from drmkit.cpix.survey import Survey
from drmkit.cpix.values import text_of
from drmkit.cpix.view import cpix
from drmkit.errors import SignalingError
from drmkit.identifiers import DrmSystem, system_name
from drmkit.signaling import xml

__all__: list[str] = []

_SYSTEM: Final = "DASH-IF CPIX 2.4, DRMSystem element"
_HLS: Final = "DASH-IF CPIX 2.4, HLSSignalingData element"
_BOM: Final = b"\xef\xbb\xbf"
_PAIR: Final = 2
_FAIRPLAY: Final = DrmSystem.FAIRPLAY.system_id
_SAY_CPC: Final = etree.XPath(
    "boolean(c:DRMSystemList/c:DRMSystem/@HLSAllowedCPC | c:DRMSystemList/c:DRMSystem/c:HLSSignalingData/@allowedCPC)",
    namespaces={"c": CPIX},
)
_HDCP: Final = cpix("HDCPOutputProtectionData")
_METHOD: Final = re.compile(rb"^#EXT-X-(?:SESSION-)?KEY:(?:[^\n]*,)?METHOD=([A-Z0-9-]+)", re.MULTILINE)


@rule("drm-system-kid", source=f"{_SYSTEM}, @kid", hint="add the content key, or correct the kid")
def drm_system_kid(survey: Survey) -> Iterator[Hit]:
    """A DRM system belongs to a content key of the document."""
    known = survey.keys_by_kid
    if known.keys() >= set(survey.system_kids):
        return
    for position, kid in enumerate(survey.system_kids):
        if kid not in known:
            name, element = system_name(survey.system_ids[position]), survey.system_elements[position]
            yield Hit(element, f"{name} is for content key {kid}, which is not there", "kid")


@rule("drm-system-duplicate", severity="warning", source=_SYSTEM, hint="readers take the first, or refuse: keep one")
def drm_system_duplicate(survey: Survey) -> Iterator[Hit]:
    """A content key has one entry for each DRM system."""
    pairs = list(zip(survey.system_ids, survey.system_kids, strict=True))
    if len(set(pairs)) == len(pairs):
        return
    seen: set[tuple[str, str]] = set()
    for position, (system, kid) in enumerate(pairs):
        if (system, kid) in seen:
            said = f"content key {kid} has a second entry for {system_name(system)}"
            yield Hit(survey.system_elements[position], said, "systemId")
        seen.add((system, kid))


@rule("hls-playlist", source=f"{_HLS}, @playlist", hint="one for media, one for master (2.4: multiVariant)")
def hls_playlist(survey: Survey) -> Iterator[Hit]:
    """HLS data without a playlist name is for the media playlist, and the only one of its DRM system."""
    for row in survey.notable:
        if len(row.hls) < _PAIR:
            continue
        names = [name for name, _ in row.hls]
        if names in USUAL_PLAYLISTS:
            continue
        if None in names:
            element = row.part(HLS, names.index(None))
            yield Hit(element, "HLSSignalingData without a playlist name is not the only one of its DRMSystem")
        elif len({PLAYLISTS.get(name or "", name) for name in names}) < len(names):
            yield Hit(row.part(HLS, len(names) - 1), "two HLSSignalingData are for the same playlist", "playlist")


@rule("hls-text", source=_HLS, hint="base64 of UTF-8 text without byte order mark")
def hls_text(survey: Survey) -> Iterator[Hit]:
    """HLS data is base64 of UTF-8 text without a byte order mark."""
    for element in survey.bad:
        if element.tag == HLS:
            yield Hit(element, "the HLSSignalingData is not base64")
    for row in survey.notable:
        for position, (_, raw) in enumerate(row.hls):
            problem = "" if raw.isascii() else _text_problem(raw)
            if problem:
                yield Hit(row.part(HLS, position), f"the HLSSignalingData {problem}")


@rule(
    "hls-tag",
    kind="advice",
    severity="warning",
    source=f"{_HLS}; RFC 8216, 4.3.2.4 and 4.3.4.5",
    hint="EXT-X-KEY goes into media playlists, EXT-X-SESSION-KEY into the master playlist",
)
def hls_tag(survey: Survey) -> Iterator[Hit]:
    """HLS data for a playlist holds the key tag of that kind of playlist."""
    tags = HLS_TAGS
    for row in survey.notable:
        for position, (name, raw) in enumerate(row.hls):
            if raw and tags.get(name, b"") not in raw:
                kind, tag = PLAYLISTS.get(name or "media", ""), HLS_TAGS[name].decode().strip("#:")
                message = f"the HLSSignalingData for the {kind} playlist has no {tag} tag"
                yield Hit(row.part(HLS, position), message)


@rule(
    "hls-method",
    source=f"{_SYSTEM}: aligned with @commonEncryptionScheme; RFC 8216bis, 4.4.4.4",
    hint="cbcs is SAMPLE-AES, cenc is SAMPLE-AES-CTR",
)
def hls_method(survey: Survey) -> Iterator[Hit]:
    """The METHOD of a key tag fits the protection scheme of the key."""
    schemes = survey.schemes
    for row in survey.notable:
        allowed = HLS_METHODS.get(schemes.get(row.kid, ""))
        for position, (_, raw) in enumerate(row.hls) if allowed else ():
            if allowed and allowed[0] in raw and raw.count(b"METHOD=") == 1:
                continue
            for method in _METHOD.findall(raw):
                if b"METHOD=%s," % method not in (allowed or ()):
                    message = f"METHOD={method.decode()} does not fit commonEncryptionScheme {schemes[row.kid]!r}"
                    yield Hit(row.part(HLS, position), message)


@rule(
    "protection-data-xml",
    source="DASH-IF CPIX 2.4, ContentProtectionData element",
    hint="base64 of well-formed XML elements in UTF-8, namespaces declared, no byte order mark",
)
def protection_data_xml(survey: Survey) -> Iterator[Hit]:
    """Data for the MPD is base64 of a well-formed XML fragment in UTF-8 without a byte order mark."""
    checked: dict[bytes, str] = {}
    values = [(row.part(CPD), row.protection) for row in survey.notable if row.protection]
    for key in survey.keys:
        hdcp = () if key.hdcp is None else key.hdcp.iterchildren(_HDCP)
        values.extend((element, survey.content(element)) for element in hdcp)
    for element, raw in values:
        if raw and raw not in checked:
            checked[raw] = _text_problem(raw) or _fragment_problem(raw)
        if raw and checked[raw]:
            yield Hit(element, f"the {etree.QName(element).localname} {checked[raw]}")
    for element in survey.bad:
        if element.tag in (CPD, _HDCP):
            yield Hit(element, f"the {etree.QName(element).localname} is not base64")


@rule("leaf-signaling", source=_SYSTEM, hint="signal it at the root key; a leaf key has a PSSH box only")
def leaf_signaling(survey: Survey) -> Iterator[Hit]:
    """A DRM system of a leaf key has no data for manifests and playlists."""
    leaves = {row.kid for row in survey.keys if row.depends_on is not None}
    for row in survey.notable if leaves else ():
        if row.kid not in leaves:
            continue
        for tag in (CPD, HLS, SMOOTH):
            element = row.part(tag)
            if element is not row.element:
                yield Hit(element, f"leaf key {row.kid} has {etree.QName(element).localname}")
        if row.element.get("HLSAllowedCPC") is not None:
            yield Hit(row.element, f"leaf key {row.kid} has HLSAllowedCPC", "HLSAllowedCPC")


@rule(
    "fairplay-scheme",
    source=f"{_SYSTEM}: aligned with @commonEncryptionScheme; HTTP Live Streaming, SAMPLE-AES",
    hint="FairPlay plays cbcs (and SAMPLE-AES); make a second document for cenc",
)
def fairplay_scheme(survey: Survey) -> Iterator[Hit]:
    """FairPlay does not play counter-mode encryption (cenc, cens)."""
    for row in survey.notable:
        if row.system == _FAIRPLAY and survey.schemes.get(row.kid) in CTR_SCHEMES:
            yield Hit(
                row.element, f"FairPlay cannot play content key {row.kid}: its scheme is {survey.schemes[row.kid]!r}"
            )


@rule(
    "smooth-text",
    source="DASH-IF CPIX 2.4, SmoothStreamingProtectionHeaderData",
    hint="the text of ProtectionHeader as it goes into the manifest, not encoded again",
)
def smooth_text(survey: Survey) -> Iterator[Hit]:
    """Smooth Streaming data is the text of ProtectionHeader itself, not base64 of it."""
    for row in survey.notable:
        if row.has_smooth and _twice_encoded(text_of(row.part(SMOOTH))):
            yield Hit(row.part(SMOOTH), "the SmoothStreamingProtectionHeaderData is base64 of base64")


@rule(
    "allowed-cpc",
    source=f"{_SYSTEM}, @HLSAllowedCPC; RFC 8216bis, 4.4.6.2",
    hint="KEYFORMAT:CPC, such as com.example.drm1:SMART-TV/PC, without quotes and line ends",
)
def allowed_cpc(survey: Survey) -> Iterator[Hit]:
    """An allowed content protection configuration can stand inside the ALLOWED-CPC attribute of HLS."""
    root = survey.document.root
    for element, name in _cpc_places(root) if survey.version == "2.4" and _SAY_CPC(root) else ():
        text = element.get(name, "")
        if ":" not in text or any(c in text for c in '"\r\n'):
            yield Hit(element, f"{name} {text[:60]!r} is not a list of KEYFORMAT:CPC entries", name)


def _text_problem(raw: bytes) -> str:
    if raw.startswith(_BOM):
        return "starts with a byte order mark"
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return "is not UTF-8 text"
    return ""


def _cpc_places(root: etree._Element) -> Iterator[tuple[etree._Element, str]]:
    for element in root.iter(cpix("DRMSystem"), HLS):
        for name in ("HLSAllowedCPC", "allowedCPC"):
            if name in element.attrib:
                yield element, name


def _fragment_problem(raw: bytes) -> str:
    try:
        root = xml.parse(b"<fragment>%s</fragment>" % raw, "it")
    except SignalingError as error:
        return f"is not a well-formed XML fragment: {error.message}"
    return "" if len(root) else "holds no XML element"


def _twice_encoded(text: str) -> bool:
    try:
        once = base64.b64decode(text, validate=True)
        return len(base64.b64decode(once.strip(), validate=True)) > 0 and once.isascii()
    except (binascii.Error, ValueError):
        return False
