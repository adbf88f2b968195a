"""Live stream processing: the request, its scheduled tasks."""

from __future__ import annotations

from drmkit.mps.models.quality import ScheduleQualityControlTaskResult
from drmkit.mps.models.smart import (
    AiAnalysisTaskInput,
    AiContentReviewTaskInput,
    AiQualityControlTaskInput,
    AiRecognitionTaskInput,
)
from drmkit.mps.models.storage import LiveStreamTaskNotifyConfig, TaskOutputStorage
from drmkit.mps.wire import Model, Needed, Unsigned

__all__ = [
    "LiveActivityResItem",
    "LiveActivityResult",
    "LiveRecordFile",
    "LiveRecordResult",
    "LiveRecordTaskInput",
    "LiveScheduleLiveRecordTaskResult",
    "LiveScheduleTask",
    "LiveSmartSubtitlesTaskInput",
    "LiveStreamProcessErrorInfo",
    "LiveStreamProcessTask",
    "ProcessLiveStreamRequest",
    "ProcessLiveStreamResponse",
]


class LiveStreamProcessErrorInfo(Model):
    """Why the processing of a live stream ended."""

    err_code: int | None = None
    message: str | None = None


class LiveStreamProcessTask(Model):
    """A task over a live stream."""

    task_id: str | None = None
    status: str | None = None
    err_code: int | None = None
    message: str | None = None
    url: str | None = None


class LiveRecordTaskInput(Model):
    """What a live recording is given."""

    definition: int | None = None
    output_storage: TaskOutputStorage | None = None
    output_object_path: str | None = None


class LiveRecordFile(Model):
    """A file that a live recording wrote."""

    url: str | None = None
    size: int | None = None
    duration: int | None = None
    start_time: str | None = None
    end_time: str | None = None


class LiveRecordResult(Model):
    """How the live record task ended."""

    output_storage: TaskOutputStorage | None = None
    file_list: list[LiveRecordFile] | None = None


class LiveScheduleLiveRecordTaskResult(Model):
    """How the live schedule live record task ended."""

    status: str | None = None
    err_code_ext: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: LiveRecordTaskInput | None = None
    output: LiveRecordResult | None = None
    begin_process_time: str | None = None
    finish_time: str | None = None


class LiveActivityResItem(Model):
    """The result of a node of a live orchestration: the one field that its kind names."""

    live_record_task: LiveScheduleLiveRecordTaskResult | None = None
    live_quality_control_task: ScheduleQualityControlTaskResult | None = None


class LiveActivityResult(Model):
    """How one node of a live orchestration ended."""

    activity_type: str | None = None
    live_activity_res_item: LiveActivityResItem | None = None


class LiveScheduleTask(Model):
    """A task of a live orchestration."""

    task_id: str | None = None
    status: str | None = None
    err_code: int | None = None
    message: str | None = None
    url: str | None = None
    live_activity_result_set: list[LiveActivityResult] | None = None


class LiveSmartSubtitlesTaskInput(Model):
    """A live smart subtitles task."""

    definition: Unsigned | None = None
    user_ext_para: str | None = None


class ProcessLiveStreamRequest(Model):
    """The request of ProcessLiveStream."""

    url: Needed[str] = None
    task_notify_config: Needed[LiveStreamTaskNotifyConfig] = None
    output_storage: TaskOutputStorage | None = None
    output_dir: str | None = None
    ai_content_review_task: AiContentReviewTaskInput | None = None
    ai_recognition_task: AiRecognitionTaskInput | None = None
    ai_analysis_task: AiAnalysisTaskInput | None = None
    ai_quality_control_task: AiQualityControlTaskInput | None = None
    smart_subtitles_task: LiveSmartSubtitlesTaskInput | None = None
    session_id: str | None = None
    session_context: str | None = None
    schedule_id: int | None = None
    resource_id: str | None = None


class ProcessLiveStreamResponse(Model):
    """The answer to ProcessLiveStream."""

    task_id: str | None = None
    request_id: str | None = None
