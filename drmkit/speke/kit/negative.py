"""The cases that a provider must refuse, each with the text that the specification prescribes for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from lxml import etree

from drmkit.cpix.document import Document
from drmkit.cpix.report import Finding
from drmkit.cpix.usage import VideoFilter
from drmkit.identifiers import DrmSystem
from drmkit.speke.contract import MALFORMED, MISSING_CONTRACT, UNSUPPORTED_VERSION
from drmkit.speke.kit.model import Bench, Case, problem
from drmkit.speke.reading import tag

__all__ = ["negative_cases"]

_GROUP: Final = "negative"
_ERRORS: Final = range(400, 600)
_AUTH: Final = frozenset({401, 403})
_ENTITY: Final = "drmkitEntityWasExpanded"
Change = Callable[[Document], None]


def negative_cases(bench: Bench) -> Iterator[Case]:
    """Yield the cases that fit the version and the systems of a bench."""
    yield Case(_GROUP, "an empty body", lambda b: _refused(b, b""))
    yield Case(_GROUP, "a body that is not XML", lambda b: _refused(b, b"this is no document"))
    yield Case(_GROUP, "XML that is not CPIX", lambda b: _refused(b, b"<?xml version='1.0'?><MPD/>"))
    yield Case(_GROUP, "a document that breaks off", lambda b: _refused(b, b.build().to_xml()[:-40]))
    yield Case(_GROUP, "a document type declaration is not followed", _entity)
    for name, parts in (
        ("no content key", ("ContentKey",)),
        ("no list of content keys", ("ContentKeyList",)),
        ("no DRM system", ("DRMSystem",)),
        ("no list of DRM systems", ("DRMSystemList",)),
    ):
        yield _case(name, _without(*parts))
    for element, attribute in (("ContentKey", "kid"), ("DRMSystem", "kid"), ("DRMSystem", "systemId")):
        yield _case(f"{element} without {attribute}", _without_attribute(element, attribute))
    yield _case("a key ID that is no UUID", _bad_kid)
    yield _case("a DRM system of a key that is not there", _dangling)
    if bench.client.version.is_first:
        yield _case("no content ID", lambda document: _set(document.root, "id", None))
        return
    yield from _prescribed(bench)


def _prescribed(bench: Bench) -> Iterator[Case]:
    other = {"2.0": "2.4", "2.1": "2.3"}[bench.version]
    yield _case("no contentId", lambda d: _set(d.root, "contentId", None), "Missing CPIX@contentId")
    yield _case("an empty contentId", lambda d: _set(d.root, "contentId", ""), "Missing CPIX@contentId")
    yield _case("no CPIX version", lambda d: _set(d.root, "version", None), "Missing CPIX@version")
    yield _case("an empty CPIX version", lambda d: _set(d.root, "version", ""), "Missing CPIX@version")
    for version in ("5.0", other):
        yield _case(f"CPIX version {version}", _root_version(version), "Unsupported CPIX@version")
    for version in ("9.9", "2"):
        yield Case(_GROUP, f"X-Speke-Version {version}", _unsupported(version))
    yield Case(_GROUP, "a key without a scheme", _no_scheme)
    mixed = "Non compliant ContentKey@commonEncryptionScheme combination"
    yield _case("two schemes in one document", _two_schemes, mixed)
    if DrmSystem.FAIRPLAY in bench.options.systems:
        text = f"ContentKey@commonEncryptionScheme non compatible with DRMSystem {DrmSystem.FAIRPLAY.system_id}"
        yield _case("FairPlay with cenc", lambda d: _scheme(d, "cenc"), text)
    if DrmSystem.WIDEVINE in bench.options.systems:
        text = f"ContentKey@commonEncryptionScheme non compatible with DRMSystem {DrmSystem.WIDEVINE.system_id}"
        yield _case("Widevine with cbc1", _cbc1_for_widevine, text)
    yield _case("no usage rules", _without("ContentKeyUsageRuleList"), MISSING_CONTRACT)
    yield _case("usage rules without any filter", _without("VideoFilter", "AudioFilter"), MISSING_CONTRACT)
    for name in ("kid", "intendedTrackType"):
        yield _case(f"a usage rule without {name}", _without_attribute("ContentKeyUsageRule", name), MALFORMED)
    yield _case("a usage rule without filters beside others", _one_without_filter, MALFORMED)
    yield _case("one intendedTrackType twice", _type_twice, MALFORMED)
    yield _case("ALL beside other rules", _all_beside_others, MALFORMED)
    yield _case("more filters than parts", _too_many_filters, MALFORMED)
    yield _case("HLS signaling for the media playlist alone", _media_alone)


def _case(name: str, change: Change, text: str | None = None) -> Case:
    def run(bench: Bench) -> Iterator[Finding]:
        request = bench.build()
        change(request)
        yield from _refused(bench, request.to_xml(), text)

    return Case(_GROUP, name, run)


def _refused(
    bench: Bench, body: bytes, text: str | None = None, *, speke_version: str | None = None
) -> Iterator[Finding]:
    """Judge the answer to a request that must be refused: any 4xx or 5xx, and the text where one is prescribed."""
    exchange = bench.send(body, speke_version=speke_version)
    if exchange.status in _AUTH:
        yield problem("kit-unauthorized", f"the provider does not let drmkit in (HTTP {exchange.status})")
    elif exchange.status not in _ERRORS:
        yield problem("kit-not-refused", f"the request was not refused (HTTP {exchange.status})", "answer 422")
    elif text is not None and exchange.text.strip() != text:
        contained = text in exchange.text
        yield problem(
            "kit-error-text",
            f"the refusal says {exchange.text[:80]!r}, not {text!r}",
            "answer the prescribed text and nothing else",
            severity="warning" if contained else "error",
        )


def _entity(bench: Bench) -> Iterator[Finding]:
    body = bench.build().to_xml()
    declared = f'<!DOCTYPE x [<!ENTITY e "{_ENTITY}">]>'.encode()
    start = body.index(b"?>") + 2
    name = b' contentId="' if b' contentId="' in body else b' id="'
    exchange = bench.send(body[:start] + declared + body[start:].replace(name, name + b"&e;", 1))
    if exchange.status == 200:  # noqa: PLR2004 (HTTP's OK)
        expanded = _ENTITY.encode() in exchange.response.body
        said = "and its entity was expanded" if expanded else "though its entity was not expanded"
        hint = "refuse every DOCTYPE: entities can read files and exhaust memory"
        yield problem("kit-doctype", f"a document type declaration was accepted, {said}", hint, severity="warning")


def _root_version(version: str) -> Change:
    return lambda document: _set(document.root, "version", version)


def _unsupported(version: str) -> Callable[[Bench], Iterator[Finding]]:
    return lambda bench: _refused(bench, bench.build().to_xml(), UNSUPPORTED_VERSION, speke_version=version)


def _no_scheme(bench: Bench) -> Iterator[Finding]:
    request = bench.build()
    key = request.content_keys[0]
    key.scheme = None
    text = f"Missing ContentKey@commonEncryptionScheme for KID {key.kid}"
    yield from _refused(bench, request.to_xml(), text)


def _without(*names: str) -> Change:
    def change(document: Document) -> None:
        for element in list(document.root.iter(*(tag(name) for name in names))):
            parent = element.getparent()
            if parent is not None:
                parent.remove(element)

    return change


def _without_attribute(name: str, attribute: str) -> Change:
    def change(document: Document) -> None:
        for element in document.root.iter(tag(name)):
            _set(element, attribute, None)

    return change


def _set(element: etree._Element, name: str, value: str | None) -> None:
    if value is None:
        if name in element.attrib:
            del element.attrib[name]
    else:
        element.set(name, value)


def _bad_kid(document: Document) -> None:
    first = document.content_keys[0].element.get("kid", "")
    for element in document.root.iter(etree.Element):
        if element.get("kid") == first:
            element.set("kid", "not-a-uuid")


def _dangling(document: Document) -> None:
    document.drm_systems[0].element.set("kid", "00000000-0000-4000-8000-000000000000")


def _scheme(document: Document, scheme: str) -> None:
    for key in document.content_keys:
        key.scheme = scheme


def _two_schemes(document: Document) -> None:
    keys = list(document.content_keys)
    keys[0].scheme = "cbcs" if keys[-1].scheme == "cenc" else "cenc"


def _cbc1_for_widevine(document: Document) -> None:
    _scheme(document, "cbc1")
    for entry in list(document.drm_systems):
        if entry.system_id != DrmSystem.WIDEVINE.system_id:
            document.drm_systems.remove(entry)


def _one_without_filter(document: Document) -> None:
    for child in list(document.usage_rules[0].element):
        document.usage_rules[0].element.remove(child)


def _type_twice(document: Document) -> None:
    names = [rule.intended_track_type for rule in document.usage_rules]
    document.usage_rules[1].intended_track_type = names[0]


def _all_beside_others(document: Document) -> None:
    document.usage_rules[0].intended_track_type = "ALL"


def _too_many_filters(document: Document) -> None:
    rule = next(rule for rule in document.usage_rules if rule.video_filters)
    rule.add_filters([VideoFilter(min_pixels=100)])


def _media_alone(document: Document) -> None:
    for element in list(document.root.iter(tag("HLSSignalingData"))):
        parent = element.getparent()
        if element.get("playlist") != "media" and parent is not None:
            parent.remove(element)
