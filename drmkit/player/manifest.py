"""Tells DASH and HLS manifests from other files, before a player is asked to play them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from drmkit.errors import InputError

__all__ = ["ManifestType", "check_manifest"]

ManifestType = Literal["DASH", "HLS"]

_HEAD = 64 * 1024
_MPD = re.compile(rb"<([A-Za-z_][\w.-]*:)?MPD[\s/>]")
_SUFFIXES: dict[str, ManifestType] = {".mpd": "DASH", ".m3u8": "HLS"}
_MARK = b"\xef\xbb\xbf"


def check_manifest(path: Path) -> ManifestType:
    """Return the type of a manifest file.

    Raises:
        InputError: the file is missing or unreadable, is no manifest, or its name does not say that it is one.
    """
    if path.is_dir():
        inside = sorted(child.name for child in path.iterdir() if child.suffix.lower() in _SUFFIXES)
        hint = f"name a manifest in it: {', '.join(inside[:5])}" if inside else "there is no .mpd or .m3u8 file in it"
        raise InputError(f"{path} is a folder", hint=hint)
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD).removeprefix(_MARK).lstrip()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no usable path"
        raise InputError(f"{path} cannot be read ({reason})", hint="check the path and its permissions") from None
    found: ManifestType | None = "HLS" if head.startswith(b"#EXTM3U") else "DASH" if _MPD.search(head) else None
    if found is None:
        raise InputError(f"{path} is no DASH or HLS manifest", hint="give the .mpd or .m3u8 file of the stream")
    if _SUFFIXES.get(path.suffix.lower()) != found:
        suffix = next(suffix for suffix, kind in _SUFFIXES.items() if kind == found)
        raise InputError(f"{path} holds {found} under another name", hint=f"let its name end in {suffix}")
    return found
