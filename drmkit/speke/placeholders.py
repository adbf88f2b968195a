"""Fills the empty places of a request, each with what its DRM system needs, and touches nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from lxml import etree

from drmkit.cpix.shape import add_child
from drmkit.cpix.values import encode_base64
from drmkit.cpix.view import set_text
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.keys.derivation import DerivedKey
from drmkit.signaling import hls, material
from drmkit.signaling.material import Material, Options
from drmkit.signaling.pssh import PsshBox
from drmkit.speke import wordings
from drmkit.speke.reading import SystemRow, is_empty, is_place, local_name, tag
from drmkit.speke.versions import AES128_OF_FIRST_VERSION

__all__ = [
    "Demands",
    "FairplayUri",
    "UnfillableError",
    "fill_key",
    "fill_system",
    "usual_scheme",
]

FairplayUri = Callable[[KeyId, str, bytes | None], str]
"""Makes a FairPlay key URI of the key ID, the content ID and the initialization vector, as `fairplay.uri_with_json`."""
Value = TypeVar("Value", str, bytes)
_HLS: Final = "HLSSignalingData"
_HLS_TAG: Final = tag(_HLS)
_SLOTS: Final[dict[object, str]] = {
    tag(name): name for name in ("PSSH", "ContentProtectionData", "SmoothStreamingProtectionHeaderData", "URIExtXKey")
}
_SLOTS_TO_ADD: Final = ("PSSH", "ContentProtectionData", "media", "master")
_KEYFORMAT_VERSION: Final = "1"


class UnfillableError(Exception):
    """A part of a request that this provider has nothing for; `text` is what it answers."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


@dataclass(frozen=True, slots=True, kw_only=True)
class Demands:
    """What a provider demands of devices, for the places of SPEKE 2.1 that ask for it.

    Attributes:
        robustness: the robustness level of each DRM system, for the DASH manifest.
        allowed_cpc: the value of ALLOWED-CPC for each DRM system, for the HLS playlist.
        hdcp_level: the HDCP-LEVEL of HLS: TYPE-0, TYPE-1 or NONE.
        hdcp_output: the XML fragment for the DASH manifest, UTF-8.
    """

    robustness: Mapping[DrmSystem, str] = field(default_factory=dict)
    allowed_cpc: Mapping[DrmSystem, str] = field(default_factory=dict)
    hdcp_level: str | None = None
    hdcp_output: bytes | None = None


def fill_system(
    row: SystemRow,
    key: DerivedKey,
    *,
    scheme: str | None,
    content_id: str,
    options: Options,
    demands: Demands,
    fairplay_uri: FairplayUri,
    every_place: bool = True,
) -> None:
    """Fill what is empty in one DRM system; one without any places gets all that its system has.

    Args:
        row: the DRM system.
        key: its content key.
        scheme: the protection scheme, or None in version 1.0, where each system has its usual one.
        content_id: the content.
        options: what the license services want in the signaling.
        demands: what is demanded of devices.
        fairplay_uri: makes FairPlay's key URI.
        every_place: whether each place must be filled; False leaves empty what the system does not have. Encryptors of
            version 1.0 write all places for every system, and AWS's reference server answers them so.

    Raises:
        UnfillableError: there is nothing to fill a place with, or any of them.
        SignalingError: the system cannot be signaled for the scheme, or needs an option that is missing.
    """
    system = _system(row)
    for element in (row.element, *row.children):
        if "" in element.values():
            _fill_attributes(element, demands.robustness.get(system), demands.allowed_cpc.get(system))
    places = [child for child in row.children if child.tag in _SLOTS or child.tag == _HLS_TAG or is_place(child)]
    empty = [(child, _slot(child)) for child in places if is_empty(child)]
    if places and not empty:
        return
    used = material.protection_scheme(scheme) if scheme else usual_scheme(row)
    if used is None:
        raise UnfillableError(f"Nothing to signal for DRMSystem {row.system_id} with {scheme}")
    slots = [slot for _, slot in empty] or _SLOTS_TO_ADD
    if system is DrmSystem.FAIRPLAY:
        texts = _fairplay(key, used, fairplay_uri(key.kid, content_id, key.iv), slots)
    else:
        texts = _texts(system, key, used, options, slots)
    if not places:
        _add(row.element, texts)
    found = [(child, texts.get(slot) or _keyformat(system, slot)) for child, slot in empty]
    missing = [child for child, text in found if text is None]
    if missing and (every_place or len(missing) == len(found)):
        raise UnfillableError(f"Unsupported {local_name(missing[0])} for DRMSystem {row.system_id}")
    for child, text in found:
        if text is not None:
            set_text(child, text)


