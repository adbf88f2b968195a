"""`drmkit job new`: a job file from options, refused while it contradicts itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from drmkit.cli.job_new_ai import AI_OPTIONS, ai_tasks, transcoding
from drmkit.cli.job_new_drm import DRM_OPTIONS, option_name, secret_file, streaming_tasks
from drmkit.cli.output import App, pass_app

if TYPE_CHECKING:
    from drmkit.mps.jobfile import AnyJob
    from drmkit.mps.models.storage import LiveStreamTaskNotifyConfig, TaskNotifyConfig

__all__ = ["new"]

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--input", "source", metavar="PLACE", help="A file: https://..., cos://BUCKET/REGION/PATH."),
    click.option("--live", metavar="URL", help="A live stream instead: rtmp://..., https://.../live.m3u8."),
    click.option("--vod", metavar="SUBAPPID/FILEID", help="A file of VOD instead, by ProcessMediaByMPS."),
    click.option("--structured", is_flag=True, help="--vod: structured tasks instead of MPSProcessMediaParams."),
    *DRM_OPTIONS,
    *AI_OPTIONS,
    click.option("--output", metavar="PLACE", help="cos://BUCKET/REGION/DIR/; default: beside the input."),
    click.option("--output-dir", metavar="DIR", help="The folder, with a slash at both ends, if --output names none."),
    click.option("--s3-secret-id", metavar="ID", help="Access key ID for s3:// places."),
    click.option("--s3-secret-key-file", metavar="FILE", help="A file with its secret access key."),
    click.option("--notify-url", metavar="URL", help="Report the end there; live: results, as they come."),
    click.option(
        "--notify-type", metavar="TYPE", help="URL, TDMQ-CMQ, AWS-SQS or SCF; default: URL with --notify-url."
    ),
    click.option("--notify-mode", metavar="MODE", help="Finish or Change."),
    click.option("--notify-key-file", metavar="FILE", help="A file with the NotifyKey that signs callbacks."),
    click.option("--notify-queue", metavar="NAME", help="The CMQ queue."),
    click.option("--notify-topic", metavar="NAME", help="The CMQ topic."),
    click.option("--notify-region", metavar="CODE", help="The CMQ region, such as sh, bj or gz."),
    click.option("--notify-sqs", metavar="REGION/QUEUE", help="The AWS SQS queue, for AWS-S3 jobs."),
    click.option("--priority", type=int, help="-10 to 10; bigger is sooner."),
    click.option("--session-id", metavar="ID", help="At most 50 characters; default: derived from the content."),
    click.option("--session-context", metavar="TEXT", help="Comes back in callbacks; at most 1000 characters."),
    click.option("--task-type", metavar="TYPE", help="Online, or Offline for idle times."),
    click.option("--toml", is_flag=True, help="Print TOML instead of JSON."),
    click.option("--reveal", is_flag=True, help="Print a key-server URL although it holds a ticket."),
)
_NOT_LIVE = (
    *("drm", "transcode", "burn_in", "style", "smart_erase", "notify_mode", "notify_sqs", "priority", "task_type"),
    *("s3_secret_id", "s3_secret_key_file", "definition"),
)
_NOT_VOD = (
    *("output", "output_dir", "schedule", "priority", "session_id", "session_context", "task_type"),
    *("s3_secret_id", "s3_secret_key_file"),
    *("notify_url", "notify_type", "notify_mode", "notify_key_file", "notify_queue", "notify_topic"),
    *("notify_region", "notify_sqs"),
)


def _options(function: F) -> F:
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


@click.command()
@_options
@pass_app
def new(app: App, /, **given: Any) -> None:
    """Print a job file; one that contradicts itself is refused.

    It is about a file (--input), a live stream (--live) or a file of VOD (--vod), and has one task or several: DRM,
    analysis, subtitles, recognition, moderation, quality inspection, transcoding, an orchestration.

    Options of DRM tasks may be repeated for several tasks: once for all that use them, or once for each, in order.

      drmkit job new --drm widevine --definition 12 --resource-id movie-1 --key-source drmtoday:prod
      --input cos://source-125/ap-singapore/in/movie.mp4 --output cos://target-125/ap-singapore/out/

      drmkit job new --analysis highlights --set force_cls=variety --set top_clip=10 --input ... --output ...

      drmkit job new --live rtmp://live.example.com/app/one --quality picture --notify-url https://me.example.com/
    """
    from drmkit.mps.findings import raise_errors  # noqa: PLC0415 (help needs no models)
    from drmkit.mps.jobfile import examine_secrets, write_job  # noqa: PLC0415

    job = _build(given)
    read, findings = examine_secrets(job, Path())
    findings += read.check()
    raise_errors(findings, "the job")
    text = write_job(job, "toml" if given["toml"] else "json", reveal=given["reveal"])
    click.echo(text, nl=False)
    for finding in findings:
        app.talk(f"warning: {finding}")


def _build(given: dict[str, Any]) -> AnyJob:
    kinds = [name for name in ("source", "live", "vod") if given[name] is not None]
    if len(kinds) != 1:
        raise click.UsageError("name one of --input, --live and --vod" + (", not several" if kinds else ""))
    if given["structured"] and kinds != ["vod"]:
        raise click.UsageError("--structured goes with --vod")
    if kinds == ["live"]:
        _refuse(given, _NOT_LIVE, "--live")
        return _live_job(given)
    if kinds == ["vod"]:
        _refuse(given, _NOT_VOD, "--vod")
        return _vod_job(given)
    return _job(given)


def _refuse(given: dict[str, Any], names: tuple[str, ...], what: str) -> None:
    for name in names:
        if given[name]:
            raise click.UsageError(f"{option_name(name)} does not go with {what}")


def _job(given: dict[str, Any]) -> AnyJob:
    from drmkit.mps.job import Job  # noqa: PLC0415
    from drmkit.mps.locations import parse_input, parse_output  # noqa: PLC0415

    key = {"secret_id": given["s3_secret_id"], "secret_key": secret_file(given["s3_secret_key_file"])}
    target = None if given["output"] is None else parse_output(given["output"], **key)
    return Job.build(
        input=parse_input(given["source"], **key),
        output=None if target is None else target.storage,
        output_dir=given["output_dir"] or (None if target is None else target.directory),
        tasks=streaming_tasks(given),
        media_process_task=transcoding(given),
        notification=_notification(given),
        session_id=given["session_id"],
        session_context=given["session_context"],
        tasks_priority=given["priority"],
        task_type=given["task_type"],
        **ai_tasks(given, live=False),
    )


def _live_job(given: dict[str, Any]) -> AnyJob:
    from drmkit.mps.livejob import LiveJob  # noqa: PLC0415

    streaming_tasks(given)  # refuses the options of DRM tasks: live streams have none
    return LiveJob.build(
        given["live"],
        notification=_live_notification(given),
        output=given["output"],
        output_dir=given["output_dir"],
        session_id=given["session_id"],
        session_context=given["session_context"],
        **ai_tasks(given, live=True),
    )


def _vod_job(given: dict[str, Any]) -> AnyJob:
    from drmkit.mps.job import Job  # noqa: PLC0415
    from drmkit.mps.models.storage import MediaInputInfo  # noqa: PLC0415
    from drmkit.mps.vodjob import VodJob, structured  # noqa: PLC0415

    application, _, file_id = given["vod"].partition("/")
    if not (file_id and re.fullmatch("[0-9]{1,19}", application)):
        raise click.UsageError("--vod is SUBAPPID/FILEID, such as 1500000001/387702292285462759")
    job = Job.build(
        input=MediaInputInfo(),
        tasks=streaming_tasks(given),
        media_process_task=transcoding(given),
        **ai_tasks(given, live=False),
    )
    if given["structured"]:
        return structured(job.body, file_id, int(application))
    return VodJob.build(file_id, int(application), params=job.body)


def _notification(given: dict[str, Any]) -> TaskNotifyConfig | None:
    from drmkit.mps.models.storage import AwsSQS, TaskNotifyConfig  # noqa: PLC0415

    values = {name.removeprefix("notify_"): value for name, value in given.items() if name.startswith("notify_")}
    if not any(values.values()):
        return None
    topic, queue = values["topic"], values["queue"]
    region, _, name = (values["sqs"] or "").partition("/")
    key = {"s3_secret_id": given["s3_secret_id"], "s3_secret_key": secret_file(given["s3_secret_key_file"])}
    return TaskNotifyConfig(
        notify_type=_notify_type(values),
        notify_mode=values["mode"],
        notify_url=values["url"],
        notify_key=secret_file(values["key_file"]),
        cmq_model=_cmq_model(values),
        cmq_region=values["region"],
        topic_name=topic,
        queue_name=queue,
        aws_sqs=AwsSQS(sqs_region=region, sqs_queue_name=name, **key) if values["sqs"] else None,
    )


def _live_notification(given: dict[str, Any]) -> LiveStreamTaskNotifyConfig:
    from drmkit.mps.models.storage import LiveStreamTaskNotifyConfig  # noqa: PLC0415

    values = {name.removeprefix("notify_"): value for name, value in given.items() if name.startswith("notify_")}
    return LiveStreamTaskNotifyConfig(
        notify_type=_notify_type(values),
        notify_url=values["url"],
        notify_key=secret_file(values["key_file"]),
        cmq_model=_cmq_model(values),
        cmq_region=values["region"],
        topic_name=values["topic"],
        queue_name=values["queue"],
    )


def _notify_type(values: dict[str, Any]) -> str | None:
    kinds = {"URL": values["url"], "AWS-SQS": values["sqs"], "TDMQ-CMQ": values["topic"] or values["queue"]}
    stated: str | None = values["type"]
    return stated or next((kind for kind, target in kinds.items() if target), None)


def _cmq_model(values: dict[str, Any]) -> str | None:
    return "Topic" if values["topic"] else "Queue" if values["queue"] else None
