"""Encrypted WebM: key IDs, IVs and signaling against manifest and document, and whether it decrypts."""

from __future__ import annotations

import contextlib
import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from packedstreams import check_stream, edit, patch

from drmkit import cpix
from drmkit.errors import SignalingError
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.secret import Secret
from drmkit.signaling import widevine
from drmkit.stream.check import StreamReport
from drmkit.stream.check.webm import in_clear, is_webm, read_webm_init, read_webm_segment
from drmkit.stream.tools import Tools

KIDS = {"video": KeyId(b"\x11\xfe" * 8), "audio": KeyId(b"\x22\xfe" * 8)}
KEYS = {kid: Secret(kid.raw[:1] * 3 + bytes(range(13))) for kid in KIDS.values()}
IVS = {kid: kid.raw[:1] * 8 for kid in KEYS}
MPD = "manifest.mpd"


@pytest.fixture(scope="session")
def sources(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Make pictures in VP9 and sound in Opus, of four seconds."""
    folder = tmp_path_factory.mktemp("webm")
    made = {"video": folder / "v.webm", "audio": folder / "a.webm"}
    call = [str(tools.ffmpeg), "-v", "error", "-nostdin", "-f", "lavfi", "-i"]
    picture = ["testsrc2=size=640x360:rate=25:duration=4", "-vf", "noise=alls=8:allf=t", "-pix_fmt", "yuv420p"]
    picture += ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-g", "50", "-b:v", "400k"]
    sound = ["aevalsrc=0.1*sin(2*PI*440*t):d=4:s=48000", "-c:a", "libopus"]
    for kind, arguments in (("video", picture), ("audio", sound)):
        subprocess.run([*call, *arguments, str(made[kind])], check=True, timeout=60)
    return made


def pack(tools: Tools, sources: dict[str, Path], folder: Path, *arguments: str, whole: bool = False) -> Path:
    """Package them in segments, or in whole files with an index."""
    argv = [str(tools.packager)]
    for kind, path in sources.items():
        files = f"init_segment={folder}/{kind}/init.webm,segment_template={folder}/{kind}/$Number$.webm"
        argv.append(f"in={path},stream={kind},drm_label={kind},{f'output={folder}/{kind}.webm' if whole else files}")
    keys = [
        f"label={kind}:key_id={kid.hex}:key={KEYS[kid].reveal().hex()}:iv={IVS[kid].hex()}"
        for kind, kid in KIDS.items()
    ]
    argv += ["--enable_raw_key_encryption", "--keys", ",".join(keys)] if "--clear" not in arguments else []
    argv += ["--clear_lead", "0"] if "--clear_lead" not in arguments else []
    argv += ["--pssh", widevine.pssh_box(tuple(KEYS), "cenc").to_bytes().hex()] if "--clear" not in arguments else []
    argv += ["--segment_duration", "2", "--mpd_output", f"{folder}/{MPD}", "--quiet"]
    argv += [] if whole else ["--generate_static_live_mpd"]
    argv += [word for word in arguments if word != "--clear"]
    subprocess.run(argv, check=True, capture_output=True, timeout=60)
    return folder


@pytest.fixture(scope="session")
def packed(tools: Tools, sources: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[[bool], Path]:
    """Return a sound stream, packaged once a session."""
    made: dict[bool, Path] = {}

    def stream(whole: bool) -> Path:
        if whole not in made:
            made[whole] = pack(tools, sources, tmp_path_factory.mktemp("packed") / "s", whole=whole)
        return made[whole]

    return stream


@pytest.fixture
def copied(packed: Callable[[bool], Path], tmp_path: Path) -> Path:
    """Return a copy of a sound stream, to spoil."""
    return Path(shutil.copytree(packed(False), tmp_path / "copy"))


def document(scheme: str = "cenc", ivs: dict[KeyId, bytes] = IVS) -> cpix.Document:
    """The document that the stream follows."""
    builder = cpix.Builder(content_id="clip")
    for kid, key in KEYS.items():
        builder.content_key(kid=kid, key=key, iv=ivs[kid].ljust(16, b"\0"), scheme=scheme)
        box = widevine.pssh_box(tuple(KEYS), scheme)
        builder.drm_system(kid=kid, system_id=DrmSystem.WIDEVINE, pssh=box.to_bytes())
    return cpix.parse(builder.build().to_xml())


def verdicts(report: StreamReport) -> list[str]:
    """The verdicts of a report, track by track."""
    return [track.verdict for track in report.tracks]


@pytest.mark.parametrize("whole", [False, True], ids=["segments", "files"])
def test_the_right_keys_decrypt(
    tools: Tools, sources: dict[str, Path], packed: Callable[[bool], Path], whole: bool
) -> None:
    """What the packager encrypted decrypts packet for packet; the manifest, the document and the media agree."""
    report = check_stream(
        packed(whole) / MPD, document=document(), tools=tools, sources=list(sources.values()), segments=None
    )
    assert {(track.verdict, track.reason) for track in report.tracks} == {
        ("decrypts", "its packets are those of the source")
    }
    assert not report.findings
    assert {(track.codec, track.scheme, track.kids, track.iv) for track in report.tracks} == {
        ("vp09", "cenc", (KIDS["video"].uuid,), "8 bytes each"),
        ("Opus", "cenc", (KIDS["audio"].uuid,), "8 bytes each"),
    }
    assert min(track.examined for track in report.tracks) == 2
    other = check_stream(packed(whole) / MPD, document=document(), tools=tools, sources=[sources["video"]])
    assert len(other.of_rule("source-differs")) == 1


def test_the_right_key_is_told_from_wrong_ones(tools: Tools, packed: Callable[[bool], Path]) -> None:
    """Without a source too, the decoder tells; wrong keys are errors, and no keys are none."""
    assert verdicts(check_stream(packed(False) / MPD, keys=KEYS, tools=tools)) == ["decrypts"] * 2
    chances = random.Random(5)
    wrong = check_stream(packed(False) / MPD, keys={kid: Secret(chances.randbytes(16)) for kid in KEYS}, tools=tools)
    assert verdicts(wrong) == ["does not decrypt"] * 2
    assert {finding.rule for finding in wrong.errors} == {"key-wrong"}
    none = check_stream(packed(False) / MPD, tools=tools)
    assert verdicts(none) == ["not tried"] * 2
    assert none.ok


def test_a_key_id_that_serves_as_the_key_is_found(tools: Tools, sources: dict[str, Path], tmp_path: Path) -> None:
    """A track that is encrypted with its key ID is found without any key."""
    own = {"video": sources["video"]}
    arguments = f"label=video:key_id={KIDS['video'].hex}:key={KIDS['video'].hex}:iv={'01' * 8}"
    folder = pack(tools, own, tmp_path / "s", "--keys", arguments)
    assert check_stream(folder / MPD, tools=tools).of_rule("key-is-key-id")


def test_a_clear_lead_and_clear_media_are_named(tools: Tools, sources: dict[str, Path], tmp_path: Path) -> None:
    """A segment in the clear before encrypted ones is a clear lead; a stream without encryption is clear."""
    lead = pack(tools, sources, tmp_path / "lead", "--clear_lead", "2")
    found = check_stream(lead / MPD, keys=KEYS, tools=tools)
    assert len(found.of_rule("clear-lead")) == 2
    clear = check_stream(pack(tools, sources, tmp_path / "clear", "--clear") / MPD, tools=tools)
    assert verdicts(clear) == ["clear"] * 2
    assert not clear.findings


@pytest.mark.parametrize(
    ("rule", "pattern", "text"),
    [
        ("mpd-kid", f'default_KID="{KIDS["video"]}"', f'default_KID="{KIDS["audio"]}"'),
        ("mpd-protection-missing", "<ContentProtection.*?</ContentProtection>", ""),
        ("pssh-kid", "<cenc:pssh>[^<]*", f"<cenc:pssh>{widevine.pssh_box([KIDS['audio']], 'cenc').to_base64()}"),
        ("pssh-scheme", "<cenc:pssh>[^<]*", f"<cenc:pssh>{widevine.pssh_box([KIDS['video']], 'cbcs').to_base64()}"),
        ("document-pssh", "<cenc:pssh>[^<]*", f"<cenc:pssh>{widevine.pssh_box([KIDS['video']], 'cenc').to_base64()}"),
    ],
)  # fmt: skip
def test_the_manifest_is_held_against_the_media(copied: Path, rule: str, pattern: str, text: str) -> None:
    """Key IDs and boxes of the manifest are those of the media and of the document."""
    edit(copied / MPD, pattern, text)
    (found,) = check_stream(copied / MPD, document=document(), decode=False).of_rule(rule)
    assert found.track == "0"


def test_the_media_is_held_against_the_document(copied: Path) -> None:
    """Scheme, IVs and key IDs of the media are those of the document."""
    assert len(check_stream(copied / MPD, document=document("cbcs"), decode=False).of_rule("document-scheme")) == 2
    others = document(ivs=dict.fromkeys(KEYS, bytes(8)))
    assert len(check_stream(copied / MPD, document=others, decode=False).of_rule("document-iv")) == 2
    patch(copied / "video" / "init.webm", KIDS["video"].raw, bytes(16))
    report = check_stream(copied / MPD, document=document(), decode=False)
    assert {"kid-zero", "mpd-kid", "document-key-missing"} <= {finding.rule for finding in report.errors}


def test_broken_webm_is_named(copied: Path) -> None:
    """What is cut short is an error of its file."""
    init = copied / "video" / "init.webm"
    init.write_bytes(init.read_bytes()[:-20])
    segment = copied / "audio" / "1.webm"
    segment.write_bytes(segment.read_bytes()[:-20])
    report = check_stream(copied / MPD, decode=False)
    assert [finding.track for finding in report.of_rule("init-broken")] == ["0"]
    assert [finding.track for finding in report.of_rule("segment-broken")] == ["1"]


def test_no_bytes_make_the_reader_fail(packed: Callable[[bool], Path]) -> None:
    """Whatever is in a file, it is read, or refused in words."""
    chances = random.Random(11)
    init = (packed(False) / "video" / "init.webm").read_bytes()
    segment = (packed(False) / "video" / "1.webm").read_bytes()[:4000]
    known = read_webm_init(init)
    assert is_webm(init)
    refused = 0
    for number in range(600):
        data = bytearray(init if number % 2 else segment)
        for _ in range(chances.randint(1, 4)):
            data[chances.randrange(len(data))] = chances.randrange(256)
        del data[chances.randrange(1, len(data)) :]
        try:
            read_webm_init(bytes(data)) if number % 2 else read_webm_segment(bytes(data), known)
        except SignalingError:
            refused += 1
        with contextlib.suppress(SignalingError):
            in_clear(init if number % 2 == 0 else bytes(data), [segment if number % 2 else bytes(data)], KEYS.get)
    assert refused
