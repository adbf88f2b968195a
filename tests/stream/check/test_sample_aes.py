"""SAMPLE-AES without boxes, in MPEG-TS and packed audio: what tags and segments say, and whether it decrypts."""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from packedstreams import IVS, KEYS, KIDS, NAMES, check_stream, document, edit

from drmkit.errors import InputError
from drmkit.identifiers import KeyId
from drmkit.secret import Secret
from drmkit.signaling import widevine
from drmkit.signaling.pssh import build
from drmkit.stream.check import StreamReport
from drmkit.stream.check.transport import read_transport
from drmkit.stream.model import TrackInput
from drmkit.stream.tools import Tools

Clip = tuple[TrackInput, ...]
MASTER = "master.m3u8"
CRC = 0x04C11DB7
FAIRPLAY = "com.apple.streamingkeydelivery"
BESIDE = f'#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://{{}}",KEYFORMAT="{FAIRPLAY}",IV=0x{"7" * 32}'
PLAYREADY = '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="x:y",KEYFORMAT="com.microsoft.playready"'


def check(folder: Path, **options: Any) -> StreamReport:
    """Check a stream."""
    return check_stream(folder / MASTER, **options)


def verdicts(report: StreamReport) -> list[str]:
    """The verdicts of a report, track by track."""
    return [track.verdict for track in report.tracks]


def rules_of(report: StreamReport) -> set[str]:
    """The rules of the errors and warnings of a report."""
    return {finding.rule for finding in report.findings if finding.severity in {"error", "warning"}}


def pack_samples(
    tools: Tools,
    inputs: Sequence[tuple[Path, str, str]],
    folder: Path,
    *arguments: str,
    audio: str = "ts",
    keys: Mapping[KeyId, Secret[bytes]] = KEYS,
) -> Path:
    """Package files, each given with its name and the label of its key, in segments without boxes."""
    argv = [str(tools.packager)]
    for path, name, label in inputs:
        kind, suffix = ("audio", audio) if label == "AUDIO" else ("video", "ts")
        grouped = ",hls_group_id=audio,hls_name=sound" if kind == "audio" else ""
        argv.append(
            f"in={path},stream={kind},drm_label={label},playlist_name={name}.m3u8{grouped},"
            f"segment_template={folder}/{name}/$Number$.{suffix}"
        )
    listed = [
        f"label={label}:key_id={kid.hex}:key={keys[kid].reveal().hex()}:iv={IVS[kid].hex()}"
        for label, kid in KIDS.items()
    ]
    argv += ["--enable_raw_key_encryption", "--keys", ",".join(listed), "--protection_scheme", "cbcs"]
    argv += ["--clear_lead", "0", "--segment_duration", "2", "--quiet", "--hls_playlist_type", "VOD"]
    argv += ["--hls_master_playlist_output", f"{folder}/{MASTER}"]
    argv += arguments or ["--pssh", build([widevine.pssh_box(tuple(KEYS), "cbcs")]).hex()]
    subprocess.run(argv, check=True, capture_output=True, timeout=120)
    return folder


def inputs_of(clip: Clip) -> list[tuple[Path, str, str]]:
    """The demo clip for `pack_samples`."""
    return [(track.path, track.name, NAMES[track.name]) for track in clip]


