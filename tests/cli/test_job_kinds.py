"""`drmkit job` for jobs of every kind: made, checked, submitted to the sandbox, followed, and their callbacks shown."""

from __future__ import annotations

import json
import threading
import tomllib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from mpsworld import load_oracle, runner

from drmkit.cli.main import main
from drmkit.mps.notification import parse
from drmkit.sandbox import Sandbox, SandboxOptions

Run = Callable[..., int]
PLACES = (
    *("--input", "cos://source-1250000000/ap-singapore/in/movie.mp4"),
    *("--output", "cos://target-1250000000/ap-singapore/out/"),
)
LIVE = ("--live", "rtmp://live.example.com/app/stream", "--output", "cos://target-1250000000/ap-singapore/out/")
VOD = ("--vod", "221157/966263619095884274")
DRM = ("--drm", "widevine", "--definition", "12", "--resource-id", "m", "--key-source", "drmtoday:sandbox")
BURN = ("--transcode", "100040", "--burn-in", "https://b.example.com/a.vtt", "--style", "fontsize=10px")


class Receiver:
    """A server on loopback that keeps the callbacks that it gets."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self._arrived = threading.Condition()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                self.send_response(200)
                self.end_headers()
                with outer._arrived:
                    outer.bodies.append(json.loads(body))
                    outer._arrived.notify_all()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/callback"
        self._thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self._thread.start()

    def wait_for(self, count: int) -> list[dict[str, Any]]:
        """Return the callbacks once there are so many."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.bodies) >= count, timeout=20), self.bodies
            return list(self.bodies)

    def close(self) -> None:
        """Stop the server."""
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver of callbacks."""
    running = Receiver()
    yield running
    running.close()


@pytest.fixture
def sandbox(receiver: Receiver) -> Iterator[Sandbox]:
    """The vendors; VOD reports to the receiver."""
    with Sandbox(SandboxOptions(vod_notify_url=receiver.url, encrypt=False)) as running:
        yield running


@pytest.fixture
def run(sandbox: Sandbox, tmp_path: Path) -> Run:
    """Run a command line with the sandbox's profile."""
    return runner(sandbox, tmp_path)


@pytest.fixture
def offline(tmp_path: Path) -> Run:
    """Run a command line with an API key and no vendor."""
    key = {"TENCENTCLOUD_SECRET_ID": "AKIDtest", "TENCENTCLOUD_SECRET_KEY": "key"}
    return lambda *arguments: main(arguments, environ={"HOME": str(tmp_path), **key})


@pytest.fixture(scope="session")
def oracle() -> Any:
    """Tencent's machine-readable schema."""
    return load_oracle()


@pytest.fixture
def new(offline: Run, tmp_path: Path, capsys: Any) -> Callable[..., Path]:
    """Write a job file with `job new`."""

    def make(*arguments: str) -> Path:
        assert offline("job", "new", *arguments) == 0, capsys.readouterr().err
        path = tmp_path / "job.json"
        path.write_text(capsys.readouterr().out, encoding="utf-8")
        return path

    return make


OFFLINE_JOBS: dict[str, tuple[tuple[str, ...], list[str]]] = {
    "summary": (("--analysis", "summary", "--set", "split.method=llm"), ["summary", "paragraph"]),
    "highlights": (("--analysis", "highlights", "--set", "force_cls=football"), ["highlights", "highlight"]),
    "erase": (("--analysis", "erase", "--set", "CustomerAppId=facial_blur"), ["erased video"]),
    "splitting": (("--analysis", "splitting", "--set", "type=content"), ["segment"]),
    "vertical": (("--analysis", "vertical", "--set", "Ratio=9:16"), ["vertical video"]),
    "labels": (("--analysis", "labels"), ["category", "cover", "tag"]),
    "subtitles": (("--subtitles", "zh-en"), ["subtitles", "text"]),
    "burning in": (BURN, ["video"]),
    "recognition": (("--recognition", "10"), ["text"]),
    "moderation": (("--moderation", "10"), ["moderation"]),
    "quality": (("--quality", "all"), ["quality score", "quality issue", "format issue"]),
    "smart erase": (("--smart-erase", "301"), ["erased video"]),
    "orchestration": (("--schedule", "12345"), ["video"]),
    "DRM and analysis": ((*DRM, "--analysis", "highlights"), ["video", "highlights"]),
}
LIVE_JOBS: dict[str, tuple[tuple[str, ...], str]] = {
    "summary": (("--analysis", "summary"), "AiAnalysisResult"),
    "highlights": (("--analysis", "highlights", "--set", "top_clip=10"), "AiAnalysisResult"),
    "splitting": (("--analysis", "splitting"), "AiAnalysisResult"),
    "subtitles by recognition": (("--subtitles", "10101"), "AiRecognitionResult"),
    "smart subtitles": (("--subtitles", "zh-en"), "AiSmartSubtitleResult"),
    "recognition": (("--recognition", "10"), "AiRecognitionResult"),
    "moderation": (("--moderation", "10"), "AiReviewResult"),
    "quality": (("--quality", "picture"), "AiQualityControlResult"),
    "recording": (("--schedule", "20858"), "LiveRecordResult"),
}
VOD_JOBS: dict[str, tuple[tuple[str, ...], list[str]]] = {
    "as text": (("--analysis", "highlights", "--transcode", "100040"), ["highlights", "file"]),
    "structured": (("--analysis", "erase", "--structured"), ["erased video", "file"]),
    "subtitles": (("--subtitles", "zh-en", "--structured"), ["subtitles"]),
    "smart erase": (("--smart-erase", "301", "--structured"), ["file"]),
}


