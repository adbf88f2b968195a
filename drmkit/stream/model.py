"""The values of a packaging plan: tracks, how each is encrypted, and the packager runs that do it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from drmkit.errors import InputError
from drmkit.identifiers import KeyId
from drmkit.secret import Secret
from drmkit.signaling.pssh import PsshBox
from drmkit.stream.naming import Naming
from drmkit.stream.probe import Kind, TrackProperties

__all__ = [
    "KeyUse",
    "Layout",
    "ManifestKind",
    "OutputFormat",
    "PackagerRun",
    "Plan",
    "PlannedTrack",
    "Scheme",
    "SystemSignaling",
    "TrackInput",
]

Scheme = Literal["cenc", "cbcs"]
Layout = Literal["file", "segments"]
ManifestKind = Literal["hls", "dash"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
_TAKEN = frozenset({"master", "manifest"})


@dataclass(frozen=True, slots=True)
class TrackInput:
    """One track to package.

    Attributes:
        path: a media file that Shaka Packager reads (MP4, WebM, MPEG-TS).
        kind: "video" or "audio".
        name: the track's name in the output: letters, digits, `-` and `_`.
        language: BCP 47 tag of the language, or None.
        labels: labels for the document's label filters.
        intended_track_type: look only at usage rules with this intended track type, such as "HD"; None for all.
        kid: the key to use, or None to let the document's usage rules decide.
        number: which track of the kind in the file, from 0.
    """

    path: Path
    kind: Kind
    name: str
    language: str | None = None
    labels: tuple[str, ...] = ()
    intended_track_type: str | None = None
    kid: KeyId | None = None
    number: int = 0

    def __post_init__(self) -> None:
        if self.kind not in {"video", "audio"}:
            raise InputError(f"a track is video or audio, not {self.kind!r}")
        if not _NAME.fullmatch(self.name) or self.name.lower() in _TAKEN:
            raise InputError(
                f"{self.name!r} cannot name a track",
                hint="use up to 64 letters, digits, '-' and '_', but neither 'master' nor 'manifest'",
            )
        if self.language is not None and not _LANGUAGE.fullmatch(self.language):
            raise InputError(f"{self.language!r} is no language tag", hint="use a BCP 47 tag such as 'en' or 'pt-BR'")


@dataclass(frozen=True, slots=True)
class SystemSignaling:
    """What a document states for one DRM system of a key (CPIX 2.4, DRMSystem); None where it states nothing.

    Attributes:
        system_id: the DRM system's ID, a UUID in lower case.
        pssh: its PSSH boxes.
        content_protection: what stands inside the system's DASH `ContentProtection` element, or that whole element.
        robustness: the element's robustness level.
        hls_media: the key tags of the HLS media playlist.
        hls_master: the session key tags of the HLS multivariant playlist.
        key_uri: the URI of the HLS key tag (CPIX up to 2.3.1, URIExtXKey).
        allowed_cpc: the content protection configurations that HLS variants with this key allow (CPIX 2.4,
            HLSAllowedCPC).
    """

    system_id: str
    pssh: tuple[PsshBox, ...] = ()
    content_protection: bytes | None = None
    robustness: str | None = None
    hls_media: str | None = None
    hls_master: str | None = None
    key_uri: str | None = None
    allowed_cpc: str | None = None


@dataclass(frozen=True, slots=True)
class KeyUse:
    """How a track is encrypted.

    Attributes:
        kid: the key ID.
        key: the content key, 16 bytes.
        iv: 8 or 16 bytes, or None to let the packager choose.
        scheme: the protection scheme.
        pssh: the PSSH boxes of this key, in the document's order.
        signaling: what the document states for each DRM system of this key, for the manifests.
        hdcp_level: the HDCP level that HLS variants with this key ask for (CPIX 2.4, HDCPData).
    """

    kid: KeyId
    key: Secret[bytes]
    iv: bytes | None
    scheme: Scheme
    pssh: tuple[PsshBox, ...]
    signaling: tuple[SystemSignaling, ...] = ()
    hdcp_level: str | None = None


@dataclass(frozen=True, slots=True)
class PlannedTrack:
    """A track that is ready to be packaged.

    Attributes:
        track: the track.
        properties: what its file says about it.
        use: its encryption, or None to leave it in the clear.
        index: its place among all tracks, from 0.
        selector: how the packager finds it in its file: its kind for the first of the kind, or the stream's number.
    """

    track: TrackInput
    properties: TrackProperties
    use: KeyUse | None
    index: int = 0
    selector: str = ""


@dataclass(frozen=True, slots=True)
class PackagerRun:
    """Tracks that one run of the packager can encrypt: they share scheme and PSSH boxes."""

    tracks: tuple[PlannedTrack, ...]
    scheme: Scheme | None
    pssh: tuple[PsshBox, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The runs that package all tracks, and what a person should know about them.

    Attributes:
        runs: the runs, in the order of their first tracks.
        notes: sentences about what is legal but unwise in the document; empty where all is well.
    """

    runs: tuple[PackagerRun, ...]
    notes: tuple[str, ...] = ()

    @property
    def tracks(self) -> tuple[PlannedTrack, ...]:
        """All tracks, in the order in which they were given."""
        tracks = (track for run in self.runs for track in run.tracks)
        return tuple(sorted(tracks, key=lambda track: track.index))


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """How a packaged stream is laid out.

    Attributes:
        layout: "file" for one MP4 file a track, addressed by byte ranges; "segments" for a file a segment.
        segment_seconds: the length of a segment, or of a byte range, key frames permitting.
        manifests: what is written beside the tracks: "hls" (RFC 8216) and "dash" (ISO/IEC 23009-1, live profile for
            segments, on-demand profile for files).
        names: what the files are called.
    """

    layout: Layout = "file"
    segment_seconds: float = 6.0
    manifests: tuple[ManifestKind, ...] = ("hls", "dash")
    names: Naming = field(default_factory=Naming)

    def __post_init__(self) -> None:
        if self.layout not in {"file", "segments"}:
            raise InputError(f"a stream is laid out in a file or in segments, not in {self.layout!r}")
        if not 0 < self.segment_seconds < float("inf"):
            raise InputError(f"a segment cannot last {self.segment_seconds:g} seconds")
        for kind in self.manifests:
            if kind not in {"hls", "dash"}:
                raise InputError(f"a manifest is hls or dash, not {kind!r}")
