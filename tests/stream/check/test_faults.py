"""Planted faults, one by one: each is found by its rule, on its track, and the sound twin has none."""

from __future__ import annotations

import base64
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from packedstreams import IVS, KEYS, KIDS, boxes, check_stream, document, edit, pack, patch

from drmkit.identifiers import DrmSystem, KeyId
from drmkit.secret import Secret
from drmkit.signaling import common, playready, widevine
from drmkit.stream.check import StreamReport
from drmkit.stream.check.catalog import RULES
from drmkit.stream.model import TrackInput
from drmkit.stream.tools import Tools

Clip = tuple[TrackInput, ...]
Spoil = Callable[[Path], object]
MPD, MASTER = "manifest.mpd", "master.m3u8"
MP4 = r'\s*<ContentProtection [^>]*mp4protection:2011"[^>]*/>'
ANY_PROTECTION = r"\s*<ContentProtection .*?(?:</ContentProtection>|/>)"


def said(manifest: Path, **options: object) -> StreamReport:
    """Compare what a stream says, without decoding."""
    return check_stream(manifest, decode=False, **options)  # type: ignore[arg-type]


def rules_of(report: StreamReport) -> set[str]:
    """The rules that a report names."""
    return {finding.rule for finding in report.findings}


def widevine_line(kid: KeyId) -> str:
    """A key tag of Widevine for one key."""
    data = widevine.pssh_box([kid], "cenc").to_base64()
    return f'#EXT-X-KEY:METHOD=SAMPLE-AES-CTR,URI="data:text/plain;base64,{data}",KEYFORMAT="com.widevine"'


@pytest.mark.parametrize("manifest", [MPD, MASTER])
@pytest.mark.parametrize("scheme", ["cenc", "cbcs"])
def test_a_sound_stream_has_no_finding(packed: Callable[[str], Path], scheme: str, manifest: str) -> None:
    """The twin of every fault below: a stream as the packager makes it gives no finding at all, document and all."""
    report = said(packed(scheme) / manifest, document=document(scheme))
    assert [str(finding) for finding in report.findings] == []
    assert [(track.scheme, track.segments, track.examined) for track in report.tracks] == [(scheme, 2, 2)] * 3


