"""What the tests of `stream check` share: streams made once, and copies of them to spoil."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from packedstreams import pack

from drmkit.stream.model import TrackInput
from drmkit.stream.tools import Tools


@pytest.fixture(scope="session")
def packed(
    tools: Tools, clip: tuple[TrackInput, ...], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path]:
    """Return a sound stream of a scheme, packaged once a session."""
    made: dict[str, Path] = {}

    def stream(scheme: str) -> Path:
        if scheme not in made:
            made[scheme] = pack(tools, clip, tmp_path_factory.mktemp(scheme) / "stream", scheme)
        return made[scheme]

    return stream


@pytest.fixture
def copied(packed: Callable[[str], Path], tmp_path: Path) -> Callable[[str], Path]:
    """Return a copy of a sound stream, to spoil."""
    return lambda scheme: Path(shutil.copytree(packed(scheme), tmp_path / scheme))
