"""Workflow, orchestration and editing tasks as DescribeTaskDetail and callbacks report them."""

from __future__ import annotations

from drmkit.mps.models.analysis import AiAnalysisResult
from drmkit.mps.models.dubbing import AIDubbingTaskResult, SmartEraseTaskResult
from drmkit.mps.models.media import (
    MediaMetaData,
    MediaProcessTaskAdaptiveDynamicStreamingResult,
    MediaProcessTaskAnimatedGraphicResult,
    MediaProcessTaskImageSpriteResult,
    MediaProcessTaskResult,
    MediaProcessTaskSampleSnapshotResult,
    MediaProcessTaskSnapshotByTimeOffsetResult,
    MediaProcessTaskTranscodeResult,
)
from drmkit.mps.models.quality import ScheduleQualityControlTaskResult
from drmkit.mps.models.recognition import AiRecognitionResult
from drmkit.mps.models.request import ExecRulesTask
from drmkit.mps.models.review import AiContentReviewResult
from drmkit.mps.models.smart import (
    AiAnalysisTaskInput,
    AiContentReviewTaskInput,
    AiRecognitionTaskInput,
    SmartSubtitlesTaskInput,
)
from drmkit.mps.models.storage import MediaInputInfo, TaskOutputStorage
from drmkit.mps.models.subtitles import SmartSubtitlesResult
from drmkit.mps.wire import Model

__all__ = [
    "ActivityResItem",
    "ActivityResult",
    "EditMediaFileInfo",
    "EditMediaTask",
    "EditMediaTaskInput",
    "EditMediaTaskOutput",
    "ExecRuleTaskData",
    "ExtractBlindWatermarkTask",
    "ExtractBlindWatermarkTaskConfig",
    "ScheduleAnalysisTaskResult",
    "ScheduleExecRuleTaskResult",
    "ScheduleRecognitionTaskResult",
    "ScheduleReviewTaskResult",
    "ScheduleSmartSubtitleTaskResult",
    "ScheduleTask",
    "WorkflowTask",
]


class WorkflowTask(Model):
    """A task of ProcessMedia; `err_code` speaks of its source alone, each subtask has a status of its own."""

    task_id: str | None = None
    status: str | None = None
    err_code: int | None = None
    message: str | None = None
    input_info: MediaInputInfo | None = None
    meta_data: MediaMetaData | None = None
    media_process_result_set: list[MediaProcessTaskResult] | None = None
    ai_content_review_result_set: list[AiContentReviewResult] | None = None
    ai_analysis_result_set: list[AiAnalysisResult] | None = None
    ai_recognition_result_set: list[AiRecognitionResult] | None = None
    ai_quality_control_task_result: ScheduleQualityControlTaskResult | None = None
    smart_subtitles_task_result: list[SmartSubtitlesResult] | None = None
    smart_erase_task_result: SmartEraseTaskResult | None = None
    ai_dubbing_task_result: AIDubbingTaskResult | None = None


class ScheduleRecognitionTaskResult(Model):
    """How the recognition orchestration task ended."""

    status: str | None = None
    err_code_ext: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: AiRecognitionTaskInput | None = None
    output: list[AiRecognitionResult] | None = None
    begin_process_time: str | None = None
    finish_time: str | None = None


class ScheduleReviewTaskResult(Model):
    """How the review orchestration task ended."""

    status: str | None = None
    err_code_ext: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: AiContentReviewTaskInput | None = None
    output: list[AiContentReviewResult] | None = None
    begin_process_time: str | None = None
    finish_time: str | None = None


class ScheduleAnalysisTaskResult(Model):
    """How the analysis orchestration task ended."""

    status: str | None = None
    err_code_ext: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: AiAnalysisTaskInput | None = None
    output: list[AiAnalysisResult] | None = None
    begin_process_time: str | None = None
    finish_time: str | None = None


class ExecRuleTaskData(Model):
    """Which branch of a rule node was taken."""

    rear_drive_index: list[int] | None = None


class ScheduleExecRuleTaskResult(Model):
    """How the run rule orchestration task ended."""

    status: str | None = None
    err_code_ext: str | None = None
    message: str | None = None
    input: ExecRulesTask | None = None
    output: ExecRuleTaskData | None = None


class ScheduleSmartSubtitleTaskResult(Model):
    """How the smart subtitle orchestration task ended."""

    status: str | None = None
    err_code_ext: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: SmartSubtitlesTaskInput | None = None
    output: list[SmartSubtitlesResult] | None = None
    begin_process_time: str | None = None
    finish_time: str | None = None


class ActivityResItem(Model):
    """The result of a node: the one field that its kind names."""

    transcode_task: MediaProcessTaskTranscodeResult | None = None
    animated_graphic_task: MediaProcessTaskAnimatedGraphicResult | None = None
    snapshot_by_time_offset_task: MediaProcessTaskSnapshotByTimeOffsetResult | None = None
    sample_snapshot_task: MediaProcessTaskSampleSnapshotResult | None = None
    image_sprite_task: MediaProcessTaskImageSpriteResult | None = None
    adaptive_dynamic_streaming_task: MediaProcessTaskAdaptiveDynamicStreamingResult | None = None
    recognition_task: ScheduleRecognitionTaskResult | None = None
    review_task: ScheduleReviewTaskResult | None = None
    analysis_task: ScheduleAnalysisTaskResult | None = None
    quality_control_task: ScheduleQualityControlTaskResult | None = None
    exec_rule_task: ScheduleExecRuleTaskResult | None = None
    smart_subtitles_task: ScheduleSmartSubtitleTaskResult | None = None
    smart_erase_task: SmartEraseTaskResult | None = None
    ai_dubbing_task: AIDubbingTaskResult | None = None


class ActivityResult(Model):
    """How one node of an orchestration ended."""

    activity_type: str | None = None
    activity_res_item: ActivityResItem | None = None


class ScheduleTask(Model):
    """A task of an orchestration; its results hang on its activities."""

    task_id: str | None = None
    status: str | None = None
    err_code: int | None = None
    message: str | None = None
    input_info: MediaInputInfo | None = None
    meta_data: MediaMetaData | None = None
    activity_result_set: list[ActivityResult] | None = None


class EditMediaFileInfo(Model):
    """One source of an editing task."""

    input_info: MediaInputInfo | None = None
    start_time_offset: float | None = None
    end_time_offset: float | None = None
    id: str | None = None


class EditMediaTaskInput(Model):
    """An edit media task."""

    file_info_set: list[EditMediaFileInfo] | None = None


class EditMediaTaskOutput(Model):
    """What the edit media task found."""

    output_storage: TaskOutputStorage | None = None
    path: str | None = None
    meta_data: MediaMetaData | None = None


class EditMediaTask(Model):
    """A task that cuts and joins files."""

    task_id: str | None = None
    status: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: EditMediaTaskInput | None = None
    output: EditMediaTaskOutput | None = None


class ExtractBlindWatermarkTaskConfig(Model):
    """How an invisible watermark is looked for."""

    segment_duration: int | None = None


class ExtractBlindWatermarkTask(Model):
    """A task that looks for an invisible watermark."""

    task_id: str | None = None
    status: str | None = None
    err_code: int | None = None
    message: str | None = None
    input_info: MediaInputInfo | None = None
    type: str | None = None
    is_detected: bool | None = None
    result: str | None = None
    extract_blind_watermark_config: ExtractBlindWatermarkTaskConfig | None = None
