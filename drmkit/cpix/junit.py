"""Reports as JUnit XML, which continuous integration systems read: a test case for each document."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from lxml import etree

from drmkit.cpix.report import Finding, Report

__all__ = ["to_junit"]

_UNWRITABLE: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SUITE: Final = "drmkit cpix validate"


def to_junit(reports: Iterable[tuple[str, Report]]) -> bytes:
    """Return a JUnit report.

    An invalid document is a failure, one that cannot be read an error; each names all that is wrong in one text, since
    systems show the first failure of a test case only. Warnings and advice are the output of the test case.

    Args:
        reports: the path and the report of each document.
    """
    entries = list(reports)
    failures = sum(report.readable and not report.valid for _, report in entries)
    counts = {
        "tests": str(len(entries)),
        "failures": str(failures),
        "errors": str(sum(not report.readable for _, report in entries)),
    }
    root = etree.Element("testsuites", counts)
    suite = etree.SubElement(root, "testsuite", {"name": _SUITE, **counts, "skipped": "0", "time": "0"})
    for path, report in entries:
        _case(suite, path, report)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)


def _case(suite: etree._Element, path: str, report: Report) -> None:
    name = _clean(path)
    case = etree.SubElement(suite, "testcase", {"classname": "cpix", "name": name, "file": name, "time": "0"})
    errors = report.errors
    if errors:
        kind = "failure" if report.readable else "error"
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        problem = etree.SubElement(
            case, kind, {"type": errors[0].rule, "message": _clean(f"{_line(name, errors[0])}{more}")}
        )
        problem.text = _clean("\n".join(_block(name, finding) for finding in errors))
    rest = [finding for finding in report.findings if finding.severity != "error"]
    if rest:
        etree.SubElement(case, "system-out").text = _clean("\n".join(_block(name, finding) for finding in rest))


def _line(path: str, finding: Finding) -> str:
    return f"{path}:{finding.line}: {finding.message} [{finding.rule}]"


def _block(path: str, finding: Finding) -> str:
    return f"{finding.severity}: {_line(path, finding)}\n  at {finding.path}\n  hint: {finding.hint}"


def _clean(text: str) -> str:
    return _UNWRITABLE.sub("?", text)
