"""ExtendedParameter as typed objects: their text and back, ranges, choices, exclusions, and one feature a task."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drmkit.errors import JobError
from drmkit.mps.analysis import FEATURES, analysis_task, assign, check_analysis, find_feature
from drmkit.mps.extended import (
    Area,
    CustomObjects,
    Erase,
    EraseObject,
    ExtendedParameter,
    Extension,
    FaceDetectConfig,
    FallbackConfig,
    Highlights,
    OcrFilter,
    Split,
    Strip,
    SubtitleParameter,
    Summary,
    TimedObjects,
    Vertical,
    examine_extended,
    parse_extended,
)
from drmkit.mps.extendedrules import CATEGORIES, SCENARIOS, check_extended
from drmkit.mps.findings import errors_of
from drmkit.mps.models.request import ProcessMediaRequest
from drmkit.mps.models.smart import AiAnalysisTaskInput
from drmkit.mps.schema import members
from drmkit.mps.wire import decode, encode


def any_of(kind: type[Extension]) -> st.SearchStrategy[Any]:
    """Any object of a kind, whatever its values."""
    plain = {
        str: st.text(max_size=8),
        int: st.integers(-(2**63), 2**63 - 1),
        float: st.floats(allow_nan=False, allow_infinity=False),
        bool: st.booleans(),
    }
    fields: dict[str, Any] = {}
    for member in members(kind).values():
        item = plain[member.kind] if member.kind in plain else st.deferred(lambda kind=member.kind: any_of(kind))
        fields[member.attribute] = st.none() | (st.lists(item, max_size=2) if member.is_list else item)
    return st.builds(kind, **fields)


@settings(max_examples=60)
@given(any_of(ExtendedParameter))
def test_the_text_comes_back_as_the_same_objects(parameter: Any) -> None:
    """What is written as text is parsed as the same objects, whatever they hold."""
    assert parse_extended(parameter.text()) == parameter


def with_further(part: Any, draw: Any) -> Any:
    """The same part with keys that no tutorial has, at any depth."""
    for member in members(type(part)).values():
        value = getattr(part, member.attribute)
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, Extension):
                with_further(inner, draw)
    plain = st.none() | st.integers(-9, 9) | st.text(max_size=3)
    values = plain | st.lists(plain, max_size=2) | st.dictionaries(st.sampled_from("ab"), plain, max_size=2)
    part.further = draw(st.dictionaries(st.sampled_from(["zzzz", "qqqqqq"]), values, max_size=2))
    return part


@settings(max_examples=60)
@given(any_of(ExtendedParameter), st.data())
def test_keys_of_no_tutorial_come_back_too(parameter: Any, data: Any) -> None:
    """What was arranged with the vendor, or has been added since, is kept both ways, wherever it stands."""
    whole = with_further(parameter, data.draw)
    assert parse_extended(whole.text()) == whole
    assert json.loads(parse_extended(whole.text()).text()) == json.loads(whole.text())


def test_a_key_that_is_known_is_its_field() -> None:
    """A key that a field stands for is the field's; a text is kept whole beside an object that is changed."""
    assert Highlights(top_clip=1, further={"top_clip": 2}).to_builtins() == {"top_clip": 1}
    parameter = parse_extended('{"hht":{"top_clip":1,"zzzz":{"a":[1]}},"qqqqqq":null}')
    assert parameter.hht is not None
    parameter.hht.top_clip = None
    assert json.loads(parameter.text()) == {"hht": {"zzzz": {"a": [1]}}, "qqqqqq": None}
    task = analysis_task("highlights", parse_extended('{"hht":{"zzzz":1}}'), Highlights(top_clip=3, further={"q_q": 2}))
    assert json.loads(task.extended_parameter or "") == {"hht": {"top_clip": 3, "q_q": 2}}
    assert json.loads(analysis_task("highlights", parameter).extended_parameter or "") == json.loads(parameter.text())


def test_unusable_items_of_lists_are_told() -> None:
    """An item of another type in a list is an error at its place, and the others do not take its further keys."""
    text = '{"delogo":{"als_filter":{"active_areas":["x",{"lt_x":0.1,"zzzz":1}]}}}'
    parameter, findings = examine_extended(text, "E")
    assert parameter is not None
    assert [item.path for item in errors_of(findings)] == ["E.delogo.als_filter.active_areas[0]"]


