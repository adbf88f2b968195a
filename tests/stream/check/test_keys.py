"""Whether a stream really decrypts: the right key does, others do not, and what anyone would guess is found."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from packedstreams import IVS, KEYS, KIDS, check_stream, document, edit, pack, patch

from drmkit.identifiers import KeyId
from drmkit.secret import Secret
from drmkit.stream.check import StreamReport
from drmkit.stream.model import TrackInput
from drmkit.stream.tools import Tools

Clip = tuple[TrackInput, ...]
MPD, MASTER = "manifest.mpd", "master.m3u8"
KID, KEY = KeyId(bytes.fromhex("0123456789abcdef0123456789abcdef")), Secret(bytes(range(16)))
WRONG = Secret(bytes(range(100, 116)))


def verdicts(report: StreamReport) -> list[str]:
    """The verdicts of all tracks."""
    return [track.verdict for track in report.tracks]


@pytest.mark.parametrize("manifest", [MPD, MASTER])
@pytest.mark.parametrize("scheme", ["cenc", "cbcs"])
def test_the_keys_of_the_document_decrypt(
    tools: Tools, packed: Callable[[str], Path], scheme: str, manifest: str
) -> None:
    """With its document a sound stream decrypts on every track, and nothing is found."""
    report = check_stream(packed(scheme) / manifest, document=document(scheme), tools=tools)
    assert verdicts(report) == ["decrypts"] * 3
    assert [str(finding) for finding in report.findings] == []


@pytest.mark.parametrize("scheme", ["cenc", "cbcs"])
def test_random_keys_do_not_decrypt(tools: Tools, packed: Callable[[str], Path], scheme: str) -> None:
    """A wrong key is never taken for the right one: what it gives is noise, which is an error of its track."""
    chances = random.Random(scheme)
    for _ in range(2):
        wrong = {kid: Secret(chances.randbytes(16)) for kid in KEYS}
        report = check_stream(packed(scheme) / MPD, keys=wrong, tools=tools)
        assert verdicts(report) == ["does not decrypt"] * 3
        assert {finding.rule for finding in report.errors} == {"key-wrong"}


def test_one_wrong_key_is_told_from_the_others(tools: Tools, packed: Callable[[str], Path]) -> None:
    """Only the track whose key is wrong does not decrypt; a track without a key is named too."""
    keys = {KIDS["SD"]: KEYS[KIDS["SD"]], KIDS["HD"]: KEYS[KIDS["SD"]]}
    report = check_stream(packed("cenc") / MASTER, keys=keys, tools=tools)
    assert {track.name: track.verdict for track in report.tracks} == {
        "video-180p": "decrypts",
        "video-720p": "does not decrypt",
        "audio-2ch": "not tried",
    }
    assert [finding.track for finding in report.of_rule("key-wrong")] == ["video-720p"]
    assert [finding.track for finding in report.of_rule("key-unknown")] == ["audio-2ch"]


@pytest.mark.parametrize(
    ("rule", "key"),
    [("key-is-key-id", KID.raw), ("key-is-key-id", KID.guid_le), ("key-is-known", bytes(16))],
    ids=["key ID", "key ID as GUID", "zeros"],
)
def test_keys_that_anyone_would_guess_are_found(
    tools: Tools, clip: Clip, tmp_path: Path, rule: str, key: bytes
) -> None:
    """Without any key at hand, a stream whose key is its key ID, or zeros, is found to be open to everyone."""
    folder = pack(
        tools, clip, tmp_path / "stream", "cenc",
        kids=dict.fromkeys(KIDS, KID), keys={KID: Secret(key)}, ivs={KID: IVS[KIDS["SD"]]},
    )  # fmt: skip
    report = check_stream(folder / MPD, tools=tools)
    assert {finding.track for finding in report.of_rule(rule)} == {track.name for track in report.tracks}
    assert not report.ok


def test_media_that_is_not_encrypted_is_found(tools: Tools, clip: Clip, copied: Callable[[str], Path]) -> None:
    """Clear samples in a track that is marked as encrypted decode as they are, and no key makes them sound."""
    folder = copied("cbcs")
    bare = folder / "bare"
    argv = [f"in={clip[0].path},stream=video,init_segment={bare}/init.mp4,segment_template={bare}/$Number$.m4s"]
    subprocess.run([str(tools.packager), *argv, "--segment_duration", "2", "--quiet"], check=True, capture_output=True)
    for name in ("1.m4s", "2.m4s"):
        (folder / "video-180p" / name).write_bytes((bare / name).read_bytes())
    report = check_stream(folder / MPD, document=document("cbcs"), tools=tools)
    assert len(report.of_rule("not-encrypted")) == 1
    assert verdicts(report) == ["does not decrypt", "decrypts", "decrypts"]


@pytest.mark.parametrize("scheme", ["cenc", "cbcs"])
def test_a_clear_lead_does_not_stand_for_the_encrypted_segments(
    tools: Tools, clip: Clip, tmp_path: Path, scheme: str
) -> None:
    """A segment in the clear tells nothing of the key: the next encrypted one is read beside it."""
    folder = pack(tools, clip, tmp_path / "stream", scheme, lead=2)
    sources = [track.path for track in clip]  # what one segment tells by itself is a matter of chance
    report = check_stream(folder / MPD, document=document(scheme), tools=tools, segments=1, sources=sources)
    assert verdicts(report) == ["decrypts"] * 3
    assert {finding.track for finding in report.of_rule("clear-lead")} == {track.name for track in report.tracks}


def test_the_source_is_recognized(tools: Tools, clip: Clip, packed: Callable[[str], Path]) -> None:
    """With the clear media at hand the decrypted packets are compared with it; other media is told apart."""
    sources = [track.path for track in clip]
    good = check_stream(packed("cbcs") / MPD, document=document("cbcs"), sources=sources, tools=tools)
    assert verdicts(good) == ["decrypts"] * 3
    assert {track.reason for track in good.tracks} == {"its packets are those of the source"}
    bad = check_stream(packed("cbcs") / MPD, document=document("cbcs"), sources=sources[:1], tools=tools)
    assert len(bad.of_rule("source-differs")) == 2


@pytest.mark.parametrize(
    ("codec", "arguments"),
    [
        ("h264", ["-c:v", "libx264", "-preset", "veryfast", "-g", "25"]),
        ("hevc", ["-c:v", "libx265", "-preset", "ultrafast", "-tag:v", "hvc1", "-x265-params", "keyint=25"]),
        ("vp9", ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-g", "25", "-b:v", "400k"]),
        ("aac", ["-c:a", "aac"]),
        ("ac3", ["-c:a", "ac3"]),
        ("flac", ["-c:a", "flac"]),
    ],
)  # fmt: skip
def test_every_codec_is_judged(tools: Tools, tmp_path: Path, codec: str, arguments: list[str]) -> None:
    """The right key is told from wrong ones in each codec that ffmpeg makes and decodes, in cenc and in cbcs."""
    video = "-c:v" in arguments
    chances = random.Random(codec)
    size = "1280x720" if codec == "hevc" else "640x360"  # of small pictures in H.265 too little is found wrong
    source = f"testsrc2=size={size}:rate=25:duration=6" if video else "aevalsrc=0.1*sin(2*PI*440*t):d=6:s=48000"
    call = [str(tools.ffmpeg), "-v", "error", "-nostdin", "-f", "lavfi", "-i", source]
    noise = ["-vf", "noise=alls=8:allf=t", "-pix_fmt", "yuv420p"] if video else []
    subprocess.run([*call, *noise, *arguments, str(tmp_path / "in.mp4")], check=True, capture_output=True, timeout=60)
    for scheme in ("cenc", "cbcs"):
        folder = tmp_path / scheme
        kind = "video" if video else "audio"
        files = f"init_segment={folder}/init.mp4,segment_template={folder}/$Number$.m4s"
        argv = [f"in={tmp_path}/in.mp4,stream={kind},drm_label=X,{files}"]
        argv += ["--enable_raw_key_encryption", "--protection_scheme", scheme, "--clear_lead", "0"]
        argv += [
            "--keys",
            f"label=X:key_id={KID.hex}:key={KEY.reveal().hex()}:iv={bytes(8).hex()}",
            "--segment_duration",
            "2",
            "--quiet",
        ]
        argv += ["--mpd_output", f"{folder}/manifest.mpd", "--generate_static_live_mpd"]
        subprocess.run([str(tools.packager), *argv], check=True, capture_output=True, timeout=60)
        right = check_stream(folder / MPD, keys={KID: KEY}, tools=tools)
        assert verdicts(right) == ["decrypts"]
        for _ in range(3):
            key = Secret(chances.randbytes(16))
            wrong = check_stream(folder / MPD, keys={KID: key}, tools=tools)
            assert verdicts(wrong) == ["does not decrypt"]


@pytest.fixture
def aes(tools: Tools, clip: Clip, tmp_path: Path) -> Path:
    """A stream by ffmpeg's own HLS muxer, its MPEG-TS segments encrypted with AES-128 under a key file beside it."""
    (tmp_path / "enc.key").write_bytes(KEY.reveal())
    (tmp_path / "info").write_text(f"enc.key\n{tmp_path}/enc.key\n{'07' * 16}\n")
    argv = ["-v", "error", "-nostdin", "-i", str(clip[0].path), "-i", str(clip[2].path), "-c", "copy", "-f", "hls"]
    argv += ["-hls_time", "2", "-hls_playlist_type", "vod", "-hls_key_info_file", "info"]
    subprocess.run(
        [str(tools.ffmpeg), *argv, "-hls_segment_filename", "s%d.ts", "out.m3u8"], cwd=tmp_path, check=True, timeout=60
    )
    return tmp_path


