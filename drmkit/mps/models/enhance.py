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
    """Settings: frame rate."""

    switch: str | None = None
    fps: Unsigned | None = None


class SuperResolutionConfig(Model):
    """Settings: super resolution."""

    switch: str | None = None
    type: str | None = None
    size: int | None = None


class HdrConfig(Model):
    """Settings: HDR."""

    switch: str | None = None
    type: str | None = None


class VideoDenoiseConfig(Model):
    """Settings: video denoise."""

    switch: str | None = None
    type: str | None = None


class ImageQualityEnhanceConfig(Model):
    """Settings: image quality enhance."""

    switch: str | None = None
    type: str | None = None


class ColorEnhanceConfig(Model):
    """Settings: color enhance."""

    switch: str | None = None
    type: str | None = None


class LowLightEnhanceConfig(Model):
    """Settings: low light enhance."""

    switch: str | None = None
    type: str | None = None


class ScratchRepairConfig(Model):
    """Settings: scratch repair."""

    switch: str | None = None
    intensity: float | None = None


class ArtifactRepairConfig(Model):
    """Settings: artifact repair."""

    switch: str | None = None
    type: str | None = None


class DiffusionEnhanceConfig(Model):
    """Settings: diffusion enhance."""

    switch: str | None = None
    type: str | None = None


class FrameRateWithDenConfig(Model):
    """Settings: frame rate with den."""

    switch: str | None = None
    fps_num: int | None = None
    fps_den: int | None = None


class AiRestorationConfig(Model):
    """Settings: AI restoration."""

    switch: str | None = None
    type: str | None = None


class DiffusionEnhanceV2Config(Model):
    """Settings: diffusion enhance v2."""

    switch: str | None = None
    type: str | None = None


class VideoEnhanceConfig(Model):
    """Settings: video enhance."""

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
    """Settings: audio denoise."""

    switch: str | None = None


class AudioSeparateConfig(Model):
    """Settings: audio separate."""

    switch: str | None = None
    type: str | None = None
    track: str | None = None


class VolumeBalanceConfig(Model):
    """Settings: volume balance."""

    switch: str | None = None
    type: str | None = None


class AudioBeautifyConfig(Model):
    """Settings: audio beautify."""

    switch: str | None = None
    types: list[str] | None = None


class AudioEnhanceEditConfig(Model):
    """Settings: audio enhance edit."""

    switch: str | None = None
    type: str | None = None


class AudioEnhanceConfig(Model):
    """Settings: audio enhance."""

    denoise: AudioDenoiseConfig | None = None
    separate: AudioSeparateConfig | None = None
    volume_balance: VolumeBalanceConfig | None = None
    beautify: AudioBeautifyConfig | None = None
    audio_enhance_edit: AudioEnhanceEditConfig | None = None


class EnhanceConfig(Model):
    """Video and audio enhancement."""

    video_enhance: VideoEnhanceConfig | None = None
    audio_enhance: AudioEnhanceConfig | None = None
