"""Read the bytes of a CPIX document into one lxml tree, refusing what could do harm before anyone looks at it."""

from __future__ import annotations

import re
from typing import Final

from lxml import etree

from drmkit.cpix.schema import CPIX
from drmkit.cpix.values import line_of
from drmkit.errors import CpixError, InputError, XmlError

__all__ = ["MAX_BYTES", "NotCpixError", "RefusedXmlError", "read"]

MAX_BYTES: Final = 64 * 2**20
"""The default size cap in bytes: far above 10,000 keys, far below what hurts."""

_ROOT: Final = f"{{{CPIX}}}CPIX"
_DOCTYPE: Final = re.compile(r"\ufeff?(?>\s|<\?(?>.*?\?>)|<!--(?>.*?-->))*+<!DOCTYPE", re.DOTALL)
_DOCTYPE_BYTES: Final = re.compile(_DOCTYPE.pattern.replace(r"\ufeff?", r"(?:\xef\xbb\xbf)?").encode(), re.DOTALL)
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<", b"\0\0")


class RefusedXmlError(XmlError):
    """Input that is not well-formed, or that is refused as unsafe; `rule` and `line` say which rule and where."""

    def __init__(self, message: str, *, rule: str, line: int = 1, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.rule = rule
        self.line = line


class NotCpixError(CpixError):
    """Well-formed XML whose root element is not that of CPIX; `rule` and `line` as in `RefusedXmlError`."""

    def __init__(self, message: str, *, line: int, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.rule = "xml-root"
        self.line = line


def read(data: bytes, *, max_bytes: int = MAX_BYTES) -> etree._ElementTree:
    """Parse bytes in any encoding that XML allows; comments and processing instructions stay in the tree.

    Any document type declaration is refused, nothing external is loaded, and libxml2's own bounds on depth (256) and
    on the size of one text (10 MB) hold.

    Args:
        data: the whole document.
        max_bytes: the size cap, in bytes.

    Raises:
        XmlError: not well-formed, too large or too deep, or with a document type declaration.
        CpixError: the root element is not `CPIX` in the namespace of CPIX.
    """
    _check_input(data, max_bytes)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, collect_ids=False
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise _explain(error) from None
    # lxml looks at the last message of the parser alone: an error that a warning follows would pass.
    for entry in parser.error_log.filter_from_errors():
        raise _refusal(entry.message, entry.line, entry.column)
    tree = root.getroottree()
    if tree.docinfo.internalDTD is not None or tree.docinfo.externalDTD is not None:
        raise _doctype()
    if root.tag != _ROOT:
        raise _wrong_root(root)
    return tree


def _check_input(data: bytes, max_bytes: int) -> None:
    if not isinstance(data, bytes | bytearray | memoryview):
        raise InputError(
            f"a CPIX document is read from bytes, not from {type(data).__name__}",
            hint="open the file in binary mode, so that its own encoding declaration counts",
        )
    if len(data) > max_bytes:
        raise RefusedXmlError(
            f"the document has {len(data):,} bytes, more than the {max_bytes:,} that are allowed",
            rule="xml-too-large",
            hint="raise max_bytes if a document of this size is expected",
        )
    if not data:
        raise RefusedXmlError("the document is empty", rule="xml-not-well-formed", hint="was it saved completely?")
    if bytes(data[:4]).startswith(_UTF16_MARKS):
        found = any(_DOCTYPE.match(bytes(data).decode(name, "replace")) for name in ("utf-16-le", "utf-16-be"))
    else:
        found = _DOCTYPE_BYTES.match(data) is not None
    if found:
        raise _doctype()


def _doctype() -> RefusedXmlError:
    return RefusedXmlError(
        "a document type declaration (<!DOCTYPE) is refused: entities can read files and exhaust memory",
        rule="xml-doctype",
        hint="remove the declaration; CPIX needs none",
    )


def _explain(error: etree.XMLSyntaxError | ValueError) -> RefusedXmlError:
    if not isinstance(error, etree.XMLSyntaxError):
        return RefusedXmlError("the document is not XML in a known encoding", rule="xml-not-well-formed")
    return _refusal((error.msg or "no element found").split(", line ")[0], *error.position)


def _refusal(message: str, line: int, column: int) -> RefusedXmlError:
    text = _without_content(message)
    if "depth" in text:
        return RefusedXmlError(
            f"elements are nested deeper than 256 levels, line {line}",
            rule="xml-too-deep",
            line=line,
            hint="CPIX itself needs a dozen levels",
        )
    return RefusedXmlError(
        f"not well-formed XML, line {line}, column {column}: {text}",
        rule="xml-not-well-formed",
        line=line,
        hint="look at the named place; a document cut off in transfer fails at its end",
    )


def _without_content(message: str) -> str:
    """Return what libxml2 says without what it quotes of the document, which can hold content keys."""
    first = message.split("\n", 1)[0]
    if first.startswith("ParsePI"):
        return "a processing instruction does not end"
    if first.startswith("Start tag expected"):
        return "there is no start tag where the root element should start"
    return first.split("<", 1)[0].rstrip(" :")


def _wrong_root(root: etree._Element) -> NotCpixError:
    name = etree.QName(root)
    place = f"in the namespace {name.namespace!r}" if name.namespace else "in no namespace"
    return NotCpixError(
        f"the root element is {name.localname!r} {place}, not 'CPIX' in {CPIX!r}",
        line=line_of(root),
        hint="is this a CPIX document? A server's error page or an MPD looks like this",
    )
