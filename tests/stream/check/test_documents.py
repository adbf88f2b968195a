"""A stream against a CPIX document with signaling for manifests, and boxes whose insides are wrong."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from packedstreams import IVS, KEYS, KIDS, boxes, check_stream, document, edit

from drmkit import cpix, signaling
from drmkit.cpix import AudioFilter, BitrateFilter, VideoFilter
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.secret import Secret
from drmkit.signaling import dash, hls, playready, protobuf, widevine
from drmkit.signaling.pssh import PsshBox
from drmkit.stream.check import StreamReport
from drmkit.stream.check.boxrules import Context, Placed, check_boxes
from drmkit.stream.check.collector import Collector
from drmkit.stream.check.model import Place
from drmkit.stream.model import TrackInput
from drmkit.stream.tools import Tools

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


def built(**changes: object) -> cpix.Builder:
    """A builder with the three keys of the stream, each changed alike."""
    builder = cpix.Builder(content_id="clip")
    for kid, key in KEYS.items():
        builder.content_key(**{"kid": kid, "key": key, "iv": IVS[kid], "scheme": "cenc", **changes})  # type: ignore[arg-type]
    return builder


def parsed(builder: cpix.Builder) -> cpix.Document:
    """What a builder builds, read back."""
    return cpix.parse(builder.build().to_xml())


def test_a_document_that_serves_no_secrets_is_named(packed: Callable[[str], Path]) -> None:
    """A key that is its own key ID, in either order, or zeros, is an error of the document; a real key is none."""
    builder = cpix.Builder(content_id="clip")
    sd, hd, audio = KIDS.values()
    for kid, key in ((sd, sd.raw), (hd, hd.guid_le), (audio, bytes(16))):
        builder.content_key(kid=kid, key=Secret(key), iv=IVS[kid], scheme="cenc")
    report = said(packed("cenc") / MPD, document=parsed(builder))
    assert len(report.of_rule("key-is-key-id")) == 2
    assert len(report.of_rule("key-is-known")) == 1
    assert said(packed("cenc") / MPD, document=parsed(built())).findings == ()


def test_scheme_and_iv_of_the_document_are_compared(packed: Callable[[str], Path]) -> None:
    """An IV that the track does not start with is found with both; HLS names of a scheme stand for the scheme."""
    report = said(packed("cenc") / MPD, document=parsed(built(iv=b"\x77" * 16)))
    assert len(report.of_rule("document-iv")) == 3
    assert "0x77777777777777777777777777777777" in report.of_rule("document-iv")[0].message
    text = built().build().to_xml().replace(b'Scheme="cenc"', b'Scheme="SAMPLE-AES"')
    assert not said(packed("cbcs") / MPD, document=cpix.parse(text)).of_rule("document-scheme")
    assert len(said(packed("cenc") / MPD, document=cpix.parse(text)).of_rule("document-scheme")) == 3


def test_a_key_that_the_document_lacks_is_named(packed: Callable[[str], Path]) -> None:
    """A track whose key is not in the document is named, with the key ID."""
    builder = cpix.Builder(content_id="clip")
    builder.content_key(kid=KIDS["SD"], key=KEYS[KIDS["SD"]], iv=IVS[KIDS["SD"]], scheme="cenc")
    report = said(packed("cenc") / MPD, document=parsed(builder))
    found = report.of_rule("document-key-missing")
    assert [finding.message for finding in found] == [
        f"the document has no key {KIDS[name]}" for name in ("HD", "AUDIO")
    ]


def test_systems_of_the_document_are_compared(packed: Callable[[str], Path]) -> None:
    """A DRM system that only the document has, or only the stream, is found; FairPlay is no matter of DASH."""
    builder = built(scheme="cbcs")
    for kid in KEYS:
        builder.drm_system(kid=kid, system_id=DrmSystem.PLAYREADY, pssh=playready.pssh_box([kid], "cbcs").to_bytes())
        tag = hls.key_tag(DrmSystem.FAIRPLAY, kid, "cbcs")
        builder.drm_system(kid=kid, system_id=DrmSystem.FAIRPLAY, hls_media=tag)
    made = parsed(builder)
    for manifest, missing in ((MPD, 3), (MASTER, 6)):
        report = said(packed("cbcs") / manifest, document=made)
        assert len(report.of_rule("document-system-missing")) == missing
        assert len(report.of_rule("document-system-extra")) == 3  # Widevine


def test_what_differs_in_a_key_tag_is_said(packed: Callable[[str], Path]) -> None:
    """Where the document's key tag is not the playlist's, the finding says in what: METHOD, URI or IV."""
    builder, box = built(scheme="cbcs"), boxes("cbcs")[0]
    for kid in KEYS:
        line = hls.key_tag(DrmSystem.WIDEVINE, kid, "cbcs", box=box).strip() + ",IV=0x00000000000000000000000000000001"
        builder.drm_system(kid=kid, system_id=DrmSystem.WIDEVINE, pssh=box.to_bytes(), hls_media=line)
    made = parsed(builder)
    found = said(packed("cenc") / MASTER, document=made).of_rule("document-hls")
    assert [finding.message.rpartition(": ")[2] for finding in found] == ["METHOD, URI, IV"] * 3
    found = said(packed("cbcs") / MASTER, document=made).of_rule("document-hls")
    assert [finding.message.rpartition(": ")[2] for finding in found] == ["IV"] * 3


def test_a_clear_track_that_has_a_key_is_found(tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path) -> None:
    """A track in the clear for which the usage rules give a key is found, with the key."""
    first = clip[0]
    argv = [str(tools.packager), f"in={first.path},stream=video,init_segment=v/0.mp4,segment_template=v/$Number$.m4s"]
    argv += ["--segment_duration", "2", "--generate_static_live_mpd", "--mpd_output", MPD, "--quiet"]
    subprocess.run(argv, check=True, capture_output=True, timeout=60, cwd=tmp_path)
    (finding,) = said(tmp_path / MPD, document=document("cenc")).of_rule("document-clear")
    assert str(KIDS["SD"]) in finding.message
    assert said(tmp_path / MPD, document=parsed(built())).findings == ()
