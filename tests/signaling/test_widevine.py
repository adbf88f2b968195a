"""Widevine's PSSH data: known fields, fields of the future, and broken messages."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drmkit.errors import SignalingError
from drmkit.identifiers import KeyId
from drmkit.signaling import protobuf, widevine
from drmkit.signaling.widevine import WidevineData

KID = KeyId.from_hex("11111111222233334444555555555501")
u32 = st.integers(0, 0xFFFFFFFF)
text = st.text(max_size=8)
data = st.builds(
    WidevineData,
    key_ids=st.lists(st.binary(min_size=16, max_size=16).map(KeyId), max_size=3).map(tuple),
    algorithm=st.none() | u32,
    provider=st.none() | text,
    content_id=st.none() | st.binary(max_size=8),
    track_type=st.none() | text,
    policy=st.none() | text,
    crypto_period_index=st.none() | u32,
    grouped_license=st.none() | st.binary(max_size=200),
    protection_scheme=st.none() | u32,
    crypto_period_seconds=st.none() | u32,
    unknown=st.lists(
        st.tuples(st.integers(11, 3000), st.integers(0, 1 << 63)).map(
            lambda pair: (pair[0], protobuf.encode_varint(*pair))
        ),
        max_size=2,
    ).map(lambda found: tuple(sorted(found, key=lambda item: item[0]))),
)


@settings(max_examples=100)
@given(data)
def test_every_field_survives(message: WidevineData) -> None:
    """Whatever the message holds, known or not, is there again after writing and reading it."""
    assert WidevineData.parse(message.to_bytes()) == message


@settings(max_examples=200)
@given(st.one_of(st.binary(max_size=60), data.map(WidevineData.to_bytes)), st.data())
def test_any_bytes_parse_or_are_refused(raw: bytes, draw: st.DataObject) -> None:
    """Whatever bytes come, the answer is a message or an error of drmkit's own."""
    at = draw.draw(st.integers(0, max(0, len(raw) - 1)))
    try:
        message = WidevineData.parse(raw[:at] + draw.draw(st.binary(max_size=3)) + raw[at:])
    except SignalingError:
        return
    ordered = replace(message, unknown=tuple(sorted(message.unknown, key=lambda item: item[0])))
    assert WidevineData.parse(message.to_bytes()) == ordered


def test_fields_of_every_wire_type_survive() -> None:
    """A fixed 32-bit, a fixed 64-bit and a length-delimited field that drmkit does not know keep their bytes."""
    unknown = bytes.fromhex("5d01020304 59 0102030405060708 7203616263".replace(" ", ""))
    message = WidevineData.parse(unknown)
    assert [number for number, _ in message.unknown] == [11, 11, 14]
    assert message.to_bytes() == unknown


def test_a_box_with_everything() -> None:
    """Provider, content ID, policy and crypto period stand at their field numbers, in ascending order."""
    box = widevine.pssh_box(
        [KID], "cbcs", provider="acme", content_id=b"id", policy="gold", crypto_period_index=300, version=1
    )
    assert box.data.hex() == f"1210{KID.hex}1a0461636d65220269643204676f6c6438ac0248f3c6899b06"
    assert box.key_ids == (KID,)
    read = WidevineData.parse(box.data)
    assert (read.provider, read.content_id, read.policy, read.crypto_period_index) == ("acme", b"id", "gold", 300)
    assert read.scheme == "cbcs"


def test_the_scheme_may_be_left_out_or_be_unknown() -> None:
    """Without a scheme there is no field 9, and a code that is no scheme is kept as a number without a name."""
    assert WidevineData.parse(widevine.pssh_box([KID], None).data).scheme is None
    odd = WidevineData(protection_scheme=1)
    assert (WidevineData.parse(odd.to_bytes()).protection_scheme, odd.scheme) == (1, None)


def test_a_repeated_field_counts_once() -> None:
    """Of a field that may stand once, the last one counts, as the wire format demands."""
    raw = protobuf.encode_bytes(3, b"first") + protobuf.encode_bytes(3, b"last")
    assert WidevineData.parse(raw).provider == "last"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("12", "the length of field 2 is a varint that does not end"),
        ("1210aa", "field 2 needs 16 bytes, 1 are left"),
        ("1203aabbcc", r"field 2 \(key_ids\) at byte 0: a key ID is 16 bytes, not 3"),
        ("1005", r"field 2 \(key_ids\) at byte 0 is a number, not bytes"),
        ("4a0101", r"field 9 \(protection_scheme\) at byte 0 is bytes, not a number"),
        ("1a02fffe", r"field 3 \(provider\) at byte 0 is not UTF-8"),
        ("48ffffffffffffffffffff01", "varint of more than 10 bytes"),
        ("48ffffffffffffffffff02", "varint of more than 64 bits"),
        ("48ffffffff1f", "protection_scheme is an unsigned 32-bit number"),
        ("0000", "0 is no protocol-buffer field number"),
        ("0b", "wire type 3, which is not in use"),
        ("0e", "wire type 6, which is not in use"),
        ("5d0102", "field 11 needs 4 bytes, 2 are left"),
        ("1d01020304", r"field 3 \(provider\) at byte 0 is 32 fixed bits, not bytes"),
    ],
)
def test_broken_messages_are_refused(raw: str, reason: str) -> None:
    """A bad varint, a truncated or mistyped field and a dead wire type are errors with their place."""
    with pytest.raises(SignalingError, match=reason):
        WidevineData.parse(bytes.fromhex(raw))
    assert WidevineData.parse(b"") == WidevineData()


def test_an_empty_box_is_refused() -> None:
    """A box without key IDs is of use only with a content ID."""
    with pytest.raises(SignalingError, match="key IDs or a content ID"):
        widevine.pssh_box([])
    assert widevine.pssh_box([], None, content_id=b"x").data == b"\x22\x01x"


@pytest.mark.parametrize("scheme", ["CENC", "cbc", ""])
def test_an_unknown_scheme_is_refused(scheme: str) -> None:
    """Only the four schemes of Common Encryption are written, in lower case."""
    with pytest.raises(SignalingError, match="unknown protection scheme"):
        widevine.pssh_box([KID], scheme)
    assert widevine.pssh_box([KID], "cens").data.endswith(bytes.fromhex("48f3dc959b06"))
