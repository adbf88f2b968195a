"""Inputs of the AI tasks: moderation, analysis, recognition, quality, subtitles, erasing, dubbing."""

from __future__ import annotations

from drmkit.mps.models.storage import MediaInputInfo, TaskOutputStorage
from drmkit.mps.wire import Model, Needed, Unsigned

__all__ = [
    "AIDubbingTaskInput",
    "AiAnalysisTaskInput",
    "AiContentReviewTaskInput",
    "AiQualityControlTaskInput",
    "AiRecognitionTaskInput",
    "AsrHotWordsConfigure",
    "DstSubtitleInput",
    "DubbingConfig",
    "DubbingEmbedSubtitleConfig",
    "DubbingOutputConfig",
    "DubbingSubtitleConfig",
    "DubbingTranslateConfig",
    "EraseArea",
    "EraseTimeArea",
    "OverrideAIDubbingParameter",
    "OverrideEraseParameter",
    "RawAIDubbingParameter",
    "RawSmartEraseParameter",
    "RawSmartSubtitleParameter",
    "SelectingSubtitleAreasConfig",
    "SmartErasePrivacyConfig",
    "SmartEraseSubtitleConfig",
    "SmartEraseTaskInput",
    "SmartEraseWatermarkConfig",
    "SmartSubtitlesTaskInput",
    "UpdateSmartErasePrivacyConfig",
    "UpdateSmartEraseSubtitleConfig",
    "UpdateSmartEraseWatermarkConfig",
]


class AiContentReviewTaskInput(Model):
    """A moderation task."""

    definition: Needed[Unsigned] = None


class AiAnalysisTaskInput(Model):
    """A content analysis task."""

    definition: Needed[Unsigned] = None
    extended_parameter: str | None = None


class AiRecognitionTaskInput(Model):
    """A content recognition task."""

    definition: Needed[Unsigned] = None
    user_ext_para: str | None = None


class AiQualityControlTaskInput(Model):
    """A quality control task."""

    definition: Unsigned | None = None
    channel_ext_para: str | None = None


class AsrHotWordsConfigure(Model):
    """Words that speech recognition should expect."""

    switch: str | None = None
    library_id: str | None = None


class EraseArea(Model):
    """A rectangle of the picture."""

    left_top_x: Needed[float] = None
    left_top_y: Needed[float] = None
    right_bottom_x: Needed[float] = None
    right_bottom_y: Needed[float] = None
    unit: Needed[Unsigned] = None


class SelectingSubtitleAreasConfig(Model):
    """Where subtitles stand in the picture."""

    auto_areas: list[EraseArea] | None = None
    sample_width: Unsigned | None = None
    sample_height: Unsigned | None = None


class RawSmartSubtitleParameter(Model):
    """Subtitle parameters instead of a template."""

    subtitle_type: Needed[int] = None
    video_src_language: Needed[str] = None
    subtitle_format: str | None = None
    translate_switch: str | None = None
    translate_dst_language: str | None = None
    asr_hot_words_configure: AsrHotWordsConfigure | None = None
    ext_info: str | None = None
    process_type: Unsigned | None = None
    selecting_subtitle_areas_config: SelectingSubtitleAreasConfig | None = None
    subtitle_embed_id: int | None = None
    speaker_mode: int | None = None
    speaker_label: int | None = None


class SmartSubtitlesTaskInput(Model):
    """A subtitle task."""

    definition: Unsigned | None = None
    user_ext_para: str | None = None
    raw_parameter: RawSmartSubtitleParameter | None = None
    output_storage: TaskOutputStorage | None = None
    output_object_path: str | None = None


class EraseTimeArea(Model):
    """Rectangles during a span of time."""

    begin_ms: Needed[Unsigned] = None
    end_ms: Needed[Unsigned] = None
    areas: Needed[list[EraseArea]] = None


class SmartEraseSubtitleConfig(Model):
    """Which subtitles to erase, and how."""

    subtitle_erase_method: Needed[str] = None
    subtitle_model: Needed[str] = None
    ocr_switch: str | None = None
    subtitle_lang: str | None = None
    subtitle_format: str | None = None
    trans_switch: str | None = None
    trans_dst_lang: str | None = None
    auto_areas: list[EraseArea] | None = None
    custom_areas: list[EraseTimeArea] | None = None
    subtitle_embed_id: Unsigned | None = None
    use_original_pos: int | None = None
    use_original_size: int | None = None


class SmartEraseWatermarkConfig(Model):
    """Which watermarks to erase, and how."""

    watermark_erase_method: Needed[str] = None
    watermark_model: Needed[str] = None
    auto_areas: list[EraseArea] | None = None
    custom_areas: list[EraseTimeArea] | None = None