MANIFEST_FAULTS: list[tuple[str, str, str, Spoil]] = [
    # DASH
    ("mpd-protection-missing", "cenc", MPD, lambda f: edit(f / MPD, ANY_PROTECTION, "", 0)),
    ("mpd-mp4protection", "cenc", MPD, lambda f: edit(f / MPD, MP4, "")),
    ("mpd-kid", "cenc", MPD, lambda f: edit(f / MPD, 'default_KID="01010101', 'default_KID="01010102')),
    ("mpd-kid-missing", "cenc", MPD, lambda f: edit(f / MPD, r' cenc:default_KID="[^"]*"', "")),
    ("mpd-scheme", "cenc", MPD, lambda f: edit(f / MPD, 'value="cenc"', 'value="cbcs"')),
    ("mpd-scheme", "cbcs", MPD, lambda f: edit(f / MPD, ' value="cbcs"', "")),
    ("mpd-signaling-broken", "cenc", MPD, lambda f: edit(f / MPD, "<cenc:pssh>AAAA", "<cenc:pssh>A?AA")),
    ("mpd-ref", "cenc", MPD, lambda f: edit(f / MPD, "<ContentProtection ", '<ContentProtection ref="gone" ')),
    ("xlink-not-followed", "cenc", MPD, lambda f: edit(
        f / MPD, "<AdaptationSet ",
        '<AdaptationSet xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="http://192.0.2.1/x" '
    )),
    ("mpd-broken", "cenc", MPD, lambda f: edit(f / MPD, r"\$Number\$", "$Numero$")),
    ("mpd-broken", "cenc", MPD, lambda f: edit(f / MPD, r"<SegmentTimeline>.*?</SegmentTimeline>", "")),
    ("pssh-differs", "cenc", MPD, lambda f: edit(
        f / MPD, "<cenc:pssh>[^<]*",
        f"<cenc:pssh>{widevine.pssh_box(list(KEYS), 'cenc', content_id=b'other').to_base64()}"
    )),
    ("pssh-scheme", "cenc", MPD, lambda f: edit(
        f / MPD, "<cenc:pssh>[^<]*", f"<cenc:pssh>{boxes('cbcs')[0].to_base64()}"
    )),
    ("pssh-kid", "cenc", MPD, lambda f: edit(
        f / MPD, "<cenc:pssh>[^<]*", f"<cenc:pssh>{widevine.pssh_box([KIDS['HD']], 'cenc').to_base64()}"
    )),
    ("pssh-byte-order", "cenc", MPD, lambda f: edit(
        f / MPD, "<cenc:pssh>[^<]*",
        f"<cenc:pssh>{widevine.pssh_box([KeyId(KIDS['SD'].guid_le)], 'cenc').to_base64()}"
    )),
    ("pssh-repeated", "cenc", MPD, lambda f: edit(
        f / MPD, "(<cenc:pssh>[^<]*</cenc:pssh>)",
        rf"\1<cenc:pssh>{widevine.pssh_box([KIDS['SD']], 'cenc').to_base64()}</cenc:pssh>"
    )),
    ("kid-ascii", "cenc", MPD, lambda f: edit(
        f / MPD, 'default_KID="[^"]*"', 'default_KID="30313233-3435-3637-3839-616263646566"'
    )),
    ("reference-refused", "cenc", MPD, lambda f: edit(f / MPD, "video-180p/", "../../../../etc/")),
    ("reference-refused", "cenc", MPD, lambda f: edit(f / MPD, "video-180p/", "file:///etc/")),
    ("manifest-empty", "cenc", MPD, lambda f: edit(f / MPD, "<Period.*</Period>", "")),
    # HLS
    ("hls-key-missing", "cenc", MASTER, lambda f: edit(f / "video-180p.m3u8", r"#EXT-X-KEY:[^\n]*\n", "")),
    ("hls-key-missing", "cbcs", MASTER, lambda f: edit(
        f / "video-180p.m3u8", r"(1\.m4s\n)", r"\1#EXT-X-KEY:METHOD=NONE\n"
    )),
    ("hls-method", "cenc", MASTER, lambda f: edit(f / "video-180p.m3u8", "SAMPLE-AES-CTR", "SAMPLE-AES")),
    ("hls-method", "cbcs", MASTER, lambda f: edit(f / "video-720p.m3u8", "SAMPLE-AES,", "SAMPLE-AES-CTR,")),
    ("hls-method-unknown", "cenc", MASTER, lambda f: edit(f / "video-180p.m3u8", "SAMPLE-AES-CTR", "SAMPLE-AES-XTS")),
    ("hls-keyformat", "cenc", MASTER, lambda f: edit(
        f / "video-180p.m3u8", 'KEYFORMAT="[^"]*"', 'KEYFORMAT="urn:uuid:edef8ba9"'
    )),
    ("hls-kid", "cenc", MASTER, lambda f: edit(f / "video-180p.m3u8", "KEYID=0x01010101", "KEYID=0x01010102")),
    ("hls-tag-broken", "cenc", MASTER, lambda f: edit(f / "video-180p.m3u8", 'URI="data', "URI=data")),
    ("hls-iv", "cbcs", MASTER, lambda f: edit(f / "video-180p.m3u8", "IV=0x0000", "IV=0x0001")),
    ("hls-version", "cenc", MASTER, lambda f: edit(f / "video-180p.m3u8", "#EXT-X-VERSION:6", "#EXT-X-VERSION:3")),
    ("hls-identity-line", "cbcs", MASTER, lambda f: edit(
        f / "video-180p.m3u8", "(#EXT-X-KEY:)",
        rf'#EXT-X-KEY:METHOD=SAMPLE-AES,URI="data:text/plain;base64,{KIDS["SD"].base64}",KEYFORMAT="identity"\n\1'
    )),
    ("hls-key-inside", "cbcs", MASTER, lambda f: edit(
        f / "video-180p.m3u8", "(#EXT-X-KEY:)",
        r'#EXT-X-KEY:METHOD=SAMPLE-AES,URI="data:text/plain;base64,AAECAwQFBgcICQoLDA0ODw==",KEYFORMAT="identity"\n\1'
    )),
    ("hls-key-over-http", "cbcs", MASTER, lambda f: edit(
        f / "video-180p.m3u8", "(#EXT-X-KEY:)",
        r'#EXT-X-KEY:METHOD=SAMPLE-AES,URI="http://192.0.2.1/key",KEYFORMAT="identity"\n\1'
    )),
    ("hls-fairplay-scheme", "cenc", MASTER, lambda f: edit(
        f / "video-180p.m3u8", "(#EXT-X-KEY:)",
        r'#EXT-X-KEY:METHOD=SAMPLE-AES-CTR,URI="skd://x",KEYFORMAT="com.apple.streamingkeydelivery"\n\1'
    )),
    ("hls-session-key", "cenc", MASTER, lambda f: edit(
        f / MASTER, "(#EXT-X-STREAM-INF)", widevine_line(KIDS["SD"]).replace("X-KEY", "X-SESSION-KEY") + r"\n\1"
    )),
    ("variable-undefined", "cenc", MASTER, lambda f: edit(f / "video-180p.m3u8", "video-180p/1", "{$folder}/1")),
    ("playlist-nested", "cenc", MASTER, lambda f: edit(f / MASTER, r"video-180p\.m3u8", MASTER)),
    ("playlist-unreadable", "cenc", MASTER, lambda f: (f / "video-180p.m3u8").unlink()),
    ("playlist-unreadable", "cenc", MASTER, lambda f: (f / "video-180p.m3u8").write_bytes(b"\x00\xff")),
    ("pssh-broken", "cenc", MASTER, lambda f: edit(f / "video-180p.m3u8", "base64,AAAA", "base64,AAAB")),
    ("reference-refused", "cenc", MASTER, lambda f: edit(f / "video-180p.m3u8", "video-180p/1", "ftp://192.0.2.1/1")),
    # Files
    ("segment-unreadable", "cenc", MPD, lambda f: (f / "video-180p/1.m4s").unlink()),
    ("segment-broken", "cenc", MPD, lambda f: _cut(f / "video-180p/1.m4s")),
    ("segment-broken", "cenc", MPD, lambda f: patch(f / "video-180p/1.m4s", b"tfhd", b"free")),
    ("init-broken", "cenc", MPD, lambda f: patch(f / "video-180p/init.mp4", b"moov", b"free")),
    ("init-broken", "cenc", MPD, lambda f: patch(f / "video-180p/init.mp4", b"tenc", b"free")),
    ("segment-unreadable", "cenc", MASTER, lambda f: (f / "video-180p/init.mp4").unlink()),
    ("senc-broken", "cenc", MPD, lambda f: _bump(f / "video-180p/1.m4s", b"senc", 11)),
    ("saio-wrong", "cenc", MPD, lambda f: _bump(f / "video-180p/1.m4s", b"saio", 15)),
    ("saio-missing", "cenc", MPD, lambda f: patch(f / "video-180p/1.m4s", b"saiz", b"free")),
    ("samples-without-iv", "cenc", MPD, lambda f: [
        patch(f / "video-180p/1.m4s", name, b"free") for name in (b"senc", b"saiz", b"saio")
    ]),
    ("pssh-broken", "cenc", MPD, lambda f: _bump(f / "video-180p/init.mp4", b"pssh", 27)),
    ("scheme-unknown", "cenc", MPD, lambda f: patch(f / "video-180p/init.mp4", b"cenc", b"cenX")),
    ("hls-method", "cenc", MASTER, lambda f: patch(f / "video-180p/init.mp4", b"cenc", b"cbc1")),
    ("scheme-mixed", "cenc", MPD, lambda f: patch(f / "video-180p/init.mp4", b"cenc", b"cens")),
    ("pattern-unusual", "cbcs", MPD, lambda f: patch(
        f / "video-180p/init.mp4", b"\x00\x19\x01\x00" + KIDS["SD"].raw, b"\x00\x55\x01\x00" + KIDS["SD"].raw
    )),
    ("pattern-wrong", "cbcs", MPD, lambda f: patch(
        f / "video-180p/init.mp4", b"\x00\x19\x01\x00" + KIDS["SD"].raw, b"\x00\x09\x01\x00" + KIDS["SD"].raw
    )),
    ("cenc-constant-iv", "cbcs", MPD, lambda f: patch(f / "video-180p/init.mp4", b"cbcs", b"cenc")),
    ("systems-uneven", "cenc", MASTER, lambda f: [
        patch(f / "video-180p/init.mp4", b"pssh", b"free"),
        edit(f / "video-180p.m3u8", 'KEYFORMAT="[^"]*"', 'KEYFORMAT="urn:uuid:00000000"'),
    ]),
    ("signaling-missing", "cenc", MPD, lambda f: [
        patch(f / "video-180p/init.mp4", b"pssh", b"free"),
        edit(f / MPD, r"<ContentProtection [^>]*>\s*<cenc:pssh>.*?</ContentProtection>", ""),
    ]),
]  # fmt: skip


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def _bump(path: Path, box: bytes, offset: int) -> None:
    """Change one byte behind a box's type."""
    data = bytearray(path.read_bytes())
    at = data.index(box) + offset
    data[at] ^= 1
    path.write_bytes(bytes(data))


