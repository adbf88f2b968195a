"""Finds PSSH boxes in whatever holds them: boxes, PlayReady Objects, MP4 files, playlists, manifests, documents.

What an input is follows from marks that only one format has; text is read as hexadecimal or base64 only where exactly
one of the two readings is a box or a PlayReady Object from its first byte to its last.

`find` and its kin want every box to be readable; `survey` and its kin give what can be read, and errors beside it.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

from drmkit.errors import SignalingError
from drmkit.signaling import encodings, pssh
from drmkit.signaling.mp4 import Found, FoundBox, looks_like_mp4, survey_boxes
from drmkit.signaling.places import HINT, each, in_playlist, in_xml, parse_document, wrap

__all__ = ["Found", "FoundBox", "decode_text", "find", "find_in_stream", "find_in_text", "survey", "survey_stream"]

_PSSH = b"pssh"
_HLS = (b"#EXTM3U", b"#EXT-X-KEY:", b"#EXT-X-SESSION-KEY:")
_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
_PLAYREADY_START = struct.Struct("<IHH")
_RECORD_TYPES = range(1, 4)
_PREFIXED = re.compile(r"0[xX][0-9A-Fa-f]+")
_URL_SAFE = re.compile(r"[A-Za-z0-9_+/-]+=*")
_DATA_URI = re.compile(r"data:([^,]*),(.*)", re.DOTALL | re.IGNORECASE)
_MAX_FILE = 64 * 1024 * 1024
_PEEK = 1024


def find_in_stream(stream: BinaryIO) -> list[FoundBox]:
    """Return every PSSH box in a file; the media data of an MP4 file of any size is skipped, not read.

    Args:
        stream: a seekable binary stream.

    Raises:
        SignalingError: as for `find`, or the file is too large to be anything but an MP4 file.
    """
    return _all(survey_stream(stream))


def find(data: bytes) -> list[FoundBox]:
    """Return every PSSH box in a file's content, each with its place.

    Args:
        data: the content.

    Raises:
        SignalingError: the content is of no kind that can be read, or something in it does not parse.
    """
    return _all(survey(data))


def find_in_text(text: str) -> list[FoundBox]:
    """Return the PSSH boxes of hexadecimal or base64 text, whichever of the two it proves to be, or of a `data:` URI.

    Raises:
        SignalingError: the text is none of them, or its bytes are no box and no PlayReady Object.
    """
    return find(decode_text(text))


def survey_stream(stream: BinaryIO) -> list[Found]:
    """Return every PSSH box in a file, and an error for each that cannot be read; the rest is as for `find_in_stream`.

    Raises:
        SignalingError: the content is of no kind that can be read, or too large to be anything but an MP4 file.
    """
    if looks_like_mp4(stream.read(8)):
        return list(survey_boxes(stream))
    stream.seek(0)
    data = stream.read(_MAX_FILE + 1)
    if len(data) > _MAX_FILE:
        raise SignalingError("the file is too large for a document, and is no MP4 file", hint=HINT)
    return survey(data)


def survey(data: bytes) -> list[Found]:
    """Return every PSSH box in a file's content, and an error for each that cannot be read, in their order.

    Raises:
        SignalingError: the content is of no kind that can be read.
    """
    if not data.strip():
        raise SignalingError("there is nothing to read: the input is empty", hint=HINT)
    start = data[:_PEEK].lstrip()
    if data[4:8] == _PSSH:
        return list(_row(data))
    if _is_playready(data):
        return list(each("PlayReady Object", lambda: [wrap(data)]))
    if looks_like_mp4(data):
        return list(survey_boxes(data))
    if start.removeprefix(_BOM).startswith(_HLS):
        return list(in_playlist(_decode(data)))
    if start.removeprefix(_BOM).startswith(b"<") or start.startswith(_UTF16_BOMS):
        return list(in_xml(parse_document(data)))
    return survey(decode_text(_decode(data)))


def decode_text(text: str) -> bytes:
    """Return the bytes of hexadecimal or base64 text, whichever of the two proves to be boxes, or of a `data:` URI.

    Text that is neither as a whole may hold one or several boxes in each of its lines.

    Raises:
        SignalingError: the text is none of them, or its bytes are no box and no PlayReady Object.
    """
    uri = _DATA_URI.fullmatch(text.strip())
    if uri is not None:
        return _of_uri(uri[1], uri[2])
    packed = "".join(text.split())
    if not packed:
        raise SignalingError("there is nothing to read: the input is empty", hint=HINT)
    readings = _readings(packed)
    fitting = [raw for raw in readings if raw[4:8] == _PSSH or _is_playready(raw)]
    if len(fitting) == 1:
        return fitting[0]
    lines = [] if readings else [_boxes_of_line(line) for line in text.splitlines() if line.strip()]
    if len(lines) > 1 and all(lines):
        return b"".join(lines)
    if not readings:
        raise SignalingError("the text is neither hexadecimal nor base64", hint=_hint(packed))
    raise SignalingError(
        "the text decodes, but not to a PSSH box or a PlayReady Object",
        hint="a box has `pssh` after its first four bytes; a PlayReady Object starts with its own length",
    )


def _all(found: Iterable[Found]) -> list[FoundBox]:
    boxes = []
    for item in found:
        if isinstance(item, SignalingError):
            raise item
        boxes.append(item)
    return boxes


def _of_uri(head: str, content: str) -> bytes:
    if not head.lower().endswith(";base64"):
        raise SignalingError("the data: URI is not marked as base64", hint="data:text/plain;base64,...")
    return encodings.from_base64(content, "the data: URI")


def _boxes_of_line(line: str) -> bytes:
    """Return the bytes of one line of several, or nothing where it is not boxes alone."""
    fitting = [raw for raw in _readings("".join(line.split())) if raw[4:8] == _PSSH]
    return fitting[0] if len(fitting) == 1 else b""


def _readings(packed: str) -> list[bytes]:
    return [raw for raw in (_try(encodings.from_hex, packed), _try(encodings.from_base64, packed)) if raw]


def _hint(packed: str) -> str:
    if _PREFIXED.fullmatch(packed):
        return "leave 0x away: hexadecimal is digits alone"
    if _URL_SAFE.fullmatch(packed):
        return "base64 is expected in the standard alphabet, with + and / instead of - and _, and padded with ="
    return HINT


def _try(decode: Callable[[str, str], bytes], text: str) -> bytes | None:
    try:
        return decode(text, "the text")
    except SignalingError:
        return None


def _is_playready(data: bytes) -> bool:
    if len(data) < _PLAYREADY_START.size:
        return False
    size, count, kind = _PLAYREADY_START.unpack_from(data)
    return bool(size == len(data) and count and kind in _RECORD_TYPES)


def _row(data: bytes) -> Iterator[Found]:
    try:
        for number, box in enumerate(pssh.iterate(data), start=1):
            yield FoundBox(f"box {number}", box)
    except SignalingError as error:
        yield error


def _decode(data: bytes) -> str:
    try:
        return data.removeprefix(_BOM).decode("utf-8")
    except UnicodeDecodeError:
        raise SignalingError("nothing here is known to hold PSSH boxes", hint=HINT) from None
