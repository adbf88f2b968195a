"""The sandbox's media processing API, asked by Tencent's official SDK."""

from __future__ import annotations

import http.client
import json
import logging
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from mps_calls import NEVER, RIGHT_KEY, SIMPLE, call, job, message, profile, refusal, run, speke, wait
from tencentcloud.common import credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.mps.v20190612 import models, mps_client

from drmkit.mps.signing import SigningKey, sign
from drmkit.sandbox import Template
from drmkit.secret import Secret


def test_typed_sdk_runs_every_kind_of_drm(shared: Any) -> None:
    """The five kinds of DRM job that people run all finish, each with its own fresh URL, through the typed client."""
    kinds = [
        speke(shared.key_url("a", **{"x-signaling-alg": "cenc"}), "widevine", EncryptionMethod="cenc"),
        speke(shared.key_url("a", **{"x-signaling-alg": "cenc"}), "playready", EncryptionMethod="cenc"),
        speke(shared.key_url("a", **{"x-signaling-alg": "cbcs"}), "fairplay", EncryptionMethod="cbcs"),
        speke(shared.key_url("a", **{"x-signaling-alg": "cbcs"}), "widevine+playready+fairplay"),
        SIMPLE,
    ]
    known = credential.Credential("AKIDsandboxEXAMPLE", RIGHT_KEY)
    client = mps_client.MpsClient(known, "", profile(shared.sandbox.url.removeprefix("http://")))
    request = models.ProcessMediaRequest()
    request.from_json_string(json.dumps(job(*kinds)))
    task_id = client.ProcessMedia(request).TaskId
    wait(shared, task_id)
    query = models.DescribeTaskDetailRequest()
    query.TaskId = task_id
    detail = client.DescribeTaskDetail(query)
    results = [item.AdaptiveDynamicStreamingTask for item in detail.WorkflowTask.MediaProcessResultSet]
    assert [result.Status for result in results] == ["SUCCESS"] * 5
    assert [result.Input.DrmInfo.Type for result in results] == [kind["Type"] for kind in kinds]
    assert [event.outcome for event in shared.sandbox.events("keyserver")][-4:] == ["200"] * 4


@pytest.mark.parametrize("drm", ["widevine", "playready", "fairplay", "widevine+playready", "playready+fairplay"])
def test_url_of_the_vendors_script_serves_every_method(shared: Any, drm: str) -> None:
    """A URL without `x-signaling-alg`, as the vendor's script prints it, serves cenc and cbcs alike."""
    methods = ("cbcs",) if "fairplay" in drm else ("cenc", "cbcs")
    kinds = [speke(shared.key_url(), drm, EncryptionMethod=method) for method in methods]
    assert [result["Status"] for result in run(shared, job(*kinds))] == ["SUCCESS"] * len(methods)


@pytest.mark.parametrize("form", ["host", "scheme", "localhost", "get", "unsigned"])
def test_every_way_of_the_sdk_to_call(shared: Any, form: str) -> None:
    """The SDK reaches the API by host and port, by URL (then with a malformed Host), by name, by GET, unsigned."""
    host = shared.sandbox.url.removeprefix("http://")
    changes: dict[str, Any] = {
        "host": {},
        "scheme": {"endpoint": shared.sandbox.url},
        "localhost": {"endpoint": host.replace("127.0.0.1", "localhost")},
        "get": {"method": "GET"},
        "unsigned": {"unsigned": True},
    }[form]
    task_id = call(shared, "ProcessMedia", job(SIMPLE, None, TasksPriority=-1), **changes)["TaskId"]
    assert wait(shared, task_id)["TasksPriority"] == -1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"keys": ("AKIDsandboxEXAMPLE", "wrong")}, "AuthFailure.SignatureFailure"),
        ({"keys": ("AKIDother", RIGHT_KEY)}, "AuthFailure.SecretIdNotFound"),
        ({"service": "vod"}, "AuthFailure.SignatureFailure"),
        ({"token": "temporary"}, "AuthFailure.TokenFailure"),
        ({"version": "2017-03-12"}, "NoSuchVersion"),
    ],
)
def test_wrong_credentials_are_refused(account: Any, changes: dict[str, Any], code: str) -> None:
    """A wrong key, secret ID, service, token or version gets Tencent's error code, and no task."""
    assert refusal(account, "ProcessMedia", job(SIMPLE), **changes)[0] == code
    assert call(account, "DescribeTasks", {"Status": "FINISH"})["TotalCount"] == 0


