"""Handing keys on: the arguments are what the programs take, and Shaka Packager and ffmpeg themselves take them."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from drmkit import cpix, signaling
from drmkit.cpix import AudioFilter, Builder, Document, VideoFilter
from drmkit.cpix.export import FORMATS, Export, export
from drmkit.errors import CpixError
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.signaling import clearkey
from drmkit.stream.clip import VideoRendition, make_clip
from drmkit.stream.tools import Tools, find_tools

SAMPLES = Path(__file__).resolve().parents[2] / "cpix_samples"
VIDEO = KeyId.from_uuid("b4c3188b-eddd-453d-9bc2-1cbca7566239")
AUDIO = KeyId.from_uuid("0dc3ec4f-7683-548b-81e7-3c64e582e136")
KEY = bytes.fromhex("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf")
OTHER = bytes.fromhex("b0b1b2b3b4b5b6b7b8b9babbbcbdbebf")
IV = bytes(range(16))


def document(*, scheme: str | None = "cenc", systems: tuple[DrmSystem, ...] = (), iv: bytes | None = None) -> Document:
    """A document with a key for video and one for audio."""
    builder = Builder(version="2.3", content_id="movie")
    builder.content_key(kid=VIDEO, key=KEY, iv=iv, scheme=scheme).content_key(kid=AUDIO, key=OTHER, scheme=scheme)
    builder.usage_rule(kid=VIDEO, intended_track_type="SD", video=[VideoFilter()])
    builder.usage_rule(kid=AUDIO, intended_track_type="AUDIO", audio=[AudioFilter()])
    made = builder.build()
    signaling.fill(made, systems, default_scheme="cenc")
    return made


def one(**key: Any) -> Document:
    """A document with one key and no rule."""
    return Builder(version="2.4", content_id="movie").content_key(kid=VIDEO, **{"key": KEY, **key}).build()


def flags(made: Export, number: int = 0) -> dict[str, str]:
    """The flags of a flag file, without its remarks."""
    lines = [line for line in made.parts[number].reveal().splitlines() if not line.startswith("#")]
    assert all(line.startswith("--") for line in lines)
    return {name: value for name, _, value in (line[2:].partition("=") for line in lines)}


def sample(path: str) -> Document:
    """One of the samples."""
    return cpix.parse((SAMPLES / path).read_bytes())


def test_shaka_gets_a_flag_file() -> None:
    """Labels are the intended track types, key IDs have no dashes, the whole stream is encrypted, IVs go along."""
    made = flags(export(document(iv=IV), "shaka"))
    assert made == {
        "enable_raw_key_encryption": "",
        "protection_scheme": "cenc",
        "clear_lead": "0",
        "keys": f"label=SD:key_id={VIDEO.hex}:key={KEY.hex()}:iv={IV.hex()},"
        f"label=AUDIO:key_id={AUDIO.hex}:key={OTHER.hex()}",
        "mp4_include_pssh_in_stream": "false",
    }


def test_keys_with_boxes_of_their_own_take_a_run_each() -> None:
    """The packager's --pssh goes into every stream of a run, so keys share a run only with the same boxes."""
    made = export(document(systems=(DrmSystem.PLAYREADY, DrmSystem.WIDEVINE)), "shaka")
    assert len(made.parts) == 2
    assert [flags(made, n)["keys"].split(":")[0] for n in (0, 1)] == ["label=SD", "label=AUDIO"]
    listed = document(systems=(DrmSystem.PLAYREADY, DrmSystem.WIDEVINE)).drm_systems.for_key(VIDEO)
    assert flags(made)["pssh"] == b"".join(system.pssh or b"" for system in listed).hex()
    assert any("2 runs" in note for note in made.notes)


def test_the_packager_can_make_the_boxes_itself() -> None:
    """With own_pssh it is one run, and the packager is told for which systems."""
    made = export(document(systems=(DrmSystem.PLAYREADY, DrmSystem.WIDEVINE)), "shaka", own_pssh=True)
    assert len(made.parts) == 1
    assert flags(made)["protection_systems"] == "PlayReady,Widevine"
    assert "pssh" not in flags(made)
    assert "protection_systems" not in flags(export(document(), "shaka", own_pssh=True))