def shown(run: Run, capsys: Any, *arguments: str) -> Any:
    """What a command prints as JSON."""
    capsys.readouterr()
    assert run(*arguments, "--format", "json") == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("name", OFFLINE_JOBS)
def test_jobs_over_files(
    name: str, run: Run, new: Callable[..., Path], receiver: Receiver, oracle: Any, capsys: Any
) -> None:
    """Each kind of task: made, checked, sent as the schema has it, followed to its end, and told by a callback."""
    options, kinds = OFFLINE_JOBS[name]
    path = str(new(*options, *PLACES, "--notify-url", receiver.url))
    assert shown(run, capsys, "job", "check", path)["findings"] == []
    body = shown(run, capsys, "job", "submit", path, "--dry-run")["body"]
    assert oracle.check("ProcessMediaRequest", body) == []
    ended = shown(run, capsys, "job", "run", path)
    assert ended["state"] == "succeeded"
    task = shown(run, capsys, "task", "show", ended["task_id"])
    assert set(kinds) <= {item["kind"] for item in task["results"]}
    (callback,) = receiver.wait_for(1)
    found = parse(json.dumps(callback).encode())
    event = "ScheduleTask" if name == "orchestration" else "WorkflowTask"
    assert (found.event, found.task_id, found.claim.state) == (event, ended["task_id"], "succeeded")
    assert f"-{event}-" in ended["task_id"]
    assert set(kinds) <= {item.kind for item in found.results}


@pytest.mark.parametrize("name", LIVE_JOBS)
def test_live_jobs(name: str, run: Run, new: Callable[..., Path], receiver: Receiver, oracle: Any, capsys: Any) -> None:
    """Each kind of live task: made, checked, submitted, ended, and told by its kind of notification, then the end."""
    options, kind = LIVE_JOBS[name]
    path = str(new(*LIVE, *options, "--notify-url", receiver.url))
    assert shown(run, capsys, "job", "check", path)["findings"] == []
    sent = shown(run, capsys, "job", "submit", path, "--dry-run")
    assert (sent["action"], oracle.check("ProcessLiveStreamRequest", sent["body"])) == ("ProcessLiveStream", [])
    ended = shown(run, capsys, "job", "run", path)
    assert (ended["state"], ended["subtasks"]) == ("succeeded", [])
    messages = receiver.wait_for(2)
    assert [item["NotificationType"] for item in messages] == [kind, "ProcessEof"]
    assert all(item["TaskId"] == ended["task_id"] for item in messages)
    for item in messages:
        assert oracle.check("ParseLiveStreamProcessNotificationResponse", item) == []
    assert parse(json.dumps(messages[0]).encode()).results


@pytest.mark.parametrize("name", VOD_JOBS)
def test_jobs_through_vod(name: str, run: Run, new: Callable[..., Path], receiver: Receiver, capsys: Any) -> None:
    """Both forms of ProcessMediaByMPS: submitted to VOD, followed by its DescribeTaskDetail, told by its event."""
    options, kinds = VOD_JOBS[name]
    path = str(new(*VOD, *options))
    assert shown(run, capsys, "job", "check", path)["findings"] == []
    sent = shown(run, capsys, "job", "submit", path, "--dry-run")
    assert (sent["action"], sent["version"]) == ("ProcessMediaByMPS", "2018-07-17")
    assert ("MPSProcessMediaParams" in sent["body"]) is ("--structured" not in options)
    ended = shown(run, capsys, "job", "run", path)
    assert ended["state"] == "succeeded"
    assert ended["task_id"].startswith("221157-ProcessMediaByMPS-")
    task = shown(run, capsys, "task", "show", ended["task_id"])
    assert set(kinds) <= {item["kind"] for item in task["results"]}
    assert shown(run, capsys, "task", "wait", ended["task_id"])["state"] == "succeeded"
    (event,) = receiver.wait_for(1)
    found = parse(json.dumps(event).encode())
    assert (found.event, found.task_id, found.known) == ("ProcessMediaByMPSComplete", ended["task_id"], True)


