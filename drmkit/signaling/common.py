"""The common system's PSSH box: key IDs and nothing else (W3C, "cenc" Initialization Data Format)."""

from __future__ import annotations

from collections.abc import Iterable

from drmkit.errors import SignalingError
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.signaling.pssh import PsshBox

__all__ = ["pssh_box"]


def pssh_box(key_ids: Iterable[KeyId]) -> PsshBox:
    """Return the version 1 box that lists these key IDs for any system that reads it, ClearKey above all.

    Raises:
        SignalingError: there is no key ID.
    """
    kids = tuple(key_ids)
    if not kids:
        raise SignalingError("the common PSSH box lists at least one key ID")
    return PsshBox(DrmSystem.COMMON.system_id, 1, kids)
