"""DRM kinds: the table, names in any order, 16-byte values, vendors, and every contradiction of DrmInfo."""

from __future__ import annotations

import itertools
import json
from typing import Any
from uuid import UUID

import pytest

from drmkit.errors import JobError
from drmkit.identifiers import KeyId
from drmkit.mps import drm
from drmkit.mps.drmrules import check_drm, check_template
from drmkit.mps.job import StreamingTask
from drmkit.mps.keysource import KeySource
from drmkit.mps.models.streaming import (
    AdaptiveDynamicStreamingTaskInput,
    AdaptiveDynamicStreamingTemplate,
    DrmInfo,
    SimpleAesDrm,
    SpekeDrm,
)
from drmkit.mps.models.templates import AdaptiveStreamTemplate
from drmkit.mps.wire import encode
from drmkit.secret import Secret

IV = "00112233445566778899aabbccddeeff"
KINDS = tuple(drm.KINDS)
# https://www.tencentcloud.com/document/product/1041/33690, DrmInfo: what the documentation's table says, written out
DASH_KINDS = {"widevine", "playready", "widevine+playready"}
CENC_KINDS = DASH_KINDS
SEGMENT_TYPES = (
    "ts-segment",
    "ts-byterange",
    "mp4-segment",
    "mp4-byterange",
    "ts-packed-audio",
    "mp4-packed-audio",
    "ts-ts-segment",
    "ts-ts-byterange",
    "mp4-mp4-segment",
    "mp4-mp4-byterange",
    "ts-packed-audio-byterange",
    "mp4-packed-audio-byterange",
)


def speke(**changes: Any) -> Any:
    """A valid SpekeDrm, with changes."""
    given = {"resource_id": "movie-1", "key_server_url": KeySource("drmtoday:prod"), "vector": IV}
    return SpekeDrm(**(given | changes))


def findings(kind: Any = "widevine", **changes: Any) -> Any:
    """The findings about a DrmInfo with changes in its SpekeDrm, as (field, severity, message)."""
    info = DrmInfo(type=kind, speke_drm=speke(**changes))
    return [(item.path.rpartition(".")[2], item.severity, item.message) for item in check_drm(info, "DrmInfo")]


@pytest.mark.parametrize("kind", KINDS)
def test_names_in_any_order_and_case(kind: Any) -> None:
    """A combination may be written in any order and case; the API's spelling comes out."""
    for order in itertools.permutations(kind.split("+")):
        assert drm.normalize("+".join(order)) == kind
        assert drm.normalize(" + ".join(order).upper()) == kind
        assert drm.normalize(",".join(order)) == kind


@pytest.mark.parametrize("name", ["", "widevine+widevine", "simpleaes+widevine", "clearkey", "fairplay+"])
def test_names_that_are_none(name: Any) -> None:
    """A name that is no type is refused, with the types in the hint."""
    with pytest.raises(JobError, match="is no DRM type of MPS") as caught:
        drm.normalize(name)
    assert "widevine+playready+fairplay" in caught.value.hint


def test_a_misspelled_name_gets_the_nearest() -> None:
    """The hint names the type that was probably meant."""
    with pytest.raises(JobError) as caught:
        drm.normalize("widewine")
    assert "did you mean widevine?" in caught.value.hint


@pytest.mark.parametrize("kind", KINDS)
def test_table_of_methods(kind: Any) -> None:
    """Cbcs goes with every kind that asks a key server, cenc only without FairPlay; that is the default too."""
    row = drm.KINDS[kind]
    expected = () if kind == "simpleaes" else ("cenc", "cbcs") if kind in CENC_KINDS else ("cbcs",)
    assert row.methods == expected
    assert row.default_method == (expected[0] if expected else None)
    assert row.systems == (() if kind == "simpleaes" else tuple(kind.split("+")))