@pytest.fixture(scope="session")
def sampled(tools: Tools, clip: Clip, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return a sound stream, packaged once a session for each ending of sound and arguments."""
    made: dict[tuple[str, ...], Path] = {}

    def stream(audio: str, *arguments: str) -> Path:
        if (audio, *arguments) not in made:
            folder = tmp_path_factory.mktemp("sampled") / audio
            made[audio, *arguments] = pack_samples(tools, inputs_of(clip), folder, *arguments, audio=audio)
        return made[audio, *arguments]

    return stream


@pytest.fixture
def spoilt(sampled: Callable[..., Path], tmp_path: Path) -> Callable[..., Path]:
    """Return a copy of a sound stream, to spoil."""
    return lambda *arguments: Path(shutil.copytree(sampled("ts", *arguments), tmp_path / "copy"))


@pytest.mark.parametrize("audio", ["ts", "aac"])
def test_the_right_keys_decrypt(tools: Tools, clip: Clip, sampled: Callable[..., Path], audio: str) -> None:
    """Every track decrypts with the keys of its document, nothing is wrong, and its packets are those of the source."""
    report = check(sampled(audio), document=document("cbcs"), tools=tools)
    assert verdicts(report) == ["decrypts"] * 3
    assert not rules_of(report)
    assert {track.name: track.kids for track in report.tracks} == {
        name: (KIDS[label].uuid,) for name, label in NAMES.items()
    }
    assert {(track.scheme, track.systems) for track in report.tracks} == {("sample-aes", ("Widevine",))}
    assert {track.details for track in report.tracks} == {"320x180", "1280x720", "2 channels"}
    sources = [track.path for track in clip]
    compared = check(sampled(audio), document=document("cbcs"), tools=tools, sources=sources)
    assert {track.reason for track in compared.tracks} == {"its packets are those of the source"}
    other = check(sampled(audio), document=document("cbcs"), tools=tools, sources=sources[:1])
    assert len(other.of_rule("source-differs")) == 2


def test_wrong_keys_do_not_decrypt(tools: Tools, sampled: Callable[..., Path]) -> None:
    """A wrong key is an error of each track; no key at all is none."""
    chances = random.Random(7)
    wrong = {kid: Secret(chances.randbytes(16)) for kid in KEYS}
    report = check(sampled("ts"), keys=wrong, tools=tools)
    assert verdicts(report) == ["does not decrypt"] * 3
    assert rules_of(report) == {"key-wrong"}
    none = check(sampled("ts"), tools=tools)
    assert verdicts(none) == ["not tried"] * 3
    assert none.ok


def test_a_key_id_that_serves_as_the_key_is_found(tools: Tools, clip: Clip, tmp_path: Path) -> None:
    """A stream that is encrypted with its key IDs decrypts for everyone, and the report says so without any key."""
    folder = pack_samples(tools, inputs_of(clip), tmp_path / "s", keys={kid: Secret(kid.raw) for kid in KEYS})
    report = check(folder, tools=tools)
    assert len(report.of_rule("key-is-key-id")) == 3


@pytest.mark.parametrize("known", [True, False])
def test_clear_samples_under_a_tag_are_found(tools: Tools, clip: Clip, tmp_path: Path, known: bool) -> None:
    """Segments in the clear under a key tag decode as they are, and their PMT says that they are in the clear."""
    argv = ["-v", "error", "-nostdin", "-i", str(clip[1].path), "-c", "copy", "-f", "hls", "-hls_time", "2"]
    argv += ["-hls_playlist_type", "vod", MASTER]
    subprocess.run([str(tools.ffmpeg), *argv], cwd=tmp_path, check=True, timeout=60)
    clear = check(tmp_path, tools=tools)
    assert verdicts(clear) == ["clear"]
    assert not clear.findings
    tag = f'#EXT-X-VERSION:5\n#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://a",KEYFORMAT="{FAIRPLAY}",IV=0x{"07" * 16}\n'
    edit(tmp_path / MASTER, "#EXT-X-VERSION:[0-9]+\n", tag)
    report = check(tmp_path, keys=KEYS if known else None, tools=tools)
    assert {"not-encrypted", "sample-aes-stream-type"} <= rules_of(report)
    assert verdicts(report) == ["does not decrypt"]
    assert "says H.264 in the clear (stream type 0x1b)" in report.of_rule("sample-aes-stream-type")[0].message


@pytest.mark.parametrize(
    ("rule", "pattern", "text"),
    [
        ("hls-kid", "(#EXT-X-KEY[^\n]*)", r"\1\n" + f"{PLAYREADY},KEYID=0x{KIDS['HD'].hex}"),
        ("pssh-kid", r'URI="[^"]*"', f'URI="data:;base64,{widevine.pssh_box([KIDS["HD"]], "cbcs").to_base64()}"'),
        ("pssh-scheme", r'URI="[^"]*"', f'URI="data:;base64,{widevine.pssh_box([KIDS["SD"]], "cenc").to_base64()}"'),
        ("hls-method", "METHOD=SAMPLE-AES", "METHOD=SAMPLE-AES-CTR"),
        ("hls-method", "METHOD=SAMPLE-AES", "METHOD=AES-128"),
        ("hls-tag-broken", "IV=0x[0-9a-f]+", "IV=0xZZ"),
        ("hls-key-missing", "#EXT-X-KEY[^\n]*\n", ""),
        ("document-iv", "IV=0x[0-9a-f]+", f"IV=0x{'ab' * 16}"),
        ("document-key-missing", "KEYID=0x[0-9a-f]+", f"KEYID=0x{'ab' * 16}"),
        ("document-system-missing", "#EXT-X-KEY[^\n]*", f"{PLAYREADY},KEYID=0x{KIDS['SD'].hex}"),
        ("hls-iv", "(#EXT-X-KEY[^\n]*)", r"\1\n" + BESIDE.format("a")),
        ("hls-kid", "(#EXT-X-KEY[^\n]*)", r"\1\n" + BESIDE.format(KIDS["HD"])),
    ],
)  # fmt: skip
def test_tags_are_held_against_each_other_and_the_document(
    spoilt: Callable[..., Path], rule: str, pattern: str, text: str
) -> None:
    """The media states neither key ID nor IV nor scheme, so tags are compared with each other and the document."""
    folder = spoilt()
    assert not rules_of(check(folder, document=document("cbcs"), decode=False))
    edit(folder / "video-180p.m3u8", pattern, text)
    report = check(folder, document=document("cbcs"), decode=False)
    assert "video-180p" in {finding.track for finding in report.of_rule(rule)}


def sealed(table: bytes) -> bytes:
    """A table of a transport stream with the checksum that it needs."""
    value = 0xFFFFFFFF
    for byte in table[:-4]:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ (CRC if value & 0x80000000 else 0)) & 0xFFFFFFFF
    return table[:-4] + value.to_bytes(4, "big")


def remap(path: Path, old: bytes, new: bytes) -> None:
    """Replace bytes of the program map of a segment, and seal it."""
    data = path.read_bytes()
    start = data.index(b"\x02\xb0", 188)
    table = data[start : start + 3 + (int.from_bytes(data[start + 1 : start + 3], "big") & 0xFFF)]
    assert table.count(old) == 1
    path.write_bytes(data.replace(table, sealed(table.replace(old, new))))


@pytest.mark.parametrize(
    ("track", "rule", "old", "new", "words"),
    [
        ("video-180p", "sample-aes-stream-type", b"\xdb\xe0", b"\x1b\xe0", "encrypted streams have 0xdb"),
        ("video-180p", "sample-aes-stream-type", b"\xdb\xe0", b"\x24\xe0", "H.265, which has no encrypted form"),
        ("video-180p", "sample-aes-descriptor", b"zavc", b"zaac", "is 'zaac'; it is 'zavc'"),
        ("audio-2ch", "sample-aes-stream-type", b"\xcf\xe0", b"\x0f\xe0", "AAC in the clear (stream type 0x0f)"),
        ("audio-2ch", "sample-aes-descriptor", b"apad", b"xxxx", "in the PMT is missing"),
        ("audio-2ch", "sample-aes-descriptor", b"zaac", b"zac3", "in the PMT is of 'zac3'"),
    ],
)  # fmt: skip
def test_the_program_map_is_judged(
    spoilt: Callable[..., Path], track: str, rule: str, old: bytes, new: bytes, words: str
) -> None:
    """Stream types and descriptors are those that Apple's format gives to encrypted streams."""
    folder = spoilt()
    remap(folder / track / "1.ts", old, new)
    report = check(folder, decode=False)
    assert [words in finding.message for finding in report.of_rule(rule)] == [True]
    assert {finding.track for finding in report.of_rule(rule)} == {track}


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda data: data.replace(b"\xdb\xe0", b"\x1b\xe0", 1), "checksum of a table at byte 188"),
        (lambda data: data.replace(b"G\x40\x00", b"G\x5f\xff", 1), "no program association table"),
        (lambda data: data.replace(b"G\x40\x20", b"G\x40\x21", 1), "no program map (PMT) at PID 0x20"),
        (lambda data: data[:-1], "no multiple of 188"),
        (lambda data: data[188:], "no program association table"),
        (lambda data: bytes(188) + data, "neither MPEG-TS nor packed audio"),
    ],
)
def test_broken_transport_streams_are_named(
    spoilt: Callable[..., Path], spoil: Callable[[bytes], bytes], words: str
) -> None:
    """What players drop or cannot find their way in is an error of the segment, with the reason."""
    folder = spoilt()
    path = folder / "video-180p" / "1.ts"
    path.write_bytes(spoil(path.read_bytes()))
    (found,) = check(folder, decode=False).of_rule("segment-broken")
    assert words in found.message


