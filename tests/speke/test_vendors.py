"""Vendors: what is publicly known of them becomes an endpoint, what is not known is said."""

from __future__ import annotations

import httpx
import pytest
from speke_requests import copy, request

from drmkit import cpix
from drmkit.errors import ConfigurationError, ProtocolError
from drmkit.http import HttpClient
from drmkit.secret import Secret
from drmkit.speke.auth import BasicAuth, SigV4Auth
from drmkit.speke.client import SpekeClient
from drmkit.speke.provider import Provider
from drmkit.speke.request import build_request
from drmkit.speke.sources import from_seeds
from drmkit.speke.vendors import VENDORS, connect, find
from drmkit.speke.versions import VERSIONS


@pytest.mark.parametrize(
    ("name", "fields", "url"),
    [
        ("doverunner", {"token": "a+/="}, "https://drm-kms.doverunner.com/v2/cpix/pallycon/getKey/a%2B%2F%3D"),
        ("pallycon", {"token": "t"}, "https://kms.pallycon.com/v2/cpix/pallycon/getKey/t"),
        ("axinom", {"username": "u", "password": "p"}, "https://key-server-management.axprod.net/api/SpekeV2"),
        (
            "irdeto",
            {"location": "x.example.com", "path": "a/b", "content_id": "c d", "username": "u", "password": "p"},
            "https://x.example.com/tkm/v2/a/b/contents/c%20d/copyProtectionData",
        ),
        (
            "irdeto",
            {"location": "x.example.com:8443", "path": "a", "content_id": "c", "username": "u", "password": "p"},
            "https://x.example.com:8443/tkm/v2/a/contents/c/copyProtectionData",
        ),
        (
            "insys",
            {"host": "demo.example.com", "tenant_id": "t&1", "username": "u", "password": "p"},
            "https://demo.example.com/kms/cpix?tenantId=t%261",
        ),
        ("vualto", {"client": "me", "api_key": "k"}, "https://speke.vudrm.tech/me/speke"),
        ("VUDRM", {"client": "me", "api_key": "k"}, "https://speke.vudrm.tech/me/speke"),
        ("jwplayer", {"client": "me", "api_key": "k"}, "https://cpix.vudrm.tech/v2/speke/me"),
        ("buydrm", {"token": "j.w.t"}, "https://cpix.keyos.com/api/v4/getKeysNoEncryption?auth-token=j.w.t"),
        (
            "sigma",
            {"merchant_id": "m", "app_id": "a", "token": "t"},
            "https://api.sigmadrm.com/assets/ingest/cpix/v2/m/a",
        ),
        ("verimatrix", {"url": "https://vmx.example.com/cpix", "jwt": "j"}, "https://vmx.example.com/cpix"),
        ("doverunner", {"url": "https://stage.example.com/k", "token": "t"}, "https://stage.example.com/k"),
    ],
)
def test_urls_are_those_of_the_vendors(name: str, fields: dict[str, str], url: str) -> None:
    """Fields are put into the vendor's URL, percent-encoded; a field `url` replaces it."""
    found = connect(find(name), dict(fields))
    assert found.url.reveal() == url
    assert found.version == find(name).version


def test_authentication_is_the_vendors() -> None:
    """Axinom takes Basic, VUDRM a header, AWS signatures; none of it shows."""
    axinom = connect(find("Axinom"), {"username": "tenant", "password": Secret("key")})
    assert axinom.auth == BasicAuth("tenant", Secret("key"))
    vualto = connect(find("vualto"), {"client": "me", "api_key": Secret("cAnArY")})
    assert vualto.headers is not None
    assert {name: value.reveal() for name, value in vualto.headers.items()} == {"API-KEY": "cAnArY"}
    assert "cAnArY" not in repr(vualto)
    fields = {"api_id": "i", "region": "eu-west-1", "stage": "EkeStage", "access_key": "A", "secret_key": Secret("s")}
    aws = connect(find("aws"), {**fields, "session_token": Secret("t"), "service": "lambda"})
    assert isinstance(aws.auth, SigV4Auth)
    assert (aws.auth.region, aws.auth.service) == ("eu-west-1", "lambda")
    assert isinstance(connect(find("aws"), fields).auth, SigV4Auth)
    assert aws.url.reveal() == "https://i.execute-api.eu-west-1.amazonaws.com/EkeStage/copyProtection"


