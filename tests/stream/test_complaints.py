"""What Shaka Packager's complaints mean."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from drmkit import cpix
from drmkit.errors import PackagingError, StoreError
from drmkit.identifiers import KeyId
from drmkit.secret import Secret
from drmkit.stream.complaints import explained
from drmkit.stream.inputs import find_tracks
from drmkit.stream.model import TrackInput
from drmkit.stream.packager import package
from drmkit.stream.process import run
from drmkit.stream.tools import Tools
from drmkit.stream.unseal import unsealed


@pytest.mark.parametrize(
    "said",
    [
        "Cannot close the temp file x, possibly file permission issue or running out of disk space.",
        "Packaging Error: 5 (FILE_FAILURE): Failed to write file out/a.mp4",
        "Failed to close the file properly: out/a.mp4",
    ],
)
def test_no_room_is_told(said: str) -> None:
    """A write that failed, in any of the packager's words, is a full disk: the folder is drmkit's own."""
    error = explained(PackagingError(said), [], where="its output", hint="make room")
    assert isinstance(error, StoreError)
    assert (error.message, error.hint) == (
        "the packager could not write its output: there is no space left, or too little",
        "make room",
    )


def test_unreadable_inputs_get_their_names_back() -> None:
    """The packager knows inputs by number; the person, by name. Anything else stays as it is."""
    inputs = [Path("a.webm"), Path("b.webm")]
    said = PackagingError("Packaging Error: 8 (PARSER_FAILURE): Cannot parse media file 1.webm")
    error = explained(said, inputs, where="", hint="")
    assert error.message.startswith("b.webm: Packaging Error: 8")
    assert "-c copy" in str(error.hint)
    for other in (PackagingError("Cannot parse media file 2.webm"), PackagingError("something else")):
        assert explained(other, inputs, where="", hint="") is other


def test_hidden_frames_are_told(tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path) -> None:
    """What a cut leaves before the beginning of a file with reordered frames is explained, and the way out works."""
    key = Secret(bytes(range(16)))
    document = cpix.Builder(content_id="x").content_key(kid=KeyId(bytes(range(1, 17))), key=key, scheme="cbcs").build()
    ffmpeg = [tools.ffmpeg, "-nostdin", "-v", "error"]
    whole, cut, shown = (tmp_path / name for name in ("whole.mp4", "cut.mp4", "shown.mp4"))
    run([*ffmpeg, "-i", clip[0].path, "-c:v", "libx264", "-bf", "2", "-g", "25", whole], timeout=60)
    run([*ffmpeg, "-ss", "0.5", "-i", whole, "-c", "copy", cut], timeout=60)
    with pytest.raises(
        PackagingError, match=r"cut\.mp4 hides the frames before its beginning by an edit list"
    ) as caught:
        package(document, find_tracks([cut], tools=tools), tmp_path / "out", tools=tools)
    assert "-use_editlist 0" in str(caught.value.hint)
    run([*ffmpeg, "-i", cut, "-c", "copy", "-use_editlist", "0", shown], timeout=60)
    assert package(document, find_tracks([shown], tools=tools), tmp_path / "out", tools=tools).tracks


def test_no_room_for_a_clear_copy(tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path) -> None:
    """Where the temporary folder is full, a proof says so, and what to do."""
    own = tmp_path / "packager"
    own.write_text("#!/bin/sh\necho 'possibly running out of disk space.' >&2\nexit 2\n")
    own.chmod(0o755)
    keys = {KeyId(bytes(range(16))): Secret(bytes(16))}
    with (
        pytest.raises(StoreError, match="could not write a clear copy to ") as caught,
        unsealed([clip[0].path], keys, kind="video", tools=replace(tools, packager=own)),
    ):
        pass
    assert "TMPDIR" in str(caught.value.hint)


def test_a_program_is_watched_while_it_runs() -> None:
    """What is called while a program runs is called again and again, and not for one that is quick."""
    seen: list[int] = []
    assert run(["/bin/sh", "-c", "sleep 1.2"], timeout=60, tick=lambda: seen.append(1)).stdout == ""
    assert len(seen) >= 1
