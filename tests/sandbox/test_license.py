"""The sandbox's license server: who gets a ClearKey license; tokens are made by PyJWT alone, as a backend would."""

from __future__ import annotations

import base64
import json
import warnings
from typing import Any

import jwt
import pytest

from drmkit.errors import ConfigurationError
from drmkit.identifiers import KeyId
from drmkit.secret import Secret
from drmkit.signaling import clearkey

RAW = bytes(range(32))
OLD = bytes(range(32, 64))
CRT = {"assetId": "movie-1", "profile": {"type": "purchase"}, "storeLicense": True}


@pytest.fixture
def licensed(make: Any) -> Any:
    """A sandbox with known shared secrets, and the keys of movie-1."""
    account = make(token_kid="new", token_secret=Secret(RAW.hex()), token_secrets_before={"old": Secret(OLD.hex())})
    account.client.get(account.key_url("movie-1"))
    return account


def kids(account: Any) -> list[KeyId]:
    """The key IDs that the sandbox knows."""
    return [key.kid for key in account.sandbox._engine.state.keys.all()]


def claims(account: Any, **changes: Any) -> dict[str, Any]:
    """The claims of a good token, with changes; None drops one."""
    now = int(account.sandbox._engine.state.clock.now())
    subject = {"merchant": account.sandbox.credentials.organization, "userId": "u"}
    given = {
        "jti": "j",
        "iat": now,
        "exp": now + 60,
        "optData": json.dumps(subject),
        "crt": json.dumps(CRT),
    } | changes
    return {name: value for name, value in given.items() if value is not None}


