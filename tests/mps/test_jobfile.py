"""Job files in JSON and TOML: read, written back the same, refused with the place, and free of secrets."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drmkit.errors import JobError
from drmkit.mps import drm, jobfile
from drmkit.mps.job import Job, StreamingTask
from drmkit.mps.jobfile import parse_job, read_job, read_secrets, write_job
from drmkit.mps.models.storage import TaskNotifyConfig
from drmkit.secret import Secret

IV = "00112233445566778899aabbccddeeff"


@pytest.mark.parametrize("layout", ["json", "toml"])
def test_a_written_job_reads_as_the_same(make_job: Any, protections: Any, layout: Any) -> None:
    """What is written is read as the same job, with the same identity, whatever the layout."""
    tasks = [StreamingTask(number, protections(kind)) for number, kind in enumerate(drm.KINDS, 1) if number > 1]
    job = make_job(tasks=tasks, session_context='quote " back \\ tab \t del \x7f é')
    again = parse_job(write_job(job, layout).encode())
    assert again == job
    assert again.session_id() == job.session_id()


@settings(max_examples=60)
@given(
    st.dictionaries(
        st.text(min_size=1, max_size=4),
        st.recursive(
            st.booleans()
            | st.integers(-(2**63), 2**63 - 1)
            | st.text(max_size=6)
            | st.lists(st.integers(0, 9), max_size=2),
            lambda inner: (
                st.dictionaries(st.text(max_size=4), inner, max_size=3)
                | st.lists(st.dictionaries(st.text(max_size=3), inner, max_size=2), min_size=1, max_size=2)
            ),
            max_leaves=8,
        ),
        max_size=4,
    )
)
def test_toml_is_written_as_python_reads_it(value: Any) -> None:
    """The TOML that is written reads back as the same value, whatever its keys and texts hold."""
    assert tomllib.loads("\n".join(jobfile._toml_lines(value, ()))) == value


def test_official_sample_is_a_job_file() -> None:
    """The body of a ProcessMedia sample, as documented, is a job file."""
    sample = {
        "InputInfo": {"Type": "URL", "UrlInputInfo": {"Url": "https://test-1.cos.ap-nanjing.myqcloud.com/in/test"}},
        "OutputStorage": {"Type": "COS", "CosOutputStorage": {"Region": "ap-nanjing", "Bucket": "test-1"}},
        "OutputDir": "/mps_output/drm/",
        "MediaProcessTask": {
            "AdaptiveDynamicStreamingTaskSet": [
                {
                    "Definition": 12,
                    "DrmInfo": {
                        "Type": "widevine",
                        "SpekeDrm": {
                            "ResourceId": "test123",
                            "KeyServerUrl": "https://fe.drmtoday.com/frontend/cpix/v1/xxxxx",
                            "Vector": IV,
                            "EncryptionMethod": "cbcs",
                            "EncryptionPreset": "preset0",
                        },
                    },
                }
            ]
        },
        "TaskNotifyConfig": {"NotifyType": "URL", "NotifyUrl": "https://me.example.com/"},
    }
    assert parse_job(json.dumps(sample).encode()).check() == []


def test_read_from_a_file(tmp_path: Path, make_job: Any) -> None:
    """A job file is read from its path, a byte-order mark included."""
    path = tmp_path / "job.toml"
    path.write_text(write_job(make_job(), "toml"), encoding="utf-8-sig")
    assert read_job(path) == make_job()


def test_unknown_fields_are_findings(make_job: Any) -> None:
    """A misspelled field of a job file is a finding with the nearest name, beside every other one."""
    text = write_job(make_job()).replace("EncryptionMethod", "x").replace('"Vector"', '"Vectr"')
    found = parse_job(text.encode()).check()
    assert [(item.path.rpartition(".")[2], item.fix) for item in found] == [
        ("Vectr", "write Vector instead"),
        ("Vector", "add Vector"),
    ]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"InputInfo": }', r"is no JSON: Expecting value \(line 1, column 15\)"),
        (b"InputInfo = ", "is neither JSON nor TOML"),
        (b"\xff\xfe", r"is not UTF-8 text \(byte 0\)"),
        (b'{"OutputDir": "/a/", "OutputDir": "/b/"}', "has the field OutputDir twice"),
        (b" " * (10 * 1024 * 1024 + 1), "is larger than"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b'{"a": ' + b"9" * 5000 + b"}", "holds a number of too many digits"),
        (b'{"SessionId": "\\ud800"}', "holds half a character"),
        (b'{"\\udfff": 1}', "holds half a character"),
        (b"a = " + b"9" * 5000, "holds a number of too many digits"),
    ],
)
def test_refused_files(data: Any, message: Any) -> None:
    """What is no job file is refused with the reason, and the place where there is one."""
    with pytest.raises(JobError, match=message):
        parse_job(data)


def test_escaped_characters_are_read() -> None:
    """The benign twin: a character in two escapes is one character."""
    assert parse_job(b'{"SessionContext": "\\ud83d\\ude00"}').body.session_context == "\U0001f600"


def test_a_list_is_no_job() -> None:
    """JSON that is no object is judged like any other wrong value."""
    assert parse_job(b"[]").check()[0].message == "is a list, not an object"


def test_a_missing_file(tmp_path: Path) -> None:
    """A file that cannot be read is named, with the reason."""
    with pytest.raises(JobError, match=r"none\.json: No such file"):
        read_job(tmp_path / "none.json")


def test_files_hold_no_secret(make_job: Any, protections: Any) -> None:
    """A job with a raw key, a NotifyKey or a ticket is not written unless asked to; a reference to a file is."""
    secret = {
        "Key": make_job(tasks=[StreamingTask(1, protections("simpleaes"))]),
        "NotifyKey": make_job(notification=TaskNotifyConfig(notify_type="SCF", notify_key=Secret("canary"))),
    }
    for field, job in secret.items():
        with pytest.raises(JobError, match=f"{field} is a secret, and job files hold none"):
            write_job(job)
        assert write_job(job, reveal=True)
    ticket = drm.Widevine(resource_id="a", key_source="https://a.example.com/?ticket=canary", iv=IV)
    with pytest.raises(JobError, match="holds a ticket") as caught:
        write_job(make_job(tasks=[StreamingTask(1, ticket)]))
    assert "canary" not in str(caught.value)
    fine = StreamingTask(1, drm.SimpleAes(uri="u", key=Secret("file:key.hex")))
    assert '"Key": "file:key.hex"' in write_job(make_job(tasks=[fine]))


def test_secrets_are_read_beside_the_job(tmp_path: Path, make_job: Any) -> None:
    """`file:PATH` is relative to the folder of the job file, and its text is trimmed."""
    (tmp_path / "key.hex").write_text("ab" * 16 + "\n", encoding="ascii")
    job = make_job(tasks=[StreamingTask(1, drm.SimpleAes(uri="u", key=Secret("file:key.hex")))])
    info = read_secrets(job, tmp_path).body.media_process_task.adaptive_dynamic_streaming_task_set[0].drm_info
    assert info.simple_aes_drm.key == Secret("ab" * 16)


@pytest.mark.parametrize(("content", "message"), [(None, "No such file"), (b"\xff\x00", "holds no text")])
def test_secrets_that_cannot_be_read(tmp_path: Path, make_job: Any, content: Any, message: Any) -> None:
    """A secret's file that is missing or binary is named, without its content."""
    if content:
        (tmp_path / "key.hex").write_bytes(content)
    job = make_job(tasks=[StreamingTask(1, drm.SimpleAes(uri="u", key=Secret("file:key.hex")))])
    with pytest.raises(JobError, match=message):
        read_secrets(job, tmp_path)


def test_deep_toml_is_refused() -> None:
    """TOML nested beyond reason is refused like JSON."""
    with pytest.raises(JobError):
        parse_job(b"a = " + b"[" * 100_000)
    assert Job.from_builtins({}).check()


def test_a_whole_http_request_is_told() -> None:
    """The vendor's pages print requests with their headers: who pastes one is told to give its body."""
    request = 'POST / HTTP/1.1\nHost: mps.tencentcloudapi.com\nX-TC-Action: ProcessMedia\n\n{"InputInfo": {}}\n'
    with pytest.raises(JobError, match="is neither JSON nor TOML") as caught:
        parse_job(request.encode())
    assert caught.value.hint == "this is a whole HTTP request: give its body alone"