def test_a_live_job_is_submitted_once(run: Run, new: Callable[..., Path], receiver: Receiver, capsys: Any) -> None:
    """The same live job is refused a second time, its task named; --attempt submits it again."""
    path = str(new(*LIVE, "--quality", "all", "--notify-url", receiver.url))
    first = shown(run, capsys, "job", "submit", path)["task_id"]
    assert run("job", "submit", path) != 0
    assert f"its task is {first}" in capsys.readouterr().err
    assert run("job", "submit", path, "--attempt", "1") == 0


def test_a_lost_answer_about_a_live_job(
    sandbox: Sandbox, run: Run, new: Callable[..., Path], receiver: Receiver, capsys: Any
) -> None:
    """Where the answer is lost after the job was accepted, its task is found, and there is one alone."""
    path = str(new(*LIVE, "--quality", "all", "--notify-url", receiver.url))
    sandbox.faults.switch_on("mps-answer-lost:1")
    task_id = shown(run, capsys, "job", "submit", path)["task_id"]
    listed = shown(run, capsys, "task", "list")["tasks"]
    assert [item["task_id"] for item in listed] == [task_id]


def test_attempts_are_not_vod_s(run: Run, new: Callable[..., Path], capsys: Any) -> None:
    """VOD has no SessionId, so --attempt is refused, and so is aborting."""
    path = str(new(*VOD, "--analysis", "summary"))
    assert run("job", "submit", path, "--attempt", "1") == 2
    assert "VOD documents none" in capsys.readouterr().err
    assert run("task", "abort", "221157-ProcessMediaByMPS-x") == 2
    assert "VOD's" in capsys.readouterr().err


def test_drm_and_analysis_in_one_toml(offline: Run, capsys: Any) -> None:
    """A DRM task and an analysis task stand in one file, the ExtendedParameter as text."""
    options = (*DRM, "--iv", "00" * 16, "--analysis", "highlights", "--set", "top_clip=3", *PLACES, "--toml")
    assert offline("job", "new", *options) == 0
    body = tomllib.loads(capsys.readouterr().out)
    assert body["MediaProcessTask"]["AdaptiveDynamicStreamingTaskSet"][0]["DrmInfo"]["Type"] == "widevine"
    assert json.loads(body["AiAnalysisTask"]["ExtendedParameter"]) == {"hht": {"top_clip": 3}}


