"""The presets of AWS Elemental MediaPackage and MediaConvert: which tracks share a key, as data and in both directions.

https://docs.aws.amazon.com/mediapackage/latest/ug/drm-content-speke-v2-presets.html; the bounds in pixels are those
that AWS's services send (https://github.com/awslabs/speke-reference-server, verification test suite).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from drmkit.cpix.usage import AudioFilter, UsageRule, VideoFilter
from drmkit.errors import ConfigurationError

__all__ = ["AUDIO", "PARTS", "SHARED", "UNENCRYPTED", "VIDEO", "Contract", "TrackRule", "recognize", "rules"]

SHARED: Final = "SHARED"
UNENCRYPTED: Final = "UNENCRYPTED"
_SD: Final = 1024 * 576
_HD1: Final = 1280 * 720
_HD: Final = 1920 * 1080
_UHD1: Final = 4096 * 2160


@dataclass(frozen=True, slots=True)
class TrackRule:
    """What one content key is for.

    Attributes:
        intended_track_type: the label, its parts joined by `+`.
        video: the video filters.
        audio: the audio filters.
    """

    intended_track_type: str
    video: tuple[VideoFilter, ...] = ()
    audio: tuple[AudioFilter, ...] = ()

    @classmethod
    def of(cls, rule: UsageRule) -> TrackRule:
        """Read a usage rule of a document; its periods are no part of it."""
        return cls(rule.intended_track_type or "", rule.video_filters, rule.audio_filters)

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts of the label."""
        return tuple(self.intended_track_type.split("+"))


@dataclass(frozen=True, slots=True)
class Contract:
    """A pair of presets: one for video, one for audio."""

    video: str
    audio: str

    def __str__(self) -> str:
        return f"{self.video}+{self.audio}"


def _video(label: str, low: int | None = None, high: int | None = None) -> TrackRule:
    return TrackRule(label, (VideoFilter(min_pixels=None if low is None else low + 1, max_pixels=high),))


def _audio(label: str, low: int | None = None, high: int | None = None) -> TrackRule:
    return TrackRule(label, audio=(AudioFilter(min_channels=low, max_channels=high),))


_SD_RULE: Final = _video("SD", None, _SD)
_HD1_RULE: Final = _video("HD1", _SD, _HD1)
_HD2_RULE: Final = _video("HD2", _HD1, _HD)
_UHD1_RULE: Final = _video("UHD1", _HD, _UHD1)
_UHD2_RULE: Final = _video("UHD2", _UHD1)
_SD_HD_RULE: Final = _video("SD", None, _SD), _video("HD", _SD, _HD)
_UHD_RULE: Final = _video("UHD", _HD)
# Two parts, two filters: so the specification counts, and so a strict provider wants it.
_SD_HD1_RULE: Final = TrackRule("SD+HD1", (*_SD_RULE.video, *_HD1_RULE.video))
_STEREO: Final = _audio("STEREO_AUDIO", None, 2)

VIDEO: Final[dict[str, tuple[TrackRule, ...]]] = {
    "VIDEO-1": (_video("VIDEO"),),
    "VIDEO-2": (_SD_RULE, _video("HD", _SD)),
    "VIDEO-3": (*_SD_HD_RULE, _UHD_RULE),
    "VIDEO-4": (*_SD_HD_RULE, _UHD1_RULE, _UHD2_RULE),
    "VIDEO-5": (_SD_RULE, _HD1_RULE, _HD2_RULE, _UHD1_RULE, _UHD2_RULE),
    "VIDEO-6": (_SD_RULE, _HD1_RULE, _HD2_RULE, _UHD_RULE),
    "VIDEO-7": (_SD_HD1_RULE, _HD2_RULE, _UHD_RULE),
    "VIDEO-8": (_SD_HD1_RULE, _HD2_RULE, _UHD1_RULE, _UHD2_RULE),
}
"""The rules of each video preset; SHARED and UNENCRYPTED stand beside them."""

