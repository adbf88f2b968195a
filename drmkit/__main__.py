"""Run the command line: `python -m drmkit`, and the program `drmkit`."""

import os
import sys
import time

from drmkit import __version__
from drmkit.keyserver import quick

_NOT_TOLD = 255


def main() -> int:
    """Run the command line and return its exit code.

    A refresh with nothing due is answered before the command line is loaded. Where it cannot be loaded, `key-url due`
    ends with 255: systemd would take Python's own exit code 1 for "not due" and skip renewals for ever.
    """
    known = quick.answer(sys.argv[1:], os.environ, time.time(), version=__version__)
    if known is not None:
        if known:
            sys.stderr.write(f"{known}\n")
        return 0
    try:
        from drmkit.cli.main import main as run  # noqa: PLC0415
        from drmkit.cli.output import ready_streams  # noqa: PLC0415
    except ImportError:
        if "due" not in sys.argv:
            raise
        import traceback  # noqa: PLC0415

        traceback.print_exc()
        return _NOT_TOLD
    ready_streams()
    return run()


if __name__ == "__main__":
    sys.exit(main())
