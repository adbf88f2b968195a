"""Usage rules and their filters: which content key is for which track."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Self, TypeVar

from lxml import etree

from drmkit.cpix.shape import add_child
from drmkit.cpix.view import BOOLEAN, INTEGER, KEY_ID, TEXT, Attribute, Codec, Required, View, cpix
from drmkit.errors import CpixError

__all__ = ["MAX_UINT32", "AudioFilter", "BitrateFilter", "Filter", "UsageRule", "VideoFilter"]

F = TypeVar("F", bound="Filter")
MAX_UINT32: Final = 2**32 - 1


class Filter:
    """What the three filters with bounds have in common: how they are read from and written to an element."""

    tag: ClassVar[str]
    fields: ClassVar[dict[str, tuple[str, Codec[Any]]]]

    @classmethod
    def from_view(cls, view: View) -> Self:
        """Read a filter from its element."""
        given: dict[str, Any] = {}
        for name, (attribute, codec) in cls.fields.items():
            text = view.element.get(attribute)
            if text is not None:
                given[name] = view.read_value(codec, text, attribute)
        return cls(**given)

    def to_element(self, parent: etree._Element) -> etree._Element:
        """Make the element of the filter; `parent` is where it will go."""
        element = parent.makeelement(self.tag)
        for name, (attribute, codec) in self.fields.items():
            value = getattr(self, name)
            if value is not None:
                element.set(attribute, codec.write(value))
        return element


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoFilter(Filter):
    """Video only, even without a bound (CPIX 2.4, `VideoFilter`).

    Args:
        min_pixels: encoded width times height, at least this many; default 0.
        max_pixels: at most this many; default 2**32 - 1.
        hdr: only HDR, or only not HDR.
        wcg: only wide color gamut, or only not.
        min_fps: frames per second, more than this (exclusive).
        max_fps: frames per second, at most this many.
    """

    tag: ClassVar[str] = cpix("VideoFilter")
    fields: ClassVar[dict[str, tuple[str, Codec[Any]]]] = {
        "min_pixels": ("minPixels", INTEGER),
        "max_pixels": ("maxPixels", INTEGER),
        "hdr": ("hdr", BOOLEAN),
        "wcg": ("wcg", BOOLEAN),
        "min_fps": ("minFps", INTEGER),
        "max_fps": ("maxFps", INTEGER),
    }
    min_pixels: int | None = None
    max_pixels: int | None = None
    hdr: bool | None = None
    wcg: bool | None = None
    min_fps: int | None = None
    max_fps: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioFilter(Filter):
    """Audio only, even without a bound (CPIX 2.4, `AudioFilter`); both bounds are inclusive.

    Args:
        min_channels: at least this many channels; default 0.
        max_channels: at most this many; default 2**32 - 1.
    """

    tag: ClassVar[str] = cpix("AudioFilter")
    fields: ClassVar[dict[str, tuple[str, Codec[Any]]]] = {
        "min_channels": ("minChannels", INTEGER),
        "max_channels": ("maxChannels", INTEGER),
    }
    min_channels: int | None = None
    max_channels: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BitrateFilter(Filter):
    """Nominal bitrate in bits per second (CPIX 2.4, `BitrateFilter`); inclusive, and at least one bound is given.

    Args:
        min_bitrate: at least this; default 0.
        max_bitrate: at most this; default 2**32 - 1.
    """

    tag: ClassVar[str] = cpix("BitrateFilter")
    fields: ClassVar[dict[str, tuple[str, Codec[Any]]]] = {
        "min_bitrate": ("minBitrate", INTEGER),
        "max_bitrate": ("maxBitrate", INTEGER),
    }
    min_bitrate: int | None = None
    max_bitrate: int | None = None


class UsageRule(View):
    """A rule that says for which tracks a content key is (CPIX 2.4, `ContentKeyUsageRule`).

    Filters of one kind are alternatives; filters of different kinds must all match.
    """

    __slots__ = ()
    id = Attribute("id", TEXT)
    kid = Required("kid", KEY_ID)
    intended_track_type = Attribute("intendedTrackType", TEXT)

    @property
    def video_filters(self) -> tuple[VideoFilter, ...]:
        """The video filters."""
        return self._filters(VideoFilter)

    @property
    def audio_filters(self) -> tuple[AudioFilter, ...]:
        """The audio filters."""
        return self._filters(AudioFilter)

    @property
    def bitrate_filters(self) -> tuple[BitrateFilter, ...]:
        """The bitrate filters."""
        return self._filters(BitrateFilter)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the label filters."""
        return self._texts("LabelFilter", "label")

    @property
    def period_ids(self) -> tuple[str, ...]:
        """The period IDs of the key period filters."""
        return tuple(text.strip() for text in self._texts("KeyPeriodFilter", "periodId"))

    @property
    def unknown_filters(self) -> tuple[str, ...]:
        """The names of filters that CPIX does not define; a rule with one is unusable."""
        return tuple(str(child.tag) for child in self.element.iterchildren(etree.Element) if child.tag not in _KNOWN)

    def add_filters(self, filters: Iterable[Filter]) -> None:
        """Add filters, each at the place that the schema gives it."""
        self.changing()
        for item in filters:
            add_child(self.element, item.to_element(self.element))

    def add_labels(self, labels: Iterable[str]) -> None:
        """Add a label filter for each label."""
        self._add("LabelFilter", "label", labels)

    def add_periods(self, period_ids: Iterable[str]) -> None:
        """Add a key period filter for each period ID."""
        self._add("KeyPeriodFilter", "periodId", period_ids)

    def _add(self, local: str, attribute: str, texts: Iterable[str]) -> None:
        if isinstance(texts, str):
            raise CpixError(f"{attribute} takes several texts, not the single text {texts!r}", hint=f"use ({texts!r},)")
        self.changing()
        for text in texts:
            element = self.element.makeelement(cpix(local))
            element.set(attribute, text)
            add_child(self.element, element)

    def _filters(self, kind: type[F]) -> tuple[F, ...]:
        return tuple(kind.from_view(View(self.document, child)) for child in self.element.iterchildren(kind.tag))

    def _texts(self, local: str, attribute: str) -> tuple[str, ...]:
        found = (child.get(attribute) for child in self.element.iterchildren(cpix(local)))
        return tuple(text for text in found if text is not None)


_KNOWN: Final = {
    VideoFilter.tag,
    AudioFilter.tag,
    BitrateFilter.tag,
    cpix("LabelFilter"),
    cpix("KeyPeriodFilter"),
}
