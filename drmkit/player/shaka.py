"""Finds Shaka Player on this machine: a file that was named, or the package that npm has installed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from drmkit.errors import ConfigurationError

__all__ = ["INSTALL", "VARIABLE", "find_player_js", "named_player_js"]

VARIABLE = "DRMKIT_PLAYER_JS"
INSTALL = f"npm install shaka-player, here or in a folder above; or name the file with --player-js or {VARIABLE}"
_PACKAGE = Path("node_modules", "shaka-player")
_FILES = ("shaka-player.compiled.js", "shaka-player.compiled-es2021.js", "shaka-player.ui.js")


def named_player_js(option: Path | None, environ: Mapping[str, str]) -> Path | None:
    """Return the file that an option or the environment names, or None where neither does.

    Args:
        option: the file, or the folder of the package `shaka-player`.
        environ: the environment; `DRMKIT_PLAYER_JS` counts where there is no option.

    Raises:
        ConfigurationError: what was named is not there.
    """
    named = option if option is not None else Path(environ[VARIABLE]) if environ.get(VARIABLE) else None
    if named is None:
        return None
    found = _in_package(named.expanduser()) if named.expanduser().is_dir() else named.expanduser()
    if found is None or not found.is_file():
        what = "--player-js" if option is not None else VARIABLE
        raise ConfigurationError(f"{what} names {named}, where Shaka Player is not", hint=INSTALL)
    return found.absolute()


def find_player_js(folder: Path) -> Path | None:
    """Return Shaka Player's compiled script from the nearest `node_modules` at or above a folder, or None."""
    for place in (folder, *folder.parents):
        found = _in_package(place / _PACKAGE)
        if found is not None:
            return found
    return None


def _in_package(package: Path) -> Path | None:
    return next((path for name in _FILES if (path := package / "dist" / name).is_file()), None)
