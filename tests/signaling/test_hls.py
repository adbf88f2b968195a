"""HLS key tags of every system and method."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drmkit.errors import SignalingError
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.signaling import common, hls, playready, widevine
from drmkit.signaling.playready import PlayReadyObject

KID = KeyId.from_uuid("b4c3188b-eddd-453d-9bc2-1cbca7566239")
WIDEVINE_BOX = "AAAAOHBzc2gAAAAA7e+LqXnWSs6jyCfc1R0h7QAAABgSELTDGIvt3UU9m8IcvKdWYjlI49yVmwY="


def test_a_widevine_tag_carries_the_box_and_the_key_id() -> None:
    """The box is that of a plain key and scheme, as in the official CPIX vectors, and the key ID is in upper case."""
    tag = hls.key_tag(DrmSystem.WIDEVINE, KID, "cenc")
    assert tag == (
        '#EXT-X-KEY:METHOD=SAMPLE-AES-CTR,KEYFORMAT="urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed",'
        f'KEYFORMATVERSIONS="1",URI="data:text/plain;base64,{WIDEVINE_BOX}",KEYID=0xB4C3188BEDDD453D9BC21CBCA7566239'
    )
    key = hls.parse_tag(tag)
    assert (key.system, key.key_id, key.boxes()) == (DrmSystem.WIDEVINE, KID, [widevine.pssh_box([KID])])


def test_a_fairplay_tag() -> None:
    """FairPlay's tag has the skd:// URI of the key ID, and SAMPLE-AES."""
    tag = hls.session_key_tag(DrmSystem.FAIRPLAY, KID, iv=bytes(15) + b"\xab")
    assert tag == (
        '#EXT-X-SESSION-KEY:METHOD=SAMPLE-AES,KEYFORMAT="com.apple.streamingkeydelivery",KEYFORMATVERSIONS="1",'
        'URI="skd://b4c3188b-eddd-453d-9bc2-1cbca7566239",IV=0x000000000000000000000000000000AB'
    )
    key = hls.parse_tag(tag)
    assert (key.system, key.payload(), key.boxes(), key.iv) == (DrmSystem.FAIRPLAY, None, [], bytes(15) + b"\xab")


def test_a_playready_tag_carries_the_object() -> None:
    """PlayReady's tag has the PlayReady Object, not the box, and says that it is UTF-16."""
    key = hls.parse_tag(hls.key_tag(DrmSystem.PLAYREADY, KID, "cbcs"))
    assert (key.uri or "").startswith("data:text/plain;charset=UTF-16;base64,")
    assert PlayReadyObject.parse(key.payload() or b"").headers[0].key_ids == (KID,)
    assert key.boxes() == [playready.pssh_box([KID], "cbcs")]
    boxed = hls.key_tag(DrmSystem.PLAYREADY, KID, uri=f"data:;base64,{playready.pssh_box([KID]).to_base64()}")
    assert hls.parse_tag(boxed).boxes() == [playready.pssh_box([KID])]


def test_the_common_system_and_clear_keys() -> None:
    """The common system carries its box; the clear keys need a URI and tell themselves apart by the method."""
    assert hls.parse_tag(hls.key_tag(DrmSystem.COMMON, KID)).boxes() == [common.pssh_box([KID])]
    plain = hls.parse_tag(hls.key_tag(DrmSystem.CLEARKEY_AES128, KID, uri="https://a.example/key"))
    sample = hls.parse_tag(hls.key_tag(DrmSystem.CLEARKEY_SAMPLE_AES, KID, uri="https://a.example/key"))
    assert (plain.method, plain.system) == ("AES-128", DrmSystem.CLEARKEY_AES128)
    assert (sample.method, sample.system) == ("SAMPLE-AES", DrmSystem.CLEARKEY_SAMPLE_AES)
    assert hls.parse_tag('#EXT-X-KEY:METHOD=AES-128,URI="data:;base64,AAAA"').boxes() == []
    with pytest.raises(SignalingError, match="needs the URI of the key"):
        hls.key_tag(DrmSystem.CLEARKEY_AES128, KID)


