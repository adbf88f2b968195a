"""The vendor's two tutorials on callbacks with `notification serve`: others are told of an end, and it is kept."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from mpsworld import runner

from drmkit.sandbox import Sandbox, SandboxOptions

ROOT = Path(__file__).resolve().parents[2]
HOOK = """
import pathlib, sys
with pathlib.Path(sys.argv[1]).open("a", encoding="utf-8") as told:
    told.write(sys.stdin.read())
"""
LIVE = ("--live", "rtmp://live.example.com/app/stream", "--quality", "picture")
FILE = ("--analysis", "summary", "--input", "cos://s-1250000000/ap-x/in/a.mp4", "--output", "cos://t-1250000000/ap-x/")


@contextmanager
def serving(folder: Path, *arguments: str) -> Iterator[str]:
    """The receiver in a process of its own, ready; its URL."""
    command = ["notification", "serve", "--port", "0", "--format", "json", "--store", str(folder / "queue.sqlite")]
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(folder)}
    with subprocess.Popen(
        [sys.executable, "-m", "drmkit", *command, *arguments],
        env=environ | {"DRMKIT_CONFIG": str(folder / "sandbox.toml")},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.terminate()


def lines_of(path: Path, count: int) -> list[dict[str, Any]]:
    """The JSON lines of a file, or of the files of a folder, once there are so many."""
    give_up = time.monotonic() + 60
    while True:
        files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path] if path.exists() else []
        text = "".join(file.read_text(encoding="utf-8") for file in files)
        found = [json.loads(line) for line in text.splitlines() if line.endswith("}")]
        if len(found) >= count:
            return found
        assert time.monotonic() < give_up, found
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("options", "events", "states"),
    [
        (FILE, ["WorkflowTask"], ["succeeded"]),
        (LIVE, ["AiQualityControlResult", "ProcessEof"], [None, None]),
    ],
)
def test_a_webhook_and_a_backup(options: Any, events: Any, states: Any, tmp_path: Path, capsys: Any) -> None:
    """Each signed callback is confirmed where it can be, handed to the hook, and backed up; no secret is in either."""
    hook, told, kept, key = (tmp_path / name for name in ("hook.py", "told.jsonl", "kept", "notify.key"))
    hook.write_text(HOOK, encoding="utf-8")
    key.write_text("cAnArY-key", encoding="utf-8")
    key.chmod(0o600)
    with Sandbox(SandboxOptions(encrypt=False)) as sandbox:
        run = runner(sandbox, tmp_path)
        command = f"{sys.executable} {hook} {told}"
        arguments = ("--notify-key-file", str(key), "--hook", command, "--backup", str(kept))
        with serving(tmp_path, *arguments) as url:
            notify = ("--notify-url", url, "--notify-key-file", str(key))
            assert run("job", "new", *options, *notify) == 0
            (tmp_path / "job.json").write_text(capsys.readouterr().out, encoding="utf-8")
            assert run("job", "run", str(tmp_path / "job.json")) == 0
            hooked = lines_of(told, len(events))
            backed_up = lines_of(kept, len(events))
    assert [item["event"] for item in hooked] == events
    assert [item["confirmed"]["state"] if item["confirmed"] else None for item in hooked] == states
    assert [(item["event"], item["state"]) for item in backed_up] == list(zip(events, states, strict=True))
    assert "cAnArY" not in json.dumps([hooked, backed_up])


def test_events_of_vod(tmp_path: Path, capsys: Any) -> None:
    """VOD's events are not signed; taken unsigned, VOD itself is asked whether they are true."""
    kept = tmp_path / "kept"
    with Sandbox(SandboxOptions(encrypt=False)) as sandbox:
        run = runner(sandbox, tmp_path)
        with serving(tmp_path, "--unsigned", "--backup", str(kept)) as url:
            assert run("job", "new", "--vod", "1500000001/1", "--analysis", "summary") == 0
            (tmp_path / "job.json").write_text(capsys.readouterr().out, encoding="utf-8")
            assert run("job", "run", str(tmp_path / "job.json"), "--format", "json") == 0
            task_id = json.loads(capsys.readouterr().out)["task_id"]
            event = {
                "EventType": "ProcessMediaByMPSComplete",
                "ProcessMediaByMPSCompleteEvent": {"TaskId": task_id, "Status": "FINISH", "ErrCode": 0},
            }
            connection = http.client.HTTPConnection(url.removeprefix("http://").strip("/"), timeout=10)
            connection.request("POST", "/", json.dumps(event))
            assert connection.getresponse().status == 200
            connection.close()
            (line,) = lines_of(kept, 1)
    assert (line["event"], line["task_id"], line["state"]) == ("ProcessMediaByMPSComplete", task_id, "succeeded")