@settings(max_examples=40)
@given(any_of(ExtendedParameter))
def test_the_text_survives_a_request(parameter: Any) -> None:
    """In a request the text is escaped once more, and comes out of it as it went in."""
    body = ProcessMediaRequest(ai_analysis_task=AiAnalysisTaskInput(definition=26, extended_parameter=parameter.text()))
    sent = json.loads(encode(body))
    assert isinstance(sent["AiAnalysisTask"]["ExtendedParameter"], str)
    assert json.loads(sent["AiAnalysisTask"]["ExtendedParameter"]) == json.loads(parameter.text())
    assert decode(ProcessMediaRequest, encode(body)).ai_analysis_task.extended_parameter == parameter.text()


@settings(max_examples=60)
@given(st.text(max_size=40) | st.binary(max_size=30).map(lambda data: data.decode("latin-1")))
def test_any_text_is_examined(text: Any) -> None:
    """No text makes the examination fail otherwise than with findings."""
    parameter, findings = examine_extended(text, "ExtendedParameter")
    assert parameter is not None or findings


GOOD: dict[str, tuple[str, tuple[Extension, ...]]] = {
    "summary": ("summary", (Summary(split=Split(method="llm", model="deepseek-v3"), need_ocr=True, ocr_type="ppt"),)),
    "highlights": ("highlights", (Highlights(top_clip=10, force_cls=CATEGORIES["variety"], threshold=0.9),)),
    "erase": ("erase", (Erase(customer_app_id="subtitle_erase_fast", cluster_id="gpu_zhiyan"),)),
    "splitting": ("splitting", (Strip(type="content"), Summary(split=Split(method="llm")))),
    "vertical": ("vertical", (Vertical(algorithm_type=3, ratio="9:16", smooth_weight=0.75),)),
}


@pytest.mark.parametrize("name", GOOD)
def test_typed_builders(oracle: Any, name: str) -> None:
    """Each feature's task has its preset template and its parameters as text, and passes the schema."""
    feature, parts = GOOD[name]
    task = analysis_task(feature, *parts)
    assert task.definition == FEATURES[feature].definition
    assert set(json.loads(task.extended_parameter)) <= set(FEATURES[feature].keys)
    assert oracle.check("AiAnalysisTaskInput", json.loads(encode(task))) == []
    assert analysis_task(feature, definition=57374).definition == 57374


