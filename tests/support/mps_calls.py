"""Calls of the sandbox's media processing API by Tencent's official SDK."""

from __future__ import annotations

import time
from typing import Any

import pytest
from tencentcloud.common import credential
from tencentcloud.common.common_client import CommonClient
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile

VECTOR = "452ac1553f19b846e2f2c4cffd8f4a9b"
NEVER = "0000-00-00T00:00:00Z"
SIMPLE = {"Type": "simpleaes", "SimpleAesDrm": {"Uri": "https://keys.example.com/1", "Key": "00" * 16}}
RIGHT_KEY = "sandboxsecretEXAMPLE"


def profile(endpoint: str, method: str = "POST", *, unsigned: bool = False) -> ClientProfile:
    """The SDK's settings for an endpoint in plain http."""
    settings = ClientProfile(
        httpProfile=HttpProfile(protocol="http", endpoint=endpoint, reqTimeout=10, reqMethod=method), language="en-US"
    )
    settings.unsignedPayload = unsigned
    return settings


def sdk(account: Any, **changes: Any) -> CommonClient:
    """The SDK's generic client with the sandbox's credentials."""
    secret_id, secret_key = changes.pop("keys", ("AKIDsandboxEXAMPLE", RIGHT_KEY))
    token = changes.pop("token", None)
    endpoint = changes.pop("endpoint", account.sandbox.url.removeprefix("http://"))
    version = changes.pop("version", "2019-06-12")
    service = changes.pop("service", "mps")
    known = credential.Credential(secret_id, secret_key, token)
    return CommonClient(service, version, known, "ap-singapore", profile(endpoint, **changes))


def call(account: Any, action: str, parameters: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Call an action and return what stands under Response."""
    return sdk(account, **changes).call_json(action, parameters)["Response"]


def refusal(account: Any, action: str, parameters: dict[str, Any], **changes: Any) -> tuple[str, str]:
    """Call an action that is refused and return code and message."""
    with pytest.raises(TencentCloudSDKException) as refused:
        call(account, action, parameters, **changes)
    assert refused.value.get_request_id()
    return refused.value.get_code(), refused.value.get_message()


def speke(url: str, drm: str = "widevine", **fields: Any) -> dict[str, Any]:
    """A DrmInfo with a key server."""
    return {"Type": drm, "SpekeDrm": {"ResourceId": "movie-1", "KeyServerUrl": url, "Vector": VECTOR} | fields}


def job(*drm: dict[str, Any] | None, **fields: Any) -> dict[str, Any]:
    """A ProcessMedia request with one task for each DrmInfo."""
    tasks = [{"Definition": 10 + number} | ({"DrmInfo": info} if info else {}) for number, info in enumerate(drm)]
    return {
        "InputInfo": {"Type": "COS", "CosInputInfo": {"Bucket": "b-1", "Region": "ap-x", "Object": "/in/clip.mp4"}},
        "OutputDir": "/out/",
        "MediaProcessTask": {"AdaptiveDynamicStreamingTaskSet": tasks},
    } | fields


def wait(account: Any, task_id: str, status: str = "FINISH") -> dict[str, Any]:
    """Ask until the task has this status."""
    for _ in range(500):
        detail = call(account, "DescribeTaskDetail", {"TaskId": task_id})
        if detail["Status"] == status:
            return detail
        time.sleep(0.01)
    raise AssertionError(f"the task is {detail['Status']}, not {status}")


def run(account: Any, body: dict[str, Any]) -> list[dict[str, Any]]:
    """Submit a job, wait and return its subtasks' results."""
    detail = wait(account, call(account, "ProcessMedia", body)["TaskId"])
    return [item["AdaptiveDynamicStreamingTask"] for item in detail["WorkflowTask"]["MediaProcessResultSet"]]


def message(account: Any, drm: dict[str, Any]) -> str:
    """Run one DRM task that fails and return its message, which never holds the ticket."""
    (result,) = run(account, job(drm))
    assert (result["Status"], result["ErrCode"], result["Output"]) == ("FAIL", 1, None)
    ticket = drm["SpekeDrm"]["KeyServerUrl"].partition("ticket=")[2].partition("&")[0]
    assert not ticket or ticket not in result["Message"]
    return result["Message"].removeprefix("KeyServerUrl: ")
