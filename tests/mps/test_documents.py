"""Every example of the vendor's documents that is about MPS beside DRM builds or parses, and passes the schema.

The examples are read from the documents themselves. *Integration Tutorials* is a PDF whose code lines are cut at the
edge of the page, and whose samples break off where a page ends: each repair stands beside its example, by hand, as a
pair of what is printed and what must have been meant. A repair whose left side is not printed fails its test.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from drmkit.mps import cosmoderation
from drmkit.mps.analysis import feature_of
from drmkit.mps.extended import ExtendedParameter, parse_extended
from drmkit.mps.extendedrules import check_extended
from drmkit.mps.findings import errors_of
from drmkit.mps.job import Job
from drmkit.mps.jobfile import parse_job
from drmkit.mps.livejob import LiveJob
from drmkit.mps.models.detail import DescribeTaskDetailResponse
from drmkit.mps.notification import parse
from drmkit.mps.results import results
from drmkit.mps.vodjob import VodJob
from drmkit.mps.wire import decode, to_builtins

DOCUMENTS = Path(__file__).parents[3] / "shared" / "documents"
pytestmark = pytest.mark.skipif(not DOCUMENTS.exists(), reason="../shared is absent")

Repairs = tuple[tuple[str, str], ...]
PAGE_BREAK = "}\n```\n\n```\n"


def text(number: str) -> str:
    """A document, by the number that its name begins with."""
    return next(DOCUMENTS.glob(f"{number}_*.txt")).read_text(encoding="utf-8")


def printed(number: str, first: str, last: str, repairs: Repairs = (), *, after: str = "") -> str:
    """What a document prints from one piece of text to another, repaired; without fences and comments."""
    whole = text(number)
    start = whole.index(first, whole.index(after))
    found = whole[start : whole.index(last, start) + len(last)]
    for cut, meant in repairs:
        assert cut in found, f"the document does not print {cut!r}"
        found = found.replace(cut, meant, 1)
    found = re.sub(r"^```$", "", found, flags=re.MULTILINE)
    return re.sub(r"(?<![:\"])//[^\n]*$|\s#[^\n]*$", "", found, flags=re.MULTILINE)


def example(*arguments: Any, **options: Any) -> Any:
    """The same as an object."""
    return json.loads(printed(*arguments, **options))


OFFLINE: dict[str, tuple[str, str, Repairs, str]] = {
    "subtitles by template": (
        '{\n  "InputInfo"',
        '"Version": "2019-06-12"\n}',
        (("/video/test.m\n", '/video/test.mp4"\n'),),
        "initiate a task by specifying the **Template ID**",
    ),
    "an orchestration": (
        '{\n  "InputInfo"',
        '"Version": "2019-06-12"\n}',
        (),
        "initiate a task by specifying the **Orchestration ID**",
    ),
    "burning subtitles in": (
        '{\n  "MediaProcessTask"',
        '"Version": "2019-06-12"\n}',
        (
            ("myqcloud.com/m\n", 'myqcloud.com/mps_autotest/subtitle.vtt",\n'),
            ("mps_autotest/s\n", 'mps_autotest/source.mp4"\n'),
            ("  }\n}\n```\n\n```\n", ""),
        ),
        "initiate a **transcoding task**",
    ),
    "a summary": (
        '{\n  "InputInfo"',
        '"Version": "2019-06-12"\n}',
        (
            ("myqcloud.c\n", 'myqcloud.com/in/movie.mp4"\n'),
            (
                r'"{\\"des\\"":{"split\\"":{"method\\"":"llm\\""},\\"mo' + "\n",
                r'"{\"des\":{\"split\":{\"method\":\"llm\",\"model\":\"deepseek-v3\"}}}"' + "\n",
            ),
            ("  },\n" + PAGE_BREAK, "  },\n"),
        ),
        "Initiating a Summary Task",
    ),
    "a vertical video": (
        '{\n  "Action": "ProcessMedia"',
        '"NotifyUrl": "http://callback_url"\n}\n}',
        (
            ('"https://..." ', '"https://media.example.com/in.mp4" '),
            (r"{\"AlgorithmType\": 1}}\"", r'{\"AlgorithmType\": 1}}"'),
            ('}\n"TaskNotifyConfig"', '},\n"TaskNotifyConfig"'),
        ),
        "Horizontal-to-Vertical Video Transformation Tutorial\n\nLast",
    ),
    "quality inspection": (
        '{\n  "InputInfo"',
        '"AiQualityControlTask": {\n    "Definition": 10\n  }\n}',
        (),
        "Step 1: Initiating a VOD Quality Inspection Task",
    ),
}
LIVE: dict[str, tuple[str, str, Repairs, str]] = {
    "subtitles": (
        '{\n  "Url"',
        '"Version": "2019-06-12"\n}',
        (("    }\n  }\n" + PAGE_BREAK, ""),),
        "requires the use of the **Intelligent Identification** template",
    ),
    "highlights": (
        '{\n  "Url": "http://mps-pull.test.org/live/test.flv"',
        r"\"force_cls\":5003,\"" + "\n}\n}",
        (
            ("  }\n" + PAGE_BREAK + "\n}", "  }"),
            (
                r"\"force_cls\":5003,\"" + "\n",
                r'\"force_cls\":5003,\"need_vad\":1,\"res_save_type\":1}}"' + "\n",
            ),
        ),
        "",
    ),
    "quality inspection": (
        '{\n  "Url": "rtmp://tlivecloud.com/live/test"',
        '"Definition": 10\n  }\n}',
        (),
        "",
    ),
}


@pytest.mark.parametrize("name", OFFLINE)
def test_offline_examples_are_jobs(oracle: Any, name: str) -> None:
    """Each ProcessMedia example is a job file without an error, and its request passes the schema."""
    first, last, repairs, after = OFFLINE[name]
    job = parse_job(printed("004", first, last, repairs, after=after).encode())
    assert isinstance(job, Job)
    assert errors_of(job.check()) == []
    request = to_builtins(job.request(), reveal=True)
    assert oracle.check("ProcessMediaRequest", request) == []


@pytest.mark.parametrize("name", LIVE)
def test_live_examples_are_jobs(oracle: Any, name: str) -> None:
    """Each ProcessLiveStream example is a job file without an error, and its request passes the schema."""
    first, last, repairs, after = LIVE[name]
    job = parse_job(printed("004", first, last, repairs, after=after).encode())
    assert isinstance(job, LiveJob)
    assert errors_of(job.check()) == []
    assert oracle.check("ProcessLiveStreamRequest", to_builtins(job.request(), reveal=True)) == []


def test_the_offline_highlights_example_breaks_off(oracle: Any) -> None:
    """Of the highlights request the PDF prints the beginning; with its printed ExtendedParameter it is a job."""
    begun = printed(
        "004",
        '{\n  "InputInfo"',
        '"Type": "COS",',
        (('tencentc"', 'tencentcos.cn/test/MyStory.mp4"'),),
        after="Below is a reference example for the request",
    )
    parameter = printed(
        "004",
        '{"hht":{"top_clip":10, "force_cls":5003, "need_vad":1, "threshold"',
        '"merge_tim',
        (('"merge_tim', '"merge_time":60, "merge_type":0, "res_save_type":1}}'),),
    )
    rest = '"CosOutputStorage": {"Bucket": "b-1250000000", "Region": "ap-guangzhou"}}, "OutputDir": "/output/",'
    task = json.dumps({"Definition": 26, "ExtendedParameter": parameter})
    job = parse_job(f'{begun}{rest} "AiAnalysisTask": {task}}}'.encode())
    warnings = job.check()
    assert [item.path.rpartition(".")[2] for item in warnings] == ["merge_time"]
    assert errors_of(warnings) == []
    assert oracle.check("ProcessMediaRequest", to_builtins(job.request(), reveal=True)) == []


ESCAPED = r"\\" + '"'
PARAMETERS: dict[str, tuple[str, str, Repairs, str]] = {
    "summary": (
        '{\n  "des"',
        '"dstlang": "zh"\n  }\n}',
        (("which is segmen", "which is segmented by knowledge points"),),
        "",
    ),
    "highlights, live": ('{"hht":{"top_clip":10, "force_cls":5003, "need_vad":1, "res_save_type":1}}', "}}", (), ""),
    "erase, version 2": (
        r"{\\" + '"delogo',
        "subtitle_er\n",
        (("subtitle_er\n", r"subtitle_erase_fast\\" + '"}}\n'),),
        "Parameters for directly calling an API:",
    ),
    "erase, translated and spoken": (
        r"{\\" + '"delogo',
        "audio_subtitle_\n",
        (
            (
                "audio_subtitle_\n",
                r"audio_subtitle_replace\\"
                + r'",\\"subtitle_param\\":{\\"translate_dst_language\\":\\"en\\"}}}'.replace(r"\\", r"\\"),
            ),
        ),
        "// Target language: English",
    ),
    "erase, an area": (
        r"{\\" + '"delogo',
        r"{\\" + '"ty\n',
        (
            (
                r"{\\" + '"ty\n',
                r'{\\"type\\":2,\\"score\\":100,\\"rect\\":{\\"lt_x\\":53,\\"lt_y\\":228,\\"rb_x\\":137,\\"rb_y\\":644}}]}]}}}',
            ),
        ),
        "The area specified by parameters is erased",
    ),
    "erase, subtitles extracted": (
        r"{\\" + '"delogo',
        r'\\"en\\"}}',
        ((r'\\"en\\"}}', r'\\"en\\"}}}'),),
        "Scenario 4: Subtitle Extraction and Translation",
    ),
    "erase, version 1": (
        r"{\\" + '"delogo',
        "subtitle_erase\\\n",
        (("subtitle_erase\\\n", r"subtitle_erase\\" + '"}}'),),
        "Version 1 Parameters",
    ),
    "erase, mosaic": (r"{\\" + '"delogo', "}}", (), "Scenario 6: Face Mosaic"),
    "erase, blur": (r"{\\" + '"delogo', "}}", (), "Scenario 7: Face Blur"),
    "erase, plates": (r"{\\" + '"delogo', "}}", (), "Scenario 8: Face and License Plate Mosaic"),
    "erase, all parameters": (
        '"delogo":{',
        "    ]\n  }\n}\n",
        (('"delogo":{', '{"delogo":{'), ("    ]\n  }\n}\n", "    ]\n  }\n}\n}\n")),
        "3. Additional Details on ExtendedParameters",
    ),
    "erase, a file name": ('{\n  "delogo"', "  }\n}", (), "Example code before translation"),
    "splitting by a language model": (
        '{\n  "des"',
        '"type": "content"\n  }\n}',
        (("which is segm\n", 'which is segmented by knowledge points"\n'),),
        "/*Example of filling in the parameters*/",
    ),
    "splitting by targets": ('{"strip":{"type":"object"', "}}", (), ""),
    "vertical": (
        '{\n  "htv"',
        '"SmoothWeight": 0.75, //\n  }\n}',
        (
            ('"SplitScreenVertical",\n', '"SplitScreenVertical"\n'),
            ("      },\n    },\n", "      }\n    },\n"),
            ('{timestamp}"\n', '{timestamp}",\n'),
            ("0.75, //\n", "0.75\n"),
        ),
        "",
    ),
    "vertical, as the screenshot begins": (
        r"{\"htv\": {\"AlgorithmType\": 2",
        r"\"FaceD",
        ((r"\"FaceD", r"\"FaceDetectConfig\": {\"FaceScoreThd\": 80}}}"),),
        "",
    ),
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_extended_parameters_are_typed_objects(name: str) -> None:
    """Each ExtendedParameter example is a typed object without an error, and comes back from its own text."""
    first, last, repairs, after = PARAMETERS[name]
    found = printed("004", first, last, repairs, after=after)
    plain = re.sub(r'\\+"', '"', found)
    parameter = parse_extended(plain)
    assert errors_of(check_extended(parameter, "ExtendedParameter", live="live" in name)) == []
    assert json.loads(parameter.text()) == json.loads(plain)
    assert parse_extended(parameter.text()) == parameter != ExtendedParameter()


def test_the_older_page_of_live_streams(oracle: Any) -> None:
    """The older page writes a number as text, which is told and sent as number; and that it asks for no callback."""
    sample = printed("001", '{\n        "Url"', '"QueueName": "queue-125717729292"\n        }\n    }')
    job = parse_job(sample.encode())
    assert [(item.path, item.severity) for item in job.check()] == [
        ("AiRecognitionTask.Definition", "warning"),
        ("TaskNotifyConfig.NotifyType", "warning"),
    ]
    assert "10 is sent" in job.check()[0].message
    assert "nothing is reported, not to QueueName either" in job.check()[1].message
    request = to_builtins(job.request())
    assert request["AiRecognitionTask"] == {"Definition": 10}
    assert oracle.check("ProcessLiveStreamRequest", request) == []


def test_the_older_page_of_live_notifications(oracle: Any) -> None:
    """The older page's notification, whose braces the page has lost, is read: wrapped in Response, without a Sign."""
    lines = [line.strip() for line in printed("000", '"Response": {', '9cb0f5"').splitlines()]
    sample = "{" + "".join(lines) + "}}"
    for cut, meant in (
        ('"ResultSet": [', '"ResultSet": [{'),
        ('"VoicePornResultSet": [', '"VoicePornResultSet": [{'),
        ('"Label": "sexual_moan"', '"Label": "sexual_moan"}]}]},'),
    ):
        assert cut in sample
        sample = sample.replace(cut, meant, 1)
    notification = parse(sample.encode())
    assert (notification.event, notification.live, notification.known) == ("AiReviewResult", True, True)
    assert (notification.timestamp, notification.sign) == (None, "")
    (spell,) = notification.results
    assert (spell.kind, spell.label, spell.title, spell.start, spell.end) == (
        "moderation",
        "sexual_moan",
        "block",
        0.266,
        4.146,
    )
    assert oracle.check("ParseLiveStreamProcessNotificationResponse", json.loads(sample)["Response"]) == []


