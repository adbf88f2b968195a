"""Packages for HLS with whole segments encrypted by AES-128 in CBC mode (RFC 8216, clause 4.3.2.4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from drmkit.errors import InputError
from drmkit.secret import Secret
from drmkit.stream.arguments import Container, track_names
from drmkit.stream.model import OutputFormat, PackagerRun, Plan, PlannedTrack, TrackInput
from drmkit.stream.packager import PackagedStream, PackagedTrack, run_plan
from drmkit.stream.probe import probe
from drmkit.stream.staging import staged_output
from drmkit.stream.tools import Tools
from drmkit.stream.tracks import selector

if TYPE_CHECKING:
    from drmkit.stream.manifests import TrackDraft
    from drmkit.stream.naming import TrackNames
    from drmkit.stream.playlists import Segment

__all__ = ["decrypt_segment", "encrypt_segment", "package_aes128", "segment_iv"]

_BLOCK = 16
_BLOCK_BITS = 128
_CONTAINERS = ("ts", "mp4")
_FIRST = 0


@dataclass(frozen=True, slots=True)
class _Cipher:
    """The key, and the IV of every segment; None for the media sequence number."""

    key: Secret[bytes]
    iv: bytes | None


def package_aes128(
    tracks: Sequence[TrackInput],
    output: Path,
    *,
    key: Secret[bytes],
    iv: bytes | None,
    key_uri: str,
    container: Container,
    tools: Tools,
    form: OutputFormat | None = None,
    timeout: float = 3600.0,
    progress: Callable[[int, int], None] | None = None,
) -> PackagedStream:
    """Package tracks in the clear, encrypt every segment, and write HLS playlists that say where the key is.

    Every segment is encrypted for itself, padded as PKCS #7 says, also where all segments of a track make one file.
    The initialization section of fragmented MP4 stays in the clear: it stands before the key tag (clause 4.3.2.5).
    There is never a DASH manifest: this is an encryption of HLS alone.

    Args:
        tracks: the tracks to package.
        output: a folder that does not exist yet, or is empty.
        key: the key, 16 bytes; it is not written anywhere.
        iv: the initialization vector of every segment, 16 bytes; None to use each segment's media sequence number.
        key_uri: where players fetch the key, for the playlists.
        container: "ts" for MPEG-TS, "mp4" for fragmented MP4.
        tools: the programs to use.
        form: how the output is laid out; by default a file a segment. For MPEG-TS, the endings ".mp4" and ".m4s" of
            the names become ".ts".
        timeout: seconds that the packager may take.
        progress: called with the number of packager runs done and of all, which is one.

    Raises:
        InputError: key or IV have a wrong size, an input cannot be read, or the output folder holds something.
        PackagingError: the packager failed, such as for a codec that MPEG-TS cannot carry.
        SignalingError: the key URI cannot stand in a playlist.
        StoreError: the output cannot be written.
    """
    from drmkit.stream.manifests import read_drafts, write_hls  # noqa: PLC0415 - lxml stands behind it
    from drmkit.stream.signals import TrackSignals  # noqa: PLC0415

    cipher = _cipher(key, iv)
    tag = _key_tag(key_uri, iv)
    shape = _shape(form, container)
    made = _clear_plan(tracks, tools)
    names = track_names(made, shape)
    with staged_output(output) as folder:
        apart = replace(shape, layout="segments")
        run_plan(made, folder, names, apart, tools=tools, container=container, timeout=timeout, progress=progress)
        drafts = read_drafts(folder, made, names).tracks
        finish = _into_segments if shape.layout == "segments" else _into_file
        done = [finish(folder, draft, cipher) for draft in drafts]
        write_hls(folder, done, [TrackSignals(media=(tag,))] * len(done), shape)
    packaged = tuple(
        PackagedTrack(draft.planned, _files(output, draft), output / draft.names.playlist) for draft in done
    )
    return PackagedStream(output, packaged, None, output / shape.names.master)


def segment_iv(iv: bytes | None, number: int) -> bytes:
    """Return the IV of a segment: the one that is stated, or its media sequence number in 16 bytes (clause 5.2)."""
    return iv if iv is not None else number.to_bytes(_BLOCK, "big")


def encrypt_segment(data: bytes, key: Secret[bytes], iv: bytes) -> bytes:
    """Encrypt a segment with AES-128 in CBC mode, padded as PKCS #7 says."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # noqa: PLC0415 - slow to load
    from cryptography.hazmat.primitives.padding import PKCS7  # noqa: PLC0415

    padder = PKCS7(_BLOCK_BITS).padder()
    encryptor = Cipher(algorithms.AES(key.reveal()), modes.CBC(iv)).encryptor()
    return encryptor.update(padder.update(data) + padder.finalize()) + encryptor.finalize()


