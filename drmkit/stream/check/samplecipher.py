"""Decrypts SAMPLE-AES without boxes, as Apple's format has it: slices of H.264 in MPEG-TS, frames of sound.

Apple, MPEG-2 Stream Encryption Format for HTTP Live Streaming, clause 2. ffmpeg's HLS demuxer can decrypt it too, but
takes the key and IV of the segment that it is reading, not of the one that a picture began in: the last picture of each
segment comes out under the next segment's IV, and that of the last segment as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from drmkit.secret import Secret
from drmkit.stream.check.transport import kind_of, read_packed, read_transport, stream_bytes

__all__ = ["begins_picture", "decrypted", "joined", "parts"]

_BLOCK, _PATTERN = 16, 160
_START, _START_CODE = b"\0\0\0\1", re.compile(rb"\x00\x00\x01")
_SLICES = frozenset({1, 5})
_CLEAR_OF_SLICE, _SHORT_SLICE = 32, 48
_ADTS, _ADTS_WITH_CRC = 7, 9
_NEW_SYNTAX = 10
# ETSI TS 102 366, table 4.13: bit rates in kbit/s; with 48 kHz a frame has four bytes for each.
_RATES = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)


def parts(segment: bytes, kind: str, number: int) -> list[bytes]:
    """Return the NAL units of H.264, or the frames of AAC, AC-3 or E-AC-3, of a track in a segment.

    What is another codec comes as one part; what follows something that is no frame is left out.

    Args:
        segment: MPEG-TS or packed audio.
        kind: "video" or "audio".
        number: which track of that kind, from 0.

    Raises:
        SignalingError: the segment is neither.
    """
    streams = read_transport(segment) if kind_of(segment) == "ts" else [read_packed(segment)]
    for stream in [stream for stream in streams if stream.kind == kind][number : number + 1]:
        data = stream_bytes(segment, stream)
        if stream.format == "avc1":
            return list(_units(data))
        return list(_frames(data)) if stream.encrypted_type is not None else [data]
    return []


def joined(pieces: Sequence[bytes], kind: str) -> bytes:
    """Return the stream that parts make: NAL units with start codes, or frame after frame."""
    return b"".join(_START + piece for piece in pieces) if kind == "video" else b"".join(pieces)


def begins_picture(part: bytes) -> bool:
    """Say whether a NAL unit is the first slice of a picture: its first macroblock has the number 0."""
    return len(part) > _SHORT_SLICE and part[0] & 0x1F in _SLICES and bool(part[1] & 0x80)


def decrypted(part: bytes, kind: str, key: Secret[bytes] | None, iv: bytes) -> bytes:
    """Decrypt a NAL unit or a frame of sound; without a key, return it as it is.

    Args:
        part: as `parts` returns it.
        kind: "video" or "audio".
        key: 16 bytes, or None.
        iv: 16 bytes; each part begins with it anew.
    """
    if kind == "audio":
        return part if key is None else _frame(part, key, iv)
    if not part or part[0] & 0x1F not in _SLICES or len(part) <= _SHORT_SLICE:
        return part
    # Encrypted bytes can look like a start code; what keeps them from it was put in after encryption.
    return part if key is None else _slice(part.replace(b"\0\0\3", b"\0\0"), key, iv)


def _slice(unit: bytes, key: Secret[bytes], iv: bytes) -> bytes:
    """Decrypt one block in ten behind the first 32 bytes, never the last bytes (2.2)."""
    made = bytearray(unit)
    places = range(_CLEAR_OF_SLICE, len(unit) - _BLOCK, _PATTERN)
    decryptor = Cipher(AES(key.reveal()), CBC(iv)).decryptor()
    plain = decryptor.update(b"".join(unit[at : at + _BLOCK] for at in places)) + decryptor.finalize()
    for number, at in enumerate(places):
        made[at : at + _BLOCK] = plain[number * _BLOCK : (number + 1) * _BLOCK]
    return bytes(made)


def _frame(frame: bytes, key: Secret[bytes], iv: bytes) -> bytes:
    """Decrypt all but the header, 16 bytes behind it, and what fills no block (2.3)."""
    start = _BLOCK
    if frame[:1] == b"\xff":
        start += _ADTS if frame[1] & 1 else _ADTS_WITH_CRC
    end = start + max(len(frame) - start, 0) // _BLOCK * _BLOCK
    decryptor = Cipher(AES(key.reveal()), CBC(iv)).decryptor()
    return frame[:start] + decryptor.update(frame[start:end]) + decryptor.finalize() + frame[end:]


def _units(data: bytes) -> Iterator[bytes]:
    starts = [match.end() for match in _START_CODE.finditer(data)]
    for start, following in zip(starts, [*(start - 3 for start in starts[1:]), len(data)], strict=True):
        yield data[start:following].rstrip(b"\0")


def _frames(data: bytes) -> Iterator[bytes]:
    at = 0
    while (size := _size(data[at : at + _ADTS])) and at + size <= len(data):
        yield data[at : at + size]
        at += size


def _size(head: bytes) -> int:
    """Return the size of a frame, or 0 for what is none."""
    if len(head) < _ADTS:
        return 0
    if head[0] == 0xFF and head[1] & 0xF6 == 0xF0:  # noqa: PLR2004 - the sync word of ADTS
        size = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
        return size if size >= _ADTS else 0
    if head[:2] != b"\x0bw":
        return 0
    if head[5] >> 3 > _NEW_SYNTAX:
        return 2 * ((head[2] & 7) << 8 | head[3]) + 2
    rate, sampling = _RATES[min((head[4] & 0x3F) >> 1, len(_RATES) - 1)], head[4] >> 6
    if sampling == 1:
        return 2 * (rate * 1536 * 1000 // 44100 // 16 + (head[4] & 1))
    return rate * 4 if sampling == 0 else rate * 6