def signed(payload: Any, key: Any = RAW, algorithm: str = "HS256", **header: Any) -> str:
    """A token by PyJWT's own encoder."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyJWT's word on keys of 32 bytes
        return jwt.encode(payload, key, algorithm=algorithm, headers={"kid": "new"} | header)


def ask(account: Any, wanted: list[KeyId] | bytes | None = None, **headers: str) -> Any:
    """Ask for a license; underscores in names of headers stand for dashes."""
    body = wanted if isinstance(wanted, bytes) else clearkey.license_request(wanted or kids(account))
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return account.client.call("POST", account.sandbox.license_url, headers=named, body=body)


def custom(**fields: Any) -> str:
    """Custom data by hand."""
    return base64.b64encode(json.dumps(fields).encode()).decode()


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_a_token_opens_its_asset(licensed: Any, algorithm: str) -> None:
    """Each algorithm is good; the license holds the keys of the store."""
    answer = ask(licensed, x_dt_auth_token=signed(claims(licensed), algorithm=algorithm))
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    keys = clearkey.parse_license(answer.body)
    assert len(keys) == 4
    assert all(licensed.sandbox.stored_key(kid) == key for kid, key in keys.items())


def test_a_token_may_be_used_again(licensed: Any) -> None:
    """Nothing public says that DRMtoday refuses a `jti` that it has seen: one token gets several licenses."""
    token = signed(claims(licensed))
    assert [ask(licensed, x_dt_auth_token=token).status for _ in range(3)] == [200] * 3


def test_secrets_are_rotated(licensed: Any) -> None:
    """Old and new secrets both sign, each under its own kid."""
    for key, kid, status in ((OLD, "old", 200), (RAW, "new", 200), (OLD, "new", 403), (RAW, "older", 403)):
        assert ask(licensed, x_dt_auth_token=signed(claims(licensed), key, kid=kid)).status == status


def test_assets_are_kept_apart(licensed: Any) -> None:
    """Keys of another asset are left out, and refused where there are no others; a list opens its, a template all."""
    own = kids(licensed)
    licensed.client.get(licensed.key_url("movie-2"))
    other = [kid for kid in kids(licensed) if kid not in own]
    token = signed(claims(licensed))
    assert set(clearkey.parse_license(ask(licensed, own + other, x_dt_auth_token=token).body)) == set(own)
    refused = ask(licensed, other, x_dt_auth_token=token)
    assert (refused.status, json.loads(refused.body)["error"]) == (403, "UNAUTHORIZED_ASSETS")
    rights = [{"assetId": name, "profile": {"rental": {"playDuration": 360000}}} for name in ("movie-1", "movie-2")]
    both = signed(claims(licensed, crt=json.dumps(rights)))
    assert set(clearkey.parse_license(ask(licensed, own + other, x_dt_auth_token=both).body)) == {*own, *other}
    first = signed(claims(licensed, crt=json.dumps(rights[:1])))
    assert set(clearkey.parse_license(ask(licensed, own + other, x_dt_auth_token=first).body)) == set(own)
    template = signed(claims(licensed, crt='{"ref": [":t"]}'))
    assert set(clearkey.parse_license(ask(licensed, other, x_dt_auth_token=template).body)) == set(other)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"jti": None}, "AUTHTOKEN_JTI_MISSING"),
        ({"iat": None}, "AUTHTOKEN_IAT"),
        ({"iat": 10**11}, "AUTHTOKEN_IAT"),
        ({"exp": 1}, "AUTHTOKEN_EXPIRED"),
        ({"exp": "tomorrow"}, "AUTHTOKEN_EXPIRED"),
        ({"optData": None}, "AUTHTOKEN_CLAIM"),
        ({"optData": {"merchant": "x"}}, "AUTHTOKEN_CLAIM"),
        ({"optData": '{"merchant": "other", "userId": "u"}'}, "MERCHANT_UNKNOWN"),
        ({"optData": '{"merchant": ["x"], "userId": "u"}'}, "MERCHANT_UNKNOWN"),
        ({"crt": None}, "AUTHTOKEN_CLAIM"),
        ({"crt": CRT}, "AUTHTOKEN_CLAIM"),
        ({"crt": "{"}, "AUTHTOKEN_CLAIM"),
        ({"crt": "[" * 5000}, "AUTHTOKEN_CLAIM"),
        ({"crt": "[]"}, "AUTHTOKEN_CLAIM"),
        ({"crt": "[1]"}, "AUTHTOKEN_CLAIM"),
        ({"crt": "[{}]"}, "CRT_MALFORMED"),
        ({"crt": "{}"}, "CRT_MALFORMED"),
        ({"crt": '{"assetId": "movie-1"}'}, "CRT_MALFORMED"),
        ({"crt": '{"assetId": "movie-1", "profile": {"type": ["rental"]}}'}, "CRT_MALFORMED"),
        ({"crt": '{"assetId": "movie-1", "profile": {"type": "rental", "playDuration": "3h"}}'}, "CRT_MALFORMED"),
    ],
)
def test_what_a_token_must_say(licensed: Any, changes: dict[str, Any], code: str) -> None:
    """Each claim that is missing, expired or an object instead of text has its own word."""
    answer = ask(licensed, x_dt_auth_token=signed(claims(licensed, **changes)))
    assert (answer.status, json.loads(answer.body)["error"]) == (403, code)


def test_a_token_ages(licensed: Any) -> None:
    """The sandbox's clock decides: what was good is expired a minute later; without exp it stays good."""
    token, endless = signed(claims(licensed)), signed(claims(licensed, exp=None))
    assert ask(licensed, x_dt_auth_token=token).status == 200
    licensed.sandbox.advance(61)
    assert json.loads(ask(licensed, x_dt_auth_token=token).body)["error"] == "AUTHTOKEN_EXPIRED"
    assert ask(licensed, x_dt_auth_token=endless).status == 200


def test_wrong_signatures(licensed: Any) -> None:
    """The secret's text, another algorithm, no algorithm and no kid are refused, each with its word."""
    good = claims(licensed)
    unsigned = jwt.encode(good, None, algorithm="none", headers={"kid": "new"})
    for token, code in (
        (signed(good, RAW.hex()), "AUTHTOKEN_SIGNATURE"),
        (signed(good, OLD), "AUTHTOKEN_SIGNATURE"),
        (unsigned, "AUTHTOKEN_ALGORITHM"),
        (signed(good, kid=""), "AUTHTOKEN_KID_UNKNOWN"),
        ("x", "AUTHTOKEN_MALFORMED"),
    ):
        assert json.loads(ask(licensed, x_dt_auth_token=token).body)["error"] == code


