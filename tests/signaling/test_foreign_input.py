"""What other programs write: read where it says something, refused with place and advice where it cannot be right."""

from __future__ import annotations

import base64
import struct

import pytest

from drmkit.errors import SignalingError
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.signaling import dash, hls, playready, protobuf, widevine
from drmkit.signaling.describe import describe
from drmkit.signaling.find import find, find_in_text
from drmkit.signaling.pssh import PsshBox
from drmkit.signaling.widevine import WidevineData
from drmkit.signaling.wrmheader import NAMESPACE
from drmkit.signaling.wrmreader import parse_header, parse_xml

KID = KeyId.from_uuid("b4c3188b-eddd-453d-9bc2-1cbca7566239")
WIDEVINE = widevine.pssh_box([KID])
PLAYREADY = playready.pssh_box([KID], la_url="https://license.example/rm")
GUID = base64.b64encode(KID.guid_le).decode()
V40 = f"<PROTECTINFO><KEYLEN>16</KEYLEN><ALGID>AESCTR</ALGID></PROTECTINFO><KID>\r\n {GUID} </KID>"
V41 = f'<PROTECTINFO><KID ALGID="AESCTR" VALUE="{GUID}"/></PROTECTINFO>'
V42 = f'<PROTECTINFO><KIDS><KID ALGID="AESCTR" VALUE="{GUID}"/></KIDS></PROTECTINFO>'


def _data(content: bytes) -> str:
    return f"data:text/plain;base64,{base64.b64encode(content).decode()}"


def _playlist(keyformat: str, uri: str) -> bytes:
    return f'#EXTM3U\r\n#EXT-X-KEY:METHOD=SAMPLE-AES,KEYFORMAT="{keyformat}",URI="{uri}"\r\n'.encode()


def _header(data: str, version: str) -> str:
    return f'<WRMHEADER xmlns="{NAMESPACE}" version="{version}"><DATA>{data}</DATA></WRMHEADER>'


@pytest.mark.parametrize(
    ("keyformat", "content"),
    [
        ("com.widevine", b'{"provider": "acme", "content_id": "YQ==", "key_ids": ["00"]}'),
        ("org.w3.clearkey", b'{"kids": ["AAECAwQFBgcICQoLDA0ODw"]}'),
        ("com.example.drm", b"whatever it is"),
        ("identity", bytes(16)),
    ],
)
def test_a_tag_whose_system_has_no_boxes_hides_no_other_tag(keyformat: str, content: bytes) -> None:
    """Bytes of a system that does not write boxes are left alone, and the boxes of the other tags are found."""
    other = _playlist(f"urn:uuid:{DrmSystem.WIDEVINE.system_id.upper()}", _data(WIDEVINE.to_bytes()))
    assert [item.box for item in find(_playlist(keyformat, _data(content)) + other)] == [WIDEVINE]


@pytest.mark.parametrize(
    ("keyformat", "content", "box"),
    [
        ("com.widevine", WIDEVINE.to_bytes(), WIDEVINE),
        ("com.example.drm", WIDEVINE.to_bytes(), WIDEVINE),
        ("com.microsoft.playready", PLAYREADY.to_bytes(), PLAYREADY),
        ("com.microsoft.playready", PLAYREADY.data, PLAYREADY),
    ],
)
def test_a_box_is_found_under_any_key_format(keyformat: str, content: bytes, box: PsshBox) -> None:
    """What is a box is read as one, and PlayReady's tags hold boxes or bare objects."""
    assert [item.box for item in find(_playlist(keyformat, _data(content)))] == [box]


def test_a_system_that_writes_boxes_is_held_to_it() -> None:
    """Under the key formats of Widevine, PlayReady and the common system, other bytes are an error with their line."""
    for system in (DrmSystem.WIDEVINE, DrmSystem.PLAYREADY, DrmSystem.COMMON):
        with pytest.raises(SignalingError, match=r"PSSH box 1|PlayReady Object"):
            find(_playlist(hls.KEYFORMATS[system], _data(b"whatever it is")))


