"""The builder writes valid documents of every version, or nothing."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from drmkit import cpix
from drmkit.cpix.records import KeyRow, SystemRow
from drmkit.cpix.rows import Noted, read_rows
from drmkit.errors import CpixError, DrmkitError, InvalidDocumentError
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.secret import Secret
from drmkit.signaling import widevine

KID = KeyId.from_hex("00112233445566778899aabbccddeeff")
OTHER = KeyId.from_hex("10112233445566778899aabbccddeeff")
START = datetime(2026, 1, 1, tzinfo=UTC)


def test_what_is_built_is_read_back() -> None:
    """A built document reads back with the same values, and chooses its key for a track."""
    builder = cpix.Builder(version="2.3", content_id="movie", id="doc", name="n")
    builder.content_key(kid=KID, key=Secret(bytes(range(16))), iv=bytes(range(16, 32)), scheme="cenc", id="k")
    builder.drm_system(
        kid=KID, system_id=DrmSystem.WIDEVINE, pssh=b"", hls_media="#EXT-X-KEY:METHOD=SAMPLE-AES-CTR,URI=x"
    )
    builder.usage_rule(kid=KID, video=[cpix.VideoFilter(max_pixels=1920 * 1080)])
    document = cpix.parse(builder.build().to_xml())
    assert (document.version, document.content_id, document.id, document.name) == ("2.3", "movie", "doc", "n")
    key = document.key_for(cpix.VideoTrack(1920, 1080))
    assert key is not None
    assert (key.kid, key.key, key.iv, key.id) == (KID, Secret(bytes(range(16))), bytes(range(16, 32)), "k")
    system = document.drm_systems.get(KID, DrmSystem.WIDEVINE.system_id.upper())
    assert system is not None
    assert (system.pssh, system.placeholders) == (None, ("PSSH",))
    assert system.hls_signaling("media") == "#EXT-X-KEY:METHOD=SAMPLE-AES-CTR,URI=x"


@pytest.mark.parametrize("version", cpix.VERSIONS)
def test_each_version_gets_its_shape(version: str) -> None:
    """One set of calls gives a valid document of each version, with its playlist names and version attribute."""
    builder = cpix.Builder(version=version, content_id="c").recipient(certificate=b"der", name="r", description="d")
    builder.content_key(kid=KID)
    builder.drm_system(
        kid=KID, system_id=DrmSystem.FAIRPLAY.system_id, hls_media="#EXT-X-KEY:x", hls_master="#EXT-X-SESSION-KEY:x"
    )
    builder.usage_rule(kid=KID, audio=[cpix.AudioFilter(max_channels=2)], bitrate=[cpix.BitrateFilter(max_bitrate=5)])
    builder.update(update_version=1, index=1, source="me", date=START)
    document = builder.build()
    assert cpix.validate(document.to_xml(), version).valid
    assert document.version == (None if version in ("2.1", "2.2") else version)
    names = {"2.1": ["variant", "master"], "2.4": ["media", "multiVariant"]}.get(version, ["media", "master"])
    assert [e.get("playlist") for e in document.drm_systems[0].element] == names


def test_everything_of_24_can_be_built() -> None:
    """Hierarchy, HDCP, robustness, allowed CPC, offsets and labels are written where 2.4 wants them."""
    builder = cpix.Builder(version="2.4")
    builder.content_key(kid=KID, depends_on=OTHER, key=bytes(range(16)))
    builder.content_key(kid=OTHER, content_id="c", scheme="cbcs", hdcp_level="TYPE-1", hdcp_output_protection=b"<x/>")
    builder.drm_system(
        kid=OTHER,
        system_id=DrmSystem.WIDEVINE,
        id="s",
        name="Widevine",
        update_version=7,
        pssh=widevine.pssh_box([OTHER], "cbcs").to_bytes(),
        content_protection_data=b"<a/>",
        robustness="HW_SECURE_ALL",
        hls_media="#EXT-X-KEY:METHOD=SAMPLE-AES,URI=x",
        hls_media_allowed_cpc="a:b",
        hls_master="#EXT-X-SESSION-KEY:METHOD=SAMPLE-AES,URI=x",
        hls_allowed_cpc="a:b",
        smooth="x",
    )
    builder.period(id="p", label="l", start_offset=timedelta(0), end_offset=timedelta(hours=1, microseconds=5))
    builder.usage_rule(
        kid=KID, id="r", intended_track_type="HD", periods=["p"], labels=["x"], video=[cpix.VideoFilter(hdr=True)]
    )
    builder.update(update_version=7, index=1, source="me", date=START, id="u")
    document = builder.build()
    assert cpix.validate(document.to_xml()).valid
    assert document.periods[0].end_offset == timedelta(hours=1, microseconds=5)
    assert document.update_history[0].date == START
    assert document.drm_systems[0].robustness == "HW_SECURE_ALL"


@pytest.mark.parametrize(
    ("version", "call", "arguments", "reason"),
    [
        ("2.2", "content_key", {"kid": KID, "scheme": "cenc"}, "structure-attribute-unknown"),
        ("2.3", "content_key", {"kid": KID, "scheme": "SAMPLE-AES"}, "structure-value"),
        ("2.3", "content_key", {"kid": KID, "content_id": "x"}, "structure-attribute-unknown"),
        ("2.3", "content_key", {"kid": KID, "key": b"short"}, "key-length"),
        ("2.3", "content_key", {"kid": KID, "iv": bytes(8)}, "iv-length"),
        ("2.3", "content_key", {"kid": OTHER}, "kid-duplicate"),
        ("2.3", "drm_system", {"kid": KID, "system_id": DrmSystem.WIDEVINE}, "drm-system-kid"),
        ("2.4", "drm_system", {"kid": OTHER, "system_id": "widevine"}, "structure-uuid"),
        ("2.4", "drm_system", {"kid": OTHER, "system_id": DrmSystem.WIDEVINE, "pssh": b"x"}, "pssh-malformed"),
        (
            "2.4",
            "drm_system",
            {"kid": OTHER, "system_id": DrmSystem.WIDEVINE, "hds": b"x"},
            "structure-element-unexpected",
        ),
        ("2.4", "usage_rule", {"kid": OTHER, "periods": ["p"]}, "structure-id-unresolved"),
        ("2.3", "period", {"id": "p", "start": START}, "period-attributes"),
        ("2.3", "period", {"id": "1"}, "structure-id"),
    ],
)
def test_an_invalid_document_never_leaves(version: str, call: str, arguments: dict[str, Any], reason: str) -> None:
    """What makes the document invalid is refused at the end, by the rule that it breaks."""
    builder = cpix.Builder(version=version).content_key(kid=OTHER)
    getattr(builder, call)(**arguments)
    with pytest.raises(InvalidDocumentError, match=reason):
        builder.build()


def test_wrong_use_says_so() -> None:
    """Unknown versions, spent builders, single texts and times without a zone are refused at once."""
    with pytest.raises(CpixError, match="no CPIX version '2.5'") as unknown:
        cpix.Builder(version="2.5")
    assert unknown.value.hint is not None
    assert "did you mean 2." in unknown.value.hint
    builder = cpix.Builder()
    builder.build()
    with pytest.raises(CpixError, match="has built its document"):
        builder.content_key(kid=KID)
    with pytest.raises(CpixError, match=r"no CPIX version 2\.4; published"):
        cpix.Builder(version=2.4)  # type: ignore[arg-type]
    for arguments in ({"key": "00112233445566778899aabbccddeeff"}, {"iv": 16}):
        with pytest.raises(CpixError, match="bytes are needed here, not (str|int)"):
            cpix.Builder().content_key(kid=KID, **arguments)  # type: ignore[arg-type]
    with pytest.raises(CpixError, match="bytes are needed here"):
        cpix.Builder().drm_system(kid=KID, system_id=DrmSystem.WIDEVINE, pssh="AAAA")  # type: ignore[arg-type]
    with pytest.raises(CpixError, match="half a character"):
        cpix.Builder().drm_system(kid=KID, system_id=DrmSystem.WIDEVINE, hls_media="\ud800")
    with pytest.raises(CpixError, match="takes several texts"):
        cpix.Builder().usage_rule(kid=KID, labels="HD")
    with pytest.raises(CpixError, match="without a zone"):
        cpix.Builder().period(id="p", start=datetime(2026, 1, 1))  # noqa: DTZ001 (the point of the test)
    with pytest.raises(CpixError, match="not a text that XML can hold"):
        cpix.Builder(content_id="\x00")
    with pytest.raises(CpixError, match="of ContentKey is not a text"):
        cpix.Builder().content_key(kid=KID, scheme="\x00")


def test_a_document_can_be_extended() -> None:
    """A builder adds to a document that is there, in the document's own version and place."""
    document = cpix.Builder(version="2.4").content_key(kid=KID).usage_rule(kid=KID).build()
    cpix.Builder.extending(document).drm_system(kid=KID, system_id=DrmSystem.WIDEVINE).period(id="p", index=1).build()
    order = [str(child.tag).split("}")[1] for child in document.root]
    assert order == ["ContentKeyList", "DRMSystemList", "ContentKeyPeriodList", "ContentKeyUsageRuleList"]
    with pytest.raises(CpixError, match="there is no CPIX version ''"):
        cpix.Builder.extending(cpix.Builder(version="2.2").build())


