"""What a manifest says, HLS and DASH alike: tracks, their segments, and the statements about their protection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from drmkit.errors import SignalingError
from drmkit.identifiers import DrmSystem, KeyId, system_name
from drmkit.signaling.dashreader import ContentProtection
from drmkit.signaling.hlsreader import HlsKey
from drmkit.signaling.pssh import PsshBox
from drmkit.stream.check.access import Location, Reference
from drmkit.stream.check.model import Place

__all__ = ["KeyLine", "Presentation", "Protection", "Segment", "StreamTrack"]


@dataclass(frozen=True, slots=True)
class KeyLine:
    """A key tag of a playlist and where it stands."""

    key: HlsKey
    place: Place

    @property
    def system(self) -> DrmSystem | None:
        """The DRM system; None for one that is not known, and for the key format identity."""
        return None if self.is_identity else self.key.system

    @property
    def is_identity(self) -> bool:
        """Whether the URI leads to the key itself."""
        return self.key.keyformat.lower() == "identity"

    @property
    def boxes(self) -> tuple[PsshBox, ...]:
        """The PSSH boxes of the URI; none where they cannot be read, which is a finding of its own."""
        try:
            return tuple(self.key.boxes())
        except SignalingError:
            return ()


@dataclass(frozen=True, slots=True)
class Protection:
    """A ContentProtection element that holds for a track, and where it stands."""

    element: ContentProtection
    place: Place

    @property
    def is_mp4(self) -> bool:
        """Whether it is the element that names the scheme."""
        return self.element.scheme_id_uri.lower() == "urn:mpeg:dash:mp4protection:2011"

    @property
    def system_name(self) -> str:
        """The DRM system's name for people."""
        return system_name(self.element.system_id or self.element.scheme_id_uri)


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment as the manifest names it.

    Attributes:
        media: its bytes.
        index: its number in the track, from 0.
        place: where the manifest names it.
        init: its initialization segment, or None.
        keys: the key tags in force (HLS).
        init_keys: the key tags in force at its EXT-X-MAP (HLS).
        sequence: the media sequence number (HLS), for the IV of AES-128.
        whole: whether the bytes are whole fragments, not parts of them as I-frame playlists name.
    """

    media: Reference
    index: int
    place: Place
    init: Reference | None = None
    keys: tuple[KeyLine, ...] = ()
    init_keys: tuple[KeyLine, ...] = ()
    sequence: int = 0
    whole: bool = True


@dataclass(slots=True)
class StreamTrack:
    """A track as the manifest names it.

    Attributes:
        name: its name, unique in the stream.
        kind: "video", "audio", "text" or "unknown", as far as the manifest says.
        place: where the manifest names it.
        segments: its segments, made as they are asked for.
        container: "mp4", "webm", "ts", "text", "packed" or "unknown", as far as the manifest says.
        keys: all key tags of its playlist (HLS).
        protections: the ContentProtection elements that hold for it (DASH).
        bandwidth: bits per second, or None (HLS states it for several tracks together).
        fps: frames per second, or None.
        location: the playlist (HLS), or None.
    """

    name: str
    kind: Literal["video", "audio", "text", "unknown"]
    place: Place
    segments: Sequence[Segment] = ()
    container: str = "unknown"
    keys: tuple[KeyLine, ...] = ()
    protections: tuple[Protection, ...] = ()
    bandwidth: int | None = None
    fps: float | None = None
    location: Location | None = None

    @property
    def manifest_boxes(self) -> tuple[tuple[PsshBox, Place], ...]:
        """Every PSSH box that the manifest has for the track, `mspr:pro` as one where no box says the same."""
        lines = [(box, line.place) for line in self.keys for box in line.boxes]
        return (*lines, *((box, item.place) for item in self.protections for box in item.element.all_boxes))

    @property
    def manifest_systems(self) -> tuple[str, ...]:
        """The IDs of the DRM systems that the manifest names for the track, in their order."""
        lines = [line.system.system_id for line in self.keys if line.system]
        elements = [item.element.system_id for item in self.protections if item.element.system_id]
        return tuple(dict.fromkeys([*lines, *elements]))

    @property
    def manifest_kids(self) -> tuple[KeyId, ...]:
        """The key IDs that the manifest names for the track."""
        return tuple(dict.fromkeys(kid for item in self.protections for kid in item.element.default_kids))


@dataclass(slots=True)
class Presentation:
    """A stream as its manifest names it.

    Attributes:
        protocol: "HLS" or "DASH".
        tracks: its tracks.
        session_keys: the session key tags of a multivariant playlist.
    """

    protocol: Literal["HLS", "DASH"]
    tracks: list[StreamTrack] = field(default_factory=list)
    session_keys: tuple[KeyLine, ...] = ()
