"""Run the command line as `python -m drmkit`."""

import sys

from drmkit.cli import main

if __name__ == "__main__":
    sys.exit(main())
