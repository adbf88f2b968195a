"""TC3-HMAC-SHA256: published vectors, the official SDK as a peer, and every reason of a refusal."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tencentcloud.common.sign import Sign

from drmkit.mps.faults import ApiCredentialsError
from drmkit.mps.signing import Authorization, SigningKey, canonical_request, sign, string_to_sign, verify
from drmkit.secret import Secret

BODY = rb'{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}'
TYPE = "application/json; charset=utf-8"
AT = 1551113065
# Published: https://cloud.tencent.com/document/product/213/30654 (V1), older copies of the same page (V2)
V1 = {
    "id": "AKID" + "*" * 32,
    "key": "*" * 32,
    "action": True,
    "canonical": "7019a55be8395899b900fb5564e4200d984910f34794a27cb3fb7d10ff6a1e84",
    "signing": "b596b923aad85185e2d1f6659d2a062e0a86731226e021e61bfe06f7ed05f5af",
    "signature": "10b1a37a7301a02ca19a647ad722d5e43b4b3cff309d421d85b46093f6ab6c4f",
}
V2 = {
    "id": "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE",
    "key": "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE",
    "action": False,
    "canonical": "5ffe6a04c0664d6b969fab9a13bdab201d63ee709638e2749d62a09ca18d7031",
    "signing": "ac658d5dde49e9bfdd14e04e062f66b05d9f637d44b8a8d845327d4a77f666b1",
    "signature": "72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168",
}


@pytest.mark.parametrize("vector", [V1, V2], ids=["V1", "V2"])
def test_published_vectors(vector: Any) -> None:
    """The canonical request, the derived key and the signature are those that Tencent Cloud publishes."""
    pairs = [("content-type", TYPE), ("host", "cvm.tencentcloudapi.com")]
    if vector["action"]:
        pairs.append(("x-tc-action", "DescribeInstances"))
    canonical, _ = canonical_request("POST", "", pairs, hashlib.sha256(BODY).hexdigest())
    key = SigningKey(Secret(vector["key"]))
    headers = sign(
        secret_id=vector["id"],
        key=key,
        service="cvm",
        host="cvm.tencentcloudapi.com",
        action="DescribeInstances",
        version="2017-03-12",
        body=BODY,
        timestamp=AT,
        content_type=TYPE,
        sign_action=vector["action"],
    )
    assert hashlib.sha256(BODY).hexdigest() == "35e9c5b0e3ae67532d3c9f17ead6c90222632e5b1ff7f6e89887f1398934f064"
    assert hashlib.sha256(canonical.encode()).hexdigest() == vector["canonical"]
    assert key.derive("2019-02-25", "cvm").hex() == vector["signing"]
    assert headers["Authorization"].endswith(f"Signature={vector['signature']}")


@pytest.mark.parametrize(
    ("sign_action", "signature"),
    [
        (False, "a0953f4bca365a1462f6df12e48a42e59f45780a5b57419ad9194dab8bdff5c4"),
        (True, "af4d23383bae445468e7a0e07fee09d99d95d84c129ed7c94a61504d7a5740ba"),
    ],
)
def test_mps_vector(sign_action: Any, signature: Any) -> None:
    """A DescribeTaskDetail request has the signature that the official SDK makes at the same moment."""
    body = b'{"TaskId": "24000035-WorkflowTask-cf405e365e75efb2a7bfdef514cc17dbtt195964"}'
    headers = mps_headers(body, timestamp=1700000000, sign_action=sign_action)
    assert headers["Authorization"].endswith(signature)


def mps_headers(
    body: Any = b"{}", *, timestamp: Any = 1700000000, host: Any = "mps.tencentcloudapi.com", **more: Any
) -> Any:
    """Headers signed by the example account."""
    return sign(
        secret_id="AKIDEXAMPLE",
        key=SigningKey(Secret("SECRETEXAMPLE")),
        service="mps",
        host=host,
        action="DescribeTaskDetail",
        version="2019-06-12",
        body=body,
        timestamp=timestamp,
        **more,
    )


def check(headers: Any, body: Any = b"{}", *, now: Any = 1700000000.0, key: Any = "SECRETEXAMPLE", **more: Any) -> Any:
    """Verify as a server that knows one account."""
    known = {"AKIDEXAMPLE": SigningKey(Secret(key))}
    pairs = headers.items() if isinstance(headers, dict) else headers
    return verify(method="POST", query="", headers=pairs, body=body, key_of=known.get, now=now, **more)


@settings(max_examples=60)
@given(
    body=st.binary(max_size=200),
    timestamp=st.integers(0, 4102444800),
    host=st.sampled_from(["mps.tencentcloudapi.com", "127.0.0.1:8080", "http://127.0.0.1:8080", "[::1]:9"]),
    sign_action=st.booleans(),
)
def test_what_is_signed_verifies(body: Any, timestamp: Any, host: Any, sign_action: Any) -> None:
    """Whatever is signed verifies at the same moment, across every midnight; the date is that of UTC."""
    headers = mps_headers(body, timestamp=timestamp, host=host, sign_action=sign_action)
    assert check(headers, body, now=timestamp).secret_id == "AKIDEXAMPLE"


@settings(max_examples=40)
@given(body=st.binary(max_size=80), timestamp=st.integers(0, 4102444800))
def test_same_text_as_the_official_sdk(body: Any, timestamp: Any) -> None:
    """The official SDK's TC3 function gives the same signature for the same text."""
    headers = mps_headers(body, timestamp=timestamp, sign_action=False)
    claim = Authorization.parse(headers["Authorization"])
    pairs = [("content-type", "application/json"), ("host", "mps.tencentcloudapi.com")]
    canonical, _ = canonical_request("POST", "", pairs, hashlib.sha256(body).hexdigest())
    text = string_to_sign(canonical, timestamp, "mps")
    assert Sign.sign_tc3("SECRETEXAMPLE", claim.date, "mps", text) == claim.signature


