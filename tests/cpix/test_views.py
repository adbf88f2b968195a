"""Typed views read and write exactly their own place in the tree."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from lxml import etree

from drmkit import cpix
from drmkit.cpix.assessment import child_names
from drmkit.cpix.delivery import DocumentKey, MACMethod, Recipient
from drmkit.cpix.entities import HDCPData
from drmkit.cpix.view import Attribute, Content, View
from drmkit.errors import CpixError, IdentifierError
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.secret import Secret

PSKC = "urn:ietf:params:xml:ns:keyprov:pskc"
KID = KeyId.from_uuid("b4c3188b-eddd-453d-9bc2-1cbca7566239")
ROOT_KID = KeyId.from_uuid("a466cdfd-e556-4b1d-8098-c1a4aa78997a")
VIEWS: dict[str, type[View]] = {
    "CPIX": cpix.Document,
    "ContentKey": cpix.ContentKey,
    "HDCPData": HDCPData,
    "DRMSystem": cpix.DRMSystem,
    "ContentKeyPeriod": cpix.ContentKeyPeriod,
    "ContentKeyUsageRule": cpix.UsageRule,
    "UpdateHistoryItem": cpix.UpdateHistoryItem,
    "DeliveryData": Recipient,
    "DocumentKey": DocumentKey,
    "MACMethod": MACMethod,
}
ELSEWHERE = {
    "CPIX": {"DeliveryDataList", "ContentKeyList", "DRMSystemList", "ContentKeyPeriodList", "ContentKeyUsageRuleList"}
    | {"UpdateHistoryItemList", "Signature"},
    "ContentKey": {"HDCPData", "Data", "AlgorithmParameters", "Policy", "Extensions"},
    "DRMSystem": {"systemId", "HLSSignalingData"},
    "ContentKeyUsageRule": {"KeyPeriodFilter", "LabelFilter", "VideoFilter", "AudioFilter", "BitrateFilter"},
    "DeliveryData": {"DeliveryKey", "DocumentKey", "MACMethod"},
    "DocumentKey": {"Data", "Issuer", "AlgorithmParameters", "KeyProfileId", "KeyReference", "FriendlyName", "UserId"}
    | {"Policy", "Extensions"},
    "MACMethod": {"MACKey", "MACKeyReference"},
}
"""What is reached by collections, by properties of its own kind, or through `element`."""


@pytest.mark.parametrize("name", VIEWS)
def test_every_element_and_attribute_of_the_table_has_its_property(name: str) -> None:
    """Whatever any version's schema gives an element is reached by a typed property of its view."""
    covered = set(ELSEWHERE.get(name, set()))
    for owner in VIEWS[name].__mro__:
        for member in vars(owner).values():
            if isinstance(member, Attribute):
                covered.add(member.name)
            elif isinstance(member, Content):
                covered.add(member.local)
    wanted: set[str] = set()
    for version in cpix.VERSIONS:
        attributes, children = child_names(version).get(f"{{urn:dashif:org:cpix}}{name}", (frozenset(), frozenset()))
        wanted |= attributes | {etree.QName(child).localname for child in children}
    assert wanted
    assert wanted - covered == set()


