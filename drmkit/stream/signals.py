"""Says for the manifests what a key document states for each DRM system of a key, or what its PSSH boxes give."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from drmkit.errors import CpixError, DrmkitError
from drmkit.identifiers import DrmSystem, system_name
from drmkit.signaling import dash, hls
from drmkit.signaling.hlsreader import IDENTITY, KEY, SESSION_KEY, HlsKey
from drmkit.signaling.schemes import hls_method
from drmkit.stream.model import KeyUse, PlannedTrack, SystemSignaling

__all__ = ["TrackSignals", "hls_notes", "read_signals"]

_HDCP_LEVELS = ("NONE", "TYPE-0", "TYPE-1")
_UNQUOTABLE = re.compile(r'["\r\n]')
_BOXED = frozenset({DrmSystem.WIDEVINE, DrmSystem.PLAYREADY})


@dataclass(frozen=True, slots=True)
class TrackSignals:
    """What the manifests say about the encryption of one track.

    Attributes:
        media: lines for its HLS media playlist.
        master: lines for the HLS multivariant playlist.
        protection: whole `ContentProtection` elements for its DASH adaptation set, after the one of the scheme.
        variant: attributes for the HLS variants of a video, as they stand.
        notes: what a person should know, in sentences.
    """

    media: tuple[str, ...] = ()
    master: tuple[str, ...] = ()
    protection: tuple[str, ...] = ()
    variant: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


def read_signals(item: PlannedTrack) -> TrackSignals:
    """Return what the manifests have to say about a track.

    What the document states for a system comes first: the key tags of HLSSignalingData, the fragment of
    ContentProtectionData (CPIX 2.4, DRMSystem). Where it states nothing, PSSH boxes of Widevine and PlayReady give
    both; FairPlay, which has no box, gets the URI of URIExtXKey or `skd://` with the key ID. Session keys are
    written only where the document states them: a player fetches a license for each before it knows what it will play.

    Raises:
        CpixError: what the document states cannot be read.
    """
    use = item.use
    if use is None:
        return TrackSignals()
    media: list[str] = []
    master: list[str] = []
    protection: list[str] = []
    notes: list[str] = []
    for said in _systems(use):
        try:
            media += _lines(said, use, notes, item.track.name)
            master += _session_lines(said, use)
            protection += _elements(said)
        except DrmkitError as error:
            raise CpixError(
                f"what the document states for {system_name(said.system_id)} and key {use.kid} cannot be used:"
                f" {error.message}",
                hint=error.hint,
            ) from None
    return TrackSignals(_once(media), _once(master), _once(protection), tuple(_variant(use, notes)), tuple(notes))


def hls_notes(tracks: Sequence[PlannedTrack]) -> list[str]:
    """Return what a person should know of the HLS playlists of some tracks, in sentences.

    Raises:
        CpixError: what the document states cannot be read.
    """
    notes: list[str] = []
    for item in tracks:
        said = read_signals(item)
        notes += said.notes
        if item.use and not said.media:
            notes.append(
                f"the HLS playlist of track {item.track.name} has no key tag, and players take its segments for clear:"
                " the document has neither a tag for the key, nor a PSSH box of Widevine or PlayReady, nor FairPlay in"
                " cbcs. Package with a document that has DRM systems, or write DASH alone (`--format dash`)"
            )
    return notes


def _variant(use: KeyUse, notes: list[str]) -> Iterator[tuple[str, str]]:
    """Yield what a variant asks of a device (draft-pantos-hls-rfc8216bis, clause 4.4.6.2)."""
    if use.hdcp_level in _HDCP_LEVELS:
        yield "HDCP-LEVEL", use.hdcp_level
    elif use.hdcp_level:
        notes.append(f"the HDCP level of key {use.kid} is left out of HLS: {use.hdcp_level!r} is none that it knows")
    allowed = dict.fromkeys(said.allowed_cpc for said in use.signaling if said.allowed_cpc)
    joined = ",".join(name for name in allowed if name)
    if joined and _UNQUOTABLE.search(joined):
        notes.append(f"the HLSAllowedCPC of key {use.kid} is left out: it holds a quotation mark or a line break")
    elif joined:
        yield "ALLOWED-CPC", f'"{joined}"'


def _systems(use: KeyUse) -> tuple[SystemSignaling, ...]:
    if use.signaling:
        return use.signaling
    systems = dict.fromkeys(box.system_id for box in use.pssh)
    return tuple(SystemSignaling(name, tuple(box for box in use.pssh if box.system_id == name)) for name in systems)


def _lines(said: SystemSignaling, use: KeyUse, notes: list[str], track: str) -> list[str]:
    system = DrmSystem.find(said.system_id)
    if system is DrmSystem.FAIRPLAY and use.scheme != "cbcs":
        notes.append(f"FairPlay is left out of the HLS playlist of track {track}: it plays cbcs, not {use.scheme}")
        return []
    if said.hls_media is not None:
        tags = _tags(said.hls_media, KEY)
        unlike = {tag.method for tag in tags} - {hls_method(use.scheme)}
        if unlike:
            notes.append(
                f"the document's HLS key tag of {system_name(said.system_id)} for track {track} says"
                f" METHOD={', '.join(sorted(unlike))}, where {use.scheme} is {hls_method(use.scheme)}"
            )
        return [tag.to_tag() for tag in tags]
    if said.key_uri is None and system is DrmSystem.FAIRPLAY:
        notes.append(
            f"the document states no FairPlay key URI for track {track}: the playlist has skd:// and the key ID,"
            " which the license service may not know"
        )
    return _made(said, system, use)


def _made(said: SystemSignaling, system: DrmSystem | None, use: KeyUse) -> list[str]:
    """Make the key tags that the document does not state."""
    if system is None or system not in hls.KEYFORMATS:
        return []
    if said.key_uri is not None or system is DrmSystem.FAIRPLAY:
        return [hls.key_tag(system, use.kid, use.scheme, uri=said.key_uri, iv=_iv(use))]
    boxes = said.pssh if system in _BOXED else ()
    return [hls.key_tag(system, use.kid, use.scheme, box=box, iv=_iv(use)) for box in boxes]


def _session_lines(said: SystemSignaling, use: KeyUse) -> list[str]:
    if said.hls_master is None or (DrmSystem.find(said.system_id) is DrmSystem.FAIRPLAY and use.scheme != "cbcs"):
        return []
    return [tag.to_tag() for tag in _tags(said.hls_master, SESSION_KEY)]


def _tags(text: str, name: str) -> list[HlsKey]:
    # A document may state the tags of one playlist for the other as well; each belongs where its name says.
    return [tag for tag in hls.parse(text) if tag.tag == name and not _offers_key_id(tag)]


def _offers_key_id(tag: HlsKey) -> bool:
    """Whether players would take the bytes in the tag as the key itself (RFC 8216, clause 4.3.2.4)."""
    return tag.keyformat.lower() == IDENTITY and (tag.uri or "").lower().startswith("data:")


def _elements(said: SystemSignaling) -> Iterator[str]:
    if said.content_protection:
        yield _stated(said, said.content_protection)
    elif said.pssh:
        inner = b"".join(dash.content_protection(box) for box in said.pssh)
        yield dash.element(said.system_id, inner, robustness=said.robustness)


def _stated(said: SystemSignaling, fragment: bytes) -> str:
    read = dash.parse_fragment(fragment)
    if read.scheme_id_uri:
        # Some documents hold the whole element.
        return fragment.decode("utf-8")
    return dash.element(said.system_id, fragment, robustness=said.robustness)


def _iv(use: KeyUse) -> bytes | None:
    # In cenc each sample has an IV of its own; the one of cbcs holds for all of them.
    return use.iv if use.scheme == "cbcs" else None


def _once(lines: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(lines))
