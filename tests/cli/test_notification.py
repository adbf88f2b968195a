"""`drmkit notification`: what callbacks claim, whether they are signed and true, and how `serve` starts and refuses."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mpsworld import api, api_fault
from scripted import ScriptedServer

from drmkit.cli.main import main
from drmkit.cli.notification_hook import CommandHook
from drmkit.errors import ConfigurationError, TemporaryError
from drmkit.mps.models.detail import DescribeTaskDetailResponse
from drmkit.mps.notification import parse, sign
from drmkit.mps.task import TaskDetail
from drmkit.secret import Secret

Run = Callable[..., int]
KEY = "cAnArY-notify-key"
TICKET = "ST-1-cAnArYtIcKeT"
UNTIL = 4102444800


def message(*, key: str = KEY, until: int = UNTIL, state: str = "SUCCESS", **more: Any) -> dict[str, Any]:
    """A signed callback whose DrmInfo holds a ticket."""
    speke = {"ResourceId": "m", "KeyServerUrl": f"https://fe.example.com/x?ticket={TICKET}", "Vector": "00" * 16}
    result = {
        "Status": state,
        "Message": f"see https://fe.example.com/x?ticket={TICKET}",
        "Input": {"Definition": 12, "DrmInfo": {"Type": "widevine", "SpekeDrm": speke}},
        "Output": {"Path": "/out/a.m3u8"},
    }
    results = [{"Type": "AdaptiveDynamicStreaming", "AdaptiveDynamicStreamingTask": result}]
    event = {"TaskId": "t-1", "Status": "FINISH", "ErrCode": 0, "MediaProcessResultSet": results}
    signed = {"SessionId": "s-1", "SessionContext": "c", "Timestamp": until, "Sign": sign(until, Secret(key))}
    return {"EventType": "WorkflowTask", "WorkflowTaskEvent": event} | signed | more


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a command line with an API key of no account."""
    environ = {"HOME": str(tmp_path), "TENCENTCLOUD_SECRET_ID": "AKIDtest", "TENCENTCLOUD_SECRET_KEY": "key"}
    return lambda *arguments: main(arguments, environ=environ)


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., str]:
    """Write a message to a file and return its name."""

    def write(content: Any) -> str:
        path = tmp_path / "message.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return str(path)

    return write


@pytest.fixture
def key_file(tmp_path: Path) -> str:
    """The NotifyKey in a private file."""
    path = tmp_path / "notify.key"
    path.write_text(KEY + "\n", encoding="utf-8")
    path.chmod(0o600)
    return str(path)


def test_show(run: Run, file: Callable[..., str], capsys: Any) -> None:
    """A callback is told in words, whatever it is wrapped in; tickets and the Sign are masked."""
    for content in (message(), {"Response": message()}, {"msgBody": json.dumps(message())}):
        assert run("notification", "show", file(content)) == 0
        out, err = capsys.readouterr()
        assert out == (
            "WorkflowTask  t-1\n  session: s-1\n  signed until: 2100-01-01T00:00:00Z\n  it claims:\n  succeeded  t-1\n"
            "    succeeded  AdaptiveDynamicStreamingTask  template 12  widevine  /out/a.m3u8\n"
        )
        assert err == ""
    assert run("notification", "show", file(message()), "--format", "json") == 0
    out = capsys.readouterr().out
    data = json.loads(out)
    assert (data["schema_version"], data["event"], data["claim"]["state"]) == (1, "WorkflowTask", "succeeded")
    assert data["message"]["Sign"] == "**********"
    assert TICKET not in out


def test_show_of_other_messages(run: Run, file: Callable[..., str], monkeypatch: Any, capsys: Any) -> None:
    """Live events, unsigned and unknown ones are told as what they are."""
    data = json.dumps({"NotificationType": "ProcessEof", "TaskId": "live-1"}).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert run("notification", "show", "-") == 0
    assert capsys.readouterr().out == "ProcessEof  live-1\n  session: -\n  not signed\n"
    assert run("notification", "show", file({"EventType": "Dance", "Timestamp": 10**18, "Sign": "x"})) == 0
    out, err = capsys.readouterr()
    assert out.startswith("Dance  (no task)")
    assert "'Dance' is no event that is documented" in err


@pytest.mark.parametrize("content", ["", "{}", "<html>", "[1]"])
def test_what_is_no_callback(run: Run, file: Callable[..., str], key_file: str, content: str, capsys: Any) -> None:
    """Anything else is exit code 2."""
    assert run("notification", "show", file(content)) == 2
    assert run("notification", "verify", file(content), "--notify-key-file", key_file) == 2
    assert "the message is n" in capsys.readouterr().err