def signed(account: Any, body: bytes, *, age: int = 0, **changes: str) -> http.client.HTTPResponse:
    """Send ProcessMedia signed by drmkit, with a timestamp of another age or with other headers or body."""
    host = account.sandbox.url.removeprefix("http://")
    headers = sign(
        secret_id="AKIDsandboxEXAMPLE",
        key=SigningKey(Secret(RIGHT_KEY)),
        service="mps",
        host=host,
        action="ProcessMedia",
        version="2019-06-12",
        body=body,
        timestamp=int(time.time()) - age,
        sign_action=False,
    )
    sent = {name: value for name, value in (headers | changes).items() if value}
    return account.client.call("POST", account.sandbox.url, headers=sent, body=body)


@pytest.mark.parametrize(
    ("age", "changes", "code"),
    [
        (0, {}, None),
        (240, {}, None),
        (-240, {}, None),
        (400, {}, "AuthFailure.SignatureExpire"),
        (-400, {}, "AuthFailure.SignatureExpire"),
        (0, {"Authorization": ""}, "AuthFailure.InvalidAuthorization"),
        (0, {"Authorization": "Bearer x"}, "AuthFailure.InvalidAuthorization"),
        (0, {"X-TC-Timestamp": "soon"}, "AuthFailure.InvalidAuthorization"),
        (0, {"Content-Type": "application/json; charset=utf-8"}, "AuthFailure.SignatureFailure"),
    ],
)
def test_signature_is_really_checked(shared: Any, age: int, changes: dict[str, str], code: str | None) -> None:
    """Five minutes of clock difference are allowed either way; a changed header or no signature is refused."""
    answer = signed(shared, json.dumps(job(SIMPLE)).encode(), age=age, **changes)
    response = json.loads(answer.body)["Response"]
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert response.get("Error", {}).get("Code") == code
    assert len(response["RequestId"]) == 36


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "MissingParameter"),
        (b"[]", "InvalidParameter"),
        (b"{", "InvalidParameter"),
        (b"\xff", "InvalidParameter"),
        (b"[" * 100_000, "InvalidParameter"),
        (b" " * (10 * 1024 * 1024 + 1), "RequestSizeLimitExceeded"),
    ],
)
def test_bodies_that_are_no_request(shared: Any, body: bytes, code: str) -> None:
    """A body that is not a JSON object, or too large, is refused with the API's code."""
    assert json.loads(signed(shared, body).body)["Response"]["Error"]["Code"] == code


def test_actions_that_do_not_exist(shared: Any) -> None:
    """An unknown action and a call without action are refused; a person's GET gets a page."""
    assert refusal(shared, "Dance", {})[0] == "InvalidAction"
    bare = json.loads(shared.client.call("POST", shared.sandbox.url).body)["Response"]["Error"]
    assert bare["Code"] == "AuthFailure.InvalidAuthorization"
    assert "<title>drmkit sandbox</title>" in shared.client.get(shared.sandbox.url).text
    nameless = json.loads(signed(shared, b"{}", **{"X-TC-Action": ""}).body)["Response"]["Error"]
    assert nameless == {"Code": "MissingParameter", "Message": "The request is missing a required parameter `Action`."}
    long = "x" * 33000
    assert refusal(shared, "DescribeTaskDetail", {"TaskId": long}, method="GET")[0] == "RequestSizeLimitExceeded"