@pytest.mark.parametrize(
    ("rule", "scheme", "manifest", "spoil"),
    MANIFEST_FAULTS,
    ids=[f"{rule}-{number}" for number, (rule, *_) in enumerate(MANIFEST_FAULTS)],
)
def test_a_spoiled_manifest_or_file_is_found(
    copied: Callable[[str], Path], rule: str, scheme: str, manifest: str, spoil: Spoil
) -> None:
    """Each edit of a sound stream is found by its rule, with a place or a track, a hint and the clause behind it."""
    folder = copied(scheme)
    spoil(folder)
    report = said(folder / manifest)
    found = report.of_rule(rule)
    assert found, f"{sorted(rules_of(report))}"
    assert all(finding.severity == RULES[rule].severity and finding.hint and finding.message for finding in found)
    assert report.ok is not any(RULES[name].severity == "error" for name in rules_of(report))


def one_key(kid: KeyId, key: bytes = bytes(range(3, 19)), iv: bytes = b"\x07" * 16) -> dict[str, object]:
    """Arguments that give all tracks one key."""
    return {"kids": dict.fromkeys(KIDS, kid), "keys": {kid: Secret(key)}, "ivs": {kid: iv}}


PRO = [playready.pssh_box([kid], "cenc") for kid in KEYS]
PACKED_FAULTS: list[tuple[str, str, dict[str, object]]] = [
    ("clear-lead", "cenc", {"lead": 2}),
    ("clear-lead", "cbcs", {"lead": 2}),
    ("encrypted-in-name-only", "cenc", {"lead": 60}),
    ("kid-zero", "cenc", one_key(KeyId(bytes(16)))),
    ("kid-ascii", "cenc", one_key(KeyId(b"a7e61c373e219033"))),
    ("kid-printable", "cenc", one_key(KeyId(b"this is a key ID"))),
    ("key-shared-kinds", "cenc", one_key(KIDS["SD"])),
    ("key-shared-sizes", "cbcs", one_key(KIDS["SD"])),
    ("iv-reused", "cenc", one_key(KIDS["SD"])),
    ("playready-shared", "cenc", {"pssh": PRO}),
    ("pssh-repeated", "cenc", {"pssh": PRO}),
    ("playready-algorithm", "cbcs", {"pssh": PRO[:1]}),
    ("pssh-scheme", "cbcs", {"pssh": boxes("cenc")}),
    ("hls-identity-line", "cbcs", {"pssh": [common.pssh_box(list(KEYS))]}),
    ("pssh-kid", "cenc", {"pssh": [widevine.pssh_box([KeyId(b"\x09" * 16)])]}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "scheme", "options"), PACKED_FAULTS, ids=[f"{rule}-{scheme}" for rule, scheme, _ in PACKED_FAULTS]
)
def test_a_fault_of_packaging_is_found(
    tools: Tools, clip: Clip, tmp_path: Path, rule: str, scheme: str, options: dict[str, object]
) -> None:
    """Each argument that spoils a stream is found by its rule, in DASH and in HLS where it shows in both."""
    folder = pack(tools, clip, tmp_path / "stream", scheme, **options)  # type: ignore[arg-type]
    found = [bool(said(folder / name).of_rule(rule)) for name in (MPD, MASTER)]
    assert found == [rule != "hls-identity-line", True]


