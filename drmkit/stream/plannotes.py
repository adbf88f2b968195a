"""Says what of a packaging plan is legal but unwise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from drmkit.identifiers import KeyId
from drmkit.stream.model import KeyUse, PlannedTrack
from drmkit.stream.schemes import box_schemes

__all__ = ["plan_notes"]


def plan_notes(planned: Sequence[PlannedTrack]) -> Iterable[str]:
    """Yield what is legal but unwise in the tracks of a plan, in sentences."""
    yield from _weak_keys(planned)
    yield from _shared_ivs(planned)
    for item in planned:
        yield from _track_notes(item)


def _weak_keys(planned: Sequence[PlannedTrack]) -> Iterable[str]:
    """Name keys that cannot be right: packagers and players take them without a word."""
    uses = {item.use.kid: item.use for item in planned if item.use}
    known: dict[bytes, KeyUse] = {}
    for kid, use in uses.items():
        raw = use.key.reveal()
        if not any(kid.raw):
            yield f"the key ID {kid} is all zeros, which players take for no key at all"
        if raw == kid.raw:
            yield f"key {kid} is its own key ID, which anyone can read in the stream"
        elif raw == use.iv:
            yield f"key {kid} is its own IV, which anyone can read in the stream"
        elif len(set(raw)) == 1:
            yield f"key {kid} is one byte over and over: it protects nothing"
        if raw in known:
            yield f"keys {known[raw].kid} and {kid} have the same value: whoever has the one has the other"
        known[raw] = use


def _shared_ivs(planned: Sequence[PlannedTrack]) -> Iterable[str]:
    names: dict[KeyId, list[str]] = {}
    for item in planned:
        if item.use is not None and item.use.scheme == "cenc" and item.use.iv is not None:
            names.setdefault(item.use.kid, []).append(item.track.name)
    for kid, shared in names.items():
        if len(shared) > 1:
            # Counter mode with one key and one IV gives one key stream (NIST SP 800-38A, appendix B).
            yield (
                f"tracks {', '.join(shared)} share key {kid} and its IV, which weakens the encryption in cenc:"
                " use a key for each track, or a document without IVs"
            )


def _track_notes(item: PlannedTrack) -> Iterable[str]:
    if item.properties.rotation:
        yield (
            f"{item.track.path} asks players to turn the picture of track {item.track.name} by"
            f" {item.properties.rotation} degrees, and Shaka Packager drops that: it will lie on its side or"
            " stand on its head. `ffmpeg -i INPUT OUTPUT.mp4` turns the picture itself"
        )
    if item.use is not None and not item.use.pssh:
        yield f"key {item.use.kid} of track {item.track.name} has no PSSH box in the document"
    elif item.use is not None:
        said = box_schemes(item.use.pssh) - {item.use.scheme}
        if said:
            yield (
                f"track {item.track.name} is encrypted in {item.use.scheme}, but PSSH boxes of its key say"
                f" {' and '.join(sorted(said))}: players that believe them will fail"
            )
