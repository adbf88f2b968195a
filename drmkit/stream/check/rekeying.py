"""Lets ffmpeg decrypt what key groups encrypt: it reads the `tenc` box alone, and no sample groups of type `seig`."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from drmkit.signaling.mp4boxes import Box, children, find
from drmkit.stream.check.initsegment import KeyGroup, key_groups
from drmkit.stream.check.look import Look, Looked
from drmkit.stream.entries import ENCRYPTED, field_bytes, sample_entries
from drmkit.stream.staging import spill

__all__ = ["by_key", "settle", "with_defaults"]

_CONTAINERS = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl", b"sinf", b"schi"})
_COUNTED = 8


def settle(look: Look) -> None:
    """Take a key ID of zeros out of a track whose samples all have one from a key group: it stands for none.

    Packagers write it to the `tenc` box of a track whose keys rotate (ISO/IEC 23001-7, clause 6).
    """
    if not look.used_kids or not any(one.protected for one in look.segments):
        return
    look.media.entries = tuple(
        replace(entry, kid=None) if entry.kid is not None and _unused(entry.kid.raw, look) else entry
        for entry in look.media.entries
    )


def _unused(kid: bytes, look: Look) -> bool:
    return not any(kid) and all(any(used.raw) for used in look.used_kids)


def by_key(look: Look, folder: Path) -> list[Look]:
    """Return a track as ffmpeg can decrypt it: a look for each key that key groups give, and one for the rest.

    Args:
        look: the track, with its samples; what has one key is returned as it is.
        folder: a private folder, for initialization segments whose `tenc` box says what a key group says.

    Returns:
        The looks. Segments in which several keys, or encrypted and clear samples, alternate by key groups are in none.
    """
    if look.init_path is None or not any(_grouped(one) for one in look.segments):
        return [look]
    plain = [one for one in look.segments if not _grouped(one)]
    parts: dict[KeyGroup, list[Looked]] = {}
    for one in look.segments:
        group = _group(one, look) if _grouped(one) else None
        if group is not None:
            parts.setdefault(group, []).append(one)
    made = [replace(look, segments=plain)] if any(one.protected for one in plain) else []
    data = look.init_path.read_bytes()
    for number, (group, segments) in enumerate(parts.items()):
        path = folder / f"rekeyed-{look.media.track_id}-{look.init_path.stem}-{number}.mp4"
        spill(path, with_defaults(data, look.media.track_id, group))
        made.append(replace(look, init_path=path, segments=segments))
    return made


def _grouped(one: Looked) -> bool:
    return any(sample.group for fragment in one.fragments for sample in fragment.samples)


def _group(one: Looked, look: Look) -> KeyGroup | None:
    """Return the key group that all samples of a segment are in, or None."""
    samples = [sample for fragment in one.fragments for sample in fragment.samples]
    if one.path is None or len(one.kids) != 1 or not all(sample.group and sample.kid for sample in samples):
        return None
    local: list[KeyGroup] = []
    for moof in children(one.path.read_bytes()):
        for traf in find(moof, b"traf") if moof.kind == b"moof" else ():
            local += key_groups(traf)
    fitting = dict.fromkeys(
        group for group in (*local, *look.media.groups) if group.protected and group.kid == one.kids[0]
    )
    return next(iter(fitting)) if len(fitting) == 1 else None


def with_defaults(init: bytes, track_id: int, group: KeyGroup) -> bytes:
    """Return an initialization segment whose track has the values of a key group as its defaults.

    Args:
        init: the initialization segment.
        track_id: the track.
        group: the key ID, IV and pattern for its `tenc` boxes.

    Raises:
        SignalingError: a box breaks its format.
    """
    pattern = group.pattern[0] << 4 | group.pattern[1]
    said = struct.pack(">B3xBBBB", 1 if pattern else 0, 0, pattern, 1, group.iv_size) + group.kid.raw
    if group.constant_iv is not None:
        said += bytes([len(group.constant_iv)]) + group.constant_iv
    for box in children(init):
        if box.kind == b"moov":
            return init[: box.start] + _remade(box, track_id, said) + init[box.start + len(box.raw) :]
    return init


def _remade(box: Box, track_id: int, said: bytes) -> bytes:
    if box.kind == b"tenc":
        return _boxed(box.kind, [said])
    if box.kind == b"trak" and sample_entries(box)[0].track_id != track_id:
        return box.raw
    if box.kind in _CONTAINERS:
        kept = 0
    elif box.kind == b"stsd":
        kept = _COUNTED
    elif box.kind in ENCRYPTED:
        kept = field_bytes(box)
    else:
        return box.raw
    inner = [_remade(one, track_id, said) for one in children(box.body[kept:], box.body_start + kept)]
    return _boxed(box.kind, [box.body[:kept], *inner])


def _boxed(kind: bytes, parts: Sequence[bytes]) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", len(body) + 8, kind) + body
