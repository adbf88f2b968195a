"""In which line of the input a start tag begins, where libxml2 does not tell.

libxml2 notes the line in which a start tag ends, and counts to 65,534: for what comes after, it guesses from the text
nearby. Where its number cannot be right, expat reads the input once more and counts.
"""

from __future__ import annotations

from functools import cached_property
from typing import Final
from xml.parsers import expat

from lxml import etree

from drmkit.cpix.values import line_of

__all__ = ["ASCII_COMPATIBLE", "Lines"]

ASCII_COMPATIBLE: Final = ("UTF-8", "US-ASCII", "ASCII", "ISO-8859-", "WINDOWS-125")
"""How the names of encodings begin in which ASCII characters are single bytes that mean nothing else."""

_UNTOLD: Final = 65_535
_SMALL: Final = 2**20


class Lines:
    """The lines of an input that was read into a tree, and in which of them its elements begin.

    Args:
        root: the root of the tree, as it was read.
        source: the input.
    """

    def __init__(self, root: etree._Element, source: bytes) -> None:
        self._root = root
        self._source = source

    def of(self, element: etree._Element) -> int:
        """Return the line in which the start tag of an element of the tree begins, from 1.

        Of inputs over 1 MiB, tags of more than one line are not looked for before line 65,535: they have the line in
        which they end.
        """
        line = line_of(element)
        if line < _UNTOLD and self._begins(element, line):
            return line
        return self._exact.get(element, line)

    def _begins(self, element: etree._Element, line: int) -> bool:
        """Whether a start tag of the element's name stands in this line, as far as a look at it can tell."""
        if not 0 < line <= len(self._few):
            return True
        text = self._few[line - 1]
        name = f"{element.prefix}:" if element.prefix else ""
        start = f"<{name}{etree.QName(element).localname}".encode()
        # Where a tag of the line before ends in this one, two of one name may be meant.
        return start in text and b">" not in text.partition(b"<")[0]

    @cached_property
    def _few(self) -> list[bytes]:
        """The lines of a small input."""
        encoding = (self._root.getroottree().docinfo.encoding or "UTF-8").upper()
        small = len(self._source) <= _SMALL and encoding.startswith(ASCII_COMPATIBLE)
        return self._source.split(b"\n") if small else []

    @cached_property
    def _exact(self) -> dict[etree._Element, int]:
        """The lines of all elements; nothing where expat does not know the encoding."""
        found: list[int] = []
        parser = expat.ParserCreate()
        parser.StartElementHandler = lambda _name, _attributes: found.append(parser.CurrentLineNumber)
        try:
            parser.Parse(self._source, True)
        except (expat.ExpatError, ValueError, LookupError):
            return {}
        elements = list(self._root.iter(etree.Element))
        return dict(zip(elements, found, strict=True)) if len(elements) == len(found) else {}