def test_a_full_document_reads_as_it_says(full_24: bytes) -> None:
    """Every list of a CPIX 2.4 document is there with its values."""
    document = cpix.parse(full_24)
    assert (document.id, document.content_id, document.name, document.version) == ("doc", "c", "n", "2.4")
    leaf, root = document.content_keys
    assert (leaf.kid, leaf.depends_on, leaf.is_leaf, leaf.iv) == (KID, ROOT_KID, True, bytes(16))
    assert leaf.key == Secret(bytes(range(16)))
    assert (root.key, root.scheme, root.content_id, root.is_leaf) == (None, "cbcs", "c2", False)
    assert root.hdcp is not None
    assert (root.hdcp.hls_level, root.hdcp.output_protection_data, leaf.hdcp) == ("TYPE-1", b"<x/>", None)
    (system,) = document.drm_systems
    assert (system.system_id, system.name, system.update_version) == (DrmSystem.WIDEVINE.system_id, "n", 1)
    assert (system.robustness, system.content_protection_data, system.hls_allowed_cpc) == ("HW", b"<x/>", "a:b")
    assert (system.hls_signaling("media"), system.hls_allowed_cpc_of("media")) == ("#EXT-X-KEY:", "a:b")
    assert system.smooth_protection_header == "x"
    assert [etree.QName(e).localname for e in system.custom_elements] == ["other"]
    assert [p.index for p in document.periods] == [1, None, None, None]
    assert document.periods[0].label == "l"
    rule, other = document.usage_rules
    assert (rule.period_ids, rule.labels, rule.intended_track_type) == (("p1", "p2"), ("x",), "HD")
    assert rule.video_filters == (
        cpix.VideoFilter(min_pixels=1, max_pixels=2, hdr=True, wcg=False, min_fps=1, max_fps=60),
    )
    assert rule.bitrate_filters == (cpix.BitrateFilter(min_bitrate=1, max_bitrate=2),)
    assert other.audio_filters == (cpix.AudioFilter(min_channels=1, max_channels=2),)
    assert other.unknown_filters == ("{urn:example:other}other",)
    (item,) = document.update_history
    assert (item.update_version, item.index, item.source, item.date.year) == (1, "1", "me", 2020)
    (recipient,) = document.recipients
    assert (recipient.certificate, recipient.description) == (bytes(3), "d")
    assert recipient.document_keys[0].encrypts_kids == (KID,)
    assert recipient.document_keys[0].cipher_value == bytes(3)
    assert recipient.mac_method is not None
    assert recipient.mac_method.key_element is not None
    (signature,) = document.signatures
    assert (signature.references, signature.certificates) == (("#keys",), ())


def test_what_older_versions_have_is_read_too(full_231: bytes) -> None:
    """The PSKC parts of content keys, URIExtXKey and HDS data of CPIX up to 2.3.1 have their properties."""
    document = cpix.parse(full_231)
    key = document.content_keys[0]
    assert (key.issuer, key.key_profile_id, key.key_reference, key.friendly_name) == ("i", "p", "r", "f")
    assert (key.user_id, key.algorithm, len(key.extensions)) == ("u", "urn:a", 1)
    assert key.policy is not None
    assert key.algorithm_parameters is not None
    system = document.drm_systems[0]
    assert (system.uri_ext_x_key, system.hds_signaling, system.robustness) == (bytes(3), bytes(3), None)
    method = document.recipients[0].mac_method
    assert method is not None
    assert (method.key_reference, method.key_element) == ("r", None)


@pytest.mark.parametrize(
    "shape",
    [
        "<p:MACKey>{}</p:MACKey>",
        "<c:Key>{}</c:Key>",
        "<c:Key><p:EncryptedValue>{}</p:EncryptedValue><p:ValueMAC>AAAA</p:ValueMAC></c:Key>",
    ],
)
def test_all_three_shapes_of_the_mac_key_are_found(shape: str) -> None:
    """The element with the cipher data is found in each of the shapes that documents use."""
    inner = '<e:CipherData xmlns:e="http://www.w3.org/2001/04/xmlenc#"/>'
    data = (
        '<c:CPIX xmlns:c="urn:dashif:org:cpix" xmlns:p="urn:ietf:params:xml:ns:keyprov:pskc"><c:DeliveryDataList>'
        f'<c:DeliveryData><c:MACMethod Algorithm="a">{shape.format(inner)}</c:MACMethod></c:DeliveryData>'
        "</c:DeliveryDataList></c:CPIX>"
    )
    method = cpix.parse(data.encode()).recipients[0].mac_method
    assert method is not None
    assert method.key_element is not None
    assert etree.QName(method.key_element[0]).localname == "CipherData"


