"""The sandbox's key management: who gets in, and what is refused inside a 200; called by a plain HTTP client."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest

from drmkit.identifiers import KeyId
from drmkit.secret import Secret

KID = KeyId(bytes(range(16)))
KEY = bytes(range(16, 32))


def b64(raw: bytes) -> str:
    """Base64 as the API has it."""
    return base64.b64encode(raw).decode()


def call(account: Any, method: str, path: str, body: Any = None, *, content_type: str = "application/json") -> Any:
    """Call a path with a ticket for it."""
    url = account.sandbox.url + path
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    target = f"{url}?ticket={quote(account.ticket(url), safe='')}"
    return account.client.call(method, target, headers={"Content-Type": content_type}, body=raw)


def ingest_path(account: Any, version: str = "v3") -> str:
    """The path of an ingest."""
    return f"/frontend/api/keys/{version}/ingest/{account.sandbox.credentials.organization_name}"


def key(**changes: Any) -> dict[str, Any]:
    """One key of a body, with changes; None drops a field."""
    fields = {"streamType": "VIDEO", "keyId": b64(KID.raw), "key": b64(KEY)} | changes
    return {name: value for name, value in fields.items() if value is not None}


def asset(*keys: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A body of one asset."""
    fields = {"assetId": "movie-1", "ingestKeys": list(keys)} | changes
    return {"assets": [{name: value for name, value in fields.items() if value is not None}]}


def inner(answer: Any) -> tuple[list[str], list[str]]:
    """The errors of the first asset and of its first key, in a 200."""
    assert answer.status == 200
    (found,) = json.loads(answer.body)["assets"]
    return found["errors"], found["keys"][0]["errors"] if found["keys"] else []


def test_the_life_of_a_key(account: Any) -> None:
    """What is ingested is stored, found by query, listed, and gone after its removal."""
    path = ingest_path(account)
    assert inner(call(account, "POST", path, asset(key()))) == ([], [])
    assert account.sandbox.stored_key(KID) == Secret(KEY)
    metadata = f"/frontend/download-api/ingestion/query/v1/keys/{account.sandbox.credentials.organization}"
    (record,) = json.loads(call(account, "POST", f"{metadata}/query", {"keyIds": [KID.uuid.upper(), "ff"]}).body)
    assert (record["keyId"], record["assetId"], record["ingestChannel"]) == (KID.hex, "movie-1", "API")
    account.client.get(account.key_url("movie-2"))
    lines = [json.loads(line) for line in call(account, "GET", f"{metadata}/download").text.splitlines()]
    assert {(line["assetId"], line["ingestChannel"]) for line in lines} == {("movie-1", "API"), ("movie-2", "CPIX")}
    assert len(lines) == 5
    assert KEY.hex() not in str(lines)
    name = account.sandbox.credentials.organization_name
    removal = f"/frontend/rest/keys/v1/cenc/merchant/{name}/key/keyId/{KID.hex}"
    assert call(account, "DELETE", removal).status == 204
    assert call(account, "DELETE", removal).status == 409
    assert account.sandbox.stored_key(KID) is None


def test_removal_by_asset(account: Any) -> None:
    """Asset, stream type and variant name one key."""
    body = asset(key(algorithm="AES"), type="CENC", variantId="v")
    assert inner(call(account, "POST", ingest_path(account, "v2"), body)) == ([], [])
    name = account.sandbox.credentials.organization_name
    base = f"/frontend/rest/keys/v1/cenc/merchant/{name}/key/assetId/movie-1/streamType/VIDEO/variantId"
    assert call(account, "DELETE", f"{base}/w").status == 409
    assert call(account, "DELETE", f"{base}/v").status == 204


@pytest.mark.parametrize(
    ("version", "body", "errors"),
    [
        ("v3", asset(), (["MISSING_KEYS"], [])),
        ("v3", asset(key(), assetId=None), (["MISSING_ASSET_ID"], [])),
        ("v2", asset(key()), (["MISSING_TYPE"], [])),
        ("v3", asset(key(keyId=None)), ([], ["MISSING_KEY_ID"])),
        ("v3", asset(key(keyId="AAAA")), ([], ["INVALID_KEY_ID"])),
        ("v3", asset(key(key=None)), ([], ["MISSING_KEY"])),
        ("v3", asset(key(key="*")), ([], ["INVALID_KEY"])),
        ("v3", asset(key(iv="AAAA")), ([], ["INVALID_IV"])),
        ("v2", asset(key(), type="FAIRPLAY"), ([], ["MISSING_IV"])),
        ("v2", asset(key(algorithm="ROT13"), type="CENC"), ([], ["INVALID_ALGORITHM"])),
        ("v3", asset(key(), key()), ([], [])),
    ],
)
def test_refusals_inside_a_200(account: Any, version: str, body: Any, errors: Any) -> None:
    """What is wrong with an asset or a key stands in its `errors`, under the names that public clients know."""
    answer = call(account, "POST", ingest_path(account, version), body)
    assert inner(answer) == errors
    if len(body["assets"][0]["ingestKeys"]) == 2:
        assert json.loads(answer.body)["assets"][0]["keys"][1]["errors"] == ["DUPLICATE_KEY_ID"]


