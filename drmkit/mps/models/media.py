"""Results of the media tasks: transcoding, snapshots, sprites, adaptive streaming; metadata of a source."""

from __future__ import annotations

from drmkit.mps.models.request import (
    AnimatedGraphicTaskInput,
    ImageSpriteTaskInput,
    SampleSnapshotTaskInput,
    SnapshotByTimeOffsetTaskInput,
    TranscodeTaskInput,
)
from drmkit.mps.models.storage import TaskOutputStorage
from drmkit.mps.models.streaming import AdaptiveDynamicStreamingTaskInput
from drmkit.mps.wire import Model

__all__ = [
    "AdaptiveDynamicStreamingInfoItem",
    "MediaAnimatedGraphicsItem",
    "MediaAudioStreamItem",
    "MediaImageSpriteItem",
    "MediaMetaData",
    "MediaProcessTaskAdaptiveDynamicStreamingResult",
    "MediaProcessTaskAnimatedGraphicResult",
    "MediaProcessTaskImageSpriteResult",
    "MediaProcessTaskResult",
    "MediaProcessTaskSampleSnapshotResult",
    "MediaProcessTaskSnapshotByTimeOffsetResult",
    "MediaProcessTaskTranscodeResult",
    "MediaSampleSnapshotItem",
    "MediaSnapshotByTimeOffsetItem",
    "MediaSnapshotByTimePicInfoItem",
    "MediaTranscodeItem",
    "MediaUsageItem",
    "MediaVideoStreamItem",
]


class MediaAudioStreamItem(Model):
    """An audio stream of a source or an output."""

    bitrate: int | None = None
    sampling_rate: int | None = None
    codec: str | None = None
    channel: int | None = None
    codecs: str | None = None
    loudness: float | None = None


class MediaVideoStreamItem(Model):
    """A video stream of a source or an output."""

    bitrate: int | None = None
    height: int | None = None
    width: int | None = None
    codec: str | None = None
    fps: int | None = None
    color_primaries: str | None = None
    color_space: str | None = None
    color_transfer: str | None = None
    hdr_type: str | None = None
    codecs: str | None = None
    fps_numerator: int | None = None
    fps_denominator: int | None = None


class MediaUsageItem(Model):
    """How much of a kind of processing is charged."""

    input_image_count: int | None = None
    input_seconds: int | None = None
    output_seconds: int | None = None
    total_seconds: int | None = None


class MediaTranscodeItem(Model):
    """What a transcoding task wrote."""

    output_storage: TaskOutputStorage | None = None
    path: str | None = None
    definition: int | None = None
    bitrate: int | None = None
    height: int | None = None
    width: int | None = None
    size: int | None = None
    duration: float | None = None
    container: str | None = None
    md5: str | None = None
    audio_stream_set: list[MediaAudioStreamItem] | None = None
    video_stream_set: list[MediaVideoStreamItem] | None = None
    call_back_ext_info: str | None = None
    usage: MediaUsageItem | None = None


class MediaProcessTaskTranscodeResult(Model):
    """How the transcode task ended."""

    status: str | None = None
    err_code_ext: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: TranscodeTaskInput | None = None
    output: MediaTranscodeItem | None = None
    progress: int | None = None


class MediaAnimatedGraphicsItem(Model):
    """What an animated image task wrote."""

    storage: TaskOutputStorage | None = None
    path: str | None = None
    definition: int | None = None
    container: str | None = None
    height: int | None = None
    width: int | None = None
    bitrate: int | None = None
    size: int | None = None
    md5: str | None = None
    start_time_offset: float | None = None
    end_time_offset: float | None = None


class MediaProcessTaskAnimatedGraphicResult(Model):
    """How the animated graphic task ended."""

    status: str | None = None
    err_code_ext: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: AnimatedGraphicTaskInput | None = None
    output: MediaAnimatedGraphicsItem | None = None
    begin_process_time: str | None = None
    finish_time: str | None = None


