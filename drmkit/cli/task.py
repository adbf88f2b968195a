"""`drmkit task`: show, wait for, list and abort the tasks of Tencent MPS."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from drmkit.cli.job_access import Access, mps_options
from drmkit.cli.job_report import (
    FIRST_QUESTION_SECONDS,
    Progress,
    answer_fields,
    following,
    result_fields,
    results_text,
    verdict_fields,
    verdict_text,
)
from drmkit.cli.output import App, emit, format_option, pass_app
from drmkit.cli.sandbox import Duration

if TYPE_CHECKING:
    from drmkit.mps.models.request import TaskSimpleInfo
    from drmkit.mps.task import TaskDetail
    from drmkit.mps.vodtask import VodTaskDetail

__all__ = ["task"]

_STATUSES = ("WAITING", "PROCESSING", "FINISH")

_task_argument = click.argument("task_id", metavar="TASK")
_sub_app_option = click.option(
    "--sub-app-id", type=click.IntRange(0), metavar="ID", help="The VOD application of a task of ProcessMediaByMPS."
)


@click.group()
def task() -> None:
    """Show, wait for, list and abort the tasks of Tencent's Media Processing Service (MPS).

    A task is found for a few days, by its own account, at the site that it was submitted to. For a task of
    ProcessMediaByMPS (its ID says so) VOD is asked, at the same site.
    """


@task.command()
@_task_argument
@_sub_app_option
@mps_options
@format_option
@pass_app
def show(app: App, /, *, task_id: str, sub_app_id: int | None, form: str, **where: Any) -> None:
    """Say how a task is doing, with every subtask, and what was found and made.

    The JSON holds the API's whole answer too, its secrets masked.
    """
    with _access(app, where) as access:
        detail = _describe(access, task_id, sub_app_id)()
    verdict, found = detail.verdict, detail.results
    data = {**verdict_fields(verdict), "results": result_fields(found), "response": answer_fields(detail)}
    emit(form, data, lambda: "\n".join(filter(None, [verdict_text(verdict), results_text(found, verdict)])))


@task.command()
@_task_argument
@_sub_app_option
@click.option("--deadline", type=Duration(), default="6h", show_default=True, help="How long to wait for its end.")
@mps_options
@format_option
@pass_app
def wait(app: App, /, *, task_id: str, sub_app_id: int | None, deadline: timedelta, form: str, **where: Any) -> None:
    """Wait for the end of a task, and say how it went.

    Exit code 0 if every subtask succeeded, 1 if one failed, 75 if the deadline came first.
    """
    from drmkit.mps.task import Poll  # noqa: PLC0415 (help needs no models)
    from drmkit.mps.task import wait as follow  # noqa: PLC0415

    progress = Progress(app)
    with (
        _access(app, where) as access,
        following(progress, lambda: f"task {task_id} goes on; `drmkit task wait {task_id}` follows it"),
    ):
        verdict = follow(
            _describe(access, task_id, sub_app_id),
            poll=Poll(first=FIRST_QUESTION_SECONDS, deadline=deadline.total_seconds()),
            progress=progress,
        ).verdict
    emit(form, verdict_fields(verdict), lambda: verdict_text(verdict))
    verdict.require_success()


@task.command("list")
@click.option(
    "--status",
    "statuses",
    type=click.Choice(_STATUSES, case_sensitive=False),
    multiple=True,
    help="Only these; may be repeated.",
)
@click.option("--since", type=Duration(), help="Only tasks that were created this long ago at most, such as 6h.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="No more than this many.")
@mps_options
@format_option
@pass_app
def list_tasks(
    app: App,
    /,
    *,
    statuses: tuple[str, ...],
    since: timedelta | None,
    limit: int,
    form: str,
    **where: Any,
) -> None:
    """List the tasks of the last days."""
    start = None if since is None else time.time() - since.total_seconds()
    with _access(app, where) as access:
        found = (
            (status, item)
            for status in statuses or _STATUSES
            for item in access.client.describe_tasks(status, since=start)
        )
        rows = [_row(status, item) for status, item in islice(found, limit)]
    emit(form, {"tasks": rows}, lambda: "\n".join(_line(row) for row in rows))
    if len(rows) == limit:
        app.talk(f"these are the first {limit}; --limit shows more")
    elif not rows:
        app.talk("there are no such tasks at this site")


@task.command()
@_task_argument
@click.option("--dry-run", is_flag=True, help="Say what would be called, and call nothing.")
@mps_options
@format_option
@pass_app
def abort(app: App, /, *, task_id: str, dry_run: bool, form: str, **where: Any) -> None:
    """Stop a task that still waits; MPS stops no task that has begun, unless it is a live one."""
    from drmkit.mps.vodtask import is_vod_task  # noqa: PLC0415 (help needs no models)

    if is_vod_task(task_id):
        raise click.UsageError("tasks of ProcessMediaByMPS are VOD's, which documents no way to abort them")
    with _access(app, where) as access:
        url = access.endpoint.url
        if not dry_run:
            access.client.abort_task(task_id)
    data = {"task_id": task_id, "aborted": not dry_run, "endpoint": url}
    emit(form, data, f"would abort {task_id} at {url}" if dry_run else f"aborted {task_id}")


def _access(app: App, where: dict[str, Any]) -> Access:
    return Access(app, where["endpoint"], where["region"], where["timeout"])


def _describe(access: Access, task_id: str, sub_app_id: int | None) -> Callable[[], TaskDetail | VodTaskDetail]:
    """Return what asks for a task: MPS, or VOD for its own."""
    if sub_app_id is not None:
        return lambda: access.vod_client.describe_task_detail(task_id, sub_app_id=sub_app_id)
    return lambda: access.describe_task_detail(task_id)


def _row(status: str, item: TaskSimpleInfo) -> dict[str, Any]:
    from drmkit.mps.wire import moment  # noqa: PLC0415

    return {
        "task_id": item.task_id,
        "status": status,
        "type": item.task_type,
        "created": item.create_time if moment(item.create_time) else None,
        "finished": item.finish_time if moment(item.finish_time) else None,
        "subtasks": item.sub_task_types or [],
    }


def _line(row: dict[str, Any]) -> str:
    return f"{row['status']:10}  {row['created'] or '-':20}  {row['finished'] or '-':20}  {row['task_id']}"