PATH = "MediaProcessTask.AdaptiveDynamicStreamingTaskSet.0"
URL = "http://127.0.0.1/"


@pytest.mark.parametrize(
    ("body", "code", "part"),
    [
        (job(), "InvalidParameter", "names no task"),
        (job(SIMPLE, Foo=1), "UnknownParameter", "`Foo`"),
        (job(SIMPLE, SessionId="s" * 51), "InvalidParameterValue.SessionIdTooLong", "50"),
        (job(SIMPLE, SessionContext="s" * 1001), "InvalidParameterValue.SessionContextTooLong", "1000"),
        (job(SIMPLE, TasksPriority=11), "InvalidParameterValue", "-10 to 10"),
        (job(SIMPLE, TaskType="Later"), "InvalidParameterValue", "Online or Offline"),
        (job(SIMPLE, OutputDir="out/"), "InvalidParameterValue", "`OutputDir`"),
        (job(SIMPLE, OutputDir="/out"), "InvalidParameterValue", "`OutputDir`"),
        (job(SIMPLE, InputInfo={"Type": "FTP"}), "InvalidParameterValue", "COS, URL, AWS-S3, VOD"),
        (job(SIMPLE, InputInfo={"Type": "COS"}), "InvalidParameter.InputInfo", "InputInfo.CosInputInfo"),
        (
            job(SIMPLE, InputInfo={"Type": "URL", "UrlInputInfo": {"Url": URL}}),
            "InvalidParameter",
            "OutputStorage is required",
        ),
        (job(SIMPLE, OutputStorage={"Type": "FTP"}), "InvalidParameterValue", "`OutputStorage.Type`"),
        (job(SIMPLE, ScheduleId=1), "UnsupportedOperation", "`ScheduleId`"),
        (job(Activities=[{"ActivityType": "input"}]), "UnsupportedOperation", "`Activities`"),
        (
            job(MediaProcessTask={"AnimatedGraphicTaskSet": [{"Definition": 1, "StartTimeOffset": 0}]}),
            "MissingParameter",
            "EndTimeOffset",
        ),
        (job({"Type": "clearkey"}), "InvalidParameterValue", f"`{PATH}.DrmInfo.Type`"),
        (job(speke(URL, "fairplay+widevine")), "InvalidParameterValue", "widevine+fairplay"),
        (job(speke(URL, "Widevine")), "InvalidParameterValue", "`"),
        (job({"Type": "widevine"}), "MissingParameter", f"`{PATH}.DrmInfo.SpekeDrm`"),
        (job({"Type": "simpleaes"}), "MissingParameter", f"`{PATH}.DrmInfo.SimpleAesDrm`"),
        (job(SIMPLE | {"SimpleAesDrm": {"Uri": "u", "Key": "00" * 32}}), "InvalidParameterValue", "32 hexadecimal"),
        (job(speke(URL, Vector="00" * 32)), "InvalidParameterValue", "32 hexadecimal"),
        (job(speke(URL, ResourceId="a b")), "InvalidParameterValue", "`_` and `-`"),
        (job(speke(URL, ResourceId="x" * 129)), "InvalidParameterValue", "1 to 128"),
        (job(speke("ftp://127.0.0.1/")), "InvalidParameterValue", "http or https URL"),
        (job(speke(URL, "fairplay", EncryptionMethod="cenc")), "InvalidParameterValue", "fairplay takes cbcs"),
        (job(speke(URL, EncryptionMethod="cens")), "InvalidParameterValue", "cenc or cbcs"),
        (job(speke(URL, EncryptionPreset="preset 0")), "InvalidParameterValue", "preset0 or preset1"),
    ],
)
def test_jobs_that_contradict_the_api(shared: Any, body: dict[str, Any], code: str, part: str) -> None:
    """Each value or combination that the API does not allow is refused with its code, naming field or rule."""
    found = refusal(shared, "ProcessMedia", body)
    assert found[0] == code
    assert part in found[1]


