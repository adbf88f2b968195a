"""Conformance reports for people and for machines: a table, and JUnit XML for continuous integration."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lxml import etree

from drmkit.cpix.report import Finding
from drmkit.speke.kit.model import CaseResult, KitReport

__all__ = ["to_junit", "to_table"]

_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd]")
_MARKS = {"passed": "ok", "warned": "warn", "failed": "FAIL", "skipped": "skip"}
_MOST = 5


def to_table(report: KitReport, *, verbose: bool = False) -> str:
    """Return a report for people: one line a group, and what was found below it.

    Args:
        report: the report.
        verbose: list the cases that passed, too.
    """
    lines = [f"{'group':14}{'cases':>6}{'ok':>6}{'warn':>6}{'FAIL':>6}"]
    for group in dict.fromkeys(result.group for result in report.results):
        mine = [result for result in report.results if result.group == group]
        counts = [sum(result.outcome == name for result in mine) for name in ("passed", "warned", "failed")]
        lines.append(f"{group:14}{len(mine):6}" + "".join(f"{count:6}" for count in counts))
    for result in report.results:
        if verbose or result.outcome != "passed":
            lines += ["", *_case_lines(result)]
    total = f"{report.count('passed')} of {len(report.results)} cases passed"
    extra = ", ".join(f"{report.count(n)} {n}" for n in ("warned", "failed", "skipped") if report.count(n))
    return "\n".join([*lines, "", f"SPEKE {report.version}: {total}" + (f", {extra}" if extra else "")])


def to_junit(report: KitReport) -> bytes:
    """Return a report as JUnit XML: a test case for each case; warnings are its output."""
    counts = {
        "tests": str(len(report.results)),
        "failures": str(report.count("failed")),
        "errors": "0",
        "skipped": str(report.count("skipped")),
        "time": f"{sum(result.seconds for result in report.results):.3f}",
    }
    root = etree.Element("testsuites", counts)
    suite = etree.SubElement(root, "testsuite", {"name": f"drmkit speke check {report.version}", **counts})
    for result in report.results:
        attributes = {"classname": f"speke.{result.group}", "name": result.name, "time": f"{result.seconds:.3f}"}
        case = etree.SubElement(suite, "testcase", attributes)
        errors = [item for item in result.findings if item.severity == "error"]
        if errors:
            element = etree.SubElement(case, "failure", {"type": errors[0].rule, "message": _xml(errors[0].message)})
            element.text = _xml("\n".join(_lines(errors)))
        warnings = [item for item in result.findings if item.severity != "error"]
        if warnings:
            etree.SubElement(case, "system-out").text = _xml("\n".join(_lines(warnings)))
        if result.outcome == "skipped":
            etree.SubElement(case, "skipped", {"message": _xml(result.reason)})
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)


def _case_lines(result: CaseResult) -> list[str]:
    lines = [f"{_MARKS[result.outcome]:5}{result.group}: {result.name}"]
    told = _lines(result.findings)
    lines += [f"     {line}" for line in told[: 2 * _MOST]]
    if len(told) > 2 * _MOST:
        lines.append(f"     and {len(told) // 2 - _MOST} more")
    return lines


def _lines(findings: Iterable[Finding]) -> list[str]:
    lines = []
    places: dict[tuple[str, str], list[Finding]] = {}
    for item in findings:
        places.setdefault((item.rule, item.message), []).append(item)
    for same in places.values():
        first = same[0]
        place = f"line {first.line}: " if first.line else ""
        more = f" ({len(same)} times)" if len(same) > 1 else ""
        lines += [f"{place}{first.message}{more} [{first.rule}]", f"  -> {first.hint}"]
    return lines


def _xml(text: str) -> str:
    return _NOT_XML.sub("?", text)