def test_custom_data(licensed: Any) -> None:
    """Merchant by UUID or name, user and session are taken; rights may be in the session ID, for tests."""
    known = licensed.sandbox.credentials
    for merchant in (known.organization, known.organization_name):
        data = custom(merchant=merchant, userId="u", sessionId="s")
        assert ask(licensed, x_dt_custom_data=data).status == 200
    dummy = custom(merchant=known.organization, userId="u", sessionId=f"crtjson:{json.dumps(CRT | {'assetId': 'x'})}")
    assert json.loads(ask(licensed, x_dt_custom_data=dummy).body)["error"] == "UNAUTHORIZED_ASSETS"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ("*", "CUSTDATA_MALFORMED"),
        ("W10=", "CUSTDATA_MALFORMED"),
        (custom(merchant="other", userId="u", sessionId="s"), "MERCHANT_UNKNOWN"),
        (custom(merchant="OWN", sessionId="s"), "USER_MISSING"),
        (custom(merchant="OWN", userId="u"), "CUSTDATA_MALFORMED"),
        (custom(merchant="OWN", userId="u", sessionId="crtjson:{"), "AUTHTOKEN_CLAIM"),
    ],
)
def test_custom_data_that_is_none(make: Any, data: str, code: str) -> None:
    """What lacks a part, or is for another organization, is refused."""
    account = make(organization="OWN")
    answer = ask(account, [KeyId(bytes(16))], x_dt_custom_data=data)
    assert json.loads(answer.body)["error"] == code


def test_one_header_and_only_one(licensed: Any) -> None:
    """Neither is 401, both are 400: DRMtoday asks for one of the two."""
    token = signed(claims(licensed))
    none = ask(licensed)
    both = ask(licensed, x_dt_auth_token=token, x_dt_custom_data=custom(merchant="m", userId="u", sessionId="s"))
    assert (none.status, json.loads(none.body)["error"]) == (401, "AUTHORIZATION_MISSING")
    assert (both.status, json.loads(both.body)["error"]) == (400, "CUSTDATA_MULTIPLE_VALUES")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "REQUEST_MALFORMED"),
        (b"{}", 400, "REQUEST_MALFORMED"),
        (b'{"kids": ["x"]}', 400, "REQUEST_MALFORMED"),
        (clearkey.license_request([KeyId(n.to_bytes(16)) for n in range(257)]), 400, "REQUEST_MALFORMED"),
        (b" " * 70_000, 413, "REQUEST_TOO_LARGE"),
        (clearkey.license_request([KeyId(bytes(16))]), 404, "KEY_NOT_FOUND"),
    ],
)
def test_requests_that_name_no_key(licensed: Any, body: bytes, status: int, code: str) -> None:
    """A request that is none, or for keys that nobody has, is told as what it is."""
    answer = ask(licensed, body, x_dt_auth_token=signed(claims(licensed)))
    assert (answer.status, json.loads(answer.body)["error"]) == (status, code)


def test_no_token_is_in_the_journal(licensed: Any) -> None:
    """What happened is noted without tokens."""
    token = signed(claims(licensed))
    ask(licensed, x_dt_auth_token=token)
    ask(licensed)
    events = licensed.sandbox.events("license")
    assert [event.outcome for event in events] == ["200 4 keys", "401 AUTHORIZATION_MISSING"]


def test_token_secrets_are_checked_at_once(make: Any) -> None:
    """A secret that is no hexadecimal does not start."""
    with pytest.raises(ConfigurationError, match="token_secret"):
        make(token_secret=Secret("cAnArY"))