def test_look_up_is_by_identity_not_by_spelling(full_24: bytes) -> None:
    """Keys are found by key ID whatever their case, systems by either case, and absence is None."""
    document = cpix.parse(full_24.replace(str(KID).encode(), str(KID).upper().encode()))
    assert document.content_keys.get(KID) == document.content_keys[0]
    assert KID in document.content_keys
    assert KeyId(bytes(16)) not in document.content_keys
    assert document.content_keys.get(KeyId(bytes(16))) is None
    assert document.drm_systems.get(KID, DrmSystem.WIDEVINE.system_id.upper()) is not None
    assert document.drm_systems.get(KID, DrmSystem.PLAYREADY.system_id) is None
    assert document.drm_systems.get(KID, DrmSystem.WIDEVINE) == document.drm_systems[0]
    for text in (str(KID), str(KID).upper()):
        assert document.content_keys.get(text) == document.content_keys[0]
        assert text in document.content_keys
        assert document.drm_systems.for_key(text) == document.drm_systems.for_key(KID)
        assert document.usage_rules.for_key(text) == document.usage_rules.for_key(KID)
    assert len(document.drm_systems.for_key(KID)) == 1
    assert len(document.usage_rules.for_key(KID)) == 2
    assert document.periods.get("p2") == document.periods[1]
    assert document.recipients.get("d1") == document.recipients[0]
    assert document.recipients.by_certificate(bytes(3)) == document.recipients[0]
    assert document.recipients.by_certificate(b"") is None
    assert document.update_history.get(1) == document.update_history[0]
    assert document.update_history.get(2) is None
    assert document.signatures.get("#keys") == document.signatures[0]
    with pytest.raises(IndexError, match="there are 2 ContentKey elements"):
        document.content_keys[2]
    assert document.content_keys[:1] == [document.content_keys[0]]


def test_an_untouched_document_is_canonically_identical(corpus: dict[str, bytes], full_24: bytes) -> None:
    """Reading and writing changes nothing that Canonical XML sees, comments included."""
    documents = {name: data for name, data in corpus.items() if "EvenMoreComplex" not in name} | {"full": full_24}
    documents["odd"] = (
        b"<?a b?><!-- c --><x:CPIX xmlns:x='urn:dashif:org:cpix'>&#13;\n<y xmlns='urn:y' b='&#10;'/></x:CPIX><!-- d -->"
    )
    for name, data in documents.items():
        before = etree.tostring(etree.ElementTree(etree.fromstring(data)), method="c14n")
        document = cpix.parse(data)
        list(document.content_keys)
        after = etree.tostring(etree.ElementTree(etree.fromstring(document.to_xml())), method="c14n")
        assert before == after, name


def test_a_change_touches_its_own_place_only() -> None:
    """Setting values changes these elements and nothing else: foreign parts, comments, layout and order stay."""
    data = f"""<CPIX xmlns="urn:dashif:org:cpix" xmlns:pskc="{PSKC}" xmlns:o="urn:o" o:z="1">
  <!-- one -->
  <ContentKeyList>
    <ContentKey kid="{KID}" o:a="b"/>
  </ContentKeyList>
  <DRMSystemList>
    <DRMSystem kid="{KID}" systemId="{DrmSystem.WIDEVINE.system_id}">
      <PSSH/><!-- two -->
      <HLSSignalingData playlist="master"/>
      <o:own>x</o:own>
    </DRMSystem>
  </DRMSystemList>
</CPIX>""".encode()
    document = cpix.parse(data)
    document.content_keys[0].key = bytes(16)
    system = document.drm_systems[0]
    assert system.placeholders == ("PSSH", "HLSSignalingData")
    system.pssh = b"box"
    system.content_protection_data = b"<x/>"
    system.set_hls_signaling("master", "#S")
    system.set_hls_signaling("media", "#K")
    system.name = "W"
    text = document.to_xml().decode().split("?>\n", 1)[1]
    assert text == data.decode().replace(
        f'<ContentKey kid="{KID}" o:a="b"/>',
        f'<ContentKey kid="{KID}" o:a="b"><Data><pskc:Secret>'
        "<pskc:PlainValue>AAAAAAAAAAAAAAAAAAAAAA==</pskc:PlainValue>"
        "</pskc:Secret></Data></ContentKey>",
    ).replace("<PSSH/>", "<PSSH>Ym94</PSSH>").replace(
        '<!-- two -->\n      <HLSSignalingData playlist="master"/>',
        "<!-- two -->\n      <ContentProtectionData>PHgvPg==</ContentProtectionData>\n      "
        '<HLSSignalingData playlist="master">I1M=</HLSSignalingData>\n      '
        '<HLSSignalingData playlist="media">I0s=</HLSSignalingData>',
    ).replace(f'systemId="{DrmSystem.WIDEVINE.system_id}">', f'systemId="{DrmSystem.WIDEVINE.system_id}" name="W">')


