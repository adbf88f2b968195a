"""The sandbox as Tencent's Media Processing Service: signed API calls, tasks, and workers that use their keys.

Source: https://www.tencentcloud.com/document/product/1041/33629 (signature), 33640 (ProcessMedia), 33691 (errors).
"""

from __future__ import annotations

import email.utils
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from drmkit.mps.faults import ApiCredentialsError
from drmkit.mps.signing import SigningKey, verify
from drmkit.sandbox import vod
from drmkit.sandbox.dashboard import dashboard_file
from drmkit.sandbox.mps_answers import task_summary, template_detail
from drmkit.sandbox.mps_contract import ApiRefusalError, check_object, unflatten
from drmkit.sandbox.mps_drm import check_job
from drmkit.sandbox.mps_live import LIVE_SESSION_SECONDS, check_live
from drmkit.sandbox.mps_tasks import TaskStore
from drmkit.sandbox.options import Template
from drmkit.sandbox.state import SandboxState
from drmkit.sandbox.web import BodyTooLargeError, error_page, read_body

__all__ = ["MpsRole"]

VERSION = "2019-06-12"
SERVICE = "mps"
_MAX_BODY = 10 * 1024 * 1024
_MAX_QUERY = 32 * 1024
_SKEW = 3600.0
_MAX_PAGE = 100
_STATUSES = ("WAITING", "PROCESSING", "FINISH")


class MpsRole:
    """Answer what an MPS client asks.

    Args:
        state: the sandbox's state.
        tasks: the account's tasks.
    """

    def __init__(self, state: SandboxState, tasks: TaskStore) -> None:
        self._state = state
        self._tasks = tasks
        self._key = SigningKey(state.credentials.secret_key)
        self._actions: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "ProcessMedia": self._process_media,
            "DescribeTaskDetail": lambda parameters: tasks.describe(parameters["TaskId"]),
            "DescribeTasks": self._describe_tasks,
            "DescribeAdaptiveDynamicStreamingTemplates": self._describe_templates,
            "ManageTask": self._manage_task,
            "ProcessLiveStream": self._process_live_stream,
            "ParseNotification": lambda parameters: _parsed(parameters["Content"], "EventType"),
            "ParseLiveStreamProcessNotification": lambda parameters: _parsed(parameters["Content"], "NotificationType"),
        }
        self._vod_actions: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "ProcessMediaByMPS": self._process_media_by_mps,
            "DescribeTaskDetail": lambda parameters: tasks.describe(parameters["TaskId"], service=vod.SERVICE),
        }

    def routes(self) -> list[Route]:
        """The URLs of this role."""
        return [Route("/", self.call, methods=["POST", "GET"])]

    async def call(self, request: Request) -> Response:
        """Answer one API call; every outcome of the API itself is HTTP 200."""
        action = request.headers.get("x-tc-action", "")
        if request.method in {"GET", "HEAD"} and not action:
            return dashboard_file("index.html")
        if self._state.faults.hit("mps-html"):
            return error_page(502, "Bad Gateway")
        ahead = _SKEW if self._state.faults.hit("mps-clock-ahead") else 0.0
        now = self._state.clock.wall() + ahead
        try:
            answer, outcome = await self._answer(request, action, now), "ok"
        except ApiRefusalError as error:
            answer, outcome = {"Error": {"Code": error.code, "Message": error.message}}, error.code
        self._state.journal.note(
            "mps", action if action in self._actions | self._vod_actions else "an unknown action", outcome
        )
        answer["RequestId"] = str(UUID(bytes=self._state.options.token_bytes(16), version=4))
        # The official SDK skips its error check unless the type is exactly this, without a charset.
        charset = "; charset=utf-8" if self._state.faults.hit("mps-content-type") else ""
        return Response(
            json.dumps({"Response": answer}).encode(),
            headers={"Content-Type": f"application/json{charset}", "Date": email.utils.formatdate(now, usegmt=True)},
        )

    async def _answer(self, request: Request, action: str, now: float) -> dict[str, Any]:
        body = await _read(request)
        version = request.headers.get("x-tc-version")
        of_vod = version == vod.VERSION
        self._authorize(request, body, now, vod.SERVICE if of_vod else SERVICE)
        if self._state.faults.hit("mps-rate-limited"):
            raise ApiRefusalError("RequestLimitExceeded", "Your current request times exceed the limit.")
        if self._state.faults.hit("mps-internal-error"):
            raise ApiRefusalError("InternalError", "An internal error has occurred. Retry your request.")
        if not action:
            raise ApiRefusalError("MissingParameter", "The request is missing a required parameter `Action`.")
        if not of_vod and version != VERSION:
            raise ApiRefusalError("NoSuchVersion", f"The API version does not exist; this one is {VERSION}.")
        actions = self._vod_actions if of_vod else self._actions
        if action not in actions:
            raise ApiRefusalError("InvalidAction", "The action does not exist, or the sandbox does not have it.")
        kind = "DescribeVodTask" if of_vod and action == "DescribeTaskDetail" else action
        parameters = check_object(kind, _parameters(request, body), as_text=request.method == "GET")
        return actions[action](parameters)

    def _authorize(self, request: Request, body: bytes, now: float, service: str) -> None:
        credentials = self._state.credentials
        try:
            verify(
                method=request.method,
                query=request.scope.get("query_string", b"").decode("ascii", "replace"),
                headers=request.headers.items(),
                body=body,
                key_of=lambda secret_id: self._key if secret_id == credentials.secret_id else None,
                now=now,
                service=service,
            )
        except ApiCredentialsError as error:
            if not self._state.faults.hit("mps-signature-ignored"):
                raise ApiRefusalError(error.code, error.message) from None
        if self._state.faults.hit("mps-signature-refused"):
            raise ApiRefusalError("AuthFailure.SignatureFailure", "the signature does not match")
        if request.headers.get("x-tc-token"):
            raise ApiRefusalError("AuthFailure.TokenFailure", "The sandbox's credentials need no token.")

    def _process_media(self, job: dict[str, Any]) -> dict[str, Any]:
        check_job(job, self._state.options.templates)
        name = "WorkflowTask" if job.get("ScheduleId") is None else "ScheduleTask"
        task = self._tasks.create(job, stuck=self._state.faults.hit("mps-task-stuck"), task_id=name)
        if self._state.faults.hit("mps-answer-lost"):
            raise ApiRefusalError("InternalError", "An internal error has occurred. Retry your request.")
        return {"TaskId": task.task_id}

    def _process_live_stream(self, job: dict[str, Any]) -> dict[str, Any]:
        check_live(job)
        stuck = self._state.faults.hit("mps-task-stuck")
        task = self._tasks.create(
            job, stuck=stuck, family="live", task_id="live-procedure", remembered=LIVE_SESSION_SECONDS
        )
        if self._state.faults.hit("mps-answer-lost"):
            raise ApiRefusalError("InternalError", "An internal error has occurred. Retry your request.")
        return {"TaskId": task.task_id}

    def _process_media_by_mps(self, request: dict[str, Any]) -> dict[str, Any]:
        job = vod.check_vod(request)
        stuck = self._state.faults.hit("mps-task-stuck")
        name = f"{request['SubAppId']}-ProcessMediaByMPS"
        return {"TaskId": self._tasks.create(job, stuck=stuck, family="vod", task_id=name).task_id}

    def _describe_tasks(self, parameters: dict[str, Any]) -> dict[str, Any]:
        limit, token = parameters.get("Limit", 10), parameters.get("ScrollToken") or "0"
        if parameters["Status"] not in _STATUSES:
            raise ApiRefusalError("InvalidParameterValue", f"Status is one of {', '.join(_STATUSES)}.")
        if not 1 <= limit <= _MAX_PAGE or not (token.isascii() and token.isdigit()):
            raise ApiRefusalError("InvalidParameterValue", "Limit is 1 to 100, ScrollToken one from the last answer.")
        found = self._tasks.select(
            parameters["Status"],
            failed=parameters.get("SubTaskHasFailed"),
            since=_instant(parameters, "StartTime", float("-inf")),
            until=_instant(parameters, "EndTime", float("inf")),
        )
        start, end = int(token), int(token) + limit
        page = [task_summary(task) for task in found[start:end]]
        return {"TaskSet": page, "ScrollToken": str(end) if end < len(found) else "", "TotalCount": len(found)}

    def _describe_templates(self, parameters: dict[str, Any]) -> dict[str, Any]:
        templates = self._state.options.templates
        offset, limit = parameters.get("Offset", 0), parameters.get("Limit", 10)
        wanted = parameters.get("Definitions") or sorted(templates)
        if not 1 <= limit <= _MAX_PAGE or len(wanted) > _MAX_PAGE:
            raise ApiRefusalError("InvalidParameterValue", "Limit is 1 to 100, and so is the number of Definitions.")
        page = [template_detail(name, templates.get(name, Template())) for name in wanted[offset : offset + limit]]
        return {"TotalCount": len(wanted), "AdaptiveDynamicStreamingTemplateSet": page}

    def _manage_task(self, parameters: dict[str, Any]) -> dict[str, Any]:
        if parameters["OperationType"] != "Abort":
            raise ApiRefusalError("InvalidParameterValue.InvalidOperationType", "OperationType is Abort.")
        self._tasks.abort(parameters["TaskId"])
        return {}


