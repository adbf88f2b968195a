"""Environments of their own for the programs that drmkit is compared with; made once, in .venv-bench."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import venv
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / ".venv-bench"


def python_with(*requirements: str) -> Path:
    """Return the Python of an environment that holds these packages and nothing else, making it where it is missing.

    Args:
        requirements: as pip takes them, such as `cpix==1.4.1`.
    """
    name = hashlib.sha256("\n".join(sorted(requirements)).encode()).hexdigest()[:12]
    folder = FOLDER / name
    python = folder / "bin" / "python"
    ready = folder / ".ready"
    if not ready.exists():
        print(f"setting up: {', '.join(requirements)} in an environment of their own", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *requirements], check=True)
        ready.touch()
    return python
