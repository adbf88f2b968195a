"""The sandbox's own copy of the API's contract, against Tencent's machine-readable schema and against bad requests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from drmkit.sandbox.mps_contract import OBJECTS, ApiRefusalError, check_object, unflatten

SCHEMA = Path(__file__).parents[3] / "shared" / "oracles" / "mps_api.json"
REQUESTS = {
    "ProcessMedia",
    "DescribeTaskDetail",
    "DescribeTasks",
    "DescribeAdaptiveDynamicStreamingTemplates",
    "ManageTask",
    "ProcessLiveStream",
    "ParseNotification",
    "ParseLiveStreamProcessNotification",
}
OF_VOD = {"ProcessMediaByMPS", "DescribeVodTask", "VodSmartSubtitlesTaskInput", "VodSmartEraseTaskInput"}
SPEKE = {"ResourceId": "a", "KeyServerUrl": "http://127.0.0.1/", "Vector": "00" * 16}


def request(**drm: Any) -> dict[str, Any]:
    """A small ProcessMedia request."""
    task = {"Definition": 10, "DrmInfo": {"Type": "widevine", "SpekeDrm": SPEKE | drm}}
    return {
        "InputInfo": {"Type": "COS", "CosInputInfo": {"Bucket": "b", "Region": "r", "Object": "/o.mp4"}},
        "MediaProcessTask": {"AdaptiveDynamicStreamingTaskSet": [task]},
    }


@pytest.mark.skipif(not SCHEMA.exists(), reason="../shared is absent")
@pytest.mark.parametrize("name", sorted(set(OBJECTS) - OF_VOD))
def test_contract_is_the_published_schema(name: str) -> None:
    """Each object of MPS has exactly the fields, types and required marks of Tencent's schema."""
    objects = json.loads(SCHEMA.read_text(encoding="utf-8"))["objects"]
    published = objects[f"{name}Request" if name in REQUESTS else name]
    ours = OBJECTS[name]
    assert set(ours) == {member["name"] for member in published}
    for member in published:
        field = ours[member["name"]]
        kind = {"json": member["member"], "count": "uint64"}.get(field.kind, field.kind)
        assert (kind, field.is_list, field.required) == (
            member["member"],
            member["type"] == "list",
            member["required"],
        )


def test_right_request_passes_without_its_nulls() -> None:
    """A right request comes out as it went in, without fields that are null."""
    body = request()
    assert check_object("ProcessMedia", body | {"OutputDir": None}) == body


TASK = "MediaProcessTask.AdaptiveDynamicStreamingTaskSet.0"


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        ({"Inputinfo": {}}, "UnknownParameter", "The parameter `Inputinfo` is not recognized."),
        ({"InputInfo": None}, "MissingParameter", "The request is missing a required parameter `InputInfo`."),
        ({"InputInfo": "COS"}, "InvalidParameter", "The value type of parameter `InputInfo` is not valid."),
        ({"TasksPriority": "high"}, "InvalidParameter", "The value type of parameter `TasksPriority` is not valid."),
        ({"TasksPriority": True}, "InvalidParameter", "The value type of parameter `TasksPriority` is not valid."),
        ({"SessionId": 5}, "InvalidParameter", "The value type of parameter `SessionId` is not valid."),
        ({"Activities": {}}, "InvalidParameter", "The value type of parameter `Activities` is not valid."),
        ({"Activities": [1]}, "InvalidParameter", "The value type of parameter `Activities.0` is not valid."),
        (request(Vektor="x"), "UnknownParameter", f"The parameter `{TASK}.DrmInfo.SpekeDrm.Vektor` is not recognized."),
        (
            request(Vector=None),
            "MissingParameter",
            f"The request is missing a required parameter `{TASK}.DrmInfo.SpekeDrm.Vector`.",
        ),
    ],
)
def test_wrong_requests_are_refused(change: dict[str, Any], code: str, message: str) -> None:
    """Each mistake gets the API's error code and a message that names the field with its path."""
    with pytest.raises(ApiRefusalError) as refused:
        check_object("ProcessMedia", request() | change)
    assert (refused.value.code, refused.value.message) == (code, message)


@pytest.mark.parametrize("definition", [-1, 1.0, "10", None, [10]])
def test_definition_is_an_unsigned_integer(definition: Any) -> None:
    """A template's definition is a number that is not negative, and neither text nor float."""
    body = request()
    body["MediaProcessTask"]["AdaptiveDynamicStreamingTaskSet"][0]["Definition"] = definition
    with pytest.raises(ApiRefusalError) as refused:
        check_object("ProcessMedia", body)
    assert refused.value.code in {"InvalidParameter", "MissingParameter"}


def test_page_size_may_be_text() -> None:
    """DescribeTasks takes its Limit as text too, as the official samples send it."""
    assert check_object("DescribeTasks", {"Status": "FINISH", "Limit": "5"})["Limit"] == 5
    with pytest.raises(ApiRefusalError):
        check_object("DescribeTasks", {"Status": "FINISH", "Limit": "five"})


def test_get_parameters_become_objects_and_lists() -> None:
    """The flat names of a GET request become nested objects and lists, with text read as numbers where due."""
    pairs = [
        ("InputInfo.Type", "COS"),
        ("InputInfo.CosInputInfo.Bucket", "b"),
        ("InputInfo.CosInputInfo.Region", "r"),
        ("InputInfo.CosInputInfo.Object", "/o.mp4"),
        ("TasksPriority", "-3"),
        *((f"{TASK.replace('.0', f'.{index}')}.Definition", f"{index}") for index in range(11)),
    ]
    checked = check_object("ProcessMedia", unflatten(pairs), as_text=True)
    assert checked["TasksPriority"] == -3
    tasks = checked["MediaProcessTask"]["AdaptiveDynamicStreamingTaskSet"]
    assert [task["Definition"] for task in tasks] == list(range(11))
    assert check_object("DescribeTasks", {"Status": "FINISH", "SubTaskHasFailed": "True"}, as_text=True) == {
        "Status": "FINISH",
        "SubTaskHasFailed": True,
    }


@pytest.mark.parametrize("pairs", [[("A", "1"), ("A", "2")], [("A", "1"), ("A.B", "2")], [("A.B", "1"), ("A", "2")]])
def test_contradicting_get_parameters_are_refused(pairs: list[tuple[str, str]]) -> None:
    """A name that is given twice, or as a value and as an object, is refused."""
    with pytest.raises(ApiRefusalError) as refused:
        unflatten(pairs)
    assert refused.value.code == "InvalidParameter"
