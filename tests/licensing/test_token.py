"""Upfront tokens: signed with the bytes that the digits mean, and read back by PyJWT itself."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from drmkit.errors import ConfigurationError, InputError, MissingExtraError
from drmkit.licensing.customdata import CustomData
from drmkit.licensing.rights import CustomerRights, Purchase
from drmkit.licensing.token import ALGORITHMS, SharedSecret, make_token, new_secret, signs
from drmkit.secret import Secret

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DIGITS = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"  # of the public example
SECRET = SharedSecret.parse("00000000-1111-2222-3333-444444444444", Secret(DIGITS))
RIGHTS = CustomerRights(asset_id="BBB_TEST", profile=Purchase(), store_license=False)
SUBJECT = CustomData("00112233-4455-6677-8899-aabbccddeeff", "ffeeeedd-ccbb-aabb-9988-776655443322")


def make(**changes: Any) -> str:
    """A token, with changes."""
    given: dict[str, Any] = {"now": NOW, "token_bytes": bytes} | changes
    return make_token(RIGHTS, SUBJECT, SECRET, **given).reveal()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.filterwarnings("ignore:The HMAC key is 32 bytes long")
def test_pyjwt_reads_it_as_in_the_public_example(algorithm: str) -> None:
    """Header and claims are those of castLabs' example; optData and crt are texts that hold JSON."""
    text = make(algorithm=algorithm, lifetime=timedelta(minutes=1))
    assert jwt.get_unverified_header(text) == {"alg": algorithm, "kid": SECRET.kid, "typ": "JWT"}
    claims = jwt.decode(text, bytes.fromhex(DIGITS), algorithms=[algorithm], options={"verify_exp": False})
    assert claims == {
        "jti": "00000000-0000-4000-8000-000000000000",
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 60,
        "optData": json.dumps({"merchant": SUBJECT.merchant, "userId": SUBJECT.user_id}, separators=(",", ":")),
        "crt": '{"assetId":"BBB_TEST","profile":{"type":"purchase"},"storeLicense":false}',
    }
    assert json.loads(claims["crt"])["assetId"] == "BBB_TEST"


@pytest.mark.filterwarnings("ignore:The HMAC key is 32 bytes long")
def test_the_text_of_the_secret_signs_nothing() -> None:
    """Not the 64 digits sign, but the 32 bytes that they mean."""
    text = make()
    assert signs(text, bytes.fromhex(DIGITS))
    assert not signs(text, DIGITS.encode())
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(text, DIGITS, algorithms=["HS256"])


def test_each_token_is_another() -> None:
    """`jti` is a random UUID; without a lifetime there is no `exp`."""
    first, second = (make_token(RIGHTS, SUBJECT, SECRET, now=NOW, lifetime=None).reveal() for _ in range(2))
    assert first != second
    claims = jwt.decode(first, options={"verify_signature": False})
    assert "exp" not in claims
    assert len(claims["jti"]) == 36


def test_a_short_secret_gives_no_warning_of_pyjwts() -> None:
    """DRMtoday recommends 32 bytes for every algorithm; PyJWT would warn of that for HS384 and HS512."""
    make(algorithm="HS512")  # warnings are errors in these tests
    assert SECRET.warning is None
    assert "16 bytes" in str(SharedSecret.parse("k", Secret("00" * 15 + "01")).warning)


@pytest.mark.parametrize(
    ("kid", "digits", "said"),
    [
        ("", DIGITS, "ID \\(kid\\) is empty"),
        ("k\n", DIGITS, "ID \\(kid\\) is empty"),
        ("k", "cAnArY", "not hexadecimal"),
        ("k", DIGITS[:-1], "not hexadecimal"),
        ("k", "", "not hexadecimal"),
        ("k", "00" * 8, "has 8 bytes"),
    ],
)
def test_what_is_no_shared_secret(kid: str, digits: str, said: str) -> None:
    """A secret that is no hexadecimal, or short, is refused without a word of it."""
    with pytest.raises(ConfigurationError, match=said) as caught:
        SharedSecret.parse(kid, Secret(digits))
    assert "cAnArY" not in f"{caught.value.message}{caught.value.hint}"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"algorithm": "none"}, "is no algorithm"),
        ({"algorithm": "RS256"}, "is no algorithm"),
        ({"lifetime": timedelta()}, "at least one second"),
    ],
)
def test_what_is_not_signed(changes: dict[str, Any], said: str) -> None:
    """Other algorithms and lifetimes of zero are refused."""
    with pytest.raises(InputError, match=said):
        make(**changes)


def test_a_secret_that_is_another_kind_of_key() -> None:
    """PyJWT refuses what looks like a public key; that is told, and its error does not come along."""
    pem = b"-----BEGIN PUBLIC KEY-----\ncAnArYcAnArYcAnArYcAnArY\n-----END PUBLIC KEY-----"
    with pytest.raises(ConfigurationError, match="cannot sign") as caught:
        make_token(RIGHTS, SUBJECT, SharedSecret("k", Secret(pem)), now=NOW)
    assert caught.value.__context__ is None


def test_without_the_extra() -> None:
    """Without PyJWT the error says what to install."""

    def missing(name: str) -> Any:
        raise ModuleNotFoundError(name)

    with pytest.raises(MissingExtraError, match="PyJWT") as caught:
        make(load=missing)
    assert "drmkit[token]" in str(caught.value.hint)


def test_fresh_secrets() -> None:
    """A fresh secret has 64 digits, and hides them."""
    made = new_secret()
    assert len(made.reveal()) == 64
    assert SharedSecret.parse("k", made).warning is None
    assert made != new_secret()
    assert "kid" in repr(SECRET)
    assert DIGITS not in repr(SECRET)
