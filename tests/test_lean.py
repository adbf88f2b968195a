"""httpx is loaded without its command line, and a program that has loaded it already keeps what it has."""

from __future__ import annotations

import subprocess
import sys

import pytest

COSTLY = "{'rich', 'click', 'pygments', 'httpx._main'} & set(sys.modules)"


@pytest.mark.parametrize(
    "code",
    [
        f"import sys, drmkit.http; assert not {COSTLY}; assert drmkit.http.httpx.Client",
        "import sys, httpx; main = httpx.main; import drmkit.http; assert httpx.main is main",
        "import sys; from drmkit.lean import httpx; import httpx._main; assert httpx._main.main",
    ],
)
def test_httpx_without_its_command_line(code: str) -> None:
    """The HTTP client needs none of it; it is not replaced where it is loaded, and can be loaded later."""
    subprocess.run([sys.executable, "-c", code], check=True)
