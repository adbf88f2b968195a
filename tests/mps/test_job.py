"""Jobs: built, checked, given an identity, and turned into requests that Tencent's own schema and SDK accept."""

from __future__ import annotations

import itertools
import json
import warnings
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tencentcloud.mps.v20190612 import models as sdk

from drmkit.errors import JobError
from drmkit.mps import drm
from drmkit.mps.basejob import BaseJob
from drmkit.mps.job import Job, StreamingTask
from drmkit.mps.models.request import Activity, ActivityPara, ProcessMediaRequest
from drmkit.mps.models.storage import CosInputInfo, MediaInputInfo, S3InputInfo, TaskNotifyConfig, UrlInputInfo
from drmkit.mps.models.streaming import AdaptiveDynamicStreamingTaskInput, AdaptiveDynamicStreamingTemplate
from drmkit.mps.wire import encode, masked
from drmkit.secret import Secret

IV = "00112233445566778899aabbccddeeff"
URL = "https://fe.drmtoday.com/frontend/cpix/v1/org/ingest/config?ticket=ST-canary"
TASK = "MediaProcessTask.AdaptiveDynamicStreamingTaskSet[0]"
INPUTS = (
    "https://media.example.com/movie.mp4",
    "cos://source-1250000000/ap-nanjing/in/movie.mp4",
    "s3://source/us-east-1/in/movie.mp4",
    "vod://1500000000/5285890784246869930",
)
OUTPUTS = ("cos://target-1250000000/ap-nanjing/out/", "s3://target/us-east-1/out/", "vod://1500000000")


def variants() -> Any:
    """Every combination that the builder can make of kind, method, preset and optional vector."""
    for kind, row in drm.KINDS.items():
        if kind == "simpleaes":
            for iv in (IV, None):
                yield drm.SimpleAes(uri="https://keys.example.com/1", key=Secret("0f" * 16), iv=iv)
            continue
        for method, preset in itertools.product((None, *row.methods), (None, *drm.PRESETS)):
            yield drm.protection(kind)(
                resource_id="movie-1", key_source="drmtoday:prod", iv=IV, method=method, preset=preset
            )


def urls_for(job: Any) -> Any:
    """A URL for each DRM task that needs one."""
    return [Secret(f"{URL}{index}") for index, _ in enumerate(job.key_requests)]


@pytest.mark.parametrize("source", INPUTS)
@pytest.mark.parametrize("target", OUTPUTS)
def test_every_request_satisfies_the_schema(oracle: Any, source: Any, target: Any) -> None:
    """Every request that the builder can make is clean by Tencent's schema, and the SDK reads and writes it back."""
    notification = TaskNotifyConfig(notify_type="URL", notify_url="https://me.example.com/", notify_key=Secret("k"))
    for protection in variants():
        tasks = [StreamingTask(12, protection), StreamingTask(13, protection, "a.{format}", "{subStreamNumber}", None)]
        job = Job.build(input=source, output=target, tasks=tasks, notification=notification, tasks_priority=-10)
        body = json.loads(encode(job.request(urls_for(job))))
        assert oracle.check("ProcessMediaRequest", body) == []
        assert sdk_round_trip(body) == body


def sdk_round_trip(body: Any) -> Any:
    """Read a body with the official SDK, with every unknown field an error, and write it again."""
    request = sdk.ProcessMediaRequest()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        request.from_json_string(json.dumps(body))
    return without_null(request._serialize(allow_none=False))


def without_null(value: Any) -> Any:
    """A value without the fields that the SDK leaves as null."""
    if isinstance(value, dict):
        return {key: without_null(item) for key, item in value.items() if item is not None}
    return [without_null(item) for item in value] if isinstance(value, list) else value


def test_the_oracle_can_say_no(oracle: Any, make_job: Any) -> None:
    """The schema check is no rubber stamp: a misspelled and a missing field are both reported."""
    body = json.loads(encode(make_job().request([URL])))
    body["OutputDirectory"] = body.pop("OutputDir")
    del body["InputInfo"]["Type"]
    assert len(oracle.check("ProcessMediaRequest", body)) == 2


