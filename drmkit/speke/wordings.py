"""Signaling by pattern: two keys of one system and scheme are signaled in the same words, but for their key IDs.

Making everything anew for each of 24 DRM systems is most of the time that an answer takes. So it is made once, by
`drmkit.signaling.material`, for a key ID that nobody has; for every other one that key ID is replaced, in the bytes of
the box first, then wherever the box stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from drmkit.cpix.values import encode_base64
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.keys.derivation import DerivedKey
from drmkit.signaling import material
from drmkit.signaling.material import Options
from drmkit.signaling.wrmheader import checksum

__all__ = ["BOXED", "texts"]

BOXED: Final = frozenset({DrmSystem.WIDEVINE, DrmSystem.PLAYREADY, DrmSystem.COMMON})
"""The systems whose signaling is made of a PSSH box and nothing else."""

_KID: Final = KeyId(bytes.fromhex("e6f1a0d3c25b4987b1d20c8f7a3e5964"))
_KEY: Final = bytes.fromhex("93b07c1de84f52a6c90d3e71f5b8264a")
_KEY_SIZE: Final = 16
_HEAD: Final = 32
"""What stands before the data in a PSSH box of version 0."""
_REMEMBERED: Final = 256


def _wide(text: str) -> bytes:
    return text.encode("utf-16-le")


_NAMED: Final = _KID.hex.upper()
_GUID: Final = _wide(encode_base64(_KID.guid_le))


@dataclass(frozen=True, slots=True)
class _Pattern:
    """Everything for the one key ID: the box, the texts that hold it, and PlayReady's CHECKSUM as the box has it."""

    box: bytes
    texts: tuple[tuple[str, str], ...]
    box_text: str
    data_text: str
    checksum: bytes


def texts(system: DrmSystem, key: DerivedKey, scheme: str, options: Options) -> dict[str, str]:
    """Return what fills each place of one key and system: base64, by the name of the place.

    It is what `drmkit.signaling.material.make` gives for the key, byte for byte.

    Args:
        system: one of `BOXED`.
        key: the content key.
        scheme: cenc, cens, cbc1 or cbcs.
        options: what the license services want.

    Raises:
        SignalingError: the scheme is unknown, or an option does not fit.
    """
    with_key = len(key.key.reveal()) == _KEY_SIZE
    pattern = _pattern(
        system,
        scheme,
        with_key,
        (options.widevine_provider, options.widevine_content_id, options.widevine_policy),
        (options.playready_la_url, options.playready_lui_url),
    )
    box = pattern.box
    if system is DrmSystem.PLAYREADY:
        box = box.replace(_GUID, _wide(encode_base64(key.kid.guid_le)))
        if pattern.checksum:
            box = box.replace(pattern.checksum, _wide(encode_base64(checksum(key.kid, key.key))))
    else:
        box = box.replace(_KID.raw, key.kid.raw)
    box_text, data_text = encode_base64(box), encode_base64(box[_HEAD:])
    found = {"PSSH": box_text}
    for name, text in pattern.texts:
        filled = text.replace(pattern.box_text, box_text).replace(pattern.data_text, data_text)
        filled = filled.replace(_NAMED, key.kid.hex.upper())
        found[name] = filled if name in _PLAIN else encode_base64(filled.encode())
    return found


_PLAIN: Final = frozenset({"SmoothStreamingProtectionHeaderData", "speke:ProtectionHeader"})


@lru_cache(maxsize=_REMEMBERED)
def _pattern(
    system: DrmSystem,
    scheme: str,
    with_key: bool,
    widevine: tuple[str | None, bytes | None, str | None],
    playready: tuple[str | None, str | None],
) -> _Pattern:
    options = Options(
        widevine_provider=widevine[0],
        widevine_content_id=widevine[1],
        widevine_policy=widevine[2],
        playready_la_url=playready[0],
        playready_lui_url=playready[1],
    )
    made = material.make(system, _KID, scheme, key=_KEY if with_key else None, options=options)
    box = b"" if made.pssh is None else made.pssh.to_bytes()
    protection = None if made.content_protection is None else made.content_protection.decode()
    data_text = encode_base64(box[_HEAD:])
    found = {
        "ContentProtectionData": protection,
        "media": made.hls_media,
        "master": made.hls_master,
        "URIExtXKey": made.key_uri,
        "SmoothStreamingProtectionHeaderData": made.smooth,
        "speke:ProtectionHeader": data_text if system is DrmSystem.PLAYREADY else None,
    }
    mark = _wide(encode_base64(checksum(_KID, _KEY))) if with_key else b""
    return _Pattern(
        box=box,
        texts=tuple((name, text) for name, text in found.items() if text is not None),
        box_text=encode_base64(box),
        data_text=data_text,
        checksum=mark if mark in box else b"",
    )
