"""Results of content analysis that describe a video: class, cover, tags, highlights, segments."""

from __future__ import annotations

from drmkit.mps.models.production import (
    AiAnalysisTaskCutoutResult,
    AiAnalysisTaskDelLogoResult,
    AiAnalysisTaskDubbingResult,
    AiAnalysisTaskGenericResult,
    AiAnalysisTaskHorizontalToVerticalResult,
    AiAnalysisTaskReelResult,
    AiAnalysisTaskVideoComprehensionResult,
    AiAnalysisTaskVideoRemakeResult,
)
from drmkit.mps.models.storage import TaskOutputStorage
from drmkit.mps.wire import Model, Unsigned

__all__ = [
    "AiAnalysisResult",
    "AiAnalysisTaskClassificationInput",
    "AiAnalysisTaskClassificationOutput",
    "AiAnalysisTaskClassificationResult",
    "AiAnalysisTaskCoverInput",
    "AiAnalysisTaskCoverOutput",
    "AiAnalysisTaskCoverResult",
    "AiAnalysisTaskDescriptionInput",
    "AiAnalysisTaskDescriptionOutput",
    "AiAnalysisTaskDescriptionResult",
    "AiAnalysisTaskFrameTagInput",
    "AiAnalysisTaskFrameTagOutput",
    "AiAnalysisTaskFrameTagResult",
    "AiAnalysisTaskHeadTailInput",
    "AiAnalysisTaskHeadTailOutput",
    "AiAnalysisTaskHeadTailResult",
    "AiAnalysisTaskHighlightInput",
    "AiAnalysisTaskHighlightOutput",
    "AiAnalysisTaskHighlightResult",
    "AiAnalysisTaskSegmentInput",
    "AiAnalysisTaskSegmentOutput",
    "AiAnalysisTaskSegmentResult",
    "AiAnalysisTaskTagInput",
    "AiAnalysisTaskTagOutput",
    "AiAnalysisTaskTagResult",
    "AiParagraphInfo",
    "HighlightSegmentItem",
    "MediaAiAnalysisClassificationItem",
    "MediaAiAnalysisCoverItem",
    "MediaAiAnalysisDescriptionItem",
    "MediaAiAnalysisFrameTagItem",
    "MediaAiAnalysisFrameTagSegmentItem",
    "MediaAiAnalysisHighlightItem",
    "MediaAiAnalysisTagItem",
    "SegmentRecognitionItem",
]


class AiAnalysisTaskClassificationInput(Model):
    """What the classification analysis task is given."""

    definition: Unsigned | None = None
    extended_parameter: str | None = None


class MediaAiAnalysisClassificationItem(Model):
    """One item: analysis: classification."""

    classification: str | None = None
    confidence: float | None = None


class AiAnalysisTaskClassificationOutput(Model):
    """What the classification analysis task produced."""

    classification_set: list[MediaAiAnalysisClassificationItem] | None = None


class AiAnalysisTaskClassificationResult(Model):
    """How the classification analysis task ended."""

    status: str | None = None
    err_code_ext: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: AiAnalysisTaskClassificationInput | None = None
    output: AiAnalysisTaskClassificationOutput | None = None


class AiAnalysisTaskCoverInput(Model):
    """What the cover analysis task is given."""

    definition: Unsigned | None = None
    extended_parameter: str | None = None


class MediaAiAnalysisCoverItem(Model):
    """One item: analysis: cover."""

    cover_path: str | None = None
    confidence: float | None = None


class AiAnalysisTaskCoverOutput(Model):
    """What the cover analysis task produced."""

    cover_set: list[MediaAiAnalysisCoverItem] | None = None
    output_storage: TaskOutputStorage | None = None


class AiAnalysisTaskCoverResult(Model):
    """How the cover analysis task ended."""

    status: str | None = None
    err_code_ext: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: AiAnalysisTaskCoverInput | None = None
    output: AiAnalysisTaskCoverOutput | None = None


class AiAnalysisTaskTagInput(Model):
    """What the tag analysis task is given."""

    definition: Unsigned | None = None
    extended_parameter: str | None = None


class MediaAiAnalysisTagItem(Model):
    """One item: analysis: tag."""

    tag: str | None = None
    confidence: float | None = None
    special_info: str | None = None


class AiAnalysisTaskTagOutput(Model):
    """What the tag analysis task produced."""

    tag_set: list[MediaAiAnalysisTagItem] | None = None


class AiAnalysisTaskTagResult(Model):
    """How the tag analysis task ended."""

    status: str | None = None
    err_code_ext: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: AiAnalysisTaskTagInput | None = None
    output: AiAnalysisTaskTagOutput | None = None


class AiAnalysisTaskFrameTagInput(Model):
    """What the frame tagging task is given."""

    definition: Unsigned | None = None
    extended_parameter: str | None = None


class MediaAiAnalysisFrameTagItem(Model):
    """One item: analysis: frame tag."""

    tag: str | None = None
    category_set: list[str] | None = None
    confidence: float | None = None


class MediaAiAnalysisFrameTagSegmentItem(Model):
    """One segment of a finding: analysis: frame tag."""

    start_time_offset: float | None = None
    end_time_offset: float | None = None
    tag_set: list[MediaAiAnalysisFrameTagItem] | None = None


class AiAnalysisTaskFrameTagOutput(Model):
    """What the frame tag analysis task produced."""

    segment_set: list[MediaAiAnalysisFrameTagSegmentItem] | None = None


class AiAnalysisTaskFrameTagResult(Model):
    """How the frame tag analysis task ended."""

    status: str | None = None
    err_code_ext: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: AiAnalysisTaskFrameTagInput | None = None
    output: AiAnalysisTaskFrameTagOutput | None = None


