"""Fills a CPIX document with the signaling that its keys and DRM systems need, for its version and scheme."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from lxml import etree

from drmkit.errors import SignalingError
from drmkit.identifiers import DrmSystem
from drmkit.signaling import material, xml
from drmkit.signaling.encodings import to_base64
from drmkit.signaling.material import Material, Options

if TYPE_CHECKING:  # cpix checks documents with this room's help, so that at run time it must not be imported here
    from drmkit.cpix import ContentKey, Document, DRMSystem

__all__ = ["fill"]

_DEPRECATED = "URIExtXKey"
_MEDIA = frozenset({None, "media", "variant"})


def fill(
    document: Document,
    systems: Iterable[DrmSystem] | None = None,
    *,
    options: Options | None = None,
    default_scheme: str | None = None,
    placeholders_only: bool = False,
    replace: bool = False,
) -> None:
    """Give a CPIX document everything that each of its keys and systems needs.

    For every content key and system, the document gets a `DRMSystem` element where it has none, and in it the PSSH
    box, the DASH fragment, the HLS lines for media and multivariant playlists and the Smooth Streaming header, as far
    as the system has them. What is there already stays. A leaf key of a key hierarchy gets its PSSH box alone, since
    the rest belongs to the root key (CPIX 2.4, key hierarchy).

    Args:
        document: the document; it is changed in place.
        systems: the DRM systems; None takes those that the document lists for each key.
        options: what the services want, such as license URLs.
        default_scheme: the protection scheme of keys that name none (documents up to CPIX 2.2 never do).
        placeholders_only: fill the empty elements of a request and add nothing else.
        replace: write over what is there.

    Raises:
        SignalingError: a system cannot be signaled for a key's scheme, or a key has no scheme.
        CpixError: a signature covers what would be changed.
    """
    index: dict[str, list[DRMSystem]] = {}
    for listed in document.drm_systems:
        index.setdefault(listed.kid.uuid, []).append(listed)
    wanted = None if systems is None else tuple(systems)
    for key in list(document.content_keys):
        there = {listed.system_id: listed for listed in index.get(key.kid.uuid, ())}
        for system in _systems(wanted, there):
            entry = there.get(system.system_id)
            if entry is None and placeholders_only:
                continue
            made = _make(document, key, system, options, default_scheme)
            if entry is None:
                entry = _add(document, key, system)
                index.setdefault(key.kid.uuid, []).append(entry)
            _fill(entry, made, placeholders_only=placeholders_only, replace=replace)


def _systems(wanted: tuple[DrmSystem, ...] | None, there: Mapping[str, DRMSystem]) -> list[DrmSystem]:
    if wanted is not None:
        return list(wanted)
    found = (DrmSystem.find(system_id) for system_id in there)
    return [system for system in found if system in material.SUPPORTED]


def _make(
    document: Document, key: ContentKey, system: DrmSystem, options: Options | None, default_scheme: str | None
) -> Material:
    root = None if key.depends_on is None else document.content_keys.get(key.depends_on)
    name = key.scheme or (root.scheme if root else None) or default_scheme
    if name is None:
        raise SignalingError(
            f"content key {key.kid} in line {key.line} names no protection scheme",
            hint="set its commonEncryptionScheme, or pass default_scheme",
        )
    scheme = material.protection_scheme(name)
    if scheme is None:
        return Material()
    made = material.make(system, key.kid, scheme, key=key.key, iv=key.iv, options=options)
    return Material(pssh=made.pssh) if key.is_leaf else made


def _add(document: Document, key: ContentKey, system: DrmSystem) -> DRMSystem:
    parent = document.drm_systems.list_element
    keys = document.content_keys.list_element
    document.changing(document.root if parent is None else parent)
    if parent is None:
        parent = document.root.makeelement(_tag(key, "DRMSystemList"))
        # The list of DRM systems follows the list of keys (CPIX 2.4, clause CPIX).
        document.root.insert(0 if keys is None else document.root.index(keys) + 1, parent)
    element = parent.makeelement(_tag(key, "DRMSystem"), {"kid": key.kid.uuid, "systemId": system.system_id})
    parent.append(element)
    document.drm_systems.extended()
    return document.drm_systems.view(document, element)


def _fill(entry: DRMSystem, made: Material, *, placeholders_only: bool, replace: bool) -> None:
    children = _children(entry)
    entry.changing()
    for slot, text in _texts(made).items():
        child = children.get(slot)
        if child is None:
            if not placeholders_only and slot != _DEPRECATED:
                _create(entry, slot, made)
        elif replace or not xml.text_of(child).strip():
            # The check above covers the whole entry; a property would repeat it for each child.
            del child[:]
            child.text = text


def _texts(made: Material) -> dict[str, str]:
    texts = {}
    if made.pssh is not None:
        texts["PSSH"] = made.pssh.to_base64()
    if made.content_protection is not None:
        texts["ContentProtectionData"] = to_base64(made.content_protection)
    if made.key_uri is not None:
        texts[_DEPRECATED] = to_base64(made.key_uri.encode("utf-8"))
    for playlist, line in (("media", made.hls_media), ("master", made.hls_master)):
        if line is not None:
            texts[playlist] = to_base64(line.encode("utf-8"))
    if made.smooth is not None:
        texts["SmoothStreamingProtectionHeaderData"] = made.smooth
    return texts


def _create(entry: DRMSystem, slot: str, made: Material) -> None:
    if slot == "PSSH" and made.pssh is not None:
        entry.pssh = made.pssh.to_bytes()
    elif slot == "ContentProtectionData":
        entry.content_protection_data = made.content_protection
    elif slot == "SmoothStreamingProtectionHeaderData":
        entry.smooth_protection_header = made.smooth
    else:
        entry.set_hls_signaling(slot, made.hls_media if slot == "media" else made.hls_master)


def _children(entry: DRMSystem) -> dict[str, etree._Element]:
    """Return the children by name, and the HLS lines by the playlist that they are for."""
    found = {}
    for child in entry.element.iterchildren(f"{_namespace(entry.element)}*"):
        name = xml.local_name(child)
        if name == "HLSSignalingData":
            name = "media" if child.get("playlist") in _MEDIA else "master"
        found[name] = child
    return found


def _tag(key: ContentKey, name: str) -> str:
    return f"{_namespace(key.element)}{name}"


def _namespace(element: etree._Element) -> str:
    return f"{{{xml.namespace(element)}}}"
