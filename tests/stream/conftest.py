"""What the tests of this room share: the installed programs, a clip, and stand-ins for a key document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from drmkit.identifiers import KeyId
from drmkit.secret import Secret
from drmkit.stream.clip import make_clip
from drmkit.stream.model import TrackInput
from drmkit.stream.tools import Tools, find_tools


@dataclass
class FakeKey:
    """Stands for a content key of a CPIX document."""

    kid: KeyId
    key: Secret[bytes] | None
    iv: bytes | None = None
    scheme: str | None = None


@dataclass
class FakeSystem:
    """Stands for a DRM system of a CPIX document."""

    kid: KeyId
    system_id: str
    pssh: bytes | None


class FakeKeys:
    """Stands for the content keys of a CPIX document."""

    def __init__(self, keys: list[FakeKey]) -> None:
        self._keys = {key.kid: key for key in keys}

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[FakeKey]:
        return iter(self._keys.values())

    def get(self, kid: KeyId) -> FakeKey | None:
        """Return the key with this ID."""
        return self._keys.get(kid)


@dataclass
class FakeDocument:
    """Stands for a CPIX document: keys, boxes, and a choice of keys made by the test."""

    content_keys: FakeKeys
    drm_systems: list[FakeSystem] = field(default_factory=list)
    usage_rules: list[object] = field(default_factory=list)
    periods: list[object] = field(default_factory=list)
    choose: Callable[[Any], FakeKey | None] = lambda _: None

    def key_for(self, track: Any) -> FakeKey | None:
        """Return the key that the test chooses."""
        return self.choose(track)


def kid(number: int) -> KeyId:
    """Return a key ID that is easy to tell from others."""
    return KeyId(bytes([number]) * 16)


def key(number: int, **changes: Any) -> FakeKey:
    """Return a content key with a number of its own."""
    values = {"key": Secret(bytes([0xA0 + number]) * 16), "iv": bytes([0xB0 + number]) * 16, "scheme": "cenc"}
    return FakeKey(kid(number), **{**values, **changes})


@pytest.fixture(scope="session")
def tools() -> Tools:
    """Return the programs of the extra `packager`, which the development environment holds."""
    return find_tools()


@pytest.fixture(scope="session")
def clip(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> tuple[TrackInput, ...]:
    """Make the demo clip once: two sizes of picture and stereo sound."""
    return make_clip(tmp_path_factory.mktemp("clip") / "tracks", tools=tools)
