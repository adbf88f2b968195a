"""Lets ffmpeg's own HLS demuxer decrypt a playlist of whole encrypted segments: the second opinion on AES-128."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from urllib.parse import unquote

from drmkit.errors import InputError
from drmkit.secret import Secret
from drmkit.stream.decrypt import read_hashes
from drmkit.stream.probe import SELECTORS, Kind
from drmkit.stream.process import run
from drmkit.stream.staging import staged_inputs
from drmkit.stream.tools import Tools

__all__ = ["hls_hashes"]

_URI = re.compile(r'URI="([^"]*)"')


def hls_hashes(
    playlist: Path,
    key: Secret[bytes],
    *,
    tools: Tools,
    kind: Kind | None = None,
    frames: bool = False,
    timeout: float = 600.0,
) -> dict[str, str]:
    """Return the SHA-256 of all packets of each track, as ffmpeg reads and decrypts an HLS media playlist.

    IVs, media sequence numbers and byte ranges are what the playlist says and ffmpeg makes of it. Only the places are
    changed: ffmpeg reads a copy of the playlist from a pipe, in which the key stands behind the key tags' URI.

    Args:
        playlist: a media playlist whose segments are local files.
        key: the key, 16 bytes.
        tools: the programs to use.
        kind: take only one track of this kind; None for all video and audio tracks.
        frames: decode, and hash the frames instead of the packets.
        timeout: seconds that ffmpeg may take.

    Returns:
        Hashes in hexadecimal by track, as those of `drmkit.stream.decrypt.packet_hashes`.

    Raises:
        InputError: the playlist or a segment cannot be read, or segments are byte ranges, which this demuxer decrypts
            from the start of the file on, whatever the range.
        PackagingError: ffmpeg cannot read the media to its end, as with a wrong key.
    """
    try:
        lines = playlist.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise InputError(f"{playlist} cannot be read ({getattr(error, 'strerror', None) or 'no UTF-8'})") from None
    if any(line.startswith("#EXT-X-BYTERANGE:") for line in lines):
        raise InputError(
            f"{playlist} has byte ranges, which ffmpeg does not decrypt", hint="package with a file a segment"
        )
    uris = list(dict.fromkeys(uri for line in lines if (uri := _file(line)) is not None))
    with staged_inputs([playlist.parent / unquote(uri) for uri in uris]) as (folder, names):
        places = {uri: f"file:{folder}/{name}" for uri, name in zip(uris, names, strict=True)}
        text = Secret("\n".join(_moved(line, places, key) for line in lines) + "\n")
        argv: list[str | Path | Secret[str]] = [tools.ffmpeg, "-nostdin", "-hide_banner", "-v", "error", "-xerror"]
        argv += ["-flags2", "+skip_manual"]
        argv += ["-protocol_whitelist", "file,crypto,data", "-f", "hls", "-allowed_extensions", "ALL", "-i", text]
        argv += ["-map", f"0:{SELECTORS[kind]}:0"] if kind else ["-map", "0:V?", "-map", "0:a?"]
        argv += ["-fps_mode", "passthrough"] if frames else ["-c", "copy"]
        argv += ["-f", "streamhash", "-hash", "sha256", "-"]
        return read_hashes(run(argv, timeout=timeout, cwd=folder, hide=[key]).stdout, playlist)


def _file(line: str) -> str | None:
    """Return the URI of the file that a line names, or None."""
    if line.startswith("#EXT-X-MAP:"):
        found = _URI.search(line)
        return found[1] if found else None
    return line.strip() if line.strip() and not line.startswith("#") else None


def _moved(line: str, places: dict[str, str], key: Secret[bytes]) -> str:
    uri = _file(line)
    if uri is not None:
        return line.replace(uri, places[uri])
    if line.startswith("#EXT-X-KEY:"):
        return _URI.sub(f'URI="data:application/octet-stream;base64,{base64.b64encode(key.reveal()).decode()}"', line)
    return line
