"""From a job to its end: tickets minted late, one for each DRM task; one new attempt where they may have ended."""

from __future__ import annotations

from typing import Any

import pytest

from drmkit.errors import JobError, NoValidUrlError
from drmkit.mps import drm
from drmkit.mps.job import Job, StreamingTask
from drmkit.mps.models.detail import DescribeTaskDetailResponse
from drmkit.mps.models.request import MediaProcessTaskInput, ProcessMediaRequest
from drmkit.mps.models.storage import CosInputInfo, MediaInputInfo
from drmkit.mps.models.streaming import AdaptiveDynamicStreamingTaskInput
from drmkit.mps.rules import streaming_tasks
from drmkit.mps.task import TaskDetail
from drmkit.mps.wire import convert
from drmkit.provisioning import prepare, run, submit
from drmkit.secret import Secret

IV = "00112233445566778899aabbccddeeff"


class Bench:
    """A client and a mint in one: the order of everything that happens is kept."""

    def __init__(self, *outcomes: Any) -> None:
        self.outcomes = list(outcomes)
        self.events = []
        self.requests = []

    def mint(self, source: Any) -> Any:
        """Mint a URL for a key source."""
        self.events.append(f"mint {source}")
        return Secret(f"https://fe.example.com/?ticket={len(self.events)}")

    def process_media(self, request: Any) -> Any:
        """Accept a job."""
        self.events.append("submit")
        self.requests.append(request)
        return f"task-{len(self.requests)}"

    def describe_task_detail(self, task_id: Any) -> Any:
        """Tell how the job ended: one outcome for each of its tasks."""
        self.events.append("ask")
        tasks = [task for _, task in streaming_tasks(self.requests[-1])]
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        results = [result_of(task, code) for task, code in zip(tasks, outcome, strict=False)]
        workflow = {"TaskId": task_id, "Status": "FINISH", "ErrCode": 0, "MediaProcessResultSet": results}
        return TaskDetail(task_id, convert(DescribeTaskDetailResponse, {"Status": "FINISH", "WorkflowTask": workflow}))

    def run(self, job: Any, **more: Any) -> Any:
        """Run a job on this bench, without waiting."""
        return run(job, client=self, mint=self.mint, sleep=lambda seconds: None, **more)


def result_of(task: Any, code: Any) -> Any:
    """The result of one task: success without a code."""
    drm_type = task.drm_info.type if task.drm_info else None
    given = {"Definition": task.definition, "DrmInfo": {"Type": drm_type} if drm_type else None}
    result = {"Status": "FAIL" if code else "SUCCESS", "ErrCodeExt": code, "ErrCode": 0, "Input": given}
    return {"Type": "AdaptiveDynamicStreaming", "AdaptiveDynamicStreamingTask": result}


def job_of(*protections: Any, **more: Any) -> Any:
    """A job with one task for each protection."""
    tasks = [StreamingTask(10 + number, protection) for number, protection in enumerate(protections)]
    return Job.build(input="cos://b-1/ap-singapore/in.mp4", tasks=tasks, **more)


def widevine(source: Any = "drmtoday:prod") -> Any:
    """A Widevine protection from a key source."""
    return drm.Widevine(resource_id="a", key_source=source, iv=IV)


def test_one_ticket_for_each_task_right_before_the_submission() -> None:
    """Each DRM task gets a URL of its own; everything is minted right before the one submission."""
    bench = Bench([""])
    job = job_of(widevine(), drm.FairPlay(resource_id="a", key_source="drmtoday:two", iv=IV), None)
    submission = submit(job, client=bench, mint=bench.mint)
    assert bench.events == ["mint drmtoday:prod", "mint drmtoday:two", "submit"]
    assert (submission.task_id, submission.minted) == ("task-1", 2)
    assert submission.session_id == job.session_id() == bench.requests[0].session_id
    urls = [
        task.drm_info.speke_drm.key_server_url.reveal()
        for _, task in streaming_tasks(bench.requests[0])
        if task.drm_info
    ]
    assert urls == ["https://fe.example.com/?ticket=1", "https://fe.example.com/?ticket=2"]


def test_literal_urls_are_used_as_they_are() -> None:
    """A key source that is a URL needs no ticket: nothing is minted."""
    bench = Bench([""])
    request = prepare(job_of(widevine("https://keys.example.com/TOKEN")), bench.mint)
    assert bench.events == []
    ((_, task),) = streaming_tasks(request)
    assert task.drm_info.speke_drm.key_server_url.reveal() == "https://keys.example.com/TOKEN"