def test_setting_none_takes_a_value_away(full_24: bytes) -> None:
    """None removes an attribute, a child, a key or a playlist's data; doing it twice is harmless."""
    document = cpix.parse(full_24)
    document.signatures.remove(document.signatures[0])
    key, system = document.content_keys[0], document.drm_systems[0]
    for _ in range(2):
        key.key = None
        key.iv = None
        system.pssh = None
        system.robustness = None
        system.set_hls_signaling("media", None)
        document.content_id = None
    assert (key.key, key.iv, system.pssh, system.robustness, system.hls_signaling("media")) == (None,) * 5
    assert document.content_id is None
    assert system.hls_allowed_cpc_of("media") is None


def test_taking_away_what_is_not_there_adds_nothing() -> None:
    """A robustness that is set to None makes no ContentProtectionData to have none."""
    data = (
        f'<CPIX xmlns="urn:dashif:org:cpix"><DRMSystemList><DRMSystem kid="{KID}" '
        f'systemId="{DrmSystem.WIDEVINE.system_id}"/></DRMSystemList></CPIX>'
    )
    document = cpix.parse(data.encode())
    document.drm_systems[0].robustness = None
    assert etree.tostring(document.root) == data.encode()


def test_the_system_of_an_entry_can_be_changed(full_24: bytes) -> None:
    """A system ID is set as a UUID or as a known DRM system, and found under it."""
    document = cpix.parse(full_24)
    document.signatures.remove(document.signatures[0])
    system = document.drm_systems[0]
    for value in (DrmSystem.PLAYREADY, DrmSystem.PLAYREADY.system_id.upper()):
        system.system_id = value
        assert system.system_id == DrmSystem.PLAYREADY.system_id
        assert document.drm_systems.get(system.kid, DrmSystem.PLAYREADY.system_id) == system


def test_a_key_in_the_clear_takes_the_place_of_an_encrypted_one() -> None:
    """Setting a key removes the encrypted value and its MAC."""
    data = (
        f'<CPIX xmlns="urn:dashif:org:cpix" xmlns:p="{PSKC}"><ContentKeyList><ContentKey kid="{KID}">'
        "<Data><p:Secret><p:EncryptedValue/><p:ValueMAC>AAAA</p:ValueMAC></p:Secret></Data></ContentKey></ContentKeyList></CPIX>"
    )
    key = cpix.parse(data.encode()).content_keys[0]
    assert (key.is_encrypted, key.key, key.value_mac, key.cipher_value) == (True, None, bytes(3), None)
    key.key = Secret(bytes(16))
    assert (key.is_encrypted, key.key, key.value_mac) == (False, Secret(bytes(16)), None)


def test_names_of_playlists_follow_the_version() -> None:
    """New HLS data is named as the document's version names playlists; all names read as one."""
    names = {
        "2.1": ["master", "variant"],
        "2.3": ["master", "media"],
        "2.4": ["multiVariant", "media"],
        None: ["master", "media"],
    }
    for version, wanted in names.items():
        given = f' version="{version}"' if version else ""
        body = f'<DRMSystemList><DRMSystem kid="{KID}" systemId="{KID}"/></DRMSystemList>'
        data = f'<CPIX xmlns="urn:dashif:org:cpix"{given}>{body}</CPIX>'
        system = cpix.parse(data.encode()).drm_systems[0]
        system.set_hls_signaling("multiVariant", "#S")
        system.set_hls_signaling("media", "#K")
        assert [e.get("playlist") for e in system.element] == wanted
        assert (system.hls_signaling("master"), system.hls_signaling("variant")) == ("#S", "#K")
    with pytest.raises(CpixError, match="no playlist is called 'main'"):
        system.hls_signaling("main")


SIGNED = (
    '<CPIX xmlns="urn:dashif:org:cpix"><ContentKeyList id="keys"><ContentKey kid="{kid}"/></ContentKeyList>'
    '<DRMSystemList><DRMSystem kid="{kid}" systemId="{kid}"/></DRMSystemList>'
    '<d:Signature xmlns:d="http://www.w3.org/2000/09/xmldsig#"><d:SignedInfo><d:Reference URI="{uri}"/></d:SignedInfo>'
    "</d:Signature></CPIX>"
)


