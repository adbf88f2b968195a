"""The provider: every place filled, nothing lost, the same keys for the same request, refusals in the right words."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from speke_requests import ALL, BOXED, aws_requests, certificate, copy, private_key, request

from drmkit import cpix
from drmkit.cpix.decryption import open_keys
from drmkit.errors import ConfigurationError
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.keys.derivation import DerivedKey
from drmkit.secret import Secret
from drmkit.signaling import fairplay, pssh
from drmkit.signaling.material import Options
from drmkit.speke.answer import check_answer
from drmkit.speke.contract import Refusal
from drmkit.speke.placeholders import Demands
from drmkit.speke.provider import Provider, ProviderAnswer
from drmkit.speke.reading import tag
from drmkit.speke.request import KeyPeriod, Places
from drmkit.speke.sources import from_seeds, from_table
from drmkit.speke.versions import AES128_OF_FIRST_VERSION, VERSIONS

SEEDS = from_seeds("hkdf-sha256", bytes(range(32)), iv_seed=bytes(range(32, 64)))
DEMANDS = Demands(
    robustness={DrmSystem.WIDEVINE: "SW_SECURE_CRYPTO", DrmSystem.PLAYREADY: "2000"},
    allowed_cpc={DrmSystem.WIDEVINE: "urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed:SW", DrmSystem.PLAYREADY: "p:SL"},
    hdcp_level="TYPE-0",
    hdcp_output=b"<o/>",
)
VECTOR = Options(key_uri=lambda kid: f"https://keys.example.com/{kid}", clearkey_laurl="https://keys.example.com/")


def answer(document: cpix.Document, version: str = "2.0", provider: Provider | None = None) -> ProviderAnswer:
    """Send a request to a provider."""
    header = None if version == "1.0" else version
    return (provider or Provider(SEEDS)).respond(document.to_xml(), speke_version=header)


def filled(document: cpix.Document, version: str = "2.0", provider: Provider | None = None) -> cpix.Document:
    """The document that a provider answers."""
    got = answer(document, version, provider)
    assert got.status == 200, got.body
    return cpix.parse(got.body)


def problems(sent: cpix.Document, got: cpix.Document, version: str = "2.0") -> list[str]:
    """What a client would say against an answer."""
    found = check_answer(sent, got, VERSIONS[version])
    return [f"{item.rule}: {item.message}" for item in found if item.severity != "info"]


@pytest.mark.parametrize("path", aws_requests(), ids=lambda path: path.stem)
def test_requests_of_aws_are_answered(path: Path) -> None:
    """Each request of AWS's own suite gets an answer against which nothing can be said."""
    sent = cpix.parse(path.read_bytes())
    got = filled(sent)
    assert problems(sent, got) == []
    assert cpix.validate(got).errors == ()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("systems", [BOXED, ALL], ids=["boxed", "all"])
def test_every_place_is_filled(version: str, systems: tuple[DrmSystem, ...]) -> None:
    """In each version, everything that a request leaves empty comes back with a value."""
    newest = version == "2.1" and systems is BOXED
    places = Places(smooth=systems is BOXED, iv=version != "1.0", robustness=newest, allowed_cpc=newest, hdcp=newest)
    sent = request(version, systems, places=places, periods=[KeyPeriod(index=5)])
    if newest:
        for hdcp in sent.root.iter(tag("HDCPData")):
            etree.SubElement(hdcp, tag("HDCPOutputProtectionData"))
    got = filled(sent, version, Provider(SEEDS, demands=DEMANDS))
    assert problems(sent, got, version) == []
    assert all(not entry.placeholders for entry in got.drm_systems)
    assert all(value for element in got.root.iter(etree.Element) for value in element.attrib.values())


def test_version_1_gets_key_format_and_protection_header() -> None:
    """Version 1.0's own elements hold the base64 that its documentation shows: `identity`, `1`, the object."""
    sent = request("1.0", (DrmSystem.PLAYREADY, DrmSystem.FAIRPLAY), places=Places(smooth=True))
    for element in sent.root.iter(tag("DRMSystem")):
        if element.get("systemId") == DrmSystem.FAIRPLAY.system_id:
            element.set("systemId", AES128_OF_FIRST_VERSION.upper())
    got = filled(sent, "1.0", Provider(SEEDS, options=VECTOR))
    texts = {etree.QName(e).localname: e.text or "" for e in got.root.iter(etree.Element)}
    assert (texts["KeyFormat"], texts["KeyFormatVersions"]) == ("aWRlbnRpdHk=", "MQ==")
    assert base64.b64decode(texts["URIExtXKey"]).startswith(b"https://keys.example.com/")
    box = pssh.from_base64(texts["PSSH"])[0]
    assert base64.b64decode(texts["ProtectionHeader"]) == box.data