AREA = Area(lt_x=0.1, lt_y=0.6, rb_x=0.9, rb_y=0.95)
CASES: list[tuple[Extension, str, str, str]] = [
    (Highlights(threshold=1.5), "hht.threshold", "1.5 is out of range", "error"),
    (Highlights(threshold=-0.1), "hht.threshold", "-0.1 is out of range", "error"),
    (Erase(als_filter=OcrFilter(max_ocr_height=float("inf"))), "delogo.als_filter.max_ocr_height", "inf is", "error"),
    (Highlights(top_clip=0), "hht.top_clip", "0 is out of range", "error"),
    (Highlights(force_cls=9999), "hht.force_cls", "9999 is no category", "error"),
    (Highlights(need_vad=2), "hht.need_vad", "2 is not known", "error"),
    (Highlights(res_save_type=-1), "hht.res_save_type", "-1 is not known", "error"),
    (Highlights(merge_type=1, top_clip=5), "hht.top_clip", "has no effect", "warning"),
    (Highlights(merge_type=0, merge_time=60), "hht.merge_time", "has no effect", "warning"),
    (Highlights(force_cls=4001, top_clip=5), "hht.top_clip", "category 4001 is merged by default", "warning"),
    (Highlights(force_cls=5003, merge_time=60), "hht.merge_time", "5003 is not merged by default", "warning"),
    (Highlights(merge_time=60), "hht.merge_time", "5003 is not merged by default", "warning"),
    (Highlights(force_cls=4001, merge_time=3601), "hht.merge_time", "3601 is out of range", "error"),
    (Highlights(output_pattern="{yeer}.mp4"), "hht.output_pattern", "{yeer} is no placeholder", "error"),
    (Summary(need_ocr=True, ocr_type="word"), "des.ocr_type", "'word' is not known", "error"),
    (Summary(ocr_type="ppt"), "des.ocr_type", "has no effect: need_ocr is not true", "warning"),
    (Summary(dstlang="fr"), "des.dstlang", "'fr' is not known", "error"),
    (Summary(only_segment=1, text_requirement="short"), "des.text_requirement", "has no effect", "warning"),
    (Summary(split=Split(method="gpt")), "des.split.method", "'gpt' is not known", "error"),
    (Summary(split=Split(model="gpt-9")), "des.split.model", "'gpt-9' is not known", "error"),
    (Summary(split=Split(method="nlp", model="Hunyuan")), "des.split.model", "has no effect", "warning"),
    (Summary(split=Split(max_split_time_sec=0)), "des.split.max_split_time_sec", "0 is out of range", "error"),
    (Erase(customer_app_id="subtitle_erase_fst"), "delogo.CustomerAppId", "no scenario", "error"),
    (Erase(customer_app_id="something_arranged_else"), "delogo.CustomerAppId", "no scenario", "warning"),
    (Erase(output_patten="{name}"), "delogo.output_patten", "{name} is no placeholder", "error"),
    (Erase(als_filter=OcrFilter(min_ocr_height=-1)), "delogo.als_filter.min_ocr_height", "out of range", "error"),
    (
        Erase(als_filter=OcrFilter(min_ocr_height=20, max_ocr_height=10)),
        "delogo.als_filter.max_ocr_height",
        "10 is less than min_ocr_height",
        "error",
    ),
    (
        Erase(als_filter=OcrFilter(active_areas=[Area(lt_x=0.9, lt_y=0.1, rb_x=0.1, rb_y=0.2)])),
        "delogo.als_filter.active_areas[0].rb_x",
        "is not beyond lt_x",
        "error",
    ),
    (Erase(custom_objs=CustomObjects(time_objs=[])), "delogo.custom_objs.time_objs", "is missing", "error"),
    (
        Erase(custom_objs=CustomObjects(time_objs=[TimedObjects(begin_ms=9, end_ms=9, objs=[EraseObject(rect=AREA)])])),
        "delogo.custom_objs.time_objs[0].end_ms",
        "is not after begin_ms",
        "error",
    ),
    (
        Erase(custom_objs=CustomObjects(time_objs=[TimedObjects(objs=[EraseObject()])])),
        "delogo.custom_objs.time_objs[0].objs[0].rect",
        "is missing",
        "error",
    ),
    (
        Erase(
            customer_app_id="facial_blur",
            custom_objs=CustomObjects(time_objs=[TimedObjects(objs=[EraseObject(rect=AREA)])]),
        ),
        "delogo.custom_objs",
        "another scenario: a request can have one",
        "error",
    ),
    (
        Erase(customer_app_id="facial_blur", subtitle_param=SubtitleParameter(translate_dst_language="en")),
        "delogo.subtitle_param",
        "facial_blur translates nothing",
        "warning",
    ),
    (
        Erase(subtitle_param=SubtitleParameter(translate_dst_language="en")),
        "delogo.subtitle_param",
        "without CustomerAppId watermarks are removed",
        "warning",
    ),
    (
        Erase(subtitle_param=SubtitleParameter(translate_dst_language="de")),
        "delogo.subtitle_param.translate_dst_language",
        "'de' is not known",
        "error",
    ),
    (Strip(type="news"), "strip.type", "'news' is not known", "error"),
    (Strip(type="object"), "strip.objects", "is missing, and type is object", "error"),
    (Strip(type="content", objects=["person"]), "strip.objects", "has no effect", "warning"),
    (Strip(objects=["person"]), "strip.objects", "without a type videos are split as news", "warning"),
    (Vertical(algorithm_type=4), "htv.AlgorithmType", "4 is not known", "error"),
    (Vertical(ratio="9x16"), "htv.Ratio", "is no ratio, so 9:16 would be taken", "error"),
    (Vertical(smooth_weight=1.01), "htv.SmoothWeight", "out of range", "error"),
    (Vertical(blur_weight=-1), "htv.BlurWeight", "out of range", "error"),
    (Vertical(face_detect=5), "htv.FaceDetect", "5 is not known", "error"),
    (Vertical(output_pattern="{session}"), "htv.OutputPattern", "{session} is no placeholder", "error"),
    (
        Vertical(face_detect_config=FaceDetectConfig(face_accuracy="Best")),
        "htv.FaceDetectConfig.FaceAccuracy",
        "'Best' is not known",
        "error",
    ),
    (
        Vertical(face_detect_config=FaceDetectConfig(face_score_thd=101)),
        "htv.FaceDetectConfig.FaceScoreThd",
        "101 is out of range",
        "error",
    ),
    (
        Vertical(
            face_detect_config=FaceDetectConfig(fallback_config=FallbackConfig(no_face_detect="SplitScreenVertical"))
        ),
        "htv.FaceDetectConfig.FallbackConfig.NoFaceDetect",
        "is not known",
        "error",
    ),
    (
        Vertical(algorithm_type=5, face_detect_config=FaceDetectConfig()),
        "htv.FaceDetectConfig",
        "algorithm 5 looks for no faces",
        "warning",
    ),
]
KEYS = {Highlights: "hht", Summary: "des", Erase: "delogo", Strip: "strip", Vertical: "htv"}


