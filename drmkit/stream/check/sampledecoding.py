"""Decrypts samples of MPEG-TS and packed audio under METHOD=SAMPLE-AES, and lets ffmpeg decode what comes out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from drmkit.errors import SignalingError
from drmkit.identifiers import KeyId
from drmkit.secret import Secret
from drmkit.stream.check.decoding import Decoder, Media
from drmkit.stream.check.samplecipher import begins_picture, decrypted, joined, parts

__all__ = ["SampleDecoder"]

# What is in a segment does not decide how it is read.
_FORMATS = {
    "avc1": "h264",
    "hvc1": "hevc",
    "mp2v": "mpegvideo",
    "mp4a": "aac",
    "ac-3": "ac3",
    "ec-3": "eac3",
    ".mp3": "mp3",
}


class SampleDecoder(Decoder):
    """Runs ffmpeg on one stream out of segments without boxes. What is decrypted reaches it through a pipe.

    The first file of a `Media` stands for an initialization segment, which there is none of.

    Args:
        decoder: a decoder, for its programs and time.
        marks: the key ID and the IV of each file.
        form: the format of the stream, such as "avc1".
    """

    def __init__(self, decoder: Decoder, marks: Mapping[Path, tuple[KeyId, bytes]], form: str) -> None:
        super().__init__(decoder.tools, decoder.timeout)
        self._marks = marks
        self.reading = ("-protocol_whitelist", "file,pipe", "-f", _FORMATS[form])

    def samples(self, media: Media, keys: Mapping[KeyId, Secret[bytes]]) -> list[bytes]:
        """Return the first slice of each picture, or the frames of sound, decrypted where keys are given."""
        return [part for part in self._parts(media, keys) if media.stream[0] == "a" or begins_picture(part)]

    def script(self, media: Media, keys: Mapping[KeyId, Secret[bytes]], _folder: Path) -> Secret[bytes]:
        """Return the stream itself."""
        return Secret(joined(list(self._parts(media, keys)), _kind(media)))

    def mapped(self, _media: Media) -> str:
        """Return ffmpeg's name of the one stream."""
        return "0:0"

    def _parts(self, media: Media, keys: Mapping[KeyId, Secret[bytes]]) -> Iterator[bytes]:
        kind, number = _kind(media), int(media.stream.partition(":")[2])
        for path in media.files[1:]:
            kid, iv = self._marks[path]
            try:
                found = parts(path.read_bytes(), kind, number)
            except SignalingError:
                continue  # a finding already, when it was looked into
            for part in found:
                yield decrypted(part, kind, keys.get(kid), iv)


def _kind(media: Media) -> str:
    return "video" if media.stream[0] == "v" else "audio"
