"""The official SDK, unchanged, as a client of the sandbox, beside drmkit's own: they submit, see and stop the same."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mpsworld import JOB, runner
from tencentcloud.common import credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.mps.v20190612 import models, mps_client

from drmkit.mps import drm
from drmkit.mps.job import Job, StreamingTask
from drmkit.mps.wire import to_builtins
from drmkit.sandbox import Sandbox, SandboxOptions
from drmkit.secret import Secret

Run = Callable[..., int]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """The vendors."""
    with Sandbox(SandboxOptions(encrypt=False)) as running:
        yield running


@pytest.fixture
def run(sandbox: Sandbox, tmp_path: Path) -> Run:
    """Run a command line of drmkit with the sandbox's profile."""
    return runner(sandbox, tmp_path)


def sdk(sandbox: Sandbox, secret_key: str | None = None) -> Any:
    """The typed client of the official SDK."""
    profile = HttpProfile(protocol="http", endpoint=sandbox.url.removeprefix("http://"), reqTimeout=10)
    known = sandbox.credentials
    key = credential.Credential(known.secret_id, secret_key or known.secret_key.reveal())
    return mps_client.MpsClient(key, "ap-singapore", ClientProfile(httpProfile=profile, language="en-US"))


def request(kind: str, parameters: dict[str, Any]) -> Any:
    """A request of the SDK, which must know every field."""
    made = getattr(models, kind)()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made.from_json_string(json.dumps(parameters))
    return made


@pytest.fixture
def body(run: Run, tmp_path: Path, capsys: Any) -> dict[str, Any]:
    """The request that drmkit would send for a job."""
    key = tmp_path / "key.hex"
    key.write_text("0f" * 16, encoding="utf-8")
    aes = ("--aes-uri", "https://k.example.com/1", "--aes-key-file", str(key))
    options = [option for option in JOB if option not in {"--key-source", "drmtoday:sandbox"}]
    options[options.index("widevine")] = "simpleaes"
    for name in ("--resource-id", "movie-1"):
        options.remove(name)
    assert run(*options, *aes) == 0
    file = tmp_path / "job.json"
    file.write_text(capsys.readouterr().out, encoding="utf-8")
    assert run("job", "submit", str(file), "--dry-run", "--format", "json", "--reveal") == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)["body"]
    return found


def test_the_sdk_submits_what_drmkit_prints(sandbox: Sandbox, run: Run, body: dict[str, Any], capsys: Any) -> None:
    """The SDK takes the printed body as it is; drmkit sees its task, and is refused a second one."""
    client = sdk(sandbox)
    task_id = client.ProcessMedia(request("ProcessMediaRequest", body)).TaskId
    assert run("task", "wait", task_id) == 0
    capsys.readouterr()
    detail = client.DescribeTaskDetail(request("DescribeTaskDetailRequest", {"TaskId": task_id}))
    (result,) = detail.WorkflowTask.MediaProcessResultSet
    assert (result.AdaptiveDynamicStreamingTask.Status, detail.SessionId) == ("SUCCESS", body["SessionId"])
    assert run("task", "show", task_id) == 0
    assert capsys.readouterr().out.startswith(f"succeeded  {task_id}")
    with pytest.raises(TencentCloudSDKException) as refused:
        client.ProcessMedia(request("ProcessMediaRequest", body))
    assert refused.value.get_code() == "InvalidParameterValue.SessionId"


def test_the_sdk_lists_and_aborts(sandbox: Sandbox, run: Run, body: dict[str, Any]) -> None:
    """A task that the SDK submitted waits, is listed, is stopped by the SDK, and drmkit sees it stopped."""
    sandbox.faults.switch_on("mps-task-stuck")
    client = sdk(sandbox)
    task_id = client.ProcessMedia(request("ProcessMediaRequest", body)).TaskId
    listed = client.DescribeTasks(request("DescribeTasksRequest", {"Status": "WAITING", "Limit": 5}))
    assert [item.TaskId for item in listed.TaskSet] == [task_id]
    stop = {"OperationType": "Abort", "TaskId": task_id}
    assert client.ManageTask(request("ManageTaskRequest", stop)).RequestId
    with pytest.raises(TencentCloudSDKException) as refused:
        client.ManageTask(request("ManageTaskRequest", stop))
    assert refused.value.get_code() == "InvalidParameterValue.NotProcessingTask"
    assert run("task", "wait", task_id) == 1


@pytest.mark.parametrize(
    ("fault", "changes", "code"),
    [
        (None, {"secret_key": "wrong"}, "AuthFailure.SignatureFailure"),
        ("mps-clock-ahead", {}, "AuthFailure.SignatureExpire"),
        ("mps-rate-limited:1", {}, "RequestLimitExceeded"),
        ("mps-internal-error:1", {}, "InternalError"),
    ],
)
def test_the_sdk_meets_errors(
    sandbox: Sandbox, body: dict[str, Any], fault: str | None, changes: dict[str, str], code: str
) -> None:
    """A wrong signature, a wrong clock, limits and failures reach the SDK with Tencent's codes, and make no task."""
    if fault:
        sandbox.faults.switch_on(fault)
    with pytest.raises(TencentCloudSDKException) as refused:
        sdk(sandbox, **changes).ProcessMedia(request("ProcessMediaRequest", body))
    assert refused.value.get_code() == code
    sandbox.faults.clear()
    empty = sdk(sandbox).DescribeTasks(request("DescribeTasksRequest", {"Status": "FINISH"}))
    assert empty.TotalCount == 0


def test_the_sdks_clock_is_wrong(sandbox: Sandbox, body: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A client whose clock is six minutes slow is refused, one that is four minutes slow is not."""
    now = time.time
    for late, accepted in ((240, True), (360, False)):
        with monkeypatch.context() as patch:
            patch.setattr("tencentcloud.common.abstract_client.time.time", lambda late=late: now() - late)
            made = request("ProcessMediaRequest", body | {"SessionId": f"late-{late}"})
            client = sdk(sandbox)
            if accepted:
                assert client.ProcessMedia(made).TaskId
                continue
            with pytest.raises(TencentCloudSDKException) as refused:
                client.ProcessMedia(made)
            assert refused.value.get_code() == "AuthFailure.SignatureExpire"


@pytest.mark.parametrize("kind", drm.KINDS)
def test_the_sdk_knows_every_field(kind: str) -> None:
    """Whatever drmkit sends for a kind of DRM, with every method and preset, survives the SDK's models unchanged."""
    row = drm.KINDS[kind]
    for method in row.methods or (None,):
        for preset in (*drm.PRESETS, None):
            sent = to_builtins(
                built(kind, method, preset).request(["https://k.example.com/x"][: kind != "simpleaes"]), reveal=True
            )
            assert request("ProcessMediaRequest", sent)._serialize(allow_none=False) == sent


def built(kind: str, method: str | None, preset: str | None) -> Job:
    """A job with one task."""
    iv = "00112233445566778899aabbccddeeff"
    protection: drm.Protection
    if kind == "simpleaes":
        protection = drm.SimpleAes(uri="https://k.example.com/1", key=Secret("0f" * 16), iv=iv)
    else:
        protection = drm.protection(kind)(resource_id="m", key_source="drmtoday:p", iv=iv, method=method, preset=preset)
    return Job.build(
        input="https://m.example.com/a.mp4", output="cos://b-1/ap-x/out/", tasks=[StreamingTask(12, protection)]
    )