def test_aes128_decrypts_with_the_key_behind_its_uri(tools: Tools, aes: Path) -> None:
    """The key file beside a local playlist is read as a player would, and decrypts the segments."""
    report = check_stream(aes / "out.m3u8", tools=tools)
    (track,) = report.tracks
    assert (track.scheme, track.verdict, track.examined) == ("aes-128", "decrypts", 2)
    assert report.ok
    (aes / "enc.key").write_bytes(bytes(16))
    assert check_stream(aes / "out.m3u8", tools=tools).of_rule("key-wrong")
    (aes / "enc.key").write_bytes(bytes(15))
    (found, *_) = check_stream(aes / "out.m3u8", tools=tools).of_rule("key-wrong")
    assert "15 bytes, not 16" in found.message


def test_aes128_decrypts_with_a_key_that_was_given(tools: Tools, aes: Path) -> None:
    """Where the key's URI is not followed, each key that was given is tried; the IV is that of the tag."""
    edit(aes / "out.m3u8", 'URI="enc.key"', 'URI="https://192.0.2.1/key"')
    assert verdicts(check_stream(aes / "out.m3u8", keys={KID: KEY}, tools=tools)) == ["decrypts"]
    assert verdicts(check_stream(aes / "out.m3u8", tools=tools)) == ["not tried"]
    edit(aes / "out.m3u8", "IV=0x07", "IV=0x08")
    assert check_stream(aes / "out.m3u8", keys={KID: KEY}, tools=tools).of_rule("key-wrong")
    edit(aes / "out.m3u8", "IV=0x08", "IV=0x07")
    wrong = check_stream(aes / "out.m3u8", keys={KID: WRONG}, tools=tools)
    assert wrong.of_rule("key-wrong")


