"""Hostile and broken streams: bounded, refused in words, never an exception that is not drmkit's."""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packedstreams import KIDS, check_stream, edit

from drmkit.errors import DrmkitError, InputError, RemoteUnavailableError, SignalingError
from drmkit.http import HttpClient
from drmkit.stream.check import StreamReport
from drmkit.stream.check.access import Access, Reference, UnreadableError
from drmkit.stream.check.addressing import template
from drmkit.stream.check.fragments import read_segment
from drmkit.stream.check.initsegment import read_init
from drmkit.stream.check.look import choose
from drmkit.stream.check.playlist import Variables, lines
from drmkit.stream.check.sidx import scan

MPD, MASTER = "manifest.mpd", "master.m3u8"
HEAD = '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT10S">'
TIMELINE = '<SegmentTemplate media="$Time$.m4s"><SegmentTimeline>{}</SegmentTimeline></SegmentTemplate>'
REPRESENTATION = (
    '<Period><AdaptationSet mimeType="video/mp4"><Representation id="v" bandwidth="1">{}</Representation>'
    "</AdaptationSet></Period></MPD>"
)


def said(manifest: Path | str, **options: object) -> StreamReport:
    """Compare what a stream says, without decoding."""
    return check_stream(manifest, decode=False, **options)  # type: ignore[arg-type]


def written(tmp_path: Path, text: str, name: str = "m.mpd") -> Path:
    """Write a manifest."""
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def rules_of(report: StreamReport) -> set[str]:
    """The rules that a report names."""
    return {finding.rule for finding in report.findings}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('<!DOCTYPE MPD [<!ENTITY x "y">]><MPD/>', "document type"),
        ('<!DOCTYPE MPD SYSTEM "file:///etc/passwd"><MPD>&x;</MPD>', "well-formed|document type"),
        ("<MPD>", "not well-formed"),
        ("<html></html>", "'html', not MPD"),
        ("hello", "neither an HLS playlist nor a DASH manifest"),
        ("", "neither"),
    ],
)
def test_what_is_no_manifest_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    """XML with a document type, broken XML and other files are refused with the reason."""
    with pytest.raises(InputError, match=reason):
        said(written(tmp_path, text))


@pytest.mark.parametrize(
    ("inner", "reason"),
    [
        ('<SegmentTemplate media="$Number%0999999999d$.m4s" duration="1"/>', "digits"),
        (TIMELINE.format('<S t="0" d="1" r="999999999999"/>'), "more than 10000000 segments"),
        (TIMELINE.format('<S t="0" d="0" r="5"/>'), "S@d is missing or 0"),
        ('<SegmentTemplate media="$Number$.m4s" timescale="99999999999" duration="1"/>', "more than 10000000"),
        ('<SegmentTemplate media="$Number$.m4s" timescale="-1" duration="1"/>', "no unsigned integer"),
        ('<SegmentTemplate duration="1"/>', "has no media"),
        ('<SegmentBase indexRange="9-1"/>', "neither BaseURL nor"),
        ("<BaseURL>no.mp4</BaseURL>", "No such file"),
    ],
)  # fmt: skip
def test_impossible_addressing_is_found(tmp_path: Path, inner: str, reason: str) -> None:
    """Huge counts, zero lengths and missing parts are findings of the representation, and take no time or memory."""
    report = said(written(tmp_path, HEAD + REPRESENTATION.format(inner)))
    assert not report.ok
    assert any(reason in finding.message for finding in report.findings), report.findings


def test_millions_of_segments_are_not_made(tmp_path: Path) -> None:
    """A template may name millions of segments; three are looked for."""
    text = HEAD.replace("PT10S", "PT9000000S") + REPRESENTATION.format(
        '<SegmentTemplate media="$Number%05d$.m4s" initialization="i.mp4" duration="1"/>'
    )
    report = said(written(tmp_path, text))
    assert report.tracks[0].segments == 9_000_000
    assert report.of_rule("segment-unreadable")