def test_a_job_names_its_key_source(make_job: Any) -> None:
    """A job holds the name of its key source; the request holds the URL that was minted, ticket included."""
    job = make_job()
    assert [str(item.source) for item in job.key_requests] == ["drmtoday:prod"]
    assert "drmtoday:prod" in repr(job.body)
    request = json.loads(encode(job.request([Secret(URL)])))
    task = request["MediaProcessTask"]["AdaptiveDynamicStreamingTaskSet"][0]
    assert task["DrmInfo"]["SpekeDrm"]["KeyServerUrl"] == URL


def test_nothing_shown_holds_a_secret(make_job: Any, protections: Any) -> None:
    """What is shown of a request masks tickets and keys; what is sent does not."""
    notification = TaskNotifyConfig(notify_type="URL", notify_url="https://a/", notify_key=Secret("canary-notify"))
    tasks = [StreamingTask(1, protections("widevine")), StreamingTask(2, protections("simpleaes"))]
    request = make_job(tasks=tasks, notification=notification).request([URL])
    shown = masked(request).decode() + repr(request)
    assert "ST-canary" not in shown
    assert "0f0f0f0f" not in shown
    assert "canary-notify" not in shown
    assert "https://fe.drmtoday.com/**********" in shown
    assert all(secret in encode(request).decode() for secret in ("ST-canary", "0f0f0f0f", "canary-notify"))


def test_types_are_normalized(make_job: Any) -> None:
    """A type written in another order or case is sent as the API spells it."""
    body = make_job().to_builtins(reveal=True)
    body["MediaProcessTask"]["AdaptiveDynamicStreamingTaskSet"][0]["DrmInfo"]["Type"] = "PlayReady+Widevine"
    job = Job.from_builtins(body)
    assert job.check() == []
    assert b'"Type":"widevine+playready"' in encode(job.request([URL]))


def test_orchestrations_have_drm_tasks_too(make_job: Any, oracle: Any) -> None:
    """A DRM task inside an inline orchestration needs a URL like any other, and the URLs keep their order."""
    node = StreamingTask(14, drm.FairPlay(resource_id="b", key_source="drmtoday:two", iv=IV)).model()
    activity = Activity(
        activity_type="action-adaptive-streaming", activity_para=ActivityPara(adaptive_dynamic_streaming_task=node)
    )
    job = make_job(activities=[activity])
    assert [item.source.reveal() for item in job.key_requests] == ["drmtoday:prod", "drmtoday:two"]
    assert job.definitions == {12, 14}
    body = json.loads(encode(job.request(["https://one.example.com", "https://two.example.com"])))
    assert oracle.check("ProcessMediaRequest", body) == []
    inner = body["Activities"][0]["ActivityPara"]["AdaptiveDynamicStreamingTask"]["DrmInfo"]["SpekeDrm"]
    assert inner["KeyServerUrl"] == "https://two.example.com"
    first = body["MediaProcessTask"]["AdaptiveDynamicStreamingTaskSet"][0]["DrmInfo"]["SpekeDrm"]
    assert first["KeyServerUrl"] == "https://one.example.com"


def test_the_number_of_urls_must_fit(make_job: Any) -> None:
    """A request is not made with a URL too few or too many."""
    for urls in ([], [URL, URL]):
        with pytest.raises(JobError, match="needs 1 key-server URLs"):
            make_job().request(urls)


def test_a_minted_url_must_be_one(make_job: Any) -> None:
    """What a key source is resolved to must be a URL: a name that was not resolved is not sent."""
    with pytest.raises(JobError, match="is no URL"):
        make_job().request(["drmtoday:prod"])


def test_a_job_with_errors_makes_no_request(make_job: Any) -> None:
    """A contradiction keeps the request from being made, and every error is named at once."""
    job = make_job(tasks_priority=11, output_dir="out")
    with pytest.raises(JobError, match="TasksPriority: 11 is out of range") as caught:
        job.request([URL])
    assert "OutputDir: 'out' does not begin and end with a slash" in str(caught.value)


