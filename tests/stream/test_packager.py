"""Real video through Shaka Packager and back through ffmpeg."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from drmkit import cpix
from drmkit.cpix import AudioFilter, VideoFilter
from drmkit.errors import InputError, PackagingError
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.secret import MASK, Secret
from drmkit.signaling import hls, playready, widevine
from drmkit.stream.arguments import show
from drmkit.stream.decrypt import decrypt_hashes, packet_hashes
from drmkit.stream.inspect import inspect_file
from drmkit.stream.model import OutputFormat, Scheme, TrackInput
from drmkit.stream.packager import PackagedStream, package, package_plan
from drmkit.stream.plan import plan
from drmkit.stream.proof import prove, prove_track
from drmkit.stream.tools import Tools

KIDS = {name: KeyId(bytes([number]) * 15 + b"\x7f") for number, name in enumerate(("SD", "HD", "AUDIO"), start=1)}
KEYS = {kid: Secret(bytes([0xC0 + kid.raw[0]]) + bytes(range(1, 16))) for kid in KIDS.values()}
NAMES = {"video-180p": "SD", "video-720p": "HD", "audio-2ch": "AUDIO"}


def document(scheme: Scheme, *, own_boxes: bool) -> cpix.Document:
    """Return a document with a key for SD, HD and sound, with one box for all keys or real boxes for each."""
    builder = cpix.Builder(content_id="clip")
    for kid, key in KEYS.items():
        builder.content_key(kid=kid, key=key, iv=bytes(8) + kid.raw[:1] * 8, scheme=scheme)
        listed = [kid] if own_boxes else list(KEYS)
        pssh = widevine.pssh_box(listed, scheme).to_bytes()
        builder.drm_system(kid=kid, system_id=DrmSystem.WIDEVINE, pssh=pssh)
        if own_boxes:
            box = playready.pssh_box([kid], scheme, keys={kid: key})
            builder.drm_system(kid=kid, system_id=DrmSystem.PLAYREADY, pssh=box.to_bytes())
    builder.usage_rule(kid=KIDS["SD"], intended_track_type="SD", video=[VideoFilter(max_pixels=589_824)])
    builder.usage_rule(kid=KIDS["HD"], intended_track_type="HD", video=[VideoFilter(min_pixels=589_825)])
    builder.usage_rule(kid=KIDS["AUDIO"], intended_track_type="AUDIO", audio=[AudioFilter()])
    return cpix.parse(builder.build().to_xml())


@pytest.fixture(scope="module")
def simple(tools: Tools, clip: tuple[TrackInput, ...], tmp_path_factory: pytest.TempPathFactory) -> PackagedStream:
    """Package the clip in cenc, one file a track."""
    output = tmp_path_factory.mktemp("simple") / "out"
    return package(document("cenc", own_boxes=False), clip, output, tools=tools)


@pytest.mark.parametrize("layout", ["file", "segments"])
@pytest.mark.parametrize("own_boxes", [False, True])
@pytest.mark.parametrize("scheme", ["cenc", "cbcs"])
def test_every_track_decrypts_with_its_key_alone(
    tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path, scheme: Scheme, own_boxes: bool, layout: str
) -> None:
    """Each track says what the document says, decrypts to the source's packets, and to others with a wrong key."""
    asked = document(scheme, own_boxes=own_boxes)
    form = OutputFormat(layout, 2)  # type: ignore[arg-type] - one of two words
    made = package(asked, clip, tmp_path / "out", tools=tools, form=form)
    assert {item.planned.track.name: item.planned.use.kid for item in made.tracks if item.planned.use} == {
        name: KIDS[key] for name, key in NAMES.items()
    }
    for item in made.tracks:
        found = inspect_file(item.files[0])
        kid = found.entries[0].kid
        assert kid == KIDS[NAMES[item.planned.track.name]]
        assert found.entries[0].scheme == scheme
        assert [box.to_bytes() for box in found.pssh] == [system.pssh for system in asked.drm_systems.for_key(kid)]
        assert len(item.files) == (1 if layout == "file" else 3)
    proofs = prove(made, tools=tools, frames=False)
    assert [proof.name for proof in proofs] == list(NAMES)
    assert all(proof.holds for proof in proofs)
    assert len({value for proof in proofs for value in (proof.source, proof.wrong)}) == 6
    assert made.mpd is not None
    assert made.master is not None
    assert len({item.planned.use.pssh for item in made.tracks if item.planned.use}) == (3 if own_boxes else 1)


