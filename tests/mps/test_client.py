"""The client: exact bytes, every kind of error, one clock correction, and never two tasks for one job."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from drmkit.errors import (
    ApiError,
    ConfigurationError,
    CredentialsRejectedError,
    DrmkitError,
    JobError,
    ProtocolError,
    RateLimitedError,
    RemoteUnavailableError,
    ServiceRejectedError,
)
from drmkit.http import HttpClient
from drmkit.mps.client import MpsClient
from drmkit.mps.credentials import Credentials
from drmkit.mps.endpoints import INTERNATIONAL, MAINLAND, REGIONS, Endpoint, check_region
from drmkit.mps.faults import api_error, clean
from drmkit.mps.models.request import ProcessMediaRequest
from drmkit.mps.ratelimit import RateLimiter
from drmkit.mps.signing import SigningKey, verify
from drmkit.mps.wire import encode
from drmkit.retry import Retrier, RetryPolicy
from drmkit.secret import Secret

NOW = 1700000000.0
KEY = "canary-secret-key"
REQUEST = ProcessMediaRequest(session_id="s-1")
OK = {"TaskId": "24000035-WorkflowTask-1", "RequestId": "r-1"}


class Server:
    """A scripted MPS: each step answers one call; every call is verified and kept."""

    def __init__(self, *steps: Any, now: Any = NOW, key: Any = KEY) -> None:
        self.steps = list(steps)
        self.now = now
        self.key = key
        self.calls = []

    def __call__(self, request: Any) -> Any:
        """Answer a call."""
        action = request.headers["x-tc-action"]
        self.calls.append((action, json.loads(request.content), dict(request.headers)))
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        if callable(step):
            return step(action, request)
        if isinstance(step, Exception):
            raise step
        return step if isinstance(step, httpx.Response) else reply(step)

    @property
    def actions(self) -> Any:
        """The actions that were called."""
        return [action for action, _, _ in self.calls]

    def verified(self, request: Any) -> Any:
        """Whether a request's signature is right, by the server's own code."""
        return verify(
            method=request.method,
            query="",
            headers=[(name.decode(), value.decode()) for name, value in request.headers.raw],
            body=request.content,
            key_of={"AKID": SigningKey(Secret(self.key))}.get,
            now=self.now,
            service="mps",
        )


def reply(content: Any, *, status: Any = 200, date: Any = None) -> Any:
    """An answer of the API."""
    headers = {"Date": format_datetime(datetime.fromtimestamp(date, UTC), usegmt=True)} if date else {}
    return httpx.Response(status, json={"Response": content}, headers=headers)


def fault(code: Any, message: Any = "no") -> Any:
    """An error of the API: HTTP 200, as always."""
    return {"Error": {"Code": code, "Message": message}, "RequestId": "r-9"}


def client_of(
    server: Any,
    *,
    endpoint: Any = "https://mps.tencentcloudapi.com",
    clock: Any = lambda: NOW,
    attempts: Any = 3,
    **more: Any,
) -> Any:
    """A client of a scripted server that never really waits."""
    return MpsClient(
        endpoint,
        Credentials("AKID", Secret(KEY)),
        http=HttpClient(transport=httpx.MockTransport(server)),
        retrier=Retrier(RetryPolicy(attempts=attempts), sleep=lambda seconds: None),
        clock=clock,
        limiter=RateLimiter({}),
        **more,
    )


def test_the_body_is_signed_byte_for_byte() -> None:
    """A server that verifies the raw bytes and the raw Host accepts the call; the action, version and language fit."""
    server = Server(lambda _, request: reply(OK) if server.verified(request) else None)
    task_id = client_of(server, region="ap-singapore", endpoint="http://127.0.0.1:8080").process_media(REQUEST)
    action, body, headers = server.calls[0]
    assert task_id == OK["TaskId"]
    assert (action, body) == ("ProcessMedia", {"SessionId": "s-1"})
    assert headers["host"] == "127.0.0.1:8080"
    assert headers["content-type"] == "application/json"
    assert headers["x-tc-version"] == "2019-06-12"
    assert headers["x-tc-region"] == "ap-singapore"
    assert headers["x-tc-language"] == "en-US"


def test_temporary_credentials_are_asked_for_each_call() -> None:
    """Credentials may be a function: each call uses the current key and token."""
    server = Server(OK)
    keys = [Credentials("AKID", Secret("one"), Secret("t1")), Credentials("AKID2", Secret("two"), Secret("t2"))]
    queue = iter(keys)
    client = MpsClient(
        MAINLAND, lambda: next(queue), http=HttpClient(transport=httpx.MockTransport(server)), clock=lambda: NOW
    )
    client.process_media(REQUEST)
    client.process_media(REQUEST)
    first, second = (headers for _, _, headers in server.calls)
    assert (first["x-tc-token"], second["x-tc-token"]) == ("t1", "t2")
    assert first["authorization"] != second["authorization"]


@pytest.mark.parametrize(
    ("code", "kind", "exit_code", "hint"),
    [
        ("AuthFailure.SignatureFailure", CredentialsRejectedError, 3, "stray blank"),
        ("AuthFailure.SecretIdNotFound", CredentialsRejectedError, 3, "check the secret ID"),
        ("AuthFailure.TokenFailure", CredentialsRejectedError, 3, "temporary credentials have ended"),
        ("AuthFailure.MFAFailure", CredentialsRejectedError, 3, "check the secret ID"),
        ("AuthFailure.UnauthorizedOperation", ServiceRejectedError, 3, "check the secret ID"),
        ("UnauthorizedOperation", ServiceRejectedError, 3, "grant this sub-account"),
        ("FailedOperation.UserArrears", ServiceRejectedError, 3, "settle the account's bill"),
        ("FailedOperation.InvalidMpsUser", ServiceRejectedError, 3, "activate Media Processing Service"),
        ("UnsupportedRegion", ServiceRejectedError, 3, "choose a region"),
        ("RequestLimitExceeded.UinLimitExceeded", RateLimitedError, 69, "submit more slowly"),
        ("RequestLimitExceeded.IPLimitExceeded", RateLimitedError, 69, "submit more slowly"),
        ("InternalError", RemoteUnavailableError, 69, None),
        ("InternalError.Timeout", RemoteUnavailableError, 69, None),
        ("ServiceUnavailable", RemoteUnavailableError, 69, None),
        ("InvalidParameterValue.SessionId", JobError, 2, "look for its task"),
        ("InvalidParameterValue.Definition", JobError, 2, "check Definition"),
        ("ResourceNotFound.TemplateNotExist", JobError, 2, "check Definition"),
        ("MissingParameter", JobError, 2, None),
        ("UnknownParameter", JobError, 2, None),
        ("SomethingNew.Altogether", ApiError, 69, None),
    ],
)
def test_errors_of_the_api(code: Any, kind: Any, exit_code: Any, hint: Any) -> None:
    """Every error of the API is an ApiError of the right kind, exit code and hint, with its code and request ID."""
    server = Server(fault(code, "a message"))
    with pytest.raises(ApiError, match=r"a message \(request r-9\)") as caught:
        client_of(server).describe_task_detail("t")
    error = caught.value
    assert isinstance(error, kind)
    assert (error.code, error.request_id, error.exit_code) == (code, "r-9", exit_code)
    assert hint is None or hint in error.hint
    assert len(server.calls) == (3 if isinstance(error, RemoteUnavailableError) else 1)


def test_messages_of_the_api_are_cleaned() -> None:
    """What a message quotes from the request, URLs and tickets, is masked; the rest stays."""
    text = clean("Bad url https://u:pw@fe.drmtoday.com/a?ticket=canary and ticket=canary2, ST-12-canary3 at https://h")
    assert "canary" not in text
    assert "pw" not in text
    assert text.startswith("Bad url https://fe.drmtoday.com/")
    assert api_error("InvalidParameter", "KeyServerUrl is wrong").message.endswith("KeyServerUrl is wrong")


@pytest.mark.parametrize(
    ("response", "kind", "message"),
    [
        (httpx.Response(200, html="<!DOCTYPE html><title>Log in</title>"), ProtocolError, "HTTP 200 with a web page"),
        (httpx.Response(200, text="{"), ProtocolError, "something that is no answer of MPS"),
        (httpx.Response(200, json={"TaskId": "x"}), ProtocolError, "something that is no answer of MPS"),
        (httpx.Response(200, json={"Response": []}), ProtocolError, "something that is no answer of MPS"),
        (httpx.Response(200, content=b"\xff"), ProtocolError, "something that is no answer of MPS"),
        (httpx.Response(404, json={"Response": {}}), ProtocolError, "HTTP 404"),
        (httpx.Response(302, headers={"Location": "https://evil.example.com"}), ProtocolError, "HTTP 302"),
        (httpx.Response(502, html="<html>bad gateway"), RemoteUnavailableError, "HTTP 502"),
        (httpx.Response(429, text=""), RateLimitedError, "HTTP 429"),
        (httpx.ReadTimeout("slow"), RemoteUnavailableError, "no complete answer"),
        (reply({"Status": 5, "TasksPriority": "x"}), ProtocolError, "is no DescribeTaskDetailResponse"),
    ],
)
def test_answers_that_are_none(response: Any, kind: Any, message: Any) -> None:
    """A proxy's page, broken JSON, another status or a broken connection is its own error, naming the call."""
    with pytest.raises(kind, match=message):
        client_of(Server(response)).describe_task_detail("t")


