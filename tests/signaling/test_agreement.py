"""Everything that a document says about a key and a system must say the same."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from drmkit import cpix
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.secret import Secret
from drmkit.signaling import agreement, common, dash, encodings, fairplay, hls, playready, widevine
from drmkit.signaling.agreement import Checker, Signaling
from drmkit.signaling.filling import fill
from drmkit.signaling.material import make
from drmkit.signaling.playready import PlayReadyObject, Record
from drmkit.signaling.pssh import PsshBox, build, parse_one

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus"
KID = KeyId.from_uuid("b4c3188b-eddd-453d-9bc2-1cbca7566239")
OTHER = KeyId.from_uuid("c6294999-5f48-445f-bcce-f7e5f736d7c6")
SWAPPED = KeyId(KID.guid_le)
KEY = bytes.fromhex("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf")
WIDEVINE, PLAYREADY = DrmSystem.WIDEVINE, DrmSystem.PLAYREADY


def _said(system: DrmSystem, kid: KeyId = KID, scheme: str = "cenc") -> Signaling:
    made = make(system, kid, scheme, key=KEY)
    return Signaling(
        kid=kid,
        system_id=system.system_id,
        scheme=scheme,
        pssh=None if made.pssh is None else made.pssh.to_bytes(),
        content_protection=made.content_protection,
        hls_media=made.hls_media,
        hls_master=made.hls_master,
        smooth=made.smooth,
        key=Secret(KEY),
    )


def _codes(said: Signaling) -> list[str]:
    return [item.code for item in Checker().check(said)]


@pytest.mark.parametrize("scheme", ["cenc", "cens", "cbc1", "cbcs"])
@pytest.mark.parametrize("system", [WIDEVINE, PLAYREADY, DrmSystem.COMMON])
def test_drmkit_s_own_signaling_agrees(system: DrmSystem, scheme: str) -> None:
    """What drmkit makes for a system and a scheme contradicts nothing."""
    assert _codes(_said(system, scheme=scheme)) == []


WV, PR = _said(WIDEVINE), _said(PLAYREADY)
HEADER = playready.header([KID], keys={KID: KEY})
UTF8 = PlayReadyObject((Record(1, HEADER.to_xml().encode()),)).to_bytes()
RELATIVE = playready.pssh_box([KID], la_url="https://a").data.replace(
    "https://a".encode("utf-16-le"), "xxxxx//xa".encode("utf-16-le")
)


@pytest.mark.parametrize(
    ("said", "changes", "expected"),
    [
        (WV, {"pssh": b"\0"}, ["pssh.unreadable"]),
        (WV, {"pssh": PsshBox(WIDEVINE.system_id, data=b"\x12").to_bytes()}, ["pssh.unreadable"]),
        (PR, {"pssh": PsshBox(PLAYREADY.system_id, data=UTF8).to_bytes()}, ["pssh.unreadable"]),
        (WV, {"pssh": common.pssh_box([KID]).to_bytes()}, ["pssh.system-id"]),
        (WV, {"pssh": widevine.pssh_box([OTHER]).to_bytes()}, ["pssh.key-id"]),
        (WV, {"pssh": widevine.pssh_box([KID], "cbcs").to_bytes()}, ["pssh.scheme"]),
        (PR, {"pssh": playready.pssh_box([KID], "cbcs").to_bytes()}, ["pssh.scheme"]),
        (PR, {"pssh": playready.pssh_box([SWAPPED]).to_bytes()}, ["pssh.key-id"]),
        (PR, {"pssh": playready.pssh_box([KID], keys={KID: bytes(16)}).to_bytes()}, ["pssh.checksum"]),
        (PR, {"pssh": PsshBox(PLAYREADY.system_id, data=RELATIVE).to_bytes()}, ["pssh.header"]),
    ],
)
def test_boxes_against_their_key(said: Signaling, changes: dict[str, Any], expected: list[str]) -> None:
    """A box of another system, key ID, scheme or key, or one that does not parse, is found, and nothing besides."""
    alone = dataclasses.replace(said, content_protection=None, hls_media=None, hls_master=None, smooth=None)
    assert _codes(dataclasses.replace(alone, **changes)) == expected
    assert _codes(alone) == []


def test_a_wrong_guid_order_is_named() -> None:
    """Where the key ID is there with its bytes in the other order, the hint says so."""
    said = dataclasses.replace(PR, pssh=playready.pssh_box([SWAPPED]).to_bytes())
    assert "wrong order" in (Checker().check(said)[0].hint or "")


def _pro(kid: KeyId) -> bytes:
    fragment = dash.content_protection(playready.pssh_box([kid]))
    return fragment[fragment.index(b"<mspr:pro") :]


@pytest.mark.parametrize(
    ("said", "changes", "expected"),
    [
        (WV, {"content_protection": b"<a>"}, ["mpd.unreadable"]),
        (WV, {"content_protection": dash.content_protection(widevine.pssh_box([OTHER]))}, ["mpd.pssh"]),
        (WV, {"content_protection": dash.content_protection(widevine.pssh_box([KID], None))}, ["mpd.pssh"]),
        (WV, {"content_protection": dash.content_protection(common.pssh_box([KID]))}, ["mpd.system-id"]),
        (WV, {"content_protection": dash.element(PLAYREADY, b"").encode()}, ["mpd.system-id"]),
        (WV, {"content_protection": dash.element(WIDEVINE, key_ids=[OTHER]).encode()}, ["mpd.key-id"]),
        (
            WV,
            {"content_protection": dash.content_protection(widevine.pssh_box([OTHER])), "pssh": None},
            ["mpd.key-id"],
        ),
        (PR, {"content_protection": _pro(OTHER)}, ["mpd.pro"]),
        (PR, {"content_protection": _pro(OTHER), "pssh": None}, ["mpd.key-id"]),
        (WV, {"content_protection": _pro(KID)}, ["mpd.system-id"]),
        (WV, {"content_protection": b"AAAA"}, ["mpd.unreadable"]),
        (WV, {"hls_media": "#EXT-X-KEY:METHOD=AES-128"}, ["hls.unreadable"]),
        (WV, {"hls_media": "#EXTM3U"}, ["hls.no-tag"]),
        (WV, {"hls_media": WV.hls_master}, ["hls.tag"]),
        (WV, {"hls_master": WV.hls_media}, ["hls.tag"]),
        (WV, {"hls_media": hls.key_tag(DrmSystem.FAIRPLAY, KID, "cenc")}, ["hls.keyformat"]),
        (WV, {"hls_media": (WV.hls_media or "").replace("SAMPLE-AES-CTR", "SAMPLE-AES")}, ["hls.method"]),
        (WV, {"hls_media": (WV.hls_media or "").replace(KID.hex.upper(), OTHER.hex)}, ["hls.key-id"]),
        (WV, {"hls_media": (WV.hls_media or "").replace("base64,AAAA", "base64,AAA")}, ["hls.unreadable"]),
        (
            WV,
            {"hls_media": hls.key_tag(WIDEVINE, KID, "cenc", box=widevine.pssh_box([OTHER]))},
            ["hls.pssh"],
        ),
        (
            WV,
            {"hls_media": hls.key_tag(WIDEVINE, KID, "cenc", box=widevine.pssh_box([OTHER])), "pssh": None},
            ["hls.key-id"],
        ),
        (PR, {"smooth": "AAAA"}, ["smooth.unreadable"]),
        (PR, {"smooth": "?"}, ["smooth.unreadable"]),
        (PR, {"smooth": playready.smooth_header(playready.header([OTHER]))}, ["smooth.key-id"]),
    ],
)
def test_manifests_against_the_box(said: Signaling, changes: dict[str, Any], expected: list[str]) -> None:
    """What DASH, HLS or Smooth Streaming say otherwise is found, and nothing besides."""
    assert _codes(dataclasses.replace(said, **changes)) == expected
    assert _codes(said) == []


def test_a_box_of_another_version_with_the_same_data_is_fine_in_hls() -> None:
    """HLS and PSSH may carry the box in different versions, as long as the system's data is the same."""
    box = widevine.pssh_box([KID], "cenc", version=1)
    said = dataclasses.replace(WV, pssh=box.to_bytes(), content_protection=dash.content_protection(box))
    assert _codes(said) == []


