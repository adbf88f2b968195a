"""Segment indexes: what they list, how they nest, and how a broken one is refused."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from drmkit.errors import SignalingError
from drmkit.http import HttpClient
from drmkit.stream.check.access import Access, Reference, UnreadableError
from drmkit.stream.check.sidx import Index, index_of, scan

Opened = Callable[[bytes], tuple[Access, Reference]]


def box(kind: bytes, body: bytes = b"") -> bytes:
    """A box."""
    return struct.pack(">I4s", len(body) + 8, kind) + body


def sidx(*entries: tuple[int, int], first: int = 0, version: int = 0, count: int | None = None) -> bytes:
    """An index of entries (whether it leads to another index, size)."""
    body = struct.pack(">IIIQQ" if version else ">IIIII", version << 24, 1, 1000, 0, first)
    body += struct.pack(">HH", 0, len(entries) if count is None else count)
    return box(b"sidx", body + b"".join(struct.pack(">III", kind << 31 | size, 1000, 0) for kind, size in entries))


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    """Return what reads a file of these bytes."""
    with HttpClient() as http:

        def file(data: bytes) -> tuple[Access, Reference]:
            (tmp_path / "a.mp4").write_bytes(data)
            access = Access(str(tmp_path / "a.mp4"), http=http, max_bytes=1 << 24)
            return access, Reference(access.manifest)

        yield file


@pytest.mark.parametrize("version", [0, 1])
def test_an_index_divides_the_file(opened: Opened, version: int) -> None:
    """Segments follow each other from the index's end on, after the offset that it states, in either version."""
    index = sidx((0, 40), (0, 60), first=5, version=version)
    start = len(index) + 5
    assert index_of(*opened(index + bytes(105))) == ((start, 40), (start + 40, 60))


def test_an_index_may_lead_to_others(opened: Opened) -> None:
    """A file of daisy-chained or nested indexes is followed to the segments, in their order."""
    inner = sidx((0, 30), (0, 20))
    outer = sidx((1, len(inner)), (0, 70), first=0)
    at = len(outer) + len(inner)
    # The inner index counts from its own end; what the outer one lists beside it follows right behind the inner index.
    assert index_of(*opened(outer + inner + bytes(120))) == ((at, 30), (at + 30, 20), (at, 70))


def test_an_index_without_end_is_refused(opened: Opened) -> None:
    """Indexes that lead to indexes forever are left at the fourth."""
    chain = b"".join(sidx((1, 44)) for _ in range(8))
    with pytest.raises(SignalingError, match="the segment index at byte 132 is nested too deeply"):
        index_of(*opened(chain))


def test_an_index_of_too_many_segments_is_refused(opened: Opened) -> None:
    """Many small indexes may not list more than a check can hold."""
    leaf = sidx(*[(0, 1)] * 60_000)
    with pytest.raises(SignalingError, match="lists more than 200000 segments"):
        index_of(*opened(sidx(*[(1, len(leaf))] * 4) + leaf * 4))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (box(b"free"), "there is no box sidx at byte 0"),
        (sidx((0, 9), count=2), "box sidx at byte 0 is too short for its 2 entries"),
        (box(b"sidx", b"\1" + bytes(24)), "box sidx at byte 0 is too short: 25 bytes"),
        (sidx((0, 9))[:-1], "claims 44 bytes, 43 are left"),
    ],
)
def test_a_broken_index_is_refused(opened: Opened, data: bytes, reason: str) -> None:
    """What is no index, or one that is cut short, is refused with its place."""
    with pytest.raises(SignalingError, match=reason):
        index_of(*opened(data))


FTYP, MOOV = box(b"ftyp", b"isom" + bytes(4)), box(b"moov", bytes(100))
FRAGMENT = box(b"moof", bytes(20)) + box(b"mdat", bytes(50))
HEAD = len(FTYP + MOOV)


