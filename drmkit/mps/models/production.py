"""Results of content analysis that make a new video: logo removal, remake, cutout, reel, dubbing; and other kinds."""

from __future__ import annotations

from drmkit.mps.models.storage import TaskOutputStorage
from drmkit.mps.wire import Model, Unsigned

__all__ = [
    "AiAnalysisTaskCutoutInput",
    "AiAnalysisTaskCutoutOutput",
    "AiAnalysisTaskCutoutResult",
    "AiAnalysisTaskDelLogoInput",
    "AiAnalysisTaskDelLogoOutput",
    "AiAnalysisTaskDelLogoResult",
    "AiAnalysisTaskDubbingInput",
    "AiAnalysisTaskDubbingOutput",
    "AiAnalysisTaskDubbingResult",
    "AiAnalysisTaskGenericInput",
    "AiAnalysisTaskGenericOutput",
    "AiAnalysisTaskGenericResult",
    "AiAnalysisTaskHorizontalToVerticalInput",
    "AiAnalysisTaskHorizontalToVerticalOutput",
    "AiAnalysisTaskHorizontalToVerticalResult",
    "AiAnalysisTaskReelInput",
    "AiAnalysisTaskReelOutput",
    "AiAnalysisTaskReelResult",
    "AiAnalysisTaskVideoComprehensionInput",
    "AiAnalysisTaskVideoComprehensionOutput",
    "AiAnalysisTaskVideoComprehensionResult",
    "AiAnalysisTaskVideoRemakeInput",
    "AiAnalysisTaskVideoRemakeOutput",
    "AiAnalysisTaskVideoRemakeResult",
    "SubtitlePosition",
    "VideoComprehensionResultItem",
]


class AiAnalysisTaskDelLogoInput(Model):
    """What the remove logo analysis task is given."""

    definition: Unsigned | None = None
    extended_parameter: str | None = None


class SubtitlePosition(Model):
    """Where subtitles stand in the picture."""

    center_y: int | None = None


class AiAnalysisTaskDelLogoOutput(Model):
    """What the remove logo analysis task produced."""

    path: str | None = None
    output_storage: TaskOutputStorage | None = None
    origin_subtitle_path: str | None = None
    translate_subtitle_path: str | None = None
    subtitle_pos: SubtitlePosition | None = None
    voice_cloned_video: str | None = None
    voice_cloned_mark_file: str | None = None
    erased_video_path: str | None = None
    dubbing_edit_info_url: str | None = None
    file_id: str | None = None
    origin_subtitle_file_id: str | None = None
    translate_subtitle_file_id: str | None = None


class AiAnalysisTaskDelLogoResult(Model):
    """How the remove logo analysis task ended."""

    status: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: AiAnalysisTaskDelLogoInput | None = None
    output: AiAnalysisTaskDelLogoOutput | None = None


class AiAnalysisTaskHorizontalToVerticalInput(Model):
    """What the horizontal to vertical analysis task is given."""

    definition: Unsigned | None = None
    extended_parameter: str | None = None


class AiAnalysisTaskHorizontalToVerticalOutput(Model):
    """What the horizontal to vertical analysis task produced."""

    path: str | None = None
    output_storage: TaskOutputStorage | None = None
    confidence: float | None = None


class AiAnalysisTaskHorizontalToVerticalResult(Model):
    """How the horizontal to vertical analysis task ended."""

    status: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: AiAnalysisTaskHorizontalToVerticalInput | None = None
    output: AiAnalysisTaskHorizontalToVerticalOutput | None = None


class AiAnalysisTaskDubbingInput(Model):
    """What the dubbing analysis task is given."""

    definition: Unsigned | None = None
    extended_parameter: str | None = None


class AiAnalysisTaskDubbingOutput(Model):
    """What the dubbing analysis task produced."""

    video_path: str | None = None
    speaker_path: str | None = None
    voice_id: str | None = None
    output_storage: TaskOutputStorage | None = None
    extra_output: str | None = None
    video_file_id: str | None = None
    speaker_file_id: str | None = None