@pytest.mark.parametrize("length", [0, 1, 4, 10, 188, 376, 400, 1880])
@pytest.mark.parametrize("start", [b"", b"ID3\x04\0\0\x7f\x7f\x7f\x7f", b"\xff\xf1", b"\x0bw", b"G\x40\0\x30"])
def test_no_bytes_make_the_check_fail(tools: Tools, tmp_path: Path, start: bytes, length: int) -> None:
    """Whatever a segment holds, there is a report."""
    data = (start + random.Random(length).randbytes(length))[:length]
    (tmp_path / "a.ts").write_bytes(data)
    (tmp_path / MASTER).write_text(
        f"#EXTM3U\n#EXT-X-VERSION:5\n{BESIDE.format('a')}\n#EXTINF:1,\na.ts\n#EXT-X-ENDLIST\n"
    )
    report = check(tmp_path, keys=KEYS, tools=tools)
    assert report.findings
    assert verdicts(report) != ["decrypts"]


def only_fairplay(folder: Path, uri: str, iv: bool = True) -> None:
    """Leave a stream one key tag each, of FairPlay, that names the key in the service's own way."""
    for name, label in NAMES.items():
        attributes = f",IV=0x{IVS[KIDS[label]].hex()}" if iv else ""
        line = f'#EXT-X-KEY:METHOD=SAMPLE-AES,URI="{uri}",KEYFORMAT="{FAIRPLAY}"{attributes}'
        edit(folder / f"{name}.m3u8", "#EXT-X-KEY[^\n]*", line)


