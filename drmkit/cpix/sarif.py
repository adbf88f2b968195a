"""Reports in SARIF 2.1.0 (OASIS), which code hosts and editors show beside the lines."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import quote

from drmkit.cpix.catalog import catalog
from drmkit.cpix.report import Finding, Report

__all__ = ["to_sarif"]

_LEVELS: Final = {"error": "error", "warning": "warning", "info": "note"}


def to_sarif(reports: Iterable[tuple[str, Report]], *, tool_version: str) -> dict[str, Any]:
    """Return a SARIF log with one run over all documents.

    Args:
        reports: the path and the report of each document; `-` stands for standard input.
        tool_version: the version of drmkit.
    """
    entries = list(reports)
    used = {finding.rule for _, report in entries for finding in report.findings}
    rules = [
        _descriptor(entry.id, entry.summary, entry.hint, entry.severity) for entry in catalog() if entry.id in used
    ]
    known = {rule["id"] for rule in rules}
    rules += [_descriptor(rule, rule, "", "error") for rule in sorted(used - known)]
    index = {rule["id"]: position for position, rule in enumerate(rules)}
    results = [_result(path, finding, index) for path, report in entries for finding in report.findings]
    run = {
        "tool": {"driver": {"name": "drmkit", "semanticVersion": tool_version, "rules": rules}},
        "invocations": [{"executionSuccessful": all(report.readable for _, report in entries)}],
        "artifacts": [{"location": {"uri": _uri(path)}} for path, _ in entries],
        "results": results,
    }
    return {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}


def _descriptor(rule: str, summary: str, hint: str, severity: str) -> dict[str, Any]:
    descriptor: dict[str, Any] = {
        "id": rule,
        "shortDescription": {"text": summary},
        "defaultConfiguration": {"level": _LEVELS[severity]},
    }
    if hint:
        descriptor["help"] = {"text": hint}
    return descriptor


def _result(path: str, finding: Finding, index: dict[str, int]) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(path)}}
    if finding.line > 0:
        place["region"] = {"startLine": finding.line}
    return {
        "ruleId": finding.rule,
        "ruleIndex": index[finding.rule],
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{finding.message}. {finding.hint}" if finding.hint else finding.message},
        "locations": [{"physicalLocation": place, "logicalLocations": [{"fullyQualifiedName": finding.path}]}],
        "properties": {"kind": finding.kind, "source": finding.source},
    }


def _uri(path: str) -> str:
    if path == "-":
        return "stdin"
    pure = PurePath(path)
    text = quote(pure.as_posix(), safe="/")
    return f"file://{text}" if pure.is_absolute() else text
