"""Results of smart subtitles."""

from __future__ import annotations

from drmkit.mps.models.recognition import WordResult
from drmkit.mps.models.smart import RawSmartSubtitleParameter
from drmkit.mps.models.storage import TaskOutputStorage
from drmkit.mps.wire import Model, Unsigned

__all__ = [
    "PureSubtitleTransResult",
    "PureSubtitleTransResultOutput",
    "SmartSubtitleTaskAsrFullTextResult",
    "SmartSubtitleTaskAsrFullTextResultOutput",
    "SmartSubtitleTaskAsrFullTextSegmentItem",
    "SmartSubtitleTaskFullTextResult",
    "SmartSubtitleTaskFullTextSegmentItem",
    "SmartSubtitleTaskResultInput",
    "SmartSubtitleTaskTextResultOutput",
    "SmartSubtitleTaskTransTextResult",
    "SmartSubtitleTaskTransTextResultOutput",
    "SmartSubtitleTaskTransTextSegmentItem",
    "SmartSubtitlesResult",
    "SubtitleResult",
    "SubtitleTransResultItem",
]


class SmartSubtitleTaskResultInput(Model):
    """What the task subtitles task is given."""

    definition: int | None = None
    raw_parameter: RawSmartSubtitleParameter | None = None
    user_ext_para: str | None = None


class SmartSubtitleTaskAsrFullTextSegmentItem(Model):
    """One segment of a finding: subtitles: speech full text."""

    confidence: float | None = None
    start_time_offset: float | None = None
    end_time_offset: float | None = None
    text: str | None = None
    wordlist: list[WordResult] | None = None
    speaker_id: str | None = None


class SubtitleResult(Model):
    """A subtitle file that was written."""

    language: str | None = None
    status: str | None = None
    path: str | None = None
    subtitle_embed_path: str | None = None
    subtitle_file_id: str | None = None


class SmartSubtitleTaskAsrFullTextResultOutput(Model):
    """What the speech full text subtitles task found."""

    segment_set: list[SmartSubtitleTaskAsrFullTextSegmentItem] | None = None
    path: str | None = None
    subtitle_path: str | None = None
    subtitle_info: SubtitleResult | None = None
    output_storage: TaskOutputStorage | None = None


class SmartSubtitleTaskAsrFullTextResult(Model):
    """How the speech full text subtitles task ended."""

    status: str | None = None
    err_code_ext: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: SmartSubtitleTaskResultInput | None = None
    output: SmartSubtitleTaskAsrFullTextResultOutput | None = None
    progress: Unsigned | None = None


class SmartSubtitleTaskTransTextSegmentItem(Model):
    """One segment of a finding: subtitles: translation text."""

    confidence: float | None = None
    start_time_offset: float | None = None
    end_time_offset: float | None = None
    text: str | None = None
    trans: str | None = None
    wordlist: list[WordResult] | None = None
    speaker_id: str | None = None


class SubtitleTransResultItem(Model):
    """A subtitle file in one target language."""

    status: str | None = None
    trans_src: str | None = None
    trans_dst: str | None = None
    path: str | None = None
    subtitle_embed_path: str | None = None
    subtitle_file_id: str | None = None


class SmartSubtitleTaskTransTextResultOutput(Model):
    """What the translation text subtitles task found."""

    segment_set: list[SmartSubtitleTaskTransTextSegmentItem] | None = None
    subtitle_path: str | None = None
    output_storage: TaskOutputStorage | None = None
    path: str | None = None
    subtitle_results: list[SubtitleTransResultItem] | None = None


class SmartSubtitleTaskTransTextResult(Model):
    """How the translation text subtitles task ended."""

    status: str | None = None
    err_code_ext: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: SmartSubtitleTaskResultInput | None = None
    output: SmartSubtitleTaskTransTextResultOutput | None = None
    progress: Unsigned | None = None


class PureSubtitleTransResultOutput(Model):
    """What the pure subtitle translation task found."""

    output_storage: TaskOutputStorage | None = None
    subtitle_results: list[SubtitleTransResultItem] | None = None


class PureSubtitleTransResult(Model):
    """How the pure subtitle translation task ended."""

    status: str | None = None
    err_code_ext: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: SmartSubtitleTaskResultInput | None = None
    output: PureSubtitleTransResultOutput | None = None
    progress: Unsigned | None = None


class SmartSubtitleTaskFullTextSegmentItem(Model):
    """One segment of a finding: subtitles: full text."""

    confidence: float | None = None
    start_time_offset: float | None = None
    end_time_offset: float | None = None
    text: str | None = None
    trans: str | None = None
    speaker_id: str | None = None


class SmartSubtitleTaskTextResultOutput(Model):
    """What the text subtitles task found."""

    segment_set: list[SmartSubtitleTaskFullTextSegmentItem] | None = None
    recognize_subtitle_result: list[SubtitleResult] | None = None
    trans_subtitle_result: list[SubtitleResult] | None = None
    output_storage: TaskOutputStorage | None = None


class SmartSubtitleTaskFullTextResult(Model):
    """How the full text subtitles task ended."""

    status: str | None = None
    err_code_ext: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: SmartSubtitleTaskResultInput | None = None
    output: SmartSubtitleTaskTextResultOutput | None = None
    progress: Unsigned | None = None


class SmartSubtitlesResult(Model):
    """The result of one subtitle task: `type` says which of the fields holds it."""

    type: str | None = None
    asr_full_text_task: SmartSubtitleTaskAsrFullTextResult | None = None
    trans_text_task: SmartSubtitleTaskTransTextResult | None = None
    pure_subtitle_trans_task: PureSubtitleTransResult | None = None
    ocr_full_text_task: SmartSubtitleTaskFullTextResult | None = None
