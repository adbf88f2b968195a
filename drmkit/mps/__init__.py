"""Jobs for Tencent Media Processing Service, DRM first: build, check, sign, submit, follow.

- `drm`: one class for each kind of protection, and the table of what goes with what
- `job`, `livejob`, `vodjob`, `jobfile`: jobs, built or read from a file, checked, turned into requests
- `analysis`, `extended`, `subtitling`, `inspection`, `filenames`: the tasks beside DRM, and the names of files
- `client`, `vodclient`, `credentials`, `credentialchain`, `endpoints`: calls to the API
- `task`, `vodtask`, `results`: the verdict over a task, waiting for it, and what it found and made
- `notification`, `receiver`, `follower`: callbacks: read and verified, taken durably, confirmed and handed on
- `reading`: messages that differ from their documentation, of which nothing is lost
- `cosmoderation`, `cosscenes`: callbacks of live stream moderation by Cloud Object Storage
- `s3policy`, `arns`, `sqs`: Amazon S3 with MPS: its policies, and callbacks from a queue
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
    "ExtendedParameter",
    "Finding",
    "Follower",
    "Job",
    "KeySource",
    "LiveJob",
    "MpsClient",
    "NotificationStore",
    "Poll",
    "Receiver",
    "SqsReader",
    "StreamingTask",
    "TaskDetail",
    "Verdict",
    "VodClient",
    "VodJob",
    "analysis_task",
    "burn_in",
    "inspection_task",
    "live_subtitles_task",
    "parse_extended",
    "subtitles_task",
    "wait",
]

_HOMES = {
    "Credentials": "credentials",
    "Endpoint": "endpoints",
    "ExtendedParameter": "extended",
    "Finding": "findings",
    "Follower": "follower",
    "Job": "job",
    "KeySource": "keysource",
    "LiveJob": "livejob",
    "MpsClient": "client",
    "NotificationStore": "notificationstore",
    "Poll": "task",
    "Receiver": "receiver",
    "SqsReader": "sqs",
    "StreamingTask": "job",
    "TaskDetail": "task",
    "Verdict": "task",
    "VodClient": "vodclient",
    "VodJob": "vodjob",
    "analysis_task": "analysis",
    "burn_in": "subtitling",
    "inspection_task": "inspection",
    "live_subtitles_task": "subtitling",
    "parse_extended": "extended",
    "subtitles_task": "subtitling",
    "wait": "task",
}
_ROOMS = frozenset(
    {
        "analysis",
        "arns",
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
        "s3policy",
        "signing",
        "sqs",
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
