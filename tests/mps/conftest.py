"""Fixtures of the MPS room: a job of every kind, and the machine-readable schema of the API."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from drmkit.mps import drm
from drmkit.mps.job import Job, StreamingTask
from drmkit.secret import Secret

SHARED = Path(__file__).parents[3] / "shared"
IV = "00112233445566778899aabbccddeeff"
URL = "https://fe.drmtoday.com/frontend/cpix/v1/org/ingest/config?ticket=ST-canary"


@pytest.fixture(scope="session")
def oracle() -> Any:
    """Tencent's machine-readable schema as a function: findings of a body against an object."""
    path = SHARED / "oracles" / "check_mps.py"
    if not path.exists():
        pytest.skip("../shared is absent")
    spec = importlib.util.spec_from_file_location("check_mps", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def make_job() -> Any:
    """A function that builds a valid Widevine job, with changes."""

    def build(**changes: Any) -> Any:
        given = {
            "input": "cos://source-1250000000/ap-singapore/in/movie.mp4",
            "output": "cos://target-1250000000/ap-singapore/out/",
            "tasks": [StreamingTask(12, widevine())],
        }
        return Job.build(**(given | changes))

    return build


def widevine(**changes: Any) -> Any:
    """A Widevine protection, with changes."""
    given = {"resource_id": "movie-1", "key_source": "drmtoday:prod", "iv": IV}
    return drm.Widevine(**(given | changes))


@pytest.fixture(scope="session")
def protections() -> Any:
    """A function that makes a protection of any kind."""

    def make(kind: Any, **changes: Any) -> Any:
        if kind == "simpleaes":
            return drm.SimpleAes(uri="https://keys.example.com/1", key=Secret("0f" * 16), iv=IV)
        given = {"resource_id": "movie-1", "key_source": "drmtoday:prod", "iv": IV}
        return drm.protection(kind)(**(given | changes))

    return make
