"""Key management: a ticket for each call, errors inside a 200, and every answer that a server may give."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from drmkit.errors import (
    DrmkitError,
    InputError,
    ProtocolError,
    RateLimitedError,
    RemoteUnavailableError,
    ServiceRejectedError,
)
from drmkit.http import HttpClient
from drmkit.identifiers import KeyId
from drmkit.keyserver.drmtoday import DrmtodayHosts
from drmkit.keyserver.endpoints import Organization
from drmkit.keyserver.ingest import IngestAsset, IngestKey
from drmkit.keyserver.keyanswer import KeysRefusedError, masked, read_ingested, read_records, refusals, unnamed
from drmkit.keyserver.keymanagement import KeyManagement
from drmkit.retry import Retrier, RetryPolicy
from drmkit.secret import MASK, Secret

UUID = "6f1c1bb8-3a0e-4a53-bd3c-2c5a4d8f7a10"
KID = KeyId(bytes(range(16)))
CANARY = b"cAnArY-key-bytes"
ASSET = IngestAsset("movie-1", (IngestKey("VIDEO", KID, Secret(CANARY)),))
HOSTS = DrmtodayHosts.custom("https://auth.example.com", "https://fe.example.com")


class Tickets:
    """A CAS that notes what tickets were for."""

    def __init__(self) -> None:
        self.services: list[str] = []

    def service_ticket(self, service: str) -> Secret[str]:
        """One more."""
        self.services.append(service)
        return Secret(f"ST-{len(self.services)}+/=")


class World:
    """A server that answers from a list, and what it was asked."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.cas = Tickets()
        http = HttpClient(transport=httpx.MockTransport(self.respond))
        retrier = Retrier(RetryPolicy(attempts=2), sleep=lambda _: None)
        organization = Organization(HOSTS, "acme", UUID, "c")
        self.keys = KeyManagement(organization, cas=self.cas, http=http, retrier=retrier)

    def respond(self, request: httpx.Request) -> httpx.Response:
        """The next answer."""
        self.requests.append(request)
        return self.answers.pop(0)


def ok(content: Any = None, status: int = 200) -> httpx.Response:
    """An answer in JSON."""
    return httpx.Response(status, json=content if content is not None else {"assets": []})


INGESTED = {  # the form of the fixture of a public client, with the data of boxes cut short
    "assets": [
        {
            "assetId": "movie-1",
            "keys": [
                {
                    "streamType": "VIDEO",
                    "keyRotationId": "1",
                    "keyId": KID.base64,
                    "cencResponse": {
                        "systemId": {
                            "edef8ba9-79d6-4ace-a3c8-27dcd51d21ed": {"name": "Widevine", "psshBoxContent": "CAES"},
                            "9A04F079-9840-4286-AB92-E65BE0885F95": {"name": "PlayReady", "psshBoxContent": "LgMA"},
                        }
                    },
                    "errors": [],
                }
            ],
            "errors": [],
        }
    ]
}


def test_each_call_has_a_ticket_of_its_own() -> None:
    """A ticket is asked for the very URL of the call, and stands percent-encoded in its query."""
    world = World(ok(INGESTED), ok(status=204), ok([]), ok([]))
    world.keys.ingest([ASSET])
    world.keys.remove(KID)
    world.keys.query([KID])
    world.keys.download()
    base = "https://fe.example.com/frontend"
    assert world.cas.services == [
        f"{base}/api/keys/v3/ingest/acme",
        f"{base}/rest/keys/v1/cenc/merchant/acme/key/keyId/{KID.hex}",
        f"{base}/download-api/ingestion/query/v1/keys/{UUID}/query",
        f"{base}/download-api/ingestion/query/v1/keys/{UUID}/download",
    ]
    assert [str(request.url) for request in world.requests] == [
        f"{service}?ticket=ST-{number}%2B%2F%3D" for number, service in enumerate(world.cas.services, 1)
    ]
    assert [request.method for request in world.requests] == ["POST", "DELETE", "POST", "GET"]
    assert json.loads(world.requests[2].content) == {"keyIds": [KID.hex]}


