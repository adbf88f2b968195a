"""Streams of Shaka Packager for tests, made with any arguments, and small edits of their files."""

from __future__ import annotations

import random
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from drmkit import cpix
from drmkit.cpix import AudioFilter, VideoFilter
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.secret import Secret
from drmkit.signaling import playready, widevine
from drmkit.signaling.pssh import PsshBox, build
from drmkit.stream import check
from drmkit.stream.model import TrackInput
from drmkit.stream.tools import Tools

NAMES = {"video-180p": "SD", "video-720p": "HD", "audio-2ch": "AUDIO"}
KIDS = {
    name: KeyId(bytes([number]) * 4 + bytes.fromhex("1122334455667788a0b0c0d7"))
    for number, name in enumerate(NAMES.values(), start=1)
}
KEYS = {kid: Secret(bytes([0xC0 + kid.raw[0]]) + bytes(range(1, 16))) for kid in KIDS.values()}
IVS = {kid: bytes(8) + kid.raw[:1] * 8 for kid in KEYS}


def boxes(scheme: str, kids: Sequence[KeyId] = tuple(KEYS)) -> list[PsshBox]:
    """One Widevine box for all keys."""
    return [widevine.pssh_box(kids, scheme)]


def pack(
    tools: Tools,
    clip: Sequence[TrackInput],
    folder: Path,
    scheme: str,
    *arguments: str,
    pssh: Sequence[PsshBox] | None = None,
    kids: Mapping[str, KeyId] = KIDS,
    keys: Mapping[KeyId, Secret[bytes]] = KEYS,
    ivs: Mapping[KeyId, bytes] = IVS,
    lead: int = 0,
) -> Path:
    """Package a clip in segments of two seconds, with DASH and HLS manifests; further arguments as they are."""
    argv = [str(tools.packager)]
    for track in clip:
        fields = {"in": track.path, "stream": track.kind, "drm_label": NAMES[track.name]}
        fields |= {"init_segment": f"{folder}/{track.name}/init.mp4", "playlist_name": f"{track.name}.m3u8"}
        fields |= {"segment_template": f"{folder}/{track.name}/$Number$.m4s"}
        fields |= {"hls_group_id": "audio", "hls_name": "sound"} if track.kind == "audio" else {}
        argv.append(",".join(f"{name}={value}" for name, value in fields.items()))
    listed = [
        f"label={label}:key_id={kid.hex}:key={keys[kid].reveal().hex()}"
        + (f":iv={ivs[kid].hex()}" if kid in ivs else "")
        for label, kid in kids.items()
    ]
    argv += ["--enable_raw_key_encryption", "--keys", ",".join(listed), "--protection_scheme", scheme]
    argv += ["--clear_lead", str(lead), "--segment_duration", "2", "--generate_static_live_mpd", "--quiet"]
    argv += ["--mpd_output", f"{folder}/manifest.mpd", "--hls_master_playlist_output", f"{folder}/master.m3u8"]
    argv += ["--hls_playlist_type", "VOD", *arguments]
    wanted = boxes(scheme, tuple(kids.values())) if pssh is None else pssh
    argv += ["--pssh", build(wanted).hex()] if wanted else []
    subprocess.run(argv, check=True, capture_output=True, timeout=120)
    return folder


def document(
    scheme: str,
    *,
    kids: Mapping[str, KeyId] = KIDS,
    keys: Mapping[KeyId, Secret[bytes]] = KEYS,
    ivs: Mapping[KeyId, bytes] = IVS,
    systems: Sequence[DrmSystem] = (DrmSystem.WIDEVINE,),
) -> cpix.Document:
    """The document that `pack` follows."""
    builder = cpix.Builder(content_id="clip")
    for kid in kids.values():
        builder.content_key(kid=kid, key=keys[kid], iv=ivs.get(kid), scheme=scheme)
        for system in systems:
            own = (
                playready.pssh_box([kid], scheme)
                if system is DrmSystem.PLAYREADY
                else boxes(scheme, tuple(kids.values()))[0]
            )
            builder.drm_system(kid=kid, system_id=system, pssh=own.to_bytes())
    builder.usage_rule(kid=kids["SD"], intended_track_type="SD", video=[VideoFilter(max_pixels=589_824)])
    builder.usage_rule(kid=kids["HD"], intended_track_type="HD", video=[VideoFilter(min_pixels=589_825)])
    builder.usage_rule(kid=kids["AUDIO"], intended_track_type="AUDIO", audio=[AudioFilter()])
    return cpix.parse(builder.build().to_xml())


def edit(path: Path, pattern: str, text: str, count: int = 1) -> None:
    """Replace what a pattern matches in a text file; it must match."""
    made, times = re.subn(pattern, text, path.read_text(encoding="utf-8"), count=count, flags=re.DOTALL)
    assert times, f"{pattern!r} is not in {path.name}"
    path.write_text(made, encoding="utf-8")


def patch(path: Path, old: bytes, new: bytes, count: int = 1) -> None:
    """Replace bytes of a file by as many others; they must be there."""
    data = path.read_bytes()
    assert old in data, f"{old!r} is not in {path.name}"
    assert len(old) == len(new)
    path.write_bytes(data.replace(old, new, count))


def check_stream(manifest: Path, **options: Any) -> check.StreamReport:
    """Check a stream with random keys that are the same each time: what a test sees must not hang on chance."""
    return check.check_stream(manifest, random=random.Random(0).randbytes, **options)