@pytest.mark.parametrize(("part", "path", "message", "severity"), CASES)
def test_ranges_choices_and_exclusions(part: Any, path: str, message: str, severity: str) -> None:
    """A value out of its range, an unknown choice, an option that excludes another: each is told at its path."""
    parameter = ExtendedParameter(**{KEYS[type(part)]: part})
    found = [item for item in check_extended(parameter, "P", live=False) if item.path == f"P.{path}"]
    assert [(message in item.message, item.severity) for item in found] == [(True, severity)]
    assert found[0].fix


@pytest.mark.parametrize(
    "part",
    [
        Highlights(threshold=1, top_clip=1, force_cls=100101, need_vad=0, merge_type=1, merge_time=3600),
        Highlights(output_pattern="{year}-{month}_{start_dts}-{end_dts}-{session}.mp4"),
        Highlights(merge_time=7200),
        Summary(split=Split(method="nlp", max_split_time_sec=1), need_ocr=True, ocr_type="other", dstlang="en"),
        Erase(custom_objs=CustomObjects(time_objs=[TimedObjects(objs=[EraseObject(type=2, rect=AREA)])])),
        Erase(als_filter=OcrFilter(min_ocr_height=10, max_ocr_height=0.06)),
        Strip(type="object", objects=["person"]),
        Vertical(algorithm_type=2, ratio="16:9", output_pattern="htv-{{sessionId}}-{{timestamp}}"),
    ],
)
def test_what_is_in_range_is_not_told(part: Any) -> None:
    """The benign twins: values at the ends of their ranges, and options that go together."""
    parameter = ExtendedParameter(**{KEYS[type(part)]: part})
    assert errors_of(check_extended(parameter, "P", live=False)) == []


@pytest.mark.parametrize(
    "part",
    [
        Highlights(force_cls=4001, top_clip=5, merge_type=0),
        Highlights(force_cls=5003, top_clip=5),
        Highlights(force_cls=5003, merge_type=1, merge_time=60),
        Highlights(force_cls=4001, merge_time=3600),
        Erase(customer_app_id="subtitle_extract", subtitle_param=SubtitleParameter(translate_dst_language="en")),
        Erase(customer_app_id="arranged", subtitle_param=SubtitleParameter(translate_dst_language="en")),
    ],
)
def test_options_that_have_an_effect_are_not_doubted(part: Any) -> None:
    """The benign twins of options without effect: what the category merges, and who translates, decides."""
    parameter = ExtendedParameter(**{KEYS[type(part)]: part})
    assert [item for item in check_extended(parameter, "P", live=False) if "no effect" in item.message] == []


def test_live_highlights_are_not_merged() -> None:
    """Merging is for files, so over a live stream every category's top_clip has an effect."""
    parameter = ExtendedParameter(hht=Highlights(force_cls=4001, top_clip=5))
    assert list(check_extended(parameter, "P", live=True)) == []


def test_a_language_model_does_not_split_by_targets() -> None:
    """`des` beside a splitting by targets is told to have no effect, and beside one by content it is not."""
    for kind, told in (("object", ["P.des"]), ("content", [])):
        parameter = ExtendedParameter(
            des=Summary(), strip=Strip(type=kind, objects=["person"] if kind == "object" else None)
        )
        assert [item.path for item in check_extended(parameter, "P", live=False)] == told


def test_the_two_spellings_of_the_name_of_an_erased_file() -> None:
    """The tutorial's text and its examples differ: the examples' spelling is taken, the text's is doubted, no error."""
    for name, told in (("output_patten", []), ("output_pattern", ["warning"])):
        task = AiAnalysisTaskInput(definition=24, extended_parameter=f'{{"delogo":{{"{name}":"x-{{session_id}}"}}}}')
        assert [item.severity for item in check_analysis(task, "T", live=False)] == told


