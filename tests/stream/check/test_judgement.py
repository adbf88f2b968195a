"""How a key is judged: never a wrong verdict, on sound and pictures that tell much or next to nothing."""

from __future__ import annotations

import itertools
import random
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import pytest

from drmkit.identifiers import KeyId
from drmkit.secret import Secret
from drmkit.stream.check.decoding import Decoder, Media, Outcome
from drmkit.stream.check.judgement import Judge, chance, decide, spared
from drmkit.stream.tools import Tools

KID, KEY = KeyId(bytes.fromhex("0123456789abcdef0123456789abcdef")), Secret(bytes(range(16)))
IV = bytes(8) + bytes(range(8))
WRONG = 8
H264 = ["-c:v", "libx264", "-preset", "veryfast", "-g", "25", "-pix_fmt", "yuv420p"]
HEVC = ["-c:v", "libx265", "-preset", "ultrafast", "-tag:v", "hvc1", "-pix_fmt", "yuv420p"]
HEVC += ["-x265-params", "keyint=25:log-level=none"]
AAC = ["-c:a", "aac"]
CLIPS = {
    "moving": ("testsrc2=size=640x360:rate=25:duration=4", "avc1", H264),
    "noisy": ("testsrc2=size=320x180:rate=25:duration=2,noise=alls=40:allf=t", "avc1", H264),
    "tone": ("sine=f=440:d=4:r=48000", "mp4a", [*AAC, "-b:a", "128k"]),
    "low": ("aevalsrc=0.1*sin(2*PI*300*t):d=2:s=48000", "mp4a", [*AAC, "-b:a", "32k"]),
    "hiss": ("anoisesrc=d=3:r=48000:a=0.3:seed=1", "mp4a", [*AAC, "-b:a", "96k"]),
    "AC-3": ("sine=f=440:d=3:r=48000", "ac-3", ["-c:a", "ac3"]),
}
# Of these little is encrypted that a decoder could miss: how much it finds is a matter of the key and IV.
SPARSE = {
    "black": ("color=black:size=320x180:rate=25:duration=4", "avc1", [*H264, "-crf", "40"]),
    "still": ("smptebars=size=640x360:rate=25:duration=4", "avc1", [*H264, "-crf", "40"]),
    "still HEVC": ("smptebars=size=640x360:rate=25:duration=4", "hvc1", [*HEVC, "-crf", "40"]),
    "silence": ("anullsrc=r=48000:cl=stereo:d=4", "mp4a", [*AAC, "-b:a", "64k"]),
    "silence in Opus": ("anullsrc=r=48000:cl=stereo:d=4", "Opus", ["-c:a", "libopus"]),
}


def encrypted(tools: Tools, folder: Path, source: str, arguments: list[str], scheme: str) -> Media:
    """Make a clip, and encrypt it in segments of two seconds."""
    kind = "video" if "-c:v" in arguments else "audio"
    call = [str(tools.ffmpeg), "-v", "error", "-nostdin", "-f", "lavfi", "-i", source, *arguments, "in.mp4"]
    subprocess.run(call, check=True, capture_output=True, timeout=60, cwd=folder)
    argv = [
        str(tools.packager),
        f"in=in.mp4,stream={kind},drm_label=X,init_segment=0.mp4,segment_template=$Number$.m4s",
    ]
    label = f"label=X:key_id={KID.hex}:key={KEY.reveal().hex()}:iv={IV.hex()}"
    argv += ["--enable_raw_key_encryption", "--keys", label]
    argv += ["--protection_scheme", scheme, "--clear_lead", "0", "--segment_duration", "2", "--quiet"]
    subprocess.run(argv, check=True, capture_output=True, timeout=60, cwd=folder)
    return Media((folder / "0.mp4", *sorted(folder.glob("*.m4s"))), f"{kind[0]}:0")


def judge_of(tools: Tools, media: Media, form: str, scheme: str, chances: random.Random) -> Judge:
    """A judge whose random keys are the same each time."""
    decoder, constant = Decoder(tools, 60), scheme == "cbcs"
    return Judge(decoder, media, KID, {}, form, constant_iv=constant, random=chances.randbytes)


@pytest.mark.parametrize("scheme", ["cenc", "cbcs"])
@pytest.mark.parametrize("name", CLIPS)
def test_the_right_key_is_told_from_wrong_ones(tools: Tools, tmp_path: Path, name: str, scheme: str) -> None:
    """The right key is known as right and every other as wrong, whatever the clip shows and however little."""
    source, form, arguments = CLIPS[name]
    chances = random.Random(f"{name} {scheme}")
    judge = judge_of(tools, encrypted(tools, tmp_path, source, arguments, scheme), form, scheme, chances)
    assert judge.judge(KEY) == "right"
    assert {judge.judge(Secret(chances.randbytes(16))) for _ in range(WRONG)} == {"wrong"}