def test_what_was_ingested() -> None:
    """The answer names each key, and the data of its boxes by system ID in lower case."""
    (key,) = World(ok(INGESTED)).keys.ingest([ASSET])
    assert (key.asset_id, key.stream_type, key.kid, key.systems) == ("movie-1", "VIDEO", KID, ("Widevine", "PlayReady"))
    assert key.pssh_content["9a04f079-9840-4286-ab92-e65be0885f95"] == base64.b64decode("LgMA")


def test_nothing_unsafe_is_sent() -> None:
    """A key that is its own key ID is refused here, before a ticket is taken."""
    world = World()
    wrong = IngestAsset("m", (IngestKey("VIDEO", KID, Secret(KID.raw)),))
    with pytest.raises(InputError, match="the content key is the key ID"):
        world.keys.ingest([wrong])
    with pytest.raises(InputError, match="at least one key ID"):
        world.keys.query([])
    assert world.cas.services == []


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"assets": [{"assetId": "movie-1", "errors": ["MISSING_TYPE"]}]}, "asset movie-1: MISSING_TYPE"),
        (
            {"assets": [{"keys": [{"keyId": KID.base64, "streamType": "HD", "errors": ["DUPLICATE_KEY_ID"]}]}]},
            f"asset 0, key {KID} (HD): DUPLICATE_KEY_ID",
        ),
        ({"errors": [{"path": "assets[0].assetId", "message": "too long"}]}, "assets[0].assetId: too long"),
        ({"errors": "no such organization"}, "no such organization"),
        ({"error": {"code": "E1"}}, "E1"),
        ({"errors": [{"what": 1}]}, "an error without a text"),
        ({"assets": [{"assetId": "m", "error": "MISSING_KEYS"}]}, "asset m: MISSING_KEYS"),
        (
            {"assets": [{"assetId": "m", "ingestKeys": [{"streamType": "HD", "errors": ["DUPLICATE_KEY"]}]}]},
            "asset m, key 0 (HD): DUPLICATE_KEY",
        ),
        ({"assets": {"assetId": "m", "keys": {"keyId": KID.base64, "Errors": "X"}}}, f"asset m, key {KID} (): X"),
        ([{"errors": ["no ingest permission"]}], "no ingest permission"),
        ({"results": [{"deep": {"errors": [["INVALID_KEY"]]}}]}, "INVALID_KEY"),
    ],
)
def test_errors_inside_a_200_are_raised(answer: Any, said: str) -> None:
    """A 200 with an error of an asset, a key or a field is a refusal, with exit code 1."""
    with pytest.raises(KeysRefusedError) as caught:
        World(ok(answer)).keys.ingest([ASSET])
    assert "inside HTTP 200" in caught.value.message
    assert said in caught.value.message
    assert (caught.value.exit_code, len(caught.value.problems)) == (1, 1)


