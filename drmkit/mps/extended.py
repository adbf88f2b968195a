"""`ExtendedParameter` of analysis tasks as typed objects, and as the text of JSON that the API wants.

    parameter = ExtendedParameter(hht=Highlights(top_clip=10, force_cls=5003))
    parameter.text()                      # '{"hht":{"top_clip":10,"force_cls":5003}}', escaped once more in a request
    parse_extended(parameter.text())      # the same objects again

Source: *Integration Tutorials* of Media Processing Service, "Media AI Integration Tutorial": summary, highlights, smart
erase, splitting, horizontal-to-vertical. None stands for absent, and MPS then takes the default that a field names.
"""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec
from msgspec import field

from drmkit.errors import JobError
from drmkit.mps.findings import Finding, errors_of
from drmkit.mps.schema import examine, members
from drmkit.mps.wire import Model, convert

__all__ = [
    "Area",
    "CustomObjects",
    "Erase",
    "EraseObject",
    "ExtendedParameter",
    "Extension",
    "FaceDetectConfig",
    "FallbackConfig",
    "Highlights",
    "OcrFilter",
    "Split",
    "Strip",
    "SubtitleParameter",
    "Summary",
    "TimedObjects",
    "Vertical",
    "examine_extended",
    "parse_extended",
    "to_text",
]

E = TypeVar("E", bound="Extension")
_UNKNOWN = "has no field"
_NEAREST = "instead"
_TWO_SPELLINGS = ".delogo.output_pattern"
_UNREADABLE = (msgspec.MsgspecError, UnicodeError, RecursionError)


def _same(name: str) -> str:
    return name


class Extension(Model, rename=_same, kw_only=True):
    """A part of an ExtendedParameter, under the names that the tutorials give its keys.

    Attributes:
        further: keys that no tutorial has, with their values: MPS arranges such with its customers.
    """

    further: dict[str, Any] = field(default_factory=dict)

    def to_builtins(self) -> dict[str, Any]:
        """Return the part as dictionaries and lists, further keys included."""
        values = ((member.name, getattr(self, member.attribute)) for member in members(type(self)).values())
        found = {name: _plain(value) for name, value in values if value is not None}
        return found | {name: item for name, item in self.further.items() if name not in found}


class Split(Extension):
    """`des.split`: how a video is cut into parts.

    `method`: `llm` (default) or `nlp`; `model` for llm: Hunyuan, DeepSeek-V3 (default) or DeepSeek-R1;
    `max_split_time_sec`: the longest part in seconds (default 3600); `extend_prompt`: what the prompt adds.
    """

    method: str | None = None
    model: str | None = None
    max_split_time_sec: int | None = None
    extend_prompt: str | None = None


class Summary(Extension):
    """`des`: the summary of a video (template 22), and the language model of a splitting (template 27).

    `need_ocr`: read the text in the picture too (default false); `ocr_type`: `ppt` (default) or `other`;
    `only_segment`: 1 leaves out the summary (default 0); `text_requirement`: what the summary must be like;
    `dstlang`: `zh` (default) or `en`.
    """

    split: Split | None = None
    need_ocr: bool | None = None
    ocr_type: str | None = None
    only_segment: int | None = None
    text_requirement: str | None = None
    dstlang: str | None = None


class Highlights(Extension):
    """`hht`: the highlights of a video (template 26).

    `top_clip`: how many clips; `force_cls`: the category (`drmkit.mps.extendedrules.CATEGORIES`); `need_vad`: 1
    (default) lets sentences end; `threshold`: 0 to 1, clips below it are dropped; `res_save_type`: 1 (default) saves
    files, 0 gives times alone; `output_pattern`, `image_pattern`: file names; for files only, `merge_type`: 1 makes one
    video of them (the default but for category 5003), of `merge_time` seconds.
    """

    top_clip: int | None = None
    force_cls: int | None = None
    need_vad: int | None = None
    threshold: float | None = None
    res_save_type: int | None = None
    output_pattern: str | None = None
    image_pattern: str | None = None
    merge_type: int | None = None
    merge_time: int | None = None


