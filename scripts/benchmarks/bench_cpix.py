"""CPIX: drmkit beside the package cpix 1.4.1, and beside the floor, lxml with a compiled schema, on the same bytes."""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from environments import python_with

from drmkit.cpix import Builder
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.signaling import common, hls, playready, widevine

SIZES = (1, 10, 100, 1_000, 10_000)
REPEATS = {1: 51, 10: 31, 100: 15, 1_000: 9, 10_000: 3}
WORKER = Path(__file__).with_name("cpix_workers.py")
SCHEMA = Path(__file__).resolve().parents[3] / "shared" / "schemas" / "CPIX2.3" / "cpix.xsd"
_MAKERS = {
    DrmSystem.WIDEVINE: lambda kid: widevine.pssh_box([kid], "cenc"),
    DrmSystem.PLAYREADY: lambda kid: playready.pssh_box([kid], "cenc"),
    DrmSystem.COMMON: lambda kid: common.pssh_box([kid]),
}


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


def run(python: Path | str, program: str, task: str, path: Path, size: int, *more: str) -> dict[str, float]:
    """Run one worker and return what it measured."""
    command = [python, WORKER, program, task, path, str(REPEATS[size]), *more]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False)
    if done.returncode != 0:
        sys.exit(f"{program} {task} with {size} keys failed:\n{done.stderr}")
    return json.loads(done.stdout)


def measure(folder: Path, sizes: tuple[int, ...]) -> Iterator[dict[str, float]]:
    """Measure all programs, size by size; the worker of each size reads the same file."""
    rival = python_with("cpix==1.4.1", "lxml>=6", "setuptools<71")
    schema = (str(SCHEMA),) if SCHEMA.exists() else ()
    if not schema:
        print("DASH-IF's schema is not at hand: the floor takes drmkit's own", file=sys.stderr)
    for size in sizes:
        path = folder / f"{size}.xml"
        path.write_bytes(document(size))
        row: dict[str, float] = {"keys": size, "bytes": path.stat().st_size}
        for name, python, program, task, more in (
            ("floor", sys.executable, "floor", "read", schema),
            ("drmkit", sys.executable, "drmkit", "read", ()),
            ("cpix", rival, "cpix", "read", ()),
            ("drmkit write", sys.executable, "drmkit", "write", ()),
            ("cpix write", rival, "cpix", "write", ()),
        ):
            found = run(python, program, task, path, size, *more)
            row |= {f"{name} {what}": value for what, value in found.items()}
        print(f"  {size:,} keys measured", file=sys.stderr)
        yield row


def show(rows: list[dict[str, float]]) -> None:
    """Print the tables."""
    print("CPU milliseconds, medians; every key with 3 DRM systems, each with PSSH and HLS data")
    columns = (
        ("parse: lxml", "floor parse"),
        ("drmkit", "drmkit parse"),
        ("cpix", "cpix parse"),
        ("parse+check: floor", "floor validated"),
        ("drmkit", "drmkit validated"),
        ("cpix", "cpix validated"),
        ("build+write: drmkit", "drmkit write built"),
        ("cpix", "cpix write built"),
    )
    print("| keys | bytes | " + " | ".join(title for title, _ in columns) + " |")
    print("|--:" * (len(columns) + 2) + "|")
    for row in rows:
        cells = [f"{row[name] * 1000:,.2f}" for _, name in columns]
        print(f"| {row['keys']:,} | {row['bytes']:,} | " + " | ".join(cells) + " |")
    print("\nPeak memory of the process, MiB")
    names = ("floor peak", "drmkit peak", "cpix peak", "drmkit write peak", "cpix write peak")
    print("| keys | floor, read | drmkit, read | cpix, read | drmkit, write | cpix, write |\n" + "|--:" * 6 + "|")
    for row in rows:
        print(f"| {row['keys']:,} | " + " | ".join(f"{row[name]:.1f}" for name in names) + " |")


def judge(rows: list[dict[str, float]]) -> int:
    """Print the ratios beside their targets, and return how many miss."""
    last = rows[-1]
    size = f"{int(last['keys']):,} keys"
    checks = [
        (f"parse + full validation, {size}: share of cpix", last["drmkit validated"] / last["cpix validated"], 0.1),
        (f"parse + full validation, {size}: times the floor", last["drmkit validated"] / last["floor validated"], 4.0),
        (f"build + serialize, {size}: times cpix", last["drmkit write built"] / last["cpix write built"], 1.0),
        (f"peak memory of reading, {size}: times cpix", last["drmkit peak"] / last["cpix peak"], 1.0),
        (f"peak memory of writing, {size}: times cpix", last["drmkit write peak"] / last["cpix write peak"], 1.0),
    ]
    if len(rows) > 1 and last["keys"] == 10 * rows[-2]["keys"]:
        checks += [
            (f"growth of {what} for ten times the keys", last[name] / rows[-2][name], 11.0)
            for what, name in (
                ("parse", "drmkit parse"),
                ("parse + full validation", "drmkit validated"),
                ("build + serialize", "drmkit write built"),
            )
        ]
    print("\n| ratio | measured | target at most | |\n|---|--:|--:|---|")
    missed = 0
    for what, value, target in checks:
        met = value <= target
        missed += not met
        print(f"| {what} | {value:.3g} | {target:g} | {'met' if met else 'MISSED'} |")
    return missed


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="numbers of keys")
    options = parser.parse_args()
    sizes = tuple(options.sizes)
    for size in sizes:
        REPEATS.setdefault(size, 5)
    with tempfile.TemporaryDirectory() as folder:
        rows = list(measure(Path(folder), sizes))
    show(rows)
    return 1 if judge(rows) else 0


if __name__ == "__main__":
    sys.exit(main())
