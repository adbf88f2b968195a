"""Signed calls to an API of Tencent Cloud: exact bytes, errors told apart, repeated where nothing can happen twice."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import ClassVar, TypeVar

import msgspec

from drmkit.errors import ApiError, ProtocolError, RateLimitedError, RemoteUnavailableError
from drmkit.http import HttpClient, Response
from drmkit.mps.credentials import Credentials
from drmkit.mps.endpoints import Endpoint, check_region
from drmkit.mps.faults import SIGNATURE_EXPIRED, api_error
from drmkit.mps.ratelimit import RateLimiter
from drmkit.mps.signing import SigningKey, sign
from drmkit.mps.wire import Model, decode, encode
from drmkit.retry import Retrier, parse_http_date

__all__ = ["ApiClient", "Doubt", "repeat_only_if_busy"]

_LOG = logging.getLogger(__name__)
_MOST_NAMED = 10
_OK, _TOO_MANY, _SERVER_ERROR = 200, 429, 500
M = TypeVar("M", bound=Model)


class _ApiFault(msgspec.Struct):
    code: str = msgspec.field(name="Code", default="")
    message: str = msgspec.field(name="Message", default="")


class _Answer(msgspec.Struct):
    error: _ApiFault | None = msgspec.field(name="Error", default=None)
    request_id: str = msgspec.field(name="RequestId", default="")


class _Envelope(msgspec.Struct):
    response: msgspec.Raw = msgspec.field(name="Response")


_ENVELOPES = msgspec.json.Decoder(_Envelope)
_ANSWERS = msgspec.json.Decoder(_Answer)


class ApiClient:
    """Call one API at one endpoint. Thread-safe.

    Args:
        endpoint: the address of the site; plain http is accepted on loopback alone.
        credentials: the API key, or a function that returns the current one (temporary credentials).
        region: X-TC-Region, which MPS and VOD do not need.
        http: makes the calls.
        retrier: repeats what may pass by itself.
        clock: seconds since the epoch.
        limiter: keeps to the account's requests a second.
    """

    service: ClassVar[str]
    """The service that the signature names."""
    version: ClassVar[str]
    """The version of the API."""
    limits: ClassVar[Mapping[str, float]]
    """Requests a second that the API allows an account, by action."""

    def __init__(
        self,
        endpoint: str | Endpoint,
        credentials: Credentials | Callable[[], Credentials],
        *,
        http: HttpClient,
        region: str | None = None,
        retrier: Retrier | None = None,
        clock: Callable[[], float] = time.time,
        limiter: RateLimiter | None = None,
    ) -> None:
        self.endpoint = endpoint if isinstance(endpoint, Endpoint) else Endpoint.parse(endpoint)
        self._region = check_region(region) if region else None
        self._current = credentials if callable(credentials) else lambda: credentials
        self._http = http
        self._retrier = retrier or Retrier()
        self._clock = clock
        self._limiter = limiter or RateLimiter(self.limits)
        self._skew = 0.0
        self._key: tuple[Credentials, SigningKey] | None = None

    def call(self, action: str, request: Model, answer: type[M]) -> M:
        """Call an action that changes nothing or that may happen twice, and return its answer."""
        body = encode(request)
        return self._retrier.call(lambda: self._exchange(action, body, answer))

    def _exchange(self, action: str, body: bytes, answer: type[M]) -> M:
        """Make one call; a clock that is wrong is corrected once from the server's Date."""
        response = self._send(action, body)
        try:
            return self._read(action, response, answer)
        except ApiError as error:
            server = parse_http_date(response.headers.get("date"))
            if error.code != SIGNATURE_EXPIRED or server is None:
                raise
        self._skew = server.timestamp() - self._clock()
        _LOG.warning("this machine's clock differs from the server's by %d seconds; corrected", -self._skew)
        return self._read(action, self._send(action, body), answer)

    def _read(self, action: str, response: Response, answer: type[M]) -> M:
        """Return the answer that a response holds, or raise the error that it is."""
        if response.status == _TOO_MANY:
            raise RateLimitedError(f"{action}: HTTP 429", hint="call more slowly", retry_after=response.retry_after())
        service = self.service.upper()
        try:
            inner = _ENVELOPES.decode(response.body).response
            outcome = _ANSWERS.decode(inner)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            raise _no_answer(action, response, service) from None
        if outcome.error is not None:
            raise api_error(outcome.error.code, outcome.error.message, outcome.request_id, service=service)
        if response.status != _OK:
            raise _no_answer(action, response, service)
        try:
            return decode(answer, bytes(inner))
        except ProtocolError:
            usable = _usable(action, answer, bytes(inner))
            if usable is None:
                raise
            return usable

    def _send(self, action: str, body: bytes) -> Response:
        self._limiter.wait(action)
        credentials = self._current()
        headers = sign(
            secret_id=credentials.secret_id,
            key=self._signing_key(credentials),
            service=self.service,
            host=self.endpoint.host,
            action=action,
            version=self.version,
            body=body,
            timestamp=int(self._now()),
            region=self._region,
            token=credentials.token,
        )
        headers["X-TC-Language"] = "en-US"
        return self._http.request(
            "POST",
            f"{self.endpoint.url}/",
            purpose=f"{action} at {self.endpoint.host}",
            headers=headers,
            content=body,
        )

    def _signing_key(self, credentials: Credentials) -> SigningKey:
        known = self._key
        if known is None or known[0] is not credentials:
            known = self._key = (credentials, SigningKey(credentials.secret_key))
        return known[1]

    def _now(self) -> float:
        return self._clock() + self._skew


def _usable(action: str, answer: type[M], inner: bytes) -> M | None:
    """Return an answer without what is of another type than is documented, if that is only what went in or came out."""
    from drmkit.mps.reading import judgeable, read  # noqa: PLC0415 (answers that are as documented need none of it)

    found = read(answer, msgspec.json.decode(inner))
    if not judgeable(found.misread):
        return None
    if found.misread:
        fields = ", ".join(list(found.misread)[:_MOST_NAMED])
        _LOG.warning("%s: left out, being of another type than is documented: %s", action, fields)
    return found.message


class Doubt:
    """Remember whether a call may have taken effect although it failed."""

    def __init__(self) -> None:
        self.raised = False

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, RemoteUnavailableError) and not isinstance(error, RateLimitedError):
            self.raised = True


def repeat_only_if_busy(retrier: Retrier, attempt: Callable[[], M]) -> M:
    """Repeat a call only after a rate limit, which rejects it before any work begins."""

    def guarded() -> M | RemoteUnavailableError:
        try:
            return attempt()
        except RateLimitedError:
            raise
        except RemoteUnavailableError as error:
            return error

    result = retrier.call(guarded)
    if isinstance(result, RemoteUnavailableError):
        raise result
    return result


def _no_answer(action: str, response: Response, service: str) -> RemoteUnavailableError | ProtocolError:
    if response.status >= _SERVER_ERROR:
        return RemoteUnavailableError(f"{action}: HTTP {response.status}", retry_after=response.retry_after())
    what = "a web page" if response.looks_like_html else f"something that is no answer of {service}"
    return ProtocolError(
        f"{action}: HTTP {response.status} with {what}",
        hint="check the endpoint, and whether a proxy or a captive portal answers in its place",
    )
