"""What the demo shows of its streams: that they decrypt with the vendor's keys alone, and hold what they should."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from drmkit import cpix
from drmkit.errors import PackagingError
from drmkit.identifiers import KeyId
from drmkit.secret import Secret
from drmkit.stream.aes128 import decrypt_segment, segment_iv
from drmkit.stream.check import StreamReport, check_stream
from drmkit.stream.decrypt import frame_hashes, packet_hashes
from drmkit.stream.hlsdecrypt import hls_hashes
from drmkit.stream.inspect import inspect_bytes
from drmkit.stream.model import KeyUse
from drmkit.stream.packager import PackagedStream, PackagedTrack
from drmkit.stream.proof import prove_track
from drmkit.stream.tools import Tools
from drmkit.stream.verify import differences

__all__ = ["FindKey", "checked", "proven"]

FindKey = Callable[[KeyId], Secret[bytes] | None]
_AT_ONCE = 2


def proven(
    streams: Sequence[tuple[str, PackagedStream]], *, find_key: FindKey, aes_key: Secret[bytes], tools: Tools
) -> list[str]:
    """Prove every track of some streams, and return a row for each stream with the SHA-256 of its tracks' packets.

    Args:
        streams: the streams, each with a word on where it comes from.
        find_key: gives the key that the vendor keeps for a key ID.
        aes_key: the key of streams whose whole segments are encrypted.
        tools: the programs to use.

    Raises:
        PackagingError: a track does not decrypt to its input, decrypts with a wrong key, or is not what its document
            asks for.
    """

    def hash_of(item: tuple[str, PackagedTrack]) -> str:
        where, track = item
        use = track.planned.use
        return (
            _whole_segments(where, track, aes_key, tools)
            if use is None
            else _sealed(where, track, use, find_key, tools)
        )

    tracks = [(where, track) for where, stream in streams for track in stream.tracks]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        running = [pool.submit(hash_of, item) for item in tracks]
        try:
            hashes = {id(track): done.result() for (_, track), done in zip(tracks, running, strict=True)}
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    return [_row(where, stream, hashes) for where, stream in streams]


def _row(where: str, stream: PackagedStream, hashes: Mapping[int, str]) -> str:
    use = stream.tracks[0].planned.use
    shown = [f"{item.planned.track.name} {hashes[id(item)][:8]}.." for item in stream.tracks]
    return f"{where:8} {use.scheme if use else 'AES-128':8} {'  '.join(shown)}"


def _sealed(where: str, item: PackagedTrack, use: KeyUse, find_key: FindKey, tools: Tools) -> str:
    name = item.planned.track.name
    stored = find_key(use.kid)
    if stored is None:
        raise PackagingError(f"the key server keeps no key {use.kid}", hint="the document names keys that do not exist")
    faults = differences(inspect_bytes(b"".join(path.read_bytes() for path in item.files[:2])), use)
    if faults:
        raise PackagingError(f"track {name} of {where} is not what its document asks for: {'; '.join(faults)}")
    proof = prove_track(
        replace(item, planned=replace(item.planned, use=replace(use, key=stored))), tools=tools, frames=True
    )
    if not proof.sealed:
        raise PackagingError(f"track {name} of {where} decrypts with a wrong key, so it is not encrypted")
    if not (proof.same_packets and proof.same_frames):
        raise PackagingError(
            f"track {name} of {where} does not decrypt to its source: sha256 {proof.decrypted[:12]}... by ffmpeg and "
            f"{proof.packager[:12]}... by Shaka Packager instead of {proof.source[:12]}...",
            hint="the content key of the document is not the one that the vendor keeps, or the packager used another",
        )
    return proof.source


def _whole_segments(where: str, item: PackagedTrack, key: Secret[bytes], tools: Tools) -> str:
    """Prove a track of HLS with AES-128 by the library `cryptography` and by ffmpeg's HLS demuxer."""
    track = item.planned.track
    wrong = Secret(bytes(byte ^ 0xFF for byte in key.reveal()))
    source = (
        _only(packet_hashes(track.path, kind=track.kind, tools=tools)),
        _only(frame_hashes(track.path, kind=track.kind, tools=tools)),
    )
    for tool, decrypt in (("cryptography", _by_cryptography), ("ffmpeg", _by_ffmpeg)):
        found = decrypt(item, key, tools)
        if not found:
            raise PackagingError(f"track {track.name} of {where} does not decrypt with the key of its task by {tool}")
        if found == decrypt(item, wrong, tools):
            raise PackagingError(
                f"track {track.name} of {where} decrypts with a wrong key by {tool}: it is in the clear"
            )
        if found != source:
            raise PackagingError(
                f"track {track.name} of {where} does not decrypt to its source: sha256 {found[0][:12]}... by {tool}"
                f" instead of {source[0][:12]}..."
            )
    return source[0]


