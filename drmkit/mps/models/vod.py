"""Video on Demand's way to MPS (VOD API, version 2018-07-17): ProcessMediaByMPS, its task, its event."""

from __future__ import annotations

from msgspec import field

from drmkit.mps.models.smart import (
    EraseArea,
    SmartErasePrivacyConfig,
    SmartEraseSubtitleConfig,
    SmartEraseWatermarkConfig,
    UpdateSmartErasePrivacyConfig,
    UpdateSmartEraseSubtitleConfig,
    UpdateSmartEraseWatermarkConfig,
)
from drmkit.mps.wire import Model, Needed, Unsigned

__all__ = [
    "DescribeVodTaskRequest",
    "DescribeVodTaskResponse",
    "MPSAiAnalysisTaskInput",
    "MPSOutputFile",
    "MPSOverrideEraseParameter",
    "MPSRawSmartEraseParameter",
    "MPSRawSmartSubtitleParameter",
    "MPSSelectingSubtitleAreasConfig",
    "MPSSmartEraseTaskInput",
    "MPSSmartSubtitlesTaskInput",
    "MPSSubTaskResult",
    "MPSTaskOutput",
    "ProcessMediaByMPS",
    "ProcessMediaByMPSRequest",
    "ProcessMediaByMPSResponse",
    "VodEvent",
]


class MPSAiAnalysisTaskInput(Model):
    """A content analysis task."""

    definition: Unsigned | None = None
    extended_parameter: str | None = None


class MPSSelectingSubtitleAreasConfig(Model):
    """Where subtitles stand in the picture."""

    auto_areas: list[EraseArea] | None = None
    sample_width: Unsigned | None = None
    sample_height: Unsigned | None = None


class MPSRawSmartSubtitleParameter(Model):
    """Subtitle parameters instead of a template."""

    subtitle_type: Needed[int] = None
    video_src_language: Needed[str] = None
    subtitle_format: str | None = None
    translate_switch: str | None = None
    translate_dst_language: str | None = None
    ext_info: str | None = None
    process_type: Unsigned | None = None
    selecting_subtitle_areas_config: MPSSelectingSubtitleAreasConfig | None = None
    subtitle_embed_id: int | None = None
    speaker_mode: int | None = None
    speaker_label: int | None = None


class MPSSmartSubtitlesTaskInput(Model):
    """A subtitle task; `raw_parameter` counts where `definition` is 0."""

    definition: Unsigned | None = None
    raw_parameter: MPSRawSmartSubtitleParameter | None = None


class MPSRawSmartEraseParameter(Model):
    """Erasing parameters instead of a template."""

    erase_type: Needed[str] = None
    erase_subtitle_config: SmartEraseSubtitleConfig | None = None
    erase_watermark_config: SmartEraseWatermarkConfig | None = None
    erase_privacy_config: SmartErasePrivacyConfig | None = None
    subtitle_embed_id: int | None = None
    use_original_pos: int | None = None
    use_original_size: int | None = None


class MPSOverrideEraseParameter(Model):
    """Erasing parameters that replace some of a template's."""

    erase_type: str | None = None
    erase_subtitle_config: UpdateSmartEraseSubtitleConfig | None = None
    erase_watermark_config: UpdateSmartEraseWatermarkConfig | None = None
    erase_privacy_config: UpdateSmartErasePrivacyConfig | None = None
    subtitle_embed_id: int | None = None


class MPSSmartEraseTaskInput(Model):
    """An erasing task; `raw_parameter` counts where `definition` is 0, `override_parameter` where it is not."""

    definition: Unsigned | None = None
    raw_parameter: MPSRawSmartEraseParameter | None = None
    override_parameter: MPSOverrideEraseParameter | None = None


class ProcessMediaByMPSRequest(Model):
    """The request of ProcessMediaByMPS: a file of VOD, and either the text of an MPS request or structured tasks."""

    file_id: Needed[str] = None
    sub_app_id: Needed[Unsigned] = None
    mps_process_media_params: str | None = field(default=None, name="MPSProcessMediaParams")
    ai_analysis_task: MPSAiAnalysisTaskInput | None = None
    smart_subtitles_task: MPSSmartSubtitlesTaskInput | None = None
    smart_erase_task: MPSSmartEraseTaskInput | None = None
    ext_info: str | None = None


class ProcessMediaByMPSResponse(Model):
    """The answer to ProcessMediaByMPS."""

    task_id: str | None = None
    request_id: str | None = None


class MPSOutputFile(Model):
    """One file that a task made: in VOD for good (`Permanent`, with a FileId), or at a URL for a while."""

    file_type: str | None = None
    storage_mode: str | None = None
    file_id: str | None = None
    url: str | None = None
    definition: str | None = None
    expired_time: int | None = None


class MPSTaskOutput(Model):
    """What a task made: files, and the text of the JSON that is `Output` in MPS."""

    output_files: list[MPSOutputFile] | None = None
    output_text: str | None = None


class MPSSubTaskResult(Model):
    """How one subtask ended; `err_code` is a text, and "0" is success."""

    task_type: str | None = None
    status: str | None = None
    err_code: str | None = None
    message: str | None = None
    input: str | None = None
    output: MPSTaskOutput | None = None


class ProcessMediaByMPS(Model):
    """A task of ProcessMediaByMPS; `err_code` speaks of its source alone, each subtask has a status of its own."""

    task_id: str | None = None
    status: str | None = None
    err_code: int | None = None
    message: str | None = None
    sub_task_set: list[MPSSubTaskResult] | None = None


class DescribeVodTaskRequest(Model):
    """The request of VOD's DescribeTaskDetail."""

    task_id: Needed[str] = None
    sub_app_id: Unsigned | None = None


class DescribeVodTaskResponse(Model):
    """The answer to VOD's DescribeTaskDetail, as far as it is about ProcessMediaByMPS."""

    task_type: str | None = None
    status: str | None = None
    create_time: str | None = None
    begin_process_time: str | None = None
    finish_time: str | None = None
    process_media_by_mps_task: ProcessMediaByMPS | None = field(default=None, name="ProcessMediaByMPSTask")
    request_id: str | None = None


class VodEvent(Model):
    """A callback of VOD, as far as it is about ProcessMediaByMPS."""

    event_type: str | None = None
    process_media_by_mps_complete_event: ProcessMediaByMPS | None = field(
        default=None, name="ProcessMediaByMPSCompleteEvent"
    )
