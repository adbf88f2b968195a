"""The walk over the boxes of an ISO base media file."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drmkit.errors import SignalingError
from drmkit.signaling.mp4boxes import Box, children, find, full_box, only, top_level

ALL = frozenset({b"ftyp", b"moov", b"mdat", b"free"})


def box(kind: bytes, body: bytes = b"", *, large: bool = False) -> bytes:
    """Return a box with a 32-bit or a 64-bit size."""
    if large:
        return struct.pack(">I4sQ", 1, kind, len(body) + 16) + body
    return struct.pack(">I4s", len(body) + 8, kind) + body


@given(parts=st.lists(st.tuples(st.binary(min_size=4, max_size=4), st.binary(max_size=40), st.booleans()), max_size=6))
def test_boxes_come_back_as_they_were(parts: list[tuple[bytes, bytes, bool]]) -> None:
    """Every box is yielded with its type, body and place, whichever form its size has."""
    data = b"".join(box(kind, body, large=large) for kind, body, large in parts)
    found = list(children(data, 100))
    assert [(one.kind, one.body) for one in found] == [(kind, body) for kind, body, _ in parts]
    assert b"".join(one.raw for one in found) == data
    assert [data[one.body_start - 100 :][: len(one.body)] for one in found] == [one.body for one in found]


@given(data=st.binary(max_size=200))
def test_garbage_gives_our_error_or_all_bytes(data: bytes) -> None:
    """Any bytes are either refused with SignalingError, or accounted for to the last one."""
    try:
        found = list(children(data))
    except SignalingError:
        return
    assert sum(len(one.raw) for one in found) == len(data)


@given(data=st.binary(max_size=200))
def test_top_level_garbage_gives_our_error(data: bytes) -> None:
    """The walk over a file ends on any bytes, and refuses with SignalingError alone."""
    try:
        list(top_level(io.BytesIO(data), ALL))
    except SignalingError as error:
        assert error.message  # noqa: PT017 - one of two allowed outcomes


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\0\0\0", "3 bytes at byte 0 are too few for a box"),
        (struct.pack(">I4s", 9, b"free"), "box free at byte 0 claims 9 bytes, 8 are left"),
        (struct.pack(">I4s", 7, b"free"), "claims 7 bytes"),
        (struct.pack(">I4s", 0, b"fr\x00e"), r"box fr\?e at byte 0 claims 0 bytes"),
        (struct.pack(">I4s", 1, b"free") + b"\0" * 7, "cut short within its size"),
        (struct.pack(">I4sQ", 1, b"free", 15), "claims 15 bytes"),
        (struct.pack(">I4sQ", 1, b"free", 0), "claims 1 bytes"),
        (box(b"free") + struct.pack(">I4s", 2**32 - 1, b"skip"), "box skip at byte 8 claims 4294967295 bytes"),
    ],
)
def test_wrong_sizes_are_refused(data: bytes, reason: str) -> None:
    """A box that is cut short, too small for its header or larger than its container is refused with its place."""
    with pytest.raises(SignalingError, match=reason):
        list(children(data))


def test_last_box_of_a_file_may_be_open() -> None:
    """At the top level, size 0 means "to the end of the file"; within a box it does not."""
    data = box(b"ftyp", b"x") + struct.pack(">I4s", 0, b"mdat") + b"rest"
    assert [one.body for one in top_level(io.BytesIO(data), ALL)] == [b"x", b"rest"]
    with pytest.raises(SignalingError, match="claims 0 bytes"):
        list(children(data))


def test_unwanted_boxes_are_skipped() -> None:
    """Boxes that nobody asked for are not read, but must fit all the same."""
    data = box(b"mdat", b"y" * 1000) + box(b"moov", b"z")
    (found,) = top_level(io.BytesIO(data), frozenset({b"moov"}))
    assert (found.start, found.body) == (1008, b"z")
    with pytest.raises(SignalingError, match="box mdat at byte 0 claims 1008 bytes, 1007 are left"):
        list(top_level(io.BytesIO(data[:1007]), frozenset({b"moov"})))


class Sparse(io.BytesIO):
    """A file that claims to be large and holds little."""

    def seek(self, offset: int, whence: int = 0) -> int:
        """Say that the end is far away."""
        return 2**40 if whence == io.SEEK_END else super().seek(offset, whence)


def test_huge_boxes_are_not_read() -> None:
    """A wanted box of more than 64 MiB is refused before it is read; one that is not wanted may be of any size."""
    data = struct.pack(">I4sQ", 1, b"moov", 2**40)
    with pytest.raises(SignalingError, match="moov at byte 0 is larger than 67108864 bytes"):
        list(top_level(Sparse(data), ALL))
    assert list(top_level(Sparse(data), frozenset({b"ftyp"}))) == []


def test_find_follows_a_path() -> None:
    """Descendants are found in order, over all branches, with their places in the file."""
    tree = box(b"moov", box(b"trak", box(b"mdia", b"")) + box(b"free", b"xx") + box(b"trak", box(b"mdia", b"")))
    (moov,) = children(tree, 0)
    assert [one.start for one in find(moov, b"trak", b"mdia")] == [16, 42]
    assert find(moov, b"udta", b"mdia") == []


def test_only_refuses_doubles() -> None:
    """Where the format allows one box, two are refused, none is None."""
    one = Box(b"tenc", 0, b"", b"")
    assert only([], "here") is None
    assert only([one], "here") is one
    with pytest.raises(SignalingError, match="here holds 2 boxes tenc"):
        only([one, one], "here")


def test_full_box_needs_its_payload() -> None:
    """Version and flags are read; a body too short for them and the payload is refused."""
    (good,) = children(box(b"schm", b"\1\0\0\2cenc"))
    assert full_box(good, 4) == (1, 2, b"cenc")
    with pytest.raises(SignalingError, match="box schm at byte 0 is too short: 8 bytes"):
        full_box(good, 5)
