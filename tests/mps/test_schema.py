"""Plain values against the models: unknown, missing and mistyped fields, as Tencent's schema sees them too."""

from __future__ import annotations

import copy
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drmkit.mps import models
from drmkit.mps.models.request import ProcessMediaRequest
from drmkit.mps.models.streaming import SpekeDrm
from drmkit.mps.schema import examine, members, walk
from drmkit.mps.wire import Model, encode

KINDS = {"int64": int, "uint64": int, "float": float, "bool": bool, "string": str}


def test_every_model_has_the_fields_of_the_api(oracle: Any) -> None:
    """Each object of the machine-readable schema is a model with the same fields, types and lists."""
    assert len(oracle.OBJECTS) > 300
    for name, fields in oracle.OBJECTS.items():
        known = members(getattr(models, name))
        assert {field["name"] for field in fields} <= {*known, "RequestId"}
        for field in fields:
            if field["name"] in known:
                same_type(known[field["name"]], field, oracle)


def same_type(member: Any, field: Any, oracle: Any) -> None:
    """Assert that a field of a model has the type of the schema."""
    assert member.is_list is (field["type"] == "list"), field["name"]
    assert member.unsigned is (field["member"] == "uint64"), field["name"]
    if field["member"] in oracle.OBJECTS:
        assert member.kind.__name__ == field["member"]
    else:
        expected = KINDS[field["member"]]
        assert member.kind is expected or member.kind.__name__ in {"Secret", "KeySource"}


def test_required_fields_are_those_of_the_api(oracle: Any) -> None:
    """In everything that a ProcessMedia request can hold, the required fields are the schema's."""
    seen: set[str] = set()
    pending = ["ProcessMediaRequest", "ProcessLiveStreamRequest", "DescribeTasksRequest", "ManageTaskRequest"]
    while pending:
        name = pending.pop()
        if name in seen or name not in oracle.OBJECTS:
            continue
        seen.add(name)
        known = members(getattr(models, name))
        for field in oracle.OBJECTS[name]:
            assert known[field["name"]].required is bool(field.get("required")), f"{name}.{field['name']}"
            pending.append(field["member"])
    assert len(seen) > 90


def test_unknown_names_are_no_models() -> None:
    """A name that the API does not have is no attribute of the package of models."""
    with pytest.raises(AttributeError, match="has no attribute 'NoSuchThing'"):
        _ = models.NoSuchThing
    assert models.find("NoSuchThing") is None
    assert not hasattr(models, "_private")


@pytest.mark.parametrize(
    ("value", "path", "message", "fix"),
    [
        ({"KeyServerURL": "x"}, "KeyServerURL", "SpekeDrm has no field KeyServerURL", "write KeyServerUrl instead"),
        ({"key_server_url": "x"}, "key_server_url", "has no field", "write KeyServerUrl instead"),
        ({"Qwerty": 1}, "Qwerty", "has no field", "remove it, or see the fields of SpekeDrm"),
        ({"Vector": 5}, "Vector", "is an integer, not a text", "put quotation marks around it"),
        ({"Vector": None}, "Vector", "is missing; SpekeDrm requires it", "add Vector"),
    ],
)
def test_findings_name_the_field_and_the_fix(value: Any, path: Any, message: Any, fix: Any) -> None:
    """An unknown field gets the nearest name, a mistyped one the right type, a missing one is named."""
    whole = {"ResourceId": "a", "KeyServerUrl": "drmtoday:x", "Vector": "0" * 32} | value
    clean, found = examine(SpekeDrm, whole)
    assert [(item.path, message in item.message, item.fix) for item in found] == [(path, True, fix)]
    assert "Qwerty" not in clean


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("TasksPriority", "high", "is a text, not an integer"),
        ("TasksPriority", True, "is true or false, not an integer"),
        ("TasksPriority", 1.5, "is a number, not an integer"),
        ("TasksPriority", 2**63, "does not fit into 64 bits"),
        ("Activities", {}, "is an object, not a list"),
        ("MediaProcessTask", [], "is a list, not an object"),
        ("MediaProcessTask", {"AdaptiveDynamicStreamingTaskSet": [{"Definition": -1}]}, "is negative"),
        ("MediaProcessTask", {"AdaptiveDynamicStreamingTaskSet": [{"Definition": "10"}]}, "is a text, not an integer"),
        ("MediaProcessTask", {"TranscodeTaskSet": [{"Definition": 1, "StartTimeOffset": "1"}]}, "not a number"),
        (
            "MediaProcessTask",
            {
                "AdaptiveDynamicStreamingTaskSet": [
                    {"Definition": 1, "AddOnAudios": [{"DefaultTrack": 1, "InputInfo": {"Type": "COS"}}]}
                ]
            },
            "is an integer, not true or false",
        ),
    ],
)
def test_wrong_types(oracle: Any, field: Any, value: Any, message: Any) -> None:
    """Each wrong type is found once, and Tencent's schema finds it too (or does not know of 64 bits)."""
    body = {"InputInfo": {"Type": "URL"}, field: value}
    _, found = examine(ProcessMediaRequest, body)
    assert [message in item.message for item in found] == [True]
    assert oracle.check("ProcessMediaRequest", body) or "64 bits" in message


