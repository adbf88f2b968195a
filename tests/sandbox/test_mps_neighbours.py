"""The sandbox's live streams, VOD jobs and AI tasks, called by Tencent's official SDK: accepted, refused, reported."""

from __future__ import annotations

import json
import time
import warnings
from typing import Any

import pytest
from mps_calls import SIMPLE, call, job, refusal, wait
from tencentcloud.mps.v20190612 import models

LIVE = {"Url": "rtmp://live.example.com/app/stream", "TaskNotifyConfig": {}, "AiQualityControlTask": {"Definition": 10}}
VOD = {"FileId": "966263619095884274", "SubAppId": 221157}
SUMMARY = {"AiAnalysisTask": {"Definition": 22}}
OF_VOD = {"service": "vod", "version": "2018-07-17"}
PLACE = {"InputInfo": job()["InputInfo"], "OutputDir": "/out/"}


@pytest.mark.parametrize(
    ("tasks", "field"),
    [
        ({"AiAnalysisTask": {"Definition": 26}}, "AiAnalysisResultSet"),
        ({"AiAnalysisTask": {"Definition": 57374, "ExtendedParameter": '{"htv":{}}'}}, "AiAnalysisResultSet"),
        ({"AiRecognitionTask": {"Definition": 10}}, "AiRecognitionResultSet"),
        ({"AiContentReviewTask": {"Definition": 10}}, "AiContentReviewResultSet"),
        ({"AiQualityControlTask": {"Definition": 20}}, "AiQualityControlTaskResult"),
        ({"SmartSubtitlesTask": {"Definition": 100}}, "SmartSubtitlesTaskResult"),
        ({"SmartEraseTask": {"Definition": 301}}, "SmartEraseTaskResult"),
        ({"AIDubbingTask": {"Definition": 1}}, "AiDubbingTaskResult"),
        ({"MediaProcessTask": {"TranscodeTaskSet": [{"Definition": 100040}]}}, "MediaProcessResultSet"),
    ],
)
def test_tasks_beside_streaming(account: Any, tasks: Any, field: str) -> None:
    """Each kind of task is accepted by itself, and its result stands in its own field."""
    detail = wait(account, call(account, "ProcessMedia", PLACE | tasks)["TaskId"])
    results = detail["WorkflowTask"]
    assert results[field]
    others = [name for name in results if name.endswith(("ResultSet", "TaskResult")) and name != field]
    assert not any(results[name] for name in others)


@pytest.mark.parametrize(
    ("field", "spec", "kind", "output"),
    [
        ("AnimatedGraphicTaskSet", {"StartTimeOffset": 1.0, "EndTimeOffset": 2.5}, "AnimatedGraphics", "Path"),
        ("SnapshotByTimeOffsetTaskSet", {"TimeOffsetSet": [1.0, 2.0]}, "SnapshotByTimeOffset", "PicInfoSet"),
        ("SampleSnapshotTaskSet", {}, "SampleSnapshot", "ImagePathSet"),
        ("ImageSpriteTaskSet", {}, "ImageSprites", "WebVttPath"),
    ],
)
def test_pictures(account: Any, field: str, spec: Any, kind: str, output: str) -> None:
    """Tasks that make pictures end with a result of their Type, in its field of the API, which is in the singular."""
    tasks = {"MediaProcessTask": {field: [{"Definition": 10} | spec]}}
    detail = wait(account, call(account, "ProcessMedia", PLACE | tasks)["TaskId"])["WorkflowTask"]
    (result,) = detail["MediaProcessResultSet"]
    assert result["Type"] == kind
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # the SDK warns of fields that the API does not have
        models.MediaProcessTaskResult()._deserialize(result)
    inner = result[f"{kind.removesuffix('s')}Task"]
    assert (inner["Status"], inner["Input"]) == ("SUCCESS", tasks["MediaProcessTask"][field][0])
    assert inner["Output"][output]


def test_drm_and_analysis_in_one_task(account: Any) -> None:
    """A DRM task and an analysis task in one request end in one task with both results."""
    detail = wait(account, call(account, "ProcessMedia", job(SIMPLE) | SUMMARY)["TaskId"])["WorkflowTask"]
    assert [item["Type"] for item in detail["MediaProcessResultSet"]] == ["AdaptiveDynamicStreaming"]
    assert [item["Type"] for item in detail["AiAnalysisResultSet"]] == ["Description"]


def test_the_parameters_are_heeded(account: Any) -> None:
    """The number of highlights, and whether files are kept, are those that were asked for."""
    text = json.dumps({"hht": {"top_clip": 2, "res_save_type": 0}})
    task = {"AiAnalysisTask": {"Definition": 26, "ExtendedParameter": text}}
    detail = wait(account, call(account, "ProcessMedia", PLACE | task)["TaskId"])
    items = detail["WorkflowTask"]["AiAnalysisResultSet"][0]["HighlightTask"]["Output"]["HighlightSet"]
    assert [item["HighlightPath"] for item in items] == ["", ""]


