"""`drmkit job check`: everything that a job file contradicts: itself, the API, and its templates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from drmkit.cli.job_access import Access, mps_options
from drmkit.cli.job_files import file_argument, read
from drmkit.cli.output import App, emit, format_option, pass_app

if TYPE_CHECKING:
    from drmkit.mps.findings import Finding

__all__ = ["check"]


@click.command()
@file_argument
@click.option("--online", is_flag=True, help="Ask MPS for the templates that the job names, and check against them.")
@mps_options
@format_option
@pass_app
def check(
    app: App, /, *, file: str, online: bool, form: str, endpoint: str | None, region: str | None, timeout: str | None
) -> int:
    """Find everything that contradicts itself, the API or, with --online, the templates in a job file.

    Exit code 1 if there is an error; a warning alone leaves it at 0.
    """
    from drmkit.mps.findings import errors_of  # noqa: PLC0415 (help needs no models)
    from drmkit.mps.jobfile import examine_secrets  # noqa: PLC0415

    stored, folder = read(file)
    job, findings = examine_secrets(stored, folder)
    templates = None
    if online:
        with Access(app, endpoint, region, timeout) as access:
            templates = access.client.templates(job.definitions) if job.definitions else {}
    findings += job.check(templates)
    errors = errors_of(findings)
    data = {"file": file, "valid": not errors, "findings": [finding.as_dict() for finding in findings]}
    if findings or form == "json":
        emit(form, data, lambda: "\n".join(_text(finding) for finding in findings))
    warnings = len(findings) - len(errors)
    app.talk(f"{file}: {len(errors)} error{'s'[: len(errors) != 1]}, {warnings} warning{'s'[: warnings != 1]}")
    return 1 if errors else 0


def _text(finding: Finding) -> str:
    return f"{finding.severity}: {finding.path}\n  {finding.message}\n  fix: {finding.fix}"