_PLACES = (
    "cpix:ContentProtectionData",
    "speke:KeyFormat",
    "speke:KeyFormatVersions",
    "speke:ProtectionHeader",
    "cpix:PSSH",
    "cpix:URIExtXKey",
)


@pytest.mark.parametrize(
    ("system_id", "empty"),
    [
        (AES128_OF_FIRST_VERSION, {"ContentProtectionData", "ProtectionHeader", "PSSH"}),
        (DrmSystem.FAIRPLAY.system_id, {"ContentProtectionData", "ProtectionHeader"}),
        (DrmSystem.WIDEVINE.system_id, {"ProtectionHeader"}),
        (DrmSystem.COMMON.system_id, {"ProtectionHeader"}),
        (DrmSystem.PLAYREADY.system_id, set()),
    ],
)
def test_version_1_asks_every_system_for_every_place(system_id: str, empty: set[str]) -> None:
    """Encryptors of version 1.0 write all places for every system: those that it does not have stay empty, unblamed."""
    kid = "6c5f5206-7d98-4808-84d8-94f132c1e9fe"
    sent = cpix.parse(
        f"""<cpix:CPIX id="5E99137A-BD6C-4ECC-A24D-A3EE04B4E011" xmlns:cpix="urn:dashif:org:cpix"
 xmlns:speke="urn:aws:amazon:com:speke"><cpix:ContentKeyList><cpix:ContentKey kid="{kid}"/></cpix:ContentKeyList>
<cpix:DRMSystemList><cpix:DRMSystem kid="{kid}" systemId="{system_id.upper()}">{"".join(f"<{p}/>" for p in _PLACES)}
</cpix:DRMSystem></cpix:DRMSystemList><cpix:ContentKeyPeriodList>
<cpix:ContentKeyPeriod id="keyPeriod_e64248f6-f307-4b99-aa67-b35a78253622" index="11425"/></cpix:ContentKeyPeriodList>
<cpix:ContentKeyUsageRuleList><cpix:ContentKeyUsageRule kid="{kid}">
<cpix:KeyPeriodFilter periodId="keyPeriod_e64248f6-f307-4b99-aa67-b35a78253622"/></cpix:ContentKeyUsageRule>
</cpix:ContentKeyUsageRuleList></cpix:CPIX>""".encode()
    )
    got = filled(copy(sent), "1.0", Provider(SEEDS, options=VECTOR))
    places = list(got.drm_systems[0].element.iterchildren(etree.Element))
    assert len(places) == len(_PLACES)
    assert {etree.QName(place).localname for place in places if not place.text} == empty
    assert problems(sent, got, "1.0") == []


def test_version_1_still_refuses_what_it_has_nothing_for() -> None:
    """A system none of whose places can be filled is a refusal in version 1.0 too."""
    sent = request("1.0", (DrmSystem.FAIRPLAY,))
    entry = sent.drm_systems[0].element
    for child in list(entry):
        entry.remove(child)
    etree.SubElement(entry, tag("ContentProtectionData"))
    got = answer(sent, "1.0")
    assert (got.status, got.rule) == (422, "speke-not-supported")
    assert got.body.startswith(b"Unsupported ContentProtectionData for DRMSystem 94ce86fb")


def test_fairplay_gets_the_uri_of_mediapackage_and_a_box() -> None:
    """FairPlay's URI is base64 JSON with content ID, key ID and IV; its PSSH place holds a box that names the key."""
    sent = request(systems=(DrmSystem.FAIRPLAY,))
    entry = sent.drm_systems[0]
    entry.element.insert(0, entry.element.makeelement(tag("PSSH")))
    got = filled(sent)
    first, key = got.drm_systems[0], got.content_keys[0]
    line = first.hls_signaling("media") or ""
    said = json.loads(base64.b64decode(fairplay.identifier(line.split('URI="')[1].split('"')[0])))
    assert key.iv is not None
    assert said == {"ContentId": "my-content", "KeyId": str(key.kid), "IV": base64.b64encode(key.iv).decode()}
    assert first.pssh is not None
    assert pssh.parse_one(first.pssh).key_ids == (key.kid,)


