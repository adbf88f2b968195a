"""The command line: `drmkit [-v|-q] [--config FILE] [--profile NAME] GROUP COMMAND [--format text|json]`."""

from __future__ import annotations

from drmkit.cli.main import main

__all__ = ["main"]
