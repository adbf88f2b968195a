"""`drmkit job`: files that cannot be wrong, submitted once to the sandbox and followed to the end."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mpsworld import IV, JOB, actions, api, api_fault, load_oracle, runner
from scripted import Answer, ScriptedServer

from drmkit.cli.main import main
from drmkit.sandbox import Sandbox, SandboxOptions, Template

Run = Callable[..., int]
ROOT = Path(__file__).resolve().parents[2]
KEY = "0f" * 16
TASKS = "MediaProcessTask.AdaptiveDynamicStreamingTaskSet"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """The vendors, with a DASH template beside the HLS ones."""
    templates = {20: Template("MPEG-DASH", "mp4-byterange"), 30: Template(segment_type="ts-segment")}
    with Sandbox(SandboxOptions(templates=templates, encrypt=False)) as running:
        yield running


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder whose configuration, `sandbox.toml`, has the profile `sandbox`."""
    return tmp_path


@pytest.fixture
def run(sandbox: Sandbox, home: Path) -> Run:
    """Run a command line with the sandbox's profile."""
    return runner(sandbox, home)


@pytest.fixture
def offline(home: Path) -> Run:
    """Run a command line with an API key and no vendor."""
    key = {"TENCENTCLOUD_SECRET_ID": "AKIDtest", "TENCENTCLOUD_SECRET_KEY": "key"}

    def run(*arguments: str, **environ: str) -> int:
        return main(arguments, environ={"HOME": str(home), **key, **environ})

    return run


@pytest.fixture(scope="session")
def oracle() -> Any:
    """Tencent's machine-readable schema."""
    return load_oracle()


@pytest.fixture
def new(run: Run, home: Path, capsys: Any) -> Callable[..., Path]:
    """Write a job file with `job new`, with changed options."""

    def make(*more: str, name: str = "job.json", arguments: tuple[str, ...] = JOB) -> Path:
        capsys.readouterr()
        assert run(*arguments, *more) == 0
        path = home / name
        path.write_text(capsys.readouterr().out, encoding="utf-8")
        return path

    return make


def without(*names: str) -> tuple[str, ...]:
    """The usual options of `job new` without some."""
    items = list(JOB)
    for name in names:
        index = items.index(name)
        del items[index : index + 2]
    return tuple(items)


def submitted(sandbox: Sandbox) -> list[str]:
    """The outcomes of every ProcessMedia call."""
    return [event.outcome for event in sandbox.events("mps") if event.what == "ProcessMedia"]


def test_new_prints_a_job_file(offline: Run, capsys: Any) -> None:
    """The file is a ProcessMedia body under the API's names, with the key source instead of a ticket."""
    assert offline(*JOB, "--method", "cenc", "--preset", "preset1", "--priority", "5", "--session-context", "a") == 0
    body = json.loads(capsys.readouterr().out)
    (task,) = body["MediaProcessTask"]["AdaptiveDynamicStreamingTaskSet"]
    assert task["Definition"] == 12
    assert task["DrmInfo"] == {
        "Type": "widevine",
        "SpekeDrm": {
            "ResourceId": "movie-1",
            "KeyServerUrl": "drmtoday:sandbox",
            "Vector": IV,
            "EncryptionMethod": "cenc",
            "EncryptionPreset": "preset1",
        },
    }
    assert body["InputInfo"] == {"Type": "URL", "UrlInputInfo": {"Url": "https://media.example.com/movie.mp4"}}
    assert (body["OutputDir"], body["TasksPriority"], body["SessionContext"]) == ("/out/", 5, "a")


def test_new_as_toml_is_the_same_job(offline: Run, capsys: Any) -> None:
    """TOML and JSON hold the same fields."""
    assert offline(*JOB) == 0
    as_json = json.loads(capsys.readouterr().out)
    assert offline(*JOB, "--toml") == 0
    assert tomllib.loads(capsys.readouterr().out) == as_json


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("https://media.example.com/a.mp4", "URL"),
        ("cos://b-125/ap-singapore/in/a.mp4", "COS"),
        ("s3://bucket/us-east-1/in/a.mp4", "AWS-S3"),
        ("vod://1500000001/5285890784246869930", "VOD"),
    ],
)
def test_every_kind_of_input(offline: Run, place: str, kind: str, capsys: Any, oracle: Any) -> None:
    """Each kind of place makes an input that Tencent's schema accepts."""
    secrets = ("--s3-secret-id", "AKIA", "--s3-secret-key-file", "/run/none") if kind == "AWS-S3" else ()
    arguments = [place if item == "https://media.example.com/movie.mp4" else item for item in JOB]
    code = offline(*arguments, *secrets)
    out, err = capsys.readouterr()
    if secrets:
        assert code == 2
        assert "the secret's file '/run/none': No such file" in err
        return
    assert code == 0
    body = json.loads(out)
    assert body["InputInfo"]["Type"] == kind
    assert oracle.check("ProcessMediaRequest", body) == []


