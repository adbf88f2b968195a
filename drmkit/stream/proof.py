"""Shows that a packaged stream decrypts to its source with its keys, and to something else with wrong ones."""

from __future__ import annotations

from dataclasses import dataclass

from drmkit.errors import PackagingError
from drmkit.secret import Secret
from drmkit.stream.decrypt import decrypt_hashes, packet_hashes
from drmkit.stream.packager import PackagedStream, PackagedTrack
from drmkit.stream.tools import Tools

__all__ = ["TrackProof", "prove", "prove_track"]


@dataclass(frozen=True, slots=True)
class TrackProof:
    """The SHA-256 of a track's packets, three times.

    Attributes:
        name: the track's name.
        source: packets of the source.
        decrypted: packets of the encrypted track, decrypted with its key.
        wrong: packets of the encrypted track, "decrypted" with another key.
    """

    name: str
    source: str
    decrypted: str
    wrong: str

    @property
    def holds(self) -> bool:
        """The key gives the source's packets, and the wrong key does not."""
        return self.source == self.decrypted != self.wrong


def prove(stream: PackagedStream, *, tools: Tools, timeout: float = 600.0) -> tuple[TrackProof, ...]:
    """Decrypt every encrypted track of a stream with ffmpeg and compare it with its source, packet for packet.

    The sources must be MP4 files: the packets of MPEG-TS and WebM are stored in another form than those of MP4.

    Args:
        stream: what `drmkit.stream.packager.package` returned; the sources must still be there.
        tools: the programs to use.
        timeout: seconds that each run of ffmpeg may take.

    Raises:
        PackagingError: a track does not decrypt to its source, or does so with a wrong key.
    """
    proofs = tuple(prove_track(item, tools=tools, timeout=timeout) for item in stream.tracks if item.planned.use)
    for proof in proofs:
        if proof.decrypted != proof.source:
            raise PackagingError(
                f"track {proof.name} does not decrypt to its source: its packets hash to {proof.decrypted[:16]}...,"
                f" those of the source to {proof.source[:16]}...",
                hint="the key is not the one that the track was encrypted with, or the source has changed since",
            )
        if proof.wrong == proof.source:
            raise PackagingError(f"track {proof.name} decrypts with a wrong key, so it is not encrypted at all")
    return proofs


def prove_track(item: PackagedTrack, *, tools: Tools, timeout: float = 600.0) -> TrackProof:
    """Return the three hashes of one encrypted track, whatever they say.

    Raises:
        PackagingError: the track is not encrypted, or ffmpeg cannot read it.
    """
    track, use = item.planned.track, item.planned.use
    if not use:
        raise PackagingError(f"track {track.name} is in the clear: there is nothing to decrypt")
    other = Secret(bytes(byte ^ 0xFF for byte in use.key.reveal()))
    (source,) = packet_hashes(track.path, kind=track.kind, tools=tools, timeout=timeout).values()
    (decrypted,) = decrypt_hashes(
        item.files, {use.kid: use.key}, kind=track.kind, tools=tools, timeout=timeout
    ).values()
    (wrong,) = decrypt_hashes(item.files, {use.kid: other}, kind=track.kind, tools=tools, timeout=timeout).values()
    return TrackProof(track.name, source, decrypted, wrong)
