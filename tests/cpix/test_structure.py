"""Structure is what the schema of each version decides: DASH-IF's own schemas are the oracle."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree

from drmkit import cpix
from drmkit.cpix.structure import check_structure
from drmkit.cpix.survey import Survey
from drmkit.errors import XmlError

KID = "b4c3188b-eddd-453d-9bc2-1cbca7566239"
OPEN = '<CPIX xmlns="urn:dashif:org:cpix" xmlns:p="urn:ietf:params:xml:ns:keyprov:pskc">'
DEPARTURES = {
    "base64 with characters outside the alphabet": (
        f'<ContentKeyList><ContentKey kid="{KID}" explicitIV="{KID}"/></ContentKeyList>',
        "structure-base64",
        ("2.1", "2.2", "2.3", "2.3.1", "2.4"),
    ),
    "a reference to an ID that does not exist": (
        (
            f'<ContentKeyUsageRuleList><ContentKeyUsageRule kid="{KID}"><KeyPeriodFilter periodId="none"/>'
            "</ContentKeyUsageRule></ContentKeyUsageRuleList>"
        ),
        "structure-id-unresolved",
        ("2.3", "2.3.1", "2.4"),
    ),
}
"""Where libxml2 departs from XML Schema (Part 2, 3.2.16 and Part 1, 3.15.4), and drmkit follows the specification."""
LENIENT = {"structure-id-unresolved"}


@pytest.fixture(scope="module")
def oracle(shared: Path) -> dict[str, etree.XMLSchema]:
    """DASH-IF's schemas, compiled by lxml."""
    return {v: etree.XMLSchema(etree.parse(shared / "schemas" / f"CPIX{v}" / "cpix.xsd")) for v in cpix.VERSIONS}


def disagreement(oracle: dict[str, etree.XMLSchema], data: bytes) -> list[str]:
    """Say where drmkit and the oracle differ, apart from the listed departures."""
    found = []
    document = cpix.parse(data)
    for version, schema in oracle.items():
        accepted = schema.validate(etree.fromstring(data))
        findings = check_structure(document, version)
        if accepted and findings:
            departed = all(f.rule in LENIENT or "libxml2 lets this pass" in f.hint for f in findings)
            found += [] if departed else [f"{version}: refused, but valid: {findings[0]}"]
        elif not accepted and not findings:
            found.append(f"{version}: accepted, but invalid: {schema.error_log[0].message}")
    return found


def test_the_corpus_is_judged_as_by_the_oracle(oracle: dict[str, etree.XMLSchema], corpus: dict[str, bytes]) -> None:
    """Every readable document of the corpus has structural findings exactly where DASH-IF's schema rejects it."""
    unreadable = []
    for name, data in corpus.items():
        try:
            assert disagreement(oracle, data) == [], name
        except XmlError:
            unreadable.append(name)
    assert unreadable == ["dashif-tv__EvenMoreComplex.xml"]


def test_mutants_are_judged_as_by_the_oracle(
    oracle: dict[str, etree.XMLSchema],
    corpus: dict[str, bytes],
    full_24: bytes,
    full_231: bytes,
    plain_24: bytes,
    mutate: Callable[[bytes, int], bytes],
) -> None:
    """Random mutants have structural findings exactly where DASH-IF's schema rejects them.

    DRMKIT_MUTANTS sets how many; the seeds of those that are judged wrongly are printed.
    """
    corpus = {name: data for name, data in corpus.items() if "EvenMoreComplex" not in name}
    documents = [*corpus.values(), *[full_24, full_231, plain_24] * 6]
    count = int(os.environ.get("DRMKIT_MUTANTS", "600"))
    wrong = {}
    for seed in range(count):
        said = disagreement(oracle, mutate(documents[seed % len(documents)], seed))
        if said:
            wrong[seed] = said
    assert wrong == {}


