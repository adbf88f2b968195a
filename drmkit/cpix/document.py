"""A CPIX document: one living XML tree, and typed views over it."""

from __future__ import annotations

from datetime import datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from lxml import etree

from drmkit.cpix import reader, selection
from drmkit.cpix.collections import (
    Collection,
    ContentKeys,
    DRMSystems,
    Periods,
    Recipients,
    Signatures,
    UpdateHistory,
    UsageRules,
)
from drmkit.cpix.lines import Lines
from drmkit.cpix.schema import CPIX, NAMESPACES
from drmkit.cpix.values import line_of
from drmkit.cpix.view import TEXT, Attribute, View, cpix
from drmkit.errors import CpixError

if TYPE_CHECKING:
    from drmkit.cpix.entities import ContentKey
    from drmkit.cpix.selection import Track

__all__ = ["Document", "parse"]


_TELLING_NAMES: Final = etree.XPath(
    "string((c:DRMSystemList/c:DRMSystem/c:HLSSignalingData/@playlist[. = 'variant' or . = 'multiVariant'])[1])",
    namespaces={"c": CPIX},
)


def parse(data: bytes, *, max_bytes: int = reader.MAX_BYTES) -> Document:
    """Read a CPIX document of any version, in any encoding, prefix and layout.

    Reading is tolerant: whatever is well-formed XML with the root element of CPIX becomes a document, and
    `drmkit.cpix.validate` says what is wrong with it. A value that cannot be read raises where it is asked for.

    Args:
        data: the whole document.
        max_bytes: the size cap, in bytes.

    Raises:
        XmlError: not well-formed, too large or too deep, or with a document type declaration.
        CpixError: the root element is not that of CPIX.
    """
    tree = reader.read(data, max_bytes=max_bytes)
    return Document(tree, source=bytes(data))