def test_fairplay_plays_cbcs_alone() -> None:
    """FairPlay with any other scheme is found; what its URI says is the service's own affair."""
    tag = hls.key_tag(DrmSystem.FAIRPLAY, KID, "cenc")
    said = Signaling(kid=KID, system_id=DrmSystem.FAIRPLAY.system_id, scheme="cenc", hls_media=tag)
    assert _codes(said) == ["fairplay.scheme"]
    assert _codes(dataclasses.replace(said, scheme="cbcs", hls_media=tag.replace("-CTR", ""))) == []
    own = '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://asset",KEYFORMAT="com.apple.streamingkeydelivery"'
    assert _codes(dataclasses.replace(said, scheme=None, hls_media=own)) == []


IV = bytes(range(16, 32))


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        (hls.key_tag(DrmSystem.FAIRPLAY, KID, iv=IV), []),
        (hls.key_tag(DrmSystem.FAIRPLAY, KID, iv=IV[::-1]), ["hls.iv"]),
        (hls.key_tag(DrmSystem.FAIRPLAY, KID), []),
        (hls.key_tag(DrmSystem.FAIRPLAY, KID, iv=IV).replace(IV.hex().upper(), "none"), ["hls.unreadable"]),
        (hls.key_tag(DrmSystem.FAIRPLAY, KID, uri=fairplay.uri_with_json(KID, "c", IV)), []),
        (hls.key_tag(DrmSystem.FAIRPLAY, KID, uri=fairplay.uri_with_json(KID, "c")), []),
        (hls.key_tag(DrmSystem.FAIRPLAY, KID, uri=fairplay.uri_with_json(KID, "c", IV[::-1])), ["hls.iv"]),
        (hls.key_tag(DrmSystem.FAIRPLAY, KID, uri=fairplay.uri_with_json(OTHER, "c", IV)), ["hls.key-id"]),
        (hls.key_tag(DrmSystem.FAIRPLAY, KID, uri="skd://eyJLZXlJZCI6IjEifQ=="), []),
        (hls.key_tag(DrmSystem.FAIRPLAY, KID, uri="skd://eyJJViI6Wzdd"), []),
        (hls.key_tag(DrmSystem.FAIRPLAY, KID, uri="skd://eyJJViI6ICIhIn0="), []),
    ],
)
def test_the_iv_of_a_key_is_said_alike(tag: str, expected: list[str]) -> None:
    """An IV in a key tag, or in the JSON of a FairPlay URI, is the explicitIV; other identifiers are not read."""
    said = Signaling(kid=KID, system_id=DrmSystem.FAIRPLAY.system_id, scheme="cbcs", hls_media=tag, iv=IV)
    checker = Checker()
    clean = dataclasses.replace(said, hls_media=hls.key_tag(DrmSystem.FAIRPLAY, KID, iv=IV))
    assert checker.check(clean) == []
    assert [item.code for item in checker.check(said)] == expected
    assert [item.code for item in checker.check(dataclasses.replace(clean, iv=IV[::-1]))] == ["hls.iv"]


