"""Answers: whatever a provider changes, loses or adds is found, and what it may do is not held against it."""

from __future__ import annotations

import base64
from collections.abc import Callable

import httpx
import pytest
from lxml import etree
from speke_requests import ALL, BOXED, certificate, copy, request

from drmkit import cpix
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.secret import Secret
from drmkit.signaling import playready
from drmkit.speke.answer import check_answer, check_headers
from drmkit.speke.contract import findings
from drmkit.speke.echo import compare
from drmkit.speke.provider import Provider
from drmkit.speke.reading import local_name, tag
from drmkit.speke.request import KeyPeriod, Places
from drmkit.speke.sources import from_seeds
from drmkit.speke.versions import SPEKE_NAMESPACE, VERSIONS

PROVIDER = Provider(from_seeds("hkdf-sha256", bytes(range(32)), iv_seed=bytes(range(32, 64))))
Change = Callable[[cpix.Document], object]
NEW = KeyId(bytes(range(16)))


def answered(sent: cpix.Document, version: str = "2.0") -> cpix.Document:
    """A good answer."""
    got = PROVIDER.fill(copy(sent), VERSIONS[version])
    assert isinstance(got, cpix.Document)
    return copy(got)


def rules_broken(sent: cpix.Document, got: cpix.Document, severity: str = "error", version: str = "2.0") -> set[str]:
    """The IDs of what is wrong."""
    return {item.rule for item in check_answer(sent, copy(got), VERSIONS[version]) if item.severity == severity}


def rename(*parts: str) -> Change:
    """Give the first key another ID in some of the lists."""

    def change(document: cpix.Document) -> None:
        old = document.content_keys[0].element.get("kid")
        for name in parts:
            for element in document.root.iter(tag(name)):
                if element.get("kid") == old:
                    element.set("kid", str(NEW))

    return change


def set_line(playlist: str, old: str, new: str, system: DrmSystem = DrmSystem.FAIRPLAY) -> Change:
    """Edit the HLS lines of one system."""

    def change(document: cpix.Document) -> None:
        for entry in document.drm_systems:
            if entry.system_id == system.system_id:
                entry.set_hls_signaling(playlist, (entry.hls_signaling(playlist) or "").replace(old, new))

    return change


def set_dash(fragment: bytes) -> Change:
    """Replace the DASH fragment of the first system, which is Widevine."""
    return lambda document: setattr(document.drm_systems[0], "content_protection_data", fragment)


def both(*changes: Change) -> Change:
    """Several changes."""
    return lambda document: [change(document) for change in changes]


def first(name: str) -> Callable[[cpix.Document], etree._Element]:
    """Find the first element of a name."""
    return lambda document: next(document.root.iter(tag(name)))


def remove(name: str) -> Change:
    """Remove the first element of a name."""

    def change(document: cpix.Document) -> None:
        element = first(name)(document)
        parent = element.getparent()
        assert parent is not None
        parent.remove(element)

    return change


def attribute(name: str, key: str, value: str | None) -> Change:
    """Set or remove an attribute of the first element of a name."""

    def change(document: cpix.Document) -> None:
        element = first(name)(document)
        if value is None:
            del element.attrib[key]
        else:
            element.set(key, value)

    return change


def set_keys(*values: bytes) -> Change:
    """Replace the content keys."""

    def change(document: cpix.Document) -> None:
        for key, value in zip(document.content_keys, values, strict=False):
            key.key = Secret(value)

    return change


def set_text(name: str, text: str | None) -> Change:
    """Replace the text of the first element of a name."""
    return lambda document: setattr(first(name)(document), "text", text)


