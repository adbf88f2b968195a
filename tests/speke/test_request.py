"""Requests: what presets, systems, schemes and periods become, and that it is valid and within the contract."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from speke_requests import ALL, BOXED, certificate

from drmkit.errors import ConfigurationError
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.speke.contract import first_refusal
from drmkit.speke.presets import Contract, TrackRule, recognize, rules
from drmkit.speke.reading import Reading, is_empty, tag
from drmkit.speke.request import KeyPeriod, Places, build_request, derived_key_id, usual_scheme
from drmkit.speke.versions import VERSIONS, of_cpix


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("systems", [BOXED, ALL, (DrmSystem.FAIRPLAY,)], ids=["boxed", "all", "fairplay"])
def test_requests_keep_the_contract(version: str, systems: tuple[DrmSystem, ...]) -> None:
    """Whatever is built by presets is what a strict provider takes."""
    made = build_request("c", version=version, systems=systems, periods=[KeyPeriod(index=3)])
    assert first_refusal(Reading(made, VERSIONS[version])) is None
    assert of_cpix(made.version).name == version
    assert all(is_empty(child) for entry in made.drm_systems for child in entry.element)
    assert not any(len(key.element) for key in made.content_keys)


def test_presets_become_keys_and_rules() -> None:
    """A request for presets holds one key for each of their rules, and its rules are recognized as those presets."""
    made = build_request("c", video="VIDEO-5", audio="AUDIO-3")
    assert len(made.content_keys) == 8
    assert len(made.drm_systems) == 24
    assert recognize(TrackRule.of(rule) for rule in made.usage_rules) == Contract("VIDEO-5", "AUDIO-3")


@pytest.mark.parametrize(
    ("systems", "scheme"),
    [
        (BOXED, "cenc"),
        (ALL, "cbcs"),
        ((DrmSystem.FAIRPLAY,), "cbcs"),
        ((DrmSystem.CLEARKEY_AES128,), "cbc1"),
        ((DrmSystem.CLEARKEY_SAMPLE_AES,), "cbcs"),
    ],
)
def test_the_usual_scheme_is_what_all_systems_play(systems: tuple[DrmSystem, ...], scheme: str) -> None:
    """FairPlay plays cbcs alone, AES-128 is cbc1, and without them it is cenc."""
    assert usual_scheme(systems) == scheme
    made = build_request("c", systems=systems)
    assert {key.scheme for key in made.content_keys} == {scheme}


def test_key_ids_stay_the_same_for_a_content_and_a_period() -> None:
    """Asking again asks for the same key IDs; another content, track or period has others."""
    first, second = (build_request("c") for _ in range(2))
    assert [key.kid for key in first.content_keys] == [key.kid for key in second.content_keys]
    names = [("c", "VIDEO", None), ("d", "VIDEO", None), ("c", "AUDIO", None), ("c", "VIDEO", 1), ("c", "VIDEO", 2)]
    assert len({derived_key_id(*name) for name in names}) == len(names)
    assert str(derived_key_id("c", "VIDEO", None))[14] == "5"


def test_key_ids_may_come_from_elsewhere() -> None:
    """A function gives the key ID of each track and period."""
    made = build_request("c", key_ids=lambda track, period: KeyId(track.ljust(16).encode()))
    assert [key.kid.raw.strip() for key in made.content_keys] == [b"VIDEO", b"AUDIO"]


def test_each_period_has_keys_of_its_own() -> None:
    """Two periods and two tracks are four keys, each bound to its period."""
    made = build_request("c", periods=[KeyPeriod(index=1), KeyPeriod(index=2)])
    assert len({key.kid for key in made.content_keys}) == 4
    assert [rule.period_ids for rule in made.usage_rules] == [("keyPeriod_1",)] * 2 + [("keyPeriod_2",)] * 2


def test_times_of_periods_are_written() -> None:
    """SPEKE 2.1 says when a period begins and ends, for live and for VOD."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    live = KeyPeriod(index=1, start=start, end=start + timedelta(seconds=6))
    vod = KeyPeriod(index=2, start_offset=timedelta(0), end_offset=timedelta(seconds=6))
    made = build_request("c", version="2.1", periods=[live, vod])
    assert made.periods[0].element.get("start") == "2026-01-01T00:00:00Z"
    assert made.periods[1].end_offset == timedelta(seconds=6)