def fill_key(element: etree._Element, demands: Demands) -> None:
    """Fill the HDCP demands of a content key, where the request asks for them.

    Raises:
        UnfillableError: the provider has none.
    """
    for hdcp in element.iterchildren(tag("HDCPData")):
        if hdcp.get("HLSHDCPLevel") == "":
            hdcp.set("HLSHDCPLevel", _demanded(demands.hdcp_level, "HDCPData@HLSHDCPLevel"))
        for output in hdcp.iterchildren(tag("HDCPOutputProtectionData")):
            if is_empty(output):
                set_text(output, encode_base64(_demanded(demands.hdcp_output, "HDCPOutputProtectionData")))


_USUAL: Final[dict[DrmSystem | None, str]] = {
    DrmSystem.FAIRPLAY: "cbcs",
    DrmSystem.CLEARKEY_AES128: "cbc1",
    DrmSystem.CLEARKEY_SAMPLE_AES: "cbcs",
}


def usual_scheme(row: SystemRow) -> str:
    """Return the scheme that a DRM system has in version 1.0, whose requests state none."""
    return _USUAL.get(_named(row), "cenc")


def _named(row: SystemRow) -> DrmSystem | None:
    return DrmSystem.CLEARKEY_AES128 if row.system_id == AES128_OF_FIRST_VERSION else DrmSystem.find(row.system_id)


def _system(row: SystemRow) -> DrmSystem:
    system = _named(row)
    if system not in material.SUPPORTED:
        raise UnfillableError(f"Unsupported DRMSystem {row.system_id}")
    return system


def _texts(system: DrmSystem, key: DerivedKey, scheme: str, options: Options, slots: Iterable[str]) -> dict[str, str]:
    if system in wordings.BOXED:
        return wordings.texts(system, key, scheme, options, slots)
    return _without_box(material.make(system, key.kid, scheme, key=key.key, iv=key.iv, options=options))


def _fairplay(key: DerivedKey, scheme: str, uri: str, slots: Iterable[str]) -> dict[str, str]:
    lines = wordings.fairplay_tags(scheme, uri)
    found = {slot: encode_base64(lines[slot].encode()) for slot in slots if slot in lines}
    if "PSSH" in slots:
        # Encryptors ask FairPlay for a PSSH box too, and every place of a request wants a value: a box that names
        # the key and nothing else, since FairPlay itself takes its key from the playlist.
        found["PSSH"] = PsshBox(DrmSystem.FAIRPLAY.system_id, version=1, key_ids=(key.kid,)).to_base64()
    return found


def _keyformat(system: DrmSystem, slot: str) -> str | None:
    """Return what fills version 1.0's places for the key format of HLS, where there is one."""
    if system not in hls.KEYFORMATS or slot not in {"speke:KeyFormat", "speke:KeyFormatVersions"}:
        return None
    return encode_base64((hls.KEYFORMATS[system] if slot == "speke:KeyFormat" else _KEYFORMAT_VERSION).encode())


def _without_box(made: Material) -> dict[str, str]:
    lines = (("media", made.hls_media), ("master", made.hls_master), ("URIExtXKey", made.key_uri))
    found = {name: encode_base64(line.encode()) for name, line in lines if line is not None}
    if made.content_protection is not None:
        found["ContentProtectionData"] = encode_base64(made.content_protection)
    return found


def _slot(child: etree._Element) -> str:
    if child.tag == _HLS_TAG:
        return "media" if child.get("playlist") in {None, "media", "variant"} else "master"
    return _SLOTS.get(child.tag) or local_name(child)


def _add(element: etree._Element, texts: Mapping[str, str]) -> None:
    for slot in _SLOTS_TO_ADD:
        if slot in texts and not (slot == "PSSH" and "ContentProtectionData" not in texts):
            is_hls = slot in {"media", "master"}
            child = element.makeelement(tag(_HLS if is_hls else slot), {"playlist": slot} if is_hls else None)
            child.text = texts[slot]
            add_child(element, child)


def _fill_attributes(element: etree._Element, robustness: str | None, allowed_cpc: str | None) -> None:
    for name, value in (("robustness", robustness), ("HLSAllowedCPC", allowed_cpc), ("allowedCPC", allowed_cpc)):
        if element.get(name) == "":
            element.set(name, _demanded(value, f"{local_name(element)}@{name}"))


def _demanded(value: Value | None, place: str) -> Value:
    if value is None:
        raise UnfillableError(f"Unsupported {place}")
    return value