def test_clearkey_has_a_key_format_of_its_own() -> None:
    """`org.w3.clearkey` is read and written; its URI is known to the caller alone."""
    tag = hls.key_tag(DrmSystem.CLEARKEY_DASH, KID, "cenc", uri="https://license.example/clearkey")
    assert tag.startswith('#EXT-X-KEY:METHOD=SAMPLE-AES-CTR,KEYFORMAT="org.w3.clearkey"')
    assert hls.parse_tag(tag).system is DrmSystem.CLEARKEY_DASH
    with pytest.raises(SignalingError, match="needs the URI of the key"):
        hls.key_tag(DrmSystem.CLEARKEY_DASH, KID)


@pytest.mark.parametrize("declaration", ['<?xml version="1.0"?>', "<?xml version='1.0' encoding='UTF-16'?>\r\n"])
def test_a_header_may_have_an_xml_declaration(declaration: str) -> None:
    """A declaration that agrees with the encoding does no harm."""
    text = declaration + _header(V40, "4.0.0.0")
    assert parse_header(text.encode("utf-16-le")).key_ids == (KID,)


def test_a_header_that_declares_another_encoding_is_refused() -> None:
    """UTF-16 that calls itself UTF-8 is a contradiction, which is told and not settled."""
    text = '<?xml version="1.0" encoding="utf-8"?>' + _header(V40, "4.0.0.0")
    with pytest.raises(SignalingError, match="declares the encoding 'utf-8', and is in UTF-16") as caught:
        parse_header(text.encode("utf-16-le"))
    assert caught.value.hint == "remove the XML declaration"


@pytest.mark.parametrize(
    ("data", "place", "right"),
    [
        (V40, "DATA", {"4.0.0.0"}),
        (V41, "PROTECTINFO", {"4.1.0.0"}),
        (V42, "PROTECTINFO/KIDS", {"4.2.0.0", "4.3.0.0"}),
    ],
)
def test_key_ids_where_a_version_does_not_look_are_not_passed_over(data: str, place: str, right: set[str]) -> None:
    """A header with the key IDs of another version is refused, since a client would see none; its own are read."""
    for version in ("4.0.0.0", "4.1.0.0", "4.2.0.0", "4.3.0.0"):
        if version in right:
            assert parse_xml(_header(data, version)).key_ids == (KID,)
            continue
        with pytest.raises(SignalingError, match=f"has version {version} and key IDs in {place}") as caught:
            parse_xml(_header(data, version))
        assert "write the version that the header follows" in (caught.value.hint or "")


def test_custom_attributes_without_canonical_form_are_read_and_never_written() -> None:
    """A namespace with a relative name, which Canonical XML refuses, hides no key of a header; none is written."""
    custom = '<a xmlns="relative">1</a>'
    reason = "the XML inside CUSTOMATTRIBUTES has no canonical form"
    read = parse_xml(_header(f"{V40}<CUSTOMATTRIBUTES>{custom}</CUSTOMATTRIBUTES>", "4.0.0.0"))
    assert (read.key_ids, read.custom_attributes, read.problems) == ((KID,), custom, (reason,))
    with pytest.raises(SignalingError, match=reason):
        read.to_xml()
    with pytest.raises(SignalingError, match=reason) as caught:
        playready.pssh_box([KID], custom_attributes=custom)
    assert caught.value.hint == "name its namespaces by absolute URIs"
    assert playready.pssh_box([KID], custom_attributes=custom.replace("relative", "urn:absolute")).data


def test_a_fragment_of_several_elements_gives_the_system_s_own() -> None:
    """The element with the scheme and the default key ID may stand before the one with the box."""
    fragment = dash.mp4_protection([KID], "cenc") + dash.element(
        DrmSystem.WIDEVINE, dash.content_protection(WIDEVINE), robustness="HW_SECURE_ALL"
    )
    read = dash.parse_fragment(fragment.encode())
    assert (read.boxes, read.default_kids, read.robustness) == ((WIDEVINE,), (KID,), "HW_SECURE_ALL")


@pytest.mark.parametrize("name", ["dashif:Laurl", "dashif:laurl"])
def test_license_urls_are_read_in_both_spellings(name: str) -> None:
    """DASH-IF's own documents spell the element in two ways."""
    fragment = f'<{name} xmlns:dashif="{dash.DASHIF}" licenseType="EME-1.0"> https://license.example/ </{name}>'
    assert dash.parse_fragment(fragment.encode()).laurl == "https://license.example/"