@pytest.mark.parametrize(
    "reference",
    ["../secret.mp4", "/etc/passwd", "%2e%2e/secret.mp4", "file:///etc/passwd", "data:,x", "//host/x", "a%00b"],
)  # fmt: skip
def test_references_do_not_leave_the_folder(tmp_path: Path, reference: str) -> None:
    """Neither dots, nor percent signs, nor schemes, nor links lead out of the manifest's folder."""
    (tmp_path / "secret.mp4").write_bytes(b"secret")
    (tmp_path / "in").mkdir()
    text = f"#EXTM3U\n#EXTINF:1,\n{reference}\n#EXT-X-ENDLIST\n"
    report = said(written(tmp_path / "in", text, "m.m3u8"))
    assert report.of_rule("reference-refused")
    assert report.tracks[0].segments == 0


def test_a_link_that_leads_out_is_refused_and_a_root_allows(tmp_path: Path) -> None:
    """A symbolic link out of the folder is refused; a wider root that the caller names is followed."""
    (tmp_path / "in").mkdir()
    (tmp_path / "secret.ts").write_bytes(b"G" * 188)
    (tmp_path / "in" / "link.ts").symlink_to(tmp_path / "secret.ts")
    path = written(tmp_path / "in", "#EXTM3U\n#EXTINF:1,\nlink.ts\n#EXT-X-ENDLIST\n", "m.m3u8")
    assert said(path).of_rule("reference-refused")
    assert not said(path, root=tmp_path).of_rule("reference-refused")


def test_a_playlist_that_names_itself_ends(tmp_path: Path) -> None:
    """A multivariant playlist that names itself is a finding, not a loop."""
    text = (
        '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nm.m3u8\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="b",URI="m.m3u8"\n'
    )
    report = said(written(tmp_path, text, "m.m3u8"))
    assert rules_of(report) == {"playlist-nested", "manifest-empty"}


def test_variables_cannot_blow_a_playlist_up() -> None:
    """A long variable used often is refused before it is put in."""
    text = f'#EXTM3U\n#EXT-X-DEFINE:NAME="a",VALUE="{"x" * 10_000}"\n' + "{$a}" * 5_000
    variables = Variables({"a": "x" * 10_000})
    with pytest.raises(SignalingError, match="16 MiB"):
        list(lines(text.encode(), variables))


def test_variables_are_put_in(packed: Callable[[str], Path], copied: Callable[[str], Path]) -> None:
    """The twin: variables that are defined, and imported from the multivariant playlist, name segments."""
    folder = copied("cenc")
    edit(folder / MASTER, "#EXTM3U\n", '#EXTM3U\n#EXT-X-DEFINE:NAME="folder",VALUE="video-180p"\n')
    edit(folder / "video-180p.m3u8", "#EXTM3U\n", '#EXTM3U\n#EXT-X-DEFINE:IMPORT="folder"\n')
    edit(folder / "video-180p.m3u8", "\nvideo-180p/", "\n{$folder}/", 0)
    assert rules_of(said(folder / MASTER)) == set()


def test_reading_ends_at_the_limit(packed: Callable[[str], Path]) -> None:
    """What may be read in all is read, and no more; the report says so."""
    report = said(packed("cenc") / MPD, max_bytes=30_000)
    assert report.of_rule("limit-reached")
    assert report.tracks[0].examined < 2 or report.tracks[1].examined < 2


def test_a_pipe_or_folder_is_not_read(tmp_path: Path) -> None:
    """Only regular files are opened: a named pipe would block for ever."""
    os.mkfifo(tmp_path / "pipe.ts")
    text = '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="k"\n#EXTINF:1,\npipe.ts\n#EXT-X-ENDLIST\n'
    report = said(written(tmp_path, text, "m.m3u8"))
    assert any("is not a file" in finding.message for finding in report.findings)


