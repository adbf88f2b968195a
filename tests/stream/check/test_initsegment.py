"""Key groups of `sgpd` boxes: both ways in which they state the length of an entry, and how broken ones are refused."""

from __future__ import annotations

import struct

import pytest

from drmkit.errors import SignalingError
from drmkit.identifiers import KeyId
from drmkit.signaling.mp4boxes import Box
from drmkit.stream.check.initsegment import KeyGroup, key_groups

KID = KeyId(bytes(range(16)))
PLAIN = bytes([0, 0, 1, 8]) + KID.raw
CONSTANT = bytes([0, 0x19, 1, 0]) + KID.raw + b"\x08" + b"\xab" * 8
CLEAR = bytes(4) + bytes(16)


def sgpd(body: bytes, version: int = 1, kind: bytes = b"seig") -> Box:
    """A `traf` box with a description of groups."""
    content = bytes([version, 0, 0, 0]) + kind + body
    inner = struct.pack(">I4s", len(content) + 8, b"sgpd") + content
    return Box(b"traf", 0, inner, struct.pack(">I4s", len(inner) + 8, b"traf") + inner)


PLAIN_GROUP = KeyGroup(True, KID, 8, None, (0, 0))
CONSTANT_GROUP = KeyGroup(True, KID, 0, b"\xab" * 8, (1, 9))
CLEAR_GROUP = KeyGroup(False, KeyId(bytes(16)), 0, None, (0, 0))


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        (sgpd(struct.pack(">II", 20, 2) + PLAIN + CLEAR), (PLAIN_GROUP, CLEAR_GROUP)),
        (sgpd(struct.pack(">III", 0, 2, 29) + CONSTANT + struct.pack(">I", 20) + PLAIN), (CONSTANT_GROUP, PLAIN_GROUP)),
        (sgpd(struct.pack(">II", 24, 2) + PLAIN + bytes(4) + CLEAR + bytes(4)), (PLAIN_GROUP, CLEAR_GROUP)),
        (sgpd(struct.pack(">II", 1, 1) + CONSTANT, version=2), (CONSTANT_GROUP,)),
        (sgpd(struct.pack(">I", 2) + PLAIN + CONSTANT, version=0), (PLAIN_GROUP, CONSTANT_GROUP)),
        (sgpd(struct.pack(">II", 2, 1) + b"\0\1", kind=b"roll"), ()),
    ],
    ids=["one length", "a length each", "longer than known", "version 2", "version 0", "other groups"],
)
def test_key_groups_are_read(box: Box, expected: tuple[KeyGroup, ...]) -> None:
    """Each entry gives key ID, IV size or constant IV, and pattern; groups of another kind are none."""
    assert key_groups(box) == expected


@pytest.mark.parametrize(
    ("box", "reason"),
    [
        (sgpd(struct.pack(">I", 20)), "box sgpd at byte 8 is too short"),
        (sgpd(struct.pack(">II", 20, 2) + PLAIN), "too short for its entries"),
        (sgpd(struct.pack(">II", 0, 1)), "too short for its 1 entries"),
        (sgpd(struct.pack(">II", 20, 2**32 - 1)), "claims 4294967295 entries"),
        (sgpd(struct.pack(">II", 20, 1) + bytes([0, 0, 1, 0]) + KID.raw), "has a constant IV of 0 bytes, not 8 or 16"),
        (sgpd(struct.pack(">II", 21, 1) + bytes([0, 0, 1, 0]) + KID.raw + b"\x10"), "constant IV of 0 bytes"),
    ],
)
def test_broken_key_groups_are_refused(box: Box, reason: str) -> None:
    """A description that is cut short, or counts more than there is, is refused with its place."""
    with pytest.raises(SignalingError, match=reason):
        key_groups(box)