def test_s3_places_with_their_key(offline: Run, home: Path, capsys: Any) -> None:
    """The secret access key of S3 is named by its file, never written."""
    secret = home / "s3.key"
    secret.write_text("cAnArY", encoding="utf-8")
    given = ("--s3-secret-id", "AKIA", "--s3-secret-key-file", str(secret), "--notify-sqs", "us-east-1/done")
    places = ("--input", "s3://bucket/us-east-1/in/a.mp4", "--output", "s3://bucket/us-east-1/out/")
    assert offline(*without("--input", "--output"), *places, *given) == 0
    out, err = capsys.readouterr()
    assert "cAnArY" not in out
    body = json.loads(out)
    for place in (body["InputInfo"]["S3InputInfo"], body["OutputStorage"]["S3OutputStorage"]):
        assert place["S3SecretKey"] == f"file:{secret}"
    assert body["TaskNotifyConfig"]["AwsSQS"]["SQSQueueName"] == "done"
    assert "AWS-S3 inputs are documented for transcoding only" in err


def test_several_tasks(offline: Run, home: Path, capsys: Any) -> None:
    """Options stand once for all tasks that use them, or once for each, in order; IVs that are not given differ."""
    key = home / "key.hex"
    key.write_text(KEY + "\n", encoding="utf-8")
    kinds = ("--drm", "FairPlay", "--drm", "simpleaes", "--drm", "playready + widevine", "--drm", "none")
    numbers = [part for number in (10, 11, 12, 13) for part in ("--definition", str(number))]
    aes = ("--aes-uri", "https://keys.example.com/1", "--aes-key-file", str(key))
    methods = ("--method", "cbcs", "--method", "cenc")
    assert offline(*without("--drm", "--definition", "--iv"), *kinds, *numbers, *aes, *methods) == 0
    tasks = json.loads(capsys.readouterr().out)["MediaProcessTask"]["AdaptiveDynamicStreamingTaskSet"]
    assert [task["Definition"] for task in tasks] == [10, 11, 12, 13]
    infos = [task.get("DrmInfo", {}) for task in tasks]
    assert [info.get("Type") for info in infos] == ["fairplay", "simpleaes", "widevine+playready", None]
    assert [infos[n]["SpekeDrm"]["EncryptionMethod"] for n in (0, 2)] == ["cbcs", "cenc"]
    vectors = [infos[n]["SpekeDrm"]["Vector"] for n in (0, 2)]
    assert len({*vectors, IV}) == 3
    assert infos[1]["SimpleAesDrm"] == {"Uri": "https://keys.example.com/1", "Key": f"file:{key}"}


def test_notifications(offline: Run, home: Path, capsys: Any) -> None:
    """A URL makes the type URL, so that no message goes to a queue by mistake; the key is named by its file."""
    key = home / "notify.key"
    key.write_text("cAnArY", encoding="utf-8")
    url = ("--notify-url", "https://hooks.example.com/mps")
    assert offline(*JOB, *url, "--notify-key-file", str(key), "--notify-mode", "Finish") == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["TaskNotifyConfig"] == {
        "NotifyType": "URL",
        "NotifyMode": "Finish",
        "NotifyUrl": "https://hooks.example.com/mps",
        "NotifyKey": f"file:{key}",
    }
    assert "cAnArY" not in out + err
    assert offline(*JOB, "--notify-queue", "done", "--notify-region", "sh") == 0
    config = json.loads(capsys.readouterr().out)["TaskNotifyConfig"]
    assert config == {"NotifyType": "TDMQ-CMQ", "CmqModel": "Queue", "CmqRegion": "sh", "QueueName": "done"}