class AiAnalysisTaskHighlightInput(Model):
    """What the highlight analysis task is given."""

    definition: Unsigned | None = None
    extended_parameter: str | None = None


class HighlightSegmentItem(Model):
    """One segment of a highlight reel."""

    confidence: float | None = None
    start_time_offset: float | None = None
    end_time_offset: float | None = None
    segment_tags: list[str] | None = None
    begin_time: str | None = None
    end_time: str | None = None
    title: str | None = None
    summary: str | None = None


class MediaAiAnalysisHighlightItem(Model):
    """One item: analysis: highlight."""

    highlight_path: str | None = None
    cov_img_path: str | None = None
    confidence: float | None = None
    duration: float | None = None
    segment_set: list[HighlightSegmentItem] | None = None
    highlight_url: str | None = None
    cov_img_url: str | None = None


class AiAnalysisTaskHighlightOutput(Model):
    """What the highlight analysis task produced."""

    highlight_set: list[MediaAiAnalysisHighlightItem] | None = None
    output_storage: TaskOutputStorage | None = None


class AiAnalysisTaskHighlightResult(Model):
    """How the highlight analysis task ended."""

    status: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: AiAnalysisTaskHighlightInput | None = None
    output: AiAnalysisTaskHighlightOutput | None = None


class AiAnalysisTaskSegmentInput(Model):
    """What the segment analysis task is given."""

    definition: Unsigned | None = None
    extended_parameter: str | None = None


class SegmentRecognitionItem(Model):
    """One segment that a splitting task found."""

    confidence: float | None = None
    start_time_offset: float | None = None
    end_time_offset: float | None = None
    segment_url: str | None = None
    cov_img_url: str | None = None
    title: str | None = None
    summary: str | None = None
    keywords: list[str] | None = None
    begin_time: str | None = None
    end_time: str | None = None
    audio_url: str | None = None
    audio_begin_time: float | None = None
    audio_end_time: float | None = None
    person_position_url: str | None = None
    person_id: str | None = None


class AiAnalysisTaskSegmentOutput(Model):
    """What the segment analysis task produced."""

    segment_set: list[SegmentRecognitionItem] | None = None
    abstract: str | None = None


class AiAnalysisTaskSegmentResult(Model):
    """How the segment analysis task ended."""

    status: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: AiAnalysisTaskSegmentInput | None = None
    output: AiAnalysisTaskSegmentOutput | None = None


class AiAnalysisTaskHeadTailInput(Model):
    """What the head tail analysis task is given."""

    definition: Unsigned | None = None
    extended_parameter: str | None = None


class AiAnalysisTaskHeadTailOutput(Model):
    """What the head tail analysis task produced."""

    head_time_offset: float | None = None
    tail_time_offset: float | None = None


class AiAnalysisTaskHeadTailResult(Model):
    """How the head tail analysis task ended."""

    status: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: AiAnalysisTaskHeadTailInput | None = None
    output: AiAnalysisTaskHeadTailOutput | None = None


class AiAnalysisTaskDescriptionInput(Model):
    """What the description analysis task is given."""

    definition: Unsigned | None = None
    extended_parameter: str | None = None


class AiParagraphInfo(Model):
    """One paragraph of a summary."""

    summary: str | None = None
    title: str | None = None
    keywords: list[str] | None = None
    start_time_offset: float | None = None
    end_time_offset: float | None = None


class MediaAiAnalysisDescriptionItem(Model):
    """One item: analysis: description."""

    description: str | None = None
    confidence: float | None = None
    title: str | None = None
    keywords: list[str] | None = None
    paragraphs: list[AiParagraphInfo] | None = None
    mind_map_url: str | None = None
    mind_map_path: str | None = None
    subtitle_path: str | None = None
    output_storage: TaskOutputStorage | None = None


class AiAnalysisTaskDescriptionOutput(Model):
    """What the description analysis task produced."""

    description_set: list[MediaAiAnalysisDescriptionItem] | None = None


class AiAnalysisTaskDescriptionResult(Model):
    """How the description analysis task ended."""

    status: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: AiAnalysisTaskDescriptionInput | None = None
    output: AiAnalysisTaskDescriptionOutput | None = None


class AiAnalysisResult(Model):
    """The result of one analysis task: `type` says which of the fields holds it."""

    type: str | None = None
    classification_task: AiAnalysisTaskClassificationResult | None = None
    cover_task: AiAnalysisTaskCoverResult | None = None
    tag_task: AiAnalysisTaskTagResult | None = None
    frame_tag_task: AiAnalysisTaskFrameTagResult | None = None
    highlight_task: AiAnalysisTaskHighlightResult | None = None
    de_logo_task: AiAnalysisTaskDelLogoResult | None = None
    segment_task: AiAnalysisTaskSegmentResult | None = None
    head_tail_task: AiAnalysisTaskHeadTailResult | None = None
    description_task: AiAnalysisTaskDescriptionResult | None = None
    horizontal_to_vertical_task: AiAnalysisTaskHorizontalToVerticalResult | None = None
    dubbing_task: AiAnalysisTaskDubbingResult | None = None
    video_remake_task: AiAnalysisTaskVideoRemakeResult | None = None
    video_comprehension_task: AiAnalysisTaskVideoComprehensionResult | None = None
    cutout_task: AiAnalysisTaskCutoutResult | None = None
    reel_task: AiAnalysisTaskReelResult | None = None
    generic_task: AiAnalysisTaskGenericResult | None = None