def test_verify(run: Run, file: Callable[..., str], key_file: str, capsys: Any) -> None:
    """A right Sign is exit code 0, with the word that it does not cover the message."""
    assert run("notification", "verify", file(message()), "--notify-key-file", key_file) == 0
    out, err = capsys.readouterr()
    assert out.startswith("verified  WorkflowTask  t-1")
    assert "the Sign does not cover the message" in err
    at = str(UNTIL + 1)
    old = file(message())
    assert run("notification", "verify", old, "--notify-key-file", key_file, "--at", at) == 1
    assert "ended 1 seconds ago" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"key": "other"}, "does not match the NotifyKey"),
        ({"until": 1700000000}, "ended"),
        ({"Sign": ""}, "is not signed"),
        ({"Timestamp": None}, "is not signed"),
    ],
)
def test_what_is_not_verified(
    run: Run, file: Callable[..., str], key_file: str, changes: dict[str, Any], reason: str, capsys: Any
) -> None:
    """A Sign that is missing, wrong or ended is exit code 1 with the reason, in JSON too, and never the key."""
    arguments = ("notification", "verify", file(message(**changes)), "--notify-key-file", key_file)
    assert run(*arguments) == 1
    out, err = capsys.readouterr()
    assert (out, reason in err) == ("", True)
    assert run(*arguments, "--format", "json") == 1
    out, err = capsys.readouterr()
    data = json.loads(out)
    assert (data["verified"], reason in data["reason"]) == (False, True)
    assert KEY not in out + err


@pytest.mark.parametrize(
    ("status", "code", "word"), [("SUCCESS", 0, "succeeded"), ("FAIL", 1, "the message says succeeded, and MPS says")]
)
def test_confirm(
    run: Run, file: Callable[..., str], key_file: str, status: str, code: int, word: str, capsys: Any
) -> None:
    """MPS is asked for the task; where it says something else than the message, the exit code is 1."""
    answer = api({"Status": "FINISH", "WorkflowTask": message(state=status)["WorkflowTaskEvent"]})
    given = ("--notify-key-file", key_file, "--confirm")
    with ScriptedServer(lambda _: answer) as server:
        name = file(message())
        assert run("notification", "verify", name, *given, "--endpoint", server.url) == code
        out, err = capsys.readouterr()
        assert word in out + err
        assert run("notification", "verify", name, *given, "--endpoint", server.url, "--format", "json") == code
        assert json.loads(capsys.readouterr().out)["confirmed"]["state"] == ("succeeded" if code == 0 else "failed")
    with ScriptedServer(lambda _: api_fault("ResourceNotFound.TaskNotFound")) as server:
        assert run("notification", "verify", name, *given, "--endpoint", server.url) == 2
    assert TICKET not in out


def test_a_live_event_is_confirmed_without_comparison(
    run: Run, file: Callable[..., str], key_file: str, capsys: Any
) -> None:
    """A live event claims nothing that could be compared."""
    live = {"NotificationType": "ProcessEof", "TaskId": "live-1", "Timestamp": UNTIL, "Sign": sign(UNTIL, Secret(KEY))}
    with ScriptedServer(lambda _: api({"Status": "PROCESSING"})) as server:
        given = ("--notify-key-file", key_file, "--confirm", "--endpoint", server.url)
        assert run("notification", "verify", file(live), *given) == 0
    assert "processing  live-1" in capsys.readouterr().out


def test_the_key_file_must_be_private(run: Run, file: Callable[..., str], key_file: str, capsys: Any) -> None:
    """A NotifyKey that others can read is refused."""
    Path(key_file).chmod(0o644)
    assert run("notification", "verify", file(message()), "--notify-key-file", key_file) == 3
    assert run("notification", "serve", "--notify-key-file", key_file) == 3
    assert "open to other users" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        ((), 2, "name --notify-key-file, or say --unsigned"),
        (("--unsigned", "--notify-key-file", "x"), 2, "name --notify-key-file, or say --unsigned"),
        (("--unsigned", "--hook", "'"), 3, "unclosed quote"),
        (("--unsigned", "--hook", " "), 3, "--hook is empty"),
        (("--unsigned", "--host", "192.0.2.1"), 3, "cannot listen on 192.0.2.1 port 0"),
        (("--unsigned", "--store", "/nowhere/q.sqlite"), 1, "could not be opened"),
        (("--unsigned", "--backup", "https://x/y"), 2, "names no output"),
        (("--unsigned", "--backup", "vod://1"), 2, "--backup takes a folder"),
        (("--unsigned", "--port", "65536"), 2, "65536 is not in the range"),
    ],
)
def test_what_serve_refuses(run: Run, arguments: tuple[str, ...], code: int, reason: str, capsys: Any) -> None:
    """Contradictory options, a hook that is none, an address of another machine: told at once, and nothing runs."""
    port = () if "--port" in arguments else ("--port", "0")
    assert run("notification", "serve", *port, *arguments) == code
    assert reason in capsys.readouterr().err