USAGE: dict[str, tuple[tuple[str, ...], str]] = {
    "unknown kind": ((*without("--drm"), "--drm", "widvine"), "'widvine' is no DRM type of MPS"),
    "no key source": (without("--key-source"), "--drm widevine needs --key-source"),
    "neither": (without("--key-source", "--resource-id"), "needs --resource-id and --key-source"),
    "no DRM": (without("--drm"), "--definition needs --drm"),
    "AES without key": ((*without("--drm"), "--drm", "simpleaes"), "does not go with --drm simpleaes"),
    "AES option": ((*JOB, "--aes-uri", "u"), "--aes-uri does not go with --drm widevine"),
    "too many": ((*JOB, "--method", "cenc", "--method", "cbcs"), "--method is given 2 times for 1 task"),
    "long IV": ((*without("--iv"), "--iv", "00" * 32), "32 hexadecimal characters"),
    "template": ((*without("--definition"), "--definition", "ten"), "'ten' is not a valid integer"),
    "input": ((*without("--input"), "--input", "ftp://x/y"), "names no input"),
    "input folder": ((*without("--input"), "--input", "cos://b-1/ap-x/dir/"), "names a folder"),
    "output": ((*without("--output"), "--output", "https://x/"), "names no output"),
    "no output": (without("--output"), "OutputStorage: is missing, and a URL has no bucket to inherit"),
    "method": ((*JOB, "--method", "cens"), "'cens' is no method; write cenc"),
    "preset": ((*JOB, "--preset", "preset 0"), "'preset 0' is no preset"),
    "resource": ((*without("--resource-id"), "--resource-id", "a b"), "ResourceId: 'a b' is not 1 to 128"),
    "source": ((*without("--key-source"), "--key-source", "prod"), "neither a URL nor a key source"),
    "ticket": (
        (*without("--key-source"), "--key-source", "https://fe.drmtoday.com/x?ticket=ST-1-cAnArY"),
        "holds a ticket, and job files hold none",
    ),
    "priority": ((*JOB, "--priority", "11"), "TasksPriority: 11 is out of range"),
    "session": ((*JOB, "--session-id", "s" * 51), "SessionId: has 51 characters"),
    "context": ((*JOB, "--session-context", "s" * 1001), "SessionContext: has 1001 characters"),
    "type": ((*JOB, "--task-type", "Later"), "TaskType: 'Later' is not known"),
    "manifest": ((*JOB, "--manifest", "a/{inputNme}.{format}"), "{inputNme} is no variable of MPS; write {inputName}"),
    "segments": ((*JOB, "--segments", "/abs_{segmentNumber}.{format}"), "is absolute"),
    "notify": ((*JOB, "--notify-type", "URL"), "NotifyUrl: is missing"),
    "notify mode": ((*JOB, "--notify-url", "https://x/y", "--notify-mode", "End"), "'End' is not known"),
    "key file": ((*JOB, "--notify-url", "https://x/y", "--notify-key-file", "/no"), "file '/no': No such file"),
}


