"""Hashes of a stream's packets and frames, in the clear or decrypted by ffmpeg."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from drmkit.errors import InputError, PackagingError
from drmkit.identifiers import KeyId
from drmkit.secret import Secret
from drmkit.stream.probe import SELECTORS, Kind
from drmkit.stream.process import run
from drmkit.stream.staging import staged_inputs
from drmkit.stream.tools import Tools

__all__ = ["decrypt_hashes", "frame_hashes", "packet_hashes", "read_hashes"]

_LINE = re.compile(r"\d+,([a-z]),SHA256=([0-9a-f]{64})")
_NOTHING = hashlib.sha256(b"").hexdigest()


def packet_hashes(
    source: Path | Sequence[Path], *, tools: Tools, kind: Kind | None = None, number: int = 0, timeout: float = 600.0
) -> dict[str, str]:
    """Return the SHA-256 of all packets of each track, as they are stored.

    All means those too that the container tells players to skip, as the edit list of a file that was cut does.

    Args:
        source: a media file, or the files that make one when read one behind the other (initialization segment first).
        tools: the programs to use.
        kind: take only one track of this kind; None for all video and audio tracks.
        number: which track of the kind, from 0.
        timeout: seconds that ffmpeg may take.

    Returns:
        Hashes in hexadecimal by track: "v:0" for the first video track, "a:0" for the first audio track.

    Raises:
        InputError: a file cannot be read.
        PackagingError: ffmpeg cannot read the media to its end, or there are no packets.
    """
    return _hashes(source, {}, tools, [*_selection(kind, number), "-c", "copy"], timeout)


def frame_hashes(
    source: Path | Sequence[Path],
    keys: Mapping[KeyId, Secret[bytes]] | None = None,
    *,
    tools: Tools,
    kind: Kind | None = None,
    number: int = 0,
    timeout: float = 600.0,
) -> dict[str, str]:
    """Return the SHA-256 of all decoded frames of each track: what a decoder makes of all packets.

    Unlike packets, frames do not depend on the container. Nor do they on what it tells players to skip, which
    containers do not say alike of the first and last sound.

    Args:
        source: see `packet_hashes`.
        keys: the content keys of an encrypted source, by key ID.
        tools: the programs to use.
        kind: see `packet_hashes`.
        number: see `packet_hashes`.
        timeout: seconds that ffmpeg may take.

    Raises:
        InputError: a file cannot be read, or a key has not 16 bytes.
        PackagingError: the media cannot be decoded, as with a wrong key, or a codec that ffmpeg does not know.
    """
    _check(keys or {})
    # Every frame once, whatever its time.
    return _hashes(source, keys or {}, tools, [*_selection(kind, number), "-fps_mode", "passthrough"], timeout)


def decrypt_hashes(
    source: Path | Sequence[Path],
    keys: Mapping[KeyId, Secret[bytes]],
    *,
    tools: Tools,
    kind: Kind | None = None,
    number: int = 0,
    timeout: float = 600.0,
) -> dict[str, str]:
    """Return the SHA-256 of all packets of each track, decrypted with the keys by their key IDs.

    A wrong key gives other hashes and no error: neither Common Encryption nor ffmpeg can tell. Only the comparison with
    the hashes of the clear media proves a decryption. The keys reach ffmpeg through a pipe, never the process list.

    Args:
        source: see `packet_hashes`.
        keys: the content keys, 16 bytes each, by key ID.
        tools: the programs to use.
        kind: see `packet_hashes`.
        number: see `packet_hashes`.
        timeout: seconds that ffmpeg may take.

    Raises:
        InputError: a file cannot be read, or a key has not 16 bytes.
        PackagingError: the keys lack the file's key ID, or ffmpeg cannot read the media to its end.
    """
    if not keys:
        raise InputError("there is no key to decrypt with")
    _check(keys)
    return _hashes(source, keys, tools, [*_selection(kind, number), "-c", "copy"], timeout)


def _check(keys: Mapping[KeyId, Secret[bytes]]) -> None:
    for kid, key in keys.items():
        if len(key.reveal()) != 16:  # noqa: PLR2004 - AES-128
            raise InputError(f"key {kid} has {len(key.reveal())} bytes, not 16")


def _selection(kind: Kind | None, number: int) -> list[str]:
    return ["-map", f"0:{SELECTORS[kind]}:{number}"] if kind else ["-map", "0:V?", "-map", "0:a?"]


def _hashes(
    source: Path | Sequence[Path],
    keys: Mapping[KeyId, Secret[bytes]],
    tools: Tools,
    selection: Sequence[str],
    timeout: float,
) -> dict[str, str]:
    files = [source] if isinstance(source, Path) else list(source)
    if not files:
        raise InputError("there is no file to read")
    with staged_inputs(files) as (folder, names):
        argv: list[str | Path | Secret[str]] = [tools.ffmpeg, "-nostdin", "-hide_banner", "-v", "error"]
        # Without -xerror, ffmpeg ends well when a file breaks off or a key ID is unknown.
        argv += [
            "-xerror",
            "-protocol_whitelist",
            "file,pipe,concat",
            "-f",
            "concat",
            "-safe",
            "0",
            "-auto_convert",
            "0",
            "-flags2",
            "+skip_manual",
        ]
        argv += ["-i", _script(names, keys)]
        argv += [*selection, "-f", "streamhash", "-hash", "sha256", "-"]
        answer = run(argv, timeout=timeout, cwd=folder, hide=keys.values()).stdout
    return read_hashes(answer, files[0])


def _script(names: Sequence[str], keys: Mapping[KeyId, Secret[bytes]]) -> Secret[str]:
    """Return a script for ffmpeg's concat demuxer, the one way to give it a demuxer's option outside its arguments."""
    # Each name carries its protocol: a bare one would be looked up beside the script, in /dev/fd.
    media = "|".join(f"file:{name}" for name in names)
    lines = ["ffconcat version 1.0", f"file {'concat:' if len(names) > 1 else ''}{media}"]
    # A hint for the demuxer of MP4; others do not mind it.
    lines.append("option ignore_editlist 1")
    if keys:
        pairs = ":".join(f"{kid.hex}={key.reveal().hex()}" for kid, key in keys.items())
        lines.append(f"option decryption_keys {pairs}")
    return Secret("\n".join(lines) + "\n")


def read_hashes(answer: str, path: Path) -> dict[str, str]:
    """Return the hashes by track that ffmpeg's `streamhash` wrote of a file.

    Raises:
        PackagingError: it wrote something else or nothing, or a track has no packets.
    """
    hashes: dict[str, str] = {}
    for line in answer.splitlines():
        match = _LINE.fullmatch(line)
        if not match:
            raise PackagingError(f"ffmpeg gave {line[:80]!r} for {path}, where a hash was to be")
        letter, value = match.groups()
        if value == _NOTHING:
            raise PackagingError(f"{path} has a track without packets")
        hashes[f"{letter}:{sum(track[0] == letter for track in hashes)}"] = value
    if not hashes:
        raise PackagingError(f"ffmpeg gave no hash for {path}", hint="look whether its path leads to ffmpeg")
    return hashes
