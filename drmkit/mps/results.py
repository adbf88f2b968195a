"""What tasks found and made, as one flat list: highlights, segments, paragraphs, files, problems, recognized text.

for result in results(detail.response):            # a DescribeTaskDetail answer, or a callback's message
    print(result.kind, result.start, result.end, result.path, result.title)
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from drmkit.errors import ProtocolError
from drmkit.mps.models import find
from drmkit.mps.models.vod import MPSSubTaskResult
from drmkit.mps.schema import walk
from drmkit.mps.wire import Model, convert

__all__ = ["Result", "results"]


class Result(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that a task found or made.

    Attributes:
        kind: what it is, such as `highlight`, `segment`, `paragraph`, `video`, `subtitles`, `quality issue`, `text`.
        path: where its file is: a path in the output storage, a URL, or a file ID.
        title: its title, or the translation of a text.
        text: what it says: a summary, recognized speech, a description.
        start: where it begins: seconds, or a moment in text for live streams.
        end: where it ends, likewise.
        confidence: 0 to 100, or 0 to 1, as MPS gives it.
        label: what it was recognized as, such as the kind of a problem.
        cover: where its cover image is.
    """

    kind: str
    path: str | None = None
    title: str | None = None
    text: str | None = None
    start: float | str | None = None
    end: float | str | None = None
    confidence: float | None = None
    label: str | None = None
    cover: str | None = None


# One line a class of the API: its kind, then the attributes that hold each part, the first that is set counts.
_TIMES = {
    "start": "start_time_offset start_pts_time start_pts_offset start_time begin_time timestamp",
    "end": "end_time_offset end_pts_time end_pts_offset end_time",
}
_TABLE: dict[str, tuple[str, dict[str, str]]] = {
    "MediaAiAnalysisDescriptionItem": ("summary", {"title": "title", "text": "description", "path": "mind_map_path"}),
    "AiParagraphInfo": ("paragraph", {"title": "title", "text": "summary"}),
    "LiveAiParagraphInfo": ("paragraph", {"title": "title", "text": "summary"}),
    "MediaAiAnalysisHighlightItem": (
        "highlights",
        {"path": "highlight_path highlight_url", "cover": "cov_img_path cov_img_url"},
    ),
    "HighlightSegmentItem": ("highlight", {"title": "title", "text": "summary"}),
    "SegmentRecognitionItem": (
        "segment",
        {"path": "segment_url", "title": "title", "text": "summary", "cover": "cov_img_url"},
    ),
    "AiAnalysisTaskDelLogoOutput": ("erased video", {"path": "path erased_video_path"}),
    "AiAnalysisTaskHorizontalToVerticalOutput": ("vertical video", {"path": "path"}),
    "MediaAiAnalysisClassificationItem": ("category", {"label": "classification"}),
    "MediaAiAnalysisTagItem": ("tag", {"label": "tag"}),
    "MediaAiAnalysisFrameTagItem": ("frame tag", {"label": "tag"}),
    "MediaAiAnalysisCoverItem": ("cover", {"path": "cover_path"}),
    "DiagnoseResult": ("format issue", {"label": "type", "text": "description", "title": "severity_level"}),
    "ContainerDiagnoseResultItem": ("format issue", {"label": "type", "title": "severity_level"}),
    "LiveRecordFile": ("recording", {"path": "url"}),
    "SubtitleTransResultItem": ("subtitles", {"path": "path", "label": "trans_dst"}),
    "SubtitleResult": ("subtitles", {"path": "path", "label": "language"}),
    "SmartSubtitleTaskAsrFullTextResultOutput": ("subtitles", {"path": "subtitle_path path"}),
    "SmartSubtitleTaskTransTextResultOutput": ("subtitles", {"path": "subtitle_path path"}),
    "AdaptiveDynamicStreamingInfoItem": ("video", {"path": "path", "label": "package"}),
    "MediaTranscodeItem": ("video", {"path": "path", "label": "container"}),
    "MPSOutputFile": ("file", {"path": "file_id url", "label": "file_type"}),
}
_TEXTS = {"text": "text", "title": "trans"}
_FINDINGS = {"label": "label name word type", "title": "suggestion", "path": "url"}
_OUTPUTS = {
    "AiAnalysis.DeLogo": "AiAnalysisTaskDelLogoOutput",
    "AiAnalysis.ClassificationTask": "AiAnalysisTaskClassificationOutput",
    "AiAnalysis.CoverTask": "AiAnalysisTaskCoverOutput",
    "AiAnalysis.TagTask": "AiAnalysisTaskTagOutput",
    "AiAnalysis.FrameTagTask": "AiAnalysisTaskFrameTagOutput",
    "AiAnalysis.HighlightTask": "AiAnalysisTaskHighlightOutput",
    "AiAnalysis.SegmentTask": "AiAnalysisTaskSegmentOutput",
    "AiAnalysis.DescriptionTask": "AiAnalysisTaskDescriptionOutput",
    "AiAnalysis.HorizontalToVerticalTask": "AiAnalysisTaskHorizontalToVerticalOutput",
    "SmartSubtitle.AsrFullTextTask": "SmartSubtitleTaskAsrFullTextResultOutput",
    "SmartSubtitle.TransTextTask": "SmartSubtitleTaskTransTextResultOutput",
    "SmartSubtitle.PureSubtitleTransTask": "PureSubtitleTransResultOutput",
    "SmartSubtitle.OcrFullTextTask": "SmartSubtitleTaskTextResultOutput",
}
"""The types of subtasks that VOD publishes, and the object of MPS whose JSON their OutputText is."""


