"""Tells DRM systems in which no rule can find anything from those that the rules have to look at.

The systems of a large document come from a few makers: what one maker writes differs in the key ID only. Of each make
the first is taken apart in full. One that equals it byte by byte, apart from the key ID where that one has its own,
says the same, so no rule about PSSH boxes can find anything in it. HLS data passes where it is plainly one key tag of
its playlist with the method of the scheme. Everything else is left to the rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from drmkit.cpix.keyplaces import CHECKSUM, CHECKSUM_SIZE, CHECKSUM_TEXT, playready_kid, stands_clear
from drmkit.cpix.playlists import CTR_SCHEMES, HLS_METHODS, HLS_TAGS, USUAL_PLAYLISTS
from drmkit.cpix.records import UUID, Hls, KeyRow, schemes_of
from drmkit.identifiers import DrmSystem

__all__ = ["Sieve"]

_PLAYREADY: Final = DrmSystem.PLAYREADY.system_id
_FAIRPLAY: Final = DrmSystem.FAIRPLAY.system_id

_Make = tuple[int, list[bytes]]
"""Where in a box there is a checksum (0 for none), and what stands around each place of the key ID without it."""


class Sieve:
    """Knows the makes of DRM systems of one document.

    Args:
        keys: the content keys of the document.
    """

    def __init__(self, keys: Sequence[KeyRow]) -> None:
        schemes = schemes_of(keys)
        leaves = {row.kid for row in keys if row.depends_on is not None}
        self._keys = {
            row.kid: (bytes.fromhex(row.kid.replace("-", "")), schemes.get(row.kid, ""))
            for row in keys
            if row.kid not in leaves and UUID.fullmatch(row.kid)
        }
        self._makes: dict[tuple[str, str], _Make | None] = {}
        self._heads = {
            scheme: {name: tag + HLS_METHODS.get(scheme, (b"",))[0] for name, tag in HLS_TAGS.items()}
            for scheme in {"", *schemes.values()}
        }

    def passes(self, kid: str, system: str, box: bytes | None, hls: Hls) -> bool:
        """Say whether no rule about DRM systems and their PSSH and HLS data can find anything in one.

        Args:
            kid: its key ID, in lower case.
            system: its system ID, in lower case.
            box: its PSSH boxes.
            hls: its HLS data.
        """
        known = self._keys.get(kid)
        if known is None:
            return False
        raw, scheme = known
        if hls:
            heads = self._heads[scheme]
            for name, text in hls:
                head = heads.get(name)
                if text and (
                    head is None or not text.startswith(head) or text.count(b"METHOD=") != 1 or not text.isascii()
                ):
                    return False
            if len(hls) > 1 and [name for name, _ in hls] not in USUAL_PLAYLISTS:
                return False
        if system == _FAIRPLAY and scheme in CTR_SCHEMES:
            return False
        return not box or self._is_known(kid, system, box, raw, scheme)

    def _is_known(self, kid: str, system: str, box: bytes, raw: bytes, scheme: str) -> bool:
        written = raw if system != _PLAYREADY else playready_kid(raw)
        name = system, scheme
        if name not in self._makes:
            self._makes[name] = _make_of(kid, system, box, scheme, written)
        make = self._makes[name]
        if make is None:
            return False
        gap, parts = make
        if gap:
            # The checksum of the key is the only other thing that differs: 8 bytes in base64 in UTF-16.
            if CHECKSUM_TEXT.fullmatch(box, gap, gap + CHECKSUM_SIZE) is None:
                return False
            box = box[:gap] + box[gap + CHECKSUM_SIZE :]
        return box == written.join(parts)


def _make_of(kid: str, system: str, box: bytes, scheme: str, written: bytes) -> _Make | None:
    """Take the first box of a system and scheme apart; None where rules find something, or it names the key oddly."""
    from drmkit.cpix.boxreading import read_boxes  # noqa: PLC0415 (documents without boxes need none of it)

    reading = read_boxes(box, scheme)
    if reading.disagrees(kid, system) or (reading.key_ids and not stands_clear(written, box)):
        return None
    gap = box.find(CHECKSUM) + len(CHECKSUM) if system == _PLAYREADY else 0
    if gap < len(CHECKSUM) or CHECKSUM_TEXT.fullmatch(box, gap, gap + CHECKSUM_SIZE) is None:
        return 0, box.split(written)
    return gap, (box[:gap] + box[gap + CHECKSUM_SIZE :]).split(written)
