"""The contract of a request: each rule found where it is broken, with the text that a provider answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree
from speke_requests import ALL, aws_requests, certificate, request

from drmkit import cpix
from drmkit.cpix.usage import AudioFilter, BitrateFilter, VideoFilter
from drmkit.errors import ConfigurationError
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.speke.contract import (
    Refusal,
    all_rules,
    apply_profile,
    check_header,
    findings,
    first_refusal,
)
from drmkit.speke.presets import rules
from drmkit.speke.reading import Reading, tag
from drmkit.speke.request import KeyPeriod, Places
from drmkit.speke.versions import VERSIONS

Change = Callable[[cpix.Document], object]


def refusal(document: cpix.Document, version: str = "2.0") -> Refusal | None:
    """What a provider answers."""
    document.touch()
    return first_refusal(Reading(document, VERSIONS[version]))


def drop(*names: str) -> Change:
    """Take elements away."""

    def change(document: cpix.Document) -> None:
        for element in list(document.root.iter(*(tag(name) for name in names))):
            parent = element.getparent()
            assert parent is not None
            parent.remove(element)

    return change


def set_all(name: str, attribute: str, value: str | None) -> Change:
    """Set an attribute of all elements of a name, or take it away."""

    def change(document: cpix.Document) -> None:
        for element in document.root.iter(tag(name)):
            if value is not None:
                element.set(attribute, value)
            elif attribute in element.attrib:
                del element.attrib[attribute]

    return change


def add_rule(track_type: str, video: int, audio: int = 0, bounds: bool = False) -> Change:
    """Replace the first usage rule's label and filters."""

    def change(document: cpix.Document) -> None:
        rule = document.usage_rules[0]
        for child in list(rule.element):
            rule.element.remove(child)
        rule.intended_track_type = track_type
        bound = 1 if bounds else None
        rule.add_filters([VideoFilter(min_pixels=bound)] * video + [AudioFilter(min_channels=bound)] * audio)

    return change


def second_key_like_first(document: cpix.Document) -> None:
    """Give two keys one ID, in two cases."""
    first, second = list(document.content_keys.elements())
    second.set("kid", (first.get("kid") or "").upper())


def double_system(document: cpix.Document) -> None:
    """Repeat a DRM system."""
    first = document.drm_systems[0].element
    parent = first.getparent()
    assert parent is not None
    etree.SubElement(parent, first.tag, kid=first.get("kid", ""), systemId=first.get("systemId", "").upper())


def alter(get: Callable[[cpix.Document], etree._Element], name: str, value: str) -> Change:
    """Set one attribute of one element."""
    return lambda document: get(document).set(name, value)


def turned_bounds(document: cpix.Document) -> None:
    """Give a filter a minimum above its maximum."""
    for bound, value in (("minPixels", "9"), ("maxPixels", "8")):
        set_all("VideoFilter", bound, value)(document)


def test_bounds_may_be_equal_and_may_have_space_around_them() -> None:
    """A filter for one number of pixels or channels is none that breaks the contract."""
    document = request()
    for name, bounds in (("VideoFilter", ("minPixels", "maxPixels")), ("AudioFilter", ("minChannels", "maxChannels"))):
        for bound in bounds:
            set_all(name, bound, " 6 ")(document)
    assert refusal(document) is None


