"""What the packager's manifests say beyond the key document."""

from __future__ import annotations

from pathlib import Path

import pytest

from drmkit import cpix
from drmkit.errors import PackagingError
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.signaling import common, hls, widevine
from drmkit.stream.manifests import mend_manifests
from drmkit.stream.model import PackagerRun, Scheme, TrackInput
from drmkit.stream.packager import PackagedStream, package
from drmkit.stream.tools import Tools

KID = KeyId(bytes(range(1, 17)))
COMMON = f"urn:uuid:{DrmSystem.COMMON.value}"


def packaged(
    tools: Tools, clip: tuple[TrackInput, ...], folder: Path, scheme: Scheme, boxes: dict[DrmSystem, bytes]
) -> PackagedStream:
    """Package the sound of the clip with one key and some boxes."""
    builder = cpix.Builder(content_id="sound").content_key(kid=KID, key=bytes(range(16)), scheme=scheme)
    for system, pssh in boxes.items():
        builder.drm_system(kid=KID, system_id=system, pssh=pssh)
    return package(builder.build(), clip[2:], folder / "out", tools=tools)


@pytest.mark.parametrize("scheme", ["cenc", "cbcs"])
def test_boxes_of_the_packagers_own_are_taken_out(
    tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path, scheme: Scheme
) -> None:
    """A document without PSSH boxes gives manifests without them, and a note that HLS has no key tag."""
    made = packaged(tools, clip, tmp_path, scheme, {})
    assert made.mpd is not None
    text = made.mpd.read_text()
    assert f'cenc:default_KID="{KID}"' in text
    assert "pssh" not in text.replace("xmlns", "")
    assert "EXT-X-KEY" not in (made.folder / "audio-2ch.m3u8").read_text()
    assert any("has no key tag" in note for note in made.notes)


def test_key_ids_are_not_offered_as_keys(tools: Tools, clip: tuple[TrackInput, ...], tmp_path: Path) -> None:
    """The "identity" tag whose URI holds the key ID is gone; the document's boxes and the other tags stay."""
    boxes = {
        DrmSystem.COMMON: common.pssh_box([KID]).to_bytes(),
        DrmSystem.WIDEVINE: widevine.pssh_box([KID], "cbcs").to_bytes(),
    }
    made = packaged(tools, clip, tmp_path, "cbcs", boxes)
    (tag,) = hls.parse((made.folder / "audio-2ch.m3u8").read_text())
    assert tag.system is DrmSystem.WIDEVINE
    assert KID.base64 not in (made.folder / "audio-2ch.m3u8").read_text()
    assert made.mpd is not None
    assert COMMON in made.mpd.read_text()
    assert made.notes == ()


def test_missing_manifests_are_noticed(tmp_path: Path) -> None:
    """A packager that ends well without a manifest is not believed."""
    with pytest.raises(PackagingError, match=r"did not write manifest\.mpd"):
        mend_manifests(tmp_path, PackagerRun((), None, ()))
    (tmp_path / "manifest.mpd").write_text("<MPD/>")
    assert mend_manifests(tmp_path, PackagerRun((), None, ())) == []
