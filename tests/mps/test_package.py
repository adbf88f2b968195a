"""The room as a whole: light to import, and everything that it promises is there."""

from __future__ import annotations

import subprocess
import sys

import pytest

from drmkit import mps


@pytest.mark.parametrize("name", [*mps.__all__, "drm", "models", "client", "notification", "signing"])
def test_everything_promised_is_there(name: str) -> None:
    """Each public name is found where it is promised."""
    assert getattr(mps, name) is not None
    assert name in dir(mps)


def test_nothing_else_is_there() -> None:
    """A name that is not promised is none."""
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = mps.nothing


def test_import_is_light() -> None:
    """Importing the room, and building jobs, loads no HTTP library; the room alone loads no model either."""
    code = (
        "import sys; from drmkit import mps; "
        "assert not {'httpx', 'msgspec', 'lxml'} & set(sys.modules); "
        "mps.Job; mps.drm; mps.signing; assert not {'httpx', 'lxml', 'ssl'} & set(sys.modules); "
        "assert 'drmkit.mps.models.detail' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