@pytest.mark.parametrize("name", USAGE)
def test_new_refuses_what_contradicts_itself(offline: Run, name: str, capsys: Any) -> None:
    """Each wrong value is named with its fix, exit code 2, and nothing is printed; no ticket is repeated."""
    arguments, reason = USAGE[name]
    assert offline(*arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert reason in err
    assert "cAnArY" not in err


def test_a_ticket_can_be_wanted(run: Run, new: Callable[..., Path], capsys: Any) -> None:
    """With --reveal a URL is written with its ticket, and a warning says that it ends."""
    arguments = (*without("--key-source"), "--key-source", "https://fe.drmtoday.com/x?ticket=ST-1")
    path = new("--reveal", arguments=arguments)
    assert "?ticket=ST-1" in path.read_text(encoding="utf-8")
    assert run("job", "check", str(path)) == 0
    out, err = capsys.readouterr()
    assert "warning: MediaProcessTask" in out
    assert "holds a ticket, which ends by itself" in out
    assert err == f"{path}: 0 errors, 1 warning\n"


def test_check_names_every_contradiction(offline: Run, home: Path, capsys: Any) -> None:
    """All contradictions come at once, each with its path, its message and its fix, and the exit code is 1."""
    task = {
        "Definition": 12,
        "OutputObjectPath": "out/{inputName}",
        "DrmInfo": {
            "Type": "fairplay",
            "SpekeDrm": {"ResourceId": "a b", "KeyServerUrl": "prod", "Vector": "00" * 32, "EncryptionMethod": "cenc"},
        },
    }
    body = {
        "InputInfo": {"Type": "URL", "UrlInputInfo": {"Url": "https://m.example.com/a.mp4"}},
        "OutputDir": "out",
        "MediaProcessTask": {"AdaptiveDynamicStreamingTaskSet": [task]},
        "TaskNotifyConfig": {"NotifyUrl": "https://h.example.com/"},
        "TasksPriorty": 1,
    }
    path = home / "wrong.json"
    path.write_text(json.dumps(body), encoding="utf-8")
    assert offline("job", "check", str(path), "--format", "json") == 1
    out, err = capsys.readouterr()
    data = json.loads(out)
    assert (data["schema_version"], data["file"], data["valid"]) == (1, str(path), False)
    found = {item["path"]: item for item in data["findings"]}
    assert found["TasksPriorty"]["fix"] == "write TasksPriority instead"
    speke = f"{TASKS}[0].DrmInfo.SpekeDrm"
    assert set(found) == {
        "TasksPriorty",
        "OutputStorage",
        "OutputDir",
        "TaskNotifyConfig.NotifyType",
        f"{TASKS}[0].OutputObjectPath",
        f"{speke}.ResourceId",
        f"{speke}.KeyServerUrl",
        f"{speke}.Vector",
        f"{speke}.EncryptionMethod",
    }
    assert found["TaskNotifyConfig.NotifyType"]["severity"] == "warning"
    assert all(item["message"] and item["fix"] for item in found.values())
    assert "8 errors, 1 warning" in err
    assert offline("job", "check", str(path)) == 1
    text = capsys.readouterr().out
    assert f"error: {speke}.EncryptionMethod\n  cenc does not go with fairplay\n  fix: write cbcs" in text


@pytest.mark.parametrize(
    ("kind", "definition", "path", "reason"),
    [
        ("widevine", "20", None, ""),
        ("fairplay", "20", "DrmInfo.Type", "needs HLS, and template 20 makes MPEG-DASH"),
        ("widevine", "30", "DrmInfo.Type", "does not go with the segment type ts-segment of template 30"),
    ],
)
def test_check_against_the_templates(
    run: Run, new: Callable[..., Path], kind: str, definition: str, path: str | None, reason: str, capsys: Any
) -> None:
    """With --online the account's templates are asked for, and what contradicts them is found."""
    arguments = (*without("--drm", "--definition"), "--drm", kind, "--definition", definition)
    file = str(new(arguments=arguments))
    assert run("job", "check", file) == 0
    capsys.readouterr()
    assert run("job", "check", file, "--online", "--format", "json") == (1 if path else 0)
    found = json.loads(capsys.readouterr().out)["findings"]
    assert [item["path"] for item in found] == ([f"{TASKS}[0].{path}"] if path else [])
    assert all(reason in item["message"] for item in found)


def test_a_template_that_does_not_exist(run: Run, new: Callable[..., Path], capsys: Any) -> None:
    """A template that MPS does not list is an error with its path."""
    file = str(new())
    with ScriptedServer(lambda _: api({"TotalCount": 0, "AdaptiveDynamicStreamingTemplateSet": []})) as server:
        assert run("job", "check", file, "--online", "--endpoint", server.url) == 1
        assert actions(server.requests) == ["DescribeAdaptiveDynamicStreamingTemplates"]
    assert "there is no adaptive-bitrate template 12 at this account and endpoint" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "code", "reason"),
    [
        ("{", 2, "is no JSON: Expecting property name"),
        ("a =", 2, "is neither JSON nor TOML"),
        ("[]", 1, "is a list, not an object"),
        ("", 1, "is missing; ProcessMediaRequest requires it"),
        ("\ud800", 2, "is not UTF-8 text"),
        ('{"InputInfo": 1, "InputInfo": 2}', 2, "has the field InputInfo twice"),
    ],
)
def test_files_that_are_no_job(
    run: Run, home: Path, sandbox: Sandbox, content: str, code: int, reason: str, capsys: Any
) -> None:
    """What cannot be read is exit code 2, what is read and is no job 1; submitting either is 2 and sends nothing."""
    path = home / "job.json"
    path.write_bytes(content.encode("utf-8", "surrogatepass"))
    assert run("job", "check", str(path)) == code
    out, err = capsys.readouterr()
    assert reason in out + err
    for command in ("submit", "run"):
        assert run("job", command, str(path)) == 2
    assert run("job", "submit", str(home / "none.json")) == 2
    assert "No such file" in capsys.readouterr().err
    assert submitted(sandbox) == []


def test_check_reads_secret_files(run: Run, home: Path, new: Callable[..., Path], capsys: Any) -> None:
    """A key file that is missing, or holds no key, is a finding at the field that names it."""
    key = home / "key.hex"
    key.write_text(KEY, encoding="utf-8")
    aes = ("--drm", "simpleaes", "--aes-uri", "https://k.example.com/1", "--aes-key-file", str(key))
    arguments = (*without("--drm", "--resource-id", "--key-source"), *aes)
    file = new(arguments=arguments)
    assert run("job", "check", str(file)) == 0
    relative = home / "relative.json"
    relative.write_text(file.read_text(encoding="utf-8").replace(f"file:{key}", "file:key.hex"), encoding="utf-8")
    assert run("job", "check", str(relative)) == 0
    key.write_text("tooshort", encoding="utf-8")
    capsys.readouterr()
    assert run("job", "check", str(file)) == 1
    out = capsys.readouterr().out
    assert f"error: {TASKS}[0].DrmInfo.SimpleAesDrm.Key" in out
    assert "tooshort" not in out
    key.unlink()
    assert run("job", "check", str(file)) == 1
    assert "No such file" in capsys.readouterr().out