def _parsed(content: str, telling: str) -> dict[str, Any]:
    """Return the message that a queue held, which is what the parsing actions answer."""
    try:
        value = json.loads(content)
        json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict) or not isinstance(value.get(telling), str):
        raise ApiRefusalError("InvalidParameterValue.InvalidContent", f"The Content is no message with {telling}.")
    return value


def _instant(parameters: dict[str, Any], name: str, default: float) -> float:
    if not parameters.get(name):
        return default
    try:
        return datetime.strptime(parameters[name], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise ApiRefusalError("InvalidParameterValue", f"{name} is a time such as 2024-01-31T00:00:00Z.") from None


async def _read(request: Request) -> bytes:
    query: bytes = request.scope.get("query_string", b"")
    try:
        body = await read_body(request, _MAX_BODY)
    except BodyTooLargeError:
        raise ApiRefusalError("RequestSizeLimitExceeded", "The request is larger than 10 MB.") from None
    if len(query) > _MAX_QUERY:
        raise ApiRefusalError("RequestSizeLimitExceeded", "The query is larger than 32 KB.")
    return body


def _parameters(request: Request, body: bytes) -> dict[str, Any]:
    if request.method == "GET":
        return unflatten(parse_qsl(request.scope["query_string"].decode("ascii", "replace"), keep_blank_values=True))
    try:
        parameters = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        parameters = None
    if not isinstance(parameters, dict):
        raise ApiRefusalError("InvalidParameter", "The body is not a JSON object.")
    return parameters
