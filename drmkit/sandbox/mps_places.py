"""Where a media task reads and writes: paths in buckets, and the names that its variables make.

Source: https://www.tencentcloud.com/document/product/1041/33690 (AdaptiveDynamicStreamingTaskInput).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from drmkit.sandbox.options import Template

__all__ = [
    "SubstreamNames",
    "folder_of",
    "input_path",
    "output_path",
    "output_storage",
    "stem_of",
    "storage_of",
    "substream_names",
]

_UNPLAIN: Final = re.compile(r"[^A-Za-z0-9._/\0\1-]|(?:^|(?<=/))[.-]+")
# The packager tells the container by the ending.
_ENDINGS: Final = {"ts": ("ts",), "mp4": ("mp4", "m4s", "m4v", "m4a")}
_MANIFEST: Final = "{inputName}_adaptiveDynamicStreaming_{definition}.{format}"
_SUBSTREAM: Final = "{inputName}_adaptiveDynamicStreaming_{definition}_{subStreamNumber}.{format}"
_SEGMENT: Final = "{inputName}_adaptiveDynamicStreaming_{definition}_{subStreamNumber}_{segmentNumber}.{format}"


@dataclass(frozen=True, slots=True)
class SubstreamNames:
    """The patterns of a task's files, relative to its manifest: `{index}` is the substream, `$Number$` the segment.

    They are plain names, since manifests refer to them: what is no letter, digit, `.`, `_` or `-` becomes `_`.

    Attributes:
        playlist: a substream's HLS playlist.
        file: a substream's file, where it has only one.
        init: its initialization segment.
        segment: its segments.
    """

    playlist: str
    file: str
    init: str
    segment: str


def input_path(source: Mapping[str, Any]) -> str:
    """Return the path of an InputInfo's file in its bucket or on its server, from its first slash."""
    if source["Type"] == "URL":
        return unquote(urlsplit(source["UrlInputInfo"]["Url"]).path) or "/"
    names = {
        "COS": ("CosInputInfo", "Object"),
        "AWS-S3": ("S3InputInfo", "S3Object"),
        "VOD": ("VODInputInfo", "Object"),
    }
    member, name = names[source["Type"]]
    return "/" + str(source[member].get(name, "")).lstrip("/")


def output_path(job: Mapping[str, Any], spec: Mapping[str, Any], template: Template) -> str:
    """Return the key of a task's manifest, from its first slash."""
    name = _fill(spec.get("OutputObjectPath") or _MANIFEST, _values(job, spec, template.extension))
    folder = job.get("OutputDir") or f"{str(PurePosixPath(input_path(job['InputInfo'])).parent).rstrip('/')}/"
    return name if name.startswith("/") else f"/{folder.strip('/')}/{name}".replace("//", "/")


def output_storage(job: Mapping[str, Any], spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return the OutputStorage of a task: its own, the job's, or the place of the input."""
    stated: dict[str, Any] | None = spec.get("OutputStorage") or job.get("OutputStorage")
    return stated or _own_storage(job["InputInfo"])


def folder_of(job: Mapping[str, Any]) -> str:
    """Return the folder that a job writes to, with its last slash; VOD's jobs name no input."""
    source = job.get("InputInfo")
    beside = str(PurePosixPath(input_path(source)).parent).rstrip("/") if source else ""
    return str(job.get("OutputDir") or f"{beside}/")


def stem_of(job: Mapping[str, Any]) -> str:
    """Return the name of a job's input without its ending."""
    source = job.get("InputInfo")
    return PurePosixPath(input_path(source)).stem if source else "file"


def storage_of(job: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the OutputStorage of a job: its own, or the bucket of its input."""
    stated: dict[str, Any] | None = job.get("OutputStorage")
    source = job.get("InputInfo", {})
    return _own_storage(source) if stated is None and source.get("Type") == "COS" else stated


def substream_names(job: Mapping[str, Any], spec: Mapping[str, Any], template: Template) -> SubstreamNames:
    """Return the patterns of a task's files beside its manifest."""

    def pattern(text: str, form: str, number: str = "") -> str:
        values = _values(job, spec, form) | {"subStreamNumber": "\0", "segmentNumber": "\1", "number": "\1"}
        plain = _UNPLAIN.sub("_", _fill(text, values).strip("/"))
        known = form == "m3u8" or PurePosixPath(plain).suffix[1:] in _ENDINGS[template.container]
        return (plain if known else f"{plain}.{form}").replace("\0", "{index}").replace("\1", number)

    substream = spec.get("SubStreamObjectName") or _SUBSTREAM
    segment = spec.get("SegmentObjectName") or _SEGMENT
    return SubstreamNames(
        playlist=pattern(substream, "m3u8"),
        file=pattern(substream, template.container),
        init=pattern(segment, "mp4", "init"),
        segment=pattern(segment, "ts" if template.container == "ts" else "m4s", "$Number$"),
    )


def _values(job: Mapping[str, Any], spec: Mapping[str, Any], form: str) -> dict[str, str]:
    source = PurePosixPath(input_path(job["InputInfo"]))
    return {
        "inputName": source.stem,
        "inputFormat": source.suffix.removeprefix("."),
        "definition": str(spec["Definition"]),
        "format": form,
    }


def _fill(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def _own_storage(source: Mapping[str, Any]) -> dict[str, Any]:
    if source["Type"] == "AWS-S3":
        place = source["S3InputInfo"]
        return {"Type": "AWS-S3", "S3OutputStorage": {name: place[name] for name in ("S3Bucket", "S3Region")}}
    kind, member = ("VOD", "VODInputInfo") if source["Type"] == "VOD" else ("COS", "CosInputInfo")
    place = {name: source[member].get(name, "") for name in ("Bucket", "Region")}
    return {"Type": kind, f"{member.removesuffix('InputInfo')}OutputStorage": place}
