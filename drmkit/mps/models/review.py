"""Results of content moderation."""

from __future__ import annotations

from drmkit.mps.wire import Model, Unsigned

__all__ = [
    "AiContentReviewResult",
    "AiReviewPoliticalAsrTaskInput",
    "AiReviewPoliticalAsrTaskOutput",
    "AiReviewPoliticalOcrTaskInput",
    "AiReviewPoliticalOcrTaskOutput",
    "AiReviewPoliticalTaskInput",
    "AiReviewPoliticalTaskOutput",
    "AiReviewPornAsrTaskInput",
    "AiReviewPornAsrTaskOutput",
    "AiReviewPornOcrTaskInput",
    "AiReviewPornOcrTaskOutput",
    "AiReviewPornTaskInput",
    "AiReviewPornTaskOutput",
    "AiReviewProhibitedAsrTaskInput",
    "AiReviewProhibitedAsrTaskOutput",
    "AiReviewProhibitedOcrTaskInput",
    "AiReviewProhibitedOcrTaskOutput",
    "AiReviewTaskPoliticalAsrResult",
    "AiReviewTaskPoliticalOcrResult",
    "AiReviewTaskPoliticalResult",
    "AiReviewTaskPornAsrResult",
    "AiReviewTaskPornOcrResult",
    "AiReviewTaskPornResult",
    "AiReviewTaskProhibitedAsrResult",
    "AiReviewTaskProhibitedOcrResult",
    "AiReviewTaskTerrorismOcrResult",
    "AiReviewTaskTerrorismResult",
    "AiReviewTerrorismOcrTaskInput",
    "AiReviewTerrorismOcrTaskOutput",
    "AiReviewTerrorismTaskInput",
    "AiReviewTerrorismTaskOutput",
    "MediaContentReviewAsrTextSegmentItem",
    "MediaContentReviewOcrTextSegmentItem",
    "MediaContentReviewPoliticalSegmentItem",
    "MediaContentReviewSegmentItem",
]


class AiReviewPornTaskInput(Model):
    """A pornography moderation task."""

    definition: Unsigned | None = None


class MediaContentReviewSegmentItem(Model):
    """A suspicious segment."""

    start_time_offset: float | None = None
    end_time_offset: float | None = None
    confidence: float | None = None
    label: str | None = None
    suggestion: str | None = None
    url: str | None = None
    pic_url_expire_time: str | None = None


class AiReviewPornTaskOutput(Model):
    """What the pornography moderation task found."""

    confidence: float | None = None
    suggestion: str | None = None
    label: str | None = None
    segment_set: list[MediaContentReviewSegmentItem] | None = None


class AiReviewTaskPornResult(Model):
    """How the pornography moderation task ended."""

    status: str | None = None
    err_code_ext: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: AiReviewPornTaskInput | None = None
    output: AiReviewPornTaskOutput | None = None


class AiReviewTerrorismTaskInput(Model):
    """A terrorism moderation task."""

    definition: Unsigned | None = None


class AiReviewTerrorismTaskOutput(Model):
    """What the terrorism moderation task found."""

    confidence: float | None = None
    suggestion: str | None = None
    label: str | None = None
    segment_set: list[MediaContentReviewSegmentItem] | None = None


class AiReviewTaskTerrorismResult(Model):
    """How the terrorism moderation task ended."""

    status: str | None = None
    err_code_ext: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: AiReviewTerrorismTaskInput | None = None
    output: AiReviewTerrorismTaskOutput | None = None


class AiReviewPoliticalTaskInput(Model):
    """A political content moderation task."""

    definition: Unsigned | None = None


class MediaContentReviewPoliticalSegmentItem(Model):
    """A segment with suspicious political content."""

    start_time_offset: float | None = None
    end_time_offset: float | None = None
    confidence: float | None = None
    suggestion: str | None = None
    name: str | None = None
    label: str | None = None
    url: str | None = None
    area_coord_set: list[int] | None = None
    pic_url_expire_time: str | None = None


class AiReviewPoliticalTaskOutput(Model):
    """What the political content moderation task found."""

    confidence: float | None = None
    suggestion: str | None = None
    label: str | None = None
    segment_set: list[MediaContentReviewPoliticalSegmentItem] | None = None


class AiReviewTaskPoliticalResult(Model):
    """How the political content moderation task ended."""

    status: str | None = None
    err_code_ext: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: AiReviewPoliticalTaskInput | None = None
    output: AiReviewPoliticalTaskOutput | None = None


class AiReviewPornAsrTaskInput(Model):
    """A pornography speech moderation task."""

    definition: Unsigned | None = None


class MediaContentReviewAsrTextSegmentItem(Model):
    """A segment with suspicious speech."""

    start_time_offset: float | None = None
    end_time_offset: float | None = None
    confidence: float | None = None
    suggestion: str | None = None
    keyword_set: list[str] | None = None


class AiReviewPornAsrTaskOutput(Model):
    """What the pornography speech moderation task found."""

    confidence: float | None = None
    suggestion: str | None = None
    segment_set: list[MediaContentReviewAsrTextSegmentItem] | None = None


class AiReviewTaskPornAsrResult(Model):
    """How the pornography speech moderation task ended."""

    status: str | None = None
    err_code_ext: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: AiReviewPornAsrTaskInput | None = None
    output: AiReviewPornAsrTaskOutput | None = None


