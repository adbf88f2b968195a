"""How objects travel: names, secrets, lenient answers, moments that no calendar knows."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from drmkit.errors import ProtocolError
from drmkit.mps.models.detail import DescribeTaskDetailResponse
from drmkit.mps.models.request import DescribeTasksRequest, ProcessMediaRequest
from drmkit.mps.models.streaming import SimpleAesDrm, SpekeDrm
from drmkit.mps.wire import convert, decode, encode, masked, moment, to_builtins, wire_name
from drmkit.secret import MASK, Secret


@pytest.mark.parametrize(
    ("name", "wire"),
    [
        ("key_server_url", "KeyServerUrl"),
        ("aws_sqs", "AwsSQS"),
        ("key_pts_list", "KeyPTSList"),
        ("ai_dubbing_task", "AIDubbingTask"),
        ("ai_dubbing_task_result", "AiDubbingTaskResult"),
        ("s3_secret_key", "S3SecretKey"),
        ("stereo3d_type", "Stereo3dType"),
    ],
)
def test_names(name: Any, wire: Any) -> None:
    """A field's name travels as the API spells it, acronyms included."""
    assert wire_name(name) == wire


def test_absent_and_zero_differ() -> None:
    """None is left out; 0, false and empty texts are sent."""
    request = ProcessMediaRequest(tasks_priority=0, session_context="")
    assert encode(request) == b'{"TasksPriority":0,"SessionContext":""}'


def test_secrets_on_the_wire_and_on_the_screen() -> None:
    """A secret is revealed to the wire alone."""
    aes = SimpleAesDrm(uri="u", key=Secret("0f" * 16))
    assert b"0f0f" in encode(aes)
    assert to_builtins(aes, reveal=True)["Key"] == "0f" * 16
    assert to_builtins(aes)["Key"] == MASK
    assert b"0f0f" not in masked(aes)


@pytest.mark.parametrize("write", [encode, masked])
def test_foreign_values_are_refused(write: Any) -> None:
    """A value that JSON does not know is a programming error, not a guess."""
    with pytest.raises(TypeError, match="object cannot be written"):
        write(SpekeDrm(resource_id=object()))


def test_answers_are_read_leniently() -> None:
    """Unknown fields are ignored, nulls are absent, numbers may stand in strings; secrets are wrapped."""
    answer = decode(SpekeDrm, b'{"ResourceId": null, "KeyServerUrl": "https://a/?t=canary", "New": [1]}')
    assert answer.resource_id is None
    assert "canary" not in repr(answer)
    assert decode(DescribeTasksRequest, b'{"Status": "FINISH", "Limit": "5"}').limit == 5
    assert convert(DescribeTasksRequest, {"Limit": "7"}).limit == 7


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"<html>", "the answer is no DescribeTaskDetailResponse"),
        (b"", "the answer is no DescribeTaskDetailResponse"),
        (b'"\xff"', "the answer is no DescribeTaskDetailResponse"),
        (b'{"Status": "\xff"}', "the answer is no DescribeTaskDetailResponse"),
        (b'{"TasksPriority": "high"}', r"Expected `int.*\$\.TasksPriority"),
        (b'{"TaskNotifyConfig": {"NotifyKey": 5}}', r"expected a string.*\$\.TaskNotifyConfig\.NotifyKey"),
    ],
)
def test_answers_that_cannot_be(data: Any, message: Any) -> None:
    """An answer that is no JSON, or whose field cannot be what it should, is a protocol error naming the field."""
    with pytest.raises(ProtocolError, match=message):
        decode(DescribeTaskDetailResponse, data)


def test_values_that_cannot_be_converted() -> None:
    """The same for values that are no text."""
    with pytest.raises(ProtocolError, match="not a DescribeTasksRequest"):
        convert(DescribeTasksRequest, {"Limit": []})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, None),
        ("", None),
        ("0000-00-00T00:00:00Z", None),
        ("soon", None),
        ("2019-07-16T06:21:27Z", datetime(2019, 7, 16, 6, 21, 27, tzinfo=UTC)),
        ("2019-07-16T14:21:27+08:00", datetime(2019, 7, 16, 6, 21, 27, tzinfo=UTC)),
        ("2019-07-16T06:21:27", datetime(2019, 7, 16, 6, 21, 27, tzinfo=UTC)),
    ],
)
def test_moments(text: Any, expected: Any) -> None:
    """A moment is aware and in UTC; the year 0000 stands for one that has not come."""
    assert moment(text) == expected


def test_every_model_decodes() -> None:
    """The whole tree of an answer is usable by the decoder: every name in it resolves."""
    assert msgspec.json.encode(decode(DescribeTaskDetailResponse, b"{}")) == b"{}"


THREADS = """
import sys, threading
sys.setswitchinterval(1e-6)
from drmkit.mps.models.detail import DescribeTaskDetailResponse, ParseNotificationResponse
from drmkit.mps.wire import convert, decode
barrier = threading.Barrier(8)
def work(number):
    kind = (DescribeTaskDetailResponse, ParseNotificationResponse)[number % 2]
    barrier.wait()
    decode(kind, b'{"SessionId": "a"}') if number % 4 else convert(kind, {"SessionId": "a"})
threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


def test_the_first_answers_may_come_at_once() -> None:
    """Many threads that read their first answers at the same moment do not crash the process."""
    subprocess.run([sys.executable, "-X", "faulthandler", "-c", THREADS], check=True)
