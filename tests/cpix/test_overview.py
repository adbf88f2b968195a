"""A document in words, and as a page: what a person reads is what the document says, and nothing on a page acts."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree, html

from drmkit import cpix
from drmkit.cli.cpix_source import Source
from drmkit.cpix import AudioFilter, BitrateFilter, Builder, VideoFilter
from drmkit.cpix.export import FORMATS, export
from drmkit.cpix.junit import to_junit
from drmkit.cpix.overview import overview
from drmkit.cpix.page import page
from drmkit.cpix.sarif import to_sarif
from drmkit.errors import DrmkitError, InputError
from drmkit.identifiers import KeyId

SAMPLES = Path(__file__).resolve().parents[2] / "cpix_samples"
KID = KeyId.from_uuid("b4c3188b-eddd-453d-9bc2-1cbca7566239")
KEY = bytes.fromhex("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf")


def sample(path: str) -> cpix.Document:
    """One of the samples."""
    return cpix.parse((SAMPLES / path).read_bytes())


def rendered(document: cpix.Document, *, reveal: bool = False, title: str = "movie.xml") -> str:
    """The page of a document."""
    return page(overview(document), cpix.validate(document), title=title, reveal=reveal)


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        ({}, "any track"),
        ({"video": [VideoFilter()]}, "video"),
        ({"audio": [AudioFilter()]}, "audio"),
        ({"video": [VideoFilter(max_pixels=589_824)]}, "video up to 1024x576 (589,824 px)"),
        ({"video": [VideoFilter(min_pixels=589_825)]}, "video over 1024x576"),
        (
            {"video": [VideoFilter(min_pixels=589_825, max_pixels=2_073_600)]},
            "video over 1024x576, up to 1920x1080 (2,073,600 px)",
        ),
        ({"video": [VideoFilter(min_pixels=589_825, max_pixels=700_000)]}, "video over 1024x576, up to 700,000 px"),
        ({"video": [VideoFilter(min_pixels=10, max_pixels=20)]}, "video 10 to 20 px"),
        ({"video": [VideoFilter(min_fps=30, max_fps=60)]}, "video over 30 fps, up to 60 fps"),
        ({"video": [VideoFilter(hdr=True, wcg=False)]}, "video HDR, no wide color"),
        ({"audio": [AudioFilter(min_channels=6, max_channels=6)]}, "audio 6 channels"),
        (
            {"audio": [AudioFilter(max_channels=2), AudioFilter(min_channels=7)]},
            "(audio up to 2 channels or audio from 7 channels)",
        ),
        ({"bitrate": [BitrateFilter(max_bitrate=5_000_000)]}, "up to 5,000,000 bit/s"),
        ({"labels": ["a", "b"], "video": [VideoFilter()]}, "video and (label 'a' or label 'b')"),
    ],
)
def test_rules_in_words(filters: dict[str, list[object]], words: str) -> None:
    """Filters of one kind are joined by "or", kinds by "and"; well-known sizes have their names."""
    builder = Builder(version="2.4").content_key(kid=KID, key=KEY).usage_rule(kid=KID, **filters)  # type: ignore[arg-type]
    (track,) = overview(builder.build()).tracks
    assert track.words == words


def test_keys_know_what_they_are_for() -> None:
    """Each key has its tracks, systems, scheme and state; a hierarchy names the root key."""
    seen = overview(sample("valid/tracks-cbcs-2.4.xml"))
    assert [key.tracks for key in seen.keys] == [("AUDIO",), ("SD",), ("HD",)]
    assert seen.keys[0].systems == ("Widevine", "PlayReady", "FairPlay")
    assert {key.state for key in seen.keys} == {"clear"}
    assert {key.state for key in overview(sample("valid/encrypted-2.4.xml")).keys} == {"encrypted"}
    assert {key.state for key in overview(sample("valid/request-2.3.xml")).keys} == {"requested"}
    tree = overview(sample("best-practice/KeyHierarchy.xml"))
    assert tree.keys[1].depends_on == tree.keys[0].kid
    assert tree.keys[0].hdcp == "TYPE-0"
    assert overview(sample("valid/several-contents-2.4.xml")).keys[0].content_id == "movie-1"


def test_systems_say_what_they_carry() -> None:
    """For each system: for how many keys, what is there, what a request asks for, robustness and allowed CPC."""
    widevine, playready = overview(sample("valid/tracks-cenc-2.3.xml")).systems
    assert (widevine.name, widevine.keys) == ("Widevine", 3)
    assert widevine.parts == (("PSSH", 3), ("MPD", 3), ("HLS", 3))
    assert ("Smooth", 3) in playready.parts
    assert overview(sample("valid/request-2.3.xml")).systems[2].placeholders == (("HLS", 2),)
    assert overview(sample("best-practice/OneContentKey.xml")).systems[0].details == ("robustness HW_SECURE_ALL",)
    assert overview(sample("valid/allowed-cpc-2.4.xml")).systems[0].details[0].startswith("allowed CPC com.apple")
    own = overview(sample("valid/custom-drm-2.4.xml")).systems[0]
    assert (own.name, own.parts) == ("A system of its own", (("Header", 1),))


def test_periods_recipients_signatures_and_history_in_words() -> None:
    """Times, offsets and indexes of periods; certificates of recipients and signers; updates."""
    assert [p.words for p in overview(sample("best-practice/KeyRotationDate.xml")).periods] == [
        "2026-01-31 20:00:00 UTC to 2026-01-31 21:00:00 UTC",
        "2026-01-31 21:00:00 UTC to 2026-01-31 22:00:00 UTC",
    ]
    assert [p.words for p in overview(sample("valid/period-offsets-2.4.xml")).periods] == [
        "0:00:00 to 1:00:00",
        "1:00:00 to 2:00:00",
    ]
    first = overview(sample("valid/period-durations-2.4.xml")).periods[0]
    assert first.words.startswith("index 0, label 'first', 2026-01-31")
    sealed = overview(sample("valid/encrypted-2.4.xml"))
    assert "CN=drmkit sample recipient-1" in sealed.recipients[0]
    assert "1 document key, MAC" in sealed.recipients[0]
    signed = overview(sample("valid/signed-2.3.xml"))
    assert [line.split(",")[0] for line in signed.signatures] == [
        "over ContentKeyList",
        "over DRMSystemList",
        "over the whole document",
    ]
    assert all("not verified" in line for line in signed.signatures)
    assert overview(sample("valid/update-history-2.4.xml")).updates[0].startswith("1. version 1, 2026-01-31T20:00:00Z")


@pytest.mark.parametrize("path", sorted(SAMPLES.rglob("*.xml")), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_document_that_can_be_read_can_be_looked_at(path: Path) -> None:
    """Faulty documents have an overview and a page too, which holds none of their keys and nothing that acts."""
    data = path.read_bytes()
    if not cpix.validate(data).readable:
        with pytest.raises(InputError):
            cpix.parse(data)
        return
    text = rendered(cpix.parse(data), title=path.name)
    public = path.stem in {"key-is-kid", "key-is-iv"}
    for value in re.findall(rb"PlainValue>([A-Za-z0-9+/=]{20,})<", data):
        assert public or value.decode() not in text
        assert public or base64.b64decode(value).hex() not in text
    _assert_inert(text)


def _assert_inert(text: str) -> None:
    tree = html.fromstring(text)
    assert not tree.xpath(
        "//script | //link | //img | //iframe | //object | //form | //a | //@style | //@src | //@href"
    )
    assert not [name for element in tree.iter(etree.Element) for name in element.attrib if name.startswith("on")]
    assert "url(" not in text
    assert "@import" not in text


def test_unreadable_values_are_called_so() -> None:
    """A key, IV, period or certificate that does not decode is told as unreadable in its place."""
    document = sample("best-practice/KeyRotationDate.xml")
    key = document.content_keys[0].element
    next(key.iter("{*}PlainValue")).text = "@"
    key.set("explicitIV", "@")
    document.periods[0].element.set("start", "yesterday")
    document.usage_rules[0].add_filters([VideoFilter(min_pixels=1)])
    next(document.root.iter("{*}VideoFilter")).set("minPixels", "many")
    seen = overview(document)
    assert (seen.keys[0].state, seen.keys[0].iv) == ("unreadable", "unreadable")
    assert "unreadable" in seen.periods[0].words
    assert "unreadable" in seen.tracks[0].words
    assert "unreadable" in rendered(document)


def test_a_page_escapes_what_a_document_says() -> None:
    """Markup in names stays text, and direction marks become visible."""
    builder = Builder(version="2.4", content_id='<script>alert(1)</script>"', name="a\u202eb")
    builder.content_key(kid=KID, key=KEY).usage_rule(kid=KID, intended_track_type="<b onclick=x>&amp;")
    text = rendered(builder.build(), title="<i>.xml")
    assert "<script>" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&quot;" in text
    assert "<b onclick" not in text
    assert "\u202e" not in text
    assert "<i>" not in text
    _assert_inert(text)


def test_a_page_forbids_itself_everything() -> None:
    """The policy allows exactly the page's own style sheet, by its hash."""
    text = rendered(sample("valid/tracks-cbcs-2.4.xml"))
    tree = html.fromstring(text)
    (policy,) = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    style = tree.xpath("string(//style)")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert "prefers-color-scheme:dark" in style
    assert tree.xpath("//meta[@name='viewport']")


