"""Jobs for Tencent Media Processing Service, DRM first: build, check, sign, submit, follow.

- `drm`: one class for each kind of protection, and the table of what goes with what
- `job`, `livejob`, `vodjob`, `jobfile`: jobs, built or read from a file, checked, turned into requests
- `analysis`, `extended`, `subtitling`, `inspection`, `filenames`: the tasks beside DRM, and the names of files
- `client`, `vodclient`, `credentials`, `credentialchain`, `endpoints`: calls to the API
- `task`, `vodtask`, `results`: the verdict over a task, waiting for it, and what it found and made
- `notification`, `receiver`, `follower`: callbacks: read and verified, taken durably, confirmed and handed on
- `cosmoderation`: callbacks of live stream moderation by Cloud Object Storage
- `signing`: TC3-HMAC-SHA256
- `models`: every object of the API that these need

Everything is loaded where it is first used: `from drmkit import mps` itself costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = [
    "Credentials",
    "Endpoint",
    "Finding",
    "Job",
    "KeySource",
    "LiveJob",
    "MpsClient",
    "Poll",
    "StreamingTask",
    "TaskDetail",
    "Verdict",
    "VodClient",
    "VodJob",
    "wait",
]

_HOMES = {
    "Credentials": "credentials",
    "Endpoint": "endpoints",
    "Finding": "findings",
    "Job": "job",
    "KeySource": "keysource",
    "LiveJob": "livejob",
    "MpsClient": "client",
    "Poll": "task",
    "StreamingTask": "job",
    "TaskDetail": "task",
    "Verdict": "task",
    "VodClient": "vodclient",
    "VodJob": "vodjob",
    "wait": "task",
}
_ROOMS = frozenset(
    {
        "analysis",
        "client",
        "cosmoderation",
        "credentialchain",
        "credentials",
        "drm",
        "endpoints",
        "extended",
        "faults",
        "filenames",
        "follower",
        "inspection",
        "job",
        "jobfile",
        "livejob",
        "models",
        "notification",
        "notificationstore",
        "receiver",
        "results",
        "signing",
        "subtitling",
        "task",
        "vodclient",
        "vodjob",
        "vodtask",
    }
)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    if name in _ROOMS:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_ROOMS})
