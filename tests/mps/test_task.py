"""Verdicts over tasks and subtasks, and waiting: backoff, deadline, trouble on the way."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from drmkit.errors import CredentialsRejectedError, RemoteUnavailableError, TaskFailedError, TemporaryError
from drmkit.mps.models.detail import DescribeTaskDetailResponse
from drmkit.mps.task import Poll, TaskDetail, wait
from drmkit.mps.wire import convert

ZERO = "0000-00-00T00:00:00Z"


def adaptive(
    status: Any = "SUCCESS", code: Any = "", message: Any = "", drm: Any = "widevine", definition: Any = 12
) -> Any:
    """The result of one adaptive-bitrate task."""
    given = {"Definition": definition, "DrmInfo": {"Type": drm}}
    result = {"Status": status, "ErrCodeExt": code, "ErrCode": 0, "Message": message, "Input": given}
    if status == "SUCCESS":
        result["Output"] = {"Definition": definition, "Package": "HLS", "Path": "/out/a.m3u8"}
    return {"Type": "AdaptiveDynamicStreaming", "AdaptiveDynamicStreamingTask": result, "TranscodeTask": None}


def detail(*results: Any, status: Any = "FINISH", **workflow: Any) -> Any:
    """A TaskDetail with these results."""
    task = {"TaskId": "t", "Status": status, "ErrCode": 0, "Message": "", "MediaProcessResultSet": list(results)}
    answer = {
        "TaskType": "WorkflowTask",
        "Status": status,
        "CreateTime": "2026-01-02T03:04:05Z",
        "FinishTime": ZERO if status != "FINISH" else "2026-01-02T03:14:05Z",
        "WorkflowTask": task | workflow,
    }
    return TaskDetail("t", convert(DescribeTaskDetailResponse, answer))


@pytest.mark.parametrize("code", ["", None, "SUCCESS"])
def test_success(code: Any) -> None:
    """A task has succeeded when its source and every subtask have; three spellings of no error count as none."""
    verdict = detail(adaptive(code=code), adaptive(drm="fairplay")).verdict
    assert (verdict.state, verdict.ended, verdict.message) == ("succeeded", True, "")
    assert [(item.kind, item.state, item.drm, item.output) for item in verdict.subtasks] == [
        ("AdaptiveDynamicStreamingTask", "succeeded", "widevine", "/out/a.m3u8"),
        ("AdaptiveDynamicStreamingTask", "succeeded", "fairplay", "/out/a.m3u8"),
    ]
    assert verdict.created == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert verdict.finished == datetime(2026, 1, 2, 3, 14, 5, tzinfo=UTC)
    verdict.require_success()


def test_finish_is_not_success() -> None:
    """A task that has finished with a failed subtask has failed, and says which, why and what to check."""
    verdict = detail(adaptive(), adaptive("FAIL", "InternalError", "key https://a/?ticket=canary", "playready")).verdict
    assert verdict.state == "failed"
    assert verdict.message.startswith("1 of 2 subtasks failed: AdaptiveDynamicStreamingTask, template 12, playready:")
    assert [item.code for item in verdict.failed_subtasks] == ["InternalError"]
    with pytest.raises(TaskFailedError, match="InternalError") as caught:
        verdict.require_success()
    assert "check the key source" in caught.value.hint
    assert "canary" not in f"{caught.value} {verdict}"


def test_source_errors() -> None:
    """A non-zero ErrCode of the task speaks of its source."""
    verdict = detail(status="FINISH", ErrCode=30000, Message="no such object").verdict
    assert (verdict.state, verdict.source_error) == ("failed", True)
    with pytest.raises(TaskFailedError, match="error 30000: no such object") as caught:
        verdict.require_success()
    assert "can read the input" in caught.value.hint


@pytest.mark.parametrize(
    ("status", "state"), [("WAITING", "waiting"), ("PROCESSING", "processing"), (None, "processing")]
)
def test_not_ended(status: Any, state: Any) -> None:
    """A task that waits or works has no verdict yet, whatever single subtasks say; moments to come are None."""
    verdict = detail(adaptive("FAIL", "x"), status=status).verdict
    assert (verdict.state, verdict.ended, verdict.finished) == (state, False, None)
    verdict.require_success()


def test_waiting_tasks_have_no_workflow() -> None:
    """While a task waits, its WorkflowTask may be null."""
    answer = DescribeTaskDetailResponse(status="WAITING", create_time=ZERO)
    assert TaskDetail("t", answer).verdict.state == "waiting"


def test_an_end_without_results_is_no_success() -> None:
    """A task that ended without any result, such as an aborted one, has not succeeded."""
    assert "without any result" in detail().verdict.message


def test_a_subtask_that_still_works() -> None:
    """A task that says FINISH while a subtask still works is not taken for ended."""
    assert detail(adaptive(), adaptive("PROCESSING")).verdict.state == "processing"


@pytest.mark.parametrize(
    ("status", "code", "number", "state"),
    [
        ("FINISH", "", 0, "succeeded"),
        ("ODD", "", 0, "succeeded"),
        ("ODD", "Bad", 0, "failed"),
        ("ODD", None, 7, "failed"),
    ],
)
def test_other_statuses(status: Any, code: Any, number: Any, state: Any) -> None:
    """A status that is not documented is judged by the error code."""
    result = adaptive(status, code)
    result["AdaptiveDynamicStreamingTask"]["ErrCode"] = number
    verdict = detail(result).verdict
    assert verdict.state == state
    assert [item.code for item in verdict.failed_subtasks] == ([code or str(number)] if state == "failed" else [])


def test_every_kind_of_subtask_counts() -> None:
    """Transcoding and AI subtasks count like any other; their codes lead to the catalog."""
    transcode = {"Type": "Transcode", "TranscodeTask": {"Status": "FAIL", "ErrCode": 5, "Input": {"Definition": 30}}}
    cover = {"Type": "Cover", "CoverTask": {"Status": "SUCCESS", "ErrCode": 0}}
    verdict = detail(transcode, AiAnalysisResultSet=[cover]).verdict
    assert [(item.kind, item.state) for item in verdict.subtasks] == [
        ("TranscodeTask", "failed"),
        ("CoverTask", "succeeded"),
    ]
    with pytest.raises(TaskFailedError) as caught:
        verdict.require_success()
    assert "40249" in caught.value.hint


def test_orchestrations() -> None:
    """The results of an orchestration hang on its activities."""
    result = {"ActivityType": "action-adaptive-streaming", "ActivityResItem": adaptive("FAIL", "x", "y")}
    schedule = {"TaskId": "t", "Status": "FINISH", "ErrCode": 0, "ActivityResultSet": [result]}
    answer = convert(DescribeTaskDetailResponse, {"Status": "FINISH", "ScheduleTask": schedule})
    assert [item.code for item in TaskDetail("t", answer).verdict.failed_subtasks] == ["x"]


class Scripted:
    """Answers questions from a list, and keeps the time."""

    def __init__(self, *steps: Any) -> None:
        self.steps = list(steps)
        self.now = 0.0
        self.slept = []

    def __call__(self) -> Any:
        """Answer a question."""
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        if isinstance(step, Exception):
            raise step
        return step

    def wait(self, **poll: Any) -> Any:
        """Wait with this script's clock."""
        self.seen = []
        return wait(self, poll=Poll(**poll), clock=lambda: self.now, sleep=self._sleep, progress=self.seen.append)

    def _sleep(self, seconds: Any) -> None:
        self.slept.append(seconds)
        self.now += seconds


