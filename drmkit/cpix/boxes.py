"""What the PSSH boxes of a document say, read once, and taken apart once for each make."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Final

from drmkit.cpix.survey import Survey, SystemRow
from drmkit.errors import SignalingError
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.signaling import pssh
from drmkit.signaling.describe import describe

__all__ = ["BoxFacts", "examine"]

_PLAYREADY: Final = DrmSystem.PLAYREADY.system_id
_FOUR_CC: Final = {"cenc", "cens", "cbc1", "cbcs"}
_CBC: Final = {"cbcs", "cbc1", "SAMPLE-AES"}
_CTR: Final = {"cenc", "cens", "SAMPLE-AES-CTR"}
_CHECKSUM: Final = "<CHECKSUM>".encode("utf-16-le")
_CHECKSUM_SIZE: Final = 24


@dataclass(frozen=True, slots=True)
class BoxFacts:
    """What the boxes of one DRM system say.

    Args:
        row: the DRM system.
        error: why the boxes cannot be read, or "".
        systems: the system IDs of the boxes.
        key_ids: the key IDs that they name.
        clash: the protection scheme that a box names against that of the key, or "".
    """

    row: SystemRow
    error: str = ""
    systems: tuple[str, ...] = ()
    key_ids: tuple[KeyId, ...] = ()
    clash: str = ""

    @property
    def remarkable(self) -> bool:
        """Whether anything disagrees."""
        strange = any(system != self.row.system for system in self.systems)
        named = [str(kid) for kid in self.key_ids]
        return bool(self.error or self.clash or strange or (named and self.row.kid not in named))


def examine(survey: Survey) -> list[BoxFacts]:
    """Return the facts about all boxes that do not agree with their DRM system, key and scheme.

    Boxes of one make differ in the key ID only. So each is compared with its key ID cut out, and of equal ones only the
    first is taken apart.
    """
    agreeing: set[tuple[str, str, bytes, int]] = set()
    schemes = survey.schemes
    found = []
    for row in survey.systems:
        if row.pssh:
            wanted = schemes.get(row.kid, "")
            make = _make(row, wanted)
            if make is None or make not in agreeing:
                facts = _facts(row, wanted)
                if facts.remarkable:
                    found.append(facts)
                elif make is not None:
                    agreeing.add(make)
    return found


def _make(row: SystemRow, wanted: str) -> tuple[str, str, bytes, int] | None:
    """Return what is left of the boxes without the key ID, and where that was; None for a key ID that is none."""
    raw = row.pssh or b""
    try:
        kid = bytes.fromhex(row.kid.replace("-", ""))
        written = kid
        if row.system == _PLAYREADY:
            guid = kid[3::-1] + kid[5:3:-1] + kid[7:5:-1] + kid[8:]
            written = base64.b64encode(guid).decode().encode("utf-16-le")
    except ValueError:
        return None
    place = raw.find(written)
    if place < 0:
        return row.system, wanted, raw, place
    at = raw.find(_CHECKSUM) + len(_CHECKSUM) if row.system == _PLAYREADY else 0
    if at >= len(_CHECKSUM):
        raw = raw[:at] + raw[at + _CHECKSUM_SIZE :]
    return row.system, wanted, raw.replace(written, b""), place


def _facts(row: SystemRow, wanted: str) -> BoxFacts:
    try:
        boxes = pssh.parse(row.pssh or b"")
        described = [describe(box) for box in boxes]
    except SignalingError as error:
        return BoxFacts(row, error=error.message)
    clash = next((d.scheme for d in described if d.scheme and wanted and not _same(d.system_id, d.scheme, wanted)), "")
    return BoxFacts(
        row,
        systems=tuple(d.system_id for d in described),
        key_ids=tuple(kid for d in described for kid in d.key_ids),
        clash=clash,
    )


def _same(system_id: str, scheme: str, wanted: str) -> bool:
    if system_id == _PLAYREADY or wanted not in _FOUR_CC:
        return (scheme in _CBC) == (wanted in _CBC) and (scheme in _CTR) == (wanted in _CTR)
    return scheme == wanted
