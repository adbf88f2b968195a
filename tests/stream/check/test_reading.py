"""What manifests name and boxes say, read to the letter: addresses, ranges, keys in force, sample groups."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from packedstreams import check_stream, document

from drmkit.errors import SignalingError
from drmkit.http import HttpClient
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.secret import Secret
from drmkit.signaling import widevine
from drmkit.stream.aes128 import encrypt_segment, package_aes128
from drmkit.stream.check.access import Access
from drmkit.stream.check.collector import Collector
from drmkit.stream.check.dash import read_dash
from drmkit.stream.check.fragments import read_segment
from drmkit.stream.check.hls import read_hls
from drmkit.stream.check.initsegment import InitSegment, KeyGroup, MediaTrack
from drmkit.stream.check.presentation import Presentation
from drmkit.stream.entries import SampleEntry
from drmkit.stream.model import TrackInput
from drmkit.stream.tools import Tools

BASE = "https://media.example.com/a/m"
KID, OTHER = KeyId(b"\x01" * 16), KeyId(b"\x02" * 16)
MPD = '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" xmlns:cenc="urn:mpeg:cenc:2013" {}>{}</MPD>'
TIMELINE = '<SegmentTemplate media="$Time$.m4s" timescale="2"><SegmentTimeline>{}</SegmentTimeline></SegmentTemplate>'
STATIC = 'type="static" mediaPresentationDuration="PT10S"'


def dash(text: str, now: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> tuple[Presentation, Collector]:
    """Read a manifest that names everything itself."""
    collector = Collector()
    with HttpClient() as http:
        access = Access(f"{BASE}.mpd", http=http, max_bytes=1 << 20)
        return read_dash(access, text.encode(), collector, lambda: now), collector


def hls(text: str) -> tuple[Presentation, Collector]:
    """Read a media playlist."""
    collector = Collector()
    with HttpClient() as http:
        access = Access(f"{BASE}.m3u8?part=7", http=http, max_bytes=1 << 20)
        return read_hls(access, text.encode(), collector), collector


def addresses(found: Presentation, track: int = 0) -> list[str]:
    """The addresses of a track's segments."""
    return [segment.media.location.address for segment in found.tracks[track].segments]


def one(inner: str, attributes: str = STATIC, outer: str = "") -> str:
    """A manifest with one representation."""
    return MPD.format(
        attributes,
        f'{outer}<Period><AdaptationSet mimeType="video/mp4"><Representation id="v" bandwidth="9">{inner}'
        "</Representation></AdaptationSet></Period>",
    )


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ('<SegmentTemplate media="$RepresentationID$/$Number%03d$.m4s" duration="4" startNumber="5"/>',
         ["a/v/005.m4s", "a/v/006.m4s", "a/v/007.m4s"]),
        (TIMELINE.format('<S t="4" d="6" r="1"/><S d="3" r="-1"/>'), ["a/4.m4s", "a/10.m4s", "a/16.m4s", "a/19.m4s"]),
        ('<BaseURL>x/</BaseURL><SegmentList><SegmentURL media="1.m4s"/><SegmentURL media="../2.m4s"/></SegmentList>',
         ["a/x/1.m4s", "a/2.m4s"]),
        ('<BaseURL>/z/</BaseURL><SegmentTemplate media="$Number$" duration="10"/>', ["z/1"]),
    ],
)  # fmt: skip
def test_dash_addresses(inner: str, expected: list[str]) -> None:
    """Templates, timelines with r=-1, lists and base URLs give the addresses of ISO/IEC 23009-1, clause 5.3.9."""
    found, collector = dash(one(inner))
    assert addresses(found) == [f"https://media.example.com/{name}" for name in expected]
    assert collector.findings() == ()


