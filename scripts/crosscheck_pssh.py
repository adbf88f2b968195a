"""Compare drmkit's reading of PSSH boxes with PyPI's pywidevine, in an environment of its own (not part of the tests).

    .venv/bin/python scripts/crosscheck_pssh.py [ROUNDS]

Random boxes of every system are written by drmkit and read by pywidevine: key IDs, version, and Widevine's protection
scheme and content ID. The exit code is 1 where the two differ.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent / "benchmarks"))

from environments import python_with

from drmkit.identifiers import DrmSystem, KeyId
from drmkit.signaling import common, playready, widevine
from drmkit.signaling.describe import describe
from drmkit.signaling.pssh import PsshBox
from drmkit.signaling.schemes import SCHEMES
from drmkit.signaling.widevine import WidevineData

ROUNDS = 500
OTHER = """
import json, sys
from pywidevine.license_protocol_pb2 import WidevinePsshData
from pywidevine.pssh import PSSH
out = []
for text in json.load(sys.stdin):
    box = PSSH(text)
    said = {"version": box.version, "key_ids": [str(kid) for kid in box.key_ids], "system": str(box.system_id)}
    if box.system_id == PSSH.SystemId.Widevine:
        data = WidevinePsshData()
        data.ParseFromString(box.init_data)
        said["scheme"] = data.protection_scheme.to_bytes(4, "big").decode() if data.protection_scheme else None
        said["content_id"] = data.content_id.hex()
    out.append(said)
json.dump(out, sys.stdout)
"""


def main(arguments: list[str]) -> int:
    """Compare as many rounds of boxes as are asked for."""
    rounds = int(arguments[0]) if arguments else ROUNDS
    chance = random.Random(rounds)  # noqa: S311 (test boxes: they must repeat)
    boxes = [box for _ in range(rounds) for box in make(chance)]
    given = json.dumps([box.to_base64() for box in boxes])
    command = [str(python_with("pywidevine")), "-c", OTHER]
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=True)
    differing = 0
    for box, theirs in zip(boxes, json.loads(done.stdout), strict=True):
        mine = read(box)
        if not agrees(mine, theirs):
            differing += 1
            print(f"{box.to_base64()}\n  drmkit      {mine}\n  pywidevine  {theirs}")
    print(f"{len(boxes)} boxes compared, {differing} read in two ways")
    return int(differing > 0)


def make(chance: random.Random) -> list[PsshBox]:
    """Make a box of each system with random key IDs."""
    kids = [KeyId(chance.randbytes(16)) for _ in range(chance.randint(1, 4))]
    scheme = chance.choice(SCHEMES)
    content_id = chance.randbytes(chance.randint(1, 40)) if chance.random() < 0.5 else None  # noqa: PLR2004 (a coin)
    version = chance.randint(0, 1)
    return [
        widevine.pssh_box(kids, scheme, content_id=content_id, provider="acme", version=version),
        playready.pssh_box(kids, scheme, box_version=version),
        common.pssh_box(kids),
    ]


def read(box: PsshBox) -> dict[str, Any]:
    """Read a box with drmkit."""
    words = describe(box)
    said: dict[str, Any] = {
        "version": box.version,
        "key_ids": [kid.uuid for kid in words.key_ids],
        "system": box.system_id,
    }
    if words.system == "Widevine":
        said |= {"scheme": words.scheme, "content_id": (WidevineData.parse(box.data).content_id or b"").hex()}
    return said


def agrees(mine: dict[str, Any], theirs: dict[str, Any]) -> bool:
    """Say whether two readings are one; pywidevine reads PlayReady's GUIDs without turning their bytes round."""
    turned = [KeyId(KeyId.from_uuid(kid).guid_le).uuid for kid in mine["key_ids"]]
    kids = sorted(theirs["key_ids"])
    if {**mine, "key_ids": 0} != {**theirs, "key_ids": 0}:
        return False
    is_playready = mine["system"] == DrmSystem.PLAYREADY.system_id
    return kids == sorted(mine["key_ids"]) or (is_playready and kids == sorted(turned))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
