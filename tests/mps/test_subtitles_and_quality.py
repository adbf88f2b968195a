"""Smart subtitles, burning them in, quality inspection: templates by name and number, and what a task may say."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drmkit.errors import JobError
from drmkit.mps.analysis import analysis_task
from drmkit.mps.findings import errors_of
from drmkit.mps.inspection import INSPECTIONS, inspection_task
from drmkit.mps.job import Job, StreamingTask
from drmkit.mps.jobfile import parse_job, write_job
from drmkit.mps.models.live import LiveSmartSubtitlesTaskInput
from drmkit.mps.models.request import MediaProcessTaskInput
from drmkit.mps.models.smart import AiRecognitionTaskInput, RawSmartSubtitleParameter
from drmkit.mps.subtitling import TEMPLATES, burn_in, find_template, live_subtitles_task, subtitles_task
from drmkit.mps.wire import to_builtins

PLACES = {
    "input": "cos://source-1250000000/ap-singapore/in/movie.mp4",
    "output": "cos://target-1250000000/ap-singapore/out/",
}
VTT = "https://bucket.example.com/movie.vtt"


@pytest.mark.parametrize("number", TEMPLATES)
def test_subtitle_templates_by_name_and_number(number: int, oracle: Any) -> None:
    """Each preset template is found by its number, its name in the console and its short form."""
    template = TEMPLATES[number]
    for name in (number, str(number), template.name, template.name.upper(), template.short):
        assert subtitles_task(name).definition == number
    assert oracle.check("SmartSubtitlesTaskInput", to_builtins(subtitles_task(number))) == []


def test_subtitle_templates_that_are_none() -> None:
    """A misspelled name is refused with the nearest; a number of one's own is taken."""
    with pytest.raises(JobError, match="there is no subtitle template") as refused:
        find_template("Generate_Englich_Subtitle_For_Chinese_Video")
    assert refused.value.hint == "write Generate_English_Subtitle_For_Chinese_Video"
    assert find_template("66001") == 66001


def test_subtitles_of_live_streams() -> None:
    """The live preset is a recognition template; others are templates of smart subtitles."""
    assert live_subtitles_task(10101) == AiRecognitionTaskInput(definition=10101)
    assert live_subtitles_task("zh-en") == LiveSmartSubtitlesTaskInput(definition=121)


@pytest.mark.parametrize(
    ("changes", "path", "message"),
    [
        ({"translate_switch": "ON", "subtitle_type": 0}, "SubtitleType", "does not go with translation on"),
        ({"subtitle_type": 1}, "SubtitleType", "does not go with translation off"),
        ({"translate_switch": "ON", "subtitle_type": 2}, "TranslateDstLanguage", "is missing"),
        ({"translate_switch": "YES"}, "TranslateSwitch", "'YES' is not known"),
    ],
)
def test_subtitle_parameters_that_contradict_each_other(changes: Any, path: str, message: str) -> None:
    """What does not go with translation on or off is an error."""
    raw = RawSmartSubtitleParameter(**({"subtitle_type": 0, "video_src_language": "zh"} | changes))
    with pytest.raises(JobError, match=rf"RawParameter\.{path}: .*{message}"):
        subtitles_task(raw=raw)


def test_subtitle_parameters_of_ones_own(oracle: Any) -> None:
    """The benign twin: parameters instead of a template, with Definition 0; both together are refused."""
    raw = RawSmartSubtitleParameter(
        subtitle_type=2, video_src_language="zh", translate_switch="ON", translate_dst_language="en"
    )
    task = subtitles_task(raw=raw)
    assert task.definition == 0
    assert oracle.check("SmartSubtitlesTaskInput", to_builtins(task)) == []
    with pytest.raises(JobError, match="not both"):
        subtitles_task(121, raw=raw)


def test_burning_subtitles_in(oracle: Any) -> None:
    """A transcoding task gets the subtitle file and its style, by URL or as an object in a bucket."""
    task = burn_in(100040, VTT, stream=2, font_type="simkai.ttf", font_size="10px", font_color="0xFFFFFFFF")
    assert oracle.check("TranscodeTaskInput", to_builtins(task)) == []
    template = task.override_parameter.subtitle_template
    assert (template.path, template.stream_index, template.font_size) == (VTT, 2, "10px")
    stored = burn_in(100040, "cos://b-1250000000/ap-nanjing/subs/movie.vtt").override_parameter.subtitle_template
    assert (stored.path, stored.subtitle_file_input.cos_input_info.object) == (None, "/subs/movie.vtt")


