"""`drmkit task`: what tasks look like, waiting for them, listing and aborting them; and no secret in any of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mpsworld import JOB, actions, api, api_fault, runner
from scripted import Answer, Request, ScriptedServer

from drmkit.sandbox import Sandbox, SandboxOptions

Run = Callable[..., int]
TICKET = "ST-1-cAnArY"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """The vendors."""
    with Sandbox(SandboxOptions(encrypt=False)) as running:
        yield running


@pytest.fixture
def run(sandbox: Sandbox, tmp_path: Path) -> Run:
    """Run a command line with the sandbox's profile."""
    return runner(sandbox, tmp_path)


@pytest.fixture
def submit(run: Run, tmp_path: Path, capsys: Any) -> Callable[..., str]:
    """Submit a job and return its task ID."""

    def make(context: str = "") -> str:
        capsys.readouterr()
        assert run(*JOB, "--session-context", context or "x") == 0
        file = tmp_path / "job.json"
        file.write_text(capsys.readouterr().out, encoding="utf-8")
        assert run("-q", "job", "submit", str(file)) == 0
        found: str = capsys.readouterr().out.strip()
        return found

    return make


def test_wait_then_show(run: Run, submit: Callable[..., str], capsys: Any) -> None:
    """`wait` ends with the verdict; `show` says the same, and its JSON holds the API's answer without secrets."""
    task_id = submit()
    assert run("task", "wait", task_id) == 0
    waited = capsys.readouterr().out
    assert waited.startswith(f"succeeded  {task_id}\n  succeeded  AdaptiveDynamicStreamingTask  template 12  widevine")
    assert run("task", "show", task_id) == 0
    assert capsys.readouterr().out == waited
    assert run("task", "show", task_id, "--format", "json") == 0
    out = capsys.readouterr().out
    data = json.loads(out)
    assert (data["schema_version"], data["task_id"], data["state"]) == (1, task_id, "succeeded")
    assert data["finished"].endswith("Z")
    (result,) = data["response"]["WorkflowTask"]["MediaProcessResultSet"]
    url = result["AdaptiveDynamicStreamingTask"]["Input"]["DrmInfo"]["SpekeDrm"]["KeyServerUrl"]
    assert url == "http://127.0.0.1/**********"
    assert "ticket=" not in out


def detail(message: str, **task: Any) -> dict[str, Any]:
    """An answer of DescribeTaskDetail that quotes a ticket and a key."""
    speke = {"ResourceId": "m", "KeyServerUrl": f"https://fe.example.com/x?ticket={TICKET}", "Vector": "00" * 16}
    aes = {"Uri": "https://k.example.com/", "Key": "0f" * 16}
    infos = [{"Type": "widevine", "SpekeDrm": speke}, {"Type": "simpleaes", "SimpleAesDrm": aes}]
    results = [
        {
            "Type": "AdaptiveDynamicStreaming",
            "AdaptiveDynamicStreamingTask": {
                "Status": "FAIL",
                "ErrCodeExt": "InternalError",
                "ErrCode": 1,
                "Message": message,
                "Input": {"Definition": 10 + number, "DrmInfo": info},
            },
        }
        for number, info in enumerate(infos)
    ]
    workflow = {"TaskId": "t-1", "Status": "FINISH", "ErrCode": 0, "MediaProcessResultSet": results} | task
    return {"TaskType": "WorkflowTask", "Status": "FINISH", "WorkflowTask": workflow}


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("command", ["show", "wait"])
def test_no_secret_of_an_answer_is_shown(run: Run, command: str, form: str, capsys: Any) -> None:
    """Neither DrmInfo nor a message that quotes a URL gives a ticket or a key away; a failure seen by `wait` is 1."""
    answer = api(detail(f"GET https://fe.example.com/x?ticket={TICKET} answered 401"))
    with ScriptedServer(lambda _: answer) as server:
        code = run("-v", "task", command, "t-1", "--format", form, "--endpoint", server.url)
    assert code == (0 if command == "show" else 1)
    out, err = capsys.readouterr()
    assert "answered 401" in out
    assert TICKET not in out + err
    assert "0f" * 16 not in out + err