def test_header_values_are_compared_without_case_and_blanks() -> None:
    """Signed values are trimmed and lower-cased, as the documentation of the canonical headers says."""
    headers = mps_headers(host="mps.tencentcloudapi.com")
    headers["Host"] = " MPS.tencentcloudapi.com "
    assert check(headers).signed_headers == ("content-type", "host", "x-tc-action")


def test_unsigned_payload() -> None:
    """With X-TC-Content-SHA256: UNSIGNED-PAYLOAD the literal text is hashed instead of the body."""
    headers = mps_headers(b"UNSIGNED-PAYLOAD") | {"X-TC-Content-SHA256": "UNSIGNED-PAYLOAD"}
    assert check(headers, b"anything").secret_id == "AKIDEXAMPLE"
    refused(headers | {"X-TC-Content-SHA256": "no"}, "SignatureFailure", "does not match", body=b"anything")


def test_token_and_region_travel_unsigned() -> None:
    """Temporary credentials send X-TC-Token, a region X-TC-Region; neither is among the signed headers."""
    headers = mps_headers(region="ap-singapore", token=Secret("session"))
    assert headers["X-TC-Token"] == "session"
    assert headers["X-TC-Region"] == "ap-singapore"
    assert check(headers).signed_headers == ("content-type", "host", "x-tc-action")


def refused(headers: Any, reason: Any, text: Any, **more: Any) -> None:
    """Assert that the server refuses with one reason and says why."""
    with pytest.raises(ApiCredentialsError, match=text) as caught:
        check(headers, **more)
    assert caught.value.code == f"AuthFailure.{reason}"


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Basic dXNlcg==",
        "TC3-HMAC-SHA256 Credential=A/2023-11-14/mps/tc3_request, SignedHeaders=content-type;host, Signature=abc",
        "TC3-HMAC-SHA256 Credential=A/2023-11-14/mps, SignedHeaders=content-type;host, Signature=" + "0" * 64,
    ],
)
def test_authorization_of_another_shape(value: Any) -> None:
    """An Authorization header that is not of the scheme is InvalidAuthorization."""
    refused(mps_headers() | {"Authorization": value}, "InvalidAuthorization", "is not of TC3-HMAC-SHA256")


def test_host_and_content_type_must_be_signed() -> None:
    """A signature that covers neither Host nor Content-Type is no use: it is InvalidAuthorization."""
    headers = mps_headers()
    headers["Authorization"] = headers["Authorization"].replace("content-type;host;x-tc-action", "x-tc-action")
    refused(headers, "InvalidAuthorization", "must be signed")


@pytest.mark.parametrize("timestamp", ["", "now", "1e9", "-5", "9" * 20])
def test_timestamp_that_is_no_number(timestamp: Any) -> None:
    """X-TC-Timestamp must be a plain number."""
    refused(mps_headers() | {"X-TC-Timestamp": timestamp}, "InvalidAuthorization", "not a number")


@pytest.mark.parametrize("shift", [-301, 301])
def test_clock_beyond_five_minutes(shift: Any) -> None:
    """More than 300 seconds of difference, either way, is SignatureExpire."""
    refused(mps_headers(), "SignatureExpire", "more than 300 seconds", now=1700000000 + shift)


@pytest.mark.parametrize("shift", [-300, 0, 300])
def test_clock_within_five_minutes(shift: Any) -> None:
    """Up to 300 seconds of difference is accepted."""
    assert check(mps_headers(), now=1700000000 + shift).service == "mps"


def test_unknown_secret_id() -> None:
    """An account that is not known is SecretIdNotFound."""
    headers = mps_headers()
    headers["Authorization"] = headers["Authorization"].replace("AKIDEXAMPLE", "AKIDOTHER")
    refused(headers, "SecretIdNotFound", "is not known")


def test_wrong_key_and_altered_parts() -> None:
    """Another key, body, host, action or content type is SignatureFailure."""
    refused(mps_headers(), "SignatureFailure", "does not match", key="OTHER")
    refused(mps_headers(), "SignatureFailure", "does not match", body=b"{ }")
    for name in ("Host", "X-TC-Action", "Content-Type"):
        refused(mps_headers() | {name: "other"}, "SignatureFailure", "does not match")


def test_signed_header_that_did_not_arrive() -> None:
    """A header that is said to be signed must be there."""
    headers = mps_headers()
    del headers["X-TC-Action"]
    refused(headers, "SignatureFailure", "signed headers are missing: x-tc-action")


def test_scope_of_another_day_or_service() -> None:
    """The scope's date is the timestamp's own, and the service is the one that is served."""
    headers = mps_headers()
    other = headers | {"Authorization": headers["Authorization"].replace("2023-11-14", "2023-11-15")}
    refused(other, "SignatureFailure", "credential scope")
    refused(headers, "SignatureFailure", "credential scope", service="cvm")
    assert check(headers, service="mps").date == "2023-11-14"


def test_key_never_shows() -> None:
    """A signing key has no text form that could reach a log."""
    assert "SECRETEXAMPLE" not in repr(SigningKey(Secret("SECRETEXAMPLE")))