def test_a_signed_part_cannot_be_changed_before_the_signature_goes() -> None:
    """A change under a signed ID is refused and names the way out; others can be changed; after removal all can."""
    document = cpix.parse(SIGNED.format(kid=KID, uri="#keys").encode())
    with pytest.raises(CpixError, match="is signed") as refused:
        document.content_keys[0].scheme = "cbcs"
    assert "document.signatures.remove" in (refused.value.hint or "")
    with pytest.raises(CpixError, match="is signed"):
        document.content_keys.remove(document.content_keys[0])
    with pytest.raises(CpixError, match="is signed"):
        cpix.Builder.extending(document, version="2.3").content_key(kid=ROOT_KID)
    document.drm_systems[0].name = "free"
    document.signatures.remove(document.signatures[0])
    document.content_keys[0].scheme = "cbcs"
    assert document.content_keys[0].scheme == "cbcs"
    assert len(document.signatures) == 0


@pytest.mark.parametrize("uri", ["", "#xpointer(/)", "other.xml"])
def test_a_signature_over_the_whole_covers_everything(uri: str) -> None:
    """An empty URI, or one that is no plain ID, counts as covering the document."""
    document = cpix.parse(SIGNED.format(kid=KID, uri=uri).encode())
    with pytest.raises(CpixError, match="is signed"):
        document.drm_systems[0].name = "x"
    with pytest.raises(CpixError, match="is signed"):
        document.content_id = "x"


def test_removing_the_last_item_removes_the_list(full_24: bytes) -> None:
    """CPIX 2.4 has no empty lists: the last item takes its list along; what is not there cannot be removed."""
    document = cpix.parse(full_24)
    system = document.drm_systems[0]
    document.drm_systems.remove(system)
    assert document.drm_systems.list_element is None
    assert (document.drm_systems.id, document.drm_systems.update_version) == (None, None)
    with pytest.raises(CpixError, match="not in this document"):
        document.drm_systems.remove(system)
    with pytest.raises(CpixError, match="not in this document"):
        document.signatures.remove(cpix.parse(full_24).signatures[0])
    with pytest.raises(CpixError, match="has no DRMSystemList"):
        document.drm_systems.id = "x"


def test_lists_carry_an_id_and_an_update_version(full_24: bytes) -> None:
    """The list's own attributes are read and set."""
    document = cpix.parse(full_24)
    document.signatures.remove(document.signatures[0])
    keys = document.content_keys
    assert (keys.id, keys.update_version) == ("keys", 1)
    keys.id, keys.update_version = "other", None
    assert (keys.id, keys.update_version) == ("other", None)


def test_removing_keeps_the_text_around() -> None:
    """Foreign text behind a removed element stays."""
    key = f'<ContentKey kid="{KID}"/>'
    data = f'<CPIX xmlns="urn:dashif:org:cpix"><ContentKeyList>a{key}b{key}c</ContentKeyList></CPIX>'
    document = cpix.parse(data.encode())
    document.content_keys.remove(document.content_keys[1])
    document.content_keys.remove(document.content_keys[0])
    assert b"ContentKeyList" not in document.to_xml()


