"""Results of quality control."""

from __future__ import annotations

from drmkit.mps.models.smart import AiQualityControlTaskInput
from drmkit.mps.wire import Model

__all__ = [
    "ContainerDiagnoseResultItem",
    "LLMDetectionIssue",
    "LLMDetectionReport",
    "LLMDetectionResultItem",
    "QualityControlData",
    "QualityControlItem",
    "QualityControlResult",
    "ScheduleQualityControlTaskResult",
]


class QualityControlItem(Model):
    """One spell of a quality problem."""

    confidence: int | None = None
    start_time_offset: float | None = None
    end_time_offset: float | None = None
    area_coord_set: list[int] | None = None


class QualityControlResult(Model):
    """Every spell of one kind of quality problem."""

    type: str | None = None
    quality_control_items: list[QualityControlItem] | None = None


class ContainerDiagnoseResultItem(Model):
    """One problem of a container."""

    category: str | None = None
    type: str | None = None
    severity_level: str | None = None
    date_time_set: list[str] | None = None
    timestamp_set: list[float] | None = None


class LLMDetectionIssue(Model):
    """One problem that a language model found."""

    tag: str | None = None
    description: str | None = None
    score: float | None = None
    confidence: float | None = None
    start_time_ms: int | None = None
    end_time_ms: int | None = None
    extra_data: str | None = None


class LLMDetectionResultItem(Model):
    """One part of a language model's report."""

    category: str | None = None
    group: str | None = None
    type: str | None = None
    score: float | None = None
    confidence: float | None = None
    issue_set: list[LLMDetectionIssue] | None = None


class LLMDetectionReport(Model):
    """What a language model says about the quality."""

    result_count: int | None = None
    result_set: list[LLMDetectionResultItem] | None = None


class QualityControlData(Model):
    """What quality control found."""

    no_audio: bool | None = None
    no_video: bool | None = None
    quality_evaluation_score: int | None = None
    quality_evaluation_mean_opinion_score: float | None = None
    aesthetic_evaluation_score: int | None = None
    quality_control_result_set: list[QualityControlResult] | None = None
    container_diagnose_result_set: list[ContainerDiagnoseResultItem] | None = None
    llm_detection_report: LLMDetectionReport | None = None


class ScheduleQualityControlTaskResult(Model):
    """How the quality control orchestration task ended."""

    status: str | None = None
    err_code_ext: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: AiQualityControlTaskInput | None = None
    output: QualityControlData | None = None
    progress: int | None = None
