"""What the AI tasks of a job may say, for files and for live streams: each by its own rules, and their templates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from drmkit.mps.findings import Finding
from drmkit.mps.models.request import ProcessMediaRequest
from drmkit.mps.models.smart import (
    AiAnalysisTaskInput,
    AiContentReviewTaskInput,
    AiQualityControlTaskInput,
    AiRecognitionTaskInput,
    SmartEraseTaskInput,
    SmartSubtitlesTaskInput,
)
from drmkit.mps.models.templates import SubtitleTemplate
from drmkit.mps.wire import Model

__all__ = ["check_ai_tasks", "check_input_kind"]

_OTHERS: dict[type[Model], str] = {
    AiContentReviewTaskInput: "moderation",
    AiRecognitionTaskInput: "recognition",
    SmartEraseTaskInput: "smart erase",
}
"""The tasks of which the number of the template alone is checked, and what these are called."""
_NO_S3 = {
    "ai_analysis_task": "AiAnalysisTask",
    "smart_subtitles_task": "SmartSubtitlesTask",
    "smart_erase_task": "SmartEraseTask",
}
_DOUBTFUL_S3 = {
    "ai_quality_control_task": "AiQualityControlTask",
    "ai_recognition_task": "AiRecognitionTask",
    "ai_content_review_task": "AiContentReviewTask",
}


def check_ai_tasks(objects: Iterable[tuple[str, Model]], *, live: bool) -> Iterator[Finding]:
    """Yield what is wrong or doubtful about the AI tasks of a request, those of an orchestration included.

    Args:
        objects: the objects of the request with their paths.
        live: whether it is about a live stream.
    """
    for path, model in objects:
        yield from _check(model, path, live=live)


def _check(model: Any, path: str, *, live: bool) -> Iterator[Finding]:
    kind = type(model)
    if kind is AiAnalysisTaskInput:
        from drmkit.mps.analysis import check_analysis  # noqa: PLC0415 (DRM jobs need none of these)

        yield from check_analysis(model, path, live=live)
        yield from _strange(model, path, "analysis")
    elif kind is AiQualityControlTaskInput:
        from drmkit.mps.inspection import check_inspection  # noqa: PLC0415

        yield from check_inspection(model, path)
        yield from _strange(model, path, "quality")
    elif kind is SmartSubtitlesTaskInput or kind.__name__ == "LiveSmartSubtitlesTaskInput":
        from drmkit.mps.subtitling import check_subtitles  # noqa: PLC0415

        yield from check_subtitles(model, path)
        yield from _strange(model, path, "subtitles")
    elif kind in _OTHERS:
        yield from _strange(model, path, _OTHERS[kind])
    elif kind is SubtitleTemplate:
        from drmkit.mps.subtitling import check_burning  # noqa: PLC0415

        yield from check_burning(model, path)


def _strange(task: Any, path: str, kind: str) -> Iterator[Finding]:
    """Yield a finding where a task names the preset template of another kind of task."""
    from drmkit.mps.analysis import FEATURES  # noqa: PLC0415
    from drmkit.mps.inspection import INSPECTIONS  # noqa: PLC0415
    from drmkit.mps.subtitling import LIVE_RECOGNITION, TEMPLATES  # noqa: PLC0415

    presets = {
        "analysis": {number for item in FEATURES.values() for number in (item.definition, *item.also)},
        "quality": {item.definition for item in INSPECTIONS.values()},
        "subtitles": set(TEMPLATES),
        "recognition": {*LIVE_RECOGNITION, 10, 20},
        "moderation": {10, 20},
        "smart erase": set(),
    }
    if not task.definition or task.definition in presets[kind]:
        return
    others = [name for name, numbers in presets.items() if task.definition in numbers and name != kind]
    if others and not (kind == "subtitles" and "recognition" in others):
        yield Finding(
            f"{path}.Definition",
            f"{task.definition} is a preset template of {' and '.join(others)}, not of {kind}",
            "check the number: each kind of task has templates of its own",
            "warning",
        )


def check_input_kind(body: ProcessMediaRequest) -> Iterator[Finding]:
    """Yield a finding for each task that cannot read from where the input is."""
    if body.input_info is None or body.input_info.type != "AWS-S3":
        return
    for attribute, name in _NO_S3.items():
        if getattr(body, attribute) is not None:
            yield Finding(
                "InputInfo.Type", f"AWS-S3 is no input for {name}", "copy the file to COS, or give an https URL"
            )
    for attribute, name in _DOUBTFUL_S3.items():
        if getattr(body, attribute) is not None:
            yield Finding(
                "InputInfo.Type",
                f"AWS-S3 inputs are documented for transcoding only, and {name} is another task",
                "copy the file to COS, or give an https URL, if the task fails",
                "warning",
            )