def test_a_page_shows_keys_only_when_told() -> None:
    """Content keys are masked; revealed, they are there in hexadecimal."""
    document = Builder(version="2.4").content_key(kid=KID, key=KEY).build()
    assert KEY.hex() not in rendered(document)
    assert KEY.hex() in rendered(document, reveal=True)


def test_a_page_draws_the_sizes_of_video() -> None:
    """Rules with bounds are bars on one scale that touch and do not overlap; without bounds there is no scale."""
    tree = html.fromstring(rendered(sample("valid/tracks-cbcs-2.4.xml")))
    bars = [
        (float(bar.get("x")[:-1]), float(bar.get("x")[:-1]) + float(bar.get("width")[:-1]))
        for bar in tree.xpath("//rect[@class='bar']")
    ]
    assert bars[0][1] == pytest.approx(bars[1][0], abs=0.2)
    assert (bars[0][0], bars[1][1]) == (0, 100)
    assert not html.fromstring(rendered(sample("valid/keys-2.3.xml"))).xpath("//svg")


READABLE = [path for path in sorted(SAMPLES.rglob("*.xml")) if "attacks" not in path.parts]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from(READABLE), seed=st.integers(0, 2**32))
def test_whatever_a_document_says_it_can_be_told(mutate: Callable[[bytes, int], bytes], path: Path, seed: int) -> None:
    """Mutants of the samples have a page, all reports and lines with carets; exports are made, or refused."""
    data = path.read_bytes()
    if not cpix.validate(data).readable:
        return
    mutant = mutate(data, seed)
    document, report = cpix.parse(mutant), cpix.validate(mutant)
    _assert_inert(rendered(document))
    source = Source(mutant, document)
    for finding in report.findings:
        excerpt = source.excerpt(finding)
        assert excerpt is None or excerpt.text.isprintable()
    assert to_sarif([("x.xml", report)], tool_version="0")["runs"]
    assert etree.fromstring(to_junit([("x.xml", report)])).tag == "testsuites"
    for form in FORMATS:
        with suppress(DrmkitError):
            export(document, form)
