"""Strict base64, base64url and hexadecimal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drmkit.errors import SignalingError
from drmkit.signaling import encodings


@given(st.binary(max_size=40))
def test_every_encoding_round_trips(raw: bytes) -> None:
    """What is encoded decodes to the same bytes."""
    assert encodings.from_base64(encodings.to_base64(raw), "it") == raw
    assert encodings.from_base64url(encodings.to_base64url(raw), "it") == raw


@pytest.mark.parametrize("text", ["AA=", "A", "AAA", "AAAA=", "AB==", "AA-_", "A\u00c4==", "@@@@", "AA==AA=="])
def test_base64_is_standard_padded_and_canonical(text: str) -> None:
    """Missing padding, another alphabet and set bits after the last byte are refused."""
    with pytest.raises(SignalingError, match="the thing is not base64"):
        encodings.from_base64(text, "the thing")
    assert encodings.from_base64(" AAAA\n AA== ", "the thing") == bytes(4)


@pytest.mark.parametrize("text", ["AA==", "A", "A+/A", "AB", "A A"])
def test_base64url_is_unpadded_and_canonical(text: str) -> None:
    """Padding, the standard alphabet's + and /, and impossible lengths are refused."""
    with pytest.raises(SignalingError, match="is not base64url"):
        encodings.from_base64url(text, "the thing")
    assert encodings.from_base64url("-_8", "the thing") == b"\xfb\xff"


@pytest.mark.parametrize("text", ["", "0", "0x00", "00 11", "zz", "00-11"])
def test_hexadecimal_is_pairs_of_digits_only(text: str) -> None:
    """Prefixes, separators and half bytes are refused."""
    with pytest.raises(SignalingError, match="is not hexadecimal"):
        encodings.from_hex(text, "the thing")
    assert encodings.from_hex("00fF", "the thing") == b"\0\xff"
