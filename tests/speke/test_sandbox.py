"""The sandbox as a SPEKE provider: its URLs, its clear keys, and the DRMtoday URL for whoever has a ticket."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

import pytest
from speke_requests import PASSWORD, request

from drmkit import cpix
from drmkit.http import HttpClient
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.sandbox import Sandbox
from drmkit.speke.client import SpekeClient
from drmkit.speke.request import Places

Connect = Callable[..., SpekeClient]


def call(method: str, url: str, body: bytes = b"", **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Python's own HTTP client."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), body=body, headers=sent)
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def ticket_url(sandbox: Sandbox, asset: str = "") -> str:
    """A DRMtoday key-server URL with a ticket."""
    account = urlencode({"username": "api-user", "password": PASSWORD}).encode()
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    _, headers, _ = call("POST", f"{sandbox.url}/cas/v1/tickets", account, **form)
    service = sandbox.service + asset
    _, _, ticket = call("POST", headers["location"], urlencode({"service": service}).encode(), **form)
    return f"{service}?{urlencode({'ticket': ticket.decode()})}"


@pytest.mark.parametrize("version", ["1.0", "2.0", "2.1"])
@pytest.mark.parametrize("asset", ["", "/my-asset"])
def test_the_drmtoday_url_takes_requests(sandbox: Sandbox, http: HttpClient, version: str, asset: str) -> None:
    """A SPEKE request to the ticketed URL gets an answer that keeps the contract, from the same key store."""
    client = SpekeClient(ticket_url(sandbox, asset), http=http, version=version)
    got = client.request(request(version))
    assert all(sandbox.stored_key(key.kid) == key.key for key in got.content_keys)
    assert sandbox.events("keyserver")[-1].what == "exchange"


@pytest.mark.parametrize("version", ["2.3", "2.4", None])
def test_without_a_header_the_document_tells_the_version(sandbox: Sandbox, version: str | None) -> None:
    """Who posts a document without `X-Speke-Version` is answered by what the document says."""
    sent = request({"2.3": "2.0", "2.4": "2.1", None: "1.0"}[version])
    status, _, body = call("POST", ticket_url(sandbox), sent.to_xml(), Content_Type="application/xml")
    assert status == 200
    assert cpix.parse(body).version == version


def test_the_drmtoday_url_wants_a_ticket(sandbox: Sandbox) -> None:
    """Without a ticket, and with nonsense for a body, nothing is answered."""
    assert call("POST", sandbox.service, request().to_xml())[0] == 401
    status, _, body = call("POST", ticket_url(sandbox), b"nonsense")
    assert status == 400
    assert body.startswith(b"Malformed CPIX document")
    assert call("POST", ticket_url(sandbox), b"x" * (4 * 2**20 + 1))[0] == 413
    status, _, body = call("POST", ticket_url(sandbox), request().to_xml(), X_Speke_Version="9.9")
    assert (status, body) == (422, b"Unsupported SPEKE version")


def test_each_path_speaks_one_version(sandbox: Sandbox) -> None:
    """A version is not tried where another one is spoken, and a missing header means 1.0."""
    url = f"{sandbox.url}/speke/v2.1/copyProtection"
    assert call("POST", url, request("2.0").to_xml(), X_Speke_Version="2.0")[2] == b"Unsupported SPEKE version"
    assert call("POST", url, request("2.0").to_xml())[2] == b"Unsupported SPEKE version"
    assert call("POST", url, request("2.1").to_xml(), X_Speke_Version="2.1")[0] == 200
    assert call("POST", url, b"x" * (4 * 2**20 + 1), X_Speke_Version="2.1")[0] == 413
    assert call("GET", url)[0] == 405


def test_clear_keys_are_given_to_players(sandbox: Sandbox, connect: Connect) -> None:
    """AES-128 in HLS: the URI in the tag leads to the 16 bytes of the key, for players of any origin."""
    sent = request(systems=(DrmSystem.CLEARKEY_AES128,), places=Places(pssh=False, dash=False))
    got = connect().request(sent)
    key = got.content_keys[0]
    line = got.drm_systems[0].hls_signaling() or ""
    status, headers, body = call("GET", line.split('URI="')[1].split('"')[0])
    assert (status, headers["access-control-allow-origin"]) == (200, "*")
    assert key.key is not None
    assert body == key.key.reveal()
    for kid in (KeyId(bytes(16)).uuid, "nonsense"):
        assert call("GET", f"{sandbox.url}/speke/client/{kid}")[0] == 404


def test_the_newest_version_is_served_with_its_demands(connect: Connect) -> None:
    """Robustness, ALLOWED-CPC and HDCP of SPEKE 2.1 are filled, in documents that are valid."""
    places = Places(robustness=True, allowed_cpc=True, hdcp=True)
    got = connect("2.1").request(request("2.1", places=places))
    assert got.content_keys[0].hdcp is not None
    assert got.content_keys[0].hdcp.hls_level == "NONE"
    assert all(entry.hls_allowed_cpc for entry in got.drm_systems)
    assert "allowed-cpc" not in {finding.rule for finding in cpix.validate(got).errors}