def test_a_key_that_no_tag_names_is_found_by_trying(tools: Tools, spoilt: Callable[..., Path]) -> None:
    """Where a FairPlay URI is the service's own, the key that decrypts is the track's, also for the rules."""
    folder = spoilt()
    only_fairplay(folder, "skd://asset-17")
    good = document("cbcs", systems=())
    report = check(folder, document=good, tools=tools)
    assert verdicts(report) == ["decrypts"] * 3
    assert {track.name: track.kids for track in report.tracks} == {
        name: (KIDS[label].uuid,) for name, label in NAMES.items()
    }
    assert not rules_of(report)
    swapped = document(
        "cbcs", systems=(), keys={kid: KEYS[other] for kid, other in zip(KEYS, [*KEYS][::-1], strict=True)}
    )
    assert check(folder, document=swapped, tools=tools).of_rule("document-usage")
    chances = random.Random(3)
    wrong = check(folder, keys={kid: Secret(chances.randbytes(16)) for kid in KEYS}, tools=tools)
    assert verdicts(wrong) == ["does not decrypt"] * 3
    assert "any of the 3 keys that were given" in wrong.of_rule("key-wrong")[0].message


@pytest.mark.parametrize("uri", ["skd://asset-17", "skd://{kid}"])
def test_an_iv_that_comes_with_the_key_is_the_documents(tools: Tools, spoilt: Callable[..., Path], uri: str) -> None:
    """A FairPlay tag need not state the IV: then it is the document's, and without any nothing can be told."""
    folder = spoilt()
    only_fairplay(folder, uri, iv=False)
    for name, label in NAMES.items():
        edit(folder / f"{name}.m3u8", r"\{kid\}|asset-17", KIDS[label].uuid if "kid" in uri else "asset-17")
    report = check(folder, document=document("cbcs", systems=()), tools=tools)
    assert verdicts(report) == ["decrypts"] * 3
    assert {track.iv for track in report.tracks} == {"with the key"}
    alone = check(folder, keys=KEYS, tools=tools)
    assert verdicts(alone) == ["cannot tell"] * 3
    assert "neither the key tags nor a document state it" in alone.of_rule("decryption-undecided")[0].message
    assert verdicts(check(folder, keys=KEYS, ivs=IVS, tools=tools)) == ["decrypts"] * 3
    with pytest.raises(InputError, match="7 bytes, not 8 or 16"):
        check(folder, keys=KEYS, ivs=dict.fromkeys(KEYS, bytes(7)), tools=tools)


