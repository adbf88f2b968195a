"""What `bench_cpix` measures: one process for each program, which does a task each time it is asked to.

    cpix_workers.py PROGRAM FOLDER [SCHEMA]

PROGRAM is drmkit, cpix (the package of that name) or floor (lxml alone); FOLDER holds a document SIZE.xml for each
size; SCHEMA is the XML Schema that the floor compiles. Each line of standard input names a task and a size, such as
`validated 1000`; the answer is a line of JSON with the CPU seconds that it took and the peak memory of the process so
far in MiB. What comes before and after (reading the document, taking its values apart, collecting garbage, freeing the
result) does not count, for any of the programs.
"""

from __future__ import annotations

import base64
import ctypes
import gc
import json
import resource
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree

_CPIX = "{urn:dashif:org:cpix}"
_PSKC = "{urn:ietf:params:xml:ns:keyprov:pskc}"
FOLDER = Path(sys.argv[2])
Work = Callable[[], object]


@cache
def data(size: int) -> bytes:
    """The document of a size."""
    return (FOLDER / f"{size}.xml").read_bytes()


def values(size: int) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """The content of a document as plain texts, for both programs to build it anew."""
    root = etree.fromstring(data(size))
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


def drmkit_parsed(size: int) -> Work:
    """Parse with drmkit."""
    from drmkit import cpix  # noqa: PLC0415 (another program's process has none)

    document = data(size)
    return lambda: cpix.parse(document)


def drmkit_validated(size: int) -> Work:
    """Parse + validate with drmkit."""
    from drmkit import cpix  # noqa: PLC0415

    document = data(size)

    def work() -> Any:
        report = cpix.validate(document)
        if not report.valid:
            raise AssertionError(report.errors[0])
        return report

    return work


def drmkit_built(size: int) -> Work:
    """Build (which checks the document) and serialize with drmkit."""
    from drmkit.cpix import Builder  # noqa: PLC0415
    from drmkit.identifiers import KeyId  # noqa: PLC0415

    keys, systems = values(size)
    given = [(KeyId.from_uuid(k["kid"]), base64.b64decode(k["key"]), k["scheme"]) for k in keys]
    boxes = [
        (KeyId.from_uuid(s["kid"]), s["system"], base64.b64decode(s["pssh"]), base64.b64decode(s["hls"]).decode())
        for s in systems
    ]

    def work() -> bytes:
        builder = Builder(version="2.3", content_id="bench")
        for kid, key, scheme in given:
            builder.content_key(kid=kid, key=key, scheme=scheme)
        for kid, system, pssh, hls in boxes:
            builder.drm_system(kid=kid, system_id=system, pssh=pssh, hls_media=hls)
        return builder.build().to_xml()

    return work


def cpix_parsed(size: int) -> Work:
    """Parse with the package cpix."""
    import cpix  # noqa: PLC0415

    document = data(size)
    return lambda: cpix.CPIX.parse(document)


def cpix_validated(size: int) -> Work:
    """Parse + validate_content with the package cpix."""
    import cpix  # noqa: PLC0415

    document = data(size)

    def work() -> Any:
        parsed = cpix.CPIX.parse(document)
        parsed.validate_content()
        return parsed

    return work


def cpix_built(size: int) -> Work:
    """Build and serialize with the package cpix."""
    import cpix  # noqa: PLC0415

    keys, systems = values(size)

    def work() -> Any:
        listed = cpix.ContentKeyList()
        for k in keys:
            listed.append(cpix.ContentKey(kid=k["kid"], cek=k["key"], common_encryption_scheme=k["scheme"]))
        drm = cpix.DRMSystemList()
        for s in systems:
            drm.append(cpix.DRMSystem(kid=s["kid"], system_id=s["system"], pssh=s["pssh"], hls_signaling_data=s["hls"]))
        document = cpix.CPIX(content_keys=listed, drm_systems=drm, content_id="bench", version="2.3")
        return document.pretty_print(pretty_print=False)

    return work


def floor_parsed(size: int) -> Work:
    """Parse with lxml."""
    document = data(size)
    return lambda: etree.fromstring(document)


def floor_validated(size: int) -> Work:
    """Parse with lxml, and validate with a schema that is compiled already."""
    document, schema = data(size), _schema()

    def work() -> etree._Element:
        root = etree.fromstring(document)
        if not schema.validate(root):
            raise AssertionError(schema.error_log.last_error)
        return root

    return work


@cache
def _schema() -> etree.XMLSchema:
    if len(sys.argv) > 3:  # noqa: PLR2004 (the schema is the last argument)
        return etree.XMLSchema(etree.parse(sys.argv[3]))
    from drmkit.cpix.xsd import compile_schema  # noqa: PLC0415 (only where DASH-IF's own is not at hand)

    return compile_schema("2.3")


_MAKERS: dict[str, Callable[[int], Work]] = {
    "drmkit parsed": drmkit_parsed,
    "drmkit validated": drmkit_validated,
    "drmkit built": drmkit_built,
    "cpix parsed": cpix_parsed,
    "cpix validated": cpix_validated,
    "cpix built": cpix_built,
    "floor parsed": floor_parsed,
    "floor validated": floor_validated,
}


@cache
def work_of(task: str, size: int) -> Work:
    """Return the work of a task, made once; its first run, which loads and compiles what it needs, is not timed."""
    work = _MAKERS[f"{sys.argv[1]} {task}"](size)
    if size <= 10:  # noqa: PLR2004 (the smallest documents load all that the others need)
        work()
    return work


def trim() -> None:
    """Give free memory back to the system, where the C library can."""
    give_back = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if give_back is not None:
        give_back(0)


def peak() -> float:
    """The peak memory of this process in MiB; getrusage() would count that of the parent before exec."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main() -> None:
    """Do one task after the other, as they are asked for."""
    for line in sys.stdin:
        task, size = line.split()
        work = work_of(task, int(size))
        gc.collect()
        trim()
        start = time.process_time()
        kept = work()
        seconds = time.process_time() - start
        del kept
        print(json.dumps({"seconds": seconds, "peak": peak()}), flush=True)


main()