bounds = st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)).map(sorted)
texts = st.text(max_size=12)


@settings(max_examples=60, deadline=None)
@given(
    version=st.sampled_from(cpix.VERSIONS),
    kids=st.lists(st.binary(min_size=16, max_size=16).map(KeyId), max_size=4, unique=True),
    key=st.one_of(st.none(), st.binary(min_size=15, max_size=17)),
    content_id=st.one_of(st.none(), texts),
    label=texts,
    pixels=bounds,
    lines=texts,
    index=st.integers(-1, 2**33),
)
def test_building_gives_a_valid_document_or_a_reason(
    version: str,
    kids: list[KeyId],
    key: bytes | None,
    content_id: str | None,
    label: str,
    pixels: list[int],
    lines: str,
    index: int,
) -> None:
    """Whatever is built validates without an error in its version after a round trip; whatever does not is refused."""
    try:
        builder = cpix.Builder(version=version, content_id=content_id).period(id="p", index=index)
        for number, kid in enumerate(kids):
            builder.content_key(kid=kid, key=key)
            builder.drm_system(kid=kid, system_id=DrmSystem.FAIRPLAY, hls_media=lines, name=label)
            video = cpix.VideoFilter(min_pixels=pixels[0], max_pixels=pixels[1])
            builder.usage_rule(kid=kid, labels=[f"{label}{number}"], video=[video])
        data = builder.build().to_xml()
    except DrmkitError:
        return
    report = cpix.validate(data, version)
    assert report.valid, [str(finding) for finding in report.errors]
    document = cpix.parse(data)
    assert [k.kid for k in document.content_keys] == kids
    assert document.content_id == content_id
    assert [r.labels for r in document.usage_rules] == [(f"{label}{n}",) for n in range(len(kids))]