def large(kind: bytes, body: bytes) -> bytes:
    """A box with a size of 64 bits."""
    return struct.pack(">I4sQ", 1, kind, len(body) + 16) + body


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (FTYP + MOOV + FRAGMENT * 2, Index((0, HEAD), ((HEAD, 86), (HEAD + 86, 86)))),
        (FTYP + MOOV + sidx((0, 86)) + FRAGMENT, Index((0, HEAD), ((HEAD + 44, 86),))),
        (FTYP + MOOV + (sidx((0, 86)) + FRAGMENT) * 2, Index((0, HEAD), ((HEAD + 44, 86), (HEAD + 174, 86)))),
        (FTYP + MOOV + FRAGMENT + sidx((0, 86)) + FRAGMENT, Index((0, HEAD), ((HEAD, 86), (HEAD + 130, 86)))),
        (FTYP + MOOV + sidx((0, 86)) + FRAGMENT * 2, Index((0, HEAD), ((HEAD + 44, 86), (HEAD + 130, 86)))),
        (FTYP + MOOV + sidx() + FRAGMENT, Index((0, HEAD), ((HEAD + 32, 86),))),
        (FTYP + MOOV, Index((0, HEAD), ())),
        (FTYP + MOOV + box(b"free", bytes(9)), Index((0, HEAD + 17), ())),
        (FTYP + MOOV + box(b"mdat", bytes(30)), Index((0, HEAD), ())),
        (FTYP + MOOV + box(b"moof", bytes(20)) + large(b"mdat", bytes(90_000)), Index((0, HEAD), ((HEAD, 90_044),))),
        (FTYP + MOOV + box(b"moof") + struct.pack(">I4s", 0, b"mdat") + bytes(70), Index((0, HEAD), ((HEAD, 86),))),
        (FTYP + MOOV + FRAGMENT + b"\0\0\0", Index((0, HEAD), ((HEAD, 86),))),
    ],
    ids=[
        "fragments",
        "index",
        "index each",
        "index amid",
        "index of some",
        "index of none",
        "no media",
        "padding",
        "not fragmented",
        "64-bit size",
        "up to the end",
        "rest",
    ],
)
def test_a_file_is_divided(opened: Opened, data: bytes, expected: Index) -> None:
    """An index divides a file; without one every fragment is a segment, whichever form its sizes have."""
    assert scan(*opened(data)) == expected


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (b"\x1a\x45\xdf\xa3" + bytes(60), "a box at byte 0 claims 440786851 bytes, and the file ends before"),
        (FTYP + FRAGMENT, "there is no box moov: this is no MP4 file"),
        (FTYP + struct.pack(">I4s", 7, b"moov") + bytes(20), "a box at byte 16 claims 7 bytes"),
        (FTYP + MOOV + FRAGMENT[:-1], f"a box at byte {HEAD + 28} claims 58 bytes, and the file ends before"),
    ],
)
def test_a_file_that_is_broken_is_refused(opened: Opened, data: bytes, reason: str) -> None:
    """What is no MP4 file, or one that ends too early, is refused with the place."""
    with pytest.raises(SignalingError, match=reason):
        scan(*opened(data))


def test_a_file_that_is_not_there_is_refused(opened: Opened, tmp_path: Path) -> None:
    """A file that is gone is unreadable, not empty."""
    access, file = opened(FTYP)
    (tmp_path / "a.mp4").unlink()
    with pytest.raises(UnreadableError, match="cannot be read"):
        scan(access, file)


@pytest.mark.parametrize(("ranges", "size"), [(True, 100_000), (False, 50_000)])
def test_a_remote_file_is_divided_without_its_size(ranges: bool, size: int) -> None:
    """Of a file on a server the size is not asked for: its end is where a range is refused, or the body ends."""
    data = FTYP + MOOV + FRAGMENT + box(b"moof") + box(b"mdat", bytes(size))

    def answer(request: httpx.Request) -> httpx.Response:
        if not ranges:
            return httpx.Response(200, content=data)
        first, last = map(int, request.headers["Range"].removeprefix("bytes=").split("-"))
        return httpx.Response(206, content=data[first : last + 1]) if first < len(data) else httpx.Response(416)

    with HttpClient(transport=httpx.MockTransport(answer)) as http:
        access = Access("https://media.example/a.mp4", http=http, max_bytes=1 << 22)
        found = scan(access, Reference(access.manifest))
    assert found.segments == ((HEAD, 86), (HEAD + 86, size + 16))