@pytest.mark.parametrize("number", [0, 1])
def test_jobs_through_vod(number: int) -> None:
    """Both ProcessMediaByMPS examples are job files without an error, and their requests are what is printed."""
    found = re.findall(r'^\{\s+"FileId".*?^\}', text("002"), re.DOTALL | re.MULTILINE)
    job = parse_job(found[number].encode())
    assert isinstance(job, VodJob)
    assert errors_of(job.check()) == []
    sent, shown = to_builtins(job.request()), json.loads(found[number])
    inner = shown.pop("MPSProcessMediaParams", None)
    if inner is not None:
        assert json.loads(sent.pop("MPSProcessMediaParams")) == json.loads(inner)
    assert sent == shown


def test_answers_about_vod_jobs() -> None:
    """The task IDs of both examples are recognized as VOD's, with their application."""
    from drmkit.mps.vodtask import is_vod_task, sub_app_of  # noqa: PLC0415 (used here alone)

    found = re.findall(r'"TaskId": "([^"]+)"', text("002"))
    assert len(found) == 2
    assert all(is_vod_task(task) and sub_app_of(task) == 221157 for task in found)


@pytest.mark.parametrize(("version", "marker"), [("Simple", '"code": 0'), ("Detail", '"EventName": "ReviewVideo"')])
def test_moderation_callbacks(version: str, marker: str) -> None:
    """Each body of the moderation page is read as the version that its header names, and its verdict is normal."""
    page = text("003")
    starts = [found.start() for found in re.finditer(rf"^\{{\n{re.escape(marker)}", page, re.MULTILINE)]
    assert len(starts) == 2
    found = [json.dumps(json.JSONDecoder().raw_decode(page, start)[0]) for start in starts]
    for sample in found:
        callback = cosmoderation.parse(sample.encode(), version=version)
        assert (callback.version, callback.verdict, callback.known) == (version, "normal", True)
        assert callback.scenes["porn"].hit == 0
        assert callback.cos_headers
        if version == "Detail":
            assert [item.label for item in callback.snapshots] == ["Normal"]
            assert [item.duration for item in callback.audio] == [30000]


