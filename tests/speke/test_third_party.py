"""A provider that somebody else wrote, in a style of its own: the kit and the client take it for what it is."""

from __future__ import annotations

import base64
from collections.abc import Callable

import httpx
import pytest
import thirdparty
from lxml import etree

from drmkit import cpix
from drmkit.errors import ProtocolError
from drmkit.http import HttpClient
from drmkit.retry import Retrier, RetryPolicy
from drmkit.speke.client import SpekeClient
from drmkit.speke.kit import KitOptions, run_kit
from drmkit.speke.request import KeyPeriod, build_request

Change = Callable[[bytes], bytes]


def client(version: str, change: Change = bytes) -> SpekeClient:
    """A client of the provider, whose documents are changed on their way."""

    def answer(request: httpx.Request) -> httpx.Response:
        response = thirdparty.answer(request)
        if response.status_code != httpx.codes.OK:
            return response
        return httpx.Response(
            200, content=change(response.content), headers=dict(thirdparty.XML) | {"X-Speke-Version": version}
        )

    once = Retrier(RetryPolicy(attempts=1))
    return SpekeClient(
        "https://keys.example.com/",
        http=HttpClient(transport=httpx.MockTransport(answer)),
        version=version,
        retrier=once,
    )


@pytest.mark.parametrize("version", ["2.0", "2.1"])
def test_the_kit_finds_nothing_in_another_style(version: str) -> None:
    """Other prefixes, order, line breaks, cases, zones, headers and boxes are no faults, and give no warnings."""
    report = run_kit(client(version), KitOptions(quick=True))
    assert [(r.group, r.name, r.findings) for r in report.results if r.outcome != "passed"] == []


def test_the_client_reads_its_keys() -> None:
    """The keys, with their IVs, are those that the provider made."""
    asked = build_request("movie", video="VIDEO-8", audio="AUDIO-2", periods=[KeyPeriod(index=3)])
    answer = client("2.0").request(asked)
    assert {key.kid.uuid: key.key and key.key.reveal() for key in answer.content_keys} == {
        key.kid.uuid: thirdparty.key_of(key.kid.uuid) for key in asked.content_keys
    }


def _edit(system_id: str, name: str, change: Change) -> Change:
    """Change the decoded content of one kind of element of one DRM system."""

    def edit(body: bytes) -> bytes:
        document = cpix.parse(body)
        for system in document.root.iter("{*}DRMSystem"):
            for child in system.iterchildren(f"{{*}}{name}") if system.get("systemId", "").lower() == system_id else ():
                child.text = base64.b64encode(change(base64.b64decode(child.text or ""))).decode()
        return etree.tostring(document.tree)

    return edit


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (_edit(thirdparty.WIDEVINE, "PSSH", lambda raw: raw[:-1] + b"y"), "speke-signaling-mpd-pssh"),
        (_edit(thirdparty.PLAYREADY, "ContentProtectionData", lambda raw: raw[:-9]), "speke-signaling-mpd-unreadable"),
        (
            _edit(thirdparty.FAIRPLAY, "HLSSignalingData", lambda raw: raw.replace(b"SKD:", b"https:")),
            "speke-fairplay-uri",
        ),
        (
            _edit(thirdparty.WIDEVINE, "HLSSignalingData", lambda raw: raw.replace(b"SAMPLE-AES,", b"SAMPLE-AES, ")),
            "speke-signaling-hls-unreadable",
        ),
        (lambda body: body.replace(b'intendedTrackType="VIDEO"', b'intendedTrackType="Video"'), "speke-echo-rule"),
    ],
)
def test_a_real_fault_is_found_in_any_style(change: Change, rule: str) -> None:
    """What a player would stumble over is an error, and the client does not take the keys."""
    provider = client("2.0", change)
    with pytest.raises(ProtocolError, match=rf"\[{rule}\]"):
        provider.request(build_request("movie"))


def test_the_kit_minds_an_iv_that_changes() -> None:
    """Keys that come with another IV each time are warned of: two encryptors of one stream would disagree."""
    ivs = (base64.b64encode(number.to_bytes(16)) for number in range(1_000, 2_000))

    def change(body: bytes) -> bytes:
        document = cpix.parse(body)
        for key in document.content_keys:
            key.element.set("explicitIV", next(ivs).decode())
        return document.to_xml()

    for changed, rules in ((change, {"kit-other-iv"}), (bytes, set())):
        report = run_kit(client("2.0", changed), KitOptions(groups=frozenset({"determinism"})))
        found = {(item.rule, item.severity) for result in report.results for item in result.findings}
        assert {rule for rule, severity in found if severity == "warning"} & {"kit-other-iv"} == rules
        assert "kit-other-key" not in {rule for rule, _ in found}


def test_the_kit_minds_a_content_id_in_other_letters() -> None:
    """A provider that writes content IDs in small or capital letters alone has changed them."""
    for fold in (bytes.lower, bytes.upper):

        def change(body: bytes, fold: Change = fold) -> bytes:
            start, end = body.index(b'contentId="') + 11, body.index(b'"', body.index(b'contentId="') + 11)
            return body[:start] + fold(body[start:end]) + body[end:]

        report = run_kit(client("2.0", change), KitOptions(groups=frozenset({"basic"})))
        assert {item.rule for result in report.results for item in result.findings} == {"speke-echo-content-id"}
