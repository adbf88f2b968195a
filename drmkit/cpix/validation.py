"""Validate a document: structure by the schema of its version, then meaning, security and advice, all at once."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from drmkit.cpix import rules, structure
from drmkit.cpix.document import Document, parse
from drmkit.cpix.notation import VERSIONS
from drmkit.cpix.paths import Paths
from drmkit.cpix.reader import MAX_BYTES, NotCpixError, RefusedXmlError
from drmkit.cpix.report import Finding, Kind, Report
from drmkit.cpix.survey import Survey
from drmkit.errors import CpixError

__all__ = ["check", "report_on", "validate"]

_PROFILES: Final = ("cpix", "speke-1.0", "speke-2.0", "speke-2.1")


def validate(
    document: Document | bytes,
    version: str = "auto",
    profile: str = "cpix",
    *,
    max_bytes: int = MAX_BYTES,
    now: datetime | None = None,
    kinds: frozenset[Kind] | None = None,
) -> Report:
    """Return all findings over a document.

    Args:
        document: a parsed document, or its bytes.
        version: `auto`, or the CPIX version to check against (2.1, 2.2, 2.3, 2.3.1, 2.4). `auto` takes `@version`,
            else the newest version that accepts the document.
        profile: `cpix`, or `speke-1.0`, `speke-2.0`, `speke-2.1` for what AWS's contract asks beyond and instead of it
            (`drmkit.speke.contract`).
        max_bytes: the size cap for bytes.
        now: the time against which certificates are checked; None means the present.
        kinds: check only rules of these kinds beside the structure; None means all.

    Raises:
        CpixError: there is no such version or profile.
    """
    _known(version, ("auto", *VERSIONS), "CPIX version")
    _known(profile, _PROFILES, "profile")
    if not isinstance(document, Document):
        try:
            document = parse(document, max_bytes=max_bytes)
        except (RefusedXmlError, NotCpixError) as refusal:
            return _unreadable(refusal, profile)
    return report_on(Survey(document, now=now), version, profile, kinds)


def report_on(
    survey: Survey, version: str = "auto", profile: str = "cpix", kinds: frozenset[Kind] | None = None
) -> Report:
    """Return all findings over a document of which a survey is at hand; arguments as those of `validate`."""
    document = survey.document
    chosen, reason, findings = _structure(document, version, survey)
    survey.version = chosen
    findings += rules.apply(survey, Paths(document.root, document.line_of), kinds)
    if profile != "cpix":
        from drmkit.speke.contract import apply_profile  # noqa: PLC0415 (plain CPIX needs none of SPEKE)

        findings = list(apply_profile(document, profile, findings))
    findings.sort(key=lambda finding: finding.line)
    return Report(findings=tuple(findings), version=chosen, version_reason=reason, profile=profile)


def check(document: Document | bytes, version: str = "auto", profile: str = "cpix") -> Report:
    """Validate, and raise where the document is not valid.

    Returns:
        The report, which may hold warnings and advice.

    Raises:
        InvalidDocumentError: the document has findings of error severity; the message names the first.
        CpixError: there is no such version or profile.
    """
    report = validate(document, version, profile)
    report.raise_for_errors()
    return report


def _structure(document: Document, version: str, survey: Survey) -> tuple[str, str, list[Finding]]:
    """Return the version, why that one, and the structural findings against it."""
    if version != "auto":
        return version, "it was asked for", structure.check_structure(document, version, survey)
    stated = (document.version or "").strip()
    if stated in VERSIONS:
        return stated, f"the document says version {stated}", structure.check_structure(document, stated, survey)
    why = f"the document says version {stated!r}, which was never published" if stated else "the document names none"
    return _newest_accepting(document, survey, why)


def _newest_accepting(document: Document, survey: Survey, why: str) -> tuple[str, str, list[Finding]]:
    faults: dict[str, int] = {}
    known: dict[str, list[Finding]] = {}
    for candidate in reversed(VERSIONS):
        faults[candidate] = structure.faults_at_head(document, candidate)
        if not faults[candidate]:
            known[candidate] = structure.check_structure(document, candidate, survey)
            faults[candidate] = len(known[candidate])
            if not known[candidate]:
                return candidate, f"{why}, and {candidate} is the newest that accepts it", []
    best = min(faults, key=lambda version: faults[version])
    findings = known[best] if best in known else structure.check_structure(document, best, survey)
    return best, f"{why}, no version accepts it, and {best} has the least against it", findings


def _unreadable(refusal: RefusedXmlError | NotCpixError, profile: str) -> Report:
    finding = Finding(
        rule=refusal.rule,
        kind="xml",
        severity="error",
        line=refusal.line,
        path="/",
        message=refusal.message,
        hint=refusal.hint or "",
        source="XML 1.0 (Fifth Edition); DASH-IF CPIX, CPIX element",
    )
    return Report(
        findings=(finding,), version=None, version_reason="it cannot be read", profile=profile, readable=False
    )


def _known(value: str, choices: tuple[str, ...], what: str) -> None:
    if value not in choices:
        raise CpixError(f"there is no {what} {value!r}", hint=f"one of {', '.join(choices)}")