class AiReviewPornOcrTaskInput(Model):
    """A pornography on-screen text moderation task."""

    definition: Unsigned | None = None


class MediaContentReviewOcrTextSegmentItem(Model):
    """A segment with suspicious on-screen text."""

    start_time_offset: float | None = None
    end_time_offset: float | None = None
    confidence: float | None = None
    suggestion: str | None = None
    keyword_set: list[str] | None = None
    area_coord_set: list[int] | None = None
    url: str | None = None
    pic_url_expire_time: str | None = None


class AiReviewPornOcrTaskOutput(Model):
    """What the pornography on-screen text moderation task found."""

    confidence: float | None = None
    suggestion: str | None = None
    segment_set: list[MediaContentReviewOcrTextSegmentItem] | None = None


class AiReviewTaskPornOcrResult(Model):
    """How the pornography on-screen text moderation task ended."""

    status: str | None = None
    err_code_ext: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: AiReviewPornOcrTaskInput | None = None
    output: AiReviewPornOcrTaskOutput | None = None


class AiReviewPoliticalAsrTaskInput(Model):
    """A political content speech moderation task."""

    definition: Unsigned | None = None


class AiReviewPoliticalAsrTaskOutput(Model):
    """What the political content speech moderation task found."""

    confidence: float | None = None
    suggestion: str | None = None
    segment_set: list[MediaContentReviewAsrTextSegmentItem] | None = None


class AiReviewTaskPoliticalAsrResult(Model):
    """How the political content speech moderation task ended."""

    status: str | None = None
    err_code_ext: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: AiReviewPoliticalAsrTaskInput | None = None
    output: AiReviewPoliticalAsrTaskOutput | None = None


class AiReviewPoliticalOcrTaskInput(Model):
    """A political content on-screen text moderation task."""

    definition: Unsigned | None = None


class AiReviewPoliticalOcrTaskOutput(Model):
    """What the political content on-screen text moderation task found."""

    confidence: float | None = None
    suggestion: str | None = None
    segment_set: list[MediaContentReviewOcrTextSegmentItem] | None = None


class AiReviewTaskPoliticalOcrResult(Model):
    """How the political content on-screen text moderation task ended."""

    status: str | None = None
    err_code_ext: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: AiReviewPoliticalOcrTaskInput | None = None
    output: AiReviewPoliticalOcrTaskOutput | None = None


class AiReviewTerrorismOcrTaskInput(Model):
    """A terrorism on-screen text moderation task."""

    definition: Unsigned | None = None


class AiReviewTerrorismOcrTaskOutput(Model):
    """What the terrorism on-screen text moderation task found."""

    confidence: float | None = None
    suggestion: str | None = None
    segment_set: list[MediaContentReviewOcrTextSegmentItem] | None = None


class AiReviewTaskTerrorismOcrResult(Model):
    """How the terrorism on-screen text moderation task ended."""

    status: str | None = None
    err_code_ext: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: AiReviewTerrorismOcrTaskInput | None = None
    output: AiReviewTerrorismOcrTaskOutput | None = None


class AiReviewProhibitedAsrTaskInput(Model):
    """A prohibited content speech moderation task."""

    definition: Unsigned | None = None


class AiReviewProhibitedAsrTaskOutput(Model):
    """What the prohibited content speech moderation task found."""

    confidence: float | None = None
    suggestion: str | None = None
    segment_set: list[MediaContentReviewAsrTextSegmentItem] | None = None


class AiReviewTaskProhibitedAsrResult(Model):
    """How the prohibited content speech moderation task ended."""

    status: str | None = None
    err_code_ext: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: AiReviewProhibitedAsrTaskInput | None = None
    output: AiReviewProhibitedAsrTaskOutput | None = None


class AiReviewProhibitedOcrTaskInput(Model):
    """A prohibited content on-screen text moderation task."""

    definition: Unsigned | None = None


class AiReviewProhibitedOcrTaskOutput(Model):
    """What the prohibited content on-screen text moderation task found."""

    confidence: float | None = None
    suggestion: str | None = None
    segment_set: list[MediaContentReviewOcrTextSegmentItem] | None = None


class AiReviewTaskProhibitedOcrResult(Model):
    """How the prohibited content on-screen text moderation task ended."""

    status: str | None = None
    err_code_ext: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: AiReviewProhibitedOcrTaskInput | None = None
    output: AiReviewProhibitedOcrTaskOutput | None = None


class AiContentReviewResult(Model):
    """The result of one moderation task: `type` says which of the fields holds it."""

    type: str | None = None
    sample_rate: float | None = None
    duration: float | None = None
    porn_task: AiReviewTaskPornResult | None = None
    terrorism_task: AiReviewTaskTerrorismResult | None = None
    political_task: AiReviewTaskPoliticalResult | None = None
    porn_asr_task: AiReviewTaskPornAsrResult | None = None
    porn_ocr_task: AiReviewTaskPornOcrResult | None = None
    political_asr_task: AiReviewTaskPoliticalAsrResult | None = None
    political_ocr_task: AiReviewTaskPoliticalOcrResult | None = None
    terrorism_ocr_task: AiReviewTaskTerrorismOcrResult | None = None
    prohibited_asr_task: AiReviewTaskProhibitedAsrResult | None = None
    prohibited_ocr_task: AiReviewTaskProhibitedOcrResult | None = None