def test_quality_inspection_results(oracle: Any) -> None:
    """The result example breaks at the page and leaves out where its Output hangs; repaired, it is read whole."""
    output = example(
        "004",
        '"QualityControlResultSet": [',
        '"QualityEvaluationScore": 68\n  }\n',
        (
            ('"QualityControlResultSet"', '{"QualityControlResultSet"'),
            ("        ]\n      }\n    }\n  }\n" + PAGE_BREAK + "    ],", "        ],"),
            ("68\n  }\n", "68\n  }"),
        ),
        after='"WorkflowTask": {',
    )
    task = {"TaskId": "t", "Status": "FINISH", "AiQualityControlTaskResult": {"Status": "SUCCESS", "Output": output}}
    answer = {"TaskType": "WorkflowTask", "Status": "FINISH", "WorkflowTask": task}
    assert oracle.check("QualityControlData", output) == []
    found = results(decode(DescribeTaskDetailResponse, json.dumps(answer).encode()))
    assert [(item.kind, item.label, item.start) for item in found] == [
        ("quality score", None, None),
        ("quality issue", "BackWhiteEdge", 12),
        ("format issue", "AudioDuplicatedFrame", None),
    ]


def test_the_live_quality_callback(oracle: Any) -> None:
    """The callback of live quality inspection is read whole, and passes the schema."""
    sample = example("004", '{\n  "NotificationType": "AiQualityControlResult"', '"Fatal"\n      }\n    ]\n  }\n}')
    assert oracle.check("ParseLiveStreamProcessNotificationResponse", sample) == []
    notification = parse(json.dumps(sample).encode())
    assert [(item.kind, item.label) for item in notification.results] == [
        ("quality issue", "BackWhiteEdge"),
        ("format issue", "StreamOpenFailed"),
    ]


def test_templates_of_the_tutorials_are_known() -> None:
    """Each preset template that a tutorial names for a feature is that feature's."""
    named = {"LLM summarize": 22, "video splitting": 27, "horizontal-to-vertical": 28}
    features = {"LLM summarize": "summary", "video splitting": "splitting", "horizontal-to-vertical": "vertical"}
    for words, number in named.items():
        assert re.search(rf"\*\*{number} ?\(preset [^)]*", text("004")), words
        assert feature_of(number).name == features[words]
    assert feature_of(26).name == "highlights"
    assert feature_of(24).name == "erase"
