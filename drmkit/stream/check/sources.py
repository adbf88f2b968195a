"""Compares decrypted packets with those of the clear media that a stream was made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from drmkit.identifiers import KeyId
from drmkit.secret import Secret
from drmkit.stream.check.decoding import Decoder, Media

__all__ = ["Sources"]

_MOST_TRACKS = 8
# Containers frame the same media in different ways: MP4 with lengths, MPEG-TS with start codes, headers, and parameter
# sets in between. What is left without all that is the same in each: the slices, and the frames of sound.
_SLICES, _FRAMES = "filter_units=pass_types=", "aac_adtstoasc"
_BARE = {
    **dict.fromkeys(("avc1", "avc3"), f"h264_mp4toannexb,{_SLICES}1-5"),
    **dict.fromkeys(("hvc1", "hev1"), f"hevc_mp4toannexb,{_SLICES}0-31"),
    "mp4a": _FRAMES,
}


@dataclass(slots=True)
class Sources:
    """The clear media that a stream was made of: the hashes of its packets, track by track.

    Attributes:
        files: the media files.
        decoder: reads them.
    """

    files: Sequence[Path]
    decoder: Decoder
    _hashes: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    _media: dict[str, list[Media]] = field(default_factory=dict)

    def differing(self, media: Media, keys: Mapping[KeyId, Secret[bytes]], decoder: Decoder, form: str) -> int | None:
        """Return how many packets there are where they do not stand in a row in a source; None where they do.

        Args:
            media: some segments.
            keys: the keys by key ID.
            decoder: decrypts them.
            form: the format of the clear samples.
        """
        packets = decoder.packets(media, keys)
        if packets and self._holds(packets, media.stream[0], ""):
            return None
        bare = decoder.packets(media, keys, _BARE[form]) if form in _BARE else []
        if bare and self._holds(bare, media.stream[0], _BARE[form]):
            return None
        return len(packets)

    def _holds(self, packets: Sequence[str], kind: str, filters: str) -> bool:
        wanted = "\n".join(packets)
        return any(wanted in track for track in self._tracks(kind, filters))

    def _tracks(self, kind: str, filters: str) -> list[str]:
        tracks = self._of_kind(kind)
        if (kind, filters) not in self._hashes:
            found = ["\n".join(self.decoder.packets(media, {}, filters)) for media in tracks]
            self._hashes[kind, filters] = [track for track in found if track]
        return self._hashes[kind, filters]

    def _of_kind(self, kind: str) -> list[Media]:
        """Return the tracks of a kind ("v" or "a")."""
        if kind not in self._media:
            self._media[kind], plain = [], []
            for file in self.files:
                for number in range(_MOST_TRACKS):
                    media = Media((file,), f"{kind}:{number}")
                    packets = self.decoder.packets(media, {})
                    if not packets:
                        break
                    self._media[kind].append(media)
                    plain.append("\n".join(packets))
            self._hashes[kind, ""] = plain
        return self._media[kind]