class MediaSnapshotByTimePicInfoItem(Model):
    """One snapshot, with its moment."""

    time_offset: float | None = None
    path: str | None = None
    water_mark_definition: list[int] | None = None


class MediaSnapshotByTimeOffsetItem(Model):
    """What a task of snapshots at given moments wrote."""

    definition: int | None = None
    pic_info_set: list[MediaSnapshotByTimePicInfoItem] | None = None
    storage: TaskOutputStorage | None = None


class MediaProcessTaskSnapshotByTimeOffsetResult(Model):
    """How the snapshot by time offset task ended."""

    status: str | None = None
    err_code_ext: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: SnapshotByTimeOffsetTaskInput | None = None
    output: MediaSnapshotByTimeOffsetItem | None = None
    begin_process_time: str | None = None
    finish_time: str | None = None


class MediaSampleSnapshotItem(Model):
    """What a task of sampled snapshots wrote."""

    definition: int | None = None
    sample_type: str | None = None
    interval: int | None = None
    storage: TaskOutputStorage | None = None
    image_path_set: list[str] | None = None
    water_mark_definition: list[int] | None = None


class MediaProcessTaskSampleSnapshotResult(Model):
    """How the sample snapshot task ended."""

    status: str | None = None
    err_code_ext: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: SampleSnapshotTaskInput | None = None
    output: MediaSampleSnapshotItem | None = None
    begin_process_time: str | None = None
    finish_time: str | None = None


class MediaImageSpriteItem(Model):
    """What an image sprite task wrote."""

    definition: int | None = None
    height: int | None = None
    width: int | None = None
    total_count: int | None = None
    image_path_set: list[str] | None = None
    web_vtt_path: str | None = None
    storage: TaskOutputStorage | None = None


class MediaProcessTaskImageSpriteResult(Model):
    """How the image sprite task ended."""

    status: str | None = None
    err_code_ext: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: ImageSpriteTaskInput | None = None
    output: MediaImageSpriteItem | None = None
    begin_process_time: str | None = None
    finish_time: str | None = None


class AdaptiveDynamicStreamingInfoItem(Model):
    """What an adaptive-bitrate task wrote: `path` is the manifest."""

    definition: int | None = None
    package: str | None = None
    path: str | None = None
    storage: TaskOutputStorage | None = None


class MediaProcessTaskAdaptiveDynamicStreamingResult(Model):
    """How one adaptive-bitrate task ended; `input` carries its DrmInfo, secrets included."""

    status: str | None = None
    err_code_ext: str | None = None
    err_code: int | None = None
    message: str | None = None
    input: AdaptiveDynamicStreamingTaskInput | None = None
    output: AdaptiveDynamicStreamingInfoItem | None = None
    begin_process_time: str | None = None
    finish_time: str | None = None


class MediaProcessTaskResult(Model):
    """The result of one media task: `type` says which of the fields holds it (plural forms included)."""

    type: str | None = None
    transcode_task: MediaProcessTaskTranscodeResult | None = None
    animated_graphic_task: MediaProcessTaskAnimatedGraphicResult | None = None
    snapshot_by_time_offset_task: MediaProcessTaskSnapshotByTimeOffsetResult | None = None
    sample_snapshot_task: MediaProcessTaskSampleSnapshotResult | None = None
    image_sprite_task: MediaProcessTaskImageSpriteResult | None = None
    adaptive_dynamic_streaming_task: MediaProcessTaskAdaptiveDynamicStreamingResult | None = None


class MediaMetaData(Model):
    """What a source is made of."""

    size: int | None = None
    container: str | None = None
    bitrate: int | None = None
    height: int | None = None
    width: int | None = None
    duration: float | None = None
    rotate: int | None = None
    video_stream_set: list[MediaVideoStreamItem] | None = None
    audio_stream_set: list[MediaAudioStreamItem] | None = None
    video_duration: float | None = None
    audio_duration: float | None = None
