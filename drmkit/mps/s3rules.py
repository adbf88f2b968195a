"""What a job may say about Amazon S3 and SQS: names, regions that belong together, keys that are missing.

Sources: Tencent Cloud, "Using Amazon S3 Buckets with MPS" (2025), and ProcessMedia's data types
(https://www.tencentcloud.com/document/product/1041/33690). They differ about regions: the data types list us-east-1 and
eu-west-3, the tutorial walks through ap-southeast-1. So the form of a region is checked, and others are warned of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from drmkit.errors import InputError
from drmkit.mps.arns import check_bucket_name, check_queue_name, check_region
from drmkit.mps.findings import Finding
from drmkit.mps.models.request import ProcessMediaRequest
from drmkit.mps.models.storage import AwsSQS, S3InputInfo, S3OutputStorage, TaskOutputStorage
from drmkit.mps.schema import walk

__all__ = ["DOCUMENTED_REGIONS", "check_s3"]

DOCUMENTED_REGIONS = ("us-east-1", "eu-west-3", "ap-southeast-1")
"""The regions that one document or the other names."""


def check_s3(body: ProcessMediaRequest) -> Iterator[Finding]:
    """Yield what is wrong or doubtful about the buckets and the queue of Amazon's that a job names."""
    source = None if body.input_info is None or body.input_info.type != "AWS-S3" else body.input_info.s3_input_info
    if source is not None:
        yield from _check_place(source, "InputInfo.S3InputInfo")
    for path, model in walk(body):
        if isinstance(model, TaskOutputStorage) and model.type == "AWS-S3" and model.s3_output_storage is not None:
            yield from _check_output(model.s3_output_storage, path, source)
    config = body.task_notify_config
    if config is not None and config.notify_type == "AWS-SQS" and config.aws_sqs is not None:
        yield from _check_queue(config.aws_sqs, source, body)


def _check_place(place: S3InputInfo | S3OutputStorage, path: str) -> Iterator[Finding]:
    yield from _formed(f"{path}.S3Bucket", place.s3_bucket, check_bucket_name)
    yield from _check_region(f"{path}.S3Region", place.s3_region)
    yield from _check_key(place, path)


def _check_output(place: S3OutputStorage, path: str, source: S3InputInfo | None) -> Iterator[Finding]:
    yield from _check_place(place, f"{path}.S3OutputStorage")
    if source is None:
        yield Finding(
            f"{path}.Type",
            "AWS-S3 outputs are documented for tasks whose input is in AWS-S3 alone",
            "write to COS, or read from AWS-S3",
            "warning",
        )
    elif source.s3_region and place.s3_region and source.s3_region != place.s3_region:
        yield Finding(
            f"{path}.S3OutputStorage.S3Region",
            f"is {place.s3_region}, and the input is in {source.s3_region}",
            "name a bucket in the input's region",
            "warning",
        )


def _check_queue(queue: AwsSQS, source: S3InputInfo | None, body: ProcessMediaRequest) -> Iterator[Finding]:
    path = "TaskNotifyConfig.AwsSQS"
    yield from _formed(f"{path}.SQSQueueName", queue.sqs_queue_name, check_queue_name)
    yield from _check_region(f"{path}.SQSRegion", queue.sqs_region)
    yield from _check_key(queue, path)
    if source is None and body.input_info is not None:
        yield Finding(
            "TaskNotifyConfig.NotifyType",
            "AWS-SQS is documented for tasks whose input is in AWS-S3 alone",
            "write URL, or read from AWS-S3",
            "warning",
        )
    elif source is not None and source.s3_region and queue.sqs_region and source.s3_region != queue.sqs_region:
        yield Finding(
            f"{path}.SQSRegion",
            f"is {queue.sqs_region}, and the bucket is in {source.s3_region}",
            "make the queue in the bucket's region: MPS demands that",
        )


def _check_region(path: str, region: str | None) -> Iterator[Finding]:
    wrong = list(_formed(path, region, check_region))
    yield from wrong
    if region and not wrong and region not in DOCUMENTED_REGIONS:
        yield Finding(
            path,
            f"{region} is in none of MPS's documents",
            f"they name {', '.join(DOCUMENTED_REGIONS)}; try a small task first",
            "warning",
        )


def _check_key(place: S3InputInfo | S3OutputStorage | AwsSQS, path: str) -> Iterator[Finding]:
    given = {"S3SecretId": bool(place.s3_secret_id), "S3SecretKey": bool(place.s3_secret_key)}
    missing = [name for name, present in given.items() if not present]
    if len(missing) == 1:
        yield Finding(f"{path}.{missing[0]}", "is missing beside the other half of the key", "give both halves")
    elif missing:
        yield Finding(
            f"{path}.S3SecretId", "is missing: MPS has no key for Amazon's side", "add the IAM user's key", "warning"
        )


def _formed(path: str, value: str | None, check: Callable[[str], None]) -> Iterator[Finding]:
    try:
        if value is not None:
            check(value)
    except InputError as error:
        yield Finding(path, error.message, error.hint or "correct it")