CASES: list[tuple[str, Change]] = [
    ("speke-echo-content-id", attribute("CPIX", "contentId", "other")),
    ("speke-echo-version", attribute("CPIX", "version", "2.2")),
    ("speke-echo-scheme", attribute("ContentKey", "commonEncryptionScheme", "cenc")),
    ("speke-echo-scheme", attribute("ContentKey", "commonEncryptionScheme", None)),
    ("speke-echo-id", attribute("CPIX", "id", "x")),
    ("speke-echo-changed", attribute("DRMSystem", "name", "renamed")),
    ("speke-echo-changed", attribute("DRMSystem", "name", None)),
    ("speke-echo-period", attribute("ContentKeyPeriod", "index", "9")),
    ("speke-echo-rule", attribute("VideoFilter", "maxPixels", "1")),
    ("speke-echo-rule", attribute("ContentKeyUsageRule", "intendedTrackType", "HD")),
    ("speke-echo-rule", remove("ContentKeyUsageRule")),
    ("speke-echo-rule", remove("ContentKeyUsageRuleList")),
    ("speke-echo-rule", lambda d: etree.SubElement(first("ContentKeyUsageRule")(d), tag("BitrateFilter"))),
    ("speke-echo-missing", remove("ContentKey")),
    ("speke-echo-missing", remove("DRMSystem")),
    ("speke-echo-missing", remove("ContentKeyPeriodList")),
    ("speke-echo-missing", remove("HLSSignalingData")),
    ("speke-echo-extra", lambda d: etree.SubElement(d.root[0], tag("ContentKey"), kid=str(NEW))),
    ("speke-echo-kid-half", rename("ContentKey")),
    ("speke-echo-kid-half", rename("ContentKey", "DRMSystem")),
    ("speke-key-missing", set_text("Secret", None)),
    ("speke-key-unreadable", lambda d: setattr(first("Data")(d)[0][0], "text", "@@@@")),
    ("speke-key-length", set_keys(b"short")),
    ("speke-key-constant", set_keys(bytes(16))),
    ("speke-key-repeated", set_keys(b"0123456789abcdef", b"0123456789abcdef")),
    ("speke-key-is-kid", lambda d: setattr(d.content_keys[0], "key", Secret(d.content_keys[0].kid.raw))),
    ("speke-key-is-iv", lambda d: setattr(d.content_keys[0], "key", Secret(d.content_keys[0].iv or b""))),
    ("speke-iv-length", attribute("ContentKey", "explicitIV", base64.b64encode(b"8 bytes!").decode())),
    ("speke-empty", set_text("ContentProtectionData", None)),
    ("speke-base64", set_text("HLSSignalingData", "#EXT-X-KEY:METHOD=SAMPLE-AES")),
    ("speke-hls-tag", set_line("media", "#EXT-X-KEY:", "")),
    ("speke-hls-same", set_line("master", 'VERSIONS="1"', 'VERSIONS="2"')),
    ("speke-fairplay-uri", both(*(set_line(p, "skd://", "https://") for p in ("media", "master")))),
    ("speke-signaling-pssh-unreadable", set_text("PSSH", "AAAA")),
    ("speke-dash-box", set_dash(b"<laurl/>")),
    ("speke-signaling-mpd-unreadable", set_dash(b"no XML")),
    ("speke-signaling-mpd-pssh", lambda d: setattr(d.drm_systems[0], "content_protection_data", _foreign(d))),
]


def _foreign(document: cpix.Document) -> bytes | None:
    return document.drm_systems[3].content_protection_data


def sent_request() -> cpix.Document:
    """A request with a name and a period."""
    sent = request(periods=[KeyPeriod(index=1)])
    sent.drm_systems[0].name = "named"
    return sent


@pytest.mark.parametrize(("rule", "change"), CASES)
def test_each_change_is_found(rule: str, change: Change) -> None:
    """An answer that breaks one rule is found out by that rule; the untouched answer has nothing against it."""
    sent = sent_request()
    got = answered(sent)
    assert rules_broken(sent, got) == set()
    if rule == "speke-key-missing":
        change = lambda document: first("Data")(document).clear()  # noqa: E731 (one of many)
    change(got)
    got.touch()
    assert rule in rules_broken(sent, got)