def test_findings_as_plain_values(make_job: Any) -> None:
    """A finding has a plain form for JSON."""
    (found,) = make_job(tasks_priority=11).check()
    assert found.as_dict() == {
        "path": "TasksPriority",
        "message": "11 is out of range",
        "fix": "write -10 to 10; bigger is sooner",
        "severity": "error",
    }


def test_many_errors_are_counted(make_job: Any) -> None:
    """After ten errors the rest is only counted."""
    tasks = [StreamingTask(number, None, manifest="x") for number in range(1, 15)]
    with pytest.raises(JobError, match="and 4 more"):
        make_job(tasks=tasks).request()


def test_session_id_follows_the_content(make_job: Any) -> None:
    """The same job has the same SessionId, 50 characters at most; another one, or another attempt, has another."""
    base = make_job().session_id()
    assert base == make_job().session_id()
    assert len(base) <= 50
    others = {
        make_job(output="cos://other-1/ap-singapore/out/").session_id(),
        make_job(tasks=[StreamingTask(13)]).session_id(),
        make_job(session_context="x").session_id(),
        make_job().session_id(attempt=1),
        make_job().session_id(attempt=2),
    }
    assert len(others | {base}) == 6
    assert encode(make_job().request([URL])).count(base.encode()) == 1


def test_session_id_ignores_tickets_and_access_keys(make_job: Any) -> None:
    """A new ticket or a rotated access key makes no new job; another key server, or AES key, does."""

    def of(source: Any) -> Any:
        task = StreamingTask(12, drm.Widevine(resource_id="a", key_source=source, iv=IV))
        return make_job(tasks=[task]).session_id()

    assert of("https://a.example.com/x?ticket=1") == of("https://a.example.com/x?ticket=2")
    assert of("https://a.example.com/x?ticket=1&v=1") == of("https://a.example.com/x?v=1")
    assert of("https://a.example.com/x?v=1") != of("https://a.example.com/x?v=2")
    assert of("https://a.example.com/x") != of("https://b.example.com/x")
    keys = [s3_input(key) for key in ("one", "two")]
    assert len({make_job(input=item).session_id() for item in keys}) == 1
    tasks = [[StreamingTask(1, drm.SimpleAes(uri="u", key=Secret(digit * 32)))] for digit in "12"]
    assert len({make_job(tasks=item).session_id() for item in tasks}) == 2


def s3_input(key: Any) -> Any:
    """An S3 input with an access key."""
    info = S3InputInfo(
        s3_bucket="b", s3_region="us-east-1", s3_object="/o", s3_secret_id="i", s3_secret_key=Secret(key)
    )
    return MediaInputInfo(type="AWS-S3", s3_input_info=info)


def test_own_session_id_wins(make_job: Any) -> None:
    """A SessionId of the job's own is sent as it is; a deliberate repetition gets a derived one."""
    job = make_job(session_id="mine")
    assert job.request([URL]).session_id == "mine"
    again = job.request([URL], attempt=1).session_id
    assert again.startswith("drmkit-")
    assert again != make_job().session_id(attempt=1)


def test_secrets_in_files(make_job: Any, protections: Any) -> None:
    """A secret may name its file; a request is not made before the file is read."""
    protection = drm.SimpleAes(uri="u", key=Secret("file:key.hex"))
    job = make_job(tasks=[StreamingTask(1, protection), StreamingTask(2, protections("widevine"))])
    assert job.check() == []
    with pytest.raises(JobError, match=r"SimpleAesDrm\.Key names a file that has not been read"):
        job.request([URL])
    asked = []
    ready = job.with_secrets(lambda name: asked.append(name) or "ab" * 16)
    assert asked == ["key.hex"]
    assert b"abababab" in encode(ready.request([URL]))


def only(job: Any, severity: Any = "error") -> Any:
    """The findings of one severity as (path, message)."""
    return [(item.path, item.message) for item in job.check() if item.severity == severity]


