"""Live jobs: built, read from files, checked, and the notification whose default is none."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drmkit.errors import JobError
from drmkit.mps.analysis import analysis_task
from drmkit.mps.extended import Highlights
from drmkit.mps.findings import errors_of
from drmkit.mps.inspection import inspection_task
from drmkit.mps.job import Job
from drmkit.mps.jobfile import parse_job, read_secrets, write_job
from drmkit.mps.livejob import LiveJob
from drmkit.mps.models.smart import AiContentReviewTaskInput, AiRecognitionTaskInput
from drmkit.mps.models.storage import LiveStreamTaskNotifyConfig
from drmkit.mps.subtitling import live_subtitles_task
from drmkit.mps.wire import to_builtins
from drmkit.secret import Secret

URL = "rtmp://live.example.com/app/stream"
OUTPUT = "cos://target-1250000000/ap-guangzhou/out/"
TASKS: dict[str, dict[str, Any]] = {
    "analysis": {"ai_analysis_task": analysis_task("highlights", Highlights(top_clip=5), live=True)},
    "recognition": {"ai_recognition_task": AiRecognitionTaskInput(definition=10)},
    "moderation": {"ai_content_review_task": AiContentReviewTaskInput(definition=10)},
    "quality": {"ai_quality_control_task": inspection_task("picture")},
    "subtitles": {"smart_subtitles_task": live_subtitles_task("zh-en")},
    "recording": {"schedule_id": 20858},
}


def live(**changes: Any) -> LiveJob:
    """A live job that inspects quality, with changes."""
    given = {"notify_url": "https://me.example.com/cb", "output": OUTPUT} | TASKS["quality"]
    return LiveJob.build(URL, **(given | changes))


@pytest.mark.parametrize("name", TASKS)
def test_each_kind_of_task(oracle: Any, name: str) -> None:
    """A live job of each kind has nothing wrong, and its request passes the schema."""
    job = LiveJob.build(URL, notify_url="https://me.example.com/cb", output=OUTPUT, **TASKS[name])
    assert job.check() == []
    assert oracle.check("ProcessLiveStreamRequest", to_builtins(job.request())) == []


def test_all_tasks_in_one_job() -> None:
    """Tasks of all kinds stand in one job."""
    everything = {key: value for task in TASKS.values() for key, value in task.items()}
    assert live(**everything).check() == []


@pytest.mark.parametrize("layout", ["json", "toml"])
def test_a_written_job_reads_as_the_same(layout: Any) -> None:
    """What is written is read as the same live job, with the same identity."""
    job = live(**TASKS["analysis"], session_context="é")
    again = parse_job(write_job(job, layout).encode())
    assert again == job
    assert isinstance(again, LiveJob)
    assert again.session_id() == job.session_id() != job.session_id(1)


@settings(max_examples=50)
@given(
    st.text(max_size=20),
    st.none() | st.text(max_size=60),
    st.none() | st.integers(-5, 2**40),
    st.none() | st.sampled_from(["URL", "CMQ", "TDMQ-CMQ", "SCF", ""]),
)
def test_any_values_are_checked_and_come_back(url: Any, session: Any, schedule: Any, kind: Any) -> None:
    """Whatever stands in a live job, it is checked without a fault and comes back from its own file."""
    config = LiveStreamTaskNotifyConfig(notify_type=kind)
    job = LiveJob.build(url, notification=config, session_id=session, schedule_id=schedule)
    again = parse_job(write_job(job).encode())
    assert again.check() == job.check()
    assert again == job


def test_an_absent_notify_type_reports_nothing() -> None:
    """A live job without a NotifyType is told that nothing is reported; in ProcessMedia the queue is meant instead."""
    silent = live(notify_url=None)
    (found,) = silent.check()
    assert (found.path, found.severity, found.fix) == ("TaskNotifyConfig.NotifyType", "warning", 'write "URL"')
    assert "the default of live streams is no notification (that of ProcessMedia is a TDMQ-CMQ queue)" in found.message
    named = live(notification=LiveStreamTaskNotifyConfig(notify_url="https://me.example.com/"))
    assert "nothing is reported, not to NotifyUrl either" in named.check()[0].message
    offline = {
        "InputInfo": {"Type": "COS", "CosInputInfo": {"Bucket": "b", "Region": "r", "Object": "/o.mp4"}},
        "AiQualityControlTask": {"Definition": 10},
        "TaskNotifyConfig": {"NotifyUrl": "https://me.example.com/"},
    }
    assert (
        "the message goes to a TDMQ-CMQ queue and never to NotifyUrl" in Job.from_builtins(offline).check()[0].message
    )


@pytest.mark.parametrize(
    ("changes", "path", "message"),
    [
        ({"ai_quality_control_task": None}, "AiAnalysisTask", "the job has no task"),
        ({"schedule_id": 0}, "ScheduleId", "0 is no orchestration"),
        ({"output_dir": "out", "output": None}, "OutputDir", "does not begin and end with a slash"),
        ({"session_id": "s" * 51}, "SessionId", "has 51 characters"),
        ({"session_context": "s" * 1001}, "SessionContext", "has 1001 characters"),
        (
            {"notification": LiveStreamTaskNotifyConfig(notify_type="AWS-SQS")},
            "TaskNotifyConfig.NotifyType",
            "'AWS-SQS' is not known to live streams",
        ),
        (
            {"notification": LiveStreamTaskNotifyConfig(notify_type="URL")},
            "TaskNotifyConfig.NotifyUrl",
            "is missing or not a whole URL",
        ),
        (
            {"notification": LiveStreamTaskNotifyConfig(notify_type="TDMQ-CMQ", cmq_region="gz")},
            "TaskNotifyConfig.QueueName",
            "the message would go to no queue",
        ),
        (
            {"notification": LiveStreamTaskNotifyConfig(notify_type="TDMQ-CMQ", cmq_model="Pipe", queue_name="q")},
            "TaskNotifyConfig.CmqModel",
            "'Pipe' is not known",
        ),
    ],
)
def test_what_is_wrong_is_told(changes: Any, path: str, message: str) -> None:
    """Each wrong value is an error at its path, and keeps the job from being a request."""
    job = live(**changes)
    assert [(item.path, message in item.message) for item in errors_of(job.check())] == [(path, True)]
    with pytest.raises(JobError, match="the job contradicts itself"):
        job.request()


@pytest.mark.parametrize("url", ["", "stream", "rtmp://", "http://[", "http://a b/x", "ftp://h/x", "file:///x"])
def test_urls_that_are_no_streams(url: str) -> None:
    """What is no whole URL, or of no scheme that MPS pulls, is told."""
    job = LiveJob.build(url, notify_url="https://me.example.com/", **TASKS["quality"])
    assert [item.path for item in errors_of(job.check())] == ["Url"]


@pytest.mark.parametrize("url", ["https://h/live.m3u8", "http://h/live.flv", "srt://h:9000", "webrtc://h/a/s"])
def test_urls_that_are(url: str) -> None:
    """The benign twins."""
    job = LiveJob.build(url, notify_url="https://me.example.com/", **TASKS["quality"])
    assert job.check() == []


def test_drm_is_no_field_of_live_jobs() -> None:
    """A live job with media tasks has a field that the API does not have, which is told."""
    body = {"Url": URL, "TaskNotifyConfig": {}, "MediaProcessTask": {}, "ScheduleId": 1}
    job = parse_job(json.dumps(body).encode())
    assert "ProcessLiveStreamRequest has no field MediaProcessTask" in [item.message for item in job.check()]


def test_the_notify_key_is_a_secret(tmp_path: Any) -> None:
    """NotifyKey is masked, refused in a file, and read from one."""
    job = live(notify_key=Secret("cAnArY"))
    assert "cAnArY" not in f"{job!r}{job.to_builtins()}"
    with pytest.raises(JobError, match="NotifyKey is a secret, and job files hold none"):
        write_job(job)
    (tmp_path / "key").write_text("cAnArY\n", encoding="utf-8")
    stored = live(notify_key=Secret("file:key"))
    with pytest.raises(JobError, match="names a file that has not been read"):
        stored.request()
    sent = read_secrets(parse_job(write_job(stored).encode()), tmp_path).request()
    assert sent.task_notify_config.notify_key.reveal() == "cAnArY"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"Action": "ProcessStream"}, "Action 'ProcessStream' makes no job"),
        ({"Action": "ProcessLiveStream", "Version": "2018-07-17"}, "ProcessLiveStream is of version 2019-06-12"),
        ({"Action": 5}, "Action '5' makes no job"),
    ],
)
def test_actions_that_make_no_job(body: Any, message: str) -> None:
    """An Action that is none, or of another version, is refused."""
    with pytest.raises(JobError, match=message):
        parse_job(json.dumps(body).encode())


def test_comments_in_json_are_explained() -> None:
    """The samples of the documents have comments, which JSON has not; the hint says so."""
    with pytest.raises(JobError, match="is no JSON") as refused:
        parse_job(b'{"Url": "rtmp://h/a/s", // the stream\n"ScheduleId": 1}')
    assert "JSON has no comments" in refused.value.hint
