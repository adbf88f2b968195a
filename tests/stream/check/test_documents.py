"""A stream against a CPIX document with signaling for manifests, and boxes whose insides are wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from packedstreams import IVS, KEYS, KIDS, boxes, document, edit

from drmkit import cpix, signaling
from drmkit.cpix import AudioFilter, BitrateFilter, VideoFilter
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.signaling import dash, hls, protobuf, widevine
from drmkit.signaling.pssh import PsshBox
from drmkit.stream.check import StreamReport, check_stream
from drmkit.stream.check.boxrules import Context, Placed, check_boxes
from drmkit.stream.check.collector import Collector
from drmkit.stream.check.model import Place

MPD, MASTER = "manifest.mpd", "master.m3u8"


def said(manifest: Path, **options: object) -> StreamReport:
    """Compare what a stream says, without decoding."""
    return check_stream(manifest, decode=False, **options)  # type: ignore[arg-type]


def signaled(box: PsshBox) -> cpix.Document:
    """A document that states a key tag and a ContentProtection content for each key, both with this box."""
    builder = cpix.Builder(content_id="clip")
    for kid, key in KEYS.items():
        builder.content_key(kid=kid, key=key, iv=IVS[kid], scheme="cenc")
        line = hls.key_tag(DrmSystem.WIDEVINE, kid, "cenc", box=box)
        builder.drm_system(
            kid=kid,
            system_id=DrmSystem.WIDEVINE,
            pssh=box.to_bytes(),
            hls_media=line,
            content_protection_data=dash.content_protection(box),
        )
    return cpix.parse(builder.build().to_xml())


def test_signaling_of_the_document_is_compared(packed: Callable[[str], Path]) -> None:
    """Key tags and elements that say what the document's say are fine; others are found with what differs."""
    same, other = boxes("cenc")[0], widevine.pssh_box(list(KEYS), "cenc", content_id=b"other")
    for manifest, rule in ((MASTER, "document-hls"), (MPD, "document-mpd")):
        assert said(packed("cenc") / manifest, document=signaled(same)).findings == ()
        report = said(packed("cenc") / manifest, document=signaled(other))
        assert len(report.of_rule(rule)) == 3
        assert len(report.of_rule("document-pssh")) == 6  # of each track: in the manifest and in the media


def test_a_document_that_contradicts_itself_is_named(packed: Callable[[str], Path]) -> None:
    """Where the PSSH box of a document is not the one of its own ContentProtectionData, the document is at fault."""
    text = signaled(boxes("cenc")[0]).to_xml().decode()
    other = widevine.pssh_box(list(KEYS), "cenc", content_id=b"other").to_base64()
    spoiled = cpix.parse(text.replace(boxes("cenc")[0].to_base64(), other, 1).encode())
    assert said(packed("cenc") / MPD, document=spoiled).of_rule("document-contradicts-itself")


def test_a_filled_document_of_another_scheme_is_found(packed: Callable[[str], Path]) -> None:
    """Everything that `fill` writes for cbcs is found beside a cenc stream, FairPlay in DASH left aside."""
    other = document("cbcs")
    signaling.fill(other)
    rules = {finding.rule for finding in said(packed("cenc") / MASTER, document=other).findings}
    assert {"document-scheme", "document-pssh"} <= rules


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ({"labels": ["main"]}, "labels"),
        ({"video": [VideoFilter()], "bitrate": [BitrateFilter(min_bitrate=1)]}, "bitrate"),
        ({"video": [VideoFilter(hdr=True)]}, "hdr"),
    ],
)
def test_rules_that_cannot_be_applied_are_named(
    packed: Callable[[str], Path], rule: dict[str, object], reason: str
) -> None:
    """Usage rules that ask for what a stream does not tell are a note, not a guess."""
    builder = cpix.Builder(content_id="clip")
    for kid, key in KEYS.items():
        builder.content_key(kid=kid, key=key, iv=IVS[kid], scheme="cenc")
    builder.usage_rule(kid=KIDS["SD"], **rule)  # type: ignore[arg-type]
    builder.usage_rule(kid=KIDS["AUDIO"], audio=[AudioFilter()])
    report = said(packed("cenc") / MASTER, document=cpix.parse(builder.build().to_xml()))
    assert any(reason in finding.message for finding in report.of_rule("document-rule-unusable"))
    assert not report.of_rule("document-usage")


def checked(box: PsshBox) -> list[str]:
    """The rules that a box in an initialization segment breaks, for the SD track in cenc."""
    collector = Collector()
    owners = {kid: name for name, kid in KIDS.items()}
    context = Context("SD", [KIDS["SD"]], "cenc", owners, KEYS)
    check_boxes([Placed(box, Place("init.mp4"), "the initialization segment")], context, collector)
    return [finding.rule for finding in collector.findings()]


@pytest.mark.parametrize("text", [KIDS["SD"].hex, KIDS["SD"].hex.upper(), KIDS["SD"].uuid])
def test_a_key_id_as_text_in_a_widevine_box_is_named(text: str) -> None:
    """The key ID as 32 characters, or as a UUID, in a Widevine box is told apart from a broken box."""
    data = protobuf.encode_bytes(2, text.encode())
    assert checked(PsshBox(DrmSystem.WIDEVINE.system_id, data=data)) == ["kid-ascii"]
    assert checked(PsshBox(DrmSystem.WIDEVINE.system_id, data=protobuf.encode_bytes(2, b"short"))) == ["pssh-broken"]
    assert checked(PsshBox(DrmSystem.WIDEVINE.system_id, data=b"\xff")) == ["pssh-broken"]
    assert checked(widevine.pssh_box([KIDS["SD"]])) == []


def test_a_box_without_key_ids_is_fine() -> None:
    """A Widevine box may name its content by a content ID alone, and a system that is not known may hold anything."""
    assert checked(widevine.pssh_box([], content_id=b"movie")) == []
    assert checked(PsshBox("00000000-1111-2222-3333-444444444444", data=b"\xff\xfe")) == []


def test_a_fairplay_uri_of_another_track_is_found(copied: Callable[[str], Path]) -> None:
    """A FairPlay line that names another track's key is found; one of the service's own form is not judged."""
    line = '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://{}",KEYFORMAT="com.apple.streamingkeydelivery"\n'
    folder = copied("cbcs")
    for name, label in (("video-180p", "SD"), ("video-720p", "HD"), ("audio-2ch", "AUDIO")):
        edit(folder / f"{name}.m3u8", "(#EXT-X-KEY)", line.format(KIDS[label]) + r"\1")
    assert said(folder / MASTER).findings == ()
    edit(folder / "video-180p.m3u8", f"skd://{KIDS['SD']}", "skd://asset-7")
    assert said(folder / MASTER).findings == ()
    edit(folder / "video-180p.m3u8", "skd://asset-7", f"skd://{KIDS['HD']}")
    (finding,) = said(folder / MASTER).of_rule("hls-kid")
    assert "(the key of video-720p)" in finding.message


def test_key_ids_that_are_no_text_are_fine() -> None:
    """Sixteen bytes that happen to hold some letters are no text."""
    assert checked(widevine.pssh_box([KIDS["SD"], KeyId(b"abcdefgh\x00\x01\x02\x03\x04\x05\x06\x07")])) == []