def test_version_2_1_calls_the_playlist_master() -> None:
    """CPIX 2.4 says multiVariant, SPEKE 2.1 and AWS's services say master."""
    made = build_request("c", version="2.1")
    assert {e.get("playlist") for e in made.root.iter(tag("HLSSignalingData"))} == {"media", "master"}


def test_version_1_asks_in_its_own_words() -> None:
    """Version 1.0 has `id`, no version and no scheme, one key, and asks FairPlay for URI and key format."""
    made = build_request("c", version="1.0", places=Places(smooth=True))
    assert (made.id, made.content_id, made.version, len(made.content_keys)) == ("c", None, None, 1)
    assert len(made.usage_rules) == 0
    names = {
        DrmSystem.find(entry.system_id): [str(c.tag).rpartition("}")[2] for c in entry.element]
        for entry in made.drm_systems
    }
    assert names == {
        DrmSystem.WIDEVINE: ["PSSH"],
        DrmSystem.PLAYREADY: ["ProtectionHeader", "PSSH"],
        DrmSystem.FAIRPLAY: ["URIExtXKey", "KeyFormat", "KeyFormatVersions"],
    }


def test_version_1_with_presets_says_what_keys_are_for() -> None:
    """Providers that take several keys in version 1.0 find rules with filters."""
    made = build_request("c", version="1.0", video="VIDEO-2", audio="AUDIO-1", scheme="cbcs")
    assert [rule.intended_track_type for rule in made.usage_rules] == ["SD", "HD", "AUDIO"]
    assert {key.scheme for key in made.content_keys} == {"cbcs"}


def test_a_bare_request_has_no_places() -> None:
    """Providers that fill a system by its ID alone get no places."""
    made = build_request("c", version="1.0", bare=True)
    assert all(len(entry.element) == 0 for entry in made.drm_systems)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("content_id", ["5E99137A-BD6C-4ECC-A24D-A3EE04B4E011", "12345", "a film/1", "m"])
def test_any_content_id_can_be_asked_for(version: str, content_id: str) -> None:
    """Content IDs begin with digits and hold spaces, also in version 1.0, where they stand in an XML ID."""
    made = build_request(content_id, version=version)
    assert (made.id if version == "1.0" else made.content_id) == content_id
    assert first_refusal(Reading(made, VERSIONS[version])) is None


def test_recipients_are_named() -> None:
    """A certificate asks for encrypted keys."""
    made = build_request("c", certificates=[certificate(2048)])
    assert made.recipients[0].certificate == certificate(2048)
    # A provider appends its DocumentKey: an empty one before it would make two.
    assert [str(child.tag) for child in made.recipients[0].element] == [tag("DeliveryKey")]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"systems": ()}, "at least one"),
        ({"systems": (DrmSystem.WIDEVINE, DrmSystem.WIDEVINE)}, "each DRM system once"),
        ({"version": "3.0"}, "no SPEKE version '3.0'"),
        ({"periods": [KeyPeriod(index=1), KeyPeriod(index=1)]}, "two key periods have one index"),
        ({"places": Places(hdcp=True)}, "SPEKE 2.0 has no times"),
        ({"periods": [KeyPeriod(index=1, start_offset=timedelta(0))]}, "SPEKE 2.0 has no times"),
        ({"video": "VIDEO-77"}, "no video preset"),
    ],
)
def test_impossible_requests_are_refused(arguments: dict[str, object], reason: str) -> None:
    """What a version does not have, or what contradicts itself, is refused before anything is sent."""
    with pytest.raises(ConfigurationError, match=reason):
        build_request("c", **arguments)  # type: ignore[arg-type]


def test_version_1_takes_one_preset_as_well_as_two() -> None:
    """Without presets one key serves everything; with one of them, the other has its usual value."""
    made = build_request("c", version="1.0", video="VIDEO-2")
    assert [rule.intended_track_type for rule in made.usage_rules] == ["SD", "HD", "AUDIO"]
    assert len(build_request("c", version="1.0").content_keys) == 1


def test_a_request_names_its_content() -> None:
    """An empty content ID, which a provider refuses, is refused before it is sent."""
    for empty in ("", " \n"):
        with pytest.raises(ConfigurationError, match="the content ID is empty"):
            build_request(empty)


def test_a_contract_of_ones_own_needs_no_preset() -> None:
    """Rules can be given instead of presets."""
    made = build_request("c", contract=rules("SHARED", "SHARED"))
    assert [rule.intended_track_type for rule in made.usage_rules] == ["ALL"]