def _values(row: KeyRow | SystemRow) -> dict[str, object]:
    found = {field.name: getattr(row, field.name) for field in fields(row)}
    return {name: value.tag if isinstance(value, etree._Element) else value for name, value in found.items()}


@pytest.mark.parametrize("version", cpix.VERSIONS)
def test_what_is_noted_while_adding_is_what_reading_finds(version: str) -> None:
    """The final check sees the same values, whether they were noted while adding or are read from the document."""
    builder = cpix.Builder(version=version)
    builder.content_key(kid=KID, key=bytes(16), iv=b"", scheme="cenc", content_id="A", hdcp_output_protection=b"<a/>")
    builder.content_key(kid=OTHER, depends_on=KID, key=b"", id="k").content_key(kid=OTHER, hdcp_level="TYPE-1")
    full: dict[str, Any] = {
        "pssh": b"box",
        "content_protection_data": b"<a/>",
        "robustness": "1",
        "uri_ext_x_key": b"u",
        "hds": b"h",
    }
    builder.drm_system(kid=KID, system_id=DrmSystem.WIDEVINE.system_id.upper(), hls_master="m", smooth="s", **full)
    builder.drm_system(kid=OTHER, system_id=DrmSystem.FAIRPLAY, hls_media="a", hls_master="b", pssh=b"", name="n")
    builder.drm_system(kid=KeyId(bytes(16)), system_id="none")
    noted = builder._noted
    assert isinstance(noted, Noted)
    document = builder._open()
    rows, read = noted.rows(document), read_rows(document)
    assert rows is not None
    assert [_values(row) for row in rows.keys] == [_values(row) for row in read.keys]
    assert [_values(row) for row in rows.notable] == [_values(row) for row in read.notable]
    assert (rows.kids, rows.systems, len(rows.notable)) == (read.kids, read.systems, 3)
    assert rows.unusual
    assert (read.unusual, read.bad) == (True, {})


