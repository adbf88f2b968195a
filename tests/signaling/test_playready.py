"""PlayReady headers of every version, and the objects that carry them."""

from __future__ import annotations

import base64
import struct
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drmkit.errors import SignalingError
from drmkit.identifiers import KeyId
from drmkit.secret import Secret
from drmkit.signaling import playready
from drmkit.signaling.playready import PlayReadyObject, Record
from drmkit.signaling.wrmheader import NAMESPACE, VERSIONS, HeaderKey, WrmHeader, checksum
from drmkit.signaling.wrmreader import parse_header, parse_xml

KID = KeyId.from_uuid("8ba94ade-6eb9-449d-b44f-a5beefaf43b0")
OTHER = KeyId.from_uuid("01020304-0506-0708-090a-aabbccddeeff")
KEY = bytes.fromhex("dbfd6922c321c4bb486f4a1c44097ed6")
DS_ID = UUID("01020304-0506-0708-090a-0b0c0d0e0f10")
CUSTOM = '<a:b xmlns:a="urn:x" one="1" two="2">text &amp; more</a:b>'


def _wrap(inner: str, version: str = "4.3.0.0") -> str:
    return f'<WRMHEADER xmlns="{NAMESPACE}" version="{version}">{inner}</WRMHEADER>'


@pytest.mark.parametrize("version", VERSIONS)
def test_everything_survives_in_every_version(version: str) -> None:
    """What a version can hold is there again after writing and reading the header as UTF-16."""
    header = WrmHeader(
        keys=(HeaderKey(KID, "AESCTR", checksum(KID, KEY)),),
        version=version,
        la_url="https://a.example/rm?a=1&b=<2>",
        lui_url="https://a.example/page",
        ds_id=DS_ID,
        custom_attributes=CUSTOM,
        on_demand=version != "4.0.0.0",
        license_requested=True,
    )
    assert header.problems == ()
    assert parse_header(header.to_xml().encode("utf-16-le")) == header


def test_custom_attributes_are_written_canonically() -> None:
    """Section 3.2 wants explicit closing tags, namespaces first and attributes in order, custom ones included."""
    header = WrmHeader(keys=(HeaderKey(KID),), custom_attributes='a<b  z="1" a="2" xmlns:n="urn:n"><n:c/></b>t')
    inner = '<CUSTOMATTRIBUTES xmlns="">a<b a="2" z="1"><n:c xmlns:n="urn:n"></n:c></b>t</CUSTOMATTRIBUTES>'
    assert inner in header.to_xml()


def test_the_specification_s_own_object_is_read() -> None:
    """The base64 object of section 3.6.1 of Microsoft's specification has a 4.0.0.0 header with a custom attribute."""
    kid = KeyId.from_guid_le(base64.b64decode("q5HgCTj40kGeNVhTH9Gexw=="))
    header = WrmHeader(
        keys=(HeaderKey(kid, "AESCTR", base64.b64decode("w+OZVr8vzrQ=")),),
        version="4.0.0.0",
        la_url="https://profficialsite.keydelivery.mediaservices.windows.net/PlayReady/",
        custom_attributes="<IIS_DRM_VERSION>8.0.1705.19</IIS_DRM_VERSION>",
    )
    plain = header.to_xml().replace(' xmlns=""', "")
    raw = PlayReadyObject((Record(1, plain.encode("utf-16-le")),)).to_bytes()
    assert base64.b64encode(raw).startswith(b"XAMAAAEAAQBSAzwAVwBSAE0A")
    read = PlayReadyObject.parse(raw).headers[0]
    assert (read.key_ids, read.la_url) == ((kid,), header.la_url)
    assert "8.0.1705.19" in (read.custom_attributes or "")


