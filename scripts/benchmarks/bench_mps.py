"""MPS: drmkit beside the official SDK and tccli, and beside the floor, httpx with twenty lines of TC3; one machine."""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
from pathlib import Path

from environments import python_with

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
KEY_URL = "https://fe.drmtoday.com/frontend/cpix/v1/6f1c1bb8/ingest/510466cc?ticket=ST-2417-bench"
SPEKE = {
    "ResourceId": "movie-1",
    "KeyServerUrl": KEY_URL,
    "Vector": "452ac1553f19b846e2f2c4cffd8f4a9b",
    "EncryptionMethod": "cenc",
    "EncryptionPreset": "preset0",
}
PARAMETERS = {
    "InputInfo": {
        "Type": "COS",
        "CosInputInfo": {"Bucket": "source-1250000000", "Region": "ap-singapore", "Object": "/in/movie.mp4"},
    },
    "OutputStorage": {
        "Type": "COS",
        "CosOutputStorage": {"Bucket": "target-1250000000", "Region": "ap-singapore"},
    },
    "OutputDir": "/out/",
    "MediaProcessTask": {
        "AdaptiveDynamicStreamingTaskSet": [{"Definition": 12, "DrmInfo": {"Type": "widevine", "SpekeDrm": SPEKE}}]
    },
    "SessionId": "drmkit-bench",
}
PROBE = """
import time
start = time.perf_counter()
{statement}
seconds = time.perf_counter() - start
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(seconds, int(peak) / 1024)
"""
"""Peak memory is VmHWM: unlike ru_maxrss it begins anew with the program, whatever its parent's was."""
IMPORTS = {
    "drmkit": "from drmkit import mps",
    "drmkit, all that a submission uses": (
        "from drmkit.http import HttpClient; from drmkit.mps import Credentials, Job, MpsClient, StreamingTask, drm"
    ),
    "official SDK": "from tencentcloud.mps.v20190612 import mps_client, models",
    "httpx": "import httpx",
}


class Api(threading.Thread):
    """Answers every POST with a task ID at once: what is measured is the client."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def run(self) -> None:
        """Answer one connection after the other."""
        body = b'{"Response": {"TaskId": "24000035-WorkflowTask-bench", "RequestId": "r"}}'
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        while True:
            connection, _ = self._listener.accept()
            with connection:
                data = b""
                while (received := connection.recv(65536)) and b'"drmkit' not in (data := data + received):
                    pass
                connection.sendall(head + body)


def environments() -> dict[str, Path]:
    """The Python of each program: with what it needs and nothing else; drmkit itself is found by its path."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {
        "drmkit": python_with(*project["dependencies"]),
        "official SDK": python_with("tencentcloud-sdk-python-mps==3.1.194"),
        "tccli": python_with("tccli"),
        "floor": python_with("httpx==0.28.1"),
    }


def run(command: list[str | Path]) -> tuple[str, float, float]:
    """Run a program and return what it printed, its seconds and its seconds of CPU."""
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "PYTHONPATH": str(ROOT)}
    start = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    out, err = process.stdout.read(), process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    elapsed = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command[1:4]} failed:\n{out}{err}")
    return out, elapsed, usage.ru_utime + usage.ru_stime


