"""`drmkit job new`: a job file from options, refused while it contradicts itself."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from drmkit.cli.output import App, pass_app
from drmkit.secret import Secret

if TYPE_CHECKING:
    from drmkit.mps.drm import Protection
    from drmkit.mps.job import Job, StreamingTask
    from drmkit.mps.models.storage import TaskNotifyConfig

__all__ = ["new"]

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

_CLEAR, _AES = "none", "simpleaes"
_SPEKE_OPTIONS = ("method", "preset", "resource_id", "key_source", "iv")
_AES_OPTIONS = ("aes_uri", "aes_key_file", "iv")
_NAME_OPTIONS = ("manifest", "substreams", "segments")

_OPTIONS = (
    click.option(
        "--drm",
        multiple=True,
        required=True,
        metavar="TYPE",
        help="widevine, playready, fairplay, several joined by +, simpleaes, or none; once for each task.",
    ),
    click.option("--definition", multiple=True, required=True, type=int, help="ID of an adaptive-bitrate template."),
    click.option("--method", multiple=True, metavar="NAME", help="cenc or cbcs; default: that of the DRM type."),
    click.option("--preset", multiple=True, metavar="NAME", help="preset0: one key; preset1: a key for each stream."),
    click.option("--resource-id", multiple=True, metavar="ID", help="The content ID at the key server."),
    click.option("--key-source", multiple=True, metavar="drmtoday:PROFILE|URL", help="Where the keys come from."),
    click.option("--iv", multiple=True, metavar="HEX", help="Initialization vector, 32 digits; default: a random one."),
    click.option("--aes-uri", multiple=True, metavar="URI", help="simpleaes: where players fetch the key."),
    click.option("--aes-key-file", multiple=True, metavar="FILE", help="simpleaes: a file with the key, 32 digits."),
    click.option("--manifest", multiple=True, metavar="PATH", help="OutputObjectPath; it ends with .{format}."),
    click.option("--substreams", multiple=True, metavar="PATH", help="SubStreamObjectName."),
    click.option("--segments", multiple=True, metavar="PATH", help="SegmentObjectName, for HLS."),
    click.option("--input", "source", required=True, metavar="PLACE", help="https://..., cos://BUCKET/REGION/PATH."),
    click.option("--output", metavar="PLACE", help="cos://BUCKET/REGION/DIR/; default: beside the input."),
    click.option("--output-dir", metavar="DIR", help="The folder, with a slash at both ends, if --output names none."),
    click.option("--s3-secret-id", metavar="ID", help="Access key ID for s3:// places."),
    click.option("--s3-secret-key-file", metavar="FILE", help="A file with its secret access key."),
    click.option("--notify-url", metavar="URL", help="Report the end there."),
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


def _options(function: F) -> F:
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


@click.command()
@_options
@pass_app
def new(app: App, /, **given: Any) -> None:
    """Print a job file; one that contradicts itself is refused.

    Options of tasks may be repeated for several tasks: once for all that use them, or once for each, in order.

      drmkit job new --drm widevine --definition 12 --resource-id movie-1 --key-source drmtoday:prod
      --input cos://source-125/ap-singapore/in/movie.mp4 --output cos://target-125/ap-singapore/out/
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


def _build(given: dict[str, Any]) -> Job:
    from drmkit.mps.job import Job  # noqa: PLC0415
    from drmkit.mps.locations import parse_input, parse_output  # noqa: PLC0415

    key = {"secret_id": given["s3_secret_id"], "secret_key": _in_file(given["s3_secret_key_file"])}
    target = None if given["output"] is None else parse_output(given["output"], **key)
    return Job.build(
        input=parse_input(given["source"], **key),
        output=None if target is None else target.storage,
        output_dir=given["output_dir"] or (None if target is None else target.directory),
        tasks=_tasks(given),
        notification=_notification(given),
        session_id=given["session_id"],
        session_context=given["session_context"],
        tasks_priority=given["priority"],
        task_type=given["task_type"],
    )


