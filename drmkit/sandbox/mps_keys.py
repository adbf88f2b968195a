"""Whether a key server's document serves a DRM task: keys, systems, PSSH boxes and scheme."""

from __future__ import annotations

from collections.abc import Iterable

from drmkit import cpix
from drmkit.errors import DrmkitError
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.signaling import pssh
from drmkit.signaling.playready import PlayReadyObject
from drmkit.signaling.pssh import PsshBox
from drmkit.signaling.widevine import WidevineData

__all__ = ["SYSTEMS", "KeyFaultError", "check_keys"]

_KEY_LENGTH = 16
SYSTEMS = {
    "widevine": DrmSystem.WIDEVINE,
    "playready": DrmSystem.PLAYREADY,
    "fairplay": DrmSystem.FAIRPLAY,
}
_SCHEMES = {"SAMPLE-AES": "cbcs", "SAMPLE-AES-CTR": "cenc"}
_ALGORITHMS = {"cenc": "AESCTR", "cbcs": "AESCBC"}


class KeyFaultError(Exception):
    """The keys of a task cannot be used; the text says why and holds no secret."""


def check_keys(document: cpix.Document, systems: Iterable[str], method: str) -> None:
    """Check that every key of a document can be used for these DRM systems and this encryption method.

    Args:
        document: what the key server answered.
        systems: `widevine`, `playready`, `fairplay`.
        method: `cenc` or `cbcs`.

    Raises:
        KeyFaultError: it can not.
    """
    keys = list(document.content_keys)
    if not keys:
        raise KeyFaultError("the CPIX document holds no content key")
    if len({key.kid for key in keys}) != len(keys):
        raise KeyFaultError("the CPIX document lists one key ID twice")
    for key in keys:
        _check_key(key, method)
    boxes = {(entry.system_id, entry.kid): entry.pssh for entry in document.drm_systems}
    for name in systems:
        for key in keys:
            _check_system(boxes, name, key.kid, method)


def _check_key(key: cpix.ContentKey, method: str) -> None:
    if key.key is None:
        raise KeyFaultError(f"the content key {key.kid} has no value in the clear")
    value = key.key.reveal()
    if len(value) != _KEY_LENGTH:
        raise KeyFaultError(f"the content key {key.kid} has {len(value)} bytes instead of {_KEY_LENGTH}")
    scheme = _SCHEMES.get(key.scheme or "", key.scheme)
    if scheme not in {None, method}:
        raise KeyFaultError(
            f"the CPIX document is for {scheme} and the task encrypts with {method}"
            f" (for DRMtoday, `x-signaling-alg={method}` in the URL asks for it)"
        )


def _check_system(boxes: dict[tuple[str, KeyId], bytes | None], name: str, kid: KeyId, method: str) -> None:
    system = SYSTEMS[name]
    if (system.system_id, kid) not in boxes:
        raise KeyFaultError(f"the CPIX document has no {system.label} entry for the key {kid}")
    if system is DrmSystem.FAIRPLAY:
        return
    data = boxes[system.system_id, kid]
    if not data:
        raise KeyFaultError(f"the CPIX document has no {system.label} PSSH box for the key {kid}")
    try:
        box = next((item for item in pssh.parse(data) if item.system is system), None)
        if box is None:
            raise KeyFaultError(f"the {system.label} entry for the key {kid} holds another system's PSSH box")
        _check_box(box, kid, method)
    except DrmkitError:
        raise KeyFaultError(f"the {system.label} PSSH box for the key {kid} cannot be read") from None


def _check_box(box: PsshBox, kid: KeyId, method: str) -> None:
    kids: tuple[KeyId, ...]
    if box.system is DrmSystem.WIDEVINE:
        data = WidevineData.parse(box.data)
        kids, stated, wanted = data.key_ids, {data.scheme}, method
    else:
        entries = [key for header in PlayReadyObject.parse(box.data).headers for key in header.keys]
        kids, stated, wanted = (
            tuple(entry.kid for entry in entries),
            {e.algorithm for e in entries},
            _ALGORITHMS[method],
        )
    if kids and kid not in kids:
        raise KeyFaultError(
            f"the {box.system.label if box.system else ''} PSSH box for the key {kid} names another key"
        )
    if not stated <= {None, wanted}:
        raise KeyFaultError(f"the PSSH box for the key {kid} is not for {method}")