def server(folder: Path, *, ranges: bool = True) -> httpx.MockTransport:
    """A web server over a folder."""

    def answer(request: httpx.Request) -> httpx.Response:
        path = folder / request.url.path.lstrip("/")
        if not path.is_file():
            return httpx.Response(404)
        data, wanted = path.read_bytes(), request.headers.get("range")
        if wanted and ranges:
            first, last = wanted.removeprefix("bytes=").split("-")
            return httpx.Response(206, content=data[int(first) : int(last) + 1 if last else None])
        return httpx.Response(200, content=data)

    return httpx.MockTransport(answer)


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("manifest", [MPD, MASTER])
def test_a_remote_stream_is_read(packed: Callable[[str], Path], manifest: str, ranges: bool) -> None:
    """A stream behind http is checked like a local one, whether or not the server knows ranges; tokens stay out."""
    with HttpClient(transport=server(packed("cbcs"), ranges=ranges)) as http:
        report = said(f"http://user:word@media.example.com/{manifest}?token=T0KEN", http=http)
    assert [str(finding) for finding in report.findings] == []
    assert report.manifest == f"http://media.example.com/{manifest}"
    assert [track.examined for track in report.tracks] == [2, 2, 2]
    assert "T0KEN" not in str(report)


@pytest.mark.parametrize(
    ("status", "error", "reason"),
    [(404, InputError, "HTTP 404"), (302, InputError, "redirect"), (503, RemoteUnavailableError, "HTTP 503")],
)
def test_a_remote_manifest_that_is_not_there(status: int, error: type[DrmkitError], reason: str) -> None:
    """What a server answers for the manifest decides how the check ends."""
    transport = httpx.MockTransport(lambda _: httpx.Response(status, headers={"location": "http://other"}))
    with HttpClient(transport=transport) as http, pytest.raises(error, match=reason):
        said("http://media.example.com/m.mpd", http=http)


def test_a_remote_segment_that_is_not_there_is_a_finding(packed: Callable[[str], Path]) -> None:
    """A segment that a server does not have, or cannot give, is a finding of its track."""
    inner = server(packed("cenc"))

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(500) if request.url.path.endswith("180p/1.m4s") else inner.handle_request(request)

    with HttpClient(transport=httpx.MockTransport(answer)) as http:
        report = said(f"http://media.example.com/{MPD}", http=http)
    assert [finding.rule for finding in report.errors] == ["segment-unreadable"]


def test_a_remote_manifest_does_not_lead_to_files(tmp_path: Path) -> None:
    """A manifest of a server cannot make drmkit read this machine's files."""
    text = "#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
    transport = httpx.MockTransport(lambda _: httpx.Response(200, text=text))
    with HttpClient(transport=transport) as http:
        assert said("http://media.example.com/m.m3u8", http=http).of_rule("reference-refused")


def test_a_single_file_is_found_by_ranges(tmp_path: Path, packed: Callable[[str], Path]) -> None:
    """A file without index is divided at its fragments."""
    folder = packed("cenc") / "video-180p"
    whole = tmp_path / "whole.mp4"
    whole.write_bytes(b"".join((folder / name).read_bytes() for name in ("init.mp4", "1.m4s", "2.m4s")))
    with HttpClient() as http:
        access = Access(str(whole), http=http, max_bytes=1 << 20)
        found = scan(access, Reference(access.manifest))
        assert found.init == (0, (folder / "init.mp4").stat().st_size)
        assert len(found.segments) >= 1
        with pytest.raises(UnreadableError, match="ends after"):
            access.read(Reference(access.manifest, whole.stat().st_size - 5, 10))


@pytest.mark.parametrize("ranges", [True, False])
def test_a_remote_single_file_is_divided(tmp_path: Path, packed: Callable[[str], Path], ranges: bool) -> None:
    """A file without index is divided behind any server; one that knows no ranges sends it once, not for each part."""
    folder = packed("cenc") / "video-720p"
    parts = b"".join((folder / name).read_bytes() for name in ("init.mp4", "1.m4s", "2.m4s"))
    (tmp_path / "whole.mp4").write_bytes(parts)
    assert len(parts) > 1 << 17
    inner, asked = server(tmp_path, ranges=ranges), []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return inner.handle_request(request)

    with HttpClient(transport=httpx.MockTransport(answer)) as http:
        access = Access("http://media.example.com/whole.mp4", http=http, max_bytes=1 << 24)
        found = scan(access, Reference(access.manifest))
        assert found.init == (0, (folder / "init.mp4").stat().st_size)
        data = [access.read(Reference(access.manifest, at, size)) for at, size in found.segments]
    assert data == [parts[at : at + size] for at, size in found.segments]
    assert ranges or len(asked) == 1


