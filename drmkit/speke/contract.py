"""The contract of a request: every rule with its ID, the versions that have it, and the text that a provider answers.

https://docs.aws.amazon.com/speke/latest/documentation/speke-constraints-v2.html names the texts, the pages on payload
components and on the encryption contract the rules. Where AWS prescribes no text, drmkit's own follows the same form.
A provider answers the first breach with a 4xx and its text; as a validation profile (`findings`), all are told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from typing import Final

from lxml import etree

from drmkit.cpix.document import Document
from drmkit.cpix.paths import Paths
from drmkit.cpix.report import Finding, Severity
from drmkit.errors import ConfigurationError
from drmkit.speke.reading import Reading
from drmkit.speke.versions import VERSIONS, SpekeVersion, named

__all__ = [
    "MALFORMED",
    "MISSING_CONTRACT",
    "NOT_SUPPORTED",
    "STATUS",
    "UNSUPPORTED_VERSION",
    "Breach",
    "Refusal",
    "Rule",
    "all_rules",
    "apply_profile",
    "check_header",
    "findings",
    "first_refusal",
    "rule",
]

MALFORMED: Final = "Malformed encryption contract"
MISSING_CONTRACT: Final = "Missing CPIX encryption contract"
NOT_SUPPORTED: Final = "Requested CPIX encryption contract not supported"
"""For a provider whose DRM security levels do not allow what is asked for: see `provider.Provider`."""
UNSUPPORTED_VERSION: Final = "Unsupported SPEKE version"
STATUS: Final = 422
"""The HTTP status that the specification suggests for every breach."""

_DOCS: Final = "https://docs.aws.amazon.com/speke/latest/documentation/"
_MODULES: Final = ("requestrules", "contractrules", "answerrules")


@dataclass(frozen=True, slots=True)
class Breach:
    """One place where a document breaks a rule.

    Attributes:
        element: where.
        message: what is wrong there, for people; holds no secret.
        subject: what the rule's error text names, such as a key ID.
        attribute: the attribute that it is about, or None.
        severity: where this place weighs otherwise than the rule does in general.
    """

    element: etree._Element
    message: str
    subject: str = ""
    attribute: str | None = None
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a provider answers to a request that breaks the contract.

    Attributes:
        rule: the ID of the rule.
        text: the error text, which is the body of the answer.
        status: the HTTP status.
    """

    rule: str
    text: str
    status: int = STATUS