class Document(View):
    """A CPIX document.

    The tree is the document: reading a property reads it, setting one changes exactly that place. What drmkit does not
    know, comments, placeholders and signatures over other parts stay as they are.
    """

    __slots__ = (
        "_lines",
        "_lists",
        "_names",
        "_signed",
        "arrangement",
        "content_keys",
        "drm_systems",
        "made_here",
        "periods",
        "recipients",
        "revision",
        "signatures",
        "source",
        "update_history",
        "usage_rules",
        "validated_revision",
    )
    id = Attribute("id", TEXT)
    content_id = Attribute("contentId", TEXT)
    name = Attribute("name", TEXT)
    version = Attribute("version", TEXT)

    def __init__(self, tree: etree._ElementTree, *, source: bytes | None = None) -> None:
        super().__init__(self, tree.getroot())
        self.source = source
        self._lines = None if source is None else Lines(tree.getroot(), source)
        self.revision = 0
        self.arrangement = 0
        self.made_here = False
        self.validated_revision: int | None = None
        self._names: str | None = None
        self._signed: tuple[int, frozenset[str] | None] = (-1, frozenset())
        self.recipients = Recipients(self)
        self.content_keys = ContentKeys(self)
        self.drm_systems = DRMSystems(self)
        self.periods = Periods(self)
        self.usage_rules = UsageRules(self)
        self.update_history = UpdateHistory(self)
        self.signatures = Signatures(self)
        lists: tuple[Collection[Any], ...] = (self.recipients, self.content_keys, self.drm_systems, self.periods)
        self._lists = {found.list_tag: found for found in (*lists, self.usage_rules, self.update_history)}

    @classmethod
    def new(cls) -> Document:
        """Make a document without any content."""
        root = etree.Element(cpix("CPIX"), nsmap={p: n for p, n in NAMESPACES.items() if p in {"cpix", "pskc"}})
        document = cls(root.getroottree())
        document.made_here = True
        return document

    @property
    def root(self) -> etree._Element:
        """The `CPIX` element."""
        return self.element

    @property
    def tree(self) -> etree._ElementTree:
        """The whole tree, with what stands before and after the root."""
        return self.element.getroottree()

    @property
    def is_unchanged(self) -> bool:
        """Whether the document is still what was parsed."""
        return self.revision == 0 and self.source is not None

    def to_xml(self) -> bytes:
        """Return the document in UTF-8; one that was not changed is canonically identical to what came in."""
        # etree.tostring() would hold the whole text two more times while it makes it.
        stream = BytesIO()
        self.tree.write(stream, encoding="UTF-8", xml_declaration=True)
        return stream.getvalue()

    def key_for(
        self,
        track: Track,
        *,
        at: datetime | timedelta | None = None,
        period_index: int | None = None,
        period_label: str | None = None,
    ) -> ContentKey | None:
        """Return the content key for a track, by the usage rules to the letter; None where no rule matches.

        See `drmkit.cpix.selection.key_for` for the arguments and errors.
        """
        return selection.key_for(self, track, at=at, period_index=period_index, period_label=period_label)

    def allowed_cpc(self, content_id: str | None = None) -> str:
        """Return the ALLOWED-CPC for HLS: all `HLSAllowedCPC`, each once, joined by commas (CPIX 2.4, `DRMSystem`).

        Args:
            content_id: take only those whose content key has this content ID; None takes all.
        """
        found: dict[str, None] = {}
        for system in self.drm_systems:
            key = self.content_keys.get(system.kid) if content_id is not None else None
            if system.hls_allowed_cpc and (content_id is None or (key is not None and key.content_id == content_id)):
                found[system.hls_allowed_cpc] = None
        return ",".join(found)

    @property
    def names_version(self) -> str | None:
        """The version whose names for playlists hold here: the stated one, else what the document shows, or None.

        CPIX 2.1 and 2.2 state no version, and name the playlists differently: there the builder knows, and otherwise
        the first name that only one version has tells.
        """
        if self.version is None and self._names is None:
            found: Any = _TELLING_NAMES(self.root)
            self._names = {"variant": "2.1", "multiVariant": "2.4"}.get(found, "")
        return self.version or self._names or None

    @names_version.setter
    def names_version(self, version: str) -> None:
        self._names = version

    def touch(self) -> None:
        """Note that the tree was changed past the typed properties, so that everything is looked up in it anew."""
        self.revision += 1
        self.arrangement += 1

    def list_of(self, element: etree._Element) -> Collection[Any] | None:
        """Return the list that an element is an item of, or None."""
        parent = element.getparent()
        return None if parent is None else self._lists.get(str(parent.tag))

    def changing(self, element: etree._Element | None = None) -> None:
        """Announce a change of an element of this document, which leaves all lists as they are.

        Raises:
            CpixError: a signature covers the element, and would not hold any longer.
        """
        signed = self.signed_ids
        target = self.element if element is None else element
        if signed is None or (signed and any(e.get("id") in signed for e in _self_and_ancestors(target))):
            name = etree.QName(target).localname
            raise CpixError(
                f"{name} in line {self.line_of(target)} is signed: a change breaks the signature",
                hint="remove the signature first: document.signatures.remove(signature); then sign again",
            )
        self.revision += 1

    def line_of(self, element: etree._Element) -> int:
        """Return the line of the input in which the start tag of an element begins; 0 for one that was made here.

        In a document that was changed it is the number that libxml2 has: the line in which the tag ends, and above
        65,534 a guess.
        """
        return self._lines.of(element) if self._lines is not None and self.is_unchanged else line_of(element)

    @property
    def signed_ids(self) -> frozenset[str] | None:
        """The IDs that signatures refer to; None where a signature covers the document as a whole."""
        if self._signed[0] != self.revision:
            uris = {uri for signature in self.signatures for uri in signature.references}
            whole = any(not uri.startswith("#") or uri.startswith("#xpointer") for uri in uris)
            self._signed = (self.revision, None if whole else frozenset(uri[1:] for uri in uris))
        return self._signed[1]

    def __repr__(self) -> str:
        return f"<Document version={self.version!r} content_id={self.content_id!r} keys={len(self.content_keys)}>"


def _self_and_ancestors(element: etree._Element) -> list[etree._Element]:
    return [element, *element.iterancestors()]