class Strip(Extension):
    """`strip`: how a video is split (template 27); without it, as news.

    `type`: `content` (by a language model, see `Summary`) or `object` (where one of `objects` is to be seen).
    """

    type: str | None = None
    objects: list[str] | None = None
    object_set: list[int] | None = None


class Area(Extension):
    """A rectangle from its left top to its right bottom corner: pixels, or shares of the picture below 1."""

    lt_x: float | None = None
    lt_y: float | None = None
    rb_x: float | None = None
    rb_y: float | None = None


class OcrFilter(Extension):
    """`delogo.als_filter`: which recognized texts count: by height, and by the areas that they stand in."""

    min_ocr_height: float | None = None
    max_ocr_height: float | None = None
    active_areas: list[Area] | None = None


class EraseObject(Extension):
    """One thing to erase: where it is."""

    type: int | None = None
    score: float | None = None
    rect: Area | None = None


class TimedObjects(Extension):
    """Things to erase, all the time or from `begin_ms` to `end_ms`."""

    begin_ms: int | None = None
    end_ms: int | None = None
    objs: list[EraseObject] | None = None


class CustomObjects(Extension):
    """`delogo.custom_objs`: areas to erase without looking for anything in them."""

    type: int | None = None
    time_objs: list[TimedObjects] | None = None


class SubtitleParameter(Extension):
    """`delogo.subtitle_param`: `translate_dst_language` is `en`, `zh`, or empty for no translation."""

    translate_dst_language: str | None = None


class Erase(Extension):
    """`delogo`: what is erased (template 24); without any, watermarks.

    `customer_app_id` chooses the one scenario (`drmkit.mps.extendedrules.SCENARIOS`), `cluster_id` where it runs;
    `output_patten` (the API's spelling) names the file: `{task_type}-{session_id}` by default.
    """

    customer_app_id: str | None = field(default=None, name="CustomerAppId")
    cluster_id: str | None = None
    output_patten: str | None = None
    als_filter: OcrFilter | None = None
    custom_objs: CustomObjects | None = None
    subtitle_param: SubtitleParameter | None = None


class FallbackConfig(Extension):
    """What is shown where the face detection finds no face, or two.

    `no_face_detect`: `Scale` or `ScaleWithoutBlur` (default); `double_face`: these or `SplitScreenVertical` (default).
    """

    no_face_detect: str | None = field(default=None, name="NoFaceDetect")
    double_face: str | None = field(default=None, name="DoubleFace")


class FaceDetectConfig(Extension):
    """How faces are looked for.

    `face_score_thd`: from which score on a face counts; `face_accuracy`: `Efficiency`, `Balance` (default) or
    `Precision`.
    """

    face_score_thd: int | None = field(default=None, name="FaceScoreThd")
    face_accuracy: str | None = field(default=None, name="FaceAccuracy")
    fallback_config: FallbackConfig | None = field(default=None, name="FallbackConfig")


class Vertical(Extension):
    """`htv`: a horizontal video made vertical (template 28).

    `algorithm_type`: 1 general and quick, 2 several models (`model_name`), 3 faces, 5 scaled over a blurred picture;
    `ratio`: width to height (default 9:16); `blur_weight`: bigger blurs more; `smooth_weight`: 0 to 1, smaller moves
    quicker; `output_pattern`: the file name (default `htv-{sessionId}`).
    """

    algorithm_type: int | None = field(default=None, name="AlgorithmType")
    ratio: str | None = field(default=None, name="Ratio")
    model_name: str | None = field(default=None, name="ModelName")
    face_detect: int | None = field(default=None, name="FaceDetect")
    face_detect_config: FaceDetectConfig | None = field(default=None, name="FaceDetectConfig")
    output_pattern: str | None = field(default=None, name="OutputPattern")
    blur_weight: int | None = field(default=None, name="BlurWeight")
    smooth_weight: float | None = field(default=None, name="SmoothWeight")