def test_a_job_from_standard_input(run: Run, new: Callable[..., Path], monkeypatch: Any) -> None:
    """`-` reads the job from standard input."""
    data = new().read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert run("job", "check", "-") == 0


def test_dry_run_prints_the_request(run: Run, new: Callable[..., Path], sandbox: Sandbox, capsys: Any) -> None:
    """The dry run has exactly the five keys of its contract, mints no ticket and sends nothing."""
    file = str(new())
    assert run("job", "submit", file, "--dry-run", "--format", "json") == 0
    data = json.loads(capsys.readouterr().out)
    assert list(data) == ["schema_version", "action", "version", "endpoint", "body"]
    assert (data["schema_version"], data["action"], data["version"]) == (1, "ProcessMedia", "2019-06-12")
    assert data["endpoint"] == sandbox.url
    (task,) = data["body"]["MediaProcessTask"]["AdaptiveDynamicStreamingTaskSet"]
    assert task["DrmInfo"]["SpekeDrm"]["KeyServerUrl"] == "drmtoday:sandbox"
    assert len(data["body"]["SessionId"]) <= 50
    assert run("job", "run", file, "--dry-run") == 0
    assert f"would send ProcessMedia to {sandbox.url}:" in capsys.readouterr().out
    assert sandbox.events() == ()


def test_dry_run_of_secrets(run: Run, home: Path, new: Callable[..., Path], oracle: Any, capsys: Any) -> None:
    """Secrets are masked, and whole with --reveal; the body is one that Tencent's schema accepts."""
    key = home / "key.hex"
    key.write_text(KEY, encoding="utf-8")
    url = "https://fe.drmtoday.com/x?ticket=cAnArY"
    kinds = ("--drm", "Fairplay+Widevine", "--drm", "simpleaes")
    aes = ("--aes-uri", "https://k.example.com/1", "--aes-key-file", str(key), "--definition", "13")
    arguments = (*without("--drm", "--key-source"), *kinds, *aes, "--key-source", url, "--reveal")
    file = str(new(arguments=arguments))
    assert run("job", "submit", file, "--dry-run", "--format", "json") == 0
    out, err = capsys.readouterr()
    assert "cAnArY" not in out + err
    assert KEY not in out
    assert run("job", "submit", file, "--dry-run", "--format", "json", "--reveal") == 0
    body = json.loads(capsys.readouterr().out)["body"]
    first, second = body["MediaProcessTask"]["AdaptiveDynamicStreamingTaskSet"]
    assert first["DrmInfo"]["Type"] == "widevine+fairplay"
    assert first["DrmInfo"]["SpekeDrm"]["KeyServerUrl"] == url
    assert second["DrmInfo"]["SimpleAesDrm"]["Key"] == KEY
    assert oracle.check("ProcessMediaRequest", body) == []


def test_submit_prints_the_task_id(run: Run, new: Callable[..., Path], sandbox: Sandbox, capsys: Any) -> None:
    """The task ID is on standard output alone; the JSON tells the SessionId and how many tickets were minted."""
    assert run("job", "submit", str(new())) == 0
    out, err = capsys.readouterr()
    assert "-WorkflowTask-" in out
    assert len(out.split()) == 1
    assert f"drmkit task wait {out.strip()}" in err
    assert run("job", "submit", str(new("--session-context", "other")), "--format", "json") == 0
    data = json.loads(capsys.readouterr().out)
    assert list(data) == ["schema_version", "task_id", "session_id", "minted", "endpoint"]
    assert (data["minted"], data["endpoint"]) == (1, sandbox.url)


def test_one_login_for_all_tickets(run: Run, new: Callable[..., Path], sandbox: Sandbox, home: Path) -> None:
    """An account logs in once a run, whatever profiles name it and however many tickets it gives."""
    config = home / "sandbox.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text + text.replace("profile.sandbox", "profile.second"), encoding="utf-8")
    kinds = ("--drm", "widevine", "--drm", "fairplay", "--drm", "playready")
    numbers = [part for number in (10, 11, 12) for part in ("--definition", str(number))]
    sources = [part for name in ("sandbox", "second", "sandbox") for part in ("--key-source", f"drmtoday:{name}")]
    file = new(
        arguments=(
            "--profile",
            "sandbox",
            *without("--drm", "--definition", "--key-source"),
            *kinds,
            *numbers,
            *sources,
        )
    )
    assert run("--profile", "sandbox", "job", "submit", str(file)) == 0
    outcomes = [event.what for event in sandbox.events("cas")]
    assert len(outcomes) == 4, "one login and three tickets"


