"""Presets in both directions: names to rules, and rules to names."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drmkit.cpix.usage import AudioFilter, VideoFilter
from drmkit.errors import ConfigurationError
from drmkit.speke.presets import AUDIO, PARTS, SHARED, UNENCRYPTED, VIDEO, Contract, TrackRule, recognize, rules

NAMES = [
    *product(VIDEO, [*AUDIO, UNENCRYPTED]),
    *product([UNENCRYPTED], AUDIO),
    (SHARED, SHARED),
]


@pytest.mark.parametrize(("video", "audio"), NAMES)
def test_each_pair_of_presets_is_recognized_in_its_rules(video: str, audio: str) -> None:
    """What a pair of presets expands to is that pair's and no other's."""
    assert recognize(rules(video, audio)) == Contract(video, audio)


@settings(max_examples=30)
@given(st.sampled_from(NAMES), st.randoms(use_true_random=False))
def test_the_order_of_rules_does_not_matter(names: tuple[str, str], shuffler: object) -> None:
    """Rules are recognized in any order."""
    found = list(rules(*names))
    shuffler.shuffle(found)  # type: ignore[attr-defined]  # hypothesis types it as an object
    assert recognize(found) == Contract(*names)


@pytest.mark.parametrize("name", VIDEO)
def test_video_presets_cover_every_size_once(name: str) -> None:
    """Each number of pixels belongs to exactly one key of a video preset."""
    edges = {1, 589_824, 589_825, 921_600, 921_601, 2_073_600, 2_073_601, 8_847_360, 8_847_361, 2**31}
    for pixels in edges:
        hits = [
            rule.intended_track_type
            for rule in VIDEO[name]
            if any((f.min_pixels or 0) <= pixels <= (f.max_pixels or 2**32) for f in rule.video)
        ]
        assert len(hits) == 1, (pixels, hits)


@pytest.mark.parametrize("name", AUDIO)
def test_audio_presets_cover_every_number_of_channels_once(name: str) -> None:
    """Each number of channels belongs to exactly one key of an audio preset."""
    for channels in range(1, 17):
        hits = [
            rule
            for rule in AUDIO[name]
            if any((f.min_channels or 0) <= channels <= (f.max_channels or 99) for f in rule.audio)
        ]
        assert len(hits) == 1


def test_each_rule_has_as_many_filters_as_parts() -> None:
    """Drmkit writes what the specification says: one filter for each part of a label."""
    for rule in (rule for preset in (*VIDEO.values(), *AUDIO.values()) for rule in preset):
        assert len(rule.video) + len(rule.audio) == len(rule.parts)
    assert set(PARTS) == {"SD", "HD1", "HD2", "UHD1", "UHD2"}


def test_aws_writes_the_two_parts_of_video_8_as_one_filter() -> None:
    """AWS's generator gives SD+HD1 one filter up to 921,600 pixels; that is VIDEO-8 all the same."""
    aws = [TrackRule("SD+HD1", (VideoFilter(max_pixels=921_600),)), *VIDEO["VIDEO-8"][1:], *AUDIO["AUDIO-2"]]
    assert recognize(aws) == Contract("VIDEO-8", "AUDIO-2")


@pytest.mark.parametrize(
    "found",
    [
        [],
        [TrackRule("VIDEO", (VideoFilter(hdr=True),))],
        [TrackRule("SD", (VideoFilter(max_pixels=589_824),))],
        [TrackRule("AUDIO", audio=(AudioFilter(max_channels=1),))],
        [*rules(SHARED, SHARED), *rules("VIDEO-1", UNENCRYPTED)],
        [TrackRule("SD", (VideoFilter(max_pixels=10), VideoFilter(min_pixels=20)))],
    ],
)
def test_rules_of_no_preset_are_recognized_as_none(found: list[TrackRule]) -> None:
    """A contract of one's own has no name; near a preset is not a preset."""
    assert recognize(found) is None


def test_names_of_mediapackage_are_the_same() -> None:
    """`PRESET_VIDEO_1` of MediaPackage's API and `preset-video-1` mean VIDEO-1."""
    assert rules("PRESET-VIDEO-1", "preset_audio_1") == rules("VIDEO-1", "AUDIO-1")


@pytest.mark.parametrize(
    ("video", "audio", "reason", "hint"),
    [
        ("VIDEO-9", "AUDIO-1", "no video preset 'VIDEO-9'", "did you mean VIDEO-"),
        ("VIDEO-1", "nonsense", "no audio preset 'nonsense'", "one of AUDIO-1"),
        (SHARED, "AUDIO-1", "one key for everything", "use SHARED for video and audio"),
        ("VIDEO-1", SHARED, "one key for everything", "use SHARED for video and audio"),
        (UNENCRYPTED, UNENCRYPTED, "no key to ask for", ""),
    ],
)
def test_impossible_pairs_are_refused(video: str, audio: str, reason: str, hint: str) -> None:
    """Unknown names, SHARED on one side and a contract without any key are refused with their reason."""
    with pytest.raises(ConfigurationError, match=reason) as caught:
        rules(video, audio)
    assert hint in (caught.value.hint or "")
    assert str(Contract("VIDEO-1", "AUDIO-1")) == "VIDEO-1+AUDIO-1"
