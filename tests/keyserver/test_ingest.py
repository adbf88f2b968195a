"""Bodies of key ingests: the API's own JSON both ways, and everything that is wrong with keys, without showing one."""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drmkit.errors import InputError
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.keyserver.ingest import IngestAsset, IngestKey, check_assets, parse_assets, v2_body, v3_body
from drmkit.secret import Secret

KID = KeyId(bytes(range(16)))
CANARY = b"cAnArY-key-bytes"
KEY = IngestKey("VIDEO", KID, Secret(CANARY))
ASSET = IngestAsset("movie-1", (KEY,))


def b64(raw: bytes) -> str:
    """Base64 as the API has it."""
    return base64.b64encode(raw).decode()


def test_v3_body() -> None:
    """API v3's body is the one that a public client sends, name by name."""
    asset = IngestAsset("movie-1", (replace(KEY, clear_key=True, iv=bytes(16)),), overwrite=True)
    assert json.loads(v3_body([asset]).reveal()) == {
        "assets": [
            {
                "assetId": "movie-1",
                "overwriteExistingKeys": True,
                "ingestKeys": [
                    {
                        "streamType": "VIDEO",
                        "keyId": b64(KID.raw),
                        "key": b64(CANARY),
                        "iv": b64(bytes(16)),
                        "clearKey": True,
                    }
                ],
            }
        ],
        "signaling": {
            "level": "all",
            "enc": ["cenc"],
            "system": ["9a04f079-9840-4286-ab92-e65be0885f95", "edef8ba9-79d6-4ace-a3c8-27dcd51d21ed"],
        },
    }
    everything = json.loads(v3_body([ASSET], schemes=("cenc", "cbcs"), systems=()).reveal())["signaling"]
    assert everything == {"level": "all", "enc": ["cenc", "cbcs"], "system": "all"}
    one = json.loads(v3_body([ASSET], systems=(DrmSystem.WIDEVINE,)).reveal())
    assert one["signaling"]["system"] == ["edef8ba9-79d6-4ace-a3c8-27dcd51d21ed"]


def test_v2_body() -> None:
    """API v2's body is that of Tencent's StreamLive guide."""
    asset = IngestAsset("assettest", (replace(KEY, stream_type="VIDEO_AUDIO", iv=bytes(16)),), variant_id="varianttest")
    assert json.loads(v2_body([asset]).reveal()) == {
        "assets": [
            {
                "type": "CENC",
                "assetId": "assettest",
                "variantId": "varianttest",
                "ingestKeys": [
                    {
                        "streamType": "VIDEO_AUDIO",
                        "algorithm": "AES",
                        "keyId": b64(KID.raw),
                        "key": b64(CANARY),
                        "iv": b64(bytes(16)),
                    }
                ],
            }
        ]
    }


RAW = st.binary(min_size=16, max_size=16)
KEYS = st.builds(
    IngestKey,
    stream_type=st.sampled_from(["VIDEO", "AUDIO", "UHD1"]),
    kid=st.builds(KeyId, RAW),
    key=st.builds(Secret, RAW),
    iv=st.none() | RAW,
    clear_key=st.booleans(),
    key_rotation_id=st.none() | st.text(min_size=1),
)
ASSETS = st.builds(IngestAsset, asset_id=st.text(min_size=1), keys=st.lists(KEYS).map(tuple), overwrite=st.booleans())


@settings(deadline=None)
@given(st.lists(ASSETS))
def test_a_body_reads_back(assets: list[IngestAsset]) -> None:
    """What is written as a body of v3 is read back as the same assets."""
    body = json.loads(v3_body(assets).reveal())
    assert parse_assets(json.dumps({"assets": body["assets"]}).encode()) == tuple(assets)


NAMES = st.sampled_from(["assets", "assetId", "ingestKeys", "key", "keyId", "iv"])
JSON = st.recursive(
    st.none() | st.text(max_size=9) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner),
    max_leaves=12,
)


