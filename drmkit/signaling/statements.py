"""What is said about one key and one DRM system, and whether all of it says the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from drmkit.errors import IdentifierError, SignalingError
from drmkit.identifiers import DrmSystem, KeyId, system_name
from drmkit.secret import Secret
from drmkit.signaling import encodings, fairplay
from drmkit.signaling.dashreader import parse_fragment
from drmkit.signaling.describe import describe
from drmkit.signaling.hlsreader import KEY, KEYFORMATS, SESSION_KEY, HlsKey
from drmkit.signaling.hlsreader import parse as parse_tags
from drmkit.signaling.playready import PlayReadyObject
from drmkit.signaling.pssh import PsshBox, parse
from drmkit.signaling.schemes import hls_method, is_cbc

__all__ = ["Disagreement", "Signaling", "disagreements"]

Severity = Literal["error", "warning"]
_KEY_SIZE = 16
_DASH = "ContentProtectionData"
_HLS = "HLSSignalingData"
_SMOOTH = "SmoothStreamingProtectionHeaderData"


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Two statements that contradict each other, or one that cannot be read.

    Args:
        code: a stable name: the part, a dot, what is wrong, such as `pssh.key-id`.
        severity: error where a player would fail, warning where it may.
        part: the CPIX element, such as `PSSH`; "" for the entry as a whole.
        message: what contradicts what.
        hint: what to do.
        line: of the entry in the document, 0 where it is not known.
    """

    code: str
    severity: Severity
    part: str
    message: str
    hint: str | None = None
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Signaling:
    """All that is said about one key and one system; None where nothing is.

    Args:
        kid: the key ID.
        system_id: the DRM system's ID, a lower-case UUID.
        scheme: the protection scheme, or None where it is not known.
        pssh: the PSSH boxes.
        content_protection: the DASH fragment.
        hls_media: the HLS lines of the media playlist.
        hls_master: the HLS lines of the multivariant playlist.
        smooth: the Smooth Streaming protection header, base64.
        key: the content key, for checksums.
        iv: the key's own initialization vector.
    """

    kid: KeyId
    system_id: str
    scheme: str | None = None
    pssh: bytes | None = None
    content_protection: bytes | None = None
    hls_media: str | None = None
    hls_master: str | None = None
    smooth: str | None = None
    key: Secret[bytes] | None = None
    iv: bytes | None = None


def disagreements(said: Signaling) -> Iterator[Disagreement]:
    """Yield everything in which the statements about one key and one system disagree."""
    system = DrmSystem.find(said.system_id)
    if system is DrmSystem.FAIRPLAY and said.scheme not in {None, "cbcs"}:
        yield _error("fairplay.scheme", "", f"FairPlay plays cbcs, not {said.scheme}", "use cbcs for this key")
    boxes: list[PsshBox] = []
    if said.pssh is not None:
        try:
            boxes = parse(said.pssh)
            yield from _boxes(said, boxes, "PSSH", "pssh")
        except SignalingError as error:
            yield _error("pssh.unreadable", "PSSH", error.message, error.hint)
    if said.content_protection is not None:
        try:
            yield from _dash(said, boxes, said.content_protection)
        except SignalingError as error:
            yield _error("mpd.unreadable", _DASH, error.message, error.hint)
    for tag, text in ((KEY, said.hls_media), (SESSION_KEY, said.hls_master)):
        if text is not None:
            yield from _hls(said, boxes, tag, text)
    if said.smooth is not None:
        yield from _smooth(said, said.smooth)


def _boxes(said: Signaling, boxes: Iterable[PsshBox], part: str, code: str) -> Iterator[Disagreement]:
    """Check boxes against the key ID, the system and the scheme."""
    for box in boxes:
        if box.system_id != said.system_id:
            yield _error(
                f"{code}.system-id",
                part,
                f"the box is of {system_name(box.system_id)} ({box.system_id}), the entry of "
                f"{system_name(said.system_id)} ({said.system_id})",
                "move the box to its own system's entry",
            )
            continue
        words = describe(box)
        yield from _key_ids(said, words.key_ids, part, code)
        if words.scheme and said.scheme and not _same_scheme(box, words.scheme, said.scheme):
            yield _error(f"{code}.scheme", part, f"the box says {words.scheme}, the content key {said.scheme}")
        if box.system is DrmSystem.PLAYREADY:
            yield from _header(said, box, part, code)


def _header(said: Signaling, box: PsshBox, part: str, code: str) -> Iterator[Disagreement]:
    for header in PlayReadyObject.parse(box.data).headers:
        for problem in header.problems:
            yield Disagreement(f"{code}.header", "warning", part, f"PlayReady header {header.version}: {problem}")
        for key in header.keys:
            known = said.key is not None and len(said.key.reveal()) == _KEY_SIZE and key.kid == said.kid
            if known and said.key is not None and key.checksum is not None and not key.matches(said.key):
                yield _error(f"{code}.checksum", part, "the CHECKSUM is not that of the content key")


def _key_ids(said: Signaling, key_ids: tuple[KeyId, ...], part: str, code: str) -> Iterator[Disagreement]:
    if not key_ids or said.kid in key_ids:
        return
    hint = "make the signaling of this key ID"
    if KeyId(said.kid.guid_le) in key_ids:
        hint = "the bytes are in the wrong order: PlayReady writes GUIDs little-endian, everyone else big-endian"
    named = ", ".join(kid.uuid for kid in key_ids[:3])
    yield _error(f"{code}.key-id", part, f"the key ID is {said.kid}, but {named} is named", hint)