@pytest.mark.parametrize(
    ("changes", "path", "message"),
    [
        ({"tasks_priority": -11}, "TasksPriority", "-11 is out of range"),
        ({"session_id": "x" * 51}, "SessionId", "has 51 characters"),
        ({"session_context": "x" * 1001}, "SessionContext", "has 1001 characters"),
        ({"task_type": "online"}, "TaskType", "'online' is not known"),
        ({"skip_mate_data": 2}, "SkipMateData", "2 is neither 0 nor 1"),
        ({"output_dir": "/out"}, "OutputDir", "does not begin and end with a slash"),
        ({"tasks": []}, "MediaProcessTask", "the job has no task"),
        ({"input": "https://a.example.com/b", "output": None}, "OutputStorage", "is missing, and a URL has no bucket"),
        ({"input": MediaInputInfo(type="FTP")}, "InputInfo.Type", "'FTP' is not known"),
        ({"input": MediaInputInfo(type="COS")}, "InputInfo.CosInputInfo", "is missing, and Type is COS"),
        (
            {"input": MediaInputInfo(type="URL", url_input_info=UrlInputInfo(url="ftp://x"))},
            "InputInfo.UrlInputInfo.Url",
            "is not a whole http or https URL",
        ),
        ({"tasks": [StreamingTask(0)]}, f"{TASK}.Definition", "is 0, which is no template"),
        (
            {"tasks": [StreamingTask(1, more={"definition_type": "audio"})]},
            f"{TASK}.DefinitionType",
            "'audio' is not known",
        ),
        ({"tasks": [StreamingTask(1, more={"std_ext_info": "{"})]}, f"{TASK}.StdExtInfo", "is not JSON"),
    ],
)
def test_wrong_values(make_job: Any, changes: Any, path: Any, message: Any) -> None:
    """Each wrong value is the one error that is found, at its field."""
    assert [(where, message in text) for where, text in only(make_job(**changes))] == [(path, True)]


@pytest.mark.parametrize(
    "changes",
    [
        {"tasks_priority": 10},
        {"session_id": "x" * 50},
        {"session_context": "x" * 1000},
        {"task_type": "Offline"},
        {"skip_mate_data": 1},
        {"output_dir": "/"},
        {"output": None},
        {"tasks": [], "schedule_id": 7},
        {"input": INPUTS[3]},
        {"tasks": [StreamingTask(1, more={"std_ext_info": '{"audio_info": {"codec": "vivid"}}'})]},
        {"tasks": [StreamingTask(1, more={"definition_type": "PureAudio"})]},
    ],
)
def test_right_values(make_job: Any, changes: Any) -> None:
    """The benign twins have no findings at all."""
    assert make_job(**changes).check() == []


def test_vod_needs_its_application(make_job: Any) -> None:
    """A VOD input names its application."""
    assert only(make_job(input="vod://1500000000/77")) == []
    job = make_job(input=MediaInputInfo(type="VOD", vod_input_info=None))
    assert only(job) == [("InputInfo.VODInputInfo", "is missing, and Type is VOD")]
    body = make_job(input="vod://1500000000/77").to_builtins()
    del body["InputInfo"]["VODInputInfo"]["SubAppId"]
    assert only(Job.from_builtins(body)) == [("InputInfo.VODInputInfo.SubAppId", "is missing")]


def test_url_inputs_need_a_whole_bucket(make_job: Any) -> None:
    """A URL has no bucket or region that an output could inherit."""
    body = make_job(input=INPUTS[0]).to_builtins()
    del body["OutputStorage"]["CosOutputStorage"]["Region"]
    assert only(Job.from_builtins(body))[0][0] == "OutputStorage.CosOutputStorage"
    body["InputInfo"] = make_job().to_builtins()["InputInfo"]
    assert only(Job.from_builtins(body)) == []