@pytest.mark.parametrize(
    ("system_id", "told"),
    [(DrmSystem.FAIRPLAY.system_id, True), (AES128_OF_FIRST_VERSION, True), (DrmSystem.WIDEVINE.system_id, False)],
)
def test_version_1_tells_the_iv_of_keys_for_hls(system_id: str, *, told: bool) -> None:
    """What is encrypted with one IV comes with it, though version 1.0 names no scheme: else the URI's is another."""
    sent = request("1.0", (DrmSystem.FAIRPLAY if told else DrmSystem.WIDEVINE,))
    for entry in sent.drm_systems:
        entry.element.set("systemId", system_id)
    got = filled(sent, "1.0", Provider(SEEDS, options=VECTOR))
    assert [key.iv is not None for key in got.content_keys] == [told]
    assert problems(sent, got, "1.0") == []


def test_fairplay_without_an_iv_says_none() -> None:
    """A key source without IVs leaves explicitIV and the IV of the URI away."""
    got = filled(request(systems=(DrmSystem.FAIRPLAY,)), provider=Provider(from_seeds("hkdf-sha256", bytes(range(32)))))
    assert got.content_keys[0].iv is None
    assert fairplay.names((got.drm_systems[0].hls_signaling() or "").split('"')[5], got.content_keys[0].kid)


def test_a_provider_of_ones_own_may_have_its_own_fairplay_uri() -> None:
    """The form of the URI is the license service's affair."""
    provider = Provider(SEEDS, fairplay_uri=lambda kid, content_id, iv: f"skd://{content_id}/{kid.hex}")
    line = filled(request(systems=(DrmSystem.FAIRPLAY,)), provider=provider).drm_systems[0].hls_signaling()
    assert "skd://my-content/" in (line or "")


def test_comments_inside_of_empty_places_stay() -> None:
    """A place is empty whatever comments stand in it, and they stay there, behind the value."""
    sent = request(systems=BOXED)
    places = [place for entry in sent.drm_systems for place in entry.element]
    for place in places:
        place.append(etree.Comment(" filled by the provider "))
        place[-1].tail = "\n"
    got = filled(sent)
    found = [place for entry in got.drm_systems for place in entry.element]
    assert len(found) == len(places)
    assert all(place.text and place[0].text == " filled by the provider " for place in found)
    assert problems(sent, got) == []


def test_nothing_of_a_request_is_lost() -> None:
    """Comments, unknown elements and attributes, names, white space and prefixes come back as they were."""
    sent = request()
    sent.drm_systems[0].name = "first"
    sent.root.insert(0, etree.Comment(" a comment "))
    foreign = etree.SubElement(sent.drm_systems[0].element, "{urn:example}extra", {"{urn:example}a": "b"})
    foreign.text = "kept"
    etree.indent(sent.root, "  ")
    raw = sent.to_xml().replace(b"cpix:", b"c:").replace(b"xmlns:cpix", b"xmlns:c")
    got = cpix.parse(Provider(SEEDS).respond(raw, speke_version="2.0").body)
    original = cpix.parse(raw)
    for document in (got, original):
        for element in document.root.iter(tag("Data")):
            element.clear()
        for element in list(document.root.iter(tag("Data"))):
            parent = element.getparent()
            assert parent is not None
            parent.remove(element)
        for key in document.content_keys:
            key.iv = None
        for entry in document.drm_systems:
            for child in entry.element.iterchildren(tag("PSSH"), tag("ContentProtectionData"), tag("HLSSignalingData")):
                child.text = None
        etree.indent(document.root, "")
    assert etree.tostring(got.root, method="c14n") == etree.tostring(original.root, method="c14n")
    assert b"<c:CPIX" in Provider(SEEDS).respond(raw, speke_version="2.0").body


@pytest.mark.parametrize("encrypted", [False, True])
def test_text_where_none_belongs_is_not_lost(encrypted: bool) -> None:
    """Text between the elements of a request, which CPIX does not allow, comes back once, wherever it stands."""
    sent = request(certificates=[certificate()] if encrypted else ())
    positions = [element for element in sent.root.iter() if element is not sent.root]
    for number, element in enumerate(positions):
        element.tail = f"<{number}>"
    for parent in {element.getparent() for element in positions}:
        assert parent is not None
        parent.text = f"<{parent.tag}>"
    got = "".join(str(text) for text in filled(sent).root.itertext())
    wanted = [str(text) for text in sent.root.itertext() if str(text).startswith("<")]
    assert len(wanted) > len(positions)
    assert [text for text in wanted if got.count(text) != wanted.count(text)] == []