def test_a_server_without_ranges_is_named_where_a_file_is_too_large(tmp_path: Path) -> None:
    """A file that is sent whole, and is larger than may be read, is refused with a word on ranges."""
    (tmp_path / "whole.mp4").write_bytes(bytes(5000))
    with HttpClient(transport=server(tmp_path, ranges=False)) as http:
        access = Access("http://media.example.com/whole.mp4", http=http, max_bytes=1000)
        with pytest.raises(UnreadableError, match="larger than") as caught:
            access.read(Reference(access.manifest, 100, 10))
    assert "a server that knows none sends the whole file" in str(caught.value.hint)


def test_which_segments_are_chosen() -> None:
    """The first, the last and those evenly between; all where all are wanted, or there are not more."""
    assert choose(10, 3) == [0, 4, 9]
    assert choose(2, 3) == [0, 1]
    assert choose(10, 1) == [0]
    assert choose(4, None) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("text", "made"),
    [("$RepresentationID$/$Number%05d$.m4s", "v/00007.m4s"), ("$$-$Time$-$Bandwidth%03d$", "$-90-012"), ("x", "x")],
)
def test_templates(text: str, made: str) -> None:
    """Identifiers, widths and the escaped dollar of ISO/IEC 23009-1, clause 5.3.9.4.4."""
    assert template(text, representation="v", bandwidth="12", number=7, time=90) == made


@given(st.binary(max_size=300))
@settings(max_examples=150, deadline=None)
def test_no_bytes_break_the_readers(data: bytes) -> None:
    """Whatever the bytes, the box readers end with a reading or with drmkit's own error."""
    for wrapped in (data, _box(b"moov", data), _box(b"moov", _box(b"trak", data)), _box(b"moof", _box(b"traf", data))):
        with contextlib.suppress(DrmkitError):
            read_segment(wrapped, read_init(wrapped))


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body) + 8, kind) + body


@given(data=st.data())
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_change_of_real_boxes_breaks_the_readers(packed: Callable[[str], Path], data: st.DataObject) -> None:
    """Real segments with bytes changed, cut out or doubled end with a reading or with drmkit's own error."""
    folder = packed("cenc") / "video-180p"
    init, segment = (folder / "init.mp4").read_bytes(), (folder / "1.m4s").read_bytes()[:4000]
    init, segment = _spoil(init, data), _spoil(segment, data)
    with contextlib.suppress(DrmkitError):
        read_segment(segment, read_init(init))


def _spoil(raw: bytes, data: st.DataObject) -> bytes:
    made = bytearray(raw)
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(made) - 1))
        made[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=6))
    return bytes(made)


@given(data=st.data())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("name", [MPD, MASTER, "video-180p.m3u8"])
def test_no_change_of_a_manifest_breaks_the_check(
    packed: Callable[[str], Path], tmp_path: Path, name: str, data: st.DataObject
) -> None:
    """A manifest with parts changed, cut out or doubled ends with a report or with drmkit's own error."""
    raw = _spoil((packed("cbcs") / name).read_bytes(), data)
    for child in packed("cbcs").iterdir():
        link = tmp_path / child.name
        if child.name != name and not link.exists():
            link.symlink_to(child)
    (tmp_path / name).write_bytes(raw)
    try:
        report = said(tmp_path / name, root=packed("cbcs").parent.parent.parent)
    except DrmkitError:
        return
    assert all(finding.message and str(finding.place) for finding in report.findings)


def test_findings_of_one_rule_are_counted(
    tmp_path: Path, packed: Callable[[str], Path], copied: Callable[[str], Path]
) -> None:
    """A rule that is broken everywhere fills no screen: a dozen findings of a track, then their number."""
    folder = copied("cenc")
    edit(folder / "video-180p.m3u8", "(#EXTINF)", "#EXT-X-KEY:METHOD=SAMPLE-AES-CTR\n" * 40 + r"\1")
    report = said(folder / MASTER)
    found = report.of_rule("hls-tag-broken")
    assert len(found) == 13
    assert "and 28 more findings" in found[-1].message
    assert KIDS["SD"].uuid in report.tracks[1].kids