def test_an_extended_parameter_from_a_file(offline: Run, tmp_path: Path, capsys: Any) -> None:
    """--extended takes a whole ExtendedParameter, arranged keys included; a file that is none is refused."""
    path = tmp_path / "p.json"
    path.write_text('{"htv":{"AlgorithmType":2}}', encoding="utf-8")
    assert offline("job", "new", "--analysis", "vertical", "--extended", str(path), *PLACES) == 0
    assert '{\\"htv\\":{\\"AlgorithmType\\":2}}' in capsys.readouterr().out
    path.write_text('{"htv":{"Ratio":"9:16"},"arranged":{"with":"them"}}', encoding="utf-8")
    assert offline("job", "new", "--analysis", "vertical", "--extended", str(path), *PLACES) == 0
    out, err = capsys.readouterr()
    assert r"\"arranged\":{\"with\":\"them\"}" in out
    assert "the tutorials have no key arranged here" in err
    path.write_text('{"htv":{"Rati":"9:16"}}', encoding="utf-8")
    assert offline("job", "new", "--analysis", "vertical", "--extended", str(path), *PLACES) == 2
    assert "write Ratio instead" in capsys.readouterr().err
    path.write_text("[", encoding="utf-8")
    assert offline("job", "new", "--analysis", "vertical", "--extended", str(path), *PLACES) == 2
    assert offline("job", "new", "--analysis", "vertical", "--extended", str(tmp_path / "no"), *PLACES) == 2
    assert "No such file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "name one of --input, --live and --vod"),
        ((*PLACES, *LIVE[:2], "--quality", "all"), "not several"),
        (PLACES, "the job has no task"),
        ((*PLACES, "--analysis", "highlight"), "there is no analysis 'highlight'"),
        ((*PLACES, "--analysis", "highlights", "--set", "threshold=2"), "2 is out of range"),
        ((*PLACES, "--analysis", "highlights", "--set", "top_clip"), "is not KEY=VALUE"),
        ((*PLACES, "--analysis", "highlights", "--set", "a=1", "--set", "a=2"), "--set a is given twice"),
        ((*PLACES, "--analysis", "summary", "--analysis", "highlights"), "a job has one analysis task"),
        ((*PLACES, "--set", "top_clip=1"), "--set needs --analysis"),
        ((*PLACES, "--quality", "some"), "there is no quality inspection 'some'"),
        ((*PLACES, "--subtitles", "fr-fr"), "there is no subtitle template 'fr-fr'"),
        ((*PLACES, "--burn-in", "https://x/a.vtt"), "--burn-in needs --transcode"),
        ((*PLACES, "--transcode", "1", "--style", "FontSize=1px"), "--style needs --burn-in"),
        ((*PLACES, *BURN, "--style", "FontAlpha=x"), "FontAlpha is 'x', not a number"),
        ((*PLACES, *BURN, "--style", "Fnt=x"), "subtitles have no style 'Fnt'"),
        ((*PLACES, "--structured", "--analysis", "summary"), "--structured goes with --vod"),
        ((*LIVE, *DRM), "--drm does not go with --live"),
        ((*LIVE, "--transcode", "1"), "--transcode does not go with --live"),
        ((*LIVE, "--analysis", "erase"), "is documented for files only"),
        ((*LIVE, "--analysis", "splitting", "--set", "type=object", "--set", "objects=a"), "are not split by targets"),
        ((*LIVE, "--subtitles", "10101", "--recognition", "10"), "--recognition cannot be given too"),
        (("--live", "stream", "--quality", "all"), "is not a whole URL"),
        (("--vod", "file", "--analysis", "summary"), "--vod is SUBAPPID/FILEID"),
        ((*VOD, "--analysis", "summary", "--notify-url", "https://x/"), "--notify-url does not go with --vod"),
        ((*VOD, "--quality", "all", "--structured"), "AiQualityControlTask cannot be a structured task"),
        ((*VOD,), "the job has no task"),
    ],
)
def test_new_refuses_what_does_not_go_together(options: Any, message: str, offline: Run, capsys: Any) -> None:
    """Each wrong option is named with its reason, exit code 2, and nothing is printed."""
    assert offline("job", "new", *options) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err


def test_new_warns_of_a_silent_live_job(offline: Run, capsys: Any) -> None:
    """A live job that reports nothing is printed with a warning; DRM through VOD is said to be undocumented."""
    assert offline("job", "new", *LIVE, "--quality", "all") == 0
    assert "the default of live streams is no notification" in capsys.readouterr().err
    assert offline("job", "new", *VOD, *DRM) == 0
    assert "DRM through ProcessMediaByMPS is undocumented" in capsys.readouterr().err


def test_filename(offline: Run, capsys: Any) -> None:
    """The table of variables, a name that is rendered, one that lacks values, and one that is wrong."""
    assert offline("job", "filename") == 0
    out = capsys.readouterr().out
    assert "inputName        file       the name of the input file" in out
    assert "streamId              live" in out
    named = ("job", "filename", "{inputName}_{definition}.{format}", "--input", "/in/AnimalWorldE01.mp4")
    assert offline(*named, "--value", "definition=100010", "--value", "format=mp4") == 0
    assert capsys.readouterr().out == "AnimalWorldE01_100010.mp4\n"
    assert offline(*named, "--format", "json") == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["name"], data["missing"]) == (None, ["definition", "format"])
    assert offline("job", "filename", "{inputNme}") == 1
    assert "{inputNme} is no variable of MPS; write {inputName}" in capsys.readouterr().out
    assert offline("job", "filename", "x", "--for", "film") == 2
    assert offline("job", "filename", "x", "--value", "definition") == 2
    assert offline("job", "filename", "x", "--value", "defn=1") == 2


@pytest.mark.parametrize("name", sorted(OFFLINE_JOBS))
def test_a_task_that_fails(
    name: str, receiver: Receiver, new: Callable[..., Path], tmp_path: Path, capsys: Any
) -> None:
    """A failed task of each kind is exit code 1, with the subtask that failed; smart erase is no exception."""
    from drmkit.sandbox import FaultSetting  # noqa: PLC0415 (used here alone)

    with Sandbox(SandboxOptions(encrypt=False, faults=(FaultSetting.parse("mps-task-fails"),))) as sandbox:
        run = runner(sandbox, tmp_path)
        options = [item for item in OFFLINE_JOBS[name][0] if name != "DRM and analysis" or item not in DRM]
        path = str(new(*options, *PLACES))
        capsys.readouterr()
        assert run("job", "run", path) == 1
    assert "failed" in capsys.readouterr().out
    assert receiver.bodies == []
