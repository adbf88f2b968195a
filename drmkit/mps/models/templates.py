"""Encoding parameters, watermarks and subtitles that tasks and templates share."""

from __future__ import annotations

from drmkit.mps.models.enhance import EnhanceConfig
from drmkit.mps.models.storage import MediaInputInfo
from drmkit.mps.wire import Model, Needed, Unsigned

__all__ = [
    "AdaptiveStreamTemplate",
    "AddOnSubtitle",
    "AudioTemplateInfo",
    "AudioTemplateInfoForUpdate",
    "AudioTrackChannelInfo",
    "BlindWatermarkInput",
    "HeadTailParameter",
    "MosaicInput",
    "NumberFormat",
    "OverrideTranscodeParameter",
    "RawImageWatermarkInput",
    "RawTranscodeParameter",
    "RawWatermarkParameter",
    "SegmentSpecificInfo",
    "SubtitleTemplate",
    "TEHDConfig",
    "TEHDConfigForUpdate",
    "TrackInfo",
    "VideoTemplateInfo",
    "VideoTemplateInfoForUpdate",
    "WatermarkInput",
]


class SegmentSpecificInfo(Model):
    """How the first segments are cut."""

    switch: str | None = None
    fragment_time: int | None = None
    fragment_end_num: int | None = None


class VideoTemplateInfo(Model):
    """How video is encoded."""

    codec: Needed[str] = None
    fps: Needed[int] = None
    bitrate: Needed[int] = None
    resolution_adaptive: str | None = None
    width: Unsigned | None = None
    height: Unsigned | None = None
    gop: Unsigned | None = None
    gop_unit: str | None = None
    fill_type: str | None = None
    vcrf: Unsigned | None = None
    hls_time: Unsigned | None = None
    segment_type: int | None = None
    fps_denominator: int | None = None
    stereo3d_type: str | None = None
    video_profile: str | None = None
    video_level: str | None = None
    bframes: int | None = None
    mode: str | None = None
    sar: str | None = None
    no_scenecut: int | None = None
    bit_depth: int | None = None
    raw_pts: int | None = None
    compress: int | None = None
    segment_specific_info: SegmentSpecificInfo | None = None
    scenario_based: int | None = None
    scene_type: str | None = None
    compress_type: str | None = None


class TrackInfo(Model):
    """An input track and its volume."""

    track_num: str | None = None
    channel_volume: list[float] | None = None


class AudioTrackChannelInfo(Model):
    """How audio channels are mixed."""

    channels_remix: int | None = None
    select_type: str | None = None
    input_track_info: list[TrackInfo] | None = None


class AudioTemplateInfo(Model):
    """How audio is encoded."""

    codec: Needed[str] = None
    bitrate: Needed[int] = None
    sample_rate: Needed[Unsigned] = None
    audio_channel: int | None = None
    track_channel_info: AudioTrackChannelInfo | None = None
    audio_language: str | None = None
    audio_name: str | None = None
    default_track: bool | None = None


class TEHDConfig(Model):
    """Top Speed Codec settings."""

    type: Needed[str] = None
    max_video_bitrate: int | None = None


class SubtitleTemplate(Model):
    """How subtitles are burned into the picture."""

    path: str | None = None
    stream_index: int | None = None
    subtitle_file_input: MediaInputInfo | None = None
    font_file_input: MediaInputInfo | None = None
    font_type: str | None = None
    font_size: str | None = None
    font_color: str | None = None
    font_alpha: float | None = None
    y_pos: str | None = None
    board_y: str | None = None
    board_width: int | None = None
    board_height: int | None = None
    board_color: str | None = None
    board_alpha: float | None = None
    outline_width: float | None = None
    outline_color: str | None = None
    outline_alpha: float | None = None
    shadow_width: float | None = None
    shadow_color: str | None = None
    shadow_alpha: float | None = None
    line_spacing: int | None = None
    alignment: str | None = None
    board_width_unit: int | None = None
    board_height_unit: int | None = None
    outline_width_unit: int | None = None
    shadow_width_unit: int | None = None
    line_spacing_unit: int | None = None


class RawTranscodeParameter(Model):
    """Transcoding parameters instead of a template."""

    container: Needed[str] = None
    remove_video: int | None = None
    remove_audio: int | None = None
    video_template: VideoTemplateInfo | None = None
    audio_template: AudioTemplateInfo | None = None
    tehd_config: TEHDConfig | None = None
    std_ext_info: str | None = None
    enhance_config: EnhanceConfig | None = None
    subtitle_template: SubtitleTemplate | None = None