@pytest.mark.parametrize("app", SCENARIOS)
def test_every_scenario_of_smart_erase_is_accepted(app: str) -> None:
    """Each scenario of the tutorial is known."""
    assert analysis_task("erase", Erase(customer_app_id=app)).definition == 24


LIVE = [
    (26, Highlights(merge_type=1), "hht.merge_type", "is for files only"),
    (27, Strip(type="object", objects=["person"]), "strip.type", "are not split by targets"),
    (24, Erase(), "delogo", "smart erase takes no live streams"),
]


@pytest.mark.parametrize(("number", "part", "path", "message"), LIVE)
def test_what_live_streams_do_not_take(number: int, part: Any, path: str, message: str) -> None:
    """What is for files only is an error over a live stream, and none over a file."""
    text = ExtendedParameter(**{KEYS[type(part)]: part}).text()
    task = AiAnalysisTaskInput(definition=number, extended_parameter=text)
    found = [item for item in check_analysis(task, "T", live=True) if item.path == f"T.ExtendedParameter.{path}"]
    assert [message in item.message for item in found] == [True]
    assert errors_of(check_analysis(task, "T", live=False)) == []


@pytest.mark.parametrize(
    ("method", "live", "told"), [("llm", True, ["warning"]), ("nlp", True, []), ("llm", False, [])]
)
def test_how_live_streams_are_split(method: str, live: bool, told: list[str]) -> None:
    """The tutorial names news and NLP splitting for live streams: a language model is doubted there, and no file."""
    parameter = ExtendedParameter(strip=Strip(type="content"), des=Summary(split=Split(method=method)))
    found = list(check_extended(parameter, "E", live=live))
    assert [item.severity for item in found if item.path == "E.des.split.method"] == told
    assert errors_of(found) == []


def test_a_template_of_another_feature() -> None:
    """Parameters of one feature under the template of another are an error that names the right template."""
    task = AiAnalysisTaskInput(definition=22, extended_parameter='{"hht":{"top_clip":1}}')
    (found,) = check_analysis(task, "T", live=False)
    assert str(found) == (
        "T.ExtendedParameter.hht: belongs to highlights (template 26), and the task is summary; "
        "write Definition 26, or remove hht"
    )
    right = AiAnalysisTaskInput(definition=26, extended_parameter='{"hht":{"top_clip":1}}')
    assert list(check_analysis(right, "T", live=False)) == []


def test_keys_of_several_features() -> None:
    """A template of one's own takes the parameters of one feature, and not of two."""
    both = AiAnalysisTaskInput(definition=57374, extended_parameter='{"hht":{},"delogo":{}}')
    assert [item.message for item in check_analysis(both, "T", live=False)] == [
        "has the keys of several features: delogo, hht"
    ]
    split = AiAnalysisTaskInput(definition=57374, extended_parameter='{"des":{},"strip":{"type":"content"}}')
    assert list(check_analysis(split, "T", live=False)) == []


def test_a_language_model_without_strip() -> None:
    """Splitting with `des` alone stays news splitting, which is told."""
    task = AiAnalysisTaskInput(definition=27, extended_parameter='{"des":{}}')
    assert [(item.severity, item.fix) for item in check_analysis(task, "T", live=False)] == [
        ("warning", 'add "strip":{"type":"content"}')
    ]


@pytest.mark.parametrize(
    ("text", "message", "fix", "severity"),
    [
        ('{"hht":{"top_clip":1', "is no JSON (was it cut short?)", "write an object", "error"),
        ("[]", "is JSON, but no object", "write an object", "error"),
        (r"{\"hht\":{}}", "is escaped twice", "leave out one level", "error"),
        (r'{\\"hht\\":{}}', "is escaped twice", "leave out one level", "error"),
        ('"{}"', "is escaped twice", "write '{}'", "error"),
        ('{"hht":{"top_clip":"1"}}', "is a text, not an integer", "without quotes", "error"),
        ('{"hht":{"topclip":1}}', "has no field topclip", "write top_clip instead", "error"),
        ('{"hht":{"x9":1}}', "the tutorials have no key x9 here", "unless it was arranged", "warning"),
    ],
)
def test_texts_that_are_none(text: str, message: str, fix: str, severity: str) -> None:
    """A text that is cut short, escaped twice or misspelled is told with what to do; keys by arrangement pass."""
    (found,) = examine_extended(text, "P")[1]
    assert message in found.message
    assert fix in found.fix
    assert found.severity == severity


