"""What the PSSH boxes of a document say, read once, and taken apart once for each make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from drmkit.cpix.rows import SystemRow
from drmkit.cpix.sieve import CHECKSUM, CHECKSUM_SIZE, CHECKSUM_TEXT, CTR_SCHEMES, playready_kid, stands_clear
from drmkit.cpix.survey import Survey
from drmkit.errors import SignalingError
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.signaling import pssh
from drmkit.signaling.describe import describe

__all__ = ["BoxFacts", "BoxReading", "examine", "read_boxes"]

_PLAYREADY: Final = DrmSystem.PLAYREADY.system_id
_FOUR_CC: Final = {"cenc", "cens", "cbc1", "cbcs"}
_CBC: Final = {"cbcs", "cbc1", "SAMPLE-AES"}


@dataclass(frozen=True, slots=True)
class BoxReading:
    """What the boxes of one DRM system say.

    Args:
        error: why the boxes cannot be read, or "".
        systems: the system IDs of the boxes.
        key_ids: the key IDs that they name.
        clash: the protection scheme that a box names against that of the key, or "".
    """

    error: str = ""
    systems: tuple[str, ...] = ()
    key_ids: tuple[KeyId, ...] = ()
    clash: str = ""

    def disagrees(self, kid: str, system: str) -> bool:
        """Whether anything disagrees with the key and the DRM system that the boxes stand for."""
        strange = any(found != system for found in self.systems)
        named = [str(found) for found in self.key_ids]
        return bool(self.error or self.clash or strange or (named and kid not in named))


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


def read_boxes(raw: bytes, wanted: str) -> BoxReading:
    """Take boxes apart; `wanted` is the protection scheme of their key, or ""."""
    try:
        boxes = pssh.parse(raw)
        described = [describe(box) for box in boxes]
    except SignalingError as error:
        return BoxReading(error=error.message)
    clash = next((d.scheme for d in described if d.scheme and wanted and not _same(d.system_id, d.scheme, wanted)), "")
    return BoxReading(
        systems=tuple(d.system_id for d in described),
        key_ids=tuple(kid for d in described for kid in d.key_ids),
        clash=clash,
    )


def _same(system_id: str, scheme: str, wanted: str) -> bool:
    if system_id == _PLAYREADY or wanted not in _FOUR_CC:
        return (scheme in _CBC) == (wanted in _CBC) and (scheme in CTR_SCHEMES) == (wanted in CTR_SCHEMES)
    return scheme == wanted