def test_the_key_behind_an_identity_tag_is_read(tools: Tools, clip: Clip, tmp_path: Path) -> None:
    """A key file beside the playlist is used as players do; where the IV is not stated, it is the sequence number."""
    arguments = ("--hls_key_uri", "k", "--protection_systems", "CommonSystem")
    folder = pack_samples(tools, inputs_of(clip)[:1], tmp_path / "s", *arguments)
    playlist, key = folder / "video-180p.m3u8", KEYS[KIDS["SD"]].reveal()
    (folder / "k").write_bytes(key)
    report = check(folder, tools=tools)
    assert [(track.verdict, track.reason) for track in report.tracks] == [("decrypts", "with the key behind its URI")]
    assert not report.findings
    edit(playlist, "#EXTINF[^\n]*\n[^\n]*2.ts\n", "")
    for number, verdict in ((0, "decrypts"), (1, "does not decrypt")):
        edit(playlist, "(,IV=0x[0-9a-f]+)|#EXT-X-MEDIA-SEQUENCE[^\n]*\n", "")
        sequence = int.from_bytes(IVS[KIDS["SD"]], "big") + number
        edit(playlist, "#EXT-X-TARGET", f"#EXT-X-MEDIA-SEQUENCE:{sequence}\n#EXT-X-TARGET")
        assert verdicts(check(folder, tools=tools, sources=[clip[0].path])) == [verdict]
    (folder / "k").write_bytes(bytes(15))
    assert "15 bytes, not 16" in check(folder, tools=tools).of_rule("key-wrong")[0].message


def test_a_key_id_behind_an_identity_tag_is_no_key(tools: Tools, sampled: Callable[..., Path]) -> None:
    """The packager's own identity line has the key ID behind its URI: that is said, and the true key is tried."""
    folder = sampled("ts", "--protection_systems", "CommonSystem")
    report = check(folder, document=document("cbcs", systems=()), tools=tools)
    assert {finding.rule for finding in report.errors} == {"hls-identity-line"}
    assert verdicts(report) == ["decrypts"] * 3


