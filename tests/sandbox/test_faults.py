"""Faults: by name, counted, and the same again for the same seed."""

from __future__ import annotations

import pytest

from drmkit.errors import ConfigurationError
from drmkit.sandbox.faults import FAULTS, Faults, FaultSetting


def test_every_fault_names_its_role_and_says_what_happens() -> None:
    """Each fault begins with the role that shows it and carries a sentence for people."""
    assert {fault.role for fault in FAULTS.values()} == {"cas", "keyserver", "speke", "mps"}
    assert all(fault.summary and fault.name == name for name, fault in FAULTS.items())


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ("mps-html", FaultSetting("mps-html")),
        ("mps-html:3", FaultSetting("mps-html", times=3)),
        ("mps-html:25%", FaultSetting("mps-html", probability=0.25)),
    ],
)
def test_settings_are_read_from_text(text: str, setting: FaultSetting) -> None:
    """A command line says NAME, NAME:TIMES or NAME:PERCENT%."""
    assert FaultSetting.parse(text) == setting


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("mps-htlm", "there is no fault 'mps-htlm'"),
        ("mps-html:", "does not say how often"),
        ("mps-html:often", "does not say how often"),
        ("mps-html:0", "cannot show 0 times"),
        ("mps-html:0%", "cannot have the probability 0"),
        ("mps-html:101%", "cannot have the probability 1.01"),
    ],
)
def test_wrong_settings_are_refused(text: str, reason: str) -> None:
    """An unknown fault or a senseless amount is refused with its reason."""
    with pytest.raises(ConfigurationError, match=reason):
        FaultSetting.parse(text)


def test_unknown_fault_hints_at_the_nearest() -> None:
    """A typing mistake is answered with the name that was meant; nonsense with the whole list."""
    with pytest.raises(ConfigurationError) as near:
        FaultSetting("keyserver-wrong-keys")
    assert near.value.hint == "did you mean 'keyserver-wrong-key'?"
    with pytest.raises(ConfigurationError) as far:
        Faults().switch_off("zzz")
    assert "cas-crlf" in (far.value.hint or "")


def test_fault_shows_its_number_of_times() -> None:
    """A fault with a number of times goes off by itself; one without stays until it is switched off."""
    faults = Faults([FaultSetting("mps-html", times=2), FaultSetting("cas-crlf")])
    assert [faults.hit("mps-html") for _ in range(4)] == [True, True, False, False]
    assert all(faults.hit("cas-crlf") for _ in range(4))
    assert faults.active == ("cas-crlf",)
    faults.switch_off("cas-crlf")
    assert not faults.hit("cas-crlf")
    assert faults.counts == {"mps-html": 2, "cas-crlf": 4}


def test_chance_repeats_with_the_seed() -> None:
    """Two runs with one seed show a chance fault at the same tries; other faults in between change nothing."""
    setting = FaultSetting("mps-html", probability=0.5)
    first, second = Faults([setting], seed=7), Faults([setting, FaultSetting("cas-crlf", probability=0.5)], seed=7)
    pattern = [first.hit("mps-html") for _ in range(64)]
    again = []
    for _ in range(64):
        second.hit("cas-crlf")
        again.append(second.hit("mps-html"))
    assert pattern == again
    assert 16 < sum(pattern) < 48
    assert pattern != [Faults([setting], seed=8).hit("mps-html") for _ in range(64)]


def test_clear_switches_everything_off() -> None:
    """After `clear` no fault shows, and the counts stay for the test to read."""
    faults = Faults([FaultSetting("mps-html"), FaultSetting("cas-crlf")])
    assert faults.hit("mps-html")
    faults.clear()
    assert faults.active == ()
    assert not faults.hit("mps-html")
    assert faults.counts == {"mps-html": 1}