class AiAnalysisTaskDubbingResult(Model):
    """How the dubbing analysis task ended."""

    status: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: AiAnalysisTaskDubbingInput | None = None
    output: AiAnalysisTaskDubbingOutput | None = None


class AiAnalysisTaskVideoRemakeInput(Model):
    """What the video remake analysis task is given."""

    definition: Unsigned | None = None
    extended_parameter: str | None = None


class AiAnalysisTaskVideoRemakeOutput(Model):
    """What the video remake analysis task produced."""

    path: str | None = None
    output_storage: TaskOutputStorage | None = None


class AiAnalysisTaskVideoRemakeResult(Model):
    """How the video remake analysis task ended."""

    status: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: AiAnalysisTaskVideoRemakeInput | None = None
    output: AiAnalysisTaskVideoRemakeOutput | None = None


class AiAnalysisTaskVideoComprehensionInput(Model):
    """What the video comprehension analysis task is given."""

    definition: Unsigned | None = None
    extended_parameter: str | None = None


class VideoComprehensionResultItem(Model):
    """One answer about a video."""

    start_time: float | None = None
    end_time: float | None = None
    title: str | None = None
    description: str | None = None
    keywords: list[str] | None = None


class AiAnalysisTaskVideoComprehensionOutput(Model):
    """What the video comprehension analysis task produced."""

    video_comprehension_analysis_result: str | None = None
    video_comprehension_ext_info: str | None = None
    video_comprehension_result_list: list[VideoComprehensionResultItem] | None = None


class AiAnalysisTaskVideoComprehensionResult(Model):
    """How the video comprehension analysis task ended."""

    status: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: AiAnalysisTaskVideoComprehensionInput | None = None
    output: AiAnalysisTaskVideoComprehensionOutput | None = None
    err_code_ext: str | None = None
    progress: Unsigned | None = None
    begin_process_time: str | None = None
    finish_time: str | None = None


class AiAnalysisTaskCutoutInput(Model):
    """What the cutout analysis task is given."""

    definition: Unsigned | None = None
    extended_parameter: str | None = None


class AiAnalysisTaskCutoutOutput(Model):
    """What the cutout analysis task produced."""

    path: str | None = None
    output_storage: TaskOutputStorage | None = None


class AiAnalysisTaskCutoutResult(Model):
    """How the cutout analysis task ended."""

    status: str | None = None
    err_code_ext: str | None = None
    message: str | None = None
    input: AiAnalysisTaskCutoutInput | None = None
    output: AiAnalysisTaskCutoutOutput | None = None
    progress: Unsigned | None = None
    begin_process_time: str | None = None
    finish_time: str | None = None


class AiAnalysisTaskReelInput(Model):
    """What the reel analysis task is given."""

    definition: Unsigned | None = None
    extended_parameter: str | None = None


class AiAnalysisTaskReelOutput(Model):
    """What the reel analysis task produced."""

    video_path: str | None = None
    video_paths: list[str] | None = None
    script_path: str | None = None
    output_storage: TaskOutputStorage | None = None


class AiAnalysisTaskReelResult(Model):
    """How the reel analysis task ended."""

    status: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: AiAnalysisTaskReelInput | None = None
    output: AiAnalysisTaskReelOutput | None = None
    err_code_ext: str | None = None
    progress: Unsigned | None = None
    begin_process_time: str | None = None
    finish_time: str | None = None


class AiAnalysisTaskGenericInput(Model):
    """What the generic analysis task is given."""

    definition: Unsigned | None = None
    extended_parameter: str | None = None


class AiAnalysisTaskGenericOutput(Model):
    """What the generic analysis task produced."""

    output_storage: TaskOutputStorage | None = None
    result: str | None = None


class AiAnalysisTaskGenericResult(Model):
    """How the generic analysis task ended."""

    status: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: AiAnalysisTaskGenericInput | None = None
    output: AiAnalysisTaskGenericOutput | None = None
