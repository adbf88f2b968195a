"""Adaptive-bitrate streaming tasks with their DRM, and the templates that they name."""

from __future__ import annotations

from drmkit.mps.keysource import KeySource
from drmkit.mps.models.storage import MediaInputInfo, TaskOutputStorage
from drmkit.mps.models.templates import (
    AdaptiveStreamTemplate,
    AddOnSubtitle,
    BlindWatermarkInput,
    SubtitleTemplate,
    WatermarkInput,
)
from drmkit.mps.wire import Model, Needed, Unsigned
from drmkit.secret import Secret

__all__ = [
    "AdaptiveDynamicStreamingTaskInput",
    "AdaptiveDynamicStreamingTemplate",
    "AddOnAudio",
    "CreateAdaptiveDynamicStreamingTemplateRequest",
    "CreateAdaptiveDynamicStreamingTemplateResponse",
    "DescribeAdaptiveDynamicStreamingTemplatesRequest",
    "DescribeAdaptiveDynamicStreamingTemplatesResponse",
    "DrmInfo",
    "SimpleAesDrm",
    "SpekeDrm",
]


class SimpleAesDrm(Model):
    """HLS AES-128 with a key of your own: `key` and `vector` are 32 hexadecimal digits."""

    uri: Needed[str] = None
    key: Needed[Secret[str]] = None
    vector: str | None = None


class SpekeDrm(Model):
    """Keys from a key server (SPEKE): `vector` is 32 hexadecimal digits, `key_server_url` a credential."""

    resource_id: Needed[str] = None
    key_server_url: Needed[KeySource] = None
    vector: Needed[str] = None
    encryption_method: str | None = None
    encryption_preset: str | None = None


class DrmInfo(Model):
    """The encryption of one adaptive-bitrate task: `type` and the object that it needs."""

    type: Needed[str] = None
    simple_aes_drm: SimpleAesDrm | None = None
    speke_drm: SpekeDrm | None = None


class AddOnAudio(Model):
    """A further audio track to add to the output."""

    input_info: Needed[MediaInputInfo] = None
    audio_name: str | None = None
    audio_language: str | None = None
    default_track: bool | None = None


class AdaptiveDynamicStreamingTaskInput(Model):
    """One adaptive-bitrate task: the only kind of task that DRM hangs on."""

    definition: Needed[Unsigned] = None
    watermark_set: list[WatermarkInput] | None = None
    blind_watermark: BlindWatermarkInput | None = None
    output_storage: TaskOutputStorage | None = None
    output_object_path: str | None = None
    sub_stream_object_name: str | None = None
    segment_object_name: str | None = None
    add_on_subtitles: list[AddOnSubtitle] | None = None
    drm_info: DrmInfo | None = None
    definition_type: str | None = None
    subtitle_template: SubtitleTemplate | None = None
    std_ext_info: str | None = None
    key_pts_list: list[int] | None = None
    add_on_audios: list[AddOnAudio] | None = None
    std_ext_stream_infos: list[AdaptiveStreamTemplate] | None = None


class AdaptiveDynamicStreamingTemplate(Model):
    """An adaptive-bitrate template: `format` and `segment_type` limit which DRM fits."""

    definition: Unsigned | None = None
    type: str | None = None
    name: str | None = None
    comment: str | None = None
    format: str | None = None
    stream_infos: list[AdaptiveStreamTemplate] | None = None
    disable_higher_video_bitrate: Unsigned | None = None
    disable_higher_video_resolution: Unsigned | None = None
    create_time: str | None = None
    update_time: str | None = None
    pure_audio: Unsigned | None = None
    segment_type: str | None = None


class CreateAdaptiveDynamicStreamingTemplateRequest(Model):
    """The request of CreateAdaptiveDynamicStreamingTemplate."""

    format: Needed[str] = None
    stream_infos: Needed[list[AdaptiveStreamTemplate]] = None
    name: str | None = None
    disable_higher_video_bitrate: Unsigned | None = None
    disable_higher_video_resolution: Unsigned | None = None
    comment: str | None = None
    pure_audio: Unsigned | None = None
    segment_type: str | None = None


class CreateAdaptiveDynamicStreamingTemplateResponse(Model):
    """The answer to CreateAdaptiveDynamicStreamingTemplate."""

    definition: Unsigned | None = None
    request_id: str | None = None


class DescribeAdaptiveDynamicStreamingTemplatesRequest(Model):
    """The request of DescribeAdaptiveDynamicStreamingTemplates."""

    definitions: list[Unsigned] | None = None
    offset: Unsigned | None = None
    limit: Unsigned | None = None
    type: str | None = None
    pure_audio: Unsigned | None = None
    name: str | None = None


class DescribeAdaptiveDynamicStreamingTemplatesResponse(Model):
    """The answer to DescribeAdaptiveDynamicStreamingTemplates."""

    total_count: Unsigned | None = None
    adaptive_dynamic_streaming_template_set: list[AdaptiveDynamicStreamingTemplate] | None = None
    request_id: str | None = None
