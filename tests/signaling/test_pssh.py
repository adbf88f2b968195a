"""PSSH boxes: strict on the way in, the same bytes on the way out."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drmkit.errors import SignalingError
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.signaling import common, pssh
from drmkit.signaling.pssh import PsshBox

KID = KeyId.from_hex("11111111222233334444555555555501")
OTHER = KeyId.from_hex("fedcba98765432100123456789abcdef")
UNKNOWN = "00000000-1111-2222-3333-444444444444"

boxes = st.one_of(
    st.builds(PsshBox, st.uuids().map(str), st.just(0), st.just(()), st.binary(max_size=64), st.integers(0, 0xFFFFFF)),
    st.builds(
        PsshBox,
        st.uuids().map(str),
        st.just(1),
        st.lists(st.binary(min_size=16, max_size=16).map(KeyId), max_size=4).map(tuple),
        st.binary(max_size=64),
        st.just(0),
        st.booleans(),
    ),
)


@settings(max_examples=100)
@given(st.lists(boxes, min_size=1, max_size=4))
def test_any_boxes_survive_building_and_parsing(row: list[PsshBox]) -> None:
    """Building boxes and parsing them gives the same values, whatever the system, version, flags or size form."""
    assert pssh.parse(pssh.build(row)) == row


@settings(max_examples=200)
@given(st.one_of(st.binary(max_size=80), boxes.map(PsshBox.to_bytes)), st.data())
def test_any_bytes_parse_or_are_refused(raw: bytes, data: st.DataObject) -> None:
    """Whatever bytes come, the parser answers with boxes that rebuild them, or with an error of drmkit's own."""
    at = data.draw(st.integers(0, max(0, len(raw) - 1)))
    mutant = raw[:at] + data.draw(st.binary(max_size=4)) + raw[at + data.draw(st.integers(0, 4)) :]
    try:
        found = pssh.parse(mutant)
    except SignalingError:
        return
    assert pssh.build(found) == mutant


def test_a_64_bit_size_is_kept() -> None:
    """A box with a 64-bit size stays one: eight bytes longer, and its size field says so."""
    box = PsshBox(UNKNOWN, data=b"abc", large_size=True)
    raw = box.to_bytes()
    assert raw[:4] == b"\0\0\0\1"
    assert struct.unpack_from(">Q", raw, 8)[0] == len(raw) == len(PsshBox(UNKNOWN, data=b"abc").to_bytes()) + 8
    assert pssh.parse(raw) == [box]


def test_an_unknown_system_keeps_its_bytes() -> None:
    """A system that drmkit has no name for is no error, and its data is untouched."""
    box = pssh.parse_one(PsshBox(UNKNOWN.upper(), data=b"\0\1opaque").to_bytes())
    assert (box.system, box.system_id, box.data) == (None, UNKNOWN, b"\0\1opaque")
    assert pssh.parse_one(common.pssh_box([KID]).to_bytes()).system is DrmSystem.COMMON


def test_a_version_1_box_without_key_ids_is_kept() -> None:
    """Version 1 with an empty list of key IDs is legal and differs from version 0."""
    box = PsshBox(UNKNOWN, 1)
    assert pssh.parse(box.to_bytes()) == [box]
    assert box.to_bytes() != PsshBox(UNKNOWN).to_bytes()


def _patched(raw: bytes, at: int, replacement: bytes) -> bytes:
    return raw[:at] + replacement + raw[at + len(replacement) :]