def test_full_documents_are_valid(oracle: dict[str, etree.XMLSchema], full_24: bytes, full_231: bytes) -> None:
    """The documents with every element are valid in their version, by the oracle and by drmkit."""
    for version, data in (("2.4", full_24), ("2.3.1", full_231)):
        assert oracle[version].validate(etree.fromstring(data)), oracle[version].error_log
        assert check_structure(cpix.parse(data), version) == []


SYSTEM = f'<DRMSystem kid="{KID}" systemId="edef8ba9-79d6-4ace-a3c8-27dcd51d21ed">'
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:x="http://www.w3.org/2001/XMLSchema"'
SPARED = {
    "bits left over before one padding character": f"{SYSTEM}<PSSH>AAF=</PSSH></DRMSystem>",
    "bits left over before two padding characters": f"{SYSTEM}<PSSH>AB==</PSSH></DRMSystem>",
    "white space inside base64": f"{SYSTEM}<PSSH> AAAA\nAA A= </PSSH></DRMSystem>",
    "a comment inside base64": f"{SYSTEM}<PSSH>AA<!-- -->AA</PSSH></DRMSystem>",
    "a broken group after a comment": f"{SYSTEM}<PSSH>AAAA<!-- -->A</PSSH></DRMSystem>",
    "a type at base64": f'{SYSTEM}<PSSH {XSI} xsi:type="x:token">AAAA</PSSH></DRMSystem>',
    "its own type at base64": f'{SYSTEM}<PSSH {XSI} xsi:type="x:base64Binary">AAAA</PSSH></DRMSystem>',
    "a type at HLS data": f'{SYSTEM}<HLSSignalingData {XSI} xsi:type="x:token">AAAA</HLSSignalingData></DRMSystem>',
    "a type at HLS data with a playlist": (
        f'{SYSTEM}<HLSSignalingData playlist="media" {XSI} xsi:type="x:string">AAAA</HLSSignalingData></DRMSystem>'
    ),
    "HLS data that is not base64": f'{SYSTEM}<HLSSignalingData playlist="media">AAA</HLSSignalingData></DRMSystem>',
    "protection data that is not base64": f"{SYSTEM}<ContentProtectionData>A</ContentProtectionData></DRMSystem>",
    "a type at protection data": (
        f'{SYSTEM}<ContentProtectionData {XSI} xsi:type="x:token">AAAA</ContentProtectionData></DRMSystem>'
    ),
    "one playlist twice": (
        f'{SYSTEM}<HLSSignalingData playlist="media"/><HLSSignalingData playlist="media"/></DRMSystem>'
    ),
    "no playlist twice": f"{SYSTEM}<HLSSignalingData/><HLSSignalingData/></DRMSystem>",
    "a key ID that is no UUID": '<DRMSystem kid="x" systemId="edef8ba9-79d6-4ace-a3c8-27dcd51d21ed"/>',
    "a key ID in upper case": f'<DRMSystem kid="{KID.upper()}" systemId="edef8ba9-79d6-4ace-a3c8-27dcd51d21ed"/>',
    "a key ID in braces": f'<DRMSystem kid="{{{KID}}}" systemId="edef8ba9-79d6-4ace-a3c8-27dcd51d21ed"/>',
    "a system ID that is no UUID": f'<DRMSystem kid="{KID}" systemId="widevine"/>',
    "no system ID": f'<DRMSystem kid="{KID}"/>',
    "text beside the elements": f"{SYSTEM}<PSSH>AAAA</PSSH>text</DRMSystem>",
    "elements out of order": f"{SYSTEM}<HLSSignalingData/><PSSH>AAAA</PSSH></DRMSystem>",
    "two boxes": f"{SYSTEM}<PSSH>AAAA</PSSH><PSSH>AAAA</PSSH></DRMSystem>",
    "a document inside an element of another namespace": (
        f'{SYSTEM}<o xmlns="urn:o"><CPIX xmlns="urn:dashif:org:cpix"><DRMSystemList>{SYSTEM}<PSSH>A</PSSH></DRMSystem>'
        "</DRMSystemList></CPIX></o></DRMSystem>"
    ),
}


