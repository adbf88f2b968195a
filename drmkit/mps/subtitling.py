"""Smart subtitles: the preset templates by name and number, tasks for files and live streams, and burning them in.

    subtitles_task("Generate_English_Subtitle_For_Chinese_Video")       # or 121, or "zh-en"
    burn_in(100040, "https://bucket.example.com/movie.vtt", font_type="simkai.ttf", font_size="10px")

Source: *Integration Tutorials* of Media Processing Service, "Smart Subtitle Access Tutorial".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from drmkit.errors import JobError
from drmkit.mps.findings import Finding, nearest, raise_errors
from drmkit.mps.locations import parse_input
from drmkit.mps.models.live import LiveSmartSubtitlesTaskInput
from drmkit.mps.models.request import TranscodeTaskInput
from drmkit.mps.models.smart import AiRecognitionTaskInput, RawSmartSubtitleParameter, SmartSubtitlesTaskInput
from drmkit.mps.models.templates import OverrideTranscodeParameter, SubtitleTemplate
from drmkit.mps.presets import find_preset

__all__ = [
    "LIVE_RECOGNITION",
    "TEMPLATES",
    "SubtitlesTemplate",
    "burn_in",
    "check_burning",
    "check_subtitles",
    "find_template",
    "live_subtitles_task",
    "subtitles_task",
]


class SubtitlesTemplate(msgspec.Struct, frozen=True):
    """A preset template of smart subtitles.

    Attributes:
        definition: its number.
        name: its name in the console.
        short: the language spoken, and those of the subtitles.
        meaning: what it makes.
    """

    definition: int
    name: str
    short: str
    meaning: str


TEMPLATES = {
    template.definition: template
    for template in (
        SubtitlesTemplate(
            100, "Generate_Chinese_Subtitle_For_Chinese_Video", "zh-zh", "Chinese speech, Chinese subtitles (WebVTT)"
        ),
        SubtitlesTemplate(
            121, "Generate_English_Subtitle_For_Chinese_Video", "zh-en", "Chinese speech, English subtitles"
        ),
        SubtitlesTemplate(
            122,
            "Generate_Chinese_And_English_Subtitle_For_Chinese_Video",
            "zh-zh+en",
            "Chinese speech, subtitles in both languages",
        ),
        SubtitlesTemplate(
            200, "Generate_English_Subtitle_For_English_Video", "en-en", "English speech, English subtitles"
        ),
        SubtitlesTemplate(
            211, "Generate_Chinese_Subtitle_For_English_Video", "en-zh", "English speech, Chinese subtitles"
        ),
        SubtitlesTemplate(
            212,
            "Generate_Chinese_And_English_Subtitle_For_English_Video",
            "en-zh+en",
            "English speech, subtitles in both languages",
        ),
    )
}
"""The preset templates for files, by number."""

LIVE_RECOGNITION = {10101: "Chinese subtitles of a live stream"}
"""Presets of content recognition that make subtitles of live streams."""

_NAMES = {name: item.definition for item in TEMPLATES.values() for name in (item.name, item.short)}
_COLOR = re.compile(r"0x(?:[0-9A-Fa-f]{6}|[0-9A-Fa-f]{8})")
_SIZE = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:px|%)")
_ALPHAS = ("FontAlpha", "BoardAlpha", "OutlineAlpha", "ShadowAlpha")
_COLORS = ("FontColor", "BoardColor", "OutlineColor", "ShadowColor")


def find_template(name: str | int) -> int:
    """Return the number of a template: a number is taken as it is, a name or short form is looked up.

    Raises:
        JobError: no such name.
    """
    shorts = [item.short for item in TEMPLATES.values()]
    return find_preset(name, _NAMES, what="subtitle template", offered=shorts)


def subtitles_task(
    template: str | int | None = None, *, raw: RawSmartSubtitleParameter | None = None
) -> SmartSubtitlesTaskInput:
    """Return a task that makes subtitles of a file.

    Args:
        template: a name, a short form such as `zh-en`, or a number; None with `raw`.
        raw: parameters instead of a template.

    Raises:
        JobError: no such template, both or neither, or parameters that contradict each other.
    """
    if (template is None) == (raw is None):
        raise JobError("subtitles need a template or parameters of their own, not both", hint="name a template")
    number = 0 if template is None else find_template(template)
    task = SmartSubtitlesTaskInput(definition=number, raw_parameter=raw)
    raise_errors(check_subtitles(task, "SmartSubtitlesTask"), "the subtitles task")
    return task


def live_subtitles_task(template: str | int) -> LiveSmartSubtitlesTaskInput | AiRecognitionTaskInput:
    """Return a task that makes subtitles of a live stream.

    The tutorial's preset, 10101, is a template of content recognition, so it makes an `AiRecognitionTaskInput`; other
    numbers are templates of smart subtitles, which ProcessLiveStream has taken since.

    Raises:
        JobError: no such template.
    """
    number = find_template(template)
    if number in LIVE_RECOGNITION:
        return AiRecognitionTaskInput(definition=number)
    return LiveSmartSubtitlesTaskInput(definition=number)


def check_subtitles(task: SmartSubtitlesTaskInput | LiveSmartSubtitlesTaskInput, path: str) -> Iterator[Finding]:
    """Yield what is wrong or doubtful about a subtitles task."""
    if task.definition in LIVE_RECOGNITION:
        yield Finding(
            f"{path}.Definition",
            f"{task.definition} is a template of content recognition",
            "write it into AiRecognitionTask",
        )
    raw = getattr(task, "raw_parameter", None)
    if not task.definition and raw is None:
        yield Finding(f"{path}.Definition", "is missing", "write the ID of a template, such as 122")
    if task.definition and raw is not None:
        message = f"has no effect: Definition is {task.definition}"
        yield Finding(f"{path}.RawParameter", message, "remove it, or write 0", "warning")
    if raw is not None:
        yield from _check_raw(raw, f"{path}.RawParameter")


def _check_raw(raw: RawSmartSubtitleParameter, path: str) -> Iterator[Finding]:
    translated = raw.translate_switch == "ON"
    if raw.translate_switch not in {None, "ON", "OFF"}:
        yield Finding(f"{path}.TranslateSwitch", f"{raw.translate_switch!r} is not known", "write ON or OFF")
    allowed = (1, 2) if translated else (0,)
    if raw.subtitle_type is not None and raw.subtitle_type not in allowed:
        state = "on" if translated else "off"
        options = "1 (translation) or 2 (both languages)" if translated else "0 (source language)"
        yield Finding(
            f"{path}.SubtitleType", f"{raw.subtitle_type} does not go with translation {state}", f"write {options}"
        )
    if translated and not raw.translate_dst_language:
        yield Finding(f"{path}.TranslateDstLanguage", "is missing, and TranslateSwitch is ON", "write a language: en")
    if raw.translate_dst_language and not translated:
        yield Finding(f"{path}.TranslateDstLanguage", "has no effect: TranslateSwitch is not ON", "write ON", "warning")


def burn_in(definition: int, place: str, *, stream: int | None = None, **style: Any) -> TranscodeTaskInput:
    """Return a transcoding task that burns subtitles into the picture.

    Args:
        definition: the ID of a transcoding template.
        place: the subtitle file (vtt, srt, ass): `https://...` or `cos://bucket/region/path`.
        stream: the number of the subtitle stream where `place` is a video.
        style: further fields of SubtitleTemplate under their Python names, such as `font_type`.

    Raises:
        JobError: a place that is none, a style that is none, or values that are out of range.
    """
    unknown = [name for name in style if name not in SubtitleTemplate.__struct_fields__]
    if unknown:
        close = nearest(unknown[0], SubtitleTemplate.__struct_fields__)
        raise JobError(f"subtitles have no style {unknown[0]!r}", hint=f"write {close}" if close else None)
    source = parse_input(place)
    files = {"path": place} if source.type == "URL" else {"subtitle_file_input": source}
    template = SubtitleTemplate(**(files | style), stream_index=stream)
    task = TranscodeTaskInput(
        definition=definition, override_parameter=OverrideTranscodeParameter(subtitle_template=template)
    )
    raise_errors(check_burning(template, "SubtitleTemplate"), "the subtitles")
    return task


def check_burning(template: SubtitleTemplate, path: str) -> Iterator[Finding]:
    """Yield what is wrong or doubtful about how subtitles are burned in."""
    fields = dict(zip(template.__struct_encode_fields__, msgspec.structs.astuple(template), strict=True))
    for name in _ALPHAS:
        if fields[name] is not None and not 0 <= fields[name] <= 1:
            yield Finding(f"{path}.{name}", f"{fields[name]:g} is out of range", "write 0 to 1")
    for name in _COLORS:
        if fields[name] is not None and not _COLOR.fullmatch(fields[name]):
            yield Finding(f"{path}.{name}", f"{fields[name]!r} is no color", "write it like 0xFFFFFF")
    if template.font_size is not None and not _SIZE.fullmatch(template.font_size):
        yield Finding(f"{path}.FontSize", f"{template.font_size!r} is no size", "write it like 10px or 5%")
    if template.stream_index is not None and template.stream_index < 0:
        yield Finding(f"{path}.StreamIndex", "is negative", "write the number of the subtitle stream, from 0")
    if template.path is None and template.subtitle_file_input is None and template.stream_index is None:
        yield Finding(path, "names no subtitles", "write Path, SubtitleFileInput or StreamIndex")
    if template.path is not None and template.subtitle_file_input is not None:
        yield Finding(f"{path}.Path", "has no effect: SubtitleFileInput is given", "keep one of the two", "warning")
