"""The MPS client: exact bytes, signed; errors told apart; repeated only where nothing can happen twice.

client = MpsClient("https://mps.intl.tencentcloudapi.com", Credentials("AKID...", Secret("...")), http=HttpClient())
task_id = client.process_media(job.request(urls))
detail = client.describe_task_detail(task_id)
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import msgspec

from drmkit.errors import ApiError, ProtocolError, RateLimitedError, RemoteUnavailableError
from drmkit.http import HttpClient, Response
from drmkit.mps.credentials import Credentials
from drmkit.mps.endpoints import Endpoint, check_region
from drmkit.mps.faults import DUPLICATE_SESSION, SIGNATURE_EXPIRED, api_error
from drmkit.mps.models.request import (
    DescribeTaskDetailRequest,
    DescribeTasksRequest,
    DescribeTasksResponse,
    ManageTaskRequest,
    ManageTaskResponse,
    ProcessMediaRequest,
    ProcessMediaResponse,
    TaskSimpleInfo,
)
from drmkit.mps.models.streaming import (
    AdaptiveDynamicStreamingTemplate,
    DescribeAdaptiveDynamicStreamingTemplatesRequest,
    DescribeAdaptiveDynamicStreamingTemplatesResponse,
)
from drmkit.mps.ratelimit import RateLimiter
from drmkit.mps.signing import SigningKey, sign
from drmkit.mps.wire import Model, decode, encode, moment
from drmkit.retry import Retrier, parse_http_date

if TYPE_CHECKING:
    from drmkit.mps.task import TaskDetail

__all__ = ["LIMITS", "SERVICE", "VERSION", "MpsClient"]

_LOG = logging.getLogger(__name__)
VERSION = "2019-06-12"
SERVICE = "mps"
LIMITS = {
    "ProcessMedia": 100,
    "DescribeTaskDetail": 100,
    "DescribeTasks": 100,
    "ManageTask": 20,
}
"""Requests a second that the API allows an account, by action."""

_OK, _TOO_MANY, _SERVER_ERROR = 200, 429, 500
_PAGE = 100
_LOOK_BACK = 600.0
_MOST_CANDIDATES = 500
_STATUSES = ("WAITING", "PROCESSING", "FINISH")
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


class MpsClient:
    """Call MPS at one endpoint; a task is asked for where it was submitted. Thread-safe.

    Args:
        endpoint: the address of the site; plain http is accepted on loopback alone.
        credentials: the API key, or a function that returns the current one (temporary credentials).
        region: X-TC-Region, which MPS does not need.
        http: makes the calls.
        retrier: repeats what may pass by itself.
        clock: seconds since the epoch.
        limiter: keeps to the account's requests a second.
    """

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
        self._limiter = limiter or RateLimiter(LIMITS)
        self._skew = 0.0
        self._key: tuple[Credentials, SigningKey] | None = None

    def process_media(self, request: ProcessMediaRequest) -> str:
        """Submit a job once and return its task ID.

        A call that may have taken effect (a broken connection, an internal error) is repeated only if the request
        has a SessionId, which MPS refuses to accept twice; when it does refuse the repetition, the first call has
        taken effect, and its task is looked up.

        Raises:
            ApiError: MPS refused; see `drmkit.mps.faults` for the kinds.
            RemoteUnavailableError: no answer; with a SessionId the same job can be submitted again safely.
        """
        body = encode(request)
        doubt = _Doubt()
        began = self._now()

        def attempt() -> ProcessMediaResponse:
            with doubt:
                return self._exchange("ProcessMedia", body, ProcessMediaResponse)

        try:
            answer = self._retrier.call(attempt) if request.session_id else _repeat_only_if_busy(self._retrier, attempt)
        except (ApiError, RemoteUnavailableError) as error:
            if not doubt.raised:
                raise
            if request.session_id and isinstance(error, ApiError) and error.code == DUPLICATE_SESSION:
                _LOG.warning("MPS refused a repeated SessionId: the first call took effect, looking for its task")
                return self._found(request.session_id, began, error)
            if isinstance(error, RemoteUnavailableError):
                error.hint = _hint_after_doubt(request)
            raise
        if not answer.task_id:
            raise ProtocolError("ProcessMedia answered without a TaskId", hint="ask for the task with DescribeTasks")
        return answer.task_id

    def describe_task_detail(self, task_id: str) -> TaskDetail:
        """Ask for a task; MPS keeps tasks for a few days."""
        from drmkit.mps.models.detail import DescribeTaskDetailResponse  # noqa: PLC0415 (who submits needs no results)
        from drmkit.mps.task import TaskDetail  # noqa: PLC0415

        request = DescribeTaskDetailRequest(task_id=task_id)
        return TaskDetail(task_id, self.call("DescribeTaskDetail", request, DescribeTaskDetailResponse))

    def describe_tasks(self, status: str, *, since: float | None = None) -> Iterator[TaskSimpleInfo]:
        """Yield the tasks of the last days with a status (`WAITING`, `PROCESSING`, `FINISH`), page by page.

        Args:
            status: the status.
            since: seconds since the epoch; earlier tasks are left out.
        """
        start = datetime.fromtimestamp(since, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if since is not None else None
        token: str | None = None
        while True:
            request = DescribeTasksRequest(status=status, limit=_PAGE, scroll_token=token, start_time=start)
            answer = self.call("DescribeTasks", request, DescribeTasksResponse)
            yield from answer.task_set or ()
            if not answer.scroll_token or answer.scroll_token == token or not answer.task_set:
                return
            token = answer.scroll_token

    def abort_task(self, task_id: str) -> None:
        """Stop a task; one that is no live task can be stopped only while it waits."""
        request = ManageTaskRequest(operation_type="Abort", task_id=task_id)
        self.call("ManageTask", request, ManageTaskResponse)

    def templates(self, definitions: Iterable[int]) -> dict[int, AdaptiveDynamicStreamingTemplate]:
        """Return the adaptive-bitrate templates with these IDs; those that do not exist are missing."""
        wanted = sorted(set(definitions))
        found: dict[int, AdaptiveDynamicStreamingTemplate] = {}
        for index in range(0, len(wanted), _PAGE):
            request = DescribeAdaptiveDynamicStreamingTemplatesRequest(
                definitions=wanted[index : index + _PAGE], limit=_PAGE
            )
            answer = self.call(
                "DescribeAdaptiveDynamicStreamingTemplates", request, DescribeAdaptiveDynamicStreamingTemplatesResponse
            )
            for template in answer.adaptive_dynamic_streaming_template_set or ():
                if template.definition is not None:
                    found[template.definition] = template
        return found

    def find_task(self, session_id: str, *, since: float) -> str | None:
        """Return the ID of the task that was submitted with a SessionId, or None.

        Args:
            session_id: the SessionId.
            since: seconds since the epoch; earlier tasks are left out.
        """
        asked: set[str] = set()
        for status in _STATUSES:
            for task in self.describe_tasks(status, since=since):
                created = moment(task.create_time)
                if not task.task_id or task.task_id in asked or (created and created.timestamp() < since):
                    continue
                asked.add(task.task_id)
                if self.describe_task_detail(task.task_id).response.session_id == session_id:
                    return task.task_id
                if len(asked) >= _MOST_CANDIDATES:
                    return None
        return None

    def call(self, action: str, request: Model, answer: type[M]) -> M:
        """Call an action that changes nothing or that may happen twice, and return its answer."""
        body = encode(request)
        return self._retrier.call(lambda: self._exchange(action, body, answer))

    def _found(self, session_id: str, began: float, refusal: ApiError) -> str:
        task_id = self.find_task(session_id, since=began - _LOOK_BACK)
        if task_id is None:
            refusal.hint = "the job has been accepted, but its task was not found; look for it with DescribeTasks"
            raise refusal
        return task_id

    def _exchange(self, action: str, body: bytes, answer: type[M]) -> M:
        """Make one call; a clock that is wrong is corrected once from the server's Date."""
        response = self._send(action, body)
        try:
            return _read(action, response, answer)
        except ApiError as error:
            server = parse_http_date(response.headers.get("date"))
            if error.code != SIGNATURE_EXPIRED or server is None:
                raise
        self._skew = server.timestamp() - self._clock()
        _LOG.warning("this machine's clock differs from the server's by %d seconds; corrected", -self._skew)
        return _read(action, self._send(action, body), answer)

    def _send(self, action: str, body: bytes) -> Response:
        self._limiter.wait(action)
        credentials = self._current()
        headers = sign(
            secret_id=credentials.secret_id,
            key=self._signing_key(credentials),
            service=SERVICE,
            host=self.endpoint.host,
            action=action,
            version=VERSION,
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


class _Doubt:
    """Remember whether a call may have taken effect although it failed."""

    def __init__(self) -> None:
        self.raised = False

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, RemoteUnavailableError) and not isinstance(error, RateLimitedError):
            self.raised = True