@pytest.mark.parametrize(("kind", "segments"), [*itertools.product(KINDS, SEGMENT_TYPES)])
def test_table_of_formats(kind: Any, segments: Any) -> None:
    """DASH: Widevine and PlayReady with byte ranges in mp4; HLS: mp4 alone, but simpleaes takes any slices."""
    if kind == "simpleaes":
        hls, dash = "byterange" not in segments, False
    else:
        hls = segments.startswith("mp4") and "packed" not in segments
        dash = kind in DASH_KINDS and segments in {"mp4-byterange", "mp4-mp4-byterange"}
    assert (segments in drm.KINDS[kind].segment_types["HLS"]) is hls
    assert (segments in drm.KINDS[kind].segment_types.get("MPEG-DASH", ())) is dash
    assert ("MPEG-DASH" in drm.KINDS[kind].formats) is (kind in DASH_KINDS)


@pytest.mark.parametrize(
    "value",
    [IV, IV.upper(), bytes.fromhex(IV), bytearray.fromhex(IV), KeyId.from_hex(IV), UUID(IV), Secret(IV)],
    ids=lambda value: type(value).__name__,
)
def test_sixteen_bytes_in_any_form(value: Any) -> None:
    """A vector may be digits, bytes, a KeyId or a UUID; 32 lower-case digits travel."""
    assert drm.hex32(value, "the vector") == IV


@pytest.mark.parametrize("value", ["", IV[:-1], IV * 2, "zz" * 16, b"short", 7, None, f"{IV}\n"])
def test_not_sixteen_bytes(value: Any) -> None:
    """Anything else is refused, 64 digits too, and never shown."""
    with pytest.raises(JobError, match="is not 16 bytes in 32 hexadecimal digits") as caught:
        drm.hex32(value, "the vector")
    assert "32-byte string" in caught.value.hint
    assert not value or str(value) not in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_every_class_makes_its_info(kind: Any, protections: Any) -> None:
    """Each kind has a class; its DrmInfo has no findings, and reveals on the wire what was put in."""
    info = protections(kind).info()
    assert list(check_drm(info, "DrmInfo")) == []
    assert protections(kind).kind is drm.KINDS[kind]
    sent = json.loads(encode(info))
    assert sent["Type"] == kind
    inner = sent["SimpleAesDrm" if kind == "simpleaes" else "SpekeDrm"]
    assert inner["Vector"] == IV
    assert inner.get("Key", "0f" * 16) == "0f" * 16
    assert inner.get("KeyServerUrl", "drmtoday:prod") == "drmtoday:prod"


def test_key_sources_may_be_given_as_such() -> None:
    """A class takes a KeySource as well as its text."""
    info = drm.FairPlay(resource_id="a", key_source=KeySource("drmtoday:x"), iv=IV, preset="preset0").info()
    assert info.speke_drm.key_server_url.reveal() == "drmtoday:x"


def test_aes_keys() -> None:
    """An AES key may be bytes or digits or the name of its file; the vector may be left out."""
    for key in (Secret(bytes(16)), Secret("00" * 16)):
        info = drm.SimpleAes(uri="https://k", key=key).info()
        assert info.simple_aes_drm.key.reveal() == "00" * 16
        assert info.simple_aes_drm.vector is None
    assert drm.SimpleAes(uri="u", key=Secret("file:key.hex")).info().simple_aes_drm.key.reveal() == "file:key.hex"


def test_classes_by_name() -> None:
    """A class is found by any spelling; simpleaes has no key server and so is none of them."""
    assert drm.protection("FairPlay+Widevine") is drm.WidevineFairPlay
    with pytest.raises(JobError, match="uses no key server"):
        drm.protection("SimpleAES")


def test_the_base_class_is_no_kind() -> None:
    """Protection itself is abstract."""
    with pytest.raises(TypeError, match="abstract class Protection"):
        drm.Protection()  # type: ignore[abstract]  # what the test is about


@pytest.mark.parametrize(
    ("source", "vendor"),
    [
        ("drmtoday:prod", "DRMtoday"),
        ("https://fe.drmtoday.com/frontend/cpix/v1/a", "DRMtoday"),
        ("https://fe.staging.drmtoday.com/x", "DRMtoday"),
        ("https://kms.pallycon.com/v2/cpix/pallycon/getKey/T", "DoveRunner (PallyCon)"),
        ("https://drm-kms.doverunner.com/v2/x", "DoveRunner (PallyCon)"),
        ("https://uat.multidrm.tv/cpix", "SDMC"),
        ("https://drmtoday.com.example.org/", None),
        ("https://notdrmtoday.com/", None),
        ("other:prod", None),
    ],
)
def test_vendors_by_source(source: Any, vendor: Any) -> None:
    """A vendor is known by its domains and by the name that stands for it, never by a part of another domain."""
    found = drm.vendor_of(KeySource(source))
    assert (found.name if found else None) == vendor