@pytest.mark.parametrize(
    ("definition", "parameter"),
    [
        (22, {"des": None}),
        (22, {"des": "llm"}),
        (24, {"delogo": []}),
        (24, {"delogo": {"CustomerAppId": "subtitle_extract", "subtitle_param": "en"}}),
        (26, {"hht": 3}),
        (26, {"hht": {"top_clip": None, "res_save_type": []}}),
        (27, {"strip": "content"}),
        (28, {"htv": None}),
        (57374, {"hht": None}),
    ],
)
def test_parameters_that_are_no_objects_break_nothing(account: Any, definition: int, parameter: Any) -> None:
    """MPS does not read an ExtendedParameter, so whatever stands for an object in it: the task ends with a result."""
    task = {"AiAnalysisTask": {"Definition": definition, "ExtendedParameter": json.dumps(parameter)}}
    detail = wait(account, call(account, "ProcessMedia", PLACE | task)["TaskId"])
    assert detail["WorkflowTask"]["AiAnalysisResultSet"]


@pytest.mark.parametrize(
    ("tasks", "code", "part"),
    [
        ({"AiAnalysisTask": {"Definition": 26, "ExtendedParameter": {"hht": {}}}}, "InvalidParameter", "Extended"),
        ({"AiAnalysisTask": {"Definition": 26, "ExtendedParameter": "{"}}, "InvalidParameterValue", "JSON text"),
        ({"AiAnalysisTask": {"Definition": "26"}}, "InvalidParameter", "Definition"),
        ({"AiAnalysisTask": {}}, "MissingParameter", "AiAnalysisTask.Definition"),
        ({"SmartSubtitlesTask": {}}, "MissingParameter", "SmartSubtitlesTask.Definition"),
        ({}, "InvalidParameter", "names no task"),
    ],
)
def test_tasks_that_are_refused(account: Any, tasks: Any, code: str, part: str) -> None:
    """An ExtendedParameter that is an object or no JSON, a template that is none, no task at all: each is refused."""
    found = refusal(account, "ProcessMedia", PLACE | tasks)
    assert found[0] == code
    assert part in found[1]


def test_a_live_task_is_described_and_ended(account: Any) -> None:
    """A live task has a DescribeTaskDetail of its own kind, and is in the list of tasks."""
    task_id = call(account, "ProcessLiveStream", LIVE)["TaskId"]
    detail = wait(account, task_id)
    assert (detail["TaskType"], detail["LiveStreamProcessTask"]["Status"]) == ("LiveStreamProcessTask", "FINISH")
    listed = call(account, "DescribeTasks", {"Status": "FINISH"})["TaskSet"]
    assert (task_id, "LiveStreamProcessTask") in [(item["TaskId"], item["TaskType"]) for item in listed]


@pytest.mark.parametrize(
    ("changes", "code", "part"),
    [
        ({"Url": "file:///etc"}, "InvalidParameterValue", "`Url`"),
        ({"Url": "http://["}, "InvalidParameterValue", "`Url`"),
        ({"TaskNotifyConfig": None}, "MissingParameter", "TaskNotifyConfig"),
        ({"AiQualityControlTask": None}, "InvalidParameter", "names no task"),
        ({"SessionId": "s" * 51}, "InvalidParameterValue.SessionIdTooLong", "50"),
        ({"SessionContext": "s" * 1001}, "InvalidParameterValue.SessionContextTooLong", "1000"),
        ({"AiAnalysisTask": {"Definition": 24}}, "InvalidParameterValue.Definition", "no live streams"),
        ({"MediaProcessTask": {}}, "UnknownParameter", "MediaProcessTask"),
        ({"TaskNotifyConfig": {"NotifyMode": "Finish"}}, "UnknownParameter", "NotifyMode"),
    ],
)
def test_live_streams_that_are_refused(account: Any, changes: Any, code: str, part: str) -> None:
    """What is no live request is refused with its code, naming the field or the rule."""
    found = refusal(account, "ProcessLiveStream", LIVE | changes)
    assert found[0] == code
    assert part in found[1]


def test_a_live_session_is_remembered_for_seven_days(make: Any) -> None:
    """A SessionId of a live stream is refused within seven days, that of a file within three."""
    account = make()
    call(account, "ProcessLiveStream", LIVE | {"SessionId": "live"})
    call(account, "ProcessMedia", job(SIMPLE, SessionId="file"))
    account.sandbox.advance(4 * 86400)
    assert refusal(account, "ProcessLiveStream", LIVE | {"SessionId": "live"})[0] == "InvalidParameterValue.SessionId"
    assert call(account, "ProcessMedia", job(SIMPLE, SessionId="file"))["TaskId"]
    account.sandbox.advance(4 * 86400)
    assert call(account, "ProcessLiveStream", LIVE | {"SessionId": "live"})["TaskId"]


def test_a_live_task_can_be_aborted_while_it_runs(make: Any) -> None:
    """ManageTask ends a live task that is being processed; a file's only while it waits."""
    account = make(processing_time=3600.0)
    live = call(account, "ProcessLiveStream", LIVE)["TaskId"]
    file = call(account, "ProcessMedia", PLACE | SUMMARY)["TaskId"]
    for task_id in (live, file):
        wait(account, task_id, "PROCESSING")
    call(account, "ManageTask", {"OperationType": "Abort", "TaskId": live})
    assert wait(account, live)["Status"] == "FINISH"
    found = refusal(account, "ManageTask", {"OperationType": "Abort", "TaskId": file})
    assert found[0] == "InvalidParameterValue.NotProcessingTask"