def _repeat_only_if_busy(retrier: Retrier, attempt: Callable[[], M]) -> M:
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


def _hint_after_doubt(request: ProcessMediaRequest) -> str:
    if request.session_id:
        return "the job may have been accepted; submitting it again is safe, since MPS accepts its SessionId once"
    return "the job may have been accepted: look at the tasks before you submit it again, or give it a SessionId"


def _read(action: str, response: Response, answer: type[M]) -> M:
    """Return the answer that a response holds, or raise the error that it is."""
    if response.status == _TOO_MANY:
        raise RateLimitedError(f"{action}: HTTP 429", hint="call more slowly", retry_after=response.retry_after())
    try:
        inner = _ENVELOPES.decode(response.body).response
        outcome = _ANSWERS.decode(inner)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise _no_answer(action, response) from None
    if outcome.error is not None:
        raise api_error(outcome.error.code, outcome.error.message, outcome.request_id)
    if response.status != _OK:
        raise _no_answer(action, response)
    return decode(answer, bytes(inner))


def _no_answer(action: str, response: Response) -> RemoteUnavailableError | ProtocolError:
    if response.status >= _SERVER_ERROR:
        return RemoteUnavailableError(f"{action}: HTTP {response.status}", retry_after=response.retry_after())
    what = "a web page" if response.looks_like_html else "something that is no answer of MPS"
    return ProtocolError(
        f"{action}: HTTP {response.status} with {what}",
        hint="check the endpoint, and whether a proxy or a captive portal answers in its place",
    )