@pytest.mark.parametrize(("kind", "method"), [*itertools.product(KINDS[1:], ["cenc", "cbcs", "cens", None])])
def test_methods(kind: Any, method: Any) -> None:
    """Each method that the table allows passes, each other one is an error at EncryptionMethod."""
    found = findings(kind, encryption_method=method)
    if method in {None, *drm.KINDS[kind].methods}:
        assert found == []
    else:
        assert [(path, severity) for path, severity, _ in found] == [("EncryptionMethod", "error")]
        assert ("is no method" if method == "cens" else f"does not go with {kind}") in found[0][2]


@pytest.mark.parametrize(
    ("changes", "field", "severity", "message"),
    [
        ({"vector": "abc"}, "Vector", "error", "not 32 hexadecimal digits but 3 characters"),
        ({"vector": IV * 2}, "Vector", "error", "64 characters; '32-byte string' means 32"),
        ({"encryption_preset": "preset 0"}, "EncryptionPreset", "error", "'preset 0' is no preset"),
        ({"resource_id": "a b"}, "ResourceId", "error", "is not 1 to 128 letters"),
        ({"resource_id": ""}, "ResourceId", "error", "is not 1 to 128 letters"),
        ({"resource_id": "x" * 129}, "ResourceId", "error", "is not 1 to 128 letters"),
        (
            {"resource_id": "a_b", "key_server_url": KeySource("sdmc:x")},
            "ResourceId",
            "error",
            "SDMC does not accept 'a_b'",
        ),
        ({"key_server_url": KeySource("nonsense")}, "KeyServerUrl", "error", "neither a URL nor a key source"),
        ({"key_server_url": KeySource("https://:80/x")}, "KeyServerUrl", "error", "a URL without a host"),
        (
            {"key_server_url": KeySource("https://fe.drmtoday.com/x?ticket=ST-1")},
            "KeyServerUrl",
            "warning",
            "holds a ticket",
        ),
    ],
)
def test_wrong_values(changes: Any, field: Any, severity: Any, message: Any) -> None:
    """Each wrong value of SpekeDrm is found at its field, and it alone."""
    assert [(path, kind, message in text) for path, kind, text in findings(**changes)] == [(field, severity, True)]


@pytest.mark.parametrize(
    "changes",
    [
        {"encryption_preset": "preset0"},
        {"encryption_preset": "preset1"},
        {"resource_id": "x" * 128},
        {"resource_id": "A-z_0"},
        {"key_server_url": KeySource("https://keys.example.com/cpix")},
        {"vector": IV.upper()},
        {"vector": None, "resource_id": None},
        {"key_server_url": None},
    ],
)
def test_right_values(changes: Any) -> None:
    """The benign twins of the wrong values pass; what is absent is left to the schema."""
    assert findings(**changes) == []


def test_type_and_element_must_agree() -> None:
    """Simpleaes needs SimpleAesDrm, every other type SpekeDrm; the other one does not belong there."""
    aes = SimpleAesDrm(uri="u", key=Secret("00" * 16))
    found = list(check_drm(DrmInfo(type="widevine", simple_aes_drm=aes), "DrmInfo"))
    assert {(item.path, item.message.split(",")[0]) for item in found} == {
        ("DrmInfo.SpekeDrm", "is missing"),
        ("DrmInfo.SimpleAesDrm", "does not go with Type widevine"),
    }
    assert list(check_drm(DrmInfo(type="simpleaes", simple_aes_drm=aes), "DrmInfo")) == []