@pytest.mark.parametrize(
    ("drm", "template", "reason"),
    [
        (speke(URL), Template(segment_type="ts-segment"), "mp4 segments"),
        (speke(URL), Template("MPEG-DASH", "mp4-segment"), "single file"),
        (speke(URL), Template("MPEG-DASH", "mp4-byterange"), None),
        (speke(URL, "fairplay"), Template("MPEG-DASH", "mp4-byterange"), "needs an HLS template"),
        (speke(URL, "widevine+fairplay"), Template(segment_type="mp4-byterange"), None),
        (SIMPLE, Template(segment_type="ts-segment"), None),
        (SIMPLE, Template(segment_type="ts-byterange"), "segments of their own"),
        (SIMPLE, Template("MPEG-DASH", "mp4-byterange"), "needs HLS"),
    ],
)
def test_format_matrix(make: Any, drm: dict[str, Any], template: Template, reason: str | None) -> None:
    """A template that cannot carry the DRM type is refused; one that can is accepted."""
    account = make(templates={10: template}, queue_delay=60.0)
    if reason is None:
        assert call(account, "ProcessMedia", job(drm))["TaskId"]
    else:
        code, text = refusal(account, "ProcessMedia", job(drm))
        assert code == "InvalidParameterValue"
        assert reason in text


def test_states_in_their_order(make: Any) -> None:
    """A task waits, is processed and finishes; what is not yet known has the year 0, and WorkflowTask is null."""
    account = make(queue_delay=30.0, processing_time=30.0)
    body = job(
        SIMPLE, SessionContext="c", SessionId="s", TaskNotifyConfig={"NotifyType": "URL", "NotifyUrl": "http://x"}
    )
    task_id = call(account, "ProcessMedia", body)["TaskId"]
    waiting = wait(account, task_id, "WAITING")
    assert (waiting["WorkflowTask"], waiting["BeginProcessTime"], waiting["FinishTime"]) == (None, NEVER, NEVER)
    assert (waiting["SessionContext"], waiting["SessionId"], waiting["TaskType"]) == ("c", "s", "WorkflowTask")
    account.sandbox.advance(30)
    processing = wait(account, task_id, "PROCESSING")
    (item,) = processing["WorkflowTask"]["MediaProcessResultSet"]
    assert item["AdaptiveDynamicStreamingTask"]["Status"] == "PROCESSING"
    assert (processing["FinishTime"], item["AdaptiveDynamicStreamingTask"]["Output"]) == (NEVER, None)
    account.sandbox.advance(30)
    finished = wait(account, task_id)
    (item,) = finished["WorkflowTask"]["MediaProcessResultSet"]
    result = item["AdaptiveDynamicStreamingTask"]
    assert (item["Type"], item["TranscodeTask"], result["Status"]) == ("AdaptiveDynamicStreaming", None, "SUCCESS")
    assert result["Input"] == body["MediaProcessTask"]["AdaptiveDynamicStreamingTaskSet"][0]
    assert finished["TaskNotifyConfig"] == body["TaskNotifyConfig"]
    assert NEVER not in {finished["CreateTime"], finished["BeginProcessTime"], finished["FinishTime"]}


