"""What a sandbox refuses before anything starts."""

from __future__ import annotations

from typing import Any

import pytest

from drmkit.errors import ConfigurationError
from drmkit.sandbox import Sandbox, SandboxOptions
from drmkit.sandbox.faults import FaultSetting
from drmkit.sandbox.state import Credentials
from drmkit.secret import Secret


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com", "", "127.0.0.1.example.com"])
def test_hosts_that_are_not_loopback_are_refused(host: str) -> None:
    """No address but loopback is bound."""
    with pytest.raises(ConfigurationError, match="binds loopback addresses only"):
        SandboxOptions(host=host)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1", "[::1]", "localhost"])
def test_loopback_hosts_are_fine(host: str) -> None:
    """Every spelling of loopback is accepted."""
    assert SandboxOptions(host=host).host == host


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"port": -1}, "a port is 0 to 65535"),
        ({"port": 65536}, "a port is 0 to 65535"),
        ({"ticket_lifetime": 0.0}, "`ticket_lifetime` is a positive number"),
        ({"login_lifetime": float("nan")}, "`login_lifetime` is a positive number"),
        ({"queue_delay": -1.0}, "`queue_delay` is a number of seconds"),
        ({"processing_time": -0.5}, "`processing_time` is a number of seconds"),
        ({"faults": ("flakey",)}, "there is no fault 'flakey'"),
        ({"organization": "a/b"}, "`organization` stands in a URL path"),
        ({"cpix_config": ""}, "`cpix_config` stands in a URL path"),
        ({"username": ""}, "`username` is empty"),
        ({"password": Secret("with\nnewline")}, "`password` is empty or holds a character that does not print"),
        ({"secret_id": "tab\t"}, "`secret_id` is empty or holds"),
        ({"secret_key": Secret("")}, "`secret_key` is empty"),
        ({"key_seed": Secret(b"short")}, "`key_seed` is shorter than 16 bytes"),
        ({"iv_seed": Secret(b"short")}, "`iv_seed` is shorter than 16 bytes"),
        ({"stream_types": ()}, "cannot be mapped"),
        ({"stream_types": ("SD", "SD")}, "cannot be mapped"),
        ({"stream_types": ("VIDEO",)}, "stream types VIDEO cannot be mapped"),
    ],
)
def test_senseless_options_are_refused(options: dict[str, Any], reason: str) -> None:
    """Each option that cannot work is refused with a message that names it."""
    with pytest.raises(ConfigurationError, match=reason):
        SandboxOptions(**options)


def test_random_credentials_are_marked_and_plain() -> None:
    """Credentials that are not given differ at each start, say `sandbox`, and need no quoting anywhere."""
    first, second = Credentials.make(SandboxOptions()), Credentials.make(SandboxOptions())
    for one, other in (
        (first.username, second.username),
        (first.password.reveal(), second.password.reveal()),
        (first.cpix_config, second.cpix_config),
        (first.secret_id, second.secret_id),
        (first.secret_key.reveal(), second.secret_key.reveal()),
    ):
        assert one != other
        assert "sandbox" in one
        assert one.replace("-", "").isalnum()
    assert first.secret_id.startswith("AKIDsandbox")
    assert first.organization != second.organization


def test_credentials_do_not_print() -> None:
    """The credentials' repr shows names and hides passwords and keys."""
    known = Credentials.make(SandboxOptions())
    assert known.username in repr(known)
    assert known.password.reveal() not in repr(known)
    assert known.secret_key.reveal() not in repr(known)


def test_faults_may_be_named_as_on_the_command_line() -> None:
    """Names, amounts and profiles in words are on from the start, and again after a reset."""
    with Sandbox(SandboxOptions(faults=("slow", "mps-html:3", FaultSetting("cas-crlf")), fault_seed=7)) as sandbox:
        started = sandbox.faults.settings
        assert {"cas-slow", "mps-html", "cas-crlf"} <= {setting.name for setting in started}
        assert FaultSetting("mps-html", times=3) in started
        sandbox.faults.clear()
        sandbox.reset()
        assert sandbox.faults.settings == started