def test_a_single_key_is_for_any_label() -> None:
    """One key alone gets the empty label, which the packager takes for all streams."""
    assert flags(export(one(scheme="cbcs"), "shaka"))["keys"].startswith("label=:key_id=")


def test_a_label_names_one_key_only() -> None:
    """A track type that two keys share, or that the packager's syntax cannot hold, gives way to the key ID."""
    builder = Builder(version="2.4", content_id="movie")
    builder.content_key(kid=VIDEO, key=KEY).content_key(kid=AUDIO, key=OTHER)
    builder.usage_rule(kid=VIDEO, intended_track_type="a,b:c=d", labels=["x"])
    builder.usage_rule(kid=AUDIO, intended_track_type="MAIN", labels=["y"])
    made = export(builder.build(), "shaka")
    assert [part.split(":")[0] for part in flags(made)["keys"].split(",")] == [f"label={VIDEO.hex}", "label=MAIN"]
    assert any("drm_label" in note for note in made.notes)


def test_a_flag_file_cannot_be_broken_by_a_name() -> None:
    """A line break in what a document says stays in the remark and starts no flag."""
    builder = Builder(version="2.4", content_id="movie").content_key(kid=VIDEO, key=KEY)
    builder.usage_rule(kid=VIDEO, intended_track_type="x\n--dump_stream_info", labels=["y\n--licenses"])
    made = export(builder.build(), "shaka")
    assert set(flags(made)) == {
        *("enable_raw_key_encryption", "protection_scheme", "clear_lead", "keys", "mp4_include_pssh_in_stream")
    }


@pytest.mark.parametrize(
    ("scheme", "systems", "words"),
    [
        ("cbcs", (DrmSystem.COMMON,), "identity key"),
        ("cens", (), "DASH only"),
        (None, (), "cenc is taken"),
    ],
)
def test_known_traps_are_named(scheme: str | None, systems: tuple[DrmSystem, ...], words: str) -> None:
    """What the packager is known to do wrong with such keys is in the notes; with plain cenc there is none."""
    made = one(scheme=scheme)
    signaling.fill(made, systems, default_scheme="cenc")
    assert any(words in note for note in export(made, "shaka").notes)
    assert export(one(scheme="cenc"), "shaka").notes == ()


def test_arguments_are_one_line_for_a_shell() -> None:
    """The arguments form is quoted for a shell, and warned about."""
    made = export(document(), "shaka", arguments=True)
    (line,) = made.parts[0].reveal().splitlines()
    assert f"--keys={flags(export(document(), 'shaka'))['keys']}" in shlex.split(line)
    assert any("process list" in note for note in made.notes)


def test_decryption_has_its_own_arguments() -> None:
    """For decrypting: the packager's --keys without IVs, ffmpeg's and mp4decrypt's options, all by key ID."""
    made = document(iv=IV)
    assert flags(export(made, "shaka", purpose="decrypt")) == {
        "enable_raw_key_decryption": "",
        "keys": f"label=SD:key_id={VIDEO.hex}:key={KEY.hex()},label=AUDIO:key_id={AUDIO.hex}:key={OTHER.hex()}",
    }
    assert export(made, "ffmpeg", purpose="decrypt").parts[0].reveal() == (
        f"-decryption_keys {VIDEO.hex}={KEY.hex()}:{AUDIO.hex}={OTHER.hex()}\n"
    )
    assert export(one(), "ffmpeg", purpose="decrypt").parts[0].reveal() == f"-decryption_key {KEY.hex()}\n"
    assert export(made, "bento4", purpose="decrypt").parts[0].reveal() == (
        f"--key {VIDEO.hex}:{KEY.hex()} --key {AUDIO.hex}:{OTHER.hex()}\n"
    )


def test_ffmpeg_encrypts_with_cenc_only() -> None:
    """A line for each key; another scheme is refused, since ffmpeg would not write it."""
    lines = export(document(systems=(DrmSystem.WIDEVINE,), iv=IV), "ffmpeg")
    assert f"-encryption_scheme cenc-aes-ctr -encryption_key {KEY.hex()} -encryption_kid {VIDEO.hex}" in (
        lines.parts[0].reveal().splitlines()
    )
    assert any("PSSH boxes of Widevine" in note for note in lines.notes)
    assert any("IVs" in note for note in lines.notes)
    with pytest.raises(CpixError, match="ffmpeg encrypts with cenc only"):
        export(document(scheme="cbcs"), "ffmpeg")


