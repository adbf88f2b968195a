"""CPIX documents are filled with the signaling of their keys and systems."""

from __future__ import annotations

import base64

import pytest

from drmkit import cpix
from drmkit.errors import CpixError, SignalingError
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.signaling import agreement, hls, playready, widevine
from drmkit.signaling.filling import fill
from drmkit.signaling.material import SUPPORTED, Options, make, protection_scheme
from drmkit.signaling.pssh import parse_one

KID = KeyId.from_uuid("b4c3188b-eddd-453d-9bc2-1cbca7566239")
LEAF = KeyId.from_uuid("c6294999-5f48-445f-bcce-f7e5f736d7c6")
KEY = bytes.fromhex("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf")
FOUR = (DrmSystem.WIDEVINE, DrmSystem.PLAYREADY, DrmSystem.FAIRPLAY, DrmSystem.COMMON)
OPTIONS = Options(
    widevine_provider="acme",
    playready_la_url="https://a.example/rm",
    fairplay_uri=lambda kid: f"skd://a.example/{kid.hex}",
    clearkey_laurl="https://a.example/ck",
    key_uri=lambda kid: f"https://a.example/keys/{kid}",
)
REQUEST = f"""<cpix:CPIX xmlns:cpix="urn:dashif:org:cpix" contentId="a" version="2.3">
  <cpix:ContentKeyList><cpix:ContentKey kid="{KID}" commonEncryptionScheme="cenc"/></cpix:ContentKeyList>
  <cpix:DRMSystemList>
    <!-- Widevine -->
    <cpix:DRMSystem kid="{str(KID).upper()}" systemId="{DrmSystem.WIDEVINE.value.upper()}">
      <cpix:PSSH/><cpix:ContentProtectionData></cpix:ContentProtectionData>
      <cpix:HLSSignalingData playlist="media"/><cpix:HLSSignalingData playlist="master"> </cpix:HLSSignalingData>
    </cpix:DRMSystem>
    <cpix:DRMSystem kid="{KID}" systemId="{DrmSystem.PLAYREADY.value}">
      <cpix:PSSH>AAAA</cpix:PSSH><cpix:URIExtXKey/><cpix:SmoothStreamingProtectionHeaderData/>
    </cpix:DRMSystem>
    <cpix:DRMSystem kid="{KID}" systemId="00000000-1111-2222-3333-444444444444"><cpix:PSSH/></cpix:DRMSystem>
  </cpix:DRMSystemList>
</cpix:CPIX>"""


def _document(scheme: str | None = "cbcs", version: str = "2.3") -> cpix.Document:
    return cpix.Builder(version=version, content_id="a").content_key(kid=KID, key=KEY, scheme=scheme).build()


@pytest.mark.parametrize("version", ["2.1", "2.2", "2.3", "2.3.1", "2.4"])
def test_a_filled_document_is_valid_and_agrees_with_itself(version: str) -> None:
    """In every version, each system gets all that it has, the schema accepts it, and nothing contradicts anything."""
    document = _document(None if version in ("2.1", "2.2") else "cbcs", version)
    fill(document, FOUR, default_scheme="cbcs", options=OPTIONS)
    assert [entry.system_id for entry in document.drm_systems] == [system.system_id for system in FOUR]
    read = cpix.parse(document.to_xml())
    assert cpix.validate(read, version=version).errors == ()
    assert agreement.check(read) == []
    for entry in read.drm_systems:
        boxed = entry.system_id != DrmSystem.FAIRPLAY.system_id
        assert (entry.pssh is not None) == (entry.content_protection_data is not None) == boxed
        assert (entry.hls_signaling("media") or "").startswith("#EXT-X-KEY:METHOD=SAMPLE-AES,")
        assert (entry.hls_signaling("master") or "").startswith("#EXT-X-SESSION-KEY:METHOD=SAMPLE-AES,")