@pytest.mark.parametrize(("box", "valid"), [(b"no box", False), (widevine.pssh_box([KID], "cenc").to_bytes(), True)])
def test_what_a_failed_call_left_is_checked_too(box: bytes, valid: bool) -> None:
    """A call that fails half-way notes nothing; what it left in the document is read, and judged."""
    builder = cpix.Builder(version="2.3").content_key(kid=KID, key=bytes(range(16)), scheme="cenc")
    with pytest.raises(CpixError, match="XML cannot hold"):
        builder.drm_system(kid=KID, system_id=DrmSystem.WIDEVINE, pssh=box, smooth="\x01")
    if valid:
        assert len(builder.build().drm_systems) == 1
    else:
        with pytest.raises(InvalidDocumentError, match="PSSH of Widevine does not parse"):
            builder.build()


def test_bytes_that_change_later_are_judged_as_written() -> None:
    """Buffers are copied when they are added: the check judges what stands in the document."""
    box, key = bytearray(widevine.pssh_box([KID], "cenc").to_bytes()), bytearray(range(16))
    wrong = bytearray(b"no box")
    builder = cpix.Builder().content_key(kid=KID, key=key, iv=bytearray(16), scheme="cenc")  # type: ignore[arg-type]  # on purpose
    builder.drm_system(kid=KID, system_id=DrmSystem.WIDEVINE, pssh=box)  # type: ignore[arg-type]  # on purpose
    good = bytes(box)
    box[:], key[:] = wrong, b""
    document = builder.build()
    assert (document.drm_systems[0].pssh, document.content_keys[0].key) == (good, Secret(bytes(range(16))))
    builder = cpix.Builder().content_key(kid=KID)
    builder.drm_system(kid=KID, system_id=DrmSystem.WIDEVINE, pssh=wrong)  # type: ignore[arg-type]  # on purpose
    wrong[:] = good
    with pytest.raises(InvalidDocumentError, match="does not parse"):
        builder.build()


def test_a_builder_that_extends_reads_what_is_there() -> None:
    """The document that is extended can change meanwhile: it is read at the end, and the changes are judged."""
    document = cpix.Builder().content_key(kid=KID).build()
    builder = cpix.Builder.extending(document).content_key(kid=OTHER)
    document.content_keys[1].element.set("kid", str(KID))
    with pytest.raises(InvalidDocumentError, match="is there twice"):
        builder.build()
    document.content_keys[1].element.set("kid", str(OTHER))
    assert len(builder.build().content_keys) == 2


def test_writing_is_what_libxml2_writes() -> None:
    """A document with comments before and after its root is written byte by byte as etree.tostring writes it."""
    inner = cpix.Builder(name="\u00e9\U0001f600").content_key(kid=KID).build().to_xml().split(b"\n", 1)[1]
    document = cpix.parse(b"<!-- a --><?b c?>" + inner + b"<!-- d -->")
    assert document.to_xml() == etree.tostring(document.tree, encoding="UTF-8", xml_declaration=True)