@pytest.mark.parametrize(
    ("scheme", "method"), [("cenc", "MPEG-CENC"), ("SAMPLE-AES", "MPEG-CBCS"), ("cbc1", "MPEG-CBC1")]
)
def test_bento4_gets_its_names_of_schemes(scheme: str, method: str) -> None:
    """mp4encrypt's method, key with IV or "random", and the key ID as a property of the track."""
    line = export(one(scheme=scheme, iv=IV), "bento4", track_id=2).parts[0].reveal()
    assert line == f"--method {method} --key 2:{KEY.hex()}:{IV.hex()} --property 2:KID:{VIDEO.hex}\n"
    assert ":random " in export(one(scheme=scheme), "bento4").parts[0].reveal()


def test_clearkey_is_a_license() -> None:
    """The set is the one of W3C, and reads back to the same keys."""
    made = export(document(), "clearkey")
    read = clearkey.parse_license(made.parts[0].reveal().encode())
    assert {kid: key.reveal() for kid, key in read.items()} == {VIDEO: KEY, AUDIO: OTHER}


def test_json_says_it_all() -> None:
    """JSON has key IDs in both forms, keys, IVs, schemes, tracks in words and the boxes."""
    data = json.loads(export(document(systems=(DrmSystem.WIDEVINE,), iv=IV), "json").parts[0].reveal())
    assert data["schema_version"] == 1
    assert data["content_id"] == "movie"
    first = data["keys"][0]
    assert (first["kid"], first["kid_hex"], first["key"], first["iv"]) == (str(VIDEO), VIDEO.hex, KEY.hex(), IV.hex())
    assert (first["scheme"], first["track_types"], first["tracks"]) == ("cenc", ["SD"], ["video"])
    assert first["pssh"][0]["system_id"] == DrmSystem.WIDEVINE.system_id


def test_a_result_does_not_print() -> None:
    """What an export holds is secret: neither its repr nor its text shows a key."""
    for to in FORMATS:
        made = export(one(scheme="cenc"), to)
        assert KEY.hex() not in repr(made) + str(made.parts[0])


@pytest.mark.parametrize("to", FORMATS)
@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("valid/encrypted-2.4.xml", "is encrypted"),
        ("valid/request-2.3.xml", "has no value"),
    ],
)
def test_keys_that_are_not_there_are_not_exported(path: str, words: str, to: str) -> None:
    """An encrypted document, or a request, is refused with what to do."""
    with pytest.raises(CpixError, match=words) as caught:
        export(sample(path), to)
    assert caught.value.hint


@pytest.mark.parametrize("to", ["shaka", "ffmpeg", "bento4", "clearkey"])
def test_a_key_of_256_bits_is_refused_where_it_cannot_go(to: str) -> None:
    """Packagers and ClearKey take 16 bytes; JSON takes any."""
    with pytest.raises(CpixError, match="32 bytes"):
        export(sample("valid/key-256-2.4.xml"), to)
    assert export(sample("valid/key-256-2.4.xml"), "json").parts


def test_key_rotation_needs_a_period() -> None:
    """A packager's arguments hold one period: without a name it is refused, with one the others' keys stay away."""
    rotating = sample("best-practice/KeyRotationAndKPT.xml")
    with pytest.raises(CpixError, match="2 key periods"):
        export(rotating, "shaka")
    with pytest.raises(CpixError, match="no key period 'p9'"):
        export(rotating, "shaka", period="p9")
    keys = json.loads(export(rotating, "json", period="p2").parts[0].reveal())["keys"]
    assert [key["track_types"] for key in keys] == [["VIDEO"], ["AUDIO"]]
    made = export(rotating, "shaka", period="p2", own_pssh=True)
    assert [part.split(":")[0] for part in flags(made)["keys"].split(",")] == ["label=VIDEO", "label=AUDIO"]