def test_a_server_that_repeats_keys_in_its_errors() -> None:
    """Whatever form a key comes back in, it is masked; control characters are shown as ?; long lists are cut."""
    raw = base64.b64encode(CANARY).decode()
    texts = [f"bad key {raw}", f"bad key {CANARY.hex().upper()}", "a\x1b[2Jb", *["X"] * 30]
    with pytest.raises(KeysRefusedError) as caught:
        World(ok({"assets": [{"assetId": "m", "errors": texts}]})).keys.ingest([ASSET])
    message = caught.value.message
    assert raw not in message
    assert CANARY.hex() not in message.lower()
    assert f"bad key {MASK}" in message
    assert "\x1b" not in message
    assert "and 13 more" in message


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (httpx.Response(401, text="Invalid CAS Ticket"), ServiceRejectedError, "refused the ticket for ingest"),
        (httpx.Response(404), ServiceRejectedError, "nothing at the address"),
        (httpx.Response(409), KeysRefusedError, "a key is there already"),
        (httpx.Response(412, text="Provided input is invalid"), KeysRefusedError, "refused ingest (HTTP 412)"),
        (httpx.Response(400, json={"errors": ["INVALID_KEY"]}), KeysRefusedError, "; INVALID_KEY"),
        (httpx.Response(302, headers={"Location": "https://x.example"}), ProtocolError, "redirect (HTTP 302)"),
        (httpx.Response(418), ProtocolError, "HTTP 418, which is not expected"),
        (httpx.Response(200, text="<html>sign in"), ProtocolError, "with an HTML page"),
        (httpx.Response(200, text="thanks"), ProtocolError, "something that is not JSON"),
        (httpx.Response(200, json=[]), ProtocolError, "names no assets"),
        (httpx.Response(429, headers={"Retry-After": "9"}), RateLimitedError, "failed (HTTP 429)"),
        (httpx.Response(503), RemoteUnavailableError, "failed (HTTP 503)"),
    ],
)
def test_other_answers(answer: httpx.Response, kind: type[DrmkitError], said: str) -> None:
    """Each status and each body that is no success has its own error, without a ticket or a key in it."""
    world = World(answer)
    with pytest.raises(kind) as caught:
        world.keys.ingest([ASSET])
    assert said in caught.value.message
    assert "ST-" not in f"{caught.value.message}{caught.value.hint}"
    assert len(world.requests) == 1


def test_what_is_safe_is_repeated() -> None:
    """Queries, removals and overwriting ingests are sent again after a 503; an ingest that may collide is not."""
    overwriting = IngestAsset("m", ASSET.keys, overwrite=True)
    calls: list[Callable[[KeyManagement], Any]] = [
        lambda keys: keys.download(),
        lambda keys: keys.query([KID]),
        lambda keys: keys.remove(KID),
        lambda keys: keys.ingest([overwriting]),
    ]
    for call in calls:
        world = World(httpx.Response(503), ok(INGESTED))
        call(world.keys)
        assert len(world.requests) == 2
    once = World(httpx.Response(503), ok(INGESTED))
    with pytest.raises(RemoteUnavailableError):
        once.keys.ingest([ASSET])
    assert len(once.requests) == 1


def test_the_hint_says_name_or_uuid() -> None:
    """What a path wants is told where the server knows nothing at it."""
    with pytest.raises(ServiceRejectedError) as by_name:
        World(httpx.Response(404)).keys.ingest([ASSET])
    with pytest.raises(ServiceRejectedError) as by_uuid:
        World(httpx.Response(404)).keys.download()
    assert "organization's API name (`organization_name`), not its UUID" in str(by_name.value.hint)
    assert "organization's UUID (`organization`), not its API name" in str(by_uuid.value.hint)


def test_a_removal_of_what_is_not_there() -> None:
    """409 to a removal means the opposite of 409 to an ingest."""
    with pytest.raises(KeysRefusedError, match="there is no such key"):
        World(httpx.Response(409)).keys.remove(KID)
    World(httpx.Response(204)).keys.remove_asset("a", "HD", "v")


@pytest.mark.parametrize(
    "body",
    [
        b'[{"keyId": "0f", "assetId": "m"}]',
        b'{"keys": [{"keyId": "0f", "assetId": "m"}]}',
        b'{"keyId": "0f", "assetId": "m"}',
        b'{"keyId": "0f", "assetId": "m"}\n\n',
    ],
)
def test_records_in_each_form(body: bytes) -> None:
    """A list, an object with a list, one object, and one object a line are all read."""
    (record,) = read_records(body, "x")
    assert (record.kid, record.asset_id, record.stream_type) == ("0f", "m", "")


def test_records_of_a_public_fixture() -> None:
    """Lines with the fields of a public client's fixture; what may be a key is masked, the rest is kept."""
    line = (
        '{"uuid":"u","type":"CENC","keyId":"0f","streamType":"HD","assetId":"m","variantId":null,'
        '"ingestChannel":"CPIX","ingestRegion":"eu","key":"cAnArY","nested":{"contentKey":"cAnArY"}}'
    )
    first, second = read_records(f"{line}\n{line}".encode(), "x")
    assert first == second
    assert (first.stream_type, first.channel, first.variant_id) == ("HD", "CPIX", "")
    assert first.more["ingestRegion"] == "eu"
    assert "cAnArY" not in str(first.more)