@pytest.mark.parametrize(
    ("arguments", "version"),
    [
        ({"key_ids": [KID]}, "4.0.0.0"),
        ({"key_ids": [KID], "on_demand": True}, "4.1.0.0"),
        ({"key_ids": [], "on_demand": True}, "4.1.0.0"),
        ({"key_ids": [KID, OTHER]}, "4.2.0.0"),
        ({"key_ids": [KID], "scheme": "cbcs"}, "4.3.0.0"),
        ({"key_ids": [KID, OTHER], "scheme": "cbc1"}, "4.3.0.0"),
        ({"key_ids": [KID], "version": "4.3.0.0"}, "4.3.0.0"),
    ],
)
def test_the_version_follows_from_what_is_asked(arguments: dict[str, object], version: str) -> None:
    """The lowest version that can hold the header is taken, so that the oldest clients play it; a set one is kept."""
    header = playready.header(**arguments)  # type: ignore[arg-type]  # by name
    assert header.version == version
    assert f'version="{version}"' in header.to_xml()


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (WrmHeader(keys=(HeaderKey(KID), HeaderKey(OTHER)), version="4.1.0.0"), "2 key IDs do not fit in"),
        (WrmHeader(version="4.0.0.0"), "a key ID is required"),
        (WrmHeader(keys=(HeaderKey(KID),), version="4.0.0.0", on_demand=True), "DECRYPTORSETUP came with 4.1.0.0"),
        (WrmHeader(keys=(HeaderKey(KID, "AESCBC"),), version="4.2.0.0"), "AESCBC, or no algorithm at all, came with"),
        (WrmHeader(keys=(HeaderKey(KID, None),), version="4.0.0.0"), "AESCBC, or no algorithm at all, came with"),
        (WrmHeader(keys=(HeaderKey(KID), HeaderKey(OTHER, "AESCBC"))), "name different algorithms"),
        (WrmHeader(keys=(HeaderKey(KID, "AES"),)), "the algorithm 'AES' is unknown"),
        (WrmHeader(keys=(HeaderKey(KID, "AESCBC", bytes(8)),)), "checksum of .* has 8 bytes"),
        (WrmHeader(keys=(HeaderKey(KID, "AESCTR", bytes(7)),)), "checksum of .* has 7 bytes"),
        (WrmHeader(keys=(HeaderKey(KID),), la_url="rights.asmx"), "LA_URL 'rights.asmx' is not an absolute URL"),
        (WrmHeader(keys=(HeaderKey(KID),), lui_url="http://[x"), "LUI_URL .* is not an absolute URL"),
        (WrmHeader(keys=(HeaderKey(KID),), custom_attributes="<a>"), "not well-formed"),
        (WrmHeader(keys=(HeaderKey(KID),), custom_attributes=" "), "CUSTOMATTRIBUTES is empty"),
        (WrmHeader(keys=(HeaderKey(KID),), version="4.4.0.0"), "the version is unknown"),
        (WrmHeader(keys=(HeaderKey(KID),), la_url="https://a/\x00"), r"U\+0000 cannot stand in XML"),
    ],
)
def test_a_header_that_clients_would_refuse_is_not_written(header: WrmHeader, reason: str) -> None:
    """A header against the specification can be held, and says so, but is never written."""
    with pytest.raises(SignalingError, match=reason):
        header.to_xml()
    good = WrmHeader(keys=(HeaderKey(KID),), la_url="https://a.example/", custom_attributes=CUSTOM)
    assert good.problems == ()
    assert good.to_xml().count("<LA_URL>https://a.example/</LA_URL>") == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<WRMHEADER", "not well-formed XML"),
        ('<!DOCTYPE WRMHEADER [<!ENTITY a "b">]>' + _wrap("<DATA/>"), "declares a document type"),
        ('<WRMHEADER version="4.0.0.0"/>', "has the root element WRMHEADER, not WRMHEADER of"),
        (_wrap("<DATA/>").replace("WRMHEADER", "HEADER"), "not WRMHEADER of"),
        (_wrap("<DATA/>", "4.4.0.0"), "has version '4.4.0.0'"),
        (_wrap("<DATA/>").replace(' version="4.3.0.0"', ""), "has version None"),
        (_wrap("<DATA/><DATA/>"), "has 2 DATA elements in WRMHEADER"),
        (_wrap("<DATA><PROTECTINFO><KIDS><KID/></KIDS></PROTECTINFO></DATA>"), "KID has no VALUE attribute"),
        (_wrap('<DATA><PROTECTINFO><KIDS><KID VALUE="AA"/></KIDS></PROTECTINFO></DATA>'), "KID is not base64"),
        (_wrap('<DATA><PROTECTINFO><KIDS><KID VALUE="AAAA"/></KIDS></PROTECTINFO></DATA>'), "is 16 bytes, not 3"),
        (_wrap("<DATA><DS_ID>AAAA</DS_ID></DATA>"), "DS_ID has 3 bytes, not 16"),
        (_wrap(f"<DATA><KID>{KID.base64}</KID><CHECKSUM>?</CHECKSUM></DATA>", "4.0.0.0"), "CHECKSUM is not base64"),
    ],
)
def test_a_header_that_is_none_is_refused(text: str, reason: str) -> None:
    """Broken XML, other roots, unknown versions and broken values are errors that name the part."""
    with pytest.raises(SignalingError, match=reason):
        parse_xml(text)
    assert parse_xml(_wrap("<DATA/>")).keys == ()