KID = "{kid}"
BROKEN: list[tuple[str, str, Change]] = [
    ("speke-content-id", "Missing CPIX@contentId", lambda d: setattr(d, "content_id", None)),
    ("speke-content-id", "Missing CPIX@contentId", lambda d: setattr(d, "content_id", "  ")),
    ("speke-cpix-version", "Missing CPIX@version", lambda d: setattr(d, "version", None)),
    ("speke-cpix-version-unsupported", "Unsupported CPIX@version", lambda d: setattr(d, "version", "2.4")),
    ("speke-lists", "Missing CPIX.ContentKeyList", drop("ContentKeyList")),
    ("speke-lists", "Missing CPIX.ContentKeyList.ContentKey", drop("ContentKey")),
    ("speke-lists", "Missing CPIX.DRMSystemList", drop("DRMSystemList")),
    ("speke-lists", "Missing CPIX.DRMSystemList.DRMSystem", drop("DRMSystem")),
    ("speke-contract-missing", "Missing CPIX encryption contract", drop("ContentKeyUsageRuleList")),
    ("speke-contract-missing", "Missing CPIX encryption contract", drop("VideoFilter", "AudioFilter")),
    ("speke-attributes", "Missing ContentKey@kid", set_all("ContentKey", "kid", None)),
    ("speke-attributes", "Missing DRMSystem@kid", set_all("DRMSystem", "kid", "")),
    ("speke-attributes", "Missing DRMSystem@systemId", set_all("DRMSystem", "systemId", None)),
    ("speke-id-form", "Malformed ContentKey@kid", set_all("ContentKey", "kid", "123")),
    ("speke-id-form", "Malformed DRMSystem@systemId", set_all("DRMSystem", "systemId", "widevine")),
    ("speke-kid-twice", f"Duplicate ContentKey@kid {KID}", second_key_like_first),
    (
        "speke-scheme",
        f"Missing ContentKey@commonEncryptionScheme for KID {KID}",
        set_all("ContentKey", "commonEncryptionScheme", None),
    ),
    (
        "speke-scheme-unknown",
        f"Unsupported ContentKey@commonEncryptionScheme for KID {KID}",
        set_all("ContentKey", "commonEncryptionScheme", "SAMPLE-AES"),
    ),
    (
        "speke-scheme-mixed",
        "Non compliant ContentKey@commonEncryptionScheme combination",
        lambda d: setattr(d.content_keys[0], "scheme", "cenc"),
    ),
    (
        "speke-scheme-system",
        f"ContentKey@commonEncryptionScheme non compatible with DRMSystem {DrmSystem.FAIRPLAY.system_id}",
        set_all("ContentKey", "commonEncryptionScheme", "cenc"),
    ),
    (
        "speke-system-key",
        "DRMSystem@kid 00000000-0000-4000-8000-000000000000 without ContentKey",
        alter(lambda d: d.drm_systems[0].element, "kid", "00000000-0000-4000-8000-000000000000"),
    ),
    ("speke-system-twice", f"Duplicate DRMSystem {DrmSystem.WIDEVINE.system_id}", double_system),
    (
        "speke-hls-pair",
        'Missing DRMSystem.HLSSignalingData@playlist="master"',
        lambda d: d.drm_systems[0].element.remove(d.drm_systems[0].element[-1]),
    ),
    ("speke-rule-attributes", "Malformed encryption contract", set_all("ContentKeyUsageRule", "kid", None)),
    ("speke-rule-attributes", "Malformed encryption contract", set_all("ContentKeyUsageRule", "intendedTrackType", "")),
    ("speke-rule-filters", "Malformed encryption contract", add_rule("VIDEO", 0)),
    ("speke-filter-range", "Malformed encryption contract", set_all("VideoFilter", "minPixels", "many")),
    ("speke-filter-range", "Malformed encryption contract", set_all("AudioFilter", "maxChannels", "-2")),
    ("speke-filter-range", "Malformed encryption contract", turned_bounds),
    ("speke-rule-key", "Malformed encryption contract", lambda d: d.usage_rules.remove(d.usage_rules[0])),
    (
        "speke-rule-key",
        "Malformed encryption contract",
        lambda d: setattr(d.usage_rules[0], "kid", KeyId(bytes(range(16)))),
    ),
    (
        "speke-track-type-twice",
        "Malformed encryption contract",
        lambda d: setattr(d.usage_rules[1], "intended_track_type", "VIDEO"),
    ),
    ("speke-track-type-all", "Malformed encryption contract", add_rule("ALL", 1, 1)),
    ("speke-track-type-parts", "Malformed encryption contract", add_rule("SD+HD", 1)),
    ("speke-track-type-parts", "Malformed encryption contract", add_rule("SD+HD1", 1, bounds=True)),
    ("speke-track-type-parts", "Malformed encryption contract", add_rule("SD", 2)),
    ("speke-track-type-parts", "Malformed encryption contract", add_rule("SD+", 2)),
    ("speke-label-filter", "Malformed encryption contract", lambda d: d.usage_rules[0].add_labels(["main"])),
    (
        "speke-period-unknown",
        "Unknown KeyPeriodFilter@periodId gone",
        lambda d: d.usage_rules[0].add_periods(["gone"]),
    ),
]


@pytest.mark.parametrize(("rule", "text", "change"), BROKEN)
def test_each_breach_is_refused_with_its_text(rule: str, text: str, change: Change) -> None:
    """A request that breaks one rule is refused by that rule, with the text of the specification; its twin is not."""
    document = request()
    assert refusal(document) is None
    kid = str(document.content_keys[0].kid)
    change(document)
    found = refusal(document)
    assert found is not None
    assert (found.rule, found.text, found.status) == (rule, text.replace(KID, kid), 422)
    assert rule in {finding.rule for finding in findings(document, "2.0") if finding.severity == "error"}