def test_manifests_name_keys_and_boxes(simple: PackagedStream) -> None:
    """One run writes DASH and HLS manifests with each track's key ID and the document's boxes."""
    assert simple.mpd is not None
    assert simple.master is not None
    text = simple.mpd.read_text()
    for kid in KIDS.values():
        assert f'cenc:default_KID="{kid}"' in text
    assert text.count(widevine.pssh_box(list(KEYS), "cenc").to_base64()) == 3
    assert "audio-2ch.m3u8" in simple.master.read_text()
    for name, key in NAMES.items():
        (tag,) = hls.parse((simple.folder / f"{name}.m3u8").read_text())
        assert tag.key_id == KIDS[key]
    assert sorted(path.suffix for path in simple.folder.iterdir()) == [".m3u8"] * 4 + [".mp4"] * 3 + [".mpd"]


def test_swapped_keys_do_not_prove(tools: Tools, simple: PackagedStream) -> None:
    """A stream whose keys are not those that it was encrypted with fails the proof, with the track's name."""
    first, second, _ = simple.tracks
    assert first.planned.use is not None
    assert second.planned.use is not None
    wrong = replace(first.planned.use, key=second.planned.use.key)
    swapped = replace(simple, tracks=(replace(first, planned=replace(first.planned, use=wrong)),))
    with pytest.raises(PackagingError, match="track video-180p does not decrypt to its source"):
        prove(swapped, tools=tools)


def test_clear_files_do_not_prove(tools: Tools, simple: PackagedStream, clip: tuple[TrackInput, ...]) -> None:
    """A file that any key "decrypts" fails the proof, and a track without a key has none."""
    first = simple.tracks[0]
    bare = replace(first, files=(clip[0].path,))
    with pytest.raises(PackagingError, match="video-180p decrypts with a wrong key"):
        prove(replace(simple, tracks=(bare,)), tools=tools)
    clear = replace(first, planned=replace(first.planned, use=None))
    assert prove(replace(simple, tracks=(clear,)), tools=tools) == ()
    with pytest.raises(PackagingError, match="track video-180p is in the clear"):
        prove_track(clear, tools=tools)


def test_clear_tracks_stay_clear(tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path) -> None:
    """A track that may stay clear keeps its packets, beside tracks that do not."""
    builder = cpix.Builder(content_id="clip")
    builder.content_key(kid=KIDS["HD"], key=KEYS[KIDS["HD"]], scheme="cbcs")
    builder.usage_rule(kid=KIDS["HD"], video=[VideoFilter(min_pixels=589_825)])
    made = package(builder.build(), clip, tmp_path / "out", tools=tools, allow_clear=True)
    hashes = {item.planned.track.name: packet_hashes(item.files, tools=tools) for item in made.tracks}
    sources = {track.name: packet_hashes(track.path, tools=tools) for track in clip}
    assert {name for name in sources if hashes[name] == sources[name]} == {"video-180p", "audio-2ch"}
    assert inspect_file(made.folder / "video-720p.mp4").pssh == ()
    builder = cpix.Builder(content_id="clip")
    builder.content_key(kid=KIDS["HD"], key=KEYS[KIDS["HD"]], scheme="cbcs")
    builder.usage_rule(kid=KIDS["HD"], video=[VideoFilter(min_pixels=10**9)])
    made = package(builder.build(), clip[2:], tmp_path / "clear", tools=tools, allow_clear=True)
    assert packet_hashes(made.tracks[0].files, tools=tools) == sources["audio-2ch"]


def test_progress_and_odd_paths(tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path) -> None:
    """Inputs and outputs may be called anything; each run is reported when it is done, and bytes while it works."""
    odd = tmp_path / "it's, a=b\nfolder"
    odd.mkdir()
    source = odd / "x$Number$,stream=audio.mp4"
    shutil.copy(clip[0].path, source)
    seen: list[tuple[int, int]] = []
    sizes: list[tuple[int, int]] = []
    slow = fake(tmp_path, f'sleep 1; exec {tools.packager} "$@"')
    tracks = (replace(clip[0], path=source), replace(clip[2], language="de"))
    made_plan = plan(document("cenc", own_boxes=True), tracks, tools=tools)
    made = package_plan(
        made_plan,
        odd / "o,ut",
        tools=replace(tools, packager=slow),
        progress=lambda done, runs: seen.append((done, runs)),
        watch=lambda written, whole: sizes.append((written, whole)),
    )
    assert seen == [(1, 2), (2, 2)]
    whole = sum(track.path.stat().st_size for track in tracks)
    assert {total for _, total in sizes} == {whole}
    assert sizes[0][0] < sizes[-1][0]
    assert all(proof.holds for proof in prove(made, tools=tools))


def forms(key: Secret[bytes]) -> Iterator[str]:
    """Yield the written forms of a key."""
    yield key.reveal().hex()
    yield key.reveal().hex().upper()