@pytest.mark.parametrize(("text", "number"), [("10", 10), ("0", 0), ("007", 7), (str(2**64 - 1), 2**64 - 1)])
def test_numbers_in_texts_are_taken_where_they_are_written_anew(oracle: Any, text: str, number: int) -> None:
    """Samples of the vendor write numbers as texts: read from a file, such a text is its number, with a warning."""
    body = {"AiRecognitionTask": {"Definition": text}, "InputInfo": {"Type": "URL"}}
    clean, found = examine(ProcessMediaRequest, body, texts=True)
    assert clean["AiRecognitionTask"] == {"Definition": number}
    assert [(item.path, item.severity, item.fix) for item in found] == [
        ("AiRecognitionTask.Definition", "warning", "leave out the quotation marks")
    ]
    assert f"{number} is sent" in found[0].message
    assert oracle.check("ProcessMediaRequest", clean) == []
    assert [item.severity for item in examine(ProcessMediaRequest, body)[1]] == ["error"]


@pytest.mark.parametrize(
    "text", ["ten", "", " 10", "1.5", "-1", "1e3", "0x10", "\u0661\u0660", "9" * 21, str(2**64), "10\n"]
)
def test_other_texts_are_no_numbers(text: str) -> None:
    """A text that is no whole number in digits, or not one that the field can have, is refused as before."""
    body = {"AiRecognitionTask": {"Definition": text}, "InputInfo": {"Type": "URL"}}
    clean, found = examine(ProcessMediaRequest, body, texts=True)
    assert clean["AiRecognitionTask"] == {}
    assert [(item.severity, "is a text, not an integer" in item.message) for item in found] == [("error", True)]


def test_unsigned_numbers_have_one_bit_more() -> None:
    """A uint64 may be as large as 2**64 - 1."""
    body = {"InputInfo": {"Type": "VOD", "VODInputInfo": {"SubAppId": 2**64 - 1}}}
    assert examine(ProcessMediaRequest, body)[1] == []


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_findings_are_those_of_the_oracle(oracle: Any, make_job: Any, data: Any) -> None:
    """After any one change of a good body, there are findings exactly where Tencent's schema has them."""
    body = json.loads(encode(make_job().request(["https://a.example.com"])))
    places = list(all_places(body))
    holder, key = data.draw(st.sampled_from(places))
    action = data.draw(st.sampled_from(["drop", "rename", "text", "number", "list"]))
    changed = copy.deepcopy(body)
    target = changed
    for step in holder:
        target = target[step]
    change(target, key, action)
    expected = {line.split(": ")[0].removeprefix("$.") for line in oracle.check("ProcessMediaRequest", changed)}
    assert {item.path for item in examine(ProcessMediaRequest, changed)[1]} == expected


def all_places(value: Any, path: Any = ()) -> Any:
    """Every field of a body, as the path of its object and its name."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield path, key
            yield from all_places(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from all_places(item, (*path, index))


def change(target: Any, key: Any, action: Any) -> None:
    """Change one field of an object."""
    value = target.pop(key)
    if action == "rename":
        target[f"{key}x"] = value
    elif action != "drop":
        target[key] = {"text": "text", "number": 7, "list": [value]}[action]


def test_walk_finds_every_object(make_job: Any) -> None:
    """Walking over a request yields each object once, with its path."""
    found = dict(walk(make_job().body))
    assert "" in found
    assert "MediaProcessTask.AdaptiveDynamicStreamingTaskSet[0].DrmInfo.SpekeDrm" in found
    assert all(isinstance(model, Model) for model in found.values())


def test_models_are_msgspec_structs() -> None:
    """Models are Structs, so that they are cheap to make and to write."""
    assert issubclass(SpekeDrm, msgspec.Struct)