@pytest.mark.parametrize(
    ("style", "message"),
    [
        ({"font_alpha": 1.5}, "FontAlpha: 1.5 is out of range"),
        ({"font_color": "white"}, "FontColor: 'white' is no color"),
        ({"font_size": "10"}, "FontSize: '10' is no size"),
        ({"stream": -1}, "StreamIndex: is negative"),
        ({"font_typ": "x"}, "subtitles have no style 'font_typ'"),
    ],
)
def test_styles_that_are_none(style: Any, message: str) -> None:
    """A style that the picture cannot have is refused with its path."""
    with pytest.raises(JobError, match=message):
        burn_in(100040, VTT, **style)


@settings(max_examples=40)
@given(
    st.integers(0, 2**63),
    st.none() | st.floats(0, 1),
    st.none() | st.sampled_from(["10px", "5%", "2.5%"]),
    st.none() | st.from_regex(r"0x[0-9A-F]{6}", fullmatch=True),
)
def test_burning_in_comes_back_from_a_file(number: int, alpha: Any, size: Any, color: Any) -> None:
    """A job that burns subtitles in is written and read as the same."""
    task = burn_in(number, VTT, font_alpha=alpha, font_size=size, font_color=color)
    job = Job.build(**PLACES, media_process_task=MediaProcessTaskInput(transcode_task_set=[task]))
    assert errors_of(job.check()) == []
    assert parse_job(write_job(job, "toml").encode()) == job


@pytest.mark.parametrize("name", INSPECTIONS)
def test_inspections_by_name_and_number(name: str, oracle: Any) -> None:
    """Each preset of quality inspection is found by its name and its number."""
    task = inspection_task(name)
    assert task == inspection_task(INSPECTIONS[name].definition)
    assert oracle.check("AiQualityControlTaskInput", to_builtins(task)) == []


def test_inspections_that_are_none() -> None:
    """A misspelled name is refused with the nearest."""
    with pytest.raises(JobError, match="there is no quality inspection 'pictur'") as refused:
        inspection_task("pictur")
    assert refused.value.hint == "write picture"


SOURCE = {"Type": "URL", "UrlInputInfo": {"Url": VTT}}


def burned(template: dict[str, Any]) -> dict[str, Any]:
    """A transcoding task that burns subtitles in."""
    return {"Definition": 1, "OverrideParameter": {"SubtitleTemplate": template}}


def checked(**tasks: Any) -> list[tuple[str, str, str]]:
    """What a job with these tasks is told."""
    body = {
        "InputInfo": {"Type": "COS", "CosInputInfo": {"Bucket": "b", "Region": "r", "Object": "/o.mp4"}},
        **tasks,
    }
    return [(item.path, item.message, item.severity) for item in Job.from_builtins(body).check()]


@pytest.mark.parametrize(
    ("tasks", "path", "message", "severity"),
    [
        ({"AiAnalysisTask": {"Definition": 122}}, "AiAnalysisTask.Definition", "122 is a preset template", "warning"),
        (
            {"SmartEraseTask": {"Definition": 24}},
            "SmartEraseTask.Definition",
            "24 is a preset template of ana",
            "warning",
        ),
        ({"AiContentReviewTask": {"Definition": 26}}, "AiContentReviewTask.Definition", "not of moderation", "warning"),
        ({"SmartSubtitlesTask": {"Definition": 26}}, "SmartSubtitlesTask.Definition", "26 is a preset", "warning"),
        ({"AiQualityControlTask": {"Definition": 100}}, "AiQualityControlTask.Definition", "100 is a", "warning"),
        ({"AiRecognitionTask": {"Definition": 26}}, "AiRecognitionTask.Definition", "26 is a preset", "warning"),
        (
            {"SmartSubtitlesTask": {"Definition": 10101}},
            "SmartSubtitlesTask.Definition",
            "content recognition",
            "error",
        ),
        ({"SmartSubtitlesTask": {}}, "SmartSubtitlesTask.Definition", "is missing", "error"),
        (
            {"SmartSubtitlesTask": {"Definition": 121, "RawParameter": {"SubtitleType": 0, "VideoSrcLanguage": "zh"}}},
            "SmartSubtitlesTask.RawParameter",
            "has no effect: Definition is 121",
            "warning",
        ),
        (
            {
                "SmartSubtitlesTask": {
                    "RawParameter": {"SubtitleType": 0, "VideoSrcLanguage": "zh", "TranslateDstLanguage": "en"}
                }
            },
            "SmartSubtitlesTask.RawParameter.TranslateDstLanguage",
            "TranslateSwitch is not ON",
            "warning",
        ),
        (
            {"MediaProcessTask": {"TranscodeTaskSet": [burned({})]}},
            "MediaProcessTask.TranscodeTaskSet[0].OverrideParameter.SubtitleTemplate",
            "names no subtitles",
            "error",
        ),
        (
            {"MediaProcessTask": {"TranscodeTaskSet": [burned({"Path": VTT, "SubtitleFileInput": SOURCE})]}},
            "MediaProcessTask.TranscodeTaskSet[0].OverrideParameter.SubtitleTemplate.Path",
            "has no effect: SubtitleFileInput is given",
            "warning",
        ),
        ({"AiQualityControlTask": {}}, "AiQualityControlTask.Definition", "is missing", "error"),
        (
            {"AiQualityControlTask": {"Definition": 10, "ChannelExtPara": "{"}},
            "AiQualityControlTask.ChannelExtPara",
            "is not JSON",
            "error",
        ),
        (
            {"AiAnalysisTask": {"Definition": 26, "ExtendedParameter": {"hht": {"top_clip": 1}}}},
            "AiAnalysisTask.ExtendedParameter",
            "is an object; the API wants the text of it",
            "error",
        ),
    ],
)
def test_tasks_that_are_doubtful(tasks: Any, path: str, message: str, severity: str) -> None:
    """A template of another kind of task, a missing one, an object where text belongs: each is told."""
    assert (path, True, severity) in [(where, message in told, how) for where, told, how in checked(**tasks)]


