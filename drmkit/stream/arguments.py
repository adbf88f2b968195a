"""Turns a packager run into Shaka Packager's arguments: those that anyone may see, and those that nobody may."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from drmkit.secret import Secret
from drmkit.signaling.pssh import build
from drmkit.stream.manifests import MASTER, MPD
from drmkit.stream.model import OutputFormat, PackagerRun, Plan, PlannedTrack

__all__ = ["command", "private_flags", "show"]


def command(one: PackagerRun, inputs: Sequence[str], folder: str, form: OutputFormat, *, manifests: bool) -> list[str]:
    """Return the arguments of a packager run that hold no secret.

    Args:
        one: the run.
        inputs: the names of its input files, in the order of its tracks.
        folder: the name of the output folder.
        form: how the output is laid out.
        manifests: write DASH and HLS manifests.
    """
    labels = _labels(one)
    argv = [_descriptor(item, name, folder, form, labels) for item, name in zip(one.tracks, inputs, strict=True)]
    argv += ["--quiet", f"--temp_dir={folder}/.scratch", f"--segment_duration={form.segment_seconds:g}"]
    if one.scheme:
        argv += ["--enable_raw_key_encryption", f"--protection_scheme={one.scheme}", "--clear_lead=0"]
        if not one.pssh:
            # Without boxes of its own, the packager would add a common one that the document does not have.
            argv.append("--mp4_include_pssh_in_stream=false")
    if manifests:
        argv += [f"--mpd_output={folder}/{MPD}", f"--hls_master_playlist_output={folder}/{MASTER}"]
        argv.append("--hls_playlist_type=VOD")
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
    for one in made.runs:
        inputs = [str(item.track.path) for item in one.tracks]
        argv = command(one, inputs, str(output), form or OutputFormat(), manifests=len(made.runs) == 1)
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


def _descriptor(item: PlannedTrack, source: str, folder: str, form: OutputFormat, labels: dict[str, str]) -> str:
    track = item.track
    fields = {"in": source, "stream": track.kind}
    if form.layout == "file":
        fields["output"] = f"{folder}/{track.name}.mp4"
    else:
        fields["init_segment"] = f"{folder}/{track.name}/init.mp4"
        fields["segment_template"] = f"{folder}/{track.name}/$Number$.m4s"
    if item.use:
        fields["drm_label"] = labels[track.name]
    else:
        fields["skip_encryption"] = "1"
    fields["playlist_name"] = f"{track.name}.m3u8"
    if track.kind == "audio":
        fields |= {"hls_group_id": "audio", "hls_name": track.name}
    if track.language:
        fields["language"] = track.language
    return ",".join(f"{name}={value}" for name, value in fields.items())