@pytest.mark.parametrize("name", SPARED)
def test_what_the_survey_knows_is_judged_as_by_the_oracle(name: str, oracle: dict[str, etree.XMLSchema]) -> None:
    """Of what libxml2 is spared where the survey has seen it already, nothing that the schema refuses gets through."""
    keys = f'<ContentKeyList><ContentKey kid="{KID}"/></ContentKeyList>'
    data = f"{OPEN}{keys}<DRMSystemList>{SPARED[name]}</DRMSystemList></CPIX>".encode()
    assert disagreement(oracle, data) == []


def test_a_document_inside_a_usage_rule_is_judged_as_by_the_oracle(oracle: dict[str, etree.XMLSchema]) -> None:
    """A whole document can stand in an element of another namespace: its DRM systems are validated too."""
    keys = f'<ContentKeyList><ContentKey kid="{KID}"/></ContentKeyList>'
    inner = f"<CPIX><DRMSystemList>{SYSTEM}<PSSH>A</PSSH></DRMSystem></DRMSystemList></CPIX>"
    rule = f'<ContentKeyUsageRule kid="{KID}"><o:o xmlns:o="urn:o">{inner}</o:o></ContentKeyUsageRule>'
    data = f"{OPEN}{keys}<ContentKeyUsageRuleList>{rule}</ContentKeyUsageRuleList></CPIX>".encode()
    assert not oracle["2.3"].validate(etree.fromstring(data))
    assert disagreement(oracle, data) == []


def test_plain_documents_are_spared_most_of_the_schema(plain_24: bytes) -> None:
    """What the survey tells of DRM systems stands for the schema in an ordinary document, and only there."""
    assert Survey(cpix.parse(plain_24)).spares_schema
    for spoilt in (
        plain_24.replace(b"</cpix:PSSH>", b" </cpix:PSSH>", 1),
        plain_24.replace(b'systemId="edef', b'systemId="xdef', 1),
    ):
        assert not Survey(cpix.parse(spoilt)).spares_schema


@pytest.mark.parametrize("name", DEPARTURES)
def test_departures_of_libxml2_follow_the_specification(name: str, oracle: dict[str, etree.XMLSchema]) -> None:
    """What libxml2 lets pass and XML Schema refuses is refused, by a rule of its own."""
    body, rule, versions = DEPARTURES[name]
    data = f"{OPEN}{body}</CPIX>".encode()
    for version in versions:
        assert oracle[version].validate(etree.fromstring(data))
        assert rule in {f.rule for f in check_structure(cpix.parse(data), version)}


def test_the_vectors_for_key_rotation_are_refused_for_their_ivs_alone(corpus: dict[str, bytes]) -> None:
    """Two public vectors have UUIDs for IVs, which libxml2 takes for base64: in that alone is drmkit stricter."""
    vectors = {name: data for name, data in corpus.items() if "KeyRotation" in name}
    assert len(vectors) == 2
    for data in vectors.values():
        for version in ("2.3", "2.3.1"):
            findings = check_structure(cpix.parse(data), version)
            ivs = [key for key in cpix.parse(data).content_keys if key.element.get("explicitIV")]
            assert len(findings) == len(ivs) > 0
            assert {f.message for f in findings} == {"explicitIV of ContentKey is not base64: it is a UUID"}
            assert all(f.path.endswith("/@explicitIV") and "libxml2 lets this pass" in f.hint for f in findings)


def test_a_resolved_reference_is_no_departure() -> None:
    """A reference to any ID of the document satisfies the schema; that it is a period is a matter of meaning."""
    rule = f'<ContentKeyUsageRule kid="{KID}"><KeyPeriodFilter periodId="other"/></ContentKeyUsageRule>'
    data = f'{OPEN[:-1]} id="other"><ContentKeyUsageRuleList>{rule}</ContentKeyUsageRuleList></CPIX>'.encode()
    assert check_structure(cpix.parse(data), "2.3") == []
    assert "period-unresolved" in {f.rule for f in cpix.validate(data, "2.3").findings}