def test_a_wrong_job_costs_no_ticket() -> None:
    """A job with errors is refused before anything is minted or submitted."""
    bench = Bench([""])
    with pytest.raises(JobError, match="out of range"):
        bench.run(job_of(widevine(), tasks_priority=99))
    assert bench.events == []


def test_no_ticket_no_submission() -> None:
    """When a ticket cannot be had, nothing is submitted."""
    bench = Bench([""])

    def mint(source: Any) -> None:
        raise NoValidUrlError("no URL")

    with pytest.raises(NoValidUrlError):
        submit(job_of(widevine()), client=bench, mint=mint)
    assert bench.events == []


def test_a_run_that_succeeds() -> None:
    """A job is submitted once and followed to its end; the submission is told before the wait begins."""
    bench, told = Bench([""]), []
    outcome = bench.run(job_of(widevine()), submitted=lambda made: told.append((made.task_id, list(bench.events))))
    assert outcome.verdict.state == "succeeded"
    assert [made.task_id for made in outcome.submissions] == ["task-1"]
    assert told == [("task-1", ["mint drmtoday:prod", "submit"])]
    assert outcome.repeated == ""


def test_failed_drm_tasks_get_new_tickets_once(caplog: pytest.LogCaptureFixture) -> None:
    """A failure that an ended ticket explains leads to one new submission of the failed tasks alone, and says so."""
    bench = Bench(["", "InternalError"], [""])
    outcome = bench.run(job_of(widevine(), drm.PlayReady(resource_id="a", key_source="drmtoday:two", iv=IV)))
    assert outcome.verdict.state == "succeeded"
    assert bench.events == [
        "mint drmtoday:prod", "mint drmtoday:two", "submit", "ask", "mint drmtoday:two", "submit", "ask",
    ]  # fmt: skip
    first, second = bench.requests
    assert [task.definition for _, task in streaming_tasks(second)] == [11]
    assert first.session_id != second.session_id
    assert "task-1 failed as it does when a ticket has ended" in outcome.repeated
    assert "once more with new tickets" in caplog.text


def test_a_second_failure_is_final() -> None:
    """New tickets are tried once; the second verdict is the outcome's."""
    bench = Bench(["InternalError"])
    outcome = bench.run(job_of(widevine()))
    assert outcome.verdict.state == "failed"
    assert outcome.verdict.task_id == "task-2"
    assert bench.events.count("submit") == 2


@pytest.mark.parametrize(
    ("protections", "codes"),
    [
        ([widevine()], ["SourceFileError.NoVideoMedia"]),
        ([widevine()], ["InvalidInput.DefinitionNotExist"]),
        ([widevine("https://keys.example.com/TOKEN")], ["InternalError"]),
        ([widevine(), drm.SimpleAes(uri="u", key=Secret("00" * 16))], ["InternalError", "InternalError"]),
        ([None], ["InternalError"]),
        ([widevine()], []),
    ],
    ids=["source", "template", "literal URL", "simpleaes too", "clear", "no result"],
)
def test_failures_that_tickets_do_not_explain(protections: Any, codes: Any) -> None:
    """Errors of the source or the template, of other tasks, or with a URL that is not minted are final."""
    bench = Bench(codes)
    outcome = bench.run(job_of(*protections))
    assert (outcome.verdict.state, len(outcome.submissions), outcome.repeated) == ("failed", 1, "")


def test_results_that_cannot_be_matched() -> None:
    """Where results do not match the tasks one by one, the whole job is submitted again."""
    bench = Bench(["InternalError"])
    bench.run(job_of(widevine(), widevine()))
    assert len(list(streaming_tasks(bench.requests[1]))) == 2


def test_types_in_another_order_still_match() -> None:
    """A type that the job spells in another order is the same type in the result."""
    task = StreamingTask(10, drm.WidevinePlayReady(resource_id="a", key_source="drmtoday:x", iv=IV)).model()
    task.drm_info.type = "PlayReady+Widevine"
    body = ProcessMediaRequest(
        input_info=MediaInputInfo(type="COS", cos_input_info=CosInputInfo(bucket="b", region="r", object="/o")),
        media_process_task=MediaProcessTaskInput(
            adaptive_dynamic_streaming_task_set=[AdaptiveDynamicStreamingTaskInput(definition=9), task]
        ),
    )
    bench = Bench(["", "InternalError"], [""])
    bench.run(Job(body))
    assert [task.definition for _, task in streaming_tasks(bench.requests[1])] == [10]
