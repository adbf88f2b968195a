"""Validation takes the right version, says why, and reports in a form that machines read."""

from __future__ import annotations

import json

import pytest

from drmkit import cpix
from drmkit.errors import CpixError, InvalidDocumentError

KID = "b4c3188b-eddd-453d-9bc2-1cbca7566239"


def text(body: str = "", attributes: str = "") -> bytes:
    """A document."""
    return f'<CPIX xmlns="urn:dashif:org:cpix" {attributes}>{body}</CPIX>'.encode()


HDS = (
    f'<ContentKeyList><ContentKey kid="{KID}"/></ContentKeyList><DRMSystemList><DRMSystem kid="{KID}" systemId="{KID}">'
    "{}</DRMSystem></DRMSystemList>"
)


@pytest.mark.parametrize(
    ("data", "version", "why"),
    [
        (text(attributes='version="2.3"'), "2.3", "the document says version 2.3"),
        (text(attributes='version=" 2.4 "'), "2.4", "the document says version 2.4"),
        (text(), "2.4", "names none, and 2.4 is the newest that accepts it"),
        (text(HDS.format("<HDSSignalingData/>")), "2.3.1", "2.3.1 is the newest that accepts it"),
        (text(HDS.format('<HLSSignalingData playlist="variant"/>')), "2.1", "2.1 is the newest"),
        (text(attributes='version="9.9"'), "2.4", "says version '9.9', which was never published, and 2.4"),
        (text("<Odd/>"), "2.4", "no version accepts it, and 2.4 has the least against it"),
    ],
)
def test_auto_takes_the_stated_version_or_the_newest_that_accepts(data: bytes, version: str, why: str) -> None:
    """`auto` says which version it took and why."""
    report = cpix.validate(data)
    assert report.version == version
    assert why in report.version_reason


def test_a_version_can_be_demanded() -> None:
    """An explicit version is used whatever the document says; an unknown one, or an unknown profile, is refused."""
    assert cpix.validate(text(attributes='version="2.3"'), "2.4").version == "2.4"
    assert cpix.validate(cpix.parse(text()), "2.1").version_reason == "it was asked for"
    with pytest.raises(CpixError, match="no CPIX version '2.0'"):
        cpix.validate(text(), "2.0")
    with pytest.raises(CpixError, match="no profile 'speke'"):
        cpix.validate(text(), profile="speke")


def test_the_report_is_plain_data() -> None:
    """A report turns into the values of the JSON output, and counts its findings."""
    report = cpix.validate(text(f'<DRMSystemList><DRMSystem kid="{KID}" systemId="{KID}"/></DRMSystemList>'))
    entry = json.loads(json.dumps(report.to_dict()))
    assert (entry["cpix_version"], entry["valid"]) == ("2.4", False)
    assert set(entry["findings"][0]) == {"rule", "kind", "severity", "line", "path", "message", "hint", "source"}
    assert report.counts == {"error": 1}
    assert report.errors == report.of_kind("semantics")


def test_check_raises_with_the_first_faults() -> None:
    """`check` returns the report of a valid document and raises for another, naming three faults and counting on."""
    assert cpix.check(text()).valid
    keys = "".join(f'<ContentKey kid="x{n}"/>' for n in range(5))
    with pytest.raises(InvalidDocumentError, match=r"not valid CPIX 2\.4: line 1: .*structure-uuid.*; and 2 more"):
        cpix.check(text(f"<ContentKeyList>{keys}</ContentKeyList>", 'version="2.4"'))
    with pytest.raises(InvalidDocumentError, match="not valid CPIX: line 1: not well-formed"):
        cpix.check(b"<")


def test_a_large_document_that_no_version_accepts_takes_the_best(corpus: dict[str, bytes]) -> None:
    """Versions are ranked by their faults in large documents too."""
    keys = "".join(f'<ContentKey kid="{KID}" robustness="x"/>' for _ in range(1100))
    report = cpix.validate(text(f"<ContentKeyList>{keys}</ContentKeyList>"))
    assert report.version == "2.4"
    assert sum(f.rule == "structure-attribute-unknown" for f in report.findings) == 1100


@pytest.mark.parametrize(
    "name",
    [
        "pycpix__README.md_1.xml",
        "dashif-tv__Complex.xml",
        "aws-speke-gen__test_case_3_p_v_5_a_3_7_widevine_playready_fairplay.xml",
    ],
)
def test_documents_of_others_are_valid(name: str, corpus: dict[str, bytes]) -> None:
    """Sound documents of other makers have no errors."""
    report = cpix.validate(corpus[name])
    assert report.errors == ()