@pytest.mark.parametrize("version", VERSIONS)
def test_an_answer_without_any_key_is_an_answer_still(version: str) -> None:
    """What came back is held to the rules for answers also where no key shows that it is one."""
    sent = request(version)
    got = answered(sent, version)
    assert rules_broken(sent, got, version=version) == set()
    for key in got.content_keys:
        key.element[:] = []
    got.touch()
    assert rules_broken(sent, got, version=version) == {"speke-key-missing"}


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("speke-hls-same", set_line("master", "skd://", "skd://other")),
        ("speke-hls-tag", set_line("media", ",URI", ",SCHEME=1,URI")),
        ("speke-hls-tag", set_line("media", 'URI="data:text/plain;base64,', 'URI="https://a/', DrmSystem.WIDEVINE)),
        ("speke-hls-tag", set_line("media", "#EXT-X-KEY", "#EXT-X-KEY:METHOD=NONE\n#EXT-X-KEY")),
        (
            "speke-hls-tag",
            set_line(
                "media",
                'METHOD=SAMPLE-AES,KEYFORMAT="com.microsoft.playready"',
                'KEYFORMAT="com.microsoft.playready",METHOD=SAMPLE-AES',
                DrmSystem.PLAYREADY,
            ),
        ),
    ],
)
def test_what_mediapackage_alone_wants_is_a_warning(rule: str, change: Change) -> None:
    """Forms that only AWS Elemental MediaPackage asks for are told, and do not make an answer useless."""
    sent = sent_request()
    got = answered(sent)
    change(got)
    assert rule in rules_broken(sent, got, "warning")


@pytest.mark.parametrize(
    ("rule", "name", "text"),
    [
        ("speke-first-hls", "URIExtXKey", "https://keys.example.com/1"),
        ("speke-first-hls", "speke:KeyFormat", "identity"),
        ("speke-signaling-smooth-unreadable", "speke:ProtectionHeader", "no object"),
        ("speke-signaling-smooth-key-id", "speke:ProtectionHeader", ""),
    ],
)
def test_what_version_1_says_of_a_key_is_read_too(rule: str, name: str, text: str) -> None:
    """Version 1.0's own elements are held to the key and the system that they stand at."""
    sent = request("1.0", places=Places(smooth=True))
    got = answered(sent, "1.0")
    assert rules_broken(sent, got, version="1.0") == set()
    other = playready.playready_object(playready.header([NEW])).to_bytes()
    for element in got.root.iter(etree.Element):
        if local_name(element) == name:
            element.text = base64.b64encode(text.encode() or other).decode()
    got.touch()
    assert rules_broken(sent, got, version="1.0") == {rule}


def test_playready_wants_both_elements_in_dash() -> None:
    """ContentProtectionData with a box and no object is a warning; one that is no XML is an error of its own."""
    sent = request(systems=BOXED)
    got = answered(sent)
    for entry in got.drm_systems:
        if entry.system_id == DrmSystem.PLAYREADY.system_id:
            whole = entry.content_protection_data or b""
            entry.content_protection_data = whole[: whole.index(b"<mspr")]
    assert "speke-playready-dash" in rules_broken(sent, got, "warning")
    for entry in got.drm_systems:
        entry.content_protection_data = b"<broken"
    assert "speke-playready-dash" not in rules_broken(sent, got, "warning")
    assert "speke-signaling-mpd-unreadable" in rules_broken(sent, got)


def test_a_key_may_get_another_id_everywhere() -> None:
    """SPEKE lets a provider override a key ID, in keys, systems and rules alike: told, and no error of the echo."""
    sent = request(systems=(DrmSystem.FAIRPLAY,))
    got = answered(sent)
    rename("ContentKey", "DRMSystem", "ContentKeyUsageRule")(got)
    found = compare(sent, copy(got))
    assert {(item.rule, item.severity) for item in found} == {("speke-echo-kid", "info")}


def test_upper_and_lower_case_of_ids_are_the_same() -> None:
    """A provider may write key IDs and system IDs in another case."""
    sent = request()
    got = answered(sent)
    for element in got.root.iter(etree.Element):
        for name in ("kid", "systemId"):
            if element.get(name):
                element.set(name, element.get(name, "").upper())
    assert rules_broken(sent, got) == set()


