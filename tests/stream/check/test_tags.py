"""Key tags of HLS playlists that are broken, unwise or missing, and what a report gives to programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from packedstreams import KIDS, check_stream, edit

from drmkit.errors import VerdictError
from drmkit.identifiers import DrmSystem
from drmkit.stream.check import StreamReport

MASTER = "master.m3u8"
WIDEVINE = DrmSystem.WIDEVINE.system_id
TS = (b"G" + bytes(187)) * 2
SAMPLES = '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="k"\n'
KEY = '#EXT-X-KEY:METHOD=AES-128,URI="k"\n'


def said(manifest: Path) -> StreamReport:
    """Compare what a stream says, without decoding."""
    return check_stream(manifest, decode=False)


def rules_of(report: StreamReport) -> set[str]:
    """The rules that a report names."""
    return {finding.rule for finding in report.findings}


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        ("hls-keyformat", 'METHOD=SAMPLE-AES,URI="x:y",KEYFORMAT="com.example.own"'),
        ("hls-fairplay-scheme", 'METHOD=SAMPLE-AES-CTR,URI="skd://a",KEYFORMAT="com.apple.streamingkeydelivery"'),
        ("pssh-broken", f'METHOD=SAMPLE-AES,URI="data:;base64,AAAA",KEYFORMAT="urn:uuid:{WIDEVINE}"'),
        ("hls-identity-line", 'METHOD=SAMPLE-AES,URI="data:;base64,AAAA"'),
        ("hls-identity-line", 'METHOD=SAMPLE-AES,URI="data:;base64,A"'),
        ("hls-key-inside", 'METHOD=SAMPLE-AES,URI="data:;base64,AAECAwQFBgcICQoLDA0ODw=="'),
        ("hls-key-over-http", 'METHOD=SAMPLE-AES,URI="http://192.0.2.1/key"'),
        ("hls-tag-broken", 'METHOD=SAMPLE-AES,URI="x:y",KEYFORMAT="com.widevine",IV=0xZZ'),
        ("hls-tag-broken", 'METHOD=SAMPLE-AES,URI="x:y",KEYFORMAT="com.widevine",KEYID=0xZZ'),
        ("hls-kid", f'METHOD=SAMPLE-AES,URI="x:y",KEYFORMAT="com.widevine",KEYID=0x{KIDS["HD"].hex}'),
        ("hls-iv", f'METHOD=SAMPLE-AES,URI="x:y",KEYFORMAT="com.widevine",IV=0x{"7" * 32}'),
    ],
)  # fmt: skip
def test_key_tags_are_judged_each_for_itself(copied: Callable[[str], Path], rule: str, line: str) -> None:
    """A tag that is broken, or that a player would misunderstand, is found beside sound ones, with its line."""
    folder = copied("cbcs")
    edit(folder / "video-180p.m3u8", "(#EXT-X-KEY)", f"#EXT-X-KEY:{line}\n" + r"\1")
    found = said(folder / MASTER).of_rule(rule)
    assert found
    assert {finding.track for finding in found} == {"video-180p"}
    assert {finding.place.file for finding in found if finding.place} == {"video-180p.m3u8"}


def playlist(folder: Path, first: bytes, second: bytes, tags: str = "") -> Path:
    """A playlist of a segment without a key, and one under the tags."""
    (folder / "0.ts").write_bytes(first)
    (folder / "1.ts").write_bytes(second)
    (folder / "k").write_bytes(bytes(range(16)))
    head = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n"
    path = folder / "m.m3u8"
    path.write_text(f"{head}0.ts\n{tags}#EXTINF:2,\n1.ts\n#EXT-X-ENDLIST\n")
    return path


@pytest.mark.parametrize(
    ("first", "second", "tags", "rules"),
    [
        (TS, b"\x91" * 32, KEY, {"clear-lead", "key-wrong"}),
        (b"\x91" * 32, b"\x91" * 32, KEY, {"hls-key-missing", "key-wrong"}),
        (TS, TS, KEY, {"clear-lead", "not-encrypted"}),
        (TS, b"\x91" * 32, KEY.replace("\n", ",IV=0xZZ\n"), {"clear-lead", "hls-tag-broken"}),
        (TS, b"\x91" * 32, KEY.replace('"k"', '"gone"'), {"clear-lead", "segment-unreadable"}),
        (TS, TS, KEY + SAMPLES, {"content-unchecked"}),
    ],
    ids=["lead in the clear", "no tag", "not encrypted", "IV", "no key file", "two methods"],
)
def test_whole_segments_are_judged(tmp_path: Path, first: bytes, second: bytes, tags: str, rules: set[str]) -> None:
    """Segments in the clear, ones that no tag covers, and keys and IVs that are of no use are found in AES-128."""
    assert rules <= rules_of(check_stream(playlist(tmp_path, first, second, tags)))


def test_a_report_for_programs(packed: Callable[[str], Path], copied: Callable[[str], Path]) -> None:
    """A report becomes plain values, counts its findings, and raises what is wrong with the stream, in words."""
    sound = said(packed("cenc") / MASTER)
    sound.raise_for_errors()
    assert sound.counts == {}
    folder = copied("cenc")
    for name in ("video-180p", "video-720p"):
        edit(folder / f"{name}.m3u8", "#EXT-X-KEY[^\n]*\n", "", 0)
    report = said(folder / MASTER)
    told = json.loads(json.dumps(report.to_dict()))
    assert told["ok"] is False
    assert sorted(track["name"] for track in told["tracks"]) == ["audio-2ch", "video-180p", "video-720p"]
    assert {finding["rule"] for finding in told["findings"]} == {"hls-key-missing"}
    assert report.counts == {"error": 2}
    with pytest.raises(VerdictError, match="has faults: .*no key tag is in force"):
        report.raise_for_errors()