def test_empty_elements_of_others_are_no_places() -> None:
    """An empty element, or an empty attribute, in a foreign namespace comes back as it was, and no rule minds it."""
    sent = request(systems=(DrmSystem.WIDEVINE,))
    for entry in sent.drm_systems:
        etree.SubElement(entry.element, "{urn:example}flag", {"on": ""})
    got = filled(sent)
    flags = list(got.root.iter("{urn:example}flag"))
    assert [(flag.text, dict(flag.attrib)) for flag in flags] == [(None, {"on": ""})] * len(sent.drm_systems)
    assert problems(sent, got) == []
    bare = request("1.0", bare=True)
    etree.SubElement(bare.drm_systems[0].element, "{urn:example}flag")
    assert filled(bare, version="1.0").drm_systems[0].pssh is not None


def test_a_key_in_a_request_is_not_replaced_in_silence() -> None:
    """A request with a key of its own is refused; one with the right key, or with an empty place for it, is filled."""
    sent = request()
    first = sent.content_keys[0]
    first.key = bytes(range(16))
    got = answer(sent)
    text = f"ContentKey for KID {first.kid} has another value already"
    assert (got.status, got.body.decode(), got.rule) == (422, text, "speke-key-given")
    assert answer(filled(request())).status == 200
    for plain in sent.root.iter("{*}PlainValue"):
        plain.text = None
    assert answer(sent).status == 200
    assert answer(filled(request(certificates=[certificate(2048)]))).rule == "speke-key-given"


def test_what_is_filled_already_stays() -> None:
    """Values that an encryptor sends are no places to fill: its IV, its box."""
    sent = request(systems=(DrmSystem.WIDEVINE,))
    for key in sent.content_keys:
        key.iv = bytes(16)
    entry = sent.drm_systems[0]
    for child in entry.element:
        child.text = "AAAA"
    got = filled(sent)
    assert [key.iv for key in got.content_keys] == [bytes(16)] * 2
    assert [child.text for child in got.drm_systems[0].element] == ["AAAA"] * 4


@settings(max_examples=20)
@given(st.binary(min_size=16, max_size=16), st.booleans())
def test_the_same_key_id_gets_the_same_key(raw: bytes, upper: bool) -> None:
    """Whatever the case of a key ID and whatever else is asked for, its key is the same."""
    kid = KeyId(raw)
    sent = request(
        systems=(DrmSystem.WIDEVINE,), key_ids=lambda track, _: kid if track == "VIDEO" else KeyId(b"A" * 16)
    )
    if upper:
        for element in sent.root.iter(etree.Element):
            if element.get("kid"):
                element.set("kid", element.get("kid", "").upper())
    key = filled(sent).content_keys.get(kid)
    expected = SEEDS(kid, "")
    assert key is not None
    assert expected is not None
    if kid != KeyId(b"A" * 16):
        assert key.key == expected.key
        assert (key.element.get("kid") or "").isupper() == (upper and any(c.isalpha() for c in str(kid)))


def test_a_table_knows_its_keys_and_no_others() -> None:
    """A table gives exactly what it holds; another key ID is refused in words."""
    kids = {"VIDEO": KeyId(bytes(range(16))), "AUDIO": KeyId(bytes(range(1, 17)))}
    table = {kids["VIDEO"]: bytes(16), kids["AUDIO"]: Secret(b"k" * 16)}
    sent = request(key_ids=lambda track, _: kids[track])
    got = filled(sent, provider=Provider(from_table(table, ivs={kids["VIDEO"]: b"i" * 16})))
    assert [key.key and key.key.reveal() for key in got.content_keys] == [bytes(16), b"k" * 16]
    assert [key.iv for key in got.content_keys] == [b"i" * 16, None]
    stranger = answer(request(), provider=Provider(from_table(table)))
    assert stranger.status == 422
    assert stranger.body.startswith(b"No key for KID ")


