"""The answers that hold a whole task: DescribeTaskDetail, ParseNotification."""

from __future__ import annotations

from drmkit.mps.models.live import LiveScheduleTask, LiveStreamProcessTask
from drmkit.mps.models.media import MediaMetaData
from drmkit.mps.models.storage import MediaInputInfo, TaskNotifyConfig
from drmkit.mps.models.subtitles import (
    SmartSubtitleTaskAsrFullTextResultOutput,
    SmartSubtitleTaskResultInput,
    SmartSubtitleTaskTransTextResultOutput,
)
from drmkit.mps.models.task import EditMediaTask, ExtractBlindWatermarkTask, ScheduleTask, WorkflowTask
from drmkit.mps.wire import Model, Unsigned

__all__ = [
    "BatchSmartSubtitlesResult",
    "BatchSubTaskResult",
    "DescribeTaskDetailResponse",
    "ParseNotificationResponse",
    "SmartSubtitleTaskBatchOutput",
]


class DescribeTaskDetailResponse(Model):
    """The answer to DescribeTaskDetail; the task ID stands in the task that `task_type` names."""

    task_type: str | None = None
    status: str | None = None
    create_time: str | None = None
    begin_process_time: str | None = None
    finish_time: str | None = None
    edit_media_task: EditMediaTask | None = None
    workflow_task: WorkflowTask | None = None
    live_stream_process_task: LiveStreamProcessTask | None = None
    extract_blind_watermark_task: ExtractBlindWatermarkTask | None = None
    task_notify_config: TaskNotifyConfig | None = None
    tasks_priority: int | None = None
    session_id: str | None = None
    session_context: str | None = None
    ext_info: str | None = None
    schedule_task: ScheduleTask | None = None
    live_schedule_task: LiveScheduleTask | None = None
    request_id: str | None = None


class SmartSubtitleTaskBatchOutput(Model):
    """What the batch subtitles task produced."""

    progress: Unsigned | None = None
    status: str | None = None
    err_code_ext: str | None = None
    message: str | None = None
    trans_text_task: SmartSubtitleTaskTransTextResultOutput | None = None
    asr_full_text_task: SmartSubtitleTaskAsrFullTextResultOutput | None = None


class BatchSmartSubtitlesResult(Model):
    """How the subtitle tasks of a batch ended."""

    input: SmartSubtitleTaskResultInput | None = None
    outputs: list[SmartSubtitleTaskBatchOutput] | None = None


class BatchSubTaskResult(Model):
    """How the tasks of a batch ended."""

    input_infos: list[MediaInputInfo] | None = None
    metadatas: list[MediaMetaData] | None = None
    smart_subtitles_task_result: BatchSmartSubtitlesResult | None = None


class ParseNotificationResponse(Model):
    """A notification, as its callback carries it and as ParseNotification returns it."""

    event_type: str | None = None
    workflow_task_event: WorkflowTask | None = None
    edit_media_task_event: EditMediaTask | None = None
    session_id: str | None = None
    session_context: str | None = None
    schedule_task_event: ScheduleTask | None = None
    timestamp: int | None = None
    sign: str | None = None
    batch_task_event: BatchSubTaskResult | None = None
    extract_blind_watermark_task: ExtractBlindWatermarkTask | None = None
    request_id: str | None = None