def _tasks(given: dict[str, Any]) -> list[StreamingTask]:
    from drmkit.mps.drm import normalize  # noqa: PLC0415
    from drmkit.mps.job import StreamingTask  # noqa: PLC0415

    count = max(len(given["drm"]), len(given["definition"]))
    kinds = [kind if kind == _CLEAR else normalize(kind) for kind in _spread(given, "drm", count)]
    common = {name: _spread(given, name, count) for name in ("definition", *_NAME_OPTIONS)}
    speke = _columns(given, _SPEKE_OPTIONS, sum(kind not in {_CLEAR, _AES} for kind in kinds), "key servers")
    aes = _columns(given, _AES_OPTIONS, kinds.count(_AES), "simpleaes")
    _refuse_unused(given, kinds)
    rows = {True: iter(aes), False: iter(speke)}
    return [
        StreamingTask(
            protection=None if kind == _CLEAR else _protection(kind, next(rows[kind == _AES])),
            **{name: column[number] for name, column in common.items()},
        )
        for number, kind in enumerate(kinds)
    ]


def _columns(given: dict[str, Any], names: Sequence[str], count: int, what: str) -> list[dict[str, Any]]:
    """Return the options of the tasks of one sort, one dictionary for each task."""
    columns = {name: _spread(given, name, count, what) for name in names} if count else {}
    return [{name: column[number] for name, column in columns.items()} for number in range(count)]


def _spread(given: dict[str, Any], name: str, count: int, what: str = "") -> list[Any]:
    values = given[name]
    if len(values) > 1 and len(values) != count:
        tasks = f"{count} task{'s' if count != 1 else ''}{f' with {what}' if what else ''}"
        raise click.UsageError(
            f"{_option(name)} is given {len(values)} times for {tasks}: give it once for all, or once for each"
        )
    return list(values) * count if len(values) == 1 else list(values) or [None] * count


def _refuse_unused(given: dict[str, Any], kinds: list[str]) -> None:
    """Refuse options that no task uses: whoever gives them expects something of them."""
    used = set(_AES_OPTIONS) if _AES in kinds else set()
    if any(kind not in {_CLEAR, _AES} for kind in kinds):
        used |= set(_SPEKE_OPTIONS)
    for name in (*_SPEKE_OPTIONS, *_AES_OPTIONS):
        if given[name] and name not in used:
            raise click.UsageError(f"{_option(name)} does not go with --drm {' --drm '.join(kinds)}")


def _protection(kind: str, given: dict[str, Any]) -> Protection:
    from drmkit.mps import drm  # noqa: PLC0415

    wanted = ("aes_uri", "aes_key_file") if kind == _AES else ("resource_id", "key_source")
    missing = [_option(name) for name in wanted if given[name] is None]
    if missing:
        raise click.UsageError(f"--drm {kind} needs {' and '.join(missing)}")
    if kind == _AES:
        key = _in_file(given["aes_key_file"]) or Secret("")
        return drm.SimpleAes(uri=given["aes_uri"], key=key, iv=given["iv"])
    return drm.protection(kind)(
        resource_id=given["resource_id"],
        key_source=given["key_source"],
        iv=given["iv"] or secrets.token_bytes(16),
        method=given["method"],
        preset=given["preset"],
    )


def _notification(given: dict[str, Any]) -> TaskNotifyConfig | None:
    from drmkit.mps.models.storage import AwsSQS, TaskNotifyConfig  # noqa: PLC0415

    values = {name.removeprefix("notify_"): value for name, value in given.items() if name.startswith("notify_")}
    if not any(values.values()):
        return None
    topic, queue = values["topic"], values["queue"]
    kinds = {"URL": values["url"], "AWS-SQS": values["sqs"], "TDMQ-CMQ": topic or queue}
    kind = values["type"] or next((kind for kind, target in kinds.items() if target), None)
    region, _, name = (values["sqs"] or "").partition("/")
    key = {"s3_secret_id": given["s3_secret_id"], "s3_secret_key": _in_file(given["s3_secret_key_file"])}
    return TaskNotifyConfig(
        notify_type=kind,
        notify_mode=values["mode"],
        notify_url=values["url"],
        notify_key=_in_file(values["key_file"]),
        cmq_model="Topic" if topic else "Queue" if queue else None,
        cmq_region=values["region"],
        topic_name=topic,
        queue_name=queue,
        aws_sqs=AwsSQS(sqs_region=region, sqs_queue_name=name, **key) if values["sqs"] else None,
    )


def _in_file(path: str | None) -> Secret[str] | None:
    """Return what stands in the job for a secret in a file: its absolute path, which any job file's folder leads to."""
    from drmkit.mps.job import SECRET_FILE  # noqa: PLC0415

    return None if path is None else Secret(f"{SECRET_FILE}{Path(path).expanduser().absolute()}")


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"
