"""Looks into HLS tracks without boxes, MPEG-TS and packed audio: what their segments and the key tags say together."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, cast

from drmkit.errors import InputError, RemoteError, SignalingError
from drmkit.identifiers import KeyId
from drmkit.stream.check.access import Access, UnreadableError
from drmkit.stream.check.collector import Collector
from drmkit.stream.check.hlskeys import named_kid, stated_iv
from drmkit.stream.check.initsegment import InitSegment, MediaTrack
from drmkit.stream.check.look import Look, Looked, Spool, read_chosen
from drmkit.stream.check.model import Place
from drmkit.stream.check.presentation import Segment, StreamTrack
from drmkit.stream.check.samplerules import check_sample_stream
from drmkit.stream.check.transport import Elementary, kind_of, read_packed, read_transport
from drmkit.stream.entries import SampleEntry

__all__ = ["has_no_boxes", "look_into_samples"]

Container = Literal["ts", "packed"]
_HANDLERS = {"video": "vide", "audio": "soun"}


def has_no_boxes(track: StreamTrack, access: Access) -> bool:
    """Say whether an HLS track is of MPEG-TS or packed audio; where the names of its segments do not tell, look."""
    if track.location is None or not len(track.segments):
        return False
    if track.container != "unknown":
        return track.container in {"ts", "packed"}
    try:
        return kind_of(access.read(track.segments[0].media)) in {"ts", "packed"}
    except (InputError, RemoteError):
        return False  # a finding later, when it is to be read


def look_into_samples(
    track: StreamTrack,
    access: Access,
    collector: Collector,
    *,
    wanted: int | None,
    spool: Spool | None,
    known: Collection[KeyId],
) -> list[Look]:
    """Read some segments of a track of MPEG-TS or packed audio.

    SAMPLE-AES there has no boxes that state a key ID, an IV or a scheme: the key tags in force are taken for what
    holds. Its cipher is that of cbcs, so a look of such a track has that scheme.

    Args:
        track: the track.
        access: reads.
        collector: takes the findings.
        wanted: how many segments to look at; None for all.
        spool: keeps segments for decryption, or None.
        known: key IDs from elsewhere, which a FairPlay URI may name.
    """
    reader = _Reader(track, access, collector, spool, known)
    read_chosen(track, wanted, reader.read)
    for look in reader.looks.values():
        look.segments.sort(key=lambda one: one.segment.index)
        _settle(look)
    return list(reader.looks.values())


@dataclass(slots=True)
class _Reader:
    """Reads segments of a track; its looks are by kind, and number within that kind."""

    track: StreamTrack
    access: Access
    collector: Collector
    spool: Spool | None
    known: Collection[KeyId]
    looks: dict[tuple[str, int], Look] = field(default_factory=dict)
    init: InitSegment = field(default_factory=InitSegment)
    empty: Path | None = None

    def read(self, at: int) -> bool:
        """Read a segment; say whether it is in the clear although others of its track are not."""
        segment = self.track.segments[at]
        name = self.access.name(segment.media.location)
        data = self._bytes(segment, name) if segment.whole else None
        if data is None:
            return False
        place = Place(name, byte=segment.media.start)
        kind = kind_of(data)
        if kind not in {"ts", "packed"}:
            self._no_media(segment, place)
            return False
        try:
            streams = read_transport(data) if kind == "ts" else [read_packed(data)]
        except SignalingError as error:
            words = f"segment {segment.index}: {error.message}"
            self.collector.add("segment-broken", words, track=self.track.name, place=place, hint=error.hint)
            return False
        if self.spool is not None and self.empty is None:
            self.empty = self.spool.keep(b"")
        path = self.spool.keep(data) if self.spool is not None else None
        counts: dict[str, int] = {}
        clear = False
        for stream in streams:
            number = counts[stream.kind] = counts.get(stream.kind, -1) + 1
            look = self._look((stream.kind, number), cast("Container", kind), stream, place)
            one = self._looked(segment, place, stream)
            one.path = path
            look.segments.append(one)
            check_sample_stream(look, one, stream, self.collector)
            clear = clear or not one.protected
        return clear and bool(self.track.keys)

    def _bytes(self, segment: Segment, name: str) -> bytes | None:
        try:
            return self.access.read(segment.media, what=f"segment {segment.index} ({name})")
        except (UnreadableError, RemoteError) as error:
            rule = error.rule if isinstance(error, UnreadableError) else "segment-unreadable"
            self.collector.add(rule, error.message, track=self.track.name, place=segment.place, hint=error.hint)
        return None

    def _no_media(self, segment: Segment, place: Place) -> None:
        if segment.keys:
            words = f"segment {segment.index} is neither MPEG-TS nor packed audio, whose samples SAMPLE-AES encrypts"
            hint = "where whole segments are encrypted, METHOD is AES-128"
            self.collector.add("segment-broken", words, track=self.track.name, place=place, hint=hint)
        else:
            words = f"no key tag is in force at segment {segment.index}, and it is no media in the clear"
            self.collector.add("hls-key-missing", words, track=self.track.name, place=segment.place)

    def _look(self, which: tuple[str, int], container: Container, stream: Elementary, place: Place) -> Look:
        if which not in self.looks:
            entry = SampleEntry(len(self.looks) + 1, _HANDLERS[stream.kind], stream.format)
            media = MediaTrack(entry.track_id, stream.kind, (entry,), stream.at)
            self.init.tracks.append(media)
            where = replace(place, byte=None)
            self.looks[which] = Look(self.track, media, self.init, where, self.empty, container=container)
        return self.looks[which]

    def _looked(self, segment: Segment, place: Place, stream: Elementary) -> Looked:
        one = Looked(segment, place, [])
        if segment.keys or stream.says_encrypted:
            kid = named_kid(segment.keys, self.known)
            one.protected, one.kids, one.first_iv = 1, () if kid is None else (kid,), stated_iv(segment)
        else:
            one.clear = 1
        return one


def _settle(look: Look) -> None:
    """Mark a track as encrypted where a segment is, with the IV that all such segments have."""
    hidden = [one for one in look.segments if one.protected]
    if hidden:
        ivs = {one.first_iv for one in hidden}
        pattern = (1, 9) if look.media.kind == "video" else (0, 0)
        look.media.entries = tuple(
            replace(entry, scheme="cbcs", constant_iv=ivs.pop() if len(ivs) == 1 else None, pattern=pattern)
            for entry in look.media.entries
        )
