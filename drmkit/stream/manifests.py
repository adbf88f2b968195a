"""Takes out of the packager's manifests what the key document does not say."""

from __future__ import annotations

import re
from pathlib import Path

from drmkit.errors import PackagingError
from drmkit.identifiers import DrmSystem
from drmkit.stream.model import PackagerRun

__all__ = ["MASTER", "MPD", "mend_manifests"]

MPD, MASTER = "manifest.mpd", "master.m3u8"

_KEY_TAG = "#EXT-X-KEY:"
_IDENTITY = re.compile(r'#EXT-X-KEY:(?=.*URI="data:)(?=.*KEYFORMAT="identity").*\n')
_COMMON = re.compile(
    rf'\s*<ContentProtection schemeIdUri="urn:uuid:{DrmSystem.COMMON.value}">\s*'
    r"<cenc:pssh>[^<]*</cenc:pssh>\s*</ContentProtection>"
)


def mend_manifests(folder: Path, one: PackagerRun) -> list[str]:
    """Correct the DASH and HLS manifests that one run of Shaka Packager wrote, and return notes in sentences.

    Where a document has no PSSH boxes, the packager adds a common one (W3C "cenc" initialization data) of its own.
    For a common box in cbcs it writes an HLS key tag of format "identity" whose URI holds the key ID: players take
    what is behind such a URI as the key itself (RFC 8216, clause 4.3.2.4), and decrypt to noise.

    Args:
        folder: the folder that holds the manifests.
        one: the run that wrote them.

    Raises:
        PackagingError: a manifest was not written.
    """
    if not one.pssh:
        _rewrite(folder / MPD, _COMMON)
    notes = []
    for item in one.tracks:
        text = _rewrite(folder / f"{item.track.name}.m3u8", _IDENTITY)
        if item.use and _KEY_TAG not in text:
            notes.append(
                f"the HLS playlist of track {item.track.name} has no key tag: the document has no PSSH box of a"
                " DRM system that the packager can signal in HLS"
            )
    return notes


def _rewrite(path: Path, unwanted: re.Pattern[str]) -> str:
    if not path.is_file():
        raise PackagingError(f"the packager ended well but did not write {path.name}")
    text = path.read_text(encoding="utf-8")
    mended = unwanted.sub("", text)
    if mended != text:
        path.write_text(mended, encoding="utf-8")
    return mended