def test_version_1_protection_headers_are_found() -> None:
    """SPEKE 1.0 answers PlayReady's object for Smooth Streaming in an element of its own."""
    document = (
        '<CPIX xmlns="urn:dashif:org:cpix" xmlns:speke="urn:aws:amazon:com:speke"><DRMSystemList><DRMSystem>'
        f"<speke:ProtectionHeader>{base64.b64encode(PLAYREADY.data).decode()}</speke:ProtectionHeader>"
        "</DRMSystem></DRMSystemList></CPIX>"
    )
    assert [(item.where, item.box) for item in find(document.encode())] == [
        ("DRMSystem 1, ProtectionHeader in line 1", PLAYREADY)
    ]


def test_a_file_may_begin_with_a_box_of_a_user_s_own() -> None:
    """A `uuid` box before the movie box does not hide it."""
    movie = struct.pack(">I4s", 8 + len(WIDEVINE.to_bytes()), b"moov") + WIDEVINE.to_bytes()
    assert [item.box for item in find(struct.pack(">I4s", 28, b"uuid") + bytes(20) + movie)] == [WIDEVINE]


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        (f"0x{WIDEVINE.to_bytes().hex()}", "leave 0x away"),
        (base64.urlsafe_b64encode(WIDEVINE.to_bytes()).decode(), "with + and / instead of - and _"),
        (WIDEVINE.to_base64()[:-3], "padded with ="),
    ],
)
def test_near_misses_get_advice(text: str, advice: str) -> None:
    """Text that is almost an encoding is refused, never repaired, and the hint says what is wrong with it."""
    with pytest.raises(SignalingError, match="neither hexadecimal nor base64") as caught:
        find_in_text(text)
    assert advice in (caught.value.hint or "")


def test_entitlement_fields_are_named_and_kept() -> None:
    """What newer Widevine boxes hold for entitlement keys is told by name, and survives."""
    raw = WIDEVINE.data + protobuf.encode_varint(11, 1) + protobuf.encode_bytes(14, b"\x0a\x01x")
    details = dict(describe(PsshBox(DrmSystem.WIDEVINE.system_id, data=raw)).details)
    assert details == {"field 11 (type)": "5801", "field 14 (entitled key)": "72030a0178"}
    assert WidevineData.parse(raw).to_bytes() == raw


def test_a_box_that_contradicts_its_data_is_told_of() -> None:
    """A version 1 box lists the key IDs of its data, in network order; other ones, or another order, are a problem."""
    turned = KeyId(KID.guid_le)
    for kids, problem in (
        ((KID,), None),
        ((turned,), "the box lists other key IDs than its data: they are in GUID byte order"),
        ((KID, turned), "the box lists other key IDs than its data"),
    ):
        details = dict(describe(PsshBox(DrmSystem.PLAYREADY.system_id, 1, kids, PLAYREADY.data)).details)
        assert (details.get("problem") or "").startswith(problem or "") is True
        assert ("problem" in details) is (problem is not None)


def test_key_ids_as_text_are_refused_with_advice() -> None:
    """Key IDs written as text, which some packagers of the past did, are no key IDs."""
    with pytest.raises(SignalingError, match="key_ids.* at byte 0: a key ID is 16 bytes, not 36") as caught:
        WidevineData.parse(protobuf.encode_bytes(2, KID.uuid.encode()))
    assert caught.value.hint == "a key ID stands there as its 16 bytes, not as text"


@pytest.mark.parametrize(
    "spoiled",
    [
        "<K>SECRETSECRET</K><?SECRETSECRET",
        "<K>&SECRETSECRET;</K>",
        "<K SECRETSECRET></K>",
        "<K>SECRETSECRET\x01</K>",
        "<K>SECRETSECRET",
    ],
)
def test_an_error_of_the_parser_quotes_nothing_of_a_document(spoiled: str) -> None:
    """A document may hold content keys, so that an error names its place and kind alone."""
    with pytest.raises(SignalingError, match=r"not well-formed XML, line 1, column \d+: ") as caught:
        find(f'<CPIX xmlns="urn:dashif:org:cpix">{spoiled}</CPIX>'.encode())
    assert "SECRET" not in str(caught.value) + (caught.value.hint or "")
