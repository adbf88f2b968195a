"""Proofs by two tools, of sources in several containers and codecs."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import pytest

from drmkit import cpix
from drmkit.errors import InputError, PackagingError
from drmkit.identifiers import KeyId
from drmkit.secret import Secret
from drmkit.stream.decrypt import frame_hashes, packet_hashes
from drmkit.stream.inputs import find_tracks
from drmkit.stream.model import OutputFormat, Scheme, TrackInput
from drmkit.stream.packager import PackagedStream, package
from drmkit.stream.process import run
from drmkit.stream.proof import TrackProof, prove, prove_track
from drmkit.stream.tools import Tools
from drmkit.stream.unseal import joined, unsealed

KID = KeyId(bytes(range(1, 17)))
KEY = Secret(bytes(range(32, 48)))
GOOD = TrackProof("v", "a", "a", "x", "a", "y", "f", "f", "f")


def packaged(
    tools: Tools, tracks: tuple[TrackInput, ...], folder: Path, scheme: Scheme = "cbcs", layout: str = "file"
) -> PackagedStream:
    """Package tracks with one key."""
    document = cpix.Builder(content_id="x").content_key(kid=KID, key=KEY, scheme=scheme).build()
    form = OutputFormat(layout, 2)  # type: ignore[arg-type] - one of two words
    return package(document, tracks, folder / "out", tools=tools, form=form)


def media(tools: Tools, path: Path, *options: str) -> Path:
    """Make a second of picture and sound."""
    picture = ["-f", "lavfi", "-i", "testsrc2=size=64x36:rate=25:duration=1"]
    sound = ["-f", "lavfi", "-i", "sine=frequency=440:duration=1:sample_rate=48000"]
    run([tools.ffmpeg, "-nostdin", "-v", "error", *picture, *sound, *options, str(path)], timeout=120)
    return path


@pytest.mark.parametrize("layout", ["file", "segments"])
@pytest.mark.parametrize("scheme", ["cenc", "cbcs"])
def test_two_tools_agree(
    tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path, scheme: Scheme, layout: str
) -> None:
    """Ffmpeg and Shaka Packager both give the source's packets and frames, and neither does with another key."""
    video, sound = prove(packaged(tools, clip[1:], tmp_path, scheme, layout), tools=tools)
    for proof in (video, sound):
        assert proof.holds
        assert proof.same_packets
        assert proof.same_frames
        assert proof.source not in {proof.wrong, proof.packager_wrong}
    assert video.source == packet_hashes(clip[1].path, tools=tools)["v:0"]
    assert video.source_frames == frame_hashes(clip[1].path, tools=tools)["v:0"]


def test_frames_may_be_left_out(tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path) -> None:
    """Without frames, packets decide, and nothing is decoded; each track is reported when it is done."""
    seen: list[tuple[int, int]] = []
    made = packaged(tools, clip[1:], tmp_path)
    proofs = prove(made, tools=tools, frames=False, progress=lambda done, whole: seen.append((done, whole)))
    assert seen == [(1, 2), (2, 2)]
    assert all(proof.holds and proof.same_packets and proof.same_frames is None for proof in proofs)