def test_unreadable_values_raise_where_they_are_asked_for() -> None:
    """A bad value raises CpixError with its line when it is read, without showing what may be secret."""
    data = (
        f'<CPIX xmlns="urn:dashif:org:cpix" xmlns:p="{PSKC}">\n<ContentKeyList><ContentKey kid="x" explicitIV="@@"'
        "><Data><p:Secret><p:PlainValue>CANARY@</p:PlainValue></p:Secret></Data></ContentKey><ContentKey/></ContentKeyList>"
        "<DRMSystemList><DRMSystem><HLSSignalingData>/w==</HLSSignalingData></DRMSystem></DRMSystemList></CPIX>"
    )
    document = cpix.parse(data.encode())
    key, bare = document.content_keys
    with pytest.raises(CpixError, match="kid in line 2 is not a key ID"):
        _ = key.kid
    with pytest.raises(CpixError, match="explicitIV in line 2 is not base64: 2 characters"):
        _ = key.iv
    with pytest.raises(CpixError, match="PlainValue in line 2") as refused:
        _ = key.key
    assert "CANARY" not in str(refused.value)
    with pytest.raises(CpixError, match="has no kid"):
        _ = bare.kid
    with pytest.raises(CpixError, match="has no systemId"):
        _ = document.drm_systems[0].system_id
    with pytest.raises(CpixError, match="not UTF-8"):
        document.drm_systems[0].hls_signaling()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda d: setattr(d.content_keys[0], "key", "0123456789abcdef"), "bytes are needed here, not str"),
        (lambda d: setattr(d.content_keys[0], "kid", str(KID)), "a key ID is a KeyId, not str"),
        (lambda d: setattr(d.drm_systems[0], "pssh", "AAAA"), "bytes are needed here, not str"),
        (lambda d: setattr(d.drm_systems[0], "smooth_protection_header", "\x00"), "a character that XML cannot hold"),
        (lambda d: d.drm_systems[0].set_hls_signaling("media", "\ud800"), "half a character"),
    ],
    ids=["a key in text", "a key ID in text", "a box in text", "a control character", "half a character"],
)
@pytest.mark.parametrize("filled", [False, True])
def test_a_change_that_is_refused_changes_nothing(
    change: Callable[[cpix.Document], object], reason: str, filled: bool
) -> None:
    """Neither an empty element is left where none was, nor is the value lost that was there."""
    builder = cpix.Builder(version="2.3").content_key(kid=KID, key=b"fedcba9876543210" if filled else None)
    builder = builder.drm_system(
        kid=KID,
        system_id=DrmSystem.FAIRPLAY,
        hls_media="#EXT-X-KEY:METHOD=SAMPLE-AES" if filled else None,
        smooth="x" if filled else None,
    )
    document = builder.build()
    before = document.to_xml()
    with pytest.raises(CpixError, match=reason):
        change(document)
    assert document.to_xml() == before


def test_texts_that_xml_cannot_hold_are_refused() -> None:
    """Control characters are refused with drmkit's own error."""
    document = (
        cpix.Builder(version="2.3").content_key(kid=KID).drm_system(kid=KID, system_id=DrmSystem.WIDEVINE).build()
    )
    with pytest.raises(CpixError, match="name is not a text"):
        document.name = "\x00"
    with pytest.raises(CpixError, match="cannot hold"):
        document.drm_systems[0].smooth_protection_header = "\x01"


def test_no_representation_shows_a_secret(full_24: bytes) -> None:
    """The repr of documents, collections and views holds no key."""
    document = cpix.parse(full_24)
    texts = [
        repr(document),
        repr(document.content_keys),
        *map(repr, document.content_keys),
        repr(document.content_keys[0].key),
    ]
    assert not [text for text in texts if "AAECAw" in text or "\\x01\\x02" in text]
    with pytest.raises(TypeError):
        pickle.dumps(document.content_keys[0].key)


def test_views_are_equal_where_they_show_one_element(full_24: bytes) -> None:
    """Two views over one element are equal and hash alike; over others they are not."""
    document = cpix.parse(full_24)
    first, second = document.content_keys[0], document.content_keys.get(KID)
    assert first == second
    assert len({first, second, document.content_keys[1]}) == 2
    assert first != "x"
    assert copy.copy(first.key) == first.key


def test_periods_know_their_interval() -> None:
    """Times and offsets give half-open intervals, with an end or a duration; an index gives none."""
    day = timedelta(days=1)
    start = datetime(2020, 1, 1, tzinfo=UTC)
    builder = cpix.Builder(version="2.4").period(id="a", start=start, end=start + day)
    builder.period(id="b", start=start + day, duration=day).period(id="c", start_offset=timedelta(0), end_offset=day)
    builder.period(id="d", start_offset=day, duration=day).period(id="e", index=1)
    a, b, c, d, e = builder.build().periods
    assert (a.interval, b.interval) == ((start, start + day), (start + day, start + 2 * day))
    assert (c.interval, d.interval, e.interval) == ((timedelta(0), day), (day, 2 * day), None)
    assert (a.contains(start), a.contains(start + day), b.contains(start + day)) == (True, False, True)
    assert (a.contains(timedelta(0)), c.contains(timedelta(0)), e.contains(start)) == (None, True, None)