def _by_cryptography(item: PackagedTrack, key: Secret[bytes], tools: Tools) -> tuple[str, str] | None:
    """Return the SHA-256 of a track's packets and frames under a key; None where it shows to be wrong."""
    text = item.playlist.read_text(encoding="utf-8") if item.playlist else ""
    stated = text.partition("IV=0x")[2][:32]
    iv = bytes.fromhex(stated) if stated else None
    init, *segments = item.files
    clear = [decrypt_segment(path.read_bytes(), key, segment_iv(iv, number)) for number, path in enumerate(segments)]
    if None in clear:
        return None
    kind = item.planned.track.kind
    with TemporaryDirectory(prefix="drmkit-demo-") as folder:
        whole = Path(folder, init.name)
        whole.write_bytes(b"".join([init.read_bytes(), *filter(None, clear)]))
        return _pair(
            lambda: packet_hashes(whole, kind=kind, tools=tools), lambda: frame_hashes(whole, kind=kind, tools=tools)
        )


def _by_ffmpeg(item: PackagedTrack, key: Secret[bytes], tools: Tools) -> tuple[str, str] | None:
    """Do the same by what ffmpeg makes of the playlist."""
    playlist, kind = item.playlist or Path(), item.planned.track.kind
    return _pair(
        lambda: hls_hashes(playlist, key, kind=kind, tools=tools),
        lambda: hls_hashes(playlist, key, kind=kind, tools=tools, frames=True),
    )


def _pair(packets: Callable[[], Mapping[str, str]], frames: Callable[[], Mapping[str, str]]) -> tuple[str, str] | None:
    """Return both hashes, or None for what cannot be read, as most noise cannot."""
    try:
        return _only(packets()), _only(frames())
    except PackagingError:
        return None


def _only(hashes: Mapping[str, str]) -> str:
    (value,) = hashes.values()
    return value


def checked(
    streams: Sequence[tuple[str, PackagedStream]], *, find_key: FindKey, document: cpix.Document, tools: Tools
) -> list[str]:
    """Check every manifest of some streams, and return a row for each.

    Args:
        streams: see `proven`; the last one was made from the document.
        find_key: see `proven`.
        document: the CPIX document.
        tools: the programs to use.

    Raises:
        VerdictError: there is an error in one.
    """
    rows = []
    for number, (where, stream) in enumerate(streams, start=1):
        uses = [item.planned.use for item in stream.tracks if item.planned.use]
        keys = {use.kid: key for use in uses if (key := find_key(use.kid))}
        for manifest in (stream.mpd, stream.master):
            if manifest:
                report = check_stream(
                    manifest, document=document if number == len(streams) else None, keys=keys, tools=tools
                )
                report.raise_for_errors()
                rows.append(_summary(where, manifest, report))
    return rows


def _summary(where: str, manifest: Path, report: StreamReport) -> str:
    counts = report.counts
    told = ", ".join(map(_counted, counts.values(), counts)) or "nothing to say"
    return f"{where:8} {report.protocol:4} {manifest.name}: {len(report.tracks)} tracks, {told}"


def _counted(count: int, severity: str) -> str:
    return f"{count} {severity}{'' if count == 1 or severity == 'advice' else 's'}"