def test_unknown_type_gets_the_nearest() -> None:
    """A misspelled type is an error whose fix names the nearest; an absent one is left to the schema."""
    (found,) = check_drm(DrmInfo(type="playredy", speke_drm=speke()), "DrmInfo")
    assert (found.path, found.fix) == ("DrmInfo.Type", "write playready")
    (found,) = check_drm(DrmInfo(type="xyz", speke_drm=speke()), "DrmInfo")
    assert "simpleaes" in found.fix
    assert list(check_drm(DrmInfo(speke_drm=speke()), "DrmInfo")) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"key": Secret("abc")}, "not 32 hexadecimal digits"),
        ({"key": Secret("a" * 64)}, "64 characters"),
        ({"vector": "xyz"}, "not 32 hexadecimal digits"),
        ({"uri": " "}, "is not a URI"),
    ],
)
def test_wrong_simple_aes(changes: Any, message: Any) -> None:
    """Each wrong value of SimpleAesDrm is found; a key is never shown."""
    aes = SimpleAesDrm(**({"uri": "https://k", "key": Secret("00" * 16), "vector": IV} | changes))
    (found,) = check_drm(DrmInfo(type="simpleaes", simple_aes_drm=aes), "DrmInfo")
    assert message in found.message


def template(layout: Any = "HLS", segments: Any = "mp4-segment", streams: Any = 3) -> Any:
    """A template as DescribeAdaptiveDynamicStreamingTemplates gives it."""
    infos = [AdaptiveStreamTemplate() for _ in range(streams)]
    return AdaptiveDynamicStreamingTemplate(definition=12, format=layout, segment_type=segments, stream_infos=infos)


def against(task: Any, found: Any) -> Any:
    """The findings of a task against a template."""
    return [(item.path, item.message) for item in check_template(task, found, "T")]


@pytest.mark.parametrize(
    ("kind", "layout", "segments"), [*itertools.product(KINDS, ["HLS", "MPEG-DASH"], [*SEGMENT_TYPES, None])]
)
def test_templates_against_kinds(kind: Any, layout: Any, segments: Any, protections: Any) -> None:
    """A kind goes with exactly the templates that the table names; an absent SegmentType is ts-segment."""
    task = StreamingTask(12, protections(kind)).model()
    allowed = (segments or "ts-segment") in drm.KINDS[kind].segment_types.get(layout, ())
    found = against(task, template(layout, segments))
    assert bool(found) is not allowed
    assert all(path == "T.DrmInfo.Type" for path, _ in found)


def test_template_that_does_not_exist() -> None:
    """A Definition that the account does not have is an error, with or without DRM."""
    task = AdaptiveDynamicStreamingTaskInput(definition=12)
    assert against(task, None)[0][1].startswith("there is no adaptive-bitrate template 12")
    assert against(task, template("MPEG-DASH")) == []


def test_segment_names_are_for_hls() -> None:
    """SegmentObjectName goes with HLS templates only."""
    task = AdaptiveDynamicStreamingTaskInput(definition=12, segment_object_name="{segmentNumber}")
    assert against(task, template("MPEG-DASH"))[0][0] == "T.SegmentObjectName"
    assert against(task, template("HLS")) == []


@pytest.mark.parametrize(
    ("source", "most"),
    [("drmtoday:prod", 9), ("pallycon:x", 5), ("https://kms.pallycon.com/t", 5), ("https://keys.example.com", 99)],
)
def test_substreams_with_a_key_each(source: Any, most: Any) -> None:
    """preset1 needs a key for each substream: no more than the vendor gives; preset0 needs one."""
    for preset, streams, fine in (("preset1", most, True), ("preset1", most + 1, most == 99), ("preset0", 99, True)):
        protection = drm.Widevine(resource_id="a", key_source=source, iv=IV, preset=preset)
        found = against(StreamingTask(12, protection).model(), template(streams=streams))
        assert (found == []) is fine
        assert fine or f"gives {most} at most" in found[0][1]


def test_substreams_of_the_task_itself() -> None:
    """StdExtStreamInfos replace the template's substreams, so they are what counts."""
    protection = drm.Widevine(resource_id="a", key_source="pallycon:x", iv=IV, preset="preset1")
    streams = [AdaptiveStreamTemplate() for _ in range(6)]
    task = StreamingTask(12, protection, more={"std_ext_stream_infos": streams}).model()
    assert "needs 6 keys" in against(task, template(streams=1))[0][1]


def test_simple_aes_has_no_presets(protections: Any) -> None:
    """The limits of key servers say nothing about simpleaes."""
    assert against(StreamingTask(12, protections("simpleaes")).model(), template(streams=99)) == []