def test_lists_may_come_in_another_order() -> None:
    """The order of lists, of systems within them and of their children is not part of the contract."""
    sent = request()
    got = answered(sent)
    got.root[:] = list(reversed(got.root))
    for parent in got.root.iter(tag("DRMSystemList"), tag("DRMSystem")):
        parent[:] = list(reversed(parent))
    assert rules_broken(sent, got) == set()


def test_times_may_be_written_in_another_zone() -> None:
    """The start of a period is a moment: `Z` and `+01:00` can be the same one; another moment is not."""
    sent = request("2.1", periods=[KeyPeriod(index=1)])
    attribute("ContentKeyPeriod", "start", "2026-01-01T00:00:00Z")(sent)
    attribute("ContentKeyPeriod", "end", "2026-01-01T01:00:00Z")(sent)
    got = answered(sent, "2.1")
    attribute("ContentKeyPeriod", "start", "2026-01-01T01:00:00+01:00")(got)
    assert compare(sent, got) == []
    attribute("ContentKeyPeriod", "start", "2026-01-01T01:00:00Z")(got)
    assert [item.rule for item in compare(sent, got)] == ["speke-echo-period"]
    attribute("ContentKeyPeriod", "start", "soon")(got)
    assert [item.rule for item in compare(sent, got)] == ["speke-echo-period"]


def test_a_provider_may_decide_about_ivs_and_add_what_helps() -> None:
    """Another IV is a warning; an update history, names and further elements are at most information."""
    sent = request()
    for key in sent.content_keys:
        key.iv = bytes(range(16))
    got = answered(sent)
    got.content_keys[0].iv = bytes(range(1, 17))
    assert rules_broken(sent, got, "warning") == {"speke-echo-changed"}
    etree.SubElement(got.root, tag("UpdateHistoryItemList"))
    etree.SubElement(got.root, "{urn:example}own")
    got.drm_systems[0].name = "Widevine"
    assert [item.severity for item in compare(sent, got) if item.rule == "speke-echo-extra"] == ["info", "info"]


def test_a_value_that_was_sent_stays() -> None:
    """An element that had a value in the request comes back with that value, white space aside."""
    sent = request(systems=(DrmSystem.WIDEVINE,))
    box = answered(sent).drm_systems[0].pssh
    sent.drm_systems[0].pssh = box
    got = answered(sent)
    child = first("PSSH")(got)
    child.text = f"\n {child.text} \n"
    assert compare(sent, got) == []
    child.text = "AAAA"
    assert [item.rule for item in compare(sent, got)] == ["speke-echo-changed"]


def test_encryption_is_judged_against_the_request() -> None:
    """Keys are encrypted exactly where the request names recipients, with MACs and a document key for each."""
    sent, clear = request(certificates=[certificate(2048)]), request()
    sealed, plain = answered(sent), answered(clear)
    assert rules_broken(sent, sealed) == set()
    assert "speke-encrypted" in rules_broken(clear, sealed)
    assert "speke-not-encrypted" in rules_broken(sent, plain)
    for name, rule in (("MACMethod", "speke-mac"), ("DocumentKey", "speke-document-key")):
        broken = copy(sealed)
        remove(name)(broken)
        assert rule in rules_broken(sent, broken)
    for text in (None, "@@@"):
        broken = copy(sealed)
        for element in broken.root.iter("{urn:ietf:params:xml:ns:keyprov:pskc}ValueMAC"):
            element.text = text
        assert "speke-mac" in rules_broken(sent, broken)


def test_fairplay_may_leave_its_pssh_empty() -> None:
    """Encryptors ask FairPlay for a PSSH box that it does not have; an empty place is told as information."""
    sent = request(systems=(DrmSystem.FAIRPLAY,))
    for entry in sent.drm_systems:
        entry.element.insert(0, entry.element.makeelement(tag("PSSH")))
    got = answered(sent)
    for element in got.root.iter(tag("PSSH")):
        element.text = None
    assert rules_broken(sent, got) == set()
    assert "speke-empty" in rules_broken(sent, got, "info")


