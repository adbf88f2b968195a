"""A conformance kit for key providers: what AWS's verification suite asks of its customers' providers, and more.

    report = run_kit(client, KitOptions())
    report.ok, report.results

https://github.com/awslabs/speke-reference-server holds AWS's suite, whose cases are all among these.
"""

from drmkit.speke.kit.model import Case, CaseResult, KitOptions, KitReport, Outcome
from drmkit.speke.kit.report import to_junit, to_table
from drmkit.speke.kit.run import cases_for, run_kit

__all__ = [
    "Case",
    "CaseResult",
    "KitOptions",
    "KitReport",
    "Outcome",
    "cases_for",
    "run_kit",
    "to_junit",
    "to_table",
]
