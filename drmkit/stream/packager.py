"""Encrypts tracks with Shaka Packager, with the keys, IVs and PSSH boxes of a CPIX document."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from drmkit.errors import PackagingError
from drmkit.secret import Secret
from drmkit.stream.arguments import Container, command, private_flags, track_names
from drmkit.stream.complaints import explained
from drmkit.stream.inspect import inspect_bytes, inspect_file
from drmkit.stream.model import OutputFormat, PackagerRun, Plan, PlannedTrack, Scheme, TrackInput
from drmkit.stream.naming import TrackNames
from drmkit.stream.opus import mend_opus
from drmkit.stream.plan import plan
from drmkit.stream.process import run
from drmkit.stream.staging import staged_inputs, staged_output
from drmkit.stream.tools import Tools
from drmkit.stream.verify import differences

if TYPE_CHECKING:
    from drmkit.cpix import Document

__all__ = ["PackagedStream", "PackagedTrack", "package", "package_plan", "run_plan"]

_ROOM = "the layout `file` takes twice the size of the output while it is written"


@dataclass(frozen=True, slots=True)
class PackagedTrack:
    """A track that was packaged.

    Attributes:
        planned: the track, with its properties and its key.
        files: its files, to be read one behind the other: one MP4 file, or an initialization segment and its segments.
        playlist: its HLS media playlist, or None where no HLS was asked for.
    """

    planned: PlannedTrack
    files: tuple[Path, ...]
    playlist: Path | None = None


@dataclass(frozen=True, slots=True)
class PackagedStream:
    """A packaged stream.

    Attributes:
        folder: the folder that holds it.
        tracks: its tracks.
        mpd: the DASH manifest, or None where none was asked for.
        master: the HLS multivariant playlist, or None where none was asked for.
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
    watch: Callable[[int, int], None] | None = None,
) -> PackagedStream:
    """Plan and package; see `drmkit.stream.plan.plan` and `package_plan`."""
    made = plan(document, tracks, tools=tools, scheme=scheme, allow_clear=allow_clear)
    return package_plan(made, output, tools=tools, form=form, timeout=timeout, progress=progress, watch=watch)


def package_plan(
    made: Plan,
    output: Path,
    *,
    tools: Tools,
    form: OutputFormat | None = None,
    timeout: float = 3600.0,
    progress: Callable[[int, int], None] | None = None,
    watch: Callable[[int, int], None] | None = None,
) -> PackagedStream:
    """Encrypt the tracks of a plan into a folder, which appears whole or not at all.

    Keys, IVs and PSSH boxes reach the packager through a pipe: they are never in the process list nor on the disk. Each
    file is then read back, and what it says about its encryption must equal the document.

    The manifests are those that the form asks for, one of each kind for all tracks, however many runs the plan has.
    They say about each track's key what the document says.

    Args:
        made: the plan.
        output: a folder that does not exist yet, or is empty.
        tools: the programs to use.
        form: how the output is laid out; by default one file a track.
        timeout: seconds that each run of the packager may take.
        progress: called after each run with the number of runs done and of all runs.
        watch: called about twice a second with the bytes written so far and the bytes of the inputs.

    Raises:
        InputError: an input cannot be read, or the output folder holds something.
        PackagingError: the packager failed, or a file is not what the document asks for.
        StoreError: the output cannot be written.
    """
    from drmkit.stream.manifests import read_drafts, write_manifests  # noqa: PLC0415 - lxml stands behind it

    shape = form or OutputFormat()
    names = track_names(made, shape)
    with staged_output(output) as folder:
        run_plan(made, folder, names, shape, tools=tools, timeout=timeout, progress=progress, watch=watch)
        files = [_checked(folder, item, names[item.track.name], shape) for item in made.tracks]
        notes = write_manifests(folder, read_drafts(folder, made, names), shape)
    hls, dash = "hls" in shape.manifests, "dash" in shape.manifests
    tracks = [
        PackagedTrack(
            item,
            tuple(output / path.relative_to(folder) for path in paths),
            output / names[item.track.name].playlist if hls else None,
        )
        for item, paths in zip(made.tracks, files, strict=True)
    ]
    mpd, master = output / shape.names.mpd if dash else None, output / shape.names.master if hls else None
    return PackagedStream(output, tuple(tracks), mpd, master, (*made.notes, *notes))


