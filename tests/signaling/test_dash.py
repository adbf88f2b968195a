"""DASH content protection, built and read."""

from __future__ import annotations

import pytest

from drmkit.errors import SignalingError
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.signaling import dash, playready, widevine
from drmkit.signaling.playready import PlayReadyObject

KID = KeyId.from_uuid("b4c3188b-eddd-453d-9bc2-1cbca7566239")
OTHER = KeyId.from_uuid("c6294999-5f48-445f-bcce-f7e5f736d7c6")


def _mpd(*elements: str) -> bytes:
    return f'<MPD xmlns="{dash.MPD}"><Period><AdaptationSet>{"".join(elements)}</AdaptationSet></Period></MPD>'.encode()


def test_a_whole_manifest_says_what_went_in() -> None:
    """Scheme, default key IDs, boxes, PlayReady Object, license URL and robustness survive writing and reading."""
    box = playready.pssh_box([KID], "cbcs")
    fragment = dash.content_protection(box, laurl="https://a.example/?a=1&b=2")
    manifest = _mpd(
        dash.mp4_protection([KID, OTHER], "cbcs"),
        dash.element(DrmSystem.PLAYREADY, fragment, key_ids=[KID], robustness="3000"),
        dash.element("00000000-1111-2222-3333-444444444444"),
    )
    general, mine, unknown = dash.parse_mpd(manifest)
    assert (general.value, general.default_kids, general.system_id) == ("cbcs", (KID, OTHER), None)
    assert (mine.system_id, mine.value) == (DrmSystem.PLAYREADY.system_id, "MSPR 2.0")
    assert (mine.default_kids, mine.robustness) == ((KID,), "3000")
    assert (mine.boxes, mine.playready, mine.laurl) == (
        (box,),
        PlayReadyObject.parse(box.data),
        "https://a.example/?a=1&b=2",
    )
    assert mine.all_boxes == (box,)
    assert unknown.system_id == "00000000-1111-2222-3333-444444444444"


def test_clear_key_signaling_is_that_of_dash_if() -> None:
    """ClearKey's element has the value ClearKey1.0 and DASH-IF's license URL inside."""
    text = dash.element(DrmSystem.CLEARKEY_DASH, dash.content_protection(laurl="https://a.example/ck"))
    assert 'schemeIdUri="urn:uuid:e2719d58-a985-b3c9-781a-b030af78d30e" value="ClearKey1.0"' in text
    assert '<dashif:Laurl xmlns:dashif="https://dashif.org/CPS" licenseType="EME-1.0">https://a.example/ck<' in text
    assert dash.parse_mpd(_mpd(text))[0].laurl == "https://a.example/ck"


def test_other_ways_to_write_a_license_url_are_read() -> None:
    """PlayReady's ms:laurl holds the URL in an attribute; ClearKey's first namespace spells the element the same."""
    fragment = b'<ms:laurl xmlns:ms="urn:microsoft" licenseUrl="https://a.example/1"/>'
    assert dash.parse_fragment(fragment).laurl == "https://a.example/1"
    old = (
        b'<ck:Laurl xmlns:ck="http://dashif.org/guidelines/clearKey" Lic_type="EME-1.0">https://a.example/2</ck:Laurl>'
    )
    assert dash.parse_fragment(old).laurl == "https://a.example/2"


def test_fragments_may_be_several_elements_or_a_whole_one() -> None:
    """CPIX carries elements in a row; some documents carry the ContentProtection element itself, with comments."""
    box = widevine.pssh_box([KID])
    plain = dash.parse_fragment(b"<!-- x -->" + dash.content_protection(box) + b"\n<a/>")
    assert (plain.boxes, plain.system_id) == ((box,), None)
    whole = dash.element(DrmSystem.WIDEVINE, dash.content_protection(box)).encode()
    assert dash.parse_fragment(whole).system_id == DrmSystem.WIDEVINE.system_id


def test_a_bare_playready_object_counts_as_box() -> None:
    """mspr:pro without cenc:pssh gives a box with the same data."""
    box = playready.pssh_box([KID])
    fragment = dash.content_protection(box)
    pro = fragment[fragment.index(b"<mspr:pro") :]
    assert dash.parse_fragment(pro).all_boxes == (box,)


def test_marlin_names_its_key_ids() -> None:
    """Marlin's element is read, the system ID in upper case as Marlin writes it, other identifiers passed over."""
    marlin = (
        '<ContentProtection schemeIdUri="urn:uuid:5E629AF5-38DA-4063-8977-97FFBD9902D4">'
        '<mas:MarlinContentIds xmlns:mas="urn:marlin:mas:1-0:services:schemas:mpd">'
        f"<mas:MarlinContentId> urn:marlin:kid:{KID.hex} </mas:MarlinContentId>"
        "<mas:MarlinContentId>urn:marlin:organization:x</mas:MarlinContentId>"
        "</mas:MarlinContentIds></ContentProtection>"
    )
    read = dash.parse_mpd(_mpd(marlin))[0]
    assert (read.system_id, read.marlin_kids) == (DrmSystem.MARLIN.system_id, (KID,))
    with pytest.raises(SignalingError, match="line 1: the Marlin content ID 'urn:marlin:kid:12' does not end with"):
        dash.parse_mpd(_mpd(marlin.replace(KID.hex, "12")))


@pytest.mark.parametrize(
    ("fragment", "reason"),
    [
        (b"<a>", "the DASH fragment is not well-formed"),
        (b"<cenc:pssh>AAAA</cenc:pssh>", "not well-formed XML.*cenc"),
        (b'<cenc:pssh>AAAA</cenc:pssh><a xml:space="x"/>', "not well-formed XML.*cenc"),
        (b"AAAA", "the DASH fragment has text beside its elements"),
        (b"<a/>AAAA", "the DASH fragment has text beside its elements"),
        (b"\xef\xbb\xbf<a/>", "starts with a byte order mark"),
        (b'<p:pssh xmlns:p="urn:mpeg:cenc:2013">AAAA</p:pssh>', "line 1: PSSH box 1 at byte 0"),
        (b'<p:pssh xmlns:p="urn:mpeg:cenc:2013">!</p:pssh>', "line 1: cenc:pssh is not base64"),
        (b'<p:pro xmlns:p="urn:microsoft:playready">AAAA</p:pro>', "line 1: a PlayReady Object has at least 6 bytes"),
    ],
)
def test_broken_fragments_are_refused(fragment: bytes, reason: str) -> None:
    """XML that is not well-formed and values that do not parse are errors with their line."""
    with pytest.raises(SignalingError, match=reason):
        dash.parse_fragment(fragment)
    assert dash.parse_fragment(b"").boxes == ()


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        (b"<!DOCTYPE MPD><MPD/>", "declares a document type"),
        (b"<MPD", "not well-formed"),
        (
            _mpd(f'\n<ContentProtection xmlns:cenc="{dash.CENC}" cenc:default_KID="{KID.hex}"/>'),
            "line 2: cenc:default_KID: a key ID as a UUID is",
        ),
    ],
)
def test_broken_manifests_are_refused(manifest: bytes, reason: str) -> None:
    """A document type, broken XML and a default_KID without dashes are errors with their place."""
    with pytest.raises(SignalingError, match=reason):
        dash.parse_mpd(manifest)
    assert dash.parse_mpd(_mpd()) == []


def test_an_empty_fragment_is_not_made() -> None:
    """A fragment says something."""
    with pytest.raises(SignalingError, match="needs a PSSH box or a license URL"):
        dash.content_protection()