def test_the_same_job_twice(run: Run, new: Callable[..., Path], sandbox: Sandbox, capsys: Any) -> None:
    """A repetition is refused with the task of the first; another attempt is another SessionId."""
    file = str(new())
    assert run("job", "submit", file) == 0
    first = capsys.readouterr().out.strip()
    assert run("job", "submit", file) == 2
    err = capsys.readouterr().err
    assert "InvalidParameterValue.SessionId" in err
    assert f"its task is {first}" in err
    assert run("job", "submit", file, "--attempt", "1") == 0
    assert submitted(sandbox).count("ok") == 2


def test_run_follows_to_the_end(run: Run, new: Callable[..., Path], capsys: Any) -> None:
    """`run` prints the verdict with every subtask; no progress where there is no terminal."""
    assert run("job", "run", str(new()), "--format", "json") == 0
    out, err = capsys.readouterr()
    data = json.loads(out)
    assert (data["state"], data["repeated"]) == ("succeeded", "")
    assert data["subtasks"][0]["drm"] == "widevine"
    assert data["submissions"][0]["task_id"] == data["task_id"]
    assert err == f"submitted to {json.loads(out)['submissions'] and err.split()[2]} task {data['task_id']}\n"
    assert run("job", "run", str(new("--session-context", "other"))) == 0
    out = capsys.readouterr().out
    assert out.startswith("succeeded  ")
    assert "AdaptiveDynamicStreamingTask  template 12  widevine" in out


def test_run_says_that_it_tried_again(run: Run, new: Callable[..., Path], sandbox: Sandbox, capsys: Any) -> None:
    """A ticket that ended in the queue leads to a second submission with a new ticket, and both are told."""
    sandbox.faults.switch_on("cas-early-expiry:1")
    assert run("job", "run", str(new()), "--format", "json") == 0
    out, err = capsys.readouterr()
    data = json.loads(out)
    assert (data["state"], len(data["submissions"])) == ("succeeded", 2)
    assert "failed as it does when a ticket has ended" in data["repeated"]
    assert "submitting the failed tasks once more with new tickets" in err
    assert "submitted twice:" in err
    assert "ticket=" not in out + err


def test_run_of_a_job_that_fails(run: Run, new: Callable[..., Path], sandbox: Sandbox, capsys: Any) -> None:
    """A failed subtask is exit code 1, with its code in the JSON and the reason on standard error."""
    sandbox.faults.switch_on("mps-task-fails")
    assert run("job", "run", str(new()), "--format", "json") == 1
    out, err = capsys.readouterr()
    data = json.loads(out)
    assert (data["state"], data["subtasks"][0]["code"]) == ("failed", "InternalError")
    assert "1 of 1 subtasks failed" in err


