"""`drmkit job`: make, check and submit jobs for Tencent MPS, and follow them to their end."""

from __future__ import annotations

import click

from drmkit.cli.lazy import LazyGroup

__all__ = ["job"]

_COMMANDS = {
    "new": ("drmkit.cli.job_new:new", "Print a job file."),
    "check": ("drmkit.cli.job_check:check", "Find everything that contradicts itself in a job file."),
    "submit": ("drmkit.cli.job_submit:submit", "Submit a job and print its task ID."),
    "run": ("drmkit.cli.job_submit:run", "Submit a job, wait for its end, and say how it went."),
    "filename": ("drmkit.cli.job_filename:filename", "Show the variables of file names, and what a name becomes."),
}


@click.group(cls=LazyGroup, commands_by_name=_COMMANDS)
def job() -> None:
    """Make, check and submit jobs for Tencent's Media Processing Service (MPS).

    A job file is a request in JSON or TOML (ProcessMedia, ProcessLiveStream, or ProcessMediaByMPS for VOD) that names
    its key sources (drmtoday:PROFILE) instead of holding tickets.
    """