def test_version_1_has_rules_of_its_own() -> None:
    """Version 1.0 names the content in `id`, and knows no contract and no schemes."""
    document = request("1.0")
    assert refusal(document, "1.0") is None
    document.id = None
    found = refusal(document, "1.0")
    assert found is not None
    assert found.text == "Missing CPIX@id"


def test_each_key_period_has_a_contract_of_its_own() -> None:
    """The same track types may stand in two key periods; within one they may not."""
    document = request(periods=[KeyPeriod(index=1), KeyPeriod(index=2)])
    assert refusal(document) is None
    shared = request(contract=rules("SHARED", "SHARED"), periods=[KeyPeriod(index=1), KeyPeriod(index=2)])
    assert refusal(shared) is None
    for element in document.root.iter(tag("KeyPeriodFilter")):
        element.set("periodId", "keyPeriod_1")
    found = refusal(document)
    assert found is not None
    assert found.rule == "speke-track-type-twice"


def test_key_periods_have_id_and_index() -> None:
    """Both attributes of a key period are mandatory."""
    document = request(periods=[KeyPeriod(index=1)])
    document.periods[0].index = None
    found = refusal(document)
    assert found is not None
    assert found.text == "Missing ContentKeyPeriod@index"


def test_times_of_key_periods_come_in_pairs() -> None:
    """SPEKE 2.1 takes start with end and startOffset with endOffset; 2.0 ignores them all, and says so."""
    document = request("2.1", periods=[KeyPeriod(index=1)])
    document.periods[0].element.set("start", "2026-01-01T00:00:00Z")
    found = refusal(document, "2.1")
    assert found is not None
    assert found.text == "Malformed ContentKeyPeriod keyPeriod_1"
    document.periods[0].element.set("end", "2026-01-01T01:00:00Z")
    assert refusal(document, "2.1") is None
    document.version = "2.3"
    assert "speke-period-index-only" in {f.rule for f in findings(document, "2.0") if f.severity == "info"}


def test_the_newest_version_takes_hls_methods_as_schemes() -> None:
    """SAMPLE-AES is a scheme in SPEKE 2.1 alone."""
    assert refusal(request("2.1", scheme="SAMPLE-AES"), "2.1") is None


@pytest.mark.parametrize(("bits", "weight"), [(0, "error"), (1024, "error"), (2048, None), (3072, "info")])
def test_recipients_have_rsa_keys_of_2048_bits(bits: int, weight: str | None) -> None:
    """A recipient without an RSA key of 2048 bits is refused; a larger one is told of, and taken."""
    document = request(certificates=[certificate(bits)])
    found = refusal(document)
    assert (found.rule if found else None) == ("speke-certificate" if weight == "error" else None)
    told = [finding.severity for finding in findings(document, "2.0") if finding.rule == "speke-certificate"]
    assert told == ([weight] if weight else [])


def test_a_recipient_without_a_certificate_is_refused() -> None:
    """Delivery data that holds no certificate cannot be served."""
    document = request(certificates=[certificate()])
    drop("X509Data")(document)
    for element in list(document.root.iter("{http://www.w3.org/2000/09/xmldsig#}X509Data")):
        element.clear()
    found = refusal(document)
    assert found is not None
    assert found.text == "Unsupported DeliveryData certificate"


def test_what_speke_ignores_is_told_and_not_refused() -> None:
    """Bitrate filters, wcg, key hierarchies and names of version 1.0 are findings of a profile, not refusals."""
    document = request()
    document.usage_rules[0].add_filters([BitrateFilter(min_bitrate=1)])
    document.usage_rules[0].element[0].set("wcg", "true")
    document.content_keys[0].depends_on = document.content_keys[1].kid
    document.root.set("id", "old")
    etree.SubElement(document.drm_systems[0].element, tag("URIExtXKey"))
    etree.SubElement(document.root, "{http://www.w3.org/2000/09/xmldsig#}Signature")
    history = etree.SubElement(document.root, tag("UpdateHistoryItemList"))
    etree.SubElement(history, tag("UpdateHistoryItem"))
    assert refusal(document) is None
    told = [f.message for f in findings(document, "speke-2.0") if f.rule == "speke-ignored"]
    assert len(told) == 5
    old = {(f.message, f.severity) for f in findings(document, "2.0") if f.rule == "speke-old-names"}
    assert old == {
        ("URIExtXKey belongs to version 1.0", "warning"),
        ("CPIX@id is ignored from version 2.0 on", "info"),
    }


def test_a_second_list_is_told_and_not_refused() -> None:
    """Two lists of keys are not CPIX, but each of their keys can be served."""
    document = request()
    document.root.insert(0, document.root.makeelement(tag("ContentKeyList")))
    assert "speke-lists" in {f.rule for f in findings(document, "2.0") if f.severity == "warning"}