@pytest.mark.parametrize(
    ("fields", "task", "path", "storage"),
    [
        ({}, {}, "/out/clip_adaptiveDynamicStreaming_10.m3u8", "COS"),
        ({"OutputDir": None}, {}, "/in/clip_adaptiveDynamicStreaming_10.m3u8", "COS"),
        ({}, {"OutputObjectPath": "{inputName}-{inputFormat}.{format}"}, "/out/clip-mp4.m3u8", "COS"),
        ({}, {"OutputObjectPath": "/abs/{definition}.{format}"}, "/abs/10.m3u8", "COS"),
        ({}, {"Definition": 20}, "/out/clip_adaptiveDynamicStreaming_20.mpd", "COS"),
        (
            {
                "InputInfo": {"Type": "URL", "UrlInputInfo": {"Url": "http://h/a%20b.mp4?x=1"}},
                "OutputStorage": {"Type": "VOD"},
            },
            {},
            "/out/a b_adaptiveDynamicStreaming_10.m3u8",
            "VOD",
        ),
        (
            {"InputInfo": {"Type": "AWS-S3", "S3InputInfo": {"S3Bucket": "b", "S3Region": "r", "S3Object": "x.mov"}}},
            {},
            "/out/x_adaptiveDynamicStreaming_10.m3u8",
            "AWS-S3",
        ),
        (
            {"InputInfo": {"Type": "VOD", "VODInputInfo": {"Object": "v.mp4"}}},
            {},
            "/out/v_adaptiveDynamicStreaming_10.m3u8",
            "VOD",
        ),
    ],
)
def test_outputs_say_where_they_are(
    make: Any, fields: dict[str, Any], task: dict[str, Any], path: str, storage: str
) -> None:
    """A finished subtask names its package, path and storage, by the request or by the input."""
    account = make(templates={20: Template("MPEG-DASH", "mp4-byterange")})
    body = job(None, **fields)
    body["MediaProcessTask"]["AdaptiveDynamicStreamingTaskSet"][0] |= task
    (result,) = run(account, body)
    output = result["Output"]
    assert (output["Path"], output["Storage"]["Type"]) == (path, storage)
    assert output["Package"] == ("MPEG-DASH" if path.endswith("mpd") else "HLS")


def test_session_id_is_taken_once_in_three_days(account: Any) -> None:
    """A SessionId is refused for three days, then it works again; an empty one always works."""
    first = call(account, "ProcessMedia", job(SIMPLE, SessionId="once"))["TaskId"]
    assert refusal(account, "ProcessMedia", job(SIMPLE, SessionId="once"))[0] == "InvalidParameterValue.SessionId"
    account.sandbox.advance(3 * 86400)
    assert call(account, "ProcessMedia", job(SIMPLE, SessionId="once"))["TaskId"] != first
    for _ in range(2):
        assert call(account, "ProcessMedia", job(SIMPLE, SessionId=""))["TaskId"]


def test_unknown_task(shared: Any) -> None:
    """A task that does not exist is not found, by query and by abort."""
    assert refusal(shared, "DescribeTaskDetail", {"TaskId": "x"})[0] == "ResourceNotFound.TaskNotFound"
    assert (
        refusal(shared, "ManageTask", {"TaskId": "x", "OperationType": "Abort"})[0] == "ResourceNotFound.TaskNotFound"
    )


def test_abort_in_the_queue_only(make: Any) -> None:
    """A waiting task can be aborted once and never runs; any other operation is unknown."""
    account = make(queue_delay=60.0)
    task = {"TaskId": call(account, "ProcessMedia", job(speke(account.key_url())))["TaskId"]}
    assert refusal(account, "ManageTask", task | {"OperationType": "Pause"})[0].endswith("InvalidOperationType")
    call(account, "ManageTask", task | {"OperationType": "Abort"})
    assert refusal(account, "ManageTask", task | {"OperationType": "Abort"})[0].endswith("NotProcessingTask")
    detail = wait(account, task["TaskId"])
    assert (detail["WorkflowTask"]["ErrCode"], detail["WorkflowTask"]["Message"]) == (1, "The task was aborted.")
    account.sandbox.advance(60)
    other = call(account, "ProcessMedia", job(SIMPLE))["TaskId"]
    account.sandbox.advance(60)
    wait(account, other)
    assert account.sandbox.events("keyserver") == ()