def test_a_hierarchy_goes_to_decryptors_only() -> None:
    """Packagers know no leaf keys; decryptors and JSON get them, with the scheme of their root."""
    tree = sample("best-practice/KeyHierarchy.xml")
    with pytest.raises(CpixError, match="key hierarchy"):
        export(tree, "shaka", period="p1")
    keys = json.loads(export(tree, "json").parts[0].reveal())["keys"]
    assert [key["scheme"] for key in keys] == ["cenc", "cenc", "cenc"]
    assert export(tree, "bento4", purpose="decrypt").parts


def test_what_cannot_be_exported_is_refused() -> None:
    """An unknown format, no key at all, and a scheme that no packager knows are errors with their reason."""
    with pytest.raises(CpixError, match="no export to 'gpac'"):
        export(one(), "gpac")
    with pytest.raises(CpixError, match="no content key"):
        export(Builder(version="2.3").build(), "json")
    with pytest.raises(CpixError, match="no scheme of Common Encryption"):
        export(one(scheme="AES-128"), "shaka")


# The programs themselves ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tools() -> Tools:
    """Shaka Packager and ffmpeg."""
    return find_tools()


@pytest.fixture(scope="module")
def source(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short clip with video alone."""
    folder = tmp_path_factory.mktemp("clip") / "tracks"
    (track,) = make_clip(folder, tools=tools, seconds=2, video=[VideoRendition(160, 90)], audio=())
    return track.path


@pytest.mark.parametrize("scheme", ["cenc", "cbcs"])
@pytest.mark.parametrize("arguments", [False, True])
def test_the_packager_takes_it(tools: Tools, source: Path, tmp_path: Path, scheme: str, arguments: bool) -> None:
    """Shaka Packager encrypts with the export, remarks and all, and decrypts with it to the packets of the source."""
    made = one(scheme=scheme, iv=IV)
    signaling.fill(made, (DrmSystem.WIDEVINE, DrmSystem.PLAYREADY), default_scheme=scheme)
    encrypted, clear = tmp_path / "e.mp4", tmp_path / "d.mp4"
    _package(tools, f"in={source},stream=video,output={encrypted}", made, tmp_path, arguments=arguments)
    _package(
        tools, f"in={encrypted},stream=video,output={clear}", made, tmp_path, arguments=arguments, purpose="decrypt"
    )
    assert scheme.encode() in encrypted.read_bytes()
    assert VIDEO.raw in encrypted.read_bytes()
    assert _packets(tools, encrypted) != _packets(tools, source)
    assert _packets(tools, clear) == _packets(tools, source)
    decryption = export(made, "ffmpeg", purpose="decrypt").parts[0].reveal().split()
    assert _packets(tools, encrypted, *decryption) == _packets(tools, source)


def test_ffmpeg_takes_it(tools: Tools, source: Path, tmp_path: Path) -> None:
    """What ffmpeg encrypts with the export, the packager decrypts with it."""
    made = one(scheme="cenc")
    encrypted, clear = tmp_path / "e.mp4", tmp_path / "d.mp4"
    options = export(made, "ffmpeg").parts[0].reveal().split()
    command = [tools.ffmpeg, "-v", "error", "-i", source, "-c", "copy", *options]
    subprocess.run([*command, "-movflags", "+frag_keyframe+empty_moov+default_base_moof", encrypted], check=True)
    _package(tools, f"in={encrypted},stream=video,output={clear}", made, tmp_path, purpose="decrypt")
    assert _packets(tools, clear) == _packets(tools, source)


def _package(tools: Tools, descriptor: str, made: Document, folder: Path, **options: Any) -> None:
    (part,) = export(made, "shaka", **options).parts
    if options.get("arguments"):
        given = shlex.split(part.reveal())
    else:
        (folder / "flags").write_text(part.reveal(), encoding="utf-8")
        given = [f"--flagfile={folder / 'flags'}"]
    subprocess.run([tools.packager, descriptor, "--quiet", *given], check=True, timeout=60, capture_output=True)


def _packets(tools: Tools, path: Path, *options: str) -> str:
    command = [tools.ffmpeg, "-v", "error", *options, "-i", str(path), "-c", "copy", "-f", "streamhash", "-"]
    return subprocess.run(command, check=True, timeout=60, capture_output=True, text=True).stdout