class SmartErasePrivacyConfig(Model):
    """Which faces and plates to erase, and how."""

    privacy_model: Needed[str] = None
    privacy_targets: Needed[list[str]] = None


class RawSmartEraseParameter(Model):
    """Erasing parameters instead of a template."""

    erase_type: Needed[str] = None
    erase_subtitle_config: SmartEraseSubtitleConfig | None = None
    erase_watermark_config: SmartEraseWatermarkConfig | None = None
    erase_privacy_config: SmartErasePrivacyConfig | None = None
    subtitle_embed_id: int | None = None
    use_original_pos: int | None = None
    use_original_size: int | None = None


class UpdateSmartEraseSubtitleConfig(Model):
    """Changes to a template's subtitle erasing."""

    subtitle_erase_method: str | None = None
    subtitle_model: str | None = None
    ocr_switch: str | None = None
    subtitle_lang: str | None = None
    subtitle_format: str | None = None
    trans_switch: str | None = None
    trans_dst_lang: str | None = None
    auto_areas: list[EraseArea] | None = None
    custom_areas: list[EraseTimeArea] | None = None


class UpdateSmartEraseWatermarkConfig(Model):
    """Changes to a template's watermark erasing."""

    watermark_erase_method: str | None = None
    watermark_model: str | None = None
    auto_areas: list[EraseArea] | None = None
    custom_areas: list[EraseTimeArea] | None = None


class UpdateSmartErasePrivacyConfig(Model):
    """Changes to a template's face and plate erasing."""

    privacy_model: str | None = None
    privacy_targets: list[str] | None = None


class OverrideEraseParameter(Model):
    """Erasing parameters that replace some of a template's."""

    erase_type: str | None = None
    erase_subtitle_config: UpdateSmartEraseSubtitleConfig | None = None
    erase_watermark_config: UpdateSmartEraseWatermarkConfig | None = None
    erase_privacy_config: UpdateSmartErasePrivacyConfig | None = None
    subtitle_embed_id: int | None = None


class SmartEraseTaskInput(Model):
    """An erasing task."""

    definition: int | None = None
    raw_parameter: RawSmartEraseParameter | None = None
    override_parameter: OverrideEraseParameter | None = None
    output_storage: TaskOutputStorage | None = None
    output_object_path: str | None = None


class DubbingTranslateConfig(Model):
    """Languages of a dubbing."""

    video_src_language: Needed[str] = None
    translate_dst_language: Needed[str] = None
    simplify_translation: str | None = None


class DubbingSubtitleConfig(Model):
    """Where the text of a dubbing comes from."""

    subtitle_source: str | None = None
    asr_assist_ocr: str | None = None
    erase_original_subtitle: str | None = None
    selecting_subtitle_areas_config: SelectingSubtitleAreasConfig | None = None


class DubbingConfig(Model):
    """Voices of a dubbing."""

    dubbing_mode: Needed[str] = None
    background_volume: int | None = None
    secondary_tuning: str | None = None
    voice_id: str | None = None
    dubbing_version: str | None = None


class DubbingEmbedSubtitleConfig(Model):
    """How a dubbing burns in subtitles."""

    subtitle_embed_id: int | None = None
    use_original_pos: int | None = None
    use_original_size: int | None = None


class DubbingOutputConfig(Model):
    """What a dubbing writes."""

    output_mode: str | None = None
    output_final_video: str | None = None
    output_subtitle: str | None = None
    output_dst_audio: str | None = None
    embed_subtitle_config: DubbingEmbedSubtitleConfig | None = None


class RawAIDubbingParameter(Model):
    """Dubbing parameters instead of a template."""

    translate_config: DubbingTranslateConfig | None = None
    subtitle_config: DubbingSubtitleConfig | None = None
    dubbing_config: DubbingConfig | None = None
    output_config: DubbingOutputConfig | None = None


class OverrideAIDubbingParameter(Model):
    """Dubbing parameters that replace some of a template's."""

    translate_config: DubbingTranslateConfig | None = None
    subtitle_config: DubbingSubtitleConfig | None = None
    dubbing_config: DubbingConfig | None = None
    output_config: DubbingOutputConfig | None = None


class DstSubtitleInput(Model):
    """A subtitle file in the target language."""

    dst_subtitle_info: MediaInputInfo | None = None


class AIDubbingTaskInput(Model):
    """A dubbing task."""

    definition: int | None = None
    raw_parameter: RawAIDubbingParameter | None = None
    override_parameter: OverrideAIDubbingParameter | None = None
    output_storage: TaskOutputStorage | None = None
    src_subtitle_info: MediaInputInfo | None = None
    dst_subtitle_infos: list[DstSubtitleInput] | None = None
    output_object_path: str | None = None
    extended_parameter: str | None = None
    drama_id: str | None = None
