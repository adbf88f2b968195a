"""Encrypts tracks with Shaka Packager, with the keys, IVs and PSSH boxes of a CPIX document."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from drmkit.errors import PackagingError
from drmkit.secret import Secret
from drmkit.stream.arguments import command, private_flags
from drmkit.stream.inspect import inspect_bytes, inspect_file
from drmkit.stream.manifests import MASTER, MPD, mend_manifests
from drmkit.stream.model import OutputFormat, PackagerRun, Plan, PlannedTrack, Scheme, TrackInput
from drmkit.stream.plan import plan
from drmkit.stream.process import run
from drmkit.stream.staging import staged_inputs, staged_output
from drmkit.stream.tools import Tools
from drmkit.stream.verify import differences

if TYPE_CHECKING:
    from drmkit.cpix import Document

__all__ = ["PackagedStream", "PackagedTrack", "package", "package_plan"]


@dataclass(frozen=True, slots=True)
class PackagedTrack:
    """A track that was packaged.

    Attributes:
        planned: the track, with its properties and its key.
        files: its files, to be read one behind the other: one MP4 file, or an initialization segment and its segments.
    """

    planned: PlannedTrack
    files: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class PackagedStream:
    """A packaged stream.

    Attributes:
        folder: the folder that holds it.
        tracks: its tracks.
        mpd: the DASH manifest, or None where several runs were needed.
        master: the HLS multivariant playlist, or None where several runs were needed.
        notes: what is legal but unwise, in sentences.
    """

    folder: Path
    tracks: tuple[PackagedTrack, ...]
    mpd: Path | None
    master: Path | None
    notes: tuple[str, ...] = ()


def package(
    document: Document,
    tracks: Sequence[TrackInput],
    output: Path,
    *,
    tools: Tools,
    scheme: Scheme | None = None,
    form: OutputFormat | None = None,
    allow_clear: bool = False,
    timeout: float = 3600.0,
    progress: Callable[[int, int], None] | None = None,
) -> PackagedStream:
    """Plan and package; see `drmkit.stream.plan.plan` and `package_plan`."""
    made = plan(document, tracks, tools=tools, scheme=scheme, allow_clear=allow_clear)
    return package_plan(made, output, tools=tools, form=form, timeout=timeout, progress=progress)


def package_plan(
    made: Plan,
    output: Path,
    *,
    tools: Tools,
    form: OutputFormat | None = None,
    timeout: float = 3600.0,
    progress: Callable[[int, int], None] | None = None,
) -> PackagedStream:
    """Encrypt the tracks of a plan into a folder, which appears whole or not at all.

    Keys, IVs and PSSH boxes reach the packager through a pipe: they are never in the process list nor on the disk. Each
    file is then read back, and what it says about its encryption must equal the document.

    DASH and HLS manifests are written where one run suffices.

    Args:
        made: the plan.
        output: a folder that does not exist yet, or is empty.
        tools: the programs to use.
        form: how the output is laid out; by default one file a track.
        timeout: seconds that each run of the packager may take.
        progress: called after each run with the number of runs done and of all runs.

    Raises:
        InputError: an input cannot be read, or the output folder holds something.
        PackagingError: the packager failed, or a file is not what the document asks for.
        StoreError: the output cannot be written.
    """
    shape = form or OutputFormat()
    single = len(made.runs) == 1
    with staged_output(output) as folder:
        for done, one in enumerate(made.runs, start=1):
            with _working_folder(one, folder) as (work, inputs):
                argv = command(one, inputs, "out", shape, manifests=single)
                call: list[str | Path | Secret[str]] = [tools.packager, *argv, "--flagfile", private_flags(one)]
                run(call, timeout=timeout, cwd=work, hide=_keys(one))
            if progress:
                progress(done, len(made.runs))
        made_files = [_files(folder, item, shape) for item in made.tracks]
        notes = mend_manifests(folder, made.runs[0]) if single else []
    tracks = [
        PackagedTrack(item, tuple(output / path.relative_to(folder) for path in paths))
        for item, paths in zip(made.tracks, made_files, strict=True)
    ]
    mpd, master = (output / MPD, output / MASTER) if single else (None, None)
    return PackagedStream(output, tuple(tracks), mpd, master, (*made.notes, *notes))


@contextlib.contextmanager
def _working_folder(one: PackagerRun, output: Path) -> Iterator[tuple[Path, list[str]]]:
    """Yield a folder in which the run's inputs, its output and its scratch space have names without surprises."""
    scratch = output / ".scratch"
    scratch.mkdir()
    with staged_inputs([item.track.path for item in one.tracks]) as (work, inputs):
        (work / "out").symlink_to(output.absolute())
        yield work, inputs
    shutil.rmtree(scratch)


def _keys(one: PackagerRun) -> list[Secret[bytes]]:
    return [item.use.key for item in one.tracks if item.use]


def _files(folder: Path, item: PlannedTrack, form: OutputFormat) -> tuple[Path, ...]:
    """Return the files of a packaged track, once they say about their encryption what they should."""
    name = item.track.name
    if form.layout == "file":
        files = [folder / f"{name}.mp4"]
    else:
        segments = (folder / name).glob("*.m4s")
        files = [folder / name / "init.mp4", *sorted(segments, key=lambda path: int(path.stem))]
    missing = [path.name for path in files if not path.is_file()]
    if missing or (form.layout == "segments" and len(files) == 1):
        raise PackagingError(f"the packager ended well but did not write track {name}")
    # The IV stands in the first segment, not in the initialization segment.
    found = inspect_file(files[0]) if len(files) == 1 else inspect_bytes(b"".join(p.read_bytes() for p in files[:2]))
    faults = differences(found, item.use)
    if faults:
        raise PackagingError(f"the packaged track {name} is not what the document asks for: {'; '.join(faults)}")
    return tuple(files)
