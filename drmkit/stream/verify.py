"""Compares what a file says about its encryption with what a key document asks for."""

from __future__ import annotations

from collections.abc import Sequence

from drmkit.identifiers import system_name
from drmkit.signaling.pssh import PsshBox
from drmkit.stream.entries import SampleEntry
from drmkit.stream.inspect import Inspection
from drmkit.stream.model import KeyUse

__all__ = ["differences"]


def differences(found: Inspection, use: KeyUse | None) -> list[str]:
    """Return every disagreement between a file with one track and the encryption that it should have, in words.

    Scheme, default key ID and constant IV (cbcs) or first IV (cenc, where the file holds samples) are compared with
    the key; the PSSH boxes must be the same, byte for byte, in any order.

    Args:
        found: what the file says.
        use: the key, IV, scheme and boxes that it should have; None for a track in the clear.
    """
    faults = [] if found.entries else ["the file has no track"]
    for entry in found.entries:
        faults += _entry(entry, use)
    return faults + _boxes(found.pssh, use.pssh if use else ())


def _entry(entry: SampleEntry, use: KeyUse | None) -> list[str]:
    if use is None:
        return [f"track {entry.track_id} is encrypted ({entry.scheme}), not clear"] if entry.scheme else []
    if entry.scheme is None:
        return [f"track {entry.track_id} is clear, not encrypted"]
    faults = []
    if entry.scheme != use.scheme:
        faults.append(f"the scheme is {entry.scheme}, not {use.scheme}")
    if entry.kid != use.kid:
        faults.append(f"the key ID is {entry.kid}, not {use.kid}")
    if use.iv is not None:
        faults += _iv(entry, use.iv, constant=use.scheme == "cbcs")
    return faults


def _iv(entry: SampleEntry, iv: bytes, *, constant: bool) -> list[str]:
    if constant:
        if entry.constant_iv is None:
            return [f"each sample has an IV of its own, not the constant {iv.hex()}"]
        return [f"the constant IV is {entry.constant_iv.hex()}, not {iv.hex()}"] if entry.constant_iv != iv else []
    if entry.iv_size != len(iv):
        return [f"an IV has {entry.iv_size} bytes, not {len(iv)}"]
    if entry.first_iv not in {None, iv}:
        return [f"the first IV is {(entry.first_iv or b'').hex()}, not {iv.hex()}"]
    return []


def _boxes(found: Sequence[PsshBox], wanted: Sequence[PsshBox]) -> list[str]:
    faults = [
        f"the PSSH box of {system_name(box.system_id)} is missing, or is another" for box in wanted if box not in found
    ]
    return faults + [
        f"there is a PSSH box of {system_name(box.system_id)} that is not the document's"
        for box in found
        if box not in wanted
    ]
