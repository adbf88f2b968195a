"""`drmkit job submit` and `drmkit job run`: send a job once, and follow it to its end."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import click

from drmkit.cli.job_access import Access, mps_options
from drmkit.cli.job_files import file_argument, read
from drmkit.cli.job_report import FIRST_QUESTION_SECONDS, Progress, following, verdict_fields, verdict_text
from drmkit.cli.output import App, emit, format_option, pass_app
from drmkit.cli.sandbox import Duration
from drmkit.errors import TemporaryError

if TYPE_CHECKING:
    from drmkit.mps.faults import ApiInputError
    from drmkit.mps.jobfile import AnyJob
    from drmkit.provisioning import Outcome, Submission

__all__ = ["run", "submit"]

F = TypeVar("F", bound=Callable[..., Any])

_REMEMBERED_SECONDS = 7 * 86400.0
_OPTIONS = (
    file_argument,
    click.option(
        "--attempt",
        type=click.IntRange(0, 9999),
        default=0,
        metavar="NUMBER",
        help="Another number gives another SessionId: MPS accepts the same job a second time.",
    ),
    click.option("--dry-run", is_flag=True, help="Print the request that would be sent; mint and send nothing."),
    click.option("--reveal", is_flag=True, help="Print the request of --dry-run with its secrets."),
    mps_options,
    format_option,
)


def _job_options(function: F) -> F:
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


@click.command()
@_job_options
@pass_app
def submit(app: App, /, *, file: str, attempt: int, dry_run: bool, reveal: bool, form: str, **where: Any) -> None:
    """Check a job, mint a ticket for each DRM task that names a key source, submit it, and print its task ID.

    The same job is accepted once: its SessionId is derived from its content unless the file states one.
    """
    job = _ready(app, file, attempt)
    with _access(app, where) as access:
        if dry_run:
            _show_request(access, job, attempt, form, reveal=reveal)
            return
        from drmkit.mps.faults import ApiInputError  # noqa: PLC0415
        from drmkit.provisioning import submit as send  # noqa: PLC0415

        try:
            made = send(job, client=access.client_for(job), mint=access.mint, attempt=attempt)
        except ApiInputError as error:
            _name_the_earlier_task(access, job, attempt, error)
            raise
        url = access.endpoint_for(job).url
        emit(form, {**_submission_fields(made), "endpoint": url}, made.task_id)
        app.talk(f"submitted to {url}; `drmkit task wait {made.task_id}` follows it")


@click.command()
@_job_options
@click.option("--deadline", type=Duration(), default="6h", show_default=True, help="How long to wait for its end.")
@pass_app
def run(
    app: App,
    /,
    *,
    file: str,
    attempt: int,
    dry_run: bool,
    reveal: bool,
    form: str,
    deadline: timedelta,
    **where: Any,
) -> None:
    """Submit a job as `submit` does, wait for its end, and say how it went.

    Where DRM tasks fail as they do when a ticket has ended in the queue, they are submitted once more with new
    tickets. Exit code 0 if every subtask succeeded, 1 if one failed, 75 if the deadline came first.
    """
    job = _ready(app, file, attempt)
    with _access(app, where) as access:
        if dry_run:
            _show_request(access, job, attempt, form, reveal=reveal)
            return
        outcome = _followed(app, access, job, attempt, deadline)
        _show_outcome(app, outcome, form)
    outcome.verdict.require_success()


def _ready(app: App, file: str, attempt: int) -> AnyJob:
    """Return a job whose secrets have been read, and tell what is doubtful about it.

    Raises:
        JobError: it has errors.
    """
    from drmkit.mps.jobfile import read_secrets  # noqa: PLC0415 (help needs no models)

    stored, folder = read(file)
    job = read_secrets(stored, folder)
    if attempt and job.service == "vod":
        raise click.UsageError("--attempt is for SessionIds, and VOD documents none: each submission is done")
    job.require_valid()
    for finding in job.check():
        app.talk(f"warning: {finding}")
    return job


def _access(app: App, where: dict[str, Any]) -> Access:
    return Access(app, where["endpoint"], where["region"], where["timeout"])


def _show_request(access: Access, job: AnyJob, attempt: int, form: str, *, reveal: bool) -> None:
    body = job.request_fields(attempt=attempt, reveal=reveal)
    url = access.endpoint_for(job).url
    data = {"action": job.action, "version": job.version, "endpoint": url, "body": body}
    emit(form, data, lambda: f"would send {job.action} to {url}:\n{json.dumps(body, indent=2, ensure_ascii=False)}")


def _name_the_earlier_task(access: Access, job: AnyJob, attempt: int, error: ApiInputError) -> None:
    """Add to the refusal of a repeated SessionId which task has it, where that can be found."""
    import time  # noqa: PLC0415 (used here alone)

    from drmkit.mps.faults import DUPLICATE_SESSION  # noqa: PLC0415

    if error.code != DUPLICATE_SESSION or job.service != "mps":
        return
    task_id = access.client.find_task(job.session_id(attempt), since=time.time() - _REMEMBERED_SECONDS)
    if task_id is not None:
        error.hint = f"its task is {task_id}: see `drmkit task show`; --attempt 1 submits the same job again"


def _followed(app: App, access: Access, job: AnyJob, attempt: int, deadline: timedelta) -> Outcome:
    from drmkit.mps.task import Poll  # noqa: PLC0415
    from drmkit.provisioning import run as follow  # noqa: PLC0415

    made: list[Submission] = []
    progress = Progress(app)

    def submitted(submission: Submission) -> None:
        made.append(submission)
        progress.end()
        app.talk(f"submitted to {access.endpoint_for(job).url}: task {submission.task_id}")

    def goes_on() -> str:
        if made:
            return f"task {made[-1].task_id} goes on; `drmkit task wait {made[-1].task_id}` follows it"
        if job.service == "vod":
            return "the job may have been accepted: look for its task in VOD's console before you submit it again"
        return "the job may have been accepted; submitting it again is safe, since MPS accepts its SessionId once"

    with following(progress, goes_on):
        try:
            return follow(
                job,
                client=access.client_for(job),
                mint=access.mint,
                poll=Poll(first=FIRST_QUESTION_SECONDS, deadline=deadline.total_seconds()),
                progress=progress,
                submitted=submitted,
                attempt=attempt,
            )
        except TemporaryError as error:
            error.add_note(f"task {made[-1].task_id}")
            raise


def _show_outcome(app: App, outcome: Outcome, form: str) -> None:
    data = {
        **verdict_fields(outcome.verdict),
        "submissions": [_submission_fields(made) for made in outcome.submissions],
        "repeated": outcome.repeated,
    }
    emit(form, data, lambda: verdict_text(outcome.verdict))
    if outcome.repeated:
        app.talk(f"submitted twice: {outcome.repeated}")


def _submission_fields(made: Submission) -> dict[str, Any]:
    return {"task_id": made.task_id, "session_id": made.session_id, "minted": made.minted}