@pytest.mark.parametrize("path", aws_requests(), ids=lambda path: path.stem)
def test_requests_of_aws_keep_the_contract(path: Path) -> None:
    """Whatever AWS's own generator sends is within the contract."""
    document = cpix.parse(path.read_bytes())
    assert refusal(document) is None
    assert [f for f in findings(document, "2.0") if f.severity == "error"] == []


def test_one_filter_for_two_parts_is_passed_where_aws_writes_it() -> None:
    """AWS writes SD+HD1 of VIDEO-8 with one filter, against its own rule: that is told, and not refused."""
    document = request(video="VIDEO-8", audio="AUDIO-2")
    rule = document.usage_rules[0]
    rule.element.remove(rule.element[1])
    rule.element[0].set("maxPixels", "921600")
    assert refusal(document) is None
    assert "speke-track-type-parts" in {f.rule for f in findings(document, "2.0") if f.severity == "info"}
    rule.element[0].set("maxPixels", "921599")
    assert refusal(document) is not None


@pytest.mark.parametrize("version", VERSIONS)
def test_a_header_names_a_version(version: str) -> None:
    """`X-Speke-Version` names the version; without it, a request is of version 1.0."""
    assert check_header(version) is VERSIONS[version]
    assert check_header(None) is VERSIONS["1.0"]
    found = check_header(version, supported=set(VERSIONS) - {version})
    assert isinstance(found, Refusal)
    assert found.text == "Unsupported SPEKE version"


@pytest.mark.parametrize("version", ["1.0", "2.0", "2.1"])
def test_requests_are_valid_under_their_profile(version: str) -> None:
    """A profile lifts what SPEKE overrules in CPIX: empty places, playlists, order, recipients, ALL, RSA keys."""
    places = Places(iv=version != "1.0", smooth=True, allowed_cpc=version == "2.1", robustness=version == "2.1")
    document = request(
        version,
        ALL if version == "1.0" else ALL[:2],
        places=places,
        certificates=[certificate(2048)],
        contract=rules("SHARED", "SHARED"),
    )
    told = cpix.validate(document).findings
    assert "certificate-key" in {finding.rule for finding in told}
    kept = apply_profile(document, f"speke-{version}", told)
    assert [finding for finding in kept if finding.severity == "error"] == []
    assert not {"rule-never-matches", "certificate-key"} & {finding.rule for finding in kept}


def test_a_profile_keeps_what_speke_does_not_overrule() -> None:
    """A key ID that is used twice stays an error, and overlapping rules become a warning: the last one counts."""
    document = request()
    second_key_like_first(document)
    document.usage_rules[1].kid = document.content_keys[0].kid
    document.touch()
    kept = apply_profile(document, "speke-2.0", cpix.validate(document).findings)
    assert "kid-duplicate" in {finding.rule for finding in kept if finding.severity == "error"}
    overlapping = request(contract=rules("VIDEO-2", "UNENCRYPTED"))
    set_all("VideoFilter", "minPixels", "1")(overlapping)
    overlapping.touch()
    told = {f.rule: f.severity for f in apply_profile(overlapping, "speke-2.0", cpix.validate(overlapping).findings)}
    assert told["rule-overlap"] == "warning"


def test_version_1_may_name_any_content_in_its_id() -> None:
    """In version 1.0 a content ID such as a UUID stands in an XML ID that may not begin with a digit."""
    document = request("1.0")
    document.id = "5E99137A-BD6C-4ECC-A24D-A3EE04B4E011"
    told = {f.rule: f.severity for f in apply_profile(document, "speke-1.0", cpix.validate(document).findings)}
    assert told["structure-id"] == "info"


def test_there_are_profiles_for_three_versions() -> None:
    """Another profile is refused."""
    with pytest.raises(ConfigurationError, match="no profile 'speke-3.0'"):
        apply_profile(request(), "speke-3.0", [])
    with pytest.raises(ConfigurationError, match="no SPEKE version '3.0'"):
        findings(request(), "3.0")


def test_every_rule_says_what_it_wants() -> None:
    """Each rule has an ID of its own, a sentence, a hint, a source and at least one version."""
    catalog = all_rules()
    assert len({rule.id for rule in catalog}) == len(catalog) > 30
    for rule in catalog:
        assert rule.id.startswith("speke-")
        assert rule.summary.endswith(".")
        assert rule.hint
        assert rule.source.startswith("https://docs.aws.amazon.com/speke/")
        assert rule.versions <= set(VERSIONS)
