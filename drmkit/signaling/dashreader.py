"""Reads DASH content protection: every `ContentProtection` of a manifest, and the fragments that CPIX carries."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lxml import etree

from drmkit.errors import IdentifierError, SignalingError
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.signaling import encodings, marlin, xml
from drmkit.signaling.playready import PlayReadyObject
from drmkit.signaling.pssh import PsshBox
from drmkit.signaling.pssh import parse as parse_boxes

__all__ = ["CENC", "MSPR", "ContentProtection", "parse_fragment", "parse_mpd", "parse_root", "read_element"]

CENC = "urn:mpeg:cenc:2013"
MSPR = "urn:microsoft:playready"
_URN = "urn:uuid:"
_WRAPPER = "fragment"


@dataclass(frozen=True, slots=True)
class ContentProtection:
    """What one `ContentProtection` element, or one fragment for it, says.

    Args:
        line: where it stands, counted from 1.
        scheme_id_uri: `urn:uuid:...` of a DRM system, or `urn:mpeg:dash:mp4protection:2011`; "" for a fragment.
        value: the `value` attribute; the protection scheme, where the URI is mp4protection's.
        default_kids: the key IDs of `cenc:default_KID`.
        boxes: the PSSH boxes of `cenc:pssh`.
        playready: the object of `mspr:pro`.
        laurl: the license URL.
        robustness: the `robustness` attribute.
        marlin_kids: the key IDs that Marlin's own element names.
    """

    line: int = 1
    scheme_id_uri: str = ""
    value: str | None = None
    default_kids: tuple[KeyId, ...] = ()
    boxes: tuple[PsshBox, ...] = ()
    playready: PlayReadyObject | None = None
    laurl: str | None = None
    robustness: str | None = None
    marlin_kids: tuple[KeyId, ...] = ()

    @property
    def system_id(self) -> str | None:
        """The DRM system's ID in lower case, or None where the URI names none."""
        uri = self.scheme_id_uri.lower()
        return uri.removeprefix(_URN) if uri.startswith(_URN) else None

    @property
    def all_boxes(self) -> tuple[PsshBox, ...]:
        """The PSSH boxes, and `mspr:pro` as one where no PlayReady box says the same."""
        if self.playready is None or any(box.system is DrmSystem.PLAYREADY for box in self.boxes):
            return self.boxes
        return (*self.boxes, PsshBox(DrmSystem.PLAYREADY.system_id, data=self.playready.to_bytes()))


def parse_mpd(data: bytes) -> list[ContentProtection]:
    """Return every `ContentProtection` of a manifest in the order of the document.

    Raises:
        SignalingError: the manifest is not well-formed, or a value in such an element does not parse.
    """
    return parse_root(xml.parse(data, "the DASH manifest"))


def parse_root(root: etree._Element) -> list[ContentProtection]:
    """Return every `ContentProtection` below an element that was parsed already."""
    return [read_element(item) for item in root.iter("{*}ContentProtection")]


def parse_fragment(data: bytes) -> ContentProtection:
    """Parse the content of a CPIX `ContentProtectionData`: elements in a row, in UTF-8 without byte order mark.

    Whole `ContentProtection` elements are read as well, since some documents hold them.

    Raises:
        SignalingError: the fragment is not well-formed XML, has text beside its elements, or a value in it does not
            parse.
    """
    what = "the DASH fragment"
    if data.startswith(b"\xef\xbb\xbf"):
        raise SignalingError(f"{what} starts with a byte order mark", hint="write it as plain UTF-8")
    root = xml.parse(b"<%s>%s</%s>" % (_WRAPPER.encode(), data, _WRAPPER.encode()), what)
    if xml.text_of(root).strip():
        raise SignalingError(f"{what} has text beside its elements", hint="write elements alone, such as cenc:pssh")
    found = [read_element(item) for item in root.iter("{*}ContentProtection")]
    if not found:
        return read_element(root)
    # The element that names the scheme for every system, and the default key IDs, may stand beside the system's own.
    own = next((item for item in found if item.all_boxes), None)
    own = own or next((item for item in found if item.system_id is not None), found[0])
    return (
        own
        if own.default_kids
        else replace(own, default_kids=next((i.default_kids for i in found if i.default_kids), ()))
    )


def read_element(element: etree._Element) -> ContentProtection:
    """Read one `ContentProtection`, or another element that holds what stands in one.

    Raises:
        SignalingError: a value in it does not parse; the message names its line.
    """
    line = xml.line_of(element)
    try:
        pro = _first(element, f"{{{MSPR}}}pro")
        return ContentProtection(
            line=line,
            scheme_id_uri=(element.get("schemeIdUri") or "").strip(),
            value=element.get("value"),
            default_kids=_default_kids(element.get(f"{{{CENC}}}default_KID")),
            boxes=_boxes(element),
            playready=None if pro is None else PlayReadyObject.parse(encodings.from_base64(pro, "mspr:pro")),
            laurl=_laurl(element),
            robustness=element.get("robustness"),
            marlin_kids=marlin.key_ids(element),
        )
    except SignalingError as error:
        raise SignalingError(f"line {line}: {error.message}", hint=error.hint) from None


def _boxes(element: etree._Element) -> tuple[PsshBox, ...]:
    found: list[PsshBox] = []
    for item in element.iter(f"{{{CENC}}}pssh"):
        found += parse_boxes(encodings.from_base64(xml.text_of(item), "cenc:pssh"))
    return tuple(found)


def _default_kids(text: str | None) -> tuple[KeyId, ...]:
    try:
        return tuple(KeyId.from_uuid(word) for word in (text or "").split())
    except IdentifierError as error:
        raise SignalingError(
            f"cenc:default_KID: {error.message}", hint="8-4-4-4-12 digits, several of them with spaces between"
        ) from None


def _laurl(element: etree._Element) -> str | None:
    for item in element.iter():
        if xml.local_name(item).lower() == "laurl":
            return xml.text_of(item).strip() or item.get("licenseUrl")
    return None


def _first(element: etree._Element, tag: str) -> str | None:
    found = next(element.iter(tag), None)
    return None if found is None else xml.text_of(found)
