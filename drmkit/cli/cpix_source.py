"""Shows the line that a finding is about, with a caret below the place, and without any content key in it."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from drmkit.cli.cpix_files import printable

if TYPE_CHECKING:
    from lxml import etree

    from drmkit.cpix import Document, Finding
    from drmkit.cpix.paths import Paths

__all__ = ["Excerpt", "Source"]

_TOKEN: Final = re.compile(
    r"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>"
    r"|<(?P<close>/)?(?P<name>[^\s/>!?]+)(?P<rest>(?>[^>\"']++|\"[^\"]*+\"|'[^']*+')*+)>",
    re.DOTALL,
)
_PRIVATE: Final = {"ContentKeyList", "DeliveryDataList", "PlainValue", "Secret"}
_LONG: Final = re.compile(r"[A-Za-z0-9+/]{16,}={0,2}")
_ATTRIBUTE: Final = re.compile(r"(?P<name>[^\s=\"'<]+)\s*=\s*(?P<value>\"[^\"]*\"|'[^']*')")
_KEY_LIKE: Final = re.compile(r"[\"'][A-Za-z0-9+/=\s]{22,}[\"']")
_PUBLIC_ATTRIBUTES: Final = {"explicitIV", "kid", "systemId", "dependsOnKey", "encryptsKey", "id", "periodId"}
_STEP: Final = re.compile(r"\[\d+\]$")
_MARGIN: Final = 200
_DOCTYPE: Final = "<!DOCTYPE"
_COLUMN: Final = re.compile(r"line (\d+), column (\d+)")
_MARKS: Final = (
    *((b"\xff\xfe\0\0", "utf-32"), (b"\0\0\xfe\xff", "utf-32"), (b"<\0\0\0", "utf-32-le"), (b"\0\0\0<", "utf-32-be")),
    *((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"<\0", "utf-16-le"), (b"\0<", "utf-16-be")),
)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A line of a document, fit for a terminal, with the place that a finding is about.

    Args:
        line: its number, from 1.
        column: the column of the place in the document, from 1; 0 where only the line is known.
        text: the line, cropped around the place, content keys masked.
        marker: spaces and carets that stand below the place; empty where only the line is known.
    """

    line: int
    column: int
    text: str
    marker: str


