"""Finds the PSSH boxes of a document that disagree with their entry, taken apart once for each make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from drmkit.cpix.boxreading import BoxReading, read_boxes
from drmkit.cpix.keyplaces import CHECKSUM, CHECKSUM_SIZE, CHECKSUM_TEXT, playready_kid, stands_clear
from drmkit.cpix.records import SystemRow
from drmkit.cpix.survey import Survey
from drmkit.identifiers import DrmSystem

__all__ = ["BoxFacts", "examine"]

_PLAYREADY: Final = DrmSystem.PLAYREADY.system_id


@dataclass(frozen=True, slots=True)
class BoxFacts:
    """A DRM system, and what its boxes say."""

    row: SystemRow
    said: BoxReading


def examine(survey: Survey) -> list[BoxFacts]:
    """Return the facts about all boxes that do not agree with their DRM system, key and scheme.

    Boxes of one make differ in the key ID only. So each is compared with its key ID cut out, and of equal ones only the
    first is taken apart.
    """
    agreeing: set[tuple[str, str, bytes, int]] = set()
    schemes = survey.schemes
    found = []
    for row in survey.notable:
        if row.pssh:
            wanted = schemes.get(row.kid, "")
            make = _make(row, wanted)
            if make is None or make not in agreeing:
                said = read_boxes(row.pssh, wanted)
                if said.disagrees(row.kid, row.system):
                    found.append(BoxFacts(row, said))
                elif make is not None:
                    agreeing.add(make)
    return found


def _make(row: SystemRow, wanted: str) -> tuple[str, str, bytes, int] | None:
    """Return what is left of the boxes without the key ID, and where that was; None where it does not stand there."""
    raw = row.pssh or b""
    try:
        kid = bytes.fromhex(row.kid.replace("-", ""))
        written = playready_kid(kid) if row.system == _PLAYREADY else kid
    except ValueError:
        return None
    if not kid or not stands_clear(written, raw):
        return None
    at = raw.find(CHECKSUM) + len(CHECKSUM) if row.system == _PLAYREADY else 0
    if at >= len(CHECKSUM) and CHECKSUM_TEXT.fullmatch(raw, at, at + CHECKSUM_SIZE):
        raw = raw[:at] + raw[at + CHECKSUM_SIZE :]
    return row.system, wanted, raw.replace(written, b""), raw.find(written)
