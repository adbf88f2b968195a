"""The base of all typed views: properties that read and write one attribute or one child of a living element."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar, overload

from lxml import etree

from drmkit.cpix import values
from drmkit.cpix.schema import CPIX
from drmkit.cpix.shape import ensure_child, find_child
from drmkit.errors import CpixError, IdentifierError
from drmkit.identifiers import KeyId

if TYPE_CHECKING:
    from drmkit.cpix.document import Document

__all__ = [
    "BOOLEAN",
    "BYTES",
    "DATE",
    "DURATION",
    "INTEGER",
    "KEY_ID",
    "TEXT",
    "Attribute",
    "Codec",
    "Content",
    "Required",
    "View",
    "add_element",
    "add_value",
    "cpix",
]

T = TypeVar("T")


_LOOKED_UP: Final = frozenset({"id", "kid", "updateVersion"})


def cpix(local: str) -> str:
    """Return the `{namespace}local` name of an element of CPIX."""
    return f"{{{CPIX}}}{local}"


class Codec(Generic[T]):
    """A kind of value: how it is read, how it is written, and what it is called in messages."""

    __slots__ = ("hint", "name", "read", "secret", "write")

    def __init__(
        self,
        name: str,
        read: Callable[[str], T],
        write: Callable[[T], str],
        *,
        secret: bool = False,
        hint: str = "drmkit.cpix.validate lists every fault of the document at once",
    ) -> None:
        self.name = name
        self.read = read
        self.write = write
        self.secret = secret
        self.hint = hint


def _same(text: str) -> str:
    return text


TEXT: Final = Codec[str]("text", _same, _same)
INTEGER: Final = Codec[int]("an integer", values.parse_integer, str)


def write_key_id(kid: KeyId) -> str:
    """Write a key ID as a UUID; CpixError for anything else, as text is not guessed at."""
    if not isinstance(kid, KeyId):
        raise CpixError(
            f"a key ID is a KeyId, not {type(kid).__name__}",
            hint="KeyId.from_uuid, from_hex, from_base64 or from_bytes",
        )
    return kid.uuid


BOOLEAN: Final = Codec[bool]("true or false", values.parse_boolean, values.format_boolean)
BYTES: Final = Codec[bytes]("base64", values.decode_base64, values.encode_base64, secret=True)
DATE: Final = Codec[datetime]("a date and time", values.parse_datetime, values.format_datetime)
DURATION: Final = Codec[timedelta](
    "a duration of fixed length",
    values.parse_duration,
    values.format_duration,
    hint="years and months have no fixed length: write days, hours, minutes and seconds, such as P30DT1H or PT1.5S",
)
KEY_ID: Final = Codec[KeyId]("a key ID in UUID form", KeyId.from_uuid, write_key_id)


class View:
    """A typed view over one element of a document; two views are equal where they show the same element.

    `element` is the element itself, for what the typed properties do not cover; a change made there bypasses all
    checks.
    """

    __slots__ = ("document", "element")

    def __init__(self, document: Document, element: etree._Element) -> None:
        self.document = document
        self.element = element

    @property
    def line(self) -> int:
        """The line of the start tag in the input, or 0 for an element that was made here."""
        return self.document.line_of(self.element)

    def __eq__(self, other: object) -> bool:
        return self.element is other.element if isinstance(other, View) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.element)

    def __repr__(self) -> str:
        name = etree.QName(self.element).localname
        return f"<{type(self).__name__} {name} line {self.line}>"

    def read_value(self, codec: Codec[T], text: str, what: str) -> T:
        """Decode a text of this element; CpixError, without the value where it may be secret, if it does not decode."""
        try:
            return codec.read(text)
        except (ValueError, KeyError, OverflowError, IdentifierError):
            shown = f"{len(text)} characters" if codec.secret else repr(text[:80])
            raise CpixError(
                f"{what} in line {self.line} is not {codec.name}: {shown}",
                hint=codec.hint,
            ) from None

    def changing(self, element: etree._Element | None = None) -> None:
        """Announce a change of the element (or of `element`): CpixError where a signature covers it."""
        self.document.changing(self.element if element is None else element)


class Attribute(Generic[T]):
    """An optional attribute: None where it is absent, and setting None removes it."""

    __slots__ = ("codec", "name")

    def __init__(self, name: str, codec: Codec[T]) -> None:
        self.name = name
        self.codec = codec

    @overload
    def __get__(self, view: None, owner: type[View]) -> Self: ...
    @overload
    def __get__(self, view: View, owner: type[View]) -> T | None: ...
    def __get__(self, view: View | None, owner: type[View]) -> T | Self | None:
        if view is None:
            return self
        text = view.element.get(self.name)
        if text is None:
            return None
        return text if self.codec is TEXT else view.read_value(self.codec, text, self.name)  # type: ignore[return-value]

    def __set__(self, view: View, value: T | None) -> None:
        view.changing()
        text = None if value is None else self.codec.write(value)
        holder = view.document.list_of(view.element) if self.name in _LOOKED_UP else None
        before = None if holder is None else holder.key_of(view.element)
        if text is None:
            remove_attribute(view.element, self.name)
        else:
            set_attribute(view.element, self.name, text)
        if holder is not None:
            holder.renamed(view.element, before)


class Required(Attribute[T]):
    """An attribute without which the element means nothing: reading raises CpixError where it is absent."""

    __slots__ = ()

    @overload
    def __get__(self, view: None, owner: type[View]) -> Self: ...
    @overload
    def __get__(self, view: View, owner: type[View]) -> T: ...
    def __get__(self, view: View | None, owner: type[View]) -> T | Self:
        if view is None:
            return self
        value: Any = super().__get__(view, owner)
        if value is None:
            name = etree.QName(view.element).localname
            raise CpixError(f"{name} in line {view.line} has no {self.name}", hint="the attribute is required")
        return value  # type: ignore[no-any-return]  # Any, to leave out the None that was just refused


class Content(Generic[T]):
    """The text of a child element: None where the child is absent or an empty placeholder.

    Setting a value makes or fills the child at the place that the schema gives it; setting None removes it.
    """

    __slots__ = ("codec", "local", "tag")

    def __init__(self, local: str, codec: Codec[T]) -> None:
        self.local = local
        self.tag = cpix(local)
        self.codec = codec

    @overload
    def __get__(self, view: None, owner: type[View]) -> Self: ...
    @overload
    def __get__(self, view: View, owner: type[View]) -> T | None: ...
    def __get__(self, view: View | None, owner: type[View]) -> T | Self | None:
        if view is None:
            return self
        child = find_child(view.element, self.tag)
        text = "" if child is None else values.text_of(child)
        if not text or text.isspace():
            return None
        return view.read_value(self.codec, text, self.local)

    def __set__(self, view: View, value: T | None) -> None:
        view.changing()
        if value is None:
            child = find_child(view.element, self.tag)
            if child is not None:
                remove_element(child)
        else:
            text = checked(self.codec.write(value))  # refused before a child is made for it
            set_text(ensure_child(view.element, self.tag), text)


def add_element(parent: etree._Element, tag: str, attributes: dict[str, str | None]) -> etree._Element:
    """Append a child with the attributes that are not None; CpixError for a text that XML cannot hold."""
    given: Any = attributes
    if None in attributes.values():
        given = {name: value for name, value in attributes.items() if value is not None}
    try:
        # lxml takes names as keywords in two thirds of the time that a mapping costs it.
        return etree.SubElement(parent, tag, None, None, **given)
    except (ValueError, TypeError):
        names = ", ".join(given)
        raise CpixError(f"one of {names} of {etree.QName(tag).localname} is not a text that XML can hold") from None


def add_value(parent: etree._Element, tag: str, value: bytes, attributes: dict[str, str | None] | None = None) -> bytes:
    """Append a child with bytes in base64, or a placeholder for none; return the bytes that are there now for good."""
    raw = values.as_bytes(value or b"")
    element = add_element(parent, tag, attributes) if attributes else etree.SubElement(parent, tag)
    if raw:
        element.text = values.encode_base64(raw)
    return raw


def set_attribute(element: etree._Element, name: str, text: str) -> None:
    """Set an attribute; CpixError for a text that XML cannot hold."""
    try:
        element.set(name, text)
    except (ValueError, TypeError):
        raise CpixError(
            f"{name} is not a text that XML can hold", hint="control characters cannot stand in XML"
        ) from None


def set_text(element: etree._Element, text: str) -> None:
    """Make `text` the whole content of an element; an empty text leaves a placeholder.

    What comments say about a place that was empty stays, behind the text.
    """
    checked(text)
    if not values.is_empty(element):
        del element[:]
    for comment in element:
        comment.tail = None
    element.text = text or None


def checked(text: str) -> str:
    """Return a text that can be the content of an element; CpixError for one that XML cannot hold."""
    try:
        etree.Element("any").text = text  # in a place of its own: the text that is there now must outlive a refusal
    except ValueError:
        raise CpixError(
            "a text has a character that XML cannot hold", hint="control characters other than tab and line end"
        ) from None
    return text


def remove_attribute(element: etree._Element, name: str) -> None:
    """Take an attribute away, where it is there."""
    if name in element.attrib:
        del element.attrib[name]


def remove_element(element: etree._Element) -> None:
    """Take an element out of its parent, but leave the text behind it where it was."""
    parent = element.getparent()
    if parent is None:
        return
    tail, before = element.tail, element.getprevious()
    parent.remove(element)
    element.tail = None
    if tail and not tail.isspace():
        if before is None:
            parent.text = (parent.text or "") + tail
        else:
            before.tail = (before.tail or "") + tail