def test_overwriting(account: Any) -> None:
    """A key that is there is replaced only on purpose."""
    other = bytes(range(32, 48))
    path = ingest_path(account)
    call(account, "POST", path, asset(key()))
    assert inner(call(account, "POST", path, asset(key(key=b64(other))))) == ([], ["DUPLICATE_KEY_ID"])
    assert account.sandbox.stored_key(KID) == Secret(KEY)
    assert inner(call(account, "POST", path, asset(key(key=b64(other)), overwriteExistingKeys=True))) == ([], [])
    assert account.sandbox.stored_key(KID) == Secret(other)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"assets": 1}', b'{"assets": [1]}', b"[" * 100_000])
def test_bodies_that_are_none(account: Any, body: bytes) -> None:
    """What is no body of the call is 412, as the vendor's status table has it."""
    assert call(account, "POST", ingest_path(account), body).status == 412
    query = f"/frontend/download-api/ingestion/query/v1/keys/{account.sandbox.credentials.organization}/query"
    assert call(account, "POST", query, body).status == 412
    assert call(account, "POST", ingest_path(account), asset(key()), content_type="text/plain").status == 412


def test_name_and_uuid_are_not_interchangeable(account: Any) -> None:
    """A ticket is given, and a call answered, only where the path names the organization as the call wants it."""
    known = account.sandbox.credentials
    good, bad = known.organization_name, known.organization
    for path, method in (
        ("/frontend/api/keys/v3/ingest/{}", "POST"),
        ("/frontend/rest/keys/v1/cenc/merchant/{}/key/keyId/00", "DELETE"),
    ):
        answer = account.client.form(account.log_in(), {"service": account.sandbox.url + path.format(bad)})
        assert (answer.status, "unrecognized" in answer.text) == (404, True)
        assert account.client.call(method, f"{account.sandbox.url}{path.format(bad)}?ticket=x").status == 404
        assert account.client.call(method, f"{account.sandbox.url}{path.format(good)}?ticket=x").status == 401
    metadata = "/frontend/download-api/ingestion/query/v1/keys/{}/download"
    assert account.client.get(f"{account.sandbox.url}{metadata.format(good)}?ticket=x").status == 404
    assert account.client.get(f"{account.sandbox.url}{metadata.format(bad)}?ticket=x").status == 401


def test_a_ticket_of_another_call_opens_nothing(account: Any) -> None:
    """Each call wants a ticket of its own."""
    url = account.sandbox.url + ingest_path(account)
    other = quote(account.ticket(account.sandbox.url + ingest_path(account, "v2")), safe="")
    answer = account.client.call("POST", f"{url}?ticket={other}", body=json.dumps(asset(key())).encode())
    assert (answer.status, answer.text) == (401, "Invalid CAS Ticket")
    assert account.sandbox.stored_key(KID) is None


def test_faults_reach_key_management(make: Any) -> None:
    """It is a part of the key server, and fails with it."""
    account = make()
    account.sandbox.faults.switch_on("keyserver-unavailable:1")
    assert call(account, "POST", ingest_path(account), asset(key())).status == 503
    account.sandbox.faults.switch_on("keyserver-html:1")
    assert "sign in" in call(account, "POST", ingest_path(account), asset(key())).text
    assert [event.what for event in account.sandbox.events("keyserver")] == ["keys ingest"] * 2


def test_a_brought_key_is_handed_out_as_it_is(account: Any) -> None:
    """A SPEKE request for a key ID whose key a client brought gets that key, not a derived one."""
    call(account, "POST", ingest_path(account), asset(key()))
    store = account.sandbox._engine.state.keys
    assert store.hand_out("", KID, "movie-2").key == Secret(KEY)
    other = KeyId(bytes(range(32, 48)))
    assert store.hand_out("", other, "movie-2").asset == "movie-2"
    assert store.find(other).key != Secret(KEY)
