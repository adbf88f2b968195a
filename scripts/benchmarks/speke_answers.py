"""Times the sandbox's answers to SPEKE requests, request by request in turn with the bare HTTP stack.

Whatever else the machine does hits both alike, so that their difference is the sandbox's own work. Both are processes
of their own, each with one kept connection; every request has key IDs that the sandbox has not seen.
"""

from __future__ import annotations

import http.client
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from drmkit.identifiers import DrmSystem
from drmkit.keys.generation import key_id
from drmkit.speke.request import build_request

OK = 200
WARM_UP = 40
ROUNDS = 9
REQUESTS = 60
MOST_SECONDS = 120.0
HEADERS = {"Content-Type": "application/xml", "X-Speke-Version": "2.0"}
FLOOR = Path(__file__).with_name("speke_floor.py")


@dataclass(frozen=True)
class Case:
    """One shape of request, and the most milliseconds that its answer may take."""

    name: str
    presets: tuple[str, str]
    systems: tuple[DrmSystem, ...]
    limit: float

    def request(self, content_id: str) -> bytes:
        """Build a request with key IDs that nobody has seen."""
        video, audio = self.presets
        return build_request(
            content_id, video=video, audio=audio, systems=self.systems, key_ids=lambda *_: key_id()
        ).to_xml()


CASES = (
    Case("2 keys x 1 system", ("VIDEO-1", "AUDIO-1"), (DrmSystem.WIDEVINE,), 3.0),
    Case(
        "8 keys x 3 systems",
        ("VIDEO-5", "AUDIO-3"),
        (DrmSystem.WIDEVINE, DrmSystem.PLAYREADY, DrmSystem.FAIRPLAY),
        6.0,
    ),
)


@dataclass
class Timing:
    """What one case took: a list of milliseconds for each round, of the sandbox and of the bare stack."""

    size: int = 0
    sandbox: list[list[float]] = field(default_factory=list)
    floor: list[list[float]] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The median over the rounds of their medians."""
        return statistics.median(statistics.median(taken) for taken in self.sandbox)

    @property
    def quietest(self) -> float:
        """The median of the round in which the machine did least else."""
        return min(statistics.median(taken) for taken in self.sandbox)

    @property
    def late(self) -> float:
        """The 95th percentile over all requests."""
        taken = sorted(value for values in self.sandbox for value in values)
        return taken[len(taken) * 95 // 100]

    @property
    def bare(self) -> float:
        """The median over the rounds of the bare stack's medians."""
        return statistics.median(statistics.median(taken) for taken in self.floor)

    @property
    def own(self) -> float:
        """The median of what the sandbox took longer than the bare stack right after it."""
        pairs = zip((v for r in self.sandbox for v in r), (v for r in self.floor for v in r), strict=True)
        return statistics.median(sandbox - bare for sandbox, bare in pairs)


@dataclass(frozen=True)
class Bench:
    """A connection to the sandbox, one to the bare stack, and the sandbox's process ID."""

    sandbox: http.client.HTTPConnection
    floor: http.client.HTTPConnection
    pid: int

    def run(self, case: Case, timing: Timing, times: int) -> None:
        """Time one round: each request goes to the sandbox, and one of as many bytes to the bare stack."""
        bodies = [case.request(f"bench{number}") for number in range(times)]
        mine: list[float] = []
        bare: list[float] = []
        before = _cpu(self.pid)
        for body in bodies:
            taken, timing.size = _ask(self.sandbox, "/speke/v2.0/copyProtection", body)
            mine.append(taken)
            bare.append(_ask(self.floor, f"/{timing.size}", body)[0])
        after = _cpu(self.pid)
        timing.sandbox.append(mine)
        timing.floor.append(bare)
        timing.cpu += [(after - before) / times / 1e6] if before and after else []


def answers() -> bool:
    """Print how long the sandbox's answers take; say whether all are within their limits.

    The limit holds for the median over the rounds; the quietest round shows how much of it is the load of others.
    """
    with _sandbox() as (process, url), _floor() as port:
        bench = Bench(http.client.HTTPConnection(*url), http.client.HTTPConnection("127.0.0.1", port), process.pid)
        timings = {case.name: Timing() for case in CASES}
        deadline = time.monotonic() + MOST_SECONDS
        for number in range(ROUNDS + 1):
            for case in CASES:
                if number and time.monotonic() > deadline:
                    break
                timing = timings[case.name] if number else Timing()
                bench.run(case, timing, REQUESTS if number else WARM_UP)
    verdicts = [_tell(case, timings[case.name]) for case in CASES]
    return all(verdicts)


def _tell(case: Case, timing: Timing) -> bool:
    if case is CASES[0]:
        heads = ("median", "p95", "quietest", "limit", "bare HTTP", "own", "CPU", "bytes")
        print(f"\n{'SPEKE 2.0 on loopback, ms':26}{''.join(f'{head:>11}' for head in heads)}")
    if not timing.sandbox:
        print(f"{case.name:26} not measured within {MOST_SECONDS:.0f} seconds")
        return False
    cpu = f"{statistics.median(timing.cpu):>11.2f}" if timing.cpu else f"{'-':>11}"
    figures = (timing.median, timing.late, timing.quietest, case.limit, timing.bare, timing.own)
    print(f"{case.name:26}{''.join(f'{figure:>11.2f}' for figure in figures)}{cpu}{timing.size:>11,}")
    return timing.median <= case.limit


def _ask(connection: http.client.HTTPConnection, path: str, body: bytes) -> tuple[float, int]:
    start = time.perf_counter()
    connection.request("POST", path, body, HEADERS)
    answer = connection.getresponse()
    size = len(answer.read())
    taken = (time.perf_counter() - start) * 1000
    if answer.status != OK:
        raise SystemExit(f"{path} answered HTTP {answer.status}")
    return taken, size


def _cpu(pid: int) -> int:
    """Return the nanoseconds that all threads of a process have run; 0 where the system does not tell."""
    try:
        return sum(int(path.read_text().split()[0]) for path in Path(f"/proc/{pid}/task").glob("*/schedstat"))
    except (OSError, ValueError, IndexError):
        return 0


@contextmanager
def _sandbox() -> Iterator[tuple[subprocess.Popen[str], tuple[str, int]]]:
    command = [sys.executable, "-m", "drmkit", "--quiet", "sandbox", "--format", "json"]
    with _running(command) as (process, line):
        url = urlsplit(json.loads(line)["url"])
        yield process, (url.hostname or "", url.port or 0)


@contextmanager
def _floor() -> Iterator[int]:
    with _running([sys.executable, str(FLOOR)]) as (_, line):
        yield int(line)


@contextmanager
def _running(command: list[str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process, process.stdout.readline() if process.stdout else ""
        finally:
            process.terminate()
