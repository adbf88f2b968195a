"""Keys are chosen by the usage rules to the letter (CPIX 2.4, Usage Rules Filters)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from drmkit import cpix
from drmkit.cpix import AudioFilter, AudioTrack, BitrateFilter, VideoFilter, VideoTrack
from drmkit.errors import CpixError, KeySelectionError
from drmkit.identifiers import KeyId

A, B = (KeyId(bytes([number]) * 16) for number in (1, 2))
START = datetime(2026, 1, 1, tzinfo=UTC)
Fill = Callable[[cpix.Builder], object]


def document(*fills: Fill) -> cpix.Document:
    """A document with the keys A and B that was filled by functions; not validated, so that rules may collide."""
    builder = cpix.Builder(version="2.4").content_key(kid=A).content_key(kid=B)
    for fill in fills:
        fill(builder)
    tree = builder._document
    assert tree is not None
    return cpix.parse(tree.to_xml())


def kid(found: cpix.ContentKey | None) -> KeyId | None:
    """The key ID of what was chosen."""
    return None if found is None else found.kid


@pytest.mark.parametrize(
    ("item", "track", "matches"),
    [
        (VideoFilter(), VideoTrack(), True),
        (VideoFilter(), AudioTrack(), False),
        (AudioFilter(), AudioTrack(), True),
        (AudioFilter(), VideoTrack(), False),
        (VideoFilter(min_pixels=100), VideoTrack(10, 10), True),
        (VideoFilter(min_pixels=101), VideoTrack(10, 10), False),
        (VideoFilter(max_pixels=100), VideoTrack(10, 10), True),
        (VideoFilter(max_pixels=99), VideoTrack(10, 10), False),
        (VideoFilter(min_pixels=0), VideoTrack(2**16, 2**16), False),
        (VideoFilter(min_pixels=0), VideoTrack(2**16, 2**16 - 1), True),
        (VideoFilter(min_fps=25), VideoTrack(fps=25), False),
        (VideoFilter(min_fps=25), VideoTrack(fps=Fraction(30000, 1001)), True),
        (VideoFilter(max_fps=30), VideoTrack(fps=30), True),
        (VideoFilter(max_fps=30), VideoTrack(fps=30.01), False),
        (VideoFilter(hdr=True), VideoTrack(hdr=True), True),
        (VideoFilter(hdr=True), VideoTrack(hdr=False), False),
        (VideoFilter(wcg=False), VideoTrack(wcg=False), True),
        (VideoFilter(wcg=False), VideoTrack(wcg=True), False),
        (AudioFilter(min_channels=3), AudioTrack(3), True),
        (AudioFilter(min_channels=3), AudioTrack(2), False),
        (AudioFilter(max_channels=2), AudioTrack(2), True),
        (AudioFilter(max_channels=2), AudioTrack(6), False),
        (BitrateFilter(min_bitrate=5), VideoTrack(bitrate=5), True),
        (BitrateFilter(min_bitrate=5), AudioTrack(bitrate=4), False),
        (BitrateFilter(max_bitrate=5), AudioTrack(bitrate=5), True),
        (BitrateFilter(max_bitrate=5), VideoTrack(bitrate=6), False),
    ],
)
def test_bounds_are_those_of_the_text(item: object, track: cpix.Track, matches: bool) -> None:
    """Pixels, channels and bitrate include both bounds, up to MAX_UINT32; the lower bound of fps is exclusive."""
    kind = {VideoFilter: "video", AudioFilter: "audio", BitrateFilter: "bitrate"}[type(item)]
    found = document(lambda b: b.usage_rule(kid=A, **{kind: [item]})).key_for(track)
    assert kid(found) == (A if matches else None)


def test_one_kind_is_or_and_kinds_are_and() -> None:
    """(label x or y) and (small or large video): each part alone is not enough."""
    doc = document(
        lambda b: b.usage_rule(
            kid=A, labels=["x", "y"], video=[VideoFilter(max_pixels=10), VideoFilter(min_pixels=100)]
        )
    )
    assert kid(doc.key_for(VideoTrack(1, 5, labels=("y", "z")))) == A
    assert kid(doc.key_for(VideoTrack(10, 10, labels=["x"]))) == A
    assert doc.key_for(VideoTrack(5, 5, labels=["x"])) is None
    assert doc.key_for(VideoTrack(1, 5, labels=["z"])) is None
    assert doc.key_for(VideoTrack(1, 5)) is None


def test_a_rule_without_filters_matches_everything() -> None:
    """No filter is no constraint, and no rule is no key."""
    assert kid(document(lambda b: b.usage_rule(kid=A)).key_for(AudioTrack(2))) == A
    assert document().key_for(AudioTrack(2)) is None


def test_both_media_in_one_rule_match_nothing() -> None:
    """Different kinds must all match, and no track is video and audio."""
    doc = document(lambda b: b.usage_rule(kid=A, video=[VideoFilter()], audio=[AudioFilter()]))
    assert doc.key_for(VideoTrack(1, 1)) is None
    assert doc.key_for(AudioTrack(1)) is None


def test_two_keys_for_one_track_are_refused() -> None:
    """Two rules of different keys that match are an error that names both; two rules of one key are none."""
    doc = document(lambda b: b.usage_rule(kid=A), lambda b: b.usage_rule(kid=B, video=[VideoFilter()]))
    with pytest.raises(KeySelectionError, match=f"2 content keys match .*{A}.*{B}"):
        doc.key_for(VideoTrack(1, 1))
    assert kid(doc.key_for(AudioTrack(2))) == A
    same = document(lambda b: b.usage_rule(kid=A), lambda b: b.usage_rule(kid=A, video=[VideoFilter()]))
    assert kid(same.key_for(VideoTrack(1, 1))) == A


def test_a_track_with_two_keys_is_told_in_words() -> None:
    """The refusal says what is known of the track, and what would tell the rules apart."""
    doc = document(
        lambda b: b.usage_rule(kid=A, intended_track_type="SD", labels=["a"]),
        lambda b: b.usage_rule(kid=B, intended_track_type="HD", labels=["b"]),
    )
    for rule in doc.usage_rules:
        rule.add_labels(["all"])  # the builder would refuse rules that overlap
    with pytest.raises(KeySelectionError) as caught:
        doc.key_for(VideoTrack(640, 360, fps=25, bitrate=1_000_000, labels=("all",)))
    assert "match the video track (640x360, 25 fps, 1,000,000 bit/s, label all)" in caught.value.message
    assert caught.value.hint == "say the track's intended track type, by which these rules differ: SD or HD"
    with pytest.raises(KeySelectionError, match=r"match the audio track \(1 channel, label all\): "):
        doc.key_for(AudioTrack(1, labels=("all",)))
    assert kid(doc.key_for(VideoTrack(640, 360, labels=("all",), intended_track_type="HD"))) == B


@pytest.mark.parametrize(
    ("item", "track", "missing"),
    [
        (VideoFilter(min_pixels=1), VideoTrack(fps=25), "width and height"),
        (VideoFilter(max_fps=1), VideoTrack(1, 1), "fps"),
        (VideoFilter(hdr=False), VideoTrack(1, 1), "hdr"),
        (VideoFilter(wcg=True), VideoTrack(1, 1), "wcg"),
        (AudioFilter(min_channels=1), AudioTrack(), "channels"),
        (BitrateFilter(min_bitrate=1), AudioTrack(2), "bitrate"),
    ],
)
def test_a_rule_that_cannot_be_evaluated_stops_the_choice(item: object, track: cpix.Track, missing: str) -> None:
    """A rule that asks for an unknown property is unusable, and then no key may be chosen at all."""
    kind = {VideoFilter: "video", AudioFilter: "audio", BitrateFilter: "bitrate"}[type(item)]
    doc = document(lambda b: b.usage_rule(kid=B, labels=["never"], **{kind: [item]}), lambda b: b.usage_rule(kid=A))
    with pytest.raises(KeySelectionError, match=f"unusable.*{missing}") as refused:
        doc.key_for(track)
    assert missing in (refused.value.hint or "")


def test_a_filter_for_the_other_medium_does_not_stop_the_choice() -> None:
    """What a video filter asks for matters to video only."""
    doc = document(
        lambda b: b.usage_rule(kid=B, video=[VideoFilter(min_fps=30)]),
        lambda b: b.usage_rule(kid=A, audio=[AudioFilter()]),
    )
    assert kid(doc.key_for(AudioTrack())) == A


def test_unknown_filters_stop_the_choice() -> None:
    """A filter of another namespace makes the rule unusable; so does a bitrate filter without bounds."""
    doc = document(lambda b: b.usage_rule(kid=A), lambda b: b.usage_rule(kid=B))
    rule = doc.usage_rules[1].element
    rule.append(rule.makeelement("{urn:example:other}Filter"))
    with pytest.raises(KeySelectionError, match="urn:example:other"):
        doc.key_for(AudioTrack(2))
    empty = document(lambda b: b.usage_rule(kid=A, bitrate=[BitrateFilter()]))
    with pytest.raises(KeySelectionError, match="no bound"):
        empty.key_for(AudioTrack(2, bitrate=5))


def rotating(b: cpix.Builder) -> None:
    """Two periods for two keys."""
    day = timedelta(days=1)
    b.period(id="one", index=1, label="first", start=START, end=START + day)
    b.period(id="two", index=2, label="second", start=START + day, duration=day)
    b.usage_rule(kid=A, periods=["one"]).usage_rule(kid=B, periods=["two"])


def test_periods_are_chosen_by_index_label_or_time() -> None:
    """The key is that of the period meant; the end of a period belongs to the next; outside there is none."""
    doc = document(rotating)
    track = AudioTrack(2)
    assert kid(doc.key_for(track, period_index=1)) == A
    assert kid(doc.key_for(track, period_index=2)) == B
    assert doc.key_for(track, period_index=3) is None
    assert kid(doc.key_for(track, period_label="second")) == B
    assert kid(doc.key_for(track, at=START)) == A
    assert kid(doc.key_for(track, at=START + timedelta(days=1))) == B
    assert doc.key_for(track, at=START + timedelta(days=2)) is None
    assert doc.key_for(track, at=START, period_index=2) is None
    with pytest.raises(KeySelectionError, match="whether the key period 'one' is meant"):
        doc.key_for(track)
    with pytest.raises(KeySelectionError, match="'one'"):
        doc.key_for(track, at=timedelta(0))
    with pytest.raises(CpixError, match="without a zone"):
        doc.key_for(track, at=datetime(2026, 1, 1))  # noqa: DTZ001 (the point of the test)


def test_offsets_choose_periods_of_recorded_content() -> None:
    """For VOD, the offset from the start chooses."""
    hour = timedelta(hours=1)
    doc = document(
        lambda b: b.period(id="one", start_offset=timedelta(0), end_offset=hour).period(
            id="two", start_offset=hour, duration=hour
        ),
        lambda b: b.usage_rule(kid=A, periods=["one"]).usage_rule(kid=B, periods=["two", "one"][:1]),
    )
    assert kid(doc.key_for(AudioTrack(2), at=timedelta(minutes=59))) == A
    assert kid(doc.key_for(AudioTrack(2), at=hour)) == B


def test_the_intended_track_type_narrows_when_asked() -> None:
    """Intended track types decide nothing by themselves; a track that names one looks at its rules only."""
    doc = document(lambda b: b.usage_rule(kid=A, intended_track_type="SD").usage_rule(kid=B, intended_track_type="HD"))
    assert kid(doc.key_for(VideoTrack(1, 1, intended_track_type="HD"))) == B
    assert doc.key_for(VideoTrack(1, 1, intended_track_type="UHD")) is None
    with pytest.raises(KeySelectionError, match="2 content keys"):
        doc.key_for(VideoTrack(1, 1))


def test_dangling_references_are_said_plainly() -> None:
    """A rule for a key or period that is not there raises CpixError, naming it."""
    missing = KeyId(bytes([9]) * 16)
    with pytest.raises(CpixError, match=f"content key {missing}, which is not there"):
        document(lambda b: b.usage_rule(kid=missing)).key_for(AudioTrack(2))
    with pytest.raises(CpixError, match="the period 'none', which is not there"):
        document(lambda b: b.usage_rule(kid=A, periods=["none"])).key_for(AudioTrack(2), period_index=1)


def test_the_vectors_of_dashif_choose_their_keys(corpus: dict[str, bytes]) -> None:
    """UsageRulesBasedOnLabels gives each label its key, and Complex its video and audio keys."""
    labels = cpix.parse(corpus["dashif-tv__UsageRulesBasedOnLabels.xml"])
    assert str(kid(labels.key_for(VideoTrack(labels=["HDR-Video"])))) == "7ae8e96f-309e-42c3-a510-24023d923373"
    assert str(kid(labels.key_for(AudioTrack(labels=["Speech"])))) == "ba6c62d6-4a49-4aa4-8869-ce4d2727a2b5"
    assert labels.key_for(AudioTrack(labels=["other"])) is None
    complex_ = cpix.parse(corpus["dashif-tv__Complex.xml"])
    video = VideoTrack(1920, 1080, 25, 4_000_000, hdr=True, wcg=False, labels=["CencStream"])
    assert str(kid(complex_.key_for(video))) == "a466cdfd-e556-4b1d-8098-c1a4aa78997a"
    audio = AudioTrack(2, 20_000_000, labels=["EncryptedStream"])
    assert str(kid(complex_.key_for(audio))) == "b4c3188b-eddd-453d-9bc2-1cbca7566239"
