"""`drmkit package`: encrypt media files on this machine with Shaka Packager and the keys of a CPIX document."""

from __future__ import annotations

import difflib
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from drmkit.cli.cpix_files import printable
from drmkit.cli.keyid import KEY_ID
from drmkit.cli.output import App, emit, pass_app
from drmkit.cli.package_options import FIXES, MANIFESTS, package_options
from drmkit.cli.package_report import describe_plan, describe_result, plan_text, result_text, uncompared
from drmkit.cli.package_source import check_source, describe_source, get_document, get_scheme

if TYPE_CHECKING:
    from drmkit.cpix import Document
    from drmkit.stream.model import OutputFormat, Plan, TrackInput
    from drmkit.stream.packager import PackagedStream
    from drmkit.stream.proof import TrackProof
    from drmkit.stream.tools import Tools

__all__ = ["package"]

Given: TypeAlias = Mapping[str, Any]

_STEPS = 100
_TIMEOUT = 24 * 3600.0


@click.command()
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True, type=click.Path(path_type=Path))
@package_options
@pass_app
def package(app: App, /, *, inputs: tuple[Path, ...], **given: Any) -> None:
    """Encrypt media files into an HLS and DASH stream, with the keys of a CPIX document.

    Every video and audio track of every INPUT (MP4, WebM, MPEG-TS) becomes a track of the stream, and gets the key
    that the document's usage rules give to its size, frame rate, bitrate or channels. --dry-run shows the tracks'
    names, which --kid, --label, --track-type and --language may say: `--kid video-720p=KID`.

    Keys reach the packager through a pipe; they are never in the process list, in a log or on the disk.
    """
    check_source(given)
    given["output"] = given["output"].expanduser()
    shape = _shape(given)
    tools = _tools(given)
    tracks = _fixed(_find(inputs, tools), given)
    _check_output(given["output"])
    if given["dry_run"] and given["key_source"]:
        _tell_source(app, given, tracks)
        return
    document = get_document(app, given)
    made, rows = _planned(document, tracks, tools, {**given, "scheme": get_scheme(app, given)})
    if given["dry_run"]:
        _tell_plan(app, made, rows, shape, given)
        return
    told = _notes(made, shape)
    _tell_notes(app, told, given)
    stream, proofs = _run(app, made, tools, shape, given)
    notes = [*stream.notes, *(uncompared(proofs) if given["verify"] == "frames" else ())]
    _tell_result(stream, describe_result(rows, stream, proofs), notes, given)
    _tell_notes(app, [note for note in notes if note not in told], given)


def _planned(
    document: Document, tracks: Sequence[TrackInput], tools: Tools, given: Given
) -> tuple[Plan, list[dict[str, Any]]]:
    from drmkit.stream.plan import plan  # noqa: PLC0415 (help needs none of it)

    made = plan(document, tracks, tools=tools, scheme=given["scheme"], allow_clear=given["allow_clear"])
    return made, describe_plan(document, made)


def _tell_plan(app: App, made: Plan, rows: Sequence[Mapping[str, Any]], shape: OutputFormat, given: Given) -> None:
    from drmkit.stream.arguments import show  # noqa: PLC0415

    commands, notes = show(made, given["output"], shape), _notes(made, shape)
    data = {"dry_run": True, "tracks": rows, "commands": commands, "notes": notes}
    emit(_form(given), data, lambda: "\n".join([plan_text(rows), *commands]))
    _tell_notes(app, notes, given)


def _notes(made: Plan, shape: OutputFormat) -> list[str]:
    """Return what can be said of the stream before it is made: keys may cost money, and packaging costs time."""
    from drmkit.stream.signals import hls_notes  # noqa: PLC0415

    return [*made.notes, *(hls_notes(made.tracks) if "hls" in shape.manifests else ())]


def _tell_result(stream: PackagedStream, rows: Sequence[Mapping[str, Any]], notes: Sequence[str], given: Given) -> None:
    data = {
        "output": str(stream.folder),
        "mpd": None if stream.mpd is None else str(stream.mpd),
        "master": None if stream.master is None else str(stream.master),
        "tracks": rows,
        "verified": given["verify"],
        "notes": list(notes),
    }
    emit(_form(given), data, lambda: "\n".join([result_text(rows), *_places(stream)]))