Check = Callable[[Reading], Iterator[Breach]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        id: its stable ID.
        summary: the rule in one sentence.
        text: the error text, `{}` for what the breach names; "" for what a provider does not refuse.
        versions: the names of the versions that have it.
        severity: what a breach means for a validation report.
        answers_only: whether it is about what a provider fills in, so that a request cannot break it.
        page: the page of the specification that says so.
        hint: what to do.
        check: finds the breaches.
    """

    id: str
    summary: str
    text: str
    versions: frozenset[str]
    severity: Severity
    answers_only: bool
    page: str
    hint: str
    check: Check

    @property
    def source(self) -> str:
        """The clause, as an address."""
        return _DOCS + self.page

    def refusal(self, breach: Breach) -> Refusal:
        """Return what a provider answers to a breach."""
        return Refusal(self.id, self.text.format(breach.subject))


_CATALOG: Final[dict[str, Rule]] = {}


def rule(
    rule_id: str,
    text: str,
    *,
    page: str,
    hint: str,
    versions: Iterable[str] = ("2.0", "2.1"),
    severity: Severity = "error",
    answers_only: bool = False,
) -> Callable[[Check], Check]:
    """Enter a function into the catalog; the first line of its docstring is the rule in one sentence."""

    def enter(check: Check) -> Check:
        summary = (check.__doc__ or "").strip().splitlines()[0]
        _CATALOG[rule_id] = Rule(rule_id, summary, text, frozenset(versions), severity, answers_only, page, hint, check)
        return check

    return enter


@cache
def all_rules() -> tuple[Rule, ...]:
    """Return every rule, in the order in which a provider checks them."""
    for module in _MODULES:
        import_module(f"drmkit.speke.{module}")
    return tuple(_CATALOG.values())


@cache
def _rules_of(version: str) -> tuple[Rule, ...]:
    return tuple(rule for rule in all_rules() if version in rule.versions)


def check_header(header: str | None, supported: Iterable[str] = tuple(VERSIONS)) -> SpekeVersion | Refusal:
    """Return the version that a request's `X-Speke-Version` asks for; a request without it is of version 1.0.

    Args:
        header: the header's value, or None.
        supported: the names of the versions that the provider speaks.
    """
    name = "1.0" if header is None else header.strip()
    if name in VERSIONS and name in supported:
        return VERSIONS[name]
    return Refusal("speke-version-header", UNSUPPORTED_VERSION)


def first_refusal(reading: Reading) -> Refusal | None:
    """Return what a provider answers to a request, or None where the request keeps the contract.

    Args:
        reading: the request, read as of the version of its `X-Speke-Version`.
    """
    for rule in _rules_of(reading.version.name):
        if not rule.text or rule.answers_only or rule.severity != "error":
            continue
        for breach in rule.check(reading):
            if breach.severity in {None, "error"}:
                return rule.refusal(breach)
    return None


def findings(document: Document, version: str, *, answered: bool = False) -> list[Finding]:
    """Return all findings over a document, as the validation profile `speke-<version>` tells them.

    Args:
        document: a request or an answer; the rules for answers hold once a key is in it.
        version: `1.0`, `2.0` or `2.1`; `speke-2.0` is the same.
        answered: it is known for an answer, so that those rules hold even if there is no key in it at all.

    Raises:
        ConfigurationError: there is no such version.
    """
    speke = named(version.removeprefix("speke-"))
    reading = Reading(document, speke)
    paths = Paths(document.root, document.line_of)
    found = []
    for rule in _rules_of(speke.name):
        if answered or reading.is_answer or not rule.answers_only:
            found += [_finding(rule, breach, paths) for breach in rule.check(reading)]
    return sorted(found, key=lambda finding: finding.line)


def apply_profile(document: Document, profile: str, cpix: Iterable[Finding]) -> list[Finding]:
    """Return the findings of the CPIX rules without those that SPEKE overrules, and those of SPEKE's own rules.

    SPEKE 2.1 writes `master` where CPIX 2.4 says `multiVariant`; content IDs, which may begin with a digit, stand in
    `CPIX@id` in version 1.0; requests and providers put the children of DRMSystem in orders of their own; a request
    names its recipients before there is anything to decrypt, and leaves attributes empty for the provider to fill; a
    rule for everything holds filters of both kinds; of rules that overlap, the last one counts; and certificates have
    RSA keys of 2048 bits.

    Args:
        document: the document.
        profile: `speke-1.0`, `speke-2.0` or `speke-2.1`.
        cpix: the findings of the CPIX rules.
    """
    if profile.removeprefix("speke-") not in VERSIONS:
        raise ConfigurationError(f"there is no profile {profile!r}", hint="speke-1.0, speke-2.0 or speke-2.1")
    reading = Reading(document, named(profile.removeprefix("speke-")))
    places = frozenset[str]() if reading.is_answer else _empty_attributes(document)
    kept = []
    for finding in cpix:
        if finding.path in places:
            continue
        change = _OVERRULED.get(finding.rule)
        verdict: Severity | None = finding.severity if change is None else change(finding, reading)
        if verdict is not None:
            kept.append(finding if verdict == finding.severity else replace(finding, severity=verdict))
    return sorted([*kept, *findings(document, profile)], key=lambda finding: finding.line)


def _empty_attributes(document: Document) -> frozenset[str]:
    paths = Paths(document.root, document.line_of)
    return frozenset(
        f"{paths.of(element)}/@{name!s}"
        for element in document.root.iter(etree.Element)
        for name, value in element.attrib.items()
        if not value
    )


def _finding(rule: Rule, breach: Breach, paths: Paths) -> Finding:
    path = paths.of(breach.element)
    return Finding(
        rule=rule.id,
        kind="semantics",
        severity=breach.severity or rule.severity,
        line=paths.line_of(breach.element),
        path=f"{path}/@{breach.attribute}" if breach.attribute else path,
        message=breach.message,
        hint=rule.hint,
        source=rule.source,
    )


Overruling = Callable[[Finding, Reading], Severity | None]


def _recipient(finding: Finding, reading: Reading) -> Severity | None:
    return None if not reading.is_answer and "/DeliveryData" in finding.path else finding.severity


def _playlist(finding: Finding, reading: Reading) -> Severity | None:
    return None if reading.version.name == "2.1" else finding.severity


def _id(finding: Finding, reading: Reading) -> Severity | None:
    own = finding.path == "/CPIX/@id" and reading.version.is_first
    return "info" if own or "/ContentKeyPeriod" in finding.path else finding.severity


def _order(finding: Finding, reading: Reading) -> Severity | None:  # noqa: ARG001 (all overrulings have one form)
    return "warning" if "/DRMSystem/" in finding.path or "/DRMSystem[" in finding.path else finding.severity


def _overlap(finding: Finding, reading: Reading) -> Severity | None:  # noqa: ARG001 (all overrulings have one form)
    return "warning"


def _told_otherwise(finding: Finding, reading: Reading) -> Severity | None:  # noqa: ARG001 (all have one form)
    return None


_OVERRULED: Final[dict[str, Overruling]] = {
    "structure-playlist-name": _playlist,
    "structure-id": _id,
    "structure-element-unexpected": _order,
    "structure-element-missing": _recipient,
    "document-key-missing": _recipient,
    "mac-method-missing": _recipient,
    "rule-overlap": _overlap,
    "rule-never-matches": _told_otherwise,
    "certificate-key": _told_otherwise,
}
