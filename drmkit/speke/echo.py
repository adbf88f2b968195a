"""Compares an answer with its request: nothing that the encryptor said may be missing or say something else.

A provider may give a key another ID, as long as it does so everywhere
(https://docs.aws.amazon.com/speke/latest/documentation/kid-override-v2.html), and may add keys, boxes and IVs where
they belong. It never touches contentId, version, scheme and usage rules.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from drmkit.cpix.document import Document
from drmkit.cpix.paths import Paths
from drmkit.cpix.report import Finding, Severity
from drmkit.cpix.values import parse_datetime, text_of
from drmkit.speke.reading import KEY_LIST, PERIOD_LIST, RULE_LIST, SYSTEM_LIST, is_empty, local_name, tag

__all__ = ["compare"]

_PAGE: Final = "https://docs.aws.amazon.com/speke/latest/documentation/speke-constraints-v2.html"
_OVERRIDE: Final = "https://docs.aws.amazon.com/speke/latest/documentation/kid-override-v2.html"
_LISTS: Final = {KEY_LIST, SYSTEM_LIST, RULE_LIST, PERIOD_LIST}
_HINT: Final = "answer with the request itself, and only fill its empty places"
_IDS: Final = frozenset({"kid", "systemId"})
_TIMES: Final = frozenset({"start", "end"})
_FILLED: Final = frozenset({"explicitIV"})
_RULES_ADDED: Final = "the usage rules come back as they were sent"
_MAY_GROW: Final = {
    tag("ContentKey"): {tag("Data")},
    tag("DeliveryData"): {tag("DocumentKey"), tag("MACMethod")},
    tag("CPIX"): {tag("UpdateHistoryItemList")},
}


@dataclass(slots=True)
class _Comparison:
    """The state of one comparison: what was found, and which key IDs were given other names."""

    paths: Paths
    found: list[Finding] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)

    def tell(
        self, rule: str, element: etree._Element, message: str, hint: str = _HINT, severity: Severity = "error"
    ) -> None:
        """Enter a finding; `element` is of the answer."""
        source = _OVERRIDE if rule.startswith("speke-echo-kid") else _PAGE
        path, line = self.paths.of(element), self.paths.line_of(element)
        self.found.append(
            Finding(
                rule=rule,
                kind="semantics",
                severity=severity,
                line=line,
                path=path,
                message=message,
                hint=hint,
                source=source,
            )
        )


def compare(request: Document, answer: Document) -> list[Finding]:
    """Return everything in which an answer does not give back its request; lines are those of the answer.

    Args:
        request: what was sent.
        answer: what came back.
    """
    state = _Comparison(Paths(answer.root, answer.line_of))
    state.renamed = _renamed(request, answer, state)
    _attributes(state, request.root, answer.root)
    _children(state, request.root, answer.root)
    return sorted(state.found, key=lambda finding: finding.line)


def _renamed(request: Document, answer: Document, state: _Comparison) -> dict[str, str]:
    """Return the new ID of each key that got one; the keys that are left over on both sides pair up in their order."""
    asked = [_id(element) for element in request.content_keys.elements()]
    given = [_id(element) for element in answer.content_keys.elements()]
    gone = [kid for kid in asked if kid not in given]
    new = [kid for kid in given if kid not in asked]
    renamed = dict(zip(gone, new, strict=False))
    for old, other in renamed.items():
        for name, elements in (("DRMSystem", answer.drm_systems), ("ContentKeyUsageRule", answer.usage_rules)):
            for element in elements.elements():
                if _id(element) == old:
                    message = f"{name} still names the key {old}, which the answer calls {other}"
                    state.tell("speke-echo-kid-half", element, message, "give a key its new ID everywhere")
        first = next(e for e in answer.content_keys.elements() if _id(e) == other)
        message = f"the key {old} came back as {other}"
        state.tell("speke-echo-kid", first, message, "SPEKE allows it; the encryptor must use the new ID", "info")
    return renamed


def _id(element: etree._Element) -> str:
    return (element.get("kid") or "").strip().lower()


def _children(state: _Comparison, asked: etree._Element, given: etree._Element) -> None:
    left: dict[tuple[str, ...], list[etree._Element]] = {}
    for child in given.iterchildren(etree.Element):
        left.setdefault(_identity(child, {}), []).append(child)
    for child in asked.iterchildren(etree.Element):
        same = left.get(_identity(child, state.renamed))
        if not same:
            rule = "speke-echo-rule" if _within_rules(given) or child.tag == RULE_LIST else "speke-echo-missing"
            state.tell(rule, given, f"{_shown(child)} of the request is missing")
            continue
        found = same.pop(0)
        _attributes(state, child, found)
        _children(state, child, found)
        _text(state, child, found)
    for extra in (element for elements in left.values() for element in elements):
        _extra(state, asked, extra)


def _extra(state: _Comparison, parent: etree._Element, extra: etree._Element) -> None:
    if extra.tag in _MAY_GROW.get(str(parent.tag), set()) or etree.QName(parent).localname in {"Data", "Secret"}:
        return
    if _within_rules(extra):
        # A request without any rules, as of version 1.0, has nothing that added ones could contradict.
        alone = extra.tag == RULE_LIST and next(parent.iterchildren(RULE_LIST), None) is None
        severity: Severity = "warning" if alone else "error"
        state.tell("speke-echo-rule", extra, f"{_shown(extra)} was not in the request", _RULES_ADDED, severity)
    elif parent.tag in _LISTS:
        state.tell("speke-echo-extra", extra, f"{_shown(extra)} was not asked for")
    else:
        state.tell("speke-echo-extra", extra, f"{_shown(extra)} was not in the request", severity="info")


def _attributes(state: _Comparison, asked: etree._Element, given: etree._Element) -> None:
    for name, value in asked.attrib.items():
        wanted = state.renamed.get(str(value).strip().lower(), str(value)) if name == "kid" else str(value)
        actual = given.get(str(name))
        if actual is None:
            state.tell(
                _rule_of(given, str(name)), given, f"{_shown(given)} has lost its {name!s}", severity=_weight(str(name))
            )
        elif wanted.strip() and not _READ.get(str(name), _exactly)(wanted, actual):
            message = f"{_shown(given)}: {name!s} was {wanted[:60]!r} and is {actual[:60]!r}"
            state.tell(_rule_of(given, str(name)), given, message, severity=_weight(str(name)))
    for name in given.attrib:
        if name not in asked.attrib and name not in _FILLED:
            _added(state, given, str(name))


def _added(state: _Comparison, given: etree._Element, name: str) -> None:
    message = f"{_shown(given)} has got a {name}"
    if _within_rules(given):
        state.tell("speke-echo-rule", given, message, _RULES_ADDED)
    elif given.tag == tag("CPIX") and name == "id":
        state.tell("speke-echo-id", given, message, "contentId names the content; version 2.0 and later have no id")
    else:
        state.tell("speke-echo-extra", given, message, severity="info")


def _weight(name: str) -> Severity:
    # The provider decides about IVs, and the specification lets it.
    return "warning" if name in _FILLED else "error"


def _rule_of(element: etree._Element, name: str) -> str:
    if _within_rules(element):
        return "speke-echo-rule"
    known = {"contentId": "content-id", "version": "version", "commonEncryptionScheme": "scheme"}
    if name in known and element.tag in {tag("CPIX"), tag("ContentKey")}:
        return f"speke-echo-{known[name]}"
    return "speke-echo-period" if element.tag == tag("ContentKeyPeriod") else "speke-echo-changed"


def _text(state: _Comparison, asked: etree._Element, given: etree._Element) -> None:
    if is_empty(asked) or next(asked.iterchildren(etree.Element), None) is not None:
        return
    if "".join(text_of(asked).split()) != "".join(text_of(given).split()):
        state.tell("speke-echo-changed", given, f"{_shown(given)} had a value in the request, and has another one")


def _within_rules(element: etree._Element) -> bool:
    return any(parent.tag == RULE_LIST for parent in (element, *element.iterancestors()))


def _identity(element: etree._Element, renamed: dict[str, str]) -> tuple[str, ...]:
    """Return what makes an element of the answer the one of the request."""
    name = str(element.tag)
    kid = _id(element)
    kid = renamed.get(kid, kid)
    get = element.get
    if name == tag("ContentKey"):
        return name, kid
    if name == tag("DRMSystem"):
        return name, kid, (get("systemId") or "").strip().lower()
    if name == tag("ContentKeyUsageRule"):
        return name, kid, (get("intendedTrackType") or "").strip()
    if name == tag("ContentKeyPeriod"):
        return name, (get("id") or "").strip()
    if name == tag("HLSSignalingData"):
        return name, "media" if get("playlist") in {None, "media", "variant"} else "master"
    return (name,)


def _shown(element: etree._Element) -> str:
    name = local_name(element)
    for attribute in ("kid", "playlist", "id"):
        if element.get(attribute) is not None:
            return f"{name} {(element.get(attribute) or '')[:60]}"
    return name


def _exactly(asked: str, given: str) -> bool:
    return asked == given


def _same_id(asked: str, given: str) -> bool:
    return asked.strip().lower() == given.strip().lower()


def _same_time(asked: str, given: str) -> bool:
    try:
        return parse_datetime(asked) == parse_datetime(given)
    except (ValueError, OverflowError):
        return asked == given


_READ: Final[dict[str, Callable[[str, str], bool]]] = {
    **dict.fromkeys(_IDS, _same_id),
    **dict.fromkeys(_TIMES, _same_time),
}