def test_options_reach_the_signaling() -> None:
    """The provider, the license URL and the key URI of a service stand where players look for them."""
    document = _document("cenc")
    fill(document, [DrmSystem.WIDEVINE, DrmSystem.PLAYREADY, DrmSystem.CLEARKEY_DASH], options=OPTIONS)
    mine, microsoft, clear = document.drm_systems
    assert mine.pssh == widevine.pssh_box([KID], "cenc", provider="acme").to_bytes()
    assert microsoft.pssh == playready.pssh_box([KID], keys={KID: KEY}, la_url="https://a.example/rm").to_bytes()
    assert base64.b64decode(microsoft.smooth_protection_header or "") == parse_one(microsoft.pssh or b"").data
    assert b">https://a.example/ck<" in (clear.content_protection_data or b"")
    assert clear.pssh is None


def test_a_request_s_placeholders_are_filled_and_nothing_else() -> None:
    """Empty elements get their content, whatever the case of IDs; full ones, unknown systems and comments stay."""
    document = cpix.parse(REQUEST.encode())
    fill(document, placeholders_only=True)
    mine, microsoft, unknown = document.drm_systems
    assert mine.pssh == widevine.pssh_box([KID]).to_bytes()
    assert mine.placeholders == ()
    assert (mine.hls_signaling("master") or "").startswith("#EXT-X-SESSION-KEY")
    assert microsoft.pssh == bytes(3)
    assert microsoft.content_protection_data is None
    assert (microsoft.uri_ext_x_key or b"").startswith(b"data:text/plain;charset=UTF-16;base64,")
    assert microsoft.smooth_protection_header
    assert unknown.placeholders == ("PSSH",)
    assert b"<!-- Widevine -->" in document.to_xml()


def test_systems_that_a_request_does_not_list_are_not_added_to_it() -> None:
    """With placeholders alone, an asked-for system without entry is passed over; otherwise it gets one."""
    document = cpix.parse(REQUEST.encode())
    fill(document, [DrmSystem.COMMON], placeholders_only=True)
    assert len(document.drm_systems) == 3
    fill(document, [DrmSystem.COMMON])
    assert document.drm_systems[3].system_id == DrmSystem.COMMON.system_id


def test_what_is_there_stays_unless_it_shall_be_replaced() -> None:
    """A full element is kept; `replace` writes over it."""
    document = cpix.parse(REQUEST.encode())
    fill(document)
    assert document.drm_systems[1].pssh == bytes(3)
    fill(document, replace=True)
    assert document.drm_systems[1].pssh == playready.pssh_box([KID]).to_bytes()


def test_a_leaf_key_gets_its_box_alone() -> None:
    """In a key hierarchy the root key carries what manifests need; a leaf has its own PSSH, and the root's scheme."""
    builder = cpix.Builder(version="2.4", content_id="a").content_key(kid=KID, key=KEY, scheme="cbcs")
    document = builder.content_key(kid=LEAF, key=KEY[::-1], depends_on=KID).build()
    fill(document, [DrmSystem.WIDEVINE])
    root, leaf = document.drm_systems
    assert root.hls_signaling("media")
    assert leaf.pssh == widevine.pssh_box([LEAF], "cbcs").to_bytes()
    assert (leaf.hls_signaling("media"), leaf.content_protection_data) == (None, None)


def test_a_key_that_is_listed_twice_gets_one_entry() -> None:
    """A document with a key ID twice, which validation reports, still gets one entry for each system."""
    once = f'<cpix:ContentKey kid="{KID}" commonEncryptionScheme="cenc"/>'
    document = cpix.parse(REQUEST.replace(once, once * 2).encode())
    fill(document, [DrmSystem.COMMON])
    assert len(document.drm_systems) == 4


