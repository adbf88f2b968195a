"""What `bench_cpix` measures, one process for each program, task and size: prints one JSON object.

    cpix_workers.py PROGRAM TASK DOCUMENT REPEATS [SCHEMA]

PROGRAM is drmkit, cpix (the package of that name) or floor (lxml alone); TASK is read or write. Times are CPU seconds,
medians over the repeats; memory is the peak of the whole process in MiB.
"""

from __future__ import annotations

import base64
import gc
import json
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lxml import etree

_CPIX = "{urn:dashif:org:cpix}"
_PSKC = "{urn:ietf:params:xml:ns:keyprov:pskc}"


def median(work: Callable[[], object], repeats: int) -> float:
    """The median CPU seconds of a piece of work."""
    seconds = []
    for _ in range(repeats):
        gc.collect()
        start = time.process_time()
        kept = work()
        seconds.append(time.process_time() - start)
        del kept
    return statistics.median(seconds)


def values(data: bytes) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """The content of a document as plain texts, for both programs to build it anew."""
    root = etree.fromstring(data)
    keys = [
        {"kid": e.get("kid"), "scheme": e.get("commonEncryptionScheme"), "key": e.findtext(f".//{_PSKC}PlainValue")}
        for e in root.iter(f"{_CPIX}ContentKey")
    ]
    systems = [
        {
            "kid": e.get("kid"),
            "system": e.get("systemId"),
            "pssh": e.findtext(f"{_CPIX}PSSH"),
            "hls": e.findtext(f"{_CPIX}HLSSignalingData"),
        }
        for e in root.iter(f"{_CPIX}DRMSystem")
    ]
    return keys, systems


def drmkit_read(data: bytes, repeats: int, _: Path | None) -> dict[str, float]:
    """Parse, and parse + validate, with drmkit."""
    from drmkit import cpix  # noqa: PLC0415 (another program's process has none)

    report = cpix.validate(data)
    if not report.valid:
        raise AssertionError(report.errors[0])
    return {
        "parse": median(lambda: cpix.parse(data), repeats),
        "validated": median(lambda: cpix.validate(data), repeats),
    }


def drmkit_write(data: bytes, repeats: int, _: Path | None) -> dict[str, float]:
    """Build (which checks the document) and serialize with drmkit."""
    from drmkit.cpix import Builder  # noqa: PLC0415
    from drmkit.identifiers import KeyId  # noqa: PLC0415

    keys, systems = values(data)
    given = [(KeyId.from_uuid(k["kid"]), base64.b64decode(k["key"]), k["scheme"]) for k in keys]
    boxes = [
        (KeyId.from_uuid(s["kid"]), s["system"], base64.b64decode(s["pssh"]), base64.b64decode(s["hls"]).decode())
        for s in systems
    ]

    del keys, systems  # each program holds only what it builds from: bytes here, texts there

    def build() -> bytes:
        builder = Builder(version="2.3", content_id="bench")
        for kid, key, scheme in given:
            builder.content_key(kid=kid, key=key, scheme=scheme)
        for kid, system, pssh, hls in boxes:
            builder.drm_system(kid=kid, system_id=system, pssh=pssh, hls_media=hls)
        return builder.build().to_xml()

    return {"built": median(build, repeats)}


def cpix_read(data: bytes, repeats: int, _: Path | None) -> dict[str, float]:
    """Parse, and parse + validate_content, with the package cpix."""
    import cpix  # noqa: PLC0415

    def validated() -> Any:
        document = cpix.CPIX.parse(data)
        document.validate_content()
        return document

    return {
        "parse": median(lambda: cpix.CPIX.parse(data), repeats),
        "validated": median(validated, max(1, repeats // 3)),
    }


def cpix_write(data: bytes, repeats: int, _: Path | None) -> dict[str, float]:
    """Build and serialize with the package cpix."""
    import cpix  # noqa: PLC0415

    keys, systems = values(data)

    def build() -> Any:
        listed = cpix.ContentKeyList()
        for k in keys:
            listed.append(cpix.ContentKey(kid=k["kid"], cek=k["key"], common_encryption_scheme=k["scheme"]))
        drm = cpix.DRMSystemList()
        for s in systems:
            drm.append(cpix.DRMSystem(kid=s["kid"], system_id=s["system"], pssh=s["pssh"], hls_signaling_data=s["hls"]))
        document = cpix.CPIX(content_keys=listed, drm_systems=drm, content_id="bench", version="2.3")
        return document.pretty_print(pretty_print=False)

    return {"built": median(build, repeats)}


def floor_read(data: bytes, repeats: int, schema: Path | None) -> dict[str, float]:
    """Parse with lxml, and validate with a schema that is compiled already: DASH-IF's, or drmkit's own."""
    if schema is None:
        from drmkit.cpix.xsd import compile_schema  # noqa: PLC0415

        compiled = compile_schema("2.3")
    else:
        compiled = etree.XMLSchema(etree.parse(schema))

    def validated() -> etree._Element:
        root = etree.fromstring(data)
        if not compiled.validate(root):
            raise AssertionError(compiled.error_log.last_error)
        return root

    return {"parse": median(lambda: etree.fromstring(data), repeats), "validated": median(validated, repeats)}


_TASKS = {
    "drmkit read": drmkit_read,
    "drmkit write": drmkit_write,
    "cpix read": cpix_read,
    "cpix write": cpix_write,
    "floor read": floor_read,
}


def peak() -> float:
    """The peak memory of this process in MiB; getrusage() would count that of the parent before exec."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main() -> None:
    """Do one task and print what it took."""
    program, task, document, repeats, *schema = sys.argv[1:]
    data = Path(document).read_bytes()
    found = _TASKS[f"{program} {task}"](data, int(repeats), Path(schema[0]) if schema else None)
    print(json.dumps({**found, "peak": peak()}))


main()
