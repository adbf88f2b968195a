"""ProcessMedia with all of its tasks, and the requests that follow and stop tasks."""

from __future__ import annotations

from drmkit.mps.models.smart import (
    AiAnalysisTaskInput,
    AiContentReviewTaskInput,
    AIDubbingTaskInput,
    AiQualityControlTaskInput,
    AiRecognitionTaskInput,
    SmartEraseTaskInput,
    SmartSubtitlesTaskInput,
)
from drmkit.mps.models.storage import MediaInputInfo, TaskNotifyConfig, TaskOutputStorage
from drmkit.mps.models.streaming import AdaptiveDynamicStreamingTaskInput
from drmkit.mps.models.templates import (
    BlindWatermarkInput,
    HeadTailParameter,
    MosaicInput,
    NumberFormat,
    OverrideTranscodeParameter,
    RawTranscodeParameter,
    WatermarkInput,
)
from drmkit.mps.wire import Model, Needed, Unsigned

__all__ = [
    "Activity",
    "ActivityPara",
    "AnimatedGraphicTaskInput",
    "DescribeTaskDetailRequest",
    "DescribeTasksRequest",
    "DescribeTasksResponse",
    "ExecRulesTask",
    "ImageSpriteTaskInput",
    "ManageTaskRequest",
    "ManageTaskResponse",
    "MediaProcessTaskInput",
    "ParseNotificationRequest",
    "ProcessMediaRequest",
    "ProcessMediaResponse",
    "RuleConditionItem",
    "Rules",
    "SampleSnapshotTaskInput",
    "SnapshotByTimeOffsetTaskInput",
    "TaskSimpleInfo",
    "TranscodeTaskInput",
]


class TranscodeTaskInput(Model):
    """A transcoding task; it knows no DRM."""

    definition: Needed[Unsigned] = None
    raw_parameter: RawTranscodeParameter | None = None
    override_parameter: OverrideTranscodeParameter | None = None
    watermark_set: list[WatermarkInput] | None = None
    blind_watermark: BlindWatermarkInput | None = None
    mosaic_set: list[MosaicInput] | None = None
    start_time_offset: float | None = None
    end_time_offset: float | None = None
    output_storage: TaskOutputStorage | None = None
    output_object_path: str | None = None
    segment_object_name: str | None = None
    object_number_format: NumberFormat | None = None
    head_tail_parameter: HeadTailParameter | None = None


class AnimatedGraphicTaskInput(Model):
    """An animated graphic task."""

    definition: Needed[Unsigned] = None
    start_time_offset: Needed[float] = None
    end_time_offset: Needed[float] = None
    output_storage: TaskOutputStorage | None = None
    output_object_path: str | None = None
    ext_info: str | None = None


class SnapshotByTimeOffsetTaskInput(Model):
    """A snapshot by time offset task."""

    definition: Needed[Unsigned] = None
    ext_time_offset_set: list[str] | None = None
    time_offset_set: list[float] | None = None
    watermark_set: list[WatermarkInput] | None = None
    output_storage: TaskOutputStorage | None = None
    output_object_path: str | None = None
    object_number_format: NumberFormat | None = None
    ext_info: str | None = None


class SampleSnapshotTaskInput(Model):
    """A sample snapshot task."""

    definition: Needed[Unsigned] = None
    watermark_set: list[WatermarkInput] | None = None
    output_storage: TaskOutputStorage | None = None
    output_object_path: str | None = None
    object_number_format: NumberFormat | None = None
    ext_info: str | None = None


class ImageSpriteTaskInput(Model):
    """An image sprite task."""

    definition: Needed[Unsigned] = None
    output_storage: TaskOutputStorage | None = None
    output_object_path: str | None = None
    web_vtt_object_name: str | None = None
    object_number_format: NumberFormat | None = None
    ext_info: str | None = None


class MediaProcessTaskInput(Model):
    """The media tasks of a job, by kind."""

    transcode_task_set: list[TranscodeTaskInput] | None = None
    animated_graphic_task_set: list[AnimatedGraphicTaskInput] | None = None
    snapshot_by_time_offset_task_set: list[SnapshotByTimeOffsetTaskInput] | None = None
    sample_snapshot_task_set: list[SampleSnapshotTaskInput] | None = None
    image_sprite_task_set: list[ImageSpriteTaskInput] | None = None
    adaptive_dynamic_streaming_task_set: list[AdaptiveDynamicStreamingTaskInput] | None = None