@pytest.mark.parametrize(
    "more",
    [
        {"AiAnalysisResultSet": [{"Type": "Cover", "CoverTask": {"Status": "FAIL", "Output": {"CoverSet": "none"}}}]},
        {"AiAnalysisResultSet": [{"Type": "Cover", "CoverTask": {"Status": "FAIL", "Output": [1], "Input": "x"}}]},
        {"MetaData": {"Size": "large"}, "AiAnalysisResultSet": [{"Type": "Cover", "CoverTask": {"Status": "FAIL"}}]},
    ],
)
def test_results_of_another_type_do_not_hide_how_a_task_ended(more: Any, caplog: pytest.LogCaptureFixture) -> None:
    """Where only what went in or came out is of another type than is documented, the rest is read and judged."""
    task = {"TaskId": "t", "Status": "FINISH", "ErrCode": 0} | more
    answer = reply({"TaskType": "WorkflowTask", "Status": "FINISH", "WorkflowTask": task})
    detail = client_of(Server(answer)).describe_task_detail("t")
    assert (detail.verdict.state, [item.kind for item in detail.verdict.subtasks]) == ("failed", ["CoverTask"])
    assert "DescribeTaskDetail: left out, being of another type than is documented: WorkflowTask." in caplog.text


@pytest.mark.parametrize(
    "more",
    [
        {"Status": ["FINISH"]},
        {"ErrCode": "none"},
        {"AiAnalysisResultSet": {}},
        {"AiAnalysisResultSet": [{"Type": "Cover", "CoverTask": {"Status": {}}}]},
        {"AiAnalysisResultSet": [{"Type": "Cover", "CoverTask": "FAIL"}]},
    ],
)
def test_a_state_that_cannot_be_read_is_no_success(more: Any) -> None:
    """Where what says how a task ended is of another type, nothing is judged."""
    task = {"TaskId": "t", "Status": "FINISH", "ErrCode": 0} | more
    answer = reply({"TaskType": "WorkflowTask", "Status": "FINISH", "WorkflowTask": task})
    with pytest.raises(ProtocolError, match="is no DescribeTaskDetailResponse"):
        client_of(Server(answer)).describe_task_detail("t")