def _run(
    app: App, made: Plan, tools: Tools, shape: OutputFormat, given: Given
) -> tuple[PackagedStream, Sequence[TrackProof]]:
    from drmkit.stream.packager import package_plan  # noqa: PLC0415
    from drmkit.stream.proof import prove  # noqa: PLC0415

    with _bar(app, "packaging") as share:
        stream = package_plan(made, given["output"], tools=tools, form=shape, timeout=_TIMEOUT, watch=share)
    if given["verify"] == "none":
        return stream, ()
    frames = given["verify"] == "frames"
    try:
        with _bar(app, "verifying") as share:
            return stream, prove(stream, tools=tools, frames=frames, timeout=_TIMEOUT, progress=share)
    except BaseException:
        # What was asked to be verified, and was not, must not pass for a good stream.
        shutil.rmtree(stream.folder, ignore_errors=True)
        raise


def _tools(given: Given) -> Tools:
    from drmkit.stream.tools import find_tools  # noqa: PLC0415

    return find_tools(packager=given["packager"], ffmpeg=given["ffmpeg"], ffprobe=given["ffprobe"])


def _shape(given: Given) -> OutputFormat:
    from drmkit.stream.model import OutputFormat  # noqa: PLC0415

    chosen = tuple(word for word in MANIFESTS if word in given["formats"])
    manifests = chosen or MANIFESTS
    return OutputFormat(given["layout"], given["segment_duration"], manifests)


def _find(inputs: Sequence[Path], tools: Tools) -> tuple[TrackInput, ...]:
    from drmkit.stream.inputs import find_tracks  # noqa: PLC0415

    return find_tracks([path.expanduser() for path in inputs], tools=tools)


def _fixed(tracks: Sequence[TrackInput], given: Given) -> list[TrackInput]:
    """Return the tracks with what the options say about them."""
    names = [track.name for track in tracks]
    for option in FIXES:
        for name, _ in given[option]:
            if name and name not in names:
                near = difflib.get_close_matches(name, names, n=1) or names
                raise click.UsageError(f"there is no track {name!r}; did you mean {' or '.join(near)}?")
    return [_fix(track, given) for track in tracks]


def _fix(track: TrackInput, given: Given) -> TrackInput:
    def said(option: str) -> list[str]:
        general = [value for name, value in given[option] if not name]
        return general + [value for name, value in given[option] if name == track.name]

    # A language for all is for all sound: pictures rarely speak.
    spoken = [value for name, value in given["language"] if name == track.name or (not name and track.kind == "audio")]
    return replace(
        track,
        labels=tuple(said("label")),
        intended_track_type=said("track_type")[-1] if said("track_type") else None,
        kid=KEY_ID.convert(said("kid")[-1], None, None) if said("kid") else None,
        language=spoken[-1] if spoken else track.language,
    )


def _form(given: Given) -> str:
    return "json" if "json" in given["formats"] else "text"


def _check_output(folder: Path) -> None:
    """Refuse an output that cannot be made before keys are asked for, which may cost money."""
    from drmkit.stream.staging import check_new  # noqa: PLC0415

    check_new(folder)


def _tell_source(app: App, given: Given, tracks: Sequence[TrackInput]) -> None:
    would = describe_source(app, given)
    rows = [{"track": track.name, "kind": track.kind, "input": str(track.path)} for track in tracks]
    lines = [f"{row['track']}: {row['kind']}, from {row['input']}" for row in rows]
    data = {"dry_run": True, "tracks": rows, "commands": [], "notes": [would]}
    emit(_form(given), data, lambda: "\n".join([*map(printable, lines), str(would)]))


def _tell_notes(app: App, notes: Sequence[str], given: Given) -> None:
    for note in notes if _form(given) == "text" else ():
        app.talk(f"note: {note}")


def _places(stream: PackagedStream) -> list[str]:
    places = {"DASH": stream.mpd, "HLS": stream.master}
    return [f"{name}: {path}" for name, path in places.items() if path] or [f"files: {stream.folder}"]


@contextmanager
def _bar(app: App, label: str) -> Iterator[Callable[[int, int], None] | None]:
    """Show on a terminal how far a step is; yields what is told the part and the whole."""
    if app.quiet or not sys.stderr.isatty():
        yield None
        return
    with click.progressbar(length=_STEPS, label=label, file=sys.stderr) as bar:

        def share(part: int, whole: int) -> None:
            bar.update(max(0, min(_STEPS, part * _STEPS // max(whole, 1)) - bar.pos))

        yield share
        bar.update(_STEPS - bar.pos)