def _dash(said: Signaling, boxes: list[PsshBox], fragment: bytes) -> Iterator[Disagreement]:
    read = parse_fragment(fragment)
    if read.system_id not in {None, said.system_id}:
        yield _error("mpd.system-id", _DASH, f"the element is of {read.system_id}, the entry of {said.system_id}")
    yield from _key_ids(said, read.default_kids, _DASH, "mpd")
    own = [box for box in read.boxes if box.system_id == said.system_id]
    if boxes and own and own != boxes:
        yield _error("mpd.pssh", _DASH, "cenc:pssh is not the box of the PSSH element", "write the same box to both")
    else:
        yield from _boxes(said, read.boxes if not boxes else (), _DASH, "mpd")
        yield from _boxes(said, [box for box in read.boxes if boxes and box not in own], _DASH, "mpd")
    known = [box for box in (*boxes, *own) if box.system is DrmSystem.PLAYREADY]
    if read.playready is None:
        return
    alone = PsshBox(DrmSystem.PLAYREADY.system_id, data=read.playready.to_bytes())
    if not known:
        yield from _boxes(said, [alone], _DASH, "mpd")
    elif known[0].data != alone.data:
        yield _error("mpd.pro", _DASH, "mspr:pro is not the object of the PSSH box", "write the same to both")


def _hls(said: Signaling, boxes: list[PsshBox], tag: str, text: str) -> Iterator[Disagreement]:
    try:
        keys = parse_tags(text)
        if not keys:
            yield Disagreement("hls.no-tag", "warning", _HLS, "there is no key tag in it", f"write a #{tag} line")
        for key in keys:
            yield from _tag(said, boxes, tag, key)
    except SignalingError as error:
        yield _error("hls.unreadable", _HLS, error.message, error.hint)


def _tag(said: Signaling, boxes: list[PsshBox], tag: str, key: HlsKey) -> Iterator[Disagreement]:
    if key.tag != tag:
        where = "media" if tag == KEY else "multivariant"
        yield _error("hls.tag", _HLS, f"a {where} playlist has #{tag}, not #{key.tag}")
    system = DrmSystem.find(said.system_id)
    if system in KEYFORMATS and key.keyformat.lower() != KEYFORMATS[system] and key.system is not system:
        message = f'KEYFORMAT="{key.keyformat}" is not that of {system_name(said.system_id)}'
        yield _error("hls.keyformat", _HLS, message, f'KEYFORMAT="{KEYFORMATS[system]}"')
        return
    if said.scheme and system is not DrmSystem.CLEARKEY_AES128 and key.method != hls_method(said.scheme):
        message = f"METHOD={key.method} is not that of {said.scheme}"
        yield Disagreement("hls.method", "warning", _HLS, message, f"METHOD={hls_method(said.scheme)}")
    if key.key_id not in {None, said.kid}:
        yield _error("hls.key-id", _HLS, f"the key ID is {said.kid}, but KEYID is {key.key_id}")
    yield from _iv(said, key.iv, "IV")
    if system is DrmSystem.FAIRPLAY:
        yield from _fairplay(said, key.uri or "")
    found = key.boxes()
    if boxes and found and [box.data for box in found] != [box.data for box in boxes]:
        yield _error("hls.pssh", _HLS, "the URI does not hold what the PSSH element holds", "signal the same box")
    elif not boxes:
        yield from _boxes(said, found, _HLS, "hls")


def _iv(said: Signaling, stated: bytes | None, where: str) -> Iterator[Disagreement]:
    if None not in {said.iv, stated} and said.iv != stated:
        message = f"{where} of the key tag is not the explicitIV of the content key"
        yield _error("hls.iv", _HLS, message, "give players the IV that the content is encrypted with")


def _fairplay(said: Signaling, uri: str) -> Iterator[Disagreement]:
    """Check a URI that says in JSON what it stands for; what other URIs say is the license service's own affair."""
    stated = fairplay.said_in_json(uri)
    with suppress(IdentifierError):
        kid = KeyId.from_uuid(stated.get("KeyId", ""))
        if kid != said.kid:
            yield _error("hls.key-id", _HLS, f"the key ID is {said.kid}, but KeyId in the URI is {kid}")
    with suppress(SignalingError):
        yield from _iv(said, encodings.from_base64(stated["IV"], "IV") if "IV" in stated else None, "the URI")


def _smooth(said: Signaling, text: str) -> Iterator[Disagreement]:
    try:
        raw = encodings.from_base64(text, "the protection header")
        yield from _boxes(said, [PsshBox(DrmSystem.PLAYREADY.system_id, data=raw)], _SMOOTH, "smooth")
    except SignalingError as error:
        yield _error("smooth.unreadable", _SMOOTH, error.message, error.hint)


def _same_scheme(box: PsshBox, mine: str, theirs: str) -> bool:
    if box.system is DrmSystem.PLAYREADY:
        return is_cbc(mine) == is_cbc(theirs)
    return mine == theirs


def _error(code: str, part: str, message: str, hint: str | None = None) -> Disagreement:
    return Disagreement(code, "error", part, message, hint)
