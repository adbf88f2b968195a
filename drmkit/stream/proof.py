"""Shows with two tools that a packaged stream decrypts to its source with its keys, and not with others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from drmkit.errors import PackagingError
from drmkit.identifiers import KeyId
from drmkit.secret import Secret
from drmkit.stream.decrypt import decrypt_hashes, frame_hashes, packet_hashes
from drmkit.stream.packager import PackagedStream, PackagedTrack
from drmkit.stream.tools import Tools
from drmkit.stream.unseal import unsealed

__all__ = ["TrackProof", "prove", "prove_track"]

_KEY = "the key is not the one that the track was encrypted with, or the source has changed since"
_DECODER = "its packets are the source's: what the packager wrote about the codec is not"


@dataclass(frozen=True, slots=True)
class TrackProof:
    """SHA-256 of a track's packets and frames: of the source, and of what two tools make of the encrypted track.

    A hash is empty where a tool could read nothing at all, as with a wrong key.

    Attributes:
        name: the track's name.
        source: packets of the source.
        decrypted: packets of the encrypted track, decrypted by ffmpeg with its key.
        wrong: the same with another key.
        packager: packets of the encrypted track, decrypted by Shaka Packager with its key.
        packager_wrong: the same with another key.
        source_frames: decoded frames of the source, or None where they were not compared.
        frames: decoded frames of what ffmpeg decrypted, or None.
        packager_frames: decoded frames of what Shaka Packager decrypted, or None.
    """

    name: str
    source: str
    decrypted: str
    wrong: str
    packager: str
    packager_wrong: str
    source_frames: str | None = None
    frames: str | None = None
    packager_frames: str | None = None

    @property
    def same_packets(self) -> bool:
        """Both tools give the source's packets, byte for byte."""
        return self.source == self.decrypted == self.packager

    @property
    def same_frames(self) -> bool | None:
        """Both tools give the source's frames; None where frames were not compared, or only by one tool.

        Of some codecs (ALAC) ffmpeg decodes what is clear and not what it decrypts.
        """
        if self.source_frames is None:
            return None
        if self.same_packets and not self.frames and self.packager_frames == self.source_frames:
            return None
        return self.source_frames == self.frames == self.packager_frames

    @property
    def sealed(self) -> bool:
        """Another key gives neither tool what the right one gives."""
        return self.wrong != self.decrypted and self.packager_wrong != self.packager

    @property
    def holds(self) -> bool:
        """Both tools give the source with the key, in packets or in frames, and neither does so with another.

        Packets of another container (MPEG-TS, WebM) are stored in another form than those of MP4, and the packager
        takes parameter sets out of them. So where frames were compared they decide: the same packets with other
        parameters would be another picture.
        """
        same = self.same_packets if self.same_frames is None else self.same_frames
        return same and self.decrypted == self.packager and self.sealed