def test_a_box_of_one_s_own_is_signaled() -> None:
    """A box that is given goes into the tag instead of the plain one."""
    box = widevine.pssh_box([KID], "cbcs", provider="acme")
    assert hls.parse_tag(hls.key_tag(DrmSystem.WIDEVINE, KID, box=box)).boxes() == [box]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"system": DrmSystem.MARLIN}, "no HLS key format for Marlin"),
        ({"system": DrmSystem.FAIRPLAY, "iv": bytes(8)}, "has 16 bytes, not 8"),
        ({"system": DrmSystem.FAIRPLAY, "uri": 'skd://a"b'}, "holds a double quote or a line break"),
        ({"system": DrmSystem.FAIRPLAY, "uri": "skd://a\nb"}, "holds a double quote or a line break"),
        ({"system": DrmSystem.WIDEVINE, "scheme": "aes"}, "unknown protection scheme"),
    ],
)
def test_tags_that_would_break_a_playlist_are_not_made(arguments: dict[str, object], reason: str) -> None:
    """A system without key format, an IV of another size and a URI with quotes or line breaks are refused."""
    with pytest.raises(SignalingError, match=reason):
        hls.key_tag(kid=KID, **arguments)  # type: ignore[arg-type]  # by name


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("#EXTINF:4,", "is no HLS key tag"),
        ("#EXT-X-KEY:", "METHOD is missing"),
        ('#EXT-X-KEY:METHOD="NONE"', "METHOD does not"),
        ("#EXT-X-KEY:METHOD=AES-128", "URI is missing"),
        ("#EXT-X-KEY:METHOD=AES-128,URI=https://a", "stand in quotes"),
        ('#EXT-X-KEY:METHOD=NONE,URI="x"', "METHOD=NONE stands alone"),
        ("#EXT-X-SESSION-KEY:METHOD=NONE", "other than NONE"),
        ('#EXT-X-KEY:METHOD=AES-128,URI="x",URI="y"', "attribute URI occurs twice"),
        ('#EXT-X-KEY:METHOD=AES-128,URI="x"y', "malformed at character 16"),
        ('#EXT-X-KEY:METHOD=AES-128,URI="x",', "malformed"),
        ("#EXT-X-KEY:METHOD=AES-128,,", "malformed"),
        ("#EXT-X-KEY:method=NONE", "malformed at character 1"),
    ],
)
def test_broken_tags_are_refused(line: str, reason: str) -> None:
    """A malformed attribute list and a tag against RFC 8216 are errors; the plain tag is read."""
    with pytest.raises(SignalingError, match=reason):
        hls.parse_tag(line)
    assert hls.parse_tag("#EXT-X-KEY:METHOD=NONE\r\n").system is None


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("data:text/plain,abc", "is not marked as base64"),
        ("data:text/plain;base64,@@@@", "the data: URI is not base64"),
        ("data:text/plain;base64,AAAA", "the box header needs 8 bytes"),
    ],
)
def test_a_broken_data_uri_is_refused(uri: str, reason: str) -> None:
    """A data: URI that is no base64, or holds no box, is an error when it is opened, not when the tag is read."""
    key = hls.parse_tag(f'#EXT-X-KEY:METHOD=SAMPLE-AES,KEYFORMAT="com.widevine",URI="{uri}"')
    assert key.system is DrmSystem.WIDEVINE
    with pytest.raises(SignalingError, match=reason):
        key.boxes()


def test_sequences_are_hexadecimal_numbers() -> None:
    """IV and KEYID are 128-bit numbers; leading zeros may be missing, anything else is refused."""
    head = '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://x"'
    assert hls.parse_tag(f"{head},IV=0X1").iv == bytes(15) + b"\1"
    assert hls.parse_tag(head).key_id is None
    for wrong in ("1", "0x", "0x" + "0" * 33, "0xg"):
        with pytest.raises(SignalingError, match="IV .* is no hexadecimal sequence"):
            assert hls.parse_tag(f"{head},IV={wrong}").iv


def test_playlists_are_read_line_by_line() -> None:
    """Every key tag of a playlist is found, unknown attributes stay, and an error names its line."""
    text = (
        "#EXTM3U\n#EXT-X-KEY:METHOD=NONE\n#EXTINF:4,\na.m4s\n"
        '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://x,y",KEYFORMAT="org.example",X-NEW=1\n'
    )
    none, other = hls.parse(text)
    assert (none.method, other.system, other.uri, other.get("X-NEW")) == ("NONE", None, "skd://x,y", "1")
    assert other.to_tag() == text.splitlines()[-1]
    with pytest.raises(SignalingError, match="line 2: EXT-X-KEY: URI is missing"):
        hls.parse("#EXTM3U\n#EXT-X-KEY:METHOD=AES-128\n")


def test_a_system_is_known_by_its_uuid() -> None:
    """A key format of a UUID names its system in either case."""
    tag = '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="x",KEYFORMAT="urn:uuid:3D5E6D35-9B9A-41E8-B843-DD3C6E72C42C"'
    assert hls.parse_tag(tag).system is DrmSystem.WISEPLAY


@settings(max_examples=200)
@given(st.text(alphabet='#EXT-KEY:METHOD=AES128,URI"x \n0', max_size=60))
def test_any_text_parses_or_is_refused(text: str) -> None:
    """Whatever stands in an attribute list, the answer is a tag that is written the same, or an error."""
    line = f"#EXT-X-KEY:METHOD=AES-128,{text}"
    try:
        key = hls.parse_tag(line)
    except SignalingError:
        return
    assert key.to_tag() == line.rstrip("\r\n")