def test_tasks_are_listed_in_pages(make: Any) -> None:
    """DescribeTasks lists tasks by state, newest first, page by page, and can pick those that failed."""
    account = make(queue_delay=60.0)
    ids = [call(account, "ProcessMedia", job(SIMPLE))["TaskId"] for _ in range(5)]
    page = call(account, "DescribeTasks", {"Status": "WAITING", "Limit": 3})
    rest = call(account, "DescribeTasks", {"Status": "WAITING", "Limit": "3", "ScrollToken": page["ScrollToken"]})
    listed = [task["TaskId"] for task in page["TaskSet"] + rest["TaskSet"]]
    assert (listed, page["TotalCount"], rest["ScrollToken"]) == (ids[::-1], 5, "")
    account.sandbox.advance(60)
    for task_id in ids:
        wait(account, task_id)
    assert call(account, "DescribeTasks", {"Status": "FINISH", "SubTaskHasFailed": True})["TotalCount"] == 0
    for wrong in ({"Status": "DONE"}, {"Status": "FINISH", "Limit": 101}, {"Status": "FINISH", "ScrollToken": "x"}):
        assert refusal(account, "DescribeTasks", wrong)[0] == "InvalidParameterValue"


def test_tasks_are_listed_by_time(make: Any) -> None:
    """StartTime and EndTime bound the time of creation, both included; anything that is no time is refused."""
    account = make()
    ids = []
    for _ in range(3):
        ids.append(call(account, "ProcessMedia", job(SIMPLE))["TaskId"])
        account.sandbox.advance(100)
    times = [wait(account, task_id)["CreateTime"] for task_id in ids]

    def listed(**bounds: str) -> list[str]:
        answer = call(account, "DescribeTasks", {"Status": "FINISH", **bounds})
        return [task["TaskId"] for task in answer["TaskSet"]]

    assert listed(StartTime=times[1]) == [ids[2], ids[1]]
    assert listed(EndTime=times[1]) == [ids[1], ids[0]]
    assert listed(StartTime=times[1], EndTime=times[1]) == [ids[1]]
    assert refusal(account, "DescribeTasks", {"Status": "FINISH", "StartTime": "today"})[0] == "InvalidParameterValue"


def test_templates_can_be_asked(make: Any) -> None:
    """A client can learn format and segment type of its templates before it submits."""
    account = make(templates={20: Template("MPEG-DASH", "mp4-byterange"), 30: Template(segment_type="ts-segment")})

    def asked(**parameters: Any) -> list[tuple[int, str, str]]:
        answer = call(account, "DescribeAdaptiveDynamicStreamingTemplates", parameters)
        found = answer["AdaptiveDynamicStreamingTemplateSet"]
        return [(item["Definition"], item["Format"], item["SegmentType"]) for item in found]

    assert asked() == [(20, "MPEG-DASH", "mp4-byterange"), (30, "HLS", "ts-segment")]
    assert asked(Definitions=[30, 77]) == [(30, "HLS", "ts-segment"), (77, "HLS", "mp4-segment")]
    assert asked(Offset=1, Limit=1) == [(30, "HLS", "ts-segment")]
    wrong = refusal(account, "DescribeAdaptiveDynamicStreamingTemplates", {"Limit": 101})
    assert wrong[0] == "InvalidParameterValue"


def test_priority_decides_who_goes_first(make: Any) -> None:
    """Of the tasks that are due, those with a higher priority begin first."""
    account = make(queue_delay=60.0, processing_time=1000.0)
    low = [call(account, "ProcessMedia", job(SIMPLE, TasksPriority=-5))["TaskId"] for _ in range(3)]
    high = [call(account, "ProcessMedia", job(SIMPLE, TasksPriority=5))["TaskId"] for _ in range(3)]
    account.sandbox.advance(60)
    for task_id in high:
        wait(account, task_id, "PROCESSING")
    for task_id in low:
        wait(account, task_id, "WAITING")


def test_ticket_that_expires_in_the_queue(make: Any) -> None:
    """A ticket that is over when the worker comes fails its subtask; the next job with a fresh one succeeds."""
    account = make(queue_delay=120.0, ticket_lifetime=60.0)
    task_id = call(account, "ProcessMedia", job(speke(account.key_url())))["TaskId"]
    account.sandbox.advance(120)
    (item,) = wait(account, task_id)["WorkflowTask"]["MediaProcessResultSet"]
    assert item["AdaptiveDynamicStreamingTask"]["Message"] == (
        "KeyServerUrl: the key server answered HTTP 401; it refused the ticket: wrong, expired, already used, or"
        " issued for another URL"
    )


