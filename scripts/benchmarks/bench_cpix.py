"""CPIX: drmkit beside the package cpix 1.4.1, and beside the floor, lxml with a compiled schema, on the same bytes.

All programs take turns, round by round, so that whatever else the machine does hits all of them alike; a ratio is the
median of the ratios within single rounds, and growth is measured between two sizes within one round too. Times are CPU
time. The peak of memory is that of a process of its own that does one task once.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Self

from bench_crypto import measure_opening
from environments import python_with

from drmkit.cpix import Builder
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.signaling import common, hls, playready, widevine

SIZES = (1, 10, 100, 1_000, 10_000)
ROUNDS = {1: 51, 10: 31, 100: 21, 1_000: 11, 10_000: 9}
SLOW = 10_000
TASKS = (
    ("floor", "parsed"),
    ("drmkit", "parsed"),
    ("cpix", "parsed"),
    ("floor", "validated"),
    ("drmkit", "validated"),
    ("cpix", "validated"),
    ("drmkit", "built"),
    ("cpix", "built"),
)
GROWING = ("parsed", "validated", "built")
WORKER = Path(__file__).with_name("cpix_workers.py")
SCHEMA = Path(__file__).resolve().parents[3] / "shared" / "schemas" / "CPIX2.3" / "cpix.xsd"
_MAKERS = {
    DrmSystem.WIDEVINE: lambda kid: widevine.pssh_box([kid], "cenc"),
    DrmSystem.PLAYREADY: lambda kid: playready.pssh_box([kid], "cenc"),
    DrmSystem.COMMON: lambda kid: common.pssh_box([kid]),
}
Times = dict[tuple[str, str, int], list[float]]


def document(size: int) -> bytes:
    """A document with so many keys, each with Widevine, PlayReady and W3C Common: a PSSH box and an HLS line."""
    builder = Builder(version="2.3", content_id="bench")
    kids = [KeyId(hashlib.sha256(f"kid {n}".encode()).digest()[:16]) for n in range(size)]
    for number, kid in enumerate(kids):
        builder.content_key(kid=kid, key=hashlib.sha256(f"key {number}".encode()).digest()[:16], scheme="cenc")
    for kid in kids:
        for system, make in _MAKERS.items():
            uri = f"skd://{kid}"
            line = hls.key_tag(DrmSystem.WIDEVINE, kid, "cenc", uri=uri)
            builder.drm_system(kid=kid, system_id=system, pssh=make(kid).to_bytes(), hls_media=line)
    return builder.build().to_xml()


class Worker:
    """A process of one program, which does what it is asked to and says what that took."""

    def __init__(self, program: str, folder: Path, rival: Path) -> None:
        schema = [str(SCHEMA)] if program == "floor" and SCHEMA.exists() else []
        python = rival if program == "cpix" else sys.executable
        command = [python, WORKER, program, folder, *schema]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def measure(self, task: str, size: int) -> dict[str, float]:
        """Return CPU seconds of a task, and the peak memory so far in MiB."""
        assert self._process.stdin is not None  # noqa: S101 (made as a pipe)
        assert self._process.stdout is not None  # noqa: S101 (as above)
        self._process.stdin.write(f"{task} {size}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            sys.exit(f"{task} with {size} keys failed")
        found: dict[str, float] = json.loads(answer)
        return found


def rounds(workers: dict[str, Worker], size: int, smaller: int | None) -> tuple[Times, dict[str, list[float]]]:
    """Measure one size, all programs in turn; and in each round, how the times grow from a tenth of the size."""
    times: Times = defaultdict(list)
    growth: dict[str, list[float]] = defaultdict(list)
    for number in range(ROUNDS.get(size, 5)):
        for program, task in TASKS if number % 2 else reversed(TASKS):
            # The package cpix takes minutes for a few rounds of this, and misses by a factor: one is enough.
            if (program, task, size) != ("cpix", "validated", SLOW) or number == 1:
                times[program, task, size].append(workers[program].measure(task, size)["seconds"])
        for task in GROWING if smaller else ():
            few = statistics.median(workers["drmkit"].measure(task, smaller or 1)["seconds"] for _ in range(5))
            growth[task].append(times["drmkit", task, size][-1] / few)
    print(f"  {size:,} keys measured", file=sys.stderr)
    return times, growth


def peaks(folder: Path, size: int, rival: Path) -> dict[tuple[str, str], float]:
    """Return the peak memory of each program for each task, of a new process for each."""
    found = {}
    for program, task in TASKS:
        with Worker(program, folder, rival) as worker:
            found[program, task] = worker.measure(task, size)["peak"]
    return found


def ratio(times: Times, task: str, size: int, other: str) -> float:
    """The median, over the rounds, of drmkit's time by that of another program in the same round."""
    ours, theirs = times["drmkit", task, size], times[other, task, size]
    if len(theirs) < len(ours):
        return statistics.median(ours) / statistics.median(theirs)
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))