def test_unlikely_but_legal_headers_are_read() -> None:
    """Headers without DATA, PROTECTINFO, KIDS or KID, with comments in values, and with elements to come, are read."""
    for inner in ("", "<DATA/>", "<DATA><PROTECTINFO/></DATA>", "<DATA><PROTECTINFO><KIDS/></PROTECTINFO></DATA>"):
        assert parse_xml(_wrap(inner)).keys == ()
    assert parse_xml(_wrap("<DATA/>", "4.0.0.0")).keys == ()
    assert parse_xml(_wrap("<DATA/>", "4.1.0.0")).problems == ()
    value = KID.guid_le
    encoded = base64.b64encode(value).decode()
    text = f"<DATA><!-- x --><KID> {encoded[:4]}<!-- y -->{encoded[4:]} </KID><NEW/></DATA>"
    assert parse_xml(_wrap(text, "4.0.0.0")).key_ids == (KID,)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (_wrap("<DATA/>").encode(), "is in UTF-8, not in UTF-16"),
        (b"\xef\xbb\xbf" + _wrap("<DATA/>").encode(), "is in UTF-8, not in UTF-16"),
        (_wrap("<DATA/>").encode("utf-16"), "starts with a byte order mark"),
        (_wrap("<DATA/>").encode("utf-16-be"), "big-endian"),
        (b"\xfe\xff" + _wrap("<DATA/>").encode("utf-16-be"), "big-endian"),
        (_wrap("<DATA/>").encode("utf-16-le")[:-1], "is not UTF-16 at byte"),
        (b"\x00\xd8\x00\x00", "is not UTF-16 at byte 0"),
        (b"", "is not well-formed"),
    ],
)
def test_only_utf_16_little_endian_is_a_header(raw: bytes, reason: str) -> None:
    """The specification's encoding is demanded, and another one is named."""
    with pytest.raises(SignalingError, match=reason):
        parse_header(raw)
    assert parse_header(_wrap("<DATA/>").encode("utf-16-le")).version == "4.3.0.0"


def test_checksums_are_checked_against_keys() -> None:
    """A checksum matches its key alone; the first 7 bytes of five rounds of SHA-1 are COCKTAIL's."""
    key = playready.header([KID], keys={KID: Secret(KEY)}).keys[0]
    assert base64.b64encode(key.checksum or b"") == b"Me48z71nuqY="
    assert key.matches(KEY)
    assert not key.matches(bytes(16))
    cocktail = HeaderKey(KID, "COCKTAIL", checksum(KID, b"1234567", "COCKTAIL"))
    assert cocktail.matches(b"1234567")
    assert "<KEYLEN>7</KEYLEN><ALGID>COCKTAIL</ALGID>" in WrmHeader(keys=(cocktail,)).to_xml()
    with pytest.raises(SignalingError, match="has no checksum for"):
        HeaderKey(KID).matches(KEY)


@pytest.mark.parametrize(
    ("key", "algorithm", "reason"),
    [
        (b"short", "AESCTR", "has 5 bytes; a checksum needs 16"),
        (bytes(22), "COCKTAIL", "COCKTAIL takes at most 21"),
        (KEY, "AESCBC", "defines no key checksum for AESCBC"),
    ],
)
def test_a_checksum_needs_a_fitting_key(key: bytes, algorithm: str, reason: str) -> None:
    """A key of the wrong length, and an algorithm without checksum, are refused; no key byte is in the message."""
    with pytest.raises(SignalingError, match=reason) as caught:
        checksum(KID, key, algorithm)
    assert key.hex() not in str(caught.value)
    assert len(checksum(KID, KEY)) == 8


