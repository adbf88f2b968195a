"""Options as text: each kind of value, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from drmkit.errors import ConfigurationError
from drmkit.sandbox import FaultSetting, SandboxOptions
from drmkit.sandbox.faultprofiles import PROFILES, read_faults
from drmkit.sandbox.optiontext import read_options


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("organization = mine", "mine"),
        ("username=a = b", "a = b"),
        ("port = 0", 0),
        ("ticket_lifetime = 10s", 10.0),
        ("ticket_lifetime = none", None),
        ("queue_delay = 2m", 120.0),
        ("queue_delay = 0", 0.0),
        ("fault_delay = 0s", 0.0),
        ("single_use = True", True),
        ("encrypt = off", False),
        ("stream_types = AUDIO, HD", ("AUDIO", "HD")),
        ("storage = /tmp/buckets", Path("/tmp/buckets")),
        ("key_acquire_mode = GET", "GET"),
        ("faults = mps-html:3 cas-crlf", (FaultSetting("mps-html", times=3), FaultSetting("cas-crlf"))),
    ],
)
def test_values_are_read_by_their_kind(line: str, value: Any) -> None:
    """Each kind of option comes out as `SandboxOptions` takes it."""
    read = read_options([line])
    assert list(read.values()) == [value]
    assert getattr(SandboxOptions(**read), *read) == value


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "'' is no option"),
        ("single_use", "'single_use' is no option"),
        ("password = x", "there is no option 'password'"),
        ("single_use = maybe", "`single_use` is true or false, not 'maybe'"),
        ("port = many", "`port` is a whole number, not 'many'"),
        ("ticket_lifetime = soon", "`ticket_lifetime` is no length of time: 'soon'"),
        ("queue_delay = none", "`queue_delay` is no length of time: 'none'"),
        ("faults = flakey", "there is no fault 'flakey'"),
    ],
)
def test_what_means_nothing_is_refused(line: str, reason: str) -> None:
    """Each line that cannot be read is refused with its reason."""
    with pytest.raises(ConfigurationError, match=reason):
        read_options([line])


def test_faults_and_profiles_can_be_mixed() -> None:
    """A profile stands for its faults; what is named later overrides."""
    read = {setting.name: setting for setting in read_faults(["flaky", "cas-cut:2", "mps-html"])}
    assert read.keys() == {setting.name for setting in PROFILES["flaky"].faults}
    assert read["cas-cut"] == FaultSetting("cas-cut", times=2)
    assert read["mps-html"] == FaultSetting("mps-html")
