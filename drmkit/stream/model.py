"""The values of a packaging plan: tracks, how each is encrypted, and the packager runs that do it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from drmkit.errors import InputError
from drmkit.identifiers import KeyId
from drmkit.secret import Secret
from drmkit.signaling.pssh import PsshBox
from drmkit.stream.probe import Kind, TrackProperties

__all__ = [
    "KeyUse",
    "Layout",
    "OutputFormat",
    "PackagerRun",
    "Plan",
    "PlannedTrack",
    "Scheme",
    "TrackInput",
]

Scheme = Literal["cenc", "cbcs"]
Layout = Literal["file", "segments"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
_TAKEN = frozenset({"master", "manifest"})


@dataclass(frozen=True, slots=True)
class TrackInput:
    """One track to package.

    Attributes:
        path: a media file that Shaka Packager reads (MP4, WebM, MPEG-TS); the first track of the kind is taken.
        kind: "video" or "audio".
        name: the track's name in the output: letters, digits, `-` and `_`.
        language: BCP 47 tag of the language, or None.
        labels: labels for the document's label filters.
        intended_track_type: look only at usage rules with this intended track type, such as "HD"; None for all.
        kid: the key to use, or None to let the document's usage rules decide.
    """

    path: Path
    kind: Kind
    name: str
    language: str | None = None
    labels: tuple[str, ...] = ()
    intended_track_type: str | None = None
    kid: KeyId | None = None

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
class KeyUse:
    """How a track is encrypted.

    Attributes:
        kid: the key ID.
        key: the content key, 16 bytes.
        iv: 8 or 16 bytes, or None to let the packager choose.
        scheme: the protection scheme.
        pssh: the PSSH boxes of this key, in the document's order.
    """

    kid: KeyId
    key: Secret[bytes]
    iv: bytes | None
    scheme: Scheme
    pssh: tuple[PsshBox, ...]


@dataclass(frozen=True, slots=True)
class PlannedTrack:
    """A track with its properties and its encryption (None: it stays in the clear)."""

    track: TrackInput
    properties: TrackProperties
    use: KeyUse | None


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
        """All tracks, run by run."""
        return tuple(track for run in self.runs for track in run.tracks)


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """How a packaged stream is laid out.

    Attributes:
        layout: "file" for one MP4 file a track, addressed by byte ranges; "segments" for a file a segment.
        segment_seconds: the length of a segment, or of a byte range, key frames permitting.
    """

    layout: Layout = "file"
    segment_seconds: float = 6.0

    def __post_init__(self) -> None:
        if self.layout not in {"file", "segments"}:
            raise InputError(f"a stream is laid out in a file or in segments, not in {self.layout!r}")
        if not 0 < self.segment_seconds < float("inf"):
            raise InputError(f"a segment cannot last {self.segment_seconds:g} seconds")