AUDIO: Final[dict[str, tuple[TrackRule, ...]]] = {
    "AUDIO-1": (_audio("AUDIO"),),
    "AUDIO-2": (_STEREO, _audio("MULTICHANNEL_AUDIO", 3)),
    "AUDIO-3": (_STEREO, _audio("MULTICHANNEL_AUDIO_3_6", 3, 6), _audio("MULTICHANNEL_AUDIO_7", 7)),
}
"""The rules of each audio preset."""

PARTS: Final = {rule.intended_track_type: rule.video[0] for rule in VIDEO["VIDEO-5"]}
"""The video filter of each part that labels are joined of."""

_ALL: Final = TrackRule("ALL", (VideoFilter(),), (AudioFilter(),))


def rules(video: str, audio: str) -> tuple[TrackRule, ...]:
    """Return what each content key of a pair of presets is for, video first.

    Args:
        video: VIDEO-1 to VIDEO-8, SHARED or UNENCRYPTED; `PRESET-VIDEO-1`, as MediaPackage writes it, is the same.
        audio: AUDIO-1 to AUDIO-3, SHARED or UNENCRYPTED.

    Raises:
        ConfigurationError: there is no such preset, SHARED stands on one side alone, or nothing is encrypted.
    """
    names = _known(video, VIDEO, "video"), _known(audio, AUDIO, "audio")
    if SHARED in names:
        if names != (SHARED, SHARED):
            raise ConfigurationError("SHARED stands for one key for everything", hint="use SHARED for video and audio")
        return (_ALL,)
    if names == (UNENCRYPTED, UNENCRYPTED):
        raise ConfigurationError("both presets are UNENCRYPTED, so that there is no key to ask for")
    return VIDEO.get(names[0], ()) + AUDIO.get(names[1], ())


def recognize(found: Iterable[TrackRule]) -> Contract | None:
    """Return the presets that rules amount to, in any order; None where they are no preset's.

    AWS's services write the SD+HD1 of VIDEO-7 and VIDEO-8 with one filter over both parts; that is recognized too.
    """
    given = {_merged(rule) for rule in found}
    if given == {_merged(_ALL)}:
        return Contract(SHARED, SHARED)
    video = frozenset(rule for rule in given if not rule.audio)
    name = {
        "video": _VIDEO_NAMES.get(video, "" if video else UNENCRYPTED),
        "audio": _AUDIO_NAMES.get(frozenset(given - video), "" if given - video else UNENCRYPTED),
    }
    if not all(name.values()) or not given:
        return None
    return Contract(**name)


def _merged(rule: TrackRule) -> TrackRule:
    """Return the rule with video filters that join end to end made one, which is what they mean together."""
    ordered = sorted(rule.video, key=lambda item: item.min_pixels or 0)
    merged: list[VideoFilter] = []
    for item in ordered:
        last = merged[-1] if merged else None
        bare = _is_bare(item) and last is not None and _is_bare(last)
        if bare and last is not None and last.max_pixels is not None and item.min_pixels == last.max_pixels + 1:
            merged[-1] = VideoFilter(min_pixels=last.min_pixels, max_pixels=item.max_pixels)
        else:
            merged.append(item)
    return TrackRule(rule.intended_track_type, tuple(merged), rule.audio)


def _is_bare(item: VideoFilter) -> bool:
    return item == VideoFilter(min_pixels=item.min_pixels, max_pixels=item.max_pixels)


_VIDEO_NAMES: Final = {frozenset(_merged(rule) for rule in value): name for name, value in VIDEO.items()}
_AUDIO_NAMES: Final = {frozenset(value): name for name, value in AUDIO.items()}


def _known(name: str, choices: dict[str, tuple[TrackRule, ...]], kind: str) -> str:
    plain = name.upper().replace("_", "-").removeprefix("PRESET-")
    if plain in choices or plain in {SHARED, UNENCRYPTED}:
        return plain
    all_names = (*choices, SHARED, UNENCRYPTED)
    close = difflib.get_close_matches(plain, all_names, n=1)
    raise ConfigurationError(
        f"there is no {kind} preset {name!r}",
        hint=f"did you mean {close[0]}?" if close else f"one of {', '.join(all_names)}",
    )
