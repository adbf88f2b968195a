"""Says of one track what was found: what it is, how it is encrypted, and whether it decrypts."""

from __future__ import annotations

from collections.abc import Sequence

from drmkit.identifiers import system_name
from drmkit.stream.check.decryption import Outcome, worst
from drmkit.stream.check.look import Look
from drmkit.stream.check.model import TrackReport
from drmkit.stream.check.presentation import StreamTrack

__all__ = ["describe"]


def describe(
    track: StreamTrack, looks: Sequence[Look], systems: Sequence[str], outcomes: Sequence[Outcome]
) -> TrackReport:
    """Return the report on a track.

    Args:
        track: the track as the manifest names it.
        looks: what was found behind each of its initialization segments; empty where nothing was looked into.
        systems: the IDs of the DRM systems that are signaled for it.
        outcomes: how each look came out.
    """
    names = tuple(system_name(system) for system in systems)
    if not looks:
        return TrackReport(
            name=track.name, kind=track.kind, systems=names, segments=len(track.segments), reason="not looked into"
        )
    first = next((look for look in looks if look.media.encrypted is not None), looks[0])
    entry = first.media.encrypted
    outcome = worst(outcomes)
    kinds = {look.media.kind for look in looks}
    return TrackReport(
        name=track.name,
        kind=kinds.pop() if len(kinds) == 1 else "muxed",
        codec=" ".join(dict.fromkeys(one.format for look in looks for one in look.media.entries if one.format)),
        details=_details(first),
        scheme=_scheme(first),
        kids=tuple(dict.fromkeys(kid.uuid for look in looks for kid in look.kids)),
        iv="" if entry is None else _iv(first),
        pattern="" if entry is None or entry.pattern == (0, 0) else f"{entry.pattern[0]}:{entry.pattern[1]}",
        systems=names,
        segments=len(track.segments),
        examined=len({one.segment.index for look in looks for one in look.segments}),
        verdict=outcome.verdict,
        reason=outcome.reason,
    )


def _scheme(look: Look) -> str:
    if not look.by_tags:
        return look.scheme or ""
    return "sample-aes" if look.media.encrypted is not None else ""


def _details(look: Look) -> str:
    media = look.media
    if media.kind == "video":
        return f"{media.width}x{media.height}"
    return f"{media.channels} channel{'' if media.channels == 1 else 's'}" if media.kind == "audio" else ""


def _iv(look: Look) -> str:
    entry = look.media.encrypted
    if entry is None:
        return ""
    if entry.constant_iv:
        return f"constant 0x{entry.constant_iv.hex()}"
    if not look.by_tags:
        return f"{entry.iv_size} bytes each"
    return "of the segment" if any(one.first_iv for one in look.segments) else "with the key"