@pytest.mark.parametrize("scheme", ["cenc", "cbcs"])
@pytest.mark.parametrize("name", SPARSE)
def test_what_tells_little_is_undecided_at_worst(tools: Tools, tmp_path: Path, name: str, scheme: str) -> None:
    """Where nearly nothing is encrypted, the right key is not called wrong, nor a wrong one right."""
    source, form, arguments = SPARSE[name]
    chances = random.Random(f"{name} {scheme}")
    judge = judge_of(tools, encrypted(tools, tmp_path, source, arguments, scheme), form, scheme, chances)
    assert judge.judge(KEY) in ({"right"} if scheme == "cenc" else {"right", "undecided"})
    assert "right" not in {judge.judge(Secret(chances.randbytes(16))) for _ in range(WRONG)}


@pytest.mark.parametrize(
    ("outcome", "controls", "form", "expected"),
    [
        (Outcome(100, 0), [40, 38, 44, 41], "avc1", "right"),
        (Outcome(100, 39), [40, 38, 44, 41], "avc1", "wrong"),
        (Outcome(100, 3), [90, 85, 88, 91], "avc1", "right"),
        (Outcome(100, 3), [8, 9, 7, 9], "avc1", "wrong"),
        (Outcome(100, 30), [120, 124, 119, 122], "hvc1", "undecided"),
        (Outcome(100, 0), [1, 0, 2, 1], "avc1", "undecided"),
        (Outcome(100, 0), [1, 2, 8, 5] * 4, "hvc1", "undecided"),
        (Outcome(100, 3), [0, 0, 0, 0], "hvc1", "undecided"),
        (Outcome(100, 9), [9, 9, 9, 9], "av01", "undecided"),
        (Outcome(100, 0), [12, 11, 12], "avc1", "undecided"),
        (Outcome(100, 0), [12, 11, 12] * 4, "avc1", "right"),
        (Outcome(2, 188), [285, 287, 291, 283], "mp4a", "wrong"),
        (Outcome(20, 188), [285, 287, 291, 283], "mp4a", "wrong"),
        (Outcome(100, 60), [285, 287, 291, 283], "mp4a", "undecided"),
        (Outcome(100, 0), [90], "avc1", "undecided"),
        (Outcome(100, 0), [90, 94], "avc1", "right"),
    ],
)  # fmt: skip
def test_a_verdict_needs_controls_that_tell(outcome: Outcome, controls: list[int], form: str, expected: str) -> None:
    """A clean result proves a key only where random keys fail surely; an unproven decoder condemns none."""
    assert decide(outcome, [Outcome(100, errors) for errors in controls], form=form) == expected


@pytest.mark.parametrize(
    ("outcome", "controls", "form", "expected"),
    [
        (Outcome(100, 0), [0, 120, 40, 80], "Opus", "undecided"),
        (Outcome(100, 0), [2, 120, 40, 80, 43, 42, 81, 119, 4, 40, 80, 82], "Opus", "undecided"),
        (Outcome(100, 0), [100, 101, 100, 104], "Opus", "right"),
        (Outcome(100, 0), [100, 101], "Opus", "undecided"),
        (Outcome(100, 9), [100, 101, 100, 104], "Opus", "undecided"),
        (Outcome(100, 98), [100, 101, 100, 104], "Opus", "wrong"),
        (Outcome(125, 0), [120, 119, 34, 125], "hvc1", "undecided"),
        (Outcome(125, 0), [120, 119, 118, 125], "hvc1", "right"),
    ],
)  # fmt: skip
def test_samples_under_one_iv_may_fare_alike(outcome: Outcome, controls: list[int], form: str, expected: str) -> None:
    """With a constant IV, how far random keys scatter counts: equal samples all fail, or none does."""
    outcomes = [Outcome(100, errors) for errors in controls]
    assert decide(outcome, outcomes, form=form, constant_iv=True) == expected