class ExtendedParameter(Extension):
    """The whole parameter: the keys of one feature."""

    des: Summary | None = None
    hht: Highlights | None = None
    delogo: Erase | None = None
    strip: Strip | None = None
    htv: Vertical | None = None

    def text(self) -> str:
        """Return the text that the API wants; a JSON encoder escapes it once more in a request."""
        return to_text(self.to_builtins())


def to_text(value: Any) -> str:
    """Return the text of JSON for an object that stands where the API wants a text."""
    return msgspec.json.encode(value).decode()


def parse_extended(text: str) -> ExtendedParameter:
    """Return the objects that an ExtendedParameter holds; keys that no tutorial has are in their `further`.

    Raises:
        JobError: no JSON object, a value of the wrong type, or a misspelled key.
    """
    parameter, findings = examine_extended(text, "ExtendedParameter")
    wrong = errors_of(findings)
    if parameter is None or wrong:
        raise JobError(f"{wrong[0].path} {wrong[0].message}", hint=wrong[0].fix)
    return parameter


def examine_extended(text: str, path: str) -> tuple[ExtendedParameter | None, list[Finding]]:
    """Read an ExtendedParameter as far as it can be read.

    Args:
        text: the text; an empty one says nothing, which is allowed.
        path: where it stands.

    Returns:
        The objects, None where there is no JSON object; and what is wrong with the types and the names.
    """
    if not text.strip():
        return ExtendedParameter(), []
    try:
        value = msgspec.json.decode(text)
    except _UNREADABLE:
        return None, [_no_json(text, path)]
    if isinstance(value, str):
        return None, [Finding(path, "is escaped twice", f"write {value[:200]!r}")]
    if not isinstance(value, dict):
        return None, [Finding(path, "is JSON, but no object", 'write an object, such as {"hht":{"top_clip":10}}')]
    clean, findings = examine(ExtendedParameter, value, path)
    parameter = _with_further(convert(ExtendedParameter, clean), value)
    return parameter, [_perhaps_arranged(finding) for finding in findings]


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.to_builtins() if isinstance(value, Extension) else value


def _with_further(part: E, value: dict[str, Any]) -> E:
    """Put what a part was read from, and it has no field for, into its `further`, and so on inside it."""
    known = members(type(part))
    part.further = {name: item for name, item in value.items() if name not in known}
    for name in known.keys() & value.keys():
        inner, item = getattr(part, known[name].attribute), value[name]
        inside = zip(inner, item, strict=False) if isinstance(inner, list) else ((inner, item),)
        for one, came in inside:
            if isinstance(one, Extension) and isinstance(came, dict):
                _with_further(one, came)
    return part


def _no_json(text: str, path: str) -> Finding:
    try:
        msgspec.json.decode(re.sub(r'\\+"', '"', text))
    except _UNREADABLE:
        return Finding(path, "is no JSON (was it cut short?)", 'write an object, such as {"hht":{"top_clip":10}}')
    return Finding(path, "is escaped twice", "leave out one level of backslashes: the file's own writing escapes it")


def _perhaps_arranged(finding: Finding) -> Finding:
    """Let unknown keys pass that resemble no known one: MPS arranges further ones with its customers."""
    if finding.path.endswith(_TWO_SPELLINGS):
        message = "is what the tutorial's text calls it; its examples write output_patten"
        return Finding(finding.path, message, "write output_patten", "warning")
    if _UNKNOWN not in finding.message or finding.fix.endswith(_NEAREST):
        return finding
    name = finding.path.rpartition(".")[2]
    message = f"the tutorials have no key {name} here"
    return Finding(finding.path, message, "remove it, unless it was arranged with Tencent Cloud", "warning")
