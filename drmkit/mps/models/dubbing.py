"""Results of smart erasing and dubbing."""

from __future__ import annotations

from drmkit.mps.models.production import AiAnalysisTaskDelLogoOutput, SubtitlePosition
from drmkit.mps.models.smart import AIDubbingTaskInput, SmartEraseTaskInput
from drmkit.mps.models.storage import TaskOutputStorage
from drmkit.mps.wire import Model, Unsigned

__all__ = [
    "AIDubbingTaskOutput",
    "AIDubbingTaskResult",
    "SmartEraseTaskResult",
]


class SmartEraseTaskResult(Model):
    """How the smart erase task ended."""

    status: str | None = None
    err_code_ext: str | None = None
    message: str | None = None
    input: SmartEraseTaskInput | None = None
    output: AiAnalysisTaskDelLogoOutput | None = None
    progress: Unsigned | None = None
    begin_process_time: str | None = None
    finish_time: str | None = None


class AIDubbingTaskOutput(Model):
    """What the AI dubbing task found."""

    origin_subtitle_path: str | None = None
    translate_subtitle_path: str | None = None
    voice_cloned_video: str | None = None
    voice_cloned_mark_file: str | None = None
    video_path: str | None = None
    origin_subtitle_file_id: str | None = None
    translate_subtitle_file_id: str | None = None
    speaker_path: str | None = None
    speaker_file_id: str | None = None
    erase_video_file_id: str | None = None
    erase_video_path: str | None = None
    dst_audio_path: str | None = None
    dst_audio_file_id: str | None = None
    dubbing_edit_info_url: str | None = None
    subtitle_pos: SubtitlePosition | None = None
    output_storage: TaskOutputStorage | None = None


class AIDubbingTaskResult(Model):
    """How the AI dubbing task ended."""

    status: str | None = None
    err_code_ext: str | None = None
    message: str | None = None
    input: AIDubbingTaskInput | None = None
    output: AIDubbingTaskOutput | None = None
    progress: Unsigned | None = None
    begin_process_time: str | None = None
    finish_time: str | None = None
