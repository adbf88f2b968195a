"""`drmkit mps s3-policy queue | user | check-queue | check-user`: policies, printed and checked."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from drmkit.cli.cpix_files import file_argument, read_bytes
from drmkit.cli.options import with_options
from drmkit.cli.output import App, emit, format_option, pass_app
from drmkit.errors import InputError

if TYPE_CHECKING:
    from drmkit.mps.arns import BucketArn, QueueArn
    from drmkit.mps.findings import Finding

__all__ = ["check_queue", "check_user", "queue", "user"]

_LARGEST = 64 * 1024
_QUEUE = (
    click.option("--queue", "queue_arn", required=True, metavar="ARN", help="The queue that the bucket notifies."),
    click.option("--bucket", "bucket_arn", required=True, metavar="ARN", help="The input bucket."),
    click.option("--account", metavar="ID", help="The account of the bucket, 12 digits; default: the queue's."),
)
_USER = (
    click.option("--notification-queue", required=True, metavar="ARN", help="The queue that the bucket notifies."),
    click.option("--input-bucket", required=True, metavar="ARN", help="The bucket that MPS reads."),
    click.option("--output-bucket", metavar="ARN", help="The bucket that MPS writes to; default: the input bucket."),
    click.option("--callback-queue", metavar="ARN", help="The queue for callbacks by AWS-SQS; without it: by HTTP."),
)


@click.command()
@with_options(_QUEUE)
def queue(*, queue_arn: str, bucket_arn: str, account: str | None) -> None:
    """Print the access policy of the queue that the input bucket notifies: paste it under Access policy, Advanced."""
    from drmkit.mps.s3policy import queue_policy  # noqa: PLC0415 (help needs none of it)

    _print(queue_policy(_queue(queue_arn), _bucket(bucket_arn), account))


@click.command()
@with_options(_USER)
@pass_app
def user(app: App, /, **given: Any) -> None:
    """Print the policy of the IAM user whose access key MPS is given: paste it under Policies, JSON.

    With --callback-queue it is the tutorial's policy for Amazon SQS callbacks, without it that for HTTP callbacks.
    """
    from drmkit.mps.s3policy import user_policy  # noqa: PLC0415 (help needs none of it)

    _print(user_policy(*_places(given)))
    app.talk("the /* of the objects stands behind each bucket's ARN")


@click.command("check-queue")
@file_argument
@with_options(_QUEUE)
@format_option
@pass_app
def check_queue(app: App, /, *, path: str, queue_arn: str, bucket_arn: str, account: str | None, form: str) -> int:
    """Find what a queue's access policy lacks so that the bucket can notify it. Errors are exit code 1."""
    from drmkit.mps.arns import check_account  # noqa: PLC0415 (help needs none of it)
    from drmkit.mps.s3policy import check_queue_policy  # noqa: PLC0415

    if account is not None:
        check_account(account)
    return _tell(app, check_queue_policy(_policy(path), _queue(queue_arn), _bucket(bucket_arn), account), form)


@click.command("check-user")
@file_argument
@with_options(_USER)
@format_option
@pass_app
def check_user(app: App, /, *, path: str, form: str, **given: Any) -> int:
    """Find what a user's policy lacks so that MPS can read, write and notify. Errors are exit code 1."""
    from drmkit.mps.s3policy import check_user_policy  # noqa: PLC0415 (help needs none of it)

    return _tell(app, check_user_policy(_policy(path), *_places(given)), form)


def _queue(text: str) -> QueueArn:
    from drmkit.mps.arns import QueueArn  # noqa: PLC0415

    return QueueArn.parse(text)


def _bucket(text: str) -> BucketArn:
    from drmkit.mps.arns import BucketArn  # noqa: PLC0415

    return BucketArn.parse(text)


def _places(given: dict[str, Any]) -> tuple[QueueArn, BucketArn, BucketArn, QueueArn | None]:
    source = _bucket(given["input_bucket"])
    target = source if given["output_bucket"] is None else _bucket(given["output_bucket"])
    callbacks = None if given["callback_queue"] is None else _queue(given["callback_queue"])
    return _queue(given["notification_queue"]), source, target, callbacks


def _print(policy: dict[str, Any]) -> None:
    click.echo(json.dumps(policy, indent=2))


def _policy(path: str) -> Any:
    data = read_bytes(path, limit=_LARGEST)
    document = None
    with suppress(ValueError, RecursionError):
        document = json.loads(data.decode("utf-8-sig")) if len(data) <= _LARGEST else None
    if document is None:
        raise InputError("the policy is no JSON", hint="copy it whole from the console")
    return document


def _tell(app: App, findings: list[Finding], form: str) -> int:
    errors = [finding for finding in findings if finding.severity == "error"]
    lines = [f"{finding.severity}: {finding.path}\n  {finding.message}\n  fix: {finding.fix}" for finding in findings]
    data = {"good": not errors, "findings": [finding.as_dict() for finding in findings]}
    emit(form, data, "\n".join(lines) if lines else "the policy allows what MPS needs")
    if lines and not errors:
        app.talk("the policy allows what MPS needs")
    return 1 if errors else 0
