"""Reads the sample entries of a track and the encryption that they state (ISO/IEC 23001-7, clauses 4 and 8)."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

from drmkit.errors import SignalingError
from drmkit.identifiers import KeyId
from drmkit.signaling.mp4boxes import Box, children, find, full_box, only

__all__ = ["ENCRYPTED", "SampleEntry", "field_bytes", "sample_entries", "with_first_iv"]

_VISUAL_FIELDS, _AUDIO_FIELDS, _OTHER_FIELDS = 78, 28, 8
# QuickTime's longer sound descriptions, by version (QuickTime File Format, "Sound Sample Description").
_SOUND_EXTRA = {0: 0, 1: 16, 2: 36}
ENCRYPTED = frozenset({b"encv", b"enca", b"enct", b"encs"})
"""The types of sample entries that are encrypted."""
_TYPE = 4
_IV_SIZES = frozenset({0, 8, 16})
_CONSTANT_IV_SIZES = frozenset({8, 16})


@dataclass(frozen=True, slots=True)
class SampleEntry:
    """One sample description of one track, with the encryption that it states.

    Attributes:
        track_id: the track's ID in the file.
        kind: the handler type, such as "vide" or "soun".
        format: the format of the clear samples, such as "avc1".
        scheme: the protection scheme (`schm`), such as "cenc", or None where the samples are clear.
        kid: the default key ID (`tenc`), or None where the samples are clear.
        iv_size: bytes of the IV that stands with each sample; 0 with a constant IV.
        constant_iv: the IV of every sample, or None.
        pattern: encrypted and skipped blocks of 16 bytes; (0, 0) where whole samples are encrypted.
        first_iv: the IV of the first sample in the file, or None where no sample states one.
    """

    track_id: int
    kind: str
    format: str
    scheme: str | None = None
    kid: KeyId | None = None
    iv_size: int = 0
    constant_iv: bytes | None = None
    pattern: tuple[int, int] = (0, 0)
    first_iv: bytes | None = None


def sample_entries(track: Box) -> list[SampleEntry]:
    """Read the sample entries of a `trak` box.

    Raises:
        SignalingError: the track lacks a box that it must have, or a box breaks its format.
    """
    where = f"the track at byte {track.start}"
    header = only(find(track, b"tkhd"), where)
    handler = only(find(track, b"mdia", b"hdlr"), where)
    table = only(find(track, b"mdia", b"minf", b"stbl", b"stsd"), where)
    if not (header and handler and table):
        raise SignalingError(f"{where} lacks a box tkhd, hdlr or stsd")
    version, _, body = full_box(header, 20)
    (track_id,) = struct.unpack_from(">I", body, 16 if version else 8)
    _, _, names = full_box(handler, 8)
    _, _, listed = full_box(table, 4)
    return [_sample_entry(box, track_id, names[4:8]) for box in children(listed[4:], table.body_start + 8)]


def _sample_entry(box: Box, track_id: int, handler: bytes) -> SampleEntry:
    kind = handler.decode("latin-1")
    if box.kind not in ENCRYPTED:
        return SampleEntry(track_id, kind, box.name)
    fields = field_bytes(box)
    inner = Box(box.kind, box.start, box.body[fields:], box.raw)
    where = f"the sample entry {box.name} at byte {box.start}"
    info = only(find(inner, b"sinf"), where)
    original = only(find(info, b"frma"), where) if info else None
    scheme = only(find(info, b"schm"), where) if info else None
    defaults = only(find(info, b"schi", b"tenc"), where) if info else None
    if not (original and scheme and defaults) or len(original.body) != _TYPE:
        raise SignalingError(f"{where} lacks a box frma, schm or tenc, so it cannot be decrypted")
    name = full_box(scheme, 8)[2][:4].decode("latin-1")
    kid, iv_size, constant_iv, pattern = _defaults(defaults)
    return SampleEntry(track_id, kind, original.body.decode("latin-1"), name, kid, iv_size, constant_iv, pattern)


def field_bytes(box: Box) -> int:
    """Return how many bytes of an encrypted sample entry stand before its boxes.

    Raises:
        SignalingError: the entry is shorter than that.
    """
    if box.kind == b"encv":
        size = _VISUAL_FIELDS
    elif box.kind == b"enca":
        version = int.from_bytes(box.body[8:10], "big")
        size = _AUDIO_FIELDS + _SOUND_EXTRA.get(version, 0)
    else:
        size = _OTHER_FIELDS
    if len(box.body) < size:
        raise SignalingError(f"the sample entry {box.name} at byte {box.start} is too short: {len(box.body)} bytes")
    return size


def _defaults(tenc: Box) -> tuple[KeyId, int, bytes | None, tuple[int, int]]:
    """Read a track encryption box (ISO/IEC 23001-7, clause 8.2)."""
    version, _, body = full_box(tenc, 20)
    blocks = body[1] if version else 0
    protected, iv_size, kid = body[2], body[3], KeyId(body[4:20])
    rest = body[20:]
    constant: bytes | None = None
    if protected == 1 and iv_size == 0:
        constant, rest = rest[1 : 1 + rest[0]] if rest else b"", rest[1 + rest[0] :] if rest else b""
        if len(constant) not in _CONSTANT_IV_SIZES:
            raise SignalingError(
                f"the box tenc at byte {tenc.start} has a constant IV of {len(constant)} bytes, not 8 or 16"
            )
    if protected > 1 or iv_size not in _IV_SIZES or rest:
        raise SignalingError(
            f"the box tenc at byte {tenc.start} breaks its format"
            f" (isProtected {protected}, IV size {iv_size}, {len(rest)} bytes too many)"
        )
    return kid, iv_size, constant, (blocks >> 4, blocks & 15)


def with_first_iv(entry: SampleEntry, moof: Box) -> SampleEntry:
    """Return the sample entry with the IV of its track's first sample in a fragment, where that states one.

    Args:
        entry: a sample entry of the file.
        moof: the file's first movie fragment.

    Raises:
        SignalingError: a box of the fragment breaks its format.
    """
    for fragment in find(moof, b"traf"):
        header = only(find(fragment, b"tfhd"), "a track fragment")
        table = only(find(fragment, b"senc"), "a track fragment")
        if not header or not table or not entry.iv_size:
            continue
        (track_id,) = struct.unpack_from(">I", full_box(header, 4)[2])
        _, _, body = full_box(table, 4)
        (count,) = struct.unpack_from(">I", body)
        if track_id == entry.track_id and count:
            iv = body[4 : 4 + entry.iv_size]
            if len(iv) != entry.iv_size:
                raise SignalingError(f"the box senc at byte {table.start} is too short for its first IV")
            return replace(entry, first_iv=iv)
    return entry