def decrypt_segment(data: bytes, key: Secret[bytes], iv: bytes) -> bytes | None:
    """Decrypt a segment; None where the padding shows that the key or IV is wrong.

    About one wrong key in 256 gives a good padding by chance, so a good one proves nothing.
    """
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # noqa: PLC0415 - slow to load
    from cryptography.hazmat.primitives.padding import PKCS7  # noqa: PLC0415

    decryptor = Cipher(algorithms.AES(key.reveal()), modes.CBC(iv)).decryptor()
    remover = PKCS7(_BLOCK_BITS).unpadder()
    try:
        padded = decryptor.update(data) + decryptor.finalize()
        return remover.update(padded) + remover.finalize()
    except ValueError:
        return None


def _cipher(key: Secret[bytes], iv: bytes | None) -> _Cipher:
    if len(key.reveal()) != _BLOCK:
        raise InputError(f"the key has {len(key.reveal())} bytes; AES-128 takes 16")
    if iv is not None and len(iv) != _BLOCK:
        raise InputError(f"the IV has {len(iv)} bytes; AES-128 takes 16")
    return _Cipher(key, iv)


def _key_tag(uri: str, iv: bytes | None) -> str:
    from drmkit.signaling.hlsreader import KEY, HlsKey, parse_tag  # noqa: PLC0415 - lxml stands behind it

    fields = [("METHOD", "AES-128"), ("URI", uri)]
    if iv is not None:
        fields.append(("IV", f"0x{iv.hex().upper()}"))
    tag = HlsKey(KEY, tuple(fields), frozenset({"URI"})).to_tag()
    # What a quotation mark or a line feed in the URI breaks, shows here.
    parse_tag(tag)
    return tag


def _shape(form: OutputFormat | None, container: Container) -> OutputFormat:
    if container not in _CONTAINERS:
        raise InputError(f"segments are ts or mp4, not {container!r}")
    shape = replace(form or OutputFormat("segments"), manifests=("hls",))
    if container == "mp4":
        return shape
    names = shape.names
    return replace(shape, names=replace(names, segment=_as_ts(names.segment), file=_as_ts(names.file)))


def _as_ts(pattern: str) -> str:
    stem, dot, suffix = pattern.rpartition(".")
    return f"{stem}.ts" if dot and suffix in {"m4s", "mp4"} else pattern


def _clear_plan(tracks: Sequence[TrackInput], tools: Tools) -> Plan:
    if not tracks:
        raise InputError("there is no track to package")
    planned = [
        PlannedTrack(
            track,
            probe(track.path, track.kind, track.number, tools=tools),
            None,
            index,
            selector(track.path, track.kind, track.number, tools=tools),
        )
        for index, track in enumerate(tracks)
    ]
    return Plan((PackagerRun(tuple(planned), None, ()),))


def _encrypted(folder: Path, segments: Sequence[Segment], cipher: _Cipher) -> Iterator[tuple[Segment, bytes]]:
    for number, segment in enumerate(segments, start=_FIRST):
        path = folder / segment.uri
        data = encrypt_segment(path.read_bytes(), cipher.key, segment_iv(cipher.iv, number))
        yield segment, data


def _into_segments(folder: Path, draft: TrackDraft, cipher: _Cipher) -> TrackDraft:
    """Encrypt the segments where they are."""
    sized = []
    for segment, data in _encrypted(folder, draft.playlist.segments, cipher):
        (folder / segment.uri).write_bytes(data)
        sized.append(replace(segment, size=len(data)))
    return replace(draft, playlist=replace(draft.playlist, segments=tuple(sized)))


def _into_file(folder: Path, draft: TrackDraft, cipher: _Cipher) -> TrackDraft:
    """Encrypt the segments into one file, each in a byte range of its own, behind the initialization section."""
    name, playlist, sized = draft.names.file, draft.playlist, []
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    with (folder / name).open("wb") as file:
        first = playlist.map
        if first:
            size = file.write((folder / first.uri).read_bytes())
            (folder / first.uri).unlink()
            first = replace(first, uri=name, size=size, offset=0)
        for segment, data in _encrypted(folder, playlist.segments, cipher):
            sized.append(replace(segment, uri=name, size=len(data), offset=file.tell()))
            file.write(data)
            (folder / segment.uri).unlink()
    _sweep(folder, draft.names)
    return replace(draft, playlist=replace(playlist, segments=tuple(sized), map=first))


def _sweep(folder: Path, names: TrackNames) -> None:
    """Remove the folders that held the segments, where nothing else is in them."""
    for path in (folder / names.segment, folder / names.init):
        for parent in path.parents:
            if parent == folder or (parent.is_dir() and any(parent.iterdir())):
                break
            if parent.is_dir():
                parent.rmdir()


def _files(output: Path, draft: TrackDraft) -> tuple[Path, ...]:
    uris = [segment.uri for segment in draft.playlist.segments]
    if draft.playlist.map:
        uris.insert(0, draft.playlist.map.uri)
    return tuple(output / uri for uri in dict.fromkeys(uris))
