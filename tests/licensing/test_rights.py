"""Rights and custom data: the JSON that DRMtoday reads, from typed fields, and what is refused."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drmkit.errors import InputError
from drmkit.licensing.customdata import CustomData, parse_custom_data
from drmkit.licensing.durations import format_duration, parse_duration
from drmkit.licensing.rights import CustomerRights, OutputProtection, Purchase, Rental

PLAIN = CustomerRights(asset_id="asset01", profile=Purchase())


def test_the_rights_of_the_public_example() -> None:
    """The example of the public copy of "License Delivery Authorization": template, asset, rental of seven days."""
    rights = CustomerRights(
        templates=("template_id",),
        asset_id="asset01",
        profile=Rental(relative=timedelta(days=7), play=timedelta(hours=3)),
    )
    assert json.loads(rights.to_json()) == {
        "ref": [":template_id"],
        "assetId": "asset01",
        "profile": {"type": "rental", "relativeExpiration": "P7D", "playDuration": "PT3H"},
    }
    assert json.loads(CustomerRights(templates=(":shorts_r12h",), asset_id="BBB_TEST").to_json()) == {
        "ref": [":shorts_r12h"],
        "assetId": "BBB_TEST",
    }


def test_every_field() -> None:
    """Output protection, HDCP by stream and system, storing, and further fields."""
    rights = CustomerRights(
        asset_id="m",
        profile=Purchase(),
        store_license=False,
        output_protection=OutputProtection(digital=True, analogue=False, enforce=True),
        hdcp={"HD": {"*": "HDCP_V1"}, "UHD": {"WidevineM": "HDCP_V2"}},
        more={"csl": {"limit": 2}},
    )
    assert rights.to_builtins() == {
        "assetId": "m",
        "profile": {"type": "purchase"},
        "outputProtection": {"digital": True, "analogue": False, "enforce": True},
        "op": {"config": {"HD": {"*": {"requireHDCP": "HDCP_V1"}}, "UHD": {"WidevineM": {"requireHDCP": "HDCP_V2"}}}},
        "storeLicense": False,
        "csl": {"limit": 2},
    }


@pytest.mark.parametrize(
    ("rights", "said"),
    [
        ({}, "neither an asset nor a template"),
        ({"asset_id": " ", "profile": Purchase()}, "asset ID is empty"),
        ({"asset_id": "m"}, "have no profile"),
        ({"templates": ("a:b",)}, "is no ID of a CRT template"),
        ({"templates": (":",)}, "is no ID of a CRT template"),
        ({"asset_id": "m", "profile": Rental(relative=timedelta())}, "relativeExpiration is not between"),
        ({"asset_id": "m", "profile": Rental(play=timedelta(days=30000))}, "playDuration is not between"),
        ({"asset_id": "m", "profile": Purchase(), "hdcp": {"HD": {"*": "HDCP_V9"}}}, "no HDCP setting"),
        ({"asset_id": "m", "profile": Purchase(), "hdcp": {"HD": {"Marlin": "HDCP_V1"}}}, "no HDCP setting"),
        ({"asset_id": "m", "profile": Purchase(), "more": {"profile": {}}}, "repeat profile"),
        ({"asset_id": "m", "profile": Purchase(), "more": {"x": {1, 2}}}, "what JSON cannot"),
        ({"asset_id": "m", "profile": Purchase(), "more": {"x": float("nan")}}, "what JSON cannot"),
    ],
)
def test_rights_that_make_no_sense(rights: dict[str, Any], said: str) -> None:
    """What DRMtoday could not use is refused before anything is signed."""
    with pytest.raises(InputError, match=said):
        CustomerRights(**rights).to_json()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("P7D", 604800), ("PT3H", 10800), ("PT10M", 600), ("P1W", 604800), ("P1DT1H1M1S", 90061), ("PT0S", 0)],
)
def test_durations(text: str, seconds: int) -> None:
    """Weeks to seconds are read."""
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "P", "PT", "P1Y", "P1M", "P1.5D", "7d", "P7D ", "p7d", "PT3H1D", "P-1D"])
def test_what_is_no_duration(text: str) -> None:
    """Years and months have no fixed length; fractions, signs and other texts are none."""
    assert parse_duration(text) is None


@settings(deadline=None)
@given(st.integers(0, 10**9))
def test_durations_read_back(seconds: int) -> None:
    """What is written is read as the same length."""
    assert parse_duration(format_duration(timedelta(seconds=seconds))) == timedelta(seconds=seconds)


def test_custom_data_of_the_public_example() -> None:
    """The header is the Base64 of the example's JSON."""
    data = CustomData("123e4567-e89b-12d3-a456-426614174000", "00000000-1111-2222-3333-444444444444", "RWFzdGVyZWdn")
    assert json.loads(base64.b64decode(data.header())) == {
        "merchant": "123e4567-e89b-12d3-a456-426614174000",
        "userId": "00000000-1111-2222-3333-444444444444",
        "sessionId": "RWFzdGVyZWdn",
    }
    assert parse_custom_data(data.header()) == data


def test_test_dummy() -> None:
    """The mode Test dummy reads rights in the session ID, after `crtjson:`."""
    data = CustomData.test_dummy("org", "xyz", PLAIN)
    assert data.session_id == 'crtjson:{"assetId":"asset01","profile":{"type":"purchase"}}'


@settings(deadline=None)
@given(st.text(min_size=1), st.text(min_size=1), st.text(min_size=1))
def test_custom_data_reads_back(merchant: str, user: str, session: str) -> None:
    """Any texts come back as they were, or are refused for being blank."""
    data = CustomData(merchant, user, session)
    if all(text.strip() for text in (merchant, user, session)):
        assert parse_custom_data(data.header()) == data
    else:
        with pytest.raises(InputError, match="is empty"):
            data.header()


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("", "not the Base64 of a JSON object"),
        ("{}", "not the Base64 of a JSON object"),
        ("W10=", "not the Base64 of a JSON object"),
        ("e30=", "merchant is missing"),
        (
            base64.b64encode(b'{"merchant":"m","userId":1,"sessionId":"s"}').decode(),
            "userId is missing, empty or no text",
        ),
        ("A" * 100_000, "not the Base64 of a JSON object"),
    ],
)
def test_what_is_no_custom_data(header: str, said: str) -> None:
    """Anything else is told as what it is."""
    with pytest.raises(InputError, match=said):
        parse_custom_data(header)
    with pytest.raises(InputError, match="needs a session ID"):
        CustomData("m", "u").header()
