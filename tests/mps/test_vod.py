"""Jobs through Video on Demand: as text or structured, what is undocumented said, verdicts and events of VOD."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drmkit.errors import InputError, JobError, RemoteUnavailableError
from drmkit.http import HttpClient
from drmkit.mps import drm
from drmkit.mps.analysis import analysis_task
from drmkit.mps.credentials import Credentials
from drmkit.mps.endpoints import INTERNATIONAL, MAINLAND, Endpoint, vod_endpoint
from drmkit.mps.extended import Highlights
from drmkit.mps.findings import errors_of
from drmkit.mps.job import Job, StreamingTask
from drmkit.mps.jobfile import parse_job, write_job
from drmkit.mps.models.request import ProcessMediaRequest
from drmkit.mps.models.storage import MediaInputInfo
from drmkit.mps.models.vod import DescribeVodTaskResponse, MPSAiAnalysisTaskInput
from drmkit.mps.notification import parse
from drmkit.mps.results import results
from drmkit.mps.vodclient import VodClient
from drmkit.mps.vodjob import PARAMS, VodJob, structured
from drmkit.mps.vodtask import VodTaskDetail, is_vod_task, sub_app_of
from drmkit.mps.wire import decode, to_builtins
from drmkit.retry import Retrier, RetryPolicy
from drmkit.secret import Secret

FILE, APP = "966263619095884274", 221157
TASK = f"{APP}-ProcessMediaByMPS-c80d6b074ba566e4e4097bccc0044b9bt"
HIGHLIGHTS = ProcessMediaRequest(ai_analysis_task=analysis_task("highlights", Highlights(top_clip=3)))


def protected(source: str = "drmtoday:prod", **more: Any) -> VodJob:
    """A job through VOD with a DRM task."""
    task = StreamingTask(12, drm.Widevine(resource_id="m", key_source=source, iv="00" * 16))
    job = Job.build(input=MediaInputInfo(), tasks=[task], **more)
    return VodJob.build(FILE, APP, params=job.body)


def test_an_mps_request_as_text() -> None:
    """The tasks of an MPS request travel as text, without the input, which is the file."""
    job = VodJob.build(FILE, APP, params=HIGHLIGHTS)
    assert job.check() == []
    sent = to_builtins(job.request())
    assert sent["FileId"] == FILE
    assert json.loads(sent[PARAMS]) == to_builtins(HIGHLIGHTS)


def test_structured_tasks() -> None:
    """Analysis, subtitles and smart erase can be structured; a task of another kind cannot."""
    job = structured(HIGHLIGHTS, FILE, APP)
    assert job.check() == []
    assert to_builtins(job.request())["AiAnalysisTask"] == to_builtins(HIGHLIGHTS)["AiAnalysisTask"]
    with pytest.raises(JobError, match="MediaProcessTask cannot be a structured task"):
        structured(protected().params, FILE, APP)


@pytest.mark.parametrize("layout", ["json", "toml"])
@pytest.mark.parametrize("job", [VodJob.build(FILE, APP, params=HIGHLIGHTS), structured(HIGHLIGHTS, FILE, APP)])
def test_a_written_job_reads_as_the_same(job: VodJob, layout: Any) -> None:
    """What is written is read as the same job."""
    again = parse_job(write_job(job, layout).encode())
    assert again == job


@settings(max_examples=50)
@given(st.text(max_size=12), st.none() | st.text(max_size=30), st.integers(0, 2**63))
def test_any_values_are_checked(file: Any, params: Any, application: Any) -> None:
    """Whatever stands in such a file, it is checked without a fault."""
    body = {"FileId": file, "SubAppId": application, PARAMS: params}
    assert isinstance(VodJob.from_builtins(body).check(), list)


def test_drm_through_vod_is_said_to_be_undocumented() -> None:
    """A DRM task in the parameters is warned of in plain words, and its key source is minted all the same."""
    job = protected()
    (found,) = job.check()
    assert found.severity == "warning"
    assert "DRM through ProcessMediaByMPS is undocumented" in found.message
    ((path, source),) = job.key_requests
    assert path.startswith(f"{PARAMS}.MediaProcessTask.AdaptiveDynamicStreamingTaskSet[0]")
    assert source.reveal() == "drmtoday:prod"
    sent = job.request([Secret("https://keys.example.com/x?ticket=ST-cAnArY")])
    assert "ST-cAnArY" in sent.mps_process_media_params
    with pytest.raises(JobError, match="needs 1 key-server URLs, not 0"):
        job.request()


def test_secrets_in_the_text_are_masked() -> None:
    """What is shown of a job masks the secrets within the text of its parameters, unless they are revealed."""
    job = protected("https://keys.example.com/x?ticket=ST-cAnArY")
    assert "cAnArY" not in f"{job!r}{job.to_builtins()}{job.request_fields()}{job.preview()!r}"
    assert "cAnArY" in str(job.request_fields(reveal=True))
    with pytest.raises(JobError, match="holds a ticket, and job files hold none"):
        write_job(job)


@pytest.mark.parametrize(
    ("change", "path", "message"),
    [
        ({}, PARAMS, "the job has no task"),
        ({PARAMS: "{"}, PARAMS, "is no JSON (was it cut short?)"),
        ({PARAMS: "[1]"}, PARAMS, "is JSON, but no object"),
        ({PARAMS: {"AiAnalysisTask": {"Definition": 22}}}, PARAMS, "is an object; the API wants the text of it"),
        ({PARAMS: '{"AiAnalysisTsk":{}}'}, f"{PARAMS}.AiAnalysisTsk", "has no field AiAnalysisTsk"),
        (
            {PARAMS: '{"AiAnalysisTask":{"Definition":22}}', "AiAnalysisTask": {"Definition": 22}},
            "AiAnalysisTask",
            f"has no effect: {PARAMS} is given",
        ),
        (
            {"AiAnalysisTask": {"Definition": 22, "ExtendedParameter": '{"hht":{}}'}},
            "AiAnalysisTask.ExtendedParameter.hht",
            "belongs to highlights",
        ),
        ({"AiAnalysisTask": {"Definition": 22}, "FileId": " "}, "FileId", "is empty"),
        ({"AiAnalysisTask": {"Definition": 22}, "SubAppId": "one"}, "SubAppId", "is a text, not an integer"),
    ],
)
def test_what_is_wrong_is_told(change: Any, path: str, message: str) -> None:
    """Each wrong value is an error at its path."""
    job = VodJob.from_builtins({"FileId": FILE, "SubAppId": APP} | change)
    assert (path, True) in [(item.path, message in item.message) for item in errors_of(job.check())]


def test_what_vod_fills_itself_is_warned_of() -> None:
    """An input, an output or a callback in the parameters is VOD's own to fill."""
    value = {"OutputDir": "/x/", "SessionId": "s", "AiAnalysisTask": {"Definition": 22}}
    found = VodJob.from_builtins({"FileId": FILE, "SubAppId": APP, PARAMS: json.dumps(value)}).check()
    assert [(item.path.rpartition(".")[2], item.severity) for item in found] == [
        ("OutputDir", "warning"),
        ("SessionId", "warning"),
    ]