def test_too_many_watermarks(make_job: Any) -> None:
    """A task has ten watermarks at most."""
    body = make_job().to_builtins()
    task = body["MediaProcessTask"]["AdaptiveDynamicStreamingTaskSet"][0]
    task["WatermarkSet"] = [{"Definition": 1}] * 10
    assert only(Job.from_builtins(body)) == []
    task["WatermarkSet"] = [{"Definition": 1}] * 11
    assert only(Job.from_builtins(body))[0][0] == f"{TASK}.WatermarkSet"


def test_doubtful_inputs_warn(make_job: Any) -> None:
    """S3 inputs of DRM tasks, objects that are ignored and an ignored orchestration are warned of, not refused."""
    assert only(make_job(input=INPUTS[2]), "warning")[0][0] == "InputInfo.Type"
    source = MediaInputInfo(
        type="AWS-S3",
        s3_input_info=S3InputInfo(
            s3_bucket="source", s3_region="us-east-1", s3_object="/o", s3_secret_id="i", s3_secret_key=Secret("k")
        ),
    )
    assert only(make_job(input=source, tasks=[StreamingTask(1)]), "warning") == []
    both = MediaInputInfo(
        type="COS",
        cos_input_info=CosInputInfo(bucket="b", region="r", object="/o"),
        url_input_info=UrlInputInfo(url="https://a.example.com/"),
    )
    assert only(make_job(input=both), "warning") == [("InputInfo.UrlInputInfo", "is ignored, since Type is COS")]
    activity = Activity(activity_type="input")
    assert only(make_job(schedule_id=1, activities=[activity]), "warning")[0][0] == "ScheduleId"


def test_tasks_that_overwrite_each_other(make_job: Any, protections: Any) -> None:
    """Two tasks of one template need names of their own; with them there is no warning."""
    tasks = [StreamingTask(12, protections(kind)) for kind in ("widevine", "fairplay")]
    ((path, message),) = only(make_job(tasks=tasks), "warning")
    assert path == "MediaProcessTask.AdaptiveDynamicStreamingTaskSet[1].OutputObjectPath"
    assert "overwrite" in message
    named = [StreamingTask(12, protections(kind), f"{kind}.{{format}}") for kind in ("widevine", "fairplay")]
    assert only(make_job(tasks=named), "warning") == []


@pytest.mark.parametrize(
    ("config", "path", "severity"),
    [
        ({"notify_url": "https://a.example.com/"}, "NotifyType", "warning"),
        ({"notify_type": "URL"}, "NotifyUrl", "error"),
        ({"notify_type": "URL", "notify_url": "a.example.com"}, "NotifyUrl", "error"),
        ({"notify_type": "http"}, "NotifyType", "error"),
        ({"notify_type": "URL", "notify_url": "https://a/", "notify_mode": "End"}, "NotifyMode", "error"),
        ({"notify_type": "AWS-SQS"}, "AwsSQS", "error"),
        ({"notify_type": "TDMQ-CMQ", "cmq_region": "sh"}, "QueueName", "error"),
        ({"cmq_region": "sh", "cmq_model": "Topic", "queue_name": "q"}, "TopicName", "error"),
        ({"notify_type": "CMQ", "queue_name": "q", "cmq_region": "sh"}, "NotifyType", "warning"),
        ({"notify_type": "TDMQ-CMQ", "queue_name": "q"}, "CmqRegion", "warning"),
        ({"notify_type": "SCF"}, "NotifyType", "warning"),
        ({"cmq_model": "Stack", "queue_name": "q", "cmq_region": "sh"}, "CmqModel", "error"),
    ],
)
def test_notifications(make_job: Any, config: Any, path: Any, severity: Any) -> None:
    """Each way in which a notification would not arrive is found, at its field."""
    found = make_job(notification=TaskNotifyConfig(**config)).check()
    assert [(item.path, item.severity) for item in found] == [(f"TaskNotifyConfig.{path}", severity)]


