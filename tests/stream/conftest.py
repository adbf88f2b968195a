"""What the tests of this room share: the installed programs, and a clip."""

from __future__ import annotations

import pytest

from drmkit.stream.clip import make_clip
from drmkit.stream.model import TrackInput
from drmkit.stream.tools import Tools, find_tools


@pytest.fixture(scope="session")
def tools() -> Tools:
    """Return the programs of the extra `packager`, which the development environment holds."""
    return find_tools()


@pytest.fixture(scope="session")
def clip(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> tuple[TrackInput, ...]:
    """Make the demo clip once: 180p, 720p and stereo sound."""
    return make_clip(tmp_path_factory.mktemp("clip") / "tracks", tools=tools)