@pytest.mark.parametrize(
    ("name", "fields", "reason"),
    [
        ("doverunner", {}, "lacks token"),
        ("doverunner", {"token": "t", "tokne": "t"}, "has no field tokne"),
        ("doverunner", {"tokne": "t"}, "lacks token and has no field tokne"),
        ("castlabs", {}, "castLabs DRMtoday needs a ticket"),
        ("axinom", {"username": "u"}, "lacks password"),
        ("verimatrix", {"jwt": "j"}, "lacks url"),
        ("drmtoday", {}, "needs a ticket for each URL"),
        ("ezdrm", {}, "takes no SPEKE requests that are known of"),
        ("nagra", {}, "takes no SPEKE requests that are known of"),
    ],
)
def test_what_is_missing_or_unknown_is_said(name: str, fields: dict[str, str], reason: str) -> None:
    """Missing fields, fields that a vendor does not have, and vendors that take no requests are refused in words."""
    vendor = find(name)
    with pytest.raises(ConfigurationError, match=reason) as caught:
        connect(vendor, dict(fields))
    assert all(text in (caught.value.hint or "") for text in vendor.unknown)


def test_a_hint_tells_secrets_from_other_fields() -> None:
    """What is missing is named with what must not be an argument."""
    with pytest.raises(ConfigurationError) as caught:
        connect(find("axinom"), {})
    assert (caught.value.hint or "").startswith("its fields: username, password (secret); not publicly known: ")


def test_a_typing_mistake_is_answered_with_the_name_that_was_meant() -> None:
    """An unknown vendor is refused with the nearest known one, or with all of them."""
    with pytest.raises(ConfigurationError) as near:
        find("doverruner")
    assert near.value.hint == "did you mean doverunner?"
    with pytest.raises(ConfigurationError) as far:
        find("zzz")
    assert "axinom" in (far.value.hint or "")


@pytest.mark.parametrize("vendor", VENDORS.values(), ids=VENDORS)
def test_every_vendor_says_where_it_is_from_and_what_is_not_known(vendor: object) -> None:
    """Each entry has a public source; where no URL or version is public, that is among what is unknown."""
    found = VENDORS[vendor.name]  # type: ignore[attr-defined]  # a vendor, by the parametrization
    assert found.source.startswith("https://")
    assert found.unknown or (found.url and found.version)
    assert found.version is None or found.version in VERSIONS
    assert all(field in found.required for field in found.secrets)


def test_a_bare_request_to_doverunner_is_one_that_its_own_client_sends() -> None:
    """DoveRunner's request: content ID in `id`, DRM systems without places; a full answer is taken."""
    endpoint = connect(find("doverunner"), {"token": Secret("tOkEn")})
    provider = Provider(from_seeds("hkdf-sha256", bytes(range(32))))
    seen: list[cpix.Document] = []

    def answer(got: httpx.Request) -> httpx.Response:
        seen.append(cpix.parse(got.content))
        filled = provider.fill(copy(seen[0]), VERSIONS["1.0"])
        assert isinstance(filled, cpix.Document)
        return httpx.Response(200, content=filled.to_xml(), headers={"Content-Type": "application/xml"})

    http = HttpClient(transport=httpx.MockTransport(answer))
    client = SpekeClient(endpoint.url, http=http, version=endpoint.version, hidden=endpoint.hidden)
    got = client.request(build_request("content1", version=endpoint.version, bare=endpoint.bare))
    assert seen[0].id == "content1"
    assert all(entry.hls_signaling() for entry in got.drm_systems)
    assert "tOkEn" not in repr(client) + repr(endpoint)
    assert request().content_id == "my-content"


def test_a_vendor_that_does_not_claim_to_speak_speke_is_not_held_to_its_headers() -> None:
    """DoveRunner's answer may be text/xml and bring usage rules; with the same answer a SPEKE provider is refused."""
    asked = build_request("content1", version="1.0", bare=True)
    filled = Provider(from_seeds("hkdf-sha256", bytes(range(32)))).fill(copy(asked), VERSIONS["1.0"])
    assert isinstance(filled, cpix.Document)
    rules = build_request("content1", video="SHARED", audio="SHARED").usage_rules.list_element
    assert rules is not None
    rules[0].set("kid", asked.content_keys[0].kid.uuid)
    filled.root.append(rules)
    sent = httpx.Response(200, content=filled.to_xml(), headers={"Content-Type": "text/xml"})
    http = HttpClient(transport=httpx.MockTransport(lambda _: sent))
    endpoint = connect(find("doverunner"), {"token": Secret("t")})
    client = SpekeClient(endpoint.url, http=http, version="1.0", strict=endpoint.strict)
    assert client.request(asked).content_keys[0].key is not None
    found = client.exchange(asked)[1]
    assert {item.rule for item in found if item.severity == "warning"} == {"speke-content-type", "speke-echo-rule"}
    with pytest.raises(ProtocolError, match=r"Content-Type is text/xml"):
        SpekeClient("https://k.example.com/", http=http, version="1.0").request(asked)


def test_only_vendors_that_claim_to_speak_speke_are_strict() -> None:
    """Those of which it is not known, or only with CPIX, are taken as they come."""
    assert {name for name, vendor in VENDORS.items() if vendor.strict and vendor.version} == {
        *("drmtoday", "axinom", "vualto", "jwplayer", "aws")
    }
