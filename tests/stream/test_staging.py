"""Working folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from drmkit.errors import InputError, StoreError
from drmkit.stream.staging import check_new, private_folder, staged_inputs, staged_output


@pytest.mark.parametrize("name", ["a,b=c.mp4", "-x.mp4", "http:a.mp4", "it's.mp4", "line\nbreak.mp4", "$Number$.mp4"])
def test_odd_names_become_safe(tmp_path: Path, name: str) -> None:
    """Whatever a file is called, it is seen under a number and its plain suffix."""
    (tmp_path / name).write_bytes(b"media")
    with staged_inputs([tmp_path / name]) as (folder, names):
        assert names == ["0.mp4"]
        assert (folder / "0.mp4").read_bytes() == b"media"
    assert not folder.exists()
    assert (tmp_path / name).read_bytes() == b"media"


def test_odd_suffixes_are_dropped(tmp_path: Path) -> None:
    """A suffix with special characters is no part of the safe name."""
    (tmp_path / "a.m,4").write_bytes(b"media")
    with staged_inputs([tmp_path / "a.m,4"]) as (_, names):
        assert names == ["0"]


def test_missing_inputs_are_named(tmp_path: Path) -> None:
    """A path that leads nowhere, or to a folder, is refused before any program starts."""
    with pytest.raises(InputError, match=r"gone\.mp4 does not exist"), staged_inputs([tmp_path / "gone.mp4"]):
        pass
    with pytest.raises(InputError, match="is not a file"), staged_inputs([tmp_path]):
        pass


def test_output_appears_whole(tmp_path: Path) -> None:
    """The folder appears when the block ends, with the permissions of any new folder."""
    target, twin = tmp_path / "deep" / "out", tmp_path / "twin"
    twin.mkdir()
    with staged_output(target) as folder:
        (folder / "a").write_text("x")
        assert not target.exists()
    assert [path.name for path in target.iterdir()] == ["a"]
    assert target.stat().st_mode == twin.stat().st_mode
    assert [path.name for path in target.parent.iterdir()] == ["out"]


def test_failure_leaves_nothing(tmp_path: Path) -> None:
    """An exception in the block leaves neither the folder nor a working folder."""

    def fail() -> None:
        with staged_output(tmp_path / "out") as folder:
            (folder / "a").write_text("x")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_full_folders_are_not_touched(tmp_path: Path) -> None:
    """An output folder that holds something is refused and stays as it is; an empty one is taken."""
    (tmp_path / "kept").write_text("x")
    with pytest.raises(InputError, match="not an empty folder"), staged_output(tmp_path):
        pass
    with pytest.raises(InputError, match="not an empty folder"), staged_output(tmp_path / "kept"):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    (tmp_path / "empty").mkdir()
    with staged_output(tmp_path / "empty") as folder:
        (folder / "a").write_text("x")
    assert (tmp_path / "empty" / "a").exists()


def test_unwritable_place(tmp_path: Path) -> None:
    """A place that cannot be written gives the system's reason."""
    (tmp_path / "file").write_text("x")
    with (
        pytest.raises(StoreError, match=r"out cannot be written \(File exists\)"),
        staged_output(tmp_path / "file" / "out"),
    ):
        pass


def test_a_place_can_be_looked_at_first(tmp_path: Path) -> None:
    """Whether a folder can be made is told without making it: for what costs something before the output is due."""
    check_new(tmp_path / "deep" / "out")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="not an empty folder"):
        check_new(tmp_path)
    with pytest.raises(StoreError, match=r"out cannot be written \(.*file is no folder\)"):
        check_new(tmp_path / "file" / "out")
    with pytest.raises(StoreError, match=r"cannot be written \(File name too long\)"):
        check_new(tmp_path / ("x" * 300))


def test_private_folders_are_private_and_gone_afterwards(tmp_path: Path) -> None:
    """Nobody else can look into a working folder; where none can be made, the reason is told."""
    with private_folder(tmp_path) as folder:
        assert folder.stat().st_mode & 0o077 == 0
        (folder / "a").write_text("x")
    assert not folder.exists()
    with (
        pytest.raises(StoreError, match=r"no temporary folder can be made \(No such file or directory\)"),
        private_folder(tmp_path / "gone"),
    ):
        pass
