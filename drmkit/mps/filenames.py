"""File names of outputs: the variables that MPS fills in, and the names that would overwrite each other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import msgspec

from drmkit.errors import JobError
from drmkit.mps.findings import Finding, nearest, raise_errors
from drmkit.mps.models.streaming import AdaptiveDynamicStreamingTaskInput
from drmkit.mps.wire import Model

__all__ = [
    "USES",
    "VARIABLES",
    "Use",
    "Variable",
    "check_names",
    "check_pattern",
    "check_task_names",
    "find_use",
    "render",
    "values_of_input",
]

_BRACED = re.compile(r"\{([^{}]*)\}")


class Variable(msgspec.Struct, frozen=True):
    """A variable of file names.

    Attributes:
        uses: the names in which it has a value, by `USES`.
        meaning: what MPS writes in its place.
    """

    uses: tuple[str, ...]
    meaning: str

    @property
    def live(self) -> bool:
        """Whether it has a value for live streams."""
        return "recording" in self.uses

    @property
    def file(self) -> bool:
        """Whether it has a value for files."""
        return self.uses != ("recording",)


class Use(msgspec.Struct, frozen=True):
    """What a name is for.

    Attributes:
        field: the field of the API that holds it.
        meaning: whose name it is.
        default: the name that MPS gives by itself; empty where it is not published.
    """

    field: str
    meaning: str
    default: str = ""


_ALL = ("OutputObjectPath", "SubStreamObjectName", "SegmentObjectName")
_ADAPTIVE = "{inputName}_adaptiveDynamicStreaming_{definition}"

USES = {
    "manifest": Use(_ALL[0], "the manifest of an adaptive-bitrate task", f"{_ADAPTIVE}.{{format}}"),
    "substream": Use(_ALL[1], "a substream of it", f"{_ADAPTIVE}_{{subStreamNumber}}.{{format}}"),
    "segment": Use(
        _ALL[2], "a segment of it, for HLS", f"{_ADAPTIVE}_{{subStreamNumber}}_{{segmentNumber}}.{{format}}"
    ),
    "transcode": Use(
        _ALL[0], "the output of a transcoding task", default="{inputName}_transcode_{definition}.{format}"
    ),
    "transcode-segment": Use(_ALL[2], "a .ts file of it, for HLS"),
    "snapshot": Use(_ALL[0], "a snapshot, sprite or animated graphic"),
    "recording": Use(
        _ALL[0], "the recording of a live stream", default="{taskId}/{rand}/{streamId}_record_{definition}.m3u8"
    ),
}
"""What names are for, by a name of our own."""

_FILES = ("manifest", "substream", "segment", "transcode", "transcode-segment", "snapshot")
_EVERYWHERE = (*_FILES, "recording")

VARIABLES = {
    "inputName": Variable(_FILES, "the name of the input file"),
    "inputFormat": Variable(_FILES, "the format of the input file"),
    "definition": Variable(_EVERYWHERE, "the ID of the template"),
    "format": Variable(_EVERYWHERE, "the format of the output file"),
    "subStreamNumber": Variable(("substream", "segment"), "the number of the substream"),
    "segmentNumber": Variable(("segment",), "the number of the segment"),
    "number": Variable(
        ("segment", "transcode-segment", "snapshot"), "the number of the .ts file under HLS, or of the image"
    ),
    "taskId": Variable(("recording",), "the ID of the task; for live tasks"),
    "rand": Variable(("recording",), "a random number; for live tasks"),
    "streamId": Variable(("recording",), "the ID of the stream; for live tasks"),
}
"""The variables of file names (MPS documentation, "Filename Variable", and the fields that name further ones)."""


def find_use(name: str) -> str:
    """Return what a name is for, by `USES`.

    Raises:
        JobError: there is no such use.
    """
    if name in USES:
        return name
    close = nearest(name, USES)
    raise JobError(f"there is no file name of {name!r}", hint=f"write {close or ', '.join(USES)}")


def check_pattern(pattern: str, use: str, path: str = "the name") -> Iterator[Finding]:
    """Yield what is wrong or doubtful about a file name.

    Args:
        pattern: the name, with variables in braces.
        use: what it is for, by `USES`.
        path: where it stands.
    """
    yield from _check_variables(path, use, pattern)
    if use == "recording" and "{rand}" not in pattern:
        yield Finding(path, "recordings with the same name overwrite each other", "add {rand}", "warning")
    if use == "manifest" and not pattern.endswith(".{format}"):
        yield Finding(path, f"{pattern!r} does not end with .{{format}}", "end it with .{format}")
    if use in {"substream", "segment"} and pattern.startswith("/"):
        yield Finding(path, f"{pattern!r} is absolute", "write it relative to the manifest")
    if use == "substream" and "{subStreamNumber}" not in pattern:
        yield Finding(path, "all substreams get the same name", "add {subStreamNumber}", "warning")
    numbers = {"segment": ("{segmentNumber}", "{number}"), "transcode-segment": ("{number}",)}.get(use, ())
    if numbers and not any(number in pattern for number in numbers):
        yield Finding(path, "all segments get the same name", f"add {numbers[0]}", "warning")


def render(pattern: str, values: Mapping[str, str | int], use: str = "transcode") -> str:
    """Return the file name that MPS makes of a pattern.

    Args:
        pattern: the name, with variables in braces.
        values: the values of the variables.
        use: what it is for, by `USES`.

    Raises:
        JobError: a variable that MPS does not have, that has no value in such a name, or whose value is not given.
    """
    raise_errors(check_pattern(pattern, find_use(use)), "the file name")
    missing = sorted({name for name in _BRACED.findall(pattern) if name not in values})
    if missing:
        raise JobError(f"the file name needs {', '.join(missing)}", hint=f"give {missing[0]} a value")
    return _BRACED.sub(lambda found: str(values[found[1]]), pattern)


def values_of_input(path: str) -> dict[str, str]:
    """Return the variables that an input file decides: `inputName` and `inputFormat`."""
    name = path.rstrip("/").rpartition("/")[2]
    stem, dot, suffix = name.rpartition(".")
    return {"inputName": stem, "inputFormat": suffix} if dot and stem else {"inputName": name, "inputFormat": ""}


def check_task_names(task: Model, path: str) -> Iterator[Finding]:
    """Yield what is wrong with the file names of a task that is no adaptive-bitrate one."""
    kind = type(task).__name__
    if kind == "TranscodeTaskInput":
        uses = {"OutputObjectPath": "transcode", "SegmentObjectName": "transcode-segment"}
    elif kind in {"SnapshotByTimeOffsetTaskInput", "SampleSnapshotTaskInput", "AnimatedGraphicTaskInput"}:
        uses = {"OutputObjectPath": "snapshot"}
    else:
        return
    fields = dict(zip(task.__struct_encode_fields__, msgspec.structs.astuple(task), strict=True))
    for field, use in uses.items():
        if fields[field]:
            yield from check_pattern(fields[field], use, f"{path}.{field}")


def check_names(task: AdaptiveDynamicStreamingTaskInput, path: str) -> Iterator[Finding]:
    """Yield what is wrong with the file names of an adaptive-bitrate task."""
    names = (task.output_object_path, task.sub_stream_object_name, task.segment_object_name)
    for field, use, name in zip(_ALL, ("manifest", "substream", "segment"), names, strict=True):
        if name:
            yield from check_pattern(name, use, f"{path}.{field}")


def _check_variables(path: str, use: str, name: str) -> Iterator[Finding]:
    for wanted in _BRACED.findall(name):
        variable = VARIABLES.get(wanted)
        if variable is None:
            close = nearest(wanted, VARIABLES)
            fix = f"write {{{close}}}" if close else f"use {', '.join(sorted(VARIABLES))}"
            yield Finding(path, f"{{{wanted}}} is no variable of MPS", fix)
        elif use not in variable.uses:
            usable = ", ".join(f"{{{key}}}" for key, item in VARIABLES.items() if use in item.uses)
            yield Finding(path, f"{{{wanted}}} has no value here ({variable.meaning})", f"use {usable}")
    if re.search(r"[{}]", _BRACED.sub("", name)):
        yield Finding(path, f"{name!r} has a brace without its partner", "close every { with a }")
