"""What a check found: every fault with its rule, its place, what to do, and the clause that it comes from."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any, Literal

from drmkit.errors import InvalidDocumentError

__all__ = ["Finding", "Kind", "Report", "Severity"]

Kind = Literal["xml", "structure", "semantics", "security", "advice"]
Severity = Literal["error", "warning", "info"]
_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One fault.

    Args:
        rule: the stable ID of the rule.
        kind: what it is about: `xml`, `structure`, `semantics`, `security` or `advice`.
        severity: `error` makes the document invalid; `warning` and `info` do not.
        line: the line in the input, counted from 1; 0 for what has no place in a file.
        path: where in the document, such as `/CPIX/ContentKeyList/ContentKey[2]/@kid`.
        message: what is wrong, without any secret value.
        hint: what to do about it.
        source: the clause that says so.
    """

    rule: str
    kind: Kind
    severity: Severity
    line: int
    path: str
    message: str
    hint: str
    source: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.message} [{self.rule}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All findings over one document.

    Args:
        findings: in the order of the lines that they are about.
        version: the CPIX version that was checked against, or None where the input could not be read.
        version_reason: why that version.
        profile: the profile that was checked against.
        readable: False where the input is not XML that may be read, or not CPIX.
    """

    findings: tuple[Finding, ...]
    version: str | None
    version_reason: str
    profile: str = "cpix"
    readable: bool = True

    @property
    def valid(self) -> bool:
        """Whether no finding is an error."""
        return all(finding.severity != "error" for finding in self.findings)

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that make the document invalid."""
        return tuple(finding for finding in self.findings if finding.severity == "error")

    def of_kind(self, kind: Kind) -> tuple[Finding, ...]:
        """Return the findings of one kind."""
        return tuple(finding for finding in self.findings if finding.kind == kind)

    @property
    def counts(self) -> dict[str, int]:
        """How many findings there are of each severity."""
        return dict(Counter(finding.severity for finding in self.findings))

    def to_dict(self) -> dict[str, Any]:
        """Return the report as the values of one entry of `documents` in the JSON output, without its path."""
        return {
            "cpix_version": self.version,
            "valid": self.valid,
            "findings": [asdict(finding) for finding in self.findings],
        }

    def raise_for_errors(self) -> None:
        """Raise InvalidDocumentError, naming the first errors, unless the document is valid."""
        errors = self.errors
        if errors:
            first = "; ".join(str(finding) for finding in errors[:_SHOWN])
            more = f"; and {len(errors) - _SHOWN} more" if len(errors) > _SHOWN else ""
            raise InvalidDocumentError(
                f"the document is not valid CPIX {self.version or ''}: {first}{more}".replace(" :", ":"),
                hint=errors[0].hint,
            )
