"""Which content key is for which track: the usage rules of CPIX, to the letter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING

from drmkit.cpix.usage import MAX_UINT32, AudioFilter, BitrateFilter, UsageRule, VideoFilter
from drmkit.errors import CpixError, KeySelectionError

if TYPE_CHECKING:
    from drmkit.cpix.document import Document
    from drmkit.cpix.entities import ContentKey, ContentKeyPeriod

__all__ = ["AudioTrack", "Track", "VideoTrack", "key_for"]

Number = int | float | Fraction


@dataclass(frozen=True, slots=True)
class VideoTrack:
    """A video track as the filters see it; None stands for "not known".

    Args:
        width: encoded width in pixels, before any aspect ratio.
        height: encoded height in pixels.
        fps: nominal frames per second; of interlaced video, half the fields.
        bitrate: nominal bitrate in bits per second.
        hdr: whether it is encoded in high dynamic range.
        wcg: whether it is encoded in a wide color gamut.
        labels: the labels that it carries.
        intended_track_type: look only at rules with this intended track type; None looks at all, as the format does.
    """

    width: int | None = None
    height: int | None = None
    fps: Number | None = None
    bitrate: Number | None = None
    hdr: bool | None = None
    wcg: bool | None = None
    labels: Sequence[str] = ()
    intended_track_type: str | None = None

    @property
    def pixels(self) -> int | None:
        """Width times height."""
        return None if self.width is None or self.height is None else self.width * self.height


@dataclass(frozen=True, slots=True)
class AudioTrack:
    """An audio track as the filters see it; None stands for "not known".

    Args:
        channels: number of audio channels.
        bitrate: nominal bitrate in bits per second.
        labels: the labels that it carries.
        intended_track_type: look only at rules with this intended track type; None looks at all, as the format does.
    """

    channels: int | None = None
    bitrate: Number | None = None
    labels: Sequence[str] = ()
    intended_track_type: str | None = None


Track = VideoTrack | AudioTrack


@dataclass(frozen=True, slots=True)
class Moment:
    """The time for which a key is sought."""

    at: datetime | timedelta | None = None
    index: int | None = None
    label: str | None = None

    def lies_in(self, period: ContentKeyPeriod) -> bool | None:
        """Say whether this moment lies in a period; None where that cannot be told."""
        known = []
        if self.index is not None and period.index is not None:
            known.append(self.index == period.index)
        if self.label is not None and period.label is not None:
            known.append(self.label == period.label)
        inside = None if self.at is None else period.contains(self.at)
        if inside is not None:
            known.append(inside)
        return all(known) if known else None


def key_for(
    document: Document,
    track: Track,
    *,
    at: datetime | timedelta | None = None,
    period_index: int | None = None,
    period_label: str | None = None,
) -> ContentKey | None:
    """Return the one content key that the usage rules give a track, or None where no rule matches it.

    Filters of one kind are alternatives, kinds must all match (CPIX 2.4, `Usage Rules Filters`). Pixels, channels and
    bitrate include both bounds; the lower bound of frames per second is exclusive.

    Args:
        document: the document whose rules decide.
        track: what is known of the track.
        at: the time (live) or the offset from the start (VOD) for which the key is sought.
        period_index: the index of the key period for which the key is sought.
        period_label: the label of the key period for which the key is sought.

    Raises:
        KeySelectionError: two keys match, or a rule is unusable: an unknown filter, or one that asks for a property of
            the track that is not known. The format forbids mapping any key then.
        CpixError: a filter cannot be read, or a rule refers to a key or period that is not there.
    """
    if isinstance(at, datetime) and at.tzinfo is None:
        raise CpixError("a time without a zone is ambiguous", hint="give an aware datetime")
    moment = Moment(at, period_index, period_label)
    chosen: dict[str, UsageRule] = {}
    for rule in document.usage_rules:
        if track.intended_track_type not in (None, rule.intended_track_type):
            continue
        if _matches(document, rule, track, moment):
            chosen.setdefault(str(rule.kid), rule)
    if len(chosen) > 1:
        raise _ambiguous(track, chosen)
    return _content_key(document, next(iter(chosen.values()))) if chosen else None


def _ambiguous(track: Track, chosen: dict[str, UsageRule]) -> KeySelectionError:
    rules = " and ".join(f"{kid} (rule in line {rule.line})" for kid, rule in chosen.items())
    types = [rule.intended_track_type or "" for rule in chosen.values()]
    hint = "the rules overlap, which CPIX forbids; `drmkit cpix validate` names the rules"
    if track.intended_track_type is None and all(types) and len(set(types)) == len(types):
        hint = f"say the track's intended track type, by which these rules differ: {' or '.join(types)}"
    return KeySelectionError(f"{len(chosen)} content keys match {_describe(track)}: {rules}", hint=hint)


def _describe(track: Track) -> str:
    """Return a track in words: what is known of it."""
    known: list[str] = []
    if isinstance(track, VideoTrack):
        known += [f"{track.width}x{track.height}"] if track.pixels is not None else []
        known += [f"{float(track.fps):g} fps"] if track.fps is not None else []
    elif track.channels is not None:
        known.append(f"{track.channels} channel{'s' if track.channels != 1 else ''}")
    known += [f"{float(track.bitrate):,.0f} bit/s"] if track.bitrate is not None else []
    known += [f"label {label}" for label in track.labels]
    kind = "video" if isinstance(track, VideoTrack) else "audio"
    return f"the {kind} track" + (f" ({', '.join(known)})" if known else "")


def _content_key(document: Document, rule: UsageRule) -> ContentKey:
    key = document.content_keys.get(rule.kid)
    if key is None:
        raise CpixError(f"the usage rule in line {rule.line} refers to the content key {rule.kid}, which is not there")
    return key


def _matches(document: Document, rule: UsageRule, track: Track, moment: Moment) -> bool:
    if rule.unknown_filters:
        name = rule.unknown_filters[0]
        raise _unusable(
            rule, f"it has a filter that CPIX does not define, {name}", "remove the filter, or ask its vendor"
        )
    video, audio = rule.video_filters, rule.audio_filters
    if (video and not isinstance(track, VideoTrack)) or (audio and not isinstance(track, AudioTrack)):
        return False
    matching = [
        not video or _any(_video(rule, item, track) for item in video),
        not audio or _any(_audio(rule, item, track) for item in audio),
        not (bitrates := rule.bitrate_filters) or _any(_bitrate(rule, item, track) for item in bitrates),
        not (labels := rule.labels) or bool(set(labels) & set(track.labels)),
        not (periods := rule.period_ids) or _any(_period(document, rule, item, moment) for item in periods),
    ]
    return all(matching)


def _any(matches: Iterable[bool]) -> bool:
    """Say whether one matches, after looking at all: each may find the rule unusable."""
    return max(list(matches), default=False)


def _video(rule: UsageRule, item: VideoFilter, track: Track) -> bool:
    if not isinstance(track, VideoTrack):
        return False
    return (
        _within(rule, "width and height", track.pixels, item.min_pixels, item.max_pixels)
        & _within(rule, "fps", track.fps, item.min_fps, item.max_fps, exclusive=True)
        & _same(rule, "hdr", track.hdr, item.hdr)
        & _same(rule, "wcg", track.wcg, item.wcg)
    )


def _audio(rule: UsageRule, item: AudioFilter, track: Track) -> bool:
    channels = track.channels if isinstance(track, AudioTrack) else None
    return _within(rule, "channels", channels, item.min_channels, item.max_channels)


def _bitrate(rule: UsageRule, item: BitrateFilter, track: Track) -> bool:
    if item.min_bitrate is None and item.max_bitrate is None:
        raise _unusable(rule, "its BitrateFilter has no bound", "give minBitrate, maxBitrate or both")
    return _within(rule, "bitrate", track.bitrate, item.min_bitrate, item.max_bitrate)


def _period(document: Document, rule: UsageRule, period_id: str, moment: Moment) -> bool:
    period = document.periods.get(period_id)
    if period is None:
        raise CpixError(f"the usage rule in line {rule.line} refers to the period {period_id!r}, which is not there")
    inside = moment.lies_in(period)
    if inside is None:
        raise _unusable(
            rule,
            f"whether the key period {period_id!r} is meant is not known",
            "give the time (at), or the index or label of the period, whichever the document uses",
        )
    return inside


def _within(
    rule: UsageRule, what: str, value: Number | None, least: int | None, most: int | None, *, exclusive: bool = False
) -> bool:
    if least is None and most is None:
        return True
    if value is None:
        raise _unusable(rule, f"it asks for the track's {what}, which is not known", f"give {what} of the track")
    above = least is None or (value > least if exclusive else value >= least)
    return above and value <= (MAX_UINT32 if most is None else most)


def _same(rule: UsageRule, what: str, value: bool | None, wanted: bool | None) -> bool:
    if wanted is None:
        return True
    if value is None:
        raise _unusable(rule, f"it asks whether the track is {what}, which is not known", f"give {what} of the track")
    return value == wanted


def _unusable(rule: UsageRule, why: str, hint: str) -> KeySelectionError:
    return KeySelectionError(
        f"the usage rule in line {rule.line} is unusable: {why}; so no key may be chosen", hint=hint
    )
