"""Small, safe XML for headers and manifests: no document types, no entities, no network, errors with a place."""

from __future__ import annotations

from typing import Any

from lxml import etree

from drmkit.errors import SignalingError

__all__ = ["attribute", "escape", "inner_xml", "line_of", "local_name", "namespace", "parse", "text_of"]

_TEXT = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"}
_QUOTING_NAMES = frozenset({"ERR_TAG_NAME_MISMATCH", "NS_ERR_UNDEFINED_NAMESPACE", "WAR_NS_URI"})
_ATTRIBUTE = {"&": "&amp;", "<": "&lt;", '"': "&quot;", "\t": "&#x9;", "\n": "&#xA;", "\r": "&#xD;"}


def parse(data: str | bytes, what: str) -> etree._Element:
    """Parse an XML document.

    Args:
        data: the document; text must not carry an encoding declaration.
        what: what the document is, for the message.

    Raises:
        SignalingError: it is not well-formed, or it declares a document type.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise _explain(error, what) from None
    # lxml looks at the last message of the parser alone: an error that a warning follows would pass.
    for entry in parser.error_log.filter_from_errors():
        raise _refusal(what, entry.line, entry.column, entry.type_name, entry.message)
    if root.getroottree().docinfo.doctype:  # type: ignore[union-attr]  # the stubs allow for trees without root
        raise SignalingError(f"{what} declares a document type, which is refused", hint="remove the DOCTYPE")
    return root


def _explain(error: etree.XMLSyntaxError | ValueError, what: str) -> SignalingError:
    if not isinstance(error, etree.XMLSyntaxError):
        return SignalingError(f"{what} is not XML in a known encoding", hint="write it in UTF-8")
    line, column = error.position
    entries: Any = error.error_log
    kind, words = (entries[-1].type_name, entries[-1].message) if len(entries) else ("no element", "")
    return _refusal(what, line, column, kind, words)


def _refusal(what: str, line: int, column: int, kind: str, words: str) -> SignalingError:
    # The parser's own words quote the document, which can hold keys; they are shown where they quote names alone.
    said = words.strip() if kind in _QUOTING_NAMES else kind.removeprefix("ERR_").lower().replace("_", " ")
    return SignalingError(
        f"{what} is not well-formed XML, line {line}, column {column}: {said}",
        hint="look at the named place; a document cut off in transfer fails at its end",
    )


def local_name(element: etree._Element) -> str:
    """Return the element's name without its namespace, or "" for a comment or processing instruction."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""


def namespace(element: etree._Element) -> str:
    """Return the element's namespace, or "" where it has none."""
    return (etree.QName(element).namespace or "") if isinstance(element.tag, str) else ""


def text_of(element: etree._Element) -> str:
    """Return all character data directly inside the element, whatever comments stand between."""
    return (element.text or "") + "".join(child.tail or "" for child in element)


def inner_xml(element: etree._Element, *, canonical: bool = True) -> str:
    """Return what stands inside the element.

    Args:
        element: the element.
        canonical: write Exclusive Canonical XML: closing tags, sorted attributes; False writes what has no canonical
            form as it stands.

    Raises:
        SignalingError: there is no canonical form, since a namespace is named by a relative URI.
    """
    parts = [escape(element.text or "")]
    for child in element:
        try:
            text = etree.tostring(child, method="c14n", exclusive=True, with_comments=True, with_tail=False).decode()
        except etree.C14NError:
            if canonical:
                raise SignalingError(
                    f"the XML inside {local_name(element)} has no canonical form",
                    hint="name its namespaces by absolute URIs",
                ) from None
            text = etree.tostring(child, encoding="unicode", with_tail=False)
        parts += [text, escape(child.tail or "")]
    return "".join(parts)


def line_of(element: etree._Element) -> int:
    """Return the line that the element starts in, counted from 1."""
    line: Any = element.sourceline
    return line or 1


def escape(text: str, *, attribute: bool = False) -> str:
    """Escape text as Canonical XML does, for an element's content or for an attribute value in double quotes.

    Raises:
        SignalingError: a character cannot stand in XML at all.
    """
    table = _ATTRIBUTE if attribute else _TEXT
    bad = next((char for char in text if not _allowed(char)), None)
    if bad is not None:
        raise SignalingError(f"the character U+{ord(bad):04X} cannot stand in XML")
    return "".join(table.get(char, char) for char in text)


def attribute(name: str, value: str) -> str:
    """Return ` name="value"`, escaped."""
    return f' {name}="{escape(value, attribute=True)}"'


def _allowed(char: str) -> bool:
    if char < " ":
        return char in "\t\n\r"
    return not ("\ud800" <= char <= "\udfff" or char in "\ufffe\uffff")