def test_an_error_with_a_strange_content_type_is_still_one() -> None:
    """Neither the status nor the Content-Type hides an error of the API."""
    body = json.dumps({"Response": fault("InvalidParameter")})
    for status in (200, 400):
        response = httpx.Response(status, text=body, headers={"Content-Type": "application/json; charset=utf-8"})
        with pytest.raises(ApiError) as caught:
            client_of(Server(response)).describe_task_detail("t")
        assert caught.value.code == "InvalidParameter"


def test_a_job_without_a_task_id_is_no_success() -> None:
    """A success without a TaskId is not taken for one."""
    with pytest.raises(ProtocolError, match="without a TaskId"):
        client_of(Server({"RequestId": "r"})).process_media(REQUEST)


@pytest.mark.parametrize("shift", [-4000, 4000])
def test_a_wrong_clock_is_corrected_once(shift: Any) -> None:
    """SignatureExpire leads to one correction from the server's Date, which later calls keep."""

    def answer(_: Any, request: Any) -> Any:
        try:
            server.verified(request)
        except CredentialsRejectedError as error:
            return reply(fault(error.code), date=NOW)
        return reply(OK, date=NOW)

    server = Server(answer)
    client = client_of(server, clock=lambda: NOW + shift)
    assert client.process_media(REQUEST) == OK["TaskId"]
    assert len(server.calls) == 2
    client.process_media(REQUEST)
    assert len(server.calls) == 3