@pytest.mark.parametrize(
    ("counts", "units", "expected"),
    [
        ([98, 99, 100, 100], 4, "undecided"),
        ([100] * 4, 6, "undecided"),
        ([100] * 16, 4, "undecided"),
        ([100] * 16, 6, "right"),
        ([100] * 16, 2, "undecided"),
        ([100, 75, 100, 50] * 4, 4, "undecided"),
        ([75, 100, 76, 100] * 4, 30, "right"),
        ([100] * 16, 0, "undecided"),
    ],
)  # fmt: skip
def test_few_samples_that_differ_prove_little(counts: list[int], units: int, expected: str) -> None:
    """Under one IV, four pictures that begin alike are one chance for a random key, however many errors they draw."""
    outcomes = [Outcome(100, errors) for errors in counts]
    assert decide(Outcome(100, 0), outcomes, form="hvc1", constant_iv=True, units=units) == expected


def test_the_chance_that_all_is_spared() -> None:
    """It is certain where nothing fails or nothing is encrypted, and falls with samples and with keys tried."""
    assert spared([0] * 8, 4) == spared([9] * 8, 0) == 1.0
    assert spared([9] * 16, 4) == pytest.approx((3 / 16) ** 4)
    assert spared([9] * 16, 4) < spared([9] * 8, 4) < spared([9] * 8, 3) < spared([9, 3] * 4, 3)


def test_nothing_at_all_is_the_surest_control() -> None:
    """Where random keys give no frame, one clean decoding tells; and no frame under the key tells as well."""
    nothing = [Outcome(0, 1)] * 4
    assert decide(Outcome(100, 0), nothing, form="mp4a", constant_iv=True) == "right"
    assert decide(Outcome(0, 50), nothing, form="mp4a") == "wrong"
    assert decide(Outcome(0, 50), nothing, form="av01") == "undecided"
    assert decide(Outcome(0, 50), [Outcome(10, 5)] * 4, form="av01") == "wrong"


def test_frames_that_are_missing_are_failures() -> None:
    """A decoder that gives up after one complaint has failed at all frames that it did not give."""
    controls = [Outcome(0, 1), Outcome(1, 1), Outcome(0, 6), Outcome(0, 1)]
    assert decide(Outcome(157, 0), controls, form="ac-3", constant_iv=True) == "right"
    assert decide(Outcome(1, 0), controls, form="ac-3", constant_iv=True) == "undecided"


def test_the_chance_of_a_random_key() -> None:
    """It falls with the mean, grows with scatter and errors, and is certain where random keys never fail."""
    assert chance(0, [0] * 16) == 1.0
    assert chance(0, [10] * 16) == pytest.approx(4.5e-5, rel=0.05)  # e to the power of -10: a Poisson distribution
    assert chance(0, [10] * 16) < chance(0, [10] * 8) < chance(0, [10] * 4)
    assert chance(0, [10] * 16) < chance(0, [5, 15] * 8) < chance(0, [0, 20] * 8) < chance(5, [0, 20] * 8) < 1
    assert chance(10_000, [10] * 16) == pytest.approx(1.0)


class Told:
    """A decoder that is told what to find under each random key in turn, and finds the right one sound."""

    def __init__(self, *errors: int | None) -> None:
        self.errors, self.asked = itertools.cycle(errors), 0

    def decode(self, media: Media, keys: Mapping[KeyId, Secret[bytes]]) -> Outcome | None:
        """Return the next outcome, or None where the decoder did not come to an end."""
        if keys[KID].reveal() == KEY.reveal():
            return Outcome(100, 0)
        self.asked += 1
        errors = next(self.errors)
        return None if errors is None else Outcome(100, errors)


@pytest.mark.parametrize(
    ("errors", "expected", "asked"),
    [
        pytest.param(
            [9, 29, 8, 30, 9, 29, 8, 29, *[18, 19, 20, 19] * 12], "right", range(17, 49), id="scattering widely"
        ),
        pytest.param([6, 28, 9, 24, 0, 31, 14, 19, 12, 20], "undecided", range(16, 17), id="one of which has none"),
        pytest.param([1, 2, 1], "undecided", range(48, 49), id="few"),
        pytest.param([40, None, 38, None, 44], "right", range(3, 9), id="some without an end"),
        pytest.param([None], "undecided", range(2, 3), id="all without an end"),
    ],
)
def test_more_random_keys_are_tried_where_they_may_tell(errors: list[int | None], expected: str, asked: range) -> None:
    """Where all fail, more of them tell how they scatter; where one does not, or none comes to an end, they cannot."""
    decoder = Told(*errors)
    judge = Judge(cast(Decoder, decoder), Media((), "v:0"), KID, {}, "avc1", random=random.Random(0).randbytes)
    assert judge.judge(KEY) == expected
    assert decoder.asked in asked