class VideoTemplateInfoForUpdate(Model):
    """Changes to a template's video settings."""

    codec: str | None = None
    fps: int | None = None
    bitrate: int | None = None
    resolution_adaptive: str | None = None
    width: Unsigned | None = None
    height: Unsigned | None = None
    gop: Unsigned | None = None
    gop_unit: str | None = None
    fill_type: str | None = None
    vcrf: Unsigned | None = None
    content_adapt_stream: Unsigned | None = None
    hls_time: Unsigned | None = None
    segment_type: int | None = None
    fps_denominator: int | None = None
    stereo3d_type: str | None = None
    video_profile: str | None = None
    video_level: str | None = None
    bframes: int | None = None
    mode: str | None = None
    sar: str | None = None
    no_scenecut: int | None = None
    bit_depth: int | None = None
    raw_pts: int | None = None
    compress: int | None = None
    segment_specific_info: SegmentSpecificInfo | None = None
    scenario_based: int | None = None
    scene_type: str | None = None
    compress_type: str | None = None


class AudioTemplateInfoForUpdate(Model):
    """Changes to a template's audio settings."""

    codec: str | None = None
    bitrate: int | None = None
    sample_rate: Unsigned | None = None
    audio_channel: int | None = None
    stream_selects: list[int] | None = None


class TEHDConfigForUpdate(Model):
    """Changes to a template's Top Speed Codec settings."""

    type: str | None = None
    max_video_bitrate: int | None = None


class AddOnSubtitle(Model):
    """A subtitle file to add to the output."""

    type: str | None = None
    subtitle: MediaInputInfo | None = None
    subtitle_name: str | None = None
    subtitle_language: str | None = None
    output_format: str | None = None
    default_track: bool | None = None


class OverrideTranscodeParameter(Model):
    """Transcoding parameters that replace some of a template's."""

    container: str | None = None
    remove_video: Unsigned | None = None
    remove_audio: Unsigned | None = None
    video_template: VideoTemplateInfoForUpdate | None = None
    audio_template: AudioTemplateInfoForUpdate | None = None
    tehd_config: TEHDConfigForUpdate | None = None
    subtitle_template: SubtitleTemplate | None = None
    addon_audio_stream: list[MediaInputInfo] | None = None
    std_ext_info: str | None = None
    add_on_subtitles: list[AddOnSubtitle] | None = None


class AdaptiveStreamTemplate(Model):
    """One substream of an adaptive-bitrate template."""

    audio: Needed[AudioTemplateInfo] = None
    video: VideoTemplateInfo | None = None
    remove_audio: Unsigned | None = None
    remove_video: Unsigned | None = None
    audio_list: list[AudioTemplateInfo] | None = None


class RawImageWatermarkInput(Model):
    """An image to use as a watermark."""

    image_content: Needed[MediaInputInfo] = None
    width: str | None = None
    height: str | None = None
    repeat_type: str | None = None


class RawWatermarkParameter(Model):
    """Watermark parameters instead of a template."""

    type: Needed[str] = None
    coordinate_origin: str | None = None
    x_pos: str | None = None
    y_pos: str | None = None
    image_template: RawImageWatermarkInput | None = None


class WatermarkInput(Model):
    """A watermark on the output."""

    definition: Needed[Unsigned] = None
    raw_parameter: RawWatermarkParameter | None = None
    text_content: str | None = None
    svg_content: str | None = None
    start_time_offset: float | None = None
    end_time_offset: float | None = None


class NumberFormat(Model):
    """How the numbers in file names are written."""

    initial_value: Unsigned | None = None
    increment: Unsigned | None = None
    min_length: Unsigned | None = None
    place_holder: str | None = None


class MosaicInput(Model):
    """A mosaic over part of the picture."""

    coordinate_origin: str | None = None
    x_pos: str | None = None
    y_pos: str | None = None
    width: str | None = None
    height: str | None = None
    start_time_offset: float | None = None
    end_time_offset: float | None = None


class BlindWatermarkInput(Model):
    """An invisible watermark."""

    definition: Needed[Unsigned] = None


class HeadTailParameter(Model):
    """Clips to set before and after the video."""

    head_set: list[MediaInputInfo] | None = None
    tail_set: list[MediaInputInfo] | None = None