@settings(deadline=None)
@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_anything_else_is_an_input_error(data: bytes) -> None:
    """Arbitrary bytes and JSON are read or refused, and never crash."""
    with suppress(InputError):
        parse_assets(data)


def entry(**changes: Any) -> bytes:
    """A body of one key, with changes to the key."""
    key = {"streamType": "VIDEO", "keyId": b64(KID.raw), "key": b64(CANARY)} | changes
    return json.dumps({"assets": [{"assetId": "m", "ingestKeys": [key]}]}).encode()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", 'no JSON of the form {"assets"'),
        (b"[1]", 'no JSON of the form {"assets"'),
        (b'{"assets": [1]}', "assets[0] is no JSON object"),
        (b'{"assets": [{"assetid": 1}]}', "assets[0]: assetid is not known"),
        (b'{"assets": [{"assetId": 1}]}', "assets[0].assetId is no text"),
        (b'{"assets": [{"ingestKeys": {}}]}', "assets[0].ingestKeys is no list"),
        (b'{"assets": [{"overwriteExistingKeys": 1}]}', "assets[0].overwriteExistingKeys is neither true nor false"),
        (entry(key="cAnArY*"), "assets[0].ingestKeys[0].key is not base64"),
        (entry(key=None), "assets[0].ingestKeys[0].key is missing"),
        (entry(keyId="AAAA"), "assets[0].ingestKeys[0].keyId: a key ID is 16 bytes, not 3"),
        (entry(algorithm="AES_KEYSEED"), "assets[0].ingestKeys[0].algorithm is not AES"),
        (entry(**{"cAnArY-cAnArY-cAnArY": 1}), "a field is not known"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(data: bytes, said: str) -> None:
    """A message names the place and the fault, and no value."""
    with pytest.raises(InputError) as caught:
        parse_assets(data)
    assert said in caught.value.message
    assert "cAnArY" not in f"{caught.value.message}{caught.value.hint}"
    assert caught.value.__context__ is None or "cAnArY" not in str(caught.value.__context__)


def test_a_good_key_passes() -> None:
    """The benign twin."""
    assert parse_assets(entry()) == (IngestAsset("m", (KEY,)),)
    assert check_assets([ASSET]) == []
    assert check_assets([replace(ASSET, keys=(replace(KEY, iv=bytes(range(16))),))], kind="FAIRPLAY") == []


@pytest.mark.parametrize(
    ("assets", "said"),
    [
        ([], "there is no asset"),
        ([IngestAsset(" ", (KEY,))], "has no assetId"),
        ([IngestAsset("m", ())], "has no keys"),
        ([IngestAsset("m", (replace(KEY, key=Secret(KID.raw)),))], "is the key ID"),
        ([IngestAsset("m", (replace(KEY, key=Secret(bytes(16))),))], "all zero"),
        ([IngestAsset("m", (replace(KEY, key=Secret(b"short")),))], "has 5 bytes instead of 16"),
        ([IngestAsset("m", (replace(KEY, iv=b"short"),))], "the IV has 5 bytes"),
        ([IngestAsset("m", (replace(KEY, stream_type="video"),))], "is written in capitals"),
        ([ASSET, replace(ASSET, asset_id="n")], "is that of assets[0].ingestKeys[0] too"),
        ([IngestAsset("m", (KEY, replace(KEY, kid=KeyId(bytes(16)), stream_type="AUDIO")))], "the same content key"),
        (
            [IngestAsset("m", (KEY, replace(KEY, kid=KeyId(bytes(16)), key=Secret(b"z" * 16))))],
            "has a key for VIDEO already",
        ),
    ],
)
def test_unsafe_and_impossible_keys_are_found(assets: list[IngestAsset], said: str) -> None:
    """Every finding names its place, and none shows a key."""
    found = check_assets(assets)
    assert any(said in text for text in found), found
    assert not any("cAnArY" in text for text in found)


def test_fairplay_needs_an_iv() -> None:
    """Only there is an IV asked for."""
    assert check_assets([ASSET], kind="FAIRPLAY") == ["assets[0].ingestKeys[0]: FairPlay needs an IV"]
