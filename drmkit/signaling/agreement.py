"""Checks that everything a CPIX document says about its keys and DRM systems says the same.

A document of thousands of keys says the same thousands of times, with another key ID in it. So a wording that was found
clean is remembered with the key ID taken out, and only new wordings are parsed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from drmkit.errors import CpixError, DrmkitError, SignalingError
from drmkit.identifiers import DrmSystem
from drmkit.signaling import encodings, material
from drmkit.signaling.statements import Disagreement, Signaling, disagreements
from drmkit.signaling.wrmheader import checksum

if TYPE_CHECKING:  # cpix uses this module, so that at run time cpix must not be imported here
    from drmkit.cpix import ContentKey, Document, DRMSystem

__all__ = ["Checker", "Disagreement", "Signaling", "check", "read"]

T = TypeVar("T")
Wording = tuple[object, ...]
_KEY_SIZE = 16
_MOST = 4096
_MIN_DISTINCT = 8
_BOX_HEAD = 32
_CUTS = "\0\1\2\3\4\5"
_BETWEEN = "\6"
_NOTHING = "\7"
_MARKS = re.compile("[\0-\7]")
_SAYS_IV = re.compile(r"[:,]IV=|skd://ey", re.IGNORECASE)
_CHECKSUM = "CHECKSUM".encode("utf-16-le")


class Checker:
    """Checks entries one after the other and remembers the wordings that were clean."""

    def __init__(self) -> None:
        self._clean: set[Wording] = set()

    def check(self, said: Signaling) -> list[Disagreement]:
        """Return everything in which the statements about one key and one system disagree."""
        wording = _wording(said)
        if wording is not None and wording in self._clean:
            return []
        found = list(disagreements(said))
        if not found and wording is not None and len(self._clean) < _MOST:
            self._clean.add(wording)
        return found


def check(document: Document, checker: Checker | None = None) -> list[Disagreement]:
    """Check every DRM system of a CPIX document against its key and against itself.

    Values that are not even base64 are passed over; they are for the document's own validation to find.

    Args:
        document: the document; it is not changed.
        checker: remembers clean wordings from document to document.

    Returns:
        Every disagreement, in document order.
    """
    chosen = checker or Checker()
    found: list[Disagreement] = []
    for entry in document.drm_systems:
        said = read(document, entry)
        if said is not None:
            found += (replace(item, line=entry.line) for item in chosen.check(said))
    return found


def read(document: Document, entry: DRMSystem) -> Signaling | None:
    """Collect what a document says in one of its DRM systems; None where key ID or system ID cannot be read."""
    try:
        kid, system_id = entry.kid, entry.system_id
        key = document.content_keys.get(kid)
        scheme = None if key is None else _scheme(document, key)
    except DrmkitError:
        return None
    return Signaling(
        kid=kid,
        system_id=system_id,
        scheme=scheme,
        pssh=_value(lambda: entry.pssh),
        content_protection=_value(lambda: entry.content_protection_data),
        hls_media=_value(lambda: entry.hls_signaling("media")),
        hls_master=_value(lambda: entry.hls_signaling("master")),
        smooth=_value(lambda: entry.smooth_protection_header),
        key=None if key is None else _value(lambda: key.key),
        iv=None if key is None else _value(lambda: key.iv),
    )


def _scheme(document: Document, key: ContentKey) -> str | None:
    root = None if key.depends_on is None else document.content_keys.get(key.depends_on)
    name = key.scheme or (root.scheme if root else None)
    try:
        return None if name is None else material.protection_scheme(name)
    except SignalingError:
        return None


def _value(get: Callable[[], T]) -> T | None:
    try:
        return get()
    except CpixError:
        return None


def _wording(said: Signaling) -> Wording | None:
    """Return what is said with the key ID cut out, so that two keys that say the same have equal wordings.

    None where the key ID could be mistaken for another part of a box, or a text holds what marks the cuts.
    """
    kid = said.kid
    uuid = kid.uuid
    if uuid == said.system_id or len(set(kid.raw)) < _MIN_DISTINCT:
        return None
    needles = [uuid, kid.hex.upper(), kid.hex, kid.base64]
    boxes: object = None
    if said.pssh is not None:
        # Longest first: the box holds its data, the data holds the key ID.
        needles = [encodings.to_base64(said.pssh), encodings.to_base64(said.pssh[_BOX_HEAD:]) or uuid, *needles]
        boxes = _cut(said, said.pssh)
    dash = None if said.content_protection is None else said.content_protection.decode("latin-1")
    texts = (dash, said.hls_media, said.hls_master, said.smooth)
    if _MARKS.search("".join(text or "" for text in texts)):
        return None
    joined = _BETWEEN.join(_NOTHING if text is None else text for text in texts)
    for mark, needle in zip(_CUTS, needles, strict=False):
        joined = joined.replace(needle, mark)
    iv = said.iv if _SAYS_IV.search(joined) else None
    return (said.system_id, said.scheme, said.key is None, iv, boxes, joined)


def _cut(said: Signaling, pssh: bytes) -> object:
    """Cut a box at its key IDs and checksums; unlike marks, cuts cannot be told from bytes that stand there."""
    if said.system_id != DrmSystem.PLAYREADY.system_id:
        return tuple(pssh.split(said.kid.raw))
    pieces = pssh.split(encodings.to_base64(said.kid.guid_le).encode("utf-16-le"))
    if said.key is None or _CHECKSUM not in pssh or len(said.key.reveal()) != _KEY_SIZE:
        return tuple(pieces)
    known = encodings.to_base64(checksum(said.kid, said.key)).encode("utf-16-le")
    return tuple(tuple(piece.split(known)) for piece in pieces)