def test_keys_are_not_in_the_process_list(
    tools: Tools, clip: tuple[TrackInput, ...], simple: PackagedStream, tmp_path: Path
) -> None:
    """Neither the packager nor ffmpeg has a key in its command line or environment while it runs, nor on the disk."""
    seen = tmp_path / "seen"

    def watched(program: Path) -> Path:
        path = tmp_path / f"watched-{program.name}"
        # The shell's arguments are those with which it then becomes the program itself.
        path.write_text(f'#!/bin/sh\ncat /proc/$$/cmdline /proc/$$/environ >>{seen}\nexec {program} "$@"\n')
        path.chmod(0o755)
        return path

    own = Tools(watched(tools.packager), watched(tools.ffmpeg), tools.ffprobe)
    made = package(document("cenc", own_boxes=False), clip, tmp_path / "out", tools=own)
    assert all(proof.holds for proof in prove(made, tools=own))
    text = seen.read_bytes().decode().replace("\0", " ")
    assert "--protection_scheme=cenc" in text
    assert "-f streamhash" in text
    for key in KEYS.values():
        assert not any(form in text for form in forms(key))
        raw = [path.read_bytes() for path in made.folder.rglob("*") if path.is_file()]
        assert not any(form.encode() in data or key.reveal() in data for form in forms(key) for data in raw)


def test_dry_run_masks_keys(tools: Tools, clip: tuple[TrackInput, ...]) -> None:
    """The commands can be shown: everything but the keys is in them."""
    made = plan(document("cbcs", own_boxes=True), clip, tools=tools)
    lines = show(made, Path("out"))
    assert len(lines) == 3
    text = "\n".join(lines)
    assert text.count(f":key={MASK}:iv=") == 3
    assert not any(form in text for key in KEYS.values() for form in forms(key))
    assert f"key_id={KIDS['SD'].hex}" in text
    assert f"--pssh={widevine.pssh_box([KIDS['SD']], 'cbcs').to_bytes().hex()}" in text
    assert "--clear_lead=0" in text


def test_dry_run_of_clear_tracks(tools: Tools, clip: tuple[TrackInput, ...]) -> None:
    """A run without keys shows that it encrypts nothing."""
    builder = cpix.Builder(content_id="clip").content_key(kid=KIDS["HD"], key=KEYS[KIDS["HD"]], scheme="cbcs")
    asked = builder.usage_rule(kid=KIDS["HD"], video=[VideoFilter(min_pixels=10**9)]).build()
    (line,) = show(plan(asked, clip[:1], tools=tools, allow_clear=True), Path("out"))
    assert "skip_encryption=1" in line
    assert "encryption=" not in line.replace("skip_encryption=1", "")
    assert "--keys" not in line


def fake(folder: Path, script: str) -> Path:
    """Write a program that stands for the packager."""
    path = folder / "packager"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_a_failing_packager_leaves_nothing(tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path) -> None:
    """When the packager fails, its words are passed on without keys, and no output stays behind."""
    # The flag file comes after the option that names it; it is the last argument.
    own = replace(tools, packager=fake(tmp_path, 'touch out/half.mp4; for last; do :; done; cat "$last" >&2; exit 2'))
    with pytest.raises(PackagingError, match="packager ended with exit code 2: --keys=label=K0:key_id=") as caught:
        package(document("cenc", own_boxes=False), clip, tmp_path / "out", tools=own)
    assert not any(form in caught.value.message for key in KEYS.values() for form in forms(key))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["packager"]


def test_the_real_packagers_complaint_is_masked(tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path) -> None:
    """Shaka Packager repeats --keys when it does not like them; the key does not get through."""
    made = plan(document("cenc", own_boxes=False), clip[:1], tools=tools)
    (item,) = made.tracks
    assert item.use is not None
    bad = replace(item, use=replace(item.use, iv=b"\1\2\3"))
    broken = replace(made, runs=(replace(made.runs[0], tracks=(bad,)),))
    with pytest.raises(PackagingError, match="must be 8 or 16 bytes") as caught:
        package_plan(broken, tmp_path / "out", tools=tools)
    assert not any(form in caught.value.message for form in forms(item.use.key))


@pytest.mark.parametrize("layout", ["file", "segments"])
def test_missing_output_is_noticed(tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path, layout: str) -> None:
    """A packager that ends well without writing a track is not believed."""
    form = OutputFormat(layout)  # type: ignore[arg-type] - one of two words
    own = replace(tools, packager=fake(tmp_path, "mkdir -p out/video-180p; touch out/video-180p/init.mp4"))
    with pytest.raises(PackagingError, match="did not write track video-180p"):
        package(document("cenc", own_boxes=False), clip[:1], tmp_path / "out", tools=own, form=form)