@pytest.mark.parametrize(("date", "calls"), [(NOW, 2), (None, 1)])
def test_a_clock_is_not_corrected_twice(date: Any, calls: Any) -> None:
    """A second SignatureExpire, or one without a Date, is final, and says that the clock is wrong."""
    server = Server(lambda *_: reply(fault("AuthFailure.SignatureExpire"), date=date))
    with pytest.raises(CredentialsRejectedError, match="SignatureExpire") as caught:
        client_of(server).process_media(REQUEST)
    assert len(server.calls) == calls
    assert "clock" in caught.value.hint


class Cloud:
    """An MPS that really makes tasks: it loses answers after accepting, and refuses SessionIds that it knows."""

    def __init__(self, *losses: Any) -> None:
        self.losses = list(losses)
        self.tasks = {}

    def __call__(self, request: Any) -> Any:
        """Answer a call by its action."""
        body = json.loads(request.content)
        return getattr(self, request.headers["x-tc-action"])(body)

    def ProcessMedia(self, body: Any) -> Any:  # noqa: N802 (the action's name)
        """Accept a job, and perhaps lose the answer."""
        session = body.get("SessionId")
        if session and session in self.tasks.values():
            return reply(fault("InvalidParameterValue.SessionId"))
        task_id = f"task-{len(self.tasks)}"
        self.tasks[task_id] = session
        loss = self.losses.pop(0) if self.losses else None
        if isinstance(loss, Exception):
            raise loss
        return loss or reply({"TaskId": task_id})

    def DescribeTasks(self, body: Any) -> Any:  # noqa: N802 (the action's name)
        """List every task as processing, one a page."""
        if body["Status"] != "PROCESSING":
            return reply({"TaskSet": [], "ScrollToken": ""})
        index = int(body.get("ScrollToken") or 0)
        created = datetime.fromtimestamp(NOW, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        ids = sorted(self.tasks)
        more = str(index + 1) if index + 1 < len(ids) else ""
        return reply({"TaskSet": [{"TaskId": ids[index], "CreateTime": created}], "ScrollToken": more})

    def DescribeTaskDetail(self, body: Any) -> Any:  # noqa: N802 (the action's name)
        """Tell the SessionId of a task."""
        return reply({"Status": "PROCESSING", "SessionId": self.tasks[body["TaskId"]]})


LOST = [
    httpx.ReadTimeout("lost"),
    httpx.RemoteProtocolError("lost"),
    httpx.Response(502),
    reply(fault("InternalError")),
]


@pytest.mark.parametrize("loss", LOST, ids=lambda loss: type(loss).__name__)
def test_never_two_tasks_for_one_job(loss: Any) -> None:
    """When the answer is lost after the job was accepted, the repetition finds the task that there is."""
    cloud = Cloud(loss)
    cloud.tasks["other"] = "s-0"
    assert client_of(cloud).process_media(REQUEST) == "task-1"
    assert list(cloud.tasks.values()) == ["s-0", "s-1"]


@pytest.mark.parametrize("loss", LOST, ids=lambda loss: type(loss).__name__)
def test_without_session_id_nothing_is_repeated(loss: Any) -> None:
    """Without a SessionId a call that may have taken effect is not repeated, and the error says so."""
    cloud = Cloud(loss)
    with pytest.raises(RemoteUnavailableError) as caught:
        client_of(cloud).process_media(ProcessMediaRequest())
    assert len(cloud.tasks) == 1
    assert "may have been accepted: look at the tasks" in caught.value.hint


def test_rate_limits_are_waited_out_for_any_job() -> None:
    """A rate limit rejects a call before any work begins: it is repeated with or without a SessionId."""
    for request in (REQUEST, ProcessMediaRequest()):
        server = Server(fault("RequestLimitExceeded"), OK)
        assert client_of(server).process_media(request) == OK["TaskId"]
        assert server.actions == ["ProcessMedia"] * 2


def test_a_success_ends_the_repetition() -> None:
    """After a rate limit and a success there is no further call (unlike the official SDK's retryer)."""
    server = Server(fault("RequestLimitExceeded"), OK, fault("RequestLimitExceeded"))
    client_of(server, attempts=5).process_media(REQUEST)
    assert len(server.calls) == 2


def test_a_duplicate_at_the_first_call_is_refused() -> None:
    """A SessionId that is refused at once belongs to an earlier run: that is told, and no task is looked for."""
    server = Server(fault("InvalidParameterValue.SessionId"))
    with pytest.raises(ApiError) as caught:
        client_of(server).process_media(REQUEST)
    assert server.actions == ["ProcessMedia"]
    assert "submitted before" in caught.value.hint


def test_a_rate_limit_raises_no_doubt() -> None:
    """A duplicate after nothing but rate limits is an earlier run's too."""
    server = Server(fault("RequestLimitExceeded"), fault("InvalidParameterValue.SessionId"))
    with pytest.raises(ApiError):
        client_of(server).process_media(REQUEST)
    assert server.actions == ["ProcessMedia"] * 2


def test_a_task_that_cannot_be_found_is_not_invented() -> None:
    """When the accepted task does not show up, the error says that the job was accepted."""
    server = Server(
        httpx.ReadTimeout("lost"), fault("InvalidParameterValue.SessionId"), {"TaskSet": None, "ScrollToken": ""}
    )
    with pytest.raises(ApiError) as caught:
        client_of(server).process_media(REQUEST)
    assert "has been accepted, but its task was not found" in caught.value.hint


def test_all_attempts_lost() -> None:
    """When every answer is lost the last error is raised, and says that submitting again is safe."""
    server = Server(httpx.ConnectError("refused"))
    with pytest.raises(RemoteUnavailableError) as caught:
        client_of(server).process_media(REQUEST)
    assert len(server.calls) == 3
    assert "submitting it again is safe" in caught.value.hint


def test_older_tasks_are_not_looked_at() -> None:
    """Looking for a task leaves out those from before the submission, and each is looked at once."""
    old = {"TaskId": "old", "CreateTime": "2020-01-01T00:00:00Z"}
    new = {"TaskId": "new", "CreateTime": "0000-00-00T00:00:00Z"}
    server = Server(
        lambda action, _: reply(
            {"TaskSet": [old, new, {"CreateTime": ""}], "ScrollToken": ""}
            if action == "DescribeTasks"
            else {"SessionId": "other"}
        )
    )
    assert client_of(server).find_task("s-1", since=NOW) is None
    assert server.actions == ["DescribeTasks", "DescribeTaskDetail", "DescribeTasks", "DescribeTasks"]
    assert server.calls[0][1] == {"Status": "WAITING", "Limit": 100, "StartTime": "2023-11-14T22:13:20Z"}


def test_looking_has_an_end() -> None:
    """Looking for a task gives up after some hundreds of candidates."""
    many = [{"TaskId": str(number)} for number in range(600)]
    server = Server(lambda action, _: reply({"TaskSet": many} if action == "DescribeTasks" else {}))
    assert client_of(server).find_task("s-1", since=NOW) is None
    assert len(server.calls) == 501


def test_pages_end() -> None:
    """Pages are followed until there are none, and a token that repeats ends them."""
    page = {"TaskSet": [{"TaskId": "a"}], "ScrollToken": "same"}
    server = Server(page)
    assert len(list(client_of(server).describe_tasks("FINISH"))) == 2
    assert "StartTime" not in server.calls[0][1]
    assert server.calls[1][1]["ScrollToken"] == "same"


def test_abort() -> None:
    """A task is stopped with ManageTask."""
    server = Server({"RequestId": "r"})
    client_of(server).abort_task("t")
    assert server.calls[0][:2] == ("ManageTask", {"OperationType": "Abort", "TaskId": "t"})


def test_templates_are_asked_for_a_hundred_at_a_time() -> None:
    """Templates come by their IDs; those that do not exist are missing."""
    server = Server(
        lambda _, request: reply(
            {
                "AdaptiveDynamicStreamingTemplateSet": [
                    {"Definition": number} for number in json.loads(request.content)["Definitions"] if number != 7
                ]
                + [{}]
            }
        )
    )
    assert sorted(client_of(server).templates([*range(1, 151), 3])) == [n for n in range(1, 151) if n != 7]
    assert [len(body["Definitions"]) for _, body, _ in server.calls] == [100, 50]
    assert client_of(Server({})).templates([1]) == {}


def test_no_secret_in_any_error() -> None:
    """No error of a call shows the key, the token, or a ticket of the request."""
    for step in (fault("AuthFailure.SignatureFailure", "url https://a/?ticket=canary"), httpx.Response(302), LOST[0]):
        with pytest.raises(DrmkitError) as caught:
            client_of(Server(step)).process_media(REQUEST)
        assert "canary" not in f"{caught.value!r} {caught.value.hint} {getattr(caught.value, '__notes__', '')}"


@pytest.mark.parametrize(
    ("text", "url", "site"),
    [
        ("mps.tencentcloudapi.com", "https://mps.tencentcloudapi.com", "mainland"),
        ("https://mps.ap-singapore.tencentcloudapi.com/", "https://mps.ap-singapore.tencentcloudapi.com", "mainland"),
        ("https://mps.intl.tencentcloudapi.com", "https://mps.intl.tencentcloudapi.com", "international"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080", "loopback"),
        ("http://[::1]:8080", "http://[::1]:8080", "loopback"),
        ("http://localhost", "http://localhost", "loopback"),
        ("https://mps.example.com:8443", "https://mps.example.com:8443", "custom"),
    ],
)
def test_endpoints(text: Any, url: Any, site: Any) -> None:
    """An endpoint is a host or a URL; its site says where tasks are found."""
    endpoint = Endpoint.parse(text)
    assert (endpoint.url, endpoint.site) == (url, site)
    assert endpoint.host == url.partition("://")[2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("http://mps.tencentcloudapi.com", "plain http"),
        ("ftp://mps.tencentcloudapi.com", "no http or https URL"),
        ("https://", "no http or https URL"),
        ("https://me:pw@mps.tencentcloudapi.com", "no http or https URL"),
        ("https://mps.tencentcloudapi.com/path", "a path or a query"),
        ("https://mps.tencentcloudapi.com?x=1", "a path or a query"),
        ("https://mps.tencentcloudapi.com:port", "is no URL"),
        ("https://[::1", "is no URL"),
    ],
)
def test_endpoints_that_are_none(text: Any, message: Any) -> None:
    """Plain http beyond loopback, user information, paths and other schemes are refused."""
    with pytest.raises(ConfigurationError, match=message):
        Endpoint.parse(text)


def test_regions() -> None:
    """Each region has an endpoint; one that does not exist is refused before any call, with the nearest name."""
    assert Endpoint.regional(REGIONS[0]).url == "https://mps.ap-guangzhou.tencentcloudapi.com"
    assert (MAINLAND.site, INTERNATIONAL.site) == ("mainland", "international")
    with pytest.raises(ConfigurationError, match="no region 'ap-singapor'") as caught:
        client_of(Server(OK), region="ap-singapor")
    assert caught.value.hint == "did you mean ap-singapore?"
    with pytest.raises(ConfigurationError) as caught:
        check_region("zz")
    assert "eu-frankfurt" in caught.value.hint


@pytest.mark.parametrize(
    ("secret_id", "key", "token", "what"),
    [
        ("", "k", None, "ID"),
        (" AKID", "k", None, "ID"),
        ("AKID", "k\n", None, "key"),
        ("AKID", '"k"', None, "key"),
        ("AKID", "ké", None, "key"),
        ("AKID", "k", "", "token"),
    ],
)
def test_credentials_that_can_never_sign(secret_id: Any, key: Any, token: Any, what: Any) -> None:
    """Empty, quoted or blank-padded values are refused where they are given, without showing them."""
    with pytest.raises(ConfigurationError, match=f"the secret {what} from here") as caught:
        Credentials(secret_id, Secret(key), None if token is None else Secret(token), source="here")
    assert not key.strip("\n\"'k") or key not in str(caught.value)


def test_large_requests_are_sent_whole() -> None:
    """A request of many tasks is sent byte for byte as it was signed."""
    server = Server(lambda _, request: reply(OK) if server.verified(request) else None)
    request = ProcessMediaRequest(session_context="é" * 100_000)
    client_of(server).process_media(request)
    assert len(encode(request)) > 200_000
