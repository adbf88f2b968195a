"""Which usage rules of different content keys can match one track: filters as boxes in a space, and where they meet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Final, Literal, Self

from lxml import etree

from drmkit.cpix.survey import Survey
from drmkit.cpix.timeline import overlapping
from drmkit.cpix.usage import MAX_UINT32, AudioFilter, UsageRule, VideoFilter
from drmkit.errors import CpixError

__all__ = ["Terms", "collisions"]

Media = Literal["video", "audio"]
Range = tuple[int, int]
Box = tuple[Media, tuple[Range, ...]]
_ANY: Final[Range] = (0, MAX_UINT32)
_NONE: Final = ""
_LIMIT: Final = 500_000


@dataclass(frozen=True, slots=True)
class Terms:
    """What a usage rule demands.

    Args:
        element: the rule.
        kid: its content key, in lower case.
        boxes: the alternatives over media, pixels, frames per second, HDR, WCG or channels.
        bitrates: the alternatives over bitrate.
        labels: one of these labels, or none demanded.
        periods: one of these periods, or none demanded.
        meanwhile: other periods that have some time in common with these.
        track_type: the intended track type, which decides nothing, but tells rules without filters apart.
        bare: whether the rule has no filter on tracks at all.
    """

    element: etree._Element
    kid: str
    boxes: tuple[Box, ...]
    bitrates: tuple[Range, ...]
    labels: frozenset[str]
    periods: frozenset[str]
    meanwhile: frozenset[str]
    track_type: str | None
    bare: bool

    @classmethod
    def of(cls, survey: Survey, element: etree._Element) -> Self | None:
        """Read the demands of a rule; None for one that cannot be read or can match nothing."""
        rule = UsageRule(survey.document, element)
        try:
            video, audio, bitrate = rule.video_filters, rule.audio_filters, rule.bitrate_filters
        except CpixError:
            return None
        if rule.unknown_filters or (video and audio):
            return None
        concurrent = survey.remember("overlapping", lambda s: overlapping(s.timed))
        return cls(
            element,
            (element.get("kid") or "").lower(),
            tuple(_boxes(video, audio)),
            tuple(_span(b.min_bitrate, b.max_bitrate) for b in bitrate) or (_ANY,),
            frozenset(rule.labels),
            frozenset(rule.period_ids),
            frozenset().union(*(concurrent.get(name, ()) for name in rule.period_ids)),
            rule.intended_track_type,
            not (video or audio or bitrate or rule.labels),
        )

    @property
    def shape(self) -> Hashable:
        """What tells two rules of one period and label apart."""
        return self.boxes, self.bitrates, bool(self.labels), self.track_type, self.bare

    def meets(self, other: Terms) -> bool | None:
        """Say whether one track can match both; None where only a track with labels of both could."""
        if self.periods and other.periods and not (self.periods | self.meanwhile) & other.periods:
            return False
        if not any(_cross(a, b) for a in self.bitrates for b in other.bitrates):
            return False
        if not any(_touch(a, b) for a in self.boxes for b in other.boxes):
            return False
        if self.track_type and other.track_type and self.track_type != other.track_type and (self.bare or other.bare):
            return None if self.bare != other.bare else False
        if self.labels and other.labels:
            return bool(self.labels & other.labels)
        return None if self.labels or other.labels else True


def collisions(terms: list[Terms]) -> Iterator[tuple[Terms, Terms, bool]]:
    """Yield pairs of rules of different keys that can match one track, each later rule once.

    Rules that ask for different periods or labels never meet, and within one such group only rules of different shape
    are compared, so the cost grows with the number of rules. The comparisons are bounded in all, against documents that
    are made to be slow.

    Yields:
        The earlier rule, the later one, and whether the collision is certain.
    """
    groups: dict[tuple[str, str], _Group] = defaultdict(dict)
    left = _LIMIT
    for later in terms:
        for earlier in _candidates(groups, later):
            left -= 1
            met = earlier.meets(later)
            if met is not False:
                yield earlier, later, met is True
                break
        if left <= 0:
            return
        _register(groups, later)


_Group = dict[Hashable, list[Terms]]
_ALL: Final = "*"


def _candidates(groups: dict[tuple[str, str], _Group], later: Terms) -> Iterator[Terms]:
    periods = [*sorted(later.periods | later.meanwhile), _NONE] if later.periods else [_ALL]
    labels = [*sorted(later.labels), _NONE] if later.labels else [_ALL]
    for key in product(periods, labels):
        for rules in groups[key].values() if key in groups else ():
            yield from [rule for rule in rules if rule.kid != later.kid][:1]


def _register(groups: dict[tuple[str, str], _Group], terms: Terms) -> None:
    """Enter a rule into its groups; of each shape, two rules of different keys stand for all."""
    for key in product(
        [*terms.periods, _ALL] if terms.periods else [_NONE, _ALL],
        [*terms.labels, _ALL] if terms.labels else [_NONE, _ALL],
    ):
        rules = groups[key].setdefault(terms.shape, [])
        if not rules or (len(rules) == 1 and rules[0].kid != terms.kid):
            rules.append(terms)


def _boxes(video: tuple[VideoFilter, ...], audio: tuple[AudioFilter, ...]) -> Iterator[Box]:
    for v in video:
        # In halves of a frame: a lower bound that is exclusive lies between two upper ones, for numbers of any length.
        fps = (2 * v.min_fps + 1 if v.min_fps is not None else -1, 2 * _most(v.max_fps))
        yield "video", (_span(v.min_pixels, v.max_pixels), fps, _flag(v.hdr), _flag(v.wcg))
    for a in audio:
        yield "audio", (_span(a.min_channels, a.max_channels),)
    if not video and not audio:
        yield "video", (_ANY, _ANY, _flag(None), _flag(None))
        yield "audio", (_ANY,)


def _span(least: int | None, most: int | None) -> Range:
    return least or 0, _most(most)


def _most(value: int | None) -> int:
    return MAX_UINT32 if value is None else value


def _flag(value: bool | None) -> Range:
    return (0, 1) if value is None else (int(value), int(value))


def _cross(first: Range, second: Range) -> bool:
    return max(first[0], second[0]) <= min(first[1], second[1])


def _touch(first: Box, second: Box) -> bool:
    return first[0] == second[0] and all(_cross(a, b) for a, b in zip(first[1], second[1], strict=True))
