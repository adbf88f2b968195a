"""What an ExtendedParameter may say: ranges, choices, and what excludes what.

Source: *Integration Tutorials* of Media Processing Service, the "Extended Parameter Description" of each feature.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

from drmkit.mps.extended import (
    Area,
    CustomObjects,
    Erase,
    ExtendedParameter,
    FaceDetectConfig,
    Highlights,
    OcrFilter,
    Split,
    Strip,
    Summary,
    Vertical,
)
from drmkit.mps.findings import Finding, nearest

__all__ = ["CATEGORIES", "SCENARIOS", "check_extended"]

CATEGORIES = {
    "variety": 5003,
    "football": 4001,
    "basketball": 4002,
    "honor-of-kings": 1001,
    "honor-of-kings-competition": 100101,
    "league-of-legends": 1003,
}
"""The categories of highlights (`force_cls`) by name; `variety` stands for TV series too."""

SCENARIOS = {
    "audio_subtitle_replace": "erase subtitles, translate the speech, replace subtitles and voice",
    "subtitle_extract": "extract the subtitles in the picture, and translate them",
    "subtitle_erase_fast": "erase subtitles, version 2",
    "subtitle_erase": "erase subtitles, version 1",
    "facial_mosaic": "mosaic over faces",
    "facial_blur": "blur faces",
    "facial_and_numberplate_mosaic_v2": "mosaic over faces and license plates",
}
"""The scenarios of smart erase (`CustomerAppId`); without one, watermarks are removed."""

_FLAGS = (0, 1)
_MODELS = ("hunyuan", "deepseek-v3", "deepseek-r1")
_ALGORITHMS = (1, 2, 3, 5)
_TOPS = {
    "hht": "year month day hour minute second start_dts end_dts timestamp session index",
    "delogo": "task_type session_id",
    "htv": "sessionId timestamp",
}
_PLACEHOLDERS = {key: frozenset(names.split()) for key, names in _TOPS.items()}
_MERGED_SECONDS = 3600
_SCORES = 100
_RATIO = re.compile(r"[1-9][0-9]{0,4}:[1-9][0-9]{0,4}")


def check_extended(parameter: ExtendedParameter, path: str, *, live: bool) -> Iterator[Finding]:
    """Yield what is wrong or doubtful about the values of an ExtendedParameter.

    Args:
        parameter: the parameter.
        path: where it stands.
        live: whether the task is over a live stream.
    """
    if parameter.des is not None:
        yield from _check_summary(parameter.des, f"{path}.des")
    if parameter.hht is not None:
        yield from _check_highlights(parameter.hht, f"{path}.hht", live=live)
    if parameter.delogo is not None:
        yield from _check_erase(parameter.delogo, f"{path}.delogo", live=live)
    if parameter.strip is not None:
        yield from _check_strip(parameter.strip, f"{path}.strip", live=live)
        if parameter.des is not None and parameter.strip.type != "content":
            yield _ignored(f"{path}.des", "a language model splits where strip.type is content", "write content")
        elif live and parameter.des is not None and parameter.des.split and parameter.des.split.method == "llm":
            message = "for live streams the tutorial names news and NLP splitting alone"
            yield Finding(f"{path}.des.split.method", message, "write nlp, if the task fails", "warning")
    if parameter.htv is not None:
        yield from _check_vertical(parameter.htv, f"{path}.htv")


def _check_summary(des: Summary, path: str) -> Iterator[Finding]:
    if des.split is not None:
        yield from _check_split(des.split, f"{path}.split")
    yield from _choice(f"{path}.ocr_type", des.ocr_type, ("ppt", "other"))
    yield from _choice(f"{path}.only_segment", des.only_segment, _FLAGS)
    yield from _choice(f"{path}.dstlang", des.dstlang, ("zh", "en"))
    if des.ocr_type is not None and not des.need_ocr:
        yield _ignored(f"{path}.ocr_type", "need_ocr is not true")
    if des.text_requirement is not None and des.only_segment == 1:
        yield _ignored(f"{path}.text_requirement", "only_segment leaves out the summary")


def _check_split(split: Split, path: str) -> Iterator[Finding]:
    yield from _choice(f"{path}.method", split.method, ("llm", "nlp"))
    if split.model is not None and split.model.lower() not in _MODELS:
        yield from _choice(f"{path}.model", split.model, ("Hunyuan", "DeepSeek-V3", "DeepSeek-R1"))
    if split.model is not None and split.method == "nlp":
        yield _ignored(f"{path}.model", "the method is nlp")
    yield from _range(f"{path}.max_split_time_sec", split.max_split_time_sec, 1, math.inf)


def _check_highlights(hht: Highlights, path: str, *, live: bool) -> Iterator[Finding]:
    yield from _range(f"{path}.top_clip", hht.top_clip, 1, math.inf)
    if hht.force_cls is not None and hht.force_cls not in CATEGORIES.values():
        known = ", ".join(f"{number} ({name})" for name, number in CATEGORIES.items())
        yield Finding(f"{path}.force_cls", f"{hht.force_cls} is no category", f"write {known}")
    yield from _choice(f"{path}.need_vad", hht.need_vad, _FLAGS)
    yield from _choice(f"{path}.res_save_type", hht.res_save_type, _FLAGS)
    yield from _range(f"{path}.threshold", hht.threshold, 0, 1)
    yield from _placeholders(f"{path}.output_pattern", hht.output_pattern, "hht")
    yield from _placeholders(f"{path}.image_pattern", hht.image_pattern, "hht")
    yield from _check_merging(hht, path, live=live)


def _check_merging(hht: Highlights, path: str, *, live: bool) -> Iterator[Finding]:
    yield from _choice(f"{path}.merge_type", hht.merge_type, _FLAGS)
    variety = hht.force_cls in {None, CATEGORIES["variety"]}
    yield from _range(f"{path}.merge_time", hht.merge_time, 1, math.inf if variety else _MERGED_SECONDS)
    for name in ("merge_type", "merge_time"):
        if live and getattr(hht, name) is not None:
            yield Finding(f"{path}.{name}", "is for files only, and this is a live stream", "remove it")
    if live:
        return
    # Without a merge_type the category decides: 5003, which is the default one, is not merged, others are.
    merged = not variety if hht.merge_type is None else hht.merge_type == 1
    if merged and hht.top_clip is not None:
        why = "merge_type 1 merges every clip" if hht.merge_type else f"category {hht.force_cls} is merged by default"
        fix = "remove it" if hht.merge_type else "write merge_type 0, or remove it"
        yield _ignored(f"{path}.top_clip", why, fix)
    if not merged and hht.merge_time is not None:
        why = "merge_type 0 merges nothing" if hht.merge_type == 0 else "category 5003 is not merged by default"
        yield _ignored(f"{path}.merge_time", why, "remove it" if hht.merge_type == 0 else "write merge_type 1")


def _check_erase(delogo: Erase, path: str, *, live: bool) -> Iterator[Finding]:
    if live:
        yield Finding(path, "smart erase takes no live streams", "submit the recorded file, or ask Tencent Cloud")
    app = delogo.customer_app_id
    if app is not None and app not in SCENARIOS:
        close = nearest(app, SCENARIOS)
        fix = f"write {close}" if close else f"write one of {', '.join(SCENARIOS)}"
        message = f"the tutorial has no scenario {app!r}"
        yield Finding(f"{path}.CustomerAppId", message, fix, "error" if close else "warning")
    yield from _placeholders(f"{path}.output_patten", delogo.output_patten, "delogo")
    if delogo.als_filter is not None:
        yield from _check_filter(delogo.als_filter, f"{path}.als_filter")
    if delogo.custom_objs is not None:
        yield from _check_objects(delogo.custom_objs, f"{path}.custom_objs")
    if delogo.subtitle_param is not None:
        language = delogo.subtitle_param.translate_dst_language
        yield from _choice(f"{path}.subtitle_param.translate_dst_language", language, ("en", "zh", ""))
        if app is None or (app in SCENARIOS and app not in {"audio_subtitle_replace", "subtitle_extract"}):
            what = f"{app} translates nothing" if app else "without CustomerAppId watermarks are removed"
            yield _ignored(f"{path}.subtitle_param", what, "write CustomerAppId subtitle_extract, or remove it")
    if delogo.custom_objs is not None and app not in {None, "subtitle_erase_fast", "subtitle_erase"}:
        message = f"erases an area, and {app} is another scenario: a request can have one"
        yield Finding(f"{path}.custom_objs", message, "submit a job for each", "error")


def _check_filter(chosen: OcrFilter, path: str) -> Iterator[Finding]:
    low, high = chosen.min_ocr_height, chosen.max_ocr_height
    yield from _range(f"{path}.min_ocr_height", low, 0, math.inf)
    yield from _range(f"{path}.max_ocr_height", high, 0, math.inf)
    if low is not None and high is not None and (low < 1) == (high < 1) and low > high:
        yield Finding(f"{path}.max_ocr_height", f"{high:g} is less than min_ocr_height", f"write {low:g} or more")
    for index, area in enumerate(chosen.active_areas or ()):
        yield from _check_area(area, f"{path}.active_areas[{index}]")


def _check_objects(chosen: CustomObjects, path: str) -> Iterator[Finding]:
    if not chosen.time_objs:
        yield Finding(f"{path}.time_objs", "is missing: there is nothing to erase", "add one with objs")
    for number, timed in enumerate(chosen.time_objs or ()):
        where = f"{path}.time_objs[{number}]"
        yield from _range(f"{where}.begin_ms", timed.begin_ms, 0, math.inf)
        if timed.begin_ms is not None and timed.end_ms is not None and timed.end_ms <= timed.begin_ms:
            yield Finding(f"{where}.end_ms", "is not after begin_ms", "write milliseconds from the beginning")
        if not timed.objs:
            yield Finding(f"{where}.objs", "is missing: there is nothing to erase", "add one with a rect")
        for index, item in enumerate(timed.objs or ()):
            rect = f"{where}.objs[{index}].rect"
            if item.rect is None:
                yield Finding(rect, "is missing", "write lt_x, lt_y, rb_x and rb_y")
            else:
                yield from _check_area(item.rect, rect)


def _check_area(area: Area, path: str) -> Iterator[Finding]:
    for name in ("lt_x", "lt_y", "rb_x", "rb_y"):
        value = getattr(area, name)
        if value is None:
            yield Finding(f"{path}.{name}", "is missing", "write pixels, or a share of the picture below 1")
        yield from _range(f"{path}.{name}", value, 0, math.inf)
    for low, high in (("lt_x", "rb_x"), ("lt_y", "rb_y")):
        first, last = getattr(area, low), getattr(area, high)
        if first is not None and last is not None and first >= last >= 0:
            yield Finding(f"{path}.{high}", f"is not beyond {low}: the area is empty", "swap the two corners")


def _check_strip(strip: Strip, path: str, *, live: bool) -> Iterator[Finding]:
    yield from _choice(f"{path}.type", strip.type, ("content", "object"))
    targets = strip.objects or strip.object_set
    if strip.type == "object" and live:
        yield Finding(f"{path}.type", "live streams are not split by targets", "write content, or submit the file")
    if strip.type == "object" and not targets:
        yield Finding(f"{path}.objects", "is missing, and type is object", 'name the targets, such as ["person"]')
    if strip.type != "object" and targets:
        why = "type is content" if strip.type else "without a type videos are split as news"
        yield _ignored(f"{path}.objects", why, 'write "type":"object", or remove it')


def _check_vertical(htv: Vertical, path: str) -> Iterator[Finding]:
    yield from _choice(f"{path}.AlgorithmType", htv.algorithm_type, _ALGORITHMS)
    if htv.ratio is not None and not _RATIO.fullmatch(htv.ratio):
        yield Finding(f"{path}.Ratio", f"{htv.ratio!r} is no ratio, so 9:16 would be taken", "write it like 9:16")
    yield from _choice(f"{path}.FaceDetect", htv.face_detect, _FLAGS)
    yield from _range(f"{path}.BlurWeight", htv.blur_weight, 0, math.inf)
    yield from _range(f"{path}.SmoothWeight", htv.smooth_weight, 0, 1)
    yield from _placeholders(f"{path}.OutputPattern", htv.output_pattern, "htv")
    if htv.face_detect_config is not None:
        yield from _check_faces(htv.face_detect_config, f"{path}.FaceDetectConfig")
        if htv.face_detect == 0 or htv.algorithm_type in {1, 5}:
            why = "FaceDetect is 0" if htv.face_detect == 0 else f"algorithm {htv.algorithm_type} looks for no faces"
            yield _ignored(f"{path}.FaceDetectConfig", why)


def _check_faces(faces: FaceDetectConfig, path: str) -> Iterator[Finding]:
    yield from _range(f"{path}.FaceScoreThd", faces.face_score_thd, 0, _SCORES)
    yield from _choice(f"{path}.FaceAccuracy", faces.face_accuracy, ("Balance", "Efficiency", "Precision"))
    fallback = faces.fallback_config
    if fallback is not None:
        scales = ("Scale", "ScaleWithoutBlur")
        where = f"{path}.FallbackConfig"
        yield from _choice(f"{where}.NoFaceDetect", fallback.no_face_detect, scales)
        yield from _choice(f"{where}.DoubleFace", fallback.double_face, (*scales, "SplitScreenVertical"))


def _choice(path: str, value: Any, allowed: Sequence[Any]) -> Iterator[Finding]:
    if value is None or value in allowed:
        return
    close = nearest(value, [item for item in allowed if item]) if isinstance(value, str) else None
    options = " or ".join(str(item) if item != "" else "an empty text" for item in allowed)
    yield Finding(path, f"{value!r} is not known", f"write {close or options}")


def _range(path: str, value: float | None, least: float, most: float) -> Iterator[Finding]:
    if value is None or (least <= value <= most and math.isfinite(value)):
        return
    wanted = f"{least:g} or more" if most == math.inf else f"{least:g} to {most:g}"
    yield Finding(path, f"{value:g} is out of range", f"write {wanted}")


def _placeholders(path: str, pattern: str | None, key: str) -> Iterator[Finding]:
    known = _PLACEHOLDERS[key]
    for name in re.findall(r"\{+([^{}]*)\}+", pattern or ""):
        if name not in known:
            close = nearest(name, known)
            fix = f"write {{{close}}}" if close else "use " + ", ".join(f"{{{item}}}" for item in sorted(known))
            yield Finding(path, f"{{{name}}} is no placeholder here", fix)


def _ignored(path: str, why: str, fix: str = "remove it") -> Finding:
    return Finding(path, f"has no effect: {why}", fix, "warning")
