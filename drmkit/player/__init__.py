"""A player page and what it needs of a server: a ClearKey license server, media files by Range, Shaka Player itself.

- `drmkit.player.app`: `routes`, which a server mounts
- `drmkit.player.page`: the page's own files, under a strict content security policy
- `drmkit.player.license`: the ClearKey license server, and `drmkit.player.sessions`: who may ask it
- `drmkit.player.licenserequest`: how license servers read requests, the sandbox's one too
- `drmkit.player.media`: the files of a folder, with Range
- `drmkit.player.shaka`: find Shaka Player on this machine
- `drmkit.player.manifest`: tell DASH and HLS manifests from other files
- `drmkit.player.keys`: the content keys of a CPIX document or a key file
- `drmkit.player.drmtoday`: DRMtoday's license servers
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from drmkit.player.app import routes

__all__ = ["routes"]


def __getattr__(name: str) -> Any:
    """Import `routes` when it is asked for: the parts that serve nothing do without the extra `sandbox`."""
    if name != "routes":
        raise AttributeError(name)
    from drmkit.player.app import routes  # noqa: PLC0415

    return routes