def test_the_key_behind_an_identity_tag_serves_fragmented_mp4_too(
    tools: Tools, packed: Callable[[str], Path], tmp_path: Path
) -> None:
    """Where no key is given for the key ID of the media, the key file that its playlist names is the one to try."""
    folder = Path(shutil.copytree(packed("cbcs"), tmp_path / "s"))
    for name, label in NAMES.items():
        edit(folder / f"{name}.m3u8", "#EXT-X-KEY[^\n]*", f'#EXT-X-KEY:METHOD=SAMPLE-AES,URI="{label}"')
        (folder / label).write_bytes(KEYS[KIDS[label]].reveal())
    report = check(folder, tools=tools)
    assert {(track.verdict, track.reason) for track in report.tracks} == {("decrypts", "with the key behind its URI")}
    (folder / "SD").write_bytes(KEYS[KIDS["HD"]].reveal())
    assert [finding.track for finding in check(folder, tools=tools).of_rule("key-wrong")] == ["video-180p"]


def test_one_segment_can_hold_pictures_and_sound(tools: Tools, clip: Clip, tmp_path: Path) -> None:
    """A transport stream of both is one track of the stream, and each is looked into."""
    argv = ["-v", "error", "-nostdin", "-i", str(clip[0].path), "-i", str(clip[2].path), "-c", "copy", "-f", "hls"]
    argv += ["-hls_time", "2", "-hls_playlist_type", "vod", "-hls_segment_filename", "s%d", MASTER]
    subprocess.run([str(tools.ffmpeg), *argv], cwd=tmp_path, check=True, timeout=60)
    (track,) = check(tmp_path, tools=tools).tracks
    assert (track.kind, track.codec, track.examined, track.verdict) == ("muxed", "avc1 mp4a", 2, "clear")
    edit(tmp_path / MASTER, "#EXTINF", f"{BESIDE.format('a')}\n#EXTINF")
    report = check(tmp_path, tools=tools)
    assert len(report.of_rule("sample-aes-stream-type")) == 4
    assert len(report.of_rule("not-encrypted")) == 1


@pytest.mark.parametrize("audio", ["ts", "ac3"])
@pytest.mark.parametrize("codec", ["ac3", "eac3"])
def test_dolby_decrypts_too(tools: Tools, tmp_path: Path, codec: str, audio: str) -> None:
    """AC-3 and E-AC-3 decrypt in MPEG-TS and as packed audio, packet for packet, and not with a wrong key."""
    source = tmp_path / "in.mp4"
    call = [
        str(tools.ffmpeg),
        "-v",
        "error",
        "-nostdin",
        "-f",
        "lavfi",
        "-i",
        "aevalsrc=0.1*sin(2*PI*440*t):d=4:s=48000",
    ]
    subprocess.run([*call, "-c:a", codec, "-b:a", "192k", str(source)], check=True, timeout=60)
    folder = pack_samples(tools, [(source, "audio-2ch", "AUDIO")], tmp_path / "s", audio=audio)
    report = check(folder, document=document("cbcs"), tools=tools, sources=[source])
    assert [(track.verdict, track.reason) for track in report.tracks] == [
        ("decrypts", "its packets are those of the source")
    ]
    assert not rules_of(report)
    wrong = check(folder, keys={KIDS["AUDIO"]: Secret(random.Random(1).randbytes(16))}, tools=tools)
    assert verdicts(wrong) == ["does not decrypt"]


def test_the_transport_stream_is_read(sampled: Callable[..., Path]) -> None:
    """What the packager wrote is what is read: stream type, private data indicator and audio setup."""
    (video,) = read_transport((sampled("ts") / "video-180p" / "1.ts").read_bytes())
    assert (video.kind, video.format, video.stream_type, video.indicator) == ("video", "avc1", 0xDB, b"zavc")
    (audio,) = read_transport((sampled("ts") / "audio-2ch" / "1.ts").read_bytes())
    assert (audio.kind, audio.format, audio.stream_type, audio.indicator) == ("audio", "mp4a", 0xCF, b"aacd")
    assert audio.setup.startswith(b"zaac")
    assert video.says_encrypted
