"""File names of outputs: the variables that MPS fills in, and the names that would overwrite each other."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from drmkit.mps.findings import Finding, nearest
from drmkit.mps.models.streaming import AdaptiveDynamicStreamingTaskInput

__all__ = ["VARIABLES", "Variable", "check_names"]

_BRACED = re.compile(r"\{([^{}]*)\}")


class Variable(msgspec.Struct, frozen=True):
    """A variable of file names.

    Attributes:
        fields: the fields of an adaptive-bitrate task in which it has a value; none for live tasks' variables.
        meaning: what MPS writes in its place.
    """

    fields: tuple[str, ...]
    meaning: str


_ALL = ("OutputObjectPath", "SubStreamObjectName", "SegmentObjectName")

VARIABLES = {
    "inputName": Variable(_ALL, "the name of the input file"),
    "inputFormat": Variable(_ALL, "the format of the input file"),
    "definition": Variable(_ALL, "the ID of the template"),
    "format": Variable(_ALL, "the format of the output file"),
    "subStreamNumber": Variable(_ALL[1:], "the number of the substream"),
    "segmentNumber": Variable(_ALL[2:], "the number of the segment"),
    "number": Variable(_ALL[2:], "the number of the .ts file under HLS"),
    "taskId": Variable((), "the ID of the task; for live tasks"),
    "rand": Variable((), "a random number; for live tasks"),
    "streamId": Variable((), "the ID of the stream; for live tasks"),
}
"""The variables of file names (MPS documentation, "Filename Variable", and the fields that name further ones)."""


def check_names(task: AdaptiveDynamicStreamingTaskInput, path: str) -> Iterator[Finding]:
    """Yield what is wrong with the file names of an adaptive-bitrate task."""
    manifest, substream, segment = task.output_object_path, task.sub_stream_object_name, task.segment_object_name
    for field, name in zip(_ALL, (manifest, substream, segment), strict=True):
        if name:
            yield from _check_variables(f"{path}.{field}", field, name)
    if manifest and not manifest.endswith(".{format}"):
        yield Finding(
            f"{path}.OutputObjectPath", f"{manifest!r} does not end with .{{format}}", "end it with .{format}"
        )
    for field, name in (("SubStreamObjectName", substream), ("SegmentObjectName", segment)):
        if name and name.startswith("/"):
            yield Finding(f"{path}.{field}", f"{name!r} is absolute", "write it relative to the manifest")
    yield from _check_distinct(substream, segment, path)


def _check_distinct(substream: str | None, segment: str | None, path: str) -> Iterator[Finding]:
    if substream and "{subStreamNumber}" not in substream:
        yield Finding(
            f"{path}.SubStreamObjectName", "all substreams get the same name", "add {subStreamNumber}", "warning"
        )
    if segment and not ("{segmentNumber}" in segment or "{number}" in segment):
        yield Finding(f"{path}.SegmentObjectName", "all segments get the same name", "add {segmentNumber}", "warning")


def _check_variables(path: str, field: str, name: str) -> Iterator[Finding]:
    for wanted in _BRACED.findall(name):
        variable = VARIABLES.get(wanted)
        if variable is None:
            close = nearest(wanted, VARIABLES)
            fix = f"write {{{close}}}" if close else f"use {', '.join(sorted(VARIABLES))}"
            yield Finding(path, f"{{{wanted}}} is no variable of MPS", fix)
        elif field not in variable.fields:
            usable = ", ".join(f"{{{key}}}" for key, item in VARIABLES.items() if field in item.fields)
            yield Finding(path, f"{{{wanted}}} has no value here ({variable.meaning})", f"use {usable}")
    if re.search(r"[{}]", _BRACED.sub("", name)):
        yield Finding(path, f"{name!r} has a brace without its partner", "close every { with a }")
