"""Tokens read back: everything that is wrong with one is named, with or without its secret."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drmkit.errors import InputError
from drmkit.licensing.customdata import CustomData
from drmkit.licensing.explain import TokenRefusedError, explain, require
from drmkit.licensing.rights import CustomerRights, Rental
from drmkit.licensing.token import SharedSecret, make_token
from drmkit.secret import Secret

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
RAW = bytes(range(32))
SECRET = SharedSecret("new", Secret(RAW))
OLD = SharedSecret("old", Secret(bytes(range(32, 64))))
SECONDS = int(NOW.timestamp())
CRT = {"assetId": "m", "profile": {"type": "purchase"}, "storeLicense": True}
SUBJECT = {"merchant": "o", "userId": "u"}


def b64(raw: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def token(*, header: Any = None, key: bytes = RAW, crt: Any = None, subject: Any = None, **claims: Any) -> str:
    """A token by hand, by RFC 7515 alone; None drops a claim."""
    head = {"alg": "HS256", "kid": "new", "typ": "JWT"} if header is None else header
    payload = {
        "jti": "j",
        "iat": SECONDS,
        "exp": SECONDS + 60,
        "optData": json.dumps(SUBJECT) if subject is None else subject,
        "crt": json.dumps(CRT) if crt is None else crt,
    } | claims
    payload = {name: value for name, value in payload.items() if value is not None}
    text = f"{b64(json.dumps(head).encode())}.{b64(json.dumps(payload).encode())}"
    return f"{text}.{b64(hmac.digest(key, text.encode(), hashlib.sha256))}"


def remarks(text: str, *secrets: SharedSecret) -> list[str]:
    """The remarks about a token."""
    return [str(remark) for remark in explain(text, now=NOW, secrets=secrets).remarks]


def test_a_good_token() -> None:
    """Without a secret the signature is unverified, with it verified; nothing else is to be said."""
    assert remarks(token()) == remarks(token(), OLD, SECRET) == []
    assert explain(token(), now=NOW).signature == "unverified"
    found = explain(f" {token()}\n", now=NOW, secrets=[OLD, SECRET])
    assert (found.signature, found.crt, found.opt_data) == ("verified", CRT, SUBJECT)
    assert require(found) is found


def test_what_is_made_is_good() -> None:
    """A token of our own has no remarks, in all algorithms."""
    rights = CustomerRights(asset_id="m", profile=Rental(relative=timedelta(days=1)), store_license=False)
    for algorithm in ("HS256", "HS384", "HS512"):
        made = make_token(rights, CustomData("o", "u", "s"), SECRET, now=NOW, algorithm=algorithm)
        assert remarks(made.reveal(), SECRET) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (token(key=RAW.hex().encode()), "hexadecimal text instead of the bytes"),
        (token(key=RAW.hex().upper().encode()), "hexadecimal text instead of the bytes"),
        (token(key=OLD.value.reveal()), "names another secret than the one that signed; write 'old'"),
        (token(header={"alg": "HS256", "kid": "x", "typ": "JWT"}, key=b"z" * 32), "is that of no secret given"),
        (token(key=b"z" * 32), "does not fit the secret"),
        (token()[:-3], "does not fit the secret"),
    ],
)
def test_wrong_signatures_are_told_apart(text: str, said: str) -> None:
    """The usual mistakes have sentences of their own, and `require` refuses each."""
    found = explain(text, now=NOW, secrets=[OLD, SECRET])
    assert found.signature == "wrong"
    assert any(said in str(remark) for remark in found.errors)
    with pytest.raises(TokenRefusedError, match="the token is not good"):
        require(found)


def test_an_unverified_token_is_not_required_to_be_good() -> None:
    """`require` wants a signature that was verified."""
    with pytest.raises(TokenRefusedError, match="its signature was not verified"):
        require(explain(token(), now=NOW))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (token(header={"alg": "none", "kid": "k", "typ": "JWT"}), "error: header.alg: is 'none'"),
        (token(header={"alg": "RS256", "kid": "k", "typ": "JWT"}), "error: header.alg: is 'RS256'"),
        (token(header={"alg": "HS256", "typ": "JWT"}), "error: header.kid: is missing"),
        (token(header={"alg": "HS256", "kid": "k"}), "warning: header.typ: is missing"),
        (token(iat=None), "error: iat: is missing"),
        (token(iat="now"), "error: iat: is no number of seconds"),
        (token(iat=True), "error: iat: is no number of seconds"),
        (token(iat=SECONDS * 1000), "error: iat: looks like milliseconds"),
        (token(iat=SECONDS + 600, exp=SECONDS + 700), "error: iat: is 0:10:00 ahead"),
        (token(exp=None), "warning: exp: is missing"),
        (token(exp=SECONDS - 3600, iat=SECONDS - 4000), "error: exp: was 1:00:00 ago: the token has expired"),
        (token(exp="x"), "error: exp: is no number"),
        (token(exp=SECONDS + 10, iat=SECONDS + 20), "error: exp: is not after iat"),
        (token(jti=None), "error: jti: is missing"),
        (token(jti=5), "error: jti: is missing or no text"),
        (token(crt=CRT), "error: crt: is JSON itself instead of a text that holds JSON"),
        (token(subject=SUBJECT), "error: optData: is JSON itself"),
        (token(crt=json.dumps(json.dumps(CRT))), "error: crt: is JSON that was serialized twice"),
        (token(crt="{"), "error: crt: is a text that is no JSON"),
        (token(crt="[1]"), "error: crt: is no JSON object"),
        (token(crt="[]"), "error: crt: is no JSON object"),
        (token(crt=json.dumps([CRT])), "warning: crt: is a list, which only older public clients send"),
        (token(crt=json.dumps([CRT, {"assetId": "m"}])), "error: crt[1].profile: is missing"),
        (
            token(crt=json.dumps([{"assetId": "m", "profile": {"rental": {"playDuration": 360000}}}])),
            "warning: crt[0].profile.playDuration: is a number, milliseconds in older public clients",
        ),
        (
            token(crt=json.dumps({"assetId": "m", "profile": {"type": "rental", "playDuration": 0}})),
            "error: crt.profile.playDuration: is no ISO 8601 duration",
        ),
        (token(subject="[1]"), "error: optData: is no JSON object"),
        (token(subject='{"userId": "u"}'), "error: optData.merchant: is missing"),
        (token(subject='{"merchant": "u", "userId": 5}'), "error: optData.userId: is missing or no text"),
        (token(crt=json.dumps({"profile": {"type": "purchase"}})), "error: crt: names neither an asset nor a template"),
        (token(crt=json.dumps({"assetId": "m"})), "error: crt.profile: is missing"),
        (token(crt=json.dumps({"assetId": "m", "profile": 1})), "error: crt.profile: is no JSON object"),
        (token(crt=json.dumps({"assetId": "m", "profile": {"type": "gift"}})), "error: crt.profile.type: is 'gift'"),
        (
            token(crt=json.dumps({"assetId": "m", "profile": {"purchase": {}}})),
            "warning: crt.profile: has the deprecated",
        ),
        (
            token(crt=json.dumps({"assetId": "m", "profile": {"rental": {"playDuration": "3h"}}})),
            "error: crt.profile.playDuration: is no ISO 8601 duration",
        ),
        (
            token(crt=json.dumps({"assetId": "m", "profile": {"type": "rental", "playDuration": "P99999D"}})),
            "error: crt.profile.playDuration: is zero or too long",
        ),
        (
            token(crt=json.dumps({"assetId": "m", "profile": {"type": "purchase", "playDuration": "PT1H"}})),
            "warning: crt.profile.playDuration: has no meaning for a purchase",
        ),
        (token(crt=json.dumps(CRT | {"variantId": "v"})), "warning: crt.variantId: is deprecated"),
        (token(crt=json.dumps(CRT | {"accountingId": "v"})), "warning: crt.accountingId: is deprecated"),
        (
            token(crt=json.dumps({"assetId": "m", "profile": {"type": "purchase"}})),
            "warning: crt.storeLicense: is missing, and DRMtoday takes true",
        ),
    ],
)
def test_everything_that_is_wrong_is_said(text: str, said: str) -> None:
    """Each mistake has its remark, without the secret."""
    assert any(remark.startswith(said) for remark in remarks(text)), remarks(text)


def test_the_form_of_older_clients_is_no_error() -> None:
    """Rights as public clients have long sent them, a list with the older profile, are doubted and not refused."""
    older = [{"assetId": "m", "profile": {"rental": {"playDuration": 360000}}, "storeLicense": False}]
    found = explain(token(crt=json.dumps(older)), now=NOW, secrets=[SECRET])
    assert (found.signature, found.errors, found.crt) == ("verified", (), older)
    assert len(found.remarks) == 3


def test_a_template_may_say_the_rest() -> None:
    """The benign twin: rights by template need neither asset nor profile."""
    assert remarks(token(crt='{"ref": [":t"]}')) == []


def test_claims_that_are_missing_come_at_once() -> None:
    """Every mistake is told in one go."""
    text = token(crt="", subject="", header={}, iat=None, jti=None)
    assert len(remarks(text)) >= 6


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has 1 parts"),
        ("a.b", "has 2 parts"),
        ("a.b.c.d", "has 4 parts"),
        ("****.b.c", "its header is not the base64url"),
        (f"{b64(b'[]')}.{b64(b'{}')}.c", "its header is not the base64url of a JSON object"),
        (f"{b64(b'{}')}.{b64(b'{')}.c", "its payload is not"),
        (f"{b64(b'{}')}.{b64(b'[' * 30000)}.c", "its payload is not"),
        ("a" * 70_000, "is longer than"),
    ],
)
def test_what_is_no_token(text: str, said: str) -> None:
    """Anything that is no JWT is an input error that says why."""
    with pytest.raises(InputError, match="this is no JWT") as caught:
        explain(text, now=NOW)
    assert said in caught.value.message


VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
JSON = st.recursive(VALUES, lambda inner: st.lists(inner, max_size=2), max_leaves=4)
CLAIMS = st.dictionaries(st.sampled_from(["iat", "exp", "jti", "optData", "crt"]), JSON)
PROFILES = st.dictionaries(st.sampled_from(["type", "rental", "purchase", "playDuration"]), JSON)
RIGHTS = st.dictionaries(st.sampled_from(["assetId", "ref", "profile"]), JSON | PROFILES)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["alg", "kid", "typ"]), JSON), CLAIMS, RIGHTS)
def test_no_token_crashes(header: Any, claims: Any, rights: Any) -> None:
    """Whatever JSON stands where, it is explained or refused."""
    for crt in (claims.get("crt"), json.dumps(rights), rights):
        text = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(claims | {'crt': crt}).encode())}.x"
        with suppress(InputError):
            explain(text, now=NOW, secrets=[SECRET])


@pytest.mark.parametrize(("kept", "message"), [(0, "is missing"), (5, "is not base64url"), (36, "has 27 bytes")])
def test_a_token_cut_short_in_its_signature(kept: int, message: str) -> None:
    """A signature that is not whole is told without the secret; a whole one is no remark."""
    head, _, tail = token().rpartition(".")
    (remark,) = explain(f"{head}.{tail[:kept]}", now=NOW).remarks
    assert (remark.place, remark.severity) == ("signature", "error")
    assert message in remark.message
    assert explain(token(), now=NOW).remarks == ()


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_what_python_alone_takes_for_json(word: str) -> None:
    """NaN and Infinity are no JSON (RFC 8259, 6): neither a payload nor a claim may hold them."""
    head, _, end = token().split(".")
    payload = b64(b'{"iat":' + word.encode() + b"}")
    with pytest.raises(InputError, match="its payload is not the base64url of a JSON object"):
        explain(f"{head}.{payload}.{end}", now=NOW)
    assert any("crt: is a text that is no JSON" in text for text in remarks(token(crt=f'{{"assetId":{word}}}')))


def test_a_byte_order_mark_is_allowed() -> None:
    """A token that an editor saved with a byte order mark is read as the same token."""
    assert explain("\ufeff" + token(), now=NOW) == explain(token(), now=NOW)
