"""Segments that a local stream names: every one has to be there, whichever of them are read."""

from __future__ import annotations

from pathlib import Path

import pytest
from packedstreams import check_stream

from drmkit.stream.check import Finding

HEAD = '#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-KEY:METHOD=AES-128,URI="https://keys.example/1"\n'


def said(folder: Path, body: str) -> tuple[Finding, ...]:
    """What is said of the segments of an encrypted playlist, of which only the first is read."""
    (folder / "p.m3u8").write_text(f"{HEAD}{body}#EXT-X-ENDLIST\n")
    return check_stream(folder / "p.m3u8", decode=False, segments=1).of_rule("segment-unreadable")


def listed(count: int) -> str:
    """Segments s0.ts, s1.ts and so on."""
    return "".join(f"#EXTINF:2,\ns{number}.ts\n" for number in range(count))


def test_missing_segments_are_found_wherever_they_are(tmp_path: Path) -> None:
    """One finding of the track names those that are not there; with all of them there is none."""
    for number in range(12):
        (tmp_path / f"s{number}.ts").write_bytes(bytes(16))
    assert not said(tmp_path, listed(12))
    (tmp_path / "s7.ts").unlink()
    (finding,) = said(tmp_path, listed(12))
    assert (finding.rule, finding.message) == ("segment-unreadable", "segment 7: s7.ts does not exist")
    assert finding.place.line == 3 + 2 * 8
    (tmp_path / "s9.ts").unlink()
    (finding,) = said(tmp_path, listed(12))
    assert finding.message == "segments 7, 9: s7.ts does not exist"


@pytest.mark.parametrize(("length", "sound"), [(88, True), (89, False)])
def test_ranges_end_within_their_file(tmp_path: Path, length: int, sound: bool) -> None:
    """A byte range may reach the end of its file, not beyond it."""
    (tmp_path / "all.ts").write_bytes(bytes(188))
    body = f"#EXT-X-BYTERANGE:100@0\n#EXTINF:2,\nall.ts\n#EXT-X-BYTERANGE:{length}\n#EXTINF:2,\nall.ts\n"
    assert [finding.message for finding in said(tmp_path, body)] == (
        [] if sound else ["segment 1: all.ts ends at byte 188, before the end of the range"]
    )
