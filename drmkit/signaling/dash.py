"""DASH content protection: `ContentProtection` elements and what stands inside them (ISO/IEC 23009-1, clause 5.8.4).

The attribute `cenc:default_KID` and the element `cenc:pssh` are those of ISO/IEC 23001-7, clause 11.2; `mspr:pro` is
PlayReady's, `dashif:Laurl` is that of DASH-IF's interoperability points.
"""

from __future__ import annotations

from collections.abc import Iterable

from drmkit.errors import SignalingError
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.signaling import encodings, xml
from drmkit.signaling.dashreader import CENC, MSPR, ContentProtection, parse_fragment, parse_mpd
from drmkit.signaling.pssh import PsshBox

__all__ = [
    "CENC",
    "DASHIF",
    "MP4_PROTECTION",
    "MPD",
    "MSPR",
    "ContentProtection",
    "content_protection",
    "element",
    "mp4_protection",
    "parse_fragment",
    "parse_mpd",
]

MPD = "urn:mpeg:dash:schema:mpd:2011"
DASHIF = "https://dashif.org/CPS"
MP4_PROTECTION = "urn:mpeg:dash:mp4protection:2011"
_VALUES = {DrmSystem.WIDEVINE: "Widevine", DrmSystem.PLAYREADY: "MSPR 2.0", DrmSystem.CLEARKEY_DASH: "ClearKey1.0"}


def content_protection(box: PsshBox | None = None, *, laurl: str | None = None) -> bytes:
    """Return what stands inside a system's `ContentProtection` element, as CPIX `ContentProtectionData` carries it.

    Args:
        box: the system's PSSH box; a PlayReady box gives `mspr:pro` as well.
        laurl: a license URL, written as `dashif:Laurl`.

    Returns:
        A well-formed XML fragment in UTF-8, one or several elements.

    Raises:
        SignalingError: there is nothing to write.
    """
    parts = []
    if box is not None:
        parts.append(f'<cenc:pssh xmlns:cenc="{CENC}">{box.to_base64()}</cenc:pssh>')
        if box.system is DrmSystem.PLAYREADY:
            parts.append(f'<mspr:pro xmlns:mspr="{MSPR}">{encodings.to_base64(box.data)}</mspr:pro>')
    if laurl is not None:
        parts.append(f'<dashif:Laurl xmlns:dashif="{DASHIF}" licenseType="EME-1.0">{xml.escape(laurl)}</dashif:Laurl>')
    if not parts:
        raise SignalingError("a DASH fragment needs a PSSH box or a license URL")
    return "".join(parts).encode("utf-8")


def element(
    system: DrmSystem | str, fragment: bytes = b"", *, key_ids: Iterable[KeyId] = (), robustness: str | None = None
) -> str:
    """Return a system's whole `ContentProtection` element.

    Args:
        system: the DRM system, or its ID.
        fragment: what stands inside, as from `content_protection`.
        key_ids: the default key IDs, where the element shall state them.
        robustness: the `robustness` attribute.
    """
    system_id = system.system_id if isinstance(system, DrmSystem) else system.lower()
    known = DrmSystem.find(system_id)
    value = xml.attribute("value", _VALUES[known]) if known in _VALUES else ""
    extra = xml.attribute("robustness", robustness) if robustness else ""
    return _element(f"urn:uuid:{system_id}", value + _default_kid(key_ids) + extra, fragment.decode("utf-8"))


def mp4_protection(key_ids: Iterable[KeyId], scheme: str) -> str:
    """Return the `ContentProtection` element that names the scheme and the default key IDs, for every system."""
    return _element(MP4_PROTECTION, xml.attribute("value", scheme) + _default_kid(key_ids), "")


def _element(scheme_id_uri: str, attributes: str, inner: str) -> str:
    opening = f'<ContentProtection xmlns="{MPD}"{xml.attribute("schemeIdUri", scheme_id_uri)}{attributes}'
    return f"{opening}>{inner}</ContentProtection>" if inner else f"{opening}/>"


def _default_kid(key_ids: Iterable[KeyId]) -> str:
    text = " ".join(kid.uuid for kid in key_ids)
    return f' xmlns:cenc="{CENC}"{xml.attribute("cenc:default_KID", text)}' if text else ""
