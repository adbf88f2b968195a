"""Video and audio enhancement settings of transcoding."""

from __future__ import annotations

from drmkit.mps.wire import Model, Unsigned

__all__ = [
    "AiRestorationConfig",
    "ArtifactRepairConfig",
    "AudioBeautifyConfig",
    "AudioDenoiseConfig",
    "AudioEnhanceConfig",
    "AudioEnhanceEditConfig",
    "AudioSeparateConfig",
    "ColorEnhanceConfig",
    "DiffusionEnhanceConfig",
    "DiffusionEnhanceV2Config",
    "EnhanceConfig",
    "FrameRateConfig",
    "FrameRateWithDenConfig",
    "HdrConfig",
    "ImageQualityEnhanceConfig",
    "LowLightEnhanceConfig",
    "ScratchRepairConfig",
    "SuperResolutionConfig",
    "VideoDenoiseConfig",
    "VideoEnhanceConfig",
    "VolumeBalanceConfig",
]


class FrameRateConfig(Model):
    """Frame interpolation to a whole frame rate."""

    switch: str | None = None
    fps: Unsigned | None = None


class SuperResolutionConfig(Model):
    """Super resolution."""

    switch: str | None = None
    type: str | None = None
    size: int | None = None


class HdrConfig(Model):
    """Conversion to HDR."""

    switch: str | None = None
    type: str | None = None


class VideoDenoiseConfig(Model):
    """Noise reduction of the picture."""

    switch: str | None = None
    type: str | None = None


class ImageQualityEnhanceConfig(Model):
    """General picture enhancement."""

    switch: str | None = None
    type: str | None = None


class ColorEnhanceConfig(Model):
    """Color enhancement."""

    switch: str | None = None
    type: str | None = None


class LowLightEnhanceConfig(Model):
    """Brightening of dark pictures."""

    switch: str | None = None
    type: str | None = None


class ScratchRepairConfig(Model):
    """Scratch repair."""

    switch: str | None = None
    intensity: float | None = None


class ArtifactRepairConfig(Model):
    """Removal of compression artifacts."""

    switch: str | None = None
    type: str | None = None


class DiffusionEnhanceConfig(Model):
    """Enhancement by a diffusion model."""

    switch: str | None = None
    type: str | None = None


class FrameRateWithDenConfig(Model):
    """Frame interpolation to a fractional frame rate."""

    switch: str | None = None
    fps_num: int | None = None
    fps_den: int | None = None


class AiRestorationConfig(Model):
    """Restoration of old footage."""

    switch: str | None = None
    type: str | None = None


class DiffusionEnhanceV2Config(Model):
    """Enhancement by the second diffusion model."""

    switch: str | None = None
    type: str | None = None


class VideoEnhanceConfig(Model):
    """Everything that can improve the picture."""

    frame_rate: FrameRateConfig | None = None
    super_resolution: SuperResolutionConfig | None = None
    hdr: HdrConfig | None = None
    denoise: VideoDenoiseConfig | None = None
    image_quality_enhance: ImageQualityEnhanceConfig | None = None
    color_enhance: ColorEnhanceConfig | None = None
    low_light_enhance: LowLightEnhanceConfig | None = None
    scratch_repair: ScratchRepairConfig | None = None
    artifact_repair: ArtifactRepairConfig | None = None
    enhance_scene_type: str | None = None
    diffusion_enhance: DiffusionEnhanceConfig | None = None
    frame_rate_with_den: FrameRateWithDenConfig | None = None
    ai_restoration: AiRestorationConfig | None = None
    diffusion_enhance_v2: DiffusionEnhanceV2Config | None = None


class AudioDenoiseConfig(Model):
    """Noise reduction of the sound."""

    switch: str | None = None


class AudioSeparateConfig(Model):
    """Separation of voice and background."""

    switch: str | None = None
    type: str | None = None
    track: str | None = None


class VolumeBalanceConfig(Model):
    """Loudness balancing."""

    switch: str | None = None
    type: str | None = None


class AudioBeautifyConfig(Model):
    """Improvement of voices."""

    switch: str | None = None
    types: list[str] | None = None


class AudioEnhanceEditConfig(Model):
    """Removal of pauses and slips of the tongue."""

    switch: str | None = None
    type: str | None = None


class AudioEnhanceConfig(Model):
    """Everything that can improve the sound."""

    denoise: AudioDenoiseConfig | None = None
    separate: AudioSeparateConfig | None = None
    volume_balance: VolumeBalanceConfig | None = None
    beautify: AudioBeautifyConfig | None = None
    audio_enhance_edit: AudioEnhanceEditConfig | None = None


class EnhanceConfig(Model):
    """Video and audio enhancement."""

    video_enhance: VideoEnhanceConfig | None = None
    audio_enhance: AudioEnhanceConfig | None = None