@pytest.mark.parametrize(
    ("name", "options", "packets"),
    [
        ("a.ts", ("-c:v", "libx264", "-c:a", "aac"), False),
        ("a.mp4", ("-c:v", "libx265", "-x265-params", "log-level=error", "-tag:v", "hvc1", "-c:a", "ac3"), True),
        ("b.ts", ("-c:v", "libx265", "-x265-params", "log-level=error", "-c:a", "aac"), False),
        ("c.mp4", ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-c:a", "libopus"), True),
        ("a.webm", ("-map", "0", "-c:v", "libvpx-vp9", "-deadline", "realtime"), True),
        ("d.mp4", ("-c:v", "libx264", "-c:a", "flac"), True),
    ],
)
def test_other_containers_and_codecs(
    tools: Tools, tmp_path: Path, name: str, options: tuple[str, ...], packets: bool
) -> None:
    """MPEG-TS, WebM, H.265, VP9, AC-3, Opus and FLAC go through; where packets are stored otherwise, frames decide."""
    source = media(tools, tmp_path / name, *options)
    made = packaged(tools, find_tracks([source], tools=tools), tmp_path)
    proofs = prove(made, tools=tools, frames=False)
    assert all(proof.holds for proof in proofs)
    video = proofs[0]
    assert video.same_packets is packets
    assert video.same_frames is (None if packets else True)


def test_what_containers_tell_players_to_skip_is_compared_too(tools: Tools, tmp_path: Path) -> None:
    """A file that was cut without encoding it anew hides its start by an edit list; packets and frames are the same."""
    whole = media(tools, tmp_path / "whole.mp4", "-c:v", "libx264", "-bf", "0", "-c:a", "ac3")
    cut = tmp_path / "cut.mp4"
    run([tools.ffmpeg, "-nostdin", "-v", "error", "-ss", "0.5", "-i", whole, "-c", "copy", cut], timeout=60)
    made = packaged(tools, find_tracks([cut], tools=tools), tmp_path)
    for proof in prove(made, tools=tools):
        assert proof.same_packets
        assert proof.same_frames


@pytest.mark.parametrize("name", ["a.webm", "a.mp4"])
def test_sound_has_one_beginning_in_every_container(tools: Tools, tmp_path: Path, name: str) -> None:
    """WebM and MP4 tell players in different ways how much of the first sound to skip: the frames are the same."""
    source = media(tools, tmp_path / name, "-map", "1", "-c:a", "libopus")
    (proof,) = prove(packaged(tools, find_tracks([source], tools=tools), tmp_path), tools=tools)
    assert proof.same_packets
    assert proof.same_frames


@pytest.mark.parametrize("layout", ["file", "segments"])
@pytest.mark.parametrize("name", ["a.webm", "a.mp4"])
def test_opus_says_its_numbers_in_the_order_of_mp4(tools: Tools, tmp_path: Path, name: str, layout: str) -> None:
    """WebM has them little-endian; browsers refuse segments whose dOps box does (the packager copies it)."""
    source = media(tools, tmp_path / name, "-map", "1", "-c:a", "libopus", "-ac", "2")
    stream = packaged(tools, find_tracks([source], tools=tools), tmp_path, layout=layout)
    _, _, box = stream.tracks[0].files[0].read_bytes().partition(b"dOps")
    version, channels, skipped, rate, gain = struct.unpack(">BBHIh", box[:10])
    assert (version, channels, rate, gain) == (0, 2, 48_000, 0)
    assert 0 < skipped < 4096


def test_sound_that_ffmpeg_does_not_decode_while_it_decrypts(tools: Tools, tmp_path: Path) -> None:
    """ALAC is decoded as the packager decrypted it, and compared by packets: by frames with one tool alone."""
    source = media(tools, tmp_path / "a.m4a", "-map", "1", "-c:a", "alac")
    (proof,) = prove(packaged(tools, find_tracks([source], tools=tools), tmp_path), tools=tools)
    assert proof.holds
    assert proof.same_frames is None
    assert proof.packager_frames == proof.source_frames


def test_tracks_of_one_file_are_told_apart(tools: Tools, tmp_path: Path) -> None:
    """Of several tracks of a kind in a file, each is packaged and compared with itself."""
    source = media(
        *(tools, tmp_path / "many.mp4", "-f", "lavfi", "-i", "sine=frequency=880:duration=1:sample_rate=48000"),
        *("-map", "1:a", "-map", "0:v", "-map", "2:a", "-c:v", "libx264", "-c:a", "aac"),
        *("-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=ger"),
    )
    tracks = find_tracks([source], tools=tools)
    assert [(track.name, track.language, track.number) for track in tracks] == [
        ("audio-eng-1ch", "eng", 0),
        ("video-36p", None, 0),
        ("audio-ger-1ch", "ger", 1),
    ]
    made = packaged(tools, tracks, tmp_path)
    first, _, second = prove(made, tools=tools, frames=False)
    assert first.same_packets
    assert second.same_packets
    assert first.source != second.source
    assert made.master is not None
    text = made.master.read_text()
    assert 'LANGUAGE="en"' in text
    assert 'LANGUAGE="de"' in text


def test_another_source_does_not_prove(tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path) -> None:
    """A track that decrypts well, but to another source, fails with the hashes of both."""
    (item,) = packaged(tools, clip[:1], tmp_path).tracks
    other = replace(item, planned=replace(item.planned, track=replace(item.planned.track, path=clip[1].path)))
    proof = prove_track(other, tools=tools)
    assert not proof.holds
    assert proof.sealed
    assert proof.decrypted == proof.packager
    stream = PackagedStream(tmp_path / "out", (other,), None, None)
    with pytest.raises(
        PackagingError, match=r"video-180p does not decrypt to its source: its frames hash to \w{16}\.\.\."
    ):
        prove(stream, tools=tools)


def test_tools_that_disagree_prove_nothing(tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path) -> None:
    """Where one tool finds other packets than the other, the error names both."""
    stream = packaged(tools, clip[:1], tmp_path)
    own = tmp_path / "packager"
    first, second = clip[1].path, clip[2].path
    # It "decrypts" to one clip, and with the next key to another.
    own.write_text(f"#!/bin/sh\ncp {first} clear.mp4\n[ -e {own}.ran ] && cp {second} clear.mp4\n: >{own}.ran\n")
    own.chmod(0o755)
    reason = r"with ffmpeg, and to \w{16}\.\.\. with Shaka Packager"
    with pytest.raises(PackagingError, match=f"video-180p decrypts to packets that hash to .* {reason}"):
        prove(stream, tools=replace(tools, packager=own), frames=False)
    assert all(proof.holds for proof in prove(stream, tools=tools, frames=False))


def test_codecs_without_a_decoder_are_compared_by_packets(tools: Tools, tmp_path: Path) -> None:
    """Where ffmpeg cannot decode the source, as AV1 here, packets alone decide."""
    source = media(tools, tmp_path / "a.mp4", "-c:v", "libsvtav1", "-preset", "12", "-map", "0:v")
    (proof,) = prove(packaged(tools, find_tracks([source], tools=tools), tmp_path), tools=tools)
    assert proof.holds
    assert proof.same_packets


@pytest.mark.parametrize(
    ("change", "holds"),
    [
        ({}, True),
        ({"wrong": "", "packager_wrong": ""}, True),
        ({"source_frames": None, "frames": None, "packager_frames": None}, True),
        ({"source": "b"}, True),
        ({"frames": ""}, True),
        ({"frames": "g"}, False),
        ({"packager_frames": "g"}, False),
        ({"frames": "", "packager_frames": "g"}, False),
        ({"source": "b", "frames": ""}, False),
        ({"source": "b", "source_frames": None}, False),
        ({"packager": "b", "source": "b"}, False),
        ({"wrong": "a"}, False),
        ({"packager_wrong": "a"}, False),
    ],
)
def test_what_a_proof_needs(change: dict[str, str | None], holds: bool) -> None:
    """Packets equal the source's, or frames, which decide where both were compared; both fail with another key."""
    assert replace(GOOD, **change).holds is holds


def test_the_same_packets_with_other_frames_are_refused(
    tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path
) -> None:
    """A packager that keeps the packets and spoils what the file says of the codec is found by the frames alone."""
    stream = packaged(tools, clip[:1], tmp_path)
    own = tmp_path / "packager"
    spoil = f"{tools.ffmpeg} -nostdin -v error -i clear.mp4 -c copy -bsf:v h264_metadata=crop_right=8 other.mp4"
    own.write_text(f'#!/bin/sh\n{tools.packager} "$@" && {spoil} && mv other.mp4 clear.mp4\n')
    own.chmod(0o755)
    assert all(proof.holds for proof in prove(stream, tools=replace(tools, packager=own), frames=False))
    with pytest.raises(PackagingError, match="its frames hash to") as caught:
        prove(stream, tools=replace(tools, packager=own))
    assert "its packets are the source's" in str(caught.value.hint)


def test_clear_copies_are_gone_afterwards(tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path) -> None:
    """The decrypted file exists within the block alone, and so does the joined one; a missing key is an error."""
    (item,) = packaged(tools, clip[:1], tmp_path, layout="segments").tracks
    with unsealed(item.files, {KID: KEY}, kind="video", tools=tools) as clear:
        assert packet_hashes(clear, tools=tools) == packet_hashes(clip[0].path, tools=tools)
    assert not clear.exists()
    with joined(item.files) as whole:
        assert whole.read_bytes() == b"".join(path.read_bytes() for path in item.files)
    assert not whole.exists()
    with joined(item.files[:1]) as same:
        assert same == item.files[0]
    other = {KeyId(bytes(16)): KEY}
    with (
        pytest.raises(PackagingError, match="ended with exit code"),
        unsealed(item.files, other, kind="video", tools=tools),
    ):
        pass
    with (
        pytest.raises(InputError, match="has 3 bytes, not 16"),
        unsealed(item.files, {KID: Secret(b"abc")}, kind="video", tools=tools),
    ):
        pass
    with pytest.raises(InputError, match="no file to read"), joined([]):
        pass
    with (
        pytest.raises(InputError, match=r"gone cannot be read \(No such file"),
        joined([item.files[0], tmp_path / "gone"]),
    ):
        pass