@pytest.mark.parametrize(
    "text", ['{"a":' * 100_000, '{"hht":{"threshold":NaN}}', '{"des":{"dstlang":"\\ud800"}}', "\ud800", "[" * 100_000]
)
def test_texts_that_no_reader_takes(text: str) -> None:
    """Nesting without end, numbers that are none, half characters: no JSON, in words."""
    parameter, findings = examine_extended(text, "P")
    assert (parameter, [item.path for item in findings]) == (None, ["P"])
    with pytest.raises(JobError, match="not a list in JSON"):
        assign("erase", {"custom_objs.time_objs": "[" * 100_000})


def test_numbers_without_end() -> None:
    """A number of a thousand digits is no template."""
    with pytest.raises(JobError, match="there is no analysis '999"):
        find_feature("9" * 5000)


def test_refused_texts_and_parts() -> None:
    """Parsing and building raise JobError with the reason."""
    with pytest.raises(JobError, match="no JSON"):
        parse_extended('{"a"')
    with pytest.raises(JobError, match="has no field top_clp"):
        parse_extended('{"hht":{"top_clp":1}}')
    assert parse_extended('{"hht":{"top_clip":1},"zzzz":1}').hht == Highlights(top_clip=1)
    with pytest.raises(JobError, match="Split is no parameter of an analysis by itself"):
        analysis_task("splitting", Split())
    with pytest.raises(JobError, match="belongs to vertical"):
        analysis_task("highlights", Vertical(), definition=57374)
    with pytest.raises(JobError, match="template 22 is the preset of summary, not of highlights"):
        analysis_task("highlights", definition=22)
    assert parse_extended("") == ExtendedParameter()


def test_features_by_name_alias_and_number() -> None:
    """A feature is found by its name, an alias, or its template; a misspelled one names the nearest."""
    assert {find_feature(name).name for name in ("htv", "vertical", "28", "Horizontal-to-Vertical")} == {"vertical"}
    with pytest.raises(JobError, match="there is no analysis 'higlights'") as refused:
        find_feature("higlights")
    assert refused.value.hint == "write highlights"


def test_values_of_a_command_line() -> None:
    """Texts by path become typed values: numbers, lists, categories by name."""
    assert assign("highlights", {"force_cls": "football", "threshold": "0.5"}) == ExtendedParameter(
        hht=Highlights(force_cls=4001, threshold=0.5)
    )
    assert assign("splitting", {"type": "object", "objects": "person, dog"}) == ExtendedParameter(
        strip=Strip(type="object", objects=["person", "dog"])
    )
    for numbers in ("91020415, 7", "[91020415, 7]"):
        given = assign("splitting", {"type": "object", "objects": '["person"]', "object_set": numbers})
        assert given == ExtendedParameter(strip=Strip(type="object", objects=["person"], object_set=[91020415, 7]))
    assert assign("vertical", {"FaceDetectConfig.FallbackConfig.DoubleFace": "Scale"}) == ExtendedParameter(
        htv=Vertical(face_detect_config=FaceDetectConfig(fallback_config=FallbackConfig(double_face="Scale")))
    )
    assert assign("summary", {}) is None


@pytest.mark.parametrize(
    ("feature", "values", "message", "hint"),
    [
        ("highlights", {"top_clp": "1"}, "there is no parameter 'top_clp'", "write top_clip"),
        ("highlights", {"top_clip": "many"}, "top_clip is 'many', not a number", "write top_clip=a number"),
        ("highlights", {"force_cls": "footbal"}, "there is no category 'footbal'", "write football"),
        ("splitting", {"object_set": "a,b"}, "object_set is 'a,b', not a list", "a list in JSON"),
        ("summary", {"split": "llm"}, "split is an object", "split.method"),
        ("vertical", {"Ratio.x": "1"}, "Ratio is a value", "leave out"),
        ("labels", {"x": "1"}, "labels takes no parameters", "leave them out"),
    ],
)
def test_values_that_do_not_fit(feature: str, values: Any, message: str, hint: str) -> None:
    """A path that is none, or a text that does not fit it, is refused with the nearest."""
    with pytest.raises(JobError, match=message) as refused:
        assign(feature, values)
    assert hint in refused.value.hint
