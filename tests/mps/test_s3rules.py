"""Amazon S3 and SQS in jobs: places, keys and regions, by Tencent's schema and by what its documents say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from drmkit.errors import JobError
from drmkit.mps.job import Job, StreamingTask
from drmkit.mps.jobfile import parse_job, read_secrets, write_job
from drmkit.mps.locations import parse_input, parse_output
from drmkit.mps.models.storage import AwsSQS, TaskNotifyConfig
from drmkit.mps.wire import encode
from drmkit.secret import Secret

KEY: dict[str, Any] = {"secret_id": "AKIAEXAMPLE", "secret_key": Secret("file:s3.key")}


def job(
    *,
    source: str = "s3://tencentbucket/ap-southeast-1/in/movie.mp4",
    target: str = "s3://tencentbucket/ap-southeast-1/out/",
    queue: dict[str, Any] | None = None,
    key: dict[str, Any] | None = None,
) -> Job:
    """A job in the tutorial's places, with changes."""
    named = KEY if key is None else key
    place = parse_output(target, **named)
    sqs = {
        "sqs_region": "ap-southeast-1",
        "sqs_queue_name": "tencent_callback_sqs",
        "s3_secret_id": named.get("secret_id"),
        "s3_secret_key": named.get("secret_key"),
    } | (queue or {})
    return Job.build(
        input=parse_input(source, **named),
        output=place.storage,
        output_dir=place.directory,
        tasks=[StreamingTask(12)],
        notification=TaskNotifyConfig(notify_type="AWS-SQS", aws_sqs=AwsSQS(**sqs)),
    )


def findings(of: Job) -> list[tuple[str, str]]:
    """Severity and path of what is found."""
    return [(finding.severity, finding.path) for finding in of.check()]


def test_the_tutorials_job(oracle: Any, tmp_path: Path) -> None:
    """Input, output and callbacks at Amazon: nothing to find, clean by the schema, and without a secret at rest."""
    made = job()
    assert findings(made) == []
    text = write_job(made)
    assert '"S3SecretKey": "file:s3.key"' in text
    (tmp_path / "s3.key").write_text("cAnArY\n", encoding="utf-8")
    request = json.loads(encode(read_secrets(parse_job(text.encode()), tmp_path).request()))
    assert request["InputInfo"]["S3InputInfo"]["S3SecretKey"] == "cAnArY"
    assert request["TaskNotifyConfig"]["AwsSQS"]["S3SecretKey"] == "cAnArY"
    assert oracle.check("ProcessMediaRequest", request) == []


def test_a_secret_does_not_rest_in_a_job() -> None:
    """A key that is no file's name is refused where a job file is written, wherever it stands."""
    plain = job(key={"secret_id": "AKIA", "secret_key": Secret("cAnArY")})
    with pytest.raises(JobError, match="S3SecretKey is a secret") as caught:
        write_job(plain)
    assert "cAnArY" not in caught.value.message


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"queue": {"sqs_region": "us-east-1"}}, ("error", "TaskNotifyConfig.AwsSQS.SQSRegion")),
        ({"queue": {"sqs_queue_name": "q.fifo"}}, ("error", "TaskNotifyConfig.AwsSQS.SQSQueueName")),
        ({"queue": {"sqs_queue_name": ""}}, ("error", "TaskNotifyConfig.AwsSQS.SQSQueueName")),
        ({"queue": {"s3_secret_key": None}}, ("error", "TaskNotifyConfig.AwsSQS.S3SecretKey")),
        ({"queue": {"s3_secret_id": None, "s3_secret_key": None}}, ("warning", "TaskNotifyConfig.AwsSQS.S3SecretId")),
        ({"target": "s3://out-bucket/us-east-1/out/"}, ("warning", "OutputStorage.S3OutputStorage.S3Region")),
        ({"target": "s3://Out/ap-southeast-1/out/"}, ("error", "OutputStorage.S3OutputStorage.S3Bucket")),
        ({"source": "s3://tencentbucket/singapore/in/a.mp4"}, ("error", "InputInfo.S3InputInfo.S3Region")),
        ({"source": "s3://tencentbucket/eu-north-1/in/a.mp4"}, ("warning", "InputInfo.S3InputInfo.S3Region")),
        ({"key": {"secret_id": "AKIA"}}, ("error", "InputInfo.S3InputInfo.S3SecretKey")),
        ({"key": {}}, ("warning", "InputInfo.S3InputInfo.S3SecretId")),
        ({"source": "https://media.example.com/a.mp4"}, ("warning", "OutputStorage.Type")),
        ({"source": "https://media.example.com/a.mp4"}, ("warning", "TaskNotifyConfig.NotifyType")),
    ],
)
def test_what_does_not_go_together(changes: dict[str, Any], found: tuple[str, str]) -> None:
    """Each contradiction has its path; what only one document says is a warning."""
    assert found in findings(job(**changes))


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-3", "ap-southeast-1"])
def test_every_documented_region_is_good(region: str) -> None:
    """The regions of both documents pass without a word."""
    place = f"s3://tencentbucket/{region}"
    assert findings(job(source=f"{place}/a.mp4", target=f"{place}/out/", queue={"sqs_region": region})) == []