def test_a_source_that_cannot_be_read(run: Run, capsys: Any) -> None:
    """An error of the source is told with its number and message."""
    answer = api(detail("", ErrCode=30000, Message="download failed", MediaProcessResultSet=None))
    with ScriptedServer(lambda _: answer) as server:
        assert run("task", "wait", "t-1", "--endpoint", server.url) == 1
    out, err = capsys.readouterr()
    assert out == "failed  t-1\n  error 30000: download failed\n"
    assert "check that MPS can read the input" in err


def test_wait_ends_at_its_deadline(run: Run, submit: Callable[..., str], sandbox: Sandbox, capsys: Any) -> None:
    """A task that never ends is left alone after the deadline, exit code 75."""
    sandbox.faults.switch_on("mps-task-stuck")
    assert run("task", "wait", submit(), "--deadline", "0.1s") == 75
    assert "it is waiting" in capsys.readouterr().err


def test_list(run: Run, submit: Callable[..., str], sandbox: Sandbox, capsys: Any) -> None:
    """Tasks are listed by status, with their times where they have any."""
    done = submit("a")
    assert run("task", "wait", done) == 0
    sandbox.faults.switch_on("mps-task-stuck")
    stuck = submit("b")
    assert run("task", "list") == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [(row[0], row[-1]) for row in rows] == [("WAITING", stuck), ("FINISH", done)]
    assert rows[0][2] == "-"
    assert run("task", "list", "--status", "finish", "--format", "json") == 0
    (row,) = json.loads(capsys.readouterr().out)["tasks"]
    assert (row["task_id"], row["status"], row["subtasks"]) == (done, "FINISH", ["AdaptiveDynamicStreaming"])
    assert run("task", "list", "--limit", "1") == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 1
    assert "--limit shows more" in err
    assert run("task", "list", "--status", "PROCESSING", "--since", "1h") == 0
    assert "there are no such tasks" in capsys.readouterr().err


def test_the_start_of_a_list_is_asked_for(run: Run) -> None:
    """`--since` bounds what MPS is asked for."""
    with ScriptedServer(lambda _: api({"TaskSet": [], "ScrollToken": ""})) as server:
        assert run("task", "list", "--since", "2d", "--endpoint", server.url) == 0
        assert [json.loads(request.body)["Status"] for request in server.requests] == [
            "WAITING",
            "PROCESSING",
            "FINISH",
        ]
        assert all(json.loads(request.body)["StartTime"].endswith("Z") for request in server.requests)


def test_abort(run: Run, submit: Callable[..., str], sandbox: Sandbox, capsys: Any) -> None:
    """A waiting task is stopped, once; the dry run stops nothing."""
    sandbox.faults.switch_on("mps-task-stuck")
    task_id = submit()
    assert run("task", "abort", task_id, "--dry-run") == 0
    assert capsys.readouterr().out == f"would abort {task_id} at {sandbox.url}\n"
    assert run("task", "abort", task_id, "--format", "json") == 0
    data = json.loads(capsys.readouterr().out)
    assert data == {"schema_version": 1, "task_id": task_id, "aborted": True, "endpoint": sandbox.url}
    assert run("task", "abort", task_id) == 2
    assert "NotProcessingTask" in capsys.readouterr().err
    assert run("task", "wait", task_id) == 1


def test_unknown_tasks(run: Run, capsys: Any) -> None:
    """A task that does not exist here is exit code 2, and the hint says where tasks are found."""
    assert run("task", "show", "0-WorkflowTask-none") == 2
    assert "found only by the account and the site that made them" in capsys.readouterr().err


def test_the_answer_of_a_mainland_server(run: Run, capsys: Any) -> None:
    """A clock that is wrong is corrected once from the server's Date; a second refusal is final, exit code 3."""

    def late(request: Request) -> Answer:
        return api_fault("AuthFailure.SignatureExpire")

    def dated(request: Request) -> Answer:
        answer = late(request)
        answer.headers["Date"] = "Sun, 01 Nov 2026 08:00:00 GMT"
        return answer

    for respond, calls in ((late, 1), (dated, 2)):
        with ScriptedServer(respond) as server:
            assert run("task", "show", "t", "--endpoint", server.url) == 3
            assert actions(server.requests) == ["DescribeTaskDetail"] * calls
    assert "set this machine's clock" in capsys.readouterr().err
