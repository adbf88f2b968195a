"""The tasks of the sandbox's media processing account that make pictures: accepted, and reported on in the right shape.

Source: https://www.tencentcloud.com/document/product/1041/33690 (MediaProcessTaskResult and what it holds).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from drmkit.sandbox.mps_places import folder_of, stem_of, storage_of
from drmkit.sandbox.mps_task import Subtask, Task, moment_text

__all__ = ["PICTURES", "picture_result", "pictures"]

PICTURES: Final = {
    "AnimatedGraphicTaskSet": "AnimatedGraphics",
    "SnapshotByTimeOffsetTaskSet": "SnapshotByTimeOffset",
    "SampleSnapshotTaskSet": "SampleSnapshot",
    "ImageSpriteTaskSet": "ImageSprites",
}
"""The fields of MediaProcessTask, and the Type of their results; the field of a result is in the singular."""

_DURATION: Final = 4.0
_SAMPLES: Final = 2


def pictures(job: Mapping[str, Any]) -> Iterator[Subtask]:
    """Yield the subtasks of a job that make pictures."""
    for name, kind in PICTURES.items():
        for spec in job.get("MediaProcessTask", {}).get(name, ()):
            yield Subtask(spec, kind=kind)


def picture_result(task: Task, subtask: Subtask) -> dict[str, Any]:
    """Return an entry of MediaProcessResultSet for a task that makes pictures."""
    spec = subtask.spec
    storage = spec.get("OutputStorage") or storage_of(task.job)
    base = f"{folder_of(task.job)}{stem_of(task.job)}_{subtask.kind.removesuffix('s')}_{spec['Definition']}"
    output = {"Definition": spec["Definition"], "Storage": storage} | _OUTPUTS[subtask.kind](spec, base)
    result = {
        "Status": subtask.status,
        "ErrCodeExt": subtask.error,
        "ErrCode": 1 if subtask.status == "FAIL" else 0,
        "Message": subtask.message,
        "Input": spec,
        "Output": output if subtask.status == "SUCCESS" else None,
        "BeginProcessTime": moment_text(task.begun),
        "FinishTime": moment_text(subtask.finished),
    }
    return {"Type": subtask.kind, f"{subtask.kind.removesuffix('s')}Task": result}


def _animated(spec: Mapping[str, Any], base: str) -> dict[str, Any]:
    size = {"Height": 360, "Width": 640, "Bitrate": 400_000, "Size": 100_000, "Md5": ""}
    times = {name: spec[name] for name in ("StartTimeOffset", "EndTimeOffset")}
    return {"Path": f"{base}.gif", "Container": "gif"} | size | times


def _by_time(spec: Mapping[str, Any], base: str) -> dict[str, Any]:
    times = spec.get("TimeOffsetSet") or [0.0]
    shots = [{"TimeOffset": time, "Path": f"{base}_{number}.jpg"} for number, time in enumerate(times)]
    return {"PicInfoSet": [shot | {"WaterMarkDefinition": []} for shot in shots]}


def _samples(spec: Mapping[str, Any], base: str) -> dict[str, Any]:  # noqa: ARG001 (all have these)
    paths = [f"{base}_{number}.jpg" for number in range(_SAMPLES)]
    return {"SampleType": "Percent", "Interval": 50, "ImagePathSet": paths, "WaterMarkDefinition": []}


def _sprites(spec: Mapping[str, Any], base: str) -> dict[str, Any]:  # noqa: ARG001 (all have these)
    size = {"Height": 90, "Width": 160, "TotalCount": int(_DURATION)}
    return size | {"ImagePathSet": [f"{base}_0.jpg"], "WebVttPath": f"{base}.vtt"}


_OUTPUTS: Final[dict[str, Callable[[Mapping[str, Any], str], dict[str, Any]]]] = {
    "AnimatedGraphics": _animated,
    "SnapshotByTimeOffset": _by_time,
    "SampleSnapshot": _samples,
    "ImageSprites": _sprites,
}
