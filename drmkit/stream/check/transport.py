"""Reads what segments without boxes say of themselves: the program map of MPEG-TS, the start of packed audio."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from drmkit.errors import SignalingError

__all__ = ["Elementary", "kind_of", "read_packed", "read_transport", "stream_bytes"]

_PACKET = 188
_SYNC = 0x47
_BOXES = frozenset({b"ftyp", b"styp", b"moof", b"moov", b"sidx", b"emsg", b"prft", b"free", b"mdat"})
_PAT, _PMT = 0, 2
_PRIVATE_DATA_INDICATOR, _REGISTRATION = 0x0F, 0x05
_SETUP = b"apad"
_SETUP_OWNER = b"com.apple.streaming.audioDescription\0"
_POLYNOMIAL = 0x04C11DB7

Kind = Literal["video", "audio"]
# ISO/IEC 13818-1, table 2-34, ATSC A/53 for AC-3; then those that Apple gives to encrypted streams.
_CLEAR: dict[int, tuple[Kind, str]] = {
    0x02: ("video", "mp2v"),
    0x1B: ("video", "avc1"),
    0x24: ("video", "hvc1"),
    0x03: ("audio", ".mp3"),
    0x04: ("audio", ".mp3"),
    0x0F: ("audio", "mp4a"),
    0x11: ("audio", "mp4a"),
    0x81: ("audio", "ac-3"),
    0x87: ("audio", "ec-3"),
}
_ENCRYPTED: dict[int, tuple[Kind, str]] = {
    0xDB: ("video", "avc1"),
    0xCF: ("audio", "mp4a"),
    0xC1: ("audio", "ac-3"),
    0xC2: ("audio", "ec-3"),
}


@dataclass(frozen=True, slots=True)
class Elementary:
    """A stream of pictures or sound in a segment.

    Attributes:
        kind: "video" or "audio".
        format: what a sample entry would call it, such as "avc1".
        at: offset of what describes it.
        stream_type: that of the PMT, or None in packed audio, which has none.
        indicator: the private data indicator that the PMT has for it, or b"".
        setup: the audio setup information that stands in the clear, or b"".
        packets: how many packets of the transport stream its PMT takes.
        pid: where its bytes are, or None in packed audio.
    """

    kind: Kind
    format: str
    at: int
    stream_type: int | None = None
    indicator: bytes = b""
    setup: bytes = b""
    packets: int = 1
    pid: int | None = None

    @property
    def says_encrypted(self) -> bool:
        """Whether its stream type is one of encrypted streams."""
        return self.stream_type in _ENCRYPTED

    @property
    def encrypted_type(self) -> int | None:
        """The stream type that it has when it is encrypted; None where its codec has none."""
        wanted = (self.kind, self.format)
        return next((number for number, what in _ENCRYPTED.items() if what == wanted), None)


def kind_of(data: bytes) -> str:
    """Return what a segment in the clear is: "ts", "mp4", "packed" or "text"; "" for what is none of these."""
    if data[:1] == b"G" and all(data[at : at + 1] == b"G" for at in range(0, min(len(data), 5 * _PACKET), _PACKET)):
        return "ts"
    if data[4:8] in _BOXES:
        return "mp4"
    if data[:3] == b"ID3" or (data[:1] == b"\xff" and data[1:2] and data[1] & 0xE0 == 0xE0) or data[:2] == b"\x0bw":  # noqa: PLR2004
        return "packed"
    return "text" if data.removeprefix(b"\xef\xbb\xbf").startswith((b"WEBVTT", b"<?xml", b"<tt")) else ""


def read_transport(data: bytes) -> list[Elementary]:
    """Read the streams of pictures and sound that the first program map of a transport stream names.

    Raises:
        SignalingError: it has no program map, or one that players drop.
    """
    if len(data) % _PACKET:
        raise SignalingError(f"it has {len(data)} bytes, which is no multiple of {_PACKET}: it ends within a packet")
    for _, _, section in _sections(data, 0):
        programs = [section[at : at + 4] for at in range(8, len(section) - 4, 4)] if section[0] == _PAT else []
        for number in (int.from_bytes(entry[2:]) & 0x1FFF for entry in programs if any(entry[:2])):
            for at, packets, table in _sections(data, number):
                if table[0] == _PMT:
                    return list(_streams(table, at, packets))
            raise SignalingError(f"there is no program map (PMT) at PID {number:#x}, which the PAT names")
    raise SignalingError("there is no program association table (PAT)")


def read_packed(data: bytes) -> Elementary:
    """Read what the start of packed audio says: ID3 tags, then frames of AAC, AC-3, E-AC-3 or MP3.

    Raises:
        SignalingError: there is no frame behind the tags.
    """
    at = 0
    while data[at : at + 3] == b"ID3" and len(data) >= at + 10:
        size = 0
        for byte in data[at + 6 : at + 10]:
            size = size << 7 | byte & 0x7F
        at += 10 + size
    frame = data[at : at + 6]
    setup = data[:at].partition(_SETUP_OWNER)[2][:64]
    if len(frame) > 5 and frame[:2] == b"\x0bw":  # noqa: PLR2004
        return Elementary("audio", "ec-3" if frame[5] >> 3 > 10 else "ac-3", at, setup=setup)  # noqa: PLR2004 - bsid
    if len(frame) > 1 and frame[0] == 0xFF and frame[1] & 0xE0 == 0xE0:  # noqa: PLR2004 - the sync word
        return Elementary("audio", ".mp3" if frame[1] & 0x06 else "mp4a", at, setup=setup)
    raise SignalingError("there is no frame of AAC, AC-3, E-AC-3 or MP3 behind its ID3 tags")


def stream_bytes(data: bytes, stream: Elementary) -> bytes:
    """Return the bytes of a stream: those of its PES packets, or those behind the ID3 tags of packed audio.

    Raises:
        SignalingError: the bytes are no transport stream.
    """
    if stream.pid is None:
        return data[stream.at :]
    parts = []
    for _, starts, payload in _payloads(data, stream.pid):
        # ISO/IEC 13818-1, table 2-21: nine bytes, the last of which counts those that follow.
        parts.append(payload[9 + payload[8] :] if starts and len(payload) > 8 else payload)  # noqa: PLR2004
    return b"".join(parts)


def _payloads(data: bytes, pid: int) -> Iterator[tuple[int, bool, bytes]]:
    """Yield what the packets of a PID hold, with their offset and whether something begins in them."""
    for at in range(0, len(data), _PACKET):
        packet = data[at : at + _PACKET]
        if packet[0] != _SYNC:
            raise SignalingError(f"byte {at} is no sync byte of a packet")
        if int.from_bytes(packet[1:3]) & 0x1FFF == pid and packet[3] & 0x10:
            yield at, bool(packet[1] & 0x40), packet[4 + (1 + packet[4] if packet[3] & 0x20 else 0) :]


def _sections(data: bytes, pid: int) -> Iterator[tuple[int, int, bytes]]:
    """Yield each section of a PID, with the offset of its first packet and how many packets it takes."""
    held, first, packets = b"", 0, 0
    for at, starts, payload in _payloads(data, pid):
        if starts:
            held, first, packets = payload[1 + payload[0] :] if payload else b"", at, 1
        elif held:
            held, packets = held + payload, packets + 1
        while len(held) > 2 and held[0] != 0xFF:  # noqa: PLR2004 - stuffing
            size = 3 + (int.from_bytes(held[1:3]) & 0x0FFF)
            if len(held) < size:
                break
            if _crc(held[:size]):
                raise SignalingError(f"the checksum of a table at byte {first} is wrong: players drop it")
            yield first, packets, held[:size]
            held = held[size:]


def _streams(table: bytes, first: int, packets: int) -> Iterator[Elementary]:
    at, end = 12 + (int.from_bytes(table[10:12]) & 0x0FFF), len(table) - 4
    while at + 5 <= end:
        number, size = table[at], int.from_bytes(table[at + 3 : at + 5]) & 0x0FFF
        pid = int.from_bytes(table[at + 1 : at + 3]) & 0x1FFF
        said = dict(_descriptors(table[at + 5 : at + 5 + size]))
        what = _CLEAR.get(number) or _ENCRYPTED.get(number)
        if what is not None:
            registered = said.get(_REGISTRATION, b"")
            setup = registered[4:] if registered.startswith(_SETUP) else b""
            yield Elementary(*what, first, number, said.get(_PRIVATE_DATA_INDICATOR, b""), setup, packets, pid)
        at += 5 + size


def _descriptors(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 2 <= len(data):
        yield data[at], data[at + 2 : at + 2 + data[at + 1]]
        at += 2 + data[at + 1]


def _crc(data: bytes) -> int:
    """Return the CRC of ISO/IEC 13818-1, annex A: 0 over a table with its checksum."""
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ (_POLYNOMIAL if value & 0x80000000 else 0)) & 0xFFFFFFFF
    return value