def test_serve_wants_to_confirm(tmp_path: Path, capsys: Any) -> None:
    """Without an API key the receiver does not start: it could confirm nothing."""
    config = tmp_path / "c.toml"
    config.write_text('[profile.p.mps]\nsecret_id = "AKID"\n', encoding="utf-8")
    environ = {"HOME": str(tmp_path)}
    assert main(["--config", str(config), "notification", "serve", "--unsigned", "--port", "0"], environ=environ) == 3
    assert "mps.secret_key is not set" in capsys.readouterr().err


def verdict_of(state: str) -> Any:
    """The verdict over the task of the message."""
    event = parse(json.dumps(message(state=state)).encode()).message.workflow_task_event
    return TaskDetail("t-1", DescribeTaskDetailResponse(status="FINISH", workflow_task=event)).verdict


def test_the_hook_is_told_in_json(tmp_path: Path) -> None:
    """The command gets one line of JSON on standard input, with the confirmed verdict and without secrets."""
    out = tmp_path / "out.json"
    hook = CommandHook(
        f"{sys.executable} -c 'import sys; open(sys.argv[1], \"w\").write(sys.stdin.read())' {out}", seconds=30
    )
    hook(parse(json.dumps(message()).encode()), verdict_of("SUCCESS"))
    text = out.read_text(encoding="utf-8")
    data = json.loads(text)
    assert (data["schema_version"], data["task_id"], data["confirmed"]["state"]) == (1, "t-1", "succeeded")
    assert TICKET not in text
    hook(parse(b'{"NotificationType": "ProcessEof"}'), None)
    assert json.loads(out.read_text(encoding="utf-8"))["confirmed"] is None


@pytest.mark.parametrize(
    ("command", "seconds", "reason"),
    [
        ("/nowhere/hook", 60, "the hook /nowhere/hook: No such file"),
        ("false", 60, "failed (exit code 1)"),
        ("sleep 60", 0.2, "took too long"),
    ],
)
def test_a_hook_that_fails(command: str, seconds: float, reason: str) -> None:
    """A hook that cannot be run, fails or hangs is an error, after which the message is told again."""
    with pytest.raises(TemporaryError) as caught:
        CommandHook(command, seconds=seconds)(parse(b'{"NotificationType": "ProcessEof"}'), None)
    assert reason in caught.value.message


def test_a_hook_can_be_stopped() -> None:
    """When the program ends, so does the hook."""
    hook = CommandHook("sleep 60", seconds=60)
    hook.stop()
    with pytest.raises(TemporaryError, match="was stopped"):
        hook(parse(b'{"NotificationType": "ProcessEof"}'), None)
    with pytest.raises(ConfigurationError):
        CommandHook("", seconds=1)


MODERATION = {
    "EventName": "ReviewVideo",
    "JobsDetail": {
        "JobId": "job-1",
        "State": "Success",
        "Url": "https://live.example.com/a.flv",
        "Label": "Porn",
        "Result": 1,
        "PornInfo": {"HitFlag": 1, "Count": 2},
        "Snapshot": [{"Url": "https://b.example.com/0.jpg", "SnapshotTime": 41, "Label": "Porn", "Result": 1}],
        "AudioSection": [
            {"Url": "https://b.example.com/0.mp3", "OffsetTime": 0, "Duration": 30000, "Label": "Normal", "Result": 0}
        ],
    },
}


@pytest.mark.parametrize("options", [(), ("--product", "cos"), ("--content-version", "Detail")])
def test_show_of_a_moderation_callback(run: Run, file: Callable[..., str], options: Any, capsys: Any) -> None:
    """A callback of COS is told as one: verdict, label, scenes, pictures, sound."""
    assert run("notification", "show", file(MODERATION), *options) == 0
    assert capsys.readouterr().out == (
        "sensitive  Porn  https://live.example.com/a.flv\n"
        "  job: job-1  state: Success\n"
        "  porn: hit, 2 snapshots\n"
        "  snapshot  sensitive  Porn  41ms  https://b.example.com/0.jpg\n"
        "  audio  normal  Normal  0ms+30000ms  https://b.example.com/0.mp3\n"
    )
    assert run("notification", "show", file(MODERATION), *options, "--format", "json") == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["product"], data["verdict"], data["scenes"]["porn"]["hit"]) == ("cos", "sensitive", 1)


