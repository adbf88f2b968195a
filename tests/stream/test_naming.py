"""What the files of a stream are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from drmkit.errors import InputError
from drmkit.stream.naming import Naming, name_tracks, relative


@pytest.mark.parametrize(
    ("field", "pattern", "reason"),
    [
        ("playlist", "../{track}.m3u8", "is no path of plain names"),
        ("playlist", "/{track}.m3u8", "is no path of plain names"),
        ("mpd", ".hidden.mpd", "is no path of plain names"),
        ("mpd", "a,b.mpd", "is no path of plain names"),
        ("mpd", "{track}.mpd", "is no path of plain names"),
        ("file", "{name}.mp4", r"holds \{name\}"),
        ("file", "{track.upper}.mp4", r"holds \{track.upper\}"),
        ("file", "{track", "cannot be read"),
        ("file", "{track:d}.mp4", "cannot be read"),
        ("segment", "{track}/1.m4s", r"must hold \$Number\$ once"),
        ("segment", "{track}/$Number$-$Number$.m4s", r"must hold \$Number\$ once"),
        ("segment", "{track}/$Time$.m4s", r"must hold \$Number\$ once"),
    ],
)
def test_unsafe_patterns_are_refused(field: str, pattern: str, reason: str) -> None:
    """A pattern gives a path of plain names below the folder, with the places that it may have."""
    with pytest.raises(InputError, match=reason):
        Naming(**{field: pattern})
    assert Naming(segment="v/{track}_{index:03d}/$Number%05d$.m4s").mpd == "manifest.mpd"


def test_names_are_told_apart() -> None:
    """Two files of one name are refused before anything is written, whatever their case."""
    fixed = Naming(file="all.mp4")
    with pytest.raises(InputError, match=r"would be called 'all\.mp4'"):
        name_tracks(fixed, ["a", "b"], layout="file", manifests=())
    assert len(name_tracks(fixed, ["a"], layout="file", manifests=())) == 1
    clash = Naming(master="A.m3u8")
    with pytest.raises(InputError, match=r"would be called 'a\.m3u8'"):
        name_tracks(clash, ["a"], layout="file", manifests=("hls",))
    assert len(name_tracks(clash, ["a"], layout="file", manifests=("dash",))) == 1


def test_segments_are_found_by_number(tmp_path: Path) -> None:
    """Segments come in the order of their numbers; other files in the folder are none."""
    (names,) = name_tracks(Naming(segment="{track}.$Number$.m4s"), ["a"], layout="segments", manifests=())
    for name in ("a.10.m4s", "a.9.m4s", "a.x.m4s", "aa.1.m4s", "a.1.m4s.tmp"):
        (tmp_path / name).touch()
    assert [path.name for path in names.find_segments(tmp_path)] == ["a.9.m4s", "a.10.m4s"]
    (nested,) = name_tracks(Naming(segment="{track}/$Number$/s.m4s"), ["a"], layout="segments", manifests=())
    (tmp_path / "a" / "2").mkdir(parents=True)
    (tmp_path / "a" / "2" / "s.m4s").touch()
    assert nested.find_segments(tmp_path) == [tmp_path / "a" / "2" / "s.m4s"]


def test_paths_are_relative_to_the_manifest() -> None:
    """A file is referred to from where the manifest stands."""
    assert relative("a/b.mp4", "m.mpd") == "a/b.mp4"
    assert relative("a/b.mp4", "a/m.mpd") == "b.mp4"
    assert relative("a/b.mp4", "x/y/m.mpd") == "../../a/b.mp4"