def results(model: Model) -> tuple[Result, ...]:
    """Return what the tasks in an answer or a callback found and made, in its order, each thing once.

    Live quality inspection has two pairs of fields for the same, older and newer ones.
    """
    return tuple(dict.fromkeys(_found(model)))


def _found(model: Model) -> Iterator[Result]:
    for _, item in walk(model):
        name = type(item).__name__
        if name in _TABLE:
            yield from _row(item, *_TABLE[name])
        elif isinstance(item, MPSSubTaskResult):
            yield from _of_vod(item)
        elif name in _SPECIAL:
            yield from _SPECIAL[name](item)
        elif hasattr(item, "suggestion") or name.endswith(("RecognitionResult", "SegmentItem", "SubtitleResult")):
            yield from _recognized(item)


def _row(item: Any, kind: str, parts: dict[str, str]) -> Iterator[Result]:
    values = {part: _first(item, names) for part, names in (_TIMES | {"confidence": "confidence"} | parts).items()}
    if any(values.get(part) for part in ("path", "title", "text", "label")) or values["start"] is not None:
        yield Result(kind, **values)


def _recognized(item: Any) -> Iterator[Result]:
    """Yield a spell of recognized text, of something to be moderated, or of something seen."""
    if hasattr(item, "suggestion"):
        yield from _row(item, "moderation", _FINDINGS)
    elif hasattr(item, "text"):
        yield from _row(item, "text", _TEXTS)
    elif any(hasattr(item, name) for name in ("name", "word")):
        yield from _row(item, "recognition", _FINDINGS)


def _quality(item: Any) -> Iterator[Result]:
    for spell in item.quality_control_items or ():
        values = {part: _first(spell, names) for part, names in (_TIMES | {"confidence": "confidence"}).items()}
        yield Result("quality issue", label=item.type, **values)


def _score(item: Any) -> Iterator[Result]:
    if item.quality_evaluation_score is not None:
        yield Result("quality score", text=str(item.quality_evaluation_score))


_SPECIAL = {"QualityControlResult": _quality, "QualityControlData": _score}


def _of_vod(item: MPSSubTaskResult) -> Iterator[Result]:
    """Yield what the OutputText of a subtask holds, which is an Output of MPS as text of JSON."""
    text = item.output.output_text if item.output is not None else None
    kind = find(_OUTPUTS.get(item.task_type or "", ""))
    if not text or kind is None:
        return
    try:
        value = json.loads(text)
        output = convert(kind, value)
    except (ValueError, RecursionError, ProtocolError):
        return
    yield from _found(output)


def _first(item: Any, names: str) -> Any:
    found = (getattr(item, name, None) for name in names.split())
    return next((value for value in found if value is not None and value != ""), None)