def test_one_url_for_two_tasks_with_single_use_tickets(make: Any) -> None:
    """With single-use tickets one URL serves one of two subtasks, and a URL for each serves both."""
    account = make(single_use=True)
    url = account.key_url()
    assert sorted(result["Status"] for result in run(account, job(speke(url), speke(url)))) == ["FAIL", "SUCCESS"]
    fresh = [speke(account.key_url()) for _ in range(2)]
    assert [result["Status"] for result in run(account, job(*fresh))] == ["SUCCESS"] * 2


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("keyserver-unavailable", "the key server answered HTTP 503; no keys came"),
        ("keyserver-html", "the key server answered an HTML page instead of a CPIX document"),
        ("keyserver-json-error", "the key server's answer is no CPIX document that can be read"),
        ("keyserver-truncated", "the key server's answer is no CPIX document that can be read"),
        ("keyserver-duplicate-kid", "lists one key ID twice"),
        ("keyserver-wrong-kid", "names another key"),
        ("keyserver-swapped-pssh", "holds another system's PSSH box"),
        ("keyserver-no-systems", "has no Widevine entry"),
        ("keyserver-wrong-scheme", "is for cbcs and the task encrypts with cenc"),
    ],
)
@pytest.mark.parametrize("mode", ["POST", "GET"])
def test_worker_tells_what_is_wrong_with_the_keys(make: Any, mode: str, fault: str, reason: str) -> None:
    """Each fault of the key server fails the subtask with words for it, and the job after it succeeds."""
    account = make(key_acquire_mode=mode)
    account.sandbox.faults.switch_on(f"{fault}:1")
    query, drm = {"x-signaling-alg": "cenc"}, "widevine+playready"
    assert reason in message(account, speke(account.key_url(**query), drm, EncryptionPreset="preset1"))
    (result,) = run(account, job(speke(account.key_url(**query), drm, EncryptionPreset="preset1")))
    assert result["Status"] == "SUCCESS"


@pytest.mark.parametrize(
    ("query", "drm", "method", "reason"),
    [
        ("cenc", "fairplay", "cbcs", "`x-signaling-alg=cbcs` in the URL asks for it"),
        ("cenc", "widevine", "cbcs", "is for cenc and the task encrypts with cbcs"),
        ("cbcs", "playready", "cenc", "is for cbcs and the task encrypts with cenc"),
    ],
)
def test_method_must_be_the_documents(make: Any, query: str, drm: str, method: str, reason: str) -> None:
    """A document that is for one method, whoever asks, does not serve a task of the other."""
    account = make(key_acquire_mode="GET")
    url = account.key_url(**{"x-signaling-alg": query})
    assert reason in message(account, speke(url, drm, EncryptionMethod=method))


@pytest.mark.parametrize(
    "url",
    ["https://fe.example.com/cpix", "http://192.0.2.1/", "http://[", "http://127.0.0.1.example.com/", "http:///x"],
)
def test_worker_calls_loopback_only(shared: Any, url: str) -> None:
    """A key server that is not on this machine is never called."""
    assert message(shared, speke(url)) == "the sandbox calls key servers on loopback only"