def test_rules_take_more_filters(full_24: bytes) -> None:
    """Filters, labels and periods added through a view go to their places, and the document stays valid."""
    document = cpix.Builder(version="2.3").content_key(kid=KID).period(id="p", index=1).usage_rule(kid=KID).build()
    rule = document.usage_rules[0]
    rule.add_filters([cpix.BitrateFilter(min_bitrate=5), cpix.VideoFilter(hdr=True)])
    rule.add_labels(["x", "y"])
    rule.add_periods(["p"])
    names = [etree.QName(child).localname for child in rule.element]
    assert names == ["KeyPeriodFilter", "LabelFilter", "LabelFilter", "VideoFilter", "BitrateFilter"]
    assert cpix.validate(document, "2.3").valid
    with pytest.raises(CpixError, match="takes several texts"):
        rule.add_labels("xy")


def test_key_ids_are_not_guessed() -> None:
    """Only KeyId makes a key; a text is refused before it reaches a document."""
    with pytest.raises(CpixError, match="a key ID is a KeyId, not str"):
        cpix.Builder().content_key(kid=str(KID))  # type: ignore[arg-type]
    with pytest.raises(IdentifierError):
        KeyId.from_uuid("x")


def test_allowed_configurations_are_joined() -> None:
    """ALLOWED-CPC joins the values of all systems, or of those of one content, each once."""
    builder = cpix.Builder(version="2.4").content_key(kid=KID, content_id="a").content_key(kid=ROOT_KID, content_id="b")
    builder.drm_system(kid=KID, system_id=DrmSystem.WIDEVINE, hls_allowed_cpc="w:HW")
    builder.drm_system(kid=KID, system_id=DrmSystem.FAIRPLAY, hls_allowed_cpc="f:x/y")
    builder.drm_system(kid=ROOT_KID, system_id=DrmSystem.WIDEVINE, hls_allowed_cpc="w:HW")
    document = builder.build()
    assert document.allowed_cpc() == "w:HW,f:x/y"
    assert document.allowed_cpc("b") == "w:HW"
    assert document.allowed_cpc("c") == ""


def test_a_duration_of_no_fixed_length_says_what_to_write() -> None:
    """A month is valid in the document, but no span of time: the error says so, and not that validation would help."""
    period = '<ContentKeyPeriodList><ContentKeyPeriod startOffset="P1M" duration="P30D"/></ContentKeyPeriodList>'
    data = f'<CPIX xmlns="urn:dashif:org:cpix" version="2.4">{period}</CPIX>'.encode()
    found = cpix.parse(data).periods[0]
    assert found.duration == timedelta(days=30)
    with pytest.raises(CpixError, match="startOffset in line 1 is not a duration of fixed length: 'P1M'") as caught:
        _ = found.start_offset
    assert "write days, hours, minutes and seconds" in (caught.value.hint or "")


def test_a_period_that_ends_after_the_calendar_says_so() -> None:
    """A duration that leads beyond the year 9999 is an error of drmkit; the longest that does not is an interval."""
    document = cpix.Document.new()
    periods = etree.SubElement(document.root, "{urn:dashif:org:cpix}ContentKeyPeriodList")
    for duration in ("P2D", "P1D"):
        given = {"start": "9999-12-30T12:00:00Z", "duration": duration}
        etree.SubElement(periods, "{urn:dashif:org:cpix}ContentKeyPeriod", given)
    late, last = document.periods
    with pytest.raises(CpixError, match="ends after the year 9999"):
        late.contains(datetime(2026, 1, 1, tzinfo=UTC))
    assert last.contains(datetime(9999, 12, 31, tzinfo=UTC))


def test_space_around_an_id_does_not_count() -> None:
    """An ID is found whatever space stands around it, as XML Schema reads it."""
    document = cpix.parse(
        b'<CPIX xmlns="urn:dashif:org:cpix"><ContentKeyPeriodList><ContentKeyPeriod id=" a " index="7"/>'
        b"</ContentKeyPeriodList></CPIX>"
    )
    found = document.periods.get("a")
    assert found is not None
    assert found.index == 7
    assert document.periods.get("b") is None
