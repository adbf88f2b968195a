"""Counts what ffmpeg's decoders find wrong in a track under a key; and hashes its packets.

Neither Common Encryption nor ffmpeg's exit code can tell a wrong key: decryption always gives bytes, and what they are
is concealed. But decoders complain of noise in nearly every frame, and of sound media not at all.
"""

from __future__ import annotations

import io
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from drmkit.errors import MissingExtraError
from drmkit.identifiers import KeyId
from drmkit.secret import Secret
from drmkit.stream.child import Child, Feed
from drmkit.stream.tools import Tools

__all__ = ["Decoder", "Media", "Outcome"]

_DECODED = re.compile(
    r"(\d+) packets read \(\d+ bytes\); (\d+) frames decoded(?: \(\d+ samples\))?(?:; (\d+) decode errors)?"
)
_COMPLAINT = re.compile(r"^\[[a-z0-9_]+ @ [^\]]+\] \[(?:error|fatal)\] (.*)$", re.MULTILINE)
# The one trace of most slices of H.265 that cannot be read; an error may come with it, so the two are not added up.
_SKIPPED = re.compile(r"^\[[a-z0-9_]+ @ [^\]]+\] \[warning\] Skipping invalid undecodable NALU", re.MULTILINE)
# What sound media gives as well where segments between were left out: frames that are referred to are missing.
_GAP = re.compile(
    r"mmco:|co located POCs|reference|Could not find ref|POC|non.?monoton|first.slice|no frame!", re.IGNORECASE
)
# Under a wrong key a frame in some hundred may look sound, and what it says may even end the reading of the others.
_NEXT_TO_NOTHING = 20
_PACKET = re.compile(r"^\d+,(?:\s*-?\d+,){4}\s*([0-9a-f]{64})\b", re.MULTILINE)
_SIZE = re.compile(r"^\d+,(?:\s*-?\d+,){3}\s*(\d+),", re.MULTILINE)
# "explode" would be stricter still, but with it ffmpeg 8 does not end on H.264 with missing references.
# Filters across the edges of blocks take a good part of the time, and find nothing.
_STRICT = ("-err_detect", "+crccheck+bitstream+buffer", "-skip_loop_filter", "all")


@dataclass(frozen=True, slots=True)
class Media:
    """What is decoded: an initialization segment and media segments, and which of its tracks.

    Attributes:
        files: the initialization segment, then the segments.
        stream: ffmpeg's name of the track, such as "v:0".
    """

    files: tuple[Path, ...]
    stream: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a decoder made of a track.

    Attributes:
        frames: how many frames came out.
        errors: how often it complained.
    """

    frames: int
    errors: int

    @property
    def sound(self) -> bool:
        """Whether there was media, and nothing wrong with it."""
        return self.frames > 0 and self.errors == 0

    @property
    def hopeless(self) -> bool:
        """Whether next to nothing came out."""
        return self.errors > 0 and self.frames * _NEXT_TO_NOTHING <= self.errors


class Decoder:
    """Runs ffmpeg. Keys reach it through a pipe, never its arguments.

    Args:
        tools: the programs to use.
        timeout: seconds that one run may take.
    """

    # How the script that names the files is read.
    reading: tuple[str, ...] = (
        *("-protocol_whitelist", "file,pipe,concat"),
        *("-f", "concat", "-safe", "0", "-auto_convert", "0"),
    )

    def __init__(self, tools: Tools, timeout: float) -> None:
        self.tools, self.timeout = tools, timeout

    def decode(self, media: Media, keys: Mapping[KeyId, Secret[bytes]]) -> Outcome | None:
        """Decode a track strictly.

        Args:
            media: what to decode.
            keys: the keys by key ID; without any, the samples are decoded as they are.

        Returns:
            What came out, or None where ffmpeg did not come so far.
        """
        text = self._run(media, keys, [*_STRICT], ["-fps_mode", "passthrough", "-f", "null", "-"])[1]
        match = None
        for match in _DECODED.finditer(text):  # noqa: B007 - the last counts
            pass
        if match is None:
            return None
        complaints = sum(not _GAP.search(words) for words in _COMPLAINT.findall(text))
        skipped = len(_SKIPPED.findall(text))
        return Outcome(int(match[2]), max(int(match[3] or 0), complaints, skipped))

    def packets(self, media: Media, keys: Mapping[KeyId, Secret[bytes]], filters: str = "") -> list[str]:
        """Return the SHA-256 of each packet of a track, decrypted where keys are given, in their order.

        Args:
            media: the track.
            keys: the keys by key ID.
            filters: bitstream filters that packets go through before; nothing comes of tracks that they do not fit.
        """
        output = ["-c", "copy", *(["-bsf", filters] if filters else []), "-f", "framehash", "-hash", "sha256", "-"]
        return _PACKET.findall(self._run(media, keys, [], output)[0].decode("ascii"))

    def samples(self, media: Media, keys: Mapping[KeyId, Secret[bytes]]) -> list[bytes]:
        """Return the bytes of each sample of a track as they are stored, or decrypted where keys are given."""
        # A parser would look for the beginnings of frames in what is encrypted.
        whole, copy = ["-fflags", "+nofillin+noparse"], ["-c", "copy", "-f"]
        sizes = map(int, _SIZE.findall(self._run(media, keys, whole, [*copy, "framecrc", "-"])[0].decode("ascii")))
        data = io.BytesIO(self._run(media, keys, whole, [*copy, "data", "-"])[0])
        return [data.read(size) for size in sizes]

    def script(self, media: Media, keys: Mapping[KeyId, Secret[bytes]], folder: Path) -> Secret[str] | Secret[bytes]:
        """Return a script for ffmpeg's concat demuxer: the one way to give it keys outside its arguments."""
        names = []
        for number, path in enumerate(media.files):
            # Under names of our own, since ffmpeg gives colons and bars in a name a meaning.
            (folder / str(number)).symlink_to(path.absolute())
            names.append(f"file:{number}")
        joined = "|".join(names)
        lines = ["ffconcat version 1.0", f"file {'concat:' if len(names) > 1 else ''}{joined}"]
        if keys:
            pairs = ":".join(f"{kid.hex}={key.reveal().hex()}" for kid, key in keys.items())
            lines.append(f"option decryption_keys {pairs}")
        return Secret("\n".join(lines) + "\n")

    def mapped(self, media: Media) -> str:
        """Return ffmpeg's name of the track in what the script names."""
        return f"0:{media.stream}"

    def _run(
        self, media: Media, keys: Mapping[KeyId, Secret[bytes]], reading: Sequence[str], writing: Sequence[str]
    ) -> tuple[bytes, str]:
        argv = [str(self.tools.ffmpeg), "-nostdin", "-hide_banner", "-nostats", "-v", "level+verbose", *reading]
        argv += self.reading
        with (
            tempfile.TemporaryDirectory(prefix="drmkit-") as made,
            Feed(self.script(media, keys, Path(made))) as feed,
        ):
            argv += ["-i", feed.path, "-map", self.mapped(media), *writing]
            try:
                _, output, said = Child(argv, Path(made), [feed], self.timeout).finish()
            except OSError as error:
                raise MissingExtraError(
                    f"ffmpeg cannot be started ({error.strerror})", hint="check that it is a program for this system"
                ) from None
            except subprocess.TimeoutExpired:
                return b"", ""
        return output, said.decode("utf-8", "replace")