def run_plan(
    made: Plan,
    folder: Path,
    names: Mapping[str, TrackNames],
    form: OutputFormat,
    *,
    tools: Tools,
    container: Container = "mp4",
    timeout: float = 3600.0,
    progress: Callable[[int, int], None] | None = None,
    watch: Callable[[int, int], None] | None = None,
) -> None:
    """Run the packager for every run of a plan, into a folder that is there; its manifests are drafts.

    Args:
        made: the plan.
        folder: the output folder.
        names: what each track's files are called, by the track's name.
        form: how the output is laid out.
        tools: the programs to use.
        container: "mp4", or "ts" for MPEG-TS segments.
        timeout: seconds that each run of the packager may take.
        progress: called after each run with the number of runs done and of all runs.
        watch: called about twice a second with the bytes written so far and the bytes of the inputs.

    Raises:
        InputError: an input cannot be read.
        PackagingError: the packager failed.
    """
    whole = sum(path.stat().st_size for path in {item.track.path for item in made.tracks} if path.is_file())
    tick = (lambda: watch(_written(folder), whole)) if watch else None
    for number, one in enumerate(made.runs):
        with _working_folder(one, folder) as (work, inputs):
            argv = command(one, inputs, "out", form, names, number=number, container=container)
            call: list[str | Path | Secret[str]] = [tools.packager, *argv, "--flagfile", private_flags(one)]
            try:
                run(call, timeout=timeout, cwd=work, hide=_keys(one), tick=tick)
            except PackagingError as error:
                inputs_of = [item.track.path for item in one.tracks]
                raise explained(error, inputs_of, where="its output", hint=_ROOM) from None
        for item in one.tracks:
            file = names[item.track.name].file if form.layout == "file" else names[item.track.name].init
            mend_opus(item, folder / file)
        if progress:
            progress(number + 1, len(made.runs))


@contextlib.contextmanager
def _working_folder(one: PackagerRun, output: Path) -> Iterator[tuple[Path, list[str]]]:
    """Yield a folder in which the run's inputs, its output and its scratch space have names without surprises."""
    scratch = output / ".scratch"
    scratch.mkdir()
    with staged_inputs([item.track.path for item in one.tracks]) as (work, inputs):
        (work / "out").symlink_to(output.absolute())
        yield work, inputs
    shutil.rmtree(scratch)


def _written(folder: Path) -> int:
    """Return how many bytes a folder holds; files may go while it is looked at."""
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            total += path.stat().st_size
    return total


def _keys(one: PackagerRun) -> list[Secret[bytes]]:
    return [item.use.key for item in one.tracks if item.use]


def _checked(folder: Path, item: PlannedTrack, names: TrackNames, form: OutputFormat) -> tuple[Path, ...]:
    """Return the files of a packaged track, once they say about their encryption what they should."""
    name = item.track.name
    files = [folder / names.file] if form.layout == "file" else [folder / names.init, *names.find_segments(folder)]
    missing = [path.name for path in files if not path.is_file()]
    if missing or (form.layout == "segments" and len(files) == 1):
        raise PackagingError(f"the packager ended well but did not write track {name}")
    # The IV stands in the first segment, not in the initialization segment.
    found = inspect_file(files[0]) if len(files) == 1 else inspect_bytes(b"".join(p.read_bytes() for p in files[:2]))
    faults = differences(found, item.use)
    if faults:
        raise PackagingError(f"the packaged track {name} is not what the document asks for: {'; '.join(faults)}")
    return tuple(files)