def answer(status: str = "FINISH", code: str = "0", **more: Any) -> DescribeVodTaskResponse:
    """An answer of VOD's DescribeTaskDetail with one subtask."""
    output = {
        "OutputFiles": [{"FileType": "AiAnalysis.HighlightTask.Video", "StorageMode": "Permanent", "FileId": "77"}],
        "OutputText": json.dumps({"HighlightSet": [{"HighlightPath": "/hht-0.mp4", "Confidence": 90}]}),
    }
    subtask = {
        "TaskType": "AiAnalysis.HighlightTask",
        "Status": "SUCCESS" if code == "0" else "FAIL",
        "ErrCode": code,
        "Message": "see https://x.example.com/a?ticket=ST-1-cAnArY",
        "Input": '{"Definition": 26}',
        "Output": output,
    }
    task = {"TaskId": TASK, "Status": "FINISH", "ErrCode": 0, "SubTaskSet": [subtask]}
    value = {"TaskType": "ProcessMediaByMPS", "Status": status, "ProcessMediaByMPSTask": task} | more
    return decode(DescribeVodTaskResponse, json.dumps(value).encode())


def test_the_verdict_over_a_vod_task() -> None:
    """The verdict is that of the subtasks: the code is a text, and "0" is success."""
    verdict = VodTaskDetail(TASK, answer()).verdict
    assert (verdict.state, verdict.subtasks[0].definition, verdict.subtasks[0].output) == (
        "succeeded",
        26,
        "vod file 77",
    )
    failed = VodTaskDetail(TASK, answer(code="70000")).verdict
    assert failed.state == "failed"
    assert "AiAnalysis.HighlightTask, template 26: 70000" in failed.message
    assert "cAnArY" not in failed.message