def test_a_document_s_ivs_are_compared_with_its_key_tags() -> None:
    """A CPIX document whose key tag states another IV than its content key is found by the check of documents."""
    builder = cpix.Builder(version="2.3", content_id="c").content_key(kid=KID, scheme="cbcs", iv=IV)
    document = builder.drm_system(
        kid=KID, system_id=DrmSystem.FAIRPLAY, hls_media=hls.key_tag(DrmSystem.FAIRPLAY, KID, iv=IV)
    ).build()
    assert agreement.check(document) == []
    document.content_keys[0].iv = IV[::-1]
    assert [item.code for item in agreement.check(document)] == ["hls.iv"]


def test_boxes_without_key_ids_and_unknown_systems_contradict_nothing() -> None:
    """A Widevine box with a content ID alone, and any system that drmkit does not read, are taken as they are."""
    content = widevine.pssh_box([], "cenc", content_id=b"x").to_bytes()
    assert _codes(Signaling(kid=KID, system_id=WIDEVINE.system_id, scheme="cenc", pssh=content)) == []
    odd = "00000000-1111-2222-3333-444444444444"
    box = PsshBox(odd, data=b"opaque").to_bytes()
    tag = '#EXT-X-KEY:METHOD=SAMPLE-AES-CTR,URI="https://a",KEYFORMAT="org.example"'
    assert _codes(Signaling(kid=KID, system_id=odd, scheme="cenc", pssh=box, hls_media=tag)) == []


