"""Reads the protection scheme out of PSSH boxes, for keys of which the document says none."""

from __future__ import annotations

from collections.abc import Iterable

from drmkit.errors import SignalingError
from drmkit.signaling.pssh import PsshBox

__all__ = ["box_schemes"]


def box_schemes(boxes: Iterable[PsshBox]) -> frozenset[str]:
    """Return the protection schemes that the boxes of a key name; a box that names none, or cannot be read, says none.

    PlayReady names a cipher mode alone, which stands for cenc or cbcs.
    """
    # lxml stands behind this import; whoever only decrypts does not pay for it.
    from drmkit.signaling.describe import describe  # noqa: PLC0415

    found = set()
    for box in boxes:
        try:
            found.add(describe(box).scheme)
        except SignalingError:
            continue
    return frozenset(scheme for scheme in found if scheme is not None)
