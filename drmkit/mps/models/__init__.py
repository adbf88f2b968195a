"""The objects of the MPS API (version 2019-06-12), each loaded with its module when it is first used.

    from drmkit.mps import models
    models.ProcessMediaRequest, models.DrmInfo, models.WorkflowTask, ...

Names are the API's; fields are snake_case in Python and the API's PascalCase on the wire. The modules:

- `storage`, `templates`, `enhance`, `streaming`, `smart`, `request`: what a request is made of
- `media`, `review`, `recognition`, `analysis`, `production`, `quality`, `subtitles`, `dubbing`: results
- `task`, `detail`: whole tasks and the answers that hold them
- `live`, `live_notification`: live streams
- `vod`: the way to MPS through Video on Demand
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["MODULES", "find"]

MODULES = (
    "storage",
    "streaming",
    "request",
    "templates",
    "smart",
    "enhance",
    "detail",
    "task",
    "media",
    "quality",
    "subtitles",
    "dubbing",
    "review",
    "recognition",
    "analysis",
    "production",
    "live",
    "live_notification",
    "vod",
)


def find(name: str) -> type[Any] | None:
    """Return the model with one of the API's names, or None."""
    for module in MODULES:
        loaded = import_module(f"{__name__}.{module}")
        if name in loaded.__all__:
            return getattr(loaded, name)  # type: ignore[no-any-return]  # each module lists its models
    return None


def __getattr__(name: str) -> Any:
    if name in MODULES:  # `from drmkit.mps.models import request` asks here first
        return import_module(f"{__name__}.{name}")
    model = None if name.startswith("_") else find(name)
    if model is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return model