class RuleConditionItem(Model):
    """One condition of a rule."""

    key: str | None = None
    value: str | None = None


class Rules(Model):
    """One branch of a rule node."""

    id: str | None = None
    conditions: list[RuleConditionItem] | None = None
    linker: str | None = None
    rear_drive_indexs: list[int] | None = None


class ExecRulesTask(Model):
    """A node that chooses the next nodes by rules."""

    rules: list[Rules] | None = None


class ActivityPara(Model):
    """The parameters of a node: the one field that its kind names."""

    transcode_task: TranscodeTaskInput | None = None
    animated_graphic_task: AnimatedGraphicTaskInput | None = None
    snapshot_by_time_offset_task: SnapshotByTimeOffsetTaskInput | None = None
    sample_snapshot_task: SampleSnapshotTaskInput | None = None
    image_sprite_task: ImageSpriteTaskInput | None = None
    adaptive_dynamic_streaming_task: AdaptiveDynamicStreamingTaskInput | None = None
    ai_content_review_task: AiContentReviewTaskInput | None = None
    ai_analysis_task: AiAnalysisTaskInput | None = None
    ai_recognition_task: AiRecognitionTaskInput | None = None
    quality_control_task: AiQualityControlTaskInput | None = None
    exec_rules_task: ExecRulesTask | None = None
    smart_subtitles_task: SmartSubtitlesTaskInput | None = None
    smart_erase_task: SmartEraseTaskInput | None = None
    ai_dubbing_task: AIDubbingTaskInput | None = None


class Activity(Model):
    """One node of an inline orchestration."""

    activity_type: Needed[str] = None
    predrive_index: list[int] | None = None
    reardrive_index: list[int] | None = None
    activity_para: ActivityPara | None = None


class ProcessMediaRequest(Model):
    """The request of ProcessMedia: one input, where to write, and the tasks to run."""

    input_info: Needed[MediaInputInfo] = None
    output_storage: TaskOutputStorage | None = None
    output_dir: str | None = None
    schedule_id: int | None = None
    media_process_task: MediaProcessTaskInput | None = None
    ai_content_review_task: AiContentReviewTaskInput | None = None
    ai_analysis_task: AiAnalysisTaskInput | None = None
    ai_recognition_task: AiRecognitionTaskInput | None = None
    ai_quality_control_task: AiQualityControlTaskInput | None = None
    smart_subtitles_task: SmartSubtitlesTaskInput | None = None
    smart_erase_task: SmartEraseTaskInput | None = None
    ai_dubbing_task: AIDubbingTaskInput | None = None
    task_notify_config: TaskNotifyConfig | None = None
    tasks_priority: int | None = None
    session_id: str | None = None
    session_context: str | None = None
    task_type: str | None = None
    resource_id: str | None = None
    activities: list[Activity] | None = None
    skip_mate_data: int | None = None


class ProcessMediaResponse(Model):
    """The answer to ProcessMedia."""

    task_id: str | None = None
    request_id: str | None = None


class DescribeTaskDetailRequest(Model):
    """The request of DescribeTaskDetail."""

    task_id: Needed[str] = None


class DescribeTasksRequest(Model):
    """The request of DescribeTasks."""

    status: Needed[str] = None
    sub_task_has_failed: bool | None = None
    limit: Unsigned | None = None
    scroll_token: str | None = None
    start_time: str | None = None
    end_time: str | None = None


class TaskSimpleInfo(Model):
    """One line of DescribeTasks."""

    task_id: str | None = None
    task_type: str | None = None
    create_time: str | None = None
    begin_process_time: str | None = None
    finish_time: str | None = None
    sub_task_types: list[str] | None = None


class DescribeTasksResponse(Model):
    """The answer to DescribeTasks."""

    task_set: list[TaskSimpleInfo] | None = None
    scroll_token: str | None = None
    total_count: Unsigned | None = None
    request_id: str | None = None


class ManageTaskRequest(Model):
    """The request of ManageTask."""

    operation_type: Needed[str] = None
    task_id: Needed[str] = None


class ManageTaskResponse(Model):
    """The answer to ManageTask."""

    request_id: str | None = None


class ParseNotificationRequest(Model):
    """The request of ParseNotification."""

    content: Needed[str] = None
