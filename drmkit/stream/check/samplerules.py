"""Rules on SAMPLE-AES without boxes: what Apple's format wants of program maps and ID3 tags."""

from __future__ import annotations

from collections.abc import Iterator

from drmkit.stream.check.collector import Collector
from drmkit.stream.check.look import Look, Looked
from drmkit.stream.check.mediarules import check_coverage, check_kid
from drmkit.stream.check.transport import Elementary

__all__ = ["check_sample_stream", "check_sample_track"]

_INDICATORS = {"avc1": b"zavc", "mp4a": b"aacd", "ac-3": b"ac3d", "ec-3": b"ec3d"}
_SETUPS = {"mp4a": (b"zaac", b"zach", b"zacp"), "ac-3": (b"zac3",), "ec-3": (b"zec3",)}
_NAMES = {"avc1": "H.264", "hvc1": "H.265", "mp2v": "MPEG-2 video", "mp4a": "AAC", "ac-3": "AC-3", "ec-3": "E-AC-3",
          ".mp3": "MPEG audio"}  # fmt: skip


def check_sample_stream(look: Look, one: Looked, stream: Elementary, collector: Collector) -> None:
    """Check what one segment says of a stream against the key tags in force."""
    name = look.track.name
    where = f"segment {one.segment.index}"
    if not one.protected:
        return
    if stream.encrypted_type is None:
        words = f"{where} has {_NAMES[stream.format]}, which has no encrypted form in {_form(look)}"
        collector.add("sample-aes-stream-type", words, track=name, place=one.place, hint="package it as fragmented MP4")
        return
    if stream.stream_type is not None and not stream.says_encrypted:
        words = (
            f"the PMT of {where} says {_NAMES[stream.format]} in the clear (stream type {stream.stream_type:#04x}), "
            f"and a key tag is in force: encrypted streams have {stream.encrypted_type:#04x}"
        )
        collector.add("sample-aes-stream-type", words, track=name, place=one.place)
        return
    for words in _lacks(stream):
        collector.add("sample-aes-descriptor", f"{where}: {words}", track=name, place=one.place)


def check_sample_track(look: Look, collector: Collector) -> None:
    """Check a track against itself: its key IDs, and from where on it is encrypted."""
    for kid in look.used_kids:
        place = look.track.keys[0].place if look.track.keys else look.place
        check_kid(kid, "the key tag", collector, track=look.track.name, place=place)
    if look.media.encrypted is not None:
        check_coverage(look, collector)


def _form(look: Look) -> str:
    return "MPEG-TS" if look.container == "ts" else "packed audio"


def _lacks(stream: Elementary) -> Iterator[str]:
    if stream.packets > 1:
        yield f"the PMT of an encrypted stream fits into one packet; this one takes {stream.packets}"
    wanted = _INDICATORS[stream.format]
    if stream.stream_type is not None and stream.indicator != wanted:
        found = f"is {_shown(stream.indicator)}" if stream.indicator else "is missing"
        yield f"the private data indicator of {_NAMES[stream.format]} {found}; it is {_shown(wanted)}"
    setups = _SETUPS.get(stream.format)
    if setups and stream.setup[:4] not in setups:
        found = f"is of {_shown(stream.setup[:4])}" if stream.setup else "is missing"
        where = "in the PMT" if stream.stream_type is not None else "in the ID3 tags"
        yield f"the audio setup information {where} {found}; players set up the decoder by it"


def _shown(data: bytes) -> str:
    return repr(data.decode("ascii")) if data.isascii() else f"0x{data.hex()}"
