"""Looks into a track: reads its initialization segments and a sample of its segments, and keeps what they say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Literal

from drmkit.errors import RemoteError, SignalingError
from drmkit.identifiers import KeyId
from drmkit.stream.check.access import Access, Reference, UnreadableError
from drmkit.stream.check.collector import Collector
from drmkit.stream.check.fragments import Fragment, SegmentContent, read_segment
from drmkit.stream.check.initsegment import InitSegment, MediaTrack, read_init
from drmkit.stream.check.model import Place
from drmkit.stream.check.presentation import Segment, StreamTrack
from drmkit.stream.check.webm import is_webm, read_webm_init, read_webm_segment
from drmkit.stream.staging import spill

__all__ = ["Look", "Looked", "Spool", "choose", "chosen", "look_into", "read_chosen"]

_INIT = 8 * 2**20
_MOST_CHANGES = 16
_MOST_INSTEAD = 8
_SPOOLED = 48 * 2**20


@dataclass(slots=True)
class Spool:
    """Encrypted segments, kept on disk for decryption.

    Attributes:
        folder: a private folder.
        all: keep everything, not just enough to judge a key.
        used: bytes kept.
    """

    folder: Path
    all: bool = False
    used: int = 0
    _count: int = 0

    def keep(self, data: bytes) -> Path | None:
        """Write bytes to a file of their own; None where enough is kept already."""
        if not self.all and self.used + len(data) > _SPOOLED and self._count:
            return None
        self._count += 1
        self.used += len(data)
        path = self.folder / f"{self._count}.mp4"
        spill(path, data)
        return path


@dataclass(slots=True)
class Looked:
    """One segment of one media track as it was found.

    Attributes:
        segment: as the manifest names it.
        place: its file.
        fragments: the track's fragments in it, until they are forgotten.
        path: where its bytes are kept, or None.
        protected: how many samples are encrypted.
        clear: how many samples are in the clear.
        kids: the key IDs of its samples, each once.
        first_iv: the IV of the first encrypted sample, or None.
    """

    segment: Segment
    place: Place
    fragments: list[Fragment]
    path: Path | None = None
    protected: int = 0
    clear: int = 0
    kids: tuple[KeyId, ...] = ()
    first_iv: bytes | None = None

    def __post_init__(self) -> None:
        samples = [sample for fragment in self.fragments for sample in fragment.samples]
        hidden = [sample for sample in samples if sample.kid is not None]
        self.protected, self.clear = len(hidden), len(samples) - len(hidden)
        self.kids = tuple(dict.fromkeys(sample.kid for sample in hidden if sample.kid is not None))
        self.first_iv = hidden[0].iv if hidden else None

    def forget(self) -> None:
        """Let go of the single samples: a stream has millions."""
        self.fragments = []


@dataclass(slots=True)
class Look:
    """What was found of one media track behind one initialization segment.

    Attributes:
        track: the track as the manifest names it.
        media: the track of the initialization segment.
        init: the initialization segment.
        place: its file.
        init_path: where its bytes are kept; an empty file for MPEG-TS and packed audio.
        segments: the segments that were read.
        container: "mp4", "webm", "ts" or "packed".
    """

    track: StreamTrack
    media: MediaTrack
    init: InitSegment
    place: Place
    init_path: Path | None = None
    segments: list[Looked] = field(default_factory=list)
    container: Literal["mp4", "webm", "ts", "packed"] = "mp4"

    @property
    def by_tags(self) -> bool:
        """Whether key tags alone say how it is encrypted: SAMPLE-AES of MPEG-TS and packed audio."""
        return self.container in {"ts", "packed"}

    @property
    def kids(self) -> tuple[KeyId, ...]:
        """The key IDs that the media names: of the sample entry and of the samples."""
        entry = self.media.encrypted
        default = [entry.kid] if entry is not None and entry.kid is not None else []
        return tuple(dict.fromkeys([*default, *(kid for one in self.segments for kid in one.kids)]))

    @property
    def used_kids(self) -> tuple[KeyId, ...]:
        """The key IDs that samples were found encrypted with; where no sample was read, those of the entries."""
        if not any(one.protected or one.clear for one in self.segments):
            return self.kids
        return tuple(dict.fromkeys(kid for one in self.segments for kid in one.kids))

    @property
    def scheme(self) -> str | None:
        """The protection scheme, or None for a track in the clear."""
        entry = self.media.encrypted
        return None if entry is None else entry.scheme


def choose(count: int, wanted: int | None) -> list[int]:
    """Return which of so many segments to look at: first, last and what lies evenly between; None for all.

    >>> choose(10, 3)
    [0, 4, 9]
    """
    if wanted is None or count <= wanted:
        return list(range(count))
    if wanted == 1:
        return [0]
    return sorted({round(number * (count - 1) / (wanted - 1)) for number in range(wanted)})


def chosen(segments: Sequence[Segment], wanted: int | None) -> list[int]:
    """Return which segments to look at; where keys change in a playlist, the first behind each change is among them."""
    picked = set(choose(len(segments), wanted))
    if isinstance(segments, list):
        changes = [
            at for at in range(1, len(segments))
            if segments[at].keys != segments[at - 1].keys or segments[at].init != segments[at - 1].init
        ]  # fmt: skip
        picked.update(changes[:_MOST_CHANGES])
        picked.update(at - 1 for at in changes[:_MOST_CHANGES])
    return sorted(picked)


def read_chosen(track: StreamTrack, wanted: int | None, read: Callable[[int], bool]) -> None:
    """Read some of a track's segments.

    A segment that turns out to be in the clear tells nothing of keys, so another is read beside it.

    Args:
        track: the track.
        wanted: how many segments to look at; None for all.
        read: reads the segment of an index, and says whether it is in the clear although its track is not.
    """
    first = chosen(track.segments, wanted)
    clear = [at for at in first if read(at)]
    if clear:
        others = (at for at in range(clear[0] + 1, len(track.segments)) if at not in first)
        for at in islice(others, _MOST_INSTEAD):
            if clear and not read(at):
                clear.pop()


def look_into(
    track: StreamTrack, access: Access, collector: Collector, wanted: int | None, spool: Spool | None
) -> list[Look]:
    """Read a track's initialization segments and some of its segments.

    Args:
        track: the track.
        access: reads.
        collector: takes the findings about what cannot be read.
        wanted: how many segments to look at; None for all.
        spool: keeps segments for decryption, or None.
    """
    reader = _Reader(track, access, collector, spool)
    read_chosen(track, wanted, reader.read)
    if not reader.looks:
        _init_alone(track, access, collector, reader.looks, spool)
    looks = [look for group in reader.looks.values() for look in group]
    for look in looks:
        look.segments.sort(key=lambda one: one.segment.index)
    return looks


@dataclass(slots=True)
class _Reader:
    """Reads segments of a track, each behind its initialization segment."""

    track: StreamTrack
    access: Access
    collector: Collector
    spool: Spool | None
    looks: dict[Reference, list[Look]] = field(default_factory=dict)

    def read(self, at: int) -> bool:
        """Read a segment; say whether it is in the clear although its track is not."""
        segment = _segment(self.track, at, self.collector)
        if segment is None or not segment.whole or segment.init is None:
            return False
        if segment.init not in self.looks:
            self.looks[segment.init] = _init(self.track, segment, self.access, self.collector, self.spool)
        looks = self.looks[segment.init]
        if looks:
            _media(looks, segment, self.access, self.collector, self.spool)
        ends = [look.segments[-1] for look in looks if look.media.encrypted is not None and look.segments]
        return any(one.segment is segment and not one.protected for one in ends)


def _segment(track: StreamTrack, at: int, collector: Collector) -> Segment | None:
    try:
        return track.segments[at]
    except UnreadableError as error:
        collector.add(error.rule, error.message, track=track.name, place=track.place, hint=error.hint)
    except SignalingError as error:
        collector.add("mpd-broken", error.message, track=track.name, place=track.place, hint=error.hint)
    return None


def _init_alone(
    track: StreamTrack,
    access: Access,
    collector: Collector,
    looks: dict[Reference, list[Look]],
    spool: Spool | None,
) -> None:
    """Read the initialization segment of a track whose segments cannot be looked into, such as I-frame playlists."""
    first = _segment(track, 0, collector) if len(track.segments) else None
    if first is not None and first.init is not None:
        looks[first.init] = _init(track, first, access, collector, spool)


def _init(
    track: StreamTrack, segment: Segment, access: Access, collector: Collector, spool: Spool | None
) -> list[Look]:
    reference = segment.init
    assert reference is not None  # noqa: S101 - the caller has looked
    place = Place(access.name(reference.location))
    try:
        data = access.read(reference, most=_INIT, what=f"the initialization segment {place.file}")
        init = read_webm_init(data) if is_webm(data) else read_init(data, reference.start or 0)
    except UnreadableError as error:
        collector.add(error.rule, error.message, track=track.name, place=segment.place, hint=error.hint)
        return []
    except SignalingError as error:
        collector.add("init-broken", error.message, track=track.name, place=place, hint=error.hint)
        return []
    except RemoteError as error:
        collector.add("segment-unreadable", error.message, track=track.name, place=segment.place, hint=error.hint)
        return []
    path = spool.keep(data) if spool is not None else None
    return [
        Look(track, media, init, place, path, container="webm" if is_webm(data) else "mp4") for media in init.tracks
    ]


def _media(looks: list[Look], segment: Segment, access: Access, collector: Collector, spool: Spool | None) -> None:
    track = looks[0].track.name
    name = access.name(segment.media.location)
    place = Place(name)
    try:
        data = access.read(segment.media, what=f"segment {segment.index} ({name})")
        reader = read_webm_segment if looks[0].container == "webm" else read_segment
        content = reader(data, looks[0].init, segment.media.start or 0)
    except UnreadableError as error:
        collector.add(error.rule, error.message, track=track, place=segment.place, hint=error.hint)
        return
    except SignalingError as error:
        collector.add("segment-broken", error.message, track=track, place=place, hint=error.hint)
        return
    except RemoteError as error:
        collector.add("segment-unreadable", error.message, track=track, place=segment.place, hint=error.hint)
        return
    if not content.fragments:
        collector.add("segment-broken", f"there is no fragment in segment {segment.index}", track=track, place=place)
        return
    path = spool.keep(data) if spool is not None else None
    _boxes(content, track, name, collector)
    for look in looks:
        own = [fragment for fragment in content.fragments if fragment.track_id == look.media.track_id]
        if own:
            look.segments.append(Looked(segment, place, own, path))


def _boxes(content: SegmentContent, track: str, name: str, collector: Collector) -> None:
    for broken in content.broken:
        place = Place(name, box=f"moof/{broken.name}", byte=broken.at)
        collector.add("pssh-broken", broken.reason, track=track, place=place)
    for found in content.pssh[:1] if not collector.has("pssh-in-fragment", track) else ():
        collector.add(
            "pssh-in-fragment",
            "a PSSH box stands in a fragment",
            track=track,
            place=Place(name, box="moof/pssh", byte=found.at),
        )