def test_dash_levels_and_periods() -> None:
    """Base URLs add up from MPD to Representation, templates are inherited, and several periods are told apart."""
    period = (
        '<Period id="{}" duration="PT4S"><BaseURL>p/</BaseURL><SegmentTemplate timescale="1" duration="2"/>'
        '<AdaptationSet contentType="audio" mimeType="audio/mp4"><SegmentTemplate media="$Number$.m4s"/>'
        '<Representation id="r" bandwidth="1"/></AdaptationSet></Period>'
    )
    found, _ = dash(MPD.format(STATIC, "<BaseURL>b/</BaseURL>" + period.format("one") + period.format("two")))
    assert [(track.name, track.kind) for track in found.tracks] == [("one/r", "audio"), ("two/r", "audio")]
    assert addresses(found) == [f"https://media.example.com/a/b/p/{number}.m4s" for number in (1, 2)]


def test_a_live_manifest_is_checked_as_it_is() -> None:
    """Without a timeline, the clock decides which segment is the last; the report says that more will come."""
    text = one(
        '<SegmentTemplate media="$Number$.m4s" duration="2"/>',
        'type="dynamic" availabilityStartTime="2026-01-01T00:00:00Z"',
    )
    found, collector = dash(text, datetime(2026, 1, 1, 0, 1, 1, tzinfo=UTC))
    assert addresses(found) == ["https://media.example.com/a/30.m4s"]
    assert [finding.rule for finding in collector.findings()] == ["manifest-live"]


def test_content_protection_of_every_level_and_by_reference() -> None:
    """Elements of the adaptation set hold for its representations, whose own win; references lead to their content."""
    box = widevine.pssh_box([KID]).to_base64()
    uri = f"urn:uuid:{DrmSystem.WIDEVINE.system_id}"
    shared = f'<ContentProtection schemeIdUri="{uri}" refId="w"><cenc:pssh>{box}</cenc:pssh></ContentProtection>'
    mp4 = '<ContentProtection schemeIdUri="urn:mpeg:dash:mp4protection:2011" value="cenc" cenc:default_KID="{}"/>'
    text = MPD.format(
        STATIC,
        f'{shared}<Period><AdaptationSet mimeType="video/mp4">{mp4.format(KID)}'
        f'<ContentProtection schemeIdUri="{uri}" ref="w"/>'
        '<SegmentTemplate media="$Number$" duration="10"/><Representation id="a" bandwidth="1"/>'
        f'<Representation id="b" bandwidth="1">{mp4.format(OTHER)}</Representation></AdaptationSet></Period>',
    )
    found, collector = dash(text)
    first, second = found.tracks
    assert (first.manifest_kids, second.manifest_kids) == ((KID,), (OTHER,))
    for track in (first, second):
        assert [item.to_base64() for item, _ in track.manifest_boxes] == [box]
        assert track.manifest_systems == (DrmSystem.WIDEVINE.system_id,)
    assert collector.findings() == ()


def test_hls_ranges_keys_and_sequence() -> None:
    """Ranges continue where the last of the file ended, keys hold until replaced, gaps count but are not read."""
    found, collector = hls(
        '#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-MEDIA-SEQUENCE:10\n#EXT-X-MAP:URI="f.mp4",BYTERANGE="100@0"\n'
        "#EXTINF:1,\n#EXT-X-BYTERANGE:50@100\nf.mp4\n"
        '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://a",KEYFORMAT="com.apple.streamingkeydelivery"\n'
        '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="https://k.example.com/b"\n'
        "#EXTINF:1,\n#EXT-X-BYTERANGE:60\nf.mp4\n#EXTINF:1,\n#EXT-X-GAP\ngone.mp4\n"
        '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://c",KEYFORMAT="com.apple.streamingkeydelivery"\n'
        "#EXTINF:1,\n#EXT-X-BYTERANGE:70\nf.mp4\n#EXT-X-KEY:METHOD=NONE\n#EXTINF:1,\nlast.mp4\n#EXT-X-ENDLIST\n"
    )
    (track,) = found.tracks
    assert [(item.media.start, item.media.length) for item in track.segments] == [
        (100, 50), (150, 60), (210, 70), (None, None),
    ]  # fmt: skip
    assert [[line.key.uri for line in item.keys] for item in track.segments] == [
        [], ["skd://a", "https://k.example.com/b"], ["skd://c", "https://k.example.com/b"], [],
    ]  # fmt: skip
    assert [item.sequence for item in track.segments] == [10, 11, 13, 14]
    assert {(item.init.start, item.init.length) for item in track.segments if item.init} == {(0, 100)}
    assert collector.findings() == ()


