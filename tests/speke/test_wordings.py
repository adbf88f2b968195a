"""Signaling by pattern is the signaling that is made anew, byte for byte."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drmkit.errors import SignalingError
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.keys.derivation import DerivedKey
from drmkit.secret import Secret
from drmkit.signaling import material
from drmkit.signaling.material import Options
from drmkit.signaling.schemes import SCHEMES
from drmkit.speke.wordings import BOXED, fairplay_tags, texts

OPTIONS = [
    Options(),
    Options(
        widevine_provider="acme",
        widevine_content_id=b"content",
        widevine_policy="default",
        playready_la_url="https://example.com/a?b=c&d=e",
        playready_lui_url="https://example.com/ui",
    ),
]


@settings(max_examples=150)
@given(
    st.binary(min_size=16, max_size=16),
    st.binary(min_size=16, max_size=16) | st.binary(min_size=8, max_size=8),
    st.sampled_from(sorted(BOXED, key=lambda system: system.name)),
    st.sampled_from(SCHEMES),
    st.sampled_from(OPTIONS),
)
def test_patterns_give_what_is_made_anew(
    raw: bytes, value: bytes, system: DrmSystem, scheme: str, options: Options
) -> None:
    """For any key ID, key, system, scheme and option, both ways give the same bytes in every place."""
    key = DerivedKey(KeyId(raw), Secret(value))
    made = material.make(system, key.kid, scheme, key=value, options=options)
    assert made.pssh is not None
    expected = {
        "PSSH": made.pssh.to_bytes(),
        "ContentProtectionData": made.content_protection,
        "media": made.hls_media and made.hls_media.encode(),
        "master": made.hls_master and made.hls_master.encode(),
        "URIExtXKey": made.key_uri and made.key_uri.encode(),
        "SmoothStreamingProtectionHeaderData": made.smooth and base64.b64decode(made.smooth),
        "speke:ProtectionHeader": made.pssh.data if system is DrmSystem.PLAYREADY else None,
    }
    found = {name: base64.b64decode(text) for name, text in texts(system, key, scheme, options).items()}
    assert found == {name: wanted for name, wanted in expected.items() if wanted is not None}


def test_an_unknown_scheme_is_refused() -> None:
    """What cannot be made cannot be made by pattern."""
    with pytest.raises(SignalingError, match="unknown protection scheme"):
        texts(DrmSystem.WIDEVINE, DerivedKey(KeyId(bytes(16)), Secret(bytes(16))), "cbc7", Options())


@given(st.sets(st.sampled_from(["PSSH", "ContentProtectionData", "media", "master", "HDSSignalingData"])))
def test_only_the_places_that_are_asked_for_are_filled(places: set[str]) -> None:
    """Some places get what all places get there; one that the system does not have is left out."""
    key = DerivedKey(KeyId(bytes(range(16))), Secret(bytes(range(16, 32))))
    everything = texts(DrmSystem.PLAYREADY, key, "cenc", OPTIONS[1])
    found = texts(DrmSystem.PLAYREADY, key, "cenc", OPTIONS[1], places)
    assert found == {place: everything[place] for place in places if place in everything}


@given(st.text(st.characters(blacklist_characters='"\r\n', blacklist_categories=["Cs"]), min_size=1))
def test_fairplay_by_pattern_is_what_is_made_anew(uri: str) -> None:
    """Any key URI stands in both tags as `material.make` writes them."""
    made = material.make(DrmSystem.FAIRPLAY, KeyId(bytes(16)), "cbcs", options=Options(fairplay_uri=lambda _: uri))
    assert fairplay_tags("cbcs", uri) == {"media": made.hls_media, "master": made.hls_master, "URIExtXKey": uri}


@pytest.mark.parametrize(
    ("scheme", "uri", "reason"),
    [
        ("cenc", "skd://x", "FairPlay does not play cenc"),
        ("cbcs", 'skd://"', "double quote or a line break"),
        ("cbcs", "", "is empty"),
    ],
)
def test_what_fairplay_cannot_have_is_refused(scheme: str, uri: str, reason: str) -> None:
    """A scheme that FairPlay does not play, and a URI that cannot stand in a tag, are refused by pattern too."""
    with pytest.raises(SignalingError, match=reason):
        fairplay_tags(scheme, uri)