def test_a_checksum_is_only_written_for_known_ctr_keys() -> None:
    """A key ID without a key gets no checksum, and AES-CBC never has one."""
    header = playready.header([KID, OTHER], keys={KID: KEY})
    assert [key.checksum is None for key in header.keys] == [False, True]
    assert playready.header([KID], "cbcs", keys={KID: KEY}).keys[0].checksum is None


def test_objects_keep_every_record() -> None:
    """Several headers, a license store and a record of a type to come are kept byte for byte."""
    first, second = (playready.header([kid]).to_xml().encode("utf-16-le") for kid in (KID, OTHER))
    made = PlayReadyObject((Record(1, first), Record(3, bytes(10240)), Record(9, b"new"), Record(1, second)))
    read = PlayReadyObject.parse(made.to_bytes())
    assert read == made
    assert [header.key_ids for header in read.headers] == [(KID,), (OTHER,)]
    assert read.license_store == bytes(10240)


def test_a_license_store_goes_into_the_box_only() -> None:
    """The embedded license store is the second record of the box; a Smooth Streaming manifest gets none."""
    box = playready.pssh_box([KID], license_store=bytes(64), box_version=1)
    assert box.key_ids == (KID,)
    assert PlayReadyObject.parse(box.data).license_store == bytes(64)
    smooth = PlayReadyObject.parse(base64.b64decode(playready.smooth_header(playready.header([KID]))))
    assert (smooth.license_store, smooth.headers[0].key_ids) == (None, (KID,))


GOOD = playready.playready_object(playready.header([KID])).to_bytes()


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "at least 6 bytes, not 0"),
        (GOOD[:-1], r"says that it has \d+ bytes, but there are \d+"),
        (_wrap("<DATA/>").encode("utf-16-le"), "those of a PlayReady header, not of a PlayReady Object"),
        (GOOD + b"\0", r"says that it has \d+ bytes, but there are \d+"),
        (struct.pack("<IH", len(GOOD), 2) + GOOD[6:], "PlayReady record 2 at byte .*: the record header is truncated"),
        (struct.pack("<IH", len(GOOD), 0) + GOOD[6:], r"bytes left over after 0 records, at byte 6"),
        (struct.pack("<IHHH", len(GOOD), 1, 1, 0xFFFF) + GOOD[10:], "PlayReady record 1 at byte 6: the record needs"),
    ],
)
def test_broken_objects_are_refused(raw: bytes, reason: str) -> None:
    """A length or a count that does not fit the bytes is an error with its place."""
    with pytest.raises(SignalingError, match=reason):
        PlayReadyObject.parse(raw)
    assert PlayReadyObject.parse(GOOD).to_bytes() == GOOD


def test_oversized_records_are_refused() -> None:
    """A record length has 16 bits, and so has the record count."""
    with pytest.raises(SignalingError, match="at most 65535 bytes, not 65536"):
        Record(3, bytes(65536))
    with pytest.raises(SignalingError, match="at most 65535 records"):
        PlayReadyObject((Record(9, b""),) * 65536).to_bytes()
    assert len(PlayReadyObject((Record(3, bytes(65535)),)).to_bytes()) == 65545


@settings(max_examples=200)
@given(st.one_of(st.binary(max_size=60), st.just(GOOD)), st.data())
def test_any_bytes_parse_or_are_refused(raw: bytes, draw: st.DataObject) -> None:
    """Whatever bytes come, the answer is an object that rebuilds them, or an error of drmkit's own."""
    at = draw.draw(st.integers(0, max(0, len(raw) - 1)))
    mutant = raw[:at] + draw.draw(st.binary(max_size=3)) + raw[at + draw.draw(st.integers(0, 3)) :]
    try:
        found = PlayReadyObject.parse(mutant)
        assert found.to_bytes() == mutant
        assert isinstance(found.headers, tuple)
    except SignalingError:
        pass


@settings(max_examples=150)
@given(st.text(max_size=40))
def test_any_text_survives_in_a_url_or_is_refused(text: str) -> None:
    """Every character that XML can hold is escaped so that it comes back; others are refused."""
    header = WrmHeader(keys=(HeaderKey(KID),), la_url=f"https://a.example/{text}x")
    try:
        written = header.to_xml()
    except SignalingError:
        return
    assert parse_xml(written).la_url == header.la_url