def test_dead_key_server(shared: Any) -> None:
    """A key server that does not answer fails the subtask with the network's reason."""
    assert "the key request: no connection" in message(shared, speke("http://127.0.0.1:1/?ticket=ST-x"))


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("mps-rate-limited", "RequestLimitExceeded"),
        ("mps-internal-error", "InternalError"),
        ("mps-signature-refused", "AuthFailure.SignatureFailure"),
        ("mps-clock-ahead", "AuthFailure.SignatureExpire"),
        ("mps-html", "ServerNetworkError"),
    ],
)
def test_faults_of_the_api(account: Any, fault: str, code: str) -> None:
    """Each fault of the API itself shows once with its code and creates no task."""
    account.sandbox.faults.switch_on(f"{fault}:1")
    with pytest.raises(TencentCloudSDKException) as refused:
        call(account, "ProcessMedia", job(SIMPLE))
    assert refused.value.get_code() == code
    assert call(account, "DescribeTasks", {"Status": "FINISH"})["TotalCount"] == 0


def test_answer_that_is_lost_leaves_a_task(account: Any) -> None:
    """After a lost answer the task exists: submitting again with the same SessionId says so."""
    account.sandbox.faults.switch_on("mps-answer-lost:1")
    assert refusal(account, "ProcessMedia", job(SIMPLE, SessionId="s"))[0] == "InternalError"
    assert refusal(account, "ProcessMedia", job(SIMPLE, SessionId="s"))[0] == "InvalidParameterValue.SessionId"


def test_clock_of_the_date_header_is_the_apis(account: Any) -> None:
    """The Date header tells the clock by which signatures are checked, so that a client can correct itself."""
    account.sandbox.faults.switch_on("mps-clock-ahead:1")
    answer = signed(account, b"{}")
    assert abs(parsedate_to_datetime(answer.headers["date"]).timestamp() - time.time() - 3600) < 60
    right = account.client.call("POST", account.sandbox.url)
    assert abs(parsedate_to_datetime(right.headers["date"]).timestamp() - time.time()) < 60


def test_faults_of_tasks(account: Any) -> None:
    """A task can fail as a whole, or wait for ever; a wrong signature can be let through."""
    account.sandbox.faults.switch_on("mps-task-fails:1")
    (result,) = run(account, job(SIMPLE))
    assert (result["Status"], result["ErrCodeExt"]) == ("FAIL", "InternalError")
    account.sandbox.faults.switch_on("mps-task-stuck:1")
    stuck = call(account, "ProcessMedia", job(SIMPLE))["TaskId"]
    run(account, job(SIMPLE))
    assert call(account, "DescribeTaskDetail", {"TaskId": stuck})["Status"] == "WAITING"
    account.sandbox.faults.switch_on("mps-signature-ignored:1")
    assert call(account, "DescribeTasks", {"Status": "FINISH"}, keys=("AKIDother", "wrong"))["TotalCount"] == 2


def test_many_jobs_at_once(make: Callable[..., Any]) -> None:
    """Forty jobs with a key server each all finish."""
    account = make()
    ids = [call(account, "ProcessMedia", job(speke(account.key_url(f"asset-{n}"))))["TaskId"] for n in range(40)]
    for task_id in ids:
        (item,) = wait(account, task_id)["WorkflowTask"]["MediaProcessResultSet"]
        assert item["AdaptiveDynamicStreamingTask"]["Status"] == "SUCCESS"
    assert len(set(ids)) == 40


def test_crashes_of_workers_end_their_tasks(account: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Should workers crash, more often than there are of them, tasks end with InternalError, and others are done.

    The log names the kind and the place of the error, not its text.
    """
    state = account.sandbox._running().state
    hit = state.faults.hit
    crashes = iter([True] * 5)

    def broken(name: str) -> bool:
        if name == "mps-task-fails" and next(crashes, False):
            raise RuntimeError("cAnArYsEcReT")
        return hit(name)

    state.faults.hit = broken
    for _ in range(5):
        (result,) = run(account, job(SIMPLE))
        assert (result["Status"], result["ErrCodeExt"]) == ("FAIL", "InternalError")
    assert [item["Status"] for item in run(account, job(SIMPLE, None))] == ["SUCCESS"] * 2
    account.sandbox.stop()
    messages = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(messages) == 5
    assert all("failed with RuntimeError at test_mps.py:" in message for message in messages)
    assert "cAnArYsEcReT" not in caplog.text