@pytest.mark.parametrize(
    "config",
    [
        {"notify_type": "URL", "notify_url": "https://a.example.com/", "notify_mode": "Change"},
        {"notify_type": "TDMQ-CMQ", "queue_name": "q", "cmq_region": "sh"},
        {"cmq_model": "Topic", "topic_name": "t", "cmq_region": "sh"},
    ],
)
def test_notifications_that_arrive(make_job: Any, config: Any) -> None:
    """A complete notification has no findings."""
    assert make_job(notification=TaskNotifyConfig(**config)).check() == []


@pytest.mark.parametrize(
    ("names", "field", "severity", "message"),
    [
        ({"manifest": "movie.m3u8"}, "OutputObjectPath", "error", "does not end with .{format}"),
        ({"manifest": "{inputname}.{format}"}, "OutputObjectPath", "error", "{inputname} is no variable"),
        ({"manifest": "{xyzzy}.{format}"}, "OutputObjectPath", "error", "{xyzzy} is no variable"),
        ({"manifest": "{rand}.{format}"}, "OutputObjectPath", "error", "{rand} has no value here"),
        ({"manifest": "{subStreamNumber}.{format}"}, "OutputObjectPath", "error", "has no value here"),
        ({"manifest": "a}.{format}"}, "OutputObjectPath", "error", "a brace without its partner"),
        ({"substreams": "/a_{subStreamNumber}.{format}"}, "SubStreamObjectName", "error", "is absolute"),
        ({"substreams": "a.{format}"}, "SubStreamObjectName", "warning", "all substreams get the same name"),
        ({"segments": "a.{format}"}, "SegmentObjectName", "warning", "all segments get the same name"),
    ],
)
def test_file_names(make_job: Any, names: Any, field: Any, severity: Any, message: Any) -> None:
    """Each wrong or doubtful file name is found, at its field."""
    found = make_job(tasks=[StreamingTask(1, **names)]).check()
    assert [(item.path, item.severity, message in item.message) for item in found] == [
        (f"{TASK}.{field}", severity, True)
    ]


def test_file_names_with_every_variable(make_job: Any) -> None:
    """Names with each variable where it has a value have no findings."""
    task = StreamingTask(
        1,
        manifest="/x/{inputName}_{inputFormat}_{definition}.{format}",
        substreams="{inputName}_{definition}_{subStreamNumber}.{format}",
        segments="{inputName}_{subStreamNumber}_{segmentNumber}_{number}.{format}",
    )
    assert make_job(tasks=[task]).check() == []


def test_templates_are_checked_if_known(make_job: Any) -> None:
    """With the account's templates, each task is checked against its own; without them, none is."""
    assert make_job().check() == []
    (found,) = make_job().check({})
    assert found.path == f"{TASK}.Definition"
    known = {12: AdaptiveDynamicStreamingTemplate(definition=12, format="HLS", segment_type="mp4-segment")}
    assert make_job().check(known) == []
    make_job().require_valid(known)


def test_api_objects_may_be_used_directly(make_job: Any) -> None:
    """Tasks, places and further fields may be given as the API's own objects."""
    task = AdaptiveDynamicStreamingTaskInput(definition=7)
    job = make_job(tasks=[task], ai_analysis_task=None)
    assert job.body.media_process_task.adaptive_dynamic_streaming_task_set == [task]


@settings(max_examples=60)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["InputInfo", "Type", "MediaProcessTask", "x", "SessionId"]), inner)
        ),
        max_leaves=12,
    )
)
def test_any_value_is_judged_without_failing(value: Any) -> None:
    """Whatever a job file holds, the check ends with findings and never with an exception."""
    job = Job.from_builtins(value)
    assert isinstance(job.body, ProcessMediaRequest)
    assert job.check()


def test_a_kind_of_job_must_do_what_jobs_do() -> None:
    """A kind of job that cannot check itself is none: its class makes no objects. Job, which can, does."""

    class Half(BaseJob[ProcessMediaRequest], frozen=True):
        def preview(self, *, attempt: int = 0) -> ProcessMediaRequest:
            return self.body

    with pytest.raises(TypeError, match="check"):
        Half(ProcessMediaRequest())  # type: ignore[abstract]  # what the test is about
    assert Job(ProcessMediaRequest()).check()
