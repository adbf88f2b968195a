"""Where a job reads from, writes to and reports to: inputs, output storage, notifications."""

from __future__ import annotations

from drmkit.mps.wire import Model, Needed, Unsigned
from drmkit.secret import Secret

__all__ = [
    "AwsSQS",
    "CosInputInfo",
    "CosOutputStorage",
    "LiveStreamTaskNotifyConfig",
    "MediaInputInfo",
    "S3InputInfo",
    "S3OutputStorage",
    "TaskNotifyConfig",
    "TaskOutputStorage",
    "UrlInputInfo",
    "VODInputInfo",
    "VODOutputStorage",
]


class CosInputInfo(Model):
    """An object in Tencent Cloud Object Storage; `object` begins with a slash."""

    bucket: Needed[str] = None
    region: Needed[str] = None
    object: Needed[str] = None


class UrlInputInfo(Model):
    """A file that MPS downloads over HTTP."""

    url: Needed[str] = None


class S3InputInfo(Model):
    """An object in Amazon S3, with the key that may read it."""

    s3_bucket: Needed[str] = None
    s3_region: Needed[str] = None
    s3_object: Needed[str] = None
    s3_secret_id: str | None = None
    s3_secret_key: Secret[str] | None = None


class VODInputInfo(Model):
    """A file in Video on Demand, by object or (standard edition) by file ID."""

    bucket: str | None = None
    region: str | None = None
    object: str | None = None
    sub_app_id: Unsigned | None = None
    vod_basic: int | None = None
    file_id: str | None = None


class MediaInputInfo(Model):
    """Where a file is read from: `type` (COS, URL, AWS-S3, VOD) and the one object that it names."""

    type: Needed[str] = None
    cos_input_info: CosInputInfo | None = None
    url_input_info: UrlInputInfo | None = None
    s3_input_info: S3InputInfo | None = None
    vod_input_info: VODInputInfo | None = None


class CosOutputStorage(Model):
    """A bucket in Tencent Cloud Object Storage; what is absent is inherited from the input."""

    bucket: str | None = None
    region: str | None = None


class S3OutputStorage(Model):
    """A bucket in Amazon S3, with the key that may write to it."""

    s3_bucket: Needed[str] = None
    s3_region: Needed[str] = None
    s3_secret_id: str | None = None
    s3_secret_key: Secret[str] | None = None


class VODOutputStorage(Model):
    """A Video on Demand application to write to."""

    bucket: str | None = None
    region: str | None = None
    sub_app_id: Unsigned | None = None
    vod_basic: int | None = None


class TaskOutputStorage(Model):
    """Where files are written to: `type` (COS, AWS-S3, VOD) and the one object that it names."""

    type: Needed[str] = None
    cos_output_storage: CosOutputStorage | None = None
    s3_output_storage: S3OutputStorage | None = None
    vod_output_storage: VODOutputStorage | None = None


class AwsSQS(Model):
    """An Amazon SQS queue, with the key that may write to it."""

    sqs_region: Needed[str] = None
    sqs_queue_name: Needed[str] = None
    s3_secret_id: str | None = None
    s3_secret_key: Secret[str] | None = None


class TaskNotifyConfig(Model):
    """How MPS reports the end of a task; without `notify_type` it writes to a TDMQ-CMQ queue."""

    notify_type: str | None = None
    notify_mode: str | None = None
    notify_url: str | None = None
    cmq_model: str | None = None
    cmq_region: str | None = None
    topic_name: str | None = None
    queue_name: str | None = None
    aws_sqs: AwsSQS | None = None
    notify_key: Secret[str] | None = None


class LiveStreamTaskNotifyConfig(Model):
    """How MPS reports on a live stream; without `notify_type` it does not report at all."""

    notify_type: str | None = None
    notify_url: str | None = None
    cmq_model: str | None = None
    cmq_region: str | None = None
    queue_name: str | None = None
    topic_name: str | None = None
    notify_key: Secret[str] | None = None
