"""The valid samples: every feature of CPIX, in the versions that have it, and the best-practice cases of CPIX 2.4."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from drmkit.cpix import Document
from samples import makers
from samples.model import ALL, NEW, Sample, finish

__all__ = ["samples"]

Made = tuple[str, str, tuple[str, ...], str, tuple[str, ...], Callable[[], Document]]


def samples() -> Iterator[Sample]:
    """Return every valid sample."""
    for path, shows, accepts, version, rules, make in _ALL:
        yield Sample(
            path=path,
            shows=shows,
            make=lambda make=make, shows=shows: finish(make(), shows),
            accepts=accepts,
            version=version,
            rules=rules,
        )


_FROM_23 = ("2.3", "2.3.1", "2.4")
_TO_231 = ("2.3", "2.3.1")
_ALL: tuple[Made, ...] = (
    ("valid/keys-2.1.xml", "CPIX 2.1: content keys and nothing else", ALL, "2.4", (), lambda: makers.keys_only("2.1")),
    (
        "valid/keys-2.3.xml",
        "CPIX 2.3: content keys and nothing else",
        _FROM_23,
        "2.3",
        (),
        lambda: makers.keys_only("2.3"),
    ),
    (
        "valid/tracks-2.2.xml",
        "CPIX 2.2: three tracks with Widevine and PlayReady, and no place for the scheme",
        ("2.2", "2.3", "2.3.1"),
        "2.3.1",
        (),
        lambda: makers.one_of_each("2.2", "cenc", makers.TWO),
    ),
    (
        "valid/tracks-cenc-2.3.xml",
        "CPIX 2.3: three tracks in cenc with PSSH, MPD, HLS and Smooth data for Widevine and PlayReady",
        _TO_231,
        "2.3",
        (),
        lambda: makers.one_of_each("2.3", "cenc", makers.TWO),
    ),
    (
        "valid/tracks-cbcs-2.3.1.xml",
        "CPIX 2.3.1: three tracks in cbcs with Widevine, PlayReady and FairPlay",
        _TO_231,
        "2.3.1",
        (),
        lambda: makers.one_of_each("2.3.1", "cbcs", makers.THREE),
    ),
    (
        "valid/tracks-cbcs-2.4.xml",
        "CPIX 2.4: the same; the master playlist is called multiVariant",
        NEW,
        "2.4",
        (),
        lambda: makers.one_of_each("2.4", "cbcs", makers.THREE),
    ),
    (
        "valid/request-2.3.xml",
        "CPIX 2.3: a request: keys without values, and empty elements for a key server to fill",
        _TO_231,
        "2.3",
        (),
        makers.request,
    ),
    (
        "valid/filters-2.3.xml",
        "CPIX 2.3: every filter, bounds that meet without overlapping, alternatives, labels",
        _FROM_23,
        "2.3",
        (),
        makers.filters,
    ),
    (
        "valid/old-elements-2.3.xml",
        "CPIX 2.3: URIExtXKey and HDSSignalingData, which 2.4 no longer has",
        _TO_231,
        "2.3",
        (),
        makers.old_elements,
    ),
    (
        "valid/period-index-wraps-2.3.xml",
        "CPIX 2.3: the index of periods starts over after 4294967295",
        _FROM_23,
        "2.3",
        (),
        makers.wrapping,
    ),
    (
        "valid/update-history-2.4.xml",
        "CPIX 2.4: an update history, and versions that refer to it",
        NEW,
        "2.4",
        (),
        makers.history,
    ),
    (
        "valid/hdcp-2.4.xml",
        "CPIX 2.4: HDCPData with a level for HLS and output protection data for the MPD",
        NEW,
        "2.4",
        (),
        lambda: makers.hdcp(scheme="cenc").build(),
    ),
    (
        "valid/several-contents-2.4.xml",
        "CPIX 2.4: keys of two contents, each with a contentId and a scheme of its own",
        NEW,
        "2.4",
        (),
        makers.several_contents,
    ),
    ("valid/period-offsets-2.4.xml", "CPIX 2.4: periods of VOD content, by offsets", NEW, "2.4", (), makers.offsets),
    (
        "valid/period-durations-2.4.xml",
        "CPIX 2.4: periods with index, label, start and duration together",
        NEW,
        "2.4",
        (),
        makers.durations,
    ),
    ("valid/allowed-cpc-2.4.xml", "CPIX 2.4: HLSAllowedCPC and allowedCPC for HLS", NEW, "2.4", (), makers.allowed_cpc),
    (
        "valid/hierarchy-leaves-only-2.4.xml",
        "CPIX 2.4: leaf keys whose root key is not in the document",
        _FROM_23,
        "2.4",
        (),
        makers.leaves_only,
    ),
    (
        "valid/hls-aes-128-2.4.xml",
        "CPIX 2.4: an HLS method name as scheme, with a key URI",
        NEW,
        "2.4",
        (),
        makers.aes128,
    ),
    (
        "valid/custom-drm-2.4.xml",
        "CPIX 2.4: a DRM system that nobody knows, with an element of its own",
        _FROM_23,
        "2.4",
        (),
        makers.custom,
    ),
    (
        "valid/key-256-2.4.xml",
        "CPIX 2.4: a content key of 256 bits, which is unusual",
        _FROM_23,
        "2.4",
        ("key-length-256",),
        makers.long_key,
    ),
    (
        "best-practice/OneContentKey.xml",
        "CPIX 2.4, best practice: one key in cbcs, with HDCP data and a robustness level for each DRM system",
        NEW,
        "2.4",
        (),
        makers.one_content_key,
    ),
    (
        "best-practice/KPTIntentedTrackType.xml",
        "CPIX 2.4, best practice: a key for each kind of track, told by intendedTrackType",
        NEW,
        "2.4",
        (),
        makers.key_per_track,
    ),
    (
        "best-practice/KPTLabelFilter.xml",
        "CPIX 2.4, best practice: the same, told by label filters",
        NEW,
        "2.4",
        (),
        lambda: makers.key_per_track(labels=True),
    ),
    (
        "best-practice/KeyRotationIndex.xml",
        "CPIX 2.4, best practice: key rotation over periods with an index",
        NEW,
        "2.4",
        (),
        lambda: makers.rotation(dates=False),
    ),
    (
        "best-practice/KeyRotationDate.xml",
        "CPIX 2.4, best practice: key rotation over periods with start and end",
        NEW,
        "2.4",
        (),
        lambda: makers.rotation(dates=True),
    ),
    (
        "best-practice/KeyHierarchy.xml",
        "CPIX 2.4, best practice: key rotation with a hierarchy: signaling, HDCP and robustness at the root key only",
        NEW,
        "2.4",
        (),
        makers.hierarchy,
    ),
    (
        "best-practice/KeyRotationAndKPT.xml",
        "CPIX 2.4, best practice: key rotation, and a key for each kind of track",
        NEW,
        "2.4",
        (),
        lambda: makers.rotation(dates=False, tracks=("VIDEO", "AUDIO")),
    ),
    (
        "best-practice/KeyHierarchyAndKPT.xml",
        "CPIX 2.4, best practice: key rotation with a hierarchy for each kind of track",
        NEW,
        "2.4",
        (),
        lambda: makers.hierarchy(("VIDEO", "AUDIO")),
    ),
)