def test_jobs_through_vod(account: Any) -> None:
    """Text and structured tasks are accepted; VOD describes them, and MPS does not know them."""
    text = VOD | {"MPSProcessMediaParams": json.dumps(SUMMARY)}
    for body in (text, VOD | SUMMARY):
        task_id = call(account, "ProcessMediaByMPS", body, **OF_VOD)["TaskId"]
        assert task_id.startswith("221157-ProcessMediaByMPS-")
        for _ in range(500):
            detail = call(account, "DescribeTaskDetail", {"TaskId": task_id, "SubAppId": 221157}, **OF_VOD)
            if detail["Status"] == "FINISH":
                break
            time.sleep(0.01)
        (subtask,) = detail["ProcessMediaByMPSTask"]["SubTaskSet"]
        assert (subtask["TaskType"], subtask["ErrCode"]) == ("AiAnalysis.DescriptionTask", "0")
        assert json.loads(subtask["Output"]["OutputText"])["DescriptionSet"]
        assert refusal(account, "DescribeTaskDetail", {"TaskId": task_id})[0] == "ResourceNotFound.TaskNotFound"


@pytest.mark.parametrize(
    ("changes", "code", "part"),
    [
        ({}, "InvalidParameter", "names no task"),
        ({"MPSProcessMediaParams": "{"}, "InvalidParameter", "not the text of an object"),
        ({"MPSProcessMediaParams": SUMMARY}, "InvalidParameter", "MPSProcessMediaParams"),
        ({"MPSProcessMediaParams": '{"Ai":{}}'}, "UnknownParameter", "MPSProcessMediaParams.Ai"),
        (
            {"MPSProcessMediaParams": json.dumps({"MediaProcessTask": job(SIMPLE)["MediaProcessTask"]})},
            "UnsupportedOperation",
            "no adaptive-bitrate task",
        ),
        (
            {"MPSProcessMediaParams": '{"MediaProcessTask":{"SampleSnapshotTaskSet":[{"Definition":10}]}}'},
            "UnsupportedOperation",
            "no pictures or dubbing",
        ),
        ({"SubAppId": None}, "MissingParameter", "SubAppId"),
        ({"AiQualityControlTask": {"Definition": 10}}, "UnknownParameter", "AiQualityControlTask"),
    ],
)
def test_vod_jobs_that_are_refused(account: Any, changes: Any, code: str, part: str) -> None:
    """What is no request of ProcessMediaByMPS, or undocumented for it, is refused with its code."""
    found = refusal(account, "ProcessMediaByMPS", VOD | changes, **OF_VOD)
    assert found[0] == code
    assert part in found[1]


def test_services_do_not_mix(account: Any) -> None:
    """VOD's action is none of MPS, nor the other way round; a signature is for one service."""
    assert refusal(account, "ProcessMediaByMPS", VOD | SUMMARY)[0] == "InvalidAction"
    assert refusal(account, "ProcessMedia", PLACE | SUMMARY, **OF_VOD)[0] == "InvalidAction"
    wrong = OF_VOD | {"service": "mps"}
    assert refusal(account, "ProcessMediaByMPS", VOD | SUMMARY, **wrong)[0] == "AuthFailure.SignatureFailure"


def test_why_no_callback_goes_out(account: Any) -> None:
    """The sandbox says why a live stream is not reported on: no NotifyType, or a queue."""
    for config, reason in (
        ({"NotifyUrl": "http://127.0.0.1:1/"}, "live streams without a NotifyType have no callback"),
        (
            {"NotifyType": "TDMQ-CMQ", "QueueName": "q"},
            "the callback goes to TDMQ-CMQ, which the sandbox does not have",
        ),
        ({"NotifyType": "URL"}, "the callback has no NotifyUrl"),
    ):
        wait(account, call(account, "ProcessLiveStream", LIVE | {"TaskNotifyConfig": config})["TaskId"])
        assert reason in [event.outcome for event in account.sandbox.events("mps")]


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ("ParseNotification", {"EventType": "WorkflowTask", "WorkflowTaskEvent": {"TaskId": "t-1"}}),
        ("ParseLiveStreamProcessNotification", {"NotificationType": "ProcessEof", "TaskId": "t-1"}),
    ],
)
def test_messages_are_parsed(account: Any, action: str, message: dict[str, Any]) -> None:
    """The parsing actions answer the message that Content holds; what is none has a code of its own."""
    found = call(account, action, {"Content": json.dumps(message)})
    assert found.pop("RequestId")
    assert found == message
    cut = json.dumps(message)[:-1]
    for content in (cut, "[]", "{}", '{"EventType": NaN}', "[" * 100_000):
        assert refusal(account, action, {"Content": content})[0] == "InvalidParameterValue.InvalidContent"