def test_faults_of_aes128_are_found(tools: Tools, aes: Path) -> None:
    """A clear segment under a tag, a cut one, a key over http and a key in the playlist are found."""
    data = (aes / "s0.ts").read_bytes()
    (aes / "s0.ts").write_bytes(data[:-3])
    assert check_stream(aes / "out.m3u8", tools=tools).of_rule("segment-broken")
    decryptor = Cipher(AES(KEY.reveal()), CBC(b"\x07" * 16)).decryptor()
    (aes / "s0.ts").write_bytes((decryptor.update(data) + decryptor.finalize())[:-16])
    assert check_stream(aes / "out.m3u8", tools=tools).of_rule("not-encrypted")
    edit(aes / "out.m3u8", 'URI="enc.key"', 'URI="http://192.0.2.1/key"')
    assert check_stream(aes / "out.m3u8", tools=tools).of_rule("hls-key-over-http")
    edit(aes / "out.m3u8", 'URI="http://192.0.2.1/key"', 'URI="data:;base64,AAECAwQFBgcICQoLDA0ODw=="')
    report = check_stream(aes / "out.m3u8", tools=tools)
    assert report.of_rule("hls-key-inside")


def test_what_ffmpeg_encrypts_is_judged_too(tools: Tools, clip: Clip, tmp_path: Path) -> None:
    """Another encryptor: ffmpeg's own cenc, one file without an index, decrypts, and not with a wrong key."""
    argv = ["-v", "error", "-nostdin", "-i", str(clip[0].path), "-c", "copy", "-encryption_scheme", "cenc-aes-ctr"]
    argv += ["-encryption_key", KEY.reveal().hex(), "-encryption_kid", KID.hex]
    argv += ["-movflags", "+frag_keyframe+empty_moov+default_base_moof", "out.mp4"]
    subprocess.run([str(tools.ffmpeg), *argv], cwd=tmp_path, check=True, timeout=60)
    (tmp_path / "m.mpd").write_text(
        '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT4S"><Period>'
        '<AdaptationSet contentType="video" mimeType="video/mp4"><ContentProtection value="cenc"'
        f' schemeIdUri="urn:mpeg:dash:mp4protection:2011" xmlns:cenc="urn:mpeg:cenc:2013" cenc:default_KID="{KID}"/>'
        '<Representation id="v" bandwidth="1"><BaseURL>out.mp4</BaseURL></Representation></AdaptationSet>'
        "</Period></MPD>"
    )
    report = check_stream(tmp_path / "m.mpd", keys={KID: KEY}, tools=tools)
    assert verdicts(report) == ["decrypts"]
    assert report.ok
    assert report.tracks[0].segments == 2
    wrong = check_stream(tmp_path / "m.mpd", keys={KID: WRONG}, tools=tools)
    assert verdicts(wrong) == ["does not decrypt"]


def test_a_wrong_key_id_in_the_media_is_no_wrong_key(tools: Tools, copied: Callable[[str], Path]) -> None:
    """Where the tenc box names another key, what is found is that disagreement, and the key of that ID is tried."""
    folder = copied("cenc")
    patch(folder / "video-180p/init.mp4", KIDS["SD"].raw, KIDS["HD"].raw)
    report = check_stream(folder / MPD, document=document("cenc"), tools=tools)
    assert report.of_rule("mpd-kid")
    assert report.of_rule("document-usage")
    assert [finding.track for finding in report.of_rule("key-wrong")] == ["0"]
