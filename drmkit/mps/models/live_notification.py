"""Live stream notifications: moderation, recognition, analysis, quality, recording, subtitles."""

from __future__ import annotations

from msgspec import field

from drmkit.mps.models.analysis import MediaAiAnalysisHighlightItem, SegmentRecognitionItem
from drmkit.mps.models.live import LiveRecordFile, LiveStreamProcessErrorInfo
from drmkit.mps.models.quality import QualityControlResult
from drmkit.mps.wire import Model, Needed, Unsigned

__all__ = [
    "DiagnoseResult",
    "LiveAiAnalysisDescriptionItem",
    "LiveAiParagraphInfo",
    "LiveSmartSubtitleResult",
    "LiveStreamAiAnalysisResultInfo",
    "LiveStreamAiAnalysisResultItem",
    "LiveStreamAiQualityControlResultInfo",
    "LiveStreamAiRecognitionResultInfo",
    "LiveStreamAiRecognitionResultItem",
    "LiveStreamAiReviewImagePoliticalResult",
    "LiveStreamAiReviewImagePornResult",
    "LiveStreamAiReviewImageTerrorismResult",
    "LiveStreamAiReviewResultInfo",
    "LiveStreamAiReviewResultItem",
    "LiveStreamAiReviewVoicePornResult",
    "LiveStreamAiSmartSubtitleResultInfo",
    "LiveStreamAsrFullTextRecognitionResult",
    "LiveStreamAsrWordsRecognitionResult",
    "LiveStreamFaceRecognitionResult",
    "LiveStreamObjectRecognitionResult",
    "LiveStreamOcrFullTextRecognitionResult",
    "LiveStreamOcrWordsRecognitionResult",
    "LiveStreamRecordResultInfo",
    "LiveStreamTagRecognitionResult",
    "LiveStreamTransTextRecognitionResult",
    "ParseLiveStreamProcessNotificationRequest",
    "ParseLiveStreamProcessNotificationResponse",
]


class LiveStreamAiReviewImagePornResult(Model):
    """How the review image pornography live task ended."""

    start_pts_time: float | None = None
    end_pts_time: float | None = None
    confidence: float | None = None
    suggestion: str | None = None
    label: str | None = None
    url: str | None = None
    pic_url_expire_time: str | None = None


class LiveStreamAiReviewImageTerrorismResult(Model):
    """How the review image terrorism live task ended."""

    start_pts_time: float | None = None
    end_pts_time: float | None = None
    confidence: float | None = None
    suggestion: str | None = None
    label: str | None = None
    url: str | None = None
    pic_url_expire_time: str | None = None


class LiveStreamAiReviewImagePoliticalResult(Model):
    """How the review image political content live task ended."""

    start_pts_time: float | None = None
    end_pts_time: float | None = None
    confidence: float | None = None
    suggestion: str | None = None
    label: str | None = None
    name: str | None = None
    area_coord_set: list[int] | None = None
    url: str | None = None
    pic_url_expire_time: str | None = None


class LiveStreamAiReviewVoicePornResult(Model):
    """How the review voice pornography live task ended."""

    start_pts_time: float | None = None
    end_pts_time: float | None = None
    confidence: float | None = None
    suggestion: str | None = None
    label: str | None = None


class LiveStreamAiReviewResultItem(Model):
    """One finding of the live stream: review task."""

    type: str | None = None
    image_porn_result_set: list[LiveStreamAiReviewImagePornResult] | None = None
    image_terrorism_result_set: list[LiveStreamAiReviewImageTerrorismResult] | None = None
    image_political_result_set: list[LiveStreamAiReviewImagePoliticalResult] | None = None
    voice_porn_result_set: list[LiveStreamAiReviewVoicePornResult] | None = None


class LiveStreamAiReviewResultInfo(Model):
    """Findings of the review live task."""

    result_set: list[LiveStreamAiReviewResultItem] | None = None


class LiveStreamFaceRecognitionResult(Model):
    """How the face recognition live task ended."""

    id: str | None = None
    name: str | None = None
    type: str | None = None
    start_pts_time: float | None = None
    end_pts_time: float | None = None
    confidence: float | None = None
    area_coord_set: list[int] | None = None


class LiveStreamAsrWordsRecognitionResult(Model):
    """How the speech words recognition live task ended."""

    word: str | None = None
    start_pts_time: float | None = None
    end_pts_time: float | None = None
    confidence: float | None = None


class LiveStreamOcrWordsRecognitionResult(Model):
    """How the on-screen text words recognition live task ended."""

    word: str | None = None
    start_pts_time: float | None = None
    end_pts_time: float | None = None
    confidence: float | None = None
    area_coords: list[int] | None = None


class LiveStreamAsrFullTextRecognitionResult(Model):
    """How the speech full text recognition live task ended."""

    text: str | None = None
    start_pts_time: float | None = None
    end_pts_time: float | None = None
    confidence: float | None = None
    start_time: str | None = None
    end_time: str | None = None
    steady_state: bool | None = None
    user_id: str | None = None


class LiveStreamOcrFullTextRecognitionResult(Model):
    """How the on-screen text full text recognition live task ended."""

    text: str | None = None
    start_pts_time: float | None = None
    end_pts_time: float | None = None
    confidence: float | None = None
    area_coord_set: list[int] | None = None


