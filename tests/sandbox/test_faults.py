"""Faults: by name, counted, and the same again for the same seed."""

from __future__ import annotations

from pathlib import Path

import pytest

import drmkit.sandbox.faults as faults_module
from drmkit.errors import ConfigurationError
from drmkit.sandbox.faultprofiles import PROFILES, find_profile
from drmkit.sandbox.faults import FAULTS, Faults, FaultSetting

SANDBOX = Path(faults_module.__file__).parent
LISTS = {"faultlist.py", "faultprofiles.py"}


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


def test_showing_restores_what_was_on() -> None:
    """Faults of a block end with it, even if it fails; those that were on before are on again, with what they had."""
    faults = Faults([FaultSetting("mps-html", times=3), FaultSetting("cas-crlf", times=1)])

    def fail() -> None:
        with faults.showing("mps-html", FaultSetting("mps-task-stuck"), "cas-crlf:25%"):
            assert faults.active == ("cas-crlf", "mps-html", "mps-task-stuck")
            assert [faults.hit("mps-html") for _ in range(5)] == [True] * 5
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert faults.settings == (FaultSetting("cas-crlf", times=1), FaultSetting("mps-html", times=3))
    with faults.showing("mps-task-fails"):
        assert faults.hit("cas-crlf")
    assert faults.active == ("mps-html",)


def test_showing_nothing_that_is_unknown() -> None:
    """A wrong name in a block is refused before anything is switched on."""
    faults = Faults()
    with pytest.raises(ConfigurationError, match="no fault 'mps-htlm'"), faults.showing("mps-html", "mps-htlm"):
        pass
    assert faults.active == ()


def test_reset_begins_anew() -> None:
    """After `reset` the given faults are on, the counts are gone, and chance repeats from its start."""
    setting = FaultSetting("mps-html", probability=0.5)
    faults = Faults([setting], seed=7)
    first = [faults.hit("mps-html") for _ in range(20)]
    faults.switch_on("cas-crlf")
    faults.reset([setting])
    assert (faults.active, faults.counts) == (("mps-html",), {})
    assert [faults.hit("mps-html") for _ in range(20)] == first


def test_the_listener_hears_each_fault() -> None:
    """Whoever listens is told of each fault that shows, and of none that does not."""
    heard: list[str] = []
    faults = Faults([FaultSetting("mps-html", times=1)], on_hit=heard.append)
    assert [faults.hit("mps-html"), faults.hit("mps-html"), faults.hit("cas-crlf")] == [True, False, False]
    assert heard == ["mps-html"]


def test_profiles_are_sets_of_faults() -> None:
    """Each profile has a sentence and settings that can be read, none twice."""
    assert {"flaky", "slow", "hostile"} <= PROFILES.keys()
    for name, profile in PROFILES.items():
        assert (profile.name, bool(profile.summary)) == (name, True)
        assert [str(setting.name) for setting in profile.faults] == [
            text.partition(":")[0] for text in profile.settings
        ]
        assert len({setting.name for setting in profile.faults}) == len(profile.faults) > 0


def test_flaky_is_what_another_try_cures() -> None:
    """No fault of the profile `flaky` shows always."""
    assert all(setting.probability <= 0.1 for setting in find_profile("flaky").faults)


def test_every_fault_is_shown_somewhere() -> None:
    """No fault is a name alone: a role asks for each, by name or as its kind."""
    code = "".join(path.read_text(encoding="utf-8") for path in SANDBOX.glob("*.py") if path.name not in LISTS)
    missing = [name for name in FAULTS if f'"{name}"' not in code and f'{{role}}-{name.partition("-")[2]}"' not in code]
    assert missing == []
