"""httpx without its command line, whose libraries (rich, click, pygments) take as long to load as httpx itself."""

from __future__ import annotations

import sys

__all__ = ["httpx"]

_COMMAND_LINE = "httpx._main"

# httpx imports its command line for the sake of its program `httpx`, and does without where that is not installed.
# None in sys.modules is how Python itself spells "not installed"; a process that has loaded httpx keeps what it has.
_keep_out = "httpx" not in sys.modules and _COMMAND_LINE not in sys.modules
if _keep_out:
    sys.modules[_COMMAND_LINE] = None  # type: ignore[assignment] # the documented way to block an import
try:
    import httpx
finally:
    if _keep_out:
        sys.modules.pop(_COMMAND_LINE, None)
