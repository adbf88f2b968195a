"""ClearKey's JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drmkit.errors import SignalingError
from drmkit.identifiers import KeyId
from drmkit.secret import Secret
from drmkit.signaling import clearkey

KID = KeyId.from_hex("11111111222233334444555555555501")
KEY = bytes.fromhex("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf")


def test_init_data_and_requests_name_key_ids() -> None:
    """Init data and license requests are JSON with base64url key IDs without padding."""
    assert clearkey.init_data([KID]) == b'{"kids":["ERERESIiMzNERFVVVVVVAQ"]}'
    assert clearkey.parse_init_data(clearkey.init_data([KID])) == (KID,)
    request = clearkey.license_request([KID], "persistent-license")
    assert json.loads(request)["type"] == "persistent-license"
    assert clearkey.parse_license_request(request) == (KID,)


def test_a_license_is_a_secret_key_set() -> None:
    """A license holds each key as a symmetric JSON Web Key, and does not print by accident."""
    document = clearkey.license_document({KID: Secret(KEY)})
    assert "oKGi" not in repr(document)
    entry = json.loads(document.reveal())["keys"][0]
    assert entry == {"kty": "oct", "kid": "ERERESIiMzNERFVVVVVVAQ", "k": "oKGio6SlpqeoqaqrrK2urw"}
    assert clearkey.parse_license(document.reveal()) == {KID: Secret(KEY)}


def test_other_keys_in_a_license_are_passed_over() -> None:
    """A key that is not symmetric is ignored, as the specification asks."""
    assert clearkey.parse_license(b'{"keys":[{"kty":"RSA"},7]}') == {}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xff", "is no JSON object in UTF-8"),
        (b'{"kids":', "is no JSON object in UTF-8 at character 9"),
        (b"[" * 100_000, "is no JSON object"),
        (b"[]", "is no JSON object"),
        (b"{}", 'has no list "kids"'),
        (b'{"kids":[]}', "or an empty one"),
        (b'{"kids":[7]}', r"kids\[0\] is missing, or no text"),
        (b'{"kids":["AA=="]}', r"kids\[0\] is not base64url"),
        (b'{"kids":["AAAA"]}', r"kids\[0\]: a key ID is 16 bytes, not 3"),
    ],
)
def test_broken_init_data_is_refused(data: bytes, reason: str) -> None:
    """Anything but an object with a list of key IDs is an error with its place."""
    with pytest.raises(SignalingError, match=reason):
        clearkey.parse_init_data(data)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"{}", 'has no list "keys"'),
        (b'{"keys":[{"kty":"oct","k":"oKGio6SlpqeoqaqrrK2urw"}]}', r"keys\[0\]\.kid is missing"),
        (b'{"keys":[{"kty":"oct","kid":"ERERESIiMzNERFVVVVVVAQ"}]}', r"keys\[0\]\.k is missing"),
        (b'{"keys":[{"kty":"oct","kid":"ERERESIiMzNERFVVVVVVAQ","k":"oKGi="}]}', r"keys\[0\]\.k is not base64url"),
    ],
)
def test_broken_licenses_are_refused_without_showing_keys(data: bytes, reason: str) -> None:
    """An incomplete key is an error that names its place and none of its content."""
    with pytest.raises(SignalingError, match=reason) as caught:
        clearkey.parse_license(data)
    assert "oKGi" not in str(caught.value)


def test_a_broken_license_leaks_through_no_error_context() -> None:
    """JSON errors hold the text that they could not parse; none of them stays behind an error of drmkit's."""
    with pytest.raises(SignalingError, match="at character 12") as caught:
        clearkey.parse_license(b'{"k":"oKGi"')
    assert caught.value.__context__ is None


def test_a_request_without_key_ids_is_not_made() -> None:
    """Neither init data nor a request can ask for nothing."""
    with pytest.raises(SignalingError, match="at least one key ID"):
        clearkey.init_data([])


@given(st.dictionaries(st.binary(min_size=16, max_size=16).map(KeyId), st.binary(max_size=32), max_size=4))
def test_every_key_survives(keys: dict[KeyId, bytes]) -> None:
    """A license gives back the keys that went into it."""
    read = clearkey.parse_license(clearkey.license_document(keys).reveal())
    assert {kid: key.reveal() for kid, key in read.items()} == keys
