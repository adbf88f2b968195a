"""The rows of a document: plain values of its keys and DRM systems next to their elements, for the rules to look at.

Typed views would say the same, but the rules visit every entry many times, and a view reads the tree anew each time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

__all__ = ["UUID", "Hls", "KeyRow", "NotedSystem", "SystemRow", "schemes_of"]

UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

Hls = tuple[tuple[str | None, bytes], ...]
"""The name of the playlist and the decoded text of each HLSSignalingData."""


@dataclass(slots=True)
class KeyRow:
    """A content key; IDs in lower case as they stand there, bytes empty where the value is empty or not base64."""

    element: etree._Element
    kid: str
    depends_on: str | None
    content_id: str | None
    scheme: str | None
    iv: bytes | None
    hdcp: etree._Element | None = None
    plain: bytes | None = field(default=None, repr=False)
    encrypted: etree._Element | None = None
    cipher: bytes | None = None
    mac: bytes | None = None

    def part(self, tag: str) -> etree._Element:
        """Return the first element with this name below the key, or the key."""
        return next(self.element.iter(tag), self.element)


@dataclass(slots=True)
class SystemRow:
    """A DRM system of a key; IDs in lower case, bytes empty where the value is empty or not base64."""

    element: etree._Element
    kid: str
    system: str
    pssh: bytes | None = None
    protection: bytes | None = None
    hls: Hls = ()
    has_smooth: bool = False

    def part(self, tag: str, position: int = 0) -> etree._Element:
        """Return the n-th child element with this name, or the DRM system."""
        found = list(self.element.iterchildren(tag))
        return found[position] if position < len(found) else self.element


NotedSystem = tuple[str, str, bytes | None, bytes | None, Hls, bool]
"""A row of a DRM system without its element."""


def schemes_of(keys: Sequence[KeyRow]) -> dict[str, str]:
    """Return the protection scheme of each key that has one, by key ID; a leaf has that of its root."""
    own = {row.kid: row.scheme for row in keys if row.scheme}
    leaves = {row.kid: own[row.depends_on] for row in keys if row.depends_on in own}
    return {**own, **leaves}
