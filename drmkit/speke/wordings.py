"""Signaling by pattern: two keys of one system and scheme are signaled in the same words, but for their key IDs.

Making everything anew for each of 24 DRM systems is most of the time that an answer takes. So it is made once, by
`drmkit.signaling.material`, for a key ID that nobody has, and cut where that key ID stands: in the bytes of the box
first, then wherever the box stands. Every other key ID is put between the pieces, for the places that are asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import AnyStr, Final, Generic

from drmkit.cpix.values import encode_base64
from drmkit.identifiers import DrmSystem, KeyId
from drmkit.keys.derivation import DerivedKey
from drmkit.signaling import hls, material
from drmkit.signaling.material import Material, Options
from drmkit.signaling.wrmheader import checksum

__all__ = ["BOXED", "fairplay_tags", "texts"]

BOXED: Final = frozenset({DrmSystem.WIDEVINE, DrmSystem.PLAYREADY, DrmSystem.COMMON})
"""The systems whose signaling is made of a PSSH box and nothing else."""

_KID: Final = KeyId(bytes.fromhex("e6f1a0d3c25b4987b1d20c8f7a3e5964"))
_KEY: Final = bytes.fromhex("93b07c1de84f52a6c90d3e71f5b8264a")
_URI: Final = f"skd://{_KID}"
_KEY_SIZE: Final = 16
_HEAD: Final = 32
"""What stands before the data in a PSSH box of version 0."""
_REMEMBERED: Final = 256


@dataclass(frozen=True, slots=True)
class _Pieces(Generic[AnyStr]):
    """A text or bytes, cut: the pieces, and at which of them which value goes."""

    pieces: tuple[AnyStr, ...]
    marks: tuple[tuple[int, int], ...]

    @classmethod
    def cut(cls, whole: AnyStr, values: tuple[AnyStr, ...]) -> _Pieces[AnyStr]:
        """Cut a whole at each of some values; an empty value is nowhere."""
        order = {value: number for number, value in enumerate(values) if value}
        bar, opening, closing = ("|", "(", ")") if isinstance(whole, str) else (b"|", b"(", b")")
        pieces = re.split(opening + bar.join(re.escape(value) for value in order) + closing, whole)
        return cls(tuple(pieces), tuple((at, order[pieces[at]]) for at in range(1, len(pieces), 2)))

    def join(self, values: tuple[AnyStr, ...]) -> AnyStr:
        """Put other values where those stood at which the whole was cut."""
        pieces = list(self.pieces)
        for at, number in self.marks:
            pieces[at] = values[number]
        return self.pieces[0][:0].join(pieces)


@dataclass(frozen=True, slots=True)
class _Pattern:
    """Everything for the one key ID: the box, and the texts that hold it, by their places."""

    box: _Pieces[bytes]
    texts: Mapping[str, _Pieces[str]]
    has_checksum: bool


def texts(
    system: DrmSystem, key: DerivedKey, scheme: str, options: Options, places: Iterable[str] | None = None
) -> dict[str, str]:
    """Return what fills each place of one key and system: base64, by the name of the place.

    It is what `drmkit.signaling.material.make` gives for the key, byte for byte.

    Args:
        system: one of `BOXED`.
        key: the content key.
        scheme: cenc, cens, cbc1 or cbcs.
        options: what the license services want.
        places: the places to fill, of which those that the system does not have are left out; None takes all.

    Raises:
        SignalingError: the scheme is unknown, or an option does not fit.
    """
    with_key = len(key.key.reveal()) == _KEY_SIZE
    pattern = _pattern(
        system.name,
        scheme,
        with_key,
        (options.widevine_provider, options.widevine_content_id, options.widevine_policy),
        (options.playready_la_url, options.playready_lui_url),
    )
    kid = key.kid
    if system is DrmSystem.PLAYREADY:
        mark = _wide(encode_base64(checksum(kid, key.key))) if pattern.has_checksum else b""
        box = pattern.box.join((_wide(encode_base64(kid.guid_le)), mark))
    else:
        box = pattern.box.join((kid.raw,))
    box_text = encode_base64(box)
    values = (box_text, encode_base64(box[_HEAD:]), kid.hex.upper())
    found = {}
    for place in (_BOX, *pattern.texts) if places is None else places:
        if place == _BOX:
            found[place] = box_text
        elif place in pattern.texts:
            text = pattern.texts[place].join(values)
            found[place] = text if place in _PLAIN else encode_base64(text.encode())
    return found


def fairplay_tags(scheme: str, uri: str) -> dict[str, str]:
    """Return the text of each place that FairPlay fills with its key URI: plain, by the name of the place.

    Args:
        scheme: the protection scheme.
        uri: the key URI.

    Raises:
        SignalingError: FairPlay does not play the scheme, or the URI cannot stand in a tag.
    """
    checked = hls.quotable(uri)
    return {place: pieces.join((checked,)) for place, pieces in _fairplay_pattern(scheme).items()}


_BOX: Final = "PSSH"
_PLAIN: Final = frozenset({"SmoothStreamingProtectionHeaderData", "speke:ProtectionHeader"})


def _wide(text: str) -> bytes:
    return text.encode("utf-16-le")


def _made_texts(made: Material) -> dict[str, str]:
    found = {
        "ContentProtectionData": None if made.content_protection is None else made.content_protection.decode(),
        "media": made.hls_media,
        "master": made.hls_master,
        "URIExtXKey": made.key_uri,
        "SmoothStreamingProtectionHeaderData": made.smooth,
    }
    return {place: text for place, text in found.items() if text is not None}


@lru_cache(maxsize=_REMEMBERED)
def _pattern(
    system_name: str,
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
    system = DrmSystem[system_name]
    made = material.make(system, _KID, scheme, key=_KEY if with_key else None, options=options)
    box = b"" if made.pssh is None else made.pssh.to_bytes()
    found = _made_texts(made)
    data_text = encode_base64(box[_HEAD:])
    marks: tuple[bytes, ...] = (_KID.raw,)
    if system is DrmSystem.PLAYREADY:
        found["speke:ProtectionHeader"] = data_text
        marks = (_wide(encode_base64(_KID.guid_le)), _wide(encode_base64(checksum(_KID, _KEY))))
    values = (encode_base64(box), data_text, _KID.hex.upper())
    return _Pattern(
        box=_Pieces.cut(box, marks),
        texts={place: _Pieces.cut(text, values) for place, text in found.items()},
        has_checksum=marks[-1] in box,
    )


@lru_cache(maxsize=_REMEMBERED)
def _fairplay_pattern(scheme: str) -> Mapping[str, _Pieces[str]]:
    made = material.make(DrmSystem.FAIRPLAY, _KID, scheme, options=Options(fairplay_uri=lambda _: _URI))
    return {place: _Pieces.cut(text, (_URI,)) for place, text in _made_texts(made).items()}