V1 = PsshBox(UNKNOWN, 1, (KID, OTHER), b"data").to_bytes()
V0 = PsshBox(UNKNOWN, data=b"data").to_bytes()


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        pytest.param(b"", "the input is empty", id="empty"),
        pytest.param(V1[:-1], "goes 1 bytes past the end", id="truncated"),
        pytest.param(V1[:6], "the box header needs 8 bytes at byte 0, 6 are left", id="header truncated"),
        pytest.param(V1 + b"\0", "PSSH box 2 at byte 72", id="one byte after"),
        pytest.param(_patched(V1, 4, b"psss"), "the box type is b'psss'", id="other type"),
        pytest.param(_patched(V1, 0, b"\0\0\0\0"), "box size 0", id="size to end"),
        pytest.param(_patched(V1, 0, b"\0\0\0\7"), "size 7 is smaller than the box header", id="size too small"),
        pytest.param(
            _patched(V1, 0, struct.pack(">I", 71)),
            "4 bytes at byte 68, 3 are left",
            id="short by one",
        ),
        pytest.param(_patched(V1, 8, b"\2"), "version 2 is unknown", id="version 2"),
        pytest.param(_patched(V1, 28, b"\xff\xff\xff\xff"), "a list of 4294967295 key IDs needs", id="KID count"),
        pytest.param(_patched(V0, 28, b"\0\0\0\5"), "the data needs 5 bytes at byte 32, 4 are left", id="data long"),
        pytest.param(_patched(V0, 28, b"\0\0\0\3"), "1 bytes are left over after the data, at byte 35", id="short"),
        pytest.param(struct.pack(">I4sI", 1, b"pssh", 0), "the 64-bit box size needs 8 bytes", id="64-bit truncated"),
        pytest.param(struct.pack(">I4sQ", 1, b"pssh", 15), "size 15 is smaller than the box header", id="64-bit small"),
        pytest.param(struct.pack(">I4sQ", 1, b"pssh", 1 << 63), "past the end of the input", id="64-bit huge"),
    ],
)
def test_bad_bytes_are_refused_with_their_place(raw: bytes, reason: str) -> None:
    """A byte that is missing, left over or impossible is an error that says where; the intact boxes parse."""
    with pytest.raises(SignalingError, match=reason.replace("(", r"\(")):
        pssh.parse(raw)
    assert len(pssh.parse(V1 + V0)) == 2


def test_size_and_content_must_agree() -> None:
    """A box that is longer than its content says is refused, even where another box would follow."""
    raw = _patched(V0, 0, struct.pack(">I", len(V0) + len(V1))) + V1
    with pytest.raises(SignalingError, match=f"{len(V1)} bytes are left over"):
        pssh.parse(raw)
    assert pssh.parse(V0 + V1)[1].key_ids == (KID, OTHER)


def test_bytes_of_any_kind_are_parsed_and_text_is_not() -> None:
    """Views and byte arrays are bytes; base64 that was not decoded is told as text."""
    raw = pssh.build([common.pssh_box([KID]), PsshBox(UNKNOWN, data=b"x")])
    for view in (bytearray(raw), memoryview(raw)):
        found = pssh.parse(view)
        assert found == pssh.parse(raw)
        assert pssh.build(found) == raw
    with pytest.raises(SignalingError, match="are bytes, not text") as caught:
        pssh.parse(common.pssh_box([KID]).to_base64())  # type: ignore[arg-type]  # what the test is about
    assert caught.value.hint == "from_base64 and from_hex read text"


def test_one_box_means_one() -> None:
    """Where one box is expected, two are refused."""
    with pytest.raises(SignalingError, match="one PSSH box is expected here, not 2"):
        pssh.parse_one(V0 + V1)
    assert pssh.parse_one(V0).data == b"data"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((UNKNOWN, 0, (KID,)), "version 0 PSSH box lists no key IDs"),
        ((UNKNOWN, 2), "version 2 is unknown"),
        ((UNKNOWN, 0, (), b"", 1 << 24), "flags are 24 bits"),
        (("00000000111122223333444444444444",), "is a UUID of 8-4-4-4-12"),
        (("nonsense",), "is a UUID of 8-4-4-4-12"),
        ((None,), "is a UUID of 8-4-4-4-12"),
    ],
)
def test_impossible_boxes_are_never_made(arguments: tuple[object, ...], reason: str) -> None:
    """A box that could not be written is refused when it is made."""
    with pytest.raises(SignalingError, match=reason):
        PsshBox(*arguments)  # type: ignore[arg-type]  # wrong on purpose
    assert PsshBox(UNKNOWN, 1, (KID,)).key_ids == (KID,)


def test_text_forms_are_explicit() -> None:
    """Hexadecimal and base64 have a function each, and neither takes the other's text."""
    box = common.pssh_box([KID])
    assert pssh.from_base64(box.to_base64()) == pssh.from_hex(box.to_bytes().hex()) == [box]
    with pytest.raises(SignalingError, match="is not hexadecimal"):
        pssh.from_hex(box.to_base64())
    with pytest.raises(SignalingError, match="the box type is"):
        pssh.from_base64(box.to_bytes().hex())


def test_the_common_box_needs_a_key_id() -> None:
    """The common system's box is nothing but key IDs, so that an empty one is refused."""
    with pytest.raises(SignalingError, match="at least one key ID"):
        common.pssh_box([])
    assert common.pssh_box([OTHER, KID]).key_ids == (OTHER, KID)
