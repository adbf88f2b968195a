"""Whatever is sent or comes back: a provider answers, a client says what is wrong, and nothing crashes."""

from __future__ import annotations

import random

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from speke_requests import BOXED, certificate, copy, request

from drmkit import cpix
from drmkit.errors import DrmkitError
from drmkit.http import HttpClient
from drmkit.retry import Retrier, RetryPolicy
from drmkit.speke.client import SpekeClient
from drmkit.speke.contract import apply_profile
from drmkit.speke.provider import Provider
from drmkit.speke.request import KeyPeriod
from drmkit.speke.sources import from_seeds
from drmkit.speke.versions import VERSIONS

SOURCE = from_seeds("hkdf-sha256", bytes(range(32)), iv_seed=bytes(range(32, 64)))
PROVIDERS = [Provider(SOURCE), Provider(SOURCE, checked=False)]
SENT = request(periods=[KeyPeriod(index=1)])
SEALED = request(systems=BOXED, certificates=[certificate(2048)])
ANSWERS = [PROVIDERS[0].respond(document.to_xml(), speke_version="2.0").body for document in (SENT, SEALED)]
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
FUZZ = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])


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
@given(
    st.integers(0, 2**32), st.integers(1, 4), st.sampled_from([SENT, SEALED]), st.sampled_from(["1.0", "2.0", "2.1"])
)
def test_a_provider_answers_whatever_is_sent(seed: int, times: int, document: cpix.Document, version: str) -> None:
    """A spoiled request is filled or refused by each provider, strict or not."""
    body = spoil(copy(document), seed, times)
    for provider in PROVIDERS:
        answer = provider.respond(body, speke_version=None if version == "1.0" else version)
        assert answer.status in {200, 400, 422}
        assert answer.body


@FUZZ
@given(st.integers(0, 2**32), st.integers(1, 4), st.booleans())
def test_a_client_judges_whatever_comes_back(seed: int, times: int, sealed: bool) -> None:
    """A spoiled answer is taken or refused with an error of drmkit's own."""
    sent = SEALED if sealed else SENT
    body = spoil(cpix.parse(ANSWERS[sealed]), seed, times)
    headers = {"Content-Type": "application/xml", "X-Speke-Version": "2.0", "X-Speke-User-Agent": "x"}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=body, headers=headers))
    once = Retrier(RetryPolicy(attempts=1))
    client = SpekeClient("https://k.example.com/", http=HttpClient(transport=transport), retrier=once)
    try:
        document, found = client.exchange(sent)
    except DrmkitError:
        return
    assert all(item.message and item.hint for item in found)
    for version in VERSIONS:
        apply_profile(document, f"speke-{version}", cpix.validate(document).findings)


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
