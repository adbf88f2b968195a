"""The sandbox's page says what there is: every fault, every profile, every call of the admin API, every fixture."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from starlette.routing import Mount

from drmkit import pytest_plugin
from drmkit.sandbox import SandboxOptions
from drmkit.sandbox.admin import admin_routes
from drmkit.sandbox.faultlist import FAULTS
from drmkit.sandbox.faultprofiles import PROFILES
from drmkit.sandbox.optiontext import read_options
from drmkit.sandbox.state import SandboxState

PAGE = (Path(__file__).parents[2] / "docs/sandbox.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The cells of the table whose first heading cell is given."""
    lines = PAGE.partition(f"| {heading} |")[2].splitlines()[2:]
    table = lines[: next((at for at, line in enumerate(lines) if not line.startswith("|")), len(lines))]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table]


def test_every_fault_is_in_the_table() -> None:
    """The table of faults is the list in the code, in its order and its words."""
    assert rows("fault") == [[f"`{fault.name}`", fault.summary] for fault in FAULTS.values()]


def test_every_profile_is_in_the_table() -> None:
    """Likewise the table of profiles, with the faults of each."""
    assert rows("profile") == [
        [f"`{item.name}`", item.summary, ", ".join(f"`{setting}`" for setting in item.settings)]
        for item in PROFILES.values()
    ]


def test_every_admin_call_is_in_the_table() -> None:
    """The table of calls names each method and path that the admin API has, and no other."""
    (mount,) = admin_routes(SandboxState(SandboxOptions()), tasks=Any)
    assert isinstance(mount, Mount)
    inner: Any = mount.app
    there = {
        f"{method} /admin{re.sub(r'{(.*?)(:.*?)?}', lambda found: found[1].upper(), route.path)}"
        for route in inner._app.routes
        for method in route.methods - {"HEAD"}
    }
    assert {call for cells in rows("call") for call in re.findall(r"`([A-Z]+ [^`]+)`", cells[0])} == there


def test_every_fixture_is_in_the_table() -> None:
    """The table of fixtures names those of the plugin."""
    fixtures = {name for name in pytest_plugin.__all__ if name.startswith("drmkit_")}
    assert {cells[0].strip("`") for cells in rows("fixture")} == fixtures


def test_the_example_options_can_be_read() -> None:
    """The lines of the ini example mean what they say."""
    lines = PAGE.partition("drmkit_sandbox =\n")[2].partition("```")[0].splitlines()
    options = SandboxOptions(**read_options(lines))
    assert (options.single_use, options.ticket_lifetime, options.fault_seed) == (True, 10.0, 7)
    assert set(options.faults) == set(PROFILES["flaky"].faults)
