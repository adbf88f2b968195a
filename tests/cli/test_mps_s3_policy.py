"""`drmkit mps s3-policy`: policies printed for pasting, and other people's judged."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drmkit.cli.main import main

Run = Callable[..., int]
QUEUE = "arn:aws:sqs:ap-southeast-1:123456789012:tencent_queue"
CALLBACKS = "arn:aws:sqs:ap-southeast-1:123456789012:tencent_callback_sqs"
BUCKET = "arn:aws:s3:::tencentbucket"
QUEUE_OPTIONS = ("--queue", QUEUE, "--bucket", BUCKET)
USER_OPTIONS = ("--notification-queue", QUEUE, "--input-bucket", BUCKET)


@pytest.fixture
def run() -> Run:
    """Run `drmkit mps s3-policy ...`."""
    return lambda *arguments: main(["mps", "s3-policy", *arguments], environ={"HOME": "/nowhere"})


def test_the_queues_policy_is_good(run: Run, tmp_path: Path, capsys: Any) -> None:
    """What is printed is JSON alone, and passes the check."""
    assert run("queue", *QUEUE_OPTIONS) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["Statement"][0]["Condition"]["StringEquals"] == {"aws:SourceAccount": "123456789012"}
    assert err == ""
    file = tmp_path / "policy.json"
    file.write_text(out, encoding="utf-8")
    assert run("check-queue", str(file), *QUEUE_OPTIONS) == 0
    assert capsys.readouterr().out == "the policy allows what MPS needs\n"
    assert run("check-queue", str(file), "--queue", CALLBACKS, "--bucket", BUCKET) == 1
    assert "no statement lets s3.amazonaws.com do SQS:SendMessage" in capsys.readouterr().out


@pytest.mark.parametrize("callbacks", [(), ("--callback-queue", CALLBACKS)])
def test_the_users_policy_is_good(run: Run, callbacks: tuple[str, ...], tmp_path: Path, capsys: Any) -> None:
    """For callbacks by HTTP and by SQS; the check for the other finds what is missing."""
    options = (*USER_OPTIONS, "--output-bucket", "arn:aws:s3:::other-bucket")
    assert run("user", *options, *callbacks) == 0
    file = tmp_path / "policy.json"
    file.write_text(capsys.readouterr().out, encoding="utf-8")
    assert run("check-user", str(file), *options, *callbacks, "--format", "json") == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["schema_version"], data["good"], data["findings"]) == (1, True, [])
    assert run("check-user", str(file), *options, "--callback-queue", CALLBACKS) == (0 if callbacks else 1)


def test_a_policy_that_allows_everything(run: Run, tmp_path: Path, capsys: Any) -> None:
    """It works, and is warned of."""
    file = tmp_path / "policy.json"
    file.write_text('{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}', encoding="utf-8")
    assert run("check-user", str(file), *USER_OPTIONS) == 0
    out, err = capsys.readouterr()
    assert out.startswith("warning: Statement[0].Action\n")
    assert err == "the policy allows what MPS needs\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("queue", "--queue", "tencent_queue", "--bucket", BUCKET), "'tencent_queue' is no ARN"),
        (("queue", "--queue", QUEUE, "--bucket", f"{BUCKET}/*"), "names objects, not the bucket"),
        (("queue", *QUEUE_OPTIONS, "--account", "123"), "is no AWS account ID"),
        (("queue", "--queue", QUEUE), "Missing option '--bucket'"),
        (("user", "--notification-queue", BUCKET, "--input-bucket", BUCKET), "the ARN of s3, not of an SQS queue"),
        (("user", *USER_OPTIONS, "--callback-queue", QUEUE), "one queue is to hold"),
        (("user", *USER_OPTIONS, "--output-bucket", "arn:aws-cn:s3:::b-b"), "different partitions"),
        (("check-queue", "/nowhere", *QUEUE_OPTIONS), "cannot be read"),
        (("check-queue", "/dev/null", *QUEUE_OPTIONS), "the policy is no JSON"),
        (("check-user", "/dev/null", *USER_OPTIONS), "the policy is no JSON"),
        (("make",), "No such command 'make'"),
    ],
)
def test_what_is_wrong(run: Run, arguments: Any, said: str, capsys: Any) -> None:
    """Each mistake is exit code 2, with its sentence."""
    assert run(*arguments) == 2
    assert said in " ".join(capsys.readouterr().err.split())
