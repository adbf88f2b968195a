"""What PSSH boxes say of their DRM system, their keys and the protection scheme."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from drmkit.cpix.playlists import CTR_SCHEMES
from drmkit.errors import SignalingError
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.signaling import pssh
from drmkit.signaling.describe import describe

__all__ = ["BoxReading", "read_boxes"]

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


def read_boxes(raw: bytes, wanted: str) -> BoxReading:
    """Take boxes apart; `wanted` is the protection scheme of their key, or ""."""
    try:
        boxes = pssh.parse(raw)
    except SignalingError as error:
        return BoxReading(error=error.message)
    described, fault = [], ""
    for box in boxes:
        try:
            described.append(describe(box))
        except SignalingError as error:
            fault = fault or error.message
    clash = next((d.scheme for d in described if d.scheme and wanted and not _same(d.system_id, d.scheme, wanted)), "")
    return BoxReading(
        error=fault,
        systems=tuple(box.system_id for box in boxes),
        key_ids=tuple(kid for d in described for kid in d.key_ids),
        clash=clash,
    )


def _same(system_id: str, scheme: str, wanted: str) -> bool:
    if system_id == _PLAYREADY or wanted not in _FOUR_CC:
        return (scheme in _CBC) == (wanted in _CBC) and (scheme in CTR_SCHEMES) == (wanted in CTR_SCHEMES)
    return scheme == wanted
