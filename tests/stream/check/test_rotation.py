"""Keys that rotate: streams of Shaka Packager whose key groups name another key for each crypto period."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from packedstreams import KEYS, KIDS, check_stream, pack

from drmkit.identifiers import KeyId
from drmkit.secret import Secret
from drmkit.signaling.mp4boxes import children
from drmkit.stream.check import StreamReport
from drmkit.stream.check.initsegment import KeyGroup, read_init
from drmkit.stream.check.rekeying import with_defaults
from drmkit.stream.model import TrackInput
from drmkit.stream.tools import Tools

MANIFESTS = ["manifest.mpd", "master.m3u8"]


def turned(data: bytes, steps: int) -> bytes:
    """What the packager makes of a key ID or key in a later period: its bytes, turned to the left."""
    return data[steps:] + data[:steps]


ROTATED = {
    KeyId(turned(kid.raw, steps)): Secret(turned(key.reveal(), steps))
    for kid, key in KEYS.items()
    for steps in range(4)
}


@pytest.fixture(scope="session")
def rotating(
    tools: Tools, clip: tuple[TrackInput, ...], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path]:
    """Return a stream of a scheme whose keys change every two seconds, packaged once a session."""
    made: dict[str, Path] = {}

    def stream(scheme: str) -> Path:
        if scheme not in made:
            folder = tmp_path_factory.mktemp(scheme) / "stream"
            more = ("--crypto_period_duration", "1", "--protection_systems", "Widevine")
            made[scheme] = pack(tools, clip, folder, scheme, *more, pssh=())
        return made[scheme]

    return stream


@pytest.fixture
def checked(tools: Tools, clip: tuple[TrackInput, ...]) -> Callable[..., StreamReport]:
    """Check a manifest with some keys, and against the clear clip: what a decoder says of so short parts is luck."""

    def report(manifest: Path, keys: Mapping[KeyId, Secret[bytes]]) -> StreamReport:
        sources = [track.path for track in clip]
        return check_stream(manifest, keys=keys, sources=sources, tools=tools, segments=None)

    return report


def rules(report: StreamReport, severity: str) -> set[str]:
    """The rules of the findings of one severity."""
    return {finding.rule for finding in report.findings if finding.severity == severity}


def later(folder: Path) -> KeyId:
    """The key ID of the second segment of the largest video."""
    report = check_stream(folder / "video-720p.m3u8", decode=False, segments=None)
    return KeyId.from_uuid(report.tracks[0].kids[1])


@pytest.mark.parametrize("manifest", MANIFESTS)
@pytest.mark.parametrize("scheme", ["cenc", "cbcs"])
def test_rotating_keys_decrypt(
    rotating: Callable[[str], Path], checked: Callable[..., StreamReport], scheme: str, manifest: str
) -> None:
    """With the keys of all periods a rotating stream decrypts, and its placeholder of a key ID is no fault."""
    report = checked(rotating(scheme) / manifest, ROTATED)
    assert rules(report, "error") == set()
    assert "key-rotation" in rules(report, "note")
    assert {track.verdict for track in report.tracks} == {"decrypts"}
    assert all(len(track.kids) > 1 for track in report.tracks)
    assert "00000000-0000-0000-0000-000000000000" not in {kid for track in report.tracks for kid in track.kids}


def test_the_wrong_key_of_one_period_is_found(
    rotating: Callable[[str], Path], checked: Callable[..., StreamReport]
) -> None:
    """Where the key of a later period alone is wrong, the finding is on the segment that it is for, and no other."""
    bad = later(rotating("cenc"))
    report = checked(rotating("cenc") / "master.m3u8", {**ROTATED, bad: Secret(bytes(range(16)))})
    (finding,) = [one for one in report.findings if one.severity == "error"]
    assert finding.rule in {"key-wrong", "source-differs"}
    assert (finding.track, finding.place.file) == ("video-720p", "video-720p/2.m4s")


def test_the_keys_of_later_periods_are_wanted(
    rotating: Callable[[str], Path], checked: Callable[..., StreamReport]
) -> None:
    """With the keys of the first period alone nothing is wrong, and what is missing is named."""
    report = checked(rotating("cenc") / "manifest.mpd", KEYS)
    assert rules(report, "error") == set()
    missing = [one.message for one in report.findings if one.rule == "key-unknown"]
    assert f"no key was given for {later(rotating('cenc'))}" in missing
    assert {track.verdict for track in report.tracks} == {"not tried"}


def test_a_key_id_of_zeros_that_samples_have_is_a_fault(
    tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path
) -> None:
    """The placeholder is one only where key groups name the keys: else samples have it for their key ID."""
    zero = {label: KeyId(bytes(16)) if label == "HD" else kid for label, kid in KIDS.items()}
    folder = pack(
        tools, clip, tmp_path / "stream", "cenc", kids=zero, keys={**KEYS, KeyId(bytes(16)): KEYS[KIDS["HD"]]}
    )
    report = check_stream(folder / "manifest.mpd", tools=tools, decode=False)
    assert "kid-zero" in rules(report, "error")


@pytest.mark.parametrize(
    ("scheme", "group"),
    [
        ("cenc", KeyGroup(protected=True, kid=KIDS["SD"], iv_size=16, constant_iv=None, pattern=(0, 0))),
        ("cbcs", KeyGroup(protected=True, kid=KIDS["SD"], iv_size=0, constant_iv=b"\7" * 8, pattern=(1, 9))),
    ],
)
def test_the_values_of_a_group_become_defaults(rotating: Callable[[str], Path], scheme: str, group: KeyGroup) -> None:
    """Only the track's `tenc` changes, to another length too: the boxes around it still fit, the rest stays."""
    data = (rotating(scheme) / "video-720p" / "init.mp4").read_bytes()
    (track,) = read_init(data).tracks
    made = with_defaults(data, track.track_id, group)
    (entry,) = read_init(made).tracks[0].entries
    assert (entry.kid, entry.iv_size, entry.constant_iv, entry.pattern) == (
        group.kid,
        group.iv_size,
        group.constant_iv,
        group.pattern,
    )
    assert [box.kind for box in children(made)] == [box.kind for box in children(data)]
    assert with_defaults(data, track.track_id + 1, group) == data
    assert (
        len(data) - len(made)
        == struct.unpack(">I", data[data.index(b"tenc") - 4 :][:4])[0]
        - (struct.unpack(">I", made[made.index(b"tenc") - 4 :][:4])[0])
    )
