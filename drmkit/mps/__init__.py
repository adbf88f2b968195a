"""DRM jobs for Tencent Media Processing Service: build, check, sign, submit, follow.

- `drm`: one class for each kind of protection, and the table of what goes with what
- `job`, `jobfile`: jobs, built or read from a file, checked, turned into requests
- `client`, `credentials`, `credentialchain`, `endpoints`: calls to the API
- `task`: the verdict over a task, and waiting for it
- `notification`, `receiver`, `follower`: callbacks: read and verified, taken durably, confirmed and handed on
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
    "MpsClient",
    "Poll",
    "StreamingTask",
    "TaskDetail",
    "Verdict",
    "wait",
]

_HOMES = {
    "Credentials": "credentials",
    "Endpoint": "endpoints",
    "Finding": "findings",
    "Job": "job",
    "KeySource": "keysource",
    "MpsClient": "client",
    "Poll": "task",
    "StreamingTask": "job",
    "TaskDetail": "task",
    "Verdict": "task",
    "wait": "task",
}
_ROOMS = frozenset(
    {
        "client",
        "credentialchain",
        "credentials",
        "drm",
        "endpoints",
        "faults",
        "follower",
        "job",
        "jobfile",
        "models",
        "notification",
        "notificationstore",
        "receiver",
        "signing",
        "task",
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
