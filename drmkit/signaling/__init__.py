"""DRM signaling: PSSH boxes, PlayReady headers, HLS tags and DASH elements, built and read without any service.

- `pssh`: the boxes themselves, of any system; `describe` says what is in one, `find` finds them in anything
- `widevine`, `playready`, `common`, `fairplay`, `clearkey`, `marlin`: what each system puts into them, or beside them
- `hls`, `dash`, `mp4`: the tags of playlists, the elements of manifests, the boxes inside media files
- `mp4boxes`: the walk over the boxes of a media file, of any kind
- `material`: everything that one system needs for one key
- `fill` gives a CPIX document what its keys and systems need, and `check` finds where a document contradicts itself
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from drmkit.signaling.agreement import check
    from drmkit.signaling.filling import fill

__all__ = ["check", "fill"]

_HOMES = {"check": "drmkit.signaling.agreement", "fill": "drmkit.signaling.filling"}


def __getattr__(name: str) -> Any:
    """Load what needs XML only when it is asked for: boxes alone need none."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
