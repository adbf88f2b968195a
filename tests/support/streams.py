"""Real streams for the tests of playback: one clip, packaged by Shaka Packager in every way that a player must know."""

from __future__ import annotations

import secrets
import subprocess
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from drmkit import cpix
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.secret import Secret
from drmkit.signaling import common, widevine
from drmkit.stream.clip import make_clip
from drmkit.stream.model import Layout, OutputFormat, Scheme, TrackInput
from drmkit.stream.packager import PackagedStream, package
from drmkit.stream.tools import Tools

SECONDS = 4
_SD_PIXELS = 1024 * 576


@dataclass(frozen=True)
class Stream:
    """A packaged stream: its folder below the root of all, its document and its keys."""

    name: str
    folder: Path
    document: cpix.Document
    keys: dict[KeyId, Secret[bytes]]
    by_track: dict[str, KeyId]

    @property
    def dash(self) -> str:
        """The path of the DASH manifest below the root."""
        return f"{self.name}/manifest.mpd"

    @property
    def hls(self) -> str:
        """The path of the HLS manifest below the root."""
        return f"{self.name}/master.m3u8"


class Streams:
    """Makes streams below one folder, each once.

    Args:
        root: an empty folder, which a server can serve.
        tools: the programs to use.
    """

    def __init__(self, root: Path, tools: Tools) -> None:
        self.root = root
        self._tools = tools
        self._made: dict[str, Stream] = {}
        self.clip: tuple[TrackInput, ...] = make_clip(root / "clip", tools=tools, seconds=SECONDS)

    def get(
        self,
        scheme: Scheme | None,
        *,
        each: bool = True,
        system: DrmSystem = DrmSystem.WIDEVINE,
        layout: Layout = "segments",
    ) -> Stream:
        """The clip in a scheme (None: in the clear), with a key for each track or one for all."""
        name = "-".join((scheme or "clear", "each" if each else "one", system.name.lower(), layout))
        if name not in self._made:
            document = _document(scheme, each=each, system=system)
            form = OutputFormat(layout, segment_seconds=2)
            made = package(document, self.clip, self.root / name, tools=self._tools, form=form, allow_clear=True)
            keys = {key.kid: key.key for key in document.content_keys if key.key is not None}
            self._made[name] = Stream(name, self.root / name, document, keys, _kids(made))
        return self._made[name]

    def aes128(self, container: str, *, sealed: bool = True) -> str:
        """The path of the clip in HLS with AES-128 (or not `sealed`), in `ts` or `mp4` segments."""
        name = f"{'aes128' if sealed else 'unsealed'}-{container}"
        folder = self.root / name
        if not folder.exists():
            folder.mkdir()
            self._clear_hls(folder, container)
            if sealed:
                _seal_playlist(folder, secrets.token_bytes(16), secrets.token_bytes(16))
        return f"{name}/master.m3u8"

    def _clear_hls(self, folder: Path, container: str) -> None:
        kind = ["-hls_segment_type", "fmp4"] if container == "mp4" else []
        name = f"%d.{'m4s' if container == 'mp4' else 'ts'}"
        sources = [self.clip[1].path, self.clip[2].path]
        subprocess.run(
            [
                *(self._tools.ffmpeg, "-v", "error", "-i", sources[0], "-i", sources[1], "-c", "copy", "-f", "hls"),
                *("-hls_time", "2", "-hls_playlist_type", "vod", *kind, "-hls_segment_filename", name, "master.m3u8"),
            ],
            cwd=folder,
            check=True,
            timeout=120,
            stdin=subprocess.DEVNULL,
        )


def _document(scheme: Scheme | None, *, each: bool, system: DrmSystem) -> cpix.Document:
    builder = cpix.Builder(version="2.3", content_id="clip")
    if scheme is None:
        return builder.build()
    kids = [KeyId(secrets.token_bytes(16)) for _ in range(3 if each else 1)]
    for kid in kids:
        builder.content_key(kid=kid, key=Secret(secrets.token_bytes(16)), scheme=scheme)
        box = common.pssh_box([kid]) if system is DrmSystem.COMMON else widevine.pssh_box([kid], scheme)
        if not each or system is DrmSystem.COMMON:
            builder.drm_system(kid=kid, system_id=system, pssh=box.to_bytes())
        else:
            # One box for all keys, so that one packager run makes manifests.
            builder.drm_system(kid=kid, system_id=system, pssh=widevine.pssh_box(kids, scheme).to_bytes())
    if each:
        audio, sd, hd = kids
        builder.usage_rule(kid=audio, intended_track_type="AUDIO", audio=[cpix.AudioFilter()])
        builder.usage_rule(kid=sd, intended_track_type="SD", video=[cpix.VideoFilter(max_pixels=_SD_PIXELS)])
        builder.usage_rule(kid=hd, intended_track_type="HD", video=[cpix.VideoFilter(min_pixels=_SD_PIXELS + 1)])
    return builder.build()


def _kids(made: PackagedStream) -> dict[str, KeyId]:
    return {item.planned.track.name: item.planned.use.kid for item in made.tracks if item.planned.use}


def _seal_playlist(folder: Path, key: bytes, iv: bytes) -> None:
    """Encrypt the segments of a playlist, and put the key and its tag beside them."""
    (folder / "enc.key").write_bytes(key)
    playlist = folder / "master.m3u8"
    lines = playlist.read_text(encoding="utf-8").splitlines(keepends=True)
    first = next(index for index, line in enumerate(lines) if line.startswith("#EXTINF"))
    tag = f'#EXT-X-KEY:METHOD=AES-128,URI="enc.key",IV=0x{iv.hex()}\n'
    playlist.write_text("".join((*lines[:first], tag, *lines[first:])), encoding="utf-8")
    for line in map(str.strip, lines):
        if line and not line.startswith("#"):
            segment = folder / line
            segment.write_bytes(_seal(segment.read_bytes(), key, iv))


def _seal(data: bytes, key: bytes, iv: bytes) -> bytes:
    """Encrypt a whole segment (RFC 8216, 4.3.2.4: AES-128 in CBC mode with PKCS7 padding)."""
    padder = PKCS7(128).padder()
    sealer = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return sealer.update(padder.update(data) + padder.finalize()) + sealer.finalize()
