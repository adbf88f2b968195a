"""How fast the sandbox answers SPEKE requests on loopback, and PSSH boxes beside PyPI's cpix and pymp4.

`own` is what an answer takes longer than the same bytes from the bare HTTP stack, measured in turn with it, and `CPU`
what the sandbox's process has run meanwhile. Each figure is a median.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from environments import python_with
from speke_answers import answers

from drmkit.identifiers import KeyId
from drmkit.signaling import playready, pssh, widevine

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


def main() -> int:
    """Print both tables; fail where an answer takes longer than it may."""
    ok = answers()
    boxes()
    return 0 if ok else 1


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