@pytest.mark.parametrize(
    ("system", "emptied", "severity"),
    [
        (DrmSystem.WIDEVINE, "cpix:PSSH", "error"),
        (DrmSystem.WIDEVINE, "cpix:ContentProtectionData", "info"),
        (DrmSystem.WIDEVINE, "cpix:URIExtXKey", "info"),
        (DrmSystem.PLAYREADY, "speke:ProtectionHeader", "error"),
        (DrmSystem.PLAYREADY, "speke:KeyFormat", "info"),
        (DrmSystem.FAIRPLAY, "cpix:URIExtXKey", "error"),
        (DrmSystem.FAIRPLAY, "speke:KeyFormat", "error"),
        (DrmSystem.FAIRPLAY, "speke:ProtectionHeader", "info"),
        (DrmSystem.CLEARKEY_AES128, "speke:KeyFormatVersions", "error"),
        (DrmSystem.CLEARKEY_AES128, "speke:KeyFormat", "info"),
        (DrmSystem.MARLIN, "cpix:PSSH", "error"),
    ],
)
def test_version_1_minds_empty_places_that_a_system_has(system: DrmSystem, emptied: str, severity: str) -> None:
    """What a system needs must be filled in version 1.0; what it does not have, or HLS takes for granted, need not."""
    prefix, _, local = emptied.partition(":")
    sent = request("1.0", (DrmSystem.WIDEVINE,))
    for child in list(sent.drm_systems[0].element):
        sent.drm_systems[0].element.remove(child)
    name = tag(local) if prefix == "cpix" else f"{{{SPEKE_NAMESPACE}}}{local}"
    etree.SubElement(sent.drm_systems[0].element, name)
    sent.drm_systems[0].element.set("systemId", system.system_id)
    assert "speke-empty" in rules_broken(sent, copy(sent), severity, "1.0")


def test_an_empty_attribute_is_an_empty_place() -> None:
    """A robustness that was asked for and not given is found."""
    sent = request("2.1", BOXED)
    attribute("ContentProtectionData", "robustness", "")(sent)
    got = PROVIDER.fill(copy(sent), VERSIONS["2.1"])
    assert not isinstance(got, cpix.Document)
    got = answered(request("2.1", BOXED), "2.1")
    attribute("ContentProtectionData", "robustness", "")(got)
    assert "speke-empty" in rules_broken(sent, got, version="2.1")


def test_a_profile_tells_of_answers_only_what_answers_can_break() -> None:
    """Empty places are no findings of a request, and are of an answer."""
    assert "speke-empty" not in {item.rule for item in findings(request(), "2.0")}
    got = answered(request(systems=ALL))
    set_text("PSSH", None)(got)
    assert "speke-empty" in {item.rule for item in findings(got, "2.0")}


GOOD = {"Content-Type": "application/xml", "X-Speke-Version": "2.0", "X-Speke-User-Agent": "keys/1"}


@pytest.mark.parametrize(
    ("changed", "rules"),
    [
        ({}, []),
        ({"Content-Type": 'application/xml; charset="UTF-8"'}, []),
        ({"Content-Type": "text/xml"}, ["speke-content-type"]),
        ({"Content-Type": "application/xml; charset=utf-16"}, ["speke-content-type"]),
        ({"Content-Type": None}, ["speke-content-type"]),
        ({"X-Speke-Version": None}, ["speke-version-echo"]),
        ({"X-Speke-Version": "1.0"}, ["speke-version-echo"]),
        ({"X-Speke-User-Agent": " "}, ["speke-user-agent"]),
    ],
)
def test_headers_are_judged(changed: dict[str, str | None], rules: list[str]) -> None:
    """Content type, version and user agent are as SPEKE 2 wants them; version 1.0 asks for the type alone."""
    headers = httpx.Headers({name: value for name, value in (GOOD | changed).items() if value is not None})
    assert [item.rule for item in check_headers(headers, VERSIONS["2.0"])] == rules
    assert len(check_headers(httpx.Headers({"content-type": "application/xml"}), VERSIONS["1.0"])) == 0