def test_waits_grow_and_end() -> None:
    """Waits grow by a factor up to the longest; the last answer is returned and each verdict was told."""
    busy, done = detail(status="PROCESSING"), detail(adaptive())
    script = Scripted(detail(status="WAITING"), busy, busy, busy, done)
    assert script.wait(first=1, factor=2, longest=3) is done
    assert script.slept == [1, 2, 3, 3]
    assert [verdict.state for verdict in script.seen] == ["waiting", *["processing"] * 3, "succeeded"]


def test_deadline() -> None:
    """At the deadline the wait ends with the state of the task, which goes on; no wait goes beyond it."""
    script = Scripted(detail(status="PROCESSING"))
    with pytest.raises(TemporaryError, match=r"within 10 seconds \(it is processing\)") as caught:
        script.wait(first=4, factor=1, deadline=10)
    assert script.slept == [4, 4, 2]
    assert "it goes on" in caught.value.hint
    assert caught.value.exit_code == 75


def test_trouble_on_the_way_is_outlived() -> None:
    """A question that fails is asked again until the deadline, which then tells the last failure."""
    trouble = RemoteUnavailableError("DescribeTaskDetail: HTTP 502")
    done = detail(adaptive())
    assert Scripted(trouble, trouble, done).wait(first=1) is done
    with pytest.raises(TemporaryError, match="the last question failed: DescribeTaskDetail: HTTP 502"):
        Scripted(trouble).wait(first=1, deadline=3)


def test_final_errors_end_the_wait() -> None:
    """Rejected credentials are not asked about again."""
    script = Scripted(CredentialsRejectedError("no"))
    with pytest.raises(CredentialsRejectedError):
        script.wait(first=1)
    assert script.slept == []