CASES = {
    "structure-attribute-unknown": (
        f'<ContentKeyList><ContentKey kid="{KID}" encryptsKey="x"/></ContentKeyList>',
        "2.4",
    ),
    "structure-attribute-missing": ("<ContentKeyList><ContentKey/></ContentKeyList>", "2.4"),
    "structure-element-unexpected": (
        f'<DRMSystemList/><ContentKeyList><ContentKey kid="{KID}"/></ContentKeyList>',
        "2.3",
    ),
    "structure-element-missing": ("<ContentKeyList/>", "2.4"),
    "structure-uuid": ('<ContentKeyList><ContentKey kid="x"/></ContentKeyList>', "2.4"),
    "structure-value": ('<ContentKeyList updateVersion="x"/>', "2.3"),
    "structure-id": ('<ContentKeyList id="1f2e"/>', "2.3"),
    "structure-content": ("<ContentKeyList>text</ContentKeyList>", "2.3"),
    "structure-type": (
        '<ContentKeyList xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="KeyType"/>',
        "2.3",
    ),
    "structure-playlist-name": (
        (
            f'<DRMSystemList><DRMSystem kid="{KID}" systemId="{KID}"><HLSSignalingData playlist="master"/></DRMSystem>'
            "</DRMSystemList>"
        ),
        "2.4",
    ),
    "structure-playlist-duplicate": (
        (
            f'<DRMSystemList><DRMSystem kid="{KID}" systemId="{KID}"><HLSSignalingData playlist="media"/>'
            '<HLSSignalingData playlist="media"/></DRMSystem></DRMSystemList>'
        ),
        "2.3",
    ),
}


@pytest.mark.parametrize("rule", CASES)
def test_each_kind_of_fault_has_its_rule(rule: str) -> None:
    """A structural fault is named by its rule, at its line and path, with a hint and the clause."""
    body, version = CASES[rule]
    findings = check_structure(cpix.parse(f"{OPEN}\n{body}</CPIX>".encode()), version)
    assert [f.rule for f in findings] == [rule]
    finding = findings[0]
    assert finding.line == 2
    assert finding.path.startswith("/CPIX/")
    assert finding.hint
    assert finding.kind == "structure"
    assert version in finding.source


def test_a_fault_of_another_version_says_which() -> None:
    """An attribute that another version has is explained by that version."""
    body = f'<ContentKeyList><ContentKey kid="{KID}" commonEncryptionScheme="cenc"/></ContentKeyList>'
    (finding,) = check_structure(cpix.parse(f"{OPEN}{body}</CPIX>".encode()), "2.2")
    assert "CPIX 2.3, 2.3.1, 2.4 has it" in finding.hint


def test_traffic_of_real_servers_says_how_to_live_with_it() -> None:
    """`master` in 2.4 and UUIDs as XML IDs are named as what servers send."""
    body, _ = CASES["structure-playlist-name"]
    (playlist,) = check_structure(cpix.parse(f"{OPEN}{body}</CPIX>".encode()), "2.4")
    assert "servers mix the names" in playlist.hint
    (name,) = check_structure(cpix.parse(f'{OPEN[:-1]} id="1f2e3d4c"/>'.encode()), "2.3")
    assert "some servers put UUIDs here" in name.hint


def test_no_finding_shows_a_key() -> None:
    """A key that is not base64 is reported without its value."""
    canary = "CANARYcanaryCANARY!"
    body = (
        f'<ContentKeyList><ContentKey kid="{KID}"><Data><p:Secret><p:PlainValue>{canary}</p:PlainValue></p:Secret>'
        f'</Data></ContentKey><ContentKey kid="{KID}" explicitIV="{canary}x"/></ContentKeyList>'
    )
    report = cpix.validate(f"{OPEN}{body}</CPIX>".encode(), "2.3")
    assert {"structure-base64", "iv-length"} <= {f.rule for f in report.findings}
    assert canary not in repr(report)