@pytest.mark.parametrize(("key", "iv"), [(b"short", b"i" * 16), (b"k" * 16, b"short")])
def test_a_table_holds_keys_of_16_bytes(key: bytes, iv: bytes) -> None:
    """A key or IV of another length is refused when the table is made, without being shown."""
    kid = KeyId(bytes(16))
    with pytest.raises(ConfigurationError, match="16 bytes each") as caught:
        from_table({kid: key}, ivs={kid: iv})
    assert "short" not in str(caught.value)


def test_keys_are_encrypted_for_the_recipients_of_the_request() -> None:
    """A request with a certificate gets encrypted keys that its private key opens to the keys in the clear."""
    sent = request(certificates=[certificate()])
    sent.recipients[0].id = "origin"
    got = filled(sent)
    assert all(key.is_encrypted for key in got.content_keys)
    assert got.recipients[0].id == "origin"
    clear = {key.kid: key.key for key in filled(request()).content_keys}
    assert dict(open_keys(got, private_key(2048))) == clear
    assert problems(sent, got) == []


@pytest.mark.parametrize("version", VERSIONS)
def test_encryption_serves_every_version(version: str) -> None:
    """Version 1.0 encrypts too."""
    sent = request(version, certificates=[certificate()])
    assert problems(sent, filled(sent, version), version) == []


def test_a_signature_does_not_survive_filling() -> None:
    """SPEKE has no signatures, and one over what is filled could not hold: it is taken away."""
    sent = request()
    etree.SubElement(sent.root, "{http://www.w3.org/2000/09/xmldsig#}Signature")
    assert len(filled(sent).signatures) == 0


def test_a_document_can_be_filled_in_place() -> None:
    """`fill` works on a document, for providers that have no HTTP."""
    sent = request()
    got = Provider(SEEDS).fill(sent, VERSIONS["2.0"])
    assert got is sent
    broken = request()
    broken.content_id = None
    refused = Provider(SEEDS).fill(broken, VERSIONS["2.0"])
    assert refused == Refusal("speke-content-id", "Missing CPIX@contentId")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", "Malformed CPIX document: the document is empty"),
        (b"nothing", "Malformed CPIX document: not well-formed XML"),
        (b"<MPD/>", "Malformed CPIX document: the root element is 'MPD'"),
        (b"<!DOCTYPE a><a/>", "Malformed CPIX document: a document type declaration"),
    ],
)
def test_what_is_no_document_is_answered_400(body: bytes, text: str) -> None:
    """Bodies that are not CPIX are refused as such, entities and all."""
    got = Provider(SEEDS).respond(body, speke_version="2.0")
    assert got.status == 400
    assert got.body.decode().startswith(text)
    assert got.headers["Content-Type"].startswith("text/plain")


def test_headers_name_version_and_provider() -> None:
    """An answer echoes `X-Speke-Version` and names the provider, also where it refuses."""
    good = answer(request())
    assert good.headers == {
        "Content-Type": "application/xml; charset=utf-8",
        "X-Speke-User-Agent": good.headers["X-Speke-User-Agent"],
        "X-Speke-Version": "2.0",
    }
    bad = Provider(SEEDS, versions=["2.1"]).respond(request().to_xml(), speke_version="2.0")
    assert (bad.status, bad.body) == (422, b"Unsupported SPEKE version")
    assert bad.headers["X-Speke-Version"] == "2.0"
    assert "Speke-User-Agent" in answer(request("1.0"), "1.0").headers


def test_a_header_that_cannot_be_sent_is_not_echoed() -> None:
    """A version header with control characters comes back in no header."""
    got = Provider(SEEDS).respond(b"", speke_version="2.0\r\nX: y")
    assert got.status == 422
    assert "X-Speke-Version" not in got.headers