def show(times: Times, memory: dict[int, dict[tuple[str, str], float]], folder: Path) -> None:
    """Print the tables."""
    print("CPU milliseconds, medians; every key with 3 DRM systems, each with PSSH and HLS data\n")
    titles = ("parse: lxml", "drmkit", "cpix", "parse+check: floor", "drmkit", "cpix", "build+write: drmkit", "cpix")
    print("| keys | bytes | " + " | ".join(titles) + " |\n" + "|--:" * (len(titles) + 2) + "|")
    for size in memory:
        cells = [f"{statistics.median(times[*of, size]) * 1000:,.2f}" for of in TASKS]
        print(f"| {size:,} | {(folder / f'{size}.xml').stat().st_size:,} | " + " | ".join(cells) + " |")
    print("\nPeak memory of the process, MiB\n")
    names = [("floor", "validated"), ("drmkit", "validated"), ("cpix", "validated"), ("drmkit", "built")]
    print("| keys | floor, read | drmkit, read | cpix, read | drmkit, write | cpix, write |\n" + "|--:" * 6 + "|")
    for size, found in memory.items():
        print(f"| {size:,} | " + " | ".join(f"{found[of]:.1f}" for of in (*names, ("cpix", "built"))) + " |")


def judge(
    times: Times,
    growth: dict[str, list[float]],
    memory: dict[tuple[str, str], float],
    size: int,
    opening: tuple[float, float],
) -> int:
    """Print the ratios beside their targets, and return how many miss."""
    keys = f"{size:,} keys"
    checks = [
        (f"parse + full validation, {keys}: share of cpix", ratio(times, "validated", size, "cpix"), 0.1),
        (f"parse + full validation, {keys}: times the floor", ratio(times, "validated", size, "floor"), 4.0),
        (f"build + serialize, {keys}: times cpix", ratio(times, "built", size, "cpix"), 1.0),
    ]
    for what, task in (("reading", "validated"), ("writing", "built")):
        checks.append(
            (f"peak memory of {what}, {keys}: times cpix", memory["drmkit", task] / memory["cpix", task], 1.0)
        )
    for what, task in (("parse", "parsed"), ("parse + full validation", "validated"), ("build + serialize", "built")):
        if growth[task]:
            checks.append((f"growth of {what} for ten times the keys", statistics.median(growth[task]), 11.0))
    checks.append((f"decrypting {keys} (open_keys): times a bare loop of the same calls", opening[0], 1.5))
    checks.append((f"decrypting the document with {keys} (decrypt): times the same loop", opening[1], 1.5))
    print("\n| ratio | measured | target at most | |\n|---|--:|--:|---|")
    missed = 0
    for what, value, target in checks:
        met = value <= target
        missed += not met
        print(f"| {what} | {value:.3g} | {target:g} | {'met' if met else 'MISSED'} |")
    return missed


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="numbers of keys")
    sizes = sorted(parser.parse_args().sizes)
    if not SCHEMA.exists():
        print("DASH-IF's schema is not at hand: the floor takes drmkit's own", file=sys.stderr)
    rival = python_with("cpix==1.4.1", "lxml>=6", "setuptools<71")
    times: Times = {}
    growth: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for size in sizes:
            (folder / f"{size}.xml").write_bytes(document(size))
        memory: dict[int, Any] = {size: peaks(folder, size, rival) for size in sizes}
        print("  memory measured", file=sys.stderr)
        with (
            Worker("floor", folder, rival) as floor,
            Worker("drmkit", folder, rival) as drmkit,
            Worker("cpix", folder, rival) as cpix,
        ):
            workers = {"floor": floor, "drmkit": drmkit, "cpix": cpix}
            for size in sizes:
                smaller = size // 10 if size == sizes[-1] and size // 10 in sizes else None
                found, growth = rounds(workers, size, smaller)
                times |= found
        with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as fresh:
            opening = fresh.submit(measure_opening, sizes[-1]).result()
        show(times, memory, folder)
    return 1 if judge(times, growth, memory[sizes[-1]], sizes[-1], opening) else 0


if __name__ == "__main__":
    sys.exit(main())