def test_a_key_id_that_is_text_in_the_document_too_is_no_error(tools: Tools, clip: Clip, tmp_path: Path) -> None:
    """Text that the key server made is what it is, a warning; without the document it is taken for a mistake."""
    text, value = KeyId(b"a7e61c373e219033"), Secret(bytes(range(3, 19)))
    kids, keys = {**KIDS, "HD": text}, {**KEYS, text: value}
    folder = pack(tools, clip, tmp_path / "stream", "cenc", kids=kids, keys=keys)
    expected = document("cenc", kids=kids, keys=keys)
    for name in (MPD, MASTER):
        assert said(folder / name).of_rule("kid-ascii")
        report = said(folder / name, document=expected)
        assert not report.of_rule("kid-ascii")
        warned = report.of_rule("kid-printable")
        assert warned
        assert all("'a7e61c373e219033', as in the document" in finding.message for finding in warned)


def test_the_shared_playready_object_is_told_in_words(tools: Tools, clip: Clip, tmp_path: Path) -> None:
    """One track's object on all tracks: the finding names the track that it is of, and what to do."""
    folder = pack(tools, clip, tmp_path / "stream", "cenc", pssh=PRO)
    found = said(folder / MASTER).of_rule("playready-shared")
    assert {finding.track for finding in found} == {"audio-2ch", "video-720p"}
    assert all("(the key of video-180p)" in finding.message for finding in found)
    assert "run the packager once for each key" in found[0].hint
    assert found[0].place.box == "moov/pssh"
    assert found[0].place.byte


