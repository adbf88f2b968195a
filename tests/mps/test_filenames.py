"""The variables of file names: one table, rendering, checking, unknown ones named."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drmkit.errors import JobError
from drmkit.mps.filenames import USES, VARIABLES, check_pattern, find_use, render, values_of_input
from drmkit.mps.findings import errors_of
from drmkit.mps.job import Job


def test_the_documents_first_sample() -> None:
    """Three transcoding templates give the three names that the documents show."""
    source = values_of_input("/in/AnimalWorldE01.mp4")
    names = [
        render("{inputName}_{definition}.{format}", source | {"definition": number, "format": "mp4"})
        for number in (100010, 100020, 100030)
    ]
    assert names == [f"AnimalWorldE01_{number}.mp4" for number in (100010, 100020, 100030)]


def test_the_documents_second_sample() -> None:
    """The playlist and its segments get the names that the documents show."""
    source = values_of_input("AnimalWorldE01.mp4")
    assert render("{inputName}_from_{inputFormat}.{format}", source | {"format": "m3u8"}) == (
        "AnimalWorldE01_from_mp4.m3u8"
    )
    segment = "{inputName}_from_{inputFormat}_{number}.{format}"
    names = [render(segment, source | {"format": "ts", "number": n}, "transcode-segment") for n in range(3)]
    assert names == [f"AnimalWorldE01_from_mp4_{n}.ts" for n in range(3)]


def test_the_name_of_a_recording() -> None:
    """A recording's name has the variables of live streams; without {rand} names can clash, which is told."""
    default = USES["recording"].default
    assert list(check_pattern(default, "recording")) == []
    values = {"taskId": "t", "rand": "7", "streamId": "s", "definition": 9}
    assert render(default, values, "recording") == "t/7/s_record_9.m3u8"
    (found,) = check_pattern("{taskId}/{streamId}.{format}", "recording")
    assert (found.severity, found.fix) == ("warning", "add {rand}")


@pytest.mark.parametrize(
    ("pattern", "use", "message", "fix"),
    [
        ("{inputNam}.{format}", "transcode", "{inputNam} is no variable of MPS", "write {inputName}"),
        ("{qqqq}.{format}", "transcode", "{qqqq} is no variable of MPS", "use definition, format"),
        ("{taskId}.{format}", "transcode", "{taskId} has no value here", "use {inputName}"),
        ("{rand}{inputName}", "recording", "{inputName} has no value here", "use {definition}, {format}, {taskId}"),
        ("{inputName", "transcode", "has a brace without its partner", "close every {"),
        ("x", "manifest", "does not end with .{format}", "end it"),
    ],
)
def test_names_that_are_wrong(pattern: str, use: str, message: str, fix: str) -> None:
    """An unknown variable is named with the nearest; one without a value there with those that have one."""
    (found,) = errors_of(check_pattern(pattern, use))
    assert message in found.message
    assert fix in found.fix
    with pytest.raises(JobError, match=re.escape(message)):
        render(pattern, dict.fromkeys(VARIABLES, "x"), use)


def test_a_value_that_is_missing() -> None:
    """Rendering names the variables that have no value."""
    with pytest.raises(JobError, match="the file name needs definition, format"):
        render("{inputName}_{definition}.{format}", {"inputName": "a"})


def test_uses_that_are_none() -> None:
    """A use that is none is refused with the nearest."""
    with pytest.raises(JobError, match="there is no file name of 'recordin'") as refused:
        find_use("recordin")
    assert refused.value.hint == "write recording"


@pytest.mark.parametrize("name", USES)
def test_default_names_are_right(name: str) -> None:
    """Every default name that the documents publish passes the check for its use."""
    default = USES[name].default
    assert not default or list(check_pattern(default, name)) == []


@settings(max_examples=80)
@given(st.sampled_from(sorted(USES)), st.text(max_size=30))
def test_any_text_is_checked_or_rendered(use: str, pattern: str) -> None:
    """Whatever the name, it is rendered without braces left, or refused with a reason."""
    values = dict.fromkeys(VARIABLES, "v")
    try:
        rendered = render(pattern, values, use)
    except JobError:
        assert errors_of(check_pattern(pattern, use))
    else:
        assert not {f"{{{name}}}" for name in VARIABLES} & set(re.findall(r"\{\w*\}", rendered))


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("/a/b.c.mp4", {"inputName": "b.c", "inputFormat": "mp4"}),
        ("movie", {"inputName": "movie", "inputFormat": ""}),
        ("/a/.hidden", {"inputName": ".hidden", "inputFormat": ""}),
    ],
)
def test_what_an_input_decides(path: str, values: Any) -> None:
    """The input's name and format are taken at its last dot."""
    assert values_of_input(path) == values


def test_names_of_transcoding_tasks_are_checked() -> None:
    """A wrong variable in a transcoding or snapshot task is an error of the job; a right one is not."""
    body = {
        "InputInfo": {"Type": "COS", "CosInputInfo": {"Bucket": "b", "Region": "r", "Object": "/o.mp4"}},
        "MediaProcessTask": {
            "TranscodeTaskSet": [
                {"Definition": 1, "OutputObjectPath": "{inputName}_{rand}.{format}"},
                {"Definition": 2, "OutputObjectPath": "{inputName}.{format}", "SegmentObjectName": "{number}.ts"},
            ],
            "SampleSnapshotTaskSet": [{"Definition": 3, "OutputObjectPath": "{inputName}_{number}.{format}"}],
        },
    }
    assert [item.path for item in Job.from_builtins(body).check()] == [
        "MediaProcessTask.TranscodeTaskSet[0].OutputObjectPath"
    ]
