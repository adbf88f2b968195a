"""Rules about content keys: their IDs, lengths and schemes, and the hierarchy among them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from drmkit.cpix.notation import VERSIONS
from drmkit.cpix.records import UUID, KeyRow
from drmkit.cpix.rows import PLAIN
from drmkit.cpix.rules import Hit, rule
from drmkit.cpix.survey import Survey

__all__: list[str] = []

_KEY: Final = "DASH-IF CPIX 2.4, ContentKey element"
_UNTYPED: Final = ("2.1", "2.2", "2.3")
_SCHEMES: Final = ("cenc", "cens", "cbc1", "cbcs")
_HLS_METHODS: Final = ("AES-128", "SAMPLE-AES", "SAMPLE-AES-CTR")
_IV_SIZE: Final = 16
_KEY_SIZES: Final = (16, 32)


@rule(
    "kid-format",
    source="ISO/IEC 23001-7, clause 11.2; DASH-IF CPIX 2.4, ContentKey@kid",
    hint="8-4-4-4-12 hexadecimal digits",
)
def kid_format(survey: Survey) -> Iterator[Hit]:
    """Key IDs and system IDs are UUIDs (the schemas up to 2.3 take any text)."""
    if survey.version not in _UNTYPED:
        return
    yield from _odd_keys(survey)
    match = UUID.fullmatch
    for what, found, known in (
        ("kid", survey.system_kids, survey.keys_by_kid.keys()),
        ("systemId", survey.system_ids, ()),
    ):
        odd = {text for text in set(found).difference(known) if not match(text)}
        for position, text in enumerate(found) if odd else ():
            if text in odd:
                yield Hit(survey.system_elements[position], f"{what} {text[:60]!r} is not a UUID", what)
    for kid, elements in survey.rules_by_kid.items():
        if not match(kid):
            for element in elements:
                yield Hit(element, f"kid {kid[:60]!r} is not a UUID", "kid")


@rule(
    "kid-duplicate", source=f"{_KEY}, @kid", hint="every content key has an ID of its own; remove or rename one of them"
)
def kid_duplicate(survey: Survey) -> Iterator[Hit]:
    """No two content keys have the same ID."""
    for row in survey.keys:
        first = survey.keys_by_kid[row.kid]
        if first is not row:
            yield Hit(
                row.element, f"content key {row.kid} is there twice, first in line {first.element.sourceline}", "kid"
            )


@rule("depends-on-leaf", source=f"{_KEY}, @dependsOnKey", hint="a hierarchy has two levels: a root key and its leaves")
def depends_on_leaf(survey: Survey) -> Iterator[Hit]:
    """The key on which a leaf key depends is not a leaf itself."""
    for row in survey.keys:
        root = survey.keys_by_kid.get(row.depends_on) if row.depends_on is not None else None
        if root is not None and root.depends_on is not None:
            what = "itself" if root is row else f"{root.kid}, which is a leaf"
            yield Hit(row.element, f"content key {row.kid} depends on {what}", "dependsOnKey")


@rule("leaf-properties", source=f"{_KEY}, @dependsOnKey", hint="set it at the root key, for all keys of the hierarchy")
def leaf_properties(survey: Survey) -> Iterator[Hit]:
    """A leaf key has no protection scheme, content ID or HDCP data of its own."""
    for row in survey.keys:
        if row.depends_on is None:
            continue
        if row.scheme is not None:
            yield Hit(row.element, f"leaf key {row.kid} has a commonEncryptionScheme", "commonEncryptionScheme")
        if row.content_id is not None:
            yield Hit(row.element, f"leaf key {row.kid} has a contentId", "contentId")
        if row.hdcp is not None:
            yield Hit(row.hdcp, f"leaf key {row.kid} has HDCPData")


@rule("content-id-twice", source=f"{_KEY}, @contentId", hint="keep it at the document, or at every key, not at both")
def content_id_twice(survey: Survey) -> Iterator[Hit]:
    """The content ID stands at the document or at its keys, not at both."""
    if survey.document.root.get("contentId") is not None:
        for row in survey.keys:
            if row.content_id is not None:
                yield Hit(row.element, f"content key {row.kid} and the document both have a contentId", "contentId")


@rule("version-unknown", source="DASH-IF CPIX 2.4, CPIX@version", hint=f"published are {', '.join(VERSIONS)}")
def version_unknown(survey: Survey) -> Iterator[Hit]:
    """The version that a document names was published."""
    stated = survey.document.root.get("version")
    if stated is not None and stated.strip() not in VERSIONS:
        yield Hit(survey.document.root, f"there is no CPIX version {stated[:20]!r}", "version")


@rule("iv-length", source=f"{_KEY}, @explicitIV", hint="base64 of exactly 16 bytes")
def iv_length(survey: Survey) -> Iterator[Hit]:
    """An explicit IV is 128 bits long, in base64."""
    for row in survey.keys:
        if row.iv is not None and len(row.iv) != _IV_SIZE:
            size = "not base64" if row.element in survey.bad else f"{len(row.iv) * 8} bits long, not 128"
            yield Hit(row.element, f"the explicit IV of content key {row.kid} is {size}", "explicitIV")


@rule(
    "scheme-unknown", source=f"{_KEY}, @commonEncryptionScheme; ISO/IEC 23001-7", hint=f"one of {', '.join(_SCHEMES)}"
)
def scheme_unknown(survey: Survey) -> Iterator[Hit]:
    """A protection scheme is one of Common Encryption or, from 2.3.1 on, a METHOD of HLS."""
    allowed = {*_SCHEMES, *_HLS_METHODS} if survey.version in ("2.3.1", "2.4") else set(_SCHEMES)
    for row in survey.keys:
        if row.scheme is not None and row.scheme not in allowed:
            yield Hit(
                row.element,
                f"scheme {row.scheme[:40]!r} of content key {row.kid} is not known in CPIX {survey.version}",
                "commonEncryptionScheme",
                hint=f"one of {', '.join(sorted(allowed))}",
            )


@rule(
    "scheme-mixed",
    source="DASH-IF CPIX 2.4, Content Keys with Several Protection Encryption Schemes",
    hint="write one document for each scheme",
)
def scheme_mixed(survey: Survey) -> Iterator[Hit]:
    """The keys of one content have one protection scheme."""
    first: dict[str | None, KeyRow] = {}
    for row in survey.keys:
        if row.scheme is not None:
            other = first.setdefault(row.content_id, row)
            if other.scheme != row.scheme:
                yield Hit(
                    row.element,
                    f"content key {row.kid} is for {row.scheme[:20]!r}, key {other.kid} for {other.scheme!r}",
                    "commonEncryptionScheme",
                )


@rule(
    "key-length",
    source="DASH-IF CPIX 2.4, Key Encryption and Authentication",
    hint="AES-128 keys have 16 bytes; 32 is for AES-256",
)
def key_length(survey: Survey) -> Iterator[Hit]:
    """A content key in the clear has 16 bytes (or 32, for AES-256)."""
    for row in survey.keys:
        if row.plain is not None and len(row.plain) not in _KEY_SIZES and row.part(PLAIN) not in survey.bad:
            yield Hit(row.part(PLAIN), f"content key {row.kid} has {len(row.plain)} bytes, not 16 or 32")


@rule(
    "key-length-256",
    kind="advice",
    severity="info",
    source="ISO/IEC 23001-7",
    hint="Common Encryption uses AES-128; few players take longer keys",
)
def key_length_256(survey: Survey) -> Iterator[Hit]:
    """A content key of 256 bits is unusual."""
    for row in survey.keys:
        if row.plain is not None and len(row.plain) == _KEY_SIZES[1]:
            yield Hit(row.part(PLAIN), f"content key {row.kid} has 256 bits")


@rule(
    "secret-namespace",
    severity="warning",
    source="RFC 6030, KeyDataType",
    hint="write Secret and PlainValue in the namespace of PSKC",
)
def secret_namespace(survey: Survey) -> Iterator[Hit]:
    """The secret of a key stands in the namespace of PSKC, where readers look for it."""
    for row in survey.keys:
        if row.plain is None and row.encrypted is None:
            for element in row.element.iter("{urn:dashif:org:cpix}Secret"):
                yield Hit(
                    element, f"the Secret of content key {row.kid} is in the namespace of CPIX: most readers see no key"
                )


def _odd_keys(survey: Survey) -> Iterator[Hit]:
    for row in survey.keys:
        if not UUID.fullmatch(row.kid):
            yield Hit(row.element, f"kid {row.kid[:60]!r} is not a UUID", "kid")
        if row.depends_on is not None and not UUID.fullmatch(row.depends_on):
            yield Hit(row.element, f"dependsOnKey {row.depends_on[:60]!r} is not a UUID", "dependsOnKey")