def imports(pythons: dict[str, Path], rounds: int) -> dict[str, tuple[float, float]]:
    """For each statement, the least milliseconds and MiB of many fresh processes, taken in turn."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in IMPORTS}
    for _ in range(rounds):
        for name, statement in IMPORTS.items():
            python = pythons.get(name.partition(",")[0], pythons["floor"])
            out, _, _ = run([python, "-c", PROBE.format(statement=statement)])
            seconds, peak = map(float, out.split())
            found[name].append((seconds * 1000, peak))
    return {name: (min(row[0] for row in rows), min(row[1] for row in rows)) for name, rows in found.items()}


def processes(pythons: dict[str, Path], rounds: int, folder: Path) -> dict[str, list[tuple[float, float]]]:
    """For each program, the milliseconds (wall, CPU) of many processes that submit one job, taken in turn."""
    api = Api()
    api.start()
    text = json.dumps(PARAMETERS)
    tccli = pythons["tccli"].with_name("tccli")
    options = ["--endpoint", api.url, "--region", "ap-singapore", "--secretId", "AKIDbench", "--secretKey", "secret"]
    file = folder / "job.json"
    file.write_text(text, encoding="utf-8")
    commands: dict[str, list[str | Path]] = {
        "drmkit": [pythons["drmkit"], HERE / "mps_drmkit.py", api.url],
        "floor": [pythons["floor"], HERE / "mps_floor.py", api.url, text],
        "official SDK": [pythons["official SDK"], HERE / "mps_sdk.py", api.url, text],
        "tccli": [tccli, "mps", "ProcessMedia", "--cli-input-json", f"file://{file}", *options],
    }
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for number in range(rounds + 1):
        for name, command in commands.items():
            if name == "tccli" and number > rounds // 4:
                continue
            out, wall, cpu = run(command)
            if "WorkflowTask-bench" not in out:
                sys.exit(f"{name} submitted nothing:\n{out}")
            if number:  # the first writes the bytecode
                found[name].append((wall * 1000, cpu * 1000))
    return found


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40, help="processes of each program")
    options = parser.parse_args()
    pythons = environments()
    seconds = str(max(1.0, options.rounds / 10))
    calls = {
        name: json.loads(run([pythons[name], HERE / "mps_calls.py", program, seconds, json.dumps(PARAMETERS)])[0])
        for name, program in (("drmkit", "drmkit"), ("official SDK", "sdk"))
    }
    loaded = imports(pythons, options.rounds)
    with tempfile.TemporaryDirectory() as folder:
        submitted = processes(pythons, options.rounds, Path(folder))
    show(calls, loaded, submitted)
    return 1 if judge(calls, loaded, submitted) else 0


def show(
    calls: dict[str, dict[str, float]],
    loaded: dict[str, tuple[float, float]],
    submitted: dict[str, list[tuple[float, float]]],
) -> None:
    """Print the tables."""
    print("Build + serialize + sign one Widevine job, microseconds (least of many batches)")
    print("| drmkit | official SDK | drmkit with every check of the job |\n|--:|--:|--:|")
    print(f"| {calls['drmkit']['call']:.1f} | {calls['official SDK']['call']:.1f} | {calls['drmkit']['checked']:.1f} |")
    print("\nImport in a fresh process, least of all rounds\n| | ms | peak MiB |\n|---|--:|--:|")
    for name, (milliseconds, peak) in loaded.items():
        print(f"| {name}: `{IMPORTS[name]}` | {milliseconds:.1f} | {peak:.1f} |")
    print("\nA whole process that submits one job, milliseconds")
    print("| | least | median | least CPU | processes |\n|---|--:|--:|--:|--:|")
    for name, rows in submitted.items():
        wall, cpu = [row[0] for row in rows], [row[1] for row in rows]
        print(f"| {name} | {min(wall):.1f} | {statistics.median(wall):.1f} | {min(cpu):.1f} | {len(rows)} |")


def judge(
    calls: dict[str, dict[str, float]],
    loaded: dict[str, tuple[float, float]],
    submitted: dict[str, list[tuple[float, float]]],
) -> int:
    """Print the figures beside their targets, and return how many miss."""
    drmkit, sdk = loaded["drmkit"], loaded["official SDK"]
    pairs = zip(submitted["drmkit"], submitted["floor"], strict=True)  # of one round, so that both met the same load
    times = statistics.median(ours[0] / floor[0] for ours, floor in pairs)
    checks = [
        ("build + serialize + sign: microseconds", calls["drmkit"]["call"], 20.0),
        ("build + serialize + sign: share of the SDK's", calls["drmkit"]["call"] / calls["official SDK"]["call"], 0.5),
        ("import: share of the SDK's time", drmkit[0] / sdk[0], 0.25),
        ("import: share of the SDK's peak memory", drmkit[1] / sdk[1], 0.5),
        ("a process that submits: times the floor (median of the rounds)", times, 1.15),
    ]
    print("\n| | measured | target at most | |\n|---|--:|--:|---|")
    missed = 0
    for what, value, target in checks:
        met = value <= target
        missed += not met
        print(f"| {what} | {value:.3g} | {target:g} | {'met' if met else 'MISSED'} |")
    return missed


if __name__ == "__main__":
    sys.exit(main())
