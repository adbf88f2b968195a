"""The client for Video on Demand's way to MPS: submit a file, and follow its task with VOD's own DescribeTaskDetail.

client = VodClient("https://vod.intl.tencentcloudapi.com", Credentials("AKID...", Secret("...")), http=HttpClient())
task_id = client.process_media_by_mps(job.request())
detail = client.describe_task_detail(task_id)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from drmkit.errors import InputError, ProtocolError, RateLimitedError, RemoteUnavailableError
from drmkit.mps.apiclient import ApiClient, Doubt, repeat_only_if_busy
from drmkit.mps.models.vod import (
    DescribeVodTaskRequest,
    DescribeVodTaskResponse,
    ProcessMediaByMPSRequest,
    ProcessMediaByMPSResponse,
)
from drmkit.mps.vodtask import VodTaskDetail, sub_app_of
from drmkit.mps.wire import encode

__all__ = ["VodClient"]


class VodClient(ApiClient):
    """Call VOD at one endpoint; see `ApiClient` for its arguments. Thread-safe."""

    service: ClassVar[str] = "vod"
    version: ClassVar[str] = "2018-07-17"
    limits: ClassVar[Mapping[str, float]] = {"ProcessMediaByMPS": 20, "DescribeTaskDetail": 100}

    def process_media_by_mps(self, request: ProcessMediaByMPSRequest) -> str:
        """Submit a job once and return its task ID.

        VOD documents no SessionId, so a call that may have taken effect is never repeated; one that was refused for
        its rate is.

        Raises:
            ApiError: VOD refused; see `drmkit.mps.faults` for the kinds.
            RemoteUnavailableError: no answer; the job may have been accepted.
        """
        body = encode(request)
        doubt = Doubt()

        def attempt() -> ProcessMediaByMPSResponse:
            with doubt:
                return self._exchange("ProcessMediaByMPS", body, ProcessMediaByMPSResponse)

        try:
            answer = repeat_only_if_busy(self._retrier, attempt)
        except RateLimitedError:
            raise
        except RemoteUnavailableError as error:
            error.hint = "the job may have been accepted: look at the tasks in the console before you submit it again"
            raise
        if not answer.task_id:
            raise ProtocolError("ProcessMediaByMPS answered without a TaskId", hint="look for the task in the console")
        return answer.task_id

    def describe_task_detail(self, task_id: str, *, sub_app_id: int | None = None) -> VodTaskDetail:
        """Ask for a task.

        Args:
            task_id: the task.
            sub_app_id: its VOD application; None takes the number that the ID begins with.

        Raises:
            InputError: no application is given, and the ID begins with none.
        """
        application = sub_app_id if sub_app_id is not None else sub_app_of(task_id)
        if application is None:
            raise InputError(f"the task {task_id!r} names no VOD application", hint="name it: --sub-app-id")
        request = DescribeVodTaskRequest(task_id=task_id, sub_app_id=application)
        return VodTaskDetail(task_id, self.call("DescribeTaskDetail", request, DescribeVodTaskResponse))
