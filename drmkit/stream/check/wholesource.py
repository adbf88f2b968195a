"""Compares whole segments that were decrypted with the clear media that a stream was made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from drmkit.errors import SignalingError
from drmkit.stream.check.decoding import Media
from drmkit.stream.check.initsegment import read_init
from drmkit.stream.check.sources import Sources
from drmkit.stream.check.transport import kind_of, read_packed, read_transport
from drmkit.stream.staging import spill

__all__ = ["WholeSource"]


@dataclass(frozen=True, slots=True)
class WholeSource:
    """What decrypted segments are compared with.

    Attributes:
        sources: the clear media.
        folder: a private folder; one segment at a time is in it.
    """

    sources: Sources
    folder: Path

    def differing(self, segment: bytes, init: bytes) -> str | None:
        """Return in words what of a segment does not stand in a source; None where all does.

        Args:
            segment: the segment in the clear: fragmented MP4, MPEG-TS or packed audio; of text nothing is compared.
            init: its initialization segment in the clear, or b"" for none.
        """
        files = (self.folder / "init.bin", self.folder / "segment.bin")
        try:
            streams = list(_streams(segment, init))
        except SignalingError as error:
            return f"it cannot be compared with a source: {error.message}"
        for path, data in zip(files, (init, segment), strict=True):
            spill(path, data)
        media = files if kind_of(segment) == "mp4" else files[1:]
        for stream, form in streams:
            count = self.sources.differing(Media(media, stream), {}, self.sources.decoder, form)
            if count is not None:
                kind = "video" if stream[0] == "v" else "audio"
                return f"its {count} {kind} packets, decrypted, do not stand in a source"
        return None


def _streams(segment: bytes, init: bytes) -> Iterator[tuple[str, str]]:
    """Yield the tracks of a segment: ffmpeg's name, and the format."""
    kind = kind_of(segment)
    if kind == "mp4":
        found = [(track.kind, track.entries[0].format) for track in read_init(init).tracks]
    elif kind in {"ts", "packed"}:
        streams = read_transport(segment) if kind == "ts" else [read_packed(segment)]
        found = [(stream.kind, stream.format) for stream in streams]
    else:
        found = []
    counts = {"video": 0, "audio": 0}
    for name, form in found:
        if name in counts:
            yield f"{name[0]}:{counts[name]}", form
            counts[name] += 1