def test_security_levels_are_the_providers_affair() -> None:
    """A contract that the licenses do not allow is refused with the prescribed text."""
    got = answer(request(), provider=Provider(SEEDS, supports=lambda document: False))
    assert (got.status, got.body) == (422, b"Requested CPIX encryption contract not supported")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ("systemId", "Unsupported DRMSystem 5e629af5-38da-4063-8977-97ffbd9902d4"),
        ("HLSAllowedCPC", "Unsupported DRMSystem@HLSAllowedCPC"),
        ("child", "Unsupported HDSSignalingData for DRMSystem edef8ba9-79d6-4ace-a3c8-27dcd51d21ed"),
        ("explicitIV", "Unsupported ContentKey@explicitIV"),
        ("hdcp", "Unsupported HDCPData@HLSHDCPLevel"),
        ("hdcp-output", "Unsupported HDCPOutputProtectionData"),
        ("key_uri", "AES-128 clear key needs the URI of the key"),
    ],
)
def test_what_cannot_be_filled_is_refused(change: str, text: str) -> None:
    """A place for which the provider has nothing is a refusal that names it: an answer with holes would be worse."""
    sent = request(systems=(DrmSystem.WIDEVINE,))
    entry, key = sent.drm_systems[0].element, sent.content_keys[0].element
    if change == "systemId":
        entry.set("systemId", DrmSystem.MARLIN.system_id)
    elif change == "HLSAllowedCPC":
        entry.set("HLSAllowedCPC", "")
    elif change == "child":
        etree.SubElement(entry, tag("HDSSignalingData"))
    elif change == "explicitIV":
        key.set("explicitIV", "")
    elif change == "hdcp":
        etree.SubElement(key, tag("HDCPData"), HLSHDCPLevel="")
    elif change == "hdcp-output":
        etree.SubElement(etree.SubElement(key, tag("HDCPData"), HLSHDCPLevel="NONE"), tag("HDCPOutputProtectionData"))
    else:
        sent = request(systems=(DrmSystem.CLEARKEY_AES128,))
    got = answer(sent, provider=Provider(from_seeds("hkdf-sha256", bytes(range(32)))))
    assert (got.status, got.body.decode()) == (422, text)


def test_systems_without_places_are_filled_whole() -> None:
    """Some encryptors name a DRM system and leave no places: it gets all that its system has."""
    sent = request(bare=True)
    got = filled(sent)
    for entry in got.drm_systems:
        assert entry.hls_signaling("media") is not None
        assert entry.hls_signaling("master") is not None
        assert (entry.pssh is None) == (entry.system_id == DrmSystem.FAIRPLAY.system_id)
    assert [f for f in cpix.validate(got).errors if f.rule.startswith("structure")] == []


def test_a_clear_key_names_its_uri() -> None:
    """AES-128 in HLS gets a key tag with the provider's own URI."""
    sent = request(systems=(DrmSystem.CLEARKEY_AES128,))
    line = filled(sent, provider=Provider(SEEDS, options=VECTOR)).drm_systems[0].hls_signaling()
    assert "METHOD=AES-128" in (line or "")
    assert "https://keys.example.com/" in (line or "")


def test_an_unchecked_provider_fills_what_it_can() -> None:
    """`checked=False` answers requests that break the contract, and still refuses what cannot be read."""
    sent = request(systems=(DrmSystem.WIDEVINE,))
    sent.content_id = None
    sent.drm_systems[0].kid = KeyId(bytes(16))
    provider = Provider(SEEDS, checked=False)
    assert answer(sent, provider=provider).status == 200
    for key in sent.content_keys:
        del key.element.attrib["kid"]
    assert answer(sent, provider=provider).status == 400
    sent = request(systems=(DrmSystem.WIDEVINE,))
    for key in sent.content_keys:
        key.scheme = "NONE"
    assert b"Nothing to signal" in answer(sent, provider=provider).body
    broken = request(certificates=[certificate()])
    for element in list(broken.root.iter("{http://www.w3.org/2000/09/xmldsig#}X509Certificate")):
        element.text = "AAAA"
    refused = answer(broken, provider=provider)
    assert (refused.status, refused.rule) == (422, "speke-certificate")


def test_no_key_shows_in_a_repr() -> None:
    """Neither the answer nor the provider shows keys when printed."""
    got = answer(request())
    keys = [key.key.reveal() for key in cpix.parse(got.body).content_keys if key.key]
    shown = repr(got) + repr(Provider(SEEDS))
    assert keys
    assert not any(base64.b64encode(key).decode() in shown for key in keys)
    assert len(got.kids) == 2


def test_a_source_is_any_function() -> None:
    """A function of key ID and content ID is a key source."""
    seen: list[tuple[KeyId, str]] = []

    def source(kid: KeyId, content_id: str) -> DerivedKey:
        seen.append((kid, content_id))
        return DerivedKey(kid, Secret(b"k" * 16), b"i" * 16)

    sent = request()
    filled(copy(sent), provider=Provider(source))
    assert seen == [(key.kid, "my-content") for key in sent.content_keys]
