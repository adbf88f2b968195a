"""Boxes and headers that other tools made, rebuilt byte for byte."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from drmkit.identifiers import KeyId
from drmkit.signaling import common, playready, pssh, widevine
from drmkit.signaling.playready import PlayReadyObject
from drmkit.signaling.widevine import WidevineData

FILE = Path(__file__).resolve().parents[3] / "shared" / "vectors" / "pssh.json"
LA_URL = "https://test.playready.microsoft.com/service/rightsmanager.asmx"


def _cases(group: str, system: str = "") -> list[Any]:
    if not FILE.exists():
        return [pytest.param(None, marks=pytest.mark.skip(reason="../shared is absent"))]
    return [
        pytest.param(case, id=f"{case['case']}-{case['system']}-{case.get('label', '')}")
        for case in json.loads(FILE.read_text("utf-8"))[group]
        if case["system"] == system or not system
    ]


def _kids(values: list[str]) -> list[KeyId]:
    return [KeyId.from_hex(value) for value in values]


@pytest.mark.parametrize("case", _cases("vectors") + _cases("cpix_library_vectors"))
def test_parse_then_build_gives_the_same_bytes(case: dict[str, Any]) -> None:
    """A box of another tool survives parsing, down to its last byte, as do its PlayReady Object and Widevine data."""
    raw = base64.b64decode(case["pssh_base64"])
    boxes = pssh.parse(raw)
    assert pssh.build(boxes) == raw
    box = boxes[0]
    assert box.version == case["pssh_version"]
    if case["system"] == "PlayReady":
        assert PlayReadyObject.parse(box.data).to_bytes() == box.data
    if case["system"] == "Widevine":
        assert WidevineData.parse(box.data).to_bytes() == box.data


@pytest.mark.parametrize("case", _cases("vectors"))
def test_boxes_equal_those_of_shaka_packager(case: dict[str, Any]) -> None:
    """For the same key IDs, key and scheme, drmkit's box is byte for byte that of Shaka Packager 3.4.2 and 3.8.0."""
    expected = base64.b64decode(case["pssh_base64"])
    kid, scheme = KeyId.from_hex(case["stream_kid"]), case["protection_scheme"]
    if case["system"] == "CommonSystem":
        built = common.pssh_box(_kids(case["pssh_kids"]))
    elif case["system"] == "Widevine":
        built = widevine.pssh_box(WidevineData.parse(pssh.parse_one(expected).data).key_ids, scheme)
        assert set(WidevineData.parse(built.data).key_ids) == set(_kids(case["kids"]))
    else:
        la_url = LA_URL if "extra_flags" in case else None
        built = playready.pssh_box([kid], scheme, keys={kid: bytes.fromhex(case["stream_key"])}, la_url=la_url)
    assert built.to_bytes() == expected


@pytest.mark.parametrize("case", _cases("cpix_library_vectors"))
def test_boxes_equal_those_of_the_cpix_library(case: dict[str, Any]) -> None:
    """For the same key IDs, keys and version, drmkit's box is byte for byte that of PyPI cpix 1.4.1."""
    kids = _kids(case["kids"])
    if case["system"] == "Widevine":
        built = widevine.pssh_box(kids, case["protection_scheme"], version=case["pssh_version"])
    else:
        scheme = "cbcs" if case["algorithm"] == "AESCBC" else "cenc"
        keys = dict(zip(kids, map(bytes.fromhex, case["keys"]), strict=True))
        version = "4.3.0.0" if scheme == "cbcs" else "4.2.0.0"
        built = playready.pssh_box(kids, scheme, keys=keys, version=version, la_url=LA_URL)
    assert built.to_base64() == case["pssh_base64"]


@pytest.mark.parametrize("case", _cases("vectors", "PlayReady") + _cases("cpix_library_vectors", "PlayReady"))
def test_headers_read_what_the_other_tool_wrote(case: dict[str, Any]) -> None:
    """The text of each PlayReady header is found, its key IDs are swapped from GUID order, its checksum holds."""
    header = PlayReadyObject.parse(pssh.from_base64(case["pssh_base64"])[0].data).headers[0]
    keys = dict(zip(case["kids"], case.get("keys", []), strict=False)) or {case["stream_kid"]: case["stream_key"]}
    assert header.key_ids == tuple(map(KeyId.from_hex, keys))
    assert header.to_xml() == case["wrmheader"]
    for key in header.keys:
        assert key.checksum is None or key.matches(bytes.fromhex(keys[key.kid.hex]))