def test_callbacks_of_the_wrong_product(run: Run, file: Callable[..., str], key_file: str, capsys: Any) -> None:
    """A callback of another product than was named, or another body than its header says, is refused by name."""
    assert run("notification", "show", file(MODERATION), "--product", "mps") == 2
    assert "moderation callback of Cloud Object Storage" in capsys.readouterr().err
    assert run("notification", "show", file(message()), "--product", "cos") == 2
    assert "is no moderation callback of COS" in capsys.readouterr().err
    assert run("notification", "show", file(MODERATION), "--content-version", "Simple") == 2
    assert "says Simple, and the body is that of Detail" in capsys.readouterr().err
    assert run("notification", "show", file(MODERATION), "--content-version", "Simple", "--product", "mps") == 2
    assert run("notification", "verify", file(MODERATION), "--notify-key-file", key_file) == 2


def test_show_of_unknown_live_types(run: Run, file: Callable[..., str], capsys: Any) -> None:
    """An unknown type is flagged, and what it holds is shown as it came."""
    body = {"NotificationType": "AiDanceResult", "TaskId": "t", "AiDanceResultInfo": {"Steps": 3}}
    assert run("notification", "show", file(body)) == 0
    out, err = capsys.readouterr()
    assert out.endswith('  unknown field AiDanceResultInfo: {"Steps": 3}\n')
    assert "'AiDanceResult' is no event that is documented; it is shown as it came" in err


def test_show_of_fields_of_another_type(run: Run, file: Callable[..., str], capsys: Any) -> None:
    """What is not as it is documented is shown by its path, flagged, and in JSON by name; the rest is read."""
    body = {"NotificationType": "ProcessEof", "TaskId": "t", "ProcessEofInfo": {"ErrCode": "none", "New": {"Key": "k"}}}
    assert run("notification", "show", file(body)) == 0
    out, err = capsys.readouterr()
    assert '  misread field ProcessEofInfo.ErrCode: "none"\n' in out
    assert '  unknown field ProcessEofInfo.New: {"Key": "**********"}\n' in out
    assert "of another type than is documented, and not understood: ProcessEofInfo.ErrCode" in err
    assert run("notification", "show", file(body), "--format", "json") == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["misread_fields"], data["unknown_fields"]) == (["ProcessEofInfo.ErrCode"], ["ProcessEofInfo.New"])
    assert data["message"]["ProcessEofInfo"] == {"ErrCode": "none", "New": {"Key": "**********"}}
    many = {"NotificationType": "ProcessEof", "TaskId": "t"} | {f"N{number}": number for number in range(25)}
    assert run("notification", "show", file(many)) == 0
    assert capsys.readouterr().out.endswith("  unknown field N19: 19\n  and 5 more\n")


def test_show_of_results(run: Run, file: Callable[..., str], capsys: Any) -> None:
    """What a live notification found is a line each, and an end tells its error."""
    spell = {"SegmentUrl": "https://b.example.com/0.mp4", "StartTimeOffset": 0, "EndTimeOffset": 4, "Title": "News"}
    result = {"ResultSet": [{"Type": "SegmentRecognition", "SegmentResultSet": [spell]}]}
    body = {"NotificationType": "AiAnalysisResult", "TaskId": "t", "AiAnalysisResultInfo": result}
    assert run("notification", "show", file(body)) == 0
    assert "    segment  0s-4s  https://b.example.com/0.mp4  News\n" in capsys.readouterr().out
    end = {"NotificationType": "ProcessEof", "TaskId": "t", "ProcessEofInfo": {"ErrCode": 4, "Message": "no stream"}}
    assert run("notification", "show", file(end)) == 0
    assert "the stream ended with error 4: no stream" in capsys.readouterr().out


@pytest.mark.parametrize(
    "content",
    [
        {"NotificationType": "Ai\x1b[2J", "TaskId": "t\r\x07\u202e", "SessionId": "\u4e00\u3000\u4e01"},
        {
            "EventName": "ReviewVideo",
            "JobsDetail": {"JobId": "\x1b]0;x\x07", "Url": "\u4e00\u3000\u4e01", "Label": "\x9b"},
        },
        {"code": 1, "message": "\x1b[2J\n", "data": {"event": "ReviewVideo", "url": "\u4e00\u3000\u4e01"}},
    ],
    ids=["live", "detail", "simple"],
)
def test_show_leaves_the_terminal_alone(run: Run, file: Callable[..., str], content: Any, capsys: Any) -> None:
    """Anybody can send a callback: what would control the terminal is shown as question marks, other scripts as is."""
    assert run("notification", "show", file(json.dumps(content))) == 0
    out = capsys.readouterr().out
    assert "?" in out
    assert "\u4e00\u3000\u4e01" in out
    assert not any(not sign.isprintable() and sign not in "\n\u3000" for sign in out)
