"""How fast the sandbox answers SPEKE requests on loopback, and PSSH boxes beside PyPI's cpix and pymp4.

Requests have key IDs that the sandbox has not seen, so that nothing can be remembered; client and sandbox are processes
of their own. Each figure is a median.
"""

from __future__ import annotations

import http.client
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from environments import python_with

from drmkit.identifiers import DrmSystem, KeyId
from drmkit.keys.generation import key_id
from drmkit.signaling import playready, pssh, widevine
from drmkit.speke.request import build_request

OK = 200
REQUESTS = 400
WARM_UP = 40
BOXES = 2000
# Each program prints the median microseconds of parsing and building one box, for the boxes on its standard input.
TIMER = """
import base64, json, statistics, sys, time
def timed(run, times):
    taken = []
    for _ in range(times):
        start = time.perf_counter(); run(); taken.append(time.perf_counter() - start)
    return statistics.median(taken) * 1e6
boxes = {name: base64.b64decode(text) for name, text in json.load(sys.stdin).items()}
"""
PYMP4 = """
from pymp4.parser import Box
def run(raw):
    return Box.build(Box.parse(raw))
print(json.dumps({name: [timed(lambda: run(raw), 500), run(raw) == raw] for name, raw in boxes.items()}))
"""
CPIX = """
import warnings; warnings.simplefilter("ignore")
from cpix.drm import playready, widevine
kid = {"kid": "%s", "key": "%s"}
keys = [{"key_id": kid["kid"], "key": kid["key"]}]
def wv():
    return widevine.generate_pssh([kid["kid"]], "provider", "YWJj", protection_scheme="cenc")
def pr():
    return playready.generate_pssh(keys, "http://example.com/")
out = {}
for name, run in (("widevine", wv), ("playready", pr)):
    try:
        run(); out[name] = [timed(run, 500), None]
    except Exception as error:
        out[name] = [None, repr(error)[:80]]
print(json.dumps(out))
"""


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


def main() -> int:
    """Print both tables; fail where an answer takes longer than it may."""
    ok = answers()
    boxes()
    return 0 if ok else 1


def answers() -> bool:
    """Time the sandbox's answers; say whether all are within their limits."""
    command = [sys.executable, "-m", "drmkit", "sandbox", "--format", "json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as sandbox:
        try:
            ready = sandbox.stdout.readline() if sandbox.stdout else ""
            url = urlsplit(json.loads(ready)["url"])
            print(f"\n{'SPEKE 2.0 on loopback':26}{'median':>10}{'p95':>10}{'limit':>10}{'bytes':>10}")
            connection = http.client.HTTPConnection(url.hostname or "", url.port)
            good = [time_case(connection, case) for case in CASES]
        finally:
            sandbox.terminate()
    return all(good)


def time_case(connection: http.client.HTTPConnection, case: Case) -> bool:
    """Send requests over one connection and print how long an answer takes, in milliseconds."""
    headers = {"Content-Type": "application/xml", "X-Speke-Version": "2.0"}
    taken, size = [], 0
    for number in range(REQUESTS + WARM_UP):
        body = case.request(f"bench{number}")
        start = time.perf_counter()
        connection.request("POST", "/speke/v2.0/copyProtection", body, headers)
        answer = connection.getresponse()
        size = len(answer.read())
        taken.append((time.perf_counter() - start) * 1000)
        if answer.status != OK:
            raise SystemExit(f"the sandbox answered HTTP {answer.status}")
    taken = sorted(taken[WARM_UP:])
    median, late = statistics.median(taken), taken[len(taken) * 95 // 100]
    print(f"{case.name:26}{median:>7.2f} ms{late:>7.2f} ms{case.limit:>7.2f} ms{size:>10,}")
    return median <= case.limit


def boxes() -> None:
    """Time the same boxes in drmkit, pymp4 (parse and build) and cpix (build; it does not parse)."""
    kid, key = KeyId(bytes(range(16))), bytes(range(16, 32))
    made = {
        "widevine": widevine.pssh_box([kid], "cenc", provider="provider", content_id=b"abc"),
        "playready": playready.pssh_box([kid], "cenc", keys={kid: key}, la_url="http://example.com/"),
    }
    raw = {name: box.to_bytes() for name, box in made.items()}
    build: dict[str, Callable[[], object]] = {
        "widevine": lambda: widevine.pssh_box([kid], "cenc", provider="provider", content_id=b"abc").to_bytes(),
        "playready": lambda: playready.pssh_box(
            [kid], "cenc", keys={kid: key}, la_url="http://example.com/"
        ).to_bytes(),
    }
    given = json.dumps({name: box.to_base64() for name, box in made.items()})
    pymp4 = run(python_with("pymp4"), TIMER + PYMP4, given)
    cpix = run(python_with("cpix", "setuptools<71"), TIMER + CPIX % (kid, key.hex().upper()), given)
    print(f"\n{'PSSH boxes, us':26}{'drmkit':>10}{'other':>10}{'ratio':>10}")
    for name, box in raw.items():
        own = timed(lambda box=box: pssh.build(pssh.parse(box)))
        other, same = pymp4[name]
        row(f"{name}: parse and build", own, other, "pymp4" + ("" if same else ", bytes differ"))
        own = timed(build[name])
        other, failure = cpix[name]
        row(f"{name}: make", own, other, f"cpix{f': {failure}' if failure else ''}")


def row(name: str, own: float, other: float | None, who: str) -> None:
    """Print one comparison."""
    told = f"{other:>10.1f}{other / own:>9.1f}x" if other else f"{'-':>10}{'-':>10}"
    print(f"{name:26}{own:>10.1f}{told}  {who}")


def timed(function: Callable[[], object]) -> float:
    """Return the median microseconds of a call."""
    taken = []
    for _ in range(BOXES):
        start = time.perf_counter()
        function()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken) * 1e6


def run(python: object, program: str, given: str) -> dict[str, list[object]]:
    """Run a program in another environment and read what it prints."""
    done = subprocess.run([str(python), "-c", program], input=given, capture_output=True, text=True, check=True)
    found: dict[str, list[object]] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    sys.exit(main())
