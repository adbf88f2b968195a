"""The keys on the wire are the keys of the key store: a stream encrypted with the one decrypts with the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from drmkit import cpix
from drmkit.errors import DrmkitError
from drmkit.stream.clip import make_clip
from drmkit.stream.decrypt import decrypt_hashes, packet_hashes
from drmkit.stream.model import TrackInput
from drmkit.stream.packager import package
from drmkit.stream.tools import Tools, find_tools


@pytest.fixture(scope="module")
def tools() -> Tools:
    """Shaka Packager and ffmpeg."""
    return find_tools()


@pytest.fixture(scope="module")
def clip(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> tuple[TrackInput, ...]:
    """A clip of two seconds with two pictures and a sound."""
    return make_clip(tmp_path_factory.mktemp("clip") / "tracks", tools=tools, seconds=2)


def encrypt_and_compare(
    account: Any, clip: tuple[TrackInput, ...], tools: Tools, folder: Path, scheme: str
) -> list[bool]:
    """Encrypt with what the key server answers; tell for each track whether the key store's key brings it back."""
    answer = account.client.get(account.key_url("movie", **{"x-signaling-alg": scheme}))
    stream = package(cpix.parse(answer.body), clip, folder, tools=tools)
    same = []
    for track in stream.tracks:
        kid = track.planned.use.kid
        clear = packet_hashes(track.planned.track.path, tools=tools)
        try:
            same.append(decrypt_hashes(track.files, {kid: account.sandbox.stored_key(kid)}, tools=tools) == clear)
        except DrmkitError:
            same.append(False)
    return same


@pytest.mark.parametrize("scheme", ["cenc", "cbcs"])
def test_stream_decrypts_with_the_stores_keys(
    shared: Any, clip: tuple[TrackInput, ...], tools: Tools, tmp_path: Path, scheme: str
) -> None:
    """Every track, encrypted by Shaka Packager with its key from the wire, decrypts with the key store's key."""
    assert encrypt_and_compare(shared, clip, tools, tmp_path / "out", scheme) == [True] * len(clip)


@pytest.mark.parametrize("fault", ["keyserver-kid-as-key", "keyserver-wrong-key", "keyserver-swapped-keys"])
def test_wrong_keys_package_fine_and_do_not_decrypt(
    shared: Any, clip: tuple[TrackInput, ...], tools: Tools, tmp_path: Path, fault: str
) -> None:
    """Wrong, swapped and echoed keys go unnoticed by the packager, and no track decrypts with the store's key."""
    shared.sandbox.faults.switch_on(f"{fault}:1")
    assert encrypt_and_compare(shared, clip, tools, tmp_path / "out", "cenc") == [False] * len(clip)
