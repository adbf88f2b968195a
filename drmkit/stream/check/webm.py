"""Reads and decrypts WebM: its tracks, and the blocks of its clusters (webmproject.org, WebM Encryption).

Blocks are encrypted with AES-CTR, as samples of cenc are; a signal byte before each says whether it is, and an IV and
the partitions that stay in the clear follow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from drmkit.errors import SignalingError
from drmkit.identifiers import KeyId
from drmkit.secret import Secret
from drmkit.stream.check.fragments import Fragment, Sample, SegmentContent
from drmkit.stream.check.initsegment import InitSegment, MediaTrack
from drmkit.stream.entries import SampleEntry

__all__ = ["clusters_of", "in_clear", "is_cues", "is_webm", "read_webm_init", "read_webm_segment"]

_MAGIC = bytes.fromhex("1a45dfa3")
_HEADER, _INFO, _SEGMENT, _CLUSTER = 0x1A45DFA3, 0x1549A966, 0x18538067, 0x1F43B675
_TRACKS, _TRACK = 0x1654AE6B, 0xAE
_NUMBER, _TYPE, _CODEC, _WIDTH, _HEIGHT, _CHANNELS = 0xD7, 0x83, 0x86, 0xB0, 0xBA, 0x9F
_ENCODINGS, _ENCODING, _ENCRYPTION, _ALGORITHM, _KEY_ID = 0x6D80, 0x6240, 0x5035, 0x47E1, 0x47E2
_TIME, _SIMPLE_BLOCK, _GROUP, _BLOCK = 0xE7, 0xA3, 0xA0, 0xA1
_CUES, _CUE, _POSITIONS, _POSITION = 0x1C53BB6B, 0xBB, 0xB7, 0xF1
_OPEN = frozenset({_SEGMENT, _CLUSTER, _GROUP})
_TRACK_OPEN = frozenset({0xE0, 0xE1, _ENCODINGS, _ENCODING, _ENCRYPTION})
_KINDS = {1: ("video", "vide"), 2: ("audio", "soun")}
_FORMATS = {"V_VP9": "vp09", "V_VP8": "vp08", "V_AV1": "av01", "A_OPUS": "Opus", "A_VORBIS": "vorbis"}
_AES, _IV, _KID = 5, 8, 16
_UNKNOWN = bytes.fromhex("01ffffffffffffff")


@dataclass(frozen=True, slots=True)
class _Element:
    """An element: its ID, where it and its content begin, and where it ends."""

    id: int
    at: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Coded:
    """A block of an encrypted track: what stands before the frame, and the frame with its clear and encrypted bytes."""

    track: int
    head: bytes
    frame: bytes
    iv: bytes | None
    spans: tuple[tuple[int, int], ...]


def is_webm(data: bytes) -> bool:
    """Say whether bytes begin as a WebM file does."""
    return data.startswith(_MAGIC)


def is_cues(data: bytes) -> bool:
    """Say whether bytes begin as the index of a WebM file does."""
    return data.startswith(_id(_CUES))


def read_webm_init(data: bytes) -> InitSegment:
    """Read the tracks of an initialization segment of WebM.

    Raises:
        SignalingError: there is none, or an element breaks its format.
    """
    found = InitSegment(fragmented=True)
    for element in _walk(data, _OPEN | {_TRACKS}):
        if element.id == _TRACK:
            found.tracks.append(_track(data, element))
    if not found.tracks:
        raise SignalingError("there is no track in it")
    return found


def read_webm_segment(data: bytes, init: InitSegment, start: int = 0) -> SegmentContent:
    """Read the blocks of a segment of WebM, as samples: one fragment for each track.

    Args:
        data: its bytes.
        init: its initialization segment.
        start: its offset in the file, for places.

    Raises:
        SignalingError: an element breaks its format.
    """
    entries = {track.track_id: track.encrypted for track in init.tracks}
    found = {number: Fragment(number, start) for number in entries}
    for element in _walk(data, _OPEN):
        if element.id in {_SIMPLE_BLOCK, _BLOCK}:
            coded = _coded(data, element, lambda number: entries.get(number) is not None)
            entry = entries.get(coded.track)
            if coded.track in found:
                kid = entry.kid if entry is not None and coded.iv is not None else None
                found[coded.track].samples.append(Sample(len(coded.frame), kid, coded.iv, coded.spans))
    return SegmentContent([fragment for fragment in found.values() if fragment.samples])


def in_clear(init: bytes, segments: Sequence[bytes], key_of: Callable[[KeyId], Secret[bytes] | None]) -> bytes:
    """Return a file in the clear of an initialization segment and segments.

    Args:
        init: the initialization segment.
        segments: segments, each with its clusters.
        key_of: returns the key of a key ID; None leaves encrypted blocks as they are.
    """
    tracks = {track.track_id: track.encrypted for track in read_webm_init(init).tracks}
    parts = [*_plain_init(init)]
    for data in segments:
        for element in _walk(data, _OPEN):
            if element.id == _CLUSTER:
                parts += [_id(_CLUSTER), _UNKNOWN]
            elif element.id == _TIME:
                parts.append(data[element.at : element.end])
            elif element.id in {_SIMPLE_BLOCK, _BLOCK}:
                coded = _coded(data, element, lambda number: tracks.get(number) is not None)
                entry = tracks.get(coded.track)
                key = key_of(entry.kid) if entry is not None and entry.kid is not None else None
                body = coded.head + (_decrypted(coded, key) if key is not None else coded.frame)
                parts += [_id(_SIMPLE_BLOCK), _size(len(body)), body]
    return b"".join(parts)


def clusters_of(index: bytes, init: bytes) -> list[int]:
    """Return where the clusters begin that an index (Cues) lists, each once, in bytes from the start of the file.

    Args:
        index: the Cues element.
        init: the start of the file, with the head of its Segment.

    Raises:
        SignalingError: an element breaks its format.
    """
    base = next((element.start for element in _walk(init, frozenset()) if element.id == _SEGMENT), None)
    if base is None:
        raise SignalingError("there is no Segment in its initialization segment")
    places = {
        base + int.from_bytes(index[element.start : element.end])
        for element in _walk(index, frozenset({_CUES, _CUE, _POSITIONS}))
        if element.id == _POSITION
    }
    return sorted(places)


def _walk(data: bytes, opened: frozenset[int], start: int = 0, end: int | None = None) -> Iterator[_Element]:
    """Yield elements in their order, and those inside of the ones that are to be opened."""
    at, stop = start, len(data) if end is None else end
    while at < stop:
        number, after = _number(data, at)
        size, body = _value(data, after)
        # Live streams leave sizes open, and a Segment is as large as the file that the segments are parts of.
        last = stop if size is None or number in {_SEGMENT, _CLUSTER} else body + size
        if last > stop:
            raise SignalingError(f"element {number:X} at byte {at} claims {size} bytes, and ends before")
        yield _Element(number, at, body, last)
        at = body if number in opened else min(last, stop)


def _number(data: bytes, at: int) -> tuple[int, int]:
    """Return a number of variable length, its marker included, and where it ends."""
    first = data[at] if at < len(data) else 0
    length = 9 - first.bit_length()
    if not first or at + length > len(data):
        raise SignalingError(f"there is no element at byte {at}")
    return int.from_bytes(data[at : at + length]), at + length


def _value(data: bytes, at: int) -> tuple[int | None, int]:
    """Return a number of variable length without its marker, None where all its bits are set, and where it ends."""
    number, after = _number(data, at)
    value = number & (1 << 7 * (after - at)) - 1
    return (None if value == (1 << 7 * (after - at)) - 1 else value), after


def _track(data: bytes, element: _Element) -> MediaTrack:
    said: dict[int, bytes] = {}
    for inner in _walk(data, _TRACK_OPEN, element.start, element.end):
        said.setdefault(inner.id, data[inner.start : inner.end])
    kind, handler = _KINDS.get(int.from_bytes(said.get(_TYPE, b"")), ("unknown", ""))
    number, codec = int.from_bytes(said.get(_NUMBER, b"")), said.get(_CODEC, b"").decode("ascii", "replace")
    entry = SampleEntry(number, handler, _FORMATS.get(codec, codec))
    kid = said.get(_KEY_ID)
    if _ENCRYPTION in said:
        if kid is None or len(kid) != _KID:
            raise SignalingError(f"the key ID of track {number} has {len(kid or b'')} bytes, not {_KID}")
        scheme = "cenc" if int.from_bytes(said.get(_ALGORITHM, b"\5")) == _AES else "unknown"
        entry = SampleEntry(number, handler, entry.format, scheme, KeyId(kid), _IV)
    size = {name: int.from_bytes(said.get(name, b"")[:4]) for name in (_WIDTH, _HEIGHT, _CHANNELS)}
    channels = (size[_CHANNELS] or 1) if kind == "audio" else 0
    return MediaTrack(number, kind, (entry,), element.at, 0, size[_WIDTH], size[_HEIGHT], channels)


def _coded(data: bytes, element: _Element, encrypted: Callable[[int], bool]) -> _Coded:
    """Read a block: track, time and flags, and in an encrypted track the signal byte and what it announces."""
    track, at = _value(data, element.start)
    head, at = data[element.start : at + 3], at + 3
    if track is None or at > element.end:
        raise SignalingError(f"the block at byte {element.at} is cut short")
    if not encrypted(track):
        return _Coded(track, head, data[at : element.end], None, ())
    signal = data[at] if at < element.end else 0
    at += 1
    if not signal & 1:
        return _Coded(track, head, data[at : element.end], None, ())
    iv, at = data[at : at + _IV], at + _IV
    marks: list[int] = []
    if signal & 2 and at < element.end:
        count, at = data[at], at + 1
        marks = [int.from_bytes(data[at + 4 * number : at + 4 * number + 4]) for number in range(count)]
        at += 4 * count
    if at > element.end:
        raise SignalingError(f"the block at byte {element.at} is cut short")
    frame = data[at : element.end]
    return _Coded(track, head, frame, iv, _spans(marks, len(frame), element.at))


def _spans(marks: Sequence[int], size: int, at: int) -> tuple[tuple[int, int], ...]:
    """Return clear and encrypted bytes by turns; nothing where all is encrypted."""
    if not marks:
        return ()
    edges = [0, *marks, size]
    if sorted(edges) != edges:
        raise SignalingError(f"the partitions of the block at byte {at} do not fit its {size} bytes")
    lengths = [after - before for before, after in pairwise(edges)]
    return tuple(zip_longest(lengths[::2], lengths[1::2], fillvalue=0))


def _decrypted(coded: _Coded, key: Secret[bytes]) -> bytes:
    if coded.iv is None:
        return coded.frame
    decryptor = Cipher(AES(key.reveal()), CTR(coded.iv.ljust(16, b"\0"))).decryptor()
    if not coded.spans:
        return decryptor.update(coded.frame) + decryptor.finalize()
    at, parts = 0, []
    for clear, hidden in coded.spans:
        parts += [coded.frame[at : at + clear], decryptor.update(coded.frame[at + clear : at + clear + hidden])]
        at += clear + hidden
    return b"".join(parts)


def _plain_init(init: bytes) -> Iterator[bytes]:
    """Yield the head of a file whose tracks say nothing of encryption."""
    for element in _walk(init, frozenset({_SEGMENT})):
        if element.id in {_HEADER, _INFO}:
            yield init[element.at : element.end]
        elif element.id == _SEGMENT:
            yield _id(_SEGMENT) + _UNKNOWN
        elif element.id == _TRACKS:
            yield _without(init, element)
        elif element.id == _CLUSTER:
            break


def _without(data: bytes, tracks: _Element) -> bytes:
    made = []
    for track in _walk(data, frozenset(), tracks.start, tracks.end):
        inner = _walk(data, frozenset(), track.start, track.end)
        body = b"".join(data[one.at : one.end] for one in inner if one.id != _ENCODINGS)
        made.append(_id(track.id) + _size(len(body)) + body)
    body = b"".join(made)
    return _id(_TRACKS) + _size(len(body)) + body


def _id(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8)


def _size(size: int) -> bytes:
    return (size | 1 << 56).to_bytes(8)