def test_an_object_is_shown_as_the_text_that_it_should_be() -> None:
    """The fix for an ExtendedParameter that is an object is the very text to write; others may hold secrets."""
    body = {"AiAnalysisTask": {"Definition": 26, "ExtendedParameter": {"hht": {"top_clip": 1}}}}
    found = Job.from_builtins(body).check()
    fix = next(item.fix for item in found if item.path == "AiAnalysisTask.ExtendedParameter")
    assert json.loads(json.loads(fix.removeprefix("write "))) == {"hht": {"top_clip": 1}}
    secret = {"StdExtInfo": {"Key": "cAnArY"}, "Definition": 1}
    media = {"MediaProcessTask": {"AdaptiveDynamicStreamingTaskSet": [secret]}}
    assert "cAnArY" not in str(Job.from_builtins(media).check())


def test_templates_of_ones_own_are_not_doubted() -> None:
    """The benign twin: numbers that are no presets pass in every kind of task."""
    own = {"Definition": 57374}
    names = ("AiAnalysisTask", "SmartSubtitlesTask", "AiQualityControlTask", "AiRecognitionTask", "AiContentReviewTask")
    assert checked(**dict.fromkeys(names, own)) == []


def test_amazon_s3_is_no_input_for_these() -> None:
    """Analysis, subtitles and smart erase cannot read from AWS-S3, others are doubted; a transcoding job can."""
    s3 = {"Type": "AWS-S3", "S3InputInfo": {"S3Bucket": "source", "S3Region": "us-east-1", "S3Object": "/o.mp4"}}
    for name in ("AiAnalysisTask", "SmartSubtitlesTask", "SmartEraseTask"):
        assert ("InputInfo.Type", f"AWS-S3 is no input for {name}", "error") in checked(
            InputInfo=s3, **{name: {"Definition": 57374}}
        )
    for name in ("AiQualityControlTask", "AiRecognitionTask", "AiContentReviewTask"):
        message = f"AWS-S3 inputs are documented for transcoding only, and {name} is another task"
        assert ("InputInfo.Type", message, "warning") in checked(InputInfo=s3, **{name: {"Definition": 57374}})
    media = {"TranscodeTaskSet": [{"Definition": 100040}]}
    assert [severity for *_, severity in checked(InputInfo=s3, MediaProcessTask=media)] == ["warning"]


def test_a_drm_task_and_an_analysis_task_stand_in_one_job(protections: Any, oracle: Any) -> None:
    """DRM, analysis, subtitles and quality inspection in one job: checked, minted and sent together."""
    job = Job.build(
        **PLACES,
        tasks=[StreamingTask(12, protections("widevine"))],
        ai_analysis_task=analysis_task("summary"),
        smart_subtitles_task=subtitles_task("zh-en"),
        ai_quality_control_task=inspection_task("all"),
    )
    assert job.check() == []
    assert parse_job(write_job(job, "toml").encode()) == job
    request = job.request(["https://fe.example.com/x?ticket=ST-1"])
    assert oracle.check("ProcessMediaRequest", to_builtins(request, reveal=True)) == []
    without = Job.build(**PLACES, tasks=[StreamingTask(12, protections("widevine"))])
    assert job.session_id() != without.session_id()
