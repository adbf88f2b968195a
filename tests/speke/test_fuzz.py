"""Whatever is sent or comes back: a provider answers, a client says what is wrong, and nothing crashes."""

from __future__ import annotations

import random

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from speke_requests import ALL, BOXED, certificate, copy, request

from drmkit import cpix
from drmkit.errors import DrmkitError
from drmkit.http import HttpClient
from drmkit.identifiers import DrmSystem
from drmkit.retry import Retrier, RetryPolicy
from drmkit.signaling.material import Options
from drmkit.speke.answer import check_answer
from drmkit.speke.client import SpekeClient
from drmkit.speke.contract import apply_profile
from drmkit.speke.placeholders import Demands
from drmkit.speke.provider import Provider
from drmkit.speke.request import KeyPeriod, Places
from drmkit.speke.sources import from_seeds
from drmkit.speke.versions import VERSIONS

SOURCE = from_seeds("hkdf-sha256", bytes(range(32)), iv_seed=bytes(range(32, 64)))
DEMANDS = Demands(
    robustness=dict.fromkeys(DrmSystem, "HIGH"),
    allowed_cpc=dict.fromkeys(DrmSystem, "com.example:HIGH"),
    hdcp_level="NONE",
    hdcp_output=b"<a/>",
)
OPTIONS = Options(key_uri=lambda kid: f"https://k.example.com/{kid}", clearkey_laurl="https://k.example.com/")
PROVIDERS = [Provider(SOURCE, demands=DEMANDS, options=OPTIONS, checked=checked) for checked in (True, False)]
SENT = request(periods=[KeyPeriod(index=1)])
SEALED = request(systems=BOXED, certificates=[certificate(2048)])
EVERYTHING = Places(smooth=True, iv=True, robustness=True, allowed_cpc=True, hdcp=True)
NEWEST = request("2.1", scheme="cenc", systems=BOXED, places=EVERYTHING, video="VIDEO-8", audio="AUDIO-2")
FIRST = request("1.0", systems=(*ALL, DrmSystem.CLEARKEY_AES128), places=Places(smooth=True), video="VIDEO-2")
REQUESTS = {"1.0": [FIRST], "2.0": [SENT, SEALED], "2.1": [NEWEST]}
PAIRS = [(document, version) for version, documents in REQUESTS.items() for document in documents]


def header(version: str) -> str | None:
    """The X-Speke-Version of a version."""
    return None if version == "1.0" else version


ANSWERS = [PROVIDERS[0].respond(sent.to_xml(), speke_version=header(version)).body for sent, version in PAIRS]
VALUES = [
    "",
    "x",
    "0",
    "-1",
    "cenc",
    "cbcs",
    "AAAA",
    "@@@",
    "\u00e9",
    "00000000-0000-4000-8000-000000000000",
    "ALL",
    "+",
]
FUZZ = settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])


def spoil(document: cpix.Document, seed: int, times: int) -> bytes:
    """Change attributes, texts and places of elements at random."""
    chance = random.Random(seed)
    for _ in range(times):
        element = chance.choice([e for e in document.root.iter(etree.Element) if e is not document.root])
        what = chance.randrange(6)
        if what == 0 and element.attrib:
            element.set(str(chance.choice(list(element.attrib))), chance.choice(VALUES))
        elif what == 1 and element.attrib:
            del element.attrib[str(chance.choice(list(element.attrib)))]
        elif what == 2:
            element.text = chance.choice(VALUES)
        elif what == 3 and element.getparent() is not None and len(document.root) > 1:
            element.getparent().remove(element)
        elif what == 4:
            other = chance.choice(list(document.root.iter(etree.Element)))
            other.append(etree.fromstring(etree.tostring(element)))
        else:
            element.tag = chance.choice([str(e.tag) for e in document.root.iter(etree.Element)])
    return document.to_xml()


@FUZZ
@given(st.integers(0, 2**32), st.integers(1, 4), st.sampled_from(PAIRS), st.sampled_from([None, "1.0", "2.0", "2.1"]))
def test_a_provider_answers_whatever_is_sent(
    seed: int, times: int, pair: tuple[cpix.Document, str], other: str | None
) -> None:
    """A spoiled request, sent as any version, is filled or refused by each provider, strict or not."""
    body = spoil(copy(pair[0]), seed, times)
    for provider in PROVIDERS:
        answer = provider.respond(body, speke_version=header(other or pair[1]))
        assert answer.status in {200, 400, 422}
        assert answer.body


@FUZZ
@given(st.integers(0, 2**32), st.integers(1, 4), st.integers(0, len(PAIRS) - 1))
def test_a_client_judges_whatever_comes_back(seed: int, times: int, which: int) -> None:
    """A spoiled answer is taken or refused with an error of drmkit's own."""
    sent, version = PAIRS[which]
    body = spoil(cpix.parse(ANSWERS[which]), seed, times)
    headers = {"Content-Type": "application/xml", "X-Speke-Version": "2.0", "X-Speke-User-Agent": "x"}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=body, headers=headers))
    once = Retrier(RetryPolicy(attempts=1))
    client = SpekeClient("https://k.example.com/", http=HttpClient(transport=transport), version=version, retrier=once)
    try:
        document, found = client.exchange(sent)
    except DrmkitError:
        return
    assert all(item.message and item.hint for item in found)
    for profile in VERSIONS:
        apply_profile(document, f"speke-{profile}", cpix.validate(document).findings)


@FUZZ
@given(st.binary(max_size=200), st.integers(0, 400))
def test_bytes_are_answered_too(noise: bytes, at: int) -> None:
    """Noise instead of a request, or in the middle of one, is refused or read as what it is."""
    body = SENT.to_xml()
    for text in (noise, body[:at] + noise + body[at:]):
        answer = PROVIDERS[0].respond(text, speke_version="2.0")
        assert answer.status in {200, 400, 422}
        if answer.status == 200:
            cpix.parse(answer.body)


def test_the_requests_that_are_spoiled_are_sound() -> None:
    """Before anything is spoiled, each request is answered and each answer taken."""
    assert [answer[:5] for answer in ANSWERS] == [b"<?xml"] * len(PAIRS)
    for (sent, version), answer in zip(PAIRS, ANSWERS, strict=True):
        found = check_answer(sent, cpix.parse(answer), VERSIONS[version])
        assert [item for item in found if item.severity == "error"] == []