def test_run_past_its_deadline(run: Run, new: Callable[..., Path], sandbox: Sandbox, capsys: Any) -> None:
    """At the deadline the task goes on, exit code 75, and its ID is told."""
    sandbox.faults.switch_on("mps-task-stuck")
    assert run("job", "run", str(new()), "--deadline", "0.1s") == 75
    err = capsys.readouterr().err
    assert "has not ended within 0.1 seconds (it is waiting)" in err
    assert "(task 1300000000-WorkflowTask-" in err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_who_stops_waiting_is_told_the_task(
    run: Run, new: Callable[..., Path], sandbox: Sandbox, home: Path, number: signal.Signals, code: int
) -> None:
    """Ctrl-C and SIGTERM end the wait with the task's ID and the word that it goes on, and it does."""
    sandbox.faults.switch_on("mps-task-stuck")
    process = subprocess.Popen(
        [sys.executable, "-m", "drmkit", "job", "run", str(new())],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DRMKIT_CONFIG": str(home / "sandbox.toml")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    task_id = process.stderr.readline().split()[-1]
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (code, "")
    assert f"task {task_id} goes on; `drmkit task wait {task_id}` follows it" in err
    assert run("task", "show", task_id) == 0


def test_progress_on_a_terminal(new: Callable[..., Path], home: Path, sandbox: Sandbox) -> None:
    """On a terminal one line is written anew and cleared at the end."""
    script = ["script", "-qec", f"{sys.executable} -m drmkit job run {new()}", "/dev/null"]
    del sandbox
    done = subprocess.run(
        script,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DRMKIT_CONFIG": str(home / "sandbox.toml")},
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert b"\r\x1b[K1300000000-WorkflowTask-" in done.stdout
    assert b"0:00:0" in done.stdout
    assert b"\r\x1b[Ksucceeded  1300000000-WorkflowTask-" in done.stdout


BAD_ANSWERS: dict[str, tuple[Answer, int, str, str]] = {
    "wrong key": (api_fault("AuthFailure.SignatureFailure"), 3, "AuthFailure.SignatureFailure", "check the secret key"),
    "unknown key": (api_fault("AuthFailure.SecretIdNotFound"), 3, "SecretIdNotFound", "check the secret ID"),
    "ended token": (api_fault("AuthFailure.TokenFailure"), 3, "TokenFailure", "temporary credentials have ended"),
    "no permission": (api_fault("UnauthorizedOperation"), 3, "UnauthorizedOperation", "CAM"),
    "arrears": (api_fault("FailedOperation.UserArrears"), 3, "UserArrears", "settle the account's bill"),
    "not activated": (api_fault("FailedOperation.InvalidMpsUser"), 3, "InvalidMpsUser", "activate Media Processing"),
    "no template": (api_fault("ResourceNotFound.TemplateNotExist"), 2, "TemplateNotExist", "check Definition"),
    "wrong template": (api_fault("InvalidParameterValue.Definition"), 2, "Definition", "check Definition"),
    "unknown field": (api_fault("UnknownParameter", "`Foo`"), 2, "UnknownParameter: `Foo`", ""),
    "too fast": (api_fault("RequestLimitExceeded"), 69, "RequestLimitExceeded", "submit more slowly"),
    "too many tasks": (api_fault("LimitExceeded.CreateTask"), 69, "LimitExceeded.CreateTask", "earlier tasks"),
    "internal": (api_fault("InternalError"), 69, "InternalError", "submitting it again is safe"),
    "strange error": (api_fault("Some.NewCode"), 69, "Some.NewCode", ""),
    "HTML": (Answer(body=b"<html>sign in", headers={"Content-Type": "text/html"}), 69, "a web page", "captive portal"),
    "502": (Answer(502, b"<html>Bad Gateway"), 69, "HTTP 502", "submitting it again is safe"),
    "no JSON": (Answer(body=b"OK"), 69, "something that is no answer of MPS", "check the endpoint"),
    "no Response": (Answer(body=b'{"TaskId": "1"}'), 69, "no answer of MPS", "check the endpoint"),
    "no task": (api({}), 69, "answered without a TaskId", "DescribeTasks"),
    "no HTTP": (Answer(raw=b"SSH-2.0-x\r\n\r\n"), 69, "the connection broke", ""),
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
def test_bad_answers(offline: Run, home: Path, name: str, capsys: Any) -> None:
    """Each refusal of the API, and each answer that is none, names its cause and the next step with its exit code."""
    config = home / "c.toml"
    config.write_text("[profile.p]\nattempts = 1\n", encoding="utf-8")
    assert offline(*without("--key-source"), "--key-source", "https://fe.example.com/cpix/v1/x") == 0
    file = home / "job.json"
    file.write_text(capsys.readouterr().out, encoding="utf-8")
    answer, code, cause, step = BAD_ANSWERS[name]
    with ScriptedServer(lambda _: answer) as server:
        given = ("--endpoint", server.url)
        assert offline("--config", str(config), "job", "submit", str(file), *given) == code
        assert actions(server.requests) == ["ProcessMedia"]
    out, err = capsys.readouterr()
    assert out == ""
    assert cause in err
    assert step in err
    assert "ticket=" not in err


SETTINGS: dict[str, tuple[tuple[str, ...], dict[str, str], int, str]] = {
    "no such region": (("--region", "ap-singapoor"), {}, 3, "MPS has no region 'ap-singapoor'"),
    "region of the environment": ((), {"TENCENTCLOUD_REGION": "mars"}, 3, "MPS has no region 'mars'"),
    "plain http": (("--endpoint", "http://mps.example.com"), {}, 3, "plain http"),
    "endpoint with a path": (("--endpoint", "https://mps.example.com/x"), {}, 3, "has a path"),
    "no timeout": (("--timeout", "soon"), {}, 3, "timeout must be a length of time"),
    "key with a blank": ((), {"TENCENTCLOUD_SECRET_KEY": "a b"}, 3, "secret key"),
    "no such profile": (("--key-source", "drmtoday:sandbxo"), {}, 3, "no profile 'sandbxo' (for the key source"),
    "no such key source": (("--key-source", "ezdrm:me"), {}, 3, "there is no key source 'ezdrm:me'"),
    "wrong password": ((), {"DRMTODAY_PASSWORD": "cAnArY"}, 3, "rejected the user name or password"),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_bad_settings(run: Run, new: Callable[..., Path], sandbox: Sandbox, name: str, capsys: Any) -> None:
    """A wrong setting is told with exit code 3, and no job is submitted."""
    options, environ, code, reason = SETTINGS[name]
    if "--key-source" in options:
        file, options = new(arguments=(*without("--key-source"), *options)), ()
    else:
        file = new()
    assert run("job", "submit", str(file), *options, **environ) == code
    err = capsys.readouterr().err
    assert reason in err
    assert "cAnArY" not in err
    assert submitted(sandbox) == []


def test_where_mps_is(run: Run, new: Callable[..., Path], capsys: Any, home: Path) -> None:
    """The sites have names; options win over the environment, and that over the profile; without any: mainland."""
    file = str(new())

    def endpoint(*options: str, **environ: str) -> str:
        assert run("job", "submit", file, "--dry-run", "--format", "json", *options, **environ) == 0
        found: str = json.loads(capsys.readouterr().out)["endpoint"]
        return found

    assert endpoint("--endpoint", "international") == "https://mps.intl.tencentcloudapi.com"
    assert endpoint("--endpoint", "mainland", DRMKIT_MPS_ENDPOINT="international") == "https://mps.tencentcloudapi.com"
    assert endpoint(DRMKIT_MPS_ENDPOINT="mps.ap-tokyo.tencentcloudapi.com").endswith("mps.ap-tokyo.tencentcloudapi.com")
    empty = home / "empty.toml"
    empty.write_text("[profile.p]\n", encoding="utf-8")
    assert endpoint(DRMKIT_CONFIG=str(empty)) == "https://mps.tencentcloudapi.com"
    tccli = home / ".tccli"
    tccli.mkdir()
    (tccli / "default.credential").write_text('{"secretId": "AKID", "secretKey": "k"}', encoding="utf-8")
    (tccli / "default.configure").write_text('{"mps": {"endpoint": "mps.intl.tencentcloudapi.com"}}', encoding="utf-8")
    assert endpoint(DRMKIT_CONFIG=str(empty)) == "https://mps.intl.tencentcloudapi.com"


def test_the_key_of_the_chain(run: Run, new: Callable[..., Path], sandbox: Sandbox, home: Path, capsys: Any) -> None:
    """Without a key in the profile the chain of Tencent Cloud's tools is used; a region that MPS lacks is left out."""
    file = str(new())
    config = home / "sandbox.toml"
    lines = config.read_text(encoding="utf-8").splitlines()
    config.write_text("\n".join(line for line in lines if not line.startswith("secret_")), encoding="utf-8")
    known = sandbox.credentials
    tccli = home / ".tccli"
    tccli.mkdir()
    key = {"secretId": known.secret_id, "secretKey": known.secret_key.reveal()}
    (tccli / "default.credential").write_text(json.dumps(key), encoding="utf-8")
    (tccli / "default.configure").write_text('{"_sys_param": {"region": "ap-mumbai"}}', encoding="utf-8")
    assert run("job", "submit", file) == 0
    capsys.readouterr()


def test_a_token_of_another_key_is_left_out(run: Run, new: Callable[..., Path], sandbox: Sandbox) -> None:
    """A session token of the environment does not belong to the profile's key; with the environment's key it does."""
    known = sandbox.credentials
    assert run("job", "submit", str(new()), TENCENTCLOUD_TOKEN="other") == 0
    key = {"TENCENTCLOUD_SECRET_ID": known.secret_id, "TENCENTCLOUD_SECRET_KEY": known.secret_key.reveal()}
    assert run("job", "submit", str(new("--session-context", "b")), TENCENTCLOUD_TOKEN="other", **key) == 3
    assert submitted(sandbox) == ["ok", "AuthFailure.TokenFailure"]


def test_the_account_of_the_environment(
    run: Run, new: Callable[..., Path], sandbox: Sandbox, home: Path, capsys: Any
) -> None:
    """`drmtoday:environment` is the account that the environment describes, without any file."""
    arguments = (*without("--key-source"), "--key-source", "drmtoday:environment")
    file = str(new(arguments=arguments))
    assert main(["job", "run", file], environ={"HOME": str(home / "nobody"), **sandbox.environment()}) == 0
    assert capsys.readouterr().out.startswith("succeeded")


def test_a_lost_answer_makes_one_task(run: Run, new: Callable[..., Path], sandbox: Sandbox, capsys: Any) -> None:
    """When the server drops its answer after accepting, the one task is found again and no second one is made."""
    sandbox.faults.switch_on("mps-answer-lost:1")
    assert run("job", "submit", str(new())) == 0
    task_id = capsys.readouterr().out.strip()
    assert run("task", "list", "--format", "json") == 0
    assert [item["task_id"] for item in json.loads(capsys.readouterr().out)["tasks"]] == [task_id]


def test_nothing_is_repeated_after_a_refusal(run: Run, new: Callable[..., Path], capsys: Any) -> None:
    """A refusal of the job itself is sent once."""
    with ScriptedServer(lambda _: api_fault("InvalidParameterValue.SrcFile")) as server:
        assert run("job", "submit", str(new()), "--endpoint", server.url) == 2
        assert actions(server.requests) == ["ProcessMedia"]
    assert "InvalidParameterValue.SrcFile" in capsys.readouterr().err
