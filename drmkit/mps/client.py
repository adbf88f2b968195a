"""The MPS client: exact bytes, signed; errors told apart; repeated only where nothing can happen twice.

client = MpsClient("https://mps.intl.tencentcloudapi.com", Credentials("AKID...", Secret("...")), http=HttpClient())
task_id = client.process_media(job.request(urls))
detail = client.describe_task_detail(task_id)
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

from drmkit.errors import ApiError, ProtocolError, RemoteUnavailableError
from drmkit.mps.apiclient import ApiClient, Doubt, repeat_only_if_busy
from drmkit.mps.faults import DUPLICATE_SESSION
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
from drmkit.mps.wire import encode, moment

if TYPE_CHECKING:
    from drmkit.mps.models.live import ProcessLiveStreamRequest
    from drmkit.mps.task import TaskDetail

__all__ = ["LIMITS", "SERVICE", "VERSION", "MpsClient"]

_LOG = logging.getLogger(__name__)
VERSION = "2019-06-12"
SERVICE = "mps"
LIMITS = {
    "ProcessMedia": 100,
    "ProcessLiveStream": 100,
    "DescribeTaskDetail": 100,
    "DescribeTasks": 100,
    "ManageTask": 20,
}
"""Requests a second that the API allows an account, by action."""

_PAGE = 100
_LOOK_BACK = 600.0
_MOST_CANDIDATES = 500
_STATUSES = ("WAITING", "PROCESSING", "FINISH")


class MpsClient(ApiClient):
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

    service: ClassVar[str] = SERVICE
    version: ClassVar[str] = VERSION
    limits: ClassVar[Mapping[str, float]] = LIMITS

    def process_media(self, request: ProcessMediaRequest) -> str:
        """Submit a job once and return its task ID.

        A call that may have taken effect (a broken connection, an internal error) is repeated only if the request
        has a SessionId, which MPS refuses to accept twice; when it does refuse the repetition, the first call has
        taken effect, and its task is looked up.

        Raises:
            ApiError: MPS refused; see `drmkit.mps.faults` for the kinds.
            RemoteUnavailableError: no answer; with a SessionId the same job can be submitted again safely.
        """
        return self._submit("ProcessMedia", request)

    def process_live_stream(self, request: ProcessLiveStreamRequest) -> str:
        """Submit a live job once and return its task ID, under the same rules as `process_media`.

        Raises:
            ApiError: MPS refused; see `drmkit.mps.faults` for the kinds.
            RemoteUnavailableError: no answer; with a SessionId the same job can be submitted again safely.
        """
        return self._submit("ProcessLiveStream", request)

    def _submit(self, action: str, request: ProcessMediaRequest | ProcessLiveStreamRequest) -> str:
        body = encode(request)
        doubt = Doubt()
        began = self._now()

        def attempt() -> ProcessMediaResponse:
            with doubt:
                return self._exchange(action, body, ProcessMediaResponse)

        try:
            answer = self._retrier.call(attempt) if request.session_id else repeat_only_if_busy(self._retrier, attempt)
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
            raise ProtocolError(f"{action} answered without a TaskId", hint="ask for the task with DescribeTasks")
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

    def _found(self, session_id: str, began: float, refusal: ApiError) -> str:
        task_id = self.find_task(session_id, since=began - _LOOK_BACK)
        if task_id is None:
            refusal.hint = "the job has been accepted, but its task was not found; look for it with DescribeTasks"
            raise refusal
        return task_id


def _hint_after_doubt(request: ProcessMediaRequest | ProcessLiveStreamRequest) -> str:
    if request.session_id:
        return "the job may have been accepted; submitting it again is safe, since MPS accepts its SessionId once"
    return "the job may have been accepted: look at the tasks before you submit it again, or give it a SessionId"