def prove(
    stream: PackagedStream,
    *,
    tools: Tools,
    frames: bool = True,
    timeout: float = 600.0,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[TrackProof, ...]:
    """Decrypt every encrypted track of a stream with ffmpeg and with Shaka Packager, and compare it with its source.

    Args:
        stream: what `drmkit.stream.packager.package` returned; the sources must still be there.
        tools: the programs to use.
        frames: decode source and track and compare the frames too, which takes as long as playing them fast. Without,
            only tracks whose packets differ from the source's are decoded.
        timeout: seconds that each run of a program may take.
        progress: called after each track with the number of tracks done and of all.

    Raises:
        PackagingError: a track does not decrypt to its source, or does so with a wrong key.
        StoreError: there is no room for a clear copy of a track in the temporary folder.
    """
    sealed = [item for item in stream.tracks if item.planned.use]
    proofs = []
    for number, item in enumerate(sealed, start=1):
        proofs.append(prove_track(item, tools=tools, frames=frames, timeout=timeout))
        _judge(proofs[-1])
        if progress:
            progress(number, len(sealed))
    return tuple(proofs)


def prove_track(item: PackagedTrack, *, tools: Tools, frames: bool = True, timeout: float = 600.0) -> TrackProof:
    """Return the hashes of one encrypted track, whatever they say; the arguments are those of `prove`.

    Raises:
        PackagingError: the track is not encrypted, or cannot be read with its key.
        StoreError: there is no room for a clear copy of the track in the temporary folder.
    """
    track, use = item.planned.track, item.planned.use
    if not use:
        raise PackagingError(f"track {track.name} is in the clear: there is nothing to decrypt")
    right = {use.kid: use.key}
    wrong = {use.kid: Secret(bytes(byte ^ 0xFF for byte in use.key.reveal()))}
    look = _Look(item, tools, timeout)
    source, decrypted = look.source(), look.by_ffmpeg(right)
    with_frames = frames or source != decrypted
    shown = look.source_frames() if with_frames else None
    packager, packager_frames = look.by_packager(right, frames=shown is not None)
    return TrackProof(
        track.name,
        source,
        decrypted,
        look.or_nothing(lambda: look.by_ffmpeg(wrong)),
        packager,
        look.or_nothing(lambda: look.by_packager(wrong, frames=False)[0]),
        shown,
        look.or_nothing(lambda: look.frames(right)) if shown is not None else None,
        packager_frames,
    )


class _Look:
    """Hashes of one track, each made by a run of ffmpeg."""

    def __init__(self, item: PackagedTrack, tools: Tools, timeout: float) -> None:
        self.track, self.files = item.planned.track, item.files
        self.tools, self.timeout = tools, timeout

    def source(self) -> str:
        track = self.track
        return _one(
            packet_hashes(track.path, kind=track.kind, number=track.number, tools=self.tools, timeout=self.timeout)
        )

    def source_frames(self) -> str | None:
        """The source's frames; None where ffmpeg has no decoder for them."""
        track = self.track
        try:
            return _one(
                frame_hashes(track.path, kind=track.kind, number=track.number, tools=self.tools, timeout=self.timeout)
            )
        except PackagingError:
            return None

    def by_ffmpeg(self, keys: Mapping[KeyId, Secret[bytes]]) -> str:
        return _one(decrypt_hashes(self.files, keys, kind=self.track.kind, tools=self.tools, timeout=self.timeout))

    def frames(self, keys: Mapping[KeyId, Secret[bytes]]) -> str:
        return _one(frame_hashes(self.files, keys, kind=self.track.kind, tools=self.tools, timeout=self.timeout))

    def by_packager(self, keys: Mapping[KeyId, Secret[bytes]], *, frames: bool) -> tuple[str, str | None]:
        kind, tools, timeout = self.track.kind, self.tools, self.timeout
        with unsealed(self.files, keys, kind=kind, tools=tools, timeout=timeout) as clear:
            packets = _one(packet_hashes(clear, tools=tools, timeout=timeout))
            if not frames:
                return packets, None
            return packets, self.or_nothing(lambda: _one(frame_hashes(clear, tools=tools, timeout=timeout)))

    @staticmethod
    def or_nothing(look: Callable[[], str]) -> str:
        """What cannot be read, as most noise cannot, has an empty hash."""
        try:
            return look()
        except PackagingError:
            return ""


def _one(hashes: Mapping[str, str]) -> str:
    (value,) = hashes.values()
    return value


def _judge(proof: TrackProof) -> None:
    name = proof.name
    if not proof.sealed:
        raise PackagingError(f"track {name} decrypts with a wrong key, so it is not encrypted at all")
    if proof.decrypted != proof.packager:
        raise PackagingError(
            f"track {name} decrypts to packets that hash to {proof.decrypted[:16]}... with ffmpeg, and to"
            f" {proof.packager[:16]}... with Shaka Packager"
        )
    if not proof.holds:
        what, found, wanted = _difference(proof)
        raise PackagingError(
            f"track {name} does not decrypt to its source: its {what} hash to {found[:16]}..., those of the source to"
            f" {wanted[:16]}...",
            hint=_DECODER if proof.same_packets else _KEY,
        )


def _difference(proof: TrackProof) -> tuple[str, str, str]:
    """Return what is not the source's, its hash, and the source's."""
    if proof.source_frames is None:
        return "packets", proof.decrypted, proof.source
    found = next((frames for frames in (proof.frames, proof.packager_frames) if frames != proof.source_frames), None)
    return "frames", found or "nothing", proof.source_frames