def test_other_output_is_noticed(tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path) -> None:
    """A file that says something else than the document is refused, with all that it says."""
    own = replace(tools, packager=fake(tmp_path, f"cp {clip[0].path} out/video-180p.mp4"))
    with pytest.raises(
        PackagingError, match=r"is not what the document asks for: track 1 is clear, not encrypted; the"
    ):
        package(document("cenc", own_boxes=False), clip[:1], tmp_path / "out", tools=own)


def test_inputs_without_the_track_are_refused(tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path) -> None:
    """An input that is no media, or has no track of the kind, is refused before anything is packaged."""
    text = tmp_path / "text.mp4"
    text.write_text("no media")
    asked = document("cenc", own_boxes=False)
    with pytest.raises(
        InputError, match=r"text\.mp4 cannot be read as a media file: ffprobe-.* ended with exit code 1"
    ):
        package(asked, (TrackInput(text, "video", "v"),), tmp_path / "out", tools=tools)
    with pytest.raises(InputError, match=r"audio-2ch\.mp4 has no video track"):
        package(asked, (replace(clip[2], kind="video"),), tmp_path / "out", tools=tools)
    assert not (tmp_path / "out").exists()


def test_output_formats_are_checked() -> None:
    """A layout is one of two, and a segment has a length."""
    with pytest.raises(InputError, match="not in 'hls'"):
        OutputFormat("hls")  # type: ignore[arg-type] - the refusal is the point
    for seconds in (0, -1, float("nan"), float("inf")):
        with pytest.raises(InputError, match="cannot last"):
            OutputFormat(segment_seconds=seconds)
    assert OutputFormat("segments", 2).segment_seconds == 2
    with pytest.raises(InputError, match="hls or dash, not 'smooth'"):
        OutputFormat(manifests=("smooth",))  # type: ignore[arg-type] - the refusal is the point


def test_unknown_key_id_is_an_error(tools: Tools, simple: PackagedStream) -> None:
    """Decrypting without the file's key ID fails, rather than giving the hash of nothing."""
    item = simple.tracks[0]
    with pytest.raises(PackagingError, match=f"unable to find KID {KIDS['SD'].hex}"):
        decrypt_hashes(item.files, {KIDS["HD"]: KEYS[KIDS["HD"]]}, tools=tools)
    both = decrypt_hashes(item.files, KEYS, tools=tools)
    assert both == packet_hashes(item.planned.track.path, tools=tools)


def test_cut_files_are_an_error(tools: Tools, simple: PackagedStream, tmp_path: Path) -> None:
    """A file that breaks off is an error, not the hash of what is left."""
    whole = simple.tracks[0].files[0].read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(PackagingError, match="ended with exit code"):
        decrypt_hashes(cut, KEYS, tools=tools)
    cut.write_bytes(whole)
    assert decrypt_hashes(cut, KEYS, tools=tools)


def test_keys_and_files_are_needed(tools: Tools, clip: tuple[TrackInput, ...]) -> None:
    """Decrypting takes at least one key of 16 bytes, and a file."""
    with pytest.raises(InputError, match="no key to decrypt with"):
        decrypt_hashes(clip[0].path, {}, tools=tools)
    with pytest.raises(InputError, match="has 15 bytes, not 16"):
        decrypt_hashes(clip[0].path, {KIDS["SD"]: Secret(bytes(15))}, tools=tools)
    with pytest.raises(InputError, match="no file to read"):
        packet_hashes([], tools=tools)


def test_hashes_by_kind(tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path) -> None:
    """Tracks are numbered by kind, one kind can be asked for, and a kind that is not there is an error."""
    video, _, audio = (packet_hashes(track.path, tools=tools) for track in clip)
    assert list(video) == ["v:0"]
    assert list(audio) == ["a:0"]
    assert packet_hashes(clip[2].path, kind="audio", tools=tools) == audio
    with pytest.raises(PackagingError, match="matches no streams"):
        packet_hashes(clip[2].path, kind="video", tools=tools)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("nonsense", "ffmpeg gave 'nonsense' for .*180p.mp4, where a hash was to be"),
        ("0,v,SHA256=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "a track without packets"),
    ],
)
def test_strange_answers_are_refused(
    tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path, answer: str, reason: str
) -> None:
    """An answer that is no hash, or the hash of nothing, is never taken for a result."""
    own = replace(tools, ffmpeg=fake(tmp_path, f"echo '{answer}'"))
    with pytest.raises(PackagingError, match=reason):
        packet_hashes(clip[0].path, tools=own)