def test_hls_variables_of_the_url() -> None:
    """QUERYPARAM takes a variable from the playlist's own URL."""
    found, collector = hls(
        '#EXTM3U\n#EXT-X-DEFINE:QUERYPARAM="part"\n#EXTINF:1,\n{$part}.ts\n#EXTINF:1,\n{$no}.ts\n#EXT-X-ENDLIST\n'
    )
    assert addresses(found)[0] == "https://media.example.com/a/7.ts"
    (finding,) = collector.findings()
    assert (finding.rule, finding.place.line) == ("variable-undefined", 6)


def box(kind: bytes, *parts: bytes) -> bytes:
    """A box."""
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def full(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    """A full box."""
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def seig(kid: KeyId, protected: int = 1, iv_size: int = 8) -> bytes:
    """An entry of a key group."""
    return bytes([0, 0, protected, iv_size]) + kid.raw


def init(*groups: KeyGroup) -> InitSegment:
    """An initialization segment with one video track in cenc."""
    entry = SampleEntry(1, "vide", "avc1", "cenc", KID, 8)
    return InitSegment(tracks=[MediaTrack(1, "video", (entry,), 0, groups=groups)])


def test_key_groups_decide_before_the_defaults() -> None:
    """Sample groups of ISO/IEC 23001-7, clause 6: other keys for some samples, no key for others."""
    described = full(
        b"sgpd", 1, 0, b"seig", struct.pack(">II", 20, 2), seig(OTHER), seig(KeyId(bytes(16)), protected=0, iv_size=0)
    )
    groups = full(b"sbgp", 0, 0, b"seig", struct.pack(">I", 3), struct.pack(">IIIIII", 1, 0, 2, 0x10001, 1, 0x10002))
    information = b"".join(bytes([number]) * 8 for number in range(3))
    traf = box(
        b"traf",
        full(b"tfhd", 0, 0x20000, struct.pack(">I", 1)),
        full(b"trun", 0, 0x200, struct.pack(">I", 4), struct.pack(">IIII", 32, 32, 32, 32)),
        described,
        groups,
        full(b"senc", 0, 0, struct.pack(">I", 4), information),
    )
    (fragment,) = read_segment(box(b"moof", traf), init()).fragments
    assert [sample.kid for sample in fragment.samples] == [KID, OTHER, OTHER, None]
    assert [sample.iv for sample in fragment.samples[:3]] == [bytes(8), b"\1" * 8, b"\2" * 8]
    assert fragment.faults == []


def test_key_groups_of_the_movie() -> None:
    """A group number up to 65536 is one of the initialization segment; one that is not described is an error."""
    group = KeyGroup(protected=True, kid=OTHER, iv_size=0, constant_iv=b"\5" * 16, pattern=(1, 9))
    groups = full(b"sbgp", 0, 0, b"seig", struct.pack(">III", 1, 1, 1))
    parts = full(b"tfhd", 0, 0x20000, struct.pack(">I", 1)), full(b"trun", 0, 0x200, struct.pack(">II", 1, 32)), groups
    segment = box(b"moof", box(b"traf", *parts))
    (fragment,) = read_segment(segment, init(group)).fragments
    assert (fragment.samples[0].kid, fragment.samples[0].iv) == (OTHER, b"\5" * 16)
    with pytest.raises(SignalingError, match="a key group that is not described"):
        read_segment(segment, init())


@pytest.mark.parametrize("container", ["ts", "mp4"])
def test_what_drmkit_packages_in_aes128_decrypts(
    tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path, container: str
) -> None:
    """AES-128 of either container, packaged here, decrypts with its key, and not with another."""
    key = Secret(bytes(range(7, 23)))
    made = package_aes128(
        clip, tmp_path / "out", key=key, iv=b"\x03" * 16, key_uri="https://keys.example.com/k", container=container,
        tools=tools,
    )  # type: ignore[call-overload] # fmt: skip
    assert made.master is not None
    good = check_stream(made.master, keys={KID: key}, tools=tools)
    assert {(track.scheme, track.verdict) for track in good.tracks} == {("aes-128", "decrypts")}
    assert good.ok, good.errors
    assert not good.of_rule("content-unchecked")
    sources = [track.path for track in clip]
    same = check_stream(made.master, keys={KID: key}, sources=sources, tools=tools)
    assert {(track.verdict, track.reason) for track in same.tracks} == {
        ("decrypts", "its packets are those of the source")
    }
    assert same.ok
    other = check_stream(made.master, keys={KID: key}, sources=sources[:1], tools=tools)
    assert {finding.track for finding in other.of_rule("source-differs")} == {"video-720p", "audio-2ch"}
    bad = check_stream(made.master, keys={KID: Secret(bytes(16))}, tools=tools)
    assert {finding.rule for finding in bad.errors} == {"key-wrong"}


def test_an_encrypted_initialization_segment_is_decrypted(
    tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path
) -> None:
    """A key tag before EXT-X-MAP encrypts the initialization segment too, which the comparison needs in the clear."""
    key, iv = Secret(bytes(range(7, 23))), b"\x03" * 16
    made = package_aes128(
        clip[:1], tmp_path / "out", key=key, iv=iv, key_uri="https://keys.example.com/k", container="mp4", tools=tools
    )
    (track,) = made.tracks
    init = track.files[0]
    init.write_bytes(encrypt_segment(init.read_bytes(), key, iv))
    text = track.playlist.read_text()
    tags = [next(line for line in text.splitlines() if line.startswith(f"#EXT-X-{name}:")) for name in ("KEY", "MAP")]
    bare = text.replace(tags[0] + "\n", "").replace(tags[1], "\n".join(tags))
    track.playlist.write_text(bare)
    for source, verdict in ((clip[0].path, "decrypts"), (clip[1].path, "does not decrypt")):
        report = check_stream(track.playlist, keys={KID: key}, sources=[source], tools=tools)
        assert [found.verdict for found in report.tracks] == [verdict]


@pytest.mark.parametrize("suffix", ["ts", "mkv"])
def test_a_source_of_another_container_is_recognized(
    tools: Tools, clip: tuple[TrackInput, ...], packed: Callable[[str], Path], tmp_path: Path, suffix: str
) -> None:
    """What containers put around the media does not count: start codes, headers, parameter sets."""
    sources = []
    for track in clip:
        sources.append(tmp_path / f"{track.name}.{suffix}")
        argv = [str(tools.ffmpeg), "-v", "error", "-nostdin", "-i", str(track.path), "-c", "copy", str(sources[-1])]
        subprocess.run(argv, check=True, timeout=60)
    report = check_stream(packed("cbcs") / "manifest.mpd", document=document("cbcs"), tools=tools, sources=sources)
    assert {track.reason for track in report.tracks} == {"its packets are those of the source"}
    other = check_stream(packed("cbcs") / "manifest.mpd", document=document("cbcs"), tools=tools, sources=sources[:1])
    assert len(other.of_rule("source-differs")) == 2


def test_what_is_not_looked_into_is_said(tmp_path: Path) -> None:
    """MPEG-TS in DASH is not read, and the report says so."""
    (tmp_path / "m.mpd").write_text(
        '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT1S"><Period>'
        '<AdaptationSet mimeType="video/mp2t"><Representation id="v" bandwidth="1"><SegmentList duration="1">'
        '<SegmentURL media="a.ts"/></SegmentList></Representation></AdaptationSet></Period></MPD>'
    )
    (finding,) = check_stream(tmp_path / "m.mpd", decode=False).findings
    assert (finding.rule, finding.severity) == ("content-unchecked", "note")
    assert "MPEG-TS: it is not looked into" in finding.message
