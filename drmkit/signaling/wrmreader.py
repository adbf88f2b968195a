"""Reads PlayReady headers: strict about structure and encodings, tolerant of what a version should not hold."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from lxml import etree

from drmkit.errors import IdentifierError, SignalingError
from drmkit.identifiers import KeyId
from drmkit.signaling import encodings, xml
from drmkit.signaling.wrmheader import NAMESPACE, VERSIONS, HeaderKey, WrmHeader

__all__ = ["parse_header", "parse_xml"]

_WHAT = "the PlayReady header"
_BOM = b"\xff\xfe"
_BIG_ENDIAN = (b"\0<", b"\xfe\xff")
_UTF8_START = b"<W"
_GUID = 16
_DECLARATION = re.compile(r"<\?xml\s[^>]*\?>")
_ENCODING = re.compile(r"encoding\s*=\s*[\"']([^\"']*)")
_UTF16 = frozenset({"utf-16", "utf-16le"})
_V40, _V41 = VERSIONS[:2]
T = TypeVar("T")


def parse_header(data: bytes) -> WrmHeader:
    """Parse a PlayReady header as a PlayReady Object holds it: UTF-16, little-endian, without byte order mark.

    Raises:
        SignalingError: the bytes are in another encoding, or are no header; the message says what is wrong.
    """
    hint = "write the header as UTF-16, little-endian, without byte order mark"
    if data.startswith(_BOM):
        raise SignalingError(f"{_WHAT} starts with a byte order mark", hint=hint)
    if data.lstrip().startswith((_UTF8_START, b"\xef\xbb\xbf")):
        raise SignalingError(f"{_WHAT} is in UTF-8, not in UTF-16", hint=hint)
    if data.startswith(_BIG_ENDIAN):
        raise SignalingError(f"{_WHAT} is in UTF-16 with its bytes turned around (big-endian)", hint=hint)
    try:
        text = data.decode("utf-16-le")
    except UnicodeDecodeError as error:
        raise SignalingError(f"{_WHAT} is not UTF-16 at byte {error.start}: {error.reason}", hint=hint) from None
    return parse_xml(text)


def parse_xml(text: str) -> WrmHeader:
    """Parse the text of a PlayReady header.

    Raises:
        SignalingError: the text is no header of a known version.
    """
    root = xml.parse(_without_declaration(text), _WHAT)
    if xml.local_name(root) != "WRMHEADER" or xml.namespace(root) != NAMESPACE:
        raise SignalingError(f"{_WHAT} has the root element {root.tag}, not WRMHEADER of {NAMESPACE}")
    version = root.get("version")
    if version not in VERSIONS:
        raise SignalingError(
            f"{_WHAT} has version {version!r}",
            hint=f"versions {', '.join(VERSIONS)} are known; a client refuses others",
        )
    data = _only(root, "DATA")
    if data is None:
        return WrmHeader(version=version)
    info = _only(data, "PROTECTINFO")
    return WrmHeader(
        version=version,
        keys=_keys(version, data, info),
        la_url=_text(data, "LA_URL"),
        lui_url=_text(data, "LUI_URL"),
        ds_id=_convert(data, "DS_ID", _uuid),
        custom_attributes=_inner_xml(data),
        on_demand=_text(data, "DECRYPTORSETUP") == "ONDEMAND",
        license_requested=None if info is None else _flag(info.get("LICENSEREQUESTED")),
    )


def _without_declaration(text: str) -> str:
    """Return the text without an XML declaration, which no header needs and which must not contradict its encoding."""
    match = _DECLARATION.match(text)
    if match is None:
        return text
    encoding = _ENCODING.search(match[0])
    if encoding is not None and encoding[1].lower() not in _UTF16:
        raise SignalingError(
            f"{_WHAT} declares the encoding {encoding[1]!r}, and is in UTF-16", hint="remove the XML declaration"
        )
    return text[match.end() :]


def _keys(version: str, data: etree._Element, info: etree._Element | None) -> tuple[HeaderKey, ...]:
    _check_place(version, data, info)
    if version == _V40:
        return _single_key(data, info)
    if info is None:
        return ()
    holder = info if version == _V41 else _only(info, "KIDS")
    return () if holder is None else tuple(_listed_key(kid) for kid in _children(holder, "KID"))


def _check_place(version: str, data: etree._Element, info: etree._Element | None) -> None:
    """Refuse key IDs where the version does not look for them: a client would not see them."""
    places = {_V40: "DATA", _V41: "PROTECTINFO"}
    found = {
        "DATA": _children(data, "KID"),
        "PROTECTINFO": [] if info is None else _children(info, "KID"),
        "PROTECTINFO/KIDS": [] if info is None else _children(info, "KIDS"),
    }
    right = places.get(version, "PROTECTINFO/KIDS")
    wrong = next((place for place, elements in found.items() if elements and place != right), None)
    if wrong is not None:
        raise SignalingError(
            f"{_WHAT} has version {version} and key IDs in {wrong}",
            hint=f"version {version} has them in {right}; write the version that the header follows",
        )


def _single_key(data: etree._Element, info: etree._Element | None) -> tuple[HeaderKey, ...]:
    kid = _convert(data, "KID", _kid)
    if kid is None:
        return ()
    check = _convert(data, "CHECKSUM", lambda text: encodings.from_base64(text, f"{_WHAT}'s CHECKSUM"))
    return (HeaderKey(kid, None if info is None else _text(info, "ALGID"), check),)


def _listed_key(element: etree._Element) -> HeaderKey:
    value = element.get("VALUE")
    if value is None:
        raise SignalingError(f"{_WHAT}: KID has no VALUE attribute")
    check = element.get("CHECKSUM")
    return HeaderKey(
        _kid(value),
        element.get("ALGID"),
        None if check is None else encodings.from_base64(check, f"{_WHAT}'s CHECKSUM of {value}"),
    )


def _kid(text: str) -> KeyId:
    try:
        return KeyId.from_guid_le(encodings.from_base64(text, f"{_WHAT}'s KID"))
    except IdentifierError as error:
        raise SignalingError(
            f"{_WHAT}'s KID {text!r}: {error.message}", hint="write the base64 of the 16 bytes in GUID order"
        ) from None


def _uuid(text: str) -> UUID:
    raw = encodings.from_base64(text, f"{_WHAT}'s DS_ID")
    if len(raw) != _GUID:
        raise SignalingError(f"{_WHAT}'s DS_ID has {len(raw)} bytes, not {_GUID}")
    return UUID(bytes_le=raw)


def _flag(text: str | None) -> bool | None:
    return None if text is None else text.strip().lower() in {"true", "1"}


def _inner_xml(data: etree._Element) -> str | None:
    element = _only(data, "CUSTOMATTRIBUTES", any_namespace=True)
    # No client looks into it (section 3), so that what is not canonical there hides no key.
    return None if element is None else xml.inner_xml(element, canonical=False)


def _convert(parent: etree._Element, name: str, read: Callable[[str], T]) -> T | None:
    text = _text(parent, name)
    return None if text is None else read(text)


def _text(parent: etree._Element, name: str) -> str | None:
    element = _only(parent, name)
    return None if element is None else xml.text_of(element).strip()


def _only(parent: etree._Element, name: str, *, any_namespace: bool = False) -> etree._Element | None:
    found = _children(parent, name, any_namespace=any_namespace)
    if len(found) > 1:
        raise SignalingError(
            f"{_WHAT} has {len(found)} {name} elements in {xml.local_name(parent)}, at most one may be"
        )
    return found[0] if found else None


def _children(parent: etree._Element, name: str, *, any_namespace: bool = False) -> list[etree._Element]:
    return [
        child
        for child in parent
        if xml.local_name(child) == name and (any_namespace or xml.namespace(child) == NAMESPACE)
    ]