@pytest.mark.parametrize(
    ("status", "state"),
    [("WAITING", "waiting"), ("PROCESSING", "processing"), ("ABORTED", "failed"), (None, "processing")],
)
def test_states_of_a_vod_task(status: Any, state: str) -> None:
    """VOD's states, ABORTED among them."""
    assert VodTaskDetail(TASK, answer(status)).verdict.state == state


def test_a_task_whose_source_failed() -> None:
    """An error of the task itself is the source's."""
    task = {"TaskId": TASK, "Status": "FINISH", "ErrCode": 60000, "Message": "no such file", "SubTaskSet": []}
    verdict = VodTaskDetail(TASK, answer(ProcessMediaByMPSTask=task)).verdict
    assert (verdict.state, verdict.source_error, verdict.message) == ("failed", True, "error 60000: no such file")


def test_results_are_read_from_the_text() -> None:
    """OutputText is an Output of MPS as text, and is listed like one; garbage in it is left out."""
    found = VodTaskDetail(TASK, answer()).results
    assert found == results(answer())
    assert [(item.kind, item.path) for item in found] == [("highlights", "/hht-0.mp4"), ("file", "77")]
    task = {"SubTaskSet": [{"TaskType": "AiAnalysis.HighlightTask", "Output": {"OutputText": "{"}}]}
    assert results(answer(ProcessMediaByMPSTask=task)) == ()


def test_the_event_of_vod() -> None:
    """VOD's own event is read with its claim; another event of VOD is kept and flagged."""
    task = to_builtins(answer())["ProcessMediaByMPSTask"]
    body = {"EventType": "ProcessMediaByMPSComplete", "ProcessMediaByMPSCompleteEvent": task}
    found = parse(json.dumps(body).encode())
    assert (found.product, found.known, found.task_id, found.claim.state) == ("vod", True, TASK, "succeeded")
    other = parse(b'{"EventType": "NewFileUpload", "FileUploadEvent": {"FileId": "1"}}')
    assert (other.known, other.unknown) == (False, {"FileUploadEvent": {"FileId": "1"}})
    assert other.claim is None


def test_task_ids_of_vod() -> None:
    """A task ID of ProcessMediaByMPS names its application; others do not."""
    assert (is_vod_task(TASK), sub_app_of(TASK)) == (True, APP)
    assert not is_vod_task("24000035-WorkflowTask-cf405e365e75efb2a7bfdef514cc17dbtt195964")
    assert sub_app_of("ProcessMediaByMPS-1") is None


@pytest.mark.parametrize(
    ("mps", "vod"),
    [
        (MAINLAND, "https://vod.tencentcloudapi.com"),
        (INTERNATIONAL, "https://vod.intl.tencentcloudapi.com"),
        (Endpoint.regional("ap-singapore"), "https://vod.tencentcloudapi.com"),
        (Endpoint("http://127.0.0.1:8080"), "http://127.0.0.1:8080"),
        (Endpoint("https://gateway.example.com"), "https://gateway.example.com"),
    ],
)
def test_vod_is_asked_at_the_same_site(mps: Endpoint, vod: str) -> None:
    """VOD's endpoint is that of the site of MPS's."""
    assert vod_endpoint(mps).url == vod


def test_a_call_in_doubt_is_not_repeated() -> None:
    """VOD has no SessionId, so a call without an answer is made once, and the hint says to look first."""
    import httpx  # noqa: PLC0415 (the transport of this test alone)

    calls: list[str] = []

    def broken(request: httpx.Request) -> httpx.Response:
        calls.append(request.headers["x-tc-action"])
        raise httpx.ReadError("broken", request=request)

    with HttpClient(transport=httpx.MockTransport(broken)) as http:
        client = VodClient(
            "https://vod.tencentcloudapi.com",
            Credentials("AKIDtest", Secret("key")),
            http=http,
            retrier=Retrier(RetryPolicy(attempts=3), sleep=lambda _: None),
        )
        with pytest.raises(RemoteUnavailableError) as failed:
            client.process_media_by_mps(structured(HIGHLIGHTS, FILE, APP).request())
        assert calls == ["ProcessMediaByMPS"]
        assert "may have been accepted" in failed.value.hint
        with pytest.raises(InputError, match="names no VOD application"):
            client.describe_task_detail("unknown")


def test_structured_tasks_under_their_own_names() -> None:
    """The models of VOD are built by their Python names."""
    job = VodJob.build(FILE, APP, ai_analysis_task=MPSAiAnalysisTaskInput(definition=21, extended_parameter=""))
    assert errors_of(job.check()) == []