class LiveStreamTransTextRecognitionResult(Model):
    """How the translation text recognition live task ended."""

    text: str | None = None
    start_pts_time: float | None = None
    end_pts_time: float | None = None
    confidence: float | None = None
    trans: str | None = None
    start_time: str | None = None
    end_time: str | None = None
    steady_state: bool | None = None
    user_id: str | None = None


class LiveStreamObjectRecognitionResult(Model):
    """How the object recognition live task ended."""

    name: str | None = None
    start_pts_offset: float | None = None
    end_pts_offset: float | None = None
    confidence: float | None = None
    area_coord_set: list[int] | None = None
    url: str | None = None


class LiveStreamTagRecognitionResult(Model):
    """How the tag recognition live task ended."""

    id: str | None = None
    start_pts_time: float | None = None
    end_pts_time: float | None = None
    confidence: float | None = None


class LiveStreamAiRecognitionResultItem(Model):
    """One finding of the live stream: recognition task."""

    type: str | None = None
    face_recognition_result_set: list[LiveStreamFaceRecognitionResult] | None = None
    asr_words_recognition_result_set: list[LiveStreamAsrWordsRecognitionResult] | None = None
    ocr_words_recognition_result_set: list[LiveStreamOcrWordsRecognitionResult] | None = None
    asr_full_text_recognition_result_set: list[LiveStreamAsrFullTextRecognitionResult] | None = None
    ocr_full_text_recognition_result_set: list[LiveStreamOcrFullTextRecognitionResult] | None = None
    trans_text_recognition_result_set: list[LiveStreamTransTextRecognitionResult] | None = None
    object_recognition_result_set: list[LiveStreamObjectRecognitionResult] | None = None
    tag_recognition_result_set: list[LiveStreamTagRecognitionResult] | None = None


class LiveStreamAiRecognitionResultInfo(Model):
    """Findings of the recognition live task."""

    result_set: list[LiveStreamAiRecognitionResultItem] | None = None


class LiveAiParagraphInfo(Model):
    """One paragraph of the summary of a live stream."""

    summary: str | None = None
    title: str | None = None
    keywords: list[str] | None = None
    start_time_offset: float | None = None
    end_time_offset: float | None = None
    begin_time: str | None = None
    end_time: str | None = None


class LiveAiAnalysisDescriptionItem(Model):
    """The summary of a live stream."""

    paragraphs: list[LiveAiParagraphInfo] | None = None


class LiveStreamAiAnalysisResultItem(Model):
    """One finding of the live stream: analysis task."""

    type: str | None = None
    segment_result_set: list[SegmentRecognitionItem] | None = None
    highlight_result_set: list[MediaAiAnalysisHighlightItem] | None = None
    description_result: LiveAiAnalysisDescriptionItem | None = None


class LiveStreamAiAnalysisResultInfo(Model):
    """Findings of the analysis live task."""

    result_set: list[LiveStreamAiAnalysisResultItem] | None = None


class DiagnoseResult(Model):
    """One problem of a live stream's format."""

    category: str | None = None
    type: str | None = None
    timestamp: float | None = None
    description: str | None = None
    date_time: str | None = None
    severity_level: str | None = None


class LiveStreamAiQualityControlResultInfo(Model):
    """Findings of the quality control live task."""

    quality_control_results: list[QualityControlResult] | None = None
    diagnose_results: list[DiagnoseResult] | None = None
    quality_control_result_set: list[QualityControlResult] | None = None
    diagnose_result_set: list[DiagnoseResult] | None = None


class LiveStreamRecordResultInfo(Model):
    """Findings of the record live task."""

    record_over: Unsigned | None = None
    file_results: list[LiveRecordFile] | None = None


class LiveSmartSubtitleResult(Model):
    """How the live smart subtitle task ended."""

    text: str | None = None
    start_pts_time: float | None = field(default=None, name="StartPTSTime")
    end_pts_time: float | None = field(default=None, name="EndPTSTime")
    trans: str | None = None
    start_time: str | None = None
    end_time: str | None = None
    steady_state: bool | None = None
    user_id: str | None = None


class LiveStreamAiSmartSubtitleResultInfo(Model):
    """Findings of the smart subtitle live task."""

    smart_subtitle_result: list[LiveSmartSubtitleResult] | None = None


class ParseLiveStreamProcessNotificationResponse(Model):
    """A notification about a live stream."""

    notification_type: str | None = None
    task_id: str | None = None
    process_eof_info: LiveStreamProcessErrorInfo | None = None
    ai_review_result_info: LiveStreamAiReviewResultInfo | None = None
    ai_recognition_result_info: LiveStreamAiRecognitionResultInfo | None = None
    ai_analysis_result_info: LiveStreamAiAnalysisResultInfo | None = None
    ai_quality_control_result_info: LiveStreamAiQualityControlResultInfo | None = None
    live_record_result_info: LiveStreamRecordResultInfo | None = None
    ai_smart_subtitle_result_info: LiveStreamAiSmartSubtitleResultInfo | None = None
    session_id: str | None = None
    session_context: str | None = None
    timestamp: int | None = None
    sign: str | None = None
    request_id: str | None = None


class ParseLiveStreamProcessNotificationRequest(Model):
    """The request of ParseLiveStreamProcessNotification."""

    content: Needed[str] = None
