"""TC3-HMAC-SHA256: sign requests to Tencent Cloud, and verify signed requests as a server does."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Callable, Iterable
from functools import lru_cache

import msgspec

from drmkit.mps.faults import SIGNATURE_EXPIRED, ApiCredentialsError
from drmkit.secret import Secret

__all__ = ["ALGORITHM", "Authorization", "SigningKey", "canonical_request", "sign", "string_to_sign", "verify"]

ALGORITHM = "TC3-HMAC-SHA256"
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
MAX_SKEW = 300
_AUTHORIZATION = (  # not compiled here: it is for servers
    r"TC3-HMAC-SHA256\s+"
    r"Credential=(?P<secret_id>[^/\s,]+)/(?P<date>\d{4}-\d\d-\d\d)/(?P<service>[a-z0-9-]+)/tc3_request\s*,\s*"
    r"SignedHeaders=(?P<headers>[A-Za-z0-9-]+(?:;[A-Za-z0-9-]+)*)\s*,\s*"
    r"Signature=(?P<signature>[0-9A-Fa-f]{64})\s*"
)
_TIMESTAMP = r"[0-9]{1,12}"


class SigningKey:
    """A secret key, with the derived key of the current day kept so that each request costs one HMAC.

    Args:
        secret_key: the account's secret key.
    """

    __slots__ = ("_derived", "_secret_key")

    def __init__(self, secret_key: Secret[str]) -> None:
        self._secret_key = secret_key
        self._derived: tuple[str, str, bytes] = ("", "", b"")

    def derive(self, date: str, service: str) -> bytes:
        """Return SecretSigning for a UTC date (`YYYY-MM-DD`) and a service."""
        known = self._derived
        if known[0] != date or known[1] != service:
            key = _hmac(b"TC3" + self._secret_key.reveal().encode(), date)
            known = self._derived = (date, service, _hmac(_hmac(key, service), "tc3_request"))
        return known[2]

    def __repr__(self) -> str:
        return "SigningKey(...)"


def sign(
    *,
    secret_id: str,
    key: SigningKey,
    service: str,
    host: str,
    action: str,
    version: str,
    body: bytes,
    timestamp: int,
    content_type: str = "application/json",
    sign_action: bool = True,
    region: str | None = None,
    token: Secret[str] | None = None,
) -> dict[str, str]:
    """Return the headers that authorize one POST to `/` (API signature v3, "TC3-HMAC-SHA256").

    The body and these headers must be sent byte for byte as they are here; Host must be `host`.

    Args:
        secret_id: the account's secret ID.
        key: its secret key.
        service: such as `mps`; it does not depend on the host.
        host: what the Host header will say, with the port if there is one in the URL.
        action: such as `ProcessMedia`.
        version: the API's version, such as `2019-06-12`.
        body: the exact bytes of the body.
        timestamp: seconds since the epoch; the server accepts five minutes of difference.
        content_type: the exact Content-Type header.
        sign_action: whether X-TC-Action is signed too, as the current documentation shows.
        region: X-TC-Region; MPS does not need it.
        token: the session token of temporary credentials.
    """
    pairs = [("content-type", content_type), ("host", host)]
    if sign_action:
        pairs.append(("x-tc-action", action))
    date = utc_date(timestamp)
    canonical, names = canonical_request("POST", "", pairs, hashlib.sha256(body).hexdigest())
    signature = hmac.digest(
        key.derive(date, service), string_to_sign(canonical, timestamp, service).encode(), "sha256"
    ).hex()
    headers = {
        "Authorization": f"{ALGORITHM} Credential={secret_id}/{date}/{service}/tc3_request, "
        f"SignedHeaders={names}, Signature={signature}",
        "Content-Type": content_type,
        "Host": host,
        "X-TC-Action": action,
        "X-TC-Timestamp": str(timestamp),
        "X-TC-Version": version,
    }
    if region:
        headers["X-TC-Region"] = region
    if token is not None:
        headers["X-TC-Token"] = token.reveal()
    return headers


def canonical_request(
    method: str, query: str, headers: Iterable[tuple[str, str]], payload_hash: str
) -> tuple[str, str]:
    """Return the canonical request, and the list of signed headers that it ends with.

    Args:
        method: the HTTP method.
        query: the raw query of the request; empty for POST.
        headers: the signed headers: names in lower case, sorted; values as sent.
        payload_hash: the SHA-256 of the body in lower-case hexadecimal.
    """
    pairs = list(headers)
    names = ";".join(name for name, _ in pairs)
    lines = "".join(f"{name}:{value.strip().lower()}\n" for name, value in pairs)
    return f"{method}\n/\n{query}\n{lines}\n{names}\n{payload_hash}", names


def string_to_sign(canonical: str, timestamp: int, service: str) -> str:
    """Return the string to sign: the date in its scope is the UTC date of the timestamp itself."""
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    return f"{ALGORITHM}\n{timestamp}\n{utc_date(timestamp)}/{service}/tc3_request\n{digest}"


def utc_date(timestamp: int) -> str:
    """Return the UTC date of a timestamp as `YYYY-MM-DD`."""
    return _day(timestamp // 86400)


@lru_cache(maxsize=4)
def _day(number: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(number * 86400))


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")


class Authorization(msgspec.Struct, frozen=True):
    """What an Authorization header of this scheme says.

    Attributes:
        secret_id: whose key signed.
        date: the UTC date of the scope.
        service: the service of the scope.
        signed_headers: the names of the signed headers, in lower case.
        signature: 64 lower-case hexadecimal digits.
    """

    secret_id: str
    date: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str

    @classmethod
    def parse(cls, value: str | None) -> Authorization:
        """Read an Authorization header.

        Raises:
            ApiCredentialsError: code `AuthFailure.InvalidAuthorization`.
        """
        found = re.fullmatch(_AUTHORIZATION, (value or "").strip())
        if not found:
            raise _refused("InvalidAuthorization", "the Authorization header is not of TC3-HMAC-SHA256")
        names = tuple(found["headers"].lower().split(";"))
        if not {"content-type", "host"} <= set(names):
            raise _refused("InvalidAuthorization", "Content-Type and Host must be signed")
        return cls(found["secret_id"], found["date"], found["service"], names, found["signature"].lower())


def verify(
    *,
    method: str,
    query: str,
    headers: Iterable[tuple[str, str]],
    body: bytes,
    key_of: Callable[[str], SigningKey | None],
    now: float,
    service: str | None = None,
    max_skew: float = MAX_SKEW,
) -> Authorization:
    """Check a signed request as the server of the API does, over the headers as they arrived.

    Args:
        method: `POST` or `GET`.
        query: the raw query string.
        headers: every header as received; the raw Host header is what counts.
        body: the raw body.
        key_of: gives the key of a secret ID, or None for one that is not known.
        now: the server's clock, in seconds since the epoch.
        service: the only service to accept, such as `mps`; None accepts any.
        max_skew: seconds that the timestamp may differ.

    Raises:
        ApiCredentialsError: with the code that Tencent Cloud answers: `AuthFailure.InvalidAuthorization`,
            `.SignatureExpire`, `.SecretIdNotFound` or `.SignatureFailure`.
    """
    received = {name.lower(): value for name, value in headers}
    claim = Authorization.parse(received.get("authorization"))
    timestamp = received.get("x-tc-timestamp", "").strip()
    if not re.fullmatch(_TIMESTAMP, timestamp):
        raise _refused("InvalidAuthorization", "X-TC-Timestamp is missing or not a number")
    if abs(now - int(timestamp)) > max_skew:
        raise ApiCredentialsError(
            f"the timestamp differs from the server's clock by more than {max_skew:g} seconds", code=SIGNATURE_EXPIRED
        )
    key = key_of(claim.secret_id)
    if key is None:
        raise _refused("SecretIdNotFound", "the secret ID is not known")
    if claim.date != utc_date(int(timestamp)) or service not in {None, claim.service}:
        raise _refused("SignatureFailure", "the credential scope does not fit the timestamp or the service")
    canonical = _canonical_as_received(claim, method, query, received, body)
    text = string_to_sign(canonical, int(timestamp), claim.service)
    expected = hmac.digest(key.derive(claim.date, claim.service), text.encode(), "sha256").hex()
    if not hmac.compare_digest(expected, claim.signature):
        raise _refused("SignatureFailure", "the signature does not match")
    return claim


def _canonical_as_received(claim: Authorization, method: str, query: str, received: dict[str, str], body: bytes) -> str:
    missing = [name for name in claim.signed_headers if name not in received]
    if missing:
        raise _refused("SignatureFailure", f"signed headers are missing: {', '.join(missing)}")
    unsigned = received.get("x-tc-content-sha256", "").strip() == UNSIGNED_PAYLOAD
    payload = UNSIGNED_PAYLOAD.encode() if unsigned else body
    pairs = [(name, received[name]) for name in claim.signed_headers]
    return canonical_request(method, query, pairs, hashlib.sha256(payload).hexdigest())[0]


def _refused(reason: str, message: str) -> ApiCredentialsError:
    return ApiCredentialsError(message, code=f"AuthFailure.{reason}")