@pytest.mark.parametrize("body", [b"<x>", b"1", b"[1]", b'{"a": 1}\n2'])
def test_what_is_no_list_of_keys(body: bytes) -> None:
    """Anything else is told as what it is."""
    with pytest.raises(ProtocolError, match="no list of keys"):
        read_records(body, "x")
    assert read_records(b" ", "x") == ()


def test_masking_goes_by_names() -> None:
    """Values under names of keys and secrets are masked at any depth; flags and everything else stay."""
    value = {"sharedSecret": "s", "secret": "s", "clearKey": True, "kid": "k", "list": [{"iv": "i", "x": 1}]}
    assert masked(value) == {
        "sharedSecret": MASK,
        "secret": MASK,
        "clearKey": True,
        "kid": "k",
        "list": [{"iv": MASK, "x": 1}],
    }


def test_keys_that_an_answer_does_not_name() -> None:
    """What was sent and is not in an answer that names keys is told; one without IDs, or without keys, tells none."""
    other = KeyId(bytes(16))
    keys = [{"keyId": KID.base64, "streamType": "HD"}]
    taken = read_ingested(json.dumps({"assets": [{"assetId": "m", "keys": keys}]}).encode(), "x")
    assert unnamed([KID, other], taken) == (other,)
    assert unnamed([KID], taken) == ()
    nameless = read_ingested(b'{"assets": [{"assetId": "m", "keys": [{"streamType": "HD"}]}]}', "x")
    assert unnamed([KID, other], nameless) == unnamed([KID], ()) == ()
    with pytest.raises(ProtocolError, match="names no assets"):
        read_ingested(b'{"assets": []}', "x")


def test_errors_among_lines_are_raised() -> None:
    """A download that breaks off with an error says so, also where each line is an object of its own."""
    lines = b'{"keyId": "0f", "assetId": "m"}\n{"errors": ["stream aborted"]}\n'
    with pytest.raises(KeysRefusedError, match="refused download, inside HTTP 200: stream aborted"):
        World(httpx.Response(200, content=lines)).keys.download()
    whole = World(
        httpx.Response(200, content=lines.splitlines()[0] + b'\n{"keyId": "1f", "errors": []}')
    ).keys.download()
    assert [record.kid for record in whole] == ["0f", "1f"]


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        1,
        "x",
        {"assets": [1]},
        {"assets": [{"keys": [1]}]},
        {"errors": []},
        {"error": False},
        {"assets": [{"assetId": "m", "errors": None, "keys": [{"error": "", "errors": {}}]}]},
        {"errorCount": 3, "message": "errors"},
    ],
)
def test_no_errors(document: Any) -> None:
    """What holds none has none."""
    assert refusals(document) == []


def test_any_other_endpoint() -> None:
    """A path of one's own gets a ticket for its URL, and its errors inside a 200 are raised too."""
    world = World(ok({"accounts": []}), ok({"errors": [{"path": "kid", "message": "is taken"}]}))
    assert json.loads(world.keys.send("GET", "/frontend/rest/config/v1/{uuid}/account/list")) == {"accounts": []}
    assert world.cas.services == [f"https://fe.example.com/frontend/rest/config/v1/{UUID}/account/list"]
    with pytest.raises(KeysRefusedError, match="kid: is taken"):
        world.keys.send("POST", "/frontend/rest/config/v1/{uuid}/upfront/secret/add", body=Secret(b"{}"))
    for path, said in (("/x/{name}", "API name (`org"), ("/x/{uuid}", "UUID (`org"), ("/x", "its UUID or neither")):
        with pytest.raises(ServiceRejectedError) as caught:
            World(httpx.Response(404)).keys.send("GET", path)
        assert said in (caught.value.hint or "")