def test_hls_methods_stand_for_schemes() -> None:
    """CPIX 2.3.1 allows HLS method names as scheme: SAMPLE-AES is cbcs, SAMPLE-AES-CTR cenc, NONE nothing."""
    assert [protection_scheme(name) for name in ("SAMPLE-AES", "SAMPLE-AES-CTR", "NONE", "cens")] == [
        "cbcs",
        "cenc",
        None,
        "cens",
    ]
    document = _document("AES-128", "2.3.1")
    fill(document, [DrmSystem.CLEARKEY_AES128], options=OPTIONS)
    tag = hls.parse_tag(document.drm_systems[0].hls_signaling("media") or "")
    assert (tag.method, tag.uri) == ("AES-128", f"https://a.example/keys/{KID}")
    clear = _document()
    clear.content_keys[0].scheme = "NONE"
    fill(clear, [DrmSystem.WIDEVINE])
    assert clear.drm_systems[0].pssh is None


@pytest.mark.parametrize(
    ("scheme", "systems", "reason"),
    [
        ("cenc", [DrmSystem.FAIRPLAY], "FairPlay does not play cenc"),
        ("cbcs", [DrmSystem.MARLIN], "makes no signaling for Marlin"),
        ("cbcs", [DrmSystem.CLEARKEY_DASH], "needs its license URL"),
        ("cbc1", [DrmSystem.CLEARKEY_AES128], "needs the URI of the key"),
        (None, [DrmSystem.WIDEVINE], "names no protection scheme"),
    ],
)
def test_what_cannot_be_signaled_is_refused(scheme: str | None, systems: list[DrmSystem], reason: str) -> None:
    """A scheme that a system does not play, an undocumented system and missing options are errors without traces."""
    document = _document(scheme)
    before = document.to_xml()
    with pytest.raises(SignalingError, match=reason):
        fill(document, systems)
    assert document.to_xml() == before


def test_a_signed_document_is_not_changed() -> None:
    """Where a signature covers the list, filling says so instead of breaking the signature."""
    signature = (
        '<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo>'
        '<ds:Reference URI="#list"/></ds:SignedInfo></ds:Signature></cpix:CPIX>'
    )
    text = REQUEST.replace("<cpix:DRMSystemList>", '<cpix:DRMSystemList id="list">').replace("</cpix:CPIX>", signature)
    document = cpix.parse(text.encode())
    with pytest.raises(CpixError, match="is signed"):
        fill(document)


@pytest.mark.parametrize("system", SUPPORTED)
def test_every_supported_system_is_made(system: DrmSystem) -> None:
    """Each system that is offered can be made with full options, and says nothing empty."""
    made = make(system, KID, "cbcs", key=KEY, iv=bytes(16), options=OPTIONS)
    assert made.hls_media or made.content_protection
    clear = system in {DrmSystem.CLEARKEY_AES128, DrmSystem.CLEARKEY_SAMPLE_AES}
    assert ("IV=0x" in (made.hls_media or "")) == clear
    assert made.smooth is None


def test_playlists_have_the_names_of_a_version_that_no_document_states() -> None:
    """CPIX 2.1 calls the media playlist `variant` and names no version: the builder, or another entry, tells."""
    built = cpix.Builder(version="2.1").content_key(kid=KID, key=KEY).build()
    fill(built, [DrmSystem.WIDEVINE], default_scheme="cenc")
    assert cpix.validate(built.to_xml(), "2.1").valid
    read = cpix.parse(built.to_xml())
    fill(read, [DrmSystem.PLAYREADY], default_scheme="cenc")
    names = [element.get("playlist") for element in read.root.iter("{urn:dashif:org:cpix}HLSSignalingData")]
    assert names == ["variant", "master", "variant", "master"]
    unnamed = cpix.parse(cpix.Builder(version="2.2").content_key(kid=KID, key=KEY).build().to_xml())
    fill(unnamed, [DrmSystem.PLAYREADY], default_scheme="cenc")
    assert cpix.validate(unnamed.to_xml(), "2.2").valid