def test_playready_objects_of_each_track_are_fine(tools: Tools, clip: Clip, tmp_path: Path) -> None:
    """The twin: the packager's own PlayReady boxes, one for each track, give nothing, checksums included."""
    folder = pack(tools, clip, tmp_path / "stream", "cenc", "--protection_systems", "PlayReady,Widevine", pssh=[])
    report = said(folder / MPD, keys=KEYS)
    assert rules_of(report) == set()
    assert all(set(track.systems) == {"PlayReady", "Widevine"} for track in report.tracks)
    wrong = {kid: Secret(bytes(16)) for kid in KEYS}
    assert said(folder / MPD, keys=wrong).of_rule("playready-checksum")


def test_a_differing_pro_is_found(tools: Tools, clip: Clip, tmp_path: Path) -> None:
    """mspr:pro of another key than the PSSH box beside it is found."""
    folder = pack(tools, clip, tmp_path / "stream", "cenc", "--protection_systems", "PlayReady", pssh=[])
    other = playready.pssh_box([KeyId(b"\x09" * 16)], "cenc")
    text = base64.b64encode(other.data).decode()
    edit(folder / MPD, "<mspr:pro>[^<]*", f"<mspr:pro>{text}")
    assert said(folder / MPD).of_rule("mpd-pro-differs")


def test_a_clear_track_is_named(tools: Tools, clip: Clip, copied: Callable[[str], Path], tmp_path: Path) -> None:
    """A clear track beside encrypted ones is found; its ContentProtection, and the document's key for it, as well."""
    folder = copied("cenc")
    bare = tmp_path / "bare"
    argv = [f"in={clip[0].path},stream=video,init_segment={bare}/init.mp4,segment_template={bare}/$Number$.m4s"]
    subprocess.run([str(tools.packager), *argv, "--segment_duration", "2", "--quiet"], check=True, capture_output=True)
    for name in ("init.mp4", "1.m4s", "2.m4s"):
        shutil.copy(bare / name, folder / "video-180p" / name)
    report = said(folder / MPD, document=document("cenc"))
    assert {"tracks-clear", "mpd-protection-on-clear", "document-clear"} <= rules_of(report)
    assert said(folder / MASTER).of_rule("hls-key-for-clear")
    assert not said(folder / MASTER).of_rule("hls-key-missing")


SWAPPED = {"SD": KIDS["HD"], "HD": KIDS["SD"], "AUDIO": KIDS["AUDIO"]}
OTHER = {kid: IVS[kid][::-1] for kid in IVS}
DOCUMENT_FAULTS = [
    ("document-key-missing", document("cenc", kids={**KIDS, "SD": KeyId(b"\x0a" * 16)},
                                      keys={**KEYS, KeyId(b"\x0a" * 16): Secret(bytes(range(16)))})),
    ("document-usage", document("cenc", kids=SWAPPED)),
    ("document-scheme", document("cbcs")),
    ("document-iv", document("cenc", ivs=OTHER)),
    ("document-pssh", document("cbcs")),
    ("document-system-missing", document("cenc", systems=(DrmSystem.WIDEVINE, DrmSystem.PLAYREADY))),
    ("document-system-extra", document("cenc", systems=(DrmSystem.PLAYREADY,))),
    ("key-is-key-id", document("cenc", keys={**KEYS, KIDS["SD"]: Secret(KIDS["SD"].raw)})),
    ("key-is-known", document("cenc", keys={**KEYS, KIDS["SD"]: Secret(bytes(16))})),
]  # fmt: skip


@pytest.mark.parametrize("manifest", [MPD, MASTER])
@pytest.mark.parametrize(("rule", "other"), DOCUMENT_FAULTS, ids=[rule for rule, _ in DOCUMENT_FAULTS])
def test_a_document_of_another_stream_is_found(
    packed: Callable[[str], Path], rule: str, other: object, manifest: str
) -> None:
    """Each disagreement with a document is found by its rule, from DASH as from HLS."""
    assert said(packed("cenc") / manifest, document=other).of_rule(rule)