def test_no_schema_is_fetched(tmp_path: Path) -> None:
    """`xsi:schemaLocation` is ignored: the file that it names is not even looked at, and the verdict stays the same."""
    canary = tmp_path / "evil.xsd"
    canary.write_text("<this is not a schema")
    xsi = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    for encoding in ("utf-8", "utf-16"):
        data = f'{OPEN[:-1]} {xsi} xsi:schemaLocation="urn:dashif:org:cpix {canary}" version="2.3"/>'.encode(encoding)
        assert check_structure(cpix.parse(data), "2.3") == []


def test_versions_do_not_spoil_each_other(full_24: bytes) -> None:
    """One document can be checked against all versions in any order: IDs of one check do not reach the next."""
    period = '<ContentKeyPeriodList><ContentKeyPeriod id="p"/></ContentKeyPeriodList>'
    rule = f'<ContentKeyUsageRule kid="{KID}"><KeyPeriodFilter periodId="p"/></ContentKeyUsageRule>'
    data = f"{OPEN}{period}<ContentKeyUsageRuleList>{rule}{rule}</ContentKeyUsageRuleList></CPIX>".encode()
    document = cpix.parse(data)
    alone = {v: len(check_structure(cpix.parse(data), v)) for v in cpix.VERSIONS}
    assert {v: len(check_structure(document, v)) for v in (*cpix.VERSIONS, *reversed(cpix.VERSIONS))} == alone
    assert alone["2.3"] == 0
    assert alone["2.2"] > 0


def test_a_changed_document_is_judged_anew() -> None:
    """An ID that was removed after a check is free for another element."""
    data = f'{OPEN}<ContentKeyList id="a"><ContentKey kid="{KID}"/></ContentKeyList></CPIX>'.encode()
    document = cpix.parse(data)
    assert check_structure(document, "2.3") == []
    key = document.content_keys[0]
    document.content_keys.id, key.id = "b", "a"
    assert check_structure(document, "2.3") == []
    document.content_keys.id = "a"
    assert [f.rule for f in check_structure(document, "2.3")] == ["structure-id"]


def test_a_long_list_that_is_wrong_throughout_is_judged_entry_by_entry() -> None:
    """Every fault of a long list is found, at its own path, and the list's own faults too."""
    entries = "".join(f'<ContentKey kid="x{n}"/>\n' for n in range(1200))
    data = f'{OPEN}<ContentKeyList updateVersion="x">{entries}</ContentKeyList></CPIX>'.encode()
    findings = check_structure(cpix.parse(data), "2.4")
    assert len(findings) == 1201
    assert {f.rule for f in findings} == {"structure-value", "structure-uuid"}
    assert findings[-1].path == "/CPIX/ContentKeyList/ContentKey[1200]/@kid"
    assert findings[-1].line == 1200


def test_an_xml_id_is_no_id_of_the_schema(oracle: dict[str, etree.XMLSchema]) -> None:
    """An `xml:id` in an element of another namespace has no type in the schema, so it cannot collide with an ID.

    libxml2 refuses it all the same where its parser collects IDs: the specification of XML Schema is followed, Part 1,
    3.10.1 (`lax` assesses what has a declaration) and 3.15.4. Two IDs of the schema collide as ever.
    """
    keys = f'<ContentKeyList><ContentKey kid="{KID}" id="q"/></ContentKeyList>'
    data = (
        f'{OPEN}{keys}<DRMSystemList>{SYSTEM}<o xmlns="urn:o" xml:id="q"/></DRMSystem></DRMSystemList></CPIX>'.encode()
    )
    twice = data.replace(b"<DRMSystem ", b'<DRMSystem id="q" ')
    without = etree.XMLParser(collect_ids=False)
    for version in ("2.3", "2.3.1", "2.4"):
        assert not oracle[version].validate(etree.fromstring(data))
        assert oracle[version].validate(etree.fromstring(data, without))
        assert check_structure(cpix.parse(data), version) == []
        assert {f.rule for f in check_structure(cpix.parse(twice), version)} == {"structure-id"}
