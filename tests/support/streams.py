"""Real streams for the tests of playback: one clip, packaged by Shaka Packager in every way that a player must know."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

from drmkit import cpix
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.secret import Secret
from drmkit.signaling import common, widevine
from drmkit.stream.aes128 import package_aes128
from drmkit.stream.arguments import Container
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
            document = _document(scheme, each=each, system=system, chances=random.Random(name))
            form = OutputFormat(layout, segment_seconds=2)
            made = package(document, self.clip, self.root / name, tools=self._tools, form=form, allow_clear=True)
            keys = {key.kid: key.key for key in document.content_keys if key.key is not None}
            self._made[name] = Stream(name, self.root / name, document, keys, _kids(made))
        return self._made[name]

    def aes128(self, container: Container) -> str:
        """The path of the clip in HLS with AES-128, in "ts" or "mp4" segments; the key lies in the folder."""
        name = f"aes128-{container}"
        folder = self.root / name
        if not folder.exists():
            chances = random.Random(name)
            key = Secret(chances.randbytes(16))
            form = OutputFormat("segments", segment_seconds=2)
            # With an IV in one container, and the media sequence number for it in the other.
            iv = chances.randbytes(16) if container == "ts" else None
            package_aes128(
                self.clip, folder, key=key, iv=iv, key_uri="enc.key", container=container, tools=self._tools, form=form
            )
            (folder / "enc.key").write_bytes(key.reveal())
        return f"{name}/master.m3u8"


def _document(scheme: Scheme | None, *, each: bool, system: DrmSystem, chances: random.Random) -> cpix.Document:
    # Keys and IVs are the same each time: what a decoder makes of a wrong key is a matter of chance. Streams of one key
    # are only played with the right one, and have the packager's own IVs.
    builder = cpix.Builder(version="2.3", content_id="clip")
    if scheme is None:
        return builder.build()
    kids = [KeyId(chances.randbytes(16)) for _ in range(3 if each else 1)]
    for kid in kids:
        key, iv = Secret(chances.randbytes(16)), chances.randbytes(16) if each else None
        builder.content_key(kid=kid, key=key, iv=iv, scheme=scheme)
        box = common.pssh_box([kid]) if system is DrmSystem.COMMON else widevine.pssh_box([kid], scheme)
        builder.drm_system(kid=kid, system_id=system, pssh=box.to_bytes())
    if each:
        audio, sd, hd = kids
        builder.usage_rule(kid=audio, intended_track_type="AUDIO", audio=[cpix.AudioFilter()])
        builder.usage_rule(kid=sd, intended_track_type="SD", video=[cpix.VideoFilter(max_pixels=_SD_PIXELS)])
        builder.usage_rule(kid=hd, intended_track_type="HD", video=[cpix.VideoFilter(min_pixels=_SD_PIXELS + 1)])
    return builder.build()


def _kids(made: PackagedStream) -> dict[str, KeyId]:
    return {item.planned.track.name: item.planned.use.kid for item in made.tracks if item.planned.use}