class Source:
    """The text of a document, and where its elements and attributes stand in it.

    Args:
        data: the document's bytes.
        document: the document, or None where it could not be read: then everything that might be a key is masked.
    """

    def __init__(self, data: bytes, document: Document | None) -> None:
        self._document = document
        self._text = _decode(data, document)
        self._starts = [0, *(match.end() for match in re.finditer("\n", self._text))]
        self._tags: list[re.Match[str]] = []
        self._masked: list[tuple[int, int]] = []
        self._paths: dict[tuple[int, str], dict[str, re.Match[str]]] = {}
        if document is not None:
            self._scan()
            if len(self._tags) != sum(1 for _ in document.root.iter("*")):
                # The text is not what the parser read: where its keys stand is anybody's guess.
                self._masked = [(0, len(self._text))]

    def excerpt(self, finding: Finding, width: int = 100) -> Excerpt | None:
        """Return the line that a finding is about, at most `width` characters of it; None where it has no place."""
        span = self._span(finding)
        if span is None:
            return None
        start, end, exact = span
        line = bisect_right(self._starts, start)
        first = self._starts[line - 1]
        last = self._starts[line] - 1 if line < len(self._starts) else len(self._text)
        end = max(start, min(end, last))
        left, right = self._window(first, last, start, end, width)
        before, after = "…" if left > self._indented(first, start) else "", "…" if right < last else ""
        text = before + self._mask(left, right).rstrip("\r") + after
        marker = ""
        if exact:
            column = start - left + len(before)
            room = max(1, _columns(text[column : column + min(end, right) - start]))
            marker = " " * _columns(text[:column]) + "^" * room
        return Excerpt(line, start - first + 1 if exact else 0, text, marker)

    def _indented(self, first: int, start: int) -> int:
        while first < start and self._text[first] in " \t":
            first += 1
        return first

    def _window(self, first: int, last: int, start: int, end: int, width: int) -> tuple[int, int]:
        """Choose what of a line is shown: all of it without its indent, or the surroundings of the place."""
        first = self._indented(first, start)
        if last - first <= width:
            return first, last
        room = max(width - 2, 1)
        left = max(first, min(start - room // 3, last - room))
        if min(end - start, room // 2) > left + room - start:
            left = start
        return left, min(left + room, last)

    def _scan(self) -> None:
        depth: list[str] = []
        private = 0
        at = 0
        for match in _TOKEN.finditer(self._text):
            if private and at < match.start():
                self._masked.append((at, match.start()))
            at = match.end()
            if match["name"] is None:
                if private:
                    self._masked.append(match.span())
                continue
            local = match["name"].rpartition(":")[2]
            if match["close"]:
                private -= bool(depth) and depth.pop() in _PRIVATE
                continue
            self._tags.append(match)
            if not match["rest"].endswith("/"):
                depth.append(local)
                private += local in _PRIVATE
        if private:
            self._masked.append((at, len(self._text)))

    def _span(self, finding: Finding) -> tuple[int, int, bool] | None:
        if not 0 < finding.line <= len(self._starts):
            return None
        if self._document is None:
            return self._span_unread(finding)
        path, _, attribute = finding.path.partition("/@")
        tag = self._tag(path, finding.line)
        if tag is None:
            return self._starts[finding.line - 1], self._starts[finding.line - 1], False
        for match in _ATTRIBUTE.finditer(tag["rest"]) if attribute else ():
            if match["name"].rpartition(":")[2] == attribute.rpartition(":")[2]:
                offset = tag.start("rest")
                return offset + match.start(), offset + match.end(), True
        return tag.start(), tag.end("name"), True

    def _span_unread(self, finding: Finding) -> tuple[int, int, bool]:
        if finding.rule == "xml-doctype" and _DOCTYPE in self._text:
            start = self._text.index(_DOCTYPE)
            return start, start + len(_DOCTYPE), True
        place = _COLUMN.search(finding.message)
        if place is None or not 0 < int(place[1]) <= len(self._starts):
            return self._starts[finding.line - 1], self._starts[finding.line - 1], False
        start = min(self._starts[int(place[1]) - 1] + int(place[2]) - 1, len(self._text))
        return start, start + 1, True

    def _tag(self, path: str, line: int) -> re.Match[str] | None:
        """Find the start tag of the element with a path; the n-th start tag is that of the n-th element."""
        name = _STEP.sub("", path).rpartition("/")[2].rpartition(":")[2]
        if (line, name) not in self._paths:
            tags = self._tags_by_line.get((line, name), ())
            self._paths[line, name] = {self._path_of.of(element): tag for element, tag in tags}
        return self._paths[line, name].get(path)

    @cached_property
    def _tags_by_line(self) -> dict[tuple[int, str], list[tuple[etree._Element, re.Match[str]]]]:
        from lxml import etree  # noqa: PLC0415 (the document has loaded it)

        found: dict[tuple[int, str], list[tuple[etree._Element, re.Match[str]]]] = {}
        document = self._document
        if document is None:
            return found
        for element, tag in zip(document.root.iter(etree.Element), self._tags, strict=False):
            found.setdefault((document.line_of(element), tag["name"].rpartition(":")[2]), []).append((element, tag))
        return found

    @cached_property
    def _path_of(self) -> Paths:
        from drmkit.cpix.paths import Paths  # noqa: PLC0415

        assert self._document is not None  # noqa: S101 (only elements of a document have paths)
        return Paths(self._document.root)

    def _mask(self, first: int, last: int) -> str:
        characters = list(self._text[first:last])
        for start, end in self._private(first, last):
            for place in range(max(start, first), min(end, last)):
                if not characters[place - first].isspace():
                    characters[place - first] = "*"
        return printable("".join(" " if character.isspace() else character for character in characters))

    def _private(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Yield what must not be shown of a part of the text: content of keys, and attributes that look like keys."""
        if self._document is None and "\0" in self._text:
            yield first, last  # not the encoding that it was taken for, so that keys look like anything
        if self._document is None:
            for match in _LONG.finditer(self._text, max(first - _MARGIN, 0), last + _MARGIN):
                yield match.span()
            return
        at = max(bisect_right(self._masked, (first, 0)) - 1, 0)
        while at < len(self._masked) and self._masked[at][0] < last:
            yield self._masked[at]
            at += 1
        at = max(bisect_right(self._tags, first, key=re.Match.start) - 1, 0)
        while at < len(self._tags) and self._tags[at].start() < last:
            yield from _key_like(self._tags[at])
            at += 1


def _key_like(tag: re.Match[str]) -> Iterator[tuple[int, int]]:
    offset = tag.start("rest")
    for match in _ATTRIBUTE.finditer(tag["rest"]):
        if match["name"].rpartition(":")[2] not in _PUBLIC_ATTRIBUTES and _KEY_LIKE.fullmatch(match["value"]):
            yield offset + match.start("value") + 1, offset + match.end("value") - 1


def _decode(data: bytes, document: Document | None) -> str:
    encoding = (document.tree.docinfo.encoding if document is not None else None) or "utf-8"
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), encoding)
    try:
        return data.decode(encoding, "replace").removeprefix("\ufeff")
    except LookupError:
        return data.decode("utf-8", "replace").removeprefix("\ufeff")


def _columns(text: str) -> int:
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(unicodedata.combining(character) > 0 for character in text)
