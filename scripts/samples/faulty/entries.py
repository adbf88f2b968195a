"""How the invalid samples are entered, and what several groups of them start from."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from lxml import etree

from drmkit.cpix import Builder, Document
from samples.model import Sample, base, finish, key, kid

KEY = "cpix:ContentKeyList/cpix:ContentKey"
SYSTEM = "cpix:DRMSystemList/cpix:DRMSystem"
RULE = "cpix:ContentKeyUsageRuleList/cpix:ContentKeyUsageRule"
HLS = f"{SYSTEM}/cpix:HLSSignalingData"
PLAIN = f"{KEY}/cpix:Data/pskc:Secret/pskc:PlainValue"
FROM_23 = ("2.3", "2.3.1", "2.4")
TO_231 = ("2.3", "2.3.1")
START = datetime(2026, 1, 31, 20, 0, tzinfo=UTC)

Spoil = Callable[[Document], object]
Entry = tuple[str, str, tuple[str, ...], str | None, tuple[str, ...], bool, Callable[[], bytes]]
_ENTRIES: list[Entry] = []
_DEPARTS = {
    "structure-base64": "libxml2 skips characters outside the alphabet",
    "structure-id-unresolved": "libxml2 does not resolve xs:IDREF",
}


def samples() -> Iterator[Sample]:
    """Return every invalid sample, named after the rule that it is about."""
    for rule, shows, accepts, version, rules, valid, make in _ENTRIES:
        yield Sample(
            path=f"invalid/{rule}.xml",
            shows=shows,
            make=make,
            accepts=accepts,
            version=version,
            rules=rules,
            valid=valid,
            departs=_DEPARTS.get(rule, ""),
        )


def breaks(
    rule: str,
    *also: str,
    shows: str,
    accepts: tuple[str, ...] = (),
    version: str | None = "2.4",
    valid: bool = False,
    start: Callable[[], Document] = base,
) -> Callable[[Spoil], Spoil]:
    """Enter a function that spoils a document; it breaks the rule, and those that go along with it."""

    def enter(spoil: Spoil) -> Spoil:
        def make() -> bytes:
            document = start()
            spoil(document)
            document.touch()
            return finish(document, shows)

        _ENTRIES.append((rule, shows, accepts, version, (rule, *also), valid, make))
        return spoil

    return enter


def raw(rule: str, *, shows: str, make: Callable[[], bytes], version: str | None = None) -> None:
    """Enter a sample that is made of bytes, since no XML library writes it."""
    _ENTRIES.append((rule, shows, (), version, (rule,), False, make))


def put(element: etree._Element, value: bytes | str) -> None:
    """Set the text of an element; bytes become base64."""
    element.text = base64.b64encode(value).decode() if isinstance(value, bytes) else value


def bare(version: str = "2.4") -> Document:
    """Return the small valid document without DRM systems."""
    return base(version, systems=())


def hierarchy() -> Document:
    """Return a document with a root key and two leaf keys."""
    builder = Builder(version="2.4", content_id="sample").content_key(kid=kid("root"), scheme="cenc")
    for name in ("leaf 1", "leaf 2"):
        builder.content_key(kid=kid(name), key=key(name), depends_on=kid("root"))
    return builder.build()