@pytest.mark.parametrize("system", [WIDEVINE, PLAYREADY, DrmSystem.COMMON])
def test_remembering_hides_nothing(system: DrmSystem) -> None:
    """A checker that has seen a clean wording still finds each fault in the next one, as a new checker does."""
    checker = Checker()
    assert checker.check(_said(system)) == []
    good, bad = _said(system, OTHER), _said(system)
    assert checker.check(good) == []
    mixtures = [
        dataclasses.replace(good, **{name: getattr(bad, name)})
        for name in ("pssh", "content_protection", "hls_media", "hls_master", "smooth")
        if getattr(bad, name) is not None
    ]
    marked = (good.hls_media or "").replace(OTHER.hex.upper(), "\2")
    for said in [
        *mixtures,
        dataclasses.replace(good, hls_media=marked),
        dataclasses.replace(good, key=Secret(KEY[::-1])),
    ]:
        assert checker.check(said) == Checker().check(said)


def test_a_key_id_that_looks_like_another_part_is_not_remembered() -> None:
    """A key ID equal to the system ID, or of few different bytes, could be cut out in the wrong place."""
    for kid in (KeyId.from_uuid(WIDEVINE.system_id), KeyId(bytes(16))):
        checker = Checker()
        assert checker.check(_said(WIDEVINE, kid)) == []
        wrong = dataclasses.replace(_said(WIDEVINE), pssh=build([PsshBox(KID.uuid, data=b"")]))
        assert "pssh.system-id" in [item.code for item in checker.check(wrong)]


def test_a_document_is_checked_as_a_whole() -> None:
    """Each disagreement comes with the line of its entry; values that are no base64 are left to validation."""
    document = cpix.Builder(version="2.3", content_id="a").content_key(kid=KID, key=KEY, scheme="cenc").build()
    fill(document, [WIDEVINE, PLAYREADY])
    assert agreement.check(document) == []
    text = document.to_xml().decode()
    box = WV.pssh or b""
    wrong = parse_one(box).to_base64()
    other = encodings.to_base64(widevine.pssh_box([OTHER]).to_bytes())
    found = agreement.check(cpix.parse(text.replace(f"<cpix:PSSH>{wrong}", f"<cpix:PSSH>{other}").encode()))
    assert [(item.code, item.line) for item in found[:1]] == [("pssh.key-id", 2)]
    assert "mpd.pssh" in [item.code for item in found]
    broken = text.replace(f"<cpix:PSSH>{wrong}", "<cpix:PSSH>???")
    assert agreement.check(cpix.parse(broken.encode())) == []
    for old, new in ((f'DRMSystem kid="{KID}"', 'DRMSystem kid="x"'), ('Scheme="cenc"', 'Scheme="none"')):
        assert agreement.check(cpix.parse(text.replace(old, new).encode())) == []
    unlisted = text.replace(f'ContentKey kid="{KID}"', f'ContentKey kid="{OTHER}"')
    assert agreement.check(cpix.parse(unlisted.encode())) == []


@pytest.mark.skipif(not CORPUS.exists(), reason="../shared is absent")
def test_the_official_vectors_agree_with_themselves() -> None:
    """DASH-IF's document with three systems for four keys, made by another library, contradicts itself nowhere."""
    document = cpix.parse((CORPUS / "dashif-tv__Complex.xml").read_bytes())
    assert len(document.drm_systems) == 12
    assert agreement.check(document) == []
