"""Turns a packager run into Shaka Packager's arguments: those that anyone may see, and those that nobody may."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from drmkit.secret import Secret
from drmkit.signaling.pssh import build
from drmkit.stream.model import OutputFormat, PackagerRun, Plan, PlannedTrack
from drmkit.stream.naming import TrackNames, name_tracks

__all__ = [
    "Container",
    "command",
    "draft_master",
    "draft_mpd",
    "draft_playlist",
    "private_flags",
    "show",
    "track_names",
]

Container = Literal["mp4", "ts"]


def draft_mpd(number: int) -> str:
    """Return the name of the DASH manifest that one run writes, to be merged with those of the others."""
    return f".run{number}.mpd"


def draft_master(number: int) -> str:
    """Return the name of the HLS multivariant playlist that one run writes."""
    return f".run{number}.m3u8"


def draft_playlist(track: str) -> str:
    """Return the name of the HLS media playlist that a run writes for a track."""
    return f".{track}.m3u8"


def track_names(made: Plan, form: OutputFormat) -> dict[str, TrackNames]:
    """Return what each track's files are called, by the track's name.

    Raises:
        InputError: two files would have one name.
    """
    tracks = [item.track.name for item in made.tracks]
    named = name_tracks(form.names, tracks, layout=form.layout, manifests=form.manifests)
    return dict(zip(tracks, named, strict=True))


def command(
    one: PackagerRun,
    inputs: Sequence[str],
    folder: str,
    form: OutputFormat,
    names: Mapping[str, TrackNames],
    *,
    number: int = 0,
    container: Container = "mp4",
) -> list[str]:
    """Return the arguments of a packager run that hold no secret.

    Every run writes manifests of its own, under hidden names at the top of the folder: drmkit reads there what the
    packager has learned about the tracks. From elsewhere the packager would not write relative URLs.

    Args:
        one: the run.
        inputs: the names of its input files, in the order of its tracks.
        folder: the name of the output folder.
        form: how the output is laid out.
        names: what each track's files are called, by the track's name.
        number: the run's number.
        container: "mp4", or "ts" for MPEG-TS segments.
    """
    labels = _labels(one)
    argv = []
    for item, source in zip(one.tracks, inputs, strict=True):
        fields = {"in": source, "stream": item.selector or item.track.kind}
        fields |= _output(names[item.track.name], folder, form, container)
        fields |= _description(item, labels.get(item.track.name))
        argv.append(",".join(f"{name}={value}" for name, value in fields.items()))
    argv += ["--quiet", f"--temp_dir={folder}/.scratch", f"--segment_duration={form.segment_seconds:g}"]
    if one.scheme:
        argv += ["--enable_raw_key_encryption", f"--protection_scheme={one.scheme}", "--clear_lead=0"]
        if not one.pssh:
            # Without boxes of its own, the packager would add a common one that the document does not have.
            argv.append("--mp4_include_pssh_in_stream=false")
    argv += [
        f"--mpd_output={folder}/{draft_mpd(number)}",
        f"--hls_master_playlist_output={folder}/{draft_master(number)}",
        "--hls_playlist_type=VOD",
    ]
    if form.layout == "segments":
        argv.append("--generate_static_live_mpd")
    return argv


def private_flags(one: PackagerRun) -> Secret[str]:
    """Return the arguments of a packager run that must not be seen, in the form of an Abseil flag file."""
    labels = _labels(one)
    keys = {}
    for item in one.tracks:
        if item.use:
            iv = f":iv={item.use.iv.hex()}" if item.use.iv is not None else ""
            kid, key = item.use.kid.hex, item.use.key.reveal().hex()
            keys[item.use.kid] = f"label={labels[item.track.name]}:key_id={kid}:key={key}{iv}"
    lines = [f"--keys={','.join(keys.values())}"] if keys else []
    if one.pssh:
        lines.append(f"--pssh={build(one.pssh).hex()}")
    return Secret("".join(f"{line}\n" for line in lines))


def show(made: Plan, output: Path, form: OutputFormat | None = None) -> list[str]:
    """Return the commands that a plan would run, for people: keys masked, IVs and PSSH boxes shown.

    Args:
        made: the plan.
        output: the folder that the files would go to.
        form: how the output is laid out.
    """
    lines = []
    shape = form or OutputFormat()
    names = track_names(made, shape)
    for number, one in enumerate(made.runs):
        inputs = [str(item.track.path) for item in one.tracks]
        argv = command(one, inputs, str(output), shape, names, number=number)
        flags = private_flags(one).reveal()
        for item in one.tracks:
            if item.use:
                flags = flags.replace(f"key={item.use.key.reveal().hex()}", f"key={item.use.key}")
        lines.append(shlex.join(["packager", *argv, *flags.splitlines()]))
    return lines


def _labels(one: PackagerRun) -> dict[str, str]:
    """Return the packager's label for each track's name: one label a key."""
    kids = list(dict.fromkeys(item.use.kid for item in one.tracks if item.use))
    return {item.track.name: f"K{kids.index(item.use.kid)}" for item in one.tracks if item.use}


def _output(names: TrackNames, folder: str, form: OutputFormat, container: Container) -> dict[str, str]:
    if form.layout == "file":
        return {"output": f"{folder}/{names.file}"}
    # MPEG-TS has no initialization segment.
    fields = {"init_segment": f"{folder}/{names.init}"} if container == "mp4" else {}
    return fields | {"segment_template": f"{folder}/{names.segment}"}


def _description(item: PlannedTrack, label: str | None) -> dict[str, str]:
    track = item.track
    fields = {"drm_label": label} if label else {"skip_encryption": "1"}
    fields["playlist_name"] = draft_playlist(track.name)
    if track.kind == "audio":
        fields |= {"hls_group_id": "audio", "hls_name": track.name}
    if track.language:
        fields["language"] = track.language
    return fields
